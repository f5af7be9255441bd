// Command sshload measures how the SSH door bears its visitors, beside a bare
// wish and bubbletea server that shows the same kind of form: the time to the
// first frame, from a key to its frame with many sessions typing, memory and
// processor time of idle sessions, and what is sent to them.
//
//	go run ./cmd/sshload                         the bare form against the door with the same form
//	go run ./cmd/sshload -cmd "postern demo --ssh 127.0.0.1:0" -lead-in "enter"
//	go run ./cmd/sshload -target 127.0.0.1:2222  a server that runs already (give -pid for memory and time)
//
// Each server is a process of its own, so that /proc tells them apart, and the
// two take turns within one run, so that a busy machine is busy for both. Only
// loopback addresses are measured.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

// options are the bounds and habits of a run.
type options struct {
	sessions, idle, rounds, firsts int
	width, height                  int
	typing, settle, watch          time.Duration
	interval                       time.Duration
	target, command                string
	pid                            int
	leadIn                         string
	json                           bool
}

const (
	maxSessions = 2000
	maxTime     = 5 * time.Minute
)

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "sshload:", err)
		os.Exit(1)
	}
}

func parse(args []string) (o options, serve string, err error) {
	flags := flag.NewFlagSet("sshload", flag.ContinueOnError)
	size := flags.String("size", "100x30", "the terminals' size")
	flags.IntVar(&o.sessions, "sessions", 100, "sessions that type at once")
	flags.IntVar(&o.idle, "idle", 1000, "idle sessions (0 leaves this out)")
	flags.IntVar(&o.rounds, "rounds", 2, "turns of each server at typing")
	flags.IntVar(&o.firsts, "firsts", 20, "first frames that are timed")
	flags.DurationVar(&o.typing, "typing", 10*time.Second, "the length of one turn of typing")
	flags.DurationVar(&o.interval, "interval", time.Second, "between two keys of one session")
	flags.DurationVar(&o.settle, "settle", 5*time.Second, "the pause before idle sessions are measured")
	flags.DurationVar(&o.watch, "watch", 10*time.Second, "how long idle sessions are watched")
	flags.StringVar(&o.target, "target", "", "the address of a server that runs already")
	flags.StringVar(&o.command, "cmd", "", "a command that starts the server to measure and prints its loopback address")
	flags.IntVar(&o.pid, "pid", 0, "the process of -target")
	flags.StringVar(&o.leadIn, "lead-in", "", "keys that lead to a text field of the measured server: names (enter tab down up esc space) or characters, by commas")
	flags.BoolVar(&o.json, "json", false, "print JSON instead of a table")
	flags.StringVar(&serve, "serve", "", "be a server: bare or door (used for the processes that are measured)")
	if err := flags.Parse(args); err != nil {
		return o, "", err
	}
	w, h, ok := strings.Cut(*size, "x")
	o.width, _ = strconv.Atoi(w)
	o.height, _ = strconv.Atoi(h)
	switch {
	case !ok || o.width < 1 || o.height < 1 || o.width > 500 || o.height > 200:
		return o, "", fmt.Errorf("size %q is not WIDTHxHEIGHT within 500x200", *size)
	case o.sessions < 1 || o.sessions > maxSessions || o.idle < 0 || o.idle > maxSessions || o.rounds < 1 || o.rounds > 10 || o.firsts < 1 || o.firsts > 200:
		return o, "", fmt.Errorf("at most %d sessions, 10 rounds and 200 first frames", maxSessions)
	case o.typing > maxTime || o.watch > maxTime || o.settle > maxTime || o.interval < 10*time.Millisecond:
		return o, "", fmt.Errorf("at most %v each, and 10ms between keys", maxTime)
	case o.target != "" && o.command != "":
		return o, "", errors.New("give -target or -cmd, not both")
	}
	return o, serve, nil
}

func run(args []string) error {
	o, serve, err := parse(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if serve != "" {
		return beServer(ctx, serve)
	}
	keys, err := leadIn(o.leadIn)
	if err != nil {
		return err
	}
	bare, err := startSelf(ctx, "bare")
	if err != nil {
		return err
	}
	defer bare.stop()
	var other *server
	switch {
	case o.target != "":
		other, err = running(o.target, o.pid)
	case o.command != "":
		other, err = startCommand(ctx, o.command)
	default:
		other, err = startSelf(ctx, "door")
	}
	if err != nil {
		return err
	}
	defer other.stop()
	other.leadIn = keys
	result, err := measure(ctx, o, bare, other)
	if err != nil {
		return err
	}
	if o.json {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(result)
	}
	return result.table(os.Stdout)
}

// leadIn turns names of keys into what a terminal sends for them.
func leadIn(names string) (string, error) {
	if names == "" {
		return "", nil
	}
	known := map[string]string{
		"enter": "\r", "tab": "\t", "esc": "\x1b", "space": " ", "comma": ",",
		"up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
	}
	var keys strings.Builder
	for name := range strings.SplitSeq(names, ",") {
		name = strings.TrimSpace(name)
		switch sent, ok := known[name]; {
		case ok:
			keys.WriteString(sent)
		case len([]rune(name)) == 1:
			keys.WriteString(name)
		default:
			return "", fmt.Errorf("lead-in: no key is called %q", name)
		}
	}
	return keys.String(), nil
}

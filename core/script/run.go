package script

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Command is how the child is started: the path of a program that calls Child
// when IsChild says so.
type Command struct {
	Path string
	Name string // what the program is called, for lists of processes; "" for Path
}

// Self is the program that runs, as it is on the disk or, where the system knows,
// as it was when it began: a new version that was put in its place meanwhile may
// speak to its children differently.
func Self() (Command, error) {
	path, err := os.Executable()
	if err != nil {
		return Command{}, err
	}
	if _, err := os.Stat("/proc/self/exe"); err == nil && runtime.GOOS == "linux" {
		return Command{Path: "/proc/self/exe", Name: path}, nil
	}
	return Command{Path: path}, nil
}

// Bounds of what is read from a child, in bytes. In JSON, a byte of the log may
// take six.
const (
	maxLine   = 1 << 20
	maxOutput = 4 << 20
	maxStderr = 16 << 10
)

// closing is how long a child may take to go when it has been told to.
const closing = 2 * time.Second

// Run runs a script in a child, and returns what became of it. It never fails
// otherwise: whatever goes wrong is a Result that holds the request. When ctx is
// done the child is ended, and the outcome is Stopped.
func (c Command) Run(ctx context.Context, in Input, limits Limits) Result {
	if p, wrong := readable(in.Source); wrong { // on its way it would become something else
		return held(Failed, p.Message, p.Line)
	}
	limits = limits.withDefaults()
	begun := time.Now()
	r := c.run(ctx, in, limits)
	r.Took = time.Since(begun)
	return r
}

func (c Command) run(parent context.Context, in Input, limits Limits) Result {
	work, err := json.Marshal(task{in, limits})
	if err != nil || len(work) >= maxInput {
		return held(NotRun, "too much to hand over", 0)
	}
	ctx, cancel := context.WithTimeout(parent, limits.Wall)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Path, ChildArgument)
	if c.Name != "" {
		cmd.Args[0] = c.Name
	}
	cmd.Env, cmd.Dir, cmd.WaitDelay = []string{}, "/", closing
	alone(cmd)
	var stderr clipped
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return held(NotRun, err.Error(), 0)
	}
	defer func() { _ = stdin.Close() }()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return held(NotRun, err.Error(), 0)
	}
	// Where the child goes with its parent, that is the thread which starts it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		if parent.Err() != nil {
			return held(Stopped, "the portal was closing", 0)
		}
		return held(NotRun, err.Error(), 0)
	}
	go func() { _, _ = stdin.Write(append(work, '\n')) }() // ends when the child does
	heard := listen(stdout, limits.Log)
	if heard.result == nil {
		// Nothing that is still to come would be believed.
		_ = cmd.Cancel()
	}
	err = cmd.Wait()
	log := heard.log.String()
	r := verdictOf(in, heard, err, parent.Err(), ctx.Err(), string(stderr.kept), limits)
	r.Log = log
	return r
}

// verdictOf says what became of a child that has ended.
func verdictOf(in Input, heard hearing, ended, parent, wall error, stderr string, limits Limits) Result {
	switch {
	case errors.Is(heard.wrong, errLoud):
		return held(TooLoud, "more was printed than is kept", 0)
	case parent != nil && (heard.result == nil || ended != nil):
		return held(Stopped, "the portal was closing", 0)
	case wall != nil && (heard.result == nil || ended != nil):
		return held(TooLong, "more than "+limits.Wall.String(), 0)
	case heard.wrong != nil:
		return held(Crashed, "the process said what cannot be read", 0)
	case ended != nil:
		return crashed(ended, stderr)
	case heard.result == nil:
		return held(Crashed, "the process ended without a word", 0)
	}
	return heard.result.sound(in)
}

// sound is a result as the parent believes it: with what no script can have
// decided or asked for, it is none.
func (r Result) sound(in Input) Result {
	r.Detail = clip(r.Detail, MaxDetail)
	if r.Outcome != Decided {
		known := r.Outcome == Undecided || r.Outcome == Failed || r.Outcome == TooLong || r.Outcome == TooLoud
		if !known {
			return held(Crashed, "the process said what cannot be read", 0)
		}
		return held(r.Outcome, r.Detail, max(r.Line, 0))
	}
	ok := r.Verdict == Approve && r.Reason == "" || (r.Verdict == Reject || r.Verdict == Hold) && strings.TrimSpace(r.Reason) != ""
	if !ok || line(r.Reason, MaxReason) != nil || len(r.Effects) > MaxEffects {
		return held(Crashed, "the process said what cannot be read", 0)
	}
	for _, e := range r.Effects {
		if err := e.check(in.URLs); err != nil {
			return held(Crashed, "the process asked for what it may not: "+err.Error(), 0)
		}
	}
	return Result{Outcome: Decided, Verdict: r.Verdict, Reason: r.Reason, Effects: r.Effects}
}

// crashed says how a child ended that did not come to its end.
func crashed(ended error, stderr string) Result {
	for _, sign := range []string{
		"out of memory", "cannot allocate memory", "cannot map pages", "failed to create new OS thread", "pthread_create failed",
		"SIGSEGV: segmentation violation", // the collector of the runtime does not look whether it was given what it needs
		"stack overflow", "exceeds 67108864-byte limit",
		"failed to allocate", "too many address space collisions", // as programs say it that are built with the race detector
	} {
		if strings.Contains(stderr, sign) {
			return held(TooBig, "more memory than it may have", 0)
		}
	}
	if strings.Contains(stderr, "SIGXCPU") {
		return held(TooLong, "more processor time than it may have", 0)
	}
	var exit *exec.ExitError
	if errors.As(ended, &exit) && exit.ExitCode() == exitTime {
		return held(TooLong, "it did not end", 0)
	}
	said, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n")
	return held(Crashed, strings.TrimSuffix(ended.Error()+": "+said, ": "), 0)
}

// hearing is what was heard of a child.
type hearing struct {
	log    strings.Builder
	result *Result
	wrong  error
}

var errLoud = errors.New("script: too much output")

// listen reads what a child says until it has nothing more to say.
func listen(from io.Reader, most int) (h hearing) {
	r := bufio.NewReaderSize(io.LimitReader(from, maxOutput), 64<<10)
	for h.result == nil {
		text, err := readLine(r, maxLine)
		if errors.Is(err, errLongLine) {
			h.wrong = errLoud
			return h
		}
		if err != nil {
			if len(text) > 0 {
				h.wrong = io.ErrUnexpectedEOF
			}
			return h
		}
		var t told
		if err := json.Unmarshal(text, &t); err != nil {
			h.wrong = err
			return h
		}
		if t.Log != nil {
			if h.log.Len()+len(*t.Log)+1 > most {
				h.log.WriteString(strings.ToValidUTF8((*t.Log)[:max(0, min(len(*t.Log), most-h.log.Len()-1))], ""))
				h.wrong = errLoud
				return h
			}
			h.log.WriteString(*t.Log + "\n")
		}
		h.result = t.Result
	}
	return h
}

// clipped keeps the beginning of what a child says before it dies.
type clipped struct{ kept []byte }

// Write implements io.Writer; it takes all and keeps some.
func (c *clipped) Write(p []byte) (int, error) {
	c.kept = append(c.kept, p[:min(len(p), maxStderr-len(c.kept))]...)
	return len(p), nil
}

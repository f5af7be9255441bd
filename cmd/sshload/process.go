package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// server is one that is measured.
type server struct {
	name   string
	addr   netip.AddrPort
	pid    int // 0: unknown
	leadIn string
	stop   func()

	dials atomic.Uint32
}

func listen() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }

// loopback refuses every address but this machine's own.
func loopback(addr string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ap, err := netip.ParseAddrPort(net.JoinHostPort(host, port))
	if err != nil {
		return ap, err
	}
	if !ap.Addr().Unmap().IsLoopback() {
		return ap, fmt.Errorf("%s is not this machine: only loopback addresses are measured", addr)
	}
	return ap, nil
}

// running is a server that somebody else started.
func running(addr string, pid int) (*server, error) {
	ap, err := loopback(addr)
	return &server{name: addr, addr: ap, pid: pid, stop: func() {}}, err
}

// startSelf starts this program once more, as a server.
func startSelf(ctx context.Context, kind string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(ctx, kind, exec.CommandContext(ctx, self, "-serve", kind))
}

// startCommand starts a command, split at blanks.
func startCommand(ctx context.Context, command string) (*server, error) {
	words := strings.Fields(command)
	if len(words) == 0 {
		return nil, errors.New("the command is empty")
	}
	return start(ctx, words[0], exec.CommandContext(ctx, words[0], words[1:]...))
}

// addressIn finds a loopback address in what a server prints.
var addressIn = regexp.MustCompile(`(?:127\.0\.0\.1|localhost|\[::1\]):[1-9][0-9]{0,4}`)

func start(ctx context.Context, name string, cmd *exec.Cmd) (*server, error) {
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		_ = in.Close()
		close(ended)
	}()
	stop := func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
	}
	found := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if addr := addressIn.FindString(lines.Text()); addr != "" {
				select {
				case found <- addr:
				default:
				}
			}
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	select {
	case addr := <-found:
		ap, err := loopback(addr)
		return &server{name: name, addr: ap, pid: cmd.Process.Pid, stop: stop}, err
	case <-ended:
		return nil, fmt.Errorf("%s ended without printing a loopback address", name)
	case <-time.After(30 * time.Second):
		stop()
		return nil, fmt.Errorf("%s printed no loopback address within 30 s", name)
	case <-ctx.Done():
		stop()
		return nil, ctx.Err()
	}
}

// usage is what a process uses: resident memory in bytes, processor time since its start.
type usage struct {
	resident  int64
	processor time.Duration
}

// usageOf reads /proc; where there is none, ok is false.
func usageOf(pid int) (u usage, ok bool) {
	if pid == 0 {
		return u, false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, false
	}
	// The second field is a name in brackets that may hold anything.
	_, rest, found := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if !found || len(fields) < 22 {
		return u, false
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	pages, _ := strconv.ParseInt(fields[21], 10, 64)
	const ticks = 100 // USER_HZ, the same on every Linux this runs on
	u.processor = time.Duration(user+system) * time.Second / ticks
	u.resident = pages * int64(os.Getpagesize())
	return u, true
}

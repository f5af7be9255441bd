package control

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// dial asks who holds the data in dir.
func dial(t *testing.T, dir string) *Client {
	t.Helper()
	c, err := Dial(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// untilTold is a verb that ends when it is told to.
func untilTold(began, ended chan struct{}) Handler {
	return func(ctx context.Context, _ Peer, _ Request, out, _ io.Writer) int {
		close(began)
		<-ctx.Done()
		_, _ = io.WriteString(out, "three of ten")
		close(ended)
		return 7
	}
}

func TestACallerWhoGoesAwayEndsTheVerb(t *testing.T) {
	dir := t.TempDir()
	began, ended := make(chan struct{}), make(chan struct{})
	listen(t, dir, untilTold(began, ended))
	c := dial(t, dir)
	go func() { <-began; _ = c.Close() }()
	if _, err := c.Do(context.Background(), request(), io.Discard, io.Discard); err == nil {
		t.Error("the verb counts as done")
	}
	<-ended
}

// Whoever stops a verb hears how far it has come, as where it runs in the same
// process; a verb that does not end is not waited for.
func TestAVerbThatIsStoppedSaysHowFarItHasCome(t *testing.T) {
	dir := t.TempDir()
	began, ended := make(chan struct{}), make(chan struct{})
	s := listen(t, dir, untilTold(began, ended))
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-began; cancel() }()
	var out strings.Builder
	if code, err := dial(t, dir).Do(ctx, request(), &out, io.Discard); code != 7 || err != nil || out.String() != "three of ten" {
		t.Errorf("code %d, %v, %q", code, err, out.String())
	}
	s.Close()

	release := make(chan struct{})
	listen(t, dir, func(_ context.Context, _ Peer, _ Request, out, _ io.Writer) int {
		_, _ = io.WriteString(out, ".")
		<-release
		return 0
	})
	defer close(release)
	c := dial(t, dir)
	c.stopping = 50 * time.Millisecond
	ctx, cancel = context.WithCancel(context.Background())
	if _, err := c.Do(ctx, request(), writerFunc(func([]byte) { cancel() }), io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// writerFunc is told of what is written.
type writerFunc func(b []byte)

func (f writerFunc) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}

// A suspended holder takes the connection, and says nothing.
func TestASilentHolderIsNotWaitedForAlways(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, SocketFile))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	greets := make(chan bool, 2)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close() // not before: it is there, and says nothing
			if <-greets {
				_ = writeJSON(c, kindGreeting, Greeting{Version: Version, PID: 4711})
			}
		}
	}()
	greets <- true
	c := dial(t, dir)
	c.silence = 50 * time.Millisecond
	for name, q := range map[string]Request{"not read": request(strings.Repeat("x", 1<<20)), "not answered": request("x")} {
		var at *SilentError
		if _, err := c.Do(context.Background(), q, io.Discard, io.Discard); !errors.As(err, &at) || !at.Sent || at.PID != 4711 {
			t.Errorf("%s: %v", name, err)
		}
	}

	greets <- false
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := Dial(ctx, dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("whoever stops meanwhile waits all the same: %v", err)
	}
	greets <- false
	var at *SilentError
	if _, err := Dial(context.Background(), dir); !errors.As(err, &at) || at.Sent {
		t.Errorf("%v", err)
	} else if _, asked := os.Stat("/proc/self"); asked == nil && at.PID != os.Getpid() {
		t.Errorf("process %d", at.PID)
	}
}

// A verb that takes long and says nothing is waited for: its process lives.
func TestALongVerbIsWaitedFor(t *testing.T) {
	dir := t.TempDir()
	s, err := listenAlive(dir, Greeting{}, func(ctx context.Context, _ Peer, _ Request, out, _ io.Writer) int {
		select {
		case <-ctx.Done():
			return 1
		case <-time.After(2*afterSleep + 500*time.Millisecond):
			return 0
		}
	}, slog.New(slog.DiscardHandler), 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	c := dial(t, dir)
	c.silence = afterSleep
	if code, err := c.Do(context.Background(), request(), io.Discard, io.Discard); code != 0 || err != nil {
		t.Errorf("code %d, %v", code, err)
	}
}

// Somebody reads what a verb says page by page: it waits, and nothing is lost.
func TestACallerWhoPausesGetsEverything(t *testing.T) {
	dir := t.TempDir()
	text := strings.Repeat("0123456789abcdef", MaxFrame)
	s, err := listenAlive(dir, Greeting{}, func(_ context.Context, _ Peer, _ Request, out, _ io.Writer) int {
		if _, err := io.WriteString(out, text); err != nil {
			return 1
		}
		return 0
	}, slog.New(slog.DiscardHandler), time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	c := dial(t, dir)
	c.silence = 100 * time.Millisecond
	var got strings.Builder
	code, err := c.Do(context.Background(), request(), writerFunc(func(b []byte) {
		if got.Len() == 0 {
			time.Sleep(time.Second)
		}
		got.Write(b)
	}), io.Discard)
	if code != 0 || err != nil || got.String() != text {
		t.Errorf("code %d, %v, %d bytes", code, err, got.Len())
	}
}

// One too many is told so, and is not left to think that nobody is here.
func TestOneCallerTooManyIsToldSo(t *testing.T) {
	dir := t.TempDir()
	began, release := make(chan struct{}), make(chan struct{})
	listen(t, dir, func(context.Context, Peer, Request, io.Writer, io.Writer) int {
		began <- struct{}{}
		<-release
		return 0
	})
	ended := make(chan error)
	for range maxCallers {
		c := dial(t, dir)
		go func() {
			_, err := c.Do(context.Background(), request(), io.Discard, io.Discard)
			ended <- err
		}()
		<-began
	}
	if _, err := Dial(context.Background(), dir); !errors.Is(err, ErrBusy) {
		t.Errorf("%v", err)
	}
	close(release)
	for range maxCallers {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

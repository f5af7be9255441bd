package sshd

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

// repeater says every line again, until there are no more.
func repeater(ctx context.Context, in io.Reader, out io.Writer) {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(in); s.Scan(); {
			lines <- s.Text()
		}
	}()
	for {
		select {
		case line, ok := <-lines:
			switch {
			case !ok || line == "leave":
				return
			case line == "panic":
				panic("the program's secret")
			}
			_, _ = io.WriteString(out, line+"\nagain\n")
		case <-ctx.Done():
			return
		}
	}
}

// inLines opens a session whose program is said and answered in lines.
func (d *door) inLines(client *gossh.Client) *terminal {
	d.t.Helper()
	d.handler.lines = repeater
	return d.terminal(client, 80, 24)
}

func TestAProgramInLines(t *testing.T) {
	for name, c := range map[string]struct {
		in, want string
		code     int
	}{
		"it returns":     {"ada\nleave\n", "ada\r\nagain\r\n", ExitOK},
		"the input ends": {"ada\n", "ada\r\nagain\r\n", ExitOK},
		"it panics":      {"panic\n", "Something went wrong", ExitRefused},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, Limits{})
			term := d.inLines(d.client())
			if _, err := io.WriteString(term.in, c.in); err != nil {
				t.Fatal(err)
			}
			_ = term.in.Close()
			code := ExitOK
			if err := term.Wait(); err != nil {
				exit, ok := err.(*gossh.ExitError)
				if !ok {
					t.Fatal(err)
				}
				code = exit.ExitStatus()
			}
			if out := term.out.String(); code != c.code || !strings.Contains(out, c.want) || strings.Contains(out, "secret") {
				t.Errorf("code %d, %q", code, out)
			}
			if err := d.stop(); err != nil { // waits for what comes after the client has left
				t.Fatal(err)
			}
			if n := d.handler.endedCount(); n != 1 {
				t.Errorf("ended %d times", n)
			}
		})
	}
}

// The end of the server reaches somebody who is asked for a line.
func TestTheShutdownIsSaidInLines(t *testing.T) {
	d := open(t, Limits{})
	term := d.inLines(d.client())
	if _, err := io.WriteString(term.in, "ada\n"); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); !strings.Contains(term.out.String(), "again") && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if err := d.stop(); err != nil {
		t.Fatal(err)
	}
	_ = term.Wait()
	if out := term.out.String(); !strings.Contains(out, "Auf Wiedersehen.") {
		t.Errorf("%q", out)
	}
}

// Whoever sends faster than allowed waits, and loses nothing.
func TestInputInLinesIsPaced(t *testing.T) {
	text := strings.Repeat("x", 3000)
	began := time.Now()
	in := &paced{ctx: t.Context(), from: strings.NewReader(text), burst: 1000, rate: 10000, left: 1000, last: began}
	got, err := io.ReadAll(in)
	if err != nil || string(got) != text {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if took := time.Since(began); took < 150*time.Millisecond { // 2000 bytes at 10,000 a second
		t.Errorf("it took %v", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (&paced{ctx: ctx, from: strings.NewReader(text), last: time.Now()}).Read(make([]byte, 1)); err == nil {
		t.Error("read after the end")
	}
}

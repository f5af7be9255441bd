package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	gossh "golang.org/x/crypto/ssh"
)

// quiet is how long nothing comes after a frame that is complete.
const quiet = 150 * time.Millisecond

// visit is one session at a server.
type visit struct {
	conn  *gossh.Client
	sess  *gossh.Session
	in    io.WriteCloser
	began time.Time // when the authentication was done

	bytes atomic.Int64
	frame chan time.Time // the arrival of output; holds one
	last  atomic.Int64   // Unix nanoseconds of the last output
}

// Write takes output as it arrives.
func (v *visit) Write(p []byte) (int, error) {
	now := time.Now()
	v.last.Store(now.UnixNano())
	v.bytes.Add(int64(len(p)))
	select {
	case v.frame <- now:
	default:
	}
	return len(p), nil
}

// visitServer opens a session with a terminal. The visitors of an IPv4 server
// come from many loopback addresses, as those of a real one come from many
// places, so that limits per address are not what is measured.
func visitServer(ctx context.Context, s *server, width, height int) (*visit, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	if s.addr.Addr().Unmap().Is4() {
		dialer.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+s.dials.Add(1)%250))}
	}
	raw, err := dialer.DialContext(ctx, "tcp", s.addr.String())
	if err != nil && dialer.LocalAddr != nil {
		dialer.LocalAddr = nil // Some systems have one loopback address only.
		raw, err = dialer.DialContext(ctx, "tcp", s.addr.String())
	}
	if err != nil {
		return nil, err
	}
	sshConn, chans, reqs, err := gossh.NewClientConn(raw, s.addr.String(), &gossh.ClientConfig{
		User: "load", Timeout: 10 * time.Second,
		Auth: []gossh.AuthMethod{gossh.KeyboardInteractive(func(string, string, []string, []bool) ([]string, error) { return nil, nil })},
		// The server is on this machine and nothing secret is typed.
		HostKeyCallback: gossh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	v := &visit{conn: gossh.NewClient(sshConn, chans, reqs), began: time.Now(), frame: make(chan time.Time, 1)}
	if err := v.open(width, height); err != nil {
		v.leave()
		return nil, err
	}
	return v, nil
}

func (v *visit) open(width, height int) (err error) {
	if v.sess, err = v.conn.NewSession(); err != nil {
		return err
	}
	v.sess.Stdout, v.sess.Stderr = v, v
	if v.in, err = v.sess.StdinPipe(); err != nil {
		return err
	}
	if err = v.sess.RequestPty("xterm-256color", height, width, nil); err != nil {
		return err
	}
	return v.sess.Shell()
}

func (v *visit) leave() { _ = v.conn.Close() }

// settled waits for output and then for silence, and returns when the last of the output came.
func (v *visit) settled(ctx context.Context) (time.Time, error) {
	deadline := time.After(20 * time.Second)
	for {
		select {
		case <-time.After(quiet / 10):
		case <-deadline:
			return time.Time{}, errors.New("the screen never came to rest")
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		}
		if last := v.last.Load(); last != 0 && time.Since(time.Unix(0, last)) > quiet {
			return time.Unix(0, last), nil
		}
	}
}

// lead presses the keys that lead to a text field.
func (v *visit) lead(ctx context.Context, keys string) error {
	for _, key := range splitKeys(keys) {
		if _, err := io.WriteString(v.in, key); err != nil {
			return err
		}
		if _, err := v.settled(ctx); err != nil {
			return err
		}
	}
	return nil
}

// splitKeys cuts a string into what one key each sends.
func splitKeys(keys string) (split []string) {
	for keys != "" {
		_, n := utf8.DecodeRuneInString(keys)
		if len(keys) >= 3 && keys[:2] == "\x1b[" {
			n = 3
		}
		split = append(split, keys[:n])
		keys = keys[n:]
	}
	return split
}

// typeKey presses a key and returns how long the first of its frame took.
func (v *visit) typeKey(ctx context.Context, key string) (time.Duration, error) {
	select {
	case <-v.frame: // What came late belongs to an earlier key.
	default:
	}
	pressed := time.Now()
	if _, err := io.WriteString(v.in, key); err != nil {
		return 0, err
	}
	select {
	case at := <-v.frame:
		return at.Sub(pressed), nil
	case <-time.After(10 * time.Second):
		return 0, errors.New("a key had no frame within 10 s (is a text field in focus? see -lead-in)")
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// crowd opens n sessions, eight handshakes at a time.
func crowd(ctx context.Context, s *server, n, width, height int) ([]*visit, error) {
	visits := make([]*visit, n)
	errs := make([]error, n)
	places := make(chan struct{}, 8)
	var group sync.WaitGroup
	for i := range n {
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			visits[i], errs[i] = visitServer(ctx, s, width, height)
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		disperse(visits)
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return visits, nil
}

func disperse(visits []*visit) {
	for _, v := range visits {
		if v != nil {
			v.leave()
		}
	}
}

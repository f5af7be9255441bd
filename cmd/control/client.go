// The side of the verb.

package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// Errors of whoever asks the holder of the data.
var (
	// ErrNobody says that nobody listens: no process holds the data, or one that
	// has no socket.
	ErrNobody = errors.New("control: nobody holds the data")
	// ErrBusy says that the holder carries out as many verbs as it does at once.
	ErrBusy = errors.New("control: too many verbs at once")
	// ErrSilent says that the holder is there and is not heard of: it is suspended,
	// or the machine is far too busy.
	ErrSilent = errors.New("control: the holder is silent")
)

const (
	// dialTimeout bounds connecting and the greeting, both local.
	dialTimeout = 5 * time.Second
	// Silence is how long nothing is heard of a holder that carries out a verb
	// before it is given up: it says every aliveEvery that it lives.
	Silence = 30 * time.Second
	// afterSleep is for what came while this process was itself suspended.
	afterSleep = time.Second
)

// Client is a connection to the process that holds the data. It carries one request.
type Client struct {
	conn     *net.UnixConn
	greeting Greeting
	silence  time.Duration // Silence
	stopping time.Duration // stopTimeout
}

// Dial asks who holds the data in dir. ErrNobody, ErrBusy, ErrProtocol, the error
// of ctx, ErrSilent as a *SilentError, or an error of the network.
func Dial(ctx context.Context, dir string) (*Client, error) {
	path, err := newSocketPath(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNobody
	} else if err != nil {
		return nil, err
	}
	defer path.close()
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "unix", path.name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, ErrNobody
	} else if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	c := &Client{conn: conn.(*net.UnixConn), silence: Silence, stopping: stopTimeout}
	if err := c.meet(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

// meet reads the greeting.
func (c *Client) meet(ctx context.Context) error {
	_ = c.conn.SetDeadline(time.Now().Add(dialTimeout))
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Now()) })
	defer stop()
	err := readJSON(c.conn, kindGreeting, &c.greeting)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &SilentError{PID: holderOf(c.conn)}
	case err != nil:
		return fmt.Errorf("control: greeting: %w", err)
	case c.greeting.Version != Version:
		return fmt.Errorf("%w: version %d, not %d", ErrProtocol, c.greeting.Version, Version)
	case c.greeting.Busy:
		return ErrBusy
	}
	return c.conn.SetDeadline(time.Time{})
}

// SilentError is ErrSilent of a process.
type SilentError struct {
	PID  int  // 0 where the system does not tell
	Sent bool // the verb had been sent, and may be carried out when the process goes on
}

var _ error = (*SilentError)(nil)

// Error implements error, for logs.
func (e *SilentError) Error() string { return fmt.Sprintf("%v (process %d)", ErrSilent, e.PID) }

// Unwrap returns ErrSilent.
func (*SilentError) Unwrap() error { return ErrSilent }

// Greeting is who holds the data.
func (c *Client) Greeting() Greeting { return c.greeting }

// Close ends the connection, and with it a verb that still runs.
func (c *Client) Close() error { return c.conn.Close() }

// Do sends the request and copies what the verb writes until it has ended, and
// returns its exit code. When ctx ends, the verb is told to stop; what it then says,
// and its exit code, still count for as long as a verb has to stop, and after that
// Do returns the error of ctx.
//
// ErrTooMuch before anything is sent; ErrSilent as a *SilentError when nothing is
// heard for Silence; an error of out as it is, which ends the verb; one of errw ends
// nothing, as for any program.
func (c *Client) Do(ctx context.Context, q Request, out, errw io.Writer) (code int, err error) {
	q.Version = Version
	if err := q.Validate(); err != nil {
		return 0, err
	}
	ended := make(chan struct{})
	defer close(ended)
	stop := context.AfterFunc(ctx, func() {
		_ = c.conn.CloseWrite() // which says so
		select {
		case <-time.After(c.stopping):
			_ = c.conn.Close()
		case <-ended:
		}
	})
	defer stop()
	code, err = c.exchange(q, out, errw)
	if err != nil && ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, &SilentError{PID: c.greeting.PID, Sent: true}
	}
	return code, err
}

// exchange is Do for as long as nobody stops it.
func (c *Client) exchange(q Request, out, errw io.Writer) (code int, err error) {
	_ = c.conn.SetWriteDeadline(time.Now().Add(c.silence))
	if err := writeJSON(c.conn, kindRequest, q); err != nil {
		return 0, fmt.Errorf("control: %w", err)
	}
	heard := listening{conn: c.conn, silence: c.silence}
	for {
		k, payload, err := readFrame(heard)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, fmt.Errorf("control: %w", err)
		}
		switch {
		case k == kindOut:
			_, err = out.Write(payload)
		case k == kindErr:
			_, _ = errw.Write(payload)
		case k == kindAlive:
		case k == kindExit && len(payload) == 1:
			return int(payload[0]), nil
		default:
			err = fmt.Errorf("%w: a frame of kind %q", ErrProtocol, byte(k))
		}
		if err != nil {
			return 0, err
		}
	}
}

// listening reads from a holder until it is silent for too long.
type listening struct {
	conn    net.Conn
	silence time.Duration
}

// Read implements io.Reader. Time passes for a process that is suspended itself, so
// that what has come meanwhile is looked for once more.
func (l listening) Read(b []byte) (n int, err error) {
	for _, wait := range []time.Duration{l.silence, afterSleep} {
		if err := l.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return 0, err
		}
		if n, err = l.conn.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
	}
	return n, err
}

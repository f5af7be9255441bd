// The side of the verb.

package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"syscall"
	"time"
)

// ErrNobody says that nobody listens: no process holds the data, or one that
// has no socket.
var ErrNobody = errors.New("control: nobody holds the data")

// dialTimeout bounds connecting and the greeting, both local.
const dialTimeout = 2 * time.Second

// Client is a connection to the process that holds the data. It carries one request.
type Client struct {
	conn     net.Conn
	greeting Greeting
}

// Dial asks who holds the data in dir. ErrNobody, ErrProtocol, or an error of the network.
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
	c := &Client{conn: conn}
	_ = conn.SetDeadline(time.Now().Add(dialTimeout))
	if err := readJSON(conn, kindGreeting, &c.greeting); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("control: greeting: %w", err)
	}
	if c.greeting.Version != Version {
		_ = conn.Close()
		return nil, fmt.Errorf("%w: version %d, not %d", ErrProtocol, c.greeting.Version, Version)
	}
	_ = conn.SetDeadline(time.Time{})
	return c, nil
}

// Greeting is who holds the data.
func (c *Client) Greeting() Greeting { return c.greeting }

// Close ends the connection, and with it a verb that still runs.
func (c *Client) Close() error { return c.conn.Close() }

// Do sends the request and copies what the verb writes until it has ended, and
// returns its exit code. ErrTooMuch before anything is sent; an error of out as it
// is, which ends the verb; one of errw ends nothing, as for any program.
func (c *Client) Do(ctx context.Context, q Request, out, errw io.Writer) (code int, err error) {
	stop := context.AfterFunc(ctx, func() { _ = c.conn.Close() })
	defer stop()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = ctx.Err()
		}
	}()
	q.Version = Version
	if err := q.Validate(); err != nil {
		return 0, err
	}
	if err := writeJSON(c.conn, kindRequest, q); err != nil {
		return 0, fmt.Errorf("control: %w", err)
	}
	for {
		k, payload, err := readFrame(c.conn)
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

package sshd

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"charm.land/ssh"
	gossh "golang.org/x/crypto/ssh"
)

// maxRequests bounds the requests of a session other than changes of the
// window. An honest client sends a handful.
const maxRequests = 256

// size is a terminal's size in cells.
type size struct{ width, height int }

// clampSize brings a claimed size into what the door admits. A zero, which RFC
// 4254 (6.2) says to ignore, keeps the size there was.
func clampSize(width, height uint32, was size) size {
	s := was
	if width > 0 {
		s.width = int(min(width, MaxWidth))
	}
	if height > 0 {
		s.height = int(min(height, MaxHeight))
	}
	return s
}

// channel is one session channel: the one place that every request of a session
// passes before the library underneath, or anything else, sees it. It has its
// own context and its own values, so that two sessions of one connection
// never meet.
type channel struct {
	gossh.Channel
	ssh.Context
	server  *Server
	conn    *conn
	sshConn *gossh.ServerConn

	ctx       context.Context // ends with the channel, the connection, a limit or the server
	cancel    context.CancelCauseFunc
	opened    time.Time
	lastInput atomic.Int64  // Unix nanoseconds
	begun     atomic.Bool   // a shell or a command was asked for and passed on
	ended     atomic.Int64  // when it was over, in Unix nanoseconds, 0 before
	handled   chan struct{} // closed when it was over
	freed     sync.Once

	mu      sync.Mutex
	window  size
	changed chan struct{} // holds one note that window is new
	values  map[any]any
}

type channelKey struct{}

// ended is why a session has to end, as the cause of its context. Without a
// line nobody is there to read it.
type ended struct {
	line Line
	say  bool
}

func (ended) Error() string { return "sshd: session ended" }

var _ error = ended{}

func newChannel(server *Server, c *conn, sshConn *gossh.ServerConn, parent ssh.Context) *channel {
	ch := &channel{
		Context: parent, server: server, conn: c, sshConn: sshConn, opened: server.now(),
		window: size{80, 24}, changed: make(chan struct{}, 1), values: make(map[any]any),
		handled: make(chan struct{}),
	}
	ch.lastInput.Store(ch.opened.UnixNano())
	ch.ctx, ch.cancel = context.WithCancelCause(parent)
	ch.values[channelKey{}] = ch
	return ch
}

// channelOf finds the channel of a session.
func channelOf(sess ssh.Session) *channel {
	ch, _ := sess.Context().Value(channelKey{}).(*channel)
	return ch
}

// Done, Err, Deadline, Value and SetValue make the channel a context of its own.
func (ch *channel) Done() <-chan struct{} { return ch.ctx.Done() }

// Err is why Done is closed.
func (ch *channel) Err() error { return ch.ctx.Err() }

// Value looks a key up among the channel's own values, then the connection's.
func (ch *channel) Value(key any) any {
	ch.mu.Lock()
	value, ok := ch.values[key]
	ch.mu.Unlock()
	if ok {
		return value
	}
	return ch.ctx.Value(key)
}

// SetValue keeps a value for this channel alone.
func (ch *channel) SetValue(key, value any) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.values[key] = value
}

var (
	_ ssh.Context   = (*channel)(nil)
	_ gossh.Channel = (*channel)(nil)
)

// Read notes that the person is there.
func (ch *channel) Read(p []byte) (int, error) {
	n, err := ch.Channel.Read(p)
	if n > 0 {
		ch.lastInput.Store(ch.server.now().UnixNano())
	}
	return n, err
}

// Close closes the channel from this side. Its place on the connection is free
// at once, so that a client may go on to its next session.
func (ch *channel) Close() error {
	ch.free()
	return ch.Channel.Close()
}

// free gives the channel's place on the connection back, once.
func (ch *channel) free() { ch.freed.Do(ch.conn.exit) }

// sweep ends the session when a limit is reached.
func (ch *channel) sweep(now time.Time) {
	limits := ch.server.limits
	since := func(t time.Time) time.Duration { return now.Sub(t) }
	switch over := ch.ended.Load(); {
	case over != 0 && since(time.Unix(0, over)) > limits.Sessionless:
		// The client does not close the channel of a session that is over.
		_ = ch.conn.Close()
	case !ch.begun.Load() && since(ch.opened) > limits.Sessionless:
		_ = ch.conn.Close()
	}
	if limits.Idle > 0 && since(time.Unix(0, ch.lastInput.Load())) > limits.Idle {
		ch.cancel(ended{line: LineIdle, say: true})
	}
	if limits.Lifetime > 0 && since(ch.opened) > limits.Lifetime {
		ch.cancel(ended{line: LineExpired, say: true})
	}
}

// newChannelFilter stands in for a channel that is asked for, and accepts it filtered.
type newChannelFilter struct {
	gossh.NewChannel
	ch *channel
}

// Accept opens the channel with its requests filtered.
func (f *newChannelFilter) Accept() (gossh.Channel, <-chan *gossh.Request, error) {
	raw, requests, err := f.NewChannel.Accept()
	if err != nil {
		return nil, nil, err
	}
	f.ch.Channel = raw
	context.AfterFunc(f.ch.ctx, func() {
		if !f.ch.begun.Load() {
			_ = raw.Close() // Nobody else would.
		}
	})
	passed := make(chan *gossh.Request)
	go f.ch.filter(requests, passed)
	return f.ch, passed, nil
}

// filter answers or passes on every request of the session. It never waits for
// the program, except for the few requests that begin a session. When the
// client closes the channel, the session's context ends.
func (ch *channel) filter(requests <-chan *gossh.Request, passed chan<- *gossh.Request) {
	defer ch.server.contain("filtering requests")
	defer close(passed)
	defer ch.cancel(ended{})
	var count, env int
	pty, begun := false, false
	for req := range requests {
		if req.Type == "window-change" {
			// Answered here: the library would wait for somebody to take the size,
			// and before the shell is started nobody does.
			_ = req.Reply(pty && ch.resize(req.Payload), nil)
			continue
		}
		if count++; count > maxRequests {
			ch.server.log.Info("session closed: too many requests", "remote", ch.conn.remote)
			_ = ch.conn.Close()
			continue
		}
		var ok bool
		switch {
		case begun:
			// Nothing changes a session that runs.
		case req.Type == "pty-req":
			if ok = !pty && ch.terminal(req); ok {
				pty = true
			}
		case req.Type == "env":
			if ok = env < MaxEnv && variable(req.Payload); ok {
				env++
			}
		case req.Type == "shell":
			req.Payload, ok, begun = nil, true, true
		case req.Type == "exec":
			ok = len(req.Payload) <= 4+MaxCommand
			begun = ok
		}
		if !ok {
			_ = req.Reply(false, nil)
			continue
		}
		select {
		case passed <- req:
			ch.begun.Store(begun)
		case <-ch.ctx.Done():
			_ = req.Reply(false, nil)
		}
	}
}

// resize takes a changed size. Of a storm only the last one is kept until
// somebody asks.
func (ch *channel) resize(payload []byte) bool {
	if len(payload) < 8 {
		return false
	}
	ch.mu.Lock()
	ch.window = clampSize(binary.BigEndian.Uint32(payload), binary.BigEndian.Uint32(payload[4:]), ch.window)
	ch.mu.Unlock()
	select {
	case ch.changed <- struct{}{}:
	default:
	}
	return true
}

func (ch *channel) size() size {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.window
}

// ptyRequest is the payload of a pty-req, RFC 4254 (6.2).
type ptyRequest struct {
	Term                        string
	Width, Height, PixelW, PixH uint32
	Modes                       string
}

// terminal rewrites a pty-req: a clean terminal type, a size that can be drawn,
// no pixels and no modes, which nothing here uses.
func (ch *channel) terminal(req *gossh.Request) bool {
	var pty ptyRequest
	if len(req.Payload) > 16<<10 || gossh.Unmarshal(req.Payload, &pty) != nil {
		return false
	}
	ch.mu.Lock()
	ch.window = clampSize(pty.Width, pty.Height, ch.window)
	window := ch.window
	ch.mu.Unlock()
	req.Payload = gossh.Marshal(&ptyRequest{
		Term: cleanTerm(pty.Term), Width: uint32(window.width), Height: uint32(window.height),
	})
	return true
}

// variable says whether the payload of an env request is one that is taken.
func variable(payload []byte) bool {
	if len(payload) > 2*MaxEnvBytes {
		return false
	}
	var env struct{ Name, Value string }
	return gossh.Unmarshal(payload, &env) == nil && allowedEnv(env.Name, env.Value)
}

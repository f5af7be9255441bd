package sshd

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	gossh "golang.org/x/crypto/ssh"
)

// maxRefusals bounds the channels a connection may ask for in vain. Each
// refusal is written by a goroutine of its own, so a client that asks without
// end and never reads the answers would fill the memory.
const maxRefusals = 64

// conn is one network connection, from the gate to its end.
type conn struct {
	net.Conn
	server *Server
	remote netip.AddrPort
	group  netip.Prefix

	waiting *list.Element // in gate.pending; guarded by gate.mu
	once    sync.Once

	established atomic.Bool  // the handshake is finished
	lastRead    atomic.Int64 // when anything came, in Unix nanoseconds
	lastBusy    atomic.Int64 // when the last session ended, or the handshake
	sessions    atomic.Int32 // channels open now
	refusals    atomic.Int32 // channels refused so far
	ssh         atomic.Pointer[gossh.ServerConn]
	asked       atomic.Int64 // when a sign of life was asked for, 0 if none is due
}

func newConn(server *Server, c net.Conn) *conn {
	remote := remoteOf(c.RemoteAddr())
	wrapped := &conn{Conn: c, server: server, remote: remote, group: groupOf(remote.Addr())}
	now := server.now().UnixNano()
	wrapped.lastRead.Store(now)
	wrapped.lastBusy.Store(now)
	return wrapped
}

// Read notes that the peer is alive.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && c.established.Load() {
		c.lastRead.Store(c.server.now().UnixNano())
	}
	return n, err
}

// Write gives up on a peer that does not read. During the handshake the
// deadline of the handshake holds.
func (c *conn) Write(p []byte) (int, error) {
	if c.established.Load() {
		_ = c.SetWriteDeadline(time.Now().Add(c.server.limits.Write))
	}
	return c.Conn.Write(p)
}

// Close gives the connection's places back, once.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { c.server.gate.leave(c) })
	return err
}

// authenticated is called when the handshake has found out who the peer is.
func (c *conn) authenticated() {
	now := c.server.now().UnixNano()
	c.lastRead.Store(now)
	c.lastBusy.Store(now)
	c.established.Store(true)
	c.server.gate.authenticated(c)
}

// enter counts one more session channel, if the connection may have it.
func (c *conn) enter() bool {
	if c.sessions.Add(1) > MaxSessionsPerConnection {
		c.sessions.Add(-1)
		return false
	}
	return true
}

func (c *conn) exit() {
	c.lastBusy.Store(c.server.now().UnixNano())
	c.sessions.Add(-1)
}

// refuse turns a channel away, and the connection with it when it keeps asking.
func (c *conn) refuse(channel gossh.NewChannel, reason gossh.RejectionReason, why string) {
	if c.refusals.Add(1) > maxRefusals {
		_ = c.Close()
		return
	}
	_ = channel.Reject(reason, why)
}

// sweep closes the connection if it is dead or serves nobody, and asks a silent
// peer for a sign of life.
func (c *conn) sweep(now time.Time) {
	sshConn := c.ssh.Load()
	if !c.established.Load() {
		return // The handshake's deadline watches over it.
	}
	since := func(then *atomic.Int64) time.Duration { return now.Sub(time.Unix(0, then.Load())) }
	if c.sessions.Load() == 0 && since(&c.lastBusy) > c.server.limits.Sessionless {
		_ = c.Close()
		return
	}
	every := c.server.limits.KeepAlive
	if every < 0 || sshConn == nil {
		return
	}
	if asked := c.asked.Load(); asked != 0 {
		if now.Sub(time.Unix(0, asked)) > every {
			_ = c.Close()
		}
		return
	}
	if since(&c.lastRead) < every {
		return
	}
	c.asked.Store(now.UnixNano())
	go func() {
		// Any answer is a sign of life, a refusal too.
		if _, _, err := sshConn.SendRequest("keepalive@openssh.com", true, nil); err == nil {
			c.asked.Store(0)
		}
	}()
}

// listener lets through the connections that the gate admits.
type listener struct {
	net.Listener
	server *Server
}

// Accept answers a connection that is refused with one line, which RFC 4253
// (4.2) lets a server send before its version.
func (l *listener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := newConn(l.server, raw)
		if l.server.gate.admit(c) {
			return c, nil
		}
		_ = raw.SetDeadline(time.Now().Add(100 * time.Millisecond))
		_, _ = raw.Write([]byte("Too many connections. Please try again in a moment.\r\n"))
		_ = raw.Close()
		l.server.log.Debug("connection refused: too many", "remote", c.remote)
	}
}

package sshd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"charm.land/ssh"
	"charm.land/wish/v2"
	gossh "golang.org/x/crypto/ssh"
)

// Server is the SSH door. Make it with New.
type Server struct {
	config   Config
	limits   Limits
	handler  Handler
	log      *slog.Logger
	hostKey  gossh.PublicKey
	gate     *gate
	ssh      *ssh.Server
	canvases canvases

	mu       sync.Mutex
	listener net.Listener
	channels map[*channel]struct{}
	closing  bool
	running  sync.WaitGroup // sessions

	open    atomic.Int64 // sessions that run
	panics  atomic.Uint64
	entered atomic.Uint64
}

// Stats are the counts of this moment, and totals since the start.
type Stats struct {
	Connections, Unauthenticated, Sessions int
	// Refused counts connections turned away or closed for want of room,
	// Entered the sessions begun, Panics the sessions that failed.
	Refused, Entered, Panics uint64
}

// New makes a server, and its host key if there is none. Nothing listens yet.
// It refuses a host key path that is relative, and a key that others can read.
func New(config Config, handler Handler) (*Server, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	signer, err := LoadHostKey(config.HostKeyPath)
	if err != nil {
		return nil, err
	}
	s := &Server{
		config: config, limits: config.Limits, handler: handler, log: config.Log,
		hostKey: signer.PublicKey(), gate: newGate(config.Limits),
		channels: make(map[*channel]struct{}), canvases: make(canvases, keptCanvases),
	}
	s.ssh, err = wish.NewServer(
		wish.WithAddress(config.Addr),
		wish.WithMiddleware(s.programs, s.verbs, s.room),
		func(inner *ssh.Server) error {
			inner.HostSigners = []ssh.Signer{signer}
			inner.HandshakeTimeout = config.Limits.Handshake
			inner.ConnCallback = func(ctx ssh.Context, c net.Conn) net.Conn {
				ctx.SetValue(connKey{}, c)
				return c
			}
			inner.ServerConfigCallback = func(ctx ssh.Context) *gossh.ServerConfig {
				return serverConfig(ctx.Value(connKey{}).(*conn).authenticated)
			}
			// Nothing but sessions: no forwarding in either direction, no
			// requests to the connection, no subsystems.
			inner.ChannelHandlers = map[string]ssh.ChannelHandler{"session": s.session, "default": s.refuse}
			inner.RequestHandlers = map[string]ssh.RequestHandler{}
			inner.SubsystemHandlers = map[string]ssh.SubsystemHandler{}
			return nil
		},
	)
	if err != nil {
		return nil, fmt.Errorf("sshd: %w", err)
	}
	return s, nil
}

// connKey finds the conn in the context of its connection.
type connKey struct{}

func (s *Server) now() time.Time { return s.config.Now() }

// HostKey is the server's public key, for its operator to publish.
func (s *Server) HostKey() gossh.PublicKey { return s.hostKey }

// Listen opens the address, so that Addr is known before Serve.
func (s *Server) Listen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return nil
	}
	// TCP's probes find dead peers without a byte sent by this program.
	lc := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: time.Minute, Interval: 15 * time.Second, Count: 4,
	}}
	l, err := lc.Listen(context.Background(), "tcp", s.config.Addr)
	if err != nil {
		return fmt.Errorf("sshd: %w", err)
	}
	s.listener = &listener{Listener: l, server: s}
	return nil
}

// Addr is the address the server listens on, nil before Listen.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Serve lets visitors in until ctx ends, then says goodbye to those who are
// there and returns within Limits.Drain. It returns nil after such an end. A
// server serves once.
func (s *Server) Serve(ctx context.Context) error {
	if err := s.Listen(); err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- s.ssh.Serve(s.listener) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.sweep(s.now())
		case err := <-served:
			s.closeDoor()
			s.drain()
			return fmt.Errorf("sshd: %w", err)
		case <-ctx.Done():
			s.closeDoor()
			// Nobody comes in any more once the loop of the listener has ended:
			// whoever it let in is among the connections that drain closes.
			err := <-served
			s.drain()
			if err != nil && !errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("sshd: %w", err)
			}
			return nil
		}
	}
}

// closeDoor stops listening and ends every session with a sentence. The
// library's own Shutdown is not used: it waits for its connections while they
// are still being counted, which is a data race, and would wait without a limit.
func (s *Server) closeDoor() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for ch := range s.channels {
		ch.cancel(ended{line: LineShutdown, say: true})
	}
	_ = s.listener.Close()
}

// drain waits for the sessions to end, and closes what is left after
// Limits.Drain.
func (s *Server) drain() {
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	timeout := time.NewTimer(s.limits.Drain)
	defer timeout.Stop()
	select {
	case <-done:
	case <-timeout.C:
		s.log.Warn("sessions were cut off: they did not end in time", "sessions", s.Stats().Sessions)
	}
	for _, c := range s.gate.all() {
		_ = c.Close()
	}
	_ = s.ssh.Close()
}

// Stats returns the counts of this moment.
func (s *Server) Stats() Stats {
	var st Stats
	st.Connections, st.Unauthenticated, st.Refused = s.gate.counts()
	st.Entered, st.Panics = s.entered.Load(), s.panics.Load()
	s.mu.Lock()
	st.Sessions = len(s.channels)
	s.mu.Unlock()
	return st
}

// sweep looks after every session and connection. One ticker does it for all,
// since a timer for each of thousands would keep the processor awake.
func (s *Server) sweep(now time.Time) {
	s.mu.Lock()
	channels := make([]*channel, 0, len(s.channels))
	for ch := range s.channels {
		channels = append(channels, ch)
	}
	s.mu.Unlock()
	for _, ch := range channels {
		ch.sweep(now)
	}
	for _, c := range s.gate.all() {
		c.sweep(now)
	}
}

// session serves a session channel through the choke point.
func (s *Server) session(inner *ssh.Server, sshConn *gossh.ServerConn, asked gossh.NewChannel, ctx ssh.Context) {
	defer s.contain("serving a session")
	c := ctx.Value(connKey{}).(*conn)
	c.ssh.Store(sshConn)
	if !c.enter() {
		c.refuse(asked, gossh.ResourceShortage, "too many sessions on this connection")
		return
	}
	ch := newChannel(s, c, sshConn, ctx)
	defer ch.free()
	defer ch.cancel(ended{})
	if !s.add(ch) {
		c.refuse(asked, gossh.ResourceShortage, "the server is shutting down")
		return
	}
	defer s.remove(ch)
	ssh.DefaultSessionHandler(inner, sshConn, &newChannelFilter{asked, ch}, ch)
	if ch.begun.Load() {
		ch.cancel(ended{})
		<-ch.handled
	}
}

// closeAtEnd closes the channel some time after its context has ended, so that
// nothing hangs in a write to a client that does not read. stop calls it off.
func (s *Server) closeAtEnd(ch *channel) (stop func()) {
	done := make(chan struct{})
	off := context.AfterFunc(ch.ctx, func() {
		grace := time.NewTimer(endGrace)
		defer grace.Stop()
		select {
		case <-grace.C:
			_ = ch.Channel.Close()
		case <-done:
		}
	})
	return func() {
		off()
		close(done)
	}
}

// refuse turns away every other kind of channel.
func (s *Server) refuse(_ *ssh.Server, _ *gossh.ServerConn, asked gossh.NewChannel, ctx ssh.Context) {
	defer s.contain("refusing a channel")
	ctx.Value(connKey{}).(*conn).refuse(asked, gossh.Prohibited, "only sessions are served here")
}

func (s *Server) add(ch *channel) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.channels[ch] = struct{}{}
	s.running.Add(1)
	return true
}

func (s *Server) remove(ch *channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.channels, ch)
	s.running.Done()
}

// Package control is how a verb typed at the machine reaches the process that
// holds the data: a unix socket in the data directory, open to the directory's
// own user and nobody else. The process that holds the data says who it is;
// the other sends one verb with its arguments and gets back what the verb
// writes and its exit code. Without it, `postern backup` would have to stop the
// portal first.
package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"
)

// SocketFile is the name of the socket in a data directory.
const SocketFile = "control.sock"

const (
	requestTimeout = 5 * time.Second  // from the connection to the whole request
	stopTimeout    = 3 * time.Second  // for a verb that is told to stop, and what it then says
	drainTimeout   = 3 * time.Second  // for verbs that run when the server closes
	aliveEvery     = 5 * time.Second  // between two signs of life to whoever waits for a verb
	busyTimeout    = time.Second / 10 // for turning a caller away
	maxCallers     = 16               // verbs at once; more are turned away
)

// exitBroken is the exit code of a verb that failed inside.
const exitBroken = 1

// Peer is the process at the other end of the socket.
type Peer struct {
	UID int // -1 where the system does not tell
}

// Handler carries out a verb and returns its exit code. ctx ends when the
// caller goes away or tells the verb to stop, or when the server closes and has
// waited long enough; what is written soon after that still arrives where somebody
// reads it. A caller that pauses keeps the verb waiting in Write, as a pipe does: a
// handler holds nothing there that others wait for.
type Handler func(ctx context.Context, peer Peer, q Request, out, errw io.Writer) int

// Server listens on the socket of a data directory.
type Server struct {
	greeting Greeting
	handler  Handler
	log      *slog.Logger
	listener net.Listener
	path     *socketPath
	ctx      context.Context // of the verbs
	cancel   context.CancelFunc
	closing  context.Context // ends first: nothing more is taken
	close    context.CancelFunc
	callers  chan struct{}
	running  sync.WaitGroup
	alive    time.Duration // aliveEvery
}

// Listen opens the socket in dir and serves it until Close. The caller must hold
// the data directory: a socket that is there already is taken for the remains
// of a process that crashed, and is replaced.
func Listen(dir string, greeting Greeting, handler Handler, log *slog.Logger) (*Server, error) {
	return listenAlive(dir, greeting, handler, log, aliveEvery)
}

// listenAlive is Listen with another time between signs of life.
func listenAlive(dir string, greeting Greeting, handler Handler, log *slog.Logger, alive time.Duration) (*Server, error) {
	path, err := newSocketPath(dir)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(filepath.Join(dir, SocketFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		path.close()
		return nil, fmt.Errorf("control: %w", err)
	}
	l, err := net.Listen("unix", path.name)
	if err != nil {
		path.close()
		return nil, fmt.Errorf("control: %w", err)
	}
	// The directory's own mode, 0700, has kept everybody else out meanwhile.
	if err := os.Chmod(filepath.Join(dir, SocketFile), 0o600); err != nil {
		_ = l.Close()
		path.close()
		return nil, fmt.Errorf("control: %w", err)
	}
	greeting.Version = Version
	s := &Server{greeting: greeting, handler: handler, log: log, listener: l, path: path, callers: make(chan struct{}, maxCallers), alive: alive}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.closing, s.close = context.WithCancel(s.ctx)
	s.running.Add(1)
	go s.accept()
	return s, nil
}

// Close stops listening, lets the verbs that run finish within drainTimeout, ends
// those that do not, and removes the socket. A verb may be what ends the process:
// one that ends the session of its screens has to be answered all the same.
func (s *Server) Close() {
	s.close()
	_ = s.listener.Close() // it removes the socket as well
	late := time.AfterFunc(drainTimeout, s.cancel)
	defer late.Stop()
	s.running.Wait()
	s.cancel()
	s.path.close()
}

func (s *Server) accept() {
	defer s.running.Done()
	for {
		c, err := s.listener.Accept()
		if err != nil {
			if s.closing.Err() != nil {
				return
			}
			s.log.Warn("control socket", slog.Any("error", err))
			select { // out of file descriptors, most likely
			case <-time.After(100 * time.Millisecond):
				continue
			case <-s.closing.Done():
				return
			}
		}
		select {
		case s.callers <- struct{}{}:
		default:
			_ = c.SetWriteDeadline(time.Now().Add(busyTimeout))
			_ = writeJSON(c, kindGreeting, Greeting{Version: Version, Busy: true}) // or it finds out without words
			_ = c.Close()
			continue
		}
		s.running.Add(1)
		go func() {
			defer s.running.Done()
			defer func() { <-s.callers }()
			defer c.Close()
			if err := s.serve(c.(*net.UnixConn)); err != nil && s.closing.Err() == nil {
				s.log.Info("control socket", slog.Any("error", err))
			}
		}()
	}
}

// serve answers one caller.
func (s *Server) serve(c *net.UnixConn) error {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	// Whoever has not asked for anything yet is not waited for.
	hurry := context.AfterFunc(s.closing, func() { _ = c.SetDeadline(time.Now()) })
	defer hurry()
	if err := c.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return err
	}
	peer, err := peerOf(c)
	if err != nil {
		return err
	}
	if err := writeJSON(c, kindGreeting, s.greeting); err != nil {
		return err
	}
	q, err := readRequest(c)
	if errors.Is(err, io.EOF) {
		return nil // it only wanted to know who is here
	} else if err != nil {
		return err
	}
	if !hurry() {
		return nil
	}
	if err := c.SetDeadline(time.Time{}); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Now().Add(stopTimeout)) })
	defer stop()
	// A caller sends nothing more: whatever comes, or its end, ends the verb.
	go func() {
		_, _ = c.Read(make([]byte, 1))
		cancel()
	}()
	var mu sync.Mutex
	out, errw := &frames{c: c, kind: kindOut, mu: &mu}, &frames{c: c, kind: kindErr, mu: &mu}
	still := s.signsOfLife(c, &mu)
	code := s.carryOut(ctx, peer, q, out, errw)
	still()
	return writeFrame(c, kindExit, []byte{byte(code)})
}

// signsOfLife tells the caller now and then that this process is not suspended,
// until still is called.
func (s *Server) signsOfLife(c *net.UnixConn, mu *sync.Mutex) (still func()) {
	ticker, ended := time.NewTicker(s.alive), make(chan struct{})
	var said sync.WaitGroup
	said.Go(func() {
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
			}
			mu.Lock()
			err := writeFrame(c, kindAlive, nil)
			mu.Unlock()
			if err != nil {
				return // the caller has gone
			}
		}
	})
	return func() {
		ticker.Stop()
		close(ended)
		said.Wait()
	}
}

// carryOut keeps a panic of the verb from ending the portal.
func (s *Server) carryOut(ctx context.Context, peer Peer, q Request, out, errw io.Writer) (code int) {
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("a verb failed", slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
			code = exitBroken
		}
	}()
	return s.handler(ctx, peer, q, out, errw)
}

// frames is a writer whose bytes go out as frames.
type frames struct {
	c    *net.UnixConn
	kind kind
	mu   *sync.Mutex // one frame at a time
}

var _ io.Writer = (*frames)(nil)

// Write sends p in as many frames as it takes.
func (f *frames) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		part := p[:min(len(p), MaxFrame)]
		f.mu.Lock()
		err = writeFrame(f.c, f.kind, part)
		f.mu.Unlock()
		if err != nil {
			return n, err
		}
		n, p = n+len(part), p[len(part):]
	}
	return n, nil
}

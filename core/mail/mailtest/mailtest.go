// Package mailtest is an SMTP server for tests: a real one, on a socket of this
// machine, with a certificate of its own. It can be slow, refuse, break and lie.
package mailtest

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Options are what a test wants of the server. The first group holds from its
// start; the others can be changed while it runs.
type Options struct {
	ImplicitTLS          bool // encrypted from the first byte; otherwise STARTTLS is offered
	NoSTARTTLS           bool // it is not
	OldTLS               bool // TLS 1.1 is the newest that it speaks
	WrongHostCertificate bool // the certificate is another host's, though signed by the same authority

	User, Password  string                               // who may send; "": anybody
	RefuseSender    *smtp.SMTPError                      // what is answered to every sender
	RefuseRecipient func(address string) *smtp.SMTPError // nil, or returning nil: accepted
	RefuseAll       bool                                 // every recipient, with a 550
	RefuseContent   *smtp.SMTPError                      // what is answered to every content
	Slow            time.Duration                        // before every answer to MAIL
	CloseAfterData  int                                  // n: the content of a connection's nth message is read, and never answered; 0: none
}

// Server is a running server. Its methods may be called from any goroutine.
type Server struct {
	authority *authority
	addr      string

	mu       sync.Mutex
	options  Options
	server   *smtp.Server
	listener net.Listener
	stopped  chan struct{} // closed when it does not run
	served   chan struct{} // closed when its last goroutine has ended
	raw      []envelope
	came     chan struct{} // closed and made anew with each message
	conns    int
	open     int
	attempts int
	begun    int
}

// New starts a server, and stops it when the test ends.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{options: o, came: make(chan struct{})}
	var err error
	if s.authority, err = newAuthority(o.WrongHostCertificate); err != nil {
		t.Fatal(err)
	}
	s.Start(t)
	t.Cleanup(s.Stop)
	return s
}

// Start starts a server that was stopped, on the same port.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		return
	}
	addr := s.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s.addr, s.stopped, s.served = l.Addr().String(), make(chan struct{}), make(chan struct{})
	s.listener = counting{l, s}
	s.server = smtp.NewServer(smtp.BackendFunc(s.session))
	s.server.Domain, s.server.ErrorLog = "mail.test", log.New(io.Discard, "", 0)
	s.server.AllowInsecureAuth = true // whether a password comes in the clear is what a test looks at
	settings := &tls.Config{Certificates: []tls.Certificate{s.authority.leaf}, MinVersion: tls.VersionTLS12}
	if s.options.OldTLS {
		settings.MinVersion, settings.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	}
	switch {
	case s.options.ImplicitTLS:
		s.listener = tls.NewListener(s.listener, settings)
	case !s.options.NoSTARTTLS:
		s.server.TLSConfig = settings
	}
	go func(server *smtp.Server, l net.Listener, served chan struct{}) {
		defer close(served)
		_ = server.Serve(l)
	}(s.server, s.listener, s.served)
}

// counting is a listener that counts.
type counting struct {
	net.Listener
	*Server
}

// Accept implements net.Listener.
func (c counting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns++
	c.open++
	return &counted{Conn: conn, server: c.Server}, nil
}

// counted is a connection that is counted until it is closed.
type counted struct {
	net.Conn
	server *Server
	once   sync.Once
}

// Close implements net.Conn.
func (c *counted) Close() error {
	c.once.Do(func() {
		c.server.mu.Lock()
		defer c.server.mu.Unlock()
		c.server.open--
	})
	return c.Conn.Close()
}

// Addr implements net.Listener; a Server has one too.
func (c counting) Addr() net.Addr { return c.Listener.Addr() }

// Stop ends the server and every connection. Nobody answers at its address until Start.
func (s *Server) Stop() {
	s.mu.Lock()
	server, l, served := s.server, s.listener, s.served
	if server != nil {
		close(s.stopped)
		s.server = nil
	}
	s.mu.Unlock()
	if server != nil {
		_ = server.Close()
		_ = l.Close() // in case the server had not got as far as listening
		<-served
	}
}

// Change changes options while the server runs.
func (s *Server) Change(change func(o *Options)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.options)
}

func (s *Server) now() (Options, chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options, s.stopped
}

// Addr returns its address, HOST:PORT.
func (s *Server) Addr() string { return s.addr }

// Host returns the host of its address, which its certificate is for.
func (s *Server) Host() string { return "127.0.0.1" }

// Port returns the port of its address.
func (s *Server) Port() int {
	_, port, _ := net.SplitHostPort(s.addr)
	n, _ := strconv.Atoi(port) // the system gave it
	return n
}

// CAFile writes the certificate of its authority to a file and returns the path.
func (s *Server) CAFile(t testing.TB) string {
	t.Helper()
	return s.authority.file(t)
}

// Connections returns how many connections have been made.
func (s *Server) Connections() int { return s.count(&s.conns) }

// Open returns how many of them are open.
func (s *Server) Open() int { return s.count(&s.open) }

// SignIns returns how often somebody has tried to sign in.
func (s *Server) SignIns() int { return s.count(&s.attempts) }

// Transactions returns how many messages somebody has begun to hand over.
func (s *Server) Transactions() int { return s.count(&s.begun) }

func (s *Server) count(n *int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *n
}

// Count returns how many messages it has accepted.
func (s *Server) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.raw)
}

// Messages returns what it has accepted, in order.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	raw := s.raw
	s.mu.Unlock()
	out := make([]Message, 0, len(raw))
	for _, e := range raw {
		out = append(out, e.parse())
	}
	return out
}

// patience bounds Wait; it says nothing about how fast a message should come.
const patience = 20 * time.Second

// Wait waits until it has accepted n messages and returns all of them.
func (s *Server) Wait(t testing.TB, n int) []Message {
	t.Helper()
	late := time.After(patience)
	for {
		s.mu.Lock()
		have, came := len(s.raw), s.came
		s.mu.Unlock()
		if have >= n {
			return s.Messages()
		}
		select {
		case <-came:
		case <-late:
			t.Fatalf("%d of %d messages came", have, n)
		}
	}
}

// session is one connection.
type session struct {
	*Server
	conn     *smtp.Conn
	known    bool // has signed in
	contents int
	under    bool // a message is on its way
	next     envelope
}

var _ smtp.AuthSession = (*session)(nil)

func (s *Server) session(c *smtp.Conn) (smtp.Session, error) {
	return &session{Server: s, conn: c}, nil
}

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string {
	if o, _ := s.now(); o.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth implements smtp.AuthSession.
func (s *session) Auth(string) (sasl.Server, error) {
	s.mu.Lock()
	s.attempts++
	o := s.options
	s.mu.Unlock()
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != o.User || password != o.Password {
			// Some servers repeat what they were sent.
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: fmt.Sprintf("no %s with %s\x1b[2J", user, password)}
		}
		s.known = true
		return nil
	}), nil
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.mu.Lock()
	s.begun++
	s.mu.Unlock()
	o, stopped := s.now()
	if o.Slow > 0 {
		select {
		case <-time.After(o.Slow):
		case <-stopped:
		}
	}
	if o.User != "" && !s.known {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	if s.under { // RFC 5321 §4.1.4; the library lets it pass
		return &smtp.SMTPError{Code: 503, EnhancedCode: smtp.EnhancedCode{5, 5, 1}, Message: "Nested MAIL"}
	}
	if o.RefuseSender != nil {
		return o.RefuseSender
	}
	s.under, s.next = true, envelope{from: from}
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	o, _ := s.now()
	if o.RefuseAll {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "nobody of that name: " + to}
	}
	if o.RefuseRecipient != nil {
		if err := o.RefuseRecipient(to); err != nil {
			return err
		}
	}
	s.next.to = append(s.next.to, to)
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	o, _ := s.now()
	if s.contents++; s.contents == o.CloseAfterData {
		return s.conn.Conn().Close()
	}
	if o.RefuseContent != nil {
		return o.RefuseContent
	}
	s.next.data = data
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw = append(s.raw, s.next)
	close(s.came)
	s.came = make(chan struct{})
	return nil
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.under, s.next = false, envelope{} }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

// Package smstest is a service for short messages in tests: a real receiver of
// HTTP on a socket of this machine. It can be slow, refuse, break and redirect.
package smstest

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Options are what a test wants of the receiver. All but TLS can be changed
// while it runs.
type Options struct {
	TLS        bool          // its certificate is for 127.0.0.1, not for localhost
	Only       string        // the rest holds for requests with this in their body; "": for all of them
	Status     int           // of every answer; 0: 201 where Twilio answers so, otherwise 200
	Slow       time.Duration // before every answer
	Close      bool          // the request is read, and never answered
	RedirectTo string        // answered with a 307 to there
	Answer     string        // the body of every answer
	Endless    bool          // the body of every answer has no end
}

// Request is a request that has come.
type Request struct {
	Method, Path   string
	Header         http.Header
	Body           string
	Form           url.Values // of a form
	User, Password string     // of basic authentication
}

// Server is a running receiver. Its methods may be called from any goroutine.
type Server struct {
	http *httptest.Server
	done chan struct{} // closed when it ends

	mu       sync.Mutex
	options  Options
	requests []Request
	came     chan struct{} // closed and made anew with each request
	endless  int
}

// New starts a receiver, and stops it when the test ends.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{options: o, done: make(chan struct{}), came: make(chan struct{})}
	s.http = httptest.NewUnstartedServer(s)
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0)
	if o.TLS {
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	t.Cleanup(func() {
		close(s.done)
		s.http.CloseClientConnections()
		s.http.Close()
	})
	return s
}

// URL returns its address, without a slash at its end.
func (s *Server) URL() string { return s.http.URL }

// CAFile writes the certificate that vouches for it to a file and returns the path.
func (s *Server) CAFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "authority.pem")
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.http.Certificate().Raw})
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Change changes options while the receiver runs.
func (s *Server) Change(change func(o *Options)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.options)
}

// Requests returns what has come, in order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Endless returns how many bytes of answers without end have been taken.
func (s *Server) Endless() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.endless
}

// patience bounds Wait; it says nothing about how fast a request should come.
const patience = 20 * time.Second

// Wait waits until n requests have come and returns all of them.
func (s *Server) Wait(t testing.TB, n int) []Request {
	t.Helper()
	late := time.After(patience)
	for {
		s.mu.Lock()
		have, came := len(s.requests), s.came
		s.mu.Unlock()
		if have >= n {
			return s.Requests()
		}
		select {
		case <-came:
		case <-late:
			t.Fatalf("%d of %d requests came", have, n)
		}
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	came := Request{Method: r.Method, Path: r.URL.Path, Header: r.Header.Clone(), Body: string(body)}
	came.User, came.Password, _ = r.BasicAuth()
	if r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		came.Form, _ = url.ParseQuery(came.Body)
	}
	s.mu.Lock()
	o := s.options
	if !strings.Contains(came.Body, o.Only) {
		o = Options{}
	}
	s.requests = append(s.requests, came)
	close(s.came)
	s.came = make(chan struct{})
	s.mu.Unlock()
	if o.Slow > 0 {
		select {
		case <-time.After(o.Slow):
		case <-s.done:
		case <-r.Context().Done():
		}
	}
	if o.Close {
		panic(http.ErrAbortHandler)
	}
	status := o.Status
	switch {
	case o.RedirectTo != "":
		w.Header().Set("Location", o.RedirectTo)
		status = http.StatusTemporaryRedirect
	case status == 0 && strings.HasPrefix(r.URL.Path, "/2010-04-01/"):
		status = http.StatusCreated
	case status == 0:
		status = http.StatusOK
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, o.Answer)
	for o.Endless {
		n, err := io.WriteString(w, strings.Repeat("and so on ", 1000))
		if err != nil {
			return
		}
		s.mu.Lock()
		s.endless += n
		s.mu.Unlock()
	}
}

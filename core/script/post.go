package script

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Bounds of a post.
const (
	postTimeout = 10 * time.Second
	maxAnswer   = 64 << 10 // bytes of an answer that are read, and thrown away
)

// PosterConfig says how things are posted. The zero value is right for the
// internet.
type PosterConfig struct {
	// Private lets posts go to addresses of this machine and of private networks.
	// With it, whoever writes scripts reaches what this machine reaches.
	Private bool
	// Roots are the certificates that are trusted; nil: the system's.
	Roots *x509.CertPool
	// Resolver finds addresses; nil: the system's.
	Resolver *net.Resolver
}

// Poster posts JSON to URLs. It follows no redirect and uses no proxy; it looks
// at the address that it really connects to, whatever name it was found by.
type Poster struct {
	client *http.Client
}

// PostError says why something was not posted, by a stable code.
type PostError struct {
	Code string // "not_allowed", "private", "redirect", "status", "unreachable", "timeout", "tls"
	// Status is the answer's, with "redirect" and "status".
	Status int
	// Unsent says that nothing can have reached the other side.
	Unsent bool
	err    error
}

// Error implements error. It is for logs.
func (e *PostError) Error() string {
	s := "script: post: " + e.Code
	if e.Status != 0 {
		s += fmt.Sprintf(" (%d)", e.Status)
	}
	if e.err != nil {
		s += ": " + e.err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *PostError) Unwrap() error { return e.err }

// NewPoster makes a poster. It keeps no connection.
func NewPoster(c PosterConfig) *Poster {
	dialer := &net.Dialer{Timeout: postTimeout, Resolver: c.Resolver}
	if !c.Private {
		dialer.Control = func(_, address string, _ syscall.RawConn) error { return public(address) }
	}
	return &Poster{client: &http.Client{
		Timeout: postTimeout,
		Transport: &http.Transport{
			DialContext:            dial(dialer),
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Roots},
			TLSHandshakeTimeout:    postTimeout,
			ResponseHeaderTimeout:  postTimeout,
			MaxResponseHeaderBytes: maxAnswer,
			DisableKeepAlives:      true,
			DisableCompression:     true,
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// errPrivate refuses an address; errDial is that no connection came to be.
var (
	errPrivate = errors.New("script: the address is not public")
	errDial    = errors.New("script: not connected")
)

// dial marks what went wrong before anything was sent.
func dial(d *net.Dialer) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errDial, err)
		}
		return c, nil
	}
}

// Post posts JSON to a URL that begins with one of the prefixes. Only an answer
// of success is success; a redirect is none. Errors are *PostError.
func (p *Poster) Post(ctx context.Context, to string, prefixes []string, id string, body []byte) error {
	if err := Allowed(to, prefixes); err != nil {
		return &PostError{Code: "not_allowed", Unsent: true, err: err}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return &PostError{Code: "not_allowed", Unsent: true, err: err}
	}
	r.GetBody = nil // it is sent once: a transport that may read it anew may send it anew
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "postern")
	r.Header.Set("Idempotency-Key", id)
	answer, err := p.client.Do(r)
	if err != nil {
		return failure(err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer))
	switch {
	case answer.StatusCode >= 200 && answer.StatusCode < 300:
		return nil
	case answer.StatusCode >= 300 && answer.StatusCode < 400:
		return &PostError{Code: "redirect", Status: answer.StatusCode}
	}
	return &PostError{Code: "status", Status: answer.StatusCode}
}

// failure sorts what the client says.
func failure(err error) error {
	e := &PostError{Code: "unreachable", Unsent: errors.Is(err, errDial), err: err}
	var timeout interface{ Timeout() bool }
	var cert *tls.CertificateVerificationError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, errPrivate):
		e.Code = "private"
	case errors.As(err, &cert), errors.As(err, &alert), errors.As(err, &record):
		e.Code, e.Unsent = "tls", true // the handshake is over before anything is said
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Code = "timeout"
	}
	return e
}

// public refuses an address that is not one of the public internet. It sees what
// is about to be connected to, after names were resolved: a name that points
// inside, or does so the second time it is asked for, is refused too.
func public(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return errPrivate
	}
	ip := at.Addr().WithZone("").Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || at.Addr().Zone() != "" {
		return errPrivate
	}
	for _, n := range special {
		if n.Contains(ip) {
			return errPrivate
		}
	}
	return nil
}

// special are the networks that are no part of the public internet, or lead into
// another one (IANA special-purpose registries, RFC 6890), beside those that
// package netip knows; and the address at which one cloud keeps its metadata,
// which is a public one. Others keep it at link-local and private addresses.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // shared by the customers of a carrier (RFC 6598)
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("168.63.129.16/32"),
	netip.MustParsePrefix("::/96"),           // IPv4-compatible
	netip.MustParsePrefix("::ffff:0:0:0/96"), // IPv4-translated
	netip.MustParsePrefix("64:ff9b::/96"),    // NAT64: an IPv4 address within
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), // Teredo and other protocols
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), // 6to4: an IPv4 address within
	netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("5f00::/16"),
	netip.MustParsePrefix("fec0::/10"), // site-local
}

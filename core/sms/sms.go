// Package sms hands short messages to a service that delivers them: one shaped
// like Twilio's, or any other through a webhook. It keeps nothing and tries
// nothing again; that is its caller's affair, and Permanent says when it would
// be in vain. The package imports nothing of ours.
//
// # The webhook
//
// NewWebhook posts JSON to a URL of the operator's:
//
//	POST /the/path HTTP/1.1
//	Content-Type: application/json
//	Postern-Timestamp: 1772442000
//	Postern-Signature: v1=5257a869…
//
//	{"id":"01JDX…","to":"+5511987654321","text":"123456 is your code","at":"2026-03-02T09:00:00Z"}
//
// The timestamp is in seconds of Unix time and says the same as "at". The
// signature is HMAC-SHA-256 (RFC 2104), keyed with the shared secret, over the
// timestamp, a dot and the body as it came, in lower-case hexadecimal after
// "v1=". A receiver checks it over the bytes before it reads them as JSON
// (VerifySignature), refuses a timestamp that is more than five minutes away
// from its own clock, and drops an "id" that it has seen before: a message
// whose answer was lost comes again. 2xx means that the receiver has taken the
// message; 408, 429 and 5xx mean that it is to come again later; any other 4xx
// that it is to come no more. Redirects are not followed, and what the answer
// says beside its status is not looked at.
package sms

import (
	"context"
	"net"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Message is one short message to one telephone.
type Message struct {
	ID   string // the same at every try
	To   string // as Number returns it
	Text string
}

// Sender is a service that takes messages.
type Sender interface {
	// Send hands one message over. Nil says that the service has taken it, and
	// not yet that it has arrived. For what Describe and Permanent say of its
	// errors, see there.
	Send(ctx context.Context, m Message) error
	// Name returns which kind of service it is: "twilio" or "webhook".
	Name() string
}

// ConfigError says which field of a configuration cannot be meant. It holds no
// value.
type ConfigError struct {
	Field   string // as in the file of settings: "url", "account", …
	Problem string // one of the Problem constants
}

// Problems of a configuration. The values are stable: the dictionary says their
// sentences.
const (
	ProblemMissing   = "missing"   // must be given
	ProblemURL       = "url"       // no URL of HTTP, or one with parts that do not belong there
	ProblemClear     = "clear"     // unencrypted, to another machine
	ProblemCharacter = "character" // a character that cannot be part of it
	ProblemSecret    = "secret"    // shorter than MinSecret
	ProblemCA        = "ca"        // no file that can be read, or no certificate in it
	ProblemTimeout   = "timeout"   // less than nothing
)

// Error implements error.
func (e *ConfigError) Error() string { return "sms: " + e.Field + ": " + e.Problem }

var _ error = (*ConfigError)(nil)

// endpoint reads the URL of a service. It has to be encrypted unless the service
// is on this machine (ASVS 12.2.1).
func endpoint(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case s == "":
		return nil, &ConfigError{Field: "url", Problem: ProblemMissing}
	case err != nil || u.Hostname() == "" || u.Opaque != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, &ConfigError{Field: "url", Problem: ProblemURL}
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, &ConfigError{Field: "url", Problem: ProblemClear}
	}
	return u, nil
}

// loopback says whether a host is this machine, whatever a resolver says.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}

// printable says whether s is a word of printable ASCII: what tokens and
// account names are made of.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// oneLine says whether s is UTF-8 on one line and nothing in it steers.
func oneLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
	})
}

// check refuses a message that no service should see.
func (m Message) check() error {
	switch {
	case !canonical(m.To):
		return &failure{code: codeAddress, permanent: true}
	case m.ID == "" || !printable(m.ID):
		return &failure{code: codeInternal, permanent: true, why: "its id is no word"}
	case m.Text == "" || !utf8.ValidString(m.Text) || strings.ContainsRune(m.Text, 0):
		return &failure{code: codeInternal, permanent: true, why: "it has no text"}
	}
	return nil
}

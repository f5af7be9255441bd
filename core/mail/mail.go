// Package mail hands messages to one SMTP server (RFC 5321), which delivers
// them: in order, on one connection, which is encrypted unless the server is on
// this machine (RFC 3207, RFC 8314). It keeps nothing and tries nothing again;
// that is its caller's affair, and Permanent says when it would be in vain. The
// package imports nothing of ours.
package mail

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	netmail "net/mail"
)

// TLS says how a connection is encrypted. The empty one is StartTLS.
type TLS string

const (
	// StartTLS demands encryption after the greeting: a server that does not
	// offer it gets nothing. Port 587, message submission (RFC 6409).
	StartTLS TLS = "starttls"
	// ImplicitTLS encrypts from the first byte. Port 465 (RFC 8314 §3.3).
	ImplicitTLS TLS = "tls"
	// NoTLS is for a server on this machine only. Port 25.
	NoTLS TLS = "none"
)

// Config says which server takes the messages, and who sends them.
type Config struct {
	Host string // a name or an address; its certificate must be for it
	Port int    // 0: by TLS 587, 465 or 25
	TLS  TLS    // "": StartTLS

	// User and Password sign in, if the server asks for it; both or neither.
	// Without TLS only mechanisms are used that do not show the password.
	User, Password string

	From     string // the address of the sender
	FromName string // the name beside it, or ""

	CA      string        // a file of certificates in PEM that are trusted instead of the system's; "": those
	Timeout time.Duration // for opening a connection, and for each message; 0: 30 seconds
	Hello   string        // what this machine calls itself (EHLO); "": its host name
}

// Message is one message to one person.
type Message struct {
	// ID makes the Message-ID, <ID@domain of From>: the same at every try, so
	// that a receiver can drop a repeat. Letters, digits, ".", "_" and "-".
	ID      string
	To      string // an address
	Subject string
	Text    string // the text part, which is always there
	HTML    string // the other form of the same, or ""; see the function HTML
	Date    time.Time
	// Lane keeps messages in order: when one of a lane fails for the moment, the
	// later ones of the same lane in the same batch are held back. "": none.
	Lane string
}

// Result is what became of one message.
type Result struct {
	Err error // nil: the server has accepted it, unless it was held
	// Held: it was not tried, since an earlier one of its lane failed for the
	// moment, or since sending had ended before its turn; then Err says why.
	Held bool
}

// ConfigError says which field of a Config cannot be meant. It holds no value.
type ConfigError struct {
	Field   string // as in the file of settings: "host", "from_name", …
	Problem string // one of the Problem constants
}

// Problems of a configuration. The values are stable: the dictionary says their
// sentences.
const (
	ProblemMissing   = "missing"   // must be given, for itself or beside another
	ProblemHost      = "host"      // no host name and no address
	ProblemPort      = "port"      // not 1 to 65535
	ProblemTLS       = "tls"       // none of the three words
	ProblemClear     = "clear"     // unencrypted, to another machine
	ProblemAddress   = "address"   // no e-mail address
	ProblemCharacter = "character" // a control character, or not UTF-8
	ProblemCA        = "ca"        // no file that can be read, or no certificate in it
	ProblemTimeout   = "timeout"   // less than nothing
)

// Error implements error.
func (e *ConfigError) Error() string { return "mail: " + e.Field + ": " + e.Problem }

var _ error = (*ConfigError)(nil)

const defaultTimeout = 30 * time.Second

// hostName is a name that resolvers take (RFC 1123 §2.1); addresses are looked
// at by net.ParseIP.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

// checked returns the configuration with its defaults filled in, or says which
// field is wrong.
func (c Config) checked() (Config, error) {
	wrong := func(field, problem string) (Config, error) {
		return Config{}, &ConfigError{Field: field, Problem: problem}
	}
	if c.TLS == "" {
		c.TLS = StartTLS
	}
	port, known := map[TLS]int{StartTLS: 587, ImplicitTLS: 465, NoTLS: 25}[c.TLS]
	if c.Port == 0 {
		c.Port = port
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Hello == "" {
		c.Hello = machineName()
	}
	switch {
	case c.Host == "":
		return wrong("host", ProblemMissing)
	case len(c.Host) > 253 || net.ParseIP(c.Host) == nil && !hostName.MatchString(c.Host):
		return wrong("host", ProblemHost)
	case !known:
		return wrong("tls", ProblemTLS)
	case c.Port < 1 || c.Port > 65535:
		return wrong("port", ProblemPort)
	case c.TLS == NoTLS && !loopback(c.Host):
		return wrong("tls", ProblemClear)
	case c.User == "" && c.Password != "":
		return wrong("user", ProblemMissing)
	case c.User != "" && c.Password == "":
		return wrong("password", ProblemMissing)
	case !oneLine(c.User):
		return wrong("user", ProblemCharacter)
	case !oneLine(c.Password):
		return wrong("password", ProblemCharacter)
	case c.From == "":
		return wrong("from", ProblemMissing)
	case !address(c.From):
		return wrong("from", ProblemAddress)
	case !oneLine(c.FromName):
		return wrong("from_name", ProblemCharacter)
	case c.Timeout < 0:
		return wrong("timeout", ProblemTimeout)
	case net.ParseIP(strings.Trim(c.Hello, "[]")) == nil && !hostName.MatchString(c.Hello):
		return wrong("hello", ProblemHost)
	}
	return c, nil
}

// tlsConfig is how the server's certificate is looked at. A server that the
// host's name is not written in gets nothing (ASVS 12.1.1, 12.3.2).
func (c Config) tlsConfig() (*tls.Config, error) {
	out := &tls.Config{ServerName: strings.TrimSuffix(c.Host, "."), MinVersion: tls.VersionTLS12}
	if c.CA == "" {
		return out, nil
	}
	pem, err := os.ReadFile(c.CA)
	out.RootCAs = x509.NewCertPool()
	if err != nil || !out.RootCAs.AppendCertsFromPEM(pem) {
		return nil, &ConfigError{Field: "ca", Problem: ProblemCA}
	}
	return out, nil
}

// machineName is this machine's own name, if it is one that can be said.
func machineName() string {
	if name, err := os.Hostname(); err == nil && len(name) <= 253 && hostName.MatchString(name) {
		return name
	}
	return "localhost"
}

// loopback says whether a host is this machine, whatever a resolver says.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}

// The limits of RFC 5321 §4.5.3.1, in octets; a path of 256 has angle brackets.
const (
	maxAddress   = 254
	maxLocalPart = 64
)

// address says whether s is the address of one mailbox and nothing else: ASCII,
// no display name, no comment, no quotation. A domain with letters beyond ASCII
// is to be given in its "xn--" form.
func address(s string) bool {
	if s == "" || len(s) > maxAddress || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return false
	}
	parsed, err := netmail.ParseAddress(s)
	return err == nil && parsed.Name == "" && parsed.Address == s && strings.LastIndexByte(s, '@') <= maxLocalPart
}

// oneLine says whether s can stand in a header: UTF-8 on one line, nothing that
// steers (ASVS 1.3.11).
func oneLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
	})
}

// Mask returns as much of an address as its owner needs to know it again:
// "a•••@example.org". Of what is no address nothing is shown.
func Mask(s string) string {
	const dots = "•••"
	if !address(s) {
		return dots
	}
	return s[:1] + dots + s[strings.LastIndexByte(s, '@'):]
}

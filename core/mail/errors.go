// What went wrong with a message: a short code that never changes its meaning,
// and whether another try could help. What the server wrote is not kept: it is
// foreign, and some repeat what was sent to them.

package mail

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
)

// The codes that Describe returns.
const (
	codeUnreachable = "unreachable" // no server there, or none that wants to talk
	codeTimeout     = "timeout"     // it did not answer in time
	codeTLS         = "tls"         // no encryption, or a certificate that is not the host's
	codeAuth        = "auth"        // it does not take us for somebody who may send
	codeRefused     = "refused"     // a 5xx for this recipient or this content
	codeDeferred    = "deferred"    // a 4xx
	codeClosed      = "closed"      // the connection ended midway, or the sending did
	codeAddress     = "address"     // the address cannot be
	codeInternal    = "internal"    // the message cannot be written, or the unforeseen
)

// failure is an error of this package.
type failure struct {
	code      string
	permanent bool
	down      bool   // it came before the message had its turn: any other would have met it
	reply     int    // the server's reply code, or 0
	why       string // fixed words of ours, or ""
	under     error  // a context's error, or nil
}

var _ error = (*failure)(nil)

// Error implements error. It holds no word of the server's and no address.
func (f *failure) Error() string {
	said := "mail: " + f.code
	if f.reply != 0 {
		said += fmt.Sprintf(" (%d)", f.reply)
	}
	if f.why != "" {
		said += ": " + f.why
	}
	return said
}

// Unwrap returns a context's error, so that errors.Is finds it.
func (f *failure) Unwrap() error { return f.under }

// Permanent says whether trying the message again is useless: the server has
// refused this recipient or this content with a 5xx, the address cannot be, or
// the message cannot be written. Everything else is temporary: no server, a
// timeout, a 4xx, a connection that ended midway, and also TLS and
// authentication, which the operator can mend.
func Permanent(err error) bool {
	var f *failure
	return errors.As(err, &f) && f.permanent
}

// Down says whether it is the server that failed, and not this message: it was not
// reached, did not greet, is not to be trusted, did not let us sign in, or did not
// take our sender. Any other message would have met the same. What fails at the
// recipient or the content may be that message's alone, also a timeout.
func Down(err error) bool {
	var f *failure
	return errors.As(err, &f) && f.down
}

// Describe returns a stable code for an error of Send: "unreachable",
// "timeout", "tls", "auth", "refused" (a 5xx for the recipient or the content),
// "deferred" (a 4xx), "closed", "address" or "internal"; of nil the empty string.
func Describe(err error) string {
	var f *failure
	switch {
	case err == nil:
		return ""
	case errors.As(err, &f):
		return f.code
	case errors.Is(err, context.DeadlineExceeded):
		return codeTimeout
	case errors.Is(err, context.Canceled):
		return codeClosed
	}
	return codeInternal
}

// stage is how far a connection or a message had come.
type stage int

const (
	stageDial stage = iota
	stageGreeting
	stageTLS
	stageAuth
	stageSender    // MAIL
	stageRecipient // RCPT
	stageContent   // DATA, and what follows
)

// failed makes an error of what happened at a stage.
func failed(at stage, err error) *failure {
	f := failedAt(at, err)
	f.down = at <= stageSender
	return f
}

func failedAt(at stage, err error) *failure {
	var reply *textproto.Error
	var network net.Error
	switch {
	case errors.As(err, &network) && network.Timeout():
		return &failure{code: codeTimeout}
	case at == stageTLS:
		return &failure{code: codeTLS, why: tlsReason(err)}
	case errors.As(err, &reply):
		return replied(at, reply.Code)
	case at == stageDial, at == stageGreeting && !lost(err):
		return &failure{code: codeUnreachable}
	case at == stageAuth && !lost(err):
		return &failure{code: codeAuth}
	}
	return &failure{code: codeClosed}
}

// replied makes an error of a reply that is not the one to go on with.
func replied(at stage, code int) *failure {
	f := &failure{reply: code}
	switch {
	case code >= 400 && code < 500:
		f.code = codeDeferred
	case code < 500 || code > 599:
		f.code = codeClosed // not SMTP any more
	case at == stageGreeting:
		f.code = codeUnreachable
	case at <= stageSender, code == 530, code == 534, code == 535, code == 538:
		// A sender that is refused is our own: the message can go when the
		// operator has mended the settings (RFC 4954 §6 for the numbers).
		f.code = codeAuth
	default:
		f.code, f.permanent = codeRefused, true
	}
	return f
}

// interrupted makes an error of the end of a context.
func interrupted(err error) *failure {
	f := &failure{code: codeClosed, under: err}
	if errors.Is(err, context.DeadlineExceeded) {
		f.code = codeTimeout
	}
	return f
}

// unwritable is an error of a message that no server should see.
func unwritable(code, why string) *failure { return &failure{code: code, permanent: true, why: why} }

// tlsReason says in our words what is wrong with a certificate.
func tlsReason(err error) string {
	var host x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.Is(err, errNotOffered):
		return "STARTTLS is not offered"
	case errors.Is(err, errElsewhere):
		return "the server is not on this machine"
	case errors.As(err, &host):
		return "the certificate is another host's"
	case errors.As(err, &authority):
		return "the certificate is signed by nobody known"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate is not valid now"
	}
	return ""
}

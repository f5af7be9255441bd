// What went wrong with a message: a short code that never changes its meaning,
// and whether another try could help. What the service wrote is not kept, nor is
// the URL: both can hold secrets.

package sms

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// The codes that Describe returns; they are those of the package mail.
const (
	codeUnreachable = "unreachable" // no service there: no answer, or one that makes no sense
	codeTimeout     = "timeout"     // it did not answer in time
	codeTLS         = "tls"         // no encryption, or a certificate that is not the host's
	codeAuth        = "auth"        // it does not take us for somebody who may send
	codeRefused     = "refused"     // a 4xx for this message
	codeDeferred    = "deferred"    // it is to come again later
	codeClosed      = "closed"      // the connection ended midway, or the sending did
	codeAddress     = "address"     // the number cannot be
	codeInternal    = "internal"    // the message cannot be written, or the unforeseen
)

// failure is an error of this package.
type failure struct {
	code      string
	permanent bool
	down      bool   // nothing was asked yet: any other message would have met it
	status    int    // of HTTP, or 0
	why       string // fixed words of ours, or ""
	under     error  // a context's error, or nil
}

var _ error = (*failure)(nil)

// Error implements error. It holds no word of the service's, no URL, no number.
func (f *failure) Error() string {
	said := "sms: " + f.code
	if f.status != 0 {
		said += fmt.Sprintf(" (%d)", f.status)
	}
	if f.why != "" {
		said += ": " + f.why
	}
	return said
}

// Unwrap returns a context's error, so that errors.Is finds it.
func (f *failure) Unwrap() error { return f.under }

// Permanent says whether trying the message again is useless: the service has
// refused it with a 4xx, the number cannot be, or the message cannot be written.
// Everything else is temporary: a 408 and 429, and what speaks of the
// configuration (401, 403, 404, 407), which somebody will mend.
func Permanent(err error) bool {
	var f *failure
	return errors.As(err, &f) && f.permanent
}

// Down says whether it is the service that failed, and not this message: it was
// not reached, or is not to be trusted. Any other message would have met the same.
// An answer, also a 401, is one to this message, and so is waiting for it in vain.
func Down(err error) bool {
	var f *failure
	return errors.As(err, &f) && f.down
}

// Describe returns a stable code for an error of Send: "unreachable" (also an
// answer that is none, such as a redirect or 404), "timeout", "tls", "auth" (401, 403
// and 407), "refused" (another 4xx), "deferred" (408, 429 and 5xx), "closed",
// "address" or "internal"; of nil the empty string.
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

// answered makes an error of a status that does not mean success.
func answered(status int) error {
	f := &failure{status: status}
	switch {
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		f.code = codeDeferred
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusProxyAuthRequired:
		f.code = codeAuth // a wrong token is mended, and says nothing of the message
	case status == http.StatusNotFound:
		f.code = codeUnreachable // there is nothing of the kind at that address
	case status >= 400:
		f.code, f.permanent = codeRefused, true
	default:
		f.code = codeUnreachable
	}
	return f
}

// lost makes an error of a request without an answer; connected says whether it
// could be asked at all.
func lost(ctx context.Context, err error, unencrypted, connected bool) error {
	f := lostTo(ctx, err, unencrypted)
	f.down = !connected && ctx.Err() == nil
	return f
}

func lostTo(ctx context.Context, err error, unencrypted bool) *failure {
	var network net.Error
	var dial *net.OpError
	switch {
	case ctx.Err() != nil:
		f := &failure{code: codeClosed, under: ctx.Err()}
		if errors.Is(f.under, context.DeadlineExceeded) {
			f.code = codeTimeout
		}
		return f
	case errors.As(err, &network) && network.Timeout():
		return &failure{code: codeTimeout}
	case unencrypted:
		return &failure{code: codeTLS}
	case errors.As(err, &dial) && dial.Op == "dial":
		return &failure{code: codeUnreachable}
	}
	return &failure{code: codeClosed}
}

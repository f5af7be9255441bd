// What both kinds of service have in common: a client of HTTP that goes nowhere
// but where it was sent, and believes nothing but the status.

package sms

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"sync/atomic"
	"time"
)

const (
	defaultTimeout = 30 * time.Second
	// idle is how long a connection is kept for the next message.
	idle = 10 * time.Second
	// maxAnswer is how much of an answer is read, so that its connection can be
	// used again. Nothing in it is looked at.
	maxAnswer = 64 << 10
)

// client sends requests.
type client struct {
	http *http.Client
}

// newClient makes a client that trusts the certificates of the file ca, or the
// system's. timeout is for a whole message; 0 means 30 seconds.
func newClient(timeout time.Duration, ca string) (client, error) {
	if timeout < 0 {
		return client{}, &ConfigError{Field: "timeout", Problem: ProblemTimeout}
	}
	if timeout == 0 {
		timeout = defaultTimeout
	}
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		trust.RootCAs = x509.NewCertPool()
		if err != nil || !trust.RootCAs.AppendCertsFromPEM(pem) {
			return client{}, &ConfigError{Field: "ca", Problem: ProblemCA}
		}
	}
	return client{&http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: trust, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: timeout, IdleConnTimeout: idle, MaxIdleConnsPerHost: 4,
			MaxResponseHeaderBytes: maxAnswer, DisableCompression: true,
		},
		// A redirect would carry the message, and the password with it, to
		// somebody whom the operator has not named (ASVS 15.3.2).
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// post sends a request. Every 2xx is success: Twilio says 201, and those who speak
// like it not always.
func (c client) post(ctx context.Context, r *http.Request) error {
	var unencrypted, connected atomic.Bool
	r = r.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err != nil {
				unencrypted.Store(true)
			}
		},
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}))
	r.Header.Set("User-Agent", "postern")
	answer, err := c.http.Do(r)
	if err != nil {
		return lost(ctx, err, unencrypted.Load(), connected.Load())
	}
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer) // the status has said it
	_ = answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		return answered(answer.StatusCode)
	}
	return nil
}

// Close lets go of connections that are kept for the next message.
func (c client) Close() { c.http.CloseIdleConnections() }

package sms

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// MinSecret is how many bytes the secret of a webhook has at least: 128 bits, if
// they are random ones.
const MinSecret = 16

// The headers of a webhook's request.
const (
	TimestampHeader = "Postern-Timestamp"
	SignatureHeader = "Postern-Signature"
)

// WebhookConfig says where messages go, and how they are signed.
type WebhookConfig struct {
	URL     string
	Secret  string        // shared with the receiver, at least MinSecret bytes
	Timeout time.Duration // for each message; 0: 30 seconds
	CA      string        // a file of certificates in PEM that are trusted instead of the system's; "": those
}

// Webhook posts messages to a URL. The comment of the package describes the format.
type Webhook struct {
	client
	url, secret string
	now         func() time.Time
}

var _ Sender = (*Webhook)(nil)

// NewWebhook checks a configuration. Nothing is connected yet. Errors are
// *ConfigError; of a secret that is too short the field is "token", as in the
// file of settings.
func NewWebhook(c WebhookConfig) (*Webhook, error) {
	u, err := endpoint(c.URL)
	switch {
	case err != nil:
		return nil, err
	case c.Secret == "":
		return nil, &ConfigError{Field: "token", Problem: ProblemMissing}
	case len(c.Secret) < MinSecret:
		return nil, &ConfigError{Field: "token", Problem: ProblemSecret}
	}
	w := &Webhook{url: u.String(), secret: c.Secret, now: time.Now}
	if w.client, err = newClient(c.Timeout, c.CA); err != nil {
		return nil, err
	}
	return w, nil
}

// Name implements Sender.
func (w *Webhook) Name() string { return "webhook" }

// notice is the body of a request. Its fields never change their meaning.
type notice struct {
	ID   string `json:"id"`
	To   string `json:"to"`
	Text string `json:"text"`
	At   string `json:"at"` // RFC 3339, UTC
}

// Send implements Sender.
func (w *Webhook) Send(ctx context.Context, m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	now := w.now().UTC().Truncate(time.Second)
	body, err := json.Marshal(notice{ID: m.ID, To: m.To, Text: m.Text, At: now.Format(time.RFC3339)})
	if err != nil {
		return &failure{code: codeInternal}
	}
	r, err := http.NewRequest(http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return &failure{code: codeInternal}
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(TimestampHeader, stamp)
	r.Header.Set(SignatureHeader, sign(w.secret, stamp, string(body)))
	return w.post(ctx, r)
}

// sign returns the signature of a request.
func sign(secret, timestamp, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "." + body))
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// VerifySignature says whether a request of a webhook was signed with the
// secret: its two headers and its body as they came. It takes the same time
// wherever a wrong signature differs (ASVS 11.2.4), and with a secret shorter
// than MinSecret nothing is right. Whether the timestamp is of now is for the
// receiver to say.
func VerifySignature(secret, timestamp, body, signature string) bool {
	return len(secret) >= MinSecret && hmac.Equal([]byte(sign(secret, timestamp, body)), []byte(signature))
}

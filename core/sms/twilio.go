package sms

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// TwilioConfig says which account sends.
type TwilioConfig struct {
	BaseURL string        // of a service with the same interface; "": https://api.twilio.com
	Account string        // the account's SID
	Token   string        // its token
	From    string        // the number or name that it sends from
	Timeout time.Duration // for each message; 0: 30 seconds
	CA      string        // a file of certificates in PEM that are trusted instead of the system's; "": those
}

// Twilio sends through Twilio's interface, of which the version of 2010-04-01 is
// the present one.
type Twilio struct {
	client
	url, account, token, from string
}

var _ Sender = (*Twilio)(nil)

const twilioURL = "https://api.twilio.com"

// NewTwilio checks a configuration. Nothing is connected yet. Errors are
// *ConfigError.
func NewTwilio(c TwilioConfig) (*Twilio, error) {
	wrong := func(field, problem string) (*Twilio, error) { return nil, &ConfigError{Field: field, Problem: problem} }
	if c.BaseURL == "" {
		c.BaseURL = twilioURL
	}
	base, err := endpoint(c.BaseURL)
	switch {
	case err != nil:
		return nil, err
	case base.User != nil || base.RawQuery != "":
		return wrong("url", ProblemURL) // they would be lost behind the path
	case c.Account == "":
		return wrong("account", ProblemMissing)
	case strings.ContainsFunc(c.Account, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '_' && r != '-'
	}):
		return wrong("account", ProblemCharacter)
	case c.Token == "":
		return wrong("token", ProblemMissing)
	case !printable(c.Token):
		return wrong("token", ProblemCharacter)
	case c.From == "":
		return wrong("from", ProblemMissing)
	case !oneLine(c.From):
		return wrong("from", ProblemCharacter)
	}
	t := &Twilio{
		url:     base.JoinPath("2010-04-01", "Accounts", c.Account, "Messages.json").String(),
		account: c.Account, token: c.Token, from: c.From,
	}
	if t.client, err = newClient(c.Timeout, c.CA); err != nil {
		return nil, err
	}
	return t, nil
}

// Name implements Sender.
func (t *Twilio) Name() string { return "twilio" }

// Send implements Sender. The interface knows no id of ours, so a message whose
// answer was lost arrives twice when it is tried again.
func (t *Twilio) Send(ctx context.Context, m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	form := url.Values{"To": {m.To}, "From": {t.from}, "Body": {m.Text}}
	r, err := http.NewRequest(http.MethodPost, t.url, strings.NewReader(form.Encode()))
	if err != nil {
		return &failure{code: codeInternal}
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	r.SetBasicAuth(t.account, t.token)
	return t.post(ctx, r)
}

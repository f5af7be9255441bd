// How messages leave: the settings of mail and of text messages, and the senders
// that they make.

package cmd

import (
	"errors"

	"postern/core/mail"
	"postern/core/sms"
	"postern/core/text"
)

// mailSettings say which SMTP server takes the mail.
type mailSettings struct {
	Host     string `koanf:"host"`
	Port     int    `koanf:"port"` // 0: by TLS 587, 465 or 25
	TLS      string `koanf:"tls"`  // starttls, tls or none
	User     string `koanf:"user"`
	Password string `koanf:"password"`
	From     string `koanf:"from"`      // the sender's address
	FromName string `koanf:"from_name"` // the name beside it
	CA       string `koanf:"ca"`        // certificates that are trusted instead of the system's
}

// smsSettings say which service takes text messages.
type smsSettings struct {
	Kind    string `koanf:"kind"`    // twilio or webhook
	URL     string `koanf:"url"`     // of the webhook, or of a service with Twilio's interface
	Account string `koanf:"account"` // of Twilio
	Token   string `koanf:"token"`   // of Twilio; of a webhook the secret that signs
	From    string `koanf:"from"`    // of Twilio: the number or name that it sends from
	CA      string `koanf:"ca"`      // certificates that are trusted instead of the system's
}

// kinds of text message services.
const (
	smsTwilio  = "twilio"
	smsWebhook = "webhook"
)

// transports makes the senders of the settings: nil for what is not configured.
// Nothing is connected yet. What is half configured is refused: a portal that
// silently sends nothing would be found out by the people who wait for a code.
func (s settings) transports() (*mail.Sender, sms.Sender, error) {
	texts, err := s.SMS.sender()
	if err != nil {
		return nil, nil, transportFailure("sms", err)
	}
	letters, err := s.Mail.sender()
	if err != nil {
		return nil, nil, transportFailure("mail", err)
	}
	return letters, texts, nil
}

// sender makes the sender of mail.
func (m mailSettings) sender() (*mail.Sender, error) {
	if m == (mailSettings{}) {
		return nil, nil
	}
	return mail.NewSender(mail.Config{
		Host: m.Host, Port: m.Port, TLS: mail.TLS(m.TLS), User: m.User, Password: m.Password,
		From: m.From, FromName: m.FromName, CA: m.CA,
	})
}

// sender makes the sender of text messages.
func (m smsSettings) sender() (sms.Sender, error) {
	switch {
	case m == (smsSettings{}):
		return nil, nil
	case m.Kind == smsTwilio:
		t, err := sms.NewTwilio(sms.TwilioConfig{BaseURL: m.URL, Account: m.Account, Token: m.Token, From: m.From, CA: m.CA})
		if err != nil {
			return nil, err
		}
		return t, nil
	case m.Kind == "":
		return nil, &sms.ConfigError{Field: "kind", Problem: sms.ProblemMissing}
	case m.Kind != smsWebhook:
		return nil, fail("transport_kind", "Kind", text.Escape(m.Kind))
	case m.Account != "":
		return nil, fail("transport_unused", "Field", "sms.account")
	case m.From != "":
		return nil, fail("transport_unused", "Field", "sms.from")
	}
	w, err := sms.NewWebhook(sms.WebhookConfig{URL: m.URL, Secret: m.Token, CA: m.CA})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// transportFailure says in words which setting of a section cannot be meant.
// No value is in it but the kind of service: the others can be secrets.
func transportFailure(section string, err error) error {
	var letters *mail.ConfigError
	var texts *sms.ConfigError
	var field, problem string
	switch {
	case errors.As(err, &letters):
		field, problem = letters.Field, letters.Problem
	case errors.As(err, &texts):
		field, problem = texts.Field, texts.Problem
	default:
		return err
	}
	return fail("transport_"+problem, "Field", section+"."+field, "Section", section, "Least", sms.MinSecret).because(err)
}

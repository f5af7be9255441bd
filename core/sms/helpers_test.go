package sms_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"postern/core/sms"
	"postern/core/sms/smstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

const (
	token  = "hunter2hunter2hunter2"
	number = "+5511987654321"
)

var message = sms.Message{ID: "01JDX0000000000000000000AB", To: number, Text: "Olá! 123456 é o seu código 🗝\n<&>"}

func twilio(t testing.TB, c sms.TwilioConfig) *sms.Twilio {
	t.Helper()
	c.Account, c.Token, c.From = "AC0123456789abcdef", token, "+15550100"
	s, err := sms.NewTwilio(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func webhook(t testing.TB, c sms.WebhookConfig) *sms.Webhook {
	t.Helper()
	c.Secret = token
	s, err := sms.NewWebhook(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// both are senders of both kinds to one receiver.
func both(t testing.TB, url, ca string, timeout time.Duration) []sms.Sender {
	t.Helper()
	return []sms.Sender{
		twilio(t, sms.TwilioConfig{BaseURL: url, CA: ca, Timeout: timeout}),
		webhook(t, sms.WebhookConfig{URL: url + "/hook?key=urlsecret", CA: ca, Timeout: timeout}),
	}
}

// expect compares an error's code and whether it is permanent.
func expect(t testing.TB, err error, code string, permanent bool) {
	t.Helper()
	if sms.Describe(err) != code || sms.Permanent(err) != permanent {
		t.Errorf("%v: %q, permanent %v; want %q, %v", err, sms.Describe(err), sms.Permanent(err), code, permanent)
	}
}

// problem is what is wrong with a configuration.
func problem(err error) string {
	var wrong *sms.ConfigError
	if errors.As(err, &wrong) {
		return wrong.Field + " " + wrong.Problem
	}
	return fmt.Sprint(err)
}

func receiver(t testing.TB, o smstest.Options) *smstest.Server {
	t.Helper()
	return smstest.New(t, o)
}

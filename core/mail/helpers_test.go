package mail_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"postern/core/mail"
	"postern/core/mail/mailtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

// reach is a configuration that reaches a server.
func reach(t testing.TB, s *mailtest.Server) mail.Config {
	t.Helper()
	return mail.Config{
		Host: s.Host(), Port: s.Port(), CA: s.CAFile(t), From: "portal@lab.example", FromName: "Lab portal",
		Hello: "portal.lab.example", Timeout: 10 * time.Second,
	}
}

// sender makes a sender that is closed when the test ends.
func sender(t testing.TB, c mail.Config) *mail.Sender {
	t.Helper()
	s, err := mail.NewSender(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// letters are n messages to different people.
func letters(n int) []mail.Message {
	out := make([]mail.Message, n)
	for i := range out {
		out[i] = mail.Message{
			ID: fmt.Sprintf("01JD%04d", i), To: fmt.Sprintf("ada%d@example.org", i),
			Subject: "Your code", Text: "123456\n\nThis code holds for ten minutes.\n", Date: when,
		}
	}
	return out
}

var when = time.Date(2026, 3, 2, 9, 0, 0, 0, time.FixedZone("", -3*3600))

// codes are what became of messages, "" for those that were accepted.
func codes(results []mail.Result) []string {
	out := make([]string, len(results))
	for i, r := range results {
		out[i] = mail.Describe(r.Err)
	}
	return out
}

// one sends one message and returns its error.
func one(t testing.TB, s *mail.Sender) error {
	t.Helper()
	results := s.Send(ctx, letters(1))
	if len(results) != 1 {
		t.Fatalf("%d results for one message", len(results))
	}
	return results[0].Err
}

// expect compares an error's code and whether it is permanent.
func expect(t testing.TB, err error, code string, permanent bool) {
	t.Helper()
	if mail.Describe(err) != code || mail.Permanent(err) != permanent {
		t.Errorf("%v: %q, permanent %v; want %q, %v", err, mail.Describe(err), mail.Permanent(err), code, permanent)
	}
}

// problem is what is wrong with a configuration.
func problem(c mail.Config) string {
	_, err := mail.NewSender(c)
	var wrong *mail.ConfigError
	if errors.As(err, &wrong) {
		return wrong.Field + " " + wrong.Problem
	}
	return fmt.Sprint(err)
}

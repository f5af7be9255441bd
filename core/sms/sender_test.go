package sms_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"postern/core/sms"
	"postern/core/sms/smstest"
)

func TestTwilioIsAskedAsItsInterfaceSays(t *testing.T) {
	server := receiver(t, smstest.Options{Status: 201, Answer: `{"sid":"SM1"}`})
	for i, base := range []string{"", "/", "/a/proxy", "/a/proxy/"} {
		s := twilio(t, sms.TwilioConfig{BaseURL: server.URL() + base})
		if err := s.Send(ctx, message); err != nil || s.Name() != "twilio" {
			t.Fatal(err)
		}
		r := server.Requests()[i]
		if want := strings.TrimSuffix(base, "/") + "/2010-04-01/Accounts/AC0123456789abcdef/Messages.json"; r.Method != "POST" || r.Path != want {
			t.Errorf("%s %s, want POST %s", r.Method, r.Path, want)
		}
		if r.User != "AC0123456789abcdef" || r.Password != token || len(r.Form) != 3 ||
			r.Form.Get("To") != number || r.Form.Get("From") != "+15550100" || r.Form.Get("Body") != message.Text {
			t.Errorf("%+v", r)
		}
	}
}

func TestAWebhookIsSignedOverWhatItSends(t *testing.T) {
	server := receiver(t, smstest.Options{Status: 204})
	s := webhook(t, sms.WebhookConfig{URL: server.URL() + "/hook"})
	before := time.Now().Truncate(time.Second)
	if err := s.Send(ctx, message); err != nil || s.Name() != "webhook" {
		t.Fatal(err)
	}
	r := server.Requests()[0]
	stamp, signature := r.Header.Get("Postern-Timestamp"), r.Header.Get("Postern-Signature")
	if !sms.VerifySignature(token, stamp, r.Body, signature) {
		t.Errorf("%q is not the signature of %q at %s", signature, r.Body, stamp)
	}
	var body map[string]string
	if err := json.Unmarshal([]byte(r.Body), &body); err != nil {
		t.Fatal(err)
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || time.Unix(seconds, 0).Before(before) || body["at"] != time.Unix(seconds, 0).UTC().Format(time.RFC3339) {
		t.Errorf("at %s, stamped %s", body["at"], stamp)
	}
	if r.Method != "POST" || r.Path != "/hook" || r.Header.Get("Content-Type") != "application/json" || len(body) != 4 ||
		body["id"] != message.ID || body["to"] != number || body["text"] != message.Text {
		t.Errorf("%+v", r)
	}
}

// A vector that other languages can be held to.
func TestASignatureIsAnHMACOverTimestampDotBody(t *testing.T) {
	const secret, stamp, body = "0123456789abcdef", "1772442000", `{"id":"a"}`
	const right = "v1=5c7d77dd330fbaa7a5e1f74d033ee72f4c81d382352fd97d9d9c525865f9a5ec"
	if !sms.VerifySignature(secret, stamp, body, right) {
		t.Error("the right one is refused")
	}
	for name, wrong := range map[string][4]string{
		"another secret":  {"0123456789abcdeg", stamp, body, right},
		"another time":    {secret, "1772442001", body, right},
		"another body":    {secret, stamp, body + " ", right},
		"a moved dot":     {secret, stamp + ".", body, right},
		"no version":      {secret, stamp, body, right[3:]},
		"another version": {secret, stamp, body, "v2" + right[2:]},
		"capitals":        {secret, stamp, body, strings.ToUpper(right)},
		"cut short":       {secret, stamp, body, right[:len(right)-1]},
		"nothing":         {secret, stamp, body, ""},
		"a short secret":  {"short", stamp, body, "v1=8626ab4c611b47e1d8eb5dfc49daf299d2000995a441c5827b1a484864dc9ee1"},
		"no secret":       {"", stamp, body, "v1=1649ce47df70c8522c04e3d71a88dea0961e241b2d977aceb623508d47e57d8f"},
	} {
		if sms.VerifySignature(wrong[0], wrong[1], wrong[2], wrong[3]) {
			t.Errorf("%s passes", name)
		}
	}
}

func TestWhatAStatusMeans(t *testing.T) {
	server := receiver(t, smstest.Options{Answer: "the token hunter2 is wrong \x1b[2J"})
	for status, want := range map[int]struct {
		code      string
		permanent bool
	}{
		400: {"refused", true}, 401: {"auth", false}, 403: {"auth", false}, 404: {"unreachable", false}, 410: {"refused", true}, 422: {"refused", true},
		408: {"deferred", false}, 429: {"deferred", false}, 500: {"deferred", false}, 502: {"deferred", false}, 503: {"deferred", false},
		304: {"unreachable", false},
	} {
		server.Change(func(o *smstest.Options) { o.Status = status })
		for _, s := range both(t, server.URL(), "", 0) {
			err := s.Send(ctx, message)
			expect(t, err, want.code, want.permanent)
			clean(t, err)
		}
	}
	for _, status := range []int{200, 202, 204} {
		server.Change(func(o *smstest.Options) { o.Status = status })
		for _, s := range both(t, server.URL(), "", 0) {
			if err := s.Send(ctx, message); err != nil {
				t.Errorf("%s, %d: %v", s.Name(), status, err)
			}
		}
	}
}

// clean looks for what an error must not hold (ASVS 16.2.5).
func clean(t testing.TB, err error) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, said := range []string{e.Error(), fmt.Sprintf("%+v %#v", e, e)} {
			for _, never := range []string{"hunter2", "urlsecret", "AC0123", number, "127.0.0.1", "\x1b", "http"} {
				if strings.Contains(said, never) {
					t.Errorf("%q is in %q", never, said)
				}
			}
		}
	}
}

// ASVS 15.3.2: the message and the password go nowhere but where they were sent.
func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := receiver(t, smstest.Options{})
	server := receiver(t, smstest.Options{RedirectTo: elsewhere.URL() + "/2010-04-01/"})
	for _, s := range both(t, server.URL(), "", 0) {
		err := s.Send(ctx, message)
		expect(t, err, "unreachable", false)
		clean(t, err)
	}
	if n := len(elsewhere.Requests()); n != 0 {
		t.Errorf("%d requests followed", n)
	}
}

// ASVS 16.5.2.
func TestAServiceThatIsNotThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	for _, s := range both(t, "http://"+l.Addr().String(), "", 0) {
		err := s.Send(ctx, message)
		expect(t, err, "unreachable", false)
		clean(t, err)
	}
}

func TestAServiceThatIsSlow(t *testing.T) {
	server := receiver(t, smstest.Options{Slow: time.Hour})
	for _, s := range both(t, server.URL(), "", 100*time.Millisecond) {
		err := s.Send(ctx, message)
		expect(t, err, "timeout", false)
		clean(t, err)
	}
}

func TestSendingEndsWithItsContext(t *testing.T) {
	server := receiver(t, smstest.Options{Slow: time.Hour})
	for i, s := range both(t, server.URL(), "", 0) {
		ctx, cancel := context.WithCancel(ctx)
		go func() {
			server.Wait(t, i+1)
			cancel()
		}()
		err := s.Send(ctx, message)
		expect(t, err, "closed", false)
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		late, cancel := context.WithTimeout(context.Background(), time.Nanosecond)
		expect(t, s.Send(late, message), "timeout", false)
		cancel()
	}
}

func TestAServiceThatHangsUp(t *testing.T) {
	server := receiver(t, smstest.Options{Close: true})
	for _, s := range both(t, server.URL(), "", 0) {
		err := s.Send(ctx, message)
		expect(t, err, "closed", false)
		clean(t, err)
	}
	if n := len(server.Requests()); n != 2 {
		t.Errorf("%d requests for two messages: one was sent twice", n)
	}
}

// An answer without end costs neither memory nor time.
func TestAnAnswerIsReadBounded(t *testing.T) {
	server := receiver(t, smstest.Options{Status: 201, Endless: true})
	for _, s := range both(t, server.URL(), "", 5*time.Second) {
		if err := s.Send(ctx, message); err != nil {
			t.Error(err)
		}
	}
	if n := server.Endless(); n > 32<<20 { // what the sockets hold is not read
		t.Errorf("%d MiB were taken", n>>20)
	}
}

// ASVS 12.3.2: httptest's certificate is for 127.0.0.1, so localhost is a lie.
func TestALyingCertificateGetsNothing(t *testing.T) {
	server := receiver(t, smstest.Options{TLS: true})
	ca := server.CAFile(t)
	for _, s := range both(t, server.URL(), ca, 0) {
		if err := s.Send(ctx, message); err != nil {
			t.Error(err)
		}
	}
	lie := strings.Replace(server.URL(), "127.0.0.1", "localhost", 1)
	for _, s := range append(both(t, lie, ca, 0), both(t, server.URL(), "", 0)...) {
		err := s.Send(ctx, message)
		expect(t, err, "tls", false)
		clean(t, err)
	}
	plain := receiver(t, smstest.Options{})
	for _, s := range both(t, strings.Replace(plain.URL(), "http:", "https:", 1), ca, 0) {
		expect(t, s.Send(ctx, message), "tls", false)
	}
	if len(server.Requests()) != 2 || len(plain.Requests()) != 0 {
		t.Errorf("%d and %d requests", len(server.Requests()), len(plain.Requests()))
	}
}

func TestAMessageThatNoServiceShouldSee(t *testing.T) {
	server := receiver(t, smstest.Options{})
	for _, s := range both(t, server.URL(), "", 0) {
		for _, to := range []string{"", "ada", "5511987654321", "+0511987654321", "+55 11 98765", "+5511987654321\r\nX: y", "+55119876543210000", "+５５11987654321"} {
			m := message
			m.To = to
			expect(t, s.Send(ctx, m), "address", true)
		}
		for _, m := range []sms.Message{{ID: message.ID, To: number}, {ID: message.ID, To: number, Text: "a\x00"}, {ID: message.ID, To: number, Text: "\xff"},
			{To: number, Text: "x"}, {ID: "a\nb", To: number, Text: "x"}} {
			expect(t, s.Send(ctx, m), "internal", true)
		}
	}
	if n := len(server.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

func TestAConfigurationThatCannotBeMeantIsRefused(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*sms.TwilioConfig){
		"account missing":   func(c *sms.TwilioConfig) { c.Account = "" },
		"account character": func(c *sms.TwilioConfig) { c.Account = "../AC1" },
		"token missing":     func(c *sms.TwilioConfig) { c.Token = "" },
		"token character":   func(c *sms.TwilioConfig) { c.Token = "to\nken" },
		"from missing":      func(c *sms.TwilioConfig) { c.From = "" },
		"from character":    func(c *sms.TwilioConfig) { c.From = "Lab\r\n" },
		"url clear":         func(c *sms.TwilioConfig) { c.BaseURL = "http://sms.example" },
		"url url":           func(c *sms.TwilioConfig) { c.BaseURL = "https://sms.example?a=b" },
		"ca ca":             func(c *sms.TwilioConfig) { c.CA = empty },
		"timeout timeout":   func(c *sms.TwilioConfig) { c.Timeout = -1 },
		"<nil>":             func(c *sms.TwilioConfig) { c.BaseURL = "" },
	} {
		c := sms.TwilioConfig{BaseURL: "https://sms.example", Account: "AC1", Token: token, From: "Lab"}
		change(&c)
		if _, err := sms.NewTwilio(c); problem(err) != want {
			t.Errorf("%s, want %s", problem(err), want)
		}
	}
	for url, want := range map[string]string{
		"": "url missing", "sms.example/hook": "url url", "ftp://sms.example": "url url", "https://": "url url", "https:sms.example": "url url",
		"https://sms.example/hook#x": "url url", "http://sms.example/hook": "url clear", "http://127.0.0.1.sms.example/": "url clear", "http://10.0.0.1/": "url clear",
		"https://sms.example\n/": "url url", "https://sms.example/hook?key=1": "<nil>", "http://127.0.0.1:8080/hook": "<nil>", "http://[::1]/": "<nil>", "http://localhost/": "<nil>",
	} {
		if _, err := sms.NewWebhook(sms.WebhookConfig{URL: url, Secret: token}); problem(err) != want {
			t.Errorf("%q: %s, want %s", url, problem(err), want)
		}
	}
	for secret, want := range map[string]string{"": "token missing", "0123456789abcde": "token secret", "0123456789abcdef": "<nil>"} {
		if _, err := sms.NewWebhook(sms.WebhookConfig{URL: "https://sms.example", Secret: secret}); problem(err) != want {
			t.Errorf("%q: %s, want %s", secret, problem(err), want)
		}
	}
}

package mail_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"postern/core/mail"
	"postern/core/mail/mailtest"
)

// ASVS 12.3.2: a certificate of another host's, or one that nobody known has
// signed, and nothing is sent: no message, no name of a user, no password.
func TestALyingCertificateGetsNothing(t *testing.T) {
	for _, implicit := range []bool{false, true} {
		for _, stranger := range []bool{false, true} {
			server := mailtest.New(t, mailtest.Options{WrongHostCertificate: !stranger, ImplicitTLS: implicit, User: "portal", Password: "secret"})
			c := reach(t, server)
			c.User, c.Password = "portal", "secret"
			if implicit {
				c.TLS = mail.ImplicitTLS
			}
			if stranger {
				c.CA = ""
			}
			for _, r := range sender(t, c).Send(ctx, letters(3)) {
				expect(t, r.Err, "tls", false)
				if want := map[bool]string{false: "another host", true: "nobody known"}[stranger]; !strings.Contains(r.Err.Error(), want) {
					t.Errorf("%v does not say that it is of %s", r.Err, want)
				}
			}
			if server.Transactions() != 0 || server.SignIns() != 0 || server.Connections() != 1 {
				t.Errorf("%d transactions, %d sign-ins over %d connections", server.Transactions(), server.SignIns(), server.Connections())
			}
		}
	}
}

// ASVS 12.3.1: encryption is demanded, never hoped for.
func TestWithoutSTARTTLSNothingIsSent(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{NoSTARTTLS: true, User: "portal", Password: "secret"})
	c := reach(t, server)
	c.User, c.Password = "portal", "secret"
	for _, r := range sender(t, c).Send(ctx, letters(2)) {
		expect(t, r.Err, "tls", false)
	}
	if server.Transactions() != 0 || server.SignIns() != 0 {
		t.Errorf("%d transactions, %d sign-ins", server.Transactions(), server.SignIns())
	}
	// Nor is anything sent where the server is plain and was to be encrypted.
	c.TLS = mail.ImplicitTLS
	expect(t, one(t, sender(t, c)), "tls", false)
}

func TestOldTLSIsNotSpoken(t *testing.T) { // ASVS 12.1.1
	for _, implicit := range []bool{false, true} {
		server := mailtest.New(t, mailtest.Options{OldTLS: true, ImplicitTLS: implicit})
		c := reach(t, server)
		if implicit {
			c.TLS = mail.ImplicitTLS
		}
		expect(t, one(t, sender(t, c)), "tls", false)
	}
}

func TestAWrongPasswordIsForTheOperatorToMend(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{User: "portal", Password: "right"})
	c := reach(t, server)
	c.User, c.Password = "portal", "hunter2hunter2"
	for _, r := range sender(t, c).Send(ctx, letters(3)) {
		expect(t, r.Err, "auth", false)
		// ASVS 16.2.5: the server repeats the password, the error does not.
		for _, said := range []string{r.Err.Error(), fmt.Sprintf("%+v %#v", r.Err, r.Err)} {
			if strings.Contains(said, "hunter2") || strings.Contains(said, "\x1b") {
				t.Errorf("the error holds what the server said: %q", said)
			}
		}
	}
	if server.SignIns() != 1 {
		t.Errorf("it was tried %d times in one batch", server.SignIns())
	}
	c.User, c.Password = "", ""
	expect(t, one(t, sender(t, c)), "auth", false) // 530 at MAIL
}

func TestThePasswordIsNeverSentInTheClear(t *testing.T) {
	var mu sync.Mutex
	var heard strings.Builder
	port, _ := mute(t, func(c net.Conn) {
		_, _ = io.WriteString(c, "220 here\r\n")
		lines := bufio.NewScanner(c)
		for lines.Scan() {
			mu.Lock()
			heard.WriteString(lines.Text() + "\n")
			mu.Unlock()
			answer := "250 yes"
			if strings.HasPrefix(lines.Text(), "EHLO") {
				answer = "250-here\r\n250 AUTH PLAIN LOGIN XOAUTH2"
			}
			_, _ = io.WriteString(c, answer+"\r\n")
		}
	})
	c := mail.Config{Host: "127.0.0.1", Port: port, TLS: mail.NoTLS, From: "portal@lab.example", User: "portal", Password: "secret"}
	expect(t, one(t, sender(t, c)), "auth", false)
	mu.Lock()
	defer mu.Unlock()
	if strings.Contains(heard.String(), "AUTH") || strings.Contains(heard.String(), base64.StdEncoding.EncodeToString([]byte("secret"))) {
		t.Errorf("the server heard %q", heard.String())
	}
}

func TestAServerOnThisMachineNeedsNoEncryption(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{NoSTARTTLS: true})
	for _, host := range []string{"127.0.0.1", "localhost"} {
		c := reach(t, server)
		c.TLS, c.Host, c.CA = mail.NoTLS, host, ""
		if err := one(t, sender(t, c)); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// ASVS 1.3.11: what ends a line is refused before anything is sent.
func TestNothingThatEndsALineIsSent(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{})
	s := sender(t, reach(t, server))
	good := letters(1)[0]
	for _, evil := range []string{"\r\n", "\n", "\r", "\x00", "\x1b", "\x7f", "\u0085", "\u2028", "\u202e", "\xff", "\nRCPT TO:<eve@example.org>", "\r\nBcc: eve@example.org"} {
		for where, m := range map[string]mail.Message{
			"address": {To: "ada" + evil + "@example.org"}, "address's end": {To: "ada@example.org" + evil}, "address's beginning": {To: evil + "ada@example.org"},
			"subject": {Subject: "Your code" + evil}, "id": {ID: "01JD" + evil},
		} {
			full := good
			if m.To != "" {
				full.To = m.To
			}
			if m.Subject != "" {
				full.Subject = m.Subject
			}
			if m.ID != "" {
				full.ID = m.ID
			}
			err := s.Send(ctx, []mail.Message{full})[0].Err
			expect(t, err, map[bool]string{true: "address", false: "internal"}[m.To != ""], true)
			if t.Failed() {
				t.Fatalf("%q in the %s", evil, where)
			}
		}
		for field, change := range map[string]func(*mail.Config){
			"from address":        func(c *mail.Config) { c.From += evil },
			"from_name character": func(c *mail.Config) { c.FromName += evil },
			"user character":      func(c *mail.Config) { c.User, c.Password = "u"+evil, "p" },
			"password character":  func(c *mail.Config) { c.User, c.Password = "u", "p"+evil },
			"host host":           func(c *mail.Config) { c.Host = "mail" + evil },
			"hello host":          func(c *mail.Config) { c.Hello += evil },
		} {
			c := reach(t, server)
			change(&c)
			if got := problem(c); got != field {
				t.Errorf("%q: %s, want %s", evil, got, field)
			}
		}
	}
	if server.Connections() != 0 {
		t.Errorf("%d connections for nothing", server.Connections())
	}
}

func TestWhatIsNoAddress(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{})
	s := sender(t, reach(t, server))
	for _, to := range []string{
		"", "ada", "@example.org", "ada@", "Ada <ada@example.org>", "<ada@example.org>", "ada@example.org, eve@example.org", "ada@example.org (home)",
		"ada lovelace@example.org", `"ada lovelace"@example.org`, "adä@example.org", "ada@exämple.org", "ada@example.org>", "ada@@example.org",
		strings.Repeat("a", 65) + "@example.org", "ada@" + strings.Repeat("a.", 130) + "org", "ada@example.org SIZE=1",
	} {
		m := letters(3)
		m[1].To = to
		results := s.Send(ctx, m)
		expect(t, results[1].Err, "address", true)
		if results[0].Err != nil || results[2].Err != nil {
			t.Errorf("%q harmed the others: %v", to, results)
		}
	}
}

func TestAMessageNeedsAnIdAndAText(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{})
	m := letters(3)
	m[0].ID, m[1].Text, m[2].ID = "", "", strings.Repeat("x", 129)
	for _, r := range sender(t, reach(t, server)).Send(ctx, m) {
		expect(t, r.Err, "internal", true)
	}
}

func TestAConfigurationThatCannotBeMeantIsRefused(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*mail.Config){
		"host missing":     func(c *mail.Config) { c.Host = "" },
		"host host":        func(c *mail.Config) { c.Host = "mail.example.org:25" },
		"port port":        func(c *mail.Config) { c.Port = 65536 },
		"tls tls":          func(c *mail.Config) { c.TLS = "ssl" },
		"tls clear":        func(c *mail.Config) { c.TLS = mail.NoTLS },
		"user missing":     func(c *mail.Config) { c.Password = "p" },
		"password missing": func(c *mail.Config) { c.User = "u" },
		"from missing":     func(c *mail.Config) { c.From = "" },
		"from address":     func(c *mail.Config) { c.From = "Lab <portal@lab.example>" },
		"ca ca":            func(c *mail.Config) { c.CA = empty },
		"timeout timeout":  func(c *mail.Config) { c.Timeout = -time.Second },
		"<nil>":            func(c *mail.Config) { c.Host = "2001:db8::25" },
	} {
		c := mail.Config{Host: "mail.example.org", From: "portal@lab.example"}
		change(&c)
		if got := problem(c); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := problem(mail.Config{Host: "mail.example.org", From: "portal@lab.example", CA: empty + ".not"}); got != "ca ca" {
		t.Error(got)
	}
}

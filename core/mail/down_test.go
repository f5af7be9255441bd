package mail_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"postern/core/mail"
)

// stalling answers as a friendly server does, until a command that it lets wait for
// ever, or "" for none. What it says to MAIL and RCPT comes with its answer to DATA,
// as RFC 2920 allows, or at once.
func stalling(t *testing.T, at, offers string, says map[string]string) mail.Config {
	port, _ := mute(t, func(c net.Conn) {
		lines := bufio.NewReader(c)
		_, _ = io.WriteString(c, "220 here\r\n")
		kept := ""
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			said, ok := says[verb]
			switch {
			case verb == at:
				_, _ = io.Copy(io.Discard, c)
				return
			case ok && said == "":
				_ = c.Close()
				return
			case verb == "EHLO":
				said = "250-here\r\n250 " + offers
			case !ok:
				said = agreeable(strings.TrimSpace(line))
			}
			if kept += said + "\r\n"; offers == "PIPELINING" && (verb == "MAIL" || verb == "RCPT") {
				continue
			}
			_, _ = io.WriteString(c, kept)
			kept = ""
		}
	})
	return mail.Config{Host: "127.0.0.1", Port: port, TLS: mail.NoTLS, From: "portal@lab.example", Timeout: 300 * time.Millisecond}
}

// What comes before a message's own recipient is the server's failure; what comes
// with it or after it may be that message's alone.
func TestWhetherItIsTheServerOrTheMessage(t *testing.T) {
	refused := func(verb, with string) map[string]string { return map[string]string{verb: with} }
	for name, c := range map[string]struct {
		at     string
		says   map[string]string
		offers string
		code   string
		down   bool
	}{
		"it does not greet":                          {at: "EHLO", code: "timeout", down: true},
		"it hangs up instead":                        {says: refused("EHLO", ""), code: "closed", down: true},
		"it lets the sender wait":                    {at: "MAIL", offers: "8BITMIME", code: "timeout", down: true},
		"it hangs up at the sender":                  {says: refused("MAIL", ""), offers: "8BITMIME", code: "closed", down: true},
		"it refuses the sender":                      {says: refused("MAIL", "550 not you"), offers: "8BITMIME", code: "auth", down: true},
		"it refuses the sender for now":              {says: refused("MAIL", "451 too many"), offers: "8BITMIME", code: "deferred", down: true},
		"it lets the recipient wait":                 {at: "RCPT", offers: "8BITMIME", code: "timeout"},
		"it hangs up at the recipient":               {says: refused("RCPT", ""), offers: "8BITMIME", code: "closed"},
		"it refuses the recipient for now":           {says: refused("RCPT", "451 later"), offers: "8BITMIME", code: "deferred"},
		"it lets the content wait":                   {at: "DATA", offers: "8BITMIME", code: "timeout"},
		"together, it lets the recipient wait":       {at: "RCPT", offers: "PIPELINING", code: "timeout"},
		"together, it hangs up at the recipient":     {says: refused("RCPT", ""), offers: "PIPELINING", code: "closed"},
		"together, it refuses the sender":            {says: refused("MAIL", "550 not you"), offers: "PIPELINING", code: "auth", down: true},
		"together, it lets the content wait":         {at: "DATA", offers: "PIPELINING", code: "timeout"},
		"together, it refuses the recipient for now": {says: refused("RCPT", "451 later"), offers: "PIPELINING", code: "deferred"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := one(t, sender(t, stalling(t, c.at, c.offers, c.says)))
			expect(t, err, c.code, false)
			if mail.Down(err) != c.down {
				t.Errorf("%v: the server's: %v, want %v", err, mail.Down(err), c.down)
			}
		})
	}
	if mail.Down(nil) || mail.Down(io.EOF) {
		t.Error("nothing, or an error of somebody else's, is the server's")
	}
}

// What was given up without its turn says so: it has not failed.
func TestWhatWasNotTriedIsHeld(t *testing.T) {
	held := func(c mail.Config) (n int) {
		for _, r := range sender(t, c).Send(ctx, letters(5)) {
			if r.Err == nil {
				t.Errorf("%+v says nothing of why", r)
			}
			if r.Held {
				n++
			}
		}
		return n
	}
	for name, c := range map[string]struct {
		config mail.Config
		held   int
	}{
		"nobody is there":        {mail.Config{Host: "127.0.0.1", Port: 1, TLS: mail.NoTLS, From: "portal@lab.example"}, 4},
		"it does not greet":      {stalling(t, "EHLO", "", nil), 4},
		"the recipients wait":    {stalling(t, "RCPT", "8BITMIME", nil), 3},
		"the sender is refused":  {stalling(t, "", "8BITMIME", map[string]string{"MAIL": "550 not you"}), 3},
		"each recipient may not": {stalling(t, "", "8BITMIME", map[string]string{"RCPT": "451 later"}), 0},
	} {
		if n := held(c.config); n != c.held {
			t.Errorf("%s: %d of 5 are held, want %d", name, n, c.held)
		}
	}
	s := sender(t, stalling(t, "", "8BITMIME", nil))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if r := s.Send(ctx, letters(1))[0]; !r.Held || r.Err == nil || mail.Down(r.Err) {
		t.Errorf("after Close: %+v", r)
	}
}

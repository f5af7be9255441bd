package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"postern/core"
	"postern/core/coretest"
	"postern/core/mail/mailtest"
	"postern/core/sms/smstest"
	"postern/screens"
	"postern/tui"
)

// mailed is a home whose mail goes to a server.
func mailed(t testing.TB, server *mailtest.Server) *home {
	t.Helper()
	h := settled(t)
	h.env = append(h.env, "POSTERN_MAIL_HOST="+server.Host(), fmt.Sprintf("POSTERN_MAIL_PORT=%d", server.Port()),
		"POSTERN_MAIL_CA="+server.CAFile(t), "POSTERN_MAIL_FROM=portal@lab.example")
	return h
}

// What came of a test message is said in words, whether a door runs or not.
func TestATestMessageSaysWhatCameOfIt(t *testing.T) {
	t.Parallel()
	server := mailtest.New(t, mailtest.Options{})
	alone, served := mailed(t, server), mailed(t, server)
	served.serve()
	for name, h := range map[string]*home{"alone": alone, "served": served} {
		before := server.Count()
		out, errw, code := h.run("message", "test", "--mail", "ada@lab.example", "--wait")
		if code != exitOK || !strings.Contains(out, "the server has taken it") || errw != "" {
			t.Errorf("%s: exit %d\n%s%s", name, code, out, errw)
		}
		if got := server.Messages(); len(got) != before+1 || got[before].Header.Get("Subject") != "A test message from Lab" {
			t.Errorf("%s: %d messages came", name, len(got)-before)
		}
		out, _, code = h.run("message", "list", "--state", "sent", "--json")
		var list messagesShape
		if err := json.Unmarshal([]byte(out), &list); err != nil || code != exitOK || len(list.Messages) != 1 || list.Messages[0].Done.IsZero() {
			t.Errorf("%s: exit %d, %v\n%s", name, code, err, out)
		}
	}
	out, _, code := served.run("message", "test", "--mail", "ada@lab.example")
	if code != exitOK || !strings.Contains(out, "queued") {
		t.Errorf("exit %d, %s", code, out)
	}

	server.Change(func(o *mailtest.Options) { o.RefuseAll = true })
	for name, h := range map[string]*home{"alone": alone, "served": served} {
		out, _, code := h.run("message", "test", "--mail", "eve@lab.example", "--wait", "--json")
		var m messageShape
		if err := json.Unmarshal([]byte(out), &m); err != nil || code != exitRefused || m.State != core.MessageDead || m.Problem != "refused" {
			t.Errorf("%s: exit %d, %v\n%s", name, code, err, out)
			continue
		}
		if out, _, _ := h.run("message", "list"); !strings.Contains(out, "given up · it was refused") {
			t.Errorf("%s: %s", name, out)
		}
		// What was given up is tried again when somebody has mended it.
		server.Change(func(o *mailtest.Options) { o.RefuseAll = false })
		if out, errw, code := h.run("message", "retry", m.ID, "--json"); code != exitOK || !strings.Contains(out, m.ID) {
			t.Errorf("%s: exit %d\n%s%s", name, code, out, errw)
		}
		if out, _, code := h.run("message", "retry", m.ID, "--json"); code != exitRefused || !strings.Contains(out, `"conflict"`) {
			t.Errorf("%s: exit %d, %s", name, code, out)
		}
		server.Change(func(o *mailtest.Options) { o.RefuseAll = true })
	}
}

func TestATestMessageToAServerThatIsDown(t *testing.T) {
	t.Parallel()
	server := mailtest.New(t, mailtest.Options{})
	h := mailed(t, server)
	server.Stop()
	out, _, code := h.run("message", "test", "--mail", "ada@lab.example", "--wait")
	if code != exitRefused || !strings.Contains(out, "the service cannot be reached. It stays in the outbox and is tried again.") {
		t.Errorf("exit %d, %s", code, out)
	}
}

func TestATestBySMS(t *testing.T) {
	t.Parallel()
	server := smstest.New(t, smstest.Options{})
	h := settled(t)
	h.env = append(h.env, "POSTERN_SMS_KIND=webhook", "POSTERN_SMS_URL="+server.URL()+"/hook", "POSTERN_SMS_TOKEN="+hush)
	h.run("policy", "set", "messages.sms_allowance=5")
	out, errw, code := h.run("message", "test", "--sms", "+44 7700 900123", "--wait")
	if code != exitOK || !strings.Contains(out, "sent to +447700900123") {
		t.Fatalf("exit %d\n%s%s", code, out, errw)
	}
	if got := server.Requests(); len(got) != 1 || !strings.Contains(got[0].Body, "Text messages arrive") {
		t.Errorf("%+v", got)
	}
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

// nobodysPost takes everything and does nothing.
type nobodysPost struct{ core.Mailer }

// A code that a provider carries to its person is shown to nobody else, and
// whoever reads a message is written down.
func TestACodeOnItsWayIsNotShown(t *testing.T) {
	catalog, err := tui.LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, carried := range []bool{true, false} {
		p := coretest.Open(t, func(_ testing.TB, c *core.Config) {
			c.Writer = screens.Words{Catalog: catalog}
			if carried {
				c.Mail = nobodysPost{}
			}
		})
		bob := p.SignUp("bob")
		if _, err := p.Factors.BeginAddress(context.Background(), bob); err != nil {
			t.Fatal(err)
		}
		list := document[messagesShape](t, p.Portal, coretest.Console(), "message", "list")
		if len(list.Messages) != 1 || list.Messages[0].Until.IsZero() {
			t.Fatalf("%+v", list)
		}
		id := list.Messages[0].ID
		out, _, code := asks(t, p.Portal, coretest.Console(), "", "message", "show", id)
		read := document[readingShape](t, p.Portal, coretest.Console(), "message", "show", id)
		seen := sixDigits.MatchString(out + read.Text)
		if code != exitOK || read.Hidden != carried || seen == carried || strings.Contains(out, "is not shown") != carried {
			t.Errorf("carried: %v, exit %d\n%s\n%+v", carried, code, out, read)
		}
		if last := p.Trail()[0]; last.Action != core.ActMessageRead || last.Target != id {
			t.Errorf("%+v", last)
		}
	}
}

// Every state and problem that a message can have has its words.
func TestMessagesStandInWords(t *testing.T) {
	catalog, err := tui.LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	c := &Call{Dict: catalog.Dict("en")}
	for _, code := range []string{"unreachable", "timeout", "tls", "auth", "refused", "deferred", "closed", "address", "internal", "expired"} {
		if c.problem(code) == code {
			t.Errorf("%s has no words", code)
		}
	}
	if got := c.problem("a\x1bb"); strings.Contains(got, "\x1b") {
		t.Errorf("%q", got)
	}
	for _, s := range []core.MessageState{core.MessageQueued, core.MessageSent, core.MessageDead} {
		if got := c.stands(core.Message{State: s}); strings.Contains(got, "⟦") {
			t.Error(got)
		}
	}
}

package screens

import (
	"fmt"
	"strings"
	"testing"

	"postern/core"
	"postern/tui/tuitest"
)

func TestALongOutboxIsReadPageByPage(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	for i := range 230 {
		p.write(t, core.ServiceMail, fmt.Sprintf("reader%d@example.org", i))
	}
	v, _ := p.outboxOf(t)
	v.WaitFor("The newest 100 messages.").Contains("reader229@", "230 of 1,000 this month, 23 %")
	v.Press("end").WaitFor("The newest 200 messages.")
	v.Press("end").WaitFor("230 messages. That is all.").Press("end")
	marked(t, v, "reader0@")
	p.write(t, core.ServiceMail, "late@example.org")
	v.Press("r").WaitFor("231 messages.")
	marked(t, v, "reader0@")
	v.Press("/").Type("reader17@").WaitFor("1 of 231")
}

func TestAnOutboxThatCannotBeReadSaysSo(t *testing.T) {
	t.Parallel()
	const busy = "The portal could not answer"
	p := newPost(t, nil)
	p.write(t, core.ServiceMail, "ada@example.org")
	v, e := p.outboxOf(t)
	cut(e, true)
	walk(t, v, "r", busy, "enter", "› Test", "enter", busy, "esc", "ada@example.org", "f", busy)
	v.Lacks("ada@example.org") // it may be of another state
	cut(e, false)
	walk(t, v, "r", "1 message.", "f", "○ queued")
	v.Press("f", "f").WaitFor("● all").WaitFor("1 message.")
	cut(e, true)
	walk(t, v, "T", "Send a test")
	v.Press("tab").Type("ada@example.org").Press("enter").WaitFor(busy)
	cut(e, false)
}

// Every kind, state and problem has words in every language; what this version
// does not know is shown by its name.
func TestEveryMessageOfTheOutboxHasItsWords(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "es", "pt-BR"} {
		e := newPost(t, nil).env(t, tuitest.Lang(lang))
		s := NewOutbox(e).(*outbox)
		for _, k := range kinds() {
			if w := e.kindWord(k); w == string(k) || strings.Contains(w, "⟦") {
				t.Errorf("%s: %s is said as %q", lang, k, w)
			}
		}
		for _, state := range outboxStates()[1:] {
			if w := s.stateWord(core.Message{State: state}); strings.Contains(w, "⟦") || !strings.Contains(w, " ") {
				t.Errorf("%s: %s is said as %q", lang, state, w)
			}
		}
		for _, code := range []string{"unreachable", "timeout", "tls", "auth", "refused", "deferred", "closed", "address", "internal", "expired"} {
			if w := e.problemWord(code); w == code || strings.Contains(w, "⟦") {
				t.Errorf("%s: %s is said as %q", lang, code, w)
			}
		}
		if got := e.kindWord("future\x1b") + e.problemWord("odd\x1b") + e.serviceWord("dove\x1b") + s.stateWord(core.Message{State: "lost\x1b"}); got != "future␛odd␛dove␛lost␛" {
			t.Errorf("what has no words is said as %q", got)
		}
	}
}

// ASVS 1.1.2, 1.2.10: what strangers say of themselves reaches no terminal
// unescaped, and a sign that begins a formula is a sign like others here.
func TestForeignStringsAreHarmlessInInboxAndOutbox(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	ada := p.signUp(t, "ada", otherPassword)
	p.confirmEmail(t, ada)
	p.signIn(t, core.Actor{Door: core.DoorSSH, Remote: "\x1b]0;gotcha\a203", Client: "\u202eevil\x1b[2J\u200b"}, "ada", otherPassword)
	p.signIn(t, core.Actor{Door: "\x1b[31mdoor", Client: "=HYPERLINK(1)"}, "ada", otherPassword)
	p.write(t, core.ServiceMail, "=1+1@example.org")
	p.write(t, core.ServiceMail, "-2@example.org")
	for name, open := range map[string]func() *tuitest.Terminal{
		"inbox":  func() *tuitest.Terminal { return p.at(t, p.env(t), ada, NewInbox) },
		"outbox": func() *tuitest.Terminal { v, _ := p.outboxOf(t); return v },
	} {
		v := open()
		see := func() {
			t.Helper()
			content := v.Router().View().Content
			for _, s := range []string{"\x1b]0", "\x1b[2J", "\x1b[31mdoor", "\u202e", "\u200b", "\a"} {
				if strings.Contains(content, s) {
					t.Errorf("%s: %q reached the terminal", name, s)
				}
			}
		}
		for _, size := range sizes() {
			v.Resize(size[0], size[1])
			for range 4 {
				see()
				v.Press("enter", "enter")
				see()
				v.Press("esc", "down")
			}
			v.Press("home")
		}
	}
	v, _ := p.outboxOf(t)
	v.Contains(" =1+1@example.org", " -2@example.org")
}

package screens

import (
	"strings"
	"testing"

	"postern/core"
	"postern/tui"
	"postern/tui/tuitest"
)

// linesAt is somebody at a screen, in lines.
func (p *place) linesAt(t testing.TB, in core.SignedIn, open func(*Env) tui.Screen, opts ...tuitest.Option) (*tui.Dict, *tuitest.Lines) {
	t.Helper()
	e := p.env(t, append(opts, tuitest.Dumb())...)
	if _, err := First(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	m := e.enter(t.Context(), e.Actor(), in)
	if m.err != nil {
		t.Fatal(m.err)
	}
	e.adopt(m)
	words := e.Dict // of this goroutine's own
	return words, tuitest.OpenLines(t, e.Session, &opener{NewHome(e, m.checkUp), open(e)}, tui.PlainOptions{Raw: true})
}

// undrawn fails if something was drawn instead of said.
func undrawn(t testing.TB, l *tuitest.Lines) {
	t.Helper()
	if text := l.Text(); strings.ContainsAny(text, "\x1b│─┌▸✓●▰") || strings.Contains(text, "###") || strings.Contains(text, "---") {
		t.Errorf("something was drawn:\n%s", text)
	}
}

// The inbox and what is wanted in it, in lines, in every language.
func TestTheInboxInLines(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "es", "pt-BR"} {
		p := newPost(t, nil)
		d, l := p.linesAt(t, p.somethingNew(t), NewInbox, tuitest.Lang(lang))
		w, _ := words(t)
		subject := func(k core.NoticeKind) string { return w.Write(wording(k, "", lang)).Subject }
		l.Hears(d.T("inbox.unread", "Count", 3), "1 * "+d.T("inbox.new")+" "+subject(core.NoticePasswordChanged), "3 * "+d.T("inbox.new")+" "+subject(core.NoticeNewDevice))
		l.Answer("3").Hears(subject(core.NoticeNewDevice), "203.0.113.9").Answer("back")
		l.Hears(d.T("inbox.unread", "Count", 2), "3 "+d.T("inbox.read")).Answer("u").Hears(d.T("inbox.all_read"))
		l.Answer("n").Hears(d.T("wishes.mail_unconfirmed", "Address", "ada@example.org"), "3 "+d.T("outbox.kind.password_changed")+" * "+d.T("wishes.always"))
		l.Answer("m 1").Hears("1 "+d.T("outbox.kind.new_device")+" * "+d.T("wishes.on")+" o "+d.T("wishes.off"),
			d.T("wishes.saved", "Channel", d.T("wishes.mail"), "State", d.T("wishes.off")))
		l.Answer("3").Hears(d.T("wishes.locked")).Answer("back").Hears(d.T("inbox.title")).Answer("back").Hears(d.T("home.check")).Asked()
		undrawn(t, l)
	}
}

// The outbox in lines: numbers for gauges, and each key with the line it is for.
func TestTheOutboxInLines(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "es", "pt-BR"} {
		o := mixed(t)
		d, l := o.linesAt(t, o.owner, NewOutbox, tuitest.Lang(lang))
		l.Hears(d.T("service.mail")+": "+d.T("outbox.used", "Used", 3, "Allowance", 5, "Percent", 60), d.T("service.sms")+": "+d.T("outbox.none_allowed"),
			d.T("outbox.shown", "State", d.T("outbox.state.any")), "grace@nowhere", "x "+d.T("outbox.state.dead"))
		l.Answer("3").Hears(d.T("problem.refused"), d.T("outbox.written_down")).Answer("enter").Hears("A test message from Lanterns") // in its own language
		l.Answer("back").Hears(d.T("outbox.title")).Answer("t 1").Hears(d.T("outbox.not_given_up"))
		l.Answer("t 3").Hears(d.T("outbox.queued_again"))
		l.Answer("f").Hears(d.T("outbox.shown", "State", d.T("outbox.state.queued"))).Lacks("+ " + d.T("outbox.state.sent"))
		l.Answer("T").Hears(d.T("outbox.test_text")).Answer("", "ada@example.com", "2").Hears(d.T("outbox.test_stands", "Address", "ada@example.com", "State", ". "+d.T("outbox.state.queued")))
		l.Asked()
		undrawn(t, l)
	}
}

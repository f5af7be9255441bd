package screens

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"postern/core"
	"postern/tui"
	"postern/tui/tuitest"
)

// sealed is a crew whose trail is sealed, and the end of its chain.
func sealed(t testing.TB) (*place, core.ChainHead) {
	t.Helper()
	p := crew(t)
	if _, err := p.Audit.SealNow(context.Background()); err != nil {
		t.Fatal(err)
	}
	h, err := p.Audit.Head(context.Background(), core.ConsoleActor("root"))
	if err != nil {
		t.Fatal(err)
	}
	return p, h
}

// another is a head at the same place as h, of a chain that says something else.
func another(h core.ChainHead) core.ChainHead {
	h.Hash = strings.Repeat("5", len(h.Hash))
	return h
}

// The trail is verified on the screen without a head too, as it always could be.
func TestTheTrailIsVerifiedOnTheScreen(t *testing.T) {
	t.Parallel()
	p, _ := sealed(t)
	v := p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), NewAudit).WaitFor("sign-in")
	v.Press("v").WaitFor("Noted head").Press("enter").WaitFor("The trail is as it was sealed.").Contains("To note:").Lacks("was noted")
	v.Press("r").WaitFor("The trail is as it was sealed.").Press("esc").WaitFor("sign-in")
}

// A head that was noted, copied as the page breaks it, is found, found to be of another chain, or found to have
// been cut off; a page goes back to the field with what was typed.
func TestTheTrailIsComparedWithANotedHead(t *testing.T) {
	t.Parallel()
	p, head := sealed(t)
	v := p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), NewAudit).WaitFor("sign-in")
	v.Press("v").WaitFor("Noted head").Paste("  " + strings.ToUpper(head.String()[:2]) + "\n  " + head.Hash[:50] + "\n    " + head.Hash[50:] + "\n").Press("enter").WaitFor("The head that was noted lies in it.")
	v.Contains("✓ The trail is as it was sealed.")
	v.Press("n").WaitFor("Noted head").Contains(head.Hash[44:]).Press("ctrl+u").Paste(another(head).String()).Press("enter")
	waitToRead(v, "is not the one that was noted: the trail was written anew.").Lacks("✓")
	cutOff := head
	cutOff.Seq += 5
	v.Press("n").WaitFor("Noted head").Press("ctrl+u").Paste(cutOff.String()).Press("enter")
	waitToRead(v, "which was noted: its end was cut off.").Lacks("✓")
	v.Press("esc").WaitFor("sign-in")
}

// What is no head is refused at the field, and nothing is walked through.
func TestAMalformedHeadIsRefusedBeforeTheCheck(t *testing.T) {
	t.Parallel()
	p, head := sealed(t)
	v := p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), NewAudit).WaitFor("sign-in").Press("v").WaitFor("Noted head")
	for _, bad := range []string{"nonsense", "0-" + head.Hash, head.String()[:8], head.String() + "00", "To note: " + head.String(), "-" + head.Hash} {
		v.Press("ctrl+u").Paste(bad).Press("enter")
		waitToRead(v, "✗ This is no head.")
	}
	if n := p.acts(t, "lin", core.ActAuditVerify, core.OutcomeDone) + p.acts(t, "lin", core.ActAuditVerify, core.OutcomeRefused); n != 0 {
		t.Errorf("it was verified %d times", n)
	}
	v.Press("ctrl+u").Type("  ").Press("enter").WaitFor("The trail is as it was sealed.").Lacks("was noted")
}

// The check is asked for and answered line by line.
func TestVerifyingInLines(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "es", "pt-BR"} {
		p, head := sealed(t)
		e := p.env(t, tuitest.Dumb(), tuitest.Lang(lang))
		if _, err := First(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		m := e.enter(t.Context(), e.Actor(), p.justIn(t, "lin", goodPassword))
		if m.err != nil {
			t.Fatal(m.err)
		}
		e.adopt(m)
		d := e.Dict
		ask := func(e *Env) tui.Screen { return newVerifyAsk(e, "") }
		l := tuitest.OpenLines(t, e.Session, &opener{NewHome(e, m.checkUp), ask(e)}, tui.PlainOptions{Raw: true})
		l.Hears(d.T("chain.noted_head")).Answer("nonsense").Hears("x ").Answer(head.String(), "2").Hears(d.T("chain.noted.held"))
		undrawn(t, l)
	}
}

// verifyViews are the check of the trail, before it and after. Hashes are never the
// same twice, so the pictures hold another one.
func verifyViews() map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
	hash := regexp.MustCompile(`-[0-9a-f]{64}`)
	open := func(noted func(core.ChainHead) string, keys ...string) func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p, head := sealed(t)
			v := p.at(t, p.env(t, opts...), p.justIn(t, "lin", goodPassword), func(e *Env) tui.Screen { return newVerifyAsk(e, noted(head)) }).Settle()
			for _, k := range keys {
				v.Press(k).Settle()
			}
			if w, ok := v.Router().Top().(*work); ok {
				for i, l := range w.done.lines {
					w.done.lines[i] = hash.ReplaceAllString(l, "-"+strings.Repeat("9f3c", 16))
				}
			}
			return v
		}
	}
	none := func(core.ChainHead) string { return "" }
	return map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal{
		"ask":       open(none),
		"malformed": open(func(core.ChainHead) string { return "42:9f3c" }, "enter"),
		"as-sealed": open(none, "enter"),
		"held":      open(core.ChainHead.String, "enter"),
		"rewritten": open(func(h core.ChainHead) string { return another(h).String() }, "enter"),
	}
}

func TestLookOfVerifying(t *testing.T) {
	t.Parallel()
	for view, open := range verifyViews() {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			looksOf(t, open)
		})
	}
}

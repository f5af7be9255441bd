package screens

import (
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/tui/tuitest"
)

func TestASecondFactorInLines(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "pt-BR", "es"} {
		t.Run(lang, func(t *testing.T) {
			p := newPlace(t)
			p.sms(t)
			in := p.signUp(t, "ada", otherPassword)
			p.sentFactor(t, in, core.FactorSMS, testNumber)
			key := p.appFactor(t, in)
			e, l := p.inLines(t, core.DoorSSH, tuitest.Lang(lang))
			words := e.Dict // of this goroutine's own
			say := func(key string, args ...any) string {
				return strings.Join(strings.Fields(words.T(key, args...)), " ")
			}
			l.Answer("1", "ada", otherPassword, "3")
			l.Hears(say("challenge.heading"), "+35 ** **78", say("codeentry.hint")).Answer("000000", "2")
			l.Hears(say("codeentry.early", "Wait", words.T("time.second", "Count", 30))).Answer("", "3")
			l.Hears(say("prove.which"), "1 "+say("factor.sms")+": +35", "2 "+say("factor.app")+": My phone").Answer("2")
			l.Hears(say("prove.app", "Label", "My phone")).Answer("12", "").Hears(say("error.code_format"))
			l.Answer(p.appCode(key), "")
			l.Hears("Lanterns (ada").Answer("quit").Ends()
		})
	}
}

func TestLookOfChallenge(t *testing.T) {
	t.Parallel()
	for name, open := range challengeLooks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for look, opts := range looks() {
				v := open(t, opts...)
				for _, size := range sizes() {
					v.Resize(size[0], size[1]).Golden(sizeName(look, size))
				}
			}
			for _, lang := range []string{"es", "pt-BR"} {
				open(t, tuitest.Lang(lang)).Golden(lang+"-80x24").Resize(60, 20).Golden(lang + "-60x20").Sizes()
			}
		})
	}
}

// challengeLooks are the pages of a challenge that are looked at.
func challengeLooks() map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
	full := func(t testing.TB, demo bool, opts ...tuitest.Option) (*place, *challenge, *tuitest.Terminal) {
		p := newPlace(t)
		p.sms(t)
		p.set(t, "factors.email", "on")
		in := p.signUp(t, "ada", otherPassword)
		p.sentFactor(t, in, core.FactorSMS, testNumber)
		p.appFactor(t, in)
		p.sentFactor(t, in, core.FactorEmail, "ada@example.org")
		p.linkedTestKey(t, in)
		p.recoveryCodes(t, in)
		e := p.env(t, opts...)
		e.Demo = demo
		s, v := p.challengedOn(t, e)
		return p, s, v.WaitUntil("the code is sent", func(string) bool { return s.prover.sentTo != "" })
	}
	return map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal{
		"app": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := newPlace(t)
			p.appFactor(t, p.signUp(t, "ada", otherPassword))
			_, v := p.challenged(t, opts...)
			return v
		},
		"sms": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			_, _, v := full(t, false, opts...)
			return v
		},
		"demo": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			_, _, v := full(t, true, opts...)
			return v
		},
		"refused": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			_, s, v := full(t, false, opts...)
			v.Paste("000000").Press("enter")
			return waitToRead(v, s.env.T("error.code_wrong"))
		},
		"ways": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			_, _, v := full(t, true, opts...)
			return v.Press("tab", "left", "left", "enter").Settle()
		},
		"recovery": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			_, s, v := full(t, false, opts...)
			return v.Press("tab", "left", "enter", "end", "enter").WaitFor(codeHint).WaitUntil("recovery", func(string) bool { return !s.prover.listed })
		},
		"stuck": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			_, v := keyOnly(t).challenged(t, opts...)
			return v.Press("enter")
		},
	}
}

// Nothing is read, drawn or ticked while nobody does anything.
func TestAnIdleChallengeIsStill(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.sms(t)
	p.sentFactor(t, p.signUp(t, "ada", otherPassword), core.FactorSMS, testNumber)
	s, v := p.challenged(t)
	v.WaitUntil("the code is sent", func(string) bool { return s.prover.sentTo != "" })
	c := &counted{Screen: s}
	w := tuitest.Open(t, s.env.Session, c)
	time.Sleep(300 * time.Millisecond) // longer than a spinner takes to show itself
	w.Settle()
	before := c.messages
	time.Sleep(300 * time.Millisecond)
	if w.Settle(); c.messages != before {
		t.Errorf("%d messages while idle", c.messages-before)
	}
}

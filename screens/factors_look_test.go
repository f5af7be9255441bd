package screens

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/otp"
	"postern/tui"
	"postern/tui/tuitest"
)

// lookKey is the key of an app that every picture shows.
var lookKey = []byte("a key for pictures!!")

// lookCodes are the recovery codes that every picture shows.
func lookCodes() core.RecoverySheet {
	out := core.RecoverySheet{Seed: "7KQM-2XRP-0V9D-H3TA"}
	for i := range core.RecoveryCodes {
		out.Codes = append(out.Codes, "AB"+strconv.Itoa(10+i)+"-7KQM-2XRP-9VD3")
	}
	return out
}

// factorViews open each page that has to do with factors, as it is looked at.
func factorViews() map[string]func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
	type opener = func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal
	press := func(open opener, keys ...string) opener {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal { return open(t, opts...).Press(keys...) }
	}
	on := func(above func(*Env) tui.Screen) opener {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			v, _, _ := sending(t).adaAbove(t, above, opts...)
			return v.Settle()
		}
	}
	list := func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
		p := sending(t)
		v, e, in := p.armed(t, opts...)
		p.coded(t, in)
		p.clock.Advance(20 * time.Minute)
		have := p.protection(t, in)
		have.Recovery.Left, have.Here = 2, testKey
		have.Factors[1].Disabled = p.clock.Now().Add(-time.Hour)
		have.Factors = append(have.Factors, core.Factor{ID: "3", Kind: core.FactorSMS, Label: "+49 •• ••89", Address: "+4915123456789",
			Created: p.clock.Now().Add(-time.Hour), LastUsed: p.clock.Now().Add(-time.Minute)})
		s := v.Router().Top().(*factorList)
		s.take(factorsRead{have: have, now: e.Clock()})
		return v.Settle()
	}
	ending := func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
		v := list(t, opts...)
		s := v.Router().Top().(*factorList)
		have := s.have
		key := have.Keys[0]
		key.Until = s.now.Add(75 * time.Hour)
		over := key
		over.Fingerprint, over.Label, over.Until = "SHA256:9v+EyG4S", "old desk", s.now.Add(-50*time.Hour)
		over.Ended = over.Until
		have.Keys = []core.LinkedKey{key, over}
		s.take(factorsRead{have: have, now: s.now})
		return v.Settle()
	}
	demanded := func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
		p := sending(t)
		in := p.signUp(t, "ada", otherPassword)
		p.set(t, "factors.enforce", "everybody", "factors.days", "7")
		return p.openAbove(t, p.env(t, opts...), in, NewFactors).Settle()
	}
	app := func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
		v := on(anApp)(t, opts...)
		v.Router().Top().Update(answer[core.Enrolment]{Value: core.Enrolment{
			ID: "1", Kind: core.FactorApp, Secret: otp.Groups(lookKey), URI: otp.URI("Lanterns", "ada", lookKey)}})
		return v.Settle()
	}
	refused := func(err *core.Error) opener {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			v := app(t, opts...).Press("enter")
			v.Type("402123").Router().Top().Update(answer[core.Enrolled]{Err: err})
			return v.Settle()
		}
	}
	key := func(above func(*Env) tui.Screen) opener {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := newPlace(t)
			in := p.signUp(t, "ada", otherPassword)
			e := p.env(t, opts...)
			e.actor.Key, e.actor.KeyLine = testKey, "ssh-ed25519 AAAA"
			return p.openAbove(t, e, in, above).Settle()
		}
	}
	codes := func(file bool) opener {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := newPlace(t)
			in := p.signUp(t, "ada", otherPassword)
			p.linkedBy(t, in, testKey, "ssh-ed25519 AAAA", "")
			e := p.env(t, opts...)
			e.actor.Key, e.actor.KeyLine = testKey, "ssh-ed25519 AAAA"
			if file {
				e.actor.Door = core.DoorLocal
				e.Door.Save = func(string, []byte) (string, error) { return "/home/ada/postern-recovery-ada.txt", nil }
			}
			v := p.openAbove(t, e, in, newRecovery).Settle().Press("enter")
			s := v.Router().Top().(*recovery)
			s.sheet = lookCodes()
			s.codes.Init()
			if file {
				v.Press("tab", "enter")
			}
			return v.Settle()
		}
	}
	return map[string]opener{
		"list": list, "empty": on(NewFactors), "demanded": demanded,
		"factor": press(list, "home", "enter"), "key": press(list, "home", "down", "down", "down", "enter"),
		"codes-left": press(list, "end", "enter"), "add": press(key(NewFactors), "a"), "rename": press(list, "home", "n"),
		"remove": press(list, "home", "x"), "remove-key": press(list, "home", "down", "down", "down", "x"),
		"app": app, "app-text": press(app, "ctrl+t"), "app-inverted": press(app, "ctrl+n"),
		"app-wrong": refused(&core.Error{Code: core.CodeCodeWrong, Field: "code"}),
		"app-clock": refused(&core.Error{Code: core.CodeCodeClock, Field: "code", N: 10, Rule: "ahead"}),
		"phone":     on(aPhone), "address": on(anAddress), "own-address": on(newConfirmAddress),
		"add-key": press(key(newAddKey), "tab"), "link-key": key(newLinkKey),
		"keys-ending": press(ending, "end", "up"), "key-ended": press(ending, "end", "up", "enter"), "key-end": press(ending, "end", "up", "up", "e"),
		"recovery": on(newRecovery), "recovery-codes": codes(false), "recovery-file": codes(true),
	}
}

func TestLookOfFactors(t *testing.T) {
	t.Parallel()
	for view, open := range factorViews() {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			for look, opts := range looks() {
				v := open(t, opts...)
				for _, size := range sizes() {
					v.Resize(size[0], size[1]).Golden(sizeName(look, size))
				}
			}
			for _, lang := range []string{"es", "pt-BR"} {
				open(t, tuitest.Lang(lang)).Golden(lang+"-80x24").Resize(60, 20).Golden(lang + "-60x20")
			}
		})
	}
}

func TestEveryPageOfFactorsFitsEverySize(t *testing.T) {
	t.Parallel()
	for view, open := range factorViews() {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			open(t).Sizes()
		})
	}
}

// Nothing is read, drawn or ticked while nobody does anything.
func TestIdlePagesOfFactorsAreStill(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*Env) tui.Screen{
		"list": NewFactors, "app": anApp, "phone": aPhone, "address": anAddress, "own-address": newConfirmAddress,
		"add-key": newAddKey, "recovery": newRecovery,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := sending(t)
			in := p.signUp(t, "ada", otherPassword)
			e := p.env(t)
			m := e.enter(t.Context(), e.Actor(), in)
			if m.err != nil {
				t.Fatal(m.err)
			}
			e.adopt(m)
			c := &counted{Screen: open(e)}
			v := tuitest.Open(t, e.Session, c)
			// Longer than a spinner takes to show itself.
			time.Sleep(300 * time.Millisecond)
			v.Settle()
			before, view := c.messages, c.View()
			time.Sleep(300 * time.Millisecond)
			if v.Settle(); c.messages != before {
				t.Errorf("%d messages while idle", c.messages-before)
			}
			if c.View() != view {
				t.Error("the view changed by itself")
			}
		})
	}
}

func FuzzFactorViews(f *testing.F) {
	var open []*tuitest.Terminal
	for _, view := range factorViews() {
		open = append(open, view(f))
	}
	for _, s := range sizes() {
		f.Add(s[0], s[1], "down")
	}
	f.Add(1, 1, "?")
	f.Add(500, 200, "ctrl+t")
	f.Fuzz(func(t *testing.T, w, h int, key string) {
		w, h = 1+abs(w)%500, 1+abs(h)%200
		for _, v := range open {
			v.Resize(w, h)
			if strings.Contains(" up down pgup pgdown home end tab ? ctrl+n ctrl+t ", " "+key+" ") && key != "" {
				v.Press(key)
			}
			tuitest.Fits(t, strconv.Itoa(w)+"x"+strconv.Itoa(h), v.Router(), w, h)
		}
	})
}

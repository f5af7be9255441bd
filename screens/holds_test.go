package screens

import (
	"context"
	"testing"
	"time"

	"postern/core"
	"postern/tui"
	"postern/tui/tuitest"
)

// held is a crew two of whom are held, one of them until a day.
func held(t testing.TB) *place {
	t.Helper()
	p := crew(t)
	for name, until := range map[string]time.Time{"mara": {}, "ada": p.clock.Now().AddDate(0, 0, 40)} {
		if _, err := p.Retention.Hold(context.Background(), core.ConsoleActor("root"), name, "the dispute about the lamp room, 2026-14", until); err != nil {
			t.Fatal(err)
		}
	}
	p.clock.Advance(20 * time.Minute)
	return p
}

func (p *place) holds(t testing.TB) map[string]core.Hold {
	t.Helper()
	list, err := p.Retention.Holds(context.Background(), core.ConsoleActor("root"), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]core.Hold{}
	for _, h := range list.Holds {
		out[h.UserName] = h
	}
	return out
}

// An owner holds an account, after a proof, gives it another reason, and releases it.
func TestAnAccountIsHeldOnTheScreen(t *testing.T) {
	t.Parallel()
	p := crew(t)
	v := p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), NewRetention).WaitFor("No account is held.")
	p.clock.Advance(core.StepUpFor + time.Minute)
	v.Press("h").WaitFor("Press n to hold").Lacks("x release").Press("n").WaitFor("neither deleted nor removed")
	v.Type("mara").Press("tab").Type("the books are out").Press("tab").Type("2027-01-31").Press("enter")
	v.WaitFor("Holding and releasing accounts asks who you are.").Type(goodPassword).Press("enter")
	v.WaitFor("mara is held until 1 Feb 2027").Contains("the books are out")
	if h := p.holds(t)["mara"]; h.Reason != "the books are out" || h.Until.IsZero() {
		t.Fatalf("%+v", h)
	}
	v.Press("enter").WaitFor("mara stays held").Contains("2027-01-31")
	v.Press("ctrl+u").Type("two books are out").Press("tab", "ctrl+u", "enter").WaitFor("mara is held until it is released.")
	if h := p.holds(t)["mara"]; h.Reason != "two books are out" || !h.Until.IsZero() {
		t.Fatalf("%+v", h)
	}
	v.Press("esc").WaitFor("Held accounts:")
	waitToRead(v, "mara: two books are out")
	v.Press("h").WaitFor("Who").Press("x").WaitFor("Release the hold?").Contains("Nothing keeps mara any more").Press("esc").WaitFor("Who")
	if len(p.holds(t)) != 1 {
		t.Fatal("it was released by esc")
	}
	v.Press("x").WaitFor("Release the hold?").Press("tab", "enter").WaitFor("mara is no longer held.").Contains("Press n to hold")
	v.Press("esc").WaitFor("No account is held.")
	for act, want := range map[core.Action]int{core.ActHold: 2, core.ActRelease: 1} {
		if n := p.acts(t, "mara", act, core.OutcomeDone); n != want {
			t.Errorf("%s stands %d times in the trail", act, n)
		}
	}
}

// What a hold lacks is said at its field, and nothing is held.
func TestAHoldThatIsRefusedSaysWhere(t *testing.T) {
	t.Parallel()
	p := crew(t)
	v := p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), newHolds).WaitFor("Press n to hold").Press("n").WaitFor("neither deleted")
	v.Type("nobody").Press("tab", "tab", "enter").WaitFor("Please fill this in.")
	v.Type("because").Press("tab").Type("soon").Press("enter").WaitFor("Write a day like").Press("ctrl+u").Type("2020-01-01").Press("enter")
	v.WaitFor("There is no account of that name or address.").Press("ctrl+u").Type("mara").Press("tab", "tab", "enter")
	v.WaitFor("The end must lie in the future.").Press("ctrl+u").Type("2027-01-31").Press("shift+tab", "ctrl+u").Type("a\u202eb").Press("tab", "enter")
	waitToRead(v, "cannot be shown")
	if len(p.holds(t)) != 0 {
		t.Fatal("somebody is held")
	}
}

// An admin cannot release who stands above; the dialog says so and nothing changes.
func TestReleasingSomebodyAbove(t *testing.T) {
	t.Parallel()
	p := crew(t)
	if _, err := p.Retention.Hold(context.Background(), core.ConsoleActor("root"), "grace", "an inquiry", time.Time{}); err != nil {
		t.Fatal(err)
	}
	v := p.at(t, p.env(t), p.justIn(t, "ada", otherPassword), newHolds).WaitFor("an inquiry")
	v.Press("x").WaitFor("Release the hold?").Press("tab", "enter").WaitFor("This is not yours to do.")
	if len(p.holds(t)) != 1 {
		t.Fatal("it was released")
	}
}

// Holds, line by line and in every language.
func TestHoldsInLines(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "es", "pt-BR"} {
		p := held(t)
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
		l := tuitest.OpenLines(t, e.Session, &opener{NewHome(e, m.checkUp), newHolds(e)}, tui.PlainOptions{Raw: true})
		l.Hears("lamp room", "2 ").Answer("n").Hears(d.T("roles.user")).Answer("noor", "away", "", "2").Hears("noor", "3 ")
		l.Answer("x 1").Hears(d.T("holds.release_title"))
		undrawn(t, l)
	}
}

// holdViews are the pages about holds.
func holdViews() map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
	open := func(make func(testing.TB) *place, keys ...string) func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := make(t)
			v := p.at(t, p.env(t, opts...), p.justIn(t, "lin", goodPassword), NewRetention).Settle()
			for _, k := range keys {
				v.Press(k).Settle()
			}
			return v
		}
	}
	return map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal{
		"counted": open(held), "holds": open(held, "h"), "nobody": open(crew, "h"), "hold": open(held, "h", "n"),
		"change": open(held, "h", "enter"), "release": open(held, "h", "x"),
	}
}

func TestLookOfHolds(t *testing.T) {
	t.Parallel()
	for view, open := range holdViews() {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			looksOf(t, open)
		})
	}
}

// looksOf makes the pictures of a page: every look and size, and the two other languages.
func looksOf(t *testing.T, open func(testing.TB, ...tuitest.Option) *tuitest.Terminal) {
	t.Helper()
	for look, opts := range looks() {
		v := open(t, opts...)
		for _, size := range sizes() {
			v.Resize(size[0], size[1]).Settle().Golden(sizeName(look, size))
		}
	}
	for _, lang := range []string{"es", "pt-BR"} {
		open(t, tuitest.Lang(lang)).Golden(lang+"-80x24").Resize(60, 20).Settle().Golden(lang + "-60x20")
	}
	open(t).Sizes()
}

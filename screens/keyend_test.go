package screens

import (
	"testing"
	"time"

	"postern/core"
)

// A key is linked until a day; its page says so and lets it end at another time,
// and when that has come the list says that it stands for nothing.
func TestAKeyWithAnEndOnTheScreens(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(t, "session.idle_minutes", "0", "session.lifetime", "90 days", "factors.key_stands", "factor")
	v, _, in := p.adaAbove(t, newAddKey)
	v.WaitFor("Public key").Paste(publicKey).Press("tab", "tab").Type("2020-13-01").Press("enter")
	waitToRead(v, "✗ Write a day like 2026-12-31")
	v.Press("ctrl+u").Type("2020-12-31").Press("enter")
	waitToRead(v, "The end must lie in the future.")
	v.Press("ctrl+u").Type("2026-11-30").Press("enter").WaitFor("Security check-up")
	until := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	if have := p.protection(t, in); len(have.Keys) != 1 || !have.Keys[0].Until.Equal(until) || !have.Enough {
		t.Fatalf("%+v", have)
	}

	w := p.openAbove(t, p.env(t), in, NewFactors).WaitFor("ada@laptop").Contains("e change the end")
	w.Press("enter").WaitFor("Fingerprint").Contains("Until", "1 Dec 2026").Press("e")
	waitToRead(w, "Sessions that are open go on.")
	w.Contains("2026-11-30").Press("ctrl+u").Type("2026-11-25 09:00").Press("enter").WaitFor("It ends at another time now.")
	w.WaitFor("ends in 2 days")
	p.clock.Advance(core.StepUpFor + time.Second)
	w.Press("e").WaitFor("Until").Press("ctrl+u", "enter").WaitFor("Is it you?").Type(otherPassword).Press("enter").
		WaitFor("It ends at another time now.").Lacks("ends in")
	w.Press("e").WaitFor("Until").Type("2026-11-25 09:00").Press("enter").WaitFor("ends in 2 days")

	p.clock.Advance(4 * 24 * time.Hour)
	w.Press("r").WaitFor("ended").Lacks("e change the end").Press("enter")
	waitToRead(w, "Its time is over: it stands for nothing.")
	w.Lacks("From now on", "e change the end").Press("x").WaitFor("has ended and stands for nothing")
	w.Press("esc").WaitFor("ada@laptop").Press("e").WaitFor("cannot be done with this one")
	if have := p.protection(t, in); have.Enough {
		t.Errorf("%+v", have)
	}
}

// Whoever looks after people sees that a key has an end, and that it has come, and
// goes from the overview to the person whose key it is.
func TestWhoLooksAfterPeopleSeesTheEndOfAKey(t *testing.T) {
	t.Parallel()
	p := town(t)
	if _, err := p.Keys.Until(p.clock.Now().Add(48*time.Hour)).AddTo(t.Context(), core.ConsoleActor("test"), "ada", publicKey, "desk"); err != nil {
		t.Fatal(err)
	}
	p.set(t, "session.idle_minutes", "0", "session.lifetime", "90 days")
	v := p.at(t, p.env(t), p.owner, NewOverview).Resize(120, 40)
	v.WaitFor("The SSH key desk of ada ends in 2 days.")
	v.Press("end").Press("enter").WaitFor("Latest of the trail").Contains("Ada Lovelace", "SSH key (desk", "until 25")
	p.clock.Advance(48 * time.Hour)
	v.Press("esc").WaitFor("Needs you").Lacks("The SSH key desk")
	w := p.peopleOf(t, p.owner).WaitFor("13 people.").Press("/").Type("ada").WaitFor("1 person.").Press("enter", "enter")
	w.WaitFor("Latest of the trail").Contains(") ✗").Lacks("until 25")
}

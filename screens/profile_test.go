package screens

import (
	"context"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/tui/tuitest"
)

func (p *place) profile(t testing.TB, in core.SignedIn) core.Profile {
	t.Helper()
	got, err := p.Accounts.Profile(context.Background(), as(in))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// clear empties the focused field.
func clearField(v *tuitest.Terminal) *tuitest.Terminal { return v.Press("ctrl+e", "ctrl+u") }

func TestChangingTheProfile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, e, in := p.ada(t)
	v.Press("p").WaitFor("You are ada, here since 22 Nov 2026.")
	clearField(v).Type("Ada Lovelace").Press("tab")
	clearField(v).Type("ada@example.com").Press("tab", "tab", "tab").Burst("enter", "enter", "enter").WaitFor("Your profile is saved.")
	v.Contains("Hello, Ada Lovelace")
	got := p.profile(t, in)
	if got.DisplayName != "Ada Lovelace" || got.Email != "ada@example.com" || e.Me().DisplayName != "Ada Lovelace" {
		t.Errorf("saved %+v", got.Account)
	}
	if n := p.acts(t, "ada", core.ActProfile, core.OutcomeDone); n != 1 {
		t.Errorf("saved %d times", n)
	}
}

// What was not changed is not written, so that the trail holds only changes.
func TestSavingNothingWritesNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, _ := p.ada(t)
	v.Press("p").WaitFor("You are ada").Press("tab", "tab", "tab", "tab", "enter").WaitFor("Your profile is saved.")
	if n := p.acts(t, "ada", core.ActProfile, core.OutcomeDone); n != 0 {
		t.Errorf("wrote %d times", n)
	}
}

// ASVS 7.5.1: a new e-mail address asks for the password, and then is saved.
func TestANewAddressAsksForAProofAndGoesOn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.ada(t)
	p.clock.Advance(core.StepUpFor + time.Minute)
	v.Press("p").WaitFor("You are ada")
	clearField(v).Type("Countess").Press("tab")
	clearField(v).Type("ada@example.com").Press("tab", "tab", "tab", "enter").WaitFor("Is it you?")
	v.Press("esc").WaitFor("ada@example.com") // what was typed stays
	if got := p.profile(t, in); got.Email != "ada@example.org" || got.DisplayName != "ada" {
		t.Fatalf("saved without a proof: %+v", got.Account)
	}
	v.Press("enter").WaitFor("Is it you?")
	v.Type("not this").Press("enter").WaitFor("That is not your present password.")
	v.Type(otherPassword).Burst("enter", "enter").WaitFor("Your profile is saved.")
	if got := p.profile(t, in); got.Email != "ada@example.com" || got.DisplayName != "Countess" {
		t.Errorf("saved %+v", got.Account)
	}
}

// A refusal stands beside its field, nothing is saved, and what was typed stays.
func TestRefusalsOfTheProfile(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		name, email, zone, why string
	}{
		"address in use":   {"Ada", "lin@example.org", "", "This is in use already"},
		"not an address":   {"Ada", "ada at home", "", "This does not look right."},
		"name with bidi":   {"ada\u202e", "ada@example.org", "", "A character in here cannot be shown."},
		"no such zone":     {"Ada", "ada@example.org", "Europe/Atlantis", "There is no such time zone."},
		"the machine's":    {"Ada", "ada@example.org", "Local", "There is no such time zone."},
		"out of the files": {"Ada", "ada@example.org", "../../etc/passwd", "There is no such time zone."},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			v, _, in := p.ada(t)
			v.Press("p").WaitFor("You are ada")
			clearField(v).Paste(tt.name).Press("tab")
			clearField(v).Paste(tt.email).Press("tab", "tab", "tab").Paste(tt.zone).Press("enter").WaitFor(tt.why)
			if got := p.profile(t, in); got.DisplayName != "ada" || got.Email != "ada@example.org" || got.TimeZone != "" {
				t.Errorf("half of it is saved: %+v", got.Account)
			}
			v.Contains(strings.ToValidUTF8(tt.email, "")).Press("esc").WaitFor("Hello, ada")
		})
	}
}

func TestFieldsThatThePolicyAsksFor(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	p.set(t, "sign_up.fields", "room:text:required:Room; desk:number::Desk; badge:hidden::Badge")
	v := p.enter(t, p.env(t), in).WaitFor("Security check-up").Press("p").WaitFor("Room")
	v.Lacks("Badge")
	v.Press("tab", "tab").Type("4 b").Press("tab").Type("1-x2").Press("tab", "tab", "tab", "enter").WaitFor("This does not look right.")
	v.Contains("1-2") // letters never got in; the sign did, in the wrong place
	clearField(v)
	v.Type("12").Press("tab", "tab", "tab", "enter").WaitFor("Your profile is saved.")
	if got := p.profile(t, in).Fields; got["room"] != "4 b" || got["desk"] != "12" {
		t.Errorf("kept %v", got)
	}
}

// A chosen language is spoken at once, everywhere, and stays for the next time.
func TestLanguageChangesEverywhereAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, e, in := p.ada(t)
	v.Press("p").WaitFor("You are ada").Press("tab", "tab")
	for e.Dict.Tag() != "es" {
		v.Press("right")
	}
	v.Contains(e.T("profile.title"), e.T("profile.zone"), "Español")
	v.Press("tab", "tab", "enter").WaitFor(e.T("profile.saved"))
	v.Contains(e.T("home.check"), e.T("home.ways"))
	if e.Dict.Tag() != "es" || p.profile(t, in).Language != "es" {
		t.Fatal("the language was not kept")
	}
	for k, text := range map[string]string{"s": "sessions.seen", "a": "activity.outcome", "w": "password.others"} {
		walk(t, v, k, e.T(text), "esc", e.T("home.check"))
	}
	v.Press("s").WaitFor(e.T("sessions.seen"))
	again := p.signIn(t, elsewhere("203.0.113.9"), "ada", otherPassword)
	next := p.env(t)
	p.enter(t, next, again).WaitFor(e.T("home.check"))
}

// Rows that were written in one language are written anew in another.
func TestListsFollowTheLanguage(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, e, _ := p.ada(t)
	v.Press("s").WaitFor("here, ssh")
	list := v.Router().Top()
	e.Dict = e.Catalog().Dict("es")
	list.Update(restyled())
	v.Contains(e.T("sessions.here", "Where", "ssh"), e.T("sessions.where"))
}

func TestEscPutsLanguageAndColoursBack(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, e, in := p.ada(t)
	theme := e.Theme.Name
	v.Press("p").WaitFor("You are ada").Press("tab", "tab", "right", "right", "tab", "right")
	if e.Dict.Tag() == "en" || e.Theme.Name == theme {
		t.Fatalf("nothing to see: %s, %s", e.Dict.Tag(), e.Theme.Name)
	}
	v.Press("esc").WaitFor("Security check-up")
	if e.Dict.Tag() != "en" || e.Theme.Name != theme {
		t.Errorf("left in %s and %s", e.Dict.Tag(), e.Theme.Name)
	}
	if got := p.profile(t, in); got.Language != "" || got.Theme != "" {
		t.Errorf("kept %+v", got.Account)
	}
}

func TestColoursArePaintedAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, e, in := p.ada(t)
	if v.CellOf("Security").Bg != nil {
		t.Fatal("painted before it was asked for")
	}
	v.Press("p").WaitFor("You are ada").Press("tab", "tab", "tab")
	for e.Theme.Name != "contrast" {
		v.Press("right")
	}
	if v.CellOf("Profile").Bg == nil {
		t.Error("not painted while it is chosen")
	}
	v.Press("tab", "enter").WaitFor("Your profile is saved.")
	if v.CellOf("Security").Bg == nil || p.profile(t, in).Theme != "contrast" {
		t.Error("not painted afterwards, or not kept")
	}
}

func TestTimesFollowTheZone(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.ada(t)
	v.Press("p").WaitFor("You are ada").Press("tab", "tab", "tab", "tab")
	v.Type("Asia/").Contains("no such zone").Type("Tokyo").WaitFor("21:00 JST")
	v.Press("enter").WaitFor("Your profile is saved.")
	walk(t, v, "s", "here, ssh", "enter", "22 Nov 2026, 21:00 JST")
	if p.profile(t, in).TimeZone != "Asia/Tokyo" {
		t.Error("the zone was not kept")
	}
	walk(t, v, "esc", "Last seen", "esc", "Security check-up", "p", "Asia/Tokyo")
	v.Press("tab", "tab", "tab", "tab")
	clearField(v).Press("enter").WaitFor("Your profile is saved.")
	walk(t, v, "s", "here, ssh", "enter", "12:00 UTC")
}

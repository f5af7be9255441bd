package screens

import (
	"context"
	"strings"
	"testing"

	"postern/core"
	"postern/tui/tuitest"
)

// settingUp is the first run through a door.
func (p *place) settingUp(t testing.TB, door core.Door, opts ...tuitest.Option) (*setup, *tuitest.Terminal) {
	t.Helper()
	e := p.env(t, opts...)
	e.actor.Door = door
	e.Session.Door = string(door)
	v := p.first(t, e)
	s, ok := v.Router().Top().(*setup)
	if !ok {
		t.Fatalf("%T is on top", v.Router().Top())
	}
	return s, v
}

// toOwner fills in the first two pages of the setup at the machine itself.
func toOwner(v *tuitest.Terminal) *tuitest.Terminal {
	v.Contains("1 of 4").Press("enter")
	return v.Contains("2 of 4").Type("Lanterns").Press("enter", "enter").Contains("3 of 4")
}

func TestTheFirstRunOpensThePortal(t *testing.T) {
	t.Parallel()
	p := newSite(t)
	s, v := p.settingUp(t, core.DoorLocal)
	v.Contains("Postern › Set up · 1 of 4").Lacks("Setup code").Press("enter")
	v.Type("Lanterns").Press("tab").Contains("NIST", "at least 12 characters", "12 h", "by invitation")
	v.Press("right").Contains("TagoRUN", "3 months", "at least 8 characters")
	v.Press("right").Contains("Notificare", "45", "135").Press("right").Contains("NIST").Press("enter")
	fill(v.Contains("3 of 4"), "lin", "Lin Ahn", "lin@example.org").Press("enter")
	v.Contains("4 of 4").Type("lanterns at dusk!").Contains("✗ not your name")
	for range "lanterns at dusk!" {
		v.Press("backspace")
	}
	fill(v, goodPassword, goodPassword).Burst("enter", "enter")
	waitForHome(t, v, s.env, "lin")
	v.Contains("Lanterns")
	if s.password.typed+s.code != "" {
		t.Error("secrets are left in the screen")
	}
	pol, err := p.Policy.Current(context.Background(), core.ConsoleActor("test"))
	if err != nil || pol.Preset != "nist" {
		t.Fatalf("%v, %v", pol.Preset, err)
	}
}

func TestTheChosenRulesAreTheOnesInForce(t *testing.T) {
	t.Parallel()
	p := newSite(t)
	s, v := p.settingUp(t, core.DoorLocal)
	v.Press("enter").Type("Lanterns").Press("tab", "right").Contains("TagoRUN").Press("enter")
	fill(v, "lin").Press("tab", "tab", "enter")
	fill(v.Contains(s.env.T("rule.special")), goodPassword, goodPassword).Press("enter").Contains("Not yet")
	fill(v, " 7Q!").Press("tab").Paste(" 7Q!").Press("enter")
	waitForHome(t, v, s.env, "lin")
}

// ASVS 6.3.2: there is no account to begin with, and over SSH a stranger does not become the owner.
func TestOverSSHTheSetupCodeIsAskedFor(t *testing.T) {
	t.Parallel()
	p := newSite(t)
	code, err := p.Site.SetupCode()
	if err != nil {
		t.Fatal(err)
	}
	s, v := p.settingUp(t, core.DoorSSH)
	v.Contains("Setup code").Press("tab").Type("wrong").Press("enter")
	v.Type("Lanterns").Press("tab", "enter")
	fill(v.Contains("3 of 4"), "lin").Press("tab", "tab", "enter")
	fill(v, goodPassword, goodPassword).Press("enter")
	waitToRead(v, v.Session().T("error.setup_code")).Contains("1 of 4").Lacks("wrong")
	if s.password.typed != "" || s.person.userName != "lin" {
		t.Error("the password stayed, or the name did not")
	}
	v.Paste(code).Press("enter", "enter", "enter", "enter", "enter", "enter").Contains("4 of 4")
	fill(v, goodPassword, goodPassword).Press("enter")
	waitForHome(t, v, s.env, "lin")
}

func TestSetupRefusesBesideTheField(t *testing.T) {
	t.Parallel()
	p := newSite(t)
	for name, c := range map[string]struct{ portal, user, want string }{
		"no name":         {"", "", "form.required"},
		"direction marks": {"Lan\u202eterns", "lin", "error.character"},
		"too long":        {strings.Repeat("x", 33), "", "form.too_long"},
		"a reserved name": {"Lanterns", "root", "error.reserved"},
	} {
		t.Run(name, func(t *testing.T) {
			s, v := p.settingUp(t, core.DoorLocal)
			want := s.env.T(c.want, "Count", 32)
			fill(v.Press("enter"), c.portal)
			if !strings.Contains(flat(v.Text()), want) {
				v.Press("tab", "enter")
			}
			if strings.Contains(v.Text(), "3 of 4") {
				fill(v, c.user).Press("tab", "tab", "enter")
			}
			if strings.Contains(v.Text(), "4 of 4") {
				fill(v, goodPassword, goodPassword).Press("enter")
			}
			waitToRead(v, want).Contains("✗")
			if s.env.Me().UserName != "" {
				t.Fatal("set up")
			}
		})
	}
}

func TestTwoSetUpAtOnceAndOneWins(t *testing.T) {
	t.Parallel()
	p := newSite(t)
	a, v := p.settingUp(t, core.DoorLocal)
	b, w := p.settingUp(t, core.DoorLocal)
	for _, x := range []*tuitest.Terminal{v, w} {
		fill(toOwner(x), "lin").Press("tab", "tab", "enter")
		fill(x, goodPassword, goodPassword)
	}
	v.Press("enter")
	waitForHome(t, v, a.env, "lin")
	w.Press("enter").WaitFor("Welcome to Lanterns")
	waitToRead(w, "set up already")
	if b.env.Me().UserName != "" {
		t.Fatal("two owners")
	}
}

func TestEscGoesBackFromEveryPageOfTheSetup(t *testing.T) {
	t.Parallel()
	p := newSite(t)
	s, v := p.settingUp(t, core.DoorLocal)
	fill(toOwner(v), "lin").Press("tab", "tab", "enter")
	fill(v.Contains("4 of 4"), goodPassword)
	v.Press("esc").Contains("3 of 4", "lin").Press("esc").Contains("2 of 4", "Lanterns").Press("esc").Contains("1 of 4")
	if !v.Press("esc").Quit() || s.password.typed != "" {
		t.Error("esc did not leave, or left the password behind")
	}
	if st, err := p.Site.State(context.Background()); err != nil || st.SetUp {
		t.Fatalf("esc set the portal up: %v", err)
	}
}

// The first run can be read in one's own language, from its first field on.
func TestTheSetupChangesItsLanguage(t *testing.T) {
	t.Parallel()
	p := newSite(t)
	s, v := p.settingUp(t, core.DoorLocal)
	fill(toOwner(v), "lin")
	v.Press("esc", "esc").Contains("1 of 4")
	for s.env.Dict.Tag() != "pt-BR" {
		v.Press("right")
	}
	v.Contains("Português (Brasil)", "Este portal é novo")
	if s.Focused() != "language" {
		t.Errorf("focus on %q", s.Focused())
	}
	v.Press("enter").Contains("Lanterns").Press("enter", "enter").Contains("lin", "Nome de usuário")
}

func TestLookOfSetup(t *testing.T) {
	t.Parallel()
	p := newSite(t)
	for name, opts := range looks() {
		for _, size := range sizes() {
			name := sizeName(name, size)
			_, v := p.settingUp(t, core.DoorSSH, opts...)
			v.Resize(size[0], size[1]).Golden("first-" + name).Press("tab").Type("x").Press("enter")
			v.Type("Lanterns").Press("tab").Golden("rules-"+name).Press("right", "right").Golden("strict-" + name).Press("enter")
			v.Golden("owner-" + name)
			fill(v, "lin").Press("tab", "tab", "enter")
			typeScored(v, "seven").Golden("password-" + name)
		}
	}
	for _, lang := range []string{"es", "pt-BR"} {
		_, v := p.settingUp(t, core.DoorSSH, tuitest.Lang(lang))
		v.Resize(60, 20).Golden("first-" + lang).Press("tab").Type("x").Press("enter")
		v.Type("Lanterns").Press("tab", "right", "right").Golden("strict-" + lang).Press("enter").Golden("owner-" + lang)
		fill(v, "lin").Press("tab", "tab", "enter")
		typeScored(v, "seven").Golden("password-" + lang).Sizes()
	}
}

package screens

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/tui/tuitest"
)

// policyOf is the owner at the policy.
func (p *place) policyOf(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
	t.Helper()
	return wasRead(p.at(t, p.env(t, opts...), p.owner, NewPolicy))
}

// inForce reads the policy in force.
func (p *place) inForce(t testing.TB) core.Policy {
	t.Helper()
	pol, err := p.Policy.Current(context.Background(), core.ConsoleActor("test"))
	if err != nil {
		t.Fatal(err)
	}
	return pol
}

func TestEverySettingHasItsWords(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for _, lang := range []string{"en", "es", "pt-BR"} {
		e := p.env(t, tuitest.Lang(lang))
		for _, section := range policySections() {
			for _, key := range []string{"policy." + section, "policy.about." + section} {
				if !e.Dict.Has(key) {
					t.Errorf("%s: there is no %s", lang, key)
				}
			}
		}
		for _, s := range core.Settings() {
			for _, key := range []string{"policy." + s.Path, "policy." + s.Path + ".help"} {
				if !e.Dict.Has(key) {
					t.Errorf("%s: there is no %s", lang, key)
				}
			}
			for _, c := range s.Choices {
				if !e.Dict.Has("policy.choice." + c) {
					t.Errorf("%s: there is no policy.choice.%s", lang, c)
				}
			}
		}
		for _, preset := range core.Presets() {
			if !e.Dict.Has("policy.preset." + preset.ID) {
				t.Errorf("%s: there is no policy.preset.%s", lang, preset.ID)
			}
		}
	}
}

func TestAPolicyIsChangedAfterAReview(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.signUp(t, "mara", otherPassword)
	v := p.policyOf(t)
	v.WaitFor("Version 2 is in force").Press("enter").WaitFor("Minimum length")
	v.Press("down", "down", "down", "enter").WaitFor("From 8 to 64.")
	v.Press("backspace", "backspace").Type("99").Press("enter").WaitFor("From 8 to 64.") // told, and not taken
	v.Press("backspace", "backspace").Type("16").Press("tab", "enter").WaitFor("was 12")
	v.Press("esc").WaitFor("1 setting changed, not in force yet.")
	v.Press("s").WaitFor("12 → 16")
	waitToRead(v, "2 people keep the passwords in use")
	v.Type("finding 14").Press("tab", "enter").WaitFor("Version 3 is in force")
	if pol := p.inForce(t); pol.Password.MinLength != 16 || pol.Reason != "finding 14" {
		t.Errorf("in force is %d, because of %q", pol.Password.MinLength, pol.Reason)
	}
	v.Press("h").WaitFor("finding 14").Press("enter").WaitFor("+ password.min_length=16")
	v.Press("u").WaitFor("as it was then").Press("down", "enter").WaitFor("Version 2").Press("u").WaitFor("16 → 12")
	v.Press("tab", "enter").WaitFor("Version 4 is in force")
	if got := p.inForce(t).Password.MinLength; got != 12 {
		t.Errorf("undone to %d", got)
	}
}

func TestBeforeAPolicyIsPutInForceItAsksWhoOneIs(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.policyOf(t)
	p.clock.Advance(core.StepUpFor + time.Minute)
	v.Press("down", "enter").WaitFor("Sessions end after").Press("down", "down", "enter").WaitFor("From 0 to 1,000.")
	v.Press("backspace").Type("3").Press("tab", "enter").WaitFor("was any number")
	v.Press("s").WaitFor("any number → 3").Press("tab", "enter")
	waitToRead(v, "The policy decides about everybody")
	v.Type(goodPassword).Press("tab", "enter").WaitFor("Version 3 is in force")
	if got := p.inForce(t).Session.Max; got != 3 {
		t.Errorf("in force is %d", got)
	}
}

func TestADraftSurvivesLeaving(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.policyOf(t)
	v.Press("enter").WaitFor("Capitals").Press("right").WaitFor("was off").Press("esc").WaitFor("not in force yet")
	v.Press("esc").WaitFor("Security check-up")
	other := p.policyOf(t)
	waitToRead(other, "1 setting changed, not in force.")
	if p.inForce(t).Password.UpperLower {
		t.Error("a draft is in force")
	}
	other.Press("end", "up", "up").Contains("Everything here as it is in force").Press("enter").Lacks("not in force")
	other.Press("esc").WaitFor("Security check-up")
	p.policyOf(t).WaitFor("Version 2 is in force").Lacks("draft")
}

// A draft that another change has overtaken is nobody's to lose: whoever does not
// decide leaves the policy, and finds the draft as it was.
func TestADraftSurvivesWhoeverDoesNotDecideAboutIt(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.policyOf(t)
	v.Press("enter").WaitFor("Capitals").Press("right").WaitFor("was off").Press("esc").WaitFor("not in force yet")
	v.Press("esc").WaitFor("Security check-up")
	p.set(t, "session.max", "5")
	merging := func() *tuitest.Terminal {
		return p.at(t, p.env(t), p.owner, NewPolicy).WaitFor("of yours is lost.")
	}
	for range 2 {
		merging().Press("esc").WaitFor("Security check-up").Contains("Kept as your draft.")
	}
	merging().Press("enter").WaitFor("1 setting changed").Press("esc").WaitFor("Security check-up")
	waitToRead(p.policyOf(t), "1 setting changed, not in force.")
	if got := p.inForce(t); got.Session.Max != 5 || got.Password.UpperLower {
		t.Errorf("in force is %+v", got)
	}
}

func TestTheSecondAdminSeesWhatTheFirstChanged(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.policyOf(t)
	v.Press("enter").WaitFor("Capitals").Press("right").Press("down", "down", "down", "enter").WaitFor("From 8 to 64.")
	v.Press("backspace", "backspace").Type("16").Press("tab", "enter").WaitFor("was 12")
	p.set(t, "password.min_length", "14", "session.max", "9")
	v.Press("s").WaitFor("12 → 16").Press("tab", "enter")
	waitToRead(v, "the machine’s console put version 3 in force while you were at work.")
	v.Contains("12 → 14", "any number → 9", "theirs: 14").Press("right").WaitFor("yours: 16").Press("down", "enter")
	v.WaitFor("14 → 16").Contains("off → on")
	v.Press("tab", "enter").WaitFor("Version 4 is in force")
	if pol := p.inForce(t); pol.Password.MinLength != 16 || !pol.Password.UpperLower || pol.Session.Max != 9 {
		t.Errorf("in force is %+v, %d sessions", pol.Password, pol.Session.Max)
	}
}

func TestWhereAllOfItIsDoneAlreadyNothingIsPutInForce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.policyOf(t)
	v.Press("enter").WaitFor("Capitals").Press("down", "down", "down", "enter").WaitFor("[ Take it ]")
	v.Press("backspace", "backspace").Type("16").Press("tab", "enter").WaitFor("was 12").Press("esc").WaitFor("not in force yet")
	p.set(t, "password.min_length", "14")
	v.Press("s").WaitFor("12 → 16").Press("tab", "enter").WaitFor("theirs: 14").Press("down", "enter").WaitFor("Nothing is changed.")
	v.WaitFor("Version 3 is in force")
	if now := p.inForce(t); now.Version != 3 || now.Password.MinLength != 14 {
		t.Errorf("version %d is in force, with %d", now.Version, now.Password.MinLength)
	}
}

// A count that takes long can be left, and begun again.
func TestACountIsLeftAndBegunAgain(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.policyOf(t)
	v.Press("enter").WaitFor("Capitals").Press("right").Press("s").WaitFor("off → on").WaitFor("counted")
	s := v.Router().Top().(*policyReview)
	s.count() // it has begun, and nothing was heard of it yet
	s.Update(countStep{turn: s.turn, done: 3, total: 8, steps: make(chan countStep)})
	v.Settle().Contains("3 of 8 accounts looked at")
	v.Press("esc").WaitFor("was not counted").Contains("off → on")
	v.Press("ctrl+r")
	waitToRead(v, "1 account that can sign in was counted")
	v.Press("esc").WaitFor("not in force yet")
}

func TestAPresetIsSeenBeforeItIsTaken(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.policyOf(t)
	v.Press("p").WaitFor("Notificare").Press("end", "enter").WaitFor("never → 45").Press("esc").WaitFor("Presets")
	v.Press("enter").WaitFor("never → 45").Press("enter")
	waitToRead(v, "6 settings changed, not in force yet.")
	if p.inForce(t).Version != 2 {
		t.Error("looking at a preset put it in force")
	}
}

func TestARefusalStandsBesideItsSetting(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.policyOf(t)
	v.Press("down", "down", "down", "down", "down", "enter").WaitFor("Text messages").Press("down", "down", "right")
	waitToRead(v, "Text messages: “Text messages a month” has to be above 0 first.")
	v.Press("s").WaitFor("off → on")
	waitToRead(v, "Text messages: “Text messages a month” has to be above 0 first.")
	v.Press("tab", "enter").WaitFor("has to be above 0")
	if p.inForce(t).Version != 2 {
		t.Error("it is in force")
	}
}

func TestAPolicyThatLocksOutOwnersIsNotTaken(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(t, "messages.sms_allowance", "5")
	v := p.policyOf(t)
	v.Press("down", "down", "down", "down", "down", "enter").WaitFor("Text messages")
	v.Press("right", "down", "right", "down", "right", "down", "down", "down", "left").WaitFor("everybody")
	v.Press("s")
	waitToRead(v, "No owner could sign in any more: this cannot be put in force")
	waitToRead(v, "You yourself could not sign in any more")
	v.Press("tab", "enter")
	waitToRead(v, "No owner could sign in any more, so this was not put in force.")
}

func TestAnAuditorReadsThePolicyAndChangesNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.policyOf(t)
	v.Router().Top().(*policyEdit).env.roles = []core.Role{core.RoleAuditor}
	v.Press("enter").WaitFor("Minimum length").Press("right", "enter", "down", "down", "down", "enter").Lacks("was ")
}

func TestQuestionsOfSignUpAreWrittenInAForm(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.policyOf(t)
	v.Press("down", "down", "down", "down", "enter").WaitFor("Own questions").Press("end", "enter").WaitFor("Another question")
	v.Press("enter").WaitFor("Short name").Type("Badge number").Press("tab").Type("badge").Press("tab", "right", "tab", "right", "tab", "enter")
	v.WaitFor("number, required").Press("esc").WaitFor("1 question").Press("s").WaitFor("none → 1 question")
	v.Press("tab", "enter").WaitFor("Version 3 is in force")
	if f := p.inForce(t).SignUp.Fields; len(f) != 1 || f[0] != (core.Field{Key: "badge", Label: "Badge number", Kind: core.FieldNumber, Required: true}) {
		t.Errorf("asked is %+v", f)
	}
}

// wasRead waits until the page that is open has read what it shows.
func wasRead(v *tuitest.Terminal) *tuitest.Terminal {
	return v.Settle().WaitUntil("it was read", func(string) bool {
		switch s := v.Router().Top().(type) {
		case *policyEdit:
			return s.read
		case *policyHistory:
			return s.versions.read
		case *policyReview:
			return !s.counting()
		case *policyPresets:
			return !s.busy.On()
		}
		return true
	}).Settle()
}

// policyViews open every page of the policy, to be looked at.
func policyViews() map[string]opens {
	on := func(keys ...string) opens {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := newPlace(t)
			p.signUp(t, "mara", otherPassword)
			p.clock.Advance(time.Minute)
			p.set(t, "password.min_length", "10")
			p.clock.Advance(20 * time.Minute)
			v := p.policyOf(t, opts...)
			for _, k := range keys {
				wasRead(v.Press(k))
			}
			return v.Settle()
		}
	}
	long := []string{"p", "down", "enter", "enter"} // TagoRUN, gathered
	return map[string]opens{
		"sections": on(), "changed": on(long...), "passwords": on("enter", "right", "down", "down", "down"), "factors": on("down", "down", "down", "down", "down", "enter", "end"),
		"typed": on("enter", "down", "down", "down", "enter"), "presets": on("p"), "preset": on("p", "enter"), "history": on("h"), "version": on("h", "enter"),
		"review": on(append(long, "s")...), "diff": on(append(long, "d")...), "questions": on("down", "down", "down", "down", "enter", "end", "enter"),
		"merge": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := newPlace(t)
			v := p.policyOf(t, opts...)
			for _, k := range []string{"p", "down", "enter", "enter"} {
				wasRead(v.Press(k))
			}
			p.set(t, "password.min_length", "14", "session.max", "9")
			wasRead(v.Press("s")).Press("tab", "enter")
			return v.WaitUntil("the other change is shown", func(string) bool { _, ok := v.Router().Top().(*policyMerge); return ok }).Settle()
		},
	}
}

type opens = func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal

func TestLookOfThePolicy(t *testing.T) {
	t.Parallel()
	for view, open := range policyViews() {
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

func TestEveryPageOfThePolicyFitsEverySize(t *testing.T) {
	t.Parallel()
	for view, open := range policyViews() {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			open(t).Sizes()
		})
	}
}

// The policy in lines: numbers for settings, and nothing drawn.
func TestThePolicyInLines(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "es", "pt-BR"} {
		p := newPlace(t)
		d, l := p.linesAt(t, p.owner, NewPolicy, tuitest.Lang(lang))
		l.Hears("1 "+d.T("policy.password"), "6 "+d.T("policy.factors")).Answer("1").Hears(d.T("policy.password.min_length"))
		l.Answer("1").Hears(d.T("policy.was", "Value", d.T("policy.off")))
		l.Answer("s").Hears(strings.ToLower(d.T("policy.off"))).Asked()
		undrawn(t, l)
	}
}

// Where factors went on changing while they were counted, that is said, and what
// was chosen stays; no version of somebody else's is looked for.
func TestAChangeThatWasDisturbedIsToldAndKept(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.policyOf(t)
	v.Press("enter").WaitFor("Capitals").Press("right").Press("s").WaitFor("off → on").WaitFor("counted")
	v.Router().Top().Update(answer[core.Policy]{Err: &core.Error{Code: core.CodeConflict, Field: "factors"}})
	waitToRead(v.Settle(), "Something else changed in the meantime, so nothing was done.")
	v.Contains("off → on").Press("tab", "enter").WaitFor("Version 3 is in force")
}

// A setting of text may be emptied, and be as long as it needs; where it is empty,
// a word says what that means.
func TestASettingOfTextIsEmptiedAndSaysSo(t *testing.T) {
	t.Parallel()
	p := crew(t)
	p.set(t, "deletion.owner", "grace")
	in := p.justIn(t, "lin", goodPassword)
	section := func(n int) *tuitest.Terminal {
		v := wasRead(p.at(t, p.env(t), in, NewPolicy))
		for range n {
			v.Press("down")
		}
		return v.Press("enter")
	}
	deletion := slices.Index(policySections(), "deletion")
	v := section(deletion).WaitFor("grace").Press("down", "down")
	v.Press("enter").WaitFor("[ Take it ]").Press("backspace", "backspace", "backspace", "backspace", "backspace", "tab", "enter")
	v.WaitFor("every owner").Contains("was grace")
	v.Press("down", "enter").WaitFor("[ Take it ]").Type("leavers-of-the-night-shift-2026").Press("tab", "enter").WaitFor("leavers-of-the-night-shift-2026")
	v.Contains("was none").Press("u").Settle()
	v.Press("s").WaitFor("grace → every owner").Press("tab", "enter").WaitFor("is in force")
	if got := p.inForce(t).Deletion.Owner; got != "" {
		t.Errorf("still %q decides", got)
	}
	v = section(deletion + 1).WaitFor("nowhere")
	v.Press("enter").WaitFor("[ Take it ]").Type("https://directory.example.org/leavers").Press("tab", "enter").WaitFor("https://directory.example.org/leavers  ")
}

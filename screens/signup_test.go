package screens

import (
	"context"
	"strings"
	"testing"

	"postern/core"
	"postern/tui"
	"postern/tui/tuitest"
)

// fill types values into fields, one after the other, with tab between them.
func fill(v *tuitest.Terminal, values ...string) *tuitest.Terminal {
	for i, value := range values {
		if i > 0 {
			v.Press("tab")
		}
		v.Paste(value)
	}
	return v
}

// signingUp is sign-up on its first page.
func (p *place) signingUp(t testing.TB, opts ...tuitest.Option) (*signUp, *tuitest.Terminal) {
	t.Helper()
	e := p.env(t, opts...)
	v := p.on(t, e, NewSignUp)
	s, ok := v.Router().Top().(*signUp)
	if !ok {
		t.Fatalf("%T is on top", v.Router().Top())
	}
	return s, v
}

// ASVS 6.2.6: what is typed is masked, and can be revealed.
func TestSomebodySignsUp(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s, v := p.signingUp(t)
	v.Contains("Create an account · 1 of 2")
	v.Type("ada").Contains("✓ free").Press("tab", "tab").Type("ada@example.org").Press("enter")
	v.Contains("Create an account · 2 of 2", "ctrl+r show")
	v.Type("violet t").Contains("✗ at least 12 characters", "✓ not a common password")
	v.Type("ram hums at dusk").WaitFor("strong").Contains("✓ at least 12 characters").Lacks("violet")
	v.Press("ctrl+r").Contains("violet tram").Press("tab").Lacks("violet tram") // hides when it is left
	v.Type(goodPassword).Contains("✓ same").Press("enter")
	waitForHome(t, v, s.env, "ada")
	if s.password.typed+s.password.again != "" {
		t.Error("the password is still in the screen")
	}
	list, err := p.Sessions.Mine(context.Background(), s.env.Actor())
	if err != nil || len(list) != 1 || list[0].Door != core.DoorSSH {
		t.Fatalf("sessions: %v, %v", list, err)
	}
}

func TestSignUpRefusesBesideTheField(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.signUp(t, "eve", goodPassword)
	p.signUp(t, "eye", goodPassword)
	for name, c := range map[string]struct {
		values []string // user name, display name, e-mail
		want   string   // a key of the dictionary
	}{
		"nothing":                {[]string{""}, "form.required"},
		"taken":                  {[]string{"eve"}, "error.taken"},
		"twin":                   {[]string{"\u0435\u0443\u0435"}, "error.taken"}, // Cyrillic letters that look like eye
		"reserved":               {[]string{"root"}, "error.reserved"},
		"blank inside":           {[]string{"a da"}, "error.character"},
		"two alphabets":          {[]string{"ada\u0436a"}, "error.mixed_scripts"},
		"direction marks":        {[]string{"ada\u202e"}, "error.character"},
		"display name too long":  {[]string{"ada", strings.Repeat("x", 65)}, "form.too_long"},
		"display name of marks":  {[]string{"ada", "a\u202eb"}, "error.format"},
		"no address":             {[]string{"ada", "", "ada.example.org"}, "error.format"},
		"not UTF-8":              {[]string{"ada", "", "\xff\xfe"}, "form.not_text"},
		"an address that is had": {[]string{"ada", "", "EYE@example.org"}, "error.taken"},
	} {
		t.Run(name, func(t *testing.T) {
			s, v := p.signingUp(t)
			want := s.env.T(c.want, "Count", 64, "N", 64)
			fill(v, c.values...)
			if !strings.Contains(flat(v.Text()), want) {
				v.Press("enter", "enter", "enter")
			}
			if strings.Contains(v.Text(), "2 of 2") { // only the core can tell
				fill(v, goodPassword, goodPassword).Press("enter")
			}
			waitToRead(v, want).Contains("1 of 2", "✗")
			if s.env.Me().UserName != "" {
				t.Fatal("signed up")
			}
			if s.person.userName != c.values[0] {
				t.Errorf("what was typed has become %q", s.person.userName)
			}
			if s.password.typed != "" {
				t.Error("the password stayed after a refusal")
			}
		})
	}
}

func TestSignUpRefusesPasswords(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for name, c := range map[string]struct{ pw, again, want string }{
		"nothing":      {"", "", "Please fill this in."},
		"short":        {"vi0let", "vi0let", "Not yet: at least 12 characters."},
		"common":       {"password1234", "password1234", "Not yet: not a common password."},
		"one's name":   {"adalovelace99 x", "adalovelace99 x", "Not yet: not your name or e-mail."},
		"weak":         {"aaaaaaaaaaaaaa", "aaaaaaaaaaaaaa", "Not yet:"},
		"not the same": {goodPassword, goodPassword + "x", "The two are not the same."},
		"not text":     {"violet\x00tram", "", "cannot be typed"},
		"too long":     {strings.Repeat("violet tram ", 1000), "", "At most 256 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			s, v := p.signingUp(t)
			fill(v, "ada", "Ada Lovelace").Press("tab", "enter")
			if fill(v.Contains("2 of 2"), c.pw); c.again != "" {
				fill(v.Press("tab"), c.again)
			}
			if !strings.Contains(flat(v.Text()), c.want) {
				v.Press("enter", "enter", "enter")
			}
			waitToRead(v, c.want).Contains("2 of 2", "✗")
			if s.env.Me().UserName != "" {
				t.Fatal("signed up")
			}
			v.Press("esc").Contains("1 of 2", "ada", "Ada Lovelace")
		})
	}
}

// ASVS 6.2.7, 6.2.9: 64 characters of any script, pasted.
func TestALongPasswordOfAnyScriptIsPasted(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s, v := p.signingUp(t)
	v.Type("ada").Press("tab", "tab", "enter")
	var pw strings.Builder
	for i := range 64 {
		pw.WriteRune(rune(0x1f400 + i*37%200))
	}
	fill(v, pw.String(), pw.String()).Press("enter")
	waitForHome(t, v, s.env, "ada")
}

// A store that fails says so on the page; nothing is lost but the secrets.
func TestSignUpOnAStoreThatFails(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s, v := p.signingUp(t)
	v.Type("ada").Press("tab", "tab", "enter")
	fill(v, goodPassword, goodPassword)
	if err := p.db.Close(); err != nil {
		t.Fatal(err)
	}
	v.Press("enter")
	waitToRead(v, s.env.T("error.unavailable")).Contains("2 of 2")
	if s.env.Me().UserName != "" || s.password.typed != "" || s.Busy() {
		t.Error("signed in, still busy, or the password stayed")
	}
	v.Press("esc").Contains("1 of 2", "ada").Press("esc").WaitFor("Welcome to Lanterns")
}

// Somebody else may take the name while it is looked at.
func TestANameThatIsTakenMeanwhile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s, v := p.signingUp(t)
	v.Type("ada").Contains("✓ free").Press("tab", "tab", "enter")
	p.signUp(t, "ada", otherPassword)
	fill(v, goodPassword, goodPassword).Press("enter").WaitFor("in use already").Contains("1 of 2")
	if s.Focused() != "user_name" || s.password.typed != "" {
		t.Errorf("focus on %q", s.Focused())
	}
	v.Type("x").Lacks("in use already").WaitFor("✓ free").Press("enter", "enter", "enter")
	fill(v, goodPassword, goodPassword).Press("enter")
	waitForHome(t, v, s.env, "adax")
}

func TestADoubleEnterSignsUpOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s, v := p.signingUp(t)
	fill(v, "ada").Press("tab", "tab", "enter")
	fill(v, goodPassword, goodPassword).Burst("enter", "enter", "esc", "enter", "x", "enter")
	waitForHome(t, v, s.env, "ada")
	list, err := p.Sessions.Mine(context.Background(), s.env.Actor())
	if err != nil || len(list) != 1 {
		t.Fatalf("%d sessions, %v", len(list), err)
	}
}

func TestEscGoesBackFromEveryPageOfSignUp(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(t, "sign_up.mode", "invite", "sign_up.fields", "room:text:required:Room number; desk:number::Desk")
	s, v := p.signingUp(t)
	v.Contains("1 of 4", "by invitation").Type("XXXX").Press("enter")
	fill(v.Contains("2 of 4"), "ada").Press("tab", "tab", "enter")
	fill(v.Contains("3 of 4", "Room number", "Desk"), "4.02").Press("enter", "enter")
	fill(v.Contains("4 of 4"), goodPassword, goodPassword)
	v.Press("esc").Contains("3 of 4", "4.02").Press("esc").Contains("2 of 4", "ada").Press("esc").Contains("1 of 4", "XXXX")
	v.Press("esc").Contains("Welcome to Lanterns")
	if s.password.typed+s.password.again+s.invite != "" {
		t.Error("secrets are left in a screen that was left")
	}
	if _, err := p.Accounts.Show(context.Background(), core.ConsoleActor("test"), "ada"); core.CodeOf(err) != core.CodeNotFound {
		t.Errorf("esc made an account: %v", err)
	}
}

func TestSignUpByInvitationWithCustomFields(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(t, "sign_up.mode", "invite", "sign_up.email_required", "on", "sign_up.fields", "room:text:required:Room number; desk:number::Desk; badge:hidden::Badge")
	_, code, err := p.Invites.Create(context.Background(), core.ConsoleActor("test"), 1, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	s, v := p.signingUp(t)
	v.Type("wrong").Press("enter")
	fill(v, "ada", "", "").Press("enter").Contains("Please fill this in.") // the address is required
	v.Paste("ada@example.org").Press("enter")
	v.Contains("3 of 4").Lacks("Badge")
	fill(v, "", "x").Press("enter").Contains("Please fill this in.").Paste("4.02").Press("enter", "enter").
		Contains("A whole number", "3 of 4", "4.02").Press("backspace").Type("12").Press("enter")
	fill(v.Contains("4 of 4"), goodPassword, goodPassword).Press("enter")
	waitToRead(v, "unknown, used up or over").Contains("1 of 4", "wrong")
	for range "wrong" {
		v.Press("backspace")
	}
	v.Type(strings.ToLower(strings.ReplaceAll(code, "-", " "))).Press("enter", "enter", "enter", "enter")
	fill(v.Contains("3 of 4", "4.02", "12").Press("enter", "enter").Contains("4 of 4"), goodPassword, goodPassword).Press("enter")
	waitForHome(t, v, s.env, "ada")
	d, err := p.Accounts.Show(context.Background(), core.ConsoleActor("test"), "ada")
	if err != nil || d.Account.Fields["room"] != "4.02" || d.Account.Fields["desk"] != "12" {
		t.Fatalf("%v, %v", d.Account.Fields, err)
	}
}

func TestAnAccountThatWaitsForApproval(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(t, "sign_up.mode", "approval")
	s, v := p.signingUp(t)
	fill(v.Contains("An admin looks at new accounts"), "ada").Press("tab", "tab", "enter")
	fill(v, goodPassword, goodPassword).Press("enter").WaitFor("has to approve it").Golden("waiting")
	v.Press("enter").Contains("Welcome to Lanterns")
	if s.env.Me().UserName != "" {
		t.Fatal("signed in before approval")
	}
}

// The policy changes while somebody types: what is asked for now is said, and asked.
func TestSignUpThatChangesMeanwhile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	_, v := p.signingUp(t)
	fill(v, "ada").Press("tab", "tab", "enter")
	p.set(t, "sign_up.fields", "room:text:required:Room number")
	fill(v, goodPassword, goodPassword).Press("enter")
	waitToRead(v, v.Session().T("error.required")).Contains("2 of 3", "Room number").Paste("4").Press("enter")
	p.set(t, "sign_up.mode", "closed")
	fill(v, goodPassword, goodPassword).Press("enter")
	waitToRead(v, v.Session().T("error.closed"))
}

func TestSignUpInAnotherLanguageKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s, v := p.signingUp(t)
	v.Type("ada").Press("tab").Paste("Ada Lovelace")
	s.env.Dict = s.env.Catalog().Dict("es")
	s.env.Post(tui.RestyleMsg{})
	v.WaitFor("Nombre de usuario").Contains("ada", "Ada Lovelace", "✓ libre")
	if s.Focused() != "display_name" {
		t.Errorf("focus on %q", s.Focused())
	}
}

func TestLookOfSignUp(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(t, "password.special", "on", "sign_up.fields", "room:text:required:Room number")
	for name, opts := range looks() {
		for _, size := range sizes() {
			size, name := size, sizeName(name, size)
			_, v := p.signingUp(t, opts...)
			v.Resize(size[0], size[1])
			v.Golden("names-" + name)
			v.Type("ada").Press("tab", "tab").Type("ada@example.org").Golden("named-" + name).Press("enter")
			v.Type("4.02").Golden("fields-" + name).Press("enter")
			v.Golden("password-" + name)
			typeScored(v, "lantern").Golden("weak-" + name)
			typeScored(v, " violet dusk!").Press("tab")
			fill(v, "lantern violet dusk!").Golden("strong-" + name)
			v.Press("shift+tab", "tab", "tab").Golden("buttons-" + name)
		}
	}
	for _, lang := range []string{"es", "pt-BR"} {
		_, v := p.signingUp(t, tuitest.Lang(lang))
		v.Golden("names-"+lang).Type("ada").Press("enter", "enter", "enter").Type("4").Press("enter").Resize(60, 20)
		typeScored(v, "lantern").Golden("weak-" + lang).Sizes()
	}
}

// typeScored types and waits until the last key is scored.
func typeScored(v *tuitest.Terminal, text string) *tuitest.Terminal {
	v.Type(text)
	s := v.Router().Top().(interface{ feedbackNow() *passwordFeedback })
	return v.WaitUntil("the password is scored", func(string) bool { return s.feedbackNow().fresh })
}

func (s *signUp) feedbackNow() *passwordFeedback { return s.password.feedback }
func (s *forced) feedbackNow() *passwordFeedback { return s.password.feedback }
func (s *setup) feedbackNow() *passwordFeedback  { return s.password.feedback }

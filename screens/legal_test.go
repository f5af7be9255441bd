package screens

import (
	"context"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/tui"
	"postern/tui/tuitest"
)

const termsText = "1. Be kind.\n   a) To people.\n   b) To machines that other people need too, which takes more patience than one would think.\n2. Keep what is yours.\n"

// terms is an agreement that everybody must accept.
func (p *place) terms(t testing.TB) core.Agreement {
	t.Helper()
	return p.publish(t, core.AgreementInput{Name: "Terms of use", Link: "https://lanterns.example/terms", Text: termsText, Mandatory: true})
}

func (p *place) publish(t testing.TB, in core.AgreementInput) core.Agreement {
	t.Helper()
	a, err := p.Agreements.Publish(context.Background(), core.ConsoleActor("test"), in)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// newsletter is an agreement that nobody has to accept.
func (p *place) newsletter(t testing.TB) core.Agreement {
	t.Helper()
	return p.publish(t, core.AgreementInput{Name: "Newsletter", Link: "https://lanterns.example/news"})
}

func (p *place) contact(t testing.TB, kind core.ContactKind, c core.Contact) {
	t.Helper()
	if _, err := p.Contacts.Set(context.Background(), core.ConsoleActor("test"), kind, c); err != nil {
		t.Fatal(err)
	}
}

// contacted has every contact but one.
func (p *place) contacted(t testing.TB) {
	t.Helper()
	p.contact(t, core.ContactDPO, core.Contact{Name: "Dr Ines Prata", Email: "dpo@lanterns.example", Phone: "+44 20 7946 0018"})
	p.contact(t, core.ContactSecurity, core.Contact{Name: "Night watch", Address: "https://lanterns.example/security"})
}

// agreeAt signs ada in as far as an agreement.
func (p *place) agreeAt(t testing.TB, e *Env) *tuitest.Terminal {
	t.Helper()
	v := p.on(t, e, NewSignIn)
	fill(v, "ada", otherPassword).Press("enter")
	return agreementOn(v)
}

func agreementOn(v *tuitest.Terminal) *tuitest.Terminal {
	return v.WaitUntil("an agreement is asked for", func(string) bool {
		_, ok := v.Router().Top().(*agreeing)
		return ok
	}).Settle()
}

func TestAnAgreementStandsBeforeHome(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ada := p.signUp(t, "ada", otherPassword)
	p.terms(t)
	p.newsletter(t)
	e := p.env(t)
	v := p.agreeAt(t, e).Contains("1 of 2", "Terms of use, version 1", "https://lanterns.example/terms", "1. Be kind.", "I do not agree")
	// An Enter too many agrees to nothing: it opens the text.
	v.Press("enter").WaitFor("2. Keep what is yours.").Press("esc")
	agreementOn(v).Press("ctrl+y").WaitFor("The link is in your clipboard")
	v.Press("down", "enter").WaitFor("Newsletter, version 1").Contains("2 of 2", "You are free to say no.", "No, thank you").Lacks("I do not agree")
	v.Press("end", "enter")
	waitForHome(t, v, e, "ada")
	mine, err := p.Agreements.Mine(context.Background(), as(ada))
	if err != nil || len(mine) != 2 || mine[0].Remote != "198.51.100.4" || mine[0].Client != "OpenSSH_9.9" {
		t.Fatalf("%+v, %v", mine, err)
	}
	v.Press("v").WaitFor("Privacy").Press("c").WaitFor("Your answers")
	waitToRead(v, "✓ Terms of use, version 1: agreed on 22 Nov 2026, 12:00 UTC (ssh, 198.51.100.4, OpenSSH_9.9)")
	waitToRead(v, "Newsletter, version 1: not wanted")
	v.Press("t").WaitFor("b) To machines").Press("esc").WaitFor("Your answers").Press("esc").WaitFor("your own data").Press("esc").WaitFor("Security check-up")
}

func TestWhoDoesNotAgreeLeaves(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.signUp(t, "ada", otherPassword)
	p.terms(t)
	e := p.env(t)
	v := p.agreeAt(t, e).Press("end").Burst("enter", "enter")
	v.WaitFor("Welcome to Lanterns").WaitFor("You did not agree, so you are not signed in.")
	if e.Me().UserName != "" {
		t.Fatal("signed in")
	}
	if n := p.acts(t, "ada", core.ActDecline, core.OutcomeDone); n != 1 {
		t.Errorf("declined %d times", n)
	}
	p.agreeAt(t, p.env(t)).Press("esc").WaitFor("Welcome to Lanterns").Contains("You are not signed in.")
	if n := p.acts(t, "ada", core.ActDecline, core.OutcomeDone); n != 1 {
		t.Errorf("esc declined: %d times", n)
	}
}

// What was published while somebody read the version before is shown before it counts.
func TestAnAgreementChangesOnTheScreen(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.signUp(t, "ada", otherPassword)
	first := p.terms(t)
	e := p.env(t)
	v := p.agreeAt(t, e)
	p.publish(t, core.AgreementInput{ID: first.ID, Name: "Terms of use", Text: "Be kinder.", Mandatory: true})
	v.Press("down", "enter").WaitFor("It was published anew").Contains("version 2", "Be kinder.")
	v.Press("down", "enter")
	waitForHome(t, v, e, "ada")
	p.publish(t, core.AgreementInput{ID: first.ID, Name: "Terms of use", Text: "Be kindest.", Mandatory: true})
	waitToRead(p.agreeAt(t, p.env(t)), "This has changed since you agreed to version 2.")
}

func TestAnAgreementThatWaitsTooLong(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.signUp(t, "ada", otherPassword)
	p.terms(t)
	v := p.agreeAt(t, p.env(t))
	p.clock.Advance(core.AttemptFor + time.Minute)
	v.Press("down", "enter").WaitFor("Welcome to Lanterns")
	v = p.agreeAt(t, p.env(t))
	p.clock.Advance(core.AttemptFor + time.Minute)
	v.Press("end", "enter").WaitFor("Welcome to Lanterns").Lacks("You did not agree")
}

func TestSignUpShowsAgreements(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.terms(t)
	p.newsletter(t)
	e := p.env(t)
	v := p.on(t, e, NewSignUp)
	v.Type("noor").Press("tab", "tab", "tab").Press("enter").WaitFor("asks you to agree").Contains("version 1 · https://lanterns.example/terms")
	waitToRead(v, "You are free to say no.")
	v.Press("ctrl+t").WaitFor("2. Keep what is yours.").Press("esc").WaitFor("asks you to agree")
	v.Press("tab", "tab", "enter").WaitFor("Nobody gets an account here without agreeing")
	v.Press("space", "tab", "tab", "enter").WaitUntil("the password is asked for", func(s string) bool { return !strings.Contains(s, "Newsletter") })
	v.Type(otherPassword).Press("tab").Type(otherPassword).Press("enter")
	waitForHome(t, v, e, "noor")
	mine, err := p.Agreements.Mine(context.Background(), e.Actor())
	if err != nil || len(mine) != 2 || mine[0].Refused == mine[1].Refused {
		t.Fatalf("%+v, %v", mine, err)
	}
}

func TestContactsAreReadBeforeSigningIn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.first(t, p.env(t)).Lacks("Contacts and agreements")
	p.contacted(t)
	v := p.first(t, p.env(t)).WaitFor("Contacts and agreements")
	for !strings.Contains(flat(v.Text()), "▸ Contacts and agreements") {
		v.Press("down")
	}
	v.Press("enter").WaitFor("Data protection officer").Contains("Dr Ines Prata", "dpo@lanterns.example", "+44 20 7946 0018", "Night watch").
		Lacks("Representative", "Your answers", "Agreements\n")
	v.Press("esc").WaitFor("Welcome to Lanterns")
}

// Whoever looks after the portal is told what is missing, and can mend it.
func TestAMissingContactIsSaidAndMended(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.contacted(t)
	e := p.env(t)
	v := p.enter(t, e, p.owner)
	waitForHome(t, v, e, "lin")
	waitToRead(v, "1 legal contact is missing. d")
	v.Press("d").WaitFor("Legal contacts").Press("c").WaitFor("✗ missing").Contains("✓ there")
	v.Press("down")
	waitToRead(v, "must name a representative there (GDPR, Articles 13 and 27)")
	p.clock.Advance(core.StepUpFor + time.Minute)
	v.Press("enter").WaitFor("Address or link").Type("Lanterns Europe").Press("tab", "tab", "tab", "enter")
	v.WaitFor("Give at least one way to reach them").Type("eu@lanterns.example").Press("tab", "tab", "enter")
	v.WaitFor("Everybody relies on what stands here").Type(goodPassword).Press("enter")
	v.WaitFor("The contact is set.").Lacks("✗ missing")
	v.Press("x").WaitFor("is no longer shown to people").Press("tab", "enter").WaitFor("The contact is removed.").WaitFor("✗ missing")
	v.Press("x").WaitFor("There is no such contact")
	v.Press("esc", "esc").WaitFor("Security check-up")
	waitToRead(v, "1 legal contact is missing.")
	ada := p.env(t)
	waitForHome(t, p.enter(t, ada, p.signUp(t, "ada", otherPassword)), ada, "ada")
}

func TestAnAgreementIsPublishedAndWithdrawn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	e := p.env(t)
	v := p.at(t, e, p.owner, NewAgreements).WaitFor("Nothing is asked for yet.")
	v.Press("n").WaitFor("A new agreement").Contains("There is no text.").Type("House rules")
	v.Paste("One.\r\nTwo.\r\n").WaitFor("The text has 2 lines.")
	v.Press("ctrl+t").WaitFor("House rules, version 1").Contains("Two.").Press("esc").WaitFor("A new agreement")
	v.Press("tab", "tab", "tab", "enter").WaitFor("This is how people see it").Contains("House rules, version 1", "Everybody is asked at the next sign-in")
	p.clock.Advance(core.StepUpFor + time.Minute)
	v.Press("tab", "enter").WaitFor("Everybody relies on").Type(goodPassword).Press("enter")
	v.WaitFor("House rules, version 1 is in force.").Contains("✓ mandatory")
	v.Press("enter").WaitFor("Two.").Contains("0 people").Press("esc").WaitFor("Published")
	// A version made from one that is no longer the newest is refused.
	v.Press("v").WaitFor("The text has 2 lines.")
	p.publish(t, core.AgreementInput{Name: "House rules", Text: "Three.", Mandatory: true})
	v.Press("ctrl+x").WaitFor("There is no text.").Press("tab").Type("https://x.example").Press("tab", "tab", "enter").WaitFor("asked again")
	v.Press("tab", "enter").WaitFor("Something else changed in the meantime")
	v.Press("esc", "esc").WaitFor("What you have typed is lost.").Press("tab", "enter").WaitFor("Published").Press("r").Settle()
	v.Press("x").WaitFor("asked of nobody any more").Type("House rules").Press("enter").WaitFor("What was accepted stays.").WaitFor("✗ withdrawn")
	v.Press("x").WaitFor("It was withdrawn already.")
}

// A new agreement of a name that there is is refused, and no version of the other.
func TestANewAgreementTakesNoNameThatThereIs(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	first := p.publish(t, core.AgreementInput{Name: "House rules", Text: "Three.", Mandatory: true})
	e := p.env(t)
	v := p.at(t, e, p.owner, NewAgreements).WaitFor("House rules")
	v.Press("n").WaitFor("A new agreement").Type("house rules").Paste("One.\nTwo.\n").WaitFor("The text has 2 lines.")
	v.Press("tab", "tab", "tab", "enter").WaitFor("This is how people see it").Press("tab", "enter")
	waitToRead(v, "There is an agreement of this name already.")
	v.Contains("house rules", "The text has 2 lines.")
	s, err := p.Agreements.Status(t.Context(), e.Actor(), first.ID)
	if err != nil || s.Version != 1 {
		t.Fatalf("it has become version %d, %v", s.Version, err)
	}
	v.Press("end").Type(" of the boathouse").Press("tab", "tab", "tab", "enter").WaitFor("This is how people see it").Press("tab", "enter").
		WaitFor("house rules of the boathouse, version 1 is in force.")
}

// A text that is no text, or too long, is refused with a sentence.
func TestATextThatCannotBePublished(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.at(t, p.env(t), p.owner, NewAgreements).WaitFor("Nothing is asked for yet.").Press("n").WaitFor("A new agreement").Type("Rules")
	v.Paste(strings.Repeat("long line\n", 2000)).WaitFor("The text is too long: 16 KiB at most.").Contains("There is no text.")
	v.Press("tab", "tab", "tab", "enter").WaitFor("This is how people see it").Press("tab", "enter").WaitFor("there is nothing to agree to")
	v.Paste("\x1b]0;owned\a\nmore").WaitFor("The text has 2 lines.").Press("tab", "tab", "enter").WaitFor("␛]0;owned")
	v.Press("tab", "enter").WaitFor("Line 1: a character cannot be used.")
}

// An auditor reads, and publishes nothing.
func TestAnAuditorOnlyReadsAgreements(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.terms(t)
	e := p.env(t)
	v := p.at(t, e, p.owner, NewAgreements).WaitFor("Terms of use").Contains("n new")
	e.roles = []core.Role{core.RoleAuditor}
	v.Press("r").WaitFor("Terms of use").Lacks("n new").Press("n", "v", "x").Settle()
	if v.Router().Depth() != 2 {
		t.Error("something opened")
	}
}

// Agreements, in lines and in every language.
func TestAgreementsInLines(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "es", "pt-BR"} {
		p := newPlace(t)
		p.signUp(t, "ada", otherPassword)
		p.terms(t)
		e := p.env(t, tuitest.Dumb(), tuitest.Lang(lang))
		if _, err := First(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		d := e.Dict
		l := tuitest.OpenLines(t, e.Session, &opener{NewWelcome(e), NewSignIn(e)}, tui.PlainOptions{Raw: true})
		l.Asked().Answer("ada", otherPassword, "")
		l.Hears(d.T("agreement.name", "Name", "Terms of use", "Version", 1), "https://lanterns.example/terms", "1 "+d.T("agreement.read"), "3 "+d.T("agreement.not"))
		l.Answer("1").Hears("2. Keep what is yours.").Answer("back").Hears("2 " + d.T("agreement.agree")).Answer("2").Hears(d.T("home.check"))
		l.Answer("v").Hears(d.T("privacy.text")).Answer("2").Hears(d.T("legal.mine"), "Terms of use").Answer("back").Answer("back").Asked()
		undrawn(t, l)
	}
}

// legalViews open each page that has to do with contacts and agreements.
func legalViews() map[string]func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
	type opener = func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal
	owner := func(above func(*Env) tui.Screen) opener {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := newPlace(t)
			p.contacted(t)
			p.terms(t)
			p.newsletter(t)
			p.clock.Advance(20 * time.Minute)
			return p.at(t, p.env(t, opts...), p.owner, above).Settle()
		}
	}
	press := func(open opener, keys ...string) opener {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			return open(t, opts...).Press(keys...).Settle()
		}
	}
	return map[string]opener{
		"asked": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := newPlace(t)
			p.signUp(t, "ada", otherPassword)
			p.terms(t)
			p.newsletter(t)
			return p.agreeAt(t, p.env(t, opts...))
		},
		"sign-up": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := newPlace(t)
			p.terms(t)
			p.newsletter(t)
			v := p.on(t, p.env(t, opts...), NewSignUp)
			return v.Type("noor").Press("tab", "tab", "tab", "enter").Settle()
		},
		"page": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := newPlace(t)
			p.contacted(t)
			p.signUp(t, "ada", otherPassword)
			p.terms(t)
			e := p.env(t, opts...)
			v := p.agreeAt(t, e).Press("down", "enter")
			waitForHome(t, v, e, "ada")
			return v.Press("v").WaitFor(e.T("privacy.text")).Press("c").WaitUntil("it is read", func(string) bool {
				s, ok := v.Router().Top().(*legal)
				return ok && s.read
			}).Settle()
		},
		"contacts": owner(NewContacts), "contact missing": press(owner(NewContacts), "down"), "contact form": press(owner(NewContacts), "enter"),
		"agreements": owner(NewAgreements), "agreement": press(owner(NewAgreements), "enter"),
		"publish": press(owner(NewAgreements), "v"), "preview": press(owner(NewAgreements), "v", "tab", "tab", "tab", "enter"),
		"withdraw": press(owner(NewAgreements), "x"),
	}
}

func TestLookOfContactsAndAgreements(t *testing.T) {
	t.Parallel()
	for name, open := range legalViews() {
		t.Run(name, func(t *testing.T) {
			for look, opts := range looks() {
				v := open(t, opts...)
				for _, size := range sizes() {
					v.Resize(size[0], size[1]).Settle().Golden(sizeName(look, size))
				}
			}
			for _, lang := range []string{"es", "pt-BR"} {
				open(t, tuitest.Lang(lang)).Golden(lang+"-80x24").Resize(60, 20).Settle().Golden(lang + "-60x20")
			}
		})
	}
}

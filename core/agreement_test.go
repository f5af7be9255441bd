package core_test

import (
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// terms are an agreement that everybody must accept.
func terms(p *coretest.Place) core.AgreementInput {
	return core.AgreementInput{Name: "Terms of use", Link: "https://lanterns.example/terms", Text: "1. Be kind.\n   a) To people.", Mandatory: true}
}

// publish puts an agreement in force.
func publish(t testing.TB, p *coretest.Place, in core.AgreementInput) core.Agreement {
	t.Helper()
	return must(p.Agreements.Publish(ctx, p.Owner, in))(t)
}

// asks fails the test unless a sign-in asks for these agreements, and returns it.
func asks(t testing.TB, p *coretest.Place, door core.Actor, who string, refs ...string) core.Progress {
	t.Helper()
	progress := begin(t, p, door, who, core.StepAgreement)
	var asked []string
	for _, a := range progress.Asked {
		asked = append(asked, a.Ref())
	}
	if strings.Join(asked, " ") != strings.Join(refs, " ") {
		t.Fatalf("%s is asked for %v, want %v", who, asked, refs)
	}
	return progress
}

func TestAnAgreementIsAskedForAtTheNextSignIn(t *testing.T) {
	p := coretest.Open(t)
	mara := p.SignUp("mara")
	a := publish(t, p, terms(p))
	// Whoever is signed in goes on.
	must(p.Accounts.Profile(ctx, mara))(t)
	door := coretest.From("192.0.2.7")
	progress := asks(t, p, door, "mara", a.Ref())
	if got := progress.Asked[0]; got.Text != "1. Be kind.\n   a) To people." || got.Before != 0 || progress.SignedIn != (core.SignedIn{}) {
		t.Fatalf("%+v", progress)
	}
	// Without a word about it nobody goes on, and there is no way round it.
	refused(t, only(p.Portal.SignIn.Agree(ctx, door, progress.Ticket, nil)), core.CodeAgreement, core.AgreementField(a.ID))
	refused(t, only(p.Portal.SignIn.Later(ctx, door, progress.Ticket)), core.CodeOutOfOrder, "")
	refused(t, only(p.Portal.SignIn.Agree(ctx, coretest.From("192.0.2.8"), progress.Ticket, []string{a.Ref()})), core.CodeTicket, "")
	done := must(p.Portal.SignIn.Agree(ctx, door, progress.Ticket, []string{a.Ref()}))(t)
	if done.Step != core.StepDone {
		t.Fatalf("asked for %s", done.Step)
	}
	begin(t, p, door, "mara", core.StepDone) // and not again
	// The one who published it is asked as well.
	asks(t, p, door, "lin", a.Ref())
}

func TestANewVersionAsksAgainAndNothingIsLost(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	first := publish(t, p, terms(p))
	door := coretest.From("192.0.2.7")
	ticket := asks(t, p, door, "mara", first.Ref()).Ticket
	must(p.Portal.SignIn.Agree(ctx, door, ticket, []string{first.Ref()}))(t)
	p.Clock.Advance(time.Minute)
	in := terms(p)
	in.Name, in.Text = "Terms OF use", "2. Be kinder." // the same name, whatever its case
	second := publish(t, p, in)
	if second.ID != first.ID || second.Version != 2 {
		t.Fatalf("%+v is no second version of %+v", second, first)
	}
	progress := asks(t, p, door, "mara", second.Ref())
	if progress.Asked[0].Before != 1 {
		t.Errorf("it does not say that version 1 was accepted: %+v", progress.Asked[0])
	}
	// What was accepted is that version and no other.
	refused(t, only(p.Portal.SignIn.Agree(ctx, door, progress.Ticket, []string{first.Ref()})), core.CodeAgreement, core.AgreementField(first.ID))
	p.Clock.Advance(time.Minute)
	me := door.With(must(p.Portal.SignIn.Agree(ctx, door, progress.Ticket, []string{second.Ref()}))(t).SignedIn)
	mine := must(p.Agreements.Mine(ctx, me))(t)
	if len(mine) != 2 || mine[0].Version != 2 || mine[1].Version != 1 || mine[1].Name != "Terms of use" {
		t.Fatalf("%+v", mine)
	}
	for _, a := range mine {
		if a.Remote != "192.0.2.7" || a.Client != "SSH-2.0-test" || a.Door != core.DoorSSH || a.At.IsZero() || a.Refused {
			t.Errorf("it was not kept from where: %+v", a)
		}
	}
	if !mine[0].At.After(mine[1].At) {
		t.Error("the newest is not the first")
	}
	now := must(p.Agreements.Status(ctx, p.Owner, first.ID))(t)
	if now.Accepted != 1 || now.Version != 2 || now.Text != "2. Be kinder." {
		t.Errorf("%+v", now)
	}
	entry := find(t, p, core.ActAgree)
	if entry.Remote != "192.0.2.7" || entry.Client != "SSH-2.0-test" || entry.After["agreed"] != "Terms OF use 2" || entry.Name != "mara" {
		t.Errorf("%+v", entry)
	}
	sound(t, p)
}

// find returns the newest entry of an act that was done.
func find(t testing.TB, p *coretest.Place, action core.Action) core.Entry {
	t.Helper()
	for _, e := range p.Trail() {
		if e.Action == action && e.Outcome == core.OutcomeDone {
			return e
		}
	}
	t.Fatalf("the trail does not tell of %s", action)
	return core.Entry{}
}

// sound fails the test when the check finds something.
func sound(t testing.TB, p *coretest.Place) {
	t.Helper()
	ok(t, p.Check(ctx, func(problem string) { t.Error(problem) }))
}

// A version that comes while somebody reads the one before is not accepted unseen.
func TestAnAgreementThatChangesMeanwhileIsShownAnew(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	first := publish(t, p, terms(p))
	door := coretest.Local()
	ticket := asks(t, p, door, "mara", first.Ref()).Ticket
	second := publish(t, p, terms(p))
	refused(t, only(p.Portal.SignIn.Agree(ctx, door, ticket, []string{first.Ref()})), core.CodeAgreement, core.AgreementField(first.ID))
	asked := must(p.Portal.SignIn.Asked(ctx, door, ticket))(t)
	if len(asked) != 1 || asked[0].Ref() != second.Ref() {
		t.Fatalf("%+v", asked)
	}
	must(p.Portal.SignIn.Agree(ctx, door, ticket, []string{second.Ref()}))(t)
	sound(t, p)
}

func TestWhoDoesNotAgreeIsNotSignedIn(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	a := publish(t, p, terms(p))
	door := coretest.From("192.0.2.7")
	ticket := asks(t, p, door, "mara", a.Ref()).Ticket
	ok(t, p.Portal.SignIn.Decline(ctx, door, ticket))
	entry := find(t, p, core.ActDecline)
	if entry.Name != "mara" || entry.After["not_agreed"] != "Terms of use 1" || entry.Remote != "192.0.2.7" {
		t.Errorf("%+v", entry)
	}
	refused(t, only(p.Portal.SignIn.Agree(ctx, door, ticket, []string{a.Ref()})), core.CodeTicket, "")
	refused(t, p.Portal.SignIn.Decline(ctx, door, ticket), core.CodeTicket, "")
	asks(t, p, door, "mara", a.Ref()) // and may think better of it
}

// One that is not mandatory is asked for once, and a no is an answer.
func TestAnAgreementThatIsNotMandatoryMayBeLeft(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	a := publish(t, p, terms(p))
	in := terms(p)
	in.Name, in.Mandatory = "Newsletter", false
	letter := publish(t, p, in)
	door := coretest.Local()
	ticket := asks(t, p, door, "mara", a.Ref(), letter.Ref()).Ticket
	me := door.With(must(p.Portal.SignIn.Agree(ctx, door, ticket, []string{a.Ref()}))(t).SignedIn)
	begin(t, p, door, "mara", core.StepDone)
	mine := must(p.Agreements.Mine(ctx, me))(t)
	if len(mine) != 2 || mine[0].Refused == mine[1].Refused {
		t.Fatalf("%+v", mine)
	}
	if n := must(p.Agreements.Status(ctx, p.Owner, letter.ID))(t); n.Accepted != 0 || n.Refused != 1 {
		t.Errorf("%+v", n)
	}
	if e := find(t, p, core.ActAgree); e.After["agreed"] != "Terms of use 1" || e.After["not_agreed"] != "Newsletter 1" {
		t.Errorf("%+v", e)
	}
	asks(t, p, door, "lin", a.Ref(), letter.Ref())
	sound(t, p)
}

func TestWhatWasWithdrawnIsAskedOfNobodyAndStaysAccepted(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	a := publish(t, p, terms(p))
	door := coretest.Local()
	ticket := asks(t, p, door, "mara", a.Ref()).Ticket
	me := door.With(must(p.Portal.SignIn.Agree(ctx, door, ticket, []string{a.Ref()}))(t).SignedIn)
	ticket = asks(t, p, door, "lin", a.Ref()).Ticket
	ok(t, p.Agreements.Withdraw(ctx, p.Owner, a.ID))
	refused(t, p.Agreements.Withdraw(ctx, p.Owner, a.ID), core.CodeConflict, "")
	refused(t, p.Agreements.Withdraw(ctx, p.Owner, "nothing"), core.CodeNotFound, "agreement")
	begin(t, p, door, "lin", core.StepDone)
	// A sign-in that still asks for it has nothing left to ask.
	refused(t, only(p.Portal.SignIn.Agree(ctx, door, ticket, nil)), core.CodeOutOfOrder, "")
	if mine := must(p.Agreements.Mine(ctx, me))(t); len(mine) != 1 {
		t.Errorf("%+v", mine)
	}
	if now := must(p.Agreements.Status(ctx, p.Owner, a.ID))(t); now.Withdrawn.IsZero() || now.Accepted != 1 {
		t.Errorf("%+v", now)
	}
	// Published again, it is a new version.
	again := publish(t, p, terms(p))
	if again.ID != a.ID || again.Version != 2 {
		t.Errorf("%+v", again)
	}
	sound(t, p)
}

func TestSignUpAsksForAgreements(t *testing.T) {
	p := coretest.Open(t)
	a := publish(t, p, terms(p))
	in := terms(p)
	in.Name, in.Mandatory = "Newsletter", false
	letter := publish(t, p, in)
	if site := must(p.Site.State(ctx))(t); len(site.Agreements) != 2 || site.Agreements[0].Ref() != a.Ref() || site.Agreements[0].Text != "" {
		t.Fatalf("%+v", site.Agreements)
	}
	if now := must(p.Agreements.Current(ctx))(t); len(now) != 2 || now[0].Text == "" {
		t.Fatalf("%+v", now)
	}
	door := coretest.From("192.0.2.7")
	who := coretest.Input("noor")
	refused(t, only(p.Accounts.SignUp(ctx, door, who)), core.CodeAgreement, core.AgreementField(a.ID))
	who.Agreed = []string{letter.Ref(), a.ID + ".00000009"}
	refused(t, only(p.Accounts.SignUp(ctx, door, who)), core.CodeAgreement, core.AgreementField(a.ID))
	who.Agreed = []string{a.Ref()}
	out := must(p.Accounts.SignUp(ctx, door, who))(t)
	stands(t, out.Progress, core.StepDone)
	mine := must(p.Agreements.Mine(ctx, door.With(out.SignedIn)))(t)
	if len(mine) != 2 || mine[0].Remote != "192.0.2.7" {
		t.Fatalf("%+v", mine)
	}
	if e := find(t, p, core.ActSignUp); e.After["agreed"] != "Terms of use 1" {
		t.Errorf("%+v", e)
	}
	begin(t, p, door, "noor", core.StepDone)
	sound(t, p)
}

// Agreements come after what protects the account, so that nobody answers for
// somebody else.
func TestAgreementsComeLast(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	publish(t, p, terms(p))
	p.Set("factors.enforce", "everybody", "factors.days", "30")
	door := coretest.Local()
	ok(t, p.Accounts.ExpirePassword(ctx, p.Owner, "mara"))
	progress := begin(t, p, door, "mara", core.StepChangePassword)
	refused(t, only(p.Portal.SignIn.Agree(ctx, door, progress.Ticket, nil)), core.CodeOutOfOrder, "")
	refused(t, p.Portal.SignIn.Decline(ctx, door, progress.Ticket), core.CodeOutOfOrder, "")
	progress = must(p.Portal.SignIn.ChangePassword(ctx, door, progress.Ticket, strong))(t)
	stands(t, progress, core.StepEnrol)
	stands(t, must(p.Portal.SignIn.Later(ctx, door, progress.Ticket))(t), core.StepAgreement)
}

// A linked key speaks for nobody who has agreements open.
func TestALinkedKeyWaitsForAgreements(t *testing.T) {
	p := coretest.Open(t)
	mara := p.SignUp("mara")
	ok(t, p.Keys.Link(ctx, withKey(mara, "SHA256:mara"), ""))
	in := terms(p)
	in.Name, in.Mandatory = "Newsletter", false
	publish(t, p, in)
	verb := withKey(coretest.From("192.0.2.7"), "SHA256:mara")
	must(p.Keys.Recognise(ctx, verb))(t) // it is not mandatory
	a := publish(t, p, terms(p))
	actor, err := p.Keys.Recognise(ctx, verb)
	refused(t, err, core.CodeAgreement, core.AgreementField(a.ID))
	if actor.Account != "" {
		t.Error("the key speaks for its account all the same")
	}
	door := withKey(coretest.Local(), "SHA256:mara")
	progress := begin(t, p, door, "mara", core.StepAgreement)
	must(p.Portal.SignIn.Agree(ctx, door, progress.Ticket, []string{a.Ref()}))(t)
	must(p.Keys.Recognise(ctx, verb))(t)
}

// ASVS 8.2.1
func TestOnlyOwnersAndAdminsPublish(t *testing.T) {
	p := coretest.Open(t)
	a := publish(t, p, terms(p))
	for role, may := range map[core.Role][2]bool{ // publishes, reads how it stands
		core.RoleAdmin: {true, true}, core.RoleSupport: {false, false}, core.RoleAuditor: {false, true}, "": {false, false},
	} {
		name := "x" + string(role)
		in := coretest.Input(name)
		in.Agreed = []string{must(p.Agreements.Status(ctx, p.Owner, a.ID))(t).Ref()}
		me := coretest.Local().With(must(p.Accounts.SignUp(ctx, coretest.Local(), in))(t).SignedIn)
		if role != "" {
			grant(t, p, me.Account, role)
		}
		verdict := func(what string, err error, may bool) {
			t.Helper()
			if may {
				ok(t, err)
			} else {
				refused(t, err, core.CodeDenied, "")
			}
		}
		verdict("publish", only(p.Agreements.Publish(ctx, me, terms(p))), may[0])
		verdict("set", only(p.Contacts.Set(ctx, me, core.ContactDPO, officer())), may[0])
		verdict("clear", p.Contacts.Clear(ctx, me, core.ContactDPO), may[0])
		verdict("status", only(p.Agreements.Status(ctx, me, a.ID)), may[1])
		_, _, err := p.Agreements.List(ctx, me, "", 10)
		verdict("list", err, may[1])
		verdict("withdraw", p.Agreements.Withdraw(ctx, me, a.ID), may[0])
	}
	for _, err := range []error{
		only(p.Agreements.Publish(ctx, coretest.Local(), terms(p))), p.Agreements.Withdraw(ctx, coretest.Local(), a.ID),
		only(p.Agreements.Mine(ctx, coretest.Local())), only(p.Contacts.Set(ctx, coretest.Local(), core.ContactDPO, officer())),
	} {
		refused(t, err, core.CodeDenied, "")
	}
	p.Clock.Advance(core.StepUpFor + time.Minute)
	refused(t, only(p.Agreements.Publish(ctx, p.Owner, terms(p))), core.CodeStepUp, "")
	refused(t, p.Agreements.Withdraw(ctx, p.Owner, a.ID), core.CodeStepUp, "")
	refused(t, only(p.Contacts.Set(ctx, p.Owner, core.ContactDPO, officer())), core.CodeStepUp, "")
	refused(t, p.Contacts.Clear(ctx, p.Owner, core.ContactDPO), core.CodeStepUp, "")
}

func TestWhatIsPublishedIsChecked(t *testing.T) {
	p := coretest.Open(t)
	for field, c := range map[string]struct {
		change func(*core.AgreementInput)
		code   core.Code
	}{
		"name": {func(in *core.AgreementInput) { in.Name = " " }, core.CodeRequired},
		"link": {func(in *core.AgreementInput) { in.Link, in.Text = "", " \n " }, core.CodeRequired},
		"text": {func(in *core.AgreementInput) { in.Text = strings.Repeat("0123456789 ab de\n", 1024) + "x" }, core.CodeTooLong},
	} {
		in := terms(p)
		c.change(&in)
		refused(t, only(p.Agreements.Publish(ctx, p.Owner, in)), c.code, field)
	}
	for text, code := range map[string]core.Code{
		"a\x1b]0;owned\ab": core.CodeCharacter, "user\u202egnp": core.CodeCharacter, "\xff": core.CodeEncoding,
		strings.Repeat("a", 2001): core.CodeTooLong, strings.Repeat("a\n", 1<<20): core.CodeTooLong,
	} {
		in := terms(p)
		in.Text = text
		refused(t, only(p.Agreements.Publish(ctx, p.Owner, in)), code, "text")
	}
	in := terms(p)
	in.Text = "\ufeffOne\r\n\tTwo\r\rThree\n\n"
	if a := publish(t, p, in); a.Text != "One\n    Two\n\nThree" {
		t.Errorf("%q", a.Text)
	}
	in.ID = "nothing"
	refused(t, only(p.Agreements.Publish(ctx, p.Owner, in)), core.CodeNotFound, "agreement")
	for i := range core.MaxAgreements - 1 {
		in.ID, in.Name = "", "No "+string(rune('A'+i))
		publish(t, p, in)
	}
	in.Name = "One more"
	refused(t, only(p.Agreements.Publish(ctx, p.Owner, in)), core.CodeRange, "name")
}

// What is to be a new agreement does not become a version of one that is called the
// same, and none comes to be called as another.
func TestAgreementsHaveNamesOfTheirOwn(t *testing.T) {
	p := coretest.Open(t)
	first := publish(t, p, terms(p))
	in := terms(p)
	in.New, in.Name = true, strings.ToUpper(first.Name)
	refused(t, only(p.Agreements.Publish(ctx, p.Owner, in)), core.CodeTaken, "name")
	in.Name = "House rules"
	second := publish(t, p, in)
	if second.ID == first.ID || second.Version != 1 {
		t.Fatalf("the new one is %+v", second)
	}
	change := core.AgreementInput{ID: second.ID, From: 1, Name: strings.ToUpper(first.Name), Text: "Be kind."}
	refused(t, only(p.Agreements.Publish(ctx, p.Owner, change)), core.CodeTaken, "name")
	change.Name = "HOUSE RULES"
	if a := publish(t, p, change); a.ID != second.ID || a.Version != 2 {
		t.Errorf("called the same in capitals it is %+v", a)
	}
	if s := must(p.Agreements.Status(ctx, p.Owner, first.ID))(t); s.Version != 1 || s.Name != first.Name {
		t.Errorf("the first one has become %+v", s)
	}
	// The name of one that was withdrawn is its own still; by name it comes back.
	ok(t, p.Agreements.Withdraw(ctx, p.Owner, first.ID))
	in.Name = first.Name
	refused(t, only(p.Agreements.Publish(ctx, p.Owner, in)), core.CodeTaken, "name")
	in.New = false
	if a := publish(t, p, in); a.ID != first.ID || a.Version != 2 {
		t.Errorf("again it is %+v", a)
	}
}

// Two who publish at once: the second sees that there is another version.
func TestTwoWhoPublishAtOnce(t *testing.T) {
	p := coretest.Open(t)
	a := publish(t, p, terms(p))
	in := terms(p)
	in.ID, in.From = a.ID, 1
	won := make([]bool, 8)
	parallel(len(won), func(i int) {
		_, err := p.Agreements.Publish(ctx, p.Owner, in)
		won[i] = err == nil
		if err != nil && core.CodeOf(err) != core.CodeConflict {
			t.Error(err)
		}
	})
	n := 0
	for _, w := range won {
		if w {
			n++
		}
	}
	if now := must(p.Agreements.Status(ctx, p.Owner, a.ID))(t); n != 1 || now.Version != 2 {
		t.Errorf("%d have published, and version %d is in force", n, now.Version)
	}
}

// A number that is kept as people agree is right however many do so at once.
func TestAgreementsAreCountedAsTheyAreAccepted(t *testing.T) {
	p := coretest.Open(t)
	names := []string{"ada", "bea", "cem", "dot", "eli", "fay"}
	for _, n := range names {
		p.SignUp(n)
	}
	a := publish(t, p, terms(p))
	parallel(len(names)*2, func(i int) { // everybody twice
		door := coretest.Local()
		progress, err := p.Portal.SignIn.Password(ctx, door, names[i/2], coretest.Password)
		if err == nil && progress.Step == core.StepAgreement {
			_, err = p.Portal.SignIn.Agree(ctx, door, progress.Ticket, []string{a.Ref()})
		}
		if code := core.CodeOf(err); err != nil && code != core.CodeOutOfOrder {
			t.Error(err)
		}
	})
	if now := must(p.Agreements.Status(ctx, p.Owner, a.ID))(t); now.Accepted != len(names) {
		t.Errorf("%d are counted, want %d", now.Accepted, len(names))
	}
	sound(t, p)
}

func TestAgreementsAreListedPageByPage(t *testing.T) {
	p := coretest.Open(t)
	for i := range 3 {
		in := terms(p)
		in.Name = string(rune('A' + i))
		publish(t, p, in)
		p.Clock.Advance(time.Second)
	}
	var names string
	after := ""
	for {
		list, next, err := p.Agreements.List(ctx, p.Owner, after, 2)
		ok(t, err)
		for _, a := range list {
			if names += a.Name; a.Text != "" {
				t.Error("a listing holds texts")
			}
		}
		if after = next; next == "" {
			break
		}
	}
	if names != "ABC" {
		t.Errorf("listed %q", names)
	}
}

// What is said of a text while it is written is what publishing refuses it with,
// with the line where that can be said.
func TestATextOfAnAgreementIsCheckedByItsLines(t *testing.T) {
	for _, c := range []struct {
		text string
		line int
		code core.Code
	}{
		{"", 0, ""}, {"One.\r\n   Two.\n\n", 0, ""}, {"\ufeffOne.\nTwo.", 0, ""}, {"One.\n\ufeffTwo.", 2, core.CodeCharacter},
		{"One.\rTwo.\nb\u202eid", 3, core.CodeCharacter}, {"One.\n\xff", 2, core.CodeEncoding},
		{"One.\n\n" + strings.Repeat("x", core.MaxAgreementLine+1), 3, core.CodeTooLong},
		{strings.Repeat("long line\n", core.MaxAgreementText/10), 0, ""},
		{strings.Repeat("long line\n", core.MaxAgreementText/10+2), 0, core.CodeTooLong},
		{strings.Repeat("\xff", 5*core.MaxAgreementText), 0, core.CodeTooLong},
	} {
		line, err := core.CheckAgreementText(c.text)
		if line != c.line || core.CodeOf(err) != c.code {
			t.Errorf("%.20q: line %d, %v", c.text, line, err)
		}
		if _, cleaned := core.CleanLines(c.text, core.MaxAgreementText); core.CodeOf(cleaned) != c.code {
			t.Errorf("%.20q is refused with %v", c.text, cleaned)
		}
	}
}

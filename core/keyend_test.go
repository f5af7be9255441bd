// Linked keys with an end: what they stand for before and after it, who is told
// and what is written down.
package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/store"
)

// fp is the fingerprint of mara's key.
const fp = "SHA256:mara"

// keyed is a portal whose mara has linked a key until a moment from now, zero for
// good; sessions do not end by themselves.
func keyed(t testing.TB, stands string, until time.Duration) (p *coretest.Place, me core.Actor) {
	t.Helper()
	p = coretest.Open(t)
	p.Set("factors.key_stands", stands, "session.idle_minutes", "0", "session.lifetime", "60 days")
	me = withKey(p.SignUp("mara"), fp)
	end := time.Time{}
	if until != 0 {
		end = p.Clock.Now().Add(until)
	}
	ok(t, p.Keys.Until(end).Link(ctx, me, "laptop"))
	return p, me
}

// After its end a key stands for nothing: not for the password, not for a second
// factor, not for the account's verbs. Whoever comes with it is told what one is
// told whose key was never linked. ASVS 6.3.4
func TestAKeyStandsForNothingAfterItsEnd(t *testing.T) {
	p, _ := keyed(t, "factor", 30*day)
	came := withKey(here, fp)
	stands(t, must(p.Portal.SignIn.Password(ctx, came, "mara", coretest.Password))(t), core.StepDone)
	if got := kinds(begin(t, p, here, "mara", core.StepFactor).Ways); got != "key(no_key)" {
		t.Errorf("without the key: %s", got)
	}
	verb := must(p.Keys.Recognise(ctx, came))(t)
	must(p.Accounts.Profile(ctx, verb))(t)

	p.Clock.Advance(30*day - time.Second)
	must(p.Accounts.Profile(ctx, verb))(t)
	p.Clock.Advance(time.Second)
	_, err := p.Accounts.Profile(ctx, verb)
	refused(t, err, core.CodeSessionEnded, "") // a verb that runs on
	_, unlinked := p.Keys.Recognise(ctx, withKey(here, "SHA256:eve"))
	_, err = p.Keys.Recognise(ctx, came)
	if details(t, err) != details(t, unlinked) {
		t.Errorf("%v, and with a key that nobody linked %v", err, unlinked)
	}
	// As after it was removed, a sign-in asks for what is left.
	for _, from := range []core.Actor{here, came} {
		stands(t, must(p.Portal.SignIn.Password(ctx, from, "mara", coretest.Password))(t), core.StepDone)
	}
	s := must(p.Sessions.Mine(ctx, p.SignIn("mara")))(t)
	if slices.ContainsFunc(s, func(s core.Session) bool { return s.Factor == core.FactorKey && s.Created.Equal(p.Clock.Now()) }) {
		t.Errorf("it was a factor: %+v", s)
	}
	if d := must(p.Factors.Of(ctx, p.Owner, "mara"))(t); d.Enough || len(d.Keys) != 1 || d.Keys[0].Ended.IsZero() {
		t.Errorf("%+v", d)
	}
	if c := must(p.Accounts.CheckUp(ctx, withKey(p.SignIn("mara"), fp)))(t); c.Keys != 0 || c.KeyLinked {
		t.Errorf("%+v", c)
	}

	p, _ = keyed(t, "password", day)
	must(p.Portal.SignIn.Key(ctx, came))(t)
	p.Clock.Advance(day)
	_, err = p.Portal.SignIn.Key(ctx, came)
	says(t, err, core.Error{Code: core.CodeCredentials})
	if offer := must(p.Portal.SignIn.Offer(ctx, came))(t); offer.UserName != "" {
		t.Errorf("it is offered to sign in as %q", offer.UserName)
	}
}

// Where the policy demands a factor, whoever's only one has ended adds another at
// the next sign-in.
func TestAfterTheEndOfTheOnlyFactorAnotherIsDemanded(t *testing.T) {
	p, _ := keyed(t, "factor", 2*day)
	p.Set("factors.enforce", "everybody", "factors.days", "0")
	begin(t, p, withKey(here, fp), "mara", core.StepDone)
	p.Clock.Advance(2 * day)
	progress := begin(t, p, withKey(here, fp), "mara", core.StepEnrol)
	// It may be the same key anew.
	must(p.Portal.SignIn.EnrolKey(ctx, withKey(here, fp), progress.Ticket, ""))(t)
	if d := must(p.Factors.Of(ctx, p.Owner, "mara"))(t); !d.Enough || len(d.Keys) != 1 || !d.Keys[0].Ended.IsZero() || !d.Keys[0].Until.IsZero() {
		t.Errorf("%+v", d)
	}
	nothingFound(t, p)
}

// Sessions that were begun with a key go on after its end, as they do when a
// factor is removed; they end by their own rules.
func TestSessionsOutliveTheKeyTheyWereBegunWith(t *testing.T) {
	p, me := keyed(t, "password", day)
	mine := withKey(here, fp).With(must(p.Portal.SignIn.Key(ctx, withKey(here, fp)))(t).SignedIn)
	p.Clock.Advance(day)
	must(p.Sweep(ctx, p.Clock.Now()))(t)
	must(p.Accounts.Profile(ctx, mine))(t)
	must(p.Accounts.Profile(ctx, me))(t)
}

// Its person is told a week before and when it is so, each once, whoever sweeps;
// the end is in the trail, and the key on the list until it is removed.
func TestTheEndOfAKeyIsToldAndWrittenDownOnce(t *testing.T) {
	p, me := keyed(t, "nothing", 10*day)
	p.ConfirmEmail(me)
	until := p.Clock.Now().Add(10 * day)
	sweep := func() { parallel(4, func(int) { _, _ = p.Sweep(ctx, p.Clock.Now()) }) }
	told := func() string {
		var kinds []string
		for _, k := range toldOf(t, p, me) {
			if strings.HasPrefix(string(k), "key_") {
				kinds = append(kinds, string(k))
			}
		}
		return strings.Join(kinds, " ")
	}
	sweep()
	if got := told(); got != "key_added" {
		t.Errorf("at first: %s", got)
	}
	p.Clock.Advance(3 * day)
	for range 2 {
		sweep()
		p.Clock.Advance(day)
	}
	if got := told(); got != "key_ending key_added" {
		t.Errorf("a week before: %s", got)
	}
	p.Clock.Advance(5 * day)
	for range 2 {
		sweep()
	}
	if got := told(); got != "key_ended key_ending key_added" {
		t.Errorf("at its end: %s", got)
	}
	for i, n := range must(p.Notices.Mine(ctx, me, "en", "", "", 2))(t).Notices {
		mail := outbox(t, p, "mara@example.org")[i]
		if n.Args["Key"] != fp || n.Args["KeyUntil"] != until.Format(time.RFC3339) || mail.Kind != n.Kind {
			t.Errorf("%+v, and by mail %+v", n.Notice, mail)
		}
	}
	n := 0
	for _, e := range p.Trail() {
		if e.Action == core.ActKeyLapsed {
			n++
			if e.Actor != core.ActorSystem || e.About != me.Account || e.Target != fp || e.Outcome != core.OutcomeDone ||
				e.Before["until"] != until.Format(time.RFC3339) || e.After["ended"] == "" {
				t.Errorf("%+v", e)
			}
		}
	}
	if n != 1 {
		t.Errorf("it was written down %d times", n)
	}
	if swept := must(p.Sweep(ctx, p.Clock.Now()))(t); swept.Keys != 0 {
		t.Errorf("%+v", swept)
	}
	nothingFound(t, p)
	if list := must(p.Keys.Mine(ctx, me))(t); len(list) != 1 || list[0].Ended.IsZero() || !list[0].Until.Equal(until) {
		t.Errorf("%+v", list)
	}
	ok(t, p.Keys.Remove(ctx, p.SignIn("mara"), fp, true))
	nothingFound(t, p)

	// Whoever chose an end within the week knows it.
	p, me = keyed(t, "nothing", 3*day)
	sweep()
	if got := told(); got != "key_added" {
		t.Errorf("a near end: %s", got)
	}
}

// Many keys that end are swept a page at a time, and those that end later are let be.
func TestTheSweepOfManyKeys(t *testing.T) {
	p := coretest.Open(t)
	ok(t, core.FillPeople(p.Portal, 130, nil))
	for i := range 130 {
		end := p.Clock.Now().Add(time.Minute)
		if i >= 120 {
			end = p.Clock.Now().Add(300 * day)
		}
		must(p.Keys.Until(end).AddTo(ctx, coretest.Console(), fmt.Sprintf("p%07d", i), edLine(t), ""))(t)
	}
	p.Clock.Advance(time.Minute)
	if s := must(p.Sweep(ctx, p.Clock.Now()))(t); s.Keys != 120 {
		t.Errorf("%+v", s)
	}
	if s := must(p.Sweep(ctx, p.Clock.Now()))(t); s.Keys != 0 {
		t.Errorf("%+v", s)
	}
}

// An end is chosen, moved and taken away while the key counts; one that has ended
// is linked anew, by its own account only.
func TestTheEndOfAKeyIsChanged(t *testing.T) {
	p, me := keyed(t, "nothing", 10*day)
	now := p.Clock.Now()
	k := must(p.Keys.SetEnd(ctx, me, fp, now.Add(20*day)))(t)
	if !k.Until.Equal(now.Add(20 * day)) {
		t.Errorf("%+v", k)
	}
	if e := p.Trail()[0]; e.Action != core.ActKeyChange || e.Target != fp || e.Before["until"] != now.Add(10*day).Format(time.RFC3339) || e.After["until"] != k.Until.Format(time.RFC3339) {
		t.Errorf("%+v", e)
	}
	if told := toldOf(t, p, me); told[0] != core.NoticeKeyTerm {
		t.Errorf("mara was told %v", told)
	}
	for end, want := range map[time.Time]core.Error{
		now.Add(20 * day):   {Code: core.CodeSameEnd, Field: "until"},
		now:                 {Code: core.CodeEndPast, Field: "until"},
		now.Add(-time.Hour): {Code: core.CodeEndPast, Field: "until"},
		now.AddDate(0, 0, core.MaxGrantDays).Add(time.Second): {Code: core.CodeEndFar, Field: "until", N: core.MaxGrantDays},
	} {
		_, err := p.Keys.SetEnd(ctx, me, fp, end)
		says(t, err, want)
		if want.Code != core.CodeSameEnd {
			says(t, p.Keys.Until(end).Link(ctx, withKey(p.Owner, "SHA256:lin"), ""), want)
		}
	}
	_, err := p.Keys.SetEnd(ctx, p.Owner, fp, time.Time{})
	refused(t, err, core.CodeNotFound, "key") // somebody else's
	_, err = p.Keys.SetEndOf(ctx, p.SignUp("noor"), "mara", fp, time.Time{})
	refused(t, err, core.CodeDenied, "")
	if k := must(p.Keys.SetEndOf(ctx, coretest.Console(), "mara", fp, time.Time{}))(t); !k.Until.IsZero() {
		t.Errorf("%+v", k)
	}
	must(p.Keys.SetEndOf(ctx, coretest.Console(), "mara", fp, now.Add(time.Hour)))(t)
	p.Clock.Advance(core.StepUpFor + time.Second)
	_, err = p.Keys.SetEnd(ctx, me, fp, time.Time{})
	refused(t, err, core.CodeStepUp, "")

	p.Clock.Advance(time.Hour)
	me = withKey(p.SignIn("mara"), fp)
	for _, written := range []bool{false, true} {
		_, err = p.Keys.SetEnd(ctx, me, fp, time.Time{})
		refused(t, err, core.CodeKeyEnded, "key")
		refused(t, p.Keys.Link(ctx, withKey(p.SignIn("noor"), fp), ""), core.CodeKeyInUse, "")
		ok(t, p.Keys.Until(p.Clock.Now().Add(time.Minute)).Link(ctx, me, "again"))
		if list := must(p.Keys.Mine(ctx, me))(t); len(list) != 1 || list[0].Label != "again" || !list[0].Ended.IsZero() {
			t.Errorf("%+v", list)
		}
		nothingFound(t, p)
		p.Clock.Advance(time.Minute)
		if !written {
			must(p.Sweep(ctx, p.Clock.Now()))(t)
		}
		nothingFound(t, p)
	}
}

// People are found by keys that count.
func TestASearchPassesOverKeysThatHaveEnded(t *testing.T) {
	p, _ := keyed(t, "factor", day)
	found := func(k core.FactorKind) string {
		names, _ := search(t, p, core.PeopleQuery{Factor: k, N: 10})
		return strings.Join(names, " ")
	}
	if found(core.FactorKey) != "mara" || found(core.FactorNone) != "lin" {
		t.Errorf("with %s, without %s", found(core.FactorKey), found(core.FactorNone))
	}
	p.Clock.Advance(day)
	if found(core.FactorKey) != "" || found(core.FactorNone) != "lin mara" {
		t.Errorf("with %s, without %s", found(core.FactorKey), found(core.FactorNone))
	}
}

// Keys of data that an older program wrote are found by an end they get later.
func TestOlderKeysGetAnEnd(t *testing.T) {
	p, me := keyed(t, "nothing", 0)
	p.Close()
	ok(t, p.DB.Update(ctx, func(tx store.Tx) error { return tx.Delete([]byte("schema\x00now")) }))
	q := coretest.New(t, coretest.WithStore(p.DB), coretest.WithClock(p.Clock))
	q.Owner = p.Owner
	must(q.Keys.SetEnd(ctx, me, fp, q.Clock.Now().Add(time.Hour)))(t)
	q.Clock.Advance(time.Hour)
	if s := must(q.Sweep(ctx, q.Clock.Now()))(t); s.Keys != 1 {
		t.Errorf("%+v", s)
	}
	nothingFound(t, q)
}

// keyEndFlows are the acts of this file, for a store that fails and one that runs
// everything twice.
func keyEndFlows() []flow {
	return []flow{
		{name: "link a key until a day", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error { return p.Keys.Until(p.Clock.Now().Add(day)).Link(ctx, withKey(p.Owner, fp), "") }
		}},
		{name: "link a key anew", prepare: func(t *testing.T, p *coretest.Place) func() error {
			ok(t, p.Keys.Until(p.Clock.Now().Add(time.Minute)).Link(ctx, withKey(p.Owner, fp), ""))
			p.Clock.Advance(time.Minute)
			return func() error { return p.Keys.Link(ctx, withKey(p.Owner, fp), "") }
		}},
		{name: "change the end of a key", prepare: func(t *testing.T, p *coretest.Place) func() error {
			ok(t, p.Keys.Link(ctx, withKey(p.Owner, fp), ""))
			return func() error { return only(p.Keys.SetEnd(ctx, p.Owner, fp, p.Clock.Now().Add(day))) }
		}},
		{name: "change the end of somebody's key", prepare: func(t *testing.T, p *coretest.Place) func() error {
			ok(t, p.Keys.Link(ctx, withKey(p.SignIn("mara"), fp), ""))
			return func() error { return only(p.Keys.SetEndOf(ctx, p.Owner, "mara", fp, p.Clock.Now().Add(day))) }
		}},
		{name: "the end of a key comes", prepare: func(t *testing.T, p *coretest.Place) func() error {
			ok(t, p.Keys.Until(p.Clock.Now().Add(time.Minute)).Link(ctx, withKey(p.Owner, fp), ""))
			p.Clock.Advance(time.Minute)
			return func() error { return only(core.SweepKeys(ctx, p.Portal, p.Clock.Now())) }
		}},
	}
}

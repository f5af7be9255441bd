package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// warns returns the warnings of an overview with a code.
func warns(t testing.TB, p *coretest.Place, code core.WarningCode) (found []core.Warning) {
	t.Helper()
	for _, w := range overview(t, p, core.OverviewHour).Warnings {
		if w.Code == code {
			found = append(found, w)
		}
	}
	return found
}

func TestEveryRoleSeesTheOverviewAndNobodyElse(t *testing.T) {
	p := coretest.Open(t)
	for _, r := range []core.Role{core.RoleAdmin, core.RoleSupport, core.RoleAuditor} {
		a := p.SignUp("an" + string(r))
		ok(t, core.GrantRole(p.Portal, a.Account, r, time.Time{}))
		must(p.Overview.Show(ctx, a, core.OverviewDay))(t)
	}
	_, err := p.Overview.Show(ctx, p.SignUp("mara"), core.OverviewDay)
	refused(t, err, core.CodeDenied, "")
	_, err = p.Overview.Show(ctx, coretest.From("192.0.2.1"), core.OverviewDay)
	refused(t, err, core.CodeDenied, "")
	_, err = p.Overview.Show(ctx, p.Owner, "year")
	refused(t, err, core.CodeFormat, "span")
	_, err = coretest.New(t).Overview.Show(ctx, coretest.Console(), core.OverviewDay)
	refused(t, err, core.CodeNotSetUp, "")
}

func TestGrantsThatEndSoonAreListed(t *testing.T) {
	p := coretest.Open(t)
	now := p.Clock.Now()
	for name, until := range map[string]time.Time{
		"past": now.Add(-time.Hour), "today": now.Add(time.Hour), "late": now.Add(14*24*time.Hour - time.Hour),
		"later": now.Add(14*24*time.Hour + time.Hour), "never": {},
	} {
		ok(t, core.GrantRole(p.Portal, p.SignUp(name).Account, core.RoleAuditor, until))
	}
	var got []string
	for _, e := range overview(t, p, core.OverviewHour).Ending {
		got = append(got, e.UserName)
	}
	if want := []string{"today", "late"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for i := range core.MaxEnding {
		ok(t, core.GrantRole(p.Portal, p.Owner.Account, core.RoleAuditor, now.Add(time.Duration(i+2)*time.Hour)))
	}
	if o := overview(t, p, core.OverviewHour); len(o.Ending) != core.MaxEnding || !o.MoreEnding || o.Ending[0].UserName != "today" {
		t.Errorf("%d, more: %v", len(o.Ending), o.MoreEnding)
	}
}

// What ends soon comes in one order, whatever it is.
func TestKeysThatEndSoonAreListedAmongGrants(t *testing.T) {
	p := coretest.Open(t)
	now := p.Clock.Now()
	p.SignUp("mara")
	for _, hours := range []int{-1, 2, 30, 14*24 + 1} {
		if hours < 0 {
			must(p.Keys.Until(now.Add(time.Second)).AddTo(ctx, coretest.Console(), "mara", edLine(t), "past"))(t)
			continue
		}
		must(p.Keys.Until(now.Add(time.Duration(hours)*time.Hour)).AddTo(ctx, coretest.Console(), "mara", edLine(t), fmt.Sprint(hours)))(t)
	}
	must(p.Keys.AddTo(ctx, coretest.Console(), "mara", edLine(t), "for good"))(t)
	ok(t, core.GrantRole(p.Portal, p.SignUp("noor").Account, core.RoleAuditor, now.Add(3*time.Hour)))
	ok(t, core.GrantRole(p.Portal, p.Owner.Account, core.RoleAuditor, now.Add(time.Hour)))
	p.Clock.Advance(time.Second)
	said := func() string {
		var got []string
		for _, e := range overview(t, p, core.OverviewHour).Ending {
			got = append(got, e.UserName+" "+string(e.Role)+e.Key.Label)
		}
		return strings.Join(got, ", ")
	}
	if got := said(); got != "lin auditor, mara 2, noor auditor, mara 30" {
		t.Errorf("%s", got)
	}
	for i := range core.MaxEnding {
		must(p.Keys.Until(now.Add(time.Duration(i+4)*time.Hour)).AddTo(ctx, coretest.Console(), []string{"mara", "noor"}[i%2], edLine(t), ""))(t)
	}
	if o := overview(t, p, core.OverviewHour); len(o.Ending) != core.MaxEnding || !o.MoreEnding || o.Ending[2].UserName != "noor" {
		t.Errorf("%d, more: %v", len(o.Ending), o.MoreEnding)
	}
}

func TestABackupIsMissedAndThenGrowsOld(t *testing.T) {
	p := coretest.Open(t)
	if w := warns(t, p, core.WarnNoBackup); len(w) != 1 || w[0].Remedy != core.RemedyMachine {
		t.Fatalf("before the first: %+v", w)
	}
	_ = p.Site.BackUp(ctx, coretest.Console(), "b.bak", func() error { return fmt.Errorf("the disk is full") })
	if len(warns(t, p, core.WarnNoBackup)) != 1 {
		t.Fatal("one that failed counts")
	}
	ok(t, p.Site.BackUp(ctx, coretest.Console(), "b.bak", func() error { return nil }))
	p.Clock.Advance(7 * 24 * time.Hour)
	if len(warns(t, p, core.WarnNoBackup))+len(warns(t, p, core.WarnOldBackup)) != 0 {
		t.Fatal("a backup of a week is too old")
	}
	p.Clock.Advance(24 * time.Hour)
	if w := warns(t, p, core.WarnOldBackup); len(w) != 1 || w[0].N != 8 {
		t.Errorf("after eight days: %+v", w)
	}
}

func TestWhatIsToBeMendedIsWarnedOf(t *testing.T) {
	p := coretest.Open(t)
	if w := warns(t, p, core.WarnOpenNoQuota); len(w) != 1 || w[0].Setting != "sign_up.quota" {
		t.Errorf("open to everybody: %+v", w)
	}
	p.Set("sign_up.quota", "100")
	if len(warns(t, p, core.WarnOpenNoQuota)) != 0 {
		t.Error("with a quota")
	}
	if len(warns(t, p, core.WarnNoProvider)) != 0 {
		t.Error("no codes are sent, and nobody is missed who carries them")
	}
	withMessages(p)
	if n := len(warns(t, p, core.WarnNoProvider)); n != 2 {
		t.Errorf("%d services have no provider, want 2", n)
	}
	if n := len(warns(t, p, core.WarnContact)); n != len(core.ContactKinds()) {
		t.Errorf("%d contacts are missed", n)
	}
	p.Set("messages.mail_allowance", "5")
	for range 4 {
		must(p.Messages.Test(ctx, coretest.Console(), core.ServiceMail, "ada@example.org"))(t)
	}
	if w := warns(t, p, core.WarnAllowance); len(w) != 1 || w[0].N != 80 || w[0].Target != "mail" {
		t.Errorf("80 %%: %+v", w)
	}
	must(p.Messages.Test(ctx, coretest.Console(), core.ServiceMail, "ada@example.org"))(t)
	if len(warns(t, p, core.WarnAllowance)) != 0 || len(warns(t, p, core.WarnAllowanceOver)) != 1 {
		t.Error("used up")
	}
	codes := core.WarningCodes()
	list := overview(t, p, core.OverviewHour).Warnings
	if !slices.IsSortedFunc(list, func(a, b core.Warning) int { return slices.Index(codes, a.Code) - slices.Index(codes, b.Code) }) {
		t.Errorf("not the gravest first: %+v", list)
	}
}

// found returns whom the search of a warning finds.
func found(t *testing.T, p *coretest.Place, w core.Warning) string {
	t.Helper()
	w.Find.N = 10
	var names []string
	for _, a := range must(p.Accounts.Search(ctx, coretest.Console(), w.Find))(t).Accounts {
		names = append(names, a.UserName)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// How many have no factor that counts is known from the counters, under any policy.
func TestWhoHasNoFactorInTimeIsCounted(t *testing.T) {
	p := coretest.Open(t)
	withMessages(p)
	if w := warns(t, p, core.WarnAdminNoFactor); len(w) != 1 || w[0].N != 1 {
		t.Errorf("an owner without a factor: %+v", w)
	}
	mara, noor, bram := p.SignUp("mara"), p.SignUp("noor"), p.SignUp("bram")
	enrolApp(t, p, mara, "phone")
	p.Set("factors.email", "off")
	ok(t, p.Keys.Link(ctx, withKey(noor, "SHA256:noor"), ""))
	enrolAddress(t, p, bram, core.FactorSMS, "+442079460018")
	p.SignUp("kim")
	p.Set("factors.enforce", "everybody", "factors.days", "7")
	if len(warns(t, p, core.WarnNoFactor)) != 0 {
		t.Error("there are seven days")
	}
	p.Clock.Advance(7 * 24 * time.Hour)
	if w := warns(t, p, core.WarnNoFactor); len(w) != 1 || w[0].N != 2 {
		t.Errorf("lin and kim have none: %+v", w)
	}
	if got := found(t, p, warns(t, p, core.WarnNoFactor)[0]); got != "kim lin" {
		t.Errorf("its search finds %q", got)
	}
	ok(t, change(p, true, "factors.sms", "off"))
	if got := found(t, p, warns(t, p, core.WarnNoFactor)[0]); got != "bram kim lin" {
		t.Errorf("without text messages its search finds %q", got)
	}
	if w := warns(t, p, core.WarnNoFactor); len(w) != 1 || w[0].N != 3 {
		t.Errorf("without text messages bram has none either: %+v", w)
	}
	ok(t, p.Accounts.Suspend(ctx, coretest.Console(), "bram", ""))
	if w := warns(t, p, core.WarnNoFactor); len(w) != 1 || w[0].N != 2 {
		t.Errorf("bram is suspended: %+v", w)
	}
	nothingFound(t, p)
}

// Whoever came since it was demanded of everybody has their own time for it; where
// too many came to look at each, the number is said to be the most that it can be.
func TestNewcomersStillHaveTimeForAFactor(t *testing.T) {
	p, _, _, _ := withArchive(t)
	p.Set("factors.enforce", "everybody", "factors.days", "7")
	p.Clock.Advance(10 * day)
	p.SignUp("kim")
	share(t, p, coretest.Console(), "kim", "reader", time.Time{})
	if w := warns(t, p, core.WarnNoFactor); len(w) != 1 || w[0].N != 3 || w[0].AtMost {
		t.Errorf("lin, mara and noor are late, and kim is not: %+v", w)
	}
	imported(t, p, coretest.Console(), `{"user_name":"old","created":"2019-02-03"}`, jsonl)
	if w := warns(t, p, core.WarnNoFactor); len(w) != 1 || w[0].N != 3 {
		t.Errorf("who was imported today is not late: %+v", w)
	}
	ok(t, core.ManyAccounts(p.Portal, 300))
	if w := warns(t, p, core.WarnNoFactor); len(w) != 1 || !w[0].AtMost || w[0].N < 3 || w[0].N > 304 {
		t.Errorf("of those who came lately not all are looked at: %+v", w)
	}
	p.Clock.Advance(8 * day)
	if w := warns(t, p, core.WarnNoFactor); len(w) != 1 || w[0].AtMost {
		t.Errorf("everybody is late now: %+v", w)
	}
}

// With a role there is less time.
func TestWhoHoldsARoleAndHasNoFactorInTimeIsCounted(t *testing.T) {
	p := coretest.Open(t)
	ok(t, core.GrantRole(p.Portal, p.SignUp("mara").Account, core.RoleSupport, time.Time{}))
	p.SignUp("kim")
	p.Set("factors.enforce", "admins", "factors.days", "2")
	p.Clock.Advance(48*time.Hour - time.Minute)
	if len(warns(t, p, core.WarnNoFactor)) != 0 {
		t.Error("there is a minute left")
	}
	p.Clock.Advance(time.Minute)
	if w := warns(t, p, core.WarnNoFactor); len(w) != 1 || w[0].N != 2 {
		t.Errorf("lin and mara: %+v", w)
	} else if got := found(t, p, w[0]); got != "lin mara" { // and not kim, who holds no role
		t.Errorf("its search finds %q", got)
	}
}

// Whose factor wrong codes have disabled is found once, however many they are.
func TestWhoseFactorIsDisabledIsFound(t *testing.T) {
	p := coretest.Open(t)
	core.GiveFactor(t, p.Portal, p.SignUp("mara").Account, core.FactorApp, core.Fresh)
	kim := p.SignUp("kim")
	core.GiveFactor(t, p.Portal, kim.Account, core.FactorApp, core.Spent)
	core.GiveFactor(t, p.Portal, kim.Account, core.FactorSMS, core.Spent)
	q := core.PeopleQuery{Factor: core.FactorDisabled}
	for _, q.N = range []int{1, 10} {
		if names, _ := search(t, p, q); !slices.Equal(names, []string{"kim"}) {
			t.Errorf("%d a page: %v", q.N, names)
		}
	}
	if names, _ := search(t, p, core.PeopleQuery{Factor: core.FactorDisabled, Sort: core.SortSeen, N: 10}); !slices.Equal(names, []string{"kim"}) {
		t.Errorf("by last sign-in: %v", names)
	}
}

// What ends on an app is told by the app's name, and not by its id.
func TestAShareThatEndsNamesItsApp(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	must(p.Apps.Create(ctx, coretest.Console(), core.AppInput{Name: "Archive", Owner: "lin"}))(t)
	must(p.Apps.Share(ctx, coretest.Console(), "archive", core.ShareInput{User: "mara", Role: core.RoleMember, Until: p.Clock.Now().Add(48 * time.Hour)}))(t)
	for _, e := range overview(t, p, core.OverviewHour).Ending {
		if e.UserName == "mara" && e.AppName == "Archive" {
			return
		}
	}
	t.Error("mara's share is not named")
}

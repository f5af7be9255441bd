// The policy of factors: what is refused as it cannot work, and who would lose
// their last factor by a change.

package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"postern/core"
	"postern/core/coretest"
)

func TestNothingIsDemandedThatNobodyCanHave(t *testing.T) {
	p := coretest.Open(t)
	for _, c := range []struct {
		values string
		want   core.Error
	}{
		{"factors.app=off factors.key=off factors.enforce=admins", core.Error{Code: core.CodeNoMethod, Field: "factors.enforce"}},
		{"factors.app=off factors.key_stands=nothing factors.enforce=everybody", core.Error{Code: core.CodeNoMethod, Field: "factors.enforce"}},
		{"factors.app=off factors.key_stands=password factors.enforce=everybody", core.Error{Code: core.CodeNoMethod, Field: "factors.enforce"}},
		{"factors.sms=on", core.Error{Code: core.CodeNoAllowance, Field: "factors.sms", Rule: "messages.sms_allowance"}},
		{"factors.email=on messages.mail_allowance=0", core.Error{Code: core.CodeNoAllowance, Field: "factors.email", Rule: "messages.mail_allowance"}},
		{"factors.key_stands=all", core.Error{Code: core.CodeFormat, Field: "factors.key_stands", Rule: "nothing|factor|password"}},
		{"factors.enforce=some", core.Error{Code: core.CodeFormat, Field: "factors.enforce", Rule: "nobody|admins|everybody"}},
		{"factors.days=366", core.Error{Code: core.CodeRange, Field: "factors.days", Rule: "0-365"}},
		{"factors.days=-1", core.Error{Code: core.CodeRange, Field: "factors.days", Rule: "0-365"}},
		{"factors.app=perhaps", core.Error{Code: core.CodeFormat, Field: "factors.app", Rule: "on|off"}},
	} {
		before := substance(p.Dump())
		err := change(p, true, pairs(c.values)...) // that is not a matter of being sure
		says(t, err, c.want)
		_, err = p.Policy.Losing(ctx, coretest.Console(), values(c.values))
		says(t, err, c.want)
		same(t, before, substance(p.Dump()))
	}
	p.Set("factors.sms", "on", "messages.sms_allowance", "1") // in one change
	refused(t, change(p, true, "messages.sms_allowance", "0"), core.CodeNoAllowance, "factors.sms")
	p.Set("factors.sms", "off", "messages.sms_allowance", "0")
	p.Set("factors.enforce", "everybody") // and the last method is not taken away after
	p.Set("factors.app", "off")
	refused(t, change(p, true, "factors.key", "off"), core.CodeNoMethod, "factors.enforce")
	refused(t, change(p, true, "factors.key_stands", "nothing"), core.CodeNoMethod, "factors.enforce")
}

func pairs(s string) (list []string) {
	for _, f := range strings.Fields(s) {
		path, v, _ := strings.Cut(f, "=")
		list = append(list, path, v)
	}
	return list
}

func values(s string) map[string]string {
	m := map[string]string{}
	for list := pairs(s); len(list) > 0; list = list[2:] {
		m[list[0]] = list[1]
	}
	return m
}

// E-mail is off until somebody switches it on, and so is SMS. ASVS 6.3.6, 6.6.1
func TestWhatAPortalBeginsWith(t *testing.T) {
	for _, preset := range core.Presets() {
		f := preset.Policy.Factors
		if !f.App || !f.Key || f.SMS || f.Email || f.KeyStands != core.KeyStandsForFactor || f.Enforce != core.EnforceNobody || f.Days != 7 ||
			!f.AdminsSince.IsZero() || !f.EverybodySince.IsZero() {
			t.Errorf("%s: %+v", preset.ID, f)
		}
		if m := preset.Policy.Messages; m.MailAllowance != 1000 || m.SMSAllowance != 0 {
			t.Errorf("%s: %+v", preset.ID, m)
		}
	}
}

// Who would lose the last factor that counts is told, and counted by the change
// itself.
func TestWhoLosesTheLastFactor(t *testing.T) {
	p := coretest.Open(t)
	withMessages(p)
	app, sms, mail, key, both := p.SignUp("app-only"), p.SignUp("sms-only"), p.SignUp("mail-only"), p.SignUp("key-only"), p.SignUp("several")
	p.SignUp("bare")
	enrolApp(t, p, app, "phone")
	enrolApp(t, p, app, "tablet") // twice, and one person
	enrolAddress(t, p, sms, core.FactorSMS, "+5511555500101")
	enrolAddress(t, p, mail, core.FactorEmail, "a@example.net")
	ok(t, p.Keys.Link(ctx, withKey(key, "SHA256:1"), ""))
	ok(t, p.Keys.Link(ctx, withKey(key, "SHA256:2"), ""))
	enrolApp(t, p, both, "phone")
	enrolAddress(t, p, both, core.FactorSMS, "+5511555500102")
	ok(t, p.Keys.Link(ctx, withKey(both, "SHA256:3"), ""))
	for setting, names := range map[string]string{
		"factors.app=off":                                 "app-only",
		"factors.sms=off":                                 "sms-only",
		"factors.email=off":                               "mail-only",
		"factors.key=off":                                 "key-only",
		"factors.key_stands=nothing":                      "key-only",
		"factors.key_stands=password":                     "key-only",
		"factors.app=off factors.sms=off":                 "app-only sms-only",
		"factors.app=off factors.sms=off factors.key=off": "app-only key-only several sms-only",
		"factors.app=off factors.sms=off factors.key=off factors.email=off": "app-only key-only mail-only several sms-only",
		"factors.days=3 password.min_length=14":                             "",
	} {
		lost := must(p.Policy.Losing(ctx, p.Owner, values(setting)))(t)
		slices.Sort(lost.Names)
		if got := strings.Join(lost.Names, " "); got != names || lost.Count != len(strings.Fields(names)) {
			t.Errorf("%s: %d lose it, %q, want %q", setting, lost.Count, got, names)
		}
		if names == "" {
			continue
		}
		before := substance(p.Dump())
		says(t, change(p, false, pairs(setting)...), core.Error{Code: core.CodeLosesFactor, Field: "factors", N: lost.Count})
		same(t, before, substance(p.Dump()))
	}
	_, err := p.Policy.Losing(ctx, app, values("factors.app=off"))
	refused(t, err, core.CodeDenied, "")

	ok(t, change(p, true, "factors.app", "off")) // known and accepted
	begin(t, p, here, "app-only", core.StepDone)
	begin(t, p, here, "several", core.StepFactor)
	if lost := must(p.Policy.Losing(ctx, p.Owner, values("factors.app=on factors.sms=off")))(t); lost.Count != 1 {
		t.Errorf("%+v lose it", lost) // who has lost it already is not counted again
	}
	p.Set("factors.app", "on")
	begin(t, p, here, "app-only", core.StepFactor) // it was switched off and not removed
}

// With more accounts than a page has, each is counted once.
func TestWhoLosesAmongMany(t *testing.T) {
	p := coretest.Open(t)
	n := core.MaxPage + 20
	if testing.Short() {
		n = 40
	}
	for i := range n {
		a := p.SignUp(fmt.Sprintf("crew%03d", i))
		ok(t, p.Keys.Link(ctx, withKey(a, fmt.Sprint("SHA256:", i)), ""))
		if i%10 == 0 {
			ok(t, p.Keys.Link(ctx, withKey(a, fmt.Sprint("SHA256:", i, "b")), ""))
		}
		if i%20 == 0 {
			enrolApp(t, p, a, "phone")
		}
	}
	apps := (n + 19) / 20
	lost := must(p.Policy.Losing(ctx, p.Owner, values("factors.key=off")))(t)
	if lost.Count != n-apps || len(lost.Names) != core.MaxLosing {
		t.Errorf("%d lose it, %d are named", lost.Count, len(lost.Names))
	}
	if lost = must(p.Policy.Losing(ctx, p.Owner, values("factors.key=off factors.app=off")))(t); lost.Count != n {
		t.Errorf("%d lose it", lost.Count)
	}
	if lost = must(p.Policy.Losing(ctx, p.Owner, values("factors.app=off")))(t); lost.Count != 0 || lost.Names != nil {
		t.Errorf("%+v lose it", lost)
	}
}

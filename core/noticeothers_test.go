package core_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// The weakness: a notice told its reader from which address somebody else had acted,
// and kept that when the other was long deleted. Nothing that is written to a person
// holds an address that others came from.
func TestANoticeHoldsNobodyElsesAddress(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	p.Set("factors.sms", "on", "messages.sms_allowance", "5", "factors.key", "on")
	addresses := map[string]string{} // whose they are
	at := func(user, address string) core.Actor {
		t.Helper()
		from := coretest.From(address)
		from.Client = "SSH-2.0-of-" + user
		a := from.With(must(p.TrySignIn(from, user, coretest.Password))(t))
		addresses[address], addresses[from.Client] = a.Account, a.Account
		return a
	}
	me, noor := p.SignUp("mara"), p.SignUp("noor")
	for _, a := range []core.Actor{me, noor, p.Owner} {
		confirm(t, p, a)
	}
	lin, mara, nina := at("lin", "203.0.113.99"), at("mara", "203.0.113.50"), at("noor", "203.0.113.51")

	// The one who uses the last of an allowance.
	for i := range 5 {
		p.Clock.Advance(10 * time.Minute)
		must(p.Portal.SignIn.StepUp(ctx, mara, coretest.Password))(t)
		must(p.Factors.Begin(ctx, mara, "", core.FactorSMS, fmt.Sprintf("+55115555001%02d", i)))(t)
	}
	wasTold(t, p, lin, core.NoticeAllowance)
	for _, n := range must(p.Notices.Mine(ctx, lin, "", "", "", 2))(t).Notices {
		if n.Args["Door"]+n.Args["Remote"]+n.Args["Client"] != "" || n.Args["Percent"] == "" {
			t.Errorf("owners are told %+v", n.Args)
		}
	}
	// Those who look after the portal, and mara's account.
	const key = "SHA256:mara"
	for _, a := range []core.Actor{lin, mara, nina} {
		must(p.Portal.SignIn.StepUp(ctx, a, coretest.Password))(t)
	}
	ok(t, p.Keys.Link(ctx, withKey(mara, key), "laptop"))
	must(p.Keys.SetEndOf(ctx, lin, "mara", key, p.Clock.Now().Add(30*day)))(t)
	give(t, p, lin, "mara", core.RoleSupport)
	ok(t, p.Access.End(ctx, lin, grantOf(t, p, "mara", core.RoleSupport).ID, "enough"))
	must(p.Accounts.ResetFactors(ctx, lin, "mara"))(t)
	request := must(p.Requests.MakeFor(ctx, lin, "mara", "", ""))(t)
	must(p.Requests.Refuse(ctx, lin, request.ID, "no"))(t)
	// Somebody who looks after an app.
	must(p.Apps.Create(ctx, lin, core.AppInput{Name: "Archive", Owner: "noor"}))(t)
	must(p.Apps.Share(ctx, nina, "archive", core.ShareInput{User: "mara", Role: core.RoleMember}))(t)
	ok(t, p.Apps.Revoke(ctx, nina, must(p.Apps.Of(ctx, coretest.Console(), "mara"))(t)[0].ID))
	// Mara's own requests, which others decide about.
	for range 2 {
		request = must(p.Requests.Make(ctx, mara, "mara"))(t)
		must(p.Requests.Cancel(ctx, mara, request.ID, ""))(t)
	}
	wasTold(t, p, lin, core.NoticeRequestGone)
	// The machine's own operator.
	give(t, p, coretest.Console(), "mara", core.RoleSupport)
	addresses["root"] = "nobody"

	kinds := map[core.NoticeKind]bool{}
	for where, record := range p.Dump() {
		table, _, _ := strings.Cut(where, "\x00")
		if !strings.HasPrefix(table, "notice") && !strings.HasPrefix(table, "message") {
			continue
		}
		var row struct {
			Kept struct {
				Account string
				Kind    core.NoticeKind
				Args    map[string]string
			} `json:"r"`
		}
		if json.Unmarshal([]byte(record), &row) != nil {
			continue // an index
		}
		kept := row.Kept
		kinds[kept.Kind] = true
		for said, whose := range addresses {
			for name, v := range kept.Args {
				if whose != kept.Account && strings.Contains(v, said) {
					t.Errorf("%s %s to %s holds %s=%q", table, kept.Kind, kept.Account, name, v)
				}
			}
		}
	}
	for _, k := range []core.NoticeKind{
		core.NoticeAllowance, core.NoticeKeyTerm, core.NoticeRoleGiven, core.NoticeRoleEnded, core.NoticeFactorsReset, core.NoticeAccessGiven,
		core.NoticeAccessEnded, core.NoticeDeleteAsked, core.NoticeDeleteRefused, core.NoticeDeleteCancelled, core.NoticeRequestMade, core.NoticeRequestGone,
	} {
		if !kinds[k] {
			t.Errorf("nobody was told %s", k)
		}
	}
	// What one has done oneself says from where.
	var own map[string]string
	for _, n := range must(p.Notices.Mine(ctx, mara, "", "", "", core.MaxPage))(t).Notices {
		if n.Kind == core.NoticeKeyAdded {
			own = n.Args
		}
	}
	if own["Remote"] != "203.0.113.50" || own["Client"] != "SSH-2.0-of-mara" || own["Door"] != "ssh" {
		t.Errorf("mara's own act: %v", own)
	}
}

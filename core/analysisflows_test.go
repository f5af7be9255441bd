// The acts of analysis, for the tests in which the store fails at any call and in
// which an act runs twice (fault_test.go, rerun_test.go).

package core_test

import (
	"errors"
	"testing"

	"postern/core"
	"postern/core/coretest"
	"postern/core/script"
)

// approving is a script that asks for everything that a script can.
const approving = `print(account.user_name)
notify("person", "We look into it.")
notify("owner", account.user_name + " goes")
post("https://hooks.example.org/postern/gone", {"user": account.user_name})
approve()
`

func saved(t testing.TB, p *coretest.Place, name, source string) core.Script {
	t.Helper()
	return must(p.Analysis.Save(ctx, coretest.Console(), core.ScriptInput{Name: name, Source: source, Reason: "a test"}))(t)
}

// unknownRun is a run of which nobody knows what became: it could not be written down.
func unknownRun(t testing.TB, p *coretest.Place) core.Run {
	t.Helper()
	saved(t, p, "lost", "approve()")
	_, err := core.Analyse(ctx, p.Portal, core.Analysed{Request: "lost", Account: accountOf(t, p, "mara"), Script: "lost",
		Settle: func(core.Run) error { return errors.New("the disk is full") }})
	refused(t, err, core.CodeInternal, "")
	must(p.Sweep(ctx, p.Clock.Now()))(t)
	page := must(p.Analysis.Runs(ctx, coretest.Console(), core.RunUnknown, "", 10))(t)
	if len(page.Runs) != 1 {
		t.Fatalf("%d runs are unknown", len(page.Runs))
	}
	return page.Runs[0]
}

func accountOf(t testing.TB, p *coretest.Place, name string) string {
	t.Helper()
	return must(p.Accounts.Show(ctx, coretest.Console(), name))(t).ID
}

// failedPost is a post that the policy allows no more when it is to be sent.
func failedPost(t testing.TB, p *coretest.Place) string {
	t.Helper()
	p.Set("analysis.urls", "https://hooks.example.org/postern")
	saved(t, p, "posts", approving)
	r := must(core.Analyse(ctx, p.Portal, core.Analysed{Request: "posts", Account: accountOf(t, p, "mara"), Script: "posts"}))(t)
	p.Set("analysis.urls", "")
	core.SetPoster(p.Portal, script.NewPoster(script.PosterConfig{}))
	ok(t, core.SendPosts(ctx, p.Portal))
	d := must(p.Analysis.Show(ctx, coretest.Console(), r.ID))(t)
	if len(d.Posts) != 1 || d.Posts[0].State != core.PostFailed {
		t.Fatalf("the posts are %+v", d.Posts)
	}
	return d.Posts[0].ID
}

func analysisFlows() []flow {
	return []flow{
		{name: "save a script", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				return only(p.Analysis.Save(ctx, p.Owner, core.ScriptInput{Name: "check", Source: "approve()"}))
			}
		}},
		{name: "save a version", prepare: func(t *testing.T, p *coretest.Place) func() error {
			saved(t, p, "check", "hold('not yet')")
			return func() error {
				return only(p.Analysis.Save(ctx, p.Owner, core.ScriptInput{Name: "check", Source: "approve()", From: 1}))
			}
		}},
		{name: "save what cannot be run", denied: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				return only(p.Analysis.Save(ctx, p.Owner, core.ScriptInput{Name: "check", Source: "aprove()"}))
			}
		}},
		{name: "save a script, not allowed", denied: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			me := p.SignIn("mara")
			return func() error {
				return only(p.Analysis.Save(ctx, me, core.ScriptInput{Name: "check", Source: "approve()"}))
			}
		}},
		{name: "retire a script", prepare: func(t *testing.T, p *coretest.Place) func() error {
			saved(t, p, "check", "approve()")
			return func() error { return p.Analysis.Retire(ctx, p.Owner, "check") }
		}},
		{name: "a dry run", prepare: func(t *testing.T, p *coretest.Place) func() error {
			p.Set("analysis.urls", "https://hooks.example.org/postern")
			saved(t, p, "check", approving)
			return func() error { return only(p.Analysis.DryRun(ctx, p.Owner, core.DryInput{Name: "check", User: "mara"})) }
		}},
		{name: "a dry run, not allowed", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			saved(t, p, "check", approving)
			me := p.SignIn("mara")
			return func() error { return only(p.Analysis.DryRun(ctx, me, core.DryInput{Name: "check", User: "mara"})) }
		}},
		{name: "resolve a run", prepare: func(t *testing.T, p *coretest.Place) func() error {
			r := unknownRun(t, p)
			return func() error { return only(p.Analysis.Resolve(ctx, p.Owner, r.ID, script.Reject, "asked again", "")) }
		}},
		{name: "resolve a run that is none", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			saved(t, p, "check", "approve()")
			r := must(p.Analysis.DryRun(ctx, p.Owner, core.DryInput{Name: "check", User: "mara"}))(t)
			return func() error { return only(p.Analysis.Resolve(ctx, p.Owner, r.ID, script.Approve, "", "")) }
		}},
		{name: "post again", prepare: func(t *testing.T, p *coretest.Place) func() error {
			id := failedPost(t, p)
			return func() error { return p.Analysis.Repost(ctx, p.Owner, id) }
		}},
	}
}

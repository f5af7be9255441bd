package cmd

import (
	"log/slog"
	"os/exec"
	"slices"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/core/script"
	"postern/tui"
)

// The demonstration does by itself what a portal does: its trail is sealed, scripts
// decide, days of grace end. What would leave stays where it can be read.
func TestTheDemonstrationKeepsHouse(t *testing.T) {
	t.Parallel()
	catalog, err := tui.LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("postern")
	if err != nil {
		t.Fatal(err)
	}
	ctx, console := t.Context(), coretest.Console()
	d, end, err := (&process{catalog: catalog, dict: catalog.Dict("en")}).openDemo(ctx, script.Command{Path: program}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	p := d.Portal
	var r core.VerifyReport
	waitFor(t, "the story is sealed", func() bool {
		time.Sleep(time.Second) // each look is an entry of its own
		r, err = p.Audit.Verify(ctx, console, "", nil)
		return err == nil && r.Unsealed < 10
	})
	if r.Head == "" || r.Found != 0 || !r.Signed || r.Entries < 500 {
		t.Errorf("verified: %+v", r)
	}

	source := "post('https://lab.example/left', {'user': account.user_name})\nnotify('owner', account.user_name + ' has left')\napprove()\n"
	if _, err := p.Analysis.Save(ctx, console, core.ScriptInput{Name: "farewell", Source: source, New: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Policy.Set(ctx, console, core.PolicyChange{Values: map[string]string{"deletion.process": "analysis", "deletion.script": "farewell",
		"analysis.urls": "https://lab.example/", "deletion.grace_days": "0"}}); err != nil {
		t.Fatal(err)
	}
	asked, err := p.Requests.MakeFor(ctx, console, "ada", "", "")
	if err != nil {
		t.Fatal(err)
	}
	var now core.RequestDetail
	waitFor(t, "the script has decided and ada is gone", func() bool {
		now, err = p.Requests.Get(ctx, console, asked.ID)
		return err == nil && now.Request.State == core.RequestDeleted
	})
	time.Sleep(100 * time.Millisecond) // as long as a courier would take, many times over
	run, err := p.Analysis.Show(ctx, console, now.Request.Run)
	if err != nil || len(run.Posts) != 1 || run.Posts[0].State != core.PostQueued {
		t.Errorf("what the script posted: %+v, %v", run.Posts, err)
	}
	page, err := p.Messages.List(ctx, console, core.MessageQueued, "", core.MaxPage)
	if err != nil || len(page.Messages) == 0 || slices.ContainsFunc(page.Messages, func(m core.Message) bool { return m.Tries > 0 }) {
		t.Errorf("the outbox: %+v, %v", page.Messages, err)
	}
}

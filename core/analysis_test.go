package core_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/core/script"
	"postern/store"
	"postern/store/memory"
)

// hook is a real receiver of what scripts post.
type hook struct {
	*httptest.Server
	seen   atomic.Int64
	status atomic.Int64
	last   atomic.Value
	poster *script.Poster
}

func listenForPosts(t testing.TB) *hook {
	t.Helper()
	h := &hook{}
	h.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		h.last.Store(string(b))
		h.seen.Add(1)
		if s := h.status.Load(); s != 0 {
			w.WriteHeader(int(s))
		}
	}))
	roots := x509.NewCertPool()
	roots.AddCert(h.Certificate())
	h.poster = script.NewPoster(script.PosterConfig{Private: true, Roots: roots})
	t.Cleanup(h.Close)
	return h
}

// counting counts how often scripts were run.
type counting struct {
	core.Analyst
	n atomic.Int64
}

func (c *counting) Run(ctx context.Context, in script.Input, l script.Limits) script.Result {
	c.n.Add(1)
	return c.Analyst.Run(ctx, in, l)
}

func analyse(p *coretest.Place, t testing.TB, request, name string) (core.Run, error) {
	t.Helper()
	return core.Analyse(ctx, p.Portal, core.Analysed{Request: request, Account: accountOf(t, p, "mara"), Script: name})
}

func TestScriptsHaveVersions(t *testing.T) {
	p := coretest.Open(t)
	first := must(p.Analysis.Save(ctx, p.Owner, core.ScriptInput{Name: "check", Source: "hold('not yet')\r\n", Reason: "to begin with"}))(t)
	second := must(p.Analysis.Save(ctx, p.Owner, core.ScriptInput{Name: "check", Source: "approve()", From: 1}))(t)
	if first.Version != 1 || second.Version != 2 || first.Source != "hold('not yet')\n" {
		t.Fatalf("%+v and %+v", first, second)
	}
	// Another version was saved meanwhile, or it is the same.
	refused(t, only(p.Analysis.Save(ctx, p.Owner, core.ScriptInput{Name: "check", Source: "reject('no')", From: 1})), core.CodeConflict, "")
	refused(t, only(p.Analysis.Save(ctx, p.Owner, core.ScriptInput{Name: "check", Source: "approve()"})), core.CodeUnchanged, "source")
	got := must(p.Analysis.Get(ctx, p.Owner, "check", 1))(t)
	if got.Source != "hold('not yet')\n" || got.Reason != "to begin with" || got.ByName != "lin" {
		t.Errorf("version 1 is %+v", got)
	}
	refused(t, only(p.Analysis.Get(ctx, p.Owner, "check", 3)), core.CodeNotFound, "script")
	if list := must(p.Analysis.List(ctx, p.Owner))(t); len(list) != 1 || list[0].Version != 2 || list[0].Source != "" {
		t.Errorf("the list is %+v", list)
	}
	if list := must(p.Analysis.Versions(ctx, p.Owner, "check"))(t); len(list) != 2 || list[0].Version != 2 || list[1].Reason != "to begin with" {
		t.Errorf("the versions are %+v", list)
	}
	// One that is retired cannot be run, and is in use again when it is saved.
	ok(t, p.Analysis.Retire(ctx, p.Owner, "check"))
	refused(t, p.Analysis.Retire(ctx, p.Owner, "check"), core.CodeConflict, "")
	refused(t, only(p.Analysis.DryRun(ctx, p.Owner, core.DryInput{Name: "check", User: "lin"})), core.CodeNotFound, "script")
	if v := must(p.Analysis.Save(ctx, p.Owner, core.ScriptInput{Name: "check", Source: "approve()"}))(t); v.Version != 3 || !v.Retired.IsZero() {
		t.Errorf("saved again it is %+v", v)
	}
	// What is to be a new script does not become a version of another one, also of one
	// that is retired.
	fresh := core.ScriptInput{Name: "check", Source: "reject('no')", New: true}
	refused(t, only(p.Analysis.Save(ctx, p.Owner, fresh)), core.CodeTaken, "name")
	ok(t, p.Analysis.Retire(ctx, p.Owner, "check"))
	refused(t, only(p.Analysis.Save(ctx, p.Owner, fresh)), core.CodeTaken, "name")
	if v := must(p.Analysis.Get(ctx, p.Owner, "check", 0))(t); v.Version != 3 || v.Source != "approve()\n" {
		t.Errorf("it has become %+v", v)
	}
	fresh.Name = "another"
	if v := must(p.Analysis.Save(ctx, p.Owner, fresh))(t); v.Version != 1 {
		t.Errorf("the new one is %+v", v)
	}
	// Saving asks for a fresh proof, and for a role.
	p.Clock.Advance(core.StepUpFor + time.Minute)
	refused(t, only(p.Analysis.Save(ctx, p.Owner, core.ScriptInput{Name: "other", Source: "approve()"})), core.CodeStepUp, "")
	mara := p.SignUp("mara")
	refused(t, only(p.Analysis.List(ctx, mara)), core.CodeDenied, "")
	refused(t, only(p.Analysis.Runs(ctx, mara, "", "", 10)), core.CodeDenied, "")
}

// What cannot be a name or a script is refused by its field, with its line.
func TestWhatIsNoScript(t *testing.T) {
	p := coretest.Open(t)
	for name, code := range map[string]core.Code{
		"'; rm -rf /": core.CodeCharacter, "../../etc": core.CodeCharacter, "Check": core.CodeCharacter, "a b": core.CodeCharacter, "ä": core.CodeCharacter,
		"-rf": core.CodeCharacter, "a\x00": core.CodeCharacter, "": core.CodeRequired, strings.Repeat("a", 33): core.CodeTooLong,
	} {
		refused(t, only(p.Analysis.Save(ctx, p.Owner, core.ScriptInput{Name: name, Source: "approve()"})), code, "name")
		refused(t, only(p.Analysis.Get(ctx, p.Owner, name, 0)), core.CodeNotFound, "script")
		refused(t, p.Analysis.Retire(ctx, p.Owner, name), core.CodeNotFound, "script")
		refused(t, only(p.Analysis.DryRun(ctx, p.Owner, core.DryInput{Name: name, User: "lin"})), core.CodeNotFound, "script")
	}
	for source, line := range map[string]int{
		"approve()\nx = (": 3, "\n\nnope()": 3, "load('a', 'b')": 1, "x\x00": 1, "x = 1\n# \xff\n": 2, "# \u202e": 1, strings.Repeat("#", script.MaxSource+1): 1,
	} {
		err := only(p.Analysis.Save(ctx, p.Owner, core.ScriptInput{Name: "check", Source: source}))
		refused(t, err, core.CodeScript, "source")
		var e *core.Error
		if errors.As(err, &e); e.N != line || e.Rule == "" {
			t.Errorf("%.20q: line %d, %q", source, e.N, e.Rule)
		}
	}
	refused(t, only(p.Analysis.Save(ctx, p.Owner, core.ScriptInput{Name: "check", Source: " \n"})), core.CodeRequired, "source")
	if list := must(p.Analysis.List(ctx, p.Owner))(t); len(list) != 0 {
		t.Errorf("kept were %+v", list)
	}
}

// A dry run changes nothing but that it was run: whatever the script wants.
func TestADryRunChangesNothing(t *testing.T) {
	h := listenForPosts(t)
	p := coretest.Open(t, coretest.WithAnalysis(nil, h.poster))
	p.SignUp("mara")
	p.Set("analysis.urls", h.URL)
	saved(t, p, "check", strings.ReplaceAll(approving, "https://hooks.example.org/postern/gone", h.URL+"/gone"))
	before := substance(p.Dump())
	r := must(p.Analysis.DryRun(ctx, p.Owner, core.DryInput{Name: "check", User: "mara"}))(t)
	ok(t, core.SendPosts(ctx, p.Portal))
	after := substance(p.Dump())
	for k := range after {
		if strings.HasPrefix(k, "run\x00") || strings.HasPrefix(k, "run\x01account") {
			delete(after, k)
		}
	}
	same(t, before, after)
	if !r.Dry || r.Verdict != script.Approve || r.Version != 1 || len(r.Effects) != 3 || r.Log != "mara\n" || r.By != p.Owner.Account {
		t.Errorf("the run is %+v", r)
	}
	if e := p.Trail()[0]; e.Action != core.ActAnalysisDry || e.Target != "check 1" || e.About != accountOf(t, p, "mara") || e.After["verdict"] != "approve" {
		t.Errorf("the trail says %+v", e)
	}
	if h.seen.Load() != 0 {
		t.Error("it was posted")
	}
	d := must(p.Analysis.Show(ctx, p.Owner, r.ID))(t)
	if d.ByName != "lin" || len(d.Posts) != 0 || d.Log != "mara\n" {
		t.Errorf("it is kept as %+v", d)
	}
	// A text that was not saved can be tried too.
	r = must(p.Analysis.DryRun(ctx, p.Owner, core.DryInput{Name: "check", Source: "if dry_run: hold('so ' + request.note)", User: "mara", Note: "please"}))(t)
	if r.Version != 0 || r.Reason != "so please" {
		t.Errorf("the run is %+v", r)
	}
	refused(t, only(p.Analysis.DryRun(ctx, p.Owner, core.DryInput{Name: "check", User: "nobody"})), core.CodeNotFound, "user")
	refused(t, only(p.Analysis.DryRun(ctx, p.Owner, core.DryInput{Name: "check", Source: "x = (", User: "mara"})), core.CodeScript, "source")
	page := must(p.Analysis.Runs(ctx, p.Owner, "", "", 1))(t)
	if len(page.Runs) != 1 || page.Next == "" || page.Runs[0].ID != r.ID || page.Runs[0].Log != "" {
		t.Errorf("the page is %+v", page)
	}
}

// A request is analysed once; what the script asks for is done when it has decided.
func TestARequestIsAnalysed(t *testing.T) {
	h := listenForPosts(t)
	p := coretest.Open(t, coretest.WithAnalysis(nil, h.poster))
	mara := p.SignUp("mara")
	p.Set("analysis.urls", h.URL)
	saved(t, p, "check", strings.ReplaceAll(approving, "https://hooks.example.org/postern/gone", h.URL+"/gone"))
	began, settled := 0, 0
	r, err := core.Analyse(ctx, p.Portal, core.Analysed{Request: "01R", Account: mara.Account, Script: "check", Note: "bye",
		Begin: func(r core.Run) error {
			began++
			if r.State != core.RunRunning || r.Version != 1 {
				t.Errorf("it begins as %+v", r)
			}
			return nil
		},
		Settle: func(r core.Run) error {
			settled++
			if r.State != core.RunDone || r.Verdict != script.Approve || r.Request != "01R" {
				t.Errorf("it ends as %+v", r)
			}
			return nil
		}})
	ok(t, err)
	if began != 1 || settled != 1 || r.State != core.RunDone {
		t.Fatalf("began %d times, settled %d times: %+v", began, settled, r)
	}
	if e := p.Trail()[0]; e.Action != core.ActAnalysisRun || e.Actor != core.ActorSystem || e.Target != "check 1" || e.After["request"] != "01R" {
		t.Errorf("the trail says %+v", e)
	}
	for actor, kind := range map[core.Actor]core.NoticeKind{mara: core.NoticeScript, p.Owner: core.NoticeScriptOwner} {
		page := must(p.Notices.Mine(ctx, actor, "", "", "", 10))(t)
		if len(page.Notices) != 1 || page.Notices[0].Kind != kind || page.Notices[0].Args["Text"] == "" {
			t.Errorf("%s has %+v", kind, page.Notices)
		}
	}
	ok(t, core.SendPosts(ctx, p.Portal))
	ok(t, core.SendPosts(ctx, p.Portal))
	d := must(p.Analysis.Show(ctx, p.Owner, r.ID))(t)
	if h.seen.Load() != 1 || h.last.Load() != `{"user":"mara"}` || d.Posts[0].State != core.PostDone {
		t.Errorf("posted %d times, %v: %+v", h.seen.Load(), h.last.Load(), d.Posts)
	}
	if e := p.Trail()[0]; e.Action != core.ActAnalysisPost || e.Target != h.URL || strings.Contains(fmt.Sprint(e), "gone") {
		t.Errorf("the trail says %+v", e)
	}
	// Again only when somebody asks for it.
	_, err = analyse(p, t, "01R", "check")
	refused(t, err, core.CodeConflict, "request")
	r = must(core.Analyse(ctx, p.Portal, core.Analysed{Request: "01R", Account: mara.Account, Script: "check", Again: true}))(t)
	if r.State != core.RunDone || len(checked(t, p.Portal)) > 0 {
		t.Errorf("%+v, and the check finds %v", r, checked(t, p.Portal))
	}
	_, err = core.Analyse(ctx, p.Portal, core.Analysed{Request: "01S", Account: "nobody", Script: "check"})
	refused(t, err, core.CodeNotFound, "user")
}

// Whatever goes wrong holds, and nothing that was asked for is done.
func TestWhatGoesWrongHoldsTheRequest(t *testing.T) {
	for name, tt := range map[string]struct {
		source  string
		analyst core.Analyst
		outcome script.Outcome
	}{
		"no script":     {"", nil, script.NotRun},
		"an error":      {"notify('owner', 'x')\napprove()\nfail('no')", nil, script.Failed},
		"no decision":   {"notify('owner', 'x')", nil, script.Undecided},
		"two decisions": {"approve()\nreject('no')", nil, script.Failed},
		"no child":      {"approve()", script.Command{Path: "/nonexistent"}, script.NotRun},
		"a dead child":  {"approve()", script.Command{Path: "/bin/false"}, script.Crashed},
	} {
		t.Run(name, func(t *testing.T) {
			p := coretest.Open(t, coretest.WithAnalysis(tt.analyst, nil))
			p.SignUp("mara")
			if tt.source != "" {
				saved(t, p, "check", tt.source)
			}
			settled := false
			r, err := core.Analyse(ctx, p.Portal, core.Analysed{Request: "01R", Account: accountOf(t, p, "mara"), Script: "check",
				Settle: func(r core.Run) error { settled = r.Verdict == script.Hold; return nil }})
			ok(t, err)
			if r.Outcome != tt.outcome || r.Verdict != script.Hold || !settled || r.Detail == "" {
				t.Errorf("the run is %+v", r)
			}
			if n := must(p.Notices.Mine(ctx, p.Owner, "", "", "", 10))(t).Unread; n != 0 {
				t.Errorf("%d notices", n)
			}
			if f := checked(t, p.Portal); len(f) > 0 {
				t.Errorf("the check finds %v", f)
			}
		})
	}
}

// A request that was decided meanwhile by somebody else stays so: the run is kept
// as overtaken, and nothing that it asked for is done.
func TestARunIsOvertaken(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	p.Set("analysis.urls", "https://hooks.example.org/postern")
	saved(t, p, "check", approving)
	_, err := core.Analyse(ctx, p.Portal, core.Analysed{Request: "01R", Account: accountOf(t, p, "mara"), Script: "check",
		Settle: func(core.Run) error { return &core.Error{Code: core.CodeConflict, Field: "request"} }})
	refused(t, err, core.CodeConflict, "request")
	r := must(p.Analysis.Runs(ctx, p.Owner, "", "", 10))(t).Runs[0]
	d := must(p.Analysis.Show(ctx, p.Owner, r.ID))(t)
	if d.Outcome != core.OutcomeOvertaken || d.State != core.RunDone || d.Verdict != script.Hold || len(d.Posts)+len(d.Effects) != 0 {
		t.Errorf("it is kept as %+v", d)
	}
	if n := must(p.Notices.Mine(ctx, p.Owner, "", "", "", 10))(t).Unread; n != 0 {
		t.Errorf("%d notices", n)
	}
}

// What a crash has left is unknown until somebody says what it meant.
func TestAnUnknownRunIsResolved(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	r := unknownRun(t, p)
	if e := p.Trail()[0]; e.Action != core.ActAnalysisLost || e.Actor != core.ActorSystem || e.After["request"] != "lost" {
		t.Errorf("the trail says %+v", e)
	}
	_, err := core.Analyse(ctx, p.Portal, core.Analysed{Request: "lost", Account: accountOf(t, p, "mara"), Script: "lost", Again: true})
	refused(t, err, core.CodeConflict, "request") // not by being run again
	refused(t, only(p.Analysis.Resolve(ctx, p.Owner, r.ID, "delete", "x", "")), core.CodeFormat, "verdict")
	refused(t, only(p.Analysis.Resolve(ctx, p.Owner, r.ID, script.Reject, "", "")), core.CodeRequired, "reason")
	refused(t, only(p.Analysis.Resolve(ctx, p.Owner, "01R", script.Approve, "", "")), core.CodeNotFound, "run")
	got := must(p.Analysis.Resolve(ctx, p.Owner, r.ID, script.Reject, "asked again", ""))(t)
	if got.State != core.RunDone || got.Verdict != script.Reject || got.ResolvedBy != p.Owner.Account || got.Outcome != "" {
		t.Errorf("it is %+v", got)
	}
	refused(t, only(p.Analysis.Resolve(ctx, p.Owner, r.ID, script.Approve, "", "")), core.CodeConflict, "run")
	// Runs go when they have ended long ago; nothing else of the analysis does.
	p.Clock.Advance(181 * 24 * time.Hour)
	must(p.Sweep(ctx, p.Clock.Now()))(t)
	p.Owner = p.SignIn("lin")
	if page := must(p.Analysis.Runs(ctx, p.Owner, "", "", 10))(t); len(page.Runs) != 0 {
		t.Errorf("%d runs are left", len(page.Runs))
	}
	if s := must(p.Analysis.List(ctx, p.Owner))(t); len(s) != 1 {
		t.Errorf("%d scripts are left", len(s))
	}
}

// mortal is a store whose process dies at one of its writes, before or after it
// was kept: nothing works from then on.
type mortal struct {
	store.Store
	writes int // that are still done
	after  bool
	dead   atomic.Bool
}

var errDead = errors.New("the process is dead")

func (m *mortal) Update(ctx context.Context, fn func(store.Tx) error) error {
	if m.dead.Load() {
		return errDead
	}
	m.writes--
	if m.writes < 0 {
		m.dead.Store(true)
		if !m.after {
			return errDead
		}
		if err := m.Store.Update(ctx, fn); err != nil {
			return err
		}
		return errDead
	}
	return m.Store.Update(ctx, fn)
}

func (m *mortal) View(ctx context.Context, fn func(store.Tx) error) error {
	if m.dead.Load() {
		return errDead
	}
	return m.Store.View(ctx, fn)
}

// The process dies at each write of an analysis: opened again, the request is
// either as it was, or its run is unknown, or it is done. What a script asks for
// is never done twice, and what is unknown is not run again.
func TestACrashNeverAnalysesTwice(t *testing.T) {
	states := map[core.RunState]int{}
	for _, after := range []bool{false, true} {
		for n := 0; ; n++ {
			db := memory.New()
			t.Cleanup(func() { _ = db.Close() })
			h, runs := listenForPosts(t), &counting{Analyst: coretest.InProcess{}}
			first := coretest.Open(t, coretest.WithStore(db), coretest.WithAnalysis(runs, h.poster))
			mara := first.SignUp("mara")
			first.Set("analysis.urls", h.URL)
			saved(t, first, "check", strings.ReplaceAll(approving, "https://hooks.example.org/postern/gone", h.URL+"/gone"))
			first.Close()

			dying := &mortal{Store: db, writes: n, after: after}
			p := coretest.New(t, coretest.WithStore(dying), coretest.WithAnalysis(runs, h.poster), coretest.WithClock(first.Clock))
			_, err := core.Analyse(ctx, p.Portal, core.Analysed{Request: "01R", Account: mara.Account, Script: "check"})
			if err == nil {
				_ = core.SendPosts(ctx, p.Portal)
			}
			p.Close()
			died := dying.dead.Load()

			// Opened again; whoever drives requests tries again what it knows nothing of.
			p = coretest.New(t, coretest.WithStore(db), coretest.WithAnalysis(runs, h.poster), coretest.WithClock(first.Clock))
			_, err = core.Analyse(ctx, p.Portal, core.Analysed{Request: "01R", Account: mara.Account, Script: "check"})
			if err != nil {
				refused(t, err, core.CodeConflict, "request")
			}
			ok(t, core.SendPosts(ctx, p.Portal))
			page := must(p.Analysis.Runs(ctx, coretest.Console(), "", "", 10))(t)
			if len(page.Runs) != 1 {
				t.Fatalf("after=%v, write %d: %d runs are kept", after, n, len(page.Runs))
			}
			states[page.Runs[0].State]++
			if page.Runs[0].State == core.RunRunning {
				t.Fatalf("after=%v, write %d: it is still running", after, n)
			}
			told := must(p.Notices.Mine(ctx, mara, "", "", "", 10))(t)
			if h.seen.Load() > 1 || len(told.Notices) > 1 || runs.n.Load() > 1 {
				t.Fatalf("after=%v, write %d: run %d times, posted %d times, told %d times", after, n, runs.n.Load(), h.seen.Load(), len(told.Notices))
			}
			if f := checked(t, p.Portal); len(f) > 0 {
				t.Fatalf("after=%v, write %d: the check finds %v", after, n, f)
			}
			p.Close()
			if !died {
				if h.seen.Load() != 1 {
					t.Fatal("without a crash it is not posted")
				}
				break
			}
		}
	}
	if states[core.RunDone] == 0 || states[core.RunUnknown] == 0 {
		t.Errorf("the runs ended as %v", states)
	}
}

// A post of which nobody knows whether it has arrived is not sent again by itself;
// one of which it is certain that nothing was sent is.
func TestPostsAreSentOnce(t *testing.T) {
	h := listenForPosts(t)
	p := coretest.Open(t, coretest.WithAnalysis(nil, h.poster))
	p.SignUp("mara")
	show := func(r core.Run) core.Post {
		return must(p.Analysis.Show(ctx, coretest.Console(), r.ID))(t).Posts[0]
	}
	post := func(request, url string) core.Run {
		p.Set("analysis.urls", h.URL+" "+url)
		_, _ = p.Analysis.Save(ctx, coretest.Console(), core.ScriptInput{Name: "check", Source: "post('" + url + "/x', {})\napprove()"})
		return must(analyse(p, t, request, "check"))(t)
	}
	// Refused: never again by itself.
	h.status.Store(500)
	r := post("01A", h.URL)
	ok(t, core.SendPosts(ctx, p.Portal))
	p.Clock.Advance(time.Hour)
	ok(t, core.SendPosts(ctx, p.Portal))
	if got := show(r); got.State != core.PostFailed || got.Status != 500 || h.seen.Load() != 1 {
		t.Errorf("refused, it is %+v after %d posts", got, h.seen.Load())
	}
	// A person may say so.
	h.status.Store(204)
	ok(t, p.Analysis.Repost(ctx, coretest.Console(), show(r).ID))
	refused(t, p.Analysis.Repost(ctx, coretest.Console(), show(r).ID), core.CodeConflict, "post")
	refused(t, p.Analysis.Repost(ctx, coretest.Console(), "nothing"), core.CodeNotFound, "post")
	ok(t, core.SendPosts(ctx, p.Portal))
	if got := show(r); got.State != core.PostDone || h.seen.Load() != 2 {
		t.Errorf("again, it is %+v after %d posts", got, h.seen.Load())
	}
	// Nothing was sent: it waits, and is tried again.
	r = post("01B", "https://127.0.0.1:1")
	ok(t, core.SendPosts(ctx, p.Portal))
	first := show(r)
	ok(t, core.SendPosts(ctx, p.Portal))
	if got := show(r); got.State != core.PostQueued || got.Problem != "unreachable" || got.Tries != 1 || !got.Next.After(p.Clock.Now()) || got.Next != first.Next {
		t.Errorf("unreachable, it is %+v", got)
	}
	p.Clock.Advance(time.Minute)
	ok(t, core.SendPosts(ctx, p.Portal))
	if got := show(r); got.Tries != 2 {
		t.Errorf("a minute later it is %+v", got)
	}
	p.Clock.Advance(core.GiveUpAfter)
	ok(t, core.SendPosts(ctx, p.Portal))
	if got := show(r); got.State != core.PostFailed {
		t.Errorf("in the end it is %+v", got)
	}
	// The policy allows it no more, or it leads inside.
	r = post("01C", "https://hooks.example.org")
	p.Set("analysis.urls", "")
	ok(t, core.SendPosts(ctx, p.Portal))
	if got := show(r); got.State != core.PostFailed || got.Problem != "not_allowed" {
		t.Errorf("allowed no more, it is %+v", got)
	}
	core.SetPoster(p.Portal, script.NewPoster(script.PosterConfig{}))
	seen := h.seen.Load()
	r = post("01D", h.URL)
	ok(t, core.SendPosts(ctx, p.Portal))
	if got := show(r); got.State != core.PostFailed || got.Problem != "private" || h.seen.Load() != seen {
		t.Errorf("inside, it is %+v", got)
	}
}

// Posts leave by themselves while a door is open.
func TestPostsAreDelivered(t *testing.T) {
	h := listenForPosts(t)
	p := coretest.Open(t, coretest.WithAnalysis(nil, h.poster))
	p.SignUp("mara")
	p.Set("analysis.urls", h.URL)
	saved(t, p, "check", "post('"+h.URL+"', 1)\napprove()")
	running, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); p.Analysis.Deliver(running) }()
	for i := range 3 {
		must(analyse(p, t, fmt.Sprint("01R", i), "check"))(t)
		eventually(t, "it is posted", func() bool { return h.seen.Load() == int64(i+1) })
	}
	stop()
	<-done
}

// A script runs in a real child, and what people are called is data to it.
func TestARealChildAnalyses(t *testing.T) {
	child := must(script.Self())(t)
	p := coretest.Open(t, coretest.WithAnalysis(child, nil))
	mara := p.SignUp("mara")
	hostile := "'; rm -rf / #"
	must(p.Accounts.UpdateProfile(ctx, mara, core.ProfileInput{DisplayName: hostile, Email: "mara@example.org"}))(t)
	p.SignIn("mara")
	saved(t, p, "check", `
print(account.display_name, request.note, len(sessions), [g.role for g in grants], account.roles, account.factors, account.keys)
if days_since(account.created) == 0 and sessions[0].door == "local" and not account.email_confirmed: approve()
`)
	r, err := core.Analyse(ctx, p.Portal, core.Analysed{Request: "01R", Account: mara.Account, Script: "check", Note: "$(reboot)"})
	ok(t, err)
	if r.Outcome != script.Decided || r.Verdict != script.Approve || r.Log != hostile+" $(reboot) 2 [] [] [] 0\n" || r.Took <= 0 {
		t.Errorf("the run is %+v", r)
	}
	p.Set("analysis.seconds", "1")
	saved(t, p, "check", "print('begun')\nfor i in range(1 << 62): pass\napprove()")
	r = must(analyse(p, t, "01S", "check"))(t)
	if r.Verdict != script.Hold || r.Outcome != script.TooLong || r.Log != "begun\n" {
		t.Errorf("the run is %+v", r)
	}
}

// No secret of an account reaches a script.
func TestAScriptIsToldNoSecret(t *testing.T) {
	p := coretest.Open(t)
	mara := p.SignUp("mara")
	saved(t, p, "check", "print(json.encode([account, sessions, grants, request]))\napprove()")
	r := must(analyse(p, t, "01R", "check"))(t)
	for _, secret := range []string{"argon2", "token", "hash", must(core.CredentialOf(p.Portal, mara.Account))(t).Hash} {
		if strings.Contains(r.Log, secret) {
			t.Errorf("%q is told: %s", secret, r.Log)
		}
	}
	if !strings.Contains(r.Log, `"user_name":"mara"`) {
		t.Errorf("it is told %s", r.Log)
	}
}

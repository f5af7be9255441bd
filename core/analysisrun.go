// Runs of scripts: what was run on whom, with what outcome and output. Those of
// requests are written by analysis.go; here are dry runs, what a crash left, and
// how runs are read.

package core

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"postern/core/script"
	"postern/store"
)

// RunState is where a run stands.
type RunState string

// The states of a run.
const (
	RunRunning RunState = "running"
	RunDone    RunState = "done"
	RunUnknown RunState = "unknown" // a crash came between; a person resolves it
)

// OutcomeOvertaken is the outcome of a run whose request was decided or cancelled
// by somebody else meanwhile: nothing of what it said counts.
const OutcomeOvertaken script.Outcome = "overtaken"

// Run is one run of a script.
type Run struct {
	ID      string   `json:"id"` // ULID; runs ascend
	Script  string   `json:"script"`
	Version int      `json:"version"`           // 0: a text that was not saved
	Dry     bool     `json:"dry,omitempty"`     // nothing of what it asked for was done
	Request string   `json:"request,omitempty"` // the delete request; "" for a dry run
	Account string   `json:"account"`           // whom it looked at
	User    string   `json:"user"`              // their user name at that time
	By      string   `json:"by"`                // account id, "console" or "system"
	State   RunState `json:"state"`

	Outcome script.Outcome `json:"outcome,omitempty"` // "" while it is running, and when that is unknown
	Verdict script.Verdict `json:"verdict,omitempty"`
	Reason  string         `json:"reason,omitempty"` // of the verdict
	Detail  string         `json:"detail,omitempty"` // what went wrong, in English
	Line    int            `json:"line,omitempty"`   // where

	Log     string          `json:"log,omitempty"`
	Effects []script.Effect `json:"effects,omitempty"`
	Began   time.Time       `json:"began"`
	Ended   time.Time       `json:"ended,omitzero"`
	Took    time.Duration   `json:"took,omitempty"` // in the child

	Resolved   time.Time `json:"resolved,omitzero"` // when somebody said what an unknown run meant
	ResolvedBy string    `json:"resolved_by,omitempty"`

	// Names are computed when it is read.
	ByName         string `json:"by_name,omitempty"`
	ResolvedByName string `json:"resolved_by_name,omitempty"`
}

// runs is kept under inverted ids: a page begins with the newest.
var runs = store.NewTable("run", 1,
	store.Index[Run]{Name: "request", Keys: func(r Run) []string {
		if r.Request == "" {
			return nil
		}
		return []string{r.Request}
	}},
	store.Index[Run]{Name: "account", Keys: func(r Run) []string { return keyIf(r.Account) }},
	store.Index[Run]{Name: "open", Keys: func(r Run) []string {
		if r.State == RunDone {
			return nil
		}
		return []string{string(r.State)}
	}})

func (r Run) label() string { return scriptLabel(r.Script, r.Version) }

// with returns the run with what became of it.
func (r Run) with(result script.Result) Run {
	r.Outcome, r.Verdict, r.Reason, r.Detail, r.Line = result.Outcome, result.Verdict, result.Reason, result.Detail, result.Line
	r.Log, r.Effects, r.Took = result.Log, result.Effects, result.Took
	return r
}

// described is what the trail says of it; what was printed is in the run alone.
func (r Run) described() map[string]string {
	m := map[string]string{"run": r.ID, "outcome": string(r.Outcome), "verdict": string(r.Verdict)}
	if r.Request != "" {
		m["request"] = r.Request
	}
	if r.Line > 0 {
		m["line"] = itoa(r.Line)
	}
	return m
}

// run reads one by its id.
func (t *txn) run(id string) (Run, error) {
	inverted := invert(id)
	if inverted == "" {
		return Run{}, refuseField(CodeNotFound, "run")
	}
	r, err := runs.Get(t, inverted)
	if err != nil {
		return Run{}, notFound(err, "run")
	}
	return r, nil
}

// DryInput says what is tried out on whom.
type DryInput struct {
	Name    string // of the script; with Source, what the run is called
	Version int    // 0: the newest
	Source  string // a text that was not saved; "": what Name and Version say
	User    string // user name, e-mail address or id
	Note    string // what the person would have written
}

// DryRun runs a script on an account as if it had asked to be deleted. Nothing of
// what the script decides or asks for is done: the run is kept, marked as dry,
// and in the trail. CodeDenied; CodeNotFound with the field "script" or "user", the
// latter also when the account was deleted while it ran: then nothing is kept.
// CodeScript as for Save. A script that goes wrong is a run, not an error.
func (s *Analysis) DryRun(ctx context.Context, actor Actor, in DryInput) (Run, error) {
	id, err := s.ids.new(s.clock.Now())
	if err != nil {
		return Run{}, asError(err)
	}
	var r Run
	var task analysisTask
	_, err = s.look(ctx, actor, func(t *txn) (err error) {
		r, task, err = t.dryTask(id, in)
		return err
	})
	if err == nil {
		r = r.with(s.run(ctx, task.input, task.limits))
	}
	prior := err
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), analysisGrace)
	defer cancel()
	err = s.do(ctx, actor, ActAnalysisDry, "", func(t *txn) error {
		if err := t.may(OpAnalysis, ""); err != nil {
			return err
		}
		if prior != nil {
			return prior
		}
		t.entry.About, t.entry.Target = r.Account, r.label()
		if _, err := accounts.Get(t, r.Account); err != nil {
			return notFound(err, "user") // deleted meanwhile
		}
		r.State, r.By, r.Ended = RunDone, t.entry.Actor, t.now
		t.entry.After = r.described()
		return runs.Insert(t, invert(r.ID), r)
	})
	if err != nil {
		return Run{}, err
	}
	return r, nil
}

// dryTask is what a dry run is given.
func (t *txn) dryTask(id string, in DryInput) (r Run, task analysisTask, err error) {
	if err := t.may(OpAnalysis, ""); err != nil {
		return r, task, err
	}
	a, err := t.account(in.User)
	if err != nil {
		return r, task, err
	}
	note, err := cleanText("note", in.Note, MaxReason, false)
	if err != nil {
		return r, task, err
	}
	var s Script
	switch {
	case in.Source != "":
		if s.Name, err = cleanScriptName(in.Name); err != nil {
			return r, task, err
		}
		s.Source = script.Normal(in.Source)
		if p := script.Check(s.Source); len(p) > 0 {
			return r, task, &Error{Code: CodeScript, Field: "source", N: p[0].Line, Rule: p[0].Message}
		}
	default:
		if s, err = t.scriptVersion(in.Name, in.Version); err != nil {
			return r, task, err
		}
	}
	task.limits = t.policy.Analysis.limits()
	if task.input, err = t.scriptInput(a, s); err != nil {
		return r, task, err
	}
	task.input.Dry = true
	task.input.Request = script.Request{ID: id, Asked: script.Time(t.now), Note: note}
	r = Run{ID: id, Script: s.Name, Version: s.Version, Dry: true, Account: a.ID, User: a.UserName, Began: t.now}
	return r, task, nil
}

// resolveRuns marks runs as unknown that were left running by a process that is
// no more, and posts that it was about to hand over. Whoever opens the data holds
// it alone; what is under way in this process is its own.
func (b *base) resolveRuns(ctx context.Context) (n int, err error) {
	var left []string
	err = b.read(ctx, Actor{}, func(t *txn) error {
		left = nil
		if !t.site.SetUp() {
			return nil
		}
		return eachRow(func(after string) ([]store.Row[Run], error) {
			return runs.PageEq(t, "open", string(RunRunning), after, MaxPage)
		}, func(r Run) error {
			if !b.analyses.underWay(r.ID) {
				left = append(left, r.ID)
			}
			return nil
		})
	})
	if err != nil {
		return 0, err
	}
	for _, id := range left {
		if err := b.lose(ctx, id); err != nil {
			return n, err
		}
		n++
	}
	posts, err := b.resolvePosts(ctx)
	return n + posts, err
}

// lose writes down that nobody knows what became of a run.
func (b *base) lose(ctx context.Context, id string) error {
	e, err := b.newEntry(Actor{}, ActAnalysisLost, "")
	if err != nil {
		return asError(err)
	}
	return asError(b.db.Update(ctx, func(tx store.Tx) error {
		t := &txn{Tx: tx, base: b, now: e.At, entry: e}
		if err := t.load(); err != nil {
			return err
		}
		r, err := t.run(id)
		if err != nil {
			return err
		}
		if r.State != RunRunning {
			return nil
		}
		r.State, r.Verdict, r.Ended = RunUnknown, script.Hold, e.At
		t.entry.Actor, t.entry.Outcome, t.entry.About, t.entry.Target = ActorSystem, OutcomeDone, r.Account, r.label()
		t.entry.After = map[string]string{"run": r.ID, "request": r.Request}
		if err := runs.Put(t, invert(id), r); err != nil {
			return err
		}
		if err := t.runChanged(r, given); err != nil {
			return err
		}
		return t.record(t.entry)
	}))
}

// Resolve says what a run meant of which nobody knows what became of it. Nothing
// that its script may have asked for is done. CodeDenied, CodeStepUp; CodeNotFound
// (field "run"); CodeConflict for a run that is not unknown; CodeFormat (field
// "verdict"); CodeRequired (field "reason") unless it is approved. Where an approval
// deletes the account at once, typed is its user name: CodeConfirm (field
// "user_name") for another one.
func (s *Analysis) Resolve(ctx context.Context, actor Actor, id string, verdict script.Verdict, reason, typed string) (Run, error) {
	var r Run
	err := s.do(ctx, actor, ActAnalysisResolve, "", func(t *txn) (err error) {
		if err := t.may(OpAnalysis, ""); err != nil {
			return err
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		if r, err = t.run(id); err != nil {
			return err
		}
		t.entry.About, t.entry.Target = r.Account, r.label()
		if !slices.Contains(script.Verdicts(), verdict) {
			return &Error{Code: CodeFormat, Field: "verdict", Rule: "approve|reject|hold"}
		}
		clean, err := cleanText("reason", reason, MaxReason, verdict != script.Approve)
		if err != nil {
			return err
		}
		if r.State != RunUnknown {
			return refuseField(CodeConflict, "run")
		}
		r.State, r.Verdict, r.Reason, r.Resolved, r.ResolvedBy = RunDone, verdict, clean, t.now, t.entry.Actor
		if r, err = t.ofWhoIsThere(r); err != nil {
			return err
		}
		t.entry.Reason = clean
		t.entry.Before, t.entry.After = map[string]string{"state": string(RunUnknown)}, r.described()
		if err := runs.Put(t, invert(id), r); err != nil {
			return err
		}
		return t.runChanged(r, byName(typed))
	})
	if err != nil {
		return Run{}, err
	}
	return r, nil
}

// RunPage is a page of runs, newest first; Next continues it.
type RunPage struct {
	Runs []Run // without what they printed
	Next string
}

// Runs returns a page of all runs, dry ones too, or of those that are in one
// state; the newest first. CodeDenied; CodeFormat (field "state").
func (s *Analysis) Runs(ctx context.Context, actor Actor, state RunState, after string, n int) (RunPage, error) {
	var page RunPage
	err := s.read(ctx, actor, func(t *txn) error {
		page = RunPage{}
		if err := t.may(OpReadAnalysis, ""); err != nil {
			return err
		}
		n := pageSize(n)
		var rows []store.Row[Run]
		var err error
		switch state {
		case "":
			rows, err = runs.Page(t, after, n)
		case RunRunning, RunUnknown:
			rows, err = runs.PageEq(t, "open", string(state), after, n)
		default:
			return &Error{Code: CodeFormat, Field: "state", Rule: strings.Join([]string{string(RunRunning), string(RunUnknown)}, "|")}
		}
		if err != nil {
			return err
		}
		for _, r := range rows {
			r.Value.Log, r.Value.Effects = "", nil
			if err := t.nameRun(&r.Value); err != nil {
				return err
			}
			page.Runs = append(page.Runs, r.Value)
		}
		if len(rows) == n {
			page.Next = rows[n-1].Cursor
		}
		return nil
	})
	return page, err
}

func (t *txn) nameRun(r *Run) (err error) {
	if r.ByName, err = t.nameOf(r.By); err != nil {
		return err
	}
	r.ResolvedByName, err = t.nameOf(r.ResolvedBy)
	return err
}

// RunDetail is a run in full, with what became of its posts.
type RunDetail struct {
	Run
	Posts []Post `json:"posts"`
	// AtOnce says that whoever approves the request that it is about deletes the
	// account there and then.
	AtOnce bool `json:"-"`
}

// Show returns a run in full. CodeDenied, CodeNotFound (field "run").
func (s *Analysis) Show(ctx context.Context, actor Actor, id string) (RunDetail, error) {
	var d RunDetail
	err := s.read(ctx, actor, func(t *txn) (err error) {
		d = RunDetail{}
		if err := t.may(OpReadAnalysis, ""); err != nil {
			return err
		}
		if d.Run, err = t.run(id); err != nil {
			return err
		}
		if err := t.nameRun(&d.Run); err != nil {
			return err
		}
		d.AtOnce = d.Request != "" && t.policy.Deletion.GraceDays == 0
		rows, err := posts.PageEq(t, "run", id, "", MaxPage)
		for _, p := range rows {
			d.Posts = append(d.Posts, p.Value)
		}
		return err
	})
	return d, err
}

// sweepRuns removes runs that ended long ago with their posts, dry ones sooner. What
// is unknown stays.
func (b *base) sweepRuns(ctx context.Context, now time.Time) (n int, err error) {
	n, err = sweepTable(ctx, b, runs, func(r Run) bool {
		kept := analysisRunKept
		if r.Dry {
			kept = dryRunKept
		}
		return r.State == RunDone && now.Sub(r.Ended) > kept && now.Sub(r.Resolved) > kept
	})
	if err != nil {
		return n, err
	}
	_, err = sweepTable(ctx, b, posts, func(p Post) bool {
		return (p.State == PostDone || p.State == PostFailed || p.State == PostUnknown) && now.Sub(p.Done) > analysisRunKept
	})
	return n, err
}

// errGone says that a record is not in the state that it was in.
var errGone = errors.New("core: it is no longer in that state")

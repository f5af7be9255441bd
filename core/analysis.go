// Analysis: a delete request is looked at by a script. This file is how a request
// has one run; analysisscript.go keeps the scripts, analysisrun.go the runs,
// analysispost.go what they post. The leaf core/script runs them.
//
// What holds, whatever happens:
//
//   - A request is analysed at most once. The record of the run is written as
//     "running" before the child is started; a request whose run is running or
//     unknown gets no other, and one that has a finished run gets another only when
//     somebody asks for it (analysisRun.Again).
//   - The outcome, what the script asks for and what becomes of the request are
//     written in one transaction, after the child has ended. Nothing that a script
//     asks for is done before, and nothing at all if it has not decided.
//   - A run that a crash has left running is "unknown". It is never run again by
//     itself; a person resolves it (Analysis.Resolve).
//   - Whatever goes wrong is a Run whose verdict is Hold. An error of analyse means
//     that nothing is known of the request but what it was: the caller holds it too.

package core

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"postern/core/script"
	"postern/store"
)

// Analyst runs scripts; script.Command is the one that does it in a child. It has
// no error: what goes wrong is a result that holds.
type Analyst interface {
	Run(ctx context.Context, in script.Input, limits script.Limits) script.Result
}

// Poster posts JSON to URLs; script.Poster is the real one. id is the same
// whenever the same thing is posted.
type Poster interface {
	Post(ctx context.Context, url string, allowed []string, id string, body []byte) error
}

var (
	_ Analyst = script.Command{}
	_ Poster  = (*script.Poster)(nil)
)

// AnalysisPolicy says what scripts may do.
type AnalysisPolicy struct {
	URLs    string `json:"urls,omitempty"` // prefixes of what may be posted to, parted by spaces
	Seconds int    `json:"seconds"`        // how long a run may take
}

// prefixes are the allowed URLs one by one. They were checked when they were set.
func (p AnalysisPolicy) prefixes() []string {
	list, err := script.Prefixes(p.URLs)
	if err != nil {
		return nil
	}
	return list
}

func (p AnalysisPolicy) limits() script.Limits {
	return script.Limits{Wall: time.Duration(p.Seconds) * time.Second}
}

// analysisSettings are the settings of the section.
func analysisSettings() []Setting {
	return []Setting{
		{Path: "analysis.urls", Kind: KindURLs,
			get: func(p *Policy) string { return p.Analysis.URLs },
			set: func(p *Policy, s string) error {
				list, err := script.Prefixes(s)
				if err != nil {
					return &Error{Code: CodeFormat, Field: "analysis.urls", Rule: "https://HOST/PATH", Err: err}
				}
				p.Analysis.URLs = strings.Join(list, " ")
				return nil
			}},
		number("analysis.seconds", 1, 60, func(p *Policy) *int { return &p.Analysis.Seconds }),
	}
}

// Bounds of analysis.
const (
	runsAtOnce      = 2                    // children; each may take its memory
	analysisGrace   = 10 * time.Second     // to write down an outcome while the door closes
	analysisRunKept = 180 * 24 * time.Hour // how long a run that has ended is kept
	dryRunKept      = 30 * 24 * time.Hour  // the same of one that only tried something out
	maxSessionsTold = 100                  // of one account, to a script
	maxGrantsTold   = 500
)

// analyses is what one process knows of its own runs and posts: what is under way
// here was not left by a crash.
type analyses struct {
	slots chan struct{}
	mu    sync.Mutex
	now   map[string]bool // ids
}

func newAnalyses() *analyses {
	return &analyses{slots: make(chan struct{}, runsAtOnce), now: map[string]bool{}}
}

func (a *analyses) begin(id string) (end func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now[id] = true
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.now, id)
	}
}

func (a *analyses) underWay(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now[id]
}

// run runs a script when there is room for it.
func (b *base) run(ctx context.Context, in script.Input, limits script.Limits) script.Result {
	if b.analyst == nil {
		return script.Result{Outcome: script.NotRun, Verdict: script.Hold, Detail: "this program runs no scripts"}
	}
	select {
	case b.analyses.slots <- struct{}{}:
		defer func() { <-b.analyses.slots }()
	case <-ctx.Done():
		return script.Result{Outcome: script.Stopped, Verdict: script.Hold, Detail: "the portal was closing"}
	}
	return b.analyst.Run(ctx, in, limits)
}

// analysisInput is the request that a script is to look at.
type analysisInput struct {
	RequestID string
	Account   string // id
	Script    string // its name
	Version   int    // 0: the newest
	Asked     time.Time
	Due       time.Time // when its days of grace are over; zero: there are none
	Note      string    // what the person wrote
}

// analysisRun is what the process of requests wants.
type analysisRun struct {
	analysisInput
	// Again says that somebody asks for another run of a request whose last one
	// has ended. Without it there is one.
	Again bool
	// begin, when not nil, is called in the transaction that writes the run down as
	// running: for a request that is "being analysed" from then on, whatever
	// happens. An error of it stops everything.
	begin func(t *txn, r Run) error
	// settle is called in the transaction that writes down what became of the run,
	// with the run as it is written, after notifications and posts were queued. It
	// does what the verdict means. When it refuses (the request was cancelled
	// meanwhile), none of these is written, the run is kept as overtaken, and
	// analyse returns the refusal. It may be called more than once, as everything
	// in a transaction.
	settle func(t *txn, r Run) error
}

// analysisResult is what became of it.
type analysisResult struct {
	Run Run // as it was kept
}

// analyse looks at a request with a script: it writes the run down, runs it, and
// writes down what became of it together with what that means. It takes as long
// as the script may, and when ctx is done before, the request is held.
//
// CodeConflict when the request has a run already, CodeNotFound (field "user")
// when the account is gone, what begin and settle refuse with, and CodeInternal
// and CodeUnavailable of the store. When the last write fails, the run is left
// running and becomes unknown at the next sweep.
func (b *base) analyse(ctx context.Context, a analysisRun) (analysisResult, error) {
	id, err := b.ids.new(b.clock.Now())
	if err != nil {
		return analysisResult{}, asError(err)
	}
	defer b.analyses.begin(id)()
	r, task, err := b.beginRun(ctx, id, a)
	if err != nil {
		return analysisResult{}, err
	}
	var result script.Result
	if task == nil {
		result = script.Result{Outcome: script.NotRun, Verdict: script.Hold, Detail: "there is no such script"}
	} else {
		result = b.run(ctx, task.input, task.limits)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), analysisGrace)
	defer cancel()
	done, err := b.settleRun(ctx, r.with(result), a.settle)
	if code := CodeOf(err); err != nil && code != CodeInternal && code != CodeUnavailable {
		over := r.with(script.Result{Outcome: OutcomeOvertaken, Verdict: script.Hold, Log: result.Log, Took: result.Took})
		if done, keepErr := b.settleRun(ctx, over, nil); keepErr == nil {
			return analysisResult{done}, err
		}
	}
	if err != nil {
		b.log.Error("the outcome of an analysis is not written down", slog.String("run", id), slog.Any("error", err))
		return analysisResult{}, err
	}
	return analysisResult{done}, nil
}

// analysisTask is what a child is given.
type analysisTask struct {
	input  script.Input
	limits script.Limits
}

// beginRun writes a run down as running. There is no task when there is no such
// script. It is no act of the trail: what becomes of it is.
func (b *base) beginRun(ctx context.Context, id string, a analysisRun) (r Run, task *analysisTask, err error) {
	now := b.clock.Now()
	err = b.db.Update(ctx, func(tx store.Tx) error {
		task = nil
		t := &txn{Tx: tx, base: b, now: now}
		if err := t.load(); err != nil {
			return err
		}
		if err := t.requireNoRun(a.RequestID, a.Again); err != nil {
			return err
		}
		account, err := accounts.Get(t, a.Account)
		if err != nil {
			return notFound(err, "user")
		}
		r = Run{ID: id, Script: a.Script, Version: a.Version, Request: a.RequestID, Account: account.ID, User: account.UserName,
			State: RunRunning, Began: now, By: ActorSystem}
		s, err := t.scriptVersion(a.Script, a.Version)
		switch {
		case CodeOf(err) == CodeNotFound: // held, and kept as a run that was none
		case err != nil:
			return err
		default:
			r.Version = s.Version
			in, err := t.scriptInput(account, s)
			if err != nil {
				return err
			}
			in.Request = script.Request{ID: a.RequestID, Asked: script.Time(a.Asked), Due: script.Time(a.Due), Note: a.Note}
			task = &analysisTask{in, t.policy.Analysis.limits()}
		}
		if a.begin != nil {
			if err := a.begin(t, r); err != nil {
				return err
			}
		}
		return runs.Insert(t, invert(id), r)
	})
	return r, task, asError(err)
}

// requireNoRun refuses a second run of a request.
func (t *txn) requireNoRun(request string, again bool) error {
	return eachRow(func(after string) ([]store.Row[Run], error) {
		return runs.PageEq(t, "request", request, after, MaxPage)
	}, func(r Run) error {
		if r.State != RunDone || !again {
			return refuseField(CodeConflict, "request")
		}
		return nil
	})
}

// settleRun writes down what became of a run, once, with its entry in the trail.
// Of a person who was deleted while it ran it keeps nothing, and nothing is done of
// what it asks for.
func (b *base) settleRun(ctx context.Context, r Run, settle func(*txn, Run) error) (Run, error) {
	e, err := b.newEntry(Actor{}, ActAnalysisRun, r.Account)
	if err != nil {
		return r, asError(err)
	}
	err = b.db.Update(ctx, func(tx store.Tx) error {
		t := &txn{Tx: tx, base: b, now: e.At, entry: e}
		if err := t.load(); err != nil {
			return err
		}
		kept, err := runs.Get(t, invert(r.ID))
		if err != nil {
			return err
		}
		if kept.State != RunRunning {
			return refuseField(CodeConflict, "run")
		}
		if r, err = t.ofWhoIsThere(r); err != nil {
			return err
		}
		r.State, r.Ended = RunDone, e.At
		t.entry.Actor, t.entry.Outcome, t.entry.Target = ActorSystem, OutcomeDone, r.label()
		t.entry.After, t.entry.Reason = r.described(), r.Reason
		if err := t.ask(r); err != nil {
			return err
		}
		if err := runs.Put(t, invert(r.ID), r); err != nil {
			return err
		}
		if settle != nil {
			if err := settle(t, r); err != nil {
				return err
			}
		}
		return t.record(t.entry)
	})
	return r, asError(err)
}

// ask does what a script has asked for: notifications are queued as every other,
// posts wait in their own table.
func (t *txn) ask(r Run) error {
	if r.Outcome != script.Decided {
		return nil
	}
	for i, e := range r.Effects {
		var err error
		switch {
		case e.Kind == script.EffectPost:
			err = t.queuePost(r, i, e)
		case e.To == script.ToOwner:
			err = t.tellOwnersOf(r.Account, NoticeScriptOwner, map[string]string{"Script": r.Script, "About": r.User, "Text": e.Text})
		default:
			err = t.notify(r.Account, NoticeScript, map[string]string{"Text": e.Text})
			if errors.Is(err, store.ErrNotFound) {
				err = nil // nobody is left to be told
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// scriptInput is what a script is told of an account.
func (t *txn) scriptInput(a Account, s Script) (script.Input, error) {
	in := script.Input{
		Name: s.Name, Source: s.Source, Now: script.Time(t.now), URLs: t.policy.Analysis.prefixes(),
		Account: script.Account{
			ID: a.ID, UserName: a.UserName, DisplayName: a.DisplayName, Email: a.Email, EmailConfirmed: a.confirmedEmail() != "",
			State: string(a.State), Created: script.Time(a.Created), LastSignIn: script.Time(a.LastSignIn),
			Language: a.Language, TimeZone: a.TimeZone, Fields: a.Fields,
		},
	}
	list, err := t.liveSessions(a.ID)
	if err != nil {
		return in, err
	}
	for _, v := range list[:min(len(list), maxSessionsTold)] {
		in.Sessions = append(in.Sessions, script.Session{
			ID: v.ID, Door: string(v.Door), Remote: v.Remote, Client: v.Client, Method: v.Method, Factor: string(v.Factor),
			Created: script.Time(v.Created), LastSeen: script.Time(v.LastSeen),
		})
	}
	if err := t.scriptGrants(a.ID, &in); err != nil {
		return in, err
	}
	held, err := t.factorsOf(a.ID)
	if err != nil {
		return in, err
	}
	for _, f := range held {
		if f.countsUnder(t.policy.Factors) {
			in.Account.Factors = append(in.Account.Factors, string(f.Kind))
		}
	}
	keys, err := t.keysOf(a.ID)
	in.Account.Keys = len(keys)
	return in, err
}

// scriptGrants adds what the account holds now or will hold.
func (t *txn) scriptGrants(account string, in *script.Input) error {
	names := map[string]string{AppPostern: AppPostern}
	return eachRow(func(after string) ([]store.Row[Grant], error) {
		return grants.PageEq(t, "account", account, after, MaxPage)
	}, func(g Grant) error {
		if g.over(t.now) || len(in.Grants) >= maxGrantsTold {
			return nil
		}
		if g.App == AppPostern {
			in.Account.Roles = append(in.Account.Roles, string(g.Role))
		}
		if names[g.App] == "" {
			a, err := apps.Get(t, g.App)
			if err != nil {
				return err
			}
			names[g.App] = a.Name
		}
		in.Grants = append(in.Grants, script.Grant{
			App: names[g.App], Role: string(g.Role), Created: script.Time(g.Created), Since: script.Time(g.From), Until: script.Time(g.Until),
		})
		return nil
	})
}

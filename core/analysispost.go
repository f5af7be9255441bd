// Posts: what scripts send to URLs. They are queued in the transaction that
// writes down the run. Each is marked as "sending" before it is handed over: what
// a crash finds in that state may have arrived, and is unknown. Nothing is handed
// over twice by itself, unless it is certain that nothing was sent.

package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"postern/core/script"
	"postern/store"
)

// PostState is where a post stands.
type PostState string

// The states of a post.
const (
	PostQueued  PostState = "queued"  // waits to be sent, perhaps again since nothing was
	PostSending PostState = "sending" // is being handed over
	PostDone    PostState = "done"    // the other side has taken it
	PostFailed  PostState = "failed"  // the other side has not: Problem says why
	PostUnknown PostState = "unknown" // nobody knows
)

// Post is something that a script has asked to be posted.
type Post struct {
	ID      string    `json:"id"`  // of the run, and which of its posts
	Run     string    `json:"run"` // id
	Account string    `json:"account"`
	URL     string    `json:"url"`
	Body    string    `json:"body"` // JSON
	State   PostState `json:"state"`
	Created time.Time `json:"created"`
	Next    time.Time `json:"next,omitzero"` // not before
	Done    time.Time `json:"done,omitzero"`
	Tries   int       `json:"tries,omitempty"`
	Problem string    `json:"problem,omitempty"` // of the last try, as script.PostError has it
	Status  int       `json:"status,omitempty"`  // of an answer that was none of success
}

var posts = store.NewTable("post", 1,
	store.Index[Post]{Name: "run", Keys: func(p Post) []string { return []string{p.Run} }},
	store.Index[Post]{Name: "account", Keys: func(p Post) []string { return keyIf(p.Account) }},
	store.Index[Post]{Name: "open", Keys: func(p Post) []string {
		if p.State != PostQueued && p.State != PostSending {
			return nil
		}
		return []string{string(p.State)}
	}})

// postGrace is how long a post may go on while the door closes.
const postGrace = 3 * time.Second

func (t *txn) queuePost(r Run, i int, e script.Effect) error {
	p := Post{ID: fmt.Sprintf("%s.%02d", r.ID, i+1), Run: r.ID, Account: r.Account, URL: e.URL, Body: e.Body, State: PostQueued, Created: t.now}
	return posts.Insert(t, p.ID, p)
}

// Deliver sends what waits until ctx is done. A door runs it for as long as it
// holds the data. It returns when what was sent is written down.
func (s *Analysis) Deliver(ctx context.Context) {
	if s.poster == nil {
		return
	}
	changed, err := s.db.Watch(ctx, posts.Prefix())
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("what scripts post is not sent", slog.Any("error", err))
		}
		return
	}
	for ctx.Err() == nil {
		next, err := s.sendPosts(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Error("what scripts post was not sent", slog.Any("error", err))
			next = s.clock.Now().Add(firstRetry)
		}
		if !s.wait(ctx, changed, next) {
			return
		}
	}
}

// sendPosts sends what is due, one after the other, and returns when the next of
// those that must wait is due (zero: none waits).
func (s *Analysis) sendPosts(ctx context.Context) (next time.Time, err error) {
	var due []string
	err = s.read(ctx, Actor{}, func(t *txn) error {
		due, next = nil, time.Time{}
		return eachRow(func(after string) ([]store.Row[Post], error) {
			return posts.PageEq(t, "open", string(PostQueued), after, MaxPage)
		}, func(p Post) error {
			if !t.now.Before(p.Next) {
				due = append(due, p.ID)
			} else if next.IsZero() || p.Next.Before(next) {
				next = p.Next
			}
			return nil
		})
	})
	if err != nil {
		return next, err
	}
	for _, id := range due {
		if ctx.Err() != nil {
			return next, nil
		}
		again, err := s.sendPost(ctx, id)
		if err != nil {
			return next, err
		}
		if !again.IsZero() && (next.IsZero() || again.Before(next)) {
			next = again
		}
	}
	return next, nil
}

// sendPost sends one: it is marked, handed over, and what became of it is written
// down. It returns when it is to be tried again, if it is.
func (s *Analysis) sendPost(ctx context.Context, id string) (again time.Time, err error) {
	defer s.analyses.begin(id)()
	p, allowed, err := s.markSending(ctx, id)
	if errors.Is(err, errGone) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	// A door that closes waits for a moment, since what is broken off is unknown.
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(postGrace, cancel) })
	defer stop()
	sent := s.poster.Post(sending, p.URL, allowed, p.ID, []byte(p.Body))
	if sent != nil {
		s.log.Warn("a post of a script was not taken", slog.String("id", id), slog.Any("error", sent))
	}
	writing, done := context.WithTimeout(context.WithoutCancel(ctx), analysisGrace)
	defer done()
	return s.settlePost(writing, id, sent)
}

// markSending writes down that a post is about to be handed over.
func (b *base) markSending(ctx context.Context, id string) (p Post, allowed []string, err error) {
	now := b.clock.Now()
	err = b.db.Update(ctx, func(tx store.Tx) error {
		t := &txn{Tx: tx, base: b, now: now}
		if err := t.load(); err != nil {
			return err
		}
		allowed = t.policy.Analysis.prefixes() // as it is now: what is allowed no more is not sent
		p, err = posts.Get(t, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && p.State != PostQueued {
			return errGone
		} else if err != nil {
			return err
		}
		p.State, p.Tries = PostSending, p.Tries+1
		return posts.Put(t, id, p)
	})
	return p, allowed, err
}

// settlePost writes down what became of a post.
func (b *base) settlePost(ctx context.Context, id string, sent error) (again time.Time, err error) {
	e, err := b.newEntry(Actor{}, ActAnalysisPost, "")
	if err != nil {
		return again, asError(err)
	}
	err = b.db.Update(ctx, func(tx store.Tx) error {
		again = time.Time{}
		t := &txn{Tx: tx, base: b, now: e.At, entry: e}
		if err := t.load(); err != nil {
			return err
		}
		p, err := posts.Get(t, id)
		if err != nil {
			return err
		}
		if p.State != PostSending {
			return nil
		}
		p = p.after(sent, t.now)
		if p.State == PostQueued {
			again = p.Next
			return posts.Put(t, id, p)
		}
		return t.endPost(p)
	})
	return again, asError(err)
}

// after is a post after a try.
func (p Post) after(sent error, now time.Time) Post {
	p.Next, p.Problem, p.Status = time.Time{}, "", 0
	var e *script.PostError
	switch {
	case sent == nil:
		p.State = PostDone
	case !errors.As(sent, &e):
		p.State, p.Problem = PostUnknown, "unreachable"
	case e.Unsent && e.Code != "not_allowed" && e.Code != "private" && now.Sub(p.Created) < GiveUpAfter:
		p.State, p.Problem, p.Next = PostQueued, e.Code, now.Add(retryWait(p.Tries))
	case e.Unsent || e.Status != 0:
		p.State, p.Problem, p.Status = PostFailed, e.Code, e.Status
	default:
		p.State, p.Problem = PostUnknown, e.Code
	}
	if p.State != PostQueued {
		p.Done = now
	}
	return p
}

// endPost writes a post down that is not tried any more, with its entry in the
// trail: what left the portal, and where to. Of the URL, what follows the host
// may be a secret.
func (t *txn) endPost(p Post) error {
	t.entry.Actor, t.entry.Outcome, t.entry.About, t.entry.Target = ActorSystem, OutcomeDone, p.Account, script.Host(p.URL)
	t.entry.Reason = p.Problem
	t.entry.After = map[string]string{"run": p.Run, "state": string(p.State)}
	if p.Status != 0 {
		t.entry.After["status"] = itoa(p.Status)
	}
	if _, err := accounts.Get(t, p.Account); errors.Is(err, store.ErrNotFound) {
		p = p.forgotten() // its person was deleted meanwhile
	} else if err != nil {
		return err
	}
	if err := posts.Put(t, p.ID, p); err != nil {
		return err
	}
	return t.record(t.entry)
}

// resolvePosts marks posts as unknown that a process that is no more was about to
// hand over.
func (b *base) resolvePosts(ctx context.Context) (n int, err error) {
	var left []string
	err = b.read(ctx, Actor{}, func(t *txn) error {
		left = nil
		return eachRow(func(after string) ([]store.Row[Post], error) {
			return posts.PageEq(t, "open", string(PostSending), after, MaxPage)
		}, func(p Post) error {
			if !b.analyses.underWay(p.ID) {
				left = append(left, p.ID)
			}
			return nil
		})
	})
	if err != nil {
		return 0, err
	}
	for _, id := range left {
		e, err := b.newEntry(Actor{}, ActAnalysisPost, "")
		if err != nil {
			return n, asError(err)
		}
		err = b.db.Update(ctx, func(tx store.Tx) error {
			t := &txn{Tx: tx, base: b, now: e.At, entry: e}
			if err := t.load(); err != nil {
				return err
			}
			p, err := posts.Get(t, id)
			if err != nil || p.State != PostSending {
				return err
			}
			p.State, p.Done = PostUnknown, e.At
			return t.endPost(p)
		})
		if err != nil {
			return n, asError(err)
		}
		n++
	}
	return n, nil
}

// Repost queues a post anew that has failed or of which nobody knows whether it
// has arrived: a person says that it may arrive twice. CodeDenied, CodeStepUp,
// CodeNotFound (field "post"), CodeConflict for one in another state.
func (s *Analysis) Repost(ctx context.Context, actor Actor, id string) error {
	return s.do(ctx, actor, ActAnalysisRepost, "", func(t *txn) error {
		if err := t.may(OpAnalysis, ""); err != nil {
			return err
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		p, err := posts.Get(t, id)
		if err != nil {
			return notFound(err, "post")
		}
		t.entry.About, t.entry.Target = p.Account, script.Host(p.URL)
		t.entry.Before, t.entry.After = map[string]string{"state": string(p.State)}, map[string]string{"run": p.Run, "state": string(PostQueued)}
		if p.State != PostFailed && p.State != PostUnknown || p.Body == "" {
			return refuseField(CodeConflict, "post")
		}
		p.State, p.Created, p.Done, p.Problem, p.Status, p.Tries = PostQueued, t.now, time.Time{}, "", 0, 0
		return posts.Put(t, id, p)
	})
}

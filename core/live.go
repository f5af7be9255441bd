// Live sessions: a screen that is open on a session learns within a second that
// the session ended, whoever ended it and through whichever process. One watch
// on the store serves all open screens (livehub.go); nothing ticks while nothing
// happens.

package core

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"postern/store"
)

// touchEvery is how often "last seen" is written at most, however much is typed.
const touchEvery = time.Minute

// rearmAfter is the least time between two looks at whether a session is over,
// for a clock that stands still at its end.
const rearmAfter = 250 * time.Millisecond

// Live is one open screen's hold on its session. Its methods are safe for
// concurrent use.
type Live struct {
	hub     *liveHub
	id      string
	account string
	roles   chan struct{} // what its person holds has changed
	ended   chan EndReason
	once    sync.Once
	over    atomic.Bool  // nothing that happens on the screen counts any more
	seen    atomic.Int64 // unix nanoseconds of the last key
	saved   atomic.Int64 // what of it was written
	writing atomic.Bool
	idle    atomic.Int64 // nanoseconds without a key that end it; 0: any number
	until   atomic.Int64 // unix nanoseconds at which it ends in any case

	mu        sync.Mutex
	stop      func() bool // the timer for its end by the policy
	stopRoles func() bool // the timer for the next end of what its person holds
}

// Ended delivers the reason once the session is over. It delivers nothing after Close.
func (l *Live) Ended() <-chan EndReason { return l.ended }

// Touch says that the person did something. It is cheap enough for every key:
// the store hears of it at most once a minute. After the session's end it does
// nothing: a key brings no session back.
func (l *Live) Touch() {
	now, before := l.hub.clock.Now().UnixNano(), l.seen.Load()
	if idle := l.idle.Load(); l.over.Load() || now >= l.until.Load() || idle > 0 && now-before >= idle {
		return
	}
	if now > before {
		l.seen.CompareAndSwap(before, now) // who lost it was as late as this one
	}
	if now-l.saved.Load() < int64(touchEvery) || !l.writing.CompareAndSwap(false, true) {
		return
	}
	if !l.hub.begin() {
		return
	}
	go func() {
		defer l.hub.working.Done()
		defer l.writing.Store(false)
		l.save()
	}()
}

// Close lets go of the session; it does not end it.
func (l *Live) Close() {
	if l.over.Load() {
		return
	}
	l.save()
	l.hub.drop(l)
}

// save writes "last seen" when there is something new to write.
func (l *Live) save() {
	seen := l.seen.Load()
	if seen <= l.saved.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), auditGrace)
	defer cancel()
	err := l.hub.db.Update(ctx, func(tx store.Tx) error {
		r, err := sessions.Get(tx, l.id)
		at := time.Unix(0, seen).UTC()
		if err != nil || !r.Ended.IsZero() || !at.After(r.LastSeen) {
			return err
		}
		r.LastSeen = at
		return sessions.Put(tx, l.id, r)
	})
	if err != nil {
		l.hub.log.Error("last seen not written", "error", err)
		return
	}
	l.saved.Store(seen)
}

// end tells the screen. The reason is there before the hub forgets the screen.
func (l *Live) end(why EndReason) {
	l.once.Do(func() { l.ended <- why })
	l.hub.drop(l)
}

// arm sets the timer for the session's end by the policy that its account lives
// under, or for when that policy is another one (next, zero for never), at least
// after least.
func (l *Live) arm(r sessionRecord, p SessionPolicy, next time.Time, least time.Duration) {
	seen := r.LastSeen
	if at := time.Unix(0, l.seen.Load()); at.After(seen) {
		seen = at
	}
	ends, _ := p.Ends(r.Created, seen)
	if !next.IsZero() && next.Before(ends) {
		ends = next
	}
	l.idle.Store(int64(p.IdleMinutes) * int64(time.Minute))
	l.until.Store(p.Lifetime.After(r.Created).UnixNano())
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop != nil {
		l.stop()
	}
	if l.over.Load() {
		return
	}
	left := max(ends.Sub(l.hub.clock.Now()), least)
	l.stop = l.hub.clock.AfterFunc(left, l.due)
}

func (l *Live) disarm() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over.Store(true)
	for _, stop := range []func() bool{l.stop, l.stopRoles} {
		if stop != nil {
			stop()
		}
	}
}

// due runs when the session should be over: it is written down as ended, unless
// keys were pressed meanwhile, and the watch then closes the screen.
func (l *Live) due() {
	if !l.hub.begin() {
		return
	}
	defer l.hub.working.Done()
	ctx, cancel := context.WithTimeout(l.hub.ctx, auditGrace)
	defer cancel()
	over, err := l.hub.expire(ctx, l.id, l.hub.clock.Now())
	switch {
	case err != nil && l.hub.ctx.Err() != nil:
	case err != nil:
		l.hub.log.Error("session not expired", "error", err)
		l.end(EndExpired)
	case over:
		l.hub.review(l.id, 0)
	default:
		l.hub.review(l.id, rearmAfter) // seen meanwhile: set the timer anew
	}
}

// expire marks a session whose time has come as ended, with its own entry in
// the trail, and says whether it is over.
func (b *base) expire(ctx context.Context, id string, now time.Time) (over bool, err error) {
	e, err := b.newEntry(Actor{}, ActSessionExpired, "")
	if err != nil {
		return false, asError(err)
	}
	err = b.db.Update(ctx, func(tx store.Tx) error {
		t := &txn{Tx: tx, base: b, now: now, entry: e}
		if err := t.load(); err != nil {
			return err
		}
		r, err := sessions.Get(t, id)
		if errors.Is(err, store.ErrNotFound) {
			over = true
			return nil
		} else if err != nil {
			return err
		}
		if over, err = t.over(r); err != nil || !over || !r.Ended.IsZero() {
			return err
		}
		p, err := t.policyFor(r.Account)
		if err != nil {
			return err
		}
		_, why := p.Session.Ends(r.Created, b.live.lastSeen(id, r.LastSeen))
		t.entry.Actor, t.entry.Outcome, t.entry.About, t.entry.Target = ActorSystem, OutcomeDone, r.Account, id
		t.entry.Door, t.entry.Remote, t.entry.Client = r.Door, r.Remote, r.Client
		t.entry.After = map[string]string{"reason": string(why)}
		if err := t.record(t.entry); err != nil {
			return err
		}
		return t.endSession(r, why)
	})
	return over, asError(err)
}

// Attach opens the actor's session on a screen. CodeSessionEnded when it is
// over, CodeUnavailable when the portal closes.
func (s *Sessions) Attach(ctx context.Context, actor Actor) (*Live, error) {
	var r sessionRecord
	err := s.read(ctx, actor, func(t *txn) (err error) {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		r, err = sessions.Get(t, actor.Session)
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrTooLarge) {
			err = refuse(CodeSessionEnded)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	l := &Live{hub: s.live, id: r.ID, account: r.Account, ended: make(chan EndReason, 1), roles: make(chan struct{}, 1)}
	l.seen.Store(s.clock.Now().UnixNano())
	l.saved.Store(r.LastSeen.UnixNano())
	l.until.Store(math.MaxInt64)
	if !s.live.add(l) {
		return nil, refuse(CodeUnavailable)
	}
	s.live.review(r.ID, 0) // sets the timer; and it may have ended since it was read
	l.armRoles(s.live.nextEnd(r.Account), 0)
	return l, nil
}

// Changes wakes the receiver when a session of the actor's account begins,
// ends or is seen anew, until ctx is done.
func (s *Sessions) Changes(ctx context.Context, actor Actor) <-chan struct{} {
	return s.live.listen(ctx, actor.Account)
}

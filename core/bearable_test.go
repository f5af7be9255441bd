// What a change of methods does to people is counted before anything is written:
// what happens between the count and the change counts all the same.
package core_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"postern/core"
	"postern/core/coretest"
	"postern/store"
	"postern/store/memory"
)

// between is a store on which something happens just before the next write, and
// that counts what is read in the course of writing.
type between struct {
	store.Store
	mu     sync.Mutex
	before func()
	writes int
	reads  int // of the write that read most
}

func (s *between) Update(ctx context.Context, fn func(store.Tx) error) error {
	s.mu.Lock()
	before := s.before
	s.before = nil // what it does is written by the same store
	s.mu.Unlock()
	if before != nil {
		before()
	}
	return s.Store.Update(ctx, func(tx store.Tx) error {
		counted := &countedTx{Tx: tx}
		err := fn(counted)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.writes++
		s.reads = max(s.reads, counted.reads)
		return err
	})
}

// next has something happen before the next write.
func (s *between) next(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before, s.writes, s.reads = fn, 0, 0
}

type countedTx struct {
	store.Tx
	reads int
}

func (tx *countedTx) Get(key []byte) ([]byte, error) {
	tx.reads++
	return tx.Tx.Get(key)
}

func (tx *countedTx) Scan(prefix, after []byte, n int) ([]store.Pair, error) {
	pairs, err := tx.Tx.Scan(prefix, after, n)
	tx.reads += len(pairs)
	return pairs, err
}

// disturbed is a set-up portal on such a store, with mara and noor, all methods on.
func disturbed(t *testing.T) (*coretest.Place, *between) {
	db := memory.New()
	t.Cleanup(func() { _ = db.Close() })
	s := &between{Store: db}
	p := coretest.New(t, coretest.WithStore(s))
	p.SetUp("lin")
	p.LetIn("factors.email", "on")
	return p, s
}

// refusals are how often the trail says that a change of the policy was refused.
func refusals(p *coretest.Place) (codes []core.Code) {
	for _, e := range p.Trail() {
		if e.Action == core.ActPolicy && e.Outcome == core.OutcomeRefused {
			codes = append(codes, e.Code)
		}
	}
	return codes
}

// Whoever enrols the method between the count and the change is counted; the
// trail has one refusal, with the number that was true at last.
func TestAFactorThatComesBetweenTheCountAndTheChange(t *testing.T) {
	p, s := disturbed(t)
	mara, noor := p.SignUp("mara"), p.SignUp("noor")
	enrolApp(t, p, mara, "phone")
	s.next(func() { enrolApp(t, p, noor, "phone") })
	says(t, change(p, false, "factors.app", "off"), core.Error{Code: core.CodeLosesFactor, Field: "factors", N: 2})
	if got := refusals(p); len(got) != 1 || got[0] != core.CodeLosesFactor {
		t.Errorf("the trail says %v", got)
	}
	nothingFound(t, p)
}

// Whoever gives the method up meanwhile is not held against it.
func TestAFactorThatGoesBetweenTheCountAndTheChange(t *testing.T) {
	p, s := disturbed(t)
	mara := p.SignUp("mara")
	a := enrolApp(t, p, mara, "phone")
	s.next(func() { ok(t, p.Factors.Remove(ctx, mara, a.ID)) })
	ok(t, change(p, false, "factors.app", "off"))
	if got := refusals(p); len(got) != 0 {
		t.Errorf("the trail says %v", got)
	}
}

// Whoever may sign in again meanwhile is counted, and whoever may no more is not.
func TestAnAccountThatComesBackBetweenTheCountAndTheChange(t *testing.T) {
	p, s := disturbed(t)
	mara := p.SignUp("mara")
	enrolApp(t, p, mara, "phone")
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "mara", ""))
	s.next(func() { ok(t, p.Accounts.Resume(ctx, p.Owner, "mara")) })
	says(t, change(p, false, "factors.app", "off"), core.Error{Code: core.CodeLosesFactor, Field: "factors", N: 1})
	s.next(func() { ok(t, p.Accounts.Suspend(ctx, p.Owner, "mara", "")) })
	ok(t, change(p, false, "factors.app", "off"))
}

// A policy that another change has put in force is what the next try begins from.
func TestAnotherPolicyBetweenTheCountAndTheChange(t *testing.T) {
	p, s := disturbed(t)
	enrolAddress(t, p, p.SignUp("mara"), core.FactorEmail, "mara@example.org")
	s.next(func() { ok(t, change(p, true, "factors.email", "off")) })
	ok(t, change(p, false, "factors.email", "off", "password.min_length", "14")) // nobody loses it any more
	if now := must(p.Policy.Current(ctx, p.Owner))(t); now.Factors.Email || now.Password.MinLength != 14 {
		t.Errorf("in force is %+v", now)
	}
}

// Where factors go on changing each time, it is given up and nothing is changed.
func TestACountThatIsDisturbedForEver(t *testing.T) {
	p, s := disturbed(t)
	mara := p.SignUp("mara")
	n := 0
	var again func()
	again = func() {
		n++
		a := enrolApp(t, p, mara, fmt.Sprint("phone ", n))
		ok(t, p.Factors.Remove(ctx, mara, a.ID)) // nobody holds one at any count
		s.mu.Lock()
		s.before = again
		s.mu.Unlock()
		p.Clock.Advance(1e9)
	}
	s.next(again)
	before := must(p.Policy.Current(ctx, p.Owner))(t)
	err := change(p, false, "factors.app", "off")
	s.next(nil)
	says(t, err, core.Error{Code: core.CodeConflict, Field: "factors"})
	if got := refusals(p); len(got) != 1 || got[0] != core.CodeConflict {
		t.Errorf("the trail says %v", got)
	}
	if now := must(p.Policy.Current(ctx, p.Owner))(t); now.Version != before.Version || !now.Factors.App {
		t.Errorf("in force is %+v", now)
	}
	// Whoever has accepted it needs no count.
	s.next(again)
	ok(t, change(p, true, "factors.app", "off"))
	s.next(nil)
}

// What comes of other methods takes nothing from anybody: the count holds.
func TestFactorsOfOtherMethodsDisturbNoCount(t *testing.T) {
	p, s := disturbed(t)
	mara := p.SignUp("mara")
	s.next(func() {
		enrolApp(t, p, mara, "phone")
		s.mu.Lock()
		s.writes = 0
		s.mu.Unlock()
	})
	ok(t, change(p, false, "factors.email", "off"))
	if s.writes != 1 {
		t.Errorf("%d writes, want the change alone", s.writes)
	}
}

// The last owner's way in is judged where it is written, whatever was counted.
func TestTheOwnersAreJudgedAtTheChange(t *testing.T) {
	p, s := disturbed(t)
	p.Set("factors.key_stands", "password")
	ok(t, p.Keys.Link(ctx, withKey(p.Owner, "SHA256:lin"), ""))
	s.next(func() { core.GiveUpPassword(t, p.Portal, p.Owner.Account) })
	says(t, change(p, true, "factors.key_stands", "factor"), core.Error{Code: core.CodeLockout, Field: "factors"})
}

// However many hold a factor, the transaction that writes reads the same few.
func TestTheChangeReadsNoMoreWhereMoreHoldFactors(t *testing.T) {
	read := func(holders int) int {
		p, s := disturbed(t)
		ok(t, core.FillPeople(p.Portal, holders, nil))
		for _, a := range everybody(t, p) {
			if a.UserName != "lin" {
				core.GiveFactor(t, p.Portal, a.ID, core.FactorEmail, core.Fresh)
				core.GiveFactor(t, p.Portal, a.ID, core.FactorApp, core.Fresh)
			}
		}
		s.next(nil)
		ok(t, change(p, false, "factors.app", "off"))
		return s.reads
	}
	if few, many := read(10), read(700); many != few {
		t.Errorf("%d reads among 10 holders, %d among 700", few, many)
	}
}

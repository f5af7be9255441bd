// The impact of a change of the policy, before it is made: whom it touches,
// counted on the data as it is at one moment. Only what the changed settings can
// touch is read, a page at a time, so a million accounts need no more memory than
// ten. How the records are walked is impactwalk.go.

package core

import (
	"context"
	"time"
)

// MaxNames is how many names an Affected holds.
const MaxNames = MaxLosing

// Affected is how many a change touches, and who the first of them are.
type Affected struct {
	Count int      `json:"count"`
	Names []string `json:"names,omitempty"` // user names, at most MaxNames
}

func (a *Affected) add(name string) {
	a.Count++
	if len(a.Names) < MaxNames {
		a.Names = append(a.Names, name)
	}
}

// SettingChange is one setting that is not what it was.
type SettingChange struct {
	Path string `json:"path"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// SelfImpact is what a change means for whoever makes it.
type SelfImpact struct {
	SessionEnds bool `json:"session_ends"` // this very session ends at once
	Password    bool `json:"password"`     // must choose a new password at the next sign-in
	Enrol       bool `json:"enrol"`        // is asked for a second factor
	Loses       bool `json:"loses"`        // the last second factor counts no more
	LockedOut   bool `json:"locked_out"`   // could not sign in any more
}

// Any says whether the change means anything for whoever makes it.
func (s SelfImpact) Any() bool { return s != SelfImpact{} }

// Impact is whom a change of the policy touches. Accounts that cannot sign in
// anyway (pending, suspended, rejected) are not counted.
type Impact struct {
	Version  int             `json:"version"` // of the policy that it was counted against
	Changes  []SettingChange `json:"changes"`
	Accounts int             `json:"accounts"` // that can sign in, of all that there are

	// Password is who must choose a new password at their next sign-in and would
	// not have to without the change.
	Password Affected `json:"password"`
	// Strength is how many keep a password that was chosen under weaker rules: a
	// hash does not tell whether it keeps the new ones, which are asked of the next
	// password that is chosen.
	Strength int `json:"strength"`

	Asked  Affected  `json:"asked"`           // who is asked for a second factor and was not, or has one no more
	AskBy  time.Time `json:"ask_by,omitzero"` // when most of them must have one; where not everybody is asked, the first of them
	Sooner int       `json:"sooner"`          // who was asked already, and must have one earlier than was said; not those whose time is over
	NoWay  Affected  `json:"no_way"`          // of Asked: who can only link a key and has none yet, or whom codes do not reach
	Losing Affected  `json:"losing"`          // whose last usable second factor would count no more

	SessionsEnd Affected `json:"sessions_end"` // live sessions that end now; the names are their people's
	SessionsCut Affected `json:"sessions_cut"` // above the new limit: the oldest end at the next sign-in

	// LockedOut is who could not sign in any more. EveryOwner says that no owner
	// could, which no change may do.
	LockedOut  Affected `json:"locked_out"`
	EveryOwner bool     `json:"every_owner"`

	SignUpBefore SignUpState `json:"sign_up_before"`
	SignUpAfter  SignUpState `json:"sign_up_after"`

	// Retention is what goes at the next run of retention; nothing when the change
	// keeps everything for as long as before.
	Retention RetentionCount `json:"retention"`

	Me SelfImpact `json:"me"`
}

// Quiet says that the change touches nobody who is there.
func (i Impact) Quiet() bool {
	return i.Password.Count == 0 && i.Strength == 0 && i.Asked.Count == 0 && i.Sooner == 0 && i.Losing.Count == 0 &&
		i.SessionsEnd.Count == 0 && i.SessionsCut.Count == 0 && i.LockedOut.Count == 0 && !i.EveryOwner && i.Retention.Nothing() && i.SignUpBefore == i.SignUpAfter
}

// Impact counts whom a change of settings would touch, on one snapshot of the
// data; what would go by retention is counted after it, in small parts. progress, when not nil, is called now and then with how many accounts of
// all that have to be looked at were; the call ends with CodeUnavailable soon
// after ctx does. CodeDenied, and the refusals of the change itself (Set), but
// CodeLocksOut, CodeLockout and CodeLosesFactor: these it counts.
func (s *Policies) Impact(ctx context.Context, actor Actor, values map[string]string, progress func(done, total int)) (Impact, error) {
	return s.impact(ctx, actor, values, progress, fewSingled)
}

// impact is Impact that reads so many accounts one by one; see fewSingled.
func (s *Policies) impact(ctx context.Context, actor Actor, values map[string]string, progress func(done, total int), few int) (Impact, error) {
	var out Impact
	var old, next Policy
	looked := 0
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpChangePolicy, ""); err != nil {
			return err
		}
		var err error
		if next, err = t.changed(values); err != nil {
			return err
		}
		next.Factors.demandedSince(t.policy.Factors, t.now)
		old = t.policy
		c := &counter{txn: t, ctx: ctx, old: old, next: next, progress: progress, few: few}
		if progress != nil && old.Retention.keepsLonger(next.Retention) { // which is the other half
			c.progress = func(done, total int) { progress(done, 2*total) }
		}
		err = c.count()
		out, looked = c.out, max(c.steps, 1)*c.accounts
		return err
	})
	if err != nil || !old.Retention.keepsLonger(next.Retention) {
		return out, err
	}
	r := &retentionRun{Retention: &Retention{s.base}, ctx: ctx, dry: true, proposed: &next.Retention}
	if progress != nil {
		r.progress = func(done, total int) { progress(looked+looked*done/max(total, 1), 2*looked) }
	}
	err = r.run()
	out.Retention = r.out
	return out, err
}

// keepsLonger says whether something is kept longer by this policy than by another.
func (p RetentionPolicy) keepsLonger(than RetentionPolicy) bool {
	return p.OutboxDays > than.OutboxDays || p.AuditDays > than.AuditDays || p.SessionDays > than.SessionDays ||
		than.InactiveDays > 0 && (p.InactiveDays == 0 || p.InactiveDays > than.InactiveDays)
}

// diff lists the settings that differ, in the order of the screens.
func diff(before, after Policy) []SettingChange {
	var out []SettingChange
	for _, s := range Settings() {
		if b, a := s.Get(before), s.Get(after); a != b {
			out = append(out, SettingChange{Path: s.Path, Old: b, New: a})
		}
	}
	return out
}

// counter counts the impact of one change.
type counter struct {
	*txn
	ctx       context.Context
	old, next Policy
	out       Impact
	progress  func(done, total int)
	steps     int // passes over accounts that the change needs
	step      int
	done      int // accounts looked at in this pass
	accounts  int

	demanding map[string]App // by their ids: those that demand a factor
	few       int            // see fewSingled
}

// strengthened says whether the rules for a new password became stricter.
func strengthened(old, next PasswordPolicy) bool {
	more := func(was, is bool) bool { return is && !was }
	return more(old.UpperLower, next.UpperLower) || more(old.LettersDigits, next.LettersDigits) || more(old.Special, next.Special) ||
		more(old.RefuseCommon, next.RefuseCommon) || more(old.RefusePersonal, next.RefusePersonal) ||
		next.MinLength > old.MinLength || next.MinScore > old.MinScore
}

// rotates says whether passwords can become due by the change.
func rotates(old, next PasswordPolicy) bool {
	return next.RotateDays > 0 && (old.RotateDays == 0 || next.RotateDays < old.RotateDays)
}

// sameMethods says whether the change leaves alone what factors count, and who
// must have one.
func sameMethods(a, b FactorPolicy) bool {
	a.AdminsSince, a.EverybodySince, b.AdminsSince, b.EverybodySince = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return a == b
}

// losesMethods says whether something that counts now counts no more, or a key
// stands for less.
func (c *counter) losesMethods() bool {
	old, next := c.old.Factors, c.next.Factors
	for _, k := range []FactorKind{FactorKey, FactorApp, FactorSMS, FactorEmail} {
		if old.on(k) != next.on(k) { // one that is switched on may guard whoever cannot use it
			return true
		}
	}
	return old.keyStandsFor(KeyStandsForPassword) && !next.keyStandsFor(KeyStandsForPassword)
}

// population counts the accounts that can sign in.
func (c *counter) population() error {
	n, err := c.tally()
	if err != nil {
		return err
	}
	idle, err := c.newShut().count(c.txn)
	c.accounts, c.out.Accounts = n.Accounts, max(n.Accounts-idle, 0)
	return err
}

func (c *counter) count() error {
	if err := c.population(); err != nil {
		return err
	}
	c.out.Version, c.out.Changes = c.old.Version, diff(c.old, c.next)
	if err := c.nameSettings(c.out.Changes); err != nil {
		return err
	}
	c.out.SignUpBefore, c.out.SignUpAfter = c.old.SignUp.state(c.accounts), c.next.SignUp.state(c.accounts)
	if strengthened(c.old.Password, c.next.Password) {
		c.out.Strength = c.out.Accounts
	}
	var passes []func() error
	if !sameMethods(c.old.Factors, c.next.Factors) {
		passes = append(passes, c.factors)
	}
	if rotates(c.old.Password, c.next.Password) {
		passes = append(passes, c.passwords)
	}
	if c.old.Session != c.next.Session {
		passes = append(passes, c.sessions)
	}
	c.steps = len(passes)
	for i, pass := range passes {
		c.step, c.done = i, 0
		if err := pass(); err != nil {
			return err
		}
	}
	if err := c.me(); err != nil {
		return err
	}
	if c.progress != nil {
		c.progress(max(c.steps, 1)*c.accounts, max(c.steps, 1)*c.accounts)
	}
	return nil
}

// looked says that n more accounts were looked at, and ends the count when nobody
// waits for it any more.
func (c *counter) looked(n int) error {
	c.done += n
	if c.progress != nil {
		c.progress(c.step*c.accounts+min(c.done, c.accounts), c.steps*c.accounts)
	}
	return c.ctx.Err()
}

// closedStates are the states of accounts that cannot sign in.
func closedStates() []State { return []State{StatePending, StateSuspended, StateRejected} }

// state is what sign-up is like with so many accounts.
func (p SignUpPolicy) state(accounts int) SignUpState {
	if p.Quota > 0 && accounts >= p.Quota {
		return SignUpIsFull
	}
	return SignUpState(p.Mode)
}

// me is what the change means for the actor.
func (c *counter) me() error {
	if c.actor.Account == "" {
		return nil
	}
	a, err := accounts.Get(c, c.actor.Account)
	if err != nil {
		return err
	}
	cred, err := credentials.Get(c, a.ID)
	if err != nil {
		return err
	}
	c.out.Me.Password = cred.due(c.next.Password, c.now) && !cred.due(c.old.Password, c.now)
	if c.actor.Session != "" {
		s, err := sessions.Get(c, c.actor.Session)
		if err != nil {
			return err
		}
		s.LastSeen = c.now // it acts at this moment
		c.out.Me.SessionEnds = s.ended(c.next.Session, c.now)
	}
	h, err := c.holdingOf(a.ID)
	if err != nil {
		return err
	}
	was, is := h.protects(c.old.Factors), h.protects(c.next.Factors)
	c.out.Me.Loses = was && !is
	_, before, err := c.demandedUnder(c.old.Factors, a)
	if err != nil {
		return err
	}
	_, after, err := c.demandedUnder(c.next.Factors, a)
	if err != nil {
		return err
	}
	c.out.Me.Enrol = after && !is && (!before || was)
	could, err := c.mayEnter(c.old, a, h, alone)
	if err != nil {
		return err
	}
	can, err := c.mayEnter(c.next, a, h, alone)
	c.out.Me.LockedOut = could && !can
	return err
}

// Sharing: which account has which role on which app, from when and until when. A
// share is a Grant on that app. Its time is looked at whenever it is asked for;
// that it is over is written down by the sweep (grantlapse.go).

package core

import (
	"context"
	"strings"
	"time"

	"postern/store"
)

// ShareEndsSoon is from how long before its end a share is said to be ending.
const ShareEndsSoon = 30 * 24 * time.Hour

// ShareState says how a share stands.
type ShareState string

// How a share stands.
const (
	SharePending ShareState = "pending" // begins later
	ShareActive  ShareState = "active"
	ShareEnding  ShareState = "ending" // active, and over within ShareEndsSoon
)

// Share is a role of an account on an app, with names to show.
type Share struct {
	Grant
	AppName     string
	AppNote     string
	UserName    string
	ByName      string // who shared it: a user name, ActorConsole, or "" when that account is no more
	Permissions []string
	State       ShareState
	Mine        bool // the actor owns the app
}

// SharePage is a page of shares; Next continues it. A page may be shorter than it
// was asked for though there is more.
type SharePage struct {
	Shares []Share
	Next   string
}

// over says whether a grant will never count again.
func (g Grant) over(now time.Time) bool {
	return !g.Ended.IsZero() || !g.Until.IsZero() && !now.Before(g.Until)
}

func (g Grant) stands(now time.Time) ShareState {
	switch {
	case g.From.After(now):
		return SharePending
	case !g.Until.IsZero() && g.Until.Sub(now) <= ShareEndsSoon:
		return ShareEnding
	}
	return ShareActive
}

// eachShare walks the grants of an app that are in its index: those that ended are not.
func (t *txn) eachShare(app string, fn func(Grant) error) error {
	return eachRow(func(after string) ([]store.Row[Grant], error) {
		return grants.PageBy(t, "role", app+"/", after, MaxPage)
	}, fn)
}

// share fills in names.
func (t *txn) share(a App, g Grant) (Share, error) {
	s := Share{Grant: g, AppName: a.Name, AppNote: a.Note, State: g.stands(t.now), Mine: a.Owner == t.actor.Account}
	for _, r := range a.Roles {
		if r.Name == g.Role {
			s.Permissions = r.Permissions
		}
	}
	holder, err := accounts.Get(t, g.Account)
	if err != nil {
		return s, err
	}
	s.UserName = holder.UserName
	if g.By == ActorConsole {
		s.ByName = ActorConsole
		return s, nil
	}
	s.ByName, err = t.nameOf(g.By)
	return s, err
}

// ShareInput is what somebody gives of an app. From zero is at once, Until zero is
// for good; both are kept to the second.
type ShareInput struct {
	User  string // user name, e-mail address or id; whoever may not read accounts finds them by user name
	Role  Role
	From  time.Time
	Until time.Time
}

// Share gives an account a role on an app (ref: name or id), and tells its person.
// The app's owner may, and who manages apps. CodeDenied, CodeStepUp, CodeNotFound
// (fields "app", "user"), CodeNotActive (field "user"), CodeNotFound (field "role")
// for a role that the app has not, CodeHasRole (field "role") when the account has
// it already, CodeRange (field "until", Rule "> from") for a share that ends before
// it begins, CodeEndPast and CodeEndFar (field "until"), CodeRetired for a retired
// app.
func (s *Apps) Share(ctx context.Context, actor Actor, ref string, in ShareInput) (Share, error) {
	id, err := s.ids.new(s.clock.Now())
	if err != nil {
		return Share{}, asError(err)
	}
	var out Share
	err = s.change(ctx, actor, ActShare, ref, func(t *txn, a App) error {
		holder, err := t.sharedWith(in.User)
		if err != nil {
			return err
		}
		t.entry.About = holder.ID
		if holder.State != StateActive {
			return refuseField(CodeNotActive, "user")
		}
		if !a.role(in.Role) {
			return refuseField(CodeNotFound, "role")
		}
		g := Grant{ID: id, App: a.ID, Account: holder.ID, Role: in.Role, By: t.entry.Actor, Created: t.now,
			From: wholeSecond(in.From), Until: wholeSecond(in.Until)}
		if !g.From.After(t.now) {
			g.From = time.Time{}
		}
		if err := t.checkTerm(g); err != nil {
			return err
		}
		err = eachRow(func(after string) ([]store.Row[Grant], error) {
			return grants.PageEq(t, "account", holder.ID, after, MaxPage)
		}, func(o Grant) error {
			if o.App == a.ID && o.Role == in.Role && !o.over(t.now) {
				return refuseField(CodeHasRole, "role")
			}
			return nil
		})
		if err != nil {
			return err
		}
		t.entry.After = g.term()
		t.entry.After["user"] = holder.UserName
		if err := t.insertShare(g); err != nil {
			return err
		}
		if err := t.tellShare(a, g); err != nil {
			return err
		}
		out, err = t.share(a, g)
		return err
	})
	if err != nil {
		return Share{}, err
	}
	return out, nil
}

// checkTerm refuses a time that is none.
func (t *txn) checkTerm(g Grant) error {
	latest := t.now.AddDate(0, 0, MaxGrantDays)
	switch {
	case g.From.After(latest):
		return &Error{Code: CodeEndFar, Field: "from", N: MaxGrantDays}
	case g.Until.IsZero():
		return nil
	case !g.Until.After(t.now):
		return refuseField(CodeEndPast, "until")
	case !g.Until.After(g.From):
		return &Error{Code: CodeRange, Field: "until", Rule: "> from"}
	case g.Until.After(latest):
		return &Error{Code: CodeEndFar, Field: "until", N: MaxGrantDays}
	}
	return nil
}

// sharedWith finds the account to share with. Whoever may not read accounts has to
// know its user name: an e-mail address would tell them whose it is.
func (t *txn) sharedWith(ref string) (Account, error) {
	ref = strings.TrimSpace(ref)
	if ref == "" {
		return Account{}, refuseField(CodeRequired, "user")
	}
	reads, err := t.allows(OpReadAccounts)
	if err != nil {
		return Account{}, err
	}
	if reads {
		return t.account(ref)
	}
	if ref == t.actor.Account {
		return t.account(ref)
	}
	a, known, err := t.accountByLogin(ref)
	if err == nil && (!known || !strings.EqualFold(a.UserName, ref)) {
		err = refuseField(CodeNotFound, "user")
	}
	if err != nil {
		return Account{}, err
	}
	return a, nil
}

// onShare runs an act on a share that is not over. What is not there, and what the
// actor may not touch, look the same to others.
func (s *Apps) onShare(ctx context.Context, actor Actor, action Action, id string, fn func(*txn, App, Grant) error) error {
	return s.do(ctx, actor, action, "", func(t *txn) error {
		g, err := grants.Get(t, id)
		if err == nil && (g.App == AppPostern || g.over(t.now)) {
			err = store.ErrNotFound
		}
		if missing := notFound(err, "share"); err != nil && CodeOf(missing) != CodeNotFound {
			return err
		} else if err != nil {
			if err := t.may(OpApps, ""); err != nil {
				return err
			}
			return missing
		}
		a, err := apps.Get(t, g.App)
		if err != nil {
			return err
		}
		t.entry.About, t.entry.Target = g.Account, a.Name
		if err := t.mayApp(OpApps, a); err != nil {
			return err
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		if g.Role == RoleAppOwner {
			return refuseField(CodeReserved, "role") // an app always has an owner: it is handed over
		}
		return fn(t, a, g)
	})
}

// Revoke ends a share at once, and tells its person. CodeDenied, CodeStepUp,
// CodeNotFound; CodeReserved (field "role") for the owner's, which is handed over
// by Transfer.
func (s *Apps) Revoke(ctx context.Context, actor Actor, id string) error {
	return s.onShare(ctx, actor, ActShareEnd, id, func(t *txn, a App, g Grant) error {
		t.entry.Before = g.term()
		t.entry.After = map[string]string{"ended": t.now.Format(time.RFC3339)}
		return t.endShare(a, g)
	})
}

// SetEnd lets a share end at another moment, or never when until is zero, and tells
// its person. CodeSameEnd when it ends then already; the refusals of Share and Revoke.
func (s *Apps) SetEnd(ctx context.Context, actor Actor, id string, until time.Time) (Share, error) {
	var out Share
	err := s.onShare(ctx, actor, ActShareChange, id, func(t *txn, a App, held Grant) error {
		g := held
		g.Until = wholeSecond(until)
		if g.Until.Equal(held.Until) {
			return refuseField(CodeSameEnd, "until")
		}
		if err := t.checkTerm(g); err != nil {
			return err
		}
		t.entry.Before, t.entry.After = changes(held.term(), g.term())
		if err := grants.Put(t, g.ID, g); err != nil {
			return err
		}
		t.rulesChanged()
		if err := t.tellShare(a, g); err != nil {
			return err
		}
		var err error
		out, err = t.share(a, g)
		return err
	})
	if err != nil {
		return Share{}, err
	}
	return out, nil
}

func (t *txn) insertShare(g Grant) error {
	t.rulesChanged()
	return grants.Insert(t, g.ID, g)
}

// endShare writes down that a share has ended, and tells its person unless it was
// never theirs.
func (t *txn) endShare(a App, g Grant) error {
	g.Ended = t.now
	if err := grants.Put(t, g.ID, g); err != nil {
		return err
	}
	t.rulesChanged()
	return t.notify(g.Account, NoticeAccessEnded, shareWords(a, g))
}

// endAppGrant is endShare for a share whose time has come.
func (t *txn) endAppGrant(g Grant) error {
	a, err := apps.Get(t, g.App)
	if err != nil {
		return err
	}
	t.entry.Target = a.Name
	t.entry.Before = g.term()
	t.entry.After = map[string]string{"ended": t.now.Format(time.RFC3339)}
	return t.endShare(a, g)
}

func (t *txn) tellShare(a App, g Grant) error {
	return t.notify(g.Account, NoticeAccessGiven, shareWords(a, g))
}

// shareWords are what a notice says of a share.
func shareWords(a App, g Grant) map[string]string {
	m := map[string]string{"App": a.Name, "AppRole": string(g.Role), "AppFrom": "", "AppUntil": ""}
	if !g.From.IsZero() {
		m["AppFrom"] = g.From.Format(time.RFC3339)
	}
	if !g.Until.IsZero() {
		m["AppUntil"] = g.Until.Format(time.RFC3339)
	}
	return m
}

// term is what the trail says of a share.
func (g Grant) term() map[string]string {
	m := g.described()
	if !g.From.IsZero() {
		m["from"] = g.From.Format(time.RFC3339)
	}
	return m
}

// Shares returns a page of an app's shares that are not over, its owner's too, by
// role; of one state, or of all with "". CodeDenied, CodeNotFound; CodeFormat
// (fields "state", "after").
func (s *Apps) Shares(ctx context.Context, actor Actor, ref string, state ShareState, after string, n int) (SharePage, error) {
	var page SharePage
	err := s.read(ctx, actor, func(t *txn) error {
		a, err := t.appFor(OpReadApps, ref)
		if err != nil {
			return err
		}
		switch state {
		case "", SharePending, ShareActive, ShareEnding:
		default:
			return refuseField(CodeFormat, "state")
		}
		n := pageSize(n)
		rows, err := grants.PageBy(t, "role", a.ID+"/", after, n)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.Value.over(t.now) || state != "" && r.Value.stands(t.now) != state {
				continue
			}
			sh, err := t.share(a, r.Value)
			if err != nil {
				return err
			}
			page.Shares = append(page.Shares, sh)
		}
		if len(rows) == n {
			page.Next = rows[n-1].Cursor
		}
		return nil
	})
	return page, err
}

// Mine returns what is shared with the actor, what it owns and what begins later.
// CodeDenied for a stranger.
func (s *Apps) Mine(ctx context.Context, actor Actor) ([]Share, error) {
	return ofSelf(ctx, s.base, actor, (*txn).sharesOf)
}

// Of is Mine for another account, for those who may read accounts and apps (ref:
// user name, e-mail address or id). CodeDenied, CodeNotFound.
func (s *Apps) Of(ctx context.Context, actor Actor, ref string) ([]Share, error) {
	return ofAccount(ctx, s.base, actor, ref, (*txn).sharesOf, OpReadAccounts, OpReadApps)
}

func (t *txn) sharesOf(account string) ([]Share, error) {
	var list []Share
	err := eachRow(func(after string) ([]store.Row[Grant], error) {
		return grants.PageEq(t, "account", account, after, MaxPage)
	}, func(g Grant) error {
		if g.App == AppPostern || g.over(t.now) {
			return nil
		}
		a, err := apps.Get(t, g.App)
		if err != nil {
			return err
		}
		s, err := t.share(a, g)
		list = append(list, s)
		return err
	})
	return list, err
}

// ParseBegin reads when something begins: nothing for at once, or what ParseEnd
// reads; a day counts from its beginning. CodeFormat (field "from").
func ParseBegin(s string, zone *time.Location) (time.Time, error) {
	s = strings.TrimSpace(s)
	if at, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil && at.Year() > 0 {
		return at, nil
	}
	at, err := ParseEnd(s, zone)
	if err != nil {
		return time.Time{}, refuseField(CodeFormat, "from")
	}
	return at, nil
}

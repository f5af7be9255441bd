// Rules that apps bring along. An app may be stricter than the portal, and
// everybody it is shared with lives under the strictest of all that apply. The
// document in force stays the portal's alone: what somebody lives under is
// computed when it is asked for, so that a change of either counts at once.

package core

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"postern/store"
)

// AppPolicy is what an app demands of its people. The zero value demands nothing;
// of what it says, the stricter of it and the portal's rule counts.
type AppPolicy struct {
	MinLength   int  `json:"min_length,omitempty"`
	MinScore    int  `json:"min_score,omitempty"`
	RotateDays  int  `json:"rotate_days,omitempty"`
	HistoryDays int  `json:"history_days,omitempty"`
	HistoryLast int  `json:"history_last,omitempty"`
	Lifetime    Span `json:"lifetime,omitzero"`
	IdleMinutes int  `json:"idle_minutes,omitempty"`
	Factor      bool `json:"factor,omitempty"` // a second factor is demanded

	// FactorSince is since when it is. It is the core's own, no setting.
	FactorSince time.Time `json:"factor_since,omitzero"`
}

// AppSetting is a setting of the policy that an app may be stricter about.
type AppSetting struct {
	Path string // as in Settings
	get  func(AppPolicy) string
	set  func(*AppPolicy, Policy)
	// weaker says whether a would allow what b does not.
	weaker func(a, b Policy) bool
}

// Get returns what an app says about it, "" for nothing.
func (s AppSetting) Get(p AppPolicy) string { return s.get(p) }

// AppSettings returns what apps may be stricter about, in the order of the screens.
func AppSettings() []AppSetting {
	// More is stricter for the first kind, less for the second, where 0 is no rule.
	more := func(path string, at func(*AppPolicy) *int, of func(Policy) int) AppSetting {
		return AppSetting{path, numberOr(at), func(p *AppPolicy, v Policy) { *at(p) = of(v) },
			func(a, b Policy) bool { return of(a) < of(b) }}
	}
	less := func(path string, at func(*AppPolicy) *int, of func(Policy) int) AppSetting {
		return AppSetting{path, numberOr(at), func(p *AppPolicy, v Policy) { *at(p) = of(v) },
			func(a, b Policy) bool { return of(b) > 0 && (of(a) == 0 || of(a) > of(b)) }}
	}
	return []AppSetting{
		more("password.min_length", func(p *AppPolicy) *int { return &p.MinLength }, func(p Policy) int { return p.Password.MinLength }),
		more("password.min_score", func(p *AppPolicy) *int { return &p.MinScore }, func(p Policy) int { return p.Password.MinScore }),
		less("password.rotate_days", func(p *AppPolicy) *int { return &p.RotateDays }, func(p Policy) int { return p.Password.RotateDays }),
		more("password.history_days", func(p *AppPolicy) *int { return &p.HistoryDays }, func(p Policy) int { return p.Password.HistoryDays }),
		more("password.history_last", func(p *AppPolicy) *int { return &p.HistoryLast }, func(p Policy) int { return p.Password.HistoryLast }),
		{"session.lifetime", func(p AppPolicy) string {
			if p.Lifetime.N == 0 {
				return ""
			}
			return p.Lifetime.String()
		}, func(p *AppPolicy, v Policy) { p.Lifetime = v.Session.Lifetime },
			func(a, b Policy) bool {
				return a.Session.Lifetime.most() > b.Session.Lifetime.least() && a.Session.Lifetime != b.Session.Lifetime
			}},
		less("session.idle_minutes", func(p *AppPolicy) *int { return &p.IdleMinutes }, func(p Policy) int { return p.Session.IdleMinutes }),
		{"factors.enforce", func(p AppPolicy) string {
			if !p.Factor {
				return ""
			}
			return string(EnforceEverybody)
		}, func(p *AppPolicy, v Policy) { p.Factor = v.Factors.Enforce == EnforceEverybody },
			func(a, b Policy) bool { return enforceRank[a.Factors.Enforce] < enforceRank[b.Factors.Enforce] }},
	}
}

var enforceRank = map[Enforcement]int{EnforceNobody: 0, EnforceAdmins: 1, EnforceEverybody: 2}

func numberOr(at func(*AppPolicy) *int) func(AppPolicy) string {
	return func(p AppPolicy) string {
		if n := *at(&p); n != 0 {
			return itoa(n)
		}
		return ""
	}
}

// appSettingByPath finds a setting that apps may be stricter about, or refuses
// with CodeNotFound.
func appSettingByPath(path string) (AppSetting, error) {
	for _, s := range AppSettings() {
		if s.Path == path {
			return s, nil
		}
	}
	if !validPath.MatchString(path) {
		path = "policy"
	}
	return AppSetting{}, &Error{Code: CodeNotFound, Field: path, Rule: "app setting"}
}

// with returns the app's policy with settings changed; "" takes one back. Under
// the portal's policy it may only be stricter: CodeWeaker names the rule, and what
// the portal demands. CodeNotFound, CodeFormat, CodeRange; CodeNoMethod where
// nobody could have the factor that is demanded.
func (p AppPolicy) with(portal Policy, values map[string]string, now time.Time) (AppPolicy, error) {
	before := p
	for _, path := range slices.Sorted(maps.Keys(values)) {
		s, err := appSettingByPath(path)
		if err != nil {
			return p, err
		}
		if values[path] == "" {
			s.set(&p, Policy{})
			continue
		}
		if path == "factors.enforce" && values[path] == string(EnforceAdmins) {
			// An app knows its people, and not who looks after the portal.
			return p, &Error{Code: CodeFormat, Field: path, Rule: string(EnforceEverybody)}
		}
		wanted := portal
		setting, err := settingByPath(path)
		if err != nil {
			return p, err
		}
		if err := setting.set(&wanted, values[path]); err != nil {
			return p, err
		}
		if s.weaker(wanted, portal) {
			return p, &Error{Code: CodeWeaker, Field: path, Rule: setting.Get(portal)}
		}
		s.set(&p, wanted)
	}
	if p.Factor && !portal.Factors.any() {
		return p, &Error{Code: CodeNoMethod, Field: "factors.enforce"}
	}
	// What it comes to must hold together, as the portal's own rules do.
	if err := strictest(portal, p).Validate(); err != nil {
		return p, err
	}
	switch {
	case !p.Factor:
		p.FactorSince = time.Time{}
	case !before.Factor:
		p.FactorSince = now
	}
	return p, nil
}

// demands says whether the app asks for anything at all.
func (p AppPolicy) demands() bool { p.FactorSince = time.Time{}; return p != AppPolicy{} }

// described is the policy as settings, for the trail; what it leaves to the
// portal is left out.
func (p AppPolicy) described(m map[string]string) {
	for _, s := range AppSettings() {
		if v := s.get(p); v != "" {
			m[s.Path] = v
		}
	}
}

// strictest returns the portal's policy made as strict as the strictest of it and
// the apps, setting by setting. Where two spans cannot be told apart because
// months differ in length, it is the shorter of what they may last.
func strictest(portal Policy, apps ...AppPolicy) Policy {
	lasts := []Span{portal.Session.Lifetime}
	pw := &portal.Password
	for _, a := range apps {
		pw.MinLength = max(pw.MinLength, a.MinLength)
		pw.MinScore = max(pw.MinScore, a.MinScore)
		pw.RotateDays = leastRule(pw.RotateDays, a.RotateDays)
		pw.HistoryDays = max(pw.HistoryDays, a.HistoryDays)
		pw.HistoryLast = max(pw.HistoryLast, a.HistoryLast)
		portal.Session.IdleMinutes = leastRule(portal.Session.IdleMinutes, a.IdleMinutes)
		if a.Lifetime.N > 0 {
			lasts = append(lasts, a.Lifetime)
		}
		if a.Factor {
			portal.Factors.Enforce = EnforceEverybody
		}
	}
	portal.Session.Lifetime = shortest(lasts)
	return portal
}

// leastRule is the smaller of two bounds, of which 0 is none.
func leastRule(a, b int) int {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// shortest returns the span that ends first, whenever it begins.
func shortest(spans []Span) Span {
	first := spans[0]
	for _, s := range spans[1:] {
		// Of a week and seven days it is always the same one, in whatever order they come.
		if cmp.Or(cmp.Compare(s.least(), first.least()), cmp.Compare(s.most(), first.most()), cmp.Compare(s.Unit, first.Unit)) < 0 {
			first = s
		}
	}
	for _, s := range spans {
		if s != first && s.least() < first.most() {
			return Span{N: first.least() / 24, Unit: Days} // a month is any of 28 to 31 days
		}
	}
	return first
}

// monthDays are the fewest and the most days that so many calendar months take.
var monthDays = [13][2]int{{}, {28, 31}, {59, 62}, {89, 92}, {120, 123}, {150, 153}, {181, 184},
	{212, 215}, {242, 245}, {273, 276}, {303, 306}, {334, 337}, {365, 366}}

// least and most are the fewest and the most hours that a span lasts.
func (s Span) least() int { return s.hours(0) }
func (s Span) most() int  { return s.hours(1) }

func (s Span) hours(end int) int {
	switch s.Unit {
	case Hours:
		return s.N
	case Weeks:
		return s.N * 7 * 24
	case Months:
		n := min(max(s.N, 0), len(monthDays)-1)
		return monthDays[n][end] * 24
	default:
		return s.N * 24
	}
}

// ruling is an app whose rules an account lives under, and by which grant.
type ruling struct {
	app   App
	grant Grant
}

// ruled is what an account lives under beside the portal's policy.
type ruled struct {
	by   []ruling
	next time.Time // when a grant begins or ends by which that changes; zero: never
}

// rulings returns the apps that demand something of an account. It is read once
// in a transaction; changed forgets it.
func (t *txn) rulings(account string) (ruled, error) {
	if r, known := t.ruled[account]; known {
		return r, nil
	}
	var r ruled
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
		if a.State != AppActive || !a.Policy.demands() {
			return nil
		}
		for _, at := range []time.Time{g.From, g.Until} {
			if at.After(t.now) && (r.next.IsZero() || at.Before(r.next)) {
				r.next = at
			}
		}
		if g.active(t.now) {
			r.by = append(r.by, ruling{a, g})
		}
		return nil
	})
	if err != nil {
		return ruled{}, err
	}
	if t.ruled == nil {
		t.ruled = map[string]ruled{}
	}
	if len(t.ruled) < MaxPage { // a walk over everybody keeps no memory of them
		t.ruled[account] = r
	}
	return r, nil
}

// rulesChanged forgets what was read of apps and shares in this transaction.
func (t *txn) rulesChanged() { t.ruled = nil }

// policyFor returns the policy that an account lives under: the strictest of the
// portal's and those of the apps that are shared with it. Whatever is demanded of
// an account asks this and not the portal's policy.
func (t *txn) policyFor(account string) (Policy, error) { return t.under(account, t.policy) }

// under is policyFor with another policy of the portal, for what a change of it
// would come to.
func (t *txn) under(account string, portal Policy) (Policy, error) {
	r, err := t.rulings(account)
	if err != nil || len(r.by) == 0 {
		return portal, err
	}
	demands := make([]AppPolicy, len(r.by))
	for i, b := range r.by {
		demands[i] = b.app.Policy
	}
	return strictest(portal, demands...), nil
}

// appsDemand says whether an app demands a second factor of an account, and by
// when: days are counted from when the app began to, or when it was shared. Where
// the portal has no method, nobody can be asked for one.
func (t *txn) appsDemand(p FactorPolicy, account string) (by time.Time, must bool, err error) {
	r, err := t.rulings(account)
	if err != nil {
		return time.Time{}, false, err
	}
	by, must = p.appsDemand(r.by)
	return by, must, nil
}

// appsDemand is what these apps demand where the portal has this policy.
func (p FactorPolicy) appsDemand(apps []ruling) (by time.Time, must bool) {
	if !p.any() {
		return time.Time{}, false
	}
	for _, b := range apps {
		if !b.app.Policy.Factor {
			continue
		}
		at := later(b.app.Policy.FactorSince, later(b.grant.Created, b.grant.From)).AddDate(0, 0, p.Days)
		if !must || at.Before(by) {
			by, must = at, true
		}
	}
	return by, must
}

// RuleSource is a rule that an account lives under, and where it comes from.
type RuleSource struct {
	Path   string // of AppSettings
	Value  string // as Setting.Get
	From   string // the name of the app; "" is the portal's own policy
	Portal string // what the portal's own policy says
}

// Rules returns the rules that the actor lives under of all that apps may be
// stricter about. Where an app only repeats the portal, it is the portal's rule.
func (s *Accounts) Rules(ctx context.Context, actor Actor) ([]RuleSource, error) {
	return ofSelf(ctx, s.base, actor, (*txn).rulesOf)
}

// RulesOf is Rules for another account, for those who may read accounts (ref:
// user name, e-mail address or id). CodeDenied, CodeNotFound.
func (s *Accounts) RulesOf(ctx context.Context, actor Actor, ref string) ([]RuleSource, error) {
	return ofAccount(ctx, s.base, actor, ref, (*txn).rulesOf, OpReadAccounts)
}

func (t *txn) rulesOf(account string) ([]RuleSource, error) {
	r, err := t.rulings(account)
	if err != nil {
		return nil, err
	}
	var out []RuleSource
	for _, s := range AppSettings() {
		setting, err := settingByPath(s.Path)
		if err != nil {
			return nil, err
		}
		strict, from := t.policy, ""
		for _, b := range r.by {
			one := strictest(t.policy, b.app.Policy)
			if s.weaker(strict, one) {
				strict, from = one, b.app.Name
			}
		}
		out = append(out, RuleSource{Path: s.Path, Value: setting.Get(strict), From: from, Portal: setting.Get(t.policy)})
	}
	return out, nil
}

// Stricter says whether what an app says about it is stricter than the portal now.
func (s AppSetting) Stricter(a AppPolicy, portal Policy) bool {
	return s.weaker(portal, strictest(portal, a))
}

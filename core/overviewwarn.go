// What an overview warns of: what is wrong now, or will be soon, each with the
// place where it is mended.

package core

import (
	"slices"
	"time"

	"postern/store"
)

// WarningCode says what is wrong; the dictionary has the words ("overview.warn." + code).
type WarningCode string

// The warnings, the gravest first.
const (
	WarnAllowanceOver WarningCode = "allowance_over" // Target is the service
	WarnNoProvider    WarningCode = "no_provider"    // codes are to be sent, and nobody carries them; Target is the service
	WarnNoFactor      WarningCode = "no_factor"      // N people have none though the policy's time is over
	WarnAdminNoFactor WarningCode = "admin_factor"   // N who hold a role have none, and nobody demands it
	WarnFactorsOff    WarningCode = "factors_off"    // N factors were disabled by failures in a row
	WarnAllowance     WarningCode = "allowance"      // N percent are used; Target is the service
	WarnDead          WarningCode = "dead"           // N messages were given up
	WarnRequests      WarningCode = "requests"       // N requests to be deleted wait for a decision
	WarnUnknownRun    WarningCode = "unknown_run"    // N analyses of which nobody knows what became of them
	WarnAtOnce        WarningCode = "at_once"        // accounts are deleted without anybody looking at the request
	WarnNoBackup      WarningCode = "no_backup"      // none is known of
	WarnOldBackup     WarningCode = "old_backup"     // the last one is N days old
	WarnOpenNoQuota   WarningCode = "open_no_quota"  // everybody may sign up, as many as they like
	WarnContact       WarningCode = "contact"        // there is none; Target is its kind
)

// WarningCodes returns every warning, the gravest first.
func WarningCodes() []WarningCode {
	return []WarningCode{WarnAllowanceOver, WarnNoProvider, WarnNoFactor, WarnAdminNoFactor, WarnFactorsOff, WarnAllowance, WarnDead,
		WarnRequests, WarnUnknownRun, WarnAtOnce, WarnNoBackup, WarnOldBackup, WarnOpenNoQuota, WarnContact}
}

// Remedy is where something is mended.
type Remedy string

// The remedies. A backup and a provider are the operator's of the machine.
const (
	RemedyOutbox   Remedy = "outbox"
	RemedyPolicy   Remedy = "policy" // Setting of the warning says which
	RemedyPeople   Remedy = "people"
	RemedyRoles    Remedy = "roles"
	RemedyContacts Remedy = "contacts"
	RemedyRequests Remedy = "requests"
	RemedyScripts  Remedy = "scripts"
	RemedyMachine  Remedy = "machine"
)

// Warning is one thing to be mended.
type Warning struct {
	Code    WarningCode
	Target  string // a service, a kind of contact; "" where there is only one
	N       int
	AtMost  bool // N may be too many: more came lately than are looked at
	Remedy  Remedy
	Setting string      // the path of the setting, with RemedyPolicy
	Find    PeopleQuery // the search that finds whom it is about, with RemedyPeople
}

// Bounds of warnings.
const (
	warnPercent  = 80 // of an allowance
	backupMaxAge = 7 * 24 * time.Hour

	// warnNewcomers is at how many of those who came lately it is looked whether
	// their time is over, so that an overview takes no longer after a large import.
	warnNewcomers = 200
)

// overviewWarnings finds what is wrong.
func (t *txn) overviewWarnings(o *Overview) error {
	add := func(w Warning) { o.Warnings = append(o.Warnings, w) }
	for _, u := range o.Uses {
		percent := 0
		if u.Allowance > 0 {
			percent = (u.Sent + u.Queued) * 100 / u.Allowance
		}
		setting := "messages." + string(u.Service) + "_allowance"
		switch {
		case percent >= 100:
			add(Warning{Code: WarnAllowanceOver, Target: string(u.Service), N: percent, Remedy: RemedyPolicy, Setting: setting})
		case percent >= warnPercent:
			add(Warning{Code: WarnAllowance, Target: string(u.Service), N: percent, Remedy: RemedyPolicy, Setting: setting})
		}
		// Notices by mail are a convenience; a code that nobody carries locks people out.
		if !u.Provider && (u.Service == ServiceSMS && t.policy.Factors.SMS || u.Service == ServiceMail && t.policy.Factors.Email) {
			add(Warning{Code: WarnNoProvider, Target: string(u.Service), Remedy: RemedyMachine})
		}
	}
	if o.Dead > 0 {
		add(Warning{Code: WarnDead, N: o.Dead, Remedy: RemedyOutbox})
	}
	if o.FactorsOff > 0 {
		add(Warning{Code: WarnFactorsOff, N: o.FactorsOff, Remedy: RemedyPeople, Find: PeopleQuery{Factor: FactorDisabled}})
	}
	if err := t.warnUnprotected(o, add); err != nil {
		return err
	}
	if err := t.warnRequests(o, add); err != nil {
		return err
	}
	switch age := t.now.Sub(o.Backup); {
	case o.Backup.IsZero():
		add(Warning{Code: WarnNoBackup, Remedy: RemedyMachine})
	case age > backupMaxAge:
		add(Warning{Code: WarnOldBackup, N: int(age / (24 * time.Hour)), Remedy: RemedyMachine})
	}
	if t.policy.SignUp.Mode == SignUpOpen && t.policy.SignUp.Quota == 0 {
		add(Warning{Code: WarnOpenNoQuota, Remedy: RemedyPolicy, Setting: "sign_up.quota"})
	}
	missing, err := t.missingContacts()
	if err != nil {
		return err
	}
	for _, kind := range missing {
		add(Warning{Code: WarnContact, Target: string(kind), Remedy: RemedyContacts})
	}
	order := WarningCodes()
	slices.SortStableFunc(o.Warnings, func(a, b Warning) int {
		return slices.Index(order, a.Code) - slices.Index(order, b.Code)
	})
	return nil
}

// warnRequests counts what waits for a decision, and says when nobody is asked for one.
func (t *txn) warnRequests(o *Overview, add func(Warning)) (err error) {
	if o.Requests, err = t.openRequests(); err != nil {
		return err
	}
	waiting, err := t.waitingRequests()
	if err != nil {
		return err
	}
	if waiting > 0 {
		add(Warning{Code: WarnRequests, N: waiting, Remedy: RemedyRequests})
	}
	unknown, err := runs.PageEq(t, "open", string(RunUnknown), "", MaxPage)
	if err != nil {
		return err
	}
	if len(unknown) > 0 {
		add(Warning{Code: WarnUnknownRun, N: len(unknown), Remedy: RemedyScripts})
	}
	if t.policy.Deletion.Process == ProcessOnce {
		add(Warning{Code: WarnAtOnce, Remedy: RemedyPolicy, Setting: "deletion.process"})
	}
	return nil
}

// warnUnprotected looks who has no factor though the policy's time is over. Of
// those who hold a role it asks each; of everybody the counters know.
func (t *txn) warnUnprotected(o *Overview, add func(Warning)) error {
	p := t.policy.Factors
	late, without := 0, 0
	seen := map[string]bool{}
	err := eachRow(func(after string) ([]store.Row[Grant], error) {
		return grants.PageBy(t, "role", AppPostern+"/", after, MaxPage)
	}, func(g Grant) error {
		if !g.active(t.now) || seen[g.Account] {
			return nil
		}
		seen[g.Account] = true
		a, err := accounts.Get(t, g.Account)
		if err != nil || a.State != StateActive {
			return err
		}
		guarded, err := t.protected(a.ID)
		if err != nil || guarded {
			return err
		}
		without++
		by, must, err := t.demanded(a)
		if err == nil && must && !t.now.Before(by) {
			late++
		}
		return err
	})
	if err != nil {
		return err
	}
	switch over := p.EverybodySince.AddDate(0, 0, p.Days); {
	case p.Enforce == EnforceEverybody && !t.now.Before(over):
		n, err := t.unprotected()
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		inTime, all, err := t.inTime()
		if err != nil {
			return err
		}
		if n -= inTime; n > 0 {
			add(Warning{Code: WarnNoFactor, N: n, AtMost: !all, Remedy: RemedyPeople, Find: PeopleQuery{State: StateActive, Factor: FactorMissing}})
		}
	case p.Enforce == EnforceNobody && without > 0 && p.any():
		add(Warning{Code: WarnAdminNoFactor, N: without, Remedy: RemedyPolicy, Setting: "factors.enforce"})
	case late > 0:
		add(Warning{Code: WarnNoFactor, N: late, Remedy: RemedyPeople,
			Find: PeopleQuery{State: StateActive, Factor: FactorMissing, Role: RoleAny}})
	}
	return nil
}

// inTime counts who has no factor and still has time to get one where a factor is
// demanded of everybody and the time of those who were there is over: they came
// later. all is false when not all who came lately were looked at.
func (t *txn) inTime() (n int, all bool, err error) {
	from, err := accountsFrom(t.now.AddDate(0, 0, -t.policy.Factors.Days))
	if err != nil {
		return 0, false, err
	}
	rows, err := accounts.Page(t, from, warnNewcomers)
	if err != nil {
		return 0, false, err
	}
	for _, r := range rows {
		if r.Value.State != StateActive {
			continue
		}
		guarded, err := t.protected(r.ID)
		if err != nil {
			return n, false, err
		}
		if guarded {
			continue
		}
		by, _, err := t.demanded(r.Value)
		if err != nil {
			return n, false, err
		}
		if t.now.Before(by) {
			n++
		}
	}
	return n, len(rows) < warnNewcomers, nil
}

// unprotected counts the active accounts without a factor that the policy lets
// count, from the counters.
func (t *txn) unprotected() (int, error) {
	n, err := t.tally()
	if err != nil {
		return 0, err
	}
	sum, err := t.factorTotals()
	if err != nil {
		return 0, err
	}
	var on uint8
	for i, k := range heldKinds() {
		if t.policy.Factors.on(k) {
			on |= 1 << i
		}
	}
	left := n.States[StateActive]
	for bits, held := range sum.Held {
		if bits&on != 0 {
			left -= held
		}
	}
	return left, nil
}

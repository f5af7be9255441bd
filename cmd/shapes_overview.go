// What --json says of the overview.

package cmd

import (
	"time"

	"postern/core"
)

// barShape is what happened in one hour, day or week from Begin on.
type barShape struct {
	Begin   time.Time `json:"begin"`
	SignIns int       `json:"sign_ins"`
	Refused int       `json:"refused"`
	SignUps int       `json:"sign_ups"`
}

// warningShape is one thing to be mended: where, and which setting of the policy.
type warningShape struct {
	Code    core.WarningCode `json:"code"`
	Target  string           `json:"target,omitempty"`
	Count   int              `json:"count,omitempty"`
	AtMost  bool             `json:"at_most,omitempty"` // the count may be too high
	Remedy  core.Remedy      `json:"remedy"`
	Setting string           `json:"setting,omitempty"`
}

// endingShape is a grant that ends soon.
type endingShape struct {
	Grant string    `json:"grant"`
	App   string    `json:"app"`                // its id, "postern" for the portal
	Name  string    `json:"app_name,omitempty"` // of an app
	User  string    `json:"user"`
	Role  core.Role `json:"role"`
	Until time.Time `json:"until"`
}

// endingKeyShape is a linked key that ends soon.
type endingKeyShape struct {
	Fingerprint string    `json:"fingerprint"`
	Label       string    `json:"label,omitempty"`
	User        string    `json:"user"`
	Until       time.Time `json:"until"`
}

// allowanceShape is how much of a service's month is used.
type allowanceShape struct {
	Service   core.Service `json:"service"`
	Month     string       `json:"month"`
	Allowance int          `json:"allowance"`
	Sent      int          `json:"sent"`
	Queued    int          `json:"queued"`
	Provider  bool         `json:"provider"`
}

// overviewShape is the overview; factors are those that can be used.
type overviewShape struct {
	Now          time.Time               `json:"now"`
	Span         core.OverviewSpan       `json:"span"`
	Bars         []barShape              `json:"bars"`
	CountedSince time.Time               `json:"counted_since,omitzero"`
	Accounts     int                     `json:"accounts"`
	States       map[core.State]int      `json:"states"`
	Factors      map[core.FactorKind]int `json:"factors"`
	FactorsOff   int                     `json:"factors_off"`
	Ending       []endingShape           `json:"ending"`
	EndingKeys   []endingKeyShape        `json:"ending_keys"`
	Dead         int                     `json:"messages_given_up"`
	Requests     int                     `json:"requests_open"`
	Allowances   []allowanceShape        `json:"allowances"`
	Backup       time.Time               `json:"backup,omitzero"`
	Warnings     []warningShape          `json:"warnings"`
}

func shapeOverview(o core.Overview) overviewShape {
	out := overviewShape{
		Now: o.Now, Span: o.Span, Bars: make([]barShape, len(o.Bars)), CountedSince: o.Since, Accounts: o.Accounts,
		States: map[core.State]int{}, Factors: map[core.FactorKind]int{}, FactorsOff: o.FactorsOff, Ending: []endingShape{}, EndingKeys: []endingKeyShape{},
		Dead: o.Dead, Requests: o.Requests, Allowances: []allowanceShape{}, Backup: o.Backup, Warnings: []warningShape{},
	}
	for i, b := range o.Bars {
		out.Bars[i] = barShape{Begin: b.Begin, SignIns: b.SignIns, Refused: b.Refused, SignUps: b.SignUps}
	}
	for s, n := range o.States {
		out.States[s] = n
	}
	for _, f := range o.Factors {
		out.Factors[f.Kind] = f.N
	}
	for _, g := range o.Ending {
		if k := g.Key; k.Fingerprint != "" {
			out.EndingKeys = append(out.EndingKeys, endingKeyShape{Fingerprint: k.Fingerprint, Label: k.Label, User: g.UserName, Until: k.Until})
			continue
		}
		out.Ending = append(out.Ending, endingShape{Grant: g.ID, App: g.App, Name: g.AppName, User: g.UserName, Role: g.Role, Until: g.Until})
	}
	for _, u := range o.Uses {
		out.Allowances = append(out.Allowances, allowanceShape{
			Service: u.Service, Month: u.Month, Allowance: u.Allowance, Sent: u.Sent, Queued: u.Queued, Provider: u.Provider})
	}
	for _, w := range o.Warnings {
		out.Warnings = append(out.Warnings, warningShape{Code: w.Code, Target: w.Target, Count: w.N, AtMost: w.AtMost, Remedy: w.Remedy, Setting: w.Setting})
	}
	return out
}

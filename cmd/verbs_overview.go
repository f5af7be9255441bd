// The overview as a verb: what happens, in numbers, and what needs somebody.

package cmd

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postern/core"
	"postern/core/text"
	"postern/screens"
)

func (v verbSet) overview() *cobra.Command {
	var span string
	cmd := v.verb("overview", "overview", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if !slices.Contains(core.OverviewSpans(), core.OverviewSpan(span)) {
			return usage("--span " + span + " (hour, day, week)")
		}
		o, err := c.Portal.Overview.Show(ctx, c.Actor, core.OverviewSpan(span))
		if err != nil {
			return err
		}
		return c.answer(shapeOverview(o), func(p *page) { c.sayOverview(p, o) })
	})
	cmd.Flags().StringVar(&span, "span", string(core.OverviewDay), v.flag("overview_span"))
	return cmd
}

// sayOverview says what needs somebody first, then the numbers.
func (c *Call) sayOverview(p *page, o core.Overview) {
	d := c.Dict
	for _, w := range o.Warnings {
		wrong, _ := screens.WarningWords(d, w)
		p.line("! " + wrong)
	}
	if n := o.States[core.StatePending]; n > 0 {
		p.line("  " + d.T("overview.pending", "Count", n))
	}
	for _, g := range o.Ending {
		key := "overview.ending"
		switch {
		case g.Key.Fingerprint != "":
			key = "overview.ending_key"
		case g.App != core.AppPostern:
			key = "overview.ending_app"
		}
		p.line("  " + d.T(key, "Name", or(g.UserName), "Role", c.word("role.", string(g.Role)), "App", or(g.AppName), "Key", or(g.Key.Name()), "When", d.Relative(g.Ends(), o.Now)))
	}
	if len(o.Warnings)+len(o.Ending)+o.States[core.StatePending] == 0 {
		p.line(d.T("overview.none"))
	}
	p.line("")
	number := func(n int) string { return d.Number(int64(n)) }
	var states, factors []string
	for _, s := range []core.State{core.StateActive, core.StatePending, core.StateSuspended, core.StateRejected} {
		if n := o.States[s]; n > 0 {
			states = append(states, d.T("overview.state."+string(s), "Count", n))
		}
	}
	for _, f := range o.Factors {
		if f.N > 0 {
			factors = append(factors, d.T("overview.factor."+string(f.Kind), "Count", f.N))
		}
	}
	if o.FactorsOff > 0 {
		factors = append(factors, d.T("overview.factors_off", "Count", o.FactorsOff))
	}
	p.facts(d.T("overview.accounts"), number(o.Accounts)+": "+strings.Join(states, ", "),
		d.T("overview.factors"), strings.Join(factors, ", "), d.T("overview.backup"), c.when(o.Backup))
	p.line("")
	rows := make([][]string, len(o.Bars))
	for i, b := range o.Bars {
		rows[i] = []string{b.Begin.UTC().Format(time.RFC3339), number(b.SignIns), number(b.Refused), number(b.SignUps)}
	}
	p.table([]string{text.Escape(d.T("overview.begin")), d.T("overview.sign_ins"), d.T("overview.refused"), d.T("overview.sign_ups")}, rows)
}

// Verbs about changes of the policy: what one would do before it is made, the
// versions there were, the difference between two, and one put back.

package cmd

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"postern/core"
	"postern/screens"
)

// changing is how a change of the policy is made.
type changing struct {
	reason  string
	version int
	yes     bool
	dry     bool
	confirm string
}

// changes gives a verb the flags of a change.
func (v verbSet) changes(cmd *cobra.Command, ch *changing) *cobra.Command {
	cmd.Flags().StringVar(&ch.reason, "reason", "", v.flag("reason"))
	cmd.Flags().IntVar(&ch.version, "if-version", 0, v.flag("if_version"))
	cmd.Flags().BoolVar(&ch.yes, "yes", false, v.flag("policy_yes"))
	cmd.Flags().StringVar(&ch.confirm, "confirm", "", v.flag("policy_confirm"))
	cmd.Flags().BoolVar(&ch.dry, "dry-run", false, v.flag("policy_dry_run"))
	return cmd
}

// change puts settings in force, or says what that would do.
func (c *Call) change(ctx context.Context, values map[string]string, ch changing) error {
	if ch.dry {
		return c.impact(ctx, values)
	}
	pol, err := c.Portal.Policy.Set(ctx, c.Actor, core.PolicyChange{Values: values, Version: ch.version, Reason: ch.reason, Accept: ch.yes, Confirm: ch.confirm})
	switch core.CodeOf(err) {
	case "":
	case core.CodeUnchanged:
		return c.unchanged(ctx)
	case core.CodeLosesFactor:
		return c.losing(ctx, values, err)
	case core.CodeLocksOut:
		return c.lockingOut(ctx, values, err)
	default:
		return err
	}
	return c.answer(shapePolicy(pol), func(p *page) {
		if len(values) > 0 {
			p.table(nil, policyRows(pol, slices.Sorted(maps.Keys(values))))
		}
		p.line(c.Dict.T("cmd.policy_version", "Version", pol.Version, "When", c.when(pol.Changed)))
	})
}

// unchanged says of a change that everything is so already, which a script that sets
// what it wants takes for success.
func (c *Call) unchanged(ctx context.Context) error {
	pol, err := c.Portal.Policy.Current(ctx, c.Actor)
	if err != nil {
		return err
	}
	shape := shapePolicy(pol)
	shape.Unchanged = true
	return c.answer(shape, func(p *page) {
		p.line(c.Dict.T("error.unchanged"))
		p.line(c.Dict.T("cmd.policy_version", "Version", pol.Version, "When", c.when(pol.Changed)))
	})
}

// impact says whom a change would touch.
func (c *Call) impact(ctx context.Context, values map[string]string) error {
	impact, err := c.Portal.Policy.Impact(ctx, c.Actor, values, nil)
	if err != nil {
		return err
	}
	return c.answer(impact, func(p *page) {
		c.diff(p, impact.Changes)
		p.line("")
		for _, said := range screens.ImpactText(c.Dict, impact) {
			p.line(said)
		}
	})
}

// lockingOut names those who could not sign in any more after a refused change,
// and says how it is made all the same.
func (c *Call) lockingOut(ctx context.Context, values map[string]string, refused error) error {
	impact, err := c.Portal.Policy.Impact(ctx, c.Actor, values, nil)
	if err != nil {
		return err
	}
	f := fail(string(core.CodeLocksOut), "Count", impact.LockedOut.Count, "Names", c.names(impact.LockedOut)).because(refused)
	f.names = impact.LockedOut.Names
	return f
}

// names lists those affected, and how many there are besides.
func (c *Call) names(a core.Affected) string {
	said := ""
	for i, n := range a.Names {
		if i > 0 {
			said += ", "
		}
		said += or(n)
	}
	if more := a.Count - len(a.Names); more > 0 {
		said = c.Dict.T("cmd.and_more", "Names", said, "Count", more)
	}
	return said
}

// diff draws settings that differ.
func (c *Call) diff(p *page, list []core.SettingChange) {
	rows := make([][]string, len(list))
	for i, ch := range list {
		rows[i] = []string{ch.Path, or(ch.Old), "->", or(ch.New)}
	}
	if len(rows) == 0 {
		p.line(c.Dict.T("cmd.policy_same"))
		return
	}
	p.table(nil, rows)
}

// versionsShape is a page of versions, newest first; Next is for --after.
type versionsShape struct {
	Versions []core.PolicyVersion `json:"versions"`
	Next     string               `json:"next,omitempty"`
}

func (v verbSet) policyLog() *cobra.Command {
	var pg paging
	cmd := v.verb("log", "policy_log", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if err := pg.check(); err != nil {
			return err
		}
		after := 0
		if pg.after != "" {
			var err error
			if after, err = versionNumber(pg.after); err != nil {
				return err
			}
		}
		list, err := c.Portal.Policy.Versions(ctx, c.Actor, after, pg.limit)
		if err != nil {
			return err
		}
		shape := versionsShape{Versions: list}
		if shape.Versions == nil {
			shape.Versions = []core.PolicyVersion{}
		}
		rows := make([][]string, len(list))
		for i, ver := range list {
			who := ver.Name
			if who == "" {
				who = ver.By
			}
			rows[i] = []string{plainNumber(ver.Version), c.when(ver.Changed), or(who), plainNumber(len(ver.Changes)), or(ver.Reason)}
		}
		if len(list) == pg.limit {
			shape.Next = strconv.Itoa(list[len(list)-1].Version)
		}
		return c.answer(shape, func(p *page) {
			p.table(c.titles("version", "at", "who", "settings", "reason"), rows)
			c.more(p, shape.Next)
		})
	})
	return v.paged(cmd, &pg)
}

// versionNumber reads the number of a version.
func versionNumber(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, usage(s)
	}
	return n, nil
}

// diffShape is the difference between two versions.
type diffShape struct {
	From    int                  `json:"from"`
	To      int                  `json:"to"`
	Changes []core.SettingChange `json:"changes"`
}

func (v verbSet) policyDiff() *cobra.Command {
	return v.verb("diff FROM TO", "policy_diff", 2, 2, func(ctx context.Context, c *Call, args []string) error {
		from, err := versionNumber(args[0])
		if err != nil {
			return err
		}
		to, err := versionNumber(args[1])
		if err != nil {
			return err
		}
		list, err := c.Portal.Policy.Diff(ctx, c.Actor, from, to)
		if err != nil {
			return err
		}
		if list == nil {
			list = []core.SettingChange{}
		}
		return c.answer(diffShape{from, to, list}, func(p *page) { c.diff(p, list) })
	})
}

func (v verbSet) policyRevert() *cobra.Command {
	var ch changing
	cmd := v.verb("revert VERSION", "policy_revert", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		n, err := versionNumber(args[0])
		if err != nil {
			return err
		}
		values, err := c.Portal.Policy.RevertValues(ctx, c.Actor, n)
		if err != nil {
			return err
		}
		return c.change(ctx, values, ch)
	})
	return v.changes(cmd, &ch)
}

func (v verbSet) policyPreset() *cobra.Command {
	var ch changing
	cmd := v.verb("preset NAME", "policy_preset", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		values, err := c.Portal.Policy.PresetValues(ctx, c.Actor, args[0])
		if err != nil {
			return err
		}
		return c.change(ctx, values, ch)
	})
	return v.changes(cmd, &ch)
}

// Verbs about the policy and about invitations.

package cmd

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"postern/core"
)

func (v verbSet) policy() *cobra.Command {
	return v.group("policy", "policy", v.policyShow(), v.policySet(), v.policyLog(), v.policyDiff(), v.policyRevert(), v.policyPreset())
}

func shapePolicy(pol core.Policy) policyShape {
	shape := policyShape{Version: pol.Version, Changed: pol.Changed, By: pol.By, Reason: pol.Reason, Settings: map[string]string{}}
	for _, s := range core.Settings() {
		shape.Settings[s.Path] = s.Get(pol)
	}
	return shape
}

// policyRows are the settings in the order of the screens; only empty: all.
func policyRows(pol core.Policy, only []string) [][]string {
	var rows [][]string
	for _, s := range core.Settings() {
		if len(only) == 0 || slices.Contains(only, s.Path) {
			rows = append(rows, []string{s.Path, or(s.Get(pol))})
		}
	}
	return rows
}

func (v verbSet) policyShow() *cobra.Command {
	return v.verb("show [SETTING]...", "policy_show", 0, -1, func(ctx context.Context, c *Call, args []string) error {
		pol, err := c.Portal.Policy.Current(ctx, c.Actor)
		if err != nil {
			return err
		}
		shape := shapePolicy(pol)
		for _, path := range args {
			if _, ok := shape.Settings[path]; !ok {
				return &core.Error{Code: core.CodeNotFound, Field: path}
			}
		}
		for path := range shape.Settings {
			if len(args) > 0 && !slices.Contains(args, path) {
				delete(shape.Settings, path)
			}
		}
		return c.answer(shape, func(p *page) {
			p.table(nil, policyRows(pol, args))
			if len(args) == 0 {
				p.line("")
				p.line(c.Dict.T("cmd.policy_version", "Version", pol.Version, "When", c.when(pol.Changed)))
			}
		})
	})
}

func (v verbSet) policySet() *cobra.Command {
	var ch changing
	cmd := v.verb("set SETTING=VALUE...", "policy_set", 1, -1, func(ctx context.Context, c *Call, args []string) error {
		values, err := assignments(args)
		if err != nil {
			return err
		}
		return c.change(ctx, values, ch)
	})
	return v.changes(cmd, &ch)
}

// losing names those whom a refused change would leave without a second factor,
// and says how it is made all the same.
func (c *Call) losing(ctx context.Context, values map[string]string, refused error) error {
	lost, err := c.Portal.Policy.Losing(ctx, c.Actor, values)
	if err != nil {
		return err
	}
	names := make([]string, len(lost.Names))
	for i, n := range lost.Names {
		names[i] = or(n)
	}
	said := strings.Join(names, ", ")
	if more := lost.Count - len(names); more > 0 {
		said = c.Dict.T("cmd.and_more", "Names", said, "Count", more)
	}
	f := fail(string(core.CodeLosesFactor), "Count", lost.Count, "Names", said).because(refused)
	f.names = lost.Names
	return f
}

// assignments reads NAME=VALUE…, each name once.
func assignments(args []string) (map[string]string, error) {
	values := map[string]string{}
	for _, a := range args {
		name, value, found := strings.Cut(a, "=")
		if _, twice := values[name]; !found || name == "" || twice {
			return nil, usage(a)
		}
		values[name] = value
	}
	return values, nil
}

func (v verbSet) invites() *cobra.Command {
	return v.group("invite", "invite", v.inviteCreate(), v.inviteList(), v.inviteRevoke())
}

func (v verbSet) inviteCreate() *cobra.Command {
	var uses, days int
	var note, role, until string
	cmd := v.verb("create", "invite_create", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		end, err := core.ParseEnd(until, c.Dict.Zone())
		if err != nil {
			return err
		}
		inv, code, err := c.Portal.Invites.CreateWith(ctx, c.Actor, core.InviteInput{
			Uses: uses, Days: days, Note: note, Role: core.Role(role), RoleUntil: end})
		if err != nil {
			return err
		}
		return c.answer(shapeInvite(inv, code), func(p *page) {
			p.line(code)
			p.line(c.Dict.T("done.invite_create", "Count", inv.Uses, "Until", c.when(inv.Until)))
		})
	})
	cmd.Flags().IntVar(&uses, "uses", 1, v.flag("uses"))
	cmd.Flags().IntVar(&days, "days", 7, v.flag("days"))
	cmd.Flags().StringVar(&note, "note", "", v.flag("note"))
	cmd.Flags().StringVar(&role, "role", "", v.flag("invite_role"))
	cmd.Flags().StringVar(&until, "role-until", "", v.flag("role_until"))
	return cmd
}

func (v verbSet) inviteList() *cobra.Command {
	var pg paging
	cmd := v.verb("list", "invite_list", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if err := pg.check(); err != nil {
			return err
		}
		list, err := c.Portal.Invites.List(ctx, c.Actor, pg.after, pg.limit)
		if err != nil {
			return err
		}
		shape := invitesShape{Invites: make([]inviteShape, len(list))}
		rows := make([][]string, len(list))
		for i, inv := range list {
			shape.Invites[i] = shapeInvite(inv, "")
			role := "-"
			if inv.Role != "" {
				role = c.Dict.T("role." + string(inv.Role))
			}
			rows[i] = []string{inv.ID, c.Dict.Number(int64(inv.Uses)), c.when(inv.Until), role, or(inv.Note)}
		}
		if len(list) == pg.limit {
			shape.Next = list[len(list)-1].ID
		}
		return c.answer(shape, func(p *page) {
			if len(rows) == 0 {
				p.line(c.Dict.T("cmd.no_invites"))
			} else {
				p.table(c.titles("ident", "uses", "until", "role", "note"), rows)
			}
			c.more(p, shape.Next)
		})
	})
	return v.paged(cmd, &pg)
}

func (v verbSet) inviteRevoke() *cobra.Command {
	return v.verb("revoke ID", "invite_revoke", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		if err := c.Portal.Invites.Revoke(ctx, c.Actor, args[0]); err != nil {
			return err
		}
		return c.answer(doneShape{Done: "invite revoke"}, func(p *page) { p.line(c.Dict.T("done.invite_revoke")) })
	})
}

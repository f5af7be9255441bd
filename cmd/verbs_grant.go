// Verbs about roles: who looks after the portal, as what and until when.

package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"postern/core"
	"postern/core/text"
)

func (v verbSet) grants() *cobra.Command {
	return v.group("grant", "grant", v.grantList(), v.grantGive(), v.grantSetEnd(), v.grantEnd())
}

func (v verbSet) grantList() *cobra.Command {
	var q core.GrantQuery
	var role string
	var pg paging
	cmd := v.verb("list", "grant_list", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if err := pg.check(); err != nil {
			return err
		}
		q := q
		q.Role, q.After, q.N = core.Role(role), pg.after, pg.limit
		held, err := c.Portal.Access.List(ctx, c.Actor, q)
		if err != nil {
			return err
		}
		return c.answer(grantsShape{shapeGrants(held.Grants), held.Next}, func(p *page) {
			rows := make([][]string, len(held.Grants))
			for i, g := range held.Grants {
				rows[i] = []string{g.ID, or(g.UserName), c.Dict.T("role." + string(g.Role)), c.end(g.Until), c.giver(g), c.when(g.Created)}
			}
			if len(rows) == 0 {
				p.line(c.Dict.T("roles.empty"))
			} else {
				p.table(c.titles("ident", "user", "role", "until", "given_by", "created"), rows)
			}
			c.more(p, held.Next)
		})
	})
	cmd.Flags().StringVar(&q.User, "user", "", v.flag("grant_user"))
	cmd.Flags().StringVar(&role, "role", "", v.flag("grant_role"))
	cmd.Flags().IntVar(&q.Days, "ending", 0, v.flag("grant_ending"))
	return v.paged(cmd, &pg)
}

// end says until when a role is held.
func (c *Call) end(until time.Time) string {
	if until.IsZero() {
		return c.Dict.T("roles.for_good")
	}
	return c.when(until)
}

// giver says who gave a role.
func (c *Call) giver(g core.HeldGrant) string {
	switch g.ByName {
	case "":
		return c.Dict.T("roles.by_portal")
	case core.ActorConsole:
		return c.Dict.T("roles.by_console")
	}
	return text.Escape(g.ByName)
}

func (v verbSet) grantGive() *cobra.Command {
	var until string
	cmd := v.verb("give USER ROLE", "grant_give", 2, 2, func(ctx context.Context, c *Call, args []string) error {
		end, err := core.ParseEnd(until, c.Dict.Zone())
		if err != nil {
			return err
		}
		g, err := c.Portal.Access.Grant(ctx, c.Actor, args[0], core.Role(args[1]), end)
		if err != nil {
			return err
		}
		return c.answer(shapeGrant(core.HeldGrant{Grant: g, UserName: args[0]}), func(p *page) {
			p.line(c.Dict.T("done.grant_give", "User", text.Escape(args[0]), "Role", c.Dict.T("role."+string(g.Role)), "Until", c.end(g.Until)))
		})
	})
	cmd.Flags().StringVar(&until, "until", "", v.flag("grant_until"))
	return cmd
}

func (v verbSet) grantSetEnd() *cobra.Command {
	return v.verb("set-end ID WHEN", "grant_set_end", 2, 2, func(ctx context.Context, c *Call, args []string) error {
		end, err := core.ParseEnd(args[1], c.Dict.Zone())
		if err != nil {
			return err
		}
		g, err := c.Portal.Access.SetEnd(ctx, c.Actor, args[0], end)
		if err != nil {
			return err
		}
		return c.answer(shapeGrant(core.HeldGrant{Grant: g}), func(p *page) {
			p.line(c.Dict.T("done.grant_set_end", "Until", c.end(g.Until)))
		})
	})
}

func (v verbSet) grantEnd() *cobra.Command {
	var why string
	cmd := v.verb("end ID", "grant_end", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		if err := c.Portal.Access.End(ctx, c.Actor, args[0], why); err != nil {
			return err
		}
		return c.answer(doneShape{Done: "grant end", ID: args[0]}, func(p *page) { p.line(c.Dict.T("done.grant_end")) })
	})
	cmd.Flags().StringVar(&why, "reason", "", v.flag("reason"))
	return cmd
}

// grantShape is a role that somebody holds on the portal.
type grantShape struct {
	ID      string    `json:"id"`
	App     string    `json:"app"`
	Account string    `json:"account"`
	User    string    `json:"user,omitempty"`
	Role    core.Role `json:"role"`
	By      string    `json:"by,omitempty"` // the account's id, or "console"
	Created time.Time `json:"created"`
	Until   time.Time `json:"until,omitzero"` // without it: for good
}

func shapeGrant(g core.HeldGrant) grantShape {
	return grantShape{ID: g.ID, App: g.App, Account: g.Account, User: g.UserName, Role: g.Role, By: g.By, Created: g.Created, Until: g.Until}
}

func shapeGrants(list []core.HeldGrant) []grantShape {
	out := make([]grantShape, len(list))
	for i, g := range list {
		out[i] = shapeGrant(g)
	}
	return out
}

// grantsShape is a page of roles; Next is for --after.
type grantsShape struct {
	Grants []grantShape `json:"grants"`
	Next   string       `json:"next,omitempty"`
}

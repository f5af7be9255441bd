// Verbs about whoever asks: who it is, its sessions, its trail.

package cmd

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"postern/core"
	"postern/core/text"
)

func (v verbSet) version() *cobra.Command {
	return v.verb("version", "version", 0, 0, func(_ context.Context, c *Call, _ []string) error {
		return c.answer(thisBuild(), func(p *page) { p.line("postern " + versionLine()) })
	})
}

func (v verbSet) whoami() *cobra.Command {
	return v.verb("whoami", "whoami", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if c.Actor.Console {
			shape := whoShape{Console: true, Operator: c.Actor.Client, AuditHead: c.auditHead(ctx, nil)}
			return c.answer(shape, func(p *page) {
				p.line(c.Dict.T("cmd.whoami_console", "User", text.Escape(c.Actor.Client)))
				if shape.AuditHead != "" {
					p.line(c.Dict.T("column.audit_head") + ": " + shape.AuditHead)
				}
			})
		}
		me, err := c.Portal.Accounts.Profile(ctx, c.Actor)
		if err != nil {
			return err
		}
		guard, err := c.Portal.Factors.Mine(ctx, c.Actor)
		if err != nil {
			return err
		}
		account, protection := shapeAccount(me.Account), shapeProtection(guard)
		shape := whoShape{Account: &account, Roles: me.Roles, Key: c.Actor.Key, SecondFactor: &protection, AuditHead: c.auditHead(ctx, me.Roles)}
		return c.answer(shape, func(p *page) {
			t := c.titles("user", "display_name", "email", "roles", "key", "second_factor", "ident")
			p.facts(t[0], or(me.UserName), t[1], or(me.DisplayName), t[2], c.email(me.Account), t[3], c.roles(me.Roles),
				t[4], or(c.Actor.Key), t[5], c.protection(guard), t[6], me.ID, c.Dict.T("column.audit_head"), shape.AuditHead)
		})
	})
}

// auditHead is where the chain over the trail ends; "" for those who may not read
// it, who are not refused anything, and while there is none or no data.
func (c *Call) auditHead(ctx context.Context, roles []core.Role) string {
	if c.Portal == nil || !c.Actor.Console && !slices.ContainsFunc(roles, func(r core.Role) bool { return core.RoleMay(r, core.OpReadAudit) }) {
		return ""
	}
	h, err := c.Portal.Audit.Head(ctx, c.Actor)
	if err != nil {
		return ""
	}
	return h.String()
}

func (v verbSet) sessions() *cobra.Command {
	return v.group("session", "session", v.sessionList(), v.sessionEnd())
}

// whose refuses with the usage when the console does not say whom it means: it
// has no account of its own.
func (c *Call) whose(user string) error {
	if user == "" && c.Actor.Console {
		f := fail("whose")
		f.exit, f.code = exitUsage, "usage"
		return f
	}
	return nil
}

// sessionsOf lists the live sessions of somebody, or of whoever asks.
func (c *Call) sessionsOf(ctx context.Context, user string) ([]core.Session, error) {
	if user == "" {
		return c.Portal.Sessions.Mine(ctx, c.Actor)
	}
	return c.Portal.Sessions.List(ctx, c.Actor, user)
}

func (v verbSet) sessionList() *cobra.Command {
	return v.verb("list [USER]", "session_list", 0, 1, func(ctx context.Context, c *Call, args []string) error {
		user := ""
		if len(args) > 0 {
			user = args[0]
		}
		if err := c.whose(user); err != nil {
			return err
		}
		list, err := c.sessionsOf(ctx, user)
		if err != nil {
			return err
		}
		return c.answer(shapeSessions(list), func(p *page) {
			if len(list) == 0 {
				p.line(c.Dict.T("cmd.no_sessions"))
				return
			}
			rows := make([][]string, len(list))
			for i, s := range list {
				rows[i] = []string{s.ID, c.Dict.T("door." + string(s.Door)), or(s.Remote), or(s.Client), c.when(s.LastSeen), c.when(s.Ends)}
			}
			p.table(c.titles("ident", "door", "remote", "client", "last_seen", "ends"), rows)
		})
	})
}

func (v verbSet) sessionEnd() *cobra.Command {
	var all bool
	var user string
	cmd := v.verb("end [ID]...", "session_end", 0, -1, func(ctx context.Context, c *Call, args []string) error {
		if all == (len(args) > 0) || user != "" && !all {
			f := fail("end_which")
			f.exit, f.code = exitUsage, "usage"
			return f
		}
		if all {
			if err := c.whose(user); err != nil {
				return err
			}
			list, err := c.sessionsOf(ctx, user)
			if err != nil {
				return err
			}
			for _, s := range list {
				args = append(args, s.ID)
			}
		}
		n := 0
		for _, id := range args {
			err := c.Portal.Sessions.End(ctx, c.Actor, id)
			if all && core.CodeOf(err) == core.CodeNotFound {
				continue // it ended by itself meanwhile
			} else if err != nil {
				return err
			}
			n++
		}
		return c.answer(endedShape{Ended: n}, func(p *page) { p.line(c.Dict.T("done.session_end", "Count", n)) })
	})
	cmd.Flags().BoolVar(&all, "all", false, v.flag("end_all"))
	cmd.Flags().StringVar(&user, "user", "", v.flag("end_user"))
	return cmd
}

func (c *Call) entryRows(entries []core.Entry) [][]string {
	rows := make([][]string, len(entries))
	for i, e := range entries {
		who := e.Name
		switch {
		case e.ByDeleted():
			who = c.Dict.T("activity.deleted_account", "Id", e.Actor) // in full: --actor takes it
		case who == "":
			who = e.Actor
		}
		outcome := c.Dict.T("outcome." + string(e.Outcome))
		if e.Code != "" {
			outcome += " (" + string(e.Code) + ")"
		}
		door := "-"
		if e.Door != "" {
			door = c.Dict.T("door." + string(e.Door))
		}
		rows[i] = []string{c.when(e.At), or(who), c.Dict.T("action." + string(e.Action)), or(e.Target), door, or(e.Remote), outcome}
	}
	return rows
}

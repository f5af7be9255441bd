// Verbs about accounts.

package cmd

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"postern/core"
	"postern/core/text"
)

func (v verbSet) users() *cobra.Command {
	return v.group("user", "user",
		v.userList(), v.userShow(),
		v.userDeed("suspend", core.BulkSuspend, func(ctx context.Context, c *Call, user string, act core.BulkAct) error {
			return c.Portal.Accounts.Suspend(ctx, c.Actor, user, act.Reason)
		}),
		v.userDeed("resume", core.BulkResume, func(ctx context.Context, c *Call, user string, _ core.BulkAct) error {
			return c.Portal.Accounts.Resume(ctx, c.Actor, user)
		}),
		v.userDeed("unlock", core.BulkUnlock, func(ctx context.Context, c *Call, user string, _ core.BulkAct) error {
			return c.Portal.Accounts.Unlock(ctx, c.Actor, user)
		}),
		v.userDeed("approve", core.BulkApprove, func(ctx context.Context, c *Call, user string, _ core.BulkAct) error {
			return c.Portal.Accounts.Approve(ctx, c.Actor, user)
		}),
		v.userDeed("reject", core.BulkReject, func(ctx context.Context, c *Call, user string, act core.BulkAct) error {
			return c.Portal.Accounts.Reject(ctx, c.Actor, user, act.Reason)
		}),
		v.userDeed("expire", core.BulkExpire, func(ctx context.Context, c *Call, user string, _ core.BulkAct) error {
			return c.Portal.Accounts.ExpirePassword(ctx, c.Actor, user)
		}),
		v.userDeed("delete", core.BulkDelete, func(ctx context.Context, c *Call, user string, act core.BulkAct) error {
			_, err := c.Portal.Requests.MakeFor(ctx, c.Actor, user, act.Reason, act.Confirm)
			return err
		}),
		v.userEndSessions(),
		v.userSet(), v.userCode(), v.userResetFactors())
}

// userSet fills in custom fields.
func (v verbSet) userSet() *cobra.Command {
	return v.verb("set USER FIELD=VALUE...", "user_set", 2, -1, func(ctx context.Context, c *Call, args []string) error {
		values, err := assignments(args[1:])
		if err != nil {
			return err
		}
		if err := c.Portal.Accounts.SetFields(ctx, c.Actor, args[0], values); err != nil {
			return err
		}
		return c.answer(doneShape{Done: "user set", User: args[0]}, func(p *page) {
			p.line(c.Dict.T("did.set", "User", text.Escape(args[0])))
		})
	})
}

// userDeed is a verb that does one thing to accounts and says so.
func (v verbSet) userDeed(name string, kind core.BulkKind, do oneDeed) *cobra.Command {
	return v.userBulk(name, kind, func(ctx context.Context, c *Call, user string, act core.BulkAct) error {
		if err := do(ctx, c, user, act); err != nil {
			return err
		}
		return c.answer(doneShape{Done: "user " + name, User: user}, func(p *page) {
			p.line(c.Dict.T("did."+name, "User", text.Escape(user)))
		})
	})
}

// paging are the flags of a verb that lists.
type paging struct {
	after string
	limit int
}

func (v verbSet) paged(cmd *cobra.Command, pg *paging) *cobra.Command {
	cmd.Flags().StringVar(&pg.after, "after", "", v.flag("after"))
	cmd.Flags().IntVar(&pg.limit, "limit", 100, v.flag("limit"))
	return cmd
}

// check refuses a page that could not be shown.
func (pg paging) check() error {
	if pg.limit < 1 || pg.limit > core.MaxPage {
		f := fail("limit", "Max", core.MaxPage)
		f.exit, f.code = exitUsage, "usage"
		return f
	}
	return nil
}

// more says how a list goes on.
func (c *Call) more(p *page, next string) {
	if next != "" {
		p.line(c.Dict.T("cmd.more", "After", next))
	}
}

// titles are the titles of columns, and the names of facts.
func (c *Call) titles(keys ...string) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = c.Dict.T("column." + k)
	}
	return out
}

func (v verbSet) userShow() *cobra.Command {
	return v.verb("show USER", "user_show", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		d, err := c.Portal.Accounts.Show(ctx, c.Actor, args[0])
		if err != nil {
			return err
		}
		shape := userShape{
			accountShape: shapeAccount(d.Account), Roles: append([]core.Role{}, d.Roles...), PasswordChanged: d.PasswordChanged,
			PasswordDue: d.PasswordDue, Failures: d.Failures, Locked: d.Locked, Sessions: d.Sessions, Keys: shapeKeys(d.Keys),
			Factors: shapeFactors(d.Factors), RecoveryCodes: d.Recovery.Left,
			Grants: shapeGrants(d.Grants), Shares: shapeShares(d.Shares), Rules: shapeRules(d.Rules),
		}
		return c.answer(shape, func(p *page) {
			t := c.titles("user", "display_name", "email", "state", "reason", "roles", "created", "last_sign_in",
				"password_changed", "password_due", "failures", "sessions", "keys", "factors", "recovery_codes", "ident")
			failures := c.Dict.Number(int64(d.Failures))
			if d.Locked {
				failures += " · " + c.Dict.T("cmd.locked")
			}
			facts := []string{t[0], or(d.UserName), t[1], or(d.DisplayName), t[2], c.email(d.Account), t[3], c.Dict.T("state." + string(d.State)),
				t[4], or(d.Why), t[5], c.roles(d.Roles), t[6], c.when(d.Created), t[7], c.when(d.LastSignIn),
				t[8], c.when(d.PasswordChanged), t[9], c.when(d.PasswordDue), t[10], failures,
				t[11], c.Dict.Number(int64(d.Sessions)), t[12], c.Dict.Number(int64(len(d.Keys))),
				t[13], c.factorList(d.Factors), t[14], c.recovery(d.Recovery), t[15], d.ID}
			for _, key := range slices.Sorted(maps.Keys(d.Fields)) {
				facts = append(facts, key, or(d.Fields[key]))
			}
			p.facts(facts...)
			c.access(p, d)
		})
	})
}

// access says what somebody may and must: roles on the portal and on apps, and the
// rules in which apps are stricter than the portal.
func (c *Call) access(p *page, d core.AccountDetail) {
	part := func(titles []string, rows [][]string) {
		if len(rows) > 0 {
			p.line("")
			p.table(titles, rows)
		}
	}
	var grants, shares, rules [][]string
	for _, g := range d.Grants {
		grants = append(grants, []string{g.ID, c.Dict.T("role." + string(g.Role)), c.end(g.Until), c.giver(g)})
	}
	for _, s := range d.Shares {
		shares = append(shares, []string{s.ID, or(s.AppName), or(string(s.Role)), c.word("apps.stands.", string(s.State)), c.end(s.Until)})
	}
	for _, r := range shapeRules(d.Rules) {
		rules = append(rules, []string{r.Setting, or(r.Value), or(r.Portal), or(r.App)})
	}
	part(c.titles("ident", "role", "until", "given_by"), grants)
	part(c.titles("ident", "app", "role", "state", "until"), shares)
	part(c.titles("rule", "value", "portal", "app"), rules)
}

// roles says roles in words.
func (c *Call) roles(list []core.Role) string {
	words := make([]string, len(list))
	for i, r := range list {
		words[i] = c.Dict.T("role." + string(r))
	}
	return strings.Join(words, ", ")
}

func (v verbSet) userCode() *cobra.Command {
	return v.verb("code USER", "user_code", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		code, until, err := c.Portal.Accounts.IssueCode(ctx, c.Actor, args[0])
		if err != nil {
			return err
		}
		return c.answer(codeShape{User: args[0], Code: code, Until: until}, func(p *page) {
			p.line(code)
			p.line(c.Dict.T("done.user_code", "User", text.Escape(args[0]), "Until", c.when(until)))
		})
	})
}

// userResetFactors is for somebody who has lost whatever proves who they are.
func (v verbSet) userResetFactors() *cobra.Command {
	return v.userBulk("reset-factors", core.BulkResetFactors, func(ctx context.Context, c *Call, user string, _ core.BulkAct) error {
		n, err := c.Portal.Accounts.ResetFactors(ctx, c.Actor, user)
		if err != nil {
			return err
		}
		return c.answer(resetShape{doneShape{Done: "user reset-factors", User: user}, n}, func(p *page) {
			p.line(c.Dict.T("done.reset_factors", "User", text.Escape(user), "Count", n))
		})
	})
}

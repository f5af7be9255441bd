// Verbs about apps: making them, their rules, and with whom they are shared.

package cmd

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postern/core"
	"postern/core/text"
)

func (v verbSet) apps() *cobra.Command {
	return v.group("app", "app", v.appList(), v.appShow(), v.appCreate(), v.appSet(), v.appTransfer(), v.appRetire(),
		v.appShare(), v.appShares(), v.appSetEnd(), v.appRevoke())
}

func (v verbSet) appList() *cobra.Command {
	var pg paging
	var prefix string
	cmd := v.verb("list", "app_list", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if err := pg.check(); err != nil {
			return err
		}
		list, err := c.Portal.Apps.List(ctx, c.Actor, prefix, pg.after, pg.limit)
		if err != nil {
			return err
		}
		shape := appsShape{Apps: make([]appShape, len(list.Apps)), Next: list.Next}
		rows := make([][]string, len(list.Apps))
		for i, a := range list.Apps {
			shape.Apps[i] = shapeApp(a)
			rows[i] = []string{or(a.Name), or(a.OwnerName), c.word("apps.states.", string(a.State)), plainNumber(len(shape.Apps[i].Policy)), c.when(a.Created)}
		}
		return c.answer(shape, func(p *page) {
			if len(rows) == 0 {
				p.line(c.Dict.T("cmd.no_apps"))
			} else {
				p.table(c.titles("app", "owner", "state", "own_rules", "created"), rows)
			}
			c.more(p, list.Next)
		})
	})
	cmd.Flags().StringVar(&prefix, "prefix", "", v.flag("app_prefix"))
	return v.paged(cmd, &pg)
}

func (v verbSet) appShow() *cobra.Command {
	return v.verb("show APP", "app_show", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		d, err := c.Portal.Apps.Show(ctx, c.Actor, args[0])
		if err != nil {
			return err
		}
		shape := appOneShape{appShape: shapeApp(d.App), Shares: d.Loses.Count}
		return c.answer(shape, func(p *page) {
			t := c.titles("app", "note", "owner", "state", "created", "roles", "shared", "ident")
			p.facts(t[0], or(d.Name), t[1], or(d.Note), t[2], or(d.OwnerName), t[3], c.word("apps.states.", string(d.State)),
				t[4], c.when(d.Created), t[5], or(core.FormatRoles(d.Roles)), t[6], plainNumber(d.Loses.Count), t[7], d.ID)
			var rows [][]string
			for _, s := range core.AppSettings() {
				if value := s.Get(d.Policy); value != "" {
					rows = append(rows, []string{s.Path, value})
				}
			}
			if len(rows) > 0 {
				p.line("")
				p.table(nil, rows)
			}
		})
	})
}

// appFlags are what `app create` and `app set` have in common.
type appFlags struct {
	note  string
	roles []string
}

func (v verbSet) appFlags(cmd *cobra.Command, f *appFlags) {
	cmd.Flags().StringVar(&f.note, "note", "", v.flag("app_note"))
	cmd.Flags().StringArrayVar(&f.roles, "role", nil, v.flag("app_role"))
}

// parsed are the roles of the flags; nil when none was given.
func (f appFlags) parsed() []core.AppRole {
	var out []core.AppRole
	for _, r := range f.roles {
		name, permissions, _ := strings.Cut(r, ":")
		out = append(out, core.AppRole{Name: core.Role(name), Permissions: strings.FieldsFunc(permissions, func(r rune) bool { return r == ',' || r == ' ' })})
	}
	return out
}

func (v verbSet) appCreate() *cobra.Command {
	var f appFlags
	var owner string
	cmd := v.verb("create APP [SETTING=VALUE]...", "app_create", 1, -1, func(ctx context.Context, c *Call, args []string) error {
		rules, err := assignments(args[1:])
		if err != nil {
			return err
		}
		a, err := c.Portal.Apps.Create(ctx, c.Actor, core.AppInput{Name: args[0], Note: f.note, Owner: owner, Roles: f.parsed(), Policy: rules})
		if err != nil {
			return err
		}
		return c.answer(shapeApp(a), func(p *page) {
			p.line(c.Dict.T("done.app_create", "App", text.Escape(a.Name), "User", text.Escape(a.OwnerName)))
		})
	})
	v.appFlags(cmd, &f)
	cmd.Flags().StringVar(&owner, "owner", "", v.flag("app_owner"))
	return cmd
}

func (v verbSet) appSet() *cobra.Command {
	var f appFlags
	var name string
	var cmd *cobra.Command
	cmd = v.verb("set APP [SETTING=VALUE]...", "app_set", 1, -1, func(ctx context.Context, c *Call, args []string) error {
		rules, err := assignments(args[1:])
		if err != nil {
			return err
		}
		change := core.AppChange{Roles: f.parsed(), Policy: rules}
		if cmd.Flags().Changed("name") {
			change.Name = &name
		}
		if cmd.Flags().Changed("note") {
			change.Note = &f.note
		}
		a, err := c.Portal.Apps.Update(ctx, c.Actor, args[0], change)
		if err != nil {
			return err
		}
		return c.answer(shapeApp(a), func(p *page) { p.line(c.Dict.T("done.app_set", "App", text.Escape(a.Name))) })
	})
	v.appFlags(cmd, &f)
	cmd.Flags().StringVar(&name, "name", "", v.flag("app_name"))
	return cmd
}

func (v verbSet) appTransfer() *cobra.Command {
	return v.verb("transfer APP USER", "app_transfer", 2, 2, func(ctx context.Context, c *Call, args []string) error {
		if err := c.Portal.Apps.Transfer(ctx, c.Actor, args[0], args[1]); err != nil {
			return err
		}
		return c.answer(doneShape{Done: "app transfer", User: args[1]}, func(p *page) {
			p.line(c.Dict.T("done.app_transfer", "App", text.Escape(args[0]), "User", text.Escape(args[1])))
		})
	})
}

func (v verbSet) appRetire() *cobra.Command {
	return v.verb("retire APP", "app_retire", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		n, err := c.Portal.Apps.Retire(ctx, c.Actor, args[0])
		if err != nil {
			return err
		}
		return c.answer(endedShape{Ended: n}, func(p *page) {
			p.line(c.Dict.T("done.app_retire", "App", text.Escape(args[0]), "Count", n))
		})
	})
}

func (v verbSet) appShare() *cobra.Command {
	var from, until string
	cmd := v.verb("share APP USER ROLE", "app_share", 3, 3, func(ctx context.Context, c *Call, args []string) error {
		in := core.ShareInput{User: args[1], Role: core.Role(args[2])}
		var err error
		if in.From, err = core.ParseBegin(from, c.Dict.Zone()); err != nil {
			return err
		}
		if in.Until, err = core.ParseEnd(until, c.Dict.Zone()); err != nil {
			return err
		}
		s, err := c.Portal.Apps.Share(ctx, c.Actor, args[0], in)
		if err != nil {
			return err
		}
		return c.answer(shapeShare(s), func(p *page) {
			p.line(c.Dict.T("done.app_share", "App", text.Escape(s.AppName), "User", text.Escape(s.UserName), "Role", text.Escape(string(s.Role)), "Until", c.end(s.Until)))
		})
	})
	cmd.Flags().StringVar(&from, "from", "", v.flag("app_from"))
	cmd.Flags().StringVar(&until, "until", "", v.flag("grant_until"))
	return cmd
}

// appShares lists with whom an app is shared; without one, what is shared with
// whoever asks, or with --user with somebody.
func (v verbSet) appShares() *cobra.Command {
	var pg paging
	var state, user string
	cmd := v.verb("shares [APP]", "app_shares", 0, 1, func(ctx context.Context, c *Call, args []string) error {
		if err := pg.check(); err != nil {
			return err
		}
		var list core.SharePage
		var err error
		switch {
		case len(args) > 0 && user != "":
			return usage("--user " + user)
		case len(args) > 0:
			list, err = c.Portal.Apps.Shares(ctx, c.Actor, args[0], core.ShareState(state), pg.after, pg.limit)
		case user != "":
			list.Shares, err = c.Portal.Apps.Of(ctx, c.Actor, user)
		default:
			list.Shares, err = c.Portal.Apps.Mine(ctx, c.Actor)
		}
		if err != nil {
			return err
		}
		shape := sharesShape{Shares: make([]shareShape, len(list.Shares)), Next: list.Next}
		rows := make([][]string, len(list.Shares))
		for i, s := range list.Shares {
			shape.Shares[i] = shapeShare(s)
			from := s.Created
			if !s.From.IsZero() {
				from = s.From
			}
			rows[i] = []string{s.ID, or(s.AppName), or(s.UserName), or(string(s.Role)), c.word("apps.stands.", string(s.State)), c.when(from), c.end(s.Until)}
		}
		return c.answer(shape, func(p *page) {
			if len(rows) == 0 {
				p.line(c.Dict.T("cmd.no_shares"))
			} else {
				p.table(c.titles("ident", "app", "user", "role", "state", "begins", "until"), rows)
			}
			c.more(p, list.Next)
		})
	})
	cmd.Flags().StringVar(&state, "state", "", v.flag("app_state"))
	cmd.Flags().StringVar(&user, "user", "", v.flag("app_user"))
	return v.paged(cmd, &pg)
}

func (v verbSet) appSetEnd() *cobra.Command {
	return v.verb("set-end ID WHEN", "app_set_end", 2, 2, func(ctx context.Context, c *Call, args []string) error {
		end, err := core.ParseEnd(args[1], c.Dict.Zone())
		if err != nil {
			return err
		}
		s, err := c.Portal.Apps.SetEnd(ctx, c.Actor, args[0], end)
		if err != nil {
			return err
		}
		return c.answer(shapeShare(s), func(p *page) { p.line(c.Dict.T("done.app_set_end", "Until", c.end(s.Until))) })
	})
}

func (v verbSet) appRevoke() *cobra.Command {
	return v.verb("revoke ID", "app_revoke", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		if err := c.Portal.Apps.Revoke(ctx, c.Actor, args[0]); err != nil {
			return err
		}
		return c.answer(doneShape{Done: "app revoke", ID: args[0]}, func(p *page) { p.line(c.Dict.T("done.app_revoke")) })
	})
}

// appShape is an app. Policy is what it demands beyond the portal, as `app set`
// takes it.
type appShape struct {
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	Note    string            `json:"note,omitempty"`
	Owner   string            `json:"owner"` // user name
	State   core.AppState     `json:"state"`
	Created time.Time         `json:"created"`
	Roles   []core.AppRole    `json:"roles"`
	Policy  map[string]string `json:"policy"`
}

func shapeApp(a core.App) appShape {
	out := appShape{ID: a.ID, Name: a.Name, Note: a.Note, Owner: a.OwnerName, State: a.State, Created: a.Created, Roles: a.Roles, Policy: map[string]string{}}
	for _, s := range core.AppSettings() {
		if v := s.Get(a.Policy); v != "" {
			out.Policy[s.Path] = v
		}
	}
	return out
}

// appsShape is a page of apps; Next is for --after.
type appsShape struct {
	Apps []appShape `json:"apps"`
	Next string     `json:"next,omitempty"`
}

// appOneShape is one app.
type appOneShape struct {
	appShape
	Shares int `json:"shares"` // roles given on it, the owner's not among them
}

// shareShape is a role of an account on an app.
type shareShape struct {
	ID      string          `json:"id"`
	App     string          `json:"app"` // its name
	Account string          `json:"account"`
	User    string          `json:"user"`
	Role    core.Role       `json:"role"`
	May     []string        `json:"permissions,omitempty"`
	State   core.ShareState `json:"state"`
	By      string          `json:"by,omitempty"`
	Created time.Time       `json:"created"`
	From    time.Time       `json:"from,omitzero"`
	Until   time.Time       `json:"until,omitzero"` // without it: for good
}

func shapeShare(s core.Share) shareShape {
	return shareShape{ID: s.ID, App: s.AppName, Account: s.Account, User: s.UserName, Role: s.Role, May: s.Permissions, State: s.State,
		By: s.ByName, Created: s.Created, From: s.From, Until: s.Until}
}

func shapeShares(list []core.Share) []shareShape {
	out := make([]shareShape, len(list))
	for i, s := range list {
		out[i] = shapeShare(s)
	}
	return out
}

// sharesShape is a page of shares; Next is for --after.
type sharesShape struct {
	Shares []shareShape `json:"shares"`
	Next   string       `json:"next,omitempty"`
}

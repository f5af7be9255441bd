// Verbs about people by the dozen: the search, and the same act for several.

package cmd

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postern/core"
	"postern/core/text"
)

// bulkShape is the answer of an act on several accounts.
type bulkShape struct {
	Done    string             `json:"done"`  // the verb: "user suspend"
	Count   int                `json:"count"` // to how many it was done
	Refused []core.BulkRefusal `json:"refused"`
	Left    int                `json:"left,omitempty"` // that were not begun when it was stopped
	Error   *errorShape        `json:"error,omitempty"`
}

// oneDeed does something to one account, with the reason and the confirmation of the
// act where it takes them.
type oneDeed func(ctx context.Context, c *Call, user string, act core.BulkAct) error

// userBulk is a verb that does one thing to one account or to several. For one it
// says what one would say; for several it sums up, and is refused (exit code 1)
// when it was not done to all.
func (v verbSet) userBulk(name string, kind core.BulkKind, one oneDeed) *cobra.Command {
	act := core.BulkAct{Kind: kind}
	cmd := v.verb(name+" USER...", "user_"+strings.ReplaceAll(name, "-", "_"), 1, -1, func(ctx context.Context, c *Call, args []string) error {
		if len(args) == 1 {
			return one(ctx, c, args[0], act)
		}
		got, err := c.Portal.Accounts.Each(ctx, c.Actor, act, args, nil)
		if err != nil && got.Done == 0 && len(got.Refused) == 0 {
			return err
		}
		shape := bulkShape{Done: "user " + name, Count: got.Done, Refused: append([]core.BulkRefusal{}, got.Refused...), Left: got.Left}
		if err != nil {
			said, _ := explain(err, c.Dict)
			shape.Error = &said
		}
		bad := c.answer(shape, func(p *page) {
			p.line(c.Dict.T("people.done."+string(kind), "Count", got.Done))
			if len(got.Refused) > 0 {
				p.line(c.Dict.T("people.refused", "Count", len(got.Refused)))
				rows := make([][]string, len(got.Refused))
				for i, r := range got.Refused {
					rows[i] = []string{"  " + text.Escape(r.User), c.whyRefused(r.Code)}
				}
				p.table(nil, rows)
			}
			if got.Left > 0 {
				p.line(c.Dict.T("people.left", "Count", got.Left))
			}
			if shape.Error != nil {
				p.line(shape.Error.Message)
			}
		})
		if bad == nil && (err != nil || len(got.Refused) > 0 || got.Left > 0) {
			return exited(exitRefused)
		}
		return bad
	})
	if kind.Reasoned() {
		cmd.Flags().StringVar(&act.Reason, "reason", "", v.flag("reason"))
	}
	if kind == core.BulkDelete {
		cmd.Flags().StringVar(&act.Confirm, "confirm", "", v.flag("user_delete_confirm"))
	}
	return cmd
}

// whyRefused says why it was not done to one of several.
func (c *Call) whyRefused(code core.Code) string {
	if key := "people.why." + string(code); c.Dict.Has(key) {
		return c.Dict.T(key)
	}
	return sentence(c.Dict, &core.Error{Code: code})
}

// peopleFlags are what `user list` searches by.
type peopleFlags struct {
	search, state, prefix, factor, role, before, after, sort string
}

func (v verbSet) peopleFlags(cmd *cobra.Command, f *peopleFlags) {
	for _, flag := range []struct {
		to   *string
		name string
	}{
		{&f.search, "search"}, {&f.state, "state"}, {&f.prefix, "prefix"}, {&f.factor, "factor"}, {&f.role, "role"},
		{&f.before, "seen-before"}, {&f.after, "seen-after"}, {&f.sort, "sort"},
	} {
		key := strings.ReplaceAll(flag.name, "-", "_")
		if flag.name == "role" || flag.name == "sort" {
			key = "user_" + key
		}
		cmd.Flags().StringVar(flag.to, flag.name, "", v.flag(key))
	}
}

func sortNames() string {
	var names []string
	for _, s := range core.PeopleSorts() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

// query is the search that the flags describe. Words that there are not are said
// with those that there are.
func (f peopleFlags) query(c *Call, pg paging) (core.PeopleQuery, error) {
	q := core.PeopleQuery{
		Text: f.search, State: core.State(f.state), Factor: core.FactorKind(f.factor), Role: core.Role(f.role),
		Sort: core.PeopleSort(f.sort), After: pg.after, N: pg.limit,
	}
	for _, word := range []struct{ flag, typed, known string }{
		{"state", f.state, "pending, active, suspended, rejected"}, {"factor", f.factor, "app, key, sms, email, none, missing, disabled"},
		{"role", f.role, "owner, admin, support, auditor, any"}, {"sort", f.sort, sortNames()},
	} {
		found := word.typed == ""
		for _, w := range strings.Split(word.known, ", ") {
			found = found || w == word.typed
		}
		if !found {
			return q, usage("--" + word.flag + " " + word.typed + " (" + word.known + ")")
		}
	}
	for _, day := range []struct {
		flag, typed string
		to          *time.Time
	}{{"seen-after", f.after, &q.SeenAfter}, {"seen-before", f.before, &q.SeenBefore}} {
		if day.typed == "" {
			continue
		}
		at, err := time.ParseInLocation(time.DateOnly, day.typed, c.Dict.Zone())
		if err != nil {
			at, err = time.Parse(time.RFC3339, day.typed)
		}
		if err != nil {
			return q, usage("--" + day.flag + " " + day.typed + " (2026-12-31)")
		}
		*day.to = at
	}
	return q, nil
}

// userList lists accounts by what is known of them. With --prefix alone it looks
// at user names only.
func (v verbSet) userList() *cobra.Command {
	var pg paging
	var f peopleFlags
	cmd := v.verb("list", "user_list", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if err := pg.check(); err != nil {
			return err
		}
		q, err := f.query(c, pg)
		if err != nil {
			return err
		}
		var found core.PeoplePage
		if f.prefix != "" {
			if f != (peopleFlags{prefix: f.prefix, state: f.state}) {
				return usage("--prefix, --search")
			}
			var list core.AccountPage
			list, err = c.Portal.Accounts.List(ctx, c.Actor, core.AccountQuery{Prefix: f.prefix, State: q.State, After: pg.after, N: pg.limit})
			found = core.PeoplePage{Accounts: list.Accounts, Next: list.Next}
		} else {
			found, err = c.Portal.Accounts.Search(ctx, c.Actor, q)
		}
		if err != nil {
			return err
		}
		shape := usersShape{Users: make([]accountShape, len(found.Accounts)), Next: found.Next, Looked: found.Looked}
		rows := make([][]string, len(found.Accounts))
		for i, a := range found.Accounts {
			shape.Users[i] = shapeAccount(a)
			rows[i] = []string{or(a.UserName), or(a.DisplayName), or(a.Email), c.Dict.T("state." + string(a.State)), c.when(a.LastSignIn)}
		}
		return c.answer(shape, func(p *page) {
			switch {
			case len(rows) > 0:
				p.table(c.titles("user", "display_name", "email", "state", "last_sign_in"), rows)
			case found.Next != "":
				p.line(c.Dict.T("cmd.none_among", "Count", found.Looked))
			default:
				p.line(c.Dict.T("cmd.no_users"))
			}
			c.more(p, found.Next)
		})
	})
	v.peopleFlags(cmd, &f)
	return v.paged(cmd, &pg)
}

// userEndSessions ends every session of an account.
func (v verbSet) userEndSessions() *cobra.Command {
	return v.userBulk("end-sessions", core.BulkEndSessions, func(ctx context.Context, c *Call, user string, _ core.BulkAct) error {
		n, err := c.Portal.Sessions.EndAll(ctx, c.Actor, user)
		if err != nil {
			return err
		}
		return c.answer(endedShape{Ended: n}, func(p *page) {
			p.line(c.Dict.T("people.done.end-sessions", "Count", 1))
		})
	})
}

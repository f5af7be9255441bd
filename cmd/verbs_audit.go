// Verbs about the trail: looked through, followed, and handed over.

package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postern/core"
	"postern/core/text"
)

// followPage is how many new entries are read at once, and followPause how long
// a busy trail is let be between readings.
const (
	followPage  = 100
	followPause = 100 * time.Millisecond
)

func (v verbSet) audit() *cobra.Command {
	verbs := []*cobra.Command{v.auditList(), v.auditFollow(), v.auditExport(), v.auditVerify(), v.auditHead()}
	if !v.far { // for the machine's own operator
		verbs = append(verbs, v.auditAdopt())
	}
	return v.group("audit", "audit", verbs...)
}

// auditFlags are the flags that say which entries are meant.
type auditFlags struct {
	from, to, actor, about, user, action, target, outcome, address string
}

func (v verbSet) auditFlags(cmd *cobra.Command, f *auditFlags, times bool) {
	if times {
		cmd.Flags().StringVar(&f.from, "from", "", v.flag("audit_from"))
		cmd.Flags().StringVar(&f.to, "to", "", v.flag("audit_to"))
	}
	cmd.Flags().StringVar(&f.actor, "actor", "", v.flag("audit_actor"))
	cmd.Flags().StringVar(&f.about, "about", "", v.flag("audit_about"))
	cmd.Flags().StringVar(&f.user, "user", "", v.flag("audit_user"))
	cmd.Flags().StringVar(&f.action, "action", "", v.flag("audit_action"))
	cmd.Flags().StringVar(&f.target, "target", "", v.flag("audit_target"))
	cmd.Flags().StringVar(&f.outcome, "outcome", "", v.flag("audit_outcome"))
	cmd.Flags().StringVar(&f.address, "address", "", v.flag("audit_address"))
}

// query reads the flags.
func (c *Call) auditQuery(f auditFlags) (q core.AuditQuery, err error) {
	q = core.AuditQuery{Actor: f.actor, About: f.about, Account: f.user, Action: core.Action(f.action), Target: f.target,
		Outcome: core.Outcome(f.outcome), Address: f.address}
	q.From, q.To, err = core.ParseAuditSpan(f.from, f.to, time.Now(), c.Dict.Zone())
	return q, auditUsage(err, f)
}

// auditUsage says which flag cannot be meant.
func auditUsage(err error, f auditFlags) error {
	var refusal *core.Error
	if !errors.As(err, &refusal) || refusal.Code != core.CodeFormat && refusal.Code != core.CodeRange {
		return err
	}
	values := map[string]string{"from": f.from, "to": f.to, "action": f.action, "outcome": f.outcome, "address": f.address}
	value, known := values[refusal.Field]
	if !known {
		return err
	}
	hint := map[string]string{
		"from": "2026-03-02, 2026-03-02 14:30, RFC 3339, 30m, 24h, 7d, 2w", "to": "--from < --to: 2026-03-02, 2026-03-02 14:30, RFC 3339, 24h",
		"outcome": "done, refused", "action": actionNames(), "address": "IPv4, IPv6",
	}[refusal.Field]
	return usage("--" + refusal.Field + " " + text.Escape(value) + " (" + hint + ")")
}

func actionNames() string {
	var names []string
	for _, a := range core.Actions() {
		names = append(names, string(a))
	}
	return strings.Join(names, ", ")
}

func (v verbSet) auditList() *cobra.Command {
	var pg paging
	var f auditFlags
	var everybody bool
	cmd := v.verb("list", "audit_list", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if err := pg.check(); err != nil {
			return err
		}
		q, err := c.auditQuery(f)
		if err != nil {
			return err
		}
		var list core.AuditPage
		if f == (auditFlags{}) && !everybody && !c.Actor.Console {
			list, err = c.Portal.Audit.Mine(ctx, c.Actor, pg.after, pg.limit)
		} else {
			q.After, q.N = pg.after, pg.limit
			list, err = c.Portal.Audit.Search(ctx, c.Actor, q)
		}
		if err != nil {
			return auditUsage(err, f)
		}
		return c.answer(auditShape{Entries: append([]core.Entry{}, list.Entries...), Next: list.Next}, func(p *page) {
			if len(list.Entries) == 0 {
				p.line(c.Dict.T("cmd.no_entries"))
			} else {
				p.table(c.titles("at", "who", "what", "target", "door", "remote", "outcome"), c.entryRows(list.Entries))
			}
			if list.Next != "" && list.Looked >= core.AuditLook {
				p.line(c.Dict.T("cmd.audit_looked", "Count", list.Looked, "When", c.when(list.Back)))
			}
			c.more(p, list.Next)
		})
	})
	v.auditFlags(cmd, &f, true)
	cmd.Flags().BoolVar(&everybody, "everybody", false, v.flag("everybody"))
	return v.paged(cmd, &pg)
}

// auditFollow writes new entries as they come, the oldest first, until whoever
// asked has gone. With --json each is a line of its own.
func (v verbSet) auditFollow() *cobra.Command {
	var f auditFlags
	cmd := v.verb("follow", "audit_follow", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		q, err := c.auditQuery(f)
		if err != nil {
			return err
		}
		woken, err := c.Portal.Audit.Follow(ctx, c.Actor)
		if err != nil {
			return err
		}
		// Where the trail ends now is found by a search for everything.
		last, err := c.Portal.Audit.Search(ctx, c.Actor, core.AuditQuery{N: 1})
		if err != nil {
			return err
		}
		q.N = 1
		if _, err := c.Portal.Audit.Search(ctx, c.Actor, q); err != nil {
			return auditUsage(err, f) // before anything is waited for
		}
		newest := ""
		if len(last.Entries) > 0 {
			newest, q.From = last.Entries[0].ID, last.Entries[0].At
		}
		for range woken {
			found, err := c.newer(ctx, q, newest)
			if err != nil {
				return err
			}
			for _, e := range found {
				if err := c.writeEntry(e); err != nil {
					return nil // nobody reads on
				}
				newest, q.From = e.ID, e.At
			}
			pause := time.NewTimer(followPause)
			select {
			case <-pause.C:
			case <-ctx.Done():
				pause.Stop()
			}
		}
		if ctx.Err() != nil {
			return nil // that is how it ends
		}
		// The portal closes after its doors, which end ctx: what has ended is the right.
		over := fail("follow_over")
		over.exit = exitNoAccess
		return over
	})
	v.auditFlags(cmd, &f, false)
	return cmd
}

// newer returns what a query finds behind an entry, the oldest first.
func (c *Call) newer(ctx context.Context, q core.AuditQuery, newest string) ([]core.Entry, error) {
	var found []core.Entry
	for q.N = followPage; ; {
		page, err := c.Portal.Audit.Search(ctx, c.Actor, q)
		if ctx.Err() != nil {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for _, e := range page.Entries {
			if e.ID > newest { // From is as exact as a millisecond
				found = append([]core.Entry{e}, found...)
			}
		}
		if q.After = page.Next; q.After == "" {
			return found, nil
		}
	}
}

// writeEntry writes one entry that has just come.
func (c *Call) writeEntry(e core.Entry) error {
	if c.JSON {
		doc, err := json.Marshal(e)
		if err != nil {
			return err
		}
		_, err = c.Out.Write(append(text.JSON(doc), '\n'))
		return err
	}
	p := &page{}
	p.line(strings.Join(c.entryRows([]core.Entry{e})[0], "  "))
	return p.writeTo(c.Out)
}

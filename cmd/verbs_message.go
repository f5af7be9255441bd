// Verbs about messages: the outbox, and whether anything arrives.

package cmd

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postern/core"
	"postern/core/text"
)

// testWait is how long `message test --wait` waits at most, and testLook how
// often it looks meanwhile.
const (
	testWait = 30 * time.Second
	testLook = 50 * time.Millisecond
)

func (v verbSet) messages() *cobra.Command {
	return v.group("message", "message", v.messageList(), v.messageShow(), v.messageRetry(), v.messageTest())
}

func (v verbSet) messageList() *cobra.Command {
	var pg paging
	var state string
	cmd := v.verb("list", "message_list", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if err := pg.check(); err != nil {
			return err
		}
		switch core.MessageState(state) {
		case "", core.MessageQueued, core.MessageSent, core.MessageDead:
		default:
			return usage("--state " + state + " (queued, sent, dead)")
		}
		list, err := c.Portal.Messages.List(ctx, c.Actor, core.MessageState(state), pg.after, pg.limit)
		if err != nil {
			return err
		}
		shape := messagesShape{Messages: make([]messageShape, len(list.Messages)), Next: list.Next}
		rows := make([][]string, len(list.Messages))
		for i, m := range list.Messages {
			shape.Messages[i] = shapeMessage(m)
			rows[i] = []string{m.ID, c.when(m.Created), c.Dict.T("service." + string(m.Service)), or(m.To), c.about(m), c.stands(m)}
		}
		return c.answer(shape, func(p *page) {
			if len(rows) == 0 {
				p.line(c.Dict.T("cmd.no_messages"))
			} else {
				p.table(c.titles("ident", "at", "service", "to", "about", "state"), rows)
			}
			c.more(p, list.Next)
		})
	})
	cmd.Flags().StringVar(&state, "state", "", v.flag("message_state"))
	return v.paged(cmd, &pg)
}

// about says what a message is about, as the screen of the outbox does.
func (c *Call) about(m core.Message) string { return c.word("outbox.kind.", string(m.Kind)) }

// stands says where a message stands, and what kept it.
func (c *Call) stands(m core.Message) string {
	said := c.word("outbox.state.", string(m.State))
	if m.Problem != "" {
		said += " · " + c.problem(m.Problem)
	}
	return said
}

// problem says why a message was not taken.
func (c *Call) problem(code string) string { return c.word("problem.", code) }

// word says a code in words, or as it is when a newer program wrote it.
func (c *Call) word(prefix, code string) string {
	if key := prefix + code; code != "" && c.Dict.Has(key) {
		return c.Dict.T(key)
	}
	return text.Escape(code)
}

func (v verbSet) messageShow() *cobra.Command {
	return v.verb("show ID", "message_show", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		m, err := c.Portal.Messages.Read(ctx, c.Actor, args[0])
		if err != nil {
			return err
		}
		shape := readingShape{messageShape: shapeMessage(m.Message), Subject: m.Subject, Text: m.Body, Hidden: m.Hidden}
		return c.answer(shape, func(p *page) {
			t := c.titles("ident", "at", "service", "to", "state", "tries", "done", "about")
			tries := ""
			if m.Tries > 0 {
				tries = c.Dict.Number(int64(m.Tries))
			}
			p.facts(t[0], m.ID, t[1], c.when(m.Created), t[2], c.Dict.T("service."+string(m.Service)), t[3], or(m.To),
				t[4], c.stands(m.Message), t[5], tries, t[6], c.when(m.Done), t[7], or(m.Subject))
			p.line("")
			for line := range strings.SplitSeq(m.Body, "\n") {
				p.line(text.Escape(line))
			}
			if m.Hidden {
				p.line("")
				p.line(c.Dict.T("cmd.code_hidden"))
			}
		})
	})
}

func (v verbSet) messageRetry() *cobra.Command {
	return v.verb("retry ID", "message_retry", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		err := c.Portal.Messages.Retry(ctx, c.Actor, args[0])
		if core.CodeOf(err) == core.CodeConflict {
			f := fail("retry_not").because(err)
			f.code = string(core.CodeConflict)
			return f
		} else if err != nil {
			return err
		}
		return c.answer(doneShape{Done: "message retry", ID: args[0]}, func(p *page) { p.line(c.Dict.T("done.message_retry")) })
	})
}

func (v verbSet) messageTest() *cobra.Command {
	var address, number string
	var wait bool
	cmd := v.verb("test", "message_test", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		service, to := core.ServiceMail, address
		if (address == "") == (number == "") {
			f := fail("test_where")
			f.exit, f.code = exitUsage, "usage"
			return f
		}
		if number != "" {
			service, to = core.ServiceSMS, number
		}
		m, err := c.Portal.Messages.Test(ctx, c.Actor, service, to)
		if err != nil {
			return err
		}
		carried := false
		for _, s := range c.Portal.Messages.Providers() {
			carried = carried || s == service
		}
		if carried && wait {
			if m, err = c.becomes(ctx, m); err != nil {
				return err
			}
		}
		err = c.answer(shapeMessage(m), func(p *page) { p.line(c.came(m, carried, wait)) })
		if err == nil && wait && m.State != core.MessageSent {
			err = errSaid // whoever waits asks whether it arrives
		}
		return err
	})
	cmd.Flags().StringVar(&address, "mail", "", v.flag("test_mail"))
	cmd.Flags().StringVar(&number, "sms", "", v.flag("test_sms"))
	cmd.Flags().BoolVar(&wait, "wait", false, v.flag("test_wait"))
	return cmd
}

// becomes waits until a message was sent, given up or not taken at the first
// try, and returns it as it then stands; after testWait as it stands by then.
func (c *Call) becomes(ctx context.Context, m core.Message) (core.Message, error) {
	within, cancel := context.WithTimeout(ctx, testWait)
	defer cancel()
	look := time.NewTicker(testLook)
	defer look.Stop()
	for m.State == core.MessageQueued && m.Tries == 0 {
		select {
		case <-look.C:
		case <-within.Done():
			return m, ctx.Err()
		}
		now, err := c.Portal.Messages.Show(ctx, c.Actor, m.ID)
		if err != nil {
			return m, err
		}
		m = now
	}
	return m, nil
}

// came says what came of a test message.
func (c *Call) came(m core.Message, carried, waited bool) string {
	args := []any{"To", or(m.To), "Id", m.ID, "Service", string(m.Service), "Problem", c.problem(m.Problem)}
	switch {
	case m.State == core.MessageSent:
		return c.Dict.T("done.test_sent", args...)
	case m.State == core.MessageDead:
		return c.Dict.T("done.test_dead", args...)
	case !carried:
		return c.Dict.T("done.test_stays", args...)
	case m.Problem != "":
		return c.Dict.T("done.test_again", args...)
	case waited:
		return c.Dict.T("done.test_waits", args...)
	}
	return c.Dict.T("done.test_queued", args...)
}

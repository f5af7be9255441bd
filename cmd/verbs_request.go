// Verbs about requests to delete an account: asking, following, deciding.

package cmd

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"postern/core"
	"postern/core/text"
	"postern/screens"
)

func (v verbSet) requests() *cobra.Command {
	return v.group("request", "request", v.requestLosses(), v.requestMake(), v.requestMine(), v.requestCancel(),
		v.requestList(), v.requestShow(), v.requestMakeFor(),
		v.requestApprove(),
		v.requestDecide("refuse", "request_refuse", (*core.Requests).Refuse),
		v.requestDecide("hold", "request_hold", (*core.Requests).Hold),
		v.requestMove(), v.requestReceipt())
}

func (v verbSet) requestLosses() *cobra.Command {
	return v.verb("losses", "request_losses", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		l, err := c.Portal.Requests.Losses(ctx, c.Actor)
		if err != nil {
			return err
		}
		return c.answer(l, func(p *page) { c.losses(p, l) })
	})
}

// losses lists what goes with an account.
func (c *Call) losses(p *page, l core.Losses) {
	for _, said := range screens.LossesText(c.Dict, l) {
		p.line(said)
	}
}

func (v verbSet) requestMake() *cobra.Command {
	var confirm string
	cmd := v.verb("make", "request_make", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		r, err := c.Portal.Requests.Make(ctx, c.Actor, confirm)
		if err != nil {
			return err
		}
		return c.answerRequest(r)
	})
	cmd.Flags().StringVar(&confirm, "confirm", "", v.flag("request_confirm"))
	return cmd
}

func (v verbSet) requestMakeFor() *cobra.Command {
	var why, typed string
	cmd := v.verb("make-for USER", "request_make_for", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		r, err := c.Portal.Requests.MakeFor(ctx, c.Actor, args[0], why, typed)
		if err != nil {
			return err
		}
		return c.answerRequest(r)
	})
	cmd.Flags().StringVar(&why, "reason", "", v.flag("reason"))
	cmd.Flags().StringVar(&typed, "confirm", "", v.flag("request_approve_confirm"))
	return cmd
}

// answerRequest says what became of a request.
func (c *Call) answerRequest(r core.Request) error {
	return c.answer(shapeRequest(r), func(p *page) {
		p.line(screens.RequestText(c.Dict, r))
		if r.Receipt != nil {
			p.line("")
			p.line(r.Receipt.Document + r.Receipt.Signature)
		}
	})
}

func (v verbSet) requestMine() *cobra.Command {
	return v.verb("mine", "request_mine", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		list, err := c.Portal.Requests.Mine(ctx, c.Actor)
		if err != nil {
			return err
		}
		return c.answer(requestsShape{Requests: shapeRequests(list)}, func(p *page) {
			if len(list) == 0 {
				p.line(c.Dict.T("request.none"))
			}
			for i, r := range list {
				if i > 0 {
					p.line("")
				}
				p.line(screens.RequestText(c.Dict, r))
				c.history(p, r)
			}
		})
	})
}

// history lists what happened to a request.
func (c *Call) history(p *page, r core.Request) {
	rows := make([][]string, len(r.History))
	for i, s := range r.History {
		rows[i] = []string{c.when(s.At), c.Dict.T("request.state." + string(s.State)), screens.RequestBy(c.Dict, s, r.Account), screens.RequestReason(c.Dict, s)}
	}
	p.table(c.titles("at", "state", "who", "reason"), rows)
}

func (v verbSet) requestCancel() *cobra.Command {
	var why string
	cmd := v.verb("cancel [ID]", "request_cancel", 0, 1, func(ctx context.Context, c *Call, args []string) error {
		id := ""
		if len(args) > 0 {
			id = args[0]
		} else {
			list, err := c.Portal.Requests.Mine(ctx, c.Actor)
			if err != nil {
				return err
			}
			if i := slices.IndexFunc(list, func(r core.Request) bool { return r.State.Open() }); i >= 0 {
				id = list[i].ID
			}
		}
		r, err := c.Portal.Requests.Cancel(ctx, c.Actor, id, why)
		if err != nil {
			return err
		}
		return c.answerRequest(r)
	})
	cmd.Flags().StringVar(&why, "reason", "", v.flag("reason"))
	return cmd
}

func (v verbSet) requestList() *cobra.Command {
	var state string
	var pg paging
	cmd := v.verb("list", "request_list", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if err := pg.check(); err != nil {
			return err
		}
		list, err := c.Portal.Requests.List(ctx, c.Actor, state, pg.after, pg.limit)
		var refusal *core.Error
		if errors.As(err, &refusal) && refusal.Field == "state" {
			return usage("--state " + text.Escape(state) + " (" + requestStates() + ")")
		}
		if err != nil {
			return err
		}
		return c.answer(requestsShape{shapeRequests(list.Requests), list.Next}, func(p *page) {
			rows := make([][]string, len(list.Requests))
			for i, r := range list.Requests {
				rows[i] = []string{r.ID, screens.RequestWho(c.Dict, r), c.Dict.T("request.state." + string(r.State)),
					c.Dict.T("request.process." + string(r.Process)), c.when(r.Created), c.when(r.Due)}
			}
			if len(rows) == 0 {
				p.line(c.Dict.T("request.none"))
			} else {
				p.table(c.titles("ident", "user", "state", "process", "created", "due"), rows)
			}
			c.more(p, list.Next)
		})
	})
	cmd.Flags().StringVar(&state, "state", core.StateOpen, v.flag("request_state"))
	return v.paged(cmd, &pg)
}

func requestStates() string {
	names := []string{core.StateOpen}
	for _, s := range core.RequestStates() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

func (v verbSet) requestShow() *cobra.Command {
	return v.verb("show ID", "request_show", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		d, err := c.Portal.Requests.Get(ctx, c.Actor, args[0])
		if err != nil {
			return err
		}
		shape := shapeRequest(d.Request)
		if d.Request.State.Open() {
			shape.Losses = &d.Losses
		}
		return c.answer(shape, func(p *page) {
			p.line(screens.RequestText(c.Dict, d.Request))
			c.history(p, d.Request)
			if shape.Losses != nil {
				p.line("")
				c.losses(p, d.Losses)
			}
		})
	})
}

func (v verbSet) requestApprove() *cobra.Command {
	var typed string
	cmd := v.requestDecide("approve", "request_approve", func(r *core.Requests, ctx context.Context, actor core.Actor, id, why string) (core.Request, error) {
		return r.Approve(ctx, actor, id, why, typed)
	})
	cmd.Flags().StringVar(&typed, "confirm", "", v.flag("request_approve_confirm"))
	return cmd
}

// requestDecide is a verb that decides about a request.
func (v verbSet) requestDecide(name, key string, decide func(*core.Requests, context.Context, core.Actor, string, string) (core.Request, error)) *cobra.Command {
	var why string
	cmd := v.verb(name+" ID", key, 1, 1, func(ctx context.Context, c *Call, args []string) error {
		r, err := decide(c.Portal.Requests, ctx, c.Actor, args[0], why)
		if err != nil {
			return err
		}
		return c.answerRequest(r)
	})
	cmd.Flags().StringVar(&why, "reason", "", v.flag("reason"))
	return cmd
}

func (v verbSet) requestMove() *cobra.Command {
	var typed string
	cmd := v.verb("move ID", "request_move", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		r, err := c.Portal.Requests.Move(ctx, c.Actor, args[0], typed)
		if err != nil {
			return err
		}
		return c.answerRequest(r)
	})
	cmd.Flags().StringVar(&typed, "confirm", "", v.flag("request_approve_confirm"))
	return cmd
}

// requestReceipt writes the document as it was signed, or its signature, so that
// ssh-keygen can verify it.
func (v verbSet) requestReceipt() *cobra.Command {
	var signature bool
	cmd := v.verb("receipt ID", "request_receipt", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		d, err := c.Portal.Requests.Get(ctx, c.Actor, args[0])
		if err != nil {
			return err
		}
		if d.Receipt == nil {
			return &core.Error{Code: core.CodeNotFound, Field: "receipt"}
		}
		if c.JSON {
			return writeJSON(c.Out, d.Receipt)
		}
		doc := d.Receipt.Document
		if signature {
			doc = d.Receipt.Signature
		}
		_, err = io.WriteString(c.Out, doc)
		return err
	})
	cmd.Flags().BoolVar(&signature, "signature", false, v.flag("request_signature"))
	return cmd
}

// requestShape is a request to delete an account.
type requestShape struct {
	ID      string               `json:"id"`
	Account string               `json:"account"`
	User    string               `json:"user,omitempty"` // without it: the account is deleted
	Process core.DeletionProcess `json:"process"`
	Script  string               `json:"script,omitempty"`
	State   core.RequestState    `json:"state"`
	Why     core.HeldWhy         `json:"why,omitempty"`
	Reason  string               `json:"reason,omitempty"`
	Created time.Time            `json:"created"`
	By      string               `json:"by"`
	Due     time.Time            `json:"due,omitzero"`
	Run     string               `json:"run,omitempty"`
	History []core.RequestStep   `json:"history"`
	Losses  *core.Losses         `json:"losses,omitempty"` // of an open one: what would go
	Lost    *core.Losses         `json:"lost,omitempty"`   // of a deleted one: what has gone
	Receipt *core.Receipt        `json:"receipt,omitempty"`
}

func shapeRequest(r core.Request) requestShape {
	return requestShape{ID: r.ID, Account: r.Account, User: r.UserName, Process: r.Process, Script: r.Script, State: r.State, Why: r.Why,
		Reason: r.Reason, Created: r.Created, By: r.By, Due: r.Due, Run: r.Run, History: r.History, Lost: r.Lost, Receipt: r.Receipt}
}

func shapeRequests(list []core.Request) []requestShape {
	out := make([]requestShape, len(list))
	for i, r := range list {
		out[i] = shapeRequest(r)
	}
	return out
}

// requestsShape is a page of requests, newest first; Next is for --after.
type requestsShape struct {
	Requests []requestShape `json:"requests"`
	Next     string         `json:"next,omitempty"`
}

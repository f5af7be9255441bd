// The field for a code of six digits, whoever asks for one: a challenge, a
// step-up, an enrolment. It takes what people type and paste, sends another code
// where codes are sent, and says what is wrong with one. Nothing ticks: how long
// there is to wait is told by the core when somebody asks.

package screens

import (
	"context"
	"errors"
	"time"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/otp"
	"postern/tui"
)

// maxTypedCode is how many characters the field takes: a code may be pasted with
// whatever stands between and around its digits.
const maxTypedCode = 64

// codeEntry is not a Screen: a screen holds one, puts field and buttons into its
// form, and hands it messages first.
type codeEntry struct {
	env   *Env
	typed string
	// send sends another code and says how long until the next may be sent. Nil
	// where nothing is sent, as for an app.
	send func(ctx context.Context) (time.Duration, error)
	// form is the one that asks; what is refused is said there. Nil says it in a toast.
	form *tui.Form
	// lost may take a refusal to send a code, when the whole can go on no more; a
	// nil command leaves it to be said. It may be nil.
	lost func(error) tea.Cmd

	again time.Duration // from the last code that was sent to the next; 0: none was
	busy  tui.Busy      // a code is being sent
}

// sentAgain is what came of sending a code. Of the first one nothing is said: the
// page says where it goes.
type sentAgain struct {
	to    *codeEntry
	first bool
	again time.Duration
	err   error
}

// field returns the field, "code", under a label.
func (c *codeEntry) field(label string) tui.Field {
	e := c.env
	return tui.Text{
		Key: "code", Label: label, Value: &c.typed, Limit: maxTypedCode, Hint: e.T("codeentry.hint"), Below: c.below,
		Check: func(v string) string {
			if _, six := otp.NormalizeCode(v); !six {
				return e.Sentence(&core.Error{Code: core.CodeCodeFormat})
			}
			return ""
		},
	}
}

// below says what to do when no code comes. In lines the button says it, where
// one gets to after the field.
func (c *codeEntry) below(width int) string {
	t := c.env.Theme
	switch busy := c.busy.View(t); {
	case busy != "":
		return busy
	case c.again <= 0 || c.env.Caps.Lines:
		return ""
	}
	return t.Muted.Render(tui.Wrap(c.env.T("codeentry.after", "Wait", wait(c.env.Dict, c.again)), width))
}

// buttons returns the button that sends another code, where codes are sent.
func (c *codeEntry) buttons() []tui.Button {
	if c.send == nil {
		return nil
	}
	return []tui.Button{{Label: c.env.T("codeentry.again"), Do: c.resend}}
}

// begin notes that a code was just sent, and after how long another may be.
func (c *codeEntry) begin(again time.Duration) { c.again = again }

// start returns the command that sends the first code, for a form that opens
// without one.
func (c *codeEntry) start() tea.Cmd { return c.dispatch(true) }

// resend returns the command that sends another code.
func (c *codeEntry) resend() tea.Cmd { return c.dispatch(false) }

// dispatch sends a code; asked twice at once it sends one.
func (c *codeEntry) dispatch(first bool) tea.Cmd {
	if c.busy.On() {
		return nil
	}
	ctx, send := c.env.Ctx, c.send
	return tea.Batch(c.busy.Start(c.env.Session, c.env.T("codeentry.sending")), func() tea.Msg {
		again, err := send(ctx)
		return sentAgain{c, first, again, err}
	})
}

// handle takes the messages of the codes that are sent. mine says that it was
// one; cmd must then be run.
func (c *codeEntry) handle(msg tea.Msg) (mine bool, cmd tea.Cmd) {
	m, ok := msg.(sentAgain)
	if !ok || m.to != c {
		cmd = c.busy.Handle(msg)
		return cmd != nil, cmd
	}
	c.busy.Stop()
	if m.err == nil {
		c.begin(m.again)
		if m.first {
			return true, nil
		}
		c.wipe() // whatever was typed was of the code before
		if c.form != nil {
			c.form.Refresh()
			c.form.Focus("code")
		}
		return true, tui.Toast(tui.Good, c.env.T("codeentry.sent"))
	}
	if c.lost != nil {
		if cmd := c.lost(m.err); cmd != nil {
			return true, cmd
		}
	}
	r := c.notSent(m.err)
	if c.form == nil || c.form.Busy() {
		return true, tui.Toast(tui.Bad, r.Text)
	}
	c.form.Refuse(r)
	return true, nil
}

// notSent says why no code was sent: too early is no failure of anybody's.
func (c *codeEntry) notSent(err error) tui.Refusal {
	var e *core.Error
	if errors.As(err, &e) && e.Code == core.CodeWait {
		return tui.Refusal{Field: "code", Text: c.env.T("codeentry.early", "Wait", wait(c.env.Dict, e.Wait))}
	}
	return c.refusal(err)
}

// refusal says what is wrong with a code, beside its field, and how many tries
// are left where they are counted. What is not about the code concerns the form.
func (c *codeEntry) refusal(err error) tui.Refusal {
	r := refusalOf(c.env, err)
	var e *core.Error
	if !errors.As(err, &e) {
		return r
	}
	switch e.Code {
	case core.CodeCodeWrong:
		if e.N > 0 {
			r.Text += " " + c.env.T("codeentry.left", "Count", e.N)
		}
		r.Field = "code"
	case core.CodeWait, core.CodeAllowance, core.CodeCodeOver, core.CodeCodeUsed, core.CodeCodeClock, core.CodeCodeFormat:
		r.Field = "code"
	}
	return r
}

// wipe forgets what was typed.
func (c *codeEntry) wipe() { c.typed = "" }

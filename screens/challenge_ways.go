// A proof by one of several ways: a code of an app, one that is sent, a recovery
// code, the password. The second factor of a sign-in and a step-up ask alike, so
// they share this; what the proof is for, and what follows, is theirs.

package screens

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// proving is what a proof is for.
type proving interface {
	// intro returns a heading, or "", and what is said above every way.
	intro() (heading, text string)
	// submit is the label of the button that sends the proof.
	submit() string
	// send returns what sends a code to a factor.
	send(factor string) func(context.Context) (time.Duration, error)
	// prove returns the command that proves by a way what was typed.
	prove(way core.Way, typed string) tea.Cmd
	// over may take a refusal that ends the whole.
	over(err error) (taken bool, cmd tea.Cmd)
	// blocked returns the command for when a way has turned out to be of no use now.
	blocked() tea.Cmd
	// stuck is said when there is no way at all.
	stuck() string
	// leave returns the command that goes away without a proof.
	leave() tea.Cmd
}

// prover asks for the proof. It is not a Screen: a screen holds one. At any time
// it asks for one way, or shows the list of them.
type prover struct {
	env  *Env
	what proving
	form *tui.Form

	ways    []core.Way
	at      int                   // the way that is asked for; -1 for none
	entries map[string]*codeEntry // by factor
	sentTo  string                // the factor whose code was sent last: only that one counts
	secret  string                // a recovery code or a password, as it is typed
	rereads bool                  // the ways are being read anew, for keep
	stays   tui.Refusal           // what keep has said

	listed  bool
	list    menu
	problem string // why a way is of no use, above the list
	w, h    int
}

func newProver(env *Env, what proving) *prover {
	p := &prover{env: env, what: what, at: -1, entries: map[string]*codeEntry{}}
	p.form = tui.NewForm(env.Session, p.spec)
	p.list = menu{env: env, ways: p.lines}
	return p
}

// start returns the command that asks for the first of the ways that can be gone
// now. Recovery codes are for when nothing else is left, so whoever has only
// those is shown why.
func (p *prover) start(ways []core.Way) tea.Cmd {
	if p.rereads {
		p.reread(ways)
		return nil
	}
	p.ways, p.at = ways, -1
	for i, w := range ways {
		if w.Blocked != "" || w.Kind == core.FactorRecovery {
			continue
		}
		problem := p.problem
		cmd := p.open(i)
		if problem != "" {
			p.form.Refuse(tui.Refusal{Text: problem})
		}
		return cmd
	}
	if len(ways) > 0 {
		p.problem = p.why(ways[0])
	}
	p.show()
	return nil
}

// started says whether the ways are known.
func (p *prover) started() bool { return len(p.ways) > 0 }

// open returns the command that asks for way i. A code is sent by itself, unless
// the last one that was sent is this way's.
func (p *prover) open(i int) tea.Cmd {
	p.wipe()
	p.at, p.listed, p.problem = i, false, ""
	cmd := p.form.Init()
	w := p.ways[i]
	if c := p.entry(w); c != nil && c.send != nil && p.sentTo != w.ID {
		return tea.Batch(cmd, c.start())
	}
	return cmd
}

// entry returns the field of a way that has a code of six digits, else nil.
func (p *prover) entry(w core.Way) *codeEntry {
	switch w.Kind {
	case core.FactorApp, core.FactorSMS, core.FactorEmail:
	default:
		return nil
	}
	c := p.entries[w.ID]
	if c == nil {
		c = &codeEntry{env: p.env, form: p.form, lost: func(err error) tea.Cmd { return p.notSent(w.ID, err) }}
		if w.Kind != core.FactorApp {
			c.send = p.what.send(w.ID)
		}
		p.entries[w.ID] = c
	}
	return c
}

// notSent takes a refusal to send a code that the way of a factor cannot go on
// with; nil leaves it to be said at the field. Whoever asks by another way by now
// is not bothered.
func (p *prover) notSent(factor string, err error) tea.Cmd {
	taken, cmd := p.what.over(err)
	switch {
	case taken:
		p.wipe()
	case p.sentTo == factor && core.CodeOf(err) == core.CodeAllowance:
		return p.keep(factor, err)
	default:
		taken, cmd = p.block(factor, err)
	}
	if cmd == nil && (taken || p.current() != factor) {
		return func() tea.Msg { return nil }
	}
	return cmd
}

// keep stays with the way of a factor though no other code can be sent to it: the
// one that was sent before can still be typed. It says so at the field, and has
// the ways read again: there may be one more now.
func (p *prover) keep(factor string, err error) tea.Cmd {
	if p.current() != factor {
		return func() tea.Msg { return nil }
	}
	p.stays = p.entries[factor].notSent(err)
	say := p.sayStays()
	cmd := p.what.blocked()
	p.rereads = cmd != nil
	return tea.Batch(say, cmd, func() tea.Msg { return nil })
}

// sayStays says at the field why no other code was sent.
func (p *prover) sayStays() tea.Cmd {
	if p.form.Busy() {
		return tui.Toast(tui.Bad, p.stays.Text)
	}
	p.form.Refuse(p.stays)
	return nil
}

// reread takes the ways anew without leaving the one that is asked for. The way
// that has a code under way can be gone as long as that is the last one sent.
func (p *prover) reread(ways []core.Way) {
	asked := ""
	if p.at >= 0 {
		asked = wayID(p.ways[p.at])
	}
	one := len(p.ways) == 1
	p.rereads, p.at, p.ways = false, -1, slices.Clone(ways)
	for i, w := range p.ways {
		if w.ID == p.sentTo && w.Blocked == core.CodeAllowance {
			p.ways[i].Blocked = ""
		}
		if wayID(w) == asked {
			p.at = i
		}
	}
	switch {
	case p.listed:
	case p.at < 0: // it was removed meanwhile
		p.form.Release()
		p.show()
	case one && !p.form.Busy(): // there is "another way" now
		p.form.Refuse(p.stays)
	}
}

// current is the factor that is asked for, or "".
func (p *prover) current() string {
	if p.at < 0 || p.listed {
		return ""
	}
	return p.ways[p.at].ID
}

// block notes that the way of a factor is of no use now, if err says so.
func (p *prover) block(factor string, err error) (blocked bool, cmd tea.Cmd) {
	code := core.CodeOf(err)
	switch code {
	case core.CodeFactorOff, core.CodeMethodOff, core.CodeAllowance, core.CodeNotFound:
	default:
		return false, nil
	}
	p.ways = slices.Clone(p.ways)
	for i, w := range p.ways {
		if w.ID == factor {
			p.ways[i].Blocked = code
		}
	}
	if p.current() != factor {
		return true, nil
	}
	p.form.Release()
	p.show()
	p.problem = p.env.Sentence(err)
	return true, p.what.blocked()
}

// refuse takes a refusal of what was typed. Nothing of it stays.
func (p *prover) refuse(err error) tea.Cmd {
	if taken, cmd := p.what.over(err); taken {
		p.wipe()
		return cmd
	}
	if p.at < 0 {
		p.problem = p.env.Sentence(err)
		return nil
	}
	if blocked, cmd := p.block(p.ways[p.at].ID, err); blocked {
		return cmd
	}
	p.wipe()
	w := p.ways[p.at]
	r := ownRefusal(p.env, err)
	switch c := p.entry(w); {
	case c != nil:
		r = c.refusal(err)
	case w.Kind == core.FactorPassword && core.CodeOf(err) == core.CodeWait:
		r.Field = "password"
	case w.Kind == core.FactorRecovery:
		r.Field = "code"
	}
	p.form.Refuse(r)
	if r.Field == "" {
		p.form.Focus(p.fieldKey())
	}
	return nil
}

// fieldKey names the field of the way that is asked for.
func (p *prover) fieldKey() string {
	if p.ways[p.at].Kind == core.FactorPassword {
		return "password"
	}
	return "code"
}

// wipe forgets what was typed.
func (p *prover) wipe() {
	p.secret = ""
	for _, c := range p.entries {
		c.wipe()
	}
}

// spec is the form of the way that is asked for.
func (p *prover) spec() tui.FormSpec {
	e := p.env
	heading, text := p.what.intro()
	spec := tui.FormSpec{Submit: p.what.submit(), Busy: e.T("stepup.busy"), Do: p.send, Leave: p.away}
	if p.at < 0 {
		spec.Pages = []tui.Page{{Title: heading, Text: text}}
		return spec
	}
	w := p.ways[p.at]
	page := tui.Page{Title: heading, Text: strings.TrimSpace(text + "\n\n" + p.said(w))}
	switch c := p.entry(w); {
	case c != nil:
		page.Fields = []tui.Field{c.field(e.T("prove.code"))}
		spec.Extra = c.buttons()
	case w.Kind == core.FactorPassword:
		page.Fields = []tui.Field{tui.Secret{Key: "password", Label: e.T("stepup.password"), Value: &p.secret}}
	default:
		page.Fields = []tui.Field{tui.Text{Key: "code", Label: e.T("prove.code"), Value: &p.secret, Limit: maxCode, Hint: codeHint}}
	}
	if len(p.ways) > 1 || e.Demo && p.w < outboxRoom {
		spec.Extra = append(spec.Extra, tui.Button{Label: e.T("prove.another"), Do: func() tea.Cmd { p.show(); return nil }})
	}
	if e.Demo && sent(w) && p.w >= outboxRoom {
		spec.Extra = append(spec.Extra, tui.Button{Label: e.T("prove.outbox"), Do: p.outbox})
	}
	spec.Pages = []tui.Page{page}
	return spec
}

// outboxRoom is the least width at which the outbox has a button of its own;
// below it, it stands in the list of ways.
const outboxRoom = 70

// outbox opens the messages of a demonstration, where the codes are.
func (p *prover) outbox() tea.Cmd { return tui.Push(NewOutbox(p.env)) }

// sent says whether the code of a way comes in a message.
func sent(w core.Way) bool { return w.Kind == core.FactorSMS || w.Kind == core.FactorEmail }

// send returns the command that sends what was typed.
func (p *prover) send() tea.Cmd {
	w, typed := p.ways[p.at], p.secret
	if c := p.entry(w); c != nil {
		typed = c.typed
	}
	return p.what.prove(w, typed)
}

// away leaves, with nothing left behind.
func (p *prover) away() tea.Cmd {
	p.wipe()
	return p.what.leave()
}

// handle takes whatever the screen does not take itself.
func (p *prover) handle(msg tea.Msg) tea.Cmd {
	if !p.started() {
		return nil
	}
	if m, ok := msg.(sentAgain); ok && m.err == nil {
		for id, c := range p.entries {
			if c == m.to {
				p.sentTo = id
			}
		}
	}
	for _, c := range p.entries {
		if mine, cmd := c.handle(msg); mine {
			return cmd
		}
	}
	if !p.listed {
		return p.form.Handle(msg)
	}
	switch msg := msg.(type) {
	case tea.PasteMsg:
		return nil
	case tea.KeyPressMsg:
		if msg.String() == "esc" {
			return p.back()
		}
		cmd, _ := p.list.key(msg)
		return cmd
	}
	return p.form.Handle(msg)
}

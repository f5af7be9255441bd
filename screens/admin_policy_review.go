// Before a policy is put in force: what changes, whom it touches, counted on the
// data as it is, and why it is done. A count can be left; nothing is in force
// until the last button was pressed and the person has shown who they are.

package screens

import (
	"context"
	"errors"
	"maps"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// policyReview is the page.
type policyReview struct {
	*tui.Form
	env  *Env
	work *policyWork

	impact core.Impact
	known  bool // impact was counted
	err    error
	done   int // accounts looked at, while it is counted
	total  int
	turn   int // counts counts: only the newest one's steps are taken
	stop   context.CancelFunc

	confirm string // what was typed out, where a change asks for that
	accept  bool   // it was said to be known whom it leaves without
	busy    tui.Busy
	w       int
}

// countStep is how far a count has come.
type countStep struct {
	turn        int
	done, total int
	steps       <-chan countStep
	last        bool
	impact      core.Impact
	err         error
}

// policyConfirmed is the result of the dialog in which something was typed out.
type policyConfirmed struct{ typed string }

// policyAccepted is the result of the dialog about who is left without.
type policyAccepted struct{}

var (
	_ tui.Screen   = (*policyReview)(nil)
	_ tui.Titled   = (*policyReview)(nil)
	_ tui.Helper   = (*policyReview)(nil)
	_ tui.Typer    = (*policyReview)(nil)
	_ tui.Cursored = (*policyReview)(nil)
)

func newPolicyReview(w *policyWork) tui.Screen {
	s := &policyReview{env: w.env, work: w}
	s.Form = tui.NewForm(w.env.Session, s.spec)
	return s
}

// Init begins to count.
func (s *policyReview) Init() tea.Cmd { return tea.Batch(s.Form.Init(), s.count()) }

// count returns the command that counts the impact anew.
func (s *policyReview) count() tea.Cmd {
	s.leaveCount()
	ctx, cancel := context.WithCancel(s.env.Ctx)
	s.turn++
	s.stop, s.known, s.err, s.done, s.total = cancel, false, nil, 0, 0
	policies, actor, turn, values := s.env.Portal.Policy, s.env.Actor(), s.turn, maps.Clone(s.work.values)
	return func() tea.Msg {
		steps := make(chan countStep, 1)
		go func() {
			impact, err := policies.Impact(ctx, actor, values, func(done, total int) {
				select {
				case steps <- countStep{turn: turn, done: done, total: total, steps: steps}:
				default: // the screen has not drawn the last one yet
				}
			})
			select {
			case <-steps:
			default:
			}
			steps <- countStep{turn: turn, last: true, impact: impact, err: err}
		}()
		return <-steps
	}
}

// counting says whether a count is under way.
func (s *policyReview) counting() bool { return s.stop != nil }

func (s *policyReview) leaveCount() {
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
}

func (s *policyReview) counted(m countStep) tea.Cmd {
	if m.turn != s.turn || s.stop == nil {
		return nil
	}
	if !m.last {
		s.done, s.total = m.done, m.total
		return func() tea.Msg { return <-m.steps }
	}
	s.leaveCount()
	s.impact, s.err, s.known = m.impact, m.err, m.err == nil
	return nil
}

func (s *policyReview) spec() tui.FormSpec {
	e := s.env
	return tui.FormSpec{
		Pages: []tui.Page{{Fields: []tui.Field{
			tui.Note{Show: s.changes},
			tui.Note{Show: s.effects},
			tui.Text{Key: "reason", Label: e.T("policy.reason"), Value: &s.work.reason, Limit: core.MaxReason, Optional: true, Hint: e.T("policy.reason_hint")},
		}}},
		Submit: e.T("policy.put_in_force"), Busy: e.T("policy.putting"),
		Extra: []tui.Button{{Label: e.T("policy.save_draft"), Do: s.saveDraft}},
		Do:    s.send, Leave: s.leave,
	}
}

func (s *policyReview) leave() tea.Cmd {
	s.leaveCount()
	return tui.Pop()
}

func (s *policyReview) saveDraft() tea.Cmd {
	s.leaveCount()
	return s.work.put()
}

// send returns the command that puts the change in force.
func (s *policyReview) send() tea.Cmd {
	s.leaveCount()
	policies, actor := s.env.Portal.Policy, s.env.Actor()
	c := core.PolicyChange{Values: maps.Clone(s.work.values), Version: s.work.base.Version, Reason: s.work.reason, Accept: s.accept, Confirm: s.confirm}
	return call(s.env.Ctx, func(ctx context.Context) (core.Policy, error) { return policies.Set(ctx, actor, c) })
}

// Update takes the count, the core's answer, and what other pages left behind.
func (s *policyReview) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case countStep:
		return s, s.counted(m)
	case answer[core.Policy]:
		return s, s.answered(m)
	case answer[policyClash]:
		s.busy.Stop()
		if m.Err != nil {
			s.refuse(m.Err)
			return s, nil
		}
		s.Release()
		return s, tui.Push(newPolicyMerge(s.work, m.Value))
	case policyPut:
		if m.err != nil {
			s.refuse(m.err)
			return s, nil
		}
		s.work.dirty = false
		return s, tea.Sequence(tui.Pop(), tui.Toast(tui.Good, s.env.T("policy.kept")))
	case tui.BackMsg:
		return s, s.back(m)
	case tea.KeyPressMsg:
		switch k := m.String(); {
		case s.busy.On():
			return s, nil
		case k == "esc" && s.counting():
			s.leaveCount()
			return s, nil
		case k == "ctrl+r" && !s.counting() && !s.Busy():
			return s, s.count()
		case k == "ctrl+d":
			return s, tui.Push(newPolicyDiff(s.work))
		}
	case tea.PasteMsg:
		if s.busy.On() {
			return s, nil
		}
	}
	return s, tea.Batch(s.busy.Handle(msg), s.Handle(msg))
}

func (s *policyReview) answered(m answer[core.Policy]) tea.Cmd {
	s.busy.Stop()
	switch core.CodeOf(m.Err) {
	case "":
		return tea.Sequence(tui.PopWith(policySaved{m.Value}), tui.Toast(tui.Good, s.env.T("policy.saved", "Version", m.Value.Version)))
	case core.CodeStepUp:
		s.Release()
		return tui.Push(newStepUp(s.env, "stepup.why_policy"))
	case core.CodeConflict:
		if refusal := (*core.Error)(nil); errors.As(m.Err, &refusal) && refusal.Field != "" {
			break // factors went on changing; the policy is still the one this began from
		}
		return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), s.clash())
	case core.CodeConfirm:
		s.Release()
		return tui.Push(s.typeOut())
	case core.CodeLosesFactor, core.CodeLocksOut:
		s.Release()
		return tui.Push(s.sure(m.Err))
	}
	s.refuse(m.Err)
	return nil
}

// refuse says why it was not put in force, where whoever reads it is: the list
// above it may be longer than the screen.
func (s *policyReview) refuse(err error) {
	s.Refuse(tui.Refusal{Field: "reason", Text: s.env.policyRefusal(err)})
}

// clash returns the command that reads what somebody else has changed meanwhile.
func (s *policyReview) clash() tea.Cmd {
	policies, actor, base, mine := s.env.Portal.Policy, s.env.Actor(), s.work.base.Version, maps.Clone(s.work.values)
	return call(s.env.Ctx, func(ctx context.Context) (c policyClash, err error) {
		if c.policy, err = policies.Current(ctx, actor); err != nil {
			return c, err
		}
		c.merge, err = policies.Merge(ctx, actor, base, mine)
		return c, err
	})
}

// typeOut asks to type out that accounts are to be deleted at once.
func (s *policyReview) typeOut() tui.Screen {
	e := s.env
	return tui.NewConfirm(e.Session, func() tui.ConfirmSpec {
		return tui.ConfirmSpec{
			Title: e.T("policy.once_title"), Text: e.T("policy.once_text"), Name: core.ConfirmOnce, Yes: e.T("policy.put_in_force"),
			Do: func() tea.Cmd {
				return func() tea.Msg { return tui.Confirmed{Result: policyConfirmed{core.ConfirmOnce}} }
			},
		}
	})
}

// sure asks whether people may be left without a factor, or locked out.
func (s *policyReview) sure(err error) tui.Screen {
	e := s.env
	return tui.NewConfirm(e.Session, func() tui.ConfirmSpec {
		return tui.ConfirmSpec{
			Title: e.T("policy.sure"), Text: e.Sentence(err) + " " + e.T("policy.sure_text"), Yes: e.T("policy.put_in_force"),
			Do: func() tea.Cmd { return func() tea.Msg { return tui.Confirmed{Result: policyAccepted{}} } },
		}
	})
}

func (s *policyReview) back(m tui.BackMsg) tea.Cmd {
	again := func() tea.Cmd {
		return tea.Batch(s.busy.Start(s.env.Session, s.env.T("policy.putting")), s.send())
	}
	switch r := m.Result.(type) {
	case proved:
		return again()
	case tui.Confirmed:
		if _, ok := r.Result.(policyAccepted); ok {
			s.accept = true
			return again()
		}
		if c, ok := r.Result.(policyConfirmed); ok {
			s.confirm = c.typed
			return again()
		}
	case policyMerged:
		if s.accept = false; len(r.values) == 0 { // theirs is all that was wanted
			return tea.Sequence(tui.PopWith(r), tui.Toast(tui.Info, s.env.T("policy.nothing")))
		}
		s.work.rebase(r.policy, r.values)
		s.Refresh()
		return s.count()
	}
	return nil
}

// SetSize takes the room of the page.
func (s *policyReview) SetSize(w, h int) {
	s.w = w
	s.Form.SetSize(w, h)
}

// View is the form, and under it that it is sent again.
func (s *policyReview) View() string {
	if busy := s.busy.View(s.env.Theme); busy != "" {
		return s.Form.View() + "\n" + busy
	}
	return s.Form.View()
}

// Title names the page.
func (s *policyReview) Title() string { return s.env.T("policy.review_title") }

// Help returns the keys that work now.
func (s *policyReview) Help() []key.Binding {
	e := s.env
	out := append([]key.Binding{}, s.Form.Help()...)
	if s.counting() {
		return append(out, e.bind("esc", "policy.key_leave_count"))
	}
	return append(out, e.bind("ctrl+d", "policy.key_diff"), e.bind("ctrl+r", "policy.key_count"))
}

// What is said of a new password while it is typed: how long it would withstand
// guessing, which rules of the policy it keeps, why it is weak and what would
// help. Sign-up, setup and every change of a password share it.

package screens

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"postern/core"
	"postern/core/password"
	"postern/tui"
)

// passwordFeedback judges a password at every key. Its rules are checked at
// once; its score, which takes milliseconds, is worked out in a command, and
// only the newest one counts. A screen hands it what is typed with Ask, its
// messages with Update, and uses Below and Refusal in the field.
type passwordFeedback struct {
	env    *Env
	guide  func() core.PasswordGuide
	person func() core.Person

	score  tui.Latest[password.Score]
	scored *password.Score // the newest score there is; stale while one is awaited
	fresh  bool            // scored is that of the password judged last
	empty  bool
	checks []password.Check

	drawn feedbackView
}

// feedbackView keeps what was drawn last, and for what.
type feedbackView struct {
	text  string
	width int
	theme *tui.Theme
	dict  *tui.Dict
}

// newPasswordFeedback returns the feedback on one field. guide returns the rules
// in force, or the zero guide while they are still being read: nothing is said
// until then, and the screen calls Ask when they have come. person returns what
// is known of whose password it is to be.
func newPasswordFeedback(env *Env, guide func() core.PasswordGuide, person func() core.Person) *passwordFeedback {
	f := &passwordFeedback{env: env, guide: guide, person: person}
	f.Forget()
	return f
}

// known says whether the rules have been read: a policy always has a least length.
func (f *passwordFeedback) known() bool { return f.guide().Rules.MinLength > 0 }

// Ask judges pw and returns the command that scores it, which may be nil. It is
// called when pw, the person or the guide has changed, and keeps no copy of pw
// but in that command.
func (f *passwordFeedback) Ask(pw string) tea.Cmd {
	f.drawn = feedbackView{}
	f.empty, f.fresh = pw == "", false
	if !f.known() {
		return nil
	}
	guide, person := f.guide(), f.person()
	if f.empty {
		f.scored = nil
		f.score.Forget()
	}
	f.checks = guide.Check(pw, person, f.scored)
	if f.empty {
		return nil
	}
	return f.score.Ask(func() password.Score { return guide.Estimate(pw, person) })
}

// Update takes the message of a command that Ask returned. mine says that it was
// one; cmd must then be run.
func (f *passwordFeedback) Update(msg tea.Msg) (mine bool, cmd tea.Cmd) {
	score, fresh, mine, next := f.score.Answer(msg)
	if fresh && !f.empty {
		f.scored, f.fresh = &score, true
		f.drawn = feedbackView{}
		// The other rules do not depend on the score; this saves going over
		// the password again, and keeping it for that.
		least := f.guide().Rules.MinScore
		for i := range f.checks {
			if f.checks[i].Rule != password.RuleMinScore {
				continue
			}
			f.checks[i].State = password.Fail
			if score.Value >= least {
				f.checks[i].State = password.Pass
			}
		}
	}
	return mine, next
}

// Refusal is the field's Check: why pw would be refused as far as can be told
// here, or "". Whatever is left (its history, a score that is still awaited) the
// core finds.
func (f *passwordFeedback) Refusal(pw string) string {
	if !f.known() || pw == "" {
		return ""
	}
	var score *password.Score
	if f.fresh {
		score = f.scored
	}
	for _, c := range f.guide().Check(pw, f.person(), score) {
		if c.State == password.Fail {
			return f.env.Sentence(&core.Error{Code: core.CodePassword, Rule: string(c.Rule), N: c.N})
		}
	}
	return ""
}

// Forget lets go of what a command still holds of the password. It is called
// when the screen wipes the field.
func (f *passwordFeedback) Forget() { f.Ask("") }

// Below is the field's panel. It keeps its height while one types.
func (f *passwordFeedback) Below(width int) string {
	v := &f.drawn
	if v.text == "" || v.width != width || v.theme != f.env.Theme || v.dict != f.env.Dict {
		*v = feedbackView{f.draw(width), width, f.env.Theme, f.env.Dict}
	}
	return v.text
}

func (f *passwordFeedback) draw(width int) string {
	if !f.known() {
		return ""
	}
	t := f.env.Theme
	advice := strings.Split(tui.Wrap(f.advice(), width), "\n")
	for len(advice) < adviceLines {
		advice = append(advice, "")
	}
	for i, line := range advice {
		advice[i] = t.Muted.Render(line)
	}
	return strings.Join(append([]string{f.meter(width), t.Checklist(f.items(), width)}, advice...), "\n")
}

// adviceLines is the room kept for advice, so that the fields under the panel
// stay where they are when it comes and goes.
const adviceLines = 2

// meter is the strength, or the first advice while there is nothing to measure.
func (f *passwordFeedback) meter(width int) string {
	t := f.env.Theme
	switch {
	case f.empty:
		return t.Muted.Render(tui.Wrap(f.env.T("advice."+string(password.AdviceUseWords)), width))
	case f.scored == nil:
		return ""
	}
	s := f.scored
	word, span := f.env.T("strength."+strconv.Itoa(s.Value)), f.env.Dict.Guess(s.Seconds)
	line := t.Meter(s.Value, word, f.env.T("feedback.to_guess", "Span", span), roomForAll)
	for _, shorter := range []string{span, ""} {
		if ansi.StringWidth(line) > width {
			line = t.Meter(s.Value, word, shorter, roomForAll)
		}
	}
	return line
}

// roomForAll is more than any meter with its words takes.
const roomForAll = 200

func (f *passwordFeedback) items() []tui.Item {
	items := make([]tui.Item, len(f.checks))
	for i, c := range f.checks {
		items[i].Text = f.env.RuleText(string(c.Rule), c.N)
		switch {
		case f.empty || c.State == password.Pending:
			items[i].Check = tui.Pending
		case c.State == password.Pass:
			items[i].Check = tui.Passed
		default:
			items[i].Check = tui.Failed
		}
	}
	return items
}

// advice is the warning and what would help most, in two sentences at most.
func (f *passwordFeedback) advice() string {
	if f.empty {
		return f.env.T("advice." + string(password.AdviceNoComposition))
	}
	if f.scored == nil {
		return ""
	}
	var parts []string
	if f.scored.Warning != "" {
		parts = append(parts, f.env.T("warn."+string(f.scored.Warning)))
	}
	if a := helpful(f.scored); a != "" {
		parts = append(parts, f.env.T("advice."+string(a)))
	}
	return strings.Join(parts, " ")
}

// helpful is the advice to show beside a warning. The first one is general;
// those after it are about this very password, and better unless they only turn
// the warning round ("Dates are easy to guess. Leave out dates …").
func helpful(s *password.Score) password.Advice {
	if len(s.Advice) == 0 {
		return ""
	}
	for _, a := range s.Advice[1:] {
		if a != echo(s.Warning) {
			return a
		}
	}
	return s.Advice[0]
}

// echo is the advice that says no more than the warning w does.
func echo(w password.Warning) password.Advice {
	switch w {
	case password.WarnPersonal:
		return password.AdviceAvoidPersonal
	case password.WarnRepeatedChar, password.WarnRepeatedBlock:
		return password.AdviceAvoidRepeats
	case password.WarnSequence:
		return password.AdviceAvoidSequences
	case password.WarnYear:
		return password.AdviceAvoidYears
	case password.WarnDate:
		return password.AdviceAvoidDates
	}
	return ""
}

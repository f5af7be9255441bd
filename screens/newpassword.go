// A new password: typed twice, judged while it is typed.

package screens

import (
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"postern/tui"
)

// newPassword is the pair of fields, for whatever form asks for a new password.
type newPassword struct {
	env          *Env
	label        string // a key of the dictionary
	feedback     *passwordFeedback
	typed, again string
}

func (p *newPassword) fields() []tui.Field {
	e := p.env
	return []tui.Field{
		tui.Secret{Key: "password", Label: e.T(p.label), Value: &p.typed, Check: p.feedback.Refusal, Below: p.feedback.Below},
		tui.Secret{Key: "again", Label: e.T("feedback.again"), Value: &p.again, Aside: p.same, Check: func(v string) string {
			if v != p.typed {
				return e.T("feedback.not_same")
			}
			return ""
		}},
	}
}

// judge returns the command that judges the password as it stands.
func (p *newPassword) judge() tea.Cmd { return p.feedback.Ask(p.typed) }

// same compares the two as soon as there is as much of the second as of the first.
func (p *newPassword) same() string {
	t := p.env.Theme
	switch {
	case p.again == "":
		return ""
	case p.again == p.typed:
		return t.Good.Render(t.Signs.OK + " " + p.env.T("feedback.same"))
	case utf8.RuneCountInString(p.again) < utf8.RuneCountInString(p.typed):
		return ""
	default:
		return t.Bad.Render(t.Signs.No + " " + p.env.T("feedback.differs"))
	}
}

// wipe forgets both.
func (p *newPassword) wipe() {
	p.typed, p.again = "", ""
	p.feedback.Forget()
}

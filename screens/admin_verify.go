// What the check of the trail is to be made against: a head that was noted earlier,
// in a place that whoever could write the trail anew does not reach.

package screens

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// maxHeadText is how long a noted head may be as it is pasted: the longest that
// there is has 85 characters, and blanks come with what is copied.
const maxHeadText = 120

// verifyAsk asks for a noted head before the check begins, so that a head that was
// copied badly costs no walk through the trail.
type verifyAsk struct {
	*tui.Form
	env   *Env
	noted string
}

var (
	_ tui.Screen   = (*verifyAsk)(nil)
	_ tui.Titled   = (*verifyAsk)(nil)
	_ tui.Helper   = (*verifyAsk)(nil)
	_ tui.Typer    = (*verifyAsk)(nil)
	_ tui.Cursored = (*verifyAsk)(nil)
	_ tui.Asking   = (*verifyAsk)(nil)
)

// newVerifyAsk returns the screen, with the head that was asked about before.
func newVerifyAsk(env *Env, noted string) tui.Screen {
	s := &verifyAsk{env: env, noted: noted}
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

func (s *verifyAsk) spec() tui.FormSpec {
	e := s.env
	return tui.FormSpec{
		Pages: []tui.Page{{Text: e.T("chain.ask_text"), Fields: []tui.Field{
			tui.Text{Key: "head", Label: e.T("chain.noted_head"), Value: &s.noted, Limit: maxHeadText, Optional: true, Hint: e.T("chain.noted_hint"), Check: s.check},
		}}},
		Submit: e.T("chain.submit"),
		Do:     func() tea.Cmd { return tui.Replace(newVerify(e, oneWord(s.noted))) },
	}
}

// oneWord takes out the blanks: a narrow page breaks a head, and so is it copied.
func oneWord(s string) string { return strings.Join(strings.Fields(s), "") }

// check refuses what cannot be a head. Blanks alone are none.
func (s *verifyAsk) check(v string) string {
	if v = oneWord(v); v == "" {
		return ""
	}
	if _, err := core.ParseChainHead(v); err != nil {
		return s.env.T("chain.head_format")
	}
	return ""
}

// Update hands everything to the form.
func (s *verifyAsk) Update(msg tea.Msg) (tui.Screen, tea.Cmd) { return s, s.Handle(msg) }

// Title is that of the check.
func (s *verifyAsk) Title() string { return s.env.T("chain.title") }

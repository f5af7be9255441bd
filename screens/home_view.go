// How home looks: one column at 80 cells, two at 120. Where there is not room
// enough in height, blank lines go first and then what is well.

package screens

import (
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"postern/core/text"
	"postern/tui"
)

// escaped is how a foreign string reaches the screen.
func escaped(s string) string { return text.Escape(s) }

// line is one finding of the check-up: whether all is well, a sentence, and the
// key of the way to mend it ("" when there is nothing to mend).
type line struct {
	well bool
	text string
	mend string
}

// soon is how long before a password is due the check-up begins to say so.
const soon = 7 * 24 * time.Hour

// findings are the lines of the check-up.
func (s *home) findings() []line {
	e, c := s.env, s.check
	out := []line{s.passwordFinding()}
	if c.HasEmail {
		out = append(out, line{true, e.T("home.email"), ""})
	} else {
		out = append(out, line{false, e.T("home.no_email"), keyProfile})
	}
	if c.OtherDoors == 0 {
		out = append(out, line{true, e.T("home.no_others"), ""})
	} else {
		out = append(out, line{false, e.T("home.others", "Count", c.OtherDoors), keySessions})
	}
	if c.Refused == 0 {
		out = append(out, line{true, e.T("home.no_refused"), ""})
	} else {
		out = append(out, line{false, e.T("home.refused", "Count", c.Refused), keyActivity})
	}
	switch {
	case s.mayLink():
		out = append(out, line{false, e.T("home.key_unlinked"), keyLink})
	case c.KeyLinked:
		out = append(out, line{true, e.T("home.key_linked"), ""})
	case c.Keys > 0:
		out = append(out, line{true, e.T("home.keys", "Count", c.Keys), ""})
	}
	return out
}

func (s *home) passwordFinding() line {
	e, c := s.env, s.check
	switch {
	case c.PasswordDue.IsZero():
		if c.PasswordAge < 24*time.Hour {
			return line{true, e.T("home.password_new"), ""}
		}
		return line{true, e.T("home.password_age", "Span", e.Dict.Duration(c.PasswordAge)), ""}
	case s.now.IsZero() || c.PasswordDue.Sub(s.now) > soon:
		return line{true, e.T("home.password_until", "Date", e.Dict.Date(c.PasswordDue)), ""}
	case c.PasswordDue.After(s.now):
		return line{false, e.T("home.password_soon", "When", e.Dict.Relative(c.PasswordDue, s.now)), keyPassword}
	}
	return line{false, e.T("home.password_due"), keyPassword}
}

// View draws the page.
func (s *home) View() string {
	e := s.env
	name := s.check.DisplayName
	if name == "" {
		name = s.check.UserName
	}
	head := []string{e.Theme.Heading.Render(ansi.Truncate(e.T("home.hello", "Name", escaped(name)), s.w, e.Theme.Signs.Ellipsis))}
	for _, w := range s.waiting() {
		head = append(head, strings.Split(w, "\n")...)
	}
	if s.w >= tui.DetailWidth {
		half := (s.w - 4) / 2
		left, right := s.checkView(half, true), s.waysView(half)
		return strings.Join(head, "\n") + "\n\n" +
			lipgloss.JoinHorizontal(lipgloss.Top, lipgloss.NewStyle().Width(half+4).Render(strings.Join(left, "\n")), strings.Join(right, "\n"))
	}
	w := min(s.w, tui.BodyWidth)
	ways := s.waysView(w)
	for _, fewer := range []struct{ blanks, well bool }{{true, true}, {false, true}, {false, false}} {
		lines := append([]string{}, head...)
		gap := func() {
			if fewer.blanks {
				lines = append(lines, "")
			}
		}
		gap()
		lines = append(lines, s.checkView(w, fewer.well)...)
		gap()
		lines = append(lines, ways...)
		if len(lines) <= s.h || !fewer.well {
			return strings.Join(s.keepMarked(lines, len(ways)), "\n")
		}
	}
	return ""
}

// keepMarked cuts lines to the height so that the marked way, among the last
// lines of the page, stays visible.
func (s *home) keepMarked(lines []string, ways int) []string {
	if len(lines) <= s.h {
		return lines
	}
	marked := len(lines) - ways + 1 + s.menu.index(s.ways())
	top := max(min(marked-s.h+1, len(lines)-s.h), 0)
	return lines[top : top+s.h]
}

// waiting is what the person should know of first.
func (s *home) waiting() []string {
	e, th := s.env, s.env.Theme
	w := min(s.w, tui.BodyWidth) - 2
	hang := func(sign, text string) string {
		return sign + " " + strings.ReplaceAll(tui.Wrap(text, w), "\n", "\n  ")
	}
	var out []string
	if s.err != nil {
		out = append(out, hang(th.Bad.Render(th.Signs.No), e.Sentence(s.err)))
	}
	if busy := s.busy.View(th); busy != "" {
		out = append(out, busy)
	}
	if s.check.Pending > 0 {
		out = append(out, hang(th.Accent.Render(th.Signs.Arrow), e.T("home.pending", "Count", s.check.Pending)))
	}
	return out
}

// checkView draws the check-up, or only what is not well.
func (s *home) checkView(w int, well bool) []string {
	e, th := s.env, s.env.Theme
	lines := []string{th.Heading.Render(e.T("home.check"))}
	bad := 0
	for _, f := range s.findings() {
		if !f.well {
			bad++
		} else if !well {
			continue
		}
		sign := th.Warn.Render("!")
		if f.well {
			sign = th.Good.Render(th.Signs.OK)
		}
		sentence := f.text
		hint := ""
		if f.mend != "" {
			hint = "  " + th.Key.Render(f.mend)
		}
		wrapped := strings.Split(tui.Wrap(sentence, w-4-3), "\n")
		for i, l := range wrapped {
			if i > 0 {
				sign = " "
			}
			if i == len(wrapped)-1 {
				l += hint
			}
			lines = append(lines, "  "+sign+" "+l)
		}
	}
	if bad == 0 && !well {
		lines = append(lines, "  "+th.Good.Render(th.Signs.OK)+" "+e.T("home.all_well"))
	}
	return lines
}

// waysView draws the ways on.
func (s *home) waysView(w int) []string {
	return append([]string{s.env.Theme.Heading.Render(s.env.T("home.ways"))}, strings.Split(s.menu.view(w), "\n")...)
}

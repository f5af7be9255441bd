// How home looks: one column at 80 cells, two at 120. Where there is not room
// enough in height, blank lines go first, then what is well, then the word about
// the marked way, and at last the findings that come after the first ones.

package screens

import (
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"postern/core"
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
	out := append([]line{s.passwordFinding()}, s.factorFindings()...)
	switch {
	case !c.HasEmail:
		out = append(out, line{false, e.T("home.no_email"), keyProfile})
	case !c.EmailConfirmed:
		out = append(out, line{false, e.T("home.unconfirmed"), keyConfirm})
	default:
		out = append(out, line{true, e.T("home.email"), ""})
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
	if c.ContactsMissing > 0 {
		out = append(out, line{false, e.T("contact.warn", "Count", c.ContactsMissing), keyAdmin})
	}
	if c.MessagesDead > 0 {
		out = append(out, line{false, e.T("home.dead", "Count", c.MessagesDead), keyAdmin})
	}
	return out
}

// factorFindings say how the account is protected beside its password.
func (s *home) factorFindings() []line {
	e, c := s.env, s.check
	var out []line
	switch {
	case c.Protected:
		out = append(out, line{true, e.T("home.protected"), ""})
	case c.Must && !s.now.IsZero() && !s.now.Before(c.MustBy):
		out = append(out, line{false, e.T("home.must_now"), keyFactors})
	case c.Must:
		out = append(out, line{false, e.T("home.must", "Date", e.Dict.Date(c.MustBy)), keyFactors})
	case c.Guardable:
		out = append(out, line{false, e.T("home.unprotected"), keyFactors})
	}
	if c.FactorsOff > 0 {
		out = append(out, line{false, e.T("home.factors_off", "Count", c.FactorsOff), keyFactors})
	}
	switch r := c.Recovery; {
	case r.Made.IsZero() && !c.Protected: // nothing to recover from
	case r.Made.IsZero():
		out = append(out, line{false, e.T("home.no_recovery"), keyFactors})
	case r.Left == 0:
		out = append(out, line{false, e.T("home.recovery_none"), keyFactors})
	case r.Left <= core.RecoveryLow:
		out = append(out, line{false, e.T("home.recovery_low", "Count", r.Left), keyFactors})
	default:
		out = append(out, line{true, e.T("home.recovery", "Count", r.Left), ""})
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
		left, right := s.checkView(half, true, all), s.waysView(half)
		return strings.Join(head, "\n") + "\n\n" +
			lipgloss.JoinHorizontal(lipgloss.Top, lipgloss.NewStyle().Width(half+4).Render(strings.Join(left, "\n")), strings.Join(right, "\n"))
	}
	return strings.Join(s.column(head, min(s.w, tui.BodyWidth)), "\n")
}

// column sets everything under each other, with as little as the height asks for.
func (s *home) column(head []string, w int) []string {
	ways := s.waysView(w)
	bare := ways
	if i := slices.Index(ways, ""); i >= 0 {
		bare = ways[:i]
	}
	room := s.h - len(head) - len(bare)
	var lines []string
	blank := []string{""}
	for _, less := range []struct {
		above, between []string // the findings, and the two parts
		well           bool
		ways           []string
		most           int
	}{
		{blank, blank, true, ways, all}, {nil, blank, true, ways, all}, {nil, nil, true, ways, all},
		{nil, nil, false, ways, all}, {nil, nil, false, bare, all}, {nil, nil, false, bare, room},
		{nil, nil, false, bare[1:], room + 1}, // without a title, too
	} {
		lines = slices.Concat(head, less.above, s.checkView(w, less.well, less.most), less.between, less.ways)
		if len(lines) <= s.h {
			return lines
		}
	}
	return s.keepMarked(lines, len(bare)-1)
}

// all is more lines than a check-up has.
const all = 1 << 10

// keepMarked cuts lines to the height so that the marked way, among the last
// lines of the page, stays visible.
func (s *home) keepMarked(lines []string, ways int) []string {
	if len(lines) <= s.h {
		return lines
	}
	marked := len(lines) - ways + s.menu.index(s.ways())
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
	if r := s.check.Request; s.check.Asked {
		out = append(out, hang(th.Warn.Render(th.Signs.Arrow), e.T("deletion.stands."+string(r.State), "Due", e.Dict.DateTime(r.Due))+" "+e.T("deletion.home", "Key", keyPrivacy)))
	}
	if s.check.Requests > 0 {
		out = append(out, hang(th.Accent.Render(th.Signs.Arrow), e.T("requests.waiting", "Count", s.check.Requests)))
	}
	if s.check.Pending > 0 {
		out = append(out, hang(th.Accent.Render(th.Signs.Arrow), e.T("home.pending", "Count", s.check.Pending)))
	}
	return out
}

// checkView draws the check-up, or only what is not well, in at most so many
// lines; what is left out then is counted.
func (s *home) checkView(w int, well bool, most int) []string {
	e, th := s.env, s.env.Theme
	lines := []string{th.Heading.Render(e.T("home.check"))}
	bad, left := 0, 0
	for _, f := range s.findings() {
		if !f.well {
			bad++
		} else if !well {
			continue
		}
		block := s.finding(f, w)
		if left > 0 || len(lines)+len(block) > max(most-1, 1) && most != all {
			left++
			continue
		}
		lines = append(lines, block...)
	}
	switch {
	case left > 0:
		lines = append(lines, "  "+th.Warn.Render("!")+" "+e.T("home.more", "Count", left))
	case bad == 0 && !well:
		lines = append(lines, "  "+th.Good.Render(th.Signs.OK)+" "+e.T("home.all_well"))
	}
	return lines
}

// finding draws one line of the check-up, wrapped beside its sign.
func (s *home) finding(f line, w int) []string {
	th := s.env.Theme
	sign, hint := th.Warn.Render("!"), ""
	if f.well {
		sign = th.Good.Render(th.Signs.OK)
	}
	if f.mend != "" {
		hint = "  " + th.Key.Render(f.mend)
	}
	lines := strings.Split(tui.Wrap(f.text, w-4-3), "\n")
	for i, l := range lines {
		if i == len(lines)-1 {
			l += hint
		}
		lines[i] = "  " + sign + " " + l
		sign = " "
	}
	return lines
}

// waysView draws the ways on.
func (s *home) waysView(w int) []string {
	return append([]string{s.env.Theme.Heading.Render(s.env.T("home.ways"))}, strings.Split(s.menu.view(w), "\n")...)
}

// How recovery codes look: on the screen, and in the file that is printed.

package screens

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"postern/core"
	"postern/tui"
)

// meaning says what recovery codes are for, and what becomes of those before.
func (s *recovery) meaning(width int) string {
	e := s.env
	parts := []string{
		tui.Wrap(e.T("recovery.text", "Count", core.RecoveryCodes), width),
		tui.Wrap(e.T("recovery.where"), width),
	}
	if have := s.have.Recovery; have.Left > 0 {
		parts = append(parts, tui.Wrap(e.T("recovery.have", "Count", have.Left, "Date", e.Dict.Date(have.Made)), width))
	}
	return strings.Join(parts, "\n\n")
}

// paper draws the codes: two columns, and in lines one under the other.
func (s *recovery) paper(width int) string {
	e, th := s.env, s.env.Theme
	if !s.shown() {
		return ""
	}
	rows := numberedCodes(s.sheet.Codes)
	if !e.Caps.Lines {
		half := (len(rows) + 1) / 2
		for i := range half {
			if i+half < len(rows) {
				rows[i] += "     " + rows[i+half]
			}
		}
		rows = rows[:half]
	}
	return tui.Wrap(e.T("recovery.once"), width) + "\n\n" + th.Heading.Render(strings.Join(rows, "\n"))
}

// numberedCodes are codes as they are read aloud and crossed out.
func numberedCodes(codes []string) []string {
	out := make([]string, len(codes))
	for i, c := range codes {
		out[i] = fmt.Sprintf("%3d  %s", i+1, c)
	}
	return out
}

// ways says how else the codes can be kept, and what came of it.
func (s *recovery) ways(width int) string {
	e, th := s.env, s.env.Theme
	if !s.shown() {
		return ""
	}
	var lines []string
	if s.fetches() {
		lines = append(lines, "", th.Muted.Render(tui.Wrap(e.T("recovery.fetch"), width)),
			ansi.Hardwrap("ssh HOST factor codes "+s.sheet.Seed+" > codes.txt", max(width, 1), true))
	}
	switch {
	case s.note == "" || e.Caps.Lines:
	case s.bad:
		lines = append(lines, "", th.Bad.Render(th.Signs.No+" "+hangBy(2, tui.Wrap(s.note, width-2))))
	default:
		lines = append(lines, "", th.Good.Render(th.Signs.OK)+" "+hangBy(2, tui.Wrap(s.note, width-2)))
	}
	return strings.Join(lines, "\n")
}

// fetches says whether `ssh HOST factor codes` would act for this account: the
// connection came by SSH with a key that is linked to it.
func (s *recovery) fetches() bool {
	return s.env.Actor().Door == core.DoorSSH && slices.ContainsFunc(s.have.Keys, func(k core.LinkedKey) bool {
		return k.Fingerprint == s.have.Here && k.Ended.IsZero()
	})
}

// file is the codes as they are kept in a file or a clipboard.
func (s *recovery) file() string {
	e := s.env
	lines := []string{
		e.T("recovery.file_title", "Portal", e.PortalName(), "User", escaped(e.Me().UserName)),
		e.T("recovery.file_text"), "",
	}
	lines = append(lines, numberedCodes(s.sheet.Codes)...)
	return strings.Join(lines, "\n") + "\n"
}

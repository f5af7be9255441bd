// One's own trail, the newest first: what this account did, and what was done to it.

package screens

import (
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// Sizes of the list.
const (
	activityPage = 100
	// activitySearch is how many entries a filter looks through by itself;
	// beyond them the end of the list reads on.
	activitySearch = 2000
)

// activity lists the trail of the account.
type activity struct {
	listing
	env    *Env
	office bool // it is read by those who look after the portal, and names deleted accounts by their ids
	busy   tui.Busy

	entries []core.Entry
	next    string // where to read on; "" is the end
	now     time.Time
	read    bool // something has been read
	waiting bool // a page is on its way
	err     error
}

// activityRead is one page of the trail. after "" is the newest.
type activityRead struct {
	page  core.AuditPage
	after string
	now   time.Time
	err   error
}

var (
	_ tui.Screen   = (*activity)(nil)
	_ tui.Titled   = (*activity)(nil)
	_ tui.Helper   = (*activity)(nil)
	_ tui.Typer    = (*activity)(nil)
	_ tui.Cursored = (*activity)(nil)
	_ tui.Mouser   = (*activity)(nil)
	_ tui.Numbered = (*activity)(nil)
)

// NewActivity returns the screen.
func NewActivity(env *Env) tui.Screen {
	s := &activity{env: env}
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Empty = func() string { return env.T("activity.empty") }
	s.table.Detail = s.drawn.once(s.detail)
	s.table.Open = func(r tui.Row) tea.Cmd { return tui.Push(s.page(r.ID)) }
	return s
}

// Init reads the newest page.
func (s *activity) Init() tea.Cmd { return s.fetch("") }

// fetch returns the command that reads the page after a place, or nil while one
// is on its way.
func (s *activity) fetch(after string) tea.Cmd {
	if s.waiting {
		return nil
	}
	s.waiting = true
	ctx, audit, actor, clock := s.env.Ctx, s.env.Portal.Audit, s.env.Actor(), s.env.Clock
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		page, err := audit.Mine(ctx, actor, after, activityPage)
		return activityRead{page, after, clock(), err}
	})
}

// Update takes pages and keys.
func (s *activity) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case activityRead:
		s.waiting = false
		s.busy.Stop()
		s.take(msg)
		return s, s.readOn()
	case tui.RestyleMsg:
		s.table.Handle(msg)
		s.fill()
		return s, nil
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg:
		cmd, used := s.table.Handle(msg)
		if used {
			return s, tea.Batch(cmd, s.readOn())
		}
		if k, ok := msg.(tea.KeyPressMsg); ok {
			switch k.String() {
			case "esc":
				return s, tui.Pop()
			case "r":
				return s, s.fetch("")
			}
		}
		return s, nil
	}
	return s, s.busy.Handle(msg)
}

// take joins a page to what is there. What is newer than everything stands
// before it, and the place in the list stays; when there is a gap, the list
// begins anew.
func (s *activity) take(m activityRead) {
	if s.err = m.err; m.err != nil {
		return
	}
	s.now, s.read = m.now, true
	got := m.page.Entries
	switch {
	case m.after != "":
		s.entries, s.next = append(s.entries, got...), m.page.Next
	case len(s.entries) == 0:
		s.entries, s.next = got, m.page.Next
	default:
		newest := s.entries[0].ID
		if i := slices.IndexFunc(got, func(e core.Entry) bool { return e.ID == newest }); i >= 0 {
			s.entries = append(slices.Clone(got[:i]), s.entries...)
		} else {
			s.entries, s.next = got, m.page.Next
		}
	}
	s.fill()
}

// readOn returns the command that reads the next page when the mark has come to
// the end of what is there, or when a filter has not looked through enough.
func (s *activity) readOn() tea.Cmd {
	if s.next == "" || s.waiting || s.err != nil {
		return nil
	}
	searching := s.table.Filter() != "" && len(s.entries) < activitySearch
	last, ok := s.table.Selected()
	atEnd := ok && last.ID == s.entries[len(s.entries)-1].ID
	if !searching && !atEnd {
		return nil
	}
	return s.fetch(s.next)
}

func (s *activity) find(id string) (core.Entry, bool) {
	i := slices.IndexFunc(s.entries, func(e core.Entry) bool { return e.ID == id })
	if i < 0 {
		return core.Entry{}, false
	}
	return s.entries[i], true
}

// Title names the page.
func (s *activity) Title() string { return s.env.T("activity.title") }

// Help returns the keys that work now.
func (s *activity) Help() []key.Binding {
	if s.table.Typing() {
		return s.table.Help()
	}
	return append(s.table.Help(), s.env.bind("r", "page.refresh"), s.env.bind("esc", "key.back"))
}

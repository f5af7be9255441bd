// People, for those who look after them: searched, filtered and marked; what is
// done to those who are marked is admin_people_acts.go.

package screens

import (
	"context"
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// people lists accounts.
type people struct {
	headed
	env    *Env
	busy   tui.Busy
	search textinput.Model
	typing bool
	query  core.PeopleQuery
	seen   string           // the choice that the query's range of the last sign-in was made from
	came   core.PeopleQuery // what one came to see: esc goes back from it

	window  peopleWindow
	turn    int  // counts searches; what an older one brings is dropped
	waiting bool // a page is on its way
	stop    context.CancelFunc
	walk    peopleWalk // how far the page on its way is
	again   []int      // pages that are to be read anew
	looked  int        // people that this search has looked at
	sorted  core.PeopleSort
	now     time.Time
	read    bool // something was read
	err     error

	marked map[string]string // user names by id
	shown  personRead        // what the marked row's details were last
	reads  tui.Latest[personRead]
}

// peopleRead is one page of people.
type peopleRead struct {
	turn, index int
	page        core.PeoplePage
	now         time.Time
	err         error
}

// peopleWalk says how far the page on its way is, where it is found by a walk
// through everybody; more waits for the next word of it.
type peopleWalk struct {
	turn, looked, of int
	more             tea.Cmd
}

// personRead is what was read of one person.
type personRead struct {
	id     string
	person core.AccountDetail
	err    error
}

var (
	_ tui.Screen   = (*people)(nil)
	_ tui.Titled   = (*people)(nil)
	_ tui.Helper   = (*people)(nil)
	_ tui.Typer    = (*people)(nil)
	_ tui.Cursored = (*people)(nil)
	_ tui.Mouser   = (*people)(nil)
	_ tui.Numbered = (*people)(nil)
)

// NewPeople returns the screen.
func NewPeople(env *Env) tui.Screen {
	s := &people{env: env, marked: map[string]string{}, search: textinput.New()}
	s.search.Prompt = ""
	s.search.SetVirtualCursor(false)
	s.search.CharLimit = core.MaxSearch
	for _, b := range []*key.Binding{&s.search.KeyMap.Paste, &s.search.KeyMap.AcceptSuggestion} {
		b.Unbind()
	}
	s.window.reset()
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Empty = s.empty
	s.table.Detail = s.detail
	s.table.Open = func(r tui.Row) tea.Cmd { return tui.Push(newPerson(env, r.ID)) }
	s.head, s.left = s.above, 1
	return s
}

// newPeopleAt returns the screen with a search that one comes to see.
func newPeopleAt(env *Env, q core.PeopleQuery) tui.Screen {
	s, _ := NewPeople(env).(*people)
	s.query, s.came = q, q
	return s
}

// Init reads the first page.
func (s *people) Init() tea.Cmd { return s.fetch(0) }

// fetch returns the command that reads a page, or nil while one is on its way.
func (s *people) fetch(index int) tea.Cmd {
	if s.waiting {
		return nil
	}
	ctx, cancel := context.WithCancel(s.env.Ctx)
	s.waiting, s.stop, s.walk = true, cancel, peopleWalk{}
	accounts, actor, clock := s.env.Portal.Accounts, s.env.Actor(), s.env.Clock
	q, turn := s.query, s.turn
	q.After, q.N = s.window.starts[index], listPage
	words := make(chan peopleWalk, 1) // only the newest word counts
	read := func() tea.Msg {
		defer cancel()
		defer close(words)
		page, err := accounts.SearchWatched(ctx, actor, q, func(looked, of int) {
			select {
			case <-words:
			default:
			}
			words <- peopleWalk{turn: turn, looked: looked, of: of}
		})
		return peopleRead{turn, index, page, clock(), err}
	}
	cmd := tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), read)
	if !s.walks() {
		return cmd
	}
	var next tea.Cmd
	next = func() tea.Msg {
		if w, open := <-words; open {
			w.more = next
			return w
		}
		return nil
	}
	return tea.Batch(cmd, next)
}

// walks says whether a page of the order takes a walk through everybody.
func (s *people) walks() bool {
	return s.query.Sort == core.SortSeen || s.query.Sort == core.SortUnseen
}

// giveUp ends the reading that is under way: nobody waits for it any more.
func (s *people) giveUp() {
	if s.stop != nil {
		s.stop()
	}
}

// anew begins the search again. What is there stays until its first page comes.
func (s *people) anew() tea.Cmd {
	s.giveUp()
	s.turn++
	s.waiting, s.again, s.looked, s.err = false, nil, 0, nil
	s.window.reset()
	return s.fetch(0)
}

// reread reads again what is held; where a page takes a walk, only the one that
// the mark is on stays.
func (s *people) reread() tea.Cmd {
	if len(s.window.pages) == 0 {
		return s.anew()
	}
	if r, ok := s.table.Selected(); ok && s.walks() {
		s.window.only(r.ID)
	}
	s.again = s.window.held()
	return s.readOn()
}

// Update takes pages, what other screens left behind, and keys.
func (s *people) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if m, fresh, mine, next := s.reads.Answer(msg); mine {
		if fresh {
			s.shown = m
			s.drawn.forget()
		}
		return s, next
	}
	switch msg := msg.(type) {
	case peopleRead:
		return s, s.take(msg)
	case peopleWalk:
		if msg.turn == s.turn && s.waiting {
			s.walk = msg
		}
		return s, msg.more
	case tui.BackMsg:
		return s, s.back(msg)
	case tui.RestyleMsg:
		s.table.Handle(msg)
		s.fill()
		return s, nil
	case tea.KeyPressMsg:
		if s.typing {
			return s, s.ask(msg)
		}
		if cmd, used := s.key(msg.String()); used {
			return s, cmd
		}
		cmd, _ := s.handle(msg)
		return s, tea.Batch(cmd, s.readOn(), s.look())
	case tea.PasteMsg:
		if s.typing {
			return s, s.ask(msg)
		}
		return s, nil
	case tea.MouseMsg:
		cmd, _ := s.handle(msg)
		return s, tea.Batch(cmd, s.readOn(), s.look())
	}
	return s, s.busy.Handle(msg)
}

func (s *people) take(m peopleRead) tea.Cmd {
	if m.turn != s.turn {
		return nil
	}
	s.waiting = false
	s.busy.Stop()
	if s.err = m.err; m.err != nil {
		s.again = nil
		return nil
	}
	if m.index >= s.window.first+len(s.window.pages) {
		s.looked += m.page.Looked
	}
	s.window.take(m.index, m.page.Accounts, m.page.Next)
	s.now, s.read, s.sorted = m.now, true, m.page.Sort
	s.fill()
	return tea.Batch(s.readOn(), s.look())
}

// readOn returns the command that reads what is to be read anew, or the page that
// the mark has come to the edge of.
func (s *people) readOn() tea.Cmd {
	if s.waiting || s.err != nil {
		return nil
	}
	for len(s.again) > 0 {
		page := s.again[0]
		s.again = s.again[1:]
		if page < len(s.window.starts) {
			return s.fetch(page)
		}
	}
	at, ok := s.table.Selected()
	if !ok {
		return nil
	}
	rows := s.table.Rows()
	if page, more := s.window.after(); more && at.ID == rows[len(rows)-1].ID {
		return s.fetch(page)
	}
	if page, more := s.window.back(); more && at.ID == rows[0].ID {
		return s.fetch(page)
	}
	return nil
}

// look returns the command that reads the details of the marked row, where there
// is room for them.
func (s *people) look() tea.Cmd {
	at, ok := s.table.Selected()
	if !ok || s.w < tui.DetailWidth || at.ID == s.shown.id {
		return nil
	}
	s.shown = personRead{id: at.ID}
	ctx, accounts, actor := s.env.Ctx, s.env.Portal.Accounts, s.env.Actor()
	return s.reads.Ask(func() personRead {
		d, err := accounts.Show(ctx, actor, at.ID)
		return personRead{at.ID, d, err}
	})
}

// ask edits the text of the search; the list follows.
func (s *people) ask(msg tea.Msg) tea.Cmd {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch k.String() {
		case "esc":
			s.typing = false
			s.search.SetValue("")
			return s.searched()
		case "enter", "tab", "down", "up":
			s.typing = false
			return nil
		}
	}
	s.search, _ = s.search.Update(msg)
	return s.searched()
}

// searched returns the command that searches by the text, when it is another.
func (s *people) searched() tea.Cmd {
	if s.search.Value() == s.query.Text {
		return nil
	}
	s.query.Text = s.search.Value()
	return s.anew()
}

// key does what k says, before the table sees it.
func (s *people) key(k string) (cmd tea.Cmd, used bool) {
	switch k {
	case "esc":
		if s.filtered() && !s.asCame() {
			s.clear()
			return s.anew(), true
		}
		s.giveUp()
		return tui.Pop(), true
	case "/":
		s.typing = true
		s.search.CursorEnd()
		return s.search.Focus(), true
	case "f":
		return tui.Push(newPeopleFilter(s.env, s.query, s.seen)), true
	case "s":
		orders := core.PeopleSorts()
		s.query.Sort = orders[(max(slices.Index(orders, s.query.Sort), 0)+1)%len(orders)]
		return s.anew(), true
	case "r":
		s.shown = personRead{}
		return s.reread(), true
	case "l":
		if page, more := s.window.after(); more {
			return s.fetch(page), true
		}
		return nil, true
	}
	if !s.manages() {
		return nil, false
	}
	switch k {
	case "space":
		return s.mark(), true
	case "a":
		s.markAll()
		return nil, true
	case "m":
		return s.act(""), true
	case "y", "n":
		if !s.waits() {
			return nil, true
		}
		return s.act(map[string]core.BulkKind{"y": core.BulkApprove, "n": core.BulkReject}[k]), true
	}
	return nil, false
}

// manages says whether the person may do something to accounts.
func (s *people) manages() bool { return s.env.may(core.OpManageAccounts) }

// waits says whether the one whose row it is, or somebody who is marked, waits for
// approval, as far as that is known here.
func (s *people) waits() bool {
	for _, page := range s.window.pages {
		for _, a := range page {
			if s.marked[a.ID] != "" && a.State == core.StatePending {
				return true
			}
		}
	}
	if len(s.marked) > 0 {
		return false
	}
	r, ok := s.table.Selected()
	if !ok {
		return false
	}
	a, ok := s.find(r.ID)
	return ok && a.State == core.StatePending
}

// back takes what a filter, an act or a person's page left behind.
func (s *people) back(msg tui.BackMsg) tea.Cmd {
	s.shown = personRead{}
	switch r := msg.Result.(type) {
	case peopleFiltered:
		s.query.State, s.query.Factor, s.query.Role, s.query.Sort = r.query.State, r.query.Factor, r.query.Role, r.query.Sort
		s.query.SeenAfter, s.query.SeenBefore, s.seen = r.query.SeenAfter, r.query.SeenBefore, r.seen
		return s.anew()
	case peopleActed:
		clear(s.marked)
		s.fill()
		return s.reread()
	case personSeen:
		return s.reread()
	}
	return s.look()
}

// filtered says whether not everybody is listed.
func (s *people) filtered() bool {
	q := s.query
	return q.Text != "" || q.State != "" || q.Factor != "" || q.Role != "" || s.seen != ""
}

// asCame says whether those are listed whom one came to see, in whatever order.
func (s *people) asCame() bool {
	q := s.query
	q.Sort = s.came.Sort
	return q == s.came
}

// clear lists everybody again.
func (s *people) clear() {
	s.query, s.seen = core.PeopleQuery{Sort: s.query.Sort}, ""
	s.search.SetValue("")
}

func (s *people) find(id string) (core.Account, bool) {
	for _, page := range s.window.pages {
		for _, a := range page {
			if a.ID == id {
				return a, true
			}
		}
	}
	return core.Account{}, false
}

// Typing says whether the search is being typed.
func (s *people) Typing() bool { return s.typing }

// Title names the page.
func (s *people) Title() string { return s.env.T("people.title") }

// Help returns the keys that work now.
func (s *people) Help() []key.Binding {
	e := s.env
	switch {
	case s.typing:
		return []key.Binding{e.bind("enter", "key.keep"), e.bind("esc", "key.clear")}
	case !s.read:
		return e.waitingKeys(s.err)
	}
	keys := []key.Binding{e.bind("/", "people.key_search")}
	if _, some := s.table.Selected(); s.manages() && some {
		if s.waits() {
			keys = append(keys, e.bind("y", "people.key_approve"), e.bind("n", "people.key_reject"))
		}
		keys = append(keys, e.bind("m", "people.key_acts"), e.bind("space", "people.key_mark"))
	}
	keys = append(keys, e.bind("f", "people.key_filter"), e.bind("s", "people.key_sort"))
	if _, more := s.window.after(); more {
		keys = append(keys, e.bind("l", "people.key_further"))
	}
	if s.manages() {
		keys = append(keys, e.bind("a", "people.key_all"))
	}
	table := slices.DeleteFunc(s.table.Help(), func(b key.Binding) bool { return b.Help().Key == "/" })
	return append(afterOpen(table, keys...), e.bind("r", "page.refresh"), e.bind("esc", "key.back"))
}

// Lists that are read page by page, the newest first, as far as somebody goes.

package screens

import (
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/tui"
)

// Sizes of such lists.
const (
	listPage = 100
	// listSearch is how many entries a filter looks through by itself; beyond
	// them the end of the list reads on.
	listSearch = 2000
)

// paged is what was read of a list. It can begin anew, when something else is
// to be seen of it: what was asked for before then no longer counts.
type paged[T any] struct {
	id   func(T) string
	list []T
	next string    // where to read on; "" is the end
	now  time.Time // when the last page was read
	read bool      // something has been read
	err  error     // why the last reading failed

	turn    int  // counts beginnings
	waiting bool // a page is on its way
	replace bool // the next page replaces what is there
}

// wanted is a page that is to be read: after "" is the newest.
type wanted struct {
	turn  int
	after string
}

// pageRead is a page that has been read.
type pageRead[T any] struct {
	wanted
	list []T
	next string
	now  time.Time
	err  error
}

// want says which page is to be read; ok is false while one is on its way.
func (p *paged[T]) want(after string) (w wanted, ok bool) {
	if p.waiting {
		return wanted{}, false
	}
	p.waiting = true
	return wanted{p.turn, after}, true
}

// anew begins the list again. What is there stays until the first page comes.
func (p *paged[T]) anew() {
	p.turn++
	p.waiting, p.replace = false, true
}

// take joins a page to what is there, and says whether it was one that counts.
// The newest page takes the place of what it covers, so that changes are seen;
// what was read beyond it stays. When there is a gap between, the list begins
// with it.
func (p *paged[T]) take(m pageRead[T]) bool {
	if m.turn != p.turn {
		return false
	}
	p.waiting = false
	if p.err = m.err; m.err != nil {
		if p.replace {
			p.list, p.next, p.read = nil, "", false
		}
		return true
	}
	p.now, p.read = m.now, true
	switch {
	case m.after != "":
		p.list, p.next = append(p.list, m.list...), m.next
	case p.replace || m.next == "":
		p.list, p.next = m.list, m.next
	default:
		last := p.id(m.list[len(m.list)-1])
		if i := slices.IndexFunc(p.list, func(x T) bool { return p.id(x) == last }); i >= 0 {
			p.list = slices.Concat(m.list, p.list[i+1:])
		} else {
			p.list, p.next = m.list, m.next
		}
	}
	p.replace = false
	return true
}

// further says where to read on: when the mark of the table has come to the end
// of what is there, or when its filter has not looked through enough.
func (p *paged[T]) further(t *tui.Table) (after string, ok bool) {
	if p.next == "" || p.waiting || p.err != nil || len(p.list) == 0 {
		return "", false
	}
	searching := t.Filter() != "" && len(p.list) < listSearch
	marked, some := t.Selected()
	return p.next, searching || some && marked.ID == p.id(p.list[len(p.list)-1])
}

// readOn returns the command that reads on, where that is wanted.
func (p *paged[T]) readOn(t *tui.Table, fetch func(after string) tea.Cmd) tea.Cmd {
	if after, ok := p.further(t); ok {
		return fetch(after)
	}
	return nil
}

// input hands a key, a paste or a click to the table, and reads on when that led
// to the end of what is there. A key that the table has no use for is the screen's.
func (p *paged[T]) input(t *tui.Table, msg tea.Msg, fetch, key func(string) tea.Cmd) tea.Cmd {
	cmd, used := t.Handle(msg)
	if used {
		return tea.Batch(cmd, p.readOn(t, fetch))
	}
	if k, ok := msg.(tea.KeyPressMsg); ok {
		return key(k.String())
	}
	return nil
}

// arrived takes a page, and reads on when more is wanted already. A page that does
// not count any more changes nothing.
func (p *paged[T]) arrived(m pageRead[T], busy *tui.Busy, t *tui.Table, fill func(), fetch func(string) tea.Cmd) tea.Cmd {
	if !p.take(m) {
		return nil
	}
	busy.Stop()
	fill()
	return p.readOn(t, fetch)
}

// unread says what stands in the place of the list as long as there is none: that it
// is read, or why that failed.
func (p *paged[T]) unread(e *Env, busy *tui.Busy, w int) (said string, unread bool) {
	switch {
	case p.read:
		return "", false
	case p.err != nil:
		return e.failure(p.err, w), true
	}
	return busy.View(e.Theme), true
}

// find returns the entry with an id, to be read or changed in place.
func (p *paged[T]) find(id string) (*T, bool) {
	i := slices.IndexFunc(p.list, func(x T) bool { return p.id(x) == id })
	if i < 0 {
		return nil, false
	}
	return &p.list[i], true
}

// foot is the line under the table: how much of the list is there, that more is
// looked up, or why that failed.
func (p *paged[T]) foot(e *Env, busy *tui.Busy, said string, w int) string {
	th := e.Theme
	if p.err != nil {
		return th.Bad.Render(th.Pad(th.Signs.No+" "+e.Sentence(p.err), w))
	}
	if turning := busy.View(th); turning != "" {
		return turning
	}
	return th.Muted.Render(th.Pad(said, w))
}

// afterOpen puts keys behind the one that opens a row, if there is one: a narrow
// footer has no room for those that are understood by themselves.
func afterOpen(table []key.Binding, keys ...key.Binding) []key.Binding {
	at := 0
	if len(table) > 0 && table[0].Help().Key == "enter" {
		at = 1
	}
	return slices.Insert(table, at, keys...)
}

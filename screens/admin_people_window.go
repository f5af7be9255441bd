// A window on a list of any length: some pages of it are held, and of the others
// only where they begin, so that a million people take no more room than a thousand.

package screens

import (
	"slices"

	"postern/core"
)

// windowPages is how many pages of people are held at once.
const windowPages = 10

// peopleWindow holds pages that lie side by side. Pages are counted from 0.
type peopleWindow struct {
	starts []string // the cursor at which each known page begins
	first  int      // the page that is held first
	pages  [][]core.Account
	before int // people on the pages before first
}

// reset begins at the first page, with nothing held.
func (w *peopleWindow) reset() { *w = peopleWindow{starts: []string{""}} }

// list returns everybody who is held.
func (w *peopleWindow) list() []core.Account { return slices.Concat(w.pages...) }

// after and back are the pages to read at the end and at the beginning of what is
// held; ok is false where the list itself ends or begins.
func (w *peopleWindow) after() (page int, ok bool) {
	page = w.first + len(w.pages)
	return page, page < len(w.starts)
}

func (w *peopleWindow) back() (page int, ok bool) { return w.first - 1, w.first > 0 }

// take puts a page that was read into its place; next is where the one after it
// begins, "" for none. What lies at the other end goes when it is too much.
func (w *peopleWindow) take(page int, people []core.Account, next string) {
	at := page - w.first
	switch {
	case at >= 0 && at < len(w.pages):
		w.pages[at] = people
	case at == len(w.pages):
		w.pages = append(w.pages, people)
		if len(w.pages) > windowPages {
			w.before += len(w.pages[0])
			w.pages, w.first = slices.Clone(w.pages[1:]), w.first+1
		}
	case at == -1:
		w.before -= len(people)
		w.pages, w.first = slices.Insert(w.pages, 0, people), page
		if page == 0 {
			w.before = 0
		}
		if len(w.pages) > windowPages {
			w.pages = w.pages[:windowPages]
		}
	default:
		return
	}
	switch {
	case next == "" && page+1 < len(w.starts):
		w.starts = w.starts[:page+1]
		w.pages = w.pages[:min(len(w.pages), page+1-w.first)]
	case next != "" && page+1 < len(w.starts):
		w.starts[page+1] = next
	case next != "":
		w.starts = append(w.starts, next)
	}
}

// only lets go of all pages but the one that somebody is on.
func (w *peopleWindow) only(id string) {
	for i, page := range w.pages {
		if slices.ContainsFunc(page, func(a core.Account) bool { return a.ID == id }) {
			for _, before := range w.pages[:i] {
				w.before += len(before)
			}
			w.pages, w.first = slices.Clone(w.pages[i:i+1]), w.first+i
			return
		}
	}
}

// held are the pages that are held, to be read again.
func (w *peopleWindow) held() []int {
	out := make([]int, len(w.pages))
	for i := range out {
		out[i] = w.first + i
	}
	return out
}

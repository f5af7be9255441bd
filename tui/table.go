// Tables: aligned columns, one marked row, a filter, and the same place again
// when somebody comes back.

package tui

import (
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
)

// DetailWidth is the width of a table's room from which details stand beside it.
const DetailWidth = 120 - 2*margin

// Column is one column of a Table.
type Column struct {
	Title string
	// Min is the least width in cells; the widest cell decides up to Max (0: no limit).
	Min, Max int
	// Right aligns numbers.
	Right bool
	// Spare columns are left out, the last one first, where there is no room.
	Spare bool
}

// Row is one row. Cells are shown as they are: what comes from strangers is
// cleaned before it gets here.
type Row struct {
	// ID stays the same when rows are read again; the marked row is found by it.
	ID    string
	Cells []string
	// Here marks the row that is about the person looking.
	Here bool
	// Note stands after the last column: "new".
	Note string
}

// Table is a list that can be walked through. Its rows live in it; everything
// about what they mean lives in the screen.
type Table struct {
	s *Session
	// Columns, Empty and Detail are asked at every view, so that they follow the language.
	Columns func() []Column
	// Empty says what would be here and how to begin.
	Empty func() string
	// Detail says more about the marked row: beside the table where there is
	// room, under it otherwise. Nil says nothing.
	Detail func(r Row, width int) string
	// Open is called when enter or a click opens a row.
	Open func(r Row) tea.Cmd

	rows    []Row
	shown   []int // indices of the rows that the filter lets through
	at, top int   // positions in shown
	filter  textinput.Model
	asking  bool
	w, h    int
	layout  []int // widths of the columns, 0 is left out
	header  int   // lines above the first row in the last view
}

// NewTable returns an empty table.
func NewTable(s *Session, columns func() []Column) *Table {
	t := &Table{s: s, Columns: columns, w: BodyWidth, h: 16, filter: textinput.New()}
	t.filter.Prompt = ""
	t.filter.SetVirtualCursor(false)
	t.filter.CharLimit = 64
	for _, b := range []*key.Binding{&t.filter.KeyMap.Paste, &t.filter.KeyMap.AcceptSuggestion} {
		b.Unbind()
	}
	return t
}

// SetSize takes the room for the table and its details.
func (t *Table) SetSize(w, h int) {
	t.w, t.h = w, h
	t.layout = nil
}

// SetRows replaces the rows. The mark stays on the row with the same id, or
// where that row was.
func (t *Table) SetRows(rows []Row) {
	id := ""
	if r, ok := t.Selected(); ok {
		id = r.ID
	}
	t.rows = rows
	t.refilter()
	t.Select(id)
}

// Rows returns the rows, filtered or not.
func (t *Table) Rows() []Row { return t.rows }

// Selected returns the marked row.
func (t *Table) Selected() (Row, bool) {
	if t.at < 0 || t.at >= len(t.shown) {
		return Row{}, false
	}
	return t.rows[t.shown[t.at]], true
}

// Select marks the row with id, if it is shown.
func (t *Table) Select(id string) {
	for i, r := range t.shown {
		if id != "" && t.rows[r].ID == id {
			t.at = i
		}
	}
	t.at = max(min(t.at, len(t.shown)-1), 0)
}

// Choices returns how many rows the filter lets through.
func (t *Table) Choices() int { return len(t.shown) }

// Typing says whether the filter is being typed.
func (t *Table) Typing() bool { return t.asking }

// Filter returns what rows are filtered by.
func (t *Table) Filter() string { return t.filter.Value() }

// refilter finds the rows that contain every word of the filter.
func (t *Table) refilter() {
	words := strings.Fields(strings.ToLower(t.filter.Value()))
	t.shown = t.shown[:0]
	for i, r := range t.rows {
		text := strings.ToLower(strings.Join(r.Cells, "\x00") + "\x00" + r.Note)
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
			t.shown = append(t.shown, i)
		}
	}
	t.layout = nil
}

// Handle takes keys, pastes and the mouse. used says that the table knew what
// to do with msg; a screen handles the rest.
func (t *Table) Handle(msg tea.Msg) (cmd tea.Cmd, used bool) {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		return t.key(msg)
	case tea.PasteMsg:
		if t.asking {
			t.ask(msg)
			return nil, true
		}
	case tea.MouseWheelMsg:
		switch msg.Button {
		case tea.MouseWheelUp:
			t.move(-3)
		case tea.MouseWheelDown:
			t.move(3)
		}
		return nil, true
	case tea.MouseClickMsg:
		row := t.top + msg.Y - t.header
		if msg.Button != tea.MouseLeft || msg.Y < t.header || row >= len(t.shown) || msg.Y >= t.header+t.lines() {
			return nil, false
		}
		if row == t.at {
			return t.open(), true
		}
		t.at = row
		return nil, true
	case RestyleMsg:
		t.layout = nil
	}
	return nil, false
}

func (t *Table) key(msg tea.KeyPressMsg) (tea.Cmd, bool) {
	k := msg.String()
	if t.asking {
		switch k {
		case "esc":
			t.asking = false
			t.filter.SetValue("")
			t.changeFilter()
			return nil, true
		case "enter", "tab", "down", "up":
			t.asking = false
			return nil, true
		}
		t.ask(msg)
		return nil, true
	}
	switch k {
	case "up", "k":
		t.move(-1)
	case "down", "j":
		t.move(1)
	case "pgup", "ctrl+b":
		t.move(-t.lines())
	case "pgdown", "ctrl+f":
		t.move(t.lines())
	case "home", "g":
		t.move(-len(t.shown))
	case "end", "G":
		t.move(len(t.shown))
	case "/":
		t.asking = true
		t.filter.Focus()
		t.filter.CursorEnd()
	case "enter":
		return t.open(), true
	case "esc":
		if t.filter.Value() == "" {
			return nil, false
		}
		t.filter.SetValue("")
		t.changeFilter()
	default:
		return nil, false
	}
	return nil, true
}

// ask edits the filter.
func (t *Table) ask(msg tea.Msg) {
	was := t.filter.Value()
	t.filter, _ = t.filter.Update(msg)
	if t.filter.Value() != was {
		t.changeFilter()
	}
}

// changeFilter keeps the marked row marked as long as it is shown.
func (t *Table) changeFilter() {
	r, _ := t.Selected()
	t.refilter()
	t.Select(r.ID)
}

func (t *Table) move(by int) { t.at = max(min(t.at+by, len(t.shown)-1), 0) }

func (t *Table) open() tea.Cmd {
	r, ok := t.Selected()
	if !ok || t.Open == nil {
		return nil
	}
	return t.Open(r)
}

// Mouse says that tables take clicks and the wheel.
func (t *Table) Mouse() bool { return len(t.rows) > 0 }

// Help returns the keys that work now.
func (t *Table) Help() []key.Binding {
	bind := func(keys, name, desc string) key.Binding {
		return key.NewBinding(key.WithKeys(keys), key.WithHelp(name, t.s.T(desc)))
	}
	if t.asking {
		return []key.Binding{bind("enter", "enter", "key.keep"), bind("esc", "esc", "key.clear")}
	}
	var out []key.Binding
	if t.Open != nil && len(t.shown) > 0 {
		out = append(out, bind("enter", "enter", "key.open"))
	}
	if len(t.rows) > 1 {
		updown := "up/down"
		if t.s.Caps.UTF8 {
			updown = "↑ ↓"
		}
		out = append(out, bind("up", updown, "key.move"), bind("/", "/", "key.filter"))
	}
	return out
}

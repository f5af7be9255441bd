// Second factors: everything beside the password that proves who one is, in one
// list. From here they are added, renamed and removed, and new recovery codes made.

package screens

import (
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// factorList lists the factors, keys and recovery codes of the account.
type factorList struct {
	listing
	env   *Env
	busy  tui.Busy
	reads tui.Latest[factorsRead]

	have core.Protection
	now  time.Time // when have was read; zero before the first reading
	err  error     // why the last reading failed
	head []string  // what stands above the list

	problem string        // why something that was wanted did not happen, once its dialog has gone
	wanted  removedFactor // what is to be removed after a step-up
}

// factorsRead is what one reading brought, with its time.
type factorsRead struct {
	have core.Protection
	now  time.Time
	err  error
}

// The rows are named by what they are: a factor by its id, a key by its fingerprint.
const (
	rowFactor   = "factor/"
	rowKey      = "key/"
	rowRecovery = "recovery"
)

// The keys of what can be done with a row.
const (
	keyDefault = "d"
	keyRename  = "n"
	keyEnd     = "e"
	keyRemove  = "x"
	keyCodes   = "c"
)

var (
	_ tui.Screen   = (*factorList)(nil)
	_ tui.Titled   = (*factorList)(nil)
	_ tui.Helper   = (*factorList)(nil)
	_ tui.Typer    = (*factorList)(nil)
	_ tui.Cursored = (*factorList)(nil)
	_ tui.Mouser   = (*factorList)(nil)
	_ tui.Numbered = (*factorList)(nil)
)

// NewFactors returns the screen.
func NewFactors(env *Env) tui.Screen {
	s := &factorList{env: env}
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Empty = s.empty
	s.table.Detail = s.drawn.once(s.detail)
	s.table.Open = func(r tui.Row) tea.Cmd { return tui.Push(s.page(r.ID)) }
	return s
}

// Init reads the list.
func (s *factorList) Init() tea.Cmd { return s.refresh() }

// refresh returns the command that reads the list, and says so if it takes long.
func (s *factorList) refresh() tea.Cmd {
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), s.read())
}

// read returns the command that reads the list, or nil while one is on its way.
func (s *factorList) read() tea.Cmd {
	ctx, factors, actor, clock := s.env.Ctx, s.env.Portal.Factors, s.env.Actor(), s.env.Clock
	return s.reads.Ask(func() factorsRead {
		have, err := factors.Mine(ctx, actor)
		return factorsRead{have, clock(), err}
	})
}

// Update takes readings, what other screens left behind, and keys.
func (s *factorList) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if m, fresh, mine, next := s.reads.Answer(msg); mine {
		if fresh {
			s.busy.Stop()
			s.take(m)
		}
		return s, next
	}
	switch msg := msg.(type) {
	case defaultSet:
		return s, s.defaulted(msg)
	case removedFactor:
		return s, s.removed(msg)
	case tui.BackMsg:
		return s, s.back(msg)
	case tui.RestyleMsg:
		s.table.Handle(msg)
		s.fill()
		return s, nil
	case tea.MouseClickMsg:
		msg.Y -= len(s.head)
		cmd, _ := s.table.Handle(msg)
		return s, cmd
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg:
		cmd, used := s.table.Handle(msg)
		if k, ok := msg.(tea.KeyPressMsg); ok {
			s.say("")
			if !used {
				return s, s.key(k.String())
			}
		}
		return s, cmd
	}
	return s, s.busy.Handle(msg)
}

func (s *factorList) take(m factorsRead) {
	if s.err = m.err; m.err != nil {
		return
	}
	s.have, s.now = m.have, m.now
	s.fill()
}

// say says above the list why something did not happen, until the next key.
func (s *factorList) say(problem string) {
	if s.problem != problem {
		s.problem = problem
		s.fit()
	}
}

// key does what a key says that is not the table's.
func (s *factorList) key(k string) tea.Cmd {
	switch k {
	case "esc":
		return tui.Pop()
	case "r":
		return s.refresh()
	}
	if s.now.IsZero() || s.err != nil {
		return nil
	}
	switch k {
	case "a":
		return tui.Push(newAddFactor(s.env, s.have))
	case keyCodes:
		return tui.Push(newRecovery(s.env))
	}
	if r, ok := s.table.Selected(); ok {
		return s.act(r.ID, k)
	}
	return nil
}

// wantFactor is what a row's own page leaves behind for the list.
type wantFactor struct{ row, key string }

// act does with a row what a key says.
func (s *factorList) act(row, k string) tea.Cmd {
	switch {
	case !slices.Contains([]string{keyDefault, keyRename, keyEnd, keyRemove, keyCodes}, k):
		return nil
	case !s.offers(row, k):
		return tui.Toast(tui.Info, s.env.T("factors.not_here"))
	}
	switch k {
	case keyDefault:
		return s.setDefault(row)
	case keyRename:
		return s.rename(row)
	case keyEnd:
		return s.changeEnd(row)
	case keyRemove:
		return s.askRemove(row, false)
	case keyCodes:
		return tui.Push(newRecovery(s.env))
	}
	return nil
}

// offers says whether a key does something with a row.
func (s *factorList) offers(row, k string) bool {
	return slices.ContainsFunc(s.actions(row), func(b key.Binding) bool { return slices.Contains(b.Keys(), k) })
}

// actions are the keys of what can be done with a row.
func (s *factorList) actions(row string) []key.Binding {
	e := s.env
	if row == rowRecovery {
		return []key.Binding{e.bind(keyCodes, "factors.key_codes")}
	}
	var out []key.Binding
	if f, ok := s.factor(row); ok && !f.Default {
		out = append(out, e.bind(keyDefault, "factors.key_default"))
	}
	out = append(out, e.bind(keyRename, "factors.key_rename"))
	if k, ok := s.linked(row); ok && k.Ended.IsZero() {
		out = append(out, e.bind(keyEnd, "factors.key_end"))
	}
	return append(out, e.bind(keyRemove, "factors.key_remove"))
}

// back takes what a dialog or a page left behind.
func (s *factorList) back(msg tui.BackMsg) tea.Cmd {
	e := s.env
	said := func(words string) tea.Cmd { return tea.Batch(s.read(), tui.Toast(tui.Good, words)) }
	switch r := msg.Result.(type) {
	case proved:
		wanted := s.wanted
		s.wanted = removedFactor{}
		if wanted.row == "" {
			return s.read()
		}
		return tea.Batch(s.busy.Start(e.Session, e.T("factors.removing")), s.remove(wanted.row, wanted.sure))
	case wantFactor:
		return s.act(r.row, r.key)
	case tui.Confirmed:
		if done, ok := r.Result.(removedFactor); ok {
			return s.removed(done)
		}
	case core.Factor:
		return said(e.T("factors.added_now", "Name", escaped(r.Label)))
	case linkedKey:
		return said(e.T("home.linked"))
	case renamedFactor:
		return said(e.T("factors.renamed"))
	case keyEndSet:
		return said(e.T("factors.end_changed"))
	}
	s.wanted = removedFactor{}
	return s.read() // something may have changed meanwhile
}

// factor finds the factor of a row.
func (s *factorList) factor(row string) (core.Factor, bool) {
	id, ok := strings.CutPrefix(row, rowFactor)
	i := slices.IndexFunc(s.have.Factors, func(f core.Factor) bool { return f.ID == id })
	if !ok || i < 0 {
		return core.Factor{}, false
	}
	return s.have.Factors[i], true
}

// linked finds the linked key of a row.
func (s *factorList) linked(row string) (core.LinkedKey, bool) {
	fp, ok := strings.CutPrefix(row, rowKey)
	i := slices.IndexFunc(s.have.Keys, func(k core.LinkedKey) bool { return k.Fingerprint == fp })
	if !ok || i < 0 {
		return core.LinkedKey{}, false
	}
	return s.have.Keys[i], true
}

// Title names the page.
func (s *factorList) Title() string { return s.env.T("factors.title") }

// Help returns the keys that work now.
func (s *factorList) Help() []key.Binding {
	e := s.env
	switch {
	case s.table.Typing():
		return s.table.Help()
	case s.now.IsZero() || s.err != nil:
		return e.waitingKeys(s.err)
	}
	out := []key.Binding{e.bind("a", "factors.key_add")}
	r, ok := s.table.Selected()
	switch {
	case ok && e.Caps.Lines: // any of them may follow with a number
		out = append(out, e.bind(keyDefault, "factors.key_default"), e.bind(keyRename, "factors.key_rename"),
			e.bind(keyEnd, "factors.key_end"), e.bind(keyRemove, "factors.key_remove"))
	case ok && r.ID != rowRecovery:
		out = append(out, s.actions(r.ID)...)
	}
	out = append(out, e.bind(keyCodes, "factors.key_codes"))
	return append(append(out, s.table.Help()...), e.bind("r", "page.refresh"), e.bind("esc", "key.back"))
}

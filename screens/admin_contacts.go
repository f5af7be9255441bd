// The legal contacts, for those who set them: which are there, which are missing
// and why that matters.

package screens

import (
	"context"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// contactList lists every kind of contact.
type contactList struct {
	listing
	env   *Env
	busy  tui.Busy
	list  []core.Contact
	now   time.Time
	read  bool
	err   error
	clear core.ContactKind // what is cleared again after a proof
	first core.ContactKind // what is marked when the list was read first; "" for none
}

// contactsRead is what one reading brought.
type contactsRead struct {
	list []core.Contact
	now  time.Time
	err  error
}

// contactCleared is what came of taking a contact away.
type contactCleared struct {
	kind core.ContactKind
	err  error
}

// contactSet is what the form leaves behind when a contact was set.
type contactSet struct{}

var (
	_ tui.Screen   = (*contactList)(nil)
	_ tui.Titled   = (*contactList)(nil)
	_ tui.Helper   = (*contactList)(nil)
	_ tui.Typer    = (*contactList)(nil)
	_ tui.Cursored = (*contactList)(nil)
	_ tui.Mouser   = (*contactList)(nil)
	_ tui.Numbered = (*contactList)(nil)
)

// NewContacts returns the screen.
func NewContacts(env *Env) tui.Screen {
	s := &contactList{env: env}
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Detail = s.drawn.once(s.detail)
	s.table.Open = func(r tui.Row) tea.Cmd {
		c, _ := s.contact(core.ContactKind(r.ID))
		return tui.Push(newContactForm(env, core.ContactKind(r.ID), c))
	}
	return s
}

// newContactsAt returns the screen, on which one kind is marked.
func newContactsAt(env *Env, kind core.ContactKind) tui.Screen {
	s, _ := NewContacts(env).(*contactList)
	s.first = kind
	return s
}

// Init reads the contacts.
func (s *contactList) Init() tea.Cmd {
	ctx, contacts, clock := s.env.Ctx, s.env.Portal.Contacts, s.env.Clock
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		list, err := contacts.List(ctx)
		return contactsRead{list, clock(), err}
	})
}

// contact finds the contact of a kind.
func (s *contactList) contact(kind core.ContactKind) (core.Contact, bool) {
	i := slices.IndexFunc(s.list, func(c core.Contact) bool { return c.Kind == kind })
	if i < 0 {
		return core.Contact{}, false
	}
	return s.list[i], true
}

// Update takes readings, what other screens left behind, and keys.
func (s *contactList) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case contactsRead:
		s.busy.Stop()
		if s.err = msg.err; msg.err == nil {
			s.list, s.now, s.read = msg.list, msg.now, true
			s.fill()
			if s.first != "" {
				s.table.Select(string(s.first))
				s.first = ""
			}
		}
		return s, nil
	case contactCleared:
		return s, s.cleared(msg)
	case tui.BackMsg:
		return s, s.back(msg)
	case tui.RestyleMsg:
		s.table.Handle(msg)
		s.fill()
		return s, nil
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg:
		cmd, used := s.table.Handle(msg)
		if k, ok := msg.(tea.KeyPressMsg); ok && !used {
			return s, s.key(k.String())
		}
		return s, cmd
	}
	return s, s.busy.Handle(msg)
}

func (s *contactList) back(msg tui.BackMsg) tea.Cmd {
	switch m := msg.Result.(type) {
	case contactSet:
		return tea.Batch(s.Init(), tui.Toast(tui.Good, s.env.T("contact.saved")))
	case tui.Confirmed:
		if done, ok := m.Result.(contactCleared); ok {
			return s.cleared(done)
		}
	case proved:
		return s.remove(s.clear)
	}
	return nil
}

func (s *contactList) key(k string) tea.Cmd {
	switch k {
	case "esc":
		return tui.Pop()
	case "r":
		return s.Init()
	case "x":
		if r, ok := s.table.Selected(); ok {
			return s.askClear(core.ContactKind(r.ID))
		}
	}
	return nil
}

// askClear opens the dialog that takes a contact away.
func (s *contactList) askClear(kind core.ContactKind) tea.Cmd {
	e := s.env
	c, ok := s.contact(kind)
	if !ok {
		return tui.Toast(tui.Info, e.T("contact.none"))
	}
	remove, words := s.remove(kind), e.Dict
	return tui.Push(tui.NewConfirm(e.Session, func() tui.ConfirmSpec {
		return tui.ConfirmSpec{
			Title: e.T("contact.clear_title"), Text: e.T("contact.clear_text", "Name", text.Escape(c.Name), "Kind", e.T("contact.kind."+string(kind))),
			Yes: e.T("contact.clear_yes"), Do: func() tea.Cmd { return inDialog(remove, words) },
		}
	}))
}

// inDialog runs an act for a dialog, which closes for all that goes on somewhere
// else and stays for what it can only say.
func inDialog(act tea.Cmd, words *tui.Dict) tea.Cmd {
	return func() tea.Msg {
		done := act()
		var err error
		switch m := done.(type) {
		case contactCleared:
			err = m.err
		case agreementWithdrawn:
			err = m.err
		}
		switch core.CodeOf(err) {
		case "", core.CodeStepUp, core.CodeNotFound, core.CodeConflict:
			return tui.Confirmed{Result: done}
		}
		return tui.Confirmed{Refused: sentence(words, err)}
	}
}

// remove returns the command that takes a contact away.
func (s *contactList) remove(kind core.ContactKind) tea.Cmd {
	ctx, contacts, actor := s.env.Ctx, s.env.Portal.Contacts, s.env.Actor()
	return func() tea.Msg { return contactCleared{kind, contacts.Clear(ctx, actor, kind)} }
}

func (s *contactList) cleared(m contactCleared) tea.Cmd {
	switch core.CodeOf(m.err) {
	case "":
		return tea.Batch(s.Init(), tui.Toast(tui.Good, s.env.T("contact.cleared")))
	case core.CodeStepUp:
		s.clear = m.kind
		return tui.Push(newStepUp(s.env, "legal.why_proof"))
	case core.CodeNotFound:
		return tea.Batch(s.Init(), tui.Toast(tui.Info, s.env.T("contact.none")))
	}
	return tui.Toast(tui.Bad, s.env.Sentence(m.err))
}

// View is the table.
func (s *contactList) View() string {
	switch {
	case s.err != nil && !s.read:
		return s.env.failure(s.err, s.w)
	case !s.read:
		return s.busy.View(s.env.Theme)
	}
	foot := s.busy.View(s.env.Theme)
	if s.err != nil {
		foot = s.env.Theme.Bad.Render(s.env.Theme.Pad(s.env.Theme.Signs.No+" "+s.env.Sentence(s.err), s.w))
	}
	return withFoot(s.table.View(), foot, s.h)
}

func (s *contactList) columns() []tui.Column {
	e := s.env
	return []tui.Column{
		{Title: e.T("contact.what"), Min: 20, Max: 36},
		{Title: e.T("contact.state"), Min: 10, Max: 14},
		{Title: e.T("contact.name"), Min: 10, Max: 32},
		{Title: e.T("contact.changed"), Min: 8, Max: 16, Spare: true},
	}
}

// fill makes the rows anew.
func (s *contactList) fill() {
	e := s.env
	var rows []tui.Row
	for _, kind := range core.ContactKinds() {
		cells := []string{e.T("contact.kind." + string(kind)), e.Theme.Signs.No + " " + e.T("contact.missing"), "-", "-"}
		if c, ok := s.contact(kind); ok {
			cells = []string{cells[0], e.Theme.Signs.OK + " " + e.T("contact.there"), text.Escape(c.Name), e.Dict.Relative(c.Changed, s.now)}
		}
		rows = append(rows, tui.Row{ID: string(kind), Cells: cells})
	}
	s.table.SetRows(rows)
	s.drawn.forget()
}

// detail says how the marked contact is reached, or why it matters that it is missing.
func (s *contactList) detail(r tui.Row, width int) string {
	e := s.env
	why := e.Theme.Muted.Render(tui.Wrap(e.T("contact.why."+r.ID), width))
	c, ok := s.contact(core.ContactKind(r.ID))
	if !ok {
		return strings.Join([]string{e.Theme.Warn.Render(tui.Wrap("! "+e.T("contact.is_missing"), width)), why}, "\n")
	}
	facts := append(e.contactFacts(c), tui.Fact{Name: e.T("contact.changed"), Value: e.both(c.Changed, s.now)})
	if s.w < tui.DetailWidth {
		return e.Theme.Facts(facts, width)
	}
	return e.Theme.Facts(facts, width) + "\n\n" + why
}

// Title names the page.
func (s *contactList) Title() string { return s.env.T("contact.title") }

// Help returns the keys that work now.
func (s *contactList) Help() []key.Binding {
	e := s.env
	switch {
	case s.table.Typing():
		return s.table.Help()
	case !s.read:
		return e.waitingKeys(s.err)
	}
	out := afterOpen(s.table.Help(), e.bind("x", "contact.key_clear"))
	return append(out, e.bind("r", "page.refresh"), e.bind("esc", "key.back"))
}

// contactForm asks for one contact.
type contactForm struct {
	*tui.Form
	env  *Env
	kind core.ContactKind
	in   core.Contact
}

var (
	_ tui.Screen   = (*contactForm)(nil)
	_ tui.Titled   = (*contactForm)(nil)
	_ tui.Helper   = (*contactForm)(nil)
	_ tui.Typer    = (*contactForm)(nil)
	_ tui.Cursored = (*contactForm)(nil)
)

// newContactForm returns the screen that sets a contact; old is the one there is.
func newContactForm(env *Env, kind core.ContactKind, old core.Contact) tui.Screen {
	s := &contactForm{env: env, kind: kind, in: old}
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

func (s *contactForm) spec() tui.FormSpec {
	e := s.env
	return tui.FormSpec{
		Pages: []tui.Page{{
			Title: e.T("contact.kind." + string(s.kind)), Text: e.T("contact.why." + string(s.kind)),
			Fields: []tui.Field{
				tui.Text{Key: "name", Label: e.T("contact.name"), Value: &s.in.Name, Limit: core.MaxContactName},
				tui.Text{Key: "email", Label: e.T("contact.email"), Value: &s.in.Email, Limit: core.MaxContactEmail, Optional: true},
				tui.Text{Key: "phone", Label: e.T("contact.phone"), Value: &s.in.Phone, Limit: core.MaxContactPhone, Optional: true},
				tui.Text{Key: "address", Label: e.T("contact.address"), Value: &s.in.Address, Limit: core.MaxContactAddress, Optional: true},
			},
		}},
		Submit: e.T("contact.save"), Busy: e.T("contact.saving"), Do: s.send,
	}
}

func (s *contactForm) send() tea.Cmd {
	contacts, actor, kind, in := s.env.Portal.Contacts, s.env.Actor(), s.kind, s.in
	return call(s.env.Ctx, func(ctx context.Context) (core.Contact, error) { return contacts.Set(ctx, actor, kind, in) })
}

// Update takes the core's answer.
func (s *contactForm) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case answer[core.Contact]:
		return s, s.set(m.Err)
	case tui.BackMsg:
		if isProved(m) {
			return s, s.send()
		}
		s.Release()
		return s, nil
	}
	return s, s.Handle(msg)
}

func (s *contactForm) set(err error) tea.Cmd {
	switch core.CodeOf(err) {
	case "":
		return tui.PopWith(contactSet{})
	case core.CodeStepUp:
		return tui.Push(newStepUp(s.env, "legal.why_proof"))
	}
	r := refusalOf(s.env, err)
	switch {
	case core.CodeOf(err) == core.CodeRequired && r.Field == "email":
		r.Text = s.env.T("contact.unreachable")
	case core.CodeOf(err) == core.CodeCharacter: // the general sentence is about user names
		r.Text = s.env.T("profile.character")
	}
	s.Refuse(r)
	return nil
}

// Title is the screen's.
func (s *contactForm) Title() string { return s.env.T("contact.set_title") }

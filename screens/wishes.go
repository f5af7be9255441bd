// Which notices a person wants, and where. A change is kept as soon as it is
// made. Those about the way into the account always come.

package screens

import (
	"context"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// wishes lists the kinds of notices.
type wishes struct {
	headed
	env  *Env
	busy tui.Busy

	read   bool
	err    error
	all    wishList
	saving bool // a change is on its way
}

// wishList is what was read: the wishes, and the address that mail goes to.
type wishList struct {
	list      []core.Wish
	email     string
	confirmed bool
}

// wishSaved is what became of a change.
type wishSaved struct {
	kind    core.NoticeKind
	channel core.Channel
	wanted  bool
	err     error
}

var (
	_ tui.Screen   = (*wishes)(nil)
	_ tui.Titled   = (*wishes)(nil)
	_ tui.Helper   = (*wishes)(nil)
	_ tui.Typer    = (*wishes)(nil)
	_ tui.Cursored = (*wishes)(nil)
	_ tui.Mouser   = (*wishes)(nil)
	_ tui.Numbered = (*wishes)(nil)
)

// newWishes returns the screen.
func newWishes(env *Env) tui.Screen {
	s := &wishes{env: env}
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Detail = s.drawn.once(s.detail)
	s.table.Open = s.turn
	s.head = s.mailLine
	return s
}

// Init reads the wishes.
func (s *wishes) Init() tea.Cmd {
	notices, accounts, actor := s.env.Portal.Notices, s.env.Portal.Accounts, s.env.Actor()
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")),
		call(s.env.Ctx, func(ctx context.Context) (wishList, error) {
			list, err := notices.Wishes(ctx, actor)
			if err != nil {
				return wishList{}, err
			}
			p, err := accounts.Profile(ctx, actor)
			return wishList{list, p.Email, !p.EmailConfirmed.IsZero()}, err
		}))
}

// Update takes what was read and saved, and keys.
func (s *wishes) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[wishList]:
		s.busy.Stop()
		if s.err = msg.Err; msg.Err == nil {
			s.read, s.all = true, msg.Value
			s.fill()
		}
		return s, nil
	case wishSaved:
		return s, s.saved(msg)
	case tui.RestyleMsg:
		s.table.Handle(msg)
		s.fill()
		return s, nil
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg:
		cmd, used := s.handle(msg)
		if k, ok := msg.(tea.KeyPressMsg); ok && !used {
			return s, s.key(k.String())
		}
		return s, cmd
	}
	return s, s.busy.Handle(msg)
}

func (s *wishes) key(k string) tea.Cmd {
	switch k {
	case "esc":
		return tui.Pop()
	case "r":
		return s.Init()
	case "i":
		return s.toggle(core.ChannelInbox)
	case "m":
		return s.toggle(core.ChannelMail)
	}
	return nil
}

// toggle switches the marked kind on a channel on or off.
func (s *wishes) toggle(c core.Channel) tea.Cmd {
	r, _ := s.table.Selected()
	w, ok := s.find(r.ID)
	if !ok {
		return nil
	}
	return s.set(w, c, !w.on(c))
}

// turn goes through the four ways in which a kind can come. From one to the next
// a single channel changes.
func (s *wishes) turn(r tui.Row) tea.Cmd {
	w, ok := s.find(r.ID)
	if !ok {
		return nil
	}
	if w.Inbox == w.Mail {
		return s.set(w, core.ChannelMail, !w.Mail)
	}
	return s.set(w, core.ChannelInbox, !w.Inbox)
}

// set returns the command that keeps a wish. One is kept after the other, so that
// what is shown is what was kept.
func (s *wishes) set(w wish, c core.Channel, wanted bool) tea.Cmd {
	if w.Security {
		return tui.Toast(tui.Info, s.env.T("wishes.locked"))
	}
	if s.saving {
		return nil
	}
	s.saving = true
	ctx, notices, actor := s.env.Ctx, s.env.Portal.Notices, s.env.Actor()
	return func() tea.Msg {
		return wishSaved{w.Kind, c, wanted, notices.SetWish(ctx, actor, w.Kind, c, wanted)}
	}
}

// saved shows a change that was kept.
func (s *wishes) saved(m wishSaved) tea.Cmd {
	s.saving = false
	if m.err != nil {
		return tui.Toast(tui.Bad, s.env.Sentence(m.err))
	}
	for i := range s.all.list {
		w := &s.all.list[i]
		switch {
		case w.Kind != m.kind:
		case m.channel == core.ChannelInbox:
			w.Inbox = m.wanted
		default:
			w.Mail = m.wanted
		}
	}
	s.fill()
	channel, state := s.env.T("wishes.inbox"), s.env.T("wishes.off")
	if m.channel == core.ChannelMail {
		channel = s.env.T("wishes.mail")
	}
	if m.wanted {
		state = s.env.T("wishes.on")
	}
	return tui.Toast(tui.Good, s.env.T("wishes.saved", "Channel", channel, "State", state))
}

// wish is a core.Wish that can be asked by channel.
type wish struct{ core.Wish }

func (w wish) on(c core.Channel) bool {
	if c == core.ChannelInbox {
		return w.Inbox
	}
	return w.Mail
}

func (s *wishes) find(id string) (wish, bool) {
	for _, w := range s.all.list {
		if string(w.Kind) == id {
			return wish{w}, true
		}
	}
	return wish{}, false
}

// mailLine says where mail goes.
func (s *wishes) mailLine() string {
	e := s.env
	sentence := e.T("wishes.mail_none")
	if s.all.email != "" {
		address := text.Escape(s.all.email)
		sentence = e.T("wishes.mail_unconfirmed", "Address", address)
		if s.all.confirmed {
			sentence = e.T("wishes.mail_confirmed", "Address", address)
		}
	}
	return tui.Wrap(sentence, s.w)
}

// View is the sentence about mail and the table.
func (s *wishes) View() string {
	switch {
	case s.err != nil:
		return s.env.failure(s.err, s.w)
	case !s.read:
		return s.busy.View(s.env.Theme)
	}
	return s.view()
}

func (s *wishes) columns() []tui.Column {
	e := s.env
	return []tui.Column{
		{Title: e.T("wishes.notice"), Min: 20, Max: 44},
		{Title: e.T("wishes.inbox"), Min: 8, Max: 16},
		{Title: e.T("wishes.mail"), Min: 8, Max: 16},
	}
}

// fill makes the rows anew.
func (s *wishes) fill() {
	th := s.env.Theme
	cell := func(w core.Wish, on bool) string {
		switch {
		case w.Security:
			return th.Signs.On + " " + s.env.T("wishes.always")
		case on:
			return th.Signs.On + " " + s.env.T("wishes.on")
		}
		return th.Signs.Off + " " + s.env.T("wishes.off")
	}
	rows := make([]tui.Row, len(s.all.list))
	for i, w := range s.all.list {
		rows[i] = tui.Row{ID: string(w.Kind), Cells: []string{s.env.kindWord(w.Kind), cell(w, w.Inbox), cell(w, w.Mail)}}
	}
	s.table.SetRows(rows)
	s.fit()
}

// detail says why the marked kind cannot be switched off, or how it is.
func (s *wishes) detail(r tui.Row, width int) string {
	w, ok := s.find(r.ID)
	switch {
	case !ok:
		return ""
	case w.Security:
		return s.env.Theme.Muted.Render(tui.Wrap(s.env.T("wishes.why_always"), width))
	}
	return s.env.Theme.Muted.Render(tui.Wrap(s.env.T("wishes.how"), width))
}

// Title names the page.
func (s *wishes) Title() string { return s.env.T("wishes.title") }

// Help returns the keys that work now.
func (s *wishes) Help() []key.Binding {
	e := s.env
	switch {
	case s.table.Typing():
		return s.table.Help()
	case s.err != nil || !s.read:
		return e.waitingKeys(s.err)
	}
	return []key.Binding{
		e.bind("i", "wishes.key_inbox"), e.bind("m", "wishes.key_mail"), e.bind("enter", "key.change"),
		e.bind(e.arrows(), "key.move"), e.bind("/", "key.filter"), e.bind("r", "page.refresh"), e.bind("esc", "key.back"),
	}
}

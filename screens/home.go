// Home: what waits for the person, the security check-up, and the ways on.

package screens

import (
	"strconv"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// home is the page of somebody who is signed in.
type home struct {
	env   *Env
	check core.CheckUp
	now   time.Time // when check was read; zero until it was read here
	err   error     // why it could not be read again
	ear   ear
	reads tui.Latest[checkRead]
	busy  tui.Busy
	out   bool // signing out is under way
	tells bool // of the request to be deleted, before anything else
	menu  menu
	w, h  int
}

// checkRead is what one reading of the check-up brought.
type checkRead struct {
	check core.CheckUp
	now   time.Time
	err   error
}

var (
	_ tui.Screen = (*home)(nil)
	_ tui.Helper = (*home)(nil)

	_ tui.Numbered = (*home)(nil)
)

// NewHome returns the page with the check-up c.
func NewHome(env *Env, c core.CheckUp) tui.Screen { return newHome(env, c) }

func newHome(env *Env, c core.CheckUp) *home {
	env.roles, env.desk = c.Roles, ""
	s := &home{env: env, check: c}
	s.menu = menu{env: env, ways: s.ways}
	return s
}

// Init begins to listen for changes of the sessions; they change the check-up.
// Whoever has asked to be deleted and signs in is told first, and can keep the account.
func (s *home) Init() tea.Cmd {
	if s.tells {
		return tea.Batch(s.ear.open(s.env), tui.Push(newMyRequest(s.env)))
	}
	return s.ear.open(s.env)
}

// read returns the command that reads the check-up again.
func (s *home) read() tea.Cmd {
	ctx, accounts, actor, clock := s.env.Ctx, s.env.Portal.Accounts, s.env.Actor(), s.env.Clock
	return s.reads.Ask(func() checkRead {
		c, err := accounts.CheckUp(ctx, actor)
		return checkRead{c, clock(), err}
	})
}

// The keys of the ways on. They are the same in every language.
const (
	keyProfile  = "p"
	keyPassword = "w"
	keyFactors  = "f"
	keySessions = "s"
	keyActivity = "a"
	keyInbox    = "i"
	keyAccess   = "k"
	keyMessages = "m"
	keyAdmin    = "d"
	keyConfirm  = "e"
	keyPrivacy  = "v"
	keyLink     = "l"
	keyOut      = "o"
	keyLeave    = "q"
)

// ways returns the ways on, in the order of the page. The id of each is its key.
func (s *home) ways() []menuItem {
	e := s.env
	push := func(open func(*Env) tui.Screen) func() tea.Cmd {
		return func() tea.Cmd { return tui.Push(open(e)) }
	}
	out := []menuItem{
		{id: keyProfile, label: e.T("profile.title"), note: e.T("home.profile_note"), open: push(NewProfile)},
		{id: keyPassword, label: e.T("password.title"), note: e.T("home.password_note"), open: push(NewPassword)},
		{id: keyFactors, label: e.T("factors.title"), note: e.T("home.factors_note"), open: push(NewFactors)},
		{id: keySessions, label: e.T("sessions.title"), note: e.T("home.sessions_note", "Count", s.check.Sessions), open: push(NewSessions)},
		{id: keyActivity, label: e.T("activity.title"), note: e.T("home.activity_note"), open: push(NewActivity)},
		{id: keyInbox, label: s.inboxLabel(), note: e.T("home.inbox_note"), open: push(NewInbox)},
	}
	if s.check.Apps > 0 {
		out = append(out, menuItem{id: keyAccess, label: e.T("access.title"), note: e.T("home.access_note", "Count", s.check.Apps), open: push(NewAccess)})
	}
	if len(e.roles) > 0 {
		out = append(out, menuItem{id: keyAdmin, label: e.T("admin.title"), note: e.T("home.admin_note"), open: s.openAdmin})
	}
	if s.mayLook() {
		out = append(out, menuItem{id: keyMessages, label: e.T("outbox.title"), note: e.T("home.outbox_note"), open: push(NewOutbox)})
	}
	out = append(out, menuItem{id: keyPrivacy, label: e.T("privacy.title"), note: e.T("privacy.note"), open: push(NewPrivacy)})
	if s.mayConfirm() {
		out = append(out, menuItem{id: keyConfirm, label: e.T("home.confirm"), note: e.T("home.confirm_note"), open: push(newConfirmAddress)})
	}
	if s.mayLink() {
		out = append(out, menuItem{id: keyLink, label: e.T("home.link"), note: e.T("home.link_note"), open: s.askLink})
	}
	out = append(out, menuItem{id: keyOut, label: e.T("home.out"), note: e.T("home.out_note"), open: s.signOut})
	if e.Door.Remember != nil {
		out = append(out, menuItem{id: keyLeave, label: e.T("home.leave"), note: e.T("home.leave_note"), open: tui.Quit})
	}
	for i := range out {
		out[i].label = out[i].id + "  " + out[i].label
	}
	return out
}

// inboxLabel names the inbox, and how much in it was not read yet.
func (s *home) inboxLabel() string {
	switch n := s.check.Unread; {
	case n == 0:
		return s.env.T("inbox.title")
	case n >= core.MaxPage: // no further is counted
		return s.env.T("home.unread", "Inbox", s.env.T("inbox.title"), "N", strconv.Itoa(n)+"+")
	default:
		return s.env.T("home.unread", "Inbox", s.env.T("inbox.title"), "N", n)
	}
}

// mayLook says whether to show the way to the outbox here, as a demonstration
// does to everybody: those who run the messages find it under administration.
func (s *home) mayLook() bool { return s.env.Demo && !s.env.may(core.OpMessages) }

// openAdmin opens administration, until no role allows it any more.
func (s *home) openAdmin() tea.Cmd {
	s.env.desk = deskAny
	return tui.Push(NewAdmin(s.env))
}

// mayConfirm says whether there is an address that was not confirmed yet.
func (s *home) mayConfirm() bool { return s.check.HasEmail && !s.check.EmailConfirmed }

// Choices is how many ways on there are.
func (s *home) Choices() int { return len(s.ways()) }

// mayLink says whether the person came with a key that is not linked.
func (s *home) mayLink() bool { return s.check.KeyProved && !s.check.KeyLinked }

// Update takes readings, changes, what other screens left behind, and keys.
func (s *home) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if m, fresh, mine, next := s.reads.Answer(msg); mine {
		if fresh {
			if s.err = m.err; m.err == nil {
				s.check, s.now = m.check, m.now
				next = tea.Batch(next, s.holds(m.check.Roles))
			}
			if !s.out {
				s.busy.Stop()
			}
		}
		return s, next
	}
	switch msg := msg.(type) {
	case heard:
		return s, tea.Batch(msg.again(), s.read())
	case rolesRead:
		return s, s.rolesRead(msg)
	case tui.BackMsg:
		s.env.desk = ""
		return s, s.back(msg)
	case signedOut:
		s.out = false
		s.busy.Stop()
		if msg.err != nil {
			s.err = msg.err
			return s, nil
		}
		s.ear.shut()
		return s, s.env.left(msg)
	case tea.KeyPressMsg:
		if s.out {
			return s, nil
		}
		return s, s.key(msg)
	}
	return s, s.busy.Handle(msg)
}

// key opens a way by its own key, before the menu sees it.
func (s *home) key(k tea.KeyPressMsg) tea.Cmd {
	if k.String() == "r" {
		return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), s.read())
	}
	for _, w := range s.ways() {
		if w.id == k.String() {
			s.menu.at = w.id
			return w.open()
		}
	}
	cmd, _ := s.menu.key(k)
	return cmd
}

// back looks again: what was done on another screen may have changed the check-up.
func (s *home) back(msg tui.BackMsg) tea.Cmd {
	if _, linked := msg.Result.(linkedKey); linked {
		return tea.Batch(s.read(), tui.Toast(tui.Good, s.env.T("home.linked")))
	}
	return s.read()
}

// askLink opens the screen that links the key that was proved.
func (s *home) askLink() tea.Cmd { return tui.Push(newLinkKey(s.env)) }

// signOut ends the session that is signed in here.
func (s *home) signOut() tea.Cmd {
	if s.out {
		return nil
	}
	s.out = true
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("home.leaving")), s.env.signOut())
}

// SetSize takes the room of the page.
func (s *home) SetSize(w, h int) { s.w, s.h = w, h }

// Help returns the keys that work now.
func (s *home) Help() []key.Binding {
	out := s.menu.help()
	for _, w := range s.ways() {
		name := strings.TrimPrefix(w.label, w.id+"  ")
		out = append(out, key.NewBinding(key.WithKeys(w.id), key.WithHelp(w.id, name)))
	}
	return append(out, s.env.bind("r", "page.refresh"))
}

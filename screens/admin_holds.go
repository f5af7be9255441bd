// The accounts that are held: which they are and why, holding one, and releasing
// it. What is held is neither deleted nor removed by retention.

package screens

import (
	"context"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// holdList lists the holds that count.
type holdList struct {
	listing
	env     *Env
	busy    tui.Busy
	holds   paged[core.Hold]
	act     *deed
	changed bool // since the screen was opened
}

// releasedHold is a hold that was ended.
type releasedHold struct{ user string }

var (
	_ tui.Screen   = (*holdList)(nil)
	_ tui.Titled   = (*holdList)(nil)
	_ tui.Helper   = (*holdList)(nil)
	_ tui.Typer    = (*holdList)(nil)
	_ tui.Cursored = (*holdList)(nil)
	_ tui.Mouser   = (*holdList)(nil)
	_ tui.Numbered = (*holdList)(nil)
)

// newHolds returns the screen. It leaves workAgain behind when a hold has come or
// gone, since that changes what retention would remove.
func newHolds(env *Env) tui.Screen {
	s := &holdList{env: env}
	s.holds.id = func(h core.Hold) string { return h.Account }
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Empty = func() string { return env.T("holds.empty") }
	s.table.Detail = s.drawn.once(s.detail)
	s.table.Open = func(r tui.Row) tea.Cmd {
		h, ok := s.holds.find(r.ID)
		if !ok {
			return nil
		}
		held := *h // the list may be read anew meanwhile
		return tui.Push(newHoldForm(env, &held))
	}
	return s
}

// Init reads the first page.
func (s *holdList) Init() tea.Cmd { return s.fetch("") }

func (s *holdList) fetch(after string) tea.Cmd {
	w, ok := s.holds.want(after)
	if !ok {
		return nil
	}
	ctx, retention, actor, clock := s.env.Ctx, s.env.Portal.Retention, s.env.Actor(), s.env.Clock
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		p, err := retention.Holds(ctx, actor, w.after, listPage)
		for err == nil && len(p.Holds) == 0 && p.Next != "" { // a page of holds that have all ended
			p, err = retention.Holds(ctx, actor, p.Next, listPage)
		}
		return pageRead[core.Hold]{w, p.Holds, p.Next, clock(), err}
	})
}

func (s *holdList) anew() tea.Cmd {
	s.holds.anew()
	return s.fetch("")
}

// Update takes pages, what other screens left behind, and keys.
func (s *holdList) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case pageRead[core.Hold]:
		return s, s.holds.arrived(msg, &s.busy, s.table, s.fill, s.fetch)
	case deedDone:
		result, _, cmd := s.act.took(msg)
		return s, tea.Batch(cmd, s.did(result), s.anew())
	case tui.BackMsg:
		result, done, cmd := s.act.back(msg)
		if !done {
			result = msg.Result
		}
		return s, tea.Batch(cmd, s.did(result), s.anew())
	case tui.RestyleMsg:
		s.table.Handle(msg)
		s.fill()
		return s, nil
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg:
		return s, s.holds.input(s.table, msg, s.fetch, s.key)
	}
	return s, s.busy.Handle(msg)
}

// did says what was done.
func (s *holdList) did(result any) tea.Cmd {
	e := s.env
	switch r := result.(type) {
	case core.Hold:
		s.changed = true
		said := e.T("holds.held", "User", text.Escape(r.UserName))
		if !r.Until.IsZero() {
			said = e.T("holds.held_until", "User", text.Escape(r.UserName), "When", e.Dict.DateTime(r.Until))
		}
		return tui.Toast(tui.Good, said)
	case releasedHold:
		s.changed = true
		return tui.Toast(tui.Good, e.T("done.retention_release", "User", text.Escape(r.user)))
	}
	return nil
}

func (s *holdList) key(k string) tea.Cmd {
	switch k {
	case "esc":
		if s.changed {
			return tui.PopWith(workAgain{})
		}
		return tui.Pop()
	case "r":
		return s.anew()
	case "n":
		return tui.Push(newHoldForm(s.env, nil))
	case "x":
		r, ok := s.table.Selected()
		if h, found := s.holds.find(r.ID); ok && found {
			return s.askRelease(*h)
		}
	}
	return nil
}

// askRelease opens the dialog, which says what may happen to the account then.
func (s *holdList) askRelease(h core.Hold) tea.Cmd {
	e, retention, actor := s.env, s.env.Portal.Retention, s.env.Actor()
	s.act = &deed{env: e, why: "holds.why_proof", do: func(ctx context.Context) (any, error) {
		return releasedHold{h.UserName}, retention.Release(ctx, actor, h.Account)
	}}
	return tui.Push(tui.NewConfirm(e.Session, func() tui.ConfirmSpec {
		return tui.ConfirmSpec{
			Title: e.T("holds.release_title"), Text: e.T("holds.release_text", "User", text.Escape(h.UserName), "Reason", text.Escape(h.Reason)),
			Yes: e.T("holds.release_yes"), Do: s.act.inDialog,
		}
	}))
}

// View is the table and, under it, how much of the list it holds.
func (s *holdList) View() string {
	p := &s.holds
	if said, unread := p.unread(s.env, &s.busy, s.w); unread {
		return said
	}
	return withFoot(s.table.View(), p.foot(s.env, &s.busy, "", s.w), s.h)
}

func (s *holdList) columns() []tui.Column {
	e := s.env
	return []tui.Column{
		{Title: e.T("roles.who"), Min: 8, Max: 32}, {Title: e.T("people.reason"), Min: 12, Max: 40},
		{Title: e.T("roles.until"), Min: 10, Max: 20}, {Title: e.T("roles.since"), Min: 8, Max: 16, Spare: true},
	}
}

// fill makes the rows anew.
func (s *holdList) fill() {
	rows := make([]tui.Row, len(s.holds.list))
	for i, h := range s.holds.list {
		until := s.env.T("roles.for_good")
		if !h.Until.IsZero() {
			until = s.env.Dict.Relative(h.Until, s.holds.now)
		}
		rows[i] = tui.Row{ID: h.Account, Cells: []string{orDash(text.Escape(h.UserName)), text.Escape(h.Reason), until, s.env.Dict.Relative(h.At, s.holds.now)}}
	}
	s.table.SetRows(rows)
	s.drawn.forget()
}

// detail is the marked hold in full.
func (s *holdList) detail(r tui.Row, width int) string {
	e := s.env
	h, ok := s.holds.find(r.ID)
	if !ok {
		return ""
	}
	until, by := e.T("holds.until_released"), text.Escape(h.ByName)
	if !h.Until.IsZero() {
		until = e.both(h.Until, s.holds.now)
	}
	if h.By == core.ActorConsole {
		by = e.T("roles.by_console")
	}
	return e.Theme.Facts([]tui.Fact{
		{Name: e.T("people.reason"), Value: text.Escape(h.Reason)},
		{Name: e.T("roles.until"), Value: until},
		{Name: e.T("roles.since"), Value: e.both(h.At, s.holds.now)},
		{Name: e.T("holds.by"), Value: orDash(by)},
	}, width)
}

// Title names the page.
func (s *holdList) Title() string { return s.env.T("holds.title") }

// Help returns the keys that work now.
func (s *holdList) Help() []key.Binding {
	e := s.env
	switch {
	case s.table.Typing():
		return s.table.Help()
	case !s.holds.read:
		return e.waitingKeys(s.holds.err)
	}
	mine := []key.Binding{e.bind("n", "holds.key_hold")}
	if len(s.holds.list) > 0 {
		mine = append(mine, e.bind("x", "holds.key_release"))
	}
	out := afterOpen(s.table.Help(), mine...)
	return append(out, e.bind("r", "page.refresh"), e.bind("esc", "key.back"))
}

// newHoldForm asks whom to hold and why; with old for another reason and end of a
// hold. It leaves the hold behind.
func newHoldForm(env *Env, old *core.Hold) tui.Screen {
	var user, reason, until string
	retention, actor, zone := env.Portal.Retention, env.Actor(), env.Dict.Zone()
	title, submit := "holds.hold_title", "holds.submit"
	if old != nil {
		title, submit, reason, until = "holds.change_title", "roles.change_submit", old.Reason, core.FormatEnd(old.Until, zone)
	}
	f := &deedForm{env: env, why: "holds.why_proof", title: func() string { return env.T(title) }, refusal: env.holdRefusal}
	f.do = func() func(context.Context) (any, error) {
		who, why, typed := strings.TrimSpace(user), strings.TrimSpace(reason), until
		if old != nil {
			who = old.Account
		}
		return func(ctx context.Context) (any, error) {
			end, err := core.ParseEnd(typed, zone)
			if err != nil {
				return nil, err
			}
			return retention.Hold(ctx, actor, who, why, end)
		}
	}
	return newDeedForm(f, func() tui.FormSpec {
		p := tui.Page{Text: env.T("holds.hold_text")}
		if old != nil {
			p.Text = env.T("holds.change_text", "User", text.Escape(old.UserName))
		} else {
			p.Fields = append(p.Fields, tui.Text{Key: "user", Label: env.T("roles.user"), Value: &user, Hint: env.T("roles.user_hint")})
		}
		end := env.endField(&until)
		if t, ok := end.(tui.Text); ok {
			t.Hint = env.T("holds.until_released")
			end = t
		}
		p.Fields = append(p.Fields,
			tui.Text{Key: "reason", Label: env.T("people.reason"), Value: &reason, Limit: core.MaxReason, Hint: env.T("people.reason_hint")}, end)
		return tui.FormSpec{Pages: []tui.Page{p}, Submit: env.T(submit), Busy: env.T("roles.busy")}
	})
}

// holdRefusal says why an account was not held.
func (e *Env) holdRefusal(err error) tui.Refusal {
	r := refusalOf(e, err)
	switch code := core.CodeOf(err); {
	case r.Field == "user" && code == core.CodeNotFound:
		r.Text = e.T("roles.nobody")
	case code == core.CodeCharacter: // the general sentence is about user names
		r.Text = e.T("profile.character")
	}
	return r
}

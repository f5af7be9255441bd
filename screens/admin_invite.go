// A new invitation: what it is asked for, and its code, which is shown once as
// text to send and as a QR code to be scanned from somebody else's phone.

package screens

import (
	"context"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"postern/core"
	"postern/tui"
)

// invite asks for what an invitation is made of, and shows its code.
type invite struct {
	env        *Env
	form       *tui.Form
	uses, days int
	note       string
	role       string
	until      string // when the role ends, as it was typed

	made core.Invite
	code string
	qr   []string
	why  string // why there is no QR code
	w, h int
}

// inviteDone is what came of it.
type inviteDone struct {
	made core.Invite
	code string
}

// inviteMade is what the screen leaves behind when there is another invitation.
type inviteMade struct{}

var (
	_ tui.Screen   = (*invite)(nil)
	_ tui.Titled   = (*invite)(nil)
	_ tui.Tall     = (*invite)(nil)
	_ tui.Helper   = (*invite)(nil)
	_ tui.Typer    = (*invite)(nil)
	_ tui.Cursored = (*invite)(nil)
	_ tui.Asking   = (*invite)(nil)
)

// newInvite returns the screen.
func newInvite(env *Env) tui.Screen {
	s := &invite{env: env, uses: 1, days: 14}
	s.form = tui.NewForm(env.Session, s.spec)
	return s
}

// Init builds the form.
func (s *invite) Init() tea.Cmd { return s.form.Init() }

func (s *invite) spec() tui.FormSpec {
	e := s.env
	roles := []tui.Option{{Value: "", Label: e.T("invites.no_role")}}
	for _, r := range core.Roles() {
		if e.gives(r) {
			roles = append(roles, tui.Option{Value: string(r), Label: e.T("role." + string(r)), Note: e.T("invites.role_note")})
		}
	}
	return tui.FormSpec{
		Pages: []tui.Page{{Text: e.T("invites.text"), Fields: []tui.Field{
			tui.Text{Key: "note", Label: e.T("invites.note"), Value: &s.note, Limit: core.MaxReason, Optional: true, Hint: e.T("invites.note_hint")},
			tui.Number{Key: "uses", Label: e.T("invites.uses"), Value: &s.uses, Min: 1, Max: core.MaxInviteUses},
			tui.Number{Key: "days", Label: e.T("invites.days"), Value: &s.days, Min: 1, Max: core.MaxInviteDays},
			tui.Choice{Key: "role", Label: e.T("invites.role"), Value: &s.role, Options: roles},
			e.endField(&s.until),
		}}},
		Submit: e.T("invites.submit"), Busy: e.T("invites.busy"), Do: s.make,
	}
}

// make returns the command that makes the invitation.
func (s *invite) make() tea.Cmd {
	in := core.InviteInput{Uses: s.uses, Days: s.days, Note: s.note, Role: core.Role(s.role)}
	invites, actor, until, zone := s.env.Portal.Invites, s.env.Actor(), s.until, s.env.Dict.Zone()
	return call(s.env.Ctx, func(ctx context.Context) (out inviteDone, err error) {
		if in.RoleUntil, err = core.ParseEnd(until, zone); err != nil {
			return out, err
		}
		out.made, out.code, err = invites.CreateWith(ctx, actor, in)
		return out, err
	})
}

// Update takes the code. It is forgotten when the page is left.
func (s *invite) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[inviteDone]:
		switch core.CodeOf(msg.Err) {
		case "":
			s.made, s.code = msg.Value.made, msg.Value.code
			s.draw()
		case core.CodeStepUp:
			s.form.Release()
			return s, tui.Push(newStepUp(s.env, "invites.why_proof"))
		default:
			r := refusalOf(s.env, msg.Err)
			if r.Field == "role" && core.CodeOf(msg.Err) == core.CodeFormat { // an end, and nothing that ends
				r.Text = s.env.T("invites.no_role_to_end")
			}
			s.form.Refuse(r)
		}
		return s, nil
	case tui.BackMsg:
		if isProved(msg) {
			return s, s.make()
		}
		return s, nil
	case tui.RestyleMsg:
		if s.code != "" {
			s.draw()
			return s, nil
		}
	case tea.KeyPressMsg:
		if s.code == "" {
			break
		}
		switch msg.String() {
		case "esc": // not enter: whoever presses that twice would have seen no code
			s.wipe()
			return s, tui.PopWith(inviteMade{})
		case "ctrl+y":
			if s.env.copies() {
				return s, s.env.copyText(s.letter(), "people.copied")
			}
		}
		return s, nil
	}
	return s, s.form.Handle(msg)
}

// wipe forgets the code.
func (s *invite) wipe() { s.code, s.qr, s.made = "", nil, core.Invite{} }

// letter is what is sent to whoever is invited.
func (s *invite) letter() string {
	e := s.env
	way := e.T("invites.come")
	if e.Door.Reach != "" {
		way = e.T("invites.come_by", "Command", e.Door.Reach)
	}
	return way + " " + e.T("invites.code_is", "Code", s.code, "Until", e.Dict.DateTime(s.made.Until))
}

// draw draws the QR code anew: whenever size or colours change, and at no key.
func (s *invite) draw() {
	s.qr, s.why = nil, ""
	text := s.letter()
	if drawn, ok := tui.QR(s.env.Theme, s.env.Caps, text, s.w-qrWords-qrGap, s.h, false); ok {
		s.qr = strings.Split(drawn, "\n")
		return
	}
	s.why = s.env.whyNoQR(text)
}

// SetSize takes the room of the screen.
func (s *invite) SetSize(w, h int) {
	s.w, s.h = w, h
	s.form.SetSize(w, h)
	if s.code != "" {
		s.draw()
	}
}

// View is the form, or the code beside its QR code.
func (s *invite) View() string {
	if s.code == "" {
		return s.form.View()
	}
	width := min(s.w, tui.BodyWidth)
	if s.qr == nil {
		return s.words(width)
	}
	words := strings.Split(s.words(s.w-ansi.StringWidth(s.qr[0])-qrGap), "\n")
	blank, gap := strings.Repeat(" ", ansi.StringWidth(s.qr[0])), strings.Repeat(" ", qrGap)
	lines := make([]string, max(len(s.qr), len(words)))
	for i := range lines {
		left, right := blank, ""
		if i < len(s.qr) {
			left = s.qr[i]
		}
		if i < len(words) {
			right = words[i]
		}
		lines[i] = left + gap + right
	}
	return strings.Join(lines, "\n")
}

// words are the code, what to send, and what it is worth.
func (s *invite) words(width int) string {
	e, th := s.env, s.env.Theme
	worth := e.T("invites.worth", "Count", s.made.Uses)
	if s.made.Role != "" {
		worth += " " + e.T("invites.worth_role", "Role", e.T("role."+string(s.made.Role)))
	}
	out := th.Heading.Render(s.code) + "\n\n" + tui.Wrap(s.letter(), width) + "\n\n" +
		tui.Wrap(worth, width) + "\n\n" + th.Muted.Render(tui.Wrap(e.T("invites.once"), width))
	if s.why != "" {
		out += "\n\n" + th.Muted.Render(tui.Wrap(s.why, width))
	}
	return out
}

// Tall says that a QR code wants every row.
func (s *invite) Tall() bool { return true }

// Asking returns the form, or nil when the code is there.
func (s *invite) Asking() *tui.Form {
	if s.code != "" {
		return nil
	}
	return s.form
}

// Typing says whether keys are text now.
func (s *invite) Typing() bool { return s.code == "" && s.form.Typing() }

// Cursor stands in the field.
func (s *invite) Cursor() *tea.Cursor {
	if s.code != "" {
		return nil
	}
	return s.form.Cursor()
}

// Title is the screen's.
func (s *invite) Title() string { return s.env.T("invites.new_title") }

// Help returns the keys that work now.
func (s *invite) Help() []key.Binding {
	if s.code == "" {
		return s.form.Help()
	}
	var out []key.Binding
	if s.env.copies() {
		out = append(out, s.env.bind("ctrl+y", "people.key_copy"))
	}
	return append(out, s.env.bind("esc", "key.back"))
}

// The captcha: what a stranger is asked before a guess is judged. The screen that
// was refused with core.CodeCaptcha pushes this one and, when it comes back solved,
// does again what was wanted.

package screens

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/captcha"
	"postern/tui"
)

// The cells of a picture: three by six of its pixels share one. Where there is less
// room it is drawn smaller, and can still be read in the smallest terminal.
const (
	captchaWidth  = captcha.Width / 3
	captchaHeight = captcha.Height / 6
	captchaAround = 7 // rows beside the picture: what is asked, the answer, the buttons
)

// maxCaptchaTyped is how many characters the field takes: the letters may be parted.
const maxCaptchaTyped = 16

// solved is the result that a captcha leaves behind when it was solved.
type solved struct{}

// isSolved says whether a captcha came back and was solved.
func isSolved(msg tui.BackMsg) bool {
	_, ok := msg.Result.(solved)
	return ok
}

// asksCaptcha says whether a refusal is that a captcha is to be solved first.
func asksCaptcha(err error) bool { return core.CodeOf(err) == core.CodeCaptcha }

// afterCaptcha lets a form wait, with all that was typed, while its person solves
// one.
func (e *Env) afterCaptcha(f *tui.Form) tea.Cmd {
	f.Release()
	return tui.Push(newCaptcha(e))
}

// captchaPage asks a captcha.
type captchaPage struct {
	*tui.Form
	env     *Env
	kind    core.CaptchaKind
	asked   core.CaptchaAsked // no ID: none was asked yet
	drawn   string            // the picture
	typed   string
	problem string // why there is another one
	err     error  // why there is none
	busy    tui.Busy
	w, h    int
}

var (
	_ tui.Screen   = (*captchaPage)(nil)
	_ tui.Titled   = (*captchaPage)(nil)
	_ tui.Tall     = (*captchaPage)(nil)
	_ tui.Helper   = (*captchaPage)(nil)
	_ tui.Typer    = (*captchaPage)(nil)
	_ tui.Cursored = (*captchaPage)(nil)
	_ tui.Asking   = (*captchaPage)(nil)
)

// newCaptcha returns the screen. It pops with solved, and the Env then holds what
// lets the next act through.
func newCaptcha(env *Env) tui.Screen {
	s := &captchaPage{env: env, kind: core.CaptchaPicture}
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

// Init asks for a picture, or for words where no picture can be shown.
func (s *captchaPage) Init() tea.Cmd {
	if !s.env.Caps.Pictures() {
		s.kind = core.CaptchaSum
	}
	return s.another(s.kind)
}

// another returns the command that asks for one of a kind.
func (s *captchaPage) another(kind core.CaptchaKind) tea.Cmd {
	captchas, actor := s.env.Portal.Captchas, s.env.Actor()
	s.kind, s.asked, s.drawn, s.typed, s.err = kind, core.CaptchaAsked{}, "", "", nil
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("captcha.drawing")),
		call(s.env.Ctx, func(ctx context.Context) (core.CaptchaAsked, error) { return captchas.Ask(ctx, actor, kind) }))
}

func (s *captchaPage) spec() tui.FormSpec {
	e := s.env
	other, hint := e.T("captcha.in_words"), e.T("captcha.hint")
	ask, label := e.T("captcha.letters", "Count", captcha.Length), e.T("captcha.letters_label")
	if s.kind == core.CaptchaSum {
		other, hint = e.T("captcha.as_picture"), ""
		ask, label = s.sum(), e.T("captcha.sum_label")
	}
	extra := []tui.Button{{Label: e.T("captcha.next"), Do: s.next}}
	keys := []key.Binding{e.bind("ctrl+n", "captcha.key_next")}
	if e.Caps.Pictures() {
		extra = append(extra, tui.Button{Label: other, Do: s.otherwise})
		keys = append(keys, key.NewBinding(key.WithKeys("ctrl+t"), key.WithHelp("ctrl+t", strings.ToLower(other))))
	}
	fields := []tui.Field{tui.Text{Key: "captcha", Label: label, Value: &s.typed, Limit: maxCaptchaTyped, Hint: hint}}
	if s.kind == core.CaptchaPicture {
		fields = append([]tui.Field{tui.Note{Show: s.picture}, tui.Note{}}, fields...)
	}
	return tui.FormSpec{
		Pages: []tui.Page{{Text: ask, Fields: fields}},
		Extra: extra, Keys: keys, Busy: e.T("captcha.busy"), Do: s.solve,
	}
}

// next asks another one of the same kind.
func (s *captchaPage) next() tea.Cmd { return s.another(s.kind) }

// otherwise asks one of the other kind, where both can be shown.
func (s *captchaPage) otherwise() tea.Cmd {
	switch {
	case s.kind == core.CaptchaPicture:
		return s.another(core.CaptchaSum)
	case s.env.Caps.Pictures():
		return s.another(core.CaptchaPicture)
	}
	return nil
}

// sum is the question in words.
func (s *captchaPage) sum() string {
	word := func(n int) string { return s.env.T("captcha.number." + strconv.Itoa(n)) }
	if s.asked.ID == "" {
		return ""
	}
	return s.env.T("captcha.sum", "One", word(s.asked.Numbers[0]), "Other", word(s.asked.Numbers[1]))
}

// picture is the picture as it was drawn.
func (s *captchaPage) picture(int) string { return s.drawn }

// draw draws the picture in the room there is.
func (s *captchaPage) draw() {
	s.drawn = ""
	if s.asked.Picture == nil {
		return
	}
	width := min(s.w, captchaWidth)
	height := min((width*captchaHeight+captchaWidth/2)/captchaWidth, s.h-captchaAround)
	s.drawn = tui.Picture(s.env.Caps, s.asked.Picture, width, height)
}

func (s *captchaPage) solve() tea.Cmd {
	captchas, actor, id, typed := s.env.Portal.Captchas, s.env.Actor(), s.asked.ID, s.typed
	return call(s.env.Ctx, func(ctx context.Context) (string, error) { return captchas.Solve(ctx, actor, id, typed) })
}

// Update takes the core's answers.
func (s *captchaPage) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case answer[core.CaptchaAsked]:
		return s, s.ask(m)
	case answer[string]:
		return s, s.answered(m)
	case tui.RestyleMsg:
		s.draw()
	case tea.KeyPressMsg:
		return s, s.key(m)
	case tea.PasteMsg:
		if s.asked.ID == "" {
			return s, nil
		}
	}
	return s, tea.Batch(s.busy.Handle(msg), s.Handle(msg))
}

// key takes the keys that work beside those of the form.
func (s *captchaPage) key(k tea.KeyPressMsg) tea.Cmd {
	name := k.String()
	switch {
	case s.asked.ID == "" && name == "esc":
		return tui.Pop()
	case s.asked.ID == "" && name == "r" && s.err != nil:
		return s.next()
	case s.asked.ID == "", s.Busy():
		return nil
	case name == "ctrl+n":
		return s.next()
	case name == "ctrl+t":
		return s.otherwise()
	}
	return s.Handle(k)
}

// ask shows a captcha that has come. The form is another one, so that in lines it is
// said anew.
func (s *captchaPage) ask(m answer[core.CaptchaAsked]) tea.Cmd {
	s.busy.Stop()
	if s.err = m.Err; m.Err != nil {
		return nil
	}
	s.asked = m.Value
	s.draw()
	s.Form = tui.NewForm(s.env.Session, s.spec)
	s.Form.SetSize(s.w, s.h)
	cmd := s.Form.Init()
	if s.problem != "" {
		s.Refuse(tui.Refusal{Field: "captcha", Text: s.problem})
		s.problem = ""
	}
	return cmd
}

// answered goes back with what was earned. After an answer that did not do there is
// another one.
func (s *captchaPage) answered(m answer[string]) tea.Cmd {
	var refusal *core.Error
	switch {
	case m.Err == nil:
		s.env.actor.Pass = m.Value
		return tui.PopWith(solved{})
	case errors.As(m.Err, &refusal) && refusal.Code == core.CodeCaptcha:
		s.problem = s.env.T("captcha.refused." + refusal.Rule)
		s.Release()
		return s.another(s.kind)
	}
	s.Refuse(refusalOf(s.env, m.Err))
	return nil
}

// SetSize takes the room of the page.
func (s *captchaPage) SetSize(w, h int) {
	s.w, s.h = w, h
	s.draw()
	s.Form.SetSize(w, h)
}

// View draws the page.
func (s *captchaPage) View() string {
	switch {
	case s.err != nil:
		return s.env.failure(s.err, s.w)
	case s.asked.ID == "":
		return s.busy.View(s.env.Theme)
	}
	return s.Form.View()
}

// Cursor stands in the field, once there is one.
func (s *captchaPage) Cursor() *tea.Cursor {
	if s.asked.ID == "" {
		return nil
	}
	return s.Form.Cursor()
}

// Help returns the keys that work now.
func (s *captchaPage) Help() []key.Binding {
	if s.asked.ID == "" {
		return s.env.waitingKeys(s.err)
	}
	return s.Form.Help()
}

// Typing says whether keys are text now.
func (s *captchaPage) Typing() bool { return s.asked.ID != "" && s.Form.Typing() }

// Asking returns the form, once there is something to ask.
func (s *captchaPage) Asking() *tui.Form {
	if s.asked.ID == "" {
		return nil
	}
	return s.Form
}

// Title names the page.
func (s *captchaPage) Title() string { return s.env.T("captcha.title") }

// Tall says that a picture needs every row.
func (s *captchaPage) Tall() bool { return s.kind == core.CaptchaPicture }

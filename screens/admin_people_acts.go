// What can be done to people who are marked: a menu of acts, the question that
// says to how many, and the act itself with its bar and what came of it.

package screens

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// peopleActs is the menu.
type peopleActs struct {
	env  *Env
	who  map[string]string // user names by id
	menu menu
	w    int
}

var (
	_ tui.Screen   = (*peopleActs)(nil)
	_ tui.Titled   = (*peopleActs)(nil)
	_ tui.Helper   = (*peopleActs)(nil)
	_ tui.Numbered = (*peopleActs)(nil)
)

// newPeopleActs returns the menu of what can be done to who.
func newPeopleActs(env *Env, who map[string]string) tui.Screen {
	s := &peopleActs{env: env, who: who}
	s.menu = menu{env: env, ways: s.ways}
	return s
}

func (s *peopleActs) ways() []menuItem {
	var out []menuItem
	for _, k := range core.BulkKinds() {
		if k == core.BulkDelete && !s.env.may(core.OpRequests) {
			continue
		}
		out = append(out, menuItem{
			id: string(k), label: s.env.T("people.act." + string(k)), note: s.env.T("people.act_note." + string(k)),
			open: func() tea.Cmd { return tui.Replace(newPeopleAsk(s.env, k, s.who)) },
		})
	}
	return out
}

// Init does nothing.
func (s *peopleActs) Init() tea.Cmd { return nil }

// Update hands keys to the menu.
func (s *peopleActs) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	k, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return s, nil
	}
	if k.String() == "esc" {
		return s, tui.Pop()
	}
	cmd, _ := s.menu.key(k)
	return s, cmd
}

// SetSize takes the room of the screen.
func (s *peopleActs) SetSize(w, _ int) { s.w = w }

// View is who is meant, and the menu.
func (s *peopleActs) View() string {
	w := min(s.w, tui.BodyWidth)
	return tui.Wrap(s.env.T("people.acts_text", "Count", len(s.who), "People", s.env.someNames(s.who)), w) + "\n\n" + s.menu.view(w)
}

// Title is the screen's.
func (s *peopleActs) Title() string { return s.env.T("people.acts_title") }

// Choices is how many acts there are.
func (s *peopleActs) Choices() int { return len(s.ways()) }

// Help returns the keys that work now.
func (s *peopleActs) Help() []key.Binding {
	return append(s.menu.help(), s.env.bind("esc", "key.back"))
}

// someNames names a few people, and says how many more there are.
func (e *Env) someNames(who map[string]string) string {
	const most = 3
	names := make([]string, 0, len(who))
	for _, name := range slices.Sorted(maps.Values(who)) {
		names = append(names, escaped(name))
	}
	if n := len(names); n > most+1 {
		names = append(names[:most:most], e.T("people.and_more", "Count", n-most))
	}
	return e.Dict.List(names)
}

// peopleAsk asks whether it is meant, and for the reason where there is one.
type peopleAsk struct {
	*tui.Form
	env    *Env
	kind   core.BulkKind
	who    map[string]string
	reason string
}

var (
	_ tui.Screen   = (*peopleAsk)(nil)
	_ tui.Titled   = (*peopleAsk)(nil)
	_ tui.Helper   = (*peopleAsk)(nil)
	_ tui.Typer    = (*peopleAsk)(nil)
	_ tui.Cursored = (*peopleAsk)(nil)
)

func newPeopleAsk(env *Env, kind core.BulkKind, who map[string]string) tui.Screen {
	s := &peopleAsk{env: env, kind: kind, who: who}
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

func (s *peopleAsk) spec() tui.FormSpec {
	e := s.env
	fields := []tui.Field{
		tui.Note{Text: e.T("people.acts_text", "Count", len(s.who), "People", e.someNames(s.who))},
		tui.Note{Text: e.T("people.act_note." + string(s.kind))},
	}
	if s.kind.Reasoned() {
		// It is not optional here: whoever presses Enter twice has done nothing.
		fields = append(fields, tui.Text{Key: "reason", Label: e.T("people.reason"), Value: &s.reason, Limit: core.MaxReason,
			Hint: e.T("people.reason_hint")})
	}
	return tui.FormSpec{
		Pages: []tui.Page{{Title: e.T("people.act." + string(s.kind)), Fields: fields}}, Danger: true,
		Back: e.T("confirm.cancel"), Submit: e.T("people.do", "Count", len(s.who)),
		Do: func() tea.Cmd {
			return tui.Replace(newPeopleRun(e, core.BulkAct{Kind: s.kind, Reason: strings.TrimSpace(s.reason)}, s.who))
		},
	}
}

// Update hands everything to the form.
func (s *peopleAsk) Update(msg tea.Msg) (tui.Screen, tea.Cmd) { return s, s.Handle(msg) }

// Title is the screen's.
func (s *peopleAsk) Title() string { return s.env.T("people.act." + string(s.kind)) }

// peopleActed is what is left behind when something was done, or may have been.
type peopleActed struct{}

// peopleRun does it, shows how far it is, and what came of it.
type peopleRun struct {
	env  *Env
	act  core.BulkAct
	who  map[string]string
	stop context.CancelFunc
	page *page // what came of it

	done, total int
	over        bool
	stopped     bool
	result      core.BulkResult
	err         error
	w           int
}

// peopleStep says how far it is; more waits for the next word of it.
type peopleStep struct {
	done, total int
	more        tea.Cmd
}

// peopleOver is what came of it.
type peopleOver struct {
	result core.BulkResult
	err    error
}

var (
	_ tui.Screen = (*peopleRun)(nil)
	_ tui.Titled = (*peopleRun)(nil)
	_ tui.Helper = (*peopleRun)(nil)
)

func newPeopleRun(env *Env, act core.BulkAct, who map[string]string) tui.Screen {
	s := &peopleRun{env: env, act: act, who: who, total: len(who)}
	s.page = &page{env: env, title: s.Title, body: s.summary}
	return s
}

// Init begins.
func (s *peopleRun) Init() tea.Cmd {
	ctx, cancel := context.WithCancel(s.env.Ctx)
	s.stop, s.done, s.over, s.err = cancel, 0, false, nil
	accounts, actor, act := s.env.Portal.Accounts, s.env.Actor(), s.act
	refs := slices.SortedFunc(maps.Keys(s.who), func(a, b string) int { return strings.Compare(s.who[a], s.who[b]) })
	words := make(chan [2]int, 1) // how far it is: only the newest word counts
	run := func() tea.Msg {
		defer cancel()
		result, err := accounts.Each(ctx, actor, act, refs, func(done, total int) {
			select {
			case <-words:
			default:
			}
			words <- [2]int{done, total}
		})
		close(words)
		return peopleOver{result, err}
	}
	var next tea.Cmd
	next = func() tea.Msg {
		if w, ok := <-words; ok {
			return peopleStep{w[0], w[1], next}
		}
		return nil
	}
	return tea.Batch(run, next)
}

// Update takes how far it is, what came of it, and keys.
func (s *peopleRun) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case peopleStep:
		s.done, s.total = max(s.done, msg.done), msg.total
		return s, msg.more
	case peopleOver:
		return s, s.finish(msg)
	case tui.BackMsg:
		if sure, ok := msg.Result.(tui.Confirmed); ok {
			s.act.Confirm, _ = sure.Result.(string)
			return s, s.Init()
		}
		if isProved(msg) {
			return s, s.Init()
		}
		return s, tui.Pop() // nothing was done
	case tea.KeyPressMsg:
		switch k := msg.String(); {
		case !s.over && k == "esc":
			s.stopped = true
			s.stop()
		case s.over && (k == "esc" || k == "enter"):
			return s, tui.PopWith(peopleActed{})
		case s.over:
			_, cmd := s.page.Update(msg)
			return s, cmd
		}
	}
	return s, nil
}

// finish shows what came of it. What was done to one alone needs no page of its own.
func (s *peopleRun) finish(m peopleOver) tea.Cmd {
	if core.CodeOf(m.err) == core.CodeStepUp {
		return tui.Push(newStepUp(s.env, "people.why_proof"))
	}
	if name, ask := s.unsure(m); ask {
		return s.confirm(name)
	}
	s.over, s.result, s.err = true, m.result, m.err
	if m.err == nil && m.result.Done == 1 && s.total == 1 {
		return tea.Sequence(tui.PopWith(peopleActed{}), tui.Toast(tui.Good, s.env.T("people.done."+string(s.act.Kind), "Count", 1)))
	}
	return nil
}

// unsure says what has to be typed before anything is done: where a deletion is at
// once and for good, the name of the one, or how many they are.
func (s *peopleRun) unsure(m peopleOver) (typed string, ask bool) {
	if refused := m.result.Refused; len(s.who) == 1 && len(refused) == 1 && refused[0].Code == core.CodeConfirm {
		return s.who[refused[0].User], true
	}
	return strconv.Itoa(len(s.who)), core.CodeOf(m.err) == core.CodeConfirm
}

// confirm opens the dialog in which that is typed.
func (s *peopleRun) confirm(name string) tea.Cmd {
	e := s.env
	return tui.Push(tui.NewConfirm(e.Session, func() tui.ConfirmSpec {
		return tui.ConfirmSpec{
			Title: s.Title(), Text: e.T("people.for_good", "Count", len(s.who), "People", e.someNames(s.who)), Name: name, Yes: e.T("people.do", "Count", len(s.who)),
			Do: func() tea.Cmd { return func() tea.Msg { return tui.Confirmed{Result: name} } },
		}
	}))
}

// SetSize takes the room of the screen.
func (s *peopleRun) SetSize(w, h int) {
	s.w = w
	s.page.SetSize(w, h)
}

// View is the bar, or what came of it.
func (s *peopleRun) View() string {
	if s.over {
		return s.page.View()
	}
	e, th := s.env, s.env.Theme
	said := e.T("people.running", "Done", s.done, "Count", s.total)
	if s.stopped {
		said = e.T("people.stopping")
	}
	if e.Caps.Lines {
		return said
	}
	return th.Bar(int64(s.done), int64(s.total), min(s.w, 30)) + "  " + th.Text.Render(said)
}

// summary says what was done, and what was refused and why.
func (s *peopleRun) summary(width int) string {
	e, th := s.env, s.env.Theme
	lines := []string{th.Good.Render(th.Signs.OK) + " " + e.T("people.done."+string(s.act.Kind), "Count", s.result.Done)}
	if s.err != nil {
		lines = append(lines, th.Bad.Render(th.Signs.No+" "+tui.Wrap(e.Sentence(s.err), width-2)))
	}
	if n := s.result.Left; n > 0 {
		lines = append(lines, th.Warn.Render("! "+e.T("people.left", "Count", n)))
	}
	if n := len(s.result.Refused); n > 0 {
		lines = append(lines, th.Bad.Render(th.Signs.No)+" "+e.T("people.refused", "Count", n), "")
		wide := 0
		for _, r := range s.result.Refused {
			wide = max(wide, min(len([]rune(s.who[r.User])), width/3))
		}
		for _, r := range s.result.Refused {
			why := tui.Wrap(e.T("people.why."+string(e.whyKey(r.Code))), width-wide-4)
			if e.whyKey(r.Code) == "" {
				why = tui.Wrap(e.Sentence(&core.Error{Code: r.Code}), width-wide-4)
			}
			lines = append(lines, "  "+th.Pad(escaped(s.who[r.User]), wide)+"  "+th.Muted.Render(hangBy(wide+4, why)))
		}
	}
	return strings.Join(lines, "\n")
}

// whyKey is the code for which there are words that fit one of many, else "".
func (e *Env) whyKey(code core.Code) core.Code {
	switch code {
	case core.CodeDenied, core.CodeState, core.CodeNotFound, core.CodeNoFactor, core.CodeLastOwner, core.CodeConfirm, core.CodeOwnAccount:
		return code
	}
	return ""
}

// Title is the screen's.
func (s *peopleRun) Title() string { return s.env.T("people.act." + string(s.act.Kind)) }

// Help returns the keys that work now.
func (s *peopleRun) Help() []key.Binding {
	if !s.over {
		return []key.Binding{s.env.bind("esc", "people.key_stop")}
	}
	return s.page.Help()
}

// My data: everything that is held about somebody, handed over as a file, and the
// signed receipt of the last time.

package screens

import (
	"context"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// myData is the page. At the local door the file is written where the program was
// started; from elsewhere the verb does it, and the page says how.
type myData struct {
	*page
	busy tui.Busy
	last core.Receipt
	at   time.Time // when that was; zero: never
	now  time.Time
	read bool
	err  error
	note string // where the receipt was written to, or why it was not
}

// myDataRead is what is known of the last time.
type myDataRead struct {
	last    core.Receipt
	at, now time.Time
	err     error
}

var (
	_ tui.Screen = (*myData)(nil)
	_ tui.Titled = (*myData)(nil)
	_ tui.Helper = (*myData)(nil)
)

func newMyData(env *Env) tui.Screen {
	s := &myData{}
	s.page = &page{env: env, title: func() string { return env.T("mydata.title") }, body: s.body, keys: s.keys, do: s.do}
	return s
}

// Init reads when the data was handed over last.
func (s *myData) Init() tea.Cmd {
	ctx, data, actor, clock := s.env.Ctx, s.env.Portal.Data, s.env.Actor(), s.env.Clock
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		last, at, err := data.Receipt(ctx, actor)
		if core.CodeOf(err) == core.CodeNotFound {
			err = nil // it was never handed over
		}
		return myDataRead{last, at, clock(), err}
	})
}

// Update takes what was read, what came of writing the receipt, and keys.
func (s *myData) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case myDataRead:
		s.busy.Stop()
		if s.err = m.err; m.err == nil {
			s.last, s.at, s.now, s.read = m.last, m.at, m.now, true
		}
		return s, nil
	case receiptWritten:
		s.note, s.top = s.env.receiptNote(m), 0 // where it is seen
		return s, nil
	case tui.BackMsg:
		return s, s.Init() // it may have been handed over meanwhile
	case tea.KeyPressMsg:
		_, cmd := s.page.Update(m)
		return s, cmd
	}
	return s, s.busy.Handle(msg)
}

func (s *myData) body(width int) string {
	e, t := s.env, s.env.Theme
	switch {
	case s.err != nil:
		return e.failure(s.err, width)
	case !s.read:
		return s.busy.View(t)
	}
	command := func(verb string) string { return "  " + t.Accent.Render(ansiWrap(s.reach()+verb, width-2)) }
	parts := []string{tui.Wrap(e.T("mydata.text"), width)}
	if e.Door.Create == nil {
		parts = append(parts, tui.Wrap(e.T("mydata.verb"), width), command(" export > me.json"))
	}
	if s.at.IsZero() {
		return strings.Join(append(parts, t.Muted.Render(tui.Wrap(e.T("mydata.never"), width))), "\n\n")
	}
	parts = append(parts, t.Facts([]tui.Fact{{Name: e.T("mydata.last"), Value: e.both(s.at, s.now)}}, width))
	if s.note != "" {
		parts = append(parts, tui.Wrap(s.note, width))
	}
	parts = append(parts, e.receiptView(s.last, width))
	if e.Door.Create == nil {
		parts = append(parts, t.Muted.Render(tui.Wrap(e.T("mydata.receipt_verb"), width)), command(" export receipt"))
	}
	return strings.Join(parts, "\n\n")
}

// reach is the command with which one comes in from elsewhere.
func (s *myData) reach() string {
	if reach := s.env.Door.Reach; reach != "" {
		return reach
	}
	return "ssh " + s.env.T("audit.host")
}

func (s *myData) keys() []key.Binding {
	e := s.env
	if !s.read {
		return []key.Binding{e.bind("r", "page.refresh")}
	}
	var out []key.Binding
	if e.Door.Create != nil {
		out = append(out, e.bind("x", "mydata.key_write"))
	}
	if s.at.IsZero() {
		return out
	}
	if e.Door.Save != nil {
		out = append(out, e.bind("w", "deletion.key_write"))
	}
	if e.copies() {
		out = append(out, e.bind("y", "deletion.key_copy"))
	}
	return out
}

func (s *myData) do(k string) tea.Cmd {
	e := s.env
	switch {
	case k == "r":
		return s.Init()
	case !s.read:
	case k == "x" && e.Door.Create != nil:
		return tui.Push(newMyDataWork(e))
	case s.at.IsZero():
	case k == "w" && e.Door.Save != nil:
		return e.saveReceipt("postern-data-receipt-"+s.at.UTC().Format("20060102-150405")+".json", s.last)
	case k == "y" && e.copies():
		return e.copyText(receiptText(s.last), "deletion.copied")
	}
	return nil
}

// newMyDataWork writes the file, here.
func newMyDataWork(env *Env) tui.Screen {
	create, archive, actor, d := env.Door.Create, env.Portal.Data, env.Actor(), env.Dict
	name := "postern-data-" + env.Me().UserName + ".json"
	return newWork(env, workSpec{title: "mydata.title", doing: "mydata.doing", why: "mydata.why_proof",
		do: func(ctx context.Context, progress func(int, int)) (workResult, error) {
			file, err := create(name)
			if err != nil {
				return workResult{}, &core.Error{Code: core.CodeNotWritten, Err: err}
			}
			defer file.Drop()
			r, err := archive.Export(ctx, actor, file, func(_ int, share float64) { progress(int(share*100), 100) })
			if err != nil {
				return workResult{}, err
			}
			path, err := file.Keep()
			if err != nil {
				return workResult{}, &core.Error{Code: core.CodeNotWritten, Err: err}
			}
			lines := []string{d.T("mydata.saved", "File", text.Escape(path)), "", d.T("deletion.receipt"), strings.TrimSpace(r.Document), ""}
			return workResult{good: true, lines: append(lines, strings.Split(strings.TrimSpace(r.Signature), "\n")...), copy: receiptText(r.Receipt)}, nil
		}})
}

// Receipts: documents with the portal's signature, to be kept by whoever was deleted
// or was handed their data, or looked at by those who decided.

package screens

import (
	"errors"
	"io/fs"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// receiptView shows a receipt as it was signed.
func (e *Env) receiptView(r core.Receipt, width int) string {
	lines := []string{e.Theme.Heading.Render(e.T("deletion.receipt")), tui.Wrap(text.Escape(strings.TrimSpace(r.Document)), width)}
	if r.Signature != "" {
		lines = append(lines, "", tui.Wrap(strings.TrimSpace(r.Signature), width), "", e.Theme.Muted.Render(tui.Wrap(e.T("deletion.receipt_check", "Key", text.Escape(r.Key)), width)))
	}
	return strings.Join(lines, "\n")
}

// receiptText is a receipt as a file.
func receiptText(r core.Receipt) string { return r.Document + r.Signature }

// saveReceipt returns the command that saves the document of a receipt, and beside it
// its signature, as ssh-keygen wants them. The door saves files.
func (e *Env) saveReceipt(name string, r core.Receipt) tea.Cmd {
	save := e.Door.Save
	return func() tea.Msg {
		path, err := save(name, []byte(r.Document))
		if err != nil || r.Signature == "" {
			return receiptWritten{path, err}
		}
		if beside, err := save(name+".sig", []byte(r.Signature)); err != nil {
			return receiptWritten{beside, err}
		}
		return receiptWritten{path, nil}
	}
}

// receiptNote says where a receipt was saved to, or why it was not.
func (e *Env) receiptNote(m receiptWritten) string {
	words := "deletion.not_written"
	switch {
	case m.err == nil:
		words = "deletion.written"
	case errors.Is(m.err, fs.ErrExist):
		words = "deletion.exists"
	}
	return e.T(words, "File", text.Escape(m.path))
}

// goodbye is the last page of somebody whose account was deleted here and now.
type goodbye struct {
	*page
	request core.Request
	note    string // where the receipt was written to, or why it was not
}

// receiptWritten is what came of writing it to a file.
type receiptWritten struct {
	path string
	err  error
}

var (
	_ tui.Screen = (*goodbye)(nil)
	_ tui.Titled = (*goodbye)(nil)
	_ tui.Helper = (*goodbye)(nil)
)

func newGoodbye(env *Env, r core.Request) tui.Screen {
	s := &goodbye{request: r}
	s.page = &page{env: env, title: func() string { return env.T("deletion.goodbye_title") }, body: s.body, keys: s.keys, do: s.do}
	return s
}

// Update takes what came of writing, and keys. Leaving goes to the welcome page:
// there is nothing below.
func (s *goodbye) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case receiptWritten:
		s.note = s.env.receiptNote(m)
		return s, nil
	case tea.KeyPressMsg:
		if m.String() == "esc" { // and no other key: what is shown here is shown once
			return s, tui.Reset(NewWelcome(s.env))
		}
		_, cmd := s.page.Update(m)
		return s, cmd
	}
	return s, nil
}

func (s *goodbye) body(width int) string {
	e, t := s.env, s.env.Theme
	parts := []string{t.Good.Render(t.Signs.OK) + " " + hanging(e.T("deletion.goodbye"), width)}
	if s.note != "" {
		parts = append(parts, tui.Wrap(s.note, width))
	}
	if s.request.Receipt != nil {
		parts = append(parts, e.receiptView(*s.request.Receipt, width))
	}
	return strings.Join(parts, "\n\n")
}

func (s *goodbye) keys() []key.Binding {
	switch {
	case s.request.Receipt == nil:
	case s.env.Door.Save != nil:
		return []key.Binding{s.env.bind("w", "deletion.key_write")}
	case s.env.copies():
		return []key.Binding{s.env.bind("y", "deletion.key_copy")}
	}
	return nil
}

func (s *goodbye) do(k string) tea.Cmd {
	if s.request.Receipt == nil {
		return nil
	}
	switch {
	case k == "w" && s.env.Door.Save != nil:
		return s.env.saveReceipt("postern-receipt-"+s.request.ID+".json", *s.request.Receipt)
	case k == "y" && s.env.copies():
		return s.env.copyText(receiptText(*s.request.Receipt), "deletion.copied")
	}
	return nil
}

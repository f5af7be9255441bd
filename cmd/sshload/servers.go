package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"

	"charm.land/bubbles/v2/cursor"
	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"charm.land/ssh"
	"charm.land/wish/v2"
	wishtea "charm.land/wish/v2/bubbletea"
	gossh "golang.org/x/crypto/ssh"

	"postern/cmd/sshd"
)

// beServer serves a form on a loopback port and prints the address.
func beServer(ctx context.Context, kind string) error {
	dir, err := os.MkdirTemp("", "sshload")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	key := filepath.Join(dir, "host_key")
	switch kind {
	case "bare":
		return beBare(ctx, key)
	case "door":
		return beDoor(ctx, key)
	}
	return fmt.Errorf("no server is called %q", kind)
}

// beDoor is the hardened door with the form behind it.
func beDoor(ctx context.Context, key string) error {
	// A session of the door holds less memory than a bare one, so the collector
	// would run more often, and its pauses are what the slowest keys wait for.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
	server, err := sshd.New(sshd.Config{Addr: "127.0.0.1:0", HostKeyPath: key}, handler{})
	if err != nil {
		return err
	}
	if err := server.Listen(); err != nil {
		return err
	}
	fmt.Println(server.Addr())
	return server.Serve(ctx)
}

// beBare is wish and bubbletea as their own examples put them together.
func beBare(ctx context.Context, key string) error {
	server, err := wish.NewServer(
		wish.WithAddress("127.0.0.1:0"), wish.WithHostKeyPath(key),
		func(s *ssh.Server) error {
			s.KeyboardInteractiveHandler = func(ssh.Context, gossh.KeyboardInteractiveChallenge) bool { return true }
			return nil
		},
		wish.WithMiddleware(wishtea.Middleware(func(sess ssh.Session) (tea.Model, []tea.ProgramOption) {
			pty, _, _ := sess.Pty()
			return newForm(pty.Window.Width, pty.Window.Height), nil
		})),
	)
	if err != nil {
		return err
	}
	l, err := listen()
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(l); ctx.Err() == nil {
		return err
	}
	return nil
}

type handler struct{}

func (handler) Program(_ context.Context, v sshd.Visitor) sshd.Program {
	return sshd.Program{Model: newForm(v.Width, v.Height)}
}

func (handler) Verb(context.Context, sshd.Visitor, []string, io.Reader, io.Writer, io.Writer) int {
	return sshd.ExitUsage
}

func (handler) Say(sshd.Visitor, sshd.Line, string) string { return "" }

var _ sshd.Handler = handler{}

// form is a sign-up form as huh makes it.
type form struct{ form *huh.Form }

func newForm(width, height int) form {
	return form{huh.NewForm(huh.NewGroup(
		huh.NewInput().Title("User name"), huh.NewInput().Title("Display name"), huh.NewInput().Title("E-mail"),
		huh.NewInput().Title("Password").EchoMode(huh.EchoModePassword), huh.NewConfirm().Title("Create the account?"),
	)).WithWidth(min(width, 76)).WithHeight(max(height-2, 1))}
}

func (f form) Init() tea.Cmd { return f.form.Init() }

// Update drops the blinking of the cursor, which would never let a session rest.
func (f form) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case cursor.BlinkMsg:
		return f, nil
	case tea.KeyPressMsg:
		if msg.String() == "ctrl+c" {
			return f, tea.Quit
		}
	}
	next, cmd := f.form.Update(msg)
	if next, ok := next.(*huh.Form); ok {
		f.form = next
	}
	return f, cmd
}

func (f form) View() tea.View {
	v := tea.NewView(f.form.View())
	v.AltScreen = true
	return v
}

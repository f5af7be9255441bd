package cmd

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
	gossh "golang.org/x/crypto/ssh"

	"postern/cmd/demo"
	"postern/cmd/sshd"
	"postern/tui"
)

// When visitors have gone and the door is closed, nothing of them still runs.
func TestVisitorsLeaveNothingRunning(t *testing.T) {
	before := goleak.IgnoreCurrent()
	catalog, err := tui.LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	d, err := demo.New(context.Background(), demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	door, err := sshd.New(sshd.Config{Addr: "127.0.0.1:0", HostKeyPath: filepath.Join(t.TempDir(), hostKeyFile), Log: log},
		&reception{portal: d.Portal, catalog: catalog, log: log, demo: &demoWords{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := door.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- door.Serve(ctx) }()

	visit := func() *gossh.Client {
		c, err := gossh.Dial("tcp", door.Addr().String(), &gossh.ClientConfig{
			HostKeyCallback: func(string, net.Addr, gossh.PublicKey) error { return nil },
			Auth:            []gossh.AuthMethod{gossh.KeyboardInteractive(func(string, string, []string, []bool) ([]string, error) { return nil, nil })},
		})
		if err != nil {
			t.Fatal(err)
		}
		session, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		var out lockedBuffer
		session.Stdout = &out
		in, err := session.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := session.RequestPty("xterm-256color", 24, 80, gossh.TerminalModes{}); err != nil {
			t.Fatal(err)
		}
		if err := session.Shell(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the welcome", func() bool { return strings.Contains(out.String(), "Harbour Lab") })
		if _, err := in.Write([]byte("\r")); err != nil { // into a form
			t.Fatal(err)
		}
		return c
	}
	for range 3 { // some hang up, some are there at the end
		_ = visit().Close()
	}
	stays := visit()
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	_ = stays.Close()
	d.Close()
	goleak.VerifyNone(t, before)
}

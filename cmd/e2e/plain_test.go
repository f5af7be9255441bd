package e2e

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// heard is what came over a connection, for reading while it comes.
type heard struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.Write(p)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.String()
}

// A terminal that can only be written to is answered in lines over SSH as well.
func TestADumbTerminalIsAnsweredInLines(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "portal")
	s := serve(t, data)
	session, err := dial(t, s.addr, nil).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	in, err := session.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out heard
	session.Stdout, session.Stderr = &out, &out
	if err := session.RequestPty("dumb", 24, 80, ssh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	if err := session.Shell(); err != nil {
		t.Fatal(err)
	}
	for _, turn := range []struct{ hears, says string }{
		{"Number [1]: ", "\r"}, {"Setup code", "XXXX\x7f\x7f\r"}, {"Setup code (XXXX-XXXX-XXXX-XXXX): XXXX\b \b\b \b\r\n", ":quit\r"},
	} {
		for end := time.Now().Add(20 * time.Second); !strings.Contains(out.String(), turn.hears); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("never heard %q: %q", turn.hears, out.String())
			}
		}
		if _, err := io.WriteString(in, turn.says); err != nil {
			t.Fatal(err)
		}
	}
	if err := session.Wait(); err != nil {
		t.Error(err)
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Errorf("drawn: %q", out.String())
	}
}

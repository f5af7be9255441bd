package sshd

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	gossh "golang.org/x/crypto/ssh"
)

// windowChange is the payload of a window-change request, RFC 4254 (6.7).
type windowChange struct{ Width, Height, PixelW, PixelH uint32 }

// stillServes fails unless a new guest gets a screen.
func (d *door) stillServes() {
	d.t.Helper()
	client := d.client()
	d.terminal(client, 80, 24).see("size=80x24")
	_ = client.Close()
}

// Weakness: wish hands a claimed size on as it came. Four billion columns by
// four billion rows make the renderer allocate until the process dies, and no
// account is needed for it.
func TestAHugeTerminalIsClamped(t *testing.T) {
	d := open(t, Limits{})
	client := d.client()
	sess, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	term := newTerminal(t, sess)
	pty := ptyRequest{Term: "xterm", Width: math.MaxUint32, Height: math.MaxUint32, PixelW: math.MaxUint32, PixH: math.MaxUint32}
	if ok, err := sess.SendRequest("pty-req", true, gossh.Marshal(&pty)); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if err := sess.Shell(); err != nil {
		t.Fatal(err)
	}
	term.see("size=500x200")
	if _, err := sess.SendRequest("window-change", false, gossh.Marshal(&windowChange{math.MaxUint32, 10, 0, 0})); err != nil {
		t.Fatal(err)
	}
	term.see("size=500x10")
	d.stillServes()
}

// Weakness: bubbletea believes a size that is told in the input (CSI 48 t), past
// every bound of the requests.
func TestASizeInTheInputIsIgnored(t *testing.T) {
	d := open(t, Limits{})
	client := d.client()
	term := d.terminal(client, 80, 24)
	term.see("size=80x24")
	term.typeKeys("\x1b[48;4000000;4000000;1;1t\x1b[8;3000000;3000000tok")
	term.see("ok")
	if strings.Contains(term.out.String(), "000000") {
		t.Errorf("the size was believed: %q", term.out.String())
	}
}

func TestTheSmallestAndTheEmptyTerminal(t *testing.T) {
	d := open(t, Limits{})
	client := d.client()
	one := d.terminal(client, 1, 1)
	one.typeKeys("x\x03")
	if code := exitCode(t, one.Wait()); code != 0 {
		t.Errorf("1x1: code %d", code)
	}
	d.terminal(client, 0, 0).see("size=80x24")
}

// Weakness: the library puts every new size into a channel with one place that
// is already taken, so that a change before the shell stops the connection.
func TestAWindowChangeBeforeTheShellIsAnswered(t *testing.T) {
	d := open(t, Limits{})
	sess, err := d.client().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	term := newTerminal(t, sess)
	if err := sess.RequestPty("xterm", 24, 80, nil); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if ok, err := sess.SendRequest("window-change", true, gossh.Marshal(&windowChange{uint32(100 + i), 30, 0, 0})); !ok || err != nil {
			t.Fatalf("window-change %d: %v, %v", i, ok, err)
		}
	}
	if err := sess.Shell(); err != nil {
		t.Fatal(err)
	}
	term.see("size=199x30")
}

func TestAStormOfWindowChangesIsCoalesced(t *testing.T) {
	d := open(t, Limits{})
	client := d.client()
	term := d.terminal(client, 80, 24)
	term.see("size=80x24")
	const storm = 10_000
	for i := range storm {
		if err := term.WindowChange(2+i%100, 40+i%300); err != nil {
			t.Fatal(err)
		}
	}
	if err := term.WindowChange(33, 333); err != nil {
		t.Fatal(err)
	}
	term.typeKeys("done")
	term.see("done")
	term.see("size=333x33")
	d.stillServes()
}

// Weakness: wish's middleware reads from the closed channel of window changes
// for ever, so that one client who closes its session and keeps the
// connection takes a whole core.
func TestAClosedSessionLeavesTheProcessorAlone(t *testing.T) {
	d := open(t, Limits{})
	client := d.client()
	for range 4 {
		term := d.terminal(client, 80, 24)
		term.see("size=80x24")
		_ = term.Close()
		eventually(t, "the session's end", func() bool { return d.Stats().Sessions == 0 })
	}
	eventually(t, "the programs' ends", func() bool { return d.handler.endedCount() == 4 })
	before := processorTime(t)
	time.Sleep(500 * time.Millisecond)
	if used := processorTime(t) - before; used > 250*time.Millisecond {
		t.Errorf("%v of processor time in half a second with nobody there", used)
	}
	d.stillServes()
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func TestOnlyTheNamedVariablesAreTaken(t *testing.T) {
	d := open(t, Limits{})
	sess, err := d.client().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	set := func(name, value string) bool { return sess.Setenv(name, value) == nil }
	for _, refused := range [][2]string{
		{"LD_PRELOAD", "x"}, {"PATH", "/"}, {"LC_", "x"}, {"LANG", "a\nb"}, {"LANG", "\x1b]0;x\a"}, {"COLORTERM", "\xff"},
		{"LC_ALL", strings.Repeat("x", MaxEnvBytes)}, {"LC_A=B", "x"}, {"", ""}, {"LANG", strings.Repeat("x", 100_000)},
	} {
		if set(refused[0], refused[1]) {
			t.Errorf("%q=%.40q was taken", refused[0], refused[1])
		}
	}
	taken := 0
	for i := range 40 {
		if set(fmt.Sprintf("LC_%d", i), "C") {
			taken++
		}
	}
	if taken != MaxEnv {
		t.Errorf("%d variables were taken, want %d", taken, MaxEnv)
	}
	out, err := sess.Output("whoami")
	if err != nil || strings.Count(string(out), "LC_") != MaxEnv || strings.Contains(string(out), "PATH") {
		t.Errorf("%s, %v", out, err)
	}
}

func TestEverythingButASessionIsRefused(t *testing.T) {
	d := open(t, Limits{})
	client := d.client()
	if _, err := client.Dial("tcp", d.addr); err == nil {
		t.Error("direct-tcpip was accepted")
	}
	if _, err := client.Listen("tcp", "127.0.0.1:0"); err == nil {
		t.Error("tcpip-forward was accepted")
	}
	for _, kind := range []string{"x11", "auth-agent@openssh.com", "direct-streamlocal@openssh.com", "tun@openssh.com", ""} {
		if _, _, err := client.OpenChannel(kind, nil); err == nil {
			t.Errorf("a channel %q was accepted", kind)
		}
	}
	term := d.terminal(client, 80, 24)
	term.see("size=80x24")
	for _, kind := range []string{
		"auth-agent-req@openssh.com", "x11-req", "subsystem", "signal", "break", "shell", "exec", "pty-req", "env", "xon-xoff", "",
	} {
		if ok, err := term.SendRequest(kind, true, gossh.Marshal(struct{ S string }{"sftp"})); ok || err != nil {
			t.Errorf("request %q: %v, %v", kind, ok, err)
		}
	}
	term.typeKeys("alive")
	term.see("alive")
}

func TestAFloodOfRequestsEndsTheConnection(t *testing.T) {
	d := open(t, Limits{})
	client := d.client()
	term := d.terminal(client, 80, 24)
	term.see("size=80x24")
	for range 100 * maxRequests {
		if _, err := term.SendRequest("signal", false, nil); err != nil {
			break
		}
	}
	_ = client.Wait()
	d.stillServes()
}

func TestAConnectionHasTwoSessionsAtMost(t *testing.T) {
	d := open(t, Limits{})
	client := d.client()
	first, second := d.terminal(client, 90, 20), d.terminal(client, 70, 30)
	first.see("size=90x20")
	second.see("size=70x30")
	if _, err := client.NewSession(); err == nil {
		t.Fatal("a third session was accepted")
	}
	// The two do not share what they were sent or asked for.
	first.typeKeys("one")
	second.typeKeys("two")
	first.see("one")
	second.see("two")
	_ = first.Close()
	eventually(t, "a free place", func() bool { return d.Stats().Sessions == 1 })
	d.terminal(client, 60, 20).see("size=60x20")
}

// Weakness: the library answers every channel request in a goroutine of its
// own. A client that never reads the refusals piles them up without end.
func TestAFloodOfChannelsEndsTheConnection(t *testing.T) {
	d := open(t, Limits{})
	client := d.client()
	before := runtime.NumGoroutine()
	for range 100 * maxRefusals {
		if _, _, err := client.OpenChannel("direct-tcpip", nil); err != nil {
			if _, refused := err.(*gossh.OpenChannelError); !refused {
				break
			}
		}
	}
	_ = client.Wait()
	d.stillServes()
	eventually(t, "the goroutines' ends", func() bool { return runtime.NumGoroutine() < before+50 })
}

func TestAPanicEndsItsSessionOnly(t *testing.T) {
	d := open(t, Limits{})
	client := d.client()
	bystander := d.terminal(d.client(), 80, 24)
	bystander.see("size=80x24")
	stderr := captureStderr(t)
	for _, key := range []string{"\x10", "\x0f", "viewpanic"} {
		term := d.terminal(client, 80, 24)
		term.see("size=80x24")
		term.typeKeys(key)
		if code := exitCode(t, term.Wait()); code != ExitRefused || !strings.Contains(term.out.String(), "Report the id") {
			t.Errorf("code %d, %q", code, term.out.String())
		}
		if strings.Contains(term.out.String(), "secret") {
			t.Error("the person was told the panic's text")
		}
	}
	for _, secret := range []string{"the screen's secret", "the command's secret", "the view's secret"} {
		if !strings.Contains(d.log.String(), secret) {
			t.Errorf("%q is not in the log", secret)
		}
	}
	if text := stderr(); strings.Contains(text, "secret") {
		t.Errorf("standard error got %q", text)
	}
	bystander.typeKeys("here")
	bystander.see("here")
	if panics := d.Stats().Panics; panics != 3 {
		t.Errorf("%d panics counted", panics)
	}
}

// captureStderr returns what the process writes to standard error until it is called.
func captureStderr(t *testing.T) func() string {
	t.Helper()
	old := os.Stderr
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	os.Stderr = w
	read := make(chan string)
	go func() {
		text, _ := io.ReadAll(r)
		read <- string(text)
	}()
	return func() string {
		os.Stderr = old
		_ = w.Close()
		return <-read
	}
}

// Weakness: bubbletea stops its process on a suspension, and all the sessions with it.
func TestASuspensionSuspendsNobody(t *testing.T) {
	d := open(t, Limits{})
	term := d.terminal(d.client(), 80, 24)
	term.see("size=80x24")
	term.typeKeys("\x14still")
	term.see("still")
}

// hung is a model whose Update never returns until it is let go.
type hung struct{ release chan struct{} }

func (h hung) Init() tea.Cmd { return nil }
func (h hung) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if _, ok := msg.(tea.KeyPressMsg); ok {
		<-h.release
	}
	return h, nil
}
func (h hung) View() tea.View { return tea.NewView("hung") }

func TestAHungProgramDoesNotHoldUpTheShutdown(t *testing.T) {
	release := make(chan struct{})
	d := open(t, Limits{Drain: 300 * time.Millisecond})
	d.handler.model = hung{release}
	term := d.terminal(d.client(), 80, 24)
	term.see("hung")
	term.typeKeys("x")
	if err := d.stop(); err != nil {
		t.Error(err)
	}
	_ = term.Wait()
	close(release)
	eventually(t, "the session's end", func() bool { return d.Stats().Sessions == 0 })
}

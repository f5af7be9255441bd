package sshd

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"
	"pgregory.net/rapid"
)

// fakeClock is a clock that a test moves.
type fakeClock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *fakeClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *fakeClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func withClock() (*fakeClock, func(*Config)) {
	clock := &fakeClock{t: time.Unix(1_700_000_000, 0)}
	return clock, func(c *Config) { c.Now = clock.now }
}

// Weakness: without a deadline a client that sends a byte now and then holds a
// connection for ever (slowloris).
func TestASlowHandshakeIsCutOff(t *testing.T) {
	d := open(t, Limits{Handshake: 300 * time.Millisecond})
	for _, stage := range []string{"", "SSH-2.0-slow\r\n"} {
		c := d.rawDial()
		_, _ = io.WriteString(c, stage)
		closed := make(chan struct{})
		go func() {
			_, _ = io.Copy(io.Discard, c)
			close(closed)
		}()
		eventually(t, "the server to give up", func() bool {
			_, _ = c.Write([]byte{0})
			select {
			case <-closed:
				return true
			default:
				return false
			}
		})
	}
	eventually(t, "free places", func() bool { return d.Stats().Connections == 0 })
	d.stillServes()
}

// refusedWith reads what a server says that closes at once.
func refusedWith(t *testing.T, c net.Conn) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	said, _ := io.ReadAll(c)
	return string(said)
}

func TestUnauthenticatedConnectionsAreLimitedPerAddress(t *testing.T) {
	d := open(t, Limits{UnauthenticatedPerAddress: 3})
	for range 3 {
		d.rawDial()
	}
	eventually(t, "three connections", func() bool { return d.Stats().Unauthenticated == 3 })
	if said := refusedWith(t, d.rawDial()); !strings.Contains(said, "Too many connections") {
		t.Errorf("the fourth was told %q", said)
	}
	if st := d.Stats(); st.Refused != 1 || st.Connections != 3 {
		t.Errorf("%+v", st)
	}
}

func TestTheOldestStalledHandshakeMakesRoom(t *testing.T) {
	d := open(t, Limits{Unauthenticated: 3})
	oldest := d.rawDial()
	eventually(t, "a connection", func() bool { return d.Stats().Unauthenticated == 1 })
	d.rawDial()
	d.rawDial()
	eventually(t, "three connections", func() bool { return d.Stats().Unauthenticated == 3 })
	d.stillServes()
	if said := refusedWith(t, oldest); !strings.HasPrefix(said, "SSH-2.0-Postern") {
		t.Errorf("the oldest was told %q", said)
	}
}

func TestConnectionsAndSessionsAreLimited(t *testing.T) {
	d := open(t, Limits{ConnectionsPerAddress: 3, Sessions: 1})
	client := d.client()
	d.terminal(client, 80, 24).see("size=80x24")
	sess, err := d.client().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	out, err := sess.CombinedOutput("whoami")
	if code := exitCode(t, err); code != ExitRefused || !strings.Contains(string(out), "Too many people") {
		t.Errorf("the second session: code %d, %q", code, out)
	}
	d.client()
	if _, err := d.dial(); err == nil {
		t.Error("a fourth connection was accepted")
	}
	_ = client.Close()
	eventually(t, "a free place", func() bool { return d.Stats().Connections == 2 })
	d.client()
}

func TestAnIdleSessionEnds(t *testing.T) {
	clock, with := withClock()
	d := open(t, Limits{Idle: 10 * time.Minute, KeepAlive: -1}, with)
	term := d.terminal(d.client(), 80, 24)
	term.see("size=80x24")
	clock.add(6 * time.Minute)
	term.typeKeys("awake")
	term.see("awake")
	clock.add(6 * time.Minute)
	d.sweep(clock.now())
	term.typeKeys("still")
	term.see("still")
	clock.add(11 * time.Minute)
	d.sweep(clock.now())
	if code := exitCode(t, term.Wait()); code != ExitRefused || !strings.Contains(term.out.String(), "Nothing was typed") {
		t.Errorf("code %d, %q", code, term.out.String())
	}
}

func TestABusySessionEndsAllTheSame(t *testing.T) {
	clock, with := withClock()
	d := open(t, Limits{Lifetime: time.Hour, Idle: -1, KeepAlive: -1}, with)
	term := d.terminal(d.client(), 80, 24)
	term.see("size=80x24")
	verb, err := d.client().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := verb.Start("wait"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both sessions", func() bool { return d.Stats().Entered == 2 })
	clock.add(time.Hour + time.Second)
	d.sweep(clock.now())
	if code := exitCode(t, term.Wait()); code != ExitRefused || !strings.Contains(term.out.String(), "as long as it may") {
		t.Errorf("code %d, %q", code, term.out.String())
	}
	if code := exitCode(t, verb.Wait()); code != ExitRefused {
		t.Errorf("verb: code %d", code)
	}
}

func TestAConnectionWithoutASessionEnds(t *testing.T) {
	clock, with := withClock()
	d := open(t, Limits{Sessionless: time.Minute}, with)
	without := d.client()
	silent := d.client() // has a session, but starts nothing in it
	if _, err := silent.NewSession(); err != nil {
		t.Fatal(err)
	}
	clock.add(time.Minute + time.Second)
	d.sweep(clock.now())
	_ = without.Wait()
	_ = silent.Wait()
}

func TestADeadClientIsFound(t *testing.T) {
	clock, with := withClock()
	d := open(t, Limits{KeepAlive: time.Minute}, with)
	term := d.terminal(d.client(), 80, 24) // x/crypto's client answers
	term.see("size=80x24")
	for range 3 {
		clock.add(time.Minute + time.Second)
		d.sweep(clock.now())
		eventually(t, "the answer", func() bool {
			for _, c := range d.gate.all() {
				if c.asked.Load() != 0 {
					return false
				}
			}
			return true
		})
	}
	term.typeKeys("here")
	term.see("here")

	// A client that leaves the question unanswered.
	raw := d.rawDial()
	sshConn, chans, _, err := gossh.NewClientConn(raw, d.addr, &gossh.ClientConfig{
		User: "ada", Auth: []gossh.AuthMethod{guestAuth()}, HostKeyCallback: gossh.FixedHostKey(d.HostKey()),
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for range chans {
		}
	}()
	if _, reqs, err := sshConn.OpenChannel("session", nil); err != nil {
		t.Fatal(err)
	} else {
		go gossh.DiscardRequests(reqs)
	}
	clock.add(59 * time.Second)
	term.typeKeys("!")
	term.see("here!")
	clock.add(2 * time.Second)
	d.sweep(clock.now())
	clock.add(30 * time.Second)
	term.typeKeys("!")
	term.see("here!!")
	clock.add(31 * time.Second)
	d.sweep(clock.now())
	_ = sshConn.Wait()
	term.typeKeys("?")
	term.see("here!!?")
}

// A client that takes nothing it is sent must not hold a session for ever.
func TestAClientThatDoesNotReadIsLetGo(t *testing.T) {
	clock, with := withClock()
	d := open(t, Limits{Idle: time.Minute, KeepAlive: -1}, with)
	client := d.client()
	sess, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sess.StdoutPipe(); err != nil { // never read: the window fills up
		t.Fatal(err)
	}
	if err := sess.Start("flood"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the verb", func() bool { return d.Stats().Entered == 1 })
	time.Sleep(200 * time.Millisecond)
	clock.add(2 * time.Minute)
	d.sweep(clock.now())
	eventually(t, "the session's end", func() bool { return d.open.Load() == 0 })
}

func TestClosingMidWayInEveryPhase(t *testing.T) {
	d := open(t, Limits{})
	phases := map[string]func(){
		"at once":           func() { _ = d.rawDial().Close() },
		"after the version": func() { c := d.rawDial(); _, _ = io.WriteString(c, "SSH-2.0-x\r\n"); _ = c.Close() },
		"in the middle of a packet": func() {
			c := d.rawDial()
			_, _ = io.WriteString(c, "SSH-2.0-x\r\n\x00\x00\x05\x00\x0a\x14")
			_ = c.Close()
		},
		"nonsense":         func() { c := d.rawDial(); _, _ = c.Write(make([]byte, 100_000)); _ = c.Close() },
		"authenticated":    func() { _ = d.client().Close() },
		"channel open":     func() { c := d.client(); _, _ = c.NewSession(); _ = c.Close() },
		"terminal asked":   func() { c := d.client(); s, _ := c.NewSession(); _ = s.RequestPty("x", 9, 9, nil); _ = c.Close() },
		"program running":  func() { c := d.client(); d.terminal(c, 80, 24).see("size="); _ = c.Close() },
		"program starting": func() { c := d.client(); d.terminal(c, 80, 24); _ = c.Close() },
		"program typing": func() {
			c := d.client()
			s := d.terminal(c, 80, 24)
			s.typeKeys(strings.Repeat("x", 50_000))
			_ = c.Close()
		},
		"verb running":      func() { c := d.client(); s, _ := c.NewSession(); _ = s.Start("wait"); _ = c.Close() },
		"verb writing":      func() { c := d.client(); s, _ := c.NewSession(); _ = s.Start("flood"); _ = c.Close() },
		"channel closed":    func() { c := d.client(); s := d.terminal(c, 80, 24); _ = s.Close() },
		"session and close": func() { c := d.client(); s, _ := c.NewSession(); _ = s.Start("exit7"); _ = s.Close(); _ = c.Close() },
	}
	for name, phase := range phases {
		for range 5 {
			phase()
		}
		t.Log(name)
	}
	eventually(t, "all programs' ends", func() bool { return d.open.Load() == 0 })
	d.stillServes()
}

func TestGroupsOfAddresses(t *testing.T) {
	same := [][2]string{
		{"192.0.2.7", "::ffff:192.0.2.7"},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9"},
		{"fe80::1%eth0", "fe80::1%eth1"},
	}
	for _, pair := range same {
		if a, b := groupOf(netip.MustParseAddr(pair[0])), groupOf(netip.MustParseAddr(pair[1])); a != b {
			t.Errorf("%s is in %v, %s in %v", pair[0], a, pair[1], b)
		}
	}
	different := [][2]string{{"192.0.2.7", "192.0.2.8"}, {"2001:db8:1:2::1", "2001:db8:1:3::1"}, {"::1", "127.0.0.1"}}
	for _, pair := range different {
		if a, b := groupOf(netip.MustParseAddr(pair[0])), groupOf(netip.MustParseAddr(pair[1])); a == b {
			t.Errorf("%s and %s are both in %v", pair[0], pair[1], a)
		}
	}
}

// Whatever comes and goes, the gate's counts are those of a model, and no limit is passed.
func TestTheGateCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{Unauthenticated: 4, UnauthenticatedPerAddress: 2, Connections: 8, ConnectionsPerAddress: 3}
		s := &Server{gate: newGate(limits), config: Config{Now: time.Now}}
		in := map[*conn]bool{} // true: authenticated
		var order []*conn
		pick := func() *conn { return order[rapid.IntRange(0, len(order)-1).Draw(t, "which")] }
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "act") {
			case 0:
				addr := netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", rapid.IntRange(1, 4).Draw(t, "address")))
				here, there := net.Pipe()
				_ = there.Close()
				c := &conn{Conn: here, server: s, group: groupOf(addr)}
				if s.gate.admit(c) {
					in[c] = false
					order = append(order, c)
				} else {
					_ = here.Close()
				}
			case 1:
				if len(order) > 0 {
					c := pick()
					s.gate.authenticated(c)
					if _, here := in[c]; here {
						in[c] = true
					}
				}
			case 2:
				if len(order) > 0 {
					c := pick()
					_ = c.Close()
					_ = c.Close()
				}
			}
			pending, groups := 0, map[netip.Prefix]int{}
			s.gate.mu.Lock()
			for c := range in {
				if _, ok := s.gate.conns[c]; !ok {
					delete(in, c)
					continue
				}
				groups[c.group]++
				if !in[c] {
					pending++
				}
			}
			s.gate.mu.Unlock()
			all, waiting, _ := s.gate.counts()
			if all != len(in) || waiting != pending || all > 8 || waiting > 4 || len(s.gate.groups) != len(groups) {
				t.Fatalf("all %d, want %d; waiting %d, want %d; groups %d, want %d", all, len(in), waiting, pending, len(s.gate.groups), len(groups))
			}
			for group, n := range groups {
				if count := s.gate.groups[group]; count.all != n || n > 3 || count.pending > 2 {
					t.Fatalf("group %v: %+v, want %d", group, count, n)
				}
			}
		}
	})
}

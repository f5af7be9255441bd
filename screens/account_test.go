package screens

import (
	"context"
	"testing"
	"time"

	"postern/core"
	"postern/tui/tuitest"
)

// testKey is the fingerprint of a key that a connection proved.
const testKey = "SHA256:k3PqAbCdEfGhIjKlMnOpQrStUvWxYz0123456789abc"

// signIn begins a session of an account from somewhere.
func (p *place) signIn(t testing.TB, from core.Actor, login, pw string) core.SignedIn {
	t.Helper()
	r, err := p.SignIn.Password(context.Background(), from, login, pw)
	if err != nil {
		t.Fatal(err)
	}
	if r.Step != core.StepDone {
		t.Fatalf("signed in only as far as %s", r.Step)
	}
	return r.SignedIn
}

// elsewhere is a connection over SSH from another place.
func elsewhere(address string) core.Actor {
	return core.Actor{Door: core.DoorSSH, Remote: address, Client: "OpenSSH_9.9"}
}

// as is the actor of a session.
func as(in core.SignedIn) core.Actor {
	return core.Actor{Door: core.DoorSSH, Remote: "192.0.2.7"}.With(in)
}

// ada has an account with otherPassword and sits at home over SSH.
func (p *place) ada(t testing.TB, opts ...tuitest.Option) (*tuitest.Terminal, *Env, core.SignedIn) {
	t.Helper()
	in := p.signUp(t, "ada", otherPassword)
	e := p.env(t, opts...)
	return p.enter(t, e, in).WaitFor("Security check-up"), e, in
}

// live counts the live sessions of the one who is signed in.
func (p *place) live(t testing.TB, in core.SignedIn) int {
	t.Helper()
	list, err := p.Sessions.Mine(context.Background(), as(in))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// acts counts the entries of an act in the trail of an account.
func (p *place) acts(t testing.TB, name string, action core.Action, outcome core.Outcome) int {
	t.Helper()
	page, err := p.Audit.List(context.Background(), core.ConsoleActor("test"), name, "", core.MaxPage)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range page.Entries {
		if e.Action == action && e.Outcome == outcome {
			n++
		}
	}
	return n
}

// untilClosed waits until the program has closed.
func untilClosed(t testing.TB, v *tuitest.Terminal, why string) {
	t.Helper()
	v.WaitFor(why)
	for deadline := time.Now().Add(10 * time.Second); !v.Quit(); v.Settle() {
		if time.Now().After(deadline) {
			t.Fatal("the program did not close")
		}
	}
}

// walk presses keys, and after each waits until the text that follows it stands
// on the screen: what a key opens comes with a message of its own.
func walk(t testing.TB, v *tuitest.Terminal, steps ...string) *tuitest.Terminal {
	t.Helper()
	for i := 0; i+1 < len(steps); i += 2 {
		v.Press(steps[i]).WaitFor(steps[i+1])
	}
	return v
}

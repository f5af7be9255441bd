package screens

import (
	"encoding/base32"
	"strings"
	"testing"

	"postern/core"
	"postern/core/otp"
	"postern/tui/tuitest"
)

const (
	testNumber = "+351912345678"
	testMask   = "+35 •• ••78"
	keyLine    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHaK"
)

// appFactor enrols an app named My phone for an account and returns its key.
func (p *place) appFactor(t testing.TB, in core.SignedIn) []byte {
	t.Helper()
	e, err := p.Factors.Begin(t.Context(), as(in), "", core.FactorApp, "")
	if err != nil {
		t.Fatal(err)
	}
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(e.Secret, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Factors.Confirm(t.Context(), as(in), "", e.ID, p.appCode(key), "My phone"); err != nil {
		t.Fatal(err)
	}
	return key
}

// appCode waits until the app shows a code that it has not shown before, and reads it.
func (p *place) appCode(key []byte) string {
	p.clock.Advance(otp.Period)
	return otp.Code(key, otp.Step(p.clock.Now()))
}

// sentFactor enrols a phone or an address for an account.
func (p *place) sentFactor(t testing.TB, in core.SignedIn, kind core.FactorKind, address string) {
	t.Helper()
	e, err := p.Factors.Begin(t.Context(), as(in), "", kind, address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Factors.Confirm(t.Context(), as(in), "", e.ID, p.sentCode(t), ""); err != nil {
		t.Fatal(err)
	}
}

// recoveryCodes saves a set of recovery codes for an account.
func (p *place) recoveryCodes(t testing.TB, in core.SignedIn) []string {
	t.Helper()
	sheet, err := p.Factors.BeginRecovery(t.Context(), as(in))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Factors.SaveRecovery(t.Context(), as(in), sheet.Seed); err != nil {
		t.Fatal(err)
	}
	return sheet.Codes
}

// linkedTestKey links testKey to an account.
func (p *place) linkedTestKey(t testing.TB, in core.SignedIn) {
	t.Helper()
	actor := as(in)
	actor.Key, actor.KeyLine = testKey, keyLine
	if err := p.Keys.Link(t.Context(), actor, "work"); err != nil {
		t.Fatal(err)
	}
}

// sms switches text messages on.
func (p *place) sms(t testing.TB) {
	t.Helper()
	p.set(t, "factors.sms", "on", "messages.sms_allowance", "50")
}

// sent counts the messages of a kind.
func (p *place) sent(t testing.TB, kind core.MessageKind) int {
	t.Helper()
	page, err := p.Messages.List(t.Context(), core.ConsoleActor("test"), "", "", core.MaxPage)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, m := range page.Messages {
		if m.Kind == kind {
			n++
		}
	}
	return n
}

// challenged signs ada in as far as the second factor.
func (p *place) challenged(t testing.TB, opts ...tuitest.Option) (*challenge, *tuitest.Terminal) {
	t.Helper()
	return p.challengedOn(t, p.env(t, opts...))
}

func (p *place) challengedOn(t testing.TB, e *Env) (*challenge, *tuitest.Terminal) {
	t.Helper()
	v := p.on(t, e, NewSignIn)
	fill(v, "ada", otherPassword).Press("enter").WaitUntil("a second factor is asked for", func(string) bool {
		_, ok := v.Router().Top().(*challenge)
		return ok
	})
	return v.Router().Top().(*challenge), v.Settle()
}

// clean fails if anything that was typed is left in a challenge.
func (s *challenge) clean(t testing.TB) {
	t.Helper()
	left := s.prover.secret
	for _, c := range s.prover.entries {
		left += c.typed
	}
	if left != "" {
		t.Errorf("%q is left in the screen", left)
	}
}

// signInFully signs ada in with password and app.
func (p *place) signInFully(t testing.TB, key []byte) core.SignedIn {
	t.Helper()
	r, err := p.SignIn.Password(t.Context(), elsewhere("192.0.2.7"), "ada", otherPassword)
	if err != nil || r.Step != core.StepFactor {
		t.Fatalf("%s, %v", r.Step, err)
	}
	if r, err = p.SignIn.Factor(t.Context(), elsewhere("192.0.2.7"), r.Ticket, r.Ways[0].ID, p.appCode(key)); err != nil {
		t.Fatal(err)
	}
	return r.SignedIn
}

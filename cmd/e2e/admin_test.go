package e2e

import (
	"path/filepath"
	"testing"
	"time"
)

// policyPage is an administrator who goes to the policy.
func (v *visitor) policyPage() {
	v.t.Helper()
	v.choose("Administration")
	v.choose("Policy")
	v.WaitFor("is in force since")
}

// Two administrators and a person, all signed in over SSH at once: one changes
// the policy under the others. The person's screen obeys within a second, a
// stranger who is about to sign up is judged by the new rules, and the second
// administrator sees what the first has done, and goes on from there.
func TestAPolicyChangedUnderPeopleWhoAreSignedIn(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "portal")
	s := serve(t, data)
	lin := setUp(t, s)
	mustVerb(t, data, "policy", "set", "sign_up.mode=open")

	mara := visit(t, s.addr, nil, 80, 24)
	mara.signUp("mara", "Mara Voss", userPassword)
	still := time.Now() // from here on mara does nothing

	ada := visit(t, s.addr, nil, 120, 40)
	ada.signUp("ada", "Ada Byron", userPassword)
	mustVerb(t, data, "grant", "give", "ada", "admin")
	ada.leave()
	ada = visit(t, s.addr, nil, 120, 40)
	ada.signIn("ada", userPassword, "Ada Byron")

	stranger := visit(t, s.addr, nil, 80, 24)
	stranger.choose("Create an account")
	stranger.WaitFor("User name")
	stranger.fill("noor", "Noor", "noor@example.org")
	stranger.WaitFor("at least 12 characters")

	// Both go to the policy, and begin from the same version.
	lin.policyPage()
	ada.policyPage()
	ada.choose("Passwords")
	ada.choose("Minimum length")
	ada.WaitFor("Take it")
	ada.Press("backspace")
	ada.Press("backspace")
	ada.fill("16")
	ada.WaitFor("was 12")

	lin.choose("Passwords")
	lin.choose("Minimum length")
	lin.WaitFor("Take it")
	lin.Press("backspace")
	lin.Press("backspace")
	lin.fill("14")
	lin.WaitFor("was 12")
	lin.Press("esc")
	lin.choose("Sessions")
	lin.choose("Idle minutes")
	lin.WaitFor("Take it")
	lin.Press("backspace")
	lin.Press("backspace")
	lin.fill("1")
	lin.WaitFor("was 30")

	// Whoever was still for a minute is over the new limit. Those who run the
	// portal press keys meanwhile.
	for time.Since(still) < 61*time.Second {
		time.Sleep(5 * time.Second)
		lin.Press("down")
		ada.Press("down")
	}
	lin.Press("s")
	lin.WaitFor("30 → 1", "session", "mara", "were counted")
	began := time.Now()
	lin.fill("finding 14")
	mara.WaitFor("nothing was typed for a while")
	t.Logf("mara's screen obeyed %v after the last key", time.Since(began))
	stranger.WaitFor("at least 14 characters")
	lin.WaitFor("Version 3 is in force")

	ada.Press("s")
	ada.WaitFor("12 → 16")
	ada.fill("longer")
	ada.WaitFor("lin put version 3 in force while you were at work", "finding 14", "12 → 14", "theirs: 14")
	ada.Press("right")
	ada.WaitFor("yours: 16")
	ada.choose("Go on with this")
	ada.WaitFor("14 → 16")
	ada.Press("enter")
	ada.WaitFor("Version 4 is in force")
	stranger.WaitFor("at least 16 characters")
}

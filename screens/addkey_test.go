package screens

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"postern/core"
	"postern/tui"
	"postern/tui/tuitest"
)

func TestPastingAKey(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.adaAbove(t, newAddKey)
	v.WaitFor("Public key").Press("tab").Paste("").Press("shift+tab")
	v.Paste(publicKey + "\n").Contains("ada@laptop") // the comment is a name for it
	v.Press("enter").Burst("enter", "enter", "enter").WaitFor("Your key is linked.")
	have := p.protection(t, in)
	if len(have.Keys) != 1 || have.Keys[0].Label != "ada@laptop" || have.Keys[0].Type() != "ssh-ed25519" {
		t.Fatalf("linked %+v", have.Keys)
	}
	if n := p.acts(t, "ada", core.ActKeyLink, core.OutcomeDone); n != 1 {
		t.Errorf("linked %d times", n)
	}
}

// A name that was typed is kept, whatever the comment is; without either there is none.
func TestTheNameOfAPastedKey(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.adaAbove(t, newAddKey)
	v.WaitFor("Public key").Press("tab").Type("tower").Press("shift+tab").Paste(publicKey)
	v.Contains("tower").Press("tab", "tab", "enter").WaitFor("Security check-up")
	if have := p.protection(t, in); have.Keys[0].Label != "tower" {
		t.Errorf("%+v", have.Keys)
	}
	bare := strings.Join(strings.Fields(sshKey(t))[:2], " ")
	w := p.openAbove(t, p.env(t), in, newAddKey).WaitFor("Public key")
	w.Paste(bare).Press("tab", "tab", "enter").WaitFor("Security check-up")
	if have := p.protection(t, in); have.Keys[0].Label+have.Keys[1].Label != "tower" {
		t.Errorf("%+v", have.Keys)
	}
	// What cannot be a name is none.
	for comment, want := range map[string]string{
		"a b": "a b", strings.Repeat("x", 33): "", "evil\x1b[2J": "", "\u202e": "", "": "",
	} {
		if got := keyComment("ssh-ed25519 AAAA " + comment); got != want {
			t.Errorf("%q: %q", comment, got)
		}
	}
}

// focus goes to a field of the form that is asked.
func focus(v *tuitest.Terminal, field string) *tuitest.Terminal {
	for v.Router().Top().(tui.Asking).Asking().Focused() != field {
		v.Press("shift+tab")
	}
	return v
}

// sshKey is a fresh key as it stands in a .pub file.
func sshKey(t testing.TB) string {
	t.Helper()
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

// The longest key that is accepted is pasted like any other.
func TestPastingALargeKey(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	private, err := rsa.GenerateKey(rand.Reader, 4096)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	line := string(ssh.MarshalAuthorizedKey(key))
	comment := strings.Repeat("long ", 700) // makes it several kilobytes
	v, _, in := p.adaAbove(t, newAddKey)
	v.WaitFor("Public key").Paste(strings.TrimSpace(line)+" "+comment).Press("tab").Type("rack").Press("tab", "enter").WaitFor("Security check-up")
	if have := p.protection(t, in); len(have.Keys) != 1 || have.Keys[0].Type() != "ssh-rsa" {
		t.Errorf("linked %+v", have.Keys)
	}
}

// A private key is refused with a sentence of its own, and stands on the screen
// for no moment.
func TestAPrivateKeyIsNeverShown(t *testing.T) {
	t.Parallel()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "ada@laptop")
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(block))
	p := newPlace(t)
	v, _, in := p.adaAbove(t, newAddKey)
	v.WaitFor("Public key").Paste(text)
	waitToRead(v, "That is a private key. Never show it to anybody, this portal included;")
	v.Lacks("BEGIN", "b3BlbnNz").Press("enter", "enter").Lacks("b3BlbnNz")
	if s := v.Router().Top().(*addKey); s.pasted != "" || s.label != "" {
		t.Errorf("kept %q, %q", s.pasted, s.label)
	}
	clearField(focus(v, "key")).Paste(publicKey).Press("tab", "tab", "enter").WaitFor("Security check-up")
	if len(p.protection(t, in).Keys) != 1 {
		t.Error("the right half was not linked afterwards")
	}

	l, _, _ := newPlace(t).adaAboveInLines(t, newAddKey)
	l.Hears("Public key").Answer(strings.ReplaceAll(strings.TrimSpace(text), "\n", " ")).Hears("That is a private key.")
	l.Answer(publicKey).Hears("Name (such as: laptop) [ada@laptop]").Answer("").Hears("Until (no end").Answer("", "2").Hears("Security check-up")
}

func TestKeysThatAreRefused(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	theirs := sshKey(t)
	other := p.signUp(t, "bob", otherPassword)
	if _, err := p.Keys.Add(t.Context(), as(other), theirs, ""); err != nil {
		t.Fatal(err)
	}
	v, _, in := p.adaAbove(t, newAddKey)
	v.WaitFor("Public key")
	for pasted, why := range map[string]string{
		"":                                     "Please fill this in.",
		"hello":                                "This is not a public key on one line.",
		"ssh-ed25519 AAAA":                     "This is not a public key on one line.",
		`command="rm -rf /" ` + publicKey:      "This is not a public key on one line.",
		publicKey + "\n" + sshKey(t):           "These are several keys.",
		theirs:                                 "This key is linked to an account already.",
		"ssh-dss AAAAB3NzaC1kc3MAAACBAAAA dsa": "This is not a public key on one line.",
		strings.Repeat("A", 70<<10):            "That paste is too long.",
		strings.Repeat("A", 17<<10):            "At most 16,384 characters. Nothing was added.",
	} {
		if v.Paste(pasted); !strings.Contains(v.Text(), why) { // it was not even taken
			v.Press("tab", "tab", "enter")
		}
		waitToRead(v, why)
		clearField(focus(v, "key"))
	}
	if len(p.protection(t, in).Keys) != 0 {
		t.Error("linked")
	}
}

// ASVS 7.5.1: a key that is pasted asks for a proof, and what was pasted stays.
func TestAPastedKeyAsksForAProofAndGoesOn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.adaAbove(t, newAddKey)
	p.clock.Advance(core.StepUpFor + time.Minute)
	v.WaitFor("Public key").Paste(publicKey).Press("tab", "tab", "enter").WaitFor("Is it you?")
	v.Press("esc").WaitFor("Public key").Contains("ada@laptop")
	if len(p.protection(t, in).Keys) != 0 {
		t.Fatal("linked without a proof")
	}
	v.Press("enter").WaitFor("Is it you?")
	v.Type(otherPassword).Press("enter").WaitFor("Security check-up")
	if len(p.protection(t, in).Keys) != 1 {
		t.Error("not linked after the proof")
	}
}

// What a linked key means is said before it is linked. ASVS 6.1.3.
func TestWhatAKeyMeansIsSaidBefore(t *testing.T) {
	t.Parallel()
	const guards, opens, codes = "From now on a sign-in asks for a linked key or another second factor.",
		"From now on whoever comes with this key signs in without your password.", "You have no recovery codes yet."
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	p.enrolled(t, in, "Pixel")
	open := func(screen string) *tuitest.Terminal {
		e := p.env(t)
		e.actor.Key, e.actor.KeyLine = testKey, "ssh-ed25519 AAAA"
		above := newAddKey
		if screen == "here" {
			above = newLinkKey
		}
		return p.openAbove(t, e, in, above).WaitFor("Name")
	}
	for _, screen := range []string{"paste", "here"} {
		waitToRead(waitToRead(open(screen), guards), codes).Lacks(opens)
	}
	p.set(t, "factors.key_stands", "password")
	for _, screen := range []string{"paste", "here"} {
		waitToRead(open(screen), opens).Lacks("asks for a linked key", "You have no recovery")
	}
	p.set(t, "factors.key_stands", "nothing")
	for _, screen := range []string{"paste", "here"} {
		open(screen).Lacks("From now on", "You have no recovery")
	}
	p.set(t, "factors.key_stands", "factor")
	p.coded(t, in)
	waitToRead(open("here"), guards).Lacks("You have no recovery")
}

// The key that one came with gets a name where one likes.
func TestNamingTheKeyOneCameWith(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, in := p.keyed(t)
	v.Press("l").WaitFor("Link it").Press("up", "up").Type("laptop").Press("tab", "tab", "tab", "enter").WaitFor("Your key is linked.")
	if have := p.protection(t, in); len(have.Keys) != 1 || have.Keys[0].Label != "laptop" || have.Keys[0].Fingerprint != testKey {
		t.Errorf("linked %+v", have.Keys)
	}
}

// From the list of factors it is offered as long as it is not linked.
func TestLinkingTheKeyOneCameWithFromTheList(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	e := p.env(t)
	e.actor.Key, e.actor.KeyLine = testKey, "ssh-ed25519 AAAA"
	v := p.openAbove(t, e, in, NewFactors).WaitFor("Nothing but")
	walk(t, v, "a", "The SSH key you came with", "down", "it is proved already", "enter", "Link it")
	v.Press("tab", "enter").WaitFor("Your key is linked.")
	v.Contains("● ", "k3PqAbCd")
	if v.Press("a").WaitFor("What would you like to add?").Lacks("came with"); len(p.protection(t, in).Keys) != 1 {
		t.Error("not linked")
	}
}

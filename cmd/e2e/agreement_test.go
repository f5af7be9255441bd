package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An agreement is published at the machine while the portal is served; whoever
// signs in next agrees on the screens or does not come in, and a linked key speaks
// for nobody until then.
func TestAnAgreementOverSSH(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "portal")
	s := serve(t, data)
	setUp(t, s).leave()
	mustVerb(t, data, "policy", "set", "sign_up.mode=open")
	mustVerb(t, data, "contact", "set", "dpo", "name=Ines Prata", "email=dpo@lanterns.example")
	key := newKey(t)
	ada := visit(t, s.addr, key, 80, 24)
	ada.signUp("ada", "Ada Byron", userPassword)
	ada.choose("Link your SSH key")
	ada.WaitFor("From now on a sign-in asks for a linked key")
	ada.press("Link it")
	ada.WaitFor("Your key is linked.")

	// Longer than an argument of the control socket, and written in two alphabets.
	rules := filepath.Join(t.TempDir(), "rules.txt")
	if err := os.WriteFile(rules, []byte("1. Be kind.\n"+strings.Repeat("Будьте добры друг к другу.\n", 300)+"The end.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	id, _, _ := strings.Cut(mustVerb(t, data, "agreement", "publish", "--name", "House rules", "--link", "https://lanterns.example/rules", "--text", rules), "\n")
	if out, exit := remote(t, s.addr, key, "whoami --json"); exit != 3 || !strings.Contains(out, `"agreement"`) {
		t.Errorf("a key speaks for somebody who has not agreed: exit %d\n%s", exit, out)
	}

	again := visit(t, s.addr, key, 80, 24)
	again.knock("ada", userPassword)
	again.WaitFor("House rules, version 1", "1. Be kind.", "https://lanterns.example/rules")
	again.choose("I do not agree")
	again.WaitFor("Welcome to Lanterns", "You did not agree, so you are not signed in.")
	again.knock("ada", userPassword)
	again.choose("Read it")
	again.WaitFor("read on")
	again.Press("G")
	again.WaitFor("The end.")
	again.Press("esc")
	again.choose("I agree")
	again.WaitFor("Hello, Ada Byron")
	again.Press("v")
	again.choose("Contacts and agreements")
	again.WaitFor("Ines Prata", "House rules, version 1: agreed on")

	if out := mustVerb(t, data, "agreement", "accepted", id); !strings.Contains(out, "1 person has accepted House rules, version 1.") {
		t.Error(out)
	}
	out, exit := remote(t, s.addr, key, "agreement mine --json")
	if exit != 0 || !strings.Contains(out, `"House rules"`) || !strings.Contains(out, `"remote": "127.0.0.1"`) {
		t.Errorf("exit %d\n%s", exit, out)
	}
	mustVerb(t, data, "check")
}

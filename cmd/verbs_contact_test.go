package cmd

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"postern/core"
	"postern/core/coretest"
)

func TestContactsByVerb(t *testing.T) {
	p := coretest.Open(t)
	console := coretest.Console()
	out, _, code := asks(t, p.Portal, console, "", "contact", "list")
	if code != exitOK || !strings.Contains(out, "Missing: Data protection officer. Set it with: postern contact set dpo") {
		t.Errorf("exit %d, %s", code, out)
	}
	asks(t, p.Portal, console, "", "contact", "set", "dpo", "name=Ines Prata", "email=dpo@lanterns.example")
	set := document[contactShape](t, p.Portal, console, "contact", "set", "dpo", "phone=+44 20 7946 0018") // the rest stays
	if set.Name != "Ines Prata" || set.Email == "" || set.Phone == "" {
		t.Errorf("%+v", set)
	}
	list := document[contactsShape](t, p.Portal, console, "contact", "list")
	if len(list.Contacts) != 1 || !slices.Equal(list.Missing, []core.ContactKind{core.ContactEEA, core.ContactSecurity}) {
		t.Errorf("%+v", list)
	}
	for _, c := range []struct {
		args []string
		code int
		said string
	}{
		{[]string{"contact", "set", "cook", "name=x", "email=a@b.example"}, exitRefused, "The kinds are dpo, eea and security."},
		{[]string{"contact", "set", "eea", "fax=1"}, exitUsage, "fax"},
		{[]string{"contact", "set", "eea", "name"}, exitUsage, "name"},
		{[]string{"contact", "set", "eea", "name=x"}, exitRefused, "email"},
		{[]string{"contact", "clear", "eea"}, exitRefused, "There is no such contact."},
	} {
		if _, errw, code := asks(t, p.Portal, console, "", c.args...); code != c.code || !strings.Contains(errw, c.said) {
			t.Errorf("%v: exit %d, %s", c.args, code, errw)
		}
	}
	if done := document[doneShape](t, p.Portal, console, "contact", "clear", "dpo"); done.ID != "dpo" {
		t.Errorf("%+v", done)
	}
	// Everybody may read them, and only those who may set them do.
	bob := p.SignUp("bob")
	document[contactsShape](t, p.Portal, bob, "contact", "list")
	if _, _, code := asks(t, p.Portal, bob, "", "contact", "set", "dpo", "name=x", "email=a@b.example"); code != exitNoAccess {
		t.Errorf("exit %d", code)
	}
}

func TestAgreementsByVerb(t *testing.T) {
	p := coretest.Open(t)
	console := coretest.Console()
	if out, _, code := asks(t, p.Portal, console, "", "agreement", "list"); code != exitOK || !strings.Contains(out, "There are no agreements.") {
		t.Errorf("exit %d, %s", code, out)
	}
	file := filepath.Join(t.TempDir(), "rules.txt")
	text := "1. Be kind.\n" + strings.Repeat("Будьте добры. ", 300) // more than one argument holds
	text = strings.TrimSpace(strings.ReplaceAll(text, ". ", ".\n"))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a := document[agreementShape](t, p.Portal, console, "agreement", "publish", "--name", "House rules", "--text", file)
	got, err := p.Agreements.Status(context.Background(), console, a.ID)
	if err != nil || got.Text != text || !a.Mandatory || a.Version != 1 {
		t.Errorf("%v\n%+v", err, got)
	}
	out, _, code := asks(t, p.Portal, console, "2. Be kinder.\n", "agreement", "publish", "--name", "house rules", "--text", "-")
	if id, _, _ := strings.Cut(out, "\n"); code != exitOK || id != a.ID || !strings.Contains(out, "house rules, version 2, is in force.") {
		t.Errorf("exit %d, %s", code, out)
	}
	bob := coretest.From("203.0.113.9")
	in := coretest.Input("bob")
	in.Agreed = []string{core.Agreement{ID: a.ID, Version: 2}.Ref()}
	made, err := p.Accounts.SignUp(context.Background(), bob, in)
	if err != nil {
		t.Fatal(err)
	}
	bob = bob.With(made.SignedIn)
	if mine := document[acceptancesShape](t, p.Portal, bob, "agreement", "mine"); len(mine.Answers) != 1 || !mine.Answers[0].Accepted || mine.Answers[0].Remote != "203.0.113.9" {
		t.Errorf("%+v", mine)
	}
	if now := document[agreementShape](t, p.Portal, console, "agreement", "accepted", a.ID); now.Accepted != 1 || now.Text != "2. Be kinder." {
		t.Errorf("%+v", now)
	}
	if list := document[agreementsShape](t, p.Portal, console, "agreement", "list"); len(list.Agreements) != 1 || list.Agreements[0].Accepted != 1 || list.Agreements[0].Text != "" {
		t.Errorf("%+v", list)
	}
	document[doneShape](t, p.Portal, console, "agreement", "withdraw", a.ID)
	for _, c := range []struct {
		args  []string
		input string
		code  int
		said  string
	}{
		{[]string{"agreement", "withdraw", "x"}, "", exitRefused, "There is no such agreement."},
		{[]string{"agreement", "withdraw", a.ID}, "", exitRefused, "changed in the meantime"},
		{[]string{"agreement", "publish", "--name", "x"}, "", exitRefused, "link"},
		{[]string{"agreement", "publish", "--name", "x", "--text", "-"}, strings.Repeat("x", 16<<10+1), exitRefused, "too long"},
		{[]string{"agreement", "publish", "--name", "x", "--text", "-"}, "a\x1b[2Jb", exitRefused, "character"},
		{[]string{"agreement", "publish", "--name", "x", "--text", "-"}, "a\xffb", exitRefused, "readable"},
		{[]string{"agreement", "publish", "--name", "x", "--text", file + "x"}, "", exitRefused, ""},
	} {
		if _, errw, code := asks(t, p.Portal, console, c.input, c.args...); code != c.code || !strings.Contains(errw, c.said) {
			t.Errorf("%v: exit %d, %s", c.args, code, errw)
		}
	}
}

// Whoever comes from afar names no file of this machine.
func TestNoFileOfThisMachineIsPublishedFromAfar(t *testing.T) {
	p := coretest.Open(t)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("hush"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, file + "x"} { // not even whether it is there
		_, errw, code := asks(t, p.Portal, p.Owner, "", "agreement", "publish", "--name", "x", "--text", name)
		if code != exitUsage || strings.Contains(errw, "hush") {
			t.Errorf("exit %d, %s", code, errw)
		}
	}
	if _, errw, code := asks(t, p.Portal, p.Owner, "One.", "agreement", "publish", "--name", "x", "--text", "-"); code != exitOK {
		t.Errorf("exit %d, %s", code, errw)
	}
}

func TestATextIsCutBetweenCharacters(t *testing.T) {
	for _, s := range []string{"", "a", strings.Repeat("a", 3*pieceSize), "a" + strings.Repeat("й", 2*pieceSize), strings.Repeat("🔑", pieceSize)} {
		list := pieces(s)
		if strings.Join(list, "") != s || len(list) == 0 {
			t.Errorf("%.10q… is cut wrongly", s)
		}
		for _, piece := range list {
			if len(piece) > pieceSize || strings.ToValidUTF8(piece, "") != piece {
				t.Errorf("a piece of %.10q… is no text of its own", s)
			}
		}
	}
}

// Accounts that were made elsewhere: every line by itself, the file as a whole
// once, and people who come in with the password that they have.
package core_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"postern/core"
	"postern/core/coretest"
)

// imported runs an import and returns what it reported.
func imported(t testing.TB, p *coretest.Place, actor core.Actor, file string, opt core.ImportOptions) (core.ImportResult, []core.ImportProblem) {
	t.Helper()
	var problems []core.ImportProblem
	got, err := p.Imports.Import(ctx, actor, strings.NewReader(file), opt, func(p core.ImportProblem) { problems = append(problems, p) }, nil)
	ok(t, err)
	if !got.Complete {
		t.Errorf("not the whole file: %+v", got)
	}
	if len(problems) != got.Refused {
		t.Errorf("%d lines are refused, and %d reported", got.Refused, len(problems))
	}
	return got, problems
}

var jsonl, asCSV = core.ImportOptions{Format: core.ImportJSONL}, core.ImportOptions{Format: core.ImportCSV}

// said is a problem in short: "3 email taken".
func said(list []core.ImportProblem) []string {
	var out []string
	for _, p := range list {
		out = append(out, fmt.Sprint(p.Line, " ", p.Err.Field, " ", p.Err.Code))
	}
	return out
}

const hashed = "correct horse battery staple"

// hashes of that password by other programs.
var hashes = map[string]string{
	"bcrypt":  "$2y$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS",
	"scrypt":  "$scrypt$ln=4,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$IZMORLo+NKM9sf3dDH1ZCk4hbDj0SQeYfTHU51eMJgU",
	"sha256":  "$pbkdf2-sha256$1000$AAECAwQFBgcICQoLDA0ODw$ppsXnjrdPB4KryJ6DrOqKqhkWrhv7PbKAMF1Eml8cZ4",
	"sha512":  "$pbkdf2-sha512$1000$AAECAwQFBgcICQoLDA0ODw$A6AmFIti7CKlYdoPiV9jf1d9llp37o27Wms8Zx8fwMJGCOigJzAthOW3Pg.XF5PnNiYnsQsIz1N5NtynrEm78w",
	"django":  "pbkdf2_sha256$1000$seasaltseasalt$VNzPFE8wmAfZPF7ZBaPWZTpsgmcRgo3yR/SsvmOqXuY=",
	"argon2i": "$argon2i$v=19$m=4096,t=3,p=1$Q2F0Q3J5cHRv$Ad6gXMVLvZ3uQOeTi6nCmU4Ns2/nPDfPD5B3yyebv8k",
}

// Everybody comes in with the password they have, whatever made its hash; the
// first sign-in replaces it, and a wrong one never does. ASVS 11.4.2
func TestPeopleComeInWithTheirOldPasswords(t *testing.T) {
	p := coretest.Open(t, coretest.WithHasher(slowHasher(t)))
	var file strings.Builder
	for name, hash := range hashes {
		fmt.Fprintf(&file, `{"user_name":%q,"password_hash":%q}`+"\n", name, hash)
	}
	got, problems := imported(t, p, p.Owner, file.String(), jsonl)
	if got.Imported != len(hashes) || got.NoPassword != 0 {
		t.Fatalf("%+v %v", got, said(problems))
	}
	whole(t, p)
	stored := func() (n int) {
		for k, v := range p.Dump() {
			if strings.HasPrefix(k, "credential") && strings.Contains(v, "$argon2id$v=19$m=19456,t=2,p=1$") {
				n++
			}
		}
		return n
	}
	before := stored()
	for i, name := range slices.Sorted(maps.Keys(hashes)) {
		pw := hashed
		if name == "argon2i" {
			pw = "CatCrypto"
		}
		_, err := p.TrySignIn(coretest.Local(), name, strong)
		refused(t, err, core.CodeCredentials, "")
		if stored() != before+i {
			t.Errorf("%s: a wrong password replaced the hash", name)
		}
		must(p.TrySignIn(coretest.Local(), name, pw))(t)
		if e := p.Trail(); e[0].Action != core.ActRehash && e[1].Action != core.ActRehash {
			t.Errorf("%s: no rehash in the trail", name)
		}
		if stored() != before+i+1 {
			t.Errorf("%s: the hash was not replaced", name)
		}
		must(p.TrySignIn(coretest.Local(), name, pw))(t)
		_, err = p.TrySignIn(coretest.Local(), name, strong)
		refused(t, err, core.CodeCredentials, "")
	}
}

// Who comes without a password signs in with a one-time code, and by nothing else.
func TestWithoutAPasswordACodeComesFirst(t *testing.T) {
	p := coretest.Open(t)
	got, _ := imported(t, p, p.Owner, `{"user_name":"noor"}`, jsonl)
	if got.NoPassword != 1 {
		t.Errorf("%+v", got)
	}
	for _, pw := range []string{"", strong, coretest.Password} {
		_, err := p.TrySignIn(coretest.Local(), "noor", pw)
		refused(t, err, core.CodeCredentials, "")
	}
	progress := must(p.Portal.SignIn.Code(ctx, coretest.Local(), "noor", issue(t, p, "noor")))(t)
	in := must(p.Portal.SignIn.ChangePassword(ctx, coretest.Local(), progress.Ticket, strong))(t)
	me := coretest.Local().With(in.SignedIn)
	must(p.TrySignIn(coretest.Local(), "noor", strong))(t)
	_, err := p.Portal.SignIn.StepUp(ctx, me, strong)
	ok(t, err)
	whole(t, p)
}

// Whoever came in by a key and never had a password proves nothing with one.
func TestNoPasswordIsNoProof(t *testing.T) {
	p := coretest.Open(t)
	imported(t, p, p.Owner, `{"user_name":"noor"}`, jsonl)
	p.Set("factors.key_stands", "password")
	k := must(p.Keys.AddTo(ctx, p.Owner, "noor", edLine(t), ""))(t)
	actor := withKey(here, k.Fingerprint)
	progress := must(p.Portal.SignIn.Key(ctx, actor))(t)
	me := actor.With(progress.SignedIn)
	for _, pw := range []string{"", strong} {
		_, err := p.Accounts.ChangePassword(ctx, me, pw, coretest.Password, false)
		if core.CodeOf(err) == core.CodeInternal || err == nil {
			t.Errorf("%q is answered %v", pw, err)
		}
	}
	_, err := p.Accounts.ChangePassword(ctx, me, strong, coretest.Password, false)
	refused(t, err, core.CodeCredentials, "current")
}

// Everything that a line can say is there afterwards, from either format.
func TestALineBecomesItsAccount(t *testing.T) {
	files := map[core.ImportOptions]string{
		jsonl: `{"user_name":" NOOR ","display_name":"Noor  d'Or","email":"Noor@Example.ORG","email_confirmed":true,"state":"suspended",` +
			`"created":"2019-05-06T07:08:09+02:00","language":"pt-BR","time_zone":"Europe/Lisbon","fields":{"room":"12b","desk":7,"secret":"x"},` +
			`"password_hash":"` + hashes["bcrypt"] + `","password_expired":true}` + "\r\n\r\n{\"user_name\":\"mara\",\"email\":null}",
		asCSV: "\xef\xbb\xbfuser_name;display_name;email;email_confirmed;state;created;language;time_zone;field.room;field.desk;field.secret;password_hash;password_expired\r\n" +
			"NOOR;\"Noor  d'Or\";Noor@Example.ORG;yes;suspended;2019-05-06T05:08:09Z;pt-BR;Europe/Lisbon;12b;7;x;" + hashes["bcrypt"] + ";1\r\n\r\nmara;;;;;;;;;;;;\r\n",
	}
	for opt, file := range files {
		t.Run(opt.Format, func(t *testing.T) {
			p := coretest.Open(t)
			p.Set("sign_up.fields", "room:text::Room; desk:number::Desk; secret:hidden::Secret")
			got, problems := imported(t, p, p.Owner, file, opt)
			if got.Imported != 2 || got.NoPassword != 1 || len(problems) > 0 {
				t.Fatalf("%+v %v", got, said(problems))
			}
			a := must(p.Accounts.Show(ctx, coretest.Console(), "noor"))(t)
			if a.UserName != "noor" || a.DisplayName != "Noor d'Or" || a.Email != "Noor@example.org" || !a.EmailConfirmed.Equal(p.Clock.Now()) ||
				a.State != core.StateSuspended || a.Created.Format("2006-01-02T15:04:05Z") != "2019-05-06T05:08:09Z" || a.Language != "pt-BR" || a.TimeZone != "Europe/Lisbon" ||
				!maps.Equal(a.Fields, map[string]string{"room": "12b", "desk": "7", "secret": "x"}) {
				t.Errorf("%+v", a)
			}
			ok(t, p.Accounts.Resume(ctx, p.Owner, "noor"))
			progress := must(p.Portal.SignIn.Password(ctx, coretest.Local(), "noor", hashed))(t)
			if progress.Step != core.StepChangePassword {
				t.Errorf("an expired password leads to %q", progress.Step)
			}
			if m := must(p.Accounts.Show(ctx, coretest.Console(), "mara"))(t); m.State != core.StateActive || m.DisplayName != "mara" || !m.Created.Equal(p.Clock.Now()) {
				t.Errorf("%+v", m)
			}
			if n := len(p.Outbox()); n != 0 {
				t.Errorf("%d messages were written", n)
			}
			whole(t, p)
		})
	}
}

// What is wrong with a line is said with its number and column, and the rest is
// imported all the same. ASVS 2.2.1
func TestEachBadLineIsRefusedByItself(t *testing.T) {
	good := func(n int) string { return fmt.Sprintf(`{"user_name":"good%d"}`, n) }
	for _, c := range []struct{ line, want string }{
		{`not json`, "json format"}, {`[]`, "json format"}, {`{"user_name":"a"`, "json format"}, {`{"user_name":"a"} {}`, "json format"},
		{"{\"user_name\":\"a\x00b\"}", "json format"}, {strings.Repeat("[", 20_000), "json format"},
		{`{"user_name":"a\u0000b"}`, "user_name character"}, {`{}`, "user_name empty"}, {`{"user_name":7}`, "user_name format"},
		{`{"user_name":"a","user_name":"b"}`, "user_name same"}, {`{"user_name":"a","phone":"1"}`, "phone not_found"},
		{`{"user_name":"a","\u001b[2Jx":"1"}`, "unknown not_found"}, {`{"user_name":"a","fields":{"shoe":"1"}}`, "field.shoe not_found"},
		{`{"user_name":"a","fields":[]}`, "fields format"}, {`{"user_name":"a","fields":{"room":{}}}`, "field.room format"},
		{`{"user_name":"a","fields":{"desk":"x"}}`, "field.desk format"}, {"{\"user_name\":\"\xff\"}", "line encoding"},
		{`{"user_name":"\ud800"}`, "user_name character"}, {`{"user_name":"admin"}`, "user_name reserved"}, {`{"user_name":"LIN"}`, "user_name taken"},
		{`{"user_name":"1in"}`, "user_name taken"}, {`{"user_name":"gone"}`, "user_name taken"}, {`{"user_name":"mаra"}`, "user_name mixed_scripts"},
		{`{"user_name":"a b"}`, "user_name character"}, {`{"user_name":"=cmd()"}`, "user_name character"}, {`{"user_name":"` + strings.Repeat("x", 40) + `"}`, "user_name too_long"},
		{`{"user_name":"a","display_name":"\u001b[31m"}`, "display_name character"}, {`{"user_name":"a","display_name":"x\u202ey"}`, "display_name character"},
		{`{"user_name":"a","email":"nowhere"}`, "email format"}, {`{"user_name":"a","email":"LIN@example.org"}`, "email taken"},
		{`{"user_name":"a","email_confirmed":true}`, "email required"}, {`{"user_name":"a","email_confirmed":"perhaps"}`, "email_confirmed format"},
		{`{"user_name":"a","state":"rejected"}`, "state format"}, {`{"user_name":"a","created":"yesterday"}`, "created format"},
		{`{"user_name":"a","created":"2999-01-01T00:00:00Z"}`, "created format"}, {`{"user_name":"a","language":"x y"}`, "language format"},
		{`{"user_name":"a","time_zone":"../etc/passwd"}`, "time_zone format"}, {`{"user_name":"a","time_zone":"Local"}`, "time_zone format"},
		{`{"user_name":"a","password_hash":"secret"}`, "password_hash format"}, {`{"user_name":"a","password_hash":"$2b$31$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS"}`, "password_hash format"},
		{`{"user_name":"a","password_hash":"$scrypt$ln=24,r=32,p=16$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`, "password_hash format"},
		{`{"user_name":"a","password_hash":"pbkdf2_sha256$1000$sea\u0007salt$VNzPFE8wmAfZPF7ZBaPWZTpsgmcRgo3yR/SsvmOqXuY="}`, "password_hash format"},
		{`{"user_name":"` + strings.Repeat("x", core.MaxImportLine) + `"}`, "line too_long"}, {`{"user_name":"good1"}`, "user_name taken"},
	} {
		for _, dry := range []bool{true, false} {
			p := coretest.Open(t)
			p.Set("sign_up.fields", "room:text::Room; desk:number::Desk")
			p.SignUp("gone")
			p.Set("deletion.grace_days", "0")
			r := asksDeletion(t, p, p.SignIn("gone"), "gone")
			must(p.Requests.Approve(ctx, coretest.Console(), r.ID, "", "gone"))(t)
			opt := jsonl
			opt.Dry = dry
			got, problems := imported(t, p, p.Owner, good(1)+"\n"+c.line+"\n"+good(2), opt)
			if want := []string{"2 " + c.want}; !slices.Equal(said(problems), want) || got.Imported != 2 {
				t.Errorf("%.80q, dry %v: %v, imported %d; want %v", c.line, dry, said(problems), got.Imported, want)
			}
			p.Close()
		}
	}
}

// A value that a spreadsheet would run is a name like others, and leaves as text.
func TestFormulasStayText(t *testing.T) {
	p := coretest.Open(t)
	imported(t, p, p.Owner, "user_name,display_name\nnoor,\"=HYPERLINK(\"\"http://x\"\")\"\n", asCSV)
	if a := must(p.Accounts.Show(ctx, coretest.Console(), "noor"))(t); a.DisplayName != `=HYPERLINK("http://x")` {
		t.Errorf("%q", a.DisplayName)
	}
}

// A line of CSV ends with its line: an open quotation mark takes no other with it.
func TestAnOpenQuotationMarkIsOneLinesFault(t *testing.T) {
	p := coretest.Open(t)
	file := "user_name,display_name\none,One\ntwo,\"Two\nthree,Th\"ree\nfour\nfive,5,6\nsix,\"Six, \"\"the\"\" sixth\"\n\"seven\",Seven"
	got, problems := imported(t, p, p.Owner, file, asCSV)
	want := []string{"3 quotes format", "4 quotes format", "5 columns format", "6 columns format"}
	if !slices.Equal(said(problems), want) || got.Imported != 3 {
		t.Errorf("%v, imported %d", said(problems), got.Imported)
	}
	if a := must(p.Accounts.Show(ctx, coretest.Console(), "six"))(t); a.DisplayName != `Six, "the" sixth` {
		t.Errorf("%q", a.DisplayName)
	}
}

// A file whose titles cannot be meant is refused before anything is done.
func TestTitlesAreCheckedFirst(t *testing.T) {
	p := coretest.Open(t)
	before := substance(p.Dump())
	for file, want := range map[string]struct {
		code  core.Code
		field string
	}{
		"":                                 {core.CodeRequired, "user_name"},
		"email\nx@example.org":             {core.CodeRequired, "user_name"},
		"user_name,shoe\na,b":              {core.CodeNotFound, "shoe"},
		"user_name,field.Shoe\na,b":        {core.CodeNotFound, "field.Shoe"},
		"user_name,\x1b[2J\na,b":           {core.CodeNotFound, "unknown"},
		"user_name,email,email\na,b,c":     {core.CodeSame, "email"},
		"user_name,\"email\na,b":           {core.CodeFormat, "quotes"},
		"user_name\xff\na":                 {core.CodeEncoding, "line"},
		strings.Repeat("user_name,", 7000): {core.CodeTooLong, "line"},
	} {
		_, err := p.Imports.Import(ctx, p.Owner, strings.NewReader(file), asCSV, nil, nil)
		refused(t, err, want.code, want.field)
	}
	_, err := p.Imports.Import(ctx, p.Owner, strings.NewReader(""), core.ImportOptions{Format: "xlsx"}, nil, nil)
	refused(t, err, core.CodeFormat, "format")
	same(t, before, substance(p.Dump()))
}

// What the policy asks of sign-up it asks of a line: its address, its fields, and
// that there is room.
func TestThePolicyHoldsForLines(t *testing.T) {
	p := coretest.Open(t)
	p.Set("sign_up.email_required", "on", "sign_up.fields", "room:text:required:Room", "sign_up.quota", "3")
	file := `{"user_name":"a1"}
{"user_name":"a2","email":"a2@example.org"}
{"user_name":"a3","email":"a3@example.org","fields":{"room":"1"}}
{"user_name":"a4","email":"a4@example.org","fields":{"room":"1"}}
{"user_name":"bad name"}
{"user_name":"a5","email":"a5@example.org","fields":{"room":"1"}}
{"user_name":"a6","email":"a6@example.org","fields":{"room":"1"}}
`
	for _, dry := range []bool{true, false} {
		var problems []core.ImportProblem
		opt := jsonl
		opt.Dry = dry
		got, err := p.Imports.Import(ctx, p.Owner, strings.NewReader(file), opt, func(p core.ImportProblem) { problems = append(problems, p) }, nil)
		refused(t, err, core.CodeFull, "")
		want := []string{"1 email required", "2 field.room required", "5 user_name character"}
		if !slices.Equal(said(problems), want) || got.Imported != 2 || got.Line != 5 || got.Complete {
			t.Errorf("dry %v: %+v %v", dry, got, said(problems))
		}
	}
	// With more room the same file goes on where it stopped.
	p.Set("sign_up.quota", "10")
	got, problems := imported(t, p, p.Owner, file, jsonl)
	if got.Skipped != 5 || got.Imported != 2 || len(problems) > 0 {
		t.Errorf("%+v %v", got, said(problems))
	}
	whole(t, p)
}

// Who may import, and who must show first that it is them. ASVS 8.2.1, 7.5.1
func TestWhoMayImport(t *testing.T) {
	p := coretest.Open(t)
	actors := staff(t, p)
	for i, role := range append(core.Roles(), "") {
		_, err := p.Imports.Import(ctx, actors[role], strings.NewReader(fmt.Sprintf(`{"user_name":"a%d"}`, i)), jsonl, nil, nil)
		if role == core.RoleOwner || role == core.RoleAdmin {
			ok(t, err)
			continue
		}
		refused(t, err, core.CodeDenied, "")
		if e := p.Trail()[0]; e.Action != core.ActImport || e.Outcome != core.OutcomeRefused || e.Code != core.CodeDenied {
			t.Errorf("the trail says %+v", e)
		}
	}
	p.Clock.Advance(core.StepUpFor + 1)
	_, err := p.Imports.Import(ctx, actors[core.RoleOwner], strings.NewReader(`{"user_name":"b"}`), jsonl, nil, nil)
	refused(t, err, core.CodeStepUp, "")
	_, err = p.Imports.Import(ctx, coretest.Console(), strings.NewReader(`{"user_name":"b"}`), jsonl, nil, nil)
	ok(t, err)
	refused(t, func() error {
		_, err := coretest.New(t).Imports.Import(ctx, coretest.Console(), strings.NewReader("{}"), jsonl, nil, nil)
		return err
	}(), core.CodeNotSetUp, "")
}

// shifting is a file that is another one when it is read a second time.
type shifting struct {
	*strings.Reader
	next string
	seen int
}

func (s *shifting) Seek(at int64, whence int) (int64, error) {
	if s.seen++; s.seen == 2 {
		s.Reader = strings.NewReader(s.next)
	}
	return s.Reader.Seek(at, whence)
}

func TestAFileThatChangesIsSaid(t *testing.T) {
	p := coretest.Open(t)
	_, err := p.Imports.Import(ctx, p.Owner, &shifting{Reader: strings.NewReader(`{"user_name":"a1"}`), next: `{"user_name":"a2"}`}, jsonl, nil, nil)
	refused(t, err, core.CodeConflict, "file")
}

// Two who import the same file at once: no line comes twice, and the slower one is told.
func TestTwoImportTheSameFile(t *testing.T) {
	p := coretest.Open(t)
	file, wrong := lined(rand.New(rand.NewPCG(9, 9)), 1000, 0.05)
	results := make([]core.ImportResult, 2)
	parallel(2, func(i int) {
		var err error
		results[i], err = p.Imports.Import(ctx, coretest.Console(), strings.NewReader(file), jsonl, nil, nil)
		var e *core.Error
		if err != nil && (!errors.As(err, &e) || e.Code != core.CodeConflict || e.Field != "file") {
			t.Error(err)
		}
	})
	rest, _ := imported(t, p, coretest.Console(), file, jsonl)
	if n := results[0].Imported + results[1].Imported + rest.Imported; n != 1000-len(wrong) {
		t.Errorf("%d accounts", n)
	}
	whole(t, p)
}

// Accounts that were made long ago elsewhere are new here: nobody is warned of
// leaving before they could come.
func TestImportedPeopleAreNotTakenForInactive(t *testing.T) {
	p := coretest.Open(t)
	p.Set("retention.inactive_days", "365")
	imported(t, p, p.Owner, `{"user_name":"noor","created":"2001-01-01T00:00:00Z"}`, jsonl)
	n := must(p.Retention.Preview(ctx, coretest.Console(), nil))(t)
	if n.Warned != 0 || n.Accounts != 0 {
		t.Errorf("%+v", n)
	}
}

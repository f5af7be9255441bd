package core_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"postern/core"
	"postern/core/coretest"
	"postern/core/signature"
	"postern/core/text"
)

// archived exports what is held about somebody.
func archived(t testing.TB, p *coretest.Place, me core.Actor) (doc []byte, got core.Exported) {
	t.Helper()
	var out bytes.Buffer
	got = must(p.Data.Export(ctx, me, &out, nil))(t)
	return out.Bytes(), got
}

// members returns the members of an archive.
func members(t testing.TB, doc []byte) map[string]any {
	t.Helper()
	var m map[string]any
	ok(t, json.Unmarshal(doc, &m))
	return m
}

// schema is what docs/my-data.md promises.
func schema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	return must(c.Compile("../docs/my-data.schema.json"))(t)
}

// fullLife is livedIn with what else can be kept of somebody.
func fullLife(t testing.TB, p *coretest.Place) (me core.Actor, names []string) {
	t.Helper()
	confirm(t, p, p.Owner) // who is told of the request by mail
	me, names = livedIn(t, p)
	ok(t, p.Accounts.SetFields(ctx, coretest.Console(), "zephyrine", map[string]string{"born": "hidden-4711"}))
	ok(t, p.Accounts.SetPreferences(ctx, me, core.Preferences{Language: "pt-BR", Theme: "dark", TimeZone: "Europe/Lisbon"}))
	must(p.Factors.Begin(ctx, me, "", core.FactorEmail, "spare@quux.example"))(t)
	must(p.Factors.BeginRecovery(ctx, me))(t)
	_, _, err := p.Invites.Create(ctx, me, 3, 5, "for the quartet")
	ok(t, err)
	_, _, err = p.Accounts.IssueCode(ctx, coretest.Console(), "zephyrine")
	ok(t, err)
	ok(t, p.Notices.SetWish(ctx, me, core.NoticeNewDevice, core.ChannelMail, false))
	// Two sign-ins that stay where they are, one of them with a code that was sent.
	for range 2 {
		progress := must(p.Portal.SignIn.Password(ctx, coretest.From("203.0.113.9"), "zephyrine", strong))(t)
		for _, w := range progress.Ways {
			if w.Kind == core.FactorSMS {
				_, _ = p.Portal.SignIn.SendCode(ctx, coretest.From("203.0.113.9"), progress.Ticket, w.ID)
			}
		}
	}
	_, _ = p.TrySignIn(coretest.From("203.0.113.6"), "zephyrine", "Wrong-Password-78-Elm")
	must(p.Retention.Hold(ctx, coretest.Console(), "zephyrine", "quintet", p.Clock.Now().Add(day)))(t)
	saved(t, p, "check", "print('seen ' + account.user_name)\nhold('later')")
	r := must(p.Analysis.DryRun(ctx, coretest.Console(), core.DryInput{Name: "check", User: "zephyrine"}))(t)
	ok(t, core.PutPost(ctx, p.Portal, core.Post{ID: r.ID + "/0", Run: r.ID, Account: me.Account, URL: "https://example.org/hook", Body: `{"gone":"quux"}`, State: core.PostDone, Created: p.Clock.Now(), Done: p.Clock.Now(), Tries: 1}))
	ok(t, core.PutInactive(ctx, p.Portal, me.Account, p.Clock.Now(), p.Clock.Now().Add(day)))
	return me, append(names, "hidden-4711", "for the quartet", "quintet", "seen zephyrine")
}

// The archive is what its schema says, its totals are right, and no part of it is
// empty for somebody who has used everything.
func TestTheArchiveIsAsItIsDocumented(t *testing.T) {
	p := coretest.Open(t, coretest.WithAnalysis(nil, nil))
	me, _ := fullLife(t, p)
	archived(t, p, me)
	doc, got := archived(t, p, me)
	var v any = must(jsonschema.UnmarshalJSON(bytes.NewReader(doc)))(t)
	if err := schema(t).Validate(v); err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	m := members(t, doc)
	totals := m["totals"].(map[string]any)
	for name, v := range m {
		n, one := 0.0, false
		switch v := v.(type) {
		case []any:
			n = float64(len(v))
		case map[string]any:
			n, one = 1, true
		default:
			continue
		}
		if name == "totals" {
			continue
		}
		if totals[name] != n {
			t.Errorf("%s: %v are counted, and %v are there", name, totals[name], n)
		}
		if n == 0 && !one {
			t.Errorf("%s is empty", name)
		}
	}
	for _, name := range []string{"recovery_codes", "policy_draft", "last_export", "password", "hold", "inactive_warning"} {
		if m[name] == nil {
			t.Errorf("%s is not there", name)
		}
	}
	fields := m["account"].(map[string]any)["fields"].([]any)
	if len(fields) != 2 || fields[0].(map[string]any)["hidden"] != false || fields[1].(map[string]any)["hidden"] != true || fields[1].(map[string]any)["value"] != "hidden-4711" {
		t.Errorf("fields: %v", fields)
	}
	sum := sha256.Sum256(doc)
	if got.SHA256 != hex.EncodeToString(sum[:]) || got.Bytes != int64(len(doc)) || got.Account != me.Account || got.Entries != len(m["trail"].([]any)) {
		t.Errorf("the receipt says %+v of %d bytes", got.ArchiveReceipt, len(doc))
	}
	if bytes.Contains(doc, []byte("\x1b")) {
		t.Error("the archive steers terminals")
	}
	for _, r := range string(doc) {
		if r != '\n' && !text.Visible(r) {
			t.Errorf("%U is in the archive", r)
		}
	}
	noor := p.SignUp("noor")
	empty, _ := archived(t, p, noor)
	v = must(jsonschema.UnmarshalJSON(bytes.NewReader(empty)))(t)
	if err := schema(t).Validate(v); err != nil {
		t.Errorf("of somebody who has just come: %v", err)
	}

	ok(t, p.Keys.Link(ctx, withKey(noor, "SHA256:noor"), ""))
	a := enrolApp(t, p, noor, "phone")
	begin(t, p, withKey(here, "SHA256:noor"), "noor", core.StepDone) // a session that proved too little
	must(p.Portal.SignIn.StepUpFactor(ctx, noor, a.ID, a.next(p)))(t)
	weak, _ := archived(t, p, noor)
	v = must(jsonschema.UnmarshalJSON(bytes.NewReader(weak)))(t)
	if err := schema(t).Validate(v); err != nil || bytes.Count(weak, []byte(`"proved"`)) != 1 {
		t.Errorf("of somebody with a session that proved too little: %v\n%s", err, weak)
	}
}

// notArchived says of tables that name no account, or of what is not the account's
// own, why they are in no archive.
var notArchived = map[string]string{
	"policy": "what an admin decided for the portal; that they did is in their trail", "agreement": "the portal's own texts", "agreement_version": "the portal's own texts",
	"import": "what was brought in; that somebody did it is in their trail", "contact": "the portal's own", "chain_gone": "ids of entries that are no more",
	"tally": "numbers", "count": "numbers", "count_hour": "numbers", "count_day": "numbers", "count_factor": "numbers", "agreement_count": "numbers", "usage": "numbers",
	"mark": "times of the portal", "schema": "the version of the data", "codekey": "a key of the portal",
	"unsealed": "ids of entries that are in the trail", "chain": "hashes of the trail", "chain_head": "hashes of the trail", "chain_point": "hashes of the trail", "chain_key": "public keys of the portal", "chain_cut": "hashes of the trail",
	"script": "the portal's own texts", "script_version": "the portal's own texts", "retired_name": "hashes of the names of deleted accounts", "forget": "accounts that are deleted",
}

// mayName are tables whose records may name an account by its id though they are in
// no archive, for the reason above.
var mayName = []string{"policy", "agreement", "agreement_version", "import", "chain_gone", "forget", "script", "script_version"}

// Every table of the core is a part of the archive, or there is a reason why it is
// not; and what is left out holds neither the id of an account nor what names it.
func TestEveryTableIsInTheArchiveOrNot(t *testing.T) {
	p := coretest.Open(t, coretest.WithAnalysis(nil, nil))
	me, names := fullLife(t, p)
	inArchive := core.ArchivedTables()
	made := regexp.MustCompile(`store\.NewTable(?:\[[^\]]*\])?\("([a-z_]+)"`)
	found := 0
	for _, file := range must(filepath.Glob("*.go"))(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range made.FindAllStringSubmatch(string(must(os.ReadFile(file))(t)), -1) {
			found++
			if _, why := notArchived[m[1]]; !why && !slices.Contains(inArchive, m[1]) {
				t.Errorf("%s: is the table %q a part of what is held about people (archiveParts), or why not?", file, m[1])
			}
		}
	}
	if found < 40 {
		t.Fatalf("only %d tables were found", found)
	}
	for key, value := range p.Dump() {
		table := key[:strings.IndexFunc(key, func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' })]
		if slices.Contains(inArchive, table) || slices.Contains(mayName, table) {
			continue
		}
		for _, name := range append(slices.Clone(names), me.Account) {
			if strings.Contains(key+value, name) {
				t.Errorf("%q holds %q, and is no part of the archive: %.200s", key, name, value)
			}
		}
	}
}

// unsaid are the fields of records that an archive does not repeat, and why.
var unsaid = map[string]string{
	"Credential.hash":           "a secret",
	"Credential.history":        "secrets; since when they are old is in replaced_at",
	"Credential.expired":        "as must_change",
	"Credential.trail":          "a secret",
	"Credential.code_hash":      "a secret",
	"factorRecord.account":      "whose the archive is",
	"factorRecord.secret":       "a secret",
	"factorRecord.last_step":    "of codes that are used up",
	"factorRecord.burned":       "of codes that are used up",
	"LinkedKey.account":         "whose the archive is",
	"recoverySet.hashes":        "secrets; how many there are is in left",
	"recoverySet.pending":       "secrets; how many there are is in waiting",
	"recoverySet.pending_until": "as waiting_until",
	"enrolment.account":         "whose the archive is",
	"enrolment.for":             "a secret, or an id of a session that is listed",
	"enrolment.secret":          "a secret",
	"enrolment.hash":            "a secret",
	"sentCode.account":          "whose the archive is",
	"sentCode.hash":             "a secret",
	"attempt.account":           "whose the archive is",
	"sessionRecord.account":     "whose the archive is",
	"sessionRecord.token_hash":  "a secret",
	"sessionRecord.ends":        "computed when it is read",
	"sessionRecord.mine":        "computed when it is read",
	"guardRecord.leaked":        "up to when the count was made smaller, which says nothing of the person",
	"Grant.account":             "whose the archive is",
	"App.owner":                 "whose the archive is",
	"App.policy":                "rules for others",
	"App.version":               "counts changes",
	"App.owner_name":            "computed when it is read",
	"Invite.code_hash":          "a secret",
	"Invite.by":                 "whose the archive is",
	"Invite.by_name":            "computed when it is read",
	"Acceptance.account":        "whose the archive is",
	"Acceptance.refused":        "as accepted",
	"Notice.account":            "whose the archive is",
	"Notice.about":              "somebody else",
	"Message.account":           "whose the archive is",
	"Message.code":              "a secret",
	"Message.month":             "whose allowance it counts in",
	"Message.next":              "when the queue tries it again",
	"Message.about":             "somebody else",
	"Message.once":              "only of those who have no account any more",
	"Request.account":           "whose the archive is",
	"Request.by":                "as own: the staff are somebody else",
	"Request.why":               "of its last step, which is in history",
	"Request.reason":            "of its last step, which is in history",
	"Request.lost":              "only of those who are deleted",
	"Request.receipt":           "only of those who are deleted",
	"Request.user_name":         "computed when it is read",
	"Request.display_name":      "computed when it is read",
	"Request.by_name":           "computed when it is read",
	"RequestStep.by":            "as own: the staff are somebody else",
	"RequestStep.by_name":       "computed when it is read",
	"Run.account":               "whose the archive is",
	"Run.by":                    "somebody else",
	"Run.took":                  "the program's time",
	"Run.resolved_by":           "somebody else",
	"Run.by_name":               "computed when it is read",
	"Run.resolved_by_name":      "computed when it is read",
	"Post.account":              "whose the archive is",
	"Post.next":                 "when the queue tries it again",
	"Hold.account":              "whose the archive is",
	"Hold.by":                   "somebody else",
	"Hold.user_name":            "computed when it is read",
	"Hold.by_name":              "computed when it is read",
	"exportRecord.receipt":      "its members stand there themselves",
}

// No field of what is kept of people is left out of the archive unless there is a
// reason, and no reason is given for one that is there, or is no more.
func TestTheArchiveSaysEveryField(t *testing.T) {
	reasons := maps.Clone(unsaid)
	for record, shape := range core.ArchiveShapes() {
		said := jsonNames(shape)
		for _, name := range jsonNames(record) {
			field := record.Name() + "." + name
			_, reason := reasons[field]
			delete(reasons, field)
			switch {
			case slices.Contains(said, name) && reason:
				t.Errorf("%s is in %s, and there is a reason why not", field, shape.Name())
			case !slices.Contains(said, name) && !reason:
				t.Errorf("%s is not in %s: is it to be, or why not?", field, shape.Name())
			}
		}
	}
	for field := range reasons {
		t.Errorf("%s is no field of what is kept", field)
	}
}

// jsonNames are the members that a struct has in JSON.
func jsonNames(of reflect.Type) (names []string) {
	for _, f := range reflect.VisibleFields(of) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// What the person has typed, done and been sent is found in the archive, and
// everything of the trail that concerns them.
func TestTheArchiveHoldsEverything(t *testing.T) {
	p := coretest.Open(t, coretest.WithAnalysis(nil, nil))
	me, names := fullLife(t, p)
	for range core.MaxPage + 7 { // more than a page
		_, _ = p.TrySignIn(coretest.From("203.0.113.6"), "zephyrine", "Wrong-Password-78-Elm")
		p.Clock.Advance(time.Hour)
	}
	me = withLinked(me, "SHA256:quuxkey") // the session is over by now
	doc, _ := archived(t, p, me)
	for _, name := range names {
		if !bytes.Contains(doc, []byte(name)) {
			t.Errorf("%q is not in the archive", name)
		}
	}
	var in struct {
		Trail    []core.Entry `json:"trail"`
		Sessions []struct{ ID string }
		Ended    []struct{ ID string } `json:"sessions_ended"`
	}
	ok(t, json.Unmarshal(doc, &in))
	var want []core.Entry
	for _, e := range p.Trail()[1:] { // the export itself came after
		if e.Actor == me.Account || e.About == me.Account {
			want = append(want, e)
		}
	}
	if len(want) < core.MaxPage || len(in.Trail) != len(want) {
		t.Fatalf("%d of %d entries", len(in.Trail), len(want))
	}
	for i := range want {
		if a, b := must(json.Marshal(in.Trail[i]))(t), must(json.Marshal(want[i]))(t); !bytes.Equal(a, b) {
			t.Fatalf("entry %d is %s, want %s", i, a, b)
		}
	}
	sessions := 0
	for key, value := range p.Dump() {
		if strings.HasPrefix(key, "session\x00") && strings.Contains(value, me.Account) {
			sessions++
		}
	}
	if n := len(in.Sessions) + len(in.Ended); n < 2 || n != sessions {
		t.Errorf("%d of %d sessions", n, sessions)
	}
}

// withLinked is the actor of a verb, by a linked key.
func withLinked(me core.Actor, fingerprint string) core.Actor {
	me.Session, me.Door, me.Key = "", core.DoorVerb, fingerprint
	return me
}

// ASVS 14.2.6: no hash, secret, token or code is in an archive, whatever it is
// called in the store.
func TestNoSecretIsInTheArchive(t *testing.T) {
	p := coretest.Open(t, coretest.WithAnalysis(nil, nil))
	me, _ := fullLife(t, p)
	sheet := must(p.Factors.BeginRecovery(ctx, me))(t)
	_, invitation, err := p.Invites.Create(ctx, me, 1, 1, "")
	ok(t, err)
	code, _, err := p.Accounts.IssueCode(ctx, coretest.Console(), "zephyrine")
	ok(t, err)
	secrets := append([]string{coretest.Password, strong, invitation, code, sheet.Seed, p.LastCode()}, sheet.Codes...)
	hidden := regexp.MustCompile(`"(?:hash|secret|token_hash|code_hash|key|code|trail)":"([^"]{6,})"|"(?:hashes|pending)":\[([^\]]*)\]`)
	for key, value := range p.Dump() {
		if strings.HasPrefix(key, "audit") || strings.HasPrefix(key, "chain") {
			continue
		}
		for _, m := range hidden.FindAllStringSubmatch(value, -1) {
			if strings.HasPrefix(m[1], "SHA256:") || strings.HasPrefix(m[1], "ssh-") { // fingerprints and public keys are no secrets
				continue
			}
			if m[1] != "" {
				secrets = append(secrets, m[1])
			}
			for _, s := range strings.Split(m[2], ",") {
				if s = strings.Trim(s, `"`); s != "" {
					secrets = append(secrets, s)
				}
			}
		}
	}
	if len(secrets) < 40 {
		t.Fatalf("only %d secrets are known to the test", len(secrets))
	}
	doc, _ := archived(t, p, me)
	for _, s := range secrets {
		if bytes.Contains(doc, []byte(s)) {
			t.Errorf("%q is in the archive", s)
		}
	}
}

// The receipt is signed by the host key, is kept until the next one, and says that
// very archive.
func TestTheReceiptIsSigned(t *testing.T) {
	p := coretest.Open(t)
	mara := p.SignUp("mara")
	_, _, err := p.Data.Receipt(ctx, mara)
	refused(t, err, core.CodeNotFound, "receipt")
	doc, got := archived(t, p, mara)
	kept, at, err := p.Data.Receipt(ctx, mara)
	ok(t, err)
	if kept != got.Receipt || !at.Equal(got.At) {
		t.Errorf("kept is %+v of %v", kept, at)
	}
	ok(t, signature.Verify(kept.Key, signature.Receipt, []byte(kept.Document), kept.Signature))
	var said core.ArchiveReceipt
	ok(t, json.Unmarshal([]byte(kept.Document), &said))
	if said != got.ArchiveReceipt || said.Portal != "Lanterns" || said.Kind != "export" || said.Bytes != int64(len(doc)) {
		t.Errorf("the receipt says %+v", said)
	}
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("there is no ssh-keygen to ask")
	}
	dir := t.TempDir()
	for name, content := range map[string]string{"signers": "lanterns " + kept.Key + "\n", "me.json.receipt.sig": kept.Signature} {
		ok(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	verify := exec.Command(keygen, "-Y", "verify", "-f", "signers", "-I", "lanterns", "-n", signature.Receipt, "-s", "me.json.receipt.sig")
	verify.Dir, verify.Stdin = dir, strings.NewReader(kept.Document)
	if said, err := verify.CombinedOutput(); err != nil {
		t.Errorf("ssh-keygen: %v\n%s", err, said)
	}
}

// Nobody takes another's data but the machine's console, and nobody their own
// without a fresh proof; both are in the trail. ASVS 8.2.2
func TestDataIsHandedToItsPersonOnly(t *testing.T) {
	p := coretest.Open(t)
	mara := p.SignUp("mara")
	newest := func() core.Entry { return p.Trail()[0] }
	for name, actor := range map[string]core.Actor{"a stranger": coretest.Local(), "the console": coretest.Console()} {
		_, err := p.Data.Export(ctx, actor, io.Discard, nil)
		refused(t, err, core.CodeDenied, "")
		if e := newest(); e.Action != core.ActDataExport || e.Outcome != core.OutcomeRefused || e.About != "" {
			t.Errorf("%s: the trail says %+v", name, e)
		}
	}
	for name, actor := range map[string]core.Actor{"an owner": p.Owner, "its person": mara, "a stranger": coretest.Local()} {
		_, err := p.Data.ExportOf(ctx, actor, "mara", io.Discard, nil)
		refused(t, err, core.CodeDenied, "")
		if e := newest(); e.Action != core.ActDataExport || e.Target != "" {
			t.Errorf("%s: the trail says %+v", name, e)
		}
	}
	_, err := p.Data.ExportOf(ctx, coretest.Console(), "nobody", io.Discard, nil)
	refused(t, err, core.CodeNotFound, "user")
	got := must(p.Data.ExportOf(ctx, coretest.Console(), "mara", io.Discard, nil))(t)
	if e := newest(); e.Actor != core.ActorConsole || e.About != mara.Account || e.Target != "mara" || e.After["sha256"] != got.SHA256 {
		t.Errorf("the trail says %+v", e)
	}
	_, _, err = p.Data.Receipt(ctx, mara)
	refused(t, err, core.CodeNotFound, "receipt")
	p.Clock.Advance(core.StepUpFor + time.Second)
	_, err = p.Data.Export(ctx, mara, io.Discard, nil)
	refused(t, err, core.CodeStepUp, "")
	ok(t, p.Keys.Link(ctx, withKey(p.SignIn("mara"), "SHA256:mara"), ""))
	must(p.Data.Export(ctx, withLinked(mara, "SHA256:mara"), io.Discard, nil))(t)
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "mara", ""))
	_, err = p.Data.Export(ctx, withLinked(mara, "SHA256:mara"), io.Discard, nil)
	refused(t, err, core.CodeSessionEnded, "")
}

// An export that breaks off half-way is in the trail with how much was seen, and
// leaves no receipt; one whose person is suspended meanwhile ends.
func TestAnExportBreaksOff(t *testing.T) {
	p := coretest.Open(t)
	mara := p.SignUp("mara")
	acts(t, p, mara, core.MaxPage+7)
	mara = p.SignIn("mara")
	full := errors.New("no space left")
	_, err := p.Data.Export(ctx, mara, writerFunc(func(b []byte) (int, error) { return 0, full }), nil)
	refused(t, err, core.CodeNotWritten, "")
	brief, cancel := context.WithCancel(ctx)
	_, err = p.Data.Export(brief, mara, io.Discard, func(done int, _ float64) {
		if done > 50 {
			cancel()
		}
	})
	refused(t, err, core.CodeUnavailable, "")
	if e := p.Trail()[0]; e.Action != core.ActDataExport || e.Code != core.CodeUnavailable || e.Target != "mara" || !strings.HasPrefix(e.Reason, "records written: ") {
		t.Errorf("the trail says %+v", e)
	}
	_, _, err = p.Data.Receipt(ctx, mara)
	refused(t, err, core.CodeNotFound, "receipt")
	_, err = p.Data.Export(ctx, mara, io.Discard, func(done int, _ float64) {
		if done > 50 {
			_ = p.Accounts.Suspend(ctx, coretest.Console(), "mara", "")
		}
	})
	refused(t, err, core.CodeSessionEnded, "")
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// While somebody's data is written out, they and others go on, and what they do
// then is not in it; the share that is told rises to the whole.
func TestAnExportKeepsNobodyWaiting(t *testing.T) {
	p := coretest.Open(t)
	mara := p.SignUp("mara")
	acts(t, p, mara, 3*core.MaxPage)
	mara = p.SignIn("mara")
	var out bytes.Buffer
	last, calls := -1.0, 0
	got := must(p.Data.Export(ctx, mara, &out, func(_ int, share float64) {
		if share < last || share > 1 {
			t.Errorf("the share goes from %v to %v", last, share)
		}
		last = share
		calls++
		must(p.Accounts.UpdateProfile(ctx, mara, core.ProfileInput{DisplayName: strings.Repeat("m", calls%9+1), Email: "mara@example.org"}))(t)
	}))(t)
	if last != 1 || calls < 5 {
		t.Errorf("told %d times, at last %v", calls, last)
	}
	members(t, out.Bytes())
	if n := strings.Count(out.String(), `"account.profile"`) - 3*core.MaxPage; got.Entries < 3*core.MaxPage || n > 30 {
		t.Errorf("%d entries, %d of them of what was done meanwhile", got.Entries, n)
	}
}

func dataFlows() []flow {
	return []flow{
		{name: "export my data", grows: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				_, err := p.Data.Export(ctx, p.Owner, io.Discard, nil)
				return err
			}
		}},
		{name: "export somebody's data at the console", grows: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				got, err := p.Data.ExportOf(ctx, coretest.Console(), "mara", io.Discard, nil)
				if err != nil && got != (core.Exported{}) {
					return nil
				}
				return err
			}
		}},
		{name: "export somebody's data, not allowed", denied: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error { _, err := p.Data.ExportOf(ctx, p.Owner, "mara", io.Discard, nil); return err }
		}},
	}
}

// BenchmarkExport writes out an account with a long trail.
func BenchmarkExport(b *testing.B) {
	p := coretest.Open(b, coretest.OnDisk())
	mara := p.SignUp("mara")
	const n = 50_000
	ok(b, core.WriteTrail(ctx, p.Portal, n, p.Clock.Now(), time.Minute, func(i int) core.Entry {
		return core.Entry{Action: core.ActSignIn, Outcome: core.OutcomeRefused, Code: core.CodeCredentials, Door: core.DoorSSH, Remote: "192.0.2.1", About: mara.Account, Target: "mara"}
	}))
	for b.Loop() {
		if got := must(p.Data.Export(ctx, mara, io.Discard, nil))(b); got.Entries < n {
			b.Fatal(got.Entries)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

package core_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"postern/core"
	"postern/core/coretest"
	"postern/core/signature"
)

// archiveOf exports somebody's data and reads it back.
func archiveOf(t testing.TB, p *coretest.Place, who core.Actor) (doc map[string]json.RawMessage, raw []byte, r core.Receipt) {
	t.Helper()
	var out bytes.Buffer
	r = must(p.Archive.Export(ctx, who, "", &out, nil))(t)
	ok(t, json.Unmarshal(out.Bytes(), &doc))
	return doc, out.Bytes(), r
}

// The archive has everything that is held about its person, and no secret. ASVS 14.2.6
func TestTheArchiveIsWhole(t *testing.T) {
	p := coretest.Open(t)
	me, names := livedIn(t, p)
	must(p.Retention.Hold(ctx, coretest.Console(), "zephyrine", "court", p.Clock.Now().Add(day)))(t)
	doc, raw, _ := archiveOf(t, p, me)
	for _, name := range names {
		if !bytes.Contains(raw, []byte(name)) {
			t.Errorf("%q is not in it", name)
		}
	}
	// Every record that names the person is in the archive: each by something that
	// only it has, its id or its text.
	for key, v := range p.Dump() {
		table, id, _ := strings.Cut(key, "\x00")
		if strings.Contains(table, "\x01") || !strings.Contains(v, me.Account) && id != me.Account {
			continue
		}
		section := map[string]string{
			"account": "account", "credential": "password", "factor": "factors", "key": "keys", "recovery": "recovery_codes", "session": "sessions",
			"grant": "grants", "acceptance": "agreements", "notice": "notices", "message": "messages", "device": "known_places", "request": "requests",
			"hold": "hold", "policydraft": "policy_draft", "audit": "trail",
			// What is not the person's, but of the portal and others: policies they made, apps they
			// run (their grants say so), and who owns the portal.
			"policy": "", "app": "grants", "portal": "",
		}
		name, known := section[table]
		if !known {
			t.Errorf("table %s has something of the person and no section: %.120s", table, v)
		}
		if name != "" && len(doc[name]) < 5 {
			t.Errorf("section %s of table %s is %s", name, table, doc[name])
		}
	}
	var trail []core.Entry
	ok(t, json.Unmarshal(doc["trail"], &trail))
	own := 0
	for _, e := range p.Trail() {
		if (e.Actor == me.Account || e.About == me.Account) && e.Action != core.ActDataExport {
			own++
		}
	}
	if len(trail) != own {
		t.Errorf("%d entries of %d", len(trail), own)
	}
	// No secret: no hash of a password, no secret of an app, no code, no token.
	c := must(core.CredentialOf(p.Portal, me.Account))(t)
	for _, secret := range []string{c.Hash, "$argon2id$", "token_hash", `"secret"`, `"hashes"`, p.LastCode()} {
		if bytes.Contains(raw, []byte(secret)) {
			t.Errorf("%q is in it", secret)
		}
	}
	if e := newest(t, p, core.ActDataExport); e.Outcome != core.OutcomeDone || e.About != me.Account || e.After["entries"] != itoa(own) {
		t.Errorf("the entry is %+v", e)
	}
}

// The receipt names the bytes, and is signed.
func TestTheReceiptOfAnArchive(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	_, raw, r := archiveOf(t, p, me)
	var doc struct {
		Kind, Account, SHA256 string
		Bytes                 int
	}
	ok(t, json.Unmarshal([]byte(r.Document), &doc))
	sum := sha256.Sum256(raw)
	if doc.Kind != "export" || doc.Account != me.Account || doc.Bytes != len(raw) || doc.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("%+v for %d bytes", doc, len(raw))
	}
	ok(t, signature.Verify(r.Key, signature.Receipt, []byte(r.Document), r.Signature))
}

func TestAnArchiveIsOnesOwn(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	me := p.SignUp("mara")
	var out bytes.Buffer
	_, err := p.Archive.Export(ctx, core.Actor{Door: core.DoorSSH}, "", &out, nil)
	refused(t, err, core.CodeDenied, "")
	must(p.Archive.Export(ctx, me, "lin", &out, nil))(t)
	if bytes.Contains(out.Bytes(), []byte(`"user_name":"lin"`)) {
		t.Error("it is somebody else's")
	}
	out.Reset()
	must(p.Archive.Export(ctx, coretest.Console(), "mara", &out, nil))(t)
	if !bytes.Contains(out.Bytes(), []byte(`"user_name":"mara"`)) {
		t.Error("the console's is not hers")
	}
	p.Clock.Advance(core.StepUpFor + 1)
	_, err = p.Archive.Export(ctx, me, "", &out, nil)
	refused(t, err, core.CodeStepUp, "")
	ok(t, p.Keys.Link(ctx, withKey(p.SignIn("mara"), "SHA256:mara"), "laptop"))
	must(p.Archive.Export(ctx, core.Actor{Account: me.Account, Door: core.DoorVerb, Key: "SHA256:mara"}, "", &out, nil))(t)
}

// An export that cannot be written, or is given up, is an error and in the trail.
func TestAnArchiveThatFails(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	acts(t, p, me, 3*core.MaxPage)
	room := failingAfter(100_000)
	_, err := p.Archive.Export(ctx, p.SignIn("mara"), "", &room, nil)
	refused(t, err, core.CodeNotWritten, "")
	stopped, stop := context.WithCancel(ctx)
	_, err = p.Archive.Export(stopped, p.SignIn("mara"), "", &bytes.Buffer{}, func(int) { stop() })
	if core.CodeOf(err) != core.CodeUnavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	if e := newest(t, p, core.ActDataExport); e.Outcome != core.OutcomeRefused {
		t.Errorf("the entry is %+v", e)
	}
}

package cmd

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postern/core"
	"postern/core/coretest"
	"postern/tui"
)

// Whoever has taken their data along gets its receipt afterwards, and nobody else
// does: there is none before, and the console has no data of its own.
func TestTheReceiptOfAnExportIsHadAfterwards(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	if _, errw, code := asks(t, p.Portal, me, "", "export", "receipt"); code == exitOK || errw == "" {
		t.Errorf("before any export: exit %d, %q", code, errw)
	}
	archive, _, code := asks(t, p.Portal, me, "", "export")
	if code != exitOK {
		t.Fatalf("exit %d", code)
	}
	kept := document[exportedShape](t, p.Portal, me, "export", "receipt")
	var said core.ArchiveReceipt
	if err := json.Unmarshal([]byte(kept.Document), &said); err != nil || kept.At.IsZero() || !kept.At.Equal(said.At) {
		t.Fatalf("%+v, %v", kept, err)
	}
	if said.SHA256 != fmt.Sprintf("%x", sha256.Sum256([]byte(archive))) || said.Bytes != int64(len(archive)) {
		t.Errorf("it is not of the archive: %+v", said)
	}
	if out, _, code := asks(t, p.Portal, me, "", "export", "receipt"); code != exitOK || out != kept.Document {
		t.Errorf("exit %d, %q", code, out)
	}
	if out, _, code := asks(t, p.Portal, me, "", "export", "receipt", "--signature"); code != exitOK || out != kept.Signature {
		t.Errorf("exit %d, %q", code, out)
	}
	for who, actor := range map[string]core.Actor{"another person": p.SignUp("noor"), "the console": coretest.Console()} {
		if out, _, code := asks(t, p.Portal, actor, "", "export", "receipt"); code == exitOK || out != "" {
			t.Errorf("%s: exit %d, %q", who, code, out)
		}
	}
}

// Whoever looks on is told how far it is, on one line that is gone at the end.
func TestAnExportTellsHowFarItIs(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	catalog, err := tui.LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"en", "pt-BR", "es"} {
		var out, errw bytes.Buffer
		c := &Call{Portal: p.Portal, Actor: coretest.Console(), Out: &out, Err: &errw, Dict: catalog.Dict(lang), Dir: t.TempDir()}
		if code := carryOut(t.Context(), c, false, []string{"export", "--user", "mara", "--out", "me.json", "--progress"}); code != exitOK {
			t.Fatalf("exit %d: %s", code, errw.String())
		}
		if said := errw.String(); !strings.Contains(said, "\r100 % ") || !strings.HasSuffix(said, " \r") || strings.ContainsAny(said, "\n⟦") {
			t.Errorf("%s: %q", lang, said)
		}
	}
}

// At a terminal it is told without being asked for, unless the document itself is
// written there.
func TestAnExportTellsAtATerminal(t *testing.T) {
	t.Parallel()
	h := settled(t)
	told := "% of your data"
	path := filepath.Join(h.dir, "me.json")
	x := h.inTerminal("export", "--user", "lin", "--out", path)
	if code := x.ends(); code != exitOK {
		t.Fatalf("exit %d\n%s", code, x.text())
	}
	waitFor(t, "how far it is", func() bool { return strings.Contains(x.bytes(), told) })
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	x = h.inTerminal("export", "--user", "lin")
	if code := x.ends(); code != exitOK {
		t.Fatalf("exit %d\n%s", code, x.text())
	}
	waitFor(t, "the document", func() bool { return strings.Contains(x.bytes(), `"totals"`) })
	if strings.Contains(x.bytes(), told) {
		t.Error("it is told in the midst of the document")
	}
}

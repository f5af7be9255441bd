package screens

import (
	"io"
	"strings"
	"testing"
	"time"

	"postern/core"
)

// Whoever has taken their data along by the verb sees on the page when that was, and
// can look at the receipt, copy it and save it with its signature beside it.
func TestTheReceiptOfMyDataIsOnItsPage(t *testing.T) {
	t.Parallel()
	p := crew(t)
	in := p.justIn(t, "mara", otherPassword)
	e := p.env(t)
	saved := map[string]string{}
	e.Door.Save = func(name string, content []byte) (string, error) {
		saved[name] = string(content)
		return "/home/mara/" + name, nil
	}
	v := p.at(t, e, in, newMyData).WaitFor("It has not been handed over yet.")
	v.Contains("export > me.json").Lacks("save the receipt")
	v.Press("w", "y").Settle()
	if len(saved) != 0 {
		t.Fatalf("saved: %v", saved)
	}
	made, err := p.Data.Export(t.Context(), as(in), io.Discard, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.clock.Advance(3 * time.Minute)
	v.Press("r").WaitFor("3 min ago").Contains("Last handed over", `{"kind":"export"`, made.SHA256[:8], "save the receipt", "copy the receipt")
	v.Resize(60, 20).Press("end", "w").WaitFor("Saved: /home/mara/").Resize(80, 24)
	if len(saved) != 1 || saved["postern-data-receipt-20261122-130000.json"] != made.Document {
		t.Errorf("saved: %v", saved)
	}
	v.Press("y").WaitFor("sent to your clipboard")
}

// At the local door the file is written there, when it is asked for and not before;
// the page knows of it at once.
func TestMyDataIsWrittenAtTheLocalDoor(t *testing.T) {
	t.Parallel()
	p := crew(t)
	e := p.env(t)
	d := &disk{room: 1 << 20, files: map[string][]byte{}}
	e.Door.Create = d.create
	v := p.at(t, e, p.justIn(t, "mara", otherPassword), newMyData).WaitFor("It has not been handed over yet.")
	v.Contains("save my data here").Lacks("me.json")
	if len(d.files) != 0 {
		t.Fatalf("written unasked: %v", d.files)
	}
	v.Press("x").WaitFor("Saved:").Contains("postern-data-mara.json", `{"kind":"export"`)
	if file := string(d.files["postern-data-mara.json"]); !strings.HasPrefix(file, `{"kind":"postern-archive"`) || !strings.HasSuffix(file, "}\n") {
		t.Errorf("written: %.200s", file)
	}
	v.Press("esc").WaitFor("Last handed over").Contains(`{"kind":"export"`)
}

// What cannot be read is said, and read again.
func TestAReceiptThatCannotBeRead(t *testing.T) {
	t.Parallel()
	p := crew(t)
	e := p.env(t)
	v := p.at(t, e, p.justIn(t, "mara", otherPassword), newMyData).WaitFor("It has not been handed over yet.")
	s := v.Router().Top().(*myData)
	s.Update(myDataRead{err: &core.Error{Code: core.CodeUnavailable}})
	if got := plainText(s.View()); !strings.Contains(got, "✗") || strings.Contains(got, "me.json") {
		t.Errorf("says %q", got)
	}
	v.Press("r").WaitFor("It has not been handed over yet.")
}

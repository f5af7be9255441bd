package screens

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"postern/core"
	"postern/tui"
	"postern/tui/tuitest"
)

// counter is a random source of which everything that comes is known.
type counter struct{ n byte }

func (c *counter) Read(b []byte) (int, error) {
	for i := range b {
		c.n += 7
		b[i] = c.n
	}
	return len(b), nil
}

// aDay gives the portal a trail: people who come, one who guesses, a policy that
// changes, and somebody whose name wants to be a formula.
func aDay(t testing.TB) *place {
	t.Helper()
	p := newPost(t, func(c *core.Config) { c.Random = &counter{} }) // ids stand on the page of an entry
	p.signUp(t, "ada", otherPassword)
	p.clock.Advance(time.Minute)
	for range 2 {
		if _, err := p.SignIn.Password(t.Context(), elsewhere("203.0.113.66"), "ada", "a guess"); core.CodeOf(err) != core.CodeCredentials {
			t.Fatal(err)
		}
	}
	p.clock.Advance(time.Minute)
	if _, err := p.Accounts.UpdateProfile(t.Context(), as(p.owner), core.ProfileInput{DisplayName: "=HYPERLINK(1)", Email: "lin@lanterns.example"}); err != nil {
		t.Fatal(err)
	}
	if err := p.Accounts.Suspend(t.Context(), as(p.owner), "ada", "she asked for it"); err != nil {
		t.Fatal(err)
	}
	p.clock.Advance(2 * time.Minute)
	return p
}

func TestTheTrailIsLookedThrough(t *testing.T) {
	t.Parallel()
	p := aDay(t)
	e := p.env(t)
	v := p.at(t, e, p.owner, NewAudit).WaitFor("Everything that happened")
	v.Contains("✗ refused", "203.0.113.66", "ada", "you", "somebody", "operator")
	v.Press("/").WaitFor("What stays empty").Press("tab", "tab").Type("stranger").Press("enter", "enter", "enter", "enter", "enter").Type("203.0.113.66").Press("enter")
	waitToRead(v, "by stranger · from the address 203.0.113.66")
	v.Contains("2 entries. That is all.").Lacks("operator")
	v.Press("c").WaitFor("Everything that happened")
	v.Press("f").WaitFor("What stays empty").Type("yesterday").Press("enter", "enter", "enter", "enter", "enter", "enter", "enter", "enter")
	waitToRead(v, "This is no time")
	v.Press("esc").WaitFor("Everything that happened").Press("esc").WaitFor("Security check-up")
}

// What was before and after stands side by side, marked by a sign and a word.
func TestAnEntryShowsBeforeAndAfter(t *testing.T) {
	t.Parallel()
	p := aDay(t)
	v := p.at(t, p.env(t), p.owner, NewAudit).WaitFor("Everything that happened")
	v.Press("down", "enter").WaitFor("Before")
	v.Contains("~ Shown as", "Lin Ahn", "=HYPERLINK(1)", "changed", "After").Press("esc").WaitFor("Everything that happened")
}

// New entries appear at the top; a row that somebody looks at stays marked, and
// nothing moves while the newest are out of sight.
func TestTheTrailIsFollowed(t *testing.T) {
	t.Parallel()
	p := aDay(t)
	for i := range 30 {
		_, _ = p.SignIn.Password(t.Context(), elsewhere(fmt.Sprint("198.51.100.", i+1)), fmt.Sprint("nobody", i), "a guess")
	}
	v := p.at(t, p.env(t), p.owner, NewAudit).WaitFor("Everything that happened")
	v.Press("l").WaitFor("Following")
	p.signIn(t, elsewhere("192.0.2.201"), "lin", goodPassword)
	v.WaitFor("192.0.2.201")
	marked(t, v, "192.0.2.201") // who stands at the newest stays there
	v.Press("down", "down")
	marked(t, v, "198.51.100.29")
	p.signIn(t, elsewhere("192.0.2.202"), "lin", goodPassword)
	v.WaitFor("192.0.2.202")
	marked(t, v, "198.51.100.29")
	v.Press("pgdown", "pgdown")
	p.signIn(t, elsewhere("192.0.2.203"), "lin", goodPassword)
	v.WaitFor("Paused while you look").Lacks("192.0.2.203")
	v.Press("home").WaitFor("192.0.2.203").WaitFor("Following")
	v.Press("l").WaitUntil("it is not followed", func(s string) bool { return !strings.Contains(s, "Following") })
}

// What somebody did who is deleted was not done by an admin: the trail says by which
// account, and what of it cannot be read any more.
func TestTheTrailTellsTheDeletedFromAnAdmin(t *testing.T) {
	t.Parallel()
	p := crew(t)
	p.atOnce(t, "0")
	in := p.justIn(t, "ada", otherPassword)
	if err := p.Accounts.Suspend(t.Context(), as(in), "mara", "books are out"); err != nil {
		t.Fatal(err)
	}
	id := p.asks(t, "ada").Account
	e := p.env(t)
	v := p.at(t, e, p.justIn(t, "lin", goodPassword), NewAudit).WaitFor("Everything that happened")
	v.Lacks(e.T("activity.staff")).Contains("deleted…")
	v.Press("down", "down", "down").Contains("deleted account "+id).Resize(120, 40).Contains("deleted …"+id[len(id)-6:]).Resize(80, 24)
	v.Press("/").WaitFor("What stays empty").Press("tab", "tab").Type(id).Press("enter", "enter", "enter", "enter", "enter", "enter")
	waitToRead(v, "by "+id)
	v.Lacks(e.T("activity.staff")).Press("end", "enter").WaitFor("By, id")
	v.Contains("deleted account "+id, "The account was deleted, and with it").Lacks(e.T("activity.staff"))

	// On the page of somebody whom it concerned it is named in the same way; to
	// themselves it was one of those who look after the portal.
	mara, err := p.Accounts.Show(t.Context(), core.ConsoleActor("test"), "mara")
	if err != nil {
		t.Fatal(err)
	}
	p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), func(e *Env) tui.Screen { return newPerson(e, mara.ID) }).
		Resize(80, 40).WaitFor(e.T("action.account.suspend") + ", deleted …" + id[len(id)-6:])
	if err := p.Accounts.Resume(t.Context(), core.ConsoleActor("test"), "mara"); err != nil {
		t.Fatal(err)
	}
	p.at(t, p.env(t), p.justIn(t, "mara", otherPassword), NewActivity).WaitFor("That is all.").Contains(e.T("activity.staff")).Lacks("deleted")
}

// ASVS 8.2.1
func TestWhoSeesTheTrail(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ada := p.signUp(t, "ada", otherPassword)
	waitToRead(p.at(t, p.env(t), ada, NewAudit), "This is not yours to do.")
}

// disk is where exports go in tests; it takes so many bytes.
type disk struct {
	mu    sync.Mutex
	room  int
	files map[string][]byte
}

type onDisk struct {
	disk *disk
	name string
	buf  bytes.Buffer
}

func (d *disk) create(name string) (Saving, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.files[name] != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	return &onDisk{disk: d, name: name}, nil
}

func (f *onDisk) Write(b []byte) (int, error) {
	if f.buf.Len()+len(b) > f.disk.room {
		return 0, &fs.PathError{Op: "write", Path: f.name, Err: syscall.ENOSPC}
	}
	return f.buf.Write(b)
}

func (f *onDisk) Keep() (string, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.disk.files[f.name] = f.buf.Bytes()
	return "/home/lin/" + f.name, nil
}

func (f *onDisk) Drop() {}

// withDisk is a connection at a door that writes files.
func (p *place) withDisk(t testing.TB, room int, opts ...tuitest.Option) (*Env, *disk) {
	d := &disk{room: room, files: map[string][]byte{}}
	e := p.env(t, opts...)
	e.Door.Create = d.create
	return e, d
}

func TestTheTrailIsExported(t *testing.T) {
	t.Parallel()
	p := aDay(t)
	e, d := p.withDisk(t, 1<<20)
	v := p.at(t, e, p.owner, NewAudit).WaitFor("Everything that happened")
	v.Press("x").WaitFor("Export").Press("enter", "enter", "enter")
	waitToRead(v, "entries are in /home/lin/trail.csv.")
	if sheet := string(d.files["trail.csv"]); !strings.HasPrefix(sheet, "id,at,action") || strings.Contains(sheet, ",=HYPER") || !strings.Contains(sheet, "HYPERLINK") {
		t.Errorf("the file is %.200q", sheet)
	}
	v.Press("x").WaitFor("Writes a file").Press("enter", "enter", "enter").WaitFor("There is a file of this name already.")
	v.Press("esc").WaitFor("Everything that happened")
}

// With a proof beside it, the file shows without the portal that it is whole.
func TestTheTrailIsExportedWithAProof(t *testing.T) {
	t.Parallel()
	p := aDay(t)
	e, d := p.withDisk(t, 1<<20)
	v := p.at(t, e, p.owner, NewAudit).WaitFor("Everything that happened")
	v.Press("x").WaitFor("With a proof").Press("enter", "left", "enter", "enter")
	waitToRead(v, "entries are in /home/lin/trail.csv.")
	check := func(file []byte) core.ExportReport {
		r, err := core.VerifyExport(core.ExportToVerify{File: bytes.NewReader(file), Proof: bytes.NewReader(d.files["trail.csv.proof"])})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	file := d.files["trail.csv"]
	if r := check(file); r.Lines == 0 || slices.ContainsFunc(r.Findings, func(f core.ExportFinding) bool { return f.Kind != core.FoundUnsigned }) {
		t.Errorf("as it was written: %+v", r)
	}
	if r := check(bytes.Replace(file, []byte("HYPERLINK"), []byte("HYPERLINC"), 1)); !slices.ContainsFunc(r.Findings, func(f core.ExportFinding) bool { return f.Kind == core.FoundEdited }) {
		t.Errorf("edited: %+v", r)
	}
}

// ASVS 7.5.3: the trail leaves only after a proof.
func TestAnExportAsksWhoItIs(t *testing.T) {
	t.Parallel()
	p := aDay(t)
	p.clock.Advance(core.StepUpFor)
	e, d := p.withDisk(t, 1<<20)
	v := p.at(t, e, p.owner, NewAudit).WaitFor("Everything that happened")
	v.Press("x").WaitFor("Writes a file").Press("enter", "enter", "enter")
	waitToRead(v, "Before it leaves the portal")
	v.Type(goodPassword).Press("enter")
	waitToRead(v, "entries are in")
	if len(d.files) != 1 {
		t.Errorf("%d files", len(d.files))
	}
}

func TestAFullDiskKeepsNothing(t *testing.T) {
	t.Parallel()
	p := aDay(t)
	e, d := p.withDisk(t, 100)
	v := p.at(t, e, p.owner, NewAudit).WaitFor("Everything that happened")
	v.Press("x").WaitFor("Writes a file").Press("enter", "enter", "enter")
	waitToRead(v, "nothing was kept")
	if len(d.files) != 0 {
		t.Errorf("%d files", len(d.files))
	}
}

// Over SSH there is no file to write here: the page says which verb does it.
func TestAnExportFromElsewhereIsAVerb(t *testing.T) {
	t.Parallel()
	p := aDay(t)
	v := p.at(t, p.env(t), p.owner, NewAudit).WaitFor("Everything that happened")
	v.Press("f").WaitFor("What stays empty").Type("2026-03-02 14:30").Press("enter", "enter", "enter", "enter", "enter", "enter", "enter", "enter")
	waitToRead(v, "from 2026-03-02 14:30")
	v.Press("x")
	waitToRead(v, `audit export --format csv --from="'2026-03-02 14:30'" > trail.csv`)
}

func auditViews() map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
	open := func(keys ...string) func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := aDay(t)
			if _, err := p.Audit.SealNow(t.Context()); err != nil { // the foot says where the chain ends
				t.Fatal(err)
			}
			e, _ := p.withDisk(t, 1<<20, opts...)
			v := p.at(t, e, p.owner, NewAudit).WaitFor(e.T("activity.when"))
			for _, k := range keys {
				v.Press(k)
			}
			return v.Settle()
		}
	}
	return map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal{
		"audit": open("down"), "audit-entry": open("down", "enter"), "audit-filter": open("f"), "audit-export": open("x"),
		"audit-follow": open("l"),
		"audit-verb": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := aDay(t)
			return p.at(t, p.env(t, opts...), p.owner, NewAudit).Press("x").Settle()
		},
	}
}

func TestLookOfAudit(t *testing.T) {
	t.Parallel()
	for view, open := range auditViews() {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			for look, opts := range looks() {
				v := open(t, opts...)
				for _, size := range sizes() {
					v.Resize(size[0], size[1]).Golden(sizeName(look, size))
				}
			}
			for _, lang := range []string{"es", "pt-BR"} {
				open(t, tuitest.Lang(lang)).Golden(lang+"-80x24").Resize(60, 20).Golden(lang + "-60x20")
			}
		})
	}
}

func TestAuditFitsEverySize(t *testing.T) {
	t.Parallel()
	for view, open := range auditViews() {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			open(t).Sizes()
		})
	}
}

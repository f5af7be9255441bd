package screens

import (
	"context"
	"io/fs"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/password"
	"postern/core/script"
	"postern/tui"
	"postern/tui/tuitest"
)

// atOnce lets accounts be deleted without anybody looking.
func (p *place) atOnce(t testing.TB, grace string) {
	t.Helper()
	_, err := p.Policy.Set(context.Background(), core.ConsoleActor("test"), core.PolicyChange{
		Values: map[string]string{"deletion.process": "once", "deletion.grace_days": grace}, Confirm: core.ConfirmOnce})
	if err != nil {
		t.Fatal(err)
	}
}

// asks makes a request for an account.
func (p *place) asks(t testing.TB, name string) core.Request {
	t.Helper()
	r, err := p.Requests.MakeFor(context.Background(), core.ConsoleActor("test"), name, "", name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// requestViews are the pages, for those who look at all of them.
func requestViews() map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
	mine := func(asked bool, keys ...string) func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := crew(t)
			if asked {
				p.asks(t, "mara")
			}
			e := p.env(t, opts...)
			v := p.at(t, e, p.justIn(t, "mara", otherPassword), newMyRequest).Settle()
			for _, k := range keys {
				v.Press(k).Settle()
			}
			return v
		}
	}
	queue := func(keys ...string) func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := crew(t)
			p.asks(t, "ada")
			r := p.asks(t, "mara")
			if _, err := p.Requests.Approve(context.Background(), core.ConsoleActor("test"), r.ID, "left the club", ""); err != nil {
				t.Fatal(err)
			}
			r = p.asks(t, "grace")
			if _, err := p.Requests.Hold(context.Background(), core.ConsoleActor("test"), r.ID, "books are out"); err != nil {
				t.Fatal(err)
			}
			e := p.env(t, opts...)
			v := p.at(t, e, p.justIn(t, "lin", goodPassword), NewRequests).WaitFor(e.T("requests.who"))
			for _, k := range keys {
				v.Press(k).Settle()
			}
			if s, ok := v.Router().Top().(*requestPage); ok {
				s.have.ID = "01M81NF440N1G75358PJ322XGA" // ids are made at random
			}
			return v
		}
	}
	return map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal{
		"mine":      mine(false),
		"mine-ask":  mine(false, "d"),
		"mine-open": mine(true),
		"mine-keep": mine(true, "x"),
		"queue":     queue(),
		"queue-all": queue("v"),
		"page":      queue("enter"),
		"refuse":    queue("enter", "n"),
	}
}

func TestLookOfRequests(t *testing.T) {
	t.Parallel()
	for view, open := range requestViews() {
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

func TestRequestsFitEverySize(t *testing.T) {
	t.Parallel()
	for view, open := range requestViews() {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			open(t).Sizes()
		})
	}
}

// A person asks, types the name, and takes it back.
func TestAPersonAsksToBeDeleted(t *testing.T) {
	t.Parallel()
	p := crew(t)
	e := p.env(t)
	v := p.at(t, e, p.justIn(t, "mara", otherPassword), NewPrivacy)
	v.Press("d").WaitFor("What would go").Contains("An owner of the portal", "7 days", "1 role on the portal")
	v.Press("d").WaitFor("Type mara")
	v.Type("mira").Press("enter", "enter").Settle()
	if len(p.requests(t)) != 0 {
		t.Fatal("asked for with another name")
	}
	v.Press("esc").WaitFor("What would go").Press("d").WaitFor("Type mara").Type("mara").Press("enter", "enter", "enter").WaitFor("Nobody has decided yet")
	if list := p.requests(t); len(list) != 1 || list[0].UserName != "mara" || list[0].By != e.Actor().Account {
		t.Fatalf("asked for: %+v", list)
	}
	v.Press("x").WaitFor("Keep the account?").Press("tab", "enter").WaitFor("The account stays")
	if len(p.requests(t)) != 0 {
		t.Error("it is still open")
	}
	v.WaitFor("taken back").Contains("What would go")
}

// requests are the open ones.
func (p *place) requests(t testing.TB) []core.Request {
	t.Helper()
	page, err := p.Requests.List(context.Background(), core.ConsoleActor("test"), core.StateOpen, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	return page.Requests
}

// A proof is asked for when the last one is old; the request is made after it.
func TestAskingNeedsAProof(t *testing.T) {
	t.Parallel()
	p := crew(t)
	in := p.justIn(t, "mara", otherPassword)
	p.clock.Advance(core.StepUpFor + time.Second)
	v := p.at(t, p.env(t), in, newMyRequest).WaitFor("What would go")
	v.Press("d").WaitFor("Type mara").Type("mara").Press("enter", "enter").WaitFor("asks who you are")
	v.Type(otherPassword).Press("enter").WaitFor("Nobody has decided yet")
}

// Whoever signs in while a request is open is told, and can keep the account.
func TestSigningInDuringTheDaysOfGrace(t *testing.T) {
	t.Parallel()
	p := crew(t)
	p.atOnce(t, "7")
	p.asks(t, "mara")
	v := p.enter(t, p.env(t), p.justIn(t, "mara", otherPassword))
	v.WaitFor("you can take this back").Press("x").WaitFor("Keep the account?").Press("tab", "enter").WaitFor("The account stays")
	v.Press("esc").WaitFor("Hello")
	if len(p.requests(t)) != 0 {
		t.Error("it is still open")
	}
	p.asks(t, "mara")
	v = p.enter(t, p.env(t), p.justIn(t, "mara", otherPassword))
	v.WaitFor("you can take this back").Press("esc").WaitFor("Hello").Contains("Your account will be deleted", "Press v to keep")
}

// With no days of grace the account is gone at once, and the screen that says so
// with the receipt stays, though the session has ended.
func TestBeingDeletedAtOnce(t *testing.T) {
	t.Parallel()
	p := crew(t)
	p.atOnce(t, "0")
	e := p.env(t)
	v := p.at(t, e, p.justIn(t, "mara", otherPassword), newMyRequest).WaitFor("cannot be taken back")
	v.Press("d").WaitFor("Type mara").Type("mara").Press("enter", "enter").WaitFor("Your account is deleted.").Settle()
	v.Contains("Your account is deleted.", "Receipt", `{"kind":"deletion"`)
	if v.Quit() || e.Actor().Account != "" {
		t.Error("the screen has closed, or somebody is still signed in")
	}
	v.Press("esc").WaitFor("Welcome to")
	if strings.Contains(v.Text(), "mara") {
		t.Error("the welcome page names the deleted")
	}
}

// Another screen of somebody who is deleted closes, and says that the account is gone.
func TestOtherScreensOfTheDeletedClose(t *testing.T) {
	t.Parallel()
	p := crew(t)
	p.atOnce(t, "0")
	e := p.env(t)
	v := p.enter(t, e, p.justIn(t, "mara", otherPassword)).WaitFor("Hello")
	p.asks(t, "mara")
	untilClosed(t, v, e.T("ended.deleted"))
}

// Of two who decide, the second is told what the first has done.
func TestTheSecondDecisionIsTold(t *testing.T) {
	t.Parallel()
	p := crew(t)
	r := p.asks(t, "mara")
	v := p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), func(e *Env) tui.Screen { return newRequestPage(e, r.ID) }).WaitFor("What would go")
	v.Press("a").WaitFor("can take it back")
	if _, err := p.Requests.Refuse(context.Background(), core.ConsoleActor("test"), r.ID, "no"); err != nil {
		t.Fatal(err)
	}
	v.Press("tab", "tab", "enter").WaitFor("has come to its end")
	v.Press("esc").WaitFor("was refused: no").Lacks("approve")
}

// With no days of grace an approval cannot be taken back: the name is typed out.
func TestApprovingAtOnceIsTypedOut(t *testing.T) {
	t.Parallel()
	p := crew(t)
	p.atOnce(t, "7")
	r := p.asks(t, "mara")
	p.atOnce(t, "0")
	if _, err := p.Requests.Hold(context.Background(), core.ConsoleActor("test"), r.ID, "books are out"); err != nil {
		t.Fatal(err)
	}
	v := p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), func(e *Env) tui.Screen { return newRequestPage(e, r.ID) }).WaitFor("What would go")
	v.Press("a").WaitFor("Nothing brings it back").Contains("Type mara").Press("tab").Type("grace").Press("tab", "tab", "enter").WaitFor("confirmed by typing: mara")
	if len(p.requests(t)) != 1 {
		t.Fatal("deleted with another name")
	}
	for range len("grace") {
		v.Press("backspace")
	}
	v.Type("mara").Press("tab", "tab", "enter").WaitFor("is deleted")
	if len(p.requests(t)) != 0 {
		t.Error("it is still open")
	}
}

// Nor does a request that is moved go at once by the way.
func TestMovingToAtOnceIsTypedOut(t *testing.T) {
	t.Parallel()
	p := crew(t)
	r := p.asks(t, "mara")
	p.atOnce(t, "0")
	v := p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), func(e *Env) tui.Screen { return newRequestPage(e, r.ID) }).WaitFor("What would go")
	v.Press("m").WaitFor("Nothing brings it back").Press("enter", "enter").Settle()
	if len(p.requests(t)) != 1 {
		t.Fatal("deleted by Enter alone")
	}
	v.Type("mara").Press("enter", "enter").WaitFor("is deleted")
}

// Where the policy deletes at once, the same act for many is typed out: how many they
// are, and of one the name.
func TestDeletingPeopleAtOnceIsTypedOut(t *testing.T) {
	t.Parallel()
	p := crew(t)
	p.atOnce(t, "0")
	v := p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), NewPeople).WaitFor("mara")
	some := func(c *tuitest.Terminal) {
		c.Press("m").WaitFor("This concerns").Press("end", "enter").WaitFor("Reason").Type("left").Press("enter", "enter")
	}
	v.Press("/").Type("mara").WaitFor("1 person.").Press("enter", "space")
	some(v)
	v.WaitFor("Nothing brings the account back").Type("mar").Press("enter", "enter").Settle()
	p.stateOf(t, "mara") // is there: another name deletes nobody
	v.Press("esc").WaitFor("1 marked")
	some(v)
	v.WaitFor("Nothing brings the account back").Type("mara").Press("enter", "enter").WaitFor("Nobody is like that")
	if _, err := p.Accounts.Show(context.Background(), core.ConsoleActor("test"), "mara"); core.CodeOf(err) != core.CodeNotFound {
		t.Errorf("mara: %v", err)
	}
}

// What a person confirms is what they were shown: if the policy says otherwise by
// then, nothing is asked for, and the page says what holds now.
func TestConsentToWhatWasShownOnly(t *testing.T) {
	t.Parallel()
	p := crew(t)
	v := p.at(t, p.env(t), p.justIn(t, "mara", otherPassword), newMyRequest).WaitFor("decides")
	p.atOnce(t, "0")
	v.Press("d").WaitFor("Type mara").Type("mara").Press("enter", "enter").WaitFor("changed in the meantime").Press("esc")
	v.WaitFor("at once")
	if len(p.requests(t)) != 0 || p.stateOf(t, "mara") != core.StateActive {
		t.Error("asked for something that was not shown")
	}
}

// The receipt is saved as ssh-keygen wants it, and what is there already stays.
func TestTheReceiptIsSaved(t *testing.T) {
	t.Parallel()
	p := crew(t)
	e := p.env(t)
	files := map[string]string{}
	e.Door.Save = func(name string, content []byte) (string, error) {
		path := "/home/mara/" + name
		if _, there := files[path]; there {
			return path, &fs.PathError{Op: "open", Path: path, Err: fs.ErrExist}
		}
		files[path] = string(content)
		return path, nil
	}
	receipt := core.Receipt{Document: `{"kind":"deletion"}`, Signature: "-----BEGIN SSH SIGNATURE-----\n", Key: "ssh-ed25519 AAAA"}
	v := p.at(t, e, p.justIn(t, "mara", otherPassword), func(e *Env) tui.Screen {
		return newGoodbye(e, core.Request{ID: "01M81NF440YX6A0K0WPCAGE7GV", Receipt: &receipt})
	}).WaitFor("Your account is deleted.").Press("w").WaitFor("Saved: /home/mara/")
	v.Press("w").WaitFor("which stays as it is")
	if len(files) != 2 {
		t.Fatalf("saved: %v", files)
	}
	for path, content := range files {
		if begins := map[bool]string{true: "-----BEGIN SSH SIGNATURE-----", false: `{"kind":"deletion"`}[strings.HasSuffix(path, ".json.sig")]; !strings.HasPrefix(content, begins) {
			t.Errorf("%s: %s", path, content)
		}
	}
}

// The queue leads to a decision, with its reason.
func TestAnOwnerRefusesInTheQueue(t *testing.T) {
	t.Parallel()
	p := crew(t)
	p.asks(t, "mara")
	v := p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), NewRequests).WaitFor("mara")
	v.Press("enter").WaitFor("What would go").Press("n").WaitFor("The reason is told")
	v.Press("enter", "enter").Settle()
	if len(p.requests(t)) != 1 {
		t.Fatal("refused without a reason")
	}
	v.Type("the books are out").Press("enter", "enter").WaitFor("was refused: the books are out")
	v.Press("esc").WaitFor("Nobody waits for a decision.")
}

// Nobody is offered to decide about themselves, and an auditor about nobody.
func TestWhoIsOfferedToDecide(t *testing.T) {
	t.Parallel()
	p := crew(t)
	own, other := p.asks(t, "ada"), p.asks(t, "mara")
	e := p.env(t)
	open := func(id string) *tuitest.Terminal {
		return p.at(t, e, p.justIn(t, "ada", otherPassword), func(e *Env) tui.Screen { return newRequestPage(e, id) }).WaitFor("What would go")
	}
	open(own.ID).Lacks("approve")
	open(other.ID).Contains("approve")
}

// workViews are the works when they are done.
func workViews() map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
	open := func(screen func(*Env) tui.Screen, keys ...string) func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := crew(t)
			if _, err := p.Audit.SealNow(context.Background()); err != nil {
				t.Fatal(err)
			}
			v := p.at(t, p.env(t, opts...), p.justIn(t, "lin", goodPassword), screen).Settle()
			for _, k := range keys {
				v.Press(k).Settle()
			}
			return v
		}
	}
	hadBefore := func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
		v := open(newMyData)(t, opts...)
		s, now := v.Router().Top().(*myData), tuitest.Now
		s.Update(myDataRead{at: now.Add(-time.Hour), now: now, last: core.Receipt{Key: "SHA256:hg3Z1vNnYqv1cVOp1uQ",
			Document:  `{"kind":"export","portal":"Lanterns","account":"01M81NF440N1G75358PJ322XGA","sha256":"c2f0a9","bytes":48211,"entries":96}` + "\n",
			Signature: "-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAg\n-----END SSH SIGNATURE-----\n"}})
		return v.Resize(80, 24)
	}
	return map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal{
		"my-data-had": hadBefore, "retention": open(NewRetention), "retention-ask": open(NewRetention, "x"), "my-data": open(newMyData), "privacy": open(NewPrivacy),
	}
}

func TestLookOfWorks(t *testing.T) {
	t.Parallel()
	for view, open := range workViews() {
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
			open(t).Sizes()
		})
	}
}

// Retention is counted, asked about, and done.
func TestRetentionOnTheScreen(t *testing.T) {
	t.Parallel()
	p := crew(t)
	if _, err := p.Audit.SealNow(context.Background()); err != nil {
		t.Fatal(err)
	}
	p.clock.Advance(200 * 24 * time.Hour)
	v := p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), NewRetention).WaitFor("entries of the trail")
	v.Press("x").WaitFor("Let it go now?").Press("tab", "enter").WaitFor("This has gone:").Contains("entries of the trail")
	v.Press("r").WaitFor("Nothing.")
}

// A script is written in the editor, checked while it is typed, tried out, saved,
// and its run is looked at.
func TestAScriptIsWrittenOnTheScreen(t *testing.T) {
	t.Parallel()
	p := scripted(t)
	v := p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), NewScripts).WaitFor("New script")
	v.Press("n").WaitFor("It can be run.").Contains("1 ", "approve()")
	v.Type("approve(\n").WaitFor("Line")
	for range len("approve(\n") {
		v.Press("backspace")
	}
	v.WaitFor("It can be run.").Type("print(account.user_name)").Press("enter").Settle()
	v.Press("ctrl+t").WaitFor("as if it had asked").Type("mara").Press("enter", "enter").WaitFor("Printed").Contains("mara", "tried out")
	v.Press("esc").WaitFor("It can be run.").Press("ctrl+s").WaitFor("Name").Type("leavers").Press("enter", "enter").WaitFor("leavers is saved as version 1")
	v.Press("r").WaitFor("Outcome").Contains("draft", "mara")
	v.Press("esc").WaitFor("New script").Press("home", "enter").WaitFor("print(account.user_name)").Press("e").WaitFor("It can be run.")
	v.Type("x").WaitFor("x").Press("esc").WaitFor("Leave without saving?").Press("esc").Settle()
	v.Press("esc").WaitFor("Leave without saving?").Press("tab", "enter").WaitFor("edit")
}

// A new script of a name that there is does not take its place: what was typed stays,
// and another name keeps it.
func TestANewScriptTakesNoNameThatThereIs(t *testing.T) {
	t.Parallel()
	p := scripted(t)
	save := func(source string) {
		in := p.justIn(t, "lin", goodPassword)
		if _, err := p.Analysis.Save(t.Context(), as(in), core.ScriptInput{Name: "leavers", Source: source}); err != nil {
			t.Fatal(err)
		}
	}
	save("hold('ask lin')")
	v := p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), NewScripts).WaitFor("New script")
	v.Press("n").WaitFor("It can be run.").Press("ctrl+s").WaitFor("Name").Type("leavers").Press("enter").Type("for a try").Press("enter")
	waitToRead(v, "There is a script of this name already.")
	v.Contains("leavers", "for a try")
	x, err := p.Analysis.Get(t.Context(), core.ConsoleActor("test"), "leavers", 0)
	if err != nil || x.Version != 1 || x.Source != "hold('ask lin')\n" {
		t.Fatalf("leavers has become %+v, %v", x, err)
	}
	v.Press("home").Type("my-").Press("enter", "enter").WaitFor("my-leavers is saved as version 1: a new script.")
	save("hold('ask ada')")
	v.Press("esc").Settle()
	p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), NewScripts).WaitFor("my-leavers").
		Press("home", "enter").WaitFor("ask ada").Press("e").WaitFor("It can be run.").Type("#").Press("ctrl+s").WaitFor("Reason").
		Press("enter").WaitFor("leavers is saved as version 3, in the place of version 2.")
}

// scripted is a crew whose scripts run in this process.
func scripted(t testing.TB) *place {
	t.Helper()
	p := crew(t)
	portal, err := core.New(context.Background(), core.Config{Store: p.db, Hasher: cheapHasher(t), Clock: p.clock, Analyst: inProcess{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(portal.Close)
	p.Portal = portal
	return p
}

// inProcess runs scripts by the real interpreter, but without a child.
type inProcess struct{}

func (inProcess) Run(_ context.Context, in script.Input, limits script.Limits) script.Result {
	var log strings.Builder
	r := script.Evaluate(in, limits, func(s string) { log.WriteString(s + "\n") })
	r.Log = log.String()
	return r
}

func cheapHasher(t testing.TB) *password.Hasher {
	t.Helper()
	h, err := password.NewInsecureHasher(password.CheapParams(), 2)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

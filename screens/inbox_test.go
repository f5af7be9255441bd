package screens

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/tui"
	"postern/tui/tuitest"
)

// line returns the line of the screen that text stands in.
func lineOf(t testing.TB, v *tuitest.Terminal, text string) string {
	t.Helper()
	for line := range strings.Lines(v.Text()) {
		if strings.Contains(line, text) {
			return line
		}
	}
	t.Fatalf("no %q on the screen:\n%s", text, v.Text())
	return ""
}

func TestTheInboxTellsWhatIsUnread(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	ada := p.somethingNew(t)
	v := p.at(t, p.env(t), ada, NewInbox).WaitFor("3 are unread. 3 notices. That is all.")
	for _, subject := range []string{"A sign-in from somewhere new", "An SSH key was linked", "Your password was changed"} {
		if line := lineOf(t, v, subject); !strings.Contains(line, "● unread") {
			t.Errorf("nothing says that it is unread: %q", line)
		}
	}
	if screen := v.Text(); strings.Index(screen, "Your password was changed") > strings.Index(screen, "An SSH key was linked") {
		t.Errorf("the newest is not the first:\n%s", screen)
	}
	v.Contains("10 min ago", "192.0.2.7", "203.0.113.9")

	v.Press("down", "down", "enter").WaitFor("› A sign-in from somewhere new")
	v.Contains("Your account ada was signed in to from where it has not been before.", "12 min ago (22 Nov 2026, 12:01 UTC)", "If this was not you")
	v.Press("esc").WaitFor("2 are unread.")
	marked(t, v, "A sign-in from somewhere new")
	if line := lineOf(t, v, "A sign-in from somewhere new"); strings.Contains(line, "unread") {
		t.Errorf("it was read: %q", line)
	}
	if page := p.inboxOf(t, ada); page.Unread != 2 || page.Notices[2].Read.IsZero() {
		t.Errorf("kept is %+v", page)
	}

	v.Press("u").WaitFor("All are marked as read.").Lacks("unread")
	if page := p.inboxOf(t, ada); page.Unread != 0 {
		t.Errorf("kept are %d unread", page.Unread)
	}
	v.Press("u").WaitFor("Nothing is unread.")
	v.Press("esc").WaitFor("Security check-up")
}

func TestAnEmptyInboxSaysWhatWouldBeHere(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	v := p.at(t, p.env(t), p.signUp(t, "ada", otherPassword), NewInbox)
	waitToRead(v, "Here you will be told when somebody signs in to your account from somewhere new")
	v.Press("enter", "u", "/", "esc").WaitFor("Nothing has been written to you yet.")
}

// What is new stands before the rest, and the mark stays; what was read elsewhere
// is read here too.
func TestRefreshingTheInboxKeepsThePlace(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	ada := p.somethingNew(t)
	v := p.at(t, p.env(t), ada, NewInbox).WaitFor("3 notices.")
	v.Press("down")
	marked(t, v, "An SSH key was linked")
	if err := p.Notices.MarkRead(t.Context(), as(ada)); err != nil {
		t.Fatal(err)
	}
	from := as(ada)
	from.Remote = "198.51.100.77"
	if _, err := p.Accounts.ChangePassword(t.Context(), from, newestPassword, goodPassword, false); err != nil {
		t.Fatal(err)
	}
	v.Press("r").WaitFor("1 is unread. 4 notices.")
	marked(t, v, "An SSH key was linked")
	if !strings.Contains(lineOf(t, v, "198.51.100.77"), "● unread") {
		t.Errorf("the new one is not unread:\n%s", v.Text())
	}
}

func TestALongInboxIsReadPageByPage(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	ada := p.signUp(t, "ada", otherPassword)
	for i := range 240 {
		p.signIn(t, elsewhere(fmt.Sprintf("203.0.%d.%d", 113+i/200, i%200)), "ada", otherPassword)
	}
	v := p.at(t, p.env(t), ada, NewInbox).WaitFor("240 are unread. The newest 100 notices.")
	v.Press("end").WaitFor("The newest 200 notices.")
	v.Press("end").WaitFor("240 notices. That is all.")
	v.Press("end")
	marked(t, v, "203.0.113.0")
	p.signIn(t, elsewhere("198.51.100.77"), "ada", otherPassword)
	v.Press("r").WaitFor("241 are unread. 241 notices. That is all.")
	marked(t, v, "203.0.113.0")

	// A filter looks through what has not been read yet as well.
	w := p.at(t, p.env(t), ada, NewInbox).WaitFor("The newest 100 notices.")
	w.Press("/").Paste("203.0.113.5 ").WaitFor("of 241")
	w.Press("u").Contains("Filter") // a letter, while the filter is typed
}

// More can be unread than one reading counts.
func TestManyUnreadNoticesAreNotPromisedExactly(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	ada := p.signUp(t, "ada", otherPassword)
	for i := range core.MaxPage + 3 {
		p.signIn(t, elsewhere(fmt.Sprintf("203.0.%d.%d", i/200, i%200)), "ada", otherPassword)
	}
	v := p.at(t, p.env(t), ada, NewInbox).WaitFor("At least 500 are unread. The newest 100 notices.")
	v.Press("enter").WaitFor("› A sign-in").Contains("203.0.2.102").Press("esc").WaitFor("At least 500 are unread.")
	v.Press("u").WaitFor("All are marked as read.").Lacks("are unread")
	if page := p.inboxOf(t, ada); page.Unread != 0 {
		t.Errorf("kept are %d unread", page.Unread)
	}
	v.Press("r").WaitFor("notices.").Lacks("are unread")
}

// The notices are said in the language and the zone of this moment.
func TestNoticesFollowLanguageAndZone(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	ada := p.somethingNew(t)
	v := p.at(t, p.env(t, tuitest.Lang("es")), ada, NewInbox).WaitFor("Su contraseña se cambió")
	e := v.Session()
	zone, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	v.Press("enter").WaitFor("12:03 UTC")
	e.Dict = e.Catalog().Dict("pt-BR").In(zone)
	e.Post(tui.RestyleMsg{})
	v.WaitFor("Sua senha foi trocada").Contains("22/11/2026 21:03 JST, a partir de 192.0.2.7.", "A senha da sua conta ada foi trocada.")
	v.Press("esc").WaitFor("3 avisos. É tudo.")
}

// At 120 columns the whole notice stands beside the list, and is no more read
// for that.
func TestABroadInboxShowsTheNoticeBesideTheList(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	ada := p.somethingNew(t)
	v := p.at(t, p.env(t), ada, NewInbox).Resize(120, 40).WaitFor("3 are unread.")
	v.Contains("The password of your account ada was", "10 min ago (22 Nov 2026, 12:03 UTC)")
	v.Press("down").Contains("SHA256:k3PqAbCdEfGh", "now speaks for your account ada.").Press("up")
	if page := p.inboxOf(t, ada); page.Unread != 3 {
		t.Errorf("%d are unread", page.Unread)
	}
}

func TestNoticesThatCannotBeReadOrMarkedSayWhy(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	ada := p.somethingNew(t)
	e := p.env(t)
	v := p.at(t, e, ada, NewInbox).WaitFor("3 are unread.")
	if err := p.Sessions.End(t.Context(), core.ConsoleActor("test"), ada.Session); err != nil {
		t.Fatal(err)
	}
	s := NewInbox(e).(*inbox)
	s.SetSize(76, 20)
	page, err := p.Notices.Mine(t.Context(), e.Actor(), "", "", "", 10)
	w, _ := s.notices.want("")
	s.Update(inboxRead{pageRead[core.NoticeRead]{w, page.Notices, "", e.Clock(), err}, 0})
	if got := plainText(s.View()); !strings.Contains(got, "Your session has ended.") || !strings.Contains(got, "Press r") {
		t.Errorf("says %q", got)
	}
	if cmd := s.marked(markedRead{err: err}); cmd == nil {
		t.Error("a failure to mark is not said")
	}
	untilClosed(t, v, e.T("ended.by_admin"))
}

// An answer to what was asked for before the list began anew no longer counts.
func TestAnswersToAnEarlierListAreDropped(t *testing.T) {
	t.Parallel()
	p := paged[core.Message]{id: func(m core.Message) string { return m.ID }}
	old, ok := p.want("")
	if _, twice := p.want(""); !ok || twice {
		t.Fatal("asked twice at once")
	}
	p.anew()
	fresh, ok := p.want("")
	if !ok {
		t.Fatal("cannot begin anew while something is on its way")
	}
	if p.take(pageRead[core.Message]{wanted: old, list: []core.Message{{ID: "old"}}}) || len(p.list) > 0 {
		t.Error("an earlier answer was taken")
	}
	if !p.take(pageRead[core.Message]{wanted: fresh, list: []core.Message{{ID: "b"}, {ID: "a"}}, next: "a"}) || len(p.list) != 2 {
		t.Error("the answer was not taken")
	}
}

func TestPagesJoinWithoutGapsAndRepeats(t *testing.T) {
	t.Parallel()
	read := func(p *paged[string], after, next string, list ...string) string {
		w, _ := p.want(after)
		p.take(pageRead[string]{wanted: w, list: list, next: next})
		return strings.Join(p.list, "") + "/" + p.next
	}
	p := &paged[string]{id: func(s string) string { return s }}
	for i, tt := range []struct{ got, want string }{
		{read(p, "", "f", "h", "g", "f"), "hgf/f"},
		{read(p, "f", "c", "e", "d", "c"), "hgfedc/c"},
		{read(p, "", "g", "i", "h", "g"), "ihgfedc/c"}, // one that is new
		{read(p, "", "j", "l", "k", "j"), "lkj/j"},     // more than a page is new
		{read(p, "j", "", "i"), "lkji/"},
		{read(p, "", "k", "m", "l", "k"), "mlkji/"}, // the end stays known
		{read(p, "", "", "m"), "m/"},                // the others are gone
		{read(p, "", ""), "/"},
	} {
		if tt.got != tt.want {
			t.Errorf("%d: %s, want %s", i, tt.got, tt.want)
		}
	}
}

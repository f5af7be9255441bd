package screens

import (
	"slices"
	"strings"
	"testing"

	"postern/core"
	"postern/tui/tuitest"
)

// wishesAt is somebody at the page that chooses notices, above the inbox.
func (p *place) wishesAt(t testing.TB, in core.SignedIn, opts ...tuitest.Option) (*tuitest.Terminal, *Env) {
	t.Helper()
	e := p.env(t, opts...)
	v := p.at(t, e, in, NewInbox)
	return v.Press("n").WaitFor(e.T("wishes.title")).WaitFor(e.T("outbox.kind.password_changed")), e
}

// muted says which notices an account does not want.
func (p *place) muted(t testing.TB, in core.SignedIn) []string {
	t.Helper()
	profile, err := p.Accounts.Profile(t.Context(), as(in))
	if err != nil {
		t.Fatal(err)
	}
	return profile.Muted
}

func TestANoticeIsSwitchedOnTheSpot(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	ada := p.signUp(t, "ada", otherPassword)
	v, _ := p.wishesAt(t, ada)
	const name = "Sign-in from somewhere new"
	see := func(want string, kept ...string) {
		t.Helper()
		fields := strings.Fields(lineOf(t, v, name))
		if got := strings.Join(fields[len(fields)-4:], " "); got != want {
			t.Errorf("shows %q, want %q", got, want)
		}
		if got := p.muted(t, ada); !slices.Equal(got, kept) {
			t.Errorf("kept is %q, want %q", got, kept)
		}
	}
	see("● on ● on")
	v.Press("m").WaitFor("Saved. E-mail: off.")
	see("● on ○ off", "new_device/mail")
	v.Press("i").WaitFor("Saved. Inbox: off.")
	see("○ off ○ off", "new_device/mail", "new_device/inbox")
	v.Press("i").WaitFor("Saved. Inbox: on.")
	see("● on ○ off", "new_device/mail")
	// Enter goes through all ways; each changes one channel.
	for _, want := range []string{"○ off ○ off", "○ off ● on", "● on ● on", "● on ○ off"} {
		v.Press("enter").WaitFor("Saved.")
		fields := strings.Fields(lineOf(t, v, name))
		if got := strings.Join(fields[len(fields)-4:], " "); got != want {
			t.Errorf("enter shows %q, want %q", got, want)
		}
	}
	see("● on ○ off", "new_device/mail")
	if n := p.acts(t, "ada", core.ActNotices, core.OutcomeDone); n != 7 {
		t.Errorf("the trail has %d changes", n)
	}

	// What is switched off does not come, what is on does.
	v.Press("i").WaitFor("Saved. Inbox: off.")
	p.signIn(t, elsewhere("203.0.113.9"), "ada", otherPassword)
	if page := p.inboxOf(t, ada); len(page.Notices) != 0 {
		t.Errorf("came all the same: %+v", page.Notices)
	}
	v.Press("esc").WaitFor("Nothing has been written to you yet.")
}

// ASVS 6.3.7: what is said of credentials cannot be switched off.
func TestSecurityNoticesAlwaysComeAndThePageSaysWhy(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	ada := p.signUp(t, "ada", otherPassword)
	v, e := p.wishesAt(t, ada)
	v.Resize(120, 60)
	for _, n := range core.NoticeTypes() {
		if !n.Security || n.Owners {
			continue
		}
		if line := lineOf(t, v, e.T("outbox.kind."+string(n.Kind))); strings.Count(line, "● always") != 2 {
			t.Errorf("%s: %q", n.Kind, line)
		}
	}
	v.Press("end")
	waitToRead(v, "It tells you that a way into")
	for _, k := range []string{"i", "m", "enter"} {
		v.Press(k).WaitFor("This one always comes.")
		v.Press("up", "down").Lacks("always comes.")
	}
	if got := p.muted(t, ada); len(got) > 0 {
		t.Errorf("kept is %q", got)
	}
	v.Lacks("Messages nearly used up")
}

// Only owners are told of the allowance, so only they are asked.
func TestOwnersChooseWhatOwnersAreTold(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	v, _ := p.wishesAt(t, p.owner)
	v.Press("down", "m").WaitFor("Saved. E-mail: off.")
	if got := p.muted(t, p.owner); !slices.Equal(got, []string{"allowance/mail"}) {
		t.Errorf("kept is %q", got)
	}
}

func TestMailGoesToAConfirmedAddressOnly(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	ada := p.signUp(t, "ada", otherPassword)
	v, _ := p.wishesAt(t, ada)
	waitToRead(v, "Mail goes to a confirmed address only. Yours, ada@example.org, is not confirmed yet, so nothing is mailed to you.")
	p.confirmEmail(t, ada)
	v.Press("r")
	waitToRead(v, "Yours, ada@example.org, is confirmed.")
	if _, err := p.Accounts.UpdateProfile(t.Context(), as(ada), core.ProfileInput{}); err != nil {
		t.Fatal(err)
	}
	v.Press("r")
	waitToRead(v, "There is none of yours on file")
}

func TestClicksFindTheRowUnderTheHead(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	v, _ := p.wishesAt(t, p.owner)
	for y, line := range strings.Split(v.Text(), "\n") {
		if strings.Contains(line, "New second factor") {
			v.Click(10, y)
		}
	}
	marked(t, v, "New second factor")
	v.Press("/").Type("code")
	x, y, ok := v.Cursor()
	if line := strings.Split(v.Text(), "\n")[y]; !ok || !strings.Contains(line, "Filter code") || x != strings.Index(line, "code")+4 {
		t.Errorf("the cursor stands at %d in %q", x, line)
	}
}

func TestWishesThatCannotBeKeptSayWhy(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	ada := p.signUp(t, "ada", otherPassword)
	v, e := p.wishesAt(t, ada)
	s := newWishes(e).(*wishes)
	s.SetSize(76, 20)
	s.Update(answer[wishList]{Err: &core.Error{Code: core.CodeUnavailable}})
	if got := plainText(s.View()); !strings.Contains(got, "could not answer in time") {
		t.Errorf("says %q", got)
	}
	if err := p.Sessions.End(t.Context(), as(ada), ada.Session); err != nil {
		t.Fatal(err)
	}
	untilClosed(t, v, "You have signed out.")
}

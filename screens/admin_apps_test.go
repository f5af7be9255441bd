package screens

import (
	"context"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/tui"
	"postern/tui/tuitest"
)

// withApps is a portal with two apps: Archive is ada's, strict, and shared with
// three; Board leaves everything to the portal.
func withApps(t testing.TB) (p *place, ada, noor core.SignedIn) {
	t.Helper()
	p = newPlace(t)
	ada, noor = p.signUp(t, "ada", otherPassword), p.signUp(t, "noor", otherPassword)
	p.signUp(t, "mara", otherPassword)
	ctx, console := context.Background(), core.ConsoleActor("test")
	for _, in := range []core.AppInput{
		{Name: "Archive", Note: "the old maps", Owner: "ada", Roles: core.ParseRoles("reader: view, editor: view edit export"),
			Policy: map[string]string{"password.min_length": "20", "password.rotate_days": "90", "session.lifetime": "4 hours", "factors.enforce": "everybody"}},
		{Name: "Board", Owner: "lin"},
	} {
		if _, err := p.Apps.Create(ctx, console, in); err != nil {
			t.Fatal(err)
		}
	}
	now := p.clock.Now()
	for _, in := range []core.ShareInput{
		{User: "noor", Role: "editor"},
		{User: "mara", Role: "reader", Until: now.Add(9 * 24 * time.Hour)},
		{User: "lin", Role: "reader", From: now.Add(48 * time.Hour), Until: now.Add(90 * 24 * time.Hour)},
	} {
		if _, err := p.Apps.Share(ctx, console, "archive", in); err != nil {
			t.Fatal(err)
		}
	}
	return p, ada, noor
}

// appViews open each page that has to do with apps, as it is looked at.
func appViews() map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
	type opener = func(testing.TB, ...tuitest.Option) *tuitest.Terminal
	list := func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
		p, _, _ := withApps(t)
		return p.openAbove(t, p.env(t, opts...), p.owner, NewApps).Settle()
	}
	press := func(open opener, keys ...string) opener {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			v := open(t, opts...)
			for _, k := range keys {
				v.Press(k).Settle()
			}
			return v
		}
	}
	mine := func(above func(*Env) tui.Screen) opener {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p, _, noor := withApps(t)
			return p.openAbove(t, p.env(t, opts...), noor, above).Settle()
		}
	}
	return map[string]opener{
		"list": list, "app": press(list, "enter"), "retire": press(list, "enter", "x"), "new": press(list, "n"),
		"edit": press(list, "enter", "e"), "rules": press(list, "enter", "l"), "move": press(list, "enter", "o"),
		"shares": press(list, "enter", "s", "down"), "pending": press(list, "enter", "s", "f", "f"),
		"share": press(list, "enter", "s", "n"), "revoke": press(list, "enter", "s", "x"), "until": press(list, "enter", "s", "u"),
		"access": mine(NewAccess), "access-one": press(mine(NewAccess), "enter"), "password": mine(NewPassword),
		"session": press(mine(NewSessions), "enter"),
		"empty": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := newPlace(t)
			return p.openAbove(t, p.env(t, opts...), p.owner, NewApps).Settle()
		},
		"no-access": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := newPlace(t)
			return p.openAbove(t, p.env(t, opts...), p.owner, NewAccess).Settle()
		},
	}
}

func TestLookOfApps(t *testing.T) {
	t.Parallel()
	for view, open := range appViews() {
		t.Run(view, func(t *testing.T) {
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

func TestEveryPageOfAppsFitsEverySize(t *testing.T) {
	t.Parallel()
	for view, open := range appViews() {
		t.Run(view, func(t *testing.T) { open(t).Sizes() })
	}
}

// An admin makes an app, gives it a rule, shares it, ends that and retires it, by
// the keys alone. What is refused says so beside its field.
func TestAnAppFromBeginningToEnd(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.signUp(t, "noor", otherPassword)
	v := p.openAbove(t, p.env(t), p.owner, NewApps).WaitFor("No app yet")
	v.Press("n").WaitFor("A new app").Type("Archive").Press("tab", "tab", "tab").Type(", editor: view edit").Press("enter")
	v.WaitFor("Archive is there").WaitFor("the portal's").Press("enter").WaitFor("Role editor")

	v.Press("l").WaitFor("Rules of the app").Type("8").Press(strings.Fields(strings.Repeat("tab ", 7))...).Press("enter")
	waitToRead(v, "The portal itself demands more here: 12.")
	v.Press("backspace").Type("20").Press(strings.Fields(strings.Repeat("tab ", 7))...).Press("enter")
	v.WaitFor("20; the portal: 12")

	v.Press("s").WaitFor("owner of the app").Press("x")
	waitToRead(v, "Hand it over instead.")
	v.Press("n").WaitFor("Share the app").Type("nobody").Press("tab", "tab", "tab", "enter")
	waitToRead(v, "Nobody here is called that.")
	for range len("nobody") {
		v.Press("backspace")
	}
	v.Type("noor").Press("tab", "right", "tab").Type("2027-02-01").Press("tab").Type("2027-01-01").Press("enter")
	waitToRead(v, "This would end before it begins.")
	for range len("2027-01-01") {
		v.Press("backspace")
	}
	v.Press("enter").WaitFor("Shared with noor as editor.").WaitFor("begins later")
	if got := p.sharedWith(t, "noor"); len(got) != 1 || got[0].Role != "editor" || got[0].State != core.SharePending || !got[0].Until.IsZero() {
		t.Errorf("shared are %+v", got)
	}

	// A proof is asked for, and then it is done.
	p.clock.Advance(core.StepUpFor + time.Minute)
	v.Press("home", "u").WaitFor("Until when").Type("2027-03-01").Press("enter")
	waitToRead(v, "so please show first that it is you.")
	v.Type(goodPassword).Press("enter").WaitFor("Saved. They have been told.")
	v.Press("x").WaitFor("Stop sharing").Press("tab", "enter").WaitFor("No longer shared with noor.")
	if got := p.sharedWith(t, "noor"); len(got) != 0 {
		t.Errorf("shared are %+v", got)
	}
	v.Press("esc").WaitFor("Besides its owner").Press("x").WaitFor("Retire this app").Type("Archive").Press("enter", "enter").WaitFor("retired")
	if d, err := p.Apps.Show(t.Context(), core.ConsoleActor("test"), "archive"); err != nil || d.State != core.AppRetired {
		t.Errorf("it is %+v, %v", d, err)
	}
}

// sharedWith are the shares of an account.
func (p *place) sharedWith(t testing.TB, name string) []core.Share {
	t.Helper()
	list, err := p.Apps.Of(context.Background(), core.ConsoleActor("test"), name)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Whoever owns an app looks after it from Access, without a role on the portal.
func TestAnAppsOwnerComesFromAccess(t *testing.T) {
	t.Parallel()
	p, ada, noor := withApps(t)
	v := p.openAbove(t, p.env(t), ada, NewAccess).WaitFor("owner of the app").Press("enter")
	v.WaitFor("Role editor").Press("e").WaitFor("Change the app").Press("tab").Type("!").Press("enter", "enter").WaitFor("the old maps!")
	v.Press("o").WaitFor("Hand the app over").Type("noor").Press("enter").WaitFor("belongs to noor")
	if list := p.sharedWith(t, "noor"); len(list) != 2 || list[1].Role != core.RoleAppOwner {
		t.Errorf("hers are %+v", list)
	}
	home := p.enter(t, p.env(t), noor).WaitFor("Access")
	home.Press("k").WaitFor("owner of the app")
	home = p.enter(t, p.env(t), p.signUp(t, "young", otherPassword))
	home.WaitFor("Sessions").Lacks("Access")
}

// While a password is typed it is judged by the rules that its account lives under.
func TestAForcedPasswordObeysTheApp(t *testing.T) {
	t.Parallel()
	p, _, _ := withApps(t)
	if err := p.Accounts.ExpirePassword(t.Context(), core.ConsoleActor("test"), "noor"); err != nil {
		t.Fatal(err)
	}
	v := p.on(t, p.env(t), NewSignIn).Type("noor").Press("enter").Type(otherPassword).Press("enter", "enter")
	v.WaitFor("at least 20 characters")
}

// Every page of apps can be used line by line.
func TestAppsInLines(t *testing.T) {
	t.Parallel()
	p, _, noor := withApps(t)
	_, l := p.linesAt(t, noor, NewAccess)
	l.Hears("Archive", "editor", "in use").Answer("1").Hears("the old maps", "Minimum length", "20").Answer("esc")
	_, l = p.linesAt(t, p.owner, NewApps)
	l.Hears("Archive", "4 stricter").Answer("1").Hears("Role editor").Answer("s").Hears("mara", "ends soon").Answer("n").Hears("Who")
}

package core_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

func TestWhoeverSignsUpIsSignedIn(t *testing.T) {
	p := coretest.Open(t)
	out := must(p.Accounts.SignUp(ctx, coretest.From("192.0.2.7"), coretest.Input("Mara")))(t)
	if out.Pending || out.SignedIn.Token == "" || out.SignedIn.UserName != "mara" {
		t.Fatalf("signed up as %+v", out)
	}
	me := coretest.From("192.0.2.7").With(out.SignedIn)
	profile := must(p.Accounts.Profile(ctx, me))(t)
	if profile.Email != "Mara@example.org" || profile.State != core.StateActive || len(profile.Roles) != 0 {
		t.Fatalf("profile %+v", profile)
	}
	list := must(p.Sessions.Mine(ctx, me))(t)
	if len(list) != 1 || !list[0].Mine || list[0].Door != core.DoorSSH || list[0].Remote != "192.0.2.7" {
		t.Fatalf("sessions %+v", list)
	}
}

func TestSignUpModes(t *testing.T) {
	t.Run("closed", func(t *testing.T) {
		p := coretest.Open(t)
		p.Set("sign_up.mode", "closed")
		_, err := p.Accounts.SignUp(ctx, coretest.Local(), coretest.Input("mara"))
		refused(t, err, core.CodeClosed, "")
		if st := must(p.Site.State(ctx))(t); st.SignUp != core.SignUpIsClosed {
			t.Errorf("sign-up shows as %s", st.SignUp)
		}
	})
	t.Run("invite", func(t *testing.T) {
		p := coretest.Open(t)
		p.Set("sign_up.mode", "invite")
		_, err := p.Accounts.SignUp(ctx, coretest.Local(), coretest.Input("mara"))
		refused(t, err, core.CodeInvite, "invite")
		inv, code, err := p.Invites.Create(ctx, p.Owner, 1, 7, "for mara")
		ok(t, err)
		in := coretest.Input("mara")
		in.Invite = " " + strings.ToLower(code) + " " // as people copy it
		ok(t, err)
		out := must(p.Accounts.SignUp(ctx, coretest.Local(), in))(t)
		if got := must(p.Accounts.Profile(ctx, coretest.Local().With(out.SignedIn)))(t); got.Invite != inv.ID {
			t.Errorf("came by invitation %q, want %q", got.Invite, inv.ID)
		}
	})
	t.Run("approval", func(t *testing.T) {
		p := coretest.Open(t)
		p.Set("sign_up.mode", "approval")
		out := must(p.Accounts.SignUp(ctx, coretest.Local(), coretest.Input("mara")))(t)
		if !out.Pending || out.SignedIn != (core.SignedIn{}) {
			t.Fatalf("got %+v, want to wait", out)
		}
		_, err := p.TrySignIn(coretest.Local(), "mara", coretest.Password)
		refused(t, err, core.CodeCredentials, "")
		ok(t, p.Accounts.Approve(ctx, p.Owner, "mara"))
		p.SignIn("mara")

		must(p.Accounts.SignUp(ctx, coretest.Local(), coretest.Input("noor")))(t)
		ok(t, p.Accounts.Reject(ctx, p.Owner, "noor", "unknown here"))
		_, err = p.TrySignIn(coretest.Local(), "noor", coretest.Password)
		refused(t, err, core.CodeCredentials, "")
		_, err = p.Accounts.SignUp(ctx, coretest.Local(), coretest.Input("noor"))
		refused(t, err, core.CodeTaken, "user_name") // a name is never recycled
	})
	t.Run("full", func(t *testing.T) {
		p := coretest.Open(t)
		p.Set("sign_up.quota", "2") // the owner is one
		p.SignUp("mara")
		if st := must(p.Site.State(ctx))(t); st.SignUp != core.SignUpIsFull {
			t.Errorf("sign-up shows as %s", st.SignUp)
		}
		_, err := p.Accounts.SignUp(ctx, coretest.Local(), coretest.Input("noor"))
		refused(t, err, core.CodeFull, "")
	})
}

func TestQuotaHoldsAgainstARush(t *testing.T) {
	p := coretest.Open(t)
	p.Set("sign_up.quota", "6")
	var in atomic.Int32
	parallel(30, func(i int) {
		_, err := p.Accounts.SignUp(ctx, coretest.Local(), coretest.Input(fmt.Sprintf("person%d", i)))
		if err == nil {
			in.Add(1)
		} else if core.CodeOf(err) != core.CodeFull {
			t.Errorf("refused as %v", err)
		}
	})
	if in.Load() != 5 {
		t.Errorf("%d came in, want 5", in.Load())
	}
}

// ASVS 6.2.1 aside: a name, its look-alikes and an address belong to one account.
func TestTwinsAreRefused(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("marlow")
	for twin, name := range map[string]string{
		"the same name": "marlow", "another case": "MARLOW", "full width": "ｍａｒｌｏｗ",
		"one for l": "mar1ow", "zero for o": "marl0w", "spaces around it": "  marlow ", "rn for m": "rnarlow",
	} {
		t.Run(twin, func(t *testing.T) {
			in := coretest.Input("someone")
			in.UserName = name
			before := substance(p.Dump())
			_, err := p.Accounts.SignUp(ctx, coretest.Local(), in)
			refused(t, err, core.CodeTaken, "user_name")
			same(t, before, substance(p.Dump()))
			refused(t, p.Accounts.NameFree(ctx, coretest.Local(), name), core.CodeTaken, "user_name")
		})
	}
	in := coretest.Input("another")
	in.Email = "MARLOW@Example.ORG"
	_, err := p.Accounts.SignUp(ctx, coretest.Local(), in)
	refused(t, err, core.CodeTaken, "email")
	ok(t, p.Accounts.NameFree(ctx, coretest.Local(), "another"))
}

func TestHundredRacersForOneNameHaveOneWinner(t *testing.T) {
	p := coretest.Open(t)
	var won, taken atomic.Int32
	parallel(100, func(i int) {
		in := coretest.Input("marlow")
		in.Email = fmt.Sprintf("racer%d@example.org", i)
		if i%2 == 0 {
			in.UserName = "mar1ow"
		}
		switch _, err := p.Accounts.SignUp(ctx, coretest.Local(), in); core.CodeOf(err) {
		case "":
			won.Add(1)
		case core.CodeTaken:
			taken.Add(1)
		default:
			t.Errorf("refused as %v", err)
		}
	})
	if won.Load() != 1 || taken.Load() != 99 {
		t.Errorf("%d won, %d were told that it is taken", won.Load(), taken.Load())
	}
	page := must(p.Accounts.List(ctx, coretest.Console(), core.AccountQuery{N: 10}))(t)
	if len(page.Accounts) != 2 {
		t.Errorf("there are %d accounts, want 2", len(page.Accounts))
	}
}

func TestNamesAreToldOnlyWhileEverybodyMaySignUp(t *testing.T) {
	p := coretest.Open(t)
	for _, mode := range []string{"invite", "closed"} {
		p.Set("sign_up.mode", mode)
		ok(t, p.Accounts.NameFree(ctx, coretest.From("192.0.2.1"), "lin"))
		refused(t, p.Accounts.NameFree(ctx, coretest.From("192.0.2.1"), "admin"), core.CodeReserved, "user_name")
	}
	p.Set("sign_up.mode", "open", "lockout.address_failures", "1") // ten times as much for typing
	var err error
	for range 11 {
		err = p.Accounts.NameFree(ctx, coretest.From("192.0.2.1"), "lin")
	}
	refused(t, err, core.CodeWait, "")
	refused(t, p.Accounts.NameFree(ctx, coretest.From("192.0.2.2"), "lin"), core.CodeTaken, "user_name")
}

func TestCustomFields(t *testing.T) {
	p := coretest.Open(t)
	p.Set("sign_up.fields", "room:text:required:Room; desk:number::Desk; tag:hidden::Tag")
	st := must(p.Site.State(ctx))(t)
	if len(st.Fields) != 2 {
		t.Errorf("a stranger is asked for %+v, want room and desk", st.Fields)
	}
	for what, c := range map[string]struct {
		fields map[string]string
		code   core.Code
		field  string
	}{
		"nothing":        {nil, core.CodeRequired, "field.room"},
		"only spaces":    {map[string]string{"room": "  "}, core.CodeRequired, "field.room"},
		"not a number":   {map[string]string{"room": "4b", "desk": "left"}, core.CodeFormat, "field.desk"},
		"a huge number":  {map[string]string{"room": "4b", "desk": strings.Repeat("9", 40)}, core.CodeFormat, "field.desk"},
		"a hidden one":   {map[string]string{"room": "4b", "tag": "vip"}, core.CodeDenied, "field.tag"},
		"one unknown":    {map[string]string{"room": "4b", "shoe": "42"}, core.CodeNotFound, "field.shoe"},
		"a hostile key":  {map[string]string{"room": "4b", "\x1b[2J": "42"}, core.CodeNotFound, "field.unknown"},
		"too long":       {map[string]string{"room": strings.Repeat("x", 201)}, core.CodeTooLong, "field.room"},
		"control":        {map[string]string{"room": "4\x07b"}, core.CodeCharacter, "field.room"},
		"bidi":           {map[string]string{"room": "4\u202eb"}, core.CodeCharacter, "field.room"},
		"invalid UTF-8":  {map[string]string{"room": "4\xffb"}, core.CodeEncoding, "field.room"},
		"an escape code": {map[string]string{"room": "\x1b]8;;x\x07"}, core.CodeCharacter, "field.room"},
	} {
		t.Run(what, func(t *testing.T) {
			in := coretest.Input("mara")
			in.Fields = c.fields
			before := substance(p.Dump())
			_, err := p.Accounts.SignUp(ctx, coretest.Local(), in)
			refused(t, err, c.code, c.field)
			same(t, before, substance(p.Dump()))
		})
	}
	in := coretest.Input("mara")
	in.Fields = map[string]string{"room": " 4b ", "desk": "12"}
	out := must(p.Accounts.SignUp(ctx, coretest.Local(), in))(t)
	me := coretest.Local().With(out.SignedIn)
	got := must(p.Accounts.Profile(ctx, me))(t).Fields
	if got["room"] != "4b" || got["desk"] != "12" || len(got) != 2 {
		t.Errorf("kept %v", got)
	}
	got = must(p.Accounts.UpdateProfile(ctx, me, core.ProfileInput{DisplayName: "Mara", Email: "mara@example.org", Fields: map[string]string{"room": "5"}}))(t).Fields
	if got["room"] != "5" || len(got) != 1 {
		t.Errorf("after a change: %v", got)
	}
	_, err := p.Accounts.UpdateProfile(ctx, me, core.ProfileInput{DisplayName: "Mara", Email: "mara@example.org"})
	refused(t, err, core.CodeRequired, "field.room")
}

// Every field of sign-up refuses every kind of bad input with the field and a
// code, and nothing is changed. ASVS 2.2.1, 2.2.2
func TestBadInputChangesNothing(t *testing.T) {
	p := coretest.Open(t)
	type bad struct {
		what, value string
		code        core.Code
	}
	cases := map[string][]bad{
		"user_name": {
			{"empty", "", core.CodeEmpty}, {"only spaces", "   ", core.CodeEmpty}, {"too long", strings.Repeat("a", 33), core.CodeTooLong},
			{"a paste of 1 MiB", strings.Repeat("a", 1<<20), core.CodeTooLong}, {"control", "ma\x00ra", core.CodeCharacter},
			{"bidi", "ma\u202era", core.CodeCharacter}, {"zero width", "ma\u200bra", core.CodeCharacter}, {"space", "ma ra", core.CodeCharacter},
			{"escape", "\x1b[31mmara", core.CodeCharacter}, {"two scripts", "mаra", core.CodeMixedScripts},
			{"invalid UTF-8", "ma\xffra", core.CodeEncoding}, {"reserved", "admin", core.CodeReserved}, {"reserved, other case", "Root", core.CodeReserved},
			{"leading sign", "-mara", core.CodeCharacter}, {"address", "mara@example.org", core.CodeCharacter},
		},
		"display_name": {
			{"too long", strings.Repeat("a", 65), core.CodeTooLong}, {"a paste of 1 MiB", strings.Repeat("a", 1<<20), core.CodeTooLong},
			{"control", "Ma\x07ra", core.CodeCharacter}, {"bidi", "Ma\u2066ra", core.CodeCharacter}, {"escape", "\x1b]0;x\x07", core.CodeCharacter},
			{"invalid UTF-8", "Ma\xc3ra", core.CodeEncoding}, {"line break", "Ma\nra", core.CodeCharacter},
		},
		"email": {
			{"no at", "mara.example.org", core.CodeFormat}, {"no domain", "mara@", core.CodeFormat}, {"control", "ma\x00ra@example.org", core.CodeFormat},
			{"header", "mara@example.org\r\nBcc: x@example.org", core.CodeFormat}, {"bidi", "ma\u202era@example.org", core.CodeFormat},
			{"too long", strings.Repeat("a", 65) + "@example.org", core.CodeTooLong}, {"a paste of 1 MiB", strings.Repeat("a", 1<<20), core.CodeTooLong},
			{"invalid UTF-8", "ma\xffra@example.org", core.CodeEncoding}, {"look-alike domain", "mara@exаmple.org", core.CodeFormat},
		},
		"password": {
			{"empty", "", core.CodeEmpty}, {"too long", strings.Repeat("aB3-", 65), core.CodePassword}, {"a paste of 1 MiB", strings.Repeat("a", 1<<20), core.CodePassword},
			{"control", "Glacier\x00Umbrella-59", core.CodePassword}, {"invalid UTF-8", "Glacier\xffUmbrella-59", core.CodePassword},
			{"short", "a-B3", core.CodePassword}, {"common", "password1234", core.CodePassword}, {"the name in it", "mara-Glacier-mara", core.CodePassword},
			{"easy", "aaaaaaaaaaaaaaaa", core.CodePassword}, {"the portal's name", "lanternslanterns", core.CodePassword},
		},
	}
	for field, list := range cases {
		for _, c := range list {
			t.Run(field+"/"+c.what, func(t *testing.T) {
				in := coretest.Input("mara")
				switch field {
				case "user_name":
					in.UserName = c.value
				case "display_name":
					in.DisplayName = c.value
				case "email":
					in.Email = c.value
				case "password":
					in.Password = c.value
				}
				before := substance(p.Dump())
				_, err := p.Accounts.SignUp(ctx, coretest.Local(), in)
				refused(t, err, c.code, field)
				same(t, before, substance(p.Dump()))
			})
		}
	}
}

func TestEmailIsAskedForWhenThePolicySays(t *testing.T) {
	p := coretest.Open(t)
	in := coretest.Input("mara")
	in.Email = ""
	must(p.Accounts.SignUp(ctx, coretest.Local(), in))(t)
	p.Set("sign_up.email_required", "on")
	in = coretest.Input("noor")
	in.Email = ""
	_, err := p.Accounts.SignUp(ctx, coretest.Local(), in)
	refused(t, err, core.CodeRequired, "email")
}

func TestAnEmptyDisplayNameIsTheUserName(t *testing.T) {
	p := coretest.Open(t)
	in := coretest.Input("mara")
	in.DisplayName = ""
	if out := must(p.Accounts.SignUp(ctx, coretest.Local(), in))(t); out.SignedIn.DisplayName != "mara" {
		t.Errorf("is called %q", out.SignedIn.DisplayName)
	}
}

func TestInvitationsEnd(t *testing.T) {
	p := coretest.Open(t)
	p.Set("sign_up.mode", "invite")
	_, code, err := p.Invites.Create(ctx, p.Owner, 3, 2, "")
	ok(t, err)
	join := func(name, code string) error {
		in := coretest.Input(name)
		in.Invite = code
		_, err := p.Accounts.SignUp(ctx, coretest.Local(), in)
		return err
	}
	ok(t, join("mara", code))
	refused(t, join("noor", "AAAA-AAAA-AAAA-AAAA"), core.CodeInvite, "invite")
	ok(t, join("noor", code))
	var won atomic.Int32
	parallel(40, func(i int) { // the last use has one winner
		if join(fmt.Sprintf("racer%d", i), code) == nil {
			won.Add(1)
		}
	})
	if won.Load() != 1 {
		t.Errorf("%d came by the last use", won.Load())
	}

	late, code2, err := p.Invites.Create(ctx, p.Owner, 3, 2, "")
	ok(t, err)
	p.Clock.Advance(48 * time.Hour)
	refused(t, join("otto", code2), core.CodeInvite, "invite")
	p.Owner = p.SignIn("lin")
	ok(t, p.Invites.Revoke(ctx, p.Owner, late.ID))
	refused(t, p.Invites.Revoke(ctx, p.Owner, late.ID), core.CodeNotFound, "invite")
	for _, n := range []int{0, -1, core.MaxInviteUses + 1} {
		_, code, err = p.Invites.Create(ctx, p.Owner, n, 1, "")
		refused(t, err, core.CodeRange, "uses")
		if code != "" {
			t.Error("a refused invitation has a code")
		}
	}
	_, _, err = p.Invites.Create(ctx, p.Owner, 1, core.MaxInviteDays+1, "")
	refused(t, err, core.CodeRange, "days")
	_, _, err = p.Invites.Create(ctx, p.Owner, 1, 1, "a\x1bb")
	refused(t, err, core.CodeCharacter, "note")
	for _, inv := range must(p.Invites.List(ctx, p.Owner, "", 50))(t) {
		if inv.CodeHash != "" {
			t.Error("the list gives the hash of a code away")
		}
	}
}

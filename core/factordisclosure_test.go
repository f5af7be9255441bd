// What of second factors is kept, written down or said, and what never is.

package core_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/core/otp"
	"postern/store/memory"
)

// No secret of an app, no code that was typed, sent or printed, and no address of
// a factor is in the trail, in the operator's log or in an error; and no code is
// kept but in the message that carries it. ASVS 6.5.2, 14.2.1, 16.2.5
func TestNoCodeIsWrittenDown(t *testing.T) {
	var log bytes.Buffer
	db := memory.New() // not sealed
	t.Cleanup(func() { _ = db.Close() })
	p := coretest.Open(t, coretest.WithStore(db), coretest.WithLog(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	withMessages(p)
	long(p)
	p.Set("lockout.failures", "50")
	var codes, hidden, said []string
	code := func(s string) string { codes = append(codes, s, strings.ReplaceAll(s, "-", "")); return s }
	hide := func(s string) string { hidden = append(hidden, s); return s }
	err := func(err error) { said = append(said, fmt.Sprintf("%v %+v", err, err)) }

	me := p.SignUp("mara")
	e := must(p.Factors.Begin(ctx, me, "", core.FactorApp, ""))(t)
	a := app{secret: secretOf(t, e)}
	hide(e.Secret)
	hide(otp.Text(a.secret))
	hide(base64.StdEncoding.EncodeToString(a.secret))
	for _, wrong := range []string{a.wrong(p), a.at(p.Clock.Now().Add(5 * time.Minute)), "12345", "Wrong-Secret-11-Typed"} {
		err(only(p.Factors.Confirm(ctx, me, "", e.ID, code(wrong), "phone")))
	}
	a.Factor = must(p.Factors.Confirm(ctx, me, "", e.ID, code(a.at(p.Clock.Now())), "phone"))(t).Factor
	var sent []core.Factor
	for kind, to := range map[core.FactorKind]string{core.FactorSMS: "+5511987654321", core.FactorEmail: "mara.private@example.net"} {
		e := must(p.Factors.Begin(ctx, me, "", kind, hide(to)))(t)
		now := code(codeTo(t, p, to))
		err(only(p.Factors.Confirm(ctx, me, "", e.ID, code(otherThan(now)), "")))
		f := must(p.Factors.Confirm(ctx, me, "", e.ID, now, ""))(t).Factor
		sent = append(sent, f)
		ok(t, p.Factors.Rename(ctx, me, f.ID, "mine"))
	}
	err(only(p.Factors.Begin(ctx, me, "", core.FactorSMS, hide("+5511987654399x"))))
	err(only(p.Factors.Begin(ctx, me, "", core.FactorEmail, hide("not.an.address"))))
	sheet := must(p.Factors.BeginRecovery(ctx, me))(t)
	hide(sheet.Seed)
	for _, c := range sheet.Codes {
		code(c)
	}
	err(p.Factors.SaveRecovery(ctx, me, hide("AAAA-BBBB-CCCC-DDDD")))
	ok(t, p.Factors.SaveRecovery(ctx, me, sheet.Seed))

	progress := begin(t, p, here, "mara", core.StepFactor)
	hide(progress.Ticket)
	for _, wrong := range []string{code(a.wrong(p)), a.at(p.Clock.Now()), code(a.at(p.Clock.Now().Add(4 * time.Minute))), "Wrong-Secret-11-Typed"} {
		err(only(p.Portal.SignIn.Factor(ctx, here, progress.Ticket, a.ID, wrong)))
	}
	err(only(p.Portal.SignIn.Factor(ctx, here, progress.Ticket, hide("Wrong-Factor-11-Typed"), "123456")))
	err(only(p.Portal.SignIn.Recover(ctx, here, progress.Ticket, "Wrong-Secret-11-Typed")))
	for _, f := range sent {
		must(p.Portal.SignIn.SendCode(ctx, here, progress.Ticket, f.ID))(t)
		now := code(codeTo(t, p, f.Address))
		err(only(p.Portal.SignIn.Factor(ctx, here, progress.Ticket, f.ID, code(otherThan(now)))))
		done := must(p.Portal.SignIn.Factor(ctx, here, progress.Ticket, f.ID, now))(t)
		hide(done.SignedIn.Token)
		progress = begin(t, p, here, "mara", core.StepFactor)
	}
	hide(must(p.Portal.SignIn.Recover(ctx, here, progress.Ticket, sheet.Codes[0]))(t).SignedIn.Token)
	hide(must(p.Portal.SignIn.StepUpFactor(ctx, me, a.ID, code(a.next(p))))(t).Token)
	for _, f := range sent {
		ok(t, p.Factors.SetDefault(ctx, me, f.ID))
		ok(t, p.Factors.Remove(ctx, me, f.ID))
	}
	must(p.Accounts.ResetFactors(ctx, coretest.Console(), "mara"))(t)

	written := []string{log.String()}
	for _, e := range p.Trail() {
		written = append(written, string(must(json.Marshal(e))(t)))
	}
	written = append(written, said...)
	if len(written) < 50 {
		t.Errorf("only %d entries and refusals", len(written))
	}
	anyCode := regexp.MustCompile(`(?i)\b(` + strings.Join(codes, "|") + `)\b`) // as words: six digits are in every hash
	for _, w := range written {
		if found := anyCode.FindString(w); found != "" {
			t.Errorf("the code %s is in %s", found, w)
		}
		for _, s := range hidden {
			if strings.Contains(strings.ToLower(w), strings.ToLower(s)) {
				t.Errorf("%q is in %s", s, w)
			}
		}
	}
	for k, v := range p.Dump() {
		if found := anyCode.FindString(k + "\x00" + v); found != "" && !strings.HasPrefix(k, "message\x00") {
			t.Errorf("%q holds the code %s: %s", k, found, v)
		}
	}
}

// While factors are there, their secrets are in their own records and nowhere else.
func TestASecretIsKeptInOnePlace(t *testing.T) {
	db := memory.New()
	t.Cleanup(func() { _ = db.Close() })
	p := coretest.Open(t, coretest.WithStore(db))
	a := enrolApp(t, p, p.SignUp("mara"), "phone")
	signsIn(t, p, here, "mara", a)
	found := 0
	for k, v := range p.Dump() {
		if strings.Contains(v, base64.StdEncoding.EncodeToString(a.secret)) || strings.Contains(v, otp.Text(a.secret)) {
			if found++; k != "factor\x00"+a.ID {
				t.Errorf("it is in %q", k)
			}
		}
	}
	if found != 1 {
		t.Errorf("it is in %d records", found)
	}
	for what, v := range map[string]any{
		"its person's page": must(p.Factors.Mine(ctx, coretest.Local().With(must(p.Portal.SignIn.Factor(ctx, coretest.Local(),
			begin(t, p, coretest.Local(), "mara", core.StepFactor).Ticket, a.ID, a.next(p)))(t).SignedIn)))(t),
		"support's": must(p.Accounts.Show(ctx, p.Owner, "mara"))(t),
	} {
		if s := string(must(json.Marshal(v))(t)) + fmt.Sprintf("%+v", v); strings.Contains(s, base64.StdEncoding.EncodeToString(a.secret)) || strings.Contains(s, otp.Text(a.secret)) {
			t.Errorf("%s shows the secret", what)
		}
	}
}

// Asking for what is not one's own is written down. ASVS 16.3.2
func TestQuestionsAboutFactorsThatAreNotAnswered(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	for op, ask := range map[core.Operation]func(core.Actor) error{
		core.OpReadAccounts: func(a core.Actor) error { return only(p.Factors.Of(ctx, a, "lin")) },
		core.OpChangePolicy: func(a core.Actor) error { return only(p.Policy.Losing(ctx, a, nil)) },
		core.OpMessages:     func(a core.Actor) error { return only(p.Messages.List(ctx, a, "", "", 1)) },
	} {
		before := len(p.Trail())
		refused(t, ask(me), core.CodeDenied, "")
		refused(t, ask(here), core.CodeDenied, "")
		if trail := p.Trail(); len(trail) != before+1 || trail[0].Action != core.ActDenied || trail[0].Target != string(op) || trail[0].Actor != me.Account {
			t.Errorf("%s: %+v", op, trail[0])
		}
	}
}

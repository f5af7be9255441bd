// What tests of second factors share: an authenticator app, whoever reads the
// codes that were sent, and sign-ins that stand at a step.

package core_test

import (
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/core/otp"
)

// here is where people sign in from who must not come from the machine itself.
var here = coretest.From("192.0.2.1")

// app is an authenticator app that holds the secret of one factor.
type app struct {
	core.Factor
	secret []byte
}

// at is what the app shows at a time.
func (a app) at(when time.Time) string { return otp.Code(a.secret, otp.Step(when)) }

// next waits for the next step and returns what the app shows then.
func (a app) next(p *coretest.Place) string {
	p.Clock.Advance(otp.Period)
	return a.at(p.Clock.Now())
}

// wrong is a code that the app shows at no time near.
func (a app) wrong(p *coretest.Place) string {
	for i := 731906; ; i++ {
		code, near := fmt.Sprint(i), false
		for d := int64(-2 * otp.ClockSteps); d <= 2*otp.ClockSteps; d++ {
			near = near || otp.Code(a.secret, otp.Step(p.Clock.Now())+d) == code
		}
		if !near {
			return code
		}
	}
}

// secretOf reads the secret as a person copies it into an app.
func secretOf(t testing.TB, e core.Enrolment) []byte {
	t.Helper()
	return must(base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(e.Secret, " ", "")))(t)
}

// enrolApp gives an account an app as a factor.
func enrolApp(t testing.TB, p *coretest.Place, actor core.Actor, label string) app {
	t.Helper()
	e := must(p.Factors.Begin(ctx, actor, "", core.FactorApp, ""))(t)
	a := app{secret: secretOf(t, e)}
	a.Factor = must(p.Factors.Confirm(ctx, actor, "", e.ID, a.at(p.Clock.Now()), label))(t).Factor
	return a
}

// enrolAddress gives an account a phone or an address as a factor.
func enrolAddress(t testing.TB, p *coretest.Place, actor core.Actor, kind core.FactorKind, address string) core.Factor {
	t.Helper()
	e := must(p.Factors.Begin(ctx, actor, "", kind, address))(t)
	return must(p.Factors.Confirm(ctx, actor, "", e.ID, codeTo(t, p, e.Address), ""))(t).Factor
}

// withMessages switches text messages and mail on as methods.
func withMessages(p *coretest.Place) {
	p.Set("factors.sms", "on", "messages.sms_allowance", "1000", "factors.email", "on")
}

// outbox returns the messages to an address that wait, newest first.
func outbox(t testing.TB, p *coretest.Place, to string) (found []core.Message) {
	t.Helper()
	page := must(p.Messages.List(ctx, coretest.Console(), "", "", core.MaxPage))(t)
	for _, m := range page.Messages {
		if m.To == to && m.State == core.MessageQueued {
			found = append(found, m)
		}
	}
	return found
}

// codeTo reads the newest code that was sent to an address.
func codeTo(t testing.TB, p *coretest.Place, to string) string {
	t.Helper()
	for _, m := range outbox(t, p, to) {
		if code := must(p.Messages.Read(ctx, coretest.Console(), m.ID))(t).Body; code != "" {
			return code
		}
	}
	t.Fatalf("no code was sent to %s", to)
	return ""
}

// otherThan is a code of six digits that is not this one.
func otherThan(code string) string {
	if code[0] == '0' {
		return "1" + code[1:]
	}
	return "0" + code[1:]
}

// begin signs in with the password, and shows that the sign-in stands at a step.
func begin(t testing.TB, p *coretest.Place, from core.Actor, name string, step core.Step) core.Progress {
	t.Helper()
	progress := must(p.Portal.SignIn.Password(ctx, from, name, coretest.Password))(t)
	stands(t, progress, step)
	return progress
}

// stands fails the test unless a sign-in stands at a step: with a ticket and no
// session before the last, and the other way round at its end.
func stands(t testing.TB, progress core.Progress, step core.Step) {
	t.Helper()
	done := step == core.StepDone
	if progress.Step != step || (progress.Ticket == "") != done || (progress.SignedIn.Session != "") != done || (progress.SignedIn.Token != "") != done {
		t.Fatalf("the sign-in stands at %+v, want %s", progress, step)
	}
}

// tries proves a factor at a new sign-in with a code, and returns what is said.
func tries(t testing.TB, p *coretest.Place, from core.Actor, name, factor, code string) error {
	t.Helper()
	progress := begin(t, p, from, name, core.StepFactor)
	_, err := p.Portal.SignIn.Factor(ctx, from, progress.Ticket, factor, code)
	return err
}

// signsIn signs in with an app.
func signsIn(t testing.TB, p *coretest.Place, from core.Actor, name string, a app) core.Actor {
	t.Helper()
	progress := begin(t, p, from, name, core.StepFactor)
	progress = must(p.Portal.SignIn.Factor(ctx, from, progress.Ticket, a.ID, a.next(p)))(t)
	stands(t, progress, core.StepDone)
	return from.With(progress.SignedIn)
}

// details returns the refusal with all that it says.
func details(t testing.TB, err error) core.Error {
	t.Helper()
	var e *core.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a refusal", err)
	}
	return *e
}

// says fails the test unless a refusal is this one, to the last word.
func says(t testing.TB, err error, want core.Error) {
	t.Helper()
	if got := details(t, err); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

// kinds names ways in their order, those that are blocked with the reason.
func kinds(ways []core.Way) string {
	var all []string
	for _, w := range ways {
		one := string(w.Kind)
		if w.Blocked != "" {
			one += "(" + string(w.Blocked) + ")"
		}
		all = append(all, one)
	}
	return strings.Join(all, " ")
}

// told returns the kinds of an account's notices, newest first.
func told(t testing.TB, p *coretest.Place, actor core.Actor) (list []core.NoticeKind) {
	t.Helper()
	for _, n := range must(p.Notices.Mine(ctx, actor, "", "", "", core.MaxPage))(t).Notices {
		list = append(list, n.Kind)
	}
	return list
}

// wasTold fails the test unless the newest notice of an account is of this kind.
func wasTold(t testing.TB, p *coretest.Place, actor core.Actor, kind core.NoticeKind) {
	t.Helper()
	if list := told(t, p, actor); !slices.Contains(list[:min(len(list), 1)], kind) {
		t.Fatalf("told %v, want %s first", list, kind)
	}
}

// records counts the records of a table.
func records(dump map[string]string, table string) (n int) {
	for k := range dump {
		if strings.HasPrefix(k, table+"\x00") {
			n++
		}
	}
	return n
}

// change changes settings from the console: path, value, path, value. accept says
// that it is known who loses the last factor.
func change(p *coretest.Place, accept bool, values ...string) error {
	m := map[string]string{}
	for i := 0; i+1 < len(values); i += 2 {
		m[values[i]] = values[i+1]
	}
	_, err := p.Policy.Set(ctx, coretest.Console(), core.PolicyChange{Values: m, Accept: accept})
	return err
}

// save gives an account a set of recovery codes.
func save(t testing.TB, p *coretest.Place, actor core.Actor) []string {
	t.Helper()
	sheet := must(p.Factors.BeginRecovery(ctx, actor))(t)
	ok(t, p.Factors.SaveRecovery(ctx, actor, sheet.Seed))
	return sheet.Codes
}

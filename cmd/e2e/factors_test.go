package e2e

import (
	"encoding/base32"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"postern/core/mail/mailtest"
	"postern/core/otp"
	"postern/core/sms"
	"postern/core/sms/smstest"
)

// app is an authenticator on somebody's phone.
type app struct {
	secret []byte
	used   int64 // the last step whose code was typed
}

// scan reads the QR code from the cells of the visitor's terminal, as a phone
// reads it from the glass.
func (v *visitor) scan() *app {
	v.t.Helper()
	v.WaitFor("Scan this with your app")
	uri, err := v.QR()
	if err != nil {
		v.t.Fatalf("the code cannot be read: %v\n%s", err, v.Text())
	}
	parsed, err := url.Parse(uri)
	if err != nil || parsed.Scheme != "otpauth" || parsed.Host != "totp" || parsed.Query().Get("issuer") != "Lanterns" {
		v.t.Fatalf("%q is no link for an app: %v", uri, err)
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(parsed.Query().Get("secret"))
	if err != nil || len(secret) != otp.SecretBytes {
		v.t.Fatalf("%q: %v", uri, err)
	}
	return &app{secret: secret}
}

// code is the next one that was not typed yet: the portal takes each once, and
// one step ahead of its clock.
func (a *app) code() string {
	for {
		for step := otp.Step(time.Now()); step <= otp.Step(time.Now())+1; step++ {
			if step > a.used {
				a.used = step
				return otp.Code(a.secret, step)
			}
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// addApp enrols an app under a label, from the list of factors.
func (v *visitor) addApp() *app {
	v.t.Helper()
	v.choose("Second factors")
	v.WaitFor("Press a to add the first")
	v.Press("a")
	v.choose("Authenticator app")
	phone := v.scan()
	v.fill("", phone.code()) // the name stays as proposed
	v.WaitFor("My phone can be used from now on")
	return phone
}

var recoveryCode = regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}`)

// six are the digits of a code that was sent.
var six = regexp.MustCompile(`\b\d{6}\b`)

// providers are a mail server and an SMS service, and the settings that name them.
func providers(t testing.TB) (*mailtest.Server, *smstest.Server, []string) {
	t.Helper()
	post, texts := mailtest.New(t, mailtest.Options{User: "portal", Password: "mail-secret-17"}), smstest.New(t, smstest.Options{})
	return post, texts, []string{
		"POSTERN_MAIL_HOST=127.0.0.1", fmt.Sprint("POSTERN_MAIL_PORT=", post.Port()), "POSTERN_MAIL_CA=" + post.CAFile(t),
		"POSTERN_MAIL_USER=portal", "POSTERN_MAIL_PASSWORD=mail-secret-17", "POSTERN_MAIL_FROM=portal@lanterns.example",
		"POSTERN_SMS_KIND=webhook", "POSTERN_SMS_URL=" + texts.URL() + "/texts", "POSTERN_SMS_TOKEN=" + smsSecret,
	}
}

const smsSecret = "a secret of more than sixteen bytes"

// The whole way of a second factor: signed up, enrolled from the drawn QR code,
// signed in with it, lost, recovered by a code, while an owner demands it of
// everybody; mail and SMS come from the real program to a real server.
func TestTheWholeWayWithASecondFactor(t *testing.T) {
	t.Parallel()
	post, texts, settings := providers(t)
	data := filepath.Join(t.TempDir(), "portal")
	s := serve(t, data, settings...)
	owner := setUp(t, s)
	mustVerb(t, data, "policy", "set", "sign_up.mode=open", "messages.sms_allowance=50", "factors.sms=on", "factors.email=on")

	ada := visit(t, s.addr, nil, 80, 24)
	ada.signUp("ada", "Ada Byron", userPassword)
	phone := ada.addApp()

	// Recovery codes: not before they are called saved.
	ada.Press("c")
	ada.WaitFor("Show new codes")
	ada.Press("enter")
	ada.WaitFor("shown this once")
	codes := recoveryCode.FindAllString(ada.Text(), -1)
	if len(codes) != 10 {
		t.Fatalf("%d codes are shown:\n%s", len(codes), ada.Text())
	}
	ada.press("I saved them")
	ada.WaitFor("Your new recovery codes are in force")

	// Signed in with it from elsewhere; a code that was used is not taken twice.
	again := visit(t, s.addr, nil, 120, 40)
	again.knock("ada", userPassword)
	again.WaitFor("Your second factor", "My phone")
	code := phone.code()
	again.fill(code)
	again.WaitFor("Hello, Ada Byron")
	thief := visit(t, s.addr, nil, 80, 24)
	thief.knock("ada", userPassword)
	thief.WaitFor("Your second factor")
	thief.fill(code)
	thief.WaitFor("That code was used already")
	thief.leave()

	// The owner demands a factor of everybody, at once, while people are here.
	mustVerb(t, data, "policy", "set", "factors.enforce=everybody", "factors.days=0", "--reason", "audit finding")
	mara := visit(t, s.addr, nil, 80, 24)
	mara.apply("mara", "Mara Voss", userPassword)
	mara.arrive("lets nobody in without a second factor")
	mara.choose("Authenticator app")
	hers := mara.scan()
	mara.fill("", hers.code())
	mara.WaitFor("Hello, Mara Voss")

	// The phone is lost: a recovery code lets its owner in, once.
	lost := visit(t, s.addr, nil, 80, 24)
	lost.knock("ada", userPassword)
	lost.WaitFor("Your second factor")
	lost.press("Another way")
	lost.choose("Recovery code")
	lost.WaitFor("recovery codes that you kept")
	lost.drawn(nil)
	lost.fill(strings.ToLower(strings.ReplaceAll(codes[3], "-", " ")))
	lost.WaitFor("Hello, Ada Byron")
	second := visit(t, s.addr, nil, 80, 24)
	second.knock("ada", userPassword)
	second.WaitFor("Your second factor")
	second.press("Another way")
	second.choose("Recovery code")
	second.WaitFor("recovery codes that you kept")
	second.drawn(nil)
	second.fill(codes[3])
	second.WaitFor("That code is not right")
	second.leave()

	// Mail: the owner confirms an address by the code that came, and is told.
	owner.choose("Confirm your e-mail")
	owner.WaitFor("A code is on its way")
	letters := post.Wait(t, 1)
	if letters[0].To != "lin@example.org" {
		t.Fatalf("it went to %s", letters[0].To)
	}
	owner.fill(six.FindString(letters[0].Text))
	owner.WaitFor("Your e-mail address is confirmed")

	// SMS: the owner enrols a number, by the code that came.
	owner.choose("Second factors")
	owner.WaitFor("Press a to add the first")
	owner.Press("a")
	owner.choose("Codes by SMS")
	owner.WaitFor("Codes will come to this phone")
	owner.fill("+55 21 98765-4321")
	owner.WaitFor("A code is on its way")
	texted := texts.Wait(t, 1)[0]
	if !sms.VerifySignature(smsSecret, texted.Header.Get(sms.TimestampHeader), texted.Body, texted.Header.Get(sms.SignatureHeader)) {
		t.Error("the request is not signed")
	}
	var notice struct{ To, Text string }
	if err := json.Unmarshal([]byte(texted.Body), &notice); err != nil || notice.To != "+5521987654321" {
		t.Fatalf("%v: %s", err, texted.Body)
	}
	owner.fill(six.FindString(notice.Text))
	owner.WaitFor("can be used from now on")
	// A security notice goes to the address that was confirmed.
	told := post.Wait(t, 2)[1]
	if !strings.Contains(told.Subject, "second factor") || !strings.Contains(told.HTML, "lin") {
		t.Errorf("%+v", told)
	}
	if out := mustVerb(t, data, "message", "test", "--mail", "ops@example.org", "--wait"); !strings.Contains(out, "sent") {
		t.Errorf("a test message: %s", out)
	}

	for _, said := range []string{mustVerb(t, data, "audit", "list", "--json", "--limit", "500"), s.output()} {
		for _, secret := range append(codes, code, notice.Text, "mail-secret-17", smsSecret,
			base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(phone.secret), "+5521987654321") {
			if strings.Contains(said, secret) {
				t.Errorf("%q stands in the trail or in the log", secret)
			}
		}
	}
	s.kill()
	mustVerb(t, data, "check")
}

// press moves to a button and presses it.
func (v *visitor) press(button string) {
	v.t.Helper()
	v.WaitFor(button)
	for range 12 {
		before := v.drawn(nil)
		switch at := strings.Index(before, "▸[ "); {
		case strings.Contains(before, "▸[ "+button+" ]"):
			v.Press("enter")
			return
		case at < 0:
			v.Press("tab")
		case at < strings.Index(before, "[ "+button+" ]"):
			v.Press("right")
		default:
			v.Press("left")
		}
		v.drawn(&before)
	}
	v.t.Fatalf("no button %q:\n%s", button, v.Text())
}

// A process that dies between the secret and its confirmation leaves no half
// factor: the person signs in with the password, and begins anew.
func TestKilledBetweenSecretAndConfirmation(t *testing.T) {
	t.Parallel()
	rounds := 2
	if long() {
		rounds = 25
	}
	data := filepath.Join(t.TempDir(), "portal")
	s := serve(t, data)
	setUp(t, s).leave()
	mustVerb(t, data, "policy", "set", "sign_up.mode=open", "captcha.sign_up=off", "lockout.address_failures=10000")
	for round := range rounds {
		name := fmt.Sprint("user", round)
		v := visit(t, s.addr, nil, 80, 24)
		v.signUp(name, "User", userPassword)
		v.choose("Second factors")
		v.WaitFor("Press a to add the first")
		v.Press("a")
		v.choose("Authenticator app")
		phone := v.scan()
		confirmed := round%2 == 1
		if confirmed { // acknowledged: then it is whole
			v.fill("", phone.code())
			v.WaitFor("can be used from now on")
		}
		s.kill()
		s = serve(t, data)
		back := visit(t, s.addr, nil, 80, 24)
		back.knock(name, userPassword)
		if confirmed {
			back.WaitFor("Your second factor")
			back.fill(phone.code())
		}
		back.WaitFor("Hello, User")
		back.leave()
		out := mustVerb(t, data, "factor", "list", name, "--json")
		if has := strings.Contains(out, `"app"`); has != confirmed {
			t.Errorf("round %d: %s", round, out)
		}
	}
	mustVerb(t, data, "check")
}

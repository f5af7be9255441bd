package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"postern/core/mail"
	"postern/core/mail/mailtest"
	"postern/core/sms"
	"postern/core/sms/smstest"
	"postern/tui"
)

// hush is a password in these tests: nothing that is said may hold it.
const hush = "hunter2hunter2hunter2"

// configured reads settings from a file and an environment, and makes senders of them.
func configured(t *testing.T, file string, env ...string) (*mail.Sender, sms.Sender, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "postern.toml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.String("config", path, "")
	s, err := (&process{env: env}).settings(flags)
	if err != nil {
		return nil, nil, err
	}
	letters, texts, err := s.transports()
	if letters != nil {
		t.Cleanup(func() { _ = letters.Close() })
	}
	return letters, texts, err
}

// inWords is a failure in every language; the English comes first.
func inWords(t *testing.T, err error) []string {
	t.Helper()
	catalog, loadErr := tui.LoadCatalog()
	if loadErr != nil {
		t.Fatal(loadErr)
	}
	catalog.Strict = true
	var out []string
	for _, lang := range []string{"en", "pt-BR", "es"} {
		shape, code := explain(err, catalog.Dict(lang))
		if code != exitRefused || strings.ContainsAny(shape.Message, "⟦{}") || strings.Contains(shape.Message, "no value") {
			t.Errorf("%s: exit %d, %q", lang, code, shape.Message)
		}
		out = append(out, shape.Message)
	}
	return out
}

func TestMailAndTextMessagesAreOptional(t *testing.T) {
	letters, texts, err := configured(t, "", "POSTERN_MAIL_HOST=", "POSTERN_SMS_SERVICE_HOST=10.0.0.1", "POSTERN_MAIL_PORT=tcp://10.0.0.1:25")
	if letters != nil || texts != nil || err != nil {
		t.Errorf("%v, %v, %v", letters, texts, err)
	}
}

func TestMailGoesByTheSettings(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{User: "portal", Password: hush})
	file := fmt.Sprintf("[mail]\nhost = %q\nport = %d\nca = %q\nuser = \"portal\"\nfrom = \"nobody@lab.example\"\nfrom_name = \"Lab\"\n",
		server.Host(), server.Port(), server.CAFile(t))
	letters, texts, err := configured(t, file, "POSTERN_MAIL_PASSWORD="+hush, "POSTERN_MAIL_FROM=portal@lab.example")
	if err != nil || texts != nil {
		t.Fatal(texts, err)
	}
	r := letters.Send(context.Background(), []mail.Message{{ID: "a", To: "ada@example.org", Subject: "Hello", Text: "Ada"}})
	if r[0].Err != nil {
		t.Fatal(r[0].Err)
	}
	if m := server.Messages()[0]; m.From != "portal@lab.example" || m.Header.Get("From") != `"Lab" <portal@lab.example>` {
		t.Errorf("from %s, %s", m.From, m.Header.Get("From"))
	}
}

func TestTextMessagesGoByTheSettings(t *testing.T) {
	server := smstest.New(t, smstest.Options{})
	for kind, x := range map[string]struct {
		file string
		env  []string
	}{
		"twilio":  {"[sms]\nkind = \"twilio\"\naccount = \"AC1\"\nfrom = \"+15550100\"\nurl = \"" + server.URL() + "\"", []string{"POSTERN_SMS_TOKEN=" + hush}},
		"webhook": {"", []string{"POSTERN_SMS_KIND=webhook", "POSTERN_SMS_URL=" + server.URL() + "/hook", "POSTERN_SMS_TOKEN=" + hush}},
	} {
		letters, texts, err := configured(t, x.file, x.env...)
		if err != nil || letters != nil || texts.Name() != kind {
			t.Fatalf("%s: %v, %v, %v", kind, letters, texts, err)
		}
		if err := texts.Send(context.Background(), sms.Message{ID: "a", To: "+5511987654321", Text: "123456"}); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		texts.(interface{ Close() }).Close()
	}
	for _, r := range server.Requests() {
		if r.Form == nil && !sms.VerifySignature(hush, r.Header.Get(sms.TimestampHeader), r.Body, r.Header.Get(sms.SignatureHeader)) {
			t.Error("the webhook is not signed with the token")
		}
	}
}

// Whoever lists processes sees no password.
func TestThereIsNoFlagForHowMessagesLeave(t *testing.T) {
	for key, flag := range flagOf() {
		if section, _, _ := strings.Cut(key, "."); slices.Contains([]string{"mail", "sms", "posts"}, section) != (flag == "") {
			t.Errorf("%s has the flag %q", key, flag)
		}
	}
}

func TestReadmeKnowsEverySetting(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for key, flag := range flagOf() {
		if flag = "`--" + flag + "`"; flag == "`--`" {
			flag = "–"
		}
		if row := fmt.Sprintf("\n| %s | `%s` | `%s` |", flag, envOf(key), key); !strings.Contains(string(readme), row) {
			t.Errorf("README.md has no row %q", row)
		}
	}
}

func TestHalfAndWrongSettingsAreSaidInWords(t *testing.T) {
	const (
		letters = "[mail]\nhost = \"mail.example\"\nfrom = \"portal@lab.example\"\npassword = \"" + hush + "\"\nuser = \"u\"\n"
		twilio  = "[sms]\nkind = \"twilio\"\naccount = \"AC1\"\nfrom = \"Lab\"\ntoken = \"" + hush + "\"\n"
		hook    = "[sms]\nkind = \"webhook\"\nurl = \"https://sms.example\"\n"
	)
	for _, x := range []struct {
		file, field, rule string
		env               string
	}{
		{letters, "mail.host", "[mail]", "POSTERN_MAIL_HOST=https://" + hush},
		{letters, "mail.port", "65535", "POSTERN_MAIL_PORT=70000"},
		{letters, "mail.tls", "starttls", "POSTERN_MAIL_TLS=ssl"},
		{letters, "mail.tls", "unencrypted", "POSTERN_MAIL_TLS=none"},
		{letters, "mail.from", "portal@example.org", "POSTERN_MAIL_FROM=Lab <portal@lab.example>"},
		{letters, "mail.from_name", "character", "POSTERN_MAIL_FROM_NAME=Lab\nBcc: eve@example.org"},
		{letters, "mail.password", "character", "POSTERN_MAIL_PASSWORD=" + hush + "\n"},
		{letters, "mail.ca", "PEM", "POSTERN_MAIL_CA=/nowhere/ca.pem"},
		{"[mail]\nport = 25\n", "mail.host", "missing", ""},
		{"[mail]\nhost = \"mail.example\"\n", "mail.from", "missing", ""},
		{"[mail]\nhost = \"mail.example\"\nfrom = \"portal@lab.example\"\npassword = \"" + hush + "\"\n", "mail.user", "missing", ""},
		{"", "sms.kind", "missing", "POSTERN_SMS_TOKEN=" + hush},
		{twilio, "sms.kind", "twilio or webhook", "POSTERN_SMS_KIND=pigeon\x1b[2J"},
		{twilio, "sms.account", "character", "POSTERN_SMS_ACCOUNT=../" + hush},
		{twilio, "sms.url", "another machine", "POSTERN_SMS_URL=http://sms.example/" + hush},
		{twilio, "sms.url", "https://", "POSTERN_SMS_URL=sms.example/" + hush},
		{"[sms]\nkind = \"twilio\"\n", "sms.account", "missing", ""},
		{hook, "sms.token", "missing", ""},
		{hook, "sms.token", "at least 16", "POSTERN_SMS_TOKEN=hunter2"},
		{hook + "account = \"AC1\"\n", "sms.account", "nothing to a webhook", "POSTERN_SMS_TOKEN=" + hush},
		{hook + "from = \"Lab\"\n", "sms.from", "nothing to a webhook", "POSTERN_SMS_TOKEN=" + hush},
	} {
		rule := x.rule
		if strings.Contains(x.env, "MAIL_HOST") {
			rule = "host name"
		}
		mailer, texts, err := configured(t, x.file, x.env)
		var f *failure
		if mailer != nil || texts != nil || !errors.As(err, &f) {
			t.Errorf("%q with %q is taken: %v", x.file, x.env, err)
			continue
		}
		messages := inWords(t, err)
		if !strings.Contains(messages[0], rule) {
			t.Errorf("%q does not say %q", messages[0], rule)
		}
		for _, m := range append(messages, err.Error()) {
			if strings.Contains(m, "hunter2") || strings.Contains(m, "\x1b") {
				t.Errorf("%q holds what it must not", m)
			}
		}
		for _, m := range messages {
			if !strings.Contains(m, x.field) {
				t.Errorf("%q does not name %s", m, x.field)
			}
		}
	}
}

// ASVS 16.2.5. The weakness: whoever parses or converts a value quotes it.
func TestASecretThatIsWrittenWronglyIsNotRepeated(t *testing.T) {
	for _, value := range []string{
		hush, `"` + hush, `"` + hush + `" "`, `["` + hush + `"]`, `{ x = "` + hush + `" }`, "12" + hush, "7" + strings.Repeat("31337", 5), "313373133731337",
		"3133731337.5", "true", "1979-05-27", `"\q` + hush + `"`, "[[" + hush,
	} {
		for section, key := range map[string]string{"mail": "password", "sms": "token"} {
			_, _, err := configured(t, fmt.Sprintf("[%s]\n%s = %s\n", section, key, value))
			var f *failure
			if !errors.As(err, &f) {
				t.Errorf("%s.%s = %s: %v", section, key, value, err)
				continue
			}
			for _, m := range append(inWords(t, err), err.Error()) {
				if strings.Contains(m, "hunter2") || strings.Contains(m, "31337") {
					t.Errorf("%s = %s: %q", key, value, m)
				}
			}
		}
	}
}

func TestAKeyThatNobodyKnowsIsStillRefused(t *testing.T) {
	for _, file := range []string{"[mail]\nhsot = \"x\"\n", "mail = \"x\"\n", "[sms.token]\nx = \"y\"\n", "[mail]\npasswrod = \"" + hush + "\"\n"} {
		_, _, err := configured(t, file)
		var f *failure
		if !errors.As(err, &f) || f.code != "config_unknown" || strings.Contains(inWords(t, err)[0], "hunter2") {
			t.Errorf("%q: %v", file, err)
		}
	}
}

package screens

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"postern/core"
	"postern/core/mail"
	"postern/core/text"
	"postern/tui"
)

// kinds are all that the core writes, notices and other messages.
func kinds() []core.MessageKind {
	out := []core.MessageKind{core.MessageSignInCode, core.MessageEnrolCode, core.MessageAddressCode, core.MessageTest}
	for _, n := range core.NoticeTypes() {
		out = append(out, n.Kind)
	}
	return out
}

// isCode says whether a message holds a code.
func isCode(k core.MessageKind) bool { return strings.HasPrefix(string(k), "code_") }

// factArgs are what the core says of each kind, besides who, when and from where.
func factArgs(k core.MessageKind) map[string]string {
	switch k {
	case core.NoticeFactorAdded, core.NoticeFactorRemoved, core.NoticeFactorDisabled:
		return map[string]string{"Kind": string(core.FactorApp), "Label": "My phone"}
	case core.NoticeKeyAdded, core.NoticeKeyRemoved:
		return map[string]string{"Label": "work", "Key": testKey}
	case core.NoticeKeyTerm, core.NoticeKeyEnding, core.NoticeKeyEnded:
		return map[string]string{"Label": "work", "Key": testKey, "KeyUntil": "2026-11-29T12:00:00Z"}
	case core.NoticeRoleGiven:
		return map[string]string{"PortalRole": string(core.RoleAdmin), "RoleUntil": ""}
	case core.NoticeRoleEnded:
		return map[string]string{"PortalRole": string(core.RoleAdmin), "RoleReason": "moved on"}
	case core.NoticeAccessGiven, core.NoticeAccessEnded:
		return map[string]string{"App": "Archive", "AppRole": "reader", "AppFrom": "2026-11-30T12:00:00Z", "AppUntil": ""}
	case core.NoticeDeleteAsked:
		return map[string]string{"Process": "mail"}
	case core.NoticeDeleteApproved, core.NoticeInactive:
		return map[string]string{"Due": "2026-11-29T12:00:00Z"}
	case core.NoticeDeleteRefused:
		return map[string]string{"Reason": "the books are out"}
	case core.NoticeRequestMade, core.NoticeRequestHeld, core.NoticeRequestGone:
		return map[string]string{"Who": "mara", "Request": "01M81NF44072TK2KQGXNEVTQF0", "Process": "mail", "Why": "failed"}
	case core.NoticeScript:
		return map[string]string{"Text": "Please bring the books back."}
	case core.NoticeScriptOwner:
		return map[string]string{"Text": "mara has left", "Script": "leavers", "About": "mara"}
	case core.MessageFarewell:
		return map[string]string{"Account": "01M81NF44072TK2KQGXNEVTQF0", "Document": `{"kind":"deletion"}`, "Signature": "-----BEGIN SSH SIGNATURE-----", "Key": testKey}
	case core.NoticeRecoveryUsed:
		return map[string]string{"Left": "9"}
	case core.NoticeAllowance:
		return map[string]string{"Service": string(core.ServiceMail), "Percent": "80", "Allowance": "1000"}
	}
	return map[string]string{}
}

// wording is a message as the core asks for it.
func wording(k core.MessageKind, service core.Service, lang string) core.Wording {
	w := core.Wording{Kind: k, Service: service, Portal: "Lanterns", Language: lang, Zone: "Europe/Lisbon", Args: factArgs(k)}
	if isCode(k) {
		w.Code = "402193"
		return w
	}
	for name, v := range map[string]string{
		"Name": "Ada Lovelace", "User": "ada", "When": "2026-11-22T12:00:00Z", "Door": "ssh", "Remote": "203.0.113.9", "Client": "OpenSSH_9.9",
	} {
		w.Args[name] = v
	}
	return w
}

func words(t testing.TB) (Words, *tui.Catalog) {
	t.Helper()
	c, err := tui.LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	c.Strict = true
	return Words{c}, c
}

// unsaid are the marks of something that has no words, or of a placeholder that
// nothing was put into.
var unsaid = regexp.MustCompile(`⟦|⟧|\{\{|\}\}|<no value>|%!`)

// eachWording calls fn with every message by every service, and with every notice
// of an inbox, in every language.
func eachWording(t testing.TB, fn func(w core.Wording, name string)) {
	t.Helper()
	_, c := words(t)
	for _, l := range c.Languages() {
		for _, k := range kinds() {
			services := []core.Service{core.ServiceMail}
			if !isCode(k) && k != core.MessageTest {
				services = append(services, "")
			}
			if isCode(k) && k != core.MessageAddressCode || k == core.MessageTest {
				services = append(services, core.ServiceSMS)
			}
			for _, service := range services {
				fn(wording(k, service, l.Tag), strings.Join([]string{l.Tag, string(k), string(service)}, " "))
			}
		}
	}
}

func TestEveryMessageIsSaidInEveryLanguage(t *testing.T) {
	t.Parallel()
	w, _ := words(t)
	eachWording(t, func(m core.Wording, name string) {
		said := w.Write(m)
		if said.Body == "" || said.Body == string(m.Kind) || (said.Subject == "") != (m.Service == core.ServiceSMS) {
			t.Errorf("%s: nothing is said: %+v", name, said)
		}
		if unsaid.MatchString(said.Subject + said.Body) {
			t.Errorf("%s: something is missing: %+v", name, said)
		}
		if strings.Contains(said.Subject, "\n") || utf8.RuneCountInString(said.Subject) > 70 {
			t.Errorf("%s: no subject: %q", name, said.Subject)
		}
		if m.Code != "" && strings.Count(said.Body, m.Code) != 1 {
			t.Errorf("%s: the code does not stand there once: %q", name, said.Body)
		}
		if m.Code != "" && strings.Contains(said.Subject, m.Code) {
			t.Errorf("%s: the code is in the subject, which lock screens show: %q", name, said.Subject)
		}
		if m.Service == core.ServiceMail && !strings.Contains(said.Body, m.Portal) {
			t.Errorf("%s: it does not say who writes: %q", name, said.Body)
		}
		if !isCode(m.Kind) && m.Kind != core.MessageTest && ownAct(m.Kind) &&
			!(strings.Contains(said.Body, "203.0.113.9") && strings.Contains(said.Body, "OpenSSH_9.9") && strings.Contains(said.Body, "12:00")) {
			t.Errorf("%s: it does not say when and from where: %q", name, said.Body)
		}
	})
}

// Of what somebody else did over the net no address is said, and not that it was done
// at the machine itself.
func TestWhereOthersHaveActedFromIsNotSaid(t *testing.T) {
	t.Parallel()
	w, c := words(t)
	for _, l := range c.Languages() {
		for door, others := range map[core.Door]bool{core.DoorSSH: true, core.DoorVerb: true, core.DoorConsole: false, core.DoorLocal: false} {
			m := wording(core.NoticeKeyTerm, core.ServiceMail, l.Tag)
			m.Args["Door"], m.Args["Remote"], m.Args["Client"] = string(door), "", ""
			said, here := w.Write(m).Body, c.Dict(l.Tag).T("message.where_here")
			if strings.Contains(said, here) == others || unsaid.MatchString(said) {
				t.Errorf("%s, %s: %q", l.Tag, door, said)
			}
		}
	}
}

// Languages say different things, so that none was forgotten to be translated.
func TestMessagesAreTranslated(t *testing.T) {
	t.Parallel()
	w, c := words(t)
	for _, k := range kinds() {
		seen := map[string]string{}
		for _, l := range c.Languages() {
			said := w.Write(wording(k, core.ServiceMail, l.Tag))
			if other := seen[said.Subject]; other != "" {
				t.Errorf("%s: %s and %s have one subject: %q", k, l.Tag, other, said.Subject)
			}
			seen[said.Subject] = l.Tag
		}
	}
}

// foreignArgs are what somebody may have typed to do harm.
func foreignArgs() []string {
	return []string{
		"\x1b]0;gotcha\a", "\x1b[2J\x1b[31mred", "\u202egnp.exe", "a\u200bb", "one\r\nBcc: x@example.org", "\x9b1m", "\u2028line",
		"{{.Code}}", "{{", "<script>alert(1)</script>", "&amp;", "=1+1", "\x00", "e\u0301\u0301\u0301\u0301\u0301\u0301",
	}
}

// ASVS 1.1.2: whatever comes from outside is harmless where it is read, as mail
// and as a line of a terminal.
func TestForeignArgsOfMessagesAreEscaped(t *testing.T) {
	t.Parallel()
	w, _ := words(t)
	eachWording(t, func(m core.Wording, name string) {
		for _, evil := range foreignArgs() {
			m := m
			m.Portal = evil
			args := map[string]string{}
			for k := range m.Args {
				args[k] = evil
			}
			m.Args = args
			said := w.Write(m)
			for line := range strings.SplitSeq(said.Subject+"\n"+said.Body, "\n") {
				if text.Escape(line) != line {
					t.Errorf("%s: %q is said as %q", name, evil, line)
				}
			}
			if strings.Contains(said.Subject, "\n") {
				t.Errorf("%s: %q makes the subject %q", name, evil, said.Subject)
			}
			if strings.Contains(said.Subject+said.Body, "\nBcc") {
				t.Errorf("%s: %q begins a line", name, evil)
			}
			wellFormed(t, name, mail.HTML(said.Subject, said.Body, m.Language))
		}
	})
}

// wellFormed fails unless document is, and has only elements that do nothing.
func wellFormed(t testing.TB, name, document string) {
	t.Helper()
	plain := []string{"html", "head", "meta", "title", "body", "p", "br"}
	d := xml.NewDecoder(strings.NewReader(document))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("%s: %v in\n%s", name, err, document)
			return
		}
		if e, ok := token.(xml.StartElement); ok && !slices.Contains(plain, e.Name.Local) {
			t.Errorf("%s: an element %s in\n%s", name, e.Name.Local, document)
		}
	}
}

func TestTheHTMLOfAMessageSaysTheSame(t *testing.T) {
	t.Parallel()
	w, _ := words(t)
	eachWording(t, func(m core.Wording, name string) {
		if m.Service != core.ServiceMail {
			return
		}
		said := w.Write(m)
		document := mail.HTML(said.Subject, said.Body, m.Language)
		wellFormed(t, name, document)
		if !strings.Contains(document, `lang="`+m.Language+`"`) || m.Code != "" && strings.Count(document, m.Code) != 1 {
			t.Errorf("%s:\n%s", name, document)
		}
	})
}

// A text message is one, or few: up to 160 characters for usual names.
func TestTextMessagesAreShort(t *testing.T) {
	t.Parallel()
	w, _ := words(t)
	for _, portal := range []string{"Lanterns", "Municipal Library of Évora"} {
		eachWording(t, func(m core.Wording, name string) {
			if m.Service != core.ServiceSMS {
				return
			}
			m.Portal = portal
			if said := w.Write(m); utf8.RuneCountInString(said.Body) > 160 || strings.Contains(said.Body, "\n") {
				t.Errorf("%s: %d characters: %q", name, utf8.RuneCountInString(said.Body), said.Body)
			}
		})
	}
}

func TestMessagesAreInTheZoneOfTheirReader(t *testing.T) {
	t.Parallel()
	w, _ := words(t)
	for zone, want := range map[string]string{
		"Asia/Tokyo": "21:00 JST", "": "12:00 UTC", "Nowhere/Town": "12:00 UTC", "Local": "12:00 UTC", "../../etc/passwd": "12:00 UTC",
	} {
		m := wording(core.NoticePasswordChanged, core.ServiceMail, "en")
		m.Zone = zone
		if said := w.Write(m); !strings.Contains(said.Body, "22 Nov 2026, "+want) {
			t.Errorf("%q: %q", zone, said.Body)
		}
	}
	m := wording(core.NoticePasswordChanged, core.ServiceMail, "xx-nonsense")
	if said := w.Write(m); said.Subject != "Your password was changed" {
		t.Errorf("an unknown language says %q", said.Subject)
	}
}

// A kind that this version has no words for names the portal and nothing foreign.
func TestAMessageWithoutWordsIsStillHarmless(t *testing.T) {
	t.Parallel()
	w, _ := words(t)
	said := w.Write(core.Wording{Kind: "future\x1b[2J", Portal: "Lan\x1bterns", Language: "en"})
	if said.Subject != "Lan␛terns" || said.Body != "future␛[2J" {
		t.Errorf("%+v", said)
	}
}

// Messages and notices in words: what the core puts into the outbox and into
// inboxes is said here, by the dictionary, in its reader's language.

package screens

import (
	"strings"
	"time"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// Words writes messages in the languages of a catalog.
type Words struct{ Catalog *tui.Catalog }

var _ core.Writer = Words{}

// Write says a message or a notice. Whatever comes from outside is escaped.
func (w Words) Write(m core.Wording) core.Text {
	d := w.Catalog.Dict(m.Language)
	if zone, err := time.LoadLocation(m.Zone); err == nil && m.Zone != "" && m.Zone != "Local" {
		d = d.In(zone)
	}
	key := "message." + string(m.Kind)
	if !d.Has(key + ".subject") {
		return core.Text{Subject: text.Escape(m.Portal), Body: text.Escape(string(m.Kind))}
	}
	args := wordArgs(d, m)
	if m.Service == core.ServiceSMS {
		return core.Text{Body: d.T("message.sms."+string(m.Kind), args...)}
	}
	said := core.Text{Subject: d.T(key+".subject", args...)}
	parts := []string{d.T(key+".text", args...)}
	switch {
	case m.Code != "":
		parts = append(parts, m.Code, d.T("message.code_holds", args...), d.T("message.not_you_code"))
	case m.Args["When"] != "" && ownAct(m.Kind):
		parts = append(parts, d.T("message.when_where", args...), d.T("message.not_you", args...))
	}
	if m.Kind == core.MessageFarewell { // as it was signed, line by line
		parts = append(parts, strings.TrimSpace(m.Args["Document"]), strings.TrimSpace(m.Args["Signature"]), m.Args["Key"])
	}
	if m.Service == core.ServiceMail {
		if m.Args["Name"] != "" {
			parts = append([]string{d.T("message.hello", args...)}, parts...)
		}
		parts = append(parts, d.T("message.footer", args...))
	}
	said.Body = strings.Join(parts, "\n\n")
	return said
}

// ownAct says whether a notice is of something that its reader has done, or else
// somebody in their place: then it says from where, and what to do about it.
func ownAct(k core.NoticeKind) bool {
	switch k {
	case core.NoticeAllowance, core.NoticeRoleGiven, core.NoticeRoleEnded, core.NoticeAccessGiven, core.NoticeAccessEnded,
		core.NoticeDeleteApproved, core.NoticeDeleteRefused, core.NoticeInactive, core.NoticeDeleteHeld, core.NoticeScript, core.NoticeScriptOwner,
		core.NoticeRequestMade, core.NoticeRequestHeld, core.NoticeRequestGone, core.MessageFarewell,
		core.NoticeKeyEnding, core.NoticeKeyEnded:
		return false
	}
	return true
}

// untilWords says until when a role is held.
func untilWords(d *tui.Dict, until string) string {
	at, err := time.Parse(time.RFC3339, until)
	if err != nil {
		return d.T("message.role_words.for_good")
	}
	return d.T("message.role_words.until", "When", d.DateTime(at))
}

// keyWords are what a message says of the end of a key: the moment, and a sentence
// that follows others, "" where nothing is said of an end.
func keyWords(d *tui.Dict, args map[string]string) []any {
	until, said := args["KeyUntil"]
	if at, err := time.Parse(time.RFC3339, until); err == nil {
		when := d.DateTime(at)
		return []any{"KeyUntil", when, "KeyTerm", d.T("message.key_words.until", "When", when)}
	}
	if said {
		return []any{"KeyUntil", "", "KeyTerm", d.T("message.key_words.for_good")}
	}
	return []any{"KeyTerm", ""}
}

// termWords says from when and until when an app is shared.
func termWords(d *tui.Dict, from, until string) string {
	begins, beginErr := time.Parse(time.RFC3339, from)
	ends, endErr := time.Parse(time.RFC3339, until)
	args := []any{"From", d.DateTime(begins), "Until", d.DateTime(ends)}
	switch {
	case beginErr != nil && endErr != nil:
		return d.T("message.access_words.for_good")
	case beginErr != nil:
		return d.T("message.access_words.until", args[2:]...)
	case endErr != nil:
		return d.T("message.access_words.from", args[:2]...)
	}
	return d.T("message.access_words.from_until", args...)
}

// wordArgs are the placeholders of a message. Some of what the core hands over
// are names for words: a method, a service, a time.
func wordArgs(d *tui.Dict, m core.Wording) []any {
	args := []any{"Portal", text.Escape(m.Portal), "Code", text.Escape(m.Code), "Minutes", int(core.SentCodeFor / time.Minute)}
	args = append(args, keyWords(d, m.Args)...)
	for name, v := range m.Args {
		switch name {
		case "KeyUntil":
			continue
		case "When", "Due":
			if at, err := time.Parse(time.RFC3339, v); err == nil {
				v = d.DateTime(at)
			}
		case "Why":
			if v != "" {
				args = append(args, "HeldWhy", text.Escape(d.T("request.held."+v)))
			}
		case "Kind":
			v = d.T("factor." + v)
		case "Service":
			v = d.T("service." + v)
		case "AppRole":
			if v == string(core.RoleAppOwner) {
				v = d.T("message.access_words.owner")
			}
		case "AppUntil":
			args = append(args, "AppTerm", termWords(d, m.Args["AppFrom"], v))
		case "PortalRole":
			v = d.T("role." + v)
		case "RoleUntil":
			v = untilWords(d, v)
		case "RoleReason":
			if v != "" {
				v = d.T("message.role_words.reason", "Reason", v)
			}
		}
		args = append(args, name, text.Escape(v))
	}
	where := d.T("message.where_here")
	if remote := m.Args["Remote"]; remote != "" {
		where = d.T("message.where_from", "Remote", text.Escape(remote))
	} else if door := core.Door(m.Args["Door"]); door == core.DoorSSH || door == core.DoorVerb {
		// Where somebody else has acted from is not said; these doors are not the machine's.
		where = d.T("message.where_others", "Portal", text.Escape(m.Portal))
	}
	if client := m.Args["Client"]; client != "" {
		where = d.T("message.where_with", "Where", where, "Client", text.Escape(client))
	}
	return append(args, "Where", where)
}

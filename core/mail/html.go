// The HTML form of a message, made from its text.

package mail

import (
	"html"
	"regexp"
	"strings"
)

// codeLine is a line that is only a code: groups of digits and capitals, such as
// "123456", "123 456" and "7KQM-2XRP".
var codeLine = regexp.MustCompile(`^[0-9A-Z]{2,12}(?:[ -][0-9A-Z]{2,12}){0,7}$`)

// language is a tag of BCP 47, as far as it is safe to write.
var language = regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`)

// The styles of the document. There are no colours: a reader's own, light or
// dark, are right.
const (
	pageStyle = "font-family: system-ui, sans-serif; font-size: 16px; line-height: 1.5; max-width: 36em; margin: 24px auto; padding: 0 16px;"
	codeStyle = "font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 32px; font-weight: bold; letter-spacing: 0.1em; margin: 24px 0;"
)

// HTML returns a document that says the same as text: a paragraph for each block
// between blank lines, the first line that is only a code large and monospaced.
// Everything is escaped; there are no links, no pictures, nothing from elsewhere
// and no colours. It is well-formed as XML too. lang is a tag of BCP 47 or "".
func HTML(subject, text, lang string) string {
	var b strings.Builder
	b.Grow(len(text) + 1024)
	b.WriteString("<!DOCTYPE html>\n<html")
	if language.MatchString(lang) {
		b.WriteString(` lang="` + lang + `"`)
	}
	b.WriteString(">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width\"/>\n" +
		"<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>" + escape(subject) + "</title>\n</head>\n" +
		"<body style=\"" + pageStyle + "\">\n")
	shown := false // the code
	var paragraph []string
	flush := func() {
		if len(paragraph) > 0 {
			b.WriteString("<p dir=\"auto\">" + strings.Join(paragraph, "<br/>\n") + "</p>\n")
			paragraph = nil
		}
	}
	for line := range strings.Lines(strings.ReplaceAll(text, "\r\n", "\n")) {
		switch line = strings.TrimSpace(line); {
		case line == "":
			flush()
		case !shown && isCode(line):
			flush()
			shown = true
			b.WriteString("<p dir=\"ltr\" style=\"" + codeStyle + "\">" + escape(line) + "</p>\n")
		default:
			paragraph = append(paragraph, escape(line))
		}
	}
	flush()
	b.WriteString("</body>\n</html>\n")
	return b.String()
}

// isCode tells a code from a short line in capitals: it has a digit, or is
// written in groups of one length joined by dashes.
func isCode(line string) bool {
	if len(line) < 4 || !codeLine.MatchString(line) {
		return false
	}
	if strings.ContainsAny(line, "0123456789") {
		return true
	}
	groups := strings.Split(line, "-")
	for _, g := range groups {
		if len(g) != len(groups[0]) || strings.Contains(g, " ") {
			return false
		}
	}
	return len(groups) > 1
}

// escape makes a foreign string text and nothing else. Characters that XML does
// not have are shown as U+FFFD, as encoding/xml does.
func escape(s string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if r == '\t' || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 {
			return r
		}
		return '\ufffd'
	}, s))
}

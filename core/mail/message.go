// From a Message to what is sent: checked first, then written by go-mail.

package mail

import (
	"regexp"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// identifier is what a Message-ID may begin with, for any receiver to keep.
var identifier = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

const maxIdentifier = 128

// autoSubmitted marks what no person has written, so that no machine answers it
// (RFC 3834 §5).
const autoSubmitted mail.Header = "Auto-Submitted"

// compose checks a message and makes it ready to be written. Nothing that ends
// a line or steers comes near a header or a command (ASVS 1.3.11); whatever
// fails here would fail at every try, so its error is permanent.
func (s *Sender) compose(m Message) (*mail.Msg, error) {
	switch {
	case !address(m.To):
		return nil, unwritable(codeAddress, "")
	case len(m.ID) > maxIdentifier || !identifier.MatchString(m.ID):
		return nil, unwritable(codeInternal, "its id cannot be part of a Message-ID")
	case !oneLine(m.Subject):
		return nil, unwritable(codeInternal, "its subject is not one line of text")
	case m.Text == "":
		return nil, unwritable(codeInternal, "it has no text")
	}
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&s.from)
	if err := msg.To(m.To); err != nil {
		return nil, unwritable(codeAddress, "")
	}
	msg.Subject(m.Subject)
	msg.SetMessageIDWithValue(m.ID + s.from.Address[strings.LastIndexByte(s.from.Address, '@'):])
	date := m.Date
	if date.IsZero() {
		date = time.Now()
	}
	msg.SetDateWithValue(date)
	msg.SetGenHeader(autoSubmitted, "auto-generated")
	msg.SetBodyString(mail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	}
	return msg, nil
}

package mailtest

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
)

// Message is a message as a reader would see it. Header is as it was sent.
type Message struct {
	From, To string // of the envelope
	Subject  string
	Text     string // without the line break at its end
	HTML     string
	Header   mail.Header
	Raw      string
	Err      error // why it could not be read
}

// envelope is a message as it came.
type envelope struct {
	from string
	to   []string
	data []byte
}

// parse reads a message (RFC 5322, RFC 2045 to 2047).
func (e envelope) parse() (m Message) {
	m = Message{From: e.from, To: strings.Join(e.to, ", "), Raw: string(e.data)}
	read, err := mail.ReadMessage(bytes.NewReader(e.data))
	if err != nil {
		m.Err = err
		return m
	}
	m.Header = read.Header
	if m.Subject, m.Err = new(mime.WordDecoder).DecodeHeader(read.Header.Get("Subject")); m.Err != nil {
		return m
	}
	m.Err = m.part(read.Header.Get("Content-Type"), read.Header.Get("Content-Transfer-Encoding"), read.Body)
	return m
}

// part reads a part of a message, and what is in it.
func (m *Message) part(contentType, encoding string, body io.Reader) error {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return err
	}
	if strings.HasPrefix(kind, "multipart/") {
		parts := multipart.NewReader(body, params["boundary"])
		for {
			p, err := parts.NextRawPart()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if err := m.part(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p); err != nil {
				return err
			}
		}
	}
	if strings.EqualFold(encoding, "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	said := strings.TrimSuffix(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
	switch kind {
	case "text/plain":
		m.Text = said
	case "text/html":
		m.HTML = said
	}
	return nil
}

package mail_test

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"postern/core/mail"
)

// wellFormed reads a document as XML, and returns its words and its elements.
func wellFormed(t testing.TB, doc string) (words string, elements []xml.StartElement) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(doc))
	var b strings.Builder
	for {
		token, err := d.Token()
		if err == io.EOF {
			return b.String(), elements
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, doc)
		}
		switch x := token.(type) {
		case xml.StartElement:
			elements = append(elements, x.Copy())
		case xml.CharData:
			b.Write(x)
		}
	}
}

func TestTheHTMLSaysWhatTheTextSays(t *testing.T) {
	doc := mail.HTML("Your code", "Hello Ada,\r\nhere is it:\r\n\r\n123 456\r\n\r\n\r\nIt holds for 10 minutes.\n654321\n", "en")
	words, elements := wellFormed(t, doc)
	for _, w := range []string{"Your code", "Hello Ada,", "here is it:", "123 456", "It holds for 10 minutes.", "654321"} {
		if !strings.Contains(words, w) {
			t.Errorf("%q is lost in\n%s", w, doc)
		}
	}
	paragraphs, large := 0, 0
	for _, e := range elements {
		if e.Name.Local == "p" {
			paragraphs++
			for _, a := range e.Attr {
				if strings.Contains(a.Value, "monospace") {
					large++
				}
			}
		}
	}
	if paragraphs != 3 || large != 1 || !strings.Contains(doc, `<html lang="en">`) {
		t.Errorf("%d paragraphs, %d codes in\n%s", paragraphs, large, doc)
	}
	for _, never := range []string{"http", "src=", "href=", "url(", "<style", "<script", "background", " color:", "@import"} {
		if strings.Contains(doc, never) {
			t.Errorf("%q is in it", never)
		}
	}
}

func TestWhatIsACode(t *testing.T) {
	for line, want := range map[string]bool{
		"123456": true, "123 456": true, "7KQM-2XRP": true, "KQMZ-AXRP": true, "7KQM-2XRP-AAAA-BBBB": true, "  123456  ": true,
		"HELLO WORLD": false, "OK": false, "12": false, "Your code: 123456": false, "CODE": false, "WARM-UP": false, "": false, "123456.": false,
	} {
		if got := strings.Contains(mail.HTML("", line, ""), "monospace"); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func TestNothingInTheTextIsMarkup(t *testing.T) { // ASVS 1.2.1
	evil := `</p><script src="//evil.example"></script>&amp;<img onerror='x'>` + "\x00\x1b\xff\ufffe"
	doc := mail.HTML(evil+"</title>", evil, `en"><script>`)
	_, elements := wellFormed(t, doc)
	for _, e := range elements {
		switch e.Name.Local {
		case "html", "head", "meta", "title", "body", "p":
		default:
			t.Errorf("there is a %s", e.Name.Local)
		}
	}
}

func FuzzHTML(f *testing.F) {
	f.Add("Your code", "Hello\n\n123456\n\nBye", "en")
	f.Add("<", "&\x00\r\n\u2028]]>", "pt-BR")
	f.Fuzz(func(t *testing.T, subject, text, lang string) {
		wellFormed(t, mail.HTML(subject, text, lang))
	})
}

// ASVS 14.2.6.
func TestAMaskedAddressShowsNoMoreThanItsOwnerNeeds(t *testing.T) {
	for s, want := range map[string]string{
		"ada@example.org": "a•••@example.org", "a@b": "a•••@b", "": "•••", "ada": "•••", "@example.org": "•••", "ada\x1b@example.org": "•••",
		"Ada <ada@example.org>": "•••",
	} {
		if got := mail.Mask(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

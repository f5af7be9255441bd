package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// readAll reads lines until the input ends.
func readAll(t interface{ Context() context.Context }, in string, raw bool, secret bool) (lines []typed, echo string) {
	var out bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l := newLineReader(ctx, strings.NewReader(in), &out, raw)
	for {
		l.ask(secret)
		line := <-l.lines
		if line.err != nil && !errors.Is(line.err, errLineTooLong) && !errors.Is(line.err, errLineControl) {
			return append(lines, line), out.String()
		}
		lines = append(lines, line)
	}
}

func TestLinesAreReadWhateverEndsThem(t *testing.T) {
	long := strings.Repeat("é", MaxPaste/2)
	for name, c := range map[string]struct {
		in     string
		raw    bool
		want   []string // "" with an error: the error's text
		echoed string
	}{
		"a pipe":                     {"ada\nlin\r\n", false, []string{"ada", "lin"}, ""},
		"a pipe that ends midway":    {"ada\nli", false, []string{"ada", "li"}, ""},
		"an empty line":              {"\n\r\n", false, []string{"", ""}, ""},
		"the longest line":           {long + "\nada\n", false, []string{long, "ada"}, ""},
		"a line too long":            {long + "x\nada\n", false, []string{errLineTooLong.Error(), "ada"}, ""},
		"a tab":                      {"a\tb\nada\n", false, []string{errLineControl.Error(), "ada"}, ""},
		"C1 controls":                {"a\u009bb\n", false, []string{errLineControl.Error()}, ""},
		"what is not UTF-8":          {"a\xffb\n", false, []string{errLineControl.Error()}, ""},
		"keys":                       {"ada\r\nlin\rbo\n", true, []string{"ada", "lin", "bo"}, "ada\nlin\nbo\n"},
		"keys: backspace":            {"adx\x7fa\b\b\b\b\bada\r", true, []string{"ada"}, "adx\b \ba\b \b\b \b\b \bada\n"},
		"keys: a wide character":     {"世\x7fa\r", true, []string{"a"}, "世\b \b\b \ba\n"},
		"keys: the whole line":       {"wrong\x15ada\r", true, []string{"ada"}, "wrong" + strings.Repeat("\b \b", 5) + "ada\n"},
		"keys: an arrow":             {"a\x1b[Ab\rada\r", true, []string{errLineControl.Error(), "ada"}, "a[Ab\nada\n"},
		"keys: direction marks":      {"a\u202eb\r", true, []string{"a\u202eb"}, "a?b\n"},
		"keys: the longest line":     {long + "x\rada\r", true, []string{errLineTooLong.Error(), "ada"}, long + "\nada\n"},
		"keys: ctrl+c":               {"ada\x03lin\r", true, []string{errInterrupted.Error()}, "ada"},
		"keys: ctrl+d":               {"ada\r\x04", true, []string{"ada", errInterrupted.Error()}, "ada\n"},
		"keys: ctrl+d within a line": {"a\x04da\r", true, []string{errLineControl.Error()}, "ada\n"},
		"keys: half a character":     {"a\xe4\r", true, []string{errLineControl.Error()}, "a\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, echo := readAll(t, c.in, c.raw, false)
			for i, want := range c.want {
				text := got[i].text
				if got[i].err != nil {
					text = got[i].err.Error()
				}
				if text != want {
					t.Errorf("line %d is %.40q, not %.40q", i, text, want)
				}
			}
			if last := got[len(got)-1].err; !errors.Is(last, io.EOF) && !errors.Is(last, errInterrupted) {
				t.Errorf("the end is %v", last)
			}
			if echo != c.echoed {
				t.Errorf("echoed %.60q, not %.60q", echo, c.echoed)
			}
		})
	}
}

// ASVS 6.2.6: nothing of a secret is shown, not even that something is typed.
func TestASecretIsNotEchoed(t *testing.T) {
	got, echo := readAll(t, "violet trxam\x7f\x7f\x7fam hums\r", true, true)
	if got[0].text != "violet tram hums" || echo != "\n" {
		t.Errorf("%+v, %q", got[0], echo)
	}
}

// Whatever comes in, a line that is used has no control characters and bounds,
// and the echo nothing that a terminal would obey but backspaces and line ends.
func TestNoBytesGetThroughTheLineReader(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := string(rapid.SliceOfN(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte("\r\n\x03\x04\x1b[\x7f\x15é"))), 0, 200).Draw(rt, "in"))
		raw := rapid.Bool().Draw(rt, "raw")
		lines, echo := readAll(t, in, raw, rapid.Bool().Draw(rt, "secret"))
		for _, l := range lines {
			if strings.ContainsFunc(l.text, unicode.IsControl) || !utf8.ValidString(l.text) || len(l.text) > MaxPaste {
				rt.Fatalf("got through: %q", l.text)
			}
		}
		if rest := strings.NewReplacer("\b \b", "", "\n", "").Replace(echo); strings.ContainsFunc(rest, unicode.IsControl) {
			rt.Fatalf("echoed: %q", echo)
		}
	})
}

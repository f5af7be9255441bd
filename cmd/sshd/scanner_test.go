package sshd

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"pgregory.net/rapid"
)

var start = time.Unix(1_700_000_000, 0)

// scan returns the tokens of input that comes in the given pieces, all at once.
func scan(burst int, pieces ...string) (tokens []token) {
	s := newScanner(burst, 0, start, func(t token) {
		tokens = append(tokens, token{t.kind, bytes.Clone(t.data)})
	})
	for _, piece := range pieces {
		s.write([]byte(piece), start)
	}
	if s.wait() > 0 {
		s.expire()
	}
	return tokens
}

func describe(tokens []token) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString([]string{"text", "control", "sequence", "paste"}[t.kind] + "(" + string(t.data) + ")")
	}
	return b.String()
}

func TestTokens(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"text", "héllo €", "text(héllo €)"},
		{"control", "a\rb\x7f", "text(a)control(\r)text(b)control(\x7f)"},
		{"arrow", "\x1b[A", "sequence(\x1b[A)"},
		{"function key", "\x1bOP\x1b[15;2~", "sequence(\x1bOP)sequence(\x1b[15;2~)"},
		{"console key", "\x1b[[Ax", "sequence(\x1b[[A)text(x)"},
		{"alt", "\x1bx\x1bé", "sequence(\x1bx)sequence(\x1bé)"},
		{"alt arrow", "\x1b\x1b[A", "sequence(\x1b\x1b[A)"},
		{"escape key", "\x1b", "sequence(\x1b)"},
		{"escape pressed three times", "\x1b\x1b\x1b", "sequence(\x1b\x1b)sequence(\x1b)"},
		{"mouse", "\x1b[<0;3;4M", "sequence(\x1b[<0;3;4M)"},
		{"old mouse", "\x1b[M !!x", "sequence(\x1b[M !!)text(x)"},
		{"answer", "\x1b]11;rgb:1/2/3\x07x\x1b]11;r\x1b\\y", "sequence(\x1b]11;rgb:1/2/3\x07)text(x)sequence(\x1b]11;r\x1b\\)text(y)"},
		{"paste", "\x1b[200~a\nb\x1b[201~c", "paste(a\nb)text(c)"},
		{"empty paste", "\x1b[200~\x1b[201~", "paste()"},
		{"escape in a paste", "\x1b[200~a\x1b[31mb\x1b\x1b[201~c", "paste(a[31mb)text(c)"},
		{"paste in a paste", "\x1b[200~a\x1b[200~b\x1b[201~", "paste(a[200~b)"},
		{"paste without an end", "\x1b[200~abc", "paste(abc)"},
		{"end without a paste", "\x1b[201~x", "text(x)"},
		{"bad bytes", "a\xffb\xc0\xafc\xe2\x82d\x9b", "text(abcd)"},
		{"C1 in UTF-8", "a\u009bb", "text(ab)"},
		{"surrogate", "\xed\xa0\x80x", "text(x)"},
		{"broken sequence", "\x1b[12\rx", "control(\r)text(x)"},
		{"cancelled string", "\x1b]0;abc\x18x", "text(x)"},
		{"string broken off", "\x1b]0;abc\x1b[Bx", "sequence(\x1b[B)text(x)"},
		{"unfinished", "\x1b[12", ""},
		{"half a character", "\xe2\x82", ""},
	} {
		whole := describe(scan(1000, test.in))
		if whole != test.want {
			t.Errorf("%s: %q, want %q", test.name, whole, test.want)
		}
		var pieces []string
		for i := range len(test.in) {
			pieces = append(pieces, test.in[i:i+1])
		}
		if single := joined(scan(1000, pieces...)); single != test.want {
			t.Errorf("%s, byte by byte: %q, want %q", test.name, single, test.want)
		}
	}
}

// joined describes tokens, with text that came in pieces made one.
func joined(tokens []token) string {
	var whole []token
	for _, t := range tokens {
		if n := len(whole); n > 0 && t.kind == tokenText && whole[n-1].kind == tokenText {
			whole[n-1].data = append(whole[n-1].data, t.data...)
			continue
		}
		whole = append(whole, t)
	}
	return describe(whole)
}

// Well-formed input comes out as it went in, however the network cut it.
func TestWellFormedInputIsUnchanged(t *testing.T) {
	piece := rapid.OneOf(
		rapid.StringOf(rapid.RuneFrom(nil, unicode.L, unicode.N, unicode.P, unicode.S, unicode.Mn)),
		rapid.SampledFrom([]string{
			"\r", "\t", "\x03", "\x7f", "\x1b[A", "\x1b[1;5C", "\x1bOQ", "\x1bx", "\x1b[<35;10;20m", "\x1b[I",
			"\x1b]11;rgb:ffff/ffff/ffff\x1b\\", "\x1bP1$r0m\x1b\\", "\x1b[?2026;2$y", "\x1b[97;5u", "\x1b\x1b[B",
		}),
		rapid.Map(rapid.StringOf(rapid.RuneFrom(nil, unicode.L, unicode.Zs)), func(s string) string {
			return pasteBegin + s + "\n" + pasteEnd
		}),
	)
	rapid.Check(t, func(t *rapid.T) {
		in := strings.Join(rapid.SliceOfN(piece, 0, 20).Draw(t, "input"), "")
		var out strings.Builder
		s := newScanner(math.MaxInt32, 0, start, func(tok token) {
			if tok.kind == tokenPaste {
				out.WriteString(pasteBegin + string(tok.data) + pasteEnd)
				return
			}
			out.Write(tok.data)
		})
		for rest := in; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "cut")
			s.write([]byte(rest[:n]), start)
			rest = rest[n:]
		}
		if out.String() != in {
			t.Fatalf("in  %q\nout %q", in, out.String())
		}
	})
}

// FuzzScanner feeds anything, in any pieces, at any times: nothing grows past its
// bound, nothing comes out that did not come in, and text is text.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		"hello", "\x1b[A\x1b[200~paste\x1b[201~", "\x1b]0;" + strings.Repeat("x", 5000), "\x1b\x1b\x1b[", "\xff\xfe\x1b\xe2\x82\xac",
		"\x1b[M\x1b\x1b\x1b", "\x1b[200~\x1b[20\x1b[201~", "\x1bP\x1b\x1b\\", "\x1b[48;4000000;4000000;1;1t", "\x1b[1;2;3;4;5;6;7;8;9;0;1;2;3;4u",
	} {
		f.Add([]byte(seed), uint8(3), uint16(0))
	}
	f.Fuzz(func(t *testing.T, in []byte, cut uint8, pause uint16) {
		emitted := 0
		decoder := &input{server: &Server{log: discard()}}
		s := newScanner(math.MaxInt32, 0, start, func(tok token) {
			emitted += len(tok.data)
			switch tok.kind {
			case tokenText:
				if !utf8.Valid(tok.data) || bytes.ContainsFunc(tok.data, unicode.IsControl) {
					t.Fatalf("text %q", tok.data)
				}
			case tokenSequence:
				if tok.data[0] != esc || len(tok.data) > MaxEscape {
					t.Fatalf("sequence of %d bytes %.40q", len(tok.data), tok.data)
				}
			case tokenPaste:
				if len(tok.data) > MaxPaste || !utf8.Valid(tok.data) || bytes.ContainsRune(tok.data, esc) {
					t.Fatalf("paste of %d bytes %.40q", len(tok.data), tok.data)
				}
			}
			for _, msg := range decoder.decode(tok) {
				if size, ok := msg.(tea.WindowSizeMsg); ok {
					t.Fatalf("size %v from %q", size, tok.data)
				}
			}
		})
		now := start
		for rest := in; len(rest) > 0; {
			n := min(int(cut)+1, len(rest))
			now = now.Add(time.Duration(pause) * time.Millisecond)
			s.write(rest[:n], now)
			if len(s.held) > MaxEscape || len(s.paste) > MaxPaste || cap(s.text) > 4*len(in)+64 {
				t.Fatalf("held %d, paste %d, text %d", len(s.held), len(s.paste), cap(s.text))
			}
			rest = rest[n:]
		}
		s.expire()
		if emitted > len(in) {
			t.Fatalf("%d bytes came out of %d", emitted, len(in))
		}
		if s.state != inGround || len(s.held) > 0 {
			t.Fatalf("state %d holds %q after expire", s.state, s.held)
		}
	})
}

func TestAPasteIsCapped(t *testing.T) {
	big := strings.Repeat("é", MaxPaste)
	tokens := scan(math.MaxInt32, pasteBegin+"x"+big+pasteEnd+"ok")
	if len(tokens) != 2 || len(tokens[0].data) != MaxPaste-1 || !utf8.Valid(tokens[0].data) || string(tokens[1].data) != "ok" {
		t.Errorf("%d tokens, the first of %d bytes", len(tokens), len(tokens[0].data))
	}
}

func TestARawFloodIsCapped(t *testing.T) {
	passed := 0
	s := newScanner(1000, 100, start, func(t token) { passed += len(t.data) })
	flood := bytes.Repeat([]byte("flood\r\x1b[A"), 10_000)
	s.write(flood, start)
	if passed > 1000 || passed < 990 {
		t.Errorf("%d bytes passed at once", passed)
	}
	passed = 0
	s.write(flood, start.Add(2*time.Second))
	if passed > 210 || passed < 190 {
		t.Errorf("%d bytes passed after two seconds", passed)
	}
	passed = 0
	s.write(flood, start) // The clock went back: that earns nothing.
	if passed > 10 {
		t.Errorf("%d bytes passed when the clock went back", passed)
	}
}

// Weakness: bubbletea's reader keeps an unfinished sequence as long as bytes
// come, and reads all of it again with each.
func TestAnUnfinishedSequenceIsCut(t *testing.T) {
	for _, begin := range []string{"\x1b]", "\x1b[", "\x1bP", "\x1bO"} {
		s := newScanner(math.MaxInt32, 0, start, func(t token) { panic("nothing should come out") })
		s.write([]byte(begin), start)
		for range 64 {
			s.write(bytes.Repeat([]byte("1"), 1<<16), start)
		}
		if len(s.held) > MaxEscape || cap(s.held) > 2*MaxEscape {
			t.Errorf("%q: %d bytes are held", begin, len(s.held))
		}
		var after []token
		s.emit = func(t token) { after = append(after, token{t.kind, bytes.Clone(t.data)}) }
		s.write([]byte("\x1b\\"), start)
		s.write([]byte("A\x07"), start)
		s.expire()
		s.write([]byte("z"), start)
		if n := len(after); n == 0 || string(after[n-1].data) != "z" {
			t.Errorf("%q: typing is lost afterwards: %q", begin, describe(after))
		}
	}
}

func BenchmarkScannerFlood(b *testing.B) {
	for name, in := range map[string]string{
		"text": "hello world ", "unknown sequences": "\x1b[999x", "unfinished string": "\x1b]0;abcdefgh", "bad bytes": "\xff\xfe\xe2\x82",
		"paste": pasteBegin + strings.Repeat("paste ", 100) + pasteEnd,
	} {
		b.Run(name, func(b *testing.B) {
			block := bytes.Repeat([]byte(in), 1+4096/len(in))
			s := newScanner(math.MaxInt32, math.MaxInt32, start, func(token) {})
			b.SetBytes(int64(len(block)))
			for b.Loop() {
				s.write(block, start)
			}
		})
	}
}

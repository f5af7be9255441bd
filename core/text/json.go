package text

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON makes a JSON document harmless for a terminal without changing what it
// says: characters that are not Visible are written as \u escapes (RFC 8259 §7).
// The encoder has done so with C0 controls already; here it is DEL, C1 controls,
// bidi and zero-width characters. Such a character can stand only in a string.
func JSON(doc []byte) []byte {
	if plain(string(doc)) {
		return doc
	}
	out := make([]byte, 0, len(doc)+64)
	for i, w := 0, 0; i < len(doc); i += w {
		var r rune
		r, w = utf8.DecodeRune(doc[i:])
		if r < 0x20 || Visible(r) { // white space between values
			out = append(out, doc[i:i+w]...)
			continue
		}
		if r1, r2 := utf16.EncodeRune(r); r1 != utf8.RuneError {
			out = appendUnit(appendUnit(out, r1), r2)
		} else {
			out = appendUnit(out, r)
		}
	}
	return out
}

// appendUnit writes one UTF-16 unit as an escape.
func appendUnit(b []byte, r rune) []byte {
	hex := strconv.FormatInt(int64(r), 16)
	return append(append(b, `\u0000`[:6-len(hex)]...), hex...)
}

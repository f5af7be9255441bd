package names

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

//go:generate go run gen_confusables.go -in confusables.txt -out data/confusables.txt

// confusablesText is Unicode's table of confusable characters, reduced to what
// Fold leaves of a string. data/README.md names its source.
//
//go:embed data/confusables.txt
var confusablesText string

// confusables maps a character to what it looks like. It is read at the first
// use and not changed.
var confusables = sync.OnceValue(func() map[rune]string {
	table := make(map[rune]string, strings.Count(confusablesText, "\n"))
	for line := range strings.Lines(confusablesText) {
		from, to, ok := strings.Cut(strings.TrimSpace(line), ";")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		var b strings.Builder
		for hex := range strings.FieldsSeq(to) {
			b.WriteRune(codePoint(hex))
		}
		table[codePoint(from)] = b.String()
	}
	return table
})

// codePoint reads a code point in hexadecimal. The table is part of the program,
// so that a broken one is a broken build.
func codePoint(hex string) rune {
	n, err := strconv.ParseUint(hex, 16, 21)
	if err != nil {
		panic("names: data/confusables.txt: " + err.Error())
	}
	return rune(n)
}

// Skeleton returns what a name looks like: names with the same skeleton are
// twins, and only one of them may exist. It is the skeleton of UTS 39, section
// 4, taken of the compatibility-decomposed and case-folded string, so that case
// does not tell twins apart: "pаypal" with a Cyrillic а is "paypal", "rn" is
// "m", "0" and "O" are "o". Beyond Unicode's table, "i" is "l", since "I" is,
// and "w" is "vv".
//
// A skeleton is a key, to be compared and indexed, and never shown. It depends on
// the version of the table: keys are made anew when that changes.
func Skeleton(s string) string {
	table := confusables()
	var b strings.Builder
	for _, r := range Fold(strings.ToValidUTF8(s, "\ufffd")) {
		if to, ok := table[r]; ok {
			b.WriteString(to)
		} else {
			b.WriteRune(r)
		}
	}
	return norm.NFD.String(b.String())
}

// Fold returns s decomposed (NFKD), case-folded and without characters that are
// drawn as nothing. It is what the table of confusables is applied to.
func Fold(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
			return -1
		}
		return r
	}, s)
	// Folding can leave something to decompose, and decomposing something to fold.
	return norm.NFKD.String(cases.Fold().String(norm.NFKD.String(cases.Fold().String(norm.NFKD.String(s)))))
}

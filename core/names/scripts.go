package names

import "unicode"

// scripts are those in daily use, UTS 31's table 5 without Common and Inherited.
// Letters of others are refused in user names: hardly anyone can type or read
// them, and some, such as Lisu, look like Latin from end to end.
var scripts = []*unicode.RangeTable{
	unicode.Latin, unicode.Arabic, unicode.Armenian, unicode.Bengali, unicode.Bopomofo,
	unicode.Cyrillic, unicode.Devanagari, unicode.Ethiopic, unicode.Georgian, unicode.Greek,
	unicode.Gujarati, unicode.Gurmukhi, unicode.Han, unicode.Hangul, unicode.Hebrew,
	unicode.Hiragana, unicode.Kannada, unicode.Katakana, unicode.Khmer, unicode.Lao,
	unicode.Malayalam, unicode.Myanmar, unicode.Oriya, unicode.Sinhala, unicode.Tamil,
	unicode.Telugu, unicode.Thaana, unicode.Thai, unicode.Tibetan,
}

// together are the sets that one orthography mixes (UTS 39, 5.1). Unlike its
// level "highly restrictive", Latin is in none of them: a name is Japanese or
// Latin, not both.
var together = [][]*unicode.RangeTable{
	{unicode.Han, unicode.Hiragana, unicode.Katakana}, // Japanese
	{unicode.Han, unicode.Bopomofo},                   // Chinese
	{unicode.Han, unicode.Hangul},                     // Korean
}

// oneScript says whether the letters and marks of name are of one script, or of
// one set in together, and its decimal digits of one system. Common and
// Inherited characters, such as ASCII digits, go with every script.
func oneScript(name string) bool {
	var found []*unicode.RangeTable
	zero := rune(-1)
	for _, r := range name {
		if unicode.IsDigit(r) {
			z := zeroOf(r)
			if zero >= 0 && z != zero {
				return false
			}
			zero = z
		}
		if unicode.In(r, unicode.Common, unicode.Inherited) {
			continue
		}
		s := scriptOf(r)
		if s == nil {
			return false
		}
		if !contains(found, s) {
			found = append(found, s)
		}
	}
	if len(found) <= 1 {
		return true
	}
	for _, set := range together {
		if subset(found, set) {
			return true
		}
	}
	return false
}

func scriptOf(r rune) *unicode.RangeTable {
	for _, s := range scripts {
		if unicode.Is(s, r) {
			return s
		}
	}
	return nil
}

// zeroOf returns the zero of the decimal digit r: digits are encoded in runs of
// ten, and ranges of them begin with a zero.
func zeroOf(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if lo := rune(t.Lo); r >= lo && r <= rune(t.Hi) {
			return r - (r-lo)%10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if lo := rune(t.Lo); r >= lo && r <= rune(t.Hi) {
			return r - (r-lo)%10
		}
	}
	return r
}

func contains(list []*unicode.RangeTable, s *unicode.RangeTable) bool {
	for _, t := range list {
		if t == s {
			return true
		}
	}
	return false
}

func subset(part, whole []*unicode.RangeTable) bool {
	for _, s := range part {
		if !contains(whole, s) {
			return false
		}
	}
	return true
}

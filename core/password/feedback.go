package password

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/trustelem/zxcvbn/match"
)

// Warning is a stable identifier of what makes a password weak.
type Warning string

const (
	WarnTop10         Warning = "top10"          // one of the ten most used passwords
	WarnTop100        Warning = "top100"         // one of the hundred most used passwords
	WarnCommon        Warning = "common"         // a common password
	WarnSimilar       Warning = "similar_common" // much like a common password
	WarnPersonal      Warning = "personal"       // contains what is known about the person
	WarnWord          Warning = "word"           // a word by itself
	WarnName          Warning = "name"           // a name by itself
	WarnCommonName    Warning = "common_name"    // built around a common name
	WarnRepeatedChar  Warning = "repeat_char"    // "aaaa"
	WarnRepeatedBlock Warning = "repeat_block"   // "abcabcabc"
	WarnSequence      Warning = "sequence"       // "abcd", "6543"
	WarnKeyRow        Warning = "key_row"        // neighbouring keys in a line
	WarnKeyPattern    Warning = "key_pattern"    // a short pattern on the keyboard
	WarnYear          Warning = "year"           // a recent year
	WarnDate          Warning = "date"           // a date
)

// Advice is a stable identifier of what would make a password better.
type Advice string

const (
	AdviceUseWords       Advice = "use_words"       // a few words, no common phrase
	AdviceNoComposition  Advice = "no_composition"  // no need for signs, digits or capitals
	AdviceMoreWords      Advice = "more_words"      // another word or two, uncommon ones
	AdviceCapitals       Advice = "capitals"        // a capital at the beginning helps little
	AdviceAllCapitals    Advice = "all_capitals"    // all capitals help no more than none
	AdviceReversed       Advice = "reversed"        // words written backwards help little
	AdviceSubstitutions  Advice = "substitutions"   // "@" for "a" helps little
	AdviceAvoidRepeats   Advice = "avoid_repeats"   // no repeated words and characters
	AdviceAvoidSequences Advice = "avoid_sequences" // no sequences
	AdviceLongerPattern  Advice = "longer_pattern"  // a longer pattern with more turns
	AdviceAvoidYears     Advice = "avoid_years"     // no years that mean something to one
	AdviceAvoidDates     Advice = "avoid_dates"     // no dates that mean something to one
	AdviceAvoidPersonal  Advice = "avoid_personal"  // nothing that others know about one
)

// goodEnough is the score from which a password needs no advice.
const goodEnough = 3

// feedback says what is weak about a password whose cheapest guess is sequence.
func feedback(value int, sequence []*match.Match) (Warning, []Advice) {
	if value >= goodEnough {
		return "", nil
	}
	m := weakest(sequence)
	if m == nil {
		return "", []Advice{AdviceMoreWords}
	}
	alone := len(sequence) == 1
	var w Warning
	var advice []Advice
	switch m.Pattern {
	case "dictionary":
		w, advice = wordFeedback(m, alone)
	case "spatial":
		w, advice = WarnKeyPattern, []Advice{AdviceLongerPattern}
		if m.Turns == 1 {
			w = WarnKeyRow
		}
	case "repeat":
		w, advice = WarnRepeatedBlock, []Advice{AdviceAvoidRepeats}
		if utf8.RuneCountInString(m.BaseToken) == 1 {
			w = WarnRepeatedChar
		}
	case "sequence":
		w, advice = WarnSequence, []Advice{AdviceAvoidSequences}
	case "regex":
		w, advice = WarnYear, []Advice{AdviceAvoidYears}
	case "date":
		w, advice = WarnDate, []Advice{AdviceAvoidDates}
	}
	return w, append([]Advice{AdviceMoreWords}, advice...)
}

// wordFeedback is the part of feedback for a match in a dictionary.
func wordFeedback(m *match.Match, alone bool) (w Warning, advice []Advice) {
	switch m.DictionaryName {
	case "user_inputs":
		w, advice = WarnPersonal, append(advice, AdviceAvoidPersonal)
	case "passwords":
		switch {
		case alone && !m.L33t && !m.Reversed && m.Rank <= 10:
			w = WarnTop10
		case alone && !m.L33t && !m.Reversed && m.Rank <= 100:
			w = WarnTop100
		case alone:
			w = WarnCommon
		case m.Guesses <= 1e4:
			w = WarnSimilar
		}
	case "english_wikipedia":
		if alone {
			w = WarnWord
		}
	case "surnames", "male_names", "female_names":
		w = WarnCommonName
		if alone {
			w = WarnName
		}
	}
	first, _ := utf8.DecodeRuneInString(m.Token)
	switch {
	case m.Token == strings.ToLower(m.Token):
	case m.Token == strings.ToUpper(m.Token):
		advice = append(advice, AdviceAllCapitals)
	case unicode.IsUpper(first):
		advice = append(advice, AdviceCapitals)
	}
	if m.Reversed && utf8.RuneCountInString(m.Token) >= 4 {
		advice = append(advice, AdviceReversed)
	}
	if m.L33t {
		advice = append(advice, AdviceSubstitutions)
	}
	return w, advice
}

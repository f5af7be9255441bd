package password

import (
	"strings"

	"github.com/trustelem/zxcvbn"
	"github.com/trustelem/zxcvbn/match"
)

// MaxScored is how many characters of a password are scored. The search for the
// cheapest way to guess it grows with more than the square of its length; what
// is strong in 64 characters is no weaker in more.
const MaxScored = 64

// guessesPerSecond is what an attacker does who holds a stolen slow hash.
const guessesPerSecond = 1e4

// Score is an estimate of how long a password would withstand guessing.
type Score struct {
	// Value sums the estimate up: 0 (guessed within 10^3 tries), 1 (10^6),
	// 2 (10^8), 3 (10^10), 4 (more).
	Value int
	// Guesses is how many tries an attacker needs who knows how people choose.
	Guesses float64
	// Seconds is how long they take at 10,000 tries a second, as against a
	// stolen slow hash.
	Seconds float64
	// Warning names what is weakest, or is empty.
	Warning Warning
	// Advice names what would help, the most helpful first.
	Advice []Advice
}

// Estimate returns the Score of pw for an attacker who knows the personal words
// too (see Input.Personal). It looks at the first MaxScored characters and takes
// a time that is bounded for every input, yet longer than a key press may take:
// some milliseconds, for contrived input more. It belongs off the key path, and
// a newer input's answer replaces an older one's. A longer password scores what
// its beginning does, even one that is too long to be accepted; what is not
// UTF-8 scores 0.
func Estimate(pw string, personal []string) Score {
	normal, err := Normalize(pw)
	if err != nil {
		normal = beginning(pw)
	}
	if normal == "" || err == ErrInvalidUTF8 {
		return Score{Advice: []Advice{AdviceUseWords, AdviceNoComposition}}
	}
	result := zxcvbn.PasswordStrength(first(normal, MaxScored), dictionary(personal))
	s := Score{
		Value:   result.Score,
		Guesses: result.Guesses,
		Seconds: result.Guesses / guessesPerSecond,
	}
	s.Warning, s.Advice = feedback(s.Value, result.Sequence)
	return s
}

// first returns at most n runes of s.
func first(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// dictionary returns the words that an attacker tries first: the strings
// themselves and their pieces, at most maxWords.
func dictionary(personal []string) []string {
	const maxWords = 64
	var words []string
	for _, p := range personal {
		p = strings.ToLower(first(p, MaxScored))
		words = append(words, p)
		words = append(words, pieces(p)...)
		if len(words) >= maxWords {
			return words[:maxWords]
		}
	}
	return words
}

// weakest returns the match that the feedback is about: the longest that is not
// mere brute force.
func weakest(sequence []*match.Match) *match.Match {
	var longest *match.Match
	for _, m := range sequence {
		if m.Pattern != "bruteforce" && (longest == nil || len(m.Token) > len(longest.Token)) {
			longest = m
		}
	}
	return longest
}

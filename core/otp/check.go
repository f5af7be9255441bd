// Checking a code: which step it belongs to, and what that means.

package otp

import (
	"crypto/subtle"
	"slices"
	"time"
)

// Verdict is what a code turned out to be.
type Verdict int

// What a code can be. The zero Verdict refuses.
const (
	// Wrong is a code of no step near now.
	Wrong Verdict = iota
	// Accepted is a code of a step within Skew that may still be used.
	Accepted
	// Used is the right code of a step within Skew that must not be used (any
	// more): one not after the last accepted, or one that was burned.
	Used
	// Clock is the code of a step that is further off than Skew, but not further
	// than ClockSteps: the app is right and its clock, or ours, is wrong.
	Clock
)

// Check says what code is, and which step it belongs to (0 for Wrong).
//
// code is what NormalizeCode returned; anything else is Wrong. last is the last
// step that was accepted, 0 if there was none: no step up to it is accepted
// again, even if our clock has gone back since. burned are steps that are never
// to be accepted either.
//
// The caller keeps step as the new last before it lets anybody in, in the
// transaction that read last, so that of several who send the same code at once
// one is accepted (RFC 6238 §5.2, ASVS 6.5.1). When the verdict is Clock and
// step lies in the future, the caller burns it: otherwise the hint would tell
// somebody who guesses which code to come back with a few minutes later. Past
// steps need no burning, because they never come within Skew again. A burned step
// can be forgotten once last, or the present less Skew, has passed it.
//
// The code is compared in constant time with each step of the whole window,
// whichever of them it is, so that the time taken does not tell. Of several
// steps with the same code one that can be accepted goes first, the latest of
// them: accepting an earlier one would leave the same code good for the later.
// Of several steps beyond Skew the nearest to now is told, of two as near the
// future one. A secret of no bytes, as of a damaged record, makes every code Wrong.
func Check(secret []byte, code string, now time.Time, last int64, burned []int64) (v Verdict, step int64) {
	if len(secret) == 0 {
		return Wrong, 0
	}
	hits := compare(secret, code, Step(now)-ClockSteps)
	at := func(distance int64) (int64, bool) {
		return Step(now) + distance, hits[ClockSteps+distance] == 1
	}
	for d := int64(Skew); d >= -Skew; d-- {
		s, hit := at(d)
		switch {
		case !hit:
		case s > last && !slices.Contains(burned, s):
			return Accepted, s
		case v == Wrong:
			v, step = Used, s
		}
	}
	if v != Wrong {
		return v, step
	}
	for d := int64(Skew) + 1; d <= ClockSteps; d++ {
		if s, hit := at(d); hit {
			return Clock, s
		}
		if s, hit := at(-d); hit {
			return Clock, s
		}
	}
	return Wrong, 0
}

// compare compares want with the codes of the window that begins with step
// first. An element is 1 where they are equal, else 0.
func compare(secret []byte, want string, first int64) (hits [2*ClockSteps + 1]int) {
	text, typed := Text(secret), []byte(want)
	for i := range hits {
		hits[i] = subtle.ConstantTimeCompare([]byte(code(text, first+int64(i))), typed)
	}
	return hits
}

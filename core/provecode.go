// Whether a code that was typed is the one, and what a wrong one counts as.

package core

import (
	"errors"
	"slices"
	"time"

	"postern/core/otp"
	"postern/store"
)

// guessed says whether a refusal is of a code that could have been a guess.
func guessed(err error) bool {
	switch CodeOf(err) {
	case CodeCodeWrong, CodeCodeClock:
		return true
	case CodeCodeOver:
		var e *Error
		return errors.As(err, &e) && e.Rule == "tries" // the last try was wrong
	}
	return false
}

// checkCode says whether a code is the factor's. An app's step that is accepted
// is noted in the factor returned. others are those who try the same sent code now.
func (t *txn) checkCode(f factorRecord, waits, code string, others int) (factorRecord, error) {
	if f.Kind != FactorApp {
		w, err := sentCodes.Get(t, waits)
		if errors.Is(err, store.ErrNotFound) || err == nil && w.Factor != f.ID {
			return f, refuseField(CodeCodeOver, "code")
		} else if err != nil {
			return f, err
		}
		if err := w.room(others); err != nil {
			return f, err
		}
		return f, t.judge(w.awaited, waits, code)
	}
	verdict, step := otp.Check(f.Secret, code, t.now, f.LastStep, f.Burned)
	if verdict == otp.Clock && step <= f.LastStep {
		verdict = otp.Used // an old one that was typed again says nothing about clocks
	}
	if err := verdictError(verdict, step, t.now); err != nil {
		return f, err
	}
	f.LastStep = step
	f.Burned = slices.DeleteFunc(slices.Clone(f.Burned), func(b int64) bool { return b < step-2*otp.ClockSteps })
	return f, nil
}

// verdictError turns what became of an app's code into a refusal.
func verdictError(v otp.Verdict, step int64, now time.Time) error {
	switch v {
	case otp.Accepted:
		return nil
	case otp.Used:
		return &Error{Code: CodeCodeUsed, Field: "code", Wait: untilNextCode(now)}
	case otp.Clock:
		e := &Error{Code: CodeCodeClock, Field: "code", Rule: "ahead"}
		off := step - otp.Step(now)
		if off < 0 {
			e.Rule, off = "behind", -off
		}
		perMinute := int64(time.Minute / otp.Period)
		e.N = int((off + perMinute - 1) / perMinute)
		return e
	}
	return refuseField(CodeCodeWrong, "code")
}

// countWrong notes a wrong code where it counts: at the code that was sent, and
// at the factor, which counts no more after MaxCredentialFailures in a row. A code of a time to come is burned:
// the hint about the clock must be worth nothing to whoever guessed it.
func (t *txn) countWrong(account, factor, waits, code string) error {
	f, err := t.ownFactor(account, factor)
	if CodeOf(err) == CodeNotFound {
		return nil // removed meanwhile
	} else if err != nil {
		return err
	}
	t.entry.Target = f.Label
	if f.Kind == FactorApp {
		if v, step := otp.Check(f.Secret, code, t.now, f.LastStep, f.Burned); v == otp.Clock && !slices.Contains(f.Burned, step) {
			f.Burned = append(f.Burned, step)
			if over := len(f.Burned) - 4*otp.ClockSteps; over > 0 {
				f.Burned = f.Burned[over:]
			}
		}
	} else if w, err := sentCodes.Get(t, waits); err == nil {
		w.Tries++
		if err := sentCodes.Put(t, waits, w); err != nil {
			return err
		}
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	f.Failures++
	if f.Failures < MaxCredentialFailures || !f.Disabled.IsZero() {
		return factors.Put(t, f.ID, f)
	}
	if err := t.disableFactor(f); err != nil {
		return err
	}
	t.note("disabled", f.Label)
	return t.notify(account, NoticeFactorDisabled, map[string]string{"Kind": string(f.Kind), "Label": f.Label})
}

package otp

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 22, 12, 0, 10, 0, time.UTC)

// app is the code that an app shows whose clock is off by that much.
func app(off time.Duration) string { return Code(rfcSecret, Step(noon.Add(off))) }

// expect fails unless Check says so at noon plus later.
func expect(t *testing.T, what, code string, later time.Duration, last int64, burned []int64, want Verdict, step int64) {
	t.Helper()
	v, s := Check(rfcSecret, code, noon.Add(later), last, burned)
	if v != want || s != step {
		t.Errorf("%s: verdict %d, step %d; want %d, step %d", what, v, s, want, step)
	}
}

// ASVS 6.5.1.
func TestAStepIsAcceptedOnce(t *testing.T) {
	now := Step(noon)
	expect(t, "the first time", app(0), 0, 0, nil, Accepted, now)
	expect(t, "the second time", app(0), 0, now, nil, Used, now)
	expect(t, "the second time, a step later", app(0), Period, now, nil, Used, now)
	expect(t, "the step before, after the present one", app(-Period), 0, now, nil, Used, now-1)
	expect(t, "the next step", app(Period), Period, now, nil, Accepted, now+1)
	// ASVS 6.5.8: our clock has gone back by an hour since the last was accepted.
	expect(t, "after our clock went back", app(0), 0, now+120, nil, Used, now)
	expect(t, "without an account's last step", Code(rfcSecret, 0), -noon.Sub(time.Unix(0, 0)), 0, nil, Used, 0)
}

// ASVS 6.5.5.
func TestOneStepOfSkewEitherWay(t *testing.T) {
	now := Step(noon)
	for _, d := range []int64{-1, 0, 1} {
		expect(t, "within the skew", Code(rfcSecret, now+d), 0, 0, nil, Accepted, now+d)
	}
	for _, d := range []int64{-2, 2} {
		expect(t, "beyond the skew", Code(rfcSecret, now+d), 0, 0, nil, Clock, now+d)
	}
}

// ASVS 6.5.8.
func TestAWrongClockIsTold(t *testing.T) {
	for _, off := range []time.Duration{-10 * time.Minute, -time.Minute, time.Minute, 10 * time.Minute} {
		expect(t, "a clock off by "+off.String(), app(off), 0, 0, nil, Clock, Step(noon.Add(off)))
	}
	for _, off := range []time.Duration{-24 * time.Hour, -11 * time.Minute, 11 * time.Minute, 24 * time.Hour} {
		expect(t, "a clock off by "+off.String(), app(off), 0, 0, nil, Wrong, 0)
	}
}

// TestTheHintAboutAClockIsWorthNothing shows that a step which was told to be
// of another time is not accepted when its time has come.
func TestTheHintAboutAClockIsWorthNothing(t *testing.T) {
	later := 5 * time.Minute
	guess := app(later)
	v, step := Check(rfcSecret, guess, noon, 0, nil)
	if v != Clock || step <= Step(noon) {
		t.Fatalf("verdict %d, step %d", v, step)
	}
	burned := []int64{step}
	expect(t, "a burned step in its time", guess, later, 0, burned, Used, step)
	expect(t, "the step after it", app(later+Period), later, 0, burned, Accepted, step+1)
	expect(t, "the same guess again", guess, 0, 0, burned, Clock, step)
}

func TestWhatIsNoCodeIsWrong(t *testing.T) {
	for _, code := range []string{"", "0", "00000", app(0) + "0", " " + app(0), "x" + app(0)[1:], app(0)[:5], "\xff"} {
		expect(t, code, code, 0, 0, nil, Wrong, 0)
	}
	if v, _ := Check(nil, Code(nil, Step(noon)), noon, 0, nil); v != Wrong {
		t.Error("a secret of no bytes, which everybody knows, opens the account")
	}
	if v, _ := Check([]byte("09876543210987654321"), app(0), noon, 0, nil); v != Wrong {
		t.Error("another's code is accepted")
	}
}

// twins finds a step whose code comes again that many steps later.
func twins(t *testing.T, distance int64) int64 {
	t.Helper()
	const most = 20_000_000
	recent := make([]string, distance)
	for s := int64(1); s < most; s++ {
		c, i := Code(rfcSecret, s), s%distance
		if c == recent[i] {
			return s - distance
		}
		recent[i] = c
	}
	t.Fatalf("no two codes alike %d steps apart", distance)
	return 0
}

// TestACodeOfTwoSteps looks at the one pair in a million whose codes are alike.
func TestACodeOfTwoSteps(t *testing.T) {
	middle := func(s int64) time.Time { return time.Unix(s*30+15, 0) }
	check := func(what string, first, now, last int64, burned []int64, want Verdict, step int64) {
		t.Helper()
		v, s := Check(rfcSecret, Code(rfcSecret, first), middle(now), last, burned)
		if v != want || s != step {
			t.Errorf("%s: verdict %d, step %d; want %d, step %d", what, v, s, want, step)
		}
	}
	first := twins(t, 2)
	second := first + 2
	check("both acceptable: the later, so that the code is used up", first, first+1, 0, nil, Accepted, second)
	check("the later one burned", first, first+1, 0, []int64{second}, Accepted, first)
	check("the earlier one used", first, first+1, first, nil, Accepted, second)
	check("both used", first, first+1, second, nil, Used, second)
	check("one within the skew, one beyond", first, first, 0, nil, Accepted, first)
	check("one within the skew and used, one beyond", first, first, first, nil, Used, first)
	check("both beyond: the nearer", first, first+5, 0, nil, Clock, second)
	check("both beyond: the nearer", first, first-5, 0, nil, Clock, first)
}

func TestVerdictsAgreeWithTheirDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.SliceOfN(rapid.Byte(), SecretBytes, SecretBytes).Draw(t, "secret")
		now := time.Unix(rapid.Int64Range(1_000, 1<<40).Draw(t, "now"), 0)
		d := rapid.Int64Range(-25, 25).Draw(t, "distance")
		last := Step(now) + rapid.Int64Range(-3, 3).Draw(t, "last")
		step := Step(now) + d
		var burned []int64
		if rapid.Bool().Draw(t, "burned") {
			burned = []int64{step}
		}
		want := Wrong
		switch {
		case max(d, -d) <= Skew && step > last && burned == nil:
			want = Accepted
		case max(d, -d) <= Skew:
			want = Used
		case max(d, -d) <= ClockSteps:
			want = Clock
		}
		v, s := Check(secret, Code(secret, step), now, last, burned)
		if s != step && v != Wrong {
			t.Skip("two steps with one code")
		}
		if v != want {
			t.Fatalf("verdict %d, want %d", v, want)
		}
	})
}

// BenchmarkCheck is one code against the whole window, for each way it can end:
// all take the same time.
func BenchmarkCheck(b *testing.B) {
	for name, code := range map[string]string{
		"accepted": app(0), "clock": app(10 * time.Minute), "wrong": app(time.Hour),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Check(rfcSecret, code, noon, 0, nil)
			}
		})
	}
}

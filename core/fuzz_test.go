package core_test

import (
	"strings"
	"testing"

	"postern/core"
	"postern/core/coretest"
)

// Whatever is typed for a setting, it is refused or reads back as itself.
func FuzzSettings(f *testing.F) {
	for _, s := range []string{"on", "12", "3 months", "open", "room:text:required:Room; desk:number::Desk", "a:text::b:c", ";;", "1 \x00 month"} {
		for i := range core.Settings() {
			f.Add(i, s)
		}
	}
	p := coretest.Open(f)
	f.Fuzz(func(t *testing.T, which int, value string) {
		all := core.Settings()
		s := all[uint(which)%uint(len(all))]
		policy := must(p.Policy.Current(ctx, coretest.Console()))(t)
		next, err := p.Policy.Set(ctx, coretest.Console(), core.PolicyChange{Values: map[string]string{s.Path: value}})
		if err != nil {
			if now := must(p.Policy.Current(ctx, coretest.Console()))(t); now.Version != policy.Version {
				t.Fatalf("refused (%v), and yet changed", err)
			}
			return
		}
		if err := next.Validate(); err != nil {
			t.Fatalf("%s = %q is in force and not valid: %v", s.Path, value, err)
		}
		_, err = p.Policy.Set(ctx, coretest.Console(), core.PolicyChange{Values: map[string]string{s.Path: s.Get(next)}})
		if again := must(p.Policy.Current(ctx, coretest.Console()))(t); core.CodeOf(err) != core.CodeUnchanged || s.Get(again) != s.Get(next) {
			t.Fatalf("%s = %q reads back as %q, %v", s.Path, s.Get(next), s.Get(again), err)
		}
	})
}

// Whatever is typed at the door, nobody comes in by it and nothing of it is kept.
func FuzzSignIn(f *testing.F) {
	for _, s := range []string{"", "lin", "LIN\x00", "lin@example.org", strings.Repeat("x", 5000), "\xff", "\x1b[2J", "ｌｉｎ", "mаra"} {
		f.Add(s, s)
	}
	p := coretest.Open(f)
	p.Set("lockout.failures", "50", "lockout.wait_seconds", "1", "lockout.max_wait_minutes", "1")
	f.Fuzz(func(t *testing.T, login, pw string) {
		in, err := p.TrySignIn(coretest.Local(), login, pw)
		if err == nil || in != (core.SignedIn{}) {
			t.Fatalf("%q came in with %q", login, pw)
		}
		switch core.CodeOf(err) {
		case core.CodeCredentials, core.CodeWait, core.CodePassword:
		default:
			t.Fatalf("answered %v", err)
		}
	})
}

package password

import (
	"strings"
	"testing"
)

// BenchmarkEstimate measures what a score takes, for inputs from common to contrived.
func BenchmarkEstimate(b *testing.B) {
	personal := []string{"alice", "Alice Liddell", "alice@wonderland.example", "Postern"}
	for _, c := range []struct{ name, pw string }{
		{"common", "correct horse battery staple"},
		{"repeated", strings.Repeat("a", 10_000)},
		{"repeated256", strings.Repeat("a", 256)},
		{"blocks256", strings.Repeat("abcdefgh", 32)},
		{"substitutions64", strings.Repeat("4@8({[<369!1|0$5+7%2", 4)},
		{"words64", strings.Repeat("p4ssw0rd1!", 7)},
		{"digits64", strings.Repeat("1234567890", 7)},
		{"dates64", strings.Repeat("19.11.1999", 7)},
		{"emoji64", strings.Repeat("\U0001f511é", 32)},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				Estimate(c.pw, personal)
			}
		})
	}
}

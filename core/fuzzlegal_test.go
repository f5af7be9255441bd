package core_test

import (
	"strings"
	"testing"

	"postern/core"
	"postern/core/text"
)

// Whatever is published as a text: what is kept can be shown line by line as it
// is, is bounded, and is the same when it is published again.
func FuzzTextsOfAgreements(f *testing.F) {
	for _, s := range []string{"1. Be kind.\n   a) To people.\n", "\ufeffa\r\nb\rc\td\f", "\x1b]0;owned\a\nx", "\xff", " \n \n", "e\u0301\n\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		const most = 512
		out, err := core.CleanLines(s, most)
		if err != nil {
			if out != "" {
				t.Fatalf("%q with %v", out, err)
			}
			return
		}
		if len(out) > most {
			t.Fatalf("%d bytes", len(out))
		}
		for line := range strings.SplitSeq(out, "\n") {
			if text.Escape(line) != line {
				t.Fatalf("%q has to be escaped", line)
			}
		}
		if again, err := core.CleanLines(out, most); err != nil || again != out {
			t.Fatalf("%q, and again %q, %v", out, again, err)
		}
	})
}

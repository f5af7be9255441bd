package script

import (
	"os"
	"strings"
	"testing"
)

// The examples of the guide run, and decide.
func TestTheExamplesOfTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../../docs/analysis.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(guide), "```")
	n := 0
	for i := 1; i < len(parts); i += 2 {
		source, ok := strings.CutPrefix(parts[i], "python\n")
		if !ok {
			continue
		}
		n++
		in := Input{Name: "example", Source: source, Account: Account{UserName: "mara", Fields: map[string]string{"books": "0"}}, URLs: []string{"https://hooks.example.org/"}}
		if r := Evaluate(in, Limits{}, func(string) {}); r.Outcome != Decided || r.Verdict != Approve {
			t.Errorf("example %d: %+v", n, r)
		}
		in.Account.Fields["books"] = "2"
		in.Account.Roles = []string{"admin"}
		if r := Evaluate(in, Limits{}, func(string) {}); r.Outcome != Decided || r.Verdict == Approve {
			t.Errorf("example %d, otherwise: %+v", n, r)
		}
	}
	if n != 2 {
		t.Errorf("%d examples", n)
	}
}

package script

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The test's own binary is the child, as the program is: by its one argument,
// since its environment is empty.
func TestMain(m *testing.M) {
	if IsChild(os.Args[1:]) {
		os.Exit(Child(os.Stdin, os.Stdout))
	}
	if len(os.Args) == 2 && os.Args[1] == probeArgument {
		os.Exit(probe())
	}
	os.Exit(m.Run())
}

func child(t testing.TB) Command {
	t.Helper()
	c, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func input(source string) Input {
	return Input{
		Name: "check", Source: source, Now: "2026-03-02T09:00:00Z", URLs: []string{"https://hooks.example.org/postern"},
		Request: Request{ID: "01J", Asked: "2026-03-01T09:00:00Z", Note: "please"},
		Account: Account{ID: "01A", UserName: "mara", DisplayName: "Mara", Created: "2025-03-02T09:00:00Z", Fields: map[string]string{"team": "lamps"}, Roles: []string{"auditor"}},
		Grants:  []Grant{{App: "lamps", Role: "reader"}},
	}
}

// in runs a script in a child with plenty of time.
func in(t testing.TB, source string, change func(*Limits)) Result {
	t.Helper()
	l := DefaultLimits()
	l.Wall = 20 * time.Second
	if change != nil {
		change(&l)
	}
	return child(t).Run(context.Background(), input(source), l)
}

func want(t testing.TB, r Result, o Outcome, v Verdict) {
	t.Helper()
	if r.Outcome != o || r.Verdict != v {
		t.Fatalf("got %s and %s (line %d: %s; %q), want %s and %s", r.Outcome, r.Verdict, r.Line, r.Detail, r.Reason, o, v)
	}
	if o != Decided && len(r.Effects) > 0 {
		t.Fatalf("it has not decided, and asks for %v", r.Effects)
	}
}

func TestAScriptDecides(t *testing.T) {
	for source, verdict := range map[string]Verdict{
		"approve()":                  Approve,
		"reject('an open invoice')":  Reject,
		"hold(reason = 'ask first')": Hold,
		"if days_since(account.created) == 365 and account.last_sign_in == '': approve()": Approve,
		"if account.fields['team'] == 'lamps' and 'auditor' in account.roles: approve()":  Approve,
		"if [g.app for g in grants] == ['lamps'] and len(sessions) == 0: approve()":       Approve,
		"if json.decode(json.encode(account))['user_name'] == 'mara': approve()":          Approve,
		"if not dry_run and request.note == 'please': approve()":                          Approve,
	} {
		r := in(t, source, nil)
		want(t, r, Decided, verdict)
	}
}

func TestWhatIsPrintedAndAskedFor(t *testing.T) {
	r := in(t, `
print("one", 2)
notify("person", "we look into it")
post("https://hooks.example.org/postern/deleted", {"user": account.user_name, "n": [1, 2]})
hold("an open invoice")
print(request)
`, nil)
	want(t, r, Decided, Hold)
	if r.Log != "one 2\n"+`request(asked = "2026-03-01T09:00:00Z", due = "", id = "01J", note = "please")`+"\n" {
		t.Errorf("the log is %q", r.Log)
	}
	if fmt.Sprint(r.Effects) != `[{notify person we look into it  } {post   https://hooks.example.org/postern/deleted {"n":[1,2],"user":"mara"}}]` {
		t.Errorf("it asks for %v", r.Effects)
	}
	if r.Reason != "an open invoice" || r.Took <= 0 {
		t.Errorf("%q after %s", r.Reason, r.Took)
	}
}

// Whatever goes wrong holds the request, and says where.
func TestWhateverGoesWrongHolds(t *testing.T) {
	for source, at := range map[string]int{
		"approve()\napprove()":                                   2,
		"approve()\nreject('no')":                                2,
		"approve()\n\n1 // 0":                                    3,
		"x = 1\nreject('')":                                      2,
		"reject('a\\nb')":                                        1,
		"reject('\\u202edoow')":                                  1,
		"hold('" + strings.Repeat("x", 201) + "')":               1,
		"notify('everybody', 'x')":                               1,
		"notify('person', '')":                                   1,
		"notify('person', 'a\\x1b[2Jb')":                         1,
		"notify('person', '" + strings.Repeat("x", 501) + "')":   1,
		"for i in range(11): notify('owner', 'x')":               1,
		"post('https://hooks.example.org/posternx', {})":         1,
		"post('http://hooks.example.org/postern', {})":           1,
		"post('https://hooks.example.org/postern', lambda: 1)":   1,
		"post('https://hooks.example.org/postern', 'x' * 20000)": 1,
		"approve(1)":                    1,
		"account.user_name = 'root'":    1,
		"account.fields['x'] = 'y'":     1,
		"account.roles.append('owner')": 1,
		"account.password":              1,
		"def f():\n  f()\nf()":          2,
		"fail('because')":               1,
		"days_since('yesterday')":       1,
		"'a' * 10000000000":             1,
		"1 << (1 << 40)":                1,
		"load('/etc/passwd', 'x')":      1,
		"open('/etc/passwd')":           1,
		"while True:\n  pass":           1,
		"x = (":                         1,
		"\n\x00":                        2,
		"approve() # \xff":              1,
	} {
		r := in(t, source, nil)
		if r.Outcome != Failed {
			t.Errorf("%q", source)
		}
		want(t, r, Failed, Hold)
		if r.Line != at || r.Detail == "" {
			t.Errorf("%q: line %d, %q", source, r.Line, r.Detail)
		}
	}
	for _, source := range []string{"", "# nothing", "x = 1", "notify('person', 'hello')"} {
		want(t, in(t, source, nil), Undecided, Hold)
	}
}

// What is hostile ends, whatever it does, and the request is held.
func TestHostileScriptsEnd(t *testing.T) {
	second := func(l *Limits) { l.Wall = time.Second }
	for _, c := range []struct {
		name, source string
		change       func(*Limits)
		outcomes     []Outcome
	}{
		{"loops", "def f():\n  for i in range(1 << 62): pass\nf()", second, []Outcome{TooLong}},
		{"loops in one built-in", "sorted(range(1 << 30))", nil, []Outcome{TooBig, TooLong}},
		{"takes steps", "for i in range(1 << 62): pass", func(l *Limits) { l.Steps = 1000 }, []Outcome{TooLong}},
		{"doubles a list", "x = [1]\nfor i in range(40): x = x + x\napprove()", nil, []Outcome{TooBig}},
		{"doubles a string", "x = 'x'\nfor i in range(40): x = x + x\napprove()", nil, []Outcome{TooBig}},
		{"repeats a string", "x = 'x' * 1000000000\napprove()", nil, []Outcome{TooBig}},
		{"keeps everything", "x = []\nfor i in range(1 << 40): x.append([i] * 100)", nil, []Outcome{TooBig, TooLong}},
		{"squares a number", "x = 7\nfor i in range(64): x = x * x\napprove()", second, []Outcome{TooLong, TooBig}},
		{"nests JSON", "x = []\nfor i in range(10000000): x = [x]\njson.encode(x)\napprove()", nil, []Outcome{TooBig, TooLong, Failed}},
		{"prints a gigabyte", "for i in range(1 << 30): print('x' * 100)", nil, []Outcome{TooLoud}},
		{"prints a huge line", "print('x' * 100000000)", nil, []Outcome{TooLoud, TooBig}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := in(t, c.source, c.change)
			ok := false
			for _, o := range c.outcomes {
				ok = ok || r.Outcome == o
			}
			if !ok || r.Verdict != Hold || len(r.Effects) > 0 {
				t.Fatalf("got %s and %s: %s", r.Outcome, r.Verdict, r.Detail)
			}
			if len(r.Log) > DefaultLimits().Log {
				t.Errorf("%d bytes of log", len(r.Log))
			}
			t.Logf("%s after %s: %s (%d bytes of log)", r.Outcome, r.Took.Round(time.Millisecond), r.Detail, len(r.Log))
		})
	}
}

// What comes from people is data, whatever it looks like.
func TestForeignStringsAreData(t *testing.T) {
	i := input("print(account.display_name)\nprint(request.note)\nif account.display_name == \"'; rm -rf /\": approve()")
	i.Account.DisplayName, i.Request.Note = "'; rm -rf /", "\"}\n{\"result\":{\"outcome\":\"decided\",\"verdict\":\"approve\"}}"
	r := child(t).Run(context.Background(), i, Limits{})
	want(t, r, Decided, Approve)
	if r.Log != i.Account.DisplayName+"\n"+i.Request.Note+"\n" {
		t.Errorf("the log is %q", r.Log)
	}
}

// A parent that closes ends the run.
func TestAClosingParentStopsTheRun(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	r := child(t).Run(ctx, input("for i in range(1 << 62): pass"), Limits{Steps: 1 << 62})
	want(t, r, Stopped, Hold)
}

// A child that is not there, is another program, or dies, holds the request.
func TestAChildThatIsNone(t *testing.T) {
	for path, o := range map[string]Outcome{
		"/nonexistent": NotRun, "/": NotRun, "/bin/true": Crashed, "/bin/false": Crashed, "/bin/cat": Crashed,
	} {
		want(t, Command{Path: path}.Run(context.Background(), input("approve()"), Limits{}), o, Hold)
	}
}

// A child that says what no script can have decided is not believed.
func TestTheParentBelievesNoChild(t *testing.T) {
	i := input("approve()")
	for _, r := range []Result{
		{Outcome: Decided}, {Outcome: Decided, Verdict: "delete"}, {Outcome: "done", Verdict: Approve},
		{Outcome: Decided, Verdict: Reject}, {Outcome: Decided, Verdict: Hold, Reason: "a\x1b[2J"},
		{Outcome: Decided, Verdict: Approve, Effects: []Effect{{Kind: EffectPost, URL: "https://elsewhere.example.org/"}}},
		{Outcome: Decided, Verdict: Approve, Effects: []Effect{{Kind: EffectNotify, To: "everybody", Text: "x"}}},
		{Outcome: Decided, Verdict: Approve, Effects: make([]Effect, MaxEffects+1)},
	} {
		want(t, r.sound(i), Crashed, Hold)
	}
	want(t, Result{Outcome: Undecided, Verdict: Approve, Effects: []Effect{{}}}.sound(i), Undecided, Hold)
}

// The child ends when its parent does: here, when nobody holds its input any more.
func TestTheChildEndsWithItsParent(t *testing.T) {
	c := child(t)
	cmd := exec.Command(c.Path, ChildArgument)
	cmd.Env = []string{}
	cmd.Stdin = strings.NewReader(`{"input":{"source":"for i in range(1 << 62): pass","now":"2026-03-02T09:00:00Z"},"limits":{"steps":4611686018427387904}}` + "\n")
	err := cmd.Run()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != exitOrphan {
		t.Fatalf("it ended by %v", err)
	}
}

// A word that is no task ends the child.
func TestTheChildReadsOnlyTasks(t *testing.T) {
	for _, s := range []string{"", "\n", "{", "[]\n", strings.Repeat("x", maxInput+1)} {
		cmd := exec.Command(child(t).Path, ChildArgument)
		cmd.Env, cmd.Stdin = []string{}, strings.NewReader(s)
		_ = cmd.Run()
		if cmd.ProcessState.ExitCode() != exitProtocol {
			t.Errorf("%.10q: %s", s, cmd.ProcessState)
		}
	}
}

func TestCheckSaysWhere(t *testing.T) {
	for source, at := range map[string]string{
		"approve()\n":                    "",
		"x = 1\n  y = 2":                 "2:3",
		"approve(\n\n":                   "3:1",
		"aprove()":                       "1:1",
		"x = é":                          "1:5",
		"é = 'ü' + ß + nope":             "1:11",
		"def f():\n\treturn nowhere\n":   "2:9",
		"load('x', 'y')":                 "1:1",
		"if True:\n  load('x', 'y')":     "2:3",
		"approve()\r\n":                  "1:10",
		"x = 'a\xffb'":                   "1:7",
		"#\u202e":                        "1:2",
		"a\n\tb\u200b":                   "2:3",
		strings.Repeat("#", MaxSource+1): "1:0",
		strings.Repeat("(", 30000):       "1:",
	} {
		got := ""
		if p := Check(source); len(p) > 0 {
			got = fmt.Sprintf("%d:%d", p[0].Line, p[0].Column)
		}
		if !strings.HasPrefix(got, at) || at == "" && got != "" {
			t.Errorf("%.40q: %s, want %s (%v)", source, got, at, Check(source))
		}
	}
	if p := Check("nope\nneither\n"); len(p) != 2 || p[1].Line != 2 {
		t.Errorf("two unknown names: %v", p)
	}
	if got := Normal("a\r\nb"); got != "a\nb\n" || Normal("") != "" {
		t.Errorf("normal is %q", got)
	}
}

// Nothing that is read crashes the reader.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{"approve()", "def f(x):\n  return [y for y in x if y]\n", "\xff", "\"\"\"", "x = {1: (2,)}", "lambda: 0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, p := range Check(s) {
			if p.Line < 0 || p.Message == "" {
				t.Errorf("%v", p)
			}
		}
	})
}

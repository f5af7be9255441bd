package tui_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"

	"postern/tui"
)

func catalog(t testing.TB) *tui.Catalog {
	t.Helper()
	c, err := tui.LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var placeholder = regexp.MustCompile(`{{-?\s*\.(\w+)\s*-?}}`)

// placeholders returns the names in every plural form of m.
func placeholders(m *i18n.Message) []string {
	set := map[string]bool{}
	for _, form := range []string{m.Zero, m.One, m.Two, m.Few, m.Many, m.Other} {
		for _, f := range placeholder.FindAllStringSubmatch(form, -1) {
			set[f[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func TestEveryLanguageSaysEverything(t *testing.T) {
	c := catalog(t)
	english := c.Messages("en")
	for _, l := range c.Languages() {
		if l.Name == "" {
			t.Errorf("%s: no name in its own tongue", l.Tag)
		}
		words := c.Messages(l.Tag)
		for key := range words {
			if english[key] == nil {
				t.Errorf("%s: %s is not in English", l.Tag, key)
			}
		}
		for key, en := range english {
			m := words[key]
			if m == nil {
				t.Errorf("%s: %s is missing", l.Tag, key)
				continue
			}
			if got, want := placeholders(m), placeholders(en); !slices.Equal(got, want) {
				t.Errorf("%s: %s has the placeholders %v, English has %v", l.Tag, key, got, want)
			}
			if m.Other == "" || (m.One == "") != (en.One == "") {
				t.Errorf("%s: %s lacks a plural form", l.Tag, key)
			}
		}
	}
}

func TestEveryMessageCanBeSaid(t *testing.T) {
	c := catalog(t)
	c.Strict = true
	for _, l := range c.Languages() {
		d := c.Dict(l.Tag)
		for key, m := range c.Messages(l.Tag) {
			for _, n := range []int{0, 1, 2, 5, 11, 1000, 1000000} {
				var args []any
				for _, p := range placeholders(m) {
					args = append(args, p, n)
				}
				if m.One != "" && !slices.Contains(args, any("Count")) {
					args = append(args, "Count", n)
				}
				said := d.T(key, args...)
				if strings.ContainsAny(said, "⟦{}\x1b\n") || strings.Contains(said, "no value") || said == "" {
					t.Errorf("%s: %s says %q", l.Tag, key, said)
				}
			}
		}
	}
}

// dynamic are prefixes of keys that are put together out of the test's sight,
// with what builds the rest. "prefix." + x is found where it stands.
func dynamic() map[string]string {
	return map[string]string{
		"error.":   "codes of core.Error",
		"message.": "kinds of core.Message, with .subject and .text",
	}
}

// TestEveryWordIsUsedAndThere reads the sources of the rooms that speak.
func TestEveryWordIsUsedAndThere(t *testing.T) {
	english := catalog(t).Messages("en")
	literals, prefixes := map[string]bool{}, dynamic()
	for _, room := range []string{"../tui", "../screens", "../cmd", "../core"} {
		_ = filepath.WalkDir(room, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				t.Logf("%s does not parse now: %v", path, err)
				return nil
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					if s, err := strconv.Unquote(n.Value); err == nil {
						literals[s] = true
					}
				case *ast.CallExpr:
					sel, ok := n.Fun.(*ast.SelectorExpr)
					if !ok || sel.Sel.Name != "T" || len(n.Args) == 0 {
						return true
					}
					if arg, ok := n.Args[0].(*ast.BasicLit); ok {
						if s, err := strconv.Unquote(arg.Value); err == nil && english[s] == nil {
							t.Errorf("%s says %q, which no catalog knows", path, s)
						}
					}
				case *ast.BinaryExpr: // "action." + kind
					if lit, ok := n.X.(*ast.BasicLit); ok {
						if s, err := strconv.Unquote(lit.Value); err == nil && strings.HasSuffix(s, ".") {
							prefixes[s] = path
						}
					}
				}
				return true
			})
			return nil
		})
	}
	for key := range english {
		built := slices.ContainsFunc(slices.Collect(maps.Keys(prefixes)), func(p string) bool { return strings.HasPrefix(key, p) })
		if !literals[key] && !built {
			t.Errorf("nothing says %s", key)
		}
	}
}

func TestLanguageFollowsTheEnvironment(t *testing.T) {
	c := catalog(t)
	for _, tt := range []struct {
		want string
		env  []string
	}{
		{"en", nil},
		{"en", []string{"LANG=C"}},
		{"en", []string{"LANG=POSIX"}},
		{"en", []string{"LANG=de_DE.UTF-8"}},
		{"en", []string{"LANG=\x1b]0;x"}},
		{"pt-BR", []string{"LANG=pt_BR.UTF-8"}},
		{"pt-BR", []string{"LANG=pt_PT.UTF-8@euro"}},
		{"es", []string{"LANG=es_AR"}},
		{"es", []string{"LANG=en_US.UTF-8", "LC_MESSAGES=es_ES.UTF-8"}},
		{"pt-BR", []string{"LANG=en_US.UTF-8", "LC_MESSAGES=es_ES.UTF-8", "LC_ALL=pt_BR"}},
	} {
		if got := c.Match(tt.env); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.env, got, tt.want)
		}
	}
}

func TestNumbersAndTimes(t *testing.T) {
	c := catalog(t)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct{ lang, number, day, ago, in, guess string }{
		{"en", "1,204,000", "22 Nov 2026", "2 h ago", "in 89 days", "about 3 years"},
		{"pt-BR", "1.204.000", "22/11/2026", "há 2 h", "em 89 dias", "cerca de 3 anos"},
		{"es", "1.204.000", "22/11/2026", "hace 2 h", "en 89 días", "alrededor de 3 años"},
	} {
		d := c.Dict(tt.lang)
		got := []string{
			d.Number(1204000), d.Date(now), d.Relative(now.Add(-2*time.Hour-time.Minute), now),
			d.Relative(now.Add(89*24*time.Hour), now), d.Guess(3.5 * 365 * 24 * 3600),
		}
		if want := []string{tt.number, tt.day, tt.ago, tt.in, tt.guess}; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", tt.lang, got, want)
		}
	}
	d := c.Dict("en")
	if got := d.In(time.FixedZone("KST", 9*3600)).DateTime(now); got != "22 Nov 2026, 21:00 KST" {
		t.Error(got)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(-1), -1, 0} {
		if got := d.Guess(bad); got != "less than a second" {
			t.Errorf("%v: %s", bad, got)
		}
	}
	if got := d.Guess(math.Inf(1)); got != "centuries" {
		t.Error(got)
	}
	if got := d.T("time.day", "Count", 1); got != "1 day" {
		t.Error(got)
	}
}

func TestMissingWords(t *testing.T) {
	c, err := tui.ReadCatalog(fstest.MapFS{
		"en/a.toml": {Data: []byte("language.name = \"English\"\nonly = \"Only English\"\nhello = \"Hello {{.Name}}\"\n")},
		"es/a.toml": {Data: []byte("language.name = \"Español\"\nhello = \"Hola {{.Name}}\"\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	d := c.Dict("es")
	if got := d.T("only"); got != "Only English" {
		t.Errorf("no fallback: %q", got)
	}
	if got := d.T("hello", "Name", "{{.Evil}}"); got != "Hola {{.Evil}}" {
		t.Errorf("a value was taken for a template: %q", got)
	}
	if got := d.T("nowhere"); got != "⟦nowhere⟧" {
		t.Error(got)
	}
	c.Strict = true
	if got := d.T("only"); got != "⟦only⟧" {
		t.Error(got)
	}
	for name, files := range map[string]fstest.MapFS{
		"no English": {"es/a.toml": {Data: []byte("a = \"b\"")}},
		"twice":      {"en/a.toml": {Data: []byte("a = \"b\"")}, "en/b.toml": {Data: []byte("a = \"c\"")}},
		"not TOML":   {"en/a.toml": {Data: []byte("a = ")}},
		"template":   {"en/a.toml": {Data: []byte("a = \"{{.X\"")}},
	} {
		if c, err := tui.ReadCatalog(files); err == nil && c.Dict("en").T("a", "X", 1) != "⟦a⟧" {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestCatalogFilesAreNamedAfterRooms(t *testing.T) {
	dirs, err := os.ReadDir("lang")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string][]string{}
	for _, d := range dirs {
		files, _ := filepath.Glob(filepath.Join("lang", d.Name(), "*"))
		for _, f := range files {
			names[d.Name()] = append(names[d.Name()], filepath.Base(f))
		}
	}
	for lang, files := range names {
		if !slices.Equal(files, names["en"]) {
			t.Errorf("%s has %v, English has %v", lang, files, names["en"])
		}
	}
}

func BenchmarkSay(b *testing.B) {
	d := catalog(b).Dict("es")
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			_ = d.T("form.required")
		}
	})
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			_ = d.T("time.day", "Count", 3)
		}
	})
}

// What README.md says is held to the program: its verbs and flags, its table of
// the policy, and the files that it links to.

package cmd

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"postern/core"
	"postern/tui"
)

func readme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// rows returns the cells of the table between the markers of a name, without
// its head and without the quotation marks of code.
func rows(t *testing.T, name string) [][]string {
	t.Helper()
	_, after, _ := strings.Cut(readme(t), "<!-- "+name+":")
	table, _, found := strings.Cut(after, "<!-- /"+name+" -->")
	if !found {
		t.Fatalf("README.md has no table between the markers of %q", name)
	}
	var out [][]string
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i, c := range cells {
			cells[i] = strings.ReplaceAll(strings.TrimSpace(c), "`", "")
		}
		out = append(out, cells)
	}
	return out
}

func TestReadmeKnowsThePolicy(t *testing.T) {
	table, settings, standard := rows(t, "policy"), core.Settings(), core.Presets()[0].Policy
	for i, s := range settings {
		value := s.Get(standard)
		if value == "" {
			value = "none"
		}
		bounds := map[core.SettingKind]string{
			core.KindBool: "on, off", core.KindNumber: fmt.Sprintf("%d to %d", s.Min, s.Max),
			core.KindSpan:   "hours, days, weeks or months, up to a year",
			core.KindChoice: strings.Join(s.Choices, ", "), core.KindFields: "at most " + strconv.Itoa(core.MaxFields) + ", as below",
			core.KindText: "a line of text", core.KindURLs: "URLs, parted by spaces",
		}[s.Kind]
		want := []string{s.Path, value, bounds}
		if i >= len(table) || !slices.Equal(table[i][:min(3, len(table[i]))], want) {
			t.Fatalf("row %d of the policy should begin %q", i+1, want)
		}
	}
	if len(table) != len(settings) {
		t.Errorf("%d rows for %d settings", len(table), len(settings))
	}
}

func TestReadmeKnowsEveryVerbAndFlag(t *testing.T) {
	catalog, err := tui.LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	doors := []string{"help", "serve", "demo"} // told of elsewhere on the page
	verbs, flags := map[string]bool{}, map[string]bool{"--help": true}
	var walk func(c *cobra.Command, path []string)
	walk = func(c *cobra.Command, path []string) {
		for _, set := range []*pflag.FlagSet{c.Flags(), c.PersistentFlags()} {
			set.VisitAll(func(f *pflag.Flag) { flags["--"+f.Name] = true })
		}
		if c.Runnable() && c.Annotations[groupMark] == "" && len(path) > 0 && !slices.Contains(doors, path[0]) {
			verbs[strings.Join(path, " ")] = true
		}
		for _, below := range c.Commands() {
			walk(below, append(slices.Clone(path), below.Name()))
		}
	}
	walk((&process{catalog: catalog, dict: catalog.Dict("en")}).commands(), nil)
	listed := map[string]bool{"completion zsh": true, "completion fish": true, "completion powershell": true}
	for _, row := range rows(t, "verbs") {
		listed[row[0]] = true
	}
	for v := range maps.Keys(verbs) {
		if !listed[v] {
			t.Errorf("README.md does not tell of `postern %s`", v)
		}
	}
	for v := range maps.Keys(listed) {
		if !verbs[v] {
			t.Errorf("README.md tells of `postern %s`, which there is not", v)
		}
	}
	for _, f := range regexp.MustCompile("[` (](--[a-z][a-z-]*)").FindAllStringSubmatch(readme(t), -1) {
		if !flags[f[1]] {
			t.Errorf("README.md tells of %s, which no verb takes", f[1])
		}
	}
}

func TestReadmeLinksToWhatIsThere(t *testing.T) {
	for _, l := range regexp.MustCompile(`(?:\]\(|src="|href=")([^)"#:]+)[)"]`).FindAllStringSubmatch(readme(t), -1) {
		if _, err := os.Stat(filepath.Join("..", l[1])); err != nil {
			t.Error(err)
		}
	}
}

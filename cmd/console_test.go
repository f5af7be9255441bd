package cmd

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"postern/tui"
)

// verbTrees are the commands of the machine's own command line and those of the
// process that holds the data. Nothing in them is carried out.
func verbTrees(t *testing.T) (typed, held *cobra.Command) {
	t.Helper()
	catalog, err := tui.LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{dict: catalog.Dict("en"), catalog: catalog}
	idle := verbSet{dict: p.dict, run: func(*cobra.Command, []string, deed) error { return nil }}
	typed = &cobra.Command{Use: "postern"}
	for _, name := range []string{"config", "data", "log-level"} {
		typed.PersistentFlags().String(name, "", "")
	}
	held = &cobra.Command{Use: "postern"}
	for _, root := range []*cobra.Command{typed, held} {
		root.PersistentFlags().Bool("json", false, "")
		root.AddCommand(idle.all()...)
	}
	return typed, held
}

// leaves are the commands that do something.
func leaves(c *cobra.Command) (list []*cobra.Command) {
	if !c.HasSubCommands() {
		return []*cobra.Command{c}
	}
	for _, sub := range c.Commands() {
		list = append(list, leaves(sub)...)
	}
	return list
}

// unlike are values of a flag that are not what it has by itself, as awkward as
// its type allows.
func unlike(t *testing.T, f *pflag.Flag) []string {
	t.Helper()
	switch kind := f.Value.Type(); kind {
	case "string":
		return []string{`--a, "b"=[c:d] ` + "\n é"}
	case "int":
		return []string{"-7"}
	case "bool":
		return []string{fmt.Sprint(f.DefValue != "true")}
	case "stringArray":
		return []string{"reader:view", `editor:view,"edit" x=[y]`, ""}
	default:
		t.Errorf("--%s is of type %s: say here what it may be", f.Name, kind)
		return nil
	}
}

// flagValues are the flags that were given, with their values.
func flagValues(cmd *cobra.Command) map[string][]string {
	out := map[string][]string{}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if several, is := f.Value.(pflag.SliceValue); is {
			out[f.Name] = several.GetSlice()
		} else {
			out[f.Name] = []string{f.Value.String()}
		}
	})
	return out
}

// Every flag of every verb comes through to the process that holds the data as it
// was typed, and so do arguments. The weakness: --role came as [reader:view].
func TestEveryFlagComesThroughAsItWasTyped(t *testing.T) {
	_, held := verbTrees(t)
	for _, leaf := range leaves(held) {
		path := strings.Fields(leaf.CommandPath())[1:]
		typed, held := verbTrees(t)
		cmd, _, err := typed.Find(path)
		if err != nil {
			t.Fatal(err)
		}
		line := []string{"--json", "--data=/elsewhere", "--config=x", "--log-level=debug"}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if cmd.InheritedFlags().Lookup(f.Name) != nil {
				return
			}
			for _, value := range unlike(t, f) {
				line = append(line, "--"+f.Name+"="+value)
			}
		})
		args := []string{"-x", "--json=false", "", "a b"}
		if err := cmd.ParseFlags(append(append(line, "--"), args...)); err != nil {
			t.Fatalf("%v: %v", path, err)
		}
		want := flagValues(cmd)
		for _, own := range []string{"data", "config", "log-level"} {
			delete(want, own)
		}
		there, rest, err := held.Find(commandLine(cmd, cmd.Flags().Args()))
		if err != nil || there.CommandPath() != leaf.CommandPath() {
			t.Fatalf("%v: came as %v, %v", path, there.CommandPath(), err)
		}
		if err := there.ParseFlags(rest); err != nil {
			t.Errorf("%v: %v", path, err)
		}
		if got := flagValues(there); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("%v:\ntyped %q\ncame  %q", path, want, got)
		}
		if got := there.Flags().Args(); !slices.Equal(got, args) {
			t.Errorf("%v: the arguments came as %q", path, got)
		}
	}
}

// The roles of an app are given while the portal is served.
func TestRolesAreGivenWhileThePortalIsServed(t *testing.T) {
	t.Parallel()
	h := settled(t)
	h.serve()
	for _, line := range [][]string{
		{"app", "create", "Archive", "--owner", "ada", "--role", "reader:view"},
		{"app", "set", "archive", "--role", "reader:view", "--role", "editor:view,edit"},
	} {
		if out, errw, code := h.run(line...); code != exitOK {
			t.Errorf("%v: exit %d\n%s%s", line, code, out, errw)
		}
	}
	if out, errw, _ := h.run("app", "show", "archive"); !strings.Contains(out, "reader: view, editor: view edit") {
		t.Errorf("%s%s", out, errw)
	}
}

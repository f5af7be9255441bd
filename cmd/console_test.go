package cmd

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"postern/tui"
)

// verbTrees are the commands of the machine's own command line and those of the
// process that holds the data. Nothing in them is carried out.
func verbTrees(d *tui.Dict) (typed, held *cobra.Command) {
	idle := verbSet{dict: d, run: func(*cobra.Command, []string, deed) error { return nil }}
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
	catalog, err := tui.LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	d := catalog.Dict("en")
	_, held := verbTrees(d)
	for _, leaf := range leaves(held) {
		path := strings.Fields(leaf.CommandPath())[1:]
		typed, held := verbTrees(d)
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

// What the console says to a long line is the same, whoever carries it out. The
// weakness: more than 64 arguments, or one of more than 8 KiB, were said to have
// been lost with the process that holds the data; so was what this side could not
// write, and a file's name came as another one when it was not UTF-8.
func TestLongLinesAndFullDisksAreAnsweredTheSameWithAServer(t *testing.T) {
	t.Parallel()
	h := settled(t)
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("this system has no /dev/full")
	}
	strange := filepath.Join(h.dir, "caf\xe9\n")
	if err := os.Mkdir(strange, 0o700); err != nil {
		t.Fatal(err)
	}
	many := []string{"user", "unlock"}
	for i := range 10_000 {
		many = append(many, fmt.Sprintf("somebody-%05d", i))
	}
	lines := []struct {
		name string
		args []string
		to   string // where standard output goes
		says string
		code int
	}{
		{"a long word", []string{"user", "list", "--search", strings.Repeat("a", 100_000)}, "", "128 characters at most", exitRefused},
		{"64 people", append([]string{"user", "unlock"}, slices.Repeat([]string{"ada"}, 64)...), "", "1 account", exitOK},
		{"hundreds", many[:502], "", "500", exitRefused},
		{"one more", append(many, "ada"), "", "1-10000", exitRefused},
		{"an export to a full disk", []string{"audit", "export", "--format", "csv"}, "/dev/full", "could not be written in full", exitRefused},
		{"a list to a full disk", []string{"user", "list"}, "/dev/full", "could not be written in full", exitRefused},
		{"data for a script to a full disk", []string{"user", "list", "--json"}, "/dev/full", "could not be written in full", exitRefused},
		{"a strange directory", []string{"user", "list"}, "", "Lin", exitOK},
		{"a strange file", []string{"import", "\xff.csv"}, "", `\x{ff}.csv`, exitRefused},
	}
	type answer struct {
		said string
		code int
	}
	run := func() map[string]answer {
		all := map[string]answer{}
		for _, l := range lines {
			cmd := h.command(l.args...)
			cmd.Dir = strange
			var said bytes.Buffer
			cmd.Stdout, cmd.Stderr = &said, &said
			if l.to != "" {
				f, err := os.OpenFile(l.to, os.O_WRONLY, 0)
				if err != nil {
					t.Fatal(err)
				}
				cmd.Stdout = f
				defer f.Close()
			}
			_ = cmd.Run() // its code tells
			got := answer{said.String(), cmd.ProcessState.ExitCode()}
			if got.code != l.code || !strings.Contains(got.said, l.says) {
				t.Errorf("%s: exit %d\n%.300s", l.name, got.code, got.said)
			}
			all[l.name] = got
		}
		return all
	}
	alone := run()
	h.serve()
	for name, got := range run() {
		if got != alone[name] {
			t.Errorf("%s:\nalone:  %.300v\nserved: %.300v", name, alone[name], got)
		}
	}
}

// More than a request holds is refused with what to do, before anything is sent.
func TestMoreThanTheHolderTakesAtOnceIsSaid(t *testing.T) {
	t.Parallel()
	h := settled(t)
	h.serve()
	// Only a shell that raises its own limit can type so much at all.
	script := `ulimit -s 65536 || exit 77; a=$(head -c 120000 /dev/zero | tr '\0' a); exec postern user unlock ` + strings.Repeat(`"$a" `, 20)
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Env, cmd.Dir = h.env, h.dir
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() == 77 {
		t.Skip("the limit cannot be raised here")
	}
	if cmd.ProcessState.ExitCode() != exitRefused || !strings.Contains(string(out), "2,048 KiB at most") {
		t.Errorf("%v\n%.300s", err, out)
	}
}

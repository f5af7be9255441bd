package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"postern/cmd/sshd"
	"postern/core/signature"
)

// TestScripts drives the program as scripts do. Besides the usual commands:
//
//	settle [DIR]        sets a portal up (lin owns it, ada and bob are members)
//	json PATH VALUE     the last output is one JSON document with VALUE at PATH
//	truncate FILE N     cuts a file
//	flip FILE FROM TO   flips the bits of some bytes
//	hostkey FILE        writes the public key that the portal signs with
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			for _, dir := range []string{"data", "state", "config"} {
				e.Setenv("XDG_"+strings.ToUpper(dir)+"_HOME", filepath.Join(e.WorkDir, dir))
			}
			e.Setenv("DATA", filepath.Join(e.WorkDir, "data", "postern"))
			e.Setenv("TZ", "UTC")
			e.Setenv("LANG", "en_US.UTF-8")
			e.Setenv("POSTERN_HASH_MEMORY", "19")
			e.Setenv("POSTERN_HASH_TIME", "2")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"settle": func(ts *testscript.TestScript, _ bool, args []string) {
				dir := ts.Getenv("DATA")
				if len(args) > 0 {
					dir = ts.MkAbs(args[0])
				}
				ts.Check(settle(dir, "", ""))
			},
			"json":     checkJSON,
			"truncate": truncate,
			"flip":     flip,
			"hostkey": func(ts *testscript.TestScript, _ bool, args []string) {
				key, err := sshd.LoadHostKey(filepath.Join(ts.Getenv("DATA"), hostKeyFile))
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(signature.New(key).PublicKey()+"\n"), 0o600))
			},
		},
		Condition: func(cond string) (bool, error) { return cond == "root" && os.Getuid() == 0, nil },
	})
}

// checkJSON looks into the last standard output: json error.code not_found.
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: json PATH VALUE")
	}
	var doc any
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		ts.Fatalf("not JSON: %v\n%s", err, ts.ReadFile("stdout"))
	}
	if d.More() {
		ts.Fatalf("more than one document:\n%s", ts.ReadFile("stdout"))
	}
	for _, step := range strings.Split(args[0], "/") {
		switch v := doc.(type) {
		case map[string]any:
			doc = v[step]
		case []any:
			if step == "len" {
				doc = len(v)
				continue
			}
			n := int(step[0] - '0')
			if n >= len(v) {
				ts.Fatalf("no element %s in:\n%s", step, ts.ReadFile("stdout"))
			}
			doc = v[n]
		}
	}
	got := "null"
	if doc != nil {
		b, err := json.Marshal(doc)
		ts.Check(err)
		got = strings.Trim(string(b), `"`)
	}
	if (got == args[1]) == neg {
		ts.Fatalf("%s is %s, want %s (negated: %v)", args[0], got, args[1], neg)
	}
}

func truncate(ts *testscript.TestScript, _ bool, args []string) {
	var n int64
	ts.Check(json.Unmarshal([]byte(args[1]), &n))
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

func flip(ts *testscript.TestScript, _ bool, args []string) {
	var from, to int64
	ts.Check(json.Unmarshal([]byte(args[1]), &from))
	ts.Check(json.Unmarshal([]byte(args[2]), &to))
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_RDWR, 0)
	ts.Check(err)
	defer f.Close()
	b := make([]byte, to-from)
	_, err = f.ReadAt(b, from)
	ts.Check(err)
	for i := range b {
		b[i] ^= 0xff
	}
	_, err = f.WriteAt(b, from)
	ts.Check(err)
}

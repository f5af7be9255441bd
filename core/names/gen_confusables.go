//go:build ignore

// This program makes data/confusables.txt from confusables.txt of Unicode's
// security data (https://www.unicode.org/Public/security/):
//
//	go run gen_confusables.go -in confusables.txt -out data/confusables.txt
//
// It keeps what names.Fold can leave of a string and follows each character to
// the end: what it looks like is folded and looked up again until it stays.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"

	"postern/core/names"

	"golang.org/x/text/unicode/norm"
)

func main() {
	in := flag.String("in", "confusables.txt", "Unicode's confusables.txt")
	out := flag.String("out", "data/confusables.txt", "file to write")
	flag.Parse()

	table, version := read(*in)
	// Ours: names are shown in lower case but typed in either, and "I" is "l".
	table['i'] = "l"
	table['w'] = "vv"

	sources := make([]rune, 0, len(table))
	for r := range table {
		sources = append(sources, r)
	}
	slices.Sort(sources)

	var b strings.Builder
	fmt.Fprintf(&b, "# Confusable characters, from confusables.txt of Unicode %s, reduced by gen_confusables.go.\n", version)
	fmt.Fprintf(&b, "# © Unicode, Inc. See LICENSE-Unicode.txt beside this file.\n")
	for _, r := range sources {
		s := string(r)
		if names.Fold(s) != s {
			continue // It never gets as far as the table.
		}
		if to := settle(table, s); to != s {
			fmt.Fprintf(&b, "%04X;%s\n", r, hex(to))
		}
	}
	if err := os.WriteFile(*out, []byte(b.String()), 0o644); err != nil {
		log.Fatal(err)
	}
}

// read returns the table and the version of the file.
func read(path string) (table map[rune]string, version string) {
	f, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	table = make(map[rune]string)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimPrefix(lines.Text(), "\ufeff")
		if v, ok := strings.CutPrefix(line, "# Version: "); ok {
			version = v
		}
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Split(line, ";")
		if len(fields) < 2 {
			continue
		}
		from := runes(fields[0])
		if len(from) != 1 {
			log.Fatalf("a source of several characters: %q", line)
		}
		table[from[0]] = string(runes(fields[1]))
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
	return table, version
}

// settle replaces every character of s by what it looks like until nothing changes.
func settle(table map[rune]string, s string) string {
	for range 10 {
		var b strings.Builder
		for _, r := range names.Fold(s) {
			if to, ok := table[r]; ok {
				b.WriteString(to)
			} else {
				b.WriteRune(r)
			}
		}
		next := norm.NFD.String(names.Fold(b.String()))
		if next == s {
			return s
		}
		s = next
	}
	log.Fatalf("%q looks like something else without end", s)
	return ""
}

func runes(hex string) (out []rune) {
	for _, h := range strings.Fields(hex) {
		n, err := strconv.ParseUint(h, 16, 21)
		if err != nil {
			log.Fatal(err)
		}
		out = append(out, rune(n))
	}
	return out
}

func hex(s string) string {
	var out []string
	for _, r := range s {
		out = append(out, fmt.Sprintf("%04X", r))
	}
	return strings.Join(out, " ")
}

package names

import (
	_ "embed"
	"strings"
	"sync"
)

// reservedText holds the names that no account may have, one a line.
//
//go:embed data/reserved.txt
var reservedText string

// reserved is the set of their skeletons.
var reserved = sync.OnceValue(func() map[string]bool {
	set := make(map[string]bool)
	for line := range strings.Lines(reservedText) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			set[bare(line)] = true
		}
	}
	return set
})

// Reserved says whether a name is one that speaks for the portal, its operators
// or a role account of RFC 2142, or looks like one: it compares skeletons, and
// the signs ". _ -" make no difference.
func Reserved(name string) bool { return reserved()[bare(name)] }

// bare is the skeleton of a name without its signs.
func bare(name string) string {
	return strings.NewReplacer(".", "", "_", "", "-", "").Replace(Skeleton(name))
}

package password

import (
	_ "embed"
	"sort"
	"strings"
)

//go:generate go run gen_common.go -npm passwords.json -out data/common.txt

// commonList holds the passwords that everybody tries first, folded, sorted and
// without duplicates, one a line. It is searched where it lies in the binary:
// nothing is unpacked and no memory is taken. data/README.md names its sources.
//
//go:embed data/common.txt
var commonList string

// Common says whether pw is one of some 48,000 passwords that attackers try
// first, also in another case, with accents, or with digits and signs for letters
// (ASVS 6.2.4). It takes about a microsecond.
func Common(pw string) bool { return common(Fold(pw)) }

func common(pw string) bool {
	if pw == "" || strings.ContainsRune(pw, '\n') {
		return false
	}
	// Search among the bytes for the first whose line does not sort before pw.
	i := sort.Search(len(commonList), func(i int) bool { return lineAt(i) >= pw })
	return i < len(commonList) && lineAt(i) == pw
}

// lineAt returns the line that the i-th byte of commonList belongs to.
func lineAt(i int) string {
	start := strings.LastIndexByte(commonList[:i], '\n') + 1
	end := strings.IndexByte(commonList[i:], '\n')
	return commonList[start : i+end]
}

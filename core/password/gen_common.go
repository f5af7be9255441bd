//go:build ignore

// This program makes data/common.txt from the passwords that zxcvbn carries and
// from passwords.json of the npm package @zxcvbn-ts/language-common:
//
//	npm pack @zxcvbn-ts/language-common@3.0.4
//	tar xf zxcvbn-ts-language-common-3.0.4.tgz package/src/passwords.json
//	go run gen_common.go -npm package/src/passwords.json -out data/common.txt
package main

import (
	"encoding/json"
	"flag"
	"log"
	"os"
	"slices"
	"strings"

	"postern/core/password"

	"github.com/trustelem/zxcvbn/frequency"
)

func main() {
	npm := flag.String("npm", "passwords.json", "passwords.json of @zxcvbn-ts/language-common")
	out := flag.String("out", "data/common.txt", "file to write")
	flag.Parse()

	raw, err := os.ReadFile(*npm)
	if err != nil {
		log.Fatal(err)
	}
	var list []string
	if err := json.Unmarshal(raw, &list); err != nil {
		log.Fatal(err)
	}
	list = append(list, frequency.FrequencyLists["passwords"]...)
	for i, pw := range list {
		list[i] = password.Fold(pw)
	}
	slices.Sort(list)
	list = slices.DeleteFunc(slices.Compact(list), func(pw string) bool {
		return pw == "" || strings.ContainsAny(pw, "\r\n")
	})
	if err := os.WriteFile(*out, []byte(strings.Join(list, "\n")+"\n"), 0o644); err != nil {
		log.Fatal(err)
	}
}

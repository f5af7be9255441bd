package core

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"postern/store"
	"postern/store/memory"
)

// What a glimpse shows of a record is what the record says, whatever people write
// into its other fields, and call their own.
func TestAGlimpseIsWhatTheRecordSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		text := func(what string) string {
			return rapid.OneOf(rapid.SampledFrom([]string{
				"", "01JGB0000000000000000000", `"until":"`, `","disabled":"2020-01-01T00:00:00Z`, `\`, `a\"account":"b`, "<R&D>", "até já", `{"fields":{`,
			}), rapid.String()).Draw(r, what)
		}
		moment := func(what string) time.Time {
			if rapid.Bool().Draw(r, what+" never") {
				return time.Time{}
			}
			at := time.Unix(rapid.Int64Range(0, 4e9).Draw(r, what), rapid.Int64Range(0, 1e9-1).Draw(r, what+" ns"))
			return at.In(time.FixedZone("", 3600*rapid.IntRange(-11, 11).Draw(r, what+" zone")))
		}
		own := map[string]string{}
		for range rapid.IntRange(0, 2).Draw(r, "own fields") {
			own[rapid.SampledFrom([]string{"imported", "created", "user_name", "city"}).Draw(r, "own field")] = text("own text")
		}
		g := Grant{ID: text("id"), App: text("app"), Account: text("account"), Role: Role(text("role")), By: text("by"), Created: moment("created"), From: moment("from"), Until: moment("until"), Ended: moment("ended")}
		f := factorRecord{Factor: Factor{ID: text("id"), Account: text("account"), Kind: FactorKind(text("kind")), Label: text("label"), Address: text("address"), Created: moment("created"), Disabled: moment("disabled")}, Secret: []byte(text("secret"))}
		k := LinkedKey{Fingerprint: text("fingerprint"), Line: text("line"), Account: text("account"), Label: text("label"), Created: moment("created"), Until: moment("until"), Ended: moment("ended")}
		a := Account{ID: text("id"), UserName: text("name"), DisplayName: text("display name"), Why: text("why"), State: StateActive, Created: moment("created"), Imported: moment("imported"), Fields: own}

		var gotG grantGlimpse
		var gotF factorGlimpse
		var gotK keyGlimpse
		var gotA accountGlimpse
		seen(r, "grant", 1, g, &gotG)
		seen(r, "factor", 1, f, &gotF)
		seen(r, "key", 2, k, &gotK)
		seen(r, "account", 2, a, &gotA)
		same(r, "grant", fmt.Sprint(gotG.App, gotG.Account, gotG.Role), fmt.Sprint(whole(r, g).App, whole(r, g).Account, whole(r, g).Role))
		same(r, "grant's times", times(gotG.Created, gotG.From, gotG.Until, gotG.Ended), times(g.Created, g.From, g.Until, g.Ended))
		same(r, "factor", fmt.Sprint(gotF.Account, gotF.Kind, times(gotF.Disabled)), fmt.Sprint(whole(r, f).Account, whole(r, f).Kind, times(f.Disabled)))
		same(r, "key", fmt.Sprint(gotK.Account, times(gotK.Until, gotK.Ended)), fmt.Sprint(whole(r, k).Account, times(k.Until, k.Ended)))
		same(r, "account", fmt.Sprint(gotA.UserName, times(gotA.Created, gotA.Imported)), fmt.Sprint(whole(r, a).UserName, times(a.Created, a.Imported)))
	})
}

func same(r *rapid.T, what, got, want string) {
	if r.Helper(); got != want {
		r.Fatalf("the %s is seen as %q, and is %q", what, got, want)
	}
}

func times(at ...time.Time) (s string) {
	for _, t := range at {
		s += t.UTC().Format(time.RFC3339Nano) + " "
	}
	return s
}

// seen writes a record into a table and reads it through another of that name.
func seen[T, G any](r *rapid.T, table string, version int, v T, into *G) {
	err := memory.New().Update(context.Background(), func(tx store.Tx) (err error) {
		if err = store.NewTable[T](table, version).Insert(tx, "1", v); err == nil {
			*into, err = store.NewTable[G](table, version).Get(tx, "1")
		}
		return err
	})
	if err != nil {
		r.Fatal(err)
	}
}

// whole is a record as it is read whole: text that is no UTF-8 is mended.
func whole[T any](r *rapid.T, v T) (back T) {
	seen(r, "whole", 1, v, &back)
	return back
}

// Records of which a walk over all of them needs a few fields only. To read a record
// whole takes most of such a walk; these tables are for reading, and nothing is ever
// written by them.

package core

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"postern/store"
)

// glimpse takes single fields out of the JSON of a record, as it is written: without
// spaces, each name once, a quote inside of a text never bare. So `"name":"` stands
// before the text of that field and nowhere else, unless a record has fields that
// people name (see accountGlimpse).
type glimpse struct {
	record []byte
	odd    bool  // a text is written with escapes: the record has to be read whole
	err    error // of a moment that is none
}

// text returns the text behind a name, which is handed over as it is written:
// `"name":"`; "" where the record has it not.
func (g *glimpse) text(name string) string { return string(g.raw(name)) }

// time is text for a moment.
func (g *glimpse) time(name string) (at time.Time) {
	if raw := g.raw(name); len(raw) > 0 && g.err == nil {
		g.err = at.UnmarshalText(raw)
	}
	return at
}

func (g *glimpse) raw(name string) []byte {
	i := bytes.Index(g.record, []byte(name))
	if i < 0 {
		return nil
	}
	rest := g.record[i+len(name):]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		g.err = errors.New("core: a text without an end")
		return nil
	}
	if bytes.IndexByte(rest[:end], '\\') >= 0 {
		g.odd = true
		return nil
	}
	return rest[:end]
}

// into ends the reading: where it cannot be trusted, whole is read from the record.
func (g *glimpse) into(whole any) error {
	if g.odd {
		return json.Unmarshal(g.record, whole)
	}
	return g.err
}

// grantGlimpse is a grant without its id and who gave it.
type grantGlimpse Grant

// ReadPart implements store.PartReader.
func (v *grantGlimpse) ReadPart(record []byte) error {
	g := glimpse{record: record}
	v.App, v.Account, v.Role = g.text(`"app":"`), g.text(`"account":"`), Role(g.text(`"role":"`))
	v.Created, v.From = g.time(`"created":"`), g.time(`"from":"`)
	v.Until, v.Ended = g.time(`"until":"`), g.time(`"ended":"`)
	return g.into((*Grant)(v))
}

// factorGlimpse is a factor of which only is known what it is and whether it counts.
type factorGlimpse factorRecord

// ReadPart implements store.PartReader.
func (v *factorGlimpse) ReadPart(record []byte) error {
	g := glimpse{record: record}
	v.Account, v.Kind, v.Disabled = g.text(`"account":"`), FactorKind(g.text(`"kind":"`)), g.time(`"disabled":"`)
	return g.into((*factorRecord)(v))
}

// keyGlimpse is a linked key of which only is known whether it has ended.
type keyGlimpse LinkedKey

// ReadPart implements store.PartReader.
func (v *keyGlimpse) ReadPart(record []byte) error {
	g := glimpse{record: record}
	v.Account, v.Until, v.Ended = g.text(`"account":"`), g.time(`"until":"`), g.time(`"ended":"`)
	return g.into((*LinkedKey)(v))
}

// accountGlimpse is an account's name, and when it came.
type accountGlimpse Account

// ReadPart implements store.PartReader. The names of an account's own fields are
// people's: one of them may be called as what is looked for.
func (v *accountGlimpse) ReadPart(record []byte) error {
	g := glimpse{record: record, odd: bytes.Contains(record, []byte(`"fields":{`))}
	v.UserName, v.Created, v.Imported = g.text(`"user_name":"`), g.time(`"created":"`), g.time(`"imported":"`)
	return g.into((*Account)(v))
}

var (
	grantGlimpses = store.NewTable("grant", 1,
		store.Index[grantGlimpse]{Name: "account", Keys: func(g grantGlimpse) []string { return Grant(g).ifHeld(g.Account) }})
	factorGlimpses = store.NewTable("factor", 1,
		store.Index[factorGlimpse]{Name: "account", Keys: func(f factorGlimpse) []string { return []string{f.Account} }})
	keyGlimpses = store.NewTable("key", 2,
		store.Index[keyGlimpse]{Name: "account", Keys: func(k keyGlimpse) []string { return []string{k.Account} }})
	accountGlimpses = store.NewTable[accountGlimpse]("account", 2)
)

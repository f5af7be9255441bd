// The words. Catalogs are TOML files under lang/, a directory a language and a
// file a room, read once by a door and shared by all its sessions. English is
// complete; the tests hold the others to it.

package tui

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed lang
var langFiles embed.FS

// Language is one that a person can choose.
type Language struct {
	Tag  string // BCP 47, such as "pt-BR"
	Name string // in its own tongue
}

// Catalog holds the words of all languages. It does not change once it is made,
// and any number of sessions read it.
type Catalog struct {
	bundle  *i18n.Bundle
	tags    []language.Tag // English first
	names   []Language
	matcher language.Matcher
	plain   []map[string]string        // by language: messages without placeholders or plurals
	all     []map[string]*i18n.Message // by language
	// Strict makes missing keys visible in every language; the tests set it.
	Strict bool
}

// LoadCatalog reads the words that are part of the program.
func LoadCatalog() (*Catalog, error) {
	files, err := fs.Sub(langFiles, "lang")
	if err != nil {
		return nil, err
	}
	return ReadCatalog(files)
}

// ReadCatalog reads <tag>/<room>.toml files from files. It fails when one does
// not parse, when a key stands twice in a language, and when there is no "en".
func ReadCatalog(files fs.FS) (*Catalog, error) {
	c := &Catalog{bundle: i18n.NewBundle(language.English)}
	dirs, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, err
	}
	c.tags = []language.Tag{language.English}
	for _, d := range dirs {
		tag, err := language.Parse(d.Name())
		if err != nil {
			return nil, fmt.Errorf("catalog %s: %w", d.Name(), err)
		}
		if tag != language.English {
			c.tags = append(c.tags, tag)
		}
	}
	for _, tag := range c.tags {
		if err := c.read(files, tag); err != nil {
			return nil, err
		}
	}
	c.matcher = language.NewMatcher(c.tags)
	return c, nil
}

func (c *Catalog) read(files fs.FS, tag language.Tag) error {
	names, err := fs.Glob(files, tag.String()+"/*.toml")
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("catalog %s: no words", tag)
	}
	plain, all := map[string]string{}, map[string]*i18n.Message{}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		var tree map[string]any
		if err := toml.Unmarshal(data, &tree); err != nil {
			return fmt.Errorf("catalog %s: %w", name, err)
		}
		messages, err := flatten("", tree)
		if err != nil {
			return fmt.Errorf("catalog %s: %w", name, err)
		}
		for _, m := range messages {
			if _, twice := all[m.ID]; twice {
				return fmt.Errorf("catalog %s: %s stands twice", name, m.ID)
			}
			// Spanish and Portuguese have a form for round millions that hardly
			// any sentence needs; go-i18n says nothing at all without it.
			if m.One != "" && m.Many == "" {
				m.Many = m.Other
			}
			all[m.ID] = m
			if text, ok := withoutArgs(m); ok {
				plain[m.ID] = text
			}
		}
		if err := c.bundle.AddMessages(tag, messages...); err != nil {
			return fmt.Errorf("catalog %s: %w", name, err)
		}
	}
	c.plain, c.all = append(c.plain, plain), append(c.all, all)
	c.names = append(c.names, Language{tag.String(), plain["language.name"]})
	return nil
}

// flatten turns nested tables into messages with dotted keys. A table with
// "other" and nothing but plural forms beside it is one message. go-i18n's own
// reader is not used: it takes a file apart differently as soon as a key
// happens to be called "other" or "id".
func flatten(prefix string, tree map[string]any) ([]*i18n.Message, error) {
	if m := plural(prefix, tree); m != nil {
		return []*i18n.Message{m}, nil
	}
	var out []*i18n.Message
	for name, v := range tree {
		key := strings.TrimPrefix(prefix+"."+name, ".")
		switch v := v.(type) {
		case string:
			out = append(out, &i18n.Message{ID: key, Other: v})
		case map[string]any:
			inner, err := flatten(key, v)
			if err != nil {
				return nil, err
			}
			out = append(out, inner...)
		default:
			return nil, fmt.Errorf("%s is neither words nor a table", key)
		}
	}
	return out, nil
}

// plural returns the message that a table of plural forms is, or nil.
func plural(key string, tree map[string]any) *i18n.Message {
	m := &i18n.Message{ID: key}
	forms := map[string]*string{"zero": &m.Zero, "one": &m.One, "two": &m.Two, "few": &m.Few, "many": &m.Many, "other": &m.Other}
	for name, v := range tree {
		text, ok := v.(string)
		if !ok || forms[name] == nil {
			return nil
		}
		*forms[name] = text
	}
	if m.Other == "" {
		return nil
	}
	return m
}

// withoutArgs returns a message's text if it is the same for all arguments.
func withoutArgs(m *i18n.Message) (string, bool) {
	if m.Zero+m.One+m.Two+m.Few+m.Many != "" || strings.Contains(m.Other, "{{") {
		return "", false
	}
	return m.Other, true
}

// Languages returns what a person can choose from, English first.
func (c *Catalog) Languages() []Language { return append([]Language(nil), c.names...) }

// Messages returns all messages of the language tag, by key. They must not be changed.
func (c *Catalog) Messages(tag string) map[string]*i18n.Message {
	for i, t := range c.tags {
		if t.String() == tag {
			return c.all[i]
		}
	}
	return nil
}

// Match returns the tag that suits an environment best: LC_ALL, then
// LC_MESSAGES, then LANG, as POSIX orders them. C and POSIX mean English.
func (c *Catalog) Match(env []string) string {
	get := environ(env)
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := get(name); v != "" {
			v, _, _ = strings.Cut(v, ".")
			v, _, _ = strings.Cut(v, "@")
			return c.Closest(v)
		}
	}
	return c.Closest("en")
}

// Closest returns the tag of the language that reads best to somebody who asked
// for tag. Nonsense is English.
func (c *Catalog) Closest(tag string) string {
	want, err := language.Parse(strings.ReplaceAll(tag, "_", "-"))
	if err != nil {
		return c.tags[0].String()
	}
	_, i, confidence := c.matcher.Match(want)
	if confidence == language.No {
		i = 0
	}
	return c.tags[i].String()
}

// The words. Catalogs are TOML files under lang/, a directory a language and a
// file a room, read once by a door and shared by all its sessions. English is
// complete; the tests hold the others to it.

package tui

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

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

// Catalog holds the words of all languages, and any number of sessions read it.
// A language is read when somebody first speaks it: most portals speak one or
// two, and the words of all of them would be a fifth of the time to the first frame.
type Catalog struct {
	files   fs.FS
	tags    []language.Tag // English first
	names   []Language
	matcher language.Matcher
	spoken  []*words // by language
	// Strict makes missing keys visible in every language; the tests set it.
	Strict bool
}

// words are those of one language.
type words struct {
	once   sync.Once
	err    error
	bundle *i18n.Bundle
	plain  map[string]string        // messages without placeholders or plurals
	all    map[string]*i18n.Message // nil while there are none
}

// LoadCatalog opens the words that are part of the program. English is read now;
// the tests see to it that the others can be.
func LoadCatalog() (*Catalog, error) {
	files, err := fs.Sub(langFiles, "lang")
	if err != nil {
		return nil, err
	}
	c, err := openCatalog(files)
	if err != nil {
		return nil, err
	}
	return c, c.words(0).err
}

// ReadCatalog reads <tag>/<room>.toml files from files, all of them. It fails
// when one does not parse, when a key stands twice in a language, and when there
// is no "en".
func ReadCatalog(files fs.FS) (*Catalog, error) {
	c, err := openCatalog(files)
	if err != nil {
		return nil, err
	}
	for i := range c.tags {
		if err := c.words(i).err; err != nil {
			return nil, err
		}
	}
	return c, nil
}

// openCatalog finds out which languages there are.
func openCatalog(files fs.FS) (*Catalog, error) {
	c := &Catalog{files: files, tags: []language.Tag{language.English}}
	dirs, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, err
	}
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
		name, err := nameOf(files, tag)
		if err != nil {
			return nil, err
		}
		c.names = append(c.names, Language{tag.String(), name})
		c.spoken = append(c.spoken, &words{})
	}
	c.matcher = language.NewMatcher(c.tags)
	return c, nil
}

// nameFile is the room in which a language says its own name.
const nameFile = "kit.toml"

// nameOf reads a language's name in its own tongue. A catalog without that room
// has none; the tests of the program's own see to it.
func nameOf(files fs.FS, tag language.Tag) (string, error) {
	data, err := fs.ReadFile(files, tag.String()+"/"+nameFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	messages, err := parse(data)
	if err != nil {
		return "", fmt.Errorf("catalog %s/%s: %w", tag, nameFile, err)
	}
	for _, m := range messages {
		if m.ID == "language.name" {
			return m.Other, nil
		}
	}
	return "", nil
}

// words returns those of a language, which are read now if they were not. When
// that fails there are none, and English is spoken in their place.
func (c *Catalog) words(i int) *words {
	w := c.spoken[i]
	w.once.Do(func() {
		if w.err = w.read(c.files, c.tags[i]); w.err != nil {
			w.bundle, w.plain, w.all = i18n.NewBundle(c.tags[i]), nil, nil
		}
	})
	return w
}

func (w *words) read(files fs.FS, tag language.Tag) error {
	names, err := fs.Glob(files, tag.String()+"/*.toml")
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("catalog %s: no words", tag)
	}
	w.bundle, w.plain, w.all = i18n.NewBundle(tag), map[string]string{}, map[string]*i18n.Message{}
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		messages, err := parse(data)
		if err != nil {
			return fmt.Errorf("catalog %s: %w", name, err)
		}
		for _, m := range messages {
			if _, twice := w.all[m.ID]; twice {
				return fmt.Errorf("catalog %s: %s stands twice", name, m.ID)
			}
			// Spanish and Portuguese have a form for round millions that hardly
			// any sentence needs; go-i18n says nothing at all without it.
			if m.One != "" && m.Many == "" {
				m.Many = m.Other
			}
			w.all[m.ID] = m
			if text, ok := withoutArgs(m); ok {
				w.plain[m.ID] = text
			}
		}
		if err := w.bundle.AddMessages(tag, messages...); err != nil {
			return fmt.Errorf("catalog %s: %w", name, err)
		}
	}
	return nil
}

// parse reads the messages of one room.
func parse(data []byte) ([]*i18n.Message, error) {
	var tree map[string]any
	if err := toml.Unmarshal(data, &tree); err != nil {
		return nil, err
	}
	return flatten("", tree)
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
			return c.words(i).all
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

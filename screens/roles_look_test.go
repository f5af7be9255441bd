package screens

import (
	"testing"

	"postern/tui/tuitest"
)

// The pages, for those who look at all of them.
func roleViews() map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
	list := func(t testing.TB, keys []string, opts ...tuitest.Option) *tuitest.Terminal {
		p := crew(t)
		e := p.env(t, opts...)
		v := p.at(t, e, p.justIn(t, "lin", goodPassword), NewRoles).WaitFor(e.T("roles.who"))
		for _, k := range keys {
			v.Press(k).Settle()
		}
		return v
	}
	open := func(keys ...string) func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal { return list(t, keys, opts...) }
	}
	return map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal{
		"roles":        open("end", "up"),
		"roles-ending": open("f"),
		"role":         open("enter"),
		"role-give":    open("n"),
		"role-change":  open("end", "up", "c"),
		"role-end":     open("end", "x"),
		"role-end-own": open("x"),
	}
}

func TestLookOfRoles(t *testing.T) {
	t.Parallel()
	for view, open := range roleViews() {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			for look, opts := range looks() {
				v := open(t, opts...)
				for _, size := range sizes() {
					v.Resize(size[0], size[1]).Golden(sizeName(look, size))
				}
			}
			for _, lang := range []string{"es", "pt-BR"} {
				open(t, tuitest.Lang(lang)).Golden(lang+"-80x24").Resize(60, 20).Golden(lang + "-60x20")
			}
		})
	}
}

func TestRolesFitEverySize(t *testing.T) {
	t.Parallel()
	for view, open := range roleViews() {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			open(t).Sizes()
		})
	}
}

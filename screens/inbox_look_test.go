package screens

import (
	"fmt"
	"testing"
	"time"

	"postern/core"
	"postern/tui"
	"postern/tui/tuitest"
)

// The pages, for those who look at all of them.
func postViews() map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
	inbox := func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
		p := newPost(t, nil)
		ada := p.somethingNew(t)
		v := p.at(t, p.env(t, opts...), ada, NewInbox)
		return v.Press("down").Settle()
	}
	outbox := func(t testing.TB, keys []string, opts ...tuitest.Option) *tuitest.Terminal {
		v, e := mixed(t).outboxOf(t, opts...)
		v.WaitFor(e.T("outbox.when"))
		for _, k := range keys {
			v.Press(k)
		}
		return v.Settle()
	}
	demo := func(t testing.TB, keys []string, opts ...tuitest.Option) *tuitest.Terminal {
		p := newPost(t, func(c *core.Config) { c.OpenOutbox = true })
		p.set(t, "messages.sms_allowance", "10")
		for i := range 9 {
			p.write(t, core.ServiceSMS, fmt.Sprintf("+44 20 7946 00%02d", i))
		}
		p.clock.Advance(time.Minute)
		v := p.on(t, p.env(t, opts...), NewOutbox)
		for _, k := range keys {
			v.Press(k)
		}
		return v.Settle()
	}
	return map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal{
		"inbox": inbox,
		"inbox-empty": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := newPost(t, nil)
			return p.at(t, p.env(t, opts...), p.signUp(t, "ada", otherPassword), NewInbox)
		},
		"notice": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal { return inbox(t, opts...).Press("enter") },
		"wishes": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := newPost(t, nil)
			v, _ := p.wishesAt(t, p.owner, opts...)
			return v.Press("m").Settle().Press("down", "up")
		},
		"outbox": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			return outbox(t, []string{"down", "down"}, opts...)
		},
		"outbox-message": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			return outbox(t, []string{"enter"}, opts...)
		},
		"outbox-hidden": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			return outbox(t, []string{"enter", "enter"}, opts...)
		},
		"outbox-none": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			return demo(t, []string{"f", "f"}, opts...)
		},
		"outbox-demo": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal { return demo(t, nil, opts...) },
		"outbox-text": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			return demo(t, []string{"enter", "enter"}, opts...)
		},
		"outbox-test": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			return outbox(t, []string{"T", "right"}, opts...)
		},
	}
}

func TestLookOfInboxAndOutbox(t *testing.T) {
	t.Parallel()
	for view, open := range postViews() {
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

func TestInboxAndOutboxFitEverySize(t *testing.T) {
	t.Parallel()
	for view, open := range postViews() {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			open(t).Sizes()
		})
	}
}

// Nothing is read, drawn or ticked while nobody does anything.
func TestIdleInboxAndOutboxAreStill(t *testing.T) {
	t.Parallel()
	o := mixed(t)
	for name, open := range map[string]func(*Env) tui.Screen{"inbox": NewInbox, "wishes": newWishes, "outbox": NewOutbox} {
		e := o.env(t)
		m := e.enter(t.Context(), e.Actor(), o.owner)
		if m.err != nil {
			t.Fatal(m.err)
		}
		e.adopt(m)
		c := &counted{Screen: open(e)}
		v := tuitest.Open(t, e.Session, c)
		time.Sleep(300 * time.Millisecond) // longer than a spinner takes to show itself
		v.Settle()
		before, view := c.messages, c.View()
		time.Sleep(300 * time.Millisecond)
		if v.Settle(); c.messages != before || c.View() != view {
			t.Errorf("%s: %d messages while idle", name, c.messages-before)
		}
	}
}

// Package ordered is an immutable sorted map from byte strings to values: a
// treap whose changes copy one path and share the rest. An old version stays as
// it was, so a snapshot and a rollback cost nothing.
package ordered

import (
	"hash/maphash"
	"iter"
)

// Map is one version of the map. The zero Map is empty. A Map is safe for
// concurrent use, since nothing ever changes it.
type Map[V any] struct {
	root *node[V]
	size int
}

type node[V any] struct {
	key         string
	value       V
	priority    uint64
	left, right *node[V]
}

// seed makes the priorities of keys unknown to whoever chooses the keys, so
// that nobody can shape the tree into a list.
var seed = maphash.MakeSeed()

// Len returns the number of keys.
func (m Map[V]) Len() int { return m.size }

// Get returns the value at key and whether it is there.
func (m Map[V]) Get(key string) (V, bool) {
	for n := m.root; n != nil; {
		switch {
		case key < n.key:
			n = n.left
		case key > n.key:
			n = n.right
		default:
			return n.value, true
		}
	}
	var none V
	return none, false
}

// Put returns a version in which key has the value.
func (m Map[V]) Put(key string, value V) Map[V] {
	root, added := put(m.root, key, value)
	if added {
		m.size++
	}
	m.root = root
	return m
}

// Delete returns a version without key.
func (m Map[V]) Delete(key string) Map[V] {
	if _, ok := m.Get(key); !ok {
		return m
	}
	m.root = remove(m.root, key)
	m.size--
	return m
}

// From yields the pairs whose keys are at or after start, in ascending order.
func (m Map[V]) From(start string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		from(m.root, start, yield)
	}
}

func from[V any](n *node[V], start string, yield func(string, V) bool) bool {
	if n == nil {
		return true
	}
	if n.key < start {
		return from(n.right, start, yield)
	}
	return from(n.left, start, yield) && yield(n.key, n.value) && from(n.right, start, yield)
}

// put copies the path to key. A new node rises above parents of lower priority.
func put[V any](n *node[V], key string, value V) (_ *node[V], added bool) {
	if n == nil {
		return &node[V]{key: key, value: value, priority: maphash.String(seed, key)}, true
	}
	c := *n
	switch {
	case key < n.key:
		c.left, added = put(n.left, key, value)
		if c.left.priority > c.priority {
			up := c.left // freshly made by put, so it may be changed
			c.left, up.right = up.right, &c
			return up, added
		}
	case key > n.key:
		c.right, added = put(n.right, key, value)
		if c.right.priority > c.priority {
			up := c.right
			c.right, up.left = up.left, &c
			return up, added
		}
	default:
		c.value = value
	}
	return &c, added
}

// remove copies the path to key, which is present, and joins what hung below it.
func remove[V any](n *node[V], key string) *node[V] {
	if key == n.key {
		return join(n.left, n.right)
	}
	c := *n
	if key < n.key {
		c.left = remove(n.left, key)
	} else {
		c.right = remove(n.right, key)
	}
	return &c
}

// join merges two trees of which all keys of a are before all keys of b.
func join[V any](a, b *node[V]) *node[V] {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.priority > b.priority:
		c := *a
		c.right = join(a.right, b)
		return &c
	default:
		c := *b
		c.left = join(a, b.left)
		return &c
	}
}

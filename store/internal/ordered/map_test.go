package ordered

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Every version of the map stays what it was, whatever is made of it later.
func TestVersions(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		type version struct {
			m     Map[int]
			model map[string]int
		}
		versions := []version{{Map[int]{}, map[string]int{}}}
		for i := range rapid.IntRange(1, 60).Draw(r, "steps") {
			v := versions[rapid.IntRange(0, len(versions)-1).Draw(r, "version")]
			key := rapid.StringMatching("[ab]{0,4}").Draw(r, "key")
			model := maps.Clone(v.model)
			if rapid.Bool().Draw(r, "delete") {
				delete(model, key)
				versions = append(versions, version{v.m.Delete(key), model})
			} else {
				model[key] = i
				versions = append(versions, version{v.m.Put(key, i), model})
			}
		}
		start := rapid.StringMatching("[ab]{0,4}").Draw(r, "start")
		for _, v := range versions {
			if v.m.Len() != len(v.model) {
				r.Fatalf("Len is %d, want %d", v.m.Len(), len(v.model))
			}
			var got, wanted []string
			for key, value := range v.m.From(start) {
				got = append(got, key)
				if value != v.model[key] {
					r.Fatalf("%q is %d, want %d", key, value, v.model[key])
				}
			}
			for _, key := range slices.Sorted(maps.Keys(v.model)) {
				if value, ok := v.m.Get(key); !ok || value != v.model[key] {
					r.Fatalf("Get(%q) is %d, %v", key, value, ok)
				}
				if key >= start {
					wanted = append(wanted, key)
				}
			}
			if !slices.Equal(got, wanted) {
				r.Fatalf("From(%q) is %q, want %q", start, got, wanted)
			}
			if _, ok := v.m.Get("absent"); ok {
				r.Fatal("an absent key is there")
			}
		}
	})
}

// The tree stays shallow when keys come in order.
func TestDepth(t *testing.T) {
	var m Map[int]
	for i := range 10_000 {
		m = m.Put(string([]byte{byte(i >> 8), byte(i)}), i)
	}
	if d := depth(m.root); d > 80 {
		t.Errorf("10,000 keys in order are %d deep", d)
	}
}

func depth[V any](n *node[V]) int {
	if n == nil {
		return 0
	}
	return 1 + max(depth(n.left), depth(n.right))
}

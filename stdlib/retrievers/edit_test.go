package retrievers

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestEdit: an edit makes of any index that of any corpus, keys ascend, and what is
// in both in one order stays.
func TestEdit(t *testing.T) {
	one := func(n int) hash { return hashOf(fmt.Sprint(n)) }
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) []hash {
			var out []hash
			for _, n := range rapid.SliceOfN(rapid.IntRange(0, 30), 0, 40).Draw(t, name) {
				out = append(out, one(n))
			}
			return out
		}
		a, b := draw("a"), draw("b")
		var old []stored
		key := int64(0)
		for _, h := range a {
			key += rapid.Int64Range(1, 40).Draw(t, "gap")
			old = append(old, stored{key, h})
		}
		e := editOf(old, b)
		now := map[int64]hash{}
		if !e.whole {
			for _, o := range old {
				now[o.key] = o.hash
			}
			for _, k := range e.deleted {
				delete(now, k)
			}
		}
		written := 0
		for i, h := range b {
			if e.fresh[i] {
				if _, taken := now[e.keys[i]]; taken {
					t.Fatalf("the key %d is taken", e.keys[i])
				}
				now[e.keys[i]] = h
				written++
			}
			if now[e.keys[i]] != h || i > 0 && e.keys[i] <= e.keys[i-1] || e.keys[i] <= 0 {
				t.Fatalf("place %d has the key %d after %v", i, e.keys[i], e.keys[:i])
			}
		}
		if len(now) != len(b) || written != e.written {
			t.Fatalf("the index has %d passages of %d; %d written, said %d", len(now), len(b), written, e.written)
		}
	})
	if e := editOf([]stored{{gap, one(1)}, {2 * gap, one(2)}}, []hash{one(1), one(3), one(2)}); e.whole || e.written != 1 || e.keys[1] != gap+gap/2 {
		t.Errorf("one between two is %+v", e)
	}
}

package index

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestEdit: an edit makes of any index that of any corpus, keys ascend, and what is
// in both in one order stays.
func TestEdit(t *testing.T) {
	one := func(n int) Hash { return HashOf(fmt.Sprint(n)) }
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) []Hash {
			var out []Hash
			for _, n := range rapid.SliceOfN(rapid.IntRange(0, 30), 0, 40).Draw(t, name) {
				out = append(out, one(n))
			}
			return out
		}
		a, b := draw("a"), draw("b")
		var old []Stored
		key := int64(0)
		for _, h := range a {
			key += rapid.Int64Range(1, 40).Draw(t, "gap")
			old = append(old, Stored{key, h})
		}
		e := EditOf(old, b)
		now := map[int64]Hash{}
		if !e.All {
			for _, o := range old {
				now[o.Key] = o.Hash
			}
			for _, k := range e.Deleted {
				delete(now, k)
			}
		}
		written := 0
		for i, h := range b {
			if e.Fresh[i] {
				if _, taken := now[e.Keys[i]]; taken {
					t.Fatalf("the key %d is taken", e.Keys[i])
				}
				now[e.Keys[i]] = h
				written++
			}
			if now[e.Keys[i]] != h || i > 0 && e.Keys[i] <= e.Keys[i-1] || e.Keys[i] <= 0 {
				t.Fatalf("place %d has the key %d after %v", i, e.Keys[i], e.Keys[:i])
			}
		}
		if len(now) != len(b) || written != e.Written {
			t.Fatalf("the index has %d passages of %d; %d written, said %d", len(now), len(b), written, e.Written)
		}
	})
	if e := EditOf([]Stored{{Gap, one(1)}, {2 * Gap, one(2)}}, []Hash{one(1), one(3), one(2)}); e.All || e.Written != 1 || e.Keys[1] != Gap+Gap/2 {
		t.Errorf("one between two is %+v", e)
	}
}

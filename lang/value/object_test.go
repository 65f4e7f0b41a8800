package value_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/dspi-lang/dspi/lang/value"
)

// An object with many names behaves as one with few.
func TestObject(t *testing.T) {
	for _, n := range []int{0, 1, 16, 17, 200} {
		var names []string
		var values []any
		set := value.MakeObject(n)
		for i := range n {
			name := "n" + strconv.Itoa(i)
			names, values = append(names, name), append(values, any(i))
			set.Set(name, -1)
			set.Set(name, i)
		}
		made := value.ObjectOf(names, values)
		if !value.Equal(set, made) || made.Len() != n || !slices.Equal(set.Names(), names) {
			t.Errorf("%d names: %s, %s", n, value.EncodeJSON(set), value.EncodeJSON(made))
		}
		if _, found := made.Get("m"); found {
			t.Errorf("%d names: a name that is not there was found", n)
		}
		other := value.ObjectOf(names, slices.Clone(values))
		clone := made.Clone()
		made.Set("m", "new")
		for _, o := range []*value.Object{other, clone} {
			o.Set("k", true)
			if v, _ := o.Get("k"); v != true || o.Len() != n+1 || !slices.Equal(o.Names(), append(slices.Clone(names), "k")) {
				t.Errorf("%d names: %s", n, value.EncodeJSON(o))
			}
		}
		if v, _ := made.Get("m"); v != "new" || made.Names()[n] != "m" {
			t.Errorf("%d names: objects with the same names share what is added: %s", n, value.EncodeJSON(made))
		}
		for name, v := range made.All() {
			if got, _ := made.Get(name); got != v {
				t.Errorf("%s is %v and %v", name, got, v)
			}
		}
	}
}

package builtin

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
)

func TestHash(t *testing.T) {
	m, err := NewEmbedder(Hash)
	if err != nil {
		t.Fatal(err)
	}
	e := retrieve.Through(m)
	list := []string{
		"The Seine flows through Paris.", "which river flows through paris?", "Cats sleep all day.",
		"THE SEINE FLOWS THROUGH PARIS!", "", "naïve café", "naive cafe", "cat's sleeping",
	}
	v, err := e.Embed(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	again, err := e.Embed(t.Context(), slices.Concat(list, slices.Repeat([]string{"more"}, 300)))
	if err != nil || len(again) != len(list)+300 {
		t.Fatal(len(again), err)
	}
	for i := range list {
		if !slices.Equal(v[i], again[i]) {
			t.Errorf("%q has two vectors", list[i])
		}
		if n := math.Sqrt(float64(retrieve.Dot(v[i], v[i]))); list[i] != "" && math.Abs(n-1) > 1e-5 || len(v[i]) != hashSize {
			t.Errorf("%q has a vector of %d numbers and length %v", list[i], len(v[i]), n)
		}
	}
	if !slices.Equal(v[0], v[3]) || !slices.Equal(v[5], v[6]) {
		t.Error("case and accents matter")
	}
	if a, b := retrieve.Dot(v[0], v[1]), retrieve.Dot(v[0], v[2]); a < 0.3 || b > 0.2 {
		t.Errorf("texts that share words are %v near, others %v", a, b)
	}
	if a, b := retrieve.Dot(v[2], v[7]), retrieve.Dot(v[0], v[7]); a < b+0.03 {
		t.Errorf("forms of one word are %v near, other words %v", a, b)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Embed(ctx, list); lm.AsError(err) == nil || lm.AsError(err).Kind != lm.KindCanceled {
		t.Errorf("an interruption gives %v", err)
	}
	if _, err := NewEmbedder("incontext"); err == nil || !strings.Contains(err.Error(), "builtin/hash") {
		t.Errorf("another name gives %v", err)
	}
}

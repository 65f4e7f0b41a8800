//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// indexKills is how often dspi index is killed.
func indexKills() int {
	if os.Getenv("DSPI_SOAK") != "" {
		return 20
	}
	return 3
}

// TestKillIndex: dspi index is killed at random moments while its corpus changes
// between the runs. The next run finishes the index, with no passage missing or twice,
// and it finds what an index finds that was made undisturbed.
func TestKillIndex(t *testing.T) {
	t.Parallel()
	const n = 1200
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	texts := make([]string, n)
	fill := func(i int) {
		texts[i] = fmt.Sprintf("The owl number %d hunts %d mice in the %s.", i, random.IntN(1000), []string{"night", "snow", "barn", "wood"}[random.IntN(4)])
	}
	for i := range texts {
		fill(i)
	}
	project := func(dir string) {
		writeFile(t, filepath.Join(dir, "owls.dsp"), "retriever owls {\n  file = \"owls.jsonl\"\n  embedder = \"builtin/hash\"\n}\n")
		var rows strings.Builder
		for i, text := range texts {
			fmt.Fprintf(&rows, "{\"id\": \"o%d\", \"text\": %q}\n", i, text)
		}
		writeFile(t, filepath.Join(dir, "owls.jsonl"), rows.String())
	}
	type answer struct {
		Hits []struct {
			ID    string
			Score float64
		}
	}
	ask := func(dir, query string, k int) (a answer) {
		t.Helper()
		cmd := command(t.Context(), "search", "owls.dsp", query, "-k", fmt.Sprint(k), "--json")
		cmd.Dir = dir
		if err := json.Unmarshal([]byte(finishIn(t, cmd)), &a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	index := func(dir string) string {
		t.Helper()
		cmd := command(t.Context(), "index", "owls.dsp")
		cmd.Dir = dir
		return finishIn(t, cmd)
	}
	dir := t.TempDir()
	project(dir)
	begin := time.Now()
	index(dir)
	whole := time.Since(begin)
	killed := 0
	for killed < indexKills() {
		for range 1 + random.IntN(n) {
			fill(random.IntN(n))
		}
		if random.IntN(3) == 0 { // from nothing
			if err := os.RemoveAll(filepath.Join(dir, ".dspi")); err != nil {
				t.Fatal(err)
			}
		}
		project(dir)
		cmd := command(t.Context(), "index", "owls.dsp")
		cmd.Dir = dir
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		gone := make(chan error, 1)
		go func() { gone <- cmd.Wait() }()
		moment := time.NewTimer(time.Duration(random.Int64N(int64(whole))))
		select {
		case <-moment.C:
			_ = cmd.Process.Kill()
			if err := <-gone; err != nil {
				killed++
			}
		case err := <-gone:
			if err != nil {
				t.Fatal(err)
			}
		}
		moment.Stop()
		if said := index(dir); !strings.HasPrefix(said, fmt.Sprintf("retriever.owls: %d passages", n)) {
			t.Fatalf("the next run says %q", said)
		}
		var ids []string
		for _, h := range ask(dir, "owl", 2*n).Hits {
			ids = append(ids, h.ID)
		}
		slices.Sort(ids)
		if len(ids) != n || len(slices.Compact(ids)) != n {
			t.Fatalf("%d passages are found, of %d", len(ids), n)
		}
	}
	fresh := t.TempDir()
	project(fresh)
	for _, query := range []string{"owl 17 in the barn", "number 1000", "night snow"} {
		if a, b := ask(dir, query, 50), ask(fresh, query, 50); !slices.Equal(a.Hits, b.Hits) {
			t.Errorf("%q finds %v, and %v in an index that was made undisturbed", query, a.Hits, b.Hits)
		}
	}
}

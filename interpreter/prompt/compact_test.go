package prompt_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/tiktoken-go/tokenizer"
	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/prompt"
)

// TestCompact compares what `compact` sends for every case with testdata/compact.txtar,
// which is there to be read.
func TestCompact(t *testing.T) {
	const golden = "testdata/compact.txtar"
	var got txtar.Archive
	got.Comment = []byte("What the adapter compact sends for the cases of testdata/dspy: made by `go test -update`.\n")
	for _, c := range append(readCases(t, "testdata/dspy/*.txtar", 44), readCases(t, "testdata/dspy/talk/*.txtar", 10)...) {
		sig := c.signature(t)
		demos, inputs := c.arguments(t, sig)
		var b bytes.Buffer
		for _, m := range prompt.Compact().Messages(sig, demos, inputs) {
			b.WriteString("--- " + string(m.Role) + "\n" + strings.TrimRight(m.Text(), "\n") + "\n")
		}
		got.Files = append(got.Files, txtar.File{Name: c.name, Data: b.Bytes()})
	}
	text := txtar.Format(&got)
	if *update {
		if err := os.WriteFile(golden, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range txtar.Parse(data).Files {
		want[f.Name] = string(f.Data)
	}
	for _, f := range got.Files {
		if string(f.Data) != want[f.Name] {
			t.Errorf("%s\ngot:\n%s\nwant:\n%s", f.Name, f.Data, want[f.Name])
		}
	}
	if len(want) != len(got.Files) {
		t.Errorf("%d cases, %s has %d", len(got.Files), golden, len(want))
	}
}

// TestCompactIsShort counts the tokens (o200k_base) of all system messages, over
// the cases that are compared with DSPy. A system message is the whole of what
// depends on the signature: the fields, the types, the form, and the instructions,
// which are the same in both and are counted in both.
func TestCompactIsShort(t *testing.T) {
	const atMost = 0.60
	codec, err := tokenizer.Get(tokenizer.O200kBase)
	if err != nil {
		t.Fatal(err)
	}
	count := func(text string) int {
		n, err := codec.Count(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	type tokens struct{ json, compact int }
	var system, all, bare tokens
	worst, worstCase := 0.0, ""
	cases := readCases(t, "testdata/dspy/*.txtar", 44)
	for _, c := range cases {
		sig := c.signature(t)
		demos, inputs := c.arguments(t, sig)
		of := func(a prompt.Adapter) (first, whole int) {
			messages := a.Messages(sig, demos, inputs)
			for i, m := range messages {
				if (m.Role == lm.System) != (i == 0) {
					t.Fatalf("%s: %s: message %d is of the %s", c.name, a.Name(), i+1, m.Role)
				}
				whole += count(m.Text())
			}
			return count(messages[0].Text()), whole
		}
		j, jAll := of(prompt.JSON())
		k, kAll := of(prompt.Compact())
		task := count(sig.Instructions)
		system.json, system.compact = system.json+j, system.compact+k
		all.json, all.compact = all.json+jAll, all.compact+kAll
		bare.json, bare.compact = bare.json+j-task, bare.compact+k-task
		if share := float64(k) / float64(j); share > worst {
			worst, worstCase = share, c.name
		}
	}
	share := func(n tokens) float64 { return float64(n.compact) / float64(n.json) }
	t.Logf("%d cases: system messages %d of %d tokens (%.1f %%), without the instructions %d of %d (%.1f %%), whole prompts %d of %d (%.1f %%); the worst case is %s (%.1f %%)",
		len(cases), system.compact, system.json, 100*share(system), bare.compact, bare.json, 100*share(bare),
		all.compact, all.json, 100*share(all), worstCase, 100*worst)
	if share(system) > atMost {
		t.Errorf("compact takes %.1f %% of json's tokens, more than %.0f %%", 100*share(system), 100*atMost)
	}
}

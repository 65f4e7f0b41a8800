package dspi_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/estimate"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/lang/value"
)

// searching is a project whose programs search, with vectors and what orders anew.
const searching = `
model vectors {
  provider = "openai"
  name     = "own"
  api_key  = "k"
  price { input = 2.00, output = 0.00 }
}
model judge {
  provider = "openai"
  name     = "judge"
  api_key  = "k"
}
retriever near {
  file     = "birds.jsonl"
  embedder = model.vectors
}
retriever words {
  file       = "birds.jsonl"
  rerank     = program.weigh
  candidates = 3
}
retriever both {
  file     = "birds.jsonl"
  embedder = model.vectors
  rerank   = program.weigh
}
variable k: int(min = 1, max = 6) { default = 2 }

program weigh {
  query: string, passages: list[string] -> scores: list[float]
  predict weight {
    model = model.judge
    query: string, passage: string -> certain: float
    for_each = passages
    inputs { passage = each.value }
  }
  outputs { scores = map(weight.certain, it * 1.0) }
}
program vectors {
  question: string -> answer: string
  retrieve docs {
    from = retriever.near
    k    = 2
    inputs { query = question }
  }
  predict respond {
    model = model.judge
    question: string, passages: list[string] -> answer: string
    inputs { passages = docs.passages }
  }
}
program ordered {
  question: string -> ids: list[string]
  retrieve docs {
    from = retriever.words
    k    = 2
    inputs { query = question }
  }
  outputs { ids = docs.ids }
}
program whole {
  question: string -> ids: list[string]
  retrieve docs {
    from = retriever.both
    k    = var.k
    inputs { query = question }
  }
  outputs { ids = docs.ids }
}
program many {
  questions: list[string] -> lists: list[list[string]]
  retrieve docs {
    from     = retriever.near
    for_each = questions
    inputs { query = each.value }
  }
  outputs { lists = docs.ids }
}
program summaries {
  question: string -> answers: list[string]
  retrieve docs {
    from = retriever.near
    k    = 3
    inputs { query = question }
  }
  predict sum {
    model = model.judge
    passage: string -> answer: string
    for_each = docs.passages
    inputs { passage = each.value }
  }
  outputs { answers = sum.answer }
}
program agent {
  question: string -> answer: string
  react look {
    model     = model.judge
    tools     = [retriever.both]
    max_iters = 4
    style     = "dspy"
  }
}
`

// vectorsOf makes vectors of texts, and counts how often it is asked.
type vectorsOf struct{ asked atomic.Int64 }

func (v *vectorsOf) Address() string       { return "openai/own" }
func (v *vectorsOf) Features() lm.Features { return lm.Features{} }

func (v *vectorsOf) Generate(_ context.Context, req *lm.Request) (*lm.Response, error) {
	v.asked.Add(1)
	r := &lm.Response{Usage: lm.Usage{InputTokens: len(req.Messages)}}
	for _, m := range req.Messages {
		x := []float32{1, float32(len(m.Text())), float32(strings.Count(m.Text(), "owl"))}
		r.Vectors = append(r.Vectors, x)
	}
	return r, nil
}

// TestEstimateSearches: the calls of embedders and of what reranks lie in the range that
// was estimated, as often as a program searches, and what is not sent is not counted.
func TestEstimateSearches(t *testing.T) {
	dir := t.TempDir()
	var birds strings.Builder
	for i := range 30 {
		fmt.Fprintf(&birds, `{"id": "b%d", "text": "%sowl number %d hunts at night"}`+"\n", i, strings.Repeat("barn ", i%4), i)
	}
	for name, text := range map[string]string{"p.dsp": searching, "birds.jsonl": birds.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src, err := dspi.Load(filepath.Join(dir, "p.dsp"))
	if err != nil {
		t.Fatal(err)
	}
	project, diags := dspi.Check(src)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		program string
		inputs  *value.Object
		want    string // calls
		lines   string // steps with their calls
		without string // calls, without inputs
	}{
		{"vectors", value.NewObject("question", "where does the owl hunt?"), "2–3", "vectors.docs openai/own 1; vectors.respond openai/judge 1–2", "1–3"},
		{"vectors", value.NewObject("question", "?!"), "1–2", "vectors.docs openai/own 0; vectors.respond openai/judge 1–2", "1–3"},
		{"ordered", value.NewObject("question", "owl"), "0–6", "weigh.weight openai/judge 0–6", "0–6"},
		{"whole", value.NewObject("question", "owl"), "1–41", "whole.docs openai/own 1; weigh.weight openai/judge 0–40", "0–41"},
		{"many", value.NewObject("questions", []any{"owl", "barn owl", "night"}), "0–3", "many.docs openai/own 0–3", "at least 0"},
		{"summaries", value.NewObject("question", "owl"), "1–7", "summaries.docs openai/own 1; summaries.sum openai/judge 0–6", "0–7"},
	} {
		t.Run(fmt.Sprint(c.program, c.inputs.Len(), c.want), func(t *testing.T) {
			p, err := dspi.Plan(project, dspi.PlanOptions{Program: c.program, Getenv: func(string) string { return "" }})
			if err != nil {
				t.Fatal(reported(err))
			}
			e := estimate.Of(p, c.inputs)
			var lines []string
			for _, s := range e.Steps {
				lines = append(lines, fmt.Sprintf("%s %s %s", strings.TrimPrefix(s.Address, "program."), s.Model, s.Calls))
				if (s.USD == nil) != (s.Model == "openai/judge") {
					t.Errorf("%s of %s costs %v", s.Address, s.Model, s.USD)
				}
			}
			if got := strings.Join(lines, "; "); got != c.lines || e.Total.Calls.String() != c.want {
				t.Errorf("it takes %s:\n%s\nwant %s:\n%s", e.Total.Calls, got, c.want, c.lines)
			}
			without := estimate.Of(p, &value.Object{}).Total.Calls
			if without.String() != c.without {
				t.Errorf("without inputs it takes %s, want %s", without, c.without)
			}
			for _, awkward := range []bool{false, true} {
				calls := countSearches(t, p, c.inputs, awkward)
				t.Logf("%d calls of %s", calls, e.Total.Calls)
				if !e.Total.Calls.Holds(float64(calls)) || !without.Holds(float64(calls)) {
					t.Errorf("%d calls, and %s were expected; %s without inputs", calls, e.Total.Calls, without)
				}
				if most := e.Total.Calls.Max; awkward && c.program != "whole" && float64(calls) != most {
					t.Errorf("an awkward model makes %d calls of %v", calls, most)
				}
			}
		})
	}
	p, err := dspi.Plan(project, dspi.PlanOptions{Program: "agent", Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(reported(err))
	}
	var lines []string
	for _, s := range estimate.Of(p, &value.Object{}).Steps {
		lines = append(lines, fmt.Sprintf("%s %s", s.Model, s.Calls))
	}
	if got, want := strings.Join(lines, "; "), "openai/judge 2–10; openai/own 0–4; openai/judge 0–160"; got != want {
		t.Errorf("what searches by a tool takes %s, want %s", got, want)
	}
}

// countSearches runs a plan over an index that is there and returns how many calls its
// usage has: those of models and those of embedders.
func countSearches(t *testing.T, p *plan.Plan, inputs *value.Object, awkward bool) int {
	t.Helper()
	runtime := dspi.NewRuntime(dspi.Options{})
	defer runtime.Close()
	vectors := &vectorsOf{}
	for _, m := range modelsOf(p) {
		runtime.Use(m, &player{address: m.Address, awkward: awkward})
	}
	for _, op := range p.Ops {
		if op.Retriever == nil {
			continue
		}
		if m := op.Retriever.Embedder; m != nil {
			runtime.UseEmbedder(m, retrieve.Through(vectors))
		}
		if _, err := runtime.Retriever(t.Context(), op.Retriever); err != nil {
			t.Fatal(err)
		}
	}
	made := vectors.asked.Load()
	given := map[string]any{}
	for name, v := range inputs.All() {
		given[name] = v
	}
	res, err := runtime.Run(t.Context(), p, given)
	if err != nil {
		t.Fatal(reported(err))
	}
	if got, _ := inputs.Get("question"); got == "?!" && vectors.asked.Load() != made {
		t.Error("a query without words is given a vector")
	}
	return res.Usage.Calls
}

package dspi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
)

// ragProject copies the third program of the tour with its passages into a folder of
// its own, and checks it. Edit changes its text.
func ragProject(t *testing.T, edit func(string) string) (dir string, project *program.Project) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range []string{"03_rag.dsp", "data/wiki.jsonl"} {
		text, err := os.ReadFile(filepath.Join("examples/tour", name))
		if err != nil {
			t.Fatal(err)
		}
		if edit != nil && strings.HasSuffix(name, ".dsp") {
			changed := edit(string(text))
			if changed == string(text) {
				t.Fatal("the edit changes nothing")
			}
			text = []byte(changed)
		}
		writeText(t, filepath.Join(dir, name), string(text))
	}
	src, err := dspi.Load(filepath.Join(dir, "03_rag.dsp"))
	if err != nil {
		t.Fatal(err)
	}
	project, diags := dspi.Check(src)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return dir, project
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func ragPlan(t *testing.T, project *program.Project, opt dspi.PlanOptions) *plan.Plan {
	t.Helper()
	p, err := dspi.Plan(project, opt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// opFor returns the operation of a name.
func opFor(t *testing.T, p *plan.Plan, name string) *plan.Op {
	t.Helper()
	for _, op := range p.Ops {
		if op.Name == name {
			return op
		}
	}
	t.Fatal("no step", name)
	return nil
}

func runtimeOf(t *testing.T, o dspi.Options) *dspi.Runtime {
	t.Helper()
	r := dspi.NewRuntime(o)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// seen is a model that keeps what it is asked, and answers with one text.
type seen struct {
	fake
	mu    sync.Mutex
	asked []string
}

func (s *seen) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	s.mu.Lock()
	for _, m := range req.Messages {
		s.asked = append(s.asked, m.Text())
	}
	s.mu.Unlock()
	resp, err := s.fake.Generate(ctx, req)
	if err == nil {
		resp.Cost = new(float64) // it is free
	}
	return resp, err
}

// TestRAG runs the third program of the tour: with a model that plays a script, which
// is given the passages, and its own test with the baseline.
func TestRAG(t *testing.T) {
	dir, project := ragProject(t, nil)
	lines, err := os.ReadFile(filepath.Join(dir, "data/wiki.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(lines), "\n"); n < 200 {
		t.Errorf("the corpus has %d passages", n)
	}
	var mu sync.Mutex
	var notes []string
	var indexed []retrieve.Progress
	r := runtimeOf(t, dspi.Options{
		Trace: func(e trace.Event) {
			if e.Kind == trace.Note {
				mu.Lock()
				notes = append(notes, e.Address+" "+e.Reason)
				mu.Unlock()
			}
		},
		Indexing: func(p retrieve.Progress) { indexed = append(indexed, p) },
	})

	p := ragPlan(t, project, dspi.PlanOptions{Vars: map[string]any{"k": 3}})
	model := &seen{fake: fake{"[[ ## reasoning ## ]]\nThe first says it.\n\n[[ ## answer ## ]]\nThe Seine.\n\n[[ ## sources ## ]]\n[0]\n\n[[ ## confidence ## ]]\n0.9\n\n[[ ## completed ## ]]"}}
	r.Use(opFor(t, p, "respond").Model, model)
	res, err := r.Run(t.Context(), p, map[string]any{"question": "Which river flows through Paris?"})
	if err != nil {
		t.Fatal(err)
	}
	if answer, _ := res.Outputs.Get("answer"); answer != "The Seine." {
		t.Errorf("the answer is %v", answer)
	}
	prompt := strings.Join(model.asked, "\n")
	if !strings.Contains(prompt, "The river Seine flows through the city from east to west") {
		t.Errorf("the passage on the Seine is not in the prompt:\n%s", prompt)
	}
	if len(notes) != 1 || !strings.HasPrefix(notes[0], "program.rag.docs found paris (") || strings.Count(notes[0], "(") != 3 {
		t.Errorf("the trace says %q", notes)
	}
	if n := len(indexed); n == 0 || indexed[n-1].Doing != retrieve.Ready || indexed[n-1].Done < 200 || indexed[n-1].Retriever != "retriever.wiki" {
		t.Errorf("the making of the index is told as %v", indexed)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, ".dspi/index/wiki-*.db")); len(files) != 1 {
		t.Errorf("the index lies in %v", files)
	}

	test, p := planned(t, project, "paris", dspi.PlanOptions{})
	if run := r.Test(t.Context(), p, test); !run.Passed() {
		t.Errorf("test paris: %v %v", run.Err, run.Failures)
	}
	if n := len(indexed); n > 1 && indexed[n-1] != indexed[n-2] && indexed[n-1].Doing != retrieve.Ready {
		t.Errorf("the index is made again: %v", indexed)
	}
}

// TestRAGAtOnce: many runs of one Runtime open one index.
func TestRAGAtOnce(t *testing.T) {
	_, project := ragProject(t, nil)
	made := 0
	r := runtimeOf(t, dspi.Options{Indexing: func(p retrieve.Progress) {
		if p.Doing == retrieve.Ready {
			made++
		}
	}})
	p := ragPlan(t, project, dspi.PlanOptions{Model: "builtin/incontext"})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := r.Run(t.Context(), p, map[string]any{"question": "Who was the first woman in space?"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made != 1 {
		t.Errorf("the index was made %d times", made)
	}
}

// embeddings is a server of /embeddings: vectors of two numbers, the first for texts
// about space. It counts requests.
func embeddings(t *testing.T, fails *int) (url string, requests *int) {
	t.Helper()
	requests = new(int)
	var mu sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var body struct {
			Model string
			Input []string
		}
		if err := json.NewDecoder(req.Body).Decode(&body); err != nil || req.URL.Path != "/v1/embeddings" || body.Model != "small" || req.Header.Get("Authorization") != "Bearer a-key-for-tests" {
			t.Errorf("it is asked %s %v %q", req.URL, err, body.Model)
		}
		mu.Lock()
		defer mu.Unlock()
		*requests++
		w.Header().Set("Content-Type", "application/json")
		if *fails > 0 {
			*fails--
			w.WriteHeader(http.StatusServiceUnavailable)
			w.Write([]byte(`{"error": {"message": "come back later"}}`))
			return
		}
		var data []map[string]any
		for i, text := range body.Input {
			v := []float64{0.01, 1}
			if text = strings.ToLower(text); strings.Contains(text, "space") || strings.Contains(text, "cosmonaut") {
				v = []float64{3, 0.5}
			}
			data = append(data, map[string]any{"index": i, "embedding": v})
		}
		slices.Reverse(data) // the index counts, not the place
		json.NewEncoder(w).Encode(map[string]any{"model": "small", "data": data, "usage": map[string]any{"prompt_tokens": 10 * len(body.Input), "total_tokens": 10 * len(body.Input)}})
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1", requests
}

// TestEmbedder: a declared model makes the vectors, with its attempts, its price and
// its key; what it used is counted with the run.
func TestEmbedder(t *testing.T) {
	fails := 1
	url, requests := embeddings(t, &fails)
	dir, project := ragProject(t, func(text string) string {
		text = strings.Replace(text, `  text = "text"`+"\n", `  text = "text"`+"\n  embedder = model.small\n  method = \"vector\"\n", 1)
		return text + `
model small {
  provider = "openai"
  name     = "small"
  base_url = "` + url + `"
  api_key  = "a-key-for-tests"

  price {
    input  = 2.0
    output = 0.0
  }
  retry {
    attempts = 2
    base     = "1ms"
  }
}
`
	})
	r := runtimeOf(t, dspi.Options{})
	p := ragPlan(t, project, dspi.PlanOptions{Model: "builtin/incontext", Vars: map[string]any{"k": 2}})
	model := &seen{fake: fake{"[[ ## reasoning ## ]]\nx\n\n[[ ## answer ## ]]\nValentina.\n\n[[ ## sources ## ]]\n[0]\n\n[[ ## confidence ## ]]\n0.9\n\n[[ ## completed ## ]]"}}
	r.Use(opFor(t, p, "respond").Model, model)
	res, err := r.Run(t.Context(), p, map[string]any{"question": "Name a cosmonaut."})
	if err != nil {
		t.Fatal(err)
	}
	if prompt := strings.Join(model.asked, "\n"); !strings.Contains(prompt, "in space") {
		t.Errorf("no passage about space is in the prompt:\n%s", prompt)
	}
	first := *requests
	if first < 4 || first > 8 { // 232 passages in batches, one that failed, and the query
		t.Errorf("%d requests were made", first)
	}
	if res.Usage.InputTokens < 2300 || res.Usage.USD == nil || *res.Usage.USD < 0.0046 {
		t.Errorf("the run used %+v (USD %v)", res.Usage, res.Usage.USD)
	}
	about := dspi.About(p)
	if !slices.Contains(about.Secrets, "a-key-for-tests") {
		t.Errorf("the key of the embedder is no secret of the run: %v", about.Secrets)
	}

	// Another process finds the vectors, and asks for the query's only.
	again := runtimeOf(t, dspi.Options{})
	again.Use(opFor(t, p, "respond").Model, model)
	if _, err := again.Run(t.Context(), p, map[string]any{"question": "Name a cosmonaut."}); err != nil || *requests != first+1 {
		t.Errorf("%d requests more, %v", *requests-first, err)
	}

	// One more passage is one more vector.
	f, err := os.OpenFile(filepath.Join(dir, "data/wiki.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(`{"id": "laika", "title": "Laika", "text": "Laika was the first dog in space."}` + "\n")
	f.Close()
	third := runtimeOf(t, dspi.Options{})
	third.Use(opFor(t, p, "respond").Model, model)
	if _, err := third.Run(t.Context(), p, map[string]any{"question": "Name a cosmonaut."}); err != nil || *requests != first+3 {
		t.Errorf("%d requests more, %v", *requests-first-1, err)
	}

	fails = 2
	if _, err := third.Run(t.Context(), p, map[string]any{"question": "Name a cosmonaut."}); err == nil || err.(*diag.Diagnostic).Code != "E0606" || !strings.Contains(err.Error(), "openai/small") {
		t.Errorf("a server that fails gives %v", err)
	}
}

// TestHashEmbedder: the built-in embedder needs no key and no network.
func TestHashEmbedder(t *testing.T) {
	for _, method := range []string{"vector", "hybrid"} {
		_, project := ragProject(t, func(text string) string {
			return strings.Replace(text, `  text = "text"`+"\n", `  text = "text"`+"\n  embedder = \"builtin/hash\"\n  method = \""+method+"\"\n", 1)
		})
		r := runtimeOf(t, dspi.Options{})
		test, p := planned(t, project, "paris", dspi.PlanOptions{})
		if run := r.Test(t.Context(), p, test); !run.Passed() {
			t.Errorf("%s: %v %v", method, run.Err, run.Failures)
		}
	}
}

// TestSearchFaults: what cannot be searched is said with its place, and the way out.
func TestSearchFaults(t *testing.T) {
	for name, c := range map[string]struct{ corpus, says, hint string }{
		"gone":       {"", "There is no data/wiki.jsonl", "the folder of the .dsp file"},
		"not JSON":   {"{\"text\": \"a\"}\n{\"text\"", "Line 2 of data/wiki.jsonl is not JSON", ""},
		"no text":    {"{\"text\": \"a\"}\n{\"txet\": \"b\"}\n", "Line 2 of data/wiki.jsonl has no column `text`", "did you mean text = \"txet\"?"},
		"not a text": {"{\"text\": 7}\n", "Line 1 of data/wiki.jsonl has in `text` no text, but 7", ""},
		"twice":      {"{\"id\": \"a\", \"text\": \"a\"}\n\n{\"id\": \"a\", \"text\": \"b\"}\n", "Line 3 of data/wiki.jsonl has the id \"a\", as line 1 has", "name another column"},
		"no UTF-8":   {"{\"text\": \"a\xff\"}\n", "Line 1 of data/wiki.jsonl is not text in UTF-8", "save the file in UTF-8"},
		"empty":      {"\n", "data/wiki.jsonl holds no rows", ""},
		"blank":      {"{\"text\": \" \"}\n", "No row of data/wiki.jsonl has a text in `text`", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir, project := ragProject(t, nil)
			file := filepath.Join(dir, "data/wiki.jsonl")
			if c.corpus == "" {
				if err := os.Remove(file); err != nil {
					t.Fatal(err)
				}
			} else {
				writeText(t, file, c.corpus)
			}
			r := runtimeOf(t, dspi.Options{})
			_, err := r.Run(t.Context(), ragPlan(t, project, dspi.PlanOptions{Model: "builtin/incontext"}), map[string]any{"question": "Who?"})
			d, ok := err.(*diag.Diagnostic)
			if !ok || d.Code != "E0633" || !strings.Contains(d.Detail, c.says) {
				t.Fatalf("got %v, want E0633 with %q", err, c.says)
			}
			if c.hint != "" && !strings.Contains(strings.Join(d.Help, "\n"), c.hint) {
				t.Errorf("the help is %q, want %q", d.Help, c.hint)
			}
			if d.Primary.Text == "" || len(d.Related) != 1 {
				t.Errorf("it points at %+v and %v", d.Primary, d.Related)
			}
			// When the file is put right the next run works.
			writeText(t, file, "{\"id\": \"a\", \"text\": \"Somebody\"}\n")
			if _, err := r.Run(t.Context(), ragPlan(t, project, dspi.PlanOptions{Model: "builtin/incontext"}), map[string]any{"question": "Who?"}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestUseRetriever: a retriever of one's own stands in for a declared one.
func TestUseRetriever(t *testing.T) {
	_, project := ragProject(t, nil)
	own, err := retrieve.NewMemory([]retrieve.Passage{{ID: "own", Text: "The Ouse flows through Paris in this story."}}, retrieve.MemoryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r := runtimeOf(t, dspi.Options{})
	r.UseRetriever("retriever.wiki", own)
	p := ragPlan(t, project, dspi.PlanOptions{Model: "builtin/incontext"})
	res, err := r.Run(t.Context(), p, map[string]any{"question": "Which river flows through Paris?"})
	if err != nil {
		t.Fatal(err)
	}
	if answer, _ := res.Outputs.Get("answer"); !strings.Contains(answer.(string), "Ouse") {
		t.Errorf("the answer is %v", answer)
	}
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
)

// TestRAGCommand runs the third program of the tour as people do: its test passes
// with the baseline, the index lies beside the history, and the next run finds it.
func TestRAGCommand(t *testing.T) {
	files := map[string]string{}
	for _, name := range []string{"03_rag.dsp", "data/wiki.jsonl"} {
		text, err := os.ReadFile(filepath.Join("../../examples/tour", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	t.Chdir(t.TempDir())
	for name, text := range files {
		writeFile(t, filepath.FromSlash(name), text)
	}
	run := func(args ...string) (string, int) {
		var out, errs bytes.Buffer
		a := newApp(strings.NewReader(""), &out, &errs, nil)
		root := newRoot(a)
		root.SetArgs(args)
		status := a.report(root.ExecuteContext(t.Context()))
		return out.String() + errs.String(), status
	}
	if said, status := run("test", "03_rag.dsp"); status != exitFine || !strings.Contains(said, "1 test: 1 passed") {
		t.Fatalf("exit status %d\n%s", status, said)
	}
	made, err := filepath.Glob(".dspi/index/wiki-*.db")
	if err != nil || len(made) != 1 {
		t.Fatalf("the index lies in %v, %v", made, err)
	}
	for question, want := range map[string]string{
		"Which river flows through Paris?":                  "Seine",
		"Who was the first woman in space?":                 "Tereshkova",
		"When did Krakatoa burst?":                          "1883",
		"Which sea does the Volga end in?":                  "Caspian",
		"What did Alexander Fleming see in a dish in 1928?": "mould",
	} {
		said, status := run("run", "03_rag.dsp", "question="+question, "--model", "builtin/incontext")
		if status != exitFine || !strings.Contains(said, want) {
			t.Errorf("%s: exit status %d\n%s", question, status, said)
		}
	}
	if again, _ := filepath.Glob(".dspi/index/*.db"); len(again) != 1 {
		t.Errorf("there are several indexes: %v", again)
	}
	writeFile(t, filepath.FromSlash("data/wiki.jsonl"), files["data/wiki.jsonl"]+`{"id": "x", "txt": "a"}`+"\n")
	said, status := run("run", "03_rag.dsp", "question=Who?", "--model", "builtin/incontext")
	if status == exitFine || !strings.Contains(said, "E0633") || !strings.Contains(said, "Line 233 of data/wiki.jsonl has no column `text`") {
		t.Errorf("a broken row: exit status %d\n%s", status, said)
	}
}

func TestIndexingLine(t *testing.T) {
	for want, p := range map[string]retrieve.Progress{
		"retriever.wiki: reading, 2000 passages":                             {Retriever: "retriever.wiki", Doing: retrieve.Reading, Done: 2000},
		"retriever.wiki: embedding 120 of 500 passages":                      {Retriever: "retriever.wiki", Doing: retrieve.Embedding, Done: 120, Total: 500},
		"retriever.a.wiki: waiting, because another process makes the index": {Retriever: "retriever.a.wiki", Doing: retrieve.Waiting},
		"retriever.a.wiki: indexing 1 of 1 passage":                          {Retriever: "retriever.a.wiki", Doing: retrieve.Indexing, Done: 1, Total: 1},
	} {
		if got := indexingLine(p, 0); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
	p := retrieve.Progress{Retriever: "retriever.wiki", Doing: retrieve.Embedding, Done: 120, Total: 500}
	if got, want := indexingLine(p, 3*time.Second), "retriever.wiki: embedding 120 of 500 passages, 40.0 a second, 9.5 s left"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	var errs bytes.Buffer
	if a := newApp(strings.NewReader(""), nil, &errs, nil); a.indexing() != nil {
		t.Error("a line is shown where no terminal is")
	}
}

package dspi_test

import (
	"context"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/lm"
)

// taker remembers the media that it is sent.
type taker struct {
	mu   sync.Mutex
	sent []lm.Media
}

func (*taker) Address() string       { return "test/taker" }
func (*taker) Features() lm.Features { return lm.Features{Images: true, Files: true} }

func (x *taker) Generate(_ context.Context, req *lm.Request) (*lm.Response, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, m := range req.Messages {
		for _, p := range m.Parts {
			if p.Media != nil {
				x.sent = append(x.sent, *p.Media)
			}
		}
	}
	return &lm.Response{Text: "[[ ## answer ## ]]\na cat\n\n[[ ## completed ## ]]", Finish: lm.FinishStop}, nil
}

// TestMediaNames: what is read from a file is sent with the file's name, without its
// folder.
func TestMediaNames(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"papers/2026/contract.pdf": "%PDF-1.4 words", "papers/cat.png": "\x89PNG\r\n\x1a\n0000"})
	project, diags := dspi.Check(dspi.Parse(dir+"/look.dsp", `
program look {
  paper: file, photos: list[image] -> answer: string
  local_files = "papers"
}
`))
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	p, err := dspi.Plan(project, dspi.PlanOptions{Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	runtime := dspi.NewRuntime(dspi.Options{})
	defer runtime.Close()
	x := &taker{}
	for _, m := range modelsOf(p) {
		runtime.Use(m, x)
	}
	_, err = runtime.Run(t.Context(), p, map[string]any{
		"paper":  map[string]any{"path": "2026/contract.pdf"},
		"photos": []any{map[string]any{"path": `.\cat.png`}, map[string]any{"url": "https://example.com/dog.png"}},
	})
	if err != nil {
		t.Fatal(reported(err))
	}
	if len(x.sent) != 3 {
		t.Fatalf("sent: %+v", x.sent)
	}
	for i, want := range []lm.Media{
		{Kind: lm.File, Type: "application/pdf", Name: "contract.pdf", Data: []byte("%PDF-1.4 words")},
		{Kind: lm.Image, Type: "image/png", Name: "cat.png", Data: []byte("\x89PNG\r\n\x1a\n0000")},
		{Kind: lm.Image, URL: "https://example.com/dog.png"},
	} {
		if got := x.sent[i]; got.Kind != want.Kind || got.Type != want.Type || got.Name != want.Name || got.URL != want.URL || string(got.Data) != string(want.Data) {
			t.Errorf("sent %+v, want %+v", got, want)
		}
	}
}

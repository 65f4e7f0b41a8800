package python_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/parser/format"
)

var update = flag.Bool("update", false, "rewrite the parts of the cases that dspi makes")

// The programs of testdata/dspy were made, saved and called by the real DSPy
// (generate.py there). A program is read, bound to its state and run here against
// a model that knows DSPy's calls: what dspi sends must be among them, to the byte.
// Exported again, generate.py loads it in DSPy and compares the same calls.

// TestDSPyPrograms checks every case, both ways.
func TestDSPyPrograms(t *testing.T) {
	paths, err := filepath.Glob("testdata/dspy/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	called := 0
	for _, path := range paths {
		c := readCase(t, path)
		if !c.opaque && !c.ours {
			called++
		}
		t.Run(c.name, c.run)
	}
	if called < 20 {
		t.Errorf("only %d programs of DSPy's are called", called)
	}
}

type dspyCase struct {
	name, path string
	opaque     bool
	ours       bool // written in dspi
	archive    *txtar.Archive
}

func readCase(t *testing.T, path string) *dspyCase {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return &dspyCase{
		name: strings.TrimSuffix(filepath.Base(path), ".txtar"), path: path,
		opaque: strings.HasPrefix(string(archive.Comment), "opaque:"),
		ours:   strings.HasPrefix(string(archive.Comment), "ours:"), archive: archive,
	}
}

func (c *dspyCase) file(name string) string {
	for _, f := range c.archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

// golden compares a part that dspi makes, or writes it.
func (c *dspyCase) golden(t *testing.T, name, got string) {
	t.Helper()
	if c.file(name) == got {
		return
	}
	if !*update {
		t.Errorf("%s is not current: go test ./interpreter/python -update\ngot:\n%s\nwant:\n%s", name, got, c.file(name))
		return
	}
	i := slices.IndexFunc(c.archive.Files, func(f txtar.File) bool { return f.Name == name })
	if i < 0 {
		c.archive.Files = append(c.archive.Files, txtar.File{Name: name})
		i = len(c.archive.Files) - 1
	}
	c.archive.Files[i].Data = []byte(got)
	if err := os.WriteFile(c.path, txtar.Format(c.archive), 0o666); err != nil {
		t.Fatal(err)
	}
}

func (c *dspyCase) run(t *testing.T) {
	if c.ours {
		c.runOurs(t)
		return
	}
	m, err := python.Read([]byte(c.file("inspect.json")))
	if err != nil {
		t.Fatal(err)
	}
	text := string(format.File(parser.Parse(source.NewFile(c.name+".dsp", m.Source(c.name+":program")))))
	c.golden(t, "program.dsp", text)
	project, diags := dspi.Check(dspi.Parse(c.name+".dsp", text))
	if err := diags.Err(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if again := string(format.File(parser.Parse(source.NewFile(c.name+".dsp", text)))); again != text {
		t.Errorf("the program is not laid out as fmt would:\n%s", again)
	}
	tuned := c.bind(t, project, m.Main)
	if c.opaque {
		return
	}
	p, err := dspi.Plan(project, dspi.PlanOptions{Program: m.Main, State: tuned, Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	c.calls(t, p)
	c.export(t, p)

	// Without its state the program says the same, but for what only a state can
	// hold: demos, and what a chain of thought says of its reasoning.
	for _, s := range tuned.Steps {
		if len(s.Demos)+len(s.Descriptions) > 0 {
			return
		}
	}
	p, err = dspi.Plan(project, dspi.PlanOptions{Program: m.Main, Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	c.calls(t, p)
}

// runOurs checks a program that was written in dspi: DSPy's calls are those of the
// module that is exported of it.
func (c *dspyCase) runOurs(t *testing.T) {
	project, diags := dspi.Check(dspi.Parse(c.name+".dsp", c.file("program.dsp")))
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	p, err := dspi.Plan(project, dspi.PlanOptions{Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	c.export(t, p)
	c.calls(t, p)
}

// export compares the module that is made of a plan.
func (c *dspyCase) export(t *testing.T, p *plan.Plan) {
	t.Helper()
	exported, diags := python.Export(p)
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	c.golden(t, "exported.py", exported.Module)
	c.golden(t, "exported.json", string(exported.State.Write()))
	if len(exported.Notes) > 0 {
		t.Errorf("notes: %q", exported.Notes)
	}
}

// bind binds the state that DSPy saved, and checks that it is written as it was.
func (c *dspyCase) bind(t *testing.T, project *program.Project, main string) *state.Tuned {
	t.Helper()
	s, diags := state.Read(source.NewFile("state.json", c.file("state.json")))
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	if got := string(s.Write()); got != c.file("state.json") {
		t.Errorf("the state is written otherwise than DSPy wrote it:\n%s\nwant:\n%s", got, c.file("state.json"))
	}
	prog, err := dspi.Choose(project, main)
	if err != nil {
		t.Fatal(err)
	}
	tuned, diags := state.Bind(s, project, prog)
	for _, d := range diags {
		if !c.opaque || d.Code != "W0640" {
			t.Errorf("%v: %s", d, d.Detail)
		}
	}
	return tuned
}

// recorded is a call that DSPy made.
type recorded struct {
	Messages []lm.Message `json:"messages"`
	Reply    string       `json:"reply"`
	used     bool
}

// calls runs the plan against the calls that DSPy made.
func (c *dspyCase) calls(t *testing.T, p *plan.Plan) {
	t.Helper()
	var want []*recorded
	if err := json.Unmarshal([]byte(c.file("calls.json")), &want); err != nil {
		t.Fatal(err)
	}
	if len(want) == 0 {
		t.Fatal("no calls")
	}
	raw, err := value.DecodeJSON([]byte(c.file("inputs.json")))
	if err != nil {
		t.Fatal(err)
	}
	inputs := map[string]any{}
	for name, v := range raw.(*value.Object).All() {
		inputs[name] = v
	}
	runtime := dspi.NewRuntime(dspi.Options{})
	model := &knowing{calls: want}
	each(p, func(op *plan.Op) {
		if op.Model != nil {
			runtime.Use(op.Model, model)
		}
	})
	res, err := runtime.Run(t.Context(), p, inputs)
	if err != nil {
		t.Fatalf("%v\n%s", err, model.strange)
	}
	if res.Usage.Calls != len(want) {
		t.Errorf("%d calls, want %d", res.Usage.Calls, len(want))
	}
}

func each(p *plan.Plan, see func(*plan.Op)) {
	for _, op := range p.Ops {
		see(op)
		if op.Plan != nil {
			each(op.Plan, see)
		}
	}
}

// knowing is a model that answers what DSPy was answered, and nothing else.
type knowing struct {
	mu      sync.Mutex
	calls   []*recorded
	strange string
}

func (k *knowing) Features() lm.Features { return lm.Features{} }
func (k *knowing) Address() string       { return "test/recorded" }

func (k *knowing) Generate(_ context.Context, r *lm.Request) (*lm.Response, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.calls {
		if !c.used && reflect.DeepEqual(c.Messages, r.Messages) {
			c.used = true
			return &lm.Response{Text: c.Reply, Finish: lm.FinishStop}, nil
		}
	}
	for _, c := range k.calls {
		if !c.used {
			k.strange = difference(r.Messages, c.Messages)
			break
		}
	}
	return nil, fmt.Errorf("DSPy made no such call")
}

func difference(got, want []lm.Message) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d messages, DSPy sent %d", len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			return fmt.Sprintf("message %d\n%s\n%q\nDSPy sent %s\n%q", i+1, got[i].Role, got[i].Content, want[i].Role, want[i].Content)
		}
	}
	return ""
}

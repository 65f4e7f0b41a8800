package prompt_test

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
)

// atMostDiffering is the share of cases that may differ from DSPy on purpose.
const atMostDiffering = 0.05

// TestMessagesAsDSPy renders every case of testdata/dspy, from the text of its
// program on, and compares the messages with those of the real DSPy, byte by
// byte. A case that differs on purpose says why, and has messages of its own.
func TestMessagesAsDSPy(t *testing.T) {
	paths, err := filepath.Glob("testdata/dspy/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 44 {
		t.Fatalf("only %d cases", len(paths))
	}
	differing := 0
	for _, path := range paths {
		c := readCase(t, path)
		if c.differs {
			differing++
		}
		t.Run(c.name, func(t *testing.T) { c.run(t) })
	}
	if share := float64(differing) / float64(len(paths)); share > atMostDiffering {
		t.Errorf("%d of %d cases differ from DSPy: %.1f %%", differing, len(paths), 100*share)
	}
}

type dspyCase struct {
	name    string
	differs bool
	files   map[string]string
}

func readCase(t *testing.T, path string) dspyCase {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := dspyCase{
		name:    strings.TrimSuffix(filepath.Base(path), ".txtar"),
		differs: strings.HasPrefix(string(archive.Comment), "differs: "),
		files:   map[string]string{},
	}
	for _, f := range archive.Files {
		c.files[f.Name] = string(f.Data)
	}
	return c
}

func (c dspyCase) run(t *testing.T) {
	file := parser.Parse(source.NewFile(c.name+".dsp", c.files["signature.dsp"]))
	project, diags := check.Check(file, check.Options{Universe: stdlib.Universe()})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	main, _ := project.Main()
	if main == nil || len(main.Steps) != 1 {
		t.Fatal("the program has not one step")
	}
	want := c.messages(t, "messages.json")
	if c.differs {
		own := c.messages(t, "messages.dspi.json")
		if value.Equal(own, want) {
			t.Error("the case says that it differs, and does not")
		}
		want = own
	}
	got := render(t, signature(main.Steps[0]), c)
	if len(got) != len(want) {
		t.Errorf("%d messages, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if !value.Equal(got[i], want[i]) {
			t.Errorf("message %d\ngot:\n%s\nwant:\n%s", i+1, visible(got[i]), visible(want[i]))
		}
	}
}

// signature is what a step asks for, with its instructions: those that are
// written, else DSPy's sentence, which does not name what the module adds.
func signature(s *program.Step) *program.Signature {
	sig := *s.Signature
	sig.Instructions = s.Declared.Instructions
	if sig.Instructions == "" {
		sig.Instructions = s.Declared.DefaultInstructions()
	}
	return &sig
}

func (c dspyCase) json(t *testing.T, name string) any {
	t.Helper()
	v, err := value.DecodeJSON([]byte(c.files[name]))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

func (c dspyCase) messages(t *testing.T, name string) []any {
	t.Helper()
	list, ok := c.json(t, name).([]any)
	if !ok {
		t.Fatalf("%s is no list", name)
	}
	return list
}

func render(t *testing.T, sig *program.Signature, c dspyCase) []any {
	t.Helper()
	var demos []prompt.Demo
	for _, d := range c.messages(t, "demos.json") {
		demos = append(demos, d.(*value.Object))
	}
	inputs := &value.Object{}
	for name, raw := range c.json(t, "inputs.json").(*value.Object).All() {
		f, ok := sig.Input(name)
		if !ok {
			t.Fatalf("no input %s", name)
		}
		v, faults := value.Check(f.Type, raw, value.Strict)
		if faults != nil {
			t.Fatalf("%s: %s", name, value.Faults(faults))
		}
		inputs.Set(name, v)
	}
	var out []any
	for _, m := range prompt.Chat().Messages(sig, demos, inputs) {
		out = append(out, value.NewObject("role", string(m.Role), "content", m.Content))
	}
	return out
}

// visible shows a message with its spaces.
func visible(message any) string {
	m := message.(*value.Object)
	role, _ := m.Get("role")
	content, _ := m.Get("content")
	return role.(string) + "\n" + strings.ReplaceAll(strings.ReplaceAll(content.(string), " ", "·"), "\n", "⏎\n")
}

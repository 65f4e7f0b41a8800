package prompt_test

import (
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
)

var update = flag.Bool("update", false, "rewrite the messages of the cases that differ on purpose, and the golden files")

// atMostDiffering is the share of cases that may differ from DSPy on purpose.
const atMostDiffering = 0.05

// written are the files of a case that hold what an adapter of DSPy sends, with the
// call of ours that must give the same.
var written = []struct {
	file  string
	write func(sig *program.Signature, demos []prompt.Demo, inputs *value.Object) []lm.Message
}{
	{"messages.json", prompt.Chat().Messages},
	{"json.messages.json", prompt.JSON().Messages},
	{"xml.messages.json", prompt.XML().Messages},
	{"two_step.messages.json", prompt.TwoStep().Messages},
	{"two_step.extraction.json", func(sig *program.Signature, _ []prompt.Demo, _ *value.Object) []lm.Message {
		two := prompt.TwoStep().(prompt.Extractor)
		sig, inputs := two.Extraction(sig, firstReply)
		return two.Then().Messages(sig, nil, inputs)
	}},
}

// firstReply is the REPLY of generate.py.
const firstReply = "The first reply.\n\nIt has [[ ## marks ## ]] and «quotes»."

// TestMessagesAsDSPy renders every case of testdata/dspy with every adapter, from
// the text of its program on, and compares the messages with those of the real
// DSPy, byte by byte. A case that differs on purpose says why, and has messages of
// its own for each adapter that differs.
func TestMessagesAsDSPy(t *testing.T) {
	cases := readCases(t, "testdata/dspy/*.txtar", 44)
	differing := 0
	for _, c := range cases {
		if c.differs {
			differing++
		}
		t.Run(c.name, func(t *testing.T) { c.run(t) })
	}
	if share := float64(differing) / float64(len(cases)); share > atMostDiffering {
		t.Errorf("%d of %d cases differ from DSPy: %.1f %%", differing, len(cases), 100*share)
	}
}

// TestTalkAsDSPy does the same for media and histories.
func TestTalkAsDSPy(t *testing.T) {
	for _, c := range readCases(t, "testdata/dspy/talk/*.txtar", 10) {
		t.Run(c.name, func(t *testing.T) { c.run(t) })
	}
}

func readCases(t *testing.T, pattern string, least int) []dspyCase {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < least {
		t.Fatalf("only %d cases", len(paths))
	}
	cases := make([]dspyCase, len(paths))
	for i, path := range paths {
		cases[i] = readCase(t, path)
	}
	return cases
}

type dspyCase struct {
	name    string
	differs bool
	files   map[string]string

	path    string
	archive *txtar.Archive
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
		path:    path, archive: archive,
	}
	for _, f := range archive.Files {
		c.files[f.Name] = string(f.Data)
	}
	return c
}

// signature checks the program of a case and returns what its one step asks for.
func (c dspyCase) signature(t *testing.T) *program.Signature {
	t.Helper()
	file := parser.Parse(source.NewFile(c.name+".dsp", c.files["signature.dsp"]))
	project, diags := check.Check(file, check.Options{Universe: stdlib.Universe()})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	main, _ := project.Main()
	if main == nil || len(main.Steps) != 1 {
		t.Fatal("the program has not one step")
	}
	return signature(main.Steps[0])
}

func (c dspyCase) run(t *testing.T) {
	sig := c.signature(t)
	demos, inputs := c.arguments(t, sig)
	differing := 0
	for _, w := range written {
		var got []any
		for _, m := range w.write(sig, demos, inputs) {
			got = append(got, value.NewObject("role", string(m.Role), "content", content(m)))
		}
		want := c.messages(t, w.file)
		name := strings.TrimSuffix(w.file, ".json") + ".dspi.json"
		if *update && c.differs {
			c.keep(t, w.file, name, got)
		}
		if c.files[name] != "" {
			own := c.messages(t, name)
			if !c.differs || value.Equal(own, want) {
				t.Errorf("%s: the case does not say why it differs, or does not differ", name)
			}
			want, differing = own, differing+1
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d messages, want %d", w.file, len(got), len(want))
		}
		for i := range min(len(got), len(want)) {
			if !value.Equal(got[i], want[i]) {
				t.Errorf("%s: message %d\ngot:\n%s\nwant:\n%s", w.file, i+1, visible(got[i]), visible(want[i]))
			}
		}
	}
	if c.differs && differing == 0 {
		t.Error("the case says that it differs, and does not")
	}
}

// keep writes the messages of a case that are not DSPy's behind those that are, and
// nothing where they are the same.
func (c dspyCase) keep(t *testing.T, theirs, name string, messages []any) {
	t.Helper()
	if value.Equal(any(messages), any(c.messages(t, theirs))) {
		return
	}
	data := append(value.EncodeJSONIndent(messages), '\n')
	files := slices.DeleteFunc(c.archive.Files, func(f txtar.File) bool { return f.Name == name })
	i := slices.IndexFunc(files, func(f txtar.File) bool { return f.Name == theirs })
	c.archive.Files = slices.Insert(files, i+1, txtar.File{Name: name, Data: data})
	c.files[name] = string(data)
	if err := os.WriteFile(c.path, txtar.Format(c.archive), 0o644); err != nil {
		t.Fatal(err)
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

// arguments are the demos, as they stand, and the inputs, checked.
func (c dspyCase) arguments(t *testing.T, sig *program.Signature) ([]prompt.Demo, *value.Object) {
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
		v, faults := value.Check(f.Type, raw, value.Lax)
		if faults != nil {
			t.Fatalf("%s: %s", name, value.Faults(faults))
		}
		inputs.Set(name, v)
	}
	return demos, inputs
}

// content is a message's content as DSPy has it: a text, or content blocks in the
// form of OpenAI.
func content(m lm.Message) any {
	if m.Parts == nil {
		return m.Content
	}
	var blocks []any
	for _, p := range m.Parts {
		if p.Media == nil {
			blocks = append(blocks, value.NewObject("type", "text", "text", p.Text))
			continue
		}
		data := base64.StdEncoding.EncodeToString(p.Media.Data)
		address := "data:" + p.Media.Type + ";base64," + data
		switch p.Media.Kind {
		case lm.Image:
			if p.Media.URL != "" {
				address = p.Media.URL
			}
			blocks = append(blocks, value.NewObject("type", "image_url", "image_url", value.NewObject("url", address)))
		case lm.Audio:
			blocks = append(blocks, value.NewObject("type", "input_audio", "input_audio",
				value.NewObject("data", data, "format", strings.TrimPrefix(p.Media.Type, "audio/"))))
		case lm.File:
			file := value.NewObject("file_data", address)
			if p.Media.Name != "" {
				file.Set("filename", p.Media.Name)
			}
			blocks = append(blocks, value.NewObject("type", "file", "file", file))
		}
	}
	return blocks
}

// visible shows a message with its spaces.
func visible(message any) string {
	m := message.(*value.Object)
	role, _ := m.Get("role")
	content, _ := m.Get("content")
	text, ok := content.(string)
	if !ok {
		text = string(value.EncodeJSON(content))
	}
	return role.(string) + "\n" + strings.ReplaceAll(strings.ReplaceAll(text, " ", "·"), "\n", "⏎\n")
}

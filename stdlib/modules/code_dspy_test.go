package modules_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/modules"
)

// TestCodeAsDSPy has every conversation of testdata/code with the modules and
// compares the messages of each call with those of the real DSPy, byte by byte. What
// came of the code is as recorded; TestCodeConfined runs it.
func TestCodeAsDSPy(t *testing.T) {
	eachCodeCase(t, func(c *codeCase) module.Module {
		results := c.file("results.json").([]any)
		t.Cleanup(func() {
			if len(results) > 0 {
				c.Errorf("%d results are left", len(results))
			}
		})
		return modules.WithPython(c.module, func(string, func(int, []any, *value.Object) (any, error)) (string, string) {
			if len(results) == 0 {
				c.Fatal("no result is left")
			}
			r := results[0].(*value.Object)
			results = results[1:]
			text, _ := r.Get("text")
			fault, _ := r.Get("fault")
			s, _ := text.(string)
			f, _ := fault.(string)
			return s, f
		})
	})
}

// codeCase is a conversation of testdata/code.
type codeCase struct {
	*testing.T
	archive *txtar.Archive
	module  string
	stage   *stage
	call    *module.Call
}

func (c *codeCase) file(name string) any {
	c.Helper()
	for _, f := range c.archive.Files {
		if f.Name == name {
			v, err := value.DecodeJSON(f.Data)
			if err != nil {
				c.Fatalf("%s: %v", name, err)
			}
			return v
		}
	}
	c.Fatalf("there is no %s", name)
	return nil
}

func eachCodeCase(t *testing.T, with func(*codeCase) module.Module) {
	paths, err := filepath.Glob("testdata/code/*.txtar")
	if err != nil || len(paths) < 16 {
		t.Fatalf("%d conversations, %v", len(paths), err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			c := &codeCase{T: t, archive: archive, module: "program_of_thought"}
			if strings.HasPrefix(name, "act_") {
				c.module = "code_act"
			}
			c.converse(with)
		})
	}
}

func (c *codeCase) converse(with func(*codeCase) module.Module) {
	left := c.file("replies.json").([]any)
	model := lmtest.Func(func(_ context.Context, _ int, req *lm.Request) (*lm.Response, error) {
		if len(left) == 0 {
			return nil, &lm.Error{Kind: lm.KindRequest, Message: "no reply is left"}
		}
		reply := left[0]
		left = left[1:]
		text, ok := reply.(string)
		if !ok {
			return nil, full()
		}
		return lmtest.Text(req, text), nil
	})
	c.stage = stageOf(c.T, string(c.archive.Files[0].Data))
	c.stage.model, c.stage.tools = model, dspyTools()
	c.stage.tools["mend"] = func(context.Context, *value.Object) (any, error) {
		return nil, &tool.Error{Tool: "mend", Text: "the workshop is closed"}
	}
	c.call = c.stage.call(c.T, c.file("inputs.json").(*value.Object))
	for _, f := range c.archive.Files {
		if f.Name == "state.json" {
			c.stage.tuned(c.T, c.call, f.Data)
		}
	}
	outputs, err := with(c).Run(c.Context(), c.call)
	wanted := c.file("outputs.json")
	if _, gaveUp := err.(module.Explained); gaveUp != (wanted == nil) || err != nil && !gaveUp {
		c.Fatal(err)
	}
	if wanted != nil && !value.Equal(any(outputs), wanted) {
		c.Errorf("outputs %s, want %s", value.EncodeJSON(outputs), value.EncodeJSON(wanted))
	}
	if len(left) > 0 {
		c.Errorf("%d replies are left", len(left))
	}
	var calls []any
	for _, req := range model.Requests() {
		var messages []any
		for _, m := range req.Messages {
			messages = append(messages, value.NewObject("role", string(m.Role), "content", m.Text()))
		}
		calls = append(calls, messages)
	}
	compare(c.T, calls, c.file("calls.json").([]any))
}

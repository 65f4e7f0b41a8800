package modules_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/modules"
)

var update = flag.Bool("update", false, "rewrite the calls of the conversations that differ on purpose")

// TestReactAsDSPy has every conversation of testdata/dspy with the module, and
// compares the messages of each call with those of the real DSPy, byte by byte.
func TestReactAsDSPy(t *testing.T) {
	paths, err := filepath.Glob("testdata/dspy/*.txtar")
	if err != nil || len(paths) < 14 {
		t.Fatalf("%d conversations, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { asDSPy(t, path) })
	}
}

func asDSPy(t *testing.T, path string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	differs := strings.HasPrefix(string(archive.Comment), "differs: ")
	file := func(name string) (any, bool) {
		for _, f := range archive.Files {
			if f.Name == name {
				v, err := value.DecodeJSON(f.Data)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				return v, true
			}
		}
		return nil, false
	}
	replies, own := file("replies.dspi.json")
	if !own {
		replies, _ = file("replies.json")
	}
	left := replies.([]any)
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
	var s *stage
	for _, f := range archive.Files {
		if f.Name == "program.dsp" {
			s = stageOf(t, string(f.Data))
		}
	}
	s.model, s.tools = model, dspyTools()
	given, _ := file("inputs.json")
	react, _ := modules.Lookup("react")
	call := s.call(t, given.(*value.Object))
	for _, f := range archive.Files {
		if f.Name == "state.json" {
			s.tuned(t, call, f.Data)
		}
	}
	outputs, err := react.Run(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	if wanted, _ := file("outputs.json"); !value.Equal(any(outputs), wanted) {
		t.Errorf("outputs %s, want %s", value.EncodeJSON(outputs), value.EncodeJSON(wanted))
	}
	if len(left) > 0 {
		t.Errorf("%d replies are left", len(left))
	}
	var calls []any
	for _, req := range model.Requests() {
		var messages []any
		for _, m := range req.Messages {
			messages = append(messages, value.NewObject("role", string(m.Role), "content", m.Text()))
		}
		calls = append(calls, messages)
	}
	theirs, _ := file("calls.json")
	if *update && differs {
		archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "calls.dspi.json" })
		archive.Files = append(archive.Files, txtar.File{Name: "calls.dspi.json", Data: append(value.EncodeJSONIndent(calls), '\n')})
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := theirs
	if ours, ok := file("calls.dspi.json"); ok || differs {
		if !differs || !ok || value.Equal(ours, theirs) {
			t.Fatal("the conversation does not say why it differs, or does not differ")
		}
		want = ours
	}
	compare(t, calls, want.([]any))
}

func compare(t *testing.T, got, want []any) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d calls, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		g, w := got[i].([]any), want[i].([]any)
		if len(g) != len(w) {
			t.Errorf("call %d: %d messages, want %d", i+1, len(g), len(w))
		}
		for j := range min(len(g), len(w)) {
			if !value.Equal(g[j], w[j]) {
				t.Errorf("call %d, message %d\ngot:\n%s\nwant:\n%s", i+1, j+1, plain(g[j]), plain(w[j]))
				return
			}
		}
	}
}

func plain(message any) string {
	content, _ := message.(*value.Object).Get("content")
	return fmt.Sprint(content)
}

// dspyTools are the functions of generate.py.
func dspyTools() map[string]func(context.Context, *value.Object) (any, error) {
	get := func(o *value.Object, name string) any { v, _ := o.Get(name); return v }
	return map[string]func(context.Context, *value.Object) (any, error){
		"search": func(_ context.Context, args *value.Object) (any, error) {
			found := []any{}
			for i := range get(args, "k").(int) {
				found = append(found, fmt.Sprintf("%s %d", get(args, "query"), i+1))
			}
			return found, nil
		},
		"add": func(_ context.Context, args *value.Object) (any, error) {
			return get(args, "a").(float64) + get(args, "b").(float64), nil
		},
		"lookup": func(_ context.Context, args *value.Object) (any, error) {
			people := 2750000
			if get(args, "place") == "Paris" {
				people = 2100000
			}
			facts := value.NewObject("place", get(args, "place"), "people", people, "detail", get(args, "detail"))
			return value.NewObject("facts", facts), nil
		},
		"mend": func(context.Context, *value.Object) (any, error) {
			return nil, &tool.Error{Tool: "mend", Text: "the workshop is closed", Err: errors.ErrUnsupported}
		},
		"read": func(_ context.Context, args *value.Object) (any, error) {
			return fmt.Sprintf("Page %d.\n\nIt has [[ ## marks ## ]] and «quotes».", get(args, "page")), nil
		},
	}
}

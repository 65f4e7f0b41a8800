package modules_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
)

// planned makes the plan of the last program of a text.
func planned(t *testing.T, text string) *plan.Plan {
	t.Helper()
	project, diags := check.Check(parser.Parse(source.NewFile("a.dsp", text)), check.Options{Universe: stdlib.Universe()})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	p, diags := plan.Make(project, project.Programs[len(project.Programs)-1], plan.Options{Universe: stdlib.Universe(), FallbackModel: "builtin/incontext"})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

func ran(t *testing.T, p *plan.Plan, model lm.LM, sink trace.Sink, inputs *value.Object) (*interpreter.Result, error) {
	t.Helper()
	return runWith(t.Context(), p, model, sink, inputs)
}

func runWith(ctx context.Context, p *plan.Plan, model lm.LM, sink trace.Sink, inputs *value.Object) (*interpreter.Result, error) {
	return interpreter.Run(ctx, p, &interpreter.Env{
		LM:     func(*plan.Model) (lm.LM, error) { return model, nil },
		Module: stdlib.Module,
		Trace:  sink,
	}, inputs)
}

// said is a reply in the chat format.
func said(outputs *value.Object) string {
	var b strings.Builder
	for name, v := range outputs.All() {
		text, ok := v.(string)
		if !ok {
			text = string(value.EncodeJSON(v))
		}
		fmt.Fprintf(&b, "[[ ## %s ## ]]\n%s\n\n", name, text)
	}
	return b.String() + "[[ ## completed ## ]]\n"
}

// call is what DSPy asks a model.
type call struct {
	Messages []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"messages"`
	Temperature *float64 `json:"temperature"`
}

// conversation answers the calls that DSPy makes with the replies that DSPy was
// given. Of calls with the same messages, each rollout is one.
type conversation struct {
	t     *testing.T
	calls []call
	texts []string

	mu     sync.Mutex
	used   []bool
	shown  []string // program_code and reward_code as they were written
	strays []string // what was asked that DSPy does not ask
}

func (*conversation) Features() lm.Features { return lm.Features{} }
func (*conversation) Address() string       { return "test/conversation" }

var hidden = []*regexp.Regexp{
	regexp.MustCompile(`(?s)(\[\[ ## program_code ## \]\]\n)(.*?)(\n\n\[\[ ## modules_defn ## \]\])`),
	regexp.MustCompile(`(?s)(\[\[ ## reward_code ## \]\]\n)(.*?)(\n\n\[\[ ## target_threshold ## \]\])`),
}

func (c *conversation) Generate(_ context.Context, req *lm.Request) (*lm.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var same []int
	asked := slices.Clone(req.Messages)
	for i, m := range asked {
		if !strings.Contains(m.Content, "[[ ## module_names ## ]]\n[") {
			continue
		}
		for _, r := range hidden {
			c.shown = append(c.shown, r.FindStringSubmatch(m.Content)[2])
			m.Content = r.ReplaceAllString(m.Content, "${1}(source)${3}")
		}
		asked[i] = m
	}
	for i, want := range c.calls {
		if len(want.Messages) != len(asked) || !reflect.DeepEqual(want.Temperature, req.Params.Temperature) {
			continue
		}
		equal := true
		for k, m := range want.Messages {
			equal = equal && m.Role == string(asked[k].Role) && m.Content == asked[k].Content
		}
		if equal {
			same = append(same, i)
		}
	}
	pick := -1
	if req.Rollout < len(same) {
		pick = same[req.Rollout]
	} else if len(same) > 0 {
		pick = same[0]
	}
	if pick < 0 || c.used[pick] {
		text, _ := json.MarshalIndent(asked, "", "  ")
		t := "none"
		if req.Params.Temperature != nil {
			t = fmt.Sprint(*req.Params.Temperature)
		}
		c.strays = append(c.strays, fmt.Sprintf("temperature %s, rollout %d: %s", t, req.Rollout, text))
		return nil, errors.New("DSPy does not ask this")
	}
	c.used[pick] = true
	return &lm.Response{Text: c.texts[pick], Usage: lm.Usage{InputTokens: 1, OutputTokens: 1}}, nil
}

// TestConversations plays the cases that testdata/wrappers/generate.py has played
// with the real DSPy: the same calls, to the byte, and the same outputs.
func TestConversations(t *testing.T) {
	paths, err := filepath.Glob("testdata/wrappers/*.txtar")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d cases (%v)", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files := map[string]string{}
			for _, f := range a.Files {
				files[f.Name] = string(f.Data)
			}
			c := &conversation{t: t}
			if err := json.Unmarshal([]byte(files["calls.json"]), &c.calls); err != nil {
				t.Fatal(err)
			}
			c.used = make([]bool, len(c.calls))
			for _, r := range decoded(t, files["replies.json"]).([]any) {
				c.texts = append(c.texts, said(r.(*value.Object)))
			}
			p := planned(t, files["program.dsp"])
			res, err := ran(t, p, c, nil, decoded(t, files["inputs.json"]).(*value.Object))
			for _, s := range c.strays {
				t.Errorf("DSPy does not ask: %s", s)
			}
			for i, used := range c.used {
				if !used {
					text, _ := json.MarshalIndent(c.calls[i], "", "  ")
					t.Errorf("only DSPy asks: %s", text)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			want := decoded(t, files["outputs.json"]).(*value.Object)
			for name, v := range res.Outputs.All() {
				if w, _ := want.Get(name); !value.Equal(v, w) {
					t.Errorf("%s is %v, DSPy's is %v", name, v, w)
				}
			}
			for _, s := range c.shown {
				if !strings.Contains(files["program.dsp"], strings.Split(s, "\n\nrefine ")[0]) {
					t.Errorf("the adviser is shown what is not in the program:\n%s", s)
				}
			}
		})
	}
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	v, err := value.DecodeJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

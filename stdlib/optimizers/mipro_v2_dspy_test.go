package optimizers

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/value"
)

// theProgram puts the words of testdata/mipro_v2.py in place of a program's text.
func theProgram(text string, messages []lm.Message) []lm.Message {
	messages = slices.Clone(messages)
	for i := range messages {
		if text != "" {
			messages[i].Content = strings.ReplaceAll(messages[i].Content, text, "THE PROGRAM")
		}
	}
	return messages
}

// miproTells is the model of testdata/mipro_v2.py, which is shown the program's text.
func miproTells(text string) func(optimize.Role, *lm.Request) (string, error) {
	word := regexp.MustCompile(`w(\d+)`)
	return func(role optimize.Role, req *lm.Request) (string, error) {
		if role == studied {
			return hashed(req, 5), nil
		}
		shown := *req
		shown.Messages = theProgram(text, req.Messages)
		return word.ReplaceAllStringFunc(hashed(&shown, 200), func(w string) string {
			n, _ := strconv.Atoi(w[1:])
			return []string{"COMPLETE, nothing new", `"` + w + `"`, "Here is the text: " + w, w}[n%4]
		}), nil
	}
}

// miproNames are the settings that DSPy calls otherwise.
func miproNames() map[string]string {
	return map[string]string{
		"num_candidates": "candidates", "num_trials": "trials",
		"tip_aware_proposer": "tip_aware", "data_aware_proposer": "data_aware", "program_aware_proposer": "program_aware", "fewshot_aware_proposer": "fewshot_aware",
	}
}

// miproCase is a case of testdata/mipro_v2.json: what DSPy did.
type miproCase struct {
	Name, Program string
	Rows, Dev     int
	Settings      map[string]any
	Calls         []*goldenCall
	Passed        int
	Sets          [][][]goldenDemo
	Instructions  [][]string
	Measured      [][]string
}

type miproGolden struct {
	Cases []*miproCase
	Texts struct {
		Values []*value.Object
		Inputs [][]string
		Rows   string
		Demos  []struct {
			Values *value.Object
			Text   string
		}
		Replies [][2]string
	}
}

func miproGoldens(t *testing.T) *miproGolden {
	t.Helper()
	g := &miproGolden{}
	readGolden(t, "mipro_v2.json", g)
	if len(g.Cases) < 14 {
		t.Fatalf("only %d cases", len(g.Cases))
	}
	return g
}

func (c *miproCase) study(t *testing.T) (*bench, *optimize.Study) {
	b := &bench{Reply: miproTells("")}
	b.chain(sameAnswer)
	settings := map[string]any{}
	for name, v := range integers(c.Settings) {
		if own, ok := miproNames()[name]; ok {
			name = own
		}
		if name == "auto" && v == nil {
			v = "off"
		}
		settings[name] = v
	}
	return b, b.study(t, "mipro_v2", settings, goldenProgram(t, c.Program), numbered("train", c.Rows, 5), numbered("dev", c.Dev, 5))
}

// TestMiproAsDSPy compares whole compiles with DSPy's: every message to the model that
// writes instructions, the sets of demos, the instructions, and the rows of each
// measurement in their order. Only which combinations are measured is the search's own.
func TestMiproAsDSPy(t *testing.T) {
	for _, c := range miproGoldens(t).Cases {
		t.Run(c.Name, func(t *testing.T) {
			b, s := c.study(t)
			text := programText(s)
			b.Reply = miproTells(text)
			random := chance(s, miproSeed)
			plan, err := newMiproPlan(s, random)
			if err != nil {
				t.Fatal(err)
			}
			demos, err := miproDemos(t.Context(), s, plan, random)
			if err != nil {
				t.Fatal(err)
			}
			for i, sets := range c.Sets {
				if len(sets) != len(demos[i]) {
					t.Fatalf("predictor %d has %d sets of demos, DSPy %d", i, len(demos[i]), len(sets))
				}
				for k, want := range sets {
					if got, want := shownDemos(demos[i][k]), goldenShown(want); got != want {
						t.Errorf("predictor %d, set %d:\n%sDSPy's:\n%s", i, k, got, want)
					}
				}
			}
			instructions, err := newProposer(s, plan, demos, random).propose(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var want, got []string
			for _, call := range c.Calls {
				want = append(want, call.shown())
			}
			for i, req := range b.asked {
				got = append(got, shownCall(theProgram(text, req.Messages), req.Temperature))
				if i < len(c.Calls) && req.Rollout != c.Calls[i].Rollout {
					t.Errorf("call %d has the rollout %d, DSPy's %d", i, req.Rollout, c.Calls[i].Rollout)
				}
			}
			compareCalls(t, got, want)
			for i := range c.Instructions {
				if !slices.Equal(instructions[i], c.Instructions[i]) {
					t.Errorf("predictor %d: %q, DSPy's %q", i, instructions[i], c.Instructions[i])
				}
			}
			m, err := newMiproSearch(s, plan, instructions, demos, random)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			c.compareRows(t, b, s)
		})
	}
}

// compareRows compares how many rows each measurement had and, of what was run first,
// which.
func (c *miproCase) compareRows(t *testing.T, b *bench, s *optimize.Study) {
	t.Helper()
	trials := s.Trials()
	var got, want []int
	for _, trial := range trials {
		got = append(got, trial.Rows)
	}
	for _, rows := range c.Measured {
		want = append(want, len(rows))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("measured are %d rows, DSPy measures %d", got, want)
	}
	// The rows of a trial are those of its candidate that were run, unless an earlier
	// trial of the same candidate had them.
	ran := map[string]map[string]bool{}
	for _, r := range b.runs {
		if r.Variation.Teacher {
			continue
		}
		q, _ := r.Row.Values.Get("question")
		key := r.Candidate.Key()
		if ran[key] == nil {
			ran[key] = map[string]bool{}
		}
		ran[key][q.(string)] = true
	}
	for i, rows := range c.Measured {
		for _, row := range rows {
			if !ran[trials[i].Candidate.Key()][row] {
				t.Errorf("trial %d was not measured on %q, as DSPy's is", i+1, row)
			}
		}
	}
}

// TestMiproTexts compares how rows, demos and replies are written and read.
func TestMiproTexts(t *testing.T) {
	texts := miproGoldens(t).Texts
	var rows []*optimize.Example
	for i, v := range texts.Values {
		rows = append(rows, examplesOf("train", texts.Inputs[i], v)...)
	}
	if got := rowsText(rows); got != texts.Rows {
		t.Errorf("rows are\n%s\nDSPy's\n%s", got, texts.Rows)
	}
	p := signatures("question, first_name, URLPath -> answer, score2, ok")[0]
	for _, d := range texts.Demos {
		if got := demoText(p, optimize.Demo{Object: d.Values}); got != d.Text {
			t.Errorf("a demo is\n%s\nDSPy's\n%s", got, d.Text)
		}
	}
	for _, r := range texts.Replies {
		if got := stripPrefix(r[0]); got != r[1] {
			t.Errorf("of %q is left %q, of DSPy's %q", r[0], got, r[1])
		}
	}
}

package optimizers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
)

// What the tests of simba and gepa share: the programs, models and metric of
// testdata/reflective.py.

// goldenMessage is a message as the goldens have it.
type goldenMessage struct{ Role, Content string }

// goldenStep is a tuned predictor of a golden.
type goldenStep struct {
	Name, Instructions string
	Demos              []struct {
		Augmented bool
		Values    map[string]any
	}
}

// readGolden reads a golden of testdata.
func readGolden(t *testing.T, name string, to any) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatal(err)
	}
}

// programOf returns the predictors of a program of reflective.py.
func programOf(name string) []*optimize.Predictor {
	if name == "Single" {
		return signatures("question -> answer")
	}
	return signatures("question -> hint", "question, hint -> reasoning, answer")
}

// textOfMessages is what the scripted models make digests of.
func textOfMessages(messages []lm.Message) string {
	var b strings.Builder
	for _, m := range messages {
		fmt.Fprintf(&b, "%s\n%s\n\n", m.Role, m.Text())
	}
	return b.String()
}

// reflectiveBench is a program with its model; writer is the model that the optimizer
// asks. What it is asked is kept, each question once.
type reflectiveBench struct {
	bench
	calls []string        // digests of the program's calls
	asked [][]lm.Message  // what writer was asked
	seen  map[string]bool // both
}

func newReflectiveBench(predictors []*optimize.Predictor, feedback, failing bool, writer func([]lm.Message) string) *reflectiveBench {
	b := &reflectiveBench{seen: map[string]bool{}}
	b.Reply = func(role optimize.Role, req *lm.Request) (string, error) {
		text := textOfMessages(req.Messages)
		if role != studied {
			b.mu.Lock()
			if !b.seen[text] {
				b.seen[text] = true
				b.asked = append(b.asked, req.Messages)
			}
			b.mu.Unlock()
			return writer(req.Messages), nil
		}
		temperature := ""
		if req.Temperature != nil {
			temperature = fmt.Sprintf("%.2f", *req.Temperature)
		}
		sum := sha256.Sum256(fmt.Appendf(nil, "%s%d %s", text, req.Rollout, temperature))
		key := hex.EncodeToString(sum[:])[:12]
		b.mu.Lock()
		if !b.seen[key] {
			b.seen[key] = true
			b.calls = append(b.calls, key)
		}
		b.mu.Unlock()
		if failing && sha256.Sum256(fmt.Appendf(nil, "%s%d fails", text, req.Rollout))[0] < 21 {
			return "", errors.New("no answer")
		}
		return hashed(req, 5), nil
	}
	b.chain(closeness)
	if feedback {
		answer := b.Answer
		b.Answer = func(c *optimize.Candidate, row *optimize.Example, v optimize.Variation) *optimize.Outcome {
			o := answer(c, row, v)
			if o.Err == "" {
				want, _ := row.Labels.Get("answer")
				got, _ := o.Outputs.Get("answer")
				o.Feedback = fmt.Sprintf("Wanted %v, got %v.", want, got)
			}
			return o
		}
	}
	return b
}

// closeness is the metric: from w3 to w3 it is 1, to w4 ¾ …
func closeness(row *optimize.Example, outputs *value.Object) float64 {
	want, _ := row.Labels.Get("answer")
	got, _ := outputs.Get("answer")
	digit := func(v any) int { return int(v.(string)[1] - '0') }
	return 1 - float64((digit(want)-digit(got)+5)%5)/4
}

// adviceOf is the model that gives advice.
func adviceOf(predictors []*optimize.Predictor) func([]lm.Message) string {
	return func(messages []lm.Message) string {
		d := sha256.Sum256([]byte(textOfMessages(messages)))
		var said []string
		for i, p := range predictors {
			said = append(said, fmt.Sprintf(`"%s": "Think of w%d."`, p.Name, d[i]%5))
		}
		return fmt.Sprintf("[[ ## discussion ## ]]\nw%d\n\n[[ ## module_advice ## ]]\n{%s}\n\n[[ ## completed ## ]]", d[9]%5, strings.Join(said, ", "))
	}
}

// instructionsWritten is the model that writes instructions, in one of the forms in
// which models do.
func instructionsWritten(messages []lm.Message) string {
	d := sha256.Sum256([]byte(textOfMessages(messages)))
	text := fmt.Sprintf("Answer with w%d.\nThink of %d.", d[0]%5, d[1])
	forms := []string{"Here:\n```\n{}\n```\nDone.", "```text\n{}\n```", "```{}```", "{}", "```\n{}", "  {}\n```", "```a```\n{} ```b```"}
	return strings.ReplaceAll(forms[int(d[2])%len(forms)], "{}", text)
}

// compareGolden compares what was asked and found with what DSPy asked and found.
func compareGolden(t *testing.T, b *reflectiveBench, s *optimize.Study, found *optimize.Candidate, calls []string, asked [][]goldenMessage, steps []goldenStep) {
	t.Helper()
	for i := range min(len(asked), len(b.asked)) {
		for j := range min(len(asked[i]), len(b.asked[i])) {
			want, got := asked[i][j], b.asked[i][j]
			if string(got.Role) != want.Role || got.Text() != want.Content {
				t.Fatalf("question %d of %d, message %d (%s, in DSPy %s) %s", i, len(asked), j, got.Role, want.Role, firstDifference(got.Text(), want.Content))
			}
		}
		if len(asked[i]) != len(b.asked[i]) {
			t.Fatalf("question %d has %d messages, in DSPy %d", i, len(b.asked[i]), len(asked[i]))
		}
	}
	if len(asked) != len(b.asked) {
		t.Errorf("%d questions were asked, by DSPy %d", len(b.asked), len(asked))
	}
	for i := range min(len(calls), len(b.calls)) {
		if calls[i] != b.calls[i] {
			t.Fatalf("call %d of the program is another than in DSPy", i)
		}
	}
	if len(calls) != len(b.calls) {
		t.Errorf("the program made %d calls, in DSPy %d", len(b.calls), len(calls))
	}
	for i, want := range steps {
		got := found.Steps[i]
		if s.Predictors[i].Name != want.Name || told(s, found, i) != want.Instructions {
			t.Errorf("%s is told %q, in DSPy %s: %q", s.Predictors[i].Name, told(s, found, i), want.Name, want.Instructions)
		}
		if len(got.Demos) != len(want.Demos) {
			t.Errorf("%s has %d demos, in DSPy %d", want.Name, len(got.Demos), len(want.Demos))
			continue
		}
		for j, d := range want.Demos {
			values := map[string]any{}
			for name, v := range got.Demos[j].All() {
				values[name] = v
			}
			if fmt.Sprint(values) != fmt.Sprint(d.Values) || got.Demos[j].Augmented != d.Augmented {
				t.Errorf("demo %d of %s is %v, in DSPy %v", j, want.Name, values, d.Values)
			}
		}
	}
}

// firstDifference shows where two texts part.
func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("in line %d:\n%s\nDSPy has\n%s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("has %d lines, in DSPy %d", len(a), len(b))
}

// withSource gives the program of a study a source, as DSPy shows one.
func withSource(s *optimize.Study, text string) {
	file := source.NewFile("main.dsp", text)
	s.Program = &program.Program{Name: "program", Block: file.Place(source.Span{End: int32(len(text))})}
}

// numbersOf makes the settings of a golden those of a study: JSON has one kind of number.
func numbersOf(settings map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range settings {
		if f, ok := v.(float64); ok && f == float64(int(f)) && !strings.HasPrefix(name, "temperature") {
			v = int(f)
		}
		out[name] = v
	}
	return out
}

// notesOf are those of all trials.
func notesOf(s *optimize.Study) string {
	var out []string
	for _, trial := range s.Trials() {
		out = append(out, trial.Note)
	}
	return strings.Join(out, "\n")
}

// fullMeans are the means of the full trials, and those that were the best so far.
func fullMeans(s *optimize.Study) (all, best []float64) {
	for _, trial := range s.Trials() {
		if trial.Full {
			all = append(all, trial.Means[0])
		}
		if trial.Best {
			best = append(best, trial.Means[0])
		}
	}
	return all, best
}

// onlyTrain reports a run on a row that may not be learned from.
func onlyTrain(t *testing.T, b *reflectiveBench) {
	t.Helper()
	marks := regexp.MustCompile(`dev question`)
	for i, messages := range b.asked {
		if marks.MatchString(textOfMessages(messages)) {
			t.Errorf("question %d shows a dev row", i)
		}
	}
	if !slices.ContainsFunc(b.asked, func(m []lm.Message) bool { return strings.Contains(textOfMessages(m), "train question") }) {
		t.Error("no question shows a training row")
	}
}

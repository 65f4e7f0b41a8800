package optimizers

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// inferRules bootstraps demos, lets a model draw rules from the training rows, and
// keeps the set of rules that is best on the dev rows: DSPy's InferRules. The prompts,
// the order and the rollouts of the questions are DSPy's. Without dev rows the second
// half of the training rows stands in for them, and nothing is learned from it.
//
// DSPy's candidates share their instructions, so that it returns the last set of rules
// whichever was best; here the best is returned. DSPy ends with an error where a model
// gives no rules; here the predictor then keeps its instructions in that candidate.
// Scores are compared unrounded.
type inferRules struct{}

func (inferRules) Optimize(ctx context.Context, s *optimize.Study) ([]*optimize.Candidate, error) {
	o, dev := bootstrapOf(s), s.Dev
	if len(dev) == 0 {
		half := len(s.Train) / 2
		o.Rows, dev = s.Train[:half], s.Train[half:]
	}
	s.Doing("running the program on training rows")
	start, err := withBootstrapped(ctx, s, o)
	if err != nil {
		return []*optimize.Candidate{start}, err
	}
	rules := &rulesOf{s: s, rows: o.Rows, random: chance(s, 0)}
	var best *optimize.Score
	ended := func(err error) ([]*optimize.Candidate, error) {
		if best == nil {
			return []*optimize.Candidate{start}, err
		}
		return []*optimize.Candidate{best.Candidate}, err
	}
	for n := range s.Settings.Int("candidates") {
		c := start
		for i, p := range s.Predictors {
			if !p.TuneInstructions {
				continue
			}
			s.Doing("drawing rules for " + p.Path)
			text, err := rules.draw(ctx, p)
			if optimize.Ends(ctx, err) {
				return ended(err)
			}
			if err == nil {
				c = c.WithInstructions(i, instructionsOf(s, i)+"\n\nPlease adhere to the following rules when making your prediction:\n"+text)
			}
		}
		score, err := s.EvaluateAgainst(ctx, c, dev, best)
		if err != nil {
			return ended(err)
		}
		s.Tried(score, len(s.Dev) > 0, fmt.Sprintf("rules, set %d", n+1), nil)
		if !score.GivenUp && (best == nil || score.Value() > best.Value()) {
			best = score
		}
	}
	return ended(nil)
}

// rulesOf draws rules from rows.
type rulesOf struct {
	s      *optimize.Study
	rows   []*optimize.Example
	random interface{ Int(low, high int) int }
}

// draw asks for the rules of a predictor. While the rows do not fit into the model's
// context, the last of them is left out.
func (r *rulesOf) draw(ctx context.Context, p *optimize.Predictor) (string, error) {
	hot := 1.0
	for rows := r.rows; ; rows = rows[:len(rows)-1] {
		answer, err := r.s.Ask(ctx, &optimize.Question{
			Role: optimize.PromptModel, Signature: rulesSignature(r.s.Settings.Int("rules")),
			Inputs: value.NewObject("examples_text", examplesText(p, rows)), Reasons: true,
			Rollout: r.random.Int(0, 1e9), Temperature: &hot,
		})
		if err == nil {
			return strings.TrimSpace(textOf(answer, "natural_language_rules")), nil
		}
		e := lm.AsError(err)
		if e == nil || !e.ContextFull() && e.Kind != lm.KindRequest || len(rows) <= 1 {
			return "", err
		}
	}
}

// rulesSignature is what DSPy asks for rules.
func rulesSignature(rules int) *program.Signature {
	return &program.Signature{
		Instructions: fmt.Sprintf("Given a set of examples, extract a list of %d concise and non-redundant natural language "+
			"rules that provide clear guidance for performing the task. All rules should be actionable for a "+
			"well-specified scope of examples of this general kind of task.", rules),
		Inputs:  []types.Field{asked("examples_text", "Text containing examples")},
		Outputs: []types.Field{asked("natural_language_rules", "Induced natural language rules")},
	}
}

// examplesText shows rows as DSPy does: what they have of a predictor's fields.
func examplesText(p *optimize.Predictor, rows []*optimize.Example) string {
	var b strings.Builder
	for _, row := range rows {
		var in, out []string
		for name, v := range row.Values.All() {
			line := name + ": " + pythonText(v)
			if _, ok := p.Signature.Input(name); ok {
				in = append(in, line)
			} else if _, ok := p.Signature.Output(name); ok {
				out = append(out, line)
			}
		}
		b.WriteString("Input Fields:\n" + strings.Join(in, "\n") + "\n\n=========\nOutput Fields:\n" + strings.Join(out, "\n") + "\n\n")
	}
	return b.String()
}

// pythonText writes a value as Python's str() does.
func pythonText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return pythonRepr(v)
}

// pythonRepr writes a value as Python's repr() does.
func pythonRepr(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int:
		return strconv.Itoa(v)
	case float64:
		return pythonFloat(v)
	case string:
		return pythonQuote(v)
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = pythonRepr(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *value.Object:
		var parts []string
		for name, x := range v.All() {
			parts = append(parts, pythonQuote(name)+": "+pythonRepr(x))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return string(value.EncodeJSON(v))
}

func pythonFloat(f float64) string {
	if abs := math.Abs(f); f != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func pythonQuote(s string) string {
	quote := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	var b strings.Builder
	b.WriteRune(quote)
	for _, r := range s {
		switch {
		case r == quote || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteRune(quote)
	return b.String()
}

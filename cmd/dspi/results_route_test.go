//go:build results

package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/providers/builtin"
)

// The two models of TestResultsRoute are the baseline with more and with fewer worked
// examples in its prompt: the dear one is right more often, and each of its calls has
// more tokens at a higher price.
const (
	dearDemos  = 20 // of each category
	cheapDemos = 10 // at most, of each category

	// allowedLoss is how many of a thousand held-out rows the route may lose against
	// the dear model when its confidence_min is chosen.
	allowedLoss = 1
	// wantSaved is how much less than the dear model the route must cost.
	wantSaved = 0.20
	// equalWithin is the largest difference, in percent points, that passes for none.
	equalWithin = 1.0
)

// TestResultsRoute measures a route that is cost_optimized with a confidence. Of
// banking77's training rows the first 20 of each category are the worked examples; on
// the others the cheap model's number of examples and confidence_min are chosen. The
// test rows are looked at once, with these.
func TestResultsRoute(t *testing.T) {
	train, test := readBanking(t, "train.csv"), readBanking(t, "test.csv")
	demos, held := train.divide(dearDemos)
	t.Logf("%d worked examples, %d held-out rows, %d test rows", dearDemos*len(demos), len(held.rows), len(test.rows))

	dear := runRows(t, held, newLadder(t, test.labels, demos, 1, 0.5, "dear"))
	k, least := choose(t, held, demos, dear)

	each := map[string]outcomes{}
	for _, name := range []string{"cheap", "dear", "ladder"} {
		each[name] = runRows(t, test, newLadder(t, test.labels, demos, k, least, name))
	}
	route, alone := each["ladder"], each["dear"]
	var table strings.Builder
	fmt.Fprintf(&table, "| | right of %d | share | 95 %% interval | calls | tokens | cost | by dear |\n|---|---|---|---|---|---|---|---|\n", len(test.rows))
	for _, name := range []string{"cheap", "dear", "ladder"} {
		o := each[name]
		low, high := wilson(o.right(), len(o))
		fmt.Fprintf(&table, "| %s | %d | %.1f %% | %.1f to %.1f %% | %d | %d | $%.4f | %.3f |\n",
			name, o.right(), percent(o.right(), len(o)), 100*low, 100*high, o.calls(), o.tokens(), o.usd(), o.usd()/alone.usd())
	}
	t.Logf("cheap with %d examples a category, confidence_min = %.2f\n\n%s", k, least, table.String())

	won, lost := versus(route, alone)
	low, high := pairedInterval(route, alone)
	difference := percent(route.right()-alone.right(), len(route))
	t.Logf("ladder and dear: %+.2f points, 95 %% interval %+.2f to %+.2f (paired bootstrap); %d rows right only by the ladder, %d only by dear, McNemar's exact p = %.3f",
		difference, low, high, won, lost, mcnemar(won, lost))
	saved := 1 - route.usd()/alone.usd()
	same := 1 - float64(route.tokens())/float64(alone.tokens())
	t.Logf("the ladder costs %.1f %% less than dear; with one price for both %.1f %% fewer tokens are sent; dear was asked for %d of %d rows", 100*saved, 100*same, route.calls()-len(route), len(route))
	if saved < wantSaved {
		t.Errorf("saved %.1f %%, want %.0f %%", 100*saved, 100*wantSaved)
	}
	if low > 0 || high < 0 || math.Abs(difference) > equalWithin {
		t.Errorf("a difference of %+.2f points (%+.2f to %+.2f) is not equal accuracy", difference, low, high)
	}
}

// choose returns the cheap model's number of examples and the confidence_min that cost
// least on held-out rows and lose no more than allowedLoss there.
func choose(t *testing.T, held banking, demos [][]string, dear outcomes) (k int, least float64) {
	t.Helper()
	best := math.Inf(1)
	for n := 1; n <= cheapDemos; n++ {
		cheap := runRows(t, held, newLadder(t, held.labels, demos, n, 0.5, "cheap"))
		for hundredth := 1; hundredth < 100; hundredth++ {
			bar := float64(hundredth) / 100
			right, usd := 0, 0.0
			for i, c := range cheap {
				stands, answer := c.sure >= bar, c
				usd += c.usd
				if !stands {
					answer = dear[i]
					usd += dear[i].usd
				}
				if answer.right {
					right++
				}
			}
			if right*1000 >= dear.right()*1000-allowedLoss*len(held.rows) && usd < best {
				best, k, least = usd, n, bar
				t.Logf("held out: %d examples, confidence_min = %.2f: %.2f %% right (dear %.2f %%), %.1f %% of dear's cost",
					n, bar, percent(right, len(cheap)), percent(dear.right(), len(dear)), 100*usd/dear.usd())
			}
		}
	}
	if k == 0 {
		t.Fatal("no confidence_min is good enough on the held-out rows")
	}
	return k, least
}

// divide takes the first n rows of each category, in the order of the file, and
// returns their texts by category, and the rows that are left.
func (b banking) divide(n int) (first [][]string, rest banking) {
	first, rest.labels = make([][]string, len(b.labels)), b.labels
	for _, q := range b.rows {
		if len(first[q.label]) < n {
			first[q.label] = append(first[q.label], q.text)
		} else {
			rest.rows = append(rest.rows, q)
		}
	}
	return first, rest
}

// ladder is a program of two models and a route over both, planned for one of the
// three.
type ladder struct {
	*dspi.Runtime
	plan *plan.Plan
}

// newLadder returns the program with n examples a category for the cheap model, and a
// confidence_min. model is who answers: cheap, dear or ladder.
func newLadder(t *testing.T, labels []string, demos [][]string, n int, least float64, model string) *ladder {
	t.Helper()
	models := fmt.Sprintf(`model cheap {
  provider = "builtin"
  name     = "incontext"
  price { input = 0.05, output = 0.40 }
}

model dear {
  provider = "builtin"
  name     = "incontext"
  price { input = 1.25, output = 10.00 }
}

model ladder {
  route          = "cost_optimized"
  models         = [model.cheap, model.dear]
  confidence     = "sure"
  confidence_min = %.2f
}
`, least)
	text := strings.Replace(sortProgram(labels, models), "category: Category", "category: Category, sure: probability", 1)
	project, diags := dspi.Check(dspi.Parse("ladder.dsp", text))
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	p, err := dspi.Plan(project, dspi.PlanOptions{Model: model, Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	l := &ladder{dspi.NewRuntime(dspi.Options{}), p}
	use := func(m *plan.Model) {
		of := map[string]int{"cheap": n, "dear": dearDemos}[m.Name]
		l.Use(m, lm.WithPrice(withDemos(t, p.Ops[0].Signature, labels, demos, of), m.Price))
	}
	if route := p.Ops[0].Model.Route; route != nil {
		for _, member := range route.Members {
			use(member.Model)
		}
	} else {
		use(p.Ops[0].Model)
	}
	return l
}

// withTurns is a model whose every prompt has worked examples after its first message.
type withTurns struct {
	lm.LM
	turns []lm.Message
}

func (s *withTurns) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	c := *req
	c.Messages = slices.Concat(req.Messages[:1], s.turns, req.Messages[1:])
	return s.LM.Generate(ctx, &c)
}

// withDemos returns the baseline with n examples of each category, written as the
// adapter writes them.
func withDemos(t *testing.T, sig *program.Signature, labels []string, demos [][]string, n int) lm.LM {
	t.Helper()
	var all []prompt.Demo
	for i := range n {
		for label, texts := range demos {
			demo := &value.Object{}
			demo.Set("text", texts[i])
			demo.Set("category", labels[label])
			all = append(all, demo)
		}
	}
	inputs := &value.Object{}
	inputs.Set("text", "")
	messages := prompt.Chat().Messages(sig, all, inputs)
	model, err := builtin.New(builtin.Name)
	if err != nil {
		t.Fatal(err)
	}
	return &withTurns{model, messages[1 : len(messages)-1]}
}

// outcome is what came of one row.
type outcome struct {
	right         bool
	sure, usd     float64
	calls, tokens int
}

// outcomes are those of all rows of a table.
type outcomes []outcome

func (o outcomes) right() (n int) {
	for _, x := range o {
		if x.right {
			n++
		}
	}
	return n
}

func (o outcomes) usd() (sum float64) {
	for _, x := range o {
		sum += x.usd
	}
	return sum
}

func (o outcomes) calls() (sum int) {
	for _, x := range o {
		sum += x.calls
	}
	return sum
}

func (o outcomes) tokens() (sum int) {
	for _, x := range o {
		sum += x.tokens
	}
	return sum
}

// runRows runs the program on every row.
func runRows(t *testing.T, data banking, l *ladder) outcomes {
	t.Helper()
	defer l.Close()
	out := make(outcomes, len(data.rows))
	workers := runtime.GOMAXPROCS(0)
	failed := make([]error, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := w; i < len(out) && failed[w] == nil; i += workers {
				out[i], failed[w] = l.answer(data.rows[i].text, data.labels[data.rows[i].label])
			}
		})
	}
	group.Wait()
	for _, err := range failed {
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func (l *ladder) answer(text, label string) (outcome, error) {
	result, err := l.Run(context.Background(), l.plan, map[string]any{"text": text})
	if err != nil {
		return outcome{}, err
	}
	if result.Usage.USD == nil {
		return outcome{}, fmt.Errorf("the cost is not known")
	}
	category, _ := result.Outputs.Get("category")
	sure, _ := result.Outputs.Get("sure")
	o := outcome{right: category == label, usd: *result.Usage.USD, calls: result.Usage.Calls, tokens: result.Usage.InputTokens + result.Usage.OutputTokens}
	var ok bool
	if o.sure, ok = sure.(float64); !ok {
		return outcome{}, fmt.Errorf("sure is %v", sure)
	}
	return o, nil
}

// versus counts the rows that only one of two is right about.
func versus(a, b outcomes) (onlyA, onlyB int) {
	for i := range a {
		switch {
		case a[i].right && !b[i].right:
			onlyA++
		case b[i].right && !a[i].right:
			onlyB++
		}
	}
	return onlyA, onlyB
}

// pairedInterval is the 95 % interval of the difference of two shares, in percent
// points: of 10,000 tables of as many rows, drawn from the rows with a fixed seed.
func pairedInterval(a, b outcomes) (low, high float64) {
	random := rand.New(rand.NewPCG(77, 2026))
	differences := make([]float64, 10_000)
	for i := range differences {
		sum := 0
		for range a {
			row := random.IntN(len(a))
			if a[row].right {
				sum++
			}
			if b[row].right {
				sum--
			}
		}
		differences[i] = percent(sum, len(a))
	}
	slices.Sort(differences)
	return differences[len(differences)/40], differences[len(differences)-1-len(differences)/40]
}

// mcnemar is the chance of a split at least so uneven if both were equally good: the
// exact test of two sides.
func mcnemar(won, lost int) float64 {
	n := won + lost
	p := 0.0
	for k := 0; k <= min(won, lost); k++ {
		choose, _ := math.Lgamma(float64(n + 1))
		a, _ := math.Lgamma(float64(k + 1))
		b, _ := math.Lgamma(float64(n - k + 1))
		p += math.Exp(choose - a - b - float64(n)*math.Ln2)
	}
	return min(1, 2*p)
}

//go:build dspy && unix

package python_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// at returns the part of times below which a share of them is.
func at(times []time.Duration, share float64) float64 {
	slices.Sort(times)
	return float64(times[int(float64(len(times)-1)*share)].Microseconds()) / 1000
}

// answers is a model that answers at once.
type answers struct{ text string }

func (a answers) Generate(_ context.Context, req *lm.Request) (*lm.Response, error) {
	return &lm.Response{Text: a.text, Finish: lm.FinishStop, Model: "m", Usage: lm.EstimateUsage(req.Messages, a.text)}, nil
}
func (answers) Address() string       { return "test/answers" }
func (answers) Features() lm.Features { return lm.Features{} }

// BenchmarkBridge is what a step in Python costs, warm, with one caller.
func BenchmarkBridge(b *testing.B) {
	for _, c := range []struct{ name, archive string }{
		{"function", calling("code:double")},
		{"predict", "-- main.dsp --\nprogram main {\n  n: int -> result: string\n  predict call { backend = \"python\" }\n}\n"},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := newProject(b, c.archive)
			p.options.Trace = nil
			p.model = func() lm.LM { return answers{chat("result", "Paris")} }
			made := p.plan("main")
			r := p.runtime(made)
			inputs := map[string]any{"n": 21}
			for range 50 {
				if _, err := r.Run(b.Context(), made, inputs); err != nil {
					b.Fatal(rendered(err))
				}
			}
			var times []time.Duration
			for b.Loop() {
				start := time.Now()
				if _, err := r.Run(b.Context(), made, inputs); err != nil {
					b.Fatal(rendered(err))
				}
				times = append(times, time.Since(start))
			}
			b.ReportMetric(at(times, 0.5), "ms-p50")
			b.ReportMetric(at(times, 0.95), "ms-p95")
		})
	}
	b.Run("predict within Python", func(b *testing.B) {
		direct := exec.Command(os.Getenv("DSPI_PYTHON"), "-c", `
import json, time, dspy

class LM(dspy.BaseLM):
    def forward(self, prompt=None, messages=None, **kwargs):
        from types import SimpleNamespace as N
        m = N(content="[[ ## result ## ]]\nParis\n\n[[ ## completed ## ]]", tool_calls=None)
        return N(choices=[N(message=m, finish_reason="stop")], usage={}, model="m")

p, times = dspy.Predict("n: int -> result"), []
with dspy.context(lm=LM("m"), trace=[], disable_history=True):
    for i in range(550):
        start = time.perf_counter()
        p(n=21)
        times.append(time.perf_counter() - start)
print(json.dumps(times[50:]))
`)
		direct.Dir = b.TempDir() // the folder of this package has a module inspect
		out, err := direct.Output()
		if err != nil {
			b.Fatal(err)
		}
		var seconds []float64
		if err := json.Unmarshal(out, &seconds); err != nil {
			b.Fatal(err)
		}
		var times []time.Duration
		for _, s := range seconds {
			times = append(times, time.Duration(s*float64(time.Second)))
		}
		for b.Loop() { // it was measured there
		}
		b.ReportMetric(at(times, 0.5), "ms-p50")
		b.ReportMetric(at(times, 0.95), "ms-p95")
	})
}

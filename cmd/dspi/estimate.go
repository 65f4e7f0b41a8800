package main

import (
	"fmt"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/dspi-lang/dspi/interpreter/estimate"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/value"
)

// estimate prints what a run would take: `dspi plan --estimate`.
func (a *app) estimate(p *plan.Plan, pairs []pair, input string, asJSON bool) error {
	given, err := a.inputs(p.Checked.Signature, pairs, input)
	if err != nil {
		return err
	}
	known, err := knownInputs(p, given)
	if err != nil {
		return err
	}
	e := estimate.Of(p, known)
	if asJSON {
		return a.writeJSON(e)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "a run of %s takes\n\n", e.Program)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "  step\tcalls\ttokens in\ttokens out\tUS dollars\t\n")
	for _, s := range e.Steps {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\n", strings.TrimPrefix(s.Address, "program."), s.Calls, s.InputTokens, s.OutputTokens, money(s.USD), strings.Join(s.Why, "; "))
	}
	if len(e.Steps) != 1 {
		fmt.Fprintf(w, "  in all\t%s\t%s\t%s\t%s\t\n", e.Total.Calls, e.Total.InputTokens, e.Total.OutputTokens, money(e.Total.USD))
	}
	_ = w.Flush() // to memory
	for line := range strings.Lines(b.String()) {
		fmt.Fprintln(a.out, strings.TrimRight(line, " \n"))
	}
	fmt.Fprintln(a.out)
	for _, n := range e.Notes {
		fmt.Fprintf(a.out, "  %s\n", n)
	}
	return nil
}

// knownInputs brings the inputs that are given into their types; others may be
// missing.
func knownInputs(p *plan.Plan, given map[string]any) (*value.Object, error) {
	fixed, err := fixedInputs(p.Checked, given)
	if err != nil {
		return nil, err
	}
	out := &value.Object{}
	for _, f := range p.Checked.Signature.Inputs {
		v, ok := fixed[f.Name]
		switch {
		case ok:
			out.Set(f.Name, v)
		case f.HasDefault:
			out.Set(f.Name, f.Default)
		}
	}
	return out, nil
}

func money(r *estimate.Range) string {
	switch {
	case r == nil:
		return "unknown"
	case math.IsInf(r.Max, 1):
		return "at least " + dollars(&r.Min)
	case r.Min == r.Max:
		return dollars(&r.Min)
	}
	return dollars(&r.Min) + "–" + dollars(&r.Max)
}

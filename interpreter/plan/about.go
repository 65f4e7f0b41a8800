package plan

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/program"
)

// About is a declaration that speaks of the planned program: what must hold on
// every run of it, what measures, tunes and tests it.
type About struct {
	Kind string `json:"kind"` // constraint, evaluate, optimize, test
	Name string `json:"name"`
	Text string `json:"text"`
}

// about collects what a project declares about one of its programs.
func about(project *program.Project, prog *program.Program) []About {
	var out []About
	for _, c := range project.Constraints {
		text := oneLine(c.Require.Text())
		if !c.When.IsZero() {
			text += " when " + oneLine(c.When.Text())
		}
		out = append(out, About{"constraint", c.Name, text})
	}
	for _, e := range project.Evaluations {
		if e.Program == prog {
			text := metricNames(e.Metrics) + on(e.Data)
			if !e.Require.IsZero() {
				text += ", requires " + oneLine(e.Require.Text())
			}
			out = append(out, About{"evaluate", e.Name, text})
		}
	}
	for _, o := range project.Optimizations {
		if o.Program != prog {
			continue
		}
		names := make([]string, len(o.Stages))
		for i, s := range o.Stages {
			names[i] = s.Optimizer
		}
		text := strings.Join(names, ", then ")
		if len(o.Maximize) > 0 {
			text += ", more " + metricNames(o.Maximize)
		}
		if len(o.Minimize) > 0 {
			text += ", less " + metricNames(o.Minimize)
		}
		out = append(out, About{"optimize", o.Name, text + on(o.Train)})
	}
	for _, t := range project.Tests {
		if t.Program == prog {
			out = append(out, About{"test", t.Name, t.Description})
		}
	}
	return out
}

func on(d *program.Dataset) string {
	if d == nil {
		return ""
	}
	return " on dataset." + d.Name
}

func metricNames(uses []*program.MetricUse) string {
	names := make([]string, len(uses))
	for i, u := range uses {
		names[i] = "metric." + u.Builtin
		if u.Metric != nil {
			names[i] = "metric." + u.Metric.Name
		}
	}
	return strings.Join(names, ", ")
}

// String returns the declaration in one line.
func (a About) String() string {
	s := a.Kind
	if a.Name != "" {
		s += " " + a.Name
	}
	if a.Text != "" {
		s += ": " + a.Text
	}
	return s
}

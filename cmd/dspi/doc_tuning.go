package main

import (
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

// tuningTopics are the tables of what stands around programs: optimizers, metrics
// and tools that are built in.
func tuningTopics(u *universe.Universe) []topic {
	optimizers := topic{Name: "optimizers", Doc: "ways to tune a program"}
	for _, o := range u.Optimizers {
		e := blockEntry(*o.Block(), "optimizer")
		e.Facts = append(e.Facts, "changes "+strings.Join(o.Changes, " and "))
		if o.Objectives > 1 {
			e.Facts = append(e.Facts, "weighs several metrics against each other")
		}
		optimizers.Entries = append(optimizers.Entries, e)
	}
	metrics := topic{Name: "metrics", Doc: "what can be measured without declaring it"}
	for _, m := range u.Metrics {
		e := docEntry{Name: "metric." + m.Name, Kind: "metric", Doc: m.Doc}
		if m.Params != "" {
			e.Form = fmt.Sprintf("%s(%s) -> %s", m.Name, m.Params, m.Type)
		}
		if m.Compares {
			e.Facts = append(e.Facts, "as `metric."+m.Name+"` it compares each output with the column of the same name")
		}
		if m.Unit != "" {
			e.Facts = append(e.Facts, "in "+m.Unit)
		}
		if m.Lower {
			e.Facts = append(e.Facts, "less is better")
		}
		metrics.Entries = append(metrics.Entries, e)
	}
	tools := topic{Name: "tools", Doc: "what a model can call without declaring it"}
	for _, x := range u.Tools {
		tools.Entries = append(tools.Entries, docEntry{
			Name: "tool." + x.Name, Kind: "tool", Doc: x.Doc, Form: fieldsForm(x.Inputs) + " -> " + fieldsForm(x.Outputs),
		})
	}
	return []topic{optimizers, metrics, tools}
}

func fieldsForm(fs []types.Field) string {
	parts := make([]string, len(fs))
	for i, f := range fs {
		parts[i] = f.Name + ": " + f.Type.String()
	}
	return strings.Join(parts, ", ")
}

package plan

import (
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
)

// Models resolves the declared models of a project, in the order of their
// declaration, and then those that addresses name. The list says what keeps one
// from being used.
func Models(project *program.Project, addresses []string, opt Options) ([]*Model, diag.List) {
	m := newMaker(project, opt)
	var out []*Model
	for _, d := range project.Models {
		out = append(out, m.declared(d, "its declaration", d.Place))
	}
	for _, a := range addresses {
		out = append(out, m.named(a, "the command", source.Place{}))
	}
	m.diags.Sort()
	return out, m.diags
}

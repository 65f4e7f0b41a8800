package check

import (
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// newBody makes a body of steps that is no program's.
func (c *checker) newBody(fs *fileScope, b *syntax.Block, prog *program.Program, s map[string]*setting) *body {
	return &body{fs: fs, block: b, prog: prog, settings: s, taken: map[string]source.Place{}, opaque: c.opaque(b)}
}

// finishBody checks the steps of a body; more checks what else is in it, when
// the scope is made.
func (c *checker) finishBody(b *body, more func()) {
	c.linkSkipped(b)
	c.buildScope(b)
	b.scope.Host, b.scope.Own = c.u.Callable(), c.ownMetrics()
	for _, s := range b.steps {
		c.checkStep(b, s)
	}
	more()
	c.checkProgramSettings(b)
	c.orderProgram(b)
	for _, s := range b.steps {
		b.prog.Steps = append(b.prog.Steps, s.step)
	}
	for _, l := range b.lets {
		if !l.value.Value.IsZero() {
			b.prog.Lets = append(b.prog.Lets, l.value)
		}
	}
}

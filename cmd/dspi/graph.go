package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/spf13/cobra"
)

// graphLanguages are what `dspi graph` writes, and the names of files that mean
// it.
var graphLanguages = []struct {
	name       string
	extensions []string
	write      func(*plan.Plan) string
}{
	{"mermaid", []string{".mmd", ".mermaid"}, plan.Mermaid},
	{"dot", []string{".dot", ".gv"}, plan.DOT},
}

func graphCommand(a *app) *cobra.Command {
	var s settings
	var signature, format, out string
	cmd := &cobra.Command{
		Use:   "graph FILE [PROGRAM]",
		Short: "Draw a program",
		Long: `Draws what a run would do, as text in the language of Mermaid or of Graphviz:
inputs, operations and outputs are nodes, and an arrow is a field that flows from
one to another. A dashed arrow says whether a step runs; called programs and
repeat are boxes. Nothing is sent.

Many editors and sites show Mermaid as a picture, in Markdown behind a line of
three backticks and the word mermaid.`,
		Example: `  dspi graph rag.dsp
  dspi graph rag.dsp answer --format dot | dot -Tsvg -o answer.svg
  dspi graph rag.dsp --out rag.mmd`,
		RunE: func(_ *cobra.Command, args []string) error {
			t, err := parseTarget("graph", args, signature, 1)
			if err != nil {
				return err
			}
			if len(t.pairs) > 0 {
				return wrong("a graph needs no inputs").say("`%s=…` is a value for a run.", t.pairs[0].name)
			}
			write, err := graphLanguage(format, out)
			if err != nil {
				return err
			}
			project, err := a.load(t.file, signature)
			if err != nil {
				return err
			}
			opt, err := a.planOptions(project, s)
			if err != nil {
				return err
			}
			opt.Program = t.word(0)
			p, diags, err := dspi.Sketch(project, opt)
			if err != nil {
				return err
			}
			// A variable without a value keeps a program from running, not from
			// being drawn.
			diags = slices.DeleteFunc(diags, func(d *diag.Diagnostic) bool { return d.Code == "E0512" })
			if err := diags.Err(); err != nil {
				return err
			}
			if out == "" {
				fmt.Fprint(a.out, write(p))
				return nil
			}
			if err := os.WriteFile(out, []byte(write(p)), 0o666); err != nil {
				return wrong("%s cannot be written", out).say("%v", err).hint("without --out the graph goes to standard output")
			}
			return nil
		},
	}
	s.flags(cmd, true)
	cmd.Flags().StringVarP(&signature, "signature", "s", "", "a `signature` instead of a file")
	cmd.Flags().StringVar(&format, "format", "", "the `language`: mermaid or dot (else what the name after --out says,\nelse mermaid)")
	cmd.Flags().StringVar(&out, "out", "", "write to a `file` instead of standard output")
	complete(cmd, "format", graphNames()...)
	completeRun(a, cmd, &signature)
	return cmd
}

func graphNames() []string {
	var out []string
	for _, l := range graphLanguages {
		out = append(out, l.name)
	}
	return out
}

// graphLanguage returns the writer that the flags --format and --out ask for.
func graphLanguage(format, out string) (func(*plan.Plan) string, error) {
	ext := strings.ToLower(filepath.Ext(out))
	for _, l := range graphLanguages {
		if format == l.name || format == "" && slices.Contains(l.extensions, ext) {
			return l.write, nil
		}
	}
	if format != "" {
		return nil, wrong("dspi graph writes no %q", format).say("--format is one of: %s.", strings.Join(graphNames(), ", ")).near(format, graphNames())
	}
	switch ext {
	case ".dsp", ".dspi":
		return nil, wrong("%s is a program", out).say("--out names the file that the graph is written to; a program would be lost.").hint("such as: --out %s.mmd", strings.TrimSuffix(filepath.Base(out), filepath.Ext(out)))
	case ".svg", ".png", ".pdf", ".jpg", ".jpeg":
		return nil, wrong("%s would be a picture", out).say("dspi graph writes text that other tools draw.").
			hint("with Graphviz: dspi graph … --format dot | dot -T%s -o %s", strings.TrimPrefix(ext, "."), out)
	}
	return plan.Mermaid, nil
}

package main

import (
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/schema"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/spf13/cobra"
)

// schemaCommand is `dspi schema`.
func schemaCommand(a *app) *cobra.Command {
	var dialect string
	var inputs, outputs, tool, asJSON bool
	cmd := &cobra.Command{
		Use:   "schema FILE [NAME]",
		Short: "Print a type or signature as JSON Schema",
		Long: `Prints a type, an enum, or one side of a signature or program as JSON Schema:
the outputs, unless --inputs or --tool asks for another. Fields keep their order.
Enum values are given by name; replies may use what the model sees, too.

What the form of a provider cannot say stands in the descriptions, for the model,
and is listed on standard error. Without NAME it is the program of the file.`,
		Example: `  dspi schema triage.dsp Contact
  dspi schema triage.dsp triage --for openai
  dspi schema triage.dsp Triage --tool --for anthropic`,
		Args: arguments(1, 2, "a file"),
		RunE: func(_ *cobra.Command, args []string) error {
			d, ok := schema.ParseDialect(dialect)
			if !ok {
				return wrong("--for cannot be %q", dialect).say("It is one of: %s.", strings.Join(schema.Dialects(), ", ")).near(dialect, schema.Dialects())
			}
			project, err := a.load(args[0], "")
			if err != nil {
				return err
			}
			named, err := schemaOf(project, args)
			if err != nil {
				return err
			}
			var asked []string
			for _, flag := range []struct {
				on   bool
				name string
			}{{inputs, "inputs"}, {outputs, "outputs"}, {tool, "tool"}} {
				if flag.on {
					asked = append(asked, flag.name)
				}
			}
			side := "outputs"
			switch {
			case len(asked) > 1:
				return wrong("--%s and --%s cannot stand together", asked[0], asked[1]).hint("one schema at a time: --%s", asked[0])
			case len(asked) == 1 && named.sig == nil:
				return wrong("%s is a type and has no %s", named.name, asked[0]).say("--%s is for signatures and programs.", asked[0]).
					hint("the type itself: dspi schema %s %s", args[0], named.name)
			case len(asked) == 1:
				side = asked[0]
			}
			s := named.schema(side, schema.Options{Dialect: d})
			if asJSON {
				out := printedSchema{Name: named.name, Kind: named.kind, For: d.String(), Schema: s.Document, Notes: s.Notes, Strict: s.Strict}
				if named.sig != nil {
					out.Side = side
				}
				return a.writeJSON(out)
			}
			fmt.Fprintf(a.out, "%s\n", s.JSON())
			for _, n := range s.Notes {
				a.note("%s", n)
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return extensions, cobra.ShellCompDirectiveFilterFileExt
			}
			var out []cobra.Completion
			if p := quietly(args[:1], ""); p != nil && len(args) == 1 {
				for _, n := range schemaNames(p) {
					out = append(out, cobra.CompletionWithDesc(n.name, n.kind))
				}
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().StringVar(&dialect, "for", "json", "whose `form` of JSON Schema: "+strings.Join(schema.Dialects(), ", "))
	cmd.Flags().BoolVar(&inputs, "inputs", false, "what a signature or program takes")
	cmd.Flags().BoolVar(&outputs, "outputs", false, "what it gives: the default")
	cmd.Flags().BoolVar(&tool, "tool", false, "the signature as a tool: name, description, parameters")
	jsonFlag(cmd, &asJSON, "print one line of JSON, with the notes in it")
	complete(cmd, "for", schema.Dialects()...)
	return cmd
}

// printedSchema is a schema as --json prints it.
type printedSchema struct {
	Name   string        `json:"name"`
	Kind   string        `json:"kind"` // type, enum, signature, program
	Side   string        `json:"side,omitempty"`
	For    string        `json:"for"`
	Strict bool          `json:"strict"`
	Schema any           `json:"schema"`
	Notes  []schema.Note `json:"notes"`
}

// hasSchema is what a schema can be made of.
type hasSchema struct {
	name, kind, doc string
	typ             types.Type         // of a type or enum
	sig             *program.Signature // of a signature or program
}

func (n hasSchema) schema(side string, opt schema.Options) *schema.Schema {
	switch {
	case n.sig == nil:
		return schema.Of(n.typ, opt)
	case side == "inputs":
		return schema.Fields(n.sig.Inputs, opt)
	case side == "tool":
		return schema.Tool(n.name, n.doc, n.sig.Inputs, opt)
	}
	return schema.Fields(n.sig.Outputs, opt)
}

// schemaNames lists what schemas can be made of: types first, then signatures and
// programs.
func schemaNames(p *program.Project) []hasSchema {
	var out []hasSchema
	for _, t := range p.Types {
		kind := "type"
		if e, ok := t.Type.(*types.Enum); ok && e.Name == t.Name {
			kind = "enum"
		}
		out = append(out, hasSchema{name: t.Name, kind: kind, typ: t.Type})
	}
	for _, s := range p.Signatures {
		out = append(out, hasSchema{name: s.Name, kind: "signature", doc: s.Instructions, sig: s})
	}
	for _, x := range p.Programs {
		if x.Signature != nil {
			doc := x.Signature.Instructions
			if doc == "" {
				doc = x.Doc
			}
			out = append(out, hasSchema{name: x.Name, kind: "program", doc: doc, sig: x.Signature})
		}
	}
	return out
}

// schemaOf finds what the second argument names; `program.NAME` is a program where
// a type has the same name.
func schemaOf(p *program.Project, args []string) (hasSchema, error) {
	all := schemaNames(p)
	name, kind := "", ""
	if len(args) > 1 {
		name = args[1]
		if rest, ok := strings.CutPrefix(name, "program."); ok {
			name, kind = rest, "program"
		}
	} else if main, _ := p.Main(); main != nil {
		name, kind = main.Name, "program"
	}
	var names, lines []string
	for _, n := range all {
		if n.name == name && (kind == "" || kind == n.kind) {
			return n, nil
		}
		names = append(names, n.name)
		lines = append(lines, fmt.Sprintf("    %-9s  %s", n.kind, n.name))
	}
	list := strings.Join(lines, "\n")
	switch {
	case len(all) == 0:
		return hasSchema{}, wrong("nothing in %s has a schema", args[0]).say("A schema is made of a type, an enum, a signature or a program.")
	case len(args) < 2:
		return hasSchema{}, wrong("which schema?").say("In %s there are:\n\n%s", args[0], list).hint("dspi schema %s %s", args[0], names[0])
	}
	return hasSchema{}, wrong("nothing in %s is called %s", args[0], args[1]).near(name, names).say("A schema can be made of:\n\n%s", list)
}

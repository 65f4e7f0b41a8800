package main

import (
	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/spf13/cobra"
)

// Completion for the shells: names of files, of what they declare, of inputs.
// What cannot be read completes to nothing.

// extensions are those of files with programs.
var extensions = []string{"dsp", "dspi"}

// complete completes a flag with fixed words.
func complete(cmd *cobra.Command, flag string, words ...string) {
	must(cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)))
}

// must panics on a mistake in a command's own declaration.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// completeFiles completes arguments with .dsp files and folders.
func completeFiles(cmd *cobra.Command) {
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return extensions, cobra.ShellCompDirectiveFilterFileExt
	}
}

// completeRun completes the arguments and flags that run, plan and render share.
func completeRun(a *app, cmd *cobra.Command, signature *string) {
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 0 && *signature == "" {
			return extensions, cobra.ShellCompDirectiveFilterFileExt
		}
		return runWords(cmd.Name(), args, *signature)
	}
	extension := func(flag string, of ...string) {
		if cmd.Flags().Lookup(flag) != nil {
			must(cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
				return of, cobra.ShellCompDirectiveFilterFileExt
			}))
		}
	}
	extension("input", "json")
	extension("demos", "json")
	extension("vars", "dspvars")
	extension("each", "jsonl", "ndjson", "csv")
	must(cmd.RegisterFlagCompletionFunc("var", func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var out []cobra.Completion
		if p := quietly(args, *signature); p != nil {
			for _, v := range p.Variables {
				out = append(out, cobra.CompletionWithDesc(v.Name+"=", v.Type.String()))
			}
		}
		return out, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}))
	if cmd.Flags().Lookup("model") != nil {
		must(cmd.RegisterFlagCompletionFunc("model", func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return modelWords(quietly(args, *signature)), cobra.ShellCompDirectiveNoFileComp
		}))
	}
}

// quietly loads the project that the arguments name; nil when it cannot.
func quietly(args []string, signature string) *program.Project {
	var src *dspi.Source
	switch {
	case signature != "":
		src = dspi.Signature(signature)
	case len(args) > 0:
		s, err := dspi.Load(args[0])
		if err != nil {
			return nil
		}
		src = s
	default:
		return nil
	}
	project, _ := dspi.Check(src)
	return project
}

// runWords are the words that may follow: programs and steps while none is named,
// inputs that have no value yet.
func runWords(command string, args []string, signature string) ([]cobra.Completion, cobra.ShellCompDirective) {
	project := quietly(args, signature)
	if project == nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	t, err := parseTarget(command, args, signature, 2)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []cobra.Completion
	if t.word(0) == "" && signature == "" && len(t.pairs) == 0 {
		for _, p := range project.Programs {
			out = append(out, cobra.CompletionWithDesc(p.Name, p.Signature.String()))
		}
	}
	prog, err := dspi.Choose(project, t.word(0))
	if err != nil || command == "plan" || command == "graph" {
		return out, cobra.ShellCompDirectiveNoFileComp
	}
	sig := prog.Signature
	if command == "render" {
		if t.word(1) == "" && len(t.pairs) == 0 && signature == "" {
			for _, s := range prog.Steps {
				out = append(out, cobra.CompletionWithDesc(s.Name, "step of "+prog.Name))
			}
		}
		step := firstStep(prog)
		if s, ok := prog.Step(t.word(1)); ok {
			step = s
		}
		if step != nil {
			sig = step.Signature
		}
	}
	given := map[string]bool{}
	for _, p := range t.pairs {
		given[p.name] = true
	}
	for _, f := range sig.Inputs {
		if !given[f.Name] {
			out = append(out, cobra.CompletionWithDesc(f.Name+"=", f.Type.String()))
		}
	}
	return out, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// modelWords are declared models and an address of each provider.
func modelWords(project *program.Project) []cobra.Completion {
	var out []cobra.Completion
	if project != nil {
		for _, m := range project.Models {
			out = append(out, cobra.CompletionWithDesc(m.Name, "model "+m.Name+" of the file"))
		}
	}
	for _, p := range stdlib.Universe().Providers {
		if !p.Mute {
			out = append(out, cobra.CompletionWithDesc(p.Example, p.Doc))
		}
	}
	return out
}

package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newRoot returns the command `dspi` with all its commands.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "dspi",
		Short: "Check, plan and run programs made of language-model calls",
		Long: `dspi checks, plans and runs .dsp programs: files in which you write what goes
in, what comes out and how the pieces connect. Prompts, retries, parsing and
parallelism are the runtime's work.`,
		Example: `  dspi init hello                       a project that runs
  dspi check hello                      find mistakes, spend nothing
  dspi run -s "question -> answer" question="What is 17 * 23?"`,
		SilenceErrors: true, SilenceUsage: true,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
		Version:           moduleVersion(),
		CompletionOptions: cobra.CompletionOptions{},
	}
	root.SetVersionTemplate("dspi {{.Version}}\n")
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(flagError)
	root.PersistentFlags().StringVar(&a.color, "color", "auto", "when to use colours: `auto`, always or never")
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if !slices.Contains(colorChoices, a.color) {
			return wrong("--color cannot be %q", a.color).say("It is one of: %s.", strings.Join(colorChoices, ", ")).near(a.color, colorChoices)
		}
		return nil
	}
	complete(root, "color", colorChoices...)
	root.AddGroup(&cobra.Group{ID: "work", Title: "Programs:"}, &cobra.Group{ID: "learn", Title: "Help:"})
	root.SetHelpCommandGroupID("learn")
	root.SetCompletionCommandGroupID("learn")
	add := func(group string, cmds ...*cobra.Command) {
		for _, c := range cmds {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("work", runCommand(a), checkCommand(a), testCommand(a), fmtCommand(a), planCommand(a), graphCommand(a), renderCommand(a), replCommand(a), schemaCommand(a), alignCommand(a), configCommand(a), initCommand(a))
	add("work", evalCommand(a), compareCommand(a), optimizeCommand(a), spaceCommand(a), dataCommand(a), indexCommand(a), searchCommand(a))
	add("work", importCommand(a), exportCommand(a), pythonCommand(a), gatewayCommand(a), lspCommand(a), playgroundCommand(a))
	add("work", showCommand(a), runsCommand(a), cacheCommand(a))
	add("learn", explainCommand(a), docCommand(a), versionCommand(a))
	return root
}

var colorChoices = []string{"auto", "always", "never"}

func unknownCommand(root *cobra.Command, name string) error {
	var names, lines []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
			lines = append(lines, "    "+c.Name()+strings.Repeat(" ", max(1, 12-len(c.Name())))+c.Short)
		}
	}
	u := wrong("unknown command %s", name).nearAny(name, names)
	if strings.HasSuffix(name, ".dsp") || strings.HasSuffix(name, ".dspi") {
		u.hint("to run a file: dspi run %s", name)
	}
	return u.say("The commands are:\n\n%s", strings.Join(lines, "\n"))
}

// arguments checks the number of arguments and says in words what is missing.
func arguments(least, most int, needs string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return wrong("%s needs %s", cmd.CommandPath(), needs).hint("%s", firstExample(cmd)).hint("more: %s --help", cmd.CommandPath())
		case most >= 0 && len(args) > most:
			return wrong("%s takes no argument `%s`", cmd.CommandPath(), args[most]).hint("more: %s --help", cmd.CommandPath())
		}
		return nil
	}
}

// firstExample is the first command line of a command's examples.
func firstExample(cmd *cobra.Command) string {
	line, _, _ := strings.Cut(strings.TrimSpace(cmd.Example), "\n")
	line, _, _ = strings.Cut(line, "   ")
	return "such as: " + strings.TrimSpace(line)
}

func allFlags(cmd *cobra.Command) []*pflag.Flag {
	var out []*pflag.Flag
	see := func(f *pflag.Flag) {
		if !f.Hidden {
			out = append(out, f)
		}
	}
	cmd.Flags().VisitAll(see)
	cmd.InheritedFlags().VisitAll(see)
	return out
}

// jsonFlag adds --json.
func jsonFlag(cmd *cobra.Command, to *bool, what string) {
	cmd.Flags().BoolVar(to, "json", false, what)
}

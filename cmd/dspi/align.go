package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/spf13/cobra"
)

// alignFlags are what `dspi align` is told.
type alignFlags struct {
	typ       string
	types     string // a file of declarations
	signature string
	form      string
	mode      string
	asJSON    bool
	jsonl     bool
}

// The words that --mode and --form take.
var (
	alignModes = []string{string(align.Strict), string(align.Repairing), string(align.Lenient)}
	replyForms = []string{"chat", "json", "xml"}
)

// alignCommand is `dspi align`.
func alignCommand(a *app) *cobra.Command {
	var f alignFlags
	cmd := &cobra.Command{
		Use:   "align --type TYPE < reply",
		Short: "Read a model's reply into a type, and say what was repaired",
		Long: `Reads a model's reply from standard input and prints the value that it means as
JSON. Every repair stands on standard error with its path, and how far the reply
was from what was asked for: 0 is not at all. A reply that does not fit is
refused with every fault.

The type is written as in a .dsp file and may name what --types declares. With
--signature the whole reply of a step is read, in the form of its adapter: the
text of a signature, or the name of a signature or program that --types declares.

In the mode repair a reply is brought into its type as long as it can mean only
one thing. strict takes it only as it was asked for; lenient also guesses, and
says so.

With --jsonl each line of standard input is an object and gives one line, in
order: {"id":…,"types":"enum …","type":"list[Queue]","raw":"the reply"} gives
{"id":…,"value":…,"repairs":[…],"score":0} or {"id":…,"error":{…}}. --type and
--types stand in for what a line leaves out; "mode", "signature" and "form" may
stand in a line, too.`,
		Example: `  dspi align --type "list[int]" < reply.txt
  dspi align --types triage.dsp --type Contact --json < reply.txt
  dspi align --signature "question -> answer: int" --form json < reply.txt
  dspi align --jsonl < replies.jsonl > values.jsonl`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return wrong("dspi align takes no argument `%s`", args[0]).
					say("The reply comes from standard input, and its type after --type.").
					hint("dspi align --type %q < reply.txt", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			if f.jsonl {
				return a.alignLines(cmd.Context(), &f)
			}
			return a.alignOne(&f)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.StringVar(&f.typ, "type", "", "the `type` to read: \"list[int]\", \"{name: string, age: int?}\"")
	flags.StringVar(&f.types, "types", "", "a `file` whose types the type may name (.dsp)")
	flags.StringVar(&f.signature, "signature", "", "read a whole reply of this `signature`: \"question -> answer: int\"")
	flags.StringVar(&f.form, "form", "chat", "with --signature: the `form` of the reply: "+strings.Join(replyForms, ", "))
	flags.StringVar(&f.mode, "mode", string(align.Repairing), "how far a reply may be from its type: a `mode` of "+strings.Join(alignModes, ", "))
	flags.BoolVar(&f.jsonl, "jsonl", false, "read many: one JSON object a line")
	jsonFlag(cmd, &f.asJSON, "print one JSON object: value, repairs, score, or the error")
	complete(cmd, "mode", alignModes...)
	complete(cmd, "form", replyForms...)
	must(cmd.RegisterFlagCompletionFunc("types", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return extensions, cobra.ShellCompDirectiveFilterFileExt
	}))
	return cmd
}

// check refuses flags that say nothing or too much.
func (f *alignFlags) check(cmd *cobra.Command) error {
	if err := oneOf("--mode", f.mode, alignModes); err != nil {
		return err
	}
	if err := oneOf("--form", f.form, replyForms); err != nil {
		return err
	}
	switch {
	case f.typ != "" && f.signature != "":
		return wrong("--type and --signature cannot stand together").hint("--type is for one value, --signature for a whole reply")
	case cmd.Flags().Changed("form") && f.signature == "" && !f.jsonl:
		return wrong("--form needs --signature").say("The form is that of a whole reply; --type reads one value.")
	case f.typ == "" && f.signature == "" && !f.jsonl:
		return wrong("dspi align needs a type").hint("%s", firstExample(cmd)).hint("more: dspi align --help")
	case f.jsonl && f.asJSON:
		return wrong("--jsonl and --json cannot stand together").say("With --jsonl every line that is printed is JSON.")
	}
	return nil
}

func oneOf(flag, word string, words []string) error {
	for _, w := range words {
		if w == word {
			return nil
		}
	}
	return wrong("%s cannot be %q", flag, word).say("It is one of: %s.", strings.Join(words, ", ")).near(word, words)
}

// wanted is what a reply is read into: a type, or the outputs of a signature.
type wanted struct {
	typ types.Type
	sig *program.Signature
}

func (w wanted) String() string {
	if w.sig == nil {
		return "`" + w.typ.String() + "`"
	}
	var names []string
	for _, f := range w.sig.Outputs {
		names = append(names, "`"+f.Name+"`")
	}
	return strings.Join(names, ", ")
}

// aligned is a reply that was read, or why it was not.
type aligned struct {
	value   any
	repairs []value.Repair
	score   int
	faults  []value.Fault // nil: it fits
}

// read reads a reply.
func (w wanted) read(reply, form, mode string) aligned {
	if w.sig == nil {
		v, repairs, score, faults := align.Value(w.typ, reply, align.Mode(mode))
		return aligned{v, repairs, score, faults}
	}
	reading, misfit := align.Read(w.sig, form, reply, align.Mode(mode))
	if misfit != nil {
		return aligned{faults: misfit.Faults}
	}
	return aligned{value: reading.Outputs, repairs: reading.Repairs, score: reading.Score}
}

// alignOne is `dspi align` of one reply.
func (a *app) alignOne(f *alignFlags) error {
	w, err := f.wanted()
	if err != nil {
		return &exit{code: exitUsage, err: err}
	}
	reply, err := a.takeStdin("dspi align")
	if err != nil {
		return err
	}
	got := w.read(reply, f.form, f.mode)
	if f.asJSON {
		if err := a.writeJSON(got.printed()); err != nil {
			return err
		}
		if got.faults != nil {
			return &exit{code: exitFailed}
		}
		return nil
	}
	if got.faults != nil {
		u := wrong("the reply does not fit").say("It was read as %s:\n\n    %s", w, strings.ReplaceAll(value.Faults(got.faults), "\n", "\n    "))
		return &exit{code: exitFailed, err: u}
	}
	fmt.Fprintf(a.out, "%s\n", value.EncodeJSONIndent(got.value))
	for _, r := range value.RepairLines(got.repairs) {
		fmt.Fprintf(a.err, "repaired: %s\n", r)
	}
	if len(got.repairs) > 0 {
		fmt.Fprintf(a.err, "score: %d\n", got.score)
	}
	return nil
}

// wanted finds the type or signature that the flags name.
func (f *alignFlags) wanted() (wanted, error) {
	switch {
	case f.signature == "" && f.types == "":
		return typeIn("", f.typ)
	case f.signature == "":
		return typeFrom(f.types, f.typ)
	case f.types == "":
		return signatureIn(f.signature)
	}
	return signatureFrom(f.types, f.signature)
}

// The name of the type that is checked for the text of one: no one else's name.
const wantedName = "Wanted"

// freeName returns a name that text does not hold.
func freeName(text string) string {
	name := wantedName
	for strings.Contains(text, name) {
		name += "_"
	}
	return name
}

// typeFrom checks the text of a type that may name what the file at path declares.
func typeFrom(path, typ string) (wanted, error) {
	src, err := dspi.Load(path) // says what is wrong with the path
	if err != nil {
		return wanted{}, err
	}
	from, err := filepath.Rel(absolute("."), absolute(path))
	if err != nil {
		return wanted{}, wrong("%s cannot be read from here", path).say("%v", err)
	}
	name := freeName(src.File.Source.Text + typ)
	text, own := newOwnText(name, typ, fmt.Sprintf("import %q", filepath.ToSlash(from)))
	project, diags := dspi.Check(dspi.Parse("--type", text))
	return typeNamed(project, own.said(diags), name)
}

func typeNamed(project *program.Project, diags diag.List, name string) (wanted, error) {
	if err := diags.Err(); err != nil {
		return wanted{}, err
	}
	t, ok := project.Type(name)
	if !ok {
		return wanted{}, wrong("there is no type to read").say("A type is written as in a .dsp file: `list[int]`.")
	}
	return wanted{typ: t.Type}, nil
}

// signatureIn checks the text of a signature.
func signatureIn(text string) (wanted, error) {
	project, diags := dspi.Check(dspi.Signature(text))
	if err := diags.Err(); err != nil {
		return wanted{}, err
	}
	main, _ := project.Main()
	return wanted{sig: main.Signature}, nil
}

// signatureFrom finds a signature, or that of a program, in the file at path.
func signatureFrom(path, name string) (wanted, error) {
	src, err := dspi.Load(path)
	if err != nil {
		return wanted{}, err
	}
	project, diags := dspi.Check(src)
	if err := diags.Err(); err != nil {
		return wanted{}, err
	}
	if s, ok := project.Signature(name); ok {
		return wanted{sig: s}, nil
	}
	var names []string
	for _, s := range project.Signatures {
		names = append(names, s.Name)
	}
	for _, p := range project.Programs {
		if p.Signature == nil {
			continue
		}
		if p.Name == name {
			return wanted{sig: p.Signature}, nil
		}
		names = append(names, p.Name)
	}
	u := wrong("no signature or program in %s is called %s", path, name).near(name, names)
	if len(names) > 0 {
		u.say("There are: %s.", strings.Join(names, ", "))
	}
	return wanted{}, u
}

// The printed forms of what was read: {"value","repairs","score"} or {"error"}.
type (
	printedReading struct {
		Value   rawJSON         `json:"value"`
		Repairs []printedRepair `json:"repairs"`
		Score   int             `json:"score"`
	}
	printedRefusal struct {
		Error alignError `json:"error"`
	}
	printedRepair struct {
		Path string `json:"path"`
		Type string `json:"type"`
		Msg  string `json:"msg"`
	}
	alignError struct {
		Message string          `json:"message"`
		Faults  []printedRepair `json:"faults,omitempty"`
		// Reports are what the checker says of the types.
		Reports []diag.Report `json:"reports,omitempty"`
	}
)

// rawJSON is a value that is encoded already.
type rawJSON []byte

// MarshalJSON returns the text.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

func (r aligned) printed() any {
	if r.faults != nil {
		return printedRefusal{refusal(r.faults)}
	}
	return printedReading{value.EncodeJSON(r.value), printedRepairs(r.repairs), r.score}
}

func refusal(faults []value.Fault) alignError {
	e := alignError{Message: "the reply does not fit"}
	for _, f := range faults {
		e.Faults = append(e.Faults, printedRepair{f.Path(), f.Type, f.Msg})
	}
	return e
}

func printedRepairs(repairs []value.Repair) []printedRepair {
	out := make([]printedRepair, 0, len(repairs))
	for _, r := range repairs {
		out = append(out, printedRepair{r.Path(), r.Type, r.Msg})
	}
	return out
}

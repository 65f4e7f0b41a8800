package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/spf13/cobra"
)

func docCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doc [NAME]",
		Short: "Explain a name of the language",
		Long: `Explains what a .dsp file can name without declaring it: blocks and their
settings, modules, providers, types, functions. Without a name it lists the
topics; the name of a topic lists what is in it.`,
		Example: `  dspi doc predict
  dspi doc modules
  dspi doc functions`,
		Args: arguments(0, 1, "a name"),
		RunE: func(_ *cobra.Command, args []string) error { return a.doc(args, asJSON) },
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var out []cobra.Completion
			for _, t := range topics() {
				if len(args) > 0 {
					break
				}
				out = append(out, cobra.CompletionWithDesc(t.Name, t.Doc))
				for _, e := range t.Entries {
					out = append(out, cobra.CompletionWithDesc(e.Name, e.Doc))
				}
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		},
	}
	jsonFlag(cmd, &asJSON, "print JSON")
	return cmd
}

// topic is a table of the language.
type topic struct {
	Name    string     `json:"name"`
	Doc     string     `json:"doc"`
	Entries []docEntry `json:"entries"`
}

// docEntry is what the tables say of a name.
type docEntry struct {
	Name     string       `json:"name"`
	Kind     string       `json:"kind"` // block, module, type, function, provider, adapter
	Form     string       `json:"form,omitempty"`
	Doc      string       `json:"doc"`
	Facts    []string     `json:"facts,omitempty"`
	Example  string       `json:"example,omitempty"`
	Settings []docSetting `json:"settings,omitempty"`
	Blocks   []docEntry   `json:"blocks,omitempty"`

	within string // the block it is a part of; "" for one that stands by itself
}

// docSetting is what the tables say of a setting.
type docSetting struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Doc      string   `json:"doc"`
	Default  string   `json:"default,omitempty"`
	Choices  []string `json:"choices,omitempty"`
	Min      *float64 `json:"min,omitempty"`
	Max      *float64 `json:"max,omitempty"`
	Required bool     `json:"required"`
	Fixed    bool     `json:"fixed"`   // known before a run: no inputs, no steps
	Pending  string   `json:"pending"` // what is missing when it is not obeyed yet
}

// topics makes the tables of the language into one form.
func topics() []topic {
	u := stdlib.Universe()
	blocks := topic{Name: "blocks", Doc: "what stands at the top of a file, and steps"}
	for _, b := range append(slices.Clone(u.Blocks), u.Step, universe.RepeatBlock) {
		blocks.Entries = append(blocks.Entries, blockEntry(b, "block"))
	}
	modules := topic{Name: "modules", Doc: "kinds of steps"}
	for _, m := range u.Modules {
		modules.Entries = append(modules.Entries, moduleEntry(m))
	}
	functions := topic{Name: "functions", Doc: "what expressions can call"}
	for _, f := range expr.Functions() {
		e := docEntry{Name: f.Name, Kind: "function", Form: fmt.Sprintf("%s(%s) -> %s", f.Name, f.Params, f.Result), Doc: f.Doc, Example: f.Example}
		if f.Gives != "" {
			e.Example += "  gives  " + f.Gives
		}
		functions.Entries = append(functions.Entries, e)
	}
	providers := topic{Name: "providers", Doc: "sources of models"}
	for _, p := range u.Providers {
		providers.Entries = append(providers.Entries, providerEntry(p))
	}
	adapters := topic{Name: "adapters", Doc: "ways to write a prompt and read its reply"}
	for _, x := range u.Adapters {
		adapters.Entries = append(adapters.Entries, docEntry{Name: x.Name, Kind: "adapter", Doc: x.Doc})
	}
	return append([]topic{blocks, modules, typeTopic(), functions, providers, adapters}, tuningTopics(u)...)
}

func typeTopic() topic {
	t := topic{Name: "types", Doc: "what fields may hold"}
	for _, r := range types.Table() {
		e := docEntry{Name: r.Name, Kind: "type", Doc: r.Doc, Example: string(value.EncodeJSON(value.FromGo(r.Example)))}
		if len(r.Allows) > 0 {
			e.Facts = append(e.Facts, "constraints: "+strings.Join(r.Allows, ", "))
		}
		if r.Min != nil && r.Max != nil {
			e.Facts = append(e.Facts, fmt.Sprintf("from %s to %s", types.FormatFloat(*r.Min), types.FormatFloat(*r.Max)))
		}
		e.Facts = append(e.Facts, "in Python: "+r.Python)
		t.Entries = append(t.Entries, e)
	}
	for _, c := range types.Composite {
		name, _, _ := strings.Cut(c.Form, "[")
		if name == c.Form {
			name = ""
		}
		t.Entries = append(t.Entries, docEntry{Name: cmp.Or(name, c.Form), Kind: "type", Form: c.Form, Doc: c.Doc})
	}
	return t
}

func blockEntry(b universe.Block, kind string) docEntry {
	e := docEntry{Name: b.Name, Kind: kind, Doc: b.Doc, Example: b.Example}
	if b.Pending != "" {
		e.Facts = append(e.Facts, "not obeyed yet: "+b.Pending)
	}
	for _, s := range b.Settings {
		e.Settings = append(e.Settings, settingEntry(s))
	}
	for _, x := range b.Blocks {
		inner := blockEntry(x, "block in "+b.Name)
		inner.within = b.Name
		e.Blocks = append(e.Blocks, inner)
	}
	return e
}

func moduleEntry(m universe.Module) docEntry {
	e := docEntry{Name: m.Name, Kind: "module", Doc: m.Doc, Example: m.Example}
	for _, f := range m.Adds {
		e.Facts = append(e.Facts, fmt.Sprintf("adds the output %s: %s", f.Name, f.Type))
	}
	for _, s := range m.Settings {
		e.Settings = append(e.Settings, settingEntry(s))
	}
	e.Facts = append(e.Facts, "settings of every step: dspi doc step")
	return e
}

func providerEntry(p universe.Provider) docEntry {
	e := docEntry{Name: p.Name, Kind: "provider", Doc: p.Doc, Example: "--model " + p.Example}
	if p.Mute {
		e.Example = fmt.Sprintf("embedder = %q", p.Example)
	}
	switch {
	case p.KeyVar != "":
		e.Facts = append(e.Facts, "key: "+p.KeyVar+" in the environment, or api_key in a model block")
	case p.NeedKey:
		e.Facts = append(e.Facts, "key: api_key in a model block")
	default:
		e.Facts = append(e.Facts, "needs no key")
	}
	if p.NeedURL {
		e.Facts = append(e.Facts, "needs base_url in a model block")
	}
	if p.Models != nil {
		e.Facts = append(e.Facts, "models: "+strings.Join(p.Models, ", "))
	}
	return e
}

func settingEntry(s universe.Setting) docSetting {
	return docSetting{
		Name: s.Name, Type: string(s.Kind), Doc: s.Doc, Default: s.Default, Choices: s.Choices,
		Min: s.Min, Max: s.Max, Required: s.Required, Fixed: s.Fixed, Pending: s.Pending,
	}
}

// doc is `dspi doc`.
func (a *app) doc(args []string, asJSON bool) error {
	all := topics()
	if len(args) == 0 {
		if asJSON {
			return a.writeJSON(all)
		}
		for _, t := range all {
			fmt.Fprintf(a.out, "%-10s  %s: %s\n", t.Name, t.Doc, strings.Join(entryNames(t.Entries), ", "))
		}
		fmt.Fprintf(a.out, "\nOne of them: dspi doc predict.  Messages: dspi explain.\n")
		return nil
	}
	name := args[0]
	var names []string
	var found []docEntry
	for _, t := range all {
		if t.Name == name {
			if asJSON {
				return a.writeJSON(t)
			}
			a.printTopic(t)
			return nil
		}
		names = append(names, t.Name)
		for _, e := range t.Entries {
			names = append(names, e.Name)
			found = append(found, e.find(name)...)
		}
	}
	if len(found) == 0 {
		return wrong("nothing is called %s", name).near(name, names).hint("every topic and name: dspi doc")
	}
	slices.SortStableFunc(found, func(x, y docEntry) int { return cmp.Compare(len(x.within), len(y.within)) })
	if asJSON {
		return a.writeJSON(found)
	}
	for i, e := range found {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		a.printEntry(e)
	}
	return nil
}

func entryNames(es []docEntry) []string {
	var out []string
	for _, e := range es {
		out = append(out, e.Name)
	}
	return out
}

// find returns what has the name in the entry: itself, a block in it, or a
// setting, as an entry of its own.
func (e docEntry) find(name string) []docEntry {
	if e.Name == name {
		return []docEntry{e}
	}
	var out []docEntry
	for _, b := range e.Blocks {
		out = append(out, b.find(name)...)
	}
	for _, s := range e.Settings {
		if s.Name == name {
			out = append(out, docEntry{Name: s.Name, Kind: "setting of " + e.Name, Doc: s.Doc, Facts: s.facts(), within: e.Name})
		}
	}
	return out
}

func (a *app) printTopic(t topic) {
	fmt.Fprintf(a.out, "%s: %s\n\n", t.Name, t.Doc)
	width := 0
	for _, e := range t.Entries {
		width = max(width, len([]rune(cmp.Or(e.Form, e.Name))))
	}
	for _, e := range t.Entries {
		fmt.Fprintf(a.out, "  %-*s  %s\n", min(width, 44), cmp.Or(e.Form, e.Name), e.Doc)
	}
	if len(t.Entries) > 0 {
		fmt.Fprintf(a.out, "\nMore about one: dspi doc %s\n", t.Entries[0].Name)
	}
}

func (a *app) printEntry(e docEntry) {
	fmt.Fprintf(a.out, "%s (%s): %s\n", cmp.Or(e.Form, e.Name), e.Kind, e.Doc)
	for _, f := range e.Facts {
		fmt.Fprintf(a.out, "  %s\n", f)
	}
	if e.Example != "" {
		fmt.Fprintf(a.out, "\n%s\n", indented(e.Example, "    "))
	}
	a.printSettings(e.Settings, "")
	for _, b := range e.Blocks {
		fmt.Fprintf(a.out, "\nBlock %s: %s\n", b.Name, b.Doc)
		a.printSettings(b.Settings, "  ")
	}
}

func (a *app) printSettings(settings []docSetting, indent string) {
	if len(settings) == 0 {
		return
	}
	width := 0
	for _, s := range settings {
		width = max(width, len(s.Name))
	}
	fmt.Fprintf(a.out, "\n%sSettings\n", indent)
	for _, s := range settings {
		fmt.Fprintf(a.out, "%s  %-*s  %s\n", indent, width, s.Name, s.Doc)
		fmt.Fprintf(a.out, "%s  %-*s  %s\n", indent, width, "", strings.Join(s.facts(), "; "))
	}
}

// facts says the rest of a setting in words.
func (s docSetting) facts() []string {
	kind := s.Type
	if len(s.Choices) > 0 {
		kind = "one of " + strings.Join(s.Choices, ", ")
	}
	switch {
	case s.Min != nil && s.Max != nil:
		kind += fmt.Sprintf(" from %s to %s", types.FormatFloat(*s.Min), types.FormatFloat(*s.Max))
	case s.Min != nil:
		kind += fmt.Sprintf(", at least %s", types.FormatFloat(*s.Min))
	}
	out := []string{kind}
	switch {
	case s.Required:
		out = append(out, "must be given")
	case s.Default != "":
		out = append(out, "default: "+s.Default)
	}
	if s.Fixed {
		out = append(out, "known before a run")
	}
	if s.Pending != "" {
		out = append(out, "not obeyed yet: "+s.Pending)
	}
	return out
}

func indented(text, by string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(by)
		}
		b.WriteString(line)
	}
	return b.String()
}

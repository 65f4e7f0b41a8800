package main

import (
	"fmt"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/spf13/cobra"
)

func explainCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Explain a message by its code",
		Long:  "Explains what a message means, with an example that goes wrong and the same put\nright. Without a code it lists them all.",
		Example: `  dspi explain E0401
  dspi explain`,
		Args: arguments(0, 1, "a code"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listCodes(asJSON)
			}
			text, err := diag.Explain(diag.Code(args[0]))
			if err != nil {
				title, rest, _ := strings.Cut(err.Error(), "; ")
				return wrong("%s", title).say("%s", upperFirst(rest)).hint("all codes: dspi explain")
			}
			if asJSON {
				code := diag.Code(strings.ToUpper(strings.TrimSpace(args[0])))
				entry, _ := diag.Lookup(code)
				page, _ := diag.Page(code)
				return a.writeJSON(explained{code, entry.Level(), entry.Title, page})
			}
			fmt.Fprint(a.out, text)
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var out []cobra.Completion
			if len(args) == 0 {
				for _, e := range diag.Catalogue() {
					out = append(out, cobra.CompletionWithDesc(string(e.Code), e.Title))
				}
			}
			return out, cobra.ShellCompDirectiveNoFileComp
		},
	}
	jsonFlag(cmd, &asJSON, "print JSON; the page is Markdown")
	return cmd
}

// explained is a code as JSON.
type explained struct {
	Code  diag.Code  `json:"code"`
	Level diag.Level `json:"level"`
	Title string     `json:"title"`
	Page  string     `json:"page,omitempty"`
}

func (a *app) listCodes(asJSON bool) error {
	if asJSON {
		var out []explained
		for _, e := range diag.Catalogue() {
			out = append(out, explained{e.Code, e.Level(), e.Title, ""})
		}
		return a.writeJSON(out)
	}
	for i, area := range diag.Areas() {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		fmt.Fprintf(a.out, "%s\n", area.Title)
		for _, e := range diag.Catalogue() {
			if string(e.Code[1:3]) == area.Prefix {
				fmt.Fprintf(a.out, "  %s  %s\n", e.Code, e.Title)
			}
		}
	}
	return nil
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

package main

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/spf13/cobra"
)

// searchFlags are the flags of `dspi search`.
type searchFlags struct {
	settings
	callFlags
	k     int
	where string
	full  bool
	json  bool
}

func searchCommand(a *app) *cobra.Command {
	var f searchFlags
	cmd := &cobra.Command{
		Use:   "search FILE [NAME] QUERY",
		Short: "Search a retriever: hits with their scores",
		Long: `Searches a retriever of a file as its programs do, and shows what is found, the
best first: the score, the passage's id, its title, and the piece of its text that
holds most words of the query, which are marked. NAME is needed where FILE
declares several. The index is made or brought up to date first.

--where searches a part of the passages: a condition on the columns of the corpus.`,
		Example: `  dspi search rag.dsp "Which river flows through Paris?"
  dspi search rag.dsp wiki "who was first" -k 3 --where 'year >= 1960'
  dspi search rag.dsp wiki "who was first" --json | jq .hits[0].id`,
		Args: arguments(2, 3, "a FILE and a QUERY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("k") && (f.k < 1 || f.k > 10000) {
				return wrong("-k cannot be %d", f.k).say("It is a number of passages, from 1 to 10000.")
			}
			return a.search(cmd.Context(), &f, args)
		},
	}
	f.settings.flags(cmd, true)
	flags := cmd.Flags()
	flags.IntVarP(&f.k, "k", "k", 0, "how many passages (else what the retriever says)")
	flags.StringVar(&f.where, "where", "", "only passages for which a `condition` on their columns holds")
	flags.BoolVar(&f.full, "full", false, "show passages whole")
	jsonFlag(cmd, &f.json, "print one JSON object")
	f.callFlags.flags(cmd)
	completeRetrievers(a, cmd)
	return cmd
}

// search is `dspi search`.
func (a *app) search(ctx context.Context, f *searchFlags, args []string) (err error) {
	query := args[len(args)-1]
	project, err := a.load(args[0], "")
	if err != nil {
		return err
	}
	list, err := chooseRetrievers(project, "search", args[:len(args)-1])
	if err != nil {
		return err
	}
	d := list[0]
	if len(list) > 1 {
		var names []string
		for _, r := range list {
			names = append(names, r.Name)
		}
		return wrong("which retriever of %s?", args[0]).say("It declares: %s.", strings.Join(names, ", ")).
			hint("name one behind the file: dspi search %s %s …", args[0], names[0])
	}
	var where retrieve.Filter
	if f.where != "" {
		if where, err = dspi.PassageFilter(d, f.where); err != nil {
			return err
		}
	}
	opt, err := a.planOptions(project, f.settings)
	if err != nil {
		return err
	}
	p, err := dspi.PlanRetriever(project, d.Name, opt)
	if err != nil {
		return err
	}
	runtime, err := a.openSession(f.callFlags, keepFlags{}, opt.Settings, nil, dspi.Options{})
	if err != nil {
		return err
	}
	defer func() {
		if cerr := runtime.close(); err == nil {
			err = cerr
		}
	}()
	r, err := runtime.Retriever(ctx, p)
	if err != nil {
		return retrieverError(d, err)
	}
	found, err := retrieve.Search(ctx, r, query, f.k, where)
	if err != nil {
		return retrieverError(d, err)
	}
	if f.json {
		return a.writeJSON(searched{d.Address(), query, hitsOf(found, query)})
	}
	a.tellHits(found, query, f.full)
	return nil
}

// searched is what `dspi search --json` prints.
type searched struct {
	Retriever string `json:"retriever"`
	Query     string `json:"query"`
	Hits      []hit  `json:"hits"`
}

type hit struct {
	Rank  int           `json:"rank"`
	ID    string        `json:"id"`
	Score float64       `json:"score"`
	Title string        `json:"title,omitempty"`
	Text  string        `json:"text"`
	Meta  *value.Object `json:"meta,omitempty"`
	// Marks are where words of the query stand in the text, in characters.
	Marks [][2]int `json:"marks"`
}

func hitsOf(found []retrieve.Passage, query string) []hit {
	out := []hit{}
	for i, p := range found {
		h := hit{i + 1, p.ID, p.Score, p.Title, p.Text, p.Meta, [][2]int{}}
		for _, m := range retrieve.Marks(p.Text, query) {
			start := utf8.RuneCountInString(p.Text[:m[0]])
			h.Marks = append(h.Marks, [2]int{start, start + utf8.RuneCountInString(p.Text[m[0]:m[1]])})
		}
		out = append(out, h)
	}
	return out
}

// excerptBytes is how much of a passage is shown.
const excerptBytes = 240

// tellHits prints hits for people.
func (a *app) tellHits(found []retrieve.Passage, query string, full bool) {
	if len(found) == 0 {
		a.note("nothing is found")
		return
	}
	begin, end := "", ""
	if a.colored(a.outFile) {
		begin, end = "\x1b[1;33m", "\x1b[0m"
	}
	for i, p := range found {
		title := p.Title
		if title != "" {
			title = "  " + inLine(title)
		}
		fmt.Fprintf(a.out, "%2d  %.4g  %s%s\n", i+1, p.Score, harmless(p.ID), title)
		most := excerptBytes
		if full {
			most = len(p.Text)
		}
		s := retrieve.Excerpt(p.Text, query, most)
		var b strings.Builder
		if s.Start > 0 {
			b.WriteString("… ")
		}
		at := s.Start
		for _, m := range s.Marks {
			b.WriteString(inLine(p.Text[at:m[0]]) + begin + inLine(p.Text[m[0]:m[1]]) + end)
			at = m[1]
		}
		b.WriteString(inLine(p.Text[at:s.End]))
		if s.End < len(p.Text) {
			b.WriteString(" …")
		}
		fmt.Fprintf(a.out, "    %s\n", strings.TrimSpace(b.String()))
	}
}

// inLine writes a text on one line, without what steers a terminal.
func inLine(s string) string {
	return harmless(strings.NewReplacer("\r\n", " ", "\n", " ", "\t", " ").Replace(s))
}

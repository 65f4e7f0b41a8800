package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	hist "github.com/dspi-lang/dspi/interpreter/history"
	"github.com/spf13/cobra"
)

func runsCommand(a *app) *cobra.Command {
	var in string
	var limit int
	var asJSON, rows bool
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List the runs that are kept",
		Long: `Lists the runs that are kept, the newest first: their ids, how they ended, what
they took. dspi show ID shows one of them. One that "can be resumed" goes on with
dspi run --resume ID. A run of --each is one line; --rows lists its rows, too. The
id of a row is that of the run with the number of the row.

Runs are kept in .dspi/dspi.db in the folder of the dspi.hcl, or beside the .dsp
file where there is none, for 30 days; the block store of dspi.hcl says otherwise.`,
		Example: "  dspi runs\n  dspi runs --limit 5 --json",
		Args:    arguments(0, 0, "nothing"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return wrong("--limit cannot be %d", limit).say("It is a number of runs; 0 is all of them.")
			}
			return a.runs(cmd.Context(), in, limit, rows, asJSON)
		},
	}
	inFlag(cmd, &in)
	cmd.Flags().IntVar(&limit, "limit", 20, "how many at most: `N`, 0 for all")
	cmd.Flags().BoolVar(&rows, "rows", false, "list the rows of --each, too")
	jsonFlag(cmd, &asJSON, "print one JSON object for each run, a line each")
	return cmd
}

// inFlag adds --in.
func inFlag(cmd *cobra.Command, in *string) {
	cmd.Flags().StringVar(in, "in", ".", "the `folder` of the project, or the .dsp file, whose runs are meant")
}

// runs is `dspi runs`.
func (a *app) runs(ctx context.Context, in string, limit int, rows, asJSON bool) error {
	store, err := a.openStore(in)
	if err != nil {
		return err
	}
	defer store.Close()
	runs, err := listed(ctx, store, limit, rows)
	if err != nil {
		return err
	}
	if asJSON {
		for i := range runs {
			if err := a.writeJSON(struct {
				*hist.Run
				Resumable bool `json:"resumable"`
			}{&runs[i], resumable(&runs[i])}); err != nil {
				return err
			}
		}
		return nil
	}
	if len(runs) == 0 {
		a.note("no run is kept")
		return nil
	}
	var table [][]string
	for i := range runs {
		r := &runs[i]
		took := ""
		if r.Ended != nil {
			took = duration(r.Duration())
		}
		can := ""
		if resumable(r) {
			can = "can be resumed"
			if r.Origin.Evaluation != "" {
				can = "can be resumed with dspi eval"
			}
		}
		table = append(table, []string{
			r.ID, r.Started.Local().Format("2006-01-02 15:04:05"), strings.TrimPrefix(r.Program, "program."), string(r.Status),
			plural(r.Usage.Calls, "call"), dollars(r.Usage.USD), took, can,
		})
	}
	fmt.Fprint(a.out, columnsOf(table))
	return nil
}

// listed returns the newest runs. A batch has what its rows used; these are listed
// only if rows is set.
func listed(ctx context.Context, store hist.Store, limit int, rows bool) ([]hist.Run, error) {
	for ask := limit; ; ask *= 4 {
		found, err := store.Runs(ctx, ask)
		if err != nil {
			return nil, err
		}
		used := map[string]hist.Usage{} // by batch: its rows began after it
		var out []hist.Run
		for _, r := range found {
			if batch, ok := hist.IsRow(r.ID); ok {
				sum, seen := used[batch]
				if !seen {
					sum.USD = new(float64)
				}
				used[batch] = sum.Plus(r.Usage)
				if !rows {
					continue
				}
			}
			if sum, ok := used[r.ID]; ok {
				r.Usage = sum
			}
			out = append(out, r)
		}
		if limit == 0 || len(out) >= limit || len(found) < ask {
			return out[:min(len(out), cmp.Or(limit, len(out)))], nil
		}
	}
}

// resumable reports whether a run can be taken up again by its id. A row goes on
// with its batch.
func resumable(r *hist.Run) bool {
	_, row := hist.IsRow(r.ID)
	return !row && r.Resumable()
}

// columnsOf aligns the cells of rows.
func columnsOf(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			line += cell + strings.Repeat(" ", widths[i]-len([]rune(cell))+2)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// deleteRuns deletes runs: one by its id, all, or those that are older than a
// period.
func (a *app) deleteRuns(ctx context.Context, store hist.Store, id string, all bool, older string) error {
	var n int
	var err error
	switch {
	case older != "":
		keep, perr := hist.ParseKeep(older)
		if perr != nil || keep <= 0 {
			return wrong("--older-than cannot be %q", older).say("It is a number with h, d or w, such as 30d.")
		}
		n, err = store.DeleteBefore(ctx, time.Now().Add(-time.Duration(keep)))
	case all:
		n, err = store.DeleteBefore(ctx, time.Now().Add(time.Hour))
	default:
		run, rerr := a.findRun(ctx, store, id)
		if rerr != nil {
			return rerr
		}
		n, err = store.Delete(ctx, run.ID)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(a.err, "%s deleted\n", plural(n, "run"))
	return nil
}

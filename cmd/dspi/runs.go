package main

import (
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
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List the runs that are kept",
		Long: `Lists the runs that are kept, the newest first: their ids, how they ended, what
they took. dspi show ID shows one of them.

Runs are kept in .dspi/dspi.db in the folder of the dspi.hcl, or beside the .dsp
file where there is none, for 30 days; the block store of dspi.hcl says otherwise.`,
		Example: "  dspi runs\n  dspi runs --limit 5 --json",
		Args:    arguments(0, 0, "nothing"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return wrong("--limit cannot be %d", limit).say("It is a number of runs; 0 is all of them.")
			}
			return a.runs(cmd.Context(), in, limit, asJSON)
		},
	}
	inFlag(cmd, &in)
	cmd.Flags().IntVar(&limit, "limit", 20, "how many at most: `N`, 0 for all")
	jsonFlag(cmd, &asJSON, "print one JSON object for each run, a line each")
	return cmd
}

// inFlag adds --in.
func inFlag(cmd *cobra.Command, in *string) {
	cmd.Flags().StringVar(in, "in", ".", "the `folder` of the project, or the .dsp file, whose runs are meant")
}

// runs is `dspi runs`.
func (a *app) runs(ctx context.Context, in string, limit int, asJSON bool) error {
	store, err := a.openStore(in)
	if err != nil {
		return err
	}
	defer store.Close()
	runs, err := store.Runs(ctx, limit)
	if err != nil {
		return err
	}
	if asJSON {
		for i := range runs {
			if err := a.writeJSON(&runs[i]); err != nil {
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
		table = append(table, []string{
			r.ID, r.Started.Local().Format("2006-01-02 15:04:05"), strings.TrimPrefix(r.Program, "program."), string(r.Status),
			plural(r.Usage.Calls, "call"), dollars(r.Usage.USD), took,
		})
	}
	fmt.Fprint(a.out, columnsOf(table))
	return nil
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

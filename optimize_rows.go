package dspi

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
)

// rows reads the data and parts it.
func (t *tuning) rows(ctx context.Context) error {
	o := t.plan.Optimization
	read := func(set string, d *program.Dataset, used *RowsUsed) ([]*optimize.Example, error) {
		if d == nil {
			return nil, nil
		}
		rows, unfit, err := examples(ctx, t.Runtime, set, d, t.plan.Start)
		if err != nil {
			return nil, datasetFault(d, err)
		}
		used.Data, used.Unfit = d.Address(), unfit
		return rows, nil
	}
	var err error
	if t.train, err = read("train", o.Train, &t.out.Train); err != nil {
		return err
	}
	if t.dev, err = read("dev", o.Dev, &t.out.Dev); err != nil {
		return err
	}
	if t.test, err = read("test", o.Test, &t.out.Test); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(t.plan.Seed, 0x9e3779b97f4a7c15))
	if o.Dev == nil {
		t.train, t.dev = parted(t.train, devPart, "dev", random)
		t.out.Dev = RowsUsed{Data: t.out.Train.Data, Part: "a third of train, which does not learn from it"}
	}
	if o.Test == nil {
		t.dev, t.test = parted(t.dev, testPart, "test", random)
		t.out.Test = RowsUsed{Data: t.out.Dev.Data, Part: "a fifth of the dev rows, held back"}
	}
	t.out.Train.Rows, t.out.Dev.Rows, t.out.Test.Rows = len(t.train), len(t.dev), len(t.test)
	for _, x := range []struct {
		name string
		rows []*optimize.Example
		used RowsUsed
	}{{"train", t.train, t.out.Train}, {"dev", t.dev, t.out.Dev}} {
		if len(x.rows) == 0 {
			d := diag.New("E0618", o.Place, "`"+o.Address()+"` has no rows for `"+x.name+"`")
			switch {
			case x.used.Unfit > 0:
				d.Say("None of the %d rows of `%s` fits the program `%s`.", x.used.Unfit, x.used.Data, o.Program.Name).Hint("look at them: dspi data FILE")
			default:
				d.Say("`%s` has too few rows to part them.", x.used.Data)
			}
			return d
		}
	}
	return nil
}

// parted takes one of n rows out by chance: the rest keeps its order, and so does what
// is taken.
func parted(rows []*optimize.Example, n int, set string, random *rand.Rand) (rest, taken []*optimize.Example) {
	out := map[int]bool{}
	for _, i := range random.Perm(len(rows))[:len(rows)/n] {
		out[i] = true
	}
	for i, row := range rows {
		if out[i] {
			x := *row
			x.Set, x.N = set, len(taken)
			taken = append(taken, &x)
		} else {
			x := *row
			x.N = len(rest)
			rest = append(rest, &x)
		}
	}
	return rest, taken
}

func datasetFault(d *program.Dataset, err error) error {
	var dg *diag.Diagnostic
	if errors.As(err, &dg) {
		return dg
	}
	return diag.New("E0619", d.Place, "`"+d.Address()+"` cannot be read").Say("%v.", err)
}

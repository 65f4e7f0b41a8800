package dspi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/stdlib/datasets"
)

// PassageColumns returns what a condition may read of the passages of a file: for
// rows their columns, with the types that the first 1000 rows show; for a text its
// name and page. A column that some row lacks may be null. The path starts from the
// folder of from, and may be a pattern. Errors are as those of Columns.
func PassageColumns(from *source.File, name string) ([]types.Field, error) {
	full := filepath.FromSlash(name)
	if !filepath.IsAbs(full) && from != nil {
		full = filepath.Join(filepath.Dir(from.Name), full)
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".md", ".markdown", ".txt", ".html", ".htm", ".pdf":
		return program.TextColumns(), nil
	}
	t, err := datasets.Open(full, "")
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) && errors.Is(err, fs.ErrNotExist) {
			return nil, fs.ErrNotExist
		}
		return nil, err
	}
	defer t.Close()
	var names []string
	seen := map[string]*seenColumn{}
	rows := 0
	for rows < columnRows {
		row, err := t.Next()
		if err != nil {
			break
		}
		if row.Values == nil {
			continue // what is wrong with it is said when it is read
		}
		rows++
		for n, v := range row.Values.All() {
			c := seen[n]
			if c == nil {
				c = &seenColumn{}
				seen[n] = c
				names = append(names, n)
			}
			c.see(v)
		}
	}
	var out []types.Field
	for _, n := range names {
		out = append(out, types.Field{Name: n, Type: seen[n].typ(rows)})
	}
	return out, nil
}

// seenColumn is what the values of a column were.
type seenColumn struct {
	n int // that are not null
	t types.Type
}

func (c *seenColumn) see(v any) {
	var t types.Type
	switch v.(type) {
	case nil:
		return
	case string:
		t = types.String
	case bool:
		t = types.Bool
	case int:
		t = types.Int
	case float64:
		t = types.Float
	default:
		t = types.JSON
	}
	c.n++
	switch {
	case c.t == nil || c.t == t:
		c.t = t
	case (c.t == types.Int || c.t == types.Float) && (t == types.Int || t == types.Float):
		c.t = types.Float
	default:
		c.t = types.JSON
	}
}

func (c *seenColumn) typ(rows int) types.Type {
	switch {
	case c.t == nil:
		return types.JSON
	case c.n < rows && c.t != types.JSON:
		return types.NewOptional(c.t)
	}
	return c.t
}

// PassageFilter makes a filter of a condition on the passages of a retriever, as
// `where` of a step has it, but that it reads the columns by their bare names, too.
// The error is a diag.List.
func PassageFilter(r *program.Retriever, text string) (retrieve.Filter, error) {
	file := source.NewFile("--where", text)
	e, diags := expr.Parse(file, &syntax.Expr{Text: text, Span: source.Span{End: int32(len(text))}})
	if err := diags.Err(); err != nil {
		return retrieve.Filter{}, err
	}
	passage := expr.Symbol{Name: "passage", Kind: "passage", Noun: "column"}
	var symbols []expr.Symbol
	if r.Columns == nil {
		passage.Type = types.JSON
	}
	for _, f := range r.Columns {
		passage.Members = append(passage.Members, expr.Member{Name: f.Name, Type: f.Type, Doc: f.Description})
		symbols = append(symbols, expr.Symbol{Name: f.Name, Kind: "column", Type: f.Type})
	}
	_, diags = e.CheckCondition(expr.NewScope(append(symbols, passage)...))
	if err := diags.Err(); err != nil {
		return retrieve.Filter{}, err
	}
	code, err := e.Compile()
	if err != nil {
		return retrieve.Filter{}, err
	}
	return retrieve.Filter{Key: text, Keep: func(ctx context.Context, p retrieve.Passage) (bool, error) {
		facts := retrieve.Facts(p)
		x, err := code.Eval(ctx, func(root string) (any, bool) {
			if root == "passage" {
				return facts, true
			}
			v, _ := facts.Get(root)
			return v, true
		})
		if err != nil {
			return false, &retrieve.Error{Retriever: r.Address(), Text: fmt.Sprintf("the condition cannot be computed of the passage %s: %v", p.ID, err)}
		}
		keep, _ := x.(bool)
		return keep, nil
	}}, nil
}

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
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/datasets"
	"github.com/dspi-lang/dspi/stdlib/retrievers/corpus"
)

// PassageColumns returns what a condition may read of the passages of a file: for
// rows their columns, with the types that the first 1000 rows show; for texts their
// name and page, and the facts that FolderColumns speaks of. A column that some row lacks may be null. The path starts from the
// folder of from, and may be a pattern. Errors are as those of Columns.
func PassageColumns(from *source.File, name string) ([]types.Field, error) {
	full := filepath.FromSlash(name)
	if !filepath.IsAbs(full) && from != nil {
		full = filepath.Join(filepath.Dir(from.Name), full)
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".md", ".markdown", ".txt", ".html", ".htm", ".pdf":
		return textColumns(corpus.Corpus{File: full, Name: name})
	}
	if err := readable(full, name); err != nil {
		return nil, err
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
	var all seenColumns
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
		all.see(row.Values)
	}
	return all.fields(rows), nil
}

// FolderColumns returns what a condition may read of the passages of a folder of
// texts: their name and page, and the facts that stand at the start of the first 1000
// texts, the front matter of Markdown and the meta elements of HTML. Pattern may be
// "". The folder starts from that of from.
func FolderColumns(from *source.File, folder, pattern string) ([]types.Field, error) {
	full := filepath.FromSlash(folder)
	if !filepath.IsAbs(full) && from != nil {
		full = filepath.Join(filepath.Dir(from.Name), full)
	}
	return textColumns(corpus.Corpus{Folder: full, Name: folder, Pattern: pattern})
}

func textColumns(c corpus.Corpus) ([]types.Field, error) {
	var all seenColumns
	texts := 0
	err := c.Facts(context.Background(), columnRows, func(facts *value.Object) {
		texts++
		all.see(facts)
	})
	if err != nil {
		return nil, err
	}
	return append(program.TextColumns(), all.fields(texts)...), nil
}

// seenColumns are those of rows, in the order in which they turned up.
type seenColumns struct {
	names []string
	seen  map[string]*seenColumn
}

func (s *seenColumns) see(row *value.Object) {
	if s.seen == nil {
		s.seen = map[string]*seenColumn{}
	}
	for n, v := range row.All() {
		c := s.seen[n]
		if c == nil {
			c = &seenColumn{}
			s.seen[n] = c
			s.names = append(s.names, n)
		}
		c.see(v)
	}
}

// fields returns the columns of so many rows.
func (s *seenColumns) fields(rows int) (out []types.Field) {
	for _, n := range s.names {
		out = append(out, types.Field{Name: n, Type: s.seen[n].typ(rows)})
	}
	return out
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

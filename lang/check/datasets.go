package check

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lang/types"
)

// Data sets: which columns their files have is asked of the host, once for each
// file, so that what needs a column can be checked against it.

func (c *checker) checkDataset(d *decl, b *syntax.Block) {
	f := d.scope
	table, _ := c.u.Block("dataset")
	s := c.settings(f, b, table)
	blocks := c.inner(f, b, table, "a data set", nil)
	ds := d.dataset
	ds.Description, _ = constantOf[string](s["description"])
	ds.Format, _ = constantOf[string](s["format"])
	ds.Limit, _ = constantOf[int](s["limit"])
	ds.File, ds.Shuffle = s["file"].value(), s["shuffle"].value()
	ds.From, ds.To = shareOf(s["from"]), shareOf(s["to"])
	ds.Sample, _ = constantOf[int](s["sample"])
	var columns []string
	var known bool
	if ds.Python, _ = c.pythonIn(f, "dataset", blocks["python"]); ds.Python != nil {
		c.insteadOfPython(f, ds.Python, s, "the rows come from here", "file", "format")
		columns, known = c.reportedColumns(f, ds.Python)
	} else {
		c.rowsFrom(d, b, s)
		c.fileFormat(s["file"], ds.Format, tableFormats)
		columns, known = c.columnsOf(f, s["file"], ds.Format)
	}
	ds.Columns = c.renamed(f, ds, blocks["columns"], columns, known)
	c.only(f, ds, blocks["only"])
	if at := s["stratify"]; at != nil {
		ds.Stratify, _ = constantOf[string](at)
		if ds.Stratify != "" && !ds.Has(ds.Stratify) {
			c.report(noSuchColumn(at.at, ds.Stratify, ds.Address(), ds.Columns, true))
		}
	}
	if from, to := s["from"], s["to"]; to != nil && !to.bad && to.fixed && ds.From >= ds.To {
		d := diag.New("E0307", to.at, "this part has no rows").Say("It goes from %v to %v of the rows.", ds.From, ds.To)
		if from != nil {
			d.Relate(from.at, "it begins here")
		}
		c.report(d)
	}
}

// rowsFrom reports a data set that has no rows.
func (c *checker) rowsFrom(d *decl, b *syntax.Block, s map[string]*setting) {
	if s["file"] == nil && !c.opaque(b) {
		c.report(diag.New("E0502", d.place, "the data set "+code(d.name)+" has no "+code("file")).
			Say("A data set has one source of rows:\n\n" +
				"    file = \"data/dev.csv\"             a file\n" +
				"    python { call = \"module:rows\" }   a function in Python that gives them"))
	}
}

// reportedColumns asks the host for the columns of rows that Python gives, where it
// wants to tell them.
func (c *checker) reportedColumns(f *fileScope, p *program.Python) ([]string, bool) {
	if c.opt.Rows == nil || p.Call == "" {
		return nil, false
	}
	f.outside = true
	columns, err := c.opt.Rows(p)
	return columns, err == nil && columns != nil
}

// shareOf returns the constant of a setting that is a number, 0 where there is none.
func shareOf(s *setting) float64 {
	if n, ok := constantOf[int](s); ok {
		return float64(n)
	}
	f, _ := constantOf[float64](s)
	return f
}

// only reads the block `only`: values that rows have.
func (c *checker) only(f *fileScope, ds *program.Dataset, b *syntax.Block) {
	all, _ := c.names(f, b, c.fixedScope(f), func(syntax.Ident) (types.Type, bool) { return types.JSON, true })
	for _, n := range all {
		if !n.ok {
			continue
		}
		name := n.attr.Name.Name
		literal, fixed := n.value.Type.(*types.Literal)
		switch {
		case !fixed:
			c.report(diag.New("E0307", n.value.Place, "a value that rows have is fixed").
				Say("It reads `%s = \"test\"`, or a number, or true and false.", name))
		case !ds.Has(name):
			c.report(noSuchColumn(f.place(n.attr.Name.Span), name, ds.Address(), ds.Columns, false))
		default:
			if ds.Only == nil {
				ds.Only = map[string]any{}
			}
			ds.Only[name] = literal.Value
		}
	}
}

// tableFormats are the endings of files that hold rows.
var tableFormats = []string{".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".json", ".parquet"}

// fileFormat reports a file whose name does not tell what it holds.
func (c *checker) fileFormat(s *setting, format string, endings []string) {
	name, ok := constantOf[string](s)
	if !ok || format != "" {
		return
	}
	ending := strings.ToLower(path.Ext(name))
	if slices.Contains(endings, ending) {
		return
	}
	if strings.ContainsAny(path.Base(name), "*?[") && (ending == "" || strings.ContainsAny(ending, "*?[")) { // each file tells
		return
	}
	tabs := ""
	if slices.Contains(endings, ".tsv") {
		tabs = ", .tsv (tabs)"
	}
	texts := ""
	if slices.Contains(endings, ".md") {
		texts = " That of a text ends in " + strings.Join(textFormats[:len(textFormats)-1], ", ") + " or " + textFormats[len(textFormats)-1] + "."
	}
	d := diag.New("E0521", s.at, "this does not tell what the file holds").
		Say("The name of a file with rows ends in .csv (commas, with a header line)%s, .jsonl (one JSON object a line) or .json (a list of objects).%s", tabs, texts)
	if near, ok := diag.Nearest(ending, endings); ok && ending != "" {
		d.Fix("did you mean "+code(near)+"?", s.at, types.FormatLiteral(strings.TrimSuffix(name, path.Ext(name))+near))
	}
	c.report(d)
	s.bad = true
}

// columnsOf asks the host for the columns of a file. An absent file is a
// warning, one that cannot be read an error; in both cases nothing is known.
func (c *checker) columnsOf(f *fileScope, s *setting, format string) ([]string, bool) {
	name, ok := constantOf[string](s)
	if !ok || c.opt.Columns == nil {
		return nil, false
	}
	if name == "" {
		c.report(diag.New("E0521", s.at, "this names no file"))
		return nil, false
	}
	f.outside = true
	columns, err := c.opt.Columns(f.file.Source, name)
	switch {
	case err == nil:
		return columns, true
	case errors.Is(err, fs.ErrNotExist):
		c.report(diag.New("W0521", s.at, "there is no file "+name).
			Say("Nothing can be said of its columns, and whatever reads it will fail. The path is taken from the folder of this file."))
	default:
		c.report(diag.New("E0521", s.at, err.Error()))
	}
	return nil, false
}

// renamed reads the block `columns` and returns the names that expressions see;
// nil when they are not known.
func (c *checker) renamed(f *fileScope, ds *program.Dataset, b *syntax.Block, columns []string, known bool) []string {
	out := slices.Clone(columns)
	all, _ := c.names(f, b, c.fixedScope(f), func(syntax.Ident) (types.Type, bool) { return types.String, true })
	for _, n := range all {
		if !n.ok {
			continue
		}
		name := n.attr.Name.Name
		from, fixed := fixedTextOf(n.value)
		if !fixed {
			c.report(diag.New("E0307", n.value.Place, "a column is named by fixed text").
				Say("It reads `%s = \"Name in the file\"`.", name))
			continue
		}
		if known && !slices.Contains(columns, from) {
			c.report(noSuchColumn(n.value.Place, from, ds.Address(), columns, true))
			continue
		}
		if ds.Renamed == nil {
			ds.Renamed = map[string]string{}
		}
		ds.Renamed[name] = from
		if i := slices.Index(out, from); i >= 0 {
			out[i] = name
		}
	}
	if !known {
		return nil
	}
	return out
}

func fixedTextOf(v program.Value) (string, bool) {
	if l, ok := v.Type.(*types.Literal); ok {
		text, ok := l.Value.(string)
		return text, ok
	}
	return "", false
}

// noSuchColumn speaks of a column that is named at a place and is not there.
func noSuchColumn(at source.Place, name, data string, columns []string, quoted bool) *diag.Diagnostic {
	d := diag.New("E0220", at, code(data)+" has no column "+code(name))
	if near, ok := diag.Nearest(name, columns); ok {
		text := near
		if quoted {
			text = types.FormatLiteral(near)
		}
		d.Fix("did you mean "+code(near)+"?", at, text)
	}
	return d.Say("%s", columnsLine(columns))
}

func columnsLine(columns []string) string {
	if len(columns) == 0 {
		return "The file has no columns."
	}
	return "Its columns: " + quotedList(columns) + "."
}

// dataFits reports the inputs of a program that a data set has no column for. at
// is the place that brings both together.
func (c *checker) dataFits(f *fileScope, at source.Place, prog *program.Program, data *program.Dataset) bool {
	if prog == nil || data == nil || data.Columns == nil {
		return true
	}
	fits := true
	for _, in := range prog.Signature.Inputs {
		if in.HasDefault || types.Nullable(in.Type) || data.Has(in.Name) {
			continue
		}
		fits = false
		d := diag.New("E0220", at, code(data.Address())+" has no column "+code(in.Name)).
			Relate(prog.Place, "%s takes %s", code(prog.Name), code(in.Name+": "+in.Type.String())).
			Relate(data.Place, "the data set is declared here").
			Say("Each input of `%s` is a column of the data. %s", prog.Name, columnsLine(data.Columns))
		from := "…"
		if near, ok := diag.Nearest(in.Name, data.Columns); ok {
			from = near
		}
		d.Hint("to call a column of the file so: columns { %s = %q }", in.Name, from)
		c.report(d)
	}
	return fits
}

// rowSymbol is `example` in a metric: the columns of a data set. Those that are
// the program's inputs or outputs have their types, the rest is json.
func rowSymbol(prog *program.Program, data *program.Dataset) expr.Symbol {
	sym := expr.Symbol{Name: "example", Kind: "row", Noun: "column"}
	if prog == nil || data == nil || data.Columns == nil {
		sym.Type = types.JSON
		return sym
	}
	for _, name := range data.Columns {
		m := expr.Member{Name: name, Type: types.JSON, Doc: "a label"}
		if f, ok := prog.Signature.Input(name); ok {
			m.Type, m.Doc = f.Type, "an input"
		} else if f, ok := prog.Signature.Output(name); ok {
			m.Type = f.Type
		}
		sym.Members = append(sym.Members, m)
	}
	sym.Place = data.Place
	return sym
}

package corpus

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

// maxRow is the longest row of a .jsonl file, in bytes.
const maxRow = 64 << 20

// watched is a reader that shows what is read of it, leaves out a byte order mark,
// and ends with its context.
type watched struct {
	ctx   context.Context
	r     io.Reader
	seen  func([]byte)
	begun bool
	lines int // ended by what was read
}

func (w *watched) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.r.Read(p)
	if n > 0 && w.seen != nil {
		w.seen(p[:n])
	}
	if !w.begun && n > 0 {
		w.begun = true
		if bytes.HasPrefix(p[:n], []byte("\ufeff")) {
			n = copy(p, p[3:n])
		}
	}
	w.lines += bytes.Count(p[:n], []byte("\n"))
	return n, err
}

// rest reads what a reader of rows has left.
func (w *watched) rest() error {
	_, err := io.Copy(io.Discard, w)
	return err
}

// rows makes passages of rows.
type rows struct {
	*Corpus
	file    File
	give    func(retrieve.Passage) error
	text    string
	id      string // the column that names a passage; "" for the row's number
	named   bool   // the user named it
	ids     map[string]int
	max     int
	n       int
	noTexts int
}

// isRows tells files of rows from texts, by the ending of the name.
func isRows(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".tsv", ".json", ".jsonl", ".ndjson":
		return true
	}
	return false
}

// readRows reads a file of rows.
func (c *Corpus) readRows(r *watched, f File, give func(retrieve.Passage) error) error {
	x := &rows{Corpus: c, file: f, give: give, text: c.Text, id: c.ID, named: c.ID != "", ids: map[string]int{}, max: c.MaxLength}
	if x.text == "" {
		x.text = DefaultText
	}
	if x.id == "" {
		x.id = DefaultID
	}
	var err error
	switch ending := strings.ToLower(path.Ext(f.Name)); ending {
	case ".csv", ".tsv":
		err = x.cells(r, ending == ".tsv")
	case ".json":
		err = x.array(r)
	default:
		err = x.objects(r)
	}
	if err != nil {
		return err
	}
	if x.n == 0 {
		return fault("%s holds no rows", f.Name)
	}
	if x.n == x.noTexts {
		return fault("no row of %s has a text in `%s`", f.Name, x.text)
	}
	return nil
}

// objects reads an object a line.
func (x *rows) objects(r io.Reader) error {
	in := bufio.NewReaderSize(r, 64<<10)
	var line []byte
	for number := 1; ; number++ {
		line = line[:0]
		var err error
		for {
			var piece []byte
			piece, err = in.ReadSlice('\n')
			line = append(line, piece...)
			if !errors.Is(err, bufio.ErrBufferFull) || len(line) > maxRow {
				break
			}
		}
		if len(line) > maxRow {
			return fault("line %d of %s is longer than %d MB", number, x.file.Name, maxRow>>20)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return x.absent(x.file.Name, err)
		}
		if text := bytes.TrimSpace(line); len(text) > 0 {
			if fault := x.object(text, number); fault != nil {
				return fault
			}
		}
		if err != nil {
			return nil
		}
	}
}

// object reads the row that stands in a line.
func (x *rows) object(text []byte, line int) error {
	if !utf8.Valid(text) {
		return notUTF8("line %d of %s", line, x.file.Name)
	}
	v, err := value.DecodeJSON(text)
	if err != nil {
		return fault("line %d of %s is not JSON: %v", line, x.file.Name, err)
	}
	o, ok := v.(*value.Object)
	if !ok {
		return fault("line %d of %s is not an object", line, x.file.Name).
			hint("each row is one, such as {\"id\": \"a\", \"text\": \"…\"}")
	}
	return x.row(o, line)
}

// array reads a list of objects.
func (x *rows) array(r *watched) error {
	dec := json.NewDecoder(r)
	broken := func(err error) error {
		var s *json.SyntaxError
		if errors.As(err, &s) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return fault("%s is not JSON, at about line %d: %v", x.file.Name, r.lines+1, err)
		}
		return x.absent(x.file.Name, err)
	}
	start, err := dec.Token()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return broken(err)
	}
	if start != json.Delim('[') {
		return fault("%s is not a list of objects", x.file.Name).hint("it begins with [; a file with an object a line ends in .jsonl")
	}
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return broken(err)
		}
		if err := x.element(raw); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return broken(err)
	}
	return nil
}

// element reads an element of a list, which is called by its number.
func (x *rows) element(raw []byte) error {
	number := x.n + 1
	if !utf8.Valid(raw) {
		return notUTF8("row %d of %s", number, x.file.Name)
	}
	v, err := value.DecodeJSON(raw)
	if err != nil {
		return fault("row %d of %s is not JSON: %v", number, x.file.Name, err)
	}
	o, ok := v.(*value.Object)
	if !ok {
		return fault("row %d of %s is not an object", number, x.file.Name)
	}
	return x.row(o, -number)
}

// cells reads a .csv file with a header, or a .tsv file.
func (x *rows) cells(r io.Reader, tabs bool) error {
	in := csv.NewReader(r)
	if tabs {
		in.Comma, in.LazyQuotes = '\t', true
	}
	in.FieldsPerRecord = -1
	in.ReuseRecord = true
	header, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return x.cellFault(err)
	}
	names := slices.Clone(header)
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return fault("two columns of %s are called `%s`", x.file.Name, name)
		}
	}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return x.cellFault(err)
		}
		line, _ := in.FieldPos(0)
		if len(row) != len(names) {
			return fault("line %d of %s has %d cells, its header %d", line, x.file.Name, len(row), len(names))
		}
		o := value.MakeObject(len(names))
		for i, name := range names {
			if !utf8.ValidString(row[i]) {
				return notUTF8("line %d of %s", line, x.file.Name)
			}
			o.Set(name, row[i])
		}
		if err := x.row(o, line); err != nil {
			return err
		}
	}
}

func (x *rows) cellFault(err error) error {
	var p *csv.ParseError
	if !errors.As(err, &p) {
		return x.absent(x.file.Name, err)
	}
	return fault("line %d of %s: %v", p.Line, x.file.Name, p.Err).hint("a cell with a comma, a quote or a line break stands in double quotes")
}

// row makes the passages of a row. line is where it stands; less than zero, it is
// the row's number, negative.
func (x *rows) row(o *value.Object, line int) error {
	x.n++
	where := fmt.Sprintf("line %d of %s", line, x.file.Name)
	if line < 0 {
		where = fmt.Sprintf("row %d of %s", -line, x.file.Name)
	}
	v, ok := o.Get(x.text)
	text, isText := v.(string)
	switch {
	case !ok:
		f := fault("%s has no column `%s`", where, x.text)
		if near, found := diag.Nearest(x.text, o.Names()); found {
			return f.hint("did you mean text = %q?", near)
		}
		return f.hint("say which column is searched: text = \"…\"; it has %s", strings.Join(o.Names(), ", "))
	case v != nil && !isText:
		return fault("%s has in `%s` no text, but %s", where, x.text, shown(v))
	}
	p := retrieve.Passage{Text: text}
	if x.Title != "" {
		v, ok := o.Get(x.Title)
		if !ok {
			return fault("%s has no column `%s`, which `title` names", where, x.Title)
		}
		p.Title = written(v)
	}
	v, _ = o.Get(x.id)
	switch v.(type) {
	case string, int, float64:
		p.ID = written(v)
	}
	switch {
	case p.ID != "":
	case x.named:
		return fault("%s has no name in `%s`, which `id` names", where, x.id)
	case isPattern(x.Name) || x.Folder != "": // one file of several
		p.ID = x.file.Name + "#" + strconv.Itoa(x.n)
	default:
		p.ID = strconv.Itoa(x.n)
	}
	if first, twice := x.ids[p.ID]; twice {
		if first < 0 {
			return fault("%s has the id %q, as row %d has", where, p.ID, -first)
		}
		return fault("%s has the id %q, as line %d has", where, p.ID, first).hint("an id names one passage: name another column with `id`")
	}
	x.ids[p.ID] = line
	for name, v := range o.All() {
		if name != x.text && name != x.Title && name != x.id {
			if p.Meta == nil {
				p.Meta = &value.Object{}
			}
			p.Meta.Set(name, v)
		}
	}
	if strings.TrimSpace(text) == "" {
		x.noTexts++
		return nil
	}
	if x.max == 0 {
		return x.give(p)
	}
	return giveParts(p, x.max, x.overlap(x.max), x.give)
}

// giveParts gives a passage in parts where it is longer than max characters. The
// parts are called ID#1, ID#2 and so on.
func giveParts(p retrieve.Passage, max, overlap int, give func(retrieve.Passage) error) error {
	parts := split(p.Text, max, overlap)
	if len(parts) == 1 {
		return give(p)
	}
	id := p.ID
	for i, text := range parts {
		p.ID, p.Text = id+"#"+strconv.Itoa(i+1), text
		if err := give(p); err != nil {
			return err
		}
	}
	return nil
}

// written returns a value of a column as a text.
func written(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return strings.TrimSpace(v)
	}
	return string(value.EncodeJSON(v))
}

// shown is a value for a message.
func shown(v any) string {
	s := []rune(string(value.EncodeJSON(v)))
	if len(s) > 60 {
		return string(s[:60]) + "…"
	}
	return string(s)
}

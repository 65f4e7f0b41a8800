package datasets

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// rowsOf returns the rows as JSON, `!` for one that cannot be read.
func rowsOf(t *testing.T, table *Table) []string {
	t.Helper()
	defer table.Close()
	var out []string
	for {
		row, err := table.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if row.Err != nil {
			out = append(out, "!")
			continue
		}
		out = append(out, string(value.EncodeJSON(row.Values)))
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a.csv", "\ufeffid, text\n1,\"a, b\"\n2\n", `{"id":"1","text":"a, b"} !`},
		{"a.tsv", "id\ttext\n1\tsay \"hi\"\n", `{"id":"1","text":"say \"hi\""}`},
		{"a.jsonl", "\ufeff{\"id\":1}\n\n[]\nx\n{\"id\":2}\n", `{"id":1} ! ! {"id":2}`},
		{"a.json", `[{"id":1}, 7, {"id":2.0}]`, `{"id":1} ! {"id":2.0}`},
		{"a.JSON", `[]`, ``},
	} {
		table, err := Open(file(t, c.name, c.text), "")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := strings.Join(rowsOf(t, table), " "); got != c.want {
			t.Errorf("%s: %s, and %s is wanted", c.name, got, c.want)
		}
	}
	table, err := Open(file(t, "rows.txt", "a,b\n1,2\n"), "csv")
	if err != nil || len(rowsOf(t, table)) != 1 {
		t.Errorf("a format that is given: %v", err)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a.txt", "x", "does not tell"},
		{"a.csv", "", "empty"},
		{"a.csv", "a,a\n", "twice"},
		{"a.csv", "a,\n", "no name"},
		{"a.csv", "a,b\r1,2\r3,4\r", "end in a carriage return alone"},
		{"a.json", "{}", "begins with {"},
		{"a.json", "", "empty"},
	} {
		_, err := Open(file(t, c.name, c.text), "")
		var d *diag.Diagnostic
		if !errors.As(err, &d) || !strings.Contains(d.Report().Detail+d.Report().Title+err.Error(), c.want) {
			t.Errorf("%s %q: %v", c.name, c.text, err)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none.csv"), ""); err == nil {
		t.Error("an absent file is opened")
	}
	if _, err := Open(t.TempDir(), "csv"); err == nil {
		t.Error("a folder is opened")
	}
}

func TestGlob(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"b.csv": "id\n3\n", "a.csv": "id\n1\n2\n", "x.jsonl": "{}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	table, err := Open(filepath.Join(dir, "*.csv"), "")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rowsOf(t, table), ""); got != `{"id":"1"}{"id":"2"}{"id":"3"}` {
		t.Error(got)
	}
	if _, err := Open(filepath.Join(dir, "*.tsv"), ""); err == nil {
		t.Error("a pattern of nothing is opened")
	}
}

// TestGlobOfFormats: files of several formats are one table, and each row knows whether
// its values are cells.
func TestGlobOfFormats(t *testing.T) {
	dir := t.TempDir()
	data, err := os.ReadFile("parquet/testdata/kinds.parquet")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"a.csv": "count,label\n7,a\n", "b.jsonl": `{"count":8,"label":"b"}`, "c.json": `[{"count":9,"label":"a"}]`, "d.tsv": "label\tcount\na\t10\n", "e.parquet": string(data),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	table, err := Open(filepath.Join(dir, "*"), "")
	if err != nil {
		t.Fatal(err)
	}
	chosen := Choose(table, Choice{Renamed: map[string]string{"n": "count"}, Only: map[string]any{"label": "a"}})
	defer chosen.Close()
	var got []string
	for {
		row, err := chosen.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n, _ := row.Values.Get("n")
		got = append(got, fmt.Sprintf("%d:%v:%v", row.N, n, row.Cells))
	}
	if s := strings.Join(got, " "); s != "1:7:true 3:9:false 4:10:true 5:1:false 7:<nil>:false 8:4:false" {
		t.Error(s)
	}
}

func TestParquet(t *testing.T) {
	table, err := Open("parquet/testdata/kinds.parquet", "")
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	if table.Cells || len(table.Columns) != 16 {
		t.Errorf("%+v", table)
	}
	l, err := Look(table, 0)
	if err != nil || l.Rows != 5 || l.Bad != 0 {
		t.Fatalf("%v, %+v", err, l)
	}
	kinds := map[string]string{}
	for _, c := range l.Columns {
		kinds[c.Name] = c.Kind
	}
	for name, want := range map[string]string{"text": "string", "count": "int", "score": "float", "sure": "bool", "tags": "list", "who": "object", "none": "empty"} {
		if kinds[name] != want {
			t.Errorf("%s is %s, and %s is wanted", name, kinds[name], want)
		}
	}
	if _, err := Open(file(t, "a.parquet", "a,b\n1,2\n"), ""); err == nil || !strings.Contains(err.Error(), "no Parquet file") {
		t.Errorf("a .csv file with another name: %v", err)
	}
}

// numbered is a table of n rows whose column kind is even or odd.
func numbered(n int) *Table {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"id\":%d,\"kind\":%q}\n", i, []string{"even", "odd"}[i%2])
	}
	return Lines("numbered", strings.NewReader(b.String()))
}

func ids(t *testing.T, c Choice, n int) []int {
	t.Helper()
	table := Choose(numbered(n), c)
	var out []int
	for {
		row, err := table.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil || row.Err != nil {
			t.Fatal(err, row.Err)
		}
		v, _ := row.Values.Get("id")
		out = append(out, v.(int))
	}
}

func TestChoice(t *testing.T) {
	if got := ids(t, Choice{Limit: 3}, 10); fmt.Sprint(got) != "[0 1 2]" {
		t.Error(got)
	}
	if got := ids(t, Choice{Only: map[string]any{"kind": "odd"}, Limit: 2}, 10); fmt.Sprint(got) != "[1 3]" {
		t.Error(got)
	}
	shuffled := ids(t, Choice{Shuffle: true, Seed: 5}, 50)
	if !slices.Equal(shuffled, ids(t, Choice{Shuffle: true, Seed: 5}, 50)) || slices.Equal(shuffled, ids(t, Choice{Shuffle: true, Seed: 6}, 50)) {
		t.Error("the same seed gives another order, or another one the same")
	}
	if sorted := slices.Sorted(slices.Values(shuffled)); len(sorted) != 50 || sorted[0] != 0 || sorted[49] != 49 {
		t.Error("a shuffle loses rows")
	}
	sample := ids(t, Choice{Sample: 10, Seed: 1}, 50)
	if len(sample) != 10 || !slices.IsSorted(sample) {
		t.Error(sample)
	}
	// Parts that meet share no row and leave none out, shuffled and stratified or not.
	for _, c := range []Choice{{}, {Shuffle: true, Seed: 2}, {Stratify: "kind"}, {Shuffle: true, Seed: 2, Stratify: "kind"}} {
		var all []int
		for _, cut := range [][2]float64{{0, 0.6}, {0.6, 0.85}, {0.85, 1}} {
			c.From, c.To = cut[0], cut[1]
			part := ids(t, c, 47)
			all = append(all, part...)
			if odd := len(slices.DeleteFunc(slices.Clone(part), func(i int) bool { return i%2 == 0 })); c.Stratify != "" && (odd*2 > len(part)+1 || odd*2 < len(part)-2) {
				t.Errorf("%+v: %d of %d are odd", c, odd, len(part))
			}
		}
		slices.Sort(all)
		if len(all) != 47 || len(slices.Compact(all)) != 47 {
			t.Errorf("%+v: the parts hold %d rows", c, len(all))
		}
	}
	renamed := Choose(Lines("x", strings.NewReader(`{"a":1,"b":2}`)), Choice{Renamed: map[string]string{"b": "a"}})
	if got := strings.Join(rowsOf(t, renamed), ""); got != `{"b":1}` {
		t.Error(got)
	}
}

func TestLook(t *testing.T) {
	table, err := Open(file(t, "a.csv", "id,mood,note\n1,good,\n2,bad,x\n3,good,\nodd\n"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	l, err := Look(table, 1)
	if err != nil {
		t.Fatal(err)
	}
	if l.Rows != 4 || l.Bad != 1 || l.Fault == nil || len(l.First) != 1 {
		t.Errorf("%+v", l)
	}
	id, mood, note := l.Columns[0], l.Columns[1], l.Columns[2]
	if id.Kind != "int" || *id.Least != 1 || *id.Most != 3 || mood.Kind != "string" || mood.Values[0] != (Count{"good", 2}) || note.Missing != 2 {
		t.Errorf("%+v %+v %+v", id, mood, note)
	}
}

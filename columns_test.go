package dspi_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/lang/source"
)

func TestColumns(t *testing.T) {
	dir := t.TempDir()
	from := source.NewFile(filepath.Join(dir, "a.dsp"), "")
	long := "text,label\n" + strings.Repeat("some words,x\n", 800_000)
	for name, c := range map[string]struct{ text, want, fault string }{
		"plain.csv":    {"text,intent\na,b\n", "text intent", ""},
		"bom.csv":      {"\ufefftext,\"Label, 1\"\r\na,b\r\n", "text|Label, 1", ""},
		"header.csv":   {"text\n", "text", ""},
		"empty.csv":    {"", "", "is empty"},
		"ragged.csv":   {"a,b\n1,2\n\"x\ny\",2,3\n", "", "line 3 of ragged.csv has 3 cells, its header 2"},
		"short.csv":    {"a,b\n1,2\n3\n", "", "line 3 of short.csv has 1 cell, its header 2"},
		"quote.csv":    {"a,b\n1,x\"y\n", "", "line 2 of quote.csv has a quote"},
		"open.csv":     {"a,b\n1,\"y\n", "", "of open.csv has a quote"},
		"twice.csv":    {"a,a\n", "", "two columns of twice.csv are called `a`"},
		"unnamed.csv":  {"a,,c\n", "", "column 2 of unnamed.csv has no name"},
		"latin.csv":    {"a,\xe9\n", "", "not text in UTF-8"},
		"long.csv":     {long, "text label", ""},
		"rows.jsonl":   {"{\"id\": 1, \"text\": \"a\"}\n\n{\"id\": 2, \"title\": \"b\"}", "id text title", ""},
		"list.jsonl":   {"[1]\n", "", "line 1 of list.jsonl is not an object"},
		"bad.jsonl":    {"{\"a\": 1}\n{\"a\": }\n", "", "line 2 of bad.jsonl is not JSON"},
		"none.ndjson":  {"\n\n", "", "holds no rows"},
		"rows.json":    {"[{\"id\": 1, \"text\": \"a\"},\n {\"title\": \"b\"}]", "id text title", ""},
		"object.json":  {"{\"a\": 1}", "", "object.json is not a list of objects"},
		"cut.json":     {"[{\"a\": 1}", "a", ""},
		"bad.json":     {"[{\"a\": }]", "", "bad.json is not a list of JSON objects"},
		"number.json":  {"[7]", "", "row 1 of number.json is not an object"},
		"none.json":    {"[]", "", "none.json holds no rows"},
		"nothing.json": {"", "", "nothing.json holds no rows"},
		"guess.txt":    {" {\"a\": 1}\n", "a", ""},
		"guess2.txt":   {"a,b\n", "a b", ""},
		"sub/deep.csv": {"a\n", "a", ""},
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(c.text), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := dspi.Columns(from, name)
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%s: %v, want %q", name, err, c.fault)
			}
			continue
		}
		sep := " "
		if strings.Contains(c.want, "|") {
			sep = "|"
		}
		if err != nil || !slices.Equal(got, strings.Split(c.want, sep)) {
			t.Errorf("%s: %q %v, want %q", name, got, err, c.want)
		}
	}
	if _, err := dspi.Columns(from, "nowhere.csv"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := dspi.Columns(from, "sub"); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Error(err)
	}
}

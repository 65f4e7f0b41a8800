package parquet

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"

	"github.com/dspi-lang/dspi/lang/value"
)

func all(t *testing.T, data []byte) (rows []string, columns []string) {
	t.Helper()
	r, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		o, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, r.Columns
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, string(value.EncodeJSON(o)))
	}
}

// TestKinds reads a file that pyarrow wrote, with columns of all kinds.
func TestKinds(t *testing.T) {
	data, err := os.ReadFile("testdata/kinds.parquet")
	if err != nil {
		t.Fatal(err)
	}
	rows, columns := all(t, data)
	if want := "text count big score small sure label tags who turns day at price raw facts none"; strings.Join(columns, " ") != want {
		t.Errorf("columns %v", columns)
	}
	want := []string{
		`{"text":"one","count":1,"big":9007199254740993,"score":0.5,"small":0.1,"sure":true,"label":"a","tags":["x","y"],"who":{"name":"Ann","age":3},"turns":[{"role":"user","content":"hi"}],"day":"2026-11-21","at":"2026-11-21T18:30:05.25Z","price":12.5,"raw":"/wA=","facts":{"a":1},"none":null}`,
		`{"text":null,"count":2,"big":2,"score":1.0,"small":1.0,"sure":false,"label":"b","tags":[],"who":null,"turns":[],"day":"2026-11-21","at":"2026-11-21T18:30:05.25Z","price":12.5,"raw":"/wA=","facts":{},"none":null}`,
	}
	if len(rows) != 5 || !slices.Equal(rows[:2], want) {
		t.Errorf("%d rows:\n%s", len(rows), strings.Join(rows, "\n"))
	}
	if !strings.Contains(rows[3], `"turns":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]`) || !strings.Contains(rows[4], `"text":"fünf"`) {
		t.Errorf("the second group:\n%s\n%s", rows[3], rows[4])
	}
}

// TestDamaged: a file that was cut, or changed anywhere, is an error and no panic.
func TestDamaged(t *testing.T) {
	data, err := os.ReadFile("testdata/kinds.parquet")
	if err != nil {
		t.Fatal(err)
	}
	try := func(data []byte) {
		r, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		defer r.Close()
		for range 100 {
			if _, err := r.Next(); err != nil {
				return
			}
		}
		t.Error("a damaged file has no end")
	}
	for n := 0; n < len(data); n += 389 {
		try(data[:n])
		broken := bytes.Clone(data)
		broken[n] ^= 0x55
		try(broken)
	}
	if _, err := Open(bytes.NewReader([]byte("a,b\n1,2\n")), 8); err == nil {
		t.Error("a .csv file is opened")
	}
}

// TestStreamed: a file of many row groups takes the memory of a few rows.
func TestStreamed(t *testing.T) {
	type row struct{ Text string }
	file, err := os.Create(t.TempDir() + "/large.parquet")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	const n, each = 40_000, 2_000
	w := pq.NewGenericWriter[row](file, pq.MaxRowsPerRowGroup(1000), pq.Compression(&pq.Snappy))
	for range n {
		if _, err := w.Write([]row{{strings.Repeat("word ", each/5)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(file, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Count != n {
		t.Errorf("%d rows", r.Count)
	}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := 0; ; i++ {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			if i != n {
				t.Errorf("%d rows were read", i)
			}
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if i%10_000 == 9_999 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			if grown := int64(now.HeapAlloc) - int64(before.HeapAlloc); grown > 24<<20 {
				t.Errorf("after %d rows %d MiB are held", i, grown>>20)
			}
		}
	}
}

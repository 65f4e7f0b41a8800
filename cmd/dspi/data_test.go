package main

import (
	"strings"
	"testing"
)

// TestDataParquet looks at a Parquet file, whose columns have kinds.
func TestDataParquet(t *testing.T) {
	got := runDspi(t, "data", "../../stdlib/datasets/parquet/testdata/kinds.parquet", "--rows", "1")
	if got.code != 0 {
		t.Fatal(got.stderr)
	}
	for _, want := range []string{"5 rows, 16 columns", "count   int     1        4 different, 1 to 5", "tags    list", "  who: {\"name\":\"Ann\",\"age\":3}"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("%q is not in\n%s", want, got.stdout)
		}
	}
}

package optimizers

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/value"
)

// TestDigest compares with what DSPy makes of the same demos (testdata/digest.py).
func TestDigest(t *testing.T) {
	text, err := os.ReadFile("testdata/digest.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Asked  [][2]*value.Object
		Digest string
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 9 {
		t.Fatalf("only %d cases", len(cases))
	}
	for i, c := range cases {
		var asked []optimize.Asked
		for _, a := range c.Asked {
			asked = append(asked, optimize.Asked{Inputs: a[0], Outputs: a[1]})
		}
		if got := digestOf(asked); got != c.Digest {
			t.Errorf("case %d: %s, DSPy has %s", i, got, c.Digest)
		}
	}
}

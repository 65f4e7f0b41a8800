package optimizers

import (
	"os"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
)

// TestProgramText: a program is shown as it is written, and what is shown is a program
// again, with the same signatures.
func TestProgramText(t *testing.T) {
	text, err := os.ReadFile("testdata/program.dsp")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/program.txt")
	if err != nil {
		t.Fatal(err)
	}
	weigh := checked(t, string(text))
	got := programText(&optimize.Study{Program: weigh}) + "\n"
	if got != string(want) {
		t.Errorf("the program is shown as\n%s\nand not as testdata/program.txt", got)
	}
	again := checked(t, got)
	if again.Signature.String() != weigh.Signature.String() || len(again.Steps) != len(weigh.Steps) {
		t.Errorf("what is shown is another program:\n%s", got)
	}
	for i, s := range again.Steps {
		if s.Name != weigh.Steps[i].Name || s.Module != weigh.Steps[i].Module {
			t.Errorf("step %d is %s %s", i, s.Module, s.Name)
		}
	}
	if strings.Contains(got, "hush") {
		t.Error("a secret is shown")
	}
}

func checked(t *testing.T, text string) *program.Program {
	t.Helper()
	project, diags := check.Check(parser.Parse(source.NewFile("weigh.dsp", text)), check.Options{Universe: stdlib.Universe()})
	if diags.HasErrors() {
		t.Fatalf("%v\n%s", diags, text)
	}
	p, ok := project.Program("weigh")
	if !ok {
		t.Fatalf("no program:\n%s", text)
	}
	return p
}

// TestProgramTextComment: the comment above a program is shown with it.
func TestProgramTextComment(t *testing.T) {
	weigh := checked(t, "# Apart.\n\n// Weighs a claim\n# by its sources.\nprogram weigh { claim: string -> true_or_not: bool }\n")
	if want := "Weighs a claim\nby its sources."; weigh.Doc != want {
		t.Errorf("the comment is %q, want %q", weigh.Doc, want)
	}
	got := programText(&optimize.Study{Program: weigh})
	if !strings.HasPrefix(got, "# Weighs a claim\n# by its sources.\nprogram weigh {\n") || strings.Contains(got, "Apart") {
		t.Errorf("the program is shown as\n%s", got)
	}
}

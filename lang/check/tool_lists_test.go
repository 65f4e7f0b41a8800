package check_test

import (
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
)

// TestToolNeedsFix: the fix names a folder, on a line of its own, and the program checks.
func TestToolNeedsFix(t *testing.T) {
	const text = "program p {\n  question: string -> answer: string\n  react one { tools = [tool.files] }\n}\n"
	_, diags := checkText(text)
	if len(diags) != 1 || diags[0].Code != "E0502" || len(diags[0].Fixes) != 1 {
		t.Fatalf("%v", diags)
	}
	fixed := apply(text, diags[0].Fixes[0])
	if want := strings.Replace(text, "}\n}\n", "}\n  local_files = \".\"\n}\n", 1); fixed != want {
		t.Errorf("the fix makes\n%s\nwant\n%s", fixed, want)
	}
	if _, after := checkText(fixed); len(after) > 0 {
		t.Errorf("after it: %v", after)
	}
	_, diags = checkText("program p { question: string -> answer: string, react one { tools = [tool.files] } }\n")
	if len(diags) != 1 || len(diags[0].Fixes) != 0 || !strings.Contains(strings.Join(diags[0].Help, ""), `local_files = "."`) {
		t.Errorf("on one line: %v", diags)
	}
}

// TestToolNamesOfFiles: tools of two files with one name are told apart by nobody; both
// places are named.
func TestToolNamesOfFiles(t *testing.T) {
	files := map[string]string{
		"main.dsp": "import \"a.dsp\" as a\nimport \"b.dsp\" as b\nprogram p {\n  question: string -> answer: string\n  react one { tools = [tool.a.search, tool.b.search] }\n}\n",
		"a.dsp":    "tool search {\n  q: string -> a: string\n  outputs { a = q }\n}\n",
		"b.dsp":    "tool search {\n  q: string -> b: string\n  outputs { b = q }\n}\n",
	}
	parsed := map[string]*syntax.File{}
	for name, text := range files {
		parsed[name] = parser.Parse(source.NewFile(name, text))
	}
	_, diags := check.Check(parsed["main.dsp"], check.Options{Universe: stdlib.Universe(), Import: func(_ *source.File, path string) (*syntax.File, error) {
		return parsed[path], nil
	}})
	if len(diags) != 1 || diags[0].Code != "E0528" {
		t.Fatalf("%v", diags)
	}
	d := diags[0]
	if d.Primary.Place.Text() != "tool.b.search" || len(d.Related) != 1 || d.Related[0].Place.Text() != "tool.a.search" {
		t.Errorf("at %q, beside %v", d.Primary.Place.Text(), d.Related)
	}
}

package plan_test

import (
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/plan"
)

var (
	update    = flag.Bool("update", false, "rewrite golden files")
	graphsOut = flag.String("graphs", "", "write the graph of every program, with its labels, to this folder")
)

// arrow is the line of an edge, in either language.
var arrow = regexp.MustCompile(`^ +\w+ -(\.-|-)?> ?[^ ]`)

const graphDir = "testdata/graph"

// sketched returns the plan of every program of a file, in the order of the text.
func sketched(t *testing.T, path string) []*plan.Plan {
	t.Helper()
	src, err := dspi.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	project, diags := dspi.Check(src)
	if err := diags.Err(); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var out []*plan.Plan
	for _, prog := range project.Programs {
		p, _, err := dspi.Sketch(project, dspi.PlanOptions{Program: prog.Name, Getenv: func(string) string { return "" }})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// graphFiles returns the files of a pattern, at least so many.
func graphFiles(t *testing.T, pattern string, least int) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) < least {
		t.Fatalf("%s: %v, %v", pattern, files, err)
	}
	return files
}

// exampleFiles returns the examples, those in folders too.
func exampleFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir("../../examples", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(path, ".dsp") {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) < 4 {
		t.Fatalf("examples: %v, %v", files, err)
	}
	return files
}

// graphName returns the name of a program's golden files: that of the file, with
// its folder among the examples, and that of the program.
func graphName(path string, p *plan.Plan) string {
	path = strings.TrimPrefix(filepath.ToSlash(path), "../../examples/")
	path = strings.ReplaceAll(strings.TrimPrefix(path, graphDir+"/"), "/", "-")
	return strings.TrimSuffix(path, ".dsp") + "." + p.Program
}

// TestGraphs holds the graphs of testdata/graph to their golden files.
func TestGraphs(t *testing.T) {
	golden := map[string]bool{}
	for _, path := range graphFiles(t, graphDir+"/*.dsp", 5) {
		for _, p := range sketched(t, path) {
			for ext, got := range map[string]string{".mmd": plan.Mermaid(p), ".dot": plan.DOT(p)} {
				name := filepath.Join(graphDir, graphName(path, p)+ext)
				golden[name] = true
				if *update {
					if err := os.WriteFile(name, []byte(got), 0o666); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				if string(want) != got {
					t.Errorf("%s is not what is drawn now:\n%s", name, got)
				}
			}
		}
	}
	for _, ext := range []string{"mmd", "dot"} {
		for _, path := range graphFiles(t, graphDir+"/*."+ext, 5) {
			if !golden[path] {
				t.Errorf("%s belongs to no program", path)
			}
		}
	}
}

// TestGraphOfEveryExample: the graph of each example names every operation, is
// the same each time, and has an edge into every operation that reads something.
func TestGraphOfEveryExample(t *testing.T) {
	files := append(exampleFiles(t), graphFiles(t, graphDir+"/*.dsp", 5)...)
	for _, path := range files {
		for _, p := range sketched(t, path) {
			t.Run(graphName(path, p), func(t *testing.T) {
				mermaid, dot, labels := plan.Mermaid(p), plan.DOT(p), plan.GraphLabels(p)
				again := sketched(t, path)
				for _, q := range again {
					if q.Program == p.Program && (plan.Mermaid(q) != mermaid || plan.DOT(q) != dot) {
						t.Error("the graph differs from one time to the next")
					}
				}
				named(t, p, strings.Join(labels, "\n"))
				nodes, boxes, edges := plan.GraphSize(p)
				for language, text := range map[string]string{"DOT": dot, "Mermaid": mermaid} {
					drawn, arrows := 0, 0
					for line := range strings.Lines(text) {
						if strings.HasPrefix(strings.TrimSpace(line), "subgraph ") {
							drawn++
						}
						if arrow.MatchString(line) {
							arrows++
						}
					}
					if drawn != boxes || arrows != edges {
						t.Errorf("%s has %d boxes and %d arrows, the graph %d and %d", language, drawn, arrows, boxes, edges)
					}
				}
				if nodes == 0 || edges == 0 {
					t.Errorf("%d nodes and %d edges", nodes, edges)
				}
				if *graphsOut != "" {
					write(t, graphName(path, p), mermaid, dot, labels)
				}
			})
		}
	}
}

// named wants every operation in the labels, those inside others too.
func named(t *testing.T, p *plan.Plan, labels string) {
	t.Helper()
	for _, op := range p.Ops {
		if !strings.Contains(labels, op.Name) {
			t.Errorf("the graph does not name %s", op.Address)
		}
		if op.Plan != nil {
			named(t, op.Plan, labels)
		}
	}
}

// write leaves a graph where the tools that render it look for it.
func write(t *testing.T, name, mermaid, dot string, labels []string) {
	t.Helper()
	list, err := json.Marshal(labels)
	if err != nil {
		t.Fatal(err)
	}
	for ext, text := range map[string]string{".mmd": mermaid, ".dot": dot, ".json": string(list)} {
		if err := os.WriteFile(filepath.Join(*graphsOut, name+ext), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

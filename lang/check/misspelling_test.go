package check_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
	"github.com/dspi-lang/dspi/stdlib"
)

// The property: a name with a slip of the fingers is brought back by the first
// fix. Slips are made in every name that stands in the examples and, in small
// programs made for them, in every name of the universe: one edit in names of 4
// letters or more, two in names of 8 or more. A slip that makes another name, or
// a word as near to another name, is left out and counted.

// slipText is a program and the places of names in it.
type slipText struct {
	file  string
	text  string
	spans [][2]int // of the names to misspell
}

var identifier = regexp.MustCompile(`[A-Za-z_]\w*`)

// unknownCodes are what is said of names that are not known.
var unknownCodes = []diag.Code{"E0201", "E0202", "E0203", "E0204", "E0206", "E0207", "E0208", "E0210", "E0215", "E0216", "E0217", "E0218", "E0220", "E0305", "E0501", "E0504", "E0507", "E0522", "E0524"}

func TestMisspellings(t *testing.T) {
	texts := append(slipsInExamples(t), slipsInUniverse()...)
	names := map[string]bool{}
	for _, x := range texts {
		for _, w := range identifier.FindAllString(x.text, -1) {
			names[w] = true
		}
	}
	for _, n := range universeNames() {
		names[n] = true
	}
	all := slices.Sorted(maps.Keys(names))
	var n struct{ right, wrong, none, left, unsaid int }
	bad := map[string][]string{}
	for _, x := range texts {
		for _, span := range x.spans {
			word := x.text[span[0]:span[1]]
			for i, slip := range slips(word) {
				edits := 1 + i%2
				if slip == "" {
					continue
				}
				if ambiguous(slip, word, edits, all) {
					n.left++
					continue
				}
				wrong := x.text[:span[0]] + slip + x.text[span[1]:]
				_, diags := checkText(wrong)
				d := unknownAt(diags, span[0], span[0]+len(slip))
				switch {
				case d == nil: // a declaration, or a word of a comment or text
					n.unsaid++
				case len(d.Fixes) == 0:
					n.none++
					bad[x.file] = append(bad[x.file], fmt.Sprintf("%s for %s: no suggestion (%s)", slip, word, d.Code))
				case apply(wrong, d.Fixes[0]) == x.text:
					n.right++
				default:
					n.wrong++
					bad[x.file] = append(bad[x.file], fmt.Sprintf("%s for %s: %s (%s)", slip, word, d.Fixes[0].Title, d.Code))
				}
			}
		}
	}
	cases := n.right + n.wrong + n.none
	t.Logf("%d slips: %d right, %d wrong, %d without a suggestion; %d left out because they are names or tie, %d of declarations", cases, n.right, n.wrong, n.none, n.left, n.unsaid)
	for _, file := range slices.Sorted(maps.Keys(bad)) {
		t.Logf("%s:\n  %s", file, strings.Join(bad[file][:min(len(bad[file]), 12)], "\n  "))
	}
	if cases < 1000 || n.right*100 < cases*95 {
		t.Errorf("%d of %d suggestions are right, want at least 95 %% of at least 1000", n.right, cases)
	}
}

// TestNothingNear: where no name is near, none is suggested.
func TestNothingNear(t *testing.T) {
	names := universeNames()
	asked := 0
	for _, x := range append(slipsInExamples(t), slipsInUniverse()...) {
		for _, span := range x.spans {
			const far = "zyxwvutqj"
			wrong := x.text[:span[0]] + far + x.text[span[1]:]
			_, diags := checkText(wrong)
			d := unknownAt(diags, span[0], span[0]+len(far))
			if d == nil {
				continue
			}
			asked++
			for _, f := range d.Fixes {
				for _, e := range f.Edits {
					if slices.Contains(names, e.Text) {
						t.Errorf("%s: %s for a word that is near to nothing in place of %s (%s)", x.file, f.Title, x.text[span[0]:span[1]], d.Code)
					}
				}
			}
		}
	}
	if asked < 300 {
		t.Errorf("only %d places", asked)
	}
}

// unknownAt returns the message about an unknown name within from and to.
func unknownAt(diags diag.List, from, to int) *diag.Diagnostic {
	for _, d := range diags {
		if slices.Contains(unknownCodes, d.Code) && int(d.Primary.Start) < to && int(d.Primary.End) > from {
			return d
		}
	}
	return nil
}

// slips returns misspellings of a word, in turn of one and of two edits; those of
// two are "" for short words.
func slips(word string) []string {
	if len(word) < 4 {
		return nil
	}
	one := func(w string, k int) string {
		i := 1 + k%(len(w)-2) // people get the first letter right
		switch k % 4 {
		case 0: // two letters change places
			if w[i] == w[i+1] {
				return w[:i] + w[i+1:]
			}
			return w[:i] + string(w[i+1]) + string(w[i]) + w[i+2:]
		case 1: // one is left out
			return w[:i] + w[i+1:]
		case 2: // one is typed twice
			return w[:i] + string(w[i]) + w[i:]
		}
		return w[:i] + string(neighbour(w[i])) + w[i+1:] // the key beside it
	}
	var out []string
	for k := range 4 {
		k += len(word)
		a, b := one(word, k), ""
		if len(word) >= 8 {
			b = one(one(word, k), k+5)
		}
		out = append(out, a, b)
	}
	return out
}

func neighbour(b byte) byte {
	for _, row := range []string{"qwertyuiopq", "asdfghjkla", "zxcvbnmz"} {
		if i := strings.IndexByte(row, b); i >= 0 {
			return row[i+1]
		}
	}
	return 'x'
}

// ambiguous reports whether a slip is a name itself, as near to another name as
// to the right one, or not as many edits away as it should be.
func ambiguous(slip, word string, edits int, names []string) bool {
	d := distance(slip, word)
	if d != edits {
		return true
	}
	for _, n := range names {
		if n != word && distance(slip, n) <= d {
			return true
		}
	}
	return false
}

// distance counts the letters to add, drop, change or swap between a and b.
func distance(a, b string) int {
	if len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return 3
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j-1]+change, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// slipsInExamples returns the examples with every name in them.
func slipsInExamples(t *testing.T) []slipText {
	t.Helper()
	var out []slipText
	for _, pattern := range []string{"../../examples/*.dsp", "../../examples/tour/*.dsp"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) < 3 {
			t.Fatalf("%s: %d examples, %v", pattern, len(paths), err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, slipText{file: filepath.Base(path), text: string(text)})
		}
	}
	slices.SortFunc(out, func(a, b slipText) int { return strings.Compare(a.file, b.file) })
	for i := range out {
		for _, m := range identifier.FindAllStringIndex(out[i].text, -1) {
			line := out[i].text[strings.LastIndexByte(out[i].text[:m[0]], '\n')+1 : m[0]]
			if m[1]-m[0] >= 4 && !strings.ContainsAny(line, "#\"") {
				out[i].spans = append(out[i].spans, [2]int{m[0], m[1]})
			}
		}
	}
	return out
}

// slipsInUniverse returns a small program for each name of the universe.
func slipsInUniverse() []slipText {
	u := stdlib.Universe()
	var out []slipText
	add := func(kind, before, name, after string) {
		out = append(out, slipText{kind, before + name + after, [][2]int{{len(before), len(before) + len(name)}}})
	}
	const head = "program p {\n  question: string -> answer: string\n"
	for _, b := range u.Blocks {
		add("blocks", "", b.Name, " x { }\n")
		for _, s := range b.Settings {
			add("settings of "+b.Name, b.Name+" x {\n  ", s.Name, " = 1\n}\n")
		}
		for _, inner := range b.Blocks {
			if !inner.Names && !inner.Steps {
				for _, s := range inner.Settings {
					add("settings of "+b.Name+"."+inner.Name, b.Name+" x {\n  "+inner.Name+" {\n    ", s.Name, " = 1\n  }\n}\n")
				}
			}
		}
	}
	for _, m := range u.Modules {
		add("modules", head+"  ", m.Name, " x { }\n}\n")
		for _, s := range m.Settings {
			add("settings of "+m.Name, head+"  "+m.Name+" x {\n    ", s.Name, " = 1\n  }\n}\n")
		}
	}
	for _, s := range u.Step.Settings {
		add("settings of a step", head+"  predict x {\n    ", s.Name, " = 1\n  }\n}\n")
	}
	for _, s := range universe.RepeatBlock.Settings {
		add("settings of repeat", head+"  repeat x {\n    ", s.Name, " = 1\n  }\n}\n")
	}
	for _, b := range u.Step.Blocks {
		add("blocks of a step", head+"  predict x {\n    ", b.Name, " y { }\n  }\n}\n")
	}
	for _, r := range types.Table() {
		add("types", "program p {\n  question: ", r.Name, " -> answer: string\n}\n")
		for _, c := range r.Allows {
			add("constraints of "+r.Name, "program p {\n  question: "+r.Name+"(", c, " = 1) -> answer: string\n}\n")
		}
	}
	for _, f := range expr.Functions() {
		if !f.Host {
			before, after, _ := strings.Cut(f.Example, f.Name)
			add("functions", head+"  let x = "+before, f.Name, after+"\n}\n")
		}
	}
	for _, o := range u.Optimizers {
		add("optimizers", "optimize x {\n  ", o.Name, " { }\n}\n")
		for _, s := range o.Settings {
			add("settings of "+o.Name, "optimize x {\n  "+o.Name+" {\n    ", s.Name, " = 1\n  }\n}\n")
		}
	}
	for _, m := range u.Metrics {
		add("metrics", "evaluate x {\n  metrics = [metric.", m.Name, "]\n}\n")
	}
	for _, p := range u.Providers {
		add("providers", "model m {\n  provider = \"", p.Name, "\"\n  name = \"m\"\n}\n")
	}
	return out
}

// universeNames returns every name of the universe.
func universeNames() []string {
	u := stdlib.Universe()
	names := append(append(append(u.BlockNames(), u.ModuleNames()...), u.ProviderNames()...), "list", "map", "tuple", "repeat", "outputs", "inputs", "state", "next")
	var block func(b universe.Block)
	block = func(b universe.Block) {
		names = append(names, b.Name)
		for _, s := range b.Settings {
			names = append(names, s.Name)
		}
		for _, x := range b.Blocks {
			block(x)
		}
	}
	for _, b := range u.Blocks {
		block(b)
	}
	block(u.Step)
	block(universe.RepeatBlock)
	for _, m := range u.Modules {
		for _, s := range m.Settings {
			names = append(names, s.Name)
		}
	}
	for _, o := range u.Optimizers {
		block(*o.Block())
	}
	for _, m := range u.Metrics {
		names = append(names, m.Name)
	}
	for _, r := range types.Table() {
		names = append(append(names, r.Name), r.Allows...)
	}
	for _, f := range expr.Functions() {
		names = append(names, f.Name)
	}
	return names
}

package align_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// exampleTypes are the types of the examples of kinds.go.
var exampleTypes = map[string]types.Type{
	"Queue": &types.Enum{Name: "Queue", Members: []types.Member{
		{Name: "lost_card", Shown: "lost card", Description: "a card is lost or stolen"}, {Name: "refund", Shown: "refund"}}},
	"Person": &types.Record{Name: "Person", Fields: []types.Field{
		{Name: "name", Type: types.String}, {Name: "age", Type: types.Int}}},
	"{ city: string }":       &types.Record{Fields: []types.Field{{Name: "city", Type: types.String}}},
	`"angry" | "happy"`:      literals("angry", "happy"),
	`"café" | "bar"`:         literals("café", "bar"),
	`"lost card" | "refund"`: literals("lost card", "refund"),
	"int | string":           types.NewUnion(types.Int, types.String),
	"probability":            primitive("probability", types.Constraints{}),
	"duration":               primitive("duration", types.Constraints{}),
	"list[list[int]]":        &types.List{Elem: &types.List{Elem: types.Int}},
	"list[json]":             &types.List{Elem: types.JSON},
	"list[map[string, int]]": &types.List{Elem: &types.Map{Elem: types.Int}},
	"map[string, int]":       &types.Map{Elem: types.Int},
	"map[string, int?]":      &types.Map{Elem: types.NewOptional(types.Int)},
	"map[string, string]":    &types.Map{Elem: types.String},
	"map[string, list[int]]": &types.Map{Elem: &types.List{Elem: types.Int}},
}

// exampleOf reads the example of a kind.
func exampleOf(t *testing.T, k align.Kind) (any, []value.Repair, int, []value.Fault) {
	t.Helper()
	mode := k.Mode
	if mode == "" {
		mode = align.Repairing
	}
	if form, fields, whole := strings.Cut(k.Type, ": "); whole && (form == "reply" || form == "xml") {
		sig := &program.Signature{}
		for f := range strings.SplitSeq(fields, ", ") {
			name, typ, _ := strings.Cut(f, ": ")
			sig.Outputs = append(sig.Outputs, types.Field{Name: name, Type: named[typ]})
		}
		if form == "reply" {
			form = "chat"
		}
		reading, misfit := align.Read(sig, form, k.Reply, mode)
		if misfit != nil {
			return nil, nil, 0, misfit.Faults
		}
		return reading.Outputs, reading.Repairs, reading.Score, nil
	}
	typ, ok := exampleTypes[k.Type]
	if !ok {
		if typ, ok = named[k.Type]; !ok {
			t.Fatalf("%s: no type %s", k.Name, k.Type)
		}
	}
	return align.Value(typ, k.Reply, mode)
}

// Each kind's example is repaired in exactly this way, in its own mode and in none
// that is stricter.
func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range align.Kinds() {
		if seen[k.Name] || k.Name == "" || k.Doc == "" {
			t.Errorf("%q stands twice or says nothing", k.Name)
		}
		seen[k.Name] = true
		if k.Type == "" {
			continue
		}
		v, repairs, score, faults := exampleOf(t, k)
		if faults != nil {
			t.Errorf("%s: %s", k.Name, value.Faults(faults))
			continue
		}
		if got := string(value.EncodeJSON(v)); got != k.Value {
			t.Errorf("%s: got %s, want %s", k.Name, got, k.Value)
		}
		is, cost := false, 0
		for _, r := range repairs {
			is = is || r.Type == k.Name
			for _, other := range align.Kinds() {
				if other.Name == r.Type {
					cost += other.Cost
				}
			}
		}
		if !is || cost != score {
			t.Errorf("%s: the repairs are %v, score %d", k.Name, repairs, score)
		}
		stricter := k
		stricter.Mode = align.Strict
		if k.Mode == align.Lenient {
			stricter.Mode = align.Repairing
		}
		if _, _, _, faults := exampleOf(t, stricter); faults == nil {
			t.Errorf("%s: is read in the mode %s, too", k.Name, stricter.Mode)
		}
	}
}

// The page holds the table: `-update` writes it anew.
func TestPageHoldsTheKinds(t *testing.T) {
	const path, begin, end = "../../docs/alignment.md", "<!-- kinds: written by the test -->\n", "<!-- end of kinds -->\n"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the kinds", path)
	}
	var b strings.Builder
	b.WriteString("| repair | what is done | type | reply | value | cost |\n|---|---|---|---|---|---|\n")
	code := func(s string) string {
		s = strings.NewReplacer("\n", "⏎", "\xff", "\\xff", "|", "\\|").Replace(s)
		if s == "" {
			return ""
		}
		if strings.Contains(s, "`") {
			return "`` " + s + " ``"
		}
		return "`" + s + "`"
	}
	for _, k := range align.Kinds() {
		mode := ""
		if k.Mode == align.Lenient {
			mode = " (lenient)"
		}
		fmt.Fprintf(&b, "| `%s`%s | %s | %s | %s | %s | %d |\n", k.Name, mode, k.Doc, code(k.Type), code(k.Reply), code(k.Value), k.Cost)
	}
	golden(t, path, before+begin+b.String()+end+after)
}

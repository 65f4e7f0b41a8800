package align_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// reaches reports whether a path leads to a place in v.
func reaches(v any, path []any) bool {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			o, ok := v.(*value.Object)
			if !ok {
				return false
			}
			if v, ok = o.Get(step); !ok {
				return false
			}
		case int:
			list, ok := v.([]any)
			if !ok || step < 0 || step >= len(list) {
				return false
			}
			v = list[step]
		default:
			return false
		}
	}
	return true
}

// typesForFuzzing are types of all kinds, those of the table from DSPy among them.
func typesForFuzzing() []types.Type {
	out := []types.Type{treeType, boxType, &types.Tuple{Elems: []types.Type{types.Int, types.String}},
		types.NewOptional(&types.Map{Elem: types.NewUnion(types.Int, person)}), primitive("date", types.Constraints{}),
		primitive("code", types.Constraints{}), primitive("reasoning_chain", types.Constraints{}), primitive("message", types.Constraints{}),
		primitive("probability", types.Constraints{}), &types.List{Elem: types.Int, Constraints: types.Constraints{MinItems: ptr(2), Unique: true}}}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		out = append(out, named[name])
	}
	return out
}

// held checks what a reading promises: one of value and faults, a value that fits
// its type strictly, repairs with places and a cost.
func held(t *testing.T, typ types.Type, v any, repairs []value.Repair, score int, faults []value.Fault, ok bool) {
	t.Helper()
	if ok == (len(faults) > 0) {
		t.Fatalf("%s: neither or both of a value and faults", typ)
	}
	if !ok {
		return
	}
	if _, wrong := value.Check(typ, v, value.Strict); wrong != nil {
		t.Fatalf("%s: %s does not fit: %s", typ, value.EncodeJSON(v), value.Faults(wrong))
	}
	if (score == 0) != (len(repairs) == 0) {
		t.Fatalf("%s: score %d with %v", typ, score, repairs)
	}
	for _, r := range repairs {
		if r.Type == "" || r.Msg == "" || !reaches(v, r.Loc) {
			t.Fatalf("%s: the repair %+v leads nowhere in %s", typ, r, value.EncodeJSON(v))
		}
	}
}

func FuzzValue(f *testing.F) {
	for _, piece := range hostile {
		f.Add(piece + piece)
	}
	for _, k := range align.Kinds() {
		f.Add(k.Reply)
	}
	all := typesForFuzzing()
	f.Fuzz(func(t *testing.T, text string) {
		for _, typ := range all {
			strictly, repairs, score, faults := align.Value(typ, text, align.Strict)
			fits := faults == nil
			held(t, typ, strictly, repairs, score, faults, fits)
			if fits && score > 0 {
				t.Fatalf("%s: repairs in the strict mode: %v", typ, repairs)
			}
			for _, mode := range []align.Mode{align.Repairing, align.Lenient} {
				v, repairs, score, faults := align.Value(typ, text, mode)
				held(t, typ, v, repairs, score, faults, faults == nil)
				if !fits && faults == nil && score == 0 {
					t.Fatalf("%s: %s takes without a repair what is not as asked: %s", typ, mode, value.EncodeJSON(v))
				}
				if fits && (score > 0 || !value.Equal(v, strictly)) {
					t.Fatalf("%s: %s takes as %s what is strictly %s: %v", typ, mode, value.EncodeJSON(v), value.EncodeJSON(strictly), repairs)
				}
			}
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add("[[ ## mood ## ]]\nhappy\n[[ ## sure ## ]]\n.5\n[[ ## contact ## ]]\n{'name': 'x'")
	f.Add("\xff[[ ## x ## ]]\r\r\n")
	f.Add(`{"mood": "happy", "queue": "lost card", "urgency": 5, "sure": 0.5}`)
	f.Add("<mood>happy</mood><queue>lost card</queue><urgency>5</urgency><sure>0.5</sure><contact><name>x</name><age>3</age></contact>")
	f.Add("mood: happy\nqueue: lost card\nurgency: 5\nsure: 0.5")
	outputs := &types.Record{Fields: triage.Outputs}
	single := &program.Signature{Outputs: []types.Field{{Name: "x", Type: treeType}}}
	f.Fuzz(func(t *testing.T, reply string) {
		for _, sig := range []*program.Signature{triage, single} {
			outputs := outputs
			if sig == single {
				outputs = &types.Record{Fields: single.Outputs}
			}
			for _, form := range []string{"chat", "json", "xml"} {
				var strictly *align.Reading
				for _, mode := range []align.Mode{align.Strict, align.Repairing, align.Lenient} {
					reading, misfit := align.Read(sig, form, reply, mode)
					if (reading == nil) == (misfit == nil) {
						t.Fatal("neither or both")
					}
					if misfit != nil {
						held(t, outputs, nil, nil, 0, misfit.Faults, false)
						for _, s := range misfit.Sections {
							_ = misfit.Reply[s.Start:s.End]
						}
					} else {
						held(t, outputs, reading.Outputs, reading.Repairs, reading.Score, nil, true)
					}
					if mode == align.Strict {
						strictly = reading
					}
					if strictly == nil && reading != nil && reading.Score == 0 {
						t.Fatalf("%s, %s takes without a repair what is not as asked: %s", form, mode, value.EncodeJSON(reading.Outputs))
					}
					if strictly != nil && (reading == nil || reading.Score > 0 || !value.Equal(strictly.Outputs, reading.Outputs)) {
						t.Fatalf("%s reads otherwise what is strictly %s", mode, value.EncodeJSON(strictly.Outputs))
					}
				}
			}
		}
	})
}

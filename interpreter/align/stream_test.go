package align_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

var report = &program.Signature{
	Inputs: []types.Field{{Name: "q", Type: types.String}},
	Outputs: []types.Field{
		{Name: "summary", Type: types.String},
		{Name: "tags", Type: &types.List{Elem: types.String}},
		{Name: "people", Type: &types.List{Elem: person}},
		{Name: "queue", Type: queue},
		{Name: "score", Type: types.Float},
		{Name: "note", Type: types.NewOptional(types.String)},
		{Name: "extra", Type: types.NewOptional(types.JSON)},
		{Name: "best", Type: types.NewOptional(types.NewUnion(types.Int, person))},
	},
}

// streams are replies as models write them, and the outputs that must have been
// shown whole at the end. The others are left to Read.
var streams = []struct {
	form, reply, whole string
}{
	{"chat", "[[ ## summary ## ]]\nA short one.\n\n[[ ## tags ## ]]\n[\"a\", \"b\\\"c\"]\n\n[[ ## people ## ]]\n[{\"name\": \"Eva\", \"age\": 31, \"email\": null}, {\"name\": \"Zoë\", \"age\": 4}]\n\n[[ ## queue ## ]]\nlost card\n\n[[ ## score ## ]]\n0.25\n\n[[ ## note ## ]]\nnull and void\n\n[[ ## extra ## ]]\n{\"a\": [1, 2.5, {\"b\": null}]}\n\n[[ ## best ## ]]\n7\n\n[[ ## completed ## ]]\n",
		"summary tags people queue score note extra best"},
	{"chat", "[[ ## summary ## ]]\nTwo lines:\n\n  [[ not a header ]]\nand [x] [[y]]\n[[ ## tags ## ]]\n[]\n[[ ## people ## ]]\n[]\n[[ ## queue ## ]]\nrefunds\n[[ ## score ## ]]\n1\n[[ ## completed ## ]]", "summary tags people queue score"},
	{"chat", "I will answer.\n\n[[ ## summary ## ]] on the same line\r\nand\rmore\r\n[[ ## score ## ]] 3.5\r\n", "summary"},
	{"chat", "[[ ## summary ## ]]\nmentions [[ ## score ## ]] in the middle\n\n[[ ## tags ## ]]\n[\"x\"]\n[[ ## completed ## ]]", "tags"},
	{"chat", "[[ ## tags ## ]]\n```json\n[\"x\"]\n```\n[[ ## summary ## ]]\n日本語のテキスト 😀 ok\n[[ ## completed ## ]]", "summary"},
	{"chat", "[[ ## summary ## ]]\nfirst\n[[ ## summary ## ]]\nsecond\n[[ ## completed ## ]]", "summary"},
	{"chat", "[[ ## note ## ]]\nNone\n[[ ## summary ## ]]\nNone of it\n[[ ## completed ## ]]", "summary"},
	{"chat", "[[ ## tags ## ]]\n['single', 'quotes']\n[[ ## summary ## ]]\nx\n[[ ## completed ## ]]", "summary"},
	{"chat", "{\"summary\": \"no headers\", \"tags\": []}", ""},
	{"chat", "", ""},
	{"json", `{"summary": "A \"short\" one.\nTwo lines é 😀 😀", "tags": ["a", "b"], "people": [{"name": "Eva", "age": 31}], "queue": "lost card", "score": 0.5, "note": null, "extra": {"deep": [[1], {"x": "y"}]}, "best": {"name": "Zoë", "age": 4, "email": null}}`,
		"summary tags people queue score note extra best"},
	{"json", "Here it is:\n```json\n{\n  \"summary\": \"in a fence\",\n  \"unknown\": {\"a\": [\"}\"]},\n  \"tags\": [],\n  \"people\": [ ],\n  \"queue\": \"refunds\",\n  \"score\": -1.5e3\n}\n```\nDone.", "summary tags people queue score"},
	{"json", `{"score": 12, "summary": "", "note": "nullable", "tags": ["only one"], "people": [], "queue": "lost_card"}`, "summary tags people queue score note"},
	{"json", `{"summary": "said "hi" to all", "tags": ["a"], "people": [], "queue": "refunds", "score": 1}`, ""},
	{"json", `{'summary': 'python', 'tags': ['a']}`, ""},
	{"json", `{"summary": "cut in the mid`, ""},
	{"json", `{"summary": 5, "tags": "one"}`, ""},
	{"xml", "<summary>\nA short <b>one</b> & more\n</summary>\n<score>\n0.5\n</score>\n<queue>lost card</queue>", "summary score queue"},
	{"xml", "Sure.\n<note>x</note><summary>1 < 2 and </summar y> too</summary>", "note summary"},
	{"xml", "<tags><item>a</item><item>b</item></tags>\n<summary>end</summary>", "summary"},
}

// replay gives a reply to a stream in pieces and holds each value that it shows
// against the final ones. It returns the last value of each output, and those
// that were whole.
func replay(t testing.TB, form, reply string, pieces []string) (shown map[string]any, done map[string]bool, growths int) {
	t.Helper()
	shown, done = map[string]any{}, map[string]bool{}
	stream := align.NewStream(report, form)
	for _, piece := range pieces {
		for _, g := range stream.Add(piece) {
			growths++
			if done[g.Field] {
				t.Fatalf("%q: %s was whole and is shown again", reply, g.Field)
			}
			if before, ok := shown[g.Field]; ok && !begins(before, g.Value) {
				t.Fatalf("%q: %s: %s is taken back for %s", reply, g.Field, value.EncodeJSON(before), value.EncodeJSON(g.Value))
			}
			shown[g.Field] = g.Value
			done[g.Field] = g.Done
		}
	}
	return shown, done, growths
}

// begins reports whether a value may become another by going on.
func begins(part, all any) bool {
	switch part := part.(type) {
	case string:
		all, ok := all.(string)
		return ok && strings.HasPrefix(all, part)
	case []any:
		all, ok := all.([]any)
		if !ok || len(part) > len(all) {
			return false
		}
		for i, x := range part {
			if !begins(x, all[i]) || i < len(part)-1 && !value.Equal(x, all[i]) {
				return false
			}
		}
		return true
	case *value.Object:
		all, ok := all.(*value.Object)
		if !ok {
			return false
		}
		for n, x := range part.All() {
			y, ok := all.Get(n)
			if !ok || !begins(x, y) {
				return false
			}
		}
		return true
	}
	return value.Equal(part, all)
}

// final returns the outputs that Read makes of a reply, as far as it can.
func final(form, reply string) *value.Object {
	reading, misfit := align.Read(report, form, reply, align.Repairing)
	if misfit != nil {
		return misfit.Fits
	}
	return reading.Outputs
}

// TestStreamAtEveryByte cuts each reply at every byte: whatever was shown up to
// there must be a beginning of what the whole reply means.
func TestStreamAtEveryByte(t *testing.T) {
	if len(streams) < 20 {
		t.Fatalf("%d replies", len(streams))
	}
	for _, s := range streams {
		want := final(s.form, s.reply)
		var pieces []string
		for i := range len(s.reply) {
			pieces = append(pieces, s.reply[i:i+1])
		}
		first := ""
		stream := align.NewStream(report, s.form)
		for i, piece := range pieces {
			for _, g := range stream.Add(piece) {
				if first == "" {
					first = fmt.Sprintf("%s at byte %d of %d", g.Field, i+1, len(pieces))
				}
				v, ok := want.Get(g.Field)
				if !ok || !begins(g.Value, v) || g.Done && !value.Equal(g.Value, v) {
					t.Fatalf("%q cut after %d bytes: %s shows %s (done %v), and the whole reply means %s",
						s.reply, i+1, g.Field, value.EncodeJSON(g.Value), g.Done, value.EncodeJSON(v))
				}
			}
		}
		_, done, _ := replay(t, s.form, s.reply, pieces)
		for _, name := range strings.Fields(s.whole) {
			if !done[name] {
				t.Errorf("%q: %s was not shown whole", s.reply, name)
			}
		}
		if s.whole != "" && strings.HasPrefix(first, strings.Fields(s.whole)[0]+" at byte "+fmt.Sprint(len(pieces))) {
			t.Errorf("%q: nothing was shown before the end: %s", s.reply, first)
		}
	}
}

// TestStreamPieces cuts replies anywhere: the sizes of the pieces change nothing of
// what was shown at the end.
func TestStreamPieces(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := rapid.SampledFrom(streams).Draw(r, "reply")
		var pieces []string
		for rest := s.reply; rest != ""; {
			n := rapid.IntRange(1, min(40, len(rest))).Draw(r, "n")
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		shown, done, _ := replay(t, s.form, s.reply, pieces)
		var bytes []string
		for i := range len(s.reply) {
			bytes = append(bytes, s.reply[i:i+1])
		}
		one, oneDone, _ := replay(t, s.form, s.reply, bytes)
		for name := range one {
			if oneDone[name] != done[name] || !value.Equal(one[name], shown[name]) {
				r.Fatalf("%q in pieces %q: %s is %s, byte by byte %s", s.reply, pieces, name, value.EncodeJSON(shown[name]), value.EncodeJSON(one[name]))
			}
		}
	})
}

func TestStreamRestart(t *testing.T) {
	stream := align.NewStream(report, "json")
	stream.Add(`{"summary": "half a`)
	stream.Restart()
	g := stream.Add(`{"summary": "a whole"`)
	if len(g) != 1 || g[0].Value != "a whole" {
		t.Errorf("after a restart: %v", g)
	}
}

// TestStreamIsLinear counts how often values are shown and how much text is held:
// a long text in many pieces is shown once for each.
func TestStreamIsLinear(t *testing.T) {
	text := strings.Repeat("word ", 4000)
	var pieces []string
	reply := `{"summary": "` + text + `", "tags": []}`
	for i := 0; i < len(reply); i += 66 {
		pieces = append(pieces, reply[i:min(i+66, len(reply))])
	}
	shown, _, growths := replay(t, "json", reply, pieces)
	if shown["summary"] != text || growths > len(pieces)+2 {
		t.Errorf("%d growths for %d pieces", growths, len(pieces))
	}
}

func FuzzStream(f *testing.F) {
	for _, s := range streams {
		f.Add(s.form, s.reply, uint8(3))
	}
	f.Fuzz(func(t *testing.T, form, reply string, size uint8) {
		n := int(size)%64 + 1
		var pieces []string
		for i := 0; i < len(reply); i += n {
			pieces = append(pieces, reply[i:min(i+n, len(reply))])
		}
		replay(t, form, reply, pieces)
	})
}

func BenchmarkStream20KBIn300(b *testing.B) {
	reply := `{"summary": "` + strings.Repeat("some words of a reply, ", 850) + `", "tags": ["a"]}`
	size := len(reply)/300 + 1
	b.SetBytes(int64(len(reply)))
	for b.Loop() {
		stream := align.NewStream(report, "json")
		for i := 0; i < len(reply); i += size {
			stream.Add(reply[i:min(i+size, len(reply))])
		}
	}
}

package align_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// BenchmarkPeers reads the same bytes with package align, with encoding/json where
// the text is JSON, and, where DSPI_BAML names a folder with BAML in it, with BAML:
// `make bench-align` installs that. All of them turn one text in memory into values
// of one type, and what is read is compared before it is timed. How many times as
// fast align is stands in the columns
//
//	×baml         BAML, into the type
//	×json-struct  encoding/json, into a struct of the type
//	×json-any     encoding/json, into an any; in the cases -any align reads the
//	              type json, which is the same
//
// Compared is the least time of many readings, on all sides: what else the machine
// was doing does not count.

var (
	orderType = &types.Record{Name: "Order", Fields: []types.Field{
		{Name: "customer", Type: types.String},
		{Name: "items", Type: &types.List{Elem: types.String}},
		{Name: "total", Type: types.Float},
		{Name: "paid", Type: types.Bool},
	}}
	bookType = &types.Record{Name: "Book", Fields: []types.Field{
		{Name: "title", Type: types.String},
		{Name: "pages", Type: types.Int},
		{Name: "tags", Type: &types.List{Elem: types.String}},
		{Name: "price", Type: types.Float},
		{Name: "author", Type: &types.Record{Name: "Author", Fields: []types.Field{
			{Name: "name", Type: types.String},
			{Name: "born", Type: types.NewOptional(types.Int)},
		}}},
	}}
	shelf = &program.Signature{
		Inputs:  []types.Field{{Name: "text", Type: types.String}},
		Outputs: []types.Field{{Name: "books", Type: &types.List{Elem: bookType}}},
	}
)

// orderJSON and bookJSON are the types for encoding/json.
type orderJSON struct {
	Customer string   `json:"customer"`
	Items    []string `json:"items"`
	Total    float64  `json:"total"`
	Paid     bool     `json:"paid"`
}

type bookJSON struct {
	Title  string   `json:"title"`
	Pages  int      `json:"pages"`
	Tags   []string `json:"tags"`
	Price  float64  `json:"price"`
	Author struct {
		Name string `json:"name"`
		Born *int   `json:"born"`
	} `json:"author"`
}

// order is what the two small replies mean; the second is the reply of a model that
// knows better than to write JSON.
const order = `{"customer": "Gudrun Ødegaard, Storgata 12, Hamar", "items": ["two woollen blankets", "a kettle of copper", "twelve candles", "a sack of coarse rye flour"], "total": 1249.5, "paid": false}`

const messyOrder = "Of course! Here is the order, as you asked:\n\n```json\n{\n  // read from the letter\n  customer: 'Gudrun Ødegaard, Storgata 12, Hamar',\n" +
	"  items: ['two woollen blankets', 'a kettle of copper',\n    'twelve candles', 'a sack of coarse rye flour',],\n  total: 1249.5,\n  paid: False,\n}\n```\n\nTell me if you want it as a table, also."

// books returns a valid list of at least n bytes.
func books(n int) (string, []any) {
	var list []any
	for size := 2; size < n; {
		i := len(list)
		var born any
		if i%3 > 0 {
			born = 1900 + i%90
		}
		book := value.NewObject(
			"title", fmt.Sprintf("Volume %d: on rivers, and what they \"carry\"", i),
			"pages", 90+i%700,
			"tags", []any{"rivers", "maps", fmt.Sprintf("shelf %d", i%40)},
			"price", float64(i%90)+0.25,
			"author", value.NewObject("name", fmt.Sprintf("Åse Writer the %dth", i%17), "born", born),
		)
		list = append(list, book)
		size += len(value.EncodeJSON(book)) + 2
	}
	return string(value.EncodeJSON(list)), list
}

// peerCase is one reply.
type peerCase struct {
	Name     string `json:"name"`
	Function string `json:"function"` // in types.baml
	File     string `json:"file"`
	Ends     []int  `json:"ends,omitempty"` // where the pieces of a stream end

	text string
	typ  types.Type
	want any

	// Where the text is JSON, how encoding/json reads it.
	intoStruct, intoAny func(text []byte) (any, error)
}

// into reads JSON into a T.
func into[T any](text []byte) (any, error) {
	var v T
	err := json.Unmarshal(text, &v)
	return v, err
}

func peerCases(b *testing.B) []peerCase {
	b.Helper()
	small, err := value.DecodeJSON([]byte(order))
	if err != nil {
		b.Fatal(err)
	}
	wanted, faults := value.Check(orderType, small, value.Lax)
	if faults != nil {
		b.Fatal(value.Faults(faults))
	}
	large, list := books(1 << 20)
	grown, few := books(20 << 10)
	grown = `{"books": ` + grown + `}`
	var ends []int
	for i := range 300 {
		ends = append(ends, len(grown)*(i+1)/300)
	}
	return []peerCase{
		{Name: "valid", Function: "OneOrder", text: order, typ: orderType, want: wanted, intoStruct: into[orderJSON], intoAny: into[any]},
		{Name: "messy", Function: "OneOrder", text: messyOrder, typ: orderType, want: wanted},
		{Name: "large", Function: "Books", text: large, typ: &types.List{Elem: bookType}, want: list, intoStruct: into[[]bookJSON], intoAny: into[any]},
		{Name: "stream", Function: "OneShelf", text: grown, Ends: ends,
			typ: &types.Record{Name: "Shelf", Fields: shelf.Outputs}, want: value.NewObject("books", few)},
	}
}

// baml runs BAML over the cases: the nanoseconds of each.
func baml(b *testing.B, cases []peerCase) map[string]float64 {
	b.Helper()
	home := os.Getenv("DSPI_BAML")
	if home == "" {
		return nil
	}
	folder := b.TempDir()
	for i := range cases {
		c := &cases[i]
		c.File = c.Name + ".txt"
		if err := os.WriteFile(filepath.Join(folder, c.File), []byte(c.text), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	list, err := json.Marshal(cases)
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "cases.json"), list, 0o666); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("node", "testdata/peers/bench.js", folder)
	cmd.Env = append(os.Environ(), "BAML_LOG=off")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("BAML: %v", err)
	}
	times := map[string]float64{}
	s := bufio.NewScanner(bytes.NewReader(out))
	for s.Buffer(nil, 64<<20); s.Scan(); {
		var line struct {
			Name  string
			NS    float64
			Value json.RawMessage
		}
		if err := json.Unmarshal(s.Bytes(), &line); err != nil {
			b.Fatal(err)
		}
		times[line.Name] = line.NS
		for _, c := range cases {
			if c.Name == line.Name {
				got, err := value.DecodeJSON(line.Value)
				if err != nil {
					b.Fatal(err)
				}
				typed, faults := value.Check(c.typ, got, value.Strict)
				if faults != nil || !value.Equal(typed, c.want) {
					b.Fatalf("%s: BAML read something else: %.300s %s", c.Name, line.Value, value.Faults(faults))
				}
			}
		}
	}
	if len(times) != len(cases) {
		b.Fatalf("BAML read %d of %d cases", len(times), len(cases))
	}
	return times
}

// stdlib returns what reads the case with encoding/json, after a look at what it reads.
func (c *peerCase) stdlib(b *testing.B, read func([]byte) (any, error)) func() error {
	b.Helper()
	text := []byte(c.text)
	got, err := read(text)
	if err != nil {
		b.Fatal(err)
	}
	again, err := json.Marshal(got)
	if err != nil {
		b.Fatal(err)
	}
	if v, err := value.DecodeJSON(again); err != nil || !value.Equal(v, c.want) {
		b.Fatalf("encoding/json read something else: %.300s", again)
	}
	return func() error { _, err := read(text); return err }
}

// least returns the nanoseconds of the fastest call of each function. They take
// turns of 20 ms, so that what the machine does beside meets all alike.
func least(b *testing.B, of ...func() error) []float64 {
	b.Helper()
	best := make([]float64, len(of))
	for round := range 50 {
		for i, f := range of {
			for start, first := time.Now(), true; first || time.Since(start) < 20*time.Millisecond; first = false {
				from := time.Now()
				if err := f(); err != nil {
					b.Fatal(err)
				}
				took := float64(time.Since(from))
				if round == 0 && first || took < best[i] {
					best[i] = took
				}
			}
		}
	}
	return best
}

// read reads a case as a program would.
func (c *peerCase) read() (any, error) {
	if c.Ends == nil {
		v, _, _, faults := align.Value(c.typ, c.text, align.Repairing)
		if faults != nil {
			return nil, fmt.Errorf("%s", value.Faults(faults))
		}
		return v, nil
	}
	s := align.NewStream(shelf, "json")
	out := &value.Object{}
	from := 0
	for _, end := range c.Ends {
		for _, g := range s.Add(c.text[from:end]) {
			out.Set(g.Field, g.Value)
		}
		from = end
	}
	return out, nil
}

func BenchmarkPeers(b *testing.B) {
	cases := peerCases(b)
	peer := baml(b, cases)
	for i := range cases {
		c := &cases[i]
		name := fmt.Sprintf("%s-%dB", c.Name, len(c.text))
		b.Run(name, func(b *testing.B) {
			ours := c.bench(b)
			if c.intoStruct != nil {
				t := least(b, ours, c.stdlib(b, c.intoStruct))
				b.ReportMetric(t[1]/t[0], "×json-struct")
			}
			if peer != nil {
				t := least(b, ours)[0]
				b.ReportMetric(t, "least-ns")
				b.ReportMetric(peer[c.Name]/t, "×baml")
			}
		})
		if c.intoAny != nil {
			b.Run(name+"-any", func(b *testing.B) {
				asAny := *c
				asAny.typ = types.JSON
				t := least(b, asAny.bench(b), c.stdlib(b, c.intoAny))
				b.ReportMetric(t[1]/t[0], "×json-any")
			})
		}
	}
}

// bench times a case, after a look at what is read, and returns what reads it.
func (c *peerCase) bench(b *testing.B) func() error {
	b.Helper()
	got, err := c.read()
	if err != nil {
		b.Fatal(err)
	}
	if !value.Equal(got, c.want) {
		b.Fatalf("align read something else: %.300s", value.EncodeJSON(got))
	}
	b.SetBytes(int64(len(c.text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.read(); err != nil {
			b.Fatal(err)
		}
	}
	return func() error { _, err := c.read(); return err }
}

// The replies of the benchmark are of the sizes that it speaks of.
func TestPeerCases(t *testing.T) {
	if a, b := len(order), len(messyOrder); a != 189 || b != 322 {
		t.Errorf("the small replies have %d and %d bytes", a, b)
	}
	if text, list := books(1000); len(list) < 5 || !strings.HasPrefix(text, "[{") {
		t.Errorf("%.60s", text)
	}
}

package align_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// The corpus holds replies of the shapes that people reported in public as read
// wrongly or not at all, with data of our own and what was wanted. One file is one
// kind of trouble. A value is wanted where a reply can mean only one thing, an
// error where it can mean several or nothing.

// corpusCase is one line of testdata/corpus/KIND.jsonl.
type corpusCase struct {
	ID        string          `json:"id"`
	Kind      string          `json:"kind"`
	Types     string          `json:"types"` // declarations, as .dsp text
	Type      string          `json:"type"`
	Signature string          `json:"signature"` // in place of type: a whole reply
	Form      string          `json:"form"`      // of the reply: chat, json, xml
	Raw       string          `json:"raw"`
	Mode      align.Mode      `json:"mode"` // "": repair
	Value     json.RawMessage `json:"value"`
	Error     string          `json:"error"`  // RE2, held against the faults
	Source    string          `json:"source"` // where people met it
}

// The least that the corpus holds, and the most that may be open.
const (
	leastCases   = 400
	leastPerKind = 8
	mostOpen     = 20
)

func corpus(t testing.TB) []corpusCase {
	t.Helper()
	files, err := filepath.Glob("testdata/corpus/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var out []corpusCase
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		kind := strings.TrimSuffix(filepath.Base(name), ".jsonl")
		for i, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
			d := json.NewDecoder(bytes.NewReader(line))
			d.DisallowUnknownFields()
			var c corpusCase
			if err := d.Decode(&c); err != nil {
				t.Fatalf("%s:%d: %v", name, i+1, err)
			}
			if c.Kind != kind {
				t.Fatalf("%s:%d: the kind is %q", name, i+1, c.Kind)
			}
			out = append(out, c)
		}
	}
	return out
}

// open reads testdata/corpus/open.txt: the cases that are read otherwise today,
// each with the reason.
func open(t testing.TB) map[string]string {
	t.Helper()
	f, err := os.Open("testdata/corpus/open.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		line := strings.TrimSpace(s.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, why, ok := strings.Cut(line, ": ")
		if _, again := out[id]; !ok || again {
			t.Fatalf("open.txt: %q", line)
		}
		out[id] = why
	}
	return out
}

// outputsOf returns what a case asks for as one type: a record of the outputs for
// a signature.
func (c *corpusCase) outputsOf() (types.Type, *program.Signature, error) {
	if c.Signature != "" {
		checked, diags := dspi.Check(dspi.Signature(c.Signature))
		if diags.HasErrors() {
			return nil, nil, diags
		}
		main, _ := checked.Main()
		return &types.Record{Fields: main.Signature.Outputs}, main.Signature, nil
	}
	checked, diags := dspi.Check(dspi.Parse("corpus.dsp", c.Types+"\ntype Wanted = "+c.Type+"\n"))
	if diags.HasErrors() {
		return nil, nil, diags
	}
	named, ok := checked.Type("Wanted")
	if !ok {
		return nil, nil, fmt.Errorf("no type: %s", c.Type)
	}
	return named.Type, nil, nil
}

// read reads the case's reply.
func (c *corpusCase) read(typ types.Type, sig *program.Signature) (any, []value.Repair, []value.Fault) {
	mode := c.Mode
	if mode == "" {
		mode = align.Repairing
	}
	if sig == nil {
		v, repairs, _, faults := align.Value(typ, c.Raw, mode)
		return v, repairs, faults
	}
	reading, misfit := align.Read(sig, c.Form, c.Raw, mode)
	if misfit != nil {
		return nil, nil, misfit.Faults
	}
	return reading.Outputs, reading.Repairs, nil
}

// check holds what a reply was read to against what was wanted; "" is right.
func (c *corpusCase) check(typ types.Type, sig *program.Signature) string {
	got, repairs, faults := c.read(typ, sig)
	shown := value.Faults(faults)
	if c.Error != "" {
		switch {
		case faults == nil:
			return fmt.Sprintf("was read as %s; wanted a fault like %q", value.EncodeJSON(got), c.Error)
		case !regexp.MustCompile(c.Error).MatchString(shown):
			return fmt.Sprintf("the fault is\n\t%s\nwanted one like %q", shown, c.Error)
		}
		return ""
	}
	decoded, err := value.DecodeJSON(c.Value)
	if err != nil {
		return "the wanted value: " + err.Error()
	}
	want, wrong := value.Check(typ, decoded, value.Strict)
	if wrong != nil {
		return "the wanted value does not fit its own type: " + value.Faults(wrong)
	}
	if faults != nil {
		return fmt.Sprintf("was refused: %s\nwanted %s", shown, value.EncodeJSON(want))
	}
	if !value.Equal(got, want) {
		return fmt.Sprintf("got %s\nwanted %s", value.EncodeJSON(got), value.EncodeJSON(want))
	}
	for _, r := range repairs {
		if r.Type == "" || r.Msg == "" {
			return fmt.Sprintf("a repair without words: %+v", r)
		}
	}
	return c.silent(typ, sig, got, repairs)
}

// silent says what was done to a reply without a word: a reply is either taken in
// the mode strict, with the same value, or its reading names a repair.
func (c *corpusCase) silent(typ types.Type, sig *program.Signature, got any, repairs []value.Repair) string {
	asAsked := *c
	asAsked.Mode = align.Strict
	exact, none, faults := asAsked.read(typ, sig)
	switch {
	case len(none) > 0:
		return fmt.Sprintf("the mode strict made repairs: %v", none)
	case faults != nil && len(repairs) == 0:
		return fmt.Sprintf("was changed without a repair: strict says\n\t%s", value.Faults(faults))
	case faults == nil && !value.Equal(exact, got):
		return fmt.Sprintf("the mode strict reads %s", value.EncodeJSON(exact))
	case faults == nil && len(repairs) > 0:
		return fmt.Sprintf("is taken as it is, and yet repaired: %v", repairs)
	}
	return ""
}

func TestCorpus(t *testing.T) {
	all, open := corpus(t), open(t)
	if len(all) < leastCases {
		t.Errorf("%d cases, want at least %d", len(all), leastCases)
	}
	if len(open) > mostOpen {
		t.Errorf("%d open cases, want at most %d", len(open), mostOpen)
	}
	kinds, seen, sources := map[string]int{}, map[string]bool{}, map[string]bool{}
	right := 0
	for i := range all {
		c := &all[i]
		kinds[c.Kind]++
		if seen[c.ID] {
			t.Errorf("%s is there twice", c.ID)
		}
		seen[c.ID] = true
		sources[c.Source] = true
		if c.Source == "" || (c.Value == nil) == (c.Error == "") || (c.Type == "") == (c.Signature == "") {
			t.Errorf("%s needs a source, one of type and signature, one of value and error", c.ID)
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			typ, sig, err := c.outputsOf()
			if err != nil {
				t.Fatalf("%s: %v", c.Type+c.Signature, err)
			}
			wrong := c.check(typ, sig)
			why, isOpen := open[c.ID]
			switch {
			case wrong == "" && isOpen:
				t.Errorf("is read as wanted now; take it out of open.txt: %s", why)
			case wrong == "":
				right++
			case !isOpen:
				t.Errorf("%s%s %q (%s)\n%s", c.Type, c.Signature, c.Raw, c.Source, wrong)
			}
		})
	}
	for id := range open {
		if !seen[id] {
			t.Errorf("open.txt names %s, which there is not", id)
		}
	}
	for kind, n := range kinds {
		if n < leastPerKind {
			t.Errorf("%s has %d cases, want at least %d", kind, n, leastPerKind)
		}
	}
	t.Logf("%d cases of %d kinds from %d sources: %d read as wanted, %d open", len(all), len(kinds), len(sources), right, len(open))
}

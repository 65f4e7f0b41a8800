package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// node is an element of a document, with its text.
type node struct {
	name string
	attr map[string]string
	text string
	kids []*node
}

func readXML(r io.Reader) (*node, error) {
	d := xml.NewDecoder(r)
	top := &node{}
	open := []*node{top}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(open) == 1 && len(top.kids) == 1 {
			return top.kids[0], nil
		}
		if err != nil {
			return nil, err
		}
		last := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			n := &node{name: t.Name.Local, attr: map[string]string{}}
			for _, a := range t.Attr {
				n.attr[a.Name.Local] = a.Value
			}
			last.kids = append(last.kids, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			last.text += string(t)
		}
	}
}

func (n *node) kid(name string) *node {
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// xsd checks documents against the part of XML Schema that junit.xsd is
// written in: elements, sequences, one choice, attributes, simple content.
type xsd struct {
	top    *node
	faults []string
}

func (s *xsd) fault(path, format string, args ...any) {
	s.faults = append(s.faults, path+": "+fmt.Sprintf(format, args...))
}

func (s *xsd) check(doc *node) []string {
	s.faults = nil
	top := s.top.kid("element")
	if doc.name != top.attr["name"] {
		s.fault("", "the top is %s", doc.name)
	}
	s.complex(doc.name, doc, top.kid("complexType"))
	return s.faults
}

func (s *xsd) named(kind, name string) *node {
	for _, k := range s.top.kids {
		if k.name == kind && k.attr["name"] == name {
			return k
		}
	}
	return nil
}

// typed checks an element against a type by name.
func (s *xsd) typed(path string, doc *node, name string) {
	if t := s.named("complexType", name); t != nil {
		s.complex(path, doc, t)
		return
	}
	if len(doc.kids) > 0 || len(doc.attr) > 0 {
		s.fault(path, "holds more than text")
	}
	s.simple(path, doc.text, name)
}

func (s *xsd) complex(path string, doc, t *node) {
	attributes := t
	if content := t.kid("simpleContent"); content != nil {
		attributes = content.kid("extension")
		if len(doc.kids) > 0 {
			s.fault(path, "holds elements")
		}
	} else if strings.TrimSpace(doc.text) != "" {
		s.fault(path, "holds text")
	}
	known := map[string]bool{}
	for _, a := range attributes.kids {
		if a.name != "attribute" {
			continue
		}
		name := a.attr["name"]
		known[name] = true
		v, ok := doc.attr[name]
		switch {
		case ok:
			s.simple(path+"@"+name, v, a.attr["type"])
		case a.attr["use"] == "required":
			s.fault(path, "lacks %s", name)
		}
	}
	for name := range doc.attr {
		if !known[name] {
			s.fault(path, "has %s", name)
		}
	}
	switch {
	case t.kid("sequence") != nil:
		s.sequence(path, doc, t.kid("sequence"))
	case t.kid("choice") != nil:
		if len(doc.kids) > 1 {
			s.fault(path, "holds %d elements of a choice", len(doc.kids))
		}
		for _, k := range doc.kids {
			i := slices.IndexFunc(t.kid("choice").kids, func(e *node) bool { return e.attr["name"] == k.name })
			if i < 0 {
				s.fault(path, "holds %s", k.name)
				continue
			}
			s.typed(path+"/"+k.name, k, t.kid("choice").kids[i].attr["type"])
		}
	case len(doc.kids) > 0 && t.kid("simpleContent") == nil:
		s.fault(path, "holds %s", doc.kids[0].name)
	}
}

func (s *xsd) sequence(path string, doc, seq *node) {
	left := doc.kids
	for _, e := range seq.kids {
		n := 0
		for len(left) > 0 && left[0].name == e.attr["name"] {
			s.typed(fmt.Sprintf("%s/%s[%d]", path, e.attr["name"], n), left[0], e.attr["type"])
			left, n = left[1:], n+1
		}
		if n == 0 && e.attr["minOccurs"] != "0" {
			s.fault(path, "lacks %s", e.attr["name"])
		}
		if n > 1 && e.attr["maxOccurs"] != "unbounded" {
			s.fault(path, "has %d %s", n, e.attr["name"])
		}
	}
	for _, k := range left {
		s.fault(path, "%s stands out of order", k.name)
	}
}

func (s *xsd) simple(path, v, name string) {
	ok := true
	switch name {
	case "xs:string":
	case "xs:token":
		ok = v == strings.Join(strings.Fields(v), " ")
	case "xs:nonNegativeInteger":
		_, err := strconv.ParseUint(v, 10, 32)
		ok = err == nil
	case "xs:decimal":
		ok = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`).MatchString(v)
	default:
		t := s.named("simpleType", name)
		if t == nil {
			s.fault(path, "the schema has no type %s", name)
			return
		}
		ok = regexp.MustCompile("^(" + t.kid("restriction").kid("pattern").attr["value"] + ")$").MatchString(v)
	}
	if !ok {
		s.fault(path, "%q is no %s", v, name)
	}
}

func openSchema(t *testing.T) *xsd {
	t.Helper()
	f, err := os.Open("testdata/junit.xsd")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	top, err := readXML(f)
	if err != nil {
		t.Fatal(err)
	}
	return &xsd{top: top}
}

// TestJUnit: what --junit writes is valid, says what the run said, and a document
// with a fault is found.
func TestJUnit(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	writeFile(t, "replies.jsonl", `{"reply": "[[ ## answer ## ]]\n]]> \u0007 \"x\" <b> & é\n\n[[ ## completed ## ]]"}`+"\n")
	writeFile(t, "a b/tests.dsp", `program qa { question: string -> answer: string }
test fine { program = program.qa, model = "scripted/replies.jsonl", inputs { question = "x" } }
test wrong {
  program = program.qa
  model   = "scripted/replies.jsonl"
  inputs { question = "x" }
  assert { that = answer == "y", message = "]]> is ${answer}" }
}
test agent { program = program.later, inputs { request = "x" } }
program later {
  request: string -> reply: string
  majority one {
    backend = "python"
    predict {}
  }
}
`)
	writeFile(t, "bad.dsp", "program p { question: strng -> answer: string }\n")
	writeFile(t, "none.dsp", "program p { question: string -> answer: string }\n")
	var out, errs bytes.Buffer
	a := newApp(strings.NewReader(""), &out, &errs, nil)
	root := newRoot(a)
	root.SetArgs([]string{"test", ".", "--junit", "out.xml"})
	if code := a.report(root.ExecuteContext(t.Context())); code != exitFailed {
		t.Fatalf("exit status %d\n%s", code, errs.String())
	}
	data, err := os.ReadFile("out.xml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := readXML(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(sourceFolder)
	s := openSchema(t)
	if faults := s.check(doc); len(faults) > 0 {
		t.Errorf("%s\n%s", strings.Join(faults, "\n"), data)
	}
	var cases []string
	for _, suite := range doc.kids {
		a := suite.attr
		cases = append(cases, fmt.Sprintf("%s: %s tests, %s failures, %s errors", a["name"], a["tests"], a["failures"], a["errors"]))
		for _, c := range suite.kids {
			if c.name == "testcase" {
				kind := "fine"
				if len(c.kids) > 0 {
					kind = c.kids[0].name + " " + c.kids[0].attr["type"]
				}
				cases = append(cases, c.attr["classname"]+"."+c.attr["name"]+" "+kind)
			}
		}
	}
	want := "a b/tests.dsp: 3 tests, 1 failures, 1 errors\nqa.fine fine\nqa.wrong failure E0630\nlater.agent error E0510\nbad.dsp: 1 tests, 0 failures, 1 errors\nbad.dsp.check error E0204"
	if got := strings.Join(cases, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if text := doc.kids[0].kids[2].kid("failure").text; !strings.Contains(text, "\n]]> is ]]> ␇ \"x\" <b> & é\n") {
		t.Errorf("the text of the failure is not kept:\n%s", data)
	}
	for old, new := range map[string]string{
		` type="E0630"`: "", ` time="`: ` tme="`, "<system-out></system-out>": "", "<properties></properties>": "<properties>x</properties>",
		`tests="3"`: `tests="three"`, `hostname="localhost"`: `hostname=" localhost"`, `timestamp="2`: `timestamp="`, "testsuites>": "suites>",
	} {
		broken, err := readXML(strings.NewReader(strings.ReplaceAll(string(data), old, new)))
		if err != nil {
			t.Fatal(err)
		}
		if len(s.check(broken)) == 0 {
			t.Errorf("%q for %q is not found", new, old)
		}
	}
	// Where the reference implementation is at hand, it has the last word.
	if xmllint, err := exec.LookPath("xmllint"); err == nil {
		if said, err := exec.CommandContext(t.Context(), xmllint, "--noout", "--schema", "testdata/junit.xsd", filepath.Join(dir, "out.xml")).CombinedOutput(); err != nil {
			t.Errorf("xmllint: %v\n%s", err, said)
		}
	}
}

// sourceFolder is where the tests of this package begin.
var sourceFolder, _ = os.Getwd()

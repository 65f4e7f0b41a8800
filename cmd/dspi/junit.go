package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/diag"
)

// JUnit's XML, as build servers read it: a suite for each file, a case for each
// test. It has what the strict form of the schema asks for, and nothing that the
// lenient one refuses (testdata/junit.xsd).

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	ID         int         `xml:"id,attr"`
	Package    string      `xml:"package,attr"`
	Name       string      `xml:"name,attr"`
	Timestamp  string      `xml:"timestamp,attr"`
	Hostname   string      `xml:"hostname,attr"`
	Tests      int         `xml:"tests,attr"`
	Failures   int         `xml:"failures,attr"`
	Errors     int         `xml:"errors,attr"`
	Skipped    int         `xml:"skipped,attr"`
	Time       string      `xml:"time,attr"`
	Properties struct{}    `xml:"properties"`
	Cases      []junitCase `xml:"testcase"`
	Out        string      `xml:"system-out"`
	Err        string      `xml:"system-err"`
}

type junitCase struct {
	Name      string      `xml:"name,attr"`
	Classname string      `xml:"classname,attr"`
	Time      string      `xml:"time,attr"`
	Skipped   *struct{}   `xml:"skipped"`
	Error     *junitFault `xml:"error"`
	Failure   *junitFault `xml:"failure"`
}

type junitFault struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",cdata"`
}

// saveJUnit writes the results to a file, whole or not at all.
func saveJUnit(path string, t *tested, start time.Time) error {
	var b bytes.Buffer
	if err := writeJUnit(&b, t, start); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err == nil {
		_, err = tmp.Write(b.Bytes())
		if cerr := tmp.Close(); err == nil {
			err = cerr
		}
		if err == nil {
			err = os.Chmod(tmp.Name(), 0o644)
		}
		if err == nil {
			err = os.Rename(tmp.Name(), path)
		}
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}
	if err != nil {
		return wrong("--junit %s cannot be written", path).say("%v.", err)
	}
	return nil
}

// writeJUnit writes the results of tests. Files without tests that have errors
// are suites with one case, `check`, which is in error.
func writeJUnit(w io.Writer, t *tested, start time.Time) error {
	all := junitSuites{}
	for _, f := range t.files {
		if len(f.tests) == 0 && !f.diags.HasErrors() {
			continue
		}
		s := junitSuite{
			ID: len(all.Suites), Name: clean(f.name), Package: clean(filepath.ToSlash(filepath.Dir(f.name))),
			Timestamp: start.UTC().Format("2006-01-02T15:04:05"), Hostname: "localhost",
		}
		var sum time.Duration
		if f.diags.HasErrors() {
			s.Errors++
			s.Cases = append(s.Cases, junitCase{Name: "check", Classname: s.Name, Time: seconds(0), Error: fault(f.diags)})
		}
		for _, j := range f.tests {
			sum += j.took
			c := junitCase{Name: clean(j.name()), Classname: clean(j.test.Program.Name), Time: seconds(j.took)}
			switch j.status() {
			case "failed":
				s.Failures++
				c.Failure = fault(j.faults())
			case "error":
				s.Errors++
				c.Error = fault(j.faults())
			case "skipped":
				s.Skipped++
				c.Skipped = &struct{}{}
			}
			s.Cases = append(s.Cases, c)
		}
		s.Tests, s.Time = len(s.Cases), seconds(sum)
		all.Suites = append(all.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// fault makes an element of what is wrong: the title in short, the text as people
// see it.
func fault(err error) *junitFault {
	reports := reportsOf(err)
	texts := sources(listOf(err))
	var b bytes.Buffer
	_ = diag.Text(&b, reports, diag.TextOptions{Source: func(name string) (string, bool) { s, ok := texts[name]; return s, ok }})
	first, _ := firstError(err)
	message := first.Title
	if first.Primary.Text != "" {
		message += ": " + first.Primary.Text
	}
	return &junitFault{Message: clean(message), Type: clean(string(first.Code)), Text: clean("\n" + b.String())}
}

// clean removes what XML cannot hold.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r', r >= 0x20 && r <= 0xd7ff, r >= 0xe000 && r < 0xfffe, r >= 0x10000 && r <= utf8.MaxRune:
			return r
		}
		return utf8.RuneError
	}, s)
}

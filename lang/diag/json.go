package diag

import "github.com/dspi-lang/dspi/lang/source"

// Report is a Diagnostic as JSON: what `dspi check --json` prints, what the text
// for people is made from. Lines and columns count from 1 (columns in
// characters), bytes from 0.
type Report struct {
	Code    Code          `json:"code"`
	Level   Level         `json:"level"`
	Title   string        `json:"title"`
	Primary LabelReport   `json:"primary"`
	Related []LabelReport `json:"related"`
	Detail  string        `json:"detail"`
	Fixes   []FixReport   `json:"fixes"`
	Help    []string      `json:"help"`
}

// LabelReport is a Label as JSON. File is empty when the message has no place.
type LabelReport struct {
	File  string          `json:"file"`
	Start source.Position `json:"start"`
	End   source.Position `json:"end"`
	Text  string          `json:"text"`
}

// FixReport is a Fix as JSON.
type FixReport struct {
	Title string       `json:"title"`
	Edits []EditReport `json:"edits"`
}

// EditReport is an Edit as JSON; Start and End are bytes.
type EditReport struct {
	File  string `json:"file"`
	Start int    `json:"start"`
	End   int    `json:"end"`
	Text  string `json:"text"`
}

// Report returns d as JSON, without the secrets that its files hide: in words
// Mask stands for them, and a fix that edits
// one is left out.
func (d *Diagnostic) Report() Report {
	safe := d.discreet()
	r := Report{
		Code: d.Code, Level: d.Level, Title: d.Title, Detail: safe(d.Detail),
		Primary: d.Primary.report(safe),
		Related: make([]LabelReport, 0, len(d.Related)),
		Fixes:   make([]FixReport, 0, len(d.Fixes)),
		Help:    make([]string, 0, len(d.Help)),
	}
	for _, h := range d.Help {
		r.Help = append(r.Help, safe(h))
	}
	for _, l := range d.Related {
		r.Related = append(r.Related, l.report(safe))
	}
	for _, f := range d.Fixes {
		if f.hidden() {
			continue
		}
		fr := FixReport{Title: f.Title, Edits: make([]EditReport, 0, len(f.Edits))}
		for _, e := range f.Edits {
			fr.Edits = append(fr.Edits, EditReport{e.File.Name, int(e.Start), int(e.End), e.Text})
		}
		r.Fixes = append(r.Fixes, fr)
	}
	return r
}

// Reports returns l as JSON, an empty list for a nil one.
func (l List) Reports() []Report {
	rs := make([]Report, 0, len(l))
	for _, d := range l {
		rs = append(rs, d.Report())
	}
	return rs
}

func (l Label) report(safe func(string) string) LabelReport {
	if l.File == nil {
		return LabelReport{Text: safe(l.Text)}
	}
	return LabelReport{l.File.Name, l.File.Position(l.Start), l.File.Position(l.End), safe(l.Text)}
}

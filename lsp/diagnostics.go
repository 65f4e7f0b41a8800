package lsp

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// Diagnostics returns what is wrong in a file.
func Diagnostics(v *View) []protocol.Diagnostic {
	list, src := v.mistakes()
	return diagnosticsIn(v.Snap, list, src)
}

// mistakes returns what is wrong in a file and in what it imports, and the file's
// text.
func (v *View) mistakes() (diag.List, *source.File) {
	if snapshot.IsConfig(v.File.Path) {
		return configMistakes(v)
	}
	return v.check().Diags, v.src()
}

// diagnosticsIn returns those of a list whose place is in a file.
func diagnosticsIn(s *snapshot.Snapshot, list diag.List, file *source.File) []protocol.Diagnostic {
	out := []protocol.Diagnostic{}
	for _, d := range list {
		if d.Primary.File == file {
			out = append(out, diagnostic(s, d))
		}
	}
	return out
}

func diagnostic(s *snapshot.Snapshot, d *diag.Diagnostic) protocol.Diagnostic {
	r := d.Report() // without secrets
	out := protocol.Diagnostic{
		Range:    rangeOf(s, d.Primary.Place),
		Severity: protocol.SeverityError,
		Code:     protocol.String(r.Code),
		Source:   protocol.Optional("dspi"),
		Message:  protocol.String(message(r)),
	}
	out.CodeDescription.Href = codePage(r.Code)
	if d.Level == diag.Warning {
		out.Severity = protocol.SeverityWarning
	}
	for i, l := range d.Related {
		if l.File != nil {
			out.RelatedInformation = append(out.RelatedInformation, protocol.RelatedInformation{
				Location: location(s, l.Place), Message: r.Related[i].Text,
			})
		}
	}
	return out
}

// message is the text of a diagnostic: title and label, the facts, the ways out
// that are no edits.
func message(r diag.Report) string {
	var b strings.Builder
	b.WriteString(r.Title)
	if r.Primary.Text != "" {
		b.WriteString(": " + r.Primary.Text)
	}
	if r.Detail != "" {
		b.WriteString("\n\n" + r.Detail)
	}
	for _, f := range r.Fixes {
		b.WriteString("\n\nhelp: " + f.Title)
	}
	for _, h := range r.Help {
		b.WriteString("\n\nhelp: " + h)
	}
	return b.String()
}

// pages is where the page of each code stands.
const pages = "https://github.com/dspi-lang/dspi/blob/main/docs/diagnostics/"

func codePage(c diag.Code) protocol.URI { return protocol.URI(pages + string(c) + ".md") }

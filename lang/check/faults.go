package check

import (
	"strings"
	"unicode"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
)

// reportFaults says what the parser did not understand.
func (c *checker) reportFaults(file *syntax.File) {
	for _, f := range file.Faults {
		if c.headless[file.Source.Place(f.Span)] {
			continue // enclosed has spoken
		}
		c.report(faultMessage(file.Source, f))
	}
	for _, it := range file.Items {
		b, ok := it.(*syntax.Block)
		if !ok {
			continue
		}
		c.reportLabels(file.Source, b)
		if b.Body == nil {
			continue
		}
		for _, inner := range b.Body.Items {
			if b, ok := inner.(*syntax.Block); ok {
				c.reportLabels(file.Source, b)
			}
		}
	}
}

// reportLabels says which names in quotes are no names, so that nothing could
// refer to them.
func (c *checker) reportLabels(src *source.File, b *syntax.Block) {
	for _, l := range b.Labels {
		if l.Quoted && !isName(l.Name) {
			c.report(diag.New("E0122", src.Place(l.Span), "this is no name").
				Say("A name consists of letters, digits and `_`, and does not begin with a digit. Between quotes, too: other places refer to it without them."))
		}
	}
}

// isName reports whether s could be written without quotes.
func isName(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r) && !unicode.In(r, unicode.Mn, unicode.Mc)) {
			return false
		}
	}
	return s != ""
}

func faultMessage(src *source.File, f syntax.Fault) *diag.Diagnostic {
	at := src.Place(f.Span)
	end := src.Place(source.Span{Start: f.End, End: f.End})
	related := src.Place(f.Related)
	hasRelated := f.Related.Len() > 0
	switch f.Kind {
	case syntax.UnclosedBlock:
		d := diag.New("E0103", at, "this `{` has no `}`")
		if hasRelated {
			d.Relate(related, "%s begins here", code(strings.TrimSpace(related.Text())))
		}
		return d.Say("A block goes from `{` to the `}` that belongs to it.").Hint("add a `}` where the block ends")
	case syntax.UnclosedBracket:
		return diag.New("E0104", at, "this "+code(at.Text())+" is not closed").
			Say("Every bracket needs the one that closes it, in the same value.")
	case syntax.StrayCloser:
		return diag.New("E0105", at, "nothing is open that "+code(at.Text())+" could close").
			Fix("remove it", at, "")
	case syntax.MismatchedCloser:
		d := diag.New("E0105", at, "this "+code(at.Text())+" does not close what is open")
		if hasRelated {
			open := related.Text()
			d.Relate(related, "%s is open here", code(open))
			if want := closerOf(open); want != "" {
				d.Fix("close it with "+code(want), at, want)
			}
		}
		return d
	case syntax.UnclosedString:
		d := diag.New("E0106", at, "this text has no end")
		if strings.HasPrefix(at.Text(), "<<") {
			return d.Say("A text that begins with `<<NAME` ends at a line that holds only that NAME.")
		}
		if strings.HasPrefix(at.Text(), "`") {
			return d.Say("A raw text goes from one backtick to the next.")
		}
		return d.Say("A text in quotes ends on the line it begins on. A text of several lines is written\n\n    <<EOT\n    the lines\n    EOT").
			Fix("close it here", end, "\"")
	case syntax.UnclosedComment:
		return diag.New("E0107", at, "this comment has no `*/`").
			Say("A comment that begins with `/*` goes on to `*/`, or else to the end of the file.")
	case syntax.BadEscape:
		return diag.New("E0108", at, code(at.Text())+" stands for no character").
			Say("In quotes these stand for characters: `\\n` `\\r` `\\t` `\\\"` `\\\\` `\\uXXXX` `\\UXXXXXXXX`; and `$${` for `${`.").
			Fix("a backslash is written twice", at, "\\"+at.Text())
	case syntax.BadCharacter:
		d := badCharacter(at)
		if f.Found == "\x00" || strings.Contains(f.Found, "\uFFFD") || f.Found == "" {
			d = diag.New("E0109", at, "this is not text").Say("A .dsp file is text in UTF-8.")
		}
		return d
	case syntax.SingleQuotes:
		d := diag.New("E0110", at, "texts stand in double quotes")
		if t := at.Text(); len(t) >= 2 && strings.HasPrefix(t, "'") && strings.HasSuffix(t, "'") {
			d.Fix("use double quotes", at, "\""+strings.ReplaceAll(t[1:len(t)-1], "\"", "\\\"")+"\"")
		}
		return d
	case syntax.TooDeep:
		return diag.New("E0111", at, "brackets are nested more than 200 deep here").
			Say("dspi reads up to 200 brackets inside each other. Nothing in this item beyond that place was read.")
	case syntax.MissingValue:
		return diag.New("E0112", at, "a value is expected after this `=`")
	case syntax.MissingType:
		return diag.New("E0113", at, "a type is expected after this `:`").
			Say("A field reads `name: type`, say `answer: string`.")
	case syntax.MissingComma:
		before := src.Place(source.Span{Start: f.Start, End: f.Start})
		return diag.New("E0114", at, "a comma or a new line is expected before this").
			Fix("add the comma", trimBefore(before), ",")
	case syntax.BraceOnNextLine:
		d := diag.New("E0115", at, "this `{` belongs on the line of its block")
		if hasRelated {
			d.Relate(related, "the block begins here")
			gap := src.Place(source.Span{Start: f.Related.End, End: f.Start})
			if strings.TrimSpace(gap.Text()) == "" {
				d.Fix("put it there", gap, " ")
			}
		}
		return d
	}
	if f.Wanted == "`{`" {
		return diag.New("E0124", at, "no `{` follows").
			Say("A block reads `KIND NAME { … }`, its `{` on the line of its kind.")
	}
	if f.Found == "<" {
		if d := angleBrackets(at); d != nil {
			return d
		}
	}
	label := "this is not understood"
	if f.Found == "" && at.Text() == "" {
		label = "the file ends here"
	}
	if f.Wanted != "" {
		label = f.Wanted + " is expected here"
	}
	return diag.New("E0102", at, label)
}

// trimBefore moves an empty place to before the space that stands before it.
func trimBefore(p source.Place) source.Place {
	for p.Start > 0 && strings.ContainsRune(" \t", rune(p.File.Text[p.Start-1])) {
		p.Start--
	}
	p.End = p.Start
	return p
}

func closerOf(open string) string {
	switch open {
	case "(":
		return ")"
	case "[":
		return "]"
	case "{":
		return "}"
	}
	return ""
}

// Package config reads the HCL files around a program. HCL and cty stop here:
// what leaves are values of lang/value and diagnostics with byte spans.
//
//	Project  what a dspi.hcl says (project.go), by the table universe.Project
//	Value    one setting of it
//	Setting  one `name = value` of a file of values for variables (vars.go)
//
// It is pure: text in, values out. ReadProject and Vars also mark, in the file
// they are given, what people must not be shown: values of secrets (hide.go).
package config

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
)

// The limits of a file, because HCL's parser has none.
const (
	maxSize  = 1 << 20 // bytes
	maxDepth = 200     // brackets in brackets
	maxSigns = 1000    // minus signs and exclamation marks in a row
)

// parse reads HCL. The body is nil when nothing of it can be used.
func parse(file *source.File) (*hclsyntax.Body, hcl.Diagnostics, diag.List) {
	if d := tooMuch(file); d != nil {
		return nil, nil, diag.List{d}
	}
	parsed, hdiags := hclsyntax.ParseConfig([]byte(file.Text), file.Name, hcl.InitialPos)
	if parsed == nil {
		return nil, hdiags, nil
	}
	body, _ := parsed.Body.(*hclsyntax.Body)
	return body, hdiags, nil
}

// tooMuch refuses what would exhaust the parser.
func tooMuch(file *source.File) *diag.Diagnostic {
	if len(file.Text) > maxSize {
		return diag.New("E0128", source.Place{}, file.Name+" is too large").
			Say("`%s` is larger than the %d KiB that dspi reads of a file of settings.", file.Name, maxSize>>10)
	}
	depth, signs := 0, 0
	for i := 0; i < len(file.Text); i++ {
		switch file.Text[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth = max(0, depth-1)
		case '-', '!':
			signs++
			if signs > maxSigns {
				return deep(file, i)
			}
			continue
		case ' ', '\t':
			continue
		}
		signs = 0
		if depth > maxDepth {
			return deep(file, i)
		}
	}
	return nil
}

func deep(file *source.File, at int) *diag.Diagnostic {
	return diag.New("E0111", file.Place(source.Span{Start: int32(at), End: int32(at + 1)}), "more than dspi reads").
		Say("Brackets may stand in brackets %d deep.", maxDepth)
}

func place(file *source.File, r hcl.Range) source.Place {
	return file.Place(source.Span{Start: int32(r.Start.Byte), End: int32(r.End.Byte)})
}

// inOurWords turns HCL's messages into ours, the first of each line: the others
// follow from it. A message about what is hidden stands at the name before it.
func inOurWords(file *source.File, body *hclsyntax.Body, in hcl.Diagnostics) diag.List {
	var out diag.List
	told := map[int]bool{}
	for _, h := range in {
		if h.Severity == hcl.DiagWarning {
			continue
		}
		at := source.Place{File: file}
		if h.Subject != nil {
			at = place(file, *h.Subject)
		}
		if strings.TrimSpace(at.Text()) == "" {
			at = lastBefore(file, at.Start)
		}
		line := file.LineOf(at.Start)
		if told[line] {
			continue
		}
		told[line] = true
		if file.Hides(at.Span) {
			out = append(out, diag.New("E0116", nameBefore(file, at), "the value behind this cannot be read").
				Say("A value is text in double quotes, a number, `true`, `false`, or a list or object of them. This one is not shown, because it may be a secret."))
			continue
		}
		out = append(out, message(file, body, at, h))
	}
	return out
}

// message words one of HCL's messages.
func message(file *source.File, body *hclsyntax.Body, at source.Place, h *hcl.Diagnostic) *diag.Diagnostic {
	switch h.Summary {
	case "Attribute redefined":
		d := diag.New("E0503", at, "`"+at.Text()+"` is set again").Say("A setting has one value.")
		if body != nil {
			if first := attribute(body, at.Text(), at.Start); first != nil {
				d.Relate(place(file, first.NameRange), "it is set here already")
			}
		}
		return d
	case "Variables not allowed", "Function calls not allowed":
		return diag.New("E0307", at, "a fixed value is expected here").
			Say("A file of settings is read before anything else, so its values use no names and no functions. Text stands in double quotes.")
	case "Missing expression", "Invalid expression":
		if at.Text() == "=" {
			return diag.New("E0112", at, "a value is expected behind this").
				Say("A value is text in double quotes, a number, `true`, `false`, or a list or object of them.")
		}
	case "Unclosed configuration block":
		return diag.New("E0103", at, "this block has no `}`").Say("Each `{` is closed by a `}` on a line of its own, or on the same line.")
	case "Invalid multi-line string", "Unterminated template string":
		return diag.New("E0106", at, "the text does not end on this line").Say("Text begins and ends with `\"`.")
	}
	label := "this is not understood"
	if l, ok := labels[h.Summary]; ok {
		label = l
	}
	if strings.HasPrefix(h.Detail, "Single quotes are not") {
		return diag.New("E0110", at, "text stands in double quotes").Say("In HCL, as in a .dsp file, text is written in double quotes.")
	}
	return diag.New("E0116", at, label).Say("%s.", strings.TrimRight(h.Detail, ".\n"))
}

// labels are what is said at the place of HCL's most usual messages.
var labels = map[string]string{
	"Invalid expression":                         "a value is expected here",
	"Missing expression":                         "a value is expected behind this",
	"Missing newline after argument":             "a new line is expected here",
	"Argument or block definition required":      "`name = value` or a block is expected here",
	"Invalid block definition":                   "`=` and a value, or `{`, is expected here",
	"Invalid argument name":                      "a name stands without quotes",
	"Missing item separator":                     "a comma is expected here",
	"Unterminated tuple constructor expression":  "this list has no `]`",
	"Unterminated object constructor expression": "this object has no `}`",
}

// attribute returns the attribute of a name in the innermost body around offset.
func attribute(body *hclsyntax.Body, name string, offset int32) *hclsyntax.Attribute {
	for _, b := range body.Blocks {
		if r := b.Body.SrcRange; int32(r.Start.Byte) <= offset && offset < int32(r.End.Byte) {
			return attribute(b.Body, name, offset)
		}
	}
	return body.Attributes[name]
}

// lastBefore is the last character before offset that is no space: where an
// unexpected end is shown.
func lastBefore(file *source.File, offset int32) source.Place {
	n := int32(len(strings.TrimRight(file.Slice(source.Span{Start: 0, End: offset}), " \t\r\n")))
	return file.Place(source.Span{Start: max(0, n-1), End: n})
}

// fromCty returns a value without its marks.
func fromCty(v cty.Value) (any, error) {
	v, _ = v.Unmark()
	if v.IsNull() {
		return nil, nil
	}
	if !v.IsKnown() {
		return nil, errors.New("this value is not known before a run")
	}
	t := v.Type()
	switch {
	case t == cty.String:
		return v.AsString(), nil
	case t == cty.Bool:
		return v.True(), nil
	case t == cty.Number:
		return fromNumber(v.AsBigFloat())
	case t.IsTupleType() || t.IsListType() || t.IsSetType():
		list := []any{}
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			x, err := fromCty(e)
			if err != nil {
				return nil, err
			}
			list = append(list, x)
		}
		return list, nil
	case t.IsObjectType() || t.IsMapType():
		o := &value.Object{}
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			x, err := fromCty(e)
			if err != nil {
				return nil, err
			}
			k, _ = k.Unmark()
			o.Set(k.AsString(), x)
		}
		return o, nil
	}
	return nil, fmt.Errorf("a value of type %s cannot be used here", t.FriendlyName())
}

func fromNumber(f *big.Float) (any, error) {
	if n, exact := f.Int64(); exact == big.Exact {
		return int(n), nil
	}
	x, _ := f.Float64()
	if math.IsInf(x, 0) {
		return nil, errors.New("this number is larger than any that can be stored")
	}
	return x, nil
}

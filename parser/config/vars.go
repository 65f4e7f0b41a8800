package config

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
)

// Setting is one `name = value` of a file of values.
type Setting struct {
	Name      string            // `k`, or `rag.k` for what stands in `rag = { k = 6 }`
	Variable  *program.Variable // nil when the program declares none of this name
	Value     any               // of package lang/value
	Sensitive bool              // the value must not be shown
	Place     source.Place      // of the value; of the name when it must not be shown
	At        source.Place      // of the name
}

// secret marks values of sensitive variables, from where they enter.
type secret struct{}

// Vars reads a file of values: `name = value` lines in HCL, without references
// and functions. `rag = { k = 6 }` gives the variable `k` of a file imported as
// rag its value. What could be understood is returned beside the diagnostics.
//
// Values of sensitive variables, and of names that the program does not declare
// (one may be a secret's, misspelt), are hidden in the file.
func Vars(file *source.File, project *program.Project) ([]Setting, diag.List) {
	body, hdiags, diags := parse(file)
	if diags != nil {
		return nil, diags
	}
	r := &varsReader{file: file, project: project}
	if hdiags.HasErrors() || body == nil {
		hideItems(file, r.mayBeSecret)
	}
	HideURLs(file)
	if body == nil {
		return nil, inOurWords(file, nil, hdiags)
	}
	for _, a := range body.Attributes {
		r.attribute(a)
	}
	r.diags = append(r.diags, inOurWords(file, body, hdiags)...)
	for _, b := range body.Blocks {
		r.diags = append(r.diags, diag.New("E0125", place(file, b.TypeRange), "a file of values has no blocks").
			Say("It holds one `name = value` for each variable. For the variables of a file imported as `%s`: %s = { … }.", b.Type, b.Type))
	}
	r.diags.Sort()
	slices.SortFunc(r.out, func(a, b Setting) int { return int(a.At.Start - b.At.Start) })
	return r.out, r.diags
}

type varsReader struct {
	file    *source.File
	project *program.Project
	out     []Setting
	diags   diag.List
}

// attribute reads `name = value`, or the variables of an imported file in it.
func (r *varsReader) attribute(a *hclsyntax.Attribute) {
	if _, declared := r.project.Variable(a.Name); !declared && r.imported(a.Name) {
		if o, ok := a.Expr.(*hclsyntax.ObjectConsExpr); ok {
			for _, it := range o.Items {
				if key, ok := keyOf(it.KeyExpr); ok {
					r.setting(a.Name+"."+key, it.KeyExpr.Range(), it.ValueExpr)
				} else {
					r.diags = append(r.diags, diag.New("E0307", place(r.file, it.KeyExpr.Range()), "a name is expected here"))
				}
			}
			return
		}
	}
	r.setting(a.Name, a.NameRange, a.Expr)
}

// imported reports whether variables of a file imported under this name are
// declared.
func (r *varsReader) imported(name string) bool {
	return slices.ContainsFunc(r.project.Variables, func(v *program.Variable) bool { return strings.HasPrefix(v.Name, name+".") })
}

func keyOf(e hclsyntax.Expression) (string, bool) {
	if word := hcl.ExprAsKeyword(e); word != "" {
		return word, true
	}
	v, diags := e.Value(nil)
	if diags.HasErrors() || v.IsNull() || v.Type() != cty.String {
		return "", false
	}
	return v.AsString(), true
}

func (r *varsReader) setting(name string, at hcl.Range, e hclsyntax.Expression) {
	v, _ := r.project.Variable(name)
	s := Setting{Name: name, Variable: v, At: place(r.file, at), Place: place(r.file, e.Range())}
	hidden := v == nil || v.Sensitive
	if hidden {
		r.file.Hide(s.Place.Span)
	}
	x, hdiags := e.Value(nil)
	if hdiags.HasErrors() {
		r.diags = append(r.diags, inOurWords(r.file, nil, hdiags)...)
		return
	}
	if !x.IsWhollyKnown() {
		return // a part of it could not be read, which is said elsewhere
	}
	if v != nil && v.Sensitive {
		x = x.Mark(secret{})
	}
	if v != nil {
		x = toType(x, v.Type)
	}
	s.Sensitive = x.HasMark(secret{})
	if hidden {
		s.Place = s.At
	}
	val, err := fromCty(x)
	if err != nil {
		r.diags = append(r.diags, diag.New("E0310", s.Place, err.Error()))
		return
	}
	s.Value = val
	r.out = append(r.out, s)
}

// toType converts between text, numbers and truth values as HCL does everywhere,
// when the variable is one of them. What does not convert stays as it is, and the
// variable's type says what is wrong with it.
func toType(v cty.Value, t types.Type) cty.Value {
	inner, _ := types.Unwrap(t)
	p, ok := inner.(*types.Primitive)
	if !ok || v.IsNull() {
		return v
	}
	var want cty.Type
	switch p.Row.Base {
	case types.StringBase:
		want = cty.String
	case types.IntBase, types.FloatBase:
		want = cty.Number
	case types.BoolBase:
		want = cty.Bool
	default:
		return v
	}
	if x, err := convert.Convert(v, want); err == nil {
		return x
	}
	return v
}

// mayBeSecret reports whether the value behind a name in a file that cannot be
// read whole must not be shown: that of a sensitive variable, or of a name that
// is not known.
func (r *varsReader) mayBeSecret(name string) bool {
	known := false
	for _, v := range r.project.Variables {
		last := v.Name[strings.LastIndexByte(v.Name, '.')+1:]
		if v.Name == name || last == name || strings.HasPrefix(v.Name, name+".") {
			if v.Sensitive {
				return true
			}
			known = true
		}
	}
	return !known
}

// Package config reads the HCL files around a program: values for variables
// (`*.dspvars`). HCL and cty stop here: what leaves are values of lang/value and
// diagnostics with byte spans.
package config

import (
	"fmt"
	"math/big"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
)

// Setting is one `name = value` of a file of values.
type Setting struct {
	Name  string
	Value any          // of package lang/value
	Place source.Place // of the value
	At    source.Place // of the name
}

// Vars reads a file of values: `name = value` lines in HCL, without references
// and functions. What could be understood is returned beside the diagnostics.
func Vars(file *source.File) ([]Setting, diag.List) {
	parsed, hdiags := hclsyntax.ParseConfig([]byte(file.Text), file.Name, hcl.InitialPos)
	diags := convert(file, hdiags)
	if parsed == nil {
		return nil, diags
	}
	body, ok := parsed.Body.(*hclsyntax.Body)
	if !ok {
		return nil, diags
	}
	for _, b := range body.Blocks {
		diags = append(diags, diag.New("E0125", place(file, b.TypeRange), "a file of values has no blocks").
			Say("It holds one `name = value` for each variable."))
	}
	var out []Setting
	for _, a := range body.Attributes {
		v, vdiags := a.Expr.Value(nil)
		if vdiags.HasErrors() {
			diags = append(diags, convert(file, vdiags)...)
			continue
		}
		x, err := fromCty(v)
		if err != nil {
			diags = append(diags, diag.New("E0310", place(file, a.Expr.Range()), err.Error()))
			continue
		}
		out = append(out, Setting{a.Name, x, place(file, a.Expr.Range()), place(file, a.NameRange)})
	}
	diags.Sort()
	return out, diags
}

func place(file *source.File, r hcl.Range) source.Place {
	return file.Place(source.Span{Start: int32(r.Start.Byte), End: int32(r.End.Byte)})
}

// convert turns HCL's messages into ours.
func convert(file *source.File, in hcl.Diagnostics) diag.List {
	var out diag.List
	for _, h := range in {
		at := source.Place{File: file}
		if h.Subject != nil {
			at = place(file, *h.Subject)
		}
		d := diag.New("E0116", at, "this is not understood")
		if h.Severity == hcl.DiagWarning {
			continue
		}
		out = append(out, d.Say("%s", h.Summary+": "+h.Detail))
	}
	return out
}

func fromCty(v cty.Value) (any, error) {
	if v.IsNull() {
		return nil, nil
	}
	if !v.IsWhollyKnown() {
		return nil, fmt.Errorf("this value is not known before a run")
	}
	t := v.Type()
	switch {
	case t == cty.String:
		return v.AsString(), nil
	case t == cty.Bool:
		return v.True(), nil
	case t == cty.Number:
		f := v.AsBigFloat()
		if n, acc := f.Int64(); acc == big.Exact {
			return int(n), nil
		}
		x, _ := f.Float64()
		return x, nil
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
			o.Set(k.AsString(), x)
		}
		return o, nil
	}
	return nil, fmt.Errorf("a value of type %s cannot be used here", t.FriendlyName())
}

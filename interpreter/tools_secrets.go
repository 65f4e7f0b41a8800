package interpreter

import (
	"errors"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/value"
)

// secretsOf returns the values of the sensitive variables that a tool can read.
func secretsOf(t *plan.Tool) []string {
	var out []string
	for _, v := range t.Declared.Names {
		if !v.Sensitive {
			continue
		}
		switch x := t.Values[v.Name].(type) {
		case nil:
		case string:
			out = append(out, x)
		default:
			out = append(out, string(value.EncodeJSON(x)))
		}
	}
	return out
}

// shortestSecret is the length from which a secret is taken out of texts; a shorter
// one cannot be told from a word.
const shortestSecret = 4

// cleaner returns what takes secrets out of a text, nil where there are none.
func cleaner(secrets []string) func(string) string {
	var short []string
	for _, s := range secrets {
		if len(s) >= shortestSecret && len(s) < 8 {
			short = append(short, s)
		}
	}
	long := lm.Redactor(secrets)
	if long == nil && short == nil {
		return nil
	}
	return func(text string) string {
		if long != nil {
			text = long(text)
		}
		for _, s := range short {
			text = strings.ReplaceAll(text, s, lm.Redacted)
		}
		return text
	}
}

// cleaned returns a value without secrets.
func (d *declaredTool) cleaned(v any) any {
	switch v := v.(type) {
	case string:
		return d.clean(v)
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = d.cleaned(x)
		}
		return out
	case *value.Object:
		out := value.MakeObject(v.Len())
		for n, x := range v.All() {
			out.Set(d.clean(n), d.cleaned(x))
		}
		return out
	}
	return v
}

// discreet returns an error without secrets.
func (d *declaredTool) discreet(err error) error {
	if d.clean == nil || tool.Ends(err) {
		return err
	}
	var e *tool.Error
	if !errors.As(err, &e) {
		e = &tool.Error{Tool: d.Name(), Text: err.Error()}
	}
	return &tool.Error{Tool: e.Tool, Text: d.clean(e.Text)}
}

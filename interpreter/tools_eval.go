package interpreter

import (
	"context"
	"errors"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/value"
)

// evaluation evaluates the expressions of one call; after an error it does nothing.
type evaluation struct {
	tool  *declaredTool
	ctx   context.Context
	args  *value.Object
	reply map[string]any // what the body gave
	err   error
}

func (x *evaluation) value(v program.Value, what string) any {
	if x.err != nil || v.IsZero() {
		return nil
	}
	if v.Expr == nil {
		out, _ := x.lookup(v.Root)
		return out
	}
	code, err := v.Expr.Compile()
	var out any
	if err == nil {
		out, err = code.Eval(x.ctx, func(root string) (any, bool) {
			if out, ok := x.lookup(root); ok {
				return out, true
			}
			if root == "model" || root == "module" {
				return plan.NamesIn(v.Expr, root), true
			}
			return nil, false
		})
	}
	if err == nil {
		return out
	}
	var e *expr.EvalError
	switch {
	case v.Sensitive:
		x.err = x.tool.failed("`%s` cannot be evaluated; what went wrong is not shown, because a secret is part of it", what)
	case errors.As(err, &e):
		x.err = x.tool.failed("`%s` cannot be evaluated: %s", what, e.Message)
	default:
		x.err = x.tool.failed("`%s` cannot be evaluated: %s", what, err)
	}
	return nil
}

func (x *evaluation) lookup(root string) (any, bool) {
	if v, ok := x.reply[root]; ok {
		return v, true
	}
	if v, ok := x.args.Get(root); ok {
		return v, true
	}
	switch root {
	case "inputs":
		return x.args, true
	case "var":
		return x.tool.vars, true
	}
	return nil, false
}

// text evaluates a value that is a text; null is "".
func (x *evaluation) text(v program.Value, what string) string {
	switch s := x.value(v, what).(type) {
	case nil:
		return ""
	case string:
		return s
	default:
		return string(value.EncodeJSON(s))
	}
}

func (x *evaluation) texts(v program.Value, what string) []string {
	list, _ := x.value(v, what).([]any)
	out := make([]string, len(list))
	for i, e := range list {
		s, ok := e.(string)
		if !ok {
			s = string(value.EncodeJSON(e))
		}
		out[i] = s
	}
	return out
}

// pairs evaluates headers or an environment; those that are null are left out. In
// the name of a header an underscore stands for `-`.
func (x *evaluation) pairs(bs []program.Binding, header bool) []tool.Pair {
	var out []tool.Pair
	for _, b := range bs {
		v := x.value(b.Value, b.Name)
		if v == nil {
			continue
		}
		s, ok := v.(string)
		if !ok {
			s = string(value.EncodeJSON(v))
		}
		name := b.Name
		if header {
			name = strings.ReplaceAll(name, "_", "-")
		}
		out = append(out, tool.Pair{Name: name, Value: s})
	}
	return out
}

package expr

import "github.com/dspi-lang/dspi/lang/types"

// NewMetric returns a function that a host adds (Scope.Own): of two values, an
// answer and what is expected, that gives a number. WithHost supplies it.
func NewMetric(name, doc string) Function {
	return Function{
		Name: name, Params: "answer, expected", Result: "float", Doc: doc, Host: true,
		params: []param{{name: "answer", takes: anything}, {name: "expected", takes: anything}}, result: gives(types.Float),
	}
}

// metricFunctions are the built-in metrics of two values. Places that judge
// outputs allow them (Scope.Host); stdlib/metrics computes them.
func metricFunctions() []Function {
	pair := []param{{name: "answer", takes: anything}, {name: "expected", takes: anything}}
	return []Function{
		{Name: "exact_match", Params: "answer, expected", Result: "bool", Doc: "whether two texts are the same, case, punctuation and articles aside; expected may be a list, of which one must match", Host: true,
			Example: `exact_match("The Seine.", "seine")`, Gives: "true", params: pair, result: gives(types.Bool)},
		{Name: "f1", Params: "answer, expected", Result: "float", Doc: "how many words two texts have in common, as the mean of precision and recall; expected may be a list, of which the best counts", Host: true,
			Example: `f1("the river Seine", "Seine")`, Gives: "0.6666666666666666", params: pair, result: gives(types.Float)},
		{Name: "passage_match", Params: "passages, answer", Result: "bool", Doc: "whether a passage holds the words of the answer, case aside; answer may be a list, of which one must be held", Host: true,
			Example: `passage_match(["Paris lies on the Seine."], "seine")`, Gives: "true",
			params: []param{{name: "passages", takes: aList}, {name: "answer", takes: anything}}, result: gives(types.Bool)},
	}
}

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
		{Name: "bleu", Params: "answer, expected", Result: "float", Doc: "how many runs of up to four words two texts have in common, as sacrebleu's sentence BLEU; expected may be a list of texts, each of which is right", Host: true,
			Example: `bleu("the cat sat", "the cat sat")`, Gives: "1.0", params: pair, result: gives(types.Float)},
		{Name: "rouge_l", Params: "answer, expected", Result: "float", Doc: "how long a run of words two texts have in common, gaps allowed, as the F-measure of ROUGE-L; expected may be a list, of which the best counts", Host: true,
			Example: `rouge_l("the cat sat", "the cat")`, Gives: "0.8", params: pair, result: gives(types.Float)},
		{Name: "list_f1", Params: "answer, expected", Result: "float", Doc: "how many items two lists have in common, as the mean of precision and recall", Host: true,
			Example: `list_f1(["a cat", "dog"], ["cat", "bird"])`, Gives: "0.5", params: pair, result: gives(types.Float)},
		{Name: "number_match", Params: "answer, expected", Result: "bool", Doc: "whether two numbers are the same, to the sixth digit; of a text its last number counts", Host: true,
			Example: `number_match("It costs $1,200.", 1200)`, Gives: "true", params: pair, result: gives(types.Bool)},
		{Name: "absolute_error", Params: "answer, expected", Result: "float", Doc: "how far apart two numbers are; of a text its last number counts", Host: true,
			Example: `absolute_error(2.5, 2)`, Gives: "0.5", params: pair, result: gives(types.Float)},
		{Name: "passage_match", Params: "passages, answer", Result: "bool", Doc: "whether a passage holds the words of the answer, case aside; answer may be a list, of which one must be held", Host: true,
			Example: `passage_match(["Paris lies on the Seine."], "seine")`, Gives: "true",
			params: []param{{name: "passages", takes: aList}, {name: "answer", takes: anything}}, result: gives(types.Bool)},
	}
}

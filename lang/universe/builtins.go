package universe

import "github.com/dspi-lang/dspi/lang/types"

// Metric is a built-in metric, named `metric.exact_match`.
type Metric struct {
	Name string
	Doc  string
	// Compares tells that it compares an output with the row's column of the
	// same name. Others measure the run: its cost, its time.
	Compares bool
	// Params are the names of the two values that it is called with in an
	// expression, `exact_match(prediction.answer, example.answer)`; "" when it
	// cannot be called.
	Params string
	Type   types.Type
	// Lower tells that less is better.
	Lower bool
	Unit  string
	// Own tells that a host has added it: it can be called, with two values, and
	// gives a number.
	Own bool
}

// Metrics are the built-in metrics.
var Metrics = []Metric{
	{Name: "exact_match", Doc: "Whether the texts are the same, case, punctuation and articles aside.", Compares: true, Params: "answer, expected", Type: types.Bool},
	{Name: "f1", Doc: "How many words the texts have in common, as the mean of precision and recall.", Compares: true, Params: "answer, expected", Type: types.Float},
	{Name: "passage_match", Doc: "Whether one of the passages holds the answer.", Params: "passages, answer", Type: types.Bool},
	{Name: "bleu", Doc: "How many runs of up to four words the texts have in common: sentence BLEU, as sacrebleu computes it.", Compares: true, Params: "answer, expected", Type: types.Float},
	{Name: "rouge_l", Doc: "How long a run of words the texts have in common, gaps allowed: the F-measure of ROUGE-L.", Compares: true, Params: "answer, expected", Type: types.Float},
	{Name: "list_f1", Doc: "How many items the lists have in common, as the mean of precision and recall.", Compares: true, Params: "answer, expected", Type: types.Float},
	{Name: "number_match", Doc: "Whether the numbers are the same, to the sixth digit.", Compares: true, Params: "answer, expected", Type: types.Bool},
	{Name: "absolute_error", Doc: "How far apart the numbers are.", Compares: true, Params: "answer, expected", Type: types.Float, Lower: true},
	{Name: "accuracy", Doc: "Whether the values are the same, to the letter.", Compares: true, Type: types.Bool},
	{Name: "macro_f1", Doc: "The mean of each class's F1 over all rows together, of an output that is one of a few classes; where several have a label, the mean of theirs. No row has a score of it, so no optimizer can aim at it.", Compares: true, Type: types.Float},
	{Name: "semantic_f1", Doc: "How much of each other's meaning the texts hold, as a model judges it.", Compares: true, Type: types.Float},
	{Name: "complete_and_grounded", Doc: "Whether the text says what is expected and nothing that the output `context` does not hold, as a model judges it.", Compares: true, Type: types.Float},
	{Name: "cost", Doc: "What the run cost.", Type: types.Float, Lower: true, Unit: "US dollars"},
	{Name: "latency", Doc: "How long the run took.", Type: types.Float, Lower: true, Unit: "seconds"},
	{Name: "tokens", Doc: "How many tokens were sent and received.", Type: types.Float, Lower: true, Unit: "tokens"},
	{Name: "calls", Doc: "How often a model was called.", Type: types.Float, Lower: true, Unit: "calls"},
}

// Tool is a built-in tool, named `tool.calculator`.
type Tool struct {
	Name    string
	Doc     string
	Inputs  []types.Field
	Outputs []types.Field
	// Needs is the setting of the program without which it cannot be called; "" for none.
	Needs string
}

// Tools are the built-in tools. What each does is in stdlib/tools. A retriever in a
// list of tools is one, too: `retriever.wiki` is called search_wiki.
var Tools = []Tool{
	{
		Name: "calculator", Doc: "Evaluates an arithmetic expression. It knows + - * / // % **, parentheses, sqrt, exp, log (natural), log10, log2, sin, cos, tan, abs, round, floor, ceil, min, max, factorial, pi and e.",
		Inputs:  []types.Field{{Name: "expression", Type: types.String, Description: "such as (3 + 4) * 2.5"}},
		Outputs: []types.Field{{Name: "result", Type: types.Float}},
	},
	{
		Name: "files", Needs: "local_files", Doc: "Reads a text file of the program's folder, or lists a folder: one name a line, those of folders end in a slash.",
		Inputs: []types.Field{
			{Name: "path", Type: types.String, Default: ".", HasDefault: true, Description: "of a file or folder, such as notes/today.md"},
			{Name: "from_line", Type: types.Int, Default: 1, HasDefault: true, Description: "where to begin in a long file"},
		},
		Outputs: []types.Field{
			{Name: "text", Type: types.String},
			{Name: "next_line", Type: types.NewOptional(types.Int), Description: "where to go on when there is more"},
		},
	},
	{
		Name: "http_get", Doc: "Reads a page or an answer of the public internet as text.",
		Inputs: []types.Field{
			{Name: "url", Type: types.String, Description: "begins with https:// or http://"},
			{Name: "from_character", Type: types.Int, Default: 0, HasDefault: true, Description: "where to begin in a long text"},
		},
		Outputs: []types.Field{
			{Name: "status", Type: types.Int, Description: "200 where all went well"},
			{Name: "text", Type: types.String},
			{Name: "next_character", Type: types.NewOptional(types.Int), Description: "where to go on when there is more"},
		},
	},
}

// UsageFields are what `usage` has in a metric.
var UsageFields = []types.Field{
	{Name: "calls", Type: types.Int, Description: "calls of models"},
	{Name: "input_tokens", Type: types.Int, Description: "tokens sent"},
	{Name: "output_tokens", Type: types.Int, Description: "tokens received"},
	{Name: "usd", Type: types.NewOptional(types.Float), Description: "the cost in US dollars, null where a price is not known"},
	{Name: "seconds", Type: types.Float, Description: "the time of the run"},
}

// Callable returns the names of the metrics that expressions can call.
func (u *Universe) Callable() []string {
	var out []string
	for _, m := range u.Metrics {
		if m.Params != "" && !m.Own {
			out = append(out, m.Name)
		}
	}
	return out
}

// Metric returns the built-in metric of a name.
func (u *Universe) Metric(name string) (*Metric, bool) {
	return find(u.Metrics, func(m *Metric) bool { return m.Name == name })
}

// Tool returns the built-in tool of a name.
func (u *Universe) Tool(name string) (*Tool, bool) {
	return find(u.Tools, func(t *Tool) bool { return t.Name == name })
}

// Optimizer returns the optimizer of a name.
func (u *Universe) Optimizer(name string) (*Optimizer, bool) {
	return find(u.Optimizers, func(o *Optimizer) bool { return o.Name == name })
}

func find[T any](all []T, is func(*T) bool) (*T, bool) {
	for i := range all {
		if is(&all[i]) {
			return &all[i], true
		}
	}
	return nil, false
}

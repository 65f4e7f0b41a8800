package modules

import (
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

// The modules that are checked and planned but cannot run yet; a run that needs
// one is refused, and says what is missing.

func bound(f float64) *float64 { return &f }

var samples = universe.Setting{Name: "n", Kind: universe.Integer, Doc: "How many answers are asked for.", Default: "5", Min: bound(1), Max: bound(100)}

var pending = []Entry{
	{Module: universe.Module{
		Name: "retrieve", Doc: "find passages", Pending: "searching a retriever", Opaque: true,
		Inputs: []types.Field{{Name: "query", Type: types.String}},
		Outputs: []types.Field{
			{Name: "passages", Type: &types.List{Elem: types.String}, Description: "best first"},
			{Name: "scores", Type: &types.List{Elem: types.Float}},
			{Name: "ids", Type: &types.List{Elem: types.String}},
		},
		Settings: []universe.Setting{
			{Name: "from", Kind: universe.RetrieverOf, Required: true, Doc: "The retriever that is searched.", Fixed: true},
			{Name: "k", Kind: universe.Integer, Doc: "How many passages are wanted.", Default: "5", Min: bound(1), Max: bound(10000)},
		},
		Example: `retrieve docs {
  from = retriever.wiki
  k    = 4
  inputs { query = question }
}`,
	}},
	{Module: universe.Module{
		Name: "react", Doc: "act with tools until the answer is found", Pending: "calling tools",
		Settings: []universe.Setting{
			{Name: "tools", Kind: universe.ToolList, Required: true, Doc: "What the model may call.", Fixed: true},
			{Name: "max_iters", Kind: universe.Integer, Doc: "The most actions.", Default: "20", Min: bound(1), Max: bound(1000)},
			{Name: "style", Kind: universe.Choice, Choices: []string{"typed", "dspy"}, Doc: "Typed actions, or DSPy's own fields and messages.", Default: "typed", Fixed: true},
		},
		Example: `react agent {
  tools     = [tool.calculator]
  max_iters = 6
}`,
	}},
	{Module: universe.Module{
		Name: "best_of_n", Doc: "the best of several answers", Pending: "sampling several answers", Wraps: true,
		Settings: []universe.Setting{
			samples,
			{Name: "reward", Kind: universe.Judgement, Required: true, Doc: "How good an answer is, over the step's own inputs and outputs."},
			{Name: "threshold", Kind: universe.Number, Doc: "An answer as good as this ends the search.", Default: "none"},
		},
		Example: `best_of_n pick {
  n      = 5
  reward = len(answer) < 80 ? 1.0 : 0.2
  chain_of_thought {}
}`,
	}},
	{Module: universe.Module{
		Name: "refine", Doc: "again with advice, until good enough", Pending: "asking again with advice", Wraps: true,
		Settings: []universe.Setting{
			{Name: "n", Kind: universe.Integer, Doc: "The most attempts.", Default: "3", Min: bound(1), Max: bound(100)},
			{Name: "reward", Kind: universe.Judgement, Required: true, Doc: "How good an answer is, over the step's own inputs and outputs."},
			{Name: "threshold", Kind: universe.Number, Required: true, Doc: "An answer as good as this ends the attempts."},
		},
		Example: `refine better {
  n         = 3
  threshold = 0.9
  reward    = len(answer) < 80 ? 1.0 : 0.2
  predict {}
}`,
	}},
	{Module: universe.Module{
		Name: "retry", Doc: "again until it succeeds", Pending: "repeating a failed step", Wraps: true,
		Settings: []universe.Setting{
			{Name: "attempts", Kind: universe.Integer, Doc: "The most attempts.", Default: "3", Min: bound(1), Max: bound(100)},
		},
		Example: `retry sure {
  attempts = 3
  predict {}
}`,
	}},
	{Module: universe.Module{
		Name: "majority", Doc: "the answer that most samples give", Pending: "sampling several answers", Wraps: true,
		Settings: []universe.Setting{
			samples,
			{Name: "field", Kind: universe.Text, Doc: "The output that is voted on.", Default: "the last one", Fixed: true},
		},
		Example: `majority vote {
  n = 5
  chain_of_thought {}
}`,
	}},
	{Module: universe.Module{
		Name: "multi_chain_comparison", Doc: "compare several chains of reasoning", Pending: "sampling several answers", Wraps: true,
		Adds: []types.Field{{Name: "rationale", Type: types.String}},
		Settings: []universe.Setting{
			{Name: "m", Kind: universe.Integer, Doc: "How many chains are compared.", Default: "3", Min: bound(2), Max: bound(20)},
		},
		Example: `multi_chain_comparison compare {
  m = 3
  chain_of_thought {}
}`,
	}},
	{Module: universe.Module{
		Name: "python", Doc: "a class or function in Python", Pending: "running Python", Opaque: true,
		Settings: []universe.Setting{
			{Name: "call", Kind: universe.Text, Required: true, Doc: "What is called: `module:Class` or `module:function`, from a file beside this one.", Fixed: true},
		},
		Example: `python rank {
  call = "rankers:Ranker"
  question: string, answer: string -> score: float
}`,
	}},
	{Module: universe.Module{
		Name: "dspy", Doc: "any class of DSPy", Pending: "running Python",
		Settings: []universe.Setting{
			{Name: "class", Kind: universe.Text, Required: true, Doc: "The class: `dspy.RLM`.", Fixed: true},
		},
		Example: `dspy explore {
  class = "dspy.RLM"
  question: string -> answer: string
}`,
	}},
}

// choosing is `module NAME { use = … }`: the machine looks at what is chosen.
var choosing = Entry{Module: universe.Module{
	Name: "module", Doc: "a module that a variable chooses",
	Settings: []universe.Setting{
		{Name: "use", Kind: universe.ModuleOf, Required: true, Doc: "The module, usually a variable of type `module`.", Fixed: true},
	},
	Example: `module classify {
  use = var.strategy
}`,
}}

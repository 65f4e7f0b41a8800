package universe

import "slices"

func bound(f float64) *float64 { return &f }

// CallSettings are the parameters of a model's call. A model sets them for all
// its calls, a step for its own.
var CallSettings = []Setting{
	{Name: "temperature", Kind: Number, Doc: "How freely the model chooses its words.", Default: "the provider's", Min: bound(0), Max: bound(2)},
	{Name: "top_p", Kind: Number, Doc: "Choose among the likeliest words that together have this probability.", Default: "the provider's", Min: bound(0), Max: bound(1)},
	{Name: "max_tokens", Kind: Integer, Doc: "The longest reply, in tokens.", Default: "the provider's", Min: bound(1)},
	{Name: "seed", Kind: Integer, Doc: "Asks the provider for the same reply to the same request.", Default: "none"},
	{Name: "stop", Kind: TextList, Doc: "Texts at which the reply ends.", Default: "none"},
	{Name: "reasoning_effort", Kind: Choice, Choices: []string{"minimal", "low", "medium", "high"}, Doc: "How much a model that reasons does so before it answers.", Default: "the provider's"},
}

// ReplyModes are the ways to read a reply, from the narrowest to the widest.
var ReplyModes = []string{"strict", "repair", "lenient"}

// StepBlock is what every step takes.
var StepBlock = Block{
	Name:  "step",
	Doc:   "One call of a module: what goes in, what comes out.",
	Named: true, Signature: true,
	Settings: append([]Setting{
		{Name: "signature", Kind: SignatureOf, Doc: "The declared signature of the step, instead of fields in the block.", Fixed: true},
		{Name: "instructions", Kind: Text, Doc: "What the model is told to do.", Default: "a sentence that names the fields"},
		{Name: "model", Kind: ModelOf, Doc: "The model that answers this step.", Default: "the program's", Fixed: true},
		{Name: "adapter", Kind: Choice, Choices: adapterNames(), Doc: "How the prompt is written and the reply read.", Default: "chat", Fixed: true},
		{Name: "retries", Kind: Integer, Doc: "How often the model is asked again when its reply does not fit, with what was wrong.", Default: "1", Min: bound(0), Max: bound(10)},
		{Name: "rollout", Kind: Integer, Doc: "Tells samples of one call apart: each number gets a reply of its own, although replies are cached.", Default: "0", Min: bound(0)},
		{Name: "replies", Kind: Choice, Choices: ReplyModes, Doc: "How a reply is read: only as it was asked for, repaired where it can mean one thing only, or guessed at.", Default: "repair", Fixed: true},
		{Name: "backend", Kind: Choice, Choices: []string{"native", "python"}, Doc: "Which runtime does the work: dspi itself, or DSPy in Python.", Default: "native", Fixed: true},
	}, append(slices.Clone(FlowSettings), CallSettings...)...),
	Blocks: []Block{
		{Name: "inputs", Names: true, Doc: "Where the step's inputs come from; one left out takes the program's input or state of the same name."},
		assertBlock("assert", "What must hold of the step's outputs; else it is asked again and, in the end, the run fails."),
		assertBlock("suggest", "What should hold of the step's outputs; else it is asked again and, in the end, the failure is recorded."),
	},
	Example: `chain_of_thought respond {
  question: string, notes: string -> answer: string
  inputs { notes = find.notes }
}`,
}

// FlowSettings say when and how often a step runs.
var FlowSettings = []Setting{
	{Name: "when", Kind: Boolean, Doc: "Runs the step only if this holds; its outputs may be null then."},
	{Name: "otherwise", Kind: StepOf, Doc: "Runs the step exactly when the named one was skipped.", Fixed: true},
	{Name: "for_each", Kind: Any, Doc: "Runs the step once for each element of a list; its outputs become lists."},
	{Name: "concurrency", Kind: Integer, Doc: "With `for_each`: the most elements at once.", Default: "8", Min: bound(1), Max: bound(10000)},
	{Name: "on_error", Kind: Choice, Choices: []string{"fail", "null"}, Doc: "With `for_each`: an element that fails stops the run, or leaves null.", Default: "fail", Fixed: true},
}

func assertBlock(name, doc string) Block {
	return Block{Name: name, Named: true, Doc: doc, Settings: []Setting{
		{Name: "that", Kind: Judgement, Required: true, Doc: "The condition, over the step's own inputs and outputs."},
		{Name: "message", Kind: Judgement, Doc: "What the model is told when it does not hold.", Default: "the condition itself"},
		{Name: "retries", Kind: Integer, Doc: "How often the step is asked again.", Default: "2", Min: bound(0), Max: bound(10), Fixed: true},
	}}
}

// RepeatBlock is `repeat NAME { … }`: steps again and again until a condition holds.
var RepeatBlock = Block{
	Name: "repeat", Named: true, Steps: true,
	Doc: "Steps again and again: a round is all its steps, then `next`, then `until`.",
	Settings: []Setting{
		FlowSettings[0], // when
		FlowSettings[1], // otherwise
		{Name: "until", Kind: Boolean, Doc: "Ends the rounds when it holds; it sees the state, the round's steps and `round`."},
		{Name: "max_rounds", Kind: Integer, Required: true, Doc: "The most rounds. Reaching it is no error: `NAME.done` is false then.", Min: bound(1), Max: bound(1000)},
	},
	Blocks: []Block{
		{Name: "state", Names: true, Doc: "What the rounds hand on, with its first values."},
		{Name: "next", Names: true, Doc: "The state after a round; what is left out stays."},
	},
	Example: `repeat improve {
  state { draft = first.text }
  until      = judge.good
  max_rounds = 3

  predict judge  { draft: string -> good: bool, advice: string }
  predict revise {
    draft: string, advice: string -> better: string
    inputs { advice = judge.advice }
  }
  next { draft = revise.better }
}`,
}

// Blocks are the kinds of block at the top of a file.
var Blocks = append(core, Declarations...)

var core = []Block{
	{
		Name: "import", Doc: "Makes the declarations of another file visible here.",
		Example: `import "lib/types.dsp"`,
	},
	{
		Name: "type", Named: true, Signature: true,
		Doc: "Names a type: `type Mood = \"angry\" | \"happy\"`, or an object with fields.",
		Example: `type Contact {
  name:  string
  email: string? "null when the message gives none"
}`,
	},
	{
		Name: "enum", Named: true,
		Doc: "Values with a name, what the model sees, and what they mean.",
		Example: `enum Queue {
  refunds                 "money is to be given back"
  lost_card = "lost card" "a card is lost or stolen"
}`,
	},
	{
		Name: "signature", Named: true, Signature: true,
		Doc: "What goes in, what comes out, and what the model is told; its words are the prompt.",
		Settings: []Setting{
			{Name: "instructions", Kind: Text, Doc: "What the model is told to do.", Default: "a sentence that names the fields", Fixed: true},
		},
		Example: `signature Answer {
  instructions = "Answer in one sentence."
  question: string -> answer: string
}`,
	},
	{
		Name: "program", Named: true, Signature: true, Steps: true,
		Doc: "Inputs, outputs, and the steps between them. Without steps it is one `predict` step.",
		Settings: append([]Setting{
			{Name: "signature", Kind: SignatureOf, Doc: "The declared signature of the program, instead of fields in the block.", Fixed: true},
			{Name: "instructions", Kind: Text, Doc: "What the model is told to do, for steps that have the program's signature.", Default: "a sentence that names the fields"},
			{Name: "model", Kind: ModelOf, Doc: "The model that answers the program's steps.", Default: "the default model", Fixed: true},
			{Name: "adapter", Kind: Choice, Choices: adapterNames(), Doc: "How prompts are written and replies read.", Default: "chat", Fixed: true},
			{Name: "replies", Kind: Choice, Choices: ReplyModes, Doc: "How replies are read: only as they were asked for, repaired where they can mean one thing only, or guessed at.", Default: "repair", Fixed: true},
			{Name: "local_files", Kind: Text, Doc: "The folder, relative to this file, from which pictures, sounds and documents given as a path are read.", Default: "none: a path is refused", Fixed: true},
			{Name: "backend", Kind: Choice, Choices: []string{"native", "python"}, Doc: "Which runtime does the work of the steps.", Default: "native", Fixed: true},
			{Name: "retries", Kind: Integer, Doc: "How often a model is asked again when its reply does not fit.", Default: "1", Min: bound(0), Max: bound(10)},
		}, CallSettings...),
		Blocks: []Block{
			{Name: "outputs", Names: true, Doc: "Where the program's outputs come from; one left out takes the field of the same name if exactly one step makes it."},
		},
		Example: `program hello {
  question: string -> answer: string
}`,
	},
	{
		Name: "model", Named: true,
		Doc: "Where calls go, how fast, how often, and at what price.",
		Settings: append([]Setting{
			{Name: "provider", Kind: Text, Doc: "Whose protocol the model speaks.", Fixed: true},
			{Name: "name", Kind: Text, Doc: "The provider's name for the model.", Fixed: true},
			{Name: "base_url", Kind: Text, Doc: "The server's address, for servers of your own.", Default: "the provider's", Fixed: true, Secret: true},
			{Name: "api_key", Kind: Text, Doc: "The key, usually a sensitive variable.", Default: "the provider's environment variable", Fixed: true, Secret: true},
			{Name: "api", Kind: Choice, Choices: []string{"chat", "responses"}, Doc: "Which interface of the provider is spoken: chat completions, or OpenAI's Responses.", Default: "chat", Fixed: true},
			{Name: "timeout", Kind: Duration, Doc: "The longest wait for one whole reply.", Default: "60s", Fixed: true},
			{Name: "default", Kind: Boolean, Doc: "Answers every step for which nothing else is said.", Default: "false", Fixed: true},
			{Name: "route", Kind: Choice, Choices: []string{"fallback", "load_balanced", "cost_optimized", "latency_optimized", "adaptive"}, Doc: "How one of several models is chosen for a call.", Fixed: true},
			{Name: "models", Kind: ModelList, Doc: "The models of a route, the first one first. No other ever answers.", Fixed: true},
			{Name: "quality_min", Kind: Number, Doc: "Of a route that is `cost_optimized`: members whose `quality` is lower are left out.", Default: "none", Min: bound(0), Max: bound(1), Fixed: true},
			{Name: "confidence", Kind: Text, Doc: "Of a route that is `cost_optimized`: the output, from 0 to 1, that says how sure a reply is.", Default: "none: every reply stands", Fixed: true},
			{Name: "confidence_min", Kind: Number, Doc: "A reply that is less sure does not stand, and the next dearer member is asked.", Min: bound(0), Max: bound(1), Fixed: true},
		}, fixed(CallSettings)...),
		Blocks: []Block{
			{Name: "limits", Doc: "How much is sent at once and per minute.", Settings: []Setting{
				{Name: "concurrency", Kind: Integer, Doc: "The most calls under way at once.", Default: "64", Min: bound(1), Fixed: true},
				{Name: "requests_per_minute", Kind: Integer, Doc: "The most calls begun in any 60 seconds.", Default: "no limit", Min: bound(1), Fixed: true},
				{Name: "tokens_per_minute", Kind: Integer, Doc: "The most tokens sent and received in any 60 seconds.", Default: "no limit", Min: bound(1), Fixed: true},
			}},
			{Name: "retry", Doc: "What happens when a call fails for a passing reason.", Settings: []Setting{
				{Name: "attempts", Kind: Integer, Doc: "The most calls in all.", Default: "3", Min: bound(1), Max: bound(20), Fixed: true},
				{Name: "base", Kind: Duration, Doc: "The first wait; it doubles with each attempt.", Default: "500ms", Fixed: true},
				{Name: "max", Kind: Duration, Doc: "The longest wait.", Default: "30s", Fixed: true},
			}},
			{Name: "timeouts", Doc: "The longest waits for parts of a reply; `timeout` is for the whole.", Settings: []Setting{
				{Name: "connect", Kind: Duration, Doc: "For a connection to the server.", Default: "no limit", Fixed: true},
				{Name: "first_token", Kind: Duration, Doc: "For the first piece of a reply that is streamed.", Default: "no limit", Fixed: true},
				{Name: "idle", Kind: Duration, Doc: "From one piece of a reply that is streamed to the next.", Default: "no limit", Fixed: true},
			}},
			{Name: "breaker", Doc: "When a model that does not answer is left alone.", Settings: []Setting{
				{Name: "failures", Kind: Integer, Doc: "So many calls that began one after another must fail.", Default: "8", Min: bound(1), Max: bound(1000), Fixed: true},
				{Name: "cooldown", Kind: Duration, Doc: "How long calls fail at once then, until one is sent as a probe.", Default: "15s", Fixed: true},
			}},
			{Name: "hedge", Doc: "Sends a call again while the first is under way; the first reply wins.", Settings: []Setting{
				{Name: "after", Kind: Duration, Doc: "Without a reply for so long; streamed, without its first piece.", Required: true, Fixed: true},
				{Name: "max", Kind: Integer, Doc: "The most further requests for one call.", Default: "1", Min: bound(1), Max: bound(5), Fixed: true},
			}},
			{Name: "member", Doc: "One model of a route, with what the route should know of it; instead of `models`.", Settings: []Setting{
				{Name: "model", Kind: ModelOf, Doc: "The model.", Required: true, Fixed: true},
				{Name: "weight", Kind: Number, Doc: "Its share of the calls, when the route is `load_balanced`.", Default: "1", Min: bound(0.001), Max: bound(1000), Fixed: true},
				{Name: "quality", Kind: Number, Doc: "How good its replies are, as you measured it.", Default: "not known", Min: bound(0), Max: bound(1), Fixed: true},
				{Name: "input_size_max", Kind: Integer, Doc: "It is left out when the messages have more characters.", Default: "no limit", Min: bound(1), Fixed: true},
				{Name: "cost_limit", Kind: Number, Doc: "It is left out when the call is expected to cost more US dollars.", Default: "no limit", Min: bound(0), Fixed: true},
				{Name: "max_latency", Kind: Duration, Doc: "It is left out while its replies take longer on average.", Default: "no limit", Fixed: true},
			}},
			{Name: "price", Doc: "US dollars per million tokens.", Settings: []Setting{
				{Name: "input", Kind: Number, Doc: "The price of what is sent.", Required: true, Min: bound(0), Fixed: true},
				{Name: "output", Kind: Number, Doc: "The price of what is answered.", Required: true, Min: bound(0), Fixed: true},
			}},
		},
		Example: `model fast {
  provider = "openai"
  name     = "gpt-4o-mini"
}`,
	},
	{
		Name: "variable", Named: true,
		Doc: "A value that can be set from outside: `variable k: int(min = 1, max = 10) { default = 4 }`.",
		Settings: []Setting{
			{Name: "default", Kind: Literal, Doc: "The value when none is given: a fixed value, or `env(\"NAME\")`.", Default: "none: a value must be given", Fixed: true, Secret: true},
			{Name: "sensitive", Kind: Boolean, Doc: "A secret: it may flow to keys and addresses only, and is never shown.", Default: "false", Fixed: true},
			{Name: "description", Kind: Text, Doc: "What the variable is for.", Fixed: true},
			{Name: "choices", Kind: Choices, Doc: "The models or modules to choose from, for a variable of type `model` or `module`.", Fixed: true},
			{Name: "scale", Kind: Choice, Choices: []string{"linear", "log"}, Doc: "How a tuner spreads its trials over the range.", Default: "linear", Fixed: true},
			{Name: "value", Kind: Any, Doc: "Makes the variable of other variables, instead of a default; it cannot be set from outside."},
		},
		Example: `variable k: int(min = 1, max = 10) { default = 4 }`,
	},
}

func fixed(in []Setting) []Setting {
	out := make([]Setting, len(in))
	for i, s := range in {
		s.Fixed = true
		out[i] = s
	}
	return out
}

// Adapters are the ways to write a prompt and to read its reply.
var Adapters = []Setting{
	{Name: "chat", Doc: "Fields under marked headings, as DSPy's ChatAdapter writes them."},
	{Name: "json", Doc: "One JSON object as the reply, as DSPy's JSONAdapter asks for it; a model that can is held to its schema."},
	{Name: "xml", Doc: "Fields between tags, as DSPy's XMLAdapter writes them."},
	{Name: "compact", Doc: "As json, with types drawn as short declarations: about a third of the tokens that json takes to say them."},
	{Name: "two_step", Doc: "The model answers in its own words; a second call reads the outputs from them. As DSPy's TwoStepAdapter, for models that reason."},
}

func adapterNames() []string {
	names := make([]string, len(Adapters))
	for i, a := range Adapters {
		names[i] = a.Name
	}
	return names
}

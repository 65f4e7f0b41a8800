package universe

// description is the setting of that name in a declaration.
func description(doc string) Setting {
	return Setting{Name: "description", Kind: Text, Doc: doc, Fixed: true}
}

// concurrency is how much of a measurement runs at once.
var concurrency = Setting{Name: "concurrency", Kind: Integer, Doc: "The most rows under way at once.", Default: "8", Min: bound(1), Max: bound(1024), Fixed: true}

// maxErrors is when a measurement gives up.
var maxErrors = Setting{Name: "max_errors", Kind: Integer, Doc: "The run is given up when more rows than this fail.", Default: "10", Min: bound(0), Fixed: true}

// toolTimeout is the longest wait for a tool.
func toolTimeout(what string) Setting {
	return Setting{Name: "timeout", Kind: Duration, Doc: "The longest wait for " + what + ".", Default: "30s", Fixed: true}
}

// maxBytes is the most that is read of what a tool gives.
func maxBytes(what string) Setting {
	return Setting{Name: "max_bytes", Kind: Integer, Doc: "The most that is read of " + what + ", in bytes.", Default: "1_000_000", Min: bound(1), Fixed: true}
}

// inPython is the block that names a function in Python.
func inPython(doc, call, timeout string) Block {
	return Block{Name: "python", Doc: doc, Settings: []Setting{
		{Name: "call", Kind: Text, Doc: call, Required: true, Fixed: true},
		{Name: "timeout", Kind: Duration, Doc: "The longest that Python may be at work without asking dspi for anything.", Default: timeout, Fixed: true},
	}}
}

// Declarations are the kinds of block that stand around programs: tools and
// passages, data and metrics, evaluation and tuning, constraints and tests.
var Declarations = []Block{
	{
		Name: "tool", Named: true, Signature: true,
		Doc: "What a model can call: a signature with a body, which is `outputs`, `http`, `command`, `starlark`, `python`, `mcp` or a program.",
		Settings: []Setting{
			description("What the tool does, for the model that chooses among tools."),
			{Name: "signature", Kind: SignatureOf, Doc: "The declared signature of the tool, instead of fields in the block.", Fixed: true},
			{Name: "program", Kind: ProgramOf, Doc: "The program that answers; the tool has its signature.", Fixed: true},
			{Name: "approve", Kind: Any, Doc: "Whether a person is asked before a call: `\"always\"`, `\"never\"`, or a condition over the inputs.", Default: `"never"`},
		},
		Blocks: []Block{
			{Name: "outputs", Names: true, Doc: "The outputs as expressions over the inputs; beside `http` also over `body`, `status` and `headers`, beside `command` over `stdout`, `stderr` and `status`."},
			{
				Name: "http", Doc: "A request; its reply is read as JSON where it is JSON, else as text.",
				Settings: []Setting{
					{Name: "method", Kind: Choice, Choices: []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"}, Doc: "The request's method.", Default: "GET", Fixed: true},
					{Name: "url", Kind: Text, Doc: "The address, made of inputs and variables; put `urlencode(…)` around inputs.", Required: true, Secret: true},
					{Name: "body", Kind: Any, Doc: "What is sent: text as it is, anything else as JSON.", Default: "nothing"},
					{Name: "allow_private", Kind: Boolean, Doc: "Allows addresses of this machine and of private networks.", Default: "false", Fixed: true},
					toolTimeout("the reply"), maxBytes("the reply"),
				},
				Blocks: []Block{
					{Name: "header", Names: true, Doc: "The request's headers; an underscore in a name stands for `-`."},
				},
			},
			{
				Name: "command", Doc: "A program of this machine, run without a shell.",
				Settings: []Setting{
					{Name: "argv", Kind: TextList, Doc: "The program and its arguments, one text each.", Required: true},
					{Name: "stdin", Kind: Text, Doc: "What the program reads.", Default: "nothing"},
					{Name: "folder", Kind: Text, Doc: "The folder it runs in.", Default: "the folder of the file", Fixed: true},
					toolTimeout("its end"), maxBytes("what it prints"),
				},
				Blocks: []Block{
					{Name: "env", Names: true, Doc: "What is added to its environment; it sees nothing else of yours but PATH, HOME, LANG and TMPDIR."},
				},
			},
			{
				Name: "starlark", Doc: "A function in Starlark, a small Python without files, network and clock.",
				Settings: []Setting{
					{Name: "code", Kind: Text, Doc: "The code, which defines the function.", Fixed: true},
					{Name: "file", Kind: Text, Doc: "A file of code, instead of `code`; it may `load` files beside it.", Fixed: true},
					{Name: "call", Kind: Text, Doc: "The function's name; it takes the inputs by name and returns the outputs as a dict, or the one output itself.", Default: "the tool's name", Fixed: true},
					toolTimeout("its end"),
				},
			},
			inPython("A function in Python, beside the file or installed.",
				"The function, `module:function`; it takes the inputs by name and returns the outputs as a dict, or the one output itself.", "30s"),
			{
				Name: "mcp", Doc: "A tool of a server that speaks the Model Context Protocol.",
				Settings: []Setting{
					{Name: "command", Kind: TextList, Doc: "The server as a program of this machine: the program and its arguments.", Fixed: true},
					{Name: "url", Kind: Text, Doc: "The server's address, instead of `command`.", Fixed: true, Secret: true},
					{Name: "tool", Kind: Text, Doc: "The tool's name on the server.", Default: "the name of the block", Fixed: true},
					toolTimeout("the reply"),
				},
				Blocks: []Block{
					{Name: "header", Names: true, Doc: "Headers for a server with an address; an underscore in a name stands for `-`."},
					{Name: "env", Names: true, Doc: "What is added to the environment of a server that is a program."},
				},
			},
		},
		Example: `tool area {
  description = "Area of a rectangle."
  width: float, height: float -> square_metres: float
  outputs { square_metres = width * height }
}`,
	},
	{
		Name: "retriever", Named: true,
		Doc: "Passages to search, from a file of rows or a folder of texts.",
		Settings: []Setting{
			description("What the passages are about."),
			{Name: "file", Kind: Text, Doc: "A file with one passage a row (.jsonl, .json, .csv, .tsv) or with a text (.md, .txt, .html, .pdf); a pattern such as data/*.jsonl for several.", Fixed: true},
			{Name: "folder", Kind: Text, Doc: "A folder of texts, instead of `file`.", Fixed: true},
			{Name: "pattern", Kind: Text, Doc: "Which files of the folder, `*.md`; `**` stands for any folders.", Default: "**/*.{md,txt,html,htm,pdf}", Fixed: true},
			{Name: "text", Kind: Text, Doc: "The column that is searched and given.", Default: "text", Fixed: true},
			{Name: "id", Kind: Text, Doc: "The column that names a passage.", Default: "id, else the row's number", Fixed: true},
			{Name: "title", Kind: Text, Doc: "The column that is put before the text.", Default: "none", Fixed: true},
			{Name: "method", Kind: Choice, Choices: []string{"bm25", "vector", "hybrid"}, Doc: "How passages are found: by words, by the nearness of vectors, or by both.", Default: "hybrid with an `embedder`, else bm25", Fixed: true},
			{Name: "embedder", Kind: ModelOf, Doc: "The model that makes the vectors: a declared one, `\"openai/text-embedding-3-small\"`, or `\"builtin/hash\"`, a weak baseline.", Default: "none", Fixed: true},
			{Name: "k", Kind: Integer, Doc: "How many passages a step gets that does not say.", Default: "5", Min: bound(1), Max: bound(1000), Fixed: true},
			{Name: "vector_weight", Kind: Number, Doc: "In hybrid, how much vectors count beside words: 0 is words alone, 1 vectors alone.", Default: "0.5", Min: bound(0), Max: bound(1), Fixed: true},
			{Name: "diversity", Kind: Number, Doc: "How much it counts that a passage is unlike those before it (maximal marginal relevance): 0 not at all.", Default: "0", Min: bound(0), Max: bound(1), Fixed: true},
			{Name: "rerank", Kind: ProgramOf, Doc: "A program that orders what was found anew: it takes `query` and `passages` and gives `scores`, one for each passage, or `order`, their positions from 0, the best first.", Default: "none", Fixed: true},
			{Name: "candidates", Kind: Integer, Doc: "How many passages `rerank` is given.", Default: "four times as many as are wanted, at least 20", Min: bound(1), Max: bound(1000), Fixed: true},
			{Name: "max_length", Kind: Integer, Doc: "The longest passage, in characters; longer texts are parted.", Default: "2000 for a folder; rows are whole", Min: bound(50), Fixed: true},
			{Name: "overlap", Kind: Integer, Doc: "How many characters two parts of a text share.", Default: "a tenth of `max_length`", Min: bound(0), Fixed: true},
		},
		Blocks: []Block{
			inPython("A function in Python that searches, instead of `file`.",
				"The function, a `dspy.Retrieve` or anything else that is called with a query and, where it takes one, `k`: `module:name`. It gives texts, dicts or objects with `long_text`.", "30s"),
		},
		Example: `retriever wiki {
  file = "data/wiki.jsonl"
  text = "text"
}`,
	},
	{
		Name: "dataset", Named: true,
		Doc: "Rows to evaluate and tune on: columns that are a program's inputs are inputs, the rest are labels.",
		Settings: []Setting{
			description("What the rows are."),
			{Name: "file", Kind: Text, Doc: "The file: .csv or .tsv with a header line, .jsonl with an object a line, .json with a list of objects, or .parquet; a pattern such as data/*.jsonl for several, which may be of several formats.", Fixed: true},
			{Name: "format", Kind: Choice, Choices: []string{"csv", "tsv", "jsonl", "json", "parquet"}, Doc: "What the file holds, where its name does not tell.", Default: "as the file's name tells", Fixed: true},
			{Name: "shuffle", Kind: Integer, Doc: "Puts the rows in a random order, the same one for the same number.", Default: "the file's order", Fixed: true},
			{Name: "from", Kind: Number, Doc: "Where the part of the rows begins that is meant, as a share of all: 0.8 leaves out the first four fifths.", Default: "0", Min: bound(0), Max: bound(1), Fixed: true},
			{Name: "to", Kind: Number, Doc: "Where it ends. Two parts that meet share no row.", Default: "1", Min: bound(0), Max: bound(1), Fixed: true},
			{Name: "stratify", Kind: Text, Doc: "A column: each part has the same share of each of its values.", Default: "none", Fixed: true},
			{Name: "sample", Kind: Integer, Doc: "So many rows, drawn at random; `shuffle` is the seed.", Default: "all", Min: bound(1), Fixed: true},
			{Name: "limit", Kind: Integer, Doc: "Only the first so many rows of what is left.", Default: "all", Min: bound(1), Fixed: true},
		},
		Blocks: []Block{
			{Name: "columns", Names: true, Doc: "Other names for columns: `intent = \"Label 1\"` calls that column `intent`."},
			{Name: "only", Names: true, Doc: "Only rows with these values: `split = \"test\"`."},
			inPython("A function in Python that gives the rows, instead of `file`.",
				"The function or generator, or a list: `module:name`. Rows are dicts or `dspy.Example`s.", "5m"),
		},
		Example: `dataset dev { file = "data/intents_dev.csv" }`,
	},
	{
		Name: "metric", Named: true, Steps: true,
		Doc: "How good an output is, from `example` (the row), `prediction` (the outputs) and `usage`; it may hold steps.",
		Settings: append([]Setting{
			description("What is measured."),
			{Name: "score", Kind: Any, Doc: "The score: a number, usually from 0 to 1, or true and false.", Required: true},
			{Name: "feedback", Kind: Text, Doc: "What was wrong, in words, for optimizers that read them."},
			{Name: "model", Kind: ModelOf, Doc: "The model that answers the metric's steps.", Default: "the default model", Fixed: true},
			{Name: "adapter", Kind: Choice, Choices: adapterNames(), Doc: "How prompts are written and replies read.", Default: "chat", Fixed: true},
			{Name: "retries", Kind: Integer, Doc: "How often a model is asked again when its reply does not fit.", Default: "1", Min: bound(0), Max: bound(10)},
		}, CallSettings...),
		Blocks: []Block{
			inPython("A function in Python that measures, instead of `score`.",
				"A metric as DSPy has them, `module:metric`: called with a `dspy.Example` and a `dspy.Prediction`, it gives a number, true or false, or a `dspy.Prediction` with `score` and `feedback`.", "5m"),
		},
		Example: `metric correct {
  score = exact_match(prediction.intent, example.intent)
}`,
	},
	{
		Name: "evaluate", Named: true,
		Doc: "A program measured on data.",
		Settings: []Setting{
			description("What is measured and why."),
			{Name: "program", Kind: ProgramOf, Doc: "The program that is measured.", Required: true, Fixed: true},
			{Name: "data", Kind: DatasetOf, Doc: "The rows it is measured on.", Required: true, Fixed: true},
			{Name: "metrics", Kind: MetricList, Doc: "What is measured, the most important one first.", Fixed: true},
			{Name: "metric", Kind: MetricOf, Doc: "What is measured, where it is one metric.", Fixed: true},
			{Name: "model", Kind: ModelOf, Doc: "The model of steps for which nothing else is said.", Default: "the default model", Fixed: true},
			{Name: "require", Kind: Boolean, Doc: "A condition over the mean of each metric; the exit status is 1 when it does not hold."},
			{Name: "limit", Kind: Integer, Doc: "Only so many rows.", Default: "all", Min: bound(1), Fixed: true},
			{Name: "failure_score", Kind: Number, Doc: "The score of a row on which the program failed.", Default: "0", Fixed: true},
			{Name: "save_to", Kind: Text, Doc: "A file for the results: .json for everything, .jsonl or .csv for the rows, .html for a page.", Default: "none", Fixed: true},
			concurrency, maxErrors,
		},
		Example: `evaluate route_dev {
  program = program.route
  data    = dataset.dev
  metrics = [metric.correct]
  require = metric.correct >= 0.80
}`,
	},
	{
		Name: "optimize", Named: true,
		Doc: "A program tuned on data by an optimizer, within a budget.",
		Settings: []Setting{
			description("What is tuned and why."),
			{Name: "program", Kind: ProgramOf, Doc: "The program that is tuned.", Required: true, Fixed: true},
			{Name: "train", Kind: DatasetOf, Doc: "The rows that it learns from.", Required: true, Fixed: true},
			{Name: "dev", Kind: DatasetOf, Doc: "The rows by which candidates are compared.", Default: "a part of `train`", Fixed: true},
			{Name: "test", Kind: DatasetOf, Doc: "Rows that the optimizer never sees, for the final comparison.", Default: "none", Fixed: true},
			{Name: "metric", Kind: MetricOf, Doc: "What is made as high as possible.", Fixed: true},
			{Name: "maximize", Kind: MetricList, Doc: "What is made as high as possible, where there are several.", Fixed: true},
			{Name: "minimize", Kind: MetricList, Doc: "What is made as low as possible.", Fixed: true},
			{Name: "tune", Kind: TunableList, Doc: "What may change: variables, and demos and instructions of steps.", Default: "all that the optimizer can tune", Fixed: true},
			{Name: "save_to", Kind: Text, Doc: "The file for what was found.", Default: "the block's name and .tuned.json", Fixed: true},
			{Name: "seed", Kind: Integer, Doc: "The same seed makes the same choices.", Default: "the optimizer's", Min: bound(0), Fixed: true},
			{Name: "model", Kind: ModelOf, Doc: "The model of steps for which nothing else is said.", Default: "the default model", Fixed: true},
			{Name: "teacher", Kind: ModelOf, Doc: "The model that answers where demos are made.", Default: "the program's own", Fixed: true},
			{Name: "prompt_model", Kind: ModelOf, Doc: "The model that writes instructions.", Default: "the program's own", Fixed: true},
			{Name: "early_stop", Kind: Boolean, Doc: "Gives a candidate up that is clearly worse than the best on a part of the rows.", Default: "true", Fixed: true},
			concurrency,
		},
		Blocks: []Block{
			{Name: "budget", Doc: "The most that tuning may use; what was found until then is kept.", Settings: []Setting{
				{Name: "usd", Kind: Number, Doc: "US dollars.", Default: "no limit", Min: bound(0), Fixed: true},
				{Name: "calls", Kind: Integer, Doc: "Calls of models.", Default: "no limit", Min: bound(1), Fixed: true},
				{Name: "time", Kind: Duration, Doc: "Time.", Default: "no limit", Fixed: true},
			}},
		},
		Example: `optimize route_tuned {
  program = program.route
  train   = dataset.train
  metric  = metric.correct
  budget { usd = 2.00, time = "20m" }
  bootstrap_few_shot { max_labeled_demos = 16 }
}`,
	},
	{
		Name: "constraint",
		Doc:  "What variables must satisfy together, on every run and in every trial of an optimizer.",
		Settings: []Setting{
			{Name: "require", Kind: Boolean, Doc: "What must hold.", Required: true, Fixed: true, Secret: true},
			{Name: "when", Kind: Boolean, Doc: "It must hold only where this does.", Default: "true", Fixed: true, Secret: true},
			{Name: "message", Kind: Text, Doc: "Why, for whoever meets it.", Fixed: true},
		},
		Example: `constraint steady {
  when    = var.strategy == module.chain_of_thought
  require = var.temperature <= 0.9
  message = "Reasoning drifts above 0.9."
}`,
	},
	{
		Name: "test", Named: true,
		Doc: "Inputs of a program with what must hold of its outputs; `dspi test` runs it.",
		Settings: []Setting{
			description("What is tested."),
			{Name: "program", Kind: ProgramOf, Doc: "The program that is run.", Required: true, Fixed: true},
			{Name: "model", Kind: ModelOf, Doc: "The model of steps for which nothing else is said.", Default: "the default model", Fixed: true},
			{Name: "timeout", Kind: Duration, Doc: "The longest that the run may take.", Default: "5m", Fixed: true},
		},
		Blocks: []Block{
			{Name: "inputs", Names: true, Doc: "The program's inputs, as fixed values or made of variables."},
			{Name: "assert", Doc: "What must hold of inputs and outputs; it may have a name.", Settings: []Setting{
				{Name: "that", Kind: Boolean, Doc: "The condition.", Required: true},
				{Name: "message", Kind: Text, Doc: "What it means when the condition does not hold."},
			}},
		},
		Example: `test greets {
  program = program.hello
  inputs { question = "Who are you?" }
  assert { that = len(answer) > 0 }
}`,
	},
}

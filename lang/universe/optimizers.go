package universe

// Optimizer is a way to tune a program: a block in `optimize`.
type Optimizer struct {
	Name     string
	Doc      string
	Settings []Setting
	// Changes says what it can change: "demos", "instructions", "variables".
	Changes []string
	// Objectives is the most metrics that it can weigh against each other.
	Objectives int
	Python     bool // it runs in Python
	Example    string
}

// Block returns the optimizer as the block that it is.
func (o *Optimizer) Block() *Block {
	return &Block{Name: o.Name, Doc: o.Doc, Settings: o.Settings, Example: o.Example}
}

// Setting groups that several optimizers have. The defaults are DSPy's where
// DSPy has the optimizer.
func demoSettings(bootstrapped, labeled string) []Setting {
	return []Setting{
		{Name: "max_bootstrapped_demos", Kind: Integer, Doc: "The most demos of each step made by running the program.", Default: bootstrapped, Min: bound(0), Fixed: true},
		{Name: "max_labeled_demos", Kind: Integer, Doc: "The most demos of each step in all; labelled rows fill up what the program did not make.", Default: labeled, Min: bound(0), Fixed: true},
	}
}

var (
	maxRounds       = Setting{Name: "max_rounds", Kind: Integer, Doc: "How often a row is tried until its outputs are good enough to be a demo; from the second time on with new replies, at temperature 1.", Default: "1", Min: bound(1), Fixed: true}
	metricThreshold = Setting{Name: "metric_threshold", Kind: Number, Doc: "The score from which on a run is good enough to be a demo; of a metric that is made low, the score up to which it is. 0 is no threshold.", Default: "any that is not 0", Fixed: true}
	trials          = Setting{Name: "trials", Kind: Integer, Doc: "How many configurations are measured.", Default: "50", Min: bound(1), Fixed: true}
)

// proposed is how much there is to choose from where a search is to choose instructions
// and demos.
var proposed = candidates("6", "How many instructions and sets of demos are proposed for each step, where these are tuned.")

func candidates(def, doc string) Setting {
	return Setting{Name: "candidates", Kind: Integer, Doc: doc, Default: def, Min: bound(1), Fixed: true}
}

func number(name, def, doc string) Setting {
	return Setting{Name: name, Kind: Number, Doc: doc, Default: def, Fixed: true}
}

func whole(name, def, doc string, least float64) Setting {
	return Setting{Name: name, Kind: Integer, Doc: doc, Default: def, Min: bound(least), Fixed: true}
}

func yesNo(name, def, doc string) Setting {
	return Setting{Name: name, Kind: Boolean, Doc: doc, Default: def, Fixed: true}
}

func join(groups ...[]Setting) []Setting {
	var out []Setting
	for _, g := range groups {
		out = append(out, g...)
	}
	return out
}

// probability limits a setting to 0 … 1.
func probability(s Setting) Setting {
	s.Min, s.Max = bound(0), bound(1)
	return s
}

// Optimizers are the ways to tune a program.
var Optimizers = []Optimizer{
	{
		Name: "labeled_few_shot", Doc: "Labelled rows as demos, chosen at random.", Changes: []string{"demos"}, Objectives: 1,
		Settings: []Setting{
			whole("k", "16", "How many demos each step gets.", 1),
			yesNo("sample", "true", "Chooses at random; else the first rows are taken."),
		},
	},
	{
		Name: "bootstrap_few_shot", Doc: "Demos made by running the program on training rows and keeping what the metric likes.", Changes: []string{"demos"}, Objectives: 1,
		Settings: join(demoSettings("4", "16"), []Setting{maxRounds, metricThreshold}),
	},
	{
		Name: "bootstrap_few_shot_with_random_search", Doc: "Several sets of bootstrapped demos, of which the best on the dev rows wins.", Changes: []string{"demos"}, Objectives: 1,
		Settings: join([]Setting{candidates("16", "How many sets of demos of shuffled rows are tried, beside no demos, labelled rows, and demos of the rows in their order.")}, demoSettings("4", "16"), []Setting{
			maxRounds, metricThreshold, number("stop_at_score", "none", "Stops as soon as a candidate has this score, as the metric gives it."),
		}),
	},
	{
		Name: "bootstrap_few_shot_with_optuna", Doc: "Bootstrapped demos, of which a Bayesian search picks the best one for each step.", Changes: []string{"demos"}, Objectives: 1,
		Settings: join([]Setting{candidates("16", "How many choices of demos are tried.")}, demoSettings("4", "16"), []Setting{maxRounds, metricThreshold}),
	},
	{
		Name: "knn_few_shot", Doc: "Each training row as a demo, made by running the program where the metric likes what it gives; each call is shown those that are nearest to its inputs. It measures nothing.", Changes: []string{"demos"}, Objectives: 1,
		Settings: []Setting{whole("k", "3", "How many demos each call is shown.", 1), maxRounds, metricThreshold},
	},
	{
		Name: "copro", Doc: "Instructions written by a model, improved round by round from their scores.", Changes: []string{"instructions"}, Objectives: 1,
		Settings: []Setting{
			whole("breadth", "10", "How many instructions are written in a round.", 2),
			whole("depth", "3", "How many rounds there are.", 1),
			number("init_temperature", "1.4", "The temperature at which instructions are written."),
		},
	},
	{
		Name: "mipro_v2", Doc: "Instructions and demos together, proposed from the data and the program, then searched (MIPROv2).", Changes: []string{"demos", "instructions"}, Objectives: 1,
		Settings: join([]Setting{
			{Name: "auto", Kind: Choice, Choices: []string{"light", "medium", "heavy", "off"}, Doc: "How much is tried; `off` to say it with `candidates` and `trials`.", Default: "light", Fixed: true},
			candidates("as auto says", "How many instructions and sets of demos are proposed for each step."),
			whole("trials", "as auto says", "How many combinations are measured.", 1),
		}, demoSettings("4", "4"), []Setting{
			yesNo("minibatch", "true", "Measures most trials on a part of the dev rows."),
			whole("minibatch_size", "35", "How many rows such a part has.", 1),
			whole("minibatch_full_eval_steps", "5", "After so many trials the best one is measured on all dev rows.", 1),
			number("init_temperature", "1.0", "The temperature at which instructions are written."),
			metricThreshold,
			yesNo("program_aware", "true", "Shows the program to the model that writes instructions."),
			yesNo("data_aware", "true", "Shows it a summary of the data."),
			yesNo("tip_aware", "true", "Gives it a tip on how to write."),
			yesNo("fewshot_aware", "true", "Shows it demos."),
			whole("view_data_batch_size", "10", "How many rows are summarised at once.", 1),
		}),
	},
	{
		Name: "simba", Doc: "Mini-batches of rows whose runs differ most teach demos and rules.", Changes: []string{"demos", "instructions"}, Objectives: 1,
		Settings: []Setting{
			whole("batch", "32", "How many rows a step looks at.", 1),
			candidates("6", "How many candidates a step makes."),
			whole("max_steps", "8", "How many steps there are.", 1),
			whole("max_demos", "4", "The most demos of each step; 0 for rules only.", 0),
			whole("demo_input_max_length", "100_000", "The longest input of a demo, in characters.", 1),
			number("temperature_for_sampling", "0.2", "How strictly better programs are preferred when runs are made."),
			number("temperature_for_candidates", "0.2", "How strictly better programs are preferred when candidates are made."),
		},
	},
	{
		Name: "gepa", Doc: "A model reflects on runs and feedback and rewrites instructions; the best on any row survive (GEPA).", Changes: []string{"instructions"}, Objectives: 1,
		Settings: []Setting{
			{Name: "auto", Kind: Choice, Choices: []string{"light", "medium", "heavy"}, Doc: "How much is tried, unless one of the two below says it.", Default: "light", Fixed: true},
			whole("max_full_evals", "none", "So many measurements on all dev rows.", 1),
			whole("max_metric_calls", "none", "So many rows measured in all.", 1),
			{Name: "reflection_model", Kind: ModelOf, Doc: "The model that reflects, usually a strong one.", Default: "prompt_model of the block", Fixed: true},
			whole("reflection_minibatch_size", "3", "How many rows a reflection looks at.", 1),
			{Name: "candidate_selection", Kind: Choice, Choices: []string{"pareto", "current_best"}, Doc: "Which candidate is improved next.", Default: "pareto", Fixed: true},
			yesNo("skip_perfect_score", "true", "Passes over rows that have the best score already."),
			{Name: "component_selector", Kind: Choice, Choices: []string{"round_robin", "all"}, Doc: "Which steps are rewritten at a time.", Default: "round_robin", Fixed: true},
			yesNo("use_merge", "true", "Also merges two good candidates."),
			whole("max_merge_invocations", "5", "How often two are merged.", 0),
			number("failure_score", "0", "The score of a run that failed."),
			number("perfect_score", "1", "The best score there is."),
		},
	},
	{
		Name: "infer_rules", Doc: "Bootstrapped demos, and rules that a model draws from the training rows.", Changes: []string{"demos", "instructions"}, Objectives: 1,
		Settings: join([]Setting{
			candidates("10", "How many sets of rules are tried."),
			whole("rules", "10", "How many rules a set has.", 1),
		}, demoSettings("4", "16"), []Setting{maxRounds, metricThreshold}),
	},
	{
		Name: "ensemble", Doc: "The best candidates of the optimizers before it in the block, asked together; the outputs that most give are taken. It is kept where it is better than the best of them alone.", Changes: []string{"demos", "instructions"}, Objectives: 1,
		Settings: []Setting{whole("size", "3", "How many candidates are asked.", 2)},
	},
	{
		Name: "random", Doc: "Variables at random; the measure of every other search.", Changes: []string{"variables"}, Objectives: 1,
		Settings: []Setting{trials},
	},
	{
		Name: "grid", Doc: "Every combination of the variables' values.", Changes: []string{"variables"}, Objectives: 1,
		Settings: []Setting{
			whole("points", "5", "How many values are tried of a variable without a step.", 2),
			whole("max_trials", "1000", "The space is refused when it is larger.", 1),
		},
	},
	{
		Name: "tpe", Doc: "Variables, demos and instructions where good configurations were found more often than bad ones.", Changes: []string{"variables", "demos", "instructions"}, Objectives: 1,
		Settings: []Setting{
			trials,
			whole("startup", "10", "How many configurations are spread over the space first.", 1),
			probability(number("gamma", "0.1", "Which part of the configurations counts as good.")),
			proposed,
		},
	},
	{
		Name: "successive_halving", Doc: "Many configurations of the variables on few rows, the best of them on more, and the last on all.", Changes: []string{"variables"}, Objectives: 1,
		Settings: []Setting{
			candidates("27", "How many configurations begin."),
			whole("min_rows", "10", "On how many dev rows each of them is measured first.", 1),
			whole("eta", "3", "One of so many goes on, and is measured on so many times the rows.", 2),
		},
	},
	{
		Name: "nsga2", Doc: "Several aims at once: the configurations of which none is better in every respect.", Changes: []string{"variables", "demos", "instructions"}, Objectives: 8,
		Settings: []Setting{
			whole("population", "20", "How many configurations a generation has.", 4),
			whole("generations", "10", "How many generations there are.", 1),
			probability(number("crossover", "0.9", "How often two configurations are mixed.")),
			probability(number("mutation", "one value of each configuration", "How often a value is changed.")),
			proposed,
		},
	},
	{
		Name: "dspy", Doc: "An optimizer of DSPy's, run in Python on this program and its models.", Changes: []string{"demos", "instructions"}, Objectives: 1, Python: true,
		Example: "dspy {\n  class     = \"dspy.MIPROv2\"\n  arguments = {auto: \"light\"}\n}",
		Settings: []Setting{
			{Name: "class", Kind: Text, Required: true, Doc: "The class: `dspy.MIPROv2`.", Fixed: true},
			{Name: "arguments", Kind: Any, Doc: "What the class, and its `compile`, are given beside the metric, the program and the rows: `{auto: \"light\"}`.", Default: "none"},
		},
	},
}

package optimizers

import (
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
)

// This file is what MIPROv2's proposer asks: DSPy's words, which the goldens compare.

// miproTips are the tips of which chance takes one for each instruction; the first is
// none.
func miproTips() []string {
	return []string{
		"",
		"Don't be afraid to be creative when creating the new instruction!",
		"Keep the instruction clear and concise.",
		"Make sure your instruction is very informative and descriptive.",
		"The instruction should include a high stakes scenario in which the LM must solve the task!",
		`Include a persona that is relevant to the task in the instruction (ie. "You are a ...")`,
	}
}

// What is said where there is nothing.
const (
	noDemos       = "No task demos provided."
	noDescription = "Not available"
	notProvided   = "Not provided"
)

// observeFirst asks what the first rows have in common.
func observeFirst() *program.Signature {
	return &program.Signature{
		Instructions: "Given several examples from a dataset please write observations about trends that hold for most or all of the samples. " +
			"Some areas you may consider in your observations: topics, content, syntax, conciseness, etc. " +
			"It will be useful to make an educated guess as to the nature of the task this dataset will enable. Don't be afraid to be creative",
		Inputs:  []types.Field{asked("examples", "Sample data points from the dataset")},
		Outputs: []types.Field{asked("observations", "Somethings that holds true for most or all of the data you observed")},
	}
}

// observeFurther asks what further rows add to that.
func observeFurther() *program.Signature {
	return &program.Signature{
		Instructions: "Given several examples from a dataset please write observations about trends that hold for most or all of the samples. " +
			"I will also provide you with a few observations I have already made.  Please add your own observations or if you feel the observations are comprehensive say 'COMPLETE' " +
			"Some areas you may consider in your observations: topics, content, syntax, conciceness, etc. " +
			"It will be useful to make an educated guess as to the nature of the task this dataset will enable. Don't be afraid to be creative",
		Inputs: []types.Field{
			asked("examples", "Sample data points from the dataset"),
			asked("prior_observations", "Some prior observations I made about the data"),
		},
		Outputs: []types.Field{asked("observations", "Somethings that holds true for most or all of the data you observed or COMPLETE if you have nothing to add")},
	}
}

// summarise asks for a summary of the observations.
func summarise() *program.Signature {
	return &program.Signature{
		Instructions: "Given a series of observations I have made about my dataset, please summarize them into a brief 2-3 sentence summary which highlights only the most important details.",
		Inputs:       []types.Field{asked("observations", "Observations I have made about my dataset")},
		Outputs:      []types.Field{asked("summary", "Two to Three sentence summary of only the most significant highlights of my observations")},
	}
}

// describeProgram asks what the program is for.
func describeProgram() *program.Signature {
	return &program.Signature{
		Instructions: "Below is some pseudo-code for a pipeline that solves tasks with calls to language models. Please describe what type of task this program appears to be designed to solve, and how it appears to work.",
		Inputs: []types.Field{
			asked("program_code", "Pseudocode for a language model program designed to solve a particular task."),
			asked("program_example", "An example of the program in use."),
		},
		Outputs: []types.Field{asked("program_description", "Describe what task the program is designed to solve, and how it goes about solving this task.")},
	}
}

// describeModule asks what one of its predictors is for.
func describeModule() *program.Signature {
	return &program.Signature{
		Instructions: "Below is some pseudo-code for a pipeline that solves tasks with calls to language models. Please describe the purpose of one of the specified module in this pipeline.",
		Inputs: []types.Field{
			asked("program_code", "Pseudocode for a language model program designed to solve a particular task."),
			asked("program_example", "An example of the program in use."),
			asked("program_description", "Summary of the task the program is designed to solve, and how it goes about solving it."),
			asked("module", "The module in the program that we want to describe."),
		},
		Outputs: []types.Field{asked("module_description", "Description of the module's role in the broader program.")},
	}
}

// instruct asks for an instruction; the flags say what is shown beside demos and the
// instruction that there is.
func instruct(data, code, tip bool) *program.Signature {
	sig := &program.Signature{
		Instructions: "Use the information below to learn about a task that we are trying to solve using calls to an LM, then generate a new instruction that will be used to prompt a Language Model to better solve the task.",
		Outputs:      []types.Field{asked("proposed_instruction", "Propose an instruction that will be used to prompt a Language Model to perform this task.")},
	}
	if data {
		sig.Inputs = append(sig.Inputs, asked("dataset_description", "A description of the dataset that we are using."))
	}
	if code {
		sig.Inputs = append(sig.Inputs,
			asked("program_code", "Language model program designed to solve a particular task."),
			asked("program_description", "Summary of the task the program is designed to solve, and how it goes about solving it."),
			asked("module", "The module to create an instruction for."),
			asked("module_description", "Description of the module to create an instruction for."))
	}
	sig.Inputs = append(sig.Inputs,
		asked("task_demos", "Example inputs/outputs of our module."),
		asked("basic_instruction", "Basic instruction."))
	if tip {
		sig.Inputs = append(sig.Inputs, asked("tip", "A suggestion for how to go about generating the new instruction."))
	}
	return sig
}

package dspi_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dspi-lang/dspi"
)

const hello = `
program hello {
  question: string -> answer: string
}
`

func ExampleLoad() {
	dir, err := os.MkdirTemp("", "dspi")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "hello.dsp")
	if err := os.WriteFile(path, []byte(hello), 0o666); err != nil {
		panic(err)
	}
	src, err := dspi.Load(path)
	if err != nil {
		panic(err)
	}
	fmt.Println(len(src.File.Items), "declaration")

	_, err = dspi.Load(filepath.Join(dir, "helo.dsp"))
	fmt.Println(err != nil)
	// Output:
	// 1 declaration
	// true
}

func ExampleCheck() {
	project, diags := dspi.Check(dspi.Parse("hello.dsp", hello))
	fmt.Println(len(diags), "diagnostics,", project.Programs[0].Signature)

	_, diags = dspi.Check(dspi.Parse("bad.dsp", "program bad {\n  question: strng -> answer: string\n}\n"))
	fmt.Println(diags[0])
	// Output:
	// 0 diagnostics, question: string -> answer: string
	// bad.dsp:2:13: error[E0204]: unknown type: no type of this name
}

func ExamplePlan() {
	project, _ := dspi.Check(dspi.Parse("hello.dsp", hello))
	plan, err := dspi.Plan(project, dspi.PlanOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Print(plan)
	// Output:
	// program hello
	//   takes  question: string
	//
	//   1. predict predict
	//        question = question  (by name)
	//        -> answer: string
	//        model builtin/incontext, from nothing else
	//
	//   gives
	//        answer = predict.answer  (by name)
}

func ExampleRun() {
	project, diags := dspi.Check(dspi.Parse("hello.dsp", hello))
	if err := diags.Err(); err != nil {
		panic(err)
	}
	plan, err := dspi.Plan(project, dspi.PlanOptions{})
	if err != nil {
		panic(err)
	}
	result, err := dspi.Run(context.Background(), plan, map[string]any{"question": "What is 17 * 23?"})
	if err != nil {
		panic(err)
	}
	answer, _ := result.Outputs.Get("answer")
	fmt.Println(answer, result.Usage.Calls)
	// Output: 391 1
}

func ExampleSignature() {
	project, _ := dspi.Check(dspi.Signature("text, labels: list[str] -> score: float"))
	fmt.Println(project.Programs[0].Signature)
	// Output: text: string, labels: list[string] -> score: float
}

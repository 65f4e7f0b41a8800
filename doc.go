// Package dspi runs programs made of language-model calls: .dsp files, in which
// a person writes what goes in, what comes out and how the pieces connect.
//
// Four calls take a text to its outputs:
//
//	Load   reads a file (Parse: a text in memory)
//	Check  resolves every name, types every value: a *program.Project
//	Plan   fixes models and variables: a *plan.Plan, a value that can be printed
//	Run    runs the plan with inputs: a *Result
//
// Every failure is a diagnostic with a place and a way out: see package
// lang/diag. What a program may name without declaring it stands in stdlib.
// The map of the packages is docs/architecture.md.
package dspi

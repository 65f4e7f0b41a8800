// Command dspi checks, plans and runs .dsp programs.
//
//	app       what every command sees of the world: streams, environment, colour (app.go)
//	command   one file per command: run.go, check.go, fmt.go, plan.go, render.go, …
//	usage     an error of whoever typed the command line (errors.go)
//	project   a file, loaded and checked (project.go)
//	inputs    name=value and --input, brought into an inputs map (inputs.go)
//	rows      a table of inputs, read row by row (rows.go); each.go runs them
//	watch     what a run is doing, on the terminal (watch.go, progress.go)
//
// A command holds no meaning: it brings text and people to package dspi, and
// its answers back to them. It exits with 0 when all is well, 1 when the program
// failed or has errors, 2 when the command was used wrongly, 3 when the run waits for a person and 130 when it was
// interrupted.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

func main() { os.Exit(Main()) }

// Main runs the command line of the process and returns its exit status.
func Main() int {
	a := newApp(os.Stdin, os.Stdout, os.Stderr, os.Environ())
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go interruptible(signals, cancel)
	return a.run(ctx, os.Args[1:])
}

// interruptible cancels the command at the first signal and ends the process at
// the next. Signals that come with the first are no second thought: some programs
// send each one both to a process and to its group.
func interruptible(signals <-chan os.Signal, cancel func()) {
	<-signals
	cancel()
	first := time.Now()
	for range signals {
		if time.Since(first) > 300*time.Millisecond {
			os.Exit(exitInterrupted)
		}
	}
}

// run executes a command line. No panic leaves it.
func (a *app) run(ctx context.Context, args []string) (code int) {
	defer func() {
		if r := recover(); r != nil {
			code = a.crashed(r, debug.Stack())
		}
	}()
	root := newRoot(a)
	root.SetArgs(args)
	code = a.report(root.ExecuteContext(ctx))
	if err := a.out.failure(); err != nil && code == 0 {
		fmt.Fprintf(a.err, "error: the output could not be written: %v\n", err)
		code = 1
	}
	return code
}

// crashed says that dspi itself is at fault.
func (a *app) crashed(r any, stack []byte) int {
	fmt.Fprintf(a.err, "dspi has a fault of its own: %v\n\n", r)
	fmt.Fprintf(a.err, "Please report it with the command you ran and this version: %s\n", moduleVersion())
	if a.getenv("DSPI_DEBUG") == "" {
		io.WriteString(a.err, "DSPI_DEBUG=1 in the environment shows where it happened.\n")
	} else {
		fmt.Fprintf(a.err, "\n%s", stack)
	}
	return exitUsage
}

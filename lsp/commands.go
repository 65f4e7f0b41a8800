package lsp

import (
	"context"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi/lsp/protocol"
)

// commands are what workspace/executeCommand can do: the commands of lenses.
var commands = []string{CommandRun, CommandTest, CommandEvaluate, CommandOptimize, CommandReferences}

// CommandResult is what a command answers.
type CommandResult struct {
	// Exit is the exit status that the command line would have: 0 when all is well.
	Exit   int    `json:"exit"`
	Output string `json:"output"`
}

// commandParams are those of workspace/executeCommand.
type commandParams struct {
	Command       string         `json:"command"`
	Arguments     []protocol.Any `json:"arguments,omitzero"`
	WorkDoneToken protocol.Any   `json:"workDoneToken,omitzero"`
}

// running knows what is under way, by the token of its progress.
type running struct {
	mu    sync.Mutex
	last  int
	stops map[string]context.CancelFunc
}

// begin notes that something is under way. Without a token it is given one.
func (r *running) begin(token protocol.Any, stop context.CancelFunc) protocol.Any {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stops == nil {
		r.stops = map[string]context.CancelFunc{}
	}
	if len(token) == 0 {
		r.last++
		token = protocol.Any(`"dspi-` + strconv.Itoa(r.last) + `"`)
	}
	r.stops[string(token)] = stop
	return token
}

func (r *running) end(token protocol.Any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.stops, string(token))
}

func (r *running) stop(token protocol.Any) {
	r.mu.Lock()
	stop := r.stops[string(token)]
	r.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// execute does what a lens offers. It works on the files of the disk, as the command
// line does.
func (s *Server) execute(ctx context.Context, r *protocol.Request, p *commandParams) (any, error) {
	snap := s.session.Snapshot()
	r.Release()
	var file, name string
	if len(p.Arguments) == 0 || json.Unmarshal(p.Arguments[0], &file) != nil {
		return nil, &protocol.Error{Code: protocol.CodeInvalidParams, Message: "the first argument of " + p.Command + " is the path of a file"}
	}
	if len(p.Arguments) > 1 && json.Unmarshal(p.Arguments[1], &name) != nil {
		return nil, &protocol.Error{Code: protocol.CodeInvalidParams, Message: "the second argument of " + p.Command + " is a name"}
	}
	if strings.HasPrefix(name, "-") { // a flag of the command line
		return nil, &protocol.Error{Code: protocol.CodeInvalidParams, Message: name + " is no name of a program or test"}
	}
	if strings.HasPrefix(file, "file:") {
		file = protocol.Path(protocol.URI(file))
	}
	v, err := Look(snap, file)
	if err != nil {
		return nil, err
	}
	if p.Command == CommandReferences {
		out := []protocol.Location{}
		if at, ok := v.declared("program", name); ok {
			out = References(v, at.Start, false)
		}
		return out, nil
	}
	args, input, err := commandLine(p, file, name)
	switch {
	case err != nil:
		return nil, err
	case s.opt.Execute == nil:
		return nil, protocol.Failed("This server runs no programs.")
	case v.File.Open && !saved(v):
		return nil, protocol.Failed("%s has changes that are not saved: save it first.", file)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	token := s.running.begin(p.WorkDoneToken, stop)
	defer s.running.end(token)
	progress := len(p.WorkDoneToken) > 0 || s.progress
	if len(p.WorkDoneToken) == 0 && s.progress {
		r.Client.Ask(ctx, "window/workDoneProgress/create", map[string]any{"token": token})
	}
	tell := func(value map[string]any) {
		if progress {
			r.Client.Notify(context.WithoutCancel(ctx), "$/progress", map[string]any{"token": token, "value": value})
		}
	}
	title := strings.TrimPrefix(p.Command, "dspi.")
	if name != "" {
		title += " " + name
	}
	tell(map[string]any{"kind": "begin", "title": title, "cancellable": true})
	var mu sync.Mutex
	var output strings.Builder
	code := s.opt.Execute(ctx, args, input, func(line string) {
		mu.Lock()
		defer mu.Unlock()
		output.WriteString(line + "\n")
		tell(map[string]any{"kind": "report", "message": line})
	})
	if p.Command == CommandEvaluate || p.Command == CommandOptimize {
		s.refreshLenses(r.Client) // it may have saved a result
	}
	end := "done"
	switch {
	case ctx.Err() != nil:
		end = "stopped"
	case code != 0:
		end = "exit status " + strconv.Itoa(code)
	}
	tell(map[string]any{"kind": "end", "message": end})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	mu.Lock()
	defer mu.Unlock()
	return &CommandResult{code, output.String()}, nil
}

// saved reports whether an open file is on the disk as it is in the editor.
func saved(v *View) bool {
	text, err := v.Snap.OnDisk(v.File.Path)
	return err == nil && text == v.src().Text
}

// commandLine returns the command line of a command, and what it reads from standard
// input.
func commandLine(p *commandParams, file, name string) (args []string, input string, err error) {
	switch p.Command {
	case CommandRun:
		args = []string{"run", file}
		if name != "" {
			args = append(args, name)
		}
		if len(p.Arguments) > 2 {
			args, input = append(args, "--input", "-"), string(p.Arguments[2])
		}
	case CommandTest:
		args = []string{"test", file}
		if name != "" {
			args = append(args, "--filter", "^"+regexp.QuoteMeta(name)+"$")
		}
	case CommandEvaluate, CommandOptimize:
		args = []string{map[string]string{CommandEvaluate: "eval", CommandOptimize: "optimize"}[p.Command], file}
		if name != "" {
			args = append(args, name)
		}
	default:
		return nil, "", &protocol.Error{Code: protocol.CodeInvalidParams, Message: "dspi has no command " + p.Command + ": there are " + strings.Join(commands, ", ")}
	}
	return args, input, nil
}

package lsp_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/dspi-lang/dspi/lsp"
	"github.com/dspi-lang/dspi/lsp/snapshot"
	"github.com/dspi-lang/dspi/parser/benchtext"
)

// subject is a language server as a process, with a project that it is asked of.
type subject struct {
	name    string
	command []string
	// project writes a project of 50 files, of which the main one has the given
	// number of lines, and returns that file. The text has one `target` in its
	// middle, a name which becomes a mistake when a letter follows it.
	project func(dir string, lines int) (file, text, target string)
	options string
}

// BenchmarkServer speaks with `dspi lsp` as an editor does, and with the gopls that
// the environment variable DSPI_GOPLS names, on a Go project of the same size: a
// file of 1,000 lines that imports 49 others, and one of 10,000. Times are from the
// message to the answer; cpu-ms is processor time of the server for each change.
func BenchmarkServer(b *testing.B) {
	dspi := filepath.Join(b.TempDir(), "dspi")
	if out, err := exec.Command("go", "build", "-o", dspi, "../cmd/dspi").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	subjects := []subject{{"dspi", []string{dspi, "lsp"}, dspiProject, `{}`}}
	if gopls := os.Getenv("DSPI_GOPLS"); gopls != "" {
		subjects = append(subjects, subject{"gopls", []string{gopls, "serve"}, goProject, `{"semanticTokens":true}`})
	}
	for _, lines := range []int{1000, 10_000} {
		for _, s := range subjects {
			b.Run(fmt.Sprintf("%s/%d", s.name, lines), func(b *testing.B) { benchServer(b, s, lines) })
		}
	}
}

func benchServer(b *testing.B, s subject, lines int) {
	dir := b.TempDir()
	file, text, target := s.project(dir, lines)
	uri := "file://" + file
	begin := time.Now()
	e := startProcess(b, s.command, dir)
	e.call("initialize", json.RawMessage(fmt.Sprintf(`{"processId":null,"rootUri":"file://%s","workspaceFolders":[{"uri":"file://%s","name":"bench"}],
		"capabilities":{"textDocument":{"semanticTokens":{"requests":{"full":true},"tokenTypes":["type","function"],"tokenModifiers":[],"formats":["relative"]},"publishDiagnostics":{"versionSupport":true}}},
		"initializationOptions":%s}`, dir, dir, s.options)), nil)
	initialize := time.Since(begin)
	e.note("initialized", map[string]any{})
	e.open(uri, text)
	e.await(uri, 1)

	at := strings.Index(text[len(text)/2:], target) + len(text)/2
	line := strings.Count(text[:at], "\n")
	column := at + len(target) - 1 - strings.LastIndexByte(text[:at+len(target)], '\n')
	doc := map[string]any{"uri": uri}
	place := map[string]any{"textDocument": doc, "position": map[string]any{"line": line, "character": column}}
	times := map[string][]time.Duration{}
	timed := func(name string, f func()) {
		from := time.Now()
		f()
		times[name] = append(times[name], time.Since(from))
	}
	version := 1
	change := func() {
		version++
		piece, end := "x", column
		if version%2 == 1 {
			piece, end = "", column+1
		}
		e.note("textDocument/didChange", map[string]any{
			"textDocument": map[string]any{"uri": uri, "version": version},
			"contentChanges": []any{map[string]any{"text": piece, "range": map[string]any{
				"start": map[string]any{"line": line, "character": column}, "end": map[string]any{"line": line, "character": end}}}},
		})
	}
	before, rounds := cpu(b, e.process.Pid), 0
	for ; rounds < 60; rounds++ {
		timed("change", func() {
			change()
			e.await(uri, version)
		})
	}
	spent := cpu(b, e.process.Pid) - before
	ask := func(method string, params any) func() {
		return func() {
			var out json.RawMessage
			if err := e.conn.Call(b.Context(), method, params, &out); err != nil {
				b.Log(err) // gopls has no tokens for more than 100,000 bytes
			}
		}
	}
	for range 30 { // each after a change, so that nothing is known yet
		change()
		timed("completion", ask("textDocument/completion", place))
		change()
		timed("hover", ask("textDocument/hover", place))
		timed("definition", ask("textDocument/definition", place))
		timed("tokens", ask("textDocument/semanticTokens/full", map[string]any{"textDocument": doc}))
		e.await(uri, version)
		timed("warm-hover", ask("textDocument/hover", place))
	}
	for b.Loop() { // ns/op is a change and its diagnostics
		change()
		e.await(uri, version)
	}
	for name, list := range times {
		slices.Sort(list)
		b.ReportMetric(ms(list[len(list)/2]), name+"-p50-ms")
		b.ReportMetric(ms(list[len(list)*95/100]), name+"-p95-ms")
	}
	b.ReportMetric(ms(initialize), "initialize-ms")
	b.ReportMetric(ms(spent)/float64(rounds), "cpu-ms")
	b.ReportMetric(memory(b, e.process.Pid), "peak-MB")
	e.leave()
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// startProcess starts a server and returns the editor that speaks with it.
func startProcess(b *testing.B, command []string, dir string) *editor {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = dir
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	e := &editor{t: b, exit: make(chan int, 1), heard: make(chan diagnosed, 10_000), process: cmd.Process}
	stream := jsonrpc2.NewBufferedStream(pipes{out, in}, jsonrpc2.VSCodeObjectCodec{})
	e.conn = jsonrpc2.NewConn(context.WithoutCancel(b.Context()), stream, jsonrpc2.HandlerWithError(e.hear))
	go func() {
		if err := cmd.Wait(); err != nil {
			e.exit <- 1
			return
		}
		e.exit <- 0
	}()
	return e
}

type pipes struct {
	io.Reader
	io.WriteCloser
}

// cpu returns the processor time of a process, where /proc tells it.
func cpu(b *testing.B, pid int) time.Duration {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	var user, system int64
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		b.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond // ticks of 100 Hz
}

// memory returns the most megabytes that a process has had.
func memory(b *testing.B, pid int) float64 {
	b.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			var kb float64
			if _, err := fmt.Sscan(rest, &kb); err != nil {
				b.Fatal(err)
			}
			return kb / 1024
		}
	}
	return 0
}

func mustWrite(path, text string) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		panic(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		panic(err)
	}
}

// dspiProject is a file of programs that imports 49 files of about 60 lines.
func dspiProject(dir string, lines int) (string, string, string) {
	var text strings.Builder
	for i := range 49 {
		mustWrite(filepath.Join(dir, fmt.Sprintf("lib%d.dsp", i)), benchtext.Generate(60).DSP)
		fmt.Fprintf(&text, "import \"lib%d.dsp\" as l%d\n", i, i)
	}
	text.WriteString("\n" + benchtext.Generate(lines-60).DSP)
	file := filepath.Join(dir, "main.dsp")
	mustWrite(file, text.String())
	return file, text.String(), "text = draft.answer"
}

// goProject is a Go file that imports 49 packages of about 60 lines.
func goProject(dir string, lines int) (string, string, string) {
	mustWrite(filepath.Join(dir, "go.mod"), "module bench\n\ngo "+strings.TrimPrefix(runtime.Version()[:6], "go")+"\n")
	var text strings.Builder
	text.WriteString("package main\n\nimport (\n")
	for i := range 49 {
		mustWrite(filepath.Join(dir, fmt.Sprintf("lib%d/lib.go", i)), fmt.Sprintf("package lib%d\n\n%s", i, goText(60)))
		fmt.Fprintf(&text, "\tl%d \"bench/lib%d\"\n", i, i)
	}
	text.WriteString(")\n\nvar _ = []any{")
	for i := range 49 {
		fmt.Fprintf(&text, "l%d.Report1, ", i)
	}
	text.WriteString("}\n\nfunc main() {}\n\n" + goText(lines-60))
	file := filepath.Join(dir, "main.go")
	mustWrite(file, text.String())
	return file, text.String(), "verdict := draft.Answer"
}

// goText is Go of at least the given number of lines: types, and functions that
// use them.
func goText(lines int) string {
	var out strings.Builder
	for n, i := 0, 1; n < lines; i++ {
		part := strings.ReplaceAll(`// Point# is one thing that an answer rests on.
type Point# struct {
	Title   string   // a few words
	Weight  float64  // from 0 to 1
	Sources []string // at most 5
	Mood    string
}

// Draft# is a first answer.
type Draft# struct {
	Answer string
	Points []Point#
}

const tries# = 4

func draft#(question string, passages []string, room int) Draft# {
	answer := question
	for i, p := range passages {
		if len(answer) > room || i > tries# {
			break
		}
		answer += p
	}
	return Draft#{Answer: answer, Points: []Point#{{Title: question, Weight: 0.5}}}
}

func judge#(question, answer string) (good bool, advice string) {
	if question == answer {
		return false, "Say more."
	}
	return len(answer) > 20, "Well done."
}

// Report# answers a question from passages.
func Report#(question string, passages []string) (string, int) {
	long := len(question) > 20 && question != ""
	room := max(400-len(question), 120) + tries#*10
	if long {
		question += " (in short)"
	}
	draft := draft#(question, passages, room)
	verdict := draft.Answer
	good, advice := judge#(question, verdict)
	enough := good && len(verdict) >= 20 || len(draft.Points) > tries#
	if !enough {
		return verdict + " " + advice, len(draft.Points)
	}
	return verdict, len(draft.Points) + len(passages)*2
}

`, "#", fmt.Sprint(i))
		out.WriteString(part)
		n += strings.Count(part, "\n")
	}
	return out.String()
}

// BenchmarkChange is a change and its diagnostics without the wire, for profiles: of the
// whole file, and of the one program that has changed, as an editor is told first.
func BenchmarkChange(b *testing.B) {
	for _, lines := range []int{1000, 10_000} {
		mistakes := func(n int, mistaken bool) {
			if mistaken != (n == 1) || n > 1 {
				b.Fatalf("%d mistakes", n)
			}
		}
		b.Run(fmt.Sprintf("whole/%d", lines), func(b *testing.B) {
			changes(b, lines, func(s *snapshot.Snapshot, file string, _ int32, mistaken bool) {
				v, err := lsp.Look(s, file)
				if err != nil {
					b.Fatal(err)
				}
				mistakes(len(lsp.Diagnostics(v)), mistaken)
			})
		})
		b.Run(fmt.Sprintf("program/%d", lines), func(b *testing.B) {
			changes(b, lines, func(s *snapshot.Snapshot, file string, _ int32, mistaken bool) {
				found, ok := s.Recheck(file)
				if !ok {
					b.Fatal("more than one program is looked at")
				}
				mistakes(len(found.Diags), mistaken)
			})
		})
	}
}

// BenchmarkAfterChange is what is asked at the place of a change before anything else, in
// a file of 10,000 lines.
func BenchmarkAfterChange(b *testing.B) {
	for _, q := range []struct {
		name string
		ask  func(*lsp.View, int32)
	}{
		{"hover", func(v *lsp.View, at int32) { lsp.Hover(v, at) }},
		{"completion", func(v *lsp.View, at int32) { lsp.Complete(v, at) }},
		{"tokens", func(v *lsp.View, _ int32) { lsp.Tokens(v) }},
	} {
		b.Run(q.name, func(b *testing.B) {
			changes(b, 10_000, func(s *snapshot.Snapshot, file string, at int32, _ bool) {
				v, err := lsp.Look(s, file)
				if err != nil {
					b.Fatal(err)
				}
				q.ask(v, at)
			})
		})
	}
}

// changes writes a letter that makes a mistake and takes it away, by turns, and has
// each text looked at.
func changes(b *testing.B, lines int, look func(s *snapshot.Snapshot, file string, at int32, mistaken bool)) {
	file, text, target := dspiProject(b.TempDir(), lines)
	at := strings.Index(text[len(text)/2:], target) + len(text)/2 + len(target)
	line := strings.Count(text[:at], "\n")
	column := at - 1 - strings.LastIndexByte(text[:at], '\n')
	s := snapshot.NewSession(options())
	s.Open(file, 1, text)
	if _, err := s.Snapshot().Check(file); err != nil {
		b.Fatal(err)
	}
	for i := int32(2); b.Loop(); i++ {
		e := snapshot.Edit{StartLine: line, StartColumn: column, EndLine: line, EndColumn: column, Text: "x"}
		if i%2 == 1 {
			e.EndColumn, e.Text = column+1, ""
		}
		if err := s.Change(file, i, []snapshot.Edit{e}); err != nil {
			b.Fatal(err)
		}
		look(s.Snapshot(), file, int32(at), i%2 == 0)
	}
}

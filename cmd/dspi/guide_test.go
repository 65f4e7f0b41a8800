package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/parser/format"
)

// A page of the guides and the cookbook is run as a reader would follow it, from the top
// to the bottom, in a folder of its own. What its fenced blocks mean:
//
//	```KIND         a file: the first line is `# NAME`. It stays in the file where KIND has
//	                such comments (dsp, hcl, python, yaml), else it is taken away
//	```base64       a file of bytes, named the same way
//	```console      commands behind `$ `, each with what it prints: standard output, or,
//	                where that is empty, standard error
//	```console dspy the same, of a page that is run where DSPy is
//	```text ```baml no file and no command
//
// A command is `dspi …`, `cat FILE`, `echo $?`, with DSPy also `python FILE`; or
// `make TARGET`, which is looked up and not run. Variables may stand before it, and
// `< FILE`, `2>&1` or `&` behind it. A page may use two servers: `dspi gateway` at
// 127.0.0.1:4141, which it starts, and the weather at localhost:8080, which the test
// starts; each gets a free port.

// pageRun is a page while it is run.
type pageRun struct {
	t       *testing.T
	path    string
	dir     string
	python  string   // runs the blocks that need DSPy; "" leaves them out
	env     []string // beside what every command of these tests has
	servers []string // pairs: an address as the page has it, and what it is here
	status  int      // of the last command
	ran     int      // commands
}

// runPage runs the commands of a page in a folder and returns how many there were.
func runPage(t *testing.T, path, dir string) int {
	t.Helper()
	return (&pageRun{t: t, path: path, dir: dir}).run()
}

var (
	pageBlock = regexp.MustCompile("(?ms)^```(\\w+(?: dspy)?)\n(.*?)^```$")
	comments  = []string{"dsp", "hcl", "python", "yaml"}
)

func (p *pageRun) run() int {
	p.t.Helper()
	text := readWhole(p.t, p.path)
	if strings.Contains(text, "localhost:8080") {
		p.serve("localhost:8080", strings.TrimPrefix(weatherOverHTTP(p.t), "http://"))
	}
	now := pageBlock.ReplaceAllStringFunc(text, func(whole string) string {
		m := pageBlock.FindStringSubmatch(whole)
		kind, body := m[1], m[2]
		switch {
		case kind == "text", kind == "baml", kind == "console dspy" && p.python == "":
			return whole
		case strings.HasPrefix(kind, "console"):
			out := p.commands(body)
			if timeless(out) == timeless(body) {
				return whole // times and ids alone rewrite no page
			}
			return "```" + kind + "\n" + out + "```"
		}
		p.file(kind, body)
		return whole
	})
	switch {
	case now == text:
	case *update:
		writeFile(p.t, p.path, now)
	default:
		p.t.Errorf("%s does not show what its commands print; go test ./cmd/dspi -run 'TestReadme|TestGuides' -update rewrites it to:\n%s", p.path, now)
	}
	return p.ran
}

// file writes the file of a block.
func (p *pageRun) file(kind, body string) {
	p.t.Helper()
	first, rest, _ := strings.Cut(body, "\n")
	name, ok := strings.CutPrefix(first, "# ")
	if !ok || !filepath.IsLocal(name) {
		p.t.Errorf("%s: a block of %s does not begin with its file's name: %s", p.path, kind, first)
		return
	}
	if !slices.Contains(comments, kind) {
		body = rest
	}
	if kind == "base64" {
		data, err := base64.StdEncoding.DecodeString(strings.TrimSpace(body))
		if err != nil {
			p.t.Errorf("%s: %s: %v", p.path, name, err)
		}
		body = string(data)
	}
	if kind == "dsp" {
		if form := string(format.File(dspi.Parse(name, body).File)); form != body {
			p.t.Errorf("%s: %s is not in the one form, which is\n%s", p.path, name, form)
		}
	}
	writeFile(p.t, filepath.Join(p.dir, filepath.FromSlash(name)), strings.NewReplacer(p.servers...).Replace(body))
}

// commands runs the commands of a block and returns the block as it is now.
func (p *pageRun) commands(body string) string {
	p.t.Helper()
	var out strings.Builder
	for line := range strings.Lines(body) {
		line, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "$ ")
		if !ok {
			continue
		}
		if target, ok := strings.CutPrefix(line, "make "); ok {
			checkTarget(p.t, target)
			return body
		}
		p.ran++
		fmt.Fprintf(&out, "$ %s\n", line)
		if shown := strings.TrimRight(p.shown(line), "\n"); shown != "" {
			fmt.Fprintln(&out, shown)
		}
	}
	return out.String()
}

// shownBy runs a command in a folder and returns what it shows.
func shownBy(t *testing.T, dir, line string) string {
	t.Helper()
	return (&pageRun{t: t, path: "the page", dir: dir}).shown(line)
}

// shown runs a command and returns what it shows.
func (p *pageRun) shown(line string) string {
	p.t.Helper()
	here, there := strings.NewReplacer(p.servers...), make([]string, 0, len(p.servers))
	for i := 0; i < len(p.servers); i += 2 {
		there = append(there, p.servers[i+1], p.servers[i])
	}
	args := words(strings.Replace(here.Replace(line), "go run ./cmd/dspi", "dspi", 1))
	env := p.env
	for len(args) > 0 && regexp.MustCompile(`^\w+=`).MatchString(args[0]) {
		env, args = append(slices.Clone(env), args[0]), args[1:]
	}
	var both, background bool
	var stdin string
	for len(args) > 1 {
		end := len(args) - 1
		switch {
		case args[end] == "2>&1":
			both = true
		case args[end] == "&":
			background = true
		case args[end-1] == "<":
			stdin = readWhole(p.t, filepath.Join(p.dir, args[end]))
			end--
		default:
			end = 0
		}
		if end == 0 {
			break
		}
		args = args[:end]
	}
	if len(args) == 0 {
		p.t.Fatalf("%s: %q is no command", p.path, line)
	}
	switch name := args[0]; {
	case line == "echo $?":
		return fmt.Sprintln(p.status)
	case name == "cat" && len(args) == 2:
		return strings.NewReplacer(there...).Replace(readWhole(p.t, filepath.Join(p.dir, args[1])))
	case name == "dspi", name == "python" && p.python != "":
	default:
		p.t.Fatalf("%s: %q is no command of dspi", p.path, line)
	}

	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	cmd := p.command(ctx, env, args)
	cmd.Stdin = strings.NewReader(stdin)
	if background {
		return p.start(args, env)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if both {
		cmd.Stderr = &stdout
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || ctx.Err() != nil) {
		p.t.Fatalf("%s: %s: %v; it said:\n%s", p.path, line, err, &stderr)
	}
	p.status = cmd.ProcessState.ExitCode()
	got := stdout.String()
	if got == "" {
		got = stderr.String()
	}
	return strings.NewReplacer(append(there, p.dir+string(filepath.Separator), "")...).Replace(got)
}

// command is a command of the page, with a user's cache that is empty.
func (p *pageRun) command(ctx context.Context, env, args []string) *exec.Cmd {
	cmd := command(ctx, args[1:]...)
	cmd.Dir = p.dir
	cmd.Env = slices.DeleteFunc(cmd.Env, func(s string) bool { return strings.HasPrefix(s, "DSPI_CACHE=") })
	cmd.Env = append(append(cmd.Env, "XDG_CACHE_HOME="+filepath.Join(p.dir, ".cache")), env...)
	if args[0] == "python" {
		cmd.Path, cmd.Args[0], cmd.Err = p.python, p.python, nil
	}
	return cmd
}

// start runs a gateway until the test ends, and returns what it says until it serves.
func (p *pageRun) start(args, env []string) string {
	p.t.Helper()
	const address = "127.0.0.1:4141"
	i := slices.Index(args, address)
	if i < 0 {
		p.t.Fatalf("%s: what runs behind the page is a gateway at %s", p.path, address)
	}
	args = slices.Clone(args)
	args[i] = "127.0.0.1:0"
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.t.Context()))
	cmd := p.command(ctx, env, args)
	said, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it is killed
	})
	var out strings.Builder
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		fmt.Fprintln(&out, lines.Text())
		if m := regexp.MustCompile(`http://([\d.:]+)/v1`).FindStringSubmatch(lines.Text()); m != nil {
			p.serve(address, m[1])
		}
		if strings.HasPrefix(lines.Text(), "serving") {
			go io.Copy(io.Discard, said) // it ends with the process
			return strings.ReplaceAll(out.String(), p.servers[len(p.servers)-1], address)
		}
	}
	p.t.Fatalf("%s: the gateway does not serve; it said:\n%s", p.path, &out)
	return ""
}

// serve says where the server is that the page has at an address.
func (p *pageRun) serve(address, here string) { p.servers = append(p.servers, address, here) }

// weatherOverHTTP serves the weather of two cities until the test ends.
func weatherOverHTTP(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reply := map[string]string{
			"Oslo":  `{"temp_c": 7.5, "condition": "rain"}`,
			"Cairo": `{"temp_c": 31.0, "condition": "sun"}`,
		}[r.URL.Query().Get("city")]
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Header.Get("Authorization") != "Bearer test-weather-key-1234":
			w.WriteHeader(http.StatusUnauthorized)
		case reply == "":
			w.WriteHeader(http.StatusNotFound)
			reply = `{"error": "no such city"}`
		}
		_, _ = io.WriteString(w, reply) // who does not read it any more has no need of it
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestRAGGuide: who follows docs/guides/rag.md has a cited answer after at most ten
// commands.
func TestRAGGuide(t *testing.T) {
	commands := 0
	for line := range strings.Lines(readWhole(t, "../../docs/guides/rag.md")) {
		switch {
		case strings.HasPrefix(line, "$ "):
			commands++
		case strings.Contains(line, `"source": "1"`): // of the answer: TestGuides ran it
			if commands == 0 || commands > 10 {
				t.Errorf("the first cited answer comes after %d commands", commands)
			}
			return
		}
	}
	t.Error("the guide shows no cited answer")
}

// changing is what differs from one run of a command to the next.
var changing = []*regexp.Regexp{
	regexp.MustCompile(`[ \t]*\b[\d.]+ (µs|ms|s)\b`),
	regexp.MustCompile(`\b[\d.]+ a second`),
	regexp.MustCompile(`"duration_ms":\d+`),
	regexp.MustCompile(`\btime="[\d.]+"`),
	regexp.MustCompile(`\b\d\.\d{6,}\b`),                        // seconds in a table
	regexp.MustCompile(`\b[0-9a-f]{12}\b`),                      // a run
	regexp.MustCompile(`\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\b`), // a moment
	regexp.MustCompile(`\bdspi \(devel\)|\bdspi v\d\S*`),
	regexp.MustCompile(`\b\d+ bytes\b`),
}

// timeless takes out of a text what differs from one run to the next.
func timeless(text string) string {
	for _, re := range changing {
		text = re.ReplaceAllString(text, "…")
	}
	return text
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/server/playground"
	"golang.org/x/net/websocket"
)

// playing starts `dspi playground`, and returns the URL of its page without the token,
// and the token.
func playing(t *testing.T, args ...string) (url, token string) {
	t.Helper()
	said, out := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	code := make(chan int, 1)
	go func() {
		a := newApp(strings.NewReader(""), out, io.Discard, nil)
		code <- a.run(ctx, append([]string{"playground"}, args...))
		out.Close()
	}()
	t.Cleanup(func() {
		stop()
		if c := <-code; c != 0 {
			t.Errorf("exit status %d", c)
		}
	})
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url, token, ok := strings.Cut(strings.TrimSpace(line), "/#")
	if !ok || !strings.HasPrefix(url, "http://127.0.0.1:") || len(token) < 20 {
		t.Fatalf("%q", line)
	}
	return url, token
}

// fetch asks the playground for something, and returns its answer.
func fetch(t *testing.T, method, url, token, body string) string {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 {
		t.Fatalf("%d %s %v", answer.StatusCode, data, err)
	}
	return string(data)
}

func TestPlayground(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const kinds = "type Mood = \"good\" | \"bad\"\n"
	write("kinds.dsp", kinds)
	write("p.dsp", "program p { q: string -> a: string }\n")
	url, token := playing(t, dir)

	var start struct {
		Root  string            `json:"root"`
		Files []playground.File `json:"files"`
	}
	if err := json.Unmarshal([]byte(fetch(t, "GET", url+"/api/start", token, "")), &start); err != nil {
		t.Fatal(err)
	}
	if len(start.Files) != 2 || start.Files[0].Name != "kinds.dsp" || start.Files[0].Text != kinds || !strings.HasPrefix(start.Files[0].URI, start.Root+"/") {
		t.Errorf("%+v", start)
	}

	for _, c := range []struct {
		name, file, text, inputs string
		want                     []string // in the answer
	}{
		{"the text of the page, not of the file", "p.dsp", "program other { q: string -> b: string }", `{"q":"x"}`,
			[]string{`"kind":"run_start"`, `"kind":"call_start"`, `"messages":[`, `"kind":"call_end"`, `{"end":{"outputs":{"b":`, `"usage":"1 call`}},
		{"imports beside the file", "p.dsp", "import \"kinds.dsp\" as kinds\nprogram p { q: string -> m: kinds.Mood }", `{"q":"x"}`, []string{`{"end":{"outputs":{"m":`}},
		{"a mistake", "p.dsp", "program p { q: strin -> a: string }", `{}`, []string{`error[E0204]`, `p.dsp:1:16`}},
		{"an input too few", "p.dsp", "program p { q: string -> a: string }", `{}`, []string{`error[E0608]`}},
		{"a file that is not offered", "../p.dsp", "program p { q: string -> a: string }", `{}`, []string{`no file ../p.dsp`}},
		{"Python", "p.dsp", "program p {\n  q: string -> a: string\n  program_of_thought s { q -> a }\n}", `{"q":"x"}`, []string{`starts Python`}},
		{"a command", "p.dsp", "tool t {\n  x: string -> y: string\n  command { argv = [\"ls\"] }\n  outputs { y = stdout }\n}\nprogram p {\n  q: string -> a: string\n  react s { tools = [tool.t] }\n}",
			`{"q":"x"}`, []string{"tool `t` is `command`"}},
		{"within a repeat", "p.dsp", "program p {\n  q: string -> a: string\n  repeat r {\n    state { d = q }\n    max_rounds = 2\n    program_of_thought s {\n      d: string -> e: string\n    }\n    next { d = s.e }\n  }\n  outputs { a = r.d }\n}",
			`{"q":"x"}`, []string{`starts Python`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := json.Marshal(c.text)
			if err != nil {
				t.Fatal(err)
			}
			got := fetch(t, "POST", url+"/api/run", token, `{"file":"`+c.file+`","text":`+string(text)+`,"inputs":`+c.inputs+`}`)
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("%s is not in\n%s", want, got)
				}
			}
		})
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 2 {
		t.Errorf("the folder has other files now: %v, %v", files, err)
	}
}

// TestPlaygroundTests: the tests of the page's text, with what each says.
func TestPlaygroundTests(t *testing.T) {
	url, token := playing(t)
	const text = `program p { q: string -> a: string }
program code {
  q: string -> a: string
  program_of_thought s { q -> a }
}
test good {
  program = program.p
  inputs { q = "x" }
  assert { that = len(a) >= 0 }
}
test bad {
  program = program.p
  inputs { q = "x" }
  assert {
    that    = len(a) > 100000
    message = "too short"
  }
}
test python {
  program = program.code
  inputs { q = "x" }
  assert { that = len(a) > 0 }
}
`
	ask := func(text, test string) []string {
		t.Helper()
		body, err := json.Marshal(playground.Request{File: "hello.dsp", Text: text, Test: test})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(fetch(t, "POST", url+"/api/test", token, string(body))), "\n")
	}
	var tests []playground.Tested
	kinds, running := map[string]int{}, 0
	lines := ask(text, "")
	for _, line := range lines {
		var got struct {
			Trace struct{ Kind string }
			Test  *playground.Tested
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		if got.Test != nil && got.Test.Status == "running" {
			if len(tests) != running {
				t.Errorf("%s runs before the test before it has ended", got.Test.Name)
			}
			running++
			continue
		}
		if got.Test != nil {
			tests = append(tests, *got.Test)
			continue
		}
		kinds[got.Trace.Kind]++
	}
	if len(tests) != 3 || running != 3 || kinds["run_start"] != 2 || kinds["run_end"] != 2 || kinds["call_end"] != 2 {
		t.Fatalf("%d tests, %v", len(tests), kinds)
	}
	for i, want := range []playground.Tested{
		{Name: "good", Status: "passed", Usage: "1 call"},
		{Name: "bad", Status: "failed", Error: "too short", Usage: "1 call"},
		{Name: "python", Status: "error", Error: "starts Python"},
	} {
		got := tests[i]
		if got.Name != want.Name || got.Status != want.Status || !strings.Contains(got.Error, want.Error) || (got.Error == "") != (want.Error == "") ||
			!strings.Contains(got.Usage, want.Usage) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if end := lines[len(lines)-1]; !strings.HasPrefix(end, `{"end":{"usage":"3 tests: 1 passed, 1 failed, 1 could not run; 2 calls`) {
		t.Error(end)
	}
	for _, c := range []struct{ name, text, test, want string }{
		{"one by name", text, "good", `"usage":"1 test: 1 passed; 1 call`},
		{"one that is not there", text, "better", "there is no test `better` in hello.dsp"},
		{"a file without tests", "program p { q: string -> a: string }", "", "there are no tests in hello.dsp"},
		{"a mistake", "program p { q: strin -> a: string }", "", "error[E0204]"},
	} {
		if got := strings.Join(ask(c.text, c.test), "\n"); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s is not in\n%s", c.name, c.want, got)
		}
	}
}

// TestPlaygroundBudget: a run ends when it has used up what it may use.
func TestPlaygroundBudget(t *testing.T) {
	url, token := playing(t, "--budget", "calls=1")
	text := `program p {\n  a: string -> c: string\n  predict one { a -> b }\n  predict two {\n    b -> c\n    inputs { b = one.b }\n  }\n}`
	got := fetch(t, "POST", url+"/api/run", token, `{"file":"hello.dsp","text":"`+text+`","inputs":{"a":"x"}}`)
	if !strings.Contains(got, `"error":"`) || !strings.Contains(got, "1 call") {
		t.Error(got)
	}
}

// TestPlaygroundLanguage speaks with the language server as the page does; it runs no
// commands.
func TestPlaygroundLanguage(t *testing.T) {
	url, token := playing(t)
	c, err := websocket.Dial("ws"+strings.TrimPrefix(url, "http")+"/lsp?token="+token, "", url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var answer string
	for _, say := range [][2]string{
		{initialize, `"hoverProvider":true`},
		{`{"jsonrpc":"2.0","id":2,"method":"workspace/executeCommand","params":{"command":"dspi.run","arguments":[{"uri":"untitled:a"}]}}`, `"error"`},
	} {
		if err := websocket.Message.Send(c, say[0]); err != nil {
			t.Fatal(err)
		}
		if err := websocket.Message.Receive(c, &answer); err != nil || !strings.Contains(answer, say[1]) {
			t.Errorf("%s: %v", answer, err)
		}
	}
	if c, err := websocket.Dial("ws"+strings.TrimPrefix(url, "http")+"/lsp", "", url); err == nil {
		c.Close()
		t.Error("a session without the token")
	}
}

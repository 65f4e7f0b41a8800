package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// speaker is a server that speaks chat completions. Its replies depend on what it is
// asked and on how often it was asked that, so that a reply in the wrong place is
// seen.
type speaker struct {
	*httptest.Server
	mu     sync.Mutex
	asked  map[string]int
	bodies []string // of all requests
}

func newSpeaker(t *testing.T) *speaker {
	s := &speaker{asked: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *speaker) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var req struct {
		Model    string
		Stream   bool
		Messages []struct{ Role, Content string }
		Format   *struct{ Type string } `json:"response_format"`
	}
	if err := json.Unmarshal(body, &req); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	last := req.Messages[len(req.Messages)-1].Content
	s.mu.Lock()
	s.bodies = append(s.bodies, string(body))
	s.asked[last]++
	n := s.asked[last]
	s.mu.Unlock()
	word := strings.Fields(last[strings.Index(last, "]]")+2:] + " -")[0]
	var text string
	switch {
	case strings.Contains(last, "does not fit"):
		text = "[[ ## score ## ]]\n7\n\n[[ ## completed ## ]]"
	case req.Format != nil || strings.Contains(req.Messages[0].Content, "JSON"):
		text = fmt.Sprintf(`{"upper": %q, "n": %d}`, strings.ToUpper(word), n)
	case strings.Contains(last, "[[ ## score ## ]]"):
		text = "[[ ## score ## ]]\nmany\n\n[[ ## completed ## ]]"
	default:
		text = fmt.Sprintf("[[ ## said ## ]]\n%s said %s\n\n[[ ## completed ## ]]", req.Model, word)
	}
	if req.Stream {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := 0; i < len(text); i += 3 {
			piece, _ := json.Marshal(text[i:min(i+3, len(text))])
			fmt.Fprintf(w, "data: {\"model\":%q,\"choices\":[{\"index\":0,\"delta\":{\"content\":%s}}]}\n\n", req.Model, piece)
		}
		fmt.Fprintf(w, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":5}}\n\ndata: [DONE]\n\n")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"model": req.Model, "usage": map[string]int{"prompt_tokens": 11, "completion_tokens": 5},
		"choices": []any{map[string]any{"message": map[string]any{"role": "assistant", "content": text}, "finish_reason": "stop"}},
	})
}

// talk is a program with two models, elements in parallel, a reply that does not
// fit at first, and a step whose reply is JSON.
const talk = `
variable token: string { sensitive = true, default = "sk-Pl4nted-in-the-program" }
model a { provider = "openai", name = "alpha", base_url = "URL", api_key = var.token }
model b { provider = "openai", name = "beta", base_url = "URL", api_key = var.token }

program talk {
  words: list[string] -> first: string, score: int, upper: list[string], says: list[string]
  predict begin {
    word: string -> said: string
    inputs { word = words[0] }
    model = model.b
  }
  predict rate {
    word: string -> score: int
    inputs { word = begin.said }
    model = model.a
  }
  predict raise {
    word: string -> upper: string, n: int
    for_each = words
    inputs { word = each.value }
    adapter = "json"
    model   = model.a
  }
  predict say {
    word: string -> said: string
    for_each = words
    inputs { word = each.value }
    model = model.b
  }
  outputs {
    first = begin.said
    score = rate.score
    upper = raise.upper
    says  = say.said
  }
}
`

// outputsOf runs a command and returns the outputs in what it printed as JSON.
func outputsOf(t *testing.T, args []string, env ...string) string {
	t.Helper()
	code, out := commandLine(t, args, append([]string{"DSPI_HISTORY="}, env...))
	if code != 0 {
		t.Fatalf("%q ends with %d:\n%s", args, code, out)
	}
	for line := range strings.Lines(out) {
		var ran struct{ Outputs json.RawMessage }
		if json.Unmarshal([]byte(line), &ran) == nil && ran.Outputs != nil {
			return string(ran.Outputs)
		}
	}
	t.Fatalf("%q prints no outputs:\n%s", args, out)
	return ""
}

// TestRecordAndReplay records a run with a server and replays it without one.
func TestRecordAndReplay(t *testing.T) {
	for _, stream := range []bool{false, true} {
		server := newSpeaker(t)
		dir := t.TempDir()
		file, recording := filepath.Join(dir, "talk.dsp"), filepath.Join(dir, "replies.jsonl")
		writeFile(t, file, strings.ReplaceAll(talk, "URL", server.URL))
		args := []string{"run", file, `words=["one","two","three","four","five","two"]`, "--json", "--no-cache"}
		if stream {
			args = append(args, "--stream")
		}
		want := outputsOf(t, append(args, "--record", recording))
		server.Close()
		for range 3 {
			if got := outputsOf(t, append(args, "--model", "scripted/"+recording)); got != want {
				t.Errorf("streamed %v: the replay gives\n%s\nwant\n%s", stream, got, want)
			}
		}
		for _, part := range []string{`"beta said one"`, `"score":7`, `"ONE"`, `"beta said five"`} {
			if !strings.Contains(want, part) {
				t.Errorf("%s is not in %s", part, want)
			}
		}
		// A changed program is told so, not answered with something else.
		code, out := commandLine(t, []string{"run", file, `words=["six"]`, "--model", "scripted/" + recording}, nil)
		if code != 1 || !strings.Contains(out, "record again") {
			t.Errorf("other inputs give %d:\n%s", code, out)
		}
		info, err := os.Stat(recording)
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("the recording has the mode %v, %v", info.Mode(), err)
		}
		left, _ := filepath.Glob(filepath.Join(dir, ".recording-*"))
		if len(left) > 0 {
			t.Errorf("%v is left", left)
		}
		// Neither the recording nor the database nor what shows it holds the key.
		for _, show := range [][]string{{"show"}, {"show", "--messages"}, {"show", "--json"}, {"show", "--html", "-"}, {"runs"}} {
			code, out := commandLine(t, append(show, "--in", dir), nil)
			if code != 0 {
				t.Errorf("%q ends with %d:\n%s", show, code, out)
			}
			unleaked(t, strings.Join(show, " "), out)
		}
		unwritten(t, dir, "talk.dsp")
	}
	code, out := commandLine(t, []string{"run", "-s", "q -> a", "q=x", "--record", filepath.Join(t.TempDir(), "none", "r.jsonl")}, []string{"DSPI_HISTORY=off"})
	if code != 2 || !strings.Contains(out, "the replies cannot be written to") {
		t.Errorf("a folder that is not there gives %d:\n%s", code, out)
	}
}

// TestCurl: the command that show prints sends what was sent, and the key that its
// variable holds then.
func TestCurl(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("the command is for a POSIX shell")
		return
	}
	server := newSpeaker(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "p.dsp")
	writeFile(t, file, "model m { provider = \"openai\", name = \"alpha\", base_url = \""+server.URL+"\", api_key = \"sk-Pl4nted-key\" }\n"+
		"program p {\n  q: string -> said: string\n  model = model.m\n  temperature = 0.25\n}\n")
	const question = `it's "quoted" $HOME \n <b> & é` + "\nand `more`"
	code, out := commandLine(t, []string{"run", file, "q=" + question, "--no-cache"}, nil)
	if code != 0 {
		t.Fatal(out)
	}
	code, out = commandLine(t, []string{"show", "--in", dir, "--curl", "1"}, nil)
	if code != 0 || !strings.Contains(out, `"Authorization: Bearer $OPENAI_API_KEY"`) {
		t.Fatalf("show --curl ends with %d:\n%s", code, out)
	}
	unleaked(t, "show --curl", out)
	// A shell splits the command into words.
	cmd := exec.Command("sh", "-c", "curl() { for word; do printf '%s\\0' \"$word\"; done; }\n"+out)
	cmd.Env = []string{"OPENAI_API_KEY=another-key", "HOME=/nowhere"}
	split, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Split(string(split), "\x00")
	has := func(want string) {
		t.Helper()
		for _, w := range words {
			if w == want {
				return
			}
		}
		t.Errorf("%q is no word of the command:\n%s", want, out)
	}
	has("POST")
	has(server.URL + "/chat/completions")
	has("Authorization: Bearer another-key")
	has("Content-Type: application/json")
	has(server.bodies[0])
}

package lsp_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/lsp"
	"github.com/dspi-lang/dspi/lsp/protocol"
)

// measured is a program with an evaluation, whose results are saved under a path, and a
// tuning.
func measured(saveTo string) string {
	return good + fmt.Sprintf(`
dataset d { file = "d.csv" }
metric m { score = 1.0 }
evaluate quality {
  program = program.p
  data    = dataset.d
  metric  = metric.m
  save_to = %q
}
optimize better {
  program = program.p
  train   = dataset.d
  metric  = metric.m
  labeled_few_shot {}
}
`, saveTo)
}

// TestLensRefresh runs and saves what lenses tell of: an editor that can be told so is
// asked to look at them anew, after what saves a result and after nothing else.
func TestLensRefresh(t *testing.T) {
	text := measured("results/quality.json")
	for _, test := range []struct {
		name, capabilities string
		told               bool
	}{
		{"able", `{"workspace":{"codeLens":{"refreshSupport":true}}}`, true},
		{"unable", `{"workspace":{"codeLens":{}}}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			save := func(name, text string) {
				t.Helper()
				if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
					t.Error(err)
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Error(err)
				}
			}
			save("main.dsp", text)
			main := filepath.Join(dir, "main.dsp")
			uri := string(protocol.Address(main))
			opt := lsp.Options{Options: options(), Execute: func(_ context.Context, args []string, _ string, _ func(string)) int {
				switch args[0] {
				case "eval":
					save("results/quality.json", `{"version":1,"metrics":[{"name":"m","n":4,"mean":0.75}]}`)
				case "optimize":
					save("better.tuned.json", `{"predict":{},"metadata":{"dspi":{"scores":{"m":0.5}}}}`)
				}
				return 0
			}}
			e, _ := startWith(t, opt, `{"rootUri":"`+string(protocol.Address(dir))+`","capabilities":`+test.capabilities+`}`)
			e.open(uri, text)

			// shown awaits that the lenses are asked for, and holds what they then tell.
			shown := func(want ...string) {
				t.Helper()
				if test.told {
					select {
					case params := <-e.fresh:
						if params != "" {
							t.Errorf("the editor is asked with parameters: %s", params)
						}
					case <-time.After(30 * time.Second):
						t.Fatal("the editor is not asked to look at the lenses anew")
					}
				}
				var lenses []struct{ Command *struct{ Title string } }
				e.call("textDocument/codeLens", map[string]any{"textDocument": map[string]any{"uri": uri}}, &lenses)
				var titles []string
				for _, l := range lenses {
					if l.Command != nil && l.Command.Title != "run" {
						titles = append(titles, l.Command.Title)
					}
				}
				if !slices.Equal(titles, want) {
					t.Errorf("the lenses tell %s, want %s", strings.Join(titles, ", "), strings.Join(want, ", "))
				}
			}
			run := func(command, name string) {
				t.Helper()
				e.call("workspace/executeCommand", map[string]any{"command": command, "arguments": []any{main, name}}, nil)
			}
			changed := func(names ...string) {
				t.Helper()
				var events []map[string]any
				for _, name := range names {
					events = append(events, map[string]any{"uri": string(protocol.Address(filepath.Join(dir, name))), "type": 2})
				}
				e.note("workspace/didChangeWatchedFiles", map[string]any{"changes": events})
			}

			run("dspi.run", "p") // saves nothing
			run("dspi.evaluate", "quality")
			shown("evaluate (last: m 0.75)", "optimize")
			run("dspi.test", "")
			run("dspi.optimize", "better")
			shown("evaluate (last: m 0.75)", "optimize (last: m 0.5)")

			// Another program has saved them.
			changed("d.csv", "main.dsp", "quality.csv", "other.json")
			save("results/quality.json", `{"version":1,"metrics":[{"name":"m","n":4,"mean":0.25}]}`)
			changed("other.json", "results/quality.json")
			shown("evaluate (last: m 0.25)", "optimize (last: m 0.5)")
			if err := os.Remove(filepath.Join(dir, "better.tuned.json")); err != nil {
				t.Fatal(err)
			}
			changed("better.tuned.json")
			shown("evaluate (last: m 0.25)", "optimize")
			e.leave()
			if n := len(e.fresh); n != 0 {
				t.Errorf("the editor is asked %d times more", n)
			}
		})
	}
}

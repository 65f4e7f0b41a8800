package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// planted is the secret of these tests. It holds what JSON, HTML and URLs write
// in another way.
const planted = `sk-Pl4nted+K3y<&>/zq9x`

// traces are the texts by which the secret would be found.
func traces() []string {
	quoted, _ := json.Marshal(planted)
	inner := strings.Trim(string(quoted), `"`)
	all := []string{
		planted, inner, url.QueryEscape(planted), url.PathEscape(planted), url.UserPassword("u", planted).String(), html.EscapeString(planted),
		base64.StdEncoding.EncodeToString([]byte("user:" + planted)), base64.StdEncoding.EncodeToString([]byte(planted)),
	}
	// A part of it is a leak as well.
	return append(all, "Pl4nted", "K3y", "zq9x")
}

// echoing is a server that says all it was sent.
func echoing(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		all := fmt.Sprintf("%s %s %s", r.Header.Get("Authorization"), r.URL.String(), r.Header.Get("X-Api-Key"))
		user, password, _ := r.BasicAuth()
		all += " " + user + " " + password
		reply := func(status int, v any) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(v)
		}
		content := func(text string) {
			reply(200, map[string]any{"choices": []any{map[string]any{"message": map[string]any{"role": "assistant", "content": text}, "finish_reason": "stop"}}, "model": all})
		}
		switch way := r.URL.Query().Get("way") + r.URL.Path; {
		case strings.Contains(way, "refuse"):
			reply(401, map[string]any{"error": map[string]any{"message": "no such key: " + all}})
		case strings.Contains(way, "break"):
			reply(500, map[string]any{"detail": []string{all}})
		case strings.Contains(way, "page"):
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, "<p>%s</p>", html.EscapeString(all)+all)
		case strings.Contains(way, "moved"):
			w.Header().Set("Location", "http://elsewhere.test/"+url.PathEscape(r.Header.Get("Authorization"))+"?key="+url.QueryEscape(all))
			w.WriteHeader(307)
		case strings.Contains(way, "misfit"):
			content("[[ ## n ## ]]\n" + all + "\n\n[[ ## completed ## ]]")
		case strings.Contains(way, "echo"):
			content("[[ ## n ## ]]\n7\n\n[[ ## said ## ]]\n" + all + "\n\n[[ ## completed ## ]]")
		default:
			content("[[ ## n ## ]]\n7\n\n[[ ## said ## ]]\nfine\n\n[[ ## completed ## ]]")
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// TestPlantedSecret plants a secret in every place from which one can come, runs
// many commands, and looks for it in every byte that they write.
func TestPlantedSecret(t *testing.T) {
	server := echoing(t)
	host := strings.TrimPrefix(server.URL, "http://")
	const declared = "variable key: string { sensitive = true }"
	oneLine := func(text string) string {
		q, _ := json.Marshal(text)
		return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(q))
	}
	channels := []struct {
		name     string
		variable string // declaration
		key, url string // expressions in the model
		args     []string
		env      []string
		vars     string // a .dspvars file
	}{
		{name: "var", variable: declared, key: `var.key`, args: []string{"--var", "key=" + planted}},
		{name: "vars", variable: declared, key: `var.key`, vars: "key = " + oneLine(planted) + "\n"},
		{name: "environment", variable: declared, key: `var.key`, env: []string{"DSPI_VAR_key=" + planted}},
		{name: "env", variable: `variable key: string { default = env("PLANTED"), sensitive = true }`, key: `var.key`, env: []string{"PLANTED=" + planted}},
		{name: "default", variable: `variable key: string { default = ` + oneLine(planted) + `, sensitive = true }`, key: `var.key`},
		{name: "default on lines", variable: "variable key: string {\n  sensitive = true\n  default = " + oneLine(planted) + "\n}", key: `var.key`},
		{name: "part of the key", variable: declared, key: `"team-${var.key}"`, args: []string{"--var", "key=" + planted}},
		{name: "computed", variable: declared + "\nvariable made: string { value = \"team-${var.key}\" }", key: `var.made`, args: []string{"--var", "key=" + planted}},
		{name: "key in the file", key: oneLine(planted)},
		{name: "password in the URL", url: `"http://user:` + url.QueryEscape(planted) + `@` + host + `/WAY"`},
		{name: "token in the URL", url: `"http://` + url.QueryEscape(planted) + `@` + host + `/WAY"`},
		{name: "query of the URL", url: `"http://` + host + `/WAY?api_key=` + url.QueryEscape(planted) + `"`},
		{name: "variable in the URL's path", variable: declared, url: `"http://` + host + `/${var.key}/WAY"`, args: []string{"--var", "key=" + url.PathEscape(planted)}},
		{name: "variable as the URL", variable: declared, url: `var.key`, args: []string{"--var", "key=http://user:" + url.QueryEscape(planted) + "@" + host + "/WAY"}},
	}
	file := func(c int, way string) string {
		ch := channels[c]
		key := ""
		if ch.key != "" {
			key = ", api_key = " + ch.key
		}
		base := ch.url
		if base == "" {
			base = `"http://` + host + `/WAY"`
		}
		return ch.variable + `
model m { provider = "openai", name = "x"` + key + `, base_url = ` + strings.ReplaceAll(base, "WAY", way) + `
  retry { attempts = 1 }
}
program p {
  instructions = "Do it."
  question: string -> n: int, said: string = ""
  model = model.m
}
`
	}
	commands := [][]string{
		{"run", "FILE", "question=x"}, {"run", "FILE", "question=x", "--json"}, {"run", "FILE", "--each", "ROWS"},
		{"check", "FILE"}, {"check", "FILE", "--json"}, {"check", "DIR"},
		{"plan", "FILE"}, {"plan", "FILE", "--json"},
		{"config", "FILE"}, {"config", "FILE", "--json"},
		{"render", "FILE", "question=x"}, {"render", "FILE", "question=x", "--json"},
		{"fmt", "--check", "FILE"},
	}
	ran := 0
	for c, ch := range channels {
		t.Run(ch.name, func(t *testing.T) {
			for _, way := range []string{"fine", "misfit", "refuse", "break", "page", "moved", "echo"} {
				dir := t.TempDir()
				text := file(c, way)
				for name, text := range map[string]string{
					"p.dsp": text, "rows.jsonl": "{\"question\": \"x\"}\n{\"question\": \"y\"}\n", "p.dspvars": ch.vars,
				} {
					writeFile(t, filepath.Join(dir, name), text)
				}
				for _, cmd := range commands {
					if way != "fine" && cmd[0] != "run" {
						continue
					}
					args := with(cmd, dir)
					if takesVars(cmd[0]) {
						for _, a := range ch.args {
							args = append(args, strings.ReplaceAll(a, "WAY", way))
						}
						if ch.vars != "" {
							args = append(args, "--vars", filepath.Join(dir, "p.dspvars"))
						}
					}
					code, out := commandLine(t, args, ch.env)
					ran++
					if way == "fine" && code != 0 && cmd[0] != "fmt" {
						t.Errorf("%q fails:\n%s", cmd, out)
					}
					unleaked(t, fmt.Sprintf("%s: %q", way, cmd), out)
				}
				unwritten(t, dir, "p.dsp", "p.dspvars")
			}
		})
	}
	t.Logf("%d commands", ran)
}

// TestPlantedSecretWithMistakes breaks files that hold a secret in every way that
// shows a line of them.
func TestPlantedSecretWithMistakes(t *testing.T) {
	const program = "\nprogram p {\n  question: string -> n: int\n}\n"
	sources := []string{
		`variable key: string { default = "SECRET", sensitive = true, oops = 1 }`,
		`variable key: string { default = "SECRET", sensitve = true }`,
		`variable key: int { default = "SECRET", sensitive = true }`,
		`variable key: strng { sensitive = true, default = "SECRET" }`,
		`variable key: string { sensitive = true, default = 'SECRET' }`,
		`variable key: string { sensitive = true, default = SECRET }`,
		`variable key: string { sensitive = true, default = "SECRET`,
		`variable key: string { sensitive = true, default = "SECRET"`,
		`variable key: string { sensitive = true default = "SECRET" }`,
		`variable key: string(max_length = 3) { sensitive = true, default = "SECRET" }`,
		`variable key: "a" | "b" { sensitive = true, default = "SECRET" }`,
		`variable key: string { sensitive = true, default = "a ${SECRET}" }`,
		`variable key: string { sensitive = true, default = "SECRET" + 1 }`,
		`variable key: string { sensitive = true, default = ["SECRET"] }`,
		"variable key: string {\n  sensitive = true\n  default = <<EOT\nSECRET\nEOT\n  oops = 1\n}",
		"variable key: int {\n  sensitive = true\n  default = <<EOT\nSECRET\nEOT\n}",
		`variable key: string { sensitive = true, default = "SECRET", default = "SECRET" }`,
		"variable key: string { default = \"SECRET\", sensitive = true }\nvariable key: string { default = \"SECRET\", sensitive = true }",
		`model m { provider = "openai", name = "x", api_key = "SECRET", oops = 1 }`,
		`model m { provider = "opnai", name = "x", api_key = "SECRET" }`,
		`model m { provider = "openai", name = "x", api_key = 'SECRET' }`,
		`model m { provider = "openai", name = "x", api_key = "SECRET" + 1 }`,
		`model m { provider = "openai", name = "x", api_key = "SECRET`,
		`model m { provider = "openai", name = "x", api_key = ["SECRET"] }`,
		`model m { provider = "openai", name = "x", api_key = SECRET }`,
		`model m { provider = "openai", name = "x", apikey = "SECRET" }`,
		`model m { provider = "openai", name = "x", base_url = "http://user:SECRET@host/", oops = 1 }`,
		`model m { provider = "openai", name = "x", base_url = 'http://user:SECRET@host/' }`,
		`model m { provider = "openai", name = "x", base_url = "http://host/?token=SECRET", timeout = "http://u:SECRET@h" }`,
		`variable key: string { sensitive = true, default = "SECRET" }` + "\n" + `model m { provider = "openai", name = var.key, api_key = var.key }`,
	}
	plain := "plantedPl4ntedK3yzq9x"
	for i, src := range sources {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, "p.dsp"), strings.ReplaceAll(src, "SECRET", plain)+program)
		for _, cmd := range [][]string{{"check", "FILE"}, {"check", "FILE", "--json"}, {"run", "FILE", "question=x", "--json"}, {"plan", "FILE"}, {"config", "FILE"}} {
			_, out := commandLine(t, with(cmd, dir), nil)
			unleaked(t, fmt.Sprintf("source %d %s: %q", i, src, cmd), out)
		}
	}
	const declared = "variable key: int { sensitive = true }\nvariable word: string { sensitive = true, default = \"x\" }\nvariable k: int { default = 1 }\nvariable pick: model { sensitive = true, default = \"builtin/incontext\", choices = [\"builtin/incontext\"] }" + program
	vars := []string{
		`key = "SECRET"`, `kye = "SECRET"`, `other = "SECRET"`, `key = SECRET`, `key = "SECRET`, `key = 'SECRET'`, `key = ["SECRET", "SECRET"]`,
		`key = { a = "SECRET" }`, `word = ["SECRET"]`, "word = <<EOT\nSECRET\nEOT\n\nk = ", "k = \"SECRET-is-not-declared-so\"x\nkey = \"SECRET\"\n"[len("k = \"SECRET-is-not-declared-so\"x\n"):],
		"word = \"SECRET\"\nword = \"SECRET\"", `word "SECRET" {}`[:4] + ` = "${SECRET}"`, `word = "\q SECRET"`, `word = SECRET("SECRET")`, `word = "SECRET" k = 2`,
		`key = "http://u:SECRET@host"`, `k = "http://u:SECRET@host"`, `pick = "SECRET"`, `word = -"SECRET"`, `word: "SECRET"`, `lib = { key = "SECRET" }`,
	}
	for i, text := range vars {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, "p.dsp"), declared)
		writeFile(t, filepath.Join(dir, "p.dspvars"), strings.ReplaceAll(text, "SECRET", plain)+"\n")
		for _, cmd := range [][]string{{"run", "FILE", "question=x"}, {"run", "FILE", "question=x", "--json"}, {"config", "FILE"}, {"config", "FILE", "--json"}} {
			_, out := commandLine(t, append(with(cmd, dir), "--vars", filepath.Join(dir, "p.dspvars")), nil)
			unleaked(t, fmt.Sprintf("vars %d %s: %q", i, text, cmd), out)
		}
	}
	for _, set := range [][]string{
		{"--var", "key=SECRET"}, {"--var", "kye=SECRET"}, {"--var", "pick=SECRET"}, {"--var", "=SECRET"}, {"--var", "SECRET"},
	} {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, "p.dsp"), declared)
		for _, cmd := range [][]string{{"run", "FILE", "question=x"}, {"run", "FILE", "question=x", "--json"}, {"config", "FILE"}} {
			args := with(cmd, dir)
			for _, s := range set {
				args = append(args, strings.ReplaceAll(s, "SECRET", plain))
			}
			_, out := commandLine(t, args, nil)
			unleaked(t, fmt.Sprintf("%q: %q", set, cmd), out)
		}
	}
	projects := []string{
		`cache { url = "redis://u:SECRET@host" }`, `cache { url = "rdis://u:SECRET@host" }`, `cache { url = "redis://SECRET@host", oops = 1 }`,
		`store { url = "postgres://u:SECRET@h/d?sslkey=SECRET" }`, `store { url = "postgres://u:SECRET@h/d }`, `stor { url = "postgres://u:SECRET@h/d" }`,
		`store { urll = "postgres://u:SECRET@h/d" }`, `default_model = "http://u:SECRET@h"`,
	}
	for i, text := range projects {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, "p.dsp"), program)
		writeFile(t, filepath.Join(dir, "dspi.hcl"), strings.ReplaceAll(text, "SECRET", plain)+"\n")
		for _, cmd := range [][]string{{"run", "FILE", "question=x"}, {"run", "FILE", "question=x", "--json"}, {"config", "FILE"}, {"config", "FILE", "--json"}, {"check", "FILE"}} {
			_, out := commandLine(t, with(cmd, dir), nil)
			unleaked(t, fmt.Sprintf("dspi.hcl %d %s: %q", i, text, cmd), out)
		}
	}
}

// with fills the paths of a folder into a command line.
func with(cmd []string, dir string) []string {
	var out []string
	for _, a := range cmd {
		switch a {
		case "FILE":
			a = filepath.Join(dir, "p.dsp")
		case "ROWS":
			a = filepath.Join(dir, "rows.jsonl")
		case "DIR":
			a = dir
		}
		out = append(out, a)
	}
	return out
}

func takesVars(command string) bool {
	return command == "run" || command == "plan" || command == "config" || command == "render"
}

// commandLine runs a command line in this process and returns all it wrote.
func commandLine(t *testing.T, args, env []string) (int, string) {
	t.Helper()
	var out, errs bytes.Buffer
	a := newApp(strings.NewReader(""), &out, &errs, append([]string{"DSPI_DEBUG=1"}, env...))
	code := a.run(context.Background(), args)
	if strings.Contains(errs.String(), "a fault of its own") {
		t.Errorf("%q panics:\n%s", args, errs.String())
	}
	return code, out.String() + errs.String()
}

func unleaked(t *testing.T, what, out string) {
	t.Helper()
	for _, s := range traces() {
		if strings.Contains(out, s) {
			t.Errorf("%s shows %q:\n%s", what, s, out)
			return
		}
	}
}

// unwritten looks into every file of a folder but those that are named.
func unwritten(t *testing.T, dir string, but ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		for _, b := range but {
			if e.Name() == b {
				return nil
			}
		}
		text, err := os.ReadFile(path)
		if err == nil {
			unleaked(t, path, string(text))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

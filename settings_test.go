package dspi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/program/state"
)

// put writes files below a folder and returns it.
func put(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func checked(t *testing.T, text string) *program.Project {
	t.Helper()
	project, diags := dspi.Check(dspi.Parse(filepath.Join(t.TempDir(), "p.dsp"), text))
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	return project
}

func TestFindSettings(t *testing.T) {
	dir := put(t, map[string]string{"dspi.hcl": "", "a/b/p.dsp": "", "a/c/dspi.hcl": "", "a/c/d/p.dsp": ""})
	for path, want := range map[string]string{"p.dsp": "dspi.hcl", "a/b/p.dsp": "dspi.hcl", "a/c/p.dsp": "a/c/dspi.hcl", "a/c/d/p.dsp": "a/c/dspi.hcl"} {
		if got := dspi.FindSettings(filepath.Join(dir, path)); got != filepath.Join(dir, want) {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	t.Chdir(filepath.Join(dir, "a", "b"))
	for path, want := range map[string]string{"p.dsp": "../../dspi.hcl", "../c/d/p.dsp": "../c/dspi.hcl", "signature": "../../dspi.hcl"} {
		if got := filepath.ToSlash(dspi.FindSettings(path)); got != want {
			t.Errorf("%s from a/b: got %s, want %s", path, got, want)
		}
	}
	if err := os.Mkdir("dspi.hcl", 0o777); err != nil {
		t.Fatal(err)
	}
	if _, diags := dspi.LoadSettings("p.dsp"); len(diags) != 1 || diags[0].Code != "E0619" {
		t.Errorf("a folder called dspi.hcl: %v", diags)
	}
}

// TestOrderOfVariables sets each pair of neighbours in the order, and all that
// stand below them: the higher one wins, and what it overrides is told in order.
func TestOrderOfVariables(t *testing.T) {
	dir := put(t, map[string]string{"one.dspvars": "k = 2", "two.dspvars": "k = 3"})
	type source struct {
		name string
		set  func(*dspi.Sources)
	}
	// From the highest to the lowest. Of several --var and --vars the last wins.
	order := []source{
		{"--var", func(s *dspi.Sources) { s.Vars = append(s.Vars, [2]string{"k", "9"}) }},
		{"--var", func(s *dspi.Sources) { s.Vars = append([][2]string{{"k", "8"}}, s.Vars...) }},
		{"--vars", func(s *dspi.Sources) { s.Files = append(s.Files, filepath.Join(dir, "two.dspvars")) }},
		{"--vars", func(s *dspi.Sources) { s.Files = append([]string{filepath.Join(dir, "one.dspvars")}, s.Files...) }},
		{"DSPI_VAR_k", func(s *dspi.Sources) { s.Getenv = getenv("DSPI_VAR_k=4") }},
		{"tuned state", func(s *dspi.Sources) { s.State = &state.Tuned{Variables: map[string]any{"k": 5}} }},
		{"default", func(*dspi.Sources) {}},
	}
	values := []int{9, 8, 3, 2, 4, 5, 1}
	project := checked(t, "variable k: int { default = 1 }\nprogram p {\n  temperature = float(var.k) / 10\n  q: string -> a: string\n}\n")
	for i := range order {
		from := dspi.Sources{Getenv: getenv()}
		var want []string
		for j := i; j < len(order); j++ {
			order[j].set(&from)
			want = append(want, fmt.Sprintf("%s=%d", order[j].name, values[j]))
		}
		given, diags, err := dspi.Variables(project, from)
		if err != nil || diags.HasErrors() {
			t.Fatal(err, diags)
		}
		var got []string
		for _, g := range given["k"] {
			got = append(got, fmt.Sprintf("%s=%v", g.Source, g.Value))
			if inFile := g.Source == "--vars" || g.Source == "default"; inFile != (g.Place.File != nil) {
				t.Errorf("the place of %s is %v", g.Source, g.Place)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		p, err := dspi.Plan(project, dspi.PlanOptions{Vars: dspi.Values(given), State: from.State, Getenv: from.Getenv})
		if err != nil {
			t.Fatal(err)
		}
		if p.Values["k"] != values[i] {
			t.Errorf("the plan has k = %v, want %d", p.Values["k"], values[i])
		}
	}
}

func getenv(pairs ...string) func(string) string {
	return func(name string) string {
		for _, p := range pairs {
			if n, v, _ := strings.Cut(p, "="); n == name {
				return v
			}
		}
		return ""
	}
}

// TestOrderOfModels does the same for the model of a step in a program that
// another calls.
func TestOrderOfModels(t *testing.T) {
	type source struct {
		name, model string
		set         func(*dspi.PlanOptions)
		text        [2]string // what is replaced in the program, and by what
	}
	dir := put(t, map[string]string{"dspi.hcl": `default_model = "openai/of-project"`})
	order := []source{
		{"--model", "openai/of-flag", func(o *dspi.PlanOptions) { o.Model = "openai/of-flag" }, [2]string{}},
		{"the program", "openai/of-step", nil, [2]string{"STEP", `model = "openai/of-step"`}},
		{"the program", "openai/of-caller", nil, [2]string{"CALLER", `model = "openai/of-caller"`}},
		{"DSPI_MODEL", "openai/of-env", func(o *dspi.PlanOptions) { o.DefaultModel = "openai/of-env" }, [2]string{}},
		{"default = true", "openai/of-file", nil, [2]string{"FILE", "model usual {\n  provider = \"openai\"\n  name = \"of-file\"\n  default = true\n}"}},
		{"dspi.hcl", "openai/of-project", func(o *dspi.PlanOptions) {
			settings, diags := dspi.LoadSettings(filepath.Join(dir, "p.dsp"))
			if diags != nil {
				t.Fatal(diags)
			}
			o.Settings = settings
		}, [2]string{}},
		{"nothing else", "builtin/incontext", func(*dspi.PlanOptions) {}, [2]string{}},
	}
	const text = `FILE
program outer {
  q: string -> a: string
  inner i {
    CALLER
  }
}
program inner {
  q: string -> a: string
  predict s {
    q: string -> a: string
    STEP
  }
}
`
	for i := range order {
		var opt dspi.PlanOptions
		opt.Program, opt.Getenv = "outer", getenv()
		program := text
		var want []string
		for _, s := range order[i:] {
			if s.set != nil {
				s.set(&opt)
			} else {
				program = strings.Replace(program, s.text[0], s.text[1], 1)
			}
			want = append(want, s.name)
		}
		program = strings.NewReplacer("FILE", "", "CALLER", "", "STEP", "").Replace(program)
		p, err := dspi.Plan(checked(t, program), opt)
		if err != nil {
			t.Fatal(err)
		}
		op := p.Ops[0].Plan.Ops[0]
		if op.Model.Address != order[i].model || op.Model.Source != order[i].name {
			t.Errorf("got %s from %s, want %s from %s", op.Model.Address, op.Model.Source, order[i].model, order[i].name)
		}
		var got []string
		for _, c := range op.Choices {
			got = append(got, c.Source)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// TestProjectModel: the default model of dspi.hcl may be one that the program
// declares, and is wrong at its place there when it is not.
func TestProjectModel(t *testing.T) {
	dir := put(t, map[string]string{"dspi.hcl": "# settings\ndefault_model = \"usul\"\n"})
	settings, _ := dspi.LoadSettings(filepath.Join(dir, "p.dsp"))
	const text = "model usual {\n  provider = \"openai\"\n  name = \"x\"\n}\nprogram p {\n  q: string -> a: string\n}\n"
	_, err := dspi.Plan(checked(t, text), dspi.PlanOptions{Settings: settings})
	list, _ := err.(diag.List)
	if len(list) != 1 || list[0].Code != "E0616" || list[0].Primary.Place.Text() != `"usul"` {
		t.Fatalf("got %v", err)
	}
	p, err := dspi.Plan(checked(t, strings.Replace(text, "usual", "usul", 1)), dspi.PlanOptions{Settings: settings})
	if err != nil || p.Ops[0].Model.Name != "usul" {
		t.Errorf("got %v, %v", p, err)
	}
	// Another model answers, so nobody asks what dspi.hcl means.
	if _, err := dspi.Plan(checked(t, text), dspi.PlanOptions{Settings: settings, DefaultModel: "usual"}); err != nil {
		t.Error(err)
	}
}

// TestSecretVariables: what is wrong with a secret is said at its name and its
// declaration, without its value.
func TestSecretVariables(t *testing.T) {
	dir := put(t, map[string]string{"v.dspvars": "pin = \"hunter2-and-more\"\nk = \"many\"\n"})
	project := checked(t, "variable pin: int { sensitive = true }\nvariable k: int { default = 1 }\nprogram p {\n  q: string -> a: string\n}\n")
	_, diags, err := dspi.Variables(project, dspi.Sources{Files: []string{filepath.Join(dir, "v.dspvars")}, Getenv: getenv()})
	if err != nil || len(diags) != 2 {
		t.Fatal(err, diags)
	}
	for i, want := range []string{"pin", `"many"`} {
		d := diags[i]
		if d.Code != "E0610" || d.Primary.Place.Text() != want || len(d.Related) != 1 || d.Related[0].File.Name != project.Root.Name {
			t.Errorf("got %s at `%s` with %v", d.Code, d.Primary.Place.Text(), d.Related)
		}
	}
	out, err := json.Marshal(diags.Reports())
	if err != nil || strings.Contains(string(out), "hunter2") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestSecretsInTraces: a server that says what it was sent puts it into no event
// of a run.
func TestSecretsInTraces(t *testing.T) {
	const key = "sk-planted-in-a-trace"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said := r.Header.Get("Authorization") + " " + r.URL.String()
		if strings.Contains(r.URL.Path, "refuse") {
			w.WriteHeader(http.StatusUnauthorized)
			_ = json.NewEncoder(w).Encode(map[string]any{"error": said})
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"model": said, "choices": []any{map[string]any{"message": map[string]any{"content": "[[ ## a ## ]]\n" + said + "\n\n[[ ## completed ## ]]"}}}})
	}))
	defer server.Close()
	for _, way := range []string{"fine", "refuse"} {
		project := checked(t, fmt.Sprintf("variable key: string { sensitive = true }\nmodel m {\n  provider = \"openai\"\n  name = \"x\"\n  api_key = var.key\n  base_url = \"%s/%s/${var.key}\"\n}\nprogram p {\n  q: string -> a: string\n  model = model.m\n}\n", server.URL, way))
		p, err := dspi.Plan(project, dspi.PlanOptions{Vars: map[string]any{"key": key}, Getenv: getenv()})
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var events strings.Builder
		res, err := dspi.NewRuntime(dspi.Options{Trace: func(e trace.Event) {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(&events, "%+v\n", e)
			if e.Reply != nil {
				fmt.Fprintf(&events, "%+v %s\n", *e.Reply, e.Reply.Raw)
			}
			line, _ := json.Marshal(e)
			events.Write(line)
		}}).Run(context.Background(), p, map[string]any{"q": "x"})
		text := fmt.Sprintf("%s\n%+v\n%v", events.String(), res, err)
		if way == "fine" {
			a, _ := res.Outputs.Get("a")
			if s, _ := a.(string); !strings.HasPrefix(s, "Bearer [redacted] /fine/[redacted]/") {
				t.Errorf("the reply is %q", a)
			}
		} else if err == nil {
			t.Error("a refused key is no error")
		}
		if strings.Contains(text, key) {
			t.Errorf("%s: the key is in the trace:\n%s", way, text)
		}
		asJSON, err := json.Marshal(p)
		if err != nil || strings.Contains(string(asJSON)+p.String(), key) {
			t.Errorf("%v: the key is in the plan: %s", err, asJSON)
		}
	}
}

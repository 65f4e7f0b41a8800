package config

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
)

// said is a diagnostic in one line: its code, line, the text at its place, and
// its label.
func said(list diag.List) string {
	var out []string
	for _, d := range list {
		p := d.Primary
		line := 0
		if p.File != nil {
			line = p.File.Position(p.Start).Line
		}
		out = append(out, fmt.Sprintf("%s %d `%s` %s", d.Code, line, p.Place.Text(), p.Text))
	}
	return strings.Join(out, "\n")
}

func TestReadProject(t *testing.T) {
	file := source.NewFile("dspi.hcl", `# settings
default_model = "openai/gpt-4o-mini"
cache { url = "redis://me:word@host:6379/0" }
store {
  url     = "sqlite:.dspi/dspi.db"
  history = "30d"
}
python {
  interpreter = ".venv/bin/python"
  workers     = "2"
}
`)
	p, diags := ReadProject(file)
	if diags != nil {
		t.Fatal(said(diags))
	}
	var got strings.Builder
	for _, v := range p.Values {
		fmt.Fprintf(&got, "%s = %s at %d, %s\n", v.Name, v.Shown(), file.Position(v.Place.Start).Line, v.At.Text())
	}
	const want = `default_model = "openai/gpt-4o-mini" at 2, default_model
cache.url = "redis://••••@host:6379/0" at 3, url
store.url = "sqlite:.dspi/dspi.db" at 5, url
store.history = "30d" at 6, history
python.interpreter = ".venv/bin/python" at 9, interpreter
python.workers = 2 at 10, workers
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &got, want)
	}
	if name, at := p.DefaultModel(); name != "openai/gpt-4o-mini" || file.Position(at.Start).Line != 2 {
		t.Errorf("the default model is %q at %v", name, at)
	}
	if strings.Contains(file.Shown(), "me:word") || !strings.Contains(file.Shown(), "host:6379") {
		t.Errorf("the password is shown: %q", file.Shown())
	}
	var none *Project
	if name, _ := none.DefaultModel(); name != "" {
		t.Error("no project says something")
	}
}

func TestProjectMistakes(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`default_modle = "a/b"`, "E0501 1 `default_modle` a project has no setting `default_modle`"},
		{`cache { ulr = "sqlite:x" }`, "E0501 1 `ulr` `cache` has no setting `ulr`"},
		{`url = "sqlite:x"`, "E0501 1 `url` a project has no setting `url`"},
		{`cache = "sqlite:x"`, "E0501 1 `cache` a project has no setting `cache`"},
		{`chache { url = "sqlite:x" }`, "E0206 1 `chache` no block is called `chache`"},
		{`default_model { }`, "E0206 1 `default_model` no block is called `default_model`"},
		{"cache {\n  inner { }\n}", "E0206 2 `inner` no block is called `inner`"},
		{`default_model = 5`, "E0310 1 `5` this is a number"},
		{`default_model = null`, "E0310 1 `null` this is null"},
		{`default_model = ["a"]`, "E0310 1 `[\"a\"]` this is a list"},
		{`default_model = ""`, "E0310 1 `\"\"` this is empty"},
		{`python { workers = "many" }`, "E0310 1 `\"many\"` this is text"},
		{`python { workers = 1.5 }`, "E0310 1 `1.5` this is not a whole number"},
		{`python { workers = 0 }`, "E0509 1 `0` `workers` is from 1 to 256"},
		{`python { workers = 1e999999999 }`, "E0310 1 `1e999999999` this number is larger than any that can be stored"},
		{`store { history = "a month" }`, "E0310 1 `\"a month\"` this is not a length of time"},
		{`cache { url = "somewhere" }`, "E0310 1 `\"somewhere\"` an address begins with its kind and a colon"},
		{`cache { url = "rediss2://x" }`, "E0507 1 `\"rediss2://x\"` `rediss2:` is not one of `sqlite:`, `redis:`, `rediss:`, `memory`, `off`"},
		{`cache { url = "off:x" }`, "E0507 1 `\"off:x\"` `off:` is not one of `sqlite:`, `redis:`, `rediss:`, `memory`, `off`"},
		{`cache { ttl = "a while" }`, "E0310 1 `\"a while\"` this is not a length of time"},
		{`cache { ttl = "999999w" }`, "E0310 1 `\"999999w\"` this is not a length of time"},
		{`cache { max_size = "much" }`, "E0310 1 `\"much\"` this is not a size"},
		{`cache { max_size = 5 }`, "E0310 1 `5` this is a number"},
		{"default_model = \"a/b\"\ndefault_model = \"c/d\"", "E0503 2 `default_model` `default_model` is set again"},
		{"cache { }\ncache { }", "E0503 2 `cache` `cache` stands here again"},
		{`cache "mine" { }`, "E0123 1 `\"mine\"` `cache` has no name"},
		{`default_model = var.m`, "E0307 1 `var` a fixed value is expected here"},
		{`default_model = env("M")`, "E0307 1 `env(\"M\")` a fixed value is expected here"},
		{`default_model = `, "E0112 1 `=` a value is expected behind this"},
		{`default_model = 'a/b'`, "E0110 1 `'` text stands in double quotes"},
		{`default_model "a/b"`, "E0116 1 `\"` `=` and a value, or `{`, is expected here"},
		{"cache {\n  url = \"sqlite:x\"", "E0103 1 `{` this block has no `}`"},
		{"default_model = \"a/b\n", "E0106"},
	} {
		_, diags := ReadProject(source.NewFile("dspi.hcl", test.text))
		got := said(diags)
		if first, _, _ := strings.Cut(got, "\n"); first != test.want && !(len(test.want) == 5 && strings.HasPrefix(got, test.want)) {
			t.Errorf("%s\n got %s\nwant %s", test.text, got, test.want)
		}
		for _, d := range diags {
			if d.Detail == "" {
				t.Errorf("%s: %s has no facts", test.text, d.Code)
			}
		}
	}
}

// TestCacheSettings reads what may stand in the block of the cache.
func TestCacheSettings(t *testing.T) {
	for _, text := range []string{
		`cache { url = "off" }`, `cache { url = "memory" }`, `cache { url = "sqlite:user" }`, `cache { url = "rediss://h/1" }`,
		"cache {\n  ttl = \"off\"\n  max_size = \"20GB\"\n}",
	} {
		if _, diags := ReadProject(source.NewFile("dspi.hcl", text)); diags != nil {
			t.Errorf("%s: %s", text, said(diags))
		}
	}
	for text, want := range map[string]time.Duration{"off": 0, "12h": 12 * time.Hour, "30d": 720 * time.Hour, "2w": 336 * time.Hour, "": -1, "0d": -1, "5": -1, "5m": -1, "999999w": -1} {
		if got, ok := Period(text); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q is %v, %t", text, got, ok)
		}
	}
	for text, want := range map[string]int64{"1kB": 1000, "512MB": 512e6, "2GB": 2e9, "1TB": 1e12, "": -1, "0MB": -1, "5": -1, "5mb": -1, "1.5GB": -1} {
		if got, ok := Size(text); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q is %v, %t", text, got, ok)
		}
	}
}

func TestSuggestions(t *testing.T) {
	for text, want := range map[string]string{
		`default_modle = "a/b"`:      "did you mean `default_model`?",
		`chache { }`:                 "did you mean `cache`?",
		`cache { ulr = "sqlite:x" }`: "did you mean `url`?",
		`url = "sqlite:x"`:           "`cache` has a setting of this name: cache { url = … }",
		`cache { url = "redi://x" }`: "did you mean `redis:`?",
		`python = 3`:                 "write: python { … }",
	} {
		_, diags := ReadProject(source.NewFile("dspi.hcl", text))
		found := false
		for _, d := range diags {
			for _, f := range d.Fixes {
				found = found || f.Title == want
			}
			for _, h := range d.Help {
				found = found || h == want
			}
		}
		if !found {
			t.Errorf("%s: no %q in\n%s", text, want, said(diags))
		}
	}
}

// TestTooMuch: what would exhaust HCL's parser is refused.
func TestTooMuch(t *testing.T) {
	for name, text := range map[string]string{
		"brackets": "a = " + strings.Repeat("[", 500_000),
		"braces":   strings.Repeat("a {\n", 100_000),
		"signs":    "a = " + strings.Repeat("-", 900_000),
		"spaced":   "a = " + strings.Repeat("! ", 400_000),
		"template": "a = \"" + strings.Repeat("${\"", 100_000),
		"size":     strings.Repeat("# a comment\n", 200_000),
	} {
		_, diags := ReadProject(source.NewFile("dspi.hcl", text))
		if len(diags) == 0 || diags[0].Code != "E0111" && diags[0].Code != "E0128" {
			t.Errorf("%s: %s", name, said(diags))
		}
	}
	// A chain of conditions nests without a bracket.
	ReadProject(source.NewFile("dspi.hcl", "a = "+strings.Repeat("a ? a : ", 100_000)+"a"))
}

// FuzzRead: whatever the text, there is no panic, all places are in the file, and
// nothing is both understood and refused.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"a = 1", "cache { url = \"sqlite:x\" }", "k = [1, {a = 2}]", "x = <<E\n${a}\nE\n", "\xef\xbb\xbfa = 1", "key = \"http://u:p@h\"", "k = 6 lib = { k = 1 }"} {
		f.Add(s)
	}
	project := testProject()
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			return
		}
		file := source.NewFile("f", text)
		p, diags := ReadProject(file)
		vars := source.NewFile("v", text)
		given, more := Vars(vars, project)
		for _, d := range append(diags, more...) {
			if d.Primary.File != nil && (d.Primary.Start > d.Primary.End || int(d.Primary.End) > len(text)) {
				t.Fatalf("%s is at %d to %d of %d", d.Code, d.Primary.Start, d.Primary.End, len(text))
			}
			d.Report()
		}
		if len(vars.Shown()) != len(text) || len(file.Shown()) != len(text) {
			t.Fatal("hiding changes the length")
		}
		for _, v := range p.Values {
			if v.Decl == nil || v.Value == nil {
				t.Fatalf("%s has no value", v.Name)
			}
		}
		for _, s := range given {
			if s.Sensitive && s.Place != s.At {
				t.Fatalf("the place of the secret %s is told", s.Name)
			}
		}
	})
}

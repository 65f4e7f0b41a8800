package dspi_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const modulePath = "github.com/dspi-lang/dspi"

// layers is who may use whom: each package may import those of its own line and
// those named behind the colon. A name ending in /... stands for all below it.
// docs/architecture.md draws the same.
var layers = []struct{ pkg, may string }{
	{"lang/source", ""},
	{"lang/diag", "lang/source"},
	{"lang/syntax", "lang/source"},
	{"lang/types", ""},
	{"lang/value", "lang/types"},
	{"lang/universe", "lang/types"},
	{"lang/schema", "lang/types lang/value"},
	{"lang/expr", "lang/source lang/diag lang/syntax lang/types lang/value"},
	{"lang/program", "lang/source lang/types lang/value lang/expr"},
	{"lang/program/state", "lang/source lang/diag lang/types lang/value lang/program"},
	{"lang/check", "lang/..."},
	{"parser", "lang/source lang/syntax lang/diag"},
	{"parser/benchtext", ""},
	{"parser/format", "parser lang/source lang/syntax lang/diag"},
	{"parser/config", "lang/source lang/diag lang/value lang/types lang/universe lang/program"},
	{"interpreter/lm", ""},
	{"interpreter/lm/lmtest", "interpreter/lm"},
	{"interpreter/cache", "interpreter/lm"},
	{"interpreter/journal", "lang/... interpreter/lm interpreter/cache"},
	{"interpreter/journal/journaltest", "interpreter/journal"},
	{"interpreter/cache/cachetest", "interpreter/lm interpreter/cache"},
	{"interpreter/trace", "lang/... interpreter/lm"},
	{"interpreter/retrieve", "lang/value interpreter/lm"},
	{"interpreter/retrieve/retrievetest", "lang/value interpreter/retrieve"},
	{"interpreter/tool", "lang/..."},
	{"interpreter/starlark", "lang/..."},
	{"interpreter/sandbox", "lang/value"},
	{"interpreter/prompt", "lang/... interpreter/lm"},
	{"interpreter/align", "lang/... interpreter/lm"},
	{"interpreter/plan", "lang/... interpreter/lm"},
	{"interpreter/estimate", "lang/... interpreter/lm interpreter/retrieve interpreter/plan interpreter/prompt"},
	{"interpreter/module", "lang/... interpreter/lm interpreter/trace interpreter/prompt interpreter/align interpreter/retrieve interpreter/tool"},
	{"interpreter/python", "lang/... interpreter/lm interpreter/trace interpreter/tool interpreter/retrieve interpreter/plan interpreter/prompt interpreter/module"},
	{"interpreter/history", "lang/... interpreter/lm interpreter/trace interpreter/align interpreter/tool"},
	{"interpreter/history/historytest", "lang/... interpreter/lm interpreter/history"},
	{"interpreter/history/page", "lang/value interpreter/history"},
	{"interpreter/evaluate", "lang/... interpreter"},
	{"interpreter/evaluate/report", "lang/value interpreter/evaluate interpreter/history"},
	{"interpreter/optimize", "lang/... interpreter/..."},
	{"interpreter", "lang/... interpreter/..."},
	{"stdlib/...", "lang/... interpreter/... stdlib/..."},
	{"", "lang/... parser/... interpreter/... stdlib/..."},
	{"server/...", "lang/... interpreter/... stdlib/... server/..."},
	{"lsp/protocol", ""},
	{"lsp/snapshot", "lang/... parser"},
	{"lsp", "lang/... parser parser/config parser/format interpreter/lm interpreter/plan interpreter/prompt lsp/protocol lsp/snapshot"},
	{"cmd/...", "..."},
	{"examples", "..."},
}

// foreign says which package alone may import a foreign engine.
var foreign = map[string]string{
	"github.com/alecthomas/participle": "parser",
	"github.com/expr-lang/expr":        "lang/expr",
	"github.com/hashicorp/hcl":         "parser/config",
	"github.com/zclconf/go-cty":        "parser/config",
	"github.com/spf13/cobra":           "cmd/...",
	"modernc.org/sqlite":               "stdlib/internal/database",
	"github.com/redis/go-redis":        "stdlib/caches/redis",
	"github.com/aws":                   "stdlib/providers/bedrock",
	"github.com/jackc/pgx":             "stdlib/retrievers/pgvector",
	"github.com/ledongthuc/pdf":        "stdlib/retrievers/corpus/pdf",
	"go.yaml.in/yaml":                  "stdlib/retrievers/corpus/frontmatter",
	"golang.org/x/net/html":            "stdlib/retrievers/corpus/html",
	"golang.org/x/net/websocket":       "lsp/protocol",
	"go.starlark.net":                  "interpreter/starlark",
	"gonum.org":                        "interpreter/evaluate",
	"github.com/parquet-go":            "stdlib/datasets/parquet",
	"github.com/sourcegraph/jsonrpc2":  "lsp/protocol",
	"go.lsp.dev":                       "lsp/protocol",
}

// TestArrows reads the imports of every file and compares them with layers.
func TestArrows(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(".", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if name := e.Name(); path != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		seen++
		pkg := filepath.ToSlash(filepath.Dir(path))
		if pkg == "." {
			pkg = ""
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		may, ok := allowed(pkg)
		if !ok {
			t.Errorf("%s: the package %q is not in the list of layers", path, pkg)
			return nil
		}
		for _, imp := range file.Imports {
			name, _ := strconv.Unquote(imp.Path.Value)
			if name == modulePath || strings.HasPrefix(name, modulePath+"/") {
				own := strings.TrimPrefix(strings.TrimPrefix(name, modulePath), "/")
				if own != pkg && !matchAny(may, own) {
					t.Errorf("%s imports %s: the arrow points the wrong way", path, name)
				}
				continue
			}
			for prefix, home := range foreign {
				if strings.HasPrefix(name, prefix) && !match(home, pkg) {
					t.Errorf("%s imports %s, which only %s may touch", path, name, home)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 50 {
		t.Fatalf("only %d files were read", seen)
	}
}

func allowed(pkg string) (string, bool) {
	for _, l := range layers {
		if match(l.pkg, pkg) {
			return l.may, true
		}
	}
	return "", false
}

func matchAny(patterns, pkg string) bool {
	for _, p := range strings.Fields(patterns) {
		if match(p, pkg) {
			return true
		}
	}
	return false
}

func match(pattern, pkg string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "..."); ok {
		prefix = strings.TrimSuffix(prefix, "/")
		return prefix == "" || pkg == prefix || strings.HasPrefix(pkg, prefix+"/")
	}
	return pattern == pkg
}

// TestCoreIsPure checks that lang and parser open no file, read no clock and use
// no network: they import none of the packages that can.
func TestCoreIsPure(t *testing.T) {
	banned := []string{"os", "net", "net/http", "io/ioutil", "os/exec", "path/filepath", "math/rand", "math/rand/v2", "log"}
	for _, root := range []string{"lang", "parser"} {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			for _, imp := range file.Imports {
				name, _ := strconv.Unquote(imp.Path.Value)
				for _, b := range banned {
					if name == b {
						t.Errorf("%s imports %s, but the core is pure", path, name)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

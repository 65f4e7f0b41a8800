//go:build dspy && unix

package python_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/python"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/retrieve/retrievetest"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// functions returns a pool, and what makes functions of a module `code` with a text.
func functions(t *testing.T, code string, o python.Options) func(name string) *python.Function {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "code.py"), []byte(code), 0o666); err != nil {
		t.Fatal(err)
	}
	o.Search = python.Search{Getenv: os.Getenv}
	pool := python.NewPool(o)
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	return func(name string) *python.Function {
		return &python.Function{Pool: pool, Call: "code:" + name, Folder: folder, Address: "tool." + name}
	}
}

// searchCode makes a retriever of each file of passages: the words that a passage
// shares with the query, those that are rare counting more.
const searchCode = `
import json
import math
import os
import unicodedata


def words(text):
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn").lower()
    return "".join(c if c.isalnum() else " " for c in plain).split()


class Search:
    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            self.passages = json.load(f)
        self.words = [words(f"{p['title']} {p['long_text']}") for p in self.passages]

    def __call__(self, query, k):
        asked, found = set(words(query)), []
        for i, have in enumerate(self.words):
            score = 0.0
            for w in asked & set(have):
                score += have.count(w) / len(have) * math.log(1 + len(self.words) / sum(w in x for x in self.words)) + 1e-6
            if score > 0:
                found.append((-score, i))
        return [{**self.passages[i], "score": -s} for s, i in sorted(found)[:k]]


made = {}


def __getattr__(name):
    path = os.path.join(os.path.dirname(__file__), name + ".json")
    if not name.startswith("passages_"):
        raise AttributeError(name)
    if name not in made:
        made[name] = Search(path)
    return made[name]
`

// TestDSPyRetriever: a retriever in Python passes the suite, as far as it is not of one
// method.
func TestDSPyRetriever(t *testing.T) {
	make := functions(t, searchCode, python.Options{})
	count := 0
	retrievetest.Exercise(t, retrievetest.Subject{
		Methods: []retrieve.Method{"python"},
		Open: func(t testing.TB, passages []retrieve.Passage, _ retrieve.Method, _ retrieve.Embedder, k int) retrieve.Retriever {
			count++
			f := make(fmt.Sprintf("passages_%d", count))
			list := []map[string]any{}
			for _, p := range passages {
				row := map[string]any{"id": p.ID, "title": p.Title, "long_text": p.Text}
				for name, v := range p.Meta.All() {
					row[name] = v
				}
				list = append(list, row)
			}
			data, err := json.Marshal(list)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(f.Folder, fmt.Sprintf("passages_%d.json", count)), data, 0o666); err != nil {
				t.Fatal(err)
			}
			return f.Retriever(k)
		},
	})
}

// counted counts what embedders use.
type counted struct {
	mu      sync.Mutex
	replies int
}

func (c *counted) Count(*lm.Response) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replies++
}

func (c *counted) Lost([]lm.Spent) {}

// TestDSPyFunctionCalls: functions are called in the workers that are there, and what goes
// wrong is said.
func TestDSPyFunctionCalls(t *testing.T) {
	var lines []python.Line
	var mu sync.Mutex
	of := functions(t, `
import asyncio
import os
import time

import dspy


def pid(n: int) -> int:
    return os.getpid()


async def later(n):
    await asyncio.sleep(0.01)
    return {"twice": 2 * n}


def forever(n):
    while True:
        time.sleep(0.01)


def exits(n):
    os._exit(7)


def asks(n):
    return dspy.Predict("n -> m")(n=str(n)).m


def vectors(texts):
    return [[1.0, float(len(t))] for t in texts]


def nans(texts):
    return [[float("nan")] for t in texts]


def hollow(texts):
    return [[] for _ in texts]


def fewer(texts):
    return [[1.0]]


read = 0


def endless():
    global read
    while True:
        read += 1
        yield {"n": read}


def has_read(n):
    return read


def nothing():
    return 5
`, python.Options{Log: func(l python.Line) { mu.Lock(); lines = append(lines, l); mu.Unlock() }})
	ctx := t.Context()
	inputs := []types.Field{{Name: "n", Type: types.Int}}
	call := func(name string) (any, error) {
		return of(name).Tool(ctx, nil, inputs, value.NewObject("n", 21))
	}

	pids := map[any]bool{}
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			v, err := call("pid")
			mu.Lock()
			defer mu.Unlock()
			if pids[v] = true; err != nil {
				t.Errorf("pid: %v", err)
			}
		})
	}
	all.Wait()
	if len(pids) > 2 {
		t.Errorf("%d processes did it", len(pids))
	}
	if v, err := call("later"); err != nil || string(value.EncodeJSON(v)) != `{"twice":42}` {
		t.Errorf("a coroutine gives %v, %v", v, err)
	}

	fault := func(what string, err error, code, words string) {
		t.Helper()
		var f *python.Fault
		if !errors.As(err, &f) || string(f.Diagnostic.Code) != code || !strings.Contains(f.Words, words) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := call("asks")
	fault("without a model", err, "E0650", "no model answers here")
	slow := of("forever")
	slow.Timeout = 1
	_, err = slow.Tool(ctx, nil, inputs, value.NewObject("n", 1))
	fault("too slow", err, "E0654", "did not come back")
	_, err = call("exits")
	fault("os._exit", err, "E0653", "the Python worker ended")
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := of("pid").Tool(ended, nil, inputs, value.NewObject("n", 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the run: %v", err)
	}

	// Rows are read as far as they are wanted, a batch ahead.
	rows := of("endless").Rows(ctx)
	for i := 1; i <= 3; i++ {
		if row, fault, err := rows.Next(); err != nil || fault != nil || string(value.EncodeJSON(row)) != fmt.Sprintf(`{"n":%d}`, i) {
			t.Fatalf("row %d is %v, %v, %v", i, row, fault, err)
		}
	}
	if err := errors.Join(rows.Close(), rows.Close()); err != nil {
		t.Error(err)
	}
	if n, err := call("has_read"); err != nil || n.(int) > 15 {
		t.Errorf("%v rows were read of 3, %v", n, err)
	}
	rows = of("nothing").Rows(ctx)
	defer rows.Close()
	if _, _, err := rows.Next(); err == nil || errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "gives something else") {
		t.Errorf("no rows: %v", err)
	}

	// Vectors come in batches, and are counted.
	texts, c := make([]string, 300), &counted{}
	for i := range texts {
		texts[i] = strings.Repeat("x", i)
	}
	vectors, err := retrieve.Through(of("vectors").Embedder()).Embed(retrieve.WithCounter(ctx, c), texts)
	if err != nil || len(vectors) != 300 || c.replies != 3 || vectors[0][0] != 1 || vectors[299][1] < 0.99 {
		t.Errorf("%d vectors in %d batches, %v", len(vectors), c.replies, err)
	}
	for name, want := range map[string]string{"nans": "no number", "hollow": "the vectors have no numbers", "fewer": "1 vectors came for 2 texts", "none": "has no `none`"} {
		_, err := retrieve.Through(of(name).Embedder()).Embed(ctx, []string{"a", "b"})
		if lm.AsError(err) == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDSPyWithin: a step that holds the only worker waits for a tool whose code is in
// another folder: it gets one of its own.
func TestDSPyWithin(t *testing.T) {
	p := newProject(t, `
-- main.dsp --
import "sub/tools.dsp" as far
program main {
  n: int -> m: int
  python call {
    call  = "code:ask"
    tools = [tool.far.twice]
  }
}
-- code.py --
import dspi


def ask(n):
    return dspi.tool("twice")(n=n)
`)
	sub := filepath.Join(p.folder, "sub")
	for name, text := range map[string]string{
		"tools.dsp": "tool twice {\n  n: int -> m: int\n  python { call = \"near:twice\" }\n}\n",
		"near.py":   "def twice(n):\n    return 2 * n\n",
	} {
		if err := os.MkdirAll(sub, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sub, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	p.options.Python.Max = 1
	out, err := p.run("main", map[string]any{"n": 21})
	if err != nil || string(value.EncodeJSON(out)) != `{"m":42}` {
		t.Errorf("it gives %s, %s", value.EncodeJSON(out), rendered(err))
	}
}

package retrievers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/retrieve/retrievetest"
	"github.com/dspi-lang/dspi/stdlib/internal/database"
	"github.com/dspi-lang/dspi/stdlib/retrievers/corpus"
)

// counting counts the texts that it makes vectors of.
type counting struct {
	retrievetest.Concepts
	texts atomic.Int64
	dim   int // 0: as many numbers as there are concepts
	err   error
}

func (c *counting) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if c.err != nil {
		return nil, c.err
	}
	c.texts.Add(int64(len(texts)))
	out, err := c.Concepts.Embed(ctx, texts)
	if c.dim > 0 {
		for i := range out {
			out[i] = out[i][:c.dim]
		}
	}
	return out, err
}

// progress keeps what it is told.
type progress struct {
	mu   sync.Mutex
	told []retrieve.Progress
}

func (p *progress) tell(x retrieve.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, x)
}

// written returns how many passages were written since the last call.
func (p *progress) written() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, x := range p.told {
		if x.Doing == retrieve.Ready {
			n += x.Done
		}
	}
	p.told = nil
	return n
}

func found(t testing.TB, x *Retriever, query string) []string {
	t.Helper()
	list, err := x.Retrieve(t.Context(), query, 10)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, p := range list {
		out = append(out, fmt.Sprintf("%s %.9f", p.ID, p.Score))
	}
	return out
}

func animals(n int) []retrieve.Passage {
	var out []retrieve.Passage
	for i := range n {
		out = append(out, retrieve.Passage{ID: fmt.Sprint("n", i), Title: "Number", Text: fmt.Sprintf("passage %d of the owl and the fox%d", i, i%7)})
	}
	return out
}

// TestFollows: an index that follows its corpus is the one that is made anew, and
// only what changed is written and embedded.
func TestFollows(t *testing.T) {
	dir := t.TempDir()
	c := config(dir)
	var p progress
	e := &counting{}
	c.Embedder, c.Progress = e, p.tell
	list := animals(300)
	write(t, c.Corpus.File, lines(list))
	open(t, c)
	if n := p.written(); n != 300 || e.texts.Load() != 300 {
		t.Errorf("%d passages are written, %d embedded", n, e.texts.Load())
	}
	for name, change := range map[string]struct {
		edit            func([]retrieve.Passage) []retrieve.Passage
		written, embeds int
	}{
		"nothing": {func(l []retrieve.Passage) []retrieve.Passage { return l }, 0, 0},
		"first": {func(l []retrieve.Passage) []retrieve.Passage {
			return append([]retrieve.Passage{{ID: "new", Text: "a new fox1"}}, l...)
		}, 1, 1},
		"middle": {func(l []retrieve.Passage) []retrieve.Passage {
			return slices.Insert(slices.Clone(l), 100, animals(1)[0], retrieve.Passage{ID: "b", Text: "two"})[1:]
		}, 2, 1},
		"last": {func(l []retrieve.Passage) []retrieve.Passage {
			return append(l, retrieve.Passage{ID: "z", Text: "the end of the fox2"})
		}, 1, 1},
		"gone": {func(l []retrieve.Passage) []retrieve.Passage { return slices.Delete(slices.Clone(l), 20, 40) }, 0, 0},
		"changed": {func(l []retrieve.Passage) []retrieve.Passage {
			l = slices.Clone(l)
			l[5].Text = "another text with an owl"
			return l
		}, 1, 1},
		"another name": {func(l []retrieve.Passage) []retrieve.Passage { l = slices.Clone(l); l[5].ID = "renamed"; return l }, 1, 0},
		"swapped": {func(l []retrieve.Passage) []retrieve.Passage {
			l = slices.Clone(l)
			l[5], l[250] = l[250], l[5]
			return l
		}, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c, e := config(dir), &counting{}
			c.Embedder, c.Progress = e, p.tell
			write(t, c.Corpus.File, lines(list))
			x := open(t, c)
			p.written()
			e.texts.Store(0)
			write(t, c.Corpus.File, lines(change.edit(slices.Clone(list))))
			if err := x.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := p.written(); n != change.written || e.texts.Load() != int64(change.embeds) {
				t.Errorf("%d passages are written and %d embedded, want %d and %d", n, e.texts.Load(), change.written, change.embeds)
			}
			fresh := c
			fresh.Dir = filepath.Join(dir, "fresh")
			y := open(t, fresh)
			p.written()
			for _, query := range []string{"owl", "fox1 fox2", "new end", "passage 17"} {
				if a, b := found(t, x, query), found(t, y, query); !slices.Equal(a, b) {
					t.Errorf("%q finds %v, in a new index %v", query, a, b)
				}
			}
		})
	}
}

// TestRereads: a corpus that is too large to be kept is read again in each pass, and one
// that changes meanwhile from the beginning.
func TestRereads(t *testing.T) {
	c := config(t.TempDir())
	list := animals(300)
	write(t, c.Corpus.File, lines(list))
	x := open(t, c)
	large := c
	large.Dir, large.rereads, large.Embedder = t.TempDir(), true, &counting{}
	changed := false
	large.Progress = func(p retrieve.Progress) {
		if p.Doing == retrieve.Embedding && !changed {
			changed = true
			list[7].Text = "the fox1 has changed meanwhile"
			write(t, c.Corpus.File, lines(list))
		}
	}
	y := open(t, large)
	if err := x.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	y.c.Method = retrieve.BM25
	for _, query := range []string{"owl", "fox1 fox2", "changed meanwhile", "passage 17"} {
		if a, b := found(t, x, query), found(t, y, query); !slices.Equal(a, b) {
			t.Errorf("%q finds %v, and %v where it is read again", query, a, b)
		}
	}
}

// TestFolder: a folder that changes, and one file among many that does.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	var p progress
	c := Config{
		Address: "retriever.docs", Dir: filepath.Join(dir, ".dspi", "index"), Project: dir, Progress: p.tell,
		Corpus: corpus.Corpus{Folder: filepath.Join(dir, "docs"), Name: "docs"},
	}
	for i := range 9 {
		write(t, filepath.Join(dir, "docs", fmt.Sprintf("%d.md", i)), fmt.Appendf(nil, "# Page %d\n\nAbout owls.\n\n## More\n\nAnd foxes %d.\n", i, i))
	}
	x := open(t, c)
	if n := p.written(); n != 18 {
		t.Errorf("%d passages", n)
	}
	write(t, filepath.Join(dir, "docs", "4b.md"), []byte("# Between\n\nAbout owls, too.\n"))
	if err := os.Remove(filepath.Join(dir, "docs", "7.md")); err != nil {
		t.Fatal(err)
	}
	if err := x.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := p.written(); n != 1 {
		t.Errorf("%d passages are written", n)
	}
	list, err := x.Retrieve(t.Context(), "owls", 20)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range list {
		names = append(names, p.ID)
	}
	if want := "4b.md#1"; !slices.Contains(names, want) || slices.Contains(names, "7.md#1") || len(names) != 9 {
		t.Errorf("it finds %v", names)
	}
	if names = slices.DeleteFunc(names, func(s string) bool { return s == "4b.md#1" }); !slices.IsSorted(names) {
		t.Errorf("equal passages are in the order %v", names)
	}
	if text, err := os.ReadFile(filepath.Join(dir, ".dspi", ".gitignore")); err != nil || string(text) != "*\n" {
		t.Errorf("git takes the index in: %q, %v", text, err)
	}
}

// TestTrust: an old file whose size and time are as they were is not read again; one
// that was just written is, since its time tells nothing yet.
func TestTrust(t *testing.T) {
	c := config(t.TempDir())
	old := time.Now().Add(-time.Hour)
	write(t, c.Corpus.File, lines(animals(3)))
	if err := os.Chtimes(c.Corpus.File, old, old); err != nil {
		t.Fatal(err)
	}
	x := open(t, c)
	same := strings.Replace(string(lines(animals(3))), "owl", "emu", 1)
	write(t, c.Corpus.File, []byte(same))
	if err := os.Chtimes(c.Corpus.File, old, old); err != nil {
		t.Fatal(err)
	}
	if err := x.Refresh(t.Context()); err != nil || len(found(t, x, "emu")) != 0 {
		t.Errorf("an old file was read again, %v", err)
	}
	write(t, c.Corpus.File, []byte(same))
	if err := x.Refresh(t.Context()); err != nil || len(found(t, x, "emu")) != 1 {
		t.Errorf("a new time was not noticed, %v", err)
	}
	// The same size within one tick of the clock.
	info, err := os.Stat(c.Corpus.File)
	if err != nil {
		t.Fatal(err)
	}
	write(t, c.Corpus.File, []byte(strings.Replace(same, "emu", "ant", 1)))
	if err := os.Chtimes(c.Corpus.File, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if err := x.Refresh(t.Context()); err != nil || len(found(t, x, "ant")) != 1 {
		t.Errorf("a change in one tick was not noticed, %v", err)
	}
}

// TestBadCorpus: what is wrong with a corpus leaves the index as it was.
func TestBadCorpus(t *testing.T) {
	c := config(t.TempDir())
	write(t, c.Corpus.File, lines(retrievetest.Animals()))
	x := open(t, c)
	for _, text := range []string{"{", "\n", "{\"text\": \"a\"}", ""} {
		write(t, c.Corpus.File, []byte(text))
		err := x.Refresh(t.Context())
		var e *retrieve.Error
		if !errors.As(err, &e) || e.Retriever != "retriever.wiki" || !strings.Contains(e.Text, "data/wiki.jsonl") {
			t.Errorf("%q gives %v", text, err)
		}
		if list := found(t, x, "owl"); len(list) != 1 {
			t.Errorf("after %q the index holds %v", text, list)
		}
	}
}

// TestEmbedderFails: an index is not half made, and what is paid is kept.
func TestEmbedderFails(t *testing.T) {
	c := config(t.TempDir())
	write(t, c.Corpus.File, lines(animals(1000)))
	e := &limited{}
	e.left.Store(400)
	c.Embedder = e
	_, err := Open(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), "no more") {
		t.Fatalf("it gives %v", err)
	}
	made := e.texts.Load()
	if made < 200 {
		t.Fatalf("%d vectors were made", made)
	}
	e.left.Store(1 << 30)
	x := open(t, c)
	if n := e.texts.Load(); n != 1000 {
		t.Errorf("%d vectors were made for 1000 passages", n)
	}
	if list := found(t, x, "darkness"); len(list) != 10 {
		t.Errorf("it finds %v", list)
	}
}

// limited fails after some texts.
type limited struct {
	counting
	left atomic.Int64
}

func (l *limited) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if l.left.Add(-int64(len(texts))) < 0 {
		return nil, errors.New("no more")
	}
	return l.counting.Embed(ctx, texts)
}

// TestOtherDimension: a model that changes behind its name is told, for a query and
// when the index changes, and nothing of the index is lost.
func TestOtherDimension(t *testing.T) {
	c := config(t.TempDir())
	write(t, c.Corpus.File, lines(animals(100)))
	e := &counting{}
	c.Embedder, c.Method, c.File = e, retrieve.Vector, "rag.dsp"
	x := open(t, c)
	check := func(err error) {
		t.Helper()
		var told *retrieve.Error
		if !errors.As(err, &told) || !strings.Contains(told.Text, "have 8 numbers, those of test/concepts now 4") || !strings.Contains(told.Hint, "dspi index rag.dsp wiki --rebuild") {
			t.Errorf("it gives %v", err)
		}
	}
	e.dim = 4
	_, err := x.Retrieve(t.Context(), "owl", 3)
	check(err)
	write(t, c.Corpus.File, lines(animals(101)))
	check(x.Refresh(t.Context()))
	e.dim = 0
	if list := found(t, x, "owl"); len(list) != 10 {
		t.Errorf("the old model finds %v", list)
	}
	e.dim = 4
	if err := x.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list := found(t, x, "owl"); len(list) != 10 {
		t.Errorf("anew it finds %v", list)
	}
}

// TestDamaged: a damaged file is made anew, when it is opened and while it is open.
func TestDamaged(t *testing.T) {
	for _, damage := range []string{"", "no database at all, but some text"} {
		c := config(t.TempDir())
		write(t, c.Corpus.File, lines(retrievetest.Animals()))
		x, err := Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(c.Path())
		if err != nil {
			t.Fatal(err)
		}
		if damage == "" { // in the middle of it
			for i := 4096; i < len(data); i++ {
				data[i] ^= 0x5a
			}
		} else {
			data = []byte(strings.Repeat(damage, 1000))
		}
		write(t, c.Path(), data)
		y := open(t, c)
		if list := found(t, y, "owl"); len(list) != 1 {
			t.Errorf("it finds %v", list)
		}
	}
	c := config(t.TempDir())
	if db, err := database.Open(c.Path(), []string{"CREATE TABLE other (a)"}); err != nil {
		t.Fatal(err)
	} else if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, c.Corpus.File, lines(retrievetest.Animals()))
	if list := found(t, open(t, c), "owl"); len(list) != 1 {
		t.Errorf("in place of another database it finds %v", list)
	}
}

// TestManyOpen: several open one new index at once, as processes do, while the
// corpus changes.
func TestManyOpen(t *testing.T) {
	c := config(t.TempDir())
	write(t, c.Corpus.File, lines(animals(200)))
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			x, err := Open(t.Context(), c)
			if err != nil {
				t.Error(err)
				return
			}
			defer x.Close()
			if i == 3 {
				tmp := filepath.Join(filepath.Dir(c.Corpus.File), "next")
				write(t, tmp, lines(animals(201)))
				if err := os.Rename(tmp, c.Corpus.File); err != nil {
					t.Error(err)
				}
			}
			for range 5 {
				if err := x.Refresh(t.Context()); err != nil {
					t.Error(err)
				}
				if list, err := x.Retrieve(t.Context(), "owl", 300); err != nil || len(list) != 200 && len(list) != 201 {
					t.Errorf("%d passages, %v", len(list), err)
				}
			}
		})
	}
	all.Wait()
	x := open(t, c)
	if list, err := x.Retrieve(t.Context(), "owl", 300); err != nil || len(list) != 201 {
		t.Errorf("in the end %d passages, %v", len(list), err)
	}
}

// TestPool: one open for many, and another for another method.
func TestPool(t *testing.T) {
	c := config(t.TempDir())
	write(t, c.Corpus.File, lines(animals(50)))
	var p Pool
	defer func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}()
	var opened sync.Map
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			x, err := p.Open(t.Context(), c)
			if err != nil {
				t.Error(err)
			}
			opened.Store(x, true)
		})
	}
	all.Wait()
	n := 0
	opened.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("it was opened %d times", n)
	}
	other := c
	other.K = 9
	if x, err := p.Open(t.Context(), other); err != nil {
		t.Error(err)
	} else if _, same := opened.Load(x); same {
		t.Error("another k is the same retriever")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	third := config(t.TempDir())
	write(t, third.Corpus.File, lines(animals(50)))
	if _, err := p.Open(ctx, third); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled open gives %v", err)
	}
	if _, err := p.Open(t.Context(), third); err != nil {
		t.Errorf("the next one gives %v", err)
	}
}

// TestPath: what decides about the content decides about the name.
func TestPath(t *testing.T) {
	base := config("/p")
	seen := map[string]string{base.Path(): "base"}
	for name, change := range map[string]func(*Config){
		"file":     func(c *Config) { c.Corpus.File = "/p/b.jsonl" },
		"title":    func(c *Config) { c.Corpus.Title = "" },
		"embedder": func(c *Config) { c.Embedder = retrievetest.Concepts{} },
		"length":   func(c *Config) { c.Corpus.MaxLength = 100 },
		"overlap":  func(c *Config) { c.Corpus.Overlap = new(int) },
		"name":     func(c *Config) { c.Address = "retriever.a/b.c" },
	} {
		c := base
		change(&c)
		if other, twice := seen[c.Path()]; twice {
			t.Errorf("%s and %s have one index", name, other)
		}
		seen[c.Path()] = name
		if filepath.Dir(c.Path()) != base.Dir {
			t.Errorf("the index of %s is %s", name, c.Path())
		}
	}
	moved := config("/q")
	moved.Dir = base.Dir
	if moved.Path() != base.Path() {
		t.Error("a project that is moved has another index")
	}
}

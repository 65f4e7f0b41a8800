package snapshot_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lsp/snapshot"
	"github.com/dspi-lang/dspi/stdlib"
)

func session() *snapshot.Session {
	return snapshot.NewSession(snapshot.Options{
		Universe: stdlib.Universe(),
		Read: func(path string) (string, error) {
			data, err := os.ReadFile(path)
			return string(data), err
		},
	})
}

func text(t *testing.T, s *snapshot.Session, path string) string {
	t.Helper()
	f, err := s.Snapshot().File(path)
	if err != nil {
		t.Fatal(err)
	}
	return f.Source().Text
}

func TestChange(t *testing.T) {
	s := session()
	if err := s.Change("untitled:a", 2, nil); !errors.Is(err, snapshot.ErrClosed) {
		t.Errorf("an edit of a file that is not open: %v", err)
	}
	s.Open("untitled:a", 5, "a𝄞b\r\nc漢d")
	before := s.Snapshot()
	for _, c := range []struct {
		edit snapshot.Edit
		want string
	}{
		{snapshot.Edit{StartColumn: 1, EndColumn: 3, Text: "x"}, "axb\r\nc漢d"},
		{snapshot.Edit{StartLine: 1, StartColumn: 1, EndLine: 1, EndColumn: 2}, "axb\r\ncd"},
		{snapshot.Edit{StartLine: 0, StartColumn: 99, EndLine: 0, EndColumn: 99, Text: "!"}, "axb!\r\ncd"},
		{snapshot.Edit{StartLine: 0, StartColumn: 4, EndLine: 1, EndColumn: 0}, "axb!cd"},
		{snapshot.Edit{StartLine: 9, StartColumn: 0, EndLine: 9, EndColumn: 0, Text: "\nend"}, "axb!cd\nend"},
		{snapshot.Edit{StartLine: 1, StartColumn: 3, EndLine: 0, EndColumn: 0, Text: "?"}, "axb!cd\nend?"},
		{snapshot.Edit{Whole: true, Text: "new"}, "new"},
	} {
		f, _ := s.Snapshot().File("untitled:a")
		if err := s.Change("untitled:a", f.Version+1, []snapshot.Edit{c.edit}); err != nil {
			t.Fatal(err)
		}
		if got := text(t, s, "untitled:a"); got != c.want {
			t.Fatalf("after %+v: %q, not %q", c.edit, got, c.want)
		}
	}
	if err := s.Change("untitled:a", 5, nil); !errors.Is(err, snapshot.ErrStale) {
		t.Errorf("an edit that is too old: %v", err)
	}
	if f, _ := before.File("untitled:a"); f.Source().Text != "a𝄞b\r\nc漢d" {
		t.Error("an old snapshot has changed")
	}
	s.Close("untitled:a")
	if _, err := s.Snapshot().File("untitled:a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a closed file that was never saved: %v", err)
	}
}

// TestKept holds what is checked anew: what has changed, and what rests on it.
func TestKept(t *testing.T) {
	dir := t.TempDir()
	lib, user := filepath.Join(dir, "lib.dsp"), filepath.Join(dir, "user.dsp")
	write(t, lib, "type A = string\n")
	write(t, user, "import \"lib.dsp\"\n\nprogram p {\n  q: string -> a: A\n}\n")
	s := session()
	first := checked(t, s, user)
	if again := checked(t, s, user); again != first {
		t.Error("nothing changed, and it was checked anew")
	}
	s.Open("untitled:other", 1, "x")
	if again := checked(t, s, user); again != first {
		t.Error("another file changed, and it was checked anew")
	}
	s.Open(lib, 1, "type B = string\n")
	broken := checked(t, s, user)
	if broken == first || !broken.Diags.HasErrors() {
		t.Errorf("the imported file changed: %v", broken.Diags)
	}
	s.Close(lib)
	if again := checked(t, s, user); again.Diags.HasErrors() {
		t.Errorf("it is as on the disk: %v", again.Diags)
	}
	if err := os.Remove(lib); err != nil {
		t.Fatal(err)
	}
	s.Refresh()
	if again := checked(t, s, user); !again.Diags.HasErrors() {
		t.Error("the imported file is gone, and nothing is said")
	}
	s.SetFolders([]string{dir})
	if got := strings.Join(s.Snapshot().Files(), " "); got != user+" untitled:other" {
		t.Errorf("files: %s", got)
	}
}

// TestRing imports in a ring; names are found across it.
func TestRing(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.dsp"), filepath.Join(dir, "b.dsp")
	write(t, a, "import \"b.dsp\"\ntype A { b: B? }\n")
	write(t, b, "import \"a.dsp\"\ntype B { a: A? }\n")
	c := checked(t, session(), a)
	n := 0
	for _, tree := range c.Trees() {
		n += len(c.Index(tree).Uses)
	}
	if n != 2 {
		t.Errorf("%d uses across the ring", n)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func checked(t *testing.T, s *snapshot.Session, path string) *snapshot.Checked {
	t.Helper()
	c, err := s.Snapshot().Check(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// FuzzApply compares an edit with the same one made on UTF-16 units, line by line.
func FuzzApply(f *testing.F) {
	f.Add("a𝄞b\r\nc", 0, 1, 1, 0, "x")
	f.Add("", 3, 3, 4, 4, "y\n")
	f.Fuzz(func(t *testing.T, text string, line, column, endLine, endColumn int, with string) {
		if !utf8.ValidString(text) || !utf8.ValidString(with) || len(text) > 500 || strings.Contains(strings.ReplaceAll(text, "\r\n", "\n"), "\r") {
			return
		}
		line, column, endLine, endColumn = clamp(line), clamp(column), clamp(endLine), clamp(endColumn)
		if endLine < line || endLine == line && endColumn < column {
			return
		}
		e := snapshot.Edit{StartLine: line, StartColumn: column, EndLine: endLine, EndColumn: endColumn, Text: with}
		got := snapshot.Apply(source.NewFile("x", text), e, snapshot.UTF16)
		units := utf16.Encode([]rune(text))
		a, okA := unit(units, line, column)
		b, okB := unit(units, endLine, endColumn)
		if !okA || !okB {
			return // between the halves of a character: no editor stands there
		}
		if want := string(utf16.Decode(units[:a])) + with + string(utf16.Decode(units[b:])); got != want {
			t.Errorf("%+v of %q gives %q, not %q", e, text, got, want)
		}
	})
}

func clamp(n int) int { return max(0, n) % 12 }

// unit returns the UTF-16 unit of a line and column; false between the two halves
// of a character.
func unit(units []uint16, line, column int) (int, bool) {
	at := 0
	for ; line > 0; line-- {
		i := at
		for i < len(units) && units[i] != '\n' {
			i++
		}
		if i == len(units) {
			return i, true
		}
		at = i + 1
	}
	end := at
	for end < len(units) && units[end] != '\n' {
		end++
	}
	if end > at && end < len(units) && units[end-1] == '\r' {
		end--
	}
	at = min(at+column, end)
	return at, at == 0 || at >= len(units) || !utf16.IsSurrogate(rune(units[at])) || units[at] < 0xDC00
}

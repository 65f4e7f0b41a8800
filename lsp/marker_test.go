package lsp_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/lsp"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
	"github.com/dspi-lang/dspi/stdlib"
)

var update = flag.Bool("update", false, "write what is found into testdata")

func options() snapshot.Options {
	return snapshot.Options{
		Universe: stdlib.Universe(), Columns: dspi.Columns,
		Read: func(path string) (string, error) { return dspi.ReadText(path, path) },
	}
}

// mark stands in the texts where the cursor is.
const mark = "·"

// features are what the folders of testdata are about: each is asked at every
// mark of main.dsp, or once where the file has none.
var features = map[string]func(t *testing.T, v *lsp.View, at int32) string{
	"hover": func(_ *testing.T, v *lsp.View, at int32) string {
		h := lsp.Hover(v, at)
		if h == nil {
			return "nothing"
		}
		return h.Contents.(*protocol.MarkupContent).Value
	},
	"complete": func(_ *testing.T, v *lsp.View, at int32) string {
		var out []string
		for _, it := range lsp.Complete(v, at).Items {
			detail, _ := it.Detail.Get()
			e := it.TextEdit.(*protocol.TextEdit)
			out = append(out, fmt.Sprintf("%s  %s  %s", it.Label, detail, replaced(v, e)))
			if len(out) == 8 {
				out = append(out, "(and more)")
				break
			}
		}
		return strings.Join(out, "\n")
	},
	"definition":     func(_ *testing.T, v *lsp.View, at int32) string { return locations(lsp.Definition(v, at)) },
	"typedefinition": func(_ *testing.T, v *lsp.View, at int32) string { return locations(lsp.TypeDefinition(v, at)) },
	"references":     func(_ *testing.T, v *lsp.View, at int32) string { return locations(lsp.References(v, at, true)) },
	"highlight": func(_ *testing.T, v *lsp.View, at int32) string {
		var out []string
		for _, h := range lsp.Highlights(v, at) {
			out = append(out, fmt.Sprintf("%s %d", textAt(v, h.Range), h.Kind))
		}
		return strings.Join(out, "\n")
	},
	"rename": func(_ *testing.T, v *lsp.View, at int32) string {
		p, err := lsp.PrepareRename(v, at)
		if err != nil {
			return err.Error()
		}
		edit, err := lsp.Rename(v, at, "renamed")
		if err != nil {
			return err.Error()
		}
		return p.Placeholder + "\n" + changed(v, edit)
	},
	"signature": func(_ *testing.T, v *lsp.View, at int32) string {
		h := lsp.Signature(v, at)
		if h == nil {
			return "nothing"
		}
		n, _ := h.ActiveParameter.Get()
		return fmt.Sprintf("%s, parameter %d", h.Signatures[0].Label, n)
	},
	"selection": func(_ *testing.T, v *lsp.View, at int32) string {
		var out []string
		for s := lsp.Selections(v, at); s != nil; s = s.Parent {
			out = append(out, textAt(v, s.Range))
		}
		return strings.Join(out, "\n")
	},
	"diagnostics": func(_ *testing.T, v *lsp.View, _ int32) string {
		var out []string
		for _, d := range lsp.Diagnostics(v) {
			first, _, _ := strings.Cut(string(d.Message.(protocol.String)), "\n")
			out = append(out, fmt.Sprintf("%s %s %d: %s", textAt(v, d.Range), d.Code, d.Severity, first))
			for _, r := range d.RelatedInformation {
				out = append(out, fmt.Sprintf("  %d:%d %s", r.Location.Range.Start.Line+1, r.Location.Range.Start.Character+1, r.Message))
			}
		}
		return strings.Join(out, "\n")
	},
	"actions": func(t *testing.T, v *lsp.View, _ int32) string {
		var out []string
		for _, a := range lsp.Actions(v, whole(v)) {
			out = append(out, a.Title+"\n"+changed(v, a.Edit))
		}
		return strings.Join(out, "\n")
	},
	"format": func(t *testing.T, v *lsp.View, _ int32) string {
		edit := &protocol.WorkspaceEdit{Changes: map[protocol.URI][]protocol.TextEdit{protocol.Address(v.File.Path): lsp.Format(v)}}
		return changed(v, edit)
	},
	"symbols": func(_ *testing.T, v *lsp.View, _ int32) string {
		var out []string
		var list func(in []protocol.DocumentSymbol, depth string)
		list = func(in []protocol.DocumentSymbol, depth string) {
			for _, s := range in {
				detail := ""
				if s.Detail != nil {
					detail = *s.Detail
				}
				out = append(out, fmt.Sprintf("%s%s %d %s", depth, s.Name, s.Kind, detail))
				list(s.Children, depth+"  ")
			}
		}
		list(lsp.Symbols(v), "")
		out = append(out, "")
		for _, w := range lsp.WorkspaceSymbols(v.Snap, "a") {
			out = append(out, fmt.Sprintf("%s in %s", w.Name, filepath.Base(protocol.Path(w.Location.(*protocol.Location).URI))))
		}
		return strings.Join(out, "\n")
	},
	"folds": func(_ *testing.T, v *lsp.View, _ int32) string {
		var out []string
		for _, f := range lsp.Folds(v) {
			out = append(out, fmt.Sprintf("%d-%d %s", f.StartLine+1, f.EndLine+1, f.Kind))
		}
		return strings.Join(out, "\n")
	},
	"tokens": func(_ *testing.T, v *lsp.View, _ int32) string {
		var out []string
		line, column := 0, 0
		data := lsp.Tokens(v).Data
		for i := 0; i+4 < len(data); i += 5 {
			if data[i] > 0 {
				line, column = line+int(data[i]), 0
			}
			column += int(data[i+1])
			a := v.Snap.Encoding().Offset(v.File.Source(), line, column)
			b := v.Snap.Encoding().Offset(v.File.Source(), line, column+int(data[i+2]))
			out = append(out, fmt.Sprintf("%d:%d %s %s %d", line+1, column+1, v.File.Source().Text[a:b], lsp.TokenTypes[data[i+3]], data[i+4]))
		}
		return strings.Join(out, "\n")
	},
	"hints": func(_ *testing.T, v *lsp.View, _ int32) string {
		var out []string
		for _, h := range lsp.Hints(v, whole(v)) {
			out = append(out, fmt.Sprintf("%d:%d %s", h.Position.Line+1, h.Position.Character+1, h.Label))
		}
		return strings.Join(out, "\n")
	},
	"links": func(_ *testing.T, v *lsp.View, _ int32) string {
		var out []string
		for _, l := range lsp.Links(v) {
			out = append(out, fmt.Sprintf("%s -> %s", textAt(v, l.Range), filepath.Base(protocol.Path(*l.Target))))
		}
		for _, l := range lsp.Lenses(v) {
			if l.Command.Title == "" {
				lsp.ResolveLens(v, &l, strings.Trim(textAt(v, l.Range), "0123456789: \""))
			}
			out = append(out, fmt.Sprintf("%s: %s %s %s", textAt(v, l.Range), l.Command.Title, l.Command.Command, l.Command.Arguments[1]))
		}
		return strings.Join(out, "\n")
	},
	"refactor": func(_ *testing.T, v *lsp.View, at int32) string {
		var out []string
		for _, a := range lsp.Refactorings(v, source.Span{Start: at, End: at}, nil) {
			out = append(out, fmt.Sprintf("%s (%s)\n%s", a.Title, *a.Kind, changed(v, a.Edit)))
		}
		for _, a := range lsp.Refactorings(v, source.Span{Start: at, End: at}, []protocol.CodeActionKind{protocol.OrganizeImports}) {
			out = append(out, fmt.Sprintf("%s (%s)\n%s", a.Title, *a.Kind, changed(v, a.Edit)))
		}
		return strings.Join(out, "\n")
	},
	"ontype": func(_ *testing.T, v *lsp.View, at int32) string {
		typed := v.File.Source().Text[at-1 : at]
		if strings.TrimSpace(typed) == "" {
			typed = "\n"
		}
		var out []string
		for _, e := range lsp.FormatOnType(v, at, typed) {
			out = append(out, replaced(v, &e))
		}
		return strings.Join(out, "\n")
	},
	"calls": func(_ *testing.T, v *lsp.View, at int32) string {
		var out []string
		for _, it := range lsp.Calls(v, at) {
			out = append(out, "of "+it.Name)
		}
		for _, c := range lsp.Incoming(v, at) {
			out = append(out, fmt.Sprintf("from %s in %s, %d times", c.From.Name, filepath.Base(protocol.Path(c.From.URI)), len(c.FromRanges)))
		}
		for _, c := range lsp.Outgoing(v, at) {
			out = append(out, fmt.Sprintf("to %s in %s, %d times", c.To.Name, filepath.Base(protocol.Path(c.To.URI)), len(c.FromRanges)))
		}
		return strings.Join(out, "\n")
	},
	"preview": func(t *testing.T, v *lsp.View, at int32) string {
		t.Setenv("DSPI_PYTHON", "/nobody/starts/python")
		pos := v.Position(at)
		p := &lsp.PreviewParams{Position: &pos}
		var out []string
		if r, err := lsp.RenderPrompt(t.Context(), v, p, question); err != nil {
			out = append(out, "no prompt: "+err.Error())
		} else {
			out = append(out, strings.TrimSpace("prompt of "+r.Program+"."+r.Step+" "+r.Adapter))
			if r.Note != "" {
				out = append(out, "note: "+r.Note)
			}
			for i, m := range r.Messages {
				text := m.Text()
				if i > 0 {
					text, _, _ = strings.Cut(text, "\n")
				}
				out = append(out, fmt.Sprintf("[%s] %s", m.Role, text))
			}
			if len(r.Tools) > 0 {
				out = append(out, "tools: "+strings.Join(r.Tools, ", "))
			}
		}
		if r, err := lsp.Plan(v, p); err != nil {
			out = append(out, "no plan: "+err.Error())
		} else {
			kind, _, _ := strings.Cut(r.Mermaid, " ")
			out = append(out, fmt.Sprintf("plan of %s: a %s of %d operations", r.Program, kind, len(r.Plan.Ops)))
			for _, w := range slices.Concat(r.Inputs, r.Variables) {
				out = append(out, fmt.Sprintf("  %s: %s required=%v default=%s secret=%v env=%q %s", w.Name, w.Type, w.Required, w.Default, w.Secret, w.Env, w.Description))
			}
		}
		if r, err := lsp.Schema(v, p); err != nil {
			out = append(out, "no schema: "+err.Error())
		} else {
			out = append(out, "schema of "+r.Name+": "+string(value.EncodeJSON(r.Schema)))
		}
		return strings.Join(out, "\n")
	},
}

// question is what the command gives to a server.
func question(ctx context.Context, p *plan.Plan, op *plan.Op, inputs *value.Object) (*lm.Request, error) {
	runtime := dspi.NewRuntime(dspi.Options{})
	defer runtime.Close()
	return runtime.Question(ctx, p, op, inputs)
}

// TestFeatures runs each archive of testdata/FEATURE and compares with its file
// `want`, and the mistakes of its text with its first line; -update writes both.
func TestFeatures(t *testing.T) {
	for _, name := range slices.Sorted(keys(features)) {
		paths, _ := filepath.Glob(filepath.Join("testdata", name, "*.txtar"))
		if len(paths) == 0 {
			t.Errorf("no test of %s", name)
		}
		for _, path := range paths {
			t.Run(name+"/"+strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { testArchive(t, path, features[name]) })
		}
	}
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func testArchive(t *testing.T, path string, feature func(*testing.T, *lsp.View, int32) string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var text, want string
	name := "main.dsp"
	for _, f := range archive.Files { // the file with the marks
		if strings.Contains(string(f.Data), mark) && f.Name != "want" {
			name = f.Name
		}
	}
	for _, f := range archive.Files {
		switch f.Name {
		case "want":
			want = string(f.Data)
			continue
		case name:
			text = string(f.Data)
		}
		full := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(strings.ReplaceAll(string(f.Data), mark, "")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, marks := unmarked(text)
	if len(marks) == 0 {
		marks = []int32{0}
	}
	s := snapshot.NewSession(options())
	s.SetFolders([]string{dir})
	main := filepath.Join(dir, name)
	s.Open(main, 1, text)
	var b strings.Builder
	for _, at := range marks {
		v, err := lsp.Look(s.Snapshot(), main)
		if err != nil {
			t.Fatal(err)
		}
		p := v.Position(at)
		out := strings.ReplaceAll(strings.TrimRight(feature(t, v, at), "\n"), dir+string(filepath.Separator), "")
		fmt.Fprintf(&b, "== %d:%d\n%s\n", p.Line+1, p.Character+1, out)
	}
	got := b.String()
	wrong := mistakes(t, s.Snapshot(), main)
	if got == want && wrong == string(archive.Comment) {
		return
	}
	if !*update {
		t.Fatalf("got\n%s\nwant\n%s\n\nmistakes of the file: %s\nclaimed: %s", got, want, wrong, archive.Comment)
	}
	archive.Comment = []byte(wrong)
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
	archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(got)})
	if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
		t.Fatal(err)
	}
}

// mistakes is what is wrong in the file of an archive, as its first line claims it:
// the codes, in the order of the text. A text without mistakes claims nothing.
func mistakes(t *testing.T, s *snapshot.Snapshot, path string) string {
	t.Helper()
	v, err := lsp.Look(s, path)
	if err != nil {
		t.Fatal(err)
	}
	line := ""
	for _, d := range lsp.Diagnostics(v) {
		line += fmt.Sprintf(" %s", d.Code)
	}
	if line == "" {
		return ""
	}
	return "mistakes:" + line + "\n"
}

// unmarked takes the marks out of a text and returns where they stood.
func unmarked(text string) (string, []int32) {
	var marks []int32
	for {
		i := strings.Index(text, mark)
		if i < 0 {
			return text, marks
		}
		marks = append(marks, int32(i))
		text = text[:i] + text[i+len(mark):]
	}
}

func whole(v *lsp.View) source.Span { return source.Span{End: int32(len(v.File.Source().Text))} }

func textAt(v *lsp.View, r protocol.Range) string {
	s := v.Span(r)
	return fmt.Sprintf("%d:%d %q", r.Start.Line+1, r.Start.Character+1, v.File.Source().Slice(s))
}

func replaced(v *lsp.View, e *protocol.TextEdit) string {
	return fmt.Sprintf("%q for %q", e.NewText, v.File.Source().Slice(v.Span(e.Range)))
}

func locations(list []protocol.Location) string {
	var out []string
	for _, l := range list {
		out = append(out, fmt.Sprintf("%s:%d:%d-%d:%d", protocol.Path(l.URI), l.Range.Start.Line+1, l.Range.Start.Character+1, l.Range.End.Line+1, l.Range.End.Character+1))
	}
	return strings.Join(out, "\n")
}

// changed is the lines of the files after an edit that differ from before.
func changed(v *lsp.View, edit *protocol.WorkspaceEdit) string {
	var out []string
	for _, u := range slices.SortedFunc(keys2(edit.Changes), func(a, b protocol.URI) int { return strings.Compare(string(a), string(b)) }) {
		path := protocol.Path(u)
		f, err := v.Snap.File(path)
		if err != nil {
			return err.Error()
		}
		at := lsp.View{Snap: v.Snap, File: f}
		text := f.Source().Text
		list := slices.Clone(edit.Changes[u])
		for i := len(list) - 1; i >= 0; i-- {
			s := at.Span(list[i].Range)
			text = text[:s.Start] + list[i].NewText + text[s.End:]
		}
		old := map[string]bool{}
		for _, line := range strings.Split(f.Source().Text, "\n") {
			old[line] = true
		}
		out = append(out, "-> "+filepath.Base(path))
		for _, line := range strings.Split(text, "\n") {
			if !old[line] {
				out = append(out, "   "+line)
			}
		}
	}
	return strings.Join(out, "\n")
}

func keys2[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

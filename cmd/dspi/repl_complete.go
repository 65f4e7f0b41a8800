package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/lang/expr"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
)

// candidate is a completion: it stands in place of the text between the start
// and the cursor.
type candidate struct{ value, doc string }

// complete returns where the word before the cursor begins and what it may
// become.
func (r *repl) complete(line string, cursor int) (int, []candidate) {
	before := line[:cursor]
	name, _, command := commandOf(before)
	space := strings.LastIndexAny(before, " \t\n") + 1
	var found []candidate
	switch {
	case command && space == 0:
		for _, c := range sessionCommands() {
			found = append(found, candidate{":" + c.name, c.doc})
		}
	case command:
		found = r.arguments(name, before, before[space:])
	case hasArrow(before):
		// After a colon stands a type.
		word := wordStart(before)
		if strings.HasSuffix(strings.TrimRight(before[:word], " [(?|,"), ":") || strings.HasSuffix(before[:word], "[") {
			return word, matching(r.typeNames(), before[word:])
		}
		return cursor, nil
	default:
		word := wordStart(before)
		if dot := strings.LastIndexByte(before[word:], '.'); dot >= 0 {
			return word, matching(r.members(before[word:word+dot]), before[word:])
		}
		return word, matching(r.names(), before[word:])
	}
	return space, matching(found, before[space:])
}

// wordStart returns where the name before the end begins.
func wordStart(s string) int {
	for i := len(s); i > 0; i-- {
		c := s[i-1]
		if !(c == '_' || c == '.' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return i
		}
	}
	return 0
}

func matching(all []candidate, prefix string) []candidate {
	return slices.DeleteFunc(all, func(c candidate) bool { return !strings.HasPrefix(c.value, prefix) })
}

// arguments completes what follows a command.
func (r *repl) arguments(command, before, word string) []candidate {
	switch command {
	case "load":
		return files(word, extensions)
	case "model":
		var out []candidate
		for _, c := range modelWords(r.project) {
			value, doc, _ := strings.Cut(c, "\t")
			out = append(out, candidate{value, doc})
		}
		return append(out, candidate{"none", "what the program says"})
	case "type":
		return append(r.names(), r.typeNames()...)
	}
	if r.project == nil {
		return nil
	}
	switch command {
	case "var":
		var out []candidate
		for _, v := range r.project.Variables {
			out = append(out, candidate{v.Name + "=", v.Type.String()})
		}
		return out
	case "run", "plan", "render":
		return r.runWords(command, before, word)
	}
	return nil
}

// runWords completes programs, steps, inputs, and files after `name=@`.
func (r *repl) runWords(command, before, word string) []candidate {
	if name, path, ok := strings.Cut(word, "=@"); ok {
		found := files(path, nil)
		for i := range found {
			found[i].value = name + "=@" + found[i].value
		}
		return found
	}
	_, rest, _ := commandOf(strings.TrimSuffix(before, word))
	given, err := splitWords(rest)
	if err != nil {
		return nil
	}
	t, err := parseTarget(command, append([]string{"session"}, given...), "", 2)
	if err != nil {
		return nil
	}
	var out []candidate
	if len(t.words) == 0 && len(t.pairs) == 0 && r.signature == "" {
		for _, p := range r.project.Programs {
			out = append(out, candidate{p.Name, p.Signature.String()})
		}
	}
	name := t.word(0)
	if name == "" {
		name = r.name
	}
	prog, err := dspi.Choose(r.project, name)
	if err != nil || command == "plan" {
		return out
	}
	sig := prog.Signature
	if command == "render" {
		if t.word(0) != "" && t.word(1) == "" && len(t.pairs) == 0 {
			for _, s := range prog.Steps {
				out = append(out, candidate{s.Name, "step of " + prog.Name})
			}
		}
		sig = renderedSignature(prog, t.word(1), sig)
	}
	for _, f := range sig.Inputs {
		if !slices.ContainsFunc(t.pairs, func(p pair) bool { return p.name == f.Name }) {
			out = append(out, candidate{f.Name + "=", f.Type.String()})
		}
	}
	return out
}

func renderedSignature(prog *program.Program, step string, or *program.Signature) *program.Signature {
	if s, ok := prog.Step(step); ok {
		return s.Signature
	}
	if s := firstStep(prog); s != nil {
		return s.Signature
	}
	return or
}

// names are what an expression may begin with.
func (r *repl) names() []candidate {
	var out []candidate
	for _, s := range r.scope().Symbols() {
		doc := s.Kind
		if s.Type != nil {
			doc = s.Type.String()
		}
		out = append(out, candidate{s.Name, doc})
	}
	for _, f := range expr.Functions() {
		out = append(out, candidate{f.Name + "(", f.Doc})
	}
	return out
}

// members are what may stand behind `of.`: fields of a record, values of an enum.
func (r *repl) members(of string) []candidate {
	if s, ok := r.scope().Lookup(of); ok && s.Type == nil {
		var out []candidate
		for _, m := range s.Members {
			out = append(out, candidate{of + "." + m.Name, m.Doc})
		}
		return out
	}
	_, info, err := r.expression(of)
	if err != nil {
		return nil
	}
	t, _ := types.Unwrap(info.Type)
	rec, ok := t.(*types.Record)
	if !ok {
		return nil
	}
	var out []candidate
	for _, f := range rec.Fields {
		out = append(out, candidate{of + "." + f.Name, f.Type.String()})
	}
	return out
}

// typeNames are the types that are built in and those of the file, with programs
// and signatures.
func (r *repl) typeNames() []candidate {
	var out []candidate
	if r.project != nil {
		for _, n := range schemaNames(r.project) {
			out = append(out, candidate{n.name, n.kind})
		}
	}
	for _, t := range types.Table() {
		out = append(out, candidate{t.Name, t.Doc})
	}
	return out
}

// files completes a path: folders, and files with one of the extensions; nil
// takes all.
func files(path string, extensions []string) []candidate {
	dir, _ := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Join(dir, "."))
	if err != nil {
		return nil
	}
	var out []candidate
	for _, e := range entries {
		name := e.Name()
		switch {
		case strings.HasPrefix(name, ".") && !strings.HasPrefix(filepath.Base(path), "."):
		case e.IsDir():
			out = append(out, candidate{dir + name + "/", "folder"})
		case extensions == nil || slices.Contains(extensions, strings.TrimPrefix(filepath.Ext(name), ".")):
			out = append(out, candidate{dir + name, ""})
		}
	}
	return out
}

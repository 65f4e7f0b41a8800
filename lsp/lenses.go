package lsp

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// The commands of lenses. Each is given the path of the file and the name of the
// declaration; dspi.run may be given an object of inputs, too.
const (
	CommandRun        = "dspi.run"
	CommandTest       = "dspi.test"
	CommandEvaluate   = "dspi.evaluate"
	CommandOptimize   = "dspi.optimize"
	CommandReferences = "dspi.references"
)

// Lenses returns what can be done with a file's declarations: run a program, run a
// test, measure, tune. How often a program is used is said by ResolveLens.
func Lenses(v *View) []protocol.CodeLens {
	out := []protocol.CodeLens{}
	add := func(d *snapshot.Def, title, command string) {
		out = append(out, protocol.CodeLens{Range: v.Range(d.Place.Span), Command: lensCommand(v, title, command, d.Name)})
	}
	for _, d := range v.index().Inside(nil) {
		switch d.Kind {
		case "program":
			add(d, "run", CommandRun)
			data, _ := json.Marshal(lensData{v.File.Path, d.Name}) // two texts always can be
			out = append(out, protocol.CodeLens{Range: v.Range(d.Place.Span), Data: protocol.Any(data)})
		case "test":
			add(d, "test", CommandTest)
		case "evaluate":
			add(d, "evaluate"+lastResult(v, d), CommandEvaluate)
		case "optimize":
			add(d, "optimize"+lastTuning(v, d), CommandOptimize)
		}
	}
	return out
}

// lensData is what a lens without a command carries until it is resolved.
type lensData struct {
	File    string `json:"file"`
	Program string `json:"program"`
}

// ResolveLens says how often the program of a lens is used.
func ResolveLens(v *View, lens *protocol.CodeLens, name string) {
	n := 0
	for _, d := range v.index().Inside(nil) {
		if d.Kind == "program" && d.Name == name {
			n = usesIn(v, d.Place)
		}
	}
	title := strconv.Itoa(n) + " references"
	if n == 1 {
		title = "1 reference"
	}
	lens.Command = lensCommand(v, title, CommandReferences, name)
}

func lensCommand(v *View, title, command string, args ...string) protocol.Command {
	c := protocol.Command{Title: title, Command: command}
	for _, a := range append([]string{v.File.Path}, args...) {
		text, _ := json.Marshal(a) // a string always can be
		c.Arguments = append(c.Arguments, protocol.Any(text))
	}
	return c
}

// lastResult is the score of the results that an evaluation has saved beside its
// file; "" where there are none.
func lastResult(v *View, d *snapshot.Def) string {
	path := savedTo(d.Item)
	if path == "" {
		return ""
	}
	var saved struct {
		Metrics []struct {
			Name string  `json:"name"`
			Mean float64 `json:"mean"`
		} `json:"metrics"`
	}
	if !v.readBeside(path, &saved) || len(saved.Metrics) == 0 {
		return ""
	}
	return last(saved.Metrics[0].Name, saved.Metrics[0].Mean)
}

// lastTuning is the score of what a tuning has saved beside its file.
func lastTuning(v *View, d *snapshot.Def) string {
	path := savedTo(d.Item)
	var saved struct {
		Metadata struct {
			Own struct {
				Scores json.RawMessage `json:"scores"`
			} `json:"dspi"`
		} `json:"metadata"`
	}
	if !v.readBeside(path, &saved) || len(saved.Metadata.Own.Scores) == 0 {
		return ""
	}
	dec := json.NewDecoder(strings.NewReader(string(saved.Metadata.Own.Scores))) // the first is the one that was tuned for
	if _, err := dec.Token(); err != nil {
		return ""
	}
	name, err := dec.Token()
	if err != nil {
		return ""
	}
	var score float64
	if err := dec.Decode(&score); err != nil {
		return ""
	}
	return last(fmt.Sprint(name), score)
}

func last(metric string, score float64) string {
	return fmt.Sprintf(" (last: %s %s)", metric, strconv.FormatFloat(score, 'g', 4, 64))
}

// savedTo is where a measurement or a tuning saves the result that its lens tells of,
// relative to its file; "" for anything else.
func savedTo(it syntax.Item) string {
	b, ok := it.(*syntax.Block)
	if !ok || b.Body == nil {
		return ""
	}
	path := settingText(b, "save_to")
	switch b.KindName() {
	case "evaluate":
		if strings.HasSuffix(path, ".json") {
			return path
		}
	case "optimize":
		if path == "" {
			path = b.Name().Name + ".tuned.json"
		}
		return path
	}
	return ""
}

// isResult reports whether a lens of an open file tells of what is saved at a path.
// Names are compared without their folders, which links give other names.
func isResult(s *snapshot.Snapshot, path string) bool {
	for _, open := range s.Open() {
		v, err := Look(s, open)
		if err != nil || snapshot.IsConfig(open) {
			continue
		}
		for _, it := range v.tree().Items {
			if to := savedTo(it); to != "" && filepath.Base(filepath.FromSlash(to)) == filepath.Base(path) {
				return true
			}
		}
	}
	return false
}

// refreshLenses has the editor ask for its lenses anew, where it can: what one tells of
// the last result may be no longer so.
func (s *Server) refreshLenses(c *protocol.Client) {
	if s.relenses {
		s.publish.background(func(ctx context.Context) { c.Ask(ctx, "workspace/codeLens/refresh", nil) })
	}
}

// readBeside reads a JSON file that is named relative to the file of a view. What is
// not there or not JSON says nothing.
func (v *View) readBeside(path string, to any) bool {
	if !filepath.IsAbs(v.File.Path) {
		return false
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(v.File.Path), filepath.FromSlash(path))
	}
	text, err := v.Snap.Text(path)
	return err == nil && json.Unmarshal([]byte(text), to) == nil
}

// settingText returns a setting of a block that is a fixed text.
func settingText(b *syntax.Block, name string) string {
	for _, it := range b.Body.Items {
		if a, ok := it.(*syntax.Attribute); ok && a.Name.Name == name && a.Value != nil {
			var text string
			if json.Unmarshal([]byte(a.Value.Text), &text) == nil {
				return text
			}
		}
	}
	return ""
}

// declared returns the place of a declaration by kind and name.
func (v *View) declared(kind, name string) (source.Place, bool) {
	for _, d := range v.index().Inside(nil) {
		if d.Kind == kind && d.Name == name {
			return d.Place, true
		}
	}
	return source.Place{}, false
}

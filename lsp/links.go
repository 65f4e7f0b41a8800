package lsp

import (
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/syntax"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// Links returns the files that a file names: imports, and files of data, code and
// passages.
func Links(v *View) []protocol.DocumentLink {
	out := []protocol.DocumentLink{}
	add := func(at source.Span, path string) {
		target := protocol.Address(path)
		out = append(out, protocol.DocumentLink{Range: v.Range(at), Target: &target})
	}
	for _, it := range v.tree().Items {
		syntax.Walk(it, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.Import:
				if n.Path != nil && n.Path.Len() > 2 {
					if path, err := snapshot.Resolve(v.src().Name, n.Path.Value); err == nil {
						add(source.Span{Start: n.Path.Start + 1, End: n.Path.End - 1}, path)
					}
				}
			case *syntax.Attribute:
				if n.Value == nil || n.Name.Name != "file" && n.Name.Name != "save_to" {
					return true
				}
				var path string
				if json.Unmarshal([]byte(n.Value.Text), &path) == nil && path != "" && !strings.Contains(path, "${") {
					if !filepath.IsAbs(path) {
						path = filepath.Join(filepath.Dir(v.src().Name), filepath.FromSlash(path))
					}
					add(source.Span{Start: n.Value.Start + 1, End: n.Value.End - 1}, path)
				}
			}
			return true
		})
	}
	return out
}

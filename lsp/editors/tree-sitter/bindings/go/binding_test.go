package tree_sitter_dspi_test

import (
	"testing"

	tree_sitter "github.com/smacker/go-tree-sitter"
	"github.com/tree-sitter/tree-sitter-dspi"
)

func TestCanLoadGrammar(t *testing.T) {
	language := tree_sitter.NewLanguage(tree_sitter_dspi.Language())
	if language == nil {
		t.Errorf("Error loading Dspi grammar")
	}
}

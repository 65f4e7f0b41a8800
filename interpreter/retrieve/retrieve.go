// Package retrieve is how passages are found.
//
//	Retriever  finds the passages for a query
//	Passage    a piece of a document, with its score
//
// Retrievers are in stdlib/retrievers.
package retrieve

import (
	"context"

	"github.com/dspi-lang/dspi/lang/value"
)

// Passage is a piece of a document.
type Passage struct {
	ID    string
	Title string
	Text  string
	Score float64 // higher is better; what it measures depends on the method
	// Meta is what else the corpus says of it; may be nil.
	Meta *value.Object
}

// Retriever finds passages. It is safe for use by many goroutines.
type Retriever interface {
	// Retrieve returns at most k passages for a query, best first.
	Retrieve(ctx context.Context, query string, k int) ([]Passage, error)
}

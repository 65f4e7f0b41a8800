package program

import "github.com/dspi-lang/dspi/lang/types"

// NameColumns are what a condition may read of every passage: its id, and its title.
func NameColumns(titled bool) []types.Field {
	out := []types.Field{{Name: "id", Type: types.String, Description: "the passage's name"}}
	if titled {
		out = append(out, types.Field{Name: "title", Type: types.String})
	}
	return out
}

// TextColumns are what a condition may read of the passages of texts.
func TextColumns() []types.Field {
	return append(NameColumns(true),
		types.Field{Name: "file", Type: types.String, Description: "the text's name in the folder"},
		types.Field{Name: "page", Type: types.NewOptional(types.Int), Description: "of a PDF, from 1"})
}

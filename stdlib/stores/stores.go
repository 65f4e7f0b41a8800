// Package stores lists the stores of runs that a dspi.hcl can name, and opens
// them.
//
//	sqlite  a file: sqlite:.dspi/dspi.db
//
// To begin: Open(Default, folder of the project).
package stores

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/stdlib/internal/database"
	"github.com/dspi-lang/dspi/stdlib/stores/sqlite"
)

// Default is the address of the store where a dspi.hcl names none.
const Default = "sqlite:.dspi/dspi.db"

// Path returns the file of a store, relative paths from dir. It is "" when the
// store is no file.
func Path(address, dir string) string {
	path, ok := strings.CutPrefix(address, "sqlite:")
	if !ok || path == "" {
		return ""
	}
	path = filepath.FromSlash(strings.TrimPrefix(path, "//"))
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return path
}

// Open opens the store of an address and makes it where it does not exist. Paths
// are relative to dir, the folder of the project.
func Open(address, dir string) (history.Store, error) {
	path := Path(address, dir)
	if path == "" {
		kind, _, _ := strings.Cut(address, ":")
		return nil, fmt.Errorf("no store of runs is called %q; there is sqlite:PATH", kind)
	}
	if err := database.OwnFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	return sqlite.Open(path)
}

// Exists reports whether there is something in the store of an address: Open would
// make an empty one.
func Exists(address, dir string) bool {
	path := Path(address, dir)
	if path == "" {
		return true
	}
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

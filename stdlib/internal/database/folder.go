package database

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// own is the name of the folder in a project that is dspi's own.
const own = ".dspi"

// OwnFolder makes a folder. Where it lies in dspi's own folder of a project, or is
// it, and that is not there yet, others cannot read it and git does not take it in.
func OwnFolder(dir string) error {
	for at := dir; ; at = filepath.Dir(at) {
		if filepath.Base(at) == own {
			if err := keepPrivate(at); err != nil {
				return err
			}
			break
		}
		if filepath.Dir(at) == at {
			break
		}
	}
	return os.MkdirAll(dir, 0o700)
}

func keepPrivate(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*\n"), 0o600)
}

// Remove deletes a file and what lies beside it. Who has it open keeps what he has.
func Remove(path string) error {
	for _, end := range []string{"-wal", "-shm", ""} {
		if err := os.Remove(path + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

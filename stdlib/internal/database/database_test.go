package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	one = "CREATE TABLE word (text TEXT PRIMARY KEY) STRICT"
	two = "ALTER TABLE word ADD COLUMN n INTEGER NOT NULL DEFAULT 7"
)

func open(t *testing.T, path string, schema ...string) *DB {
	t.Helper()
	db, err := Open(path, schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func insert(db *DB, words ...string) error {
	return db.Write(context.Background(), func(tx *sql.Tx) error {
		for _, w := range words {
			if _, err := tx.Exec("INSERT INTO word (text) VALUES (?)", w); err != nil {
				return err
			}
		}
		return nil
	})
}

func count(t *testing.T, db *DB) (n int) {
	t.Helper()
	if err := db.Read.QueryRow("SELECT count(*) FROM word").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOpenMakesFolderAndFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b c", "odd ?#%41&é.db")
	db := open(t, path, one)
	if err := insert(db, "x"); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if entries[0].Name() != filepath.Base(path) {
		t.Errorf("the file is called %s", entries[0].Name())
	}
	if runtime.GOOS != "windows" {
		for _, e := range entries {
			if info, _ := e.Info(); info.Mode().Perm() != 0o600 {
				t.Errorf("%s has the mode %v", e.Name(), info.Mode())
			}
		}
		if info, _ := os.Stat(filepath.Dir(path)); info.Mode().Perm() != 0o700 {
			t.Errorf("the folder has the mode %v", info.Mode())
		}
	}
	var mode, sync string
	if err := db.write.QueryRow("PRAGMA journal_mode").Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal_mode is %s, %v", mode, err)
	}
	if err := db.write.QueryRow("PRAGMA synchronous").Scan(&sync); err != nil || sync != "1" {
		t.Errorf("synchronous is %s, %v", sync, err)
	}
	if _, err := db.Read.Exec("DELETE FROM word"); err == nil {
		t.Error("a reader could write")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if n := count(t, open(t, path, one)); n != 1 {
		t.Errorf("%d words after opening again", n)
	}
}

func TestSchemaGrows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, path, one)
	if err := insert(db, "x"); err != nil {
		t.Fatal(err)
	}
	db.Close()

	if _, err := Open(path, []string{one, "CREATE TABLE half (a); CREATE TABLE word (b)"}); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Fatalf("a script that fails gives %v", err)
	}
	db = open(t, path, one, two)
	var n int
	if err := db.Read.QueryRow("SELECT n FROM word").Scan(&n); err != nil || n != 7 {
		t.Errorf("n is %d, %v", n, err)
	}
	if err := db.Read.QueryRow("SELECT count(*) FROM half").Scan(&n); err == nil {
		t.Error("half of the script that failed is in the file")
	}
	db.Close()

	_, err := Open(path, []string{one})
	var newer *NewerError
	if !errors.As(err, &newer) || newer.Version != 2 || newer.Known != 1 || !strings.Contains(err.Error(), path) {
		t.Errorf("an older dspi gets %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign.db")
	open(t, foreign, "CREATE TABLE other (a)").Close()
	var f *ForeignError
	if _, err := Open(foreign, []string{one}); !errors.As(err, &f) || !strings.Contains(err.Error(), foreign) {
		t.Errorf("the database of something else gives %v", err)
	}

	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database. ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	var d *DamagedError
	if _, err := Open(garbage, []string{one}); !errors.As(err, &d) || !strings.Contains(err.Error(), garbage) || !strings.Contains(err.Error(), "delete it") {
		t.Errorf("garbage gives %v", err)
	}

	cut := filepath.Join(dir, "cut.db")
	db := open(t, cut, one)
	for i := range 500 {
		if err := insert(db, fmt.Sprint(i, strings.Repeat("x", 200))); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	if err := os.Truncate(cut, 5000); err != nil {
		t.Fatal(err)
	}
	db, err := Open(cut, []string{one})
	if err == nil {
		err = insert(db, "y")
		db.Close()
	}
	if !errors.As(err, &d) || !strings.Contains(err.Error(), cut) {
		t.Errorf("half a file gives %v", err)
	}

	if _, err := Open("", []string{one}); err == nil {
		t.Error("no path is opened")
	}
	if _, err := Open(filepath.Join(garbage, "x.db"), []string{one}); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("a folder that is a file gives %v", err)
	}
}

func TestWriteIsWholeOrNothing(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"), one)
	if err := insert(db, "a", "b", "a"); err == nil {
		t.Error("a word was written twice")
	}
	func() {
		defer func() { recover() }()
		db.Write(t.Context(), func(tx *sql.Tx) error {
			tx.Exec("INSERT INTO word VALUES ('p')")
			panic("in the middle")
		})
	}()
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO word VALUES ('c')")
		cancel()
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled write gives %v", err)
	}
	if n := count(t, db); n != 0 {
		t.Errorf("%d words were written", n)
	}
}

// TestReadersDoNotWait reads while a transaction is open: it sees what was there
// before.
func TestReadersDoNotWait(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"), one)
	err := db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec("INSERT INTO word VALUES ('a')")
		if n := count(t, db); n != 0 {
			t.Errorf("a reader sees %d words before they are written", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d words", n)
	}
}

// TestManyAtOnce opens one new file many times at once, as several processes do,
// and writes to all of them.
func TestManyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			db, err := Open(path, []string{one, two})
			if err != nil {
				t.Error(err)
				return
			}
			defer db.Close()
			for j := range 5 {
				if err := insert(db, fmt.Sprint(i, "/", j)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := count(t, open(t, path, one, two)); n != 60 {
		t.Errorf("%d words of 60", n)
	}
}

func TestShrink(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"), one)
	var words []string
	for i := range 200 {
		words = append(words, fmt.Sprint(i, strings.Repeat("secretly", 500)))
	}
	if err := insert(db, words...); err != nil {
		t.Fatal(err)
	}
	if err := db.Shrink(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, _ := os.Stat(db.Path())
	err := db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec("DELETE FROM word")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Shrink(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, _ := os.Stat(db.Path())
	if before.Size() < 500_000 || after.Size() > 50_000 {
		t.Errorf("%d bytes before, %d after", before.Size(), after.Size())
	}
	db.Close()
	text, err := os.ReadFile(db.Path())
	if err != nil || strings.Contains(string(text), "secretly") {
		t.Errorf("what was deleted is left in the file (%v)", err)
	}
}

package retrievers

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/stdlib/internal/database"
	"github.com/dspi-lang/dspi/stdlib/retrievers/corpus"
)

// An index follows its corpus in three passes over the files, which are read only
// when their size or time has changed.
//
// The first finds out what is in them: a hash for each file and each passage, and no
// text. If nothing has changed it ends here. The second makes vectors of passages
// that have none; each batch is kept as soon as it has come, by the hash of its
// text, so that an interruption costs one batch. The third writes what is new and
// deletes what is gone, in one transaction: who searches at that time sees the index
// as it was. Another process may do the same meanwhile: the index counts its
// changes, and an edit that was made for an earlier state is made again.

// version is that of what is in an index. It is part of the file's name, so that a
// change needs no way from the old one.
const version = 1

var schema = []string{`
CREATE TABLE state (
	id      INTEGER PRIMARY KEY CHECK (id = 1),
	changes INTEGER NOT NULL,  -- how often the index was written
	done    INTEGER NOT NULL   -- 1: it is that of the files
) STRICT;
INSERT INTO state VALUES (1, 0, 0);
CREATE TABLE file (
	name     TEXT PRIMARY KEY,
	size     INTEGER NOT NULL,
	modified INTEGER NOT NULL, -- nanoseconds; 0: too near to be trusted
	hash     BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE passage (
	key   INTEGER PRIMARY KEY, -- in the order of the corpus
	id    TEXT NOT NULL,
	title TEXT NOT NULL,
	text  TEXT NOT NULL,
	meta  TEXT,                -- JSON
	hash  BLOB NOT NULL,       -- of all of these
	whole BLOB NOT NULL        -- of what is searched
) STRICT;
CREATE TABLE vector (
	whole BLOB PRIMARY KEY,
	v     BLOB NOT NULL        -- float32, little-endian
) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(whole, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');
`}

type hash [16]byte

func hashOf(parts ...string) hash {
	h := sha256.New()
	var n [8]byte
	for _, p := range parts {
		binary.LittleEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return hash(h.Sum(nil)[:16])
}

// metaOf writes what else is said of a passage.
func metaOf(p retrieve.Passage) string {
	if p.Meta.Len() == 0 {
		return ""
	}
	return string(value.EncodeJSON(p.Meta))
}

// tries is how often a corpus is read that changes meanwhile, and how often a file is
// waited for that other processes write.
const tries = 20

var (
	errChanged = errors.New("the corpus changes while it is read")
	errOther   = errors.New("another process has written the index")
)

// Refresh brings the index up to date with its corpus.
func (x *Retriever) Refresh(ctx context.Context) error {
	return x.wrap(x.mended(ctx, func() error { return x.sync(ctx) }))
}

// sync is Refresh for who mends damages itself.
func (x *Retriever) sync(ctx context.Context) error {
	select {
	case x.turn <- struct{}{}:
		defer func() { <-x.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for n := 1; ; n++ {
		err := x.follow(ctx)
		if err != nil {
			x.progress(retrieve.Ready, 0, 0)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if n < tries && (errors.Is(err, errChanged) || errors.Is(err, errOther) || database.IsBusy(err)) {
			continue
		}
		return err
	}
}

// follow makes one attempt.
func (x *Retriever) follow(ctx context.Context) error {
	files, err := x.c.Corpus.Files(ctx)
	if err != nil {
		return err
	}
	var now state
	if err := x.with(func(db *database.DB) error { now, err = load(ctx, db); return err }); err != nil {
		return err
	}
	if now.done && now.same(files) {
		return nil
	}
	seen, err := x.survey(ctx, files)
	if err != nil {
		return err
	}
	if now.done && now.holds(seen.files) {
		return x.with(func(db *database.DB) error { return stamp(ctx, db, now, seen.files) })
	}
	if x.c.Embedder != nil {
		if err := x.embed(ctx, seen); err != nil {
			return err
		}
	}
	var old []stored
	if err := x.with(func(db *database.DB) error { old, err = loadStored(ctx, db); return err }); err != nil {
		return err
	}
	e := editOf(old, seen.passages)
	err = x.with(func(db *database.DB) error {
		return db.Write(ctx, func(tx *sql.Tx) error { return x.write(ctx, tx, now, seen, e) })
	})
	if err == nil {
		x.progress(retrieve.Ready, e.written, len(seen.passages))
	}
	return err
}

// state is what an index says of itself.
type state struct {
	changes int
	done    bool
	files   map[string]fileState
}

type fileState struct {
	size, modified int64
	hash           hash
}

// load reads the state.
func load(ctx context.Context, db *database.DB) (state, error) {
	s := state{files: map[string]fileState{}}
	tx, err := db.Read.BeginTx(ctx, nil)
	if err != nil {
		return s, err
	}
	defer tx.Rollback()
	if err := tx.QueryRowContext(ctx, "SELECT changes, done FROM state").Scan(&s.changes, &s.done); err != nil {
		return s, err
	}
	rows, err := tx.QueryContext(ctx, "SELECT name, size, modified, hash FROM file")
	if err != nil {
		return s, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var f fileState
		var h []byte
		if err := rows.Scan(&name, &f.size, &f.modified, &h); err != nil {
			return s, err
		}
		copy(f.hash[:], h)
		s.files[name] = f
	}
	return s, rows.Err()
}

// loadStored reads which passages are in the index.
func loadStored(ctx context.Context, db *database.DB) ([]stored, error) {
	rows, err := db.Read.QueryContext(ctx, "SELECT key, hash FROM passage ORDER BY key")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []stored
	for rows.Next() {
		var s stored
		var h []byte
		if err := rows.Scan(&s.key, &h); err != nil {
			return nil, err
		}
		copy(s.hash[:], h)
		out = append(out, s)
	}
	return out, rows.Err()
}

// same reports whether files look as they did.
func (s state) same(files []corpus.File) bool {
	for _, f := range files {
		known, ok := s.files[f.Name]
		if !ok || known.modified == 0 || known.size != f.Size || known.modified != f.Modified.UnixNano() {
			return false
		}
	}
	return len(files) == len(s.files)
}

// holds reports whether files hold what they did.
func (s state) holds(files []surveyed) bool {
	for _, f := range files {
		known, ok := s.files[f.Name]
		if !ok || known.hash != f.hash {
			return false
		}
	}
	return len(files) == len(s.files)
}

// survey is what the first pass finds.
type survey struct {
	files    []surveyed
	passages []hash
	wholes   []hash // of what is embedded; nil without an embedder
}

type surveyed struct {
	corpus.File
	hash     hash
	modified int64
}

// trusted is how old a file must be so that its time tells whether it changes: two
// changes in one tick of the clock have one time.
const trusted = 2 * time.Second

// survey reads the corpus.
func (x *Retriever) survey(ctx context.Context, files []corpus.File) (*survey, error) {
	s := &survey{}
	begin := time.Now()
	for _, f := range files {
		sum := sha256.New()
		err := x.c.Corpus.Read(ctx, f, func(b []byte) { sum.Write(b) }, func(p retrieve.Passage) error {
			s.passages = append(s.passages, hashOf(p.ID, p.Title, p.Text, metaOf(p)))
			if x.c.Embedder != nil {
				s.wholes = append(s.wholes, hashOf(p.Whole()))
			}
			if len(s.passages)%1000 == 0 {
				x.progress(retrieve.Reading, len(s.passages), 0)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		one := surveyed{File: f, hash: hash(sum.Sum(nil)[:16])}
		if begin.Sub(f.Modified) > trusted {
			one.modified = f.Modified.UnixNano()
		}
		s.files = append(s.files, one)
	}
	if len(s.passages) == 0 {
		return nil, &corpus.Fault{Text: x.c.Corpus.Name + " holds no passage: there is nothing but blanks in it"}
	}
	return s, nil
}

// stamp notes the times of files that hold what they did.
func stamp(ctx context.Context, db *database.DB, now state, files []surveyed) error {
	changed := false
	for _, f := range files {
		known := now.files[f.Name]
		changed = changed || known.modified != f.modified || known.size != f.Size
	}
	if !changed {
		return nil
	}
	return db.Write(ctx, func(tx *sql.Tx) error {
		if err := unchanged(ctx, tx, now); err != nil {
			return err
		}
		return writeFiles(ctx, tx, files)
	})
}

// unchanged fails when another process has written the index.
func unchanged(ctx context.Context, tx *sql.Tx, now state) error {
	var changes int
	if err := tx.QueryRowContext(ctx, "SELECT changes FROM state").Scan(&changes); err != nil {
		return err
	}
	if changes != now.changes {
		return errOther
	}
	return nil
}

func writeFiles(ctx context.Context, tx *sql.Tx, files []surveyed) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM file"); err != nil {
		return err
	}
	for _, f := range files {
		if _, err := tx.ExecContext(ctx, "INSERT INTO file VALUES (?, ?, ?, ?)", f.Name, f.Size, f.modified, f.hash[:]); err != nil {
			return err
		}
	}
	return nil
}

// write is the third pass.
func (x *Retriever) write(ctx context.Context, tx *sql.Tx, now state, seen *survey, e edit) error {
	if err := unchanged(ctx, tx, now); err != nil {
		return err
	}
	if e.whole {
		for _, q := range []string{"DELETE FROM passage", "INSERT INTO words(words) VALUES ('delete-all')"} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return err
			}
		}
	}
	for _, key := range e.deleted {
		for _, q := range []string{"DELETE FROM passage WHERE key = ?", "DELETE FROM words WHERE rowid = ?"} {
			if _, err := tx.ExecContext(ctx, q, key); err != nil {
				return err
			}
		}
	}
	passage, err := tx.PrepareContext(ctx, "INSERT INTO passage VALUES (?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer passage.Close()
	words, err := tx.PrepareContext(ctx, "INSERT INTO words(rowid, whole) VALUES (?, ?)")
	if err != nil {
		return err
	}
	defer words.Close()
	if e.written > 0 {
		n, done := 0, 0
		err = x.each(ctx, seen, func(p retrieve.Passage) error {
			i := n
			n++
			meta := metaOf(p)
			h := hashOf(p.ID, p.Title, p.Text, meta)
			if i >= len(e.keys) || h != seen.passages[i] {
				return errChanged
			}
			if !e.fresh[i] {
				return nil
			}
			whole := p.Whole()
			sum := hashOf(whole)
			if _, err := passage.ExecContext(ctx, e.keys[i], p.ID, p.Title, p.Text, sql.NullString{String: meta, Valid: meta != ""}, h[:], sum[:]); err != nil {
				return err
			}
			if _, err := words.ExecContext(ctx, e.keys[i], whole); err != nil {
				return err
			}
			if done++; done%500 == 0 {
				x.progress(retrieve.Indexing, done, e.written)
			}
			return nil
		})
		if err == nil && n != len(e.keys) {
			err = errChanged
		}
		if err != nil {
			return err
		}
	}
	if err := writeFiles(ctx, tx, seen.files); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM vector WHERE whole NOT IN (SELECT whole FROM passage)"); err != nil {
		return err
	}
	if x.c.Embedder != nil {
		var lacks int
		err := tx.QueryRowContext(ctx, "SELECT count(*) FROM passage WHERE whole NOT IN (SELECT whole FROM vector)").Scan(&lacks)
		if err != nil {
			return err
		}
		if lacks > 0 {
			return errOther // it deleted vectors that are wanted here
		}
	}
	_, err = tx.ExecContext(ctx, "UPDATE state SET changes = changes + 1, done = 1")
	return err
}

// each reads all passages of the surveyed files once more.
func (x *Retriever) each(ctx context.Context, seen *survey, give func(retrieve.Passage) error) error {
	for _, f := range seen.files {
		if err := x.c.Corpus.Read(ctx, f.File, nil, give); err != nil {
			return err
		}
	}
	return nil
}

// isModels reports whether err is the embedder's.
func isModels(err error) bool { return lm.AsError(err) != nil }

// encodeVector writes a vector as it is kept.
func encodeVector(v []float32) []byte {
	out := make([]byte, 0, 4*len(v))
	for _, f := range v {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(f))
	}
	return out
}

// decodeVector appends a vector that was kept.
func decodeVector(to []float32, b []byte) ([]float32, error) {
	if len(b)%4 != 0 {
		return nil, fmt.Errorf("a vector of the index has %d bytes", len(b))
	}
	for ; len(b) > 0; b = b[4:] {
		to = append(to, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return to, nil
}

package retrievers

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/stdlib/retrievers/corpus"
	"github.com/dspi-lang/dspi/stdlib/retrievers/index"
)

// An index follows its corpus in three passes over the files, which are read only
// when their size or time has changed.
//
// The first finds out what is in them: a hash for each file and each passage, and the
// texts only where they are few. If nothing has changed it ends here. The second makes vectors of passages
// that have none; each batch is kept as soon as it has come, by the hash of its
// text, so that an interruption costs one batch. The third writes what is new and
// deletes what is gone, in one transaction: who searches at that time sees the index
// as it was. Another process may do the same meanwhile: the index counts its
// changes, and an edit that was made for an earlier state is made again.

// tries is how often a corpus is read that changes meanwhile, and how often an index
// that other processes write.
const tries = 20

var errChanged = errors.New("the corpus changes while it is read")

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
		if n < tries && (errors.Is(err, errChanged) || errors.Is(err, index.ErrOther)) {
			continue
		}
		return err
	}
}

// follow makes one attempt.
func (x *Retriever) follow(ctx context.Context) error {
	now, err := x.store.State(ctx)
	if err != nil {
		return err
	}
	if x.c.Frozen {
		if !now.Done {
			return &retrieve.Error{Retriever: x.c.Address, Text: "the index in " + x.store.Name() + " was not made yet", Hint: "make it: " + x.command("")}
		}
		return nil
	}
	files, err := x.c.Corpus.Files(ctx)
	if err != nil {
		return err
	}
	if now.Done && same(now, files) {
		return nil
	}
	unlock, err := x.store.Lock(ctx, func() { x.progress(retrieve.Waiting, 0, 0) })
	if err != nil {
		return err
	}
	defer unlock()
	if now, err = x.store.State(ctx); err != nil {
		return err
	}
	if now.Done && same(now, files) {
		x.progress(retrieve.Ready, 0, 0) // another process was faster
		return nil
	}
	seen, err := x.survey(ctx, files)
	if err != nil {
		return err
	}
	if now.Done && holds(now, seen.files) {
		if stamped(now, seen.files) {
			return nil
		}
		return x.store.Stamp(ctx, now, seen.files)
	}
	if x.c.Embedder != nil {
		if err := x.embed(ctx, seen); err != nil {
			return err
		}
	}
	old, err := x.store.Stored(ctx)
	if err != nil {
		return err
	}
	e := index.EditOf(old, seen.passages)
	err = x.store.Write(ctx, index.Change{
		From: now, Files: seen.files, Edit: e, Vectors: x.c.Embedder != nil,
		Each: func(give func(index.Entry) error) error { return x.entries(ctx, seen, e, give) },
	})
	if err == nil {
		x.progress(retrieve.Ready, e.Written, len(seen.passages))
	}
	return err
}

// same reports whether files look as they did.
func same(s index.State, files []corpus.File) bool {
	for _, f := range files {
		known, ok := s.Files[f.Name]
		if !ok || known.Modified == 0 || known.Size != f.Size || known.Modified != f.Modified.UnixNano() {
			return false
		}
	}
	return len(files) == len(s.Files)
}

// holds reports whether files hold what they did.
func holds(s index.State, files []index.File) bool {
	for _, f := range files {
		known, ok := s.Files[f.Name]
		if !ok || known.Hash != f.Hash {
			return false
		}
	}
	return len(files) == len(s.Files)
}

// stamped reports whether the times of files are noted.
func stamped(s index.State, files []index.File) bool {
	for _, f := range files {
		if s.Files[f.Name] != f {
			return false
		}
	}
	return true
}

// survey is what the first pass finds.
type survey struct {
	read     []corpus.File
	files    []index.File
	passages []index.Hash
	wholes   []index.Hash // of what is embedded; nil without an embedder
	// texts are the passages themselves, where they are few enough to be kept: they
	// need not be read again. nil where they are not.
	texts []retrieve.Passage
}

// mostKept is how many bytes of text are kept between the passes.
const mostKept = 128 << 20

// trusted is how old a file must be so that its time tells whether it changes: two
// changes in one tick of the clock have one time.
const trusted = 2 * time.Second

// survey reads the corpus.
func (x *Retriever) survey(ctx context.Context, files []corpus.File) (*survey, error) {
	s := &survey{read: files}
	begin := time.Now()
	x.progress(retrieve.Reading, 0, 0)
	size, few := 0, !x.c.rereads
	for _, f := range files {
		sum := sha256.New()
		err := x.c.Corpus.Read(ctx, f, func(b []byte) { sum.Write(b) }, func(p retrieve.Passage) error {
			s.passages = append(s.passages, index.PassageHash(p, index.Meta(p)))
			if x.c.Embedder != nil {
				s.wholes = append(s.wholes, index.HashOf(p.Whole()))
			}
			if size += len(p.Text) + 200; few && size <= mostKept {
				s.texts = append(s.texts, p)
			} else {
				s.texts, few = nil, false
			}
			if len(s.passages)%1000 == 0 {
				x.progress(retrieve.Reading, len(s.passages), 0)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		one := index.File{Name: f.Name, Size: f.Size, Hash: index.Hash(sum.Sum(nil)[:16])}
		if begin.Sub(f.Modified) > trusted {
			one.Modified = f.Modified.UnixNano()
		}
		s.files = append(s.files, one)
	}
	if len(s.passages) == 0 {
		return nil, &corpus.Fault{Text: "there is no passage in " + x.c.Corpus.Name + ", nothing but blanks"}
	}
	return s, nil
}

// entries reads the corpus once more and gives what an edit writes.
func (x *Retriever) entries(ctx context.Context, seen *survey, e index.Edit, give func(index.Entry) error) error {
	if e.Written == 0 {
		return nil
	}
	n, done := 0, 0
	err := x.each(ctx, seen, func(p retrieve.Passage) error {
		i := n
		n++
		meta := index.Meta(p)
		h := index.PassageHash(p, meta)
		if i >= len(e.Keys) || h != seen.passages[i] {
			return errChanged
		}
		if !e.Fresh[i] {
			return nil
		}
		if err := give(index.Entry{Key: e.Keys[i], Passage: p, Meta: meta, Hash: h, Whole: index.HashOf(p.Whole())}); err != nil {
			return err
		}
		if done++; done%500 == 0 {
			x.progress(retrieve.Indexing, done, e.Written)
		}
		return nil
	})
	if err == nil && n != len(e.Keys) {
		err = errChanged
	}
	return err
}

// each gives all passages of the surveyed files once more.
func (x *Retriever) each(ctx context.Context, seen *survey, give func(retrieve.Passage) error) error {
	for _, p := range seen.texts {
		if err := give(p); err != nil {
			return err
		}
	}
	if seen.texts != nil {
		return ctx.Err()
	}
	for _, f := range seen.read {
		if err := x.c.Corpus.Read(ctx, f, nil, give); err != nil {
			return err
		}
	}
	return nil
}

// isModels reports whether err is the embedder's.
func isModels(err error) bool { return lm.AsError(err) != nil }

package lsp

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// pause is how long nobody types before the files around the edited one are
// looked at.
const pause = 300 * time.Millisecond

// publisher tells the editor what is wrong: of the edited file at once, of the
// other open files and of what they import after a pause. A new edit ends what is
// under way.
type publisher struct {
	session *snapshot.Session
	work    *sync.WaitGroup
	silent  bool // the editor asks by itself

	mu   sync.Mutex
	ctx  context.Context
	stop context.CancelFunc
	sent map[string]said
}

// said is what the editor was told last of a file.
type said struct {
	snapshot int64
	version  int32 // of an open file
	text     string
}

func newPublisher(s *snapshot.Session, work *sync.WaitGroup) *publisher {
	return &publisher{session: s, work: work, sent: map[string]said{}}
}

func (p *publisher) start(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ctx = ctx
}

// forget drops what the editor was told of a file that it opens anew.
func (p *publisher) forget(path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sent, path)
}

// background runs f until the session ends.
func (p *publisher) background(f func(ctx context.Context)) {
	p.mu.Lock()
	ctx := p.ctx
	p.mu.Unlock()
	p.work.Go(func() { f(ctx) })
}

// edited looks at a file, and then at the others; "" looks at all.
func (p *publisher) edited(c *protocol.Client, path string) {
	if p.silent {
		return
	}
	snap := p.session.Snapshot()
	p.mu.Lock()
	if p.stop != nil {
		p.stop()
	}
	ctx, stop := context.WithCancel(p.ctx)
	p.stop = stop
	p.mu.Unlock()
	p.work.Go(func() {
		defer stop()
		defer func() {
			if r := recover(); r != nil { // the server lives
				c.Log(context.WithoutCancel(ctx), "a check failed")
			}
		}()
		if path != "" && !p.again(ctx, c, snap, path) {
			p.file(ctx, c, snap, path)
		}
		t := time.NewTimer(pause)
		defer t.Stop()
		select {
		case <-t.C:
			if path != "" { // others may have written files meanwhile
				snap = p.session.Refresh()
			}
			p.rest(ctx, c, snap)
		case <-ctx.Done():
		}
	})
}

// file tells what is wrong in an open file.
func (p *publisher) file(ctx context.Context, c *protocol.Client, snap *snapshot.Snapshot, path string) {
	v, err := Look(snap, path)
	if err != nil || !v.File.Open || ctx.Err() != nil {
		return
	}
	p.tell(ctx, c, snap, path, &v.File.Version, Diagnostics(v))
}

// again tells what is wrong in a file that was edited inside one program, which alone
// is looked at; false when more may have changed. What rest says after the pause rests
// on a check of the whole.
func (p *publisher) again(ctx context.Context, c *protocol.Client, snap *snapshot.Snapshot, path string) bool {
	f, err := snap.File(path)
	if err != nil || !f.Open || snapshot.IsConfig(path) {
		return false
	}
	found, ok := snap.Recheck(path)
	if ok {
		p.tell(ctx, c, snap, path, &f.Version, diagnosticsIn(snap, found.Diags, f.Source()))
	}
	return ok
}

// rest tells what is wrong in all open files and what they import, and takes back
// what is no longer of interest.
func (p *publisher) rest(ctx context.Context, c *protocol.Client, snap *snapshot.Snapshot) {
	open := snap.Open()
	imported := map[string][]protocol.Diagnostic{}
	for _, path := range open {
		if ctx.Err() != nil {
			return
		}
		p.file(ctx, c, snap, path)
		checked, err := snap.Check(path)
		if err != nil {
			continue
		}
		for other, tree := range checked.Trees() {
			if slices.Contains(open, other) {
				continue
			}
			if found := diagnosticsIn(snap, checked.Diags, tree.Source); len(found) >= len(imported[other]) {
				imported[other] = found
			}
		}
	}
	p.mu.Lock()
	for path := range p.sent {
		if _, ok := imported[path]; !ok && !slices.Contains(open, path) {
			imported[path] = []protocol.Diagnostic{}
		}
	}
	p.mu.Unlock()
	for path, found := range imported {
		if ctx.Err() != nil {
			return
		}
		p.tell(ctx, c, snap, path, nil, found)
	}
}

// tell sends the diagnostics of a file, unless the editor has them or has newer
// ones.
func (p *publisher) tell(ctx context.Context, c *protocol.Client, snap *snapshot.Snapshot, path string, version *int32, list []protocol.Diagnostic) {
	params := &protocol.PublishDiagnosticsParams{URI: protocol.Address(path), Diagnostics: list}
	data, err := protocol.Marshal(params)
	if err != nil {
		return
	}
	now := said{snapshot: snap.ID(), text: string(data)}
	if version != nil {
		params.Version = protocol.Optional(*version)
		now.version = *version
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	last, known := p.sent[path]
	if ctx.Err() != nil || known && (last.snapshot > now.snapshot || last.text == now.text && last.version == now.version) || !known && version == nil && len(list) == 0 {
		return
	}
	p.sent[path] = now
	c.PublishDiagnostics(ctx, params)
}

// documents serves what the editor tells of files.
func (s *Server) documents() {
	p := &s.protocol
	protocol.Handle(p, "textDocument/didOpen", func(_ context.Context, r *protocol.Request, p *protocol.DidOpenParams) (any, error) {
		path := protocol.Path(p.TextDocument.URI)
		s.publish.forget(path)
		s.session.Open(path, p.TextDocument.Version, p.TextDocument.Text)
		s.publish.edited(r.Client, path)
		return nil, nil
	})
	protocol.Handle(p, "textDocument/didChange", func(_ context.Context, r *protocol.Request, p *protocol.DidChangeParams) (any, error) {
		path := protocol.Path(p.TextDocument.URI)
		edits := make([]snapshot.Edit, 0, len(p.ContentChanges))
		for _, c := range p.ContentChanges {
			switch c := c.(type) {
			case *protocol.ChangePart:
				edits = append(edits, snapshot.Edit{
					StartLine: int(c.Range.Start.Line), StartColumn: int(c.Range.Start.Character),
					EndLine: int(c.Range.End.Line), EndColumn: int(c.Range.End.Character), Text: c.Text,
				})
			case *protocol.ChangeWhole:
				edits = append(edits, snapshot.Edit{Whole: true, Text: c.Text})
			}
		}
		err := s.session.Change(path, p.TextDocument.Version, edits)
		if errors.Is(err, snapshot.ErrStale) || errors.Is(err, snapshot.ErrClosed) {
			return nil, err // a notification has no answer
		}
		s.publish.edited(r.Client, path)
		return nil, nil
	})
	protocol.Handle(p, "textDocument/didClose", func(_ context.Context, r *protocol.Request, p *protocol.DidCloseParams) (any, error) {
		s.session.Close(protocol.Path(p.TextDocument.URI))
		s.tokens.forget(protocol.Path(p.TextDocument.URI))
		s.publish.edited(r.Client, "")
		return nil, nil
	})
	protocol.Handle(p, "textDocument/didSave", func(_ context.Context, r *protocol.Request, _ *protocol.DidSaveParams) (any, error) {
		s.session.Reread()
		s.publish.edited(r.Client, "")
		return nil, nil
	})
	protocol.Handle(p, "workspace/didChangeWatchedFiles", func(_ context.Context, r *protocol.Request, p *protocol.DidChangeWatchedFilesParams) (any, error) {
		snap := s.session.Reread()
		s.publish.edited(r.Client, "")
		if slices.ContainsFunc(p.Changes, func(c protocol.FileEvent) bool { return isResult(snap, protocol.Path(c.URI)) }) {
			s.refreshLenses(r.Client)
		}
		return nil, nil
	})
	protocol.Handle(p, "workspace/didChangeWorkspaceFolders", func(_ context.Context, r *protocol.Request, p *protocol.DidChangeFoldersParams) (any, error) {
		folders := slices.Clone(s.session.Snapshot().Folders())
		for _, f := range p.Event.Removed {
			folders = slices.DeleteFunc(folders, func(x string) bool { return x == filepath.Clean(protocol.Path(f.URI)) || x == protocol.Path(f.URI) })
		}
		for _, f := range p.Event.Added {
			folders = append(folders, protocol.Path(f.URI))
		}
		s.session.SetFolders(folders)
		return nil, nil
	})
}

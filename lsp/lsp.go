// Package lsp is dspi's language server.
//
//	Server    one editor's session: its files, its methods (New, Serve)
//	View      one file of a snapshot; each feature is a function of it, in a file
//	          of its own: Hover, Complete, Definition, Rename, Format, …
//	publisher tells the editor what is wrong, the edited file first (publish.go)
//
// Below it stand lsp/protocol, which knows the wire, and lsp/snapshot, which
// knows the files. A method takes the snapshot of its moment and lets the next
// message begin; edits are taken in the order of the wire. What the server says
// of its abilities in `initialize` is all it can do, and it can do all of it.
//
// The server starts no Python and asks no network.
package lsp

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// Options are what a server is told by its host.
type Options struct {
	snapshot.Options
	Version string
}

// Server is one editor's session.
type Server struct {
	opt      Options
	session  *snapshot.Session
	protocol protocol.Server
	publish  *publisher
	work     sync.WaitGroup

	snippets bool
	watches  bool
	pull     bool
}

// New returns a server that nobody speaks with yet.
func New(opt Options) *Server {
	s := &Server{opt: opt, session: snapshot.NewSession(opt.Options)}
	s.publish = newPublisher(s.session, &s.work)
	s.methods()
	return s
}

// Serve speaks with an editor until it leaves, and returns the exit status that
// the protocol asks for.
func (s *Server) Serve(ctx context.Context, stream io.ReadWriteCloser) int {
	ctx, stop := context.WithCancel(ctx)
	s.publish.start(ctx)
	code := s.protocol.Serve(ctx, stream)
	stop()
	s.work.Wait()
	return code
}

func (s *Server) methods() {
	p := &s.protocol
	protocol.Handle(p, "initialize", s.initialize)
	protocol.Handle(p, "initialized", s.initialized)
	s.documents()

	at(s, "textDocument/hover", func(v *View, o int32, _ *protocol.PositionParams) (any, error) { return orNull(Hover(v, o)), nil })
	at(s, "textDocument/completion", func(v *View, o int32, _ *protocol.PositionParams) (any, error) { return Complete(v, o), nil })
	at(s, "textDocument/signatureHelp", func(v *View, o int32, _ *protocol.PositionParams) (any, error) { return orNull(Signature(v, o)), nil })
	at(s, "textDocument/definition", func(v *View, o int32, _ *protocol.PositionParams) (any, error) { return Definition(v, o), nil })
	at(s, "textDocument/typeDefinition", func(v *View, o int32, _ *protocol.PositionParams) (any, error) { return TypeDefinition(v, o), nil })
	at(s, "textDocument/documentHighlight", func(v *View, o int32, _ *protocol.PositionParams) (any, error) { return Highlights(v, o), nil })
	at(s, "textDocument/prepareRename", func(v *View, o int32, _ *protocol.PositionParams) (any, error) { return PrepareRename(v, o) })
	in(s, "textDocument/references", func(p *protocol.ReferenceParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, p *protocol.ReferenceParams) (any, error) {
			return References(v, v.Offset(p.Position), p.Context.IncludeDeclaration), nil
		})
	in(s, "textDocument/rename", func(p *protocol.RenameParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, p *protocol.RenameParams) (any, error) {
			return Rename(v, v.Offset(p.Position), p.NewName)
		})
	in(s, "textDocument/documentSymbol", func(p *protocol.DocumentSymbolParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, _ *protocol.DocumentSymbolParams) (any, error) { return Symbols(v), nil })
	in(s, "textDocument/foldingRange", func(p *protocol.FoldingRangeParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, _ *protocol.FoldingRangeParams) (any, error) { return Folds(v), nil })
	in(s, "textDocument/selectionRange", func(p *protocol.SelectionRangeParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, p *protocol.SelectionRangeParams) (any, error) {
			out := []protocol.SelectionRange{}
			for _, pos := range p.Positions {
				out = append(out, *Selections(v, v.Offset(pos)))
			}
			return out, nil
		})
	in(s, "textDocument/documentLink", func(p *protocol.DocumentLinkParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, _ *protocol.DocumentLinkParams) (any, error) { return Links(v), nil })
	in(s, "textDocument/codeLens", func(p *protocol.CodeLensParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, _ *protocol.CodeLensParams) (any, error) { return Lenses(v), nil })
	in(s, "textDocument/inlayHint", func(p *protocol.InlayHintParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, p *protocol.InlayHintParams) (any, error) { return Hints(v, v.Span(p.Range)), nil })
	in(s, "textDocument/semanticTokens/full", func(p *protocol.SemanticTokensParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, _ *protocol.SemanticTokensParams) (any, error) { return Tokens(v), nil })
	in(s, "textDocument/formatting", func(p *protocol.FormattingParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, _ *protocol.FormattingParams) (any, error) { return Format(v), nil })
	in(s, "textDocument/rangeFormatting", func(p *protocol.RangeFormattingParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, p *protocol.RangeFormattingParams) (any, error) {
			return FormatRange(v, v.Span(p.Range)), nil
		})
	in(s, "textDocument/codeAction", func(p *protocol.CodeActionParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, p *protocol.CodeActionParams) (any, error) {
			if wants(p.Context.Only, protocol.QuickFix) {
				return Actions(v, v.Span(p.Range)), nil
			}
			return []protocol.CodeAction{}, nil
		})
	in(s, "textDocument/diagnostic", func(p *protocol.DocumentDiagnosticParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, _ *protocol.DocumentDiagnosticParams) (any, error) {
			return &protocol.DocumentDiagnosticReport{FullDocumentDiagnosticReport: protocol.FullDiagnosticReport{Kind: "full", Items: Diagnostics(v)}}, nil
		})
	in(s, "dspi/renderPrompt", previewed, func(v *View, p *PreviewParams) (any, error) { return raw(RenderPrompt(v, p)) })
	in(s, "dspi/plan", previewed, func(v *View, p *PreviewParams) (any, error) { return raw(Plan(v, p)) })
	in(s, "dspi/schema", previewed, func(v *View, p *PreviewParams) (any, error) { return raw(Schema(v, p)) })
	protocol.Handle(p, "workspace/symbol", func(_ context.Context, r *protocol.Request, p *protocol.WorkspaceSymbolParams) (any, error) {
		snap := s.session.Snapshot()
		r.Release()
		return WorkspaceSymbols(snap, p.Query), nil
	})
}

func previewed(p *PreviewParams) protocol.URI { return p.TextDocument.URI }

// in serves a request about a file: it takes the snapshot of its moment.
func in[P any](s *Server, method string, uri func(*P) protocol.URI, f func(*View, *P) (any, error)) {
	protocol.Handle(&s.protocol, method, func(_ context.Context, r *protocol.Request, p *P) (any, error) {
		snap := s.session.Snapshot()
		snippets := s.snippets
		r.Release()
		v, err := Look(snap, protocol.Path(uri(p)))
		if err != nil {
			return nil, err
		}
		v.Snippets = snippets
		return f(v, p)
	})
}

// at serves a request about a position of a file.
func at(s *Server, method string, f func(*View, int32, *protocol.PositionParams) (any, error)) {
	in(s, method, func(p *protocol.PositionParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, p *protocol.PositionParams) (any, error) { return f(v, v.Offset(p.Position), p) })
}

// orNull makes a nil pointer the null of the wire.
func orNull[T any](p *T) any {
	if p == nil {
		return nil
	}
	return p
}

// wants reports whether a kind of code action is asked for.
func wants(only []protocol.CodeActionKind, kind protocol.CodeActionKind) bool {
	return len(only) == 0 || slices.ContainsFunc(only, func(k protocol.CodeActionKind) bool {
		return k == "" || k == kind || strings.HasPrefix(string(kind), string(k)+".")
	})
}

// Span returns the span of a range.
func (v *View) Span(r protocol.Range) source.Span {
	a := v.Offset(r.Start)
	return source.Span{Start: a, End: max(a, v.Offset(r.End))}
}

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
	"encoding/json"
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
	// Execute runs a command line of `dspi`, and returns its exit status: what
	// workspace/executeCommand asks for. It tells each line that is written. A nil
	// Execute runs nothing.
	Execute func(ctx context.Context, args []string, input string, line func(string)) int
	// Question returns the first request of an operation of a plan, for previews:
	// nothing is sent, and no Python is started. It is asked of none that works in
	// Python or searches. A nil Question shows the steps whose messages follow from
	// their signature.
	Question Question
}

// Server is one editor's session.
type Server struct {
	opt      Options
	session  *snapshot.Session
	protocol protocol.Server
	publish  *publisher
	work     sync.WaitGroup

	tokens      tokenMemory
	completions completions
	running     running

	snippets bool
	watches  bool
	pull     bool
	resolves bool // the editor asks for the explanation of a completion
	progress bool
	relenses bool // the editor asks for lenses anew when it is told to
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
	return s.ServeStream(ctx, protocol.NewStream(stream))
}

// ServeStream is Serve over a stream of messages, as a websocket is one.
func (s *Server) ServeStream(ctx context.Context, stream protocol.Stream) int {
	ctx, stop := context.WithCancel(ctx)
	s.publish.start(ctx)
	code := s.protocol.ServeStream(ctx, stream)
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
	at(s, "textDocument/completion", func(v *View, o int32, _ *protocol.PositionParams) (any, error) {
		list := Complete(v, o)
		if s.resolves {
			list = s.completions.trim(list)
		}
		return list, nil
	})
	protocol.Handle(p, "completionItem/resolve", func(_ context.Context, r *protocol.Request, it *protocol.CompletionItem) (any, error) {
		r.Release()
		return s.completions.resolve(it), nil
	})
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
	protocol.Handle(p, "codeLens/resolve", s.resolveLens)
	in(s, "textDocument/inlayHint", func(p *protocol.InlayHintParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, p *protocol.InlayHintParams) (any, error) { return Hints(v, v.Span(p.Range)), nil })
	in(s, "textDocument/semanticTokens/full", func(p *protocol.SemanticTokensParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, _ *protocol.SemanticTokensParams) (any, error) { return s.tokens.full(v), nil })
	in(s, "textDocument/semanticTokens/full/delta", func(p *protocol.SemanticTokensDeltaParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, p *protocol.SemanticTokensDeltaParams) (any, error) {
			return s.tokens.delta(v, p.PreviousResultID), nil
		})
	in(s, "textDocument/semanticTokens/range", func(p *protocol.SemanticTokensRangeParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, p *protocol.SemanticTokensRangeParams) (any, error) {
			return TokensIn(v, v.Span(p.Range)), nil
		})
	in(s, "textDocument/formatting", func(p *protocol.FormattingParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, _ *protocol.FormattingParams) (any, error) { return Format(v), nil })
	in(s, "textDocument/rangeFormatting", func(p *protocol.RangeFormattingParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, p *protocol.RangeFormattingParams) (any, error) {
			return FormatRange(v, v.Span(p.Range)), nil
		})
	in(s, "textDocument/codeAction", func(p *protocol.CodeActionParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, p *protocol.CodeActionParams) (any, error) {
			out := []protocol.CodeAction{}
			if wants(p.Context.Only, protocol.QuickFix) {
				out = Actions(v, v.Span(p.Range))
			}
			return append(out, Refactorings(v, v.Span(p.Range), p.Context.Only)...), nil
		})
	in(s, "textDocument/onTypeFormatting", func(p *protocol.OnTypeFormattingParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, p *protocol.OnTypeFormattingParams) (any, error) {
			return FormatOnType(v, v.Offset(p.Position), p.Ch), nil
		})
	in(s, "textDocument/prepareCallHierarchy", func(p *protocol.PrepareCallsParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, p *protocol.PrepareCallsParams) (any, error) {
			return Calls(v, v.Offset(p.Position)), nil
		})
	in(s, "callHierarchy/incomingCalls", func(p *protocol.IncomingCallsParams) protocol.URI { return p.Item.URI },
		func(v *View, p *protocol.IncomingCallsParams) (any, error) {
			return Incoming(v, v.Offset(p.Item.SelectionRange.Start)), nil
		})
	in(s, "callHierarchy/outgoingCalls", func(p *protocol.OutgoingCallsParams) protocol.URI { return p.Item.URI },
		func(v *View, p *protocol.OutgoingCallsParams) (any, error) {
			return Outgoing(v, v.Offset(p.Item.SelectionRange.Start)), nil
		})
	protocol.Handle(p, "workspace/executeCommand", s.execute)
	protocol.Handle(p, "window/workDoneProgress/cancel", func(_ context.Context, _ *protocol.Request, p *progressParams) (any, error) {
		s.running.stop(p.Token)
		return nil, nil
	})
	in(s, "textDocument/diagnostic", func(p *protocol.DocumentDiagnosticParams) protocol.URI { return p.TextDocument.URI },
		func(v *View, _ *protocol.DocumentDiagnosticParams) (any, error) {
			return &protocol.DocumentDiagnosticReport{FullDocumentDiagnosticReport: protocol.FullDiagnosticReport{Kind: "full", Items: Diagnostics(v)}}, nil
		})
	protocol.Handle(p, "dspi/renderPrompt", func(ctx context.Context, r *protocol.Request, p *PreviewParams) (any, error) {
		snap := s.session.Snapshot()
		r.Release()
		v, err := Look(snap, protocol.Path(p.TextDocument.URI))
		if err != nil {
			return nil, err
		}
		return raw(RenderPrompt(ctx, v, p, s.opt.Question))
	})
	in(s, "dspi/plan", previewed, func(v *View, p *PreviewParams) (any, error) { return raw(Plan(v, p)) })
	in(s, "dspi/schema", previewed, func(v *View, p *PreviewParams) (any, error) { return raw(Schema(v, p)) })
	protocol.Handle(p, "workspace/symbol", func(_ context.Context, r *protocol.Request, p *protocol.WorkspaceSymbolParams) (any, error) {
		snap := s.session.Snapshot()
		r.Release()
		return WorkspaceSymbols(snap, p.Query), nil
	})
}

// progressParams are those of window/workDoneProgress/cancel.
type progressParams struct {
	Token protocol.Any `json:"token"`
}

// resolveLens gives a lens its command.
func (s *Server) resolveLens(_ context.Context, r *protocol.Request, lens *protocol.CodeLens) (any, error) {
	snap := s.session.Snapshot()
	r.Release()
	var data lensData
	if len(lens.Data) == 0 || json.Unmarshal(lens.Data, &data) != nil {
		return lens, nil
	}
	v, err := Look(snap, data.File)
	if err != nil {
		return nil, err
	}
	ResolveLens(v, lens, data.Program)
	return lens, nil
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

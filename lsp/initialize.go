package lsp

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
)

// settings are the initialization options that an editor may send.
type settings struct {
	// PullDiagnostics has the editor ask for diagnostics; else they are sent.
	PullDiagnostics bool `json:"pullDiagnostics"`
	// Commands has the server announce the commands of lenses. An editor whose
	// extension has commands of the same names leaves it out; they are served anyway.
	Commands bool `json:"commands"`
}

func (s *Server) initialize(_ context.Context, _ *protocol.Request, p *protocol.InitializeParams) (any, error) {
	var folders []string
	if list, ok := p.WorkspaceFolders.Get(); ok {
		for _, f := range list {
			folders = append(folders, protocol.Path(f.URI))
		}
	} else if p.RootURI != nil {
		folders = append(folders, protocol.Path(*p.RootURI))
	}
	s.session.SetFolders(folders)
	encoding := protocol.UTF16
	if g := p.Capabilities.General; g != nil && slices.Contains(g.PositionEncodings, protocol.UTF8) {
		encoding = protocol.UTF8
		s.session.SetEncoding(snapshot.UTF8)
	}
	if t := p.Capabilities.TextDocument; t != nil && t.Completion != nil && t.Completion.CompletionItem != nil {
		on := t.Completion.CompletionItem.SnippetSupport
		s.snippets = on != nil && *on
		s.resolves = slices.Contains(t.Completion.CompletionItem.ResolveSupport.Properties, "documentation")
	}
	if w := p.Capabilities.Window; w != nil {
		s.progress = w.WorkDoneProgress != nil && *w.WorkDoneProgress
	}
	if w := p.Capabilities.Workspace; w != nil && w.DidChangeWatchedFiles != nil {
		on := w.DidChangeWatchedFiles.DynamicRegistration
		s.watches = on != nil && *on
	}
	if w := p.Capabilities.Workspace; w != nil && w.CodeLens != nil {
		on := w.CodeLens.RefreshSupport
		s.relenses = on != nil && *on
	}
	var own settings
	if len(p.InitializationOptions) > 0 {
		if err := json.Unmarshal(p.InitializationOptions, &own); err != nil {
			own = settings{} // options of another editor's making
		}
	}
	t := p.Capabilities.TextDocument
	s.pull = own.PullDiagnostics && t != nil && t.Diagnostic != nil
	s.publish.silent = s.pull

	yes := protocol.Boolean(true)
	c := protocol.ServerCapabilities{
		PositionEncoding: encoding,
		TextDocumentSync: &protocol.TextDocumentSyncOptions{
			OpenClose: ptr(true), Change: ptr(protocol.Incremental), Save: yes,
		},
		HoverProvider:                   yes,
		CompletionProvider:              &protocol.CompletionOptions{TriggerCharacters: []string{".", `"`, "/", ":", "="}, ResolveProvider: ptr(true)},
		SignatureHelpProvider:           &protocol.SignatureHelpOptions{TriggerCharacters: []string{"(", ","}},
		DefinitionProvider:              yes,
		TypeDefinitionProvider:          yes,
		ReferencesProvider:              yes,
		DocumentHighlightProvider:       yes,
		DocumentSymbolProvider:          yes,
		WorkspaceSymbolProvider:         yes,
		CodeActionProvider:              &protocol.CodeActionOptions{CodeActionKinds: []protocol.CodeActionKind{protocol.QuickFix, protocol.Extract, protocol.Inline, protocol.Rewrite, protocol.OrganizeImports}},
		CodeLensProvider:                &protocol.CodeLensOptions{ResolveProvider: ptr(true)},
		DocumentLinkProvider:            &protocol.DocumentLinkOptions{},
		DocumentFormattingProvider:      yes,
		DocumentRangeFormattingProvider: yes,
		RenameProvider:                  &protocol.RenameOptions{PrepareProvider: ptr(true)},
		FoldingRangeProvider:            yes,
		SelectionRangeProvider:          yes,
		InlayHintProvider:               yes,
		SemanticTokensProvider: &protocol.SemanticTokensOptions{
			Legend: protocol.SemanticTokensLegend{TokenTypes: TokenTypes, TokenModifiers: TokenModifiers},
			Full:   &protocol.SemanticTokensFull{Delta: ptr(true)}, Range: yes,
		},
		DocumentOnTypeFormattingProvider: protocol.OnTypeFormattingOptions{FirstTriggerCharacter: "}", MoreTriggerCharacter: []string{"\n"}},
		CallHierarchyProvider:            yes,
		Workspace: &protocol.WorkspaceOptions{
			WorkspaceFolders: &protocol.WorkspaceFolders{Supported: ptr(true), ChangeNotifications: yes},
		},
		Experimental: protocol.Any(`{"renderPrompt":"dspi/renderPrompt","plan":"dspi/plan","schema":"dspi/schema"}`),
	}
	if own.Commands {
		c.ExecuteCommandProvider = protocol.ExecuteCommandOptions{Commands: commands}
	}
	if s.pull {
		c.DiagnosticProvider = &protocol.DiagnosticOptions{InterFileDependencies: true}
	}
	return &protocol.InitializeResult{Capabilities: c, ServerInfo: protocol.ServerInfo{Name: "dspi", Version: protocol.Optional(s.opt.Version)}}, nil
}

// watched is what the editor is asked to watch.
const watched = `{"registrations":[{"id":"dspi-files","method":"workspace/didChangeWatchedFiles","registerOptions":{"watchers":[{"globPattern":"**/*.{dsp,dspi,hcl,dspvars,csv,jsonl,json}"}]}}]}`

func (s *Server) initialized(ctx context.Context, r *protocol.Request, _ *protocol.InitializedParams) (any, error) {
	if s.watches {
		s.publish.background(func(ctx context.Context) { r.Client.Ask(ctx, "client/registerCapability", protocol.Any(watched)) })
	}
	return nil, nil
}

package protocol

import (
	lsp "go.lsp.dev/protocol"
	"go.lsp.dev/uri"
)

// The types of the protocol that dspi speaks. They are made from the official
// description of LSP; a union is an interface whose arms are types of their own.
type (
	URI      = uri.URI
	Position = lsp.Position
	Range    = lsp.Range
	Location = lsp.Location
	TextEdit = lsp.TextEdit
	String   = lsp.String
	Boolean  = lsp.Boolean
	Any      = lsp.LSPAny

	InitializeParams            = lsp.InitializeParams
	InitializedParams           = lsp.InitializedParams
	InitializeResult            = lsp.InitializeResult
	ServerCapabilities          = lsp.ServerCapabilities
	ServerInfo                  = lsp.ServerInfo
	WorkspaceOptions            = lsp.WorkspaceOptions
	WorkspaceFolders            = lsp.WorkspaceFoldersServerCapabilities
	WorkspaceFolder             = lsp.WorkspaceFolder
	TextDocumentSyncOptions     = lsp.TextDocumentSyncOptions
	CompletionOptions           = lsp.CompletionOptions
	SignatureHelpOptions        = lsp.SignatureHelpOptions
	CodeActionOptions           = lsp.CodeActionOptions
	CodeLensOptions             = lsp.CodeLensOptions
	DocumentLinkOptions         = lsp.DocumentLinkOptions
	RenameOptions               = lsp.RenameOptions
	DiagnosticOptions           = lsp.DiagnosticOptions
	SemanticTokensOptions       = lsp.SemanticTokensOptions
	SemanticTokensLegend        = lsp.SemanticTokensLegend
	DidOpenParams               = lsp.DidOpenTextDocumentParams
	DidChangeParams             = lsp.DidChangeTextDocumentParams
	DidCloseParams              = lsp.DidCloseTextDocumentParams
	DidSaveParams               = lsp.DidSaveTextDocumentParams
	DidChangeWatchedFilesParams = lsp.DidChangeWatchedFilesParams
	FileEvent                   = lsp.FileEvent
	DidChangeFoldersParams      = lsp.DidChangeWorkspaceFoldersParams
	ChangePart                  = lsp.TextDocumentContentChangePartial
	ChangeWhole                 = lsp.TextDocumentContentChangeWholeDocument
	PositionParams              = lsp.TextDocumentPositionParams
	DocumentIdentifier          = lsp.TextDocumentIdentifier

	PublishDiagnosticsParams = lsp.PublishDiagnosticsParams
	Diagnostic               = lsp.Diagnostic
	RelatedInformation       = lsp.DiagnosticRelatedInformation
	CodeDescription          = lsp.CodeDescription
	DocumentDiagnosticParams = lsp.DocumentDiagnosticParams
	DocumentDiagnosticReport = lsp.RelatedFullDocumentDiagnosticReport
	FullDiagnosticReport     = lsp.FullDocumentDiagnosticReport

	CompletionParams       = lsp.CompletionParams
	CompletionList         = lsp.CompletionList
	CompletionItem         = lsp.CompletionItem
	CompletionItemKind     = lsp.CompletionItemKind
	CompletionLabelDetails = lsp.CompletionItemLabelDetails
	HoverParams            = lsp.HoverParams
	Hover                  = lsp.Hover
	MarkupContent          = lsp.MarkupContent
	SignatureHelpParams    = lsp.SignatureHelpParams
	SignatureHelp          = lsp.SignatureHelp
	SignatureInformation   = lsp.SignatureInformation
	ParameterInformation   = lsp.ParameterInformation
	DefinitionParams       = lsp.DefinitionParams
	ReferenceParams        = lsp.ReferenceParams
	HighlightParams        = lsp.DocumentHighlightParams
	DocumentHighlight      = lsp.DocumentHighlight
	DocumentSymbolParams   = lsp.DocumentSymbolParams
	DocumentSymbol         = lsp.DocumentSymbol
	SymbolKind             = lsp.SymbolKind
	WorkspaceSymbolParams  = lsp.WorkspaceSymbolParams
	WorkspaceSymbol        = lsp.WorkspaceSymbol
	BaseSymbolInformation  = lsp.BaseSymbolInformation
	CodeActionParams       = lsp.CodeActionParams
	CodeAction             = lsp.CodeAction
	CodeActionKind         = lsp.CodeActionKind
	WorkspaceEdit          = lsp.WorkspaceEdit
	CodeLensParams         = lsp.CodeLensParams
	CodeLens               = lsp.CodeLens
	Command                = lsp.Command
	FormattingParams       = lsp.DocumentFormattingParams
	RangeFormattingParams  = lsp.DocumentRangeFormattingParams
	PrepareRenameParams    = lsp.PrepareRenameParams
	PrepareRename          = lsp.PrepareRenamePlaceholder
	RenameParams           = lsp.RenameParams
	FoldingRangeParams     = lsp.FoldingRangeParams
	FoldingRange           = lsp.FoldingRange
	SelectionRangeParams   = lsp.SelectionRangeParams
	SelectionRange         = lsp.SelectionRange
	DocumentLinkParams     = lsp.DocumentLinkParams
	DocumentLink           = lsp.DocumentLink
	InlayHintParams        = lsp.InlayHintParams
	InlayHint              = lsp.InlayHint
	SemanticTokensParams   = lsp.SemanticTokensParams
	SemanticTokens         = lsp.SemanticTokens

	SemanticTokensRangeParams = lsp.SemanticTokensRangeParams
	SemanticTokensDeltaParams = lsp.SemanticTokensDeltaParams
	SemanticTokensDelta       = lsp.SemanticTokensDelta
	SemanticTokensEdit        = lsp.SemanticTokensEdit
	SemanticTokensFull        = lsp.SemanticTokensFullDelta
	OnTypeFormattingOptions   = lsp.DocumentOnTypeFormattingOptions
	OnTypeFormattingParams    = lsp.DocumentOnTypeFormattingParams
	CallHierarchyItem         = lsp.CallHierarchyItem
	PrepareCallsParams        = lsp.CallHierarchyPrepareParams
	IncomingCallsParams       = lsp.CallHierarchyIncomingCallsParams
	IncomingCall              = lsp.CallHierarchyIncomingCall
	OutgoingCallsParams       = lsp.CallHierarchyOutgoingCallsParams
	OutgoingCall              = lsp.CallHierarchyOutgoingCall
	ExecuteCommandOptions     = lsp.ExecuteCommandOptions
	ExecuteCommandParams      = lsp.ExecuteCommandParams
	ProgressToken             = lsp.ProgressToken
	ProgressCancelParams      = lsp.WorkDoneProgressCancelParams
)

// The constants of the protocol that dspi uses.
const (
	UTF8  = lsp.PositionEncodingKindUTF8
	UTF16 = lsp.PositionEncodingKindUTF16

	Incremental = lsp.TextDocumentSyncKindIncremental
	Markdown    = lsp.MarkupKindMarkdown
	Snippet     = lsp.InsertTextFormatSnippet

	SeverityError   = lsp.DiagnosticSeverityError
	SeverityWarning = lsp.DiagnosticSeverityWarning

	QuickFix        = lsp.CodeActionKindQuickFix
	Extract         = lsp.CodeActionKindRefactorExtract
	Inline          = lsp.CodeActionKindRefactorInline
	Rewrite         = lsp.CodeActionKindRefactorRewrite
	OrganizeImports = lsp.CodeActionKindSourceOrganizeImports

	HintType      = lsp.InlayHintKindType
	HintParameter = lsp.InlayHintKindParameter

	FoldComment = lsp.FoldingRangeKindComment
	FoldImports = lsp.FoldingRangeKindImports
	FoldRegion  = lsp.FoldingRangeKindRegion

	HighlightRead  = lsp.DocumentHighlightKindRead
	HighlightWrite = lsp.DocumentHighlightKindWrite

	SymbolFile       = lsp.SymbolKindFile
	SymbolModule     = lsp.SymbolKindModule
	SymbolClass      = lsp.SymbolKindClass
	SymbolMethod     = lsp.SymbolKindMethod
	SymbolField      = lsp.SymbolKindField
	SymbolEnum       = lsp.SymbolKindEnum
	SymbolInterface  = lsp.SymbolKindInterface
	SymbolFunction   = lsp.SymbolKindFunction
	SymbolVariable   = lsp.SymbolKindVariable
	SymbolConstant   = lsp.SymbolKindConstant
	SymbolObject     = lsp.SymbolKindObject
	SymbolEnumMember = lsp.SymbolKindEnumMember
	SymbolStruct     = lsp.SymbolKindStruct
	SymbolEvent      = lsp.SymbolKindEvent

	ItemText       = lsp.CompletionItemKindText
	ItemFunction   = lsp.CompletionItemKindFunction
	ItemField      = lsp.CompletionItemKindField
	ItemVariable   = lsp.CompletionItemKindVariable
	ItemClass      = lsp.CompletionItemKindClass
	ItemModule     = lsp.CompletionItemKindModule
	ItemProperty   = lsp.CompletionItemKindProperty
	ItemValue      = lsp.CompletionItemKindValue
	ItemKeyword    = lsp.CompletionItemKindKeyword
	ItemSnippet    = lsp.CompletionItemKindSnippet
	ItemFile       = lsp.CompletionItemKindFile
	ItemReference  = lsp.CompletionItemKindReference
	ItemFolder     = lsp.CompletionItemKindFolder
	ItemEnumMember = lsp.CompletionItemKindEnumMember
	ItemStruct     = lsp.CompletionItemKindStruct
)

// Optional is a value that may be left out on the wire.
func Optional[T any](v T) lsp.Optional[T] { return lsp.NewOptional(v) }

// Marshal writes a value of the protocol as JSON; encoding/json cannot.
func Marshal(v any) ([]byte, error) { return lsp.Marshal(v) }

// Unmarshal reads a value of the protocol.
func Unmarshal(data []byte, v any) error { return lsp.Unmarshal(data, v) }

// FileURI returns the address of a file.
func FileURI(path string) URI { return uri.File(path) }

// Nullable is a value that may be null on the wire.
func Nullable[T any](v T) lsp.Nullable[T] { return lsp.NewNullable(v) }

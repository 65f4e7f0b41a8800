package lsp

import (
	"slices"
	"strconv"
	"sync"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lsp/protocol"
)

// TokensIn is Tokens for a span of a file.
func TokensIn(v *View, span source.Span) *protocol.SemanticTokens {
	list := slices.DeleteFunc(tokens(v), func(t token) bool { return t.End < span.Start || t.Start > span.End })
	return &protocol.SemanticTokens{Data: encodeTokens(v, list)}
}

// TokensDelta returns the one edit that makes the numbers of tokens from others:
// what stands between those that both have at the beginning and at the end.
func TokensDelta(before, after []uint32) []protocol.SemanticTokensEdit {
	same, n := 0, min(len(before), len(after))
	for same < n && before[same] == after[same] {
		same++
	}
	tail := 0
	for tail < n-same && before[len(before)-1-tail] == after[len(after)-1-tail] {
		tail++
	}
	if same == len(before) && same == len(after) {
		return []protocol.SemanticTokensEdit{}
	}
	return []protocol.SemanticTokensEdit{{
		Start: uint32(same), DeleteCount: uint32(len(before) - same - tail), Data: after[same : len(after)-tail],
	}}
}

// tokenMemory knows which tokens the editor has of each file.
type tokenMemory struct {
	mu   sync.Mutex
	last int
	sent map[string]sentTokens
}

type sentTokens struct {
	id   string
	data []uint32
}

// remember notes the tokens of a file as sent, and returns their name.
func (m *tokenMemory) remember(path string, data []uint32) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sent == nil {
		m.sent = map[string]sentTokens{}
	}
	m.last++
	id := strconv.Itoa(m.last)
	m.sent[path] = sentTokens{id, data}
	return id
}

// of returns the tokens of a file that were sent with a name.
func (m *tokenMemory) of(path, id string) ([]uint32, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.sent[path]
	return s.data, ok && s.id == id
}

// forget drops what is known of a file that was closed.
func (m *tokenMemory) forget(path string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.sent, path)
}

// full answers with all tokens, which later answers may be compared with.
func (m *tokenMemory) full(v *View) *protocol.SemanticTokens {
	t := Tokens(v)
	id := m.remember(v.File.Path, t.Data)
	t.ResultID = &id
	return t
}

// delta answers with what has changed since an answer, or with all where that
// answer is not known any more.
func (m *tokenMemory) delta(v *View, since string) any {
	before, ok := m.of(v.File.Path, since)
	if !ok {
		return m.full(v)
	}
	after := Tokens(v).Data
	id := m.remember(v.File.Path, after)
	return &protocol.SemanticTokensDelta{ResultID: &id, Edits: TokensDelta(before, after)}
}

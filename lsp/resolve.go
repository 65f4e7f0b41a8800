package lsp

import (
	"encoding/json"
	"sync"

	"github.com/dspi-lang/dspi/lsp/protocol"
)

// completions keeps the explanations of the last list of completions, for an editor
// that asks for that of one item when it shows it. A list is a tenth of the size
// without them.
type completions struct {
	mu   sync.Mutex
	id   int
	last []protocol.CompletionItem
}

// place is what an item carries: its list, and where it stands in it.
type place struct {
	List int `json:"list"`
	Item int `json:"item"`
}

// trim keeps a list, and returns it without explanations.
func (c *completions) trim(list *protocol.CompletionList) *protocol.CompletionList {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.id++
	c.last = list.Items
	out := *list
	out.Items = make([]protocol.CompletionItem, len(list.Items))
	for i, it := range list.Items {
		data, _ := json.Marshal(place{c.id, i}) // numbers always can be
		it.Documentation, it.Data = nil, protocol.Any(data)
		out.Items[i] = it
	}
	return &out
}

// resolve gives an item of the last list its explanation. An item of another list
// stays as it is.
func (c *completions) resolve(it *protocol.CompletionItem) *protocol.CompletionItem {
	var at place
	if json.Unmarshal(it.Data, &at) != nil {
		return it
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.List == c.id && at.Item >= 0 && at.Item < len(c.last) && c.last[at.Item].Label == it.Label {
		it.Documentation = c.last[at.Item].Documentation
	}
	return it
}

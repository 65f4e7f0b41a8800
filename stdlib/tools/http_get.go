package tools

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/value"
)

// httpGet is tool.http_get. The model chooses the address, so it never goes to
// private networks: a tool of one's own can.
type httpGet struct {
	builtin
	bodies *Bodies
}

func (h *httpGet) Call(ctx context.Context, args *value.Object) (*value.Object, error) {
	v, _ := args.Get("url")
	address, _ := v.(string)
	v, _ = args.Get("from_character")
	from, _ := v.(int)
	reply, err := h.bodies.HTTP(ctx, &tool.Request{Method: "GET", URL: strings.TrimSpace(address)})
	var refusal *RefusedError
	if errors.As(err, &refusal) {
		return nil, &tool.Error{Tool: h.name, Text: fmt.Sprintf("%s is %s; only the public internet can be read", refusal.Addr, refusal.Why), Err: err}
	}
	if err != nil {
		return nil, &tool.Error{Tool: h.name, Text: err.Error(), Err: err}
	}
	text := string(reply.Body)
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		if kind, _, _ := strings.Cut(reply.Type, "/"); kind != "text" {
			return nil, &tool.Error{Tool: h.name, Text: fmt.Sprintf("the answer is no text but %s", orUnknown(reply.Type))}
		}
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	all := []rune(text)
	from = min(max(from, 0), len(all))
	to := min(from+maxText, len(all))
	var next any
	if to < len(all) {
		next = to
	}
	return value.NewObject("status", reply.Status, "text", string(all[from:to]), "next_character", next), nil
}

func orUnknown(kind string) string {
	if kind == "" {
		return "of a kind that it does not say"
	}
	return kind
}

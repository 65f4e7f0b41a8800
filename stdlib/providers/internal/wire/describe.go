package wire

import (
	"context"
	"net/http"
	"slices"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// described gives the request to who asked for its description in place of its
// reply: see lm.Describe. It returns nil when nobody did. A signature is no part of
// it: it holds for minutes only.
func (e *Endpoint) described(ctx context.Context, req *http.Request, payload []byte) error {
	return lm.Described(ctx, func() *lm.HTTPRequest {
		d := &lm.HTTPRequest{Method: req.Method, URL: e.target.String(), Body: payload}
		for name, values := range req.Header {
			if name == "User-Agent" || name == "Accept" {
				continue
			}
			for _, v := range values {
				d.Header = append(d.Header, name+": "+v)
			}
		}
		slices.Sort(d.Header)
		return d
	})
}

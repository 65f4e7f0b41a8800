package lm

import (
	"sync"
	"unicode/utf8"
)

// pieces watches over the pieces of one call that may be sent several times.
type pieces struct {
	req *Request

	mu    sync.Mutex
	runes int // in the pieces since the last Restart
	any   bool
}

func newPieces(req *Request) *pieces { return &pieces{req: req} }

// request returns the request to send: the caller's, and one that counts its pieces
// when there is somebody to give them to.
func (p *pieces) request() *Request {
	if p.req.OnDelta == nil {
		return p.req
	}
	c := *p.req
	c.OnDelta = func(d Delta) {
		p.mu.Lock()
		if d.Restart {
			p.runes, p.any = 0, false
		}
		p.runes += utf8.RuneCountInString(d.Text) + utf8.RuneCountInString(d.Reasoning)
		p.any = p.any || d.Text != "" || d.Reasoning != ""
		p.mu.Unlock()
		p.req.OnDelta(d)
	}
	return &c
}

// given reports whether pieces were given that count.
func (p *pieces) given() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.any
}

// restart takes back what was given, before the call is sent again.
func (p *pieces) restart() {
	if !p.given() {
		return
	}
	p.mu.Lock()
	p.runes, p.any = 0, false
	p.mu.Unlock()
	p.req.OnDelta(Delta{Restart: true})
}

// spent estimates what a request has used that broke off after the pieces.
func (p *pieces) spent(address string) Spent {
	u := EstimateUsage(p.req.Messages, "")
	p.mu.Lock()
	u.OutputTokens = (p.runes + 3) / 4
	p.mu.Unlock()
	return Spent{Address: address, Usage: u}
}

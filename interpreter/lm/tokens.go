package lm

import (
	"math"
	"unicode/utf8"
)

// Before a request is sent, its tokens are estimated: to keep within a limit per
// minute, to reserve a budget, to compare prices. Such an estimate should rather be
// too high, and it is corrected when the reply says what was used.

// AssumedOutput is how many tokens a reply is taken to have at most, before it
// comes, when max_tokens is not set.
const AssumedOutput = 4096

// EstimateInput returns about how many tokens the provider will count for a
// request, rather too many: three characters of ASCII a token and one of any other
// script, a few for each message, and 1,500 for a picture, sound or document.
func EstimateInput(req *Request) int {
	n := 0
	text := func(s string) {
		ascii := 0
		if utf8.RuneCountInString(s) == len(s) {
			ascii = len(s)
		} else {
			for _, r := range s {
				if r < utf8.RuneSelf {
					ascii++
				} else {
					n++
				}
			}
		}
		n += (ascii + 2) / 3
	}
	for _, m := range req.Messages {
		n += 4
		if m.Parts == nil {
			text(m.Content)
		}
		for _, p := range m.Parts {
			text(p.Text)
			if p.Media != nil {
				n += 1500
			}
		}
		for _, c := range m.ToolCalls {
			text(c.Name)
			text(string(c.Arguments))
		}
	}
	for _, t := range req.Tools {
		text(t.Name)
		text(t.Description)
		text(string(t.Parameters))
	}
	if req.Format != nil {
		text(string(req.Format.Schema))
	}
	return n
}

// maxOutput is how many tokens the reply to a request is taken to have at most.
func maxOutput(req *Request) int {
	if req.MaxTokens != nil {
		return *req.MaxTokens
	}
	return AssumedOutput
}

// learned is a quantity of which each observation is a sample: its average, and how
// far samples lie from it on average, both of the last ten or so.
type learned struct {
	mean, spread float64
	seen         bool
}

// add takes a sample.
func (l *learned) add(x float64) {
	if !l.seen {
		l.mean, l.spread, l.seen = x, x/4, true
		return
	}
	l.spread = 0.9*l.spread + 0.1*math.Abs(x-l.mean)
	l.mean = 0.9*l.mean + 0.1*x
}

// high returns what a sample seldom exceeds: the average and twice the spread, or
// unknown before the first sample.
func (l *learned) high(unknown float64) float64 {
	if !l.seen {
		return unknown
	}
	return l.mean + 2*l.spread
}

package interpreter

import (
	"context"
	"errors"
	"fmt"

	"github.com/dspi-lang/dspi/interpreter/journal"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/value"
)

// Every answer that a run gets from outside passes here: the journal is asked
// first, and told before the answer is used.

// generate is lm.LM.Generate with the journal around it.
func (h *host) generate(ctx context.Context, m lm.LM, req *lm.Request) (*lm.Response, error) {
	j := h.run.journal
	if j == nil {
		return m.Generate(ctx, req)
	}
	if e := lm.ContextError(ctx, m.Address()); e != nil {
		return nil, e
	}
	hash := journal.Request(m.Address(), req)
	kept, err := j.Find(ctx, h.path, hash)
	if err != nil {
		return nil, fmt.Errorf("the journal of the run cannot be read: %w", err)
	}
	if kept != nil {
		if reply, err := journal.DecodeReply(kept.Data); err == nil {
			if req.OnDelta != nil {
				req.OnDelta(lm.Delta{Text: reply.Text, Reasoning: reply.Reasoning})
			}
			return reply, nil
		}
	}
	reply, err := m.Generate(ctx, req)
	if err != nil {
		return nil, err
	}
	data, err := journal.EncodeReply(reply)
	if err != nil {
		return reply, nil // what JSON cannot hold is not kept
	}
	if err := j.Write(ctx, h.path, hash, journal.Model, data); err != nil {
		return nil, fmt.Errorf("the journal of the run cannot be written: %w", err)
	}
	return reply, nil
}

// keptCall is tool.Tool.Call with a person's leave and the journal around it.
func (h *host) keptCall(ctx context.Context, t tool.Tool, args *value.Object) (*value.Object, error) {
	j := h.run.journal
	hash := journal.Call(journal.Tool, t.Name(), args)
	kept, err := j.Find(ctx, h.path, hash)
	if err != nil {
		return nil, fmt.Errorf("the journal of the run cannot be read: %w", err)
	}
	if kept != nil {
		if was, err := journal.DecodeOutcome(kept.Data); err == nil {
			if was.Outputs == nil {
				return nil, &tool.Error{Tool: t.Name(), Text: was.Error}
			}
			return was.Outputs, nil
		}
	}
	if err := h.approved(ctx, t, args); err != nil {
		return nil, err
	}
	out, err := t.Call(ctx, args)
	was := journal.Outcome{Outputs: out}
	if err != nil {
		if ctx.Err() != nil || tool.Ends(err) {
			return nil, err
		}
		was = journal.Outcome{Error: err.Error()}
		var told *tool.Error
		if errors.As(err, &told) {
			was.Error = told.Text
		}
	}
	if j == nil {
		return out, err
	}
	if data, bad := journal.EncodeOutcome(was); bad == nil {
		if werr := j.Write(ctx, h.path, hash, journal.Tool, data); werr != nil {
			return nil, fmt.Errorf("the journal of the run cannot be written: %w", werr)
		}
	}
	return out, err
}

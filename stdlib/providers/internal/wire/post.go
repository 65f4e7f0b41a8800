package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// buffers are what requests are written and replies are read into before they are
// copied at their exact length.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxKept is the size from which a buffer is not kept for another call.
const maxKept = 1 << 20

func release(b *bytes.Buffer) {
	if b.Cap() <= maxKept {
		b.Reset()
		buffers.Put(b)
	}
}

// Post sends body as JSON in one request and returns the reply of a success: a
// complete JSON object. Every failure is an *lm.Error.
func (e *Endpoint) Post(ctx context.Context, body any) (json.RawMessage, error) {
	raw, _, err := e.post(ctx, body, nil)
	return raw, err
}

// Do is Post that also decodes the reply into v. what names the reply in the failure
// of one that does not fit: "chat completion".
func (e *Endpoint) Do(ctx context.Context, body any, what string, v any) (json.RawMessage, error) {
	raw, misfit, err := e.post(ctx, body, v)
	if misfit != nil {
		return nil, e.Malformed(raw, "the reply is no "+what, misfit)
	}
	return raw, err
}

// post sends body and reads the reply, into v if that is not nil. misfit is why a
// JSON object does not fit v.
func (e *Endpoint) post(ctx context.Context, body, v any) (raw json.RawMessage, misfit, err error) {
	resp, err := e.send(ctx, body, "")
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	return e.read(ctx, resp, v)
}

// send makes one request and returns a success, whose body is not yet read. accept
// is what the reply may be; "" for JSON.
func (e *Endpoint) send(ctx context.Context, body any, accept string) (*http.Response, error) {
	if e.keyless {
		return nil, e.NoKey()
	}
	payload, err := encode(body)
	if err != nil {
		return nil, e.Fail(lm.KindRequest, "the request cannot be written as JSON", err)
	}
	req := (&http.Request{
		Method: http.MethodPost, URL: e.target, Host: e.target.Host, Header: e.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(payload)), ContentLength: int64(len(payload)),
		// A connection that was closed while it was idle is replaced by another.
		GetBody: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(payload)), nil },
	}).WithContext(ctx)
	// The header is every request's own where somebody else may write to it.
	if accept != "" || e.foreign || e.sign != nil {
		req.Header = e.header.Clone()
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	if err := e.described(ctx, req, payload); err != nil {
		return nil, err
	}
	if e.sign != nil {
		if err := e.sign(req, payload); err != nil {
			return nil, e.Fail(lm.KindAuth, "the request cannot be signed: "+err.Error(), err)
		}
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return nil, e.unreached(ctx, err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return resp, nil
	}
	defer resp.Body.Close()
	// The status says what happened, so a body that breaks off is no second failure.
	said, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	if end := e.ended(ctx); end != nil {
		return nil, end
	}
	return nil, e.refused(resp, said)
}

// encode writes v as JSON without escaping <, > and &: prompts are full of them. A
// transport may read what it sends after the reply has come, so the text is not in a
// buffer that is used again.
func encode(v any) ([]byte, error) {
	b := buffers.Get().(*bytes.Buffer)
	defer release(b)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.Clone(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// read returns the body of a success, decoded into v if that is not nil, or how it
// is not what was promised.
func (e *Endpoint) read(ctx context.Context, resp *http.Response, v any) (raw json.RawMessage, misfit, err error) {
	if resp.ContentLength > MaxReply {
		return nil, nil, e.tooLong(resp)
	}
	b := buffers.Get().(*bytes.Buffer)
	defer release(b)
	if _, err := b.ReadFrom(io.LimitReader(resp.Body, MaxReply+1)); err != nil {
		return nil, nil, e.brokeOff(ctx, resp, err, b.Len(), b.Bytes())
	}
	body := b.Bytes()
	if len(body) > MaxReply {
		return nil, nil, e.tooLong(resp)
	}
	if kind := resp.Header.Get("Content-Type"); !isJSON(kind) {
		return nil, nil, e.foreignType(resp, kind, "JSON", body)
	}
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return nil, nil, e.reply(resp, "the reply is empty", nil, nil)
	}
	if v == nil {
		v = new(json.RawMessage)
	}
	err = json.Unmarshal(trimmed, v)
	if _, broken := errors.AsType[*json.SyntaxError](err); broken {
		return nil, nil, e.reply(resp, "the reply is not whole JSON", body, err)
	}
	if trimmed[0] != '{' {
		return nil, nil, e.reply(resp, "the reply is JSON, but not an object", body, nil)
	}
	if kept, ok := v.(*json.RawMessage); ok {
		return *kept, nil, nil
	}
	return bytes.Clone(trimmed), err, nil
}

// tooLong is the failure of a reply over MaxReply.
func (e *Endpoint) tooLong(resp *http.Response) *lm.Error {
	return e.reply(resp, fmt.Sprintf("the reply is longer than %d MB", MaxReply>>20), nil, nil)
}

// brokeOff is the failure of a success whose body ended with err after n bytes; start
// is what came first.
func (e *Endpoint) brokeOff(ctx context.Context, resp *http.Response, err error, n int, start []byte) *lm.Error {
	if end := e.ended(ctx); end != nil {
		return end
	}
	if isTimeout(err) {
		return e.Fail(lm.KindTimeout, "no whole reply within the time limit of the HTTP client", err)
	}
	return e.reply(resp, fmt.Sprintf("the reply broke off after %d bytes", n), start, err)
}

// foreignType is the failure of a success with a content type that no model's reply has.
func (e *Endpoint) foreignType(resp *http.Response, kind, wanted string, body []byte) *lm.Error {
	return e.reply(resp, fmt.Sprintf("the reply is %s where %s was expected; does base_url point at the right server?", quoteType(kind), wanted), body, nil)
}

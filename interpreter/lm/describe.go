package lm

import (
	"context"
	"errors"
	"fmt"
)

// HTTPRequest is a request as a provider sends it over HTTP.
type HTTPRequest struct {
	Method string
	URL    string
	Header []string // `Content-Type: application/json`, in alphabetical order
	Body   []byte
}

// errDescribed is the error of a request that was described and not sent.
var errDescribed = errors.New("the request was described, not sent")

type describeKey struct{}

// Describe returns the request that m would send for req, and sends nothing: the
// key in it is the one that m was made with. The error says that m makes no
// request, or why it makes none for req.
func Describe(ctx context.Context, m LM, req *Request) (*HTTPRequest, error) {
	var described *HTTPRequest
	ctx = context.WithValue(ctx, describeKey{}, func(r *HTTPRequest) { described = r })
	_, err := m.Generate(ctx, req)
	switch {
	case described != nil:
		return described, nil
	case err != nil:
		return nil, err
	}
	return nil, fmt.Errorf("%s answers without a request over HTTP", m.Address())
}

// Described is for providers: where ctx asks for a description, it gives it the
// one that describe returns, and an error that Generate returns in place of a
// reply; else nil.
func Described(ctx context.Context, describe func() *HTTPRequest) error {
	if take, ok := ctx.Value(describeKey{}).(func(*HTTPRequest)); ok {
		take(describe())
		return errDescribed
	}
	return nil
}

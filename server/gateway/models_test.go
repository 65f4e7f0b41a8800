package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
	"github.com/dspi-lang/dspi/server/gateway"
	"github.com/dspi-lang/dspi/stdlib/providers/builtin"
)

const token = "test-token"

// echo answers with what it was asked: so that a test sees what the gateway made
// of a request.
func echo(_ context.Context, _ int, req *lm.Request) (*lm.Response, error) {
	last := req.Messages[len(req.Messages)-1]
	resp := &lm.Response{Finish: lm.FinishStop, Usage: lm.Usage{InputTokens: 10, OutputTokens: 5}}
	switch {
	case len(req.Tools) > 0 && req.ToolChoice == "required":
		resp.Finish = lm.FinishTools
		resp.ToolCalls = []lm.ToolCall{{ID: "call_1", Name: req.Tools[0].Name, Arguments: json.RawMessage(`{"city": "Oslo"}`)}}
	case req.Format != nil && req.Format.Schema != nil:
		resp.Text = `{"word": "hello"}`
	case last.Role == lm.ToolRole:
		asked := req.Messages[len(req.Messages)-2]
		resp.Text = fmt.Sprintf("%s(%s) is %s", asked.ToolCalls[0].Name, asked.ToolCalls[0].Arguments, last.Content)
	default:
		var b strings.Builder
		fmt.Fprintf(&b, "%s %s", last.Role, last.Text())
		for _, p := range last.Parts {
			if p.Media != nil {
				fmt.Fprintf(&b, " [%d bytes]", len(p.Media.Data))
			}
		}
		if p := req.Params; p.Temperature != nil {
			fmt.Fprintf(&b, " %v %v %v %v", *p.Temperature, *p.MaxTokens, p.Stop, *p.Seed)
		}
		resp.Text = b.String()
	}
	if req.OnDelta != nil {
		for _, word := range strings.SplitAfter(resp.Text, " ") {
			req.OnDelta(lm.Delta{Text: word})
		}
	}
	return resp, nil
}

func failing(e lm.Error) lm.LM {
	return lmtest.Func(func(context.Context, int, *lm.Request) (*lm.Response, error) {
		e.Model = "test/failing"
		return nil, &e
	})
}

// serve starts a gateway over models that answer, and that fail in each way.
func serve(t testing.TB, done func(gateway.Done)) *httptest.Server {
	t.Helper()
	baseline, err := builtin.New(builtin.Name)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(gateway.New([]gateway.Model{
		{Name: "echo", LM: lmtest.Func(echo)},
		{Name: "limited", LM: failing(lm.Error{Kind: lm.KindRateLimit, Status: 429, Message: "slow down", RetryAfter: 1500 * time.Millisecond})},
		{Name: "slow", LM: failing(lm.Error{Kind: lm.KindTimeout, Message: "no whole reply within 1s"})},
		{Name: "broken", LM: failing(lm.Error{Kind: lm.KindUnreachable, Message: "connection refused"})},
		{Name: "builtin/incontext", LM: baseline},
	}, token, done))
	t.Cleanup(s.Close)
	return s
}

// clientCases are what every client must get, as JSON without space.
var clientCases = map[string]string{
	"models":      `["echo","limited","slow","broken","builtin/incontext"]`,
	"chat":        `{"text":"user say hello 0.5 50 [END] 7","finish":"stop","tokens":15}`,
	"n":           `[0,1,2]`,
	"stream":      `{"text":"user say hello","several":true,"tokens":15}`,
	"json_schema": `{"word":"hello"}`,
	"tool":        `{"name":"weather","arguments":{"city":"Oslo"},"finish":"tool_calls"}`,
	"tool result": `"weather({\"city\": \"Oslo\"}) is sunny"`,
	"tool stream": `{"names":["weather"],"arguments":{"city":"Oslo"}}`,
	"image":       `"user look: <image image/png> [8 bytes]"`,

	"wrong token":   `{"class":"AuthenticationError","status":401,"code":"invalid_api_key"}`,
	"unknown model": `{"class":"NotFoundError","status":404,"code":"model_not_found"}`,
	"bad request":   `{"class":"BadRequestError","status":400,"code":null}`,
	"unsupported":   `{"class":"BadRequestError","status":400,"code":"unsupported_parameter"}`,
	"rate limit":    `{"class":"RateLimitError","status":429,"code":"rate_limit"}`,
	"timeout":       `{"class":"InternalServerError","status":504,"code":"timeout"}`,
	"broken":        `{"class":"InternalServerError","status":502,"code":"unreachable"}`,
	"no schema":     `{"class":"BadRequestError","status":400,"code":null}`,
}

package mcp_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/check"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/parser"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/dspi-lang/dspi/stdlib/tools/mcp"
)

// serverVar makes the test binary a server over stdio.
const serverVar = "DSPI_TEST_MCP_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serverVar) != "" {
		fmt.Fprintln(os.Stderr, "the server is here")
		_ = newServer(nil).Run(context.Background(), &sdk.StdioTransport{})
		return
	}
	// A session that a client has left stays in the SDK's server, which is of the test.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/modelcontextprotocol/go-sdk/mcp.(*streamableServerConn).Read"))
}

type forecastIn struct {
	City string `json:"city" jsonschema:"the name of a city"`
	Days int    `json:"days,omitempty"`
}

type forecastOut struct {
	Celsius []float64 `json:"celsius"`
	Sky     string    `json:"sky"`
}

// newServer is a server of the official SDK. What hangs in it ends with over.
func newServer(over <-chan struct{}) *sdk.Server {
	s := sdk.NewServer(&sdk.Implementation{Name: "weather", Version: "1"}, nil)
	sdk.AddTool(s, &sdk.Tool{Name: "forecast", Description: "Forecast for a city."}, func(_ context.Context, _ *sdk.CallToolRequest, in forecastIn) (*sdk.CallToolResult, forecastOut, error) {
		if in.City == "Atlantis" {
			return nil, forecastOut{}, errors.New("no city is called Atlantis")
		}
		return nil, forecastOut{Celsius: []float64{7.5, 8}, Sky: "clear over " + in.City}, nil
	})
	sdk.AddTool(s, &sdk.Tool{Name: "say-hello"}, func(context.Context, *sdk.CallToolRequest, struct{}) (*sdk.CallToolResult, any, error) {
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: "hello"}, &sdk.TextContent{Text: "there"}}}, nil, nil
	})
	sdk.AddTool(s, &sdk.Tool{Name: "die"}, func(context.Context, *sdk.CallToolRequest, struct{}) (*sdk.CallToolResult, any, error) {
		fmt.Fprintln(os.Stderr, "out of memory")
		os.Exit(3)
		return nil, nil, nil
	})
	sdk.AddTool(s, &sdk.Tool{Name: "hang"}, func(ctx context.Context, _ *sdk.CallToolRequest, _ struct{}) (*sdk.CallToolResult, any, error) {
		select {
		case <-ctx.Done():
		case <-over:
		}
		return nil, nil, errors.New("hung")
	})
	return s
}

// remotes are the ways to the same server.
// release ends what hangs in them.
func remotes(t *testing.T) (ways map[string]func(name string, pairs ...any) *tool.Remote, release func()) {
	over := make(chan struct{})
	release = sync.OnceFunc(func() { close(over) })
	handler := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return newServer(over) }, nil)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer a-key" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { release(); s.Close() })
	ways = map[string]func(string, ...any) *tool.Remote{
		"stdio": func(name string, pairs ...any) *tool.Remote {
			return &tool.Remote{Argv: []string{os.Args[0]}, Env: []tool.Pair{{Name: serverVar, Value: "1"}}, Name: name, Args: value.NewObject(pairs...)}
		},
		"http": func(name string, pairs ...any) *tool.Remote {
			return &tool.Remote{URL: s.URL, Headers: []tool.Pair{{Name: "Authorization", Value: "Bearer a-key"}}, Name: name, Args: value.NewObject(pairs...)}
		},
	}
	return ways, release
}

func newServers(t *testing.T) *mcp.Servers {
	s := &mcp.Servers{Version: "test"}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestCall(t *testing.T) {
	ways, _ := remotes(t)
	for way, remote := range ways {
		t.Run(way, func(t *testing.T) {
			s := newServers(t)
			got, err := s.Call(t.Context(), remote("forecast", "city", "Oslo"))
			if err != nil {
				t.Fatal(err)
			}
			if text := string(value.EncodeJSON(got)); text != `{"celsius":[7.5,8],"sky":"clear over Oslo"}` {
				t.Errorf("the forecast is %s", text)
			}
			if got, err := s.Call(t.Context(), remote("say-hello")); got != "hello\nthere" || err != nil {
				t.Errorf("hello is %v, %v", got, err)
			}
			for name, test := range map[string]struct {
				remote *tool.Remote
				want   string
			}{
				"the tool fails": {remote("forecast", "city", "Atlantis"), "no city is called Atlantis"},
				"no such tool":   {remote("forcast"), "did you mean forecast?"},
				"wrong argument": {remote("forecast", "city", 5), "city"},
			} {
				_, err := s.Call(t.Context(), test.remote)
				var told *tool.Error
				if !errors.As(err, &told) || !strings.Contains(told.Text, test.want) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// TestShared starts one server for calls at the same time.
func TestShared(t *testing.T) {
	handler := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return newServer(nil) }, nil)
	h := httptest.NewServer(handler)
	defer h.Close()
	s := newServers(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := s.Call(t.Context(), &tool.Remote{URL: h.URL, Name: "forecast", Args: value.NewObject("city", "Oslo")}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if tools, err := s.Tools(t.Context(), &tool.Remote{URL: h.URL}); err != nil || len(tools) != 4 {
		t.Errorf("%d tools, %v", len(tools), err)
	}
	if n := len(s.Sessions()); n != 1 {
		t.Errorf("%d servers were started", n)
	}
}

// TestGone: a server that ends in a call says so, and the next call starts another.
func TestGone(t *testing.T) {
	s := newServers(t)
	ways, _ := remotes(t)
	remote := ways["stdio"]
	_, err := s.Call(t.Context(), remote("die"))
	var told *tool.Error
	if !errors.As(err, &told) || !strings.Contains(told.Text, "out of memory") {
		t.Errorf("got %v", err)
	}
	if _, err := s.Call(t.Context(), remote("forecast", "city", "Oslo")); err != nil {
		t.Errorf("the next call: %v", err)
	}
}

// TestNoServer: what cannot be started says why.
func TestNoServer(t *testing.T) {
	s := newServers(t)
	ways, _ := remotes(t)
	for name, r := range map[string]*tool.Remote{
		"no such program": {Argv: []string{"dspi-no-such-server"}, Name: "x"},
		"not a server":    {Argv: []string{"sh", "-c", "echo no license >&2; exit 1"}, Name: "x"},
		"wrong key":       {URL: ways["http"]("x").URL, Headers: []tool.Pair{{Name: "Authorization", Value: "Bearer another"}}, Name: "x"},
	} {
		r.Args = &value.Object{}
		_, err := s.Call(t.Context(), r)
		if err == nil || strings.Contains(err.Error(), "Bearer another") {
			t.Errorf("%s: %v", name, err)
		}
		if name == "not a server" && !strings.Contains(err.Error(), "no license") {
			t.Errorf("%s: what it wrote is not told: %v", name, err)
		}
	}
}

// TestTimeout ends a call that hangs, and one whose run is cancelled.
func TestTimeout(t *testing.T) {
	all, release := remotes(t)
	for way, remote := range all {
		s := newServers(t)
		t.Cleanup(release)
		if _, err := s.Call(t.Context(), remote("say-hello")); err != nil {
			t.Fatal(err)
		}
		r := remote("hang")
		r.Timeout = 50 * time.Millisecond
		if _, err := s.Call(t.Context(), r); err == nil || !strings.Contains(err.Error(), "did not answer within 50ms") {
			t.Errorf("%s: %v", way, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Call(ctx, remote("hang")); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: %v", way, err)
		}
	}
}

// TestDeclare writes a server's tools as blocks that check.
func TestDeclare(t *testing.T) {
	s := newServers(t)
	ways, _ := remotes(t)
	tools, err := s.Tools(t.Context(), ways["stdio"](""))
	if err != nil {
		t.Fatal(err)
	}
	tools = append(tools, &sdk.Tool{Name: "rich", Description: `Says "${x}"`, InputSchema: map[string]any{
		"type": "object", "required": []any{"level", "tree"},
		"$defs": map[string]any{"node": map[string]any{"type": "object", "properties": map[string]any{"kids": map[string]any{"type": "array", "items": map[string]any{"$ref": "#/$defs/node"}}}}},
		"properties": map[string]any{
			"level": map[string]any{"enum": []any{"low", "high"}, "description": "how much"},
			"count": map[string]any{"type": "integer", "minimum": 1, "maximum": 9},
			"when":  map[string]any{"type": []any{"string", "null"}, "format": "date"},
			"size":  map[string]any{"anyOf": []any{map[string]any{"type": "number"}, map[string]any{"type": "string"}}},
			"tags":  map[string]any{"type": "object", "additionalProperties": map[string]any{"type": "string"}},
			"tree":  map[string]any{"$ref": "#/$defs/node"},
		},
	}})
	text, err := mcp.Declare(tools, `command = ["weather-server"]`)
	if err != nil {
		t.Fatal(err)
	}
	if _, diags := check.Check(parser.Parse(source.NewFile("tools.dsp", text)), check.Options{Universe: stdlib.Universe()}); diags.HasErrors() {
		t.Errorf("%v\n%s", diags, text)
	}
	for _, want := range []string{
		"city: string  \"the name of a city\"", "days: int?", "celsius: list[float]", "tool say_hello {", `tool = "say-hello"`, "result: string",
		`level: "low" | "high"  "how much"`, "count: int(min = 1, max = 9)?", "when: date?", "size: float | string?", "tags: map[string, string]?", `Says \"$${x}\"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

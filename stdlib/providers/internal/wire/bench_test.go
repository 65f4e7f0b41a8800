package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type benchRequest struct {
	Model    string         `json:"model"`
	Messages []benchMessage `json:"messages"`
}

type benchMessage struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type benchReply struct {
	Model   string `json:"model"`
	Choices []struct {
		Message benchMessage `json:"message"`
	} `json:"choices"`
	Usage struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
	} `json:"usage"`
}

// BenchmarkPost measures a call of an endpoint beside one of a plain net/http client
// with encoding/json, against the same server: one after another, 256 at once, and
// 10,000 by 1,000 callers of a server that takes 200 ms (an op is all of them).
func BenchmarkPost(b *testing.B) {
	reply, _ := json.Marshal(map[string]any{
		"id": "chatcmpl-1", "model": "m", "choices": []any{map[string]any{"index": 0, "finish_reason": "stop",
			"message": benchMessage{"assistant", strings.Repeat("The capital of France is Paris. ", 30)}}},
		"usage": map[string]any{"prompt_tokens": 11, "completion_tokens": 7},
	})
	var wait atomic.Int64 // before the answer
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if d := time.Duration(wait.Load()); d > 0 {
			<-time.After(d)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(reply)
	}))
	defer s.Close()
	body := benchRequest{"m", []benchMessage{{"system", strings.Repeat("Be brief. ", 100)}, {"user", "What is the capital of <France>?"}}}
	e, err := New(Options{Address: "test/m", BaseURL: s.URL, Key: "a-key-for-tests", KeyHeader: "Authorization", KeyPrefix: "Bearer "})
	if err != nil {
		b.Fatal(err)
	}
	plain := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4096}}
	for name, call := range map[string]func(ctx context.Context) error{
		"endpoint": func(ctx context.Context) error {
			var r benchReply
			_, err := e.Do(ctx, &body, "chat completion", &r)
			return err
		},
		"plain": func(ctx context.Context) error {
			payload, err := json.Marshal(&body)
			if err != nil {
				return err
			}
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(payload))
			if err != nil {
				return err
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer a-key-for-tests")
			resp, err := plain.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			raw, err := io.ReadAll(resp.Body)
			if err != nil {
				return err
			}
			var r benchReply
			return json.Unmarshal(raw, &r)
		},
	} {
		b.Run(name+"/one", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := call(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/256", func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(128)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := call(b.Context()); err != nil {
						b.Error(err)
					}
				}
			})
		})
		b.Run(name+"/10000", func(b *testing.B) {
			wait.Store(int64(200 * time.Millisecond))
			defer wait.Store(0)
			for b.Loop() {
				var all sync.WaitGroup
				for range 1000 {
					all.Go(func() {
						for range 10 {
							if err := call(b.Context()); err != nil {
								b.Error(err)
							}
						}
					})
				}
				all.Wait()
			}
		})
	}
	plain.CloseIdleConnections()
}

// BenchmarkEvents measures the reading of a stream of 1,000 events, without the network.
func BenchmarkEvents(b *testing.B) {
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"piece %d\"}}]}\n\n", i)
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		l := &lines{r: strings.NewReader(text.String())}
		n := 0
		if err := l.events(func(string, []byte) error { n++; return nil }); err != nil || n != 1000 {
			b.Fatal(n, err)
		}
	}
}

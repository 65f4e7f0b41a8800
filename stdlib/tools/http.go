package tools

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/tool"
)

// maxRedirects is how many redirects a request follows.
const maxRedirects = 5

// HTTP sends a request: to the public internet only, unless AllowPrivate is set,
// never through a proxy, and with at most five redirects. What was declared for a
// host goes to no other: neither headers nor a body.
func (b *Bodies) HTTP(ctx context.Context, r *tool.Request) (*tool.Reply, error) {
	timeout := or(r.Timeout, DefaultTimeout)
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	reply, err := b.send(within, r)
	switch {
	case err == nil:
		return reply, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case within.Err() != nil:
		return nil, fmt.Errorf("%s gave no whole reply within %s", shown(r), timeout)
	}
	var refusal *RefusedError
	if errors.As(err, &refusal) {
		return nil, fmt.Errorf("%s: %w", shown(r), refusal)
	}
	var sent *url.Error
	if errors.As(err, &sent) { // its text has the whole URL
		err = sent.Err
	}
	return nil, fmt.Errorf("%s: %w", shown(r), err)
}

func or[T int | time.Duration](n, otherwise T) T {
	if n > 0 {
		return n
	}
	return otherwise
}

// shown names a request without what may be secret in its URL.
func shown(r *tool.Request) string {
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" {
		return r.Method
	}
	return r.Method + " " + u.Scheme + "://" + u.Host + u.EscapedPath()
}

func (b *Bodies) send(ctx context.Context, r *tool.Request) (*tool.Reply, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, errors.New("the URL cannot be read")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("a URL begins with `https://` or `http://` and a host")
	}
	var body io.Reader
	if r.Body != nil {
		body = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "dspi")
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, "Host") {
			req.Host = h.Value
			continue
		}
		req.Header.Set(h.Name, h.Value)
	}
	resp, err := b.client(r.AllowPrivate).Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	limit := or(r.MaxBytes, DefaultMaxBytes)
	text, err := io.ReadAll(io.LimitReader(resp.Body, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("the reply ends too early: %w", err)
	}
	if len(text) > limit {
		return nil, fmt.Errorf("the reply has more than %d bytes; `max_bytes` allows more", limit)
	}
	reply := &tool.Reply{Status: resp.StatusCode, Body: text}
	reply.Type, _, _ = mime.ParseMediaType(resp.Header.Get("Content-Type"))
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		reply.Headers = append(reply.Headers, tool.Pair{Name: strings.ToLower(name), Value: strings.Join(resp.Header[name], ", ")})
	}
	return reply, nil
}

// client returns the client for requests that may, or may not, go to private
// networks. Connections of the one are never used by the other.
func (b *Bodies) client(private bool) *http.Client {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c, ok := b.clients[private]; ok {
		return c
	}
	d := &net.Dialer{Timeout: 15 * time.Second, Resolver: b.Resolver}
	if !private {
		d.Control = public
	}
	c := &http.Client{CheckRedirect: redirected, Transport: &http.Transport{
		DialContext: d.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 15 * time.Second,
		MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}}
	if b.clients == nil {
		b.clients = map[bool]*http.Client{}
	}
	b.clients[private] = c
	return c
}

// redirected looks at a redirect before it is followed.
func redirected(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("the server redirects more than %d times", maxRedirects)
	}
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return fmt.Errorf("the server redirects to an address that begins with `%s:`", req.URL.Scheme)
	}
	first := via[0]
	if req.URL.Host == first.URL.Host && (req.URL.Scheme == first.URL.Scheme || req.URL.Scheme == "https") {
		return nil
	}
	if req.Body != nil {
		return errors.New("the server redirects to another host, which would be sent the body")
	}
	req.Header = http.Header{"User-Agent": {"dspi"}}
	req.Host = ""
	return nil
}

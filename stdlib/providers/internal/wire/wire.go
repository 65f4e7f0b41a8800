// Package wire is what the providers that speak JSON over HTTP have in common: one
// POST, the reply read whole, and every way that it can fail told as an *lm.Error.
//
//	Endpoint   where a model is asked: URL, headers, secrets (wire.go)
//	Post       one request, one reply; redirects are not followed (wire.go)
//	failures   statuses, Retry-After, broken and foreign replies (failure.go)
//	scrub      what keeps keys out of messages (scrub.go)
//
// What the dialects differ in (bodies, and where a message stands in an error)
// stays with each provider.
package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// MaxReply is the longest reply that is read, in bytes after decompression.
const MaxReply = 32 << 20

// maxErrorBody is how much of an error reply is read: enough for any message.
const maxErrorBody = 64 << 10

// Endpoint is where one model is asked. It does not change once made and is safe
// for use by many goroutines.
type Endpoint struct {
	address  string
	target   string // the URL that is asked
	shown    string // the URL for people: no user, no query
	header   http.Header
	client   *http.Client
	keyed    bool
	keyName  string
	secrets  []string
	complain func(body []byte) Complaint
}

// Complaint is what an error reply says, in any dialect.
type Complaint struct {
	Message string
	// Final says that waiting does not help although the status looks as if it
	// might: an exhausted quota, for example.
	Final bool
}

// Options describes an Endpoint.
type Options struct {
	Address string       // the LM's address, for errors
	BaseURL string       // as the user wrote it
	Path    []string     // what is joined to it
	Header  http.Header  // sent with every request, the key included
	Key     string       // kept out of every error
	KeyName string       // the environment variable that usually holds it, for messages
	Client  *http.Client // nil for the shared one; its redirect policy is not used
	// Complain reads the provider's error format. It returns a zero Complaint when body is not in it.
	Complain func(body []byte) Complaint
}

// New checks o. It returns an error that says what is wrong with the base URL or
// the key, without repeating either's secrets.
func New(o Options) (*Endpoint, error) {
	u, err := url.Parse(o.BaseURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the base_url of %s is not a URL like https://host/path (it must begin with http:// or https:// and name a host)", o.Address)
	}
	for _, r := range o.Key {
		if r <= ' ' || r > '~' {
			return nil, fmt.Errorf("the key for %s holds a blank, a line break or another character that no key has; was it copied whole?", o.Address)
		}
	}
	target := u.JoinPath(o.Path...)
	target.Fragment = ""
	e := &Endpoint{
		address:  o.Address,
		target:   target.String(),
		shown:    shown(target),
		header:   o.Header.Clone(),
		client:   shared(),
		keyed:    o.Key != "",
		keyName:  o.KeyName,
		secrets:  secretsOf(o.Key, target),
		complain: o.Complain,
	}
	if e.header == nil {
		e.header = http.Header{}
	}
	e.header.Set("Content-Type", "application/json")
	e.header.Set("Accept", "application/json")
	e.header.Set("User-Agent", "dspi")
	if o.Client != nil {
		c := *o.Client
		c.CheckRedirect = stay
		e.client = &c
	}
	return e, nil
}

// shown returns u as people may see it: without user, query and fragment.
func shown(u *url.URL) string {
	c := *u
	c.User, c.RawQuery, c.ForceQuery, c.Fragment, c.RawFragment = nil, "", false, "", ""
	return c.String()
}

// stay makes a client return a redirect instead of following it: one Generate is
// one request, and a key goes to the host it was given for and to no other.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// shared returns the client of all providers that are not given one. It keeps as many
// idle connections as calls ran at once, so that a thousand concurrent calls do not
// open a thousand new ones again and again. It has no timeout of its own: the
// context's and the model's decide.
var shared = sync.OnceValue(func() *http.Client {
	return &http.Client{
		CheckRedirect: stay,
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          0, // no limit over all hosts
			MaxIdleConnsPerHost:   4096,
			IdleConnTimeout:       90 * time.Second,
			TLSHandshakeTimeout:   15 * time.Second,
			ExpectContinueTimeout: time.Second,
		},
	}
})

// Post sends body as JSON in one request and returns the reply of a success: a
// complete JSON object. Every failure is an *lm.Error.
func (e *Endpoint) Post(ctx context.Context, body any) (json.RawMessage, error) {
	payload, err := encode(body)
	if err != nil {
		return nil, e.Fail(lm.KindRequest, "the request cannot be written as JSON", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.target, bytes.NewReader(payload))
	if err != nil {
		return nil, e.Fail(lm.KindRequest, "", err)
	}
	req.Header = e.header.Clone()
	resp, err := e.client.Do(req)
	if err != nil {
		return nil, e.unreached(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		// The status says what happened, so a body that breaks off is no second failure.
		said, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		if end := e.ended(ctx); end != nil {
			return nil, end
		}
		return nil, e.refused(resp, said)
	}
	return e.read(ctx, resp)
}

// encode writes v as JSON without escaping <, > and &: prompts are full of them.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// read returns the body of a success, or how it is not what was promised.
func (e *Endpoint) read(ctx context.Context, resp *http.Response) (json.RawMessage, error) {
	tooLong := func() error {
		return e.reply(resp, fmt.Sprintf("the reply is longer than %d MB", MaxReply>>20), nil, nil)
	}
	if resp.ContentLength > MaxReply {
		return nil, tooLong()
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxReply+1))
	switch kind := resp.Header.Get("Content-Type"); {
	case err != nil && e.ended(ctx) != nil:
		return nil, e.ended(ctx)
	case err != nil && isTimeout(err):
		return nil, e.Fail(lm.KindTimeout, "no whole reply within the time limit of the HTTP client", err)
	case err != nil:
		return nil, e.reply(resp, fmt.Sprintf("the reply broke off after %d bytes", len(body)), body, err)
	case len(body) > MaxReply:
		return nil, tooLong()
	case !isJSON(kind):
		return nil, e.reply(resp, fmt.Sprintf("the reply is %s where JSON was expected; does base_url point at the right server?", quoteType(kind)), body, nil)
	}
	trimmed := bytes.TrimSpace(body)
	switch {
	case len(trimmed) == 0:
		return nil, e.reply(resp, "the reply is empty", nil, nil)
	case !json.Valid(trimmed):
		var parsed json.RawMessage
		return nil, e.reply(resp, "the reply is not whole JSON", body, json.Unmarshal(trimmed, &parsed))
	case trimmed[0] != '{':
		return nil, e.reply(resp, "the reply is JSON, but not an object", body, nil)
	}
	return trimmed, nil
}

// Malformed is the failure of a reply that is JSON and not in the provider's
// format. problem says what is missing or wrong.
func (e *Endpoint) Malformed(body []byte, problem string, cause error) *lm.Error {
	return e.Fail(lm.KindReply, withStart(problem, e.clean(string(body))), cause)
}

// Fail returns a failure of this endpoint. Message and cause are freed of secrets.
func (e *Endpoint) Fail(kind lm.Kind, message string, cause error) *lm.Error {
	return &lm.Error{
		Kind:     kind,
		Model:    e.address,
		Endpoint: e.shown,
		Message:  cut(e.clean(message), maxMessage),
		Err:      e.cleanError(cause),
	}
}

// NoKey is the failure of a call to a server that needs a key when there is none.
func (e *Endpoint) NoKey() *lm.Error {
	return e.Fail(lm.KindNoKey, "there is no key; set "+e.keyName+" in the environment, or api_key of the model", nil)
}

// Address returns the address of the model that is asked here.
func (e *Endpoint) Address() string { return e.address }

// OnHost reports whether requests go to host.
func (e *Endpoint) OnHost(host string) bool {
	u, err := url.Parse(e.shown)
	return err == nil && strings.EqualFold(u.Hostname(), host)
}

// HasKey reports whether a key is sent.
func (e *Endpoint) HasKey() bool { return e.keyed }

// Package wire is what the providers that speak JSON over HTTP have in common: one
// POST, the reply read whole or as it comes, and every way that it can fail told as
// an *lm.Error.
//
//	Endpoint   where a model is asked: URL, headers, secrets (wire.go)
//	Post, Do   one request, one reply; redirects are not followed (post.go)
//	Events     one request, a reply in events while it is written (events.go)
//	failures   statuses, Retry-After, broken and foreign replies (failure.go)
//	scrub      what keeps keys out of messages (scrub.go)
//
// What the dialects differ in (bodies, and where a message stands in an error)
// stays with each provider.
package wire

import (
	"fmt"
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
	base     *url.URL // the base URL, as the user wrote it
	target   *url.URL // the URL that is asked
	shown    string   // the URL for people: no user, no query
	header   http.Header
	client   *http.Client
	foreign  bool // the client is the host's own
	keyed    bool
	keyless  bool // the server answers nobody without a key, and there is none
	keyName  string
	secrets  []string
	sign     func(*http.Request, []byte) error
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
	Provider string // the provider's name
	Model    string // the server's name for the model; must not be empty
	Example  string // an address of this provider, for the error when Model is empty
	Address  string // the LM's address, for errors; "" for Provider/Model

	BaseURL string   // as the user wrote it; "" for OwnURL
	OwnURL  string   // the provider's own server; "" when it has none
	NeedKey bool     // the host of OwnURL answers nobody without a key: it is not asked
	Path    []string // what is joined to the base URL

	Header    http.Header  // sent with every request
	Key       string       // kept out of every error
	KeyHeader string       // the header that carries the key; "" when Header does, or Sign
	KeyPrefix string       // what stands before the key in it: "Bearer "
	KeyName   string       // the environment variable that usually holds it, for messages
	Secrets   []string     // what else is kept out of every error
	Client    *http.Client // nil for the shared one; its redirect policy is not used
	// Sign, if set, is given each request with its body before it is sent, to add
	// headers to it.
	Sign func(r *http.Request, body []byte) error
	// Complain reads the provider's error format. It returns a zero Complaint when body is not in it.
	Complain func(body []byte) Complaint
}

// New checks o. It returns an error that says what is wrong with the name, the base
// URL or the key, without repeating the secrets in them.
func New(o Options) (*Endpoint, error) {
	if o.Address == "" {
		if o.Model == "" {
			return nil, fmt.Errorf("a model of provider %s needs a name, such as %s", o.Provider, o.Example)
		}
		o.Address = o.Provider + "/" + o.Model
	}
	if o.BaseURL == "" {
		o.BaseURL = o.OwnURL
	}
	if o.BaseURL == "" {
		return nil, fmt.Errorf("%s needs a base_url: the provider has no server that is the same for all", o.Address)
	}
	u, err := url.Parse(o.BaseURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the base_url of %s is not a URL like https://host/path (it must begin with http:// or https:// and name a host)", o.Address)
	}
	for _, r := range strings.Join(append(o.Secrets, o.Key), "") {
		if r <= ' ' || r > '~' {
			return nil, fmt.Errorf("the key for %s holds a blank, a line break or another character that no key has; was it copied whole?", o.Address)
		}
	}
	u.Fragment, u.RawFragment = "", ""
	if u.Path == "" {
		u.Path = "/" // what is joined to it is from the root
	}
	e := &Endpoint{
		address:  o.Address,
		base:     u,
		header:   o.Header.Clone(),
		client:   shared(),
		keyed:    o.Key != "",
		keyName:  o.KeyName,
		secrets:  secretsOf(u, append([]string{o.Key}, o.Secrets...)...),
		sign:     o.Sign,
		complain: o.Complain,
	}
	if e.header == nil {
		e.header = http.Header{}
	}
	if o.Key != "" && o.KeyHeader != "" {
		e.header.Set(o.KeyHeader, o.KeyPrefix+o.Key)
	}
	e.header.Set("Content-Type", "application/json")
	e.header.Set("Accept", "application/json")
	e.header.Set("User-Agent", "dspi")
	if o.Client != nil {
		c := *o.Client
		c.CheckRedirect = stay
		e.client, e.foreign = &c, true
	}
	own, err := url.Parse(o.OwnURL)
	e.keyless = o.NeedKey && !e.keyed && err == nil && strings.EqualFold(own.Hostname(), u.Hostname())
	return e.At(o.Path...), nil
}

// At returns e with another path joined to its base URL: the same server, key and
// model, asked another way.
func (e *Endpoint) At(path ...string) *Endpoint {
	c := *e
	c.target = c.base.JoinPath(path...)
	c.shown = shown(c.target)
	return &c
}

// With returns e with a parameter in its query, besides those of the base URL.
func (e *Endpoint) With(name, value string) *Endpoint {
	c, target := *e, *e.target
	q := target.Query()
	q.Set(name, value)
	target.RawQuery = q.Encode()
	c.target = &target
	return &c
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
	if e.keyName == "" {
		return e.Fail(lm.KindNoKey, "there is no key; set api_key of the model", nil)
	}
	return e.Fail(lm.KindNoKey, "there is no key; set "+e.keyName+" in the environment, or api_key of the model", nil)
}

// Address returns the address of the model that is asked here.
func (e *Endpoint) Address() string { return e.address }

// OnHost reports whether requests go to host.
func (e *Endpoint) OnHost(host string) bool {
	return strings.EqualFold(e.target.Hostname(), host)
}

// HasKey reports whether a key is sent.
func (e *Endpoint) HasKey() bool { return e.keyed }

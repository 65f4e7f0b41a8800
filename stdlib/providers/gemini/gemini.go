// Package gemini calls models over the Gemini API's generateContent.
//
//	Config    which model, on which server, with which key (gemini.go)
//	Model     the lm.LM that asks it (gemini.go)
//	generate  what is sent (request.go)
//	part      a piece of a message: text, media, calls of tools (content.go)
//	reply     what is read, whole or in events (reply.go)
//
// The key goes in a header and never in the URL, where logs would keep it.
//
// To begin: New(Config{Model: "gemini-2.5-flash", Key: key}).
package gemini

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// KeyVariable is the environment variable in which a host looks for the key.
const KeyVariable = "GEMINI_API_KEY"

// DefaultBaseURL is the server that is asked when BaseURL is empty.
const DefaultBaseURL = "https://generativelanguage.googleapis.com"

// Config describes a model. Only Model is required.
type Config struct {
	Model   string       // the server's name for it, as gemini-2.5-flash or tunedModels/mine
	BaseURL string       // where /v1beta/models is; its query, if any, is kept
	Key     string       // sent as x-goog-api-key; nothing is sent when empty
	Params  lm.Params    // used where a request leaves a parameter open
	Client  *http.Client // nil for the client that all providers share
}

// Model is one model on one server. It implements lm.LM.
type Model struct {
	name     string
	version  int // ten times the generation of a Gemini model: 25; 0 when the name does not tell
	params   lm.Params
	endpoint *wire.Endpoint
	streamed *wire.Endpoint
}

// New checks c and returns its model. No request is made. The error says what is
// wrong with the name, the base URL or the key.
func New(c Config) (*Model, error) {
	path := func(verb string) []string {
		folder, name, found := strings.Cut(c.Model, "/")
		if !found {
			folder, name = "models", c.Model
		}
		return []string{"v1beta", folder, name + ":" + verb}
	}
	endpoint, err := wire.New(wire.Options{
		Provider:  "gemini",
		Model:     c.Model,
		Example:   "gemini/gemini-2.5-flash",
		BaseURL:   c.BaseURL,
		OwnURL:    DefaultBaseURL,
		NeedKey:   true,
		Path:      path("generateContent"),
		Key:       c.Key,
		KeyHeader: "X-Goog-Api-Key",
		KeyName:   KeyVariable,
		Client:    c.Client,
		Complain:  complaint,
	})
	if err != nil {
		return nil, err
	}
	return &Model{
		name: c.Model, version: versionOf(c.Model), params: c.Params,
		endpoint: endpoint, streamed: endpoint.At(path("streamGenerateContent")...).With("alt", "sse"),
	}, nil
}

var generation = regexp.MustCompile(`^(?:models/)?gemini-([0-9])(?:\.([0-9]))?-`)

func versionOf(model string) int {
	m := generation.FindStringSubmatch(model)
	if m == nil {
		return 0
	}
	v, _ := strconv.Atoi(m[1] + "0")
	minor, _ := strconv.Atoi(m[2])
	return v + minor
}

// Address returns gemini/ and the model's name.
func (m *Model) Address() string { return m.endpoint.Address() }

// Features says what the protocol can do: all of it, and every Gemini model does. Of
// others (Gemma, for example) the server says what they lack.
func (m *Model) Features() lm.Features {
	return lm.Features{JSON: true, Schema: true, Tools: true, Images: true, Audio: true, Files: true}
}

// Generate sends one request. Without a key it calls any server but Google's own,
// where it fails with KindNoKey before a request is made.
func (m *Model) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	body, problem := m.body(req)
	if problem != "" {
		return nil, m.endpoint.Fail(lm.KindRequest, problem, nil)
	}
	if req.OnDelta != nil {
		return m.stream(ctx, body, req)
	}
	var r reply
	raw, err := m.endpoint.Do(ctx, body, "reply of generateContent", &r)
	if err != nil {
		return nil, err
	}
	return m.read(m.endpoint, &r, raw, req)
}

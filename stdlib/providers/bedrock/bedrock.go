// Package bedrock calls models over Amazon Bedrock's Converse.
//
//	Config       which model, in which region, with which credentials (bedrock.go)
//	Environment  what the environment says of region and credentials (credentials.go)
//	Model        the lm.LM that asks it (bedrock.go)
//	converse     what is sent (request.go)
//	block        a piece of a message: text, media, calls of tools (content.go)
//	abilities    what a model takes, as far as its name tells (abilities.go)
//	reply        what is read (reply.go), and what is read while it is written (stream.go)
//
// Of AWS's libraries it uses the one that signs requests and the one that takes
// events out of their frames; the rest is the providers' own HTTP. No other package
// imports them.
//
// To begin: New(Environment(Config{Model: "amazon.nova-lite-v1:0"}, os.Getenv)).
package bedrock

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/claude"
	"github.com/dspi-lang/dspi/stdlib/providers/internal/wire"
)

// Config describes a model. Only Model is required, and Region unless the name or the
// base URL tells it. Of the credentials Key is used before the access key; with
// neither, requests go without.
type Config struct {
	Model   string // an ID, an inference profile or an ARN: us.anthropic.claude-sonnet-4-5-20250929-v1:0
	Region  string // us-east-1
	BaseURL string // where /model is; "" for AWS's own server of the region
	Key     string // a Bedrock API key, sent as a bearer token

	AccessKeyID     string // with it and the next requests are signed
	SecretAccessKey string
	SessionToken    string // of temporary credentials; may be empty

	Params lm.Params    // used where a request leaves a parameter open
	Client *http.Client // nil for the client that all providers share
}

// Model is one model in one region. It implements lm.LM.
type Model struct {
	name     string
	traits   claude.Traits // of a Claude model
	can      lm.Features
	params   lm.Params
	endpoint *wire.Endpoint
	streamed *wire.Endpoint
}

var (
	regionOfHost = regexp.MustCompile(`[./]bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.|^https?://bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.`)
	regionOfARN  = regexp.MustCompile(`^arn:[a-z-]+:bedrock:([a-z0-9-]+):`)
	regionForm   = regexp.MustCompile(`^[a-z0-9-]+$`)
)

// New checks c and returns its model. No request is made. The error says what is
// wrong with the name, the region, the base URL or the credentials.
func New(c Config) (*Model, error) {
	c.Region = regionOf(c)
	switch signs := c.Key == "" && c.AccessKeyID != ""; {
	case c.Region == "" && (c.BaseURL == "" || signs):
		return nil, fmt.Errorf("bedrock/%s needs a region; set AWS_REGION in the environment, for example to us-east-1", c.Model)
	case c.Region != "" && !regionForm.MatchString(c.Region):
		return nil, fmt.Errorf("the region %q of bedrock/%s is not one like us-east-1", c.Region, c.Model)
	case signs && c.SecretAccessKey == "":
		return nil, fmt.Errorf("bedrock/%s has an access key ID without its secret; set AWS_SECRET_ACCESS_KEY in the environment", c.Model)
	}
	own := "https://bedrock-runtime." + c.Region + ".amazonaws.com"
	if strings.HasPrefix(c.Region, "cn-") {
		own += ".cn"
	}
	path := func(verb string) []string { return []string{"model", escape(c.Model), verb} }
	o := wire.Options{
		Provider:  "bedrock",
		Model:     c.Model,
		Example:   "bedrock/amazon.nova-lite-v1:0",
		BaseURL:   c.BaseURL,
		OwnURL:    own,
		NeedKey:   true,
		Path:      path("converse"),
		Key:       c.Key,
		KeyHeader: "Authorization",
		KeyPrefix: "Bearer ",
		KeyName:   KeyVariable + " or " + idVariable + " and " + secretVariable,
		Client:    c.Client,
		Complain:  complaint,
	}
	if c.Key == "" && c.AccessKeyID != "" {
		o.Key, o.KeyHeader = c.SecretAccessKey, ""
		o.Secrets = []string{c.AccessKeyID, c.SessionToken}
		o.Sign = signer(c)
	}
	endpoint, err := wire.New(o)
	if err != nil {
		return nil, err
	}
	traits := claude.Of(c.Model)
	return &Model{
		name: c.Model, traits: traits, can: abilities(c.Model, traits), params: c.Params,
		endpoint: endpoint, streamed: endpoint.At(path("converse-stream")...),
	}, nil
}

// regionOf returns the region that is asked: the one that is set, or that the base URL
// or the name tells.
func regionOf(c Config) string {
	if c.Region != "" {
		return c.Region
	}
	if m := regionOfHost.FindStringSubmatch(c.BaseURL); m != nil {
		return m[1] + m[2]
	}
	if m := regionOfARN.FindStringSubmatch(c.Model); m != nil && c.BaseURL == "" {
		return m[1]
	}
	return ""
}

// escape writes a model's name as one element of a path, as AWS's own clients do: all
// but letters, digits and -_.~ as bytes.
func escape(name string) string {
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.~", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// Address returns bedrock/ and the model's name.
func (m *Model) Address() string { return m.endpoint.Address() }

// Features says what the model can do, as far as its name tells.
func (m *Model) Features() lm.Features { return m.can }

// Generate sends one request. Without credentials it calls any server but AWS's own,
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
	raw, err := m.endpoint.Do(ctx, body, "reply of Converse", &r)
	if err != nil {
		return nil, err
	}
	return m.read(m.endpoint, &r, raw, req)
}

package bedrock

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// KeyVariable is the environment variable in which a host looks for a Bedrock API key.
const KeyVariable = "AWS_BEARER_TOKEN_BEDROCK"

// The variables in which AWS's own tools look, too.
const (
	idVariable     = "AWS_ACCESS_KEY_ID"
	secretVariable = "AWS_SECRET_ACCESS_KEY"
	tokenVariable  = "AWS_SESSION_TOKEN"
)

// Environment returns c with what the environment says where c leaves it open: the
// region, and for a server that the environment names, too, the credentials.
//
//	region       AWS_REGION, AWS_DEFAULT_REGION
//	server       AWS_ENDPOINT_URL_BEDROCK_RUNTIME, AWS_ENDPOINT_URL; else AWS's own
//	credentials  AWS_BEARER_TOKEN_BEDROCK; else AWS_ACCESS_KEY_ID with
//	             AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN
//
// A BaseURL of c's own gets none of the environment's credentials: an address in a
// file must not be able to collect them. An address in the environment is as much the
// user's word as the credentials beside it. Profiles and files of AWS's tools are not
// read; `aws configure export-credentials --format env` writes them as variables.
func Environment(c Config, getenv func(string) string) Config {
	first := func(names ...string) string {
		for _, name := range names {
			if v := getenv(name); v != "" {
				return v
			}
		}
		return ""
	}
	if c.Region == "" {
		c.Region = first("AWS_REGION", "AWS_DEFAULT_REGION")
	}
	if c.BaseURL != "" {
		return c
	}
	c.BaseURL = first("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL")
	if c.Key == "" && c.AccessKeyID == "" {
		c.Key = getenv(KeyVariable)
		c.AccessKeyID, c.SecretAccessKey, c.SessionToken = getenv(idVariable), getenv(secretVariable), getenv(tokenVariable)
	}
	return c
}

// service is the name under which requests are signed.
const service = "bedrock"

// signer returns what signs each request with c's access key.
func signer(c Config) func(*http.Request, []byte) error {
	s := v4.NewSigner()
	who := aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}
	return func(r *http.Request, body []byte) error {
		own := *r.URL // the signer writes to it, and the endpoint's requests share one
		r.URL = &own
		hash := sha256.Sum256(body)
		return s.SignHTTP(context.WithoutCancel(r.Context()), who, r, hex.EncodeToString(hash[:]), service, c.Region, time.Now())
	}
}

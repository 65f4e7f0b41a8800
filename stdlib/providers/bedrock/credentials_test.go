package bedrock

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

// signature computes what a request's signature must be, as the documentation of
// Signature Version 4 says, from what arrived.
func signature(r *http.Request, body []byte, secret string) (signed []string, want string) {
	auth := r.Header.Get("Authorization")
	field := func(name string) string {
		_, rest, _ := strings.Cut(auth, name+"=")
		value, _, _ := strings.Cut(rest, ",")
		return value
	}
	signed = strings.Split(field("SignedHeaders"), ";")
	scope := field("Credential")[strings.Index(field("Credential"), "/")+1:]
	sum := func(b []byte) string { h := sha256.Sum256(b); return hex.EncodeToString(h[:]) }
	var headers strings.Builder
	for _, name := range signed {
		value := r.Header.Get(name)
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = fmt.Sprint(len(body))
		}
		headers.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	// The path is encoded once more than it is sent.
	uri := strings.ReplaceAll(r.URL.EscapedPath(), "%", "%25")
	canonical := strings.Join([]string{r.Method, uri, r.URL.RawQuery, headers.String(), strings.Join(signed, ";"), sum(body)}, "\n")
	text := strings.Join([]string{"AWS4-HMAC-SHA256", r.Header.Get("X-Amz-Date"), scope, sum([]byte(canonical))}, "\n")
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	key := []byte("AWS4" + secret)
	for _, part := range strings.Split(scope, "/") {
		key = mac(key, part)
	}
	return signed, hex.EncodeToString(mac(key, text))
}

func TestSignature(t *testing.T) {
	const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	for _, on := range []func(lm.Delta){nil, func(lm.Delta) {}} {
		arrived := false
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			arrived = true
			body, _ := io.ReadAll(r.Body)
			auth := r.Header.Get("Authorization")
			signed, want := signature(r, body, secret)
			if !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE000000000/") || !strings.Contains(auth, "/eu-west-3/bedrock/aws4_request") {
				t.Errorf("the authorization is %s", auth)
			}
			if !strings.HasSuffix(auth, "Signature="+want) {
				t.Errorf("the signature does not fit: %s, want %s", auth, want)
			}
			for _, name := range []string{"host", "x-amz-date", "x-amz-security-token", "content-type"} {
				if !slices.Contains(signed, name) {
					t.Errorf("%s is not signed: %s", name, signed)
				}
			}
			if !strings.HasPrefix(r.URL.EscapedPath(), "/model/arn%3Aaws%3Abedrock%3Aeu-west-3%3A123%3Ainference-profile%2Feu.amazon.nova-lite-v1%3A0/converse") {
				t.Errorf("the path is %s", r.URL.EscapedPath())
			}
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, server.Reply(lmtest.Answer{Text: "yes", Finish: lm.FinishStop}))
		}))
		m, err := New(Config{Model: "arn:aws:bedrock:eu-west-3:123:inference-profile/eu.amazon.nova-lite-v1:0", Region: "eu-west-3", BaseURL: s.URL,
			AccessKeyID: "AKIAEXAMPLE000000000", SecretAccessKey: secret, SessionToken: "token-for-tests"})
		if err != nil {
			t.Fatal(err)
		}
		req := lmtest.Ask("hello <&> é")
		req.OnDelta = on
		if _, err := m.Generate(t.Context(), req); err != nil || !arrived {
			t.Error(err)
		}
		s.Close()
	}
}

// TestSecrets: a server that repeats what was signed gives nothing away.
func TestSecrets(t *testing.T) {
	const id, secret, token = "AKIAEXAMPLE000000000", "secret-for-tests-0123456789", "token-for-tests-0123456789"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(403)
		io.WriteString(w, encode(map[string]any{"message": "The Canonical String should have been x-amz-security-token:" + token + " for " + r.Header.Get("Authorization") + secret}))
	}))
	defer s.Close()
	m, err := New(Config{Model: "m", Region: "us-east-1", BaseURL: s.URL, AccessKeyID: id, SecretAccessKey: secret, SessionToken: token})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Generate(t.Context(), lmtest.Ask("hello"))
	e := lm.AsError(err)
	if e == nil || e.Kind != lm.KindAuth || !strings.Contains(e.Message, "[redacted]") {
		t.Fatalf("got %v", err)
	}
	for _, text := range []string{id, secret, token} {
		if strings.Contains(fmt.Sprintf("%+v %v", *e, e), text) {
			t.Errorf("%s is in the error %v", text, err)
		}
	}
	for _, bad := range []Config{{SecretAccessKey: "a b"}, {SecretAccessKey: "ab", SessionToken: "a\nb"}} {
		bad.Model, bad.Region, bad.AccessKeyID = "m", "us-east-1", id
		if _, err := New(bad); err == nil || !strings.Contains(err.Error(), "copied whole") {
			t.Errorf("%+v gives %v", bad, err)
		}
	}
}

func TestEnvironment(t *testing.T) {
	all := map[string]string{"AWS_REGION": "eu-north-1", "AWS_DEFAULT_REGION": "us-west-2", "AWS_BEARER_TOKEN_BEDROCK": "bearer",
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
	with := func(more ...string) map[string]string {
		out := map[string]string{}
		for name, value := range all {
			out[name] = value
		}
		for i := 0; i < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	everything := Config{Region: "eu-north-1", Key: "bearer", AccessKeyID: "id", SecretAccessKey: "secret", SessionToken: "token"}
	for name, c := range map[string]struct {
		given Config
		env   map[string]string
		want  Config
	}{
		"nothing":          {Config{}, nil, Config{}},
		"everything":       {Config{}, all, everything},
		"the other region": {Config{}, map[string]string{"AWS_DEFAULT_REGION": "us-west-2"}, Config{Region: "us-west-2"}},
		"its own server":   {Config{BaseURL: "https://proxy"}, with("AWS_ENDPOINT_URL", "https://x"), Config{Region: "eu-north-1", BaseURL: "https://proxy"}},
		"its own key":      {Config{Key: "mine"}, all, Config{Region: "eu-north-1", Key: "mine"}},
		"a server of the environment": {Config{}, with("AWS_ENDPOINT_URL", "https://x", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "https://y"),
			func() Config { c := everything; c.BaseURL = "https://y"; return c }()},
	} {
		if got := Environment(c.given, func(k string) string { return c.env[k] }); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		config   Config
		endpoint string
		fails    string
	}{
		{Config{Model: "amazon.nova-lite-v1:0", Region: "us-east-1"}, "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse", ""},
		{Config{Model: "m", Region: "cn-north-1"}, "https://bedrock-runtime.cn-north-1.amazonaws.com.cn/model/m/converse", ""},
		{Config{Model: "arn:aws:bedrock:eu-west-3:123:inference-profile/p"}, "https://bedrock-runtime.eu-west-3.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aeu-west-3%3A123%3Ainference-profile%2Fp/converse", ""},
		{Config{Model: "m"}, "", "set AWS_REGION"},
		{Config{Region: "us-east-1"}, "", "needs a name"},
		{Config{Model: "m", Region: "evil.example/?"}, "", "is not one like us-east-1"},
		{Config{Model: "m", BaseURL: "https://proxy.example", AccessKeyID: "id", SecretAccessKey: "s"}, "", "set AWS_REGION"},
		{Config{Model: "m", Region: "us-east-1", AccessKeyID: "id"}, "", "without its secret"},
	} {
		m, err := New(c.config)
		if c.fails != "" {
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%+v gives %v, want %q", c.config, err, c.fails)
			}
			continue
		}
		if err != nil {
			t.Errorf("%+v gives %v", c.config, err)
			continue
		}
		_, err = m.Generate(t.Context(), lmtest.Ask("hello"))
		if e := lm.AsError(err); e == nil || e.Kind != lm.KindNoKey || e.Endpoint != c.endpoint || !strings.Contains(e.Message, KeyVariable) || !strings.Contains(e.Message, idVariable) {
			t.Errorf("without credentials %+v gives %+v", c.config, e)
		}
	}
	for base, want := range map[string]string{
		"https://bedrock-runtime.eu-west-1.amazonaws.com":                             "eu-west-1",
		"https://bedrock-runtime-fips.us-west-2.amazonaws.com":                        "us-west-2",
		"https://vpce-0123-abc.bedrock-runtime.eu-central-1.vpce.amazonaws.com/stage": "eu-central-1",
		"https://proxy.example/bedrock":                                               "",
	} {
		if got := regionOf(Config{BaseURL: base}); got != want {
			t.Errorf("%s is in %q, want %q", base, got, want)
		}
	}
}

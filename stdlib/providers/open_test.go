package providers

import (
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/lm/lmtest"
)

// TestBedrock: its region and its credentials come from the environment, which a
// server of the program's own gets nothing of.
func TestBedrock(t *testing.T) {
	env := map[string]string{}
	c := Config{Provider: "bedrock", Model: "amazon.nova-lite-v1:0", Getenv: func(name string) string { return env[name] }}
	if _, err := Open(c); err == nil || !strings.Contains(err.Error(), "set AWS_REGION") {
		t.Errorf("without a region it gives %v", err)
	}
	env["AWS_REGION"] = "us-east-1"
	m, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Generate(t.Context(), lmtest.Ask("hello"))
	if e := lm.AsError(err); e == nil || e.Kind != lm.KindNoKey || !strings.Contains(e.Message, "AWS_ACCESS_KEY_ID") {
		t.Errorf("without credentials it gives %v", err)
	}
	env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = "an id", "a secret with blanks"
	if _, err := Open(c); err == nil || !strings.Contains(err.Error(), "copied whole") {
		t.Errorf("the environment's credentials are not read: %v", err)
	}
	c.BaseURL = "http://127.0.0.1:1"
	if _, err := Open(c); err != nil {
		t.Errorf("a server of the program's own is given the environment's credentials: %v", err)
	}
}

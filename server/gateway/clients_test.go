//go:build clients

package gateway_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// TestClients runs the real clients of OpenAI for Python and Node, and the real
// DSPy, against a gateway. `make test-gateway` installs them and sets DSPI_PYTHON;
// node_modules stand beside client.js.
func TestClients(t *testing.T) {
	python := os.Getenv("DSPI_PYTHON")
	if python == "" {
		t.Fatal("DSPI_PYTHON is not set: run make test-gateway")
	}
	for _, c := range []struct {
		name string
		argv []string
		more map[string]string
	}{
		{"python", []string{python, "client.py"}, map[string]string{"dspy": "391"}},
		{"node", []string{"node", "client.js"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, nil)
			cmd := exec.CommandContext(t.Context(), c.argv[0], c.argv[1:]...)
			cmd.Dir = "testdata/clients"
			cmd.Env = append(os.Environ(), "BASE_URL="+s.URL+"/v1", "TOKEN="+token)
			var errs bytes.Buffer
			cmd.Stderr = &errs
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s\n%s", err, out, errs.Bytes())
			}
			got := map[string]string{}
			for line := range bytes.Lines(out) {
				var x struct {
					Case string
					Got  json.RawMessage
				}
				if err := json.Unmarshal(line, &x); err != nil {
					t.Fatalf("%s: %v", line, err)
				}
				var b bytes.Buffer
				_ = json.Compact(&b, x.Got)
				got[x.Case] = b.String()
			}
			for name, want := range clientCases {
				if got[name] != want {
					t.Errorf("%s: got %s, want %s", name, got[name], want)
				}
			}
			for name, want := range c.more {
				if got[name] != want {
					t.Errorf("%s: got %s, want %s", name, got[name], want)
				}
			}
			t.Logf("%d cases", len(got))
		})
	}
}

package dspi_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/dspi-lang/dspi"
)

// TestAssertEndsRequest streams a reply that an assert refuses in its middle: the
// server sees the client go within one piece, and is asked again.
func TestAssertEndsRequest(t *testing.T) {
	var asked atomic.Int64
	gone := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		e := events{w}
		if asked.Add(1) > 1 {
			e.piece("[[ ## answer ## ]]\nshort")
			e.piece("\n\n[[ ## completed ## ]]")
			fmt.Fprint(w, "data: [DONE]\n\n")
			return
		}
		e.piece("[[ ## answer ## ]]\nten chars ")
		e.piece("and that is too many")
		// The client has read what refuses the reply. It goes; nothing else ends this.
		<-r.Context().Done()
		close(gone)
	}))
	defer s.Close()
	p := planText(t, `
model m {
  provider = "openai"
  name     = "x"
  base_url = "`+s.URL+`/v1"
  api_key  = "k"
  default  = true
}

program qa {
  question: string -> answer: string

  predict respond {
    assert short { that = len(answer) <= 12 }
  }
}
`)
	var answer any
	for part, err := range dspi.Stream(t.Context(), p, map[string]any{"question": "?"}) {
		if err != nil {
			t.Fatal(err)
		}
		if part.Done && part.Field == "answer" {
			answer = part.Value
		}
	}
	if answer != "short" || asked.Load() != 2 {
		t.Errorf("the answer is %v after %d requests", answer, asked.Load())
	}
	<-gone // it would never be without the assert
}

package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// problem is why a request is not answered, in the words and with the status that
// clients of the protocol know.
type problem struct {
	status     int
	kind       string // type: invalid_request_error, rate_limit_error, …
	code       string
	param      string
	message    string
	retryAfter time.Duration
}

func (p *problem) Error() string { return p.message }

// body is the problem as JSON.
func (p *problem) body() any {
	text := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	return map[string]any{"error": map[string]any{"message": p.message, "type": p.kind, "code": text(p.code), "param": text(p.param)}}
}

func refuse(w http.ResponseWriter, p *problem) {
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
	write(w, p.status, p.body())
}

// unreadable is a body that is no request.
func unreadable(err error) *problem {
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return &problem{status: http.StatusRequestEntityTooLarge, kind: "invalid_request_error",
			message: fmt.Sprintf("the request is longer than %d MB", MaxBody>>20)}
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return bad(wrong.Field, fmt.Sprintf("%s cannot be a %s", wrong.Field, wrong.Value))
	}
	return bad("", "the body is not the JSON of a chat completion: "+err.Error())
}

// problemOf words the failure of a model. A key that the provider refuses is the
// gateway's affair and not the client's: it is no 401, which would make the client
// look at its own.
func problemOf(err error) *problem {
	e := lm.AsError(err)
	if e == nil {
		return &problem{status: http.StatusInternalServerError, kind: "api_error", message: err.Error()}
	}
	p := &problem{kind: "api_error", code: string(e.Kind), message: e.Error(), retryAfter: e.RetryAfter}
	switch e.Kind {
	case lm.KindRequest:
		p.status, p.kind = http.StatusBadRequest, "invalid_request_error"
	case lm.KindRateLimit:
		p.status, p.kind = http.StatusTooManyRequests, "rate_limit_error"
	case lm.KindTimeout:
		p.status, p.kind = http.StatusGatewayTimeout, "timeout_error"
	case lm.KindAuth, lm.KindNoKey, lm.KindUnreachable, lm.KindReply:
		p.status = http.StatusBadGateway
	case lm.KindServer:
		p.status = http.StatusBadGateway
		if e.Status == http.StatusServiceUnavailable {
			p.status = e.Status
		}
	default:
		p.status = http.StatusServiceUnavailable
	}
	return p
}

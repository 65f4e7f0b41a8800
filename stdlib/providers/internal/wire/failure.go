package wire

import (
	"context"
	"errors"
	"fmt"
	"math"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// statusOverloaded is what some providers answer instead of 503.
const statusOverloaded = 529

// KindOf returns the kind of failure that an HTTP status other than 2xx stands for.
func KindOf(status int) lm.Kind {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return lm.KindAuth
	case status == http.StatusRequestTimeout:
		return lm.KindTimeout
	case status == http.StatusTooManyRequests, status == statusOverloaded:
		return lm.KindRateLimit
	case status >= 500:
		return lm.KindServer
	}
	return lm.KindRequest
}

// refused is the failure of a reply whose status is not 2xx.
func (e *Endpoint) refused(resp *http.Response, body []byte) *lm.Error {
	c := e.complain(body)
	message := c.Message
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		message = redirected(resp)
	case message == "" && len(strings.TrimSpace(string(body))) > 0:
		message = withStart(http.StatusText(resp.StatusCode), e.clean(string(body)))
	case message == "":
		message = http.StatusText(resp.StatusCode)
	}
	f := e.Fail(KindOf(resp.StatusCode), message, nil)
	f.Status = resp.StatusCode
	f.RetryAfter = retryAfter(resp.Header, time.Now())
	switch {
	case c.Final && f.Retryable():
		f.Kind = lm.KindRequest
	case f.Kind == lm.KindAuth && !e.keyed:
		f.Kind = lm.KindNoKey
	}
	return f
}

// redirected says where a server sends us instead of answering.
func redirected(resp *http.Response) string {
	to, err := resp.Location()
	if err != nil {
		return "the server redirects, which is not followed with a key in hand; check base_url"
	}
	return fmt.Sprintf("the server redirects to %s, which is not followed with a key in hand; if that is right, set base_url to it", shown(to))
}

// reply is the failure of a success whose body is of no use.
func (e *Endpoint) reply(resp *http.Response, problem string, body []byte, cause error) *lm.Error {
	f := e.Malformed(body, problem, cause)
	f.Status = resp.StatusCode
	return f
}

// ended is the failure of a call whose context is over, or nil.
func (e *Endpoint) ended(ctx context.Context) *lm.Error {
	f := lm.ContextError(ctx, e.address)
	if f != nil {
		f.Endpoint = e.shown
	}
	return f
}

// unreached is the failure of a request that got no reply.
func (e *Endpoint) unreached(ctx context.Context, err error) *lm.Error {
	if f := e.ended(ctx); f != nil {
		return f
	}
	// url.Error repeats the URL, query included: what it wraps is enough.
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return e.Fail(lm.KindUnreachable, "no connection: "+err.Error(), err)
	}
	if isTimeout(err) {
		return e.Fail(lm.KindTimeout, "no reply within the time limit of the HTTP client", err)
	}
	return e.Fail(lm.KindUnreachable, "the connection failed: "+err.Error(), err)
}

func isTimeout(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

// retryAfter reads how long a provider asks to wait: milliseconds in
// Retry-After-Ms, else seconds or a date in Retry-After. It returns 0 when the
// headers do not say, or name a moment that has passed. A date is measured from the
// server's own clock when it sends its Date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, ok := positive(h.Get("Retry-After-Ms"), time.Millisecond); ok {
		return ms
	}
	text := strings.TrimSpace(h.Get("Retry-After"))
	if s, ok := positive(text, time.Second); ok {
		return s
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if sent, err := http.ParseTime(h.Get("Date")); err == nil {
		now = sent
	}
	return max(at.Sub(now), 0)
}

// positive reads a number of units, up to a year.
func positive(text string, unit time.Duration) (time.Duration, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(f) || f < 0 {
		return 0, false
	}
	const year = 365 * 24 * time.Hour
	if f > float64(year/unit) {
		return year, true
	}
	return time.Duration(f * float64(unit)), true
}

// isJSON reports whether a body of this Content-Type is to be read as JSON. A
// server that names no type, or the plain text that Go's and other servers fall back
// to, is taken at the word of its body.
func isJSON(contentType string) bool {
	if strings.TrimSpace(contentType) == "" {
		return true
	}
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return false
	}
	switch t {
	case "application/json", "text/json", "text/plain":
		return true
	}
	return strings.HasSuffix(t, "+json")
}

func quoteType(contentType string) string {
	if t, _, err := mime.ParseMediaType(contentType); err == nil {
		return t
	}
	return strconv.Quote(contentType)
}

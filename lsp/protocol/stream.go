package protocol

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/sourcegraph/jsonrpc2"
)

// maxMessage is the most bytes of a message.
const maxMessage = 64 << 20

// Stream carries whole messages, as a websocket does.
type Stream = jsonrpc2.ObjectStream

// NewStream returns the messages of a stream of bytes, each with a header that tells
// its length.
func NewStream(stream io.ReadWriteCloser) Stream {
	return jsonrpc2.NewBufferedStream(stream, headed{})
}

// headed puts a header before each message.
type headed struct{ jsonrpc2.VSCodeObjectCodec }

// ReadObject reads a message. The names of its header are taken in any case, as those
// of HTTP are. The whole message is read, whatever stands in it.
func (headed) ReadObject(r *bufio.Reader, v any) error {
	length := int64(-1)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		if line = strings.TrimSpace(line); line == "" {
			break
		}
		name, text, ok := strings.Cut(line, ":")
		if !ok {
			return fmt.Errorf("%q is no line of a header", line)
		}
		if !strings.EqualFold(name, "Content-Length") {
			continue
		}
		if length, err = strconv.ParseInt(strings.TrimSpace(text), 10, 64); err != nil || length < 0 || length > maxMessage {
			return fmt.Errorf("a message cannot have the length %q", text)
		}
	}
	if length < 0 {
		return errors.New("a message must tell its length")
	}
	var data bytes.Buffer
	if _, err := io.CopyN(&data, r, length); err != nil {
		return err
	}
	return understand(data.Bytes(), v)
}

// understand decodes a message that was read to its end.
func understand(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return &malformed{err}
	}
	return nil
}

// malformed is the error of a message that is read, and makes no sense. The next one
// may.
type malformed struct{ error }

// patient is a stream that answers what makes no sense, and goes on. Answers are
// written beside the reading, which never waits.
type patient struct {
	Stream
	answers *sync.WaitGroup
	mu      sync.Mutex
}

// ReadObject returns the next message that makes sense.
func (p *patient) ReadObject(v any) error {
	for {
		err := p.Stream.ReadObject(v)
		var bad *malformed
		if !errors.As(err, &bad) {
			return err
		}
		code, text := int64(CodeInvalidRequest), "this is no message: "
		if syntax := new(json.SyntaxError); errors.As(bad.error, &syntax) {
			code, text = jsonrpc2.CodeParseError, "this is no JSON: "
		}
		answer := map[string]any{"jsonrpc": "2.0", "id": nil, "error": map[string]any{"code": code, "message": text + bad.Error()}}
		p.answers.Go(func() { _ = p.WriteObject(answer) })
	}
}

// WriteObject sends a message.
func (p *patient) WriteObject(v any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.Stream.WriteObject(v)
}

package scripted

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// maxFile is the largest file that is read, in bytes.
const maxFile = 64 << 20

// FileError is why a file of replies cannot be used.
type FileError struct {
	Path    string
	Line    int // from 1; 0 when it is about the whole file
	Problem string
	Err     error // the cause, when it is another error
}

// Error returns the problem with its place.
func (e *FileError) Error() string {
	if e.Line == 0 {
		return e.Path + ": " + e.Problem
	}
	return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Problem)
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// Open reads the file at path and returns the model scripted/PATH. The file holds JSON
// Lines, or one JSON array; an item is an object as the package comment shows it, or
// a string, which is a reply. Errors are *FileError.
func Open(path string) (*Model, error) {
	data, err := readFile(path)
	if err != nil {
		problem := err.Error()
		if p, ok := errors.AsType[*os.PathError](err); ok {
			problem = p.Err.Error()
		}
		return nil, &FileError{Path: path, Problem: "the replies cannot be read: " + problem, Err: err}
	}
	replies, features, err := parse(path, data)
	if err != nil {
		return nil, err
	}
	m := New(path, replies...)
	if features != nil {
		m.features = *features
	}
	return m, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("the file is larger than %d MB", maxFile>>20)
	}
	return data, err
}

// Parse reads replies from the text of a file. The path stands in errors, which
// are *FileError.
func Parse(path string, data []byte) ([]Reply, error) {
	replies, _, err := parse(path, data)
	return replies, err
}

// parse also returns what the file says that the model can do; nil for nothing.
func parse(path string, data []byte) ([]Reply, *lm.Features, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	items, err := items(data)
	var replies []Reply
	var features *lm.Features
	for i, it := range items {
		if f, problem := parseFeatures(it.text, i == 0); problem != "" {
			return nil, nil, &FileError{Path: path, Line: it.line, Problem: problem}
		} else if f != nil {
			features = f
			continue
		}
		r, problem := parseItem(it.text)
		if problem != "" {
			return nil, nil, &FileError{Path: path, Line: it.line, Problem: problem}
		}
		replies = append(replies, r)
	}
	if err != nil {
		err.Path = path
		return nil, nil, err
	}
	if len(replies) == 0 {
		return nil, nil, &FileError{Path: path, Problem: `the file holds no replies; a line is written like {"reply": "the text"}`}
	}
	return replies, features, nil
}

// parseFeatures reads the item that says what the model can do, which is the first
// one; nil when the item is another.
func parseFeatures(text []byte, first bool) (f *lm.Features, problem string) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(text, &fields) != nil || fields["features"] == nil {
		return nil, ""
	}
	if !first || len(fields) != 1 {
		return nil, `"features" is the only key of the first line, like {"features": {"json": true}}`
	}
	f = &lm.Features{}
	dec := json.NewDecoder(bytes.NewReader(fields["features"]))
	dec.DisallowUnknownFields()
	if fields["features"][0] != '{' || dec.Decode((*features)(f)) != nil {
		return nil, `"features" is an object of true and false, with the keys json, schema, tools, images, audio, files`
	}
	return f, ""
}

// features is lm.Features as a file writes them.
type features struct {
	JSON   bool `json:"json"`
	Schema bool `json:"schema"`
	Tools  bool `json:"tools"`
	Images bool `json:"images"`
	Audio  bool `json:"audio"`
	Files  bool `json:"files"`
}

// item is one reply as written.
type item struct {
	line int
	text json.RawMessage
}

// items splits a file: at its lines or, when it is one array, at its elements. With
// an error come the items before it.
func items(data []byte) ([]item, *FileError) {
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		var found []item
		line := 0
		for text := range bytes.Lines(data) {
			line++
			if text = bytes.TrimSpace(text); len(text) > 0 {
				found = append(found, item{line, text})
			}
		}
		return found, nil
	}
	var found []item
	dec := json.NewDecoder(bytes.NewReader(data))
	if _, err := dec.Token(); err != nil { // [
		return nil, broken(data, dec, err)
	}
	for dec.More() {
		// Between elements the decoder stands before a comma or blanks.
		at := int(dec.InputOffset())
		at += len(data[at:]) - len(bytes.TrimLeft(data[at:], ", \t\r\n"))
		var text json.RawMessage
		if err := dec.Decode(&text); err != nil {
			return found, broken(data, dec, err)
		}
		found = append(found, item{lineAt(data, at), text})
	}
	if _, err := dec.Token(); err != nil { // ]
		return found, broken(data, dec, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return found, &FileError{Line: lineAt(data, int(dec.InputOffset())), Problem: "something follows the array; a file holds one array, or one object a line"}
	}
	return found, nil
}

// broken says where an array is not JSON.
func broken(data []byte, dec *json.Decoder, err error) *FileError {
	at := dec.InputOffset()
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = max(at, s.Offset-1)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		at, err = int64(len(data)), errors.New("the array is not closed with ]")
	}
	return &FileError{Line: lineAt(data, int(at)), Problem: "this is not JSON: " + err.Error(), Err: err}
}

func lineAt(data []byte, at int) int {
	return 1 + bytes.Count(data[:min(at, len(data))], []byte("\n"))
}

// parseItem reads one reply, or says what is wrong with it.
func parseItem(text []byte) (r Reply, problem string) {
	if text[0] == '"' {
		if err := json.Unmarshal(text, &r.Text); err != nil {
			return r, "this is not JSON: " + err.Error()
		}
		return r, ""
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return r, `a reply is an object like {"reply": "the text"}, or a string`
		}
		return r, "this is not JSON: " + err.Error()
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(known, key) {
			return r, fmt.Sprintf("there is no key %q; the keys are %s", key, strings.Join(known, ", "))
		}
	}
	for _, key := range known {
		if value, ok := fields[key]; ok {
			if problem := setters[key](&r, value); problem != "" {
				return r, problem
			}
		}
	}
	_, speaks := fields["reply"]
	_, fails := fields["error"]
	switch {
	case speaks == fails:
		return r, `a reply has exactly one of "reply" and "error"`
	case speaks:
		for _, key := range ofErrors {
			if _, ok := fields[key]; ok {
				return r, fmt.Sprintf("%q belongs to an \"error\"; this is a \"reply\"", key)
			}
		}
	default:
		for _, key := range ofReplies {
			if _, ok := fields[key]; ok {
				return r, fmt.Sprintf("%q belongs to a \"reply\"; this is an \"error\"", key)
			}
		}
	}
	return r, ""
}

// The keys of an item, in the order in which they are shown and applied; those that
// only failures have, and those that only texts have.
var (
	known     = []string{"reply", "error", "match", "request", "times", "delay", "finish", "usage", "reasoning", "tool_calls", "message", "status", "retry_after"}
	ofErrors  = []string{"message", "status", "retry_after"}
	ofReplies = []string{"finish", "usage", "reasoning", "tool_calls"}
)

// kinds are the failures that a file can ask for.
var kinds = []lm.Kind{lm.KindAuth, lm.KindNoKey, lm.KindRateLimit, lm.KindTimeout, lm.KindUnreachable,
	lm.KindServer, lm.KindRequest, lm.KindReply, lm.KindCanceled}

// setters apply the value of a key, or say what value it takes.
var setters = map[string]func(r *Reply, value []byte) (problem string){
	"reply": func(r *Reply, value []byte) string {
		return decode(value, &r.Text, `"reply" is the text of the reply, a string`)
	},
	"error": func(r *Reply, value []byte) string {
		r.Err = &lm.Error{Message: "the script says so"}
		if problem := decode(value, &r.Err.Kind, `"error" is the name of a failure, a string`); problem != "" {
			return problem
		}
		if !slices.Contains(kinds, r.Err.Kind) {
			return fmt.Sprintf("there is no failure %q; the failures are %s", r.Err.Kind, join(kinds))
		}
		return ""
	},
	"match": func(r *Reply, value []byte) string {
		r.Match = new(string)
		return decode(value, r.Match, `"match" is a part of the last user message, a string`)
	},
	"request": func(r *Reply, value []byte) string {
		const want = `"request" is what names the call, a string that --record writes`
		if problem := decode(value, &r.Request, want); problem != "" {
			return problem
		}
		switch {
		case r.Request == "":
			return want
		case r.Match != nil:
			return `a reply has "match" or "request", not both`
		}
		return ""
	},
	"reasoning": func(r *Reply, value []byte) string {
		return decode(value, &r.Reasoning, `"reasoning" is what the model thought before it answered, a string`)
	},
	"tool_calls": func(r *Reply, value []byte) string {
		const want = `"tool_calls" is a list like [{"id": "1", "name": "look", "arguments": {}}]`
		dec := json.NewDecoder(bytes.NewReader(value))
		dec.DisallowUnknownFields()
		if value[0] != '[' || dec.Decode(&r.ToolCalls) != nil {
			return want
		}
		for _, c := range r.ToolCalls {
			if c.Name == "" || len(c.Arguments) == 0 {
				return want
			}
		}
		return ""
	},
	"times": func(r *Reply, value []byte) string {
		if string(value) == `"always"` {
			r.Times = Always
			return ""
		}
		const want = `"times" is how many calls get this, a whole number from 1, or "always"`
		if problem := decode(value, &r.Times, want); problem != "" {
			return problem
		}
		if r.Times < 1 {
			return want
		}
		return ""
	},
	"delay": func(r *Reply, value []byte) string {
		return decodeDuration(value, &r.Delay, `"delay"`)
	},
	"finish": func(r *Reply, value []byte) string {
		return decode(value, &r.Finish, `"finish" is why the reply ends: "stop", "length", "filter" or "tools"`)
	},
	"usage": func(r *Reply, value []byte) string {
		const want = `"usage" is an object like {"input_tokens": 10, "output_tokens": 5}`
		dec := json.NewDecoder(bytes.NewReader(value))
		dec.DisallowUnknownFields()
		if value[0] != '{' || dec.Decode(&r.Usage) != nil || r.Usage.InputTokens < 0 || r.Usage.OutputTokens < 0 {
			return want
		}
		return ""
	},
	"message": func(r *Reply, value []byte) string {
		var text string
		problem := decode(value, &text, `"message" is what the failure says, a string`)
		if r.Err != nil {
			r.Err.Message = text
		}
		return problem
	},
	"status": func(r *Reply, value []byte) string {
		const want = `"status" is an HTTP status, a number from 100 to 599`
		var status int
		if problem := decode(value, &status, want); problem != "" {
			return problem
		}
		if status < 100 || status > 599 {
			return want
		}
		if r.Err != nil {
			r.Err.Status = status
		}
		return ""
	},
	"retry_after": func(r *Reply, value []byte) string {
		var d time.Duration
		problem := decodeDuration(value, &d, `"retry_after"`)
		if r.Err != nil {
			r.Err.RetryAfter = d
		}
		return problem
	},
}

// decode reads value, which must not be null, into target.
func decode(value []byte, target any, want string) (problem string) {
	if string(value) == "null" || json.Unmarshal(value, target) != nil {
		return want
	}
	return ""
}

func decodeDuration(value []byte, d *time.Duration, key string) (problem string) {
	want := key + ` is a duration, a string like "50ms" or "1s"`
	var text string
	if problem := decode(value, &text, want); problem != "" {
		return problem
	}
	parsed, err := time.ParseDuration(text)
	if err != nil || parsed < 0 {
		return want
	}
	*d = parsed
	return ""
}

func join(kinds []lm.Kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

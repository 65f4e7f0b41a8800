package optimize

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/journal"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/value"
)

// Log is what was answered in a tuning so far: whole runs with their scores, and the
// replies of models. A tuning that is begun again with the Log of one that was killed
// goes the same way without running or paying anything twice. It is a file of lines of
// JSON that only grows; a last line that was cut is left out.
//
// Equal requests of one tuning have one answer, as in DSPy with its cache: the first
// that was kept. Runs that shall differ have another rollout.
//
// The nil Log keeps nothing.
type Log struct {
	mu      sync.Mutex
	file    *os.File
	secrets []string
	runs    map[string]json.RawMessage
	replies map[string]json.RawMessage
	begun   Head
	known   int
	spent   Spent
	err     error
}

// Head says which tuning a log belongs to.
type Head struct {
	Version int `json:"version"`
	// Optimization is the name of the block, Config a digest of all that its answers
	// depend on: the project's text, settings, variables, seed.
	Optimization string `json:"optimization"`
	Config       string `json:"config"`
}

// Spent is what a tuning has used.
type Spent struct {
	Calls int     `json:"calls"`
	USD   float64 `json:"usd"`
}

// line is one line of the file.
type line struct {
	Head  *Head           `json:"tuning,omitempty"`
	Key   string          `json:"key,omitempty"`
	Run   json.RawMessage `json:"run,omitempty"`
	Reply json.RawMessage `json:"reply,omitempty"`
}

// ErrOther says that a log belongs to another tuning, or to a program that has
// changed since.
var ErrOther = errors.New("the log belongs to another tuning")

// OpenLog opens the log of a tuning. With resume it goes on with what the file has:
// the error is ErrOther where that is another tuning's, and fs.ErrNotExist where there
// is none. Without it the file is begun anew. What has a secret in it is not kept.
func OpenLog(path string, head Head, resume bool, secrets []string) (*Log, error) {
	l := &Log{runs: map[string]json.RawMessage{}, replies: map[string]json.RawMessage{}, secrets: secrets, begun: head}
	flags := os.O_RDWR | os.O_CREATE | os.O_TRUNC
	if resume {
		flags = os.O_RDWR
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, err
	}
	l.file = f
	if resume {
		if err := l.read(); err != nil {
			f.Close()
			return nil, err
		}
		return l, nil
	}
	l.write(line{Head: &head})
	if l.err != nil {
		f.Close()
		return nil, l.err
	}
	return l, nil
}

// read reads what the file has, and leaves it at the end of its last whole line.
func (l *Log) read() error {
	r := bufio.NewReaderSize(l.file, 1<<20)
	var end int64
	for n := 0; ; n++ {
		text, err := r.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if len(text) == 0 || text[len(text)-1] != '\n' {
			break // the end, or a line that was cut
		}
		var x line
		if json.Unmarshal(text, &x) != nil {
			break
		}
		switch {
		case n == 0:
			if x.Head == nil || *x.Head != l.begun {
				return ErrOther
			}
		case x.Run != nil:
			l.runs[x.Key] = x.Run
		case x.Reply != nil:
			if _, twice := l.replies[x.Key]; !twice {
				l.replies[x.Key] = x.Reply
				l.count(x.Reply)
			}
		}
		end += int64(len(text))
	}
	if end == 0 {
		return ErrOther
	}
	l.known = len(l.runs) + len(l.replies)
	if err := l.file.Truncate(end); err != nil {
		return err
	}
	_, err := l.file.Seek(end, io.SeekStart)
	return err
}

// count adds what a reply has used.
func (l *Log) count(data []byte) {
	r, err := journal.DecodeReply(data)
	if err != nil || r.Cached {
		return
	}
	l.spent.Calls += 1 + len(r.Also)
	if r.Cost != nil {
		l.spent.USD += *r.Cost
	}
}

// Known returns how many runs and replies an earlier tuning had kept.
func (l *Log) Known() int {
	if l == nil {
		return 0
	}
	return l.known
}

// Spent returns what the replies in the log have used.
func (l *Log) Spent() Spent {
	if l == nil {
		return Spent{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spent
}

// Close closes the file. The error says why something could not be kept.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.err, l.file.Close())
}

// write appends a line; the caller holds the lock or is alone.
func (l *Log) write(x line) {
	if l.err != nil {
		return
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if l.err = e.Encode(x); l.err != nil {
		return
	}
	for _, s := range l.secrets {
		if s != "" && strings.Contains(b.String(), s) {
			return
		}
	}
	_, l.err = l.file.Write(b.Bytes())
}

// keptRun is an Outcome as it is kept.
type keptRun struct {
	Outputs  json.RawMessage `json:"outputs,omitempty"`
	Scores   []*float64      `json:"scores"` // null where one is not known
	Feedback string          `json:"feedback,omitempty"`
	Err      string          `json:"error,omitempty"`
	Unscored string          `json:"unscored,omitempty"`
	Asked    []keptAsked     `json:"asked,omitempty"`
	Seconds  float64         `json:"seconds"`
	USD      float64         `json:"usd"`
	Calls    int             `json:"calls"`
}

type keptAsked struct {
	Predictor int             `json:"predictor"`
	Inputs    json.RawMessage `json:"inputs"`
	Outputs   json.RawMessage `json:"outputs"`
}

// outcome returns the run of a key; nil where the log has none.
func (l *Log) outcome(key string) *Outcome {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	data, ok := l.runs[key]
	l.mu.Unlock()
	if !ok {
		return nil
	}
	var k keptRun
	if json.Unmarshal(data, &k) != nil {
		return nil
	}
	o := &Outcome{Feedback: k.Feedback, Err: k.Err, Unscored: k.Unscored, Seconds: k.Seconds, USD: k.USD, Calls: k.Calls, Outputs: object(k.Outputs)}
	for _, x := range k.Scores {
		score := math.NaN()
		if x != nil {
			score = *x
		}
		o.Scores = append(o.Scores, score)
	}
	for _, a := range k.Asked {
		o.Asked = append(o.Asked, Asked{a.Predictor, object(a.Inputs), object(a.Outputs)})
	}
	return o
}

func object(data json.RawMessage) *value.Object {
	if data == nil {
		return nil
	}
	v, err := value.DecodeJSON(data)
	if err != nil {
		return nil
	}
	o, _ := v.(*value.Object)
	return o
}

// keep keeps a run.
func (l *Log) keep(key string, o *Outcome) {
	if l == nil {
		return
	}
	k := keptRun{Feedback: o.Feedback, Err: o.Err, Unscored: o.Unscored, Seconds: o.Seconds, USD: o.USD, Calls: o.Calls}
	if o.Outputs != nil {
		k.Outputs = value.EncodeJSON(o.Outputs)
	}
	for _, x := range o.Scores {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			k.Scores = append(k.Scores, nil)
		} else {
			k.Scores = append(k.Scores, &x)
		}
	}
	for _, a := range o.Asked {
		k.Asked = append(k.Asked, keptAsked{a.Predictor, value.EncodeJSON(a.Inputs), value.EncodeJSON(a.Outputs)})
	}
	data, err := json.Marshal(k)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write(line{Key: key, Run: data})
}

type logKey struct{}

// WithLog returns a context whose calls are kept in l, and answered from it, by models
// that Logging is around.
func WithLog(ctx context.Context, l *Log) context.Context {
	if l == nil {
		return ctx
	}
	return context.WithValue(ctx, logKey{}, l)
}

// Logging lets a model be answered from the Log of a context: a request that was
// answered before in the same tuning has its answer from there, with the cost that it
// had. Without a Log it changes nothing.
func Logging(m lm.LM) lm.LM { return &logged{m} }

type logged struct{ lm.LM }

func (m *logged) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	log, _ := ctx.Value(logKey{}).(*Log)
	if log == nil {
		return m.LM.Generate(ctx, req)
	}
	hash := journal.Request(m.LM.Address(), req)
	key := hex.EncodeToString(hash[:16])
	if r := log.reply(key); r != nil {
		return r, nil
	}
	r, err := m.LM.Generate(ctx, req)
	if err != nil {
		return nil, err
	}
	return log.replied(key, r), nil
}

func (l *Log) reply(key string) *lm.Response {
	l.mu.Lock()
	data, ok := l.replies[key]
	l.mu.Unlock()
	if !ok {
		return nil
	}
	r, err := journal.DecodeReply(data)
	if err != nil {
		return nil
	}
	r.Journaled = false
	return r
}

// replied keeps a reply and returns the one that counts: the first that was kept.
func (l *Log) replied(key string, r *lm.Response) *lm.Response {
	data, err := journal.EncodeReply(r)
	if err != nil {
		return r
	}
	l.mu.Lock()
	first, twice := l.replies[key]
	if !twice {
		l.replies[key] = data
		l.write(line{Key: key, Reply: data})
	}
	l.count(data)
	l.mu.Unlock()
	if !twice {
		return r
	}
	if was, err := journal.DecodeReply(first); err == nil {
		was.Journaled = false
		return was
	}
	return r
}

// String says whose log it is.
func (h Head) String() string { return fmt.Sprintf("optimize.%s (%s)", h.Optimization, h.Config) }

package python

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// Function is something in Python that a .dsp file names by `call` and that is no
// step: the body of a tool, a retriever, a data set, an embedder. The workers of its
// Pool call it. It is safe for use by many goroutines.
type Function struct {
	Pool *Pool
	Call string // module:name
	// Folder is where the module is looked for first: that of the .dsp file.
	Folder  string
	Address string        // what it is in the program: tool.area
	Timeout time.Duration // the longest that Python may have a call to itself; 0: the pool's
	Place   source.Place  // where it is named
}

// FolderOf returns the folder in which the Python of a .dsp file is looked for.
func FolderOf(at source.Place) string {
	if at.File == nil {
		return ""
	}
	dir, err := filepath.Abs(filepath.Dir(at.File.Name))
	if err != nil {
		return ""
	}
	return dir
}

// request sends a command to a worker. What had not reached one that ended is sent to
// another.
func (f *Function) request(ctx context.Context, command string, args any, host asked) (json.RawMessage, error) {
	limit := f.Timeout
	if limit <= 0 {
		limit = f.Pool.opt.Timeout
	}
	for again := 0; ; again++ {
		result, err := f.Pool.ask(ctx, f.Folder, command, f.Address, args, host, limit)
		var died *DiedError
		if errors.As(err, &died) && died.Unsent && again < 3 {
			continue
		}
		return result, err
	}
}

// ask sends a command to a worker of a folder.
func (p *Pool) ask(ctx context.Context, folder, command, address string, args any, host asked, limit time.Duration) (json.RawMessage, error) {
	w, err := p.acquire(ctx, folder)
	if err != nil {
		return nil, err
	}
	defer p.release(w)
	return w.call(ctx, command, address, args, host, limit)
}

// functionHost answers what a function asks that is no step: a model, where the step
// that calls it has one.
type functionHost struct{ *stepHost }

// hostOf returns the host of a function that is called by a step; call may be nil.
// The parameters of the step are for its own questions, the function's are its own.
func hostOf(call *module.Call) functionHost {
	c := &module.Call{}
	if call != nil {
		x := *call
		x.Own, x.Stream, x.Tools, x.Parts, x.Feedback, x.Judge, x.Retriever = lm.Params{}, false, nil, nil, nil, nil, nil
		c = &x
	}
	h := &stepHost{call: c, made: &spec{}}
	h.begin(0)
	return functionHost{h}
}

func (h functionHost) ask(ctx context.Context, command string, args json.RawMessage) (json.RawMessage, error) {
	if command != "lm" {
		return nil, fmt.Errorf("`%s` is for steps: what a step may use stands in it", command)
	}
	if h.call.LM == nil {
		return nil, errors.New("no model answers here: a function that asks one is a step, `python NAME { call = … }`")
	}
	return h.stepHost.ask(ctx, command, args)
}

func (h functionHost) partial(json.RawMessage) {}

// toolArgs are those of the command call_tool.
type toolArgs struct {
	Target   string          `json:"target"`
	Args     jsonText        `json:"args"`
	Address  string          `json:"address,omitempty"`
	Model    string          `json:"model,omitempty"`
	Features map[string]bool `json:"features,omitempty"`
}

// Tool calls the function as the body of a tool, with the arguments by name; inputs
// are their types. The call is that of the step which calls the tool: its model
// answers where the function asks one. The result is what the function returns. The
// error is a *Fault.
func (f *Function) Tool(ctx context.Context, call *module.Call, inputs []types.Field, args *value.Object) (any, error) {
	h := hostOf(call)
	given, err := inputsOf(inputs, args)
	if err != nil {
		return nil, err
	}
	a := toolArgs{Target: f.Call, Args: given, Address: f.Address}
	if m := h.call.LM; m != nil {
		features := m.Features()
		a.Model, a.Features = m.Address(), map[string]bool{"json": features.JSON, "schema": features.Schema, "tools": features.Tools}
	}
	result, err := f.request(nested(ctx), "call_tool", a, h)
	if err != nil {
		return nil, f.fault(ctx, h.stepHost, err)
	}
	v, err := value.DecodeJSON(result)
	if err != nil {
		return nil, err
	}
	o, _ := v.(*value.Object)
	x, _ := o.Get("value")
	return x, nil
}

// Retriever returns a retriever that asks the function: called with a query and, where
// it takes one, k. What it gives is checked. K is how many passages are wanted when
// nobody says; 0: retrieve.DefaultK.
func (f *Function) Retriever(k int) retrieve.Retriever {
	if k <= 0 {
		k = retrieve.DefaultK
	}
	return &pythonRetriever{f, k}
}

type pythonRetriever struct {
	f *Function
	k int
}

// Retrieve asks the function. A passage without an id gets one made of its text.
func (r *pythonRetriever) Retrieve(ctx context.Context, query string, k int) ([]retrieve.Passage, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if k <= 0 {
		k = r.k
	}
	if len(retrieve.Words(query)) == 0 {
		return nil, nil
	}
	h := hostOf(nil)
	result, err := r.f.request(nested(ctx), "retrieve", map[string]any{"target": r.f.Call, "query": query, "k": k, "address": r.f.Address}, h)
	if err != nil {
		return nil, r.f.fault(ctx, h.stepHost, err)
	}
	v, err := value.DecodeJSON(result)
	if err != nil {
		return nil, err
	}
	o, _ := v.(*value.Object)
	list, _ := o.Get("passages")
	passages, _ := list.([]any)
	out := make([]retrieve.Passage, 0, min(k, len(passages)))
	for _, x := range passages[:min(k, len(passages))] {
		p, err := passageOf(x)
		if err != nil {
			return nil, &retrieve.Error{Retriever: r.f.Address, Text: "`" + r.f.Call + "` " + err.Error()}
		}
		out = append(out, p)
	}
	return out, nil
}

func passageOf(x any) (retrieve.Passage, error) {
	o, ok := x.(*value.Object)
	if !ok {
		return retrieve.Passage{}, errors.New("gave a passage that is none")
	}
	text := func(name string) string {
		v, _ := o.Get(name)
		s, _ := v.(string)
		return s
	}
	p := retrieve.Passage{ID: text("id"), Title: text("title"), Text: text("text")}
	if score, ok := o.Get("score"); ok {
		switch n := score.(type) {
		case float64:
			p.Score = n
		case int:
			p.Score = float64(n)
		default:
			return p, fmt.Errorf("gave a passage with the score %s, which is no number", value.EncodeJSON(score))
		}
	}
	if meta, ok := o.Get("meta"); ok {
		p.Meta, _ = meta.(*value.Object)
	}
	if p.ID == "" {
		sum := sha256.Sum256([]byte(p.Title + "\x00" + p.Text))
		p.ID = hex.EncodeToString(sum[:6])
	}
	return p, nil
}

// Embedder returns a model that makes vectors by asking the function, for
// retrieve.Through. Its address is python/ and what is called.
func (f *Function) Embedder() lm.LM { return &pythonEmbedder{f} }

type pythonEmbedder struct{ f *Function }

// Address returns python/module:name.
func (e *pythonEmbedder) Address() string { return "python/" + e.f.Call }

// Features says that it takes text only.
func (e *pythonEmbedder) Features() lm.Features { return lm.Features{} }

// Generate returns a vector for each message. The error is an *lm.Error.
func (e *pythonEmbedder) Generate(ctx context.Context, req *lm.Request) (*lm.Response, error) {
	texts, size := make([]string, len(req.Messages)), 0
	for i, m := range req.Messages {
		texts[i] = m.Text()
		size += len(texts[i])
	}
	h := hostOf(nil)
	result, err := e.f.request(nested(ctx), "embed", map[string]any{"target": e.f.Call, "texts": texts, "address": e.Address()}, h)
	if err != nil {
		if end := lm.ContextError(ctx, e.Address()); end != nil {
			return nil, end
		}
		return nil, &lm.Error{Kind: lm.KindRequest, Model: e.Address(), Message: e.f.words(err), Err: e.f.fault(ctx, h.stepHost, err)}
	}
	var got struct {
		Vectors [][]float32 `json:"vectors"`
	}
	if err := json.Unmarshal(result, &got); err != nil {
		return nil, &lm.Error{Kind: lm.KindReply, Model: e.Address(), Message: "it gave no list of vectors: a vector is a list of numbers"}
	}
	return &lm.Response{
		Finish: lm.FinishStop, Model: e.f.Call, Vectors: got.Vectors,
		Usage: lm.Usage{InputTokens: (size + 3) / 4, Estimated: true},
	}, nil
}

// Package history keeps runs so that they can be looked at afterwards: what went
// in, what each model was sent and answered, what that cost and how long it took.
//
//	Run       one run of a program: its inputs and outputs, how it ended, what it used
//	Step      one step of a run; the elements of a for_each are steps of their own
//	Call      one call of a model: what was sent, the reply, what was done to it
//	Whole     a run with all its steps and calls
//	Store     where they are kept (store.go); Memory is one (memory.go)
//	Recorder  a trace.Sink that turns the events of runs into these records and
//	          writes them in the background (recorder.go)
//	Keep      how long runs are kept: 30d (keep.go)
//
// What is written of a medium is its kind, type, size and hash, never its bytes
// (message.go). Secrets are not written at all (secrets.go).
package history

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/value"
)

// Status says how a run or step stands.
type Status string

// The statuses.
const (
	Running     Status = "running"
	OK          Status = "ok"
	Failed      Status = "failed"
	Interrupted Status = "interrupted" // somebody stopped it, or its time was up
	Paused      Status = "paused"      // it waits for a person
	Unended     Status = "did not end" // its process went away in the middle
)

// Failure says why a run, step, call or attempt failed.
type Failure struct {
	Code  string `json:"code,omitempty"` // of a diagnostic, or the kind of a model's failure
	Title string `json:"title,omitempty"`
	Text  string `json:"text"` // for people; it may have several lines
	// Report is the diagnostic as JSON, where the failure is one.
	Report json.RawMessage `json:"report,omitempty"`
}

// Usage is what a run used, as the Result of a run counts it.
type Usage struct {
	Calls           int `json:"calls"` // requests that were answered
	InputTokens     int `json:"input_tokens"`
	OutputTokens    int `json:"output_tokens"`
	CachedTokens    int `json:"cached_tokens,omitempty"`
	ReasoningTokens int `json:"reasoning_tokens,omitempty"`
	Cached          int `json:"cached"` // replies that were kept from earlier calls: nothing was sent
	// Journaled are those of Calls and Cached that an earlier leg of the run had:
	// the counts are those of all its legs.
	Journaled int      `json:"journaled,omitempty"`
	USD       *float64 `json:"usd"` // nil: a price is not known
	Estimated bool     `json:"estimated,omitempty"`
}

// Model is a model that a program was planned with.
type Model struct {
	Address  string `json:"address"` // provider/name
	Name     string `json:"name,omitempty"`
	Provider string `json:"provider"`
	ID       string `json:"id"`
	BaseURL  string `json:"base_url,omitempty"` // without what it keeps secret
	API      string `json:"api,omitempty"`      // which of the provider's, where it has several
	KeyName  string `json:"key_name,omitempty"` // the environment variable that usually holds its key; "" where none was sent
	Source   string `json:"source,omitempty"`   // why this model: "--model", "the program", …
}

// Run is one run of a program.
type Run struct {
	ID      string  `json:"id"`
	Program string  `json:"program"` // its address: program.rag
	File    string  `json:"file"`    // of the program; "" for a signature
	Version string  `json:"version"` // of dspi
	Models  []Model `json:"models"`

	Status  Status          `json:"status"`
	Started time.Time       `json:"started"`
	Ended   *time.Time      `json:"ended"` // nil: it did not end, or not yet
	Inputs  json.RawMessage `json:"inputs"`
	Outputs json.RawMessage `json:"outputs"` // null unless it is OK
	Error   *Failure        `json:"error,omitempty"`
	Usage   Usage           `json:"usage"` // so far
	// Origin is how the run was begun; nil where that is not known, and then it
	// cannot be resumed.
	Origin *Origin `json:"origin,omitempty"`

	// Writer is the id of the Recorder that writes the run.
	Writer string `json:"-"`
}

// Origin is how runs were begun, so that one can be taken up again. It holds no
// secret.
type Origin struct {
	Program   string `json:"program,omitempty"`   // the name that was given; "" for none
	Signature string `json:"signature,omitempty"` // that stands for a file
	Source    string `json:"source,omitempty"`    // SHA-256 of the program's texts, in hexadecimal digits
	Model     string `json:"model,omitempty"`     // of --model
	// DefaultModel answered where nothing else named a model: what DSPI_MODEL said.
	DefaultModel string `json:"default_model,omitempty"`
	// Vars are the values of variables that were given, as JSON, but for secrets:
	// these are in Secrets by their names.
	Vars    map[string]json.RawMessage `json:"vars,omitempty"`
	Secrets []string                   `json:"secrets,omitempty"`
	State   string                     `json:"state,omitempty"` // the path of a saved program
	// Variables are the values that the variables had, given or not, but for secrets.
	Variables map[string]json.RawMessage `json:"variables,omitempty"`
	// Files are the paths of files whose bytes are an input, by the input's name.
	Files map[string]string `json:"files,omitempty"`
	// Unkept are the inputs that are not whole in Inputs: secrets, bytes of media.
	Unkept []string `json:"unkept,omitempty"`
	// Evaluation is the name of the evaluation whose rows the batch measures; "" for
	// any other run. MaxErrors is how many of them may fail, where that was given.
	// NoCache and Save are the flags of that name: whether each call of it is sent, and
	// the files for its results.
	Evaluation string   `json:"evaluation,omitempty"`
	MaxErrors  *int     `json:"max_errors,omitempty"`
	NoCache    bool     `json:"no_cache,omitempty"`
	Save       []string `json:"save,omitempty"`
	// Table makes the run a batch: its rows are runs of their own, whose ids are
	// the id of the batch, a dash, and the number of the row. nil for all others.
	Table *Table `json:"table,omitempty"`
}

// Table is what a batch goes through.
type Table struct {
	Path        string   `json:"path"`
	Rows        string   `json:"rows,omitempty"` // ranges: 7,12-20
	Limit       int      `json:"limit,omitempty"`
	Carry       []string `json:"carry,omitempty"` // columns that are copied into the output
	Concurrency int      `json:"concurrency"`
}

// RowID returns the id of the run of a row of a batch.
func RowID(batch string, row int) string { return fmt.Sprintf("%s-%d", batch, row) }

// IsRow reports whether an id is that of a row of a batch, and of which.
func IsRow(id string) (batch string, ok bool) {
	batch, _, ok = strings.Cut(id, "-")
	return batch, ok
}

// Resumable reports whether a run can be taken up again: it has no good end.
func (r *Run) Resumable() bool {
	return r.Origin != nil && r.Status != OK && r.Status != Running
}

// Duration returns how long a run took, 0 for one that has no end.
func (r *Run) Duration() time.Duration {
	if r.Ended == nil {
		return 0
	}
	return r.Ended.Sub(r.Started)
}

// Step is one step of a run.
type Step struct {
	Run     string `json:"-"`
	Number  int    `json:"number"`            // no other step of the run has it
	Address string `json:"address"`           // program.rag.respond
	Element *int   `json:"element,omitempty"` // index of the for_each element it works on
	Path    string `json:"path,omitempty"`    // where it stands in the run: improve#2/critique
	Parent  int    `json:"parent,omitempty"`  // the number of the step that called its program

	Status   Status          `json:"status"`
	Started  time.Time       `json:"started"`
	Duration time.Duration   `json:"duration_ns"`
	Inputs   json.RawMessage `json:"inputs"`
	Outputs  json.RawMessage `json:"outputs"`
	Error    *Failure        `json:"error,omitempty"`

	Tools    []ToolCall `json:"tools,omitempty"`
	Asserted []Asserted `json:"asserted,omitempty"`
}

// ToolCall is one call of a tool by a step.
type ToolCall struct {
	Number   int             `json:"number"` // no other call of the run has it
	Tool     string          `json:"tool"`
	Started  time.Time       `json:"started"`
	Duration time.Duration   `json:"duration_ns"`
	Inputs   json.RawMessage `json:"inputs"`
	Outputs  json.RawMessage `json:"outputs"` // null where it failed
	Error    *Failure        `json:"error,omitempty"`
	Repairs  []value.Repair  `json:"repairs,omitempty"` // of the arguments
}

// Asserted is an assert or suggest that an answer of a step did not satisfy.
type Asserted struct {
	Name    string `json:"name"`
	Message string `json:"message"` // what the model was told
	Suggest bool   `json:"suggest,omitempty"`
	Final   bool   `json:"final,omitempty"` // the step was not asked again
}

// Call is one call of a model: one question, with all attempts to have it
// answered. A reply that did not fit and the question that followed are two.
type Call struct {
	Run     string `json:"-"`
	Number  int    `json:"number"`  // no other call of the run has it
	Step    int    `json:"step"`    // the number of its step
	Address string `json:"address"` // of its step
	Model   string `json:"model"`   // the address that was asked

	Started  time.Time     `json:"started"`
	Duration time.Duration `json:"duration_ns"`
	Request  Request       `json:"request"`
	Reply    *Reply        `json:"reply"` // nil: none came
	Error    *Failure      `json:"error,omitempty"`
	Attempts []Attempt     `json:"attempts,omitempty"` // those that failed and were repeated
	// Choices are where a route sent the call and whom it passed over, and the
	// further requests of a hedge, in the order in which they happened.
	Choices []Choice `json:"choices,omitempty"`
	// Misfit is what did not fit in the reply. The call after it, if the step has
	// one, tells the model so.
	Misfit  []value.Fault  `json:"misfit,omitempty"`
	Repairs []value.Repair `json:"repairs,omitempty"`
}

// Request is what a model was sent.
type Request struct {
	Messages   []Message  `json:"messages"`
	Params     lm.Params  `json:"params"`
	Tools      []lm.Tool  `json:"tools,omitempty"`
	ToolChoice string     `json:"tool_choice,omitempty"`
	Format     *lm.Format `json:"format,omitempty"`
	Rollout    int        `json:"rollout,omitempty"`
}

// Reply is what a model answered.
type Reply struct {
	Text      string        `json:"text"`
	Reasoning string        `json:"reasoning,omitempty"`
	ToolCalls []lm.ToolCall `json:"tool_calls,omitempty"`
	Finish    lm.Finish     `json:"finish"`
	Usage     lm.Usage      `json:"usage"`
	Cost      *float64      `json:"cost"` // US dollars; nil: the price is not known
	Cached    bool          `json:"cached,omitempty"`
	Journaled bool          `json:"journaled,omitempty"` // an earlier leg of the run had it
	// Answered is the address of the model that answered, where a route chose it,
	// and Name what the provider called it.
	Answered string  `json:"answered,omitempty"`
	Name     string  `json:"name,omitempty"`
	Also     []Spent `json:"also,omitempty"` // other requests that are paid for it
}

// Spent is what another request used that was paid for the same reply.
type Spent struct {
	Address string   `json:"address"`
	Usage   lm.Usage `json:"usage"`
	Cost    *float64 `json:"cost"` // US dollars; nil: not known
}

// Attempt is a try that failed and was repeated.
type Attempt struct {
	Number   int           `json:"number"`
	Error    Failure       `json:"error"`
	Duration time.Duration `json:"duration_ns"`
	Wait     time.Duration `json:"wait_ns"` // the pause after it
}

// ChoiceKind says what a Choice is.
type ChoiceKind string

// The kinds of choices.
const (
	Chosen ChoiceKind = "chosen" // a route sent the call to Model
	Passed ChoiceKind = "passed" // a route passed Model over, or did not take its reply
	Hedged ChoiceKind = "hedge"  // Model was sent the call once more: no reply came for a while
)

// Choice is a decision about whom a call is sent to.
type Choice struct {
	Kind   ChoiceKind `json:"kind"`
	Model  string     `json:"model"`            // its address
	Number int        `json:"number,omitempty"` // Hedged: which request of the call, from 2
	Reason string     `json:"reason"`
}

// String says it for people: `sent to openai/gpt-4o-mini: the cheapest`.
func (c Choice) String() string {
	said := map[ChoiceKind]string{Chosen: "sent to " + c.Model, Passed: "passed over " + c.Model, Hedged: fmt.Sprintf("sent to %s again, request %d", c.Model, c.Number)}[c.Kind]
	if c.Reason == "" {
		return said
	}
	return said + ": " + c.Reason
}

// Whole is a run with its steps and calls, each in the order in which they began.
type Whole struct {
	Run
	Steps []Step `json:"steps"`
	Calls []Call `json:"calls"`
}

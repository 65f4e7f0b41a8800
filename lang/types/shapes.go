package types

import "strings"

import "strconv"

// The rows whose values have a structure. Its fields can be read in expressions
// (`usage.total_tokens`) and its faults have paths. A record here is named like
// its row, so that messages and schemas call it that.

// MaxDimensions is the length of the longest embedding.
const MaxDimensions = 10_000

// MaxReasoningSteps is the length of the longest reasoning_chain.
const MaxReasoningSteps = 50

func ptr[T any](v T) *T { return &v }

func record(name string, fields ...Field) *Record { return &Record{Name: name, Fields: fields} }

func field(name string, t Type, doc string) Field {
	return Field{Name: name, Type: t, Description: doc}
}

func optional(name string, t Type, doc string) Field {
	return Field{Name: name, Type: NewOptional(t), Description: doc}
}

func withDefault(f Field, v any) Field {
	f.Default, f.HasDefault = v, true
	return f
}

var (
	aName    = &Primitive{Row: stringRow, Constraints: Constraints{MinLength: ptr(1), MaxLength: ptr(100)}}
	aText    = &Primitive{Row: stringRow, Constraints: Constraints{MinLength: ptr(1)}}
	position = &Primitive{Row: intRow, Constraints: Constraints{Min: ptr(0.0)}}
	seconds  = &Primitive{Row: floatRow, Constraints: Constraints{Min: ptr(0.0)}}
	tokens   = &Primitive{Row: tokenCountRow}
	texts    = &List{Elem: String}
	anything = &Map{Elem: JSON}
)

// Media: where the bytes are, or the bytes themselves.

func media(name string) *Record {
	return record(name,
		optional("url", &Primitive{Row: stringRow, Constraints: Constraints{Pattern: ptr("^https?://")}}, "where it can be fetched"),
		optional("data", aText, "its bytes in base64"),
		optional("media_type", &Primitive{Row: stringRow, Constraints: Constraints{Pattern: ptr("^[a-z]+/[a-z0-9.+-]+$")}}, "such as image/png; needed with data"),
		optional("path", aText, "a file of this machine"),
	)
}

const (
	mediaRule  = "exactly one of url, data and path is given, and media_type with data"
	mediaReads = "a text with an http address or a data: URI"
)

var (
	imageRow = &Row{Name: "image", Group: Media, Base: ShapedBase, Python: "dspy.Image", Database: "jsonb",
		Doc: "a picture: {url}, {data, media_type} or {path}", Shape: media("image"), Rule: mediaRule, Reads: mediaReads,
		Example: map[string]any{"url": "https://example.com/cat.png"}}
	audioRow = &Row{Name: "audio", Group: Media, Base: ShapedBase, Python: "dspy.Audio", Database: "jsonb",
		Doc: "a sound: {url}, {data, media_type} or {path}", Shape: media("audio"), Rule: mediaRule, Reads: mediaReads,
		Example: map[string]any{"url": "https://example.com/call.wav"}}
	fileRow = &Row{Name: "file", Group: Media, Base: ShapedBase, Python: "dspy.File", Database: "jsonb",
		Doc: "a document: {url}, {data, media_type} or {path}", Shape: media("file"), Rule: mediaRule, Reads: mediaReads,
		Example: map[string]any{"url": "https://example.com/contract.pdf"}}
)

// Measures.

var (
	tokenUsage = record("token_usage",
		field("prompt_tokens", tokens, "tokens sent"),
		field("completion_tokens", tokens, "tokens that came back"),
		field("total_tokens", tokens, "the sum of the two"),
		optional("cached_tokens", tokens, "those sent that the provider had kept"),
	)
	tokenUsageRow = &Row{Name: "token_usage", Group: Measures, Base: ShapedBase, Python: "dict[str, Any]", Database: "jsonb",
		Doc: "how many tokens a call took", Shape: tokenUsage,
		Rule:    "total_tokens is the sum of prompt_tokens and completion_tokens",
		Reads:   "input_tokens and output_tokens for the first two, and no total_tokens",
		Example: map[string]any{"prompt_tokens": 100, "completion_tokens": 28, "total_tokens": 128},
		Neutral: map[string]any{"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}}

	qualityMetricsRow = &Row{Name: "quality_metrics", Group: Measures, Base: ShapedBase, Python: "dict[str, Any]", Database: "jsonb",
		Doc: "how good something is: one score from 0 to 1, and the scores it is made of",
		Shape: record("quality_metrics",
			field("overall_score", &Primitive{Row: probabilityRow}, "from 0 to 1"),
			withDefault(field("component_scores", &Map{Elem: &Primitive{Row: probabilityRow}}, "each from 0 to 1"), map[string]any{}),
			field("details", JSON, ""),
			optional("timestamp", &Primitive{Row: datetimeRow}, "when it was judged"),
		),
		Example: map[string]any{"overall_score": 0.8, "component_scores": map[string]any{"clear": 0.9, "complete": 0.7}},
		Neutral: map[string]any{"overall_score": 0.0}}
)

// Reasoning.

var (
	reasoningStep = record("reasoning_step",
		optional("step_number", &Primitive{Row: intRow, Constraints: Constraints{Min: ptr(1.0)}}, "counted from 1"),
		field("thought", aText, "what is found in this step"),
		optional("reasoning", String, "why"),
		optional("confidence", &Primitive{Row: confidenceRow}, ""),
		optional("evidence", texts, ""),
		optional("assumptions", texts, ""),
		optional("next_steps", texts, ""),
	)
	reasoningStepRow = &Row{Name: "reasoning_step", Group: Reasoning, Base: ShapedBase, Python: "dict[str, Any]", Database: "jsonb",
		Doc: "one step of a line of thought", Shape: reasoningStep,
		Reads:   "a text, which is the thought; {step, reasoning}",
		Example: map[string]any{"step_number": 1, "thought": "17 * 20 is 340", "confidence": 0.9}}
	reasoningChainRow = &Row{Name: "reasoning_chain", Group: Reasoning, Base: ShapedBase, Python: "list[dict[str, Any]]", Database: "jsonb",
		Doc: "the steps that lead to an answer, 1 to 50",
		Shape: &List{Elem: &Primitive{Row: reasoningStepRow},
			Constraints: Constraints{MinItems: ptr(1), MaxItems: ptr(MaxReasoningSteps)}},
		Reads: "a text for a step, numbered by its place", Allows: listLimits,
		Example: []any{
			map[string]any{"step_number": 1, "thought": "17 * 20 is 340"},
			map[string]any{"step_number": 2, "thought": "17 * 3 is 51"},
			map[string]any{"step_number": 3, "thought": "340 + 51 is 391"},
		}}

	citationRow = &Row{Name: "citation", Group: Reasoning, Base: ShapedBase, Python: "dict[str, Any]", Database: "jsonb",
		Doc: "the words of a source that support a statement",
		Shape: record("citation",
			field("text", aText, "the words that are cited, verbatim"),
			optional("source", String, "the document's id"),
			optional("title", String, "the document's title"),
			optional("url", String, "where the document is"),
			optional("start", position, "where the words begin in the document, in characters from 0"),
			optional("end", position, "where they end"),
			optional("supports", String, "the statement that they support"),
		),
		Rule:    "end comes with start and is not before it",
		Reads:   "cited_text, document_title, start_char_index, end_char_index and supported_text, as Anthropic and DSPy name them",
		Example: map[string]any{"text": "The Seine flows through Paris.", "source": "d1", "start": 0, "end": 30}}
)

// Talk: what goes to a model and its tools, and what comes back.

var (
	toolCallRow = &Row{Name: "tool_call", Group: Talk, Base: ShapedBase, Python: "dict[str, Any]", Database: "jsonb",
		Doc: "a model's wish to have a tool run",
		Shape: record("tool_call",
			field("name", aName, "the tool"),
			field("arguments", anything, "its inputs by name"),
			optional("id", String, "what its result will refer to"),
		),
		Reads:   "args or function_name and call_id as names; OpenAI's {function: {name, arguments}} with its arguments as JSON text",
		Example: map[string]any{"name": "area", "arguments": map[string]any{"width": 2.0, "height": 3.0}, "id": "call_1"}}

	messageRow = &Row{Name: "message", Group: Talk, Base: ShapedBase, Python: "dict[str, Any]", Database: "jsonb",
		Doc: "one message of a conversation",
		Shape: record("message",
			field("role", NewUnion(&Literal{"system"}, &Literal{"developer"}, &Literal{"user"}, &Literal{"assistant"}, &Literal{"tool"}), "who speaks"),
			withDefault(field("content", String, "what is said"), ""),
			optional("name", String, "which of several speakers"),
			optional("tool_calls", &List{Elem: &Primitive{Row: toolCallRow}}, "the tools that the assistant asks for"),
			optional("tool_call_id", String, "the call that a tool answers"),
		),
		Rule:    "tool_calls are the assistant's, tool_call_id is a tool's",
		Reads:   "content null, where the assistant only calls tools",
		Example: map[string]any{"role": "user", "content": "Which river flows through Paris?"}}

	historyRow = &Row{Name: "history", Group: Talk, Base: ShapedBase, Python: "dspy.History", Database: "jsonb",
		Doc:   "earlier turns of a conversation: the fields of the signature by name, or messages",
		Shape: &List{Elem: anything}, Allows: listLimits,
		Reads:   "DSPy's {messages: […]}",
		Example: []any{map[string]any{"question": "Which river flows through Paris?", "answer": "The Seine."}},
		Neutral: []any{}}

	toolResultRow = &Row{Name: "tool_result", Group: Talk, Base: ShapedBase, Python: "dict[str, Any]", Database: "jsonb",
		Doc: "what a tool gave back, or why it failed",
		Shape: record("tool_result",
			field("tool_name", aName, "the tool"),
			field("result", JSON, "what it gave back"),
			field("success", Bool, ""),
			optional("error", String, "why it failed"),
			optional("execution_time", seconds, "in seconds"),
			optional("call_id", String, "the call that it answers"),
			optional("metadata", anything, ""),
		),
		Rule:    "there is an error exactly when success is false",
		Example: map[string]any{"tool_name": "area", "result": 6.0, "success": true}}

	modelOutputRow = &Row{Name: "model_output", Group: Talk, Base: ShapedBase, Python: "dict[str, Any]", Database: "jsonb",
		Doc: "a model's reply with what the provider says about it",
		Shape: record("model_output",
			field("content", String, "the reply"),
			field("model", aText, "the model that gave it"),
			optional("usage", &Primitive{Row: tokenUsageRow}, ""),
			optional("finish_reason", String, "why it ended: stop, length, …"),
			optional("metadata", anything, ""),
		),
		Example: map[string]any{"content": "The Seine.", "model": "openai/gpt-4o-mini", "finish_reason": "stop"}}

	modelResponseRow = &Row{Name: "model_response", Group: Talk, Base: ShapedBase, Python: "dict[str, Any]", Database: "jsonb",
		Doc: "the text of a reply, and perhaps where it came from",
		Shape: record("model_response",
			field("text", String, "the reply"),
			optional("model", String, "the model that gave it"),
			optional("usage", &Primitive{Row: tokenUsageRow}, ""),
			optional("metadata", anything, ""),
		),
		Reads:   "a text, which is the reply",
		Example: map[string]any{"text": "The Seine."}, Neutral: map[string]any{"text": ""}}

	variableConfigRow = &Row{Name: "variable_config", Group: Talk, Base: ShapedBase, Python: "dict[str, Any]", Database: "jsonb",
		Doc: "a variable as data: its name, its type and what it may be",
		Shape: record("variable_config",
			field("name", aName, ""),
			field("type", aName, "as dspi writes it: float(min = 0, max = 1)"),
			field("default", JSON, ""),
			optional("choices", &List{Elem: JSON}, ""),
			optional("description", String, ""),
		),
		Example: map[string]any{"name": "temperature", "type": "float(min = 0, max = 1)", "default": 0.2}}
)

// Vectors.

var (
	embeddingRow = &Row{Name: "embedding", Group: Vectors, Base: ShapedBase, Python: "list[float]", Database: "vector",
		Doc: "what a text means, as numbers: embedding(1536) has 1536 of them",
		Shape: &List{Elem: Float,
			Constraints: Constraints{MinItems: ptr(1), MaxItems: ptr(MaxDimensions)}},
		Argument: &Argument{Name: "the number of dimensions", Base: IntBase, Max: MaxDimensions, Doc: "how many numbers each value has"},
		Allows:   []string{"min", "max"},
		Example:  []any{0.1, -0.2, 0.3, 0.0, 0.25}}
	tensorRow = &Row{Name: "tensor", Group: Vectors, Base: ShapedBase, Python: "list[Any]", Database: "jsonb",
		Doc: "numbers in nested lists of equal lengths", Shape: &List{Elem: JSON},
		Rule:    "numbers, or lists of equal lengths of them, to any depth",
		Example: []any{[]any{1.0, 0.0}, []any{0.0, 1.0}}, Neutral: []any{}}
	tokenListRow = &Row{Name: "token_list", Group: Vectors, Base: ShapedBase, Python: "list[Union[str, int]]", Database: "jsonb",
		Doc: "tokens, as text or by number", Shape: &List{Elem: NewUnion(String, Int)}, Allows: listLimits,
		Example: []any{"The", " Seine", 13}, Neutral: []any{}}
	attentionWeightsRow = &Row{Name: "attention_weights", Group: Vectors, Base: ShapedBase, Python: "list[list[float]]", Database: "jsonb",
		Doc: "a matrix: how much each token looks at each other one", Shape: &List{Elem: &List{Elem: Float}},
		Rule:    "all rows are of the same length",
		Example: []any{[]any{0.9, 0.1}, []any{0.4, 0.6}}, Neutral: []any{}}
)

// Texts with a purpose.

var (
	codeRow = &Row{Name: "code", Group: Texts, Base: StringBase, Python: "str", Database: "text",
		Doc:      `a program text: code("python")`,
		Argument: &Argument{Name: "the programming language", Base: StringBase, Doc: `such as "python" or "sql"`},
		Allows:   textLimits,
		Reads:    "a text with a ``` fence, of which the first is taken",
		Example:  "print(6 * 7)", Neutral: ""}
	promptTemplateRow = &Row{Name: "prompt_template", Group: Texts, Base: StringBase, Python: "str", Database: "text",
		Doc: "a text with places to fill: Hello {name}", MinLength: 1, MaxLength: 100_000, Allows: textLimits,
		Rule:    "each { } holds a name; a brace itself is written {{ or }}",
		Example: "Answer {question} in {language}."}
	generatedTextRow = &Row{Name: "generated_text", Group: Texts, Base: StringBase, Python: "str", Database: "text",
		Doc: "a text that a model wrote, not empty", MinLength: 1, MaxLength: 1_000_000, Allows: textLimits,
		Example: "The Seine flows through Paris."}
	apiKeyRow = &Row{Name: "api_key", Group: Texts, Base: StringBase, Python: "str", Database: "text",
		Doc: "a secret: it is shown in no prompt, output, message or log", MinLength: 1, MaxLength: 4096, Sensitive: true,
		Rule:    "no space and no control character",
		Example: "sk-example"}
)

// Shape returns the structure of the values of p, with its constraints applied;
// nil when they have none: a number, a text, json.
//
//	token_usage            { prompt_tokens: token_count, … }
//	embedding(3)           list[float](min_items = 3, max_items = 3)
func (t *Primitive) Shape() Type {
	l, ok := t.Row.Shape.(*List)
	c := t.Constraints
	if !ok || c.IsZero() {
		return t.Row.Shape
	}
	out := &List{Elem: l.Elem, Constraints: l.Constraints}
	if c.Dims != nil {
		c.MinItems, c.MaxItems = c.Dims, c.Dims
	}
	k := &out.Constraints
	if c.MinItems != nil && (k.MinItems == nil || *c.MinItems > *k.MinItems) {
		k.MinItems = c.MinItems
	}
	if c.MaxItems != nil && (k.MaxItems == nil || *c.MaxItems < *k.MaxItems) {
		k.MaxItems = c.MaxItems
	}
	if elem, ok := l.Elem.(*Primitive); ok && (c.Min != nil || c.Max != nil) {
		out.Elem = &Primitive{Row: elem.Row, Constraints: Constraints{Min: c.Min, Max: c.Max}}
	}
	return out
}

// Structure returns the type that says what a value of t holds: the Shape of a
// primitive type that has one, else t itself. Whoever looks into values, member
// access, loops and prompts, asks it first.
func Structure(t Type) Type {
	if p, ok := t.(*Primitive); ok {
		if s := p.Shape(); s != nil {
			return s
		}
	}
	return t
}

// Structured returns t with every primitive type that has a shape replaced by it,
// also inside other types: what a model must be told to write such a value. A
// shape without a name takes that of its row, in PascalCase. Types that hold no
// such part are returned as they are.
func Structured(t Type) Type {
	return StructuredExcept(t, func(*Row) bool { return false })
}

// StructuredExcept is Structured, but leaves the types of some rows as they are:
// pictures and the like, which a model is given as such.
func StructuredExcept(t Type, keep func(*Row) bool) Type {
	shaped := func(t Type) bool {
		p, ok := t.(*Primitive)
		return ok && p.Shape() != nil && !keep(p.Row)
	}
	if t == nil || !holds(t, shaped) {
		return t
	}
	made := map[*Record]*Record{}
	var visit func(t Type) Type
	visit = func(t Type) Type {
		switch t := t.(type) {
		case *Primitive:
			s := t.Shape()
			if s == nil || keep(t.Row) {
				return t
			}
			if r, ok := s.(*Record); ok && r.Name == "" {
				named := *r
				named.Name = pascal(t.Row.Name)
				s = &named
			}
			return visit(s)
		case *List:
			return &List{visit(t.Elem), t.Constraints}
		case *Map:
			return &Map{visit(t.Elem), t.Constraints}
		case *Optional:
			return NewOptional(visit(t.Elem))
		case *Tuple:
			out := &Tuple{}
			for _, e := range t.Elems {
				out.Elems = append(out.Elems, visit(e))
			}
			return out
		case *Union:
			members := make([]Type, len(t.Members))
			for i, m := range t.Members {
				members[i] = visit(m)
			}
			return NewUnion(members...)
		case *Record:
			if r, ok := made[t]; ok {
				return r
			}
			out := &Record{Name: t.Name, Fields: make([]Field, len(t.Fields))}
			made[t] = out
			for i, f := range t.Fields {
				f.Type = visit(f.Type)
				out.Fields[i] = f
			}
			return out
		}
		return t
	}
	return visit(t)
}

// pascal returns a name such as token_usage as TokenUsage.
func pascal(name string) string {
	var b strings.Builder
	for _, part := range strings.Split(name, "_") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// Sensitive reports whether a value of t is, or holds, a secret.
func Sensitive(t Type) bool {
	return holds(t, func(t Type) bool {
		p, ok := t.(*Primitive)
		return ok && p.Row.Sensitive
	})
}

// holds reports whether t, or a type inside it, meets a condition.
func holds(t Type, cond func(Type) bool) bool {
	visited := map[*Record]bool{}
	var visit func(t Type) bool
	all := func(ts []Type) bool {
		for _, t := range ts {
			if visit(t) {
				return true
			}
		}
		return false
	}
	visit = func(t Type) bool {
		if t == nil {
			return false
		}
		if cond(t) {
			return true
		}
		switch t := t.(type) {
		case *Primitive:
			return t.Row.Shape != nil && visit(t.Row.Shape)
		case *List:
			return visit(t.Elem)
		case *Map:
			return visit(t.Elem)
		case *Optional:
			return visit(t.Elem)
		case *Tuple:
			return all(t.Elems)
		case *Union:
			return all(t.Members)
		case *Record:
			if visited[t] {
				return false
			}
			visited[t] = true
			for i := range t.Fields {
				if visit(t.Fields[i].Type) {
					return true
				}
			}
		}
		return false
	}
	return visit(t)
}

// Database returns the type of a PostgreSQL column that holds values of t:
// "bigint", "vector(1536)", "jsonb". That a column may be null is not in it.
func Database(t Type) string {
	switch t := t.(type) {
	case *Primitive:
		if t.Constraints.Dims != nil {
			return t.Row.Database + "(" + strconv.Itoa(*t.Constraints.Dims) + ")"
		}
		return t.Row.Database
	case *Optional:
		return Database(t.Elem)
	case *Enum, Model, Module:
		return "text"
	case *Literal:
		switch t.Value.(type) {
		case string:
			return "text"
		case int:
			return "bigint"
		case float64:
			return "double precision"
		case bool:
			return "boolean"
		}
	case *Union:
		kind := Database(t.Members[0])
		for _, m := range t.Members[1:] {
			if Database(m) != kind {
				return "jsonb"
			}
		}
		return kind
	}
	return "jsonb"
}

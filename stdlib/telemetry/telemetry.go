// Package telemetry gives the runs of programs to OpenTelemetry: a span for each
// run, step, call of a model and call of a tool, sent by OTLP over HTTP.
//
//	Config    where they are sent, and whether with what was said
//	Exporter  takes the events of runs: its See is a trace.Sink
//
// Names and attributes are those of the semantic conventions for generative AI
// (gen_ai.…) of semconv 1.41.0. They are still under development there, so the
// version that is spoken stands in each resource. Messages, arguments and results
// are sent only with Config.Content, and without secrets even then.
package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	spans "go.opentelemetry.io/otel/trace"

	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/trace"
)

// Config says where spans are sent.
type Config struct {
	// Endpoint is the URL of a collector, http://localhost:4318; "" for what the
	// environment says (OTEL_EXPORTER_OTLP_ENDPOINT and its like).
	Endpoint string
	// Content sends messages, replies, and the arguments and results of tools, too.
	Content bool
	// Version is that of dspi.
	Version string
	// Failed is told of what could not be sent; may be nil.
	Failed func(error)
}

// Exporter makes events spans and sends them in the background.
type Exporter struct {
	config   Config
	provider *sdk.TracerProvider
	tracer   spans.Tracer
	lines    *history.Lines

	mu    sync.Mutex
	under map[key]spans.Span
}

// key names a span under way: a run, a step of it, or a call.
type key struct {
	run        string
	step, call int
}

// New returns an Exporter for runs of which about says what is secret. The error
// says that the endpoint cannot be one; that nobody answers there is told to
// config.Failed later.
func New(ctx context.Context, config Config, about history.About) (*Exporter, error) {
	var options []otlptracehttp.Option
	if config.Endpoint != "" {
		url := strings.TrimSuffix(config.Endpoint, "/")
		if !strings.HasSuffix(url, "/v1/traces") {
			url += "/v1/traces"
		}
		options = append(options, otlptracehttp.WithEndpointURL(url))
	}
	client, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, err
	}
	about1, err := resource.Merge(resource.Default(), resource.NewWithAttributes(semconv.SchemaURL,
		semconv.ServiceName("dspi"), semconv.ServiceVersion(config.Version)))
	if err != nil && !errors.Is(err, resource.ErrSchemaURLConflict) {
		return nil, err
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(&watched{client, config.Failed}), sdk.WithResource(about1))
	return &Exporter{
		config: config, provider: provider, lines: history.NewLines(about), under: map[key]spans.Span{},
		tracer: provider.Tracer("github.com/dspi-lang/dspi", spans.WithInstrumentationVersion(config.Version), spans.WithSchemaURL(semconv.SchemaURL)),
	}, nil
}

// watched tells of what could not be sent.
type watched struct {
	sdk.SpanExporter
	failed func(error)
}

func (w *watched) ExportSpans(ctx context.Context, list []sdk.ReadOnlySpan) error {
	if err := w.SpanExporter.ExportSpans(ctx, list); err != nil && w.failed != nil {
		w.failed(err)
	}
	return nil // the SDK would print it
}

// Close sends what is left, as long as ctx allows.
func (x *Exporter) Close(ctx context.Context) error { return x.provider.Shutdown(ctx) }

// See takes an event.
func (x *Exporter) See(e trace.Event) {
	switch e.Kind {
	case trace.RunStart:
		x.start(e, key{e.Run, 0, 0}, key{}, "invoke_workflow "+e.Address, spans.SpanKindInternal,
			semconv.GenAIOperationNameInvokeWorkflow, semconv.GenAIWorkflowName(e.Address), attribute.String("dspi.run", e.Run))
	case trace.StepStart:
		x.start(e, key{e.Run, e.Step, 0}, key{e.Run, e.Parent, 0}, "step "+e.Path, spans.SpanKindInternal,
			attribute.String("dspi.step", e.Address), attribute.String("dspi.path", e.Path))
	case trace.CallStart:
		x.start(e, key{e.Run, e.Step, e.Call}, key{e.Run, e.Step, 0}, "chat "+modelOf(e.Model), spans.SpanKindClient, x.request(e)...)
	case trace.ToolStart:
		x.start(e, key{e.Run, e.Step, e.Call}, key{e.Run, e.Step, 0}, "execute_tool "+e.Tool, spans.SpanKindInternal, x.arguments(e)...)
	case trace.RunEnd:
		x.end(e, key{e.Run, 0, 0})
	case trace.StepEnd:
		x.end(e, key{e.Run, e.Step, 0})
	case trace.CallEnd:
		x.end(e, key{e.Run, e.Step, e.Call}, x.reply(e)...)
	case trace.ToolEnd:
		x.end(e, key{e.Run, e.Step, e.Call}, x.result(e)...)
	case trace.Attempt, trace.Misfit, trace.Repaired, trace.Hedge, trace.Choice, trace.Asserted, trace.Approval, trace.Note, trace.StepSkip:
		x.event(e)
	}
}

func (x *Exporter) start(e trace.Event, at, within key, name string, kind spans.SpanKind, attributes ...attribute.KeyValue) {
	x.mu.Lock()
	defer x.mu.Unlock()
	ctx := context.Background()
	if parent := x.under[within]; parent != nil {
		ctx = spans.ContextWithSpan(ctx, parent)
	}
	_, span := x.tracer.Start(ctx, name, spans.WithTimestamp(e.Time), spans.WithSpanKind(kind), spans.WithAttributes(attributes...))
	x.under[at] = span
}

func (x *Exporter) end(e trace.Event, at key, attributes ...attribute.KeyValue) {
	x.mu.Lock()
	span := x.under[at]
	delete(x.under, at)
	x.mu.Unlock()
	if span == nil {
		return
	}
	span.SetAttributes(attributes...)
	if e.Err != nil {
		f := x.lines.Of(e).Error
		kind := f.Code
		if kind == "" {
			kind = "_OTHER"
		}
		span.SetAttributes(semconv.ErrorTypeKey.String(kind))
		span.SetStatus(codes.Error, f.Title)
	}
	span.End(spans.WithTimestamp(e.Time))
}

// event adds what happened to the span in which it did: of the call, else of the
// step.
func (x *Exporter) event(e trace.Event) {
	x.mu.Lock()
	span := x.under[key{e.Run, e.Step, e.Call}]
	if span == nil {
		span = x.under[key{e.Run, e.Step, 0}]
	}
	x.mu.Unlock()
	if span == nil {
		return
	}
	l := x.lines.Of(e)
	var more []attribute.KeyValue
	add := func(name, value string) {
		if value != "" {
			more = append(more, attribute.String("dspi."+name, value))
		}
	}
	add("model", l.Model)
	add("tool", l.Tool)
	add("assert", l.Assert)
	if x.config.Content || e.Kind == trace.Choice || e.Kind == trace.Hedge {
		add("reason", l.Reason)
	}
	if l.Error != nil {
		add("error", l.Error.Code)
	}
	for _, r := range l.Repairs {
		add("repair", r.Type)
	}
	span.AddEvent("dspi."+string(e.Kind), spans.WithTimestamp(e.Time), spans.WithAttributes(more...))
}

// request are the attributes of what is sent to a model.
func (x *Exporter) request(e trace.Event) []attribute.KeyValue {
	out := []attribute.KeyValue{
		semconv.GenAIOperationNameChat, semconv.GenAIProviderNameKey.String(providerOf(e.Model)), semconv.GenAIRequestModel(modelOf(e.Model)),
	}
	if p := e.Request; p != nil {
		if p.Temperature != nil {
			out = append(out, semconv.GenAIRequestTemperature(*p.Temperature))
		}
		if p.TopP != nil {
			out = append(out, semconv.GenAIRequestTopP(*p.TopP))
		}
		if p.MaxTokens != nil {
			out = append(out, semconv.GenAIRequestMaxTokens(*p.MaxTokens))
		}
		if p.Seed != nil {
			out = append(out, semconv.GenAIRequestSeed(*p.Seed))
		}
		if len(p.Stop) > 0 {
			out = append(out, semconv.GenAIRequestStopSequences(p.Stop...))
		}
	}
	if x.config.Content {
		out = append(out, content(semconv.GenAIInputMessagesKey, spoken(x.lines.Of(e).Request)))
	}
	return out
}

// reply are the attributes of a reply.
func (x *Exporter) reply(e trace.Event) []attribute.KeyValue {
	if e.Reply == nil {
		return nil
	}
	u := e.Reply.Usage
	out := []attribute.KeyValue{
		semconv.GenAIUsageInputTokens(u.InputTokens), semconv.GenAIUsageOutputTokens(u.OutputTokens),
		attribute.Bool("dspi.cached", e.Reply.Cached),
	}
	if e.Reply.Finish != "" {
		out = append(out, semconv.GenAIResponseFinishReasons(string(e.Reply.Finish)))
	}
	if u.CachedTokens > 0 {
		out = append(out, semconv.GenAIUsageCacheReadInputTokensKey.Int(u.CachedTokens))
	}
	if u.ReasoningTokens > 0 {
		out = append(out, semconv.GenAIUsageReasoningOutputTokensKey.Int(u.ReasoningTokens))
	}
	if e.Reply.Model != "" {
		out = append(out, semconv.GenAIResponseModel(e.Reply.Model))
	}
	if e.Cost != nil {
		out = append(out, attribute.Float64("dspi.cost_usd", *e.Cost))
	}
	if x.config.Content {
		r := x.lines.Of(e).Reply
		out = append(out, content(semconv.GenAIOutputMessagesKey, []any{map[string]any{
			"role": lm.Assistant, "parts": []any{map[string]any{"type": "text", "content": r.Text}}, "finish_reason": r.Finish,
		}}))
	}
	return out
}

func (x *Exporter) arguments(e trace.Event) []attribute.KeyValue {
	out := []attribute.KeyValue{semconv.GenAIOperationNameExecuteTool, semconv.GenAIToolName(e.Tool), semconv.GenAIToolType("function")}
	if x.config.Content {
		out = append(out, content(semconv.GenAIToolCallArgumentsKey, x.lines.Of(e).Inputs))
	}
	return out
}

func (x *Exporter) result(e trace.Event) []attribute.KeyValue {
	if !x.config.Content || e.Outputs == nil {
		return nil
	}
	return []attribute.KeyValue{content(semconv.GenAIToolCallResultKey, x.lines.Of(e).Outputs)}
}

// spoken are messages as the conventions write them.
func spoken(r *history.Request) []any {
	var out []any
	for _, m := range r.Messages {
		var parts []any
		if m.Content != "" {
			parts = append(parts, map[string]any{"type": "text", "content": m.Content})
		}
		for _, p := range m.Parts {
			switch {
			case p.Media != nil:
				parts = append(parts, map[string]any{"type": "uri", "modality": p.Media.Kind, "uri": p.Media.URL, "mime_type": p.Media.Type})
			default:
				parts = append(parts, map[string]any{"type": "text", "content": p.Text})
			}
		}
		out = append(out, map[string]any{"role": m.Role, "parts": parts})
	}
	return out
}

func content(k attribute.Key, v any) attribute.KeyValue {
	text, err := json.Marshal(v)
	if err != nil {
		return k.String("")
	}
	return k.String(string(text))
}

// providers are the names that the conventions have for ours.
var providers = map[string]string{
	"gemini": "gcp.gemini", "bedrock": "aws.bedrock", "azure": "azure.ai.openai", "mistral": "mistral_ai",
}

func providerOf(address string) string {
	name, _, _ := strings.Cut(address, "/")
	if known, ok := providers[name]; ok {
		return known
	}
	return name
}

func modelOf(address string) string {
	_, id, ok := strings.Cut(address, "/")
	if !ok {
		return address
	}
	return id
}

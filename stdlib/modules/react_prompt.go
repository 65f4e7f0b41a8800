package modules

import (
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/schema"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// newTalk begins the conversation of a call.
func newTalk(call *module.Call) *talk {
	own := *call
	if free, ok := call.Adapter.(prompt.Extractor); ok {
		own.Adapter = free.Then() // the answer is typed: nothing is left to extract
	}
	t := &talk{call: &own, box: boxOf(call.Tools), native: call.LM.Features().Tools, finish: finishName}
	for {
		if _, taken := t.box.find(t.finish); !taken {
			break
		}
		t.finish += "_"
	}
	if t.native {
		t.head = t.nativeHead()
	} else {
		t.head = t.textHead()
	}
	return t
}

// nativeHead are the messages before the first reply of a model that asks for tools.
// What stays the same comes first. The outputs stand in the schema of `finish`, and
// demos answer with it.
func (t *talk) nativeHead() []lm.Message {
	call := t.call
	system := prompt.Instructions(call.Signature)
	if list := prompt.InputList(call.Signature); list != "" {
		system += "\n\nYour input fields are:\n" + list
	}
	if len(t.box.tools) > 0 {
		system += "\n\nCall tools for what you need to find out: several at once where they do not wait for each other. " +
			"When you know enough, call `" + t.finish + "` with the outputs."
	} else {
		system += "\n\nAnswer by calling `" + t.finish + "` with the outputs."
	}
	messages := []lm.Message{{Role: lm.System, Content: system}}
	n := 0
	messages = append(messages, prompt.Opening(call.Adapter, call.Signature, call.Demos, call.Inputs, func(user lm.Message, d prompt.Demo) []lm.Message {
		n++
		return append([]lm.Message{user}, t.finished(callID("demo", n), d, "The answer is accepted.")...)
	})...)
	for i, f := range call.Feedback {
		if f.Outputs == nil {
			messages = append(messages, lm.Message{Role: lm.User, Content: f.Text()})
			continue
		}
		messages = append(messages, t.finished(callID("answer", i+1), f.Outputs, f.Text())...)
	}
	return messages
}

// finished are an answer that was given and what was said to it.
func (t *talk) finished(id string, outputs *value.Object, said string) []lm.Message {
	args := prompt.Compact().Reply(t.call.Signature, outputs)
	return []lm.Message{
		{Role: lm.Assistant, ToolCalls: []lm.ToolCall{{ID: id, Name: t.finish, Arguments: []byte(args)}}},
		{Role: lm.ToolRole, ToolCallID: id, Content: said},
	}
}

// textHead are the messages before the first reply of a model that writes its
// actions: those of the adapter, with the tools behind the instructions and a word on
// actions at the end.
func (t *talk) textHead() []lm.Message {
	call := t.call
	if len(t.box.tools) == 0 {
		messages := call.Adapter.Messages(call.Signature, call.Demos, call.Inputs)
		return t.withFeedback(messages)
	}
	var b strings.Builder
	b.WriteString(prompt.Instructions(call.Signature))
	b.WriteString("\n\nBefore you answer, you can use these tools:\n")
	for _, x := range t.box.tools {
		b.WriteString("\n" + x.Name())
		if d := strings.TrimSpace(x.Description()); d != "" {
			b.WriteString(": " + strings.ReplaceAll(d, "\n", "\n  "))
		}
		b.WriteString("\n  takes " + strings.ReplaceAll(prompt.Drawn(x.Signature().Inputs), "\n", "\n  "))
		if outputs := x.Signature().Outputs; len(outputs) > 0 {
			b.WriteString("\n  gives " + strings.ReplaceAll(prompt.Drawn(outputs), "\n", "\n  "))
		}
		b.WriteString("\n")
	}
	b.WriteString("\nTo use a tool, reply with an action in a line of its own, in place of the outputs, and wait:\n\n")
	b.WriteString(example(t.box) + "\n\n")
	b.WriteString("The next message holds the observation. Several actions in one reply run at the same time. " +
		"When you know enough, reply with the outputs and no action.")
	sig := *call.Signature
	sig.Instructions = b.String()
	messages := call.Adapter.Messages(&sig, call.Demos, call.Inputs)
	last := &messages[len(messages)-1]
	hint := "\n\nIf something is still to be found out, reply with actions in place of the outputs: Action[tool](name = value)."
	if last.Parts != nil {
		last.Parts = append(last.Parts[:len(last.Parts):len(last.Parts)], lm.Part{Text: hint})
	} else {
		last.Content += hint
	}
	return t.withFeedback(messages)
}

// withFeedback adds the answers that were refused.
func (t *talk) withFeedback(messages []lm.Message) []lm.Message {
	for _, f := range t.call.Feedback {
		if f.Outputs != nil {
			messages = append(messages, lm.Message{Role: lm.Assistant, Content: t.call.Adapter.Reply(t.call.Signature, f.Outputs)})
		}
		messages = append(messages, lm.Message{Role: lm.User, Content: f.Text()})
	}
	return messages
}

// example is an action with the first tool.
func example(box *toolbox) string {
	t := box.tools[0]
	var parts []string
	for _, f := range t.Signature().Inputs {
		if f.HasDefault {
			continue
		}
		parts = append(parts, f.Name+" = "+string(value.EncodeJSON(value.Example(f.Type))))
	}
	return "Action[" + t.Name() + "](" + strings.Join(parts, ", ") + ")"
}

// definitions are the tools as the model's provider is told of them; at last only the
// one that answers.
func (t *talk) definitions(last bool) []lm.Tool {
	var out []lm.Tool
	provider, _, _ := strings.Cut(t.call.LM.Address(), "/")
	if !last {
		for _, x := range t.box.tools {
			out = append(out, definition(provider, wireName(x.Name()), x.Description(), x.Signature().Inputs))
		}
	}
	return append(out, definition(provider, t.finish, "Gives the answer and ends the task: call it once, when the outputs are known.", t.call.Signature.Outputs))
}

// definition writes a tool in the dialect of a provider. Where OpenAI's strict mode
// cannot say it, the model is not held to the schema.
func definition(provider, name, description string, inputs []types.Field) lm.Tool {
	tool := lm.Tool{Name: name, Description: description}
	opt := schema.Options{Shown: true}
	switch provider {
	case "gemini":
		opt.Dialect = schema.Gemini
	case "anthropic", "bedrock", "ollama":
		opt.Dialect = schema.Anthropic
	default:
		opt.Dialect = schema.OpenAI
		s := schema.Fields(inputs, opt)
		if s.Strict {
			tool.Strict = true
			tool.Parameters = value.EncodeJSON(s.Document)
			return tool
		}
		opt.Dialect = schema.Anthropic
	}
	tool.Parameters = value.EncodeJSON(schema.Fields(inputs, opt).Document)
	return tool
}

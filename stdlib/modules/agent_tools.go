package modules

import (
	"context"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/module"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// deskTool is a tool that the agents of a desk have: it changes what they share.
type deskTool struct {
	name, description string
	signature         *program.Signature
	call              func(args *value.Object) (*value.Object, string)
	end               error // with which the conversation ends
}

var _ own = (*deskTool)(nil)

func (t *deskTool) Name() string                  { return t.name }
func (t *deskTool) Description() string           { return t.description }
func (t *deskTool) Signature() *program.Signature { return t.signature }
func (t *deskTool) ended() error                  { return t.end }

// Call checks the arguments, since the machine does not see the call.
func (t *deskTool) Call(_ context.Context, args *value.Object) (*value.Object, error) {
	checked, faults := value.Check(&types.Record{Fields: t.signature.Inputs}, args, value.Lax)
	if faults != nil {
		return nil, &tool.Error{Tool: t.name, Text: "the arguments do not fit: " + value.Faults(faults)}
	}
	out, refused := t.call(checked.(*value.Object))
	if refused != "" {
		return nil, &tool.Error{Tool: t.name, Text: refused}
	}
	return out, nil
}

func argument(args *value.Object, name string) string {
	v, _ := args.Get(name)
	s, _ := v.(string)
	return s
}

// free returns a name that no tool of a box has.
func free(box *toolbox, name string) string {
	for {
		if _, taken := box.find(name); !taken {
			return name
		}
		name += "_"
	}
}

// handOver is the tool with which an agent gives the task to one of the others.
func handOver(d *desk, box *toolbox, from string, others []*module.Part) *deskTool {
	var b strings.Builder
	b.WriteString("Hands the task over to another agent, who goes on with it in your place. The agents:")
	names := make([]types.Type, len(others))
	for i, p := range others {
		names[i] = &types.Literal{Value: p.Name}
		b.WriteString("\n- " + p.Name + ": " + firstSentence(p.Call.Signature))
	}
	t := &deskTool{name: free(box, "hand_over"), description: b.String(), signature: &program.Signature{
		Inputs: []types.Field{
			{Name: "to", Type: types.NewUnion(names...), Description: "the agent"},
			{Name: "message", Type: types.String, Description: "what it must know"},
		},
		Outputs: []types.Field{{Name: "said", Type: types.String}},
	}}
	t.call = func(args *value.Object) (*value.Object, string) {
		if t.end != nil {
			return nil, "The task is handed over already."
		}
		over := &handover{from: from, to: argument(args, "to"), message: argument(args, "message")}
		d.done = append(d.done, from+" to "+over.to+": "+over.message)
		t.end = over
		return value.NewObject("said", "The task is handed over."), ""
	}
	return t
}

// takeNote is the tool with which an agent writes something down for all.
func takeNote(d *desk, box *toolbox) *deskTool {
	return &deskTool{
		name: free(box, "note"), description: "Notes something down that every agent sees who gets the task after you.",
		signature: &program.Signature{
			Inputs: []types.Field{
				{Name: "name", Type: types.String, Description: "what it is about; a note of that name is replaced"},
				{Name: "text", Type: types.String},
			},
			Outputs: []types.Field{{Name: "said", Type: types.String}},
		},
		call: func(args *value.Object) (*value.Object, string) {
			if d.notes == nil {
				d.notes = &value.Object{}
			}
			d.notes.Set(argument(args, "name"), argument(args, "text"))
			return value.NewObject("said", "Noted."), ""
		},
	}
}

// firstSentence is what an agent is for: the first sentence of its instructions.
func firstSentence(sig *program.Signature) string {
	text := strings.Join(strings.Fields(sig.Instructions), " ")
	for i, r := range text {
		if (r == '.' || r == '!' || r == '?') && (i+1 == len(text) || text[i+1] == ' ') {
			return text[:i+1]
		}
	}
	return clipped(text, 200)
}

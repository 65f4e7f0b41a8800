package history

import (
	"encoding/json"
	"slices"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/trace"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

// Secrets can come to a Recorder in two ways, and both are closed here, although
// neither should happen: the checker lets no sensitive value flow into a prompt,
// and lm.WithSecrets takes keys out of replies.

// cleaner returns what takes secrets out of a text; nil when there are none.
func cleaner(secrets []string) func(string) string { return lm.Redactor(secrets) }

// text returns a text without secrets.
func (r *Recorder) text(s string) string {
	if r.clean == nil || s == "" {
		return s
	}
	return r.clean(s)
}

// origin returns how a run was begun, with the inputs that are not kept whole.
func (r *Recorder) origin(e trace.Event) *Origin {
	if r.about.Origin == nil {
		return nil
	}
	o := r.openly(*r.about.Origin)
	if _, row := IsRow(e.Run); row {
		o.Table = nil
	}
	for name, v := range e.Inputs.All() {
		kept := value.NewObject(name, v)
		if string(r.values(e.Address, kept)) != string(value.EncodeJSON(kept)) {
			o.Unkept = append(slices.Clip(o.Unkept), name)
		}
	}
	return &o
}

// openly returns an origin without secrets: a variable that holds one is named only.
func (r *Recorder) openly(o Origin) Origin {
	if r.clean == nil {
		return o
	}
	o.Signature, o.Model, o.DefaultModel, o.State = r.text(o.Signature), r.text(o.Model), r.text(o.DefaultModel), r.text(o.State)
	vars := map[string]json.RawMessage{}
	o.Secrets = slices.Clone(o.Secrets)
	for name, v := range o.Vars {
		if r.clean(string(v)) == string(v) {
			vars[name] = v
		} else {
			o.Secrets = append(o.Secrets, name)
		}
	}
	slices.Sort(o.Secrets)
	o.Vars = vars
	files := map[string]string{}
	for name, path := range o.Files {
		files[name] = r.text(path)
	}
	o.Files = files
	if o.Table != nil {
		t := *o.Table
		t.Path = r.text(t.Path)
		o.Table = &t
	}
	return o
}

func null() json.RawMessage { return json.RawMessage("null") }

// values returns inputs or outputs as JSON: null for none, with a mark in place of
// what is hidden, without the bytes of media.
func (r *Recorder) values(address string, o *value.Object) json.RawMessage {
	if o == nil {
		return null()
	}
	if hidden := r.about.Hidden[address]; len(hidden) > 0 {
		shown := &value.Object{}
		for name, v := range o.All() {
			if slices.Contains(hidden, name) && v != nil {
				v = diag.Mask
			}
			shown.Set(name, v)
		}
		o = shown
	}
	out := valueJSON(o)
	if r.clean != nil {
		out = json.RawMessage(r.clean(string(out)))
	}
	return out
}

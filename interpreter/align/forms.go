package align

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// A whole reply gives its outputs in one of five forms:
//
//	chat   `[[ ## name ## ]]` and the text under it
//	json   an object with the outputs' names
//	xml    <name>…</name>
//	lines  name: value
//	whole  the reply is the one output that there is
//
// The form that was asked for is tried first. Where it does not give every output,
// the form that gives the most of them counts: a reply that can be understood is
// not asked for, and paid for, twice.

// parts are the outputs of a reply in one form.
type parts struct {
	form     string
	nodes    []*node // by output; nil: the reply does not give it
	found    int
	missing  int // outputs that are needed and not given
	sections []Section
	notes    []note
}

// note is a repair of the form: of an output, or -1 for the whole reply.
type note struct {
	kind   kind
	output int
	msg    string
}

func (p *parts) give(i int, n *node) {
	if p.nodes[i] == nil {
		p.found++
	}
	p.nodes[i] = n
}

func (p *parts) count(sig *program.Signature) {
	for i := range sig.Outputs {
		f := &sig.Outputs[i]
		if p.nodes[i] == nil && !f.HasDefault && !types.Nullable(f.Type) {
			p.missing++
		}
	}
}

// forms are the ways to read a reply, in the order in which they are tried after
// the one that was asked for.
var forms = []string{"chat", "json", "xml", "lines", "whole"}

// inForm finds the outputs of a reply in a form.
func (r *run) inForm(sig *program.Signature, form, reply string) *parts {
	p := &parts{form: form, nodes: make([]*node, len(sig.Outputs))}
	switch form {
	case "chat":
		r.chatParts(sig, reply, p)
	case "json":
		r.jsonParts(sig, reply, p)
	case "xml":
		r.xmlParts(sig, reply, p)
	case "lines":
		r.lineParts(sig, reply, p)
	case "whole":
		if len(sig.Outputs) == 1 {
			p.give(0, &node{kind: sectionNode, text: strings.TrimSpace(reply)})
			p.notes = append(p.notes, note{wholeReply, 0, ""})
		}
	}
	p.count(sig)
	return p
}

func (r *run) chatParts(sig *program.Signature, reply string, p *parts) {
	found := headersOf(reply, &r.steps)
	if rest, cut := unthink(reply); cut && rest != "" {
		from := len(strings.TrimSpace(reply)) - len(rest) // where the answer begins
		for len(found) > 0 && found[0].from < from {
			found = found[1:]
		}
	}
	c := cutAt(sig, reply, found)
	p.sections = c.sections
	if c.before {
		p.notes = append(p.notes, note{prose, -1, ""})
	}
	index := make(map[string]int, len(sig.Outputs))
	for i := range sig.Outputs {
		index[sig.Outputs[i].Name] = i
	}
	for _, s := range c.sections {
		i, known := index[s.Name]
		switch {
		case s.Name == "completed":
			if s.Text != "" {
				p.notes = append(p.notes, note{prose, -1, "left out the words after the end of the answer"})
			}
		case !known:
			p.notes = append(p.notes, note{extraSection, -1, "left out the section " + s.Name})
		case p.nodes[i] != nil:
			p.notes = append(p.notes, note{extraSection, -1, "left out the second section " + s.Name})
		default:
			p.give(i, &node{kind: sectionNode, text: s.Text})
			if c.loose[s.Name] {
				p.notes = append(p.notes, note{looseHeader, i, ""})
			}
		}
	}
}

// jsonParts takes the object with the most outputs; of several the last.
func (r *run) jsonParts(sig *program.Signature, reply string, p *parts) {
	if !strings.Contains(reply, "{") {
		return
	}
	text, cut := unthink(reply)
	found, deep := r.candidates(text)
	if deep {
		return
	}
	t := recordOf(sig)
	var best *candidate
	var object *node
	most, around := 0, false
	for i := range found {
		n, wrapped := found[i].node, false
		for range 2 { // inside a list of one, or an object of one name
			if (n.kind == listNode || n.kind == objectNode && r.matching(t, n) == 0) && len(n.items) == 1 {
				n, wrapped = n.items[0], true
			}
		}
		if n.kind != objectNode {
			continue
		}
		if count := r.matching(t, n); count >= most && count > 0 {
			best, object, most, around = &found[i], n, count, wrapped
		}
	}
	if best == nil {
		return
	}
	if cut {
		p.notes = append(p.notes, note{thinking, -1, ""})
	}
	if best.fenced {
		p.notes = append(p.notes, note{aFence, -1, ""})
	}
	if !best.alone {
		p.notes = append(p.notes, note{prose, -1, ""})
	}
	if around {
		p.notes = append(p.notes, note{unwrapped, -1, ""})
	}
	for k, left := kind(0), best.node.fixes|object.fixes; left != 0; k, left = k+1, left>>1 {
		if left&1 != 0 {
			p.notes = append(p.notes, note{k, -1, ""})
		}
	}
	r.fromObject(t, object, p)
}

// recordOf is the type of a signature's outputs.
func recordOf(sig *program.Signature) *types.Record { return &types.Record{Fields: sig.Outputs} }

func (r *run) matching(t *types.Record, n *node) int {
	count := 0
	for _, key := range n.keys {
		if i, _ := r.find(t, key); i >= 0 {
			count++
		}
	}
	return count
}

// fromObject gives the outputs that an object names.
func (r *run) fromObject(t *types.Record, n *node, p *parts) {
	for round := range 2 { // the very names first
		for i, key := range n.keys {
			j, exact := r.find(t, key)
			switch {
			case j < 0 && round == 0:
				p.notes = append(p.notes, note{extraKey, -1, "left out " + shown(key) + "; it was not asked for"})
			case j >= 0 && exact == (round == 0):
				if p.nodes[j] != nil {
					p.notes = append(p.notes, note{extraKey, -1, "left out " + shown(key) + "; there is one already"})
					continue
				}
				p.give(j, n.items[i])
				if !exact {
					p.notes = append(p.notes, note{keyName, j, "took the name " + shown(key) + " for " + t.Fields[j].Name})
				}
			}
		}
	}
}

// beginsWithOutput reports whether a reply begins with the tag of an output.
func beginsWithOutput(sig *program.Signature, reply string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSpace(reply), "<")
	if !ok {
		return false
	}
	name, _, ok := strings.Cut(rest, ">")
	if !ok {
		return false
	}
	_, ok = sig.Output(name)
	return ok
}

func (r *run) xmlParts(sig *program.Signature, reply string, p *parts) {
	if !strings.Contains(reply, "<") {
		return
	}
	text, cut := unthink(reply)
	if cut && beginsWithOutput(sig, reply) {
		text, cut = reply, false // what looks like a thought is an output of that name
	}
	root := elementsIn(text, &r.steps)
	if root == nil || root.deep {
		return
	}
	t := recordOf(sig)
	n := root
	for range 2 { // inside a fence or one tag around all
		if names, _ := n.groups(); len(names) == 1 {
			if i, _ := r.find(t, names[0]); i < 0 && len(n.children) == 1 && len(n.children[0].children) > 0 {
				n = n.children[0]
			}
		}
	}
	if n != root {
		p.notes = append(p.notes, note{unwrapped, -1, "took what stands in <" + n.name + ">"})
	}
	names, groups := n.groups()
	object := &node{kind: objectNode}
	at := n.from
	words := false
	for _, x := range n.children {
		words = words || strings.TrimSpace(n.doc[at:x.outer]) != ""
		at = x.end
	}
	words = words || strings.TrimSpace(n.doc[at:max(at, n.to)]) != ""
	for _, name := range names {
		of := groups[name]
		i, _ := r.find(t, name)
		if i < 0 {
			object.keys, object.items = append(object.keys, name), append(object.items, &node{})
			continue
		}
		inner, _ := types.Unwrap(sig.Outputs[i].Type)
		if !isList(inner) && len(of) > 1 {
			p.notes = append(p.notes, note{extraSection, -1, "left out the second <" + name + ">"})
			of = of[:1]
		}
		object.keys, object.items = append(object.keys, name), append(object.items, nodeOf(of, sig.Outputs[i].Type))
	}
	if cut {
		p.notes = append(p.notes, note{thinking, -1, ""})
	}
	if words {
		p.notes = append(p.notes, note{prose, -1, ""})
	}
	r.fromObject(t, object, p)
	for i, x := range p.nodes {
		if x != nil && x.kind == sectionNode {
			p.sections = append(p.sections, Section{Name: sig.Outputs[i].Name, Text: x.text})
		}
	}
}

// lineParts reads `name: value` and headings of markdown with an output's name.
func (r *run) lineParts(sig *program.Signature, reply string, p *parts) {
	t := recordOf(sig)
	wanted := func(name string) bool { i, _ := r.find(t, name); return i >= 0 }
	text, cut := unthink(reply)
	r.steps += len(text)
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") { // a heading is a name, too
		if s := strings.TrimSpace(line); strings.HasPrefix(s, "#") || strings.HasPrefix(s, "**") {
			if name := strings.TrimSpace(strings.Trim(s, "#*: ")); len(name) < 100 && wanted(name) {
				line = name + ":"
			}
		}
		b.WriteString(line + "\n")
	}
	pairs, rest := namedLines(b.String(), wanted)
	if len(pairs) == 0 || len(sig.Outputs) == 1 && rest != "" {
		return
	}
	if cut {
		p.notes = append(p.notes, note{thinking, -1, ""})
	}
	if rest != "" {
		p.notes = append(p.notes, note{prose, -1, ""})
	}
	r.fromObject(t, objectOf(pairs), p)
}

// asAskedIn reads a reply that is in the form it was asked for, and in nothing else.
func (r *run) asAskedIn(sig *program.Signature, form, reply string) (*value.Object, bool) {
	switch form {
	case "json":
		v, ok := r.strictJSON(recordOf(sig), reply)
		if !ok {
			return nil, false
		}
		return v.(*value.Object), true
	}
	p := r.inForm(sig, form, reply)
	if p.missing > 0 || len(p.notes) > 0 {
		return nil, false
	}
	sub := begin(Strict)
	defer sub.end()
	out := sub.outputs(sig, p, nil)
	r.steps += sub.steps
	return out, len(sub.faults) == 0 && len(sub.repairs) == 0
}

// outputs reads the parts of a reply. fits takes those that can be read; nil: none.
func (r *run) outputs(sig *program.Signature, p *parts, fits *value.Object) *value.Object {
	out := &value.Object{}
	for _, x := range p.notes {
		if x.output < 0 {
			r.fix(x.kind, nil, x.msg)
		}
	}
	for i := range sig.Outputs {
		f := &sig.Outputs[i]
		at := r.down(nil, f.Name)
		for _, x := range p.notes {
			if x.output == i {
				r.fix(x.kind, at, x.msg)
			}
		}
		var v any
		ok := true
		if n := p.nodes[i]; n != nil {
			v, ok = r.field(f, n, at)
		} else if v, ok = absent(f); !ok {
			r.fault(at, "missing", absence(p.form, f), nil)
		}
		if ok {
			out.Set(f.Name, v)
			if fits != nil {
				fits.Set(f.Name, v)
			}
		}
	}
	return out
}

// absence says that a reply does not give an output.
func absence(form string, f *types.Field) string {
	switch form {
	case "json":
		return "the reply's object has no \"" + f.Name + "\"; a `" + f.Type.String() + "` should stand there"
	case "xml":
		return "the reply has no <" + f.Name + ">…</" + f.Name + ">; a `" + f.Type.String() + "` should stand there"
	}
	return "the reply has no line [[ ## " + f.Name + " ## ]]; a `" + f.Type.String() + "` should stand under it"
}

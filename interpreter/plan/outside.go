package plan

import (
	"strings"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
)

// outside resolves the tools and the retriever that a step names.
func (m *maker) outside(op *Op, st *program.Step) {
	for _, o := range st.Options {
		for _, ref := range o.Refs {
			kind, name, _ := strings.Cut(ref, ".")
			switch kind {
			case "tool":
				op.Tools = append(op.Tools, m.tool(name))
			case "retriever":
				if o.Name == "tools" {
					op.Tools = append(op.Tools, m.searchTool(ref, name))
				} else {
					op.Retriever = m.retriever(name)
				}
			}
		}
	}
}

// retriever resolves a retriever.
func (m *maker) retriever(name string) *Retriever {
	if r, ok := m.retrievers[name]; ok {
		return r
	}
	d, _ := m.project.Retriever(name)
	r := &Retriever{Address: "retriever." + name, Declared: d, Values: m.values}
	if m.project.Root != nil {
		r.Root = m.project.Root.Name
	}
	m.retrievers[name] = r
	if d == nil {
		return r
	}
	r.File, _ = m.fixed(d.Names, d.File).(string)
	r.Folder, _ = m.fixed(d.Names, d.Folder).(string)
	r.K, _ = m.fixed(d.Names, d.K).(int)
	r.Candidates, _ = m.fixed(d.Names, d.Candidates).(int)
	r.VectorWeight = number(m.fixed(d.Names, d.VectorWeight))
	if x := number(m.fixed(d.Names, d.Diversity)); x != nil {
		r.Diversity = *x
	}
	if d.Rerank != nil {
		around := m.path
		m.path = ""
		r.Rerank = m.program(d.Rerank, nil)
		m.path = around
	}
	switch ref := d.Embedder; {
	case ref.Model != nil:
		r.Embedder = m.declared(ref.Model, r.Address, ref.Place)
	case ref.Variable != nil:
		m.variable(ref.Variable, ref.Place)
		if text, ok := m.values[ref.Variable.Name].(string); ok {
			r.Embedder = m.named(text, ref.String(), ref.Place)
		}
	case ref.Address != "":
		r.Embedder = m.address(ref.Address, r.Address)
	}
	return r
}

// number returns a number as a float; nil for anything else.
func number(v any) *float64 {
	switch n := v.(type) {
	case float64:
		return &n
	case int:
		f := float64(n)
		return &f
	}
	return nil
}

// NamedRetriever resolves the retriever of a name as the steps that search it do. When
// the list has errors it is only to be looked at.
func NamedRetriever(project *program.Project, name string, opt Options) (*Retriever, diag.List) {
	m := newMaker(project, opt)
	r := m.retriever(name)
	m.diags.Sort()
	return r, m.diags
}

// tool resolves a tool. One that is a program is planned once, however many steps
// may call it.
func (m *maker) tool(name string) *Tool {
	if t, ok := m.tools[name]; ok {
		return t
	}
	d, _ := m.project.Tool(name)
	t := &Tool{Name: name[strings.LastIndexByte(name, '.')+1:], Address: "tool." + name, Declared: d, Values: m.values}
	m.tools[name] = t
	if d == nil {
		return t
	}
	m.toolUses(d)
	if d.Program != nil {
		around := m.path
		m.path = ""
		t.Plan = m.program(d.Program, nil)
		m.path = around
	}
	return t
}

// searchTool is the tool that searches a retriever: search_wiki for retriever.wiki.
func (m *maker) searchTool(ref, name string) *Tool {
	if t, ok := m.tools[ref]; ok {
		return t
	}
	r := m.retriever(name)
	t := &Tool{Name: "search_" + name[strings.LastIndexByte(name, '.')+1:], Address: ref, Retriever: r, Values: m.values}
	m.tools[ref] = t
	return t
}

// toolUses notes the variables that a tool reads.
func (m *maker) toolUses(d *program.Tool) {
	var values []program.Value
	bindings := func(bs []program.Binding) {
		for _, b := range bs {
			values = append(values, b.Value)
		}
	}
	bindings(d.Outputs)
	if h := d.HTTP; h != nil {
		values = append(values, h.URL, h.Body)
		bindings(h.Headers)
	}
	if c := d.Command; c != nil {
		values = append(values, c.Argv, c.Stdin, c.Folder)
		bindings(c.Env)
	}
	if x := d.MCP; x != nil {
		values = append(values, x.Command, x.URL)
		bindings(x.Headers)
		bindings(x.Env)
	}
	for _, v := range values {
		m.uses(d.Names, v)
	}
}

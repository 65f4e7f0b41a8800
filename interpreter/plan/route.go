package plan

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
)

// Route is how a Model chooses among others for a call.
type Route struct {
	Strategy      lm.Strategy
	Members       []Member
	QualityMin    float64
	Confidence    string // the output that says how sure a reply is; "" for none
	ConfidenceMin float64
	Place         source.Place
}

// Member is one model of a Route. What is 0 or nil is not limited, or not known.
type Member struct {
	Model        *Model
	Weight       float64
	Quality      *float64
	InputSizeMax int     // characters
	CostLimit    float64 // US dollars
	MaxLatency   time.Duration
}

// route resolves the members of a route.
func (m *maker) route(r *program.Route) *Route {
	out := &Route{
		Strategy: lm.Strategy(r.Strategy), QualityMin: r.QualityMin,
		Confidence: r.Confidence, ConfidenceMin: r.ConfidenceMin, Place: r.Place,
	}
	for _, x := range r.Members {
		member := Member{nil, x.Weight, x.Quality, x.InputSizeMax, x.CostLimit, x.MaxLatency}
		if x.Model.Model != nil {
			member.Model = m.declared(x.Model.Model, "the route", x.Model.Place)
		} else {
			member.Model = m.address(x.Model.Address, "the route")
		}
		out.Members = append(out.Members, member)
	}
	return out
}

// confidence reports a route that asks for an output which the step does not have.
func (m *maker) confidence(op *Op) {
	r := op.Model.Route
	if r == nil || r.Confidence == "" {
		return
	}
	name := r.Confidence
	f, ok := op.Signature.Output(name)
	if ok && types.Fits(f.Type, types.Float) {
		return
	}
	d := diag.New("E0216", op.Step.Place, "`"+op.Name+"` gives no number `"+name+"`").
		Relate(r.Place, "`%s` asks for it", op.Model.title())
	if ok {
		d.Say("The route sends a call on when the output `%s` of its reply is too low, and here that is a `%s`.", name, f.Type)
	} else {
		d.Say("The route sends a call on when the output `%s` of its reply is too low, and this step has no such output.", name)
	}
	m.diags = append(m.diags, d.Hint("add the output to the signature: %s: probability", name).
		Hint("or let another model answer this step"))
}

// title names the model and its address.
func (m *Model) title() string {
	if m.Name == "" || m.Address == "model."+m.Name {
		return m.Address
	}
	return "model." + m.Name + " (" + m.Address + ")"
}

// write adds the members for people.
func (r *Route) write(b *strings.Builder, indent string) {
	if r == nil {
		return
	}
	fmt.Fprintf(b, "%sroute %s", indent, r.Strategy)
	if r.QualityMin > 0 {
		fmt.Fprintf(b, ", quality_min %v", r.QualityMin)
	}
	if r.Confidence != "" {
		fmt.Fprintf(b, ", %s at least %v", r.Confidence, r.ConfidenceMin)
	}
	b.WriteString("\n")
	for i, m := range r.Members {
		fmt.Fprintf(b, "%s%d. %s", indent, i+1, m.Model.title())
		for _, s := range m.settings() {
			b.WriteString(", " + s)
		}
		b.WriteString("\n")
		m.Model.Route.write(b, indent+"   ")
	}
}

func (m Member) settings() []string {
	var out []string
	if m.Weight > 0 {
		out = append(out, fmt.Sprintf("weight %v", m.Weight))
	}
	if m.Quality != nil {
		out = append(out, fmt.Sprintf("quality %v", *m.Quality))
	}
	if m.InputSizeMax > 0 {
		out = append(out, fmt.Sprintf("input_size_max %d", m.InputSizeMax))
	}
	if m.CostLimit > 0 {
		out = append(out, fmt.Sprintf("cost_limit $%v", m.CostLimit))
	}
	if m.MaxLatency > 0 {
		out = append(out, fmt.Sprintf("max_latency %s", m.MaxLatency))
	}
	return out
}

// MarshalJSON writes the route for machines.
func (r *Route) MarshalJSON() ([]byte, error) {
	type member struct {
		Model        *Model   `json:"model"`
		Weight       float64  `json:"weight,omitempty"`
		Quality      *float64 `json:"quality,omitempty"`
		InputSizeMax int      `json:"input_size_max,omitempty"`
		CostLimit    float64  `json:"cost_limit,omitempty"`
		MaxLatency   string   `json:"max_latency,omitempty"`
	}
	members := make([]member, len(r.Members))
	for i, m := range r.Members {
		members[i] = member{m.Model, m.Weight, m.Quality, m.InputSizeMax, m.CostLimit, ""}
		if m.MaxLatency > 0 {
			members[i].MaxLatency = m.MaxLatency.String()
		}
	}
	return json.Marshal(struct {
		Strategy      lm.Strategy `json:"strategy"`
		Members       []member    `json:"members"`
		QualityMin    float64     `json:"quality_min,omitempty"`
		Confidence    string      `json:"confidence,omitempty"`
		ConfidenceMin float64     `json:"confidence_min,omitempty"`
	}{r.Strategy, members, r.QualityMin, r.Confidence, r.ConfidenceMin})
}

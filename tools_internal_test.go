package dspi

import (
	"context"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/tool"
	"github.com/dspi-lang/dspi/lang/value"
)

// oneFound is a retriever that finds its query.
type oneFound struct{}

func (oneFound) Retrieve(_ context.Context, query string, k int) ([]retrieve.Passage, error) {
	return []retrieve.Passage{{ID: "1", Text: "about " + query}}, nil
}

// TestToolsOfAStep: a retriever in a list of tools is one, a built-in tool is there,
// and a tool in Go stands in for a declared one.
func TestToolsOfAStep(t *testing.T) {
	project, diags := Check(Parse("a.dsp", `
retriever wiki {
  file        = "examples/tour/data/wiki.jsonl"
  description = "Rivers."
}

tool own {
  n: int -> n2: int
  outputs { n2 = n }
}

program assistant {
  request: string -> reply: string
  react agent { tools = [retriever.wiki, tool.calculator, tool.own] }
}
`))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	p, err := Plan(project, PlanOptions{Model: "builtin/incontext"})
	if err != nil {
		t.Fatal(err)
	}
	r := NewRuntime(Options{})
	defer r.Close()
	r.UseRetriever("retriever.wiki", oneFound{})
	mine := &named{}
	var got []string
	for use := range 2 {
		for _, x := range p.Ops[0].Tools {
			made, err := r.tool(x)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case x.Name == "search_wiki":
				out, err := made.Call(t.Context(), value.NewObject("query", "Seine"))
				if err != nil || string(value.EncodeJSON(out)) != `{"passages":["about Seine"],"ids":["1"]}` || made.Description() != "Rivers." {
					t.Errorf("%s, %v", value.EncodeJSON(out), err)
				}
			case x.Name == "own" && use == 0:
				if made != nil {
					t.Errorf("the body of a declared tool is the machine's, got %T", made)
				}
			case x.Name == "own":
				if made != tool.Tool(mine) {
					t.Errorf("got %T", made)
				}
			}
			got = append(got, x.Name)
		}
		r.UseTool("tool.own", mine)
	}
	if len(got) != 6 || got[0] != "search_wiki" || got[1] != "calculator" {
		t.Errorf("got %q", got)
	}
}

type named struct{ tool.Tool }

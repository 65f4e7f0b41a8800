package modules_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/value"
)

const deskProgram = `
tool invoice {
  description = "An invoice."
  number: int -> total: float
  outputs { total = 40.0 + number }
}

program desk {
  request: string -> reply: string
  agent desk {
    max_handovers = 2
    SETTING
    react billing {
      instructions = "Answer questions about bills. Never pay."
      tools        = [tool.invoice]
    }
    react refunds {
      instructions = "Pay money back! Ask billing first."
      tools        = [tool.invoice]
    }
  }
}
`

func over(to, message string) spoken {
	return asks("hand_over", `{"to": "`+to+`", "message": "`+message+`"}`)
}

// TestAgentHandsOver lets two agents hand over and back.
func TestAgentHandsOver(t *testing.T) {
	p := planned(t, strings.Replace(deskProgram, "SETTING", "", 1))
	model := scripted(
		asks("invoice", `{"number": 2}`, "note", `{"name": "invoice", "text": "number 2"}`),
		over("refunds", "they want their money back"),
		over("billing", "was it paid?"),
		asks("finish", `{"reply": "It was not paid."}`),
	)
	result, err := ran(t, p, model, nil, value.NewObject("request", "My money!"))
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := result.Outputs.Get("reply"); v != "It was not paid." {
		t.Errorf("reply %v", v)
	}
	requests := model.Requests()
	for i, want := range [][]string{
		{"Answer questions about bills.", "1. `request` (str):"},
		{"Noted."},
		{"Pay money back!", "billing: they want their money back", `["billing: invoice(number = 2) -> 42.0", "billing to refunds: they want their money back"]`, `{"invoice": "number 2"}`},
		{"Answer questions about bills.", "refunds: was it paid?", "The task cannot be handed over again: answer it yourself."},
	} {
		var all strings.Builder
		for _, m := range requests[i].Messages {
			all.WriteString(m.Text() + "\n")
		}
		for _, part := range want {
			if !strings.Contains(all.String(), part) {
				t.Errorf("call %d lacks %q:\n%s", i+1, part, all.String())
			}
		}
		wellFormed(t, &requests[i])
	}
	offered := func(r lm.Request) (names, description string) {
		for _, x := range r.Tools {
			names += x.Name + " "
			if x.Name == "hand_over" {
				description = x.Description + string(x.Parameters)
			}
		}
		return names, description
	}
	if names, description := offered(requests[0]); names != "invoice hand_over note finish " ||
		!strings.Contains(description, "- refunds: Pay money back!") || !strings.Contains(description, `"const":"refunds"`) {
		t.Errorf("%s, %s", names, description)
	}
	if names, _ := offered(requests[3]); names != "invoice note finish " {
		t.Errorf("behind the last handover there is %s", names)
	}
}

// TestAgentBeyondTheLimit hands over once more than is allowed.
func TestAgentBeyondTheLimit(t *testing.T) {
	round := []spoken{over("refunds", "a"), over("billing", "b"), over("refunds", "c")}
	inputs := value.NewObject("request", "My money!")

	result, err := ran(t, planned(t, strings.Replace(deskProgram, "SETTING", "", 1)), scripted(append(round, asks("finish", `{"reply": "so be it"}`))...), nil, inputs)
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := result.Outputs.Get("reply"); v != "so be it" {
		t.Errorf("reply %v", v)
	}

	_, err = ran(t, planned(t, strings.Replace(deskProgram, "SETTING", `at_limit = "fail"`, 1)), scripted(round...), nil, inputs)
	if want := "The task changed hands more often than max_handovers = 2 allows: billing -> refunds -> billing -> refunds."; !strings.Contains(words(err), want) {
		t.Errorf("%v, want %s", words(err), want)
	}
}

// TestAgentStart begins with another agent, or says that there is none of that name.
func TestAgentStart(t *testing.T) {
	inputs := value.NewObject("request", "My money!")
	model := scripted(asks("finish", `{"reply": "paid"}`))
	if _, err := ran(t, planned(t, strings.Replace(deskProgram, "SETTING", `start = "refunds"`, 1)), model, nil, inputs); err != nil {
		t.Fatal(err)
	}
	if got := model.Requests()[0].Messages[0].Content; !strings.HasPrefix(got, "Pay money back!") {
		t.Error(got)
	}
	_, err := ran(t, planned(t, strings.Replace(deskProgram, "SETTING", `start = "refund"`, 1)), scripted(), nil, inputs)
	if got := words(err); !strings.Contains(got, "No agent is called `refund`") || !strings.Contains(got, "did you mean `refunds`?") {
		t.Error(got)
	}
}

// TestAgentWritten hands over with written actions.
func TestAgentWritten(t *testing.T) {
	model := scripted(
		text("Action[hand_over](to = refunds, message = \"pay, please\")"),
		text("[[ ## reply ## ]]\npaid\n\n[[ ## completed ## ]]"),
	)
	result, err := ran(t, planned(t, strings.Replace(deskProgram, "SETTING", "", 1)), withoutTools{model}, nil, value.NewObject("request", "My money!"))
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := result.Outputs.Get("reply"); v != "paid" {
		t.Errorf("reply %v", v)
	}
}

// words are all that a diagnostic says.
func words(err error) string {
	d, ok := errors.AsType[*diag.Diagnostic](err)
	if !ok {
		return fmt.Sprint(err)
	}
	return string(d.Code) + " " + d.Detail + fmt.Sprint(d.Help)
}

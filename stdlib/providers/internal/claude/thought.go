package claude

import "fmt"

// Thought is how a model is asked to think, as its field of the protocol.
type Thought struct {
	Type         string `json:"type"` // enabled, adaptive
	BudgetTokens int    `json:"budget_tokens,omitempty"`
	Display      string `json:"display,omitempty"`
}

// MaxTokens is the number of tokens for a reply, and for what is thought before it,
// where nobody sets one: what a model thinks is part of the number.
const MaxTokens = 16384

// budgets are the numbers of tokens for reasoning efforts. There is no official table:
// each step doubles.
var budgets = map[string]int{"minimal": LeastBudget, "low": 2 * LeastBudget, "medium": 4 * LeastBudget, "high": 8 * LeastBudget}

// Think returns how a model is asked to think with a reasoning effort that is not "":
// models up to 4.5 by a number of tokens, which is part of maxTokens; later ones by an
// effort, of which there is none below low, and they find the number themselves.
// effort is "" where the model takes none. problem says what is wrong.
func (t Traits) Think(model, wish string, maxTokens int) (thought *Thought, effort, problem string) {
	budget := budgets[wish]
	switch {
	case budget == 0:
		return nil, "", fmt.Sprintf("reasoning_effort is %q, and %s takes minimal, low, medium or high", wish, model)
	case t.Thinking == Never:
		return nil, "", model + " does not reason before it answers; remove reasoning_effort or choose another model"
	}
	if t.Effort || !t.Known {
		if effort = wish; wish == "minimal" {
			effort = "low"
		}
	}
	if t.Thinking == Adaptive {
		thought = &Thought{Type: "adaptive"}
		if t.Hidden {
			thought.Display = "summarized"
		}
		return thought, effort, ""
	}
	if maxTokens <= LeastBudget {
		return nil, "", fmt.Sprintf("%s reasons with at least %d tokens, which are part of max_tokens (this is %d); raise max_tokens or remove reasoning_effort", model, LeastBudget, maxTokens)
	}
	// Something must be left for the answer.
	return &Thought{Type: "enabled", BudgetTokens: max(LeastBudget, min(budget, maxTokens/4*3))}, effort, ""
}

// Sample says whether a model samples in its own way, so that temperature and top_p
// are not sent. problem says which of them cannot be obeyed.
func (t Traits) Sample(model string, thinks bool, temperature, topP *float64) (own bool, problem string) {
	how := model + " samples in its own way"
	switch {
	case t.FixedSampling:
	case thinks:
		how += " when it reasons"
	default:
		return false, ""
	}
	for _, setting := range []struct {
		name  string
		value *float64
	}{{"temperature", temperature}, {"top_p", topP}} {
		if setting.value != nil && *setting.value != 1 {
			return true, fmt.Sprintf("%s and takes no %s other than 1 (this is %v); leave the setting out or choose another model", how, setting.name, *setting.value)
		}
	}
	return true, ""
}

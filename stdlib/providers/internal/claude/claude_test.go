package claude

import (
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	var (
		unknown  = Traits{Vision: true}
		second   = Traits{Known: true, Thinking: Never}
		third    = Traits{Known: true, Thinking: Never, Vision: true}
		budget   = Traits{Known: true, Thinking: Budget, Vision: true}
		held     = Traits{Known: true, Thinking: Budget, Vision: true, Schema: true}
		opus45   = Traits{Known: true, Thinking: Budget, Vision: true, Schema: true, Effort: true}
		adaptive = Traits{Known: true, Vision: true, Schema: true, Effort: true}
		fixed    = Traits{Known: true, Vision: true, Schema: true, Effort: true, FixedSampling: true, Hidden: true}
		unasked  = Traits{Known: true, Vision: true, Schema: true, Effort: true, FixedSampling: true, Hidden: true, Unasked: true}
	)
	for model, want := range map[string]Traits{
		"": unknown, "a-model": unknown, "claude": unknown, "claude-next": unknown, "claude-sonnet-latest": unknown, "gpt-4o": unknown,
		"claude-2.1": second, "claude-instant-1.2": second, "anthropic.claude-v2:1": second,
		"claude-3-opus-20240229": third, "claude-3-5-haiku-latest": third, "anthropic.claude-3-haiku-20240307-v1:0": third, "anthropic/claude-3.5-sonnet": third,
		"claude-3-7-sonnet-20250219": budget, "anthropic/claude-3.7-sonnet": budget,
		"claude-opus-4-20250514": budget, "claude-sonnet-4-0": budget, "claude-opus-4-1-20250805": budget, "us.anthropic.claude-sonnet-4-20250514-v1:0": budget,
		"claude-sonnet-4-5": held, "claude-haiku-4-5-20251001": held, "us.anthropic.claude-haiku-4-5-20251001-v1:0": held,
		"claude-opus-4-5-20251101": opus45, "anthropic/claude-opus-4.5": opus45, "claude-opus-4-5@20251101": opus45,
		"claude-opus-4-6": adaptive, "claude-sonnet-4-6": adaptive, "anthropic.claude-opus-4-6-v1": adaptive,
		"claude-opus-4-7": fixed, "claude-opus-4-8": fixed,
		"claude-opus-5": unasked, "claude-sonnet-5": unasked, "claude-haiku-5-5": unasked, "anthropic.claude-opus-5-5": unasked,
		"claude-fable-5-1": unasked, "claude-mythos-preview": unasked,
	} {
		if got := Of(model); got != want {
			t.Errorf("%q has %+v, want %+v", model, got, want)
		}
	}
}

func TestThink(t *testing.T) {
	for _, c := range []struct {
		model, wish string
		tokens      int
		want        Thought
		effort      string
		fails       string
	}{
		{"claude-sonnet-4-5", "minimal", MaxTokens, Thought{Type: "enabled", BudgetTokens: 1024}, "", ""},
		{"claude-sonnet-4-5", "high", MaxTokens, Thought{Type: "enabled", BudgetTokens: 8192}, "", ""},
		{"claude-sonnet-4-5", "high", 2000, Thought{Type: "enabled", BudgetTokens: 1500}, "", ""},
		{"claude-sonnet-4-5", "high", 1025, Thought{Type: "enabled", BudgetTokens: 1024}, "", ""},
		{"claude-sonnet-4-5", "high", 1024, Thought{}, "", "at least 1024 tokens"},
		{"claude-opus-4-5", "medium", MaxTokens, Thought{Type: "enabled", BudgetTokens: 4096}, "medium", ""},
		{"claude-opus-4-6", "minimal", 10, Thought{Type: "adaptive"}, "low", ""},
		{"claude-opus-5", "high", 10, Thought{Type: "adaptive", Display: "summarized"}, "high", ""},
		{"a-model", "high", 10, Thought{Type: "adaptive"}, "high", ""},
		{"claude-3-5-haiku-latest", "low", MaxTokens, Thought{}, "", "does not reason"},
		{"claude-opus-5", "huge", MaxTokens, Thought{}, "", "takes minimal, low, medium or high"},
	} {
		got, effort, problem := Of(c.model).Think(c.model, c.wish, c.tokens)
		if c.fails != "" || problem != "" {
			if c.fails == "" || !strings.Contains(problem, c.fails) {
				t.Errorf("%s, %s: the problem is %q, want %q", c.model, c.wish, problem, c.fails)
			}
			continue
		}
		if *got != c.want || effort != c.effort {
			t.Errorf("%s, %s: %+v with effort %q, want %+v with %q", c.model, c.wish, *got, effort, c.want, c.effort)
		}
	}
}

func TestSample(t *testing.T) {
	one, half := 1.0, 0.5
	for _, c := range []struct {
		model             string
		thinks            bool
		temperature, topP *float64
		own               bool
		fails             string
	}{
		{"claude-sonnet-4-5", false, &half, &half, false, ""},
		{"claude-sonnet-4-5", true, &one, nil, true, ""},
		{"claude-sonnet-4-5", true, &half, nil, true, "when it reasons and takes no temperature other than 1 (this is 0.5)"},
		{"claude-opus-4-7", false, nil, nil, true, ""},
		{"claude-opus-4-7", false, &one, &half, true, "takes no top_p other than 1"},
		{"a-model", false, &half, nil, false, ""},
	} {
		own, problem := Of(c.model).Sample(c.model, c.thinks, c.temperature, c.topP)
		if own != c.own || (problem == "") != (c.fails == "") || !strings.Contains(problem, c.fails) {
			t.Errorf("%s: %v, %q; want %v, %q", c.model, own, problem, c.own, c.fails)
		}
	}
}

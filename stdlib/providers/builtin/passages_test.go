package builtin

import (
	"strings"
	"testing"
)

func TestAnswerFromPassages(t *testing.T) {
	lamps := `["The lighthouse at Gull Point was built in 1871 by Mara Ellison. It has 94 steps.", "Gull Point is in the north of Farland. Most of its boats are green.", "The museum opens on Friday because the roof was repaired.", "The water tower was finished in 1902. It is 41 metres tall and was painted by Olga Brandt."]`
	for _, c := range []struct{ question, answer, sources string }{
		{"Who built the lighthouse at Gull Point?", "Mara Ellison", "[0]"},
		{"When was the lighthouse built?", "1871", "[0]"},
		{"What year was the lighthouse at Gull Point built?", "1871", "[0]"},
		{"How many steps has it?", "94", "[0]"},
		{"Where is Gull Point?", "Farland", "[1]"},
		{"What colour are most of the boats?", "green", "[1]"},
		{"Why does the museum open on Friday?", "the roof was repaired", "[2]"},
		{"How tall is the tower?", "41 metres", "[3]"},
		{"Who painted the water tower?", "Olga Brandt", "[3]"},
		{"How many boats are in the harbour?", "unknown", "[]"},
		{"Which composer died of cholera?", "unknown", "[]"},
	} {
		got := outputs(t, prompt{
			inputs:  []string{"question (str)", "passages (list[str]) best first"},
			outputs: []string{"reasoning (str)", "answer (str)", "sources (list[int]) positions of the passages used, counted from 0", "confidence (float)\nConstraints: greater than or equal to: 0, less than or equal to: 1"},
			values:  input("question", c.question, "passages", lamps),
		})
		if got["answer"] != c.answer || got["sources"] != c.sources {
			t.Errorf("%s: %q from %s, want %q from %s", c.question, got["answer"], got["sources"], c.answer, c.sources)
		}
		if known := c.answer != "unknown"; known == (got["confidence"] == "0.0") || known != strings.Contains(got["reasoning"], "in passage") {
			t.Errorf("%s: confidence %s, reasoning %q", c.question, got["confidence"], got["reasoning"])
		}
	}
}

// TestCitation: a citation has the words of the sentence that was used, without the
// title before it, and the number of its passage; nothing is cited for an unknown answer.
func TestCitation(t *testing.T) {
	const citation = `{"properties": {"text": {"type": "string"}, "source": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "supports": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, "required": ["text"], "type": "object"}`
	for question, want := range map[string]string{
		"Which river flows through Paris?":   `[{"text": "The Seine flows through Paris.", "source": "2", "supports": null}]`,
		"Which composer died of cholera?":    `[]`,
		"Which river is longer than the Po?": `[]`,
	} {
		got := outputs(t, prompt{
			inputs:  []string{"question (str)", "passages (list[str])"},
			outputs: []string{"answer (str)", "sources (list[citation])"},
			notes:   map[string]string{"sources": `must adhere to the JSON schema: {"type": "array", "items": ` + citation + `}`},
			values:  input("question", question, "passages", `["Rome | Rome is on the Tiber.", "Paris | The Seine flows through Paris."]`),
		})
		if got["sources"] != want {
			t.Errorf("%s: %s is cited, want %s", question, got["sources"], want)
		}
	}
}

// TestTitles: what answers stands in the body of a passage before it is looked for in
// the title.
func TestTitles(t *testing.T) {
	for question, want := range map[string]string{
		"Who founded the company?":          "Anton Weiss",
		"When was the company founded?":     "1887",
		"Who was a painter of small birds?": "Tilda Moor",
	} {
		got := outputs(t, prompt{
			inputs: []string{"question (str)", "passages (list[str])"}, outputs: []string{"answer (str)"},
			values: input("question", question, "passages", `["A short history › Horses | The company was founded in 1887 by the grocer Anton Weiss.", "Tilda Moor | She was a painter of small birds."]`),
		})
		if got["answer"] != want {
			t.Errorf("%s: %q, want %q", question, got["answer"], want)
		}
	}
}

func TestSeine(t *testing.T) {
	got := outputs(t, prompt{
		inputs: []string{"question (str)", "context (str)"}, outputs: []string{"answer (str)"},
		values: input("question", "Which river flows through Paris?", "context", "Paris is the capital of France.\n\nThe Seine flows through Paris and ends at Le Havre. It is 777 km long."),
	})
	if !strings.Contains(got["answer"], "Seine") {
		t.Errorf("%v", got)
	}
}

func TestSplitSentences(t *testing.T) {
	for text, want := range map[string]string{
		"One. Two! Three?": "One.|Two!|Three?",
		"Dr. Lee met J. Smith at 3.5 km. He said hi.": "Dr. Lee met J. Smith at 3.5 km.|He said hi.",
		"a b\nc d\n\ne":               "a b c d|e",
		"He asked \"why?\" She left.": "He asked \"why?\"|She left.",
		"":                            "",
		"...":                         "...",
	} {
		if got := strings.Join(splitSentences(text), "|"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestReadPassages(t *testing.T) {
	for value, want := range map[string]string{
		`["a", "b"]`:               "a|b",
		`[{"id": 1, "text": "a"}]`: "a",
		"[1] «a»\n[2] «b c»":       "a|b c",
		"[not a list":              "[not a list",
		"":                         "",
	} {
		if got := strings.Join(readPassages(value), "|"); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

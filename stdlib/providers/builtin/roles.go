package builtin

import (
	"regexp"
	"strconv"
	"strings"
)

// A role is what an output is for, as its name and type tell.
type role int

const (
	plainRole      role = iota
	reasoningRole       // how the answer came about
	confidenceRole      // how sure the answer is
	positionsRole       // which passages were used
	evidenceRole        // the sentence that was used
	summaryRole         // the input, shortened
	citationRole        // the sentence that was used, with the passage that it is from
)

func hasWord(words []string, any ...string) bool {
	for _, w := range words {
		for _, a := range any {
			if w == a {
				return true
			}
		}
	}
	return false
}

func roleOf(f *field) role {
	words := strings.Fields(strings.ToLower(splitName(f.name)))
	s := f.shape
	switch s.kind {
	case stringKind:
		switch {
		case f.typeText == "Reasoning" || f.typeText == "reasoning_chain",
			hasWord(words, "reasoning", "rationale", "explanation", "thought", "thoughts", "justification", "thinking"):
			return reasoningRole
		case hasWord(words, "summary", "gist", "digest", "abstract", "synopsis", "tldr", "headline", "title", "overview"):
			return summaryRole
		case hasWord(words, "quote", "evidence", "excerpt", "snippet"):
			return evidenceRole
		}
	case intKind, floatKind:
		if f.typeText == "probability" || f.typeText == "confidence" ||
			hasWord(words, "confidence", "certain", "certainty", "probability", "likelihood", "sure") {
			return confidenceRole
		}
	case recordKind:
		if cites(s) {
			return citationRole
		}
	case listKind:
		if len(s.elems) != 1 {
			break
		}
		if cites(s.elems[0]) {
			return citationRole
		}
		about := append(words, strings.Fields(strings.ToLower(f.about))...)
		if s.elems[0].kind == intKind && hasWord(about, "sources", "positions", "position", "indexes", "indices", "index", "citations", "references", "passages", "passage", "used") {
			return positionsRole
		}
		if s.elems[0].kind == stringKind && hasWord(words, "quotes", "evidence", "excerpts", "snippets") {
			return evidenceRole
		}
	}
	return plainRole
}

// cites reports whether a shape is that of the language's type citation.
func cites(s *shape) bool {
	has := 0
	for _, p := range s.properties {
		if p.shape.kind == stringKind && hasWord([]string{p.name}, "text", "source", "supports") {
			has++
		}
	}
	return s.kind == recordKind && has == 3
}

// A question with passages to look in.
type question struct {
	text     string
	passages []string
}

// readQuestion finds the question among the inputs and the passages to look in; ok is
// false when there are not both.
func readQuestion(t *task) (q question, ok bool) {
	asked := -1
	for i, f := range t.inputs {
		words := strings.Fields(strings.ToLower(splitName(f.name)))
		if hasWord(words, "question", "query") && t.values[f.name] != "" {
			asked = i
			break
		}
		if asked < 0 && strings.HasSuffix(strings.TrimSpace(t.values[f.name]), "?") && len(t.values[f.name]) < 2000 {
			asked = i
		}
	}
	if asked < 0 {
		return q, false
	}
	q.text = t.values[t.inputs[asked].name]
	best := ""
	for i, f := range t.inputs {
		value := t.values[f.name]
		if i == asked || value == "" {
			continue
		}
		words := strings.Fields(strings.ToLower(splitName(f.name)))
		named := hasWord(words, "context", "passage", "passages", "document", "documents", "docs", "text", "article", "articles", "notes", "sources", "content", "paragraph", "paragraphs", "facts", "snippets")
		if named {
			best = value
			break
		}
		if (strings.HasPrefix(f.typeText, "list") || len(value) > len(q.text)) && len(value) > len(best) {
			best = value
		}
	}
	q.passages = readPassages(best)
	return q, len(q.passages) > 0
}

var saidLength = regexp.MustCompile(`(?i)\b(?:at most|no more than|up to|maximum(?: of)?|max\.?|within|under)\s+([0-9]{1,7})\s+(?:characters|chars)\b`)

// saidMaxLength reads "at most 280 characters" in words for people; 0 when not said.
func saidMaxLength(text string) int {
	m := saidLength.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return n
}

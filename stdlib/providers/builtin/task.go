package builtin

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

// A format is how values are written in the messages and in the reply.
type format int

const (
	chat format = iota // [[ ## name ## ]] above each value
	jsonObject
	xmlTags
	words // name: value, in paragraphs
)

// A field is one line of the lists "Your input fields are" and "Your output fields are".
type field struct {
	name     string
	typeText string // the type as the prompt writes it: `list[str]`
	about    string // the description, with the lines that follow it
	shape    *shape // outputs only
}

// A demo is one worked example: values by field name, missing ones left out.
type demo struct {
	in, out map[string]string
}

// A task is everything that the messages say.
type task struct {
	format      format
	inputs      []*field
	outputs     []*field
	instruction string
	feedback    string // what the user said about earlier answers, if anything
	demos       []demo
	values      map[string]string // the inputs to answer for
	said        map[string]string // the outputs, where an earlier reply has given them
}

const (
	inputsHeading  = "Your input fields are:"
	outputsHeading = "Your output fields are:"
	layoutHeading  = "All interactions will be structured in the following way"
	objectiveStart = "In adhering to this structure, your objective is:"
	jsonHeading    = "Outputs will be a JSON object with the following fields."
	noteStart      = "# note: the value you produce "
	notSupplied    = "Not supplied for this"
)

// readTask reads the messages, or returns nil when they describe no fields.
func readTask(messages []lm.Message) *task {
	system := ""
	var turns []lm.Message
	for _, m := range messages {
		if m.Role == lm.System {
			system += m.Content + "\n"
		} else {
			turns = append(turns, m)
		}
	}
	if !strings.Contains(system, outputsHeading) && len(turns) > 0 {
		// Some servers have no system role: the first user message may hold it.
		if first := turns[0].Content; strings.Contains(first, outputsHeading) {
			if cut := strings.Index(first, objectiveStart); cut >= 0 {
				system = first
			}
		}
	}
	t := &task{}
	if !t.readSystem(system) {
		return nil
	}
	t.readTurns(turns)
	t.verbatim()
	return t
}

func (t *task) readSystem(system string) bool {
	system = strings.ReplaceAll(system, "\r\n", "\n")
	if !strings.Contains(system, outputsHeading) && (t.readCompact(system) || t.readFree(system)) {
		return true
	}
	_, rest, ok := strings.Cut(system, inputsHeading)
	if !ok {
		rest = system
	}
	head, rest, ok := strings.Cut(rest, outputsHeading)
	if !ok {
		return false
	}
	list, layout, _ := strings.Cut(rest, layoutHeading)
	layout, objective, _ := strings.Cut(layout, objectiveStart)
	if strings.Contains(system, inputsHeading) {
		t.inputs = readFields(head)
	}
	t.outputs = readFields(list)
	if len(t.outputs) == 0 {
		return false
	}
	t.instruction = strings.TrimSpace(objective)
	notes := map[string]string{}
	switch {
	case strings.Contains(layout, jsonHeading):
		t.format = jsonObject
		notes = jsonNotes(layout)
	case strings.Contains(layout, "[[ ## "):
		t.format = chat
	default:
		t.format = xmlTags
	}
	for _, f := range t.outputs {
		note, ok := notes[f.name]
		if !ok {
			note = noteOf(layout, f.name)
		}
		f.shape = readShape(f, note)
		if f.shape.kind == choiceKind {
			f.shape.explain(t.instruction)
		}
	}
	return true
}

var fieldLine = regexp.MustCompile("^\\s*[0-9]+\\. `([^`]+)` \\(")

// readFields reads the numbered lines of a list of fields.
func readFields(list string) []*field {
	var out []*field
	for line := range strings.Lines(list) {
		line = strings.TrimRight(line, "\n")
		if m := fieldLine.FindStringSubmatchIndex(line); m != nil {
			typeText, about := cutType(line[m[1]:])
			out = append(out, &field{name: line[m[2]:m[3]], typeText: typeText, about: strings.TrimSpace(about)})
		} else if len(out) > 0 && strings.TrimSpace(line) != "" {
			f := out[len(out)-1]
			f.about = strings.TrimSpace(f.about + "\n" + strings.TrimSpace(line))
		}
	}
	return out
}

// cutType splits `Literal['a)', 'b']): description` at the parenthesis that closes the type.
func cutType(s string) (typeText, rest string) {
	depth, quote := 0, byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0:
			if c == '\\' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case c == ')':
			if depth <= 0 {
				return s[:i], strings.TrimPrefix(s[i+1:], ":")
			}
			depth--
		}
	}
	typeText, rest, _ = strings.Cut(s, "):")
	return typeText, rest
}

// noteOf returns what the layout says about the value of an output, "" if nothing.
func noteOf(layout, name string) string {
	for line := range strings.Lines(layout) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "{"+name+"}"); ok {
			if note, ok := strings.CutPrefix(strings.TrimSpace(rest), noteStart); ok {
				return note
			}
		}
	}
	return ""
}

// jsonNotes returns the notes by field when the layout is a JSON object of them.
func jsonNotes(layout string) map[string]string {
	notes := map[string]string{}
	_, object, _ := strings.Cut(layout, jsonHeading)
	var raw map[string]json.RawMessage
	dec := json.NewDecoder(strings.NewReader(object))
	if dec.Decode(&raw) != nil {
		return notes
	}
	for name, v := range raw {
		text := string(v)
		if s := ""; json.Unmarshal(v, &s) == nil {
			text = s
		}
		if _, note, ok := strings.Cut(text, noteStart); ok {
			notes[name] = note
		}
	}
	return notes
}

// readTurns sorts the conversation into demos, the inputs to answer, and feedback.
func (t *task) readTurns(turns []lm.Message) {
	target := -1
	for i, m := range turns {
		if m.Role == lm.User && (asks(m.Content) || target < 0 || !asks(turns[target].Content)) {
			if len(t.readValues(m.Content, t.inputs)) > 0 || target < 0 {
				target = i
			}
		}
	}
	if target < 0 {
		t.values = map[string]string{}
		return
	}
	t.values = t.readValues(turns[target].Content, t.inputs)
	for i := 0; i+1 < len(turns); i++ {
		u, a := turns[i], turns[i+1]
		if i+1 > target || u.Role != lm.User || a.Role != lm.Assistant || asks(u.Content) {
			continue
		}
		d := demo{in: t.readValues(u.Content, t.inputs), out: t.readValues(a.Content, t.outputs)}
		if len(d.out) > 0 {
			t.demos = append(t.demos, d)
		}
	}
	var said []string
	for _, m := range turns[target+1:] {
		if m.Role == lm.User {
			said = append(said, m.Content)
		}
	}
	t.feedback = strings.Join(said, "\n")
}

var closings = []string{
	"Respond with the corresponding output fields",
	"Respond with a JSON object in the following order of fields",
}

// asks reports whether a user message ends by asking for a reply: a demo does not.
func asks(content string) bool { return closingAt(content) >= 0 }

func closingAt(content string) int {
	at := -1
	for _, c := range closings {
		i := strings.LastIndex(content, c)
		if i > at && (i == 0 || content[i-1] == '\n') {
			at = i
		}
	}
	return at
}

// readValues reads the values of the fields from one message.
func (t *task) readValues(content string, fields []*field) map[string]string {
	if at := closingAt(content); at >= 0 {
		content = content[:at]
	}
	var values map[string]string
	switch trimmed := strings.TrimSpace(content); {
	case t.format == xmlTags:
		values = xmlValues(content, fields)
	case t.format == words:
		values = wordValues(content, fields)
	case t.format == jsonObject && strings.HasPrefix(trimmed, "{"):
		values = jsonValues(trimmed)
	default:
		values = chatValues(content)
	}
	known := make(map[string]string, len(fields))
	for _, f := range fields {
		if v, ok := values[f.name]; ok && !strings.HasPrefix(v, notSupplied) {
			known[f.name] = v
		}
	}
	return known
}

// chatValues cuts a message at its `[[ ## name ## ]]` lines; the first of a name counts.
func chatValues(content string) map[string]string {
	values := map[string]string{}
	name, start := "", 0
	put := func(end int) {
		if _, seen := values[name]; name != "" && !seen {
			values[name] = strings.TrimSpace(content[start:end])
		}
	}
	for at := 0; at < len(content); {
		end := len(content)
		if i := strings.IndexByte(content[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		line := content[at:end]
		indent := len(line) - len(strings.TrimLeft(line, " \t"))
		if rest, ok := strings.CutPrefix(line[indent:], "[[ ## "); ok {
			if header, _, ok := strings.Cut(rest, " ## ]]"); ok {
				put(at)
				name, start = header, at+indent+len("[[ ## ")+len(header)+len(" ## ]]")
			}
		}
		at = end
	}
	put(len(content))
	return values
}

func jsonValues(content string) map[string]string {
	var raw map[string]json.RawMessage
	if json.NewDecoder(strings.NewReader(content)).Decode(&raw) != nil {
		return nil
	}
	values := make(map[string]string, len(raw))
	for name, v := range raw {
		values[name] = string(v)
		if s := ""; json.Unmarshal(v, &s) == nil && len(v) > 0 && v[0] == '"' {
			values[name] = s
		}
	}
	return values
}

var unescapeXML = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#39;", "'", "&apos;", "'", "&amp;", "&")

func xmlValues(content string, fields []*field) map[string]string {
	values := map[string]string{}
	for _, f := range fields {
		if _, rest, ok := strings.Cut(content, "<"+f.name+">"); ok {
			if v, _, ok := strings.Cut(rest, "</"+f.name+">"); ok {
				values[f.name] = unescapeXML.Replace(strings.TrimSpace(v))
			}
		}
	}
	return values
}

package align

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// A Stream reads a reply while it is written. Add takes the next piece and
// returns the outputs that have grown.
//
// What it shows is never taken back: a text is a beginning of the final one, a
// list holds the first of its items, an object some of its names, and any other
// value is the final one. So it shows only what is plain. A reply that needs
// repairs is shown as far as it does not, and Read tells the rest at the end. (One
// thing cannot be foreseen: an object that gives a name twice. The second counts.) Each
// byte is looked at once, whatever the sizes of the pieces are.
type Stream struct {
	sig  *program.Signature
	form string

	held   string // bytes that may be the beginning of a border or half a character
	fields map[string]*streamed
	field  *streamed // the one that is being read; nil: none
	stop   bool      // nothing more can be shown

	object *grower // form json: the whole reply
	opened bool    // form json: its { was seen
	line   bool    // form chat: at the start of a line
}

// streamed is an output that is being read.
type streamed struct {
	field *types.Field
	text  *strings.Builder // of a text: as far as it has come, without space before it, lines ended by \n
	cr    bool             // its last byte stands for a \r, of which a \n that follows is a part
	grow  *grower          // of an object or list
	shown any
	seen  bool
	ended bool
	fixed bool // nothing more is shown of it
	// frozen says that what follows may or may not belong to it.
	frozen bool
}

// Growth is an output as far as it has come.
type Growth struct {
	Field string
	Value any
	Done  bool // it is whole
}

// NewStream returns a Stream for a reply in a form, as Read takes it.
func NewStream(sig *program.Signature, form string) *Stream {
	s := &Stream{sig: sig, form: form}
	s.Restart()
	return s
}

// Restart begins again from nothing.
func (s *Stream) Restart() {
	*s = Stream{sig: s.sig, form: s.form, fields: map[string]*streamed{}, line: true}
	if s.form == "json" {
		s.object = newGrower(&types.Record{Fields: s.sig.Outputs})
		s.object.open = true
	}
}

// Add reads the next piece of the reply and returns what has grown, in the order
// of the signature. The values must not be changed.
func (s *Stream) Add(piece string) []Growth {
	if s.stop {
		return nil
	}
	switch s.form {
	case "json":
		return s.addJSON(piece)
	case "chat":
		s.addMarked(piece, s.chatMark)
	case "xml":
		s.addMarked(piece, s.xmlMark)
	default:
		return nil
	}
	return s.grown()
}

// addJSON reads on in a reply that is one object.
func (s *Stream) addJSON(piece string) []Growth {
	if !s.opened {
		i := strings.IndexByte(piece, '{')
		if i < 0 {
			return nil
		}
		s.opened = true
		piece = piece[i:]
	}
	s.object.fresh = false
	s.object.feed(piece)
	s.stop = s.object.lost || s.object.done
	if !s.object.fresh {
		return nil
	}
	v, _ := s.object.look()
	o, ok := v.(*value.Object)
	if !ok {
		return nil
	}
	// A text whose end was seen may still go on, behind quotes that should have
	// been escaped. It is whole when the next name has its colon.
	current, began := "", false
	if !s.object.done {
		top := s.object.stack[0]
		current, began = top.name, top.state == inItem
	}
	var out []Growth
	for i := range s.sig.Outputs {
		f := &s.sig.Outputs[i]
		v, ok := o.Get(f.Name)
		if !ok {
			continue
		}
		x := s.fields[f.Name]
		if x == nil {
			x = &streamed{field: f}
			s.fields[f.Name] = x
		}
		if x.fixed {
			continue
		}
		done := s.object.done || began && f.Name != current
		if x.seen && !done && value.Equal(x.shown, v) {
			continue
		}
		x.shown, x.seen, x.fixed = v, true, done
		out = append(out, Growth{f.Name, v, done})
	}
	return out
}

// border is what a reply's forms put around an output.
type border struct {
	length int
	name   string // of the output that begins; "" when one ends
	maybe  bool   // more text is needed to tell
	stray  bool   // it looks like one, but stands where none should
}

// addMarked reads on in a reply whose outputs stand between marks.
func (s *Stream) addMarked(piece string, find func(string) border) {
	text := s.held + piece
	s.held = ""
	if cut := len(text) - len(whole(text)); cut > 0 {
		s.held = text[len(text)-cut:]
		text = text[:len(text)-cut]
	}
	for len(text) > 0 {
		lead := "[["
		if s.form == "xml" {
			lead = "<"
		}
		i := strings.Index(text, lead)
		if i < 0 && s.form == "chat" && strings.HasSuffix(text, "[") {
			i = len(text) - 1
		}
		if i < 0 {
			s.content(text)
			return
		}
		s.content(text[:i])
		text = text[i:]
		m := find(text)
		switch {
		case m.maybe:
			s.held = text + s.held
			return
		case m.length == 0:
			s.content(text[:1])
			text = text[1:]
			continue
		case m.stray:
			if s.field != nil {
				s.field.frozen = true
			}
			s.content(text[:m.length])
		default:
			s.switchTo(m.name)
		}
		text = text[m.length:]
	}
}

// content gives text to the output that is being read.
func (s *Stream) content(text string) {
	if text == "" {
		return
	}
	for i := len(text) - 1; ; i-- { // is only space left in front on this line?
		if i < 0 {
			break
		}
		if text[i] == '\n' || text[i] == '\r' {
			s.line = true
			break
		}
		if text[i] != ' ' && text[i] != '\t' {
			s.line = false
			break
		}
	}
	if f := s.field; f != nil {
		f.add(text)
	}
}

func (f *streamed) add(text string) {
	switch {
	case f.fixed || f.frozen:
	case f.grow != nil:
		f.grow.feed(text)
	default:
		if f.cr {
			text = strings.TrimPrefix(text, "\n")
		}
		f.cr = strings.HasSuffix(text, "\r")
		if f.text.Len() == 0 {
			text = strings.TrimLeftFunc(text, unicode.IsSpace)
		}
		f.text.WriteString(newlines.Replace(text))
	}
}

// switchTo ends the output that is being read and begins another; "" for none.
func (s *Stream) switchTo(name string) {
	s.line = false
	if s.field != nil {
		s.field.ended = true
		s.field = nil
	}
	f, ok := s.sig.Output(name)
	if !ok || s.fields[name] != nil {
		return // the end, a name nobody asked for, or one that came before
	}
	x := &streamed{field: f, text: &strings.Builder{}}
	switch inner, _ := types.Unwrap(f.Type); inner.(type) {
	case *types.List, *types.Map, *types.Record, *types.Tuple:
		if s.form == "chat" {
			x.grow = newGrower(f.Type)
		}
		x.fixed = s.form == "xml" // its parts have tags of their own
	case *types.Union:
		x.fixed = s.form == "xml"
	}
	s.fields[name], s.field = x, x
}

// grown returns the outputs that have grown since they were shown.
func (s *Stream) grown() []Growth {
	var out []Growth
	for i := range s.sig.Outputs {
		x := s.fields[s.sig.Outputs[i].Name]
		if x == nil || x.fixed {
			continue
		}
		v, ok := x.look()
		if x.ended {
			x.fixed = true
		}
		done := x.ended && !x.frozen
		if !ok || x.seen && !done && value.Equal(v, x.shown) {
			continue
		}
		x.shown, x.seen = v, true
		out = append(out, Growth{x.field.Name, v, done})
	}
	return out
}

// look returns an output as far as it can be shown.
func (f *streamed) look() (any, bool) {
	if f.grow != nil {
		f.fixed = f.grow.lost
		if !f.grow.fresh && !f.ended {
			return nil, false
		}
		f.grow.fresh = false
		if f.ended && !f.grow.done {
			f.frozen = true
		}
		return f.grow.look()
	}
	inner, optional := types.Unwrap(f.field.Type)
	if !types.Equal(inner, types.String) {
		if !f.ended {
			return nil, false
		}
		v, _, _, faults := Value(f.field.Type, strings.TrimSpace(f.text.String()), Repairing)
		return v, faults == nil
	}
	text := strings.TrimRightFunc(f.text.String(), unicode.IsSpace)
	if f.ended {
		if optional && (text == "null" || text == "None" || text == "") {
			return nil, text != ""
		}
		return text, true
	}
	if text == "" || unclear(text, optional) {
		return nil, false
	}
	return text, true
}

// unclear reports whether the beginning of a text may come to mean something else
// than itself: a fence or quotes around the whole, or null.
func unclear(text string, optional bool) bool {
	if optional && (strings.HasPrefix("null", text) || strings.HasPrefix("None", text)) {
		return true
	}
	return false
}

// chatMark looks for `[[ ## name ## ]]` at the start of text.
func (s *Stream) chatMark(text string) border {
	const open, shut = "[[ ## ", " ## ]]"
	if len(text) < len(open) {
		return border{maybe: strings.HasPrefix(open, text)}
	}
	if !strings.HasPrefix(text, open) {
		return border{length: 0}
	}
	i := len(open)
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' {
			break
		}
		i += size
	}
	name, rest := text[len(open):i], text[i:]
	switch {
	case len(rest) < len(shut) && strings.HasPrefix(shut, rest):
		return border{maybe: len(name) < 200, length: 0}
	case !strings.HasPrefix(rest, shut) || name == "":
		return border{length: 0}
	}
	m := border{length: i + len(shut), name: name}
	m.stray = !s.line
	return m
}

// xmlMark looks for the tag of an output, or the end of the one that is being
// read, at the start of text.
func (s *Stream) xmlMark(text string) border {
	tags := []string{}
	if s.field != nil {
		tags = append(tags, "</"+s.field.field.Name+">")
	} else {
		for i := range s.sig.Outputs {
			tags = append(tags, "<"+s.sig.Outputs[i].Name+">")
		}
	}
	for _, tag := range tags {
		if strings.HasPrefix(text, tag) {
			name := strings.Trim(tag, "<>")
			if s.field != nil {
				name = ""
			}
			return border{length: len(tag), name: name}
		}
		if strings.HasPrefix(tag, text) {
			return border{maybe: true}
		}
	}
	return border{}
}

// Fields returns the names of the outputs that were shown, in the order of the
// signature.
func (s *Stream) Fields() []string {
	var out []string
	for i := range s.sig.Outputs {
		if x := s.fields[s.sig.Outputs[i].Name]; x != nil && x.seen {
			out = append(out, s.sig.Outputs[i].Name)
		}
	}
	return slices.Clip(out)
}

// whole returns text without a character at its end of which bytes are missing.
func whole(text string) string {
	for i := 1; i <= min(3, len(text)); i++ {
		c := text[len(text)-i]
		if utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRuneInString(text[len(text)-i:]) {
				return text[:len(text)-i]
			}
			return text
		}
	}
	return text
}

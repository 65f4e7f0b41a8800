package prompt

import (
	"encoding/base64"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// A picture, a sound or a file stands in a message where its value would stand,
// also inside a list or an object: the text is cut there into parts. DSPy writes
// markers into the text and cuts at them afterwards; so is it done here, but with
// marks that occur nowhere else in the text, so that no value can be taken for one.

// scribe writes the values of one message and collects the media among them. A nil
// scribe writes media as the objects that they are: in answers, which are text.
type scribe struct {
	mark  string // each medium is written as mark, its number, and ">>"
	media []*lm.Media
}

const (
	markStart = "<<media "
	markEnd   = ">>"
)

// written makes the message that write writes with a scribe. It may call it twice.
func written(role lm.Role, write func(*scribe) string) lm.Message {
	s := &scribe{mark: markStart + "0."}
	text := write(s)
	if len(s.media) == 0 {
		return lm.Message{Role: role, Content: text}
	}
	if strings.Count(text, s.mark) != len(s.media) {
		s = &scribe{mark: markStart + strconv.Itoa(highest(text)+1) + "."}
		text = write(s)
	}
	return lm.Message{Role: role, Parts: s.parts(text)}
}

// highest returns the highest number that follows markStart in a text.
func highest(text string) int {
	most := 0
	for {
		_, rest, found := strings.Cut(text, markStart)
		if !found {
			return most
		}
		digits := 0
		for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
			digits++
		}
		if n, err := strconv.Atoi(rest[:digits]); err == nil && digits < 10 {
			most = max(most, n)
		}
		text = rest
	}
}

// put takes a medium and returns its mark.
func (s *scribe) put(m *lm.Media) string {
	s.media = append(s.media, m)
	return s.mark + strconv.Itoa(len(s.media)-1) + markEnd
}

// parts cuts a text at its marks.
func (s *scribe) parts(text string) []lm.Part {
	var parts []lm.Part
	say := func(text string) {
		if text != "" {
			parts = append(parts, lm.Part{Text: text})
		}
	}
	for {
		before, rest, found := strings.Cut(text, s.mark)
		say(before)
		if !found {
			return parts
		}
		number, after, _ := strings.Cut(rest, markEnd)
		if i, err := strconv.Atoi(number); err == nil && i < len(s.media) {
			parts = append(parts, lm.Part{Media: s.media[i]})
		}
		text = after
	}
}

// medium returns what stands in a message for a value of a media type: its mark;
// its name, where its bytes are not there; the value itself, where it is none.
func (s *scribe) medium(t *types.Primitive, v any) any {
	if text, ok := v.(string); ok {
		if fromDSPy, ok := unmarked(text); ok {
			v = fromDSPy
		} else if o, faults := value.Check(t, text, value.Lax); faults == nil {
			v = o
		}
	}
	o, ok := v.(*value.Object)
	if !ok {
		return v
	}
	m := &lm.Media{Kind: lm.MediaKind(t.Row.Name)}
	text := func(name string) string { v, _ := o.Get(name); s, _ := v.(string); return s }
	m.URL, m.Type = text("url"), text("media_type")
	if path := text("path"); path != "" {
		m.Name = filepath.Base(filepath.FromSlash(path))
	}
	if data := text("data"); data != "" {
		bytes, err := base64.StdEncoding.DecodeString(data)
		if err == nil {
			m.Data = bytes
		}
	}
	switch {
	case m.Data != nil || m.URL != "":
		return s.put(m)
	case m.Name != "" || m.Type != "":
		return m.String()
	}
	return v
}

// The marks that DSPy leaves around a medium in a saved demo.
const (
	dspyStart = "<<CUSTOM-TYPE-START-IDENTIFIER>>"
	dspyEnd   = "<<CUSTOM-TYPE-END-IDENTIFIER>>"
)

// unmarked reads a medium as DSPy saves it: marks around a content block in JSON.
func unmarked(text string) (*value.Object, bool) {
	inner, ok := strings.CutPrefix(text, dspyStart)
	if !ok {
		return nil, false
	}
	if inner, ok = strings.CutSuffix(inner, dspyEnd); !ok {
		return nil, false
	}
	v, err := value.DecodeJSON([]byte(inner))
	list, _ := v.([]any)
	if err != nil || len(list) != 1 {
		return nil, false
	}
	block, _ := list[0].(*value.Object)
	at := func(keys ...string) string {
		var v any = block
		for _, key := range keys {
			o, _ := v.(*value.Object)
			v, _ = o.Get(key)
		}
		s, _ := v.(string)
		return s
	}
	switch at("type") {
	case "image_url":
		return located(at("image_url", "url"), "")
	case "input_audio":
		return value.NewObject("data", at("input_audio", "data"), "media_type", "audio/"+at("input_audio", "format")), true
	case "file":
		return located(at("file", "file_data"), at("file", "filename"))
	}
	return nil, false
}

// located makes the value for a URL or a data: URI, with a file's name.
func located(address, name string) (*value.Object, bool) {
	o := value.NewObject("url", address)
	if head, data, ok := strings.Cut(address, ";base64,"); ok && strings.HasPrefix(head, "data:") {
		o = value.NewObject("data", data, "media_type", strings.TrimPrefix(head, "data:"))
	}
	if name != "" {
		o.Set("path", name)
	}
	return o, address != ""
}

package turns

import (
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

func TestArguments(t *testing.T) {
	for _, c := range []struct{ written, object, kept string }{
		{``, `{}`, `{}`},
		{` {"a": 1} `, `{"a": 1}`, `{"a": 1}`},
		{`[1]`, `{"unreadable":"[1]"}`, `[1]`},
		{`{"a": `, `{"unreadable":"{\"a\": "}`, `"{\"a\": "`},
		{`"{\"a\": "`, `{"unreadable":"{\"a\": "}`, `"{\"a\": "`},
		{`Rome`, `{"unreadable":"Rome"}`, `"Rome"`},
	} {
		if got := string(Object([]byte(c.written))); got != c.object {
			t.Errorf("%s is sent as %s, want %s", c.written, got, c.object)
		}
		if got := string(Written([]byte(c.written))); got != c.kept {
			t.Errorf("%s is kept as %s, want %s", c.written, got, c.kept)
		}
	}
}

func TestType(t *testing.T) {
	for _, c := range []struct {
		media lm.Media
		want  string
		text  bool
	}{
		{lm.Media{Type: "Text/Plain; charset=utf-8", Name: "x.png"}, "text/plain", true},
		{lm.Media{Name: "a.B.MP3"}, "audio/mpeg", false},
		{lm.Media{Name: "data.json"}, "application/json", true},
		{lm.Media{Data: []byte("\x89PNG\r\n\x1a\n")}, "image/png", false},
		{lm.Media{Data: []byte("plain words")}, "text/plain", true},
		{lm.Media{URL: "https://example.com/cat.webp?size=2"}, "image/webp", false},
		{lm.Media{URL: "https://example.com/cat"}, "", false},
	} {
		if got := Type(&c.media); got != c.want || IsText(got) != c.text {
			t.Errorf("%+v is %q, want %q", c.media, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	req := &lm.Request{Messages: []lm.Message{
		{ToolCalls: []lm.ToolCall{{ID: "call_1", Name: "first"}}}, {Role: lm.ToolRole},
		{ToolCalls: []lm.ToolCall{{ID: "call_1", Name: "second"}, {ID: "x", Name: "third"}}},
	}}
	var names Names
	for i, want := range []string{"first", "first", "second"} {
		names.Read(req.Messages[i])
		if names["call_1"] != want {
			t.Errorf("after message %d call_1 is %q, want %q", i, names["call_1"], want)
		}
	}
	if id := NewID(req, 2); id != "call_5" {
		t.Errorf("the second new call is %s", id)
	}
}

func TestRefused(t *testing.T) {
	all := lm.Features{JSON: true, Schema: true, Tools: true, Images: true, Audio: true, Files: true}
	of := func(role lm.Role, m lm.Media) *lm.Request {
		return &lm.Request{Messages: []lm.Message{{Role: role, Parts: []lm.Part{{Text: "see"}, {Media: &m}}}}}
	}
	picture := lm.Media{Kind: lm.Image, URL: "https://example.com/cat.png"}
	for _, c := range []struct {
		can  lm.Features
		req  *lm.Request
		want string
	}{
		{all, of(lm.User, picture), ""},
		{all, of(lm.ToolRole, picture), ""},
		{all, of(lm.System, picture), "only in what the user says"},
		{all, of(lm.User, lm.Media{Kind: lm.Image}), "neither a URL nor bytes"},
		{lm.Features{}, of(lm.User, picture), "m cannot take the image https://example.com/cat.png: it takes no pictures"},
		{lm.Features{}, of(lm.User, lm.Media{Kind: lm.Audio}), "no sounds"},
		{lm.Features{}, of(lm.User, lm.Media{Kind: lm.File}), "no documents"},
		{lm.Features{}, &lm.Request{Tools: []lm.Tool{{}}}, "cannot ask for tools"},
		{lm.Features{Schema: true}, &lm.Request{Format: &lm.Format{}}, "without a schema"},
		{lm.Features{JSON: true}, &lm.Request{Format: &lm.Format{Schema: []byte("{}")}}, "held to a JSON Schema"},
		{lm.Features{}, &lm.Request{}, ""},
	} {
		got := Refused("m", c.can, c.req)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("the refusal is %q, want %q", got, c.want)
		}
	}
}

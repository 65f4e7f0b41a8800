package cache

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// full returns a call in which every field holds something.
func full() Call {
	ptr := func(f float64) *float64 { return &f }
	num := func(n int) *int { return &n }
	return Call{
		Model: "openai/gpt-4o-mini", Endpoint: "https://models.example/v1?api-version=2", Adapter: "chat 1",
		Request: &lm.Request{
			Messages: []lm.Message{
				{Role: lm.System, Content: "Answer."},
				{Role: lm.User, Content: "c", Parts: []lm.Part{
					{Text: "What is it?"},
					{Text: "t", Media: &lm.Media{Kind: lm.Image, URL: "https://pictures.example/a", Data: []byte{1, 2, 3}, Type: "image/png", Name: "a.png"}},
				}},
				{Role: lm.Assistant, ToolCalls: []lm.ToolCall{{ID: "1", Name: "look", Arguments: json.RawMessage(`{"a":1}`)}}},
				{Role: lm.ToolRole, Content: "a cat", ToolCallID: "1"},
			},
			Params: lm.Params{
				Temperature: ptr(0.7), TopP: ptr(0.9), MaxTokens: num(100), Seed: num(7), Stop: []string{"END"}, ReasoningEffort: "low",
			},
			Tools:      []lm.Tool{{Name: "look", Description: "looks", Parameters: json.RawMessage(`{"type":"object"}`), Strict: true}},
			ToolChoice: "auto",
			Format:     &lm.Format{Name: "answer", Schema: json.RawMessage(`{}`)},
			Rollout:    1,
		},
	}
}

// TestKeyIsGolden holds the encoding: a change of it makes everything that is
// kept useless, and needs another keyVersion.
func TestKeyIsGolden(t *testing.T) {
	for _, tt := range []struct {
		name string
		call Call
		want string
	}{
		{"full", full(), "987ead6bb0b7cc652ce9aef11e4b5d56a1e97c37f8ed4c110af4de359fb25d8a"},
		{"empty", Call{Request: &lm.Request{}}, "70990fae5d1b8cd48df4f03d21dcc3e91f9f5302d527340ec3ad780c6f265a56"},
	} {
		if got := tt.call.Key().String(); got != tt.want {
			t.Errorf("%s: the key is %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestEveryFieldCounts changes each field of a call, at any depth, one by one:
// each change gives another key. A field that is added to lm.Request and
// forgotten in the encoding fails here.
func TestEveryFieldCounts(t *testing.T) {
	call := full()
	seen := map[Key]string{call.Key(): "nothing"}
	changes := 0
	walk(t, reflect.ValueOf(&call).Elem(), "Call", func(path string) {
		changes++
		k := call.Key()
		if other, twice := seen[k]; twice {
			t.Errorf("a change of %s gives the key of a change of %s", path, other)
		}
		seen[k] = path
	})
	if call.Key() != full().Key() {
		t.Error("the walk did not put everything back")
	}
	if changes < 60 {
		t.Errorf("only %d changes were tried", changes)
	}
}

// walk changes every value below v, tells of it, and puts it back.
func walk(t *testing.T, v reflect.Value, path string, changed func(string)) {
	t.Helper()
	with := func(x reflect.Value, what string) {
		old := reflect.ValueOf(v.Interface())
		v.Set(x)
		changed(path + what)
		v.Set(old)
	}
	switch v.Kind() {
	case reflect.String:
		with(reflect.ValueOf(v.String()+"x").Convert(v.Type()), " longer")
		with(reflect.ValueOf("y"+v.String()).Convert(v.Type()), " longer in front")
	case reflect.Int:
		with(reflect.ValueOf(int(v.Int())+1000), " larger")
		with(reflect.ValueOf(-1-int(v.Int())), " negative")
	case reflect.Float64:
		with(reflect.ValueOf(v.Float()+0.001), " larger")
	case reflect.Bool:
		with(reflect.ValueOf(!v.Bool()), " turned")
	case reflect.Pointer:
		if v.IsNil() {
			if path != "Call.Request.Messages[1].Parts[0].Media" {
				t.Errorf("%s is not set in the full call", path)
			}
			with(reflect.New(v.Type().Elem()), " set")
			return
		}
		if path != "Call.Request" {
			with(reflect.Zero(v.Type()), " nil")
		}
		walk(t, v.Elem(), path, changed)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			with(reflect.ValueOf(append([]byte("x"), v.Bytes()...)).Convert(v.Type()), " longer")
			return
		}
		if v.Len() == 0 {
			with(reflect.MakeSlice(v.Type(), 1, 1), " of one")
		} else {
			with(reflect.Zero(v.Type()), " nil")
			longer := reflect.MakeSlice(v.Type(), 0, v.Len()+1)
			longer = reflect.Append(reflect.AppendSlice(longer, v), reflect.Zero(v.Type().Elem()))
			with(longer, " longer")
			twice := reflect.AppendSlice(reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, 2*v.Len()), v), v)
			with(twice, " twice")
		}
		for i := range v.Len() {
			walk(t, v.Index(i), fmt.Sprintf("%s[%d]", path, i), changed)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			walk(t, v.Field(i), path+"."+v.Type().Field(i).Name, changed)
		}
	case reflect.Func:
		if path != "Call.Request.OnDelta" {
			t.Errorf("%s is a function: does it change a reply?", path)
		}
	default:
		t.Errorf("%s is a %s: the test cannot change it", path, v.Kind())
	}
}

// TestFieldsDoNotRunTogether: what stands at the end of one and at the beginning
// of the next is not the same as the reverse.
func TestFieldsDoNotRunTogether(t *testing.T) {
	message := func(role lm.Role, content string) Call {
		return Call{Request: &lm.Request{Messages: []lm.Message{{Role: role, Content: content}}}}
	}
	if message("user", "x").Key() == message("use", "rx").Key() {
		t.Error("texts run together")
	}
	two := Call{Request: &lm.Request{Messages: []lm.Message{{Content: "a"}, {Content: "b"}}}}
	one := Call{Request: &lm.Request{Messages: []lm.Message{{Content: "ab"}}}}
	if two.Key() == one.Key() {
		t.Error("messages run together")
	}
}

func TestWhatDoesNotCount(t *testing.T) {
	call := full()
	call.Request.OnDelta = func(lm.Delta) {}
	if call.Key() != full().Key() {
		t.Error("whether a reply is streamed counts")
	}
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"https://m.example/v1", "https://m.example/v1/", true},
		{"https://m.example/v1", "https://M.EXAMPLE/v1", true},
		{"https://anne:word@m.example/v1", "https://bob@m.example/v1", true},
		{"https://m.example/v1?key=a&v=1", "https://m.example/v1?v=1&key=b", true},
		{"https://m.example/v1?API_KEY=a", "https://m.example/v1", true},
		{"https://m.example/v1?v=1", "https://m.example/v1?v=2", false},
		{"https://m.example/v1", "https://m.example/v2", false},
		{"https://m.example/v1", "http://m.example/v1", false},
		{"", "https://m.example/v1", false},
	} {
		a, b := full(), full()
		a.Endpoint, b.Endpoint = tt.a, tt.b
		if (a.Key() == b.Key()) != tt.same {
			t.Errorf("%s and %s: same is %t", tt.a, tt.b, !tt.same)
		}
	}
}

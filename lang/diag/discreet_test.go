package diag

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/lang/source"
)

// TestHidden: what a file hides is in no report, and its length is not told.
func TestHidden(t *testing.T) {
	render := func(secret string) string {
		f := source.NewFile("a.dsp", `default = "`+secret+`", k = 1`)
		start := int32(strings.Index(f.Text, secret))
		f.Hide(source.Span{Start: start - 1, End: start + int32(len(secret)) + 1})
		name, value := f.Place(source.Span{Start: 0, End: 7}), f.Place(source.Span{Start: start - 1, End: start})
		d := New("E0306", name, "got `"+secret+"`").Relate(name, "beside %s", secret).
			Say("The value %q does not fit.", secret).Hint("not %s", secret).
			Fix("write it so", value, "'"+secret).Fix("call it so", name, "other")
		if n := len(d.Report().Fixes); n != 1 {
			t.Errorf("%d fixes are left, want the one that edits no secret", n)
		}
		if strings.Contains(d.Error(), secret) {
			t.Errorf("the error shows it: %s", d.Error())
		}
		asJSON, err := json.Marshal(d.Report())
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		err = Text(&b, List{d}.Reports(), TextOptions{Source: func(string) (string, bool) { return f.Shown(), true }})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{string(asJSON), b.String()} {
			if strings.Contains(text, secret) {
				t.Errorf("the secret is shown:\n%s", text)
			}
		}
		return b.String()
	}
	short, long := render("hunter2"), render("correct horse battery staple")
	if short != long {
		t.Errorf("two secrets look different:\n%s\n%s", short, long)
	}
	if !strings.Contains(short, "default = ••••, k = 1") {
		t.Errorf("the rest of the line is not shown:\n%s", short)
	}
}

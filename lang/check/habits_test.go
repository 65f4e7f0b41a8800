package check_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestHabits: what people write who come from elsewhere gives one message, whose
// first fix makes it a program that checks.
func TestHabits(t *testing.T) {
	const path = "testdata/habits/habits.txtar"
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	var snippets []txtar.File
	for _, f := range archive.Files {
		if strings.HasSuffix(f.Name, ".fixed") {
			want[f.Name] = string(f.Data)
		} else {
			snippets = append(snippets, f)
		}
	}
	if len(snippets) < 40 {
		t.Errorf("%d habits, want at least 40", len(snippets))
	}
	archive.Files = nil
	for _, f := range snippets {
		archive.Files = append(archive.Files, f)
		t.Run(f.Name, func(t *testing.T) {
			text := string(f.Data)
			_, diags := checkText(text)
			if len(diags) != 1 || len(diags[0].Fixes) == 0 {
				t.Fatalf("%d messages, want one with a fix: %s\n%s", len(diags), codesOf(diags), text)
			}
			fixed := apply(text, diags[0].Fixes[0])
			if _, after := checkText(fixed); len(after) > 0 {
				t.Fatalf("after %q it gives %s: %s\n%s", diags[0].Fixes[0].Title, codesOf(after), after[0].Primary.Text, fixed)
			}
			if !*update && fixed != want[f.Name+".fixed"] {
				t.Errorf("the fix makes\n%s\nwant\n%s", fixed, want[f.Name+".fixed"])
			}
			archive.Files = append(archive.Files, txtar.File{Name: f.Name + ".fixed", Data: []byte(fixed)})
		})
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(archive), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

package expr

import (
	"testing"
)

func TestStaysFalse(t *testing.T) {
	for text, want := range map[string]bool{
		`len(answer) <= 280`:                         true,
		`len(answer) < limit`:                        true,
		`280 >= len(answer)`:                         true,
		`len(answer) >= 3`:                           false,
		`answer contains "x"`:                        false,
		`!(answer contains "x")`:                     true,
		`not (answer contains word)`:                 true,
		`len(answer) <= 9 && !(answer contains "x")`: true,
		`len(answer) <= 9 && answer contains "x"`:    false,
		`len(answer) <= 9 || limit > 3`:              true,
		`len(trim(answer)) <= 9`:                     false,
		`limit > 3`:                                  true,
		`answer == "x"`:                              false,
		`len(answer) <= len(answer)`:                 false,
	} {
		e, diags := Parse(in(text))
		if len(diags) > 0 {
			t.Errorf("%s: %v", text, diags)
			continue
		}
		if got := e.StaysFalse(func(n string) bool { return n == "answer" }); got != want {
			t.Errorf("%s: stays false: %v, want %v", text, got, want)
		}
	}
}

//go:build sandbox

package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/sandbox"
	"github.com/dspi-lang/dspi/lang/value"
)

// TestConfinedDeclared: functions with parameters are called as Python's own are, SUBMIT
// takes the outputs, and variables that are kept are there in each piece.
func TestConfinedDeclared(t *testing.T) {
	each(t, func(t *testing.T, way sandbox.Way) {
		s, err := sandbox.Open(t.Context(), sandbox.Options{
			Python: pythonPath(t), Way: way, Limits: sandbox.Limits{Time: 2 * time.Second},
			Functions: map[string]sandbox.Function{
				"look": func(_ context.Context, args []any, named *value.Object) (any, error) {
					return fmt.Sprint(len(args)) + string(value.EncodeJSON(named)), nil
				},
				"any": func(_ context.Context, args []any, named *value.Object) (any, error) {
					return len(args) + named.Len(), nil
				},
				"fail": func(context.Context, []any, *value.Object) (any, error) { return nil, errors.New("KeyError: 'x'") },
			},
			Parameters: map[string][]sandbox.Parameter{
				"look": {{Name: "at", Needed: true}, {Name: "far", Default: []any{1}}, {Name: "late", Needed: true}},
				"fail": {},
			},
			Outputs: []string{"answer", "n"},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.Keep(map[string]string{"text": `"é \" \n"`, "list": `[1, {"a": NaN}]`, "odd": `={1: ['x'], 2.5: inf}`})
		for _, c := range [][2]string{
			{"look(1, late=2)", `"0{\"at\":1,\"far\":[1],\"late\":2}"`},
			{"look(1, 2, 3)", "TypeError: ['look() takes from 1 to 2 positional arguments but 3 were given']"},
			{"look(late=1)", "TypeError: [\"look() missing 1 required positional argument: 'at'\"]"},
			{"look(1, late=2, more=3)", "TypeError: [\"look() got an unexpected keyword argument 'more'\"]"},
			{"any(1, 2, x=3)", "3"},
			{"fail()", `RuntimeError: ["KeyError: 'x'"]`},
			{"text = 1; list.append(2)", `""`},
			{"[text, len(list), odd[1], odd[2.5] > 1e300, list[1]['a'] != list[1]['a']]", `["\u00e9 \" \n", 2, ["x"], true, true]`},
			{"while True: pass", "the code takes longer than 2s. Its variables are lost."},
			{"text", `"\u00e9 \" \n"`},
			{"SUBMIT('a')", "TypeError: [\"SUBMIT() missing 1 required positional argument: 'n'\"]"},
			{"SUBMIT('a', n=4.0)", `{"answer": "a", "n": 4}`},
		} {
			out, err := s.Run(t.Context(), c[0])
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				got = out.Value
			}
			if got != c[1] {
				t.Errorf("%s\ngives %s\nwant  %s", c[0], got, c[1])
			}
			if err == nil && out.Submitted != (c[0] == "SUBMIT('a', n=4.0)") {
				t.Errorf("%s: submitted is %t", c[0], out.Submitted)
			}
		}
		s.Keep(map[string]string{"text": "0"})
		if out := run(t, s, "[text, len(list)]"); out.Value != "[0, 2]" { // what was kept before is a variable as any
			t.Errorf("it gives %s", out.Value)
		}
	})
}

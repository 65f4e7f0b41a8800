package builtin

import (
	"strings"
	"testing"
)

func TestCalculate(t *testing.T) {
	for _, c := range []struct{ question, want string }{
		{"What is 17 * 23?", "391"},
		{"what is 17 times 23", "391"},
		{"What's 17 x 23?", "391"},
		{"17*23", "391"},
		{"17 × 23 =", "391"},
		{"Calculate 1,234.5 + 0.5", "1235"},
		{"1_000 * 3", "3000"},
		{"How much is (2 + 3) * -4?", "-20"},
		{"2 ** 3 ** 2", "512"},
		{"2^10", "1024"},
		{"-2 ** 2", "-4"},
		{"7 // 2", "3"},
		{"-7 // 2", "-4"},
		{"-7 % 3", "2"},
		{"17 mod 5", "2"},
		{"10 / 4", "2.5"},
		{"10 / 3", "3.333333333333"},
		{"8 / 2", "4"},
		{"0.1 + 0.2", "0.3"},
		{"12345678901234567890 * 98765432109876543210", "1219326311370217952237463801111263526900"},
		{"What is the sum of 3 and 4?", "7"},
		{"the sum of 1, 2, and 3", "6"},
		{"product of 6 and 7", "42"},
		{"What is the difference between 10 and 4?", "6"},
		{"What is the square root of 144?", "12"},
		{"sqrt(2)", "1.414213562373"},
		{"Please compute five plus thirty-seven.", "42"},
		{"5 squared", "25"},
		{"half of 9", "4.5"},
		{"20% of 50", "10"},
		{"20 percent of 50", "10"},
		{"50 divided by 5", "10"},
		{"What is 3 to the power of 4?", "81"},
		{"1e3 + 1", "1001"},
		{"Could you tell me what is 2 plus 2, please?", ""},
		{"What is 1 / 0?", ""},
		{"5 % 0", ""},
		{"0 ** -1", ""},
		{"sqrt(-1)", ""},
		{"9 ** 9 ** 9", ""},
		{"What is 42?", ""},
		{"", ""},
		{"2024-01-31", ""},
		{"555-1234", ""},
		{"+44 20 7946 0000", ""},
		{"I paid 3 and got 4", ""},
		{"5 apples plus 3 pears", ""},
		{"(1 + 2", ""},
		{"1 +", ""},
		{strings.Repeat("(", 300) + "1+1" + strings.Repeat(")", 300), ""},
		{strings.Repeat("-", 500) + "1", ""},
		{"1" + strings.Repeat("0", 3900) + " * 1", "1" + strings.Repeat("0", 3900)},
	} {
		r, ok := calculate(c.question)
		got := ""
		if ok {
			got = r.String()
		}
		if got != c.want {
			t.Errorf("calculate(%.60q) = %q, want %q", c.question, got, c.want)
		}
	}
}

func TestCalculationByType(t *testing.T) {
	for _, c := range []struct{ typ, question, want string }{
		{"str", "What is 8 / 2?", "4"},
		{"int", "What is 8 / 2?", "4"},
		{"float", "What is 8 / 2?", "4.0"},
		{"float", "What is 10 / 4?", "2.5"},
		{"Union[int, NoneType]", "What is 10 / 4?", "null"},
		{"int", "What is 10 / 4?", "0"},
		{"int", "What is 1 / 0?", "0"},
		{"str", "What is 1 / 0?", "unknown"},
		{"bool", "What is 1 + 1?", "False"},
		{"str", "What is the capital of France?", "unknown"},
	} {
		got := outputs(t, prompt{
			inputs: []string{"question (str)"}, outputs: []string{"reasoning (str)", "answer (" + c.typ + ")", "confidence (float)"},
			values: input("question", c.question),
		})
		if got["answer"] != c.want {
			t.Errorf("%s as %s: got %q, want %q", c.question, c.typ, got["answer"], c.want)
		}
		if sure := got["confidence"] == "1.0"; sure != strings.Contains(got["reasoning"], "I computed") {
			t.Errorf("%s as %s: confidence %s with reasoning %q", c.question, c.typ, got["confidence"], got["reasoning"])
		}
	}
}

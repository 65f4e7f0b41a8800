package diag

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// vocabularies are the lists that a name is looked up in.
var vocabularies = map[string][]string{
	"types": strings.Fields(`string int float bool date datetime duration json list map tuple image audio file
		probability confidence similarity embedding reasoning_chain token_usage code message history citation
		tool_call tool_result model module`),
	"modules": strings.Fields(`predict chain_of_thought react program_of_thought code_act retrieve best_of_n refine
		retry multi_chain_comparison majority parallel python module repeat`),
	"settings": strings.Fields(`signature instructions model temperature max_tokens adapter inputs outputs when
		otherwise for_each concurrency on_error retries timeout top_p seed stop`),
	"model settings": strings.Fields(`provider name base_url api_key temperature max_tokens timeout top_p seed stop
		default route models limits retry price requests_per_minute tokens_per_minute attempts input output`),
	"declarations": strings.Fields(`import type enum signature model variable program test tool retriever dataset
		metric evaluate optimize constraint`),
	"fields": strings.Fields(`question answer confidence reasoning passages sources summary language sentiment
		category customer_message urgency contact refund rationale`),
}

func TestNearest(t *testing.T) {
	for _, c := range []struct {
		name, candidates, want string
	}{
		{"answr", "answer confidence reasoning", "answer"},
		{"anwser", "answer confidence", "answer"},
		{"sting", "string int", "string"},
		{"ANSWER", "answer", "answer"},
		{"Int", "int integer", "int"},
		{"itn", "int bit", "int"},
		{"imt", "int", "int"},
		{"bit", "int", ""},
		{"k", "K n", "K"},
		{"n", "k", ""},
		{"id", "ix", ""},
		{"topP", "top_p stop", "top_p"},
		{"chainOfThought", "chain_of_thought program_of_thought", "chain_of_thought"},
		{"BootstrapFewShotWithRandomSearch", "bootstrap_few_shot bootstrap_few_shot_with_random_search", "bootstrap_few_shot_with_random_search"},
		{"max-tokens", "max_tokens", "max_tokens"},
		{"chain_of_thougt", "chain_of_thought program_of_thought", "chain_of_thought"},
		{"temp", "temperature", ""},
		{"desc", "description", ""},
		{"hello", "answer question", ""},
		{"cart", "card care", ""},          // as near to both
		{"dard", "card darn", "darn"},      // the same first letter
		{"models", "model models", ""},     // spelled right: another cause
		{"modle", "model module", "model"}, // a swap, not a letter lost
		{"answer", "Answer answers", "Answer"},
		{"質門", "質問 回答", ""},
		{"カテゴリ", "カテゴリー 質問", "カテゴリー"},
		{"", "a b", ""},
		{"a", "", ""},
		{"_", "a -", ""},
	} {
		got, ok := Nearest(c.name, strings.Fields(c.candidates))
		if got != c.want || ok != (c.want != "") {
			t.Errorf("Nearest(%q, %s) = %q, %v; want %q", c.name, c.candidates, got, ok, c.want)
		}
	}
}

// TestNearestMisspellings: of all misspellings by one edit of names of 4 letters
// and more, and by two edits of names of 8 and more (every 61st of them), at
// least 95 in 100 lead back to the name.
func TestNearestMisspellings(t *testing.T) {
	for list, words := range vocabularies {
		one, two, right := 0, 0, 0
		right2 := 0
		for _, word := range words {
			if len(word) < 4 {
				continue
			}
			first := misspellings(word)
			for i, m := range first {
				if slices.Contains(words, m) {
					continue // another name of the list, and no mistake
				}
				one++
				if got, _ := Nearest(m, words); got == word {
					right++
				}
				if len(word) < 8 || i%7 != 0 {
					continue
				}
				for j, m2 := range misspellings(m) {
					if j%61 != i%61 || slices.Contains(words, m2) || m2 == word {
						continue
					}
					two++
					if got, _ := Nearest(m2, words); got == word {
						right2++
					}
				}
			}
		}
		t.Logf("%s: one edit %d of %d, two edits %d of %d", list, right, one, right2, two)
		if right*100 < one*95 || right2*100 < two*95 || one == 0 {
			t.Errorf("%s: too few are right: one edit %d of %d, two edits %d of %d", list, right, one, right2, two)
		}
	}
}

// misspellings returns what one edit makes of word.
func misspellings(word string) []string {
	const letters = "abcdefghijklmnopqrstuvwxyz_"
	var all []string
	for i := range len(word) + 1 {
		for _, r := range letters {
			all = append(all, word[:i]+string(r)+word[i:])
			if i < len(word) {
				all = append(all, word[:i]+string(r)+word[i+1:])
			}
		}
		if i < len(word) {
			all = append(all, word[:i]+word[i+1:])
		}
		if i+1 < len(word) {
			all = append(all, word[:i]+string(word[i+1])+string(word[i])+word[i+2:])
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(m string) bool { return m == word })
}

// TestAllNear: all that are as few edits away, the nearest first.
func TestAllNear(t *testing.T) {
	for _, c := range []struct{ name, candidates, want string }{
		{"runn", "run runs render", "[runs run]"},
		{"chekc", "check cache", "[check]"},
		{"run", "run runs", "[]"},
		{"", "run", "[]"},
		{"weather", "run runs", "[]"},
		{"runs_", "run runs", "[runs]"},
		{"shaw", "show show shew", "[shew show]"},
	} {
		if got := fmt.Sprint(AllNear(c.name, strings.Fields(c.candidates))); got != c.want {
			t.Errorf("%q among %s: %s, want %s", c.name, c.candidates, got, c.want)
		}
	}
}

// TestNearestStrangers: unrelated names get no suggestion.
func TestNearestStrangers(t *testing.T) {
	for _, name := range strings.Fields("foo bar baz hello world x y tmp value result item banana weather user prompt llm gpt openai agent chat") {
		for list, words := range vocabularies {
			if got, ok := Nearest(name, words); ok {
				t.Errorf("%s in %s: %q", name, list, got)
			}
		}
	}
}

// TestEdits: the distance is symmetric, and one for one edit.
func TestEdits(t *testing.T) {
	for _, m := range misspellings("question") {
		a, b := edits([]rune("question"), []rune(m)), edits([]rune(m), []rune("question"))
		if a != 1 || b != 1 {
			t.Errorf("%q: %d and %d", m, a, b)
		}
	}
	if got := edits([]rune("kitten"), []rune("sitting")); got != 3 {
		t.Error(got)
	}
}

func BenchmarkNearest(b *testing.B) {
	words := vocabularies["settings"]
	for b.Loop() {
		Nearest("instrctions", words)
	}
}

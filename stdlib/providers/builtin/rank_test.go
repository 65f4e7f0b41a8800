package builtin

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

type row struct{ text, label string }

var libraryLabels = []string{
	"borrow_book", "renewLoan", "overdue_fine", "lost_library_card", "opening-hours", "reserve_room", "printing_cost",
	"wifi_not_working", "donate_books", "children_events", "noise_complaint", "suggest_purchase", "audio_books", "job_application", "accessibility",
}

// libraryRows are messages to a public library, written for this test.
var libraryRows = []row{
	{"I would like to borrow a novel, how does it go?", "borrow_book"},
	{"Can my loan be renewed for another week?", "renewLoan"},
	{"Why am I charged a fine of two euros?", "overdue_fine"},
	{"My card is missing, I think I lost it on the bus.", "lost_library_card"},
	{"When do you open on Sundays?", "opening-hours"},
	{"Is there a meeting room that I can book for Monday?", "reserve_room"},
	{"How much is it to print a page in colour?", "printing_cost"},
	{"The wifi does not work on the second floor.", "wifi_not_working"},
	{"I have boxes of old books to give away, do you take donations?", "donate_books"},
	{"Is there a story hour for kids?", "children_events"},
	{"People at the next table are so loud, I want to complain.", "noise_complaint"},
	{"Could you purchase the new book by this author?", "suggest_purchase"},
	{"Do you have audio recordings of books to listen to?", "audio_books"},
	{"I want to apply for a job at the desk.", "job_application"},
	{"Is the building accessible by wheelchair?", "accessibility"},
}

func library() prompt {
	return prompt{
		inputs:  []string{"message (str)"},
		outputs: []string{"topic (Literal['" + strings.Join(libraryLabels, "', '") + "'])"},
		notes:   map[string]string{"topic": "must exactly match (no extra characters) one of: " + strings.Join(libraryLabels, "; ")},
	}
}

// right counts the rows whose label the model finds.
func right(t *testing.T, p prompt, rows []row, name func(string) string) int {
	n := 0
	for _, r := range rows {
		p.values = input("message", r.text)
		if got := outputs(t, p)["topic"]; got == name(r.label) {
			n++
		} else {
			t.Logf("%-20s for %-20s %s", got, name(r.label), r.text)
		}
	}
	return n
}

func same(s string) string { return s }

func TestLabelWords(t *testing.T) {
	if n := right(t, library(), libraryRows, same); n < 11 {
		t.Errorf("%d of %d labels found from their words; want 11", n, len(libraryRows))
	}
}

func TestLabelsWithoutWordsAreNotFound(t *testing.T) {
	p := library()
	codes := map[string]string{}
	for i, l := range libraryLabels {
		codes[l] = fmt.Sprintf("zq%cx%dvk", 'a'+i*7%26, i*37%100)
	}
	name := func(l string) string { return codes[l] }
	for i := range p.outputs {
		for _, l := range libraryLabels {
			p.outputs[i] = strings.ReplaceAll(p.outputs[i], "'"+l+"'", "'"+codes[l]+"'")
		}
	}
	p.notes = nil
	if n := right(t, p, libraryRows, name); n > 1 {
		t.Errorf("%d of %d labels found though their names say nothing", n, len(libraryRows))
	}
	for _, r := range libraryRows {
		p.demos = append(p.demos, [2]string{input("message", "Hello, "+r.text), input("topic", codes[r.label])})
	}
	if n := right(t, p, libraryRows, name); n < 14 {
		t.Errorf("with examples %d of %d labels found; want 14", n, len(libraryRows))
	}
}

func TestMeaningOfLabels(t *testing.T) {
	p := prompt{
		inputs:  []string{"message (str)"},
		outputs: []string{"queue (Queue) a1: money is to be given back; b2: the parcel never came; c3: anything else"},
		notes:   map[string]string{"queue": "must be one of: a1; b2; c3"},
	}
	instructed := p
	instructed.outputs = []string{"queue (Queue)"}
	instructed.objective = "Sort the message.\n        - a1: money is to be given back\n        - b2 = the parcel never came\n        - c3 (anything else)"
	for _, p := range []prompt{p, instructed} {
		for text, want := range map[string]string{
			"I want my money back":                     "a1",
			"Where is my parcel? It has not come yet.": "b2",
		} {
			p.values = input("message", text)
			if got := outputs(t, p)["queue"]; got != want {
				t.Errorf("%q: %s, want %s", text, got, want)
			}
		}
	}
}

func TestNothingSpeaksForALabel(t *testing.T) {
	p := prompt{inputs: []string{"text (str)"}, outputs: []string{"reasoning (str)", "mood (Literal['angry', 'neutral', 'happy'])", "confidence (float)"}, values: input("text", "Qwrt zxcv.")}
	got := outputs(t, p)
	if got["mood"] != "neutral" || got["confidence"] != "0.0" || !strings.Contains(got["reasoning"], "Nothing in the input speaks") {
		t.Errorf("%v", got)
	}
	p.values = input("text", "This is wonderful, I love it!")
	if got := outputs(t, p); got["mood"] != "happy" || got["confidence"] == "0.0" || !strings.Contains(got["reasoning"], `"happy"`) {
		t.Errorf("%v", got)
	}
	p.outputs[1] = "mood (Literal['west', 'east'])"
	if got := outputs(t, p); got["mood"] != "west" {
		t.Errorf("equal labels: %v, want the first", got)
	}
}

// TestSureWithExamples: how sure the model is beside worked examples goes by its lead
// over the next label and by how alike the input and the examples are.
func TestSureWithExamples(t *testing.T) {
	p := prompt{inputs: []string{"text (str)"}, outputs: []string{"mood (Literal['p1', 'q2'])", "confidence (float)"}}
	for _, d := range [][2]string{
		{"The soup was cold again today", "p1"}, {"My soup arrived cold", "p1"}, {"Cold soup once more", "p1"}, {"The soup is too cold", "p1"},
		{"The waiter was rude to us", "q2"}, {"A rude waiter once more", "q2"}, {"Such a rude waiter today", "q2"}, {"The waiter is too rude", "q2"},
	} {
		p.demos = append(p.demos, [2]string{input("text", d[0]), input("mood", d[1])})
	}
	sure := func(text, want string) float64 {
		t.Helper()
		p.values = input("text", text)
		got := outputs(t, p)
		if want != "" && got["mood"] != want {
			t.Errorf("%q: %s, want %s", text, got["mood"], want)
		}
		x, err := strconv.ParseFloat(got["confidence"], 64)
		if err != nil || x < 0 || x > 1 {
			t.Errorf("%q: confidence %q", text, got["confidence"])
		}
		return x
	}
	if x := sure("The soup was cold", "p1"); x < 0.9 {
		t.Errorf("%v for an input like the examples of one label, want at least 0.9", x)
	}
	if x := sure("A rude waiter and a cold soup once more", ""); x > 0.5 {
		t.Errorf("%v between two labels, want at most 0.5", x)
	}
	if x := sure("Xylophone quartz", ""); x > 0.1 {
		t.Errorf("%v for an input unlike all examples, want at most 0.1", x)
	}
}

func TestStems(t *testing.T) {
	for _, group := range []string{
		"arrive arrives arrived arriving arrival", "accept accepted acceptance", "deliver delivery deliveries delivered", "expire expired expiry expires",
		"stop stopped stopping", "cancel cancelled cancellation", "lose lost loss", "child children", "book books", "try tries tried",
		"activate activation activated", "renew renewal", "organise organized",
	} {
		words := strings.Fields(group)
		for _, w := range words[1:] {
			if stem(w) != stem(words[0]) {
				t.Errorf("stem(%s) = %s, stem(%s) = %s", w, stem(w), words[0], stem(words[0]))
			}
		}
	}
	for _, pair := range [][2]string{{"apple", "apply"}, {"car", "card"}, {"need", "ned"}, {"bus", "bu"}, {"sing", "s"}} {
		if stem(pair[0]) == stem(pair[1]) {
			t.Errorf("%s and %s have the same stem %s", pair[0], pair[1], stem(pair[0]))
		}
	}
}

func TestSplitName(t *testing.T) {
	for name, want := range map[string]string{
		"card_arrival": "card arrival", "lostCard": "lost Card", "HTTPError": "HTTP Error", "opening-hours": "opening hours", "v2": "v 2", "  a  b": "a  b", "": "",
	} {
		if got := splitName(name); got != want {
			t.Errorf("splitName(%q) = %q, want %q", name, got, want)
		}
	}
}

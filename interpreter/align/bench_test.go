package align_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/align"
	"github.com/dspi-lang/dspi/interpreter/prompt"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// ticketType and ticket are one thing, for package align and for encoding/json.
var ticketType = &types.Record{Name: "Ticket", Fields: []types.Field{
	{Name: "id", Type: types.Int}, {Name: "title", Type: types.String}, {Name: "queue", Type: queue},
	{Name: "score", Type: types.Float}, {Name: "open", Type: types.Bool}, {Name: "note", Type: types.NewOptional(types.String)},
	{Name: "tags", Type: &types.List{Elem: types.String}},
}}

type ticket struct {
	ID    int      `json:"id"`
	Title string   `json:"title"`
	Queue string   `json:"queue"`
	Score float64  `json:"score"`
	Open  bool     `json:"open"`
	Note  *string  `json:"note"`
	Tags  []string `json:"tags"`
}

func ticketJSON(i int) string {
	return fmt.Sprintf(`{"id": %d, "title": "The card of customer %d does not work", "queue": "lost card", "score": 0.%d, "open": true, "note": null, "tags": ["card", "bank", "urgent"]}`, i, i*7, i%97)
}

func ticketsJSON(size int) string {
	var b strings.Builder
	b.WriteString("[")
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteString(",\n ")
		}
		b.WriteString(ticketJSON(i))
	}
	b.WriteString("]")
	return b.String()
}

func benchmarkValue(b *testing.B, t types.Type, text string, repaired bool) {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		_, repairs, _, faults := align.Value(t, text, align.Repairing)
		if faults != nil || len(repairs) > 0 != repaired {
			b.Fatal(repairs, faults)
		}
	}
}

func benchmarkJSON[T any](b *testing.B, text string) {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var v T
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidObject(b *testing.B) {
	text := ticketJSON(12345)
	b.Run("align", func(b *testing.B) { benchmarkValue(b, ticketType, text, false) })
	b.Run("encoding-json", func(b *testing.B) { benchmarkJSON[ticket](b, text) })
}

func BenchmarkValidMegabyte(b *testing.B) {
	text := ticketsJSON(1 << 20)
	b.Run("align", func(b *testing.B) { benchmarkValue(b, &types.List{Elem: ticketType}, text, false) })
	b.Run("encoding-json", func(b *testing.B) { benchmarkJSON[[]ticket](b, text) })
	b.Run("align-any", func(b *testing.B) { benchmarkValue(b, types.JSON, text, false) })
	b.Run("encoding-json-any", func(b *testing.B) { benchmarkJSON[any](b, text) })
}

// messy is a reply with words, a fence, comments, commas too many, other quotes.
var messy = "Sure! Here is the ticket that you asked for, with all the fields filled in:\n\n```json\n{\n  id: 12345, // as given\n  'title': \"The card of \"customer\" 7 does not work\",\n  \"queue\": \"Lost Card\",\n  \"score\": \"0.5\",\n  \"open\": True,\n  \"note\": None,\n  \"tags\": [\"card\", \"bank\", \"urgent\",],\n}\n```\n\nLet me know if anything else is needed."

func BenchmarkMessyReply(b *testing.B) { benchmarkValue(b, ticketType, messy, true) }

func BenchmarkMessyMegabyte(b *testing.B) {
	text := "Here:\n```json\n" + strings.ReplaceAll(ticketsJSON(1<<20), `"]}`, `",]}`) + "\n```\n"
	benchmarkValue(b, &types.List{Elem: ticketType}, text, true)
}

// BenchmarkHostile reads ten megabytes of what makes careless parsers slow.
func BenchmarkHostile(b *testing.B) {
	for _, name := range []string{"brackets", "members", "alternating", "headers", "tags", "quotes", "braces in prose", "inner quotes", "objects", "single quotes"} {
		text := strings.Repeat(hostile[name], (10<<20)/len(hostile[name]))
		b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				align.Value(ticketType, text, align.Repairing)
			}
		})
	}
}

func BenchmarkChat(b *testing.B) {
	reply := prompt.ChatReply(triage, value.NewObject("mood", "happy", "queue", "lost_card", "urgency", 2, "sure", 0.25,
		"contact", value.NewObject("name", "Eva", "age", 4, "email", nil), "tone", strings.Repeat("a line\n", 50)))
	for b.Loop() {
		if _, misfit := align.Chat(triage, reply); misfit != nil {
			b.Fatal(misfit)
		}
	}
}

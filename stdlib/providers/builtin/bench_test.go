package builtin

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

func benchmarkDemos(b *testing.B, demos int) {
	p := library()
	for i := range demos {
		d := libraryRows[i%len(libraryRows)]
		p.demos = append(p.demos, [2]string{input("message", fmt.Sprintf("%s Desk %d.", d.text, i)), input("topic", d.label)})
	}
	p.values = input("message", "Can I still change the hall booking for Friday?")
	messages := p.messages()
	m := incontext{}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Generate(b.Context(), &lm.Request{Messages: messages}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLabelWords(b *testing.B) { benchmarkDemos(b, 0) }
func BenchmarkDemos64(b *testing.B)    { benchmarkDemos(b, 64) }
func BenchmarkDemos300(b *testing.B)   { benchmarkDemos(b, 300) }

func BenchmarkMegabyte(b *testing.B) {
	p := prompt{inputs: []string{"question (str)", "context (str)"}, outputs: []string{"answer (str)"}}
	p.values = input("question", "Who keeps the lighthouse at Gull Point?", "context", strings.Repeat("The harbour has boats of many kinds. ", 28000)+"Mara Ellison keeps the lighthouse at Gull Point.")
	messages := p.messages()
	b.SetBytes(int64(len(p.values)))
	for b.Loop() {
		if _, err := (incontext{}).Generate(b.Context(), &lm.Request{Messages: messages}); err != nil {
			b.Fatal(err)
		}
	}
}

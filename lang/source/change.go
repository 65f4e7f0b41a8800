package source

// Change is how a text became another: the bytes from Start to End were replaced,
// and what stands behind them moved by Delta.
type Change struct {
	Start, End int32 // in the text before
	Delta      int32
}

// ChangeBetween returns the smallest change that makes b of a. Its time is that of
// comparing the two.
func ChangeBetween(a, b *File) Change {
	start := commonStart(a.Text, b.Text)
	tail := commonEnd(a.Text[start:], b.Text[start:])
	return Change{int32(start), int32(len(a.Text) - tail), int32(len(b.Text) - len(a.Text))}
}

// None reports whether the texts are the same.
func (c Change) None() bool { return c.Start == c.End && c.Delta == 0 }

// At returns where an offset stands after the change: one inside it stays inside.
func (c Change) At(offset int32) int32 {
	switch {
	case offset >= c.End:
		return offset + c.Delta
	case offset > c.Start:
		return min(offset, max(c.Start, c.End+c.Delta))
	}
	return offset
}

// Of returns where a span stands after the change.
func (c Change) Of(s Span) Span { return Span{c.At(s.Start), c.At(s.End)} }

// Touches reports whether the change replaces a part of a span, or stands beside it.
func (c Change) Touches(s Span) bool { return s.Start <= c.End && c.Start <= s.End }

// commonStart returns how many bytes two texts have in common at their beginning.
func commonStart(a, b string) int {
	n := min(len(a), len(b))
	i := 0
	for step := 4096; step > 0; {
		if i+step <= n && a[i:i+step] == b[i:i+step] {
			i += step
			continue
		}
		step /= 8
	}
	return i
}

// commonEnd is commonStart for the end.
func commonEnd(a, b string) int {
	n := min(len(a), len(b))
	i := 0
	for step := 4096; step > 0; {
		if i+step <= n && a[len(a)-i-step:len(a)-i] == b[len(b)-i-step:len(b)-i] {
			i += step
			continue
		}
		step /= 8
	}
	return i
}

package types

// Fits reports whether a value of type from may stand where type to is wanted.
//
// The rules: int fits float; probability and its like fit float (not the
// reverse); a member fits its union; T fits T?; json fits anything (checked when
// it runs); an object fits where every required field fits, extra ones are
// dropped. A string does not fit a literal union, an enum or a date; a fixed text
// that is a date does. A type with a structure fits where that structure does
// (embedding is a list[float]), and what has the structure fits the type: the rest
// is checked on the value.
func Fits(from, to Type) bool { return fits(from, to, nil) }

type pair struct{ from, to Type }

func fits(from, to Type, seen []pair) bool {
	if IsInvalid(from) || IsInvalid(to) {
		return true
	}
	if p, ok := from.(*Primitive); ok && p.Row == jsonRow {
		return true
	}
	if p, ok := to.(*Primitive); ok && p.Row == jsonRow {
		return true
	}
	switch f := from.(type) {
	case *Optional:
		return Nullable(to) && fits(f.Elem, to, seen)
	case *Union:
		for _, m := range f.Members {
			if !fits(m, to, seen) {
				return false
			}
		}
		return true
	case *Primitive:
		if s := f.Shape(); s != nil {
			if t, ok := to.(*Primitive); ok && t.Row == f.Row {
				return sameArgument(f, t)
			}
			switch to.(type) {
			case *Optional, *Union:
			default:
				from = s
			}
		}
	}
	switch t := to.(type) {
	case *Optional:
		if l, ok := from.(*Literal); ok && l.Value == nil {
			return true
		}
		return fits(from, t.Elem, seen)
	case *Union:
		for _, m := range t.Members {
			if fits(from, m, seen) {
				return true
			}
		}
		return false
	case *Primitive:
		if s := t.Shape(); s != nil {
			return fits(from, s, seen)
		}
		return fitsPrimitive(from, t)
	case *Literal:
		l, ok := from.(*Literal)
		return ok && (l.Value == t.Value || sameNumber(l.Value, t.Value))
	case *List:
		switch f := from.(type) {
		case *List:
			return fits(f.Elem, t.Elem, seen)
		case *Tuple:
			for _, e := range f.Elems {
				if !fits(e, t.Elem, seen) {
					return false
				}
			}
			return true
		}
		return false
	case *Map:
		switch f := from.(type) {
		case *Map:
			return fits(f.Elem, t.Elem, seen)
		case *Record:
			for _, fd := range f.Fields {
				if !fits(fd.Type, t.Elem, seen) {
					return false
				}
			}
			return true
		}
		return false
	case *Tuple:
		f, ok := from.(*Tuple)
		if !ok || len(f.Elems) != len(t.Elems) {
			return false
		}
		for i := range t.Elems {
			if !fits(f.Elems[i], t.Elems[i], seen) {
				return false
			}
		}
		return true
	case *Record:
		f, ok := from.(*Record)
		if !ok {
			return false
		}
		if f == t {
			return true
		}
		for _, p := range seen { // records that contain themselves
			if p.from == from && p.to == to {
				return true
			}
		}
		seen = append(seen, pair{from, to})
		for _, want := range t.Fields {
			have, ok := f.Field(want.Name)
			if !ok {
				if want.HasDefault || Nullable(want.Type) {
					continue
				}
				return false
			}
			if !fits(have.Type, want.Type, seen) {
				return false
			}
		}
		return true
	case *Enum:
		return from == to
	case Model:
		_, ok := from.(Model)
		return ok
	case Module:
		_, ok := from.(Module)
		return ok
	}
	return false
}

// fitsPrimitive ignores constraints: they are checked on the value.
func fitsPrimitive(from Type, to *Primitive) bool {
	switch f := from.(type) {
	case *Primitive:
		switch {
		case f.Row == to.Row:
			return sameArgument(f, to)
		case to.Row == Float.Row:
			return f.Row.Base == FloatBase || f.Row.Base == IntBase
		case to.Row == String.Row:
			return f.Row.Base == StringBase
		case to.Row == Int.Row:
			return f.Row.Base == IntBase
		}
		return false
	case *Enum:
		return to.Row == String.Row
	case *Literal:
		switch v := f.Value.(type) {
		case string:
			return textFits(v, to.Row)
		case bool:
			return to.Row == Bool.Row
		case int:
			return (to.Row.Base == IntBase || to.Row.Base == FloatBase) && inBounds(float64(v), to)
		case float64:
			return to.Row.Base == FloatBase && inBounds(v, to)
		}
	}
	return false
}

// textFits reports whether a fixed text is a value of a type of texts: a date that
// stands in the program is checked there.
func textFits(s string, to *Row) bool {
	var err error
	switch to {
	case stringRow, codeRow, generatedTextRow:
		return len(s) >= to.MinLength
	case dateRow:
		_, err = ReadDate(s, false)
	case datetimeRow:
		_, err = ReadDateTime(s, false)
	case durationRow:
		_, err = ReadDuration(s, false)
	default:
		return false
	}
	return err == nil
}

// sameArgument reports whether two types of one row may stand for each other: not
// embeddings of different lengths, nor code in different languages.
func sameArgument(from, to *Primitive) bool {
	a, b := from.Constraints, to.Constraints
	return (a.Dims == nil || b.Dims == nil || *a.Dims == *b.Dims) &&
		(a.Lang == nil || b.Lang == nil || *a.Lang == *b.Lang)
}

func inBounds(v float64, t *Primitive) bool {
	lo, hi := t.Row.Min, t.Row.Max
	return (lo == nil || v >= *lo) && (hi == nil || v <= *hi)
}

func sameNumber(a, b any) bool {
	x, ok1 := number(a)
	y, ok2 := number(b)
	return ok1 && ok2 && x == y
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

package value

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// maxDepth is how deep JSON may nest.
const maxDepth = 200

// DecodeJSON reads one JSON value. Objects keep the order of their names; whole
// numbers become int, all others float64. A number beyond 64 bits, a name given
// twice, text after the value, and nesting beyond 200 are errors.
func DecodeJSON(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := decode(d, 0)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the JSON ends too early")
		}
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("text after the JSON value, at byte %d", d.InputOffset())
	}
	return v, nil
}

func decode(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("JSON is nested more than %d deep", maxDepth)
	}
	tok, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := tok.(type) {
	case json.Delim:
		if t == '[' {
			list := []any{}
			for d.More() {
				v, err := decode(d, depth+1)
				if err != nil {
					return nil, err
				}
				list = append(list, v)
			}
			_, err := d.Token()
			return list, err
		}
		o := &Object{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			name := key.(string)
			if _, twice := o.Get(name); twice {
				return nil, fmt.Errorf("the name %q stands twice in one JSON object", name)
			}
			v, err := decode(d, depth+1)
			if err != nil {
				return nil, err
			}
			o.Set(name, v)
		}
		_, err := d.Token()
		return o, err
	case json.Number:
		return Number(t.String())
	}
	return tok, nil // string, bool, nil
}

// Number reads a number in JSON's form: an int where it is whole and written
// without fraction and exponent, else a float64.
func Number(s string) (any, error) {
	if !strings.ContainsAny(s, ".eE") {
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, fmt.Errorf("the number %s does not fit 64 bits", s)
		}
		return n, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, fmt.Errorf("the number %s is too large", s)
	}
	return f, nil
}

// EncodeJSON writes a value as compact JSON, names in their order. A float keeps
// its point: 1.0, not 1.
func EncodeJSON(v any) []byte {
	var b bytes.Buffer
	encode(&b, v, "", "")
	return b.Bytes()
}

// EncodeJSONIndent is EncodeJSON over several lines, two spaces a level.
func EncodeJSONIndent(v any) []byte {
	var b bytes.Buffer
	encode(&b, v, "\n", "  ")
	return b.Bytes()
}

// MarshalJSON lets an object stand inside other Go values.
func (o *Object) MarshalJSON() ([]byte, error) { return EncodeJSON(o), nil }

// UnmarshalJSON reads an object as DecodeJSON does.
func (o *Object) UnmarshalJSON(text []byte) error {
	v, err := DecodeJSON(text)
	if err != nil {
		return err
	}
	x, ok := v.(*Object)
	if !ok {
		return errors.New("it is no object")
	}
	*o = *x
	return nil
}

func encode(b *bytes.Buffer, v any, line, indent string) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case int:
		b.WriteString(strconv.Itoa(v))
	case float64:
		b.WriteString(FormatFloat(v))
	case string:
		writeString(b, v)
	case []any:
		if len(v) == 0 {
			b.WriteString("[]")
			return
		}
		b.WriteByte('[')
		for i, x := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			in := line
			if line != "" {
				in = line + indent
				b.WriteString(in)
			}
			encode(b, x, in, indent)
		}
		b.WriteString(line + "]")
	case *Object:
		if v.Len() == 0 {
			b.WriteString("{}")
			return
		}
		b.WriteByte('{')
		for i, n := range v.names {
			if i > 0 {
				b.WriteByte(',')
			}
			in := line
			if line != "" {
				in = line + indent
				b.WriteString(in)
			}
			writeString(b, n)
			b.WriteByte(':')
			if line != "" {
				b.WriteByte(' ')
			}
			encode(b, v.values[i], in, indent)
		}
		b.WriteString(line + "}")
	default:
		writeString(b, fmt.Sprint(v))
	}
}

func writeString(b *bytes.Buffer, s string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)         // a string always encodes
	b.Truncate(b.Len() - 1) // Encode ends with a newline
}

// FormatFloat writes a float as JSON, with a point or exponent so that it reads
// back as a float. What JSON cannot say is null.
func FormatFloat(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "null"
	}
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if abs := math.Abs(f); abs >= 1e-4 && abs < 1e16 || f == 0 {
		s = strconv.FormatFloat(f, 'f', -1, 64)
	}
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

package state

import (
	"encoding/json"
	"strings"

	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/value"
)

// place returns where the key at a path of objects stands in a file, or the file
// alone when it cannot be found.
func place(file *source.File, path ...string) source.Place {
	if file == nil {
		return source.Place{}
	}
	d := json.NewDecoder(strings.NewReader(file.Text))
	end, ok := seek(d, path)
	if !ok {
		return source.Place{File: file}
	}
	start := end - len(value.EncodeJSON(path[len(path)-1]))
	return file.Place(source.Span{Start: int32(max(start, 0)), End: int32(end)})
}

// seek reads an object up to the key at a path; end is the byte behind it.
func seek(d *json.Decoder, path []string) (end int, ok bool) {
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return 0, false
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return 0, false
		}
		if t == path[0] {
			if len(path) == 1 {
				return int(d.InputOffset()), true
			}
			return seek(d, path[1:])
		}
		var skipped json.RawMessage
		if d.Decode(&skipped) != nil {
			return 0, false
		}
	}
	return 0, false
}

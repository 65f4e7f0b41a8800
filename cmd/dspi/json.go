package main

import (
	"bytes"
	"encoding/json"
)

// writeJSON writes v as one line of JSON.
func (a *app) writeJSON(v any) error {
	line, err := jsonLine(v)
	if err != nil {
		return err
	}
	_, _ = a.out.Write(line) // a.out remembers its failure
	return nil
}

// jsonLine returns v as one line of JSON, its `<` and `&` as they are.
func jsonLine(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

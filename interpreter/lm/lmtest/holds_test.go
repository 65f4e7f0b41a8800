package lmtest

import "testing"

// TestHoldsItself: a body that is to the letter what is wanted holds it.
func TestHoldsItself(t *testing.T) {
	const body = `{"model":"m","n":1.50,"messages":[{"role":"user"}]}`
	holds(t, []byte(body), body)
	holds(t, []byte(body), `{"n":1.50}`)
}

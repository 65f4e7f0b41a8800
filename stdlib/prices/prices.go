// Package prices knows what providers ask for their models: a table with a date,
// in prices.json.
//
//	Of    the price of a model, nil when it is not in the table
//	Date  the day up to which the table is right
//
// A model that is not listed has no known price: it is never taken for free, nor
// for one of a like name. A program's own `price` block comes before the table.
package prices

import (
	_ "embed"
	"encoding/json"
	"regexp"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi/interpreter/lm"
)

//go:embed prices.json
var text []byte

type row struct {
	Provider    string   `json:"provider"`
	Model       string   `json:"model"`
	Input       float64  `json:"input"`
	CachedInput *float64 `json:"cached_input"`
	CacheWrite  *float64 `json:"cache_write"`
	Output      float64  `json:"output"`
	UpTo        int      `json:"up_to"`
}

type file struct {
	Date   string `json:"date"`
	Prices []row  `json:"prices"`
}

var table = sync.OnceValue(func() *file {
	var f file
	if err := json.Unmarshal(text, &f); err != nil {
		panic("prices.json: " + err.Error()) // a test reads it
	}
	return &f
})

// Date returns the day of the table: 2026-11-21.
func Date() string { return table().Date }

// dated is what providers put behind a model's name for one of its versions.
var dated = regexp.MustCompile(`^-([0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}|latest)$`)

// Of returns the price of a provider's model on the provider's own server: of its
// name, or of its name with a date behind it.
func Of(provider, model string) *lm.Price {
	for _, r := range table().Prices {
		rest, ok := strings.CutPrefix(model, r.Model)
		if r.Provider == provider && ok && (rest == "" || dated.MatchString(rest)) {
			return &lm.Price{Input: r.Input, Output: r.Output, CachedInput: r.CachedInput, CacheWrite: r.CacheWrite, UpTo: r.UpTo}
		}
	}
	return nil
}

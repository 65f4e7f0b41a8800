package lsp

import (
	"regexp"
	"slices"
	"strings"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lsp/protocol"
)

var (
	// limitsLine is a line that ends between the parentheses of a type.
	limitsLine = regexp.MustCompile(`^(.*?(\w+)(?:\[[^()]*\])?)\(([^()]*)$`)
	limitsDone = regexp.MustCompile(`\([^()]*\)`)
	limitGiven = regexp.MustCompile(`(\w+)\s*=`)
)

// limits offers what may limit a type, where the cursor stands in its parentheses. It
// reports whether it does.
func (c *completer) limits(line string) bool {
	m := limitsLine.FindStringSubmatch(limitsDone.ReplaceAllString(line, ""))
	if m == nil || !typeLine.MatchString(m[1]) && !variableLine.MatchString(m[1]) && !fieldLine.MatchString(m[1]) {
		return false
	}
	var allowed []string
	switch row, ok := types.Lookup(m[2]); {
	case ok:
		allowed = row.Allows
	case m[2] == "list":
		allowed = types.ListLimits
	case m[2] == "map":
		allowed = types.MapLimits
	default:
		return false
	}
	now := m[3][strings.LastIndexByte(m[3], ',')+1:]
	if name, value, ok := strings.Cut(now, "="); ok {
		c.limitValue(strings.TrimSpace(name), strings.TrimSpace(value))
		return true
	}
	var given []string
	for _, g := range limitGiven.FindAllStringSubmatch(m[3], -1) {
		given = append(given, g[1])
	}
	for _, name := range allowed {
		if !slices.Contains(given, name) {
			c.add(Item{Label: name, Kind: protocol.ItemProperty, Detail: "limit of " + m[2], Insert: name + " = $0", Snippet: true})
		}
	}
	return true
}

// limitValue offers what a limit may be.
func (c *completer) limitValue(name, typed string) {
	quote := `"`
	if strings.HasPrefix(typed, `"`) {
		quote = ""
	}
	switch {
	case name == "format":
		for _, f := range types.Formats {
			c.add(Item{Label: quote + f.Name + quote, Kind: protocol.ItemEnumMember, Detail: name, Doc: f.Doc})
		}
	case name == "unique" && quote != "":
		c.add(Item{Label: "true", Kind: protocol.ItemKeyword})
		c.add(Item{Label: "false", Kind: protocol.ItemKeyword})
	}
}

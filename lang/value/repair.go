package value

import "slices"

// Repair is one thing that was done to a text or value so that it fits its type:
// nothing is changed without one.
type Repair struct {
	// Loc is the path to the value, as in Fault.
	Loc []any `json:"loc"`
	// Type is a short name of the kind of repair for machines:
	// "trailing_comma", "number_from_text", "single_to_list", …
	Type string `json:"type"`
	// Msg says for people what stood there and what it was taken for.
	Msg string `json:"msg"`
}

// String returns the repair in one line: `refund.amount: took "12,50 €" for 12.5`.
func (r Repair) String() string { return Fault{Loc: r.Loc, Msg: r.Msg}.String() }

// Path returns the place in one piece, as that of a Fault.
func (r Repair) Path() string { return Fault{Loc: r.Loc}.Path() }

// RepairLines returns repairs as people read them, a line for each. One that says the
// same as the one before it is left out: `€12.50` for 12.5 is a number from a text and
// one with a currency.
func RepairLines(repairs []Repair) []string {
	lines := make([]string, len(repairs))
	for i, r := range repairs {
		lines[i] = r.String()
	}
	return slices.Compact(lines)
}

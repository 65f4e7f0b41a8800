package universe

// Plan is a word of the language that this version does not have yet. The
// checker says so, instead of calling it unknown.
type Plan struct {
	Sort string // "block" or "module"
	Name string
	Doc  string // a few words
}

var plans = []Plan{
}

// Planned returns the planned block or module of a name.
func Planned(sort, name string) (Plan, bool) {
	for _, p := range plans {
		if p.Sort == sort && p.Name == name {
			return p, true
		}
	}
	return Plan{}, false
}

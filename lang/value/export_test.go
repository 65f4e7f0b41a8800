package value

// HasRule reports what this package knows of a row: whether it reads other forms,
// and whether it checks more than base, bounds and shape.
func HasRule(row string) (reads, checks bool) {
	r := rules()[row]
	return r.read != nil, r.text != nil || r.holds != nil
}

// RuleNames are the rows this package knows rules of.
func RuleNames() []string {
	var out []string
	for name := range rules() {
		out = append(out, name)
	}
	return out
}

// KnowsFormat reports whether the constraint `format` takes a name.
func KnowsFormat(name string) bool { _, ok := formats()[name]; return ok }

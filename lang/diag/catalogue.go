package diag

import "sync"

// Entry is one row of the catalogue: what a code means. Its page, with an
// explanation and examples, is pages/CODE.md (Page).
type Entry struct {
	Code  Code
	Title string // constant words
}

// Level returns the level that the code's first letter tells.
func (e Entry) Level() Level {
	if e.Code[0] == 'W' {
		return Warning
	}
	return Error
}

// Area is a group of codes: those that begin with Prefix.
type Area struct{ Prefix, Title string }

// Areas returns the groups of the catalogue in order.
func Areas() []Area {
	return []Area{
		{"01", "writing"}, {"02", "names"}, {"03", "types"}, {"04", "order of steps"},
		{"05", "settings and providers"}, {"06", "while running"},
	}
}

// Catalogue returns every code there is, in order.
func Catalogue() []Entry { return catalogue }

// Lookup returns the row of a code.
func Lookup(code Code) (Entry, bool) {
	e, ok := byCode()[code]
	return e, ok
}

var byCode = sync.OnceValue(func() map[Code]Entry {
	m := make(map[Code]Entry, len(catalogue))
	for _, e := range catalogue {
		m[e.Code] = e
	}
	return m
})

var catalogue = []Entry{
	// E01xx: writing
	{"E0101", "wrong arrow in a signature"},
	{"E0102", "unexpected text"},
	{"E0103", "block is not closed"},
	{"E0104", "bracket is not closed"},
	{"E0105", "closing bracket without its opening one"},
	{"E0106", "string is not closed"},
	{"E0107", "comment is not closed"},
	{"E0108", "unknown escape in a string"},
	{"E0109", "unreadable character"},
	{"E0110", "single quotes"},
	{"E0111", "nested too deeply"},
	{"E0112", "value is missing"},
	{"E0113", "type is missing"},
	{"E0114", "comma is missing"},
	{"E0115", "brace on the next line"},
	{"E0116", "expression cannot be read"},
	{"E0117", "template where only fixed text may stand"},
	{"E0118", "signature without exactly one arrow"},
	{"E0119", "field without a type"},
	{"E0120", "signature in two places"},
	{"E0121", "another language's spelling"},
	{"E0122", "block without a name"},
	{"E0123", "block with too many names"},
	{"E0124", "block without a body"},
	{"E0125", "not allowed here"},
	{"E0126", "program without a signature"},
	{"E0127", "empty declaration"},
	{"E0128", "file cannot be read as text"},
	{"W0101", "type that is one fixed value"},
	{"W0102", "value that is not put into the text"},
	// E02xx: names
	{"E0201", "unknown output field"},
	{"E0202", "unknown module"},
	{"E0203", "unknown name"},
	{"E0204", "unknown type"},
	{"E0205", "name declared twice"},
	{"E0206", "unknown block"},
	{"E0207", "unknown function"},
	{"E0208", "unknown declaration"},
	{"E0210", "unknown signature"},
	{"E0212", "import cannot be found"},
	{"E0213", "name is taken"},
	{"E0214", "field on both sides of the arrow"},
	{"E0215", "unknown input"},
	{"E0216", "unknown output"},
	{"E0217", "unknown enum value"},
	{"E0218", "unknown field"},
	{"E0219", "name out of reach"},
	{"E0220", "unknown column"},
	{"W0201", "built-in name declared again"},
	// E03xx: types
	{"E0301", "step receives the wrong type"},
	{"E0302", "operator does not fit its values"},
	{"E0303", "function does not fit its arguments"},
	{"E0304", "value may be null"},
	{"E0305", "constraint does not apply"},
	{"E0306", "default does not fit its type"},
	{"E0307", "fixed value needed"},
	{"E0308", "condition is not true or false"},
	{"E0309", "output has the wrong type"},
	{"E0310", "setting has the wrong type"},
	{"E0311", "type arguments do not fit"},
	{"E0312", "type contains itself"},
	{"E0313", "constraints exclude every value"},
	{"E0314", "value has no parts"},
	{"E0315", "message template does not fit"},
	{"E0316", "score is not a number"},
	// E04xx: order of steps
	{"E0401", "steps wait for each other"},
	{"E0402", "input is not bound"},
	{"E0403", "output is not bound"},
	{"E0404", "output is made by several steps"},
	{"E0405", "programs call each other in a ring"},
	{"E0406", "named values wait for each other"},
	// E05xx: settings and providers
	{"E0501", "unknown setting"},
	{"E0502", "setting is missing"},
	{"E0503", "setting given twice"},
	{"E0504", "unknown provider"},
	{"E0505", "secret out of its bounds"},
	{"E0507", "unknown choice"},
	{"E0508", "several default models"},
	{"E0509", "number out of range"},
	{"E0510", "not runnable yet"},
	{"E0511", "settings that exclude each other"},
	{"E0512", "variable without a value"},
	{"E0520", "tool without exactly one body"},
	{"E0521", "data cannot be read"},
	{"E0522", "unknown optimizer"},
	{"E0523", "optimization without one fitting optimizer"},
	{"E0524", "cannot be tuned"},
	{"E0525", "constraint about nothing"},
	{"E0526", "variables break a constraint"},
	{"E0527", "variable is computed"},
	{"E0528", "tools with one name"},
	{"W0521", "data is absent"},
	// E06xx: while running
	{"E0601", "reply does not fit the signature"},
	{"E0602", "key was refused"},
	{"E0603", "model is overloaded"},
	{"E0604", "model did not answer in time"},
	{"E0605", "model cannot be reached"},
	{"E0606", "provider failed"},
	{"E0607", "no key for the provider"},
	{"E0608", "input is missing"},
	{"E0609", "unknown input"},
	{"E0610", "value does not fit its type"},
	{"E0611", "no such program"},
	{"E0612", "several programs"},
	{"E0613", "file without a program"},
	{"E0614", "expression failed"},
	{"E0615", "expression takes too long"},
	{"E0616", "unknown model"},
	{"E0617", "run was interrupted"},
	{"E0618", "row cannot be read"},
	{"E0619", "file cannot be read"},
	{"E0620", "unknown variable"},
	{"E0621", "provider refused the request"},
	{"E0622", "fault in dspi itself"},
	{"E0623", "budget is used up"},
	{"E0624", "model is left alone"},
	{"E0626", "no member of the route answers"},
	{"E0627", "call is larger than its limits"},
	{"E0632", "tool cannot be called"},
	{"E0633", "passages cannot be searched"},
	{"E0634", "asserted output does not hold"},
	{"E0635", "run waits for a person"},
	{"E0636", "module came to no answer"},
	{"E0637", "code cannot be confined here"},
	{"E0640", "saved state cannot be read"},
	{"E0641", "state and program have other steps"},
	{"E0642", "state and step have other fields"},
	{"E0643", "tuned value does not fit its variable"},
	{"E0644", "no Python to ask"},
	{"E0645", "Python object cannot be imported"},
	{"E0646", "not expressible in DSPy"},
	{"E0650", "code in Python failed"},
	{"E0651", "Python code cannot be called"},
	{"E0652", "value does not go to or from Python"},
	{"E0653", "Python ended"},
	{"E0654", "Python does not answer"},
	{"E0655", "Python does not start"},
	{"E0656", "setting has no counterpart in DSPy"},
	{"E0657", "annotation in Python contradicts the type"},
	{"E0625", "a picture, sound or file cannot be sent"},
	{"E0630", "assertion does not hold"},
	{"E0631", "test took too long"},
	{"W0601", "value for a variable that no program declares"},
	{"W0640", "state fits in part"},
	{"W0641", "environment overrides tuned state"},
}

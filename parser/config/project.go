package config

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/dspi-lang/dspi/lang/diag"
	"github.com/dspi-lang/dspi/lang/source"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/universe"
)

// Project is what a dspi.hcl says. The nil Project says nothing.
type Project struct {
	File   *source.File
	Values []Value // in the order of the text; those with a mistake are left out
}

// Value is one setting of a project.
type Value struct {
	Name  string // as one writes it to speak of it: `default_model`, `cache.url`
	Decl  *universe.Setting
	Value any          // a string or an int
	Place source.Place // of the value
	At    source.Place // of the name
}

// Value returns the setting of a name.
func (p *Project) Value(name string) (Value, bool) {
	if p == nil {
		return Value{}, false
	}
	i := slices.IndexFunc(p.Values, func(v Value) bool { return v.Name == name })
	if i < 0 {
		return Value{}, false
	}
	return p.Values[i], true
}

// DefaultModel returns the model that answers where nothing else names one, and
// where that is written; "" when it is not.
func (p *Project) DefaultModel() (string, source.Place) {
	v, _ := p.Value("default_model")
	name, _ := v.Value.(string)
	return name, v.Place
}

// Backend returns the runtime of steps where neither they nor their program say; ""
// when it is not written.
func (p *Project) Backend() string {
	v, _ := p.Value("backend")
	name, _ := v.Value.(string)
	return name
}

// Shown returns the value as people may see it: in quotes when it is text, and
// without what its URL keeps secret.
func (v Value) Shown() string {
	text, ok := v.Value.(string)
	if !ok {
		return fmt.Sprint(v.Value)
	}
	return `"` + WithoutSecrets(text) + `"`
}

// ReadProject reads a dspi.hcl by the table universe.Project. What could be
// understood is returned beside the diagnostics. What URLs keep secret is hidden
// in the file.
func ReadProject(file *source.File) (*Project, diag.List) {
	p := &Project{File: file}
	body, hdiags, diags := parse(file)
	if diags != nil {
		return p, diags
	}
	HideURLs(file)
	r := &projectReader{file: file, project: p}
	if body != nil {
		r.body(&universe.Project, "", body)
	}
	r.diags = besides(inOurWords(file, body, hdiags), r.diags)
	r.diags.Sort()
	slices.SortFunc(p.Values, func(a, b Value) int { return int(a.At.Start - b.At.Start) })
	return p, r.diags
}

// besides joins what is wrong with the writing, and what is wrong with the rest:
// on a line that could not be read as written, only the first.
func besides(writing, rest diag.List) diag.List {
	broken := map[int]bool{}
	for _, d := range writing {
		broken[d.Primary.File.LineOf(d.Primary.Start)] = true
	}
	for _, d := range rest {
		if !broken[d.Primary.File.LineOf(d.Primary.Start)] {
			writing = append(writing, d)
		}
	}
	return writing
}

type projectReader struct {
	file    *source.File
	project *Project
	diags   diag.List
}

func (r *projectReader) report(d *diag.Diagnostic) { r.diags = append(r.diags, d) }

// body reads what stands in a block, or in the file, against its table. Prefix
// is the block's name and a dot.
func (r *projectReader) body(table *universe.Block, prefix string, body *hclsyntax.Body) {
	for _, a := range body.Attributes {
		at := place(r.file, a.NameRange)
		if decl, ok := table.Setting(a.Name); ok {
			r.value(prefix+a.Name, decl, at, a.Expr)
		} else {
			r.report(unknownSetting(at, a.Name, prefix, table))
		}
	}
	seen := map[string]source.Place{}
	for _, b := range body.Blocks {
		at := place(r.file, b.TypeRange)
		inner, ok := table.Block(b.Type)
		if !ok {
			r.report(unknownBlock(at, b.Type, table))
			continue
		}
		if first, twice := seen[b.Type]; twice {
			r.report(diag.New("E0503", at, "`"+b.Type+"` stands here again").Relate(first, "it is here already").
				Say("There is one block `%s`.", b.Type))
			continue
		}
		seen[b.Type] = at
		if len(b.LabelRanges) > 0 {
			r.report(diag.New("E0123", place(r.file, b.LabelRanges[0]), "`"+b.Type+"` has no name").
				Say("It is written without one: `%s { … }`.", b.Type))
		}
		r.body(inner, prefix+b.Type+".", b.Body)
	}
}

func (r *projectReader) value(name string, decl *universe.Setting, at source.Place, e hclsyntax.Expression) {
	v := Value{Name: name, Decl: decl, At: at, Place: place(r.file, e.Range())}
	x, hdiags := e.Value(nil)
	if hdiags.HasErrors() {
		r.diags = append(r.diags, inOurWords(r.file, nil, hdiags)...)
		return
	}
	if !x.IsWhollyKnown() {
		return // a part of it could not be read, which is said elsewhere
	}
	want, form := cty.String, "text"
	switch decl.Kind {
	case universe.Integer:
		want, form = cty.Number, "a whole number"
	case universe.Boolean:
		want, form = cty.Bool, "true or false"
	}
	y, err := convert.Convert(x, want)
	if err != nil || x.IsNull() || want != cty.Number && x.Type() != want {
		r.report(wrongType(v, form, x))
		return
	}
	v.Value, err = fromCty(y)
	if err == nil {
		err = fits(decl, v.Value)
	}
	if err != nil {
		r.report(misfit(v, err))
		return
	}
	r.project.Values = append(r.project.Values, v)
}

// misfitError says why a value of the right type does not fit its setting.
type misfitError struct {
	code diag.Code
	text string
}

func (e *misfitError) Error() string { return e.text }

var (
	scheme = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*):(.+)$`)
	period = regexp.MustCompile(`^[1-9][0-9]{0,5}[hdw]$`)
	size   = regexp.MustCompile(`^([1-9][0-9]{0,5})([kMGT])B$`)
)

// Period returns how long a value of the kind universe.Period is: 0 for `off`.
func Period(text string) (time.Duration, bool) {
	if text == "off" {
		return 0, true
	}
	if !period.MatchString(text) {
		return 0, false
	}
	n, err := strconv.Atoi(text[:len(text)-1])
	unit := map[byte]time.Duration{'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[text[len(text)-1]]
	if err != nil || n > int(math.MaxInt64/unit) {
		return 0, false
	}
	return time.Duration(n) * unit, true
}

// Size returns how many bytes a value of the kind universe.Size is.
func Size(text string) (int64, bool) {
	m := size.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	return n * map[string]int64{"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[m[2]], err == nil
}

// fits checks a value beyond its type.
func fits(decl *universe.Setting, v any) error {
	switch decl.Kind {
	case universe.Integer:
		n, ok := v.(int)
		if !ok {
			return &misfitError{"E0310", "this is not a whole number"}
		}
		if decl.Min != nil && float64(n) < *decl.Min || decl.Max != nil && float64(n) > *decl.Max {
			return &misfitError{"E0509", fmt.Sprintf("`%s` is from %s to %s", decl.Name, types.FormatFloat(*decl.Min), types.FormatFloat(*decl.Max))}
		}
	case universe.Address:
		text := v.(string)
		if slices.Contains(universe.Words, text) && slices.Contains(decl.Choices, text) {
			return nil
		}
		m := scheme.FindStringSubmatch(text)
		if m == nil {
			return &misfitError{"E0310", "an address begins with its kind and a colon"}
		}
		if slices.Contains(universe.Words, m[1]) || !slices.Contains(decl.Choices, m[1]) {
			return &misfitError{"E0507", "`" + m[1] + ":` is not one of " + addresses(decl.Choices)}
		}
	case universe.Choice:
		if text := v.(string); !slices.Contains(decl.Choices, text) {
			return &misfitError{"E0507", "`" + decl.Name + "` is one of `" + strings.Join(decl.Choices, "`, `") + "`"}
		}
	case universe.Period:
		if _, ok := Period(v.(string)); !ok {
			return &misfitError{"E0310", "this is not a length of time"}
		}
	case universe.Size:
		if _, ok := Size(v.(string)); !ok {
			return &misfitError{"E0310", "this is not a size"}
		}
	case universe.Text:
		if v.(string) == "" {
			return &misfitError{"E0310", "this is empty"}
		}
	}
	return nil
}

// addresses lists how addresses of some kinds begin: `sqlite:`, or `off`.
func addresses(kinds []string) string {
	out := make([]string, len(kinds))
	for i, kind := range kinds {
		if !slices.Contains(universe.Words, kind) {
			kind += ":"
		}
		out[i] = "`" + kind + "`"
	}
	return strings.Join(out, ", ")
}

func misfit(v Value, err error) *diag.Diagnostic {
	code := diag.Code("E0310")
	if m, ok := err.(*misfitError); ok {
		code = m.code
	}
	d := diag.New(code, v.Place, err.Error()).Say("%s", v.Decl.Doc)
	if v.Decl.Kind == universe.Address && code == "E0507" {
		text, _ := v.Value.(string)
		kind, _, _ := strings.Cut(text, ":")
		if near, ok := diag.Nearest(kind, v.Decl.Choices); ok {
			d.Hint("did you mean `%s:`?", near)
		}
	}
	return d
}

func wrongType(v Value, form string, x cty.Value) *diag.Diagnostic {
	is := "this is " + typeName(x)
	return diag.New("E0310", v.Place, is).
		Say("`%s` is %s. %s", v.Name, form, v.Decl.Doc)
}

// typeName names the type of a value in the words of a .dsp file.
func typeName(x cty.Value) string {
	t := x.Type()
	switch {
	case x.IsNull():
		return "null"
	case t == cty.String:
		return "text"
	case t == cty.Number:
		return "a number"
	case t == cty.Bool:
		return "true or false"
	case t.IsTupleType() || t.IsListType() || t.IsSetType():
		return "a list"
	}
	return "an object"
}

func unknownSetting(at source.Place, name, prefix string, table *universe.Block) *diag.Diagnostic {
	where := "`" + strings.TrimSuffix(prefix, ".") + "`"
	if prefix == "" {
		where = "a project"
	}
	d := diag.New("E0501", at, where+" has no setting `"+name+"`")
	if _, ok := table.Block(name); ok {
		return d.Say("`%s` is a block, so it is written without `=`.", name).Hint("write: %s { … }", name)
	}
	var names []string
	for _, s := range table.Settings {
		names = append(names, s.Name)
	}
	if near, ok := diag.Nearest(name, names); ok {
		d.Fix("did you mean `"+near+"`?", at, near)
	} else {
		for _, b := range table.Blocks {
			if _, ok := b.Setting(name); ok {
				d.Hint("`%s` has a setting of this name: %s { %s = … }", b.Name, b.Name, name)
			}
		}
	}
	var lines strings.Builder
	for _, s := range table.Settings {
		fmt.Fprintf(&lines, "    %-14s %s\n", s.Name, s.Doc)
	}
	for _, b := range table.Blocks {
		fmt.Fprintf(&lines, "    %-14s %s\n", b.Name+" { }", b.Doc)
	}
	return d.Say("What may stand here:\n\n%s", lines.String())
}

func unknownBlock(at source.Place, name string, table *universe.Block) *diag.Diagnostic {
	d := diag.New("E0206", at, "no block is called `"+name+"`")
	var names []string
	for _, b := range table.Blocks {
		names = append(names, b.Name)
	}
	if near, ok := diag.Nearest(name, names); ok {
		d.Fix("did you mean `"+near+"`?", at, near)
	}
	if s, ok := table.Setting(name); ok {
		return d.Say("`%s` is a setting: `%s = …`.", name, s.Name)
	}
	if len(names) == 0 {
		return d.Say("No blocks stand in `%s`.", table.Name)
	}
	return d.Say("The blocks here are %s. Models, variables and programs are declared in .dsp files.", quoted(names, ""))
}

func quoted(names []string, suffix string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = "`" + n + suffix + "`"
	}
	return strings.Join(out, ", ")
}

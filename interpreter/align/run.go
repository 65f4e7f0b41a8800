package align

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// run is one reading under way: what was repaired and what is at fault so far.
//
// Where several ways are tried, the log is cut back to where it stood (mark,
// reset) and the best way's part is put back (outcome). Unions are why outcomes are
// kept: each member is tried on the same node, and a record in a union in a record
// in a union would try 2ⁿ ways. One node with one union has one outcome.
type run struct {
	mode    Mode
	repairs []repaired
	faults  []wrong
	score   int
	more    int // repairs that are not listed
	moreBad int // faults that are not listed
	steps   int // work done, for the tests
	calls   int
	inside  int // texts around what is read
	tried   map[attempt]*outcome
	busy    map[attempt]bool
	names   map[*types.Record][]string // see plainNames
	options map[types.Type]*options
	desk
}

// desk is what a reading is worked out with: nothing of it is part of what is read,
// so the next reading uses it again.
type desk struct {
	nodes    slab[node]
	items    slab[*node]
	keys     slab[string]
	children []child // of all that is open, one behind the other
	locs     slab[loc]

	// Of what strict reads: what is open, and a text with escapes.
	openNames  []string
	openValues []any
	unescaped  []byte
}

// child is an element of a list, or a name and its value.
type child struct {
	key  string
	node *node
}

// runs are readings that have ended.
var runs = sync.Pool{New: func() any { return new(run) }}

func begin(mode Mode) *run {
	r := runs.Get().(*run)
	r.mode = mode
	return r
}

// end gives a reading back. Its nodes and places must not be used any more.
func (r *run) end() {
	d := r.desk
	d.nodes.reset()
	d.items.reset()
	d.keys.reset()
	d.locs.reset()
	d.children = emptied(d.children)
	d.openNames = emptied(d.openNames)
	d.openValues = emptied(d.openValues)
	d.unescaped = emptied(d.unescaped)
	*r = run{desk: d, repairs: emptied(r.repairs)}
	runs.Put(r)
}

// emptied is a list for the next reading to fill. One that grew large is not kept.
func emptied[T any](list []T) []T {
	if cap(list) > 8*maxSlab {
		return nil
	}
	return cutBack(list, 0)
}

// cutBack is list without its elements from n on, which nothing holds any more.
func cutBack[T any](list []T, n int) []T {
	clear(list[n:])
	return list[:n]
}

type attempt struct {
	t types.Type
	n *node
}

// loc is a path that shares its beginning with others. Its last step is a name, or
// an index where the name is "" and named is false.
type loc struct {
	parent *loc
	name   string
	index  int
	named  bool
	depth  int
	step   any // the last step, once the path was written out
}

// down is the path to a name at l.
func (r *run) down(l *loc, name string) *loc {
	out := r.locs.one()
	out.parent, out.name, out.named, out.depth = l, name, true, l.len()+1
	return out
}

// item is the path to an element at l.
func (r *run) item(l *loc, i int) *loc {
	out := r.locs.one()
	out.parent, out.index, out.depth = l, i, l.len()+1
	return out
}

// along is the path that goes on from l with the steps of a fault.
func (r *run) along(l *loc, steps []any) *loc {
	for _, step := range steps {
		switch step := step.(type) {
		case string:
			l = r.down(l, step)
		case int:
			l = r.item(l, step)
		}
	}
	return l
}

func (l *loc) len() int {
	if l == nil {
		return 0
	}
	return l.depth
}

func (l *loc) path() []any {
	out := make([]any, l.len())
	l.write(out)
	return out
}

// write writes the path into out, which is as long.
func (l *loc) write(out []any) {
	for ; l != nil; l = l.parent {
		if l.step == nil {
			if l.step = l.index; l.named {
				l.step = l.name
			}
		}
		out[l.depth-1] = l.step
	}
}

// moved is l with its first steps, those of from, replaced by to.
func (r *run) moved(l, from, to *loc) *loc {
	if l.len() <= from.len() {
		return to
	}
	parent := r.moved(l.parent, from, to)
	if l.named {
		return r.down(parent, l.name)
	}
	return r.item(parent, l.index)
}

// repaired and wrong are a repair and a fault whose path is not written out yet.
type repaired struct {
	kind kind
	at   *loc
	msg  string
}

type wrong struct {
	at    *loc
	kind  string
	msg   string
	input any // a value, or a node
}

type mark struct{ repairs, faults, score, more, moreBad int }

func (r *run) mark() mark {
	return mark{len(r.repairs), len(r.faults), r.score, r.more, r.moreBad}
}

func (r *run) reset(m mark) {
	r.repairs, r.faults = cutBack(r.repairs, m.repairs), cutBack(r.faults, m.faults)
	r.score, r.more, r.moreBad = m.score, m.more, m.moreBad
}

// outcome is what one way of reading came to.
type outcome struct {
	value   any
	ok      bool
	repairs []repaired
	faults  []wrong
	score   int
	more    int
	moreBad int
	at      *loc // the place at which it was tried
}

// take cuts the log back to m and returns what stood behind it.
func (r *run) take(m mark, v any, ok bool, at *loc) *outcome {
	o := &outcome{
		at: at, value: v, ok: ok, score: r.score - m.score, more: r.more - m.more, moreBad: r.moreBad - m.moreBad,
		repairs: slices.Clone(r.repairs[m.repairs:]), faults: slices.Clone(r.faults[m.faults:]),
	}
	r.reset(m)
	return o
}

// put writes an outcome into the log, at a place that may be another than that at
// which it was tried.
func (r *run) put(o *outcome, at *loc) (any, bool) {
	r.score += o.score
	r.more += o.more
	r.moreBad += o.moreBad
	for _, x := range o.repairs {
		if at != o.at {
			x.at = r.moved(x.at, o.at, at)
		}
		r.repairs = append(r.repairs, x)
	}
	for _, x := range o.faults {
		if at != o.at {
			x.at = r.moved(x.at, o.at, at)
		}
		r.faults = append(r.faults, x)
	}
	r.steps += len(o.repairs) + len(o.faults)
	return o.value, o.ok
}

// better reports whether a is the better way: one that fits, then the lower score,
// then the fewer faults.
func better(a, b *outcome) bool {
	if b == nil || a.ok != b.ok {
		return b == nil || a.ok
	}
	if a.ok {
		return a.score < b.score
	}
	return len(a.faults)+a.moreBad < len(b.faults)+b.moreBad
}

// fix notes a repair. msg is "" for the words of its kind.
func (r *run) fix(k kind, at *loc, msg string) {
	r.score += kinds[k].Cost
	if len(r.repairs) >= maxRepairsListed {
		r.more++
		return
	}
	r.repairs = append(r.repairs, repaired{k, at, msg})
}

// syntax notes how the text of a node had to be read.
func (r *run) syntax(n *node, at *loc) {
	for k, left := kind(0), n.fixes; left != 0; k, left = k+1, left>>1 {
		if left&1 != 0 {
			r.fix(k, at, "")
		}
	}
	if n.oddTag {
		r.fix(oddTag, at, "")
	}
}

// fault notes what is wrong. input may be a node.
func (r *run) fault(at *loc, kind, msg string, input any) (any, bool) {
	if len(r.faults) >= maxFaultsListed {
		r.moreBad++
		return nil, false
	}
	r.faults = append(r.faults, wrong{at, kind, msg, input})
	return nil, false
}

// misfit notes that a node is no t, in the words of package value. Should value
// know to read it, it is read.
func (r *run) misfit(t types.Type, n *node, at *loc) (any, bool) {
	v, faults := value.Check(t, n.shallow(), value.Lax)
	if faults == nil && n.kind != listNode && n.kind != objectNode {
		r.fix(rowForm, at, "")
		return v, true
	}
	if faults == nil {
		return r.fault(at, "type_error", "expected a `"+t.String()+"`", n)
	}
	secret := types.Sensitive(t)
	for _, f := range faults {
		var input any = n
		if len(f.Loc) > 0 || secret {
			input = f.Input
		}
		r.fault(r.along(at, f.Loc), f.Type, f.Msg, input)
	}
	return nil, false
}

// check holds a value that was made against its type, for what the type demands
// beyond its shape.
func (r *run) check(t types.Type, v any, at *loc) (any, bool) {
	out, faults := value.Check(t, v, value.Strict)
	for _, f := range faults {
		r.fault(r.along(at, f.Loc), f.Type, f.Msg, f.Input)
	}
	return out, faults == nil
}

// done ends a reading: paths are written out, what is not listed is counted, nodes
// become values.
func (r *run) done() (repairs []value.Repair, faults []value.Fault) {
	if n := len(r.repairs); n > 0 {
		repairs = make([]value.Repair, n, n+min(r.more, 1))
	}
	var path []any // of one repair and those that follow it at the same place
	steps := make([]any, r.repairSteps())
	for i, x := range r.repairs {
		if i == 0 || x.at != r.repairs[i-1].at {
			n := x.at.len()
			path, steps = steps[:n:n], steps[n:]
			x.at.write(path)
		}
		repairs[i] = x.kind.repair(path, x.msg)
	}
	if r.more > 0 {
		repairs = append(repairs, moreRepairs.repair([]any{}, strconv.Itoa(r.more)+" more repairs"))
	}
	for _, x := range r.faults {
		if n, ok := x.input.(*node); ok {
			x.input = n.plain()
		}
		faults = append(faults, value.Fault{Loc: x.at.path(), Type: x.kind, Msg: x.msg, Input: x.input})
	}
	if r.moreBad > 0 {
		faults = append(faults, value.Fault{Loc: []any{}, Type: "more_faults", Msg: strconv.Itoa(r.moreBad) + " more faults"})
	}
	return repairs, faults
}

// repairSteps returns how many steps the paths of the repairs have.
func (r *run) repairSteps() int {
	n := 0
	for i, x := range r.repairs {
		if i == 0 || x.at != r.repairs[i-1].at {
			n += x.at.len()
		}
	}
	return n
}

// shallow is the node as a value in which lists and objects hold nothing but nulls:
// enough to say what it is.
func (n *node) shallow() any {
	switch n.kind {
	case listNode:
		return make([]any, len(n.items))
	case objectNode:
		o := &value.Object{}
		for _, key := range n.keys[:min(len(n.keys), 8)] {
			o.Set(key, nil)
		}
		return o
	}
	return n.plain()
}

// took says in a repair what was taken for what.
func took(t types.Type, text string, v any) string {
	if p, ok := t.(*types.Primitive); t != nil && (!ok || p.Row.Sensitive) && types.Sensitive(t) {
		return ""
	}
	to := ""
	switch v := v.(type) {
	case string:
		to = shown(v)
	case bool:
		to = strconv.FormatBool(v)
	case int:
		to = strconv.Itoa(v)
	default:
		to = clipped(string(value.EncodeJSON(v)))
	}
	return "took " + shown(text) + " for " + to
}

// shown is a text in quotes, short enough for a message.
func shown(s string) string {
	if s == "" {
		return "an empty text"
	}
	return strconv.Quote(clipped(s))
}

func clipped(s string) string {
	const most = 60
	if utf8.RuneCountInString(s[:min(len(s), 4*most)]) <= most && len(s) <= 4*most {
		return s
	}
	r := []rune(strings.ToValidUTF8(s[:min(len(s), 4*most)], ""))
	return string(r[:min(len(r), most-1)]) + "…"
}

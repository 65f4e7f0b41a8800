package retrievers

import "slices"

// gap is the distance of the keys of two passages in a new index: so many can come
// between them before all keys are given anew. Keys are in the order of the corpus,
// and near enough to each other to be short in the index.
const gap = 8192

// stored is a passage of the index.
type stored struct {
	key  int64
	hash hash
}

// edit is how an index becomes that of a changed corpus.
type edit struct {
	keys    []int64 // of the passages of the corpus, in their order
	fresh   []bool  // which of them are written
	written int     // how many
	deleted []int64 // keys of passages that go
	whole   bool    // all that is in the index goes
}

// editOf returns the edit with which as many passages as possible stay: the longest
// run of passages that are in both in the same order.
func editOf(old []stored, new []hash) edit {
	e := edit{keys: make([]int64, len(new)), fresh: make([]bool, len(new))}
	at := make(map[hash][]int, len(old))
	for i, o := range old {
		at[o.hash] = append(at[o.hash], i)
	}
	match := make([]int, len(new)) // the stored passage, -1 for none
	for i, h := range new {
		match[i] = -1
		if list := at[h]; len(list) > 0 {
			match[i], at[h] = list[0], list[1:]
		}
	}
	kept := make([]bool, len(old))
	for i, ok := range ascending(match) {
		if ok {
			e.keys[i] = old[match[i]].key
			kept[match[i]] = true
		}
	}
	for i, o := range old {
		if !kept[i] {
			e.deleted = append(e.deleted, o.key)
		}
	}
	before := int64(0)
	for i := 0; i < len(new); {
		if e.keys[i] != 0 {
			before = e.keys[i]
			i++
			continue
		}
		end := i
		for end < len(new) && e.keys[end] == 0 {
			end++
		}
		room := int64(end-i+1) * gap
		if end < len(new) {
			room = e.keys[end] - before
		}
		if room <= int64(end-i) {
			return wholeEdit(len(new))
		}
		step := room / int64(end-i+1)
		for n := i; n < end; n++ {
			before += step
			e.keys[n], e.fresh[n] = before, true
			e.written++
		}
		i = end
	}
	return e
}

// wholeEdit is the edit that writes everything anew.
func wholeEdit(n int) edit {
	e := edit{keys: make([]int64, n), fresh: make([]bool, n), written: n, whole: true}
	for i := range n {
		e.keys[i], e.fresh[i] = int64(i+1)*gap, true
	}
	return e
}

// ascending marks a longest ascending run of what is not negative.
func ascending(list []int) []bool {
	var tails []int // the index in list of the least end of a run of each length
	back := make([]int, len(list))
	for i, v := range list {
		if v < 0 {
			continue
		}
		n, _ := slices.BinarySearchFunc(tails, v, func(t, v int) int { return list[t] - v })
		back[i] = -1
		if n > 0 {
			back[i] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, i)
		} else {
			tails[n] = i
		}
	}
	in := make([]bool, len(list))
	if len(tails) == 0 {
		return in
	}
	for i := tails[len(tails)-1]; i >= 0; i = back[i] {
		in[i] = true
	}
	return in
}

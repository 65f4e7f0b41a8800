package index

import "slices"

// Gap is the distance of the keys of two passages in a new index: so many can come
// between them before all keys are given anew. Keys are in the order of the corpus,
// and near enough to each other to be short in the index.
const Gap = 8192

// Stored is a passage of the index.
type Stored struct {
	Key  int64
	Hash Hash
}

// Edit says which passages stay, go and are written.
type Edit struct {
	Keys    []int64 // of the passages of the corpus, in their order
	Fresh   []bool  // which of them are written
	Written int     // how many
	Deleted []int64 // keys of passages that go
	All     bool    // all that is in the index goes
}

// EditOf returns the edit with which as many passages as possible stay: the longest
// run of passages that are in both in the same order.
func EditOf(old []Stored, new []Hash) Edit {
	e := Edit{Keys: make([]int64, len(new)), Fresh: make([]bool, len(new))}
	at := make(map[Hash][]int, len(old))
	for i, o := range old {
		at[o.Hash] = append(at[o.Hash], i)
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
			e.Keys[i] = old[match[i]].Key
			kept[match[i]] = true
		}
	}
	for i, o := range old {
		if !kept[i] {
			e.Deleted = append(e.Deleted, o.Key)
		}
	}
	before := int64(0)
	for i := 0; i < len(new); {
		if e.Keys[i] != 0 {
			before = e.Keys[i]
			i++
			continue
		}
		end := i
		for end < len(new) && e.Keys[end] == 0 {
			end++
		}
		room := int64(end-i+1) * Gap
		if end < len(new) {
			room = e.Keys[end] - before
		}
		if room <= int64(end-i) {
			return wholeEdit(len(new))
		}
		step := room / int64(end-i+1)
		for n := i; n < end; n++ {
			before += step
			e.Keys[n], e.Fresh[n] = before, true
			e.Written++
		}
		i = end
	}
	return e
}

// wholeEdit is the edit that writes everything anew.
func wholeEdit(n int) Edit {
	e := Edit{Keys: make([]int64, n), Fresh: make([]bool, n), Written: n, All: true}
	for i := range n {
		e.Keys[i], e.Fresh[i] = int64(i+1)*Gap, true
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

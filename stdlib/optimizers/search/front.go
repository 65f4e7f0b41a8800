package search

import (
	"math"
	"sort"
)

// dominates says whether a is nowhere worse than b and somewhere better; all are
// to be minimized.
func dominates(a, b []float64) bool {
	better := false
	for i := range a {
		if a[i] > b[i] {
			return false
		}
		better = better || a[i] < b[i]
	}
	return better
}

// fronts parts the objectives by the fast non-dominated sort (Deb et al. 2002): the
// first front is dominated by none, the second by the first alone, and so on. A
// front holds numbers in ascending order.
func fronts(values [][]float64) [][]int {
	under := make([][]int, len(values)) // whom one dominates
	above := make([]int, len(values))   // how many dominate one
	for i := range values {
		for j := i + 1; j < len(values); j++ {
			switch {
			case dominates(values[i], values[j]):
				under[i] = append(under[i], j)
				above[j]++
			case dominates(values[j], values[i]):
				under[j] = append(under[j], i)
				above[i]++
			}
		}
	}
	var now []int
	for i, n := range above {
		if n == 0 {
			now = append(now, i)
		}
	}
	var out [][]int
	for len(now) > 0 {
		out = append(out, now)
		var next []int
		for _, i := range now {
			for _, j := range under[i] {
				if above[j]--; above[j] == 0 {
					next = append(next, j)
				}
			}
		}
		sort.Ints(next)
		now = next
	}
	return out
}

// crowding is how much room each member of a front has: the sum over the
// objectives of the distance of its two neighbours, as a part of the whole; the
// ends have +Inf (Deb et al. 2002).
func crowding(values [][]float64, front []int) []float64 {
	room := make([]float64, len(front))
	if len(front) == 0 {
		return room
	}
	order := make([]int, len(front))
	for m := range values[front[0]] {
		for i := range order {
			order[i] = i
		}
		at := func(i int) float64 { return values[front[order[i]]][m] }
		sort.SliceStable(order, func(a, b int) bool { return at(a) < at(b) })
		last := len(order) - 1
		width := at(last) - at(0)
		if width == 0 {
			continue
		}
		room[order[0]], room[order[last]] = math.Inf(1), math.Inf(1)
		for i := 1; i < last; i++ {
			if gap := (at(i+1) - at(i-1)) / width; !math.IsNaN(gap) {
				room[order[i]] += gap
			}
		}
	}
	return room
}

// widest returns n members of a front. With two objectives they are taken one by
// one, each time the one that adds most to the dominated area (a greedy choice has
// at least 63 % of what is possible); with more, the least crowded.
func widest(values [][]float64, front []int, n int) []int {
	if len(values[front[0]]) == 2 {
		return widestArea(values, front, n)
	}
	room := crowding(values, front)
	out := make([]int, n)
	for i, k := range byRoom(room)[:n] {
		out[i] = front[k]
	}
	return out
}

// byRoom returns the numbers of what has so much room, the most first.
func byRoom(room []float64) []int {
	order := make([]int, len(room))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return room[order[a]] > room[order[b]] })
	return order
}

func widestArea(values [][]float64, front []int, n int) []int {
	var reference [2]float64
	for m := range reference {
		worst := math.Inf(-1)
		for _, i := range front {
			worst = max(worst, values[i][m])
		}
		reference[m] = max(1.1*worst, 0.9*worst)
		if reference[m] == 0 {
			reference[m] = 1e-12
		}
	}
	var taken []int
	var area [][]float64
	left := append([]int(nil), front...)
	for len(taken) < n {
		best, most := 0, math.Inf(-1)
		for k, i := range left {
			if v := Hypervolume2D(append(area[:len(area):len(area)], values[i]), reference); v > most {
				best, most = k, v
			}
		}
		taken = append(taken, left[best])
		area = append(area, values[left[best]])
		left = append(left[:best], left[best+1:]...)
	}
	return taken
}

// Front returns the numbers of the points that no other dominates: those of which
// none is better in one objective without being worse in another. All objectives
// are to be minimized. Points with a NaN are not in it.
func Front(objectives [][]float64) []int {
	var out []int
	for i, a := range objectives {
		ok := !anyNaN(a)
		for _, b := range objectives {
			ok = ok && !(!anyNaN(b) && dominates(b, a))
		}
		if ok {
			out = append(out, i)
		}
	}
	return out
}

func anyNaN(xs []float64) bool {
	for _, x := range xs {
		if math.IsNaN(x) {
			return true
		}
	}
	return false
}

// Hypervolume2D is the area that objectives dominate before a reference point
// that is worse than they: the larger, the better the front. Both objectives are
// to be minimized; points beyond the reference add nothing.
func Hypervolume2D(objectives [][]float64, reference [2]float64) float64 {
	sorted := append([][]float64(nil), objectives...)
	sort.SliceStable(sorted, func(a, b int) bool {
		if sorted[a][0] != sorted[b][0] {
			return sorted[a][0] < sorted[b][0]
		}
		return sorted[a][1] < sorted[b][1]
	})
	area, low := 0.0, reference[1]
	for _, v := range sorted {
		if v[0] < reference[0] && v[1] < low {
			area += (reference[0] - v[0]) * (low - v[1])
			low = v[1]
		}
	}
	return area
}

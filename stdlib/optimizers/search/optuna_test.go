package search

import (
	"encoding/json"
	"math"
	"os"
	"sort"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/evaluate"
)

// peers is testdata/optuna.json: what Optuna's samplers found.
type peers struct {
	Seeds        int
	Startup      int
	Population   int
	Reference    [2]float64
	ReferenceTPE [2]float64 `json:"reference_tpe"`
	Runs         []struct {
		Function   string
		Trials     int
		Sampler    string
		Objectives int
		Values     []float64
	}
	Samples map[string][]struct {
		Point  map[string]float64
		Values []float64
	}
	MannWhitney []struct {
		A, B []float64
		P    float64
	} `json:"mann_whitney"`
}

func readPeers(t *testing.T) peers {
	t.Helper()
	data, err := os.ReadFile("testdata/optuna.json")
	if err != nil {
		t.Fatal(err)
	}
	var p peers
	if err := json.Unmarshal(data, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestBesideOptuna runs our searches on what Optuna's have run on, with as many
// trials, startup points and members of a population, and holds that nowhere ours is
// found worse: by a one-sided Mann-Whitney test at 5 % with Holm's correction over
// the functions, by the median regret (at most 1.1 times Optuna's), and by the median
// hypervolume (at least 0.98 times). With -short ten of the seeds are run, and only the
// Mann-Whitney test holds.
func TestBesideOptuna(t *testing.T) {
	peers := readPeers(t)
	problems := problems()
	seeds := peers.Seeds
	if testing.Short() {
		seeds = 10
	}
	ours := map[string][]float64{}
	var ps []float64
	var names []string
	for _, r := range peers.Runs {
		p, ok := problems[r.Function]
		if !ok || len(r.Values) != peers.Seeds {
			t.Fatalf("%s: no such function, or %d seeds", r.Function, len(r.Values))
		}
		kind := r.Sampler[:3]
		key := kind + r.Function
		if ours[key] == nil {
			for seed := range uint64(seeds) {
				ours[key] = append(ours[key], found(t, kind, p, r.Trials, seed, peers))
			}
		}
		r.Values = r.Values[:seeds]
		mine, theirs := median(ours[key]), median(r.Values)
		name := r.Function + " beside " + r.Sampler
		worse := mannWhitney(ours[key], r.Values)
		if r.Objectives == 2 {
			worse = mannWhitney(r.Values, ours[key])
			if mine < 0.98*theirs && seeds == peers.Seeds {
				t.Errorf("%s: median hypervolume %.4g, Optuna's is %.4g", name, mine, theirs)
			}
		} else if mine > 1.1*theirs && seeds == peers.Seeds {
			t.Errorf("%s: median regret %.4g, Optuna's is %.4g", name, mine, theirs)
		}
		t.Logf("%-32s %4d trials: ours %-9.4g Optuna's %-9.4g p(worse) %.3f", name, r.Trials, mine, theirs, worse)
		ps, names = append(ps, worse), append(names, name)
	}
	for i, p := range evaluate.Holm(ps) {
		if p < 0.05 {
			t.Errorf("%s: worse, p = %.4f after Holm's correction", names[i], p)
		}
	}
}

// found is the regret or the hypervolume of one run.
func found(t *testing.T, kind string, p problem, trials int, seed uint64, peers peers) float64 {
	t.Helper()
	var s Sampler
	var err error
	reference := peers.Reference
	switch kind {
	case "tpe":
		s, err = NewTPE(p.space, seed, TPEOptions{Startup: peers.Startup})
		reference = peers.ReferenceTPE
	default:
		s, err = NewNSGA2(p.space, seed, NSGA2Options{Population: peers.Population})
	}
	if err != nil {
		t.Fatal(err)
	}
	_, values := tune(s, p, trials)
	if len(values) != trials {
		t.Fatalf("%s: %d trials of %d", p.name, len(values), trials)
	}
	if len(values[0]) == 2 {
		return Hypervolume2D(values, reference)
	}
	return least(values)
}

func problems() map[string]problem {
	out := map[string]problem{}
	for _, p := range []problem{branin(), hartmann6(), mixed(), prompts(), zdt1(10), zdt1(30)} {
		out[p.name] = p
	}
	return out
}

// TestSameFunctions: what both are compared on is the same.
func TestSameFunctions(t *testing.T) {
	for name, samples := range readPeers(t).Samples {
		p := problems()[name]
		for _, s := range samples {
			point := p.space.first()
			for i, d := range p.space.Dimensions {
				if x, ok := s.Point[d.Name]; ok {
					point[i] = x
				}
			}
			if n := p.space.Normalize(point); !near(n, point) {
				t.Errorf("%s: %v is no point, %v is", name, point, n)
			}
			if got := p.f(point); !near(got, s.Values) {
				t.Errorf("%s at %v: %v, not %v", name, point, got, s.Values)
			}
		}
	}
}

func near(a, b []float64) bool {
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-9*(1+math.Abs(b[i])) {
			return false
		}
	}
	return len(a) == len(b)
}

// TestTPEBeatsRandom: on every function the median regret is below that of chance.
func TestTPEBeatsRandom(t *testing.T) {
	for _, p := range []problem{branin(), hartmann6(), mixed(), prompts()} {
		var by, chance []float64
		for seed := range uint64(15) {
			s, err := NewTPE(p.space, seed, TPEOptions{})
			if err != nil {
				t.Fatal(err)
			}
			r, err := NewRandom(p.space, seed)
			if err != nil {
				t.Fatal(err)
			}
			_, a := tune(s, p, 80)
			_, b := tune(r, p, 80)
			by, chance = append(by, least(a)), append(chance, least(b))
		}
		if median(by) >= median(chance) || mannWhitney(chance, by) > 0.01 {
			t.Errorf("%s: tpe %.4g, at random %.4g", p.name, median(by), median(chance))
		}
	}
}

func TestMannWhitney(t *testing.T) {
	cases := readPeers(t).MannWhitney
	if len(cases) < 5 {
		t.Fatalf("%d cases", len(cases))
	}
	for i, c := range cases {
		if p := mannWhitney(c.A, c.B); math.Abs(p-c.P) > 1e-9 {
			t.Errorf("case %d: %v, scipy has %v", i, p, c.P)
		}
	}
}

// mannWhitney is the probability, were there no difference, that a is so much
// larger than b: one-sided, by the normal distribution with the corrections for ties
// and continuity.
func mannWhitney(a, b []float64) float64 {
	type place struct {
		x float64
		a bool
	}
	var all []place
	for _, x := range a {
		all = append(all, place{x, true})
	}
	for _, x := range b {
		all = append(all, place{x, false})
	}
	sort.Slice(all, func(i, j int) bool { return all[i].x < all[j].x })
	ranks, ties := 0.0, 0.0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].x == all[i].x {
			j++
		}
		same := float64(j - i)
		ties += same*same*same - same
		for k := i; k < j; k++ {
			if all[k].a {
				ranks += float64(i+j+1) / 2
			}
		}
		i = j
	}
	n, m := float64(len(a)), float64(len(b))
	u := ranks - n*(n+1)/2
	deviation := math.Sqrt(n * m / 12 * (n + m + 1 - ties/((n+m)*(n+m-1))))
	if deviation == 0 {
		return 1
	}
	return below0(-(u - n*m/2 - 0.5) / deviation)
}

func median(xs []float64) float64 {
	s := append([]float64(nil), xs...)
	sort.Float64s(s)
	return (s[len(s)/2] + s[(len(s)-1)/2]) / 2
}

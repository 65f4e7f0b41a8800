// Package search looks for the point of a space at which a function is least, without
// knowing the function: it is asked for points and told what they are worth. It is
// mathematics and knows nothing of programs.
//
//	Dimension   one thing that varies: numbers, or a choice (space.go)
//	Space       dimensions, and the constraints among them
//	Point       a value for each dimension
//	Sampler     a search: Ask and Tell (sampler.go)
//	NewRandom   at random (random.go)
//	NewGrid     every combination (grid.go)
//	NewTPE      where good points are denser than others (tpe.go, parzen.go)
//	NewNSGA2    generations, for several objectives (nsga2.go)
//	SuccessiveHalving  many points with little each, few with much (halving.go)
//	Front, Hypervolume2D  what several objectives come to (front.go)
//	Importance  which dimensions matter (importance.go, forest.go)
//
// To begin, make a Space and a Sampler, and go round:
//
//	space := &search.Space{Dimensions: []search.Dimension{
//		{Name: "model", Kind: search.Choice, Choices: 3},
//		{Name: "temperature", High: 1.5, Step: 0.1},
//	}}
//	s, err := search.NewTPE(space, seed, search.TPEOptions{})
//	for range 50 {
//		points, err := s.Ask(1)
//		…
//		s.Tell(points[0], []float64{cost(points[0])}, true)
//	}
package search

// Package optimizers holds the ways to tune a program, one file each. Their
// declarations stand in lang/universe; their names and defaults are DSPy's where DSPy
// has the optimizer.
//
//	labeled_few_shot                       rows as demos
//	bootstrap_few_shot …                   demos that the program made itself
//	knn_few_shot                           demos that are nearest to each call
//	infer_rules                            demos, and rules drawn from rows
//	ensemble                               the best candidates, asked together
//	copro, mipro_v2, gepa, simba           instructions that a model writes
//	random, grid, tpe, successive_halving  variables, by search
//	nsga2                                  several aims at once
//
// Each is a function of its optimize.Study; see there what that asks of it.
package optimizers

import (
	"github.com/dspi-lang/dspi/interpreter/optimize"
)

// all are the optimizers by name. That of DSPy's own, `dspy`, is the host's.
var all = map[string]optimize.Optimizer{
	"labeled_few_shot":                      labeledFewShot{},
	"bootstrap_few_shot":                    bootstrapFewShot{},
	"bootstrap_few_shot_with_random_search": bootstrapRandomSearch{},
	"bootstrap_few_shot_with_optuna":        bootstrapOptuna{},
	"knn_few_shot":                          knnFewShot{},
	"ensemble":                              ensemble{},
	"copro":                                 copro{},
	"mipro_v2":                              miproV2{},
	"infer_rules":                           inferRules{},
	"simba":                                 simba{},
	"gepa":                                  gepa{},
	"random":                                random{},
	"grid":                                  grid{},
	"tpe":                                   tpe{},
	"successive_halving":                    successiveHalving{},
	"nsga2":                                 nsga2{},
}

// Lookup returns the optimizer of a name.
func Lookup(name string) (optimize.Optimizer, bool) {
	o, ok := all[name]
	return o, ok
}

package check

import (
	"slices"

	"github.com/dspi-lang/dspi/lang/program"
	"github.com/dspi-lang/dspi/lang/source"
)

// What a session keeps of the declarations that stand around programs.

// addAround adds the declarations of one project to another.
func addAround(to, from *program.Project) {
	to.Tools = append(to.Tools, from.Tools...)
	to.Retrievers = append(to.Retrievers, from.Retrievers...)
	to.Datasets = append(to.Datasets, from.Datasets...)
	to.Metrics = append(to.Metrics, from.Metrics...)
	to.Evaluations = append(to.Evaluations, from.Evaluations...)
	to.Optimizations = append(to.Optimizations, from.Optimizations...)
	to.Constraints = append(to.Constraints, from.Constraints...)
	to.Tests = append(to.Tests, from.Tests...)
}

// keepAround notes the declarations of the files in by.
func (c *checker) keepAround(by map[*source.File]*keptFile) {
	p := c.project
	put(by, p.Tools, func(x *program.Tool) source.Place { return x.Place }, func(k *keptFile) *[]*program.Tool { return &k.around.Tools })
	put(by, p.Retrievers, func(x *program.Retriever) source.Place { return x.Place }, func(k *keptFile) *[]*program.Retriever { return &k.around.Retrievers })
	put(by, p.Datasets, func(x *program.Dataset) source.Place { return x.Place }, func(k *keptFile) *[]*program.Dataset { return &k.around.Datasets })
	put(by, p.Metrics, func(x *program.Metric) source.Place { return x.Place }, func(k *keptFile) *[]*program.Metric { return &k.around.Metrics })
	put(by, p.Evaluations, func(x *program.Evaluation) source.Place { return x.Place }, func(k *keptFile) *[]*program.Evaluation { return &k.around.Evaluations })
	put(by, p.Optimizations, func(x *program.Optimization) source.Place { return x.Place }, func(k *keptFile) *[]*program.Optimization { return &k.around.Optimizations })
	put(by, p.Constraints, func(x *program.Constraint) source.Place { return x.Place }, func(k *keptFile) *[]*program.Constraint { return &k.around.Constraints })
	put(by, p.Tests, func(x *program.Test) source.Place { return x.Place }, func(k *keptFile) *[]*program.Test { return &k.around.Tests })
}

// put adds each declaration to what is kept of its file.
func put[T any](by map[*source.File]*keptFile, all []T, place func(T) source.Place, list func(*keptFile) *[]T) {
	for _, x := range all {
		if k, ok := by[place(x).File]; ok {
			to := list(k)
			*to = append(*to, x)
		}
	}
}

// sortAround puts the declarations of a project in order.
func sortAround(p *program.Project, less func(a, b source.Place) int) {
	slices.SortStableFunc(p.Tools, func(a, b *program.Tool) int { return less(a.Place, b.Place) })
	slices.SortStableFunc(p.Retrievers, func(a, b *program.Retriever) int { return less(a.Place, b.Place) })
	slices.SortStableFunc(p.Datasets, func(a, b *program.Dataset) int { return less(a.Place, b.Place) })
	slices.SortStableFunc(p.Metrics, func(a, b *program.Metric) int { return less(a.Place, b.Place) })
	slices.SortStableFunc(p.Evaluations, func(a, b *program.Evaluation) int { return less(a.Place, b.Place) })
	slices.SortStableFunc(p.Optimizations, func(a, b *program.Optimization) int { return less(a.Place, b.Place) })
	slices.SortStableFunc(p.Constraints, func(a, b *program.Constraint) int { return less(a.Place, b.Place) })
	slices.SortStableFunc(p.Tests, func(a, b *program.Test) int { return less(a.Place, b.Place) })
}

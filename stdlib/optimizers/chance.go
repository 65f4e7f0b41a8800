package optimizers

import (
	"strconv"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/stdlib/optimizers/pyrandom"
)

// chance returns the source of chance that DSPy makes with random.Random(n). With
// the seed 0, which a block has that says none, it is that one; another seed gives
// another source for each n.
func chance(s *optimize.Study, n int) *pyrandom.Random {
	if s.Seed == 0 {
		return pyrandom.New(int64(n))
	}
	return pyrandom.NewText(strconv.FormatUint(s.Seed, 10) + "/" + strconv.Itoa(n))
}

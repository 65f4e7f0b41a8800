package cache_test

import (
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/cache"
	"github.com/dspi-lang/dspi/interpreter/cache/cachetest"
)

func TestMemory(t *testing.T) {
	cachetest.Exercise(t, cachetest.Subject{
		Open:    func(_ testing.TB, _ string, max int64, _ func() time.Time) cache.Cache { return cache.Memory(max) },
		Place:   func(testing.TB) string { return "" },
		Forgets: true,
		Bubble:  true,
	})
}

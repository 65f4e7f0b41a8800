package history_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/interpreter/history"
	"github.com/dspi-lang/dspi/interpreter/history/historytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	historytest.Exercise(t, func(*testing.T) history.Store { return &history.Memory{} })
}

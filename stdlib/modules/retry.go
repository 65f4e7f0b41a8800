package modules

import (
	"github.com/dspi-lang/dspi/lang/universe"
)

var retry = Entry{Module: universe.Module{
		Name: "retry", Doc: "again until it succeeds", Pending: "repeating a failed step", Wraps: true,
		Settings: []universe.Setting{
			{Name: "attempts", Kind: universe.Integer, Doc: "The most attempts.", Default: "3", Min: bound(1), Max: bound(100)},
		},
		Example: `retry sure {
  attempts = 3
  predict {}
}`,
	}}

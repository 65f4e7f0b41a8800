package optimizers

import (
	"strconv"
	"strings"

	"github.com/dspi-lang/dspi/interpreter/optimize"
	"github.com/dspi-lang/dspi/lang/types"
	"github.com/dspi-lang/dspi/lang/value"
)

// This file is what the optimizers share that let a model write instructions.

// asked is a field of a question: a text.
func asked(name, description string) types.Field {
	return types.Field{Name: name, Type: types.String, Description: description}
}

// textOf returns a text of an answer; "" where it has none.
func textOf(answer *value.Object, name string) string {
	v, _ := answer.Get(name)
	text, _ := v.(string)
	return text
}

// instructionsOf returns what a predictor of the start is told: as it is written or
// was tuned, else the words that stand for nothing.
func instructionsOf(s *optimize.Study, predictor int) string {
	p := s.Predictors[predictor]
	switch {
	case s.Start.Steps[predictor].Instructions != "":
		return s.Start.Steps[predictor].Instructions
	case p.Signature.Instructions != "":
		return p.Signature.Instructions
	}
	return p.Declared.DefaultInstructions()
}

// percent writes a score in per cent as DSPy does: rounded to two places, and as Python
// writes the number. 66.67, 50.0.
func percent(x float64) string {
	x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'f', 2, 64), 64)
	s := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

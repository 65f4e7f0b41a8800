package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/spf13/cobra"
)

// budgetFlag adds --budget to a command that runs programs.
func budgetFlag(cmd *cobra.Command, parts *[]string) {
	cmd.Flags().StringSliceVar(parts, "budget", nil, "the most that all calls together may use: `usd=0.50,calls=500,tokens=200000,time=10m`")
}

// withBudget puts what --budget says into a context.
func withBudget(ctx context.Context, parts []string) (context.Context, error) {
	if len(parts) == 0 {
		return ctx, nil
	}
	l, err := budgetLimits(parts)
	if err != nil {
		return nil, err
	}
	return lm.WithBudget(ctx, lm.NewBudget(l)), nil
}

// budgetLimits reads the parts of --budget.
func budgetLimits(parts []string) (lm.BudgetLimits, error) {
	var l lm.BudgetLimits
	for _, part := range parts {
		name, text, _ := strings.Cut(part, "=")
		text = strings.ReplaceAll(text, "_", "")
		var err error
		good := false
		switch name {
		case "usd":
			l.USD, err = strconv.ParseFloat(text, 64)
			good = l.USD > 0
		case "calls":
			l.Calls, err = strconv.Atoi(text)
			good = l.Calls > 0
		case "tokens":
			l.Tokens, err = strconv.Atoi(text)
			good = l.Tokens > 0
		case "time":
			l.Time, err = time.ParseDuration(text)
			good = l.Time > 0
		}
		if err != nil || !good {
			return l, wrong("--budget cannot be `%s`", part).
				hint("a budget has one or more of: usd=0.50, calls=500, tokens=200000, time=10m")
		}
	}
	return l, nil
}

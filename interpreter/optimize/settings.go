package optimize

import (
	"fmt"
	"strconv"
	"strings"
)

// Given returns a setting that is written in the program.
func (s Settings) Given(name string) (any, bool) {
	v, ok := s.Written[name]
	return v, ok && v != nil
}

// Int returns a whole number: as written, else the default of its declaration, which
// must be one.
func (s Settings) Int(name string) int {
	if v, ok := s.Given(name); ok {
		return v.(int)
	}
	n, err := strconv.Atoi(plain(s.defaultOf(name)))
	if err != nil {
		panic(fmt.Sprintf("%s has no default: %v", name, err))
	}
	return n
}

// Float returns a number, as Int does.
func (s Settings) Float(name string) float64 {
	if v, ok := s.Given(name); ok {
		switch v := v.(type) {
		case int:
			return float64(v)
		case float64:
			return v
		}
	}
	f, err := strconv.ParseFloat(plain(s.defaultOf(name)), 64)
	if err != nil {
		panic(fmt.Sprintf("%s has no default: %v", name, err))
	}
	return f
}

// Bool returns a truth, as Int does.
func (s Settings) Bool(name string) bool {
	if v, ok := s.Given(name); ok {
		return v.(bool)
	}
	b, err := strconv.ParseBool(s.defaultOf(name))
	if err != nil {
		panic(fmt.Sprintf("%s has no default: %v", name, err))
	}
	return b
}

// Text returns a text or choice, as Int does.
func (s Settings) Text(name string) string {
	if v, ok := s.Given(name); ok {
		return v.(string)
	}
	return s.defaultOf(name)
}

func (s Settings) defaultOf(name string) string {
	for _, d := range s.Declared.Settings {
		if d.Name == name {
			return d.Default
		}
	}
	panic(s.Declared.Name + " has no setting " + name)
}

// plain is a number without the marks between its digits: 100_000.
func plain(number string) string { return strings.ReplaceAll(number, "_", "") }

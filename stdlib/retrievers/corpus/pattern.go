package corpus

import (
	"errors"
	"path"
	"strings"
)

// compile makes a test of names of a pattern: `*` and `?` stand for anything within
// a folder, `**` for any folders, `[a-z]` for one of these, `{md,txt}` for any of
// these. Names are paths with slashes.
func compile(pattern string) (func(name string) bool, error) {
	all, err := braces(pattern)
	if err != nil {
		return nil, err
	}
	var parts [][]string
	for _, p := range all {
		segments := strings.Split(strings.TrimPrefix(p, "./"), "/")
		for _, s := range segments {
			if _, err := path.Match(s, ""); err != nil {
				return nil, errors.New("has a [ without its ]")
			}
		}
		parts = append(parts, segments)
	}
	return func(name string) bool {
		segments := strings.Split(name, "/")
		for _, p := range parts {
			if matches(p, segments) {
				return true
			}
		}
		return false
	}, nil
}

// braces writes out what stands in braces.
func braces(pattern string) ([]string, error) {
	open := strings.IndexByte(pattern, '{')
	if open < 0 {
		if strings.Contains(pattern, "}") {
			return nil, errors.New("has a } without its {")
		}
		return []string{pattern}, nil
	}
	end := strings.IndexByte(pattern[open:], '}')
	if end < 0 {
		return nil, errors.New("has a { without its }")
	}
	end += open
	rest, err := braces(pattern[end+1:])
	if err != nil {
		return nil, err
	}
	var out []string
	for _, choice := range strings.Split(pattern[open+1:end], ",") {
		for _, r := range rest {
			out = append(out, pattern[:open]+choice+r)
		}
	}
	if len(out) > 1000 {
		return nil, errors.New("stands for too many patterns")
	}
	return out, nil
}

// matches compares the segments of a pattern and a name.
func matches(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for i := range len(name) + 1 {
				if matches(pattern[1:], name[i:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 {
			return false
		}
		if ok, _ := path.Match(pattern[0], name[0]); !ok {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return len(name) == 0
}

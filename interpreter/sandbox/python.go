package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// facts are what must be known of a Python to confine it.
type facts struct {
	Program string   // the file itself, behind links and wrappers
	Paths   []string // files and folders that it reads
}

// asked prints the facts. Libraries that are loaded are named one by one: a library
// may lie in a folder with other things in it.
const asked = `import json, os, sys
read = [os.path.dirname(os.__file__)] + [p for p in sys.path if p]
for p in {sys.base_prefix, sys.base_exec_prefix}:
    read.append(os.path.join(p, "lib"))
try:
    with open("/proc/self/maps") as f:
        for line in f:
            part = line.rstrip("\n").split(None, 5)
            if len(part) == 6 and part[5].startswith("/"):
                read.append(part[5])
except OSError:
    pass
print(json.dumps({"Program": os.path.realpath(sys.executable), "Paths": [os.path.realpath(p) for p in read if os.path.exists(p)]}))`

// system are folders of the machine's own libraries.
var system = []string{"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo"}

// PythonError says that a Python cannot be used.
type PythonError struct {
	Path string
	Why  string
}

// Error names the Python.
func (e *PythonError) Error() string {
	return fmt.Sprintf("the Python %s cannot be used: %s", e.Path, e.Why)
}

// known are the facts of the Pythons that were asked, by path.
var known sync.Map

// look asks a Python for its facts, once in the life of this process. It runs no code
// but ours.
func look(ctx context.Context, path string) (*facts, error) {
	if f, ok := known.Load(path); ok {
		return f.(*facts), nil
	}
	cmd := exec.CommandContext(ctx, path, "-I", "-S", "-c", asked)
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		why := err.Error()
		var exit *exec.ExitError
		if errors.As(err, &exit) && len(exit.Stderr) > 0 {
			why = lastLine(string(exit.Stderr))
		}
		return nil, &PythonError{path, why}
	}
	f := &facts{}
	if err := json.Unmarshal(out, f); err != nil || f.Program == "" {
		return nil, &PythonError{path, "it does not say where it is"}
	}
	f.Paths = covered(append(append(f.Paths, f.Program), system...))
	known.Store(path, f)
	return f, nil
}

// covered leaves out what lies in another path of the list.
func covered(paths []string) []string {
	slices.Sort(paths)
	var out []string
	for _, p := range slices.Compact(paths) {
		in := slices.ContainsFunc(out, func(q string) bool { return strings.HasPrefix(p, q+string(filepath.Separator)) })
		if !in && p != "/" {
			out = append(out, p)
		}
	}
	return out
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

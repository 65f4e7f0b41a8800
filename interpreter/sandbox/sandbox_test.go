package sandbox

import (
	"slices"
	"testing"
)

// TestCovered leaves paths out that lie in others.
func TestCovered(t *testing.T) {
	got := covered([]string{"/usr/lib/python3", "/lib", "/opt/py/lib/x.so", "/usr/lib", "/opt/py/lib", "/", "/lib", "/library"})
	if want := []string{"/lib", "/library", "/opt/py/lib", "/usr/lib"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestUnavailable names each way and what it lacks.
func TestUnavailable(t *testing.T) {
	err := &UnavailableError{[]Reason{{Bubblewrap, "bwrap is not installed"}, {Landlock, "the kernel has no Landlock"}}}
	const want = "Python code cannot be confined on this machine: bubblewrap: bwrap is not installed; landlock: the kernel has no Landlock"
	if err.Error() != want {
		t.Errorf("%s", err)
	}
}

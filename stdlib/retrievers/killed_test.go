package retrievers

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/dspi-lang/dspi/interpreter/retrieve"
	"github.com/dspi-lang/dspi/interpreter/retrieve/retrievetest"
)

// builderVar makes the test binary a process that makes an index: TestKilled.
const builderVar = "DSPI_TEST_INDEX_BUILDER"

// build opens the index of a folder and says so.
func build(dir string) error {
	c := config(dir)
	c.Embedder = retrievetest.Concepts{}
	if schema := os.Getenv("DSPI_TEST_SCHEMA"); schema != "" {
		c.Store, c.Postgres.Schema = os.Getenv("DSPI_POSTGRES"), schema
	}
	c.Progress = func(p retrieve.Progress) { fmt.Println(p.Doing, p.Done) }
	x, err := Open(context.Background(), c)
	if err != nil {
		return err
	}
	return x.Close()
}

// killAfter starts a command and kills it when it has written so many lines.
func killAfter(t *testing.T, cmd *exec.Cmd, after int) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen := 0
	buf := make([]byte, 1)
	for seen < after {
		if _, err := io.ReadFull(out, buf); err != nil {
			break // it was faster
		}
		if buf[0] == '\n' {
			seen++
		}
	}
	_ = cmd.Process.Kill()
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait()
}

// checkWhole fails unless all passages are there, each once.
func checkWhole(t *testing.T, x *Retriever, n int) {
	t.Helper()
	list, err := x.Retrieve(t.Context(), "owl", 2*n)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, p := range list {
		ids[p.ID] = true
	}
	if len(list) != n || len(ids) != n {
		t.Errorf("%d passages, %d of them different", len(list), len(ids))
	}
}

// TestKilled: a process that makes an index is killed at different moments; the next
// one finishes it, with no passage missing or twice.
func TestKilled(t *testing.T) {
	const n = 3000
	for _, after := range []int{1, 3, 10, 30, 60} { // lines that it has written
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			dir := t.TempDir()
			c := config(dir)
			c.Embedder = retrievetest.Concepts{}
			write(t, c.Corpus.File, lines(animals(n)))
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), builderVar+"="+dir)
			killAfter(t, cmd, after)
			checkWhole(t, open(t, c), n)
		})
	}
}

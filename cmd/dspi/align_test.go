package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// alignRun runs `dspi align` and returns its status and what it wrote.
func alignRun(in io.Reader, args ...string) (status int, out, err string) {
	var o, e bytes.Buffer
	status = newApp(in, &o, &e, nil).run(context.Background(), append([]string{"align"}, args...))
	return status, o.String(), e.String()
}

// Lines come out in the order in which they went in, however many are under way.
func TestAlignLinesInOrder(t *testing.T) {
	const n = 5000
	var in strings.Builder
	for i := range n {
		raw := fmt.Sprintf("[%d]", i)
		if i%100 == 0 { // these take longer
			raw = "[" + strings.Repeat("0, ", 2000) + fmt.Sprint(i) + "]"
		}
		fmt.Fprintf(&in, "{\"id\": %d, \"types\": \"enum E%d {\\n  a\\n}\", \"type\": \"list[int]\", \"raw\": %q}\n", i, i%7, raw)
	}
	status, out, stderr := alignRun(strings.NewReader(in.String()), "--jsonl")
	if status != exitFine || stderr != "" {
		t.Fatalf("status %d, %s", status, stderr)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != n {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines {
		var got struct {
			ID    int
			Value []int
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil || got.ID != i || got.Value[len(got.Value)-1] != i {
			t.Fatalf("line %d: %.200s %v", i, line, err)
		}
	}
}

// A line may be long; one that is too long is a fault of that line alone.
func TestAlignLongLines(t *testing.T) {
	long := strings.Repeat("word ", 3<<20) // 15 MiB
	in := `{"id": 1, "type": "string", "raw": "` + long + `"}` + "\n" +
		`{"id": 2, "type": "string", "raw": "` + long + long + `"}` + "\n" +
		`{"id": 3, "type": "int", "raw": "3"}`
	status, out, stderr := alignRun(strings.NewReader(in), "--jsonl")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if status != exitFailed || len(lines) != 3 || !strings.Contains(stderr, "1 of 3 lines") {
		t.Fatalf("status %d, %d lines, %s", status, len(lines), stderr)
	}
	if !strings.HasPrefix(lines[0], `{"id":1,"value":"word word `) {
		t.Errorf("%.100s", lines[0])
	}
	if !strings.Contains(lines[1], "longer than 16 MiB") || !strings.HasPrefix(lines[2], `{"id":3,"value":3,`) {
		t.Errorf("%.100s\n%.100s", lines[1], lines[2])
	}
}

// What was read before the input broke is printed, and the break is told.
func TestAlignBrokenInput(t *testing.T) {
	in := io.MultiReader(strings.NewReader("{\"id\": 1, \"type\": \"int\", \"raw\": \"3\"}\n"), brokenReader{})
	status, out, stderr := alignRun(in, "--jsonl")
	if status == exitFine || !strings.Contains(out, `"value":3`) || !strings.Contains(stderr, "the pipe broke") {
		t.Errorf("status %d, %s, %s", status, out, stderr)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("the pipe broke") }

// An interruption ends the command though more lines could come.
func TestAlignInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	defer w.Close()
	var out notify
	out.wrote = cancel
	done := make(chan int)
	go func() {
		done <- newApp(r, &out, io.Discard, nil).run(ctx, []string{"align", "--jsonl"})
	}()
	if _, err := io.WriteString(w, "{\"id\": 1, \"type\": \"int\", \"raw\": \"3\"}\n"); err != nil {
		t.Fatal(err)
	}
	if status := <-done; status != exitInterrupted || !strings.Contains(out.String(), `"value":3`) {
		t.Errorf("status %d, %s", status, out.String())
	}
}

// notify says when something was written.
type notify struct {
	bytes.Buffer
	wrote func()
}

func (n *notify) Write(p []byte) (int, error) {
	defer n.wrote()
	return n.Buffer.Write(p)
}

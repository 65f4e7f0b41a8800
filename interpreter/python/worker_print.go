package python

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// Line is a line that Python printed.
type Line struct {
	Address string // of the step; "" where it is not known
	Stream  string // "stdout" or "stderr"
	Text    string // without its end, cut at 8 KiB
}

// maxPrinted is how much of what one call prints is shown, in bytes.
const maxPrinted = 256 << 10

// maxLine is how much of a line is shown.
const maxLine = 8 << 10

// print reads what the worker prints, and hands it on line by line: each begins with
// the number of the call that prints it, where that is known.
func (w *worker) print(from io.Reader, stream string) {
	r := bufio.NewReaderSize(from, 64<<10)
	for {
		piece, err := r.ReadSlice('\n')
		line := strings.TrimRight(string(piece), "\r\n")
		for err == bufio.ErrBufferFull { // the rest of a line that is too long
			_, err = r.ReadSlice('\n')
		}
		if line != "" || err == nil {
			w.printed(stream, line)
		}
		if err != nil {
			return
		}
	}
}

func (w *worker) printed(stream, line string) {
	address := ""
	if rest, ok := strings.CutPrefix(line, "\x1e"); ok {
		number, text, _ := strings.Cut(rest, "\x1f")
		line = text
		id, _ := strconv.ParseInt(number, 10, 64)
		if c := w.printer(id); c != nil {
			address = c.address
			c.mu.Lock()
			before := c.lines
			c.lines += len(line) + 1
			c.mu.Unlock()
			if before > maxPrinted {
				return
			}
			if before+len(line)+1 > maxPrinted {
				line = fmt.Sprintf("… it prints more than %d KiB; the rest is not shown", maxPrinted>>10)
			}
		}
	}
	if len(line) > maxLine {
		line = strings.ToValidUTF8(line[:maxLine], "") + " …"
	}
	if stream == "stderr" {
		w.tail.add(line)
	}
	if w.opt.Log != nil {
		w.opt.Log(Line{address, stream, line})
	}
}

// tail keeps the last lines of a stream.
type tail struct {
	mu    sync.Mutex
	lines []string
}

const tailLines = 20

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == tailLines {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
	t.lines = append(t.lines, line)
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}

package sqlite

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dspi-lang/dspi/interpreter/cache"
	"github.com/dspi-lang/dspi/interpreter/cache/cachetest"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/stdlib/internal/database"
	"go.uber.org/goleak"
)

// writerVar makes the test binary a process that writes a cache: TestKilled.
const writerVar = "DSPI_TEST_CACHE_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerVar); path != "" {
		if err := writeUntilKilled(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func place(t testing.TB) string { return filepath.Join(t.TempDir(), "folder", "cache.db") }

func TestSQLite(t *testing.T) {
	cachetest.Exercise(t, cachetest.Subject{
		Open: func(t testing.TB, path string, max int64, now func() time.Time) cache.Cache {
			c, err := Open(path, Options{MaxSize: max, Now: now})
			if err != nil {
				t.Fatal(err)
			}
			return c
		},
		Place: place,
		Damage: func(t testing.TB, path string, k cache.Key, value []byte) {
			db, err := database.Open(path, schema)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if value == nil {
				value = []byte{}
			}
			err = db.Write(context.Background(), func(tx *sql.Tx) error {
				res, err := tx.Exec("UPDATE entry SET value = ? WHERE key = ?", value, k[:])
				if n, _ := res.RowsAffected(); n != 1 {
					t.Errorf("%d values were damaged", n)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		},
	})
}

func TestOpenNamesTheFile(t *testing.T) {
	path := place(t)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path, Options{})
	var damaged *database.DamagedError
	if !errors.As(err, &damaged) || damaged.Path != path {
		t.Errorf("%v", err)
	}
}

// TestFullQueueWaits puts more than may wait while nothing can be written.
func TestFullQueueWaits(t *testing.T) {
	c, err := Open(place(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s := c.(*store)
	var k cache.Key
	next := func() cache.Key { k[0]++; k[1] += k[0] / 255; return k }
	ctx, cancel := context.WithCancel(t.Context())
	big := make([]byte, maxBytes/4)
	err = s.db.Write(t.Context(), func(*sql.Tx) error { // holds up the queue's own
		for range 50 {
			if err := c.Put(ctx, next(), big, 0); err != nil {
				return err
			}
			if s.full() {
				break
			}
		}
		cancel()
		if err := c.Put(ctx, next(), big, 0); !errors.Is(err, context.Canceled) {
			t.Errorf("a put into a full queue whose call ends gives %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Put(t.Context(), next(), big, 0); err != nil {
		t.Error(err)
	}
	if st, err := c.Stats(t.Context()); err != nil || st.Entries < 5 {
		t.Errorf("%+v, %v", st, err)
	}
}

// full reports whether a put would wait: a batch is being written, and the next
// one is full.
func (s *store) full() bool {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return len(s.queue.writing.changes) > 0 && s.queue.waiting.bytes >= maxBytes
}

// TestFailedWriteIsTold drops the table behind the cache's back.
func TestFailedWriteIsTold(t *testing.T) {
	c, err := Open(place(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = c.(*store).db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec("DROP TABLE entry")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Put(t.Context(), cache.Key{1}, []byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err == nil || !strings.Contains(err.Error(), "entry") {
		t.Errorf("what could not be written gives %v", err)
	}
}

// TestKilled kills a process in the middle of writing, again and again: each time
// the file opens again and holds whole values only.
func TestKilled(t *testing.T) {
	rounds := 20
	if os.Getenv("DSPI_SOAK") != "" {
		rounds = 100
	}
	if testing.Short() {
		rounds = 5
	}
	path := place(t)
	written := 0
	for round := range rounds {
		killWriter(t, path, 1+round*7%40)
		if t.Failed() {
			return
		}
		n := checkFile(t, path)
		if n < written {
			t.Fatalf("round %d: %d values, %d before it", round, n, written)
		}
		written = n
	}
	t.Logf("%d values after %d kills", written, rounds)
	if written < rounds {
		t.Errorf("only %d values were written in %d rounds", written, rounds)
	}
}

// killWriter starts a writer and kills it when it has put n values.
func killWriter(t *testing.T, path string, n int) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), writerVar+"="+path)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if put, _ := strconv.Atoi(lines.Text()); put >= n {
			break
		}
	}
	_ = cmd.Process.Kill()
	if err := cmd.Wait(); err == nil || said.Len() > 0 {
		t.Errorf("the writer ended by itself: %v, %s", err, &said)
	}
}

// writeUntilKilled asks a model through the cache, without end.
func writeUntilKilled(path string) error {
	c, err := Open(path, Options{})
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	m := cache.Wrap(echo{}, c, cache.Options{Failed: func(err error) {
		select {
		case failed <- err:
		default:
		}
	}})
	start := time.Now().String()
	for n := 1; ; n++ {
		text := strings.Repeat(start, 1+n%50*4) // up to 12 KB
		req := &lm.Request{Messages: []lm.Message{{Role: lm.User, Content: text}}, Rollout: n}
		if _, err := m.Generate(context.Background(), req); err != nil {
			return err
		}
		if n%4 == 0 { // some in a transaction of their own, some together
			if _, err := c.Stats(context.Background()); err != nil {
				return err
			}
		}
		select {
		case err := <-failed:
			return err
		default:
		}
		fmt.Println(n)
	}
}

// echo answers with what it was asked.
type echo struct{}

func (echo) Generate(_ context.Context, req *lm.Request) (*lm.Response, error) {
	return &lm.Response{Text: req.Messages[0].Content, Finish: lm.FinishStop}, nil
}
func (echo) Address() string       { return "test/echo" }
func (echo) Features() lm.Features { return lm.Features{} }

// checkFile reads every value of a file, and returns how many there are.
func checkFile(t *testing.T, path string) (n int) {
	t.Helper()
	db, err := database.Open(path, schema)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var whole string
	if err := db.Read.QueryRow("PRAGMA integrity_check").Scan(&whole); err != nil || whole != "ok" {
		t.Fatalf("the file is damaged: %s, %v", whole, err)
	}
	rows, err := db.Read.Query("SELECT value, size FROM entry")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	bytes := 0
	for rows.Next() {
		var value []byte
		var size int
		if err := rows.Scan(&value, &size); err != nil {
			t.Fatal(err)
		}
		var e struct {
			SHA256 string
			Reply  json.RawMessage
		}
		if err := json.Unmarshal(value, &e); err != nil || size != len(value) {
			t.Fatalf("a value of %d bytes, said to have %d: %v", len(value), size, err)
		}
		if sum := sha256.Sum256(e.Reply); hex.EncodeToString(sum[:]) != e.SHA256 {
			t.Fatal("a value has another checksum than it says")
		}
		n++
		bytes += size
	}
	var entries, total int
	if err := db.Read.QueryRow("SELECT entries, bytes FROM total").Scan(&entries, &total); err != nil || rows.Err() != nil {
		t.Fatal(err, rows.Err())
	}
	if entries != n || total != bytes {
		t.Fatalf("%d values with %d bytes are counted as %d with %d", n, bytes, entries, total)
	}
	return n
}

func BenchmarkHit(b *testing.B) {
	benchmark(b, func(b *testing.B, m lm.LM, req *lm.Request) {
		for range b.N {
			if resp, err := m.Generate(b.Context(), req); err != nil || !resp.Cached {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPut makes a new entry each time; the queue's waiting is in it.
func BenchmarkPut(b *testing.B) {
	benchmark(b, func(b *testing.B, m lm.LM, req *lm.Request) {
		for n := range b.N {
			r := *req
			r.Rollout = n + 1
			if _, err := m.Generate(b.Context(), &r); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchmark(b *testing.B, run func(*testing.B, lm.LM, *lm.Request)) {
	for _, kind := range []string{"memory", "sqlite"} {
		b.Run(kind, func(b *testing.B) {
			c := cache.Memory(0)
			if kind == "sqlite" {
				var err error
				if c, err = Open(place(b), Options{}); err != nil {
					b.Fatal(err)
				}
			}
			m := cache.Wrap(echo{}, c, cache.Options{Failed: func(err error) { b.Error(err) }})
			req := &lm.Request{Messages: []lm.Message{{Role: lm.User, Content: strings.Repeat("a page of text. ", 128)}}} // 2 KB
			if _, err := m.Generate(b.Context(), req); err != nil {
				b.Fatal(err)
			}
			if _, err := c.Stats(b.Context()); err != nil { // it is written
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			run(b, m, req)
			if err := c.Close(); err != nil { // what waits is written
				b.Fatal(err)
			}
		})
	}
}

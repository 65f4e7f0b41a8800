package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter/lm"
	"github.com/dspi-lang/dspi/interpreter/plan"
	"github.com/dspi-lang/dspi/lang/value"
	"github.com/dspi-lang/dspi/lsp"
	wire "github.com/dspi-lang/dspi/lsp/protocol"
	"github.com/dspi-lang/dspi/lsp/snapshot"
	"github.com/dspi-lang/dspi/stdlib"
	"github.com/spf13/cobra"
)

// lspCommand is `dspi lsp`.
func lspCommand(a *app) *cobra.Command {
	var tcp, web string
	cmd := &cobra.Command{
		Use:   "lsp",
		Short: "Serve an editor: the language server",
		Long: `Speaks the Language Server Protocol over standard input and output. Editors
start it by themselves. It reads files, and starts no Python and asks no network,
unless the editor tells it to run a program.

With --tcp or --websocket it listens instead, and serves everybody who connects,
each by itself. Without a host in the address only this machine can connect.

The exit status is 0 when the editor said shutdown and exit, else 1.`,
		Example: `  dspi lsp
  dspi lsp --tcp :7998
  dspi lsp --websocket localhost:7999`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.spendMemory()
			switch {
			case tcp != "" && web != "":
				return wrong("--tcp and --websocket exclude each other")
			case tcp != "":
				return a.listenLSP(cmd.Context(), tcp, a.serveTCP)
			case web != "":
				return a.listenLSP(cmd.Context(), web, a.serveWebSocket)
			}
			if code := a.languageServer().Serve(cmd.Context(), stdio{a.in, a.out}); code != 0 {
				return &exit{code: exitFailed}
			}
			return nil
		},
	}
	// Editors add it to every server.
	cmd.Flags().Bool("stdio", true, "speak over standard input and output: the default")
	cmd.Flags().StringVar(&tcp, "tcp", "", "listen at an `address`, such as :7998, for editors that connect")
	cmd.Flags().StringVar(&web, "websocket", "", "listen at an `address` for pages of this machine, over websockets")
	return cmd
}

// spendMemory has the garbage of each keystroke collected later than is usual, which
// saves time; from 256 MB on it is collected as soon as need be.
func (a *app) spendMemory() {
	if a.getenv("GOGC") == "" && a.getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(200)
		debug.SetMemoryLimit(256 << 20)
	}
}

// languageServer returns a server for one editor.
func (a *app) languageServer() *lsp.Server {
	opt := languageOptions()
	opt.Execute = func(ctx context.Context, args []string, input string, line func(string)) int {
		out := &lineWriter{line: line}
		defer out.flush()
		return newApp(strings.NewReader(input), out, out, a.env).run(ctx, args)
	}
	return lsp.New(opt)
}

// languageOptions are those of a server that runs no commands.
func languageOptions() lsp.Options {
	return lsp.Options{
		Version: moduleVersion(),
		Options: snapshot.Options{
			Universe: stdlib.Universe(), Columns: dspi.Columns, Passages: dspi.PassageColumns, Texts: dspi.FolderColumns,
			Read: func(path string) (string, error) { return dspi.ReadText(path, path) },
		},
		Question: questionOf,
	}
}

// questionOf is the first request of a step, for an editor's preview.
func questionOf(ctx context.Context, p *plan.Plan, op *plan.Op, inputs *value.Object) (*lm.Request, error) {
	runtime := dspi.NewRuntime(dspi.Options{})
	defer runtime.Close()
	return runtime.Question(ctx, p, op, inputs)
}

// listenLSP listens at an address until the command is interrupted.
func (a *app) listenLSP(ctx context.Context, address string, serve func(context.Context, net.Listener) error) error {
	if !strings.Contains(address, ":") {
		address = ":" + address
	}
	if strings.HasPrefix(address, ":") {
		address = "127.0.0.1" + address
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return wrong("the language server cannot listen at %s: %v", address, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	fmt.Fprintf(a.err, "the language server listens at %s\n", l.Addr())
	if err := serve(ctx, l); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// serveTCP serves everybody who connects, until the listener is closed.
func (a *app) serveTCP(ctx context.Context, l net.Listener) error {
	var sessions sync.WaitGroup
	defer sessions.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		sessions.Go(func() {
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer stop()
			if stream, ok := editorAt(conn); ok {
				a.languageServer().Serve(ctx, stream)
			}
		})
	}
}

// editorAt returns a connection whose first words are those of an editor. A page of the
// web can send a request to any port of this machine, and its header would do for one.
func editorAt(conn net.Conn) (io.ReadWriteCloser, bool) {
	const begin = "Content-" // Length or Type
	r := bufio.NewReader(conn)
	first, err := r.Peek(len(begin))
	return &heard{conn, r}, err == nil && string(first) == begin
}

// heard is a connection of which a part has been read already.
type heard struct {
	net.Conn
	r *bufio.Reader
}

// Read reads what was read already, and then the connection.
func (h *heard) Read(p []byte) (int, error) { return h.r.Read(p) }

// serveWebSocket is serveTCP for websockets.
func (a *app) serveWebSocket(ctx context.Context, l net.Listener) error {
	var sessions sync.RWMutex // held by each while it lasts
	defer sessions.Lock()
	s := &http.Server{Handler: wire.WebSocket(func(_ *http.Request, stream wire.Stream) {
		sessions.RLock()
		defer sessions.RUnlock()
		stop := context.AfterFunc(ctx, func() { _ = stream.Close() })
		defer stop()
		a.languageServer().ServeStream(ctx, stream)
	})}
	defer s.Close()
	return s.Serve(l)
}

// lineWriter tells each line that is written to it.
type lineWriter struct {
	mu   sync.Mutex
	line func(string)
	rest []byte
}

// Write takes a part of a text. The error is always nil.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, p...)
	for {
		i := bytes.IndexByte(w.rest, '\n')
		if i < 0 {
			return len(p), nil
		}
		w.line(strings.TrimSuffix(string(w.rest[:i]), "\r"))
		w.rest = w.rest[i+1:]
	}
}

// flush tells what follows the last line's end.
func (w *lineWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		w.line(string(w.rest))
		w.rest = nil
	}
}

// stdio is standard input and output as one stream.
type stdio struct {
	io.Reader
	io.Writer
}

// Close ends the reading, where the input can be closed.
func (s stdio) Close() error {
	var errs []error
	if c, ok := s.Reader.(io.Closer); ok {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

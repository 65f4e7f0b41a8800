package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dspi-lang/dspi"
	"github.com/dspi-lang/dspi/interpreter"
	"github.com/dspi-lang/dspi/server/gateway"
	"github.com/spf13/cobra"
)

// tokenVariable is the environment variable from which the gateway's token is
// taken.
const tokenVariable = "DSPI_GATEWAY_TOKEN"

// gatewayFlags are the flags of `dspi gateway`.
type gatewayFlags struct {
	settings
	callFlags
	listen string
	token  string
	models []string
	quiet  bool
}

// gatewayCommand is `dspi gateway`.
func gatewayCommand(a *app) *cobra.Command {
	var f gatewayFlags
	cmd := &cobra.Command{
		Use:   "gateway [FILE]",
		Short: "Serve models as an OpenAI-compatible endpoint",
		Long: `Serves the models that a .dsp file declares, and the baseline builtin/incontext,
as an OpenAI-compatible endpoint: other programs get their limits, routes, prices
and cache. A closed list: no other model answers. Models of other names are added
with --serve provider/name.

Clients need the base URL and the token that are printed. The token is taken from
--token or $DSPI_GATEWAY_TOKEN, else a new one is made. The gateway listens on this
machine only, unless --listen says otherwise. What a request asks for and cannot be
passed on is refused with its name; nothing is ignored.`,
		Example: `  dspi gateway models.dsp
  dspi gateway --serve openai/gpt-4o-mini --listen 127.0.0.1:4141
  OPENAI_BASE_URL=http://127.0.0.1:4141/v1 OPENAI_API_KEY=TOKEN python my_program.py`,
		Args: arguments(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error { return a.gateway(cmd.Context(), &f, args) },
	}
	f.settings.flags(cmd, false)
	f.callFlags.flags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:4141", "`address` to listen on; port 0 takes a free one")
	flags.StringVar(&f.token, "token", "", "the `token` that clients must send (default: $DSPI_GATEWAY_TOKEN, else a new one)")
	flags.StringArrayVar(&f.models, "serve", nil, "serve this `provider/name`, too")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "no line for each request")
	return cmd
}

func (a *app) gateway(ctx context.Context, f *gatewayFlags, args []string) error {
	project, _ := dspi.Check(dspi.Parse("dspi.dsp", "")) // nothing is wrong with nothing
	if len(args) == 1 {
		var err error
		if project, err = a.load(args[0], ""); err != nil {
			return err
		}
	}
	opt, err := a.planOptions(project, f.settings)
	if err != nil {
		return err
	}
	models, err := dspi.Models(project, append(slices.Clone(f.models), dspi.Baseline), opt)
	if err != nil {
		return err
	}
	runtime, err := a.openSession(f.callFlags, keepFlags{}, opt.Settings, nil, dspi.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = runtime.close() }() // nothing was asked to be written
	var served []gateway.Model
	var names []string
	for _, m := range models {
		model, err := runtime.Model(m)
		if err != nil {
			return wrong("the model %s cannot be served", m.Address).say("%s.", err.Error())
		}
		name := m.Name
		if name == "" {
			name = m.Address
		}
		if !slices.Contains(names, name) {
			served = append(served, gateway.Model{Name: name, LM: model, Params: m.Params})
			names = append(names, name)
		}
	}
	token := f.token
	if token == "" {
		token = a.getenv(tokenVariable)
	}
	own := token == ""
	if own {
		var b [16]byte
		_, _ = rand.Read(b[:]) // never fails, crypto/rand says
		token = "dspi-" + hex.EncodeToString(b[:])
	}
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return wrong("cannot listen on %s", f.listen).say("%s.", err.Error()).hint("another port: --listen 127.0.0.1:0 takes a free one")
	}
	log := &gatewayLog{app: a, quiet: f.quiet, usage: interpreter.Usage{USD: new(float64)}}
	server := &http.Server{Handler: gateway.New(served, token, log.done), ReadHeaderTimeout: 30 * time.Second}
	fmt.Fprintf(a.out, "base URL  http://%s/v1\n", listener.Addr())
	if own {
		fmt.Fprintf(a.out, "token     %s\n", token)
	}
	fmt.Fprintf(a.out, "models    %s\n", strings.Join(names, ", "))
	fmt.Fprintln(a.err, "serving; Ctrl-C ends it")
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		if server.Shutdown(grace) != nil {
			server.Close()
		}
	})
	defer stop()
	err = server.Serve(listener)
	if !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	fmt.Fprintln(a.err, log.line())
	return nil
}

// gatewayLog writes a line for each request and counts what was used.
type gatewayLog struct {
	app   *app
	quiet bool

	mu       sync.Mutex
	requests int
	usage    interpreter.Usage
}

func (l *gatewayLog) done(d gateway.Done) {
	one := interpreter.Usage{USD: new(float64)}
	for _, r := range d.Replies {
		one.Count(r)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests++
	l.usage = l.usage.Add(one)
	if l.quiet {
		return
	}
	model := d.Model
	if model == "" {
		model = "-"
	}
	said := usageLine(one, d.Duration)
	if d.Err != nil {
		said = d.Err.Error() + ", " + duration(d.Duration)
	}
	fmt.Fprintf(l.app.err, "%d  %s  %s\n", d.Status, model, harmless(said))
}

func (l *gatewayLog) line() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := plural(l.requests, "request") + " served; " + plural(l.usage.Calls, "call")
	if l.usage.Cached > 0 {
		s += fmt.Sprintf(", %d from the cache", l.usage.Cached)
	}
	if l.usage.Calls > 0 {
		s += fmt.Sprintf(", %s in, %d out, %s", plural(l.usage.InputTokens, "token"), l.usage.OutputTokens, dollars(l.usage.USD))
	}
	return s
}

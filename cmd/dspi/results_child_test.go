//go:build results && unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/dspi-lang/dspi"
)

// resultsRole is the environment variable that makes a process of the test binary one
// of the children of TestResultsConcurrency.
const resultsRole = "DSPI_RESULTS_ROLE"

// resultsChild returns a process of the test binary in a role. Nothing of the user's
// environment decides what it does.
func resultsChild(role string, args ...string) *exec.Cmd {
	path, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = []string{resultsRole + "=" + role}
	return cmd
}

// init is before TestMain, so that a child has nothing of the tests in its memory.
func init() {
	roles := map[string]func([]string) (any, error){"server": childServer, "plain": childPlain, "dspi": childDspi}
	role, ok := roles[os.Getenv(resultsRole)]
	if !ok {
		return
	}
	manyFiles()
	done, err := role(os.Args[1:])
	if err == nil && done != nil {
		err = json.NewEncoder(os.Stdout).Encode(done)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// manyFiles raises the limit of open files as far as the process may.
func manyFiles() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil && limit.Cur < limit.Max {
		limit.Cur = limit.Max
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	}
}

// numberIn finds what a question asks for; the last one is the call's own.
var numberIn = regexp.MustCompile(`number ([0-9]{5})`)

func numbered(i int) string { return fmt.Sprintf("What is number %05d?", i) }
func answerOf(i int) string { return fmt.Sprintf("It is %05d.", i) }

// childServer answers chat completions after answerTime, until its standard input
// ends. /count tells how many there were since it was asked last, /first the body of
// the first.
func childServer([]string) (any, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	var count atomic.Int64
	var once sync.Once
	var first []byte
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		timer := time.NewTimer(answerTime)
		defer timer.Stop()
		body, err := io.ReadAll(r.Body)
		asked := numberIn.FindAllSubmatch(body, -1)
		if err != nil || asked == nil {
			http.Error(w, "no question", http.StatusBadRequest)
			return
		}
		once.Do(func() { first = body })
		count.Add(1)
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":"c","object":"chat.completion","created":1,"model":"test-model","choices":[{"index":0,"finish_reason":"stop","message":`+
			`{"role":"assistant","content":"[[ ## answer ## ]]\nIt is %s.\n\n[[ ## completed ## ]]\n"}}],`+
			`"usage":{"prompt_tokens":120,"completion_tokens":20,"total_tokens":140}}`, asked[len(asked)-1][1])
	})
	mux.HandleFunc("GET /count", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, count.Swap(0)) })
	mux.HandleFunc("GET /first", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(first) })
	s := &http.Server{Handler: mux}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = s.Close()
	}()
	fmt.Printf("http://%s\n", listener.Addr())
	if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return nil, err
	}
	return nil, nil
}

// childPlain is what a program without any library does: URL, COUNT, BODY, the file
// with the body of a request.
func childPlain(args []string) (any, error) {
	template, err := os.ReadFile(args[2])
	if err != nil {
		return nil, err
	}
	at := numberIn.FindAllSubmatchIndex(template, -1)
	if at == nil {
		return nil, fmt.Errorf("no question in %s", template)
	}
	from, to := at[len(at)-1][2], at[len(at)-1][3]
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: manyAtOnce}}
	return timed(args[1], func(i int) error {
		body := bytes.Clone(template)
		copy(body[from:to], fmt.Sprintf("%05d", i))
		req, err := http.NewRequest(http.MethodPost, args[0]+"/v1/chat/completions", bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+testKey)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		var reply struct {
			Choices []struct{ Message struct{ Content string } }
		}
		if err := json.Unmarshal(text, &reply); err != nil {
			return err
		}
		if want := "[[ ## answer ## ]]\n" + answerOf(i) + "\n\n[[ ## completed ## ]]\n"; len(reply.Choices) != 1 || reply.Choices[0].Message.Content != want {
			return fmt.Errorf("call %d was answered %s", i, text)
		}
		return nil
	}, func() error { return nil })
}

// childDspi runs a file as `dspi run` would, with its cache and history or without:
// FILE, COUNT, on or off.
func childDspi(args []string) (any, error) {
	source, err := dspi.Load(args[0])
	if err != nil {
		return nil, err
	}
	project, diags := dspi.Check(source)
	if err := diags.Err(); err != nil {
		return nil, err
	}
	a := newApp(os.Stdin, io.Discard, os.Stderr, os.Environ())
	plan, err := dspi.Plan(project, dspi.PlanOptions{Getenv: a.getenv})
	if err != nil {
		return nil, err
	}
	off := args[2] == "off"
	s, err := a.openSession(callFlags{noCache: off}, keepFlags{noHistory: off}, nil, plan, dspi.Options{})
	if err != nil {
		return nil, err
	}
	return timed(args[1], func(i int) error {
		result, err := s.Run(context.Background(), plan, map[string]any{"question": numbered(i)})
		if err != nil {
			return err
		}
		if v, _ := result.Outputs.Get("answer"); v != answerOf(i) {
			return fmt.Errorf("call %d was answered %v", i, v)
		}
		return nil
	}, s.close)
}

// timed makes so many calls, manyAtOnce at a time, and measures them until end has
// written what is left.
func timed(count string, call func(i int) error, end func() error) (*measurement, error) {
	n, err := strconv.Atoi(count)
	if err != nil {
		return nil, err
	}
	var next atomic.Int64
	var group sync.WaitGroup
	failed := make([]error, manyAtOnce)
	begin := time.Now()
	for worker := range min(n, manyAtOnce) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && failed[worker] == nil; i = int(next.Add(1)) - 1 {
				failed[worker] = call(i)
			}
		})
	}
	group.Wait()
	err = errors.Join(errors.Join(failed...), end())
	return &measurement{Seconds: time.Since(begin).Seconds(), Peak: float64(peakMemory()) / 1e6}, err
}

// peakMemory returns the most memory that was resident, in bytes. The count of the
// system for a process may hold that of the process that started it, so where there is
// a better one it is taken.
func peakMemory() int64 {
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		if m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status); m != nil {
			if kb, err := strconv.ParseInt(string(m[1]), 10, 64); err == nil {
				return kb << 10
			}
		}
	}
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10
}

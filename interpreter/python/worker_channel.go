package python

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"
)

// channel is how frames go to a worker and come back.
type channel interface {
	// open is called once the process runs.
	open(ctx context.Context, within time.Duration) (io.Reader, io.Writer, error)
	close()
	abandon() // the process does not run
}

// pipes are a channel of two pipes.
type pipes struct {
	theirs   []*os.File
	from, to *os.File
}

func (p *pipes) open(context.Context, time.Duration) (io.Reader, io.Writer, error) {
	for _, f := range p.theirs {
		f.Close()
	}
	return bufio.NewReaderSize(p.from, 64<<10), p.to, nil
}

func (p *pipes) close() {
	p.from.Close()
	p.to.Close()
}

func (p *pipes) abandon() {
	for _, f := range p.theirs {
		f.Close()
	}
	p.close()
}

// socket is a channel of a connection on this machine. Who connects must know the
// token, which is in the environment of the worker alone.
type socket struct {
	listener net.Listener
	token    string
	conn     net.Conn
}

func openSocket(cmd *exec.Cmd) (channel, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &socket{listener: l, token: rand.Text()}
	cmd.Env = append(cmd.Env, "DSPI_WORKER=tcp:"+l.Addr().String(), "DSPI_WORKER_TOKEN="+s.token)
	return s, nil
}

func (s *socket) open(ctx context.Context, within time.Duration) (io.Reader, io.Writer, error) {
	defer s.listener.Close()
	stop := context.AfterFunc(ctx, func() { s.listener.Close() })
	defer stop()
	until := time.Now().Add(within)
	if l, ok := s.listener.(*net.TCPListener); ok {
		_ = l.SetDeadline(until)
	}
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return nil, nil, err
		}
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		r := bufio.NewReaderSize(conn, 64<<10)
		line, err := r.ReadString('\n')
		_ = conn.SetReadDeadline(time.Time{})
		if err == nil && subtle.ConstantTimeCompare([]byte(strings.TrimSuffix(line, "\n")), []byte(s.token)) == 1 {
			s.conn = conn
			return r, conn, nil
		}
		conn.Close()
		if time.Now().After(until) {
			return nil, nil, errors.New("nobody with the token connected")
		}
	}
}

func (s *socket) close() {
	if s.conn != nil {
		s.conn.Close()
	}
}

func (s *socket) abandon() {
	s.listener.Close()
	s.close()
}

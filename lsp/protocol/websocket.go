package protocol

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/websocket"
)

// WebSocket returns a handler that serves each websocket as a stream: one message of
// the protocol is one message of the socket, without a header.
//
// A page of the web can open a socket to this machine, whatever page it is. So it is
// served only to pages of this machine, under a name that nobody else can take for
// their own, and to programs, which say no origin.
func WebSocket(serve func(*http.Request, Stream)) http.Handler {
	return websocket.Server{
		Handshake: func(_ *websocket.Config, r *http.Request) error {
			if !local(r.Host) {
				return errors.New("the language server is reached as localhost or by an address")
			}
			origin := r.Header.Get("Origin")
			if origin == "" {
				return nil
			}
			u, err := url.Parse(origin)
			if err != nil || u.Host != r.Host && !loopback(u.Hostname()) {
				return errors.New("the language server is not for pages of " + origin)
			}
			return nil
		},
		Handler: func(c *websocket.Conn) {
			c.MaxPayloadBytes = maxMessage
			serve(c.Request(), &socket{c})
		},
	}
}

// local reports whether the host of a request is one that no name of the web can
// point at: localhost, or an address.
func local(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	return host == "localhost" || net.ParseIP(strings.Trim(host, "[]")) != nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// socket is a websocket as a stream.
type socket struct{ c *websocket.Conn }

// WriteObject sends a message.
func (s *socket) WriteObject(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return websocket.Message.Send(s.c, string(data))
}

// ReadObject waits for a message.
func (s *socket) ReadObject(v any) error {
	var data []byte
	if err := websocket.Message.Receive(s.c, &data); err != nil {
		return err
	}
	return understand(data, v)
}

// Close ends the connection.
func (s *socket) Close() error { return s.c.Close() }

package tools

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"go.uber.org/goleak"

	"github.com/dspi-lang/dspi/interpreter/tool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRefused holds the addresses that no request may go to.
func TestRefused(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1": true, "127.8.9.1": true, "0.0.0.0": true, "0.1.2.3": true, "10.1.2.3": true, "172.16.0.1": true, "172.32.0.1": false,
		"192.168.1.1": true, "169.254.169.254": true, "100.64.0.1": true, "100.100.100.200": true, "100.128.0.1": false, "192.0.0.192": true,
		"198.18.0.1": true, "224.0.0.1": true, "239.1.1.1": true, "255.255.255.255": true, "240.0.0.1": true, "168.63.129.16": true,
		"8.8.8.8": false, "93.184.216.34": false, "1.1.1.1": false,
		"::1": true, "::": true, "fe80::1": true, "fe80::1%eth0": true, "fc00::1": true, "fd00:ec2::254": true, "ff02::1": true, "fec0::1": true,
		"::ffff:127.0.0.1": true, "::ffff:10.0.0.1": true, "::ffff:8.8.8.8": false, "::7f00:1": true,
		"64:ff9b::7f00:1": true, "::ffff:0:7f00:1": true, "64:ff9b::a9fe:a9fe": true, "64:ff9b::808:808": false, "2002:7f00:1::": true, "2002:808:808::1": false,
		"2001:db8::1": true, "2001::1": true, "2606:4700:4700::1111": false, "2a00:1450:4001:81b::200e": false,
	} {
		err := public("tcp", net.JoinHostPort(address, "80"), nil)
		if (err != nil) != want {
			t.Errorf("%s: refused %v, want %v", address, err, want)
		}
		if a, err := netip.ParseAddr(address); err != nil {
			t.Errorf("%s: %v", a, err)
		}
	}
}

func ask(t *testing.T, b *Bodies, r *tool.Request) (*tool.Reply, error) {
	t.Helper()
	if r.Method == "" {
		r.Method = "GET"
	}
	return b.HTTP(t.Context(), r)
}

func serve(t *testing.T, h http.HandlerFunc) (*httptest.Server, *Bodies) {
	t.Helper()
	s := httptest.NewServer(h)
	b := &Bodies{}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		s.Close()
	})
	return s, b
}

// TestRequest: what is asked arrives, and what comes back is told.
func TestRequest(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	s, b := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "Application/JSON; charset=utf-8")
		w.Header().Add("X-Two", "a")
		w.Header().Add("X-Two", "b")
		w.WriteHeader(http.StatusTeapot)
		var text strings.Builder
		_ = r.Write(&text)
		fmt.Fprintf(w, "%q", text.String())
	})
	reply, err := ask(t, b, &tool.Request{Method: "POST", URL: s.URL + "/a?b=c", AllowPrivate: true, Body: []byte("hello"), Headers: []tool.Pair{{Name: "X-Own", Value: "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	text := string(reply.Body)
	for _, want := range []string{"POST /a?b=c HTTP", `X-Own: 1`, `User-Agent: dspi`, "hello"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s does not hold %q", text, want)
		}
	}
	headers := fmt.Sprint(reply.Headers)
	if reply.Status != 418 || reply.Type != "application/json" || !strings.Contains(headers, "{x-two a, b}") {
		t.Errorf("got %d %s %s", reply.Status, reply.Type, headers)
	}
}

// TestPrivate: without leave no request reaches this machine, by whatever name.
func TestPrivate(t *testing.T) {
	var reached atomic.Int32
	s, b := serve(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0", "2130706433", "127.1", "0x7f000001"} {
		_, err := ask(t, b, &tool.Request{URL: "http://" + host + port + "/secret?key=s3cret"})
		if err == nil {
			t.Errorf("%s was asked", host)
			continue
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the query is in %v", host, err)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the server was reached %d times", n)
	}
	_, err := ask(t, b, &tool.Request{URL: s.URL})
	var refusal *RefusedError
	if !errors.As(err, &refusal) || !strings.Contains(err.Error(), "allow_private = true") {
		t.Errorf("got %v", err)
	}
	// A connection that is open for a tool that may is not used for one that may not.
	if _, err := ask(t, b, &tool.Request{URL: s.URL, AllowPrivate: true}); err != nil {
		t.Error(err)
	}
	if _, err := ask(t, b, &tool.Request{URL: s.URL}); err == nil {
		t.Error("an open connection was used")
	}
}

// TestRebinding: a name that first gives a public address, and one of this machine
// when it is asked again, does not lead here.
func TestRebinding(t *testing.T) {
	var reached atomic.Int32
	s, b := serve(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	var asked atomic.Int32
	b.Resolver = names(t, func(string) [4]byte {
		if asked.Add(1) == 1 {
			return [4]byte{192, 0, 2, 1} // no server there: refused as well
		}
		return [4]byte{127, 0, 0, 1}
	})
	url := "http://rebind.example" + s.URL[strings.LastIndex(s.URL, ":"):]
	for range 3 {
		var refusal *RefusedError
		if _, err := ask(t, b, &tool.Request{URL: url}); !errors.As(err, &refusal) {
			t.Errorf("got %v", err)
		}
	}
	if asked.Load() < 2 || reached.Load() != 0 {
		t.Errorf("the name was asked for %d times, the server reached %d times", asked.Load(), reached.Load())
	}
	if _, err := ask(t, b, &tool.Request{URL: url, AllowPrivate: true}); err != nil || reached.Load() != 1 {
		t.Errorf("with leave: %v", err)
	}
}

// names is a resolver that answers with a function.
func names(t *testing.T, address func(name string) [4]byte) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			var size [2]byte
			for {
				if _, err := server.Read(size[:]); err != nil {
					return
				}
				query := make([]byte, int(size[0])<<8|int(size[1]))
				if _, err := server.Read(query); err != nil {
					return
				}
				var m dnsmessage.Message
				if err := m.Unpack(query); err != nil {
					t.Error(err)
					return
				}
				m.Response = true
				q := m.Questions[0]
				if q.Type == dnsmessage.TypeA {
					m.Answers = []dnsmessage.Resource{{
						Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
						Body:   &dnsmessage.AResource{A: address(q.Name.String())},
					}}
				}
				m.Additionals = nil
				packed, err := m.Pack()
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := server.Write(append([]byte{byte(len(packed) >> 8), byte(len(packed))}, packed...)); err != nil {
					return
				}
			}
		}()
		return client, nil
	}}
}

// TestRedirects: at most five, none to this machine without leave, and nothing that
// was declared goes to another host.
func TestRedirects(t *testing.T) {
	other, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "other: %s %s %s %s", r.Header.Get("Authorization"), r.Header.Get("X-Key"), r.Header.Get("Cookie"), r.Referer())
	})
	otherURL := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	var s *httptest.Server
	s, b := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/other":
			http.Redirect(w, r, otherURL, http.StatusFound)
		case "/keep":
			http.Redirect(w, r, otherURL, http.StatusTemporaryRedirect)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case "/here":
			http.Redirect(w, r, s.URL+"/end", http.StatusFound)
		default:
			fmt.Fprintf(w, "end: %s %s", r.Header.Get("Authorization"), r.Header.Get("X-Key"))
		}
	})
	headers := []tool.Pair{{Name: "Authorization", Value: "Bearer s3cret"}, {Name: "X-Key", Value: "s3cret"}, {Name: "Cookie", Value: "s3cret"}}
	for _, c := range []struct {
		path, body string
		want       string
	}{
		{"/here", "", "end: Bearer s3cret s3cret"},
		{"/other", "", "other:    "},
		{"/keep", "hello", "the server redirects to another host, which would be sent the body"},
		{"/round", "", "the server redirects more than 5 times"},
		{"/file", "", "the server redirects to an address that begins with `file:`"},
	} {
		r := &tool.Request{Method: "GET", URL: s.URL + c.path + "?k=s3cret", Headers: headers, AllowPrivate: true}
		if c.body != "" {
			r.Method, r.Body = "POST", []byte(c.body)
		}
		got := ""
		if reply, err := ask(t, b, r); err != nil {
			got = err.Error()
			if strings.Contains(got, "s3cret") {
				t.Errorf("%s: a secret is in %s", c.path, got)
			}
		} else {
			got = string(reply.Body)
		}
		if !strings.Contains(got, c.want) || c.path == "/other" && strings.Contains(got, "s3cret") {
			t.Errorf("%s: got %s, want %s", c.path, got, c.want)
		}
	}
}

// TestRedirectToPrivate: each connection of a chain is looked at, not only the first.
func TestRedirectToPrivate(t *testing.T) {
	s, b := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
	})
	// A client that may reach the first server, and checks all others as any does.
	first := s.Listener.Addr().String()
	c := b.client(false)
	transport := c.Transport.(*http.Transport)
	guarded := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == first {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
		return guarded(ctx, network, address)
	}
	_, err := ask(t, b, &tool.Request{URL: s.URL})
	var refusal *RefusedError
	if !errors.As(err, &refusal) || refusal.Addr.String() != "169.254.169.254" {
		t.Errorf("got %v", err)
	}
}

// TestLimits: a reply that is too long, one that does not come, and requests that
// are none.
func TestLimits(t *testing.T) {
	s, b := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/long":
			for range 1000 {
				if _, err := w.Write(make([]byte, 1000)); err != nil {
					return
				}
			}
		case "/slow":
			<-r.Context().Done()
		}
	})
	for _, c := range []struct {
		r    tool.Request
		want string
	}{
		{tool.Request{URL: s.URL + "/long", MaxBytes: 5000}, "the reply has more than 5000 bytes"},
		{tool.Request{URL: s.URL + "/slow", Timeout: 20 * time.Millisecond}, "/slow gave no whole reply within 20ms"},
		{tool.Request{URL: "ftp://a.example"}, "a URL begins with `https://`"},
		{tool.Request{URL: "http://"}, "a URL begins with `https://`"},
		{tool.Request{URL: "http://[::1"}, "the URL cannot be read"},
		{tool.Request{URL: s.URL, Headers: []tool.Pair{{Name: "X", Value: "a\r\nb: c"}}}, "invalid header field value"},
		{tool.Request{URL: s.URL, Method: "GE T"}, "invalid method"},
	} {
		c.r.AllowPrivate = true
		if _, err := ask(t, b, &c.r); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.r.URL, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.HTTP(ctx, &tool.Request{Method: "GET", URL: s.URL, AllowPrivate: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

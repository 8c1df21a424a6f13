package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/stop"
)

// wire is an upstream that speaks bytes: what a server of net/http never does.
func wire(t testing.TB, talk func(c net.Conn, r *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				r := bufio.NewReader(c)
				if req, err := http.ReadRequest(r); err == nil {
					_, _ = io.Copy(io.Discard, req.Body)
					talk(c, r)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// How an upstream may misbehave, and what its agent is told: nothing of it
// looks like a whole answer.
func TestMisbehavingUpstreams(t *testing.T) {
	t.Parallel()
	say := func(text string) func(net.Conn, *bufio.Reader) {
		return func(c net.Conn, _ *bufio.Reader) { _, _ = io.WriteString(c, text) }
	}
	hang := func(text string) func(net.Conn, *bufio.Reader) {
		return func(c net.Conn, r *bufio.Reader) {
			_, _ = io.WriteString(c, text)
			_, _ = r.ReadByte() // until the door hangs up
		}
	}
	for _, c := range []struct {
		name   string
		talk   func(net.Conn, *bufio.Reader)
		status int // 0: the answer is cut
		code   string
		result activity.Result
	}{
		{name: "closes at once", talk: say(""), status: 502, code: "upstream.unreachable", result: activity.ResultError},
		{name: "answers nonsense", talk: say("HELO\r\n\r\n"), status: 502, code: "upstream.unreachable", result: activity.ResultError},
		{name: "never answers", talk: hang(""), status: 504, code: "upstream.timeout", result: activity.ResultTimeout},
		{name: "stalls in its head", talk: hang("HTTP/1.1 200 OK\r\nA: b"), status: 504, code: "upstream.timeout", result: activity.ResultTimeout},
		{name: "stalls in its body", talk: hang("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), status: 504, code: "upstream.timeout", result: activity.ResultTimeout},
		{name: "stalls in a stream", talk: hang("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"), code: "upstream.timeout", result: activity.ResultTimeout},
		{name: "stalls in a long answer", talk: hang("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 50000)), code: "upstream.timeout", result: activity.ResultTimeout},
		{name: "says less than it promised", talk: say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), status: 502, code: "upstream.broken", result: activity.ResultError},
		{name: "says more than it promised", talk: say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhalf and more"), status: 200, result: activity.ResultOK},
		{name: "two lengths", talk: say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nhalf"), status: 502, code: "upstream.unreachable", result: activity.ResultError},
		{name: "breaks its chunks", talk: say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n"), code: "upstream.broken", result: activity.ResultError},
		{name: "ends without a last chunk", talk: say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"), code: "upstream.broken", result: activity.ResultError},
		{name: "endless head", talk: say("HTTP/1.1 200 OK\r\n" + strings.Repeat("A: "+strings.Repeat("x", 1000)+"\r\n", 400) + "\r\n"), status: 502, code: "upstream.unreachable", result: activity.ResultError},
		{name: "redirects away", talk: say("HTTP/1.1 302 Found\r\nLocation: https://evil.example/x\r\nContent-Length: 0\r\n\r\n"), status: 502, code: "upstream.redirect", result: activity.ResultError},
		{name: "switches protocols", talk: say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"), status: 502, code: "upstream.broken", result: activity.ResultError},
		{name: "shows the credential", talk: say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + strings.Repeat("-", 100-len(secret)) + secret), status: 502, code: "upstream.leak", result: activity.ResultError},
		{name: "shows it in a header", talk: say("HTTP/1.1 200 OK\r\nX-Echo: " + secret + "\r\nContent-Length: 2\r\n\r\nok"), status: 502, code: "upstream.leak", result: activity.ResultError},
		{name: "hides it in compression", talk: say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok"), status: 502, code: "upstream.encoded", result: activity.ResultError},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			key := h.agent("refunds")
			to := wire(t, c.talk)
			h.upstream("shop", http.NotFoundHandler(), func(u *client.Upstream) { u.URL, u.TimeoutMS = to, 300 })
			req, err := http.NewRequestWithContext(t.Context(), "GET", h.url+"/http/shop/v1/orders/1", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+key)
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			body, cut := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			switch {
			case c.status == 0 && cut == nil:
				t.Errorf("the answer looks whole: %d %q", resp.StatusCode, body)
			case c.status != 0 && (resp.StatusCode != c.status || resp.Header.Get("X-Reeve-Code") != c.code):
				t.Errorf("%d %s %q, want %d %s", resp.StatusCode, resp.Header.Get("X-Reeve-Code"), body, c.status, c.code)
			}
			if strings.Contains(string(body), secret) || strings.Contains(fmt.Sprint(resp.Header), secret) {
				t.Error("the credential passed")
			}
			d := h.log.Of(t, resp.Header.Get("X-Reeve-Decision"))
			if d.Result != c.result || d.ErrorCode != c.code {
				t.Errorf("decision: %s %s, want %s %s", d.Result, d.ErrorCode, c.result, c.code)
			}
		})
	}
}

// A stream passes piece by piece, and an agent that goes away ends the call
// upstream.
func TestStreamsAreNotBuffered(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	next, gone := make(chan string), make(chan struct{})
	h.upstream("shop", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		rc := http.NewResponseController(w)
		_ = rc.Flush()
		for {
			select {
			case s := <-next:
				_, _ = io.WriteString(w, s)
				_ = rc.Flush()
			case <-r.Context().Done():
				close(gone)
				return
			}
		}
	}), nil)
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", h.url+"/http/shop/v1/orders/1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultTransport.RoundTrip(req) // the head came although no piece did
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	for i := range 5 {
		text := fmt.Sprintf("data: %d\n\n", i)
		next <- text
		got := make([]byte, len(text))
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != text {
			t.Fatalf("%q, %v; want %q", got, err, text)
		}
	}
	// A piece that ends as the credential begins is held until more is known.
	next <- "x" + secret[:5]
	next <- "y"
	got := make([]byte, 7)
	if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != "x"+secret[:5]+"y" {
		t.Fatalf("%q, %v", got, err)
	}
	cancel()
	<-gone
	d := h.log.Of(t, resp.Header.Get("X-Reeve-Decision"))
	if d.Result != activity.ResultCut || d.ErrorCode != "gateway.client_closed" || d.Status != 200 {
		t.Errorf("decision: %+v", d)
	}
}

// A stop cuts a stream in flight, also one whose agent reads nothing, and the
// upstream's call with it; the next call is refused.
func TestAStopCuts(t *testing.T) {
	t.Parallel()
	for _, reads := range []bool{true, false} {
		t.Run(fmt.Sprint("agent reads ", reads), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			key := h.agent("refunds")
			gone := make(chan struct{})
			h.upstream("shop", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(gone)
				piece := []byte(strings.Repeat("x", 64<<10))
				for r.Context().Err() == nil {
					if _, err := w.Write(piece); err != nil {
						return
					}
				}
			}), nil)
			req, err := http.NewRequestWithContext(t.Context(), "GET", h.url+"/http/shop/v1/orders/1", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+key)
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			read := make(chan error, 1)
			if reads {
				go func() {
					_, err := io.Copy(io.Discard, resp.Body)
					read <- err
				}()
			}
			st, err := h.stops.Stop(t.Context(), "ada", client.StopTarget{Kind: stop.KindAgent, Value: "refunds"}, "it misbehaves", time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			if len(st.Receipt.CallsCut) != 1 || st.Receipt.TimeToStopMS > 900 {
				t.Errorf("receipt: %+v", st.Receipt)
			}
			<-gone
			if reads {
				if err := <-read; !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("the agent read to the end: %v", err)
				}
			}
			d := h.log.Of(t, resp.Header.Get("X-Reeve-Decision"))
			if d.Result != activity.ResultCut || d.ErrorCode != "stop.agent" {
				t.Errorf("decision: %+v", d)
			}
			if a := h.call(key, "GET", "/http/shop/v1/orders/1", ""); a.status != 401 || a.problem != "agent.key" {
				t.Errorf("the next call: %+v", a)
			}
		})
	}
}

// Redirects within the upstream lead back through the door.
func TestRedirectsStayInside(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	h.upstream("shop", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.Query().Get("to"))
		w.WriteHeader(http.StatusTemporaryRedirect)
	}), func(u *client.Upstream) { u.URL += "/base" })
	for to, want := range map[string]string{
		"/base/v1/x%2520?q=1%23f": "/http/shop/v1/x%20?q=1#f",
		"other":                   "/http/shop/v1/orders/other",
		"/elsewhere":              "",
		"//evil.example/base/":    "",
		"/base/../root":           "",
	} {
		a := h.call(key, "GET", "/http/shop/v1/orders/1?to="+to, "")
		if want == "" && (a.status != 502 || a.problem != "upstream.redirect") || want != "" && (a.status != 307 || a.header.Get("Location") != want) {
			t.Errorf("%s: %d %s %q, want %q", to, a.status, a.problem, a.header.Get("Location"), want)
		}
	}
}

// What is not acted on passes byte for byte, both ways.
func TestBytesPassAsTheyAre(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	var uri, body string
	h.upstream("shop", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		uri, body = r.RequestURI, string(b)
		_, _ = w.Write(b)
	}), nil)
	for path, sent := range map[string]string{
		"/any/a%20b/c?x=%2F&y=+1&&z": "{\"a\": 1.50,\n \"a\\u0041\":\"\xc3\xa9\"}",
		"/any/%E2%82%AC":             "\x00\xff binary",
		"/any/~a!$&'()*+,=:@":        "",
	} {
		a := h.call(key, "POST", "/http/shop"+path, sent, "Content-Type", "application/json")
		if a.status != 200 || uri != path || body != sent || a.body != sent {
			t.Errorf("%s: %d, upstream saw %q with %q, agent got %q", path, a.status, uri, body, a.body)
		}
	}
}

// Requests whose length can be read in two ways, or whose chunks are broken.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	var seen atomic.Int64
	h.upstream("shop", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen.Add(1) }), nil)
	head := "POST /http/shop/v1/refunds HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + key + "\r\n"
	for name, c := range map[string]struct {
		text, code string
		status     int
	}{
		"both lengths":        {"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nSMUG", "gateway.framing", 400},
		"other way round":     {"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\nSMUG", "gateway.framing", 400},
		"two lengths":         {"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", "gateway.framing", 400},
		"one length twice":    {"Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", "gateway.framing", 400},
		"odd coding":          {"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "gateway.framing", 501},
		"two codings":         {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", "gateway.framing", 501},
		"bad chunk":           {"Transfer-Encoding: chunked\r\n\r\nzz\r\nabcd\r\n0\r\n\r\n", "gateway.framing", 400},
		"chunk extension":     {"Transfer-Encoding: chunked\r\n\r\n4;a=b\r\nabcd\r\n0\r\n\r\n", "gateway.framing", 400},
		"space before colon":  {"Content-Length : 4\r\n\r\nabcd", "gateway.framing", 400},
		"negative length":     {"Content-Length: -1\r\n\r\n", "gateway.framing", 400},
		"signed length":       {"Content-Length: +4\r\n\r\nabcd", "gateway.framing", 400},
		"folded header":       {"X-A: b\r\n c\r\nContent-Length: 4\r\n\r\nabcd", "gateway.framing", 400},
		"oversized headers":   {"X-Big: " + strings.Repeat("x", 80<<10) + "\r\n\r\n", "gateway.headers", 431},
		"no HTTP":             {"X-A: b\r\nnonsense\r\n\r\n", "gateway.framing", 400},
		"line feed in header": {"X-A: b\nContent-Length: 4\r\n\r\nabcd", "gateway.framing", 400},
		"sound":               {"Content-Length: 4\r\n\r\nabcd", "", 200},
		"sound chunks":        {"Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\nX-T: 1\r\n\r\n", "", 200},
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(conn, head+c.text)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		if resp.StatusCode != c.status || resp.Header.Get("X-Reeve-Code") != c.code {
			t.Errorf("%s: %d %q, want %d %q", name, resp.StatusCode, resp.Header.Get("X-Reeve-Code"), c.status, c.code)
		}
		_ = conn.Close()
	}
	if n := seen.Load(); n != 2 {
		t.Errorf("the upstream saw %d requests, want the two sound ones", n)
	}
}

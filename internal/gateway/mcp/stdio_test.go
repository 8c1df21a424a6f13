package mcp_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"reeve/client"
	"reeve/internal/gateway/mcp"
)

// TestMain is also the child of these tests: a server of tools on stdin and
// stdout, of the kind that its first argument says.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "serve-stdio" {
		serveStdio(os.Args[2])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func serveStdio(kind string) {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	say := func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
	for in.Scan() {
		var m struct {
			ID     json.RawMessage
			Method string
			Params struct {
				Name string
				Meta struct {
					Version  string          `json:"io.modelcontextprotocol/protocolVersion"`
					Progress json.RawMessage `json:"progressToken"`
				} `json:"_meta"`
			}
			Result json.RawMessage
		}
		_ = json.Unmarshal(in.Bytes(), &m)
		switch {
		case m.Method == "server/discover" && kind == "modern":
			say(`{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"private"}}`, m.ID)
		case m.Method == "initialize" && kind != "modern":
			say(`{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"child","version":"1"}}}`, m.ID)
		case m.Method == "tools/list":
			say(`{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"env","inputSchema":{"type":"object"}}]}}`, m.ID)
		case m.Method == "tools/call" && m.Params.Name == "die":
			os.Exit(3)
		case m.Method == "tools/call" && m.Params.Name == "garbage":
			say("Server ready!")
		case m.Method == "tools/call" && m.Params.Name == "foreign":
			say(`{"jsonrpc":"2.0","id":"nobody's","result":{"evil":1}}`)
			say(`{"jsonrpc":"2.0","id":%s,"result":{"content":[]}}`, m.ID)
		case m.Method == "tools/call" && m.Params.Name == "progress":
			say(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":1}}`, m.Params.Meta.Progress)
			say(`{"jsonrpc":"2.0","id":%s,"result":{"content":[]}}`, m.ID)
		case m.Method == "tools/call" && m.Params.Name == "ask":
			say(`{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"?","requestedSchema":{"type":"object","properties":{}}}}`)
			id := m.ID
			for in.Scan() {
				if strings.Contains(in.Text(), `"result"`) {
					text, _ := json.Marshal(in.Text())
					say(`{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":%s}]}}`, id, text)
					break
				}
			}
		case m.Method == "tools/call" && m.Params.Name == "env":
			dir, _ := os.Getwd()
			_, err := os.ReadDir(os.Getenv("DATA"))
			text, _ := json.Marshal(map[string]any{"env": os.Environ(), "uid": os.Getuid(), "pid": os.Getpid(), "dir": dir, "data": fmt.Sprint(err)})
			quoted, _ := json.Marshal(string(text))
			say(`{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":%s}]}}`, m.ID, quoted)
		case len(m.ID) > 0 && m.Method != "":
			say(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no such method"}}`, m.ID)
		}
	}
}

// program is a copy of this test's own program that any user may run, with its
// digest.
func program(t *testing.T) (path, digest string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "reeve-mcp-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "server")
	if err := os.WriteFile(path, b, 0o755); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	return path, hex.EncodeToString(sum[:])
}

func stdioHouse(t *testing.T, change func(*mcp.Config)) *house {
	t.Helper()
	path, digest := program(t)
	server := func(name, kind string) mcp.Server {
		return mcp.Server{
			Name: name, Command: path, Args: []string{"serve-stdio", kind}, Digests: map[string]string{path: digest},
			Env: map[string]string{"GIVEN": "yes", "DATA": t.TempDir()}, Team: "support",
		}
	}
	c := mcp.Config{Commands: []string{path}, Servers: []mcp.Server{server("new", "modern"), server("old", "session"), server("shared", "session")}}
	c.Servers[2].Shareable = true
	if change != nil {
		change(&c)
	}
	return newHouseWith(t, c, nil)
}

// A process of this host is reached by clients of both eras, whichever it
// speaks; it has the variables that are named, and a process of its own for each
// caller unless it is shared.
func TestStdio(t *testing.T) {
	t.Parallel()
	h := stdioHouse(t, nil)
	a, b := h.agent("refunds"), h.agent("other")
	type seen struct {
		Env  []string
		UID  int `json:"uid"`
		PID  int `json:"pid"`
		Dir  string
		Data string
	}
	call := func(key, upstream, era string) (out seen) {
		t.Helper()
		params := `"name":"env","arguments":{}`
		var r reply
		if era == "stateless" {
			r = h.modernCall(key, "/mcp/"+upstream, "1", "tools/call", params)
		} else {
			id := h.begin(key, "/mcp/"+upstream)
			r = h.send(key, "POST", "/mcp/"+upstream, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{`+params+`}}`, "Mcp-Session-Id", id)
		}
		got := r.result(t)
		if len(got.Result.Content) != 1 || json.Unmarshal([]byte(got.Result.Content[0].Text), &out) != nil || string(got.ID) != "1" {
			t.Fatalf("%s by %s: %d %s", upstream, era, r.status, r.body)
		}
		return out
	}
	for _, upstream := range []string{"new", "old"} {
		for _, era := range []string{"stateless", "session"} {
			s := call(a, upstream, era)
			env := strings.Join(s.Env, " ")
			if !strings.Contains(env, "GIVEN=yes") || strings.Contains(env, "PATH=") || len(s.Env) != 4 {
				t.Errorf("%s by %s has the variables %v", upstream, era, s.Env)
			}
			if os.Getuid() == 0 && s.UID == 0 {
				t.Errorf("%s runs as root", upstream)
			}
			if os.Getuid() == 0 && !strings.Contains(s.Data, "denied") {
				t.Errorf("%s reads a folder of ours: %s", upstream, s.Data)
			}
		}
	}
	if x, y := call(a, "new", "stateless"), call(b, "new", "stateless"); x.PID == y.PID || x.Dir == y.Dir {
		t.Errorf("two callers have one process: %+v %+v", x, y)
	}
	if x, y := call(a, "new", "stateless"), call(a, "new", "stateless"); x.PID != y.PID {
		t.Error("one caller has two processes")
	}
	if x, y := call(a, "shared", "session"), call(b, "shared", "stateless"); x.PID != y.PID {
		t.Error("a shared server has two processes")
	}
}

// What a child does wrong ends its calls with an error of the protocol; it is
// started again, later each time.
func TestBadChildren(t *testing.T) {
	t.Parallel()
	h := stdioHouse(t, nil)
	key := h.agent("refunds")
	call := func(upstream, tool string) reply {
		t.Helper()
		return h.modernCall(key, "/mcp/"+upstream, `"x"`, "tools/call", `"name":"`+tool+`","arguments":{}`)
	}
	if r := call("new", "foreign"); r.status != 200 || strings.Contains(r.body, "evil") || r.code() != "" {
		t.Errorf("an answer to nobody: %d %s", r.status, r.body)
	}
	if r := call("new", "die"); r.code() != "mcp.pipe" {
		t.Errorf("one that dies: %d %s", r.status, r.body)
	}
	if r := call("new", "env"); r.code() != "mcp.start" || r.header.Get("Retry-After") == "" {
		t.Errorf("right after: %d %v %s", r.status, r.header, r.body)
	}
	h.eventually(func() bool {
		r := call("new", "env")
		return r.code() == "" && r.status == 200
	})
	if r := call("old", "garbage"); r.code() != "mcp.garbage" {
		t.Errorf("one that writes garbage: %d %s", r.status, r.body)
	}
}

// A server on a pipe asks within the call of its caller; a shared one asks
// nobody. Progress carries the client's own token.
func TestAsksOverPipes(t *testing.T) {
	t.Parallel()
	h := stdioHouse(t, nil)
	key := h.agent("refunds")
	first := h.modernCall(key, "/mcp/old", "1", "tools/call", `"name":"ask","arguments":{}`)
	in := first.result(t)
	if in.Result.ResultType != "input_required" {
		t.Fatalf("%d %s", first.status, first.body)
	}
	r := h.modernCall(key, "/mcp/old", "2", "tools/call", `"name":"ask","arguments":{},"inputResponses":{"q1":{"action":"accept","content":{"a":"b"}}},"requestState":"`+in.Result.RequestState+`"`)
	if out := r.result(t); len(out.Result.Content) != 1 || !strings.Contains(out.Result.Content[0].Text, `"id":"q"`) || !strings.Contains(out.Result.Content[0].Text, `"a":"b"`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	id := h.begin(key, "/mcp/old")
	resp := h.open(key, "POST", "/mcp/old", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"ask","arguments":{}}}`, "Mcp-Session-Id", id)
	defer resp.Body.Close()
	read := bufio.NewReader(resp.Body)
	var ask struct{ ID json.RawMessage }
	if err := json.Unmarshal([]byte(nextData(t, read)), &ask); err != nil || string(ask.ID) == `"q"` {
		t.Fatalf("%v, id %s", err, ask.ID)
	}
	if r := h.send(key, "POST", "/mcp/old", `{"jsonrpc":"2.0","id":`+string(ask.ID)+`,"result":{"action":"decline"}}`, "Mcp-Session-Id", id); r.status != 202 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if last := nextData(t, read); !strings.Contains(last, "decline") || !strings.Contains(last, `"id":7`) {
		t.Error(last)
	}
	p := h.send(key, "POST", "/mcp/old", `{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"progress","arguments":{},"_meta":{"progressToken":"mine"}}}`, "Mcp-Session-Id", id)
	if !strings.Contains(p.body, `"progressToken":"mine"`) {
		t.Errorf("progress: %s", p.body)
	}
	shared := h.begin(key, "/mcp/shared")
	if r := h.send(key, "POST", "/mcp/shared", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"ask","arguments":{}}}`, "Mcp-Session-Id", shared, "X-Test", "1"); strings.Contains(r.body, `"method":"elicitation/create"`) {
		t.Errorf("a shared server asked: %s", r.body)
	}
}

// A program that is not the one that was named is never started, nor is one
// defined anywhere but in the configuration file.
func TestStdioIsNamed(t *testing.T) {
	t.Parallel()
	h := stdioHouse(t, func(c *mcp.Config) {
		for path := range c.Servers[0].Digests {
			c.Servers[0].Digests = map[string]string{path: strings.Repeat("0", 64)}
		}
	})
	key := h.agent("refunds")
	if r := h.modernCall(key, "/mcp/new", "1", "tools/call", `"name":"env","arguments":{}`); r.code() != "mcp.digest" {
		t.Errorf("another digest: %d %s", r.status, r.body)
	}
	for _, u := range []client.Upstream{
		{Name: "evil", Kind: "mcp", Dialect: "stdio", URL: "stdio:evil", Team: "support", Environment: "production"},
		{Name: "evil", Kind: "mcp", URL: "stdio:evil", Team: "support", Environment: "production", AllowPrivate: true},
		{Name: "old", Kind: "mcp", URL: "https://elsewhere.example.com/mcp", Team: "support", Environment: "production"},
	} {
		if _, err := h.upstreams.Put(t.Context(), "ada", u); err == nil {
			t.Errorf("took %+v", u)
		}
	}
	if err := h.upstreams.Delete(t.Context(), "ada", "old"); err == nil {
		t.Error("deleted what the configuration defines")
	}
	path, digest := "/usr/bin/true", strings.Repeat("a", 64)
	good := mcp.Server{Name: "a", Command: path, Digests: map[string]string{path: digest}, Team: "t"}
	for name, change := range map[string]func(*mcp.Config, *mcp.Server){
		"":                     func(*mcp.Config, *mcp.Server) {},
		"no such command":      func(c *mcp.Config, _ *mcp.Server) { c.Commands = nil },
		"a relative command":   func(c *mcp.Config, _ *mcp.Server) { c.Commands = append(c.Commands, "sh") },
		"no digest":            func(_ *mcp.Config, s *mcp.Server) { s.Digests = nil },
		"our data":             func(_ *mcp.Config, s *mcp.Server) { s.Readable = []string{"/data/x"} },
		"above our data":       func(_ *mcp.Config, s *mcp.Server) { s.Writable = []string{"/"} },
		"a variable of ours":   func(_ *mcp.Config, s *mcp.Server) { s.EnvFrom = []string{"REEVE_IDENTITY_PASSPHRASE"} },
		"a loader's variable":  func(_ *mcp.Config, s *mcp.Server) { s.Env = map[string]string{"LD_PRELOAD": "/x.so"} },
		"a name with a letter": func(_ *mcp.Config, s *mcp.Server) { s.Name = "a__b" },
	} {
		c, s := mcp.Config{Commands: []string{path}}, good
		change(&c, &s)
		c.Servers = []mcp.Server{s}
		if err := c.Validate("/data"); (err == nil) != (name == "") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// A server of 2024-11-05 is reached by clients of both eras.
func TestSSE(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	var mu sync.Mutex
	outs := map[string]chan string{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sse", func(w http.ResponseWriter, r *http.Request) {
		out := make(chan string, 16)
		mu.Lock()
		id := fmt.Sprint(len(outs))
		outs[id] = out
		mu.Unlock()
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "event: endpoint\ndata: /messages?session=%s\n\n", id)
		_ = http.NewResponseController(w).Flush()
		for {
			select {
			case msg := <-out:
				fmt.Fprintf(w, "event: message\ndata: %s\n\n", msg)
				_ = http.NewResponseController(w).Flush()
			case <-r.Context().Done():
				return
			}
		}
	})
	mux.HandleFunc("POST /messages", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		var m struct {
			ID     json.RawMessage
			Method string
		}
		_ = json.Unmarshal(b, &m)
		mu.Lock()
		out := outs[r.URL.Query().Get("session")]
		mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
		switch m.Method {
		case "initialize":
			out <- fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2024-11-05","capabilities":{"tools":{}},"serverInfo":{"name":"sse","version":"1"}}}`, m.ID)
		case "tools/call":
			out <- fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":"by sse"}]}}`, m.ID)
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	h.at("past", s.URL+"/sse", func(u *client.Upstream) { u.Dialect = "sse" })
	if r := h.modernCall(key, "/mcp/past", "1", "tools/call", `"name":"x","arguments":{}`); !strings.Contains(r.body, "by sse") {
		t.Errorf("without a session: %d %s", r.status, r.body)
	}
	id := h.begin(key, "/mcp/past")
	if r := h.send(key, "POST", "/mcp/past", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}`, "Mcp-Session-Id", id); !strings.Contains(r.body, "by sse") {
		t.Errorf("with a session: %d %s", r.status, r.body)
	}
	// One that sends elsewhere is not followed.
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "event: endpoint\ndata: http://169.254.169.254/latest\n\n")
	}))
	t.Cleanup(evil.Close)
	h.at("evil", evil.URL+"/sse", func(u *client.Upstream) { u.Dialect = "sse" })
	if r := h.modernCall(key, "/mcp/evil", "1", "tools/call", `"name":"x","arguments":{}`); r.code() != "mcp.endpoint" {
		t.Errorf("another host: %d %s", r.status, r.body)
	}
}

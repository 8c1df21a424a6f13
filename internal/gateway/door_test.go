package gateway_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/gateway"
	"reeve/internal/gateway/httpapi"
	"reeve/internal/policy"
	"reeve/internal/stop"
	"reeve/internal/testkit"
	"reeve/internal/upstream"
)

// house is a door with everything real around it but the log of decisions,
// which is kept in memory for the test to read, and can be made to fail.
type house struct {
	t         testing.TB
	db        *control.DB
	agents    *agent.Registry
	upstreams *upstream.Registry
	policies  *policy.Engine
	stops     *stop.Board
	door      *gateway.Door
	steps     *gateway.Steps
	url       string
	log       testkit.Decisions
	options   gateway.Options
	base      *testkit.House
}

const permitAll = testkit.PermitAll

func openDB(t testing.TB) *control.DB {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func newHouse(t testing.TB, change func(*gateway.Options)) *house {
	t.Helper()
	base := testkit.NewHouse(t)
	h := &house{t: t, base: base, db: base.DB, agents: base.Agents, upstreams: base.Upstreams, policies: base.Policies, stops: base.Stops}
	h.steps = gateway.NewSteps(base.Publish, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = h.steps.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	o := gateway.Options{
		Behaviour: base.Memory,
		Agents:    h.agents, Upstreams: h.upstreams, Policies: h.policies, Stops: h.stops, Decisions: &h.log, Steps: h.steps,
		Protocols: []gateway.Protocol{httpapi.New()}, Node: "n1", MaxBody: 1 << 20,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if change != nil {
		change(&o)
	}
	h.options = o
	var err error
	if h.door, err = gateway.New(o); err != nil {
		t.Fatal(err)
	}
	h.serve(gateway.Serving{Drain: time.Second})
	return h
}

// reopen makes another door on the same house.
func (h *house) reopen(change func(*gateway.Options)) {
	h.t.Helper()
	change(&h.options)
	var err error
	if h.door, err = gateway.New(h.options); err != nil {
		h.t.Fatal(err)
	}
	h.serve(gateway.Serving{Drain: time.Second})
}

// serve opens the door until the test ends.
func (h *house) serve(s gateway.Serving) {
	h.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	door := h.door // reopen makes another while this one serves
	go func() { ended <- door.Serve(ctx, l, s) }()
	h.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			h.t.Error(err)
		}
	})
	h.url = "http://" + l.Addr().String()
}

func (h *house) permit(text string) {
	h.t.Helper()
	h.base.Permit(text)
}

// agent registers an agent that may do everything and gives its key.
func (h *house) agent(name string) string {
	h.t.Helper()
	return h.base.Agent(name)
}

var secret = "sk-upstream-0123456789abcdef"

// upstream registers an HTTP API that takes everything.
func (h *house) upstream(name string, handler http.Handler, change func(*client.Upstream)) *httptest.Server {
	h.t.Helper()
	s := httptest.NewServer(handler)
	h.t.Cleanup(s.Close)
	u := client.Upstream{
		Name: name, Kind: "http", URL: s.URL, Team: "support", Environment: "production", AllowPrivate: true,
		Credential: &client.Credential{Kind: "bearer", Source: "value", Value: secret},
		Routes: []client.Route{
			{Method: "GET", Path: "/v1/orders/{id}", Effect: "read"},
			{Method: "POST", Path: "/v1/refunds", Effect: "write"},
			{Method: "*", Path: "/any/{rest...}", Effect: "read"},
		},
	}
	if change != nil {
		change(&u)
	}
	if _, err := h.upstreams.Put(h.t.Context(), "ada", u); err != nil {
		h.t.Fatal(err)
	}
	return s
}

// call is one answer of the door.
type answer struct {
	status   int
	header   http.Header
	body     string
	decision string
	problem  string // code
}

func (h *house) call(key, method, path, body string, headers ...string) answer {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(text), resp.Header.Get("X-Reeve-Decision"), resp.Header.Get("X-Reeve-Code")}
}

// The first path through the door: identified, decided, recorded before the
// upstream saw it, forwarded with the upstream's credential, and a step.
func TestACallPasses(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	var seen *http.Request
	var body string
	h.upstream("shop", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.Clone(context.Background())
		b, _ := io.ReadAll(r.Body)
		body = string(b)
		if proposed, ended := h.log.Proposals(), h.log.Ended(); len(proposed) != 1 || len(ended) != 0 {
			t.Errorf("the upstream was called with %d proposed and %d completed decisions", len(proposed), len(ended))
		}
		w.Header().Set("X-Own", "1")
		w.Header().Set("Set-Cookie", "session=1")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"ok": true}`)
	}), nil)
	a := h.call(key, "POST", "/http/shop/v1/refunds?dry=1", `{"amount": 12.5}`,
		"Content-Type", "application/json", "Cookie", "a=b", "X-Reeve-Run", "r1", "Connection", "X-Hop", "X-Hop", "1", "X-Kept", "yes")
	if a.status != 201 || a.body != `{"ok": true}` || a.header.Get("X-Own") != "1" || a.header.Get("Set-Cookie") != "" || a.decision == "" {
		t.Fatalf("answer: %+v", a)
	}
	if seen.Header.Get("Authorization") != "Bearer "+secret || seen.Header.Get("Cookie") != "" || seen.Header.Get("X-Reeve-Run") != "" ||
		seen.Header.Get("X-Hop") != "" || seen.Header.Get("X-Kept") != "yes" || seen.Header.Get("Traceparent") == "" || seen.URL.String() != "/v1/refunds?dry=1" || body != `{"amount": 12.5}` {
		t.Errorf("the upstream saw %s %v %q", seen.URL, seen.Header, body)
	}
	d := h.log.Of(t, a.decision)
	if d.Agent != "refunds" || d.Verdict != activity.VerdictAllow || !d.Enforced || d.Result != activity.ResultOK || d.Status != 201 ||
		d.Resource != "shop POST /v1/refunds" || d.Effect != "write" || d.BytesOut != 12 || d.Credential != "agent_key" || d.LatencyUS <= 0 {
		t.Errorf("decision: %+v", d)
	}
	f := h.waitFragments(1)[0]
	if f.DecisionID != a.decision || f.Run != d.Run || f.Step != d.Step || f.Source != activity.SourceGateway || f.Status != activity.StatusOK || f.Name != "POST /v1/refunds" || f.End < f.Start {
		t.Errorf("step: %+v", f)
	}
	if want := activity.ScopeOf("support", "production").RunOfKey("r1"); f.Run != want {
		t.Errorf("run %s, want %s", f.Run, want)
	}
}

// An agent that read from outside the house is tainted for its next call, and a
// destination is new once.
func TestTaintAndDestinations(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	h.upstream("shop", ok, nil)
	h.upstream("web", ok, func(u *client.Upstream) { u.External, u.Classes = true, []string{"public"} })
	h.permit(`
		@id("all") permit (principal, action, resource);
		@id("clean") @reason("it read from outside") forbid (principal, action, resource in Upstream::"shop") when { context.taint.untrusted && context.taint.upstreams.contains(Upstream::"web") && context.taint.classes.contains(DataClass::"public") };
		@id("known") @reason("never sent there") forbid (principal, action, resource in Upstream::"web") when { !context.destinations.first_seen.isEmpty() };`)
	get := func(upstream string, headers ...string) string {
		return h.call(key, "GET", "/http/"+upstream+"/v1/orders/1", "", headers...).problem
	}
	if code := get("web"); code != "decision.denied" { // both stand at 127.0.0.1, and nothing went there yet
		t.Fatalf("a first destination: %q", code)
	}
	if code := get("shop"); code != "" {
		t.Fatalf("before it read from outside: %q", code)
	}
	if code := get("web", "X-Reeve-Session", "s1"); code != "" {
		t.Fatalf("a known destination: %q", code)
	}
	if code := get("shop"); code != "decision.denied" {
		t.Errorf("after it read from outside: %q", code)
	}
	_, other, err := h.agents.CreateKey(t.Context(), testkit.EveryRole(), "refunds", agent.NewKey{Label: "new task"})
	if err != nil {
		t.Fatal(err)
	}
	key = other
	if code := get("shop"); code != "" {
		t.Errorf("with a new credential: %q", code)
	}
	if code := get("shop", "X-Reeve-Session", "s1"); code != "decision.denied" {
		t.Errorf("with a new credential in the tainted session: %q", code)
	}
}

func (h *house) waitFragments(n int) []activity.Fragment {
	h.t.Helper()
	for range 5000 {
		got := h.base.Fragments()
		if len(got) >= n {
			return got
		}
		<-time.After(time.Millisecond)
	}
	h.t.Fatalf("got %d fragments, want %d", len(h.base.Fragments()), n)
	return nil
}

// What is refused is refused with a stable code, and an identified caller's
// refusal has a record; none of it reaches the upstream.
func TestRefusals(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	h.upstream("shop", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a refused call was forwarded") }), nil)
	for _, c := range []struct {
		name, key, method, path, body, code string
		status                              int
		headers                             []string
		stranger                            bool
	}{
		{name: "no credential", method: "GET", path: "/http/shop/v1/orders/1", status: 401, code: "gateway.credential_missing", stranger: true},
		{name: "wrong key", key: key[:len(key)-1] + "x", method: "GET", path: "/http/shop/v1/orders/1", status: 401, code: "agent.key", stranger: true},
		{name: "foreign key", key: "sk-something", method: "GET", path: "/http/shop/v1/orders/1", status: 401, code: "gateway.credential", stranger: true},
		{name: "two credentials", key: key, method: "GET", path: "/http/shop/v1/orders/1", headers: []string{"X-Api-Key", "other"}, status: 401, code: "gateway.credential_ambiguous", stranger: true},
		{name: "key in URL", method: "GET", path: "/http/shop/v1/orders/1?key=" + key, status: 401, code: "gateway.credential_in_url", stranger: true},
		{name: "no such path", key: key, method: "GET", path: "/nowhere", status: 404, code: "gateway.path", stranger: true},
		{name: "upgrade", key: key, method: "GET", path: "/http/shop/v1/orders/1", headers: []string{"Connection", "Upgrade", "Upgrade", "websocket"}, status: 400, code: "gateway.upgrade", stranger: true},
		{name: "trace", key: key, method: "TRACE", path: "/http/shop/v1/orders/1", status: 405, code: "gateway.method", stranger: true},
		{name: "no such upstream", key: key, method: "GET", path: "/http/nobody/v1", status: 404, code: "gateway.upstream"},
		{name: "no route", key: key, method: "DELETE", path: "/http/shop/v1/orders/1", status: 403, code: "http.no_route"},
		{name: "dot segments", key: key, method: "GET", path: "/http/shop/any/%2e%2e/admin", status: 400, code: "upstream.path"},
		{name: "encoded slash", key: key, method: "GET", path: "/http/shop/any/a%2fb", status: 400, code: "upstream.path"},
		{name: "double escape", key: key, method: "GET", path: "/http/shop/any/a%252e", status: 400, code: "upstream.path"},
		{name: "bad query", key: key, method: "GET", path: "/http/shop/any/x?a=1;b=2", status: 400, code: "http.query"},
		{name: "too large", key: key, method: "POST", path: "/http/shop/v1/refunds", body: strings.Repeat("x", 1<<20+1), status: 413, code: "gateway.too_large"},
		{name: "long run", key: key, method: "GET", path: "/http/shop/v1/orders/1", headers: []string{"X-Reeve-Run", strings.Repeat("r", 600)}, status: 400, code: "gateway.run"},
		{name: "subject", key: key, method: "GET", path: "/http/shop/v1/orders/1", headers: []string{"X-Reeve-Subject-Token", "x.y.z"}, status: 401, code: "gateway.subject"},
	} {
		a := h.call(c.key, c.method, c.path, c.body, c.headers...)
		if a.status != c.status || a.problem != c.code || !strings.Contains(a.body, c.code) {
			t.Errorf("%s: %d %s %s, want %d %s", c.name, a.status, a.problem, a.body, c.status, c.code)
			continue
		}
		if c.stranger {
			continue
		}
		d := h.log.Of(t, a.decision)
		if d.Verdict != activity.VerdictDeny || d.Result != activity.ResultDenied || len(d.Reasons) == 0 || d.Reasons[0].Code != c.code || d.Agent != "refunds" {
			t.Errorf("%s: decision %+v", c.name, d)
		}
	}
}

// lockWrites holds the control database's write lock until released.
func lockWrites(t testing.TB, db *control.DB) (release func()) {
	t.Helper()
	held, let, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- db.Write(context.WithoutCancel(t.Context()), func(tx *control.Tx) error {
			if _, err := tx.Exec(t.Context(), `UPDATE agents SET version = version`); err != nil {
				return err
			}
			close(held)
			<-let
			return nil
		})
	}()
	<-held
	return func() {
		close(let)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

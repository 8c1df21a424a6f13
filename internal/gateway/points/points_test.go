package points_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/approval"
	"reeve/internal/behaviour"
	"reeve/internal/content"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/httpapi"
	"reeve/internal/gateway/llm"
	"reeve/internal/gateway/points"
	"reeve/internal/identity/token"
	"reeve/internal/policy"
	"reeve/internal/stop"
	"reeve/internal/testkit"
	"reeve/internal/upstream"
)

// house is the decision points with everything real behind them but the log of
// decisions, which is kept in memory for the test to read, slowed or failed.
type house struct {
	t         testing.TB
	db        *control.DB
	agents    *agent.Registry
	upstreams *upstream.Registry
	policies  *policy.Engine
	stops     *stop.Board
	door      *gateway.Door
	points    *points.Server
	coverage  *points.Coverage
	url       string
	log       testkit.Decisions
	memory    *behaviour.Memory
	book      *approval.Book
	clock     *clock
	base      *testkit.House
}

type clock struct {
	mu  sync.Mutex
	add time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.add)
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add += d
}

const permitAll = testkit.PermitAll

func newHouse(t testing.TB) *house {
	t.Helper()
	base := testkit.NewHouse(t)
	h := &house{t: t, clock: &clock{}, base: base, db: base.DB, agents: base.Agents, upstreams: base.Upstreams, policies: base.Policies, stops: base.Stops, memory: base.Memory}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	steps := gateway.NewSteps(func(context.Context, []byte) error { return nil }, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = steps.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	set, err := content.New(t.Context(), content.Options{DB: h.db})
	must(err)
	h.coverage = points.NewCoverage(h.db, slog.New(slog.DiscardHandler), h.clock.now)
	c := approval.Default()
	h.book, err = approval.New(t.Context(), approval.Options{DB: h.db, Key: make([]byte, approval.KeySize), Config: c, Now: h.clock.now})
	must(err)
	h.door, err = gateway.New(gateway.Options{
		Tokens: tokens{}, Behaviour: h.memory, Agents: h.agents, Upstreams: h.upstreams, Policies: h.policies, Stops: h.stops, Decisions: &h.log, Steps: steps,
		Protocols: []gateway.Protocol{httpapi.New(), llm.New(nil)}, Node: "n1", Content: set, Now: h.clock.now, Approvals: h.book, Page: func(id string) string { return "https://reeve.example/approvals/" + id }, Coverage: h.coverage,
	})
	must(err)
	h.points, err = points.New(points.Options{
		Door: h.door, Agents: h.agents, Upstreams: h.upstreams, Base: "https://door.example", Coverage: h.coverage, Token: teamToken, Now: h.clock.now,
	})
	must(err)
	s := httptest.NewServer(h.points.Handler())
	t.Cleanup(s.Close)
	h.url = s.URL
	return h
}

// teamToken knows one token, of a team.
func teamToken(_ context.Context, text string) (points.Speaker, error) {
	if text != "rvt_support" {
		return points.Speaker{}, fault.New(fault.KindUnauthenticated, "identity.token", "the token is not valid")
	}
	return points.Speaker{ID: "tok_1", May: func(team, _ string) bool { return team == "support" }}, nil
}

// tokens knows two of the agent copilots: one of an outside issuer and one of ours.
type tokens struct{}

func (tokens) Bearer(_ context.Context, text string, _ *http.Request) (token.Principal, error) {
	kind := map[string]string{"a.foreign.z": "foreign_token", "a.svid.z": "jwt_svid"}[text]
	if kind == "" {
		return token.Principal{}, fault.New(fault.KindUnauthenticated, "identity.token", "the token is not valid")
	}
	return token.Principal{Credential: kind, CredentialID: "t1", Agent: "copilots", Epoch: 1 << 40}, nil
}

func (t tokens) Peer(*x509.Certificate) (token.Principal, error) {
	return token.Principal{}, fault.New(fault.KindUnauthenticated, "identity.token", "the certificate is not valid")
}

func (h *house) permit(text string) {
	h.t.Helper()
	h.base.Permit(text)
}

func (h *house) agent(name string, change ...func(*agent.Agent)) string {
	h.t.Helper()
	return h.base.Agent(name, change...)
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatalf("%d %q: %v", a.status, a.body, err)
	}
}

func (h *house) send(method, path, credential, body string, headers ...string) answer {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	if credential != "" {
		req.Header.Set("Authorization", "Bearer "+credential)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

func (h *house) decide(credential, body string, headers ...string) client.DecisionAnswer {
	h.t.Helper()
	a := h.send("POST", "/decisions", credential, body, headers...)
	if a.status != 200 {
		h.t.Fatalf("%d %s", a.status, a.body)
	}
	var v client.DecisionAnswer
	a.into(h.t, &v)
	return v
}

func hasReason(d activity.Decision, code string) bool {
	for _, r := range d.Reasons {
		if r.Code == code {
			return true
		}
	}
	return false
}

func TestDecideAndComplete(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.agent("refunds")
	h.permit(permitAll + `
@id("no-shell") @reason("no shells here") forbid (principal, action, resource == Tool::"local.shell");
@id("small") forbid (principal, action, resource == Tool::"local.pay") when { context.args.int.hasTag("/amount") && context.args.int.getTag("/amount") > 100 };`)
	a := h.decide(key, `{"tool":"pay","arguments":{"amount":5},"call_id":"call_1","session":"s1"}`)
	if a.Verdict != "allow" || a.ExpiresAt == nil || a.Forwarded || a.Arguments != nil || len(a.Obligations) != 0 {
		t.Fatalf("%+v", a)
	}
	p := h.log.Proposed(a.ID)
	if p.Result != activity.ResultPending || p.Agent != "refunds" || p.Tool != "pay" || p.Credential != "agent_key" || !p.LocalTool || p.Session != "s1" ||
		p.ArgumentsBytes != 12 || p.ArgumentsHash == "" || !hasReason(p, "point.decisions") || gateway.PointOf(&p) != "decisions" {
		t.Fatalf("%+v", p)
	}
	report := `{"result":"ok","output":{"id":7},"duration_ms":12}`
	if r := h.send("POST", "/decisions/"+a.ID+"/complete", key, report); r.status != 200 || r.body != `{"id":"`+a.ID+`","result":"ok"}` {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if d := h.log.End(a.ID); d.Result != activity.ResultOK || d.BytesOut != 8 || d.UpstreamUS != 12_000 {
		t.Fatalf("%+v", d)
	}
	// The same report again changes nothing; another one is refused.
	if r := h.send("POST", "/decisions/"+a.ID+"/complete", key, report); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := h.send("POST", "/decisions/"+a.ID+"/complete", key, `{"result":"error"}`); r.status != 409 || !strings.Contains(r.body, "decision.closed") {
		t.Fatalf("%d %s", r.status, r.body)
	}
	for body, code := range map[string]string{
		`{"tool":"shell","arguments":{"cmd":"ls"}}`:    "decision.denied",
		`{"tool":"pay","arguments":{"amount":101}}`:    "decision.denied",
		`{"tool":"pay","arguments":{"amount":101.25}}`: "", // no integer: the policy says nothing of it
	} {
		a := h.decide(key, body)
		if want := map[bool]string{true: "deny", false: "allow"}[code != ""]; a.Verdict != want || a.Code != code {
			t.Errorf("%s: %+v, want %s %s", body, a, want, code)
		}
		if p, d := h.log.Proposed(a.ID), h.log.End(a.ID); code != "" && (p.Result != activity.ResultDenied || d.ID == "" || !hasReason(p, "point.decisions")) {
			t.Errorf("%s: %+v", body, p)
		}
	}
}

func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.agent("refunds")
	other := h.agent("billing", func(a *agent.Agent) { a.Team = "finance" })
	for _, c := range []struct {
		name, credential, body string
		status                 int
		code                   string
	}{
		{"nobody", "", `{"tool":"x"}`, 401, "gateway.credential_missing"},
		{"forged key", "rvk_abcdefghijkl_0123456789012345678901234567890123456789", `{"tool":"x"}`, 401, "agent.key"},
		{"forged token", "rvt_forged", `{"tool":"x"}`, 401, "identity.token"},
		{"provider's key", "sk-123", `{"tool":"x"}`, 401, "gateway.credential"},
		{"itself", key, `{"tool":"x","agent":"refunds"}`, 200, ""},
		{"another agent", key, `{"tool":"x","agent":"billing"}`, 404, "decision.agent"},
		{"names a user", key, `{"tool":"x","user":"ada"}`, 403, "decision.user"},
		{"team's token", "rvt_support", `{"tool":"x","agent":"refunds","user":"ada"}`, 200, ""},
		{"team's token without agent", "rvt_support", `{"tool":"x"}`, 400, "decision.invalid"},
		{"team's token for another team", "rvt_support", `{"tool":"x","agent":"billing"}`, 404, "decision.agent"},
		{"team's token for nobody", "rvt_support", `{"tool":"x","agent":"ghost"}`, 404, "decision.agent"},
	} {
		a := h.send("POST", "/decisions", c.credential, c.body)
		if a.status != c.status || c.code != "" && a.header.Get("X-Reeve-Code") != c.code {
			t.Errorf("%s: %d %s, want %d %s", c.name, a.status, a.body, c.status, c.code)
		}
	}
	a := h.decide("rvt_support", `{"tool":"x","agent":"refunds","user":"ada"}`)
	if p := h.log.Proposed(a.ID); p.Credential != "team_token" || p.CredentialID != "tok_1" || p.User != "ada" {
		t.Errorf("%+v", p)
	}
	// Only who may speak for the agent reports, and others do not learn that it is there.
	for _, who := range []string{other, ""} {
		if r := h.send("POST", "/decisions/"+a.ID+"/complete", who, `{"result":"ok"}`); r.status != 404 && r.status != 401 {
			t.Errorf("%q: %d %s", who, r.status, r.body)
		}
	}
	if r := h.send("POST", "/decisions/"+a.ID+"/complete", key, `{"result":"cancelled"}`); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestKeysAndStops(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.agent("refunds")
	other := h.agent("billing")
	q := `{"tool":"pay","arguments":{"amount":5},"key":"k1"}`
	answers := make(chan client.DecisionAnswer, 16)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() { answers <- h.decide(key, q) })
	}
	wg.Wait()
	close(answers)
	first := ""
	for a := range answers {
		if first == "" {
			first = a.ID
		}
		if a.ID != first {
			t.Errorf("decided twice under one key: %s, %s", a.ID, first)
		}
	}
	if n := len(h.log.Proposals()); n != 1 {
		t.Errorf("%d records, want 1", n)
	}
	if a := h.decide(key, `{"tool":"pay","arguments":{"amount":5}}`, "Idempotency-Key", "k1"); a.ID != first {
		t.Errorf("the header is another key: %s", a.ID)
	}
	if r := h.send("POST", "/decisions", key, `{"tool":"pay","arguments":{"amount":6},"key":"k1"}`); r.status != 409 || !strings.Contains(r.body, "decision.key_used") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if a := h.decide(other, q); a.ID == first {
		t.Error("another agent's key gave the same decision")
	}
	if _, err := h.stops.Stop(t.Context(), "ada", client.StopTarget{Kind: "agent", Value: "refunds"}, "enough", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if a := h.send("POST", "/decisions", key, `{"tool":"pay"}`); a.status != 401 {
		t.Errorf("a stopped agent's key still asks: %d %s", a.status, a.body)
	}
	if a := h.decide("rvt_support", `{"tool":"pay","agent":"refunds"}`); a.Verdict != "deny" || !strings.HasPrefix(a.Code, "stop.") {
		t.Errorf("%+v", a)
	}
}

// A key tells again what was allowed while it would be allowed again.
func TestKeyHolds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(h *house)
		again  string // verdict
	}{
		"nothing":     {func(*house) {}, ""},
		"a while":     {func(h *house) { h.clock.pass(9 * time.Minute) }, ""},
		"time":        {func(h *house) { h.clock.pass(10 * time.Minute) }, "allow"},
		"policy":      {func(h *house) { h.permit(`@id("none") forbid (principal, action, resource);`) }, "deny"},
		"same policy": {func(h *house) { h.permit(permitAll) }, "allow"},
		"quarantine":  {func(h *house) { h.contain("refunds", agent.Quarantined) }, "deny"},
		"supervision": {func(h *house) { h.contain("refunds", agent.Supervised) }, "hold"},
		"stopped":     {func(h *house) { h.stop("agent", "refunds") }, "deny"},
		"tool":        {func(h *house) { h.stop("tool", "pay") }, "deny"},
		"team":        {func(h *house) { h.stop("team", "support") }, "deny"},
		"user":        {func(h *house) { h.stop("user", "ada") }, "deny"},
		"retired": {func(h *house) {
			if _, err := h.agents.Retire(h.t.Context(), testkit.EveryRole(), "refunds", "over"); err != nil {
				h.t.Fatal(err)
			}
		}, "deny"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.agent("refunds")
			q := `{"agent":"refunds","user":"ada","tool":"pay","arguments":{"amount":5},"key":"k1"}`
			first := h.decide("rvt_support", q)
			if first.Verdict != "allow" {
				t.Fatalf("%+v", first)
			}
			c.change(h)
			for range 2 { // and the new answer is the key's
				a := h.decide("rvt_support", q)
				if told := a.ID == first.ID; told != (c.again == "") || !told && a.Verdict != c.again {
					t.Errorf("%+v", a)
				}
			}
		})
	}
}

func (h *house) stop(kind, value string) {
	h.t.Helper()
	if _, err := h.stops.Stop(h.t.Context(), "ada", client.StopTarget{Kind: kind, Value: value}, "enough", time.Time{}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) contain(name, how string) {
	h.t.Helper()
	if _, err := h.agents.Contain(h.t.Context(), testkit.EveryRole(), name, how, time.Time{}, "drill"); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) secondKey(name string) string {
	h.t.Helper()
	_, key, err := h.agents.CreateKey(h.t.Context(), testkit.EveryRole(), name, agent.NewKey{Label: "second"})
	if err != nil {
		h.t.Fatal(err)
	}
	return key
}

// What cannot be recorded is not allowed.
func TestRecordFails(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.agent("refunds")
	h.log.FailWith(fault.New(fault.KindUnavailable, "decision.log", "the log is full"))
	if a := h.decide(key, `{"tool":"pay"}`); a.Verdict != "deny" || a.Code != "decision.log" || a.ExpiresAt != nil {
		t.Errorf("%+v", a)
	}
}

const card = "4111111111111111"

func TestObligation(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.agent("refunds")
	h.permit(`@id("all") @redact("pii.payment.card") permit (principal, action, resource);`)
	args := `{"tool":"mail","arguments":{"text":"my card is ` + card + ` ok"}`
	a := h.decide(key, args+`}`)
	if a.Verdict != "deny" || a.Code != "decision.obligation" {
		t.Fatalf("undeclared: %+v", a)
	}
	if p := h.log.Proposed(a.ID); p.Verdict != activity.VerdictDeny || !hasReason(p, "decision.obligation") {
		t.Errorf("%+v", p)
	}
	a = h.decide(key, args+`,"obligations":["arguments"]}`)
	if a.Verdict != "allow" || len(a.Obligations) != 1 || bytes.Contains(a.Arguments, []byte(card)) || !bytes.Contains(a.Arguments, []byte("my card is")) {
		t.Fatalf("declared: %+v", a)
	}
	if r := h.send("POST", "/decisions", key, args+`,"obligations":["sing"]}`); r.status != 400 {
		t.Errorf("%d %s", r.status, r.body)
	}
	// AuthZEN and Claude Code.
	zen := `{"subject":{"type":"agent","id":"refunds"},"action":{"name":"call_tool"},"resource":{"type":"tool","id":"mail"},"context":{"arguments":{"text":"` + card + `"}%s}}`
	for declared, want := range map[string]bool{"": false, `,"supported_obligations":["step-up"]`: false, `,"supported_obligations":["custom"]`: true} {
		r := h.send("POST", "/access/v1/evaluation", key, fmt.Sprintf(zen, declared))
		var d struct {
			Decision bool
			Context  map[string]any
		}
		r.into(t, &d)
		if d.Decision != want || (d.Context["obligations"] != nil) != want || strings.Contains(r.body, card) {
			t.Errorf("%q: %d %s", declared, r.status, r.body)
		}
	}
	r := h.send("POST", "/hooks/claude-code", key, `{"hook_event_name":"PreToolUse","session_id":"s","tool_name":"Bash","tool_input":{"command":"pay `+card+`"},"tool_use_id":"toolu_1"}`)
	if !strings.Contains(r.body, `"permissionDecision":"ask"`) || !strings.Contains(r.body, `"updatedInput"`) || strings.Contains(r.body, card) {
		t.Errorf("%s", r.body)
	}
	// Copilot Studio can replace nothing.
	r = h.send("POST", "/copilot-studio/refunds/analyze-tool-execution", key, `{"toolDefinition":{"name":"mail"},"inputValues":{"text":"`+card+`"}}`)
	if !strings.Contains(r.body, `"blockAction":true`) {
		t.Errorf("%s", r.body)
	}
}

func TestBadQuestions(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.agent("refunds")
	deep := strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70)
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"empty":                {"", 400},
		"no object":            {"[]", 400},
		"null":                 {"null", 400},
		"cut":                  {`{"tool":"x"`, 400},
		"two values":           {`{"tool":"x"} {}`, 400},
		"name twice":           {`{"tool":"read","tool":"delete"}`, 400},
		"name in another case": {`{"tool":"read","TOOL":"delete"}`, 400},
		"argument twice":       {`{"tool":"x","arguments":{"a":1,"a":2}}`, 400},
		"escaped name twice":   {`{"tool":"x","arguments":{"a":1,"\u0061":2}}`, 400},
		"unknown field":        {`{"tool":"x","verdict":"allow"}`, 400},
		"no tool":              {`{}`, 400},
		"tool is a number":     {`{"tool":7}`, 400},
		"tool is null":         {`{"tool":null}`, 400},
		"tool with a newline":  {`{"tool":"a\nb"}`, 400},
		"tool too long":        {`{"tool":"` + strings.Repeat("x", 300) + `"}`, 400},
		"arguments a string":   {`{"tool":"x","arguments":"{}"}`, 400},
		"arguments a list":     {`{"tool":"x","arguments":[1]}`, 400},
		"arguments too deep":   {`{"tool":"x","arguments":` + deep + `}`, 400},
		"bad UTF-8":            {"{\"tool\":\"a\xff\"}", 400},
		"half a surrogate":     {`{"tool":"a\ud800"}`, 400},
		"waits for ever":       {`{"tool":"x","wait_ms":99999999}`, 400},
		"waits backwards":      {`{"tool":"x","wait_ms":-1}`, 400},
		"run of 2 kB":          {`{"tool":"x","run":"` + strings.Repeat("r", 2000) + `"}`, 400},
		"600 kB of arguments":  {`{"tool":"x","arguments":{"a":"` + strings.Repeat("x", 600<<10) + `"}}`, 400},
		"10 MB":                {`{"tool":"x","arguments":{"a":"` + strings.Repeat("x", 10<<20) + `"}}`, 400},
	} {
		a := h.send("POST", "/decisions", key, c.body)
		if a.status != c.status || a.header.Get("X-Reeve-Code") == "" {
			t.Errorf("%s: %d %.200s, want %d", name, a.status, a.body, c.status)
		}
		if a := h.send("POST", "/access/v1/evaluation", key, c.body); a.status != 400 {
			t.Errorf("authzen, %s: %d %.200s", name, a.status, a.body)
		}
		if a := h.send("POST", "/hooks/claude-code", key, c.body); a.status != 200 || !strings.Contains(a.body, `"permissionDecision":"deny"`) {
			t.Errorf("claude code, %s: %d %.200s", name, a.status, a.body)
		}
		if a := h.send("POST", "/copilot-studio/refunds/analyze-tool-execution", key, c.body); a.status != 200 || !strings.Contains(a.body, `"blockAction":true`) {
			t.Errorf("copilot studio, %s: %d %.200s", name, a.status, a.body)
		}
	}
	for name, headers := range map[string][]string{
		"text": {"Content-Type", "text/plain"}, "form": {"Content-Type", "application/x-www-form-urlencoded"},
		"compressed": {"Content-Encoding", "gzip"}, "none": {"Content-Type", ""},
	} {
		if a := h.send("POST", "/decisions", key, `{"tool":"x"}`, headers...); a.status != 400 || a.header.Get("X-Reeve-Code") != "decision.media" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	for name, body := range map[string]string{
		"unknown result": `{"result":"fine"}`, "unknown field": `{"result":"ok","verdict":"allow"}`, "negative time": `{"result":"ok","duration_ms":-1}`,
		"twice": `{"result":"ok","result":"error"}`,
	} {
		if a := h.send("POST", "/decisions/dec_1/complete", key, body); a.status != 400 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if a := h.send("POST", "/decisions/dec_none/complete", key, `{"result":"ok"}`); a.status != 404 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if len(h.log.Proposals()) != 0 {
		t.Errorf("%d records of questions that cannot be read", len(h.log.Proposals()))
	}
}

func TestUnreported(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.agent("refunds")
	a := h.decide(key, `{"tool":"pay","unreported":true}`)
	if d := h.log.End(a.ID); a.ExpiresAt != nil || d.Result != activity.ResultUnknown {
		t.Errorf("%+v %+v", a, d)
	}
	a = h.decide(key, `{"tool":"pay"}`)
	h.clock.pass(2 * time.Hour)
	h.door.SweepNow()
	if d := h.log.End(a.ID); d.Result != activity.ResultUnknown || d.ErrorCode != "decision.unreported" {
		t.Errorf("%+v", d)
	}
	if r := h.send("POST", "/decisions/"+a.ID+"/complete", key, `{"result":"ok"}`); r.status != 409 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestClaudeCode(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.agent("coder")
	h.permit(permitAll + `@id("no-push") @reason("nobody pushes") forbid (principal, action, resource == Tool::"local.Bash") when
	{ context.args.text.hasTag("/command") && context.args.text.getTag("/command").contains("git push") };`)
	pre := `{"session_id":"s1","transcript_path":"/t","cwd":"/w","permission_mode":"default","hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":%q},"tool_use_id":"toolu_%d"}`
	a := h.send("POST", "/hooks/claude-code", key, fmt.Sprintf(pre, "ls", 1))
	if a.status != 200 || a.body != "{}" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	id := a.header.Get("X-Reeve-Decision")
	if p := h.log.Proposed(id); p.Session != "s1" || p.Tool != "Bash" || !hasReason(p, "point.claude_code") {
		t.Errorf("%+v", p)
	}
	post := `{"session_id":"s1","hook_event_name":"PostToolUse","tool_name":"Bash","tool_input":{"command":"ls"},"tool_response":{"stdout":"a"},"tool_use_id":"toolu_1"}`
	if a := h.send("POST", "/hooks/claude-code", key, post); a.status != 200 || a.body != "{}" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if d := h.log.End(id); d.Result != activity.ResultOK || d.BytesOut != 14 {
		t.Errorf("%+v", d)
	}
	a = h.send("POST", "/hooks/claude-code?approve=true", key, fmt.Sprintf(pre, "ls", 2))
	if !strings.Contains(a.body, `"permissionDecision":"allow"`) {
		t.Errorf("%s", a.body)
	}
	fails := `{"session_id":"s1","hook_event_name":"PostToolUseFailure","tool_name":"Bash","tool_input":{"command":"ls"},"error":"exit 1","tool_use_id":"toolu_2"}`
	h.send("POST", "/hooks/claude-code", key, fails)
	if d := h.log.End(a.header.Get("X-Reeve-Decision")); d.Result != activity.ResultError {
		t.Errorf("%+v", d)
	}
	a = h.send("POST", "/hooks/claude-code", key, fmt.Sprintf(pre, "git push", 3))
	if a.status != 200 || !strings.Contains(a.body, `"permissionDecision":"deny"`) || !strings.Contains(a.body, "nobody pushes") {
		t.Errorf("%d %s", a.status, a.body)
	}
	// Whoever nobody knows is denied with a 200: else Claude Code would go on.
	for _, credential := range []string{"", "rvk_forged"} {
		if a := h.send("POST", "/hooks/claude-code", credential, fmt.Sprintf(pre, "ls", 4)); a.status != 200 || !strings.Contains(a.body, `"permissionDecision":"deny"`) {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if a := h.send("POST", "/hooks/claude-code", key, `{"hook_event_name":"PostToolUse","tool_name":"x","tool_use_id":"toolu_unknown"}`); a.status != 200 || a.header.Get("X-Reeve-Code") != "decision.not_open" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestCopilotStudio(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.agent("copilots", func(a *agent.Agent) { a.Aliases = []agent.Alias{{Kind: "agent_id", Value: "c0c0"}} })
	h.agent("hr-helper", func(a *agent.Agent) { a.Aliases = []agent.Alias{{Kind: "agent_id", Value: "8e7cafec"}} })
	h.agent("foreign", func(a *agent.Agent) {
		a.Team, a.Aliases = "finance", []agent.Alias{{Kind: "agent_id", Value: "f0f0"}}
	})
	h.permit(permitAll + `@id("no-mail") @reason("no mail") forbid (principal, action, resource == Tool::"local.SendMail");
	@id("hold") @hold("owners") permit (principal, action, resource == Tool::"local.Pay");`)
	at := "/copilot-studio/copilots/"
	if a := h.send("POST", at+"validate?api-version=2025-05-01", key, "", "Content-Type", ""); a.status != 200 || a.body != `{"isSuccessful":true,"status":"OK"}` {
		t.Errorf("%d %s", a.status, a.body)
	}
	for _, credential := range []string{"", "rvk_forged", h.agent("other")} {
		if a := h.send("POST", at+"validate", credential, ""); a.status < 400 || !strings.Contains(a.body, `"errorCode"`) {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	askAs := func(credential, tool, id string) answer {
		return h.send("POST", at+"analyze-tool-execution?api-version=2025-05-01", credential, `{"plannerContext":{"userMessage":"hi"},"toolDefinition":{"id":"1","type":"PrebuiltConnector","name":"`+tool+`"},
		"inputValues":{"to":"x"},"conversationMetadata":{"agent":{"id":"`+id+`","tenantId":"t"},"conversationId":"c1","planStepId":"p1"}}`)
	}
	ask := func(tool, id string) answer { return askAs(key, tool, id) }
	for _, c := range []struct{ credential, id, agent string }{ // "": refused
		{"a.foreign.z", "8e7cafec", "hr-helper"},
		{"rvt_support", "8e7cafec", "hr-helper"},
		{"a.foreign.z", "f0f0", "copilots"}, // of another team
		{"a.foreign.z", "unknown", "copilots"},
		{"rvt_support", "f0f0", "copilots"},
		{key, "", "copilots"},
		{key, "unknown", "copilots"},
		{key, "c0c0", "copilots"}, // itself
		{key, "8e7cafec", ""},
		{key, "f0f0", ""},
		{"a.svid.z", "8e7cafec", ""},
		{"a.svid.z", "unknown", "copilots"},
	} {
		a := askAs(c.credential, "Search", c.id)
		p := h.log.Proposed(a.header.Get("X-Reeve-Decision"))
		if c.agent == "" {
			if a.status != 200 || !strings.Contains(a.body, `"blockAction":true`) || p.Agent != "copilots" || p.Verdict != activity.VerdictDeny || p.ErrorCode != "decision.agent" || !hasReason(p, "point.copilot_studio") {
				t.Errorf("%s as %s: %d %s %+v", c.credential, c.id, a.status, a.body, p)
			}
			continue
		}
		if a.status != 200 || a.body != `{"blockAction":false}` || p.Agent != c.agent || p.Session != "c1" || !hasReason(p, "point.copilot_studio") {
			t.Errorf("%s as %s: %d %s %+v", c.credential, c.id, a.status, a.body, p)
		}
	}
	if a := ask("SendMail", ""); !strings.Contains(a.body, `"blockAction":true`) || !strings.Contains(a.body, `"reasonCode":1`) {
		t.Errorf("%s", a.body)
	}
	if a := ask("Pay", ""); !strings.Contains(a.body, `"blockAction":true`) || !strings.Contains(a.body, `"reasonCode":2`) {
		t.Errorf("a hold is a block: %s", a.body)
	}
}

// An answer that the platform did not wait for is counted: the action went on.
func TestCopilotStudioLate(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.agent("copilots")
	slow := make(chan struct{})
	h.log.Before(func() { <-slow })
	ask := func() answer {
		return h.send("POST", "/copilot-studio/copilots/analyze-tool-execution", key, `{"toolDefinition":{"name":"Pay"},"inputValues":{}}`)
	}
	done := make(chan answer)
	go func() { done <- ask() }()
	a := <-done // blocked in time, while the log does not answer
	if !strings.Contains(a.body, `"blockAction":true`) || !strings.Contains(a.body, "decision.late") {
		t.Fatalf("%s", a.body)
	}
	close(slow)
	h.settled(func(d activity.Decision) bool { return d.Result == activity.ResultCut })
	if c := h.covered("copilots"); len(c) != 0 {
		t.Errorf("blocked in time, and counted: %+v", c)
	}
	// The clock jumps while it is decided: the platform has gone on.
	h.log.Before(func() { h.clock.pass(2 * time.Second) })
	ask()
	h.settled(func(d activity.Decision) bool {
		return d.ErrorCode == "decision.late" && d.Result == activity.ResultUnknown
	})
	if c := h.covered("copilots"); len(c) != 1 || c[0].Unchecked != 1 || c[0].Share == nil || *c[0].Share != 0 || c[0].LastAt == nil {
		t.Errorf("%+v", c)
	}
}

// settled waits for a decision that ended as ok says.
func (h *house) settled(ok func(activity.Decision) bool) {
	h.t.Helper()
	for range 2000 {
		if slices.ContainsFunc(h.log.Ended(), ok) {
			return
		}
		<-time.After(time.Millisecond)
	}
	h.t.Fatal("no decision ended so")
}

func (h *house) covered(name string) []client.AgentCoverage {
	h.t.Helper()
	now := h.clock.now()
	c, err := h.coverage.List(h.t.Context(), name, now.AddDate(0, 0, -1), now, func(string, string) bool { return true })
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

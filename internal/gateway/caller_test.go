package gateway_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/identity/token"
	"reeve/internal/testkit"
)

// tokens stands for the verifier: a token "a.NAME.CHAIN" speaks for NAME.
type tokens struct{ p map[string]token.Principal }

func (v tokens) Bearer(_ context.Context, text string, _ *http.Request) (token.Principal, error) {
	p, ok := v.p[text]
	if !ok {
		return p, fault.New(fault.KindUnauthenticated, "token.invalid", "no such token")
	}
	return p, nil
}

func (v tokens) Peer(*x509.Certificate) (token.Principal, error) {
	return token.Principal{}, fault.New(fault.KindUnauthenticated, "ca.peer", "none")
}

// What an agent's standing does at the door, whatever policy permits.
func TestStanding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(t *testing.T, h *house, name string)
		status int
		code   string // of the refusal
		reason string // in the record; "" for none
	}{
		{name: "as it is", change: func(*testing.T, *house, string) {}, status: 200},
		{name: "throttled", change: contain(agent.Throttled), status: 200},
		{name: "supervised", change: contain(agent.Supervised), status: 403, code: "decision.held", reason: "floor.contained_supervised"},
		{name: "read only", change: contain(agent.ReadOnly), status: 403, code: "decision.denied", reason: "floor.contained_read_only"},
		{name: "quarantined", change: contain(agent.Quarantined), status: 403, code: "decision.denied", reason: "floor.quarantined"},
		{name: "draft", change: promote(agent.Draft), status: 403, code: "decision.denied", reason: "floor.draft"},
		{name: "in production", change: promote(agent.Production), status: 200},
		{name: "retired", change: func(t *testing.T, h *house, name string) {
			if _, err := h.agents.Retire(t.Context(), testkit.EveryRole(), name, "its work is done"); err != nil {
				t.Fatal(err)
			}
		}, status: 401, code: "agent.key"},
		{name: "held autonomy", change: func(t *testing.T, h *house, name string) {
			to := agent.Supervised
			if _, err := h.agents.Update(t.Context(), testkit.EveryRole(), name, agent.Change{Autonomy: &to}); err != nil {
				t.Fatal(err)
			}
		}, status: 403, code: "decision.held", reason: "floor.supervised"},
		{name: "observed", change: func(t *testing.T, h *house, name string) {
			to := agent.Observe
			if _, err := h.agents.Update(t.Context(), testkit.EveryRole(), name, agent.Change{Enforcement: &to}); err != nil {
				t.Fatal(err)
			}
			h.permit(`@id("no") forbid (principal, action, resource);`)
		}, status: 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			key := h.agent("refunds")
			h.upstream("shop", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
			c.change(t, h, "refunds")
			a := h.call(key, "POST", "/http/shop/v1/refunds", "{}")
			if a.status != c.status || a.problem != c.code {
				t.Fatalf("%d %s %s, want %d %s", a.status, a.problem, a.body, c.status, c.code)
			}
			if c.name == "observed" {
				d := h.log.Of(t, a.decision)
				if d.Verdict != activity.VerdictAllow || d.Would != activity.VerdictDeny || d.Enforced || d.Result != activity.ResultOK {
					t.Errorf("decision: %+v", d)
				}
			}
			if c.reason != "" {
				d := h.log.Of(t, a.decision)
				if d.Result != activity.ResultDenied || len(d.Reasons) == 0 || d.Reasons[0].Code != c.reason {
					t.Errorf("decision: %+v", d)
				}
			}
		})
	}
}

func contain(level string) func(*testing.T, *house, string) {
	return func(t *testing.T, h *house, name string) {
		t.Helper()
		if _, err := h.agents.Contain(t.Context(), testkit.EveryRole(), name, level, time.Time{}, "a test"); err != nil {
			t.Fatal(err)
		}
	}
}

func promote(to string) func(*testing.T, *house, string) {
	return func(t *testing.T, h *house, name string) {
		t.Helper()
		if _, err := h.agents.Promote(t.Context(), testkit.EveryRole(), name, to, "a test"); err != nil {
			t.Fatal(err)
		}
	}
}

// Tokens speak for registered agents at their epoch; who acts for an agent that
// may not act is refused; a name that nobody registered is told to the fleet.
func TestTokensAndDelegates(t *testing.T) {
	t.Parallel()
	known := tokens{p: map[string]token.Principal{
		"a.refunds.x":   {Credential: "jwt_svid", CredentialID: "j1", Agent: "refunds", Instance: "i1", Epoch: 1},
		"a.old.x":       {Credential: "jwt_svid", Agent: "refunds", Epoch: 0},
		"a.delegate.x":  {Credential: "access_token", Agent: "refunds", Epoch: 1, Chain: []string{"planner"}, Bound: true, User: "u1"},
		"a.models.x":    {Credential: "access_token", Agent: "refunds", Epoch: 1, Scopes: []string{"models:call"}},
		"a.apis.x":      {Credential: "access_token", Agent: "refunds", Epoch: 1, Scopes: []string{"runs:read", "apis:call"}},
		"a.door.x":      {Credential: "access_token", Agent: "refunds", Epoch: 1, Scopes: []string{"door"}},
		"a.foreign.x":   {Credential: "foreign_token", Agent: "refunds", Epoch: 1, Scopes: []string{"theirs"}},
		"a.stranger.x":  {Credential: "jwt_svid", Agent: "nobody", Epoch: 1},
		"a.quarantine.": {Credential: "jwt_svid", Agent: "refunds", Epoch: 1, Chain: []string{"bad"}},
	}}
	h := newHouse(t, func(o *gateway.Options) {
		o.Tokens = known
	})
	for _, name := range []string{"refunds", "planner", "bad"} {
		h.agent(name)
	}
	contain(agent.Quarantined)(t, h, "bad")
	h.upstream("shop", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	for _, c := range []struct{ text, code, reason string }{
		{"a.stranger.x", "agent.unknown", ""},
		{"a.refunds.x", "", ""},
		{"a.models.x", "gateway.scope", "gateway.scope"},
		{"a.apis.x", "", ""},
		{"a.door.x", "", ""},
		{"a.foreign.x", "", ""},
		{"a.old.x", "gateway.credential", ""},
		{"a.delegate.x", "", ""},
		{"a.wrong.x", "token.invalid", ""},
		{"a.quarantine.", "decision.denied", "floor.delegator"},
	} {
		a := h.call(c.text, "GET", "/http/shop/v1/orders/1", "")
		if a.problem != c.code {
			t.Errorf("%s: %d %s %s, want %s", c.text, a.status, a.problem, a.body, c.code)
			continue
		}
		if c.code != "" && c.reason == "" {
			continue
		}
		d := h.log.Of(t, a.decision)
		p := known.p[c.text]
		if d.Credential != p.Credential || d.Instance != p.Instance || d.Bound != p.Bound || d.User != p.User || fmt.Sprint(d.Chain) != fmt.Sprint(p.Chain) {
			t.Errorf("%s: decision %+v", c.text, d)
		}
		if c.reason != "" && d.Reasons[0].Code != c.reason {
			t.Errorf("%s: reasons %v", c.text, d.Reasons)
		}
	}
	found := false
	for _, d := range h.log.Ended() {
		found = found || d.Agent == "nobody" && !d.Registered
	}
	if !found {
		t.Error("no record names the agent that nobody registered")
	}
	if s := h.door.Stats(); s.Strangers != 3 {
		t.Errorf("%d strangers counted, want 3", s.Strangers)
	}
}

// A refusal leads a client to where it gets a better token.
func TestChallenges(t *testing.T) {
	t.Parallel()
	known := tokens{p: map[string]token.Principal{"a.models.x": {Credential: "access_token", Agent: "refunds", Epoch: 1, Scopes: []string{"models:call"}}}}
	h := newHouse(t, func(o *gateway.Options) { o.Tokens, o.Base = known, "https://door.example" })
	h.agent("refunds")
	h.upstream("shop", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	const where = `resource_metadata="https://door.example/.well-known/oauth-protected-resource`
	for _, c := range []struct{ text, path, want string }{
		{"a.wrong.x", "/http/shop/x", `Bearer error="invalid_token", ` + where + `"`},
		{"", "/http/shop/x", `Bearer ` + where + `"`},
		{"a.models.x", "/http/shop/v1/orders/1", `Bearer error="insufficient_scope", scope="models:call apis:call", ` + where + `"`},
		{"a.wrong.x", "/mcp/" + `"` + "x", `Bearer error="invalid_token", ` + where + `"`},
	} {
		a := h.call(c.text, "GET", c.path, "")
		if got := a.header.Get("WWW-Authenticate"); got != c.want && a.status != 404 {
			t.Errorf("%s at %s: %d %s, want %s", c.text, c.path, a.status, got, c.want)
		}
	}
}

// In dev mode a caller is who it says it is, whatever key its library sends.
func TestDevCallers(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *gateway.Options) { o.Dev = true })
	h.policies.Dev = true
	h.upstream("shop", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	for _, c := range []struct{ key, name, want, code string }{
		{"", "", "dev-agent", ""},
		{"sk-anything", "researcher", "researcher", ""},
		{"", "No Name", "", "agent.invalid"},
		{"rvk_000000000000_x", "", "", "agent.key"},
		{"rvr_tkqmo26mutdiocdybs2fpgzhbq", "", "", "gateway.credential"},
		{"rvt_000000000000", "researcher", "", "gateway.credential"},
		{"rvi_000000000000", "researcher", "", "gateway.credential"},
		{"rva_000000000000", "", "", "gateway.credential"},
		{"RVK_000000000000_x", "", "", "gateway.credential"},
		{"eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJodHRwOi8vMTI3LjAuMC4xOjczMDEifQ.AAAA", "", "", "gateway.credential"},
	} {
		a := h.call(c.key, "GET", "/http/shop/v1/orders/1", "", "X-Reeve-Agent", c.name)
		if a.problem != c.code {
			t.Errorf("%+v: %d %s", c, a.status, a.problem)
			continue
		}
		if strings.HasPrefix(c.code, "gateway.") && a.status != http.StatusUnauthorized {
			t.Errorf("%+v: status %d", c, a.status)
		}
		if c.want != "" {
			if d := h.log.Of(t, a.decision); d.Agent != c.want || d.Credential != "dev" || d.Lifecycle != "draft" {
				t.Errorf("%+v: decision %+v", c, d)
			}
		}
	}
}

// What cannot be recorded is refused, with a stable code and a time to retry,
// and never forwarded.
func TestNothingIsForwardedUnrecorded(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	h.upstream("shop", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("forwarded without a record") }), nil)
	h.log.FailWith(fault.New(fault.KindUnavailable, "decision.not_recorded", "the action was refused: its decision could not be recorded"))
	for _, path := range []string{"/http/shop/v1/orders/1", "/http/shop/nothing/here"} {
		a := h.call(key, "GET", path, "")
		if a.status != 503 || a.problem != "decision.not_recorded" || a.header.Get("Retry-After") == "" || a.decision != "" {
			t.Errorf("%s: %d %s %v", path, a.status, a.problem, a.header)
		}
	}
}

// Neither a locked control database nor one that is closed keeps a call.
func TestADatabaseThatWaitsKeepsNobody(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	h.upstream("shop", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	if a := h.call(key, "GET", "/http/shop/v1/orders/1", ""); a.status != 200 {
		t.Fatalf("before: %+v", a)
	}
	release := lockWrites(t, h.db)
	for range 20 {
		began := time.Now()
		if a := h.call(key, "GET", "/http/shop/v1/orders/1", ""); a.status != 200 {
			t.Errorf("while the database is locked: %+v", a)
		}
		// The lock's wait is seconds: anything near it went to the database.
		if took := time.Since(began); took > time.Second {
			t.Errorf("a call took %s while the database was locked", took)
		}
	}
	release()
	if err := h.db.Close(); err != nil {
		t.Fatal(err)
	}
	if a := h.call(key, "GET", "/http/shop/v1/orders/1", ""); a.status != 200 {
		t.Errorf("with the database closed: %+v", a)
	}
}

// A body that policy cannot read hides nothing: a statement about its values
// denies, also one that would only forbid.
func TestUnreadableBodiesHideNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	key := h.agent("refunds")
	h.upstream("shop", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	h.permit(permitAll + `@id("big") forbid (principal, action == Action::"call_api", resource) when { context.args.number.hasTag("/amount") && context.args.number.getTag("/amount").greaterThan(decimal("100.0")) };`)
	for body, want := range map[string]int{
		`{"amount": 5}`: 200, `{"amount": 500}`: 403, `{"amount": 5, "amount": 500}`: 403, `{"amount": 500`: 403, "\xff\xfe{\x00": 403, `{"amount": 0.000001}`: 403, ``: 200,
	} {
		if a := h.call(key, "POST", "/http/shop/v1/refunds", body, "Content-Type", "application/json"); a.status != want {
			t.Errorf("%q: %d %s, want %d", body, a.status, a.problem, want)
		}
	}
}

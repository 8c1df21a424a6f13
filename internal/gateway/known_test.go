package gateway_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/budget"
	"reeve/internal/gateway"
	"reeve/internal/identity/token"
)

// others is what other subjects know, as the test sets it.
type others struct {
	approved bool
	out      string // a name of a source out of use
	exact    bool   // that is asked for as an alias
	user     gateway.KnownUser
}

func (o *others) VersionApproved(agent, version string) bool {
	return o.approved && agent == "refunds" && version == "v1"
}

func (o *others) Fresh(team, source string) (fresh, known bool) {
	return source == "file:///new", team == "support" && source != "file:///other"
}

func (o *others) OutOfUse(team, name string, exact bool) bool {
	return name == o.out && exact == o.exact
}

func (o *others) User(user string) gateway.KnownUser {
	if user != "corp:ada" {
		return gateway.KnownUser{}
	}
	return o.user
}

// told is what they know now.
type told struct{ atomic.Pointer[others] }

func (t *told) VersionApproved(agent, version string) bool {
	return t.Load().VersionApproved(agent, version)
}
func (t *told) Fresh(team, source string) (is, known bool) { return t.Load().Fresh(team, source) }
func (t *told) OutOfUse(team, name string, exact bool) bool {
	return t.Load().OutOfUse(team, name, exact)
}
func (t *told) User(user string) gateway.KnownUser { return t.Load().User(user) }

// What other subjects know of a call, policies read:
// whether its version was approved, whether its user is active and of which team,
// what money is left, and what kind of upstream it is.
func TestPoliciesReadWhatOthersKnow(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	var ledger *budget.Ledger
	var now told
	now.Store(&others{})
	h := newHouse(t, func(o *gateway.Options) {
		o.Tokens = tokens{p: map[string]token.Principal{"a.ada.x": {Credential: "access_token", Agent: "refunds", Epoch: 1, User: "corp:ada", Expires: time.Now().Add(time.Hour)}}}
		o.Known = &now
		var err error
		if ledger, err = budget.Open(t.Context(), budget.Options{DB: openDB(t), Dir: t.TempDir(), Config: budget.Defaults()}); err != nil {
			t.Fatal(err)
		}
		ledger.Ready()
		o.Budgets = ledger
	})
	h.agent("refunds")
	h.upstream("shop", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	if _, err := ledger.Put(t.Context(), budget.Actor{Person: "ada", Can: func(string, string, string) bool { return true }}, client.Budget{Name: "m", Scope: "agent", Match: "refunds", Unit: "money", Limit: 0.25, Currency: "USD", Period: "day", Hard: true}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, when string
		knows      others
		allowed    bool
	}{
		{"no version", `context.version_approved`, others{approved: true}, false},
		{"not approved", `context has version && context.version_approved`, others{}, false},
		{"approved", `context has version && context.version_approved`, others{approved: true}, true},
		{"active", `context.user.active`, others{user: gateway.KnownUser{Directory: "reeve", Active: &yes}}, true},
		{"not active", `context.user.active`, others{user: gateway.KnownUser{Directory: "reeve", Active: &no}}, false},
		{"nobody knows", `context.user.active`, others{}, false},
		{"its issuer is gone", `context.user.active`, others{user: gateway.KnownUser{Directory: "corp"}}, false},
		{"its issuer says so by its token", `context.user.active`, others{user: gateway.KnownUser{Directory: "corp", Registered: true}}, true},
		{"of the directory", `context.user.directory == "corp"`, others{user: gateway.KnownUser{Directory: "corp"}}, true},
		{"of the team", `context.user in Team::"finance"`, others{user: gateway.KnownUser{Directory: "reeve", Teams: []string{"finance"}}}, true},
		{"of another team", `context.user in Team::"finance"`, others{user: gateway.KnownUser{Directory: "reeve", Teams: []string{"sales"}}}, false},
		{"money enough", `context.budget has money && context.budget.money.greaterThanOrEqual(decimal("0.25"))`, others{}, true},
		{"not enough", `context.budget has money && context.budget.money.greaterThan(decimal("0.25"))`, others{}, false},
		{"the kind of upstream", `Upstream::"shop".kind == "http"`, others{}, true},
		{"another kind", `Upstream::"shop".kind == "mcp"`, others{}, false},
	} {
		if c.name == "not approved" { // from here on it is known what the agent is made of
			h.agents.Seen(agent.Sighting{Agent: "refunds", At: time.Now(), Version: "v1"})
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_ = h.agents.Run(ctx) // it writes what was seen before it ends
		}
		now.Store(&c.knows)
		h.permit(`permit (principal, action == Action::"call_api", resource) when { context has user && ` + c.when + ` };`)
		if a := h.call("a.ada.x", "GET", "/http/shop/v1/orders/1", ""); (a.status == 200) != c.allowed {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		}
	}
	// Nobody vouches by a token that ended, or by none: a call that is decided anew
	// later, or one whose user a key or a team's token names.
	now.Store(&others{user: gateway.KnownUser{Directory: "corp", Registered: true}})
	a, _ := h.agents.Lookup("refunds")
	for name, c := range map[string]gateway.Caller{
		"alive":  {Credential: "access_token", Expires: time.Now().Add(time.Hour)},
		"ended":  {Credential: "access_token", Expires: time.Now().Add(-time.Second)},
		"no end": {Credential: "team_token"},
	} {
		c.Agent, c.User = a, "corp:ada"
		req, err := h.door.Ask(t.Context(), c, "call_api", "shop GET /v1/orders/{id}")
		if err != nil {
			t.Fatal(err)
		}
		if got := req.Call.UserActive; (got != nil) != (name == "alive") || got != nil && !*got {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A source is fresh, stale, or nobody knows, which is neither.
func TestPoliciesReadFreshness(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *gateway.Options) { o.Known = &others{} })
	h.agent("refunds")
	h.upstream("docs", http.NotFoundHandler(), func(u *client.Upstream) { u.Kind, u.Routes = "mcp", nil })
	a, _ := h.agents.Lookup("refunds")
	h.permit(`@id("all") permit (principal, action == Action::"read_source", resource);
@id("old") forbid (principal, action == Action::"read_source", resource) when { resource has fresh && !resource.fresh };`)
	for _, c := range []struct{ source, verdict string }{{"file:///new", "allow"}, {"file:///old", "deny"}, {"file:///other", "allow"}} {
		req, err := h.door.Ask(t.Context(), gateway.Caller{Agent: a, Credential: "agent_key"}, "read_source", "docs "+c.source)
		if err != nil {
			t.Fatal(err)
		}
		if v := h.policies.Decide(req); v.Verdict.String() != c.verdict {
			t.Errorf("%s: %s %v, want %s", c.source, v.Verdict, v.Reasons, c.verdict)
		}
	}
	h.permit(`permit (principal, action == Action::"read_source", resource) when { resource has fresh && resource.fresh };`)
	req, err := h.door.Ask(t.Context(), gateway.Caller{Agent: a, Credential: "agent_key"}, "read_source", "docs file:///other")
	if err != nil || h.policies.Decide(req).Verdict.String() != "deny" {
		t.Errorf("what nobody knows is fresh: %v", err)
	}
}

// What is out of use is refused whatever policies permit: a resource by its name, a
// tool by an alias of the source that it reads.
func TestSourcesOutOfUseAreRefused(t *testing.T) {
	t.Parallel()
	now := &told{}
	now.Store(&others{out: "file:///new"})
	h := newHouse(t, func(o *gateway.Options) { o.Known = now })
	key := h.agent("refunds")
	h.upstream("docs", http.NotFoundHandler(), func(u *client.Upstream) { u.Kind, u.Routes = "mcp", nil })
	h.upstream("shop", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	a, _ := h.agents.Lookup("refunds")
	h.permit(`permit (principal, action, resource);`)
	ask := func(action, resource string) string {
		t.Helper()
		req, err := h.door.Ask(t.Context(), gateway.Caller{Agent: a, Credential: "agent_key"}, action, resource)
		if err != nil {
			t.Fatal(err)
		}
		d := h.policies.Decide(req)
		if d.Verdict.String() == "deny" && d.Reasons[0].Code != "floor.source_out_of_use" {
			t.Errorf("%s: %v", resource, d.Reasons)
		}
		return d.Verdict.String()
	}
	if got := ask("read_source", "docs file:///new"); got != "deny" {
		t.Error("a resource out of use:", got)
	}
	if got := ask("read_source", "docs file:///other"); got != "allow" {
		t.Error("another resource:", got)
	}
	now.Store(&others{out: "shop GET /v1/orders/{id}", exact: true})
	if got := h.call(key, "GET", "/http/shop/v1/orders/1", ""); got.status != http.StatusForbidden {
		t.Errorf("a route that reads a source out of use: %d %s", got.status, got.body)
	}
	now.Store(&others{out: "shop GET /v1/orders/{id}"})
	if got := h.call(key, "GET", "/http/shop/v1/orders/1", ""); got.status != http.StatusOK {
		t.Errorf("a route that is called as a dataset is: %d %s", got.status, got.body)
	}
}

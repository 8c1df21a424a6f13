package extauthz_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"reeve/client"
	"reeve/internal/approval"
	"reeve/internal/content"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/gateway/extauthz"
	"reeve/internal/gateway/httpapi"
	"reeve/internal/gateway/llm"
	"reeve/internal/gateway/points"
	"reeve/internal/policy"
	"reeve/internal/stop"
	"reeve/internal/testkit"
)

type house struct {
	t      testing.TB
	log    testkit.Decisions
	key    string
	client authv3.AuthorizationClient
	engine *policy.Engine
	stops  *stop.Board
}

const rules = `@id("reads") permit (principal, action == Action::"call_api", resource) when { resource.effect == Effect::"read" };
@id("models") permit (principal, action == Action::"call_model", resource) when { resource.name == "gpt-4o" };
@id("held") @hold("finance") permit (principal, action == Action::"call_api", resource) when { resource.effect == Effect::"destructive" };
@id("tools") permit (principal, action == Action::"call_tool", resource) when { resource == Tool::"crm.look" };
@id("clean") @redact("pii.payment.card") permit (principal, action == Action::"call_api", resource) when { resource.route == "/v1/notes" };`

func newHouse(t testing.TB, required bool) *house {
	t.Helper()
	base := testkit.NewHouse(t)
	base.Permit(rules)
	h := &house{t: t, engine: base.Policies, stops: base.Stops}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	set, err := content.New(t.Context(), content.Options{DB: base.DB})
	must(err)
	book, err := approval.New(t.Context(), approval.Options{DB: base.DB, Key: make([]byte, approval.KeySize), Config: approval.Default()})
	must(err)
	steps := gateway.NewSteps(func(context.Context, []byte) error { return nil }, slog.New(slog.DiscardHandler))
	door, err := gateway.New(gateway.Options{
		Agents: base.Agents, Upstreams: base.Upstreams, Policies: h.engine, Stops: h.stops, Decisions: &h.log, Steps: steps, Node: "n1", Content: set,
		Approvals: book, Page: func(id string) string { return "https://reeve.example/approvals/" + id },
		Protocols: []gateway.Protocol{httpapi.New(), llm.New(nil)},
	})
	must(err)
	h.key = base.Agent("refunds")
	base.Agent("named")
	for _, u := range []client.Upstream{
		{Name: "shop", Kind: "http", URL: "https://shop.example/api", Routes: []client.Route{
			{Method: "GET", Path: "/v1/orders/{id}", Effect: "read"}, {Method: "DELETE", Path: "/v1/orders/{id}", Effect: "destructive"}, {Method: "POST", Path: "/v1/notes", Effect: "write"},
		}},
		{Name: "openai", Kind: "llm", Dialect: "openai", URL: "https://api.openai.example"},
		{Name: "crm", Kind: "mcp", URL: "https://crm.example/mcp"},
	} {
		u.Team, u.Environment = "support", "production"
		_, err = base.Upstreams.Put(t.Context(), "ada", u)
		must(err)
	}
	decide, err := points.New(points.Options{
		Door: door, Agents: base.Agents, Upstreams: base.Upstreams,
		Token: func(_ context.Context, text string) (points.Speaker, error) {
			if text != "rvt_proxy" {
				return points.Speaker{}, fault.New(fault.KindUnauthenticated, "identity.token", "the token is not valid")
			}
			return points.Speaker{ID: "tok_p", May: func(team, _ string) bool { return team == "support" }}, nil
		},
	})
	must(err)
	s, err := extauthz.New(extauthz.Options{Door: door, Points: decide, Upstreams: base.Upstreams, Required: required})
	must(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l, nil) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(err)
	t.Cleanup(func() {
		_ = conn.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	h.client = authv3.NewAuthorizationClient(conn)
	return h
}

type question struct {
	method, host, path, body string
	headers, extensions      map[string]string
	token                    string
	size                     int64
}

func (h *house) check(q question) (*authv3.CheckResponse, error) {
	ctx := h.t.Context()
	if q.token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+q.token)
	}
	if q.size == 0 {
		q.size = int64(len(q.body))
	}
	return h.client.Check(ctx, &authv3.CheckRequest{Attributes: &authv3.AttributeContext{
		Source: &authv3.AttributeContext_Peer{Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
			Address: "10.0.0.7", PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: 4711},
		}}}},
		Request: &authv3.AttributeContext_Request{Http: &authv3.AttributeContext_HttpRequest{
			Id: "1", Method: q.method, Host: q.host, Path: q.path, Scheme: "https", Headers: q.headers, Body: q.body, Size: q.size, Protocol: "HTTP/2",
		}},
		ContextExtensions: q.extensions,
	}})
}

func value(list []*corev3.HeaderValueOption, name string) string {
	for _, o := range list {
		if o.GetHeader().GetKey() == name {
			return o.GetHeader().GetValue()
		}
	}
	return ""
}

func TestCheck(t *testing.T) {
	t.Parallel()
	h := newHouse(t, false)
	mine := map[string]string{"authorization": "Bearer " + h.key, "content-type": "application/json", "x-reeve-session": "s1"}
	chat := func(model string) string {
		return `{"model":"` + model + `","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`
	}
	call := func(tool string) string {
		return `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"` + tool + `","arguments":{"a":1}}}`
	}
	for _, c := range []struct {
		name string
		q    question
		code string // of a denial; "" is allowed
		http int32
		does string // resource of the record
	}{
		{"a route", question{method: "GET", host: "shop.example", path: "/api/v1/orders/7?x=1", headers: mine}, "", 0, "shop GET /v1/orders/{id}"},
		{"with a port", question{method: "GET", host: "shop.example:443", path: "/api/v1/orders/7", headers: mine}, "", 0, "shop GET /v1/orders/{id}"},
		{"no route", question{method: "GET", host: "shop.example", path: "/api/admin", headers: mine}, "http.no_route", 403, ""},
		{"outside of the upstream's path", question{method: "GET", host: "shop.example", path: "/apiv1/orders/7", headers: mine}, "ext_authz.upstream", 404, ""},
		{"dots", question{method: "GET", host: "shop.example", path: "/api/v1/orders/../../admin", headers: mine}, "*", 0, ""},
		{"held", question{method: "DELETE", host: "shop.example", path: "/api/v1/orders/7", headers: mine}, "approval.pending", 409, "shop DELETE /v1/orders/{id}"},
		{"another port", question{method: "GET", host: "shop.example:9999", path: "/api/v1/orders/7", headers: mine}, "ext_authz.upstream", 404, ""},
		{"an unknown host", question{method: "GET", host: "evil.example", path: "/api/v1/orders/7", headers: mine}, "ext_authz.upstream", 404, ""},
		{"named by the proxy", question{method: "GET", host: "whatever", path: "/v1/orders/7", headers: mine, extensions: map[string]string{"reeve-upstream": "shop"}}, "", 0, "shop GET /v1/orders/{id}"},
		{"named wrong", question{method: "GET", host: "shop.example", path: "/v1/orders/7", headers: mine, extensions: map[string]string{"reeve-upstream": "nope"}}, "ext_authz.upstream", 404, ""},
		{"a model", question{method: "POST", host: "api.openai.example", path: "/v1/chat/completions", headers: mine, body: chat("gpt-4o")}, "", 0, "openai/gpt-4o"},
		{"another model", question{method: "POST", host: "api.openai.example", path: "/v1/chat/completions", headers: mine, body: chat("gpt-5")}, "decision.denied", 403, "openai/gpt-5"},
		{"a body that was not sent", question{method: "POST", host: "api.openai.example", path: "/v1/chat/completions", headers: mine, size: 99}, "ext_authz.body", 400, ""},
		{"half a body", question{method: "POST", host: "api.openai.example", path: "/v1/chat/completions", headers: mine, body: chat("gpt-4o"), size: 9999}, "ext_authz.body", 400, ""},
		{"what must be taken out", question{method: "POST", host: "shop.example", path: "/api/v1/notes", headers: mine, body: `{"text":"4111111111111111"}`}, "decision.obligation", 403, "shop POST /v1/notes"},
		{"nothing to take out", question{method: "POST", host: "shop.example", path: "/api/v1/notes", headers: mine, body: `{"text":"hello"}`}, "", 0, "shop POST /v1/notes"},
		{"a tool", question{method: "POST", host: "crm.example", path: "/mcp", headers: mine, body: call("look")}, "", 0, "crm.look"},
		{"a tool nobody may", question{method: "POST", host: "crm.example", path: "/mcp", headers: mine, body: call("pay")}, "decision.denied", 403, "crm.pay"},
		{"a list", question{method: "POST", host: "crm.example", path: "/mcp", headers: mine, body: `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`}, "", 0, ""},
		{"another method", question{method: "POST", host: "crm.example", path: "/mcp", headers: mine, body: `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///etc/passwd"}}`}, "ext_authz.method", 403, ""},
		{"a batch", question{method: "POST", host: "crm.example", path: "/mcp", headers: mine, body: "[" + call("look") + "]"}, "ext_authz.rpc", 400, ""},
		{"a method twice", question{method: "POST", host: "crm.example", path: "/mcp", headers: mine, body: `{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}`}, "ext_authz.rpc", 400, ""},
		{"a tool twice", question{method: "POST", host: "crm.example", path: "/mcp", headers: mine, body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"look","name":"pay"}}`}, "ext_authz.rpc", 400, ""},
		{"nobody", question{method: "GET", host: "shop.example", path: "/api/v1/orders/7"}, "gateway.credential_missing", 401, ""},
		{"forged", question{method: "GET", host: "shop.example", path: "/api/v1/orders/7", headers: map[string]string{"authorization": "Bearer rvk_forged"}}, "agent.key", 401, ""},
		{"names itself", question{method: "GET", host: "shop.example", path: "/api/v1/orders/7", headers: map[string]string{"x-reeve-agent": "refunds"}}, "gateway.credential_missing", 401, ""},
		{"named by a proxy without a token", question{method: "GET", host: "shop.example", path: "/api/v1/orders/7", extensions: map[string]string{"reeve-agent": "named"}}, "ext_authz.proxy", 401, ""},
		{"named by a proxy", question{method: "GET", host: "shop.example", path: "/api/v1/orders/7", extensions: map[string]string{"reeve-agent": "named"}, token: "rvt_proxy"}, "", 0, "shop GET /v1/orders/{id}"},
		{"unknown to the proxy", question{method: "GET", host: "shop.example", path: "/api/v1/orders/7", extensions: map[string]string{"reeve-agent": "ghost"}, token: "rvt_proxy"}, "decision.agent", 404, ""},
		{"no method", question{host: "shop.example", path: "/api/v1/orders/7", headers: mine}, "ext_authz.http", 400, ""},
	} {
		r, err := h.check(c.q)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if c.code == "" {
			ok := r.GetOkResponse()
			if ok == nil || r.GetStatus().GetCode() != 0 {
				t.Errorf("%s: %v", c.name, r)
				continue
			}
			id := value(ok.GetHeaders(), "x-reeve-decision")
			if c.does == "" {
				if id != "" {
					t.Errorf("%s: a decision %s", c.name, id)
				}
				continue
			}
			d := h.log.Proposed(id)
			if d.Resource != c.does || gateway.PointOf(&d) != "ext_authz" || value(ok.GetResponseHeadersToAdd(), "x-reeve-decision") != id {
				t.Errorf("%s: %v, %+v", c.name, r, d)
			}
			if c.q.headers != nil && (len(ok.GetHeadersToRemove()) != 1 || ok.GetHeadersToRemove()[0] != "authorization") {
				t.Errorf("%s: the agent's credential goes on: %v", c.name, ok)
			}
			if c.q.headers != nil && d.Session != "s1" {
				t.Errorf("%s: %+v", c.name, d)
			}
			continue
		}
		no := r.GetDeniedResponse()
		if no == nil || r.GetStatus().GetCode() == 0 {
			t.Errorf("%s: %v", c.name, r)
			continue
		}
		if got := value(no.GetHeaders(), "x-reeve-code"); c.code != "*" && got != c.code || c.http != 0 && int32(no.GetStatus().GetCode()) != c.http {
			t.Errorf("%s: %d %s %s, want %d %s", c.name, no.GetStatus().GetCode(), got, no.GetBody(), c.http, c.code)
		}
		if !json.Valid([]byte(no.GetBody())) || value(no.GetHeaders(), "content-type") == "" || strings.Contains(no.GetBody(), "4111111111111111") {
			t.Errorf("%s: %v", c.name, no)
		}
		if c.does != "" {
			if d := h.log.Proposed(value(no.GetHeaders(), "x-reeve-decision")); d.Resource != c.does {
				t.Errorf("%s: %+v", c.name, d)
			}
		}
	}
	r, err := h.check(question{
		method: "GET", host: "shop.example", path: "/api/v1/orders/7", headers: mine, extensions: map[string]string{"reeve-agent": "named"}, token: "rvt_proxy",
	})
	if remove := r.GetOkResponse().GetHeadersToRemove(); err != nil || len(remove) != 1 || remove[0] != "authorization" {
		t.Errorf("an agent's key goes on: %v %v", r, err)
	}
	if _, err := h.stops.Stop(t.Context(), "ada", client.StopTarget{Kind: "upstream", Value: "crm"}, "broken", time.Time{}); err != nil {
		t.Fatal(err)
	}
	r, err = h.check(question{method: "POST", host: "crm.example", path: "/mcp", headers: mine, body: `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`})
	if err != nil || r.GetDeniedResponse() == nil {
		t.Errorf("a list of a stopped upstream: %v %v", r, err)
	}
}

func TestProxyMustShowItself(t *testing.T) {
	t.Parallel()
	h := newHouse(t, true)
	q := question{method: "GET", host: "shop.example", path: "/api/v1/orders/7", headers: map[string]string{"authorization": "Bearer " + h.key}}
	for token, want := range map[string]codes.Code{"": codes.Unauthenticated, "rvt_forged": codes.Unauthenticated, h.key: codes.Unauthenticated, "rvt_proxy": codes.OK} {
		q.token = token
		if _, err := h.check(q); status.Code(err) != want {
			t.Errorf("%q: %v, want %v", token, err, want)
		}
	}
}

// What the proxy forwards is what people agreed to: another header, another query
// or anything else of a tool's params is another question. What differs between
// attempts is not.
func TestHeldIsBoundToWhatIsForwarded(t *testing.T) {
	t.Parallel()
	get := func(query string) question {
		return question{method: "GET", host: "shop.example", path: "/api/v1/orders/7?" + query}
	}
	call := func(more string) question {
		return question{method: "POST", host: "crm.example", path: "/mcp", body: `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"look","arguments":{"a":1}` + more + `}}`}
	}
	type asked struct {
		name    string
		q       question
		headers []string
		fresh   bool
	}
	for name, list := range map[string][]asked{
		"an API": {
			{"first", get("x=1"), []string{"x-forwarded-for", "203.0.113.9", "x-forwarded-proto", "https"}, true},
			{"again", get("x=1"), []string{"x-forwarded-for", "203.0.113.9", "x-forwarded-proto", "https", "x-request-id", "2", "x-b3-traceid", "f", "user-agent", "b", "x-http-method-override", "DELETE"}, false},
			{"for another", get("x=1"), []string{"x-forwarded-for", "203.0.113.1", "x-forwarded-proto", "https"}, true},
			{"another query", get("x=2"), []string{"x-forwarded-for", "203.0.113.9", "x-forwarded-proto", "https"}, true},
			{"as another user of the upstream", get("x=1"), []string{"x-forwarded-for", "203.0.113.9", "x-forwarded-proto", "https", "cookie", "session=2"}, true},
			{"the query again", get("x=2"), []string{"x-forwarded-for", "203.0.113.9", "x-forwarded-proto", "https"}, false},
		},
		"a tool": {
			{"first", call(""), nil, true},
			{"again", call(`,"_meta":{"progressToken":3}`), nil, true}, // there was no _meta before
			{"again, further", call(`,"_meta":{"progressToken":4}`), nil, false},
			{"other meta", call(`,"_meta":{"com.example/tenant":"b"}`), nil, true},
			{"as a task", call(`,"task":{"ttl":1}`), nil, true},
			{"the first again", call(" "), nil, false},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, false)
			c, err := policy.NewCompiler()
			if err != nil {
				t.Fatal(err)
			}
			rules, err := c.Compile(policy.Document{Name: "test", Cedar: `@id("h") @hold("finance") permit (principal, action, resource);`})
			if err != nil {
				t.Fatal(err)
			}
			h.engine.Replace(2, rules)
			seen := map[string]bool{}
			for _, a := range list {
				a.q.headers = map[string]string{"authorization": "Bearer " + h.key, "content-type": "application/json", "x-reeve-run": "r1"}
				for i := 0; i < len(a.headers); i += 2 {
					a.q.headers[a.headers[i]] = a.headers[i+1]
				}
				r, err := h.check(a.q)
				no := r.GetDeniedResponse()
				if err != nil || value(no.GetHeaders(), "x-reeve-code") != "approval.pending" {
					t.Fatalf("%s: %v %v", a.name, r, err)
				}
				id := h.log.Proposed(value(no.GetHeaders(), "x-reeve-decision")).Approval
				if id == "" || seen[id] == a.fresh {
					t.Errorf("%s: approval %s, asked before %v", a.name, id, seen[id])
				}
				seen[id] = true
			}
		})
	}
}

// The headers by which an upstream would take a request for another than was
// decided are taken out, however they are spelled.
func TestTakenOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t, false)
	r, err := h.check(question{method: "GET", host: "shop.example", path: "/api/v1/orders/7", headers: map[string]string{
		"authorization": "Bearer " + h.key, "x-http-method-override": "DELETE", "x_original_url": "/admin", "x-rewrite-url": "/admin", "x-forwarded-for": "203.0.113.9", "x-own": "1",
	}})
	remove := r.GetOkResponse().GetHeadersToRemove()
	if want := "authorization x-http-method-override x-rewrite-url x_original_url"; err != nil || strings.Join(remove, " ") != want {
		t.Errorf("taken out: %v, want %s (%v)", remove, want, err)
	}
}

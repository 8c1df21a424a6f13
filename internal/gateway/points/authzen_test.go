package points_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/agent"
)

// fixture is the policy that the certification scenario of AuthZEN 1.0 asks for,
// in our words: an application's agent, records, and what alice and bob may do.
// The scenario's rules are numbered as there.
const fixture = `
@id("r1-3") permit (principal == Agent::"records", action == Action::"call_tool", resource == Tool::"local.record.read")
	when { context.args.text.hasTag("/resource/id") && context.args.text.getTag("/resource/id").contains("record-1") && context.args.text.hasTag("/subject/id") && (context.args.text.getTag("/subject/id").contains("alice") || context.args.text.getTag("/subject/id").contains("bob")) };
@id("r2-5") permit (principal == Agent::"records", action == Action::"call_tool", resource == Tool::"local.record.write")
	when { context.args.text.hasTag("/subject/id") && context.args.text.getTag("/subject/id").contains("alice") && !(context.args.text.hasTag("/resource/properties/status") && context.args.text.getTag("/resource/properties/status").contains("archived")) };
@id("r6") permit (principal == Agent::"records", action == Action::"call_tool", resource == Tool::"local.record.write")
	when { context.args.text.hasTag("/subject/properties/role") && context.args.text.getTag("/subject/properties/role").contains("admin") && context.args.text.hasTag("/resource/properties/status") && context.args.text.getTag("/resource/properties/status").contains("archived") };
@id("r7-8") permit (principal == Agent::"records", action == Action::"call_tool", resource == Tool::"local.record.delete")
	when { context.args.text.hasTag("/subject/id") && context.args.text.getTag("/subject/id").contains("alice") && context.args.flag.hasTag("/action/properties/soft") && context.args.flag.getTag("/action/properties/soft") };
`

const (
	zenBase = "/authzen/records/access/v1/"
	zenOne  = zenBase + "evaluation"
	zenMany = zenBase + "evaluations"
)

func certified(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	h.agent("records", func(a *agent.Agent) { a.Labels = map[string]string{"app": "records"} })
	h.permit(fixture)
	return h
}

type zenAnswer struct {
	Decision    *bool          `json:"decision"`
	Context     map[string]any `json:"context"`
	Evaluations []struct {
		Decision *bool          `json:"decision"`
		Context  map[string]any `json:"context"`
	} `json:"evaluations"`
}

func (h *house) zen(path, body string) zenAnswer {
	h.t.Helper()
	a := h.send("POST", path, "rvt_support", body)
	if a.status != 200 || a.header.Get("Content-Type") != "application/json" {
		h.t.Fatalf("%s: %d %s", body, a.status, a.body)
	}
	var v zenAnswer
	a.into(h.t, &v)
	return v
}

const (
	alice   = `"subject":{"type":"user","id":"alice"}`
	bob     = `"subject":{"type":"user","id":"bob"}`
	admin   = `"subject":{"type":"user","id":"bob","properties":{"role":"admin"}}`
	read    = `"action":{"name":"read"}`
	write   = `"action":{"name":"write"}`
	record1 = `"resource":{"type":"record","id":"record-1"}`
	old     = `"resource":{"type":"record","id":"record-2","properties":{"status":"archived"}}`
	when    = `"context":{"time":"2025-06-27T18:03-07:00","ip":"192.168.1.1"}`
)

func object(parts ...string) string { return "{" + strings.Join(parts, ",") + "}" }

// TestCertificationBasic is the scenario's levels Basic Core and Properties.
func TestCertificationBasic(t *testing.T) {
	t.Parallel()
	h := certified(t)
	soft := func(v string) string { return `"action":{"name":"delete","properties":{"soft":` + v + `}}` }
	for _, c := range []struct {
		body string
		want bool
	}{
		{object(alice, read, record1), true},
		{object(alice, write, record1), true},
		{object(bob, read, record1), true},
		{object(bob, write, record1), false},
		{object(alice, read, record1, when), true},
		{object(alice, write, old), false},
		{object(admin, write, old), true},
		{object(alice, soft("true"), record1), true},
		{object(alice, soft("false"), record1), false},
		{object(alice, read, record1, `"unknown":{"a":1}`), true},
		{object(`"subject":{"type":"spaceship","id":"x"}`, read, record1), false},
	} {
		for range 2 { // the same each time
			if v := h.zen(zenOne, c.body); v.Decision == nil || *v.Decision != c.want {
				t.Errorf("%s: %v, want %v", c.body, v, c.want)
			}
		}
	}
	for name, body := range map[string]string{
		"no subject": object(read, record1), "no action": object(alice, record1), "no resource": object(alice, read),
		"no type": object(`"subject":{"id":"alice"}`, read, record1), "no id": object(`"subject":{"type":"user"}`, read, record1),
		"no name": object(alice, `"action":{}`, record1), "resource without type": object(alice, read, `"resource":{"id":"record-1"}`),
		"resource without id": object(alice, read, `"resource":{"type":"record"}`), "subject a string": object(`"subject":"alice"`, read, record1),
		"name a number": object(alice, `"action":{"name":123}`, record1), "malformed": `{"subject":`, "empty": "", "twice": object(alice, bob, write, record1),
		"context a string": object(alice, read, record1, `"context":"x"`), "properties a list": object(`"subject":{"type":"user","id":"a","properties":[1]}`, read, record1),
	} {
		if a := h.send("POST", zenOne, "rvt_support", body); a.status != 400 || a.body == "" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if a := h.send("POST", zenOne, "rvt_support", object(alice, read, record1), "Content-Type", "text/plain"); a.status != 400 {
		t.Errorf("content type: %d", a.status)
	}
	if a := h.send("POST", zenOne, "", object(alice, read, record1)); a.status != 401 || a.header.Get("WWW-Authenticate") == "" {
		t.Errorf("nobody: %d", a.status)
	}
	if a := h.send("POST", zenOne, "rvt_support", object(alice, read, record1), "X-Request-ID", "bfe9eb29"); a.header.Get("X-Request-ID") != "bfe9eb29" {
		t.Errorf("id: %v", a.header)
	}
	if a := h.send("POST", zenOne, "rvt_support", "{", "X-Request-ID", "bfe9eb29"); a.header.Get("X-Request-ID") != "bfe9eb29" {
		t.Errorf("id of an error: %v", a.header)
	}
}

// TestCertificationBatch is the scenario's levels Batch Core and Properties, and
// the three semantics.
func TestCertificationBatch(t *testing.T) {
	t.Parallel()
	h := certified(t)
	list := func(items ...string) string { return `"evaluations":[` + strings.Join(items, ",") + `]` }
	semantic := func(s string) string { return `"options":{"evaluations_semantic":"` + s + `"}` }
	yes, no := object(alice, write, record1), object(bob, write, record1)
	for _, c := range []struct {
		name, body string
		want       []bool
	}{
		{"defaults", object(alice, read, list(object(record1), object(record1))), []bool{true, true}},
		{"no defaults", object(list(object(alice, read, record1), object(bob, write, record1))), []bool{true, false}},
		{"properties", object(alice, write, record1, list(object(), object(old))), []bool{true, false}},
		{"subjects", object(write, old, list(object(alice), object(admin))), []bool{false, true}},
		{"context", object(alice, read, when, list(object(record1), object(record1, `"context":{"source":"x"}`))), []bool{true, true}},
		{"one is incomplete", object(alice, read, semantic("execute_all"), list(object(record1), object())), []bool{true, false}},
		{"one is no object", object(alice, read, record1, list("{}", "7", `{"subject":"x"}`)), []bool{true, false, false}},
		{"execute all", object(semantic("execute_all"), list(no, yes, no)), []bool{false, true, false}},
		{"deny first", object(semantic("deny_on_first_deny"), list(yes, no, yes)), []bool{true, false}},
		{"permit first", object(semantic("permit_on_first_permit"), list(no, yes, no)), []bool{false, true}},
	} {
		v := h.zen(zenMany, c.body)
		var got []bool
		for _, e := range v.Evaluations {
			if e.Decision == nil {
				t.Fatalf("%s: no decision", c.name)
			}
			got = append(got, *e.Decision)
		}
		if !slices.Equal(got, c.want) || v.Decision != nil {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	for _, body := range []string{object(alice, read, record1), object(alice, read, record1, list())} {
		if v := h.zen(zenMany, body); v.Decision == nil || !*v.Decision || v.Evaluations != nil {
			t.Errorf("%s: %+v", body, v)
		}
	}
	for name, body := range map[string]string{
		"too many": object(alice, read, record1, list(slices.Repeat([]string{"{}"}, 201)...)), "no list": object(alice, read, record1, `"evaluations":{}`),
		"unknown semantic": object(alice, read, record1, semantic("best_effort"), list("{}")), "options a string": object(alice, read, record1, `"options":"x"`, list("{}")),
	} {
		if a := h.send("POST", zenMany, "rvt_support", body); a.status != 400 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

// TestCertificationDiscovery is the scenario's level Discovery.
func TestCertificationDiscovery(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for path, base := range map[string]string{"": "https://door.example", "/authzen/records": "https://door.example/authzen/records"} {
		a := h.send("GET", "/.well-known/authzen-configuration"+path, "", "", "X-Request-ID", "q1")
		var v map[string]any
		a.into(t, &v)
		if a.status != 200 || a.header.Get("Content-Type") != "application/json" || a.header.Get("X-Request-ID") != "q1" || v["policy_decision_point"] != base {
			t.Fatalf("%d %s", a.status, a.body)
		}
		for name, end := range map[string]string{
			"access_evaluation_endpoint": "evaluation", "access_evaluations_endpoint": "evaluations", "search_subject_endpoint": "search/subject",
			"search_resource_endpoint": "search/resource", "search_action_endpoint": "search/action",
		} {
			if v[name] != base+"/access/v1/"+end {
				t.Errorf("%s is %v", name, v[name])
			}
		}
	}
}

// Search answers from what is registered. The scenario's errors and empty
// results hold; people and an application's own resources are not registered.
func TestSearch(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.agent("refunds")
	h.agent("billing", func(a *agent.Agent) { a.Team = "finance" })
	h.agent("reader")
	for _, u := range []client.Upstream{
		{Name: "openai", Kind: "llm", Dialect: "openai", URL: "https://api.openai.example", Team: "support", Environment: "production", Shared: true, Models: []client.ModelRule{{Name: "gpt-a"}, {Name: "gpt-b"}, {Name: "o*"}}},
		{Name: "shop", Kind: "http", URL: "https://shop.example", Team: "support", Environment: "production", Routes: []client.Route{
			{Method: "GET", Path: "/v1/orders", Effect: "read"}, {Method: "POST", Path: "/v1/refunds", Effect: "write"}, {Method: "GET", Path: "/v1/orders/{id}", Effect: "read"},
		}},
	} {
		if _, err := h.upstreams.Put(t.Context(), "ada", u); err != nil {
			t.Fatal(err)
		}
	}
	h.permit(`@id("models") permit (principal == Agent::"refunds", action == Action::"call_model", resource) when { resource.name == "gpt-a" };
	@id("api") permit (principal, action == Action::"call_api", resource) when { resource.effect == Effect::"read" };
	@id("tool") permit (principal == Agent::"refunds", action == Action::"call_tool", resource == Tool::"local.pay");`)
	search := func(what, credential, body string) []map[string]string {
		t.Helper()
		a := h.send("POST", "/access/v1/search/"+what, credential, body)
		if a.status != 200 {
			t.Fatalf("%s %s: %d %s", what, body, a.status, a.body)
		}
		var v struct{ Results []map[string]string }
		a.into(t, &v)
		if v.Results == nil {
			t.Fatalf("no results: %s", a.body)
		}
		return v.Results
	}
	names := func(list []map[string]string) string {
		var out []string
		for _, m := range list {
			out = append(out, m["id"]+m["name"])
		}
		return strings.Join(out, ", ")
	}
	me := `"subject":{"type":"agent","id":"refunds"}`
	for _, c := range []struct{ what, body, want string }{
		{"resource", object(me, `"action":{"name":"call_model"}`, `"resource":{"type":"model"}`), "openai/gpt-a"},
		{"resource", object(me, `"action":{"name":"call_model"}`, `"resource":{"type":"model","id":"ignored"}`), "openai/gpt-a"},
		{"resource", object(me, `"action":{"name":"call_api"}`, `"resource":{"type":"api"}`), "shop GET /v1/orders"},
		{"resource", object(me, read, `"resource":{"type":"record"}`), ""},
		{"action", object(me, `"resource":{"type":"tool","id":"pay"}`, `"page":{"limit":1}`), "call_tool"},
		{"action", object(me, `"resource":{"type":"tool","id":"shell"}`), ""},
		{"action", object(me, `"resource":{"type":"model","id":"openai/gpt-b"}`), ""},
		{"action", object(`"subject":{"type":"user","id":"nonexistent"}`, record1), ""},
		{"subject", object(`"subject":{"type":"agent"}`, `"action":{"name":"call_tool"}`, `"resource":{"type":"tool","id":"pay"}`), "refunds"},
		{"subject", object(`"subject":{"type":"agent","id":"ignored"}`, `"action":{"name":"call_api"}`, `"resource":{"type":"api","id":"shop GET /v1/orders/7"}`), "reader, refunds"},
		{"subject", object(`"subject":{"type":"spaceship"}`, read, record1), ""},
		{"subject", object(`"subject":{"type":"user"}`, read, record1), ""},
	} {
		if got := names(search(c.what, "rvt_support", c.body)); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.what, c.body, got, c.want)
		}
	}
	// An agent sees what it may do itself.
	if got := names(search("subject", key, object(`"subject":{"type":"agent"}`, `"action":{"name":"call_api"}`, `"resource":{"type":"api","id":"shop GET /v1/orders/7"}`))); got != "refunds" {
		t.Error(got)
	}
	for what, bodies := range map[string][]string{
		"subject":  {object(`"subject":{"type":"user"}`, record1), object(`"subject":{"type":"user"}`, read, `"resource":{"type":"record"}`), object(`"subject":{}`, read, record1)},
		"resource": {object(read, `"resource":{"type":"record"}`), object(`"subject":{"type":"user"}`, read, `"resource":{"type":"record"}`)},
		"action":   {object(alice), object(`"subject":{"type":"user"}`, record1), object(alice, record1, `"page":7`)},
	} {
		for _, body := range bodies {
			if a := h.send("POST", "/access/v1/search/"+what, "rvt_support", body); a.status != 400 {
				t.Errorf("%s %s: %d %s", what, body, a.status, a.body)
			}
		}
	}
	if len(h.log.Proposals()) != 0 {
		t.Errorf("searching left %d records", len(h.log.Proposals()))
	}
}

// What agents ask of upstreams is read as the door reads it.
func TestAuthZENUpstreams(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.agent("refunds")
	other := h.agent("other")
	if _, err := h.upstreams.Put(t.Context(), "ada", client.Upstream{Name: "shop", Kind: "http", URL: "https://shop.example", Team: "support", Environment: "production", Routes: []client.Route{{Method: "GET", Path: "/v1/orders/{id}", Effect: "read"}}}); err != nil {
		t.Fatal(err)
	}
	ask := func(credential, subject, resource string) zenAnswer {
		a := h.send("POST", "/access/v1/evaluation", credential, object(`"subject":{"type":"agent","id":"`+subject+`"}`, `"action":{"name":"call_api"}`, `"resource":{"type":"api","id":"`+resource+`"}`))
		if a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		var v zenAnswer
		a.into(t, &v)
		return v
	}
	for _, c := range []struct {
		credential, subject, resource string
		want                          bool
		code                          string
	}{
		{key, "refunds", "shop GET /v1/orders/7", true, ""},
		{key, "refunds", "shop DELETE /v1/orders/7", false, "http.no_route"},
		{key, "refunds", "shop GET /v1/../admin", false, ""},
		{key, "refunds", "nowhere GET /", false, "upstream.not_found"},
		{other, "refunds", "shop GET /v1/orders/7", false, "decision.agent"},
		{key, "ghost", "shop GET /v1/orders/7", false, "decision.agent"},
	} {
		v := ask(c.credential, c.subject, c.resource)
		if v.Decision == nil || *v.Decision != c.want || c.code != "" && v.Context["reason_code"] != c.code {
			b, _ := json.Marshal(v)
			t.Errorf("%s %s: %s", c.subject, c.resource, b)
		}
	}
	id, _ := ask(key, "refunds", "shop GET /v1/orders/7").Context["evaluation_id"].(string)
	if p := h.log.Proposed(id); p.Action != "call_api" || p.Resource != "shop GET /v1/orders/{id}" || !hasReason(p, "point.authzen") {
		t.Errorf("%+v", p)
	}
}

package gateway_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/gateway"
	"reeve/internal/testkit"
)

// What another team owns and does not share is no agent's to call, whatever the
// policies permit, and an agent that is only observed is held to it too.
func TestAnotherTeamsUpstream(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	h.permit(`permit (principal, action, resource);`)
	var calls atomic.Int64
	count := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { calls.Add(1); _, _ = io.WriteString(w, "{}") })
	h.upstream("vault", count, func(u *client.Upstream) { u.Team = "treasury" })
	h.upstream("wiki", count, func(u *client.Upstream) { u.Team, u.Shared = "treasury", true })
	h.upstream("shop", count, nil)
	observe := agent.Observe
	for _, name := range []string{"refunds", "watched"} {
		key := h.agent(name)
		if name == "watched" {
			if _, err := h.agents.Update(t.Context(), testkit.EveryRole(), name, agent.Change{Enforcement: &observe}); err != nil {
				t.Fatal(err)
			}
		}
		a := h.call(key, "GET", "/http/vault/v1/orders/7", "")
		d := h.log.Of(t, a.decision)
		if a.status != 403 || a.problem != "decision.denied" || d.Verdict != activity.VerdictDeny || d.Floor != activity.VerdictDeny || d.Reasons[0].Code != "floor.upstream_team" {
			t.Errorf("%s at another team's: %d %s %+v", name, a.status, a.problem, d.Reasons)
		}
		if calls.Load() != 0 {
			t.Fatalf("%s: the upstream was called", name)
		}
		for _, up := range []string{"wiki", "shop"} {
			if a := h.call(key, "GET", "/http/"+up+"/v1/orders/7", ""); a.status != 200 {
				t.Errorf("%s at %s: %d %s", name, up, a.status, a.body)
			}
		}
		calls.Store(0)
	}
}

// In --dev who shows nothing reaches every upstream, and who shows a key is held
// to that agent's team.
func TestAnotherTeamsUpstreamInDev(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *gateway.Options) { o.Dev, o.Policies.Dev = true, true })
	h.permit(`permit (principal, action, resource);`)
	h.upstream("vault", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }), func(u *client.Upstream) { u.Team = "treasury" })
	key := h.agent("refunds")
	if a := h.call("", "GET", "/http/vault/v1/orders/7", ""); a.status != 200 {
		t.Errorf("without a credential: %d %s", a.status, a.body)
	}
	if a := h.call("", "GET", "/http/vault/v1/orders/7", "", "X-Reeve-Agent", "refunds"); a.status != 200 {
		t.Errorf("without a credential, as a registered agent: %d %s", a.status, a.body)
	}
	if a := h.call(key, "GET", "/http/vault/v1/orders/7", ""); a.status != 403 || h.log.Of(t, a.decision).Reasons[0].Code != "floor.upstream_team" {
		t.Errorf("with a key: %d %s", a.status, a.body)
	}
}

// Whoever sends a credential of ours in a shape that is not read is told so, and is
// nobody's --dev agent.
func TestCredentialWithoutItsScheme(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *gateway.Options) { o.Dev, o.Policies.Dev = true, true })
	h.permit(`permit (principal, action, resource);`)
	h.upstream("shop", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }), nil)
	key := h.agent("refunds")
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, value := range []string{key, "Token " + key, "token token " + key, basic("refunds:" + key), basic(key + ":"), "rvt_x", "RVK_x"} {
		if a := h.call("", "GET", "/http/shop/v1/orders/7", "", "Authorization", value); a.status != 401 || a.problem != "gateway.credential_scheme" {
			t.Errorf("%.12s…: %d %s", value, a.status, a.problem)
		}
	}
	if a := h.call("", "GET", "/http/shop/v1/orders/7", "", "X-Api-Key", "Bearer "+key); a.status != 401 || a.problem != "gateway.credential_scheme" {
		t.Errorf("with its scheme where there is none: %d %s", a.status, a.problem)
	}
	for _, value := range []string{"Bearer " + key, "bearer " + key, basic("user:password"), "Basic !", "AWS4-HMAC-SHA256 Credential=AKIA/20261127/us-east-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"} {
		if a := h.call("", "GET", "/http/shop/v1/orders/7", "", "Authorization", value); a.status != 200 {
			t.Errorf("%.20s…: %d %s", value, a.status, a.body)
		}
	}
}

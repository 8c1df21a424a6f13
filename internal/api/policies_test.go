package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/policy"
)

func withPolicies(t *testing.T) testAPI {
	t.Helper()
	a := newTestAPI(t, nil)
	store, err := policy.NewStore(t.Context(), policy.StoreOptions{DB: a.house.db, Engine: &policy.Engine{}})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Policies = store
	return a
}

func quoted(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A team's developers propose, security enforces, other teams see nothing.
func TestPolicies(t *testing.T) {
	t.Parallel()
	a := withPolicies(t)
	path := Prefix + "/policies/refunds"
	body := func(mode string, revision int64) string {
		return quoted(t, client.PutPolicyRequest{Team: "core", Mode: mode, Cedar: "permit (principal, action, resource);", Reason: "try", Revision: revision})
	}
	for _, c := range []struct {
		caller, method, path, body string
		want                       int
	}{
		{"as developer@shop/*", http.MethodPut, path, body("observe", 0), http.StatusForbidden},
		{"as developer@core/test", http.MethodPut, path, body("enforce", 0), http.StatusForbidden},
		{"as developer@core/test", http.MethodPut, path, body("", 0), http.StatusOK},
		{"as developer@core/test", http.MethodPut, path, body("", 0), http.StatusConflict},
		{"as developer@core/test", http.MethodPut, path, body("loud", 1), http.StatusBadRequest},
		{"as developer@shop/*", http.MethodPut, path, body("", 1), http.StatusConflict}, // taken, and not shown
		{"as developer@core/test", http.MethodPost, path + "/mode", `{"mode":"enforce"}`, http.StatusForbidden},
		{"as security@core/test", http.MethodPost, path + "/mode", `{"mode":"enforce"}`, http.StatusForbidden}, // it acts in production too
		{"as security@core/*", http.MethodPost, path + "/mode", `{"mode":"enforce","reason":"seen"}`, http.StatusOK},
		{"as viewer@shop/*", http.MethodGet, path, "", http.StatusNotFound},
		{"as viewer@shop/*", http.MethodGet, path + "/revisions", "", http.StatusNotFound},
		{"as viewer@shop/*", http.MethodGet, Prefix + "/policies/guardrails", "", http.StatusOK},
		{"as security@core/*", http.MethodDelete, Prefix + "/policies/guardrails", "", http.StatusForbidden},
		{"as security@core/*", http.MethodDelete, path + "?reason=over", "", http.StatusNoContent},
		{"as security@core/*", http.MethodPost, path + "/restore", `{"revision":1}`, http.StatusOK},
		{"as security", http.MethodPut, Prefix + "/policies/check", body("", 0), http.StatusBadRequest}, // reserved
		{"as security", http.MethodPut, Prefix + "/policies/Big", body("", 0), http.StatusBadRequest},
		{"as security", http.MethodPut, Prefix + "/policies/x", `{"cedar":"permit (principal"}`, http.StatusBadRequest},
	} {
		if got := send(a, c.method, c.path, c.caller, c.body); got.status != c.want {
			t.Errorf("%s %s %s %s: %d %s, want %d", c.caller, c.method, c.path, c.body, got.status, got.body, c.want)
		}
	}
	if p := get[client.Policy](t, a, "/policies/refunds", "as viewer@core/*"); p.Mode != "observe" || p.Revision != 4 || p.Statements[0].Effect != "permit" || p.Origin != "api" {
		t.Errorf("restored: %+v", p)
	}
	if l := get[client.List[client.Policy]](t, a, "/policies", "as viewer@shop/*"); len(l.Items) != 5 || !l.Items[0].Guardrail {
		t.Errorf("another team sees %+v", l.Items)
	}
	if l := get[client.List[client.PolicyRevision]](t, a, "/policies/refunds/revisions", "as viewer@core/*"); len(l.Items) != 4 || l.Items[3].Reason != "try" {
		t.Errorf("revisions %+v", l.Items)
	}
}

func TestValidatePolicy(t *testing.T) {
	t.Parallel()
	a := withPolicies(t)
	ask := func(cedar string) (v client.PolicyValidation) {
		t.Helper()
		got := send(a, http.MethodPost, Prefix+"/policies/validate", "as viewer", quoted(t, client.ValidatePolicyRequest{Cedar: cedar}))
		if got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
		if err := json.Unmarshal(got.body, &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	if v := ask(`@hold("ops:2") permit (principal == Agent::"nobody", action, resource);`); !v.OK || v.Statements[0].Hold != "ops:2" || len(v.Warnings) != 1 {
		t.Errorf("%+v", v)
	}
	v := ask("permit (principal, action == Action::\"call_tool\", resource)\nwhen { resource.effect == Effect::\"raed\" };")
	if v.OK || len(v.Problems) != 1 || v.Problems[0].Line != 2 || v.Problems[0].Column != 27 || !strings.Contains(v.Problems[0].Text, "raed") {
		t.Errorf("%+v", v)
	}
}

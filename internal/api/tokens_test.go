package api

import (
	"net/http"
	"slices"
	"testing"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/identity"
	"reeve/internal/upstream"
)

// decisive are the acts that no token does, whatever its roles: approving,
// releasing, giving roles, and what is worth a second factor. One that is taken
// off the table's marks is a change that wants a look.
var decisive = []string{
	"Approve", "EditApproval", "TakeOver", "ConfirmProposal", // agreeing
	"ReleaseAgent", "LiftStop", "BreakGlass", "WaiveStandard", "ResumeRelay", // loosening
	"CreatePerson", "UpdatePerson", "CreateToken", "RemoveFactor", "RenewRecoveryCodes", // people
	"PutContentRule", "DeleteContentRule", "PutResponsePolicy", "DeleteResponsePolicy", "AcceptTool", "AcceptTools", // what is looked for, and what follows
	"RotateAuthority", "RotateAuditKey", "PutRelay", "EraseUser", // keys, and content that leaves or goes
}

// everyRoleSpec names a caller with every role.
func everyRoleSpec() (spec string) {
	for i, r := range identity.Roles() {
		if i > 0 {
			spec += "+"
		}
		spec += string(r)
	}
	return spec
}

func TestTokensDecideNothing(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	token := a.house.token(everyRoleSpec())
	for i := range a.table {
		op := &a.table[i]
		if slices.Contains(decisive, op.Name) && !op.Permission.person {
			t.Errorf("%s is open to tokens", op.Name)
		}
		path, body := example(op)
		if op.Permission.person {
			if got := send(a, op.Method, path, token, body); got.status != http.StatusForbidden || got.problem(t).Code != "api.person_only" {
				t.Errorf("%s by a token with every role: %d %s", op.Name, got.status, got.body)
			}
		}
		if op.Permission.recent {
			if got := send(a, op.Method, path, "as bare "+everyRoleSpec(), body); got.status != http.StatusForbidden || got.problem(t).Code != "identity.factor_missing" {
				t.Errorf("%s without a second factor: %d %s", op.Name, got.status, got.body)
			}
		}
	}
	for _, name := range decisive {
		if !slices.ContainsFunc(a.table, func(o operation) bool { return o.Name == name }) {
			t.Errorf("there is no operation %s any more", name)
		}
	}
}

// Where it depends on what is asked, a token gets as far as what needs nobody.
func TestTokensWriteNoGuardrails(t *testing.T) {
	t.Parallel()
	a := withPolicies(t)
	token := a.house.token(everyRoleSpec())
	forbid := "forbid (principal, action, resource) when { context has user };"
	for _, c := range []struct {
		name, method, path, body string
	}{
		{"a new guardrail", http.MethodPut, "/policies/new", quoted(t, client.PutPolicyRequest{Guardrail: true, Cedar: forbid})},
		{"a guardrail that is one no more", http.MethodPut, "/policies/guardrails", quoted(t, client.PutPolicyRequest{Cedar: forbid, Revision: 1})},
		{"a guardrail's end", http.MethodDelete, "/policies/guardrails", ""},
		{"a guardrail in observe", http.MethodPost, "/policies/guardrails/mode", `{"mode":"observe"}`},
		{"an older guardrail", http.MethodPost, "/policies/guardrails/restore", `{"revision":1}`},
	} {
		got := send(a, c.method, Prefix+c.path, token, c.body)
		if got.status != http.StatusForbidden {
			t.Errorf("%s by a token: %d %s", c.name, got.status, got.body)
		}
	}
	if p, ok := a.o.Policies.Get("guardrails"); !ok || p.Revision != 1 {
		t.Error("the guardrails changed")
	}
	if got := send(a, http.MethodPut, Prefix+"/policies/plain", token, quoted(t, client.PutPolicyRequest{Cedar: forbid})); got.status != http.StatusOK {
		t.Errorf("a policy that is no guardrail: %d %s", got.status, got.body)
	}
}

// What is dangerous needs a second factor shown just now: here by name, so that
// one that loses its mark is seen, and where it depends on what is asked.
func TestEveryDangerousActNeedsAFactor(t *testing.T) {
	t.Parallel()
	a := withPolicies(t)
	for _, name := range []string{
		"Approve", "EditApproval", "TakeOver", "ConfirmProposal", "ReleaseAgent", "LiftStop", // approving and releasing
		"RotateAuthority", "RotateAuditKey", // authority
		"PutContentRule", "DeleteContentRule", // content rules
		"PutRelay", "EraseUser", // content that leaves or goes
		"AcceptTool", "AcceptTools", "PutResponsePolicy", "DeleteResponsePolicy", "RemoveFactor", "RenewRecoveryCodes", "TellRun",
	} {
		i := slices.IndexFunc(a.table, func(o operation) bool { return o.Name == name })
		if i < 0 || !a.table[i].Permission.recent {
			t.Errorf("%s needs no fresh factor", name)
		}
	}
	agents, err := agent.New(t.Context(), agent.Options{DB: a.house.db})
	if err != nil {
		t.Fatal(err)
	}
	ups, err := upstream.New(t.Context(), upstream.Options{DB: a.house.db, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Agents, a.o.Upstreams = agents, ups
	for _, step := range [][2]string{
		{"/agents", `{"name":"refund","team":"core","purpose":"gives money back"}`},
		{"/agents/refund/promote", `{"to":"production","reason":"ready"}`},
	} {
		if got := send(a, http.MethodPost, Prefix+step[0], "as security+developer", step[1]); got.status >= 300 {
			t.Fatalf("%s: %d %s", step[0], got.status, got.body)
		}
	}
	const key = `{"kind":"http","url":"https://api.example.com","team":"core","environment":"production","credential":{"kind":"bearer","source":"value","value":"sk-secret","set":false}}`
	guardrail := quoted(t, client.PutPolicyRequest{Guardrail: true, Cedar: "forbid (principal, action, resource) when { context has user };"})
	for _, c := range [][4]string{
		{"a key of an agent in production", http.MethodPost, "/agents/refund/keys", `{"label":"ci","expires_in":"1d"}`},
		{"an upstream's credential", http.MethodPut, "/upstreams/shop", key},
		{"a guardrail", http.MethodPut, "/policies/mine", guardrail},
		{"a guardrail's end", http.MethodDelete, "/policies/guardrails", ""},
		{"a guardrail in observe", http.MethodPost, "/policies/guardrails/mode", `{"mode":"observe"}`},
		{"an account with roles", http.MethodPost, "/people", `{"name":"eve","password":"` + testPassword + `","grants":[{"role":"admin","team":"*","environment":"*"}]}`},
	} {
		got := send(a, c[1], Prefix+c[2], "as bare "+everyRoleSpec(), c[3])
		if got.status != http.StatusForbidden || got.problem(t).Code != "identity.factor_missing" {
			t.Errorf("%s without a second factor: %d %s", c[0], got.status, got.body)
		}
		if got := send(a, c[1], Prefix+c[2], "as "+everyRoleSpec(), c[3]); got.status >= 300 {
			t.Errorf("%s with one: %d %s", c[0], got.status, got.body)
		}
	}
}

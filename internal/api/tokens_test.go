package api

import (
	"net/http"
	"slices"
	"testing"

	"reeve/client"
	"reeve/internal/identity"
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

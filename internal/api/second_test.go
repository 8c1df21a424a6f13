package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/agent"
	"reeve/internal/audit"
)

// seconds lists who was the second person of the changes of a kind, newest first.
func (h *house) seconds(kind string) []string {
	h.t.Helper()
	entries, err := h.audit(h.t.Context(), audit.Filter{Kind: kind})
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		var r struct {
			Body struct{ Person, Second string }
		}
		if err := json.Unmarshal(e.Raw, &r); err != nil {
			h.t.Fatal(err)
		}
		out = append(out, r.Body.Second)
	}
	return out
}

func decode[T any](t *testing.T, a answer, status int) T {
	t.Helper()
	var v T
	if a.status != status {
		t.Fatalf("answer %d %s, want %d", a.status, a.body, status)
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("answer %s: %v", a.body, err)
	}
	return v
}

func TestRolesNeedASecondPerson(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	eve := decode[client.Person](t, send(a, "POST", Prefix+"/people", "as admin", `{"name":"eve","password":"`+testPassword+`"}`), http.StatusCreated)
	roles := `{"version":1,"grants":[{"role":"security","team":"*","environment":"*"}]}`

	if got := send(a, "PATCH", Prefix+"/people/"+eve.ID, "as bare admin", roles); got.status != http.StatusForbidden || got.problem(t).Code != "identity.factor_missing" {
		t.Errorf("without a second factor: %d %s", got.status, got.body)
	}
	// "bare admin" is an admin too by now, so nobody is alone.
	p := decode[client.Proposal](t, send(a, "PATCH", Prefix+"/people/"+eve.ID, "as admin", roles), http.StatusAccepted)
	if p.State != "open" || !strings.Contains(p.Summary, "eve the roles security * *") {
		t.Errorf("proposal %+v", p)
	}
	confirm := Prefix + "/proposals/" + p.ID + "/confirm"
	for spec, code := range map[string]string{
		"as admin":      "identity.second_person",
		"as bare admin": "identity.factor_missing",
		"as security":   "api.role_missing",
	} {
		if got := send(a, "POST", confirm, spec, ""); got.status != http.StatusForbidden || got.problem(t).Code != code {
			t.Errorf("confirming %s: %d %s, want %s", spec, got.status, got.body, code)
		}
	}
	if l := get[client.List[client.Proposal]](t, a, "/proposals?open=true", "as security"); len(l.Items) != 0 {
		t.Errorf("shown to who may not confirm: %+v", l.Items)
	}
	done := decode[client.Proposal](t, send(a, "POST", confirm, "as admin+viewer", ""), http.StatusOK)
	if done.State != "done" || done.DecidedBy == "" {
		t.Errorf("confirmed: %+v", done)
	}
	if got := send(a, "POST", confirm, "as admin+viewer", ""); got.status != http.StatusConflict {
		t.Errorf("confirming twice: %d %s", got.status, got.body)
	}
	now, err := a.house.Person(t.Context(), eve.ID)
	if err != nil || len(now.Grants) != 1 || string(now.Grants[0].Role) != "security" {
		t.Errorf("eve: %+v, %v", now, err)
	}
	if s := a.house.seconds("admin.person_updated"); len(s) == 0 || !strings.HasPrefix(s[0], "per_") {
		t.Errorf("second people recorded: %q", s)
	}
}

func TestAloneIsRecordedAsSelf(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	made := decode[client.Person](t, send(a, "POST", Prefix+"/people", "as admin", `{"name":"eve","password":"`+testPassword+`","grants":[{"role":"viewer","team":"*","environment":"*"}]}`), http.StatusCreated)
	if made.Waits != "" || len(made.Grants) != 1 {
		t.Errorf("the only admin makes an account with roles: %+v", made)
	}
	if s := a.house.seconds("admin.person_created"); len(s) == 0 || s[0] != audit.Self {
		t.Errorf("second people recorded: %q, want %q first", s, audit.Self)
	}
	a.house.session("bare admin")
	made = decode[client.Person](t, send(a, "POST", Prefix+"/people", "as admin", `{"name":"pat","password":"`+testPassword+`","grants":[{"role":"viewer","team":"*","environment":"*"}]}`), http.StatusCreated)
	if made.Waits == "" || len(made.Grants) != 0 {
		t.Errorf("with another admin the roles wait: %+v", made)
	}
	l := get[client.List[client.Proposal]](t, a, "/proposals", "as admin")
	if len(l.Items) != 1 || !l.Items[0].Mine || strings.Contains(string(l.Items[0].Request), testPassword) {
		t.Errorf("proposals: %+v", l.Items)
	}
	if got := send(a, "POST", Prefix+"/proposals/"+made.Waits+"/withdraw", "as admin", ""); got.status != http.StatusOK {
		t.Errorf("withdrawing: %d %s", got.status, got.body)
	}
}

func TestReleaseFromQuarantineNeedsTwo(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	register, err := agent.New(t.Context(), agent.Options{DB: a.house.db})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Agents = register
	decode[client.Agent](t, send(a, "POST", Prefix+"/agents", "as developer", `{"name":"refund","team":"core","environment":"staging","purpose":"refunds"}`), http.StatusCreated)
	a.house.session("security")
	a.house.session("security+viewer")
	contain := func(level string) {
		t.Helper()
		decode[client.Agent](t, send(a, "POST", Prefix+"/agents/refund/contain", "as responder", `{"containment":"`+level+`","reason":"odd"}`), http.StatusOK)
	}
	contain("throttled")
	if got := send(a, "POST", Prefix+"/agents/refund/release", "as security", `{"reason":"fine"}`); got.status != http.StatusOK {
		t.Errorf("release from throttled: %d %s", got.status, got.body)
	}
	contain("quarantined")
	if got := send(a, "POST", Prefix+"/agents/refund/release", "as bare security", `{"reason":"fine"}`); got.status != http.StatusForbidden {
		t.Errorf("release without a factor: %d %s", got.status, got.body)
	}
	p := decode[client.Proposal](t, send(a, "POST", Prefix+"/agents/refund/release", "as security", `{"reason":"fine"}`), http.StatusAccepted)
	if got, _ := register.Lookup("refund"); got.Contained(time.Now()) != agent.Quarantined {
		t.Error("released before the second person agreed")
	}
	decode[client.Proposal](t, send(a, "POST", Prefix+"/proposals/"+p.ID+"/confirm", "as security+viewer", ""), http.StatusOK)
	if got, _ := register.Lookup("refund"); got.Contained(time.Now()) != agent.None {
		t.Errorf("after the second person agreed: %s", got.Contained(time.Now()))
	}
}

func TestShowingAFactor(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	a.house.session("bare security")
	if me := get[client.Me](t, a, "/me", "as bare security"); me.HasFactor || me.FreshUntil != nil {
		t.Errorf("before: %+v", me)
	}
	e := decode[client.Enrolment](t, send(a, "POST", Prefix+"/me/factors", "as bare security", `{"label":"phone","password":"`+testPassword+`"}`), http.StatusCreated)
	if !strings.HasPrefix(e.Image, "data:image/png;base64,") {
		t.Errorf("picture %.40s", e.Image)
	}
	codes := decode[client.RecoveryCodes](t, send(a, "POST", Prefix+"/me/factors/"+e.Factor.ID+"/confirm", "as bare security", `{"code":"`+codeOf(t, e.Secret, time.Now())+`"}`), http.StatusOK)
	if len(codes.Codes) != 10 {
		t.Errorf("recovery codes: %q", codes.Codes)
	}
	if me := get[client.Me](t, a, "/me", "as bare security"); !me.HasFactor || me.FreshUntil == nil {
		t.Errorf("after: %+v", me)
	}
	if got := send(a, "POST", Prefix+"/me/fresh", "as bare security", `{"code":"`+codes.Codes[0]+`"}`); got.status != http.StatusOK {
		t.Errorf("a recovery code: %d %s", got.status, got.body)
	}
	if got := send(a, "POST", Prefix+"/me/fresh", "as bare security", `{"code":"000"}`); got.status != http.StatusForbidden {
		t.Errorf("a wrong code: %d %s", got.status, got.body)
	}
}

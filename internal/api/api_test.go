package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/identity"
	"reeve/internal/telemetry"
)

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// testAPI is the handler with the people who call it.
type testAPI struct {
	*API
	house *house
}

func newTestAPI(t testing.TB, change func(*Options)) testAPI {
	t.Helper()
	h := newHouse(t)
	o := Options{
		Store: &memStore{}, Identity: h.Directory, Audit: h.audit, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Events: newMemEvents(), Now: func() time.Time { return testNow }, Gate: someGate{},
	}
	if change != nil {
		change(&o)
	}
	return testAPI{New(o), h}
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) problem(t testing.TB) client.Problem {
	t.Helper()
	var p client.Problem
	if err := json.Unmarshal(a.body, &p); err != nil || a.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("answer %d is no problem: %s", a.status, a.body)
	}
	return p
}

// send asks as a caller: "as viewer" for a person signed in, "" for nobody,
// else a bearer token.
func send(h http.Handler, method, path, caller, body string, headers ...string) answer {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "localhost:7300"
	if a, ok := h.(testAPI); ok && strings.HasPrefix(caller, "as ") {
		cookie, secret := a.house.session(strings.TrimPrefix(caller, "as "))
		r.AddCookie(&http.Cookie{Name: SessionCookie, Value: cookie})
		r.Header.Set(secretHeader, secret)
	} else if caller != "" {
		r.Header.Set("Authorization", "Bearer "+caller)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{status: w.Code, header: w.Header(), body: w.Body.Bytes()}
}

func get[T any](t testing.TB, h http.Handler, path, caller string) T {
	t.Helper()
	a := send(h, http.MethodGet, Prefix+path, caller, "")
	if a.status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, a.status, a.body)
	}
	var v T
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("GET %s: %v in %s", path, err, a.body)
	}
	return v
}

// example is a request that an operation accepts.
func example(op *operation) (path, body string) {
	path = Prefix + strings.NewReplacer("{id}", "x", "{step}", "x").Replace(op.Path)
	if op.plan.body {
		body = map[string]string{
			"Query":           `{"from":"runs"}`,
			"UpdatePerson":    `{"version":1}`,
			"CreateIntakeKey": `{"name":"a","team":"core","environment":"production"}`,
		}[op.Name]
		if body == "" {
			body = `{"name":"a"}`
			if op.Name == "CreatePerson" {
				body = `{"name":"a","password":"b"}` // refused as too short, after the roles
			}
		}
	}
	return path, body
}

func TestStrangersAreRefused(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	for i := range a.table {
		op := &a.table[i]
		path, body := example(op)
		got := send(a, op.Method, path, "", body)
		if op.Permission.kind == permissionPublic {
			continue
		}
		if got.status != http.StatusUnauthorized || got.problem(t).Code != "api.credentials_missing" {
			t.Errorf("%s %s without credentials: %d %s, want 401", op.Method, path, got.status, got.body)
		}
		if got := send(a, op.Method, path, "rvk_abc", body); got.status != http.StatusForbidden {
			t.Errorf("%s %s with an agent's key: %d, want 403", op.Method, path, got.status)
		}
		if got := send(a, op.Method, path, "garbage", body); got.status != http.StatusUnauthorized {
			t.Errorf("%s %s with an unknown token: %d, want 401", op.Method, path, got.status)
		}
	}
	var public []string
	for _, op := range a.table {
		if op.Permission.kind == permissionPublic {
			public = append(public, op.Name)
		}
	}
	if d := cmp.Diff([]string{"ListAuditKeys", "Notices", "OpenAPI", "LeakedKey", "Setup", "SignIn", "AskPasskeySignIn", "SignInWithPasskey", "RedeemSignIn"}, public); d != "" {
		t.Errorf("public operations (-want +got):\n%s", d)
	}
}

func TestEveryOperationAsEveryRole(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	for i := range a.table {
		op := &a.table[i]
		if op.stream != nil {
			continue // TestEvents asks as roles
		}
		switch op.Name {
		case "SignIn", "SignInWithPasskey", "AskPasskeySignIn":
			continue // refuses the example's password, whoever asks
		case "BeginFactor", "ConfirmFactor", "ShowFactor", "BeginPasskey", "ConfirmPasskey", "AskPasskey", "ShowPasskey":
			continue // about the caller's own factors and codes: see factors_test.go
		}
		path, body := example(op)
		for _, role := range append(identity.Roles(), "none") {
			for _, place := range []string{"", "@core/production"} {
				got := send(a, op.Method, path, "as "+string(role)+place, body)
				team, env := identity.Everything, identity.Everything
				if place != "" {
					team, env = "core", "production"
				}
				var who identity.Principal
				if role != "none" {
					who.Grants = []identity.Grant{{Role: role, Team: team, Environment: env}}
				}
				want := op.Permission.kind != permissionRole
				for _, r := range op.Permission.roles {
					if op.Permission.own {
						// Somebody else's account is refused by the directory;
						// somebody else's session or token is not there.
						want = op.Name != "UpdatePerson" && op.Name != "ListFactors" || who.Everywhere(r)
						continue
					}
					want = want || who.Everywhere(r) || op.Permission.reach != reachAll && place != "" && who.Can(r, team, env)
				}
				allowed := got.status != http.StatusForbidden && got.status != http.StatusUnauthorized
				if allowed != want {
					t.Errorf("%s as %s%s: %d %s, allowed should be %v", op.Name, role, place, got.status, got.body, want)
				}
				if got.status == http.StatusInternalServerError {
					t.Errorf("%s as %s%s: %d %s", op.Name, role, place, got.status, got.body)
				}
			}
		}
	}
}

func TestNamedReach(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	got := send(a, "POST", Prefix+"/intake-keys", "as developer@core/staging", `{"name":"a","team":"core","environment":"production"}`)
	if got.status != http.StatusForbidden {
		t.Errorf("a key for another environment: %d %s, want 403", got.status, got.body)
	}
}

func TestOperationWithoutPermissionPanics(t *testing.T) {
	t.Parallel()
	defer func() {
		if p := fmt.Sprint(recover()); !strings.Contains(p, "no permission") {
			t.Errorf("check said %v, want no permission", p)
		}
	}()
	op := define(operation{Name: "Open", Method: "GET", Path: "/open", Summary: "opens"}, getRun)
	op.check()
}

func TestTableIsSound(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, op := range table() {
		op.check()
		if names[op.Name] {
			t.Errorf("two operations are called %s", op.Name)
		}
		names[op.Name] = true
		if op.Method != http.MethodGet && op.Permission.kind != permissionPublic && !op.Permission.reads && op.Audit != AuditChange {
			t.Errorf("%s changes something and leaves no audit record", op.Name)
		}
	}
}

func TestRequestsAreReadStrictly(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, func(o *Options) { o.Dev = true })
	cases := []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		code                     string
	}{
		{"unknown parameter", "GET", "/runs?agnt=x", "", nil, 400, "api.unknown_parameter"},
		{"parameter twice", "GET", "/runs?agent=x&agent=y", "", nil, 400, "api.parameter_twice"},
		{"limit too large", "GET", "/runs?limit=5000", "", nil, 400, "api.parameter_invalid"},
		{"limit negative", "GET", "/runs?limit=-1", "", nil, 400, "api.parameter_invalid"},
		{"no time", "GET", "/runs?from=yesterday", "", nil, 400, "api.parameter_invalid"},
		{"period turned round", "GET", "/runs?from=-1h&to=-2h", "", nil, 400, "api.period"},
		{"search", "GET", "/runs?q=agnt:x", "", nil, 400, "search.syntax"},
		{"sort", "GET", "/runs?sort=mood", "", nil, 400, "api.sort"},
		{"cursor", "GET", "/runs?cursor=%21", "", nil, 400, "api.cursor"},
		{"unknown field", "POST", "/query", `{"from":"runs","groupby":[]}`, nil, 400, "api.unknown_field"},
		{"wrong type", "POST", "/query", `{"from":5}`, nil, 400, "api.field_type"},
		{"no JSON", "POST", "/query", `from=runs`, nil, 400, "api.body_malformed"},
		{"two values", "POST", "/query", `{"from":"runs"}{}`, nil, 400, "api.body_malformed"},
		{"deep JSON", "POST", "/query", strings.Repeat("[", 20000), nil, 400, "api.body_malformed"},
		{"table", "POST", "/query", `{"from":"secrets"}`, nil, 400, "api.query_invalid"},
		{"dimension", "POST", "/query", `{"from":"runs","group_by":["1;drop"]}`, nil, 400, "api.query_invalid"},
		{"function", "POST", "/query", `{"from":"runs","select":[{"func":"sleep","field":"cost"}]}`, nil, 400, "api.query_invalid"},
		{"measure's name", "POST", "/query", `{"from":"runs","select":[{"func":"count","as":"a\u0000b"}]}`, nil, 400, "api.query_invalid"},
		{"measure's quote", "POST", "/query", `{"from":"runs","select":[{"func":"count","as":"a\"b"}]}`, nil, 400, "api.query_invalid"},
		{"buckets", "POST", "/query", `{"from":"runs","bucket":"1s","start":"-30d"}`, nil, 400, "api.query_invalid"},
		{"form", "POST", "/query", "from=runs", []string{"Content-Type", "text/plain"}, 415, "api.content_type"},
		{"large", "POST", "/query", `{"where":"` + strings.Repeat("a", 2<<20) + `"}`, nil, 413, "api.body_too_large"},
		{"path", "GET", "/nothing", "", nil, 404, "api.no_such_path"},
		{"method", "DELETE", "/runs", "", nil, 405, "api.method_not_allowed"},
		{"run", "GET", "/runs/run_x", "", nil, 404, "run.not_found"},
		{"version", "PATCH", "/people/x", `{"full_name":"x"}`, nil, 400, "api.version_missing"},
		{"path value in body", "PATCH", "/people/x", `{"ID":"y","version":1}`, nil, 400, "api.unknown_field"},
		{"role", "POST", "/people", `{"name":"a","password":"correct horse battery","grants":[{"role":"god","team":"*","environment":"*"}]}`, nil, 400, "identity.invalid"},
		{"life", "POST", "/intake-keys", `{"name":"a","team":"core","environment":"x","expires_in":"soon"}`, nil, 400, "api.expires_in"},
	}
	for _, c := range cases {
		got := send(a, c.method, Prefix+c.path, "", c.body, c.headers...)
		if p := got.problem(t); got.status != c.status || p.Code != c.code || p.Status != c.status {
			t.Errorf("%s: %d %s, want %d %s", c.name, got.status, got.body, c.status, c.code)
		}
	}
}

func TestTokensCannotGrowRoles(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	body := `{"name":"a","grants":[{"role":"reader","team":"core","environment":"*"}]}`
	if got := send(a, "POST", Prefix+"/tokens", "as reader@core/production", body); got.status != 403 || got.problem(t).Code != "identity.denied" {
		t.Errorf("a token for more than one's own: %d %s, want 403", got.status, got.body)
	}
	if got := send(a, "POST", Prefix+"/tokens", "as developer@core/*", body); got.status != 201 {
		t.Errorf("a token for part of one's own: %d %s, want 201", got.status, got.body)
	}
}

func TestAdminTokenMakesOneAccount(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	token, err := a.house.AdminToken(t.Context())
	if err != nil || token == "" {
		t.Fatalf("admin token %q, %v", token, err)
	}
	for i := range a.table {
		op := &a.table[i]
		if op.Permission.kind == permissionPublic || op.Name == "CreatePerson" {
			continue
		}
		path, body := example(op)
		if got := send(a, op.Method, path, token, body); got.status != 403 || got.problem(t).Code != "api.setup_only" {
			t.Errorf("%s with the admin token: %d %s, want 403", op.Name, got.status, got.body)
		}
	}
	body := `{"name":"ada","password":"` + testPassword + `"}`
	if got := send(a, "POST", Prefix+"/people", "rva_wrong", body); got.status != 401 {
		t.Errorf("a wrong admin token: %d %s, want 401", got.status, got.body)
	}
	if got := send(a, "POST", Prefix+"/people", token, body); got.status != 201 {
		t.Errorf("the first account: %d %s, want 201", got.status, got.body)
	}
	if got := send(a, "POST", Prefix+"/people", token, `{"name":"eve","password":"`+testPassword+`"}`); got.status != 401 {
		t.Errorf("the admin token again: %d %s, want 401", got.status, got.body)
	}
	if s := get[client.Setup](t, a, "/setup", ""); s.Needed {
		t.Error("setup is still needed")
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	post := func(key, body string) answer {
		return send(a, "POST", Prefix+"/tokens", "as viewer", body, "Idempotency-Key", key)
	}
	first, again := post("k1", `{"name":"a"}`), post("k1", `{"name":"a"}`)
	if first.status != 201 || !bytes.Equal(first.body, again.body) || again.header.Get("Idempotency-Replayed") == "" {
		t.Errorf("the same key again: %s then %s, want the same answer", first.body, again.body)
	}
	if other := post("k2", `{"name":"a"}`); bytes.Equal(first.body, other.body) {
		t.Error("another key got the first one's answer")
	}
	if got := post("k1", `{"name":"b"}`); got.status != 409 {
		t.Errorf("the same key for another body: %d, want 409", got.status)
	}
	if got := post("k3", `{"nme":"b"}`); got.status != 400 {
		t.Errorf("a bad body: %d, want 400", got.status)
	}
	if got := post("k3", `{"name":"b"}`); got.status != 201 {
		t.Errorf("the key of a refused request: %d %s, want 201", got.status, got.body)
	}
}

func TestSessionNeedsItsSecret(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	a.house.session("bare viewer")
	in := send(a, "POST", Prefix+"/sign-ins", "", `{"name":"person0","password":"`+testPassword+`"}`, "Cookie", SessionCookie+"=old", secretHeader, "old")
	set := in.header.Get("Set-Cookie")
	var signed client.SignedIn
	if err := json.Unmarshal(in.body, &signed); err != nil || in.status != 201 {
		t.Fatalf("signing in: %d %s", in.status, in.body)
	}
	cookie, _, _ := strings.Cut(set, ";")
	if !strings.Contains(set, "HttpOnly") || !strings.Contains(set, "SameSite=Strict") || strings.Contains(string(in.body), strings.TrimPrefix(cookie, SessionCookie+"=")) {
		t.Errorf("the session's cookie is %q, beside %s", set, in.body)
	}
	if got := send(a, "GET", Prefix+"/me", "", "", "Cookie", cookie); got.status != 401 {
		t.Errorf("a cookie alone: %d, want 401", got.status)
	}
	if got := send(a, "GET", Prefix+"/me", "", "", "Cookie", cookie, secretHeader, "wrong"); got.status != 401 {
		t.Errorf("a cookie with another secret: %d, want 401", got.status)
	}
	both := []string{"Cookie", cookie, secretHeader, signed.Secret}
	tossed := strings.Repeat(SessionCookie+"=tossed; ", maxCookies-1)
	if got := send(a, "GET", Prefix+"/me", "", "", "Cookie", tossed+cookie, secretHeader, signed.Secret); got.status != 200 {
		t.Errorf("behind cookies of another server: %d, want 200", got.status)
	}
	if got := send(a, "GET", Prefix+"/me", "", "", "Cookie", tossed+SessionCookie+"=one more; "+cookie, secretHeader, signed.Secret); got.status != 401 {
		t.Errorf("behind more cookies than are looked up: %d, want 401", got.status)
	}
	got := send(a, "GET", Prefix+"/me", "", "", both...)
	var who client.Me
	if err := json.Unmarshal(got.body, &who); err != nil || who.Person == nil || who.Person.Name != "person0" || !slices.Contains(who.Operations, "ListRuns") || slices.Contains(who.Operations, "CreatePerson") {
		t.Errorf("me: %d %s", got.status, got.body)
	}
	if got := send(a, "DELETE", Prefix+"/sign-ins/current", "", "", both...); got.status != 204 || !strings.Contains(got.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("signing out: %d %v", got.status, got.header)
	}
	if got := send(a, "GET", Prefix+"/me", "", "", both...); got.status != 401 {
		t.Errorf("after signing out: %d, want 401", got.status)
	}
	if got := send(a, "POST", Prefix+"/sign-ins", "", `{"name":"person0","password":"wrong"}`); got.status != 401 || got.problem(t).Code != "identity.sign_in" {
		t.Errorf("a wrong password: %d %s", got.status, got.body)
	}
}

func TestPeopleLive(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	make := func(body string) answer { return send(a, "POST", Prefix+"/people", "as admin", body) }
	made := make(`{"name":"grace","password":"` + testPassword + `","teams":["core"],"grants":[{"role":"viewer","team":"core","environment":"*"}]}`)
	var p client.Person
	if err := json.Unmarshal(made.body, &p); err != nil || made.status != 201 {
		t.Fatalf("making an account: %d %s", made.status, made.body)
	}
	path := Prefix + "/people/" + p.ID
	if got := send(a, "PATCH", path, "as admin", fmt.Sprintf(`{"version":%d,"disabled":true}`, p.Version)); got.status != 200 {
		t.Errorf("disabling: %d %s", got.status, got.body)
	}
	if got := send(a, "PATCH", path, "as admin", fmt.Sprintf(`{"version":%d,"disabled":false}`, p.Version)); got.status != 409 {
		t.Errorf("from an old version: %d %s, want 409", got.status, got.body)
	}
	if got := make(`{"name":"grace","password":"` + testPassword + `"}`); got.status != 409 {
		t.Errorf("the same name again: %d %s, want 409", got.status, got.body)
	}
	if got := send(a, "POST", Prefix+"/people", a.house.token("admin"), `{"name":"eve","password":"`+testPassword+`"}`); got.status != 403 || got.problem(t).Code != "api.person_only" {
		t.Errorf("an account made with a token: %d %s, want 403", got.status, got.body)
	}
	log := get[client.List[client.AuditRecord]](t, a, "/audit?limit=2", "as auditor")
	if len(log.Items) != 2 || log.Next == "" || len(log.Items[0].Record) == 0 {
		t.Errorf("the audit log is %+v, want two records and more", log)
	}
	older := get[client.List[client.AuditRecord]](t, a, "/audit?limit=2&cursor="+log.Next, "as auditor")
	if len(older.Items) != 2 || older.Items[0].Seq >= log.Items[1].Seq {
		t.Errorf("the next page is %+v, want older ones than %d", older, log.Items[1].Seq)
	}
}

func TestGuard(t *testing.T) {
	t.Parallel()
	h := Guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }), GuardOptions{Hosts: []string{"reeve.example"}})
	cases := []struct {
		name, method, host string
		headers            []string
		want               int
	}{
		{"loopback", "POST", "127.0.0.1:7300", nil, 204},
		{"loopback v6", "POST", "[::1]:7300", nil, 204},
		{"localhost", "POST", "LOCALHOST", nil, 204},
		{"configured", "POST", "reeve.example:443", nil, 204},
		{"rebound name", "GET", "attacker.example:7300", nil, 421},
		{"other address", "GET", "192.0.2.1:7300", nil, 421},
		{"no host", "GET", "", nil, 421},
		{"suffix of ours", "GET", "notlocalhost", nil, 421},
		{"no-cors form", "POST", "localhost:7300", []string{"Origin", "https://attacker.example", "Sec-Fetch-Site", "cross-site"}, 403},
		{"page on another local port", "POST", "localhost:7300", []string{"Origin", "http://localhost:8080", "Sec-Fetch-Site", "same-site"}, 403},
		{"old browser, another port", "POST", "localhost:7300", []string{"Origin", "http://localhost:8080"}, 403},
		{"sandboxed frame", "POST", "localhost:7300", []string{"Origin", "null"}, 403},
		{"own page", "POST", "localhost:7300", []string{"Origin", "http://localhost:7300", "Sec-Fetch-Site", "same-origin"}, 204},
		{"foreign safe read", "GET", "localhost:7300", []string{"Origin", "https://attacker.example", "Sec-Fetch-Site", "cross-site"}, 204},
		{"preflight", "OPTIONS", "localhost:7300", []string{"Origin", "https://attacker.example"}, 403},
	}
	for _, c := range cases {
		r := httptest.NewRequest(c.method, "/", nil)
		r.Host = c.host
		for i := 0; i < len(c.headers); i += 2 {
			r.Header.Set(c.headers[i], c.headers[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.want)
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "" || w.Header().Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: headers %v", c.name, w.Header())
		}
	}
	head := http.Header{}
	one, two := PageHeaders(head), PageHeaders(head)
	if one == two || !strings.Contains(head.Get("Content-Security-Policy"), "'nonce-"+two+"'") {
		t.Errorf("nonces %s and %s, policy %s", one, two, head.Get("Content-Security-Policy"))
	}
}

func TestPanicIsAnAnswer(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, func(o *Options) { o.Dev = true })
	a.API.o.Store = nil
	got := send(a, "GET", Prefix+"/runs", "", "")
	if got.status != 500 || strings.Contains(string(got.body), "nil pointer") {
		t.Errorf("a panic gave %d %s", got.status, got.body)
	}
}

func runID(n int) activity.RunID {
	return activity.RunOfKey(fmt.Sprint("run", n))
}

func testRun(n int, change func(*activity.Run)) activity.Run {
	start := testNow.Add(-time.Duration(n) * time.Minute).UnixNano()
	r := activity.Run{
		ID: runID(n), Revision: 1, Agent: "a", Team: "core", Environment: "production", Status: activity.RunDone,
		Start: start, End: start + 1e9, Updated: start + 1e9, Usage: activity.NoUsage, Steps: 1,
	}
	if change != nil {
		change(&r)
	}
	return r
}

func TestRunsMergeTheHotTail(t *testing.T) {
	t.Parallel()
	store := &memStore{}
	for n := range 20 {
		store.runs = append(store.runs, testRun(n*2, nil))
	}
	live := &memLive{runs: map[activity.RunID]activity.Run{}}
	add := func(r activity.Run) { live.runs[r.ID] = r }
	add(testRun(4, func(r *activity.Run) { r.Updated++; r.Steps = 9; r.Status = activity.RunRunning })) // newer than stored
	add(testRun(6, func(r *activity.Run) { r.Updated++; r.Agent = "b" }))                               // no longer agent a
	add(testRun(7, nil))                                                                                // only in memory, in the middle
	add(testRun(99, nil))                                                                               // only in memory, the oldest
	a := newTestAPI(t, func(o *Options) { o.Dev = true; o.Store = store; o.Live = live })

	for _, limit := range []int{1, 2, 3, 7, 100} {
		var ids []string
		cursor := ""
		for range 100 {
			page := get[client.List[client.Run]](t, a, fmt.Sprintf("/runs?agent=a&limit=%d&cursor=%s", limit, cursor), "")
			if len(page.Items) > limit {
				t.Fatalf("limit %d gave %d runs", limit, len(page.Items))
			}
			for _, r := range page.Items {
				ids = append(ids, r.ID)
				if r.ID == runID(4).String() && r.StepCount != 9 {
					t.Errorf("run 4 has %d steps, want the 9 of memory", r.StepCount)
				}
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		var want []string
		for _, n := range []int{0, 2, 4, 7, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 99} {
			want = append(want, runID(n).String())
		}
		if d := cmp.Diff(want, ids); d != "" {
			t.Errorf("limit %d (-want +got):\n%s", limit, d)
		}
	}
	page := get[client.List[client.Run]](t, a, "/runs?sort=steps&limit=1", "")
	if page.Items[0].ID != runID(4).String() {
		t.Errorf("most steps has %s, want run 4 of memory", page.Items[0].ID)
	}
	page = get[client.List[client.Run]](t, a, "/runs?sort=-started&limit=1", "")
	if page.Items[0].ID != runID(99).String() {
		t.Errorf("oldest is %s, want run 99 of memory", page.Items[0].ID)
	}
}

func TestTeamsAndEnvironments(t *testing.T) {
	t.Parallel()
	store := &memStore{messages: map[activity.RunID][]activity.Message{}, steps: map[activity.RunID][]activity.Step{}}
	for n, place := range []string{"core/production", "core/staging", "shop/production", "/production"} {
		team, env, _ := strings.Cut(place, "/")
		store.runs = append(store.runs, testRun(n, func(r *activity.Run) { r.Team, r.Environment = team, env }))
		store.messages[runID(n)] = []activity.Message{{Ordinal: 0, Format: "text", Raw: []byte("secret"), Field: activity.ContentArguments}}
		store.steps[runID(n)] = []activity.Step{{
			Fragment: activity.Fragment{Step: activity.StepID{1}, Kind: activity.KindTool, ToolName: "t", TTFT: activity.Unknown, End: activity.Unknown, Usage: activity.NoUsage},
			Refs:     []activity.ContentRef{{Field: activity.ContentArguments, Messages: "0"}},
		}}
	}
	store.logs = []activity.LogRecord{{Run: runID(0), Body: "secret", Time: 1}}
	a := newTestAPI(t, func(o *Options) { o.Store = store })
	cases := []struct {
		token string
		runs  []int
	}{
		{"as viewer", []int{0, 1, 2, 3}},
		{"as viewer@core/*", []int{0, 1}},
		{"as viewer@core/production", []int{0}},
		{"as viewer@*/production", []int{0, 2, 3}},
		{"as viewer@core/staging+viewer@shop/*", []int{1, 2}},
	}
	for _, c := range cases {
		page := get[client.List[client.Run]](t, a, "/runs", c.token)
		var got, want []string
		for _, r := range page.Items {
			got = append(got, r.ID)
		}
		for _, n := range c.runs {
			want = append(want, runID(n).String())
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("runs of %s (-want +got):\n%s", c.token, d)
		}
		for n := range 4 {
			wantStatus := http.StatusNotFound
			if slices.Contains(c.runs, n) {
				wantStatus = http.StatusOK
			}
			for _, path := range []string{"", "/steps", "/steps/" + activity.StepID{1}.String(), "/logs"} {
				if got := send(a, "GET", Prefix+"/runs/"+runID(n).String()+path, c.token, ""); got.status != wantStatus {
					t.Errorf("run %d%s as %s: %d, want %d", n, path, c.token, got.status, wantStatus)
				} else if bytes.Contains(got.body, []byte("secret")) {
					t.Errorf("run %d%s as %s carries content: %s", n, path, c.token, got.body)
				}
			}
		}
	}
	id := runID(0).String()
	viewer, reader := "as viewer", "as reader@core/production"
	for path, status := range map[string]int{
		"/runs/" + id + "/messages": 403, "/runs/" + id + "/steps?content=true": 403, "/runs/" + id + "/logs?q=x": 403,
	} {
		if got := send(a, "GET", Prefix+path, viewer, ""); got.status != status {
			t.Errorf("%s as viewer: %d, want %d", path, got.status, status)
		}
	}
	for q, want := range map[string]int{"secret": 0, "t": 4, "core": 0} {
		if page := get[client.List[client.Run]](t, a, "/runs?q="+q, "as viewer"); len(page.Items) != want {
			t.Errorf("a viewer looking for %q found %d runs, want %d: names and tools, no content", q, len(page.Items), want)
		}
	}
	for _, path := range []string{"/messages", "/steps?content=true", "/steps/" + activity.StepID{1}.String(), "/logs"} {
		if got := send(a, "GET", Prefix+"/runs/"+id+path, reader, ""); got.status != 200 || !bytes.Contains(got.body, []byte("secret")) {
			t.Errorf("%s as reader: %d %s, want the content", path, got.status, got.body)
		}
	}
	if got := send(a, "GET", Prefix+"/runs/"+runID(1).String()+"/messages", reader, ""); got.status != 404 {
		t.Errorf("messages of another environment: %d, want 404", got.status)
	}
}

// Log records and metric points that name no run are seen by those who see their team
// and environment, and on a run's page those of its agent at its place.
func TestLooseRecordsHaveTheirPlace(t *testing.T) {
	t.Parallel()
	store := &memStore{}
	for n, place := range []string{"core/production", "core/staging", "shop/production", "/"} {
		team, env, _ := strings.Cut(place, "/")
		store.logs = append(store.logs, activity.LogRecord{Time: int64(n + 1), Agent: "a", Body: "secret", Team: team, Environment: env})
		store.points = append(store.points, activity.MetricPoint{Time: int64(n + 1), Name: "n", Agent: "a", Team: team, Environment: env})
		store.runs = append(store.runs, testRun(n, func(r *activity.Run) { r.Team, r.Environment, r.Agent = team, env, "a" }))
	}
	a := newTestAPI(t, func(o *Options) { o.Store = store })
	count := func(token, path string) (n, readable int) {
		page := get[client.List[client.Log]](t, a, path, token)
		for _, l := range page.Items {
			if l.Body == "secret" {
				readable++
			}
		}
		return len(page.Items), readable
	}
	for _, c := range []struct {
		token           string
		all, readable   int
		ofRun0          int // core/production
		mayRun0, search int
	}{
		{"as viewer", 4, 0, 2, 200, 403},
		{"as reader", 4, 4, 2, 200, 200},
		{"as viewer@core/*", 2, 0, 1, 200, 403},
		{"as viewer@*/production", 2, 0, 1, 200, 403},
		{"as viewer@core/*+reader@core/staging", 2, 1, 1, 200, 200},
		{"as viewer@shop/production", 1, 0, 0, 404, 403},
	} {
		if n, readable := count(c.token, "/logs?loose=true"); n != c.all || readable != c.readable {
			t.Errorf("%s: %d records, %d with their text; want %d, %d", c.token, n, readable, c.all, c.readable)
		}
		if page := get[client.List[client.MetricPoint]](t, a, "/metric-points", c.token); len(page.Items) != c.all {
			t.Errorf("%s: %d points, want %d", c.token, len(page.Items), c.all)
		}
		if got := send(a, "GET", Prefix+"/logs?q=secret", c.token, ""); got.status != c.search {
			t.Errorf("%s: searching text: %d, want %d", c.token, got.status, c.search)
		}
		run := "/runs/" + runID(0).String()
		for _, path := range []string{run + "/logs?around=true", run + "/metrics"} {
			got := send(a, "GET", Prefix+path, c.token, "")
			if got.status != c.mayRun0 {
				t.Errorf("%s: %s: %d, want %d", c.token, path, got.status, c.mayRun0)
			} else if got.status == 200 {
				if page := get[client.List[client.MetricPoint]](t, a, path, c.token); len(page.Items) != c.ofRun0 {
					t.Errorf("%s: %s lists %d, want %d", c.token, path, len(page.Items), c.ofRun0)
				}
			}
		}
	}
}

func TestStepsPages(t *testing.T) {
	t.Parallel()
	store := &memStore{runs: []activity.Run{testRun(0, nil)}, steps: map[activity.RunID][]activity.Step{}}
	step := func(n byte, change func(*activity.Step)) activity.Step {
		s := activity.Step{Fragment: activity.Fragment{
			Run: runID(0), Step: activity.StepID{n}, Kind: activity.KindModel, Name: "chat \"x\"", Status: activity.StatusOK, Source: activity.SourceSDK,
			Start: int64(n/2) * 1e9, End: int64(n/2)*1e9 + 5e5, TTFT: activity.Unknown, Usage: activity.NoUsage,
		}, Revision: 1}
		if change != nil {
			change(&s)
		}
		return s
	}
	for n := range byte(10) {
		store.steps[runID(0)] = append(store.steps[runID(0)], step(n, nil))
	}
	live := &memLive{
		runs: map[activity.RunID]activity.Run{runID(0): testRun(0, nil)},
		steps: map[activity.RunID][]activity.Step{runID(0): {
			step(3, func(s *activity.Step) { s.Revision, s.Name = 2, "newer" }),
			step(11, func(s *activity.Step) {
				s.Parent, s.Status, s.ErrorType, s.StatusMessage = activity.StepID{3}, activity.StatusError, "Timeout", "took too long"
				s.Usage = activity.Usage{InputTotal: 5, CacheRead: 0, CacheWrite: activity.Unknown, OutputTotal: 2, Reasoning: activity.Unknown}
				s.Cost = activity.Cost{Nanos: 1500000, Currency: "USD", Basis: activity.CostBook, Price: "p"}
				s.TTFT, s.Counted, s.ToolName, s.Flags = 2e6, true, "look", activity.FlagClockSkew
				s.Refs = []activity.ContentRef{{Field: activity.ContentInput, Messages: "0-2"}, {Field: activity.ContentOutput, Messages: "3"}, {Field: activity.ContentInput, Messages: "5"}}
			}),
		}},
	}
	a := newTestAPI(t, func(o *Options) { o.Dev = true; o.Store = store; o.Live = live })
	var all []client.Step
	cursor := ""
	for range 20 {
		page := get[client.List[client.Step]](t, a, "/runs/"+runID(0).String()+"/steps?limit=3&cursor="+cursor, "")
		all = append(all, page.Items...)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(all) != 11 || all[3].Name != "newer" {
		t.Fatalf("%d steps, the fourth is %q; want 11 and newer", len(all), all[3].Name)
	}
	// What the quick encoder writes is what the full one would, less the
	// fields that light rows leave out.
	page, err := a.steps(t.Context(), &activity.Run{ID: runID(0)}, telemetry.StepsQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for i, steps := 0, page.Steps; i < len(steps); i++ {
		full := stepOf(&steps[i])
		want := client.Step{
			ID: full.ID, ParentID: full.ParentID, Kind: full.Kind, Name: full.Name, Status: full.Status, StartNS: full.StartNS, DurationMS: full.DurationMS,
			Counted: full.Counted, Error: full.Error, TTFTMS: full.TTFTMS, Provider: full.Provider, Model: full.Model, Usage: full.Usage,
			Tool: full.Tool, MessageRefs: full.MessageRefs, Flags: full.Flags,
		}
		if want.Cost = full.Cost; want.Cost.Amount == nil {
			want.Cost = client.Cost{}
		}
		want.Cost.Price = ""
		if d := cmp.Diff(want, all[i]); d != "" {
			t.Errorf("step %d (-full +light):\n%s", i, d)
		}
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	store := &memStore{}
	for n := range 50 {
		store.runs = append(store.runs, testRun(n, nil))
	}
	a := newTestAPI(t, func(o *Options) { o.Dev = true; o.Store = store })
	plain, packed := send(a, "GET", Prefix+"/runs", "", ""), send(a, "GET", Prefix+"/runs", "", "", "Accept-Encoding", "br, gzip")
	z, err := gzip.NewReader(bytes.NewReader(packed.body))
	if err != nil || packed.header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("not compressed: %v %v", packed.header, err)
	}
	b, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(b, plain.body) {
		t.Errorf("unpacked %d bytes (%v), want the %d of the plain answer", len(b), err, len(plain.body))
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	store := &memStore{}
	for n := range 30 {
		store.runs = append(store.runs, testRun(n, func(r *activity.Run) {
			r.Session = fmt.Sprint("s", n%7)
			r.RootError = n == 7
			r.Usage.InputTotal = 10
		}))
	}
	a := newTestAPI(t, func(o *Options) { o.Dev = true; o.Store = store })
	seen := map[string]client.Session{}
	cursor := ""
	for range 20 {
		page := get[client.List[client.Session]](t, a, "/sessions?limit=3&cursor="+cursor, "")
		for _, s := range page.Items {
			if _, twice := seen[s.ID]; twice {
				t.Errorf("session %s stands on two pages", s.ID)
			}
			seen[s.ID] = s
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(seen) != 7 {
		t.Fatalf("%d sessions, want 7", len(seen))
	}
	s := seen["s0"] // runs 0, 7, 14, 21, 28
	if s.Runs != 5 || s.ErrorRuns != 1 || *s.Usage.InputTotal != 50 || s.Usage.OutputTotal != nil || s.Cost.Amount != nil {
		t.Errorf("session s0 is %+v, want 5 runs, 1 failed, 50 tokens in, the rest unknown", s)
	}
}

func FuzzRequests(f *testing.F) {
	f.Add("agent=a&q=any(kind:tool)&limit=5&cursor=eyJrIjowfQ", `{"from":"runs","select":[{"func":"p95","field":"cost"}],"where":"a or b","bucket":"1h"}`)
	f.Add("cursor=!&from=-1h&to=now&sort=-cost", `{"from":"steps","group_by":["agent"],"limit":-1}`)
	f.Add("%zz", `[[[[`)
	a := newTestAPI(f, func(o *Options) {
		o.Dev = true
		o.Store = &memStore{runs: []activity.Run{testRun(0, nil), testRun(1, nil)}}
	})
	f.Fuzz(func(t *testing.T, rawQuery, body string) {
		for _, c := range []struct{ method, path, body string }{
			{"GET", "/runs", ""},
			{"GET", "/sessions", ""},
			{"GET", "/search/complete", ""},
			{"GET", "/runs/" + runID(0).String() + "/messages", ""},
			{"GET", "/runs/" + runID(0).String() + "/steps", ""},
			{"POST", "/query", body},
		} {
			r := httptest.NewRequest(c.method, Prefix+c.path, strings.NewReader(c.body))
			r.URL.RawQuery = rawQuery
			if c.method == "POST" {
				r.URL.RawQuery = ""
			}
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
				t.Fatalf("%s %s?%q %q: %d %s", c.method, c.path, rawQuery, c.body, w.Code, w.Body)
			}
		}
	})
}

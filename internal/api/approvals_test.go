package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/approval"
	"reeve/internal/audit"
	"reeve/internal/bus"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

// rehearser binds an edit to its text; what has FORBIDDEN in it is denied.
type rehearser struct{ book *approval.Book }

func (r rehearser) Rehearse(_ context.Context, _ *approval.Approval, body []byte) (approval.Request, string, error) {
	if strings.Contains(string(body), "FORBIDDEN") {
		return approval.Request{}, "", fault.New(fault.KindDenied, "approval.edit_denied", "denied")
	}
	return approval.Request{Body: body}, r.book.Hash(body), nil
}

// asked is an API with a Book.
type asked struct {
	testAPI
	book *approval.Book
	t    *testing.T
}

func withApprovals(t *testing.T) *asked {
	t.Helper()
	a := newTestAPI(t, func(o *Options) { o.Now = time.Now })
	book, err := approval.New(t.Context(), approval.Options{DB: a.house.db, Key: make([]byte, approval.KeySize)})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Approvals, a.o.Rehearser = book, rehearser{book}
	a.o.ApprovalPage = func(id string) string { return "https://reeve.example/approvals/" + id }
	return &asked{a, book, t}
}

func (a *asked) hold(body string, change func(*approval.Ask)) *approval.Approval {
	a.t.Helper()
	k := approval.Ask{
		Decision: "dec_1", Agent: "refunds", Owner: "olga", Team: "core", Environment: "production", Action: "call_api", Name: "POST /v1/refunds",
		Resource: "shop POST /v1/refunds", Upstream: "shop", Effect: "write", Run: "run_1", External: true, Destinations: []string{"pay.example"},
		Reasons: []activity.Reason{{Code: "policy.hold", Text: "money leaves"}}, Forwarded: true, Editable: true,
		Shown:   approval.Shown{Amount: []string{"/amount"}, Currency: []string{"/currency"}, Destination: []string{"/to"}},
		Words:   "harmless\u202e, approve",
		Request: approval.Request{Method: "POST", Path: "/v1/refunds", Query: "dry=1", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(body)},
	}
	if change != nil {
		change(&k)
	}
	k.Arguments = a.book.Hash([]byte(body), []byte(k.Agent))
	k.Joins = k.Arguments + k.Run
	ap, _, err := a.book.Hold(a.t.Context(), k)
	if err != nil {
		a.t.Fatal(err)
	}
	return ap
}

// named gives a caller's account another name, or teams.
func (a *asked) change(caller string, change func(*identity.PersonChange)) {
	a.t.Helper()
	cookie, secret := a.house.session(caller)
	who, err := a.house.Session(a.t.Context(), cookie, secret)
	if err != nil {
		a.t.Fatal(err)
	}
	p, err := a.house.Person(a.t.Context(), who.PersonID)
	if err != nil {
		a.t.Fatal(err)
	}
	c := identity.PersonChange{ID: p.ID, Version: p.Version}
	change(&c)
	if _, err := a.house.UpdatePerson(a.t.Context(), a.house.admin, c); err != nil {
		a.t.Fatal(err)
	}
}

func (a *asked) name(caller string) string {
	a.t.Helper()
	cookie, secret := a.house.session(caller)
	who, err := a.house.Session(a.t.Context(), cookie, secret)
	if err != nil {
		a.t.Fatal(err)
	}
	return who.Name
}

func (a *asked) post(ap *approval.Approval, verb, caller, body string) answer {
	return send(a.testAPI, http.MethodPost, Prefix+"/approvals/"+ap.ID+"/"+verb, caller, body)
}

func (a *asked) agree(ap *approval.Approval, caller string) answer {
	return a.post(ap, "approve", caller, quoted(a.t, client.ApproveRequest{Hash: ap.Bound}))
}

const refundBody = `{"amount": 20.00, "currency": "EUR", "to": "p` + "\u0430" + `ypal", "note": "de` + "\u200b" + `lete"}`

// Who may see an approval, what they see of it, and that it is shown as it is.
func TestApprovalsAreShown(t *testing.T) {
	t.Parallel()
	a := withApprovals(t)
	ap := a.hold(refundBody, nil)
	for caller, want := range map[string]struct {
		sees, reads, may bool
	}{
		"as viewer@core/production":   {true, false, false},
		"as viewer@shop/*":            {false, false, false},
		"as reader@core/*":            {true, true, false},
		"as approver@core/production": {true, true, true},
		"as approver@core/staging":    {false, false, false},
		"as security":                 {true, false, false},
		"as admin@core/*":             {true, false, false},
	} {
		l := get[client.List[client.Approval]](t, a.testAPI, "/approvals", caller)
		if (len(l.Items) == 1) != want.sees {
			t.Errorf("%s sees %d", caller, len(l.Items))
			continue
		}
		got := send(a.testAPI, http.MethodGet, Prefix+"/approvals/"+ap.ID, caller, "")
		if !want.sees {
			if got.status != http.StatusNotFound {
				t.Errorf("%s reads it: %d", caller, got.status)
			}
			continue
		}
		v := decode[client.Approval](t, got, http.StatusOK)
		if (v.Arguments != nil) != want.reads || v.Can.Approve != want.may || v.Can.Deny != want.may || v.Can.Edit != want.may {
			t.Errorf("%s: arguments %v, can %+v", caller, v.Arguments, v.Can)
		}
		if !want.reads && (strings.Contains(string(got.body), "ypal") || v.AgentWords != nil || v.Amount != nil) {
			t.Errorf("%s sees arguments: %s", caller, got.body)
		}
	}
	v := get[client.Approval](t, a.testAPI, "/approvals/"+ap.ID, "as approver@core/production")
	if want := "refunds wants to call POST /v1/refunds of shop for 20.00 EUR to p\u0430⟦U+0430⟧ypal. It changes data. Data leaves the house, to pay.example."; v.Words != want {
		t.Errorf("%q, want %q", v.Words, want)
	}
	if v.AgentWords.Text != "harmless⟦U+202E⟧, approve" || v.Page != "https://reeve.example/approvals/"+ap.ID || v.Amount.Text != "20.00" {
		t.Errorf("%+v", v)
	}
	var paths []string
	for _, f := range v.Arguments.Fields {
		paths = append(paths, f.Path+" "+f.Kind+" "+f.Value.Text)
	}
	want := []string{"query:dry text 1", "/amount number 20.00", "/currency text EUR", "/to text p\u0430⟦U+0430⟧ypal", "/note text de⟦U+200B⟧lete"}
	if !slices.Equal(paths, want) {
		t.Errorf("%q, want %q", paths, want)
	}
	if f := v.Arguments.Fields[4].Value; len(f.Pieces) != 3 || f.Pieces[1].Kind != "invisible" || f.Marked != 1 || f.Bytes != 9 {
		t.Errorf("%+v", f)
	}
	if v.Arguments.Hash != ap.Bound || v.Arguments.Whole.Bytes != len(refundBody) {
		t.Errorf("%+v", v.Arguments)
	}
}

// Who approves: a signed-in person with the role, a fresh second factor, and not
// the agent's own; by a POST that names what it is about.
func TestWhoApproves(t *testing.T) {
	t.Parallel()
	a := withApprovals(t)
	ap := a.hold(refundBody, nil)
	approver := "as approver@core/*"
	path := Prefix + "/approvals/" + ap.ID + "/approve"
	token := a.house.token("approver@core/*")
	for name, c := range map[string]struct {
		got    answer
		status int
		code   string
	}{
		"a token":                 {a.agree(ap, token), 403, "api.person_only"},
		"a token's denial":        {a.post(ap, "deny", token, `{}`), 403, "api.person_only"},
		"a token's edit":          {a.post(ap, "edit", token, `{"hash":"x","whole":"{}"}`), 403, "api.person_only"},
		"a token's takeover":      {a.post(ap, "takeover", token, `{}`), 403, "api.person_only"},
		"a token opens":           {a.post(ap, "opened", token, ``), 403, "api.person_only"},
		"nobody":                  {a.agree(ap, ""), 401, "api.credentials_missing"},
		"without a factor":        {a.agree(ap, "as bare approver@core/*"), 403, "identity.factor_missing"},
		"a takeover without one":  {a.post(ap, "takeover", "as bare approver@core/*", `{}`), 403, "identity.factor_missing"},
		"an edit without one":     {a.post(ap, "edit", "as bare approver@core/*", `{"hash":"x","whole":"{}"}`), 403, "identity.factor_missing"},
		"without the role":        {a.agree(ap, "as security+admin+reader@core/*"), 403, "approval.role"},
		"deny without the role":   {a.post(ap, "deny", "as viewer@core/*", `{}`), 403, "approval.role"},
		"of another team":         {a.agree(ap, "as approver@shop/*"), 404, "approval.not_found"},
		"without a hash":          {a.post(ap, "approve", approver, `{}`), 409, "approval.other"},
		"of other arguments":      {a.post(ap, "approve", approver, `{"hash":"AAAA"}`), 409, "approval.other"},
		"with unknown fields":     {a.post(ap, "approve", approver, `{"hash":"x","force":true}`), 400, ""},
		"a GET":                   {send(a.testAPI, http.MethodGet, path, approver, ""), 405, "api.method_not_allowed"},
		"a link":                  {send(a.testAPI, http.MethodGet, path+"?hash="+ap.Bound, approver, ""), 405, "api.method_not_allowed"},
		"HEAD":                    {send(a.testAPI, http.MethodHead, path, approver, ""), 405, ""},
		"a form":                  {send(a.testAPI, http.MethodPost, path, approver, "hash="+ap.Bound, "Content-Type", "application/x-www-form-urlencoded"), 415, "api.content_type"},
		"an unknown one":          {send(a.testAPI, http.MethodPost, Prefix+"/approvals/apr_x/approve", approver, `{"hash":"x"}`), 404, "approval.not_found"},
		"a result that is none":   {a.post(ap, "takeover", approver, `{"answer":{"status":99,"body":""}}`), 400, "approval.invalid"},
		"an edit of two kinds":    {a.post(ap, "edit", approver, `{"hash":"x","whole":"{}","edits":[{"path":"/a","value":1}]}`), 400, "approval.edit"},
		"an edit that is denied":  {a.post(ap, "edit", approver, quoted(t, client.EditApprovalRequest{Hash: ap.Bound, Edits: []client.ArgumentEdit{{Path: "/amount", Value: json.RawMessage(`"FORBIDDEN"`)}}})), 403, "approval.edit_denied"},
		"an edit of what is not":  {a.post(ap, "edit", approver, quoted(t, client.EditApprovalRequest{Hash: ap.Bound, Edits: []client.ArgumentEdit{{Path: "/other", Value: json.RawMessage(`1`)}}})), 400, "approval.edit"},
		"giving back what is not": {a.post(ap, "give-back", approver, `{}`), 409, "approval.not_taken"},
	} {
		if c.got.status != c.status || c.code != "" && c.got.problem(t).Code != c.code {
			t.Errorf("%s: %d %s, want %d %s", name, c.got.status, c.got.body, c.status, c.code)
		}
	}
	if got, _ := a.book.Get(t.Context(), ap.ID); got.State != approval.Pending || len(got.Votes) != 0 {
		t.Fatalf("after all that: %+v", got)
	}
	// A factor shown too long ago is none.
	real := a.o.Now
	a.o.Now = func() time.Time { return time.Now().Add(6 * time.Minute) }
	if got := a.agree(ap, approver); got.status != 403 || got.problem(t).Code != "identity.factor_stale" {
		t.Errorf("with a stale factor: %d %s", got.status, got.body)
	}
	a.o.Now = real

	own := a.hold(`{"amount": 1}`, func(k *approval.Ask) { k.Owner = a.name("approver@core/*") })
	if got := a.agree(own, approver); got.status != 403 || got.problem(t).Code != "approval.own" {
		t.Errorf("the owner: %d %s", got.status, got.body)
	}
	if v := get[client.Approval](t, a.testAPI, "/approvals/"+own.ID, approver); v.Can.Approve || v.Can.Why == "" || !v.Can.Deny {
		t.Errorf("the owner can %+v", v.Can)
	}
	sponsor := a.hold(`{"amount": 2}`, func(k *approval.Ask) { k.Sponsor = a.name("approver@core/*") })
	if got := a.post(sponsor, "takeover", approver, `{}`); got.problem(t).Code != "approval.own" {
		t.Errorf("the sponsor: %d %s", got.status, got.body)
	}

	v := decode[client.Approval](t, a.agree(ap, approver), http.StatusOK)
	if v.State != "approved" || len(v.Votes) != 1 || v.Votes[0].Opened || !v.Votes[0].Counts {
		t.Errorf("%+v", v)
	}
	for _, verb := range []string{"approve", "deny"} {
		body := `{"reason":"x"}`
		if verb == "approve" {
			body = quoted(t, client.ApproveRequest{Hash: ap.Bound})
		}
		if got := a.post(ap, verb, "as approver", body); got.status != 409 || got.problem(t).Code != "approval.settled" {
			t.Errorf("%s after the first answer: %d %s", verb, got.status, got.body)
		}
	}
}

// Groups are teams whose people may approve, and roles.
func TestGroupsOfPeople(t *testing.T) {
	t.Parallel()
	a := withApprovals(t)
	ap := a.hold(refundBody, func(k *approval.Ask) {
		k.Groups = []approval.Group{{Name: "shop", Count: 2}, {Name: "security", Count: 1}}
	})
	member := func(caller string) {
		a.change(caller, func(c *identity.PersonChange) { teams := []string{"shop"}; c.Teams = &teams })
	}
	member("approver@shop/*")
	member("approver@core/*")
	member("viewer@shop/*")
	for _, c := range []struct {
		caller string
		status int
		state  string
	}{
		{"as viewer@shop/*", 404, ""},                    // in the team, and may approve nothing
		{"as approver@core/staging", 404, ""},            // neither
		{"as approver", 403, ""},                         // an approver of every team, and in neither group
		{"as approver@shop/*", 200, "pending"},           // one of shop
		{"as approver@shop/*", 409, ""},                  // once
		{"as approver@core/*", 200, "pending"},           // two of shop
		{"as security@core/production", 200, "approved"}, // and security
	} {
		got := a.agree(ap, c.caller)
		if got.status != c.status {
			t.Errorf("%s: %d %s, want %d", c.caller, got.status, got.body, c.status)
			continue
		}
		if c.state != "" {
			if v := decode[client.Approval](t, got, 200); v.State != c.state {
				t.Errorf("%s: %s %+v", c.caller, v.State, v.Groups)
			}
		}
	}
}

// What no list shows whole is opened before anybody agrees to it.
func TestLongArgumentsAreOpened(t *testing.T) {
	t.Parallel()
	a := withApprovals(t)
	ap := a.hold(`{"text": "`+strings.Repeat("x", 9000)+`", "amount": 1}`, nil)
	l := get[client.List[client.Approval]](t, a.testAPI, "/approvals", "as approver")
	if w := l.Items[0].Arguments.Whole; !w.Cut || w.Bytes != 9025 || !strings.HasSuffix(w.Text, "more bytes⟧") || !l.Items[0].Can.Unopened {
		t.Errorf("%+v %+v", w.Bytes, l.Items[0].Can)
	}
	if got := a.agree(ap, "as approver"); got.status != 409 || got.problem(t).Code != "approval.unopened" {
		t.Errorf("unopened: %d %s", got.status, got.body)
	}
	if got := a.post(ap, "opened", "as approver", ""); got.status != http.StatusNoContent {
		t.Errorf("%d %s", got.status, got.body)
	}
	if v := get[client.Approval](t, a.testAPI, "/approvals/"+ap.ID, "as approver"); v.Can.Unopened || v.Arguments.Whole.Cut || len(v.Arguments.Whole.Text) != 9025 {
		t.Errorf("%+v", v.Can)
	}
	v := decode[client.Approval](t, a.agree(ap, "as approver"), http.StatusOK)
	if v.State != "approved" || !v.Votes[0].Opened {
		t.Errorf("%+v", v.Votes)
	}
}

// Edit, take over and give back, by the API.
func TestEditAndTakeOver(t *testing.T) {
	t.Parallel()
	a := withApprovals(t)
	ap := a.hold(refundBody, nil)
	v := decode[client.Approval](t, a.post(ap, "edit", "as approver", quoted(t, client.EditApprovalRequest{
		Hash: ap.Bound, Edits: []client.ArgumentEdit{{Path: "/amount", Value: json.RawMessage(`5`)}}, Reason: "less",
	})), http.StatusOK)
	if v.State != "approved" || !v.Arguments.Edited || v.Arguments.Fields[1].Value.Text != "5" || v.Arguments.Fields[1].Was.Text != "20.00" || v.Arguments.Fields[2].Was != nil {
		t.Errorf("%+v", v.Arguments)
	}
	held := a.hold(`{"amount": 7}`, func(k *approval.Ask) { k.Run = "run_7" })
	v = decode[client.Approval](t, a.post(held, "takeover", "as approver", `{"answer":{"body":"{\"ok\":true}"},"reason":"by hand"}`), http.StatusOK)
	if v.State != "taken" || v.Takeover == nil || !v.Can.GiveBack {
		t.Errorf("%+v", v)
	}
	if got, ok, err := a.book.Answer(must(a.book.Get(t.Context(), held.ID))); !ok || err != nil || got.Header["Content-Type"][0] != "application/json" || got.Status != 200 {
		t.Errorf("%+v %v", got, err)
	}
	if got := a.post(held, "give-back", "as viewer@core/*", `{}`); got.status != 403 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if v = decode[client.Approval](t, a.post(held, "give-back", "as approver", `{}`), http.StatusOK); v.Takeover != nil {
		t.Errorf("%+v", v.Takeover)
	}
	// The like of it was answered before.
	third := a.hold(`{"amount": 8}`, nil)
	v = get[client.Approval](t, a.testAPI, "/approvals/"+third.ID, "as approver")
	if len(v.Similar) != 2 || v.Similar[0].State != "taken" || v.Similar[0].Reason != "by hand" || v.Similar[0].Same {
		t.Errorf("%+v", v.Similar)
	}
	records, err := audit.List(t.Context(), a.house.db, audit.Filter{Kind: "approval."})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, r := range records {
		kinds[r.Kind] = true
	}
	for _, want := range []string{"approval.requested", "approval.edited", "approval.taken", "approval.given_back"} {
		if !kinds[want] {
			t.Errorf("no record of %s", want)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestListApprovals(t *testing.T) {
	t.Parallel()
	a := withApprovals(t)
	var ids []string
	for _, body := range []string{`{"a":1}`, `{"a":2}`, `{"a":3}`, `{"a":4}`} {
		ids = append(ids, a.hold(body, nil).ID)
	}
	if got := a.post(must(a.book.Get(t.Context(), ids[0])), "deny", "as approver", `{"reason":"wrong"}`); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	var seen []string
	for cursor := ""; ; {
		l := get[client.List[client.Approval]](t, a.testAPI, "/approvals?limit=2&cursor="+cursor, "as approver")
		for _, v := range l.Items {
			seen = append(seen, v.ID)
		}
		if cursor = l.Next; cursor == "" {
			break
		}
	}
	if want := []string{ids[3], ids[2], ids[1]}; !slices.Equal(seen, want) {
		t.Errorf("%v, want %v", seen, want)
	}
	for query, want := range map[string]int{"state=denied": 1, "state=all": 4, "state=denied,pending": 4, "agent=other": 0, "state=all&run=run_1": 4, "resource=shop+POST+/v1/refunds": 3} {
		if l := get[client.List[client.Approval]](t, a.testAPI, "/approvals?"+query, "as approver"); len(l.Items) != want {
			t.Errorf("%s: %d, want %d", query, len(l.Items), want)
		}
	}
	for _, bad := range []string{"state=open", "cursor=%21", "limit=-1"} {
		if got := send(a.testAPI, http.MethodGet, Prefix+"/approvals?"+bad, "as approver", ""); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, got.status)
		}
	}
}

// Live views of a team hear of its approvals alone.
func TestApprovalEventsStayInTheTeam(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(approval.Notice{ID: "apr_1", Team: "core", Environment: "production", Run: "run_1"})
	if err != nil {
		t.Fatal(err)
	}
	ev := bus.Event{Type: "approval.requested", ID: "apr_1", Data: data}
	grant := func(team string) identity.Principal {
		return identity.Principal{Kind: identity.KindPerson, Grants: []identity.Grant{{Role: identity.Viewer, Team: team, Environment: "*"}}}
	}
	for _, c := range []struct {
		w    eventWriter
		want bool
	}{
		{eventWriter{who: grant("core")}, true},
		{eventWriter{who: grant("shop")}, false},
		{eventWriter{who: grant("core"), run: "run_1"}, true},
		{eventWriter{who: grant("core"), run: "run_2"}, false},
		{eventWriter{who: grant("core"), want: wanted("run.updated")}, false},
	} {
		if got := c.w.mayRead(ev); got != c.want {
			t.Errorf("%+v: %v", c.w, got)
		}
	}
}

func TestOriginsAt(t *testing.T) {
	t.Parallel()
	all := []activity.Origin{
		{Path: "/to/*", Source: "tool", Tool: "mail.read"}, {Path: "/to/*", Index: 1, Source: "user"}, {Path: "query:cc", Source: "unknown"}, {Path: "/to/*", Source: "user"},
	}
	for path, want := range map[string][]string{"/to/0": {"tool:mail.read", "user"}, "query:cc": {"unknown"}, "/text": nil} {
		if got := originsAt(all, path); !slices.Equal(got, want) {
			t.Errorf("at %s: %v, want %v", path, got, want)
		}
	}
}

func TestApprovalIndicators(t *testing.T) {
	t.Parallel()
	a := withApprovals(t)
	for i, verb := range []string{"approve", "approve", "deny", ""} {
		ap := a.hold(`{"a":`+string(rune('0'+i))+`}`, func(k *approval.Ask) { k.Run = "run_" + string(rune('0'+i)) })
		if i == 0 {
			a.post(ap, "opened", "as approver", "")
		}
		switch verb {
		case "approve":
			decode[client.Approval](t, a.agree(ap, "as approver"), 200)
		case "deny":
			decode[client.Approval](t, a.post(ap, "deny", "as approver@core/*", `{}`), 200)
		}
	}
	got := get[client.ApprovalIndicators](t, a.testAPI, "/approvals/indicators", "as viewer")
	if got.Asked != 4 || got.Answered != 3 || got.Pending != 1 || got.States["denied"] != 1 || *got.Unopened != 0.5 || got.AnswerP50 == nil || *got.AnswerP95 < *got.AnswerP50 ||
		len(got.Approvers) != 2 || got.Approvers[0].Answers != 2 || got.Approvers[0].Unopened != 1 || got.Approvers[1].Denied != 1 {
		t.Errorf("%+v", got)
	}
	if got := get[client.ApprovalIndicators](t, a.testAPI, "/approvals/indicators", "as viewer@shop/*"); got.Asked != 0 || got.AnswerP50 != nil || got.Unopened != nil {
		t.Errorf("another team: %+v", got)
	}
	if got := get[client.ApprovalIndicators](t, a.testAPI, "/approvals/indicators?to=-1h", "as viewer"); got.Asked != 0 {
		t.Errorf("another time: %+v", got)
	}
	// What waits is on the page that says what needs a person, for who can answer.
	rows := must(approvalRows(a.API, as(a, "approver"), "", ""))
	if len(rows) != 1 || rows[0].Kind != "approval" {
		t.Errorf("%+v", rows)
	}
	if rows := must(approvalRows(a.API, as(a, "viewer"), "", "")); len(rows) != 0 {
		t.Errorf("%+v", rows)
	}
}

// as is the context of a caller's request.
func as(a *asked, spec string) context.Context {
	cookie, secret := a.house.session(spec)
	who := must(a.house.Session(a.t.Context(), cookie, secret))
	return context.WithValue(a.t.Context(), callKey{}, &call{who: &who})
}

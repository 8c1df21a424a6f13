package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/alert"
	"reeve/internal/change"
	"reeve/internal/hook"
	"reeve/internal/incident"
	"reeve/internal/intake/alerts"
)

// alertHouse is an API with alerts, sources and changes.
func alertHouse(t *testing.T) testAPI {
	t.Helper()
	a := newTestAPI(t, nil)
	book, err := alert.New(t.Context(), alert.Options{DB: a.house.db, Now: a.o.Now})
	if err != nil {
		t.Fatal(err)
	}
	hooks, err := hook.New(t.Context(), hook.Options{DB: a.house.db, CheckMapping: alerts.CheckMapping})
	if err != nil {
		t.Fatal(err)
	}
	changes, err := change.New(change.Options{DB: a.house.db})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Alerts, a.o.Hooks, a.o.Changes = book, hooks, changes
	for team, key := range map[string]string{"core": "c", "shop": "s", "": "h"} {
		if err := book.Take(t.Context(), alert.Sender{Source: "src" + team, Kind: "alertmanager", Team: team}, []alert.Report{{
			Key: key, State: alert.Firing, Severity: alert.Critical, Title: "of " + team, Labels: map[string]string{"alertname": "Down", "team": team}, Raw: []byte(`{"secret":"words"}`),
		}}); err != nil {
			t.Fatal(err)
		}
		if err := changes.Take(t.Context(), change.Sender{Source: "forge", Team: team}, []change.Report{{Key: key, Kind: "deployment", Title: "of " + team}}); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	a := alertHouse(t)
	for caller, want := range map[string]int{"as viewer": 3, "as viewer@core/*": 2, "as viewer@core/production": 2, "as viewer@none/*": 1} {
		if l := get[client.List[client.Alert]](t, a, "/alerts", caller); len(l.Items) != want {
			t.Errorf("%s sees %d alerts, want %d", caller, len(l.Items), want)
		}
		if l := get[client.List[client.Change]](t, a, "/changes", caller); len(l.Items) != want {
			t.Errorf("%s sees %d changes, want %d", caller, len(l.Items), want)
		}
	}
	core, shop := alert.ID("srccore", "c"), alert.ID("srcshop", "s")
	if d := get[client.AlertDetail](t, a, "/alerts/"+core, "as viewer@core/*"); d.Raw != nil || d.RawBytes == 0 || len(d.History) != 1 {
		t.Errorf("a viewer reads %+v", d)
	}
	if d := get[client.AlertDetail](t, a, "/alerts/"+core, "as reader@core/*"); d.Raw == nil || !strings.Contains(*d.Raw, "words") {
		t.Errorf("a reader reads %+v", d)
	}
	if got := send(a, http.MethodGet, Prefix+"/alerts/"+shop, "as reader@core/*", ""); got.status != http.StatusNotFound {
		t.Errorf("another team's: %d %s", got.status, got.body)
	}
	for _, c := range []struct {
		name, caller, id, body string
		want                   int
	}{
		{"a viewer closes", "as viewer@core/*", core, `{"reason":"r"}`, 403},
		{"another team's responder", "as responder@shop/*", core, `{"reason":"r"}`, 404},
		{"without a reason", "as responder@core/*", core, `{"reason":" "}`, 400},
		{"with one", "as responder@core/*", core, `{"reason":"a drill"}`, 200},
		{"again", "as responder@core/*", core, `{"reason":"a drill"}`, 409},
	} {
		if got := send(a, http.MethodPost, Prefix+"/alerts/"+c.id+"/close", c.caller, c.body); got.status != c.want {
			t.Errorf("%s: %d %s, want %d", c.name, got.status, got.body, c.want)
		}
	}
	for _, bad := range []string{"state=open", "severity=bad", "cursor=%21", "limit=-1", "limit=5000", "from=soon", "x=1"} {
		if got := send(a, http.MethodGet, Prefix+"/alerts?"+bad, "as viewer", ""); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, got.status)
		}
	}
	for _, bad := range []string{"kind=bad", "cursor=%21", "from=soon"} {
		if got := send(a, http.MethodGet, Prefix+"/changes?"+bad, "as viewer", ""); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, got.status)
		}
	}
}

func TestAlertSources(t *testing.T) {
	t.Parallel()
	a := alertHouse(t)
	for _, c := range []struct {
		name, caller, body string
		want               int
	}{
		{"a viewer", "as viewer@core/*", `{"kind":"grafana","team":"core"}`, 403},
		{"another team's", "as developer@shop/*", `{"kind":"grafana","team":"core"}`, 403},
		{"a mapping that fails", "as developer@core/*", `{"kind":"json","team":"core","mapping":{"title":"bdy.x"}}`, 400},
		{"its own", "as developer@core/*", `{"kind":"json","team":"core","mapping":{"title":"body.x"}}`, 200},
	} {
		if got := send(a, http.MethodPut, Prefix+"/alert-sources/one", c.caller, c.body); got.status != c.want {
			t.Errorf("%s: %d %s, want %d", c.name, got.status, got.body, c.want)
		}
	}
	for caller, want := range map[string]int{"as viewer@core/*": 1, "as viewer@shop/*": 0} {
		if l := get[client.List[client.AlertSource]](t, a, "/alert-sources", caller); len(l.Items) != want {
			t.Errorf("%s sees %d sources, want %d", caller, len(l.Items), want)
		}
	}
	tried := func(body string) client.TriedAlerts {
		t.Helper()
		got := send(a, http.MethodPost, Prefix+"/alert-sources/try", "as viewer@core/*", body)
		var out client.TriedAlerts
		if err := json.Unmarshal([]byte(got.body), &out); err != nil || got.status != 200 {
			t.Fatalf("%s: %d %s", body, got.status, got.body)
		}
		return out
	}
	if out := tried(`{"kind":"json","body":"{\"x\":\"down\"}","mapping":{"title":"body.x"}}`); len(out.Alerts) != 1 || out.Alerts[0].Title != "down" {
		t.Errorf("%+v", out)
	}
	if out := tried(`{"kind":"json","body":"{}","mapping":{"title":"body.x +"}}`); len(out.Problems) == 0 || out.Problems[0].Field != "title" || out.Problems[0].Line != 1 {
		t.Errorf("%+v", out)
	}
	if out := tried(`{"kind":"json","body":"{}","mapping":{"title":"body.x"}}`); len(out.Problems) != 1 || out.Problems[0].Field != "title" {
		t.Errorf("%+v", out)
	}
	if out := tried(`{"kind":"pagerduty","body":"no JSON"}`); len(out.Problems) != 1 {
		t.Errorf("%+v", out)
	}
	if out := tried(`{"kind":"github","headers":{"X-GitHub-Event":"push"},"body":"{\"ref\":\"refs/heads/a/b\",\"after\":\"1\",\"repository\":{\"name\":\"r\"}}"}`); len(out.Changes) != 1 {
		t.Errorf("%+v", out)
	}
	if l := get[client.List[client.Alert]](t, a, "/alerts", "as viewer"); len(l.Items) != 3 {
		t.Errorf("trying kept something: %d", len(l.Items))
	}
}

func TestCreateChange(t *testing.T) {
	t.Parallel()
	a := alertHouse(t)
	for _, c := range []struct {
		name, caller, body string
		want               int
	}{
		{"a viewer", "as viewer@core/*", `{"kind":"model","title":"t","team":"core"}`, 403},
		{"another team", "as developer@shop/*", `{"kind":"model","title":"t","team":"core"}`, 403},
		{"another kind", "as developer@core/*", `{"kind":"x","title":"t","team":"core"}`, 400},
		{"its own", "as developer@core/*", `{"kind":"model","title":"t","team":"core","key":"k","after":{"a":1}}`, 201},
		{"again", "as developer@core/*", `{"kind":"model","title":"t2","team":"core","key":"k"}`, 201},
	} {
		if got := send(a, http.MethodPost, Prefix+"/changes", c.caller, c.body); got.status != c.want {
			t.Errorf("%s: %d %s, want %d", c.name, got.status, got.body, c.want)
		}
	}
	if l := get[client.List[client.Change]](t, a, "/changes?source=api", "as viewer@core/*"); len(l.Items) != 1 || l.Items[0].Title != "t2" {
		t.Errorf("%+v", l)
	}
}

// What clients of Alertmanager read: what fires, for who may view it.
func TestAlertmanager(t *testing.T) {
	t.Parallel()
	a := alertHouse(t)
	h := a.Alertmanager()
	ask := func(path, caller string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if caller != "" {
			cookie, secret := a.house.session(strings.TrimPrefix(caller, "as "))
			r.AddCookie(&http.Cookie{Name: SessionCookie, Value: cookie})
			r.Header.Set(secretHeader, secret)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	if got := ask("/api/v2/alerts", ""); got.Code != http.StatusUnauthorized {
		t.Errorf("nobody: %d", got.Code)
	}
	for path, want := range map[string]int{
		"/api/v2/alerts": 2, "/api/v2/alerts?active=false": 0, `/api/v2/alerts?filter=alertname%3D%22Down%22&filter=team%21%3D%22core%22`: 1,
		`/api/v2/alerts?filter=team%3D~%22co.e%22&silenced=false&inhibited=false&unprocessed=true`: 1,
	} {
		got := ask(path, "as viewer@core/*")
		var all []struct {
			Labels      map[string]string
			Fingerprint string
			StartsAt    time.Time
			EndsAt      time.Time
			Status      struct{ State string }
		}
		if err := json.Unmarshal(got.Body.Bytes(), &all); err != nil || len(all) != want {
			t.Errorf("%s: %d %s, %v; want %d", path, got.Code, got.Body, err, want)
		}
		for _, one := range all {
			if one.Status.State != "active" || one.Fingerprint == "" || one.StartsAt.IsZero() || !one.EndsAt.After(one.StartsAt) {
				t.Errorf("%s: %+v", path, one)
			}
		}
	}
	for path, want := range map[string]string{
		"/api/v2/status": `"disabled"`, "/api/v2/silences": `[]`, "/api/v2/receivers": `"reeve"`, "/api/v2/alerts/groups": `"alertname":"Down"`,
	} {
		if got := ask(path, "as viewer@core/*"); got.Code != 200 || !strings.Contains(got.Body.String(), want) {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
	for path, want := range map[string]int{"/api/v2/alerts?filter=%7B": 400, "/api/v2/alerts?filter=a%3D~%22(%22": 400, "/api/v2/other": 404} {
		if got := ask(path, "as viewer@core/*"); got.Code != want {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
}

// Silences by Alertmanager's API are the console's: who may respond makes and
// ends them, alerts under one are suppressed, and bad ones say why.
func TestAlertmanagerSilences(t *testing.T) {
	t.Parallel()
	a := alertHouse(t)
	now := a.o.Now()
	book, err := incident.New(t.Context(), incident.Options{DB: a.house.db, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Incidents = book
	h := a.Alertmanager()
	ask := func(method, path, caller, body string) *httptest.ResponseRecorder {
		t.Helper()
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		cookie, secret := a.house.session(strings.TrimPrefix(caller, "as "))
		r.AddCookie(&http.Cookie{Name: SessionCookie, Value: cookie})
		r.Header.Set(secretHeader, secret)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	silence := func(matchers, from, to string) string {
		return `{"matchers":[` + matchers + `],"startsAt":"` + from + `","endsAt":"` + to + `","createdBy":"amtool","comment":"we know"}`
	}
	at := func(d time.Duration) string { return now.Add(d).UTC().Format(time.RFC3339) }
	const down, core = `{"name":"alertname","value":"Down","isRegex":false,"isEqual":true}`, `{"name":"team","value":"core","isRegex":false}`
	for name, c := range map[string]struct {
		caller, body string
		want         int
	}{
		"a viewer":          {"as viewer@core/*", silence(down+","+core, at(0), at(time.Hour)), 403},
		"another team's":    {"as responder@shop/*", silence(down+","+core, at(0), at(time.Hour)), 403},
		"of all teams":      {"as responder@core/*", silence(down, at(0), at(time.Hour)), 403},
		"over already":      {"as responder@core/*", silence(down+","+core, at(-2*time.Hour), at(-time.Hour)), 400},
		"no matcher":        {"as responder@core/*", silence("", at(0), at(time.Hour)), 400},
		"a bad expression":  {"as responder@core/*", silence(core+`,{"name":"a","value":"(","isRegex":true}`, at(0), at(time.Hour)), 400},
		"no JSON":           {"as responder@core/*", `{"matchers":`, 400},
		"too long":          {"as responder@core/*", `{"comment":"` + strings.Repeat("x", 70<<10) + `"}`, 400},
		"of an unknown one": {"as responder@core/*", `{"id":"sil_none",` + silence(down+","+core, at(0), at(time.Hour))[1:], 404},
	} {
		if got := ask(http.MethodPost, "/api/v2/silences", c.caller, c.body); got.Code != c.want {
			t.Errorf("%s: %d %s, want %d", name, got.Code, got.Body, c.want)
		}
	}
	states := func(caller, query string) (out []string) {
		t.Helper()
		var all []struct {
			Labels map[string]string
			Status struct {
				State      string
				SilencedBy []string
			}
		}
		if err := json.Unmarshal(ask(http.MethodGet, "/api/v2/alerts"+query, caller, "").Body.Bytes(), &all); err != nil {
			t.Fatal(err)
		}
		for _, x := range all {
			out = append(out, x.Labels["team"]+" "+x.Status.State+strings.Repeat("+", len(x.Status.SilencedBy)))
		}
		slices.Sort(out)
		return out
	}
	var made struct{ SilenceID string }
	if err := json.Unmarshal(ask(http.MethodPost, "/api/v2/silences", "as responder@core/*", silence(down+","+core, at(-time.Minute), at(time.Hour))).Body.Bytes(), &made); err != nil || made.SilenceID == "" {
		t.Fatalf("%+v, %v", made, err)
	}
	for query, want := range map[string][]string{"": {" active", "core suppressed+"}, "?silenced=false": {" active"}, "?active=false": {"core suppressed+"}} {
		if got := states("as viewer@core/*", query); !slices.Equal(got, want) {
			t.Errorf("%q lists %q, want %q", query, got, want)
		}
	}
	type shape struct {
		ID, Comment, CreatedBy string
		StartsAt, EndsAt       time.Time
		UpdatedAt              time.Time
		Status                 struct{ State string }
		Matchers               []struct {
			Name, Value      string
			IsRegex, IsEqual bool
		}
	}
	list := func(caller, query string) (all []shape) {
		t.Helper()
		if got := ask(http.MethodGet, "/api/v2/silences"+query, caller, ""); json.Unmarshal(got.Body.Bytes(), &all) != nil {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
		return all
	}
	all := list("as viewer@core/*", "")
	if len(all) != 1 || all[0].ID != made.SilenceID || all[0].Status.State != "active" || all[0].Comment != "we know" || len(all[0].Matchers) != 2 || !all[0].Matchers[0].IsEqual || all[0].UpdatedAt.IsZero() {
		t.Errorf("%+v", all)
	}
	if n := len(list("as viewer@core/*", "?filter=alertname%3DDown")) - len(list("as viewer@core/*", "?filter=alertname%3DUp")); n != 1 {
		t.Errorf("a filter finds %d", n)
	}
	if others := list("as viewer@shop/*", ""); len(others) != 0 {
		t.Errorf("another team sees %+v", others)
	}
	one := "/api/v2/silence/" + made.SilenceID
	for _, c := range []struct {
		method, caller string
		want           int
	}{
		{http.MethodGet, "as viewer@core/*", 200},
		{http.MethodGet, "as viewer@shop/*", 404},
		{http.MethodDelete, "as viewer@core/*", 403},
		{http.MethodDelete, "as responder@shop/*", 404},
	} {
		if got := ask(c.method, one, c.caller, ""); got.Code != c.want {
			t.Errorf("%s %s: %d %s", c.method, c.caller, got.Code, got.Body)
		}
	}
	// Changed, it is another one, and the first ends.
	if err := json.Unmarshal(ask(http.MethodPost, "/api/v2/silences", "as responder@core/*", `{"id":"`+made.SilenceID+`",`+silence(down+","+core, at(0), at(2*time.Hour))[1:]).Body.Bytes(), &made); err != nil {
		t.Fatal(err)
	}
	if got := states("as viewer@core/*", ""); !slices.Equal(got, []string{" active", "core suppressed+"}) {
		t.Errorf("replaced: %q", got)
	}
	if got := ask(http.MethodDelete, "/api/v2/silence/"+made.SilenceID, "as responder@core/*", ""); got.Code != 200 {
		t.Errorf("ending it: %d %s", got.Code, got.Body)
	}
	if got := states("as viewer@core/*", ""); !slices.Equal(got, []string{" active", "core active"}) {
		t.Errorf("ended: %q", got)
	}
	if got := ask(http.MethodDelete, "/api/v2/silence/"+made.SilenceID, "as responder@core/*", ""); got.Code != 409 {
		t.Errorf("ending it again: %d %s", got.Code, got.Body)
	}
	// Whoever may not end one does not replace it: nothing new is left behind.
	if err := json.Unmarshal(ask(http.MethodPost, "/api/v2/silences", "as responder@*/*", silence(down, at(0), at(time.Hour))).Body.Bytes(), &made); err != nil {
		t.Fatal(err)
	}
	before := len(list("as viewer@core/*", ""))
	if got := ask(http.MethodPost, "/api/v2/silences", "as responder@core/*", `{"id":"`+made.SilenceID+`",`+silence(down+","+core, at(0), at(time.Hour))[1:]); got.Code != 403 {
		t.Errorf("replacing one of all teams: %d %s", got.Code, got.Body)
	}
	if n := len(list("as viewer@core/*", "")); n != before {
		t.Errorf("%d silences, were %d", n, before)
	}
	if got := ask(http.MethodPost, "/api/v2/alerts", "as responder@core/*", "[]"); got.Code != 404 {
		t.Errorf("alerts sent there: %d %s", got.Code, got.Body)
	}
}

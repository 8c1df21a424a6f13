package lesson

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

type house struct {
	*Book
	db  *control.DB
	now time.Time
}

func open(t *testing.T, measured Measured) *house {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{db: db, now: time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)}
	t.Cleanup(func() {
		if r, err := audit.Verify(context.Background(), db); err != nil || r.Break != nil {
			t.Errorf("audit log: %+v, %v", r.Break, err)
		}
		db.Close()
	})
	if h.Book, err = New(t.Context(), Options{DB: db, Measured: measured, Now: func() time.Time { return h.now }}); err != nil {
		t.Fatal(err)
	}
	return h
}

var (
	boss    = Actor{Person: "per_ann", Can: func(string, string, string) bool { return true }}
	support = Actor{Person: "per_bo", Can: func(role, team, _ string) bool { return role == "responder" && team == "support" }}
	refunds = Agent{"refunds", "support", "production"}
)

func (h *house) lesson(more ...func(*Lesson)) Lesson {
	l := Lesson{Title: "Prices", Text: "Prices come from the price list.", Team: "support", Owner: "per_bo", ExpiresAt: h.now.Add(24 * time.Hour)}
	for _, f := range more {
		f(&l)
	}
	return l
}

func (h *house) put(t *testing.T, l Lesson) Lesson {
	t.Helper()
	h.now = h.now.Add(time.Second)
	out, err := h.Put(t.Context(), boss, l)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// An agent is given what is for it, while it holds.
func TestWhoIsGivenWhat(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	all := h.put(t, h.lesson(func(l *Lesson) { l.Team = "" }))
	team := h.put(t, h.lesson())
	h.put(t, h.lesson(func(l *Lesson) { l.Team = "risk" }))
	h.put(t, h.lesson(func(l *Lesson) { l.Environment = "staging" }))
	h.put(t, h.lesson(func(l *Lesson) { l.Agents = []string{"other"} }))
	mine := h.put(t, h.lesson(func(l *Lesson) { l.Agents, l.ExpiresAt = []string{"refunds"}, h.now.Add(time.Hour) }))
	given := func(want ...string) {
		t.Helper()
		var got []string
		for _, l := range h.For(refunds) {
			got = append(got, l.ID)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("given %v, want %v", got, want)
		}
	}
	given(mine.ID, team.ID, all.ID)
	h.now = h.now.Add(2 * time.Hour)
	given(team.ID, all.ID)
	if _, err := h.Revoke(t.Context(), support, team.ID, "it was wrong"); err != nil {
		t.Fatal(err)
	}
	given(all.ID)
	again, err := New(t.Context(), Options{DB: h.db, Now: func() time.Time { return h.now }})
	if err != nil || len(again.For(refunds)) != 1 {
		t.Errorf("after a restart %d, %v", len(again.For(refunds)), err)
	}
}

func TestBadLessons(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	for name, c := range map[string]struct {
		who  Actor
		more func(*Lesson)
		code string
	}{
		"no title":            {boss, func(l *Lesson) { l.Title = " " }, "lesson.invalid"},
		"a title of lines":    {boss, func(l *Lesson) { l.Title = "a\nb" }, "lesson.invalid"},
		"no text":             {boss, func(l *Lesson) { l.Text = "" }, "lesson.invalid"},
		"an escape":           {boss, func(l *Lesson) { l.Text = "a\x1b[31m" }, "lesson.invalid"},
		"too long":            {boss, func(l *Lesson) { l.Text = strings.Repeat("a", maxText+1) }, "lesson.invalid"},
		"no owner":            {boss, func(l *Lesson) { l.Owner = "" }, "lesson.invalid"},
		"no end":              {boss, func(l *Lesson) { l.ExpiresAt = time.Time{} }, "lesson.invalid"},
		"for ever":            {boss, func(l *Lesson) { l.ExpiresAt = h.now.AddDate(2, 0, 0) }, "lesson.invalid"},
		"an unknown measure":  {boss, func(l *Lesson) { l.Measure = "luck" }, "lesson.invalid"},
		"another team's":      {support, func(l *Lesson) { l.Team = "risk" }, "lesson.denied"},
		"all teams'":          {support, func(l *Lesson) { l.Team = "" }, "lesson.denied"},
		"one that is not":     {boss, func(l *Lesson) { l.ID = "les_none" }, "lesson.not_found"},
		"without its actor":   {Actor{}, func(*Lesson) {}, "lesson.denied"},
		"a stale environment": {boss, func(l *Lesson) { l.Environment = strings.Repeat("e", 201) }, "lesson.invalid"},
	} {
		if _, err := h.Put(t.Context(), c.who, h.lesson(c.more)); fault.From(err).Code != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	l := h.put(t, h.lesson())
	l.Revision = 7
	if _, err := h.Put(t.Context(), boss, l); fault.From(err).Code != "lesson.conflict" {
		t.Errorf("a revision that is not: %v", err)
	}
}

func serve(t *testing.T, h *house) func(method, path, body string, headers ...string) (int, map[string]any) {
	t.Helper()
	srv := httptest.NewServer(NewServer(h.Book, func(r *http.Request) (Agent, error) {
		if r.Header.Get("Authorization") != "Bearer key" {
			return Agent{}, fault.New(fault.KindUnauthenticated, "x.no", "no")
		}
		return refunds, nil
	}, func(w http.ResponseWriter, f *fault.Error) { http.Error(w, f.Message, f.Kind.HTTPStatus()) }, "1").Handler())
	t.Cleanup(srv.Close)
	return func(method, path, body string, headers ...string) (int, map[string]any) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer key")
		req.Header.Set("Content-Type", "application/json")
		for i := 0; i+1 < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var out map[string]any
		_ = json.NewDecoder(res.Body).Decode(&out)
		return res.StatusCode, out
	}
}

// Agents read by HTTP, as a resource and as a prompt; each is on record.
func TestAgentsRead(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	l := h.put(t, h.lesson())
	other := h.put(t, h.lesson(func(l *Lesson) { l.Team = "risk" }))
	do := serve(t, h)
	if status, _ := do("GET", "/lessons", "", "Authorization", "none"); status != http.StatusUnauthorized {
		t.Errorf("a stranger reads: %d", status)
	}
	if status, out := do("GET", "/lessons", ""); status != http.StatusOK || len(out["items"].([]any)) != 1 {
		t.Errorf("%d %v", status, out)
	}
	rpc := func(method, params string, headers ...string) (int, string) {
		status, out := do("POST", "/lessons/mcp", fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, params), headers...)
		text, _ := json.Marshal(out)
		return status, string(text)
	}
	stateless := func(method, name string) []string {
		return []string{"MCP-Protocol-Version", latestStateless, "Mcp-Method", method, "Mcp-Name", name}
	}
	for _, c := range []struct {
		method, params string
		headers        []string
		status         int
		want, not      string
	}{
		{"initialize", `{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}`, nil, 200, `"protocolVersion":"2025-06-18"`, ""},
		{"initialize", `{"protocolVersion":"1999-01-01"}`, nil, 200, `"protocolVersion":"2025-11-25"`, ""},
		{"resources/list", `{}`, nil, 200, `reeve://lessons/` + l.ID, other.ID},
		{"resources/read", `{"uri":"reeve://lessons"}`, nil, 200, "price list", ""},
		{"resources/read", `{"uri":"reeve://lessons/` + l.ID + `"}`, nil, 200, "price list", ""},
		{"resources/read", `{"uri":"reeve://lessons/` + other.ID + `"}`, nil, 200, `"code":-32002`, "price list"},
		{"resources/read", `[]`, nil, 200, `"code":-32602`, ""},
		{"prompts/list", `{}`, nil, 200, `"name":"lessons"`, ""},
		{"prompts/get", `{"name":"lessons"}`, nil, 200, "price list", ""},
		{"prompts/get", `{"name":"other"}`, nil, 200, `"code":-32602`, ""},
		{"tools/call", `{"name":"x"}`, nil, 200, `"code":-32601`, ""},
		{"server/discover", `{}`, stateless("server/discover", ""), 200, `"resultType":"complete"`, ""},
		{"resources/read", `{"uri":"reeve://lessons"}`, stateless("resources/read", "reeve://lessons"), 200, `"cacheScope":"private"`, ""},
		{"resources/read", `{"uri":"reeve://lessons"}`, stateless("resources/read", "reeve://other"), 400, `"code":-32020`, "price list"},
		{"tools/list", `{}`, stateless("tools/list", ""), 404, `"code":-32601`, ""},
	} {
		status, text := rpc(c.method, c.params, c.headers...)
		if status != c.status || !strings.Contains(text, c.want) || c.not != "" && strings.Contains(text, c.not) {
			t.Errorf("%s %s: %d %s", c.method, c.params, status, text)
		}
	}
	if status, _ := do("POST", "/lessons/mcp", `{"jsonrpc":"2.0","method":"notifications/initialized"}`); status != http.StatusAccepted {
		t.Errorf("a notification: %d", status)
	}
	if status, out := do("POST", "/lessons/mcp", `{`); status != http.StatusBadRequest || out["error"] == nil {
		t.Errorf("no JSON: %d %v", status, out)
	}
	reads, err := h.Reads(t.Context(), l.ID)
	if err != nil || len(reads) != 3 {
		t.Fatalf("%+v, %v", reads, err)
	}
	for _, r := range reads {
		if want := map[string]int64{"http": 1, "resource": 3, "prompt": 1}[r.How]; r.Count != want || r.Agent != "refunds" {
			t.Errorf("%+v, want %d", r, want)
		}
	}
}

func TestEffect(t *testing.T) {
	t.Parallel()
	var asked [][2]time.Time
	h := open(t, func(_ context.Context, measure string, agents []string, _ string, from, to time.Time) (float64, int64, error) {
		asked = append(asked, [2]time.Time{from, to})
		if measure != "failures" || len(agents) != 1 || agents[0] != "refunds" {
			t.Errorf("%s of %v", measure, agents)
		}
		if len(asked) == 2 {
			return 0, 0, nil // no runs since
		}
		return 0.25, 40, nil
	})
	l := h.put(t, h.lesson(func(l *Lesson) { l.Measure = "failures" }))
	if _, ok, err := h.Effect(t.Context(), &l, nil); ok || err != nil {
		t.Errorf("an effect of what nobody read: %v", err)
	}
	h.Gave(refunds, &l, "http")
	h.now = h.now.Add(30 * 24 * time.Hour)
	reads, err := h.Reads(t.Context(), l.ID)
	if err != nil {
		t.Fatal(err)
	}
	e, ok, err := h.Effect(t.Context(), &l, reads)
	if err != nil || !ok || e.Before == nil || *e.Before != 0.25 || e.RunsBefore != 40 || e.After != nil {
		t.Errorf("%+v, %v", e, err)
	}
	if len(asked) != 2 || asked[0][1] != asked[1][0] || asked[1][1].Sub(asked[1][0]) != window || asked[0][1].Sub(asked[0][0]) != window {
		t.Errorf("asked of %v", asked)
	}
}

func FuzzMCP(f *testing.F) {
	f.Add(`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"reeve://lessons"}}`)
	f.Add(`{"jsonrpc":"2.0","id":"a","method":"prompts/get","params":{"name":"lessons"}}`)
	f.Add(`{"jsonrpc":"2.0","id":null,"method":"initialize","params":null}`)
	db, err := controltest.Open(context.Background(), filepath.Join(f.TempDir(), "control.db"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	b, err := New(context.Background(), Options{DB: db})
	if err != nil {
		f.Fatal(err)
	}
	srv := NewServer(b, func(*http.Request) (Agent, error) { return refunds, nil }, func(http.ResponseWriter, *fault.Error) {}, "1").Handler()
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/lessons/mcp", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		if w.Code != http.StatusAccepted && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%q: %d %q", body, w.Code, w.Body)
		}
	})
}

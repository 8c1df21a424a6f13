package app

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/fault"
)

// What the process counts names agents, and what they cost: who reaches the port from
// elsewhere says who they are first. /readyz says whether, and no more.
func TestStrangersSeeNoFigures(t *testing.T) {
	t.Parallel()
	a := start(t, func(c *Config) { c.Dev = false })
	base, ctx := "http://"+a.Address("listen"), t.Context()
	jar, _ := cookiejar.New(nil)
	own := &session{}
	ada := client.New(base, "", client.WithHTTP(&http.Client{Transport: own, Jar: jar}))
	first := client.CreatePersonRequest{Name: "ada", Password: "three unrelated words here"}
	if _, err := client.New(base, a.AdminToken()).CreatePerson(ctx, first); err != nil {
		t.Fatal(err)
	}
	in, err := ada.SignIn(ctx, client.SignInRequest{Name: first.Name, Password: first.Password})
	if err != nil {
		t.Fatal(err)
	}
	own.secret = in.Secret
	if _, err := ada.CreateTeam(ctx, client.CreateTeamRequest{Name: "refunds"}); err != nil {
		t.Fatal(err)
	}
	token := func(name string, g client.Grant) string {
		t.Helper()
		made, err := ada.CreateToken(ctx, client.CreateTokenRequest{Name: name, ExpiresIn: "24h", Grants: []client.Grant{g}})
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + made.Secret
	}
	scraper, narrow := token("prometheus", client.Grant{Role: "viewer", Team: "*", Environment: "*"}), token("team", client.Grant{Role: "viewer", Team: "refunds", Environment: "*"})
	h := a.console()
	ask := func(path, from string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
		r.RemoteAddr = from
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	const far, near = "203.0.113.9:40000", "127.0.0.1:40000"
	for _, c := range []struct {
		name, from string
		header     []string
		status     int
	}{
		{"a stranger", far, nil, http.StatusUnauthorized},
		{"a wrong token", far, []string{"Authorization", "Bearer rvt_wrong"}, http.StatusUnauthorized},
		{"a viewer of one team", far, []string{"Authorization", narrow}, http.StatusForbidden},
		{"a viewer of all", far, []string{"Authorization", scraper}, http.StatusOK},
		{"a stranger through a proxy of this host", near, []string{"X-Forwarded-For", "203.0.113.9"}, http.StatusUnauthorized},
		{"a viewer through a proxy", near, []string{"Forwarded", "for=203.0.113.9", "Authorization", scraper}, http.StatusOK},
		{"this host", near, nil, http.StatusOK},
		{"this host by IPv6", "[::1]:40000", nil, http.StatusOK},
	} {
		w := ask("/metrics", c.from, c.header...)
		if w.Code != c.status || (c.status == http.StatusOK) != strings.Contains(w.Body.String(), "reeve_intake_requests_total") {
			t.Errorf("%s gets %d from /metrics, want %d: %.200s", c.name, w.Code, c.status, w.Body)
		}
		if c.name == "a stranger" && (w.Header().Get("WWW-Authenticate") == "" || !strings.Contains(w.Body.String(), "hint")) {
			t.Errorf("%s is told %s", c.name, w.Body)
		}
	}

	reason := fault.New(fault.KindExhausted, "intake.backpressure", "the log of agent refunder is full")
	if w := ask("/readyz", far); w.Code != http.StatusOK || w.Body.String() != "ready\n" {
		t.Errorf("a stranger reads %d %q from /readyz", w.Code, w.Body)
	}
	h2 := &health{a: a}
	h2.last.Store(&state{free: 1})
	h2.refusal.Store(reason)
	for from, told := range map[string]bool{far: false, near: true} {
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/readyz", nil)
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		h2.ready(w, r)
		if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "refunder") != told {
			t.Errorf("from %s /readyz says %d %q", from, w.Code, w.Body)
		}
	}
}

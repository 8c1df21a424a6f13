package api

import (
	"net/http"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/upstream"
)

// The credential goes in and never comes out; only security of the upstream's
// team changes it; other teams see what is shared.
func TestUpstreams(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	ups, err := upstream.New(t.Context(), upstream.Options{DB: a.house.db, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Upstreams = ups
	path := Prefix + "/upstreams/openai"
	body := `{"kind":"llm","dialect":"openai","url":"https://api.example.com","team":"core","environment":"production",` +
		`"credential":{"kind":"bearer","source":"value","value":"sk-secret","set":false}}`
	for _, c := range []struct {
		caller, body string
		want         int
	}{
		{"as security@shop/*", body, http.StatusForbidden},
		{"as developer", body, http.StatusForbidden},
		{"as security@core/*", body, http.StatusOK},
		{"as security@core/*", body, http.StatusConflict},                                          // made already
		{"as security@shop/*", strings.Replace(body, `"core"`, `"shop"`, 1), http.StatusForbidden}, // another team's
	} {
		got := send(a, http.MethodPut, path, c.caller, c.body)
		if got.status != c.want || strings.Contains(string(got.body), "sk-secret") {
			t.Errorf("%s: %d %s, want %d", c.caller, got.status, got.body, c.want)
		}
	}
	if u := get[client.Upstream](t, a, "/upstreams/openai", "as viewer@core/*"); u.Credential == nil || !u.Credential.Set || u.Credential.Value != "" {
		t.Errorf("read: %+v", u)
	}
	if l := get[client.List[client.Upstream]](t, a, "/upstreams", "as viewer@shop/*"); len(l.Items) != 0 {
		t.Errorf("another team sees %+v", l.Items)
	}
	for _, c := range []struct {
		caller string
		want   int
	}{{"as security@shop/*", http.StatusNotFound}, {"as security", http.StatusNoContent}, {"as security", http.StatusNotFound}} {
		if got := send(a, http.MethodDelete, path, c.caller, ""); got.status != c.want {
			t.Errorf("%s deletes: %d %s, want %d", c.caller, got.status, got.body, c.want)
		}
	}
}

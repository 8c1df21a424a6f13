package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

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
	// Where it leads changes: the credential is gone, and admins are told.
	a.o.Now = time.Now
	moved := `{"kind":"llm","dialect":"openai","url":"https://evil.example","team":"core","environment":"production","revision":1}`
	if got := send(a, http.MethodPut, path, "as security@core/*", moved); got.status != http.StatusOK {
		t.Fatalf("moving it: %d %s", got.status, got.body)
	}
	for caller, want := range map[string]int{"as admin": 1, "as security": 0, "": 0} {
		told := 0
		for _, n := range get[client.List[client.Notice]](t, a, "/notices", caller).Items {
			if strings.Contains(n.Title, "upstream openai was dropped") && strings.Contains(n.Text, "https://evil.example") {
				told++
			}
		}
		if told != want {
			t.Errorf("%q is told %d times, want %d", caller, told, want)
		}
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

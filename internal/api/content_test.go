package api

import (
	"net/http"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/content"
)

// Rules are security's, for the whole house; everybody may try a text.
func TestContentRules(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	set, err := content.New(t.Context(), content.Options{DB: a.house.db})
	if err != nil {
		t.Fatal(err)
	}
	a.o.Content = set
	path := Prefix + "/content-rules/no-mail"
	body := `{"classes":["pii.email"],"action":"redact","reason":"privacy"}`
	for _, c := range []struct {
		caller, body string
		want         int
	}{
		{"as developer@core/*", body, http.StatusForbidden},
		{"as security@core/*", body, http.StatusForbidden},
		{"as security", strings.Replace(body, "pii.email", "pii.shoe", 1), http.StatusBadRequest},
		{"as security", strings.Replace(body, `"reason":"privacy"`, `"reason":""`, 1), http.StatusBadRequest},
		{"as security", body, http.StatusOK},
		{"as security", body, http.StatusConflict},
	} {
		if got := send(a, http.MethodPut, path, c.caller, c.body); got.status != c.want {
			t.Errorf("%s %s: %d %s, want %d", c.caller, c.body, got.status, got.body, c.want)
		}
	}
	got := send(a, http.MethodPost, Prefix+"/content-rules/try", "as viewer@core/*", `{"text":"to jo@example.org"}`)
	if got.status != http.StatusOK || !strings.Contains(string(got.body), `"forwarded":"to [redacted:pii.email]"`) {
		t.Errorf("try: %d %s", got.status, got.body)
	}
	if l := get[client.List[client.ContentRule]](t, a, "/content-rules", "as viewer@shop/*"); len(l.Items) != 1 {
		t.Errorf("listed: %+v", l)
	}
	if l := get[client.List[string]](t, a, "/content-classes", "as viewer@shop/*"); len(l.Items) < 200 {
		t.Errorf("%d classes", len(l.Items))
	}
	if got := send(a, http.MethodDelete, path, "as security@core/*", ""); got.status != http.StatusForbidden {
		t.Errorf("a team's security deletes: %d", got.status)
	}
	if got := send(a, http.MethodDelete, path, "as security", ""); got.status != http.StatusNoContent {
		t.Errorf("security deletes: %d %s", got.status, got.body)
	}
}

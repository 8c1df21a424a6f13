package app

import (
	"net/http"
	"strings"
	"testing"
)

// Every listener that a page in a browser could reach answers only to its own
// names and its own pages, in dev mode too: there a call needs no credential, so
// a name that was rebound to loopback would be an agent.
func TestEveryListenerKnowsItsNames(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	for key, paths := range map[string][]string{
		"listen":           {"/", "/api/v1/runs", "/api/v1/agents", "/v1/traces", "/metrics", "/healthz", "/assets/x"},
		"otlp_http_listen": {"/v1/traces", "/v1/logs"},
		"gateway_listen": {
			"/http/shop/v1/orders", "/llm/openai/v1/chat/completions", "/mcp", "/mcp/tracker", "/a2a/peer/", "/nowhere",
			"/oauth/token", "/identity/svid", "/spiffe/bundle", "/.well-known/oauth-authorization-server", "/access/v1/evaluation", "/api/v1/decisions",
		},
	} {
		for _, path := range paths {
			for _, c := range []struct {
				name   string
				header []string
				want   int
			}{
				{"a rebound name", []string{"Host", "attacker.example"}, http.StatusMisdirectedRequest},
				{"a rebound name with our port", []string{"Host", "attacker.example:" + a.Address(key)[strings.LastIndexByte(a.Address(key), ':')+1:]}, http.StatusMisdirectedRequest},
				{"a page elsewhere", []string{"Origin", "https://attacker.example"}, http.StatusForbidden},
				{"a page on another local port", []string{"Origin", "http://127.0.0.1:1"}, http.StatusForbidden},
				{"a page of the same site", []string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
				{"a sandboxed frame", []string{"Origin", "null"}, http.StatusForbidden},
			} {
				if got := post(t.Context(), "http://"+a.Address(key)+path, "application/json", []byte(`{}`), c.header...); got.status != c.want {
					t.Errorf("%s %s, %s: %d %s, want %d", key, path, c.name, got.status, got.body, c.want)
				}
			}
			if got := post(t.Context(), "http://"+a.Address(key)+path, "application/json", []byte(`{}`)); got.status == http.StatusMisdirectedRequest {
				t.Errorf("%s %s: its own name is refused: %s", key, path, got.body)
			}
		}
	}
}

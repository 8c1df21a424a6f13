package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"reeve/client"
)

// authority starts a server of tools behind an authorization server, both of which
// the variable AUTHORITY is the address of. Whoever comes there agrees.
func authority(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: authority")
	}
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	ts.Defer(s.Close)
	ts.Setenv("AUTHORITY", s.URL)
	give := func(path string, answer map[string]any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(answer) })
	}
	give("GET /.well-known/oauth-protected-resource/mcp", map[string]any{"resource": s.URL + "/mcp", "authorization_servers": []string{s.URL}, "scopes_supported": []string{"issues:read"}})
	give("GET /.well-known/oauth-authorization-server", map[string]any{
		"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token", "registration_endpoint": s.URL + "/register",
		"code_challenge_methods_supported": []string{"S256"}, "token_endpoint_auth_methods_supported": []string{"none"}, "authorization_response_iss_parameter_supported": true,
	})
	give("POST /register", map[string]any{"client_id": "dyn-1"})
	give("POST /token", map[string]any{"access_token": "access-1", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "refresh-1"})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"state": {q.Get("state")}, "code": {"code-1"}, "iss": {s.URL}}.Encode(), http.StatusFound)
	})
	mux.HandleFunc("/mcp", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer access-1" {
			w.Header().Set("WWW-Authenticate", `Bearer resource_metadata="`+s.URL+`/.well-known/oauth-protected-resource/mcp"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"nothing here"}}`)
	})
}

// browse is a person's browser: it follows an address to the console's page, and
// does what that page does.
func browse() {
	fail := func(err error) {
		fmt.Fprintln(os.Stderr, "browser:", err)
		os.Exit(1)
	}
	resp, err := http.Get(os.Args[1])
	if err != nil {
		fail(err)
	}
	_ = resp.Body.Close()
	at := resp.Request.URL
	said, err := url.ParseQuery(at.Fragment)
	if err != nil {
		fail(err)
	}
	body, err := json.Marshal(client.FinishConnectionRequest{State: said.Get("state"), Code: said.Get("code"), Issuer: said.Get("iss"), At: said.Get("at")})
	if err != nil {
		fail(err)
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+at.Host+"/api/v1/upstreams/"+said.Get("upstream")+"/connection/finish", strings.NewReader(string(body)))
	if err != nil {
		fail(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if resp, err = http.DefaultClient.Do(req); err != nil {
		fail(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		fail(fmt.Errorf("finishing: %s", resp.Status))
	}
}

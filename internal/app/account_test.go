package app

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reeve/client"
)

// session sends what a browser sends for a signed-in person: the cookie comes
// from the jar, the secret from the page.
type session struct{ secret string }

func (s *session) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.secret != "" {
		r = r.Clone(r.Context())
		r.Header.Set("X-Reeve-Session-Secret", s.secret)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestFirstStart walks the way of an installation without --dev: admin token,
// first account, sign in, intake key, a first trace, a personal token.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := start(t, func(c *Config) { c.Dev, c.Data = false, dir })
	base, token := "http://"+a.Address("listen"), a.AdminToken()
	file := filepath.Join(dir, "admin-token")
	text, err := os.ReadFile(file)
	if err != nil || token == "" || strings.TrimSpace(string(text)) != token {
		t.Fatalf("the admin token %q must also stand in a file: %q, %v", token, text, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the token's file: %v, %v", info.Mode(), err)
	}
	ctx := t.Context()
	problem := func(what string, err error, status int) {
		t.Helper()
		var p *client.Problem
		if !errors.As(err, &p) || p.Status != status {
			t.Errorf("%s: %v, want status %d", what, err, status)
		}
	}

	// Nobody is let in, with the admin token neither: it makes an account only.
	nobody := client.New(base, "")
	if s, err := nobody.Setup(ctx); err != nil || !s.Needed {
		t.Errorf("setup %+v, %v", s, err)
	}
	_, err = nobody.ListRuns(ctx, client.ListRunsRequest{})
	problem("reading as nobody", err, http.StatusUnauthorized)
	first := client.CreatePersonRequest{Name: "ada", Password: "three unrelated words here"}
	_, err = nobody.CreatePerson(ctx, first)
	problem("an account without the token", err, http.StatusUnauthorized)
	_, err = client.New(base, "rva_wrong").CreatePerson(ctx, first)
	problem("an account with a wrong token", err, http.StatusUnauthorized)
	setup := client.New(base, token)
	_, err = setup.ListRuns(ctx, client.ListRunsRequest{})
	problem("reading with the admin token", err, http.StatusForbidden)
	_, err = setup.CreatePerson(ctx, client.CreatePersonRequest{Name: "ada", Password: "short"})
	problem("a short password", err, http.StatusBadRequest)
	if _, err := setup.CreatePerson(ctx, first); err != nil {
		t.Fatalf("the first account: %v", err)
	}

	// The token is dead, its file gone.
	_, err = setup.CreatePerson(ctx, client.CreatePersonRequest{Name: "eve", Password: "three other words here"})
	problem("a second account with the admin token", err, http.StatusUnauthorized)
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file of the used token: %v, want it gone", err)
	}

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	own := &session{}
	ada := client.New(base, "", client.WithHTTP(&http.Client{Transport: own, Jar: jar}))
	_, err = ada.SignIn(ctx, client.SignInRequest{Name: "ada", Password: "not her password at all"})
	problem("a wrong password", err, http.StatusUnauthorized)
	in, err := ada.SignIn(ctx, client.SignInRequest{Name: "ada", Password: first.Password})
	if err != nil {
		t.Fatalf("signing in: %v", err)
	}
	_, err = ada.Me(ctx)
	problem("the cookie without the page's secret", err, http.StatusUnauthorized)
	own.secret = in.Secret
	if me, err := ada.Me(ctx); err != nil || me.Person == nil || me.Person.Name != "ada" || me.SetupNeeded {
		t.Fatalf("who am I: %+v, %v", me, err)
	}

	if _, err := ada.CreateTeam(ctx, client.CreateTeamRequest{Name: "refunds"}); err != nil {
		t.Fatalf("a team: %v", err)
	}
	key, err := ada.CreateIntakeKey(ctx, client.CreateIntakeKeyRequest{Name: "ci", Team: "refunds", Environment: "staging"})
	if err != nil {
		t.Fatalf("an intake key: %v", err)
	}
	// In each vendor's place.
	for i, header := range [][]string{
		{"Authorization", "Bearer " + key.Secret},
		{"x-api-key", key.Secret},
		{"DD-API-KEY", key.Secret},
	} {
		if got := post(ctx, "http://"+a.Address("otlp_http_listen")+"/v1/traces", protobuf, oneRun(t, i), header...); got.status != http.StatusOK {
			t.Errorf("sending with %s: %+v", header[0], got)
		}
	}
	_, err = client.New(base, key.Secret).ListRuns(ctx, client.ListRunsRequest{})
	problem("reading with an intake key", err, http.StatusForbidden)

	made, err := ada.CreateToken(ctx, client.CreateTokenRequest{Name: "laptop", ExpiresIn: "24h", Grants: []client.Grant{{Role: "viewer", Team: "refunds", Environment: "staging"}}})
	if err != nil || !strings.HasPrefix(made.Secret, "rvt_") {
		t.Fatalf("a personal token: %+v, %v", made, err)
	}
	reader := client.New(base, made.Secret)
	wantRuns(t, reader, map[string]bool{traceOf(0): true, traceOf(1): true, traceOf(2): true}, nil)
	page, err := reader.ListRuns(ctx, client.ListRunsRequest{})
	if err != nil || len(page.Items) != 3 || page.Items[0].Team != "refunds" || page.Items[0].Environment != "staging" {
		t.Errorf("runs of the key's team and environment: %+v, %v", page, err)
	}
	_, err = reader.CreateTeam(ctx, client.CreateTeamRequest{Name: "more"})
	problem("a viewer's token makes a team", err, http.StatusForbidden)
	if got := post(ctx, base+"/v1/traces", protobuf, oneRun(t, 9), "Authorization", "Bearer "+made.Secret); got.status != http.StatusUnauthorized {
		t.Errorf("sending with a personal token: %+v, want 401", got)
	}

	// Revoked is revoked at once.
	if err := ada.RevokeIntakeKey(ctx, client.IDRequest{ID: key.Key.ID}); err != nil {
		t.Errorf("ending the key: %v", err)
	}
	if got := post(ctx, base+"/v1/traces", protobuf, oneRun(t, 10), "x-api-key", key.Secret); got.status != http.StatusUnauthorized {
		t.Errorf("sending with an ended key: %+v, want 401", got)
	}
	log, err := ada.ListAudit(ctx, client.ListAuditRequest{})
	if err != nil {
		t.Fatalf("the audit log: %v", err)
	}
	raw, err := json.Marshal(log)
	if err != nil {
		t.Fatal(err)
	}
	if said := string(raw); !strings.Contains(said, key.Key.ID) || strings.Contains(said, key.Secret) || strings.Contains(said, made.Secret) {
		t.Errorf("the audit log must name the key and hold no secret: %s", said)
	}
}

package bench

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"reeve/client"
)

const delegateAgent = "bench-delegate"

// delegation is how one agent comes to act for another: by token exchange, each
// proving itself with a key of its own.
type delegation struct {
	api    *client.Client
	door   string
	issuer string
	keys   map[string]*ecdsa.PrivateKey // by agent
}

// delegation registers a second agent and keys for both.
func (g *governed) delegation(ctx context.Context) (*delegation, error) {
	if _, err := g.api.CreateAgent(ctx, client.CreateAgentRequest{Name: delegateAgent, Team: "bench", Environment: "production", Purpose: "measures the door", Owner: "dev", Sponsor: "dev"}); err != nil {
		return nil, err
	}
	if _, err := g.api.PromoteAgent(ctx, client.PromoteAgentRequest{Name: delegateAgent, To: "production", Reason: "measures the door", Ungated: true}); err != nil {
		return nil, err
	}
	d := &delegation{api: g.api, door: g.door, keys: map[string]*ecdsa.PrivateKey{}}
	var about struct {
		Issuer string `json:"issuer"`
	}
	if err := d.do(ctx, http.MethodGet, "/.well-known/oauth-authorization-server", nil, &about); err != nil {
		return nil, err
	}
	d.issuer = about.Issuer
	return d, d.key(ctx, delegateAgent)
}

// key registers a key of an agent. A stop kills those it has.
func (d *delegation) key(ctx context.Context, agent string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	jwks, err := json.Marshal(jose.JSONWebKey{Key: key.Public(), KeyID: rand.Text(), Algorithm: "ES256", Use: "sig"})
	if err != nil {
		return err
	}
	if _, err := d.api.AddAgentJWKs(ctx, client.AddAgentJWKsRequest{Name: agent, JWKS: jwks}); err != nil {
		return err
	}
	d.keys[agent] = key
	return nil
}

// token is an access token of the delegate that acts for the first agent.
func (d *delegation) token(ctx context.Context) (string, error) {
	if err := d.key(ctx, benchAgent); err != nil {
		return "", err
	}
	given, err := d.ask(ctx, benchAgent, url.Values{"grant_type": {"client_credentials"}, "delegate_to": {delegateAgent}})
	if err != nil {
		return "", err
	}
	return d.ask(ctx, delegateAgent, url.Values{
		"grant_type":         {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"subject_token":      {given},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
	})
}

// ask asks the token endpoint as an agent.
func (d *delegation) ask(ctx context.Context, agent string, form url.Values) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: d.keys[agent]}, nil)
	if err != nil {
		return "", err
	}
	assertion, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: agent, Subject: agent, Audience: jwt.Audience{d.issuer}, ID: rand.Text(), Expiry: jwt.NewNumericDate(time.Now().Add(time.Minute)),
	}).Serialize()
	if err != nil {
		return "", err
	}
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	var out struct {
		Token string `json:"access_token"`
	}
	err = d.do(ctx, http.MethodPost, "/oauth/token", form, &out)
	return out.Token, err
}

func (d *delegation) do(ctx context.Context, method, path string, form url.Values, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, d.door+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s: %.200s", path, resp.Status, body)
	}
	return json.Unmarshal(body, out)
}

package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"reeve/client"
)

// waitReady waits until the server that starts beside us answers.
func waitReady(ctx context.Context, at Endpoints) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("the server was not ready within 30 s"))
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.API+"/readyz", nil)
		if err != nil {
			return err
		}
		if resp, err := httpClient.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// settle makes teams, people and intake keys, as an administrator would. What
// is there already stays.
func (d *Demo) settle(ctx context.Context, at Endpoints) error {
	for _, t := range teams {
		if err := call(ctx, at, http.MethodPost, "/teams", client.CreateTeamRequest{Name: t}, nil); err != nil && !conflict(err) {
			return fmt.Errorf("making team %s: %w", t, err)
		}
	}
	for _, p := range d.people {
		if err := d.makePerson(ctx, at, p); err != nil {
			return fmt.Errorf("making the account %s: %w", p.name, err)
		}
	}
	for _, where := range places() {
		var key client.NewIntakeKey
		err := call(ctx, at, http.MethodPost, "/intake-keys", client.CreateIntakeKeyRequest{
			Name: "demo " + where.team + " " + where.environment, Team: where.team, Environment: where.environment, ExpiresIn: "30d",
		}, &key)
		if err != nil {
			return fmt.Errorf("making an intake key for %s: %w", where.team, err)
		}
		d.mu.Lock()
		d.keys[where] = key.Secret
		d.mu.Unlock()
	}
	return nil
}

func (d *Demo) makePerson(ctx context.Context, at Endpoints, p person) error {
	var grants []client.Grant
	for _, role := range p.roles {
		grants = append(grants, client.Grant{Role: role, Team: p.team, Environment: "*"})
	}
	err := call(ctx, at, http.MethodPost, "/people", client.CreatePersonRequest{
		Name: p.name, FullName: "Demo: " + p.title, Password: p.password, Teams: p.teams, Grants: grants,
	}, nil)
	if !conflict(err) {
		return err
	}
	// The folder was kept from an earlier demo: this start has new passwords.
	var page client.List[client.Person]
	if err := call(ctx, at, http.MethodGet, "/people?limit=1000", nil, &page); err != nil {
		return err
	}
	for _, have := range page.Items {
		if have.Name == p.name {
			return call(ctx, at, http.MethodPatch, "/people/"+have.ID, client.UpdatePersonRequest{Version: have.Version, Password: &p.password}, nil)
		}
	}
	return err
}

func conflict(err error) bool {
	var p *client.Problem
	return errors.As(err, &p) && p.Status == http.StatusConflict
}

var httpClient = &http.Client{Timeout: time.Minute}

// call asks the API; into may be nil.
func call(ctx context.Context, at Endpoints, method, path string, body, into any) error {
	_, err := callHeader(ctx, at, method, path, body, into)
	return err
}

func callHeader(ctx context.Context, at Endpoints, method, path string, body, into any) (http.Header, error) {
	return callWith(ctx, at, "", method, path, body, into)
}

// callWith asks the API with a key; "" is none, as development allows.
func callWith(ctx context.Context, at Endpoints, key, method, path string, body, into any) (http.Header, error) {
	h := http.Header{}
	if key != "" {
		h.Set("Authorization", "Bearer "+key)
	}
	return callAs(ctx, at, h, method, path, body, into)
}

// callAs asks the API with the headers of whoever asks.
func callAs(ctx context.Context, at Endpoints, who http.Header, method, path string, body, into any) (http.Header, error) {
	var r io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, at.API+"/api/v1"+path, r)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range who {
		req.Header[k] = v
	}
	resp, err := httpClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		p := &client.Problem{Status: resp.StatusCode, Title: resp.Status, Detail: string(raw[:min(len(raw), 300)]), Code: "http"}
		_ = json.Unmarshal(raw, p) // an answer that is no problem document keeps its text as detail
		return nil, p
	}
	if into == nil {
		return resp.Header, nil
	}
	return resp.Header, json.Unmarshal(raw, into)
}

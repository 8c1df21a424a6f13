package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/audit"
)

// A call of an agent through a whole Reeve: the upstream gets it with its own
// credential, and the run shows the step.
func TestACallThroughTheDoor(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	register(t, a, "orders-agent")
	_, key, err := a.agents.CreateKey(t.Context(), everyRole(), "orders-agent", agent.NewKey{Label: "test"})
	if err != nil {
		t.Fatal(err)
	}
	const secret = "upstream-secret-1"
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Token") != secret || strings.Contains(r.Header.Get("Authorization"), "rvk_") {
			t.Errorf("the upstream got %v", r.Header)
		}
		_, _ = io.WriteString(w, `{"id": 7}`)
	}))
	t.Cleanup(up.Close)
	if _, err := a.upstreams.Put(t.Context(), "test", client.Upstream{
		Name: "shop", Kind: "http", URL: up.URL, Team: "core", Environment: "production", Shared: true, AllowPrivate: true,
		Credential: &client.Credential{Kind: "header", Header: "X-Token", Source: "value", Value: secret},
		Routes:     []client.Route{{Method: "GET", Path: "/orders/{id}", Effect: "read"}},
	}); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", a.Door()+"/http/shop/orders/7", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Api-Key", key)
	req.Header.Set("X-Reeve-Run", "order-7")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != 200 || string(body) != `{"id": 7}` || resp.Header.Get("X-Reeve-Decision") == "" {
		t.Fatalf("%d %s %v", resp.StatusCode, body, resp.Header)
	}
	c := client.New("http://"+a.Address("listen"), "")
	run := activity.RunOfKey("order-7").String() // --dev: the scope of nobody
	eventually(t, "the step in its run", func() bool {
		list, err := c.ListSteps(t.Context(), client.ListStepsRequest{ID: run})
		return err == nil && len(list.Items) == 1 && list.Items[0].Status == "ok" && list.Items[0].Agent == "orders-agent" && list.Items[0].Source == "gateway"
	})
}

// Containing an agent to quarantine, or retiring it, ends the stream it has
// open, and the audit log says so.
func TestContainmentCutsLiveCalls(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]func(*App) error{
		"quarantine": func(a *App) error {
			_, err := a.agents.Contain(t.Context(), everyRole(), "orders-agent", agent.Quarantined, time.Time{}, "a test")
			return err
		},
		"retire": func(a *App) error {
			_, err := a.agents.Retire(t.Context(), everyRole(), "orders-agent", "a test")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := start(t, nil)
			register(t, a, "orders-agent")
			_, key, err := a.agents.CreateKey(t.Context(), everyRole(), "orders-agent", agent.NewKey{Label: "test"})
			if err != nil {
				t.Fatal(err)
			}
			up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "first")
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}))
			t.Cleanup(up.Close)
			if _, err := a.upstreams.Put(t.Context(), "test", client.Upstream{
				Name: "shop", Kind: "http", URL: up.URL, Team: "core", Environment: "production", Shared: true, AllowPrivate: true,
				Routes: []client.Route{{Method: "GET", Path: "/orders/{id}", Effect: "read"}},
			}); err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequestWithContext(t.Context(), "GET", a.Door()+"/http/shop/orders/7", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Api-Key", key)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			if err := act(a); err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(resp.Body); err == nil {
				t.Errorf("the stream ended in good order: %q", body)
			}
			eventually(t, "the audit record of the cut", func() bool {
				list, err := a.auditLog(t.Context(), audit.Filter{})
				return err == nil && slices.ContainsFunc(list, func(e audit.Entry) bool { return e.Kind == "revoke.cut" })
			})
		})
	}
}

package app

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/source"
)

// TestABreachBecomesAnIncident: a source whose assertions fail breaks its limit, as what
// keeps limits finds by itself: that is a finding, an incident about the source with an
// owner and a date, and, by the source's own policy, the end of its use at the door; a
// source that is only to be told of stays in use. Once results are good it is back.
func TestABreachBecomesAnIncident(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a := start(t, nil)
	c := client.New("http://"+a.Address("listen"), "")
	register(t, a, "refund")
	key, err := c.CreateAgentKey(ctx, client.CreateAgentKeyRequest{Name: "refund", Label: "breach"})
	if err != nil {
		t.Fatal(err)
	}
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"price":7}`)) }))
	t.Cleanup(shop.Close)
	if _, err := a.upstreams.Put(ctx, "test", client.Upstream{
		Name: "shop", Kind: "http", URL: shop.URL, Team: "core", Environment: "production", AllowPrivate: true, Routes: []client.Route{{Method: "GET", Path: "/prices", Effect: "read"}},
	}); err != nil {
		t.Fatal(err)
	}
	tenth := 0.1
	for _, in := range []client.PutSourceRequest{
		{Name: "prices", Team: "core", Owner: "ada", Namespace: "pg", Dataset: "prices", Aliases: []string{"shop GET /prices"}, MaxErrorRate: &tenth, OnBreach: source.Out},
		{Name: "stock", Team: "core", Namespace: "pg", Dataset: "stock", MaxErrorRate: &tenth},
	} {
		if _, err := c.PutSource(ctx, in); err != nil {
			t.Fatal(err)
		}
	}
	read := func() (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, "GET", a.Door()+"/http/shop/prices", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key.Key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(text)
	}
	results := func(dataset string, failed, all int) {
		t.Helper()
		f := &source.Facts{}
		for i := range all {
			f.Checks = append(f.Checks, source.Check{Dataset: source.Dataset{Namespace: "pg", Name: dataset}, Name: "not_null_" + strings.Repeat("x", i), OK: i >= failed, At: time.Now().Add(-time.Second)})
		}
		if err := a.sources.Take(ctx, source.Sender{Team: "core"}, f); err != nil {
			t.Fatal(err)
		}
	}
	// What Keep does each minute, now: it looks once when it begins.
	minute := func() {
		t.Helper()
		once, end := context.WithTimeout(ctx, 2*time.Second)
		defer end()
		if err := a.sources.Keep(once, a.tellBreach); err != nil {
			t.Fatal(err)
		}
	}
	if status, code := read(); status != http.StatusOK {
		t.Fatalf("read before the breach: %d %s", status, code)
	}
	results("prices", 18, 20)
	results("stock", 18, 20)
	minute()
	if status, code := read(); status != http.StatusForbidden || !strings.Contains(code, "out of use") {
		t.Errorf("read after the breach: %d %s", status, code)
	}
	if x, err := c.GetSource(ctx, client.SourceRequest{Name: "prices"}); err != nil || x.OutOfUse == nil || x.OutOfUse.Cause != "max_error_rate" {
		t.Errorf("%+v, %v", x.OutOfUse, err)
	}
	if x, err := c.GetSource(ctx, client.SourceRequest{Name: "stock"}); err != nil || x.OutOfUse != nil {
		t.Errorf("a source that is only told of is out of use: %+v, %v", x.OutOfUse, err)
	}
	var id string
	eventually(t, "an incident about the source", func() bool {
		l, err := c.ListIncidents(ctx, client.ListIncidentsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range l.Items {
			x, err := c.GetIncident(ctx, client.IncidentRequest{ID: i.ID})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range x.Members {
				if strings.Contains(m.Title, "source prices is not ready") && strings.Contains(m.Title, "it is out of use") && x.Team == "core" {
					id = i.ID
				}
			}
		}
		return id != ""
	})
	owned := func() (n int) {
		x, err := c.GetIncident(ctx, client.IncidentRequest{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range x.Tasks {
			if task.Owner == "ada" && task.DueAt != nil && strings.Contains(task.Text, "prices") {
				n++
			}
		}
		return n
	}
	eventually(t, "who has to bring it back, and by when", func() bool {
		minute()
		return owned() == 1
	})
	minute()
	if n := owned(); n != 1 {
		t.Errorf("%d tasks of one breach", n)
	}
	x, err := c.GetIncident(ctx, client.IncidentRequest{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	about := false
	for _, n := range x.Nodes {
		about = about || n.Kind == "source" && n.Value == "prices"
	}
	if !about {
		t.Errorf("the incident is about %+v, and not about the source", x.Nodes)
	}
	results("prices", 0, 400)
	minute()
	if status, code := read(); status != http.StatusOK {
		t.Errorf("read once it keeps its limit: %d %s", status, code)
	}
}

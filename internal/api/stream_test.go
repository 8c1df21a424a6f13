package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/client"
	"reeve/internal/bus"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

func runEvent(team string, n int) bus.Event {
	b, err := json.Marshal(client.RunUpdated{ID: runID(n).String(), Status: "running", Team: team, Environment: "production"})
	if err != nil {
		panic(err)
	}
	return bus.Event{Type: "run.updated", ID: runID(n).String(), Data: b}
}

var errEnough = errors.New("enough")

// collect follows events until n came.
func collect(t *testing.T, c *client.Client, req client.EventsRequest, n int, ready func()) []client.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var out []client.Event
	if ready != nil {
		go ready()
	}
	err := c.Events(ctx, req, func(ev client.Event) error {
		if out = append(out, ev); len(out) == n {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("following %+v gave %v after %d events, want %d events", req, err, len(out), n)
	}
	return out
}

func TestEvents(t *testing.T) {
	t.Parallel()
	ev := newMemEvents()
	ev.publish(runEvent("core", 1), runEvent("shop", 2), runEvent("core", 3), bus.Event{Type: "health.changed"}, runEvent("core", 4))
	a := newTestAPI(t, func(o *Options) { o.Events = ev })
	srv := httptest.NewServer(Guard(a, GuardOptions{}))
	t.Cleanup(srv.Close)

	types := func(evs []client.Event) (out []string) {
		for _, e := range evs {
			out = append(out, e.ID+" "+e.Type)
		}
		return out
	}
	all := client.New(srv.URL, a.house.token("viewer"))
	if d := cmp.Diff([]string{"2 run.updated", "3 run.updated", "4 health.changed", "5 run.updated"}, types(collect(t, all, client.EventsRequest{After: "1"}, 4, nil))); d != "" {
		t.Errorf("events after 1 (-want +got):\n%s", d)
	}
	core := client.New(srv.URL, a.house.token("viewer@core/production"))
	if d := cmp.Diff([]string{"1 run.updated", "3 run.updated", "4 health.changed"}, types(collect(t, core, client.EventsRequest{After: "0"}, 3, nil))); d != "" {
		t.Errorf("events of team core (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"1 run.updated", "3 run.updated", "5 run.updated"}, types(collect(t, core, client.EventsRequest{After: "0", Types: "run.updated"}, 3, nil))); d != "" {
		t.Errorf("events of one type (-want +got):\n%s", d)
	}
	if got := collect(t, all, client.EventsRequest{After: "900"}, 1, nil); got[0].Type != "reset" {
		t.Errorf("a position from another log gave %+v, want reset", got)
	}
	if got := collect(t, all, client.EventsRequest{After: "x"}, 1, nil); got[0].Type != "reset" {
		t.Errorf("a position that is none gave %+v, want reset", got)
	}
	var p *client.Problem
	if err := client.New(srv.URL, "").Events(t.Context(), client.EventsRequest{}, nil); !errors.As(err, &p) || p.Status != 401 {
		t.Errorf("following without credentials gave %v, want 401", err)
	}
	if err := client.New(srv.URL, a.house.token("none")).Events(t.Context(), client.EventsRequest{}, nil); !errors.As(err, &p) || p.Status != 403 {
		t.Errorf("following without a role gave %v, want 403", err)
	}
}

func TestEventsEndWithTheToken(t *testing.T) {
	t.Parallel()
	ev := newMemEvents()
	ev.publish(runEvent("core", 1))
	a := newTestAPI(t, func(o *Options) { o.Events = ev })
	a.beat = 10 * time.Millisecond
	srv := httptest.NewServer(Guard(a, GuardOptions{}))
	t.Cleanup(srv.Close)
	for name, end := range map[string]func(*client.Client, *client.Me){
		"revoked": func(c *client.Client, me *client.Me) {
			if err := c.RevokeToken(t.Context(), client.IDRequest{ID: me.TokenID}); err != nil {
				t.Error(err)
			}
		},
		"disabled": func(_ *client.Client, me *client.Me) {
			yes := true
			if _, err := a.house.UpdatePerson(t.Context(), a.house.admin, identity.PersonChange{ID: me.Person.ID, Version: me.Person.Version, Disabled: &yes}); err != nil {
				t.Error(err)
			}
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		c := client.New(srv.URL, a.house.token("viewer@core/production+viewer@shop/"+name))
		me, err := c.Me(ctx)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Events(ctx, client.EventsRequest{After: "0"}, func(client.Event) error {
			end(c, me)
			return nil
		})
		var p *client.Problem
		if !errors.As(err, &p) || p.Status != 401 {
			t.Errorf("%s: the stream ended with %v, want 401", name, err)
		}
		cancel()
	}
}

func TestStreamsOfOne(t *testing.T) {
	t.Parallel()
	s := streams{by: map[string]int{}}
	var last func()
	for range maxStreamsOne {
		leave, err := s.enter(identity.Principal{PersonID: "per_1"})
		if err != nil {
			t.Fatal(err)
		}
		last = leave
	}
	if _, err := s.enter(identity.Principal{PersonID: "per_1"}); !fault.Is(err, fault.KindExhausted) {
		t.Errorf("one stream more than allowed: %v, want exhausted", err)
	}
	if _, err := s.enter(identity.Principal{PersonID: "per_2"}); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	last()
	if _, err := s.enter(identity.Principal{PersonID: "per_1"}); err != nil {
		t.Errorf("after one was closed: %v", err)
	}
}

func TestEventsResume(t *testing.T) {
	t.Parallel()
	ev := newMemEvents()
	ev.publish(runEvent("core", 1))
	a := newTestAPI(t, func(o *Options) { o.Events = ev })
	srv := httptest.NewServer(Guard(a, GuardOptions{}))
	t.Cleanup(srv.Close)
	c := client.New(srv.URL, a.house.token("viewer"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var ids []string
	err := c.Events(ctx, client.EventsRequest{After: "0"}, func(e client.Event) error {
		ids = append(ids, e.ID)
		switch len(ids) {
		case 1: // the line is cut, and things go on without us
			srv.CloseClientConnections()
			ev.publish(runEvent("core", 2), runEvent("core", 3))
		case 3:
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) || !slices.Equal(ids, []string{"1", "2", "3"}) {
		t.Errorf("after a cut: %v, events %v; want 1 2 3, each once", err, ids)
	}
}

func TestClientProblem(t *testing.T) {
	t.Parallel()
	a := newTestAPI(t, nil)
	srv := httptest.NewServer(Guard(a, GuardOptions{}))
	t.Cleanup(srv.Close)
	c := client.New(srv.URL, a.house.token("viewer"))
	_, err := c.ListRuns(t.Context(), client.ListRunsRequest{Query: "agnt:x"})
	var p *client.Problem
	if !errors.As(err, &p) || p.Code != "search.syntax" || p.Hint != "did you mean agent?" {
		t.Errorf("a search with a slip: %v", err)
	}
	if err := c.RevokeToken(t.Context(), client.IDRequest{ID: "tok/../x"}); !errors.As(err, &p) || p.Code != "identity.not_found" {
		t.Errorf("an id with slashes: %v", err)
	}
}

func TestClientPages(t *testing.T) {
	t.Parallel()
	store := &memStore{}
	for n := range 23 {
		store.runs = append(store.runs, testRun(n, nil))
	}
	a := newTestAPI(t, func(o *Options) { o.Store = store })
	srv := httptest.NewServer(Guard(a, GuardOptions{}))
	t.Cleanup(srv.Close)
	n := 0
	for run, err := range client.New(srv.URL, a.house.token("viewer")).AllRuns(t.Context(), client.ListRunsRequest{Limit: 5}) {
		if err != nil {
			t.Fatal(err)
		}
		if run.ID != runID(n).String() {
			t.Errorf("run %d is %s, want %s", n, run.ID, runID(n))
		}
		n++
	}
	if n != 23 {
		t.Errorf("%d runs, want 23", n)
	}
}

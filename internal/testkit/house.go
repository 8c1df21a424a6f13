package testkit

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/behaviour"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/policy"
	"reeve/internal/stop"
	"reeve/internal/upstream"
)

// PermitAll is a policy that permits everything.
const PermitAll = `@id("all") permit (principal, action, resource);`

// House is what stands behind a door, all of it real: who the agents are, where
// they call, what they may, and what is stopped. What the door makes of it is the
// test's: it opens the door, with a log of decisions of its own.
type House struct {
	DB        *control.DB
	Agents    *agent.Registry
	Upstreams *upstream.Registry
	Policies  *policy.Engine
	Stops     *stop.Board
	Memory    *behaviour.Memory

	t         testing.TB
	mu        sync.Mutex
	fragments []activity.Fragment
}

// NewHouse makes a house in which everything is permitted. static are upstreams
// that a configuration names.
func NewHouse(t testing.TB, static ...client.Upstream) *House {
	t.Helper()
	h := &House{t: t, Policies: &policy.Engine{}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	var err error
	h.DB, err = controltest.Open(t.Context(), filepath.Join(dir, "control.db"))
	must(err)
	t.Cleanup(func() { _ = h.DB.Close() })
	h.Agents, err = agent.New(t.Context(), agent.Options{DB: h.DB})
	must(err)
	h.Upstreams, err = upstream.New(t.Context(), upstream.Options{DB: h.DB, Dir: dir, Static: static})
	must(err)
	h.Stops, err = stop.New(t.Context(), stop.Options{DB: h.DB, Node: "n1", Agents: h.Agents})
	must(err)
	h.Memory, err = behaviour.New(behaviour.Options{})
	must(err)
	h.Permit(PermitAll)
	return h
}

// Permit puts policies in the place of those that were.
func (h *House) Permit(texts ...string) {
	h.t.Helper()
	c, err := policy.NewCompiler()
	if err != nil {
		h.t.Fatal(err)
	}
	var all []policy.Statement
	for i, text := range texts {
		list, err := c.Compile(policy.Document{Name: fmt.Sprintf("test%d", i), Cedar: text})
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, list...)
	}
	h.Policies.Replace(h.Policies.Version()+1, all)
}

// Agent registers an agent that acts alone, of the team support, and gives its key.
func (h *House) Agent(name string, change ...func(*agent.Agent)) string {
	h.t.Helper()
	a := agent.Agent{Name: name, Team: "support", Purpose: "tests", Autonomy: agent.Autonomous}
	for _, f := range change {
		f(&a)
	}
	if _, err := h.Agents.Create(h.t.Context(), EveryRole(), a, ""); err != nil {
		h.t.Fatal(err)
	}
	return h.Key(name)
}

// Key makes one more key of an agent.
func (h *House) Key(name string) string {
	h.t.Helper()
	_, key, err := h.Agents.CreateKey(h.t.Context(), EveryRole(), name, agent.NewKey{Label: "test"})
	if err != nil {
		h.t.Fatal(err)
	}
	return key
}

// Publish is a log for the door's steps; Fragments gives what it took.
func (h *House) Publish(_ context.Context, data []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var b activity.Batch
	return activity.DecodeEnvelope(bytes.Clone(data), &b, func(b *activity.Batch) error {
		h.fragments = append(h.fragments, b.Fragments...)
		return nil
	})
}

// Fragments are the steps that the door published so far.
func (h *House) Fragments() []activity.Fragment {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.fragments)
}

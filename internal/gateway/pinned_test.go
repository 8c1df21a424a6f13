package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/agent"
	"reeve/internal/testkit"
)

// An agent pinned to a model gets it whatever it asks for, and its decision says so;
// policy is asked about the model that is called; what cannot be sent there is
// refused; out of the pin it gets what it asks for again.
func TestAPinnedModel(t *testing.T) {
	t.Parallel()
	seen := ""
	h, key, _ := modelHouse(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		seen = string(b)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, chatAnswer)
	})
	pin := func(from, to string) {
		t.Helper()
		if _, err := h.agents.Pin(t.Context(), testkit.EveryRole(), "refunds", agent.Pin{Kind: agent.PinModel, From: from, Value: to}, "it answers worse"); err != nil {
			t.Fatal(err)
		}
	}
	ask := func() (answer, activity.Decision) {
		t.Helper()
		seen = ""
		a := h.call(key, "POST", "/llm/openai/v1/chat/completions", chat, "Content-Type", "application/json")
		return a, h.log.Of(t, a.decision)
	}
	pin("gpt-4o-mini", "gpt-4.1-mini")
	a, d := ask()
	if want := strings.Replace(chat, "gpt-4o-mini", "gpt-4.1-mini", 1); a.status != 200 || seen != want {
		t.Fatalf("%d %s\nsent %s\nwant %s", a.status, a.body, seen, want)
	}
	if last := d.Reasons[len(d.Reasons)-1]; d.Resource != "openai/gpt-4.1-mini" || last.Code != "pin.model" || !strings.Contains(last.Text, "in place of gpt-4o-mini") {
		t.Errorf("decided about %s: %+v", d.Resource, d.Reasons)
	}
	h.permit(permitAll + `@id("not-that") @reason("not that one") forbid (principal, action, resource) when { resource == Model::"openai/gpt-4.1-mini" };`)
	if a, _ := ask(); a.status != 403 || seen != "" {
		t.Errorf("a model that is forbidden: %d %s", a.status, a.body)
	}
	h.permit(permitAll)
	pin("text-embedding-3-small", "text-embedding-3-large")
	a = h.call(key, "POST", "/llm/openai/v1/embeddings", `{"model":"text-embedding-3-small","input":"a"}`, "Content-Type", "application/json")
	if d := h.log.Of(t, a.decision); a.status != 403 || seen != "" || d.Reasons[0].Code != "pin.model" {
		t.Errorf("an embedding: %d %s, %+v", a.status, a.body, d.Reasons)
	}
	if _, err := h.agents.Unpin(t.Context(), testkit.EveryRole(), "refunds", agent.PinModel, "gpt-4o-mini", "it is well"); err != nil {
		t.Fatal(err)
	}
	if a, d := ask(); a.status != 200 || seen != chat || d.Resource != "openai/gpt-4o-mini" {
		t.Errorf("after the pin: %d sent %s", a.status, seen)
	}
}

// An agent pinned to a version acts only as that version, also where it is only
// observed.
func TestAPinnedVersion(t *testing.T) {
	t.Parallel()
	h, key, _ := modelHouse(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, chatAnswer)
	})
	observe := agent.Observe
	if _, err := h.agents.Update(t.Context(), testkit.EveryRole(), "refunds", agent.Change{Enforcement: &observe, Reason: "a test"}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.agents.Pin(t.Context(), testkit.EveryRole(), "refunds", agent.Pin{Kind: agent.PinVersion, Value: "v1"}, "v2 refunds twice"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		version string
		status  int
	}{{"", 403}, {"v2", 403}, {"v1", 200}} {
		if c.version != "" {
			h.agents.Seen(agent.Sighting{Agent: "refunds", At: time.Now(), Version: c.version})
		}
		a := h.call(key, "POST", "/llm/openai/v1/chat/completions", chat, "Content-Type", "application/json")
		d := h.log.Of(t, a.decision)
		if a.status != c.status || c.status == 403 && (d.Verdict != activity.VerdictDeny || d.Reasons[0].Code != "pin.version" || !strings.Contains(a.body, "release version v1 again")) {
			t.Errorf("as %q: %d %s, %+v", c.version, a.status, a.body, d.Reasons)
		}
	}
}

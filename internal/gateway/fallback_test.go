package gateway_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
)

// An upstream to which no connection can be made: the call goes to its fallback,
// decided and recorded anew about that one; a fallback that policy forbids is
// refused; what was sent is never sent again.
func TestStandInAfterAFailedConnect(t *testing.T) {
	t.Parallel()
	seen := ""
	h, key, _ := modelHouse(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		seen = string(b)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, strings.Replace(chatAnswer, "gpt-4o-mini-2024-07-18", "gpt-4o-mini-2099-01-01", 1))
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	_ = l.Close()
	put := func(name, url string, fallback ...string) {
		t.Helper()
		if _, err := h.upstreams.Put(t.Context(), "ada", client.Upstream{
			Name: name, Kind: "llm", Dialect: "openai", URL: url, Team: "support", Environment: "production", AllowPrivate: true, Fallback: fallback,
			Credential: &client.Credential{Kind: "bearer", Source: "value", Value: secret},
		}); err != nil {
			t.Fatal(err)
		}
	}
	put("down", "http://"+nobody, "openai")
	a := h.call(key, "POST", "/llm/down/v1/chat/completions", chat, "Content-Type", "application/json")
	d := h.log.Of(t, a.decision)
	if a.status != 200 || seen != chat || d.Upstream != "openai" || d.Resource != "openai/gpt-4o-mini" || !strings.Contains(d.Reasons[len(d.Reasons)-1].Text, "stands in for down") {
		t.Errorf("%d %s, decided about %s %s: %+v", a.status, a.body, d.Upstream, d.Resource, d.Reasons)
	}
	// A dated name without a price costs what was asked for does.
	if d.Cost.Basis != activity.CostBook || d.Cost.Nanos <= 0 {
		t.Errorf("cost %+v", d.Cost)
	}
	var first activity.Decision
	for _, o := range h.log.Ended() {
		if o.Upstream == "down" {
			first = o
		}
	}
	if first.Result != activity.ResultError || first.ErrorCode != "upstream.unreachable" || first.Run != d.Run {
		t.Errorf("the first attempt: %s %s", first.Result, first.ErrorCode)
	}
	h.permit(permitAll + `@id("only-down") @reason("not that one") forbid (principal, action, resource) when { resource == Model::"openai/gpt-4o-mini" };`)
	seen = ""
	if a := h.call(key, "POST", "/llm/down/v1/chat/completions", chat, "Content-Type", "application/json"); a.status != 403 || seen != "" {
		t.Errorf("a stand-in that is forbidden: %d %s", a.status, a.body)
	}
	h.permit(permitAll)
	// One that takes the call and breaks off got it: nobody stands in.
	breaks := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(breaks.Close)
	put("breaks", breaks.URL, "openai")
	if a := h.call(key, "POST", "/llm/breaks/v1/chat/completions", chat, "Content-Type", "application/json"); a.status != 502 || seen != "" {
		t.Errorf("one that breaks off: %d %s", a.status, a.body)
	}
	// Neither reached: the refusal is of the last that was tried.
	put("down2", "http://"+nobody)
	put("down3", "http://"+nobody, "down2")
	if a := h.call(key, "POST", "/llm/down3/v1/chat/completions", chat, "Content-Type", "application/json"); a.status != 502 && a.status != 503 || h.log.Of(t, a.decision).Upstream != "down2" {
		t.Errorf("none can be reached: %d %s", a.status, a.body)
	}
}

// While decisions cannot be recorded calls are answered 503 with Retry-After and
// a stable code, and the door knows whose they were.
func TestConcerned(t *testing.T) {
	t.Parallel()
	h, key, _ := modelHouse(t, func(http.ResponseWriter, *http.Request) { t.Error("it was forwarded") })
	other := h.agent("other")
	h.log.FailWith(fault.New(fault.KindUnavailable, "decision.log_full", "the disk is full"))
	for _, k := range []string{key, other, key} {
		if a := h.call(k, "POST", "/llm/openai/v1/chat/completions", chat, "Content-Type", "application/json"); a.status != 503 || a.header.Get("Retry-After") == "" {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	list := h.door.Concerns()
	if len(list) != 1 || list[0].Code != "decision.log_full" || list[0].Calls != 3 || !slices.Equal(list[0].Agents, []string{"other", "refunds"}) {
		t.Errorf("%+v", list)
	}
}

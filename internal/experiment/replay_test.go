package experiment

import (
	"context"
	"math"
	"strings"
	"testing"

	"reeve/internal/fault"
)

// A replay is served from the recording, and stops at the first call that is not in it.
func TestReplay(t *testing.T) {
	t.Parallel()
	h := open(t)
	recording := func() *Recording {
		r := &Recording{}
		r.Add("orders__find", []byte(`{"id": 7}`), []byte(`{"state":"lost"}`))
		return r
	}
	call := func(args string) Spoken {
		return Spoken{Turn: Turn{Calls: []Proposed{{ID: "c1", Name: "find", Arguments: args}}}, Model: "m", Tokens: 10, Cost: 0.5}
	}
	said := Spoken{Turn: Turn{Text: "It is lost."}, Model: "m", Tokens: 5, Cost: 0.25}
	for name, c := range map[string]struct {
		turns   []Spoken // what the model says, one after the other; the last stays
		answer  string
		stopped string
		why     string
		asked   int
		cost    float64
	}{
		"an answer at once":            {[]Spoken{said}, "It is lost.", "", "", 1, 0.25},
		"a call as it was":             {[]Spoken{call(`{"id":7}`), said}, "It is lost.", "", "", 2, 0.75},
		"a call that nobody made":      {[]Spoken{call(`{"id":8}`), said}, "", "find", "the recording has no call of find", 1, 0.5},
		"a call of nothing":            {[]Spoken{call(`{"id":7`), said}, "", "find", "the recording has no call", 1, 0.5},
		"for ever":                     {[]Spoken{call(`{"id":7}`)}, "", "", "still calls tools", maxTurns, 0.5 * maxTurns},
		"nothing":                      {[]Spoken{{Cost: math.NaN()}}, "", "", "said nothing", 1, math.NaN()},
		"two calls, the second is new": {[]Spoken{{Turn: Turn{Calls: []Proposed{{Name: "find", Arguments: `{"id":7}`}, {Name: "refund", Arguments: "{}"}}}}}, "", "refund", "no call of refund", 1, 0},
	} {
		asked := 0
		out, err := h.book.Replay(t.Context(), anybody, Replaying{
			Agent: "refund", Run: "run_1", Step: "s", Model: "m", Chat: Chat{Messages: []Turn{{Role: "user", Text: "Where is it?"}}}, Was: "It is lost.", Evaluators: []string{"short"}, Recording: recording(),
			Ask: func(_ context.Context, x *Test, chat *Chat) (Spoken, error) {
				if !x.Local("anything") || x.Sandbox("anything") {
					t.Errorf("%s: what may run", name)
				}
				if asked > 0 && (chat.Messages[len(chat.Messages)-1].Role != "tool" || !strings.Contains(chat.Messages[len(chat.Messages)-1].Text, "lost")) {
					t.Errorf("%s: %+v", name, chat.Messages)
				}
				asked++
				return c.turns[min(asked, len(c.turns))-1], nil
			},
		})
		stopped := ""
		if out.Stopped != nil {
			stopped = out.Stopped.Name
		}
		if err != nil || out.Answer != c.answer || stopped != c.stopped || !strings.Contains(out.Why, c.why) || c.why == "" && out.Why != "" || asked != c.asked || out.Cost != c.cost && !(math.IsNaN(out.Cost) && math.IsNaN(c.cost)) {
			t.Errorf("%s: %+v, asked %d, %v", name, out, asked, err)
		}
		if c.answer != "" && (out.Shared != 1 || len(out.Checks) != 1 || len(out.Before) != 1) {
			t.Errorf("%s: %+v", name, out)
		}
	}
	failing := Replaying{Agent: "refund", Ask: func(context.Context, *Test, *Chat) (Spoken, error) {
		return Spoken{}, fault.New(fault.KindUnavailable, "experiment.model", "it is away")
	}}
	if _, err := h.book.Replay(t.Context(), anybody, failing); fault.From(err).Code != "experiment.model" {
		t.Errorf("%v", err)
	}
	if _, err := h.book.Replay(t.Context(), Actor{Can: func(role, _, _ string) bool { return role != "reader" }}, failing); fault.From(err).Code != "experiment.denied" {
		t.Errorf("who may not read: %v", err)
	}
	failing.Agent = "ghost"
	if _, err := h.book.Replay(t.Context(), anybody, failing); fault.From(err).Code != "experiment.not_found" {
		t.Errorf("an agent that is not there: %v", err)
	}
}

// One team's replays do not hold up another's.
func TestReplaysOfATeam(t *testing.T) {
	t.Parallel()
	h := open(t)
	if _, err := h.book.PutTarget(t.Context(), anybody, Target{Agent: "returns", Kind: A2A, URL: "https://b.example"}); err != nil {
		t.Fatal(err)
	}
	begun, end, done := make(chan struct{}), make(chan struct{}), make(chan error)
	of := func(agent string, wait bool) error {
		_, err := h.book.Replay(t.Context(), anybody, Replaying{Agent: agent, Recording: &Recording{}, Ask: func(context.Context, *Test, *Chat) (Spoken, error) {
			if wait {
				begun <- struct{}{}
				<-end
			}
			return Spoken{Turn: Turn{Text: "It is lost."}}, nil
		}})
		return err
	}
	for range maxOfOne {
		go func() { done <- of("refund", true) }()
		<-begun
	}
	if err := of("refund", false); fault.From(err).Code != "experiment.too_many" {
		t.Errorf("a third one of a team: %v", err)
	}
	if err := of("returns", false); err != nil {
		t.Errorf("another team's: %v", err)
	}
	close(end)
	for range maxOfOne {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := of("refund", false); err != nil || len(h.book.replays) != 0 {
		t.Errorf("when they are done: %v, %v", err, h.book.replays)
	}
}

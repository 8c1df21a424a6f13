package canary

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

// house is a book whose model answers as told, in a time of its own.
type house struct {
	*Book
	now     time.Time
	told    []Shift
	silent  []Standing
	options Options
}

func open(t *testing.T, ask func(c Canary, prompt string) Answer) *house {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &house{now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	h.options = Options{
		DB: db, Now: func() time.Time { return h.now },
		Ask:     func(_ context.Context, c Canary, prompt string) Answer { return ask(c, prompt) },
		Changed: func(_ context.Context, _ Canary, s []Shift) error { h.told = s; return nil },
		Silent:  func(_ context.Context, _ Canary, s Standing) error { h.silent = append(h.silent, s); return nil },
	}
	h.restart(t)
	return h
}

func (h *house) restart(t *testing.T) {
	t.Helper()
	var err error
	if h.Book, err = New(h.options); err != nil {
		t.Fatal(err)
	}
}

func (h *house) round(t *testing.T) {
	t.Helper()
	if err := h.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(time.Hour)
}

func keeper() Actor {
	return Actor{Person: "per_1", Name: "ada", Can: func(role, team, _ string) bool { return role == "responder" && team == "core" }}
}

func some() Canary {
	return Canary{Name: "gpt", Team: "core", Environment: "production", Agent: "canary", Upstream: "openai", Model: "gpt-4o", Every: time.Hour}
}

// A model that answers with some chance is the same for weeks; another model behind
// the name is told within five rounds, one that gives every other answer as before
// within 200 answers, also over a restart; a model that does not answer is no other
// model.
func TestASwitchIsTold(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 7))
		model, broken := 0, false
		h := open(t, func(_ Canary, prompt string) Answer {
			if broken {
				return Answer{Error: "the upstream does not answer"}
			}
			variant := 0
			if rng.Float64() < .1 { // now and then it says it otherwise
				variant = 1 + rng.IntN(2)
			}
			return Answer{Model: "gpt-4o-2024-08-06", Finish: "stop", Text: fmt.Sprintf("answer %d of %d to %.5s", variant, model*max(rng.IntN(2), int(seed%2)), prompt), In: int64(10 + len(prompt)/4), Out: int64(2 + variant)}
		})
		if _, err := h.Put(t.Context(), keeper(), some(), ""); err != nil {
			t.Fatal(err)
		}
		for range 60 {
			h.round(t)
		}
		if h.told != nil {
			t.Fatalf("seed %d: the same model was told as another: %+v", seed, h.told)
		}
		broken = true
		h.round(t)
		broken = false
		if h.restart(t); h.told != nil {
			t.Fatalf("seed %d: a model that did not answer was told as another", seed)
		}
		c, err := h.Get(t.Context(), "gpt")
		if err != nil {
			t.Fatal(err)
		}
		if s, err := h.Stands(t.Context(), c); err != nil || s.Needed != 13 || s.Rounds != 60 || !s.Failed.After(s.Answered) {
			t.Fatalf("seed %d: %+v, %v", seed, s, err)
		}
		model = 1
		rounds := 0
		for h.told == nil && rounds < 26 {
			h.round(t)
			rounds++
		}
		if rounds > 25 || seed%2 == 1 && rounds > 5 { // 200 answers; of another model altogether 40
			t.Errorf("seed %d: a switch was told after %d rounds", seed, rounds)
		}
		if _, err := h.Accept(t.Context(), keeper(), "gpt", "we know"); err != nil {
			t.Fatal(err)
		}
		h.told = nil
		for range 12 {
			h.round(t)
		}
		if h.told != nil {
			t.Errorf("seed %d: what was accepted is told: %+v", seed, h.told)
		}
	}
}

// A canary that nothing answers is told of from the third round in a row on, also over
// a restart, and no longer once it is answered; one hiccup is none.
func TestSilenceIsTold(t *testing.T) {
	t.Parallel()
	broken := false
	h := open(t, func(Canary, string) Answer {
		if broken {
			return Answer{Error: "the provider answered with status 401"}
		}
		return Answer{Text: "x"}
	})
	if _, err := h.Put(t.Context(), keeper(), some(), ""); err != nil {
		t.Fatal(err)
	}
	for i, round := range []struct {
		broken bool
		silent int // rounds told of; 0 nothing
	}{{false, 0}, {true, 0}, {true, 0}, {false, 0}, {true, 0}, {true, 0}, {true, 3}, {true, 4}, {false, 0}, {true, 0}} {
		broken, h.silent = round.broken, nil
		h.round(t)
		h.restart(t)
		switch {
		case round.silent == 0 && len(h.silent) > 0:
			t.Errorf("round %d: told as silent: %+v", i, h.silent)
		case round.silent > 0 && (len(h.silent) != 1 || h.silent[0].Silent != round.silent || h.silent[0].Error != "the provider answered with status 401" || h.silent[0].Answered.IsZero()):
			t.Errorf("round %d: %+v, want %d rounds", i, h.silent, round.silent)
		}
	}
}

func TestCanaries(t *testing.T) {
	t.Parallel()
	asked := 0
	h := open(t, func(Canary, string) Answer { asked++; return Answer{Text: "x"} })
	ctx := t.Context()
	want := func(what string, err error, want string) {
		t.Helper()
		got := ""
		if err != nil {
			got = fault.From(err).Code
		}
		if got != want {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
	}
	for what, f := range map[string]func(c *Canary){
		"a name": func(c *Canary) { c.Name = "No" }, "no agent": func(c *Canary) { c.Agent = "" }, "too often": func(c *Canary) { c.Every = time.Minute },
		"two lines": func(c *Canary) { c.Prompts = []string{"a\nb"} }, "too many": func(c *Canary) { c.Prompts = make([]string, maxPrompts+1) },
	} {
		c := some()
		f(&c)
		_, err := h.Put(ctx, keeper(), c, "")
		want(what, err, "canary.invalid")
	}
	other := some()
	other.Team = "growth"
	_, err := h.Put(ctx, keeper(), other, "")
	want("another team's", err, "canary.denied")
	c, err := h.Put(ctx, keeper(), some(), "")
	want("a canary", err, "")
	h.round(t)
	first := asked
	if err := h.Round(ctx); err != nil || first != len(Prompts) {
		t.Fatalf("%d asked, %v", first, err)
	}
	h.now = h.now.Add(-30 * time.Minute)
	if err := h.Round(ctx); err != nil || asked > 2*first {
		t.Errorf("asked before it was due: %d, %v", asked, err)
	}
	c.Revision = 9
	_, err = h.Put(ctx, keeper(), c, "")
	want("an older revision", err, "canary.conflict")
	c.Revision, c.Off = 1, true
	c, err = h.Put(ctx, keeper(), c, "")
	want("switched off", err, "")
	before := asked
	h.now = h.now.Add(48 * time.Hour)
	h.round(t)
	if asked != before || c.Revision != 2 {
		t.Errorf("asked while off: %d more, revision %d", asked-before, c.Revision)
	}
	_, err = h.AskNow(ctx, keeper(), "gpt", "")
	want("asking what is paused", err, "canary.off")
	_, err = h.AskNow(ctx, Actor{Name: "eve"}, "gpt", "")
	want("asking by nobody's right", err, "canary.denied")
	c.Revision, c.Off = 2, false
	_, err = h.Put(ctx, keeper(), c, "")
	want("switched on", err, "")
	h.round(t)
	h.now = h.now.Add(-59 * time.Minute)
	_, err = h.AskNow(ctx, keeper(), "gpt", "now")
	want("asking now", err, "")
	before = asked
	h.round(t)
	if asked != before+len(Prompts) {
		t.Errorf("%d asked now", asked-before)
	}
	if list, err := h.Answers(ctx, "gpt", 1000); err != nil || len(list) != asked || list[0].Text != "x" {
		t.Errorf("%d answers kept of %d, %v", len(list), asked, err)
	}
	want("deleting nothing", h.Delete(ctx, keeper(), "gone", ""), "canary.not_found")
	want("deleting", h.Delete(ctx, keeper(), "gpt", "over"), "")
	if list, err := h.Answers(ctx, "gpt", 10); err != nil || len(list) != 0 {
		t.Errorf("answers of what is gone: %d, %v", len(list), err)
	}
}

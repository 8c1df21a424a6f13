package experiment

import (
	"context"
	"fmt"
	"math"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Chat is what a model step was given, in no provider's words.
type Chat struct {
	System   string
	Messages []Turn // the user's, the assistant's, and results of tools
	Tools    []Tool
}

// Tool is a definition that was offered.
type Tool struct {
	Name, Description, Schema string // Schema: of JSON; "" none
}

// Turn is one message of a chat.
type Turn struct {
	Role   string // user, assistant, tool
	Text   string
	Calls  []Proposed // of an assistant
	CallID string     // of a tool: which call it answers
}

// Proposed is a call that a model asks for.
type Proposed struct {
	ID, Name, Arguments string
	Recorded            bool
	Result              string // as recorded
}

// Said by a model, with what that cost.
type Spoken struct {
	Turn
	Model, Decision string
	Tokens          int64
	Cost            float64 // NaN unknown
}

// Replaying is a model step that is put to a model again.
type Replaying struct {
	Agent, Run, Step string
	Upstream, Model  string
	Chat             Chat
	Was              string // what the run answered; in a proof, what the replayed conversation came to
	Beside           int    // of a proof: model calls of the run that are not of the replayed conversation
	// Left counts what of the recorded step is not in Chat, by what it is: the model is
	// then asked another thing than it was.
	Left       map[string]int64
	Evaluators []string
	Recording  *Recording
	// Ask puts a chat to the model, as a call of the test.
	Ask func(ctx context.Context, t *Test, c *Chat) (Spoken, error)
}

// Replayed is what came of it.
type Replayed struct {
	Run     string // of the test: its page shows each call
	Spoken  []Spoken
	Stopped *Proposed // the call that is not in the recording, at which it stopped; nil: it came to an answer
	Why     string    // it has no answer
	Answer  string
	Shared  float64 // of words with what the run answered, as F1; NaN where one of them said nothing
	Checks  []Check
	Before  []Check // the same of what the run answered
	Tokens  int64
	Cost    float64 // NaN where no price is known of one of the calls
}

const (
	maxTurns    = 20
	maxReplays  = 8 // at once
	maxOfOne    = 2 // of them, of one team
	replayTime  = 4 * time.Minute
	maxReplayed = 1 << 20 // of what a chat grows to
)

// Replay puts a recorded step to a model and goes on as its agent would: calls of
// tools are answered from the recording of the run, and the first that is not in it
// ends the replay, since nobody knows what would have come of it. Its run is a test.
func (b *Book) Replay(ctx context.Context, who Actor, r Replaying) (out Replayed, err error) {
	team, environment, _, err := b.place(who, r.Agent, "developer")
	if err != nil {
		return out, err
	}
	if !who.Can("reader", team, environment) {
		return out, fault.New(fault.KindDenied, "experiment.denied", "a replay shows what a run said: this needs the role reader for team %q in %q", team, environment)
	}
	done, err := b.oneReplay(team)
	if err != nil {
		return out, err
	}
	defer done()
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.replay", Person: who.Person, Via: who.Via, Action: "replay", Object: r.Run, After: map[string]any{"step": r.Step, "agent": r.Agent, "upstream": r.Upstream, "model": r.Model}})
	})
	if err != nil {
		return out, err
	}
	t := b.Tests.open(r.Agent, &Target{}, r.Recording, "")
	t.replay = true
	defer b.Tests.close(t)
	limit, cancel := context.WithTimeout(ctx, replayTime)
	defer cancel()
	out, err = replay(limit, t, &r)
	if err != nil {
		return out, err
	}
	out.Run = t.runID()
	return out, b.judgeReplay(limit, who, &r, &out)
}

// oneReplay takes a replay's place until done: no team holds up another's.
func (b *Book) oneReplay(team string) (done func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := 0
	for _, n := range b.replays {
		all += n
	}
	if own := b.replays[team]; own >= maxOfOne || all >= maxReplays {
		return nil, fault.New(fault.KindExhausted, "experiment.too_many", "%d replays and tries are underway, %d of team %q; at most %d and %d are at once", all, own, team, maxReplays, maxOfOne).WithHint("try again in a minute")
	}
	b.replays[team]++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.replays[team]--; b.replays[team] == 0 {
			delete(b.replays, team)
		}
	}, nil
}

func replay(ctx context.Context, t *Test, r *Replaying) (out Replayed, err error) {
	chat, size := r.Chat, 0
	for range maxTurns {
		s, err := r.Ask(ctx, t, &chat)
		if err != nil {
			return out, err
		}
		out.Tokens, out.Cost = out.Tokens+s.Tokens, out.Cost+s.Cost // NaN stays NaN
		turn := s.Turn
		turn.Role = "assistant"
		chat.Messages = append(chat.Messages[:len(chat.Messages):len(chat.Messages)], turn)
		for i := range s.Calls {
			c := &s.Calls[i]
			result, ok := t.Recorded(c.Name, []byte(c.Arguments))
			if !ok {
				out.Spoken, out.Stopped = append(out.Spoken, s), c
				out.Why = fmt.Sprintf("the recording has no call of %.100s with these arguments: the replay stops here", c.Name)
				return out, nil
			}
			c.Recorded, c.Result = true, string(result)
			size += len(result)
			chat.Messages = append(chat.Messages, Turn{Role: "tool", Text: c.Result, CallID: c.ID})
		}
		out.Spoken = append(out.Spoken, s)
		if len(s.Calls) == 0 {
			if out.Answer = s.Text; s.Text == "" {
				out.Why = "the model said nothing"
			}
			return out, nil
		}
		if size > maxReplayed {
			out.Why = fmt.Sprintf("what its tools returned is more than %d bytes", maxReplayed)
			return out, nil
		}
	}
	out.Why = fmt.Sprintf("after %d turns it still calls tools", maxTurns)
	return out, nil
}

// judgeReplay holds the answer against the one before, by words and by evaluators.
func (b *Book) judgeReplay(ctx context.Context, who Actor, r *Replaying, out *Replayed) error {
	out.Shared = math.NaN()
	if out.Answer == "" {
		return nil
	}
	if r.Was != "" {
		out.Shared = overlap(r.Was, out.Answer)
	}
	task := Task{Run: r.Run}
	for _, m := range r.Chat.Messages {
		if m.Role == "user" && m.Text != "" {
			task.Messages = append(task.Messages, Message{"user", m.Text})
		}
	}
	for _, name := range r.Evaluators {
		c, err := b.o.Look(ctx, who, name, r.Agent, &task, out.Answer)
		if err != nil {
			return err
		}
		out.Checks = append(out.Checks, c)
		if r.Was == "" {
			continue
		}
		if c, err = b.o.Look(ctx, who, name, r.Agent, &task, r.Was); err != nil {
			return err
		}
		out.Before = append(out.Before, c)
	}
	return nil
}

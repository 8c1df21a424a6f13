package experiment

import (
	"context"
	"strings"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// tryKind is of a single question that is put to an agent to see whether it can be tested.
const tryKind = "try"

// TryTarget puts one question to an agent as a test, by the target that is kept or by one
// that is not kept yet, and says what came of it: whether it answered, and whether it came
// through the door as a test. Nothing is served from a recording, so that a call of a tool
// is refused unless it is into a sandbox.
func (b *Book) TryTarget(ctx context.Context, who Actor, agent string, t *Target, question string) (Result, error) {
	role := "developer"
	if t != nil {
		role = "security" // the question and a token go where it says, as with one that is kept
	}
	team, _, _, err := b.place(who, agent, role)
	if err != nil {
		return Result{}, err
	}
	if question = strings.TrimSpace(question); question == "" || len(question) > maxBody {
		return Result{}, invalid("a question to try with has 1 to %d bytes", maxBody)
	}
	target, err := b.tried(ctx, who, agent, t)
	if err != nil {
		return Result{}, err
	}
	done, err := b.oneReplay(team)
	if err != nil {
		return Result{}, err
	}
	defer done()
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.invoke_try", Person: who.Person, Via: who.Via, Action: "try", Object: agent, After: map[string]any{"kind": target.Kind, "url": target.URL, "kept": t == nil}})
	})
	if err != nil {
		return Result{}, err
	}
	return b.try(ctx, &Experiment{Plan: Plan{Agent: agent, Kind: tryKind}, who: who}, &target, &Task{Item: "try", Messages: []Message{{"user", question}}}, "")
}

// tried is the target that a try goes by.
func (b *Book) tried(ctx context.Context, who Actor, agent string, t *Target) (Target, error) {
	if t == nil {
		return b.Target(ctx, agent)
	}
	t.Agent = agent
	if t.AllowPrivate && !who.Can("security", "*", "*") {
		return *t, errPrivate()
	}
	return *t, t.Check(false)
}

func errPrivate() error {
	return fault.New(fault.KindDenied, "experiment.denied", "an address inside the house needs the role security everywhere")
}

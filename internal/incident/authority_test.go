package incident

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"reeve/internal/fault"
)

// of responds for one place alone.
func of(person, team, environment string) Actor {
	return Actor{Person: person, Name: person, Can: func(role, t, e string) bool { return role == responder && t == team && e == environment }}
}

// placed are hands whose acts lie where their target is said to lie.
type placed map[string]Place

func (p placed) Offers(context.Context, *Incident) []Offer { return nil }
func (p placed) Text(o Offer) string                       { return o.Kind + " " + o.Target }
func (p placed) Place(_ context.Context, o Offer) (Place, error) {
	at, ok := p[o.Target]
	if !ok {
		return Place{"*", "*"}, nil
	}
	return at, nil
}

func (p placed) Preview(_ context.Context, _ Actor, o Offer) (Preview, error) {
	return Preview{Text: o.Target, Hits: []string{o.Target}}, nil
}

func (p placed) Do(context.Context, Actor, Offer, string, time.Time) (string, json.RawMessage, error) {
	return "done", nil, nil
}

func (p placed) Undo(context.Context, Actor, Offer, json.RawMessage, string) (string, error) {
	return "undone", nil
}

// Who responds for a part of an incident acts on that part alone.
func TestPartsOfAnIncident(t *testing.T) {
	t.Parallel()
	hands := placed{"a": {"support", "production"}, "b": {"risk", "production"}}
	b, _ := newTestBook(t, openDB(t), func(o *Options) { o.Hands = hands })
	shared := source("handbook")
	signals := []Signal{
		sig("a", "answer quality dropped", shared), sig("a", "answers are stale", shared),
		sig("b", "answer quality dropped", shared, place("risk", "production")),
	}
	b.Take(t.Context(), signals)
	list := b.live(t)
	if len(list) != 1 || len(list[0].Places) != 2 || list[0].Team != "support" {
		t.Fatalf("%+v", list)
	}
	id := list[0].ID
	whole, part, none := of("whole", "support", "production"), of("part", "risk", "production"), of("none", "sales", "production")
	refused := func(what string, err error) {
		t.Helper()
		if fault.From(err).Code != "incident.denied" {
			t.Errorf("%s: %v, want incident.denied", what, err)
		}
	}
	allowed := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	ctx := t.Context()
	for _, who := range []Actor{part, none} {
		_, err := b.Acknowledge(ctx, who, id, "")
		refused(who.Name+" acknowledges", err)
		_, err = b.Resolve(ctx, who, id, "")
		refused(who.Name+" resolves", err)
		title := "nothing"
		_, err = b.Update(ctx, who, id, Edit{Title: &title})
		refused(who.Name+" renames", err)
		_, err = b.SaveReview(ctx, who, id, "text", 0, false)
		refused(who.Name+" reviews", err)
		_, err = b.Split(ctx, who, id, []string{signals[0].Fingerprint}, "")
		refused(who.Name+" takes another team's signal out", err)
		_, err = b.Judge(ctx, who, id, signals[0].Fingerprint, true, "")
		refused(who.Name+" judges another team's signal", err)
		_, err = b.PreviewAct(ctx, who, id, Offer{Kind: "contain", Target: "a"})
		refused(who.Name+" looks at another team's agent", err)
		_, err = b.Do(ctx, who, id, Offer{Kind: "contain", Target: "a"}, "why", time.Time{})
		refused(who.Name+" contains another team's agent", err)
		_, err = b.Do(ctx, who, id, Offer{Kind: "stop", Target: "handbook"}, "why", time.Time{})
		refused(who.Name+" stops what all use", err)
	}
	_, err := b.Note(ctx, none, id, "hello", nil)
	refused("a stranger's note", err)
	_, err = b.Note(ctx, part, id, "ours", nil)
	allowed("a part's note", err)
	act, err := b.Do(ctx, part, id, Offer{Kind: "contain", Target: "b"}, "why", time.Time{})
	allowed("a part's act", err)
	_, err = b.UndoAct(ctx, whole, act.ID, "why")
	refused("undoing another team's act", err)
	_, err = b.UndoAct(ctx, part, act.ID, "why")
	allowed("undoing one's own", err)
	task, err := b.AddTask(ctx, part, id, Task{Kind: TaskCompensation, Text: "put it right", Owner: "none"})
	allowed("a part's task", err)
	_, err = b.ChangeTask(ctx, none, task.ID, TaskChange{Approve: true})
	refused("its owner without a role agrees", err)
	_, err = b.Acknowledge(ctx, whole, id, "")
	allowed("who responds for most acknowledges", err)
	out, err := b.Split(ctx, part, id, []string{signals[2].Fingerprint}, "ours")
	allowed("a part takes its own out", err)
	timeline, err := b.Timeline(ctx, id)
	allowed("the timeline", err)
	for _, e := range timeline {
		if (e.Text == "ours" || e.Kind == "act" || e.Kind == "task") && e.Team != "risk" {
			t.Errorf("%q stands for everybody", e.Text)
		}
	}
	moves, err := b.Moves(ctx, out.ID)
	if err != nil || len(moves) != 1 {
		t.Fatal(moves, err)
	}
	_, err = b.Undo(ctx, none, moves[0].ID, "")
	refused("a stranger undoes it", err)
	_, err = b.Undo(ctx, part, moves[0].ID, "")
	allowed("who split undoes it", err)
}

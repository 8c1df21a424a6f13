package change

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
)

// The positions in what Run follows.
const (
	auditCursor  = "changes.audit"
	outboxCursor = "changes.outbox"
	batch        = 500
)

// Wake tells Run that something may have been changed. It never waits.
func (b *Book) Wake() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Run reads our own changes from the record of them, and forgets what is old.
func (b *Book) Run(ctx context.Context) error {
	look := time.NewTicker(time.Minute)
	defer look.Stop()
	forgot := time.Time{}
	for {
		for {
			more, err := b.Follow(ctx)
			if err != nil {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				// They are read at the next look: no reason to stop.
				b.o.Logger.Error("our own changes were not read", "err", err)
			}
			if !more || err != nil {
				break
			}
		}
		if now := b.o.Now(); now.Sub(forgot) > 24*time.Hour {
			if err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
				_, err := tx.Exec(ctx, `DELETE FROM changes WHERE at < ?`, control.Micros(now.Add(-keep)))
				return err
			}); err == nil {
				forgot = now
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-look.C:
		case <-b.wake:
		}
	}
}

// Follow takes the next of our own changes; more reports that there are further
// ones. The changes and the position are one transaction.
func (b *Book) Follow(ctx context.Context) (more bool, err error) {
	at := func(name string) (int64, error) {
		v, _, err := control.One(ctx, b.o.DB, func(r control.Row) (v int64, err error) { return v, r.Scan(&v) }, `SELECT seq FROM cursors WHERE name = ?`, name)
		return v, err
	}
	recordAt, err := at(auditCursor)
	if err != nil {
		return false, err
	}
	eventAt, err := at(outboxCursor)
	if err != nil {
		return false, err
	}
	entries, err := audit.After(ctx, b.o.DB, recordAt, batch)
	if err != nil {
		return false, err
	}
	events, err := b.o.DB.Events(ctx, eventAt, batch)
	if err != nil {
		return false, err
	}
	var reports []Report
	oldest := b.o.Now().Add(-keep)
	for i := range entries {
		if r, ok := b.ofRecord(&entries[i]); ok && r.At.After(oldest) {
			reports = append(reports, r)
		}
	}
	for i := range events {
		if r, ok := b.ofEvent(&events[i]); ok {
			reports = append(reports, r)
		}
	}
	more = len(entries) == batch || len(events) == batch
	// A position is written with something to keep, or when it is far behind:
	// each write is itself an event somewhere.
	if len(reports) == 0 && !more && len(entries)+len(events) < batch/2 {
		return false, nil
	}
	return more, b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := b.put(ctx, tx, Sender{Source: Ours}, reports); err != nil {
			return err
		}
		for name, seq := range map[string]int64{auditCursor: recordAt + int64(len(entries)), outboxCursor: last(events, eventAt)} {
			if _, err := tx.Exec(ctx, `INSERT INTO cursors (name, seq) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq`, name, seq); err != nil {
				return err
			}
		}
		return nil
	})
}

func last(events []control.Event, seq int64) int64 {
	if len(events) == 0 {
		return seq
	}
	return events[len(events)-1].Seq
}

// recorded are the kinds of records that are changes, with what they are of and
// a word for what happened.
var recorded = map[string]struct{ kind, did string }{
	"admin.agent_created":        {"agent", "registered"},
	"admin.agent_updated":        {"agent", "changed"},
	"admin.agent_version":        {"agent", "version approved"},
	"revoke":                     {"agent", "stopped"},
	"revoke.lifted":              {"agent", "stop lifted"},
	"admin.policy_created":       {"policy", "made"},
	"admin.policy_updated":       {"policy", "changed"},
	"admin.policy_deleted":       {"policy", "removed"},
	"admin.budget_put":           {"budget", "set"},
	"admin.budget_deleted":       {"budget", "removed"},
	"admin.content_rule_put":     {"configuration", "set"},
	"admin.content_rule_deleted": {"configuration", "removed"},
	"admin.upstream_put":         {"upstream", "changed"},
	"admin.upstream_deleted":     {"upstream", "removed"},
	"admin.tool_accepted":        {"tool", "accepted"},
	"admin.tool_held":            {"tool", "held"},
	"admin.tool_forgotten":       {"tool", "forgotten"},
	"admin.source_put":           {"data", "set"},
	"admin.source_deleted":       {"data", "removed"},
}

// nouns begin the titles of what has no name that says what it is.
var nouns = map[string]string{
	"policy": "policy ", "budget": "budget ", "configuration": "content rule ", "upstream": "upstream ", "tool": "tool ", "data": "source ",
}

// acts are words for what was done to an agent.
var acts = map[string]string{
	"promote": "promoted", "contain": "contained", "release": "released", "retire": "retired", "break_glass": "set to observe in an emergency",
	"merge": "merged into another", "unmerge": "split off again", "enforce": "enforced",
}

// ofRecord makes a change of a record, unless it is none.
func (b *Book) ofRecord(e *audit.Entry) (Report, bool) {
	what, ok := recorded[e.Kind]
	if !ok {
		return Report{}, false
	}
	var line struct {
		Body struct {
			Action, Object, Person, Reason string
		} `json:"body"`
	}
	if err := json.Unmarshal(e.Raw, &line); err != nil {
		return Report{}, false // what cannot be read is no change to show; `reeve audit verify` tells of it
	}
	before, after := fields(e.Before), fields(e.After)
	r := Report{
		Key: fmt.Sprintf("audit-%d", e.Seq), Kind: what.kind, Text: line.Body.Reason, By: line.Body.Person, At: e.At,
		Team: cmp.Or(after["team"], before["team"]), Environment: cmp.Or(after["environment"], before["environment"]),
		Labels: map[string]string{"object": clip(line.Body.Object, maxWord), "record": fmt.Sprint(e.Seq)},
	}
	name, did := line.Body.Object, what.did
	switch {
	case e.Kind == "revoke" || e.Kind == "revoke.lifted":
		name = after["value"]
		if after["kind"] == "agent" {
			r.Agent = name
		}
		name = cmp.Or(after["kind"], "target") + " " + name
	case what.kind == "agent":
		r.Agent, r.Version = name, ""
		did = cmp.Or(acts[line.Body.Action], did)
		if to := after["lifecycle"]; line.Body.Action == "promote" && to != "" {
			did += " to " + to
		}
		if to := after["containment"]; line.Body.Action == "contain" && to != "" {
			did += ": " + to
		}
	default:
		name = nouns[what.kind] + name
	}
	if r.Agent != "" {
		team, environment := b.o.Owner(r.Agent)
		r.Team, r.Environment = cmp.Or(r.Team, team), cmp.Or(r.Environment, environment)
	}
	r.Title = clip(name, 180) + " " + did
	return r, true
}

// fields are the texts of an object, by lower-case names.
func fields(raw json.RawMessage) map[string]string {
	var all map[string]any
	if len(raw) == 0 || json.Unmarshal(raw, &all) != nil {
		return nil
	}
	out := map[string]string{}
	for name, v := range all {
		if s, ok := v.(string); ok && len(s) <= maxWord {
			out[strings.ToLower(name)] = s
		}
	}
	return out
}

// ofEvent makes a change of what was observed, unless it is none: an agent that
// is made of something else than before.
func (b *Book) ofEvent(e *control.Event) (Report, bool) {
	if e.Type != "agent.version_seen" {
		return Report{}, false
	}
	var seen struct {
		Agent, Version string
		Changed        []string
		At             time.Time // by the senders' clock; zero in events of older releases
	}
	if err := json.Unmarshal(e.Data, &seen); err != nil || seen.Agent == "" || len(seen.Changed) == 0 {
		return Report{}, false // its first version is no change
	}
	// A backlog tells of the days on which agents changed, not of the one on which it came.
	at := e.At
	if !seen.At.IsZero() && seen.At.Before(at) {
		at = seen.At
	}
	r := Report{Key: fmt.Sprintf("event-%d", e.Seq), Kind: kindOf(seen.Changed), Agent: seen.Agent, Version: seen.Version, At: at, Labels: map[string]string{"changed": clip(strings.Join(seen.Changed, ", "), maxWord)}}
	r.Team, r.Environment = b.o.Owner(seen.Agent)
	r.Title = fmt.Sprintf("%s changed its %s", clip(seen.Agent, 100), clip(strings.Join(seen.Changed, ", "), 150))
	return r, true
}

// kindOf is what an observed difference is of, when it is of one thing alone.
func kindOf(changed []string) string {
	kind := ""
	for _, c := range changed {
		k := "agent"
		switch {
		case strings.Contains(c, "prompt"):
			k = "prompt"
		case strings.Contains(c, "model"):
			k = "model"
		case strings.Contains(c, "tool"), strings.Contains(c, "server"):
			k = "tool"
		case strings.Contains(c, "polic"):
			k = "policy"
		case strings.Contains(c, "source"), strings.Contains(c, "data"):
			k = "data"
		case strings.Contains(c, "code"):
			k = "deployment"
		}
		if kind != "" && kind != k {
			return "agent"
		}
		kind = k
	}
	return kind
}

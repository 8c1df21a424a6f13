package api

import (
	"reeve/client"
	"reeve/internal/identity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// seenCounts are how much of each kind of evidence there is, by agent.
type seenCounts struct {
	identity, decisions map[lintKey]int64 // nil without a door
	sources             map[lintKey]int64
	feedback            map[string]int64 // by agent alone; nil for who sees only some teams
}

// seen counts what is seen of agents beside their traces.
func (l *linting) seen(out *seenCounts) (err error) {
	if out.sources, err = l.count("steps", "kind:retrieval"); err != nil {
		return err
	}
	// Loose log records name no team: who sees only some is told of none.
	if out.feedback, err = l.feedback(); err != nil || l.a.o.Decisions == nil {
		return err
	}
	if out.decisions, err = l.count("decisions", ""); err != nil {
		return err
	}
	out.identity, err = l.count("decisions", "registered:true -credential:unknown")
	return err
}

// feedback counts scores, which stand as log records.
func (l *linting) feedback() (map[string]int64, error) {
	if !whoOf(l.ctx).Everywhere(identity.Viewer) {
		return nil, nil
	}
	q := telemetry.Query{
		Table: "logs", Select: []telemetry.Measure{{Func: "count", As: "count"}}, GroupBy: []string{"agent"}, From: l.from, To: l.to,
		Where: search.Is("event", "gen_ai.evaluation.result"), Limit: maxQueryRows,
	}
	res, err := l.a.o.Store.Query(l.ctx, q)
	if err != nil {
		return nil, err
	}
	a := newAnswers(res)
	out := make(map[string]int64, len(a.rows))
	for _, row := range a.rows {
		out[a.text(row, "agent")] = a.count(row, "count")
	}
	return out, nil
}

// of says it for one agent.
func (s *seenCounts) of(k lintKey, told int64) []client.LintSeen {
	one := func(kind, of, fix string, all map[lintKey]int64) client.LintSeen {
		out := client.LintSeen{Kind: kind, Of: of}
		if all == nil {
			return out
		}
		n := all[k]
		if out.Count = &n; n == 0 {
			out.Fix = fix
		}
		return out
	}
	var feedback map[lintKey]int64
	if s.feedback != nil {
		feedback = map[lintKey]int64{k: s.feedback[k.agent]}
	}
	return []client.LintSeen{
		one("identity", "decisions with a credential of its own", "register it and give it a key: reeve connect openai-sdk --agent NAME --make-keys", s.identity),
		one("traces", "steps that it told of itself", "point its telemetry here: reeve connect opentelemetry", map[lintKey]int64{k: told}),
		one("decisions", "decisions", "send its calls through the door, or ask first: reeve connect decisions", s.decisions),
		one("feedback", "scores and evaluations", "send scores with its client, or gen_ai.evaluation.result events", feedback),
		one("sources", "retrieval steps", "set gen_ai.data_source.id on its retrieval spans", s.sources),
	}
}

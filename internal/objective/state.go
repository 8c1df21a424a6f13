package objective

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"reeve/internal/control"
	"reeve/internal/stat"
)

// state is what an objective remembers across restarts.
type state struct {
	Version  int              `json:"version"` // of the KPI's definition
	Sequence *stat.Sequence   `json:"sequence,omitempty"`
	BetAt    time.Time        `json:"bet_at,omitzero"` // when the last bet began
	Alarms   map[string]*held `json:"alarms,omitempty"`
	// WellSince is since when at least half of the budget was left and nothing
	// alarmed; zero while that does not hold.
	WellSince time.Time `json:"well_since,omitzero"`
	WellSeen  time.Time `json:"well_seen,omitzero"` // when that was seen last, within an hour
}

// held is an alarm that holds.
type held struct {
	Finding  string    `json:"finding"`
	Since    time.Time `json:"since"`
	Severity string    `json:"severity"`
	Text     string    `json:"text"`
	Proved   bool      `json:"proved,omitempty"`
	Told     time.Time `json:"told,omitzero"` // last
}

func (s *state) clone() state {
	out := *s
	out.Alarms = make(map[string]*held, len(s.Alarms))
	for k, h := range s.Alarms {
		c := *h
		out.Alarms[k] = &c
	}
	if s.Sequence != nil {
		q := *s.Sequence
		q.Bets = slices.Clone(q.Bets)
		out.Sequence = &q
	}
	return out
}

func readState(ctx context.Context, r control.Reader, name string) (s state, err error) {
	body, ok, err := control.One(ctx, r, func(r control.Row) (text string, err error) { return text, r.Scan(&text) }, `SELECT body FROM objective_states WHERE objective = ?`, name)
	if err == nil && ok {
		err = json.Unmarshal([]byte(body), &s)
	}
	if s.Alarms == nil {
		s.Alarms = map[string]*held{}
	}
	return s, err
}

func (s *state) write(ctx context.Context, tx *control.Tx, name string, now time.Time) error {
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO objective_states (objective, body, updated_at) VALUES (?, ?, ?)
		ON CONFLICT (objective) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at`, name, string(body), control.Micros(now))
	return err
}

// restart begins to watch the stream anew.
func (s *state) restart(o *Objective, goal float64, now time.Time) {
	s.Sequence = stat.NewSequence(goal, o.Stream.Alpha, o.Stream.Labels)
	s.BetAt = now
}

// add takes a verdict into the sequence.
func (s *state) add(o *Objective, goal float64, good bool, now time.Time) {
	if o.Stream == nil {
		return
	}
	if s.Sequence == nil {
		s.restart(o, goal, now)
	}
	q := s.Sequence
	switch {
	case q.Seen%q.Every == 0:
		s.BetAt = now // Add begins one
	case now.Sub(s.BetAt) >= o.Stream.Within:
		q.Begin()
		s.BetAt = now
	}
	q.Add(good)
}

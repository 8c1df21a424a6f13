package source

import (
	"context"
	"slices"
	"strings"
	"time"

	"reeve/internal/control"
)

// History tells how old sources were when they were read, for many readings of a time: it
// is read once, and asked in memory. It answers as AsOf does of what names no documents.
// It is not safe for concurrent use.
type History struct {
	rows  []row
	made  map[string][]time.Time // by source: when each version was there, the oldest first
	teams map[string]map[string]*row
}

// History reads when sources were made anew, as far as readings from a time on to another
// need it. Sources that no longer are, are not in it.
func (b *Book) History(ctx context.Context, from, to time.Time) (*History, error) {
	rows, err := control.All(ctx, b.o.DB, scan, `SELECT `+columns+` FROM sources ORDER BY registered, name`)
	if err != nil || len(rows) == 0 {
		return &History{}, err
	}
	type version struct {
		source string
		at     int64
	}
	// With those of the time, the last one before it.
	all, err := control.All(ctx, b.o.DB, func(r control.Row) (v version, err error) { return v, r.Scan(&v.source, &v.at) },
		`SELECT source, at FROM source_versions v WHERE at <= ? AND at >= COALESCE((SELECT MAX(o.at) FROM source_versions o WHERE o.source = v.source AND o.at <= ?), 0) ORDER BY source, at`, control.Micros(to), control.Micros(from))
	if err != nil {
		return nil, err
	}
	h := &History{rows: rows, made: map[string][]time.Time{}, teams: map[string]map[string]*row{}}
	for _, v := range all {
		h.made[v.source] = append(h.made[v.source], control.Time(v.at))
	}
	return h, nil
}

// Any reports whether any source is known.
func (h *History) Any() bool { return len(h.rows) > 0 }

// At is the source that a team's run means by a name, "" where nobody knows it, and how
// it stood at a time: fresh, warn, stale or unknown.
func (h *History) At(team, name string, at time.Time) (source, state string) {
	s := h.called(team)[strings.ToLower(name)]
	if s == nil {
		return "", "unknown"
	}
	made := h.made[s.name]
	n, _ := slices.BinarySearchFunc(made, at, func(v, at time.Time) int {
		if v.After(at) {
			return 1
		}
		return -1
	})
	if n == 0 {
		return s.name, "unknown"
	}
	shape := s.shape()
	warn, most, _ := s.ages()
	fresh(&shape, warn, most, at.Sub(made[n-1]))
	return s.name, shape.State
}

// called are the sources that a team means by each name, as names has them.
func (h *History) called(team string) map[string]*row {
	if out, ok := h.teams[team]; ok {
		return out
	}
	out := map[string]*row{}
	for i := range h.rows {
		s := &h.rows[i]
		if s.team != team && s.team != "" && team != "" {
			continue
		}
		for _, name := range s.called() {
			out[strings.ToLower(name)] = s
		}
	}
	if h.teams != nil {
		h.teams[team] = out
	}
	return out
}

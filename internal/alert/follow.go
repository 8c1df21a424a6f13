package alert

import (
	"context"
	"slices"
	"strings"

	"reeve/client"
	"reeve/internal/control"
)

// Moved reads the alerts, as they are now, whose history went on after a
// sequence: each once, in the order in which that happened first, with the
// sequence to ask from next. It is empty when nothing happened.
func (b *Book) Moved(ctx context.Context, after int64, limit int) (all []client.Alert, last int64, err error) {
	events, err := b.Changes(ctx, after, limit)
	if err != nil || len(events) == 0 {
		return nil, after, err
	}
	last = events[len(events)-1].Seq
	place := map[string]int{}
	args := []any{}
	for _, e := range events {
		if _, ok := place[e.AlertID]; !ok {
			place[e.AlertID] = len(args)
			args = append(args, e.AlertID)
		}
	}
	const together = 500 // variables of one statement
	for part := range slices.Chunk(args, together) {
		list, err := control.All(ctx, b.o.DB, scan, `SELECT `+columns+from+` WHERE a.id IN (?`+strings.Repeat(", ?", len(part)-1)+`)`, part...)
		if err != nil {
			return nil, after, err
		}
		all = append(all, list...)
	}
	slices.SortFunc(all, func(x, y client.Alert) int { return place[x.ID] - place[y.ID] })
	return all, last, nil
}

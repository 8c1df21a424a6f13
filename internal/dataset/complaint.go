package dataset

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"reeve/internal/control"
)

// Complaint is a case that a user's complaint made.
type Complaint struct {
	Dataset, Team, Environment, Agent string
	Item, Run                         string    // the newest of its kept items, and its run
	At                                time.Time // of the complaint
	Kept                              []Kept    // since when it is a case, and of which versions
}

// Kept is a stretch of versions of a data set that have a case to be run.
type Kept struct {
	At             time.Time
	Added, Removed int64 // Removed 0: it is in the newest
}

// In reports whether the case was run with a version of its data set at a time; version
// 0 goes by the time alone.
func (c *Complaint) In(version int64, at time.Time) bool {
	return slices.ContainsFunc(c.Kept, func(k Kept) bool {
		if at.Before(k.At) {
			return false
		}
		if version == 0 {
			return k.Removed == 0
		}
		return k.Added <= version && (k.Removed == 0 || k.Removed > version)
	})
}

// maxComplaints bounds the rows that are read together.
const maxComplaints = 20_000

// Complaints lists the cases that complaints made, the newest first; cut says that there
// are older ones. What was withdrawn with its person, is not run, or was deleted with its
// data set is not among them.
func (b *Book) Complaints(ctx context.Context) (out []Complaint, cut bool, err error) {
	type row struct {
		Complaint
		id string
	}
	rows, err := control.All(ctx, b.o.DB, func(r control.Row) (c row, err error) {
		var at, kept int64
		var k Kept
		var removed *int64
		err = r.Scan(&c.Dataset, &c.Team, &c.Environment, &c.Agent, &c.id, &c.Item, &c.Run, &at, &kept, &k.Added, &removed)
		if removed != nil {
			k.Removed = *removed
		}
		c.At, k.At = control.Time(at), control.Time(kept)
		c.Kept = []Kept{k}
		return c, err
	}, `SELECT i.dataset, d.team, d.environment, i.agent, i.case_id, i.id, i.run, i.complained_at, i.at, i.added, i.removed FROM dataset_items i JOIN datasets d ON d.name = i.dataset
		WHERE i.complained_at > 0 AND i.withdrawn = 0 AND i.consent <> 'refused' AND i.dataset NOT LIKE '%~%' ORDER BY i.complained_at DESC, i.id LIMIT ?`, maxComplaints+1)
	if err != nil {
		return nil, false, err
	}
	if cut = len(rows) > maxComplaints; cut {
		rows = rows[:maxComplaints]
	}
	at := map[string]int{}
	for i := range rows {
		r := &rows[i]
		k, seen := at[r.Dataset+" "+r.id]
		if !seen {
			at[r.Dataset+" "+r.id] = len(out)
			out = append(out, r.Complaint)
			continue
		}
		out[k].Kept = append(out[k].Kept, r.Kept...)
		if r.Kept[0].Removed == 0 { // the one that is in the newest version
			out[k].Item = r.Item
		}
	}
	return out, cut, nil
}

func complainedAt(i *Item) int64 {
	if i.FeedbackAt.IsZero() {
		return 0
	}
	return control.Micros(i.FeedbackAt)
}

// readComplaints fills in when the complaints of cases came that were kept before that
// had a column.
func readComplaints(ctx context.Context, tx *control.Tx) error {
	type row struct{ id, text string }
	for {
		some, err := control.All(ctx, tx, func(r control.Row) (x row, err error) { return x, r.Scan(&x.id, &x.text) }, `SELECT id, body FROM dataset_items WHERE complained_at = -1 LIMIT 200`)
		if err != nil || len(some) == 0 {
			return err
		}
		for _, x := range some {
			var i Item
			if err := json.Unmarshal([]byte(x.text), &i); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `UPDATE dataset_items SET complained_at = ? WHERE id = ?`, complainedAt(&i), x.id); err != nil {
				return err
			}
		}
	}
}

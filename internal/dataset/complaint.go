package dataset

import (
	"context"
	"encoding/json"
	"time"

	"reeve/internal/control"
)

// Complaint is a case that a user's complaint made.
type Complaint struct {
	Dataset, Team, Environment, Agent string
	At                                time.Time // of the complaint
	Kept                              time.Time // since when it is a case
}

// maxComplaints bounds those that are read together, the newest.
const maxComplaints = 20_000

// Complaints lists the cases that complaints made, the newest first. What was withdrawn
// with its person is not among them.
func (b *Book) Complaints(ctx context.Context) ([]Complaint, error) {
	return control.All(ctx, b.o.DB, func(r control.Row) (c Complaint, err error) {
		var at, kept int64
		err = r.Scan(&c.Dataset, &c.Team, &c.Environment, &c.Agent, &at, &kept)
		c.At, c.Kept = control.Time(at), control.Time(kept)
		return c, err
	}, `SELECT i.dataset, d.team, d.environment, i.agent, MIN(i.complained_at), MIN(i.at) FROM dataset_items i JOIN datasets d ON d.name = i.dataset
		WHERE i.complained_at > 0 AND i.withdrawn = 0 GROUP BY i.dataset, d.team, d.environment, i.agent, i.case_id ORDER BY 5 DESC LIMIT ?`, maxComplaints)
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

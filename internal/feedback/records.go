package feedback

import (
	"cmp"
	"context"

	"reeve/internal/control"
)

// SaidOf lists what Said counts, the newest first: what users said of runs that is good,
// bad or neither; with good only what is good. by is a column of Said's, of which only
// one group is listed; "" all. next is the zero cursor at the end.
func (b *Book) SaidOf(ctx context.Context, f Filter, by, group string, good bool) (all []Feedback, next Cursor, err error) {
	f.Giver = User
	w := f.where()
	w.Add("run <> '' AND test = 0")
	if column, ok := saidBy[by]; by != "" && ok {
		w.Add(column+" = ?", group)
	}
	if good {
		w.Add("verdict = ?", Positive)
	} else {
		w.Add("verdict <> ''")
	}
	limit := cmp.Or(f.Limit, 100)
	all, err = control.All(ctx, b.o.DB, scan, `SELECT `+columns+` FROM feedback`+w.Text()+` ORDER BY at DESC, id LIMIT ?`, append(w.Args, limit+1)...)
	if err != nil || len(all) <= limit {
		return all, next, err
	}
	all = all[:limit]
	return all, Cursor{control.Micros(all[limit-1].At), all[limit-1].ID}, nil
}

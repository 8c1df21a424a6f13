package evaluate

import (
	"cmp"
	"context"
	"strings"

	"reeve/internal/control"
)

// ofKind narrows to what the evaluators of a kind that there are now found; false where
// there is none.
func (b *Book) ofKind(w *control.Where, kind string) bool {
	var names []string
	var of []any
	for _, e := range b.Evaluators() {
		if e.Kind == kind {
			names, of = append(names, "?"), append(of, e.Name)
		}
	}
	if len(names) > 0 {
		w.Add("evaluator IN ("+strings.Join(names, ", ")+")", of...)
	}
	return len(names) > 0
}

// JudgedOf lists what Judged counts as passed or failed, the newest first; with passed
// only those. by is a column of Judged's, of which only one group is listed; "" all.
// next is the zero cursor at the end.
func (b *Book) JudgedOf(ctx context.Context, kind string, f Filter, by, group string, passed bool) (all []Evaluation, next Cursor, err error) {
	f.Source = Online
	w := f.where("")
	if !b.ofKind(&w, kind) {
		return nil, next, nil
	}
	if column, ok := judgedBy[by]; by != "" && ok {
		w.Add(column+" = ?", group)
	}
	if passed {
		w.Add("verdict = ?", Pass)
	} else {
		w.Add("verdict IN (?, ?)", Pass, Fail)
	}
	limit := cmp.Or(f.Limit, 100)
	all, err = control.All(ctx, b.o.DB, scan, `SELECT `+columns+` FROM evaluations`+w.Text()+` ORDER BY at DESC, id LIMIT ?`, append(w.Args, limit+1)...)
	if err != nil || len(all) <= limit {
		return all, next, err
	}
	all = all[:limit]
	return all, Cursor{control.Micros(all[limit-1].At), all[limit-1].ID}, nil
}

package dataset

import (
	"context"
	"slices"
	"time"

	"reeve/internal/control"
)

// Standing is how a data set's newest version stands to an older one of it, in numbers:
// no content is read for it.
type Standing struct {
	Version int64 // the newest
	Born    time.Time
	Cases   int64 // of the newest that an experiment runs
	Silent  int64 // of those, that say nothing of what is right: no words, nothing expected
	Added   int64 // that came since, and are there
	Changed int64 // that are not what they were: changed or taken out since, those that came and went among them
	Then    int64 // cases of the older version that an experiment would run now: who withdraws is in none
}

const runnable = ` AND withdrawn = 0 AND consent <> 'refused'`

// Stands compares a data set as it is with its version since; 0 compares with nothing.
func (b *Book) Stands(ctx context.Context, name string, since int64) (st Standing, err error) {
	s, ok, err := control.One(ctx, b.o.DB, scanSet, `SELECT `+setColumns+` FROM datasets d WHERE name = ?`, name)
	if err != nil {
		return st, err
	}
	if !ok {
		return st, notFound(name)
	}
	st.Version, st.Born = s.Version, s.Born
	for _, c := range []struct {
		to    *int64
		where string
		args  []any
	}{
		{&st.Cases, `removed IS NULL` + runnable, nil},
		// Quotes within texts of JSON are escaped, so the patterns find keys alone.
		{&st.Silent, `removed IS NULL` + runnable + ` AND body NOT LIKE '%"expected":"%' AND body NOT LIKE '%"contains":[%' AND body NOT LIKE '%"absent":[%'`, nil},
		{&st.Added, `removed IS NULL AND added > ?`, []any{since}},
		{&st.Changed, `removed > ?`, []any{since}},
		{&st.Then, `added <= ? AND (removed IS NULL OR removed > ?)` + runnable, []any{since, since}},
	} {
		n, _, err := control.One(ctx, b.o.DB, func(r control.Row) (n int64, err error) { return n, r.Scan(&n) },
			`SELECT COUNT(*) FROM dataset_items WHERE dataset = ? AND `+c.where, append([]any{name}, c.args...)...)
		if err != nil {
			return st, err
		}
		*c.to = n
	}
	return st, nil
}

// Change is what became of a case since a version.
type Change struct {
	Case     string
	Was, Is  *Item // nil: it was not there, it is not there
	Versions int64 // changes on the way
}

// maxChanges bounds what is shown of what changed.
const maxChanges = 200

// Changes lists for readers what became of the cases of a data set since a version, at
// most 200; more says that there are others. A case that came and went since is among
// them: Was is nil, and Is what it was when it went.
func (b *Book) Changes(ctx context.Context, who Actor, name string, since int64) (out []Change, more bool, err error) {
	s, err := b.Get(ctx, who, name)
	if err != nil {
		return nil, false, err
	}
	if err := who.need(&s, "reader"); err != nil {
		return nil, false, err
	}
	all, err := control.All(ctx, b.o.DB, scanItem, `SELECT `+itemColumns+` FROM dataset_items WHERE dataset = ? AND (added > ? OR removed > ?) ORDER BY added, id LIMIT ?`, name, since, since, 5*maxChanges+1)
	if err != nil {
		return nil, false, err
	}
	more = len(all) > 5*maxChanges
	for i := range all {
		item := &all[i]
		at := slices.IndexFunc(out, func(c Change) bool { return c.Case == item.Case })
		if at < 0 {
			if len(out) == maxChanges {
				more = true
				continue
			}
			at = len(out)
			out = append(out, Change{Case: item.Case})
		}
		c := &out[at]
		c.Versions++
		if item.Added <= since { // it was in that version, and was changed or taken out
			c.Was = item
			continue
		}
		c.Is = item // the newest of it comes last
	}
	return out, more, nil
}

package erase

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// Found is what a place of the receipt holds or held.
type Found struct {
	Place
	Records int64
	Left    int64 // found where nothing can be changed
}

// Sweep looks through the texts of the control database.
type Sweep struct {
	DB    *control.DB
	Words *Words
	Runs  map[string]bool // by id, as text: of records about them all words go
	Dry   bool            // only count
}

// page is how many rows are read at once; what is found in them is written in one
// transaction, so that nobody waits long.
const page = 500

// Run looks through all tables and cuts, and returns what it found by place. What was
// cut stays cut when it ends early; doing it again goes on.
func (s Sweep) Run(ctx context.Context) ([]Found, error) {
	at := map[string]*Found{}
	out := make([]Found, 0, len(Places()))
	for _, p := range Places() {
		out = append(out, Found{Place: p})
	}
	for i := range out {
		at[out[i].Name] = &out[i]
	}
	names := make([]string, 0, len(Columns))
	for name := range Columns {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t := Columns[name]
		f := at[t.Place]
		if f == nil {
			continue
		}
		if t.Swept != "" {
			n, err := s.table(ctx, name, t, strings.Fields(t.Swept), !s.Dry)
			if f.Records += n; err != nil {
				return out, fmt.Errorf("looking through %s: %w", name, err)
			}
		}
		if t.Stays != "" {
			n, err := s.table(ctx, name, t, strings.Fields(t.Stays), false)
			if f.Left += n; err != nil {
				return out, fmt.Errorf("looking through %s: %w", name, err)
			}
		}
	}
	return out, nil
}

type found struct {
	row  int64
	run  string
	text []*string
}

// table looks through the columns of a table.
func (s Sweep) table(ctx context.Context, name string, t Table, columns []string, change bool) (n int64, err error) {
	run := "''"
	if t.Run != "" {
		run = t.Run
	}
	where := ""
	if t.Where != "" {
		where = " AND (" + t.Where + ")"
	}
	query := `SELECT rowid, ` + run + `, ` + strings.Join(columns, ", ") + ` FROM ` + name + ` WHERE `
	scan := func(r control.Row) (f found, err error) {
		f.text = make([]*string, len(columns))
		into := []any{&f.row, &f.run}
		for i := range f.text {
			into = append(into, &f.text[i])
		}
		return f, r.Scan(into...)
	}
	for after := int64(-1 << 62); ; {
		rows, err := control.All(ctx, s.DB, scan, query+`rowid > ?`+where+` ORDER BY rowid LIMIT ?`, after, page)
		if err != nil || len(rows) == 0 {
			return n, err
		}
		after = rows[len(rows)-1].row
		var hit []int64
		for i := range rows {
			if s.cut(&rows[i]) {
				hit = append(hit, rows[i].row)
			}
		}
		n += int64(len(hit))
		if len(hit) == 0 || !change {
			continue
		}
		err = s.DB.Write(ctx, func(tx *control.Tx) error {
			for _, row := range hit {
				// Read again: somebody may have written it meanwhile.
				f, ok, err := control.One(ctx, tx, scan, query+`rowid = ?`+where, row)
				if err != nil {
					return err
				}
				if !ok || !s.cut(&f) {
					continue
				}
				if err := s.store(ctx, tx, name, t, columns, f); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return n, err
		}
	}
}

func (s Sweep) store(ctx context.Context, tx *control.Tx, name string, t Table, columns []string, f found) error {
	if t.Drop {
		_, err := tx.Exec(ctx, `DELETE FROM `+name+` WHERE rowid = ?`, f.row)
		return err
	}
	set, args := make([]string, len(columns)), make([]any, 0, len(columns)+1)
	for i, c := range columns {
		set[i] = c + ` = ?`
		args = append(args, f.text[i])
	}
	_, err := tx.Exec(ctx, `UPDATE `+name+` SET `+strings.Join(set, ", ")+` WHERE rowid = ?`, append(args, f.row)...)
	if err != nil && fault.From(err).Code == "control.exists" {
		// Two keys are one without what was cut: who looked for either finds neither.
		_, err = tx.Exec(ctx, `DELETE FROM `+name+` WHERE rowid = ?`, f.row)
	}
	return err
}

// cut changes the texts of a row, and reports whether there was anything.
func (s Sweep) cut(f *found) (changed bool) {
	c := Cutter(s.Words.Cut)
	if f.run != "" && s.Runs[f.run] {
		c = func(text string) (string, bool) {
			out, a := s.Words.Cut(text)
			out, b := Wipe(out)
			return out, a || b
		}
	}
	for i, text := range f.text {
		if text == nil {
			continue
		}
		if out, did := c.JSON(*text); did {
			f.text[i], changed = &out, true
		}
	}
	return changed
}

package invoice

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Book keeps invoices in the control database.
type Book struct {
	db  *control.DB
	now func() time.Time
}

// New is a book over a database; now nil means time.Now.
func New(db *control.DB, now func() time.Time) *Book {
	if now == nil {
		now = time.Now
	}
	return &Book{db, now}
}

// Invoice is one import.
type Invoice struct {
	ID, Name, Format  string
	Rate              float64
	Lines             int64
	FirstDay, LastDay string
	Person            string
	CreatedAt         time.Time
}

const maxInvoices = 1000

// Import reads a file and keeps its lines, added up by day, provider and model.
// The same file again only takes the new name and rate.
func (b *Book) Import(ctx context.Context, by, name, format string, rate float64, text []byte) (Invoice, error) {
	if name = cut(name); name == "" {
		return Invoice{}, fault.New(fault.KindInvalid, "invoice.name", "an invoice has a name")
	}
	if rate < 0 || rate > 1e6 || rate != rate {
		return Invoice{}, fault.New(fault.KindInvalid, "invoice.rate", "the rate is dollars for one unit of the invoice's currency")
	}
	found, lines, err := Parse(format, text)
	if err != nil {
		return Invoice{}, err
	}
	sum := sha256.Sum256(text)
	inv := Invoice{ID: "inv_" + hex.EncodeToString(sum[:10]), Name: name, Format: found, Rate: rate, Lines: int64(len(lines)), Person: by, CreatedAt: b.now().UTC().Truncate(time.Microsecond)}
	whole := daily(lines)
	inv.FirstDay, inv.LastDay = whole[0].Day, whole[len(whole)-1].Day
	return inv, b.db.Write(ctx, func(tx *control.Tx) error {
		n, _, err := control.One(ctx, tx, func(r control.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT count(*) FROM invoices WHERE id <> ?`, inv.ID)
		if err != nil {
			return err
		}
		if n >= maxInvoices {
			return fault.New(fault.KindExhausted, "invoice.too_many", "there are %d invoices already", n).WithHint("delete old ones")
		}
		if _, err := tx.Exec(ctx, `DELETE FROM invoices WHERE id = ?`, inv.ID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO invoices (id, name, format, rate, lines, first_day, last_day, person, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			inv.ID, inv.Name, inv.Format, inv.Rate, inv.Lines, inv.FirstDay, inv.LastDay, by, control.Micros(inv.CreatedAt)); err != nil {
			return err
		}
		for i := range whole {
			l := &whole[i]
			if _, err := tx.Exec(ctx, `INSERT INTO invoice_lines (invoice, day, provider, model, currency, micros, input, output, cached, requests) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				inv.ID, l.Day, l.Provider, l.Model, l.Currency, l.Micros, l.Input, l.Output, l.Cached, l.Requests); err != nil {
				return err
			}
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.invoice_imported", Person: by, Action: "import", Object: inv.ID, After: map[string]any{"name": inv.Name, "format": inv.Format, "lines": inv.Lines, "from": inv.FirstDay, "to": inv.LastDay}})
	})
}

// daily adds lines up by day, provider, model and currency, in that order.
func daily(lines []Line) []Line {
	type key struct{ day, provider, model, currency string }
	at := map[key]int{}
	var out []Line
	for i := range lines {
		l := &lines[i]
		k := key{l.Day, l.Provider, l.Model, l.Currency}
		j, ok := at[k]
		if !ok {
			j = len(out)
			at[k] = j
			out = append(out, Line{Day: l.Day, Provider: l.Provider, Model: l.Model, Currency: l.Currency})
		}
		out[j].add(l)
	}
	slices.SortStableFunc(out, func(x, y Line) int {
		return cmp.Or(cmp.Compare(x.Day, y.Day), cmp.Compare(x.Provider, y.Provider), cmp.Compare(x.Model, y.Model), cmp.Compare(x.Currency, y.Currency))
	})
	return out
}

const invoiceColumns = `id, name, format, rate, lines, first_day, last_day, person, created_at FROM invoices`

func scanInvoice(r control.Row) (i Invoice, err error) {
	var at int64
	err = r.Scan(&i.ID, &i.Name, &i.Format, &i.Rate, &i.Lines, &i.FirstDay, &i.LastDay, &i.Person, &at)
	i.CreatedAt = control.Time(at)
	return i, err
}

// List is all invoices, the newest period first.
func (b *Book) List(ctx context.Context) ([]Invoice, error) {
	return control.All(ctx, b.db, scanInvoice, `SELECT `+invoiceColumns+` ORDER BY last_day DESC, created_at DESC`)
}

// Get is an invoice with its lines by day and model.
func (b *Book) Get(ctx context.Context, id string) (Invoice, []Line, error) {
	inv, ok, err := control.One(ctx, b.db, scanInvoice, `SELECT `+invoiceColumns+` WHERE id = ?`, id)
	if err != nil {
		return inv, nil, err
	}
	if !ok {
		return inv, nil, notFound(id)
	}
	lines, err := control.All(ctx, b.db, func(r control.Row) (l Line, err error) {
		return l, r.Scan(&l.Day, &l.Provider, &l.Model, &l.Currency, &l.Micros, &l.Input, &l.Output, &l.Cached, &l.Requests)
	}, `SELECT day, provider, model, currency, micros, input, output, cached, requests FROM invoice_lines WHERE invoice = ? ORDER BY day, model`, id)
	return inv, lines, err
}

// Delete forgets an invoice.
func (b *Book) Delete(ctx context.Context, by, id string) error {
	return b.db.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM invoices WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return notFound(id)
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.invoice_deleted", Person: by, Action: "delete", Object: id})
	})
}

func notFound(id string) error {
	return fault.New(fault.KindNotFound, "invoice.not_found", "there is no invoice %.40s", id).WithHint("`reeve cost list` lists them")
}

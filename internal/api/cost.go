package api

import (
	"context"
	"math"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/invoice"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

func (a *API) invoices() (*invoice.Book, error) {
	if a.o.Invoices == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server keeps no invoices")
	}
	return a.o.Invoices, nil
}

func invoiceOf(i invoice.Invoice) client.Invoice {
	out := client.Invoice{ID: i.ID, Name: i.Name, Format: i.Format, Lines: i.Lines, FirstDay: i.FirstDay, LastDay: i.LastDay, Person: i.Person, CreatedAt: i.CreatedAt}
	if i.Rate > 0 {
		out.Rate = &i.Rate
	}
	return out
}

func importInvoice(a *API, ctx context.Context, req *client.ImportInvoiceRequest) (*client.Invoice, error) {
	all, err := a.invoices()
	if err != nil {
		return nil, err
	}
	i, err := all.Import(ctx, actor(ctx), req.Name, req.Format, req.Rate, []byte(req.Text))
	if err != nil {
		return nil, err
	}
	out := invoiceOf(i)
	return &out, nil
}

func listInvoices(a *API, ctx context.Context, _ *struct{}) (*client.List[client.Invoice], error) {
	all, err := a.invoices()
	if err != nil {
		return nil, err
	}
	list, err := all.List(ctx)
	return listOf(list, err, invoiceOf)
}

func deleteInvoice(a *API, ctx context.Context, req *client.InvoiceRequest) (*struct{}, error) {
	all, err := a.invoices()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, all.Delete(ctx, actor(ctx), req.ID)
}

// reconcile holds an invoice against the model calls of its days. Only who sees
// every team may ask: an invoice is of all of them.
func reconcile(a *API, ctx context.Context, req *client.InvoiceRequest) (*client.Reconciliation, error) {
	all, err := a.invoices()
	if err != nil {
		return nil, err
	}
	inv, lines, err := all.Get(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	ours, err := a.counted(ctx, inv.FirstDay, inv.LastDay)
	if err != nil {
		return nil, err
	}
	rows, sum := invoice.Compare(lines, ours, inv.Rate)
	out := &client.Reconciliation{
		Invoice: invoiceOf(inv), Currency: sum.Currency, Amount: dollars(sum.InvoiceMicros), Ours: dollars(sum.OursMicros), Difference: dollars(sum.DiffMicros),
		Agreeing: int64(sum.Agreeing), Other: int64(sum.Other), Rows: make([]client.ReconciliationRow, 0, len(rows)),
	}
	for i := range rows {
		out.Rows = append(out.Rows, rowOf(&rows[i]))
	}
	return out, nil
}

func rowOf(r *invoice.Row) client.ReconciliationRow {
	out := client.ReconciliationRow{Day: r.Day, Model: r.Model, State: r.State, Difference: dollars(r.DiffMicros), Share: r.DiffShare, Why: r.Explanations}
	if r.Invoice != nil {
		out.Amount, out.InvoiceInput, out.InvoiceOut = dollars(r.Invoice.Micros), r.Invoice.Input, r.Invoice.Output
	}
	if r.Ours != nil {
		out.Ours, out.OursInput, out.OursOut, out.Calls = dollars(r.Ours.Micros), r.Ours.Input, r.Ours.Output, &r.Ours.Calls
	}
	return out
}

// dollars is an amount of millionths.
func dollars(micros *int64) *float64 {
	if micros == nil {
		return nil
	}
	v := float64(*micros) / 1e6
	return &v
}

// counted is what was counted of model calls by day and model, both days
// included.
func (a *API) counted(ctx context.Context, first, last string) ([]invoice.Ours, error) {
	from, err := time.Parse(time.DateOnly, first)
	if err != nil {
		return nil, err
	}
	to, err := time.Parse(time.DateOnly, last)
	if err != nil {
		return nil, err
	}
	whole, err := a.calls(ctx, from, to.AddDate(0, 0, 1), nil)
	if err != nil {
		return nil, err
	}
	type key struct{ day, model, provider string }
	at := map[key]*invoice.Ours{}
	var out []*invoice.Ours
	for _, c := range whole {
		o := &invoice.Ours{Day: c.day, Model: c.model, Provider: c.provider, Calls: c.calls, Micros: c.micros, Input: c.input, Output: c.output}
		at[key{c.day, c.model, c.provider}] = o
		out = append(out, o)
	}
	for _, gap := range []struct {
		where search.Expr
		add   func(*invoice.Ours, int64)
	}{
		{search.Unknown("cost"), func(o *invoice.Ours, n int64) { o.Unpriced += n }},
		{search.Unknown("input_tokens"), func(o *invoice.Ours, n int64) { o.Uncounted += n }},
	} {
		part, err := a.calls(ctx, from, to.AddDate(0, 0, 1), gap.where)
		if err != nil {
			return nil, err
		}
		for _, c := range part {
			if o := at[key{c.day, c.model, c.provider}]; o != nil {
				gap.add(o, c.calls)
			}
		}
	}
	list := make([]invoice.Ours, len(out))
	for i, o := range out {
		list[i] = *o
	}
	return list, nil
}

// called is what the store says of one day and model.
type called struct {
	day, model, provider  string
	calls                 int64
	micros, input, output *int64
}

func (a *API) calls(ctx context.Context, from, to time.Time, where search.Expr) ([]called, error) {
	q := telemetry.Query{
		Table: "steps", GroupBy: []string{"model", "provider"}, Bucket: 24 * time.Hour, From: from, To: to, Limit: maxQueryRows,
		Where: search.Both(search.Is("call", "true"), search.Is("counted", "true"), where),
		Select: []telemetry.Measure{
			{Func: "count", As: "calls"},
			{Func: "sum", Field: "cost", As: "cost"},
			{Func: "sum", Field: "input_tokens", As: "input"},
			{Func: "sum", Field: "output_tokens", As: "output"},
		},
	}
	res, err := a.o.Store.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	w := newAnswers(res)
	out := make([]called, 0, len(w.rows))
	for _, row := range w.rows {
		at, ok := w.bucket(row)
		if !ok {
			continue
		}
		c := called{day: at.UTC().Format(time.DateOnly), model: w.text(row, "model"), provider: w.text(row, "provider"), calls: w.count(row, "calls")}
		if v := w.number(row, "cost"); v != nil {
			micros := int64(math.Round(*v * 1e6))
			c.micros = &micros
		}
		for name, to := range map[string]**int64{"input": &c.input, "output": &c.output} {
			if v := w.number(row, name); v != nil {
				n := int64(*v)
				*to = &n
			}
		}
		out = append(out, c)
	}
	return out, nil
}

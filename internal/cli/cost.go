package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"reeve/client"
)

func costCommands() []command {
	return []command{
		{name: "cost reconcile", args: "[flags] FILE", short: "hold a provider's invoice or usage export against what was counted", long: costHelp, run: runCostReconcile},
		{name: "cost list", args: "[flags]", short: "list imported invoices", run: runCostList},
		{name: "cost show", args: "[flags] ID", short: "compare an imported invoice again", long: costHelp, run: runCostShow},
		{name: "cost delete", args: "[flags] ID", short: "forget an imported invoice", run: runCostDelete},
	}
}

const costHelp = `
Reads a provider's invoice or usage export and holds it, per day and model,
against the model calls counted here. What is read: OpenAI's usage and costs
API, Anthropic's usage and cost reports (JSON as they answer, one page or a list
of pages), FOCUS and Amazon's cost and usage report (CSV), and a plain table
with the columns date, model and cost or input_tokens and output_tokens.

  reeve cost reconcile openai-costs.json
  reeve cost reconcile october.csv --rate 1.08     # euros to dollars

The invoice is kept: reeve cost show ID compares again, with what came since.`

func runCostReconcile(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ImportInvoiceRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Name, "name", "", "what to call it; the file's name by default")
	fs.StringVar(&req.Format, "format", "", "openai-usage, openai-costs, anthropic-usage, anthropic-cost, focus, cur or csv; found out by default")
	fs.Float64Var(&req.Rate, "rate", 0, "dollars for one unit of its currency")
	file, err := oneWord(fs, args, "file")
	if err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if req.Text = string(text); req.Name == "" {
		req.Name = filepath.Base(file)
	}
	inv, err := r.client().ImportInvoice(ctx, req)
	if err != nil {
		return err
	}
	rec, err := r.client().Reconcile(ctx, client.InvoiceRequest{ID: inv.ID})
	return r.reconciliation(e, rec, err)
}

func runCostShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "invoice")
	if err != nil {
		return err
	}
	rec, err := r.client().Reconcile(ctx, client.InvoiceRequest{ID: id})
	return r.reconciliation(e, rec, err)
}

func (r *remote) reconciliation(e env, rec *client.Reconciliation, err error) error {
	if err != nil {
		return err
	}
	return r.print(e.stdout, rec, func(w io.Writer) {
		i := rec.Invoice
		fmt.Fprintf(w, "%s  %s (%s), %s to %s\n", i.ID, word(i.Name), i.Format, i.FirstDay, i.LastDay)
		fmt.Fprintf(w, "invoice %s, counted here %s, difference %s; %d of %d rows agree\n\n", amount(rec.Amount, rec.Currency), amount(rec.Ours, "USD"), amount(rec.Difference, "USD"), rec.Agreeing, rec.Agreeing+rec.Other)
		fmt.Fprintln(w, "DAY\tMODEL\tSTATE\tINVOICE\tHERE\tDIFFERENCE\tTOKENS INVOICE\tTOKENS HERE\tWHY")
		for _, x := range rec.Rows {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.Day, show(word(x.Model)), x.State, amount(x.Amount, rec.Currency), amount(x.Ours, "USD"), amount(x.Difference, "USD"),
				both(x.InvoiceInput, x.InvoiceOut), both(x.OursInput, x.OursOut), strings.Join(x.Why, "; "))
		}
	})
}

// amount is money, or "unknown".
func amount(v *float64, currency string) string {
	if v == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.4f %s", *v, currency)
}

func both(in, out *int64) string {
	if in == nil && out == nil {
		return "unknown"
	}
	one := func(n *int64) string {
		if n == nil {
			return "?"
		}
		return fmt.Sprint(*n)
	}
	return one(in) + "+" + one(out)
}

func runCostList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if _, err := words(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListInvoices(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tNAME\tFORMAT\tFROM\tTO\tLINES")
		for _, i := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\n", i.ID, word(i.Name), i.Format, i.FirstDay, i.LastDay, i.Lines)
		}
	})
}

func runCostDelete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "invoice")
	if err != nil {
		return err
	}
	if err := r.client().DeleteInvoice(ctx, client.InvoiceRequest{ID: id}); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "invoice %s is forgotten\n", id)
	return nil
}

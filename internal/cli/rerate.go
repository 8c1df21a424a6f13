package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"reeve/client"
)

func rerateCommands() []command {
	return []command{
		{name: "cost rerate", args: "[flags] MONTH | FROM TO", short: "show what pricing a time again would change", long: rerateHelp, run: runRerate},
		{name: "cost rerate apply", args: "[flags] ID", short: "give the calls of a plan their new costs", long: rerateHelp, run: rerateCommand((*client.Client).ApplyRerate)},
		{name: "cost rerate undo", args: "[flags] ID", short: "give the calls their old costs back", long: rerateHelp, run: rerateCommand((*client.Client).UndoRerate)},
		{name: "cost rerate show", args: "[flags] ID", short: "show a plan or what became of it", run: rerateCommand((*client.Client).GetRerate)},
		{name: "cost rerates", args: "[flags]", short: "list what was, or would be, priced again", run: runRerateList},
	}
}

const rerateHelp = `
Calls are priced when they come. After prices changed (prices.file, then a
restart), a time is priced again: first a plan shows what would change, by model;
nothing changes until it is applied, and it can be undone. Costs that the sender
gave stay.

  reeve cost rerate 2026-11                  # a month; shows the difference
  reeve cost rerate 2026-11-03 2026-11-10    # days, the last one not included
  reeve cost rerate 2026-11 --card new.yaml  # only to see what a card would give
  reeve cost rerate apply rrt_...
  reeve cost rerate undo rrt_...`

// span reads a month, or two days.
func span(all []string) (from, to time.Time, err error) {
	if len(all) == 1 {
		if from, err = time.Parse("2006-01", all[0]); err == nil {
			return from, from.AddDate(0, 1, 0), nil
		}
	}
	if len(all) == 2 {
		if from, err = time.Parse(time.DateOnly, all[0]); err == nil {
			if to, err = time.Parse(time.DateOnly, all[1]); err == nil {
				return from, to, nil
			}
		}
	}
	return from, to, fmt.Errorf("%w: give a month (2026-11) or two days (2026-11-03 2026-11-10)", errUsage)
}

func runRerate(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var card string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&card, "card", "", "a rate card to try; the plan cannot be applied")
	all, err := words(fs, args)
	if err != nil {
		return err
	}
	var req client.PlanRerateRequest
	if req.From, req.To, err = span(all); err != nil {
		return err
	}
	if card != "" {
		text, err := os.ReadFile(card)
		if err != nil {
			return err
		}
		req.Card = string(text)
	}
	x, err := r.client().PlanRerate(ctx, req)
	if err != nil {
		return err
	}
	if x, err = r.awaitRerate(ctx, e, x); err != nil {
		return err
	}
	return r.rerate(e, x, func(w io.Writer) {
		if x.State == "planned" && x.Changed > 0 && x.Prices == "in_force" {
			fmt.Fprintf(w, "\nnothing is changed yet: reeve cost rerate apply %s\n", x.ID)
		}
	})
}

// awaitRerate follows a job to its end and shows how far it is.
func (r *remote) awaitRerate(ctx context.Context, e env, x *client.Rerate) (*client.Rerate, error) {
	told := int64(-1)
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for x.State == "planning" || x.State == "applying" || x.State == "undoing" {
		if x.DaysDone != told {
			told = x.DaysDone
			fmt.Fprintf(e.stderr, "%s: %d of %d days\n", x.State, x.DaysDone, x.Days)
		}
		select {
		case <-ctx.Done():
			return x, context.Cause(ctx)
		case <-tick.C:
		}
		next, err := r.client().GetRerate(ctx, client.RerateRequest{ID: x.ID})
		if err != nil {
			return x, err
		}
		x = next
	}
	return x, nil
}

func (r *remote) rerate(e env, x *client.Rerate, more func(io.Writer)) error {
	err := r.print(e.stdout, x, func(w io.Writer) {
		fmt.Fprintf(w, "%s  %s, %s to %s: %d calls, %d given by their senders, %d differ; %s before, %s after (%d ms)\n", x.ID, x.State, x.From.Format(time.DateOnly), x.To.Format(time.DateOnly),
			x.Calls, x.Given, x.Changed, amount(x.Before, "USD"), amount(x.After, "USD"), x.TookMS)
		if len(x.Rows) > 0 {
			fmt.Fprintln(w, "PROVIDER\tMODEL\tCALLS\tDIFFER\tBEFORE\tAFTER\tNEWLY PRICED\tNO PRICE NOW")
			for _, row := range x.Rows {
				fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%s\t%d\t%d\n", show(word(row.Provider)), show(word(row.Model)), row.Calls, row.Changed, amount(row.Before, row.Currency), amount(row.After, row.Currency), row.NewlyKnown, row.NowUnknown)
			}
		}
		if more != nil {
			more(w)
		}
	})
	if err == nil && x.State == "failed" {
		return errors.New(x.Error)
	}
	return err
}

func runRerateList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if _, err := words(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListRerates(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tSTATE\tFROM\tTO\tCALLS\tDIFFER\tBEFORE\tAFTER")
		for _, x := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", x.ID, x.State, x.From.Format(time.DateOnly), x.To.Format(time.DateOnly), x.Calls, x.Changed, amount(x.Before, "USD"), amount(x.After, "USD"))
		}
	})
}

// rerateCommand is a command that names a rerate and follows it to its end.
func rerateCommand(do func(*client.Client, context.Context, client.RerateRequest) (*client.Rerate, error)) func(context.Context, env, *command, []string) error {
	return func(ctx context.Context, e env, c *command, args []string) error {
		var r remote
		fs := c.flags(e)
		r.bind(fs)
		id, err := oneWord(fs, args, "rerate")
		if err != nil {
			return err
		}
		x, err := do(r.client(), ctx, client.RerateRequest{ID: id})
		if err != nil {
			return err
		}
		if x, err = r.awaitRerate(ctx, e, x); err != nil {
			return err
		}
		return r.rerate(e, x, nil)
	}
}

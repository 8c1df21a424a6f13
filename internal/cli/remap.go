package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"reeve/client"
)

func remapCommands() []command {
	return []command{
		{name: "remap", args: "[flags]", short: "show what today's table would make otherwise of stored telemetry", long: remapHelp, run: runRemap},
		{name: "remap apply", args: "[flags] ID", short: "map the steps of a plan again", long: remapHelp, run: remapCommand((*client.Client).ApplyRemap)},
		{name: "remap show", args: "[flags] ID", short: "show a plan or what became of it", run: remapCommand((*client.Client).GetRemap)},
		{name: "remaps", args: "[flags]", short: "list what was, or would be, mapped again", run: runRemapList},
	}
}

const remapHelp = `
Which attribute of a span feeds which field is a table with a version, and steps keep
their attributes: what an older table made can be mapped again by today's. Without
--apply nothing changes: it tells how many steps of which version and dialect would
differ, in which fields, with examples. What today's table does not find stays.

  reeve remap                                # everything that an older table made
  reeve remap --from 2026-11-01 --to 2026-11-08
  reeve remap --all                          # steps of today's version too
  reeve remap --apply                        # plan, then change what differs
  reeve remap apply rmp_...                  # change what a plan showed

The server does the work: it goes on when this command ends or the server restarts,
and can be asked for again (reeve remap show rmp_...). It cannot be undone: what
becomes content leaves the attributes. Needs the role admin.`

func runRemap(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var from, to string
	var apply bool
	var req client.PlanRemapRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&from, "from", "", "steps that began then or later: a day or an RFC 3339 time (default: the oldest)")
	fs.StringVar(&to, "to", "", "steps that began before: a day or an RFC 3339 time (default: all)")
	fs.BoolVar(&req.All, "all", false, "also steps that today's version of the table made")
	fs.BoolVar(&apply, "apply", false, "change what differs")
	if err := parse(fs, args); err != nil {
		return err
	}
	for _, x := range [...]struct {
		name, text string
		to         **time.Time
	}{{"from", from, &req.From}, {"to", to, &req.To}} {
		if x.text == "" {
			continue
		}
		at, err := time.Parse(time.DateOnly, x.text)
		if err != nil {
			if at, err = time.Parse(time.RFC3339, x.text); err != nil {
				return fmt.Errorf("%w: --%s is a day (2026-11-03) or a time (2026-11-03T10:00:00Z), not %.40q", errUsage, x.name, x.text)
			}
		}
		*x.to = &at
	}
	x, err := r.client().PlanRemap(ctx, req)
	if err == nil {
		x, err = r.awaitRemap(ctx, e, x)
	}
	if err != nil {
		return err
	}
	if apply && x.State == "planned" && x.Changed > 0 {
		if x, err = r.client().ApplyRemap(ctx, client.RemapRequest{ID: x.ID}); err == nil {
			x, err = r.awaitRemap(ctx, e, x)
		}
		if err != nil {
			return err
		}
	}
	return r.remap(e, x)
}

// awaitRemap follows a job to its end and shows how far it is.
func (r *remote) awaitRemap(ctx context.Context, e env, x *client.Remap) (*client.Remap, error) {
	told := ""
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for x.State == "planning" || x.State == "applying" {
		if now := fmt.Sprintf("%s: %d of %d days, %d runs", x.State, x.DaysDone, x.Days, x.RunsDone); now != told {
			told = now
			fmt.Fprintln(e.stderr, now)
		}
		select {
		case <-ctx.Done():
			return x, context.Cause(ctx)
		case <-tick.C:
		}
		next, err := r.client().GetRemap(ctx, client.RemapRequest{ID: x.ID})
		if err != nil {
			return x, err
		}
		x = next
	}
	return x, nil
}

func (r *remote) remap(e env, x *client.Remap) error {
	err := r.print(e.stdout, x, func(w io.Writer) {
		fmt.Fprintf(w, "%s  %s, %s to %s, table %d: %d steps of other tables, %d differ", x.ID, x.State, x.From.Format(time.DateOnly), x.To.Format(time.DateOnly), x.Version, x.Steps, x.Changed)
		if x.State == "applied" || x.Applied > 0 {
			fmt.Fprintf(w, ", %d changed", x.Applied)
		}
		fmt.Fprintf(w, " (%d ms)\n", x.TookMS)
		if x.Failed > 0 {
			fmt.Fprintf(w, "%d runs cannot be read and stay as they are: %s\n", x.Failed, word(x.Error))
		}
		if len(x.Rows) > 0 {
			fmt.Fprintln(w, "\nDIALECT\tTABLE\tSTEPS\tDIFFER")
			for _, row := range x.Rows {
				fmt.Fprintf(w, "%s\t%d\t%d\t%d\n", show(word(row.Dialect)), row.Version, row.Steps, row.Changed)
			}
		}
		if len(x.Fields) > 0 {
			fmt.Fprintln(w, "\nFIELD\tSTEPS\tBEFORE\tAFTER\tSTEP")
			for _, f := range x.Fields {
				for i, ex := range f.Examples {
					name, n := f.Field, fmt.Sprint(f.Steps)
					if i > 0 {
						name, n = "", ""
					}
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s %s\n", name, n, show(word(ex.Before)), show(word(ex.After)), ex.Step, word(ex.Name))
				}
			}
		}
		if x.State == "planned" && x.Changed > 0 {
			fmt.Fprintf(w, "\nnothing is changed yet: reeve remap apply %s\n", x.ID)
		}
	})
	if err == nil && x.State == "failed" {
		return errors.New(x.Error)
	}
	return err
}

func runRemapList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListRemaps(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tSTATE\tFROM\tTO\tTABLE\tSTEPS\tDIFFER\tCHANGED\tBY")
		for _, x := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n", x.ID, x.State, x.From.Format(time.DateOnly), x.To.Format(time.DateOnly), x.Version, x.Steps, x.Changed, x.Applied, word(x.Person))
		}
	})
}

// remapCommand is a command that names a remap and follows it to its end.
func remapCommand(do func(*client.Client, context.Context, client.RemapRequest) (*client.Remap, error)) func(context.Context, env, *command, []string) error {
	return func(ctx context.Context, e env, c *command, args []string) error {
		var r remote
		fs := c.flags(e)
		r.bind(fs)
		id, err := oneWord(fs, args, "remap")
		if err != nil {
			return err
		}
		x, err := do(r.client(), ctx, client.RemapRequest{ID: id})
		if err == nil {
			x, err = r.awaitRemap(ctx, e, x)
		}
		if err != nil {
			return err
		}
		return r.remap(e, x)
	}
}

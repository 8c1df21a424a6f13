package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"

	"reeve/client"
)

func budgetCommands() []command {
	return []command{
		{name: "budget list", args: "[flags]", short: "list budgets with what is spent of them", run: runBudgetList},
		{name: "budget get", args: "[flags] NAME", short: "show a budget with each one's share", run: runBudgetGet},
		{name: "budget set", args: "[flags] NAME", short: "make or change a budget", long: budgetHelp, run: runBudgetSet},
		{name: "budget delete", args: "[flags] NAME", short: "remove a budget", run: runBudgetDelete},
	}
}

const budgetHelp = `
A budget bounds what is spent in a period, in UTC. Before each call its upper
bound is reserved in every budget that matches; afterwards what was not used is
given back. A hard budget refuses what does not fit, another one only warns at
80 and 100 percent. Flags that are not given keep what is there; what was spent
stays, unless --for, --unit, --per or --team change.

  reeve budget set daily --for "agent=*" --unit money --limit 25 --per day --hard
  reeve budget set core-month --for team=core --unit tokens --limit 2e9 --per month --hard
  reeve budget set own --team core --for "user=*" --unit calls --limit 500 --per hour

With --team the budget counts that team's agents alone, and the team's
developers may set it; without, it holds for the whole house and needs
security.`

func runBudgetSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutBudgetRequest
	var whom string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&whom, "for", "", `whose spending: agent=NAME, user=NAME, task=NAME, team=NAME; "*" gives each its own`)
	fs.StringVar(&in.Unit, "unit", "", "tokens, money or calls")
	fs.Float64Var(&in.Limit, "limit", 0, "how much; money in US dollars")
	fs.StringVar(&in.Period, "per", "", "hour, day, week, month or total")
	fs.BoolVar(&in.Hard, "hard", false, "refuse what goes beyond; else warn")
	fs.StringVar(&in.Team, "team", "", "count this team's agents alone")
	name, err := oneWord(fs, args, "budget")
	if err != nil {
		return err
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	old, err := r.client().GetBudget(ctx, client.BudgetRequest{Name: name})
	var problem *client.Problem
	switch {
	case err == nil:
		in = mergedBudget(in, old, given)
	case errors.As(err, &problem) && problem.Code == "budget.not_found":
	default:
		return err
	}
	in.Name = name
	if given["for"] {
		var ok bool
		if in.Scope, in.Match, ok = strings.Cut(whom, "="); !ok {
			return fmt.Errorf("%w: --for %q is not agent=NAME, user=NAME, task=NAME or team=NAME", errUsage, whom)
		}
	}
	b, err := r.client().PutBudget(ctx, in)
	if err != nil {
		return err
	}
	return r.print(e.stdout, b, func(w io.Writer) {
		fmt.Fprintf(w, "budget %s is at revision %d: %s\n", b.Name, b.Revision, budgetText(b))
	})
}

func mergedBudget(in client.PutBudgetRequest, old *client.Budget, given map[string]bool) client.PutBudgetRequest {
	out := client.PutBudgetRequest{
		Scope: old.Scope, Match: old.Match, Unit: old.Unit, Limit: old.Limit, Currency: old.Currency, Period: old.Period, Hard: old.Hard,
		Team: old.Team, Revision: old.Revision,
	}
	for name, set := range map[string]func(){
		"unit": func() { out.Unit, out.Currency = in.Unit, "" }, "limit": func() { out.Limit = in.Limit }, "per": func() { out.Period = in.Period },
		"hard": func() { out.Hard = in.Hard }, "team": func() { out.Team = in.Team },
	} {
		if given[name] {
			set()
		}
	}
	return out
}

func budgetAmount(unit, currency string, v float64) string {
	if unit == "money" {
		return strconv.FormatFloat(v, 'f', 2, 64) + " " + currency
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

func budgetText(b *client.Budget) string {
	end := "warns beyond it"
	if b.Hard {
		end = "refuses beyond it"
	}
	return fmt.Sprintf("%s %s in a %s for %s %s, %s", budgetAmount(b.Unit, b.Currency, b.Limit), b.Unit, b.Period, b.Scope, b.Match, end)
}

func runBudgetList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListBudgets(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tFOR\tTEAM\tUNIT\tLIMIT\tPER\tHARD\tSPENT\tRESERVED\tFULLEST\tRESETS")
		for _, b := range list.Items {
			fullest, resets := "", ""
			if b.Fullest != nil {
				fullest = b.Fullest.Key + " " + budgetAmount(b.Unit, b.Currency, b.Fullest.Spent+b.Fullest.Reserved)
			}
			if b.ResetsAt != nil {
				resets = b.ResetsAt.Format("2006-01-02 15:04Z")
			}
			fmt.Fprintf(w, "%s\t%s=%s\t%s\t%s\t%s\t%s\t%t\t%s\t%s\t%s\t%s\n", b.Name, b.Scope, word(b.Match), word(b.Team), b.Unit, budgetAmount(b.Unit, b.Currency, b.Limit), b.Period, b.Hard,
				budgetAmount(b.Unit, b.Currency, b.Spent), budgetAmount(b.Unit, b.Currency, b.Reserved), word(fullest), word(resets))
		}
	})
}

func runBudgetGet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "budget")
	if err != nil {
		return err
	}
	b, err := r.client().GetBudget(ctx, client.BudgetRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, b, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s\n", b.Name, budgetText(b))
		fmt.Fprintf(w, "spent %s, reserved %s", budgetAmount(b.Unit, b.Currency, b.Spent), budgetAmount(b.Unit, b.Currency, b.Reserved))
		if b.UnknownCalls > 0 {
			fmt.Fprintf(w, ", and %d calls of which nobody knows what they came to", b.UnknownCalls)
		}
		if b.ResetsAt != nil {
			fmt.Fprintf(w, "; counted anew at %s", b.ResetsAt.Format("2006-01-02 15:04 UTC"))
		}
		fmt.Fprintln(w)
		if len(b.Shares) > 0 {
			fmt.Fprintln(w, "SHARE\tSPENT\tRESERVED")
			for _, s := range b.Shares {
				fmt.Fprintf(w, "%s\t%s\t%s\n", word(s.Key), budgetAmount(b.Unit, b.Currency, s.Spent), budgetAmount(b.Unit, b.Currency, s.Reserved))
			}
		}
	})
}

func runBudgetDelete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "budget")
	if err != nil {
		return err
	}
	if err := r.client().DeleteBudget(ctx, client.BudgetRequest{Name: name}); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "budget %s is removed: what it bounded is bounded no more\n", name)
	return nil
}

package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"reeve/client"
)

func mapCommands() []command {
	return []command{
		{name: "map", args: "[flags]", short: "show who depends on what, as it was observed", long: mapHelp, run: runMap},
		{name: "map blast", args: "[flags] NODE", short: "say what a node of the map would take down", long: mapHelp, run: runMapBlast},
	}
}

const mapHelp = `
Who depends on what, as it was observed: agents, the tools, models and servers
they call, the sources they read, the agents they hand work to. A line is an
edge; counts marked "d" are of whole days (UTC), "-" was not counted.

  reeve map                                   the last day
  reeve map --from -7d --team support
  reeve map blast tool:orders/lookup          what would this take down?
  reeve map blast model:gpt-4o --from -7d

The ids of nodes are what reeve map prints: kind:name, a tool's with its server.`

func runMap(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.MapRequest
	var trouble bool
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.From, "from", "-24h", "start of the period: RFC 3339 or a distance from now")
	fs.StringVar(&req.To, "to", "", "end of the period")
	fs.StringVar(&req.Environment, "environment", "", "only this environment")
	fs.StringVar(&req.Team, "team", "", "only this team")
	fs.IntVar(&req.Limit, "limit", 600, "at most so many nodes, those in trouble and the busiest first")
	fs.BoolVar(&trouble, "trouble", false, "list what is in trouble instead of the edges")
	if err := parse(fs, args); err != nil {
		return err
	}
	m, err := r.client().GetMap(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, m, func(w io.Writer) {
		if trouble {
			printTrouble(w, m.Nodes)
		} else {
			fmt.Fprintln(w, "FROM\tTO\tCOUNT\tERRORS\tP95\tSTATE\tLAST SEEN")
			for _, x := range m.Edges {
				n := number(x.Count)
				if x.ByDay {
					n += " d"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", word(x.From), word(x.To), n, number(x.Errors), millis(x.P95MS), x.State, when(&x.Last))
			}
		}
		fmt.Fprintf(w, "\n%s\n", word(m.Text))
	})
}

func printTrouble(w io.Writer, nodes []client.MapNode) {
	fmt.Fprintln(w, "NODE\tSTATE\tWHAT\tWHY")
	for _, n := range nodes {
		for _, t := range n.Trouble {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", word(n.ID), t.Level, t.Kind, word(t.Text))
		}
	}
}

func number(n *int64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

func runMapBlast(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.BlastRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.From, "from", "-24h", "start of the period: RFC 3339 or a distance from now")
	fs.StringVar(&req.To, "to", "", "end of the period")
	fs.StringVar(&req.Environment, "environment", "", "only this environment")
	fs.StringVar(&req.Team, "team", "", "only this team")
	var err error
	if req.Node, err = oneWord(fs, args, "node"); err != nil {
		return err
	}
	b, err := r.client().GetBlast(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, b, func(w io.Writer) {
		fmt.Fprintf(w, "%s\n\n", word(b.Text))
		printReach(w, "used it", b.Touched)
		printReach(w, "at risk", b.AtRisk)
		for _, t := range b.Teams {
			fmt.Fprintf(w, "tell\tteam %s, %d of its agents\n", word(t.Team), t.Agents)
		}
		for _, i := range b.Incidents {
			fmt.Fprintf(w, "open\tincident %d, %s: %s (on %s)\n", i.Number, i.Severity, word(i.Title), word(i.On))
		}
		fmt.Fprintln(w, "\nWHICH\tNODE\tSTATE\tEDGES\tTEAM\tOWNER")
		printHops(w, "needs it", b.Dependents)
		printHops(w, "it needs", b.Dependencies)
	})
}

func printHops(w io.Writer, which string, list []client.BlastNode) {
	for _, n := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", which, word(n.ID), n.State, n.Distance, word(n.Team), word(n.Owner))
	}
}

func printReach(w io.Writer, name string, b client.BlastReach) {
	if b.Runs == nil {
		fmt.Fprintf(w, "%s\tunknown: no search tells its runs\n", name)
		return
	}
	var parts []string
	parts = append(parts, fmt.Sprintf("%d runs, %s failed", *b.Runs, number(b.Failed)))
	if b.Users == nil {
		parts = append(parts, "users unknown")
	} else {
		parts = append(parts, fmt.Sprintf("%d users", *b.Users))
	}
	if b.Cost == nil {
		parts = append(parts, "cost unknown")
	} else {
		parts = append(parts, fmt.Sprintf("cost %.2f", *b.Cost))
	}
	fmt.Fprintf(w, "%s\t%s\t(%s)\n", name, strings.Join(parts, ", "), word(b.Query))
}

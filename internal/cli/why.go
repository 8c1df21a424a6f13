package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"reeve/client"
)

func whyCommands() []command {
	return []command{
		{name: "run why", args: "[flags] RUN", short: "say why a run ended as it did, and what of that is unknown", long: whyHelp, run: runRunWhy},
		{name: "incident why", args: "[flags] INCIDENT", short: "say why an incident came about, by its runs and by what its agents stand on", long: incidentWhyHelp, run: runIncidentWhy},
	}
}

const whyHelp = `
Draws what the outcome of a run stands on (data, models, reasoning steps, entitlements,
rules, with their versions) and ranks what is likely to have caused it: what a record
speaks against, leaf first. What no record tells is said to be unknown, with what would
supply it; then nothing else is named as the cause. A run that did not fail, and of
which nobody complained, has none.

  reeve run why run_0123...
  reeve run why run_0123... --format prov > why.prov.json     W3C PROV-JSON`

func runRunWhy(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	format := fs.String("format", "", "prov: the graph as W3C PROV-JSON")
	id, err := oneWord(fs, args, "run")
	if err != nil {
		return err
	}
	switch *format {
	case "":
	case "prov":
		doc, err := r.client().RunProv(ctx, id)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(e.stdout, string(doc))
		return err
	default:
		return fmt.Errorf("%w: --format is prov, or left out", errUsage)
	}
	out, err := r.client().GetRunWhy(ctx, client.WhyRequest{ID: id})
	if err != nil {
		return err
	}
	return r.print(e.stdout, out, func(w io.Writer) {
		fmt.Fprintln(w, word(out.Sentence))
		printCauses(w, "LIKELY", out.Causes)
		printCauses(w, "POSSIBLE", out.Possible)
		printCauses(w, "UPSTREAM, BY FIGURES OF ALL RUNS", out.Upstream)
		printUnknown(w, out.Unknown)
		printNotes(w, out.RuledOut)
		printBlast(w, out.Blast)
	})
}

const incidentWhyHelp = `
Asks of the runs that an incident's signals name why each ended as it did (see reeve run
why), puts the answers together, and ranks what its agents stand on by what left its
ordinary range with the symptom: leaf first, by changes shortly before and by what began
first.`

func runIncidentWhy(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "incident")
	if err != nil {
		return err
	}
	out, err := r.client().GetIncidentWhy(ctx, client.IncidentRequest{ID: id})
	if err != nil {
		return err
	}
	return r.print(e.stdout, out, func(w io.Writer) {
		fmt.Fprintf(w, "%s (%d of %d runs were looked at)\n", word(out.Sentence), len(out.RunIDs), out.OfRuns)
		printCauses(w, "LIKELY", out.Causes)
		printCauses(w, "POSSIBLE", out.Possible)
		printCauses(w, "UPSTREAM, BY FIGURES OF ALL RUNS", out.Upstream)
		printUnknown(w, out.Unknown)
		printNotes(w, out.RuledOut)
		printBlast(w, out.Blast)
	})
}

func printCauses(w io.Writer, title string, causes []client.WhyCause) {
	if len(causes) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\tKIND\tWHAT\tWHY\n", title)
	for _, c := range causes {
		fmt.Fprintf(w, "%.0f %%\t%s\t%s\t%s\n", 100*c.Score, c.Kind, word(c.Name), word(strings.Join(c.Reasons, "; ")))
	}
}

func printUnknown(w io.Writer, all []client.WhyUnknown) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintln(w, "\nUNKNOWN\tMAY BE THE CAUSE\tWHAT\tWHAT WOULD TELL")
	for _, u := range all {
		may := "no"
		if u.Blocks {
			may = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", u.Kind, may, word(u.Text), u.Supply)
	}
}

func printNotes(w io.Writer, all []client.WhyNote) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintln(w, "\nRULED OUT\tWHAT")
	for _, n := range all {
		fmt.Fprintf(w, "%s\t%s\n", n.Kind, word(n.Text))
	}
}

func printBlast(w io.Writer, b *client.WhyBlast) {
	if b == nil {
		return
	}
	fmt.Fprintf(w, "\nREACHED\t%s\n", word(b.Sentence))
	fmt.Fprintf(w, "records changed\t%d\n", len(b.Records))
	if b.Search != "" {
		fmt.Fprintf(w, "its runs\treeve run list '%s' --from %s\n", b.Search, b.From.Format("2006-01-02T15:04:05Z"))
	}
}

package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"reeve/client"
)

func decisionCommands() []command {
	return []command{
		{name: "decision list", args: "[flags]", short: "list what was decided of proposed actions", long: decisionListHelp, run: runDecisionList},
		{name: "decision get", args: "ID", short: "say why an action was allowed, held or denied", run: runDecisionGet},
		{name: "decision show", args: "ID", short: "the same as decision get", run: runDecisionGet},
		{name: "decision tail", args: "[flags]", short: "follow decisions as they are recorded", long: tailHelp, run: runDecisionTail},
		{name: "siem status", args: "", short: "show where records stream to, and how that goes", run: runSIEMStatus},
	}
}

const decisionListHelp = `
Lists what was decided of proposed actions, the newest first, pending ones
included. Values separated by commas are alternatives; -q takes the search
language (docs/search.md).

  reeve decision list --verdict deny,hold --from -1h
  reeve decision list --would deny --enforced false        what enforcing would refuse
  reeve decision list --agent refund-agent -q 'latency>1s'`

// bindDecisions are the flags that list and tail share.
func bindDecisions(req *client.ListDecisionsRequest) map[string]*string {
	return map[string]*string{
		"agent": &req.Agent, "verdict": &req.Verdict, "would": &req.Would, "enforced": &req.Enforced, "action": &req.Action, "tool": &req.Tool,
		"upstream": &req.Upstream, "code": &req.Code, "result": &req.Result, "run": &req.Run, "session": &req.Session, "user": &req.User, "team": &req.Team,
		"q": &req.Query, "from": &req.From, "to": &req.To,
	}
}

func runDecisionList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListDecisionsRequest
	fs := c.flags(e)
	r.bind(fs)
	for name, into := range bindDecisions(&req) {
		fs.StringVar(into, name, "", "only with this "+name)
	}
	fs.IntVar(&req.Limit, "limit", 50, "how many")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListDecisions(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "AT\tVERDICT\tWHY\tAGENT\tACTION\tRESOURCE\tRESULT\tMS\tID")
		for i := range list.Items {
			printDecision(w, &list.Items[i])
		}
	})
}

// verdictText shows what observing hides.
func verdictText(d *client.Decision) string {
	if d.Verdict != d.Would {
		return d.Verdict + " (would " + d.Would + ")"
	}
	return d.Verdict
}

func why(d *client.Decision) string {
	if len(d.Reasons) == 0 {
		return "-"
	}
	return d.Reasons[0].Code
}

func printDecision(w io.Writer, d *client.Decision) {
	ms := "-"
	if d.LatencyUS != nil {
		ms = fmt.Sprintf("%.1f", float64(*d.LatencyUS)/1000)
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", when(&d.At), verdictText(d), word(why(d)), word(d.Agent), word(d.Action), word(d.Resource), word(d.Result), ms, d.ID)
}

func runDecisionGet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "decision")
	if err != nil {
		return err
	}
	d, err := r.client().GetDecision(ctx, client.IDRequest{ID: id})
	if err != nil {
		return err
	}
	return r.print(e.stdout, d, func(w io.Writer) {
		line := func(name, value string) {
			if value != "" {
				fmt.Fprintf(w, "%s\t%s\n", name, value)
			}
		}
		line("decision", d.ID)
		line("at", when(&d.At))
		line("agent", strings.Join(append([]string{d.Agent}, d.OnBehalfOf...), " for "))
		line("user", strings.TrimSpace(d.User+" "+d.UserName))
		line("action", d.Action+" "+d.Resource+" ("+d.Effect+")")
		line("verdict", verdictText(d))
		line("floor", d.Floor)
		for _, x := range d.Reasons {
			line("why", x.Code+": "+x.Text)
		}
		for _, x := range d.Policies {
			line("policy", x.Policy+"/"+x.Statement+" "+x.Hash)
		}
		line("credential", strings.TrimSpace(d.Credential+" "+d.CredentialID))
		line("run", d.RunID)
		line("session", d.Session)
		line("result", strings.TrimSpace(d.Result+" "+d.ErrorCode))
		if d.LatencyUS != nil {
			line("took", (time.Duration(*d.LatencyUS) * time.Microsecond).String())
		}
		if d.Seq != nil {
			line("record", fmt.Sprint(*d.Seq))
		}
		line("context", string(d.Context))
	})
}

const tailHelp = `
Follows decisions as they are recorded, until interrupted. Takes the filters of
reeve decision list.

  reeve decision tail --verdict deny`

func runDecisionTail(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListDecisionsRequest
	fs := c.flags(e)
	r.bind(fs)
	for name, into := range bindDecisions(&req) {
		if name != "from" && name != "to" {
			fs.StringVar(into, name, "", "only with this "+name)
		}
	}
	if err := parse(fs, args); err != nil {
		return err
	}
	// The newest page again and again: what is on it and was not shown is new.
	// Beyond a page between two looks the oldest are left out.
	req.Limit, req.From = 200, time.Now().UTC().Format(time.RFC3339)
	shown := map[string]bool{}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		list, err := r.client().ListDecisions(ctx, req)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		now := map[string]bool{}
		for i := len(list.Items) - 1; i >= 0; i-- {
			d := &list.Items[i]
			now[d.ID] = true
			if shown[d.ID] {
				continue
			}
			if err := r.print(e.stdout, d, func(w io.Writer) { printDecision(w, d) }); err != nil {
				return err
			}
		}
		shown = now
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func runSIEMStatus(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListSIEMTargets(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tKIND\tWHERE\tSENT\tBEHIND\tSTATE")
		for _, t := range list.Items {
			behind, state := int64(0), "ok"
			for _, n := range t.Behind {
				behind += n
			}
			if t.FailingSince != nil {
				state = "failing since " + when(t.FailingSince) + ": " + t.Error
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\n", word(t.Name), word(t.Kind), word(t.Where), t.Sent, behind, state)
		}
	})
}

package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"reeve/client"
)

func fleetCommands() []command {
	return []command{
		{name: "agent summary", args: "[flags] NAME", short: "answer whether an agent may go on", run: runAgentSummary},
		{name: "agent inventory", args: "[flags] NAME | --diff NAME FROM TO", short: "list what an agent was observed to use, or how that changed", long: inventoryHelp, run: runAgentInventory},
		{name: "agent part", args: "[flags] NAME KIND PART", short: "approve something that an agent uses", run: runAgentPart},
		{name: "agent versions", args: "[flags] NAME", short: "list what an agent was observed to be made of", run: runAgentVersions},
		{name: "agent approve", args: "[flags] NAME VERSION", short: "approve a version of an agent", run: runAgentApprove},
		{name: "agent timeline", args: "[flags] NAME", short: "list what happened to an agent", run: runAgentTimeline},
		{name: "agent match", args: "[flags]", short: "say which agent telemetry would be matched to, and why", run: runAgentMatch},
		{name: "agent unknown", args: "[flags]", short: "list agents that were seen and are not registered", long: unknownHelp, run: runAgentUnknown},
		{name: "agent register", args: "[flags] UNKNOWN", short: "register an unknown agent, in observe", run: runAgentRegister},
		{name: "agent adopt", args: "[flags] UNKNOWN...|--all", short: "register unknown agents together, in observe", run: runAgentAdopt},
		{name: "agent merge", args: "[flags] UNKNOWN|AGENT AGENT", short: "say that an unknown or registered agent is another one", run: runAgentMergeUnknown},
		{name: "agent unmerge", args: "[flags] AGENT", short: "take the merge of two registered agents back", run: runAgentUnmerge},
		{name: "agent block", args: "[flags] UNKNOWN", short: "refuse an unknown agent's name at the door", run: runAgentBlock},
		{name: "agent dismiss", args: "[flags] UNKNOWN", short: "take an unknown agent off the list", run: runAgentDismiss},
		{name: "agent undo", args: "[flags] UNKNOWN", short: "take back what was decided of an unknown agent", run: runAgentUndo},
		{name: "standard show", args: "[flags]", short: "print the standard that agents keep to", long: standardHelp, run: runStandardShow},
		{name: "standard conformance", args: "[flags]", short: "count by team how many agents keep to the standard", run: runStandardConformance},
		{name: "standard waive", args: "[flags] AGENT RULE", short: "let an agent break a rule until a date", run: runStandardWaive},
		{name: "standard unwaive", args: "[flags] AGENT RULE", short: "end a waiver", run: runStandardUnwaive},
		{name: "standard waivers", args: "[flags]", short: "list the waivers that hold", run: runStandardWaivers},
	}
}

const unknownHelp = `
Agents that telemetry or calls name and that nobody registered, the last seen
first. One that may be a registered agent under another name shows which.

  reeve agent unknown                              what is open
  reeve agent register unk_... --reason "ours"     make it an agent, in observe
  reeve agent merge unk_... refund --reason "its new name"
  reeve agent block unk_... --reason "not ours"    refuse the name at the door
  reeve agent dismiss unk_... --reason "a test"
  reeve agent undo unk_... --reason "a mistake"    take any of these back
  reeve agent adopt --all                          register all that are open`

func runAgentUnknown(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListUnknownAgentsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.State, "state", "open", "open, registered, merged, blocked, dismissed or all")
	fs.StringVar(&req.Team, "team", "", "only this team")
	fs.IntVar(&req.Limit, "limit", 200, "at most so many")
	fs.StringVar(&req.Cursor, "cursor", "", "where the page before ended")
	if err := parse(fs, args); err != nil {
		return err
	}
	page, err := r.client().ListUnknownAgents(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, page, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tNAME\tTEAM\tENVIRONMENT\tWHERE\tLAST SEEN\tSEEN\tSTATE\tMAY BE\tWHY")
		for _, u := range page.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", u.ID, word(u.Name), word(u.Team), word(u.Environment), u.Where, when(&u.LastSeen), u.Seen, u.State,
				word(strings.Join(u.Candidates, ",")), word(u.Why))
		}
		if page.Next != "" {
			fmt.Fprintf(w, "\nmore: --cursor %s\n", page.Next)
		}
	})
}

func runAgentRegister(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.RegisterUnknownRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Name, "name", "", "name in the register; empty: its own, as far as it can be one")
	fs.StringVar(&req.Team, "team", "", "team that answers for it; only when it came without one")
	fs.StringVar(&req.Owner, "owner", "", "a person's name; empty: you")
	fs.StringVar(&req.Sponsor, "sponsor", "", "who answers for it on the business side")
	fs.StringVar(&req.Purpose, "purpose", "", "what it is for")
	fs.StringVar(&req.Enforcement, "enforcement", "observe", "observe or enforce")
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	var err error
	if req.ID, err = oneWord(fs, args, "unknown agent"); err != nil {
		return err
	}
	a, err := r.client().RegisterUnknownAgent(ctx, req)
	return r.agent(e, a, err)
}

func (r *remote) unknown(e env, u *client.UnknownAgent, err error) error {
	if err != nil {
		return err
	}
	return r.print(e.stdout, u, func(w io.Writer) {
		fmt.Fprintf(w, "unknown agent\t%s\nname\t%s\nstate\t%s\n", u.ID, word(u.Name), u.State)
		if u.Agent != "" {
			fmt.Fprintf(w, "agent\t%s\n", u.Agent)
		}
	})
}

func runAgentMergeUnknown(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.MergeUnknownRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record (needed)")
	var err error
	if req.ID, req.Into, err = twoWords(fs, args, "an unknown agent, or an agent, and the agent that it is"); err != nil {
		return err
	}
	if !strings.HasPrefix(req.ID, "unk_") {
		a, err := r.client().MergeAgent(ctx, client.MergeAgentRequest{Name: req.ID, Into: req.Into, Reason: req.Reason})
		return r.agent(e, a, err)
	}
	u, err := r.client().MergeUnknownAgent(ctx, req)
	return r.unknown(e, u, err)
}

func runAgentUnmerge(ctx context.Context, e env, c *command, args []string) error {
	return runAgentReason(ctx, e, c, args, (*client.Client).UnmergeAgent)
}

func runAgentBlock(ctx context.Context, e env, c *command, args []string) error {
	return runUnknownReason(ctx, e, c, args, (*client.Client).BlockUnknownAgent)
}

func runAgentDismiss(ctx context.Context, e env, c *command, args []string) error {
	return runUnknownReason(ctx, e, c, args, (*client.Client).DismissUnknownAgent)
}

func runAgentUndo(ctx context.Context, e env, c *command, args []string) error {
	return runUnknownReason(ctx, e, c, args, (*client.Client).UndoUnknownAgent)
}

func runUnknownReason(ctx context.Context, e env, c *command, args []string, act func(*client.Client, context.Context, client.UnknownReasonRequest) (*client.UnknownAgent, error)) error {
	var r remote
	var req client.UnknownReasonRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record (needed)")
	var err error
	if req.ID, err = oneWord(fs, args, "unknown agent"); err != nil {
		return err
	}
	u, err := act(r.client(), ctx, req)
	return r.unknown(e, u, err)
}

func runAgentAdopt(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.AdoptAgentsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.BoolVar(&req.All, "all", false, "every open one that you may see")
	fs.StringVar(&req.Team, "team", "", "team of those that came without one")
	fs.StringVar(&req.Owner, "owner", "", "a person's name; empty: you")
	fs.StringVar(&req.Sponsor, "sponsor", "", "who answers for them on the business side")
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	ids, err := words(fs, args)
	if err != nil {
		return err
	}
	if req.IDs = ids; (len(ids) > 0) == req.All {
		return fmt.Errorf("%w: name unknown agents, or say --all", errUsage)
	}
	out, err := r.client().AdoptAgents(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, out, func(w io.Writer) {
		for _, a := range out.Adopted {
			fmt.Fprintf(w, "adopted\t%s\t%s\n", a.Name, word(a.Team))
		}
		for _, s := range out.Skipped {
			fmt.Fprintf(w, "skipped\t%s\t%s\n", word(s.Name), word(s.Why))
		}
	})
}

const inventoryHelp = `
What an agent was observed to use: prompts, models, tools, servers, sources,
datasets, policies, jobs, peers and code. KNOWN says whether the house knows it:
an upstream offers it, it is registered, or a person approved it.

  reeve agent inventory refund
  reeve agent inventory refund --from 2026-11-01 --to 2026-11-30
  reeve agent inventory refund --diff 2026-11-01 2026-11-27   what came and went
  reeve agent inventory refund -o cyclonedx > refund.cdx.json
  reeve agent part refund tool refund_order --reason "ours"   approve a part`

func runAgentInventory(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.InventoryRequest
	var diff bool
	var days int
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.From, "from", "", "only what was used from this day on")
	fs.StringVar(&req.To, "to", "", "only what was used to this day")
	fs.BoolVar(&diff, "diff", false, "compare two dates, given behind the agent")
	fs.IntVar(&days, "days", 7, "with --diff: how many days before a date it stands for")
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	if want := map[bool]int{false: 1, true: 3}[diff]; len(list) != want {
		return fmt.Errorf("%w: give an agent, or with --diff an agent and two dates", errUsage)
	}
	req.Name = list[0]
	if diff {
		changes, err := r.client().AgentInventoryChanges(ctx, client.InventoryChangesRequest{Name: req.Name, From: list[1], To: list[2], Days: days})
		if err != nil {
			return err
		}
		return r.print(e.stdout, changes, func(w io.Writer) {
			fmt.Fprintln(w, "CHANGE\tKIND\tNAME\tDETAIL\tBEFORE\tAFTER\tKNOWN")
			for _, i := range changes.Items {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\n", i.Change, i.Kind, word(i.Name), word(i.Detail), i.Before, i.After, yes(i.Known))
			}
		})
	}
	if r.output == "cyclonedx" {
		doc, err := r.client().AgentBOM(ctx, req)
		if err != nil {
			return err
		}
		r.output = "json"
		return r.print(e.stdout, doc, nil)
	}
	inv, err := r.client().AgentInventory(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, inv, func(w io.Writer) {
		fmt.Fprintln(w, "KIND\tNAME\tDETAIL\tKNOWN\tUSES\tFIRST SEEN\tLAST SEEN")
		for _, i := range inv.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", i.Kind, word(i.Name), word(i.Detail), yes(i.Known), i.Seen, when(i.FirstSeen), when(i.LastSeen))
		}
		if inv.LeftOut > 0 {
			fmt.Fprintf(w, "\n%d uses of further parts are counted and not listed\n", inv.LeftOut)
		}
	})
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func runAgentPart(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ApprovePartRequest
	var withdraw bool
	fs := c.flags(e)
	r.bind(fs)
	fs.BoolVar(&withdraw, "withdraw", false, "say that it is known no longer")
	fs.StringVar(&req.Reason, "reason", "", "why, for the record (needed)")
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(list) != 3 {
		return fmt.Errorf("%w: give an agent, a kind and a name", errUsage)
	}
	known := !withdraw
	req.Name, req.Kind, req.Part, req.Known = list[0], list[1], list[2], &known
	if err := r.client().ApproveAgentPart(ctx, req); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s %s of %s is %s\n", req.Kind, word(req.Part), req.Name, map[bool]string{true: "known", false: "known no longer"}[known])
	return nil
}

func runAgentVersions(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "agent")
	if err != nil {
		return err
	}
	list, err := r.client().ListAgentVersions(ctx, client.AgentRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "VERSION\tCHANGED\tFIRST SEEN\tLAST SEEN\tAPPROVED\tMODELS\tCODE")
		for _, v := range list.Items {
			hash := v.Hash
			if v.Current {
				hash += " (now)"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", hash, word(strings.Join(v.Changed, ",")), when(&v.FirstSeen), when(&v.LastSeen), word(v.ApprovedBy),
				word(strings.Join(v.MadeOf["model"], ",")), word(strings.Join(v.MadeOf["code"], ",")))
		}
	})
}

func runAgentApprove(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ApproveVersionRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record (needed)")
	var err error
	if req.Name, req.Hash, err = twoWords(fs, args, "an agent and a version"); err != nil {
		return err
	}
	v, err := r.client().ApproveAgentVersion(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, v, func(w io.Writer) { fmt.Fprintf(w, "version %s of %s is approved\n", v.Hash, req.Name) })
}

func runAgentTimeline(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "agent")
	if err != nil {
		return err
	}
	list, err := r.client().AgentTimeline(ctx, client.AgentRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "AT\tKIND\tWHAT\tBY\tREASON")
		for _, v := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", when(&v.At), v.Kind, word(v.Text), word(v.By), word(v.Reason))
		}
	})
}

func runAgentSummary(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "agent")
	if err != nil {
		return err
	}
	s, err := r.client().AgentSummary(ctx, client.AgentRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, s, func(w io.Writer) {
		fmt.Fprintf(w, "%s\t%s\n", s.Verdict, word(s.Text))
		for _, m := range s.Agent.Marks {
			fmt.Fprintf(w, "%s\t%s: %s\n", m.Name, m.State, word(m.Reason))
		}
		for _, b := range s.Agent.Standard {
			fmt.Fprintf(w, "standard\t%s: %s\n", b.Rule, word(b.Why))
		}
		if s.Version != nil {
			fmt.Fprintf(w, "version\t%s since %s\n", s.Version.Hash, when(&s.Version.FirstSeen))
		}
		for _, p := range s.MayDo {
			for _, text := range p.Statements {
				fmt.Fprintf(w, "policy %s\t%s\n", p.Policy, word(text))
			}
		}
		if s.LastChange != nil {
			fmt.Fprintf(w, "last change\t%s %s\n", when(&s.LastChange.At), word(s.LastChange.Text))
		}
		if s.Day != nil {
			fmt.Fprintf(w, "24 hours\t%d runs, %d failed\n", s.Day.Runs, s.Day.Failed)
		}
	})
}

func runAgentMatch(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.MatchAgentRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Team, "team", "", "team of the key it would come with")
	fs.StringVar(&req.Environment, "environment", "", "environment of that key")
	fs.StringVar(&req.Name, "name", "", "the agent's name in telemetry")
	fs.StringVar(&req.AgentID, "agent-id", "", "its id in telemetry")
	fs.StringVar(&req.Service, "service", "", "its service.name")
	if err := parse(fs, args); err != nil {
		return err
	}
	m, err := r.client().MatchAgent(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, m, func(w io.Writer) {
		fmt.Fprintf(w, "agent\t%s\nwhy\t%s\n", word(m.Agent), word(m.Why))
		for _, n := range m.Candidates {
			fmt.Fprintf(w, "may be\t%s\n", word(n))
		}
	})
}

const standardHelp = `
The standard is a file of rules that agents keep to: an owner and a sponsor, how
far they may go in which environment, how long keys live. A rule that refuses
ends a registration, promotion or key that would break it; another one flags the
agent. Waivers end by date.

  reeve standard show
  reeve standard conformance
  reeve standard waive refund sponsor --until 2026-12-31 --reason "hired in January"
  reeve agent list --broken`

func runStandardShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	s, err := r.client().GetStandard(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, s, func(w io.Writer) {
		fmt.Fprintf(w, "version %s\n\nRULE\tREFUSES\tTEXT\n", word(s.Version))
		for _, rule := range s.Rules {
			fmt.Fprintf(w, "%s\t%s\t%s\n", rule.ID, yes(rule.Refuse), word(rule.Text))
		}
	})
}

func runStandardConformance(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	s, err := r.client().Conformance(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, s, func(w io.Writer) {
		fmt.Fprintln(w, "TEAM\tAGENTS\tCONFORM\tSHARE\tWAIVED\tMOST BROKEN")
		for _, t := range s.Teams {
			var most []string
			for _, b := range t.Rules[:min(len(t.Rules), 3)] {
				most = append(most, fmt.Sprintf("%s %d", b.Rule, b.Agents))
			}
			fmt.Fprintf(w, "%s\t%d\t%d\t%.0f %%\t%d\t%s\n", word(t.Team), t.Agents, t.Conforming, t.Share*100, t.Waived, strings.Join(most, ", "))
		}
	})
}

func runStandardWaive(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.WaiveRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Until, "until", "", "a date, or a life such as 30d; 180 days at most (needed)")
	fs.StringVar(&req.Reason, "reason", "", "why, for the record (needed)")
	var err error
	if req.Name, req.Rule, err = twoWords(fs, args, "an agent and a rule"); err != nil {
		return err
	}
	v, err := r.client().WaiveStandard(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, v, func(w io.Writer) {
		fmt.Fprintf(w, "rule %s is waived for %s until %s\n", v.Rule, v.Agent, when(&v.Till))
	})
}

func runStandardWaivers(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListWaivers(ctx)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "AGENT\tRULE\tUNTIL\tBY\tREASON")
		for _, v := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.Agent, v.Rule, when(&v.Till), word(v.By), word(v.Reason))
		}
	})
}

func runStandardUnwaive(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.WaiverRequest
	fs := c.flags(e)
	r.bind(fs)
	var err error
	if req.Name, req.Rule, err = twoWords(fs, args, "an agent and a rule"); err != nil {
		return err
	}
	if err := r.client().EndWaiver(ctx, req); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "the waiver of %s for %s is over\n", req.Rule, req.Name)
	return nil
}

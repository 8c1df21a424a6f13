package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"reeve/client"
)

func agentCommands() []command {
	return []command{
		{name: "agent create", args: "[flags] NAME", short: "register an agent", long: agentHelp, run: runAgentCreate},
		{name: "agent list", args: "[flags]", short: "list registered agents", run: runAgentList},
		{name: "agent get", args: "[flags] NAME", short: "show a registered agent", run: runAgentGet},
		{name: "agent promote", args: "[flags] NAME draft|pilot|production", short: "take an agent a step along its lifecycle", run: runAgentPromote},
		{name: "agent contain", args: "[flags] NAME throttled|supervised|read_only|quarantined", short: "narrow what an agent may do now", run: runAgentContain},
		{name: "agent marks", args: "[flags] [NAME]", short: "show how agents stand, the worst first, and why", run: runAgentMarks},
		{name: "agent pin", args: "[flags] NAME", short: "hold an agent to one model or version", long: pinHelp, run: runAgentPin},
		{name: "agent unpin", args: "[flags] NAME", short: "take a pin out", run: runAgentUnpin},
		{name: "agent release", args: "[flags] NAME", short: "end a containment", run: runAgentRelease},
		{name: "agent retire", args: "[flags] NAME", short: "end an agent for good", run: runAgentRetire},
		{name: "agent key create", args: "[flags] AGENT", short: "make a key of an agent; it is shown once", run: runAgentKeyCreate},
		{name: "agent key list", args: "[flags] AGENT", short: "list the keys of an agent", run: runAgentKeyList},
		{name: "agent key revoke", args: "[flags] AGENT ID", short: "end a key of an agent", run: runAgentKeyRevoke},
	}
}

const agentHelp = `
A new agent is a supervised pilot unless the flags say otherwise. Its name is
lower case, never changes and is never used again.

  reeve agent create refund --team core --purpose "gives money back"
  reeve agent key create refund --label ci`

func runAgentCreate(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.CreateAgentRequest
	var labels, classes string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Team, "team", "", "team that answers for it (needed)")
	fs.StringVar(&req.Purpose, "purpose", "", "what it is for (needed)")
	fs.StringVar(&req.Owner, "owner", "", "a person's name; empty: you")
	fs.StringVar(&req.Sponsor, "sponsor", "", "who answers for it on the business side")
	fs.StringVar(&req.Environment, "environment", "production", "environment it works in")
	fs.StringVar(&req.Kind, "kind", "internal", "internal or third_party")
	fs.StringVar(&req.Mode, "mode", "interactive", "interactive, autonomous or asynchronous")
	fs.StringVar(&req.Lifecycle, "lifecycle", "pilot", "draft or pilot")
	fs.StringVar(&req.Autonomy, "autonomy", "supervised", "read_only, supervised, bounded or autonomous")
	fs.StringVar(&req.Enforcement, "enforcement", "enforce", "observe or enforce")
	fs.StringVar(&req.Content, "content", "full", "what of its content is stored: full or metadata")
	fs.StringVar(&req.Task, "task", "", "its usual kind of work")
	fs.StringVar(&classes, "data-classes", "", "with commas: pii,payment")
	fs.StringVar(&labels, "labels", "", "with commas: tier=1,site=north")
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	name, err := oneWord(fs, args, "agent")
	if err != nil {
		return err
	}
	req.Name = name
	if classes != "" {
		req.DataClasses = strings.Split(classes, ",")
	}
	if labels != "" {
		req.Labels = map[string]string{}
		for _, l := range strings.Split(labels, ",") {
			k, v, ok := strings.Cut(l, "=")
			if !ok {
				return fmt.Errorf("%w: %q is no label; write key=value", errUsage, l)
			}
			req.Labels[k] = v
		}
	}
	a, err := r.client().CreateAgent(ctx, req)
	return r.agent(e, a, err)
}

// agent prints the agent that an act left.
func (r *remote) agent(e env, a *client.Agent, err error) error {
	if err != nil {
		return err
	}
	return r.print(e.stdout, a, func(w io.Writer) {
		row := func(name, text string) {
			if text != "" {
				fmt.Fprintf(w, "%s\t%s\n", name, word(text))
			}
		}
		row("agent", a.Name)
		row("team", a.Team)
		row("environment", a.Environment)
		row("owner", a.Owner)
		row("sponsor", a.Sponsor)
		row("purpose", a.Purpose)
		row("kind", a.Kind)
		row("mode", a.Mode)
		row("lifecycle", a.Lifecycle)
		row("autonomy", a.Autonomy)
		for i := range a.Pins {
			row("pinned to "+a.Pins[i].Kind, pinText(&a.Pins[i]))
		}
		contained := a.Containment
		if a.ContainedTill != nil {
			contained += " until " + when(a.ContainedTill)
		}
		row("containment", contained)
		row("enforcement", a.Enforcement)
		row("content", a.Content)
		row("data classes", strings.Join(a.DataClasses, ", "))
		for _, k := range slices.Sorted(maps.Keys(a.Labels)) {
			row("label", k+"="+a.Labels[k])
		}
		row("version", a.Version)
		row("last seen", when(a.LastSeen))
		row("revision", fmt.Sprint(a.Revision))
	})
}

func runAgentList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListAgentsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Team, "team", "", "only this team")
	fs.StringVar(&req.Lifecycle, "lifecycle", "", "only draft, pilot, production or retired")
	fs.StringVar(&req.Environment, "environment", "", "only this environment")
	fs.StringVar(&req.Query, "q", "", "only those with this in name, owner, purpose, alias or label")
	fs.BoolVar(&req.Contained, "contained", false, "only those that are contained")
	fs.BoolVar(&req.Observed, "observed", false, "only those in observe")
	fs.BoolVar(&req.Broken, "broken", false, "only those that break the standard")
	fs.StringVar(&req.Sort, "sort", "name", "name, worst or seen")
	fs.IntVar(&req.Limit, "limit", 200, "at most so many")
	fs.StringVar(&req.Cursor, "cursor", "", "where the page before ended")
	if err := parse(fs, args); err != nil {
		return err
	}
	page, err := r.client().ListAgents(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, page, func(w io.Writer) {
		fmt.Fprintln(w, "AGENT\tTEAM\tENVIRONMENT\tLIFECYCLE\tAUTONOMY\tCONTAINMENT\tENFORCEMENT\tLAST SEEN")
		for _, a := range page.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.Name, word(a.Team), word(a.Environment), a.Lifecycle, a.Autonomy, a.Containment, a.Enforcement, when(a.LastSeen))
		}
		if page.Next != "" {
			fmt.Fprintf(w, "\nmore: --cursor %s\n", page.Next)
		}
	})
}

func runAgentGet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "agent")
	if err != nil {
		return err
	}
	a, err := r.client().GetAgent(ctx, client.AgentRequest{Name: name})
	return r.agent(e, a, err)
}

// twoWords reads flags and the two words that an act takes.
func twoWords(fs *flag.FlagSet, args []string, what string) (string, string, error) {
	list, err := words(fs, args)
	if err != nil {
		return "", "", err
	}
	if len(list) != 2 {
		return "", "", fmt.Errorf("%w: give %s", errUsage, what)
	}
	return list[0], list[1], nil
}

func runAgentPromote(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.PromoteAgentRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record (needed)")
	fs.BoolVar(&req.Ungated, "ungated", false, "into production although the gate refuses: security's, and kept as such")
	var err error
	if req.Name, req.To, err = twoWords(fs, args, "an agent and a lifecycle"); err != nil {
		return err
	}
	a, err := r.client().PromoteAgent(ctx, req)
	return r.agent(e, a, err)
}

func runAgentContain(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ContainAgentRequest
	var life time.Duration
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record (needed)")
	fs.DurationVar(&life, "for", 0, "end by itself after so long; 0 holds until it is released")
	var err error
	if req.Name, req.Containment, err = twoWords(fs, args, "an agent and a containment"); err != nil {
		return err
	}
	if req.Until, err = endOf(life); err != nil {
		return err
	}
	a, err := r.client().ContainAgent(ctx, req)
	return r.agent(e, a, err)
}

func runAgentMarks(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListAgentMarksRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Environment, "environment", "", "only in this one")
	fs.StringVar(&req.Team, "team", "", "only of this one")
	fs.StringVar(&req.From, "from", "-24h", "of what they did since then")
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(list) > 1 {
		return fmt.Errorf("%w: name one agent, or none", errUsage)
	}
	if len(list) == 1 {
		req.Agent = list[0]
	}
	all, err := r.client().ListAgentMarks(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, all, func(w io.Writer) {
		fmt.Fprintln(w, "AGENT\tTEAM\tMARK\tSTATE\tWHY\tPAGE")
		for i := range all.Items {
			x := &all.Items[i]
			for _, m := range x.Marks {
				if len(list) == 0 && m.State != "bad" && m.State != "warn" {
					continue // of many only what wants a look
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", show(x.Agent), show(x.Team), m.Name, m.State, word(m.Reason), m.Path)
			}
		}
	})
}

const pinHelp = `
An agent that is pinned to a model gets it whenever it asks for the other one: the
door sends the call there, policy decides about what is really called, and the
decision says so. One that is pinned to a version is refused while it is observed
to be another. docs/incidents.md tells more.

  reeve agent pin refunds --model gpt-4o=gpt-4o-2024-08-06 --for 8h --reason "worse since this morning"
  reeve agent pin refunds --version 4f1c2a --reason "the next one refunds twice"
  reeve agent unpin refunds --model gpt-4o --reason "it is well again"`

func runAgentPin(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.PinAgentRequest
	var model, version string
	var life time.Duration
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&model, "model", "", "MODEL=OTHER: what it asks for, and what it gets")
	fs.StringVar(&version, "version", "", "the version that may act, as reeve agent versions lists it")
	fs.StringVar(&req.Reason, "reason", "", "why, for the record (needed)")
	fs.DurationVar(&life, "for", 0, "end by itself after so long; 0 holds until it is taken out")
	var err error
	if req.Name, err = oneWord(fs, args, "agent"); err != nil {
		return err
	}
	if (model == "") == (version == "") {
		return fmt.Errorf("%w: give --model or --version", errUsage)
	}
	if req.Until, err = endOf(life); err != nil {
		return err
	}
	var ok bool
	switch {
	case version != "":
		req.Kind, req.Value = "version", version
	default:
		req.Kind = "model"
		if req.From, req.Value, ok = strings.Cut(model, "="); !ok {
			return fmt.Errorf("%w: --model is MODEL=OTHER", errUsage)
		}
	}
	a, err := r.client().PinAgent(ctx, req)
	return r.agent(e, a, err)
}

func runAgentUnpin(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.UnpinAgentRequest
	var version bool
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.From, "model", "", "the model that it asks for")
	fs.BoolVar(&version, "version", false, "the version that it is held to")
	fs.StringVar(&req.Reason, "reason", "", "why, for the record (needed)")
	var err error
	if req.Name, err = oneWord(fs, args, "agent"); err != nil {
		return err
	}
	if (req.From == "") == !version {
		return fmt.Errorf("%w: give --model or --version", errUsage)
	}
	if req.Kind = "model"; version {
		req.Kind = "version"
	}
	a, err := r.client().UnpinAgent(ctx, req)
	return r.agent(e, a, err)
}

// pinText is what an agent is held to, in words.
func pinText(p *client.AgentPin) string {
	text := p.Value
	if p.From != "" {
		text += " in place of " + p.From
	}
	if p.Until != nil {
		text += " until " + when(p.Until)
	}
	return text + ", by " + p.By + ": " + p.Reason
}

func runAgentRelease(ctx context.Context, e env, c *command, args []string) error {
	return runAgentReason(ctx, e, c, args, (*client.Client).ReleaseAgent)
}

func runAgentRetire(ctx context.Context, e env, c *command, args []string) error {
	return runAgentReason(ctx, e, c, args, (*client.Client).RetireAgent)
}

func runAgentReason(ctx context.Context, e env, c *command, args []string, act func(*client.Client, context.Context, client.AgentReasonRequest) (*client.Agent, error)) error {
	var r remote
	var req client.AgentReasonRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record (needed)")
	var err error
	if req.Name, err = oneWord(fs, args, "agent"); err != nil {
		return err
	}
	a, err := act(r.client(), ctx, req)
	return r.agent(e, a, err)
}

func runAgentKeyCreate(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.CreateAgentKeyRequest
	var networks string
	fs := c.flags(e)
	r.bind(fs)
	host, _ := os.Hostname() // a machine without a name has to say a label
	fs.StringVar(&req.Label, "label", host, "where it is used")
	fs.StringVar(&networks, "networks", "", "from where it may be used, with commas: 10.0.0.0/8; empty: from anywhere")
	fs.StringVar(&req.ExpiresIn, "expires-in", "", "life, 90d at most; empty: 30 days")
	var err error
	if req.Name, err = oneWord(fs, args, "agent"); err != nil {
		return err
	}
	if networks != "" {
		req.Networks = strings.Split(networks, ",")
	}
	key, err := r.client().CreateAgentKey(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, key, func(w io.Writer) {
		fmt.Fprintf(w, "%s\n", key.Key)
		fmt.Fprintf(e.stderr, "key %s of %s until %s; it is not shown again. Clients send it as their API key.\n", key.ID, key.Agent, key.ExpiresAt.Local().Format(time.DateTime))
	})
}

func runAgentKeyList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "agent")
	if err != nil {
		return err
	}
	keys, err := r.client().ListAgentKeys(ctx, client.AgentRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, keys, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tLABEL\tSTATE\tNETWORKS\tLAST USED\tEXPIRES")
		for _, k := range keys.Items {
			state := "active"
			if k.RevokedAt != nil {
				state = "revoked"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, word(k.Label), state, strings.Join(k.Networks, ","), when(k.LastUsed), when(&k.ExpiresAt))
		}
	})
}

func runAgentKeyRevoke(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.AgentKeyRequest
	fs := c.flags(e)
	r.bind(fs)
	var err error
	if req.Name, req.ID, err = twoWords(fs, args, "an agent and a key"); err != nil {
		return err
	}
	if err := r.client().RevokeAgentKey(ctx, req); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "key %s is revoked\n", req.ID)
	return nil
}

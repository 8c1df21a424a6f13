package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"reeve/client"
)

func policyCommands() []command {
	return []command{
		{name: "agent enforce", args: "[flags] NAME", short: "show what enforcing would refuse, then enforce", run: runAgentEnforce},
		{name: "agent break-glass", args: "[flags] NAME", short: "let an agent go unenforced for at most an hour", run: runAgentBreakGlass},
		{name: "can", args: "[flags] AGENT ACTION RESOURCE", short: "say whether an agent may do something, and why; exit 3 when not", long: canHelp, run: runCan},
		{name: "policy list", args: "[flags]", short: "list policies, guardrails first", run: runPolicyList},
		{name: "policy get", args: "[flags] NAME", short: "print a policy", run: runPolicyGet},
		{name: "policy put", args: "[flags] NAME [FILE]", short: "make or replace a policy", long: policyHelp, run: runPolicyPut},
		{name: "policy check", args: "[flags] FILE", short: "say what is wrong with a policy's text, by line and column", run: runPolicyCheck},
		{name: "policy simulate", args: "[flags] [NAME]", short: "try a policy on recorded decisions", long: simulateHelp, run: runPolicySimulate},
		{name: "policy would", args: "[flags]", short: "count what observing kept from being refused", run: runPolicyWould},
		{name: "policy enforce", args: "[flags] NAME", short: "show what enforcing would refuse, then enforce", long: enforceHelp, run: runPolicyEnforce},
		{name: "policy propose", args: "[flags] AGENT", short: "write the smallest policy that permits what an agent did", run: runPolicyPropose},
		{name: "policy mode", args: "[flags] NAME observe|enforce", short: "put a policy in observe or enforce", run: runPolicyMode},
		{name: "policy delete", args: "[flags] NAME", short: "end a policy; its revisions stay", run: runPolicyDelete},
		{name: "policy revisions", args: "[flags] NAME", short: "list what a policy was", run: runPolicyRevisions},
		{name: "policy restore", args: "[flags] NAME REVISION", short: "make a policy again what it was", run: runPolicyRestore},
	}
}

const policyHelp = `
A policy is a named file of Cedar statements. A policy of a team is about that
team's agents and begins in observe: it refuses nothing and shows what it would
have refused. Without --team it is security's own, for everybody.

  reeve policy put refunds --team support --file refunds.cedar --reason "first try"
  reeve policy simulate refunds --file refunds.cedar
  reeve policy mode refunds enforce --reason "nothing would break"

Cedar is explained in docs/policies.md.`

func runPolicyList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListPoliciesRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Team, "team", "", "only this team's")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListPolicies(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "POLICY\tFOR\tMODE\tSTATEMENTS\tFROM\tREVISION\tCHANGED\tBY")
		for _, p := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%d\t%s\t%s\n", p.Name, word(policyFor(&p)), p.Mode, len(p.Statements), p.Origin, p.Revision, when(&p.UpdatedAt), word(p.Author))
		}
	})
}

func policyFor(p *client.Policy) string {
	switch {
	case p.Guardrail:
		return "everybody (guardrail)"
	case p.Team == "":
		return "everybody"
	}
	return "team " + p.Team
}

func runPolicyGet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "policy")
	if err != nil {
		return err
	}
	p, err := r.client().GetPolicy(ctx, client.PolicyRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, p, func(w io.Writer) {
		// Comments that are Cedar's own, so that what is printed is a policy.
		fmt.Fprintf(w, "// %s: %s, %s, revision %d by %s", p.Name, word(policyFor(p)), p.Mode, p.Revision, word(p.Author))
		if p.Reason != "" {
			fmt.Fprintf(w, " (%s)", word(p.Reason))
		}
		fmt.Fprintln(w)
		fmt.Fprint(w, strings.TrimRight(strings.ReplaceAll(p.Cedar, "\t", "  "), "\n")+"\n")
	})
}

// readText reads a file, or standard input for -.
func readText(e env, path string) (string, error) {
	if path == "" {
		return "", fmt.Errorf("%w: give the text with --file, - for standard input", errUsage)
	}
	in := e.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", fmt.Errorf("reading the policy: %w", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, 1<<20))
	if err != nil {
		return "", fmt.Errorf("reading the policy: %w", err)
	}
	return string(b), nil
}

func runPolicyPut(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.PutPolicyRequest
	var file string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&file, "file", "", "the Cedar `text`; - for standard input")
	fs.StringVar(&in.Team, "team", "", "whose agents it is about; empty: everybody's")
	fs.BoolVar(&in.Guardrail, "guardrail", false, "forbids for everybody, beyond what policies permit")
	fs.StringVar(&in.Mode, "mode", "", "observe or enforce; empty: as it is")
	fs.StringVar(&in.Reason, "reason", "", "why, for the record")
	list, err := words(fs, args)
	switch {
	case err != nil:
		return err
	case len(list) == 2 && file == "":
		file = list[1]
	case len(list) != 1:
		return fmt.Errorf("%w: name one policy and the file with its text", errUsage)
	}
	name := list[0]
	in.Name = name
	if in.Cedar, err = readText(e, file); err != nil {
		return err
	}
	old, err := r.client().GetPolicy(ctx, client.PolicyRequest{Name: name})
	var problem *client.Problem
	switch {
	case err == nil:
		in.Revision = old.Revision
		if in.Team == "" && !in.Guardrail {
			in.Team, in.Guardrail = old.Team, old.Guardrail
		}
	case errors.As(err, &problem) && problem.Code == "policy.not_found":
	default:
		return err
	}
	p, err := r.client().PutPolicy(ctx, in)
	return r.policy(e, p, err)
}

// policy prints the policy that an act left.
func (r *remote) policy(e env, p *client.Policy, err error) error {
	if err != nil {
		return err
	}
	return r.print(e.stdout, p, func(w io.Writer) {
		fmt.Fprintf(w, "policy %s for %s is at revision %d, in %s, with %d statements\n", p.Name, word(policyFor(p)), p.Revision, p.Mode, len(p.Statements))
		for _, text := range p.Warnings {
			fmt.Fprintf(w, "warning: %s\n", word(text))
		}
	})
}

func runPolicyDelete(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.DeletePolicyRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	name, err := oneWord(fs, args, "policy")
	if err != nil {
		return err
	}
	req.Name = name
	if err := r.client().DeletePolicy(ctx, req); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "policy %s is deleted; `reeve policy restore %s REVISION` brings it back\n", name, name)
	return nil
}

func runPolicyMode(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.PolicyModeRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(list) != 2 {
		return fmt.Errorf("%w: name a policy and observe or enforce", errUsage)
	}
	req.Name, req.Mode = list[0], list[1]
	p, err := r.client().SetPolicyMode(ctx, req)
	return r.policy(e, p, err)
}

func runPolicyRestore(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.RestorePolicyRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(list) != 2 {
		return fmt.Errorf("%w: name a policy and a revision", errUsage)
	}
	if _, err := fmt.Sscanf(list[1], "%d", &req.Revision); err != nil {
		return fmt.Errorf("%w: %q is no revision", errUsage, list[1])
	}
	req.Name = list[0]
	p, err := r.client().RestorePolicy(ctx, req)
	return r.policy(e, p, err)
}

func runPolicyRevisions(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	name, err := oneWord(fs, args, "policy")
	if err != nil {
		return err
	}
	list, err := r.client().ListPolicyRevisions(ctx, client.PolicyRequest{Name: name})
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "REVISION\tSET\tAT\tBY\tWHAT\tMODE\tREASON")
		for _, v := range list.Items {
			fmt.Fprintf(w, "%d\t%d\t%s\t%s\t%s\t%s\t%s\n", v.Revision, v.Version, when(&v.At), word(v.Author), v.Action, v.Mode, word(v.Reason))
		}
	})
}

func runPolicyCheck(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ValidatePolicyRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Team, "team", "", "whose agents it is about; empty: everybody's")
	fs.BoolVar(&req.Guardrail, "guardrail", false, "it may only forbid")
	path, err := oneWord(fs, args, "file")
	if err != nil {
		return err
	}
	if req.Cedar, err = readText(e, path); err != nil {
		return err
	}
	v, err := r.client().ValidatePolicy(ctx, req)
	if err != nil {
		return err
	}
	if err := r.print(e.stdout, v, func(w io.Writer) {
		for _, p := range v.Problems {
			fmt.Fprintf(w, "%s:%d:%d: %s\n", path, p.Line, p.Column, word(p.Text))
		}
		for _, text := range v.Warnings {
			fmt.Fprintf(w, "warning: %s\n", word(text))
		}
		if v.OK {
			fmt.Fprintf(w, "%d statements, all sound\n", len(v.Statements))
		}
	}); err != nil {
		return err
	}
	if !v.OK {
		return exitCode(1)
	}
	return nil
}

const canHelp = `
Asks what the door would say, and does nothing. Exit 3 when it is refused. The
resource is named as decisions name it.

  reeve can refund call_model openai/gpt-4o
  reeve can refund call_api "crm POST /v1/refunds" --context '{"bound": true, "args": {"number": {"/amount": "50.0"}}}'
  reeve can refund call_api "crm GET /v1/users/7" --context '{"user": "ann", "user_active": false, "findings": ["loop"]}'
  reeve can refund call_model openai/gpt-4o --context '{"budget": {"money": 0.5}}'
  reeve can refund call_tool tracker.create_refund
  reeve can refund call_tool local.search
  reeve can sales send_task refunds

A local tool (local.NAME) that no policy names is not decided by the door, since
the agent runs it itself: exit 0, and the answer says what decision points
(` + "`reeve decision ask`" + `, hooks) decide, which decide every tool.

Without --context the call comes with an agent key, for nobody, with nothing
read before.`

func runCan(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.CheckRequest
	var context, file, name, team string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&context, "context", "", "what the call brings, as `JSON`; @FILE reads a file")
	fs.StringVar(&file, "file", "", "as if the policy --policy were this `text`; - for standard input")
	fs.StringVar(&name, "policy", "proposed", "the name of that policy")
	fs.StringVar(&team, "team", "", "the team of that policy")
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(list) != 3 {
		return fmt.Errorf("%w: name an agent, an action and a resource", errUsage)
	}
	req.Agent, req.Action, req.Resource = list[0], list[1], list[2]
	if context != "" {
		if path, ok := strings.CutPrefix(context, "@"); ok {
			if context, err = readText(e, path); err != nil {
				return err
			}
		}
		dec := json.NewDecoder(strings.NewReader(context))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&req.Context); err != nil {
			return fmt.Errorf("%w: --context: %v", errUsage, err)
		}
	}
	if file != "" {
		text, err := readText(e, file)
		if err != nil {
			return err
		}
		req.Policies = []client.ProposedPolicy{{Name: name, Team: team, Cedar: text}}
	}
	got, err := r.client().CheckPolicy(ctx, req)
	if err != nil {
		return err
	}
	if err := r.print(e.stdout, got, func(w io.Writer) {
		fmt.Fprintf(w, "%s\n", word(got.Text))
		if got.Hint != "" {
			fmt.Fprintf(w, "Note: %s.\n", word(got.Hint))
		}
		if got.Floor != "allow" {
			fmt.Fprintf(w, "The agent's standing allows at most: %s.\n", got.Floor)
		}
		for _, p := range got.Policies {
			fmt.Fprintf(w, "  %s/%s\n", word(p.Policy), word(p.Statement))
		}
	}); err != nil {
		return err
	}
	if got.Verdict == "deny" {
		return exitCode(3)
	}
	return nil
}

const simulateHelp = `
Tries a policy on the decisions of a period and lists every verdict that would
change. Without --file it tries what is there in another mode.

  reeve policy simulate refunds --team support --file refunds.cedar --from -30d
  reeve policy simulate refunds --mode enforce
  reeve policy simulate --agent refund --enforce`

func runPolicySimulate(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.SimulateRequest
	var p client.ProposedPolicy
	var file string
	var enforce bool
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&file, "file", "", "the Cedar `text`; - for standard input")
	fs.StringVar(&p.Team, "team", "", "whose agents it is about; empty: as it is")
	fs.BoolVar(&p.Guardrail, "guardrail", false, "it forbids for everybody")
	fs.StringVar(&p.Mode, "mode", "enforce", "observe or enforce")
	fs.BoolVar(&p.Delete, "delete", false, "as if the policy were gone")
	fs.StringVar(&req.Agent, "agent", "", "only this agent's decisions")
	fs.BoolVar(&enforce, "enforce", false, "as if --agent were enforced")
	fs.StringVar(&req.From, "from", "-168h", "start of the period: RFC 3339 or a distance from now")
	fs.StringVar(&req.To, "to", "", "end of the period")
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	switch {
	case len(list) > 1 || len(list) == 0 && !(enforce && req.Agent != ""):
		return fmt.Errorf("%w: name one policy, or --agent with --enforce", errUsage)
	case len(list) == 1:
		p.Name = list[0]
		old, err := r.client().GetPolicy(ctx, client.PolicyRequest{Name: p.Name})
		var problem *client.Problem
		switch {
		case err == nil:
			if p.Team == "" && !p.Guardrail {
				p.Team, p.Guardrail = old.Team, old.Guardrail
			}
		case !errors.As(err, &problem) || problem.Code != "policy.not_found" || file == "":
			return err
		}
		if file != "" {
			if p.Cedar, err = readText(e, file); err != nil {
				return err
			}
		}
		req.Policies = []client.ProposedPolicy{p}
	}
	if enforce {
		req.Agents = map[string]string{req.Agent: "enforce"}
	}
	s, err := r.client().SimulatePolicies(ctx, req)
	if s, err = r.simulated(ctx, e, s, err); err != nil {
		return err
	}
	return r.print(e.stdout, s, func(w io.Writer) { showSimulation(w, s) })
}

// simulated waits for a simulation to end, saying how far it is.
func (r *remote) simulated(ctx context.Context, e env, s *client.Simulation, err error) (*client.Simulation, error) {
	for err == nil && (s.State == "waiting" || s.State == "running") {
		fmt.Fprintf(e.stderr, "simulating: %.0f %%, %d decisions, %d would change\n", 100*s.Progress, s.Decisions, s.Changed)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(2 * time.Second):
		}
		s, err = r.client().GetSimulation(ctx, client.SimulationRequest{ID: s.ID})
	}
	if err == nil && s.State == "failed" {
		err = fmt.Errorf("the simulation failed: %s", s.Error)
	}
	return s, err
}

func showSimulation(w io.Writer, s *client.Simulation) {
	fmt.Fprintf(w, "%d decisions from %s to %s: %d would change, %d of them stricter and %d looser\n",
		s.Decisions, when(&s.From), when(&s.To), s.Changed, s.Stricter, s.Looser)
	if s.NotKept > 0 {
		fmt.Fprintf(w, "%d could not be tried: what they depend on was not kept\n", s.NotKept)
	}
	if s.Others > 0 {
		fmt.Fprintf(w, "%d are decided otherwise today already, by what others changed since, and are not counted\n", s.Others)
	}
	if s.Elsewhere > 0 {
		fmt.Fprintf(w, "%d were refused by something else than policy and would be still\n", s.Elsewhere)
	}
	if s.Cut {
		fmt.Fprintf(w, "it was cut at %s: try a shorter period\n", when(&s.Until))
	}
	if len(s.Changes) > 0 {
		fmt.Fprintln(w)
		showGroups(w, s.Changes)
	}
	fmt.Fprintf(w, "\nsimulation %s\n", s.ID)
}

const shownGroups = 50

func showGroups(w io.Writer, groups []client.ChangeGroup) {
	fmt.Fprintln(w, "AGENT\tACTION\tRESOURCE\tWAS\tBECOMES\tCOUNT\tREASON\tFOR EXAMPLE")
	for _, g := range groups[:min(len(groups), shownGroups)] {
		example := ""
		if len(g.Examples) > 0 {
			example = g.Examples[0]
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s (%s)\t%s\n", word(g.Agent), g.Action, word(g.Resource), g.Was, g.Becomes, g.Count, word(g.Reason.Text), g.Reason.Code, example)
	}
	if more := len(groups) - shownGroups; more > 0 {
		fmt.Fprintf(w, "and %d more groups: -o json shows them\n", more)
	}
}

func runPolicyWould(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.WouldRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Agent, "agent", "", "only this agent")
	fs.StringVar(&req.From, "from", "-168h", "start of the period")
	fs.StringVar(&req.To, "to", "", "end of the period")
	if err := parse(fs, args); err != nil {
		return err
	}
	got, err := r.client().WouldRefuse(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, got, func(w io.Writer) {
		fmt.Fprintf(w, "%d of %d decisions since %s would have been refused\n", got.Refused, got.Decisions, when(&got.From))
		if got.Cut {
			fmt.Fprintln(w, "there were too many to count in full: ask for a shorter period")
		}
		if len(got.Groups) > 0 {
			fmt.Fprintln(w)
			showGroups(w, got.Groups)
		}
	})
}

const enforceHelp = `
Shows first what enforcing would have refused in the last days; given the id of
that simulation with --simulation, it enforces.

  reeve policy enforce refunds
  reeve policy enforce refunds --simulation sim_... --reason "nothing would break"`

func runPolicyEnforce(ctx context.Context, e env, c *command, args []string) error {
	return runEnforce(ctx, e, c, args, "policy", func(r *remote, req client.EnforceRequest) (*client.EnforceAnswer, error) {
		return r.client().EnforcePolicy(ctx, req)
	})
}

func runAgentEnforce(ctx context.Context, e env, c *command, args []string) error {
	return runEnforce(ctx, e, c, args, "agent", func(r *remote, req client.EnforceRequest) (*client.EnforceAnswer, error) {
		return r.client().EnforceAgent(ctx, req)
	})
}

func runEnforce(ctx context.Context, e env, c *command, args []string, noun string, do func(*remote, client.EnforceRequest) (*client.EnforceAnswer, error)) error {
	var r remote
	var req client.EnforceRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Simulation, "simulation", "", "the `id` of the simulation that was looked at")
	fs.IntVar(&req.Days, "days", 7, "how many days it tries")
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	name, err := oneWord(fs, args, noun)
	if err != nil {
		return err
	}
	req.Name = name
	got, err := do(&r, req)
	if err != nil {
		return err
	}
	if got.Simulation != nil {
		if got.Simulation, err = r.simulated(ctx, e, got.Simulation, nil); err != nil {
			return err
		}
	}
	return r.print(e.stdout, got, func(w io.Writer) {
		if got.Enforced {
			fmt.Fprintf(w, "%s %s is enforced\n", noun, name)
			return
		}
		showSimulation(w, got.Simulation)
		fmt.Fprintf(w, "\nNothing was changed. To enforce it:\n  reeve %s enforce %s --simulation %s --reason ...\n", noun, name, got.Simulation.ID)
	})
}

func runPolicyPropose(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ProposePolicyRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.IntVar(&req.Days, "days", 30, "how many days of decisions it is made from")
	name, err := oneWord(fs, args, "agent")
	if err != nil {
		return err
	}
	req.Agent = name
	p, err := r.client().ProposePolicy(ctx, req)
	if err != nil {
		return err
	}
	if p.Simulation, err = r.simulated(ctx, e, p.Simulation, nil); err != nil {
		return err
	}
	if r.output == "text" { // the policy alone, so that it can go into a file
		showSimulation(e.stderr, p.Simulation)
	}
	return r.print(e.stdout, p, func(w io.Writer) { fmt.Fprint(w, p.Policy.Cedar) })
}

func runAgentBreakGlass(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.BreakGlassRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.IntVar(&req.Minutes, "minutes", 30, "how long, at most 60")
	fs.StringVar(&req.Reason, "reason", "", "why (needed)")
	name, err := oneWord(fs, args, "agent")
	if err != nil {
		return err
	}
	req.Name = name
	a, err := r.client().BreakGlass(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, a, func(w io.Writer) {
		fmt.Fprintf(w, "policies refuse agent %s nothing until %s; its floor, budgets and stops hold\n", a.Name, when(a.ObserveTill))
	})
}

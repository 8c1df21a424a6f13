package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"reeve/client"
)

func agentsetCommands() []command {
	return []command{
		{name: "agent set", args: "[flags] NAME", short: "change what is said of an agent: labels, owner, purpose", long: agentSetHelp, run: runAgentSet},
	}
}

const agentSetHelp = `
Changes what is said of a registered agent. What no flag is given for stays. A
label is given as KEY=VALUE; KEY= takes it away.

  reeve agent set refund --label tier=1 --label effect.look=read
  reeve agent set refund --label tier= --owner ada --reason "Ada took it over"

The effect of a tool inside the agent's own process is a label too, effect.TOOL:
think, read, write or destructive. Without one it counts as destructive.`

func runAgentSet(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var in client.UpdateAgentRequest
	var labels, classes texts
	said := map[string]*string{}
	fs := c.flags(e)
	r.bind(fs)
	text := func(name string, to **string, usage string) {
		fs.Func(name, usage, func(v string) error {
			said[name] = &v
			*to = &v
			return nil
		})
	}
	text("owner", &in.Owner, "a person's name")
	text("sponsor", &in.Sponsor, "who answers for it on the business side")
	text("purpose", &in.Purpose, "what it is for")
	text("kind", &in.Kind, "internal or third_party")
	text("mode", &in.Mode, "interactive, autonomous or asynchronous")
	text("autonomy", &in.Autonomy, "read_only, supervised, bounded or autonomous")
	text("content", &in.Content, "what of its content is stored: full or metadata")
	text("task", &in.Task, "its usual kind of work")
	fs.Var(&labels, "label", "KEY=VALUE, or KEY= to take it away; several")
	fs.Var(&classes, "data-class", "a class of data that it works with; several replace all, \"\" for none")
	fs.StringVar(&in.Reason, "reason", "", "why, for the record")
	name, err := oneWord(fs, args, "agent")
	if err != nil {
		return err
	}
	if len(said) == 0 && len(labels) == 0 && len(classes) == 0 {
		return fmt.Errorf("%w: say what to change", errUsage)
	}
	old, err := r.client().GetAgent(ctx, client.AgentRequest{Name: name})
	if err != nil {
		return err
	}
	in.Name, in.Revision = name, old.Revision
	if in.Labels, err = labelled(old.Labels, labels); err != nil {
		return err
	}
	if len(classes) > 0 {
		list := slices.DeleteFunc(slices.Clone([]string(classes)), func(s string) bool { return s == "" })
		in.DataClasses = &list
	}
	a, err := r.client().UpdateAgent(ctx, in)
	if err != nil {
		return err
	}
	return r.agent(e, a, nil)
}

// labelled are an agent's labels with changes made to them; nil when there are none.
func labelled(old map[string]string, changes []string) (map[string]string, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	out := maps.Clone(old)
	if out == nil {
		out = map[string]string{}
	}
	for _, l := range changes {
		k, v, ok := strings.Cut(l, "=")
		switch {
		case !ok || k == "":
			return nil, fmt.Errorf("%w: %q is no label; write key=value, or key= to take it away", errUsage, l)
		case v == "":
			delete(out, k)
		default:
			out[k] = v
		}
	}
	return out, nil
}

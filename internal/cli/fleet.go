package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"reeve/client"
)

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
	if req.ID, req.Into, err = twoWords(fs, args, "an unknown agent and the agent that it is"); err != nil {
		return err
	}
	u, err := r.client().MergeUnknownAgent(ctx, req)
	return r.unknown(e, u, err)
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

package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"reeve/client"
)

func approvalCommands() []command {
	return []command{
		{name: "approval list", args: "[flags]", short: "list held actions that wait for a person", long: approvalHelp, run: runApprovalList},
		{name: "approval show", args: "[flags] ID", short: "show what a held action would do, with its arguments", long: approvalHelp, run: runApprovalShow},
		{name: "approval approve", args: "[flags] ID", short: "agree to a held action with exactly these arguments", long: approvalHelp, run: runApprovalApprove},
		{name: "approval deny", args: "[flags] ID", short: "deny a held action, and the same again for a day", long: approvalHelp, run: runApprovalDeny},
		{name: "approval edit", args: "[flags] ID", short: "agree to a held action with other arguments", long: approvalHelp, run: runApprovalEdit},
		{name: "approval takeover", args: "[flags] ID", short: "do a held action instead of the agent, or give its result", long: approvalHelp, run: runApprovalTakeover},
		{name: "approval give-back", args: "[flags] ID", short: "let a run that was taken over go on", long: approvalHelp, run: runApprovalGiveBack},
	}
}

const approvalHelp = `
An action that policy or an agent's autonomy holds waits for a person, bound to
its exact arguments. Approving needs the role approver for the agent's team (or
the group that the policy names), a second factor of the last five minutes, and
somebody else than the agent's owner. The door decides once more when it is
used, and uses it once.

  reeve approval list
  reeve approval show apr_...
  reeve approval approve apr_... --reason "called the customer"
  reeve approval deny apr_... --reason "wrong account"
  reeve approval edit apr_... --set /amount=20.00
  reeve approval takeover apr_... --answer '{"status":"done by hand"}'

Characters that hide or mislead are shown as marks: ` + "\u27e6U+202E\u27e7" + ` turns the direction
of reading, a letter before a mark is of another alphabet than its word.`

func runApprovalList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListApprovalsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.State, "state", "", "pending (default), approved, executing, done, unknown, denied, expired, void, taken, some with commas, or all")
	fs.StringVar(&req.Agent, "agent", "", "only of this agent")
	fs.StringVar(&req.Run, "run", "", "only of this run")
	fs.IntVar(&req.Limit, "limit", 50, "at most so many")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListApprovals(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "ID\tSTATE\tSINCE\tENDS\tWHAT\tWHY")
		for i := range list.Items {
			a := &list.Items[i]
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", a.ID, a.State, when(&a.CreatedAt), when(&a.ExpiresAt), a.Words, firstReason(a))
		}
	})
}

func firstReason(a *client.Approval) string {
	if len(a.Reasons) == 0 {
		return ""
	}
	return a.Reasons[0].Text
}

func runApprovalShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	id, err := oneWord(fs, args, "approval")
	if err != nil {
		return err
	}
	a, err := r.client().GetApproval(ctx, client.IDRequest{ID: id})
	if err != nil {
		return err
	}
	if a.State == "pending" {
		// What is printed whole was opened. A token opens nothing.
		_ = r.client().OpenApproval(ctx, client.IDRequest{ID: id})
	}
	return r.print(e.stdout, a, func(w io.Writer) { writeApproval(w, a) })
}

func writeApproval(w io.Writer, a *client.Approval) {
	fmt.Fprintf(w, "%s\n\n", a.Words)
	row := func(name, format string, values ...any) {
		fmt.Fprintf(w, "%s\t"+format+"\n", append([]any{name}, values...)...)
	}
	row("id", "%s", a.ID)
	row("state", "%s", a.State)
	if a.Reason != "" {
		row("because", "%s", word(a.Reason))
	}
	row("asked", "%s, %d times, decision %s", when(&a.CreatedAt), a.Asked, a.DecisionID)
	row("ends", "%s", when(&a.ExpiresAt))
	row("agent", "%s of team %s in %s, owner %s", a.Agent, a.Team, a.Environment, word(a.Owner))
	if a.User != "" {
		row("user", "%s", word(a.User))
	}
	row("run", "%s", a.RunID)
	row("effect", "%s", a.Effect)
	for _, d := range a.Destinations {
		row("goes to", "%s", word(d))
	}
	for _, one := range a.Reasons {
		row("held by", "%s (%s)", one.Text, one.Code)
	}
	for _, g := range a.Groups {
		name := g.Name
		if name == "" {
			name = "an approver"
		}
		row("needs", "%d of %s, has %d", g.Count, name, g.Have)
	}
	for _, v := range a.Votes {
		row(v.Verdict, "%s, %s %s", v.Name, when(&v.At), word(v.Reason))
	}
	if a.AgentWords != nil {
		row("it says", "%s", oneLine(a.AgentWords))
	}
	for _, p := range a.Similar {
		row("before", "%s %s by %s %s", when(&p.At), p.State, strings.Join(p.By, ", "), word(p.Reason))
	}
	if !a.Can.Approve && a.Can.Why != "" {
		row("you", "cannot approve: %s", a.Can.Why)
	}
	if a.Arguments == nil {
		fmt.Fprintln(w, "\narguments are for readers")
		return
	}
	g := a.Arguments
	edited := ""
	if g.Edited {
		edited = ", edited"
	}
	fmt.Fprintf(w, "\narguments: %d bytes%s, hash %s\n", g.Bytes, edited, g.Hash)
	for _, f := range g.Fields {
		fmt.Fprintf(w, "  %s\t%s", f.Path, oneLine(&f.Value))
		if f.Was != nil {
			fmt.Fprintf(w, "\t(was %s)", oneLine(f.Was))
		}
		fmt.Fprintln(w)
	}
	if g.More > 0 {
		fmt.Fprintf(w, "  and %d more\n", g.More)
	}
	if len(g.Fields) == 0 && g.Whole != nil {
		fmt.Fprintln(w, g.Whole.Text)
	}
}

// oneLine is text that the server made visible, in a cell of a table.
func oneLine(s *client.ShownText) string {
	return strings.NewReplacer("\n", "\u27e6LF\u27e7", "\t", "\u27e6TAB\u27e7").Replace(s.Text)
}

// answerFlags are what every answer takes.
func answerFlags(c *command, e env, args []string, r *remote, more func(set func(name, usage string, into *string))) (id, reason string, err error) {
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&reason, "reason", "", "why, for the record; the agent is told why it was denied")
	if more != nil {
		more(func(name, usage string, into *string) { fs.StringVar(into, name, *into, usage) })
	}
	id, err = oneWord(fs, args, "approval")
	return id, reason, err
}

// shownHash is the hash of what an approval is about now.
func shownHash(ctx context.Context, r *remote, id string) (string, error) {
	a, err := r.client().GetApproval(ctx, client.IDRequest{ID: id})
	if err != nil {
		return "", err
	}
	if a.Arguments == nil {
		return "", fmt.Errorf("the arguments of %s are not yours to see", id)
	}
	return a.Arguments.Hash, nil
}

func printAnswered(e env, r *remote, a *client.Approval) error {
	return r.print(e.stdout, a, func(w io.Writer) {
		fmt.Fprintf(w, "%s is %s\n", a.ID, a.State)
		for _, g := range a.Groups {
			if a.State == "pending" && g.Have < g.Count {
				fmt.Fprintf(w, "it waits for %d more of %s\n", g.Count-g.Have, cmp.Or(g.Name, "the approvers"))
			}
		}
	})
}

func runApprovalApprove(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var hash string
	id, reason, err := answerFlags(c, e, args, &r, func(set func(name, usage string, into *string)) {
		set("hash", "hash of the arguments that you agree to; empty: as they are now", &hash)
	})
	if err != nil {
		return err
	}
	if hash == "" {
		if hash, err = shownHash(ctx, &r, id); err != nil {
			return err
		}
	}
	a, err := r.client().Approve(ctx, client.ApproveRequest{ID: id, Hash: hash, Reason: reason})
	if err != nil {
		return err
	}
	return printAnswered(e, &r, a)
}

func runApprovalDeny(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	id, reason, err := answerFlags(c, e, args, &r, nil)
	if err != nil {
		return err
	}
	a, err := r.client().DenyApproval(ctx, client.ApprovalReasonRequest{ID: id, Reason: reason})
	if err != nil {
		return err
	}
	return printAnswered(e, &r, a)
}

// edits are --set PATH=VALUE, several times.
type edits []client.ArgumentEdit

// String implements flag.Value.
func (l *edits) String() string { return "" }

// Set implements flag.Value. A value that is no JSON is a text.
func (l *edits) Set(s string) error {
	path, value, ok := strings.Cut(s, "=")
	if !ok || path != "" && path[0] != '/' {
		return fmt.Errorf("write /path=value")
	}
	raw := json.RawMessage(value)
	if !json.Valid(raw) {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		raw = text
	}
	*l = append(*l, client.ArgumentEdit{Path: path, Value: raw})
	return nil
}

func runApprovalEdit(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var set edits
	var reason, whole string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&reason, "reason", "", "why, for the record")
	fs.Var(&set, "set", "/path=value: replace one argument, several times; nothing else changes")
	fs.StringVar(&whole, "whole", "", "the whole text of the arguments instead")
	id, err := oneWord(fs, args, "approval")
	if err != nil {
		return err
	}
	hash, err := shownHash(ctx, &r, id)
	if err != nil {
		return err
	}
	req := client.EditApprovalRequest{ID: id, Hash: hash, Edits: set, Reason: reason}
	if whole != "" {
		req.Whole = &whole
	}
	a, err := r.client().EditApproval(ctx, req)
	if err != nil {
		return err
	}
	return printAnswered(e, &r, a)
}

func runApprovalTakeover(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var answer, kind string
	var goOn bool
	var reason string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&reason, "reason", "", "why, for the record")
	fs.StringVar(&answer, "answer", "", "what the agent gets as the result; empty: its call is refused")
	fs.StringVar(&kind, "content-type", "", "of the result; empty: JSON or text, as it looks")
	fs.BoolVar(&goOn, "let-go-on", false, "do not hold the further calls of the run")
	id, err := oneWord(fs, args, "approval")
	if err != nil {
		return err
	}
	req := client.TakeOverRequest{ID: id, LetGoOn: goOn, Reason: reason}
	if answer != "" {
		req.Answer = &client.HandAnswer{Body: answer, ContentType: kind}
	}
	a, err := r.client().TakeOver(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, a, func(w io.Writer) {
		fmt.Fprintf(w, "%s is yours\n", a.ID)
		if a.Takeover != nil {
			fmt.Fprintf(w, "further calls of the run are held until %s, or `reeve approval give-back %s`\n", a.Takeover.Until.Format(time.RFC3339), a.ID)
		}
	})
}

func runApprovalGiveBack(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	id, reason, err := answerFlags(c, e, args, &r, nil)
	if err != nil {
		return err
	}
	a, err := r.client().GiveBack(ctx, client.ApprovalReasonRequest{ID: id, Reason: reason})
	if err != nil {
		return err
	}
	return r.print(e.stdout, a, func(w io.Writer) { fmt.Fprintf(w, "the run of %s goes on\n", a.ID) })
}

package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"reeve/client"
)

func toolCommands() []command {
	return []command{
		{name: "tool list", args: "[flags]", short: "list the tools of MCP servers, and what waits for a person", long: toolHelp, run: runToolList},
		{name: "tool show", args: "[flags] UPSTREAM TOOL", short: "show a tool, why it is held and what its definition suggests", long: toolHelp, run: runToolShow},
		{name: "tool diff", args: "[flags] UPSTREAM TOOL", short: "show what changed in a tool, word by word", long: toolHelp, run: runToolDiff},
		{name: "tool accept", args: "[flags] UPSTREAM TOOL | UPSTREAM --all", short: "accept a tool as its server lists it, and say what it does", long: toolHelp, run: runToolAccept},
		{name: "tool hold", args: "[flags] UPSTREAM TOOL", short: "make a tool wait for a person again", long: toolHelp, run: runToolHold},
		{name: "tool forget", args: "[flags] UPSTREAM TOOL", short: "drop a tool with its versions", run: runToolForget},
		{name: "tool findings", args: "[flags]", short: "list why tools are or were held", run: runToolFindings},
	}
}

const toolHelp = `
A tool of an MCP server may be used in exactly the form that a person accepted:
name, title, description, schemas and annotations. One that is new, has changed,
is called like another server's tool, names another server's tool or has hidden
characters or instructions in its text is held until somebody accepts it. The
effect (think, read, write, destructive) is what you say here; without it a tool
counts as destructive.

  reeve tool list --state held
  reeve tool diff mail send_email
  reeve tool accept mail send_email --effect write --class pii.email \
      --recipient /to --reason "looked at the new wording"
  reeve tool accept mail --all --suggested --reason "first look at the server"
  reeve tool hold mail send_email --reason "asks for too much"

--suggested takes effect, classes and paths as the definition suggests them
where you give none. A tool that was accepted before keeps its effect, its classes
and each kind of path that you give none of; "" takes a kind away. What is serious is accepted only when it is named, with
--acknowledge CODE; --all leaves such tools waiting.`

func runToolList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListToolsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Upstream, "upstream", "", "of this upstream alone")
	fs.StringVar(&req.State, "state", "", "accepted or held")
	fs.StringVar(&req.Q, "q", "", "a part of the name or description")
	fs.IntVar(&req.Limit, "limit", 0, "at most so many; 0 is 200")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListTools(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "UPSTREAM\tTOOL\tSTATE\tEFFECT\tCLASSES\tWHY")
		for _, t := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", t.Upstream, word(t.Name), t.State, t.Effect, word(strings.Join(t.Classes, ",")), word(findingCodes(t.Findings)))
		}
	})
}

func findingCodes(list []client.ToolFinding) string {
	codes := make([]string, len(list))
	for i, f := range list {
		codes[i] = f.Code
	}
	return strings.Join(codes, ",")
}

func runToolShow(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	upstream, tool, err := twoWords(fs, args, "an upstream and a tool")
	if err != nil {
		return err
	}
	t, err := r.client().GetTool(ctx, client.ToolRequest{Upstream: upstream, Tool: tool})
	if err != nil {
		return err
	}
	return r.print(e.stdout, t, func(w io.Writer) {
		row := func(name, value string) { fmt.Fprintf(w, "%s\t%s\n", name, word(value)) }
		row("tool", t.Upstream+" "+t.Name)
		row("at /mcp", t.Alias)
		row("state", t.State)
		for _, f := range t.Findings {
			row(f.Code, f.Text)
		}
		row("effect", t.Effect)
		row("classes", strings.Join(t.Classes, ", "))
		if t.Vouches {
			row("vouches", "what its results name may be sent to")
		}
		pathRows(row, "", t.Paths)
		row("suggested effect", t.Suggested.Effect+" ("+t.Suggested.Why+")")
		row("suggested classes", strings.Join(t.Suggested.Classes, ", "))
		pathRows(row, "suggested ", t.Suggested.Paths)
		row("listed", t.Listed)
		row("accepted", t.Accepted)
		if t.AcceptedAt != nil {
			row("accepted by", t.AcceptedBy+", "+when(t.AcceptedAt))
		}
		row("versions", fmt.Sprint(len(t.Versions)))
		row("description", t.Description)
	})
}

func pathRows(row func(name, value string), prefix string, p client.ToolPaths) {
	for _, one := range []struct {
		name string
		list []string
	}{{"destination", p.Destination}, {"recipient", p.Recipient}, {"amount", p.Amount}} {
		if len(one.list) > 0 {
			row(prefix+one.name, strings.Join(one.list, ", "))
		}
	}
}

func runToolDiff(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ToolDifferenceRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.From, "from", "", "hash of a version; else the accepted one")
	fs.StringVar(&req.To, "to", "", "hash of a version; else what the server lists")
	var err error
	if req.Upstream, req.Tool, err = twoWords(fs, args, "an upstream and a tool"); err != nil {
		return err
	}
	d, err := r.client().ToolDifference(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, d, func(w io.Writer) { printDifference(w, d) })
}

// printDifference shows words that went as [-so-] and words that came as {+so+}.
func printDifference(w io.Writer, d *client.ToolDifference) {
	if len(d.Texts)+len(d.Parts) == 0 {
		fmt.Fprintln(w, "nothing differs")
		return
	}
	for _, t := range d.Texts {
		var b strings.Builder
		for _, p := range t.Words {
			text := word(p.Text)
			switch p.Change {
			case "added":
				b.WriteString("{+" + text + "+}")
			case "removed":
				b.WriteString("[-" + text + "-]")
			default:
				b.WriteString(text)
			}
		}
		fmt.Fprintf(w, "%s: %s\n", word(t.Path), b.String())
	}
	for _, p := range d.Parts {
		switch p.Change {
		case "added":
			fmt.Fprintf(w, "%s: {+%s+}\n", word(p.Path), word(p.After))
		case "removed":
			fmt.Fprintf(w, "%s: [-%s-]\n", word(p.Path), word(p.Before))
		default:
			fmt.Fprintf(w, "%s: [-%s-]{+%s+}\n", word(p.Path), word(p.Before), word(p.After))
		}
	}
}

func runToolAccept(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.AcceptToolRequest
	var classes, destination, recipient, amount, acknowledge texts
	var all, suggested bool
	fs := c.flags(e)
	r.bind(fs)
	fs.BoolVar(&all, "all", false, "all tools of the upstream that nothing serious speaks against")
	fs.StringVar(&req.Hash, "hash", "", "of the definition that you looked at; else what the server lists now")
	fs.StringVar(&req.Effect, "effect", "", "think, read, write or destructive")
	fs.Var(&classes, "class", "a class of data that its answers carry; several")
	fs.Var(&destination, "destination", "where in the arguments it says to where data goes, as /url or /items/*/url; several, \"\" for none")
	fs.Var(&recipient, "recipient", "where it says who gets it; several, \"\" for none")
	fs.Var(&amount, "amount", "where it says how much; several, \"\" for none")
	fs.Var(&acknowledge, "acknowledge", "the code of a serious finding that is as it should be; several")
	fs.BoolVar(&req.Vouches, "vouches", false, "what its results name may be sent to: a directory, a register of customers")
	fs.BoolVar(&suggested, "suggested", false, "take what the definition suggests where nothing is given")
	fs.StringVar(&req.Reason, "reason", "", "why, for the record (needed)")
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	switch {
	case all && len(list) == 1:
		return acceptAll(ctx, e, &r, list[0], req.Reason, suggested)
	case len(list) != 2:
		return fmt.Errorf("%w: give an upstream and a tool, or an upstream and --all", errUsage)
	}
	req.Upstream, req.Tool, req.Classes, req.Acknowledge = list[0], list[1], classes, acknowledge
	have, err := r.client().GetTool(ctx, client.ToolRequest{Upstream: req.Upstream, Tool: req.Tool})
	if err != nil {
		return err
	}
	vouched := false
	fs.Visit(func(f *flag.Flag) { vouched = vouched || f.Name == "vouches" })
	if !vouched {
		req.Vouches = have.Vouches
	}
	if req.Hash == "" {
		req.Hash = have.Listed
	}
	keep := have.Accepted != "" // what was said of it once goes on where nothing is given
	switch {
	case req.Effect == "" && keep && have.Effect != "unknown":
		req.Effect = have.Effect
	case req.Effect == "" && suggested:
		req.Effect = have.Suggested.Effect
	}
	switch {
	case len(classes) == 0 && keep:
		req.Classes = have.Classes
	case len(classes) == 0 && suggested:
		req.Classes = have.Suggested.Classes
	}
	said := client.ToolPaths{}
	switch {
	case keep:
		said = have.Paths
	case suggested:
		said = have.Suggested.Paths
	}
	req.Paths.Destination = pathsOf(destination, said.Destination)
	req.Paths.Recipient = pathsOf(recipient, said.Recipient)
	req.Paths.Amount = pathsOf(amount, said.Amount)
	t, err := r.client().AcceptTool(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, t, func(w io.Writer) {
		fmt.Fprintf(w, "%s %s is accepted, effect %s\n", t.Upstream, word(t.Name), t.Effect)
		if t.Effect == "unknown" {
			fmt.Fprintln(w, "an unknown effect counts as destructive: say more with --effect")
		}
	})
}

// pathsOf are the paths of one kind: those that were given ("" for none), else
// those that were said before.
func pathsOf(given, before []string) []string {
	if len(given) == 0 {
		return before
	}
	return slices.DeleteFunc(slices.Clone(given), func(p string) bool { return p == "" })
}

func acceptAll(ctx context.Context, e env, r *remote, upstream, reason string, suggested bool) error {
	have, err := r.client().UpstreamTools(ctx, client.UpstreamToolsRequest{Upstream: upstream})
	if err != nil {
		return err
	}
	done, err := r.client().AcceptTools(ctx, client.AcceptToolsRequest{Upstream: upstream, Digest: have.Digest, Suggested: suggested, Reason: reason})
	if err != nil {
		return err
	}
	return r.print(e.stdout, done, func(w io.Writer) {
		fmt.Fprintf(w, "%d tools of %s are accepted\n", len(done.Accepted), upstream)
		for _, t := range done.Accepted {
			fmt.Fprintf(w, "  %s\t%s\n", word(t.Name), t.Effect)
		}
		for _, t := range done.Waiting {
			fmt.Fprintf(w, "  %s\tstill waits: %s\n", word(t.Name), word(t.Reason))
		}
	})
}

func runToolHold(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.HoldToolRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record (needed)")
	var err error
	if req.Upstream, req.Tool, err = twoWords(fs, args, "an upstream and a tool"); err != nil {
		return err
	}
	t, err := r.client().HoldTool(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, t, func(w io.Writer) { fmt.Fprintf(w, "%s %s is held\n", t.Upstream, word(t.Name)) })
}

func runToolForget(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ForgetToolRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Reason, "reason", "", "why, for the record")
	var err error
	if req.Upstream, req.Tool, err = twoWords(fs, args, "an upstream and a tool"); err != nil {
		return err
	}
	if err := r.client().ForgetTool(ctx, req); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s %s is forgotten: the next list has it as new\n", req.Upstream, word(req.Tool))
	return nil
}

func runToolFindings(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListToolFindingsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.BoolVar(&req.Open, "open", false, "only those that still hold a tool")
	fs.IntVar(&req.Limit, "limit", 0, "at most so many; 0 is 100")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListToolFindings(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "AT\tUPSTREAM\tTOOL\tCODE\tTEXT\tENDED")
		for _, f := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", when(&f.At), f.Upstream, word(f.Tool), f.Code, word(f.Text), word(f.Resolution))
		}
	})
}

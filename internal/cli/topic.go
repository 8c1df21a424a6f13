package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"reeve/client"
)

func topicCommands() []command {
	return []command{
		{name: "topic list", args: "[flags]", short: "list what people ask for, and what became of it", long: topicHelp, run: runTopicList},
		{name: "topic show", args: "[flags] TOPIC", short: "show a topic: its agents, and what is typically asked", long: topicHelp, run: runTopicShow},
		{name: "topic runs", args: "[flags] TOPIC", short: "list runs about a topic", long: topicHelp, run: runTopicRuns},
		{name: "topic name", args: "[flags] TOPIC NAME", short: "call a topic by a name; an empty one takes it back", run: runTopicName},
		{name: "topic moods", args: "[flags]", short: "list sessions whose users lose patience, with the signs", long: topicHelp, run: runTopicMoods},
	}
}

const topicHelp = `
Prompts are grouped by what they ask for, on this machine, always. A topic shows
how much it is asked for, how its runs ended, what their users thought, what they
cost and how many nobody answered.

  reeve topic list --agent support-agent --from -30d
  reeve topic show tpc_…
  reeve topic runs tpc_… --unanswered
  reeve topic runs none                 prompts that are like too few others
  reeve topic name tpc_… "Refunds"
  reeve topic moods                     sessions whose users lose patience

docs/topics.md says how, and what it cannot tell.`

// topicFlags narrow figures of topics.
func topicFlags(fs *flag.FlagSet, team, environment, agent, version, from, to *string) {
	fs.StringVar(team, "team", "", "only of this team")
	fs.StringVar(environment, "environment", "", "only of this environment")
	fs.StringVar(agent, "agent", "", "only of this agent")
	fs.StringVar(version, "version", "", "only of this version")
	fs.StringVar(from, "from", "-168h", "start of the period, 100 days ago at most")
	fs.StringVar(to, "to", "", "end of the period")
}

func runTopicList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListTopicsRequest
	fs := c.flags(e)
	r.bind(fs)
	topicFlags(fs, &req.Team, &req.Environment, &req.Agent, &req.Version, &req.From, &req.To)
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListTopics(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "TOPIC\tRUNS\tDEMAND\tBEFORE\tRESOLVED\tSATISFIED\tUNANSWERED\tA RUN\tID")
		for _, t := range list.Items {
			fmt.Fprintf(w, "%s\t%s\t%s\n", word(t.Title), figuresLine(&t.TopicFigures), t.ID)
		}
		if list.Ungrouped.Runs > 0 {
			fmt.Fprintf(w, "like too few others\t%s\tnone\n", figuresLine(&list.Ungrouped))
		}
		if s := list.Coverage; s.Waiting+s.Skipped+s.Failed > 0 {
			fmt.Fprintf(w, "\n%d runs looked at since the start\t%d wait, %d were not looked at (too many at once), %d could not be read\n", s.Runs, s.Waiting, s.Skipped, s.Failed)
		}
	})
}

func figuresLine(f *client.TopicFigures) string {
	before := "-"
	if f.Before != nil {
		before = fmt.Sprintf("%.1f %%", 100**f.Before)
	}
	if f.Drift != "" {
		before += " (" + f.Drift + " now)"
	}
	cost := "-"
	if f.CostPerRun != nil {
		cost = fmt.Sprintf("%.4f USD", *f.CostPerRun)
	}
	return fmt.Sprintf("%d\t%s\t%s\t%s\t%s\t%s\t%s", f.Runs, shareText(f.Demand), before, shareText(f.Resolved), shareText(f.Satisfied), shareText(f.Unanswered), cost)
}

func runTopicShow(ctx context.Context, e env, c *command, args []string) error {
	var req client.TopicRequest
	return aboutOne(ctx, e, c, args, "topic", func(ctx context.Context, api *client.Client, id string) (*client.TopicPage, error) {
		req.ID = id
		return api.GetTopic(ctx, req)
	}, writeTopic, func(fs *flag.FlagSet) {
		topicFlags(fs, &req.Team, &req.Environment, &req.Agent, &req.Version, &req.From, &req.To)
	})
}

func writeTopic(w io.Writer, t *client.TopicPage) {
	fmt.Fprintf(w, "%s\t%s\n", t.ID, word(t.Title))
	fmt.Fprintf(w, "words\t%s\n", word(strings.Join(t.Words, " ")))
	fmt.Fprintf(w, "runs\t%d in %d sessions\n", t.Runs, t.Sessions)
	fmt.Fprintf(w, "demand\t%s\n", shareText(t.Demand))
	fmt.Fprintf(w, "resolved\t%s\n", shareText(t.Resolved))
	fmt.Fprintf(w, "satisfied\t%s\n", shareText(t.Satisfied))
	fmt.Fprintf(w, "unanswered\t%s\n\n", shareText(t.Unanswered))
	fmt.Fprintln(w, "AGENT\tRUNS\tOF THE TOPIC\tBEFORE\tRESOLVED\tSATISFIED\tUNANSWERED\tA RUN")
	for _, a := range t.Agents {
		fmt.Fprintf(w, "%s\t%s\n", orDash(a.Agent), figuresLine(&a.TopicFigures))
	}
	fmt.Fprintln(w)
	for _, x := range t.Examples {
		fmt.Fprintf(w, "%s\t%s\t%s\n", x.Run, x.Agent, word(x.Text))
	}
}

func runTopicRuns(ctx context.Context, e env, c *command, args []string) error {
	var req client.TopicRunsRequest
	return aboutOne(ctx, e, c, args, "topic", func(ctx context.Context, api *client.Client, id string) (*client.List[client.TopicRun], error) {
		req.ID = id
		return api.ListTopicRuns(ctx, req)
	}, func(w io.Writer, list *client.List[client.TopicRun]) {
		fmt.Fprintln(w, "AT\tRUN\tAGENT\tVERSION\tOUTCOME\tUSER\tASKED AGAIN\tNEAR")
		for _, x := range list.Items {
			again := "-"
			if x.AskedAgain {
				again = "yes"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.2f\n", x.At.Local().Format(time.DateTime), x.Run, orDash(x.Agent), orDash(x.Version), orDash(x.Outcome), orDash(x.Verdict), again, x.Near)
		}
	}, func(fs *flag.FlagSet) {
		topicFlags(fs, &req.Team, &req.Environment, &req.Agent, &req.Version, &req.From, &req.To)
		fs.BoolVar(&req.Unanswered, "unanswered", false, "only those that nobody answered")
		fs.IntVar(&req.Limit, "limit", 50, "at most so many")
	})
}

func runTopicName(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	fs := c.flags(e)
	r.bind(fs)
	list, err := words(fs, args)
	if err != nil {
		return err
	}
	if len(list) != 2 {
		return fmt.Errorf("%w: name a topic, and what to call it", errUsage)
	}
	api := r.client()
	t, err := api.GetTopic(ctx, client.TopicRequest{ID: list[0]})
	if err != nil {
		return err
	}
	out, err := api.NameTopic(ctx, client.NameTopicRequest{ID: t.ID, Name: list[1], Revision: t.Revision})
	if err != nil {
		return err
	}
	return r.print(e.stdout, out, func(w io.Writer) { fmt.Fprintf(w, "%s is called %s\n", out.ID, word(out.Title)) })
}

func runTopicMoods(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListMoodsRequest
	fs := c.flags(e)
	r.bind(fs)
	topicFlags(fs, &req.Team, &req.Environment, &req.Agent, &req.Version, &req.From, &req.To)
	fs.IntVar(&req.Limit, "limit", 50, "at most so many")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListMoods(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintf(w, "frustrated sessions\t%s\n\nSCORE\tSESSION\tAGENT\tRUNS\tSIGNS\tLAST RUN\n", shareText(list.Frustrated))
		for _, m := range list.Items {
			fmt.Fprintf(w, "%.2f\t%s\t%s\t%d\t%s\t%s\n", m.Score, word(m.Session), orDash(m.Agent), m.Runs, signsText(m.Signs), lastRun(m.Signs))
		}
	})
}

var signWords = map[string]string{"re_ask": "asked again", "correction": "corrected", "human": "wanted a person", "words": "angry words", "abandoned": "gave up"}

func signsText(signs []client.MoodSign) string {
	counts := map[string]int{}
	var order []string
	for _, s := range signs {
		if counts[s.Kind]++; counts[s.Kind] == 1 {
			order = append(order, s.Kind)
		}
	}
	for i, k := range order {
		if order[i] = signWords[k]; counts[k] > 1 {
			order[i] += fmt.Sprintf(" (%d)", counts[k])
		}
	}
	return strings.Join(order, ", ")
}

func lastRun(signs []client.MoodSign) string {
	if len(signs) == 0 {
		return "-"
	}
	return signs[len(signs)-1].Run
}

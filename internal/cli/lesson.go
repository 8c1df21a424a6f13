package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"reeve/client"
)

func lessonCommands() []command {
	return []command{
		{name: "lesson list", args: "[flags]", short: "list what agents are to keep in mind", long: lessonHelp, run: runLessonList},
		{name: "lesson add", args: "[flags]", short: "give agents a lesson of an incident", long: lessonHelp, run: runLessonAdd},
		{name: "lesson show", args: "[flags] LESSON", short: "show a lesson, who read it and what came of it", long: lessonHelp, run: runLessonShow},
		{name: "lesson revoke", args: "[flags] LESSON", short: "take a lesson back", long: lessonHelp, run: runLessonRevoke},
	}
}

const lessonHelp = `
A lesson is what was learned of an incident, in words that an agent is given before
it works. Agents fetch theirs at the door, with the credential of their calls:

  GET  /lessons        as JSON
  POST /lessons/mcp    an MCP server: the resource reeve://lessons, the prompt lessons

It is for the agents of a team, or of all, or for those that are named; it has an
owner, ends within a year and can be revoked. show tells who read it, and the measure
that it is about in the week before and after.

  reeve lesson add --incident 12 --team support --owner me --for 90d --measure failures \
      --title "Prices come from the price list" --text-file lesson.md
  reeve lesson show les_...
  reeve lesson revoke --reason "the list is gone" les_...`

func runLessonList(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.ListLessonsRequest
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.State, "state", "", "active, expired or revoked")
	fs.StringVar(&req.Agent, "agent", "", "what this agent is given now")
	if err := parse(fs, args); err != nil {
		return err
	}
	list, err := r.client().ListLessons(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, list, func(w io.Writer) {
		fmt.Fprintln(w, "LESSON\tSTATE\tFOR\tENDS\tOWNER\tTITLE")
		for i := range list.Items {
			l := &list.Items[i]
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", l.ID, l.State, word(lessonFor(l)), when(&l.ExpiresAt), show(l.Owner), word(l.Title))
		}
	})
}

// lessonFor says whom a lesson is for.
func lessonFor(l *client.Lesson) string {
	out := "all teams"
	if l.Team != "" {
		out = "team " + l.Team
	}
	if l.Environment != "" {
		out += " in " + l.Environment
	}
	if len(l.Agents) > 0 {
		out += ": " + strings.Join(l.Agents, ", ")
	}
	return out
}

func writeLesson(w io.Writer, l *client.LessonDetail) {
	fmt.Fprintf(w, "%s\t%s, revision %d\n", l.ID, l.State, l.Revision)
	fmt.Fprintf(w, "title\t%s\nfor\t%s\nowner\t%s\nends\t%s\n", word(l.Title), word(lessonFor(&l.Lesson)), show(l.Owner), when(&l.ExpiresAt))
	if e := l.Effect; e != nil {
		value := func(v *float64) string {
			if v == nil {
				return "unknown"
			}
			return fmt.Sprintf("%.4g", *v)
		}
		fmt.Fprintf(w, "%s\t%s before (%d runs), %s after (%d runs)\n", e.Measure, value(e.Before), e.RunsBefore, value(e.After), e.RunsAfter)
	}
	for _, x := range l.Reads {
		fmt.Fprintf(w, "read by\t%s, %d times by %s, first %s, last %s\n", word(x.Agent), x.Count, x.How, when(&x.FirstAt), when(&x.LastAt))
	}
	if len(l.Reads) == 0 {
		fmt.Fprintln(w, "read by\tnobody yet")
	}
}

func runLessonShow(ctx context.Context, e env, c *command, args []string) error {
	return aboutOne(ctx, e, c, args, "lesson", func(ctx context.Context, api *client.Client, id string) (*client.LessonDetail, error) {
		return api.GetLesson(ctx, client.LessonRequest{ID: id})
	}, writeLesson)
}

func runLessonRevoke(ctx context.Context, e env, c *command, args []string) error {
	var req client.RevokeLessonRequest
	return aboutOne(ctx, e, c, args, "lesson", func(ctx context.Context, api *client.Client, id string) (*client.LessonDetail, error) {
		req.ID = id
		return api.RevokeLesson(ctx, req)
	}, func(w io.Writer, l *client.LessonDetail) { fmt.Fprintf(w, "%s is revoked: %s\n", l.ID, word(l.Why)) },
		func(fs *flag.FlagSet) { fs.StringVar(&req.Reason, "reason", "", "why; it is kept") })
}

// days reads a time to come: a duration, or days such as 90d.
func days(text string) (time.Duration, error) {
	if n, ok := strings.CutSuffix(text, "d"); ok {
		d, err := time.ParseDuration(n + "h")
		return 24 * d, err
	}
	return time.ParseDuration(text)
}

func runLessonAdd(ctx context.Context, e env, c *command, args []string) error {
	var r remote
	var req client.CreateLessonRequest
	var life, file string
	fs := c.flags(e)
	r.bind(fs)
	fs.StringVar(&req.Title, "title", "", "a line")
	fs.StringVar(&req.Text, "text", "", "what to keep in mind, as the agent is told it")
	fs.StringVar(&file, "text-file", "", "a file with the text, - for standard input")
	fs.StringVar(&req.Team, "team", "", "whose agents; without it those of all teams")
	fs.StringVar(&req.Environment, "environment", "", "only there")
	fs.Var((*texts)(&req.Agents), "agent", "only this agent; may be given again")
	fs.StringVar(&req.Incident, "incident", "", "that it was learned of")
	fs.StringVar(&req.Owner, "owner", "me", "who takes it back in time")
	fs.StringVar(&req.Measure, "measure", "", "failures, errors, cost, duration or steps")
	fs.StringVar(&life, "for", "90d", "how long it holds, such as 90d")
	if err := parse(fs, args); err != nil {
		return err
	}
	d, err := days(life)
	if err != nil {
		return fmt.Errorf("%w: --for %q is no time such as 90d", errUsage, life)
	}
	req.ExpiresAt = time.Now().Add(d)
	if file != "" {
		in := e.stdin
		if file != "-" {
			f, err := os.Open(file)
			if err != nil {
				return err
			}
			defer f.Close()
			in = f
		}
		text, err := io.ReadAll(io.LimitReader(in, 64<<10))
		if err != nil {
			return err
		}
		req.Text = string(text)
	}
	l, err := r.client().CreateLesson(ctx, req)
	if err != nil {
		return err
	}
	return r.print(e.stdout, l, func(w io.Writer) { writeLesson(w, l) })
}

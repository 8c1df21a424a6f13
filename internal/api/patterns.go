package api

import (
	"cmp"
	"context"
	"fmt"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/feedback"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// leastPattern is how many runs have a pattern, and have not, before it is tested where
// nobody says: of fewer Fisher's test can hardly say anything.
const leastPattern = 10

func feedbackPatterns(a *API, ctx context.Context, req *client.FeedbackPatternsRequest) (*client.FeedbackPatterns, error) {
	book, err := a.feedback()
	if err != nil {
		return nil, err
	}
	if req.Agent == "" {
		return nil, fault.New(fault.KindInvalid, "feedback.invalid", "say of which agent").WithHint("runs of different agents differ in more than their steps")
	}
	f, err := feedbackFilter(a, ctx, &client.ListFeedbackRequest{Agent: req.Agent, Version: req.Version, Team: req.Team, Environment: req.Environment, From: cmp.Or(req.From, "-720h"), To: req.To})
	if err != nil {
		return nil, err
	}
	if f.To.IsZero() {
		f.To = a.o.Now()
	}
	out := &client.FeedbackPatterns{Agent: req.Agent, From: f.From, To: f.To, Least: int64(orDefault(req.Least, leastPattern)), Items: []client.FeedbackPattern{}}
	runs, more, err := book.Judged(ctx, f, feedback.PatternRuns)
	if err != nil {
		return nil, err
	}
	out.More = more
	var p feedback.Patterns
	for _, r := range runs {
		if err := a.addSteps(ctx, &p, r, out); err != nil {
			return nil, err
		}
	}
	out.Runs, out.Unhappy = p.Runs()
	all, tested := p.Compare(out.Least)
	out.Tested, out.Left = int64(tested), p.Left
	for i := range all {
		c := &all[i]
		if c.Found {
			out.Found++
		}
		if i >= orDefault(req.Limit, 20) && !c.Found || i >= 200 {
			continue
		}
		p.Show(c)
		out.Items = append(out.Items, patternOf(req.Agent, c))
	}
	out.Says, out.Possible = patternWords(out)
	return out, nil
}

// addSteps reads what a run did.
func (a *API) addSteps(ctx context.Context, p *feedback.Patterns, r feedback.Judged, out *client.FeedbackPatterns) error {
	id, err := activity.ParseRunID(r.Run)
	if err != nil {
		return fmt.Errorf("reading the run of a feedback: %w", err)
	}
	page, err := a.o.Store.StepsPage(ctx, id, telemetry.StepsQuery{Limit: feedback.PatternSteps, Light: true})
	if err != nil {
		return err
	}
	if len(page.Steps) == 0 {
		out.Unread++
		return nil
	}
	if page.More {
		out.Cut++
	}
	p.Add(r, page.Steps)
	return nil
}

func patternOf(agent string, c *feedback.Pattern) client.FeedbackPattern {
	return client.FeedbackPattern{
		Kind: c.Kind, Name: c.Name, Then: c.Then, With: shareOf(c.Bad, c.With), Without: shareOf(c.BadWithout, c.Without), Diff: intervalOf(c.Diff, c.Low, c.High, true), P: c.P, Found: c.Found,
		Search: patternSearch(agent, c), Runs: list(c.Runs), Others: list(c.Others),
	}
}

// patternSearch finds the runs of an agent with a pattern, where a search can.
func patternSearch(agent string, c *feedback.Pattern) string {
	tool := search.Either(search.Is("tool", c.Name), search.Both(search.Is("kind", "tool", "mcp", "http"), search.Is("name", c.Name)))
	failed := search.Is("status", "error")
	var of search.Expr
	switch c.Kind {
	case feedback.HasTool:
		of = tool
	case feedback.HasToolError:
		of = search.Both(tool, failed)
	case feedback.HasModel:
		of = search.Is("model", c.Name)
	case feedback.HasModelFail:
		of = search.Both(search.Is("model", c.Name), failed)
	case feedback.HasPerson:
		of = search.Is("kind", "human")
	default:
		return ""
	}
	return search.Both(search.Is("agent", agent), &search.Any{Of: of}).String()
}

// patternWords says what the figures can tell.
func patternWords(x *client.FeedbackPatterns) (says, impossible string) {
	switch {
	case x.Runs == 0:
		return "", "no user said anything good or bad of a run of this agent in the period, as far as its steps are kept"
	case x.Unhappy == 0 || x.Unhappy == x.Runs:
		return "", fmt.Sprintf("all %d users thought the same: there is nothing to compare", x.Runs)
	case x.Tested == 0:
		return "", fmt.Sprintf("no pattern of steps is in %d runs and missing in %d; there are %d runs in all", x.Least, x.Least, x.Runs)
	}
	tests := fmt.Sprintf("%d patterns of steps were tested in %d runs, one a user, %d of them with an unhappy one", x.Tested, x.Runs, x.Unhappy)
	if x.Found == 0 {
		return tests + ". None goes with unhappy users beyond what chance brings; there may be some that so few runs cannot show.", ""
	}
	return fmt.Sprintf("%s. %d go together with what users think beyond what chance brings: of all that are named so, one in twenty may be by chance. That is an association, not a cause: a hard question may bring both the step and the complaint.", tests, x.Found), ""
}

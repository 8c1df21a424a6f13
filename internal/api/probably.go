package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/detect/predict"
	"reeve/internal/identity"
	"reeve/internal/telemetry"
)

// This file ranks runs that nobody judged by how likely each has failed.

// Bounds: it answers a person who waits.
const (
	mostLearned  = 200 // judged runs
	mostGuessed  = 100 // unjudged ones
	mostScanned  = 5_000
	mostMeasured = 500   // steps of a run
	mostText     = 4_000 // bytes of what was said at once
	guessTime    = 12 * time.Second
	mostKept     = 4_000 // measured runs in memory, as numbers
)

// measuredRuns keeps what runs came to in numbers, by run and when it moved last.
type measuredRuns struct {
	mu   sync.Mutex
	runs map[activity.RunID]measuredRun
}

type measuredRun struct {
	updated int64
	run     predict.Run
}

func listProbablyFailed(a *API, ctx context.Context, req *client.ListProbablyFailedRequest) (*client.ProbablyFailed, error) {
	if req.Agent == "" {
		return nil, invalid("agent is missing").WithHint("what failure looks like is learned of each agent by itself: agent=refund-agent")
	}
	if req.From == "" {
		req.From = "-30d"
	}
	q, err := a.runsQuery(ctx, &client.ListRunsRequest{Agent: req.Agent, Environment: req.Environment, Team: req.Team, From: req.From, To: req.To, Limit: 500})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, guessTime)
	defer cancel()
	out := &client.ProbablyFailed{Agent: req.Agent, Needed: predict.LeastRuns, Bins: []client.ProbablyFailedBin{}, Items: []client.ProbablyFailedRun{}}
	judged, open, err := a.toGuess(ctx, q, out)
	if err != nil {
		return nil, err
	}
	var learn []predict.Judged
	for i := range judged {
		r, ok, err := a.measureRun(ctx, &judged[i])
		if err != nil {
			return nil, err
		}
		if !ok {
			out.Truncated = true
			break
		}
		bad, _ := badly(&judged[i])
		learn = append(learn, predict.Judged{Run: r, Failed: bad})
	}
	out.Judged = len(learn)
	for _, j := range learn {
		if j.Failed {
			out.Failed++
		}
	}
	model, err := predict.Fit(learn, 0)
	if errors.Is(err, predict.ErrFew) {
		out.Text = fmt.Sprintf("not enough judged runs: %d failed and %d did not, and %d of each are needed", out.Failed, out.Judged-out.Failed, predict.LeastRuns)
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	out.Learned = true
	if check, ok := predict.Check(learn); ok {
		out.AUROC = &check.AUROC
		for _, b := range check.Bins {
			out.Bins = append(out.Bins, client.ProbablyFailedBin{Low: b.Low, High: b.High, Runs: b.Runs, Predicted: b.Predicted, Failed: b.Failed})
		}
		out.Text = fmt.Sprintf("learned from %d judged runs, of which %d failed; of two of them, one failed and one not, it told which in %.0f of 100 cases (on runs that it had not learned from)", out.Judged, out.Failed, 100*check.AUROC)
	} else {
		out.Text = fmt.Sprintf("learned from %d judged runs, of which %d failed: too few to say how far to believe it", out.Judged, out.Failed)
	}
	share := float64(out.Failed) / float64(out.Judged)
	for i := range open {
		run := &open[i]
		r, ok, err := a.measureRun(ctx, run)
		if err != nil {
			return nil, err
		}
		if !ok {
			out.Truncated = true
			break
		}
		out.Unjudged++
		p, parts := model.Chance(r)
		item := client.ProbablyFailedRun{RunID: run.ID.String(), Start: at(run.Start), Version: run.Version, Task: run.Task, Outcome: run.Outcome, P: predict.Among(p, share), Parts: []client.ProbablyFailedReason{}}
		for _, part := range parts[:min(len(parts), 4)] {
			if math.Abs(part.Adds) >= .05 {
				item.Parts = append(item.Parts, client.ProbablyFailedReason{Name: part.Name, Adds: part.Adds})
			}
		}
		out.Items = append(out.Items, item)
	}
	slices.SortStableFunc(out.Items, func(x, y client.ProbablyFailedRun) int { return cmp.Compare(y.P, x.P) })
	out.Items = out.Items[:min(len(out.Items), orDefault(req.Limit, 50))]
	return out, nil
}

// badly reports whether a judged run failed; known is false where nobody who knows
// said how it ended.
func badly(r *activity.Run) (bad, known bool) {
	if r.Flags&activity.FlagLabelled == 0 || r.Outcome == "" {
		return false, false
	}
	return r.Outcome == activity.OutcomeFailed || r.Outcome == activity.OutcomeAbandoned, true
}

// toGuess are the newest ended runs of a question that may be read: those that were
// judged, and those that were not.
func (a *API) toGuess(ctx context.Context, q telemetry.RunsQuery, out *client.ProbablyFailed) (judged, open []activity.Run, err error) {
	who, seen := whoOf(ctx), 0
	for {
		page, err := a.runs(ctx, q)
		if err != nil {
			return nil, nil, err
		}
		for i := range page.Runs {
			r := &page.Runs[i]
			if seen++; seen > mostScanned {
				out.Truncated = true
				return judged, open, nil
			}
			over := r.Status == activity.RunDone || r.Status == activity.RunStale
			if !over || r.Mode == "test" || r.Flags&activity.FlagJoined != 0 || !who.Can(identity.Reader, r.Team, r.Environment) {
				continue
			}
			to, most := &open, mostGuessed
			if _, known := badly(r); known {
				to, most = &judged, mostLearned
			}
			if len(*to) == most {
				out.Truncated = true
				if len(judged) == mostLearned && len(open) == mostGuessed {
					return judged, open, nil
				}
				continue
			}
			*to = append(*to, *r)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return judged, open, nil
		}
	}
}

// measureRun is a run in numbers; ok is false when the time is over.
func (a *API) measureRun(ctx context.Context, run *activity.Run) (r predict.Run, ok bool, err error) {
	m := &a.measured
	m.mu.Lock()
	kept, there := m.runs[run.ID]
	m.mu.Unlock()
	if there && kept.updated == run.Updated {
		return kept.run, true, nil
	}
	if ctx.Err() != nil {
		return r, false, nil
	}
	page, err := a.steps(ctx, run, telemetry.StepsQuery{Limit: mostMeasured})
	if err == nil {
		var messages []activity.Message
		if messages, err = a.messages(ctx, run.ID, nil); err == nil {
			r = predict.Look(predictable(page.Steps, messages))
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			return r, false, nil
		}
		return r, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.runs == nil || len(m.runs) >= mostKept {
		m.runs = map[activity.RunID]measuredRun{}
	}
	m.runs[run.ID] = measuredRun{run.Updated, r}
	return r, true, nil
}

// predictable turns a run's steps into what is measured of them.
func predictable(steps []activity.Step, messages []activity.Message) (out []predict.Step) {
	type said struct {
		text [4]string
		size [4]int
	}
	const user, answer, arguments, result = 0, 1, 2, 3
	by := map[activity.StepID]*said{}
	for i := range messages {
		m := &messages[i]
		at := -1
		switch m.Field {
		case activity.ContentInput:
			if m.Role == "user" {
				at = user
			}
		case activity.ContentOutput:
			at = answer
		case activity.ContentArguments, activity.ContentQuery:
			at = arguments
		case activity.ContentResult, activity.ContentDocuments:
			at = result
		}
		if at < 0 {
			continue
		}
		of := by[m.Step]
		if of == nil {
			of = &said{}
			by[m.Step] = of
		}
		of.size[at] += int(m.Size)
		if room := mostText - len(of.text[at]); room > 0 {
			of.text[at] += string(m.Raw[:min(len(m.Raw), room)])
		}
	}
	for i := range steps {
		s := &steps[i]
		of := by[s.Step]
		if of == nil {
			of = &said{}
		}
		put := func(kind predict.Kind, at int) {
			out = append(out, predict.Step{Kind: kind, Tool: cmp.Or(s.ToolName, s.Name), Text: of.text[at], Size: of.size[at], Failed: s.Status == activity.StatusError})
		}
		switch s.Kind {
		case activity.KindModel:
			if of.text[user] != "" {
				put(predict.User, user)
			}
			put(predict.Says, answer)
		case activity.KindTool, activity.KindMCP, activity.KindHTTP, activity.KindRetrieval, activity.KindMemory, activity.KindA2A, activity.KindHandoff:
			put(predict.Calls, arguments)
			put(predict.Result, result)
		}
	}
	return out
}

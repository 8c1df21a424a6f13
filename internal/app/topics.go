package app

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/feedback"
	"reeve/internal/genai"
	"reeve/internal/telemetry"
	"reeve/internal/topic"
)

// openTopics reads how far prompts are grouped.
func (a *App) openTopics(ctx context.Context) (err error) {
	key, err := hashKey(filepath.Join(a.o.Config.Data, "topic-key"))
	if err != nil {
		return err
	}
	a.topics, err = topic.New(ctx, topic.Options{DB: a.control, Prompts: askedIn{a}, Key: key, Turns: a.turns, Busy: a.storeBehind, Logger: a.log.With("part", "topics")})
	return err
}

// storeBehind reports whether what comes waits to be stored.
func (a *App) storeBehind() bool {
	if a.reader == nil {
		return false
	}
	lag, err := a.reader.Lag()
	return lag > behind || err != nil
}

// askedIn reads what users asked in runs.
type askedIn struct{ app *App }

const (
	askedSteps = 300     // of a run, the first
	askedBytes = 1 << 20 // of its messages
	askedMost  = 50      // texts, the last
)

func (r askedIn) Ended(ctx context.Context, since time.Time, limit int) ([]activity.Run, error) {
	return textsOf(r).Ended(ctx, since, limit)
}

// Asked are the texts of users in a run. Models are told of them: the last call of
// the agent that made the first has the whole conversation, as far as the agent
// sends it. What an agent writes to another is not a user's. A run without such a
// call has its input.
func (r askedIn) Asked(ctx context.Context, id activity.RunID) ([]string, bool, error) {
	run, err := r.app.store.Run(ctx, id)
	if fault.Is(err, fault.KindNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	page, err := r.app.store.StepsPage(ctx, id, telemetry.StepsQuery{Limit: askedSteps, Light: true})
	if err != nil {
		return nil, false, err
	}
	for _, s := range askedAt(page.Steps) {
		texts, err := r.textsOf(ctx, id, s)
		if err != nil {
			return nil, false, err
		}
		if len(texts) == 0 {
			continue
		}
		texts = texts[max(0, len(texts)-askedMost):]
		for i, t := range texts {
			texts[i], _ = r.app.redactComment(run.Team, run.Environment, t)
		}
		return texts, true, nil
	}
	return nil, true, nil
}

// askedAt are the steps that may say what was asked, the best first.
func askedAt(steps []activity.Step) []*activity.Step {
	var first, last, root *activity.Step
	for i := range steps {
		s := &steps[i]
		if s.Kind == activity.KindModel && (first == nil || s.Agent == first.Agent) {
			if first == nil {
				first = s
			}
			last = s
		}
		if s.Parent == (activity.StepID{}) && (root == nil || s.Start < root.Start) {
			root = s
		}
	}
	var out []*activity.Step
	for _, s := range []*activity.Step{last, first, root} {
		if s != nil {
			out = append(out, s)
		}
	}
	return out
}

func (r askedIn) textsOf(ctx context.Context, id activity.RunID, s *activity.Step) ([]string, error) {
	var want []int32
	for k, ref := range s.Refs {
		if ref.Field == activity.ContentInput && activity.Said(s.Refs, k) {
			want = append(want, ordinalsOf(ref.Messages)...)
		}
	}
	// The newest first: there is a bound on what is loaded.
	for i, j := 0, len(want)-1; i < j; i, j = i+1, j-1 {
		want[i], want[j] = want[j], want[i]
	}
	if len(want) == 0 {
		return nil, nil
	}
	msgs, err := r.app.store.MessagesWithin(ctx, id, want, askedBytes)
	if err != nil {
		return nil, err
	}
	at := make(map[int32]*activity.Message, len(msgs))
	for i := range msgs {
		at[msgs[i].Ordinal] = &msgs[i]
	}
	var out []string
	for i := len(want) - 1; i >= 0; i-- {
		if m := at[want[i]]; m != nil {
			if text := userText(m, s.Kind == activity.KindModel); text != "" {
				out = append(out, text)
			}
		}
	}
	return out, nil
}

// userText is what a user wrote in a message. Results of tools come back under the
// user's name with some providers; they are not the user's. A message that no
// provider's form is known of counts where it is the run's own input.
func userText(m *activity.Message, model bool) string {
	parsed, err := genai.Parse(m.Format, m.Raw)
	if err != nil {
		if model || len(m.Raw) > 0 && (m.Raw[0] == '{' || m.Raw[0] == '[') {
			return ""
		}
		return strings.TrimSpace(string(m.Raw))
	}
	if parsed.Role != "user" && (model || parsed.Role != "") {
		return ""
	}
	var b strings.Builder
	for _, p := range parsed.Parts {
		if p.Type != genai.PartText || p.Text == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.Text)
	}
	return strings.TrimSpace(b.String())
}

const (
	saidEvery = 5 * time.Second
	saidPage  = 500
)

// followSaid tells topics what users thought of runs.
func (a *App) followSaid(ctx context.Context) error {
	tick := time.NewTicker(saidEvery)
	defer tick.Stop()
	for {
		if err := a.tellSaid(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("what users think is not in topics yet", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (a *App) tellSaid(ctx context.Context) error {
	seq, err := a.topics.SaidUpTo(ctx)
	if err != nil {
		return err
	}
	for {
		page, err := a.feedback.After(ctx, seq, saidPage)
		if err != nil || len(page) == 0 {
			return err
		}
		verdicts := map[activity.RunID]string{}
		for i := range page {
			f := &page[i]
			seq = f.Seq
			run, err := activity.ParseRunID(f.Run)
			switch {
			case err != nil || f.Giver != feedback.User: // not joined yet: it comes again when it is
			case f.Removed:
				verdicts[run] = ""
			case f.Verdict != "":
				verdicts[run] = f.Verdict
			}
		}
		if err := a.topics.Said(ctx, verdicts, seq); err != nil {
			return err
		}
	}
}

// topicFigures gives how grouping goes.
func (p *parts) topicFigures(out chan<- prometheus.Metric) {
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	s := p.a.topics.Stats()
	for _, f := range []figure{
		{"reeve_topic_runs_total", "Runs in which what was asked was looked at.", counter, float64(s.Runs)},
		{"reeve_topic_prompts_total", "Prompts that were read for what they mean.", counter, float64(s.Prompts)},
		{"reeve_topic_skipped_total", "Runs that were not looked at: too many waited.", counter, float64(s.Skipped)},
		{"reeve_topic_failed_total", "Runs that could not be read, after several tries.", counter, float64(s.Failed)},
		{"reeve_topic_seconds_total", "Time that grouping took.", counter, float64(s.Micros) / 1e6},
		{"reeve_topic_waiting", "Runs that wait to be looked at.", gauge, float64(s.Waiting)},
	} {
		out <- f.metric()
	}
}

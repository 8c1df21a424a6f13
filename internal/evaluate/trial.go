package evaluate

import (
	"cmp"
	"context"
	"crypto/rand"
	"math"
	"slices"
	"time"

	"reeve/internal/activity"
	"reeve/internal/fault"
)

// Trial is what an evaluator that need not be kept finds of the newest runs that it would
// look at. Nothing of it is kept.
type Trial struct {
	Found  []Evaluation // the newest run first
	Judged map[string]int64
	Tokens int64   // of a judge
	Cost   float64 // USD, of what has a price
	// CostUnknown are a judge's answers without a price.
	CostUnknown int64
	Refused     *fault.Error // why a judge was asked no more; what it found before stays
	Gone        int64        // runs whose texts are not kept
}

const (
	// MaxTrial bounds the runs of a trial, and MaxJudged those of one that asks a model.
	MaxTrial, MaxJudged = 100, 10

	trialSince = 30 * 24 * time.Hour
	trialTime  = 2 * time.Minute
)

// TryRuns tells what an evaluator would say of the newest runs that it would look at, all
// of them whatever its share. Who may set it may try it.
func (b *Book) TryRuns(ctx context.Context, who Actor, e Evaluator, most int) (*Trial, error) {
	if err := who.may([]string{"developer"}, e.Team, e.Environment); err != nil {
		return nil, err
	}
	select {
	case b.trying <- struct{}{}:
		defer func() { <-b.trying }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	e.Name, e.Share, e.Off = cmp.Or(e.Name, "try"), cmp.Or(e.Share, 1), false
	out, err := b.compile(e)
	if err != nil {
		return nil, err
	}
	limit := MaxTrial
	if out.Judge != nil {
		if err := b.mayAsk(who, out.Judge); err != nil {
			return nil, err
		}
		// Tries have a day of their own, whatever the judge that is tried says.
		limit = MaxJudged
		judge := *out.Judge
		judge.Daily, out.Judge, out.Name = 0, &judge, "try"
	}
	if most < 1 || most > limit {
		return nil, invalid("a trial of this kind looks at 1 to %d runs", limit)
	}
	runs, err := b.o.Runs.Newest(ctx, out, b.o.Now().Add(-trialSince), most)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, trialTime)
	defer cancel()
	t := &Trial{Judged: map[string]int64{}}
	for _, id := range runs {
		if err := b.tryRun(ctx, out, id, t); err != nil {
			return nil, err
		}
		if t.Refused != nil {
			break
		}
	}
	return t, nil
}

func (b *Book) tryRun(ctx context.Context, e *Evaluator, run activity.RunID, t *Trial) error {
	texts, ok, err := b.o.Runs.Texts(ctx, run)
	if err != nil {
		return err
	}
	if !ok || texts.Mode == Test || b.judges(texts.Agent) && e.Judge != nil {
		t.Gone++
		return nil
	}
	began := time.Now()
	x := Evaluation{Run: run.String(), Evaluator: e.Name, Kind: e.Kind, Source: Online, Agent: texts.Agent, Version: texts.Version, Team: texts.Team, Environment: texts.Environment, At: b.o.Now().UTC(), Cost: Cost{Amount: math.NaN()}}
	if e.Judge == nil {
		x.Found = e.Look(&texts)
	} else if err := b.spend(ctx, e); err != nil {
		t.Refused = fault.From(err)
		return nil
	} else if x.Found, x.Cost, err = b.ask(ctx, e, &texts, id("trial", rand.Text())); err != nil {
		t.Refused = fault.From(err)
		return nil
	} else {
		b.paid(x.Cost)
		t.Tokens += x.Tokens
		switch {
		case math.IsNaN(x.Amount):
			t.CostUnknown++
		default:
			t.Cost += x.Amount
		}
	}
	x.TookUS = time.Since(began).Microseconds()
	t.Found = append(t.Found, x)
	if slices.Contains(Verdicts, x.Verdict) {
		t.Judged[x.Verdict]++
	}
	return nil
}

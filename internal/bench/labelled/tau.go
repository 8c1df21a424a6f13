package labelled

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"reeve/internal/detect/predict"
)

// tauRun is a run of an agent whose reward is known.
type tauRun struct {
	domain, task string
	run          predict.Run
	failed       bool
	steps        int
}

func readTau(dir string) (out []tauRun, err error) {
	err = eachLine(dir, "runs.jsonl", func(line []byte) error {
		var r struct {
			Domain string
			Task   json.Number `json:"task_id"`
			Reward *float64
			Steps  []struct {
				Kind, Tool, Text string
				Args             json.RawMessage
				Len              int
				Error            any
			}
		}
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		if r.Reward == nil {
			return fmt.Errorf("task %s has no reward", r.Task)
		}
		kinds := map[string]predict.Kind{"say": predict.Says, "call": predict.Calls, "result": predict.Result, "user": predict.User}
		var steps []predict.Step
		for _, s := range r.Steps {
			k, ok := kinds[s.Kind]
			if !ok {
				return fmt.Errorf("a step of kind %q", s.Kind)
			}
			text := s.Text
			if k == predict.Calls {
				text = string(s.Args)
			}
			bad := s.Error != nil && s.Error != false && s.Error != "" || k == predict.Result && strings.HasPrefix(strings.ToLower(s.Text), "error")
			steps = append(steps, predict.Step{Kind: k, Tool: s.Tool, Text: text, Size: s.Len, Failed: bad})
		}
		out = append(out, tauRun{r.Domain, string(r.Task), predict.Look(steps), *r.Reward < 1, len(steps)})
		return nil
	})
	return out, err
}

// tauFolds of tasks for cross-fitting.
const tauFolds = 10

// tau predicts which runs failed, with a model fitted on the other tasks.
func tau(ctx context.Context, dir string, _ uint64) (*Report, error) {
	all, err := readTau(dir)
	if err != nil {
		return nil, err
	}
	domains := map[string][]tauRun{}
	for _, r := range all {
		domains[r.domain] = append(domains[r.domain], r)
	}
	rep := &Report{About: fmt.Sprintf("%d runs of tau-bench: is it known from how a run went that it failed? Fitted on the runs of other tasks (%d folds, mean of %d ways to cut them)", len(all), tauFolds, whoWays)}
	sum, pairs := 0.0, 0.0
	var each []Figure
	for _, d := range sortedKeys(domains) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		value, weight, err := tauCross(domains[d])
		if err != nil {
			return nil, fmt.Errorf("domain %s: %w", d, err)
		}
		sum, pairs = sum+value*weight, pairs+weight
		long := make([]float64, len(domains[d]))
		failed := make([]bool, len(long))
		for i, r := range domains[d] {
			long[i], failed[i] = float64(r.steps), r.failed
		}
		each = append(each, Figure{Name: "  " + d, Value: value, N: len(long)}, Figure{Name: "    by length alone", Value: auroc(long, failed)})
	}
	if pairs == 0 {
		return nil, fmt.Errorf("no domain in %s has runs of both outcomes", dir)
	}
	rep.add("AUROC, mean of domains by pairs", sum/pairs).atLeast(.75).of(len(all))
	rep.Figures = append(rep.Figures, each...)
	return rep, nil
}

// tauCross is the area under the curve of one domain's runs, and how many pairs of
// a failed and a good run it is over.
func tauCross(runs []tauRun) (value, pairs float64, err error) {
	for way := range whoWays {
		scores, failed := make([]float64, len(runs)), make([]bool, len(runs))
		for fold := range tauFolds {
			var rest []predict.Judged
			for _, r := range runs {
				if taskFold(r, way) != fold {
					rest = append(rest, predict.Judged{Run: r.run, Failed: r.failed})
				}
			}
			m, err := predict.Fit(rest, 0)
			if err != nil {
				return 0, 0, err
			}
			for i, r := range runs {
				if taskFold(r, way) == fold {
					scores[i], _ = m.Chance(r.run)
					failed[i] = r.failed
				}
			}
		}
		value += auroc(scores, failed) / whoWays
	}
	bad := 0
	for _, r := range runs {
		bad += whole(r.failed)
	}
	return value, float64(bad * (len(runs) - bad)), nil
}

func taskFold(r tauRun, way int) int { return foldOf(r.domain+r.task, way) % tauFolds }

// auroc is the chance that a positive has a higher score than a negative.
func auroc(scores []float64, positive []bool) float64 {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
	sum, below, pos := 0.0, 0.0, 0.0
	for i := 0; i < len(order); {
		j, p, n := i, 0.0, 0.0
		for ; j < len(order) && scores[order[j]] == scores[order[i]]; j++ {
			if positive[order[j]] {
				p++
			} else {
				n++
			}
		}
		sum += p * (below + n/2)
		below, pos, i = below+n, pos+p, j
	}
	return sum / (below * pos)
}

package experiment

import (
	"context"
	"encoding/json"
	"math"
	"slices"

	"reeve/internal/control"
)

// Results are what came of an experiment's tasks, in their order, with their answers.
func (b *Book) Results(ctx context.Context, id string) ([]Result, error) {
	return control.All(ctx, b.o.DB, func(r control.Row) (x Result, err error) {
		var text string
		if err := r.Scan(&x.Experiment, &text, &x.RunID, &x.Forgotten); err != nil {
			return x, err
		}
		return x, json.Unmarshal([]byte(text), &x)
	}, `SELECT experiment, body, run, forgotten FROM experiment_results WHERE experiment = ? ORDER BY seq`, id)
}

// counted are results as figures count them: without what was said.
func (b *Book) counted(ctx context.Context, id string) ([]Result, error) {
	return control.All(ctx, b.o.DB, func(r control.Row) (x Result, err error) {
		return x, r.Scan(&x.Item, &x.Passed, &x.Valid, &x.Failed, &x.Pair, &x.Group, &x.RunID, &x.Cost)
	}, `SELECT item, passed, valid, failed, pair, side, run, cost_nanos FROM experiment_results WHERE experiment = ? ORDER BY seq`, id)
}

// forgetOld takes the texts of results that are older than answersKept, whose figures
// stay, and what is older than experimentsKept.
func (b *Book) forgetOld(ctx context.Context) error {
	old := control.Micros(b.o.Now().Add(-experimentsKept))
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		for _, q := range []string{`DELETE FROM experiment_results WHERE experiment IN (SELECT id FROM experiments WHERE at < ?)`, `DELETE FROM experiments WHERE at < ?`} {
			if _, err := tx.Exec(ctx, q, old); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return b.forget(ctx, `experiment IN (SELECT id FROM experiments WHERE at < ? AND state NOT IN ('waiting', 'running'))`, control.Micros(b.o.Now().Add(-answersKept)))
}

// Forget takes what was said of some items' cases out of all results, as when the
// person they are of is erased. It returns how many results there were.
func (b *Book) Forget(ctx context.Context, items []string) (n int64, err error) {
	for some := range slices.Chunk(items, 500) {
		args := make([]any, len(some))
		for i := range some {
			args[i] = some[i]
		}
		var these int64
		if these, err = b.forgetting(ctx, `item IN (?`+repeated(len(some)-1)+`)`, args...); err != nil {
			return n, err
		}
		n += these
	}
	return n, nil
}

func repeated(n int) string {
	out := make([]byte, 0, 3*n)
	for range n {
		out = append(out, ", ?"...)
	}
	return string(out)
}

func (b *Book) forget(ctx context.Context, where string, args ...any) error {
	_, err := b.forgetting(ctx, where, args...)
	return err
}

// forgetting empties results some at a time, so that no transaction is long.
func (b *Book) forgetting(ctx context.Context, where string, args ...any) (n int64, err error) {
	type row struct {
		experiment, text string
		seq              int64
	}
	for {
		var some []row
		err := b.o.DB.Write(ctx, func(tx *control.Tx) (err error) {
			some, err = control.All(ctx, tx, func(r control.Row) (x row, err error) {
				return x, r.Scan(&x.experiment, &x.seq, &x.text)
			}, `SELECT experiment, seq, body FROM experiment_results WHERE forgotten = 0 AND `+where+` LIMIT 100`, args...)
			if err != nil {
				return err
			}
			for _, x := range some {
				var r Result
				if err := json.Unmarshal([]byte(x.text), &r); err != nil {
					return err
				}
				r.Answer, r.Why = "", ""
				for i := range r.Checks {
					r.Checks[i].Text = ""
				}
				text, err := json.Marshal(r)
				if err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, `UPDATE experiment_results SET forgotten = 1, body = ? WHERE experiment = ? AND seq = ?`, string(text), x.experiment, x.seq); err != nil {
					return err
				}
			}
			return nil
		})
		n += int64(len(some))
		if err != nil || len(some) < 100 {
			return n, err
		}
	}
}

// Summary is what an experiment comes to.
type Summary struct {
	Figures
	Ran                   int64   // tasks of which there is a result
	Against               *Paired // with its baseline, on the cases that both ran once or more: by whether all tries passed
	FailedRun, FailedItem string  // the first that did not pass
	// Of a bias test.
	Pairs           *Paired
	A, NA, B, NB    int64
	Ratio, Low, Top float64 // NaN unknown
	Saved           *Saved  // of a proof; its pairs are a as recorded, b as replayed
}

// Sum adds an experiment up; no answer is read for it.
func (b *Book) Sum(ctx context.Context, x *Experiment) (Summary, error) {
	all, err := b.counted(ctx, x.ID)
	s := Summary{Figures: figures(all, x.Repeats), Ratio: math.NaN(), Low: math.NaN(), Top: math.NaN()}
	if err != nil {
		return s, err
	}
	s.Ran = int64(len(all))
	if x.Kind == ProofKind {
		s.Ran /= 2 // a run has one as it was and one as it is
	}
	for i := range all {
		if r := &all[i]; s.FailedRun == "" && (!r.Passed || !r.Valid) {
			s.FailedRun, s.FailedItem = r.RunID, r.Item
		}
	}
	switch x.Kind {
	case BiasKind:
		s.bias(all)
	case ProofKind:
		s.bias(all)
		s.saved(all)
	}
	if x.Baseline == "" {
		return s, nil
	}
	before, err := b.counted(ctx, x.Baseline)
	if err != nil {
		return s, err
	}
	was, is := byItem(before), byItem(all)
	var pairs, first, second int64
	for item, now := range is {
		then, ok := was[item]
		if !ok {
			continue
		}
		pairs++
		switch {
		case then && !now:
			first++
		case now && !then:
			second++
		}
	}
	p := paired(pairs, first, second)
	s.Against = &p
	return s, nil
}

func byItem(all []Result) map[string]bool {
	out := map[string]bool{}
	for i := range all {
		r := &all[i]
		if !r.Valid {
			continue
		}
		was, seen := out[r.Item]
		out[r.Item] = r.Passed && (was || !seen)
	}
	return out
}

// bias compares the two of each pair. A pair is what was drawn: its repeats are one
// answer each, that of most of them, or a few pairs repeated often would seem many.
// What did not answer is no answer that favours nobody: it is not counted.
func (s *Summary) bias(all []Result) {
	votes := map[string]*[2]int{} // of pair and group: favourable, not
	var pairs []string
	for i := range all {
		r := &all[i]
		if !r.Valid || r.Failed {
			continue
		}
		v := votes[r.Pair+r.Group]
		if v == nil {
			v = &[2]int{}
			votes[r.Pair+r.Group] = v
		}
		if r.Passed {
			v[0]++
		} else {
			v[1]++
		}
		if !slices.Contains(pairs, r.Pair) {
			pairs = append(pairs, r.Pair)
		}
	}
	var both, first, second int64
	for _, p := range pairs {
		a, b := votes[p+"a"], votes[p+"b"]
		if a == nil || b == nil || a[0] == a[1] || b[0] == b[1] {
			continue
		}
		one, two := a[0] > a[1], b[0] > b[1]
		both++
		s.NA, s.NB = s.NA+1, s.NB+1
		if one {
			s.A++
		}
		if two {
			s.B++
		}
		if one && !two {
			first++
		} else if two && !one {
			second++
		}
	}
	p := paired(both, first, second)
	s.Pairs = &p
	if r, low, high, ok := FourFifths(s.A, s.NA, s.B, s.NB); ok {
		s.Ratio, s.Low, s.Top = r, low, high
	}
}

package labelled

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"reeve/internal/detect/chance"
	"reeve/internal/detect/contrast"
)

// differentNames are the attributes of simulated runs, with how many values each
// has. Some go along with others, as in a house: a version has its model and
// prompt, a task its tool.
var differentNames = []struct {
	name   string
	values int
	with   string // the name that it goes along with, mostly
}{
	{"version", 4, ""},
	{"prompt", 5, "version"},
	{"model", 3, "version"},
	{"task", 6, ""},
	{"tool", 8, "task"},
	{"source version", 5, ""},
	{"policy", 3, ""},
	{"user group", 7, ""},
	{"region", 4, ""},
	{"language", 5, "region"},
	{"instance", 40, ""},
	{"session", 500, ""},
}

// differentRows makes runs; which of them fail is up to the fault.
func differentRows(r *rand.Rand, n int) (rows [][]contrast.Attribute) {
	skew := map[string][]float64{}
	for _, a := range differentNames {
		w := make([]float64, a.values)
		for i := range w {
			w[i] = r.ExpFloat64() + .1
		}
		skew[a.name] = w
	}
	for range n {
		at := map[string]int{}
		var row []contrast.Attribute
		for _, a := range differentNames {
			v := weighted(r, skew[a.name])
			if a.with != "" && r.Float64() < .6 {
				v = at[a.with] % a.values
			}
			at[a.name] = v
			row = append(row, contrast.Attribute{Name: a.name, Value: fmt.Sprint(a.name, " ", v)})
		}
		rows = append(rows, row)
	}
	return rows
}

func weighted(r *rand.Rand, w []float64) int {
	sum := 0.0
	for _, x := range w {
		sum += x
	}
	x := r.Float64() * sum
	for i := range w {
		if x -= w[i]; x < 0 {
			return i
		}
	}
	return len(w) - 1
}

// different injects faults into simulated tables and asks what is different.
func different(ctx context.Context, _ string, seed uint64) (*Report, error) {
	return differentTrials(ctx, seed, 400)
}

func differentTrials(ctx context.Context, seed uint64, trials int) (*Report, error) {
	first, three, quiet, named := 0, 0, 0, 0
	for trial := range trials {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r := rand.New(rand.NewPCG(seed, uint64(trial)))
		rows := differentRows(r, 1000+r.IntN(3000))
		guilty := differentNames[r.IntN(len(differentNames)-1)].name // sessions are not to blame
		i := slices.IndexFunc(rows[0], func(a contrast.Attribute) bool { return a.Name == guilty })
		value := rows[r.IntN(len(rows))][i].Value // as often as it is used
		base, worse := .01+.06*r.Float64(), .15+.6*r.Float64()
		var table, none contrast.Table
		for _, row := range rows {
			failed := r.Float64() < base || row[i].Value == value && r.Float64() < worse
			table.Add(row, failed)
			none.Add(row, r.Float64() < base)
		}
		at := slices.IndexFunc(table.Rank(0), func(d contrast.Difference) bool { return d.Name == guilty && d.Value == value })
		first += whole(at == 0)
		three += whole(at >= 0 && at < 3)
		quiet += whole(len(none.Rank(0)) == 0)
		named++
	}
	rep := &Report{About: fmt.Sprintf("%d simulated tables of 1,000 to 4,000 runs with %d attributes, one value of which makes runs fail: what is different about the failed ones?", trials, len(differentNames))}
	low, high := chance.Wilson(float64(three), float64(trials))
	rep.add("the guilty value is among the first three", float64(three)/float64(trials)).atLeast(.9).of(named).interval(low, high)
	rep.add("  is first", float64(first)/float64(trials))
	rep.add("without a fault, nothing is named", float64(quiet)/float64(trials)).atLeast(.9).of(trials)
	return rep, nil
}

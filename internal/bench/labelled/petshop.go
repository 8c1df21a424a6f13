package labelled

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/internal/detect/chance"
	"reeve/internal/provenance"
)

// petTable is one file of metrics: values by node, metric and statistic.
type petTable struct {
	times  []float64
	values map[[3]string][]float64 // NaN where there is none
	nodes  []string
}

// petCase is an incident with its known cause.
type petCase struct {
	name, scenario, symptom, metric, cause string
	at                                     float64
	table                                  *petTable
}

// petshop ranks the causes of recorded incidents of a service graph.
func petshop(ctx context.Context, dir string, _ uint64) (*Report, error) {
	cases, normal, edges, err := readPetshop(dir)
	if err != nil {
		return nil, err
	}
	r := &Report{About: fmt.Sprintf("%d incidents of a service graph with known cause (PetShop): is it first, among the first three?", len(cases))}
	hits := map[string][3]int{}
	silent, quiet := 0, 0
	for _, c := range cases {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		at := petRank(c, normal[c.scenario], edges[c.scenario])
		for _, k := range []string{"", c.metric} {
			h := hits[k]
			h[2]++
			if at == 0 {
				h[0]++
			}
			if at >= 0 && at < 3 {
				h[1]++
			}
			hits[k] = h
		}
	}
	for _, scenario := range sortedKeys(normal) {
		for _, metric := range []string{"latency", "availability"} {
			s, q := petQuiet(normal[scenario], edges[scenario], cases[0].symptom, metric)
			silent, quiet = silent+s, quiet+q
		}
	}
	all := hits[""]
	for i, name := range []string{"AC@1", "AC@3"} {
		low, high := chance.Wilson(float64(all[i]), float64(all[2]))
		r.add(name, float64(all[i])/float64(all[2])).atLeast([]float64{.65, .90}[i]).of(all[2]).interval(low, high)
	}
	for _, k := range sortedKeys(hits) {
		if h := hits[k]; k != "" {
			r.add("  AC@1 "+k, float64(h[0])/float64(h[2])).of(h[2])
			r.add("  AC@3 "+k, float64(h[1])/float64(h[2])).of(h[2])
		}
	}
	r.add("ordinary times without a cause named", float64(silent)/float64(quiet)).of(quiet)
	r.Peers = []Peer{
		{"traversal, by the set's authors: latency, low traffic", map[string]float64{"AC@1": .571, "AC@3": .571}},
		{"  availability, low traffic", map[string]float64{"AC@1": .833, "AC@3": 1}},
		{"  latency, high traffic", map[string]float64{"AC@1": .571, "AC@3": .786}},
		{"  availability, high traffic", map[string]float64{"AC@1": .667, "AC@3": 1}},
	}
	return r, nil
}

// bad is a node's figure, larger when worse.
func (t *petTable) bad(node, metric string) []float64 {
	v := t.values[[3]string{node, metric, "Average"}]
	if metric != "availability" {
		return v
	}
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = 100 - x
	}
	return out
}

// petParts cuts the windows at the time of the symptom.
func petParts(t, normal *petTable, metric string, at float64) (parts []provenance.Part) {
	split := 0
	for split < len(t.times) && t.times[split]+150 < at {
		split++
	}
	for _, n := range t.nodes {
		p := provenance.Part{ID: n, Normal: normal.bad(n, metric)}
		if now := t.bad(n, metric); len(now) > 0 {
			p.Before, p.Now = now[:split], now[split:]
		}
		if req := t.values[[3]string{n, "requests", "Sum"}]; len(req) > split {
			sum, k := 0.0, 0
			for _, x := range req[split:] {
				if !math.IsNaN(x) {
					sum, k = sum+x, k+1
				}
			}
			if k > 0 {
				p.Volume = sum / float64(k)
			}
		}
		parts = append(parts, p)
	}
	return parts
}

func petRank(c petCase, normal *petTable, edges []provenance.Edge) int {
	causes := provenance.Rank(c.symptom, petParts(c.table, normal, c.metric, c.at), edges)
	return slices.IndexFunc(causes, func(x provenance.Cause) bool { return x.ID == c.cause })
}

// petQuiet asks for causes in ordinary times, where there is none.
func petQuiet(normal *petTable, edges []provenance.Edge, symptom, metric string) (silent, n int) {
	for from := 300; from+5 < len(normal.times); from += 10 {
		now := &petTable{times: normal.times[from : from+5], nodes: normal.nodes, values: map[[3]string][]float64{}}
		before := &petTable{times: normal.times[:300], nodes: normal.nodes, values: map[[3]string][]float64{}}
		for k, v := range normal.values {
			now.values[k], before.values[k] = v[from:from+5], v[:300]
		}
		n++
		if len(provenance.Rank(symptom, petParts(now, before, metric, now.times[2]), edges)) == 0 {
			silent++
		}
	}
	return silent, n
}

func readPetshop(dir string) (cases []petCase, normal map[string]*petTable, edges map[string][]provenance.Edge, err error) {
	targets, err := filepath.Glob(filepath.Join(dir, "*", "*", "*", "target.json"))
	if err != nil || len(targets) == 0 {
		return nil, nil, nil, fmt.Errorf("there is no HALF/SCENARIO/ISSUE/target.json below %s", dir)
	}
	normal, edges = map[string]*petTable{}, map[string][]provenance.Edge{}
	for _, path := range targets {
		issue := filepath.Dir(path)
		scenario := filepath.Base(filepath.Dir(issue))
		c := petCase{name: filepath.Base(issue), scenario: scenario}
		if normal[scenario] == nil {
			if normal[scenario], err = readPetTable(filepath.Join(dir, "common", scenario, "noissue_metrics.csv.gz")); err != nil {
				return nil, nil, nil, err
			}
			if edges[scenario], err = readPetGraph(filepath.Join(dir, "common", scenario, "graph.csv")); err != nil {
				return nil, nil, nil, err
			}
		}
		if c.table, err = readPetTable(filepath.Join(issue, "metrics.csv")); err != nil {
			return nil, nil, nil, err
		}
		var target struct {
			Target struct {
				Node, Metric string
				Timestamp    float64
			}
			Cause struct{ Node string } `json:"root_cause"`
		}
		text, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(text, &target)
		}
		if err != nil {
			return nil, nil, nil, fmt.Errorf("reading %s: %w", path, err)
		}
		c.symptom, c.metric, c.at, c.cause = target.Target.Node, target.Target.Metric, target.Target.Timestamp, target.Cause.Node
		cases = append(cases, c)
	}
	return cases, normal, edges, nil
}

func readPetTable(path string) (*petTable, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
	}
	rows, err := csv.NewReader(in).ReadAll()
	if err == nil && len(rows) < 4 {
		err = errors.New("want three rows of names and then values")
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	t := &petTable{values: map[[3]string][]float64{}}
	for j := 1; j < len(rows[0]); j++ {
		key := [3]string{rows[0][j], rows[1][j], rows[2][j]}
		if !slices.Contains(t.nodes, key[0]) {
			t.nodes = append(t.nodes, key[0])
		}
		t.values[key] = nil
	}
	for _, row := range rows[3:] {
		at, err := strconv.ParseFloat(row[0], 64)
		if err != nil {
			continue // the name of the time's column stands in a row of its own
		}
		t.times = append(t.times, at)
		for j := 1; j < len(row); j++ {
			key := [3]string{rows[0][j], rows[1][j], rows[2][j]}
			v := math.NaN()
			if row[j] != "" {
				if v, err = strconv.ParseFloat(row[j], 64); err != nil {
					return nil, fmt.Errorf("reading %s at %s: %w", path, time.Unix(int64(at), 0).UTC(), err)
				}
			}
			t.values[key] = append(t.values[key], v)
		}
	}
	return t, nil
}

func readPetGraph(path string) (out []provenance.Edge, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	for i, row := range rows {
		for j := 1; i > 0 && j < len(row); j++ {
			if v, err := strconv.ParseFloat(row[j], 64); err == nil && v != 0 {
				out = append(out, provenance.Edge{From: row[0], To: rows[0][j]})
			}
		}
	}
	return out, nil
}

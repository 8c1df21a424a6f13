package faults

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"reeve/internal/finding"
)

// place is where people's verdicts count: a detector and an agent.
type place struct{ detector, agent string }

// Verdicts are what people said of findings.
type Verdicts map[place]finding.Learned

// Moved is one threshold that verdicts moved.
type Moved struct {
	Detector string  `json:"detector"`
	Agent    string  `json:"agent"`
	Noise    int     `json:"noise"`
	Useful   int     `json:"useful"`
	Before   float64 `json:"before"` // as a part of the alarms a week that are set: 1
	After    float64 `json:"after"`
	Effect   float64 `json:"effect"` // by how much the smallest effect grew
}

// Side is one replay.
type Side struct {
	Noise     int     `json:"noise"`      // findings of warning and critical that nothing was behind
	Later     int     `json:"later"`      // of these, in the second half of the days without a fault, and after
	Recall    float64 `json:"recall"`     // of the faults
	Precision float64 `json:"precision"`  // in the time with faults
	QuietWeek float64 `json:"quiet_week"` // alarms an agent-week without a fault
}

// NoiseReport is what verdicts change.
type NoiseReport struct {
	Before  Side    `json:"before"`
	After   Side    `json:"after"`   // every finding was judged
	Halfway Side    `json:"halfway"` // those of the first half of the days without a fault alone
	Moved   []Moved `json:"moved"`
}

// Noise lets the fleet work, judges every finding by the truth (noise where no fault
// was behind it, useful where one was), and replays the same with the verdicts.
func Noise(ctx context.Context, o Options) (*NoiseReport, error) {
	def(&o.Days, 5)
	first, err := Run(ctx, o)
	if err != nil {
		return nil, err
	}
	half := start.Add(day + time.Duration(o.Days-1)*day/2)
	out := &NoiseReport{Before: first.side(half)}
	all := first.verdicts(time.Time{})
	replay := func(v Verdicts) (Side, error) {
		o.Verdicts = v
		r, err := Run(ctx, o)
		if err != nil {
			return Side{}, err
		}
		return r.side(half), nil
	}
	if out.After, err = replay(all); err != nil {
		return nil, err
	}
	if out.Halfway, err = replay(first.verdicts(half)); err != nil {
		return nil, err
	}
	for p, l := range all {
		if l.Factor() < 1 {
			out.Moved = append(out.Moved, Moved{p.detector, p.agent, l.Noise, l.Useful, 1, l.Factor(), l.Effect()})
		}
	}
	slices.SortFunc(out.Moved, func(x, y Moved) int {
		return cmp.Or(cmp.Compare(x.After, y.After), strings.Compare(x.Detector, y.Detector), strings.Compare(x.Agent, y.Agent))
	})
	return out, nil
}

// verdicts are what somebody who knows the truth says of each finding up to a time;
// zero is all.
func (r *Report) verdicts(until time.Time) Verdicts {
	out := Verdicts{}
	for _, x := range r.judged {
		if !until.IsZero() && x.at.After(until) {
			continue
		}
		p := place{x.detector, x.agent}
		l := out[p]
		if x.right {
			l.Useful++
		} else {
			l.Noise++
		}
		out[p] = l
	}
	return out
}

func (r *Report) side(half time.Time) Side {
	s := Side{Recall: r.Recall, Precision: r.Precision, QuietWeek: float64(r.QuietAlarms) / max(r.QuietWeeks, 1e-9)}
	for _, x := range r.judged {
		if !x.right {
			s.Noise++
			if x.at.After(half) {
				s.Later++
			}
		}
	}
	return s
}

// Text is the report for people.
func (n *NoiseReport) Text() string {
	var b strings.Builder
	row := func(name string, s Side) {
		fmt.Fprintf(&b, "%-42s %5d %7d %14.2f %8.3f %10.3f\n", name, s.Noise, s.Later, s.QuietWeek, s.Recall, s.Precision)
	}
	fmt.Fprintf(&b, "%-42s %5s %7s %14s %8s %10s\n", "", "noise", "later", "an agent-week", "recall", "precision")
	row("before any verdict", n.Before)
	row("the same data after every verdict on them", n.After)
	row("after verdicts of the first half alone", n.Halfway)
	fmt.Fprintf(&b, "(\"later\" of the last row is noise that no verdict had seen)\n")
	fmt.Fprintf(&b, "\nmoved: %d of the allowed alarms a week, each shown at its detector and moved back by taking the verdict back\n", len(n.Moved))
	by := map[string]int{}
	for _, m := range n.Moved {
		by[fmt.Sprintf("%-22s leaves %.2g of the alarms a week that are set, smallest effect times %.2f", m.Detector, m.After/m.Before, m.Effect)]++
	}
	for _, k := range slices.Sorted(maps.Keys(by)) {
		fmt.Fprintf(&b, "  %s: %d agents\n", k, by[k])
	}
	return b.String()
}

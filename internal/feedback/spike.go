package feedback

import (
	"context"
	"fmt"
	"time"

	"reeve/internal/control"
	"reeve/internal/detect/chance"
)

// A spike is more negative feedback in the last hour than the four weeks before
// make likely. Two questions are asked, since some senders tell only what is
// bad: is the share of negative ones higher, and are there more of them an hour?

const (
	spikeWindow   = time.Hour
	spikeBaseline = 28 * 24 * time.Hour
	// spikeLeast is of how many runs users must be unhappy: one or two are no spike,
	// however rare it was. Runs are counted, not words: of one run that they saw,
	// strangers may say as much as they like.
	spikeLeast = 4
	// spikeChance is how unlikely it must be, for one look. Looks overlap: an agent
	// whose users are as they always were is wrongly accused about once a year.
	spikeChance = 1e-4
	// quietChance is how likely it must be again before a spike is over.
	quietChance = 0.02
)

// Pulse is what users say of one agent: now, and before.
type Pulse struct {
	Team, Environment, Agent string
	Negative, All            int64 // runs of which it was said in the last hour
	BaseNegative, BaseAll    int64 // of the four weeks before it
	Hours                    float64
	Severe                   bool // less likely than a thousandth of what a spike is
	Chance                   float64
	Versions                 string   // the version most of the negative ones are of
	Runs                     []string // negative ones, the newest first
}

// Spike reports whether that is one; over whether a spike that was is over.
func (p *Pulse) Spike() bool { return p.Negative >= spikeLeast && p.Chance < spikeChance }

// Over reports whether what was a spike is none any more.
func (p *Pulse) Over() bool { return p.Negative < spikeLeast/2 || p.Chance > quietChance }

// judge asks both questions and takes the smaller answer, doubled.
func (p *Pulse) judge() {
	// Before anything was said, one in ten is expected to be unhappy, as if twenty
	// had answered; no more than 300 count, since shares move by themselves.
	weight := min(1, 300/max(float64(p.BaseAll), 1))
	a, b := float64(p.BaseNegative)*weight+2, float64(p.BaseAll-p.BaseNegative)*weight+18
	_, share := chance.BetaBinomial(float64(p.Negative), float64(p.All), a, b)
	p.Chance = share
	// With little history there is no rate to compare with.
	if p.Hours >= 24 {
		// The rate itself is uncertain, and moves with the hour of the day.
		less := min(1, 30/max(float64(p.BaseNegative)+1, 1))
		_, more := chance.NegativeBinomial(float64(p.Negative), spikeWindow.Hours(), (float64(p.BaseNegative)+1)*less, p.Hours*less)
		p.Chance = min(1, 2*min(share, more))
	}
	p.Severe = p.Chance < spikeChance/1000 || p.All >= 2*spikeLeast && p.Negative*2 > p.All
}

// Pulses are the agents of which users said something bad in the last hour, and
// those named in keep, whatever was said of them.
func (b *Book) Pulses(ctx context.Context, keep map[[3]string]bool) ([]Pulse, error) {
	now := b.o.Now()
	from := now.Add(-spikeWindow)
	type row struct {
		at  [3]string
		neg int64
		all int64
		min int64
	}
	count := func(since, until time.Time) ([]row, error) {
		return control.All(ctx, b.o.DB, func(r control.Row) (x row, err error) {
			return x, r.Scan(&x.at[0], &x.at[1], &x.at[2], &x.neg, &x.all, &x.min)
		}, `SELECT team, environment, agent, COUNT(DISTINCT CASE WHEN verdict = 'negative' THEN run END), COUNT(DISTINCT CASE WHEN verdict <> '' THEN run END), MIN(received_at) FROM feedback
			WHERE received_at >= ? AND received_at < ? AND giver = 'user' AND agent <> '' GROUP BY team, environment, agent LIMIT 5000`, control.Micros(since), control.Micros(until))
	}
	recent, err := count(from, now.Add(time.Second))
	if err != nil {
		return nil, err
	}
	any := len(keep) > 0
	for _, x := range recent {
		any = any || x.neg >= spikeLeast
	}
	if !any {
		return nil, nil
	}
	base, err := count(now.Add(-spikeBaseline), from)
	if err != nil {
		return nil, err
	}
	before := map[[3]string]row{}
	for _, x := range base {
		before[x.at] = x
	}
	for _, x := range recent {
		if x.neg < spikeLeast && !keep[x.at] {
			before[x.at] = row{}
		}
	}
	var out []Pulse
	add := func(at [3]string, neg, all int64) error {
		p := Pulse{Team: at[0], Environment: at[1], Agent: at[2], Negative: neg, All: all}
		if x := before[at]; x.all > 0 {
			p.BaseNegative, p.BaseAll, p.Hours = x.neg, x.all, from.Sub(control.Time(x.min)).Hours()
		}
		p.judge()
		if p.Spike() {
			if err := b.evidence(ctx, &p, from); err != nil {
				return err
			}
		}
		out = append(out, p)
		return nil
	}
	seen := map[[3]string]bool{}
	for _, x := range recent {
		if x.neg >= spikeLeast || keep[x.at] {
			seen[x.at] = true
			if err := add(x.at, x.neg, x.all); err != nil {
				return nil, err
			}
		}
	}
	for at := range keep {
		if !seen[at] {
			if err := add(at, 0, 0); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// evidence reads what shows a spike.
func (b *Book) evidence(ctx context.Context, p *Pulse, from time.Time) error {
	type row struct{ run, version string }
	list, err := control.All(ctx, b.o.DB, func(r control.Row) (x row, err error) { return x, r.Scan(&x.run, &x.version) },
		`SELECT run, version FROM feedback WHERE received_at >= ? AND giver = 'user' AND verdict = 'negative' AND team = ? AND environment = ? AND agent = ? GROUP BY run ORDER BY MAX(received_at) DESC LIMIT 200`,
		control.Micros(from), p.Team, p.Environment, p.Agent)
	if err != nil {
		return err
	}
	versions := map[string]int{}
	for _, x := range list {
		if len(p.Runs) < 20 {
			p.Runs = append(p.Runs, x.run)
		}
		if versions[x.version]++; x.version != "" && versions[x.version] > versions[p.Versions] {
			p.Versions = x.version
		}
	}
	return nil
}

// Text says what is wrong, in a sentence.
func (p *Pulse) Text() string {
	text := fmt.Sprintf("users were unhappy with %d of the %d runs of %s of which they said something in the last hour", p.Negative, p.All, p.Agent)
	if p.BaseAll > 0 {
		text += fmt.Sprintf("; in the four weeks before with %d of %d", p.BaseNegative, p.BaseAll)
	} else {
		text += "; nobody had said anything before"
	}
	return fmt.Sprintf("%s (chance %.1g)", text, p.Chance)
}

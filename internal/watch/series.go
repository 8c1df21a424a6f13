package watch

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
)

// Sum is what was measured in a stretch of time. Times are milliseconds, costs
// nano-units.
type Sum struct {
	At                                                     int64 // ns, when it begins
	Steps, Runs, Models, Tools, Errors, Refused, Handoffs  int64
	Retries, Looped, News, Ended, Failed, Unpriced         int64
	Answers, Declined                                      int64 // of models in words, and those that refuse
	Waited, In, Out, Cost, Growth, Surprise, Moves, Growns float64
	Took                                                   [tookBins]uint16
}

// tookBins are halves of octaves from a millisecond: 1 ms to 70 minutes.
const tookBins = 44

func (s *Sum) time(took time.Duration) {
	if took <= 0 {
		return
	}
	i := int(2 * math.Log2(math.Max(float64(took)/1e6, 1)))
	i = min(i, tookBins-1)
	if s.Took[i] < math.MaxUint16 {
		s.Took[i]++
	}
}

// Quantile of the time that calls took, in milliseconds; ok is false for none.
func (s *Sum) Quantile(q float64) (ms float64, ok bool) {
	var all float64
	for _, n := range s.Took {
		all += float64(n)
	}
	if all == 0 {
		return 0, false
	}
	left := q * all
	for i, n := range s.Took {
		if left -= float64(n); left <= 0 && n > 0 {
			return math.Exp2((float64(i) + 1 + left/float64(n)) / 2), true
		}
	}
	return math.Exp2(tookBins / 2), true
}

func (s *Sum) plus(o *Sum) {
	for _, p := range [...]struct{ to, from *int64 }{
		{&s.Steps, &o.Steps},
		{&s.Runs, &o.Runs},
		{&s.Models, &o.Models},
		{&s.Tools, &o.Tools},
		{&s.Errors, &o.Errors},
		{&s.Refused, &o.Refused},
		{&s.Handoffs, &o.Handoffs},
		{&s.Retries, &o.Retries},
		{&s.Looped, &o.Looped},
		{&s.News, &o.News},
		{&s.Ended, &o.Ended},
		{&s.Failed, &o.Failed},
		{&s.Unpriced, &o.Unpriced},
		{&s.Answers, &o.Answers},
		{&s.Declined, &o.Declined},
	} {
		*p.to += *p.from
	}
	for _, p := range [...]struct{ to, from *float64 }{
		{&s.Waited, &o.Waited},
		{&s.In, &o.In},
		{&s.Out, &o.Out},
		{&s.Cost, &o.Cost},
		{&s.Growth, &o.Growth},
		{&s.Surprise, &o.Surprise},
		{&s.Moves, &o.Moves},
		{&s.Growns, &o.Growns},
	} {
		*p.to += *p.from
	}
	for i, n := range o.Took {
		s.Took[i] = uint16(min(int(s.Took[i])+int(n), math.MaxUint16))
	}
}

// series are an agent's sums: the last hours by five minutes, the last month by
// the hour. Stretches in which nothing happened are not kept.
type series struct {
	short, long []Sum // the newest last
}

const (
	shortStep = int64(5 * time.Minute)
	longStep  = int64(time.Hour)
	shortKept = 12 * 12       // stretches with activity
	longKept  = 24 * 14       // of the hour
	manyKept  = 24            // of each when there are more than fewAgents
	fewAgents = 500           // with whole series
	shortSpan = 24 * longStep // how far back five minutes are shown
)

// bucket is the stretch of now.
func (a *agent) bucket(now int64) *Sum {
	at := now - now%shortStep
	list := a.series.short
	if n := len(list); n > 0 && list[n-1].At >= at {
		return &list[n-1]
	}
	a.series.roll(shortKept)
	a.series.short = append(a.series.short, Sum{At: at})
	return &a.series.short[len(a.series.short)-1]
}

// roll adds the newest five minutes to its hour and drops what is beyond keep.
func (s *series) roll(keep int) {
	n := len(s.short)
	if n == 0 {
		return
	}
	done := &s.short[n-1]
	at := done.At - done.At%longStep
	if m := len(s.long); m == 0 || s.long[m-1].At < at {
		s.long = append(s.long, Sum{At: at})
	}
	s.long[len(s.long)-1].plus(done)
	s.trim(keep, longKept)
}

func (s *series) trim(short, long int) {
	if n := len(s.short) - short + 1; n > 0 {
		s.short = append(s.short[:0], s.short[n:]...)
	}
	if n := len(s.long) - long; n > 0 {
		s.long = append(s.long[:0], s.long[n:]...)
	}
}

// since is all that was measured from a time on.
func (s *series) since(from int64) Sum {
	var out Sum
	out.At = from
	for i := len(s.short) - 1; i >= 0 && s.short[i].At+shortStep > from; i-- {
		out.plus(&s.short[i])
	}
	if n := len(s.short); n > 0 && from < s.short[0].At {
		for i := len(s.long) - 1; i >= 0 && s.long[i].At+longStep > from; i-- {
			if s.long[i].At+longStep <= s.short[0].At-s.short[0].At%longStep {
				out.plus(&s.long[i])
			}
		}
	}
	return out
}

// Part is what was measured of one tool, version, task or class of errors.
type Part struct {
	Kind, Name          string
	Calls, Errors       int64
	Took                float64 // ms, all together
	In, Out, Cost       float64
	FirstSeen, LastSeen int64

	Looped, Retries, Refused int64 // of tools too
	// Of versions and tasks alone: their runs' sums.
	Models, Tools, Handoffs, Answers, Declined, Growns int64
	Waited, Growth                                     float64 // ms; of Growns runs
}

// part is a part of an agent; what comes after the most is one together.
func (a *agent) part(kind, name string, now int64) *Part {
	of := a.parts[kind]
	if of == nil {
		of = map[string]*Part{}
		a.parts[kind] = of
	}
	p := of[name]
	if p == nil {
		if len(of) >= maxParts {
			name = "(others)"
		} else {
			name = word(name)
		}
		if p = of[name]; p == nil {
			p = &Part{Kind: kind, Name: name, FirstSeen: now}
			of[name] = p
		}
	}
	p.LastSeen = now
	return p
}

func (p *Part) add(failed bool, s *activity.Step) {
	p.Calls++
	if failed {
		p.Errors++
	}
	if s.End > s.Start {
		p.Took += float64(s.End-s.Start) / 1e6
	}
	if s.Usage.InputTotal > 0 {
		p.In += float64(s.Usage.InputTotal)
	}
	if s.Usage.OutputTotal > 0 {
		p.Out += float64(s.Usage.OutputTotal)
	}
	if s.Cost.Basis != activity.CostUnknown && s.Counted {
		p.Cost += float64(s.Cost.Nanos)
	}
}

// Behaviour is what was measured of an agent.
type Behaviour struct {
	Agent, Team, Environment string
	Door                     bool // the door saw it, and it had proved who it is
	First, Last              time.Time
	Step                     time.Duration // of Points
	Points                   []Sum
	Total                    Sum // over From..
	Parts                    []Part
	Entropy, Repeatable      float64 // bits, 0 to 1
	PathKnown                bool
	Moves                    []Move
	Hours                    [48]float32 // runs begun by hour, UTC: working days, then week ends
	Known                    map[string]int
	Ranges                   []Range
	Runs                     int64 // that ended
}

// Move is how often one tool followed another; From is "" for a run's first.
type Move struct {
	From, To string
	Share    float64 // of what followed From
	N        float64
}

// Range is what is normal of a measure.
type Range struct {
	Measure           string
	Median, Low, High float64 // High: what 99 of 100 stay below
	Values            int64
}

// Behaviour reads what was measured of an agent under any of its names, by each
// way of knowing of it, what the door saw first. nil when nothing was.
func (w *Watch) Behaviour(names []string, team string, from time.Time) []Behaviour {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Behaviour
	for _, a := range w.agents {
		if slices.Contains(names, a.name) && (team == "" || a.team == team || a.team == "") {
			out = append(out, a.shape(from.UnixNano(), w.o.Now().UnixNano()))
		}
	}
	slices.SortFunc(out, func(x, y Behaviour) int {
		if x.Door != y.Door {
			if x.Door {
				return -1
			}
			return 1
		}
		return cmp.Or(y.Last.Compare(x.Last), strings.Compare(x.Agent+x.Environment, y.Agent+y.Environment))
	})
	return out
}

func (a *agent) shape(from, now int64) Behaviour {
	out := Behaviour{
		Agent: a.name, Team: a.team, Environment: a.environment, Door: a.door, First: time.Unix(0, a.first).UTC(), Last: time.Unix(0, a.seen).UTC(),
		Step: time.Duration(shortStep), Total: a.series.since(from), Hours: a.hour, Known: map[string]int{}, Runs: a.runs,
	}
	list := a.series.short
	if from < now-shortSpan {
		out.Step = time.Duration(longStep)
		list = slices.Clone(a.series.long)
		// The hour of now has five minutes that are not rolled up yet.
		if n := len(a.series.short); n > 0 {
			cur := a.series.short[n-1]
			at := cur.At - cur.At%longStep
			if m := len(list); m == 0 || list[m-1].At < at {
				list = append(list, Sum{At: at})
			}
			list[len(list)-1].plus(&cur)
		}
	}
	for i := range list {
		if list[i].At+int64(out.Step) > from {
			out.Points = append(out.Points, list[i])
		}
	}
	for _, of := range a.parts {
		for _, p := range of {
			out.Parts = append(out.Parts, *p)
		}
	}
	slices.SortFunc(out.Parts, func(x, y Part) int {
		return cmp.Or(strings.Compare(x.Kind, y.Kind), cmp.Compare(y.Calls, x.Calls), strings.Compare(x.Name, y.Name))
	})
	out.Entropy, out.Repeatable, out.PathKnown = a.paths.entropy()
	out.Moves = a.paths.list(40)
	for kind, of := range a.known {
		out.Known[kind] = len(of)
	}
	for name, t := range a.ranges {
		if t.seen >= warm {
			out.Ranges = append(out.Ranges, Range{name, t.median(), t.quantile(0.1), t.quantile(0.99), t.seen})
		}
	}
	slices.SortFunc(out.Ranges, func(x, y Range) int { return strings.Compare(x.Measure, y.Measure) })
	return out
}

// list are the most frequent moves.
func (p *paths) list(most int) []Move {
	name := func(i int16) string {
		switch {
		case i < 0:
			return ""
		case int(i) < len(p.names):
			return p.names[i]
		}
		return "(others)"
	}
	out := make([]Move, 0, len(p.moves))
	for k, n := range p.moves {
		out = append(out, Move{name(k[0]), name(k[1]), float64(n) / math.Max(float64(p.from[k[0]]), 1), float64(n)})
	}
	slices.SortFunc(out, func(x, y Move) int {
		return cmp.Or(cmp.Compare(y.N, x.N), strings.Compare(x.From+x.To, y.From+y.To))
	})
	return out[:min(len(out), most)]
}

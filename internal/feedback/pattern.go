package feedback

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/detect/chance"
	"reeve/internal/stat"
)

// Which patterns of steps go with unhappy users is a question asked of many patterns
// at once: some look telling by chance alone. Each is tested by Fisher's exact test,
// and of those that are called found at most one in twenty is by chance (Benjamini and
// Hochberg, over all that were tested). A pattern goes with complaints; that it causes
// them nobody can tell from this.

// Kinds of patterns.
const (
	HasTool      = "tool"          // the tool was used
	HasThen      = "then"          // one tool, and right after it another
	HasToolError = "tool_error"    // the tool failed
	HasLoop      = "loop"          // the tool was called three times or more with the same arguments
	HasModel     = "model"         // the model was asked
	HasModelFail = "model_error"   // a call of the model failed
	HasRefusal   = "refused"       // the door or a model refused
	HasHandoff   = "handoff"       // another agent took part
	HasPerson    = "person"        // a person took part
	HasSlow      = "slow"          // a call took longer than 95 in 100 calls of it
	HasNothing   = "nothing_found" // a retrieval brought nothing, where others of it brought something
	HasManySteps = "many_steps"    // more steps than nine in ten runs had
)

const (
	// PatternRuns bounds the runs that are looked at, the newest.
	PatternRuns = 1000
	// PatternSteps bounds the steps of one that are looked at, the first.
	PatternSteps  = 500
	leastDuration = 20    // calls before one of them can be slow
	loopLeast     = 3     // calls with the same arguments
	mostPatterns  = 20000 // different ones in a sample: names are the senders'
	mostTested    = 1000  // the most common ones
	shownRuns     = 20    // of each side
	falseShare    = .05
)

// Judged is a run of which a user said something good or bad.
type Judged struct {
	Run, Agent, User, Session string
	Unhappy                   bool // something bad was said of it
	At                        time.Time
}

// Judged lists runs of which users said something, the newest first, one a user (or
// session, of users nobody named): the runs of one person are not as many opinions.
// more says that there are others.
func (b *Book) Judged(ctx context.Context, f Filter, limit int) (all []Judged, more bool, err error) {
	f.Giver, f.After, f.Verdict = User, Cursor{}, ""
	w := f.where()
	w.Add("run <> ''")
	w.Add("verdict <> ''")
	rows, err := control.All(ctx, b.o.DB, func(r control.Row) (j Judged, err error) {
		var at int64
		err = r.Scan(&j.Run, &j.Agent, &j.User, &j.Session, &j.Unhappy, &at)
		j.At = control.Time(at)
		return j, err
	}, `SELECT run, MAX(agent), MAX(user_ref), MAX(COALESCE(json_extract(body, '$.session'), '')), MAX(verdict = 'negative'), MAX(at) FROM feedback`+w.Text()+` GROUP BY run ORDER BY MAX(at) DESC, run LIMIT ?`, append(w.Args, 20*limit)...)
	seen := map[string]bool{}
	for _, j := range rows {
		who := cmp.Or(j.User, "session "+j.Session)
		if j.User == "" && j.Session == "" {
			who = j.Run
		}
		if seen[who] {
			continue
		}
		if seen[who] = true; len(all) == limit {
			return all, true, err
		}
		all = append(all, j)
	}
	return all, false, err
}

// Pattern is something that steps of some runs have in common, with how unhappy the
// users of runs with it were, and of runs without.
type Pattern struct {
	Kind, Name, Then string
	With, Without    int64
	Bad, BadWithout  int64   // whose users were unhappy
	Diff, Low, High  float64 // of the two shares of unhappy ones, with its 95 % interval
	P                float64 // Fisher's exact test
	Found            bool    // beyond chance, all patterns taken together
	Runs, Others     []string
}

// Patterns collects what a sample's runs did. The zero value is empty.
type Patterns struct {
	runs      []sighted
	durations map[what][]int64
	found     map[string]bool // retrievals that brought something, by name
	known     map[what]bool
	Left      int64 // patterns that were not looked at, beyond mostPatterns
}

type what struct{ kind, name, then string }

type sighted struct {
	Judged
	has   map[what]bool
	slow  map[what]int64 // the longest call of each
	empty map[string]bool
	steps int
}

// Runs is how many were added; Bad how many of them had unhappy users.
func (p *Patterns) Runs() (runs, bad int64) {
	for i := range p.runs {
		if p.runs[i].Unhappy {
			bad++
		}
	}
	return int64(len(p.runs)), bad
}

// Add looks at a run's steps, in the order of their start.
func (p *Patterns) Add(run Judged, steps []activity.Step) {
	if p.known == nil {
		p.known, p.durations, p.found = map[what]bool{}, map[what][]int64{}, map[string]bool{}
	}
	r := sighted{Judged: run, has: map[what]bool{}, slow: map[what]int64{}, empty: map[string]bool{}, steps: len(steps)}
	kinds := make(map[activity.StepID]activity.Kind, len(steps))
	for i := range steps {
		kinds[steps[i].Step] = steps[i].Kind
	}
	before := ""
	same := map[string]int{}
	for i := range steps {
		s := &steps[i]
		if refused(s) {
			p.see(&r, what{kind: HasRefusal})
		}
		switch s.Kind {
		case activity.KindTool, activity.KindMCP, activity.KindHTTP:
			if isTool(kinds[s.Parent]) {
				continue // the same call, as another layer saw it
			}
			name := cmp.Or(s.ToolName, s.Name)
			if name == "" {
				continue
			}
			p.see(&r, what{kind: HasTool, name: name})
			if before != "" {
				p.see(&r, what{kind: HasThen, name: before, then: name})
			}
			before = name
			if s.Status == activity.StatusError {
				p.see(&r, what{kind: HasToolError, name: name})
			}
			if args := argumentsOf(s); args != "" {
				if same[name+"\x00"+args]++; same[name+"\x00"+args] == loopLeast {
					p.see(&r, what{kind: HasLoop, name: name})
				}
			}
			p.took(&r, what{kind: HasSlow, name: name}, s)
		case activity.KindModel:
			name := cmp.Or(s.Model, s.ModelRequested)
			if name == "" {
				continue
			}
			p.see(&r, what{kind: HasModel, name: name})
			if s.Status == activity.StatusError {
				p.see(&r, what{kind: HasModelFail, name: name})
			}
			p.took(&r, what{kind: HasSlow, name: name}, s)
		case activity.KindRetrieval:
			if len(documentsOf(s)) > 0 {
				p.found[s.Name] = true
			} else if s.Status != activity.StatusError {
				r.empty[s.Name] = true
			}
			p.took(&r, what{kind: HasSlow, name: s.Name}, s)
		case activity.KindHandoff, activity.KindAgent:
			if s.Kind == activity.KindHandoff || s.Agent != "" && run.Agent != "" && s.Agent != run.Agent {
				p.see(&r, what{kind: HasHandoff})
			}
		case activity.KindHuman:
			p.see(&r, what{kind: HasPerson})
		}
	}
	p.runs = append(p.runs, r)
}

func isTool(k activity.Kind) bool {
	return k == activity.KindTool || k == activity.KindMCP || k == activity.KindHTTP
}

// see notes a pattern of a run, unless there are too many different ones.
func (p *Patterns) see(r *sighted, w what) {
	if len(w.name)+len(w.then) > 2*maxWord {
		return
	}
	if !p.known[w] {
		if len(p.known) >= mostPatterns {
			p.Left++
			return
		}
		p.known[w] = true
	}
	r.has[w] = true
}

// took notes how long a call was.
func (p *Patterns) took(r *sighted, w what, s *activity.Step) {
	if s.End == activity.Unknown || s.End < s.Start || w.name == "" {
		return
	}
	d := s.End - s.Start
	if p.durations[w] == nil && len(p.durations) >= mostPatterns {
		return
	}
	p.durations[w] = append(p.durations[w], d)
	r.slow[w] = max(r.slow[w], d)
}

// argumentsOf names what a call was given: contents that are the same have the same
// place among a run's messages. "" is unknown.
func argumentsOf(s *activity.Step) string {
	for _, field := range []activity.ContentField{activity.ContentArguments, activity.ContentInput} {
		for k := range s.Refs {
			if s.Refs[k].Field == field && activity.Said(s.Refs, k) {
				return s.Refs[k].Messages
			}
		}
	}
	return ""
}

func documentsOf(s *activity.Step) string {
	for k := range s.Refs {
		if s.Refs[k].Field == activity.ContentDocuments {
			return s.Refs[k].Messages
		}
	}
	return ""
}

// refused reports a call that the door refused, or whose model would not answer.
func refused(s *activity.Step) bool {
	if s.FinishReason == "content_filter" || s.FinishReason == "refusal" || s.FinishReason == "safety" {
		return true
	}
	if s.Status != activity.StatusError {
		return false
	}
	part, _, ok := strings.Cut(s.ErrorType, ".")
	return ok && slices.Contains([]string{"policy", "floor", "approval", "budget", "content", "stop", "limit"}, part)
}

// late adds what can be told only of all runs together: what is slow, much or empty is
// so beside the others, whatever their users said.
func (p *Patterns) late() {
	limits := map[what]int64{}
	for w, all := range p.durations {
		if len(all) >= leastDuration {
			slices.Sort(all)
			limits[w] = all[int(math.Ceil(.95*float64(len(all))))-1]
		}
	}
	var counts []int
	for i := range p.runs {
		counts = append(counts, p.runs[i].steps)
	}
	slices.Sort(counts)
	most := math.MaxInt
	if len(counts) >= leastDuration {
		most = counts[int(math.Ceil(.9*float64(len(counts))))-1]
	}
	for i := range p.runs {
		r := &p.runs[i]
		for w, d := range r.slow {
			if limit, ok := limits[w]; ok && d > limit {
				p.see(r, w)
			}
		}
		for name := range r.empty {
			if p.found[name] {
				p.see(r, what{kind: HasNothing, name: name})
			}
		}
		if r.steps > most {
			p.see(r, what{kind: HasManySteps})
		}
	}
}

// Compare tests each pattern that least runs have and least have not, those that were
// found first; tested is how many that were.
func (p *Patterns) Compare(least int64) (all []Pattern, tested int) {
	p.late()
	count := map[what]*Pattern{}
	runs, bad := p.Runs()
	for i := range p.runs {
		for w := range p.runs[i].has {
			c := count[w]
			if c == nil {
				c = &Pattern{Kind: w.kind, Name: w.name, Then: w.then}
				count[w] = c
			}
			if c.With++; p.runs[i].Unhappy {
				c.Bad++
			}
		}
	}
	for _, c := range count {
		if c.With < least || runs-c.With < least {
			continue
		}
		c.Without, c.BadWithout = runs-c.With, bad-c.Bad
		all = append(all, *c)
	}
	// By how common they are, which says nothing of what users thought.
	slices.SortFunc(all, func(x, y Pattern) int {
		return cmp.Or(cmp.Compare(min(y.With, y.Without), min(x.With, x.Without)), strings.Compare(x.Kind, y.Kind), strings.Compare(x.Name, y.Name), strings.Compare(x.Then, y.Then))
	})
	all = all[:min(len(all), mostTested)]
	ps := make([]float64, len(all))
	for i := range all {
		c := &all[i]
		c.P = stat.Fisher(c.Bad, c.With-c.Bad, c.BadWithout, c.Without-c.BadWithout)
		c.Diff, c.Low, c.High = stat.Difference(c.Bad, c.With, c.BadWithout, c.Without)
		ps[i] = c.P
	}
	for i, yes := range chance.Choose(ps, falseShare) {
		all[i].Found = yes
	}
	slices.SortStableFunc(all, func(x, y Pattern) int {
		if x.Found != y.Found {
			if x.Found {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(x.P, y.P), cmp.Compare(math.Abs(y.Diff), math.Abs(x.Diff)))
	})
	return all, len(all)
}

// Show fills in runs with a pattern and without it, those of unhappy users first, the
// newest of each.
func (p *Patterns) Show(c *Pattern) {
	w := what{c.Kind, c.Name, c.Then}
	for _, unhappy := range []bool{true, false} {
		for i := range p.runs {
			r := &p.runs[i]
			switch {
			case r.Unhappy != unhappy:
			case r.has[w] && len(c.Runs) < shownRuns:
				c.Runs = append(c.Runs, r.Run)
			case !r.has[w] && len(c.Others) < shownRuns:
				c.Others = append(c.Others, r.Run)
			}
		}
	}
}

package cost

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
	"reeve/internal/telemetry/search"
)

// Records are what savings are proved from; the store of telemetry is one.
type Records interface {
	// Calls visits the calls of a time, in no order.
	Calls(ctx context.Context, from, to time.Time, visit func(*telemetry.Call) error) error
	StepsPage(ctx context.Context, id activity.RunID, q telemetry.StepsQuery) (telemetry.StepsPage, error)
}

// Prices say what a call would cost; *price.Book is one.
type Prices interface {
	Cost(provider, model string, at time.Time, u activity.Usage) activity.Cost
}

// Saving is one way to spend less, with what it would have come to in a period.
type Saving struct {
	ID       string // prompt_cache, context, repeats
	Figure   *float64
	AtMost   bool    // the figure is a bound, and not what is sure to come
	Proved   float64 // of the figure of the runs below, what their messages prove
	Checked  float64 // the figure of the runs below
	Calls    int64   // that it is from
	Tokens   int64
	Agents   []SavingAgent
	Runs     []SavingRun // the most first
	Unpriced int64       // calls that would count and have no price
}

// SavingAgent is an agent's part.
type SavingAgent struct {
	Agent, Model string
	Figure       float64
	Calls        int64
}

// SavingRun is a run's part. Proved says that its messages show it: each prompt
// begins with the one before, or a call was made again with the same arguments.
type SavingRun struct {
	Run    string
	Agent  string
	Figure float64
	Calls  int64
	Proved bool
	What   string
}

// Savings are all of a period.
type Savings struct {
	Currency string
	Looked   int64 // calls that were looked at
	Cut      bool  // there were more
	All      []Saving
}

const (
	maxLooked  = 300_000
	shownRuns  = 15
	shownAgent = 20
	// cacheTTL is how long the caches of the large providers keep a prompt, and
	// cacheLeast the shortest they keep.
	cacheTTL   = 5 * time.Minute
	cacheLeast = 1024
	// bloat is how many times its first prompt a run's prompt may grow before what
	// is beyond counts, and bloatLeast where it begins to matter.
	bloat      = 4
	bloatLeast = 8000
	maxRepeats = 100  // runs that are searched for repeated calls
	maxSteps   = 5000 // of a run that are looked at
	lookAhead  = 200  // steps after a tool call in which its answer is read
)

// link is one call of a chain.
type link struct {
	start int64
	usage activity.Usage
}

type chainKey struct {
	run                    activity.RunID
	agent, provider, model string
}

var errEnough = errors.New("enough calls")

// Save looks for what could have been saved. may says whether a call is the
// asker's to see, and asked for.
func (b *Book) Save(ctx context.Context, ask Ask, records Records, prices Prices, may func(team, environment, agent string) bool, q Question) (Savings, error) {
	s := b.Settings()
	out := Savings{Currency: s.Currency}
	chains := map[chainKey]*[]link{}
	err := records.Calls(ctx, q.From, q.To, func(c *telemetry.Call) error {
		if !c.Counted || !may(c.Team, c.Environment, c.Agent) {
			return nil
		}
		if out.Looked++; out.Looked > maxLooked {
			out.Cut = true
			return errEnough
		}
		k := chainKey{c.Run, c.Agent, c.Provider, cmp.Or(c.Model, c.ModelRequested)}
		calls := chains[k]
		if calls == nil { // the store's text is not ours to keep
			k.agent, k.provider, k.model = strings.Clone(k.agent), strings.Clone(k.provider), strings.Clone(k.model)
			calls = &[]link{}
			chains[k] = calls
		}
		*calls = append(*calls, link{c.Start, c.Usage})
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return out, err
	}
	out.Looked = min(out.Looked, maxLooked)
	r := s.rates()
	cache, grown := newGain("prompt_cache"), newGain("context")
	grown.AtMost = true
	for k, of := range chains {
		calls := *of
		slices.SortFunc(calls, func(x, y link) int { return cmp.Compare(x.start, y.start) })
		cached(k, calls, prices, r, cache)
		swollen(k, calls, prices, r, grown)
	}
	repeats, err := b.repeats(ctx, ask, records, r, q)
	if err != nil {
		return out, err
	}
	for _, g := range []*gain{cache, grown, repeats} {
		g.finish()
		if g != repeats {
			if err := g.prove(ctx, records); err != nil {
				return out, err
			}
		}
		out.All = append(out.All, g.Saving)
	}
	return out, nil
}

// gain adds up one saving.
type gain struct {
	Saving
	sum    float64
	agents map[[2]string]*SavingAgent
	runs   map[activity.RunID]*SavingRun
}

func newGain(id string) *gain {
	return &gain{Saving: Saving{ID: id}, agents: map[[2]string]*SavingAgent{}, runs: map[activity.RunID]*SavingRun{}}
}

func (g *gain) add(k chainKey, figure float64, calls, tokens int64) {
	g.sum += figure
	g.Calls += calls
	g.Tokens += tokens
	a := g.agents[[2]string{k.agent, k.model}]
	if a == nil {
		a = &SavingAgent{Agent: k.agent, Model: k.model}
		g.agents[[2]string{k.agent, k.model}] = a
	}
	a.Figure += figure
	a.Calls += calls
	r := g.runs[k.run]
	if r == nil {
		r = &SavingRun{Run: k.run.String(), Agent: k.agent}
		g.runs[k.run] = r
	}
	r.Figure += figure
	r.Calls += calls
}

func (g *gain) finish() {
	g.Figure = &g.sum
	for _, a := range g.agents {
		g.Agents = append(g.Agents, *a)
	}
	slices.SortFunc(g.Agents, func(x, y SavingAgent) int {
		return cmp.Or(cmp.Compare(y.Figure, x.Figure), cmp.Compare(y.Calls, x.Calls), strings.Compare(x.Agent, y.Agent), strings.Compare(x.Model, y.Model))
	})
	g.Agents = g.Agents[:min(len(g.Agents), shownAgent)]
	for _, r := range g.runs {
		g.Runs = append(g.Runs, *r)
	}
	slices.SortFunc(g.Runs, func(x, y SavingRun) int {
		return cmp.Or(cmp.Compare(y.Figure, x.Figure), cmp.Compare(y.Calls, x.Calls), strings.Compare(x.Run, y.Run))
	})
	g.Runs = g.Runs[:min(len(g.Runs), shownRuns)]
}

// money is a cost in the currency that is shown.
func (r *rates) money(c activity.Cost, at int64) (float64, bool) {
	if c.Basis == activity.CostUnknown {
		return 0, false
	}
	f, ok := r.factor(cmp.Or(c.Currency, "USD"), time.Unix(0, at))
	return float64(c.Nanos) / 1e9 * f, ok
}

// cached adds what a chain would have saved had each prompt that goes on from the
// one before been read from the provider's cache. What is new is written to it, at
// the price for that; what was read from a cache anyway saves nothing.
func cached(k chainKey, calls []link, prices Prices, r *rates, g *gain) {
	saved, n, tokens := 0.0, int64(0), int64(0)
	for i := range calls {
		c := &calls[i]
		u := c.usage
		if u.InputTotal < cacheLeast || u.CacheRead > u.InputTotal {
			continue
		}
		reads := int64(0)
		if i > 0 {
			p := &calls[i-1]
			if p.usage.InputTotal >= cacheLeast && u.InputTotal >= p.usage.InputTotal && c.start-p.start <= int64(cacheTTL) {
				reads = p.usage.InputTotal
			}
		}
		goesOn := i+1 < len(calls) && calls[i+1].usage.InputTotal >= u.InputTotal && calls[i+1].start-c.start <= int64(cacheTTL)
		if reads <= max(u.CacheRead, 0) && !goesOn || reads < max(u.CacheRead, 0) {
			continue
		}
		with := u
		with.CacheRead = reads
		if goesOn {
			with.CacheWrite = u.InputTotal - reads
		}
		// Both are priced by the book, so that a sender's own discount is in neither.
		at := time.Unix(0, c.start)
		is, ok := r.money(prices.Cost(k.provider, k.model, at, u), c.start)
		would, also := r.money(prices.Cost(k.provider, k.model, at, with), c.start)
		if !ok || !also {
			g.Unpriced++
			continue
		}
		saved += is - would
		if extra := reads - max(u.CacheRead, 0); extra > 0 {
			n, tokens = n+1, tokens+extra
		}
	}
	if saved > 1e-9 && n > 0 {
		g.add(k, saved, n, tokens)
	}
}

// swollen adds what the tokens cost by which a run's prompts outgrew its first.
func swollen(k chainKey, calls []link, prices Prices, r *rates, g *gain) {
	if len(calls) < 4 || calls[0].usage.InputTotal <= 0 {
		return
	}
	limit := max(bloat*calls[0].usage.InputTotal, bloatLeast)
	saved, n, tokens := 0.0, int64(0), int64(0)
	for i := range calls {
		u := calls[i].usage
		if u.InputTotal <= limit {
			continue
		}
		with := u
		share := float64(limit) / float64(u.InputTotal)
		with.InputTotal = limit
		if u.CacheRead > 0 {
			with.CacheRead = int64(float64(u.CacheRead) * share)
		}
		if u.CacheWrite > 0 {
			with.CacheWrite = int64(float64(u.CacheWrite) * share)
		}
		at := time.Unix(0, calls[i].start)
		is, ok := r.money(prices.Cost(k.provider, k.model, at, u), calls[i].start)
		would, also := r.money(prices.Cost(k.provider, k.model, at, with), calls[i].start)
		if !ok || !also {
			g.Unpriced++
			continue
		}
		saved, n, tokens = saved+is-would, n+1, tokens+u.InputTotal-limit
	}
	if n > 0 && saved > 0 {
		g.add(k, saved, n, tokens)
	}
}

// prove reads the messages of the runs that are shown: whether each prompt begins
// with the one before. Ordinals tell: a run keeps each distinct message once.
func (g *gain) prove(ctx context.Context, records Records) error {
	for i := range g.Runs {
		r := &g.Runs[i]
		id, err := activity.ParseRunID(r.Run)
		if err != nil {
			continue
		}
		page, err := records.StepsPage(ctx, id, telemetry.StepsQuery{Limit: maxSteps, Light: true})
		if err != nil {
			return err
		}
		if page.More {
			r.What = "it has too many steps to look at its prompts: the figure is by their lengths"
			g.Checked += r.Figure
			continue
		}
		steps := page.Steps
		continued, others := 0, 0
		prev := map[[2]string][]string{}
		slices.SortFunc(steps, telemetry.ByStart)
		for j := range steps {
			s := &steps[j]
			if !s.Call || !s.Counted {
				continue
			}
			prompt := prompted(s)
			if prompt == nil {
				continue
			}
			k := [2]string{s.Agent, cmp.Or(s.Model, s.ModelRequested)}
			if p := prev[k]; p != nil {
				if len(p) <= len(prompt) && slices.Equal(p, prompt[:len(p)]) {
					continued++
				} else {
					others++
				}
			}
			prev[k] = prompt
		}
		r.Proved = continued > 0 && others == 0
		g.Checked += r.Figure
		if r.Proved {
			g.Proved += r.Figure
		}
		switch {
		case r.Proved:
			r.What = "each prompt begins with the whole one before"
		case continued+others == 0:
			r.What = "its prompts were not recorded: the figure is by their lengths"
		default:
			r.What = "not every prompt begins with the one before: the figure is by their lengths"
		}
	}
	return nil
}

// prompted are the messages that a call was asked with, by their places in the
// run; nil where they were not recorded.
func prompted(s *activity.Step) []string {
	var out []string
	for i := range s.Refs {
		f := &s.Refs[i]
		if f.Field == activity.ContentInput && activity.Said(s.Refs, i) {
			out = append(out, expand(f.Messages)...)
		}
	}
	return out
}

const maxOrdinals = 5000

// expand reads a list of ordinals and ranges: "0-31,33".
func expand(list string) []string {
	var out []string
	for part := range strings.SplitSeq(list, ",") {
		from, to, ok := strings.Cut(part, "-")
		if !ok {
			out = append(out, part)
			continue
		}
		a, errA := strconv.Atoi(from)
		b, errB := strconv.Atoi(to)
		if errA != nil || errB != nil {
			continue
		}
		for n := a; n <= b && len(out) < maxOrdinals; n++ {
			out = append(out, strconv.Itoa(n))
		}
	}
	return out
}

// repeats looks into the runs with the most tool calls for calls that were made
// again with the same arguments. What a repeat costs is the model call that read
// its answer.
func (b *Book) repeats(ctx context.Context, ask Ask, records Records, r *rates, of Question) (*gain, error) {
	g := newGain("repeats")
	res, err := ask(ctx, telemetry.Query{
		Table: "runs", From: of.From, To: of.To, GroupBy: []string{"run", "agent"}, Limit: maxRepeats, OrderBy: "-tools",
		Select: []telemetry.Measure{{Func: "sum", Field: "tool_calls", As: "tools"}},
		Where:  search.Both(of.Runs, search.AtLeast("tool_calls", 2), &search.Cmp{Field: "steps", Op: "<=", Values: []string{"5000"}}),
	})
	if err != nil {
		return g, err
	}
	t := newTable(res)
	for _, row := range res.Rows {
		var id activity.RunID
		if !telemetry.ParseUUID(t.text(row, "run"), (*[16]byte)(&id)) {
			continue
		}
		page, err := records.StepsPage(ctx, id, telemetry.StepsQuery{Limit: maxSteps, Light: true})
		if err != nil {
			return g, err
		}
		again(id, t.text(row, "agent"), page.Steps, r, g)
	}
	for _, x := range g.runs {
		x.Proved = true
		g.Checked += x.Figure
		g.Proved += x.Figure
	}
	return g, nil
}

// again finds the calls of a run that were made before with the same arguments.
func again(id activity.RunID, agent string, steps []activity.Step, r *rates, g *gain) {
	slices.SortFunc(steps, telemetry.ByStart)
	seen := map[string]int{}
	figure, n, tokens := 0.0, int64(0), int64(0)
	most, name := 0, ""
	counted := map[activity.StepID]bool{} // calls made side by side are read by one
	for i := range steps {
		s := &steps[i]
		if s.Kind != activity.KindTool || s.ToolName == "" {
			continue
		}
		key := arguments(s)
		if key == "" {
			continue
		}
		if seen[key]++; seen[key] < 2 {
			continue
		}
		if seen[key] > most {
			most, name = seen[key], s.ToolName
		}
		n++
		if c := next(steps[i+1:min(len(steps), i+1+lookAhead)], s); c != nil && !counted[c.Step] {
			counted[c.Step] = true
			if v, ok := r.money(c.Cost, c.Start); ok {
				figure += v
				tokens += max(c.Usage.InputTotal, 0)
			} else {
				g.Unpriced++
			}
		}
	}
	if n == 0 {
		return
	}
	g.add(chainKey{run: id, agent: agent}, figure, n, tokens)
	g.runs[id].What = strings.ToValidUTF8(name, "") + " was called " + strconv.Itoa(most) + " times with the same arguments"
}

// arguments names a tool call by what it was asked with; "" where that was not
// recorded.
func arguments(s *activity.Step) string {
	out := ""
	for _, field := range []activity.ContentField{activity.ContentArguments, activity.ContentQuery, activity.ContentInput} {
		for i := range s.Refs {
			if f := &s.Refs[i]; f.Field == field && activity.Said(s.Refs, i) {
				out += f.Messages + ";"
			}
		}
		if out != "" {
			return s.ToolName + "\x00" + out
		}
	}
	return ""
}

// next is the model call of the same agent that read what a tool answered.
func next(after []activity.Step, s *activity.Step) *activity.Step {
	for i := range after {
		c := &after[i]
		if c.Call && c.Counted && c.Agent == s.Agent && c.Start >= s.End {
			return c
		}
	}
	return nil
}

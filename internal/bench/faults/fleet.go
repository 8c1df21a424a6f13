package faults

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"reeve/internal/activity"
)

const day = 24 * time.Hour

var start = time.Date(2026, 9, 7, 0, 0, 0, 0, time.UTC) // a Monday

// kinds are the faults, with how many runs of an agent one lasts.
var kinds = map[string]struct {
	about string
	runs  int
}{
	"loop":            {"a run calls one tool with the same arguments until it gives up", 1},
	"cost_runaway":    {"a run resends a growing context to a dear model", 1},
	"new_tool":        {"a run uses a tool that the agent never used", 1},
	"exfiltration":    {"a run sends data to a place that only a tool's result named", 1},
	"latency_creep":   {"one tool takes longer with each call, up to five times as long", 14},
	"quality_drop":    {"three of four runs end badly, and their calls of one tool fail", 16},
	"provider_change": {"another model answers under the same name, with other lengths", 6},
}

// agentOf is how one agent of the fleet works: drawn once, from its seed.
type worker struct {
	name, model, answers string
	tools                []string
	order                []int // its usual path
	stray                float64
	took, out, in        []float64 // medians: of each tool in seconds, of answers and inputs in tokens
	spread               float64
	price                float64 // nanos a token
	fails                float64 // share of calls
	bad                  float64 // share of runs
	repeats              float64 // how often a call is made again on purpose
	runs                 int
	fault                *episode
	left                 int
}

type fleet struct {
	o      Options
	r      *rand.Rand
	agents []*worker
	plans  []*episode
	queue  events
	n      uint64
}

// event is something that reaches the store.
type event struct {
	at       time.Time
	steps    []activity.Step
	messages []activity.Message
	runs     []activity.Run
	decision *activity.Decision
	begin    int // the agent whose next run begins then; -1 none
	order    uint64
	fault    *episode
}

type events []*event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	if !e[i].at.Equal(e[j].at) {
		return e[i].at.Before(e[j].at)
	}
	return e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Push implements heap.Interface.
func (e *events) Push(x any) { *e = append(*e, x.(*event)) }

// Pop implements heap.Interface.
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

func newFleet(o Options) *fleet {
	f := &fleet{o: o, r: rand.New(rand.NewPCG(o.Seed, 0x5eed))}
	for i := range o.Agents {
		w := &worker{
			name: fmt.Sprintf("agent-%02d", i), model: "model-" + strconv.Itoa(i%4), answers: fmt.Sprintf("model-%d-2026-03", i%4),
			spread: 0.15 + 0.5*f.r.Float64(), price: math.Exp(math.Log(500) + 2*f.r.Float64()), fails: 0.03 * f.r.Float64(), bad: 0.05 * f.r.Float64(),
			stray: 0.3 * f.r.Float64(), repeats: 0.3 * f.r.Float64(),
		}
		for k := range 4 + f.r.IntN(5) {
			w.tools = append(w.tools, fmt.Sprintf("tool-%d-%d", i, k))
			w.took = append(w.took, math.Exp(math.Log(0.08)+3*f.r.Float64()))
		}
		for range 3 + f.r.IntN(4) {
			w.order = append(w.order, f.r.IntN(len(w.tools)))
		}
		w.in, w.out = []float64{300 + 1500*f.r.Float64()}, []float64{60 + 400*f.r.Float64()}
		f.agents = append(f.agents, w)
		f.push(&event{at: start.Add(time.Duration(f.r.Float64() * float64(o.Every))), begin: i})
	}
	return f
}

// plan spreads faults over the fleet: no agent has two within half an hour.
func (f *fleet) plan(from time.Time) []*episode {
	var names []string
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	at := from
	for k := range f.o.Each {
		for i, name := range names {
			at = at.Add(6 * time.Minute)
			f.plans = append(f.plans, &episode{kind: name, agent: (k + 5*i) % f.o.Agents, begin: at, end: at.Add(day)})
		}
	}
	return f.plans
}

func (f *fleet) push(e *event) {
	f.n++
	e.order = f.n
	heap.Push(&f.queue, e)
}

func (f *fleet) id() (out [16]byte) {
	f.n++
	binary.BigEndian.PutUint64(out[8:], f.n)
	out[0] = 1
	return out
}

// next is the next event up to a time.
func (f *fleet) next(end time.Time) (*event, bool) {
	for len(f.queue) > 0 {
		e := heap.Pop(&f.queue).(*event)
		if e.at.After(end) {
			return nil, false
		}
		if e.begin >= 0 && e.steps == nil && e.runs == nil {
			f.begin(e.begin, e.at)
			continue
		}
		if x := e.fault; x != nil && (x.first.IsZero() || e.at.Before(x.first)) {
			x.first = e.at
		}
		return e, true
	}
	return nil, false
}

// busy is how much agents work at an hour: less at night, never nothing.
func busy(at time.Time) float64 {
	return 0.35 + 0.65*math.Max(0, math.Sin(float64(at.Hour()-5)/24*2*math.Pi))
}

// begin lets an agent do a run, and plans its next.
func (f *fleet) begin(i int, at time.Time) {
	w := f.agents[i]
	pause := time.Duration(f.r.ExpFloat64() * float64(f.o.Every) / busy(at))
	if w.fault != nil {
		pause = time.Duration(f.r.ExpFloat64() * float64(f.o.Every) / 4) // a fault is seen while it is worked with
	}
	w.runs++
	if w.fault == nil {
		for _, e := range f.plans {
			if e.agent == i && e.first.IsZero() && w.left == 0 && !e.begin.After(at) && e.end.Sub(e.begin) == day {
				w.fault, w.left = e, kinds[e.kind].runs
				e.end = at.Add(day - 1)
				break
			}
		}
	}
	end := f.run(i, at)
	if w.fault != nil {
		if w.left--; w.left <= 0 {
			w.fault.end = end
			w.fault = nil
			w.left = 0
		}
	}
	f.push(&event{at: end.Add(pause), begin: i})
}

// around draws a value about a median.
func (f *fleet) around(median, spread float64) float64 {
	return median * math.Exp(spread*f.r.NormFloat64())
}

// run plans the steps of one run and says when it ends.
func (f *fleet) run(i int, at time.Time) time.Time {
	w := f.agents[i]
	id := activity.RunID(f.id())
	kind, x := "", w.fault
	if x != nil {
		kind = x.kind
	}
	nth := 0
	if x != nil {
		nth = kinds[kind].runs - w.left
	}
	bad := f.r.Float64() < w.bad
	if kind == "quality_drop" {
		bad = f.r.Float64() < 0.75
	}
	input := f.around(w.in[0], w.spread/3)
	failing := f.r.IntN(len(w.tools))
	step := func(s activity.Step, took float64, faulty bool) {
		begin := at
		at = at.Add(time.Duration(took * float64(time.Second)))
		s.Run, s.Step, s.Agent, s.Environment, s.Team = id, activity.StepID(f.id()), w.name, "production", "core"
		s.Start, s.End, s.Revision, s.Received = begin.UnixNano(), at.UnixNano(), 1, at.UnixNano()
		s.AgentVersion, s.Task = "1.0", "task"
		if s.Status == activity.StatusRunning {
			s.Status = activity.StatusOK
		}
		e := &event{at: at, steps: []activity.Step{s}, begin: -1}
		if faulty {
			e.fault = x
		}
		f.push(e)
	}
	model := func(grow, price, out float64, answers string, faulty bool) {
		input *= grow
		tokens := int64(f.around(w.out[0]*out, w.spread/2))
		s := activity.Step{Fragment: activity.Fragment{
			Kind: activity.KindModel, ModelRequested: w.model, Model: answers, Name: "chat " + w.model,
			Usage: activity.Usage{InputTotal: int64(input), OutputTotal: tokens, CacheRead: activity.Unknown, CacheWrite: activity.Unknown, Reasoning: activity.Unknown},
		}, Counted: true, Call: true, Cost: activity.Cost{Nanos: int64((input + 4*float64(tokens)) * w.price * price), Currency: "USD", Basis: activity.CostBook}}
		step(s, f.around(0.4+0.004*float64(tokens), w.spread/2), faulty)
	}
	tool := func(name string, took float64, args int, failed bool, faulty bool) {
		s := activity.Step{Fragment: activity.Fragment{Kind: activity.KindTool, ToolName: name, Name: name, Usage: activity.NoUsage}}
		s.Refs = []activity.ContentRef{{Field: activity.ContentArguments, Format: "json", Messages: strconv.Itoa(args)}}
		if failed {
			s.Status, s.ErrorType = activity.StatusError, "timeout"
		}
		step(s, took, faulty)
	}
	answers, length := w.answers, 1.0
	if kind == "provider_change" {
		answers, length = w.answers+"-next", 1.8
		if nth >= 0 {
			answers += strconv.Itoa(int(x.begin.Unix() % 1000)) // each change is to another one
		}
	}
	model(1, 1, length, answers, kind == "provider_change")
	for k, t := range w.order {
		if f.r.Float64() < w.stray {
			t = f.r.IntN(len(w.tools))
		}
		took := f.around(w.took[t], w.spread)
		slow := kind == "latency_creep" && t == w.order[0]
		if slow {
			took *= 1 + 4*math.Min(float64(nth+1)/6, 1)
		}
		fails := f.r.Float64() < w.fails
		hurt := kind == "quality_drop" && bad && (t == failing || k == 0)
		tool(w.tools[t], took, 100+k, fails || hurt, slow || hurt)
		if fails && f.r.Float64() < 0.7 { // it is tried again
			tool(w.tools[t], f.around(w.took[t], w.spread), 100+k, f.r.Float64() < 0.3, false)
		}
		if f.r.Float64() < w.repeats {
			tool(w.tools[t], f.around(w.took[t], w.spread), 100+k, false, false)
		}
		model(1.15, 1, length, answers, false)
	}
	switch kind {
	case "loop":
		for range 15 {
			tool(w.tools[0], f.around(0.4, w.spread), 7, false, true)
		}
	case "cost_runaway":
		for range 12 {
			model(1.5, 4, 1, answers, true)
		}
	case "new_tool":
		tool(fmt.Sprintf("admin-%d", x.begin.Unix()), f.around(0.3, 0.2), 9, false, true)
	case "exfiltration":
		d := &activity.Decision{
			ID: fmt.Sprintf("dec_%d", f.n), At: at.UnixNano(), Agent: w.name, Registered: true, Credential: "agent_key", Team: "core", Environment: "production", Run: id,
			Step: activity.StepID(f.id()), Resource: "mail.send", Context: []byte(`{"context":{"destinations":{"all":["evil.example"],"injected":["evil.example"]}}}`),
		}
		f.push(&event{at: at.Add(time.Second), decision: d, begin: -1, fault: x})
		at = at.Add(2 * time.Second)
	}
	at = at.Add(time.Second)
	f.push(&event{at: at, runs: []activity.Run{{ID: id, Agent: w.name, Status: activity.RunDone, RootError: bad}}, begin: -1})
	return at
}

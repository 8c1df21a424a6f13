package provenance

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Kind is what a step of a run did.
type Kind uint8

// The kinds of steps.
const (
	Says  Kind = iota // an agent's answer, or its report to other agents
	Calls             // an agent calls a tool, or hands code to be run
	Tells             // a tool's result, or a program's output: never guilty itself
	Plans             // a coordinator thinks about what is next
	Hands             // a coordinator tells another agent what to do
	Asks              // the user, or whoever gave the task: never guilty
)

// Step is what is known of a step of a run that failed.
type Step struct {
	Agent  string
	Kind   Kind
	Text   string // what was said, or the arguments of the call
	Failed bool   // the call was answered with an error
	Denied bool   // the door refused it, or a person did
	Broken bool   // arguments or result do not fit their schema
	Empty  bool   // the retrieval brought nothing
}

// Suspect is a step that may be the one where a run went wrong.
type Suspect struct {
	Step    int // index into the run
	Agent   string
	P       float64 // they add up to 1 over a run
	Reasons []string
}

// The evidence on a step. Each is a number in [0, 1]; Weights say what it is
// worth.
const (
	evFailed         = iota // its call failed
	evDenied                // it was denied
	evBroken                // it breaks a schema
	evEmpty                 // its retrieval brought nothing
	evUnsupported           // it states figures and names that nobody gave before
	evAssumes               // it says that it assumes, makes up or simulates
	evOrigin                // what the run ended with was first said here
	evCalls                 // it is a call
	evPlans                 // it is a coordinator's thought
	evHands                 // it hands work on
	evFirst                 // the agents' first step
	evSecond                // their second
	evEarly                 // how early it is
	evLast                  // their last
	evRepeats               // it says what was said before: its fault is older
	evNew                   // its agent's first step
	evFirstCall             // the run's first call: the way is chosen here
	evFirstFail             // the first call that failed
	evReport                // a report to a coordinator
	evFirstReports          // how early it is among these
	evDisputed              // the next agent finds fault with it
	evFruitless             // what was asked is asked again after it
	evFirstFruitless        // for the first time
	evShort                 // says little
	evUnfounded             // states figures and names before anything was looked up
	evidences
)

var evidenceWords = [evidences]string{
	evFailed: "its call failed", evDenied: "it was denied", evBroken: "it does not fit its schema", evEmpty: "its retrieval brought nothing",
	evUnsupported: "states what nobody gave", evAssumes: "says that it assumes", evOrigin: "what the run ended with was first said here",
	evCalls: "is a call", evPlans: "is a plan", evHands: "hands work on", evFirst: "is the first step", evSecond: "is the second step",
	evEarly: "is early", evLast: "is the last step", evRepeats: "repeats what was said before", evNew: "is its agent's first step",
	evFirstCall: "is the first call: the way is chosen here", evFirstFail: "is the first call that failed", evReport: "is a report",
	evFirstReports: "is an early report", evUnfounded: "states figures before anything was looked up",
	evDisputed: "the next agent finds fault with it", evFruitless: "what was asked is asked again after it",
	evFirstFruitless: "is the first after which the same is asked again", evShort: "says little",
}

// Weights say what each piece of evidence is worth, in units of log odds.
type Weights [evidences]float64

// DefaultWeights put hard evidence first, then what is known of failed runs in
// general: they fail early, at a step that brings in something new. Fit makes
// better ones from runs whose failing step a person has named.
var DefaultWeights = Weights{
	evFailed: 1, evDenied: 1.5, evBroken: 1.5, evEmpty: 1,
	evUnsupported: 1.5, evAssumes: 1, evOrigin: .3, evDisputed: .3, evUnfounded: 0,
	evCalls: .2, evFirstCall: .4, evFirstFail: .3, evPlans: -1, evHands: -.6, evReport: .4,
	evFirst: -.5, evSecond: .2, evEarly: .8, evFirstReports: .8, evLast: .8, evNew: .4, evRepeats: -.5,
}

// Blame ranks the steps of a run that failed by how likely each is the one where
// it went wrong first, the likeliest first. Steps that cannot be guilty (the
// user's, results) are left out.
func Blame(run []Step, w Weights) []Suspect {
	all := look(run)
	ps := all.chances(w)
	var out []Suspect
	for i, c := range all {
		s := Suspect{Step: c.step, Agent: run[c.step].Agent, P: ps[i]}
		s.Reasons = reasons(w, c.evidence, len(all) > 2)
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b Suspect) int { return cmp.Or(cmp.Compare(b.P, a.P), cmp.Compare(a.Step, b.Step)) })
	return out
}

// placed are what only says where a step stands: no reason among one or two.
var placed = [evidences]bool{evFirst: true, evSecond: true, evEarly: true, evLast: true, evNew: true, evFirstReports: true, evFirstCall: true}

// reasons are the four pieces of evidence that weigh most for a step.
func reasons(w Weights, evidence [evidences]float64, places bool) (out []string) {
	var worth [evidences]float64
	for k := range worth {
		worth[k] = w[k] * evidence[k]
	}
	for _, k := range heaviest(worth[:])[:4] {
		if worth[k] > .1 && (places || !placed[k]) {
			out = append(out, evidenceWords[k])
		}
	}
	return out
}

// heaviest gives the indices of numbers, the largest first.
func heaviest(xs []float64) []int {
	order := make([]int, len(xs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(xs[b], xs[a]) })
	return order
}

// BlameAgent adds up the chances of each agent's steps and names the likeliest;
// "" if no step can be guilty.
func BlameAgent(suspects []Suspect) (agent string, p float64) {
	sum := map[string]float64{}
	for _, s := range suspects {
		sum[s.Agent] += s.P
	}
	for _, s := range suspects { // in their order, so that ties are broken the same way each time
		if sum[s.Agent] > p {
			agent, p = s.Agent, sum[s.Agent]
		}
	}
	return agent, p
}

// candidate is a step that can be guilty, with the evidence on it.
type candidate struct {
	step     int
	evidence [evidences]float64
}

type candidates []candidate

// look collects the evidence of a run.
func look(run []Step) (out candidates) {
	known := map[string]bool{}  // figures and names that were given so far
	said := map[string]bool{}   // agents that spoke
	texts := map[string]int{}   // what was said before
	answer := lastEntities(run) // what the run ended with
	open := len(answer) > 0     // its first mention was not met yet
	calls, fails, told, reports, handed := 0, 0, 0, 0, false
	for i, s := range run {
		if len(strings.TrimSpace(s.Text)) < 12 && s.Kind == Says && !s.Denied {
			continue // says nothing that could be wrong
		}
		entities := entitiesOf(s.Text)
		told += int(one(s.Kind == Tells))
		if s.Kind == Asks || s.Kind == Tells {
			for _, e := range entities {
				known[e] = true
			}
			if s.Kind == Tells && open && shares(entities, answer) && len(out) > 0 {
				out[len(out)-1].evidence[evOrigin] = 1 // the call that brought it
				open = false
			}
			continue
		}
		c := candidate{step: i}
		e := &c.evidence
		e[evFailed], e[evDenied], e[evBroken], e[evEmpty] = one(s.Failed), one(s.Denied), one(s.Broken), one(s.Empty)
		fresh := 0
		for _, x := range entities {
			if !known[x] {
				fresh++
			}
		}
		if fresh > 0 {
			e[evUnsupported] = float64(fresh) / float64(fresh+3)
		}
		e[evAssumes] = assumes(s.Text)
		if open && shares(entities, answer) {
			e[evOrigin] = 1
			open = false
		}
		for _, x := range entities {
			known[x] = true
		}
		e[evCalls], e[evPlans], e[evHands] = one(s.Kind == Calls), one(s.Kind == Plans), one(s.Kind == Hands)
		n := len(out)
		if s.Kind == Calls {
			e[evFirstCall], calls = one(calls == 0), calls+1
			e[evFirstFail] = one(s.Failed && fails == 0)
			fails += int(one(s.Failed))
		}
		if s.Kind == Says && calls == 0 && told == 0 && fresh > 2 {
			e[evUnfounded] = 1
		}
		if s.Kind == Says && handed {
			reports++
			e[evReport] = 1
			e[evFirstReports] = min(1, 3/float64(reports))
		}
		handed = handed || s.Kind == Hands
		e[evFirst], e[evSecond] = one(n == 0), one(n == 1)
		e[evEarly] = 1 / (1 + float64(n)/4)
		e[evNew] = one(!said[s.Agent])
		said[s.Agent] = true
		key := strings.Join(strings.Fields(strings.ToLower(s.Text)), " ")
		e[evRepeats] = one(texts[key] > 0)
		texts[key]++
		out = append(out, c)
	}
	if n := len(out); n > 0 {
		out[n-1].evidence[evLast] = 1 / (1 + float64(n)/10)
	}
	out.followed(run)
	return out
}

// followed adds what the steps after a step say of it.
func (c candidates) followed(run []Step) {
	fruitless := false
	asked := ""
	for i := range c {
		s := run[c[i].step]
		c[i].evidence[evShort] = 1 / (1 + float64(len(s.Text))/200)
		for _, next := range run[c[i].step+1:] {
			if next.Agent != s.Agent && next.Kind != Tells {
				c[i].evidence[evDisputed] = disputes(next.Text)
				break
			}
		}
		if s.Kind == Hands {
			asked = s.Text
			continue
		}
		if s.Kind != Says || asked == "" {
			continue
		}
		for _, next := range run[c[i].step+1:] {
			if next.Kind != Hands || len(strings.Fields(next.Text)) < 4 {
				continue
			}
			if again := alike(asked, next.Text); again > .4 {
				c[i].evidence[evFruitless] = again
				c[i].evidence[evFirstFruitless] = one(!fruitless)
				fruitless = true
			}
			break
		}
	}
}

var faults = []string{"incorrect", "mistake", "wrong", "error", "fail", "unable", "not found", "cannot", "could not", "did not", "does not", "however", "inaccura", "missing", "instead"}

// disputes says how much a text finds fault.
func disputes(text string) float64 {
	if len(text) > 2000 {
		text = text[:2000]
	}
	text = strings.ToLower(text)
	n := 0
	for _, w := range faults {
		n += int(one(strings.Contains(text, w)))
	}
	return float64(n) / float64(n+2)
}

// alike is the share of words that two texts have in common.
func alike(a, b string) float64 {
	in := map[string]bool{}
	for _, w := range strings.Fields(strings.ToLower(a)) {
		in[w] = true
	}
	all, both := len(in), 0
	for _, w := range strings.Fields(strings.ToLower(b)) {
		if v, ok := in[w]; !ok {
			in[w] = false
			all++
		} else if v {
			in[w] = false
			both++
		}
	}
	return float64(both) / float64(max(1, all))
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// assumptions are words with which one says that one does not know.
var assumptions = []string{
	"assum", "simulat", "placeholder", "hypothetical", "for example purposes", "sample data", "mock", "fabricat",
	"let's say", "suppose", "based on my knowledge", "general knowledge", "i recall", "approximat", "estimat", "likely", "presumably", "should be",
}

func assumes(text string) float64 {
	text = strings.ToLower(text)
	n := 0
	for _, w := range assumptions {
		if strings.Contains(text, w) {
			n++
		}
	}
	return float64(n) / float64(n+1)
}

// entitiesOf finds figures and names in a text: words with a digit, and words
// that begin with a capital within a sentence.
func entitiesOf(text string) (out []string) {
	if len(text) > 20_000 {
		text = text[:20_000]
	}
	begins := true
	for _, w := range strings.Fields(text) {
		ends := strings.ContainsAny(w[len(w)-1:], ".:!?")
		w = strings.Trim(w, ".,;:!?()[]{}<>\"'`*_#|$%=\\/")
		if w == "" {
			begins = begins || ends
			continue
		}
		digit := strings.ContainsAny(w, "0123456789")
		upper := w[0] >= 'A' && w[0] <= 'Z' && !begins
		if digit || upper && len(w) > 2 {
			out = append(out, strings.ToLower(w))
		}
		begins = ends
	}
	return out
}

// lastEntities are the figures and names of the last step that says something.
func lastEntities(run []Step) map[string]bool {
	out := map[string]bool{}
	for i := len(run) - 1; i >= 0; i-- {
		if run[i].Kind == Asks || run[i].Kind == Tells || len(run[i].Text) < 12 {
			continue
		}
		for _, e := range entitiesOf(run[i].Text) {
			out[e] = true
		}
		if len(out) > 0 {
			break
		}
	}
	for _, s := range run {
		if s.Kind == Asks {
			for _, e := range entitiesOf(s.Text) {
				delete(out, e) // the task's own words tell nothing
			}
		}
	}
	return out
}

// shares says that enough of what the run ended with stands in a text.
func shares(entities []string, answer map[string]bool) bool {
	n, seen := 0, map[string]bool{}
	for _, e := range entities {
		if answer[e] && !seen[e] {
			seen[e] = true
			n++
		}
	}
	return n > 0 && 3*n >= len(answer)
}

// chances are the candidates' probabilities: they compete with each other.
func (c candidates) chances(w Weights) []float64 {
	out := make([]float64, len(c))
	top := math.Inf(-1)
	for i := range c {
		for k, x := range c[i].evidence {
			out[i] += w[k] * x
		}
		top = max(top, out[i])
	}
	sum := 0.0
	for i := range out {
		out[i] = math.Exp(out[i] - top)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// Verdict is a failed run of which a person has named the step that went wrong.
type Verdict struct {
	Run  []Step
	Step int
}

// Example is what a verdict teaches, without a word of its run: the evidence on each
// step that could be guilty, which of them is, and which are of the same agent.
type Example struct {
	Form  int         `json:"form"` // of the evidence; another one teaches nothing
	Steps [][]float32 `json:"steps"`
	Right int         `json:"right"`
	Same  []bool      `json:"same"`
}

// exampleForm goes up when pieces of evidence are added, taken away or moved.
const exampleForm = 1

// mostOfExample is how many steps of a run are kept of an example. Those that are left
// out are taken evenly: the choice among the others teaches the same (McFadden, 1978).
const mostOfExample = 200

// Example makes one of a verdict; ok is false where the named step cannot be guilty.
func (v *Verdict) Example() (x Example, ok bool) {
	all := look(v.Run)
	at := slices.IndexFunc(all, func(c candidate) bool { return c.step == v.Step })
	if at < 0 {
		return Example{}, false
	}
	x.Form = exampleForm
	every := (len(all) + mostOfExample - 1) / mostOfExample
	for i, c := range all {
		if i != at && i%every != 0 {
			continue
		}
		if i == at {
			x.Right = len(x.Steps)
		}
		e := make([]float32, evidences)
		for k, v := range c.evidence {
			e[k] = float32(v)
		}
		x.Steps = append(x.Steps, e)
		x.Same = append(x.Same, v.Run[c.step].Agent == v.Run[v.Step].Agent)
	}
	return x, true
}

// fits reports whether an example is of today's form and is whole.
func (x *Example) fits() bool {
	return x.Form == exampleForm && x.Right >= 0 && x.Right < len(x.Steps) && len(x.Same) == len(x.Steps) && x.Same[x.Right] &&
		!slices.ContainsFunc(x.Steps, func(e []float32) bool { return len(e) != int(evidences) })
}

// agentPart is what naming the right agent is worth beside naming the right step.
const agentPart = .5

// Fit finds the weights that make people's verdicts likeliest, drawn towards the
// given ones as far as there are few verdicts (strength is worth so many of
// them; 0 is 2). Runs whose named step cannot be guilty are passed over.
func Fit(verdicts []Verdict, from Weights, strength float64) Weights {
	var set []Example
	for i := range verdicts {
		if x, ok := verdicts[i].Example(); ok {
			set = append(set, x)
		}
	}
	return FitExamples(set, from, strength)
}

// FitExamples is Fit for what was kept of verdicts; examples of another form are
// passed over.
func FitExamples(set []Example, from Weights, strength float64) Weights {
	if strength == 0 {
		strength = 2
	}
	set = slices.DeleteFunc(slices.Clone(set), func(x Example) bool { return !x.fits() })
	w := from
	if len(set) == 0 {
		return w
	}
	all := make([]candidates, len(set))
	for i := range set {
		all[i] = make(candidates, len(set[i].Steps))
		for k, e := range set[i].Steps {
			for n, v := range e {
				all[i][k].evidence[n] = float64(v)
			}
		}
	}
	// A smooth problem of few numbers: plain gradient steps will do.
	rate := .5
	for range 400 {
		var grad Weights
		for n := range set {
			x := &set[n]
			ps := all[n].chances(w)
			agent := 0.0
			for i, p := range ps {
				agent += p * one(x.Same[i])
			}
			for i, c := range all[n] {
				// Both count: that the step is right, and that its agent is.
				pull := one(i == x.Right) - ps[i] + agentPart*(one(x.Same[i])*ps[i]/agent-ps[i])
				for k, e := range c.evidence {
					grad[k] += pull * e
				}
			}
		}
		for k := range w {
			w[k] += rate * (grad[k] - strength/2*(w[k]-from[k])) / (float64(len(set)) + strength)
		}
	}
	return w
}

// Change is what verdicts made of the weight of one piece of evidence.
type Change struct {
	Evidence     string // in words
	Shipped, Now float64
}

// Changes are the weights that are another than before by a twentieth or more, the
// most changed first.
func (w Weights) Changes(from Weights) (out []Change) {
	var size [evidences]float64
	for k := range w {
		size[k] = math.Abs(w[k] - from[k])
	}
	for _, k := range heaviest(size[:]) {
		if size[k] >= .05 {
			out = append(out, Change{evidenceWords[k], from[k], w[k]})
		}
	}
	return out
}

// String lists the weights, the heaviest first.
func (w Weights) String() string {
	var size [evidences]float64
	for k := range w {
		size[k] = math.Abs(w[k])
	}
	var b strings.Builder
	for _, k := range heaviest(size[:]) {
		fmt.Fprintf(&b, "%+.2f %s; ", w[k], evidenceWords[k])
	}
	return strings.TrimSuffix(b.String(), "; ")
}

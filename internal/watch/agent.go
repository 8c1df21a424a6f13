package watch

import (
	"math"
	"strings"
	"time"

	"reeve/internal/activity"
	"reeve/internal/detect/hijack"
)

// agent is what is measured and known of one agent, by one way of knowing of it.
type agent struct {
	who
	version string
	first   int64 // ns, received
	seen    int64
	touched bool

	ranges map[string]*tail           // what is normal, by measure and subject
	blocks map[blockKey]*block        // the newest values of what is judged by ten
	known  map[string]map[string]*use // tools, models... by kind
	news   map[string]*novelty        // by kind
	shares map[string]*share          // how often calls fail and runs end badly
	last   map[string]*window         // the newest outcomes of the same
	gates  map[string]*gate           // by detector
	rest   map[string]int64           // by detector and subject: until when it rests
	paths  paths
	profile
	topic  topic
	series series
	parts  map[string]map[string]*Part // tools, versions, tasks, errors
	moving *run                        // that moved last
	runs   int64                       // that ended
	deep   *deep                       // nil while too few runs ended, or too many agents work
	lines  *lines                      // of its logs; nil: none came
	ways   *hijack.Watcher             // by which destinations came to its calls; nil: none did
}

const (
	maxRanges = 40
	maxParts  = 64
	blockOf   = 10
)

// use is how often something was used.
type use struct {
	N    int64
	Last int64
}

// novelty is how long nothing new came.
type novelty struct {
	Uses  int64 // of this kind, all
	Since int64 // uses since the newest name
}

// gate counts how often a detector looked, which with the alarms that a person
// allows gives how rare something must be.
type gate struct {
	Looks float64
	First int64
}

// perWeek is how many looks a week has, by those so far.
func (g *gate) perWeek(now int64) float64 {
	if g == nil || g.First == 0 {
		return 1
	}
	span := math.Max(float64(now-g.First), float64(10*time.Minute))
	return math.Max(g.Looks*float64(7*24*time.Hour)/span, 1)
}

// block is the newest values of a measure: its median is judged.
type block struct {
	vals    [blockOf]float64
	n       int64
	subject string
	normal  *tail // what is normal of it, one of its agent's ranges; nil: not looked for yet
}

// blockKey is what the values of a block are of: a measure of a kind's name.
type blockKey struct{ measure, what, name string }

func (k *blockKey) subject() string {
	if k.what == "" {
		return k.name
	}
	return k.what + " " + k.name
}

// window is the newest outcomes, a bit each.
type window struct {
	bits uint64
	n    int
}

const windowOf = 20

func (v *window) add(hit bool) {
	v.bits <<= 1
	if hit {
		v.bits |= 1
	}
	v.bits &= 1<<windowOf - 1
	v.n = min(v.n+1, windowOf)
}

func (v *window) hits() (k int) {
	for b := v.bits; b != 0; b &= b - 1 {
		k++
	}
	return k
}

// agentOf finds or makes an agent; nil when there are too many.
func (w *Watch) agentOf(k who) *agent {
	if a := w.agents[k]; a != nil {
		a.seen = w.clock
		return a
	}
	if len(w.agents) >= maxAgents {
		w.forgetAgents()
	}
	k.team, k.environment, k.name = word(k.team), word(k.environment), word(k.name)
	if a := w.agents[k]; a != nil {
		a.seen = w.clock
		return a
	}
	a := newAgent(k, w.clock)
	w.agents[k] = a
	return a
}

func newAgent(k who, now int64) *agent {
	return &agent{
		who: k, first: now, seen: now, ranges: map[string]*tail{}, blocks: map[blockKey]*block{}, known: map[string]map[string]*use{}, news: map[string]*novelty{},
		shares: map[string]*share{}, last: map[string]*window{}, gates: map[string]*gate{}, rest: map[string]int64{}, parts: map[string]map[string]*Part{},
	}
}

func (a *agent) gate(detector string, now int64) *gate {
	g := a.gates[detector]
	if g == nil {
		g = &gate{First: now}
		a.gates[detector] = g
	}
	return g
}

// look counts looks of a detector. Old ones fade, so that an agent that became
// busy is measured by what it does now.
func (a *agent) look(detector string, n float64, now int64) {
	g := a.gate(detector, now)
	g.Looks += n
	if age := now - g.First; age > int64(14*24*time.Hour) {
		g.Looks /= 2
		g.First = now - age/2
	}
}

// span is the range of a measure; nil when the agent has too many.
func (a *agent) span(name string) *tail {
	t := a.ranges[name]
	if t == nil {
		if len(a.ranges) >= maxRanges {
			return nil
		}
		t = &tail{}
		a.ranges[name] = t
	}
	return t
}

func (a *agent) started(now int64) { a.bucket(now).Runs++ }

// ended counts how a call of a tool or model ended.
func (a *agent) ended(called string, failed bool) {
	a.result("errors", failed)
}

// result counts one outcome of a kind.
func (a *agent) result(kind string, bad bool) {
	v := a.last[kind]
	if v == nil {
		v = &window{}
		a.last[kind] = v
		a.shares[kind] = &share{}
	}
	// What leaves the window becomes part of what is normal: the newest twenty
	// are judged against what was before them.
	if v.n == windowOf {
		a.shares[kind].add(v.bits>>(windowOf-1)&1 == 1)
	}
	v.add(bad)
}

// block takes a value of a measure that is judged by the median of ten; what says
// what name is the name of, or is "".
func (w *Watch) block(a *agent, r *run, measure, what, name string, x float64) {
	k := blockKey{measure, what, name}
	if len(what)+1+len(name) > maxWord {
		k.name = word(k.subject())
		k.what = ""
	}
	b := a.blocks[k]
	if b == nil {
		if len(a.blocks) >= maxRanges {
			return
		}
		k.name = strings.Clone(k.name) // the write's memory is its own
		b = &block{subject: k.subject()}
		a.blocks[k] = b
	}
	b.vals[b.n%blockOf] = x
	b.n++
	if b.n < blockOf {
		return
	}
	w.level(a, r, measure, b)
}

// uses notes that something was used, and looks whether it is new.
func (w *Watch) uses(a *agent, r *run, kind, what, name string, step activity.StepID) {
	of := a.known[kind]
	if of == nil {
		of = map[string]*use{}
		a.known[kind] = of
		a.news[kind] = &novelty{}
	}
	n := a.news[kind]
	n.Uses++
	if u := of[name]; u != nil {
		u.N++
		u.Last = w.clock
		n.Since++
		return
	}
	if len(of) >= maxNames {
		return // an agent with so many has no normal here
	}
	name = word(name)
	if u := of[name]; u != nil { // a long word, cut
		u.N++
		u.Last = w.clock
		n.Since++
		return
	}
	of[name] = &use{1, w.clock}
	w.novel(a, r, kind, what, name, n, step)
	n.Since = 0
}

// alias notes which model answers under a name.
func (w *Watch) alias(a *agent, r *run, s *activity.Step) {
	w.uses(a, r, "provider_change", "model behind "+word(s.ModelRequested), s.ModelRequested+" is "+s.Model, s.Step)
}

// paths is how often which tool follows which.
type paths struct {
	index map[string]int
	names []string
	moves map[[2]int16]float32
	from  map[int16]float32
	total float64
}

const maxTools = 48 // told apart in paths; the rest is one

// number is a tool's, from 0; what comes after the most is one number together.
func (p *paths) number(name string) int {
	if p.index == nil {
		p.index, p.moves, p.from = map[string]int{}, map[[2]int16]float32{}, map[int16]float32{}
	}
	if n, ok := p.index[name]; ok {
		return n
	}
	if len(p.names) >= maxTools {
		return maxTools
	}
	name = word(name)
	if n, ok := p.index[name]; ok {
		return n
	}
	p.index[name] = len(p.names)
	p.names = append(p.names, name)
	return len(p.names) - 1
}

// move learns that one tool followed another (-1: the run began) and says how
// many bits that tells; known is false while too little was seen.
func (p *paths) move(from, to int) (bits float64, known bool) {
	k := [2]int16{int16(from), int16(to)}
	all := float64(p.from[k[0]])
	// A quarter of a look at every tool there is and one new one.
	kinds := float64(len(p.names) + 1)
	likely := (float64(p.moves[k]) + 0.25) / (all + 0.25*kinds)
	bits = -math.Log2(likely)
	known = p.total >= 50
	p.moves[k]++
	p.from[k[0]]++
	if p.total++; p.total >= 20_000 {
		p.total /= 2
		for k := range p.moves {
			p.moves[k] /= 2
		}
		for k := range p.from {
			p.from[k] /= 2
		}
	}
	return bits, known
}

// entropy is how many bits the next tool tells on average when the one before
// is known, and how repeatable the paths are: 1 is always the same, 0 is any
// tool after any other.
func (p *paths) entropy() (bits, repeatable float64, known bool) {
	if p.total < 20 {
		return 0, 0, false
	}
	var all float64
	for _, n := range p.from {
		all += float64(n)
	}
	for k, n := range p.moves {
		if n > 0 {
			bits -= float64(n) / all * math.Log2(float64(n)/float64(p.from[k[0]]))
		}
	}
	most := math.Log2(float64(max(len(p.names), 2)))
	return bits, math.Min(math.Max(1-bits/most, 0), 1), true
}

// profile is at which hours of the day an agent begins runs, on working days
// and at week ends.
type profile struct {
	hour [48]float32
	days map[int32]struct{} // days with activity, the newest 64
}

// slot is an hour's place, by UTC.
func slot(at int64) (int, int32) {
	t := time.Unix(0, at).UTC()
	i := t.Hour()
	if d := t.Weekday(); d == time.Saturday || d == time.Sunday {
		i += 24
	}
	return i, int32(at / int64(24*time.Hour))
}

// usual is how much of what an agent does falls into an hour and those beside it.
func (p *profile) usual(at int64) (of float64, working, weekend int) {
	i, _ := slot(at)
	base := i / 24 * 24
	var all float64
	for _, n := range p.hour[base : base+24] {
		all += float64(n)
	}
	for d := range p.days {
		if day := time.Unix(int64(d)*86400, 0).UTC().Weekday(); day == time.Saturday || day == time.Sunday {
			weekend++
		} else {
			working++
		}
	}
	if base == 24 {
		// A week end is unlike the week when nothing happens then at all.
		var week float64
		for _, n := range p.hour[:24] {
			week += float64(n)
		}
		all += week / 5 * 2
	}
	var near float64
	for d := -1; d <= 1; d++ {
		near += float64(p.hour[base+(i-base+d+24)%24])
	}
	return (near + 0.02) / (all + 0.02), working, weekend
}

func (p *profile) note(at int64) {
	i, day := slot(at)
	p.hour[i]++
	if p.hour[i] > 5000 {
		for k := range p.hour {
			p.hour[k] /= 2
		}
	}
	if p.days == nil {
		p.days = map[int32]struct{}{}
	}
	if _, ok := p.days[day]; !ok {
		p.days[day] = struct{}{}
		for d := range p.days {
			if d < day-64 {
				delete(p.days, d)
			}
		}
	}
}

// hours measures when an agent works: by its first step of an hour.
func (w *Watch) hours(a *agent, r *run, s *activity.Step) {
	if r.steps > 1 {
		return
	}
	w.offHours(a, r, s)
	a.note(w.clock)
}

// topic is what users ask about, as counts of hashed words: no text is kept.
type topic struct {
	long, recent [topicBins]float32
	n            int
	blocks       int
}

const (
	topicBins  = 192
	topicOf    = 30 // messages
	topicBytes = 600
)

// message takes in what a user said, or a model answered.
func (w *Watch) message(m *activity.Message) {
	answer := m.Field == activity.ContentOutput && m.Role != "user"
	if m.Role != "user" && !answer || m.Agent == "" {
		return
	}
	// Telemetry and the door tell the same words: one of them is enough.
	var r *run
	for _, one := range w.runs[m.Run] {
		if one.of.name == m.Agent && (r == nil || one.of.door) {
			r = one
		}
	}
	if r == nil {
		return
	}
	if answer {
		w.answered(r, m)
		return
	}
	if len(m.Raw) == 0 {
		return
	}
	a := r.of
	r.talk.asked(m.Raw[:min(len(m.Raw), topicBytes)])
	words(m.Raw[:min(len(m.Raw), topicBytes)], func(h uint32) { a.topic.recent[h%topicBins]++ })
	if a.topic.n++; a.topic.n >= topicOf {
		w.shift(a, r)
	}
}

// words hashes the words of a text of five letters and more: short ones say
// little of what it is about.
func words(text []byte, each func(uint32)) {
	const start = 2166136261
	h, n := uint32(start), 0
	for _, c := range text {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c >= 'a' && c <= 'z' || c >= 0x80 {
			h = (h ^ uint32(c)) * 16777619
			n++
			continue
		}
		if n >= 5 {
			each(h)
		}
		h, n = start, 0
	}
	if n >= 5 {
		each(h)
	}
}

// divergence is the Jensen-Shannon divergence of two histograms in bits: 0 for
// the same, 1 for nothing in common.
func divergence(x, y *[topicBins]float32) float64 {
	var sx, sy float64
	for i := range x {
		sx += float64(x[i]) + 0.05
		sy += float64(y[i]) + 0.05
	}
	var d float64
	for i := range x {
		p, q := (float64(x[i])+0.05)/sx, (float64(y[i])+0.05)/sy
		m := (p + q) / 2
		d += p/2*math.Log2(p/m) + q/2*math.Log2(q/m)
	}
	return d
}

package run

import (
	"cmp"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"reeve/internal/activity"
	"reeve/internal/telemetry"
)

// Limits of a fold.
const (
	maxSteps  = 250_000 // of one run; what is over is refused and flagged
	maxListed = 64      // models, tools, tags... that a run row lists
	minute    = int64(60e9)
	day       = 24 * 60 * minute
)

// batch folds everything of one decoded batch.
func (r *Reader) batch(ctx context.Context, b *activity.Batch, received int64) error {
	if b.Received > 0 {
		received = b.Received
	}
	r.received = max(r.received, received)
	for i := range b.Fragments {
		telemetry.Rest(&r.rested)
		if err := r.fragment(ctx, b, &b.Fragments[i], received); err != nil {
			return err
		}
	}
	for i := range b.Logs {
		if err := r.log(ctx, b, &b.Logs[i], received); err != nil {
			return err
		}
	}
	for i := range b.Metrics {
		r.metric(b, &b.Metrics[i], received)
	}
	for i := range b.Settled {
		if err := r.settled(ctx, &b.Settled[i]); err != nil {
			return err
		}
	}
	r.resource, r.scope = same{}, same{} // their memory is the batch's
	return nil
}

// fragment folds one fragment into its step and its run.
func (r *Reader) fragment(ctx context.Context, b *activity.Batch, f *activity.Fragment, received int64) error {
	r.stats.Fragments++
	r.repair(f, received)
	l, err := r.find(ctx, f.Run)
	if err != nil {
		return err
	}
	if l == nil {
		l = r.add(f.Run, received)
	}
	i := l.find(f.Step)
	if i == none && len(l.steps) >= maxSteps {
		l.overflowing = true
		r.stats.Refused++
		r.touch(l, received)
		return nil
	}
	if b.Environment != "" {
		f.Environment = b.Environment
	}
	var refs []activity.ContentRef
	if len(f.Contents) > 0 {
		if err := r.loadWords(ctx, l); err != nil {
			return err
		}
		refs = r.measuredRefs(l, b, f, received)
	}
	if i == none || !l.steps[i].is(bitSeen) {
		r.first(l, f, refs, b, received)
		return r.related(ctx, b, f, received)
	}
	// The copy is made before it is known to be needed: laid end to end it is
	// also what the hash reads, and resends are rare.
	c := activity.Layer{Refs: refs}
	hash := withRefs(r.copy(&c.Fragment, f), refs)
	if l.knows(i, hash) {
		r.stats.Duplicates++
		return nil
	}
	if err := r.join(ctx, l, i, &c, b, received); err != nil {
		return err
	}
	l.learn(i, hash)
	r.touch(l, received)
	return r.related(ctx, b, f, received)
}

// related finds what a fragment has to do with other runs.
func (r *Reader) related(ctx context.Context, b *activity.Batch, f *activity.Fragment, received int64) error {
	if f.ResponseID != "" {
		if err := r.pair(ctx, f, b.Team, received); err != nil {
			return err
		}
	}
	if len(f.Links) == 0 && len(r.back.by) == 0 {
		return nil
	}
	return r.answer(ctx, f, b.Team, received)
}

// refsMeasured is one in how many fragments is measured: a look at the clock
// takes a third of what a small content does.
const refsMeasured = 16

// measuredRefs is refs, a part of whose time is counted under messages.
func (r *Reader) measuredRefs(l *live, b *activity.Batch, f *activity.Fragment, received int64) []activity.ContentRef {
	if r.o.Stages == nil || r.stats.Fragments%refsMeasured != 0 {
		return r.refs(l, b, f, received)
	}
	began := r.o.Stages.Begin()
	refs := r.refs(l, b, f, received)
	d := r.o.Stages.End(telemetry.StageMessages, began)
	// What looking at the clock takes would count sixteen times.
	all := refsMeasured * max(0, d-r.clock)
	r.o.Stages.Add(telemetry.StageMessages, all-d)
	r.o.Stages.Add(telemetry.StageFold, -all)
	return refs
}

// withRefs adds what a fragment's contents became to its hash, which is never 0.
func withRefs(hash uint64, refs []activity.ContentRef) uint64 {
	for k := range refs {
		hash = mix(hash, uint64(refs[k].Field), uint64(uint32(refs[k].Order)), xxhash.Sum64String(refs[k].Messages))
	}
	return max(hash, 1)
}

// first makes the step of a fragment that is the first of its step.
func (r *Reader) first(l *live, f *activity.Fragment, refs []activity.ContentRef, b *activity.Batch, received int64) {
	i := l.place(f.Step)
	slot := r.cur.take(l, i)
	s := &r.cur.Steps[slot]
	hash := withRefs(r.copy(&s.Fragment, f), refs)
	s.Refs, s.Received, s.Revision = refs, received, 1
	s.Sender, s.Team = r.names.get(b.Sender), r.names.get(b.Team)
	if !s.WholeFragment {
		r.cur.layers[slot] = activity.Layers{{Fragment: s.Fragment, Refs: refs}}
	}
	st := &l.steps[i]
	st.slot, st.write, st.revision = slot, r.cur.number, 1
	st.set(bitSeen, true)
	l.seen++
	r.settle(l, i, s)
	l.learn(i, hash)
	l.addTrace(f.Trace)
	r.touch(l, received)
}

// join merges c into step i and lets memory know what became of it.
func (r *Reader) join(ctx context.Context, l *live, i int32, c *activity.Layer, b *activity.Batch, received int64) error {
	s, err := r.open(ctx, l, i)
	if err != nil {
		return err
	}
	st := &l.steps[i]
	layers, err := r.layersOf(st.slot, s)
	if err != nil {
		return err
	}
	if len(layers) == 0 {
		layers = activity.Layers{{Fragment: s.Fragment, Refs: s.Refs}}
	}
	layers = layers.Add(c)
	layers.Resolve(s)
	if len(layers) > 1 || !layers[0].WholeFragment {
		r.cur.layers[st.slot] = layers
	}
	s.Received = min(s.Received, received)
	s.Sender, s.Team = max(s.Sender, r.names.get(b.Sender)), max(s.Team, r.names.get(b.Team))
	r.settle(l, i, s)
	return nil
}

// layersOf is the layers of a step in the current write; nil for a step with
// one layer, which is the step's own view.
func (r *Reader) layersOf(slot int32, s *activity.Step) (activity.Layers, error) {
	if ls, ok := r.cur.layers[slot]; ok {
		return ls, nil
	}
	if len(s.Layers) == 0 {
		// A store keeps no word for it, but a step without layers was whole.
		s.WholeFragment, s.OnlyContent = true, false
		return nil, nil
	}
	return activity.DecodeLayers(s.Layers, s)
}

// repair makes a fragment sound that intake let through or that an older
// release wrote.
func (r *Reader) repair(f *activity.Fragment, received int64) {
	if f.Start <= 0 {
		f.Start = received
		if f.End > 0 {
			f.Start = f.End
		}
		f.Flags |= activity.FlagStartMissing
	}
	if f.End < 0 {
		f.End = activity.Unknown
	} else if f.End < f.Start {
		f.End = f.Start
		f.Flags |= activity.FlagEndBeforeStart
	}
	if start, end := activity.ClampSpan(f.Start, f.End, received, r.kept()); start != f.Start || end != f.End {
		f.Attributes = sent(sent(f.Attributes, activity.TimeSent, f.Start, start), activity.TimeSentEnd, f.End, end)
		f.Start, f.End = start, end
		f.Flags |= activity.FlagClampedTime
	}
	if f.Step.IsZero() {
		// Without an id two fragments of one step cannot find each other; the
		// text of its ids, name and time makes a resend find itself.
		b := append([]byte(f.Name), f.Run[:]...)
		b = binary.LittleEndian.AppendUint64(b, uint64(f.Start))
		f.Step = activity.StepOfKey(string(b))
		f.Flags |= activity.FlagBadID
	}
	if f.Run.IsZero() {
		f.Run = activity.RunOfKey(f.Step.String())
		f.Flags |= activity.FlagBadID
	}
	if f.Parent == f.Step {
		f.Parent = activity.StepID{}
		f.Flags |= activity.FlagSelfParent
	}
}

// kept is how far back times may lie: what intake let through passes, also when what
// is kept became less in between.
func (r *Reader) kept() time.Duration {
	if r.o.Keeps == nil {
		return activity.LongestAge
	}
	return max(r.o.Keeps(), activity.LongestAge)
}

// sent adds to attributes what was said of a time that was clamped.
func sent(attributes []byte, key string, said, taken int64) []byte {
	if said == taken {
		return attributes
	}
	return activity.AppendTime(slices.Clip(attributes), key, said) // what lies behind is another's
}

// refs splits a fragment's contents into the run's messages.
func (r *Reader) refs(l *live, b *activity.Batch, f *activity.Fragment, received int64) []activity.ContentRef {
	s := source{
		step: f.Step, time: f.Start, day: r.dayOf(f.Start, received),
		agent: r.names.get(f.Agent), team: r.names.get(b.Team), env: r.names.get(f.Environment),
	}
	out := r.cur.refs.room(len(f.Contents))
	for k := range f.Contents {
		c := &f.Contents[k]
		if len(c.Raw) == 0 {
			continue
		}
		list, cut := r.split(l, s, c)
		if cut {
			f.Flags |= activity.FlagTruncated
		}
		out = append(out, activity.ContentRef{
			Field: c.Field, Format: r.names.get(c.Format), From: r.names.get(c.From), Order: c.Order, Messages: list,
		})
	}
	return out
}

// dayOf is the partition of an event: its day, clamped to what the store keeps
// so that a wrong clock cannot make partitions without end.
func (r *Reader) dayOf(at, received int64) int32 {
	return int32(activity.ClampTime(at, received, r.kept()) / day)
}

// same remembers the last bytes that were copied, by address: a batch's
// fragments share their resource.
type same struct {
	from *byte
	n    int
	to   []byte
	hash uint64
}

func (r *Reader) copyShared(s *same, b []byte) ([]byte, uint64) {
	if len(b) == 0 {
		return nil, 0
	}
	if p := unsafe.SliceData(b); s.from != p || s.n != len(b) || s.to == nil {
		*s = same{from: p, n: len(b), to: r.cur.arena.bytes(b), hash: xxhash.Sum64(b)}
	}
	return s.to, s.hash
}

// copy makes dst a copy of f without its contents that outlives the batch, and
// returns a hash of all that was copied.
func (r *Reader) copy(dst, f *activity.Fragment) uint64 {
	*dst = *f
	dst.Contents = nil
	texts := [...]*string{
		&dst.Name, &dst.StatusMessage, &dst.ErrorType, &dst.Agent, &dst.AgentID, &dst.AgentVersion, &dst.Service, &dst.Environment,
		&dst.Task, &dst.RunName, &dst.Session, &dst.User, &dst.Mode, &dst.Outcome, &dst.Provider, &dst.ModelRequested,
		&dst.Model, &dst.ResponseID, &dst.FinishReason, &dst.ToolName, &dst.ToolCallID, &dst.DecisionID,
		&dst.Dialect, &dst.Scope, &dst.ScopeVersion, &dst.ReportedCost.Currency, &dst.ReportedCost.Price,
	}
	n := len(f.Attributes) + len(f.Events)
	for _, p := range texts {
		n += len(*p)
	}
	buf := r.cur.arena.room(n)
	at := 0
	h := &r.hashed
	h.n = 0
	for _, p := range texts {
		size := len(*p)
		h.put(uint64(size))
		if size > 0 {
			copy(buf[at:], *p)
			*p = unsafe.String(&buf[at], size)
			at += size
		}
	}
	for _, p := range [...]*[]byte{&dst.Attributes, &dst.Events} {
		size := len(*p)
		h.put(uint64(size))
		if size > 0 {
			copy(buf[at:], *p)
			*p = buf[at : at+size : at+size]
			at += size
		}
	}
	var resource, scope uint64
	dst.Resource, resource = r.copyShared(&r.resource, f.Resource)
	dst.ScopeAttribute, scope = r.copyShared(&r.scope, f.ScopeAttribute)
	dst.Tags, dst.Labels, dst.Links = nil, nil, nil
	for _, t := range f.Tags {
		dst.Tags = append(dst.Tags, r.cur.arena.string(t))
		h.put(xxhash.Sum64String(t))
	}
	for _, x := range f.Labels {
		dst.Labels = append(dst.Labels, activity.Label{Key: r.cur.arena.string(x.Key), Value: r.cur.arena.string(x.Value)})
		h.put(mix(xxhash.Sum64String(x.Key), xxhash.Sum64String(x.Value)))
	}
	if len(f.Links) > 0 {
		dst.Links = slices.Clone(f.Links)
		for k := range f.Links {
			h.put(binary.LittleEndian.Uint64(f.Links[k].SpanID[:]))
			h.put(uint64(f.Links[k].Kind))
		}
	}
	h.put(resource)
	h.put(scope)
	h.put(binary.LittleEndian.Uint64(f.Parent[:]))
	h.put(uint64(f.Source) | uint64(f.Kind)<<8 | uint64(f.Status)<<16 | uint64(f.Flags)<<32)
	h.put(bits(f.AgentExplicit, f.Waiting, f.WholeFragment, f.OnlyContent) | uint64(uint32(f.MapVersion))<<8 | uint64(f.ReportedCost.Basis)<<48)
	for _, v := range [...]int64{
		f.Start, f.End, f.TTFT, f.Usage.InputTotal, f.Usage.CacheRead, f.Usage.CacheWrite,
		f.Usage.OutputTotal, f.Usage.Reasoning, f.ReportedCost.Nanos,
	} {
		h.put(uint64(v))
	}
	return mix(xxhash.Sum64(buf), xxhash.Sum64(h.buf[:h.n]))
}

// numbers gathers the numbers of a fragment for its hash.
type numbers struct {
	buf [1024]byte
	n   int
}

func (h *numbers) put(v uint64) {
	if h.n+8 > len(h.buf) { // many tags and links: folded into what is there
		s := xxhash.Sum64(h.buf[:])
		binary.LittleEndian.PutUint64(h.buf[:], s)
		h.n = 8
	}
	binary.LittleEndian.PutUint64(h.buf[h.n:], v)
	h.n += 8
}

func bits(b ...bool) (v uint64) {
	for i, on := range b {
		if on {
			v |= 1 << i
		}
	}
	return v
}

// mix joins hashes; the constants are xxHash's primes.
func mix(h uint64, more ...uint64) uint64 {
	for _, m := range more {
		h = (h^m*0x9E3779B185EBCA87)*0xC2B2AE3D27D4EB4F + 0x165667B19E3779F9
	}
	return h
}

// settle brings memory's state of a step in line with its fold: the old share
// of the rollups is taken back, the new one is given when the write is built.
func (r *Reader) settle(l *live, i int32, s *activity.Step) {
	r.price(s)
	r.retract(l, i)
	parent := none
	if !s.Parent.IsZero() && s.Parent != s.Step {
		parent = l.place(s.Parent) // may move l.steps
	}
	st := &l.steps[i]
	st.parent = parent
	st.start, st.end = s.Start, s.End
	st.kind, st.status, st.flags = s.Kind, s.Status, s.Flags
	st.key = l.text(r.names, keyOf(s))
	st.set(bitWaiting, s.Waiting)
	st.set(bitContentOnly, s.OnlyContent)
	if r.o.Test != nil && r.o.Test(s.Trace) {
		s.Mode = "test"
	}
	st.profile = r.profile(l, s)
	if s.Usage.Known() || s.Cost.Basis != activity.CostUnknown {
		if st.usage == none {
			st.usage = int32(len(l.usages))
			l.usages = append(roomFor(l.usages, 2), usage{})
		}
		u := &l.usages[st.usage]
		u.Usage = s.Usage
		u.costs(l, r.names, s.Cost)
	} else if st.usage != none {
		l.usages[st.usage] = noUsage
	}
	l.dropNotes(i)
	if parent == none {
		l.notes = append(l.notes, note{i, noteName, r.names.get(s.Name), ""})
	} else if o := &l.orphan; o.name == "" || o.id == s.Step || s.Start < o.start || s.Start == o.start && compareIDs(s.Step, o.id) < 0 {
		*o = orphan{s.Step, s.Start, r.names.get(s.Name)}
	}
	if s.Status == activity.StatusError && s.ErrorType != "" {
		l.notes = append(l.notes, note{i, noteError, r.names.get(s.ErrorType), ""})
	}
	for _, t := range s.Tags {
		l.notes = append(l.notes, note{i, noteTag, r.names.get(t), ""})
	}
	for _, x := range s.Labels {
		l.notes = append(l.notes, note{i, noteLabel, r.names.get(x.Key), r.names.get(x.Value)})
	}
	if len(s.Links) > 0 {
		l.linksOf(i, s)
	}
}

// price fills in what the step cost: what its provider said, else what the
// price book makes of its usage.
func (r *Reader) price(s *activity.Step) {
	s.Cost = activity.Cost{}
	switch {
	case s.ReportedCost.Basis == activity.CostProvider:
		s.Cost = s.ReportedCost
	case r.o.Prices != nil && s.Usage.Known() && (s.Kind == activity.KindModel || s.Kind == activity.KindEmbedding):
		// A dated name that the book does not have yet costs what was asked for does.
		for _, model := range [...]string{s.Model, s.ModelRequested} {
			if s.Cost.Basis == activity.CostUnknown && model != "" {
				s.Cost = r.o.Prices.Cost(s.Provider, model, time.Unix(0, s.Start), s.Usage)
			}
		}
	}
}

// keyOf is what a step is counted under in its kind.
func keyOf(s *activity.Step) string {
	switch s.Kind {
	case activity.KindModel, activity.KindEmbedding:
		if s.Model == "" {
			return s.ModelRequested
		}
		return s.Model
	case activity.KindTool:
		if s.ToolName == "" {
			return s.Name
		}
		return s.ToolName
	case activity.KindMCP:
		return s.ToolName
	case activity.KindRetrieval:
		return cmp.Or(activity.SourceOf(s), s.ToolName, s.Name)
	}
	return ""
}

// maxProfiles bounds the distinct profiles of one run: beyond it a step takes
// the last one, so that a sender that gives each step a user of its own costs
// no memory without end.
const maxProfiles = 1024

func (r *Reader) profile(l *live, s *activity.Step) int32 {
	p := who{
		agent: s.Agent, agentID: s.AgentID, version: s.AgentVersion, environment: s.Environment, task: s.Task,
		runName: s.RunName, mode: s.Mode, outcome: s.Outcome,
		dialect: s.Dialect, team: s.Team, sender: s.Sender, explicit: s.AgentExplicit,
	}
	for i := len(l.profiles) - 1; i >= 0; i-- {
		if q := &l.profiles[i]; q.session == s.Session && q.user == s.User && *q.who == p {
			return int32(i)
		}
	}
	if len(l.profiles) >= maxProfiles {
		return maxProfiles - 1
	}
	// Session and user are mostly this run's alone.
	l.profiles = append(roomFor(l.profiles, 1), profile{r.whos.get(r.names, p), strings.Clone(s.Session), strings.Clone(s.User)})
	return int32(len(l.profiles) - 1)
}

// log keeps a log record and counts it in its run.
func (r *Reader) log(ctx context.Context, b *activity.Batch, rec *activity.LogRecord, received int64) error {
	a := &r.cur.arena
	c := *rec
	if c.Time <= 0 {
		c.Time = received
		c.Flags |= activity.FlagStartMissing
	}
	if at := activity.ClampTime(c.Time, received, r.kept()); at != c.Time {
		c.Attributes, c.Time = sent(c.Attributes, activity.TimeSent, c.Time, at), at
		c.Flags |= activity.FlagClampedTime
	}
	c.Team, c.Environment = r.names.get(b.Team), r.names.get(cmp.Or(b.Environment, c.Environment))
	if r.records.add(logHash(&c)) {
		r.stats.Duplicates++
		return nil
	}
	if !rec.Run.IsZero() {
		l, err := r.find(ctx, rec.Run)
		if err != nil {
			return err
		}
		if l != nil {
			l.logs++
			l.updated = max(l.updated, received)
			r.mark(l)
		} else {
			r.orphans.add(rec.Run)
		}
	}
	c.EventName, c.Body, c.Agent, c.Service = r.names.get(c.EventName), a.string(c.Body), r.names.get(c.Agent), r.names.get(c.Service)
	c.Session, c.Scope = a.string(c.Session), r.names.get(c.Scope)
	c.Attributes = a.bytes(c.Attributes)
	c.Resource, _ = r.copyShared(&r.resource, c.Resource)
	r.cur.Logs = append(r.cur.Logs, c)
	r.stats.Logs++
	return nil
}

// logHash is the identity of a log record, which has no id of its own. It is
// made of what the store gives back, see recall.
func logHash(l *activity.LogRecord) uint64 {
	return mix(xxhash.Sum64String(l.Body), timeOf(l.Time, l.Attributes), xxhash.Sum64(l.Attributes), binary.LittleEndian.Uint64(l.Run[:]),
		binary.LittleEndian.Uint64(l.Step[:]), uint64(uint32(l.Severity)), xxhash.Sum64String(l.EventName), xxhash.Sum64String(l.Service),
		xxhash.Sum64(l.Resource), xxhash.Sum64String(l.Team), xxhash.Sum64String(l.Environment))
}

// timeOf is the time of a record in its identity: a clamped one follows the receipt,
// which is another when it is sent again, and what was sent is among the attributes.
func timeOf(at int64, attributes []byte) uint64 {
	if activity.WasClamped(attributes) {
		return 0
	}
	return uint64(at)
}

// pointHash is the identity of a metric point.
func pointHash(p *activity.MetricPoint) uint64 {
	return mix(xxhash.Sum64String(p.Name), timeOf(p.Time, p.Attributes), uint64(p.StartTime), xxhash.Sum64(p.Attributes),
		xxhash.Sum64(p.Point), math.Float64bits(p.Value), uint64(p.Count), xxhash.Sum64String(p.Service),
		xxhash.Sum64(p.Resource), xxhash.Sum64String(p.Team), xxhash.Sum64String(p.Environment))
}

// metric keeps a metric point.
func (r *Reader) metric(b *activity.Batch, p *activity.MetricPoint, received int64) {
	p.Team, p.Environment = r.names.get(b.Team), r.names.get(cmp.Or(b.Environment, p.Environment))
	if at := activity.ClampTime(p.Time, received, r.kept()); at != p.Time {
		p.Attributes, p.Time = sent(p.Attributes, activity.TimeSent, p.Time, at), at
	}
	if r.records.add(pointHash(p)) {
		r.stats.Duplicates++
		return
	}
	a := &r.cur.arena
	c := *p
	c.Name, c.Unit, c.Type, c.Agent, c.Service = r.names.get(c.Name), r.names.get(c.Unit), r.names.get(c.Type), r.names.get(c.Agent), r.names.get(c.Service)
	c.Attributes, c.Point = a.bytes(c.Attributes), a.bytes(c.Point)
	c.Resource, _ = r.copyShared(&r.resource, c.Resource)
	r.cur.Metrics = append(r.cur.Metrics, c)
	r.stats.Metrics++
}

package duck

import (
	"encoding/binary"
	"slices"

	"reeve/internal/activity"
)

// packer writes or reads a record field by field: one function describes both
// directions, so they cannot differ. Fields are only added at the end; a
// shorter record of an older release leaves them as they are.
type packer struct {
	b       []byte
	reading bool
	damaged bool
}

func (p *packer) int(v *int64) {
	if !p.reading {
		p.b = binary.AppendVarint(p.b, *v)
		return
	}
	if len(p.b) == 0 {
		return
	}
	n, w := binary.Varint(p.b)
	if w <= 0 {
		p.fail()
		return
	}
	*v, p.b = n, p.b[w:]
}

func (p *packer) fail() { p.b, p.damaged = nil, true }

// len writes or reads the number of elements of a list; each takes a byte or
// more, which bounds what damaged input can make us allocate.
func (p *packer) len(n int) int {
	v := int64(n)
	p.int(&v)
	if p.reading && (v < 0 || v > int64(len(p.b))) {
		p.fail()
		return 0
	}
	return int(v)
}

func (p *packer) str(v *string) {
	if !p.reading {
		p.b = append(binary.AppendVarint(p.b, int64(len(*v))), *v...)
		return
	}
	if n := p.len(0); n > 0 {
		*v, p.b = string(p.b[:n]), p.b[n:]
	}
}

func (p *packer) fixed(v []byte) {
	if !p.reading {
		p.b = append(p.b, v...)
		return
	}
	if len(p.b) == 0 {
		return
	}
	if len(p.b) < len(v) {
		p.fail()
		return
	}
	p.b = p.b[copy(v, p.b):]
}

func (p *packer) bool(v *bool) {
	number8(p, v, func(b bool) int64 { return int64(b2i(b)) }, func(n int64) bool { return n != 0 })
}

func number8[V any](p *packer, v *V, to func(V) int64, from func(int64) V) {
	n := to(*v)
	p.int(&n)
	if p.reading {
		*v = from(n)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (p *packer) strs(v *[]string) { list(p, v, func(s *string) { p.str(s) }) }

func (p *packer) labels(v *[]activity.Label) {
	list(p, v, func(l *activity.Label) { p.str(&l.Key); p.str(&l.Value) })
}

func list[V any](p *packer, v *[]V, each func(*V)) {
	n := p.len(len(*v))
	if p.reading && n > 0 {
		*v = make([]V, n)
	}
	for i := range *v {
		each(&(*v)[i])
	}
}

func (p *packer) usage(u *activity.Usage) {
	for _, n := range []*int64{&u.InputTotal, &u.CacheRead, &u.CacheWrite, &u.OutputTotal, &u.Reasoning} {
		p.int(n)
	}
}

func (p *packer) cost(c *activity.Cost) {
	p.int(&c.Nanos)
	p.str(&c.Currency)
	number8(p, &c.Basis, func(b activity.CostBasis) int64 { return int64(b) }, func(n int64) activity.CostBasis { return activity.CostBasis(n) })
	p.str(&c.Price)
}

func (p *packer) u32(v *uint32) {
	number8(p, v, func(n uint32) int64 { return int64(n) }, func(n int64) uint32 { return uint32(n) })
}

// run packs a whole run row.
func (p *packer) run(r *activity.Run) {
	p.fixed(r.ID[:])
	p.u32(&r.Revision)
	list(p, &r.Traces, func(t *activity.TraceID) { p.fixed(t[:]) })
	for _, s := range []*string{
		&r.Name, &r.Agent, &r.AgentID, &r.Version, &r.Task, &r.Environment, &r.Team, &r.Sender, &r.Session, &r.User, &r.Mode, &r.Outcome, &r.ErrorType,
	} {
		p.str(s)
	}
	number8(p, &r.Status, func(s activity.RunStatus) int64 { return int64(s) }, func(n int64) activity.RunStatus { return activity.RunStatus(n) })
	// Times are kept as distances, which are shorter.
	p.int(&r.Start)
	for _, t := range []*int64{&r.End, &r.Received, &r.Updated} {
		d := *t - r.Start
		p.int(&d)
		if p.reading {
			*t = r.Start + d
		}
	}
	for _, n := range []*int64{&r.Steps, &r.Errors, &r.ModelCalls, &r.ToolCalls, &r.Logs, &r.UnknownUsageCalls, &r.UnknownCostCalls} {
		p.int(n)
	}
	p.bool(&r.RootError)
	p.usage(&r.Usage)
	p.cost(&r.Cost)
	for _, l := range []*[]string{&r.Models, &r.Tools, &r.Sources, &r.Agents, &r.Dialects, &r.Tags} {
		p.strs(l)
	}
	p.labels(&r.Labels)
	number8(p, &r.Flags, func(f activity.Flag) int64 { return int64(f) }, func(n int64) activity.Flag { return activity.Flag(n) })
	p.bool(&r.Partial)
	list(p, &r.Links, func(l *activity.RunLink) { p.fixed(l.Run[:]); p.linkKind(&l.Kind) })
}

func (p *packer) linkKind(k *activity.LinkKind) {
	number8(p, k, func(k activity.LinkKind) int64 { return int64(k) }, func(n int64) activity.LinkKind { return activity.LinkKind(n) })
}

func packRun(dst []byte, r *activity.Run) []byte {
	p := packer{b: dst}
	p.run(r)
	return p.b
}

func unpackRun(b []byte) (*activity.Run, error) {
	p := packer{b: b, reading: true}
	r := &activity.Run{}
	p.run(r)
	if p.damaged {
		return nil, errCorrupt
	}
	return r, nil
}

// What few steps carry lies in one column as tagged records; an unknown tag is
// skipped.
const (
	restRefs = iota + 1
	restTags
	restLabels
	restLinks
	restLayers
	restReported
	restScope
	restAttributes // raw, when the texts cannot give them back
	restResource
	restJoins // links that Reeve found
)

// packRest appends what has no column of its own.
func packRest(dst []byte, s *activity.Step, attrs, resource bool) []byte {
	put := func(tag byte, fill func(*packer)) {
		at := len(dst)
		p := packer{b: append(dst, tag, 0, 0, 0, 0)}
		fill(&p)
		dst = p.b
		binary.LittleEndian.PutUint32(dst[at+1:], uint32(len(dst)-at-5))
	}
	if len(s.Refs) > 0 { // every other step has them, few have anything else
		at := len(dst)
		dst = appendRefs(append(dst, restRefs, 0, 0, 0, 0), s.Refs)
		binary.LittleEndian.PutUint32(dst[at+1:], uint32(len(dst)-at-5))
	}
	if len(s.Tags) > 0 {
		put(restTags, func(p *packer) { p.strs(&s.Tags) })
	}
	if len(s.Labels) > 0 {
		put(restLabels, func(p *packer) { p.labels(&s.Labels) })
	}
	said, found := s.Links, []activity.Link(nil)
	if slices.ContainsFunc(s.Links, func(l activity.Link) bool { return l.Kind != activity.LinkSpan }) {
		said = nil
		for _, l := range s.Links {
			if l.Kind == activity.LinkSpan {
				said = append(said, l)
			} else {
				found = append(found, l)
			}
		}
	}
	if len(said) > 0 {
		put(restLinks, func(p *packer) { p.links(&said) })
	}
	if len(found) > 0 {
		put(restJoins, func(p *packer) { p.joins(&found) })
	}
	if s.ReportedCost != (activity.Cost{}) {
		put(restReported, func(p *packer) { p.cost(&s.ReportedCost) })
	}
	raw := func(tag byte, b []byte) {
		if len(b) > 0 {
			dst = binary.LittleEndian.AppendUint32(append(dst, tag), uint32(len(b)))
			dst = append(dst, b...)
		}
	}
	raw(restLayers, s.Layers)
	raw(restScope, s.ScopeAttribute)
	if !attrs {
		raw(restAttributes, s.Attributes)
	}
	if !resource {
		raw(restResource, s.Resource)
	}
	return dst
}

// appendRefs writes what packer.refs reads.
func appendRefs(b []byte, refs []activity.ContentRef) []byte {
	b = binary.AppendVarint(b, int64(len(refs)))
	for i := range refs {
		r := &refs[i]
		b = binary.AppendVarint(b, int64(r.Field))
		b = binary.AppendVarint(b, int64(r.Order))
		for _, s := range [...]string{r.Format, r.From, r.Messages} {
			b = append(binary.AppendVarint(b, int64(len(s))), s...)
		}
	}
	return b
}

func (p *packer) refs(v *[]activity.ContentRef) {
	list(p, v, func(r *activity.ContentRef) {
		number8(p, &r.Field, func(f activity.ContentField) int64 { return int64(f) }, func(n int64) activity.ContentField { return activity.ContentField(n) })
		number8(p, &r.Order, func(n int32) int64 { return int64(n) }, func(n int64) int32 { return int32(n) })
		p.str(&r.Format)
		p.str(&r.From)
		p.str(&r.Messages)
	})
}

func (p *packer) links(v *[]activity.Link) {
	list(p, v, func(l *activity.Link) { p.fixed(l.TraceID[:]); p.fixed(l.SpanID[:]) })
}

func (p *packer) joins(v *[]activity.Link) {
	list(p, v, func(l *activity.Link) {
		p.fixed(l.TraceID[:])
		p.fixed(l.SpanID[:])
		p.fixed(l.Run[:])
		p.fixed(l.Step[:])
		p.linkKind(&l.Kind)
	})
}

func unpackRest(b []byte, s *activity.Step) bool {
	for len(b) > 0 {
		if len(b) < 5 {
			return false
		}
		tag, n := b[0], int(binary.LittleEndian.Uint32(b[1:]))
		if n < 0 || n > len(b)-5 {
			return false
		}
		body := b[5 : 5+n]
		b = b[5+n:]
		p := packer{b: body, reading: true}
		switch tag {
		case restRefs:
			p.refs(&s.Refs)
		case restTags:
			p.strs(&s.Tags)
		case restLabels:
			p.labels(&s.Labels)
		case restLinks:
			p.links(&s.Links)
		case restJoins:
			var found []activity.Link
			p.joins(&found)
			s.Links = append(s.Links, found...)
		case restReported:
			p.cost(&s.ReportedCost)
		case restLayers:
			s.Layers = slices.Clone(body)
		case restScope:
			s.ScopeAttribute = slices.Clone(body)
		case restAttributes:
			s.Attributes = slices.Clone(body)
		case restResource:
			s.Resource = slices.Clone(body)
		}
		if p.damaged {
			return false
		}
	}
	return true
}

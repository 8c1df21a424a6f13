package activity

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"slices"
)

// Layer is what everybody of one rank said about a step, joined. Refs stand
// for Contents once package run has split these into the run's messages.
type Layer struct {
	Fragment
	Refs []ContentRef
}

// Layers is the fold of a step's fragments: at most one layer a rank,
// strongest first. Most steps have a single one.
type Layers []Layer

// Rank orders who is believed: gateway over provider over sdk over inferred,
// and within a source a finished span over a pending one.
func (f *Fragment) Rank() uint8 {
	r := uint8(f.Source) * 2
	if f.WholeFragment {
		r++
	}
	return r
}

// Merge is the fold of everything in a and b. It is commutative, associative
// and idempotent, so that order, duplicates and resends change nothing. Slices
// of the arguments are shared, never written.
func Merge(a, b Layers) Layers {
	out := slices.Clone(a)
	for i := range b {
		out = out.Add(&b[i])
	}
	return out
}

// Add merges one layer into ls, which is changed and returned.
func (ls Layers) Add(l *Layer) Layers {
	rank := l.Rank()
	for i := range ls {
		switch r := ls[i].Rank(); {
		case r == rank:
			ls[i].Join(l)
			return ls
		case r < rank:
			return slices.Insert(ls, i, *l)
		}
	}
	return append(ls, *l)
}

// Join merges o, which must have the same rank and step, into l: the join of a
// lattice, field by field.
//
//	text, kind, numbers        the known one, else the greater
//	start                      the earlier known one
//	status                     error, then ok, then running
//	flags, waiting             union
//	agent                      an explicit one, else the greater
//	only content               true while all of them are
//	tags, labels, links, contents, refs         set, sorted
//	attributes, resource, events, scope         set of entries, sorted, when they differ
//
// Which of two contradicting words of one rank wins is arbitrary; that all
// orders agree on it is the point.
func (l *Layer) Join(o *Layer) {
	a, b := &l.Fragment, &o.Fragment
	a.Run = maxID(a.Run, b.Run)
	a.Step = maxID(a.Step, b.Step)
	a.Parent = maxID(a.Parent, b.Parent)
	a.Trace = maxID(a.Trace, b.Trace)
	if bytes.Compare(a.Span[:], b.Span[:]) < 0 {
		a.Span = b.Span
	}
	a.Kind = max(a.Kind, b.Kind)
	a.Status = max(a.Status, b.Status)
	a.Flags |= b.Flags
	a.Start = minKnown(a.Start, b.Start)
	a.End = max(a.End, b.End)
	if a.AgentExplicit == b.AgentExplicit {
		a.Agent = max(a.Agent, b.Agent)
	} else if b.AgentExplicit {
		a.Agent, a.AgentExplicit = b.Agent, true
	}
	a.Waiting = a.Waiting || b.Waiting
	a.OnlyContent = a.OnlyContent && b.OnlyContent
	more := b.texts()
	for i, p := range a.texts() {
		*p = max(*p, *more[i])
	}
	a.Scope = max(a.Scope, b.Scope)
	a.ScopeVersion = max(a.ScopeVersion, b.ScopeVersion)
	a.TTFT = max(a.TTFT, b.TTFT)
	a.MapVersion = max(a.MapVersion, b.MapVersion)
	joinUsage(&a.Usage, &b.Usage)
	if compareCost(a.ReportedCost, b.ReportedCost) < 0 {
		a.ReportedCost = b.ReportedCost
	}
	a.Tags = joinSet(a.Tags, b.Tags, cmp.Compare[string])
	a.Labels = joinSet(a.Labels, b.Labels, compareLabel)
	a.Links = joinSet(a.Links, b.Links, compareLink)
	a.Contents = joinSet(a.Contents, b.Contents, compareContent)
	l.Refs = joinSet(l.Refs, o.Refs, compareRef)
	a.Attributes = joinEntries(a.Attributes, b.Attributes)
	a.Resource = joinEntries(a.Resource, b.Resource)
	a.Events = joinEntries(a.Events, b.Events)
	a.ScopeAttribute = joinEntries(a.ScopeAttribute, b.ScopeAttribute)
}

// texts are the fields whose join is the greater text ("" is the least).
// Agent is not among them: it is joined with AgentExplicit.
func (f *Fragment) texts() [22]*string {
	return [22]*string{
		&f.Name, &f.StatusMessage, &f.ErrorType, &f.AgentID, &f.AgentVersion, &f.Service, &f.Environment,
		&f.Task, &f.RunName, &f.Session, &f.User, &f.Mode, &f.Outcome, &f.Provider, &f.ModelRequested, &f.Model,
		&f.ResponseID, &f.FinishReason, &f.ToolName, &f.ToolCallID, &f.DecisionID, &f.Dialect,
	}
}

// Resolve writes the view of the layers into s: for each field the word of the
// highest rank that has one. Usage is taken whole from one rank, so that its
// parts stay partitions of its totals; unknown parts are filled in from a lower
// rank only where the totals agree. Flags are the union of all ranks; whether the
// run waits is the highest rank's word alone, since an answer ends it. Contents
// are chosen field by field of content.
func (ls Layers) Resolve(s *Step) {
	if len(ls) == 0 {
		return
	}
	s.Fragment, s.Refs = ls[0].Fragment, ls[0].Refs
	v := &s.Fragment
	for i := range ls[1:] {
		l := &ls[1+i]
		if v.Parent.IsZero() {
			v.Parent = l.Parent
		}
		if v.Trace == (TraceID{}) {
			v.Trace = l.Trace
		}
		if v.Span == (SpanID{}) {
			v.Span = l.Span
		}
		if v.Kind == KindOther {
			v.Kind = l.Kind
		}
		if v.Status == StatusRunning {
			v.Status = l.Status
		}
		if v.Start <= 0 {
			v.Start = l.Start
		}
		if v.End < 0 {
			v.End = l.End
		}
		if v.TTFT < 0 {
			v.TTFT = l.TTFT
		}
		v.Flags |= l.Flags
		if v.Agent == "" || l.AgentExplicit && !v.AgentExplicit {
			v.Agent, v.AgentExplicit = l.Agent, l.AgentExplicit
		}
		v.OnlyContent = v.OnlyContent && l.OnlyContent
		from := l.texts()
		for j, p := range v.texts() {
			if *p == "" {
				*p = *from[j]
			}
		}
		if v.Scope == "" {
			v.Scope, v.ScopeVersion, v.ScopeAttribute = l.Scope, l.ScopeVersion, l.ScopeAttribute
		}
		if v.MapVersion == 0 {
			v.MapVersion = l.MapVersion
		}
		switch {
		case !v.Usage.Known():
			v.Usage = l.Usage
		case v.Usage.InputTotal == l.Usage.InputTotal && v.Usage.OutputTotal == l.Usage.OutputTotal:
			joinUsage(&v.Usage, &l.Usage)
		}
		if v.ReportedCost.Basis == CostUnknown {
			v.ReportedCost = l.ReportedCost
		}
		v.Tags = orSlice(v.Tags, l.Tags)
		v.Labels = orSlice(v.Labels, l.Labels)
		v.Links = orSlice(v.Links, l.Links)
		v.Attributes = orSlice(v.Attributes, l.Attributes)
		v.Resource = orSlice(v.Resource, l.Resource)
		v.Events = orSlice(v.Events, l.Events)
		s.Refs = addField(s.Refs, l.Refs, func(r *ContentRef) ContentField { return r.Field })
		v.Contents = addField(v.Contents, l.Contents, func(c *Content) ContentField { return c.Field })
	}
}

// addField adds to have those of more whose field have lacks.
func addField[T any](have, more []T, field func(*T) ContentField) []T {
	if len(have) == 0 {
		return more
	}
	var seen [contentFieldCount]bool
	for i := range have {
		seen[field(&have[i])%contentFieldCount] = true
	}
	out := have
	for i := range more {
		if !seen[field(&more[i])%contentFieldCount] {
			out = append(slices.Clip(out), more[i])
		}
	}
	return out
}

func orSlice[T any](a, b []T) []T {
	if len(a) > 0 {
		return a
	}
	return b
}

func maxID[T ~[16]byte](a, b T) T {
	x, y := [16]byte(a), [16]byte(b)
	if bytes.Compare(x[:], y[:]) < 0 {
		return b
	}
	return a
}

func minKnown(a, b int64) int64 {
	switch {
	case a <= 0:
		return max(a, b)
	case b <= 0:
		return a
	}
	return min(a, b)
}

func joinUsage(a, b *Usage) {
	a.InputTotal = max(a.InputTotal, b.InputTotal)
	a.CacheRead = max(a.CacheRead, b.CacheRead)
	a.CacheWrite = max(a.CacheWrite, b.CacheWrite)
	a.OutputTotal = max(a.OutputTotal, b.OutputTotal)
	a.Reasoning = max(a.Reasoning, b.Reasoning)
}

func compareCost(a, b Cost) int {
	return cmp.Or(cmp.Compare(a.Basis, b.Basis), cmp.Compare(a.Nanos, b.Nanos),
		cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Price, b.Price))
}

func compareLabel(a, b Label) int {
	return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value))
}

func compareLink(a, b Link) int {
	return cmp.Or(bytes.Compare(a.TraceID[:], b.TraceID[:]), bytes.Compare(a.SpanID[:], b.SpanID[:]),
		bytes.Compare(a.Run[:], b.Run[:]), bytes.Compare(a.Step[:], b.Step[:]), cmp.Compare(a.Kind, b.Kind))
}

func compareContent(a, b Content) int {
	return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Order, b.Order), cmp.Compare(a.From, b.From),
		cmp.Compare(a.Format, b.Format), bytes.Compare(a.Raw, b.Raw))
}

// compareRef orders refs by place; within one run equal ordinals are equal
// content, so the list of ordinals stands for the content's hash.
func compareRef(a, b ContentRef) int {
	return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Order, b.Order), cmp.Compare(a.From, b.From),
		cmp.Compare(a.Format, b.Format), cmp.Compare(len(a.Messages), len(b.Messages)), cmp.Compare(a.Messages, b.Messages))
}

// joinSet is the sorted union of a and b. Equal arguments come back as they
// are: the usual resend allocates nothing.
func joinSet[T any](a, b []T, compare func(T, T) int) []T {
	equal := func(x, y T) bool { return compare(x, y) == 0 }
	switch {
	case len(b) == 0 || slices.EqualFunc(a, b, equal):
		return a
	case len(a) == 0:
		return b
	}
	out := slices.Concat(a, b)
	slices.SortFunc(out, compare)
	return slices.CompactFunc(out, equal)
}

// joinEntries is the sorted union of the entries of two encoded repeated
// messages of field 1. What cannot be cut into entries counts as one.
func joinEntries(a, b []byte) []byte {
	switch {
	case len(b) == 0 || bytes.Equal(a, b):
		return a
	case len(a) == 0:
		return b
	}
	set := joinSet(entries(a), entries(b), bytes.Compare)
	return bytes.Join(set, nil)
}

// entries cuts a run of length-delimited fields 1; entries keep their tags.
func entries(src []byte) [][]byte {
	var out [][]byte
	for rest := src; len(rest) > 0; {
		n, size := uvarint(rest[1:])
		if rest[0] != 0x0a || size == 0 || n > uint64(len(rest)-1-size) {
			return append(out, rest)
		}
		end := 1 + size + int(n)
		out, rest = append(out, rest[:end]), rest[end:]
	}
	return out
}

// uvarint reads a varint; size is 0 for a truncated or overlong one.
func uvarint(b []byte) (v uint64, size int) {
	for i := 0; i < len(b) && i < 10; i++ {
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}

// layerNote is what a layer has beside its fragment. Same says which of its
// raw fields are those of the step's view, and so need not be written again.
type layerNote struct {
	Same uint8        `json:"same,omitempty"`
	Refs []ContentRef `json:"refs,omitempty"`
}

func (f *Fragment) raws() [4]*[]byte {
	return [4]*[]byte{&f.Attributes, &f.Resource, &f.Events, &f.ScopeAttribute}
}

// AppendLayers encodes layers as Step.Layers keeps them: the length of the
// notes (uvarint), the notes as JSON, and an envelope of one batch with a
// fragment a layer. Raw fields that equal those of view are left out.
func AppendLayers(dst []byte, ls Layers, view *Step) []byte {
	notes := make([]layerNote, len(ls))
	b := Batch{Fragments: make([]Fragment, len(ls))}
	from := view.raws()
	for i := range ls {
		b.Fragments[i] = ls[i].Fragment
		notes[i].Refs = ls[i].Refs
		for j, p := range b.Fragments[i].raws() {
			if len(*p) > 0 && bytes.Equal(*p, *from[j]) {
				*p = nil
				notes[i].Same |= 1 << j
			}
		}
	}
	// Marshalling these types cannot fail.
	text, _ := json.Marshal(notes)
	dst = binary.AppendUvarint(dst, uint64(len(text)))
	return AppendBatch(append(dst, text...), &b)
}

// DecodeLayers reads what AppendLayers wrote for view. The result aliases src
// and view. Its errors are ErrCodec.
func DecodeLayers(src []byte, view *Step) (Layers, error) {
	n, size := uvarint(src)
	if size == 0 || n > uint64(len(src)-size) {
		return nil, ErrCodec
	}
	var notes []layerNote
	if err := json.Unmarshal(src[size:size+int(n)], &notes); err != nil {
		return nil, ErrCodec
	}
	var b Batch
	var fragments []Fragment
	err := DecodeEnvelope(src[size+int(n):], &b, func(b *Batch) error {
		fragments = b.Fragments
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(fragments) != len(notes) {
		return nil, ErrCodec
	}
	from := view.raws()
	ls := make(Layers, 0, len(notes))
	for i := range notes {
		l := Layer{Fragment: fragments[i], Refs: notes[i].Refs}
		for j, p := range l.raws() {
			if notes[i].Same&(1<<j) != 0 {
				*p = *from[j]
			}
		}
		ls = ls.Add(&l)
	}
	return ls, nil
}

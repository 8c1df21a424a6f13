package dialect

import (
	"cmp"
	"slices"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/genai"
)

// Again maps stored fragments by today's table, from the attributes that they
// keep. It is not safe for concurrent use; what it gives out is valid until its
// next call.
//
// What today's table finds is laid over what is stored, and what it does not
// find stays: content left the attributes when it was taken, and a name that an
// attribute gave hides the span's own, so that silence proves nothing. Ids,
// times, links, and the environment where one is stored are never changed: the
// former are not the table's, the latter may be the intake key's word.
type Again struct {
	m              *Map
	span, resource Span
	other          Span          // of attributes that say nothing of the step
	kind           activity.Kind // as it is stored
	said           []activity.ContentRef
	load           func(int) []byte
	used           []bool // of said: known to this mapping
}

// Again makes an Again of the table.
func (m *Map) Again() *Again { return &Again{m: m} }

// Version is the table's.
func (a *Again) Version() int32 { return MapVersion }

// Map changes f, whose Contents are empty before and afterwards those that are
// new. said are the contents that were taken from it before: their fields and
// places change, and one whose place is Replaced is among the new ones. load gives the bytes of one, or nil.
func (a *Again) Map(f *activity.Fragment, said []activity.ContentRef, load func(int) []byte) {
	if f.OnlyContent {
		f.MapVersion = MapVersion
		return // of a log record, which keeps its attributes itself
	}
	a.kind, a.said, a.load = f.Kind, said, load
	a.used = slices.Grow(a.used[:0], len(said))[:len(said)]
	clear(a.used)
	for _, s := range [...]*Span{&a.span, &a.resource, &a.other} {
		s.Reset()
		s.ResetArena()
	}
	n := *f
	n.Resource = a.attributes(&a.resource, f.Resource, false, true)
	n.ScopeAttribute = a.attributes(&a.other, f.ScopeAttribute, false, true)
	s := &a.span
	s.kept = a
	n.Attributes = a.attributes(s, f.Attributes, false, false)
	for i := range said {
		a.feed(s, i)
		if c := &said[i]; c.Band() == 1 {
			s.events = max(s.events, c.Order-activity.ContentBand(1)+1)
			s.seen |= a.m.place(f.Dialect)
		}
	}
	n.Events = a.events(s, f.Events)
	s.Inherit(&a.resource)

	s.Name, s.Scope, s.ScopeVersion, s.Root = f.Name, f.Scope, f.ScopeVersion, f.Parent.IsZero()
	if f.Name == s.Text(StepName) || f.Name == s.Text(ToolName) {
		s.Name = "" // the attribute's word: what the span itself was called is not known
	}
	a.blank(&n)
	n.Service = cmp.Or(s.Text(Service), f.Service)
	s.Flags |= a.resource.Flags | a.other.Flags
	a.m.Fill(s, &n)
	overlay(&n, f)
	*f = n
	s.kept = nil
}

// place is the bit of a dialect in Span.seen.
func (m *Map) place(name string) uint64 {
	for i := 1; i < len(m.dialects); i++ {
		if m.dialects[i].Name == name {
			return 1 << i
		}
	}
	return 0
}

// attributes feeds stored attributes and returns those that stay, which are the
// same bytes where all do.
func (a *Again) attributes(s *Span, raw []byte, event, all bool) []byte {
	out, kept := []byte(nil), 0
	for r := (Reader{B: raw}); r.More(); {
		begin := r.I
		if field, wire := r.Tag(); field != 1 || wire != 2 {
			r.Skip(wire)
			continue
		}
		kv := r.Bytes()
		if r.Bad {
			return raw
		}
		key, v := KeyValue(kv)
		verdict := a.m.Attribute(s, key, v, event, false)
		if verdict == Keep || verdict == Taken && all {
			continue
		}
		out = append(out, raw[kept:begin]...)
		kept = r.I
	}
	if kept == 0 {
		return raw
	}
	return append(out, raw[kept:]...)
}

// feed tells s of an attribute that became content before.
func (a *Again) feed(s *Span, i int) {
	c := &a.said[i]
	if c.Band() == 1 || c.From == "" || a.used[i] {
		return
	}
	key := []byte(c.From)
	rules := a.m.find(key)
	if rules == nil {
		for k := range a.m.prefixes[key[0]] {
			if r := &a.m.prefixes[key[0]][k]; r.Key == c.From && r.Field.content() {
				s.seen |= 1 << r.owner
				a.keep(s, r, i)
				return
			}
		}
		return
	}
	// The value matters to facts that stand beside the content only.
	v := TextValue(c.From)
	if slices.ContainsFunc(rules, func(r rule) bool { return !r.Field.content() && (r.Field != Kind || r.Kinds != nil) }) {
		v = Value{Type: String, b: a.load(i)}
	}
	for k := range rules {
		r := &rules[k]
		if r.Events {
			continue
		}
		if r.owner != 0 {
			s.seen |= 1 << r.owner
		}
		switch {
		case r.Field == Kind:
			s.feedKind(r, v)
		case r.Field.content():
			a.keep(s, r, i)
		default:
			s.Set(r.Field, r.Rank, v)
		}
	}
}

// keep adds a content that is stored already, and those that were found inside
// it, at the rank of its rule.
func (a *Again) keep(s *Span, r *rule, i int) {
	if a.used[i] {
		return
	}
	a.used[i] = true
	c := &a.said[i]
	field := r.Field
	if !a.main(r, c) {
		field = ContentInput + Field(c.Field)
	}
	s.contents = append(s.contents, found{field: field, rank: r.Rank, format: r.Format, from: c.From, kept: i + 1})
}

// Replaced is the place of a content that has become another.
const Replaced = -1

// heard gives a stored content of format Chat its bytes again where its step is of
// another kind than it was: it may be messages now.
func (a *Again) heard(c *found, kind activity.Kind) bool {
	r := &a.said[c.kept-1]
	if kind == a.kind || r.Format != genai.JSON {
		return false
	}
	raw := a.load(c.kept - 1)
	if raw == nil || split(raw).messages == nil {
		return false
	}
	r.Order = Replaced
	c.kept, c.v = 0, Value{Type: String, b: raw}
	return true
}

// main reports whether a stored content is what the rule's attribute said, rather
// than what was found inside it.
func (a *Again) main(r *rule, c *activity.ContentRef) bool {
	is := ContentInput + Field(c.Field)
	if is == r.Field {
		return true
	}
	generic := !strings.HasSuffix(r.Format, ".messages")
	switch is {
	case ContentArguments, ContentQuery:
		return generic && r.Field == ContentInput
	case ContentResult:
		return generic && r.Field == ContentOutput
	case ContentInput:
		return r.Field == ContentArguments || r.Field == ContentQuery
	case ContentOutput:
		return r.Field == ContentResult
	}
	return false
}

// known finds the stored content that a produced one is.
func (a *Again) known(field Field, format, from string) int {
	for i := range a.said {
		c := &a.said[i]
		if c.Order != Replaced && c.Band() != 1 && ContentInput+Field(c.Field) == field && c.Format == format && c.From == from {
			return i
		}
	}
	return -1
}

// place gives a stored content its field and place, and the format that its
// sender names.
func (a *Again) place(f *found, band int) {
	c, field := &a.said[f.kept-1], f.field
	if c.Format == genai.Text || c.Format == genai.JSON {
		switch mime := a.span.mime(f); {
		case strings.Contains(mime, "json"):
			c.Format = genai.JSON
		case mime != "":
			c.Format = genai.Text
		}
	}
	c.Field, c.Order = activity.ContentField(field-ContentInput), activity.ContentBand(band)
}

// events feeds the stored events of a step and returns those that stay, without
// what became content.
func (a *Again) events(s *Span, raw []byte) []byte {
	var out []byte
	changed := false
	for r := (Reader{B: raw}); r.More(); {
		field, wire := r.Tag()
		if field != 1 || wire != 2 {
			return raw
		}
		e := r.Bytes()
		if r.Bad {
			return raw
		}
		next := a.event(s, e)
		changed = changed || len(next) != len(e)
		out = AppendEntry(out, next)
	}
	if !changed {
		return raw
	}
	return out
}

func (a *Again) event(s *Span, body []byte) []byte {
	var name string
	var list []byte
	head := []byte(nil)
	for r := (Reader{B: body}); r.More(); {
		begin := r.I
		switch field, wire := r.Tag(); field<<3 | wire {
		case 2<<3 | 2:
			name = alias(r.Bytes())
		case 3<<3 | 2:
			list = AppendEntry(list, r.Bytes())
			continue
		default:
			r.Skip(wire)
		}
		if r.Bad {
			return body
		}
		head = append(head, body[begin:r.I]...)
	}
	if len(list) == 0 {
		return body // it has said what it had to say
	}
	stays := list
	switch {
	case a.m.Event(s, name, Value{}, list):
		stays = nil
	case strings.HasPrefix(name, "gen_ai.") || name == "exception":
		stays = a.attributes(s, list, true, false)
	default:
		a.other.Reset()
		stays = a.attributes(&a.other, list, false, true)
		s.Flags |= a.other.Flags
	}
	if len(stays) == len(list) {
		return body
	}
	for k := (Reader{B: stays}); k.More(); {
		k.Tag()
		kv := k.Bytes()
		head = append(head, 3<<3|2)
		head = append(AppendVarint(head, uint64(len(kv))), kv...)
	}
	return head
}

// tableFlags are those that Fill decides anew.
const tableFlags = activity.FlagAgentGuessed | activity.FlagUsageExclusive | activity.FlagGenerated

// blank takes out what Fill fills in without looking whether it is there.
func (a *Again) blank(n *activity.Fragment) {
	n.Flags &^= tableFlags
	n.Agent, n.AgentExplicit, n.ErrorType = "", false, ""
	n.ReportedCost = activity.Cost{}
	n.Tags, n.Labels = nil, nil
}

// overlay puts back into n what the table did not find.
func overlay(n, f *activity.Fragment) {
	texts := func(f *activity.Fragment) [17]*string {
		return [...]*string{
			&f.ErrorType, &f.AgentID, &f.AgentVersion, &f.Task, &f.RunName, &f.Session, &f.User, &f.Mode, &f.Outcome, &f.Provider,
			&f.ModelRequested, &f.Model, &f.ResponseID, &f.FinishReason, &f.ToolName, &f.ToolCallID, &f.DecisionID,
		}
	}
	old := texts(f)
	for i, p := range texts(n) {
		if *p == "" {
			*p = *old[i]
		}
	}
	if f.Environment != "" {
		n.Environment = f.Environment
	}
	if f.Mode == "test" {
		n.Mode = f.Mode // Reeve itself says it of the runs that it tests
	}
	if n.Kind == activity.KindOther {
		n.Kind = f.Kind
	}
	if n.Dialect == "otel" && f.Dialect != "" {
		n.Dialect = f.Dialect
	}
	if n.Agent == "" || f.AgentExplicit && !n.AgentExplicit {
		n.Agent, n.AgentExplicit = f.Agent, f.AgentExplicit
		n.Flags = n.Flags&^activity.FlagAgentGuessed | f.Flags&activity.FlagAgentGuessed
	}
	n.Waiting = n.Waiting || f.Waiting
	n.Flags |= f.Flags & activity.FlagGenerated
	if n.TTFT == activity.Unknown {
		n.TTFT = f.TTFT
	}
	if !n.Usage.Known() {
		n.Usage = f.Usage
		n.Flags = n.Flags&^activity.FlagUsageExclusive | f.Flags&activity.FlagUsageExclusive
	}
	if n.ReportedCost.Basis == activity.CostUnknown {
		n.ReportedCost = f.ReportedCost
	}
	// Nothing but attributes gives these: what today's table does not find is wrong.
	if sameSet(n.Tags, f.Tags, cmp.Compare[string]) {
		n.Tags = f.Tags
	}
	if sameSet(n.Labels, f.Labels, compareLabels) {
		n.Labels = f.Labels
	}
}

func compareLabels(a, b activity.Label) int {
	return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value))
}

// sameSet reports whether a and b have the same members: a join sorts them.
func sameSet[T comparable](a, b []T, compare func(T, T) int) bool {
	if len(a) == len(b) && slices.Equal(a, b) {
		return true
	}
	x, y := slices.Clone(a), slices.Clone(b)
	slices.SortFunc(x, compare)
	slices.SortFunc(y, compare)
	return slices.Equal(slices.Compact(x), slices.Compact(y))
}

// recall takes contents that are stored already out of what contentList found,
// those that Finish put together among them.
func (s *Span) recall() {
	a := s.kept
	for i := range s.contents {
		c := &s.contents[i]
		if c.kept > 0 || c.event {
			continue
		}
		format, _ := s.shape(c)
		k := a.known(c.field, format, c.from)
		if k < 0 {
			continue
		}
		rank := c.rank
		if a.used[k] {
			for j := range s.contents {
				if o := &s.contents[j]; o.kept == k+1 {
					o.rank = min(o.rank, rank)
				}
			}
			c.rank = 0 // gone
			continue
		}
		a.used[k] = true
		c.kept = k + 1
	}
	s.contents = slices.DeleteFunc(s.contents, func(c found) bool { return c.rank == 0 })
}

// stored is what a content says that is stored already; nil for one that was
// found inside another.
func (a *Again) stored(c *found) []byte {
	switch format := a.said[c.kept-1].Format; {
	case format == genai.Text, format == genai.JSON, format == c.format, c.format == Chat:
		return a.load(c.kept - 1)
	}
	return nil
}

// Join makes of a content's messages what it was.
func (a *Again) Join(format string, messages [][]byte) []byte {
	if !list(format) {
		if len(messages) == 0 {
			return nil
		}
		return messages[0]
	}
	out := []byte{'['}
	for i, m := range messages {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, m...)
	}
	return append(out, ']')
}

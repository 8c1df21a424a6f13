// Package dialect turns the attributes of a span or log record into a fragment
// of a step, by a table that all vendors' vocabularies share.
//
// What for: each vendor names the same facts differently. A folder below this
// one holds one vocabulary: rules that say which attribute feeds which field,
// and at which rank among all vocabularies, plus what rules cannot say.
//
// Who calls it: package intake, once a span, with one Span used again and again.
//
// Promises: pure functions of the record; attributes are looked at once and
// kept verbatim except content (moved to Contents) and credentials (dropped and
// flagged); the usual span allocates nothing.
//
// How it fails: it does not. What cannot be read stays an attribute, and what
// was wrong is a flag of the fragment.
//
// Start reading at Rule, then NewMap and Fill; core.go has the names that
// belong to no vendor.
package dialect

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unsafe"

	"reeve/internal/activity"
)

// MapVersion numbers the table: it is raised whenever a rule changes, and
// stored with each step, so that old data can be mapped again.
const MapVersion = 2

// Field is a canonical fact that attributes feed.
type Field uint8

// The fields. Those from ContentInput on are content: their attributes leave
// the raw attributes for the fragment's Contents.
const (
	Kind Field = iota + 1
	RunKey
	RunName
	StepName
	Session
	User
	Agent
	AgentID
	AgentVersion
	Environment
	Task
	Mode
	Outcome
	Waiting
	Generated
	Provider
	ModelRequested
	Model
	ResponseID
	Finish
	TTFTSeconds
	TTFTMillis
	InputTokens
	OutputTokens
	TotalTokens
	CacheRead
	CacheWrite
	Reasoning
	Cost      // whole, USD
	CostInput // part, USD
	CostOutput
	ToolName
	ToolCallID
	ErrorType
	ErrorMessage
	DecisionID
	Service
	EventName
	Tags
	Metadata // a JSON object or map of facts
	Label    // a prefix rule: what follows the prefix is the label's key
	PendingSpan
	PendingParent
	InputMime
	OutputMime
	EntityName   // a name for whatever the step is: an agent, a tool
	Level        // of severity, in the sender's words
	UsageBuckets // a JSON object of tokens by kind, no two overlapping
	CostBuckets  // a JSON object of USD by kind
	FirstTokenAt // when the answer began, RFC 3339
	ContentInput
	ContentOutput
	ContentSystem
	ContentTools
	ContentArguments
	ContentResult
	ContentDocuments
	ContentQuery
	fieldCount
)

func (f Field) content() bool { return f >= ContentInput }

// Rule says that an attribute feeds a field.
type Rule struct {
	// Key is the attribute's name; one that ends in "." is a prefix, and what
	// follows is an index with a path (content) or a key (Label).
	Key   string
	Field Field
	// Rank is the place in the field's list of sources over all dialects:
	// the smallest rank that is present wins. 1 to 255.
	Rank uint8
	// Kinds maps lower-case values to kinds for Field Kind; a value that is
	// not in it is no hit. Nil: the presence of the attribute means KindOf.
	Kinds  map[string]activity.Kind
	KindOf activity.Kind
	// Format is the genai format of a content field whose value is structured.
	Format string
	// Events makes the rule apply to the attributes of content events and log
	// records only: names like "content" mean nothing on a span.
	Events bool
}

// Dialect is one vendor's vocabulary.
type Dialect struct {
	Name  string
	Rules []Rule
	// Finish, if set, runs after the rules on every span that had an attribute
	// of this dialect, for what rules cannot say.
	Finish func(*Span, *activity.Fragment)
	// Event, if set, reads a span event or log record of this name that carries
	// content and reports whether it did: then its body and attributes (raw
	// KeyValues, field 1 each) have become content of s.
	Event func(s *Span, name string, body Value, attributes []byte) bool
	// Exclusive, if set, says whether the input tokens of a span with attributes of
	// this dialect exclude cached ones. Without it they include them.
	Exclusive func(*Span) bool

	// Log, if set, reads a log record that tells of a step, and reports whether it
	// is one of this dialect's.
	Log func(out *Writer, l *LogRecord) bool

	// Aliases are other paths at which its SDKs send OTLP, Endpoints their own
	// ways of sending.
	Aliases   []Alias
	Endpoints []Endpoint
	// Info is what its SDKs want to read at GET /info, as members of a JSON object.
	Info string
}

// Verdict is what becomes of an attribute.
type Verdict uint8

// The verdicts.
const (
	Keep   Verdict = iota // stays a raw attribute
	Taken                 // became content
	Secret                // looks like a credential: drop and flag
)

// rule is a Rule with its dialect's place in the registry.
type rule struct {
	Rule
	owner uint8
}

// Map is the compiled table. Safe for concurrent use.
type Map struct {
	dialects []Dialect
	slots    []slot // open addressing; a power of two
	prefixes [256][]rule
	logs     []func(*Writer, *LogRecord) bool
}

type slot struct {
	key   string
	rules []rule
}

// NewMap compiles the dialects. Earlier ones name a span that several of them
// recognise. It panics when a rule is not usable: the table is part of the
// program.
func NewMap(dialects ...Dialect) *Map {
	all := append([]Dialect{{Name: "otel", Rules: coreRules}}, dialects...)
	byKey := map[string][]rule{}
	m := &Map{dialects: all}
	for i := range all {
		if all[i].Log != nil {
			m.logs = append(m.logs, all[i].Log)
		}
		for _, r := range all[i].Rules {
			if r.Key == "" || r.Field == 0 || r.Field >= fieldCount || r.Rank == 0 {
				panic("dialect " + all[i].Name + ": unusable rule for " + r.Key)
			}
			if strings.HasSuffix(r.Key, ".") {
				m.prefixes[r.Key[0]] = append(m.prefixes[r.Key[0]], rule{r, uint8(i)})
				continue
			}
			byKey[r.Key] = append(byKey[r.Key], rule{r, uint8(i)})
		}
	}
	size := 256
	for size < 4*len(byKey) {
		size *= 2
	}
	m.slots = make([]slot, size)
	for key, rules := range byKey {
		i := hash([]byte(key)) & uint64(size-1)
		for m.slots[i].rules != nil {
			i = (i + 1) & uint64(size-1)
		}
		m.slots[i] = slot{key, rules}
	}
	return m
}

// hash mixes length, tail and middle: names of one vendor share their heads.
func hash(key []byte) uint64 {
	n := len(key)
	h := uint64(n) * 0x9E3779B97F4A7C15
	if n >= 8 {
		h ^= binary.LittleEndian.Uint64(key[n-8:]) * 0xff51afd7ed558ccd
		h ^= binary.LittleEndian.Uint64(key[(n-8)/2:]) * 0xc4ceb9fe1a85ec53
	} else {
		for _, c := range key {
			h = (h ^ uint64(c)) * 0x100000001b3
		}
	}
	return h ^ h>>29 ^ h>>47
}

func (m *Map) find(key []byte) []rule {
	mask := uint64(len(m.slots) - 1)
	for i := hash(key) & mask; ; i = (i + 1) & mask {
		s := &m.slots[i]
		if s.rules == nil {
			return nil
		}
		if s.key == string(key) {
			return s.rules
		}
	}
}

// Limits on flattened attributes of one span.
const (
	maxIndex = 10_000
	maxFlat  = 50_000
	// Labels and tags are for filters: a sender with more than this means data.
	maxLabels = 64
)

// Span is what the table found in one span or log record. The zero value is
// ready; Reset makes it so again and keeps its memory.
type Span struct {
	// Set by the caller before Fill.
	Name         string
	Scope        string
	ScopeVersion string
	Service      string
	SpanKind     uint64 // OTLP span kind
	Root         bool   // has no parent
	Flags        activity.Flag

	ranks    [fieldCount]uint8
	values   [fieldCount]Value
	kind     activity.Kind
	kindRank uint8
	seen     uint64 // dialects, by place
	events   int32  // contents that events gave so far
	contents []found
	flat     []flat
	kept     *Again // what is mapped again; nil for what arrives

	// What fragments keep, cut from blocks that ResetArena takes back.
	arena  []byte
	labels block[activity.Label]
	tags   block[string]
	out    block[activity.Content]
}

// block hands out lists, one growing at a time.
type block[T any] struct {
	base, open []T
}

// add appends to the list at hand.
func (b *block[T]) add(v T) {
	if len(b.open) == cap(b.open) {
		next := make([]T, 0, max(256, 2*cap(b.open), min(2*cap(b.base), 1<<14)))
		b.open = append(next, b.open...)
		if cap(b.open) <= 1<<15 { // one giant must not be remembered for good
			b.base = b.open[:0]
		}
	}
	b.open = append(b.open, v)
}

// take ends the list at hand and returns it; nil when it is empty.
func (b *block[T]) take() []T {
	n := len(b.open)
	out := b.open[:n:n]
	b.open = b.open[n:]
	if n == 0 {
		return nil
	}
	return out
}

// found is a content attribute.
type found struct {
	field  Field
	rank   uint8
	format string
	from   string
	v      Value
	event  bool // said by an event or log record, at this place among them
	order  int32
	kept   int // of Again: one more than its place among what is stored; 0 new
}

// flat is one attribute of a flattened list.
type flat struct {
	rule  *rule
	index int
	path  string
	v     Value
	cut   bool
}

// Reset makes s ready for the next record. What Fill gave out before stays
// valid until ResetArena.
func (s *Span) Reset() {
	s.labels.take()
	s.tags.take()
	s.out.take()
	s.Name, s.Scope, s.ScopeVersion, s.Service, s.SpanKind, s.Root, s.Flags = "", "", "", "", 0, false, 0
	s.ranks = [fieldCount]uint8{}
	s.kind, s.kindRank, s.seen, s.events, s.kept = 0, 0, 0, 0, nil
	s.contents, s.flat = s.contents[:0], s.flat[:0]
}

// ResetArena takes back the memory of all that was given out so far: call it
// when nothing made from s is used any more.
func (s *Span) ResetArena() {
	s.arena = s.arena[:0]
	if cap(s.arena) > 4<<20 {
		s.arena = nil // one giant must not be remembered for good
	}
	s.labels.open, s.tags.open, s.out.open = s.labels.base, s.tags.base, s.out.base
}

// Get is the value of a field, None when nothing fed it.
func (s *Span) Get(f Field) Value {
	if s.ranks[f] == 0 {
		return Value{}
	}
	return s.values[f]
}

// Text is Get(f).Text().
func (s *Span) Text(f Field) string {
	if s.ranks[f] == 0 {
		return ""
	}
	return s.values[f].Text()
}

// Set feeds a field as a rule of that rank would.
func (s *Span) Set(f Field, rank uint8, v Value) {
	if v.Empty() {
		return
	}
	if have := s.ranks[f]; have == 0 || rank < have {
		s.ranks[f], s.values[f] = rank, v
	}
}

// SetKind feeds the kind as a rule of that rank would.
func (s *Span) SetKind(rank uint8, k activity.Kind) {
	if s.kindRank == 0 || rank < s.kindRank {
		s.kind, s.kindRank = k, rank
	}
}

// Attribute looks one attribute up and says what becomes of it. event is true
// for the attributes of content events and log records. cut says that v was cut.
func (m *Map) Attribute(s *Span, key []byte, v Value, event, cut bool) Verdict {
	rules := m.find(key)
	if rules == nil {
		if len(key) == 0 {
			return Keep
		}
		if p := m.prefixes[key[0]]; p != nil {
			for i := range p {
				if r := &p[i]; len(key) > len(r.Key) && string(key[:len(r.Key)]) == r.Key {
					return s.prefixed(r, key[len(r.Key):], v, cut)
				}
			}
		}
		if secret(key) {
			s.Flags |= activity.FlagSecretDropped
			return Secret
		}
		return Keep
	}
	verdict := Keep
	for i := range rules {
		r := &rules[i]
		if r.Events && !event {
			continue
		}
		if r.owner != 0 {
			s.seen |= 1 << r.owner
		}
		switch {
		case r.Field == Kind:
			s.feedKind(r, v)
		case r.Field.content():
			verdict = Taken
			if !v.Empty() {
				format := r.Format
				if cut {
					format = "text" // half of it is no JSON any more
				}
				s.contents = append(s.contents, found{field: r.Field, rank: r.Rank, format: format, from: r.Key, v: v})
			}
		default:
			s.Set(r.Field, r.Rank, v)
		}
	}
	return verdict
}

// Content is what an attribute said that a rule took as content; "" for none.
// from is the rule's key.
func (s *Span) Content(field Field, from string) []byte {
	for i := range s.contents {
		c := &s.contents[i]
		if c.field != field || c.from != from {
			continue
		}
		if c.kept > 0 {
			if raw := s.kept.stored(c); raw != nil {
				return raw
			}
		} else if c.v.Type == String {
			return c.v.Raw()
		}
	}
	return nil
}

// AddContent adds content that was put together from others, as a rule of that
// rank would. raw is JSON of the format.
func (s *Span) AddContent(f Field, rank uint8, format, from string, raw []byte) {
	s.contents = append(s.contents, found{field: f, rank: rank, format: format, from: from, v: Value{Type: String, b: raw}})
}

// AddEvent adds content that an event or log record says. raw is JSON text of
// the format, or plain text where the format is "text".
func (s *Span) AddEvent(f Field, format, from string, raw []byte) {
	s.contents = append(s.contents, found{field: f, rank: 100, format: format, from: from, v: Value{Type: String, b: raw}, event: true, order: s.events})
	s.events++
}

// Arena is memory for what AddEvent takes: append to what it returns and give
// the whole back with Keep, which returns the appended part.
func (s *Span) Arena() []byte { return s.arena }

// Keep ends what Arena began: n is the length of what Arena returned.
func (s *Span) Keep(arena []byte, n int) []byte {
	s.arena = arena
	return arena[n:len(arena):len(arena)]
}

// Event offers a span event or log record to the dialects; see Dialect.Event.
func (m *Map) Event(s *Span, name string, body Value, attributes []byte) bool {
	for i := range m.dialects {
		if d := &m.dialects[i]; d.Event != nil && d.Event(s, name, body, attributes) {
			s.seen |= 1 << i
			return true
		}
	}
	return false
}

// inherited are the facts that a resource may say for all its spans.
var inherited = [...]Field{
	RunKey, Session, User, Agent, AgentID, AgentVersion, Environment, Task, Mode, Generated, Service, Tags, Metadata,
}

// Inherit takes from a resource what the record itself does not say.
func (s *Span) Inherit(r *Span) {
	for _, f := range inherited {
		if s.ranks[f] == 0 && r.ranks[f] != 0 {
			s.ranks[f], s.values[f] = r.ranks[f], r.values[f]
		}
	}
}

func (s *Span) feedKind(r *rule, v Value) {
	if s.kindRank != 0 && r.Rank >= s.kindRank {
		return
	}
	if r.Kinds == nil {
		if !v.Empty() {
			s.kind, s.kindRank = r.KindOf, r.Rank
		}
		return
	}
	if v.Type != String {
		return
	}
	k, ok := r.Kinds[v.Text()]
	if !ok {
		if k, ok = r.Kinds[strings.ToLower(v.Text())]; !ok {
			return
		}
	}
	s.kind, s.kindRank = k, r.Rank
}

// prefixed takes an attribute of a flattened list, or a label.
func (s *Span) prefixed(r *rule, rest []byte, v Value, cut bool) Verdict {
	s.seen |= 1 << r.owner
	name := unsafe.String(unsafe.SliceData(rest), len(rest))
	if r.Field == Label {
		if t := v.Text(); t != "" && len(s.labels.open) < maxLabels {
			s.labels.add(activity.Label{Key: name, Value: t})
		}
		s.association(name, v)
		return Keep
	}
	index, i := 0, 0
	for i < len(rest) && rest[i] >= '0' && rest[i] <= '9' && i < 9 {
		index = index*10 + int(rest[i]-'0')
		i++
	}
	if i == 0 || (i < len(rest) && rest[i] != '.') {
		// gen_ai.prompt.name is no element of gen_ai.prompt; a sign or a
		// fraction is an index that no list has.
		if rest[0] == '-' || i > 0 {
			s.Flags |= activity.FlagBadIndex
		}
		return Keep
	}
	if index > maxIndex || len(s.flat) >= maxFlat {
		s.Flags |= activity.FlagBadIndex
		return Keep
	}
	path := ""
	if i < len(rest) {
		path = name[i+1:]
	}
	if strings.Contains(path, "__proto__") {
		s.Flags |= activity.FlagBadIndex
		return Keep
	}
	s.flat = append(s.flat, flat{r, index, path, v, cut})
	return Taken
}

// association reads the labels that mean more than themselves.
func (s *Span) association(name string, v Value) {
	switch name {
	case "session_id", "sessionId":
		s.Set(Session, 80, v)
	case "chat_id", "conversation_id", "thread_id":
		s.Set(Session, 85, v)
	case "user_id", "userId":
		s.Set(User, 80, v)
	}
}

// secret reports a name by which credentials go. It runs for every name that
// is in no table, so the last byte decides first.
// LooksSecret reports whether an attribute's name says that it holds a
// credential.
func LooksSecret(key []byte) bool { return len(key) > 0 && secret(key) }

func secret(key []byte) bool {
	switch key[len(key)-1] {
	case 'y', 'Y':
		return suffix(key, "api_key", "api-key", "apikey", "private_key", "public_key", "secret_key", "access_key")
	case 'n', 'N':
		return suffix(key, "authorization", "access_token", "auth_token", "refresh_token", "bearer_token")
	case 'd', 'D':
		return suffix(key, "password", "passwd")
	case 't', 'T':
		return suffix(key, "client_secret", ".secret", "_secret")
	case 'e', 'E':
		return suffix(key, "cookie")
	case 's', 'S':
		return suffix(key, "credentials", "api_keys")
	}
	return bytes.Contains(key, []byte("api_key"))
}

func suffix(key []byte, all ...string) bool {
	for _, s := range all {
		// The first byte settles nearly every no.
		if i := len(key) - len(s); i >= 0 && key[i]|0x20 == s[0]|0x20 && strings.EqualFold(unsafe.String(&key[i], len(s)), s) {
			return true
		}
	}
	return bytes.Contains(key, []byte("api_key"))
}

package behaviour

import (
	"bytes"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"
)

// Said is who said a text that an agent heard.
type Said uint8

// Who speaks, the most trusted last.
const (
	ByModel  Said = iota // nobody before the agent's own model did
	ByTool               // a tool's result: whoever wrote what the tool read
	BySystem             // the agent's own instructions
	ByUser               // the one it works for
)

var saidNames = [...]string{"model", "tool", "system", "user"}

// String is the speaker's stable name.
func (s Said) String() string { return saidNames[s] }

// Source is where a text came from.
type Source struct {
	By   Said
	Tool string // whose result it was, as decisions name it
	Step string // of the run, in which it was heard first
}

// Argument is a text of a call's arguments.
type Argument struct {
	Path    string
	Index   int // among several at this path
	Text    string
	Escaped bool // it stands in JSON
	Named   bool // a person says that a destination stands here
}

// Origin is where an entity in a call's arguments came from.
type Origin struct {
	Path     string // of the argument
	Index    int
	From, To int // its bytes within the argument's text
	Kind     Kind
	Entity   string // in its normal form
	Source   Source
	Lost     bool // what was heard earlier is not known any more
	First    bool // this agent never sent anything there
	Injected bool // a destination that a tool's result gave, and nobody else
}

// Found is what the arguments of a call name. Destinations are the names by which
// policy knows them.
type Found struct {
	Origins                           []Origin
	All, Domains, FirstSeen, Injected []string
	Left                              int // entities that are not listed; they are counted in the rest
	uses                              []use
	vouched                           func(tool string) bool
}

// use is a destination that counts as used once the call was made.
type use struct {
	unit   string
	hashes [2]uint64 // of the entity, and of the destination that it belongs to
	house  string    // of an address: the organisation's domain; "" none
	clean  bool      // not injected
}

// Bounds of what is kept of the texts of a scope and told of a call.
const (
	maxMarks   = 4096 // destinations of a scope
	maxThings  = 1024 // paths and ids of a scope
	maxWords   = 4096 // of the user and the instructions in a scope
	maxSources = 1024 // tools and steps of a scope
	maxOrigins = 64   // of a call
	maxListing = 256  // destinations of a call that policy is told
	maxBuffer  = 1 << 20
	moreName   = "more"
)

var seed = maphash.MakeSeed()

// mark is what is known of an entity.
type mark struct {
	source uint16 // into scope.sources
	by     Said
}

// scope is what was heard within a run, a session, or under a credential.
type scope struct {
	mu      sync.Mutex
	marks   map[uint64]mark
	echoes  map[uint64]struct{} // what tools' results named, with what stood around it
	words   map[uint64]struct{} // of the user and the instructions, in lower case
	tools   uint16              // the source of the last tool's result, plus one; 0 none was heard
	things  int
	sources []Source
	prompts bool // the user's words were heard
	full    bool // something heard found no room: what is not known may have been
	talks   [4]talk
	next    int
}

// talk is a conversation as far as it was heard.
type talk struct {
	length int
	hash   uint64
}

// Heard notes what a text names, before its last byte leaves. Escaped says that
// it stands in JSON.
func (m *Memory) Heard(w Who, from Source, text []byte, escaped bool) {
	if len(text) == 0 {
		return
	}
	buf := buffers.Get().(*buffer)
	defer buffers.Put(buf)
	buf.collect(from.By, text, escaped)
	for _, s := range m.scopes.of(w) {
		s.take(from, buf)
	}
}

// Missed notes that something was said that could not be heard: what is not
// known from now on may have been.
func (m *Memory) Missed(w Who) {
	for _, s := range m.scopes.of(w) {
		s.mu.Lock()
		s.full = true
		s.mu.Unlock()
	}
}

// buffer is what a look at a text needs, and what it found.
type buffer struct {
	scanner scanner
	text    []byte
	named   []mention
	words   []uint64
}

// mention is an entity in a text that was heard.
type mention struct {
	hash, unit uint64 // unit is 0 where the entity is the whole destination
	place      uint64 // what stands around it
	kind       Kind
}

var buffers = sync.Pool{New: func() any { return &buffer{text: make([]byte, 0, 32<<10)} }}

// collect finds what a text names.
func (b *buffer) collect(by Said, text []byte, escaped bool) {
	b.named, b.words = b.named[:0], b.words[:0]
	b.more(by, text, escaped)
}

func (b *buffer) more(by Said, text []byte, escaped bool) {
	plain := plainText(text, b.text, escaped)
	if own := len(plain) > 0 && &plain[0] != &text[0]; own && cap(plain) > cap(b.text) && cap(plain) <= maxBuffer {
		b.text = plain[:0] // more room for the next
	}
	text = plain
	if by >= BySystem {
		eachWord(text, func(hash uint64) bool {
			b.words = append(b.words, hash)
			return len(b.words) < maxWords
		})
	}
	b.scanner.scan(text, func(e *entity) bool {
		m := mention{hash: maphash.Bytes(seed, e.norm), kind: e.kind}
		if len(e.unit) > 0 && len(e.unit) < len(e.norm) {
			m.unit = maphash.Bytes(seed, e.unit)
		}
		if e.kind.Destination() {
			m.place = around(text, e.from, e.to)
		}
		b.named = append(b.named, m)
		return true
	})
}

// take notes what was found in a text.
func (s *scope) take(from Source, b *buffer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(b.named) == 0 && from.By == ByTool && s.tools > 0 {
		return
	}
	source := s.source(from)
	s.prompts = s.prompts || from.By == ByUser
	if from.By == ByTool {
		s.tools = source + 1
	}
	if len(b.words) > 0 && s.words == nil {
		s.words = make(map[uint64]struct{}, len(b.words))
	}
	for _, hash := range b.words {
		if len(s.words) >= maxWords {
			break
		}
		s.words[hash] = struct{}{}
	}
	m := mark{source: source, by: from.By}
	for i := range b.named {
		n := &b.named[i]
		s.note(n.hash, n.kind, n.place, m)
		if n.unit != 0 {
			s.note(n.unit, Host, n.place, m)
		}
	}
}

// eachWord gives the hash of each run of letters and digits, without case.
func eachWord(text []byte, each func(hash uint64) bool) {
	var lower [64]byte
	for i := 0; i < len(text); {
		from := i
		for i < len(text) && wordByte(text[i]) {
			i++
		}
		if i > from && i-from <= len(lower) && !each(maphash.Bytes(seed, lowered(lower[:0], text[from:i]))) {
			return
		}
		if i == from {
			i++
		}
	}
}

// said reports whether the user or the instructions said every word of a name;
// mu is held.
func (s *scope) said(name []byte) bool {
	some, all := false, true
	eachWord(name, func(hash uint64) bool {
		some = true
		_, ok := s.words[hash]
		all = all && ok
		return all
	})
	return some && all
}

// source finds or adds a source; what finds no room counts as the last of its
// kind.
func (s *scope) source(from Source) uint16 {
	if n := len(s.sources); n > 0 && s.sources[n-1] == from {
		return uint16(n - 1)
	}
	if i := slices.Index(s.sources, from); i >= 0 {
		return uint16(i)
	}
	if len(s.sources) >= maxSources {
		from.Step = ""
		if i := slices.Index(s.sources, from); i >= 0 {
			return uint16(i)
		}
		return uint16(len(s.sources) - 1)
	}
	s.sources = append(s.sources, from)
	return uint16(len(s.sources) - 1)
}

// note keeps who said an entity first. The user's word counts also when it comes
// later, unless it is an echo: programs show a tool's result to a model in the
// user's name. place is what stands around it.
func (s *scope) note(hash uint64, kind Kind, place uint64, m mark) {
	old, known := s.marks[hash]
	if m.by == ByTool && kind.Destination() && len(s.echoes) < maxMarks {
		if s.echoes == nil {
			s.echoes = map[uint64]struct{}{}
		}
		s.echoes[hash^place] = struct{}{}
	}
	if known {
		if m.by <= max(old.by, ByTool) { // a model's own does not become a tool's
			return
		}
		if _, echo := s.echoes[hash^place]; old.by == ByTool && (echo || len(s.echoes) >= maxMarks) {
			return
		}
		s.marks[hash] = m
		return
	}
	switch {
	case !kind.Destination():
		if s.things >= maxThings {
			return
		}
		s.things++
	case len(s.marks)-s.things >= maxMarks:
		s.full = true
		return
	}
	if s.marks == nil {
		s.marks = map[uint64]mark{}
	}
	s.marks[hash] = m
}

// around digests the letters and digits that stand before an entity and after
// it, so that other blanks and quotes make no difference.
func around(text []byte, from, to int) uint64 {
	h := uint64(14695981039346656037)
	add := func(c byte) {
		if k := classes[c]; k == upper {
			c += 'a' - 'A'
		}
		h = (h ^ uint64(c)) * 1099511628211
	}
	for i, n := from-1, 0; i >= 0 && n < 24 && from-i < 64; i-- {
		if wordByte(text[i]) {
			add(text[i])
			n++
		}
	}
	for i, n := to, 0; i < len(text) && n < 16 && i-to < 48; i++ {
		if wordByte(text[i]) {
			add(text[i])
			n++
		}
	}
	return h
}

// Origins says what a call's arguments name and where each of it came from.
// agent is whose earlier destinations count. Where a person named the paths of
// destinations (Argument.Named), only what stands there is one. What a tool said
// first of which vouched says yes is not injected; vouched may be nil.
func (m *Memory) Origins(w Who, agent string, args []Argument, vouched func(tool string) bool) *Found {
	f := &Found{vouched: vouched}
	buf := buffers.Get().(*buffer)
	defer buffers.Put(buf)
	scopes := m.scopes.look(w)
	only := slices.ContainsFunc(args, func(a Argument) bool { return a.Named })
	for i := range args {
		a := &args[i]
		text := []byte(a.Text)
		plain := plainText(text, buf.text, a.Escaped)
		whole := len(plain) == len(text) // else places within it would be wrong
		found := false
		buf.scanner.scan(plain, func(e *entity) bool {
			o := Origin{Path: a.Path, Index: a.Index, Kind: e.kind}
			if whole {
				o.From, o.To = e.from, e.to
			}
			found = found || e.kind.Destination()
			m.trace(f, scopes, agent, &o, e, e.kind.Destination() && (a.Named || !only))
			return true
		})
		if a.Named && !found && len(plain) > 0 && len(plain) <= maxEntity {
			// A name, a channel, an account of the house's own: whatever stands here.
			e := entity{kind: Named, norm: lowered(buf.scanner.norm[:0], bytes.TrimSpace(plain)), to: len(text)}
			o := Origin{Path: a.Path, Index: a.Index, To: len(text), Kind: Named}
			m.trace(f, scopes, agent, &o, &e, true)
		}
	}
	return f
}

// trace finds out about one entity.
func (m *Memory) trace(f *Found, scopes []looked, agent string, o *Origin, e *entity, destination bool) {
	unit := e.norm
	if len(e.unit) > 0 {
		unit = e.unit
	}
	hash, whole := maphash.Bytes(seed, e.norm), maphash.Bytes(seed, unit)
	o.Entity = string(e.norm)
	if e.kind == Named {
		o.Source = named(scopes, e.norm)
	} else {
		o.Source, o.Lost = where(scopes, hash, whole)
	}
	if destination {
		name := string(unit)
		key := useKey(e.kind, name)
		o.First = m.First(agent, key)
		o.Injected = o.First && (o.Source.By == ByTool || o.Lost) && !(e.kind == Email && m.familiar(agent, name)) &&
			!(o.Source.By == ByTool && f.vouched != nil && f.vouched(o.Source.Tool))
		f.add(name, o)
		f.uses = append(f.uses, use{key, [2]uint64{hash, whole}, houseOf(e.kind, name), !o.Injected})
	}
	if len(f.Origins) < maxOrigins {
		f.Origins = append(f.Origins, *o)
	} else {
		f.Left++
	}
}

// add tells policy of a destination.
func (f *Found) add(name string, o *Origin) {
	put := func(list *[]string, v string) {
		switch {
		case slices.Contains(*list, v):
		case len(*list) < maxListing:
			*list = append(*list, v)
		case len(*list) == maxListing:
			*list = append(*list, moreName)
		}
	}
	put(&f.All, name)
	if d := domainOf(o.Kind, name); d != "" {
		put(&f.Domains, d)
	}
	if o.First {
		put(&f.FirstSeen, name)
	}
	if o.Injected {
		put(&f.Injected, name)
	}
}

// domainOf is the registrable domain of a destination; "" for one without.
func domainOf(kind Kind, name string) string {
	host := name
	switch kind {
	case Email:
		host = name[bytes.LastIndexByte([]byte(name), '@')+1:]
	case URL, Host:
		for i := range len(host) {
			if host[i] == '/' || host[i] == ':' || host[i] == '?' {
				host = host[:i]
				break
			}
		}
	default:
		return ""
	}
	if d, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return d
	}
	return host
}

// looked is a scope that a call is seen in.
type looked struct {
	s    *scope // nil: nothing was heard in it
	lost bool   // what was heard in it before is not known any more
	last bool   // the widest, in which others' words stand too
}

// where finds the first who said an entity; hash is of all of it, unit of the
// destination that it belongs to. The narrowest scope in which the user spoke
// says what the user said: under a credential others' words stand, too.
func where(scopes []looked, hash, unit uint64) (from Source, lost bool) {
	from.By = ByModel
	spoke := false
	for _, l := range scopes {
		if l.s == nil {
			lost = lost || l.lost
			continue
		}
		l.s.mu.Lock()
		found, ok := l.s.find(hash, unit)
		if ok && found.By >= BySystem && spoke && l.last {
			ok = false // somebody else's word
		}
		if ok && better(from.By, found.By) {
			from = found
		}
		lost = lost || l.lost || l.s.full
		spoke = spoke || l.s.prompts
		l.s.mu.Unlock()
	}
	return from, lost && from.By == ByModel
}

// named finds who said a name: the user or the instructions by its words, else a
// tool whose result was heard, since nothing tells it from other words there.
func named(scopes []looked, name []byte) Source {
	from, spoke := Source{By: ByModel}, false
	for _, l := range scopes {
		if l.s == nil {
			continue
		}
		l.s.mu.Lock()
		said := l.s.said(name) && !(spoke && l.last)
		if l.s.tools > 0 && from.By == ByModel {
			from = l.s.sources[l.s.tools-1]
		}
		spoke = spoke || l.s.prompts
		l.s.mu.Unlock()
		if said {
			return Source{By: ByUser}
		}
	}
	return from
}

// better: the user's word and the instructions count wherever they were heard,
// else a tool's.
func better(old, by Said) bool { return by > old }

// find is who said an entity, or the destination that it belongs to; mu is held.
func (s *scope) find(hash, unit uint64) (Source, bool) {
	e, exact := s.marks[hash]
	u, whole := s.marks[unit]
	switch {
	case whole && (!exact || u.by >= BySystem && u.by > e.by):
		e = u // who named the host may go anywhere there
	case !exact:
		return Source{}, false
	}
	return s.sources[e.source], true
}

// Used notes that a call was let through: its destinations are known from now on,
// but for those that only a tool's result gave, unless a person agreed. What the
// model made up is its own from now on, also when a later result repeats it.
func (m *Memory) Used(w Who, agent string, f *Found, agreed bool) {
	if f == nil {
		return
	}
	for _, u := range f.uses {
		if u.clean || agreed {
			m.wrote(agent, u)
			m.Reached(agent, u.unit)
		}
	}
	if len(f.uses) == 0 {
		return
	}
	for _, s := range m.scopes.of(w) {
		s.mu.Lock()
		source := s.source(Source{By: ByModel})
		for _, u := range f.uses {
			for _, hash := range u.hashes {
				if u.clean {
					s.note(hash, Host, 0, mark{source: source, by: ByModel}) // which keeps what is known
				}
			}
		}
		s.mu.Unlock()
	}
}

// housemates is to how many people of one organisation an agent wrote before the
// others there are no surprise.
const housemates = 3

// public are where anybody may have an address: there each is a place of its own.
var public = map[string]bool{
	"gmail.com": true, "googlemail.com": true, "outlook.com": true, "hotmail.com": true, "live.com": true, "msn.com": true, "yahoo.com": true,
	"ymail.com": true, "icloud.com": true, "me.com": true, "mac.com": true, "aol.com": true, "proton.me": true, "protonmail.com": true, "pm.me": true,
	"gmx.de": true, "gmx.net": true, "gmx.com": true, "web.de": true, "t-online.de": true, "mail.ru": true, "yandex.ru": true, "yandex.com": true,
	"qq.com": true, "163.com": true, "126.com": true, "zoho.com": true, "fastmail.com": true, "tutanota.com": true, "hey.com": true, "mail.com": true,
	"orange.fr": true, "free.fr": true, "laposte.net": true, "libero.it": true, "btinternet.com": true, "comcast.net": true, "naver.com": true,
	"hushmail.com": true, "duck.com": true, "mailinator.com": true, "guerrillamail.com": true, "yopmail.com": true, "10minutemail.com": true,
}

// houseOf is the organisation that an address belongs to; "" for none.
func houseOf(kind Kind, address string) string {
	if kind != Email {
		return ""
	}
	domain := address[strings.LastIndexByte(address, '@')+1:]
	if public[domain] || strings.HasPrefix(domain, "yahoo.") || strings.HasPrefix(domain, "hotmail.") || strings.HasPrefix(domain, "outlook.") || strings.HasPrefix(domain, "live.") {
		return ""
	}
	return domain
}

// houseKey counts an organisation's people to whom an agent wrote.
func houseKey(house string, n int) string { return "@" + house + "#" + strconv.Itoa(n) }

// familiar reports whether an address is in an organisation to several of whose
// people the agent wrote before.
func (m *Memory) familiar(agent, address string) bool {
	house := houseOf(Email, address)
	return house != "" && !m.First(agent, houseKey(house, housemates))
}

// wrote counts an address that is new.
func (m *Memory) wrote(agent string, u use) {
	if u.house == "" || !m.First(agent, u.unit) {
		return
	}
	for n := 1; n <= housemates; n++ {
		if key := houseKey(u.house, n); m.First(agent, key) {
			m.Reached(agent, key)
			return
		}
	}
}

package pin

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// Config is what the configuration says about tools.
type Config struct {
	// FirstUse accepts a tool's first definition without a person, where nothing
	// but being new speaks against it. Its effect stays unknown, which counts as
	// destructive.
	FirstUse bool `yaml:"trust_first_use" doc:"Accept a tool when it is first seen, unless something beside being new speaks against it; changes still wait for a person. For development."`
}

// Bounds. What is beyond is refused or dropped, never silently accepted.
const (
	maxTools      = 10_000  // of an upstream
	maxAll        = 100_000 // of all
	maxDefinition = 256 << 10
	maxVersions   = 20 // of a tool; accepted ones stay
	// maxVersionBytes bounds the forms of an upstream's tools that nobody accepted
	// and that it does not list any more.
	maxVersionBytes = 8 << 20
	maxSuperseded   = 50 // findings of a tool that nobody answered before it was another
	maxName         = 512
)

// Options of a Book. DB is required.
type Options struct {
	DB     *control.DB
	Config Config
	// Changed is told, after the fact, which upstream's pins changed; it must be
	// quick. nil tells nobody.
	Changed func(upstream string)
	Logger  *slog.Logger
	Now     func() time.Time // nil is time.Now
}

// Book is all pins.
type Book struct {
	o        Options
	maxBytes int64      // see maxVersionBytes
	changes  sync.Mutex // one change at a time; held while its transaction runs
	all      atomic.Pointer[catalogue]
}

// entry is what is known of a tool. It never changes: a new one takes its place.
type entry struct {
	Pin
	definition  Tool   // as listed last
	fingerprint string // of the listing's bytes: the same bytes need no second look
	findings    []Finding
	agreed      []string // findings that a person accepted with the definition in force
	firstSeen   time.Time
	changedAt   time.Time // when it was listed in this form for the first time
	lastSeen    time.Time
	acceptedAt  time.Time
	acceptedBy  string
	revision    int64
	folded      string // the name as collisions see it
	mentions    []string
	shape       *shape // of the accepted input schema; nil none
}

// catalogue is everything at one time; it never changes.
type catalogue struct {
	upstreams map[string]map[string]*entry
	folded    map[string][]*entry // by folded name
	mentions  map[string][]*entry // by word of their texts
	aliases   map[string]*entry
	count     int
}

// New reads the pins.
func New(ctx context.Context, o Options) (*Book, error) {
	if o.DB == nil {
		return nil, errors.New("pins need a database")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	b := &Book{o: o, maxBytes: maxVersionBytes}
	list, err := control.All(ctx, o.DB, scanEntry, `SELECT t.body, v.definition, a.definition FROM tools t
		LEFT JOIN tool_versions v ON v.upstream = t.upstream AND v.tool = t.name AND v.hash = t.listed
		LEFT JOIN tool_versions a ON a.upstream = t.upstream AND a.tool = t.name AND a.hash = t.accepted`)
	if err != nil {
		return nil, fmt.Errorf("reading the pins: %w", err)
	}
	c := &catalogue{upstreams: map[string]map[string]*entry{}}
	for _, e := range list {
		c.place(e)
	}
	b.all.Store(c.index())
	return b, nil
}

func (c *catalogue) place(e *entry) {
	of := c.upstreams[e.Upstream]
	if of == nil {
		of = map[string]*entry{}
		c.upstreams[e.Upstream] = of
	}
	of[e.Tool] = e
}

// index makes what is looked up by other keys.
func (c *catalogue) index() *catalogue {
	c.folded, c.mentions, c.aliases, c.count = map[string][]*entry{}, map[string][]*entry{}, map[string]*entry{}, 0
	for _, of := range c.upstreams {
		for _, e := range of {
			c.count++
			c.folded[e.folded] = append(c.folded[e.folded], e)
			for _, w := range e.mentions {
				c.mentions[w] = append(c.mentions[w], e)
			}
			if old := c.aliases[e.Alias]; old == nil || old.firstSeen.After(e.firstSeen) {
				c.aliases[e.Alias] = e // the first keeps the name
			}
		}
	}
	return c
}

// with is the catalogue with some entries in place of old ones.
func (c *catalogue) with(list []*entry) *catalogue {
	next := &catalogue{upstreams: maps.Clone(c.upstreams)}
	cloned := map[string]bool{}
	for _, e := range list {
		if !cloned[e.Upstream] {
			next.upstreams[e.Upstream], cloned[e.Upstream] = maps.Clone(next.upstreams[e.Upstream]), true
		}
		next.place(e)
	}
	return next.index()
}

// Lookup is the pin of a tool; ok is false for one that no server listed. It
// takes no lock.
func (b *Book) Lookup(upstream, tool string) (Pin, bool) {
	if e := b.all.Load().upstreams[upstream][tool]; e != nil {
		return e.Pin, true
	}
	return Pin{}, false
}

// ByAlias is the pin that is called alias where all servers are one. It takes no
// lock.
func (b *Book) ByAlias(alias string) (Pin, bool) {
	if e := b.all.Load().aliases[alias]; e != nil {
		return e.Pin, true
	}
	return Pin{}, false
}

// See takes note of a list of tools that an upstream gave; whole says that it
// has no other. It gives the pin of each in the list's order. A definition that
// is not the accepted one is held in the answer and for every later Lookup, and
// stays so until a person accepts it.
func (b *Book) See(ctx context.Context, upstream string, tools []Tool, whole bool) ([]Pin, error) {
	if len(tools) > maxTools {
		return nil, fault.New(fault.KindInvalid, "pin.too_many", "the server lists %d tools; at most %d are taken", len(tools), maxTools)
	}
	prints := make([]string, len(tools))
	for i := range tools {
		prints[i] = fingerprint(&tools[i])
	}
	if list, same := b.all.Load().seen(upstream, tools, prints); same {
		return list, nil
	}
	b.changes.Lock()
	defer b.changes.Unlock()
	c := b.all.Load()
	if list, same := c.seen(upstream, tools, prints); same {
		return list, nil
	}
	next, err := b.look(c, upstream, tools, prints)
	if err != nil {
		return nil, err
	}
	if err := b.save(ctx, c, next); err != nil {
		return nil, err
	}
	list, _ := b.all.Load().seen(upstream, tools, prints)
	return list, nil
}

// seen gives the pins of a list in which nothing is new.
func (c *catalogue) seen(upstream string, tools []Tool, prints []string) ([]Pin, bool) {
	of := c.upstreams[upstream]
	list := make([]Pin, len(tools))
	same := true
	for i := range tools {
		e := of[tools[i].Name]
		switch {
		case e == nil:
			list[i] = Pin{Upstream: upstream, Tool: tools[i].Name, Alias: Alias(upstream, tools[i].Name), State: Held, Reason: "it was not seen before"}
			same = false
		case e.fingerprint != prints[i]:
			list[i] = e.Pin
			if e.State == Accepted { // another of that name is the accepted one
				list[i].State, list[i].Reason = Held, "the list has the name twice"
			}
			same = false
		default:
			list[i] = e.Pin
		}
	}
	return list, same
}

// look makes the entries that a list adds or changes.
func (b *Book) look(c *catalogue, upstream string, tools []Tool, prints []string) ([]*entry, error) {
	now := b.o.Now().UTC().Truncate(time.Microsecond)
	var next []*entry
	at := map[string]int{} // into tools, the first of a name
	fresh := 0
	for i := range tools {
		t := &tools[i]
		old := c.upstreams[upstream][t.Name]
		if first, twice := at[t.Name]; twice {
			if prints[first] != prints[i] {
				next = doubled(next, c, upstream, t.Name, now)
			}
			continue
		}
		at[t.Name] = i
		if len(t.Name) > maxName || t.Name == "" {
			return nil, fault.New(fault.KindInvalid, "pin.name", "the server lists a tool with a name of %d bytes", len(t.Name))
		}
		if old != nil && old.fingerprint == prints[i] {
			continue
		}
		if old == nil {
			fresh++
		}
		e := b.inspect(c, old, upstream, t, prints[i], now)
		for _, o := range next {
			if o.folded == e.folded {
				o.twin(e, now)
				e.twin(o, now)
			}
		}
		next = append(next, e)
	}
	if c.count+fresh > maxAll || len(c.upstreams[upstream])+fresh > maxTools {
		return nil, fault.New(fault.KindExhausted, "pin.too_many", "upstream %s has listed more tools than are kept", upstream).
			WithHint("forget what it does not have any more: reeve tool forget %s", upstream)
	}
	return next, nil
}

// doubled holds a name that a list has twice with different definitions.
func doubled(next []*entry, c *catalogue, upstream, name string, now time.Time) []*entry {
	i := slices.IndexFunc(next, func(e *entry) bool { return e.Tool == name })
	if i < 0 {
		old := *c.upstreams[upstream][name] // it is there: its first was not new
		if old.has(Duplicate) {
			return next
		}
		next = append(next, &old)
		i = len(next) - 1
	}
	f := Finding{Code: Duplicate, Text: "the server lists two different tools of this name", At: now}
	if !slices.Contains(next[i].agreed, f.key()) {
		next[i].hold(f)
	}
	return next
}

// inspect makes the entry of a tool that is new or is listed in another form.
func (b *Book) inspect(c *catalogue, old *entry, upstream string, t *Tool, print string, now time.Time) *entry {
	e := &entry{Pin: Pin{Upstream: upstream, Tool: t.Name, Alias: Alias(upstream, t.Name), State: Held}, firstSeen: now}
	if old != nil {
		*e = *old
		e.findings = slices.DeleteFunc(slices.Clone(old.findings), func(f Finding) bool { return f.Code != ByPerson && f.Code != Moved })
	}
	e.definition, e.fingerprint, e.folded = t.clone(), print, fold(t.Name)
	e.lastSeen = now
	hash, err := t.Hash()
	if err != nil || len(t.InputSchema)+len(t.OutputSchema)+len(t.Annotations)+len(t.Description) > maxDefinition {
		// It gets a name by its bytes, and nobody can accept it.
		sum := sha256.Sum256([]byte(print))
		hash = "raw-" + hex.EncodeToString(sum[:])
		e.definition.InputSchema, e.definition.OutputSchema, e.definition.Annotations = nil, nil, nil
		e.definition.Description = cut(e.definition.Description, maxDefinition)
		e.findings = append(e.findings, Finding{Code: Unreadable, Text: "its definition is too large or cannot be read in one way only", Hash: hash, At: now})
	}
	if hash != e.Listed {
		e.changedAt = now
	}
	e.Listed = hash
	e.mentions = mentionsOf(&e.definition)
	e.findings = append(e.findings, b.findings(c, old, e, now)...)
	if old != nil {
		for i := range e.findings { // it is held since it was found first
			f := &e.findings[i]
			if at := slices.IndexFunc(old.findings, func(o Finding) bool { return o.key() == f.key() && o.Hash == f.Hash }); at >= 0 {
				f.At = old.findings[at].At
			}
		}
	}
	// What a person accepted together with this definition is no news.
	if e.Listed == e.Hash {
		e.findings = slices.DeleteFunc(e.findings, func(f Finding) bool { return slices.Contains(e.agreed, f.key()) })
	}
	if len(e.findings) == 1 && e.findings[0].Code == Fresh && b.o.Config.FirstUse {
		e.accept(now, FirstUse)
	}
	e.settle()
	return e
}

// findings are what speaks against a definition.
func (b *Book) findings(c *catalogue, old, e *entry, now time.Time) (out []Finding) {
	add := func(code, text, detail string) {
		out = append(out, Finding{Code: code, Text: text, Detail: detail, Hash: e.Listed, At: now})
	}
	switch {
	case e.Hash == "":
		add(Fresh, "nobody accepted this tool yet", "")
	case e.Hash != e.Listed:
		add(Changed, "it is not the definition that was accepted", "")
	case old != nil && (old.Listed != e.Listed || old.has(Back)):
		// What was taken back was said all the same.
		add(Back, "it was changed and is again what was accepted", "")
	}
	for _, f := range textFindings(&e.definition) {
		add(f.Code, f.Text, f.Detail)
	}
	if e.folded == fold(FindTools) {
		add(Reserved, "its name is that of a tool of the door", FindTools)
	}
	for _, o := range c.folded[e.folded] {
		if o.Upstream != e.Upstream {
			add(Shadows, "upstream "+o.Upstream+" has the tool "+Visible(o.Tool), o.Upstream+"/"+o.Tool)
		} else if o.Tool != e.Tool {
			add(Shadows, "its own server has the tool "+Visible(o.Tool)+", which reads the same", o.Upstream+"/"+o.Tool)
		}
	}
	if o := c.aliases[e.Alias]; o != nil && (o.Upstream != e.Upstream || o.Tool != e.Tool) {
		add(Shadows, "another tool is already called "+e.Alias, o.Upstream+"/"+o.Tool)
	}
	for _, w := range e.mentions {
		for _, o := range c.named(w) {
			if o.Upstream != e.Upstream {
				add(Mentions, "its text names the tool "+Visible(o.Tool)+" of upstream "+o.Upstream, o.Upstream+"/"+o.Tool)
				break
			}
		}
	}
	return out[:min(len(out), maxFindings)]
}

// twin holds a tool whose name reads as another's of the same list.
func (e *entry) twin(o *entry, now time.Time) {
	f := Finding{Code: Shadows, Text: "its own server has the tool " + Visible(o.Tool) + ", which reads the same", Detail: o.Upstream + "/" + o.Tool, Hash: e.Listed, At: now}
	if e.Hash != e.Listed || !slices.Contains(e.agreed, f.key()) {
		e.hold(f)
	}
}

// maxFindings of a tool: more do not make it worse.
const maxFindings = 20

// key is a finding without its time: whether it is the same as one before.
func (f Finding) key() string { return f.Code + "\x00" + f.Detail }

func (e *entry) has(code string) bool {
	return slices.ContainsFunc(e.findings, func(f Finding) bool { return f.Code == code })
}

// hold adds a finding.
func (e *entry) hold(f Finding) {
	e.findings = append(slices.DeleteFunc(slices.Clone(e.findings), func(o Finding) bool { return o.key() == f.key() }), f)
	e.settle()
}

// accept takes the listed definition with all that speaks against it.
func (e *entry) accept(now time.Time, by string) {
	e.Hash, e.acceptedAt, e.acceptedBy = e.Listed, now, by
	e.agreed = nil
	for _, f := range e.findings {
		if f.Code != Fresh && f.Code != Changed && f.Code != Back && f.Code != ByPerson {
			e.agreed = append(e.agreed, f.key())
		}
	}
	e.findings = nil
	e.shape = shapeOf(e.definition.InputSchema)
	e.settle()
}

// settle sets state and reason by the findings.
func (e *entry) settle() {
	e.State, e.Reason = Accepted, ""
	if len(e.findings) == 0 && e.Hash == e.Listed && e.Hash != "" {
		return
	}
	e.State = Held
	for i, f := range e.findings {
		if i > 0 {
			e.Reason += "; "
		}
		e.Reason += f.Text
	}
	e.Reason = cmp.Or(e.Reason, "nobody accepted this tool yet")
}

// textFindings look at every text of a definition.
func textFindings(t *Tool) (out []Finding) {
	all := []string{t.Name, t.Title, t.Description}
	for _, raw := range []json.RawMessage{t.InputSchema, t.OutputSchema, t.Annotations} {
		all = append(all, texts(raw)...)
	}
	var hidden, told []string
	for _, text := range all {
		hidden = append(hidden, HiddenIn(text)...)
	}
	// Together too: an instruction may be spread over the parameters.
	told = InstructionsIn(strings.Join(all, "\n"))
	if len(hidden) > 0 {
		slices.Sort(hidden)
		hidden = slices.Compact(hidden)
		detail := strings.Join(hidden[:min(len(hidden), 20)], ", ")
		out = append(out, Finding{Code: Hidden, Text: "its text has what nobody sees: " + detail, Detail: detail})
	}
	if len(told) > 0 {
		detail := strings.Join(told, "; ")
		out = append(out, Finding{Code: Instructions, Text: "its text speaks to the model: it " + detail, Detail: detail})
	}
	return out
}

func (t *Tool) clone() Tool {
	return Tool{
		strings.Clone(t.Name), strings.Clone(t.Title), strings.Clone(t.Description),
		bytes.Clone(t.InputSchema), bytes.Clone(t.OutputSchema), bytes.Clone(t.Annotations),
	}
}

// fingerprint is a digest of a listing's bytes.
func fingerprint(t *Tool) string {
	h := sha256.New()
	var length [8]byte
	for _, part := range [][]byte{[]byte(t.Name), []byte(t.Title), []byte(t.Description), t.InputSchema, t.OutputSchema, t.Annotations} {
		n := len(part)
		for i := range length {
			length[i] = byte(n >> (8 * i))
		}
		h.Write(length[:])
		h.Write(part)
	}
	return string(h.Sum(nil))
}

// FindTools is the name of the door's own tool for searching tools.
const FindTools = "find_tools"

// fold is a name as collisions see it: without case, and without what stands
// between its words.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, strings.Map(plainLetter, name))
}

// aliasLength is what the clients of model providers take for a tool's name.
const aliasLength = 64

// Alias is a tool's name where all servers are one: upstream__tool of letters,
// digits, _ and -, at most 64. What does not fit is cut or replaced and marked
// with a digest of the whole.
func Alias(upstream, tool string) string {
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '-') {
				return r
			}
			return '_'
		}, s)
	}
	alias := plain(upstream) + "__" + plain(tool)
	if len(alias) <= aliasLength && alias == upstream+"__"+tool {
		return alias
	}
	sum := sha256.Sum256([]byte(upstream + "\x00" + tool))
	return alias[:min(len(alias), aliasLength-9)] + "_" + hex.EncodeToString(sum[:4])
}

func cut(s string, n int) string { return s[:min(len(s), n)] }

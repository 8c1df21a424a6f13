package content

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reeve/client"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Options of a Set. DB is required.
type Options struct {
	DB *control.DB
	// Leaked is told the text of a key of ours that was seen in content, on the
	// call's own goroutine: it must be quick. nil lets such keys live.
	Leaked func(key string)
	Now    func() time.Time // nil is time.Now
}

// Set is the content rules.
type Set struct {
	db     *control.DB
	now    func() time.Time
	leaked func(string)
	memory memory

	changes sync.Mutex
	all     atomic.Pointer[book]
}

// book is the rules as they are; it never changes but for the plans that were
// asked for.
type book struct {
	rules    []*rule // by name
	patterns []*pattern
	plans    sync.Map // scope -> *Plan
	made     atomic.Int64
	engines  sync.Map // the classes, joined -> *engine
}

// rule is a content rule, read.
type rule struct {
	client.ContentRule
	action  Action
	pattern *pattern
}

// scope is whom a plan is for.
type scope struct{ agent, team, environment, redact string }

const (
	maxRules   = 500
	maxPlans   = 50_000
	maxPattern = 500
)

// New reads the rules.
func New(ctx context.Context, o Options) (*Set, error) {
	if o.DB == nil {
		return nil, errors.New("content rules need a database")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Set{db: o.DB, now: o.Now, leaked: o.Leaked}
	list, err := control.All(ctx, o.DB, scanRule, `SELECT body FROM content_rules`)
	if err != nil {
		return nil, fmt.Errorf("reading the content rules: %w", err)
	}
	b, err := newBook(list)
	if err != nil {
		return nil, err
	}
	s.all.Store(b)
	return s, nil
}

func scanRule(row control.Row) (r client.ContentRule, err error) {
	var body string
	if err := row.Scan(&body); err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return r, fault.New(fault.KindInternal, "content.stored", "a stored content rule cannot be read").WithCause(err)
	}
	return r, nil
}

func newBook(list []client.ContentRule) (*book, error) {
	b := &book{}
	for _, r := range list {
		c, err := read(r)
		if err != nil {
			return nil, err
		}
		b.rules = append(b.rules, c)
		if c.pattern != nil {
			b.patterns = append(b.patterns, c.pattern)
		}
	}
	slices.SortFunc(b.rules, func(x, y *rule) int { return cmp.Compare(x.Name, y.Name) })
	// Once all patterns are known: a rule may name another's.
	for _, r := range b.rules {
		for _, c := range r.Classes {
			if !known(c, b.patterns) {
				return nil, invalid("rule %s: there is no class %.60q", r.Name, c).WithHint("`reeve content classes` lists them")
			}
		}
	}
	return b, nil
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// read checks a rule and compiles it.
func read(r client.ContentRule) (*rule, error) {
	c := &rule{ContentRule: r}
	var ok bool
	c.action, ok = parseAction(r.Action)
	switch {
	case !nameForm.MatchString(r.Name):
		return nil, invalid("%.60q cannot name a content rule", r.Name).WithHint("use up to 63 lower-case letters, digits, - and _, a letter first")
	case !ok:
		return nil, invalid("a rule's action is flag, redact_store, redact or block")
	case r.Direction != "request" && r.Direction != "answer" && r.Direction != "both":
		return nil, invalid("a rule's direction is request, answer or both")
	case len(r.Classes) == 0 && r.Pattern == "":
		return nil, invalid("a rule names classes, or a pattern of its own")
	case len(r.Classes) > 100 || len(r.Agent)+len(r.Team)+len(r.Environment) > 300:
		return nil, invalid("a rule has at most 100 classes, and names of at most 100 bytes")
	case strings.TrimSpace(r.Reason) == "" || len(r.Reason) > 1000:
		return nil, invalid("a rule says why it is there, in at most 1,000 bytes")
	}
	if r.Pattern != "" {
		p, err := compile("custom."+r.Name, r.Pattern)
		if err != nil {
			return nil, err
		}
		c.pattern = p
	}
	return c, nil
}

// compile reads an expression of the house's own. A stream holds back what it
// may match, so nothing in it may go on for ever.
func compile(class, text string) (*pattern, error) {
	bad := func(why string, args ...any) *fault.Error {
		return fault.New(fault.KindInvalid, "content.pattern", "the pattern "+why, args...)
	}
	if len(text) > maxPattern {
		return nil, bad("is longer than %d bytes", maxPattern)
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, bad("cannot be read: %v", err).WithHint("it is an RE2 expression, without look-around and back-references")
	}
	p := &pattern{class: class, longest: longest(tree)}
	if p.longest > lookahead || p.longest == 0 {
		return nil, bad("matches nothing, or more than %d bytes", lookahead).WithHint("write {1,40} where + or * stands; . and what is not ASCII count four bytes")
	}
	if p.re, err = regexp.Compile(text); err != nil {
		return nil, bad("cannot be read: %v", err)
	}
	if p.re.MatchString("") {
		return nil, bad("matches the empty text").WithHint("write {1,40} where {0,40} or ? stands")
	}
	return p, nil
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "content.invalid", format, args...)
}

// For is the plan for an agent: at least for keys of ours, which are looked for
// everywhere. It takes no lock.
func (s *Set) For(agent, team, environment string) *Plan {
	if s == nil {
		return nil
	}
	b := s.all.Load()
	at := scope{agent: agent, team: team, environment: environment}
	if p, ok := b.plans.Load(at); ok {
		return p.(*Plan)
	}
	return b.keep(at, s.plan(b, at, nil))
}

// Redacting is For with what policy's obligations want redacted of requests
// besides. A class that nothing is known to find by is a fault: the call must be
// denied.
func (s *Set) Redacting(agent, team, environment string, classes []string) (*Plan, error) {
	if len(classes) == 0 {
		return s.For(agent, team, environment), nil
	}
	b := s.all.Load()
	at := scope{agent, team, environment, strings.Join(classes, "\x00")}
	if p, ok := b.plans.Load(at); ok {
		return p.(*Plan), nil
	}
	for _, c := range classes {
		if !known(c, b.patterns) {
			return nil, classFault(c)
		}
	}
	return b.keep(at, s.plan(b, at, classes)), nil
}

func (b *book) keep(at scope, p *Plan) *Plan {
	if b.made.Load() < maxPlans {
		if old, there := b.plans.LoadOrStore(at, p); there {
			return old.(*Plan)
		}
		b.made.Add(1)
	}
	return p
}

// plan gathers the rules that are for a scope.
func (s *Set) plan(b *book, at scope, redact []string) *Plan {
	p := &Plan{set: s}
	fits := func(want, have string) bool { return want == "" || want == have }
	for _, r := range b.rules {
		if !fits(r.Agent, at.agent) || !fits(r.Team, at.team) || !fits(r.Environment, at.environment) {
			continue
		}
		u := use{classes: r.Classes, name: r.Name, action: r.action}
		if r.pattern != nil {
			u.classes = append(slices.Clone(r.Classes), r.pattern.class)
		}
		if r.Direction != "answer" {
			p.request.rules = append(p.request.rules, u)
		}
		if r.Direction != "request" {
			p.answer.rules = append(p.answer.rules, u)
		}
	}
	if len(redact) > 0 {
		p.request.rules = append(p.request.rules, use{classes: redact, name: "policy", action: Redact})
	}
	p.request.complete(b)
	p.answer.complete(b)
	return p
}

func (s *side) complete(b *book) {
	slices.SortStableFunc(s.rules, func(x, y use) int { return cmp.Compare(y.action, x.action) })
	want := []string{OwnKeys}
	for _, u := range s.rules {
		want = append(want, u.classes...)
		s.holds = s.holds || u.action >= Redact
	}
	slices.Sort(want)
	want = slices.Compact(want)
	s.own = len(want) == 1
	s.engine = b.engine(want)
}

func (b *book) engine(classes []string) *engine {
	key := strings.Join(classes, "\x00")
	if e, ok := b.engines.Load(key); ok {
		return e.(*engine)
	}
	e, err := newEngine(classes, b.patterns)
	if err != nil {
		panic(err) // of data that is part of the program, which a test reads
	}
	old, _ := b.engines.LoadOrStore(key, e)
	return old.(*engine)
}

// List is all rules by name.
func (s *Set) List() []client.ContentRule {
	b := s.all.Load()
	out := make([]client.ContentRule, len(b.rules))
	for i, r := range b.rules {
		out[i] = r.ContentRule
	}
	return out
}

// Get is a rule by name.
func (s *Set) Get(name string) (client.ContentRule, error) {
	if r := s.all.Load().find(name); r != nil {
		return r.ContentRule, nil
	}
	return client.ContentRule{}, notFound(name)
}

func (b *book) find(name string) *rule {
	for _, r := range b.rules {
		if r.Name == name {
			return r
		}
	}
	return nil
}

func notFound(name string) error {
	return fault.New(fault.KindNotFound, "content.not_found", "there is no content rule %.60s", name).WithHint("`reeve content list` lists them")
}

// Actor is who asks for a change; the API has checked the role.
type Actor struct{ Person, Via string }

// Put makes or replaces a rule; Revision is the one that was read, 0 to make a
// new one. It is in force for the next call.
func (s *Set) Put(ctx context.Context, who Actor, r client.ContentRule) (client.ContentRule, error) {
	if r.Direction == "" {
		r.Direction = "both"
	}
	s.changes.Lock()
	defer s.changes.Unlock()
	b := s.all.Load()
	old := b.find(r.Name)
	switch {
	case old == nil && r.Revision != 0:
		return r, notFound(r.Name)
	case old != nil && r.Revision != old.Revision:
		return r, fault.New(fault.KindConflict, "content.revision", "content rule %s is at revision %d, not %d", r.Name, old.Revision, r.Revision).
			WithHint("read it again and repeat the change")
	case old == nil && len(b.rules) >= maxRules:
		return r, fault.New(fault.KindExhausted, "content.too_many", "there are %d content rules already", maxRules)
	}
	r.Revision++
	r.UpdatedAt = s.now().UTC().Truncate(time.Microsecond)
	next, err := newBook(append(b.others(r.Name), r))
	if err != nil {
		return r, err
	}
	body, err := json.Marshal(r)
	if err != nil {
		return r, err
	}
	return r, s.db.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO content_rules (name, body, revision, created_at, updated_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET body = excluded.body, revision = excluded.revision, updated_at = excluded.updated_at`,
			r.Name, string(body), r.Revision, control.Micros(r.UpdatedAt), control.Micros(r.UpdatedAt)); err != nil {
			return err
		}
		tx.AfterCommit(func() { s.all.Store(next) })
		return record(ctx, tx, who, "admin.content_rule_put", "put", r.Name, r.Reason, old, &r)
	})
}

// others are all rules but one.
func (b *book) others(name string) (out []client.ContentRule) {
	for _, r := range b.rules {
		if r.Name != name {
			out = append(out, r.ContentRule)
		}
	}
	return out
}

// Delete removes a rule.
func (s *Set) Delete(ctx context.Context, who Actor, name string) error {
	s.changes.Lock()
	defer s.changes.Unlock()
	b := s.all.Load()
	old := b.find(name)
	if old == nil {
		return notFound(name)
	}
	next, err := newBook(b.others(name))
	if err != nil {
		return err // another rule names its pattern
	}
	return s.db.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM content_rules WHERE name = ?`, name); err != nil {
			return err
		}
		tx.AfterCommit(func() { s.all.Store(next) })
		return record(ctx, tx, who, "admin.content_rule_deleted", "delete", name, "", old, nil)
	})
}

func record(ctx context.Context, tx *control.Tx, who Actor, kind, action, name, reason string, old *rule, now *client.ContentRule) error {
	r := audit.Record{Kind: kind, Person: who.Person, Via: who.Via, Action: action, Object: name, Reason: reason}
	if old != nil {
		r.Before = old.ContentRule
	}
	if now != nil {
		r.After = *now
	}
	if err := audit.Append(ctx, tx, r); err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: "content_rule.updated", Object: name})
}

// Try says what the rules find in a text and what would become of it. No key
// dies of it.
func (s *Set) Try(req client.TryContentRequest) (client.TriedContent, error) {
	b := s.all.Load()
	p := (&Set{}).plan(b, scope{agent: req.Agent, team: req.Team, environment: req.Environment}, nil)
	d := &p.request
	if req.Answer {
		d = &p.answer
	}
	if req.All {
		d.engine = b.engine([]string{"custom", "pii", "secret"})
		d.own = false
	}
	out := client.TriedContent{Found: []client.ContentFound{}}
	text := []byte(req.Text)
	list := p.scan(d, text)
	for _, m := range list {
		f := client.ContentFound{Class: m.class, Action: "none", Start: m.rawStart, End: m.rawEnd}
		name, a := d.rule(m.class)
		if f.Rule = name; name != "" || m.class == OwnKeys {
			f.Action = a.String()
		}
		out.Blocked = out.Blocked || name != "" && a == Block
		out.Found = append(out.Found, f)
	}
	out.Stored = string(p.redact(d, text, list, RedactStore))
	if !out.Blocked {
		out.Forwarded = string(p.redact(d, text, list, Redact))
	}
	return out, nil
}

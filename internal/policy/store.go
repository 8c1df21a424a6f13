package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// StoreOptions are what a Store needs; DB and Engine are required.
type StoreOptions struct {
	DB     *control.DB
	Engine *Engine
	// Dir is a folder of policies that are files; "" for none. See files.go.
	Dir string
	// AgentTeam and Upstream find what policies name; nil knows nothing, and
	// then nothing that a team's policy names is accepted.
	AgentTeam func(name string) (team string, ok bool)
	Upstream  func(name string) (team string, shared, ok bool)
	// Tools checks the argument paths of statements about tools; nil checks none.
	Tools Tools
	// Changed is told of each new version of the set once it is in force.
	Changed func(version int64)
	Logger  *slog.Logger     // nil discards
	Now     func() time.Time // nil is time.Now
}

// Store keeps the policies: named documents with all their revisions in the
// control database, and the set in force in an Engine.
type Store struct {
	o StoreOptions
	c *Compiler

	change sync.Mutex // one writer, so that the set is swapped in the order of commits
	set    atomic.Pointer[set]
	files  fileState // guarded by change
}

// set is every policy by name; it never changes.
type set struct {
	version int64
	all     map[string]*Policy
}

// Policy is a document as it is kept. The values are shared: do not change them.
type Policy struct {
	Document
	Origin     string // OriginStarter, OriginAPI, OriginFile
	Reason     string // why this revision was made
	Author     string
	Revision   int64
	CreatedAt  time.Time
	UpdatedAt  time.Time
	Statements []Statement
}

// Where a policy comes from.
const (
	OriginStarter = "starter" // came with Reeve; becomes OriginAPI when edited
	OriginAPI     = "api"
	OriginFile    = "file" // read-only here: its file is the truth
)

// The modes.
const (
	ModeObserve = "observe"
	ModeEnforce = "enforce"
)

// Mode is observe or enforce.
func (d *Document) Mode() string {
	if d.Observe {
		return ModeObserve
	}
	return ModeEnforce
}

// Revision is a policy as it was at one time.
type Revision struct {
	Document
	Origin   string
	Revision int64
	Version  int64 // of the set that it began
	At       time.Time
	Author   string
	Action   string // create, edit, mode, restore, delete
	Reason   string
}

// Actor is who asks for a change.
type Actor struct {
	Person string // id, or "dev", "setup"
	Via    string // the sign-in or token, by id
	Name   string // as revisions show it
	Token  bool   // a program with a token, not a person
	// Can reports whether the actor has a role for a team and environment; "*"
	// stands for all of them.
	Can func(role, team, environment string) bool
	// Some reports whether the actor has a role for a team in some environment.
	Some func(role, team string) bool
}

const (
	maxPolicies      = 5000
	maxSetStatements = 50_000
	maxReason        = 1000
	everything       = "*"
)

// NewStore reads the policies, seeds the starters the first time, reads the
// files and puts the set in force. Run follows the files.
func NewStore(ctx context.Context, o StoreOptions) (*Store, error) {
	if o.DB == nil || o.Engine == nil {
		return nil, errors.New("the store of policies needs a database and an engine")
	}
	if o.AgentTeam == nil {
		o.AgentTeam = func(string) (string, bool) { return "", false }
	}
	if o.Upstream == nil {
		o.Upstream = func(string) (string, bool, bool) { return "", false, false }
	}
	if o.Changed == nil {
		o.Changed = func(int64) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c, err := NewCompiler()
	if err != nil {
		return nil, err
	}
	s := &Store{o: o, c: c}
	s.change.Lock()
	defer s.change.Unlock()
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	if s.set.Load().version == 0 {
		if err := s.seed(ctx); err != nil {
			return nil, err
		}
	}
	// A set of files that cannot be read is no set: starting without its forbids
	// would let pass what they refuse.
	return s, s.reload(ctx)
}

const policyColumns = `name, team, guardrail, mode, origin, cedar, reason, author, revision, created_at, updated_at FROM policies`

func scanPolicy(r control.Row) (*Policy, error) {
	p := &Policy{}
	var mode string
	var created, updated int64
	err := r.Scan(&p.Name, &p.Team, &p.Guardrail, &mode, &p.Origin, &p.Cedar, &p.Reason, &p.Author, &p.Revision, &created, &updated)
	p.Observe, p.CreatedAt, p.UpdatedAt = mode == ModeObserve, control.Time(created), control.Time(updated)
	return p, err
}

// load reads what is stored and puts it in force; change is held.
func (s *Store) load(ctx context.Context) error {
	all, err := control.All(ctx, s.o.DB, scanPolicy, `SELECT `+policyColumns)
	if err != nil {
		return fmt.Errorf("reading the policies: %w", err)
	}
	version, _, err := control.One(ctx, s.o.DB, func(r control.Row) (v int64, err error) { return v, r.Scan(&v) }, `SELECT coalesce(max(version), 0) FROM policy_revisions`)
	if err != nil {
		return fmt.Errorf("reading the policies: %w", err)
	}
	n := &set{version: version, all: make(map[string]*Policy, len(all))}
	for _, p := range all {
		if p.Statements, err = s.c.Compile(p.Document); err != nil {
			return fmt.Errorf("reading policy %s: %w", p.Name, err)
		}
		n.all[p.Name] = p
	}
	s.publish(n)
	return nil
}

// publish puts a committed set in force; change is held.
func (s *Store) publish(n *set) {
	s.set.Store(n)
	s.o.Engine.Replace(n.version, n.statements())
	s.o.Changed(n.version)
}

// statements are the whole set's, guardrails first, then by name: the order in
// which a decision lists its reasons.
func (n *set) statements() []Statement {
	all := slices.SortedFunc(maps.Values(n.all), byStanding)
	total := 0
	for _, p := range all {
		total += len(p.Statements)
	}
	out := make([]Statement, 0, total)
	for _, p := range all {
		out = append(out, p.Statements...)
	}
	return out
}

func byStanding(a, b *Policy) int {
	if a.Guardrail != b.Guardrail {
		if a.Guardrail {
			return -1
		}
		return 1
	}
	return cmp.Compare(a.Name, b.Name)
}

// with is the set with one policy changed; nil takes it out.
func (n *set) with(name string, p *Policy) *set {
	all := maps.Clone(n.all)
	delete(all, name)
	if p != nil {
		all[name] = p
	}
	return &set{all: all}
}

// fits refuses a set that grew too large.
func (n *set) fits() error {
	total := 0
	for _, p := range n.all {
		total += len(p.Statements)
	}
	if len(n.all) > maxPolicies || total > maxSetStatements {
		return fault.New(fault.KindExhausted, "policy.too_many", "a set has at most %d policies and %d statements", maxPolicies, maxSetStatements)
	}
	return nil
}

// Refresh reads the policies again when the database has a later set than this
// process: another one changed it.
func (s *Store) Refresh(ctx context.Context, version int64) error {
	s.change.Lock()
	defer s.change.Unlock()
	if version <= s.set.Load().version {
		return nil
	}
	return s.load(ctx)
}

// Engine has the set in force.
func (s *Store) Engine() *Engine { return s.o.Engine }

// Version is the number of the set in force.
func (s *Store) Version() int64 { return s.set.Load().version }

// Get finds a policy by name.
func (s *Store) Get(name string) (*Policy, bool) {
	p, ok := s.set.Load().all[name]
	return p, ok
}

// List is all policies, guardrails first, then by name.
func (s *Store) List() []*Policy {
	return slices.SortedFunc(maps.Values(s.set.Load().all), byStanding)
}

// Compile checks a document as Put would, and keeps nothing.
func (s *Store) Compile(d Document) ([]Statement, error) {
	if err := checkDocument(&d); err != nil {
		return nil, err
	}
	statements, err := s.c.Compile(d)
	if err != nil {
		return nil, err
	}
	if err := s.own(&d, statements); err != nil {
		return statements, err
	}
	return statements, s.arguments(&d, statements)
}

var documentName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// reserved are words that stand where a policy's name does in the API.
var reserved = []string{"check", "simulate", "propose", "validate", "would"}

func checkDocument(d *Document) error {
	bad := func(format string, args ...any) *fault.Error {
		return fault.New(fault.KindInvalid, "policy.invalid", format, args...)
	}
	switch {
	case !documentName.MatchString(d.Name) || slices.Contains(reserved, d.Name):
		return bad("%.70q cannot name a policy", d.Name).WithHint("lower-case letters, digits and . _ -, at most 64, a letter or digit first, and none of %s", strings.Join(reserved, ", "))
	case d.Guardrail && d.Team != "":
		return bad("a guardrail is for everybody, not for team %.64q", d.Team)
	case len(d.Team) > 64 || strings.ContainsAny(d.Team, "*\r\n\x00"):
		return bad("%.70q is no team", d.Team)
	}
	return nil
}

// may refuses an actor who may not bring a document into being, or end it.
// Observing refuses nobody anything, so a team's developers may propose; what is
// in force belongs to security, and guardrails to people with their own hands.
// Who calls asks the second person that a guardrail needs.
func may(who Actor, d *Document) error {
	denied := func(role string) error {
		of := "everybody"
		if d.Team != "" {
			of = "team " + d.Team
		}
		return fault.New(fault.KindDenied, "policy.denied", "this needs the role %s for %s", role, of).WithHint("an admin can grant it")
	}
	switch {
	case d.Guardrail && who.Token:
		return fault.New(fault.KindDenied, "policy.person_only", "a token does not change guardrails").WithHint("sign in as a person")
	case d.Team == "":
		if !who.Can("security", everything, everything) {
			return denied("security")
		}
	case who.Can("security", d.Team, everything):
	case !d.Observe:
		return denied("security")
	case !who.Some("developer", d.Team):
		return denied("developer")
	}
	return nil
}

// Change is a document as somebody wants it. Revision is the one that was read,
// 0 for a new policy.
type Change struct {
	Document
	Revision int64
	Reason   string
}

// Put makes or replaces a policy.
func (s *Store) Put(ctx context.Context, who Actor, in Change) (*Policy, error) {
	return s.put(ctx, who, in, "")
}

func (s *Store) put(ctx context.Context, who Actor, in Change, action string) (*Policy, error) {
	statements, err := s.Compile(in.Document)
	if err != nil {
		return nil, err
	}
	s.change.Lock()
	defer s.change.Unlock()
	old, ok := s.Get(in.Name)
	switch {
	case !ok && in.Revision != 0:
		return nil, notFound(in.Name)
	case ok && in.Revision != old.Revision:
		return nil, conflict(old)
	}
	if action == "" {
		action = "edit"
		if !ok {
			action = "create"
		}
	}
	if ok {
		if err := changeable(who, old); err != nil {
			return nil, err
		}
	}
	if err := may(who, &in.Document); err != nil {
		return nil, err
	}
	p := &Policy{Document: in.Document, Origin: OriginAPI, Reason: in.Reason, Statements: statements}
	return p, s.save(ctx, who, change{name: in.Name, action: action, reason: in.Reason, old: old, now: p})
}

// changeable refuses a change of what a file says, or of what the actor may not
// touch.
func changeable(who Actor, old *Policy) error {
	if old.Origin == OriginFile {
		return fault.New(fault.KindConflict, "policy.from_file", "policy %s is a file of the server", old.Name).
			WithHint("change the file; the server reads it within a second")
	}
	return may(who, &old.Document)
}

func notFound(name string) error {
	return fault.New(fault.KindNotFound, "policy.not_found", "there is no policy %.64s", name).WithHint("`reeve policy list` lists them")
}

func conflict(old *Policy) error {
	return fault.New(fault.KindConflict, "policy.revision", "policy %s is at revision %d", old.Name, old.Revision).
		WithHint("read it again and repeat the change")
}

// SetMode puts a policy in observe or enforce.
func (s *Store) SetMode(ctx context.Context, who Actor, name, mode, reason string) (*Policy, error) {
	if mode != ModeObserve && mode != ModeEnforce {
		return nil, fault.New(fault.KindInvalid, "policy.invalid", "a mode is observe or enforce")
	}
	s.change.Lock()
	defer s.change.Unlock()
	old, ok := s.Get(name)
	if !ok {
		return nil, notFound(name)
	}
	if old.Mode() == mode {
		return nil, fault.New(fault.KindConflict, "policy.mode", "policy %s is in %s already", name, mode)
	}
	enforced := old.Document // loosening and tightening both concern what is in force
	enforced.Observe = false
	if err := changeable(who, &Policy{Document: enforced, Origin: old.Origin}); err != nil {
		return nil, err
	}
	p := &Policy{Document: old.Document, Origin: old.Origin, Reason: reason}
	p.Observe = mode == ModeObserve
	statements, err := s.c.Compile(p.Document)
	if err != nil {
		return nil, err
	}
	p.Statements = statements
	return p, s.save(ctx, who, change{name: name, action: "mode", reason: reason, old: old, now: p})
}

// Delete ends a policy; its revisions stay. Revision 0 takes any.
func (s *Store) Delete(ctx context.Context, who Actor, name string, revision int64, reason string) error {
	s.change.Lock()
	defer s.change.Unlock()
	old, ok := s.Get(name)
	if !ok {
		return notFound(name)
	}
	if revision != 0 && revision != old.Revision {
		return conflict(old)
	}
	if err := changeable(who, old); err != nil {
		return err
	}
	return s.save(ctx, who, change{name: name, action: "delete", reason: reason, old: old})
}

// Restore makes a policy again what it was at a revision, deleted ones too.
func (s *Store) Restore(ctx context.Context, who Actor, name string, revision int64, reason string) (*Policy, error) {
	was, ok, err := control.One(ctx, s.o.DB, scanRevision, `SELECT `+revisionColumns+` WHERE policy = ? AND revision = ?`, name, revision)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.KindNotFound, "policy.no_revision", "policy %.64s has no revision %d", name, revision)
	}
	c := Change{Document: was.Document, Reason: reason}
	if old, ok := s.Get(name); ok {
		c.Revision = old.Revision
	}
	return s.put(ctx, who, c, "restore")
}

// change is one policy's next state; now is nil for its end.
type change struct {
	name, action, reason string
	old, now             *Policy
}

// save commits changes as one new version of the set and puts it in force;
// change is held.
func (s *Store) save(ctx context.Context, who Actor, changes ...change) error {
	for _, c := range changes {
		if len(c.reason) > maxReason || strings.ContainsFunc(c.reason, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fault.New(fault.KindInvalid, "policy.invalid", "a reason is a line of at most %d bytes", maxReason)
		}
	}
	next := s.set.Load()
	for _, c := range changes {
		next = next.with(c.name, c.now)
	}
	if err := next.fits(); err != nil {
		return err
	}
	now := s.o.Now().UTC().Truncate(time.Microsecond)
	return s.o.DB.Write(ctx, func(tx *control.Tx) (err error) {
		if next.version, err = tx.Next(ctx, "policy_set"); err != nil {
			return err
		}
		for _, c := range changes {
			if err := write(ctx, tx, who, c, next.version, now); err != nil {
				return err
			}
		}
		tx.AfterCommit(func() { s.publish(next) })
		return nil
	})
}

// write brings one change, its revision, its audit record and its event into tx.
func write(ctx context.Context, tx *control.Tx, who Actor, c change, version int64, now time.Time) error {
	last, _, err := control.One(ctx, tx, func(r control.Row) (v int64, err error) { return v, r.Scan(&v) },
		`SELECT coalesce(max(revision), 0) FROM policy_revisions WHERE policy = ?`, c.name)
	if err != nil {
		return err
	}
	shown := c.now
	if shown == nil {
		shown = c.old
	}
	if p := c.now; p != nil {
		p.Revision, p.Author, p.UpdatedAt, p.CreatedAt = last+1, who.Name, now, now
		if c.old != nil {
			p.CreatedAt = c.old.CreatedAt
		}
		_, err = tx.Exec(ctx, `INSERT INTO policies (name, team, guardrail, mode, origin, cedar, reason, author, revision, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET team = excluded.team, guardrail = excluded.guardrail, mode = excluded.mode, origin = excluded.origin, cedar = excluded.cedar,
			reason = excluded.reason, author = excluded.author, revision = excluded.revision, updated_at = excluded.updated_at`,
			p.Name, p.Team, flag(p.Guardrail), p.Mode(), p.Origin, p.Cedar, p.Reason, p.Author, p.Revision, control.Micros(p.CreatedAt), control.Micros(now))
	} else {
		_, err = tx.Exec(ctx, `DELETE FROM policies WHERE name = ?`, c.name)
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO policy_revisions (policy, revision, version, at, author, action, reason, team, guardrail, mode, origin, cedar) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		c.name, last+1, version, control.Micros(now), who.Name, c.action, c.reason, shown.Team, flag(shown.Guardrail), shown.Mode(), shown.Origin, shown.Cedar); err != nil {
		return err
	}
	kind := "admin.policy_updated"
	switch {
	case c.now == nil:
		kind = "admin.policy_deleted"
	case c.old == nil:
		kind = "admin.policy_created"
	}
	if err := audit.Append(ctx, tx, audit.Record{
		Kind: kind, Person: who.Person, Via: who.Via, Action: c.action, Object: c.name, Reason: c.reason, Before: state(c.old), After: state(c.now),
	}); err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: "policy.updated", Object: c.name})
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// state is a policy as the audit log keeps it.
func state(p *Policy) any {
	if p == nil {
		return nil
	}
	return map[string]any{"team": p.Team, "guardrail": p.Guardrail, "mode": p.Mode(), "origin": p.Origin, "cedar": p.Cedar, "revision": p.Revision}
}

const revisionColumns = `policy, revision, version, at, author, action, reason, team, guardrail, mode, origin, cedar FROM policy_revisions`

func scanRevision(r control.Row) (v Revision, err error) {
	var at int64
	var mode string
	err = r.Scan(&v.Name, &v.Revision, &v.Version, &at, &v.Author, &v.Action, &v.Reason, &v.Team, &v.Guardrail, &mode, &v.Origin, &v.Cedar)
	v.At, v.Observe = control.Time(at), mode == ModeObserve
	return v, err
}

// Revisions lists what a policy was, the newest first, at most 1,000; also of a
// deleted one.
func (s *Store) Revisions(ctx context.Context, name string) ([]Revision, error) {
	all, err := control.All(ctx, s.o.DB, scanRevision, `SELECT `+revisionColumns+` WHERE policy = ? ORDER BY revision DESC LIMIT 1000`, name)
	if err == nil && len(all) == 0 {
		err = notFound(name)
	}
	return all, err
}

// SetAt is the documents of the set that had a version.
func (s *Store) SetAt(ctx context.Context, version int64) ([]Document, error) {
	rows, err := control.All(ctx, s.o.DB, scanRevision, `SELECT `+revisionColumns+` AS r WHERE version <= ? AND action <> 'delete'
		AND revision = (SELECT max(revision) FROM policy_revisions AS x WHERE x.policy = r.policy AND x.version <= ?) ORDER BY policy`, version, version)
	if err != nil {
		return nil, err
	}
	out := make([]Document, len(rows))
	for i := range rows {
		out[i] = rows[i].Document
	}
	return out, nil
}

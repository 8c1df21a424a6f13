package pin

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Actor is who asks for a change; the API has checked the role.
type Actor struct{ Person, Via string }

// Acceptance is what a person says about a tool when they accept it.
type Acceptance struct {
	Hash        string // of the definition that they were shown
	Effect      string // "" leaves it unknown, which counts as destructive
	Classes     []string
	Paths       Paths
	Vouches     bool     // see Pin
	Acknowledge []string // codes of the serious findings that they saw
	Reason      string
}

// View is all that is known of a tool.
type View struct {
	Pin
	Definition Tool
	Findings   []Finding
	FirstSeen  time.Time
	ChangedAt  time.Time
	LastSeen   time.Time
	AcceptedAt time.Time
	AcceptedBy string
	Revision   int64
}

func (e *entry) view() View {
	return View{e.Pin, e.definition, e.findings, e.firstSeen, e.changedAt, e.lastSeen, e.acceptedAt, e.acceptedBy, e.revision}
}

// List is all tools, by upstream and name.
func (b *Book) List() []View {
	c := b.all.Load()
	out := make([]View, 0, c.count)
	for _, of := range c.upstreams {
		for _, e := range of {
			out = append(out, e.view())
		}
	}
	slices.SortFunc(out, func(x, y View) int { return cmp.Or(cmp.Compare(x.Upstream, y.Upstream), cmp.Compare(x.Tool, y.Tool)) })
	return out
}

// Count is how many tools are accepted, and how many wait for a person.
func (b *Book) Count() (accepted, held int) {
	for _, of := range b.all.Load().upstreams {
		for _, e := range of {
			if e.State == Accepted {
				accepted++
			} else {
				held++
			}
		}
	}
	return accepted, held
}

// Get is a tool.
func (b *Book) Get(upstream, tool string) (View, error) {
	if e := b.all.Load().upstreams[upstream][tool]; e != nil {
		return e.view(), nil
	}
	return View{}, notFound(upstream, tool)
}

func notFound(upstream, tool string) error {
	return fault.New(fault.KindNotFound, "pin.not_found", "no server listed the tool %.80s of upstream %.60s", tool, upstream).WithHint("`reeve tool list` lists them")
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "pin.invalid", format, args...)
}

var classForm = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+){0,7}$`)

const (
	maxClasses = 50
	maxPaths   = 50 // of a tool
	maxReason  = 1000
)

// check refuses what a person says about a tool where it cannot be.
func (a *Acceptance) check(e *entry) error {
	switch {
	case a.Effect != "" && !slices.Contains(effects, a.Effect):
		return invalid("a tool's effect is think, read, write or destructive")
	case len(a.Classes) > maxClasses || len(a.Paths.all()) > maxPaths:
		return invalid("a tool has at most %d data classes and %d paths", maxClasses, maxPaths)
	case strings.TrimSpace(a.Reason) == "" || len(a.Reason) > maxReason:
		return invalid("say why, in at most %d bytes", maxReason)
	}
	for _, c := range a.Classes {
		if len(c) > 100 || !classForm.MatchString(c) {
			return invalid("%.60q cannot name a data class", c).WithHint("use lower-case words with dots between, as pii.email")
		}
	}
	shape := shapeOf(e.definition.InputSchema)
	for _, p := range a.Paths.all() {
		if !shape.Has(p) {
			return fault.New(fault.KindInvalid, "pin.path", "the tool's schema has no argument at %.100q", p).
				WithHint("write a JSON Pointer such as /to or /items/*/price")
		}
	}
	return nil
}

// Accept puts the definition that a person was shown in force, with what they
// say about it. It fails with pin.conflict when the server lists another one by
// now.
func (b *Book) Accept(ctx context.Context, who Actor, upstream, tool string, a Acceptance) (View, error) {
	b.changes.Lock()
	defer b.changes.Unlock()
	c := b.all.Load()
	old := c.upstreams[upstream][tool]
	if old == nil {
		return View{}, notFound(upstream, tool)
	}
	e, err := b.accepted(old, who, a)
	if err != nil {
		return View{}, err
	}
	next := append([]*entry{e}, b.named(c, e)...)
	if err := b.save(ctx, c, next, e.act(who, "admin.tool_accepted", "accept", a.Reason, old)); err != nil {
		return View{}, err
	}
	return e.view(), nil
}

// accepted is an entry as a person accepts it.
func (b *Book) accepted(old *entry, who Actor, a Acceptance) (*entry, error) {
	e := *old
	switch {
	case a.Hash != e.Listed:
		return nil, fault.New(fault.KindConflict, "pin.conflict", "the server lists another definition of %s than the one that was shown", e.Tool).
			WithHint("look at it again: reeve tool diff %s %s", e.Upstream, e.Tool)
	case e.has(Unreadable):
		return nil, fault.New(fault.KindConflict, "pin.unreadable", "the definition of %s is too large or cannot be read in one way only: it cannot be accepted", e.Tool)
	}
	if err := a.check(&e); err != nil {
		return nil, err
	}
	for _, f := range e.findings {
		if Serious(f.Code) && !slices.Contains(a.Acknowledge, f.Code) {
			return nil, fault.New(fault.KindConflict, "pin.acknowledge", "%s: %s", e.Tool, f.Text).
				WithHint("if that is as it should be, say so: --acknowledge %s", f.Code)
		}
	}
	e.Effect, e.Classes, e.Paths, e.Vouches = a.Effect, sorted(a.Classes), a.Paths, a.Vouches
	e.accept(b.o.Now().UTC().Truncate(time.Microsecond), who.Person)
	return &e, nil
}

func sorted(list []string) []string {
	out := slices.Clone(list)
	slices.Sort(out)
	return slices.Compact(out)
}

// named are the accepted tools of other upstreams whose texts name the one that
// was accepted now: nobody saw that when they were.
func (b *Book) named(c *catalogue, e *entry) (out []*entry) {
	for _, o := range c.mentions[e.folded] {
		f := Finding{
			Code: Mentions, Text: "its text names the tool " + Visible(e.Tool) + " of upstream " + e.Upstream, Detail: e.Upstream + "/" + e.Tool,
			Hash: o.Listed, At: b.o.Now().UTC().Truncate(time.Microsecond),
		}
		if o.Upstream == e.Upstream || o.State != Accepted || slices.Contains(o.agreed, f.key()) {
			continue
		}
		held := *o
		held.hold(f)
		out = append(out, &held)
	}
	return out
}

// state is what an audit record keeps of an entry.
func (e *entry) state() map[string]any {
	return map[string]any{
		"upstream": e.Upstream, "tool": e.Tool, "state": e.State, "accepted": e.Hash, "listed": e.Listed, "effect": e.Effect,
		"classes": e.Classes, "paths": e.Paths, "vouches": e.Vouches, "agreed": e.agreed,
	}
}

func (e *entry) act(who Actor, kind, action, reason string, old *entry) audit.Record {
	return audit.Record{
		Kind: kind, Person: who.Person, Via: who.Via, Action: action, Object: e.Upstream + "/" + e.Tool, Reason: reason,
		Before: old.state(), After: e.state(),
	}
}

// Digest names what an upstream lists and what waits, so that whoever accepts
// all of it accepts what they saw.
func (b *Book) Digest(upstream string) string { return b.all.Load().digest(upstream) }

func (c *catalogue) digest(upstream string) string {
	h := sha256.New()
	of := c.upstreams[upstream]
	names := make([]string, 0, len(of))
	for name := range of {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		h.Write([]byte(name + "\x00" + of[name].Listed + "\x00" + of[name].State + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// AcceptAll accepts every tool of an upstream that waits and has no serious
// finding; digest is that of what was shown. With suggested the effects, classes
// and paths that the definitions suggest are taken where nobody set any. It
// gives those that it accepted and those that still wait.
func (b *Book) AcceptAll(ctx context.Context, who Actor, upstream, digest, reason string, suggested bool) (accepted, waiting []View, err error) {
	b.changes.Lock()
	defer b.changes.Unlock()
	c := b.all.Load()
	if len(c.upstreams[upstream]) == 0 {
		return nil, nil, fault.New(fault.KindNotFound, "pin.not_found", "upstream %.60s listed no tools yet", upstream).WithHint("tools are known once an agent or the door asked for them")
	}
	if c.digest(upstream) != digest {
		return nil, nil, fault.New(fault.KindConflict, "pin.conflict", "upstream %s lists other tools than those that were shown", upstream).WithHint("look again: reeve tool list --upstream %s", upstream)
	}
	var next, more []*entry
	var acts []audit.Record
	for _, old := range c.upstreams[upstream] {
		if old.State == Accepted {
			continue
		}
		if slices.ContainsFunc(old.findings, func(f Finding) bool { return Serious(f.Code) || f.Code == Unreadable }) {
			waiting = append(waiting, old.view())
			continue
		}
		a := Acceptance{Hash: old.Listed, Effect: old.Effect, Classes: old.Classes, Paths: old.Paths, Vouches: old.Vouches, Reason: reason}
		if suggested && old.Hash == "" {
			s := Suggest(&old.definition)
			a.Effect, a.Classes, a.Paths = s.Effect, s.Classes, s.Paths
		}
		// A path that the new definition does not have any more leads nowhere.
		shape := shapeOf(old.definition.InputSchema)
		gone := func(p string) bool { return !shape.Has(p) }
		a.Paths.Destination = slices.DeleteFunc(slices.Clone(a.Paths.Destination), gone)
		a.Paths.Recipient = slices.DeleteFunc(slices.Clone(a.Paths.Recipient), gone)
		a.Paths.Amount = slices.DeleteFunc(slices.Clone(a.Paths.Amount), gone)
		e, err := b.accepted(old, who, a)
		if err != nil {
			return nil, nil, err
		}
		next = append(next, e)
		more = append(more, b.named(c, e)...)
		acts = append(acts, e.act(who, "admin.tool_accepted", "accept", reason, old))
		accepted = append(accepted, e.view())
	}
	byName := func(x, y View) int { return cmp.Compare(x.Tool, y.Tool) }
	slices.SortFunc(accepted, byName)
	slices.SortFunc(waiting, byName)
	return accepted, waiting, b.save(ctx, c, append(next, distinct(more)...), acts...)
}

// distinct keeps the last entry of each tool, with the findings of all.
func distinct(list []*entry) (out []*entry) {
	for _, e := range list {
		i := slices.IndexFunc(out, func(o *entry) bool { return o.Upstream == e.Upstream && o.Tool == e.Tool })
		if i < 0 {
			out = append(out, e)
			continue
		}
		for _, f := range e.findings {
			out[i].hold(f)
		}
	}
	return out
}

// Hold makes a tool wait for a person again.
func (b *Book) Hold(ctx context.Context, who Actor, upstream, tool, reason string) (View, error) {
	if strings.TrimSpace(reason) == "" || len(reason) > maxReason {
		return View{}, invalid("say why, in at most %d bytes", maxReason)
	}
	b.changes.Lock()
	defer b.changes.Unlock()
	c := b.all.Load()
	old := c.upstreams[upstream][tool]
	if old == nil {
		return View{}, notFound(upstream, tool)
	}
	e := *old
	e.hold(Finding{Code: ByPerson, Text: "a person holds it: " + reason, Hash: e.Listed, At: b.o.Now().UTC().Truncate(time.Microsecond)})
	if err := b.save(ctx, c, []*entry{&e}, e.act(who, "admin.tool_held", "hold", reason, old)); err != nil {
		return View{}, err
	}
	return e.view(), nil
}

// Lead takes note that an upstream leads elsewhere now, or ends: what was
// accepted there was not looked at here. A tool that another server lists under
// the same name waits for a person even with the same definition.
func (b *Book) Lead(ctx context.Context, upstream string) error {
	b.changes.Lock()
	defer b.changes.Unlock()
	c := b.all.Load()
	var next []*entry
	for _, old := range c.upstreams[upstream] {
		if old.State != Accepted {
			continue
		}
		e := *old
		e.hold(Finding{Code: Moved, Text: "its upstream leads elsewhere now", Hash: e.Listed, At: b.o.Now().UTC().Truncate(time.Microsecond)})
		next = append(next, &e)
	}
	return b.save(ctx, c, next)
}

// Forget drops a tool, or with tool "" all tools of an upstream, with their
// versions: the next list has them as new.
func (b *Book) Forget(ctx context.Context, who Actor, upstream, tool, reason string) error {
	b.changes.Lock()
	defer b.changes.Unlock()
	c := b.all.Load()
	of := c.upstreams[upstream]
	if len(of) == 0 || tool != "" && of[tool] == nil {
		return notFound(upstream, tool)
	}
	where, args := "upstream = ?", []any{upstream}
	if tool != "" {
		where, args = "upstream = ? AND tool = ?", append(args, tool)
	}
	now := control.Micros(b.o.Now())
	err := b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM tools WHERE `+strings.Replace(where, "tool =", "name =", 1), args...); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM tool_versions WHERE `+where, args...); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE tool_findings SET closed_at = ?, closed_by = ?, resolution = 'forgotten' WHERE closed_at = 0 AND `+where,
			append([]any{now, who.Person}, args...)...); err != nil {
			return err
		}
		object := strings.TrimSuffix(upstream+"/"+tool, "/")
		if err := audit.Append(ctx, tx, audit.Record{Kind: "admin.tool_forgotten", Person: who.Person, Via: who.Via, Action: "forget", Object: object, Reason: reason}); err != nil {
			return err
		}
		tx.AfterCommit(func() { b.all.Store(c.without(upstream, tool)) })
		return tx.Event(ctx, control.Event{Type: "tool.updated", Object: object})
	})
	if err == nil && b.o.Changed != nil {
		b.o.Changed(upstream)
	}
	return err
}

func (c *catalogue) without(upstream, tool string) *catalogue {
	next := &catalogue{upstreams: map[string]map[string]*entry{}}
	for _, of := range c.upstreams {
		for _, e := range of {
			if e.Upstream != upstream || tool != "" && e.Tool != tool {
				next.place(e)
			}
		}
	}
	return next.index()
}

// HasPath reports for policies whether a tool's accepted schema has an argument
// at a path; known is false when nobody accepted a definition of it, and then
// nothing can be said.
func (b *Book) HasPath(upstream, tool, path string) (has, known bool) {
	e := b.all.Load().upstreams[upstream][tool]
	if e == nil || e.shape == nil {
		return false, false
	}
	return e.shape.Has(path), true
}

// Tools are the names of an upstream's tools.
func (b *Book) Tools(upstream string) []string {
	return sortedKeysOf(b.all.Load().upstreams[upstream])
}

func sortedKeysOf(m map[string]*entry) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

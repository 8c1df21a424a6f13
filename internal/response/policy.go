package response

import (
	"cmp"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"reeve/internal/agent"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/finding"
)

const (
	policyColumns = `name, body, revision, person, reason, created_at, updated_at`
	actColumns    = `id, policy, finding, agent, team, environment, state, body, at, until_at, ended_at`
)

func scanPolicy(row control.Row) (p Policy, err error) {
	var body string
	var created, updated int64
	if err := row.Scan(&p.Name, &body, &p.Revision, &p.By, &p.Reason, &created, &updated); err != nil {
		return p, err
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		return p, fault.New(fault.KindInternal, "response.stored", "a stored response policy cannot be read").WithCause(err)
	}
	p.CreatedAt, p.UpdatedAt = control.Time(created), control.Time(updated)
	return p, nil
}

func scanAct(row control.Row) (a Act, err error) {
	var body string
	var at, until, ended int64
	if err := row.Scan(&a.ID, &a.Policy, &a.Finding, &a.Agent, &a.Team, &a.Environment, &a.State, &body, &at, &until, &ended); err != nil {
		return a, err
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		return a, fault.New(fault.KindInternal, "response.stored", "a stored response cannot be read").WithCause(err)
	}
	a.At = control.Time(at)
	if until > 0 {
		a.Until = control.Time(until)
	}
	if ended > 0 {
		a.EndedAt = control.Time(ended)
	}
	return a, nil
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return control.Micros(t)
}

func (a *Act) write(ctx context.Context, tx *control.Tx) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO responses (`+actColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body, at = excluded.at, until_at = excluded.until_at, ended_at = excluded.ended_at`,
		a.ID, a.Policy, a.Finding, a.Agent, a.Team, a.Environment, a.State, string(body), control.Micros(a.At), micros(a.Until), micros(a.EndedAt))
	return err
}

func (p *Policy) write(ctx context.Context, tx *control.Tx) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO response_policies (`+policyColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET body = excluded.body, revision = excluded.revision, person = excluded.person, reason = excluded.reason, updated_at = excluded.updated_at`,
		p.Name, string(body), p.Revision, p.By, p.Reason, control.Micros(p.CreatedAt), control.Micros(p.UpdatedAt))
	return err
}

// first are the policies of a new house. They observe: a person looks at what
// they would have done, then lets them.
var first = []Policy{
	{Name: "hijack-quarantine", Text: "an agent that would send data where only a tool's result said to is quarantined", Detectors: []string{"injected_destination"}, Severity: finding.Critical, Contain: agent.Quarantined, For: 4 * time.Hour},
	{Name: "runaway-throttle", Text: "an agent in a loop, or whose run costs far more than its runs do, is throttled", Detectors: []string{"loop", "cost", "retry_storm"}, Severity: finding.Warning, Contain: agent.Throttled, For: time.Hour},
	{Name: "new-place-supervised", Text: "after a new tool or destination each write waits for a person", Detectors: []string{"new_tool", "new_destination"}, Severity: finding.Warning, Contain: agent.Supervised, For: time.Hour},
	{Name: "spent-budget-supervised", Text: "while the budget of an objective is spent, each write of its agent waits for a person; it ends when the budget recovers", Detectors: []string{"objective_spent"}, Severity: finding.Warning, Contain: agent.Supervised},
}

// seed keeps the first policies once.
func (r *Responder) seed(ctx context.Context) error {
	return r.o.DB.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Next(ctx, "response_policies_seeded")
		if err != nil || n > 1 {
			return err
		}
		now := r.o.Now().UTC().Truncate(time.Microsecond)
		for _, p := range first {
			p.Mode, p.Revision, p.By, p.Reason, p.CreatedAt, p.UpdatedAt = Observe, 1, "reeve", "what a new house begins with", now, now
			if err := p.write(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// Actor is who changes a policy. Can reports whether they have a role for a team
// and an environment ("*": all).
type Actor struct {
	Person, Name, Via string
	Can               func(role, team, environment string) bool
}

func (who *Actor) may(team, environment string) error {
	team, environment = cmp.Or(team, "*"), cmp.Or(environment, "*")
	if who.Can != nil && who.Can("security", team, environment) {
		return nil
	}
	return fault.New(fault.KindDenied, "response.denied", "a response policy needs the role security for team %q in %q", team, environment).WithHint("an admin can grant it")
}

var nameShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func (p *Policy) check() error {
	bad := func(format string, args ...any) error {
		return fault.New(fault.KindInvalid, "response.invalid", format, args...)
	}
	line := func(s string) bool {
		return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
	}
	switch {
	case !nameShape.MatchString(p.Name):
		return bad("a response policy's name has 1 to 63 of a-z, 0-9 and hyphens")
	case level(p.Contain) < 1:
		return bad("a response policy contains: %s", strings.Join(agent.Containments()[1:], ", "))
	case p.Severity != "" && !slices.Contains(finding.Severities(), p.Severity):
		return bad("a severity is info, warning or critical")
	case p.Mode != Observe && p.Mode != Enforce:
		return bad("a mode is observe or enforce")
	case p.For != 0 && (p.For < time.Minute || p.For > 30*24*time.Hour):
		return bad("for is from a minute to 30 days, or left out: until a person ends it")
	case len(p.Text) > 400 || !line(p.Text) || len(p.Reason) > 800 || !line(p.Reason) || !line(p.Team+p.Environment+strings.Join(p.Agents, "")+strings.Join(p.Detectors, "")):
		return bad("text is a line of at most 400 bytes, and the reason one of at most 800")
	case len(p.Detectors) > 100 || len(p.Agents) > 500:
		return bad("at most 100 detectors and 500 agents")
	}
	return nil
}

// Policies lists them by name.
func (r *Responder) Policies() []Policy {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]Policy, 0, len(r.policies))
	for _, p := range r.policies {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(x, y Policy) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// Put keeps a policy: security of its team. Revision is the one that was read, 0
// for a new one.
func (r *Responder) Put(ctx context.Context, who Actor, p Policy) (Policy, error) {
	if p.Mode == "" {
		p.Mode = Observe
	}
	if err := p.check(); err != nil {
		return p, err
	}
	if err := who.may(p.Team, p.Environment); err != nil {
		return p, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.policies[p.Name]
	switch {
	case old == nil && p.Revision != 0:
		return p, noPolicy()
	case old == nil && len(r.policies) >= maxPolicies:
		return p, fault.New(fault.KindExhausted, "response.too_many", "there are %d response policies already", maxPolicies)
	case old != nil && old.Revision != p.Revision:
		return p, fault.New(fault.KindConflict, "response.conflict", "the policy is at revision %d", old.Revision).WithHint("read it again and repeat")
	case old != nil && (old.Team != p.Team || old.Environment != p.Environment):
		if err := who.may(old.Team, old.Environment); err != nil {
			return p, err
		}
	}
	now := r.o.Now().UTC().Truncate(time.Microsecond)
	p.Revision, p.By, p.CreatedAt, p.UpdatedAt = p.Revision+1, who.Name, now, now
	action, before := "create", any(nil)
	if old != nil {
		action, before, p.CreatedAt = "update", *old, old.CreatedAt
	}
	err := r.o.DB.Write(ctx, func(tx *control.Tx) error {
		if err := p.write(ctx, tx); err != nil {
			return err
		}
		if err := record(ctx, tx, who, action, p.Name, p.Reason, before, p); err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "response_policy.updated", Object: p.Name})
	})
	if err == nil {
		r.policies[p.Name] = &p
	}
	return p, err
}

func noPolicy() error {
	return fault.New(fault.KindNotFound, "response.not_found", "there is no such response policy").WithHint("`reeve response policies` lists them")
}

// Delete drops a policy: security of its team. What it did stays as it is.
func (r *Responder) Delete(ctx context.Context, who Actor, name, reason string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.policies[name]
	if old == nil {
		return noPolicy()
	}
	if err := who.may(old.Team, old.Environment); err != nil {
		return err
	}
	err := r.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM response_policies WHERE name = ?`, name); err != nil {
			return err
		}
		if err := record(ctx, tx, who, "delete", name, reason, *old, nil); err != nil {
			return err
		}
		return tx.Event(ctx, control.Event{Type: "response_policy.deleted", Object: name})
	})
	if err == nil {
		delete(r.policies, name)
	}
	return err
}

// Filter narrows a list of acts.
type Filter struct {
	Agent, Finding, State string
	Findings              []string
	Before                string
	Limit                 int
}

// List reads acts, the newest first.
func (r *Responder) List(ctx context.Context, q Filter) ([]Act, error) {
	where, args := []string{"1 = 1"}, []any{}
	for _, c := range []struct{ column, value string }{{"agent", q.Agent}, {"finding", q.Finding}, {"state", q.State}} {
		if c.value != "" {
			where, args = append(where, c.column+" = ?"), append(args, c.value)
		}
	}
	if n := len(q.Findings); n > 0 {
		where = append(where, "finding IN (?"+strings.Repeat(", ?", n-1)+")")
		for _, f := range q.Findings {
			args = append(args, f)
		}
	}
	if q.Before != "" {
		where, args = append(where, "id < ?"), append(args, q.Before)
	}
	if q.Limit <= 0 {
		q.Limit = 200
	}
	return control.All(ctx, r.o.DB, scanAct, `SELECT `+actColumns+` FROM responses WHERE `+strings.Join(where, " AND ")+` ORDER BY id DESC LIMIT ?`, append(args, q.Limit)...)
}

// Tidy drops what ended long ago.
func (r *Responder) Tidy(ctx context.Context) error {
	return r.o.DB.Write(ctx, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM responses WHERE state <> 'in_force' AND at < ?`, control.Micros(r.o.Now().Add(-keep)))
		return err
	})
}

// PerHour is how many agents are contained in an hour without a person.
func (r *Responder) PerHour() int { return r.o.PerHour }

// PerTeam is how many of those may be of one team.
func (r *Responder) PerTeam() int { return r.o.PerTeam }

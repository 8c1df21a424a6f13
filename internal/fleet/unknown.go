package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"reeve/internal/agent"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// States of an unknown agent.
//
//	open ----register----> registered --undo--> open
//	     ----merge-------> merged     --undo--> open
//	     ----block-------> blocked    --undo--> open
//	     ----dismiss-----> dismissed  --undo--> open
//	     --someone registers or aliases it: registered, by itself--
//	registered, merged --the alias or agent goes away--> open
const (
	Open       = "open"
	Registered = "registered"
	Merged     = "merged"
	Blocked    = "blocked"
	Dismissed  = "dismissed"
)

// finding is what people decided of a name that nobody had registered.
type finding struct {
	Team            string
	Environment     string
	Name            string
	id              string
	state           string
	agent           string // that it is now
	undo            undo
	by, reason      string
	opened, decided time.Time
	dirty           bool // not in the database as it is here
}

// undo is what a decision did beside the finding's row.
type undo struct {
	Created bool          `json:"created,omitempty"` // the agent was registered by it
	Aliases []agent.Alias `json:"aliases,omitempty"` // that the agent got by it
	Stop    string        `json:"stop,omitempty"`
	Seen    int64         `json:"seen,omitempty"` // steps and calls until then
}

// Unknown is an agent that was seen and is not registered, or was not.
type Unknown struct {
	ID                      string
	Team, Environment, Name string
	Claims                  []Claim // the ways it names itself
	Door, Telemetry         bool    // where it was seen
	FirstSeen, LastSeen     time.Time
	Seen                    int64  // steps and calls
	SeenSince               int64  // of them, after the decision
	Run, Step               string // first evidence
	LastRun                 string
	Why                     string   // it is not known
	Candidates              []string // registered agents that it may be
	State                   string
	Agent                   string // that it is now; "" none
	By, Reason              string // of the decision
	OpenedAt, DecidedAt     time.Time
	Suggested               string // a free name that it could be registered under
}

func (p place) id() string { return derived("unk_", p.team, p.environment, p.name) }

// findings brings findings in line with what claims say, by place, and gives
// those that are to be written. The caller holds the lock.
func (f *Fleet) findings(groups map[place][]*claim) (changed []*finding) {
	for p, claims := range groups {
		open, agentName := false, ""
		for _, c := range claims {
			if c.match.Agent == "" {
				open = open || !c.part
			} else {
				agentName = c.match.Agent
			}
		}
		id := p.id()
		u := f.unknown[id]
		switch {
		case open && u == nil:
			f.unknown[id] = &finding{Team: p.team, Environment: p.environment, Name: p.name, id: id, state: Open, opened: f.o.Now().UTC(), dirty: true}
		case open && (u.state == Registered || u.state == Merged):
			u.state, u.agent, u.undo, u.by, u.reason, u.dirty = Open, "", undo{}, "", "", true
			u.opened, u.decided = f.o.Now().UTC(), time.Time{}
		case !open && u != nil && u.state == Open:
			u.state, u.agent, u.by, u.dirty = Registered, agentName, "reeve", true
			u.reason, u.decided = "it is in the register now", f.o.Now().UTC()
			if agentName == "" {
				u.state, u.reason = Dismissed, "a service that hosts agents which name themselves"
			}
		}
	}
	for _, u := range f.unknown {
		if u.dirty {
			changed = append(changed, u)
		}
	}
	return changed
}

// writeFindings writes findings as they stand and tells of them.
func (f *Fleet) writeFindings(ctx context.Context, tx *control.Tx, list []*finding) error {
	f.mu.Lock()
	now := make([]finding, len(list))
	for i, u := range list {
		now[i] = *u
	}
	f.mu.Unlock()
	for i := range now {
		if err := now[i].write(ctx, tx); err != nil {
			return err
		}
	}
	tx.AfterCommit(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		for i, u := range list {
			u.dirty = u.dirty && (u.state != now[i].state || u.decided != now[i].decided)
		}
	})
	return nil
}

func (u *finding) write(ctx context.Context, tx *control.Tx) error {
	back := ""
	if u.undo.Created || u.undo.Stop != "" || u.undo.Seen > 0 || len(u.undo.Aliases) > 0 {
		b, err := json.Marshal(u.undo)
		if err != nil {
			return err
		}
		back = string(b)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO fleet_unknown (id, team, environment, name, state, agent, undo, decided_by, reason, opened_at, decided_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, agent = excluded.agent, undo = excluded.undo, decided_by = excluded.decided_by, reason = excluded.reason,
			opened_at = excluded.opened_at, decided_at = excluded.decided_at`,
		u.id, u.Team, u.Environment, u.Name, u.state, u.agent, back, u.by, u.reason, control.Micros(u.opened), control.Micros(u.decided)); err != nil {
		return err
	}
	data, err := json.Marshal(map[string]string{"id": u.id, "state": u.state, "agent": u.agent})
	if err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: "agent.unknown", Object: u.id, Data: data})
}

// Unknowns lists what was seen and not registered, the last seen first. An
// empty state lists all.
func (f *Fleet) Unknowns(state string) []Unknown {
	f.mu.Lock()
	gen := f.match.generation()
	groups := f.grouped(gen)
	out := make([]Unknown, 0, len(f.unknown))
	for _, u := range f.unknown {
		if state == "" || u.state == state {
			out = append(out, u.shape(groups[u.key()]))
		}
	}
	f.mu.Unlock()
	slices.SortFunc(out, func(x, y Unknown) int { return cmp.Or(y.LastSeen.Compare(x.LastSeen), strings.Compare(x.ID, y.ID)) })
	return out
}

// Unknown reads one, with a name that it could be registered under.
func (f *Fleet) Unknown(id string) (Unknown, bool) {
	f.mu.Lock()
	u := f.unknown[id]
	if u == nil {
		f.mu.Unlock()
		return Unknown{}, false
	}
	out := u.shape(f.grouped(f.match.generation())[u.key()])
	f.mu.Unlock()
	out.Suggested = f.freeName(out, nil)
	return out, true
}

func (u *finding) key() place { return place{u.Team, u.Environment, u.Name} }

// grouped is the claims by place, matched. The caller holds the lock.
func (f *Fleet) grouped(gen uint64) map[place][]*claim {
	groups := make(map[place][]*claim, len(f.unknown))
	for _, c := range f.claims {
		if c.works {
			f.settle(c, gen)
			groups[c.place()] = append(groups[c.place()], c)
		}
	}
	return groups
}

func (u *finding) shape(claims []*claim) Unknown {
	out := Unknown{
		ID: u.id, Team: u.Team, Environment: u.Environment, Name: u.Name, State: u.state, Agent: u.agent, By: u.by, Reason: u.reason,
		OpenedAt: u.opened, DecidedAt: u.decided, Why: "nobody registered it",
	}
	var first, last int64
	for _, c := range claims {
		// Of a name that is matched in part, only the rest is unknown.
		if u.state == Open && c.match.Agent != "" {
			continue
		}
		out.Claims = append(out.Claims, c.Claim)
		out.Door, out.Telemetry = out.Door || c.places&placeDoor != 0, out.Telemetry || c.places&placeTelemetry != 0
		out.Seen += c.seen
		if first == 0 || c.first < first {
			first, out.Run, out.Step = c.first, c.run, c.step
		}
		if c.seenAt > last {
			last = c.seenAt
			if !c.lastRun.IsZero() {
				out.LastRun = c.lastRun.String()
			}
		}
		if c.match.Agent == "" {
			out.Why = c.match.Why
		}
		for _, n := range c.match.Candidates {
			if !slices.Contains(out.Candidates, n) {
				out.Candidates = append(out.Candidates, n)
			}
		}
	}
	out.FirstSeen, out.LastSeen = timeOf(first), timeOf(last)
	if u.state != Open {
		out.SeenSince = max(0, out.Seen-u.undo.Seen)
	}
	slices.SortFunc(out.Claims, func(x, y Claim) int {
		return cmp.Or(strings.Compare(x.AgentID, y.AgentID), strings.Compare(x.Service, y.Service))
	})
	return out
}

// freeName is a name for the register: the claimed one where it can be, else
// its letters, with a number when it is taken.
func (f *Fleet) freeName(u Unknown, taken map[string]bool) string {
	base := cmp.Or(u.Name, first(u.Claims, func(c Claim) string { return c.AgentID }), first(u.Claims, func(c Claim) string { return c.Service }))
	if !agent.ValidName(base) {
		base = slug(base)
	}
	free := func(n string) bool {
		_, ok := f.o.Agents.Lookup(n)
		return !ok && !taken[n]
	}
	if free(base) {
		return base
	}
	for i := 2; ; i++ { // the register is finite
		n := fmt.Sprintf("%s-%d", base[:min(len(base), 58)], i)
		if free(n) {
			return n
		}
	}
}

func first(claims []Claim, word func(Claim) string) string {
	for _, c := range claims {
		if w := word(c); w != "" {
			return w
		}
	}
	return ""
}

// slug makes a valid name of any text.
func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 60 {
			break
		}
	}
	if out := strings.Trim(b.String(), "-"); out != "" {
		return out
	}
	return derived("agent-", s)[:16]
}

func notFound() error {
	return fault.New(fault.KindNotFound, "fleet.not_found", "there is no such unknown agent").WithHint("`reeve agent unknown` lists them")
}

// decide changes a finding in a transaction with act, which fills in what it
// did. From are the states it may be in.
func (f *Fleet) decide(ctx context.Context, who agent.Actor, id, action, reason, state string, from []string, act func(tx *control.Tx, before Unknown, after *finding) error) (Unknown, error) {
	if strings.TrimSpace(reason) == "" && action != "register" {
		return Unknown{}, fault.New(fault.KindInvalid, "fleet.reason", "this needs a reason").WithHint("it is kept with the decision, for whoever asks later")
	}
	if len(reason) > 1000 || strings.ContainsFunc(reason, isControl) {
		return Unknown{}, fault.New(fault.KindInvalid, "fleet.reason", "a reason is a line of at most 1000 bytes")
	}
	before, ok := f.Unknown(id)
	if !ok {
		return Unknown{}, notFound()
	}
	if !slices.Contains(from, before.State) {
		return Unknown{}, fault.New(fault.KindConflict, "fleet.state", "this unknown agent is %s", before.State).WithHint("undo that first")
	}
	err := f.o.DB.Write(ctx, func(tx *control.Tx) error {
		f.mu.Lock()
		u := f.unknown[id]
		after := *u
		f.mu.Unlock()
		if after.state != before.State {
			return fault.New(fault.KindConflict, "fleet.state", "this unknown agent was decided meanwhile").WithHint("read it again")
		}
		after.state, after.by, after.reason, after.decided, after.undo, after.agent = state, who.Name, reason, f.o.Now().UTC().Truncate(time.Microsecond), undo{Seen: before.Seen}, ""
		if state == Open { // as before anybody decided; the audit log has who did what
			after.by, after.reason, after.decided, after.undo = "", "", time.Time{}, undo{}
		}
		if err := act(tx, before, &after); err != nil {
			return err
		}
		after.dirty = false
		if err := after.write(ctx, tx); err != nil {
			return err
		}
		if err := audit.Append(ctx, tx, audit.Record{
			Kind: "admin.unknown_agent", Person: who.Person, Via: who.Via, Action: action, Object: id, Reason: reason,
			Before: map[string]string{"state": before.State, "agent": before.Agent}, After: map[string]string{"state": after.state, "agent": after.agent},
		}); err != nil {
			return err
		}
		tx.AfterCommit(func() {
			f.mu.Lock()
			*u = after
			f.mu.Unlock()
		})
		return nil
	})
	if err != nil {
		return Unknown{}, err
	}
	out, _ := f.Unknown(id)
	return out, nil
}

func (f *Fleet) may(who agent.Actor, u Unknown, roles ...string) error {
	if who.Can != nil {
		for _, r := range roles {
			if who.Can(r, cmp.Or(u.Team, "*"), cmp.Or(u.Environment, "*")) {
				return nil
			}
		}
	}
	return fault.New(fault.KindDenied, "fleet.denied", "this needs the role %s for team %q in %q", roles[0], u.Team, u.Environment).WithHint("an admin can grant it")
}

// adopted is the agent that an unknown one becomes: a pilot in observe, so that
// nothing that works today is refused before a person looked.
func (f *Fleet) adopted(u Unknown, n agent.Agent, taken map[string]bool) (agent.Agent, error) {
	if n.Name == "" {
		n.Name = f.freeName(u, taken)
	}
	n.Team = cmp.Or(n.Team, u.Team)
	n.Environment = cmp.Or(n.Environment, u.Environment)
	if u.Team != "" && n.Team != u.Team {
		return n, fault.New(fault.KindInvalid, "fleet.team", "it comes with a credential of team %s, so it cannot be registered for %s", u.Team, n.Team).
			WithHint("send its telemetry with a key of the team it belongs to")
	}
	n.Purpose = cmp.Or(n.Purpose, "adopted from telemetry; its purpose is still to be written")
	n.Enforcement = cmp.Or(n.Enforcement, agent.Observe)
	n.Origin = agent.OriginAdopted
	for _, al := range aliasesOf(u, n.Name) {
		if !slices.Contains(n.Aliases, al) {
			n.Aliases = append(n.Aliases, al)
		}
	}
	return n, nil
}

// aliasesOf are the aliases by which u becomes the agent called name.
func aliasesOf(u Unknown, name string) []agent.Alias {
	if u.Name == name && u.Name != "" {
		return nil
	}
	if u.Name != "" {
		return []agent.Alias{{Kind: "name", Value: u.Name}}
	}
	var out []agent.Alias
	for _, c := range u.Claims {
		if c.AgentID != "" && len(out) < 16 {
			out = append(out, agent.Alias{Kind: "agent_id", Value: c.AgentID})
		}
	}
	return out
}

var undecided = []string{Open, Dismissed}

// Register makes an unknown agent a registered one. Empty fields of n take what
// is known of it; it begins in observe unless n says otherwise.
func (f *Fleet) Register(ctx context.Context, who agent.Actor, id string, n agent.Agent, reason string) (*agent.Agent, error) {
	var made *agent.Agent
	_, err := f.decide(ctx, who, id, "register", reason, Registered, undecided, func(tx *control.Tx, u Unknown, after *finding) error {
		a, err := f.adopted(u, n, nil)
		if err != nil {
			return err
		}
		if made, err = f.o.Agents.CreateIn(ctx, tx, who, a, cmp.Or(reason, "found in telemetry")); err != nil {
			return err
		}
		after.agent, after.undo.Created = made.Name, true
		return nil
	})
	return made, err
}

// Merge makes an unknown agent one that is registered, by an alias.
func (f *Fleet) Merge(ctx context.Context, who agent.Actor, id, into, reason string) (Unknown, error) {
	return f.decide(ctx, who, id, "merge", reason, Merged, undecided, func(tx *control.Tx, u Unknown, after *finding) error {
		a, ok := f.o.Agents.Lookup(into)
		if !ok {
			return fault.New(fault.KindNotFound, "agent.not_found", "there is no such agent").WithHint("`reeve agent list` lists them")
		}
		if u.Team != "" && a.Team != u.Team {
			return fault.New(fault.KindInvalid, "fleet.merge", "it comes with a credential of team %s, and %s belongs to %s", u.Team, into, a.Team).
				WithHint("send its telemetry with a key of %s", a.Team)
		}
		aliases := aliasesOf(u, "")
		if len(aliases) == 0 {
			return fault.New(fault.KindInvalid, "fleet.merge", "it says no name and no id that an alias could hold")
		}
		_, added, err := f.o.Agents.Alias(ctx, tx, who, into, aliases, reason)
		if err != nil {
			return err
		}
		if len(added) == 0 {
			return fault.New(fault.KindConflict, "fleet.merge", "%s has that alias already: %s", into, u.Why).WithHint("take away the alias that contradicts it")
		}
		after.agent, after.undo.Aliases = into, added
		return nil
	})
}

// Block refuses whoever calls itself by the name at the door, and marks it in
// telemetry.
func (f *Fleet) Block(ctx context.Context, who agent.Actor, id, reason string) (Unknown, error) {
	u, ok := f.Unknown(id)
	switch {
	case !ok:
		return Unknown{}, notFound()
	case f.o.Stops == nil:
		return Unknown{}, fault.New(fault.KindUnavailable, "fleet.block", "this server has no door")
	case u.Name == "":
		return Unknown{}, fault.New(fault.KindInvalid, "fleet.block", "it says no name that could be blocked").WithHint("revoke the credential it comes with")
	}
	if err := f.may(who, u, "responder", "security"); err != nil {
		return Unknown{}, err
	}
	if a, ok := f.o.Agents.Lookup(u.Name); ok {
		return Unknown{}, fault.New(fault.KindConflict, "fleet.block", "%s is a registered agent of team %s, which a block would stop", u.Name, a.Team).
			WithHint("stop that agent, or revoke the credential that this one comes with")
	}
	if !slices.Contains(undecided, u.State) {
		return Unknown{}, fault.New(fault.KindConflict, "fleet.state", "this unknown agent is %s", u.State).WithHint("undo that first")
	}
	// The stop has a transaction of its own and comes first: a crash between the
	// two leaves the name stopped, and the finding open.
	stop, err := f.o.Stops.StopName(ctx, who.Name, u.Name, reason)
	if err != nil {
		return Unknown{}, err
	}
	out, err := f.decide(ctx, who, id, "block", reason, Blocked, undecided, func(_ *control.Tx, _ Unknown, after *finding) error {
		after.undo.Stop = stop
		return nil
	})
	if err != nil {
		return out, errors.Join(err, f.o.Stops.LiftStop(ctx, who.Name, stop, "the block could not be recorded"))
	}
	return out, nil
}

// Dismiss says that an unknown agent needs nothing: it stays out of the list of
// open ones.
func (f *Fleet) Dismiss(ctx context.Context, who agent.Actor, id, reason string) (Unknown, error) {
	return f.decide(ctx, who, id, "dismiss", reason, Dismissed, []string{Open}, func(_ *control.Tx, u Unknown, _ *finding) error {
		return f.may(who, u, "developer", "responder", "security")
	})
}

// Undo takes a decision back: the registration is withdrawn, the aliases go,
// the block is lifted.
func (f *Fleet) Undo(ctx context.Context, who agent.Actor, id, reason string) (Unknown, error) {
	var stop string
	out, err := f.decide(ctx, who, id, "undo", reason, Open, []string{Registered, Merged, Blocked, Dismissed}, func(tx *control.Tx, u Unknown, after *finding) (err error) {
		f.mu.Lock()
		back := f.unknown[id].undo
		f.mu.Unlock()
		stop = back.Stop
		switch {
		case u.State == Blocked:
			return f.may(who, u, "responder", "security")
		case u.State == Dismissed:
			return f.may(who, u, "developer", "responder", "security")
		case back.Created:
			_, err = f.o.Agents.Withdraw(ctx, tx, who, u.Agent, reason)
		case len(back.Aliases) > 0:
			_, err = f.o.Agents.Unalias(ctx, tx, who, u.Agent, back.Aliases, reason)
		default:
			err = fault.New(fault.KindConflict, "fleet.state", "it is %s because the register says so", u.Agent).WithHint("change the aliases of that agent")
		}
		return err
	})
	if err == nil && stop != "" {
		err = f.o.Stops.LiftStop(ctx, who.Name, stop, reason)
	}
	return out, err
}

// Adopted is what became of one unknown agent when several were adopted.
type Adopted struct {
	Unknown Unknown
	Agent   *agent.Agent // nil: skipped
	Err     error        // why
}

const adoptBatch = 100

// Adopt registers many unknown agents at once, in observe: those of ids, or
// with none all that are open and that see reports. Those that cannot be are
// skipped with the reason. homeless is the team of those that came without one.
func (f *Fleet) Adopt(ctx context.Context, who agent.Actor, ids []string, see func(Unknown) bool, homeless string, n agent.Agent, reason string) ([]Adopted, error) {
	var list []Unknown
	if len(ids) == 0 {
		list = slices.DeleteFunc(f.Unknowns(Open), func(u Unknown) bool { return !see(u) })
	}
	for _, id := range ids {
		u, ok := f.Unknown(id)
		if !ok || !see(u) {
			return nil, notFound()
		}
		list = append(list, u)
	}
	var out []Adopted
	taken := make(map[string]bool)
	for part := range slices.Chunk(list, adoptBatch) {
		done, err := f.adopt(ctx, who, part, homeless, n, reason, taken)
		out = append(out, done...)
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

func (f *Fleet) adopt(ctx context.Context, who agent.Actor, list []Unknown, homeless string, n agent.Agent, reason string, taken map[string]bool) (out []Adopted, err error) {
	var after []finding
	err = f.o.DB.Write(ctx, func(tx *control.Tx) error {
		for _, u := range list {
			if n.Team = ""; u.Team == "" {
				n.Team = homeless
			}
			made, err := f.adoptOne(ctx, tx, who, u, n, reason, taken)
			if err != nil {
				if fault.From(err).Kind == fault.KindInternal || fault.From(err).Kind == fault.KindUnavailable {
					return err // the database's: nothing of this part is kept
				}
				out = append(out, Adopted{Unknown: u, Err: err})
				continue
			}
			out = append(out, Adopted{Unknown: u, Agent: made})
			after = append(after, finding{
				Team: u.Team, Environment: u.Environment, Name: u.Name, id: u.ID, state: Registered, agent: made.Name, undo: undo{Created: true, Seen: u.Seen},
				by: who.Name, reason: reason, opened: u.OpenedAt, decided: made.CreatedAt,
			})
			if err := after[len(after)-1].write(ctx, tx); err != nil {
				return err
			}
		}
		tx.AfterCommit(func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			for i := range after {
				if u := f.unknown[after[i].id]; u != nil {
					*u = after[i]
				}
			}
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (f *Fleet) adoptOne(ctx context.Context, tx *control.Tx, who agent.Actor, u Unknown, n agent.Agent, reason string, taken map[string]bool) (*agent.Agent, error) {
	if !slices.Contains(undecided, u.State) {
		return nil, fault.New(fault.KindConflict, "fleet.state", "this unknown agent is %s", u.State).WithHint("undo that first")
	}
	if len(u.Candidates) > 0 {
		return nil, fault.New(fault.KindConflict, "fleet.doubtful", "it may be %s: %s", strings.Join(u.Candidates, ", "), u.Why).
			WithHint("merge it into that agent, or register it by itself")
	}
	n.Name = ""
	a, err := f.adopted(u, n, taken)
	if err != nil {
		return nil, err
	}
	made, err := f.o.Agents.CreateIn(ctx, tx, who, a, cmp.Or(reason, "adopted from telemetry"))
	if err != nil {
		return nil, err
	}
	taken[made.Name] = true
	return made, nil
}

// The states of a name in telemetry.
const (
	NameRegistered = "registered"
	NameUnknown    = "unknown"
	NameBlocked    = "blocked"
	NameDoubtful   = "doubtful" // it may be a registered agent
)

// NameState is what is known of the agent that a run names: registered, with
// the agent that it is, unknown, doubtful or blocked; "" when the name was not
// seen yet.
func (f *Fleet) NameState(team, environment, name string) (state, agent string) {
	p := place{team, environment, name}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.byName[p]
	if c == nil {
		return "", ""
	}
	f.settle(c, f.match.generation())
	u := f.unknown[p.id()]
	switch {
	case u != nil && u.state == Blocked:
		return NameBlocked, ""
	case c.match.Agent != "":
		return NameRegistered, c.match.Agent
	case len(c.match.Candidates) > 0:
		return NameDoubtful, ""
	}
	return NameUnknown, ""
}

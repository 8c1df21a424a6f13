package objective

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"reeve/internal/activity"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// autonomies are the steps of autonomy, narrowest first.
var autonomies = []string{"read_only", "supervised", "bounded", "autonomous"}

// States of a proposal.
const (
	ProposalOpen     = "open"
	ProposalAccepted = "accepted"
	ProposalDeclined = "declined"
	ProposalLapsed   = "lapsed" // what it was about has passed, or was changed
)

const (
	// narrowAfter is how long a budget must be spent for less autonomy to be
	// proposed: a containment by policy acts at once, this is for good.
	narrowAfter = 24 * time.Hour
	// widenAfter is how long at least half must be left for more to be.
	widenAfter = 14 * 24 * time.Hour
	// askAgain is how long a person's answer stands.
	askAgain = 14 * 24 * time.Hour
)

// Proposal is a lasting change of an agent's autonomy that the figures speak for.
type Proposal struct {
	ID          string    `json:"-"`
	Objective   string    `json:"-"`
	Agent       string    `json:"-"`
	Team        string    `json:"-"`
	Environment string    `json:"-"`
	State       string    `json:"-"`
	At          time.Time `json:"-"`
	DecidedAt   time.Time `json:"-"`

	From   string   `json:"from"`
	To     string   `json:"to"`
	Why    string   `json:"why"`
	Target float64  `json:"target"`
	Value  *float64 `json:"value,omitempty"`
	Low    *float64 `json:"low,omitempty"`
	High   *float64 `json:"high,omitempty"`
	N      int64    `json:"n"`
	Bad    float64  `json:"bad"`
	Left   float64  `json:"left"` // of the budget
	By     string   `json:"by,omitempty"`
	Reason string   `json:"reason,omitempty"`
}

// Narrows reports whether it gives the agent less room.
func (p *Proposal) Narrows() bool {
	return slices.Index(autonomies, p.To) < slices.Index(autonomies, p.From)
}

const proposalColumns = `id, objective, agent, team, environment, state, body, at, decided_at`

func scanProposal(r control.Row) (p Proposal, err error) {
	var body string
	var at, decided int64
	if err := r.Scan(&p.ID, &p.Objective, &p.Agent, &p.Team, &p.Environment, &p.State, &body, &at, &decided); err != nil {
		return p, err
	}
	p.At = control.Time(at)
	if decided > 0 {
		p.DecidedAt = control.Time(decided)
	}
	return p, json.Unmarshal([]byte(body), &p)
}

func (p *Proposal) write(ctx context.Context, tx *control.Tx) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	decided := int64(0)
	if !p.DecidedAt.IsZero() {
		decided = control.Micros(p.DecidedAt)
	}
	if _, err = tx.Exec(ctx, `INSERT INTO objective_proposals (`+proposalColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body, decided_at = excluded.decided_at`,
		p.ID, p.Objective, p.Agent, p.Team, p.Environment, p.State, string(body), control.Micros(p.At), decided); err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: "objective.proposal", Object: p.ID})
}

// propose says which proposals are made or lapse with a look.
func (b *Book) propose(ctx context.Context, c *counter, s *Standing, st *state) (out []Proposal, err error) {
	if c.o.Agent == "" || s.State == Frozen || s.State == NoData {
		return nil, nil
	}
	g, ok := b.o.Agent(c.o.Agent)
	if !ok || g.Retired {
		return nil, nil
	}
	last, have, err := control.One(ctx, b.o.DB, scanProposal, `SELECT `+proposalColumns+` FROM objective_proposals WHERE objective = ? ORDER BY at DESC, id DESC LIMIT 1`, c.o.Name)
	if err != nil {
		return nil, err
	}
	to, why := "", ""
	if c.o.Propose {
		to, why = st.wish(s, &g)
	}
	if have && last.State == ProposalOpen {
		// It stands while the figures speak for it and the agent is as it was.
		holds := g.Autonomy == last.From && (to == last.To || last.Narrows() && st.Alarms[AlarmSpent] != nil || !last.Narrows() && !st.WellSince.IsZero())
		if holds {
			return nil, nil
		}
		last.State, last.DecidedAt, last.Reason = ProposalLapsed, s.At, "the figures no longer speak for it, or the agent was changed"
		return []Proposal{last}, nil
	}
	if to == "" || have && (last.State == ProposalAccepted || last.State == ProposalDeclined) && s.At.Sub(last.DecidedAt) < askAgain {
		return nil, nil
	}
	return []Proposal{{
		ID: activity.Mint("prp_", s.At.UnixNano()), Objective: c.o.Name, Agent: g.Name, Team: g.Team, Environment: g.Environment, State: ProposalOpen, At: s.At,
		From: g.Autonomy, To: to, Why: why, Target: c.o.Target, Value: s.Value, Low: s.Low, High: s.High, N: s.Budget.N, Bad: s.Budget.Bad, Left: s.Budget.Left(),
	}}, nil
}

// wish is the step of autonomy that the figures speak for; "" none.
func (st *state) wish(s *Standing, g *Agent) (to, why string) {
	at := slices.Index(autonomies, g.Autonomy)
	if h := st.Alarms[AlarmSpent]; h != nil && at > 0 && s.At.Sub(h.Since) >= narrowAfter {
		return autonomies[at-1], fmt.Sprintf("its budget is spent since %s: %.4g bad where %.4g are allowed", h.Since.UTC().Format("2006-01-02 15:04"), s.Budget.Bad, s.Budget.Allowed)
	}
	contained := g.Containment != "" && g.Containment != "none"
	if !contained && !st.WellSince.IsZero() && at >= 0 && at < len(autonomies)-1 && s.At.Sub(st.WellSince) >= widenAfter {
		return autonomies[at+1], fmt.Sprintf("at least half of its budget was left since %s: %.4g bad where %.4g are allowed", st.WellSince.UTC().Format("2006-01-02 15:04"), s.Budget.Bad, s.Budget.Allowed)
	}
	return "", ""
}

// ProposalFilter narrows a list of proposals.
type ProposalFilter struct {
	Objective, Agent, State string
	Limit                   int
}

// Proposals lists them, the newest first.
func (b *Book) Proposals(ctx context.Context, q ProposalFilter) ([]Proposal, error) {
	var w control.Where
	w.Is("objective", q.Objective)
	w.Is("agent", q.Agent)
	w.Is("state", q.State)
	limit := q.Limit
	if limit <= 0 || limit > 1000 {
		limit = 200
	}
	return control.All(ctx, b.o.DB, scanProposal, `SELECT `+proposalColumns+` FROM objective_proposals`+w.Text()+fmt.Sprintf(` ORDER BY at DESC, id DESC LIMIT %d`, limit), w.Args...)
}

// Proposal finds one.
func (b *Book) Proposal(ctx context.Context, id string) (Proposal, error) {
	p, ok, err := control.One(ctx, b.o.DB, scanProposal, `SELECT `+proposalColumns+` FROM objective_proposals WHERE id = ?`, id)
	if err == nil && !ok {
		err = fault.New(fault.KindNotFound, "objective.not_found", "there is no such proposal").WithHint("`reeve objective proposals` lists them")
	}
	return p, err
}

// Decide accepts or declines a proposal. change makes the change of an accepted
// one, in the person's own name and with their rights; it comes first, so that
// nothing is called accepted that was not done.
func (b *Book) Decide(ctx context.Context, who Actor, id string, accept bool, reason string, change func(ctx context.Context, p Proposal) error) (Proposal, error) {
	if !line(reason, 800) {
		return Proposal{}, invalid("the reason is a line of at most 800 bytes")
	}
	p, err := b.Proposal(ctx, id)
	if err != nil {
		return Proposal{}, err
	}
	if err := who.may(p.Team, p.Environment); err != nil && !accept { // accepting needs what the change needs
		return Proposal{}, err
	}
	if p.State != ProposalOpen {
		return Proposal{}, stateFault(p.State)
	}
	if accept {
		if err := change(ctx, p); err != nil {
			return Proposal{}, err
		}
	}
	action := "decline"
	if p.State = ProposalDeclined; accept {
		p.State, action = ProposalAccepted, "accept"
	}
	p.DecidedAt, p.By, p.Reason = b.o.Now().UTC().Truncate(time.Microsecond), who.Name, reason
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		now, _, err := control.One(ctx, tx, func(r control.Row) (s string, err error) { return s, r.Scan(&s) }, `SELECT state FROM objective_proposals WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if now != ProposalOpen && !accept {
			return stateFault(now)
		}
		if err := p.write(ctx, tx); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.objective_proposal", Person: who.Person, Via: who.Via, Action: action, Object: p.Agent, Reason: reason, After: p})
	})
	return p, err
}

func stateFault(state string) error {
	return fault.New(fault.KindConflict, "objective.state", "this proposal is %s", state).WithHint("`reeve objective proposals --state open` lists those that wait")
}

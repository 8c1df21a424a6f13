package identity

import (
	"context"
	"slices"
	"time"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// ProposalLife is how long a change waits for a second person.
const ProposalLife = 24 * time.Hour

const maxProposals = 200 // open ones at once

// The states of a Proposal.
const (
	ProposalOpen      = "open"
	ProposalConfirmed = "confirmed" // agreed to, and its end was not written yet
	ProposalDone      = "done"
	ProposalFailed    = "failed"
	ProposalDeclined  = "declined"
	ProposalWithdrawn = "withdrawn"
	ProposalExpired   = "expired"
)

// Proposal is a change that needs two people, as one of them asked for it. It
// holds no secret: operations that carry one are not proposed.
type Proposal struct {
	ID          string
	Operation   string // the API's name of the change
	Path, Body  string // the request, as it will be made again
	Summary     string
	Team        string // whom the permission is for; "*" everywhere
	Environment string
	Reason      string
	Person      string // who asked, by id
	PersonName  string
	CreatedAt   time.Time
	ExpiresAt   time.Time
	State       string
	DecidedBy   string // a person's name
	DecidedAt   time.Time
	Error       string // what came of it when it failed
}

// Alone reports whether nobody but who could agree to a change that needs one
// of the roles: then the change is made by one person, and its record says so.
func (d *Directory) Alone(ctx context.Context, who Principal, roles []Role, team, environment string) (bool, error) {
	for after := ""; ; {
		people, next, err := d.People(ctx, after, 1000)
		if err != nil {
			return false, err
		}
		for _, p := range people {
			if p.ID != who.PersonID && !p.off(d.now()) && mayAgree(p.Grants, roles, team, environment) {
				return false, nil
			}
		}
		if next == "" {
			return true, nil
		}
		after = next
	}
}

func mayAgree(grants []Grant, roles []Role, team, environment string) bool {
	return slices.ContainsFunc(roles, func(r Role) bool {
		return slices.ContainsFunc(grants, func(g Grant) bool { return g.covers(r, team, environment) })
	})
}

// Propose keeps a change until another person agrees.
func (d *Directory) Propose(ctx context.Context, who Principal, p Proposal) (Proposal, error) {
	now := d.now().UTC().Truncate(time.Microsecond)
	p.ID, p.Person, p.PersonName, p.State = newID("prp_", now), who.PersonID, who.Name, ProposalOpen
	p.CreatedAt, p.ExpiresAt = now, now.Add(ProposalLife)
	p.Summary, p.Reason = clip(p.Summary, 500), clip(p.Reason, 500)
	err := d.db.Write(ctx, func(tx *control.Tx) error {
		if err := d.expire(ctx, tx); err != nil {
			return err
		}
		n, _, err := control.One(ctx, tx, scanInt, `SELECT COUNT(*) FROM proposals WHERE state = 'open'`)
		if err != nil {
			return err
		}
		if n >= maxProposals {
			return fault.New(fault.KindExhausted, "identity.too_many_proposals", "%d changes wait for a second person already", n).WithHint("confirm or decline some first")
		}
		if _, err := tx.Exec(ctx, `INSERT INTO proposals (id, operation, path, body, summary, team, environment, reason, person_id, created_at, expires_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			p.ID, p.Operation, p.Path, p.Body, p.Summary, p.Team, p.Environment, p.Reason, p.Person, control.Micros(now), control.Micros(p.ExpiresAt), p.State); err != nil {
			return err
		}
		return record(ctx, tx, who, "proposal.created", "propose", p.ID, nil, p.state())
	})
	return p, err
}

func (p Proposal) state() any {
	return map[string]any{"operation": p.Operation, "path": p.Path, "body": p.Body, "summary": p.Summary, "reason": p.Reason}
}

func (d *Directory) expire(ctx context.Context, tx *control.Tx) error {
	_, err := tx.Exec(ctx, `UPDATE proposals SET state = 'expired', decided_at = expires_at WHERE state = 'open' AND expires_at <= ?`, control.Micros(d.now()))
	return err
}

const proposalColumns = `r.id, r.operation, r.path, r.body, r.summary, r.team, r.environment, r.reason, r.person_id, p.name,
	r.created_at, r.expires_at, r.state, COALESCE(q.name, ''), COALESCE(r.decided_at, 0), COALESCE(r.error, '')
	FROM proposals r JOIN people p ON p.id = r.person_id LEFT JOIN people q ON q.id = r.decided_by`

func (d *Directory) scanProposal(r control.Row) (p Proposal, err error) {
	var created, expires, decided int64
	err = r.Scan(&p.ID, &p.Operation, &p.Path, &p.Body, &p.Summary, &p.Team, &p.Environment, &p.Reason, &p.Person, &p.PersonName,
		&created, &expires, &p.State, &p.DecidedBy, &decided, &p.Error)
	p.CreatedAt, p.ExpiresAt = control.Time(created), control.Time(expires)
	if decided != 0 {
		p.DecidedAt = control.Time(decided)
	}
	if p.State == ProposalOpen && !d.now().Before(p.ExpiresAt) {
		p.State, p.DecidedAt = ProposalExpired, p.ExpiresAt
	}
	return p, err
}

// Proposals lists the newest changes that needed two people, open ones first;
// with open only those.
func (d *Directory) Proposals(ctx context.Context, open bool, limit int) ([]Proposal, error) {
	if limit <= 0 || limit > 1000 {
		limit = 1000
	}
	return control.All(ctx, d.db, d.scanProposal, `SELECT `+proposalColumns+` WHERE (? = 0 OR (r.state = 'open' AND r.expires_at > ?))
		ORDER BY CASE WHEN r.state = 'open' THEN 0 ELSE 1 END, r.created_at DESC LIMIT ?`, open, control.Micros(d.now()), limit)
}

// Proposal finds one by id.
func (d *Directory) Proposal(ctx context.Context, id string) (Proposal, error) {
	p, ok, err := control.One(ctx, d.db, d.scanProposal, `SELECT `+proposalColumns+` WHERE r.id = ?`, id)
	if err == nil && !ok {
		err = notFound("proposal")
	}
	return p, err
}

// Decide settles an open proposal once: agreed to by another person (the caller
// makes sure of the permission and a fresh factor), declined by one, or
// withdrawn by who asked. to is ProposalConfirmed, ProposalDeclined or
// ProposalWithdrawn.
func (d *Directory) Decide(ctx context.Context, who Principal, id, to string) (Proposal, error) {
	if who.Kind != KindPerson {
		return Proposal{}, fault.New(fault.KindDenied, "identity.person_only", "this needs a person, not a token").WithHint("sign in as a person")
	}
	p, err := d.Proposal(ctx, id)
	if err != nil {
		return Proposal{}, err
	}
	own := p.Person == who.PersonID
	switch {
	case own && to == ProposalConfirmed:
		return Proposal{}, fault.New(fault.KindDenied, "identity.second_person", "who asked for a change cannot be the second person").WithHint("somebody else has to confirm it")
	case !own && to == ProposalWithdrawn:
		return Proposal{}, fault.New(fault.KindDenied, "identity.denied", "only who asked for a change withdraws it").WithHint("decline it")
	}
	err = d.db.Write(ctx, func(tx *control.Tx) error {
		if err := d.expire(ctx, tx); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE proposals SET state = ?, decided_by = ?, decided_at = ? WHERE id = ? AND state = 'open'`, to, who.PersonID, control.Micros(d.now()), id)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.KindConflict, "identity.proposal_settled", "this change is no longer waiting").WithHint("read it again")
		}
		return record(ctx, tx, who, "proposal."+to, to, id, nil, nil)
	})
	if err != nil {
		return Proposal{}, err
	}
	return d.Proposal(ctx, id)
}

// Finish writes what came of a confirmed proposal; failure is "" when it was
// done.
func (d *Directory) Finish(ctx context.Context, who Principal, id, failure string) error {
	state := ProposalDone
	if failure != "" {
		state = ProposalFailed
	}
	return d.db.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE proposals SET state = ?, error = ? WHERE id = ? AND state = 'confirmed'`, state, clip(failure, 500), id); err != nil {
			return err
		}
		return record(ctx, tx, who, "proposal."+state, state, id, nil, nil)
	})
}

// Standing is what a person may do now, for a change that they asked for
// earlier: the session it was asked in may have ended since.
func (d *Directory) Standing(ctx context.Context, person, via string) (Principal, error) {
	p, err := d.Person(ctx, person)
	if err != nil {
		return Principal{}, err
	}
	if p.off(d.now()) {
		return Principal{}, fault.New(fault.KindDenied, "identity.disabled", "who asked for this has no account any more").WithHint("ask for it anew")
	}
	return Principal{Kind: KindPerson, PersonID: p.ID, Name: p.Name, SignInID: via, Grants: p.Grants, HasFactor: true, FactorAt: d.now()}, nil
}

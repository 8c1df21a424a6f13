package identity

import (
	"context"
	"fmt"
	"time"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// Token lets a program use the API with at most its owner's roles.
type Token struct {
	ID        string
	Name      string
	Kind      string // TokenPersonal or TokenService
	Owner     string // a person's id
	Grants    []Grant
	CreatedAt time.Time
	ExpiresAt time.Time
	LastUsed  time.Time // zero: never
	RevokedAt time.Time // zero: not
}

// The kinds of tokens: for a person's own tools, and for programs that the
// person answers for.
const (
	TokenPersonal = "personal"
	TokenService  = "service"
)

const (
	tokenLife    = 30 * 24 * time.Hour
	maxTokenLife = 365 * 24 * time.Hour
	maxTokens    = 100 // of one person, alive
)

// NewToken is a token to make.
type NewToken struct {
	Name   string
	Kind   string        // "" is TokenPersonal
	Grants []Grant       // none: all of the maker's at this time
	Life   time.Duration // 0 is 30 days, at most a year
}

func (d *Directory) scanToken(r control.Row) (t Token, err error) {
	var created, expires int64
	var used, revoked *int64
	var scopes string
	if err := r.Scan(&t.ID, &t.Name, &t.Kind, &t.Owner, &scopes, &created, &expires, &used, &revoked); err != nil {
		return t, err
	}
	t.CreatedAt, t.ExpiresAt, t.RevokedAt = control.Time(created), control.Time(expires), optional(revoked)
	t.LastUsed = d.lastUse("tokens", t.ID, optional(used))
	t.Grants, err = parseGrants(scopes)
	return t, err
}

func optional(us *int64) time.Time {
	if us == nil {
		return time.Time{}
	}
	return control.Time(*us)
}

const tokenColumns = `id, name, kind, owner_id, scopes, created_at, expires_at, used_at, revoked_at FROM tokens`

// Token finds who a token (rvt_...) speaks for; identity.token when it is
// unknown, expired, revoked, or its owner is disabled.
func (d *Directory) Token(ctx context.Context, text string) (Principal, error) {
	refused := fault.New(fault.KindUnauthenticated, "identity.token", "the token is not valid").
		WithHint("it may have expired or been revoked; make a new one")
	id, ok := parseKey(tokenPrefix, text)
	if !ok {
		return Principal{}, refused
	}
	type row struct {
		Token
		hash string
	}
	t, ok, err := control.One(ctx, d.db, func(r control.Row) (t row, err error) {
		var hash string
		t.Token, err = d.scanToken(rowAfter{r, &hash})
		t.hash = hash
		return t, err
	}, `SELECT hash, `+tokenColumns+` WHERE id = ?`, id)
	if err != nil {
		return Principal{}, err
	}
	now := d.now()
	if !ok || !sameSecret(text, t.hash) || !t.RevokedAt.IsZero() || !now.Before(t.ExpiresAt) {
		return Principal{}, refused
	}
	owner, err := d.Person(ctx, t.Owner)
	if err != nil {
		return Principal{}, err
	}
	if owner.off(now) {
		return Principal{}, refused
	}
	d.touch("tokens", t.ID, now)
	return Principal{
		Kind: KindToken, PersonID: owner.ID, Name: owner.Name, TokenID: t.ID,
		Grants: intersect(t.Grants, owner.Grants), ExpiresAt: t.ExpiresAt,
	}, nil
}

// CreateToken makes a token of who asks, which must be a person; secret is
// shown once. Its grants are at most the maker's.
func (d *Directory) CreateToken(ctx context.Context, who Principal, n NewToken) (t Token, secret string, err error) {
	if who.Kind != KindPerson {
		return t, "", fault.New(fault.KindDenied, "identity.person_only", "only a person makes tokens").WithHint("sign in as a person")
	}
	if n.Kind == "" {
		n.Kind = TokenPersonal
	}
	if n.Life == 0 {
		n.Life = tokenLife
	}
	if n.Name == "" || checkTexts(n.Name) != nil {
		return t, "", invalid("a token needs a name of at most 200 bytes")
	}
	if n.Kind != TokenPersonal && n.Kind != TokenService {
		return t, "", invalid("a token is %s or %s, not %q", TokenPersonal, TokenService, n.Kind)
	}
	if n.Life < time.Minute || n.Life > maxTokenLife {
		return t, "", invalid("a token lives between a minute and a year")
	}
	if len(n.Grants) == 0 {
		n.Grants = who.Grants
	}
	grants, err := checkGrants(n.Grants)
	if err != nil {
		return t, "", err
	}
	for _, g := range grants {
		if !within(g, who.Grants) {
			return t, "", fault.New(fault.KindDenied, "identity.denied", "a token cannot have the role %s for %s in %s: its maker has not", g.Role, g.Team, g.Environment)
		}
	}
	now := d.now().UTC().Truncate(time.Microsecond)
	id, secret := newKey(tokenPrefix)
	t = Token{ID: id, Name: n.Name, Kind: n.Kind, Owner: who.PersonID, Grants: grants, CreatedAt: now, ExpiresAt: now.Add(n.Life)}
	err = d.db.Write(ctx, func(tx *control.Tx) error {
		alive, _, err := control.One(ctx, tx, func(r control.Row) (n int, err error) { return n, r.Scan(&n) },
			`SELECT count(*) FROM tokens WHERE owner_id = ? AND revoked_at IS NULL AND expires_at > ?`, who.PersonID, control.Micros(now))
		if err != nil {
			return err
		}
		if alive >= maxTokens {
			return fault.New(fault.KindExhausted, "identity.too_many_tokens", "there are %d tokens already", alive).WithHint("revoke some")
		}
		if _, err := tx.Exec(ctx, `INSERT INTO tokens (id, name, kind, owner_id, hash, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			t.ID, t.Name, t.Kind, t.Owner, hashSecret(secret), grantsJSON(grants), control.Micros(now), control.Micros(t.ExpiresAt)); err != nil {
			return err
		}
		return record(ctx, tx, who, "admin.token_created", "create", t.ID, nil, map[string]any{
			"name": t.Name, "kind": t.Kind, "owner": t.Owner, "grants": grantTexts(grants), "expires_at": control.Micros(t.ExpiresAt),
		})
	})
	if err != nil {
		return Token{}, "", err
	}
	return t, secret, nil
}

// Tokens lists tokens, newest first: one's own, or everybody's for an admin.
func (d *Directory) Tokens(ctx context.Context, who Principal, everybody bool) ([]Token, error) {
	owner := who.PersonID
	if everybody {
		if !who.Everywhere(Admin) {
			return nil, denied("seeing everybody's tokens", Admin)
		}
		owner = Everything
	}
	return control.All(ctx, d.db, d.scanToken, `SELECT `+tokenColumns+` WHERE owner_id = ? OR ? = '*' ORDER BY created_at DESC, id LIMIT 1000`, owner, owner)
}

// RevokeToken ends a token at once: one's own, or anybody's for an admin or
// security.
func (d *Directory) RevokeToken(ctx context.Context, who Principal, id string) error {
	return d.db.Write(ctx, func(tx *control.Tx) error {
		owner, ok, err := control.One(ctx, tx, scanText, `SELECT owner_id FROM tokens WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if !ok || owner != who.PersonID && !who.Everywhere(Admin) && !who.Everywhere(Security) {
			return notFound("token")
		}
		n, err := tx.Exec(ctx, `UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL`, control.Micros(d.now()), id)
		if err != nil || n == 0 { // revoked before: nothing changes
			return err
		}
		if err := record(ctx, tx, who, "revoke", "revoke", id, nil, nil); err != nil {
			return fmt.Errorf("revoking %s: %w", id, err)
		}
		return nil
	})
}

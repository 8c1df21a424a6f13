package identity

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// Login is somebody as an outside provider vouches for them.
type Login struct {
	Issuer  string
	Subject string // the provider's own, stable name for them

	Name     string // wished for a new account; made unique
	FullName string
	Email    string
	// Teams and Grants are what the provider's groups stand for here. They
	// replace what the account has: the provider is the source. Nil leaves the
	// account's own.
	Teams  *[]string
	Grants *[]Grant
	// FactorAt is when the provider saw a second factor; zero: it does not say.
	FactorAt time.Time
	// Create makes an account at the first sign-in; else somebody must have
	// linked the login before.
	Create bool
}

// SignInWith opens a session for somebody whom an outside provider vouches for.
// The account is found by issuer and subject alone: an email address proves
// nothing here, since providers let people choose theirs.
func (d *Directory) SignInWith(ctx context.Context, l Login, address, agent string) (NewSignIn, error) {
	if l.Issuer == "" || l.Subject == "" || len(l.Subject) > 255 {
		return NewSignIn{}, fault.New(fault.KindUnauthenticated, "identity.login", "the provider did not say who this is").WithHint("see docs/people.md for the claims that are needed")
	}
	person, known, err := control.One(ctx, d.db, scanText, `SELECT person_id FROM logins WHERE issuer = ? AND subject = ?`, l.Issuer, l.Subject)
	if err != nil {
		return NewSignIn{}, err
	}
	if !known && !l.Create {
		return NewSignIn{}, fault.New(fault.KindDenied, "identity.login_unknown", "nobody here has that login yet").
			WithHint("an admin makes the account; then link the login under Account")
	}
	if !known {
		if person, err = d.createFor(ctx, l); err != nil {
			return NewSignIn{}, err
		}
	} else if err := d.follow(ctx, person, l); err != nil {
		return NewSignIn{}, err
	}
	return d.open(ctx, person, address, agent, l.FactorAt)
}

// provider is the principal in whose name accounts follow their login.
func provider(issuer string) Principal {
	return Principal{Kind: KindSetup, Name: "oidc", SignInID: clip(issuer, 200)}
}

func (d *Directory) createFor(ctx context.Context, l Login) (person string, err error) {
	name, err := d.freeName(ctx, l.Name)
	if err != nil {
		return "", err
	}
	full, email := clip(l.FullName, 200), clip(l.Email, 200)
	if checkTexts(full, email) != nil {
		full, email = "", "" // shown to people only: not worth refusing somebody
	}
	now := d.now()
	person = newID("per_", now)
	err = d.db.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO people (id, name, full_name, email, password, disabled, created_at, version) VALUES (?, ?, ?, ?, '', 0, ?, 1)`,
			person, name, full, email, control.Micros(now)); err != nil {
			return exists(err, "an account named %q", name)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO logins (issuer, subject, person_id, created_at, used_at) VALUES (?, ?, ?, ?, ?)`,
			l.Issuer, l.Subject, person, control.Micros(now), control.Micros(now)); err != nil {
			return err
		}
		if err := d.applyLogin(ctx, tx, person, l); err != nil {
			return err
		}
		made, err := readPerson(ctx, tx, person)
		if err != nil {
			return err
		}
		return record(ctx, tx, provider(l.Issuer), "admin.person_created", "create", person, nil, made.state())
	})
	return person, err
}

// applyLogin sets teams and roles. The operator's configuration named the teams that
// groups stand for, so one that is not here yet is made.
func (d *Directory) applyLogin(ctx context.Context, tx *control.Tx, person string, l Login) error {
	if l.Teams != nil {
		for _, name := range *l.Teams {
			_, ok, err := control.One(ctx, tx, scanText, `SELECT id FROM teams WHERE name = ?`, name)
			if err != nil {
				return err
			}
			if !ok {
				t := d.newTeam(name, "")
				if err := insertTeam(ctx, tx, provider(l.Issuer), &t); err != nil {
					return err
				}
			}
		}
		if err := setTeams(ctx, tx, person, *l.Teams); err != nil {
			return err
		}
	}
	if l.Grants == nil {
		return nil
	}
	grants, err := checkGrants(*l.Grants)
	if err != nil {
		return err
	}
	return setGrants(ctx, tx, person, grants)
}

// follow brings an account up to date with its login, and records what changed.
func (d *Directory) follow(ctx context.Context, person string, l Login) error {
	return d.db.Write(ctx, func(tx *control.Tx) error {
		before, err := readPerson(ctx, tx, person)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE logins SET used_at = ? WHERE issuer = ? AND subject = ?`, control.Micros(d.now()), l.Issuer, l.Subject); err != nil {
			return err
		}
		if err := d.applyLogin(ctx, tx, person, l); err != nil {
			return err
		}
		after, err := readPerson(ctx, tx, person)
		if err != nil {
			return err
		}
		if slices.Equal(before.Teams, after.Teams) && slices.Equal(before.Grants, after.Grants) {
			return nil
		}
		if within(Grant{Admin, Everything, Everything}, before.Grants) {
			if err := lastAdmin(ctx, tx); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE people SET version = version + 1 WHERE id = ?`, person); err != nil {
			return err
		}
		return record(ctx, tx, provider(l.Issuer), "admin.person_updated", "follow_login", person, before.state(), after.state())
	})
}

// freeName finds an unused name near the wished one.
func (d *Directory) freeName(ctx context.Context, wish string) (string, error) {
	wish = strings.Map(func(r rune) rune {
		if checkPersonName("a"+string(r)) != nil {
			return -1
		}
		return r
	}, strings.ToLower(wish))
	wish = strings.TrimLeft(clip(wish, 80), "._-@+")
	if wish == "" {
		wish = "person"
	}
	for n := 1; n < 1000; n++ {
		name := wish
		if n > 1 {
			name += "-" + strconv.Itoa(n)
		}
		_, taken, err := control.One(ctx, d.db, scanText, `SELECT id FROM people WHERE name = ?`, name)
		if err != nil || !taken {
			return name, err
		}
	}
	return "", fault.New(fault.KindConflict, "identity.exists", "too many accounts are named %q", wish).WithHint("an admin makes the account and links the login")
}

// Link gives a person who is signed in a further way to do so.
func (d *Directory) Link(ctx context.Context, who Principal, issuer, subject string) error {
	if who.Kind != KindPerson {
		return fault.New(fault.KindDenied, "identity.person_only", "a login belongs to a person").WithHint("sign in as a person")
	}
	return d.db.Write(ctx, func(tx *control.Tx) error {
		owner, ok, err := control.One(ctx, tx, scanText, `SELECT person_id FROM logins WHERE issuer = ? AND subject = ?`, issuer, subject)
		if err != nil {
			return err
		}
		if ok && owner == who.PersonID {
			return nil
		}
		if ok {
			return fault.New(fault.KindConflict, "identity.login_taken", "that login belongs to another account").WithHint("sign in with it, or have an admin sort it out")
		}
		if _, err := tx.Exec(ctx, `INSERT INTO logins (issuer, subject, person_id, created_at, used_at) VALUES (?, ?, ?, ?, ?)`,
			issuer, subject, who.PersonID, control.Micros(d.now()), control.Micros(d.now())); err != nil {
			return err
		}
		return record(ctx, tx, who, "admin.login_linked", "link", who.PersonID, nil, map[string]any{"issuer": issuer})
	})
}

// ShownFactor notes that the provider saw a second factor of the person behind
// an open session.
func (d *Directory) ShownFactor(ctx context.Context, signIn, issuer, subject string, at time.Time) error {
	return d.db.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE sign_ins SET factor_at = ? WHERE id = ? AND ended_at IS NULL AND person_id =
			(SELECT person_id FROM logins WHERE issuer = ? AND subject = ?)`, control.Micros(at), signIn, issuer, subject)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.KindDenied, "identity.login_other", "the provider vouched for somebody else, or the session ended").WithHint("sign in again")
		}
		return record(ctx, tx, provider(issuer), "sign_in.factor", "refresh", signIn, nil, nil)
	})
}

// Cookie finds the open session that a cookie alone belongs to. A cookie opens
// nothing by itself: only what a provider says about the very person counts
// for it.
func (d *Directory) Cookie(ctx context.Context, cookie string) (signIn, person string, err error) {
	s, ok, err := control.One(ctx, d.db, func(r control.Row) (SignIn, error) { return d.scanSignIn(r) },
		`SELECT `+signInColumns+` WHERE cookie_hash = ? AND ended_at IS NULL`, hashSecret(cookie))
	if err != nil {
		return "", "", err
	}
	if !ok || !d.now().Before(s.ExpiresAt) {
		return "", "", ended()
	}
	return s.ID, s.PersonID, nil
}

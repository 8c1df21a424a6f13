// Package identity is who may do what here: people, teams, roles, sign-ins,
// second factors, tokens and intake keys.
//
// What for: it turns a credential into a Principal, and keeps the accounts and
// keys that credentials stand for.
//
// Who calls it: api, for people and their tokens; intake, for its keys on
// every request; app opens it and runs it.
//
// Promises: secrets are stored only as hashes and shown once; passwords are
// argon2id. Every change is checked against the acting Principal and writes
// its audit record and its event in the same transaction. What a token may do
// is never more than its owner may do now. Checking an intake key takes no
// database access and sees a revocation made by this process at once. Safe for
// concurrent use.
//
// How it fails: a credential that is unknown, expired or revoked, or whose
// person is disabled, is unauthenticated with one code each kind
// (identity.session, identity.token, identity.key, identity.sign_in) and never
// says which; a change beyond the caller's roles is identity.denied.
//
// Start reading at Principal, then Directory and its methods by subject:
// person.go, team.go, signin.go, factor.go, passkey.go, proposal.go, token.go, intakekey.go.
package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Options of a Directory. DB and Dir are required.
type Options struct {
	DB      *control.DB
	Dir     string           // where admin-token is written
	Now     func() time.Time // nil is time.Now
	Logger  *slog.Logger     // nil discards
	Hashing Hashing          // zero fields take their defaults
	Sealer  Sealer           // encrypts second factors at rest; nil leaves it to the file's rights
}

// Directory holds the accounts and keys.
type Directory struct {
	db       *control.DB
	dir      string
	now      func() time.Time
	log      *slog.Logger
	hasher   *hasher
	byPair   *limiter // of name and address
	byName   *limiter
	byAddr   *limiter
	byFactor *limiter // of codes, by person
	sealer   Sealer

	challenges challenges // of passkeys

	keys atomic.Pointer[map[string]IntakeKey] // by id; nil until loaded
	load sync.Mutex                           // serialises loading keys

	known atomic.Pointer[map[login]knownPerson] // by their accounts elsewhere; nil until read

	mu   sync.Mutex // guards used
	used map[useKey]time.Time
}

// useKey names a credential whose last use is still to be written.
type useKey struct{ table, id string }

// New checks the options. Run keeps last uses and tidies up.
func New(o Options) (*Directory, error) {
	if o.DB == nil || o.Dir == "" {
		return nil, errors.New("identity needs a database and a folder")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Directory{
		db: o.DB, dir: o.Dir, now: o.Now, log: o.Logger,
		hasher:   newHasher(o.Hashing),
		byPair:   newLimiter(10, 30*time.Second),
		byName:   newLimiter(100, 36*time.Second),
		byAddr:   newLimiter(300, time.Second),
		byFactor: newLimiter(5, 30*time.Second),
		sealer:   o.Sealer,
		used:     map[useKey]time.Time{},
	}, nil
}

const (
	flushEvery = 15 * time.Second
	// keepEnded is how long an ended sign-in stays listed in the database.
	keepEnded = 30 * 24 * time.Hour
)

// Run writes last uses every few seconds, keeps what KnownAs answers from, and removes sign-ins that ended long
// ago, until ctx ends, whose cause it returns. A database that fails is logged
// and tried again: last uses are for showing, and idle sign-ins end by the
// times in memory.
func (d *Directory) Run(ctx context.Context) error {
	var followed sync.WaitGroup
	followed.Go(func() { d.followPeople(ctx) })
	defer followed.Wait()
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := d.flush(ctx); err != nil && ctx.Err() == nil {
				d.log.Warn("last uses could not be written", "err", err)
			}
		case <-ctx.Done():
			// What happened since the last tick; bounded, since ctx is over.
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			if err := d.flush(last); err != nil {
				d.log.Warn("last uses could not be written", "err", err)
			}
			return context.Cause(ctx)
		}
	}
}

// touch notes that a credential was used now.
func (d *Directory) touch(table, id string, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.used[useKey{table, id}] = at
}

// lastUse is the newer of what the database says and what is noted.
func (d *Directory) lastUse(table, id string, stored time.Time) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	if at := d.used[useKey{table, id}]; at.After(stored) {
		return at
	}
	return stored
}

func (d *Directory) flush(ctx context.Context) error {
	d.mu.Lock()
	used := d.used
	d.used = map[useKey]time.Time{}
	d.mu.Unlock()
	if len(used) == 0 {
		return nil // an idle installation writes nothing
	}
	err := d.db.Write(ctx, func(tx *control.Tx) error {
		for k, at := range used {
			if _, err := tx.Exec(ctx, `UPDATE `+k.table+` SET used_at = ? WHERE id = ? AND (used_at IS NULL OR used_at < ?)`,
				control.Micros(at), k.id, control.Micros(at)); err != nil {
				return err
			}
		}
		old := control.Micros(d.now().Add(-keepEnded))
		_, err := tx.Exec(ctx, `DELETE FROM sign_ins WHERE created_at < ?`, old)
		return err
	})
	if err != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		for k, at := range used {
			if d.used[k].Before(at) {
				d.used[k] = at
			}
		}
		return fmt.Errorf("writing last uses: %w", err)
	}
	return nil
}

// record adds a change's audit record and event to its transaction.
func record(ctx context.Context, tx *control.Tx, who Principal, kind, action, object string, before, after any) error {
	person := who.PersonID
	if person == "" {
		person = who.Kind
	}
	reason := ""
	if object == who.PersonID && object != "" {
		reason = "self"
	}
	err := audit.Append(ctx, tx, audit.Record{
		Kind: kind, Person: person, Via: who.SignInID + who.TokenID, Action: action, Object: object,
		Before: before, After: after, Reason: reason,
	})
	if err != nil {
		return err
	}
	return tx.Event(ctx, control.Event{Type: kind, Object: object})
}

func denied(what string, role Role) error {
	return fault.New(fault.KindDenied, "identity.denied", "%s needs the role %s", what, role).
		WithHint("an admin can grant it")
}

func notFound(what string) error {
	return fault.New(fault.KindNotFound, "identity.not_found", "there is no such %s", what)
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "identity.invalid", format, args...)
}

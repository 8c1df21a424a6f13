package identity

import (
	"cmp"
	"context"
	"slices"
	"time"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// IntakeKey lets a sender write telemetry for a team and environment, and
// nothing else.
type IntakeKey struct {
	ID             string
	Name           string
	Team           string
	Environment    string
	SpansPerSecond int64 // 0: no quota of its own
	BytesPerSecond int64
	CreatedAt      time.Time
	ExpiresAt      time.Time // zero: never
	LastUsed       time.Time // zero: never
	RevokedAt      time.Time // zero: not

	hash string
}

// NewIntakeKey is an intake key to make.
type NewIntakeKey struct {
	Name           string
	Team           string
	Environment    string
	SpansPerSecond int64
	BytesPerSecond int64
	Life           time.Duration // 0: no end
}

// maxIntakeKeys bounds what is held in memory.
const maxIntakeKeys = 50_000

func (d *Directory) scanIntakeKey(r control.Row) (k IntakeKey, err error) {
	var created int64
	var expires, used, revoked *int64
	err = r.Scan(&k.ID, &k.Name, &k.Team, &k.Environment, &k.hash, &k.SpansPerSecond, &k.BytesPerSecond, &created, &expires, &used, &revoked)
	k.CreatedAt, k.ExpiresAt, k.RevokedAt = control.Time(created), optional(expires), optional(revoked)
	k.LastUsed = optional(used)
	return k, err
}

const intakeKeyColumns = `id, name, team, environment, hash, spans_per_second, bytes_per_second, created_at, expires_at, used_at, revoked_at FROM intake_keys`

// intakeKeys is the keys that live, by id, from memory after the first call.
func (d *Directory) intakeKeys(ctx context.Context) (map[string]IntakeKey, error) {
	if m := d.keys.Load(); m != nil {
		return *m, nil
	}
	d.load.Lock()
	defer d.load.Unlock()
	if m := d.keys.Load(); m != nil {
		return *m, nil
	}
	return d.reloadKeys(ctx)
}

// reloadKeys reads the keys anew; load must be held.
func (d *Directory) reloadKeys(ctx context.Context) (map[string]IntakeKey, error) {
	list, err := control.All(ctx, d.db, d.scanIntakeKey, `SELECT `+intakeKeyColumns+` WHERE revoked_at IS NULL`)
	if err != nil {
		return nil, err
	}
	m := make(map[string]IntakeKey, len(list))
	for _, k := range list {
		m[k.ID] = k
	}
	d.keys.Store(&m)
	return m, nil
}

// LoadKeys reads the intake keys into memory, so that Keyed knows them before
// the first sender comes.
func (d *Directory) LoadKeys(ctx context.Context) error {
	_, err := d.intakeKeys(ctx)
	return err
}

// Keyed reports, from memory, whether a living key writes for a team's
// environment.
func (d *Directory) Keyed(team, environment string) bool {
	m := d.keys.Load()
	if m == nil {
		return false
	}
	now := d.now()
	for _, k := range *m {
		if k.Team == team && k.Environment == environment && k.RevokedAt.IsZero() && (k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt)) {
			return true
		}
	}
	return false
}

// keysChanged runs after a commit: later checks see the change. Failing to
// read leaves no keys in memory, so the next check reads them or fails.
func (d *Directory) keysChanged(ctx context.Context) {
	d.load.Lock()
	defer d.load.Unlock()
	d.keys.Store(nil)
	if _, err := d.reloadKeys(context.WithoutCancel(ctx)); err != nil {
		d.log.Warn("intake keys could not be read", "err", err)
	}
}

// IntakeKey finds the key that a sender presents (rvi_...); identity.key when
// it is unknown, expired or revoked. It takes about a microsecond.
func (d *Directory) IntakeKey(ctx context.Context, text string) (IntakeKey, error) {
	id, ok := parseKey(intakePrefix, text)
	if !ok {
		return IntakeKey{}, errIntakeKey()
	}
	keys, err := d.intakeKeys(ctx)
	if err != nil {
		return IntakeKey{}, err
	}
	now := d.now()
	k, ok := keys[id]
	if !ok || !sameSecret(text, k.hash) || !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt) {
		return IntakeKey{}, errIntakeKey()
	}
	d.touch("intake_keys", k.ID, now)
	k.hash = ""
	return k, nil
}

func errIntakeKey() error {
	return fault.New(fault.KindUnauthenticated, "identity.key", "the intake key is not valid").
		WithHint("make one under Settings, Intake keys, and send it as Authorization: Bearer rvi_...")
}

// mayManageKeys: those who answer for the team's telemetry.
func mayManageKeys(who Principal, team, environment string) bool {
	return who.Can(Developer, team, environment) || who.Can(Security, team, environment) || who.Can(Admin, team, environment)
}

// CreateIntakeKey makes a key; secret is shown once. It needs developer,
// security or admin for the team and environment, and a team that is there; an
// administrator of everything has it made.
func (d *Directory) CreateIntakeKey(ctx context.Context, who Principal, n NewIntakeKey) (k IntakeKey, secret string, err error) {
	switch {
	case n.Name == "" || checkTexts(n.Name) != nil:
		return k, "", invalid("an intake key needs a name of at most 200 bytes").WithHint("`reeve key create --name NAME`")
	case !validName(n.Team) || !validName(n.Environment):
		return k, "", invalid("an intake key is for one team and one environment")
	case n.SpansPerSecond < 0 || n.BytesPerSecond < 0 || n.Life < 0:
		return k, "", invalid("quotas and life are not negative")
	case !mayManageKeys(who, n.Team, n.Environment):
		return k, "", denied("making this intake key", Developer)
	}
	now := d.now().UTC().Truncate(time.Microsecond)
	id, secret := newKey(intakePrefix)
	k = IntakeKey{
		ID: id, Name: n.Name, Team: n.Team, Environment: n.Environment,
		SpansPerSecond: n.SpansPerSecond, BytesPerSecond: n.BytesPerSecond, CreatedAt: now,
	}
	var expires *int64
	if n.Life > 0 {
		k.ExpiresAt = now.Add(n.Life)
		us := control.Micros(k.ExpiresAt)
		expires = &us
	}
	err = d.db.Write(ctx, func(tx *control.Tx) error {
		if err := d.needTeam(ctx, tx, who, n.Team); err != nil {
			return err
		}
		count, _, err := control.One(ctx, tx, func(r control.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT count(*) FROM intake_keys WHERE revoked_at IS NULL`)
		if err != nil {
			return err
		}
		if count >= maxIntakeKeys {
			return fault.New(fault.KindExhausted, "identity.too_many_keys", "there are %d intake keys already", count).WithHint("revoke some")
		}
		if _, err := tx.Exec(ctx, `INSERT INTO intake_keys (id, name, team, environment, hash, spans_per_second, bytes_per_second, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			k.ID, k.Name, k.Team, k.Environment, hashSecret(secret), k.SpansPerSecond, k.BytesPerSecond, control.Micros(now), expires); err != nil {
			return err
		}
		tx.AfterCommit(func() { d.keysChanged(ctx) })
		return record(ctx, tx, who, "admin.intake_key_created", "create", k.ID, nil, map[string]any{
			"name": k.Name, "team": k.Team, "environment": k.Environment,
			"spans_per_second": k.SpansPerSecond, "bytes_per_second": k.BytesPerSecond, "expires_at": control.Micros(k.ExpiresAt),
		})
	})
	if err != nil {
		return IntakeKey{}, "", err
	}
	return k, secret, nil
}

// IntakeKeys lists the keys of the teams and environments whose keys who may
// manage, and for auditors all, newest first.
func (d *Directory) IntakeKeys(ctx context.Context, who Principal) ([]IntakeKey, error) {
	all, err := control.All(ctx, d.db, d.scanIntakeKey, `SELECT `+intakeKeyColumns)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(k IntakeKey) bool {
		return !mayManageKeys(who, k.Team, k.Environment) && !who.Can(Auditor, k.Team, k.Environment)
	})
	slices.SortFunc(all, func(a, b IntakeKey) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	for i := range all {
		all[i].hash = ""
		all[i].LastUsed = d.lastUse("intake_keys", all[i].ID, all[i].LastUsed)
	}
	return all, nil
}

// RevokeIntakeKey ends a key: the next request with it is refused.
func (d *Directory) RevokeIntakeKey(ctx context.Context, who Principal, id string) error {
	return d.db.Write(ctx, func(tx *control.Tx) error {
		k, ok, err := control.One(ctx, tx, d.scanIntakeKey, `SELECT `+intakeKeyColumns+` WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if !ok || !mayManageKeys(who, k.Team, k.Environment) {
			return notFound("intake key")
		}
		n, err := tx.Exec(ctx, `UPDATE intake_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL`, control.Micros(d.now()), id)
		if err != nil || n == 0 { // revoked before: nothing changes
			return err
		}
		tx.AfterCommit(func() { d.keysChanged(ctx) })
		return record(ctx, tx, who, "revoke", "revoke", id, nil, nil)
	})
}

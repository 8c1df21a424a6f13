package identity

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"image/png"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// FreshFor is how long a second factor counts for acts that need a fresh one.
const FreshFor = 5 * time.Minute

const (
	totpPeriod    = 30 * time.Second
	totpSkew      = 1  // steps to either side, for clocks that differ
	maxFactors    = 10 // of one person
	recoveryCodes = 10
	recoveryLen   = 12 // base62 digits: 71 bits
)

// Sealer encrypts what must be readable again; *ca.CA is one.
type Sealer interface {
	Seal(name string, secret []byte) ([]byte, error)
	Unseal(name string, sealed []byte) ([]byte, error)
}

// Factor is a person's second factor.
type Factor struct {
	ID        string
	Kind      string // totp or passkey
	Label     string
	CreatedAt time.Time
	LastUsed  time.Time // zero: never
	Confirmed bool      // false: enrolled, and no code was shown yet
}

// Enrolment is a new factor's secret, shown once.
type Enrolment struct {
	Factor Factor
	Secret string // base32, to type in
	URI    string // otpauth://..., to scan
	PNG    []byte // the same as a picture
}

// Fresh reports whether who showed a second factor within FreshFor. The
// developer of --dev, who is alone on loopback, needs none.
func (p Principal) Fresh(now time.Time) bool {
	switch p.Kind {
	case KindDev:
		return true
	case KindPerson:
		return !p.FactorAt.IsZero() && now.Sub(p.FactorAt) < FreshFor
	}
	return false
}

// NeedFresh refuses who cannot do a dangerous act now, and says what to do.
func NeedFresh(who Principal, now time.Time) error {
	switch {
	case who.Fresh(now):
		return nil
	case who.Kind != KindPerson:
		return fault.New(fault.KindDenied, "identity.person_only", "this needs a person with a second factor, not a token").WithHint("sign in as a person")
	case !who.HasFactor:
		return fault.New(fault.KindDenied, "identity.factor_missing", "this needs a second factor, and this account has none").
			WithHint("add one under Account, or with `reeve factor add`")
	}
	return fault.New(fault.KindDenied, "identity.factor_stale", "this needs a second factor that is at most %d minutes old", int(FreshFor.Minutes())).
		WithHint("show the current code (`reeve factor show CODE`, or POST /api/v1/me/fresh), then repeat this")
}

const factorColumns = `id, kind, label, created_at, confirmed_at, used_at FROM factors`

func scanFactor(r control.Row) (f Factor, err error) {
	var created int64
	var confirmed, used *int64
	err = r.Scan(&f.ID, &f.Kind, &f.Label, &created, &confirmed, &used)
	f.CreatedAt, f.Confirmed = control.Time(created), confirmed != nil
	if used != nil {
		f.LastUsed = control.Time(*used)
	}
	return f, err
}

// Factors lists a person's second factors, and how many recovery codes are
// left: one's own, or anybody's for an admin.
func (d *Directory) Factors(ctx context.Context, who Principal, person string) (factors []Factor, codes int, err error) {
	if person != who.PersonID && !who.Everywhere(Admin) {
		return nil, 0, denied("seeing another's second factors", Admin)
	}
	factors, err = control.All(ctx, d.db, scanFactor, `SELECT `+factorColumns+` WHERE person_id = ? ORDER BY created_at`, person)
	if err != nil {
		return nil, 0, err
	}
	codes, _, err = control.One(ctx, d.db, scanInt, `SELECT COUNT(*) FROM recovery_codes WHERE person_id = ? AND used_at IS NULL`, person)
	return factors, codes, err
}

func scanInt(r control.Row) (n int, err error) { return n, r.Scan(&n) }

func hasFactor(ctx context.Context, r control.Reader, person string) (bool, error) {
	_, ok, err := control.One(ctx, r, scanText, `SELECT id FROM factors WHERE person_id = ? AND confirmed_at IS NOT NULL LIMIT 1`, person)
	return ok, err
}

// BeginFactor makes a one-time-password factor (RFC 6238) of who asks; it
// counts once ConfirmFactor has seen a code of it. Whoever found an open session
// must not be able to add a factor of their own, so the first one needs the
// password again (or, without one, a session of the last minutes) and every
// further one a fresh factor.
func (d *Directory) BeginFactor(ctx context.Context, who Principal, label, password string) (Enrolment, error) {
	if who.Kind != KindPerson {
		return Enrolment{}, fault.New(fault.KindDenied, "identity.person_only", "a second factor belongs to a person").WithHint("sign in as a person")
	}
	if err := checkTexts(label); err != nil {
		return Enrolment{}, err
	}
	if err := d.mayEnrol(ctx, who, password); err != nil {
		return Enrolment{}, err
	}
	if label == "" {
		label = "authenticator"
	}
	raw := randomBytes(20)
	secret := strings.TrimRight(base32Of(raw), "=")
	now := d.now()
	f := Factor{ID: newID("fac_", now), Kind: kindTOTP, Label: label, CreatedAt: now.UTC().Truncate(time.Microsecond)}
	sealed, err := d.seal(f.ID, raw)
	if err != nil {
		return Enrolment{}, err
	}
	uri := "otpauth://totp/" + url.PathEscape("Reeve:"+who.Name) + "?issuer=Reeve&secret=" + secret
	picture, err := pictureOf(uri)
	if err != nil {
		return Enrolment{}, err
	}
	err = d.insertFactor(ctx, who, f, sealed)
	return Enrolment{Factor: f, Secret: secret, URI: uri, PNG: picture}, err
}

// insertFactor keeps a factor that does not count yet.
func (d *Directory) insertFactor(ctx context.Context, who Principal, f Factor, sealed string) error {
	return d.db.Write(ctx, func(tx *control.Tx) error {
		// Enrolments that nobody finished make room.
		if _, err := tx.Exec(ctx, `DELETE FROM factors WHERE person_id = ? AND confirmed_at IS NULL`, who.PersonID); err != nil {
			return err
		}
		n, _, err := control.One(ctx, tx, scanInt, `SELECT COUNT(*) FROM factors WHERE person_id = ?`, who.PersonID)
		if err != nil {
			return err
		}
		if n >= maxFactors {
			return invalid("%d second factors are the most an account has", maxFactors).WithHint("remove one first")
		}
		if _, err := tx.Exec(ctx, `INSERT INTO factors (id, person_id, kind, label, secret, last_step, created_at) VALUES (?, ?, ?, ?, ?, 0, ?)`,
			f.ID, who.PersonID, f.Kind, f.Label, sealed, control.Micros(f.CreatedAt)); err != nil {
			return err
		}
		return record(ctx, tx, who, "admin.factor_begun", "begin", f.ID, nil, map[string]any{"kind": f.Kind, "label": f.Label})
	})
}

func (d *Directory) mayEnrol(ctx context.Context, who Principal, password string) error {
	if who.HasFactor {
		return NeedFresh(who, d.now())
	}
	type row struct {
		hash    string
		created int64
	}
	r, ok, err := control.One(ctx, d.db, func(r control.Row) (x row, err error) { return x, r.Scan(&x.hash, &x.created) },
		`SELECT p.password, s.created_at FROM people p JOIN sign_ins s ON s.person_id = p.id WHERE p.id = ? AND s.id = ?`, who.PersonID, who.SignInID)
	if err != nil {
		return err
	}
	if !ok {
		return ended()
	}
	if r.hash == "" {
		if d.now().Sub(control.Time(r.created)) < FreshFor {
			return nil
		}
		return fault.New(fault.KindDenied, "identity.sign_in_again", "the first second factor is added right after signing in").WithHint("sign in again, then add it")
	}
	if wait, ok := d.byFactor.take(who.PersonID, d.now()); !ok {
		return tooMany(wait)
	}
	if ok, err = d.hasher.verify(ctx, password, r.hash); err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.KindDenied, "identity.password", "the password is wrong").WithHint("adding the first second factor needs your password again")
	}
	d.byFactor.giveBack(who.PersonID, d.now())
	return nil
}

func pictureOf(uri string) ([]byte, error) {
	key, err := otp.NewKeyFromURL(uri)
	if err != nil {
		return nil, fmt.Errorf("making the picture of a second factor: %w", err)
	}
	img, err := key.Image(240, 240)
	if err != nil {
		return nil, fmt.Errorf("making the picture of a second factor: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("making the picture of a second factor: %w", err)
	}
	return b.Bytes(), nil
}

// ConfirmFactor makes an enrolled factor count, once its first code was shown.
// The session counts as fresh from then on. Recovery codes come with the
// person's first factor, once: each stands for one code of a lost device.
func (d *Directory) ConfirmFactor(ctx context.Context, who Principal, id, code string) (recovery []string, err error) {
	if who.Kind != KindPerson {
		return nil, fault.New(fault.KindDenied, "identity.person_only", "a second factor belongs to a person").WithHint("sign in as a person")
	}
	if wait, ok := d.byFactor.take(who.PersonID, d.now()); !ok {
		return nil, tooMany(wait)
	}
	err = d.db.Write(ctx, func(tx *control.Tx) error {
		if _, ok, err := control.One(ctx, tx, scanText, `SELECT id FROM factors WHERE id = ? AND person_id = ? AND kind = ?`, id, who.PersonID, kindTOTP); err != nil || !ok {
			if err == nil {
				err = notFound("second factor")
			}
			return err
		}
		if ok, err := d.spendCode(ctx, tx, who.PersonID, id, code); err != nil || !ok {
			if err == nil {
				err = errCode()
			}
			return err
		}
		recovery, err = d.confirmed(ctx, tx, who, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	d.byFactor.giveBack(who.PersonID, d.now())
	return recovery, nil
}

// confirmed makes a factor count from now on, and the session fresh.
func (d *Directory) confirmed(ctx context.Context, tx *control.Tx, who Principal, id string) (recovery []string, err error) {
	first, err := hasFactor(ctx, tx, who.PersonID)
	if err != nil {
		return nil, err
	}
	now := control.Micros(d.now())
	if _, err := tx.Exec(ctx, `UPDATE factors SET confirmed_at = ? WHERE id = ? AND confirmed_at IS NULL`, now, id); err != nil {
		return nil, err
	}
	if !first {
		if recovery, err = newRecovery(ctx, tx, who.PersonID); err != nil {
			return nil, err
		}
	}
	if _, err := tx.Exec(ctx, `UPDATE sign_ins SET factor_at = ? WHERE id = ?`, now, who.SignInID); err != nil {
		return nil, err
	}
	return recovery, record(ctx, tx, who, "admin.factor_added", "confirm", id, nil, nil)
}

// newRecovery replaces a person's recovery codes.
func newRecovery(ctx context.Context, tx *control.Tx, person string) (codes []string, err error) {
	if _, err := tx.Exec(ctx, `DELETE FROM recovery_codes WHERE person_id = ?`, person); err != nil {
		return nil, err
	}
	for range recoveryCodes {
		c := randomText(recoveryLen)
		if _, err := tx.Exec(ctx, `INSERT INTO recovery_codes (person_id, hash) VALUES (?, ?)`, person, hashSecret(c)); err != nil {
			return nil, err
		}
		codes = append(codes, c)
	}
	return codes, nil
}

// RenewRecovery gives new recovery codes for the old ones: needs a fresh factor.
func (d *Directory) RenewRecovery(ctx context.Context, who Principal) (codes []string, err error) {
	if err := NeedFresh(who, d.now()); err != nil {
		return nil, err
	}
	if who.Kind != KindPerson {
		return nil, fault.New(fault.KindDenied, "identity.person_only", "recovery codes belong to a person").WithHint("sign in as a person")
	}
	err = d.db.Write(ctx, func(tx *control.Tx) error {
		if codes, err = newRecovery(ctx, tx, who.PersonID); err != nil {
			return err
		}
		return record(ctx, tx, who, "admin.recovery_codes", "renew", who.PersonID, nil, nil)
	})
	return codes, err
}

// RemoveFactor takes a second factor away: one's own with a fresh one, or
// anybody's for an admin with a fresh factor of their own (somebody lost a
// device). The person's other sessions end.
func (d *Directory) RemoveFactor(ctx context.Context, who Principal, id string) error {
	if err := NeedFresh(who, d.now()); err != nil {
		return err
	}
	return d.db.Write(ctx, func(tx *control.Tx) error {
		person, ok, err := control.One(ctx, tx, scanText, `SELECT person_id FROM factors WHERE id = ?`, id)
		if err != nil {
			return err
		}
		if !ok || person != who.PersonID && !who.Everywhere(Admin) {
			return notFound("second factor")
		}
		if _, err := tx.Exec(ctx, `DELETE FROM factors WHERE id = ?`, id); err != nil {
			return err
		}
		left, err := hasFactor(ctx, tx, person)
		if err != nil {
			return err
		}
		if !left {
			if _, err := tx.Exec(ctx, `DELETE FROM recovery_codes WHERE person_id = ?`, person); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE sign_ins SET ended_at = ? WHERE person_id = ? AND ended_at IS NULL AND id <> ?`, control.Micros(d.now()), person, who.SignInID); err != nil {
			return err
		}
		return record(ctx, tx, who, "admin.factor_removed", "remove", id, map[string]any{"person": person}, nil)
	})
}

// Refresh takes a code of the person's second factor, or a recovery code, and
// makes the session count as fresh for FreshFor.
func (d *Directory) Refresh(ctx context.Context, who Principal, code string) (until time.Time, err error) {
	if who.Kind != KindPerson {
		return time.Time{}, fault.New(fault.KindDenied, "identity.person_only", "only a person's session has a second factor").WithHint("sign in as a person")
	}
	if !who.HasFactor {
		return time.Time{}, NeedFresh(who, d.now())
	}
	if err := d.tryCode(ctx, who.PersonID, code); err != nil {
		return time.Time{}, err
	}
	return d.freshened(ctx, who)
}

// freshened makes a session count as fresh from now on.
func (d *Directory) freshened(ctx context.Context, who Principal) (until time.Time, err error) {
	now := d.now()
	err = d.db.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE sign_ins SET factor_at = ? WHERE id = ? AND ended_at IS NULL`, control.Micros(now), who.SignInID)
		if err != nil {
			return err
		}
		if n == 0 {
			return ended()
		}
		return record(ctx, tx, who, "sign_in.factor", "refresh", who.SignInID, nil, nil)
	})
	return now.Add(FreshFor), err
}

// tryCode spends a code in a transaction of its own, so that a code counts as
// used whatever comes after it. Wrong ones are limited by person.
func (d *Directory) tryCode(ctx context.Context, person, code string) error {
	if wait, ok := d.byFactor.take(person, d.now()); !ok {
		return tooMany(wait)
	}
	var ok bool
	err := d.db.Write(ctx, func(tx *control.Tx) (err error) {
		ok, err = d.spendCode(ctx, tx, person, "", code)
		return err
	})
	if err != nil {
		return err
	}
	if !ok {
		d.log.Info("second factor refused", "person", person)
		return errCode()
	}
	d.byFactor.giveBack(person, d.now())
	return nil
}

func errCode() error {
	return fault.New(fault.KindDenied, "identity.factor", "the code is wrong, too old or was used before").
		WithHint("wait for the next code; the device's clock must be right")
}

// spendCode looks for a factor of the person (or the one with id, confirmed or
// not) that the code is of, and takes the code out of use.
func (d *Directory) spendCode(ctx context.Context, tx *control.Tx, person, id, code string) (bool, error) {
	code = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code)
	if len(code) == recoveryLen && id == "" {
		n, err := tx.Exec(ctx, `UPDATE recovery_codes SET used_at = ? WHERE person_id = ? AND hash = ? AND used_at IS NULL`,
			control.Micros(d.now()), person, hashSecret(code))
		return n == 1, err
	}
	if len(code) != 6 {
		return false, nil
	}
	type row struct {
		id, secret string
		last       int64
	}
	rows, err := control.All(ctx, tx, func(r control.Row) (x row, err error) { return x, r.Scan(&x.id, &x.secret, &x.last) },
		`SELECT id, secret, last_step FROM factors WHERE person_id = ? AND kind = ? AND (id = ? OR (? = '' AND confirmed_at IS NOT NULL))`, person, kindTOTP, id, id)
	if err != nil {
		return false, err
	}
	now := d.now()
	for _, f := range rows {
		secret, err := d.unseal(f.id, f.secret)
		if err != nil {
			return false, err
		}
		step, ok, err := matchTOTP(secret, code, now, f.last)
		if err != nil {
			return false, err
		}
		if !ok {
			continue
		}
		_, err = tx.Exec(ctx, `UPDATE factors SET last_step = ?, used_at = ? WHERE id = ?`, step, control.Micros(now), f.id)
		return err == nil, err
	}
	return false, nil
}

// matchTOTP finds the step of time that a code is of, later than last. Every
// step is compared, so that the time taken tells nothing.
func matchTOTP(secret []byte, code string, now time.Time, last int64) (step int64, ok bool, err error) {
	at := now.Unix() / int64(totpPeriod/time.Second)
	text := base32Of(secret)
	for s := at - totpSkew; s <= at+totpSkew; s++ {
		want, err := hotp.GenerateCodeCustom(text, uint64(s), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, false, fmt.Errorf("reading a second factor: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && s > last {
			step, ok = s, true
		}
	}
	return step, ok, nil
}

// Secrets of factors are stored as "plain:" or "sealed:" and base64.
func (d *Directory) seal(id string, secret []byte) (string, error) {
	if d.sealer == nil {
		return "plain:" + base64.RawStdEncoding.EncodeToString(secret), nil
	}
	sealed, err := d.sealer.Seal("factor "+id, secret)
	if err != nil {
		return "", err
	}
	return "sealed:" + base64.RawStdEncoding.EncodeToString(sealed), nil
}

func (d *Directory) unseal(id, stored string) ([]byte, error) {
	how, text, _ := strings.Cut(stored, ":")
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err == nil && how == "sealed" {
		if d.sealer == nil {
			return nil, fault.New(fault.KindUnavailable, "identity.sealed", "second factors are sealed and the passphrase is missing").
				WithHint("start with the passphrase that sealed them")
		}
		return d.sealer.Unseal("factor "+id, raw)
	}
	if err != nil {
		return nil, fault.New(fault.KindInternal, "identity.damaged", "a second factor cannot be read").WithCause(err)
	}
	return raw, nil
}

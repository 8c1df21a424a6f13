package identity

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"reeve/internal/control"
	"reeve/internal/fault"
)

const (
	idleLife   = time.Hour
	signInLife = 12 * time.Hour
	maxSignIns = 20 // of one person; the oldest ends
)

// SignIn is a person's session in a browser.
type SignIn struct {
	ID        string
	PersonID  string
	Address   string
	Agent     string // the browser, as it names itself
	CreatedAt time.Time
	LastUsed  time.Time
	ExpiresAt time.Time // when it ends if nobody uses it before
	FactorAt  time.Time // when it last showed a second factor; zero: never
}

// NewSignIn is what the browser gets, once: Cookie as an HttpOnly cookie,
// Secret for the header of each request, since cookies ignore ports and other
// pages of the same host could use them.
type NewSignIn struct {
	SignIn SignIn
	Cookie string
	Secret string
	Person Person
}

func endOf(created, used time.Time) time.Time {
	idle, end := used.Add(idleLife), created.Add(signInLife)
	if idle.Before(end) {
		return idle
	}
	return end
}

func tooMany(wait time.Duration) error {
	return fault.New(fault.KindExhausted, "identity.too_many", "too many attempts").
		WithHint("try again in %d seconds", int(wait.Seconds())+1)
}

// admit spends an attempt to sign in. giveBack undoes it for an attempt that
// was no wrong guess; without ok, wait is how long until the next.
//
// The low limit is for a name from one address, so that guesses from elsewhere
// do not lock anybody out. Guesses spread over addresses meet a limit of the
// name, and one address trying many names meets one of the address; neither
// refuses somebody who signed in from that address before. Behind a proxy of
// this host everybody has the address of the loopback, so it has no limit.
func (d *Directory) admit(ctx context.Context, name, address string) (giveBack func(), wait time.Duration, ok bool, err error) {
	var spent []func()
	giveBack = func() {
		for _, f := range spent {
			f()
		}
	}
	take := func(l *limiter, key string) (time.Duration, bool) {
		wait, ok := l.take(key, d.now())
		if ok {
			spent = append(spent, func() { l.giveBack(key, d.now()) })
		}
		return wait, ok
	}
	if wait, ok = take(d.byPair, name+"\x00"+address); !ok {
		return giveBack, wait, false, nil
	}
	if wait, ok = take(d.byName, name); ok && !loopback(address) {
		wait, ok = take(d.byAddr, address)
	}
	if !ok {
		if ok, err = d.familiar(ctx, name, address); !ok {
			giveBack() // it was not tried: it must not count against the others
		}
	}
	return giveBack, wait, ok, err
}

func loopback(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && a.Unmap().IsLoopback()
}

// familiar tells whether the person signed in from the address before, in as
// much as sign-ins are kept.
func (d *Directory) familiar(ctx context.Context, name, address string) (bool, error) {
	_, ok, err := control.One(ctx, d.db, scanText, `SELECT s.id FROM people p JOIN sign_ins s ON s.person_id = p.id
		WHERE p.name = ? AND s.address = ? LIMIT 1`, name, address)
	return ok, err
}

// SignIn checks a name and password and opens a session. Failures count (see
// admit); beyond a burst they are refused with identity.too_many before any
// work.
//
// A person with a second factor also gives a code of it: identity.factor_needed
// without one, identity.factor for a wrong one.
func (d *Directory) SignIn(ctx context.Context, name, password, code, address, agent string) (NewSignIn, error) {
	name, address = strings.ToLower(strings.TrimSpace(name)), clip(address, 100)
	if len(name) > 100 || len(password) > maxPassword {
		return NewSignIn{}, errSignIn()
	}
	giveBack, wait, ok, err := d.admit(ctx, name, address)
	if err != nil {
		return NewSignIn{}, err
	}
	if !ok {
		return NewSignIn{}, tooMany(wait)
	}
	type account struct{ id, hash string }
	a, _, err := control.One(ctx, d.db, func(r control.Row) (a account, err error) { return a, r.Scan(&a.id, &a.hash) },
		`SELECT id, password FROM people WHERE name = ? AND disabled = 0 AND (ends_at IS NULL OR ends_at > ?)`, name, control.Micros(d.now()))
	if err != nil {
		giveBack()
		return NewSignIn{}, err
	}
	if ok, err = d.hasher.verify(ctx, password, a.hash); err != nil {
		giveBack()
		return NewSignIn{}, err
	}
	if !ok {
		// Not in the audit log: strangers must not be able to fill it.
		d.log.Info("sign-in refused", "name", name, "address", address)
		return NewSignIn{}, errSignIn()
	}
	giveBack()
	second, err := hasFactor(ctx, d.db, a.id)
	if err != nil {
		return NewSignIn{}, err
	}
	var factorAt time.Time
	if second {
		if code == "" {
			return NewSignIn{}, fault.New(fault.KindUnauthenticated, "identity.factor_needed", "this account has a second factor").
				WithHint("give the current code of your authenticator, or a recovery code; or sign in with your passkey instead")
		}
		if err := d.tryCode(ctx, a.id, code); err != nil {
			return NewSignIn{}, err
		}
		factorAt = d.now()
	}
	return d.open(ctx, a.id, address, agent, factorAt)
}

func errSignIn() error {
	return fault.New(fault.KindUnauthenticated, "identity.sign_in", "name or password is wrong").
		WithHint("an admin can set a new password")
}

func (d *Directory) open(ctx context.Context, person, address, agent string, factorAt time.Time) (NewSignIn, error) {
	now := d.now().UTC().Truncate(time.Microsecond)
	n := NewSignIn{Cookie: randomSecret(), Secret: randomSecret(), SignIn: SignIn{
		ID: newID("sgn_", now), PersonID: person, Address: clip(address, 100), Agent: clip(agent, 200),
		CreatedAt: now, LastUsed: now, ExpiresAt: endOf(now, now),
	}}
	s := n.SignIn
	err := d.db.Write(ctx, func(tx *control.Tx) (err error) {
		if n.Person, err = readPerson(ctx, tx, person); err != nil {
			return err
		}
		if n.Person.off(now) { // since the password was checked
			return errSignIn()
		}
		if _, err := tx.Exec(ctx, `INSERT INTO sign_ins (id, person_id, cookie_hash, secret_hash, address, agent, created_at, used_at, factor_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			s.ID, person, hashSecret(n.Cookie), hashSecret(n.Secret), s.Address, s.Agent, control.Micros(now), control.Micros(now), optionalMicros(factorAt)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE sign_ins SET ended_at = ? WHERE person_id = ? AND ended_at IS NULL AND id NOT IN
			(SELECT id FROM sign_ins WHERE person_id = ? AND ended_at IS NULL ORDER BY created_at DESC, id DESC LIMIT ?)`,
			control.Micros(now), person, person, maxSignIns); err != nil {
			return err
		}
		who := Principal{Kind: KindPerson, PersonID: person, SignInID: s.ID}
		return record(ctx, tx, who, "sign_in.opened", "sign_in", s.ID, nil, nil)
	})
	return n, err
}

// optionalMicros is a time for a column that may be empty.
func optionalMicros(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	us := control.Micros(t)
	return &us
}

// clip cuts outside text to n bytes of valid UTF-8.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}

const signInColumns = `id, person_id, address, agent, created_at, used_at, factor_at FROM sign_ins`

func (d *Directory) scanSignIn(r control.Row, more ...any) (s SignIn, err error) {
	var created, used int64
	var factor *int64
	err = r.Scan(append([]any{&s.ID, &s.PersonID, &s.Address, &s.Agent, &created, &used, &factor}, more...)...)
	if factor != nil {
		s.FactorAt = control.Time(*factor)
	}
	s.CreatedAt = control.Time(created)
	s.LastUsed = d.lastUse("sign_ins", s.ID, control.Time(used))
	s.ExpiresAt = endOf(s.CreatedAt, s.LastUsed)
	return s, err
}

// Session finds who a cookie and its header secret belong to; identity.session
// when they belong to nobody, no longer, or not together.
func (d *Directory) Session(ctx context.Context, cookie, secret string) (Principal, error) {
	refused := fault.New(fault.KindUnauthenticated, "identity.session", "the session has ended").WithHint("sign in again")
	if cookie == "" || len(cookie) > 100 || len(secret) > 100 {
		return Principal{}, refused
	}
	type row struct {
		SignIn
		secret string
	}
	s, ok, err := control.One(ctx, d.db, func(r control.Row) (s row, err error) {
		var hash string
		s.SignIn, err = d.scanSignIn(rowAfter{r, &hash})
		s.secret = hash
		return s, err
	}, `SELECT secret_hash, `+signInColumns+` WHERE cookie_hash = ? AND ended_at IS NULL`, hashSecret(cookie))
	if err != nil {
		return Principal{}, err
	}
	now := d.now()
	if !ok || !sameSecret(secret, s.secret) || !now.Before(s.ExpiresAt) {
		return Principal{}, refused
	}
	p, err := d.Person(ctx, s.PersonID)
	if err != nil {
		return Principal{}, err
	}
	if p.off(now) {
		return Principal{}, refused
	}
	second, err := hasFactor(ctx, d.db, p.ID)
	if err != nil {
		return Principal{}, err
	}
	d.touch("sign_ins", s.ID, now)
	return Principal{
		Kind: KindPerson, PersonID: p.ID, Name: p.Name, SignInID: s.ID, Grants: p.Grants, ExpiresAt: endOf(s.CreatedAt, now),
		HasFactor: second, FactorAt: s.FactorAt,
	}, nil
}

// rowAfter scans one more column before the others.
type rowAfter struct {
	control.Row
	first any
}

func (r rowAfter) Scan(dest ...any) error { return r.Row.Scan(append([]any{r.first}, dest...)...) }

// SignIns lists open sessions, newest first: one's own, or everybody's for an
// admin.
func (d *Directory) SignIns(ctx context.Context, who Principal, everybody bool) ([]SignIn, error) {
	person := who.PersonID
	if everybody {
		if !who.Everywhere(Admin) {
			return nil, denied("seeing everybody's sign-ins", Admin)
		}
		person = Everything
	}
	all, err := control.All(ctx, d.db, func(r control.Row) (SignIn, error) { return d.scanSignIn(r) },
		`SELECT `+signInColumns+` WHERE ended_at IS NULL AND created_at > ? AND (person_id = ? OR ? = '*') ORDER BY created_at DESC LIMIT 1000`,
		control.Micros(d.now().Add(-signInLife)), person, person)
	if err != nil {
		return nil, err
	}
	now := d.now()
	open := all[:0]
	for _, s := range all {
		if now.Before(s.ExpiresAt) {
			open = append(open, s)
		}
	}
	return open, nil
}

// EndSignIn ends a session at once: one's own, or anybody's for an admin.
func (d *Directory) EndSignIn(ctx context.Context, who Principal, id string) error {
	return d.db.Write(ctx, func(tx *control.Tx) error {
		owner, ok, err := control.One(ctx, tx, scanText, `SELECT person_id FROM sign_ins WHERE id = ? AND ended_at IS NULL`, id)
		if err != nil {
			return err
		}
		if !ok || owner != who.PersonID && !who.Everywhere(Admin) {
			return notFound("sign-in")
		}
		if _, err := tx.Exec(ctx, `UPDATE sign_ins SET ended_at = ? WHERE id = ?`, control.Micros(d.now()), id); err != nil {
			return err
		}
		return record(ctx, tx, who, "sign_in.ended", "end", id, nil, nil)
	})
}

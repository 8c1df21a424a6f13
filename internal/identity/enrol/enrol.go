// Package enrol gives agent instances their certificates and JWT-SVIDs.
//
// What for: a new instance shows a one-time join token, a token of its own
// platform or an agent key, proves a key of its own with a certificate request,
// and gets an X.509-SVID for an hour; with it it renews itself and asks for
// JWT-SVIDs.
//
// Who calls it: app mounts Handler on the door's listener; the Workload API
// issues through it; api makes join tokens; app tells it of stops.
//
// Promises: a join token or platform token is good once, also after a restart,
// and is not spent when no certificate came of it. Instance ids are made here
// and never used again; a renewal keeps its own. What is issued is on disk
// before it is handed out, and goes onto the revocation list when its agent is
// stopped or retired. Safe for concurrent use.
//
// How it fails: enrol.credential (unauthenticated) for whatever is wrong with
// what was shown, ca.csr for the request, enrol.invalid, enrol.not_found,
// enrol.too_many; token.no_agent and stop.* when the agent may have nothing now.
//
// Start reading at Desk.Handler, then Desk.Issue.
package enrol

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/identity/ca"
	"reeve/internal/identity/token"
)

// Options are what a Desk needs; Now and Logger may be left out.
type Options struct {
	DB       *control.DB
	CA       *ca.CA
	Keys     *token.Keys
	Verifier *token.Verifier
	Agents   token.Agents
	// Key finds the agent of an agent key that is used from an address.
	Key func(text, remote string) (agent, keyID string, err error)
	// Workload verifies a platform's token for enrolment.
	Workload func(ctx context.Context, text string) (token.Principal, error)
	Now      func() time.Time
	Logger   *slog.Logger
}

// Desk issues to agent instances.
type Desk struct {
	o       Options
	stopped chan string
}

// Bounds.
const (
	MaxJoinLife     = 7 * 24 * time.Hour
	DefaultJoinLife = time.Hour
	maxJoin         = 100    // unused ones of an agent
	maxLive         = 10_000 // certificates of an agent that have not ended
	maxLabel        = 200
)

// New makes a Desk. Run keeps it tidy.
func New(o Options) *Desk {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Desk{o: o, stopped: make(chan string, 1024)}
}

// Stopped says that an agent's epoch was raised or that it was retired: what
// was issued before goes onto the revocation list. It does not wait; the door
// refuses by epoch at once, the list is for others.
func (d *Desk) Stopped(agent string) {
	select {
	case d.stopped <- agent:
	default: // the next round of Run looks at every agent
	}
}

// Run puts certificates of stopped agents onto the revocation list and forgets
// what has ended, until ctx ends, whose cause it returns.
func (d *Desk) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	only := ""
	for {
		if err := d.round(ctx, only); err != nil && ctx.Err() == nil {
			d.o.Logger.ErrorContext(ctx, "certificates of stopped agents are not on the revocation list yet", "err", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case only = <-d.stopped:
		case <-tick.C:
			only = ""
		}
	}
}

type issued struct {
	serial, agent string
	epoch         int64
	expires       time.Time
}

// round looks at one agent's certificates, or at all.
func (d *Desk) round(ctx context.Context, agent string) error {
	now := d.o.Now()
	query, args := `SELECT serial, agent, epoch, expires_at FROM svids WHERE expires_at > ?`, []any{control.Micros(now)}
	if agent != "" {
		query, args = query+` AND agent = ?`, append(args, agent)
	}
	list, err := control.All(ctx, d.o.DB, func(r control.Row) (i issued, err error) {
		var expires int64
		err = r.Scan(&i.serial, &i.agent, &i.epoch, &expires)
		i.expires = control.Time(expires)
		return i, err
	}, query, args...)
	if err != nil {
		return err
	}
	dead := map[string]time.Time{}
	epochs := map[string]int64{}
	for _, i := range list {
		epoch, ok := epochs[i.agent]
		if !ok {
			a, err := d.o.Agents(i.agent)
			if err != nil && a.Name == "" {
				a.Epoch = 1<<62 - 1 // not there or retired: every certificate is dead
			}
			epoch = a.Epoch
			epochs[i.agent] = epoch
		}
		if i.epoch < epoch {
			dead[i.serial] = i.expires
		}
	}
	if err := d.o.CA.RevokeAll(dead); err != nil {
		return err
	}
	if agent != "" {
		return nil
	}
	return d.o.DB.Write(ctx, func(tx *control.Tx) error {
		for _, q := range []string{`DELETE FROM svids WHERE expires_at < ?`, `DELETE FROM join_tokens WHERE expires_at < ?`} {
			if _, err := tx.Exec(ctx, q, control.Micros(now.Add(-time.Hour))); err != nil {
				return err
			}
		}
		return nil
	})
}

// JoinToken is a one-time token by which an instance of an agent enrols.
type JoinToken struct {
	ID        string
	Agent     string
	Label     string
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // zero: not yet
	Instance  string    // that it made
}

const joinPrefix = "rvj_"

var lower32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// random is n bytes in 8n/5 lower-case characters.
func random(n int) string {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic(err) // documented never to happen
	}
	return lower32.EncodeToString(b)
}

// CreateJoinToken makes a join token; secret is shown once. life 0 is
// DefaultJoinLife. Callers have checked who asks.
func (d *Desk) CreateJoinToken(ctx context.Context, by string, agent token.Agent, label string, life time.Duration) (j JoinToken, secret string, err error) {
	if life = cmp.Or(life, DefaultJoinLife); life < time.Second || life > MaxJoinLife {
		return j, "", fault.New(fault.KindInvalid, "enrol.invalid", "a join token lives a week at most")
	}
	if len(label) > maxLabel || strings.ContainsFunc(label, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return j, "", fault.New(fault.KindInvalid, "enrol.invalid", "a label is a line of at most %d bytes", maxLabel)
	}
	now := d.o.Now().UTC().Truncate(time.Microsecond)
	j = JoinToken{ID: joinPrefix + random(10), Agent: agent.Name, Label: label, CreatedAt: now, ExpiresAt: now.Add(life)}
	secret = j.ID + "_" + random(25)
	sum := sha256.Sum256([]byte(secret))
	err = d.o.DB.Write(ctx, func(tx *control.Tx) error {
		n, _, err := control.One(ctx, tx, func(r control.Row) (n int, err error) { return n, r.Scan(&n) },
			`SELECT count(*) FROM join_tokens WHERE agent = ? AND used_at IS NULL AND expires_at > ?`, agent.Name, control.Micros(now))
		if err != nil {
			return err
		}
		if n >= maxJoin {
			return fault.New(fault.KindExhausted, "enrol.too_many", "agent %s has %d unused join tokens", agent.Name, n).WithHint("revoke some")
		}
		if _, err := tx.Exec(ctx, `INSERT INTO join_tokens (id, agent, hash, label, epoch, created_by, created_at, expires_at, instance) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '')`,
			j.ID, j.Agent, hex.EncodeToString(sum[:]), label, agent.Epoch, by, control.Micros(now), control.Micros(j.ExpiresAt)); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{
			Kind: "admin.join_token_created", Person: by, Action: "create", Object: j.ID, After: map[string]any{"agent": j.Agent, "label": label, "expires_at": control.Micros(j.ExpiresAt)},
		})
	})
	return j, secret, err
}

// JoinTokens lists an agent's join tokens, the newest first.
func (d *Desk) JoinTokens(ctx context.Context, agent string) ([]JoinToken, error) {
	return control.All(ctx, d.o.DB, func(r control.Row) (j JoinToken, err error) {
		var created, expires int64
		var used *int64
		if err := r.Scan(&j.ID, &j.Agent, &j.Label, &created, &expires, &used, &j.Instance); err != nil {
			return j, err
		}
		j.CreatedAt, j.ExpiresAt = control.Time(created), control.Time(expires)
		if used != nil {
			j.UsedAt = control.Time(*used)
		}
		return j, nil
	}, `SELECT id, agent, label, created_at, expires_at, used_at, instance FROM join_tokens WHERE agent = ? ORDER BY created_at DESC, id LIMIT 500`, agent)
}

// RevokeJoinToken ends an unused join token. Callers have checked who asks.
func (d *Desk) RevokeJoinToken(ctx context.Context, by, agent, id string) error {
	return d.o.DB.Write(ctx, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM join_tokens WHERE id = ? AND agent = ? AND used_at IS NULL`, id, agent)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.KindNotFound, "enrol.not_found", "agent %s has no such unused join token", agent)
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "revoke", Person: by, Action: "revoke_join_token", Object: id})
	})
}

// Proof is what an instance showed to get an SVID.
type Proof struct {
	Agent    token.Agent
	Instance string // of a renewal; "" makes a new one
	Via      string // join_token, agent_key, foreign_token, x509_svid, workload_api
	ID       string // of the credential

	spend func(ctx context.Context, tx *control.Tx, instance string) error // nil: nothing to spend
}

// Issue makes an X.509-SVID for the key of a certificate request (DER) and
// spends what was shown, both or neither. life 0 is the longest.
func (d *Desk) Issue(ctx context.Context, p Proof, csr []byte, life time.Duration) (*ca.SVID, string, error) {
	instance := cmp.Or(p.Instance, NewInstance())
	var out *ca.SVID
	err := d.o.DB.Write(ctx, func(tx *control.Tx) error {
		n, _, err := control.One(ctx, tx, func(r control.Row) (n int, err error) { return n, r.Scan(&n) },
			`SELECT count(*) FROM svids WHERE agent = ? AND expires_at > ?`, p.Agent.Name, control.Micros(d.o.Now()))
		if err != nil {
			return err
		}
		if n >= maxLive {
			return fault.New(fault.KindExhausted, "enrol.too_many", "agent %s has %d living certificates", p.Agent.Name, n).WithHint("its instances renew too often, or there are too many of them")
		}
		if p.spend != nil {
			if err := p.spend(ctx, tx, instance); err != nil {
				return err
			}
		}
		if out, err = d.o.CA.Issue(csr, p.Agent.Name, instance, p.Agent.Epoch, life); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO svids (serial, agent, instance, epoch, via, issued_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			out.Serial, p.Agent.Name, instance, p.Agent.Epoch, p.Via, control.Micros(d.o.Now()), control.Micros(out.NotAfter))
		return err
	})
	if err != nil {
		return nil, "", err
	}
	d.o.Logger.InfoContext(ctx, "SVID issued", "agent", p.Agent.Name, "instance", instance, "via", p.Via, "credential", p.ID, "serial", out.Serial)
	return out, instance, nil
}

// NewInstance makes an instance id: 100 random bits, so that none comes twice.
func NewInstance() string { return "i-" + random(13)[:20] }

// RevokeCertificate ends a living certificate of an agent by its serial, and
// reports whether there is one. Callers have checked who asks.
func (d *Desk) RevokeCertificate(ctx context.Context, by, agent, serial, reason string) (bool, error) {
	expires, ok, err := control.One(ctx, d.o.DB, func(r control.Row) (us int64, err error) { return us, r.Scan(&us) },
		`SELECT expires_at FROM svids WHERE serial = ? AND agent = ?`, serial, agent)
	if err != nil || !ok {
		return false, err
	}
	if err := d.o.CA.Revoke(serial, control.Time(expires)); err != nil {
		return false, err
	}
	return true, d.o.DB.Write(ctx, func(tx *control.Tx) error {
		return audit.Append(ctx, tx, audit.Record{Kind: "revoke", Person: by, Action: "revoke_certificate", Object: serial, Reason: reason})
	})
}

func refuse(cause error) error {
	return fault.New(fault.KindUnauthenticated, "enrol.credential", "this enrols nobody").WithCause(cause).
		WithHint("a join token is good once and for an hour: `reeve agent join-token create AGENT` makes one")
}

// byJoinToken finds the agent of a join token; Issue spends it.
func (d *Desk) byJoinToken(ctx context.Context, text string) (Proof, error) {
	id, _, ok := strings.Cut(strings.TrimPrefix(text, joinPrefix), "_")
	if !ok || !strings.HasPrefix(text, joinPrefix) || len(text) > 128 {
		return Proof{}, refuse(errors.New("not a join token"))
	}
	id = joinPrefix + id
	type row struct {
		agent, hash string
		epoch       int64
		expires     int64
		used        *int64
	}
	r, ok, err := control.One(ctx, d.o.DB, func(s control.Row) (r row, err error) {
		return r, s.Scan(&r.agent, &r.hash, &r.epoch, &r.expires, &r.used)
	},
		`SELECT agent, hash, epoch, expires_at, used_at FROM join_tokens WHERE id = ?`, id)
	if err != nil {
		return Proof{}, err
	}
	sum := sha256.Sum256([]byte(text))
	if !ok || subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(r.hash)) != 1 {
		return Proof{}, refuse(errors.New("unknown join token"))
	}
	a, err := d.o.Agents(r.agent)
	if err != nil {
		return Proof{}, err
	}
	if r.used != nil || r.expires <= control.Micros(d.o.Now()) || r.epoch < a.Epoch {
		return Proof{}, refuse(errors.New("a join token that was used, has expired or is older than a stop"))
	}
	return Proof{Agent: a, Via: "join_token", ID: id, spend: func(ctx context.Context, tx *control.Tx, instance string) error {
		now := control.Micros(d.o.Now())
		n, err := tx.Exec(ctx, `UPDATE join_tokens SET used_at = ?, instance = ? WHERE id = ? AND used_at IS NULL AND expires_at > ?`, now, instance, id, now)
		if err == nil && n == 0 {
			return refuse(errors.New("a join token that was used"))
		}
		if err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "enrolled", Person: "agent:" + a.Name, Via: id, Action: "enrol", Object: a.Name + "/" + instance})
	}}, nil
}

// byWorkload finds the agent of a platform's token, which enrols once.
func (d *Desk) byWorkload(ctx context.Context, text string) (Proof, error) {
	p, err := d.o.Workload(ctx, text)
	if err != nil {
		return Proof{}, err
	}
	if p.Agent == "" || !slices.Contains(p.Uses, "enrol") {
		return Proof{}, refuse(errors.New("the token's issuer is not registered to enrol this"))
	}
	a, err := d.o.Agents(p.Agent)
	if err != nil {
		return Proof{}, err
	}
	if p.Epoch < a.Epoch {
		return Proof{}, refuse(errors.New("issued before its agent was stopped"))
	}
	sum := sha256.Sum256([]byte("enrol\x00" + text))
	return Proof{Agent: a, Via: "foreign_token", ID: p.CredentialID, spend: func(ctx context.Context, tx *control.Tx, instance string) error {
		n, err := tx.Exec(ctx, `INSERT INTO spent_ids (hash, expires_at) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING`, hex.EncodeToString(sum[:]), control.Micros(p.Expires.Add(2*token.Leeway)))
		if err == nil && n == 0 {
			return refuse(errors.New("a workload token that was used"))
		}
		if err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{
			Kind: "enrolled", Person: "agent:" + a.Name, Via: p.CredentialID, Action: "enrol", Object: a.Name + "/" + instance, After: p.Identity,
		})
	}}, nil
}

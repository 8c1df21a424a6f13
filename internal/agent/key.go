package agent

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"hash/crc32"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"reeve/internal/control"
	"reeve/internal/fault"
)

// A key in text is a prefix and public id, "_", a secret and a check, so that a
// scanner finds it, a list can name it and a typing error costs no look-up:
//
//	rvk_ 0123456789ab _ <32 base62> <6 base62: CRC-32 of all before>
const (
	keyPrefix = "rvk_"
	publicLen = 12
	secretLen = 32
	checkLen  = 6
	idLen     = len(keyPrefix) + publicLen
	keyLen    = idLen + 1 + secretLen + checkLen
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Bounds of keys.
const (
	MaxKeyLife     = 90 * 24 * time.Hour
	DefaultKeyLife = 30 * 24 * time.Hour
	maxKeys        = 50 // living ones of an agent
	maxNetworks    = 32
	// A dead key is remembered for so long, to tell its holder how it died.
	mourning = 7 * 24 * time.Hour
)

// Key is a credential of an agent for clients that know only API keys. Copies
// of an agent that share one cannot be told apart.
type Key struct {
	ID        string
	Agent     string
	Label     string
	Networks  []netip.Prefix // from where it may be used; none: from anywhere
	Epoch     int64          // of the agent when it was made
	CreatedAt time.Time
	ExpiresAt time.Time
	LastUsed  time.Time // zero: never
	RevokedAt time.Time // zero: not
}

type keyEntry struct {
	key     Key // never changes
	hash    [sha256.Size]byte
	revoked atomic.Int64 // µs
	fell    atomic.Bool  // revoked with all of its agent's, by a stop or its retirement
	used    atomic.Int64 // µs
	flushed atomic.Int64 // µs
}

// Key finds the key that a client presents from an address, and its agent. It
// takes no lock and no database, about a microsecond.
func (r *Registry) Key(text string, from netip.Addr) (Key, *Agent, error) {
	k, ok := r.present(text)
	now := r.now()
	if !ok || !now.Before(k.key.ExpiresAt) || !allowed(k.key.Networks, from) {
		return Key{}, nil, errKey()
	}
	a, ok := r.Lookup(k.key.Agent)
	if !ok {
		return Key{}, nil, errKey()
	}
	if k.revoked.Load() > 0 || k.key.Epoch < a.Epoch || a.Lifecycle == Retired {
		return Key{}, nil, k.obituary(a)
	}
	raise(&k.used, control.Micros(now))
	return k.key, a, nil
}

// present finds the key whose text is this, living or not.
func (r *Registry) present(text string) (*keyEntry, bool) {
	id, ok := parseKey(text)
	if !ok {
		return nil, false
	}
	v, ok := r.keys.Load(id)
	if !ok {
		return nil, false
	}
	k := v.(*keyEntry)
	sum := sha256.Sum256([]byte(text))
	return k, subtle.ConstantTimeCompare(sum[:], k.hash[:]) == 1
}

func errKey() error {
	return fault.New(fault.KindUnauthenticated, "agent.key", "the agent key is not valid").
		WithHint("`reeve agent key create AGENT` makes one; it may have expired, been revoked, or be bound to other networks")
}

// obituary says how a key died. Only who holds its whole text, where it may be
// used, is told: strangers learn nothing, not even that it was there.
func (k *keyEntry) obituary(a *Agent) error {
	at := ""
	if t := k.revoked.Load(); t > 0 {
		at = " at " + control.Time(t).UTC().Format(time.RFC3339)
	}
	told := func(what, then string) error {
		return fault.New(fault.KindUnauthenticated, "agent.key", "the agent key was revoked%s%s", at, what).WithHint("%s", then)
	}
	anew := "the agent's owner can make a new one: `reeve agent key create " + a.Name + "`"
	switch {
	case a.Lifecycle == Retired:
		return told(": its agent is retired", "a retired agent stays retired; its owner knows what does its work now")
	case k.fell.Load() || k.revoked.Load() == 0:
		return told(" by a stop of its agent", "lifting the stop does not revive it; "+anew)
	}
	return told("", anew)
}

func allowed(networks []netip.Prefix, from netip.Addr) bool {
	from = from.Unmap().WithZone("")
	return len(networks) == 0 || slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(from) })
}

const keyColumns = `id, agent, label, hash, networks, epoch, created_at, expires_at, used_at, revoked_at FROM agent_keys`

func scanKey(s control.Row) (*keyEntry, error) {
	k := &keyEntry{}
	var hash, networks string
	var created, expires int64
	var used, revoked *int64
	if err := s.Scan(&k.key.ID, &k.key.Agent, &k.key.Label, &hash, &networks, &k.key.Epoch, &created, &expires, &used, &revoked); err != nil {
		return nil, err
	}
	if _, err := hex.Decode(k.hash[:], []byte(hash)); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(networks), &k.key.Networks); err != nil {
		return nil, err
	}
	k.key.CreatedAt, k.key.ExpiresAt = control.Time(created), control.Time(expires)
	if used != nil {
		k.key.LastUsed = control.Time(*used)
		k.used.Store(*used)
		k.flushed.Store(*used)
	}
	if revoked != nil {
		k.key.RevokedAt = control.Time(*revoked)
		k.revoked.Store(*revoked)
	}
	return k, nil
}

// NewKey is a key to make.
type NewKey struct {
	Label    string
	Networks []string      // addresses or prefixes; none: from anywhere
	Life     time.Duration // 0 is DefaultKeyLife
}

// CreateKey makes a key of an agent; secret is shown once. Developer or
// security.
func (r *Registry) CreateKey(ctx context.Context, who Actor, agent string, n NewKey) (k Key, secret string, err error) {
	if n.Life == 0 {
		n.Life = DefaultKeyLife
	}
	networks, err := readNetworks(n.Networks)
	switch {
	case err != nil:
		return Key{}, "", err
	case n.Label == "" || !plain(n.Label, maxText):
		return Key{}, "", invalid("an agent key needs a label of at most %d bytes", maxText).WithHint("say where it is used")
	case n.Life < time.Second || n.Life > MaxKeyLife:
		return Key{}, "", invalid("an agent key lives 90 days at most")
	}
	id, secret := mintKey()
	var e *keyEntry
	err = r.db.Write(ctx, func(tx *control.Tx) error {
		a, err := load(ctx, tx, agent)
		if err != nil {
			return err
		}
		if err := who.need(a, "making a key for", developer, security); err != nil {
			return err
		}
		if err := alive(a); err != nil {
			return err
		}
		if err := r.permitKey(a, n.Life); err != nil {
			return err
		}
		now := r.now().UTC().Truncate(time.Microsecond)
		living, _, err := control.One(ctx, tx, func(s control.Row) (n int, err error) { return n, s.Scan(&n) },
			`SELECT count(*) FROM agent_keys WHERE agent = ? AND revoked_at IS NULL AND expires_at > ?`, agent, control.Micros(now))
		if err != nil {
			return err
		}
		if living >= maxKeys {
			return fault.New(fault.KindExhausted, "agent.too_many_keys", "agent %s has %d keys already", agent, living).WithHint("revoke some")
		}
		e = &keyEntry{hash: sha256.Sum256([]byte(secret)), key: Key{
			ID: id, Agent: agent, Label: n.Label, Networks: networks, Epoch: a.Epoch, CreatedAt: now, ExpiresAt: now.Add(n.Life),
		}}
		list, err := json.Marshal(networks)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO agent_keys (id, agent, label, hash, networks, epoch, created_by, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			id, agent, n.Label, hex.EncodeToString(e.hash[:]), string(list), a.Epoch, who.Person, control.Micros(now), control.Micros(e.key.ExpiresAt)); err != nil {
			return err
		}
		tx.AfterCommit(func() { r.keys.Store(id, e) })
		return record(ctx, tx, who, "admin.agent_key_created", "create", id, "", nil, map[string]any{
			"agent": agent, "label": n.Label, "networks": texts(networks), "expires_at": control.Micros(e.key.ExpiresAt),
		})
	})
	if err != nil {
		return Key{}, "", err
	}
	return e.key, secret, nil
}

func texts(networks []netip.Prefix) []string {
	out := make([]string, len(networks))
	for i, p := range networks {
		out[i] = p.String()
	}
	return out
}

func readNetworks(list []string) ([]netip.Prefix, error) {
	if len(list) > maxNetworks {
		return nil, invalid("at most %d networks", maxNetworks)
	}
	out := make([]netip.Prefix, 0, len(list))
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, bad := netip.ParseAddr(text)
			if bad != nil || a.Zone() != "" {
				return nil, invalid("%q is no network", cut(text)).WithHint("such as 10.0.0.0/8 or 192.0.2.7")
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if p.Addr().Is4In6() { // callers are compared as IPv4
			if p.Bits() < 96 {
				return nil, invalid("%q is no network", cut(text)).WithHint("write IPv4 networks as IPv4")
			}
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// Keys lists the keys of an agent, the newest first: developer, responder,
// security or auditor.
func (r *Registry) Keys(ctx context.Context, who Actor, agent string) ([]Key, error) {
	a, ok := r.Lookup(agent)
	if !ok {
		return nil, notFound()
	}
	if err := who.need(a, "listing the keys of", developer, responder, security, auditor); err != nil {
		return nil, err
	}
	list, err := control.All(ctx, r.db, scanKey, `SELECT `+keyColumns+` WHERE agent = ?`, agent)
	if err != nil {
		return nil, err
	}
	out := make([]Key, len(list))
	for i, k := range list {
		out[i] = k.key
		if v, ok := r.keys.Load(k.key.ID); ok {
			if used := v.(*keyEntry).used.Load(); used > 0 {
				out[i].LastUsed = control.Time(used)
			}
		}
	}
	slices.SortFunc(out, func(a, b Key) int { return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}

// RevokeKey ends a key of an agent: the next call with it is refused.
// Developer, responder or security.
func (r *Registry) RevokeKey(ctx context.Context, who Actor, agent, id, reason string) error {
	a, ok := r.Lookup(agent)
	if !ok {
		return notFound()
	}
	if err := who.need(a, "revoking a key of", developer, responder, security); err != nil {
		return err
	}
	if !plain(reason, maxReason) {
		return invalidReason()
	}
	return r.revoke(ctx, who, agent, id, reason)
}

func (r *Registry) revoke(ctx context.Context, who Actor, agent, id, reason string) error {
	return r.db.Write(ctx, func(tx *control.Tx) error {
		k, ok, err := control.One(ctx, tx, scanKey, `SELECT `+keyColumns+` WHERE id = ? AND agent = ?`, id, agent)
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(fault.KindNotFound, "agent.key_not_found", "agent %s has no such key", agent)
		}
		if k.revoked.Load() > 0 { // before: nothing changes
			return nil
		}
		at := control.Micros(r.now())
		if _, err := tx.Exec(ctx, `UPDATE agent_keys SET revoked_at = ? WHERE id = ?`, at, id); err != nil {
			return err
		}
		tx.AfterCommit(func() { r.dead(id, at, false) })
		return record(ctx, tx, who, "revoke", "revoke", id, reason, nil, nil)
	})
}

// dead ends a key in memory; fell: with all of its agent's.
func (r *Registry) dead(id string, at int64, fell bool) {
	if v, ok := r.keys.Load(id); ok {
		k := v.(*keyEntry)
		if fell {
			k.fell.Store(true)
		}
		raise(&k.revoked, at)
	}
}

// Leaked ends a key by its text: who holds it may always do so. It says
// whether a living key died, which callers keep to themselves.
func (r *Registry) Leaked(ctx context.Context, text string) (died bool, err error) {
	k, ok := r.present(text)
	if !ok || k.revoked.Load() > 0 {
		return false, nil
	}
	who := Actor{Person: "holder", Via: k.key.ID, Name: "holder"}
	return true, r.revoke(ctx, who, k.key.Agent, k.key.ID, "reported as leaked")
}

// KeyOf is the agent that a key belongs to, living or dead, for who holds its
// whole text.
func (r *Registry) KeyOf(text string) (*Agent, bool) {
	k, ok := r.present(text)
	if !ok {
		return nil, false
	}
	return r.Lookup(k.key.Agent)
}

// killKeys revokes every living key of an agent in tx.
func (r *Registry) killKeys(ctx context.Context, tx *control.Tx, agent string) (int, error) {
	ids, err := control.All(ctx, tx, func(s control.Row) (id string, err error) { return id, s.Scan(&id) },
		`SELECT id FROM agent_keys WHERE agent = ? AND revoked_at IS NULL AND expires_at > ?`, agent, control.Micros(r.now()))
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	at := control.Micros(r.now())
	if _, err := tx.Exec(ctx, `UPDATE agent_keys SET revoked_at = ? WHERE agent = ? AND revoked_at IS NULL`, at, agent); err != nil {
		return 0, err
	}
	tx.AfterCommit(func() {
		for _, id := range ids {
			r.dead(id, at, true)
		}
	})
	return len(ids), nil
}

// KeyLife is the longest whole life of the living keys of an agent; 0 for none.
func (r *Registry) KeyLife(name string) time.Duration { return r.KeyLives()[name] }

// KeyLives is KeyLife of every agent that has a living key.
func (r *Registry) KeyLives() map[string]time.Duration {
	now := r.now()
	out := make(map[string]time.Duration)
	r.keys.Range(func(_, v any) bool {
		k := v.(*keyEntry)
		if k.revoked.Load() == 0 && now.Before(k.key.ExpiresAt) {
			out[k.key.Agent] = max(out[k.key.Agent], k.key.ExpiresAt.Sub(k.key.CreatedAt))
		}
		return true
	})
	return out
}

// mintKey makes a key; id is its prefix and public part.
func mintKey() (id, text string) {
	id = keyPrefix + randomText(publicLen)
	text = id + "_" + randomText(secretLen)
	return id, text + check(text)
}

// randomText is n random base62 digits, each equally likely.
func randomText(n int) string {
	out := make([]byte, 0, n)
	var buf [64]byte
	for len(out) < n {
		rand.Read(buf[:])
		for _, b := range buf {
			if int(b) < 256/62*62 && len(out) < n { // the rest would favour the first digits
				out = append(out, base62[int(b)%62])
			}
		}
	}
	return string(out)
}

func check(text string) string {
	sum := crc32.ChecksumIEEE([]byte(text))
	var out [checkLen]byte
	for i := checkLen - 1; i >= 0; i-- {
		out[i] = base62[sum%62]
		sum /= 62
	}
	return string(out[:])
}

// parseKey reads what mintKey wrote and gives the key's id.
func parseKey(text string) (id string, ok bool) {
	if len(text) != keyLen || !strings.HasPrefix(text, keyPrefix) || text[idLen] != '_' {
		return "", false
	}
	for i := len(keyPrefix); i < keyLen; i++ {
		if i != idLen && strings.IndexByte(base62, text[i]) < 0 {
			return "", false
		}
	}
	if check(text[:keyLen-checkLen]) != text[keyLen-checkLen:] {
		return "", false
	}
	return text[:idLen], true
}

package connection

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/upstream"
)

// keyName is the row of our own key; no upstream has such a name.
const keyName = "*key"

// load reads the grants and our key, which is made at first.
func (b *Book) load(ctx context.Context) error {
	type row struct{ name, body string }
	rows, err := control.All(ctx, b.o.DB, func(r control.Row) (out row, err error) { return out, r.Scan(&out.name, &out.body) },
		`SELECT upstream, body FROM upstream_connections`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		text, err := b.unseal(r.name, r.body)
		if err != nil {
			return fmt.Errorf("reading the connection of upstream %s: %w", r.name, err)
		}
		if r.name == keyName {
			if b.key, err = x509.ParseECPrivateKey(text); err != nil {
				return fmt.Errorf("reading the key by which Reeve signs as a client: %w", err)
			}
			continue
		}
		var k grant
		if err := json.Unmarshal(text, &k); err != nil {
			return fmt.Errorf("reading the connection of upstream %s: %w", r.name, err)
		}
		b.line(r.name).now.Store(&k)
	}
	if b.key != nil {
		return nil
	}
	if b.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	text, err := x509.MarshalECPrivateKey(b.key)
	if err != nil {
		return err
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error { return b.write(ctx, tx, keyName, text) })
}

// sealName keeps one row's secret from being read as another's.
func sealName(name string) string { return "upstream connection " + name }

func (b *Book) unseal(name, body string) ([]byte, error) {
	sealed, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		return nil, err
	}
	return b.o.Sealer.Unseal(sealName(name), sealed)
}

func (b *Book) write(ctx context.Context, tx *control.Tx, name string, text []byte) error {
	sealed, err := b.o.Sealer.Seal(sealName(name), text)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO upstream_connections (upstream, body, updated_at) VALUES (?, ?, ?)
		ON CONFLICT (upstream) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at`,
		name, base64.StdEncoding.EncodeToString(sealed), control.Micros(b.o.Now()))
	return err
}

// keep stores a grant before anybody uses it: a refresh token that was given in
// place of another is lost with the memory else. records are written with it.
func (b *Book) keep(ctx context.Context, u *upstream.Upstream, l *line, k *grant, records ...audit.Record) error {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return b.o.DB.Write(ctx, func(tx *control.Tx) error {
		// Changes of upstreams are written by the same one writer, so this sees
		// whether it is still the upstream that the grant is for.
		if now, ok := b.o.Upstream(u.Name); !ok || now.Mark() != k.Mark {
			return errChanged
		}
		if err := b.write(ctx, tx, l.name, text); err != nil {
			return err
		}
		for _, r := range records {
			if err := audit.Append(ctx, tx, r); err != nil {
				return err
			}
		}
		tx.AfterCommit(func() { b.line(l.name).now.Store(k) })
		return tx.Event(ctx, control.Event{Type: "upstream.updated", Object: u.Name})
	})
}

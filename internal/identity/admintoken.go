package identity

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"reeve/internal/control"
	"reeve/internal/fault"
)

const (
	adminTokenFile    = "admin-token"
	adminTokenSetting = "admin_token_hash"
	adminTokenPrefix  = "rva_"
)

// AdminToken makes sure that an installation without an admin has a one-time
// admin token, in the file admin-token (0600) and, as a hash, in the database.
// It returns the token to print at the start, or "" once an admin exists.
func (d *Directory) AdminToken(ctx context.Context) (string, error) {
	needed, err := d.SetupNeeded(ctx)
	if err != nil {
		return "", err
	}
	file := filepath.Join(d.dir, adminTokenFile)
	if !needed {
		return "", d.removeAdminToken()
	}
	if text, ok, err := d.readAdminToken(ctx, file); err != nil || ok {
		return text, err
	}
	token := adminTokenPrefix + randomSecret()
	// A file that is there already could belong to somebody else or have
	// another mode, so it is made anew.
	if err := d.removeAdminToken(); err != nil {
		return "", err
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("writing the admin token: %w", err)
	}
	_, err = fmt.Fprintln(f, token)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("writing the admin token: %w", err)
	}
	return token, d.db.Write(ctx, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
			adminTokenSetting, hashSecret(token))
		return err
	})
}

// readAdminToken finds the token of an earlier start that nobody has used.
func (d *Directory) readAdminToken(ctx context.Context, file string) (token string, ok bool, err error) {
	hash, known, err := d.adminTokenHash(ctx, d.db)
	if err != nil || !known {
		return "", false, err
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("reading the admin token: %w", err)
	}
	token = strings.TrimSpace(string(data))
	return token, sameSecret(token, hash), nil
}

func (d *Directory) adminTokenHash(ctx context.Context, r control.Reader) (hash string, ok bool, err error) {
	return control.One(ctx, r, scanText, `SELECT value FROM settings WHERE name = ?`, adminTokenSetting)
}

func scanText(r control.Row) (s string, err error) { return s, r.Scan(&s) }

func (d *Directory) removeAdminToken() error {
	if err := os.Remove(filepath.Join(d.dir, adminTokenFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the admin token: %w", err)
	}
	return nil
}

// adminExists asks for somebody who can manage people.
const adminExists = `SELECT p.id FROM people p JOIN grants g ON g.person_id = p.id
	WHERE p.disabled = 0 AND p.ends_at IS NULL AND g.role = 'admin' AND g.team = '*' AND g.environment = '*' LIMIT 1`

// SetupNeeded reports whether nobody can manage people yet: there is no
// account, or only such as --dev made without the role.
func (d *Directory) SetupNeeded(ctx context.Context) (bool, error) {
	_, exists, err := control.One(ctx, d.db, scanText, adminExists)
	return !exists, err
}

// CreateFirstPerson spends the admin token: it makes the first account, with
// every role everywhere, and the token dies with the same transaction.
func (d *Directory) CreateFirstPerson(ctx context.Context, adminToken, address string, p NewPerson) (Person, error) {
	wait, ok := d.byAddr.take(address, d.now())
	if !ok {
		return Person{}, tooMany(wait)
	}
	refused := fault.New(fault.KindUnauthenticated, "identity.admin_token", "this is not the admin token, or it was used already").
		WithHint("the first start prints it and writes it to the file %s in the data folder", adminTokenFile)
	hash, known, err := d.adminTokenHash(ctx, d.db)
	if err != nil {
		return Person{}, err
	}
	if !known || !sameSecret(adminToken, hash) {
		return Person{}, refused
	}
	p.Grants = everyRole()
	made, err := d.create(ctx, Principal{Kind: KindSetup}, p, func(tx *control.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM settings WHERE name = ? AND value = ?`, adminTokenSetting, hash)
		if err == nil && n == 0 {
			return refused // somebody was faster
		}
		return err
	})
	if err != nil {
		return Person{}, err
	}
	d.byAddr.giveBack(address, d.now())
	if err := d.removeAdminToken(); err != nil {
		// The hash is gone, so the text in the file opens nothing.
		d.log.Warn("the used admin token could not be removed", "err", err)
	}
	return made, nil
}

package identity

import (
	"context"

	"reeve/internal/control"
)

// Ended says how many credentials died.
type Ended struct{ SignIns, Tokens, IntakeKeys int64 }

// EndAll ends every sign-in, API token and intake key in tx: for a database that
// was restored, which does not know what was revoked since. Passwords, passkeys and
// other factors stay: without them nobody could sign in and look. No process may
// have the database open, since those keep what they know in memory.
func EndAll(ctx context.Context, tx *control.Tx, at int64) (out Ended, err error) {
	for _, x := range []struct {
		n   *int64
		sql string
	}{
		{&out.SignIns, `UPDATE sign_ins SET ended_at = ? WHERE ended_at IS NULL`},
		{&out.Tokens, `UPDATE tokens SET revoked_at = ? WHERE revoked_at IS NULL`},
		{&out.IntakeKeys, `UPDATE intake_keys SET revoked_at = ? WHERE revoked_at IS NULL`},
	} {
		n, err := tx.Exec(ctx, x.sql, at)
		if err != nil {
			return out, err
		}
		*x.n = int64(n)
	}
	return out, nil
}

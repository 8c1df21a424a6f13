package identity

import (
	"context"

	"reeve/internal/control"
)

// Ended says how many credentials died.
type Ended struct{ SignIns, Tokens, IntakeKeys, RecoveryCodes, Proposals int64 }

// EndAll ends every sign-in, API token and intake key in tx, spends all recovery
// codes and lets what waits for a second person lapse: for a database that was
// restored, which does not know what was revoked and used since. Passwords, passkeys
// and authenticators stay: without them nobody could sign in and look. No process may
// have the database open, since those keep what they know in memory.
func EndAll(ctx context.Context, tx *control.Tx, at int64) (out Ended, err error) {
	for _, x := range []struct {
		n   *int64
		sql string
	}{
		{&out.SignIns, `UPDATE sign_ins SET ended_at = ? WHERE ended_at IS NULL`},
		{&out.Tokens, `UPDATE tokens SET revoked_at = ? WHERE revoked_at IS NULL`},
		{&out.IntakeKeys, `UPDATE intake_keys SET revoked_at = ? WHERE revoked_at IS NULL`},
		{&out.RecoveryCodes, `UPDATE recovery_codes SET used_at = ? WHERE used_at IS NULL`},
		{&out.Proposals, `UPDATE proposals SET state = 'expired', decided_at = ? WHERE state IN ('open', 'confirmed')`},
	} {
		n, err := tx.Exec(ctx, x.sql, at)
		if err != nil {
			return out, err
		}
		*x.n = int64(n)
	}
	return out, nil
}

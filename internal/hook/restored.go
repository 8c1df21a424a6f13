package hook

import (
	"context"

	"reeve/internal/control"
)

// EndAll ends the secrets of every sender in tx: for a database that was restored,
// which does not know which were changed or taken away since. No process may have
// the database open.
func EndAll(ctx context.Context, tx *control.Tx, at int64) (int64, error) {
	n, err := tx.Exec(ctx, `UPDATE hook_secrets SET expires_at = ? WHERE expires_at = 0 OR expires_at > ?`, at, at)
	return int64(n), err
}

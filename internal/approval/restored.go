package approval

import (
	"context"

	"reeve/internal/control"
)

// EndAll makes void what waits for people, and what they agreed to and was not
// collected, in tx: in a database that was restored it may have been answered and
// spent since. No process may have the database open.
func EndAll(ctx context.Context, tx *control.Tx, at int64, reason string) (int64, error) {
	n, err := tx.Exec(ctx, `UPDATE approvals SET state = 'void', ended_at = ?, code = 'approval.restored', reason = ? WHERE state IN ('pending', 'approved')`, at, reason)
	return int64(n), err
}

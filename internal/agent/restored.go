package agent

import (
	"context"

	"reeve/internal/control"
)

// restoredRaise is by how much epochs rise in a restored database: more than stops
// can have raised them since it was made, so that what they killed stays dead.
const restoredRaise = 1000

// EndAll kills every credential of every agent in tx: for a database that was
// restored, which does not know what was revoked since. Keys, client keys, join
// tokens, certificates and access tokens all carry the epoch they were made in. No
// process may have the database open.
func EndAll(ctx context.Context, tx *control.Tx, at int64, reason string) (agents, keys int64, err error) {
	n, err := tx.Exec(ctx, `UPDATE agent_keys SET revoked_at = ? WHERE revoked_at IS NULL`, at)
	if err != nil {
		return 0, 0, err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO agent_revisions (agent, revision, at, author, action, reason, epoch, body)
		SELECT name, revision + 1, ?, 'reeve', 'raise', ?, epoch + ?, body FROM agents`, at, reason, restoredRaise); err != nil {
		return 0, 0, err
	}
	m, err := tx.Exec(ctx, `UPDATE agents SET epoch = epoch + ?, revision = revision + 1, updated_at = ?`, restoredRaise, at)
	return int64(m), int64(n), err
}

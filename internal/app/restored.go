package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"reeve/internal/agent"
	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/identity"
)

// RestoredEnds says what ended in a restored folder.
type RestoredEnds struct {
	SignIns    int64 `json:"sign_ins"`
	Tokens     int64 `json:"api_tokens"`
	IntakeKeys int64 `json:"intake_keys"`
	AgentKeys  int64 `json:"agent_keys"`
	Agents     int64 `json:"agents"` // whose certificates and tokens died
}

// EndRestored ends every credential in a folder that was restored from a backup of
// that time: what was revoked since would be alive again, and nobody can tell which
// those are. It records that. Nothing may run on the folder.
func EndRestored(ctx context.Context, data string, made time.Time) (out RestoredEnds, err error) {
	db, err := control.Open(ctx, filepath.Join(data, "control.db"))
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	at := control.Micros(time.Now())
	reason := fmt.Sprintf("restored from a backup of %s: what was revoked since is not known", made.UTC().Format(time.RFC3339))
	return out, db.Write(ctx, func(tx *control.Tx) error {
		people, err := identity.EndAll(ctx, tx, at)
		if err != nil {
			return err
		}
		out.SignIns, out.Tokens, out.IntakeKeys = people.SignIns, people.Tokens, people.IntakeKeys
		if out.Agents, out.AgentKeys, err = agent.EndAll(ctx, tx, at, reason); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.restored", Person: "reeve", Action: "restore", Object: "credentials", After: out, Reason: reason})
	})
}

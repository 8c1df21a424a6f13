package audit

import (
	"context"
	"os"
	"path/filepath"

	"reeve/internal/audit/tree"
	"reeve/internal/control"
)

// VerifyTree is Verify, and compares the log with its checkpoint in dir and with
// those that witnesses kept.
func VerifyTree(ctx context.Context, db *control.DB, dir string, checkpoints, keys []string) (Report, error) {
	// The checkpoint first: it is never ahead of records that are read after it.
	if own, err := os.ReadFile(filepath.Join(dir, "checkpoint")); err == nil {
		checkpoints = append([]string{string(own)}, checkpoints...)
	}
	r, err := Verify(ctx, db)
	if err != nil || r.Break != nil {
		return r, err
	}
	check, err := tree.NewCheck(LogName(db.Install()), checkpoints, keys...)
	if err != nil {
		return r, err
	}
	for seq := int64(0); seq <= r.LastSeq; {
		leaves, err := Leaves(ctx, db, seq, 5000)
		if err != nil {
			return r, err
		}
		if len(leaves) == 0 {
			break
		}
		for _, leaf := range leaves {
			if seq > r.LastSeq {
				break // recorded since
			}
			if err := check.Add(leaf); err != nil {
				r.Break = &Break{seq, err.Error()}
				return r, nil
			}
			seq++
		}
	}
	if err := check.End(); err != nil {
		r.Break = &Break{r.LastSeq + 1, err.Error()}
	}
	r.Agreed = check.Agreed
	return r, nil
}

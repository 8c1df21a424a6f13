package approval

import (
	"context"

	"reeve/internal/control"
)

// Forget takes out of approvals of a user or of runs what was asked, edited and
// answered, and for whom. What a person still has to decide, or may still be used,
// is left and counted. With dry nothing changes.
func (b *Book) Forget(ctx context.Context, user string, runs map[string]bool, dry bool) (n, left int64, err error) {
	for after := ""; ; {
		list, err := control.All(ctx, b.db, scan, `SELECT `+columns+` WHERE id > ? ORDER BY id LIMIT 500`, after)
		if err != nil || len(list) == 0 {
			return n, left, err
		}
		after = list[len(list)-1].ID
		for _, a := range list {
			theirs := user != "" && a.Ask.User == user || runs[a.Ask.Run]
			switch {
			case !theirs || a.State.over() && a.forgotten():
				continue
			case !a.State.over():
				left++
				continue
			}
			if n++; dry {
				continue
			}
			if err := b.wipe(ctx, a.ID); err != nil {
				return n, left, err
			}
		}
	}
}

// forgotten reports whether nothing is there any more that Forget would take.
func (a *Approval) forgotten() bool {
	k := &a.Ask
	return len(a.request)+len(a.edited)+len(a.answer) == 0 && k.User == "" && k.Session == "" && len(k.Origins)+len(k.Destinations)+len(k.UserTeams)+len(k.UserGroups) == 0
}

func (b *Book) wipe(ctx context.Context, id string) error {
	var a *Approval
	err := b.db.Write(ctx, func(tx *control.Tx) (err error) {
		if a, err = b.read(ctx, tx, id); err != nil || !a.State.over() {
			return err
		}
		k := &a.Ask
		k.User, k.Session, k.UserTeams, k.UserGroups, k.Origins, k.Destinations = "", "", nil, nil, nil, nil
		a.request, a.edited, a.answer, a.raw = nil, nil, nil, encodeAsk(k)
		a.mac = b.keys.rowMAC(a, k.Joins, k.Arguments)
		_, err = tx.Exec(ctx, `UPDATE approvals SET ask = ?, request = NULL, edited = NULL, answer = NULL, mac = ? WHERE id = ?`, string(a.raw), a.mac, id)
		return err
	})
	if err != nil || !a.State.over() {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.byID[id]; l != nil && l.a.State.over() {
		l.a = a
	}
	return nil
}

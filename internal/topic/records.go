package topic

import (
	"context"

	"reeve/internal/control"
	"reeve/internal/topic/mood"
)

// Cursor is where a page of sessions ended; the zero one is the beginning.
type Cursor struct {
	At int64
	ID string
}

// Frustrated reports whether a session counts as frustrated.
func (s *Session) Frustrated() bool { return s.Score >= mood.Frustrated }

// placeKey tells sessions of one name in two places apart.
const placeKey = "team || ' ' || environment || ' ' || session"

// SessionsOf lists what Frustrations counts, the newest first; with frustrated only
// those. by is a column of Frustrations', of which only one group is listed; "" all.
// next is the zero cursor at the end.
func (b *Book) SessionsOf(ctx context.Context, f Filter, by, group string, frustrated bool, limit int, after Cursor) (all []Session, next Cursor, err error) {
	w := f.where("")
	if column, ok := groupColumns[by]; by != "" && ok {
		w.Add(column+" = ?", group)
	}
	if frustrated {
		w.Add("score >= ?", mood.Frustrated)
	}
	if after.ID != "" {
		w.Add("(at < ? OR (at = ? AND "+placeKey+" > ?))", after.At, after.At, after.ID)
	}
	all, err = control.All(ctx, b.o.DB, scanSession, `SELECT `+sessionColumns+` FROM topic_sessions`+w.Text()+` ORDER BY at DESC, `+placeKey+` LIMIT ?`, append(w.Args, limit+1)...)
	if err != nil || len(all) <= limit {
		return all, next, err
	}
	all = all[:limit]
	last := &all[limit-1]
	return all, Cursor{control.Micros(last.At), last.Team + " " + last.Environment + " " + last.Session}, nil
}

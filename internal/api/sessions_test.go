package api

import (
	"fmt"
	"strings"
	"testing"

	"reeve/client"
	"reeve/internal/activity"
)

func TestSessionsWithLongNames(t *testing.T) {
	t.Parallel()
	const n = 450
	store := &memStore{}
	for i := range n {
		store.runs = append(store.runs, testRun(i, func(r *activity.Run) { r.Session = fmt.Sprint(strings.Repeat("s", 100), i) }))
	}
	a := newTestAPI(t, func(o *Options) { o.Store = store })
	seen, cursor := map[string]bool{}, ""
	for {
		page := get[client.List[client.Session]](t, a, "/sessions?limit=50&cursor="+cursor, "as viewer")
		for _, s := range page.Items {
			if seen[s.ID] {
				t.Errorf("session %s is listed twice", s.ID)
			}
			seen[s.ID] = true
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(seen) != n {
		t.Errorf("%d sessions, want %d", len(seen), n)
	}
}

package incident

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// An agent that never had a signal joins the incident about a tool that the map says
// it uses, and says why; one that does not use it stays apart.
func TestNeighboursFromTheMap(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{false, true} {
		b, c := newTestBook(t, openDB(t), func(o *Options) {
			o.Uses = func(context.Context) ([]Use, error) {
				return []Use{{"billing", Node{"tool", "orders/look"}}, {"billing", Node{"nothing", "x"}}, {"", Node{"tool", "y"}}}, nil
			}
		})
		if known {
			if err := b.LearnUses(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := len(b.engine.uses["billing"]); n != 1 {
				t.Fatalf("it uses %d things", n)
			}
		}
		first := b.Take(t.Context(), []Signal{{ID: "s1", Kind: "finding", Fingerprint: "f1", At: c.now(), Severity: "warning", Title: "orders/look fails", Team: "core", Environment: "production", Agent: "refund", Tool: "orders/look", Labels: map[string]string{"detector": "errors"}}})
		c.add(10 * time.Second)
		second := b.Take(t.Context(), []Signal{
			{ID: "s2", Kind: "finding", Fingerprint: "f2", At: c.now(), Severity: "warning", Title: "more of its runs end badly", Team: "core", Environment: "production", Agent: "billing", Labels: map[string]string{"detector": "failed_runs"}},
			{ID: "s3", Kind: "finding", Fingerprint: "f3", At: c.now(), Severity: "warning", Title: "more of its runs end badly than before", Team: "core", Environment: "production", Agent: "stranger", Labels: map[string]string{"detector": "failed_runs"}},
		})
		if joined := second[0].Incident == first[0].Incident; joined != known {
			t.Errorf("known %v: joined %v", known, joined)
		}
		if second[1].Incident == first[0].Incident {
			t.Errorf("known %v: a stranger joined", known)
		}
		if known {
			why := false
			for _, m := range b.engine.groups[first[0].Incident].members {
				for _, r := range m.Reasons {
					why = why || strings.Contains(r.Text, "billing uses tool orders/look")
				}
			}
			if !why {
				t.Error("the reason is not told")
			}
		}
	}
}

func TestMapThatCannotBeRead(t *testing.T) {
	t.Parallel()
	b, _ := newTestBook(t, openDB(t), func(o *Options) {
		o.Uses = func(context.Context) ([]Use, error) { return nil, errors.New("away") }
	})
	if err := b.LearnUses(t.Context()); err == nil || len(b.engine.uses) != 0 {
		t.Error("nothing was said of it")
	}
}

package audit

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/control"
	"reeve/internal/control/controltest"
)

func openTest(t *testing.T) *control.DB {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return db
}

func appendAll(t *testing.T, db *control.DB, records ...Record) {
	t.Helper()
	for _, r := range records {
		if err := db.Write(t.Context(), func(tx *control.Tx) error { return Append(t.Context(), tx, r) }); err != nil {
			t.Fatal(err)
		}
	}
}

func verify(t *testing.T, db *control.DB) Report {
	t.Helper()
	r, err := Verify(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var three = []Record{
	{Kind: "admin.person_created", Person: "setup", Action: "create", Object: "per_1", After: map[string]any{"name": "ada", "email": "ada@example.com"}},
	{Kind: "admin.person_updated", Person: "per_1", Via: "sgn_1", Action: "update", Object: "per_1", Before: map[string]any{"name": "ada"}, After: map[string]any{"name": "ada", "full_name": "Ada \u2028 \x01 <b>"}, Reason: "says \"so\"\n"},
	{Kind: "revoke", Person: "per_2", Action: "revoke", Object: "tok_1"},
}

func TestChain(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	if r := verify(t, db); r.Break != nil || r.Records != 0 || r.LastSeq != -1 {
		t.Errorf("empty log: %+v", r)
	}
	appendAll(t, db, three...)
	list, err := List(t.Context(), db, Filter{})
	if err != nil || len(list) != 3 {
		t.Fatalf("listed %d, %v", len(list), err)
	}
	r := verify(t, db)
	if r.Break != nil || r.Records != 3 || r.LastSeq != 2 || r.LastLeaf != list[0].Leaf {
		t.Errorf("got %+v", r)
	}
	// By hand, from what the format says.
	first := list[2]
	sum := sha256.Sum256(append([]byte{0}, first.Raw...))
	var second struct {
		Prev string `json:"prev"`
		Seq  int64  `json:"seq"`
	}
	if err := json.Unmarshal(list[1].Raw, &second); err != nil {
		t.Fatal(err)
	}
	if want := base64.RawURLEncoding.EncodeToString(sum[:]); second.Prev != want || second.Seq != 1 {
		t.Errorf("second record says %+v, want prev %s", second, want)
	}
	if strings.Contains(string(first.Raw), "ada@example.com") || strings.Contains(string(first.Raw), `"prev"`) {
		t.Errorf("the first record has content or a predecessor: %s", first.Raw)
	}
	if diff := cmp.Diff(`{"email":"ada@example.com","name":"ada"}`, string(first.After)); diff != "" {
		t.Errorf("content (-want +got):\n%s", diff)
	}
}

func TestNoChangeWithoutRecord(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	err := db.Write(t.Context(), func(tx *control.Tx) error {
		if err := tx.Event(t.Context(), control.Event{Type: "x"}); err != nil {
			return err
		}
		return Append(t.Context(), tx, Record{Kind: "x", After: func() {}})
	})
	if err == nil {
		t.Error("a record that cannot be written should undo the change")
	}
	appendAll(t, db, three[0])
	if r := verify(t, db); r.Break != nil || r.Records != 1 {
		t.Errorf("after an undone record: %+v", r)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	db := openTest(t)
	appendAll(t, db, three...)
	for _, c := range []struct {
		name string
		f    Filter
		want []int64
	}{
		{"all", Filter{}, []int64{2, 1, 0}},
		{"kind", Filter{Kind: "revoke"}, []int64{2}},
		{"kinds", Filter{Kind: "admin."}, []int64{1, 0}},
		{"person", Filter{Person: "per_1"}, []int64{1}},
		{"page", Filter{Before: 2, Limit: 1}, []int64{1}},
		{"nothing", Filter{Person: "nobody"}, nil},
	} {
		list, err := List(t.Context(), db, c.f)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, e := range list {
			got = append(got, e.Seq)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	list, err := List(t.Context(), db, Filter{})
	if err != nil {
		t.Fatal(err)
	}
	at := list[1].At
	if list, err = List(t.Context(), db, Filter{From: at}); err != nil || len(list) != 2 {
		t.Errorf("from the second on: %d, %v", len(list), err)
	}
	if list, err = List(t.Context(), db, Filter{To: at}); err != nil || len(list) != 1 {
		t.Errorf("before the second: %d, %v", len(list), err)
	}
}

func TestVerifyFindsTampering(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, query string
		breakAt     int64 // -1: none
		reason      string
	}{
		{"record changed", `UPDATE audit SET record = replace(record, 'per_1', 'per_9') WHERE seq = 1`, 1, "changed"},
		{"record replaced with a fitting leaf", `UPDATE audit SET record = (SELECT record FROM audit WHERE seq = 0), leaf = (SELECT leaf FROM audit WHERE seq = 0) WHERE seq = 1`, 1, "says that it is number 0"},
		{"record removed", `DELETE FROM audit WHERE seq = 1`, 2, "record 1 is missing"},
		{"first removed", `DELETE FROM audit WHERE seq = 0`, 1, "record 0 is missing"},
		{"column changed", `UPDATE audit SET person = 'per_7' WHERE seq = 2`, 2, "columns differ"},
		{"time changed", `UPDATE audit SET at = at - 1 WHERE seq = 2`, 2, "columns differ"},
		{"content changed", `UPDATE audit_content SET after_state = '{"name":"eve"}' WHERE seq = 0`, 0, "content was changed"},
		{"content half removed", `UPDATE audit_content SET before_state = NULL WHERE seq = 1`, 1, "content was changed"},
		{"content erased", `DELETE FROM audit_content WHERE seq = 0`, -1, ""},
		{"not JSON", `UPDATE audit SET record = 'x', leaf = ? WHERE seq = 0`, 0, "no JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := openTest(t)
			appendAll(t, db, three...)
			err := db.Write(t.Context(), func(tx *control.Tx) error {
				var args []any
				if strings.Contains(c.query, "?") {
					args = append(args, leafOf([]byte("x")))
				}
				_, err := tx.Exec(context.Background(), c.query, args...)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			r := verify(t, db)
			switch {
			case c.breakAt < 0 && r.Break == nil:
				if r.Erased != 1 {
					t.Errorf("got %+v, want one erased", r)
				}
			case c.breakAt < 0 || r.Break == nil || r.Break.Seq != c.breakAt || !strings.Contains(r.Break.Reason, c.reason):
				t.Errorf("got %+v, want a break at %d: %s", r.Break, c.breakAt, c.reason)
			}
		})
	}
}

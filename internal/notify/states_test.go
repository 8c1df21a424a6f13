package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"reeve/internal/fault"
	"reeve/internal/notify/channel"
)

// pagerDutySays is a v3 webhook as PagerDuty signs it.
func pagerDutySays(secret, id, event, key string, at time.Time) (http.Header, []byte) {
	body := fmt.Appendf(nil, `{"event":{"id":%q,"event_type":%q,"occurred_at":%q,"agent":{"summary":"Ann"},"data":{"incident_key":%q,"assignees":[{"summary":"Bo"}]}}}`, id, event, at.UTC().Format(time.RFC3339Nano), key)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	return http.Header{"X-Pagerduty-Signature": {"v1=" + hex.EncodeToString(m.Sum(nil))}}, body
}

// What is told twice, late, of strangers or unsigned changes nothing; what could not
// be stored is told again.
func TestStatesComeBack(t *testing.T) {
	t.Parallel()
	db := open(t)
	var done []string
	var refuse error
	b, err := New(t.Context(), Options{DB: db, Outside: func(_ context.Context, c Channel, got Told) (string, string, error) {
		if refuse != nil {
			return "", "", refuse
		}
		done = append(done, got.Change.State+" "+got.Object)
		return TakenOver, "", nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Put(t.Context(), anybody, Change{Name: "pager", Kind: "pagerduty", Token: "0123456789abcdef0123456789abcdef", Signing: "shared"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Enqueue(t.Context(), Delivery{Channel: "pager", Purpose: "page", Object: "inc_1", Message: channel.Message{Key: "incident-inc_1", Action: channel.Trigger, Title: "x"}}); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-time.Minute)
	say := func(secret, name, id, event, key string, at time.Time) (Told, error) {
		h, body := pagerDutySays(secret, id, event, key, at)
		return b.Receive(t.Context(), "pagerduty", name, h, body)
	}
	if _, err := say("wrong", "pager", "e0", "incident.resolved", "incident-inc_1", at); !fault.Is(err, fault.KindUnauthenticated) {
		t.Errorf("forged: %v", err)
	}
	if _, err := say("shared", "nobody", "e0", "incident.resolved", "incident-inc_1", at); !fault.Is(err, fault.KindUnauthenticated) {
		t.Errorf("no such channel: %v", err)
	}
	refuse = fault.New(fault.KindUnavailable, "x.y", "the disk is full")
	if _, err := say("shared", "pager", "e1", "incident.acknowledged", "incident-inc_1", at); !fault.Is(err, fault.KindUnavailable) {
		t.Errorf("what could not be done is not told again: %v", err)
	}
	refuse = nil
	for _, c := range []struct {
		name, id, event, key, outcome string
		at                            time.Time
		again                         bool
	}{
		{"acknowledged there", "e1", "incident.acknowledged", "incident-inc_1", TakenOver, at, false},
		{"the same again", "e1", "incident.acknowledged", "incident-inc_1", TakenOver, at, true},
		{"resolved there, in the future by its clock", "e3", "incident.resolved", "incident-inc_1", TakenOver, at.Add(time.Hour), false},
		{"reassigned before that, told after", "e2", "incident.reassigned", "incident-inc_1", Late, at.Add(time.Second), false},
		{"an incident that was not sent there", "e4", "incident.resolved", "incident-inc_2", Stranger, at, false},
		{"a comment", "e5", "incident.annotated", "incident-inc_1", "", at, false},
	} {
		got, err := say("shared", "pager", c.id, c.event, c.key, c.at)
		if err != nil || got.Outcome != c.outcome || got.Again != c.again {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	if len(done) != 2 || done[0] != "acknowledge inc_1" || done[1] != "resolve inc_1" {
		t.Errorf("done %q", done)
	}
	list, err := b.States(t.Context(), "pager", 0)
	if err != nil || len(list) != 4 {
		t.Errorf("%d on record, %v", len(list), err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := say("shared", "pager", "e9", "incident.resolved", "incident-inc_1", time.Now()); err == nil || errors.Is(err, context.Canceled) {
		t.Error("a closed database takes states")
	}
}

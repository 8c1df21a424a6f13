package channel

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

const (
	pagerDutyAck = `{"event":{"id":"5ac64822","event_type":"incident.acknowledged","resource_type":"incident","occurred_at":"2026-11-27T09:00:05.123Z","agent":{"id":"PLH1HKV","type":"user_reference","summary":"Tenex Engineer"},"client":{"name":"PagerDuty"},"data":{"id":"PGR0VU2","type":"incident","number":2,"status":"acknowledged","incident_key":"incident-inc_1","title":"tools fail","service":{"id":"PF9KMXH"},"assignees":[{"id":"PTUXL6G","summary":"User 123"}]}}}`
	jsmClose     = `{"action":"Close","alert":{"alertId":"052652ac","message":"tools fail","tags":[],"tinyId":"23","alias":"incident-inc_1","createdAt":1395058346633,"updatedAt":1395058446633,"username":"fili@ghazniya.com","userId":"daed1180","source":"reeve"},"source":{"name":"web","type":"API"},"integrationName":"Reeve","integrationId":"37c8f316"}`
	snowProgress = `{"sys_id":"9d385017","number":"INC0010023","correlation_id":"incident-inc_1","state":"2","sys_updated_by":"abel.tuter","sys_updated_on":"2026-11-27 09:00:05","sys_mod_count":"3","assigned_to":"Beth Anglin"}`
)

func TestStatesAsDocumented(t *testing.T) {
	t.Parallel()
	signed := func(body string) http.Header {
		return http.Header{"X-Pagerduty-Signature": {"v1=" + mac("another", body) + ",v1=" + mac("secret", body)}}
	}
	bearer := http.Header{"Authorization": {"Bearer secret"}}
	at := time.Date(2026, 11, 27, 9, 0, 5, 0, time.UTC)
	for _, c := range []struct {
		name, kind, body string
		h                http.Header
		want             StateChange
	}{
		{"pagerduty", "pagerduty", pagerDutyAck, signed(pagerDutyAck), StateChange{ID: "5ac64822", Key: "incident-inc_1", State: Acknowledge, By: "Tenex Engineer", To: "User 123", At: at.Add(123 * time.Millisecond)}},
		{"jsm", "jsm", jsmClose, bearer, StateChange{ID: "052652ac/Close/1395058446633", Key: "incident-inc_1", State: Resolve, By: "fili@ghazniya.com", At: time.UnixMilli(1395058446633)}},
		{"servicenow", "servicenow", snowProgress, bearer, StateChange{ID: "9d385017/3", Key: "incident-inc_1", State: Acknowledge, By: "abel.tuter", To: "Beth Anglin", At: at}},
	} {
		got, err := ReadState(c.kind, []string{"", "secret"}, c.h, []byte(c.body))
		if err != nil || got.ID != c.want.ID || got.Key != c.want.Key || got.State != c.want.State || got.By != c.want.By || got.To != c.want.To || !got.At.Equal(c.want.At) {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
		for name, bad := range map[string]struct {
			secrets []string
			h       http.Header
		}{"no secret is kept": {nil, c.h}, "an empty one": {[]string{""}, http.Header{"Authorization": {"Bearer "}, "X-Pagerduty-Signature": {"v1=" + mac("", c.body)}}}, "another": {[]string{"other"}, c.h}, "nothing sent": {[]string{"secret"}, http.Header{}}} {
			if _, err := ReadState(c.kind, bad.secrets, bad.h, []byte(c.body)); err == nil {
				t.Errorf("%s, %s: taken", c.name, name)
			}
		}
	}
	if _, err := ReadState("pagerduty", []string{"secret"}, signed(pagerDutyAck), []byte(pagerDutyAck+" ")); err == nil {
		t.Error("a body that was changed is taken")
	}
}

func FuzzReadState(f *testing.F) {
	for _, s := range []string{pagerDutyAck, jsmClose, snowProgress, `{`, `{"event":{"event_type":"incident.resolved","agent":null}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, kind := range []string{"pagerduty", "jsm", "servicenow"} {
			h := http.Header{"Authorization": {"Bearer s"}, "X-Pagerduty-Signature": {"v1=" + mac("s", body)}}
			c, err := ReadState(kind, []string{"s"}, h, []byte(body))
			if err == nil && (c.ID == "" || len(c.ID) > 300 || len(c.Key) > 512) {
				t.Errorf("%s: %+v", kind, c)
			}
		}
	})
}

// What the documents say that a receiver answers, and what it means here: the same
// for those that keep one of a key.
func TestRefusalsAsDocumented(t *testing.T) {
	t.Parallel()
	type answer struct {
		status int
		said   string
		lose   bool
	}
	var next atomic.Pointer[answer]
	url := stub(t, func(w http.ResponseWriter, _ *http.Request, _ map[string]any) {
		a := next.Load()
		if a.lose {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				conn.Close()
			}
			return
		}
		if a.status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "7")
		}
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(a.said))
	})
	for _, c := range []struct {
		name, kind, said string
		status           int
		lose             bool
		want             string
	}{
		{"taken", "pagerduty", `{"status":"success","message":"Event processed","dedup_key":"incident-inc_1"}`, 202, false, Sent},
		{"an invalid routing key", "pagerduty", `{"status":"invalid event","message":"Event object is invalid","errors":["Invalid routing key"]}`, 400, false, Failed},
		{"too many", "pagerduty", `{"status":"throttle exceeded"}`, 429, false, Again},
		{"lost after delivery", "pagerduty", "", 0, true, Unknown},
		{"taken", "jsm", `{"result":"Request will be processed","took":0.302,"requestId":"43a29c5c"}`, 202, false, Sent},
		{"a revoked key", "jsm", `{"message":"Key format is not valid!","took":0.001,"requestId":"1"}`, 422, false, Failed},
		{"an unknown key", "jsm", `{"message":"Could not authenticate"}`, 401, false, Failed},
		{"too many", "jsm", `{"message":"You are making too many requests!"}`, 429, false, Again},
		{"lost after delivery", "jsm", "", 0, true, Unknown},
		{"a gateway's page", "jsm", "<html>", 202, false, Unknown},
	} {
		next.Store(&answer{c.status, c.said, c.lose})
		k, _ := Find(c.kind)
		a := k.Send(t.Context(), NewClient(nil), Settings{URL: url}, Secret{Token: "0123456789abcdef0123456789abcdef"}, message)
		if a.Outcome != c.want || a.Outcome == Again && a.Wait != 7*time.Second {
			t.Errorf("%s, %s: %+v, want %s", c.kind, c.name, a, c.want)
		}
	}
}

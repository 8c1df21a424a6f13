package intake

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"reeve/client"
	"reeve/internal/alert"
	"reeve/internal/change"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/hook"
	"reeve/internal/intake/alerts"
)

// hookHouse is an intake with sources and alerts of its own, at a time that the
// test moves.
type hookHouse struct {
	t    testing.TB
	now  time.Time
	in   *Intake
	regs *hook.Registry
	book *alert.Book
	made *change.Book
}

// migrated is a control database with its tables and nothing in them: making them
// takes longer than most of these tests.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "hooks")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "control.db")
	db, err := controltest.Open(context.Background(), file)
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

func newHookHouse(t testing.TB, set func(*Options)) *hookHouse {
	t.Helper()
	blank, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "control.db")
	if err := os.WriteFile(file, blank, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := controltest.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &hookHouse{t: t, now: time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return h.now }
	if h.regs, err = hook.New(t.Context(), hook.Options{DB: db, Now: clock, CheckMapping: alerts.CheckMapping}); err != nil {
		t.Fatal(err)
	}
	if h.book, err = alert.New(t.Context(), alert.Options{DB: db, Now: clock}); err != nil {
		t.Fatal(err)
	}
	if h.made, err = change.New(change.Options{DB: db, Now: clock}); err != nil {
		t.Fatal(err)
	}
	h.in, _ = fixture(t, func(o *Options) {
		o.Now, o.Hooks, o.Alerts, o.Changes, o.Anonymous = clock, h.regs, h.book, h.made, nil
		o.Keys = keyring{"rvi_key": {ID: "k", Team: "support", Environment: "production"}}
		if set != nil {
			set(o)
		}
	})
	return h
}

var anybody = hook.Actor{Person: "dev", Can: func(string, string, string) bool { return true }}

func (h *hookHouse) source(in client.PutAlertSourceRequest) string {
	h.t.Helper()
	s, err := h.regs.Put(h.t.Context(), anybody, in)
	if err != nil {
		h.t.Fatal(err)
	}
	if s.Secret == "" {
		return in.Secret
	}
	return s.Secret
}

func (h *hookHouse) alerts(f alert.Filter) []client.Alert {
	h.t.Helper()
	all, _, err := h.book.List(h.t.Context(), f)
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

func mac(secret string, parts ...string) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	for _, p := range parts {
		m.Write([]byte(p))
	}
	return m.Sum(nil)
}

// prove gives a request the proof that its sender would.
func (h *hookHouse) prove(r http.Header, kind, auth, secret, body string) {
	unix := fmt.Sprint(h.now.Unix())
	if auth == hook.Token {
		if kind == "splunk" {
			r.Set("Authorization", "Splunk "+secret)
		} else {
			r.Set("Authorization", "Bearer "+secret)
		}
		return
	}
	switch kind {
	case "pagerduty": // two signatures, as while PagerDuty's own secret rotates
		r.Set("X-PagerDuty-Signature", "v1="+hex.EncodeToString(mac("another", body))+",v1="+hex.EncodeToString(mac(secret, body)))
	case "sentry":
		r.Set("Sentry-Hook-Signature", hex.EncodeToString(mac(secret, body)))
	case "grafana":
		r.Set("X-Grafana-Alerting-Timestamp", unix)
		r.Set("X-Grafana-Alerting-Signature", hex.EncodeToString(mac(secret, unix+":", body)))
	case "splunk_observability":
		r.Set("X-SFX-Signature", base64.StdEncoding.EncodeToString(mac(secret, body)))
	case "cloudevents", "json":
		r.Set("Webhook-Id", "msg_1")
		r.Set("Webhook-Timestamp", unix)
		r.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac(secret, "msg_1."+unix+".", body)))
	default:
		h.t.Fatalf("%s does not sign", kind)
	}
}

type sent struct {
	kind, path, body, query string
	headers                 http.Header
	mapping                 *client.AlertMapping
	bad                     bool
}

func readSent(t testing.TB) map[string]sent {
	t.Helper()
	files, err := filepath.Glob("alerts/testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	out := map[string]sent{}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s := sent{headers: http.Header{}, bad: strings.HasPrefix(filepath.Base(file), "bad-")}
		for _, f := range a.Files {
			text := strings.TrimSpace(string(f.Data))
			switch f.Name {
			case "kind":
				s.kind = text
			case "path":
				s.path = text
			case "query":
				s.query = "?" + text
			case "body":
				s.body = string(f.Data)
			case "mapping":
				if err := json.Unmarshal(f.Data, &s.mapping); err != nil {
					t.Fatal(err)
				}
			case "headers":
				for _, line := range strings.Split(text, "\n") {
					name, value, _ := strings.Cut(line, ":")
					s.headers.Set(strings.TrimSpace(name), strings.TrimSpace(value))
				}
			}
		}
		s.headers.Del("Authorization")
		out[strings.TrimSuffix(filepath.Base(file), ".txtar")] = s
	}
	return out
}

func (h *hookHouse) send(s sent, name string, proof func(http.Header)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/api/v1/alerts/"+name+s.path+s.query, strings.NewReader(s.body))
	for n, v := range s.headers {
		r.Header[n] = v
	}
	proof(r.Header)
	return serve(h.in, r)
}

// Each sender's delivery, with each way of proving it: taken; the same again and
// a retry with the next secret change nothing but counts; forged, unsigned, and
// signed with a secret that ended are 401, counted, and keep nothing.
func TestDeliveries(t *testing.T) {
	t.Parallel()
	for name, s := range readSent(t) {
		kind, _ := hook.KindOf(s.kind)
		for _, auth := range kind.Auth {
			t.Run(name+"/"+auth, func(t *testing.T) {
				t.Parallel()
				h := newHookHouse(t, nil)
				const first = "the-first-secret-of-all"
				h.source(client.PutAlertSourceRequest{Name: "src", Kind: s.kind, Team: "support", Auth: auth, Secret: first, Mapping: s.mapping})
				proof := func(secret string) func(http.Header) {
					return func(r http.Header) { h.prove(r, s.kind, auth, secret, s.body) }
				}
				unproved := 401
				if strings.HasPrefix(s.path, hecPath) {
					unproved = 403 // of the collector's clients: an invalid token
				}
				for what, p := range map[string]func(http.Header){"forged": proof("another-secret-altogether"), "of another body": func(r http.Header) { h.prove(r, s.kind, auth, first+"x", s.body+" ") }} {
					if got := h.send(s, "src", p); got.Code != unproved {
						t.Errorf("%s: %d %s", what, got.Code, got.Body)
					}
				}
				if got := h.send(s, "src", func(http.Header) {}); got.Code != unproved {
					t.Errorf("without proof: %d %s", got.Code, got.Body)
				}
				if src, _ := h.regs.Get("src"); src.Forged != 3 || src.Deliveries != 0 || src.LastRefused == nil {
					t.Errorf("counted %+v", src)
				}
				if got := h.alerts(alert.Filter{}); len(got) != 0 {
					t.Fatalf("forged ones were kept: %+v", got)
				}
				got := h.send(s, "src", proof(first))
				if s.bad {
					if src, _ := h.regs.Get("src"); got.Code != 400 || src.Refused != 1 || src.LastError == "" {
						t.Errorf("%d %s, %+v", got.Code, got.Body, src)
					}
					return
				}
				if got.Code < 200 || got.Code > 299 {
					t.Fatalf("%d %s", got.Code, got.Body)
				}
				before := h.alerts(alert.Filter{})
				h.now = h.now.Add(30 * time.Second)
				if got := h.send(s, "src", proof(first)); got.Code > 299 {
					t.Errorf("the duplicate: %d %s", got.Code, got.Body)
				}
				// The secret rotates: the old one is taken for a while, the new one at once.
				const next = "the-second-secret-of-all"
				if _, err := h.regs.Rotate(t.Context(), anybody, client.RotateAlertSourceRequest{Name: "src", Secret: next, Keep: "1h"}); err != nil {
					t.Fatal(err)
				}
				for _, secret := range []string{first, next} {
					if got := h.send(s, "src", proof(secret)); got.Code > 299 {
						t.Errorf("the retry: %d %s", got.Code, got.Body)
					}
				}
				after := h.alerts(alert.Filter{})
				if len(after) != len(before) {
					t.Fatalf("%d alerts became %d", len(before), len(after))
				}
				for i, a := range after {
					b := before[i]
					if a.State != b.State || a.Episodes != b.Episodes || a.Receptions != 4*b.Receptions || a.Team != "support" {
						t.Errorf("%s: %s %d %d became %s %d %d", a.Key, b.State, b.Episodes, b.Receptions, a.State, a.Episodes, a.Receptions)
					}
					d, err := h.book.Get(t.Context(), a.ID)
					if err != nil || *d.Raw == "" {
						t.Errorf("no raw words: %v", err)
					}
				}
				h.now = h.now.Add(2 * time.Hour)
				if got := h.send(s, "src", proof(first)); got.Code != unproved {
					t.Errorf("a secret that ended: %d %s", got.Code, got.Body)
				}
				if src, _ := h.regs.Get("src"); src.Deliveries != 4 || src.Forged != 4 || len(src.Secrets) != 2 {
					t.Errorf("counted %+v", src)
				}
			})
		}
	}
}

// What ends an alert, by the sender's own words one after the other.
func TestResolveCloses(t *testing.T) {
	t.Parallel()
	all := readSent(t)
	for _, c := range []struct {
		kind, fires, ends string
	}{
		{"datadog", "datadog-triggered", "datadog-recovered"},
		{"pagerduty", "pagerduty-triggered", "pagerduty-resolved"},
		{"sentry", "sentry-event", "sentry-issue-resolved"},
		{"grafana", "grafana", "grafana-custom"},
	} {
		h := newHookHouse(t, nil)
		kind, _ := hook.KindOf(c.kind)
		h.source(client.PutAlertSourceRequest{Name: "src", Kind: c.kind, Secret: "the-first-secret-of-all"})
		for _, name := range []string{c.fires, c.ends, c.fires} { // and a late retry of the first
			s := all[name]
			if got := h.send(s, "src", func(r http.Header) { h.prove(r, c.kind, kind.Auth[0], "the-first-secret-of-all", s.body) }); got.Code > 299 {
				t.Errorf("%s: %d %s", name, got.Code, got.Body)
			}
		}
		if got := h.alerts(alert.Filter{}); len(got) != 1 || got[0].State != alert.Resolved || got[0].Late != 1 {
			t.Errorf("%s: %+v", c.kind, got)
		}
	}
}

func TestSignedTimeIsNotOld(t *testing.T) {
	t.Parallel()
	h := newHookHouse(t, nil)
	s := readSent(t)["grafana"]
	h.source(client.PutAlertSourceRequest{Name: "src", Kind: "grafana", Auth: hook.Signature, Secret: "the-first-secret-of-all"})
	signed := http.Header{}
	h.prove(signed, "grafana", hook.Signature, "the-first-secret-of-all", s.body)
	for minutes, want := range map[int]int{0: 202, 4: 202, 6: 401, -6: 401} {
		at := h.now
		h.now = h.now.Add(time.Duration(minutes) * time.Minute)
		got := h.send(s, "src", func(r http.Header) {
			for n, v := range signed {
				r[n] = v
			}
		})
		h.now = at
		if got.Code != want {
			t.Errorf("%d minutes after it was signed: %d %s", minutes, got.Code, got.Body)
		}
	}
}

// What was signed cannot be cut anew, so that words within an old delivery become
// a new one.
func TestSignedPartsStayApart(t *testing.T) {
	t.Parallel()
	h := newHookHouse(t, nil)
	const secret = "the-first-secret-of-all"
	h.source(client.PutAlertSourceRequest{Name: "src", Kind: "json", Auth: hook.Signature, Secret: secret})
	old := fmt.Sprint(h.now.Add(-24 * time.Hour).Unix())
	inner := `{"title":"all is well","status":"resolved"}`
	body := `{"title":"x.` + fmt.Sprint(h.now.Unix()) + "." + inner
	signature := "v1," + base64.StdEncoding.EncodeToString(mac(secret, "msg_1."+old+".", body))
	got := h.send(sent{body: inner}, "src", func(r http.Header) {
		r.Set("Webhook-Id", "msg_1."+old+`.{"title":"x`)
		r.Set("Webhook-Timestamp", fmt.Sprint(h.now.Unix()))
		r.Set("Webhook-Signature", signature)
	})
	if got.Code != http.StatusUnauthorized || len(h.alerts(alert.Filter{})) != 0 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// Without an address of their own, senders are known by a token or by an intake
// key, and are answered as their clients expect.
func TestSharedPaths(t *testing.T) {
	t.Parallel()
	h := newHookHouse(t, nil)
	token := h.source(client.PutAlertSourceRequest{Name: "hec", Kind: "splunk", Team: "billing"})
	do := func(method, path, auth, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		if auth != "" {
			r.Header.Set("Authorization", auth)
		}
		r.Header.Set("X-Splunk-Request-Channel", "c")
		return serve(h.in, r)
	}
	const prom = `[{"labels":{"alertname":"Test"}}]`
	for _, c := range []struct {
		method, path, auth, body string
		status                   int
		answer                   string
	}{
		{"POST", "/api/v2/alerts", "", prom, 401, "intake.no_key"},
		{"POST", "/api/v2/alerts", "Bearer rvi_other", prom, 401, "identity.unknown_key"},
		{"POST", "/api/v2/alerts", "Bearer rvi_key", prom, 200, ""},
		{"POST", "/api/v2/alerts", "Basic " + base64.StdEncoding.EncodeToString([]byte("x:rvi_key")), prom, 200, ""},
		{"POST", "/api/v2/alerts?key=rvi_key", "Bearer rvi_key", prom, 400, "intake.key_in_url"},
		{"POST", "/api/v2/alerts", "Bearer " + token, prom, 400, "intake.hook_kind"},
		{"POST", "/api/v1/alerts/hec/api/v2/alerts", "Bearer " + token, prom, 400, "intake.hook_kind"},
		{"POST", "/services/collector", "Splunk " + token, `{"event":"x"}`, 200, `"code":0`},
		{"POST", "/services/collector/event/1.0", "Splunk " + token, `{"event":"x"}`, 200, `"ackId"`},
		{"POST", "/services/collector/event", "", `{"event":"x"}`, 403, `"code":4`},
		{"POST", "/services/collector/event", "Splunk nobody", `{"event":"x"}`, 403, `"code":4`},
		{"POST", "/services/collector/event", "Splunk " + token, ` `, 400, `"code":5`},
		{"POST", "/services/collector/event", "Splunk " + token, `{"evt":"x"}`, 400, `"code":12`},
		{"POST", "/services/collector/event", "Splunk " + token, `{`, 400, `"code":6`},
		{"POST", "/services/collector/ack", "Splunk " + token, `{"acks":[1,2]}`, 200, `"1":true`},
		{"GET", "/services/collector/health", "", "", 200, `"code":17`},
		{"POST", "/api/v1/alerts/hec/services/collector/raw", "Splunk " + token, "a line", 200, `"code":0`},
		{"POST", "/data/v2/alerts", "Bearer rvi_key", `{"status":"critical","host":"a","check":"b"}`, 201, `"created"`},
		{"GET", "/api/v1/alerts/hec", "", "", 405, "intake.method"},
		{"POST", "/api/v1/alerts/nobody", "Bearer " + token, `{}`, 401, "hook.forged"},
		{"POST", "/api/v1/alerts/hec?token=" + token, "", `{"event":"x"}`, 401, ""},
	} {
		got := do(c.method, c.path, c.auth, c.body)
		if got.Code != c.status || !strings.Contains(got.Body.String(), c.answer) {
			t.Errorf("%s %s %s: %d %s; want %d with %q", c.method, c.path, c.body, got.Code, got.Body, c.status, c.answer)
		}
	}
	byName := map[string]client.Alert{}
	for _, a := range h.alerts(alert.Filter{}) {
		byName[a.Source] = a
	}
	if a := byName["alertmanager.support.production"]; a.Team != "support" || a.Environment != "production" || a.Receptions != 2 {
		t.Errorf("by an intake key: %+v", byName)
	}
	if byName["hec"].Team != "billing" || byName["bigpanda.support.production"].ID == "" {
		t.Errorf("got %+v", byName)
	}
	r := httptest.NewRequest(http.MethodOptions, "/api/v1/alerts/hec", nil)
	r.Header.Set("WebHook-Request-Origin", "eventemitter.example.com")
	if got := serve(h.in, r); got.Code != 200 || got.Header().Get("WebHook-Allowed-Origin") != "eventemitter.example.com" {
		t.Errorf("the question whether one may send: %d %v", got.Code, got.Header())
	}
}

// A token in the URL is taken only where that was allowed.
func TestTokenInURL(t *testing.T) {
	t.Parallel()
	h := newHookHouse(t, nil)
	token := h.source(client.PutAlertSourceRequest{Name: "web", Kind: "splunk", URLToken: true})
	s := sent{kind: "splunk", body: `{"search_name":"x","result":{}}`}
	for query, want := range map[string]int{"?token=" + token: 200, "?token=nobody": 401, "": 401} {
		s.query = query
		if got := h.send(s, "web", func(http.Header) {}); got.Code != want {
			t.Errorf("%q: %d %s", query, got.Code, got.Body)
		}
	}
}

// fullBook cannot take more.
type fullBook struct{}

func (fullBook) Take(context.Context, alert.Sender, []alert.Report) error {
	return fault.New(fault.KindExhausted, "alert.busy", "busy").WithRetryAfter(time.Second)
}

func TestBusy(t *testing.T) {
	t.Parallel()
	h := newHookHouse(t, func(o *Options) { o.Alerts = fullBook{} })
	token := h.source(client.PutAlertSourceRequest{Name: "am", Kind: "alertmanager"})
	s := sent{body: `[{"labels":{"a":"b"}}]`}
	got := h.send(s, "am", func(r http.Header) { r.Set("Authorization", "Bearer "+token) })
	if got.Code != 429 || got.Header().Get("Retry-After") == "" {
		t.Errorf("%d %v %s", got.Code, got.Header(), got.Body)
	}
	s.body = strings.Repeat(" ", maxHookBody+1)
	if got := h.send(s, "am", func(r http.Header) { r.Set("Authorization", "Bearer "+token) }); got.Code != 413 {
		t.Errorf("a body that is too large: %d", got.Code)
	}
}

// endless is a body that nobody finishes.
type endless struct{ over chan struct{} }

func (e endless) Read([]byte) (int, error) {
	<-e.over
	return 0, io.ErrUnexpectedEOF
}

// Strangers who know sources' names announce large bodies and never send them:
// who proves itself before its body is read is taken all the same.
func TestStrangersLeaveRoom(t *testing.T) {
	t.Parallel()
	h := newHookHouse(t, nil)
	token := h.source(client.PutAlertSourceRequest{Name: "am", Kind: "alertmanager"})
	names := []string{"sn", "pd", "gr"}
	for i, kind := range []string{"sentry", "pagerduty", "grafana"} {
		h.source(client.PutAlertSourceRequest{Name: names[i], Kind: kind, Auth: hook.Signature, Secret: "a-secret-of-their-own"})
	}
	over := make(chan struct{})
	var all sync.WaitGroup
	defer all.Wait()
	defer close(over)
	answered := make(chan int, 100)
	for i := range cap(answered) {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/alerts/"+names[i%len(names)], endless{over})
		r.ContentLength = maxHookBody
		all.Go(func() { answered <- serve(h.in, r).Code })
	}
	// Each either waits for its body or is told to come again.
	for room := h.in.limits.total / maxHookBody / 2; len(answered) < cap(answered)-int(room); {
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(time.Millisecond):
		}
	}
	got := h.send(sent{body: `[{"labels":{"a":"b"}}]`}, "am", func(r http.Header) { r.Set("Authorization", "Bearer "+token) })
	if got.Code != 200 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// Each forge's delivery: taken once, however often it is told; forged ones keep
// nothing.
func TestChangeDeliveries(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("changes/testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		h := newHookHouse(t, nil)
		s := sent{headers: http.Header{}}
		var branches []string
		wanted := false
		for _, f := range a.Files {
			text := strings.TrimSpace(string(f.Data))
			switch f.Name {
			case "kind":
				s.kind = text
			case "body":
				s.body = string(f.Data)
			case "branches":
				branches = strings.Split(text, ",")
			case "headers":
				for _, line := range strings.Split(text, "\n") {
					name, value, _ := strings.Cut(line, ":")
					s.headers.Set(name, strings.TrimSpace(value))
				}
			case "want":
				s.bad = strings.HasPrefix(text, "refused")
				wanted = strings.Contains(text, `"Key"`)
			}
		}
		secret := h.source(client.PutAlertSourceRequest{Name: "forge", Kind: s.kind, Team: "support", Branches: branches})
		send := func(secret string) int {
			r := httptest.NewRequest(http.MethodPost, "/api/v1/changes/forge", strings.NewReader(s.body))
			for n, v := range s.headers {
				r.Header[n] = v
			}
			switch s.kind {
			case "github":
				r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac(secret, s.body)))
			case "gitlab":
				r.Header.Set("X-Gitlab-Token", secret)
			default:
				r.Header.Set("Authorization", "Bearer "+secret)
			}
			return serve(h.in, r).Code
		}
		if got := send("another-secret"); got != 401 {
			t.Errorf("%s: forged: %d", file, got)
		}
		for range 3 { // and twice again
			if got := send(secret); s.bad && got != 400 || !s.bad && got != 202 {
				t.Errorf("%s: %d", file, got)
			}
		}
		all, _, err := h.made.List(t.Context(), change.Filter{})
		if err != nil || wanted != (len(all) > 0) || len(all) > 2 {
			t.Errorf("%s: %d changes, %v", file, len(all), err)
		}
		for _, c := range all {
			if c.Team != "support" || c.Source != "forge" {
				t.Errorf("%s: %+v", file, c)
			}
		}
		// A source of changes takes no alerts, and the other way round.
		if got := h.send(sent{body: "{}"}, "forge", func(r http.Header) { r.Set("Authorization", "Bearer "+secret) }); got.Code != 401 {
			t.Errorf("%s: as an alert: %d", file, got.Code)
		}
	}
}

// Who names a source without its proof learns nothing of whether it is there, of
// which kind it is, or how it proves itself.
func TestStrangers(t *testing.T) {
	t.Parallel()
	h := newHookHouse(t, nil)
	h.source(client.PutAlertSourceRequest{Name: "by-token", Kind: "json"})
	h.source(client.PutAlertSourceRequest{Name: "signed", Kind: "pagerduty", Auth: "signature", Secret: "a-secret-of-theirs"})
	h.source(client.PutAlertSourceRequest{Name: "hec", Kind: "splunk"})
	answers := map[string][]string{}
	for _, name := range []string{"nobody", "by-token", "signed", "hec"} {
		for _, change := range []func(*http.Request){
			func(*http.Request) {},
			func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") },
			func(r *http.Request) { r.Header.Set("X-PagerDuty-Signature", "v1="+strings.Repeat("0", 64)) },
			func(r *http.Request) { r.URL.RawQuery = "token=x" },
			func(r *http.Request) { r.URL.Path += "/api/v2/alerts" },
		} {
			r := httptest.NewRequest(http.MethodPost, "/api/v1/alerts/"+name, strings.NewReader(`{"a":1}`))
			r.Header.Set("Content-Type", "application/json")
			change(r)
			w := serve(h.in, r)
			answers[name] = append(answers[name], fmt.Sprint(w.Code, w.Body, w.Header()))
		}
	}
	for name, got := range answers {
		for i := range got {
			if got[i] != answers["nobody"][i] {
				t.Errorf("%s is told apart by request %d:\n%s\n%s", name, i, got[i], answers["nobody"][i])
			}
		}
	}
}

package hook

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

type house struct {
	t   testing.TB
	db  *control.DB
	now time.Time
	reg *Registry
}

// seals turns secrets round, so that what is stored is not what was given.
type seals struct{}

func (seals) Seal(name string, secret []byte) ([]byte, error) { return flip(secret), nil }

func (seals) Unseal(name string, sealed []byte) ([]byte, error) {
	if !strings.HasPrefix(name, "hook hks_") {
		return nil, errors.New("another name")
	}
	return flip(sealed), nil
}

func flip(b []byte) []byte {
	out := bytes.Clone(b)
	for i := range out {
		out[i] ^= 0x5a
	}
	return out
}

func open(t testing.TB) *house {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	h := &house{t: t, db: db, now: time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)}
	h.restart()
	return h
}

func (h *house) restart() {
	h.t.Helper()
	var err error
	if h.reg, err = New(h.t.Context(), Options{DB: h.db, Sealer: seals{}, Now: func() time.Time { return h.now }, CheckMapping: func(m *client.AlertMapping) error {
		if m.Title == "bad" {
			return invalid("bad")
		}
		return nil
	}}); err != nil {
		h.t.Fatal(err)
	}
}

func as(team string) Actor {
	return Actor{Person: "per_1", Can: func(role, t, _ string) bool { return role == "developer" && (team == "*" || t == team) }}
}

func (h *house) put(in client.PutAlertSourceRequest) client.AlertSourceWithSecret {
	h.t.Helper()
	s, err := h.reg.Put(h.t.Context(), as("*"), in)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

func (h *house) check(name string, header http.Header, query url.Values) error {
	s, ok := h.reg.Lookup(name)
	if !ok {
		h.t.Fatalf("no source %s", name)
	}
	return s.Check(&Delivery{Header: header, Query: query, Now: h.now})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(client.PutAlertSourceRequest{Name: "theirs", Kind: "grafana", Team: "billing"})
	for name, c := range map[string]struct {
		who  Actor
		in   client.PutAlertSourceRequest
		kind fault.Kind
	}{
		"a name with a slash":      {as("*"), client.PutAlertSourceRequest{Name: "a/b", Kind: "grafana"}, fault.KindInvalid},
		"another kind":             {as("*"), client.PutAlertSourceRequest{Name: "a", Kind: "nagios"}, fault.KindInvalid},
		"of another purpose":       {as("*"), client.PutAlertSourceRequest{Name: "a", Kind: "github", Purpose: Alerts}, fault.KindInvalid},
		"a proof that it cannot":   {as("*"), client.PutAlertSourceRequest{Name: "a", Kind: "datadog", Auth: Signature}, fault.KindInvalid},
		"a short secret":           {as("*"), client.PutAlertSourceRequest{Name: "a", Kind: "datadog", Secret: "short"}, fault.KindInvalid},
		"no secret of the sender":  {as("*"), client.PutAlertSourceRequest{Name: "a", Kind: "pagerduty"}, fault.KindInvalid},
		"a signature in the URL":   {as("*"), client.PutAlertSourceRequest{Name: "a", Kind: "github", URLToken: true}, fault.KindInvalid},
		"a mapping that fails":     {as("*"), client.PutAlertSourceRequest{Name: "a", Kind: "json", Mapping: &client.AlertMapping{Title: "bad"}}, fault.KindInvalid},
		"a mapping of a vendor":    {as("*"), client.PutAlertSourceRequest{Name: "a", Kind: "grafana", Mapping: &client.AlertMapping{Title: "x"}}, fault.KindInvalid},
		"branches of a monitor":    {as("*"), client.PutAlertSourceRequest{Name: "a", Kind: "grafana", Branches: []string{"main"}}, fault.KindInvalid},
		"a bad pattern":            {as("*"), client.PutAlertSourceRequest{Name: "a", Kind: "github", Branches: []string{"[z"}}, fault.KindInvalid},
		"resolved at once":         {as("*"), client.PutAlertSourceRequest{Name: "a", Kind: "grafana", ResolveAfter: "1s"}, fault.KindInvalid},
		"another team":             {as("support"), client.PutAlertSourceRequest{Name: "a", Kind: "grafana", Team: "billing"}, fault.KindDenied},
		"the house":                {as("support"), client.PutAlertSourceRequest{Name: "a", Kind: "grafana"}, fault.KindDenied},
		"another team's, taken":    {as("support"), client.PutAlertSourceRequest{Name: "theirs", Kind: "grafana", Team: "support", Revision: 1}, fault.KindDenied},
		"a revision that is old":   {as("*"), client.PutAlertSourceRequest{Name: "theirs", Kind: "grafana"}, fault.KindConflict},
		"another kind of the same": {as("*"), client.PutAlertSourceRequest{Name: "theirs", Kind: "datadog", Revision: 1}, fault.KindConflict},
		"one that is not there":    {as("*"), client.PutAlertSourceRequest{Name: "none", Kind: "grafana", Revision: 2}, fault.KindNotFound},
	} {
		if _, err := h.reg.Put(t.Context(), c.who, c.in); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.reg.Rotate(t.Context(), as("support"), client.RotateAlertSourceRequest{Name: "theirs"}); !fault.Is(err, fault.KindDenied) {
		t.Errorf("rotated by another team: %v", err)
	}
	if err := h.reg.Delete(t.Context(), as("support"), "theirs"); !fault.Is(err, fault.KindDenied) {
		t.Errorf("removed by another team: %v", err)
	}
	if got := len(h.reg.List("")); got != 1 {
		t.Errorf("%d sources", got)
	}
}

// Two secrets are taken while one follows the other, never three, and none that
// ended; all of it after a restart too.
func TestRotation(t *testing.T) {
	t.Parallel()
	h := open(t)
	first := h.put(client.PutAlertSourceRequest{Name: "src", Kind: "datadog"}).Secret
	rotate := func(keep string) string {
		t.Helper()
		h.now = h.now.Add(time.Second)
		s, err := h.reg.Rotate(t.Context(), as("*"), client.RotateAlertSourceRequest{Name: "src", Keep: keep})
		if err != nil {
			t.Fatal(err)
		}
		return s.Secret
	}
	second := rotate("1h")
	expect := func(when string, want map[string]bool) {
		t.Helper()
		for _, restarted := range []bool{false, true} {
			if restarted {
				h.restart()
			}
			for secret, ok := range want {
				if err := h.check("src", bearer(secret), nil); (err == nil) != ok {
					t.Errorf("%s, restarted %t: %v", when, restarted, err)
				}
			}
		}
	}
	expect("while one follows the other", map[string]bool{first: true, second: true, "rvh_nobody": false})
	third := rotate("1h")
	expect("after another one", map[string]bool{first: false, second: true, third: true})
	h.now = h.now.Add(2 * time.Hour)
	expect("when it ended", map[string]bool{second: false, third: true})
	fourth := rotate("0s")
	expect("at once", map[string]bool{third: false, fourth: true})
	if s, _ := h.reg.Get("src"); len(s.Secrets) != 1 {
		t.Errorf("%+v", s.Secrets)
	}
	if _, ok := h.reg.ByToken([]string{"x", fourth}); !ok {
		t.Error("its source is not found by its token")
	}
	if err := h.reg.Delete(t.Context(), as("*"), "src"); err != nil {
		t.Fatal(err)
	}
	if _, ok := h.reg.ByToken([]string{fourth}); ok {
		t.Error("a removed source is found by its token")
	}
}

// No secret can be read in the database, in a list or in the audit log.
func TestSecretsAreNotReadBack(t *testing.T) {
	t.Parallel()
	h := open(t)
	const signing = "a-signing-secret-of-theirs"
	h.put(client.PutAlertSourceRequest{Name: "pd", Kind: "pagerduty", Secret: signing})
	token := h.put(client.PutAlertSourceRequest{Name: "dd", Kind: "datadog"}).Secret
	h.put(client.PutAlertSourceRequest{Name: "dd", Kind: "datadog", Description: "again", Revision: 1})
	for _, query := range []string{`SELECT secret FROM hook_secrets`, `SELECT record FROM audit`, `SELECT COALESCE(after_state, '') || COALESCE(before_state, '') FROM audit_content`, `SELECT body FROM hooks`} {
		all, err := control.All(t.Context(), h.db, func(r control.Row) (s string, err error) { return s, r.Scan(&s) }, query)
		if err != nil || len(all) == 0 {
			t.Fatalf("%s: %v", query, err)
		}
		for _, text := range all {
			if strings.Contains(text, signing) || strings.Contains(text, token) || strings.Contains(text, "YS1zaWduaW5nLXNlY3JldC1vZi10aGVpcnM") {
				t.Errorf("%s tells a secret: %s", query, text)
			}
		}
	}
	if err := h.check("dd", bearer(token), nil); err != nil {
		t.Errorf("a change of words ended its token: %v", err)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	h := open(t)
	token := h.put(client.PutAlertSourceRequest{Name: "src", Kind: "datadog"}).Secret
	open := h.put(client.PutAlertSourceRequest{Name: "open", Kind: "splunk", URLToken: true}).Secret
	if !strings.HasPrefix(token, Prefix) || len(token) != 55 || token == open {
		t.Errorf("got %q", token)
	}
	for name, header := range map[string]http.Header{
		"bearer": bearer(token), "splunk": {"Authorization": {"Splunk " + token}}, "basic": {"Authorization": {"Basic dXNlcjp" + ""}}, "own": {"X-Reeve-Token": {token}},
		"gitlab": {"X-Gitlab-Token": {token}}, "datadog": {"Dd-Api-Key": {token}},
	} {
		if err := h.check("src", header, nil); (err == nil) != (name != "basic") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := h.check("src", nil, url.Values{"token": {token}}); fault.From(err).Code != "hook.no_proof" {
		t.Errorf("in the URL: %v", err)
	}
	if err := h.check("open", nil, url.Values{"token": {open}}); err != nil {
		t.Errorf("in the URL where it may: %v", err)
	}
}

// An intake key's source is made once, and takes no registered one's name.
func TestKnown(t *testing.T) {
	t.Parallel()
	h := open(t)
	one, err := h.reg.Known(t.Context(), Alerts, "alertmanager", "support", "production")
	if err != nil || one.Name != "alertmanager.support.production" || one.Registered {
		t.Fatalf("%+v, %v", one, err)
	}
	h.restart()
	if two, err := h.reg.Known(t.Context(), Alerts, "alertmanager", "support", "production"); err != nil || two.Name != one.Name || two.Revision != 1 {
		t.Errorf("%+v, %v", two, err)
	}
	if odd, err := h.reg.Known(t.Context(), Alerts, "alertmanager", "team / a", ""); err != nil || !GoodName(odd.Name) || odd.Team != "team / a" {
		t.Errorf("%+v, %v", odd, err)
	}
	h.put(client.PutAlertSourceRequest{Name: "splunk.billing", Kind: "splunk", Team: "support"})
	if _, err := h.reg.Known(t.Context(), Alerts, "splunk", "billing", ""); !fault.Is(err, fault.KindConflict) {
		t.Errorf("a name that is taken: %v", err)
	}
}

// Counts survive: Run writes them down when it ends.
func TestCounts(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.put(client.PutAlertSourceRequest{Name: "src", Kind: "datadog"})
	s, _ := h.reg.Lookup("src")
	s.Took(h.now)
	s.Refused(h.now, strings.Repeat("long ", 200))
	if err := h.check("src", bearer("rvh_nobody"), nil); !fault.Is(err, fault.KindUnauthenticated) {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.reg.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	h.restart()
	got, err := h.reg.Get("src")
	if err != nil || got.Deliveries != 1 || got.Refused != 1 || got.Forged != 1 || got.LastAt == nil {
		t.Errorf("%+v, %v", got, err)
	}
}

// Whatever stands in the headers, a check answers and does not panic; what it
// takes was signed.
func FuzzCheck(f *testing.F) {
	db, err := controltest.Open(context.Background(), filepath.Join(f.TempDir(), "control.db"))
	if err != nil {
		f.Fatal(err)
	}
	defer db.Close()
	reg, err := New(context.Background(), Options{DB: db})
	if err != nil {
		f.Fatal(err)
	}
	for _, k := range Kinds {
		for _, auth := range k.Auth {
			if _, err := reg.Put(context.Background(), as("*"), client.PutAlertSourceRequest{Name: k.Name + "-" + auth, Kind: k.Name, Auth: auth, Secret: "a secret that nobody guesses"}); err != nil {
				f.Fatal(err)
			}
			f.Add(k.Name+"-"+auth, "v1=00,sha256=00", "1793512740", []byte("{}"))
		}
	}
	f.Fuzz(func(t *testing.T, name, signature, at string, body []byte) {
		h, ok := reg.Lookup(name)
		if !ok {
			return
		}
		header := http.Header{}
		for _, n := range []string{"X-PagerDuty-Signature", "Sentry-Hook-Signature", "X-Hub-Signature-256", "X-Grafana-Alerting-Signature", "X-SFX-Signature", "Webhook-Signature", "Authorization", "X-Reeve-Token"} {
			header.Set(n, signature)
		}
		for _, n := range []string{"X-Grafana-Alerting-Timestamp", "Webhook-Timestamp", "Webhook-Id"} {
			header.Set(n, at)
		}
		if h.Check(&Delivery{Header: header, Body: body, Now: time.Now()}) == nil && !strings.Contains(signature, "a secret that nobody") {
			t.Errorf("%s took %q", name, signature)
		}
	})
}

// A name that was another team's stays that team's: what its source said is kept
// under it.
func TestNamesAfterRemoval(t *testing.T) {
	t.Parallel()
	h := open(t)
	put := func(team string) error {
		_, err := h.reg.Put(t.Context(), as("*"), client.PutAlertSourceRequest{Name: "src", Kind: "json", Team: team})
		return err
	}
	if err := put("support"); err != nil {
		t.Fatal(err)
	}
	if err := h.reg.Delete(t.Context(), as("*"), "src"); err != nil {
		t.Fatal(err)
	}
	if err := put("billing"); fault.From(err).Code != "hook.name_taken" {
		t.Errorf("taken by another team: %v", err)
	}
	if err := put("support"); err != nil {
		t.Errorf("by the team itself: %v", err)
	}
}

package said

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/feedback"
)

// Who complained by a link and left no address sees what became of it by another: in
// the team's words, nothing else, until it ends or is taken back.
func TestStatusLink(t *testing.T) {
	t.Parallel()
	o := open(t)
	now := time.Now()
	o.pages.now = func() time.Time { return now }
	ticket, _, err := o.book.Sign(feedback.Ticket{Team: "support", Environment: "production", On: feedback.On{Trace: trace}, User: "ada", Question: "Did the bot help?"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	answer := func(v url.Values) string {
		t.Helper()
		w := o.send("POST", LinkPath+ticket, "application/x-www-form-urlencoded", "", v.Encode())
		if w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return w.Body.String()
	}
	link := regexp.MustCompile(`href="https://reeve\.example/agents(/feedback/status/rvfs_[a-z0-9]{26})"`)
	for name, v := range map[string]url.Values{"content": {"v": {"up"}}, "an address": {"v": {"down"}, "contact": {"ada@example.org"}}} {
		if body := answer(v); link.MatchString(body) {
			t.Errorf("%s: a link is shown: %s", name, body)
		}
	}
	first := link.FindStringSubmatch(answer(url.Values{"v": {"down"}, "comment": {"it sent the wrong parcel"}}))
	if first == nil {
		t.Fatal("no link is shown")
	}
	path := first[1]
	look := func(method, path string) (int, string) {
		t.Helper()
		now = now.Add(time.Minute)
		w := o.send(method, path, "", "", "")
		if h := w.Header(); h.Get("Cache-Control") != "no-store" || h.Get("X-Robots-Tag") != "noindex" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%v", h)
		}
		return w.Code, w.Body.String()
	}
	code, body := look("GET", path)
	if code != http.StatusOK || !strings.Contains(body, "Nobody has said yet") {
		t.Errorf("%d %s", code, body)
	}
	me := feedback.Actor{Person: "per_1", Name: "Grace Secret", Can: func(string, string, string) bool { return true }}
	stranger := feedback.Actor{Person: "per_2", Can: func(_, team, _ string) bool { return team == "billing" }}
	id := o.kept()[0].ID
	if _, err := o.book.SetStatus(t.Context(), stranger, id, feedback.StatusWorking, "x"); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("another team's word: %v", err)
	}
	if _, err := o.book.SetStatus(t.Context(), me, id, "soon", ""); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("no state: %v", err)
	}
	if _, err := o.book.SetStatus(t.Context(), me, id, feedback.StatusCorrected, "The right parcel is <b>on its way</b>."); err != nil {
		t.Fatal(err)
	}
	code, body = look("GET", path)
	if code != http.StatusOK || !strings.Contains(body, "It was corrected.") || !strings.Contains(body, "The right parcel is &lt;b&gt;on its way") {
		t.Errorf("%d %s", code, body)
	}
	for _, secret := range []string{"wrong parcel", "ada", "Grace", "support", "production", trace, id, "Did the bot"} {
		if strings.Contains(body, secret) {
			t.Errorf("the page shows %q", secret)
		}
	}
	// A change of mind leaves the first link as it is; of one feedback five work.
	paths := []string{path}
	for i := range 5 {
		paths = append(paths, link.FindStringSubmatch(answer(url.Values{"v": {"down"}, "comment": {fmt.Sprint("again ", i)}}))[1])
	}
	if code, body = look("GET", paths[1]); code != http.StatusOK || !strings.Contains(body, "It was corrected.") {
		t.Errorf("the second link: %d %s", code, body)
	}
	code, gone := look("GET", paths[0])
	if code != http.StatusNotFound {
		t.Errorf("the oldest of six links: %d", code)
	}
	same := func(what, path string) {
		t.Helper()
		for _, method := range []string{"GET", "POST"} {
			if code, body := look(method, path); code != http.StatusNotFound || body != gone {
				t.Errorf("%s %s: %d %s", method, what, code, body)
			}
		}
	}
	same("a forged token", StatusPath+"rvfs_"+strings.Repeat("a", 26))
	same("a token with a letter changed", paths[2][:len(paths[2])-1]+map[bool]string{true: "b", false: "a"}[strings.HasSuffix(paths[2], "a")])
	same("a ticket", StatusPath+ticket)
	same("a long one", StatusPath+"rvfs_"+strings.Repeat("a", 5000))
	if code, body := look("POST", paths[1]); code != http.StatusOK || !strings.Contains(body, "shows nothing any more") {
		t.Errorf("forgotten: %d %s", code, body)
	}
	for _, p := range paths {
		same("a forgotten one", p)
	}
	if _, err := o.book.SetStatus(t.Context(), me, id, feedback.StatusWorking, "x"); !fault.Is(err, fault.KindConflict) {
		t.Errorf("a word to who has no link: %v", err)
	}
	revoked := link.FindStringSubmatch(answer(url.Values{"v": {"down"}, "comment": {"once more"}}))[1]
	if err := o.book.RevokeStatus(t.Context(), stranger, id); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("taken back by another team: %v", err)
	}
	if err := o.book.RevokeStatus(t.Context(), me, id); err != nil {
		t.Fatal(err)
	}
	same("one that was taken back", revoked)
	erased := link.FindStringSubmatch(answer(url.Values{"v": {"down"}, "comment": {"and again"}}))[1]
	if _, err := o.book.Erase(t.Context(), me, id, "", "", "asked for"); err != nil {
		t.Fatal(err)
	}
	same("one of what was erased", erased)
	if body := answer(url.Values{"v": {"down"}}); link.MatchString(body) {
		t.Error("what was erased has a link again")
	}
}

// A status link ends by itself, and the table never holds the token.
func TestStatusLinkEnds(t *testing.T) {
	t.Parallel()
	db, err := controltest.Open(t.Context(), t.TempDir()+"/control.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	now := time.Now()
	book, err := feedback.New(t.Context(), feedback.Options{DB: db, Key: make([]byte, 32), Runs: noRuns{}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	zero := 0.0
	ids, err := book.Take(t.Context(), feedback.Sender{Source: "link", Team: "support"}, []feedback.Report{{On: feedback.On{Trace: trace}, Kind: feedback.Thumb, Value: &zero}})
	if err != nil {
		t.Fatal(err)
	}
	token, expires, err := book.StatusLink(t.Context(), ids[0])
	if err != nil || !expires.Equal(now.UTC().Truncate(time.Microsecond).Add(feedback.StatusLife)) {
		t.Fatalf("%s %v", expires, err)
	}
	kept, _, err := control.One(t.Context(), db, func(r control.Row) (s string, err error) { return s, r.Scan(&s) }, `SELECT token FROM feedback_status`)
	if err != nil || strings.Contains(kept, token) || len(kept) != 64 {
		t.Errorf("the token is kept as %q, %v", kept, err)
	}
	now = expires.Add(-time.Second)
	if _, err := book.StatusBy(t.Context(), token); err != nil {
		t.Error(err)
	}
	now = expires
	if _, err := book.StatusBy(t.Context(), token); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("after its end: %v", err)
	}
	me := feedback.Actor{Can: func(string, string, string) bool { return true }}
	all := func(context.Context, []string) (map[string]bool, error) { return nil, nil }
	if n, err := book.TellWatching(t.Context(), me, "", feedback.StatusWorking, "x", all); n != 0 || err != nil {
		t.Errorf("%d are told, %v", n, err)
	}
}

// Behind a proxy that is trusted each address has its own part, and nobody else's word
// on addresses counts.
func TestForwardedAddresses(t *testing.T) {
	t.Parallel()
	o := open(t)
	for _, c := range []struct {
		name, from string
		told       []string
		want       string
	}{
		{"no proxy", "203.0.113.9:1", nil, "203.0.113.9"},
		{"a stranger says it", "203.0.113.9:1", []string{"198.51.100.1"}, "203.0.113.9"},
		{"a proxy", "10.0.0.7:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"a client says more", "10.0.0.7:1", []string{"1.2.3.4, 198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "10.0.0.7:1", []string{"1.2.3.4, 198.51.100.1, 10.0.0.8"}, "198.51.100.1"},
		{"two headers", "10.0.0.7:1", []string{"1.2.3.4", "198.51.100.1"}, "198.51.100.1"},
		{"with a port", "10.0.0.7:1", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"a household", "10.0.0.7:1", []string{"2001:db8:1:2:3::4"}, "2001:db8:1:2::/64"},
		{"in brackets", "10.0.0.7:1", []string{"[2001:db8:1:2:3::4]:80"}, "2001:db8:1:2::/64"},
		{"mapped", "[::ffff:10.0.0.7]:1", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"nothing", "10.0.0.7:1", nil, "10.0.0.7"},
		{"nonsense", "10.0.0.7:1", []string{"unknown"}, "10.0.0.7"},
		{"nonsense further on", "10.0.0.7:1", []string{"unknown, 10.0.0.8"}, "10.0.0.8"},
		{"a network beside it", "10.0.1.7:1", []string{"198.51.100.1"}, "10.0.1.7"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr, r.Header["X-Forwarded-For"] = c.from, c.told
		if got := o.pages.addressOf(r); got != c.want {
			t.Errorf("%s: counted for %s, want %s", c.name, got, c.want)
		}
	}
	// The limit itself: one address is held, another behind the same proxy is not.
	now := time.Now()
	o.pages.now = func() time.Time { return now }
	ask := func(client string) int {
		r, err := http.NewRequestWithContext(t.Context(), "GET", StatusPath+"rvfs_x", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr, r.Header["X-Forwarded-For"] = "10.0.0.7:1", []string{client}
		return newRecorder(o, r)
	}
	for range 30 {
		if code := ask("198.51.100.1"); code != http.StatusNotFound {
			t.Fatalf("%d within the limit", code)
		}
	}
	if one, other := ask("198.51.100.1"), ask("198.51.100.2"); one != http.StatusTooManyRequests || other != http.StatusNotFound {
		t.Errorf("the one that asks too often %d, another %d", one, other)
	}
}

func newRecorder(o *outside, r *http.Request) int {
	w := httptest.NewRecorder()
	o.mux.ServeHTTP(w, r)
	return w.Code
}

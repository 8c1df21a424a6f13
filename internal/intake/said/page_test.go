package said

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control/controltest"
	"reeve/internal/feedback"
)

type noRuns struct{}

func (noRuns) Run(context.Context, activity.RunID) (feedback.Seen, bool, error) {
	return feedback.Seen{}, false, nil
}

func (noRuns) OfSession(context.Context, string, string, string, time.Time) (feedback.Seen, bool, error) {
	return feedback.Seen{}, false, nil
}

const trace = "0af7651916cd43dd8448eb211c80319c"

type outside struct {
	t    *testing.T
	book *feedback.Book
	mux  *http.ServeMux
	form feedback.Form

	pages *Pages
	from  string // the address that sends; "" any
}

func open(t *testing.T) *outside {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	o := &outside{t: t, mux: http.NewServeMux()}
	if o.book, err = feedback.New(t.Context(), feedback.Options{DB: db, Key: make([]byte, 32), Runs: noRuns{}}); err != nil {
		t.Fatal(err)
	}
	me := feedback.Actor{Person: "per_1", Can: func(string, string, string) bool { return true }}
	if o.form, err = o.book.PutForm(t.Context(), me, feedback.Form{Name: "shop", Team: "support", Environment: "production", Origins: []string{"https://shop.example"}}); err != nil {
		t.Fatal(err)
	}
	o.pages = NewPages(o.book, slog.New(slog.DiscardHandler), Around{URL: func(path string) string { return "https://reeve.example/agents" + path }, Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}})
	o.pages.Register(o.mux)
	return o
}

func (o *outside) send(method, path, kind, origin, body string) *httptest.ResponseRecorder {
	o.t.Helper()
	r := httptest.NewRequestWithContext(o.t.Context(), method, path, strings.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	if o.from != "" {
		r.RemoteAddr = o.from
	}
	w := httptest.NewRecorder()
	o.mux.ServeHTTP(w, r)
	return w
}

func (o *outside) kept() []feedback.Feedback {
	o.t.Helper()
	all, _, err := o.book.List(o.t.Context(), feedback.Filter{})
	if err != nil {
		o.t.Fatal(err)
	}
	return all
}

const js = "application/json"

func TestForm(t *testing.T) {
	t.Parallel()
	o := open(t)
	body := `{"form":"` + o.form.Key + `","key":"1","trace":"` + trace + `","kind":"thumb","value":0,"comment":"no","contact":"a@b.example"}`
	w := o.send("POST", FormPath, js, "https://shop.example", body)
	if w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Origin") != "https://shop.example" {
		t.Fatalf("%d %s %v", w.Code, w.Body, w.Header())
	}
	got := o.kept()
	if len(got) != 1 || got[0].Source != "form:shop" || got[0].Team != "support" || got[0].Verified || got[0].Verdict != feedback.Negative {
		t.Fatalf("%+v", got)
	}
	for name, c := range map[string]struct{ kind, origin, body string }{
		"another origin":   {js, "https://evil.example", body},
		"no origin":        {js, "", body},
		"a sandboxed page": {js, "null", body},
		"a plain form":     {"text/plain", "https://shop.example", body},
		"another key":      {js, "https://shop.example", strings.Replace(body, o.form.Key, "x"+o.form.Key, 1)},
		"no JSON":          {js, "https://shop.example", "x"},
		"too much":         {js, "https://shop.example", `{"comment":"` + strings.Repeat("x", maxForm) + `"}`},
		"about nothing":    {js, "https://shop.example", `{"form":"` + o.form.Key + `","kind":"thumb","value":1}`},
		"a forged ticket":  {js, "https://shop.example", `{"form":"` + o.form.Key + `","ticket":"rvf1.e30.AAAA","kind":"thumb","value":1}`},
	} {
		w := o.send("POST", FormPath, c.kind, c.origin, c.body)
		if w.Code < 400 || w.Code >= 500 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if c.origin != "https://shop.example" && w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: its page may read the answer", name)
		}
	}
	if n := len(o.kept()); n != 1 {
		t.Errorf("%d are kept", n)
	}
	// With tickets required, what shows none is refused, and what shows one is of
	// the ticket's run, whatever the page says.
	o.form.Ticket = true
	me := feedback.Actor{Can: func(string, string, string) bool { return true }}
	if _, err := o.book.PutForm(t.Context(), me, o.form); err != nil {
		t.Fatal(err)
	}
	if w := o.send("POST", FormPath, js, "https://shop.example", body); w.Code != http.StatusUnauthorized {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	ticket, _, err := o.book.Sign(feedback.Ticket{Team: "support", Environment: "production", On: feedback.On{Session: "s1"}, User: "ada"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if w := o.send("POST", FormPath, js, "https://shop.example", strings.Replace(body, `"key"`, `"ticket":"`+ticket+`","key"`, 1)); w.Code != http.StatusNoContent {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := o.kept(); len(got) != 2 || !got[0].Verified || got[0].On.Session != "s1" || got[0].On.Trace != "" {
		t.Errorf("%+v", got)
	}
	other, _, _ := o.book.Sign(feedback.Ticket{Team: "billing", On: feedback.On{Session: "s1"}}, time.Hour)
	if w := o.send("POST", FormPath, js, "https://shop.example", strings.Replace(body, `"key"`, `"ticket":"`+other+`","key"`, 1)); w.Code != http.StatusForbidden {
		t.Errorf("another team's ticket: %d", w.Code)
	}
}

// One stranger has one word of a run, whatever keys their browser is told to send.
func TestOneWordOfARun(t *testing.T) {
	t.Parallel()
	o := open(t)
	for i, about := range []string{`"trace":"` + trace + `"`, `"trace":"` + strings.ToUpper(trace) + `"`, `"trace":"` + trace + `","session":"s2"`, `"trace":"` + trace + `","join_key":"k"`} {
		w := o.send("POST", FormPath, js, "https://shop.example", fmt.Sprintf(`{"form":%q,"key":"k%d",%s,"user":"u%d","kind":"thumb","value":0}`, o.form.Key, i, about, i))
		if w.Code != http.StatusNoContent {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if n := len(o.kept()); n != 1 {
		t.Errorf("one stranger has %d words of one run", n)
	}
}

// Who holds a ticket is counted once, by whatever way they use it.
func TestATicketCountsOnce(t *testing.T) {
	t.Parallel()
	o := open(t)
	me := feedback.Actor{Can: func(string, string, string) bool { return true }}
	second, err := o.book.PutForm(t.Context(), me, feedback.Form{Name: "help", Team: "support", Environment: "production", Origins: []string{"https://shop.example"}})
	if err != nil {
		t.Fatal(err)
	}
	ticket, _, err := o.book.Sign(feedback.Ticket{Team: "support", Environment: "production", On: feedback.On{Trace: trace}}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if w := o.send("POST", LinkPath+ticket, "application/x-www-form-urlencoded", "", "v=down"); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for _, key := range []string{o.form.Key, second.Key} {
		if w := o.send("POST", FormPath, js, "https://shop.example", `{"form":"`+key+`","ticket":"`+ticket+`","kind":"thumb","value":0}`); w.Code != http.StatusNoContent {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if got := o.kept(); len(got) != 1 || !got[0].Verified {
		t.Errorf("%d words of one ticket: %+v", len(got), got)
	}
}

func TestFloods(t *testing.T) {
	t.Parallel()
	o := open(t)
	body := `{"form":"` + o.form.Key + `","key":"1","trace":"` + trace + `","kind":"thumb","value":0}`
	refused := 0
	for range 150 {
		if w := o.send("POST", FormPath, js, "https://shop.example", body); w.Code == http.StatusTooManyRequests {
			refused++
			if w.Header().Get("Retry-After") == "" {
				t.Fatal("it does not say when to come again")
			}
		}
	}
	if refused == 0 {
		t.Error("a flood is taken whole")
	}
}

// One address that floods leaves the links and forms to the others.
func TestOneFloods(t *testing.T) {
	t.Parallel()
	o := open(t)
	now := time.Now()
	o.pages.now = func() time.Time { return now }
	ticket, _, err := o.book.Sign(feedback.Ticket{Team: "support", Environment: "production", On: feedback.On{Trace: trace}}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	body := `{"form":"` + o.form.Key + `","trace":"` + trace + `","kind":"thumb","value":0}`
	for range 300 {
		o.from = "[2001:db8::1]:1000"
		o.send("POST", LinkPath+ticket, "application/x-www-form-urlencoded", "", "v=perhaps")
		o.from = "[2001:db8::2]:1000" // a neighbour in the same network
		o.send("POST", FormPath, js, "https://shop.example", body)
	}
	if w := o.send("POST", FormPath, js, "https://shop.example", body); w.Code != http.StatusTooManyRequests {
		t.Errorf("who floods: %d", w.Code)
	}
	o.from = "192.0.2.7:1000"
	if w := o.send("POST", LinkPath+ticket, "application/x-www-form-urlencoded", "", "v=down"); w.Code != http.StatusOK {
		t.Errorf("another's link: %d %s", w.Code, w.Body)
	}
	if w := o.send("POST", FormPath, js, "https://shop.example", body); w.Code != http.StatusNoContent {
		t.Errorf("another's form: %d %s", w.Code, w.Body)
	}
}

func TestBucketsAreBounded(t *testing.T) {
	t.Parallel()
	var r rates
	now := time.Now()
	for i := range maxBuckets + 500 {
		r.take(strconv.Itoa(i), 10, 60, now)
	}
	if len(r.all) > maxBuckets {
		t.Errorf("%d addresses are counted", len(r.all))
	}
	now = now.Add(time.Minute)
	r.take("another", 10, 60, now)
	if len(r.all) != 1 {
		t.Errorf("%d addresses are counted a minute later", len(r.all))
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	o := open(t)
	ticket, _, err := o.book.Sign(feedback.Ticket{Team: "support", Environment: "production", On: feedback.On{Trace: trace}, Question: `Was <b>it</b> "right"?`}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	w := o.send("GET", LinkPath+ticket+"?v=down", "", "", "")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `value="down" checked`) || strings.Contains(w.Body.String(), "<b>it") || !strings.Contains(w.Header().Get("Content-Security-Policy"), styleHash) {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	if n := len(o.kept()); n != 0 {
		t.Fatalf("opening a link gave %d feedbacks: mail scanners open every link", n)
	}
	form := "application/x-www-form-urlencoded"
	answer := url.Values{"v": {"down"}, "comment": {"late"}, "consent": {"yes"}}.Encode()
	for range 2 { // again: they changed nothing
		if w := o.send("POST", LinkPath+ticket, form, "", answer); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Thank you") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	got := o.kept()
	if len(got) != 1 || got[0].Source != "link" || !got[0].Verified || got[0].Comment != "late" || got[0].Consent == nil || !*got[0].Consent {
		t.Errorf("%+v", got)
	}
	for name, path := range map[string]string{"changed": LinkPath + ticket[:len(ticket)-2] + "xx", "none": LinkPath + "x"} {
		for _, method := range []string{"GET", "POST"} {
			if w := o.send(method, path, form, "", answer); w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "not one of ours") {
				t.Errorf("%s %s: %d", method, name, w.Code)
			}
		}
	}
	if w := o.send("POST", LinkPath+ticket, form, "", "v=perhaps"); w.Code != http.StatusBadRequest {
		t.Errorf("%d", w.Code)
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	o := open(t)
	w := o.send("GET", ScriptPath, "", "", "")
	if w.Code != http.StatusOK || w.Body.Len() > 5000 || w.Header().Get("Cross-Origin-Resource-Policy") != "cross-origin" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript") {
		t.Errorf("%d, %d bytes, %v", w.Code, w.Body.Len(), w.Header())
	}
	for _, no := range []string{"innerHTML", "eval(", ".style", "cookie =", "http:"} {
		if strings.Contains(w.Body.String(), no) {
			t.Errorf("the script has %s: a strict page would stop it", no)
		}
	}
	if w := o.send("OPTIONS", FormPath, "", "https://shop.example", ""); w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Methods") != "POST" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

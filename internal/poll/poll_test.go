package poll

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reeve/client"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
)

// plain is a Remote that dials whatever it is told, with a credential that is
// seen in the header.
type plain struct{ authorization string }

func (p plain) Authorize(r *http.Request) error {
	r.Header.Set("Authorization", p.authorization)
	return nil
}
func (plain) Transport() http.RoundTripper { return http.DefaultTransport }
func (plain) Set() bool                    { return true }
func (plain) Close()                       {}

// house is a poller over a real database; what it delivers is kept here.
type house struct {
	*Poller
	db *control.DB

	mu     sync.Mutex
	got    []string // records' ids, in the order of their delivery
	full   error    // what intake says; nil takes
	clock  time.Time
	agents []string
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock
}

func (h *house) deliver(_ context.Context, p *client.Poller, kind Kind, records []byte) (Taken, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.full != nil {
		return Taken{}, h.full
	}
	var n int64
	add := func(id string) {
		h.got = append(h.got, id)
		h.agents = append(h.agents, p.Agent)
		n++
	}
	if kind == Transcripts {
		var v struct {
			Value []struct {
				ID string `json:"conversationtranscriptid"`
			}
		}
		if err := json.Unmarshal(records, &v); err != nil {
			return Taken{}, err
		}
		for _, r := range v.Value {
			add(r.ID)
		}
		return Taken{Steps: n}, nil
	}
	for line := range bytes.Lines(records) {
		var v struct {
			ID string `json:"requestId"`
		}
		if err := json.Unmarshal(line, &v); err != nil {
			return Taken{}, err
		}
		add(v.ID)
	}
	return Taken{Steps: n}, nil
}

func (h *house) ids() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.got)
}

var start = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, dir string) *house {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(dir, "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{db: db, clock: start}
	h.Poller, err = New(t.Context(), Options{
		DB: db, Deliver: h.deliver, Now: h.now,
		Open: func(_, _ string, c *client.Credential, _ bool, _ time.Duration) (Remote, error) {
			if c == nil {
				return plain{}, nil
			}
			return plain{c.Kind + " " + c.User}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.pause = time.Millisecond
	return h
}

func fresh(t *testing.T) *house {
	t.Helper()
	h := open(t, t.TempDir())
	t.Cleanup(func() { _ = h.db.Close() })
	return h
}

// put makes a poller and returns its worker, which nothing runs.
func (h *house) put(t *testing.T, d client.Poller) *worker {
	t.Helper()
	if d.Name == "" {
		d.Name = "p"
	}
	d.Team = "care"
	if _, err := h.Put(t.Context(), "jo", d); err != nil {
		t.Fatal(err)
	}
	return (*h.all.Load())[d.Name]
}

func wantIDs(t *testing.T, h *house, want ...string) {
	t.Helper()
	if got := h.ids(); !slices.Equal(got, want) {
		t.Errorf("delivered %v, want %v", got, want)
	}
}

// stubDataverse answers as the Web API of Dataverse is documented: rows in the
// order asked for, pages by @odata.nextLink, tokens of Entra.
type stubDataverse struct {
	*httptest.Server
	mu      sync.Mutex
	rows    []map[string]string
	page    int
	tokens  int
	revoked bool                      // the token that was given last is not taken
	refuse  func() (int, http.Header) // 0: answer
	asked   []string
}

func dataverseStub(t *testing.T) *stubDataverse {
	t.Helper()
	s := &stubDataverse{page: 2}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *stubDataverse) add(id string, modified time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = append(s.rows, map[string]string{"conversationtranscriptid": id, "modifiedon": modified.Format(time.RFC3339), "content": "{}"})
	slices.SortFunc(s.rows, func(a, b map[string]string) int {
		return strings.Compare(a["modifiedon"]+a["conversationtranscriptid"], b["modifiedon"]+b["conversationtranscriptid"])
	})
}

func (s *stubDataverse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/tenant/oauth2/v2.0/token" {
		_ = r.ParseForm()
		if r.Header.Get("Authorization") != "basic client-1" || r.Form.Get("grant_type") != "client_credentials" || !strings.HasSuffix(r.Form.Get("scope"), "/.default") {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"AADSTS7000215: the secret is X"}`)
			return
		}
		s.tokens++
		s.revoked = false
		_, _ = fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3599,"access_token":"token-%d"}`, s.tokens)
		return
	}
	if r.Header.Get("Authorization") != fmt.Sprintf("Bearer token-%d", s.tokens) || s.revoked {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if s.refuse != nil {
		if code, header := s.refuse(); code != 0 {
			for k, v := range header {
				w.Header()[k] = v
			}
			w.WriteHeader(code)
			_, _ = io.WriteString(w, `{"error":{"code":"0x80072322","message":"Number of requests exceeded the limit of 6000"}}`)
			return
		}
	}
	q := r.URL.Query()
	s.asked = append(s.asked, q.Get("$filter"))
	rest, _ := strings.CutPrefix(q.Get("$filter"), "modifiedon ge ")
	from, err := time.Parse(time.RFC3339, rest[:20])
	if err != nil || q.Get("$orderby") != "modifiedon asc,conversationtranscriptid asc" || r.URL.Path != rowsPath {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var rows []map[string]string
	for _, row := range s.rows {
		if at, _ := time.Parse(time.RFC3339, row["modifiedon"]); !at.Before(from) {
			rows = append(rows, row)
		}
	}
	skip := 0
	_, _ = fmt.Sscan(q.Get("$skiptoken"), &skip)
	answer := map[string]any{"value": rows[min(skip, len(rows)):min(skip+s.page, len(rows))]}
	if len(rows) == 0 {
		answer["value"] = []any{}
	}
	if skip+s.page < len(rows) {
		q.Set("$skiptoken", fmt.Sprint(skip+s.page))
		answer["@odata.nextLink"] = s.URL + r.URL.Path + "?" + q.Encode()
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *stubDataverse) poller() client.Poller {
	from := start.Add(-24 * time.Hour)
	return client.Poller{
		Kind: "copilot_studio", URL: s.URL, TokenURL: s.URL + "/tenant/oauth2/v2.0/token", From: &from, Agent: "returns",
		Credential: &client.Credential{Kind: "basic", User: "client-1", Source: "env", Ref: "X"},
	}
}

func TestDataverse(t *testing.T) {
	t.Parallel()
	h, s := fresh(t), dataverseStub(t)
	for i, id := range []string{"a", "b", "c", "d", "e"} {
		s.add(id, start.Add(time.Duration(i-10)*time.Minute))
	}
	s.add("old", start.Add(-48*time.Hour)) // before From
	w := h.put(t, s.poller())
	for range 2 { // what was read is not delivered again
		if err := w.once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wantIDs(t, h, "a", "b", "c", "d", "e")
	if h.agents[0] != "returns" {
		t.Errorf("delivered for agent %q", h.agents[0])
	}
	// One that comes late, with a time before those that were read; and one that
	// was changed since.
	s.add("late", start.Add(-70*time.Minute))
	s.add("a", start.Add(-time.Minute))
	if err := w.once(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, h, "a", "b", "c", "d", "e", "late", "a")
	d := w.shape()
	if d.Status.Records != 7 || d.Status.Steps != 7 || d.Status.LagSeconds == nil || *d.Status.LagSeconds != 0 || !d.Status.Through.Equal(start.Add(-time.Minute)) {
		t.Errorf("status %+v", d.Status)
	}
	if s.tokens != 1 {
		t.Errorf("%d tokens were asked for", s.tokens)
	}
	// A token that was revoked before its time is asked for anew, once.
	s.mu.Lock()
	s.revoked = true
	s.mu.Unlock()
	if err := w.once(t.Context()); err != nil || s.tokens != 2 {
		t.Errorf("after a revoked token: %v, %d tokens", err, s.tokens)
	}
}

// TestRestart holds that a process that dies between two pages, with or without
// the page at hand delivered, loses nothing and delivers at most that page again.
func TestRestart(t *testing.T) {
	t.Parallel()
	dir, s := t.TempDir(), dataverseStub(t)
	want := []string{}
	for i := range 9 {
		id := fmt.Sprintf("row-%d", i)
		want = append(want, id)
		s.add(id, start.Add(time.Duration(i-60)*time.Minute))
	}
	h := open(t, dir)
	n := 0
	s.refuse = func() (int, http.Header) {
		if n++; n == 3 {
			return http.StatusServiceUnavailable, nil // the third page
		}
		return 0, nil
	}
	if err := h.put(t, s.poller()).once(t.Context()); err == nil {
		t.Fatal("the third page was not refused")
	}
	first := h.ids()
	if !slices.Equal(first, want[:4]) {
		t.Fatalf("delivered %v", first)
	}
	if err := h.db.Close(); err != nil {
		t.Fatal(err)
	}
	h = open(t, dir)
	defer h.db.Close()
	w := (*h.all.Load())["p"]
	if err := w.once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all := append(first, h.ids()...); !slices.Equal(all, want) {
		t.Errorf("delivered %v", all)
	}
}

// TestRefused holds what is said, and how long is waited, when the other side
// does not answer.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code   int
		header http.Header
		want   string
		least  time.Duration
	}{
		"429":         {429, http.Header{"Retry-After": {"120"}}, "poll.refused", 2 * time.Minute},
		"503":         {503, nil, "poll.refused", 0},
		"403":         {403, nil, "poll.credential", 0},
		"404":         {404, nil, "poll.refused", 0},
		"for a week":  {429, http.Header{"Retry-After": {"604800"}}, "poll.refused", time.Hour},
		"of nonsense": {429, http.Header{"Retry-After": {"soon"}}, "poll.refused", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, s := fresh(t), dataverseStub(t)
			s.refuse = func() (int, http.Header) { return c.code, c.header }
			w := h.put(t, s.poller())
			err := w.once(t.Context())
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != c.want {
				t.Fatalf("%v, want %s", err, c.want)
			}
			if strings.Contains(f.Message, "exceeded the limit") {
				t.Errorf("another's words are shown: %s", f.Message)
			}
			if wait := w.settle(err); wait < c.least || wait > max(c.least, 16*time.Minute) {
				t.Errorf("waits %s, want at least %s", wait, c.least)
			}
			if d := w.shape(); d.Status.State != "failing" || d.Status.Error == "" || d.Status.FailingSince == nil {
				t.Errorf("status %+v", d.Status)
			}
			s.refuse = nil
			if err := w.once(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.settle(nil)
			if d := w.shape(); d.Status.State != "waiting" || d.Status.FailingSince != nil || d.Status.Error != "" {
				t.Errorf("status %+v", d.Status)
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	p := &Poller{pause: time.Second}
	last := time.Duration(0)
	for n := 1; n < 200; n++ {
		d := p.backoff(n, io.ErrUnexpectedEOF)
		if d < 500*time.Millisecond || d > 15*time.Minute {
			t.Fatalf("after %d failures: %s", n, d)
		}
		last = max(last, d)
	}
	if last < 7*time.Minute {
		t.Errorf("pauses grow to %s only", last)
	}
}

// TestWrongSecret holds that the secret's answer is not shown, nor the token sent
// elsewhere.
func TestWrongSecret(t *testing.T) {
	t.Parallel()
	h, s := fresh(t), dataverseStub(t)
	d := s.poller()
	d.Credential.User = "nobody"
	err := h.put(t, d).once(t.Context())
	if f := fault.From(err); f.Code != "poll.credential" || strings.Contains(f.Error(), "AADSTS") {
		t.Errorf("%v", err)
	}
}

func TestNextPageElsewhere(t *testing.T) {
	t.Parallel()
	h := fresh(t)
	asked := make(chan string, 10)
	evil := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.Header.Get("Authorization") }))
	defer evil.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"value":[],"@odata.nextLink":%q}`, evil.URL+"/x")
	}))
	defer s.Close()
	w := h.put(t, client.Poller{Kind: "copilot_studio", URL: s.URL, Credential: &client.Credential{Kind: "bearer", Source: "env", Ref: "X"}})
	if err := w.once(t.Context()); err == nil || len(asked) > 0 {
		t.Errorf("%v, %d requests elsewhere", err, len(asked))
	}
}

// stubBucket answers ListObjectsV2 and GetObject as S3's documents say.
type stubBucket struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string][]byte
	gets  int
}

const prefix = "AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1/"

func bucketStub(t *testing.T) *stubBucket {
	t.Helper()
	s := &stubBucket{files: map[string][]byte{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *stubBucket) put(hour, name string, ids ...string) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for _, id := range ids {
		_, _ = fmt.Fprintf(z, `{"schemaType":"ModelInvocationLog","requestId":%q}`+"\n", id)
	}
	_ = z.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[prefix+hour+"/"+name] = b.Bytes()
}

func (s *stubBucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Authorization") == "" {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
		return
	}
	if r.URL.Path != "/" {
		s.gets++
		_, _ = w.Write(s.files[strings.TrimPrefix(r.URL.Path, "/")])
		return
	}
	q := r.URL.Query()
	var keys []string
	for k := range s.files {
		if strings.HasPrefix(k, q.Get("prefix")) && k > q.Get("start-after") {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	const most = 2
	more := len(keys) > most
	keys = keys[:min(len(keys), most)]
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>logs</Name><IsTruncated>%t</IsTruncated>`, more)
	for _, k := range keys {
		_, _ = fmt.Fprintf(w, `<Contents><Key>%s</Key><Size>%d</Size></Contents>`, k, len(s.files[k]))
	}
	_, _ = io.WriteString(w, `</ListBucketResult>`)
}

func TestS3(t *testing.T) {
	t.Parallel()
	h, s := fresh(t), bucketStub(t)
	s.put("2026/11/02/09", "20261102T091500000Z_aa.json.gz", "r1", "r2")
	s.put("2026/11/02/10", "20261102T100000000Z_bb.json.gz", "r3")
	s.put("2026/11/02/10/data", "r3_input.json.gz", "never") // a body kept apart
	s.put("2026/11/02/11", "20261102T110500000Z_cc.json.gz", "r4")
	s.files[prefix+"2026/11/02/11/20261102T111000000Z_dd.json.gz"] = []byte{0x1f, 0x8b, 1, 2, 3} // broken
	s.files["AWSLogs/111122223333/BedrockModelInvocationLogs/amazon-bedrock-logs-permission-check"] = nil
	w := h.put(t, client.Poller{Kind: "bedrock_s3", URL: s.URL, Prefix: prefix, Credential: &client.Credential{Kind: "sigv4", Source: "env", Ref: "X"}})
	for range 2 {
		if err := w.once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wantIDs(t, h, "r1", "r2", "r3", "r4")
	gets := s.gets
	// A file that came late, of an hour before the last; and the next hour's.
	s.put("2026/11/02/10", "20261102T100000000Z_ab.json.gz", "late")
	s.put("2026/11/02/12", "20261102T120000000Z_ee.json.gz", "r5")
	if err := w.once(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, h, "r1", "r2", "r3", "r4", "late", "r5")
	if s.gets != gets+2 {
		t.Errorf("%d files were read again", s.gets-gets-2)
	}
	if d := w.shape(); d.Status.Records != 6 || d.Status.Rejected != 1 {
		t.Errorf("status %+v", d.Status)
	}
}

// stubLogs answers FilterLogEvents as CloudWatch Logs' documents say.
type stubLogs struct {
	*httptest.Server
	mu     sync.Mutex
	events []map[string]any
	asked  int
	fail   string // an error's type; "" answers
}

func logsStub(t *testing.T) *stubLogs {
	t.Helper()
	s := &stubLogs{}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *stubLogs) add(id string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, map[string]any{"eventId": id, "timestamp": at.UnixMilli(), "message": fmt.Sprintf(`{"requestId":%q}`, id)})
}

func (s *stubLogs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.fail != "" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"__type":"com.amazonaws.logs#%s","message":"Rate exceeded"}`, s.fail)
		return
	}
	var ask struct {
		LogGroupName string
		StartTime    int64
		EndTime      int64
		NextToken    string
	}
	_ = json.NewDecoder(r.Body).Decode(&ask)
	if r.Header.Get("X-Amz-Target") != "Logs_20140328.FilterLogEvents" || ask.LogGroupName != "/aws/bedrock/modelinvocations" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var in []map[string]any
	for _, e := range s.events {
		if at := e["timestamp"].(int64); at >= ask.StartTime && at <= ask.EndTime {
			in = append(in, e)
		}
	}
	skip := 0
	_, _ = fmt.Sscan(ask.NextToken, &skip)
	answer := map[string]any{"events": in[min(skip, len(in)):min(skip+2, len(in))]}
	if skip+2 < len(in) {
		answer["nextToken"] = fmt.Sprint(skip + 2)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func TestCloudWatch(t *testing.T) {
	t.Parallel()
	h, s := fresh(t), logsStub(t)
	// Of several streams, in no order; over more than one window.
	for _, e := range []struct {
		id string
		at time.Duration
	}{{"e1", -20 * time.Hour}, {"e3", -time.Hour}, {"e2", -2 * time.Hour}, {"e4", -59 * time.Minute}, {"e5", -50 * time.Minute}} {
		s.add(e.id, start.Add(e.at))
	}
	w := h.put(t, client.Poller{Kind: "bedrock_cloudwatch", URL: s.URL, LogGroup: "/aws/bedrock/modelinvocations", Credential: &client.Credential{Kind: "sigv4", Source: "env", Ref: "X"}})
	for range 2 {
		if err := w.once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wantIDs(t, h, "e1", "e3", "e2", "e4", "e5")
	if d := w.shape(); !d.Status.Through.Equal(start) || *d.Status.LagSeconds != 0 {
		t.Errorf("status %+v", d.Status)
	}
	s.add("late", start.Add(-100*time.Minute))
	h.mu.Lock()
	h.clock = start.Add(10 * time.Minute)
	h.mu.Unlock()
	s.add("e6", start.Add(5*time.Minute))
	if err := w.once(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, h, "e1", "e3", "e2", "e4", "e5", "late", "e6")

	s.fail = "ThrottlingException"
	if f := fault.From(w.once(t.Context())); f.Code != "poll.refused" || !strings.Contains(f.Message, "busy") {
		t.Errorf("throttled: %+v", f)
	}
	s.fail = "AccessDeniedException"
	if f := fault.From(w.once(t.Context())); f.Code != "poll.credential" {
		t.Errorf("denied: %+v", f)
	}
}

// TestIntakeFull holds that records that intake does not take are read again.
func TestIntakeFull(t *testing.T) {
	t.Parallel()
	h, s := fresh(t), logsStub(t)
	s.add("e1", start.Add(-time.Minute))
	w := h.put(t, client.Poller{Kind: "bedrock_cloudwatch", URL: s.URL, LogGroup: "/aws/bedrock/modelinvocations", Credential: &client.Credential{Kind: "sigv4", Source: "env", Ref: "X"}})
	h.full = fault.New(fault.KindExhausted, "bus.full", "the log is full").WithRetryAfter(time.Second)
	if err := w.once(t.Context()); !fault.Is(err, fault.KindExhausted) {
		t.Fatal(err)
	}
	if d := w.shape(); d.Status.Records != 0 {
		t.Errorf("counted %+v", d.Status)
	}
	h.full = nil
	if err := w.once(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, h, "e1")
}

// TestRun holds that a poller runs from when it is put, is woken, paused and
// removed.
func TestRun(t *testing.T) {
	t.Parallel()
	h, s := fresh(t), logsStub(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Run(ctx) }() // ends with ctx
	defer func() { stop(); <-done }()
	s.add("e1", start.Add(-time.Minute))
	h.put(t, client.Poller{Kind: "bedrock_cloudwatch", URL: s.URL, LogGroup: "/aws/bedrock/modelinvocations", Credential: &client.Credential{Kind: "sigv4", Source: "env", Ref: "X"}})
	until(t, func() bool { return len(h.ids()) == 1 })
	s.add("e2", start.Add(-time.Second))
	if _, err := h.Poll("p"); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return len(h.ids()) == 2 })
	if _, err := h.Pause(t.Context(), "jo", "p", true); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Poll("p"); fault.From(err).Code != "poll.paused" {
		t.Errorf("polled while paused: %v", err)
	}
	d, err := h.Pause(t.Context(), "jo", "p", false)
	if err != nil || d.Status.Records != 2 {
		t.Errorf("resumed with %+v, %v", d.Status, err)
	}
	if err := h.Delete(t.Context(), "jo", "p"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Get("p"); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("still there: %v", err)
	}
}

// until waits for a condition.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("it did not happen within 30 s")
		}
	}
}

func TestBadPollers(t *testing.T) {
	t.Parallel()
	h := fresh(t)
	key := &client.Credential{Kind: "sigv4", Source: "env", Ref: "X"}
	for name, d := range map[string]client.Poller{
		"no kind":           {URL: "https://x.example", Credential: key},
		"no credential":     {Kind: "copilot_studio", URL: "https://x.example"},
		"no prefix":         {Kind: "bedrock_s3", URL: "https://x.example", Credential: key},
		"prefix too short":  {Kind: "bedrock_s3", URL: "https://x.example", Prefix: "AWSLogs/1/BedrockModelInvocationLogs/", Credential: key},
		"no log group":      {Kind: "bedrock_cloudwatch", URL: "https://x.example", Credential: key},
		"another's field":   {Kind: "bedrock_cloudwatch", URL: "https://x.example", LogGroup: "g", Filter: "x", Credential: key},
		"bearer for amazon": {Kind: "bedrock_cloudwatch", URL: "https://x.example", LogGroup: "g", Credential: &client.Credential{Kind: "bearer", Source: "env", Ref: "X"}},
		"too often":         {Kind: "bedrock_cloudwatch", URL: "https://x.example", LogGroup: "g", Credential: key, EverySeconds: 1},
		"control character": {Kind: "bedrock_cloudwatch", URL: "https://x.example", LogGroup: "g\n", Credential: key},
		"key in the URL":    {Kind: "copilot_studio", URL: "https://x.example", Credential: &client.Credential{Kind: "query", Source: "env", Ref: "X"}},
	} {
		d.Name, d.Team = "p", "care"
		if _, err := h.Put(t.Context(), "jo", d); fault.From(err).Code != "poll.invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := client.Poller{Name: "p", Team: "care", Kind: "bedrock_cloudwatch", URL: "https://x.example", LogGroup: "g", Credential: key}
	if _, err := h.Put(t.Context(), "jo", good); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Put(t.Context(), "jo", good); fault.From(err).Code != "poll.revision" {
		t.Errorf("made twice: %v", err)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"value":[{"conversationtranscriptid":"a","modifiedon":"2026-11-02T06:05:11Z","content":"{}"}]}`))
	f.Add([]byte(`{"events":[{"eventId":"1","timestamp":1,"message":"{}"}],"nextToken":"x"}`))
	f.Add([]byte(`<ListBucketResult><Contents><Key>` + prefix + `2026/11/02/09/a.json.gz</Key></Contents></ListBucketResult>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for _, d := range []client.Poller{
			{Kind: "copilot_studio", URL: "https://x.example"}, {Kind: "bedrock_s3", URL: "https://x.example", Prefix: prefix}, {Kind: "bedrock_cloudwatch", URL: "https://x.example", LogGroup: "g"},
		} {
			d.From = &start
			p := &Poller{o: Options{Now: func() time.Time { return start }, Open: func(string, string, *client.Credential, bool, time.Duration) (Remote, error) { return said{body}, nil }}}
			w, err := p.worker(d)
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.feed().next(ctx, position{}, func(string) bool { return true })
			if err == nil && got.listed > len(body) {
				t.Errorf("%d records in %d bytes", got.listed, len(body))
			}
		}
	})
}

// said is a Remote that always answers the same.
type said struct{ body []byte }

func (said) Authorize(*http.Request) error { return nil }
func (s said) Transport() http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Status: "200 OK", Request: r, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(s.body))}, nil
	})
}
func (said) Set() bool { return true }
func (said) Close()    {}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

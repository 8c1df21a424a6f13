package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"reeve/client"
)

// answerBy answers a feedback link with no, and gives the page that comes back.
func answerBy(t *testing.T, link, comment string, header ...string) string {
	t.Helper()
	a := post(t.Context(), link, "application/x-www-form-urlencoded", []byte(url.Values{"v": {"down"}, "comment": {comment}}.Encode()), header...)
	if a.status != http.StatusOK {
		t.Fatalf("answering %s: %d %s", link, a.status, a.body)
	}
	return a.body
}

var statusLink = regexp.MustCompile(`href="(http[^"]*/feedback/status/rvfs_[a-z0-9]{26})"`)

func page(t *testing.T, link string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestFeedbackBehindAProxy: links and the script's address are the ones by which people
// outside come, under a path of the proxy; what they send arrives although the proxy
// calls us by another name; and addresses count by the proxy's word alone.
func TestFeedbackBehindAProxy(t *testing.T) {
	t.Parallel()
	var backend string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := strings.CutPrefix(r.URL.Path, "/agents")
		if !ok {
			http.NotFound(w, r)
			return
		}
		to := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.URL.Scheme, p.Out.URL.Host, p.Out.URL.Path, p.Out.Host = "http", backend, path, backend
			p.Out.Header["X-Forwarded-For"] = p.In.Header["X-Forwarded-For"]
			p.SetXForwarded()
		}}
		to.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	a := start(t, func(c *Config) {
		c.Approvals.Console, c.TrustedProxies = proxy.URL+"/agents/", []string{"127.0.0.1"}
	})
	backend = a.Address("listen")
	c := client.New("http://"+backend, "")
	link, err := c.CreateFeedbackLink(t.Context(), client.CreateFeedbackLinkRequest{FeedbackAbout: client.FeedbackAbout{Trace: traceOf(1)}})
	if err != nil || !strings.HasPrefix(link.URL, proxy.URL+"/agents/f/rvf1.") || !strings.HasPrefix(link.Down, link.URL) {
		t.Fatalf("%+v %v", link, err)
	}
	if code, body := page(t, link.Down); code != http.StatusOK || !strings.Contains(body, `value="down" checked`) {
		t.Fatalf("%d %s", code, body)
	}
	got := answerBy(t, link.URL, "wrong", "Origin", proxy.URL, "Sec-Fetch-Site", "same-origin")
	status := statusLink.FindStringSubmatch(got)
	if status == nil || !strings.HasPrefix(status[1], proxy.URL+"/agents/feedback/status/") {
		t.Fatalf("%s", got)
	}
	if code, body := page(t, status[1]); code != http.StatusOK || !strings.Contains(body, "Nobody has said yet") {
		t.Errorf("%d %s", code, body)
	}
	form, err := c.PutFeedbackForm(t.Context(), client.PutFeedbackFormRequest{Name: "shop", Origins: []string{"https://shop.example"}})
	if err != nil || !strings.Contains(form.Snippet, `src="`+proxy.URL+`/agents/feedback.js"`) {
		t.Fatalf("%+v %v", form, err)
	}
	// The script sends to where it came from, path and all.
	if code, body := page(t, proxy.URL+"/agents/feedback.js"); code != http.StatusOK || !strings.Contains(body, `base = me.src.replace(/\/feedback\.js.*$/, "")`) {
		t.Errorf("%d %s", code, body)
	}
	body, err := json.Marshal(map[string]any{"form": form.Key, "trace": traceOf(2), "kind": "thumb", "value": 1})
	if err != nil {
		t.Fatal(err)
	}
	if a := post(t.Context(), proxy.URL+"/agents/feedback/form", "application/json", body, "Origin", "https://shop.example", "Sec-Fetch-Site", "cross-site"); a.status != http.StatusNoContent {
		t.Errorf("%+v", a)
	}
	unknown := proxy.URL + "/agents/feedback/status/rvfs_unknown"
	held := 0
	for range 40 {
		if code, _ := page(t, unknown, "X-Forwarded-For", "198.51.100.1"); code == http.StatusTooManyRequests {
			held++
		}
	}
	if other, _ := page(t, unknown, "X-Forwarded-For", "198.51.100.2"); held == 0 || other != http.StatusNotFound {
		t.Errorf("one address was held %d times of 40, another got %d", held, other)
	}
	// Who comes past the proxy says nothing of others: the name is one, the address its own.
	if code, _ := page(t, "http://"+backend+"/feedback/status/rvfs_unknown", "Host", "reeve.example"); code != http.StatusNotFound {
		t.Errorf("%d", code)
	}
}

// TestPatternsOfSatisfaction: a tool whose runs leave users unhappy is named, with its
// interval, and its runs are found by the search beside it.
func TestPatternsOfSatisfaction(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	c := client.New("http://"+a.Address("listen"), "")
	const runs = 80
	for n := range runs {
		tools := []string{"look"}
		if n%2 == 0 {
			tools = append(tools, "guess")
		}
		if n%3 == 0 {
			tools = append(tools, "pay")
		}
		if r := post(t.Context(), "http://"+a.Address("listen")+"/v1/traces", "application/json", toolRun(t, n, tools)); r.status != http.StatusOK {
			t.Fatalf("%+v", r)
		}
		good := 1.0
		if n%2 == 0 && n%8 != 0 || n%2 == 1 && n%10 == 1 { // of those with it 3 in 4, without it 1 in 5
			good = 0
		}
		if _, err := c.CreateFeedback(t.Context(), client.CreateFeedbackRequest{FeedbackAbout: client.FeedbackAbout{Trace: traceOf(n)}, Kind: "thumb", Value: &good, User: fmt.Sprint("user-", n)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.FeedbackPatterns(t.Context(), client.FeedbackPatternsRequest{}); err == nil {
		t.Error("patterns of no agent")
	}
	if x, err := c.FeedbackPatterns(t.Context(), client.FeedbackPatternsRequest{Agent: "nobody"}); err != nil || x.Possible == "" || x.Items == nil {
		t.Errorf("%+v %v", x, err)
	}
	var x *client.FeedbackPatterns
	eventually(t, "the steps of all runs", func() bool {
		var err error
		x, err = c.FeedbackPatterns(t.Context(), client.FeedbackPatternsRequest{Agent: "shop"})
		return err == nil && x.Runs == runs && x.Unread == 0
	})
	began := time.Now()
	x, err := c.FeedbackPatterns(t.Context(), client.FeedbackPatternsRequest{Agent: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d runs took %s", x.Runs, time.Since(began))
	p := x.Items[0]
	if x.Unhappy != 38 || x.Tested < 4 || x.Found == 0 || !p.Found || p.With.N != 40 || *p.With.Value != .75 || *p.Without.Value != .2 || *p.Diff.Low < .3 || *p.Diff.High > .75 || len(p.Runs) != 20 || len(p.Others) != 20 ||
		!strings.Contains(x.Says, "association, not a cause") {
		t.Errorf("%+v\n%+v", x, p)
	}
	found := false
	for _, p := range x.Items {
		if p.Kind == "tool" && p.Name == "pay" && p.Found {
			t.Errorf("pay has nothing to do with it: %+v", p)
		}
		if p.Kind != "tool" || p.Name != "guess" {
			continue
		}
		found = p.Found
		list, err := c.ListRuns(t.Context(), client.ListRunsRequest{Query: p.Search})
		if err != nil || len(list.Items) != 40 {
			t.Errorf("%s finds %d runs, %v", p.Search, len(list.Items), err)
		}
	}
	if !found {
		t.Errorf("the tool is not found: %+v", x.Items)
	}
}

// toolRun is a run of the agent shop that called some tools one after the other.
func toolRun(t *testing.T, n int, tools []string) []byte {
	t.Helper()
	attr := func(k, v string) map[string]any {
		return map[string]any{"key": k, "value": map[string]any{"stringValue": v}}
	}
	start := time.Now().Add(-time.Minute)
	at := func(ms int) string { return fmt.Sprint(start.Add(time.Duration(ms) * time.Millisecond).UnixNano()) }
	root := fmt.Sprintf("%016x", 100*n+1)
	spans := []any{map[string]any{"traceId": traceOf(n), "spanId": root, "name": "invoke_agent shop", "startTimeUnixNano": at(0), "endTimeUnixNano": at(900), "attributes": []any{attr("gen_ai.operation.name", "invoke_agent"), attr("gen_ai.agent.name", "shop")}}}
	for i, tool := range tools {
		spans = append(spans, map[string]any{"traceId": traceOf(n), "spanId": fmt.Sprintf("%016x", 100*n+2+i), "parentSpanId": root, "name": "execute_tool " + tool, "startTimeUnixNano": at(10 * (i + 1)), "endTimeUnixNano": at(10*(i+1) + 5), "attributes": []any{attr("gen_ai.operation.name", "execute_tool"), attr("gen_ai.tool.name", tool), attr("gen_ai.agent.name", "shop")}})
	}
	body, err := json.Marshal(map[string]any{"resourceSpans": []any{map[string]any{"resource": map[string]any{"attributes": []any{attr("service.name", "shop")}}, "scopeSpans": []any{map[string]any{"spans": spans}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

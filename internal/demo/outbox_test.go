package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

// What arrives is kept byte for byte, shown escaped and without what authorizes, and
// the oldest goes first.
func TestOutbox(t *testing.T) {
	t.Parallel()
	d := New(Options{})
	in := httptest.NewServer(d.out.receive())
	defer in.Close()
	post := func(path, body string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, in.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer xoxb-secret")
		req.Header.Set("Idempotency-Key", "key-1")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		out, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(out)
	}
	if status, out := post("/slack/api/chat.postMessage", `{"text":"<script>x</script>"}`); status != 200 || !strings.Contains(out, `"ok":true`) {
		t.Errorf("%d %s", status, out)
	}
	if status, out := post("/pagerduty/v2/enqueue", `{"dedup_key":"inc-1"}`); status != 202 || !strings.Contains(out, `"dedup_key":"inc-1"`) {
		t.Errorf("%d %s", status, out)
	}
	if status, _ := post("/customers", strings.Repeat("x", maxOutBody+1)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("too much: %d", status)
	}
	page := httptest.NewServer(d.Outbox())
	defer page.Close()
	get := func(accept string) string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page.URL+"/demo/outbox", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		out, _ := io.ReadAll(resp.Body)
		return string(out)
	}
	if out := get("text/html"); strings.Contains(out, "<script>") || !strings.Contains(out, "&lt;script&gt;") || strings.Contains(out, "xoxb-secret") || !strings.Contains(out, "key-1") {
		t.Error(out)
	}
	if out := get("application/json"); !strings.Contains(out, `\u003cscript\u003e`) || strings.Index(out, "enqueue") > strings.Index(out, "postMessage") {
		t.Error(out)
	}
	for n := range maxOutgoing + 5 {
		d.out.keep(Outgoing{Body: fmt.Sprint(n)})
	}
	if all := d.out.all(); len(all) != maxOutgoing || all[0].Body != fmt.Sprint(maxOutgoing+4) {
		t.Errorf("%d, the newest %q", len(all), all[0].Body)
	}
}

// A mail is taken as a mail server takes it; what is no SMTP ends.
func TestOutboxMail(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var g errgroup.Group
	o := &outbox{}
	address, err := o.mail(ctx, &g)
	if err != nil {
		t.Fatal(err)
	}
	if err := smtp.SendMail(address, nil, "reeve@shop.example", []string{"sre@shop.example"}, []byte("Subject: x\r\n\r\n.dots\r\nstay\r\n")); err != nil {
		t.Error(err)
	}
	if all := o.all(); len(all) != 1 || all[0].To != "sre@shop.example" || all[0].Body != "Subject: x\r\n\r\n..dots\r\nstay\r\n" {
		t.Errorf("%+v", all)
	}
	c, err := smtp.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Verify("root"); err == nil {
		t.Error("VRFY was answered")
	}
	_ = c.Close()
	cancel()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

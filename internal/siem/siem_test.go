package siem

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"reeve/internal/fault"
)

// memory is a log that grows.
type memory struct {
	name string
	n    atomic.Int64
}

func (m *memory) Name() string { return m.name }

func (m *memory) Records(_ context.Context, seq int64, limit int) (out []Record, err error) {
	for ; seq < m.n.Load() && len(out) < limit; seq++ {
		out = append(out, Record{Log: m.name, Seq: seq, At: 1764220000_000000 + seq, Kind: "decision.proposed", Line: lineOf(m.name, seq)})
	}
	return out, nil
}

func lineOf(log string, seq int64) []byte {
	return fmt.Appendf(nil, `{"log":"%s","seq":%d,"text":"é\n"}`, log, seq)
}

func exporter(t *testing.T, dir string, c Config, sources ...Source) *Exporter {
	t.Helper()
	x, err := New(Options{Dir: dir, Targets: []Config{c}, Sources: sources, Host: "node 1", Every: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// until runs x until done closes.
func until(t *testing.T, x *Exporter, done <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { _ = x.Run(ctx); close(ended) }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Errorf("records did not arrive: %+v", x.Status())
	}
	cancel()
	<-ended
}

func TestFileAndCursorsAcrossRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := &memory{name: "ins/audit/n"}, &memory{name: "ins/audit/local"}
	a.n.Store(450)
	b.n.Store(3)
	c := Config{Name: "lines", Kind: "file", File: filepath.Join(dir, "out.jsonl")}
	for range 2 {
		x := exporter(t, dir, c, a, b)
		if err := x.carry(t.Context(), x.list[0]); err != nil {
			t.Fatal(err)
		}
		a.n.Add(5)
	}
	text, err := os.ReadFile(c.File)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 458 || lines[449] != string(lineOf(a.name, 449)) || lines[450] != string(lineOf(b.name, 0)) || lines[453] != string(lineOf(a.name, 450)) {
		t.Errorf("%d lines: %s", len(lines), lines[len(lines)-1])
	}
	x := exporter(t, dir, c, a, b)
	if diff := cmp.Diff(map[string]int64{a.name: 455, b.name: 3}, x.Status()[0].Cursors); diff != "" {
		t.Errorf("cursors (-want +got):\n%s", diff)
	}
}

func TestSplunk(t *testing.T) {
	t.Parallel()
	log := &memory{name: "ins/audit/n"}
	log.n.Store(250)
	fails := 2
	var got []event
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fails > 0 {
			fails--
			http.Error(w, `{"text":"Server is busy","code":9}`, http.StatusServiceUnavailable)
			return
		}
		if r.URL.Path != splunkPath || r.Header.Get("Authorization") != "Splunk secret" {
			t.Errorf("asked %s with %q", r.URL.Path, r.Header.Get("Authorization"))
		}
		for d := json.NewDecoder(r.Body); d.More(); {
			var e event
			if err := d.Decode(&e); err != nil {
				t.Error(err)
				return
			}
			got = append(got, e)
		}
		_, _ = io.WriteString(w, `{"text":"Success","code":0}`)
	}))
	defer srv.Close()
	dir := t.TempDir()
	token, ca := filepath.Join(dir, "token"), filepath.Join(dir, "ca.pem")
	write(t, token, "secret\n")
	write(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})))
	x := exporter(t, dir, Config{Name: "splunk", Kind: "splunk", URL: srv.URL, TokenFile: token, CA: ca}, log)
	for range 2 {
		if err := x.carry(t.Context(), x.list[0]); fault.From(err).Code != "siem.refused" {
			t.Errorf("a busy collector: %v", err)
		}
	}
	if err := x.carry(t.Context(), x.list[0]); err != nil {
		t.Fatal(err)
	}
	if len(got) != 250 || string(got[7].Event) != string(lineOf(log.name, 7)) || got[7].Time != "1764220000.000007" || got[7].Source != log.name {
		t.Errorf("%d events, %+v", len(got), got[min(7, len(got)-1)])
	}
	if s := x.Status()[0]; s.Sent != 250 || s.Error != "" || strings.Contains(s.Where, "secret") {
		t.Errorf("%+v", s)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// frame reads one message as RFC 5425 frames it.
func frame(r *bufio.Reader) (string, error) {
	size, err := r.ReadString(' ')
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(size, " "))
	if err != nil {
		return "", err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	return string(b), err
}

// A receiver that closes in the middle gets what it may have lost again.
func TestSyslogOverTLS(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(nil)
	srv.StartTLS()
	cert, root := srv.TLS.Certificates[0], srv.Certificate()
	srv.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	log := &memory{name: "ins/audit/n"}
	log.n.Store(20)
	got := map[string]int{}
	var first string
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for i := 0; ; i++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			receive(conn, i == 0, got, &first, done)
		}
	}()
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	write(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})))
	x := exporter(t, dir, Config{Name: "syslog", Kind: "syslog", Address: l.Addr().String(), CA: ca}, log)
	if err := x.carry(t.Context(), x.list[0]); fault.From(err).Code != "siem.broken" {
		t.Errorf("a receiver that closes: %v", err)
	}
	until(t, x, done)
	l.Close()
	<-ended
	if len(got) != 20 {
		t.Errorf("%d different messages", len(got))
	}
	want := "<110>1 2025-11-27T05:06:40.000000Z node1 reeve - decision.proposed - " + string(lineOf(log.name, 0))
	if first != want {
		t.Errorf("got  %s\nwant %s", first, want)
	}
}

func receive(conn net.Conn, breaks bool, got map[string]int, first *string, done chan struct{}) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for n := 0; ; n++ {
		msg, err := frame(r)
		if err != nil {
			return
		}
		if breaks && n == 5 {
			return
		}
		if *first == "" {
			*first = msg
		}
		got[msg]++
		if len(got) == 20 && !breaks {
			select {
			case <-done:
			default:
				close(done)
			}
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{
		{},
		{Name: "A B", Kind: "file", File: "x"},
		{Name: "a", Kind: "pigeon"},
		{Name: "a", Kind: "file"},
		{Name: "a", Kind: "syslog", Address: "host"},
		{Name: "a", Kind: "https", URL: "http://siem.example.com/x"},
		{Name: "a", Kind: "https", URL: "ftp://x"},
		{Name: "a", Kind: "https", URL: "https://"},
		{Name: "a", Kind: "splunk", URL: "https://s"},
		{Name: "a", Kind: "splunk", URL: "https://s", TokenFile: "/does/not/exist"},
		{Name: "a", Kind: "syslog", Address: "h:1", CA: "/does/not/exist"},
	} {
		if _, err := New(Options{Dir: t.TempDir(), Targets: []Config{c}}); fault.From(err) == nil || fault.From(err).Code != "siem.config" {
			t.Errorf("%+v gives %v", c, err)
		}
	}
	one := Config{Name: "a", Kind: "file", File: "x"}
	if _, err := New(Options{Dir: t.TempDir(), Targets: []Config{one, one}}); fault.From(err) == nil || fault.From(err).Code != "siem.config" {
		t.Errorf("twice the same: %v", err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.json"), "nonsense")
	if _, err := New(Options{Dir: dir, Targets: []Config{one}}); fault.From(err) == nil || fault.From(err).Code != "siem.cursor" {
		t.Errorf("a damaged cursor: %v", err)
	}
}

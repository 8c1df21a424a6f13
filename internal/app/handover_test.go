package app

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"reeve/client"
)

// A process is told to end while 500 streams are open; the next is started at
// once on the same socket. The streams go on to their end, calls that come
// meanwhile are answered by the next process, and none fails.
func TestStreamsOutliveTheEndOfTheirProcess(t *testing.T) {
	t.Parallel()
	const streams = 500
	if testing.Short() {
		t.Skip("500 streams and two processes")
	}
	door, socket := passable(t)
	enough := make(chan struct{}) // closed: the streams may end
	var open atomic.Int64
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/stream/1" {
			return
		}
		_, _ = io.WriteString(w, "begin")
		_ = http.NewResponseController(w).Flush()
		open.Add(1)
		<-enough
		_, _ = io.WriteString(w, " end")
	}))
	t.Cleanup(up.Close)
	dir := t.TempDir()
	old := startChild(t, childOptions{Dir: dir, Socket: socket})
	if _, err := old.api.PutUpstream(t.Context(), client.PutUpstreamRequest{
		Name: "shop", Kind: "http", URL: up.URL, Team: "dev", Environment: "dev", AllowPrivate: true,
		Routes: []client.Route{{Method: "GET", Path: "/{what}/{n}", Effect: "read"}},
	}); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: streams}
	t.Cleanup(transport.CloseIdleConnections)
	call := func(path string, agent int) error {
		req, err := http.NewRequestWithContext(t.Context(), "GET", door+"/http/shop"+path, nil)
		if err != nil {
			return err
		}
		req.Header.Set("X-Reeve-Agent", fmt.Sprint("agent-", agent))
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if path == "/stream/1" && string(body) != "begin end" || resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%d %q, %w", resp.StatusCode, body, err)
		}
		return err
	}
	var failed, whole atomic.Int64
	var calls sync.WaitGroup
	for i := range streams {
		calls.Go(func() {
			if err := call("/stream/1", i%5); err != nil {
				failed.Add(1)
				t.Logf("a stream: %v", err)
				return
			}
			whole.Add(1)
		})
	}
	eventually(t, "all streams to be open", func() bool { return open.Load() == streams })
	if err := old.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	// One that does not end says where it is.
	slow := time.AfterFunc(time.Minute, func() { _ = old.cmd.Process.Signal(syscall.SIGQUIT) })
	defer slow.Stop()
	began := time.Now()
	next := make(chan *child, 1)
	go func() { next <- startChild(t, childOptions{Dir: dir, Socket: socket}) }()
	var answered atomic.Int64
	for i := range 20 {
		calls.Go(func() {
			if err := call("/call/1", 5+i%5); err != nil {
				failed.Add(1)
				t.Logf("a call after the signal: %v", err)
				return
			}
			answered.Add(1)
		})
	}
	timer := time.NewTimer(2 * time.Second) // the streams go on after the signal
	<-timer.C
	close(enough)
	calls.Wait()
	took := time.Since(began)
	if err := old.cmd.Wait(); err != nil {
		t.Errorf("the old process ended with %v\n%s", err, old.log)
	}
	if whole.Load() != streams || answered.Load() != 20 || failed.Load() != 0 {
		t.Errorf("%d streams whole, %d calls answered, %d failed; want %d, 20 and none", whole.Load(), answered.Load(), failed.Load(), streams)
	}
	again := <-next
	if again.Code != "" {
		t.Fatalf("the next process did not start: %s", again.Error)
	}
	t.Logf("%d streams ended whole and 20 calls were answered within %s of the signal", streams, took)
}

// passable opens a socket as a service manager does. Whether it blocks belongs
// to all processes that have it, and os.File.Fd makes it block, unless the file
// was made of one that does: hence the order.
func passable(t *testing.T) (url string, socket *os.File) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // the copy stays
	first, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Close() }()
	fd, err := syscall.Dup(int(first.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	socket = os.NewFile(uintptr(fd), "door")
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	return "http://" + l.Addr().String(), socket
}

package app

import (
	"context"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"reeve/client"
)

// TestEndOfTheProcess ends a server under load, politely and not. What it
// acknowledged is there once after the next start, also when senders send again
// whatever was not answered.
func TestEndOfTheProcess(t *testing.T) {
	t.Parallel()
	for name, sig := range map[string]os.Signal{"SIGTERM": syscall.SIGTERM, "SIGKILL": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			server := startChild(t, childOptions{Dir: dir})
			acked, open := sendUntil(t, server, 400, func() {
				if err := server.end(t, sig); sig == syscall.SIGTERM && err != nil {
					t.Errorf("the server ended with %v, want exit code 0\n%s", err, server.log)
				}
			})
			again := startChild(t, childOptions{Dir: dir})
			for id, body := range open {
				if a := post(t.Context(), "http://"+again.HTTP+"/v1/traces", protobuf, body); a.status != http.StatusOK {
					t.Fatalf("sending again: %+v", a)
				}
				acked[id] = true
			}
			wantRuns(t, again.api, acked, nil)
			t.Logf("%d runs, %d of them sent again", len(acked), len(open))
			if err := again.end(t, syscall.SIGTERM); err != nil {
				t.Errorf("the server ended with %v", err)
			}
			if strings.Contains(again.log.String(), "level=ERROR") {
				t.Errorf("a stop that was asked for is no error:\n%s", again.log)
			}
		})
	}
}

// sendUntil sends runs over four connections and calls end once n of them are
// acknowledged, while more are on their way. open holds the bodies that nobody
// answered.
func sendUntil(t *testing.T, server *child, n int, end func()) (acked map[string]bool, open map[string][]byte) {
	t.Helper()
	acked, open = map[string]bool{}, map[string][]byte{}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	enough := make(chan struct{})
	var mu sync.Mutex
	var senders sync.WaitGroup
	for s := range 4 {
		senders.Go(func() {
			for k := 0; ; k++ {
				id := s*1_000_000 + k
				body := oneRun(t, id)
				a := post(ctx, "http://"+server.HTTP+"/v1/traces", protobuf, body)
				mu.Lock()
				if a.status == http.StatusOK {
					acked[traceOf(id)] = true
					if len(acked) == n {
						close(enough)
					}
				} else {
					open[traceOf(id)] = body
				}
				mu.Unlock()
				if a.status != http.StatusOK {
					return
				}
			}
		})
	}
	select {
	case <-enough:
	case <-ctx.Done():
		t.Error("the server did not take enough in a minute")
	}
	end()
	senders.Wait()
	return acked, open
}

// TestDiskFull fills the disk to its last byte under a running server. Senders
// are told to come again, readers go on reading, nothing acknowledged is lost,
// and all goes on by itself once there is room.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("fills 400 MB of memory")
	}
	server := startChild(t, childOptions{Dir: t.TempDir(), Mount: "small"})
	acked := map[string]bool{}
	n := 0
	send := func() answer {
		n++
		a := post(t.Context(), "http://"+server.HTTP+"/v1/traces", protobuf, oneRun(t, n))
		switch a.status {
		case http.StatusOK:
			acked[traceOf(n)] = true
		case http.StatusTooManyRequests:
			after, err := strconv.Atoi(a.header.Get("Retry-After"))
			if err != nil || after < 1 || !strings.Contains(a.body, "intake.backpressure") {
				t.Fatalf("refused without advice when to come again: %+v", a)
			}
		default:
			t.Fatalf("answer %+v, want 200 or 429", a)
		}
		return a
	}
	for range 50 {
		if a := send(); a.status != http.StatusOK {
			t.Fatalf("an empty disk: %+v", a)
		}
	}
	server.tell(t, "fill") // some of the 50 are in the log only
	for range 50 {
		if a := send(); a.status != http.StatusTooManyRequests {
			t.Fatalf("a full disk: %+v", a)
		}
	}
	eventually(t, "a health page that says it", func() bool {
		h, err := server.api.Health(t.Context())
		return err == nil && h.State == "down"
	})
	// Parts say it at their own times: intake a moment after the disk.
	eventually(t, "not to be ready", func() bool {
		return get(t, "http://"+server.Console+"/readyz") == http.StatusServiceUnavailable
	})
	wantRuns(t, server.api, acked, nil) // from memory and from what is stored

	server.tell(t, "free")
	eventually(t, "intake to accept again", func() bool { return send().status == http.StatusOK })
	for range 50 {
		if a := send(); a.status != http.StatusOK {
			t.Fatalf("a disk with room again: %+v", a)
		}
	}
	wantRuns(t, server.api, acked, nil)
	eventually(t, "health", func() bool {
		h, err := server.api.Health(t.Context())
		return err == nil && h.State == "ok"
	})
	told := make(chan struct{}, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	go func() {
		_ = server.api.Events(ctx, client.EventsRequest{}, func(e client.Event) error { // ends with ctx
			if e.Type == "run.updated" {
				select {
				case told <- struct{}{}:
				default:
				}
			}
			return nil
		})
	}()
	eventually(t, "live views to be told again", func() bool {
		send()
		select {
		case <-told:
			return true
		default:
			return false
		}
	})
	if err := server.end(t, syscall.SIGTERM); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

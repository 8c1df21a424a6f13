package bench

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"
)

// stopFloor is what a stop is compared with: a bare reverse proxy that does
// nothing at POST /stop but end the streams it has. What its streams wait for is
// the machine's, not the door's.
type stopFloor struct {
	proxy *httputil.ReverseProxy
	mu    sync.Mutex
	live  map[*http.Request]context.CancelFunc
}

// floorAnswer is what it answers to a stop.
type floorAnswer struct {
	RequestedAt time.Time `json:"requested_at"`
	Cut         int       `json:"cut"`
}

func (f *stopFloor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		f.stop(w)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	r = r.WithContext(ctx)
	f.mu.Lock()
	f.live[r] = cancel
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.live, r)
		f.mu.Unlock()
		cancel()
	}()
	f.proxy.ServeHTTP(w, r)
}

func (f *stopFloor) stop(w http.ResponseWriter) {
	a := floorAnswer{RequestedAt: time.Now()}
	f.mu.Lock()
	for _, cancel := range f.live {
		cancel()
		a.Cut++
	}
	f.mu.Unlock()
	_ = json.NewEncoder(w).Encode(a) // the bench has gone away: nobody to tell
}

// serveStopFloor serves it until ctx ends; it prints its address.
func serveStopFloor(ctx context.Context, to string, stdout io.Writer) error {
	return serveFloor(ctx, to, stdout, func(p *httputil.ReverseProxy) http.Handler {
		return &stopFloor{live: map[*http.Request]context.CancelFunc{}, proxy: p}
	})
}

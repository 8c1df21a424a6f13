// Package modelserver is a scripted model behind the wire formats of OpenAI
// (chat completions) and Anthropic (messages), plain and streaming, with tools,
// usage with cached tokens, errors and latency.
//
// It is no intelligence: it recognises the example agents by the tools they
// offer and plays the part a model would (see script.go). What it does is a
// function of its seed and of the order of requests. Faults are what a
// provider does wrong, switched in process by the demo.
//
// Start reading at Server.ServeHTTP, then act in script.go.
package modelserver

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options shape a Server.
type Options struct {
	Seed     uint64
	Pace     float64 // scales latency; 0 answers at once
	RateBusy float64 // share of calls answered 429
	RateFail float64 // share of calls answered 500
}

// Everyday are the options of a provider on a normal day.
func Everyday(seed uint64) Options {
	return Options{Seed: seed, Pace: 1, RateBusy: 0.015, RateFail: 0.005}
}

// Server is an http.Handler. Safe for concurrent use.
type Server struct {
	o  Options
	mu sync.Mutex // guards what follows
	r  *rand.Rand
	// Until outage ends, every call is answered with outageStatus.
	outage       time.Time
	outageStatus int
	slow         float64
	calls        int
}

// New makes a server.
func New(o Options) *Server {
	return &Server{o: o, r: rand.New(rand.NewPCG(o.Seed, 3)), slow: 1}
}

// Outage answers every call with status until a time.
func (s *Server) Outage(status int, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outage, s.outageStatus = until, status
}

// Slow scales latency from now on; 1 is normal.
func (s *Server) Slow(factor float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = factor
}

// Calls is how many requests came.
func (s *Server) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// request is a call in no provider's form.
type request struct {
	model    string
	system   string
	messages []message
	tools    []string
	stream   bool
	usage    bool // the stream carries usage
	toolSize int  // bytes of tool definitions
}

type message struct {
	role  string
	text  string
	calls []call
}

type call struct {
	id, name string
	args     string
}

// answer is what the script decided.
type answer struct {
	id    string
	text  string
	calls []call
	in    int
	out   int
	hit   int // cached input tokens
}

// ServeHTTP answers POST /v1/chat/completions and POST /v1/messages.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var parse func([]byte) (*request, error)
	var write func(http.ResponseWriter, *request, *answer)
	switch {
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/chat/completions"):
		parse, write = parseOpenAI, writeOpenAI
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/messages"):
		parse, write = parseAnthropic, writeAnthropic
	default:
		writeError(w, http.StatusNotFound, "not_found_error", "no such path")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 8<<20))
	if err != nil {
		writeError(w, http.StatusRequestEntityTooLarge, "request_too_large", "the body is too large")
		return
	}
	req, err := parse(body)
	if err != nil {
		writeError(w, http.StatusBadRequest, "invalid_request_error", err.Error())
		return
	}
	n, status, latency := s.fate()
	switch status {
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "2")
		writeError(w, status, "rate_limit_error", "rate limit reached, slow down")
		return
	case 529:
		writeError(w, status, "overloaded_error", "the service is overloaded")
		return
	case http.StatusInternalServerError:
		writeError(w, status, "api_error", "internal server error")
		return
	}
	a := s.answer(req, n)
	d := time.Duration(float64(latency) * (1 + float64(a.out)/250))
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-r.Context().Done():
		return
	case <-t.C:
	}
	write(w, req, a)
}

// fate draws what happens to the next call: its number, an error status or 0,
// and its base latency (log-normal, median 550 ms).
func (s *Server) fate() (n, status int, latency time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	p := s.r.Float64()
	latency = time.Duration(s.o.Pace * s.slow * 550e6 * math.Exp(0.5*s.r.NormFloat64()))
	switch {
	case time.Now().Before(s.outage):
		status = s.outageStatus
	case p < s.o.RateBusy:
		status = http.StatusTooManyRequests
	case p < s.o.RateBusy+s.o.RateFail:
		status = http.StatusInternalServerError
	}
	return s.calls, status, latency
}

func (s *Server) answer(req *request, n int) *answer {
	h := fnv.New64a()
	fmt.Fprint(h, s.o.Seed, len(req.messages), req.messages[len(req.messages)-1].text)
	a := act(req, rand.New(rand.NewPCG(h.Sum64(), uint64(len(req.messages)))))
	a.id = fmt.Sprintf("%x%06x", h.Sum64(), n)
	for i := range a.calls {
		a.calls[i].id = fmt.Sprintf("call_%x%d%d", h.Sum64()&0xffffff, n, i)
	}
	a.in = tokens(len(req.system)) + tokens(req.toolSize)
	for i, m := range req.messages {
		a.in += 4 + m.size()
		if i == len(req.messages)-3 { // what the call before sent is in the provider's cache
			a.hit = a.in / 64 * 64
		}
	}
	if a.hit < 256 {
		a.hit = 0
	}
	a.out = 6 + message{text: a.text, calls: a.calls}.size()
	return a
}

// tokens estimates: four bytes a token.
func tokens(bytes int) int { return (bytes + 3) / 4 }

func (m message) size() int {
	n := tokens(len(m.text))
	for _, c := range m.calls {
		n += 8 + tokens(len(c.name)+len(c.args))
	}
	return n
}

func writeError(w http.ResponseWriter, status int, kind, text string) {
	writeJSON(w, status, map[string]any{"type": "error", "error": map[string]any{"type": kind, "message": text}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller has gone away: nobody to tell
}

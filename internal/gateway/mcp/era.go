package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"reeve/internal/gateway/llm/wire"
	"reeve/internal/upstream"
)

const (
	eraFor    = 5 * time.Minute // how long what was found out is believed
	probeTime = 10 * time.Second
	maxProbe  = 1 << 20
)

// eras are what servers speak, as they were found to.
type eras struct {
	mu  sync.Mutex
	all map[string]*era
}

type era struct {
	mu       sync.Mutex
	revision int64
	asked    time.Time
	modern   bool
}

func (e *eras) of(u *upstream.Upstream) *era {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := e.all[u.Name]
	if n == nil || n.revision != u.Revision {
		if e.all == nil {
			e.all = map[string]*era{}
		}
		n = &era{revision: u.Revision}
		e.all[u.Name] = n
	}
	return n
}

// modern reports whether an upstream speaks 2026-07-28. It is asked by
// server/discover with like's credential, which does nothing: some servers with
// sessions would act on another request before they found it strange.
func (e *eras) modern(u *upstream.Upstream, like *http.Request) (bool, error) {
	switch u.Dialect {
	case "stateless":
		return true, nil
	case "session", "sse", "stdio":
		return false, nil
	}
	n := e.of(u)
	n.mu.Lock() // one asks, the others wait for what it hears
	defer n.mu.Unlock()
	if !n.asked.IsZero() && time.Since(n.asked) < eraFor {
		return n.modern, nil
	}
	modern, err := discover(u, like)
	if err != nil {
		return false, err
	}
	n.modern, n.asked = modern, time.Now()
	return modern, nil
}

// known reports whether an upstream was found to speak 2026-07-28, without asking.
func (e *eras) known(u *upstream.Upstream) bool {
	if u.Dialect != "" {
		return u.Dialect == "stateless"
	}
	n := e.of(u)
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.modern
}

// discoverBody asks a server what it is.
var discoverBody = []byte(`{"jsonrpc":"2.0","id":"reeve-discover","method":"server/discover","params":{"_meta":{"` +
	keyVersion + `":"` + modernVersion + `","` + keyClient + `":{"name":"reeve","version":"1"},"` + keyCaps + `":{}}}}`)

func discover(u *upstream.Upstream, like *http.Request) (bool, error) {
	ctx, cancel := context.WithTimeout(like.Context(), probeTime)
	defer cancel()
	req := like.Clone(ctx)
	req.Method = http.MethodPost
	h := req.Header
	for name := range h {
		if len(name) > 4 && name[:4] == "Mcp-" {
			delete(h, name)
		}
	}
	h["Mcp-Protocol-Version"], h["Mcp-Method"] = []string{modernVersion}, []string{"server/discover"}
	h["Content-Type"], h["Accept"] = []string{"application/json"}, []string{"application/json, text/event-stream"}
	setBody(req, discoverBody)
	resp, err := u.Transport().RoundTrip(req)
	if err != nil {
		return false, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		return false, errLocked
	}
	if resp.StatusCode >= 500 {
		return false, errSpeech
	}
	return speaksModern(firstMessage(resp)), nil
}

// firstMessage is the answer's message, or that of its first event with data.
func firstMessage(resp *http.Response) []byte {
	body := io.LimitReader(resp.Body, maxProbe)
	if !isStream(resp.Header) {
		b, _ := io.ReadAll(body)
		return b
	}
	s := wire.SSE{Limit: maxProbe}
	var found []byte
	buf := make([]byte, 4096)
	for found == nil {
		n, err := body.Read(buf)
		if s.Push(buf[:n], func(e *wire.Event) error {
			if found == nil && len(e.Data) > 0 {
				found = bytes.Clone(e.Data)
			}
			return nil
		}) != nil || err != nil {
			break
		}
	}
	return found
}

// speaksModern reads what a server says to server/discover: its versions, or an
// error that only 2026-07-28 knows.
func speaksModern(b []byte) bool {
	var m struct {
		Result struct {
			Versions []string `json:"supportedVersions"`
		} `json:"result"`
		Error struct {
			Code int `json:"code"`
			Data struct {
				Supported []string `json:"supported"`
			} `json:"data"`
		} `json:"error"`
	}
	if json.Unmarshal(b, &m) != nil {
		return false
	}
	if m.Error.Code == codeVersion {
		return slices.Contains(m.Error.Data.Supported, modernVersion)
	}
	return slices.Contains(m.Result.Versions, modernVersion) || m.Error.Code == codeHeader || m.Error.Code == codeCapability
}

func isStream(h http.Header) bool {
	return len(h["Content-Type"]) > 0 && len(h["Content-Type"][0]) >= 17 && h["Content-Type"][0][:17] == "text/event-stream"
}

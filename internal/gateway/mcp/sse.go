package mcp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"reeve/internal/fault"
	"reeve/internal/gateway/llm/wire"
	"reeve/internal/upstream"
)

var errEndpoint = fault.New(fault.KindUnavailable, "mcp.endpoint", "the server names another host as the one to send to, or none")

// dialSSE connects to a server of 2024-11-05: a stream that it speaks on, and an
// address that it names there to speak to.
func dialSSE(u *upstream.Upstream, like *http.Request, caps, client []byte, ids *atomic.Int64) (link, error) {
	running, end := context.WithCancel(context.WithoutCancel(like.Context()))
	p := newPipe(u.Name, ids, false)
	base := &httpLink{u: u, version: sseVersion, ids: ids}
	req := base.request(running, like, http.MethodGet, nil)
	delete(req.Header, "Mcp-Protocol-Version")
	resp, err := u.Transport().RoundTrip(req)
	if err != nil {
		end()
		return nil, err
	}
	if resp.StatusCode != http.StatusOK || !isStream(resp.Header) {
		_ = resp.Body.Close()
		end()
		if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
			return nil, errLocked
		}
		return nil, errSpeech
	}
	to := make(chan string, 1)
	var at atomic.Pointer[url.URL]
	p.end = func(error) {
		end()
		_ = resp.Body.Close()
	}
	p.send = func(ctx context.Context, msg []byte) error {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		req := base.request(ctx, like, http.MethodPost, msg)
		delete(req.Header, "Mcp-Protocol-Version")
		req.URL, req.Host = at.Load(), at.Load().Host
		resp, err := u.Transport().RoundTrip(req)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
		_ = resp.Body.Close()
		if resp.StatusCode >= 300 {
			return errPipe
		}
		return nil
	}
	go func() {
		err := listenSSE(resp.Body, func(e *wire.Event) error {
			switch e.Name {
			case "endpoint":
				select {
				case to <- string(e.Data):
				default: // it moved: not followed
				}
			case "", "message":
				if len(e.Data) > 0 {
					return p.heard(running, bytes.Clone(e.Data))
				}
			}
			return nil
		})
		p.broke(err)
	}()
	select {
	case text := <-to:
		target, err := req.URL.Parse(text)
		if err != nil || target.Scheme != req.URL.Scheme || target.Host != req.URL.Host || target.User != nil {
			p.broke(errEndpoint)
			return nil, errEndpoint
		}
		at.Store(target)
	case <-p.done:
		return nil, errSpeech
	case <-time.After(probeTime):
		p.broke(errSpeech)
		return nil, errSpeech
	case <-like.Context().Done():
		p.broke(errPipe)
		return nil, context.Cause(like.Context())
	}
	if err := p.greet(like.Context(), u, caps, client); err != nil {
		p.broke(errPipe)
		return nil, err
	}
	return p, nil
}

func listenSSE(body io.Reader, each func(*wire.Event) error) error {
	s := wire.SSE{Limit: maxAnswer}
	buf := make([]byte, 16<<10)
	for {
		n, err := body.Read(buf)
		if wrong := s.Push(buf[:n], each); wrong != nil {
			return wrong
		}
		switch {
		case errors.Is(err, io.EOF):
			return errPipe
		case err != nil:
			return errPipe.WithCause(err)
		}
	}
}

package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/identity"
)

// SessionCookie and secretHeader are the names that a session travels under. Cookies ignore ports, so another
// server on this host sees the cookie; the secret in the header is what such a
// server does not get.
const (
	SessionCookie = client.SessionCookie
	secretHeader  = client.SessionHeader
)

// call is what the edge knows of a request beside its values. Handlers reach it
// by callOf.
type call struct {
	op      *operation
	who     *identity.Principal // nil only in public operations
	id      string
	address string
	agent   string         // the browser or program
	bearer  string         // kept for the operations that take a one-time token
	secure  bool           // came over TLS
	origin  string         // of the page that asks; Guard has refused other hosts' pages
	cookies []*http.Cookie // of sessions, for the operation that fetches one
	cookie  *http.Cookie
	release func() // gives back what the answer holds, once it is written; may be nil
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	if c == nil {
		panic("api: a handler was called without its edge")
	}
	return c
}

// whoOf is who calls; the zero Principal, which may do nothing, in a public
// operation without credentials.
func whoOf(ctx context.Context) identity.Principal {
	if w := callOf(ctx).who; w != nil {
		return *w
	}
	return identity.Principal{}
}

func requestID(ctx context.Context) string {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c.id
	}
	return ""
}

// statusWriter remembers whether an answer was begun, so that a panic after
// that does not write a second one.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// edge is the only place that sees HTTP: it authenticates, allows, decodes,
// calls, encodes and logs.
func (a *API) edge(op *operation) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		start := a.o.Now()
		w := &statusWriter{ResponseWriter: rw}
		c := &call{op: op, id: newRequestID(), address: addressOf(r), agent: clip(r.UserAgent(), 200), secure: r.TLS != nil, origin: r.Header.Get("Origin"), cookies: r.CookiesNamed(SessionCookie)}
		ctx := context.WithValue(r.Context(), callKey{}, c)
		if op.stream == nil {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, a.o.Timeout)
			defer cancel()
		}
		r = r.WithContext(ctx)
		w.Header().Set("X-Request-Id", c.id)
		defer func() {
			if p := recover(); p != nil {
				err := fault.New(fault.KindInternal, "api.panic", "something went wrong inside Reeve").
					WithCause(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
				a.log(ctx, op, c, start, http.StatusInternalServerError, err)
				if w.status == 0 {
					writeProblem(w, http.StatusInternalServerError, err)
				}
			}
		}()
		err := a.serve(w, r, c)
		if err != nil && w.status == 0 {
			f := faultOf(err)
			writeProblem(w, statusOf(f), f)
		}
		a.log(ctx, op, c, start, w.status, err)
	})
}

func (a *API) log(ctx context.Context, op *operation, c *call, start time.Time, status int, err error) {
	level, msg := slog.LevelDebug, "operation done"
	attrs := []slog.Attr{
		slog.String("operation", op.Name), slog.String("request", c.id), slog.Int("status", status), slog.Duration("took", a.o.Now().Sub(start)),
	}
	if c.who != nil && c.who.PersonID != "" {
		attrs = append(attrs, slog.String("person", c.who.PersonID))
	}
	if err != nil {
		f := faultOf(err)
		attrs = append(attrs, slog.String("code", f.Code))
		if f.Kind == fault.KindInternal && ctx.Err() == nil {
			level, msg = slog.LevelError, "operation failed"
			attrs = append(attrs, slog.Any("err", err))
		}
	}
	a.o.Logger.LogAttrs(ctx, level, msg, attrs...)
}

func (a *API) serve(w http.ResponseWriter, r *http.Request, c *call) error {
	op, ctx := c.op, r.Context()
	defer func() {
		if c.release != nil {
			c.release()
		}
	}()
	var err error
	if c.who, err = a.authenticate(r, c); err != nil {
		return err
	}
	if err := op.Permission.allow(c.who); err != nil {
		return err
	}
	if op.Permission.recent {
		if err := a.fresh(ctx); err != nil {
			return err
		}
	}
	req, body, err := op.decode(w, r)
	if err != nil {
		return err
	}
	if op.named != nil {
		team, environment := op.named(req)
		if err := op.Permission.allowNamed(whoOf(ctx), team, environment); err != nil {
			return err
		}
	}
	if op.stream != nil {
		return op.stream(a, w, r, req)
	}
	ctx, waits, err := a.askSecond(ctx, r, c, req, body)
	if err != nil {
		return err
	}
	if waits != nil {
		answer, err := encode(waits)
		if err == nil {
			writeJSON(w, r, http.StatusAccepted, answer)
		}
		return err
	}
	key := r.Header.Get("Idempotency-Key")
	if !op.Idempotent || key == "" {
		return a.answer(ctx, w, r, c, req, nil)
	}
	replay, err := a.claim(c, key, body)
	if err != nil {
		return err
	}
	if replay.done {
		w.Header().Set("Idempotency-Replayed", "true")
		writeJSON(w, r, op.Status, replay.answer)
		return nil
	}
	defer a.release(replay)
	return a.answer(ctx, w, r, c, req, replay)
}

func (a *API) answer(ctx context.Context, w http.ResponseWriter, r *http.Request, c *call, req any, replay *replay) error {
	resp, err := c.op.call(ctx, a, req)
	if err != nil {
		return err
	}
	if c.cookie != nil {
		http.SetCookie(w, c.cookie)
	}
	if c.op.Status == http.StatusNoContent {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if large, ok := resp.(rendered); ok {
		// Who reads slowly must not hold the answer for ever. A writer without
		// deadlines (a test's recorder) cannot block either.
		conn := http.NewResponseController(w)
		_ = conn.SetWriteDeadline(time.Now().Add(4 * a.o.Timeout))
		defer func() { _ = conn.SetWriteDeadline(time.Time{}) }() // the connection may serve more
		out := startJSON(w, r, c.op.Status, true)
		err := large.writeJSON(out)
		return errors.Join(err, out.Close())
	}
	body, err := encode(resp)
	if err != nil {
		return err
	}
	if replay != nil {
		a.keep(replay, body)
	}
	writeJSON(w, r, c.op.Status, body)
	return nil
}

// authenticate finds out who asks. No credentials are nobody, which only
// public operations accept, or the developer in dev mode; wrong ones are
// refused even where none were needed.
func (a *API) authenticate(r *http.Request, c *call) (*identity.Principal, error) {
	who, err := a.present(r, c)
	switch {
	case err != nil && c.op.Permission.kind == permissionPublic && fault.Is(err, fault.KindUnauthenticated):
		// Whoever signs in again still holds an old session's cookie.
		return nil, nil
	case err != nil:
		return nil, err
	case who == nil && a.o.Dev:
		dev := identity.Dev()
		return &dev, nil
	}
	return who, nil
}

// Viewers serves h to who may see everything: nobody else, unless open says that a
// request needs nobody's name.
func (a *API) Viewers(h http.Handler, open func(*http.Request) bool) http.Handler {
	op := &operation{Permission: everywhere(identity.Viewer)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !open(r) {
			c := &call{op: op, address: addressOf(r)}
			who, err := a.authenticate(r.WithContext(context.WithValue(r.Context(), callKey{}, c)), c)
			if err == nil {
				err = op.Permission.allow(who)
			}
			if err != nil {
				f := faultOf(err)
				writeProblem(w, statusOf(f), f)
				return
			}
		}
		h.ServeHTTP(w, r)
	})
}

// present reads the credentials that a request carries; nil for none.
func (a *API) present(r *http.Request, c *call) (*identity.Principal, error) {
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, token, _ := strings.Cut(h, " ")
		c.bearer = strings.TrimSpace(token)
		if !strings.EqualFold(scheme, "Bearer") || c.bearer == "" {
			return nil, fault.New(fault.KindUnauthenticated, "api.credentials_kind", "only Bearer tokens are taken").
				WithHint("send Authorization: Bearer rvt_...")
		}
		who, err := a.principal(r.Context(), c.bearer)
		return &who, err
	}
	secret := r.Header.Get(secretHeader)
	if secret == "" {
		// A cookie without its secret is as good as none: another server of
		// this host can make a browser send it.
		return nil, nil
	}
	// Another server of this host can also set cookies of this name, with a
	// path that puts them first: the one that fits the secret counts.
	cookies := r.CookiesNamed(SessionCookie)
	cookies = slices.DeleteFunc(cookies, func(c *http.Cookie) bool { return c.Value == "" })
	if len(cookies) == 0 {
		return nil, nil
	}
	var who identity.Principal
	var err error
	for _, cookie := range cookies[:min(len(cookies), maxCookies)] {
		who, err = a.o.Identity.Session(r.Context(), cookie.Value, secret)
		if !fault.Is(err, fault.KindUnauthenticated) {
			break
		}
	}
	return &who, err
}

// maxCookies bounds the lookups that one request causes.
const maxCookies = 8

func newRequestID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return "req_" + hex.EncodeToString(b[:])
}

func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	return ""
}

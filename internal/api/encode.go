package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"reeve/client"
	"reeve/internal/fault"
)

// rendered is a response that writes its own JSON: those too large for
// reflection to be quick enough, and for memory to hold twice.
type rendered interface{ writeJSON(w io.Writer) error }

// gzipFrom is the size from which an answer is compressed: below it a packet is
// saved at most.
const gzipFrom = 4 << 10

var gzips = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // fails only for an unknown level
	return z
}}

func encode(resp any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(resp); err != nil {
		return nil, fault.New(fault.KindInternal, "api.encode", "the answer cannot be written as JSON").WithCause(err)
	}
	return b.Bytes(), nil
}

func writeJSON(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	z := startJSON(w, r, status, len(body) >= gzipFrom)
	// An error here means that the client left; there is nobody to tell.
	_, _ = z.Write(body)
	_ = z.Close()
}

// startJSON writes the header of an answer and returns where its body goes.
func startJSON(w http.ResponseWriter, r *http.Request, status int, large bool) io.WriteCloser {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Add("Vary", "Accept-Encoding")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	if !large || !acceptsGzip(r) {
		w.WriteHeader(status)
		return plainBody{w}
	}
	h.Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	z := gzips.Get().(*gzip.Writer)
	z.Reset(w)
	return gzipBody{z}
}

type plainBody struct{ io.Writer }

func (plainBody) Close() error { return nil }

type gzipBody struct{ *gzip.Writer }

func (b gzipBody) Close() error {
	defer gzips.Put(b.Writer)
	return b.Writer.Close()
}

func acceptsGzip(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if (name == "gzip" || name == "*") && strings.TrimSpace(q) != "q=0" {
			return true
		}
	}
	return false
}

// statusOf is the HTTP status of a fault: its kind's, but for the few codes
// that HTTP has its own status for.
func statusOf(f *fault.Error) int {
	switch f.Code {
	case errContentType.Code:
		return http.StatusUnsupportedMediaType
	case errTooLarge.Code:
		return http.StatusRequestEntityTooLarge
	case errMisdirected.Code:
		return http.StatusMisdirectedRequest
	}
	return f.Kind.HTTPStatus()
}

func writeProblem(w http.ResponseWriter, status int, f *fault.Error) {
	body, err := json.Marshal(client.Problem{
		Title: f.Kind.String(), Status: status, Detail: f.Message, Code: f.Code, Hint: f.Hint,
	})
	if err != nil { // strings and an int: cannot happen
		panic(err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	switch f.Kind {
	case fault.KindUnauthenticated:
		h.Set("WWW-Authenticate", "Bearer")
	case fault.KindExhausted, fault.KindUnavailable:
		if f.RetryAfter > 0 {
			h.Set("Retry-After", strconv.FormatInt(int64(math.Ceil(f.RetryAfter.Seconds())), 10))
		} else if h.Get("Retry-After") == "" {
			h.Set("Retry-After", "1")
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// problem answers with an error and logs what the caller may not see.
func (a *API) problem(w http.ResponseWriter, r *http.Request, err error) {
	f := faultOf(err)
	if f.Kind == fault.KindInternal {
		a.o.Logger.ErrorContext(r.Context(), "operation failed",
			slog.String("path", r.URL.Path), slog.String("request", requestID(r.Context())), slog.String("code", f.Code), slog.Any("err", err))
	}
	writeProblem(w, statusOf(f), f)
}

// faultOf gives a meaning to errors of the operation's own context.
func faultOf(err error) *fault.Error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.KindExhausted, "api.timeout", "the question took too long").
			WithHint("ask for a shorter period or fewer dimensions").WithCause(err)
	case errors.Is(err, context.Canceled):
		return fault.New(fault.KindUnavailable, "api.canceled", "the request was cut off").WithCause(err)
	}
	return fault.From(err)
}

package intake

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/intake/dialect"
	"reeve/internal/relay"
)

// Codes that HTTP has a status of its own for.
var httpStatus = map[string]int{
	"intake.too_large":   http.StatusRequestEntityTooLarge,
	"intake.too_many":    http.StatusRequestEntityTooLarge,
	"intake.media_type":  http.StatusUnsupportedMediaType,
	"intake.compression": http.StatusUnsupportedMediaType,
	"intake.method":      http.StatusMethodNotAllowed,
}

// ServeHTTP takes one request, in OTLP or a vendor's own wire format. The guards of Host and Origin stand
// before it: a page on another site could send some of these bodies without
// asking.
func (in *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in.stats.requests.Add(1)
	asJSON := false
	defer func() {
		if v := recover(); v != nil {
			if v == http.ErrAbortHandler {
				panic(v)
			}
			in.logger.Error("panic while taking a request", "err", v, "stack", string(debug.Stack()))
			in.refuse(w, asJSON, fault.New(fault.KindInternal, "intake.internal", "this request could not be taken").WithHint("send the rest; the server's log has the cause, which is a bug of Reeve"))
		}
	}()
	sig, ok := in.doors.signals[r.URL.Path]
	if !ok {
		asJSON = true
		if p, ok := placeOf(r.URL.Path); ok {
			in.serveHook(w, r, p)
		} else if isLineage(r.URL.Path) {
			in.serveLineage(w, r)
		} else {
			in.serveVendor(w, r)
		}
		return
	}
	asJSON, err := contentType(r)
	if err != nil {
		in.refuse(w, asJSON, err)
		return
	}
	var a answer
	err = in.take(w, r, func(ctx context.Context, work *worker, from Sender) (err error) {
		a, err = in.accept(ctx, work, sig, asJSON, work.body, from)
		return err
	})
	if err != nil {
		in.refuse(w, asJSON, err)
		return
	}
	body, kind := a.proto(), "application/x-protobuf"
	if asJSON {
		body, kind = a.json(sig), "application/json"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the sender left: nobody to tell
}

// contentType decides the encoding; it also refuses the wrong method, since a
// wrong one has no type.
func contentType(r *http.Request) (asJSON bool, err error) {
	kind, _, parse := mime.ParseMediaType(r.Header.Get("Content-Type"))
	asJSON = kind == "application/json"
	if r.Method != http.MethodPost {
		return asJSON, fault.New(fault.KindInvalid, "intake.method", "%s is not how telemetry is sent", r.Method).WithHint("POST it")
	}
	if parse != nil || (!asJSON && kind != "application/x-protobuf" && kind != "application/protobuf") {
		return asJSON, fault.New(fault.KindInvalid, "intake.media_type", "the content type is not one of OTLP").
			WithHint("send application/x-protobuf or application/json")
	}
	return asJSON, nil
}

// take finds out who sends, reads the body within all limits and hands it on.
func (in *Intake) take(w http.ResponseWriter, r *http.Request, with func(context.Context, *worker, Sender) error) error {
	if keyInURL(r) {
		return errKeyInURL()
	}
	from, err := in.identify(r.Context(), credentials(r.Header.Get))
	if err != nil {
		return err
	}
	if err := in.circle(r.Header.Get(relay.HopHeader)); err != nil {
		return err
	}
	if err := in.limits.enter(from, in.now()); err != nil {
		return err
	}
	return in.within(w, r, from, in.config.MaxBody, with)
}

// within reads a sender's body of at most so many bytes and hands it on.
func (in *Intake) within(w http.ResponseWriter, r *http.Request, from Sender, most int64, with func(context.Context, *worker, Sender) error) (err error) {
	now := in.now()
	if r.ContentLength > most {
		return tooLarge(most)
	}
	held := &ticket{l: in.limits, id: from.ID, now: now}
	defer held.close()
	if err := held.grow(max(r.ContentLength, 64<<10)); err != nil {
		return err
	}
	work := in.worker()
	defer in.keep(work)
	if work.body, err = in.read(w, r, held, work.body[:0], most); err != nil {
		return err
	}
	// Decoding makes at most as much again; what many small records take, and JSON
	// whose protobuf is longer, is added as it shows.
	if err := held.grow(2 * int64(len(work.body))); err != nil {
		return err
	}
	work.n.held = held
	return with(r.Context(), work, from)
}

func tooLarge(most int64) error {
	return fault.New(fault.KindInvalid, "intake.too_large", "the body is larger than %d bytes", most).
		WithHint("send smaller batches, or raise intake.max_body")
}

// read reads and decompresses the body, growing with what really comes: a
// declared length or a ratio of compression is only a claim.
func (in *Intake) read(w http.ResponseWriter, r *http.Request, held *ticket, dst []byte, most int64) ([]byte, error) {
	src, done, err := in.decompress(http.MaxBytesReader(w, r.Body, most), r.Header.Get("Content-Encoding"))
	if err != nil {
		return dst, err
	}
	defer done()
	if n := r.ContentLength; n > 0 && int64(cap(dst)) < n+1 {
		dst = make([]byte, 0, n+1)
	}
	for {
		if len(dst) == cap(dst) {
			size := min(max(int64(2*cap(dst)), 64<<10), most+1)
			if int64(len(dst)) >= size {
				return dst, tooLarge(most)
			}
			if err := held.grow(size); err != nil {
				return dst, err
			}
			next := make([]byte, len(dst), size)
			copy(next, dst)
			dst = next
		}
		n, err := src.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case int64(len(dst)) > most:
			return dst, tooLarge(most)
		case err == io.EOF:
			return dst, nil
		case err != nil:
			var large *http.MaxBytesError
			if errors.As(err, &large) || errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
				return dst, tooLarge(most)
			}
			return dst, fault.New(fault.KindInvalid, "intake.unreadable", "the body could not be read to its end").WithCause(err)
		}
	}
}

// decompress opens the encoding; what comes out is bounded by who reads it.
func (in *Intake) decompress(body io.Reader, encoding string) (src io.Reader, done func(), err error) {
	broken := func(err error) error {
		return fault.New(fault.KindInvalid, "intake.unreadable", "the body is not %s as its header says", encoding).WithCause(err)
	}
	switch encoding {
	case "", "identity":
		return body, func() {}, nil
	case "gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, nil, broken(err)
		}
		return z, func() { _ = z.Close() }, nil
	case "deflate":
		z, err := zlib.NewReader(body)
		if err != nil {
			return nil, nil, broken(err)
		}
		return z, func() { _ = z.Close() }, nil
	case "zstd":
		z, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, nil, broken(err)
		}
		return z, z.Close, nil
	}
	return nil, nil, fault.New(fault.KindInvalid, "intake.compression", "this content encoding is not known").WithHint("use gzip, zstd, deflate or none")
}

// keyInURL reports a credential where it must not be.
func keyInURL(r *http.Request) bool {
	if r.URL.User != nil {
		return true
	}
	if r.URL.RawQuery == "" {
		return false
	}
	for name, values := range r.URL.Query() {
		if slices.ContainsFunc(values, ourCredential) {
			return true
		}
		switch strings.ToLower(strings.ReplaceAll(name, "-", "_")) {
		case "key", "api_key", "apikey", "x_api_key", "dd_api_key", "token", "access_token", "authorization":
			return true
		}
	}
	return false
}

// ourCredential reports what has the form of a credential of Reeve, whatever
// the parameter is called.
func ourCredential(s string) bool {
	for _, prefix := range [...]string{"rvi_", "rvt_", "rvk_", "rva_", "rvh_"} {
		if strings.HasPrefix(strings.TrimSpace(s), prefix) {
			return true
		}
	}
	return false
}

// credentials collects what could be an intake key, in each vendor's place.
// With Basic pk:sk the secret comes first; either may be the key.
func credentials(header func(string) string) []string {
	var out []string
	if auth := header("Authorization"); auth != "" {
		scheme, rest, _ := strings.Cut(auth, " ")
		rest = strings.TrimSpace(rest)
		switch strings.ToLower(scheme) {
		case "bearer":
			out = append(out, rest)
		case "basic":
			if b, err := base64.StdEncoding.DecodeString(rest); err == nil {
				user, secret, _ := strings.Cut(string(b), ":")
				out = append(out, secret, user)
			}
		default:
			if rest == "" {
				out = append(out, scheme) // some clients send the bare key
			}
		}
	}
	for _, name := range [...]string{"x-api-key", "api_key", "api-key", "dd-api-key"} {
		out = append(out, header(name))
	}
	kept := out[:0]
	for _, c := range out {
		if c != "" && len(c) <= 512 {
			kept = append(kept, c)
		}
	}
	return kept
}

// refuse answers with a google.rpc.Status in the request's encoding.
func (in *Intake) refuse(w http.ResponseWriter, asJSON bool, err error) {
	in.stats.refused.Add(1)
	f := fault.From(err)
	status := f.Kind.HTTPStatus()
	if s, ok := httpStatus[f.Code]; ok {
		status = s
	}
	if f.Kind == fault.KindInternal {
		in.logger.Error("request not taken", "code", f.Code, "err", err)
	} else {
		in.logger.Debug("request refused", "code", f.Code, "err", err)
	}
	h := w.Header()
	switch status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(retryAfter(err).Seconds()))))
	case http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodPost)
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	}
	message := f.Code + ": " + f.Message
	if f.Hint != "" {
		message += " (" + f.Hint + ")"
	}
	var body []byte
	if asJSON {
		h.Set("Content-Type", "application/json")
		body, _ = json.Marshal(map[string]any{"code": f.Kind.GRPCCode(), "message": message}) // a map of a number and a text
	} else {
		h.Set("Content-Type", "application/x-protobuf")
		body = dialect.AppendVarint([]byte{1 << 3}, uint64(f.Kind.GRPCCode()))
		body = append(body, 2<<3|2)
		body = append(dialect.AppendVarint(body, uint64(len(message))), message...)
	}
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the sender left: nobody to tell
}

// retryAfter is the time after which to come again, a second at least on HTTP,
// whose header counts seconds.
func retryAfter(err error) time.Duration {
	var r *retryError
	if errors.As(err, &r) {
		return max(r.after, time.Millisecond)
	}
	return time.Second
}

// proto is the response message: the same field numbers for all signals.
func (a answer) proto() []byte {
	if a.rejected == 0 {
		return nil
	}
	inner := dialect.AppendVarint([]byte{1 << 3}, uint64(a.rejected))
	inner = append(inner, 2<<3|2)
	inner = append(dialect.AppendVarint(inner, uint64(len(a.message))), a.message...)
	return dialect.AppendEntry(nil, inner)
}

// json is the response in JSON; 64-bit numbers are text there.
func (a answer) json(s signal) []byte {
	if a.rejected == 0 {
		return []byte("{}")
	}
	field := [...]string{"rejectedSpans", "rejectedLogRecords", "rejectedDataPoints"}[s]
	var b bytes.Buffer
	b.WriteString(`{"partialSuccess":{"` + field + `":"` + strconv.FormatInt(a.rejected, 10) + `","errorMessage":`)
	b.Write(activity.AppendJSONString(nil, []byte(a.message)))
	b.WriteString("}}")
	return b.Bytes()
}

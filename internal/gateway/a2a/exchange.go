package a2a

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/gateway"
	"reeve/internal/upstream"
)

const (
	maxAnswer = 16 << 20  // bytes of an answer that is no stream
	maxEvent  = 4 << 20   // bytes of one event of a stream
	maxKept   = 256 << 10 // bytes of an answer that a step keeps
)

// exchange is one call's way to the peer and back. The client's wire and the
// peer's may differ; what both speak passes as it came.
//
//	client -- read --> request -- build --> peer
//	client <-- answer (gRPC) <-- rules <-- encode <-- see <-- decode <-- peer
//
// Content rules stand between, so what passes them is JSON in the client's
// version; only then gRPC's frames are made of it.
type exchange struct {
	p     *Protocol
	u     *upstream.Upstream
	r     *request // what is asked of the peer
	c     *request // what the client asked, and how: r, but for a task that was held
	to    iface
	owner Task
	ids   []byte // of our JSON-RPC request

	caller  *gateway.Caller // of a message; nil: it is none
	resolve string          // a push host whose addresses are to be looked at; "" none
	token   string          // for a registered agent, to act for the sender
	alias   string          // the id that the client knows the task by; "": the peer's
	ours    bool            // the door's own call: no bytes of a client's to pass on

	task  string // that the answer is about, once it is known
	state string
	facts gateway.Facts
	kept  bytes.Buffer
}

// same reports whether client and peer speak alike, so that bytes may pass.
func (x *exchange) same() bool {
	return x.r.wire == x.to.wire && x.c == x.r && x.r.binding != gRPC && x.alias == ""
}

// body is what goes to the peer, as JSON: content rules read it.
func (x *exchange) body(came []byte) ([]byte, error) {
	if x.same() && !x.ours && x.to.tenant == x.r.tenant {
		x.ids = x.r.id
		if x.to.binding == httpJSON && !x.r.posts() {
			return nil, nil
		}
		return came, nil
	}
	params := x.r.params
	if x.to.tenant != x.r.tenant && x.to.binding != httpJSON {
		var tenant []byte
		if x.to.tenant != "" {
			tenant = appendText(nil, x.to.tenant)
		}
		params = with(params, "tenant", tenant)
	}
	if x.to.era == era03 {
		if x.r.method(era03) == "" {
			return nil, errUnable.WithHint("the peer speaks A2A 0.3, which has no %s", x.r.op)
		}
		v, err := decode(params)
		if err != nil {
			return nil, errParams.WithCause(err)
		}
		o, _ := v.(object)
		if params, err = encode(oldParams(x.r.op, o)); err != nil {
			return nil, errOld.WithCause(err)
		}
	}
	switch x.to.binding {
	case jsonRPC:
		if x.ids = x.c.id; x.ids == nil {
			x.ids = []byte("1")
		}
		b := append([]byte(`{"jsonrpc":"2.0","id":`), x.ids...)
		b = append(append(b, `,"method":`...), appendText(nil, x.r.method(x.to.era))...)
		return append(append(append(b, `,"params":`...), params...), '}'), nil
	case httpJSON:
		if !x.r.posts() {
			return nil, nil
		}
		params = with(params, "tenant", nil)
		if x.r.op == opCancel || x.r.op == opSubscribe {
			params = with(params, "id", nil)
		}
	}
	return params, nil
}

// posts reports whether the operation has a body in HTTP+JSON.
func (r *request) posts() bool {
	switch r.op {
	case opSend, opStream, opCancel, opPushCreate:
		return true
	}
	return false
}

// address is where HTTP+JSON has the operation: its method, path below the
// interface and query.
func (x *exchange) address() (method, path, query string) {
	r := x.r
	task, config := url.PathEscape(r.task), url.PathEscape(r.config)
	method = http.MethodGet
	switch r.op {
	case opSend:
		return http.MethodPost, "/message:send", ""
	case opStream:
		return http.MethodPost, "/message:stream", ""
	case opGet:
		path = "/tasks/" + task
	case opList:
		path = "/tasks"
	case opCancel:
		return http.MethodPost, "/tasks/" + task + ":cancel", ""
	case opSubscribe:
		// The specification's table says POST and its protocol buffers GET; more
		// servers take POST.
		return http.MethodPost, "/tasks/" + task + ":subscribe", ""
	case opPushCreate:
		return http.MethodPost, "/tasks/" + task + "/pushNotificationConfigs", ""
	case opPushGet:
		return method, "/tasks/" + task + "/pushNotificationConfigs/" + config, ""
	case opPushList:
		path = "/tasks/" + task + "/pushNotificationConfigs"
	case opPushDelete:
		return http.MethodDelete, "/tasks/" + task + "/pushNotificationConfigs/" + config, ""
	case opExtendedCard:
		path = "/extendedAgentCard"
	}
	q := url.Values{}
	members(r.params, func(name string, value []byte) bool {
		if _, ok := queryParams[name]; ok {
			text := string(value)
			if value[0] == '"' {
				text = plain(value)
			}
			q.Set(name, text)
		}
		return true
	})
	return method, path, q.Encode()
}

// RoundTrip carries the call that the door made: decided, recorded, authorized.
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	if x.r.context != "" && ops[x.r.op].sends {
		// Decided on: now the context is the caller's, unless another was first.
		of := x.owner
		if !x.p.tasks.claim(ownsContext, x.r.context, of) {
			return nil, errContext
		}
	}
	if x.resolve != "" {
		if err := x.p.resolvePush(req.Context(), x.resolve); err != nil {
			return nil, err
		}
	}
	if x.caller != nil {
		var err error
		if x.token, err = x.p.delegate(req.Context(), x.caller, x.u, x.owner); err != nil {
			return nil, err
		}
	}
	out, err := x.build(req)
	if err != nil {
		return nil, err
	}
	send := x.u.Transport()
	if x.to.binding == gRPC && out.URL.Scheme == "http" {
		send = x.u.Cleartext2()
	}
	resp, err := send.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	answer, err := x.answer(resp)
	if err != nil {
		_ = resp.Body.Close()
		x.ended(req.Context())
		return nil, err
	}
	answer.Request = out
	return answer, nil
}

// build makes the peer's request of the door's.
func (x *exchange) build(req *http.Request) (*http.Request, error) {
	out := req.Clone(req.Context())
	to := *x.to.url
	h := out.Header
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
	}
	for name := range h {
		if strings.HasPrefix(name, "Grpc-") {
			delete(h, name)
		}
	}
	h.Del("A2A-Version")
	h.Set("A2A-Version", x.to.era.String())
	extensions(h, x.to.era)
	if x.token != "" {
		h.Set("X-Reeve-Subject-Token", x.token)
	}
	out.Method = http.MethodPost
	switch x.to.binding {
	case jsonRPC:
		h.Set("Content-Type", "application/json")
		h.Set("Accept", x.accepts("application/json"))
	case httpJSON:
		method, path, query := x.address()
		if x.same() && x.r.op == opSubscribe {
			method = req.Method
		}
		if x.to.tenant != "" {
			path = "/" + url.PathEscape(x.to.tenant) + path
		}
		full := strings.TrimSuffix(to.EscapedPath(), "/") + path
		text, err := url.PathUnescape(full)
		if err != nil {
			return nil, errParams.WithCause(err)
		}
		out.Method, to.Path, to.RawPath, to.RawQuery = method, text, full, query
		h.Del("Content-Type")
		if len(body) > 0 {
			h.Set("Content-Type", "application/json")
		}
		h.Set("Accept", x.accepts("application/a2a+json, application/json"))
	case gRPC:
		var err error
		if body, err = frameOf(x.r.op, body); err != nil {
			return nil, err
		}
		to.Path, to.RawPath = "/"+grpcService+"/"+x.r.op.String(), ""
		h.Set("Content-Type", "application/grpc+proto")
		h.Set("Te", "trailers")
		h.Del("Accept")
	}
	if c := x.u.Credential; c != nil && c.Kind == "query" {
		q := to.Query()
		q.Set(c.Header, req.URL.Query().Get(c.Header))
		to.RawQuery = q.Encode()
	}
	out.URL, out.Host = &to, to.Host
	out.ContentLength, out.Body, out.GetBody = 0, nil, nil
	if len(body) > 0 {
		out.ContentLength = int64(len(body))
		out.Body = io.NopCloser(bytes.NewReader(body))
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	return out, nil
}

func (x *exchange) accepts(one string) string {
	if ops[x.r.op].streams {
		return "text/event-stream, " + one
	}
	return one
}

// extensions puts the list of extensions under the name that a version has for it.
func extensions(h http.Header, e era) {
	list := append(h["A2a-Extensions"], h["X-A2a-Extensions"]...)
	delete(h, "A2a-Extensions")
	delete(h, "X-A2a-Extensions")
	if len(list) == 0 {
		return
	}
	name := "A2A-Extensions"
	if e == era03 {
		name = "X-A2A-Extensions"
	}
	h.Set(name, strings.Join(list, ","))
}

// answer makes the client's answer of the peer's.
func (x *exchange) answer(resp *http.Response) (*http.Response, error) {
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return resp, nil // the door says what it thinks of redirects
	}
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusProxyAuthRequired {
		return nil, errRefused
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, errAnswer.WithHint("it is compressed, which was not asked for")
	}
	var from source
	switch kind := mediaType(resp.Header); {
	case x.to.binding == gRPC:
		if resp.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "application/grpc") {
			return nil, errAnswer.WithHint("it answers %d and not gRPC", resp.StatusCode)
		}
		from = &frames{x: x, resp: resp}
	case kind == "text/event-stream" && resp.StatusCode == http.StatusOK:
		from = &eventLines{x: x, body: resp.Body}
	}
	switch {
	case from != nil && ops[x.r.op].streams:
		return x.streamed(resp, from), nil
	case from != nil && x.to.binding != gRPC:
		return nil, errAnswer.WithHint("it is a stream, which was not asked for")
	}
	return x.whole(resp, from)
}

func mediaType(h http.Header) string {
	t, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// whole is an answer that is no stream.
func (x *exchange) whole(resp *http.Response, from source) (*http.Response, error) {
	var came, result []byte
	var err error
	if from != nil {
		result, _, err = from.next()
		if err == nil {
			if _, _, more := from.next(); !errors.Is(more, io.EOF) {
				err = errAnswer.WithHint("it answers more than once")
				if more != nil {
					err = more
				}
			}
		} else if errors.Is(err, io.EOF) {
			err = errAnswer.WithHint("it is empty")
		}
	} else {
		came, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
		switch {
		case err != nil:
			return nil, err
		case len(came) > maxAnswer:
			return nil, errLarge
		}
		result, err = x.decode(resp.StatusCode, came)
	}
	_ = resp.Body.Close()
	var refused *peerError
	switch {
	case errors.As(err, &refused):
		return x.refusal(resp, came, refused), nil
	case err != nil:
		return nil, err
	case ops[x.r.op].streams:
		return nil, errAnswer.WithHint("it is no stream")
	}
	out, changed, err := x.see(result)
	if err != nil {
		return nil, err
	}
	x.keep(out)
	if x.same() && !changed {
		return x.response(resp, resp.StatusCode, resp.Header, came), nil
	}
	return x.response(resp, http.StatusOK, x.headers(resp), x.envelope(out)), nil
}

// envelope puts a result into what the client's binding has around it.
func (x *exchange) envelope(result []byte) []byte {
	if x.c.binding != jsonRPC {
		return result
	}
	b := append([]byte(`{"jsonrpc":"2.0","id":`), x.c.id...)
	return append(append(append(b, `,"result":`...), result...), '}')
}

// refusal is the peer's own error in the client's shape.
func (x *exchange) refusal(resp *http.Response, came []byte, e *peerError) *http.Response {
	x.facts.ErrorType, x.facts.ErrorMessage = e.reason(), e.message
	if x.same() && came != nil {
		return x.response(resp, resp.StatusCode, resp.Header, came)
	}
	status := http.StatusOK
	if x.c.binding == httpJSON {
		status = kindOfCode(e.code).http
	}
	h := x.headers(resp)
	if x.c.binding == httpJSON {
		h.Set("Content-Type", "application/json") // the official Go client reads errors of no other type
	}
	return x.response(resp, status, h, x.failure(e))
}

// failure is an error as the client's binding has it; for gRPC as HTTP+JSON,
// which the answer's watcher turns into a status.
func (x *exchange) failure(e *peerError) []byte {
	details := e.details
	if len(details) == 0 {
		details = append(append([]byte{'['}, info(e.reason(), domain)...), ']')
	}
	if x.c.binding == jsonRPC {
		return rpcError(x.c.id, e.code, e.message, details)
	}
	return restError(kindOfCode(e.code).http, kindOfCode(e.code).grpc, e.message, details)
}

// rpcError is an error of JSON-RPC.
func rpcError(id []byte, code int, message string, details []byte) []byte {
	if id == nil {
		id = []byte("null")
	}
	b := append([]byte(`{"jsonrpc":"2.0","id":`), id...)
	b = strconv.AppendInt(append(b, `,"error":{"code":`...), int64(code), 10)
	b = appendText(append(b, `,"message":`...), message)
	return append(append(append(b, `,"data":`...), details...), "}}"...)
}

// restError is google.rpc.Status as the HTTP+JSON binding has it.
func restError(status, grpc int, message string, details []byte) []byte {
	b := strconv.AppendInt([]byte(`{"error":{"code":`), int64(status), 10)
	b = appendText(append(b, `,"status":`...), grpcNames[grpc])
	b = appendText(append(b, `,"message":`...), message)
	return append(append(append(b, `,"details":`...), details...), "}}"...)
}

// headers are those of an answer that was translated.
func (x *exchange) headers(resp *http.Response) http.Header {
	h := http.Header{}
	for _, name := range []string{"A2a-Extensions", "X-A2a-Extensions"} {
		if v := resp.Header[name]; len(v) > 0 {
			h[name] = v
		}
	}
	extensions(h, x.c.era)
	switch {
	case x.c.binding == gRPC:
		h.Set("Content-Type", "application/grpc+proto")
	case ops[x.c.op].streams && resp.StatusCode == http.StatusOK:
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-cache")
	case x.c.binding == httpJSON:
		h.Set("Content-Type", "application/a2a+json")
	default:
		h.Set("Content-Type", "application/json")
	}
	return h
}

// response is an answer whose body is all there.
func (x *exchange) response(of *http.Response, status int, h http.Header, body []byte) *http.Response {
	h = h.Clone()
	delete(h, "Content-Length")
	if mediaType(h) == "text/event-stream" {
		h.Set("Content-Type", "application/json") // an error in place of a stream
	}
	return &http.Response{
		Status: of.Status, StatusCode: status, Proto: of.Proto, ProtoMajor: of.ProtoMajor, ProtoMinor: of.ProtoMinor,
		Header: h, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// keep notes of an answer what its step shows, up to a bound.
func (x *exchange) keep(result []byte) {
	if x.kept.Len() > 0 && x.kept.Len()+len(result) < maxKept {
		x.kept.WriteByte(',')
	}
	if x.kept.Len()+len(result) < maxKept {
		x.kept.Write(result)
	}
}

// ended says that the call ended before its answer did; a stop's word is passed
// on to the peer, as far as its task is known.
func (x *exchange) ended(ctx context.Context) {
	var f *fault.Error
	if !errors.As(context.Cause(ctx), &f) || !strings.HasPrefix(f.Code, "stop.") {
		return
	}
	task := x.task
	if task == "" {
		task = x.r.task
	}
	if task != "" && !over(x.state) {
		t := x.owner
		t.ID = task
		x.p.abandon(t, f.Code)
	}
}

// factsOf are what the step and the record learn of the answer.
func (x *exchange) factsOf() gateway.Facts {
	f := x.facts
	f.Usage = activity.NoUsage
	f.ResponseID, f.FinishReason = x.task, strings.ToLower(strings.TrimPrefix(x.state, "TASK_STATE_"))
	if x.kept.Len() > 0 {
		raw := x.kept.Bytes()
		if ops[x.r.op].streams {
			raw = append(append([]byte{'['}, raw...), ']')
		}
		f.Contents = []activity.Content{{Field: activity.ContentOutput, Format: "json", From: "a2a", Raw: raw}}
	}
	return f
}

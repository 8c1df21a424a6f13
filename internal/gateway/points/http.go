package points

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/gateway"
)

// Paths are the patterns that Handler answers.
func Paths() []string {
	return []string{
		"/decisions", "/decisions/", "/access/v1/", "/authzen/", "/.well-known/authzen-configuration", "/.well-known/authzen-configuration/",
		"/hooks/claude-code", "/hooks/claude-code/", "/copilot-studio/",
	}
}

// Handler answers all decision points that speak HTTP. The caller guards it
// against foreign hosts and origins.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /decisions", s.ours(s.postDecision))
	mux.HandleFunc("GET /decisions/{id}/answer", s.ours(s.getAnswer))
	mux.HandleFunc("POST /decisions/{id}/complete", s.ours(s.postComplete))
	s.authzen(mux)
	mux.HandleFunc("POST /hooks/claude-code", s.claude)
	mux.HandleFunc("POST /copilot-studio/{agent}/validate", s.copilotValidate)
	mux.HandleFunc("POST /copilot-studio/{agent}/analyze-tool-execution", s.copilotAnalyze)
	return mux
}

// ours is a handler of our own shape; what fails is a problem document.
func (s *Server) ours(h func(http.ResponseWriter, *http.Request, Speaker) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := s.speaker(r)
		var v any
		if err == nil {
			v, err = h(w, r, who)
		}
		if err != nil {
			gateway.Refuse(w, fault.From(err))
			return
		}
		write(w, http.StatusOK, v)
	}
}

func write(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // shapes of ours and JSON that was read
		gateway.Refuse(w, fault.From(err))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

var (
	errMedia = fault.New(fault.KindInvalid, "decision.media", "the body must be JSON: Content-Type: application/json")
	errLarge = fault.New(fault.KindInvalid, "decision.too_large", "the body is larger than %d bytes", maxBody)
)

// body reads a request's JSON object.
func body(w http.ResponseWriter, r *http.Request) (object, error) {
	data, err := bodyBytes(w, r)
	if err != nil {
		return nil, err
	}
	return readObject(data)
}

func bodyBytes(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, errMedia
	}
	if len(r.Header["Content-Encoding"]) > 0 {
		return nil, errMedia.WithHint("compressed bodies are not taken")
	}
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(bodyTime)) // not supported: the server's own limits hold
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	_ = rc.SetReadDeadline(time.Time{})
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, errLarge
	case err != nil:
		return nil, invalid("the body ended early")
	}
	return data, nil
}

// bodyTime bounds how long an asker may take to send its question.
const bodyTime = 10 * time.Second

const tokenPrefix = "rvt_"

// speaker finds out who asks.
func (s *Server) speaker(r *http.Request) (Speaker, error) {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if text = strings.TrimSpace(text); s.o.Token != nil && strings.EqualFold(scheme, "Bearer") && strings.HasPrefix(text, tokenPrefix) {
		if strings.Contains(r.RequestURI, tokenPrefix) {
			return Speaker{}, fault.New(fault.KindUnauthenticated, "gateway.credential_in_url", "a credential in a URL is seen by everybody on the way")
		}
		return s.o.Token(r.Context(), text)
	}
	c, err := s.o.Door.Identify(r)
	if err != nil {
		return Speaker{}, err
	}
	proof := http.Header{}
	for _, name := range credentials {
		if v := r.Header[name]; len(v) > 0 {
			proof[name] = v
		}
	}
	return Speaker{Agent: &c, proof: proof}, nil
}

// credentials are the headers in which an agent shows who it is.
var credentials = [...]string{"Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key"}

// proven adds the credential of who asks to the headers of its question.
func (who Speaker) proven(h http.Header) http.Header {
	maps.Copy(h, who.proof)
	return h
}

func (s *Server) postDecision(w http.ResponseWriter, r *http.Request, who Speaker) (any, error) {
	o, err := body(w, r)
	if err != nil {
		return nil, err
	}
	req, err := decideRequest(o)
	if err != nil {
		return nil, err
	}
	if key := r.Header.Get("Idempotency-Key"); key != "" && req.Key == "" {
		req.Key = key
	}
	h := r.Header
	if req.Run == "" {
		req.Run = h.Get("X-Reeve-Run")
	}
	if req.Session == "" {
		req.Session = h.Get("X-Reeve-Session")
	}
	if req.Traceparent == "" {
		req.Traceparent = h.Get("Traceparent")
	}
	return s.Decide(r.Context(), who, req)
}

// decideRequest reads a question in our own shape.
func decideRequest(o object) (*client.DecideRequest, error) {
	var q client.DecideRequest
	fields := map[string]any{
		"agent": &q.Agent, "user": &q.User, "tool": &q.Tool, "call_id": &q.CallID, "run": &q.Run, "session": &q.Session,
		"traceparent": &q.Traceparent, "obligations": &q.Obligations, "key": &q.Key, "wait_ms": &q.WaitMS, "unreported": &q.Unreported,
	}
	return &q, readAll(o, fields, &q.Arguments, "arguments")
}

// readAll reads an object's fields and refuses what it does not know; raw is the
// one that passes as it stands.
func readAll(o object, fields map[string]any, raw *json.RawMessage, rawName string) error {
	names := []string{rawName}
	for name, v := range fields {
		names = append(names, name)
		if err := o.into(name, v); err != nil {
			return err
		}
	}
	*raw = o[rawName]
	return o.only(names...)
}

func (s *Server) getAnswer(_ http.ResponseWriter, r *http.Request, who Speaker) (any, error) {
	q := &client.AwaitDecisionRequest{ID: r.PathValue("id")}
	for name, v := range r.URL.Query() {
		n, err := strconv.ParseInt(v[0], 10, 64)
		if name != "wait_ms" || len(v) != 1 || err != nil {
			return nil, invalid("the only parameter is wait_ms, a number")
		}
		q.WaitMS = n
	}
	return s.Await(r.Context(), who, q)
}

func (s *Server) postComplete(w http.ResponseWriter, r *http.Request, who Speaker) (any, error) {
	o, err := body(w, r)
	if err != nil {
		return nil, err
	}
	q := client.CompleteDecisionRequest{ID: r.PathValue("id")}
	fields := map[string]any{"result": &q.Result, "error": &q.Error, "duration_ms": &q.DurationMS}
	if err := readAll(o, fields, &q.Output, "output"); err != nil {
		return nil, err
	}
	return s.Complete(r.Context(), who, &q)
}

// Token finds who an API token speaks for.
func (s *Server) Token(ctx context.Context, text string) (Speaker, error) {
	if s.o.Token == nil || !strings.HasPrefix(text, tokenPrefix) {
		return Speaker{}, fault.New(fault.KindUnauthenticated, "identity.token", "the token is not valid")
	}
	return s.o.Token(ctx, text)
}

// Caller is the agent of a name, where who asks may speak for it.
func (s *Server) Caller(who Speaker, name string) (gateway.Caller, error) {
	return s.caller(who, name, "")
}

// Shown are the headers in which an agent showed who it is.
func Shown(h http.Header) (names []string) {
	for _, name := range credentials {
		if len(h[name]) > 0 {
			names = append(names, name)
		}
	}
	return names
}

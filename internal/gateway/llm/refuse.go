package llm

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"reeve/internal/fault"
	"reeve/internal/gateway"
)

// refusal is a provider's shape of an error: its status and body, and what it
// says by header.
type refusal func(h http.Header, f *fault.Error, message string) (status int, body any)

// Refuse answers with f in the shape that the provider's own SDKs read, so that
// they raise their own typed errors. A denial is marked as final: asked again,
// the answer is the same.
func (p *Protocol) Refuse(w http.ResponseWriter, c *gateway.Call, f *fault.Error, decision string) {
	h := w.Header()
	gateway.RefusalHeaders(h, f)
	if decision != "" {
		h.Set("X-Reeve-Decision", decision)
	}
	h.Set("X-Should-Retry", strconv.FormatBool(again(f)))
	if !again(f) {
		h.Del("Retry-After")
	}
	status, body := shapeFor(c)(h, f, message(f, decision))
	text, err := json.Marshal(body)
	if err != nil { // strings and numbers
		panic(err)
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // the agent may be gone
}

// shapeFor is the shape of the operation, else of the upstream's dialect, else of
// the SDK that the request's headers give away.
func shapeFor(c *gateway.Call) refusal {
	if c != nil && c.Upstream != nil {
		if d := dialects[c.Upstream.Dialect]; d != nil {
			if op, _ := d.find(c.Method, c.Path); op != nil && op.refuse != nil {
				return op.refuse
			}
			return d.refuse
		}
	}
	if c == nil || c.Request == nil {
		return refuseOpenAI
	}
	switch h := c.Request.Header; {
	case h.Get("Anthropic-Version") != "":
		return refuseAnthropic
	case h.Get("X-Goog-Api-Key") != "" || h.Get("X-Goog-Api-Client") != "":
		return refuseGemini
	case h.Get("Amz-Sdk-Invocation-Id") != "":
		return refuseBedrock
	}
	return refuseOpenAI
}

// again says whether the same call may pass later. What waits for a budget's next
// day is no matter of the seconds that SDKs wait.
func again(f *fault.Error) bool {
	if f.Code == "approval.pending" {
		return true // the retry waits for the person again
	}
	switch f.Kind {
	case fault.KindExhausted:
		return strings.HasPrefix(f.Code, "limit.") || f.Code == "stop.capacity"
	case fault.KindUnavailable:
		return !strings.HasPrefix(f.Code, "llm.")
	}
	return false
}

// message is what a developer reads: why, the code to look up, the decision to
// ask about, and what to do.
func message(f *fault.Error, decision string) string {
	s := f.Message + " (" + f.Code
	if decision != "" {
		s += ", decision " + decision
	}
	s += ")"
	if f.Hint != "" {
		s += ". " + f.Hint
	}
	return s
}

func refuseOpenAI(_ http.Header, f *fault.Error, message string) (int, any) {
	type problem struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    string  `json:"code"`
	}
	status := gateway.Status(f)
	kind := "invalid_request_error"
	switch {
	case status == http.StatusUnauthorized:
		kind = "authentication_error"
	case status == http.StatusForbidden:
		kind = "permission_error"
	case status == http.StatusTooManyRequests:
		kind = "rate_limit_error"
	case status >= 500:
		kind = "server_error"
	}
	return status, map[string]problem{"error": {Message: message, Type: kind, Code: f.Code}}
}

func refuseAnthropic(h http.Header, f *fault.Error, message string) (int, any) {
	type problem struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	}
	type answer struct {
		Type      string  `json:"type"`
		Error     problem `json:"error"`
		RequestID string  `json:"request_id,omitempty"`
	}
	status := gateway.Status(f)
	kind := "invalid_request_error"
	switch {
	case status == http.StatusUnauthorized:
		kind = "authentication_error"
	case status == http.StatusForbidden:
		kind = "permission_error"
	case status == http.StatusNotFound:
		kind = "not_found_error"
	case status == http.StatusRequestEntityTooLarge:
		kind = "request_too_large"
	case status == http.StatusTooManyRequests:
		kind = "rate_limit_error"
	case status == http.StatusServiceUnavailable:
		kind = "overloaded_error"
	case status >= 500:
		kind = "api_error"
	}
	id := h.Get("X-Reeve-Decision")
	if id != "" {
		h.Set("Request-Id", id)
	}
	return status, answer{Type: "error", Error: problem{kind, message}, RequestID: id}
}

func refuseGemini(_ http.Header, f *fault.Error, message string) (int, any) {
	type detail struct {
		Type     string            `json:"@type"`
		Reason   string            `json:"reason"`
		Domain   string            `json:"domain"`
		Metadata map[string]string `json:"metadata,omitempty"`
	}
	type problem struct {
		Code    int      `json:"code"`
		Message string   `json:"message"`
		Status  string   `json:"status"`
		Details []detail `json:"details"`
	}
	status := gateway.Status(f)
	word := map[int]string{
		400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED", 413: "INVALID_ARGUMENT",
		429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
	}[status]
	if word == "" {
		word = "INTERNAL"
	}
	return status, map[string]problem{"error": {Code: status, Message: message, Status: word, Details: []detail{
		{Type: "type.googleapis.com/google.rpc.ErrorInfo", Reason: f.Code, Domain: "reeve"},
	}}}
}

// refuseBedrock uses the exceptions that Amazon's SDKs know. They retry by the
// exception and not by a header, so a spent budget is no throttling.
func refuseBedrock(h http.Header, f *fault.Error, message string) (int, any) {
	status := gateway.Status(f)
	kind := "InternalServerException"
	switch {
	case status == http.StatusUnauthorized:
		kind, status = "UnrecognizedClientException", http.StatusForbidden
	case status == http.StatusForbidden:
		kind = "AccessDeniedException"
	case status == http.StatusNotFound:
		kind = "ResourceNotFoundException"
	case status == http.StatusTooManyRequests && again(f):
		kind = "ThrottlingException"
	case status == http.StatusTooManyRequests:
		kind, status = "ServiceQuotaExceededException", http.StatusBadRequest
	case status == http.StatusConflict:
		kind = "ConflictException"
	case status == http.StatusRequestEntityTooLarge || status == http.StatusBadRequest:
		kind, status = "ValidationException", http.StatusBadRequest
	case status >= 500 && !again(f):
		kind, status = "ModelErrorException", http.StatusFailedDependency
	case status == http.StatusServiceUnavailable:
		kind = "ServiceUnavailableException"
	}
	h.Set("X-Amzn-Errortype", kind)
	return status, map[string]string{"message": message}
}

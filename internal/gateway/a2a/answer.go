package a2a

import (
	"bytes"
	"io"
	"net/http"
	"strconv"

	"reeve/internal/fault"
	"reeve/internal/gateway"
)

// passing is an answer in the client's words already: it is only told about.
type passing struct{ x *exchange }

// Next implements gateway.Answer.
func (passing) Next(piece []byte) ([]byte, error) { return piece, nil }

// End implements gateway.Answer.
func (a passing) End(error) ([]byte, gateway.Facts) { return nil, a.x.factsOf() }

// watch is the watcher of the answer.
func (x *exchange) watch(int, http.Header, gateway.Judge) gateway.Answer {
	if x.c.binding == gRPC {
		return &grpcAnswer{x: x}
	}
	return passing{x}
}

// proposeCard has the card answered from here.
func (p *Protocol) proposeCard(c *gateway.Call, out *gateway.Proposal, r *request, k *card) error {
	text, err := p.serve(c.Upstream, k, r)
	if err != nil {
		return err
	}
	etag := `"` + k.hash[:24] + strconv.Itoa(int(r.era)) + `"`
	out.Rewrites = true
	out.Forward = &gateway.Forward{Path: "/", RoundTrip: func(req *http.Request) (*http.Response, error) {
		h := http.Header{
			"Content-Type": {"application/json"}, "Cache-Control": {"private, max-age=300"}, "Vary": {"A2A-Version, Authorization"}, "Etag": {etag},
		}
		status, body := http.StatusOK, text
		if req.Header.Get("If-None-Match") == etag {
			status, body = http.StatusNotModified, nil
		}
		return &http.Response{
			StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h, Request: req,
			Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		}, nil
	}}
	return nil
}

// readAll is the body of an answer that is all there.
func readAll(resp *http.Response) ([]byte, error) { return io.ReadAll(resp.Body) }

// Refuse implements gateway.Protocol. What concerns HTTP (who calls, how often,
// whether it is there) has HTTP's status too; an error of JSON-RPC itself is
// answered with 200, as the protocol's servers do.
func (p *Protocol) Refuse(w http.ResponseWriter, c *gateway.Call, f *fault.Error, decision string) {
	gateway.RefusalHeaders(w.Header(), f)
	message := f.Message
	if f.Hint != "" {
		message += ": " + f.Hint
	}
	code, details := codeOf(f), detailsOf(f, decision)
	switch wireOf(c) {
	case gRPC:
		refuseGRPC(w, f, message, details)
	case jsonRPC:
		status := http.StatusOK
		if code == -31401 || code == -31403 || code == -32603 {
			status = gateway.Status(f)
		}
		write(w, status, "application/json", rpcError(idOf(c), code, message, details))
	default:
		status, grpc := gateway.Status(f), int(f.Kind.GRPCCode())
		if k, ok := protocolKind(f); ok {
			status, grpc = k.http, k.grpc
		}
		write(w, status, "application/json", restError(status, grpc, message, details))
	}
}

func write(w http.ResponseWriter, status int, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func refuseGRPC(w http.ResponseWriter, f *fault.Error, message string, details []byte) {
	status := int(f.Kind.GRPCCode())
	if k, ok := protocolKind(f); ok {
		status = k.grpc
	}
	a := grpcAnswer{status: status, message: message, details: statusBytes(status, message, details), finished: true}
	h := w.Header()
	for name, v := range a.Trailers() {
		h[name] = v
	}
	h.Set("Content-Type", "application/grpc+proto")
	w.WriteHeader(http.StatusOK)
}

// idOf is the id of a JSON-RPC request that is refused, where it can be read.
func idOf(c *gateway.Call) []byte {
	if s, ok := c.State.(*asking); ok {
		return s.asked.id // the body may be another call's by now
	}
	if strict(c.Body) != nil {
		return nil
	}
	if id := find(bytes.TrimSpace(c.Body), "id"); goodID(id) {
		return id
	}
	return nil
}

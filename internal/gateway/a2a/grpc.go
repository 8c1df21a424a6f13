package a2a

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	a2apb "github.com/a2aproject/a2a-go/v2/a2apb/v1"

	"reeve/internal/gateway"
)

// pbTypes makes the messages of an operation.
var pbTypes = [...]struct{ request, response func() proto.Message }{
	opSend:         {func() proto.Message { return &a2apb.SendMessageRequest{} }, func() proto.Message { return &a2apb.SendMessageResponse{} }},
	opStream:       {func() proto.Message { return &a2apb.SendMessageRequest{} }, func() proto.Message { return &a2apb.StreamResponse{} }},
	opGet:          {func() proto.Message { return &a2apb.GetTaskRequest{} }, func() proto.Message { return &a2apb.Task{} }},
	opList:         {func() proto.Message { return &a2apb.ListTasksRequest{} }, func() proto.Message { return &a2apb.ListTasksResponse{} }},
	opCancel:       {func() proto.Message { return &a2apb.CancelTaskRequest{} }, func() proto.Message { return &a2apb.Task{} }},
	opSubscribe:    {func() proto.Message { return &a2apb.SubscribeToTaskRequest{} }, func() proto.Message { return &a2apb.StreamResponse{} }},
	opPushCreate:   {func() proto.Message { return &a2apb.TaskPushNotificationConfig{} }, func() proto.Message { return &a2apb.TaskPushNotificationConfig{} }},
	opPushGet:      {func() proto.Message { return &a2apb.GetTaskPushNotificationConfigRequest{} }, func() proto.Message { return &a2apb.TaskPushNotificationConfig{} }},
	opPushList:     {func() proto.Message { return &a2apb.ListTaskPushNotificationConfigsRequest{} }, func() proto.Message { return &a2apb.ListTaskPushNotificationConfigsResponse{} }},
	opPushDelete:   {func() proto.Message { return &a2apb.DeleteTaskPushNotificationConfigRequest{} }, func() proto.Message { return &emptypb.Empty{} }},
	opExtendedCard: {func() proto.Message { return &a2apb.GetExtendedAgentCardRequest{} }, func() proto.Message { return &a2apb.AgentCard{} }},
}

var fromJSON = protojson.UnmarshalOptions{DiscardUnknown: true, RecursionLimit: maxDepth + 10}

const frameHead = 5

// frame puts a message into gRPC's frame.
func frame(m []byte) []byte {
	b := make([]byte, frameHead, frameHead+len(m))
	binary.BigEndian.PutUint32(b[1:], uint32(len(m)))
	return append(b, m...)
}

// frameOf is a request in JSON as gRPC sends it.
func frameOf(o op, params []byte) ([]byte, error) {
	m := pbTypes[o].request()
	if len(params) == 0 {
		params = []byte("{}")
	}
	if err := fromJSON.Unmarshal(params, m); err != nil {
		return nil, errParams.WithCause(err).WithHint("the peer is spoken to in protocol buffers, as which the request cannot be written")
	}
	b, err := proto.Marshal(m)
	if err != nil {
		return nil, errParams.WithCause(err)
	}
	return frame(b), nil
}

// unframe is the one message of a gRPC request.
func unframe(body []byte) ([]byte, bool) {
	if len(body) < frameHead || body[0] != 0 || uint64(binary.BigEndian.Uint32(body[1:])) != uint64(len(body)-frameHead) {
		return nil, false
	}
	return body[frameHead:], true
}

// readGRPC reads a gRPC call. The service's name says the version, which a
// header may only repeat.
func (r *request) readGRPC(c *gateway.Call, said bool) error {
	if said && r.era != era10 {
		return errVersion.WithHint("the gRPC service here is that of A2A 1.0")
	}
	r.era, r.bare = era10, false
	if r.op = opOf(strings.TrimPrefix(c.Path, "/"+grpcService+"/"), era10); r.op == opNone {
		return errMethod
	}
	if c.Method != http.MethodPost {
		return errMethod
	}
	msg, ok := unframe(c.Body)
	if !ok {
		return errGRPCBody.WithHint("send one message, not compressed")
	}
	m := pbTypes[r.op].request()
	if err := proto.Unmarshal(msg, m); err != nil {
		return errGRPCBody.WithCause(err)
	}
	params, err := protojson.Marshal(m)
	if err != nil {
		return errGRPCBody.WithCause(err)
	}
	// Names of a Struct are the sender's: one may stand twice only in other wires,
	// but nesting has no bound in this one.
	if err := strict(params); err != nil {
		return errGRPCBody.WithCause(err)
	}
	// protojson varies its spaces; an approval is bound to the bytes.
	var compact bytes.Buffer
	if err := json.Compact(&compact, params); err != nil {
		return errGRPCBody.WithCause(err)
	}
	r.params = compact.Bytes()
	return r.names()
}

// tenantOf is the tenant that a gRPC request names, which is its first field, in
// one request the fourth.
func tenantOf(c *gateway.Call) string {
	o := opOf(strings.TrimPrefix(c.Path, "/"+grpcService+"/"), era10)
	msg, ok := unframe(c.Body)
	if !ok || o == opNone {
		return ""
	}
	m := pbTypes[o].request()
	if proto.Unmarshal(msg, m) != nil {
		return ""
	}
	if t, ok := m.(interface{ GetTenant() string }); ok {
		return t.GetTenant()
	}
	return ""
}

// frames reads the peer's gRPC messages as JSON.
type frames struct {
	x    *exchange
	resp *http.Response
}

func (s *frames) next() (result, raw []byte, err error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(s.resp.Body, head[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil, s.status()
		}
		return nil, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	most := uint32(maxAnswer)
	if ops[s.x.r.op].streams {
		most = maxEvent
	}
	switch {
	case head[0] != 0:
		return nil, nil, errAnswer.WithHint("it is compressed, which was not asked for")
	case n > most:
		return nil, nil, errLarge
	}
	msg, err := io.ReadAll(io.LimitReader(s.resp.Body, int64(n)))
	if err == nil && len(msg) < int(n) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, nil, err
	}
	m := pbTypes[s.x.r.op].response()
	if err := proto.Unmarshal(msg, m); err != nil {
		return nil, nil, errAnswer.WithCause(err)
	}
	if result, err = protojson.Marshal(m); err != nil {
		return nil, nil, errAnswer.WithCause(err)
	}
	if err := strict(result); err != nil {
		return nil, nil, errAnswer.WithCause(err)
	}
	return result, nil, nil
}

// status is how the peer says that its call ended: io.EOF for well.
func (s *frames) status() error {
	h := s.resp.Trailer
	if h.Get("Grpc-Status") == "" {
		h = s.resp.Header // of an answer that is nothing else
	}
	code, err := strconv.Atoi(h.Get("Grpc-Status"))
	switch {
	case err != nil || code < 0 || code >= len(grpcNames):
		return errAnswer.WithHint("it has no gRPC status")
	case code == 0:
		return io.EOF
	case code == 16 || code == 7:
		return errRefused
	}
	message := h.Get("Grpc-Message")
	if text, err := url.PathUnescape(message); err == nil {
		message = text
	}
	e := &peerError{code: codeOfGRPC(code), message: message}
	details, err := base64.RawStdEncoding.DecodeString(trimPad(h.Get("Grpc-Status-Details-Bin")))
	var st spb.Status
	if err == nil && len(details) > 0 && proto.Unmarshal(details, &st) == nil {
		e.details = detailsJSON(&st)
		elements(e.details, func(d []byte) bool {
			if textAt(d, "@type") == infoType && textAt(d, "domain") == domain {
				if k, ok := kindOfReason(textAt(d, "reason")); ok {
					e.code = k.code
				}
			}
			return true
		})
	}
	return e
}

// detailsJSON writes the details of a status that are known types.
func detailsJSON(st *spb.Status) []byte {
	b := []byte{'['}
	for _, d := range st.GetDetails() {
		text, err := protojson.Marshal(d)
		if err != nil || strict(text) != nil {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, text...)
	}
	if len(b) == 1 {
		return nil
	}
	return append(b, ']')
}

func codeOfGRPC(code int) int {
	switch code {
	case 3, 11:
		return -32602
	case 5:
		return -32001
	case 9:
		return -32004
	case 12:
		return -32601
	}
	return -32603
}

// grpcAnswer makes gRPC's frames and trailers of the JSON that content rules
// have seen. It is a gateway.Answer.
type grpcAnswer struct {
	x        *exchange
	buf      []byte // what was not looked at yet
	out      []byte
	status   int
	message  string
	details  []byte
	finished bool
}

// Next implements gateway.Answer.
func (a *grpcAnswer) Next(piece []byte) ([]byte, error) {
	a.buf = append(a.buf, piece...)
	if !ops[a.x.c.op].streams {
		return nil, nil
	}
	a.out = a.out[:0]
	for {
		end := eventEnd(a.buf, 0)
		if end == 0 {
			return a.out, nil
		}
		data, ok := eventData(a.buf[:end])
		a.buf = a.buf[end:]
		if !ok {
			continue
		}
		if err := a.put(data); err != nil {
			return nil, err
		}
	}
}

// put adds one message, or the error in its place.
func (a *grpcAnswer) put(data []byte) error {
	if e := find(data, "error"); isObject(e) {
		a.status = slices.Index(grpcNames[:], textAt(e, "status"))
		if a.status <= 0 {
			a.status = 13
		}
		a.message = textAt(e, "message")
		a.details = statusBytes(a.status, a.message, find(e, "details"))
		return nil
	}
	m := pbTypes[a.x.c.op].response()
	if err := fromJSON.Unmarshal(data, m); err != nil {
		return errAnswer.WithCause(err).WithHint("it cannot be written in protocol buffers")
	}
	b, err := proto.Marshal(m)
	if err != nil {
		return errAnswer.WithCause(err)
	}
	a.out = append(a.out, frame(b)...)
	return nil
}

// End implements gateway.Answer.
func (a *grpcAnswer) End(err error) ([]byte, gateway.Facts) {
	facts := a.x.factsOf()
	if err != nil {
		return nil, facts
	}
	a.out = a.out[:0]
	if !ops[a.x.c.op].streams {
		if err := a.put(a.buf); err != nil {
			facts.Fault = errAnswer
			return nil, facts
		}
	}
	a.finished = true
	return a.out, facts
}

// Trailers implements gateway.Trailing.
func (a *grpcAnswer) Trailers() http.Header {
	if !a.finished {
		return nil
	}
	h := http.Header{"Grpc-Status": {strconv.Itoa(a.status)}}
	if a.status != 0 {
		h["Grpc-Message"] = []string{grpcMessage(a.message)}
		if len(a.details) > 0 {
			h["Grpc-Status-Details-Bin"] = []string{base64.RawStdEncoding.EncodeToString(a.details)}
		}
	}
	return h
}

// statusBytes is google.rpc.Status with details as JSON has them.
func statusBytes(code int, message string, details []byte) []byte {
	b := strconv.AppendInt([]byte(`{"code":`), int64(code), 10)
	b = appendText(append(b, `,"message":`...), message)
	if len(details) == 0 {
		details = []byte("[]")
	}
	b = append(append(append(b, `,"details":`...), details...), '}')
	var st spb.Status
	if fromJSON.Unmarshal(b, &st) != nil {
		st = spb.Status{Code: int32(code), Message: message} // details of a type that we do not know
	}
	out, err := proto.Marshal(&st)
	if err != nil {
		return nil
	}
	return out
}

// grpcMessage escapes as gRPC asks: printable ASCII without percent.
func grpcMessage(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c >= 0x20 && c < 0x7f && c != '%' {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + strings.ToUpper(string("0123456789abcdef"[c>>4])+string("0123456789abcdef"[c&15])))
		}
	}
	return b.String()
}

package a2a

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"reeve/internal/fault"
)

// domain is what the protocol's own errors are of; ours are of ours.
const (
	domain    = "a2a-protocol.org"
	ourDomain = "reeve"
	infoType  = "type.googleapis.com/google.rpc.ErrorInfo"
)

// kind is a kind of error that the protocol knows, in the words of its bindings.
type kind struct {
	code   int    // JSON-RPC
	reason string // ErrorInfo
	http   int
	grpc   int
}

// kinds are those of the specification, §5.4 and §9.5.
var kinds = []kind{
	{-32001, "TASK_NOT_FOUND", http.StatusNotFound, 5},
	{-32002, "TASK_NOT_CANCELABLE", http.StatusBadRequest, 9},
	{-32003, "PUSH_NOTIFICATION_NOT_SUPPORTED", http.StatusBadRequest, 9},
	{-32004, "UNSUPPORTED_OPERATION", http.StatusBadRequest, 9},
	{-32005, "CONTENT_TYPE_NOT_SUPPORTED", http.StatusBadRequest, 3},
	{-32006, "INVALID_AGENT_RESPONSE", http.StatusInternalServerError, 13},
	{-32007, "EXTENDED_AGENT_CARD_NOT_CONFIGURED", http.StatusBadRequest, 9},
	{-32008, "EXTENSION_SUPPORT_REQUIRED", http.StatusBadRequest, 9},
	{-32009, "VERSION_NOT_SUPPORTED", http.StatusBadRequest, 9},
	{-32700, "JSON_PARSE", http.StatusBadRequest, 3},
	{-32600, "INVALID_REQUEST", http.StatusBadRequest, 3},
	{-32601, "METHOD_NOT_FOUND", http.StatusNotImplemented, 12},
	{-32602, "INVALID_PARAMS", http.StatusBadRequest, 3},
	{-32603, "INTERNAL", http.StatusInternalServerError, 13},
}

func kindOfCode(code int) kind {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.code == code })
	if i < 0 {
		return kinds[len(kinds)-1]
	}
	return kinds[i]
}

func kindOfReason(reason string) (kind, bool) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.reason == reason })
	if i < 0 {
		return kind{}, false
	}
	return kinds[i], true
}

// The faults of this package; codes says which error of the protocol each is.
var (
	errParse    = fault.New(fault.KindInvalid, "a2a.json", "the body is no JSON that reads in one way")
	errRequest  = fault.New(fault.KindInvalid, "a2a.request", "the request is none of A2A's")
	errBatch    = fault.New(fault.KindInvalid, "a2a.request", "A2A has no batches").WithHint("send one request a call")
	errID       = fault.New(fault.KindInvalid, "a2a.request", "a request's id is a string or a whole number")
	errMethod   = fault.New(fault.KindInvalid, "a2a.method", "the protocol has no such method")
	errParams   = fault.New(fault.KindInvalid, "a2a.params", "the request lacks what the operation needs")
	errVersion  = fault.New(fault.KindInvalid, "a2a.version", "this version of A2A is not spoken here").WithHint("send A2A-Version: 1.0, or 0.3 by JSON-RPC")
	errTask     = fault.New(fault.KindNotFound, "a2a.task", "there is no such task")
	errContext  = fault.New(fault.KindInvalid, "a2a.context", "the context is not yours").WithHint("leave contextId out, and the peer makes one")
	errUnable   = fault.New(fault.KindInvalid, "a2a.unsupported", "the peer does not do this")
	errPush     = fault.New(fault.KindInvalid, "a2a.push_unsupported", "the peer sends no push notifications")
	errAnswer   = fault.New(fault.KindUnavailable, "a2a.answer", "the peer's answer is none of A2A's")
	errLarge    = fault.New(fault.KindUnavailable, "a2a.answer", "the peer's answer is larger than the door takes")
	errRefused  = fault.New(fault.KindUnavailable, "a2a.peer", "the peer does not let Reeve in").WithHint("the upstream's credential is missing or not taken there")
	errCard     = fault.New(fault.KindUnavailable, "a2a.card", "the peer's card cannot be had")
	errDepth    = fault.New(fault.KindDenied, "a2a.depth", "this was delegated too often")
	errGRPCBody = fault.New(fault.KindInvalid, "a2a.params", "the gRPC message cannot be read")
)

// codes are the protocol's errors for our faults; what is not here goes by the
// fault's kind.
var codes = map[string]int{
	"a2a.json": -32700, "a2a.request": -32600, "a2a.method": -32601, "a2a.params": -32602, "a2a.version": -32009, "a2a.task": -32001,
	"a2a.context": -32602, "a2a.unsupported": -32004, "a2a.push_unsupported": -32003, "a2a.push_url": -32602, "a2a.answer": -32006,
	"upstream.broken": -32006, "gateway.upstream": -32600, "gateway.too_large": -32600,
}

// codeOf is the code that JSON-RPC has for a fault. -31401 and -31403 are those
// of the official Go library, which knows them for what they are.
func codeOf(f *fault.Error) int {
	if c, ok := codes[f.Code]; ok {
		return c
	}
	switch f.Kind {
	case fault.KindInvalid:
		return -32602
	case fault.KindUnauthenticated:
		return -31401
	case fault.KindDenied:
		return -31403
	case fault.KindNotFound:
		return -32601
	}
	return -32603
}

// protocolKind is the protocol's own error for a fault, if it has one.
func protocolKind(f *fault.Error) (kind, bool) {
	code, ok := codes[f.Code]
	if !ok || code == -32603 {
		return kind{}, false
	}
	return kindOfCode(code), true
}

// peerError is an error that a peer answered with: it passes on.
type peerError struct {
	code    int
	message string
	details []byte // a JSON array of google.protobuf.Any; nil for none
}

func (e *peerError) Error() string { return fmt.Sprintf("the peer answers %d: %s", e.code, e.message) }

// reason is the error's word.
func (e *peerError) reason() string { return kindOfCode(e.code).reason }

// grpcNames are the names of gRPC's codes in google.rpc.Status.
var grpcNames = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
	"FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

// info is one google.rpc.ErrorInfo as JSON.
func info(reason, domain string, metadata ...string) []byte {
	b := append([]byte(`{"@type":"`+infoType+`","reason":`), appendText(nil, reason)...)
	b = append(append(b, `,"domain":`...), appendText(nil, domain)...)
	if len(metadata) > 0 {
		b = append(b, `,"metadata":{`...)
		for i := 0; i+1 < len(metadata); i += 2 {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(appendText(b, metadata[i]), ':'), appendText(nil, metadata[i+1])...)
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

// detailsOf are the details of a fault: one ErrorInfo, since readers differ in
// which of several they take. It is the protocol's own where the fault is one of
// its errors, else ours; its metadata is what a program may act on.
func detailsOf(f *fault.Error, decision string) []byte {
	metadata := []string{"code", f.Code}
	if f.Hint != "" {
		metadata = append(metadata, "hint", f.Hint)
	}
	if decision != "" {
		metadata = append(metadata, "decision", decision)
	}
	reason, of := strings.ToUpper(strings.ReplaceAll(f.Code, ".", "_")), ourDomain
	if k, ok := protocolKind(f); ok && k.code <= -32001 && k.code >= -32009 {
		reason, of = k.reason, domain
	}
	return append(append([]byte{'['}, info(reason, of, metadata...)...), ']')
}

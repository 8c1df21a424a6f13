// Package fault is the one shape of an error that a caller of Reeve may see.
//
// What for: an error carries a kind (which decides HTTP status, gRPC code and
// exit code), a stable dotted code that programs branch on, a message that is
// safe to show, a hint that says what to do next, and the cause that is only
// logged.
//
// Who calls it: every package that first knows what an error means; the edges
// (api, intake, gateway, cli) read it back with From.
//
// Promises: values are immutable and safe for concurrent use; causes stay
// reachable through errors.Is and errors.As and never reach Message.
//
// How it fails: it does not; an error that is no Fault is KindInternal.
//
// Start reading at Error and From.
package fault

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Kind is the class of an error; the zero Kind is KindInternal.
type Kind uint8

// The kinds, in the order of the table in Kind.HTTPStatus.
const (
	KindInternal Kind = iota
	KindInvalid
	KindUnauthenticated
	KindDenied
	KindNotFound
	KindConflict
	KindExhausted
	KindUnavailable
)

var kinds = [...]struct {
	name string
	http int
	grpc uint32
	exit int
}{
	KindInternal:        {"internal", http.StatusInternalServerError, 13, 1},
	KindInvalid:         {"invalid", http.StatusBadRequest, 3, 2},
	KindUnauthenticated: {"unauthenticated", http.StatusUnauthorized, 16, 1},
	KindDenied:          {"denied", http.StatusForbidden, 7, 3},
	KindNotFound:        {"not_found", http.StatusNotFound, 5, 1},
	KindConflict:        {"conflict", http.StatusConflict, 6, 1},
	KindExhausted:       {"exhausted", http.StatusTooManyRequests, 8, 1},
	KindUnavailable:     {"unavailable", http.StatusServiceUnavailable, 14, 1},
}

// String is the kind's stable name, as problem documents carry it.
func (k Kind) String() string { return kinds[k].name }

// HTTPStatus is the status an HTTP edge answers with.
func (k Kind) HTTPStatus() int { return kinds[k].http }

// GRPCCode is the numeric google.rpc code a gRPC edge answers with.
func (k Kind) GRPCCode() uint32 { return kinds[k].grpc }

// ExitCode is the exit code of the command line.
func (k Kind) ExitCode() int { return kinds[k].exit }

// Error is an error with a meaning. Make one with New where the meaning is
// first known, and wrap it with fmt.Errorf("doing what: %w") elsewhere.
type Error struct {
	Kind    Kind
	Code    string // stable, dotted, lower case: "intake.too_large"
	Message string // safe for the caller
	Hint    string // what to do next; may be empty
	Cause   error  // logged, never sent; may be nil
	// RetryAfter is how long to wait before the same can work, which edges send
	// as Retry-After in whole seconds, rounded up; 0 when nobody knows.
	RetryAfter time.Duration
}

// New makes an Error; the message is formatted with args.
func New(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithHint returns a copy that says what to do next.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// WithCause returns a copy that wraps cause.
func (e *Error) WithCause(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

// WithRetryAfter returns a copy that says how long to wait.
func (e *Error) WithRetryAfter(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// Error is the text for logs: code, message and cause.
func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Cause)
	}
	return e.Code + ": " + e.Message
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// From finds the Error in err's chain. An error without one comes back as
// KindInternal with code "internal" and err as its cause; nil gives nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: KindInternal, Code: "internal", Message: "something went wrong inside Reeve", Cause: err}
}

// Is reports whether err's chain holds an Error of this kind.
func Is(err error, kind Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == kind
}

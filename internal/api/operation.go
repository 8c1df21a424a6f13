package api

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
)

// operation is one value of the table: everything that the router, the access
// check, the OpenAPI file, the client and the command line know about it.
type operation struct {
	Name       string // also the client's method: ListRuns
	Method     string
	Path       string // below Prefix
	Summary    string // one line, starts with a verb
	Permission Permission
	Audit      AuditClass
	Status     int  // of success; 0 means 200, or 204 without a response
	Idempotent bool // a creation that takes an Idempotency-Key
	MaxBody    int64

	request, response reflect.Type
	plan              *plan
	call              func(ctx context.Context, a *API, req any) (any, error)
	stream            func(a *API, w http.ResponseWriter, r *http.Request, req any) error
	named             func(req any) (team, environment string)
	second            func(a *API, ctx context.Context, req any) (*question, error)
}

// AuditClass says what an operation leaves in the audit log.
type AuditClass uint8

// The classes. Changes are recorded by the part that makes them, in the
// transaction of the change.
const (
	AuditNone    AuditClass = iota // reads metadata
	AuditContent                   // reads content
	AuditChange                    // changes something
)

var auditNames = [...]string{"none", "content", "change"}

// String is the class's stable name.
func (c AuditClass) String() string { return auditNames[c] }

// define gives an operation its handler; the types are the request and the
// response that OpenAPI and the client show.
func define[Req, Resp any](op operation, handle func(*API, context.Context, *Req) (*Resp, error)) operation {
	return render[Req, Resp](op, func(a *API, ctx context.Context, req *Req) (any, error) {
		resp, err := handle(a, ctx, req)
		if err != nil {
			return nil, err
		}
		return resp, nil
	})
}

// render is define for a handler that encodes its response itself (rendered).
func render[Req, Resp any](op operation, handle func(*API, context.Context, *Req) (any, error)) operation {
	op.request, op.response = reflect.TypeFor[Req](), reflect.TypeFor[Resp]()
	op.plan = newPlan(op.request)
	op.call = func(ctx context.Context, a *API, req any) (any, error) { return handle(a, ctx, req.(*Req)) }
	if op.MaxBody == 0 {
		op.MaxBody = 1 << 20
	}
	if op.Status == 0 {
		op.Status = http.StatusOK
		if op.response == reflect.TypeFor[struct{}]() {
			op.Status = http.StatusNoContent
		}
	}
	return op
}

// events is define for an operation that answers with a stream of events.
func events[Req any](op operation, follow func(*API, http.ResponseWriter, *http.Request, *Req) error) operation {
	op = render[Req, struct{}](op, nil)
	op.Status = http.StatusOK
	op.stream = func(a *API, w http.ResponseWriter, r *http.Request, req any) error {
		return follow(a, w, r, req.(*Req))
	}
	return op
}

// within names the team and the environment that a request is about, for a
// permission that reaches named ones.
func within[Req any](op operation, named func(*Req) (team, environment string)) operation {
	op.named = func(req any) (string, string) { return named(req.(*Req)) }
	return op
}

// check panics on a table entry that contradicts itself.
func (op *operation) check() {
	bug := func(format string, args ...any) {
		panic("api: operation " + op.Name + ": " + fmt.Sprintf(format, args...))
	}
	switch {
	case op.Name == "" || op.Method == "" || !strings.HasPrefix(op.Path, "/") || op.Summary == "":
		bug("name, method, path and summary are required")
	case op.Permission.kind == permissionMissing:
		bug("no permission")
	case op.Permission.kind == permissionRole && (len(op.Permission.roles) == 0 || !allKnown(op.Permission.roles)):
		bug("unknown roles %v", op.Permission.roles)
	case op.Permission.reach == reachNamed && op.named == nil:
		bug("its permission reaches what the request names, and nothing says what that is")
	case op.call == nil && op.stream == nil:
		bug("no handler")
	case op.Method != http.MethodGet && op.Audit == AuditNone && op.Permission.kind == permissionRole && !op.Permission.reads:
		bug("changes something and leaves no audit record")
	case op.Idempotent && op.Method != http.MethodPost:
		bug("only POST takes an idempotency key")
	}
	for _, name := range pathNames(op.Path) {
		if _, ok := op.plan.path[name]; !ok {
			bug("path value %s has no field", name)
		}
	}
	for name := range op.plan.path {
		if !strings.Contains(op.Path, "{"+name+"}") {
			bug("field for path value %s, which the path does not have", name)
		}
	}
	if op.plan.body && (op.Method == http.MethodGet || op.Method == http.MethodDelete) {
		bug("%s has a body", op.Method)
	}
}

func pathNames(path string) []string {
	var out []string
	for _, part := range strings.Split(path, "/") {
		if strings.HasPrefix(part, "{") {
			out = append(out, strings.Trim(part, "{}"))
		}
	}
	return out
}

package a2a

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"reeve/internal/fault"
	"reeve/internal/gateway"
)

const (
	maxID   = 512 // bytes of a task, context, message or configuration id
	maxCall = 256 // of a JSON-RPC id
	// maxReferences bounds the tasks that a message points to.
	maxReferences = 100

	cardPath    = "/.well-known/agent-card.json"
	oldCardPath = "/.well-known/agent.json" // before 0.3

	grpcService = "lf.a2a.v1.A2AService"
)

// request is a call in the words of A2A, whatever wire it came on.
type request struct {
	wire
	op
	id     []byte // of JSON-RPC, as it came
	params []byte // the operation's request in 1.0, as JSON; never nil

	task, context, config string   // ids that it names
	references            []string // further tasks that its message points to
	push                  []byte   // the push configuration that it brings; nil for none
	tenant                string   // what the client gave as the tenant
	bare                  bool     // no version was said
	heads                 []byte   // the headers that an approval is bound to
}

// wireOf is the wire that a call came on, as far as its head says.
func wireOf(c *gateway.Call) binding {
	switch {
	case strings.HasPrefix(c.Path, "/"+grpcService+"/"):
		return gRPC
	case c.Path == "/" && c.Method == http.MethodPost:
		return jsonRPC
	}
	return httpJSON
}

// versionOf reads which version the client speaks; none is 0.3.
func versionOf(c *gateway.Call) (e era, said bool, err error) {
	values := c.Request.Header["A2a-Version"]
	if c.Query != "" && strings.Contains(c.Query, "A2A-Version") {
		q, err := url.ParseQuery(c.Query)
		if err != nil {
			return 0, false, errRequest.WithCause(err)
		}
		values = append(values[:len(values):len(values)], q["A2A-Version"]...)
	}
	found := ""
	for _, v := range values {
		for v := range strings.SplitSeq(v, ",") {
			switch v = strings.TrimSpace(v); {
			case v == "" || v == found:
			case found != "":
				return 0, true, errVersion
			default:
				found = v
			}
		}
	}
	// The patch number says nothing.
	switch major, rest, _ := strings.Cut(found, "."); {
	case found == "":
		return era03, false, nil
	case major == "1" && (rest == "0" || strings.HasPrefix(rest, "0.")):
		return era10, true, nil
	case major == "0" && (rest == "3" || strings.HasPrefix(rest, "3.")):
		return era03, true, nil
	}
	return 0, true, errVersion
}

// read reads a call.
func read(c *gateway.Call) (*request, error) {
	e, said, err := versionOf(c)
	if err != nil {
		return nil, err
	}
	r := &request{wire: wire{wireOf(c), e}, bare: !said, heads: gateway.BoundHeaders(c.Request.Header)}
	if r.binding == gRPC {
		return r, r.readGRPC(c, said)
	}
	if len(c.Body) > 0 {
		if len(c.Request.Header["Content-Encoding"]) > 0 {
			return r, errParse.WithHint("send the body as it is, not compressed")
		}
		if err := strict(c.Body); err != nil {
			return r, errParse.WithCause(err).WithHint("%s", err)
		}
	}
	if r.binding == jsonRPC {
		err = r.readRPC(c.Body)
	} else {
		err = r.readREST(c)
	}
	if err != nil {
		return r, err
	}
	return r, r.names()
}

// readRPC reads a JSON-RPC request.
func (r *request) readRPC(body []byte) error {
	body = bytes.TrimSpace(body)
	switch {
	case len(body) == 0:
		return errParse
	case body[0] == '[':
		return errBatch
	case body[0] != '{':
		return errRequest
	}
	var version, method string
	var params []byte
	members(body, func(name string, value []byte) bool {
		switch name {
		case "jsonrpc":
			version = textOf(value)
		case "id":
			r.id = value
		case "method":
			method = textOf(value)
		case "params":
			params = value
		}
		return true
	})
	if !goodID(r.id) {
		r.id = nil
		return errID
	}
	if version != "2.0" || method == "" {
		return errRequest.WithHint(`a request has "jsonrpc":"2.0" and a method`)
	}
	if r.op = opOf(method, r.era); r.op == opNone {
		other := era03
		if r.era == era03 {
			other = era10
		}
		if opOf(method, other) != opNone {
			return errVersion.WithHint("%s is a method of A2A %s: send A2A-Version: %s", method, other, other)
		}
		return errMethod
	}
	switch {
	case isNull(params):
		params = []byte("{}")
	case params[0] != '{':
		return errParams.WithHint("params is an object")
	}
	if r.era == era03 {
		return r.fromOld(params)
	}
	r.params = params
	return nil
}

func textOf(v []byte) string {
	if len(v) < 2 || v[0] != '"' {
		return ""
	}
	return plain(v)
}

// goodID: a string or a whole number. Others are legal JSON-RPC and read
// differently by everybody.
func goodID(id []byte) bool {
	switch {
	case len(id) == 0 || len(id) > maxCall:
		return false
	case id[0] == '"':
		return true
	}
	return (id[0] == '-' || '0' <= id[0] && id[0] <= '9') && !bytes.ContainsAny(id, ".eE")
}

// restOp leads from a method and a path below the upstream to an operation.
func restOp(method, path string) (o op, task, config string, ok bool) {
	rest, isTask := strings.CutPrefix(path, "/tasks/")
	switch {
	case method == http.MethodPost && path == "/message:send":
		return opSend, "", "", true
	case method == http.MethodPost && path == "/message:stream":
		return opStream, "", "", true
	case method == http.MethodGet && path == "/tasks":
		return opList, "", "", true
	case method == http.MethodGet && path == "/extendedAgentCard":
		return opExtendedCard, "", "", true
	case !isTask:
		return opNone, "", "", false
	}
	task, below, deeper := strings.Cut(rest, "/")
	if !deeper {
		id, act, acts := cutLast(task, ":")
		switch {
		case acts && act == "cancel" && method == http.MethodPost:
			return opCancel, id, "", true
		case acts && act == "subscribe" && (method == http.MethodPost || method == http.MethodGet):
			return opSubscribe, id, "", true
		case method == http.MethodGet && !(acts && (act == "cancel" || act == "subscribe")):
			return opGet, task, "", true
		}
		return opNone, "", "", false
	}
	name, config, one := strings.Cut(below, "/")
	switch {
	case name != "pushNotificationConfigs" || strings.Contains(config, "/") || one && config == "":
	case method == http.MethodPost && !one:
		return opPushCreate, task, "", true
	case method == http.MethodGet && !one:
		return opPushList, task, "", true
	case method == http.MethodGet:
		return opPushGet, task, config, true
	case method == http.MethodDelete && one:
		return opPushDelete, task, config, true
	}
	return opNone, "", "", false
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

var errRESTPath = fault.New(fault.KindNotFound, "a2a.path", "A2A has no such operation").WithHint("the paths are those of the specification, §11.3")

// readREST reads a call of the HTTP+JSON binding.
func (r *request) readREST(c *gateway.Call) error {
	if c.Method == http.MethodGet && (c.Path == cardPath || c.Path == oldCardPath) {
		r.op, r.params = opCard, []byte("{}")
		return nil
	}
	o, task, config, ok := restOp(c.Method, c.Path)
	if !ok {
		if strings.HasPrefix(c.Path, "/v1/") {
			return errVersion.WithHint("0.3 is spoken here by JSON-RPC, to the upstream's own address")
		}
		return errRESTPath
	}
	r.op = o
	if r.era != era10 {
		return errVersion.WithHint("this is a path of A2A 1.0: send A2A-Version: 1.0")
	}
	var err1, err2 error
	task, err1 = url.PathUnescape(task)
	config, err2 = url.PathUnescape(config)
	if err := errors.Join(err1, err2); err != nil {
		return errParams.WithCause(err)
	}
	body := bytes.TrimSpace(c.Body)
	if c.Method == http.MethodGet || c.Method == http.MethodDelete {
		// The official Go client sends null where there is nothing to send.
		if len(body) > 0 && string(body) != "null" && string(body) != "{}" {
			return errRequest.WithHint("this operation has no body")
		}
		return r.fromQuery(c.Query, task, config)
	}
	if len(body) == 0 || string(body) == "null" {
		body = []byte("{}")
	}
	if body[0] != '{' {
		return errRequest.WithHint("the body is one object")
	}
	if task != "" {
		name := "id"
		if o == opPushCreate {
			name = "taskId"
		}
		// Two places that differ are two requests in one.
		if v := find(body, name); v != nil && textOf(v) != task {
			return errParams.WithHint("%s in the body is not the task of the path", name)
		}
		body = with(body, name, appendText(nil, task))
	}
	r.params = body
	return nil
}

// queryParams are the parameters of operations without a body, with their type
// in JSON.
var queryParams = map[string]byte{
	"historyLength": 'n', "contextId": 's', "status": 's', "pageSize": 'n', "pageToken": 's', "statusTimestampAfter": 's', "includeArtifacts": 'b',
}

func (r *request) fromQuery(query, task, config string) error {
	b := []byte{'{'}
	put := func(name string, value []byte) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(appendText(b, name), ':'), value...)
	}
	switch {
	case task != "" && (r.op == opGet || r.op == opSubscribe):
		put("id", appendText(nil, task))
	case task != "":
		put("taskId", appendText(nil, task))
	}
	if config != "" {
		put("id", appendText(nil, config))
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return errParams.WithCause(err)
	}
	for name, values := range q {
		kind, ok := queryParams[name]
		if !ok {
			continue // A2A-Version, and what later versions bring
		}
		if len(values) != 1 {
			return errParams.WithHint("%s stands twice in the query", name)
		}
		v := values[0]
		switch kind {
		case 's':
			put(name, appendText(nil, v))
		case 'n':
			n, err := strconv.ParseInt(v, 10, 32)
			if err != nil {
				return errParams.WithHint("%s is a number", name)
			}
			put(name, strconv.AppendInt(nil, n, 10))
		case 'b':
			if v != "true" && v != "false" {
				return errParams.WithHint("%s is true or false", name)
			}
			put(name, []byte(v))
		}
	}
	r.params = append(b, '}')
	return nil
}

// names reads which task, context and configuration the request is about.
func (r *request) names() error {
	p := r.params
	r.tenant = textAt(p, "tenant")
	m := find(p, "message")
	// Readers of ProtoJSON take task_id for taskId: a second name for what is
	// acted on here would pass unseen.
	for _, o := range [][]byte{p, m, find(p, "configuration"), find(p, "configuration", "taskPushNotificationConfig")} {
		if snake(o) {
			return errParams.WithHint("names of fields are written in camelCase")
		}
	}
	switch {
	case ops[r.op].sends:
		if !isObject(m) || len(textAt(m, "messageId")) == 0 {
			return errParams.WithHint("a message has a messageId, a role and parts")
		}
		r.task, r.context = textAt(m, "taskId"), textAt(m, "contextId")
		elements(find(m, "referenceTaskIds"), func(v []byte) bool {
			r.references = append(r.references, textOf(v))
			return len(r.references) < maxReferences
		})
		if push := find(p, "configuration", "taskPushNotificationConfig"); !isNull(push) {
			r.push = push
		}
	case r.op == opGet || r.op == opCancel || r.op == opSubscribe:
		r.task = textAt(p, "id")
	case r.op == opList:
		r.context = textAt(p, "contextId")
	case ops[r.op].task: // push configurations
		r.task, r.config = textAt(p, "taskId"), textAt(p, "id")
		if r.op == opPushCreate {
			r.push = p
		}
	}
	switch {
	case len(r.references) >= maxReferences:
		return errParams.WithHint("a message points to fewer than %d tasks", maxReferences)
	case len(r.task) > maxID || len(r.context) > maxID || len(r.config) > maxID:
		return errParams.WithHint("an id has at most %d bytes", maxID)
	case ops[r.op].task && r.task == "":
		return errParams.WithHint("%s needs the id of a task", r.op)
	case (r.op == opPushGet || r.op == opPushDelete) && r.config == "":
		return errParams.WithHint("%s needs the id of a configuration", r.op)
	}
	return nil
}

// snake reports whether a member of an object is named with an underscore.
func snake(object []byte) (found bool) {
	members(object, func(name string, _ []byte) bool {
		found = strings.Contains(name, "_")
		return !found
	})
	return found
}

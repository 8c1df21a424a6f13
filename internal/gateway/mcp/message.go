package mcp

import (
	"bytes"
	"math"
	"strconv"

	"reeve/internal/fault"
	"reeve/internal/gateway/llm/wire"
)

// span is a part of a text; to is 0 for one that is not there.
type span struct{ from, to int }

func (s span) in(b []byte) []byte {
	if s.to == 0 {
		return nil
	}
	return b[s.from:s.to]
}

// message is one JSON-RPC message with what the door acts on in it; everything
// else stays as it came.
type message struct {
	raw    []byte
	id     []byte // as it stands; nil for a notification
	method string // "" for a response
	params span
	meta   span // of params
	result span
	fault  span // the error of a response
	idAt   span
	named
	own ownMeta
}

// named is what params say that names and inputs are.
type named struct {
	name, uri string
	nameAt    span
	uriAt     span
	args      span
	state     span // requestState
	stateKey  int  // where that member begins
	inputs    span // inputResponses
	inputsKey int  // where that member begins
	task      string
	taskAt    span
	wish      span // task: the wish that a call becomes one, of 2025-11-25
	wishKey   int  // where that member begins
	notes     span // notifications, of subscriptions/listen
	level     string
	version   string // protocolVersion, of initialize
	caps      span   // capabilities, of initialize
	client    span   // clientInfo, of initialize
	token     span   // progressToken, of notifications/progress
	request   span   // requestId, of notifications/cancelled
	ref       span   // of completion/complete
	cursor    span   // of a list that goes on
}

// ownMeta is what stands in params._meta of a request.
type ownMeta struct {
	version     string
	caps        span
	client      span
	level       string
	progress    span // progressToken
	traceparent string
	retry       string // the approval that the request comes back for
	retryAt     span   // of that member
}

const (
	keyVersion = "io.modelcontextprotocol/protocolVersion"
	keyCaps    = "io.modelcontextprotocol/clientCapabilities"
	keyClient  = "io.modelcontextprotocol/clientInfo"
	keyLevel   = "io.modelcontextprotocol/logLevel"
	keyServer  = "io.modelcontextprotocol/serverInfo"
	keySub     = "io.modelcontextprotocol/subscriptionId"
	keyRetry   = "reeve/retry" // ours: data.retry_token of a call that still waits for a person
)

var (
	errParse = fault.New(fault.KindInvalid, "mcp.parse", "the body is not one JSON text that reads in one way").
			WithHint("one JSON-RPC message, no name twice in an object, UTF-8")
	errBatch = fault.New(fault.KindInvalid, "mcp.batch", "a batch of messages is not taken").
			WithHint("send each message by itself; batches left the protocol with 2025-06-18")
	errMessage = fault.New(fault.KindInvalid, "mcp.message", "the body is no JSON-RPC 2.0 message")
	errID      = fault.New(fault.KindInvalid, "mcp.id", "a request's id is a string of at most 256 bytes or a whole number")
	errParams  = fault.New(fault.KindInvalid, "mcp.params", "the request's params cannot be read")
	// errSurrogate is errParams, said more exactly.
	errSurrogate = fault.New(fault.KindInvalid, "mcp.params", "a text in the request has half a surrogate pair").
			WithHint("write whole characters: \\ud83d\\ude00, not \\ud83d alone")
)

const maxID = 256

func (m *message) isRequest() bool      { return m.method != "" && m.id != nil }
func (m *message) isNotification() bool { return m.method != "" && m.id == nil }
func (m *message) isResponse() bool     { return m.method == "" }

// parse reads one message. A message that two readers may read differently is
// refused: the server would act on another one than was decided.
func parse(b []byte) (*message, error) {
	m := &message{raw: b}
	c := wire.NewCursor(b)
	switch c.Kind() {
	case '[':
		return m, errBatch
	case '{':
	default:
		return m, errParse
	}
	version, odd := false, false
	for o := c.Object(); o.Next(); {
		from := c.Pos()
		switch string(o.Key) {
		case "jsonrpc":
			version = string(c.Word()) == "2.0"
		case "id":
			c.Skip()
			m.idAt = span{from, c.Pos()}
			m.id = c.Since(from)
		case "method":
			if c.Kind() != '"' {
				odd = true
			}
			m.method = c.Text()
			odd = odd || m.method == ""
		case "params":
			if k := c.Kind(); k != '{' {
				odd = odd || k != 'n'
				c.Skip()
				break
			}
			m.readParams(&c)
			m.params = span{from, c.Pos()}
		case "result":
			c.Skip()
			m.result = span{from, c.Pos()}
		case "error":
			c.Skip()
			m.fault = span{from, c.Pos()}
		default:
			o.Like("jsonrpc", "id", "method", "params", "result", "error")
		}
	}
	switch {
	case c.End() != nil:
		m.id = nil
		return m, errParse.WithCause(c.Err())
	case !version || odd || m.method == "" && (m.result.to == 0) == (m.fault.to == 0) || m.method != "" && (m.result.to != 0 || m.fault.to != 0):
		return m, errMessage
	case m.id != nil && !goodID(m.id):
		m.id = nil
		return m, errID
	case m.method == "" && m.id == nil:
		return m, errMessage
	}
	return m, nil
}

// readParams reads what the door acts on; its values lie in m.raw.
func (m *message) readParams(c *wire.Cursor) {
	text := func(at *span) string {
		from := c.Pos()
		s, ok := c.Quoted()
		if !ok {
			c.Fail(wire.ErrSyntax)
			return ""
		}
		*at = span{from, from + len(s) + 2}
		return wire.Unquote(s)
	}
	var skip span
	for o := c.Object(); o.Next(); {
		from := c.Pos()
		take := func(at *span) {
			c.Skip()
			*at = span{from, c.Pos()}
		}
		switch string(o.Key) {
		case "name":
			m.name = text(&m.nameAt)
		case "uri":
			m.uri = text(&m.uriAt)
		case "arguments":
			take(&m.args)
		case "requestState":
			m.stateKey = o.KeyAt
			_ = text(&m.state)
		case "inputResponses":
			m.inputsKey = o.KeyAt
			take(&m.inputs)
		case "taskId":
			m.task = text(&m.taskAt)
		case "task":
			m.wishKey = o.KeyAt
			take(&m.wish)
		case "notifications":
			take(&m.notes)
		case "level":
			m.level = text(&skip)
		case "protocolVersion":
			m.version = text(&skip)
		case "capabilities":
			take(&m.caps)
		case "clientInfo":
			take(&m.client)
		case "progressToken":
			take(&m.token)
		case "requestId":
			take(&m.request)
		case "ref":
			take(&m.ref)
		case "cursor":
			take(&m.cursor)
		case "_meta":
			if c.Kind() == '{' {
				m.readMeta(c)
			} else {
				c.Skip()
			}
			m.meta = span{from, c.Pos()}
		default:
			o.Like("name", "uri", "arguments", "requestState", "inputResponses", "taskId", "_meta", "ref", "notifications")
		}
	}
}

func (m *message) readMeta(c *wire.Cursor) {
	for o := c.Object(); o.Next(); {
		from := c.Pos()
		take := func(at *span) {
			c.Skip()
			*at = span{from, c.Pos()}
		}
		switch string(o.Key) {
		case keyVersion:
			m.own.version = c.Text()
		case keyCaps:
			take(&m.own.caps)
		case keyClient:
			take(&m.own.client)
		case keyLevel:
			m.own.level = c.Text()
		case "progressToken":
			take(&m.own.progress)
		case "traceparent":
			m.own.traceparent = c.Text()
		case keyRetry:
			m.own.retryAt.from = o.KeyAt
			m.own.retry = c.Text()
			m.own.retryAt.to = c.Pos()
		default:
			o.Like(keyVersion, keyCaps, keyClient, keyLevel)
		}
	}
}

// goodID reports whether an id is one that every reader keeps as it is.
func goodID(id []byte) bool {
	if len(id) > maxID || len(id) == 0 {
		return false
	}
	if id[0] == '"' {
		return len(id) >= 2
	}
	n, err := strconv.ParseInt(string(id), 10, 64)
	return err == nil && n <= 1<<53 && n >= -(1<<53) && !bytes.ContainsAny(id, "+")
}

// sameID reports whether two ids are the same: a server may write a string with
// other escapes.
func sameID(a, b []byte) bool {
	switch {
	case bytes.Equal(a, b):
		return true
	case len(a) == 0 || len(b) == 0:
		return false
	case a[0] == '"' && b[0] == '"':
		return wire.Unquote(a[1:len(a)-1]) == wire.Unquote(b[1:len(b)-1])
	case a[0] == '"' || b[0] == '"':
		return false
	}
	x, err1 := strconv.ParseFloat(string(a), 64)
	y, err2 := strconv.ParseFloat(string(b), 64)
	return err1 == nil && err2 == nil && x == y && math.Abs(x) <= 1<<53
}

// idOf is the id of a request as far as it can be read, for a refusal; nil for
// none.
func idOf(body []byte) []byte {
	m, err := parse(body)
	if m == nil || err != nil && m.id == nil {
		return nil
	}
	if m.isResponse() {
		return nil
	}
	return m.id
}

// quote is text as JSON.
func quote(text string) []byte {
	return append(wire.Quote([]byte{'"'}, text), '"')
}

package a2a

import (
	"bytes"
	"errors"
)

// decode takes the result out of an answer in JSON, or the peer's error.
func (x *exchange) decode(status int, body []byte) ([]byte, error) {
	body = bytes.TrimSpace(body)
	if len(body) == 0 && x.to.binding == httpJSON && status < 300 {
		return []byte("{}"), nil
	}
	if err := strict(body); err != nil {
		return nil, errAnswer.WithCause(err).WithHint("it answers %d and not what A2A says", status)
	}
	if x.to.binding == httpJSON {
		if status >= 300 {
			return nil, restPeerError(status, body)
		}
		return body, nil
	}
	return x.rpcResult(body)
}

// rpcResult takes the result out of a JSON-RPC answer.
func (x *exchange) rpcResult(body []byte) ([]byte, error) {
	if !isObject(body) {
		return nil, errAnswer.WithHint("it is no JSON-RPC")
	}
	var version string
	var id, result, failure []byte
	has := false
	members(body, func(name string, value []byte) bool {
		switch name {
		case "jsonrpc":
			version = textOf(value)
		case "id":
			id = value
		case "result":
			result, has = value, true
		case "error":
			failure = value
		}
		return true
	})
	if x.r.op == opPushDelete && !has && failure == nil {
		result, has = []byte("null"), true // some servers answer with nothing at all
	}
	switch {
	case version != "2.0" || has == (failure != nil && !isNull(failure)):
		return nil, errAnswer.WithHint("it is no JSON-RPC")
	case !bytes.Equal(id, x.ids) && !(failure != nil && isNull(id)):
		return nil, errAnswer.WithHint("it answers another request")
	case has:
		return result, nil
	}
	e := &peerError{message: textAt(failure, "message"), details: anyList(find(failure, "data"))}
	if v, err := decode(find(failure, "code")); err == nil {
		e.code = whole(v)
	}
	return nil, e
}

// anyList is v when it is an array of google.protobuf.Any.
func anyList(v []byte) []byte {
	if len(v) == 0 || v[0] != '[' {
		return nil
	}
	good := true
	elements(v, func(e []byte) bool {
		good = textAt(e, "@type") != ""
		return good
	})
	if !good {
		return nil
	}
	return v
}

func whole(v any) int {
	n, ok := v.(interface{ Int64() (int64, error) })
	if !ok {
		return -32603
	}
	i, err := n.Int64()
	if err != nil || i > 1<<31 || i < -1<<31 {
		return -32603
	}
	return int(i)
}

// restPeerError reads google.rpc.Status.
func restPeerError(status int, body []byte) *peerError {
	e := &peerError{code: -32603, message: textAt(body, "error", "message"), details: anyList(find(body, "error", "details"))}
	switch status {
	case 400:
		e.code = -32602
	case 404:
		e.code = -32001
	case 405, 501:
		e.code = -32601
	}
	elements(e.details, func(d []byte) bool {
		if textAt(d, "@type") == infoType && textAt(d, "domain") == domain {
			if k, ok := kindOfReason(textAt(d, "reason")); ok {
				e.code = k.code
			}
		}
		return true
	})
	if e.message == "" {
		e.message = "the peer refuses"
	}
	return e
}

// about is what a result says that it is about.
type about struct{ task, context, state string }

// look reads an event, or the result of sending, in the peer's version.
func look(result []byte, e era) (a about, ok bool) {
	if !isObject(result) {
		return a, false
	}
	kind, o := "", result
	if e == era03 {
		kind = textAt(result, "kind")
	} else {
		n := 0
		members(result, func(name string, value []byte) bool {
			switch name {
			case "task", "message", "statusUpdate", "artifactUpdate":
				kind, o = name, value
				n++
			}
			return true
		})
		if n != 1 || !isObject(o) {
			return a, false
		}
	}
	switch kind {
	case "task":
		return lookTask(o, e)
	case "message":
		return about{task: textAt(o, "taskId"), context: textAt(o, "contextId")}, true
	case "statusUpdate", "status-update":
		a = about{textAt(o, "taskId"), textAt(o, "contextId"), stateOf(textAt(o, "status", "state"), e)}
		return a, a.task != ""
	case "artifactUpdate", "artifact-update":
		a = about{task: textAt(o, "taskId"), context: textAt(o, "contextId")}
		return a, a.task != ""
	}
	return a, false
}

func lookTask(o []byte, e era) (about, bool) {
	a := about{textAt(o, "id"), textAt(o, "contextId"), stateOf(textAt(o, "status", "state"), e)}
	return a, a.task != "" && a.state != ""
}

func stateOf(s string, e era) string {
	if e == era03 {
		return newStates[s]
	}
	return s
}

var errOther = errAnswer.WithHint("it is about something else than what was asked")

// see checks a result, notes whose its task is, and gives it in the client's
// version; changed says that it is not what came.
func (x *exchange) see(result []byte) (out []byte, changed bool, err error) {
	switch x.r.op {
	case opSend, opStream, opSubscribe:
		a, ok := look(result, x.to.era)
		if !ok {
			return nil, false, errAnswer
		}
		err = x.mine(a)
	case opGet, opCancel:
		a, ok := lookTask(result, x.to.era)
		if !isObject(result) || !ok {
			return nil, false, errAnswer
		}
		err = x.mine(a)
	case opList:
		result, err = x.listed(result)
		changed = true
	case opPushCreate, opPushGet:
		if id := textAt(result, "taskId"); id != "" && id != x.r.task || !isObject(result) {
			err = errOther
		}
	case opPushDelete:
		if isNull(result) && x.c.era == era10 {
			result, changed = []byte("{}"), true
		}
	case opExtendedCard:
		out, err = x.extended(result)
		return out, true, err
	}
	if err != nil {
		return nil, false, err
	}
	if x.c.era == x.to.era && x.c == x.r && x.alias == "" {
		return result, changed, nil
	}
	v, err := decode(result)
	if err != nil {
		return nil, false, errAnswer.WithCause(err)
	}
	if x.to.era == era03 {
		if v, err = newResult(x.r.op, v); err != nil {
			return nil, false, err
		}
	}
	if x.alias != "" {
		renameTask(v, x.task, x.alias)
		if x.c.op != x.r.op {
			v = x.reply(v)
		}
	}
	if x.c.era == era03 {
		if v, err = oldResult(x.c.op, v); err != nil {
			return nil, false, err
		}
	}
	out, err = encode(v)
	return out, true, err
}

// mine notes what an answer is about, which must be the caller's, and what was
// asked for.
func (x *exchange) mine(a about) error {
	switch {
	case len(a.task) > maxID || len(a.context) > maxID:
		return errAnswer
	case a.task != "" && ops[x.r.op].task && a.task != x.r.task: // the peer's own id
		return errOther
	case a.task != "" && x.task != "" && a.task != x.task:
		return errOther // a stream is of one task
	}
	if a.context != "" {
		of := x.owner
		if !x.p.tasks.claim(ownsContext, a.context, of) {
			return errOther
		}
	}
	if a.task == "" {
		return nil
	}
	of := x.owner
	of.Context, of.State = a.context, a.state
	if !x.p.tasks.claim(ownsTask, a.task, of) {
		return errOther
	}
	x.task = a.task
	if x.alias != "" {
		x.p.tasks.lead(x.u.Name, x.alias, a.task)
	}
	if a.state != "" {
		x.state = a.state
	}
	return nil
}

// listed leaves of a list the caller's own tasks. What the peer counts is of all
// who call it through us, so the count is ours.
func (x *exchange) listed(result []byte) ([]byte, error) {
	tasks := find(result, "tasks")
	if !isObject(result) || tasks != nil && tasks[0] != '[' {
		return nil, errAnswer
	}
	kept := []byte{'['}
	elements(tasks, func(t []byte) bool {
		if own, _ := x.p.tasks.whose(x.u.Name, ownsTask, textAt(t, "id"), x.owner.Owner); own {
			if len(kept) > 1 {
				kept = append(kept, ',')
			}
			kept = append(kept, t...)
		}
		return true
	})
	out := with(result, "tasks", append(kept, ']'))
	if find(out, "nextPageToken") == nil {
		out = with(out, "nextPageToken", []byte(`""`))
	}
	return with(out, "totalSize", appendInt(x.p.tasks.of(x.u.Name, x.owner.Owner))), nil
}

// extended rewrites a card that only callers with a credential get.
func (x *exchange) extended(result []byte) ([]byte, error) {
	if x.to.era == era03 {
		v, err := decode(result)
		o, ok := v.(object)
		if err != nil || !ok {
			return nil, errAnswer.WithCause(err)
		}
		if result, err = encode(newCard(o)); err != nil {
			return nil, errAnswer.WithCause(err)
		}
	}
	pb, err := readCard(result)
	if err != nil {
		return nil, errAnswer.WithCause(err)
	}
	o, err := x.p.sign(x.p.rewrite(x.u, pb, x.to.binding))
	if err != nil {
		return nil, err
	}
	if x.c.era == era03 {
		o = oldCard(o)
	}
	return canonicalJSON(o)
}

// streamError turns an error into the last event of a stream; nil when it is
// none that a client is told in the stream.
func (x *exchange) streamError(err error) []byte {
	var e *peerError
	if !errors.As(err, &e) {
		return nil
	}
	x.facts.ErrorType, x.facts.ErrorMessage = e.reason(), e.message
	return x.failure(e)
}

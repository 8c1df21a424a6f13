package mcp

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"

	"reeve/internal/fault"
	"reeve/internal/gateway/llm/wire"
)

// Tasks of a server without sessions, for a client with one.

// ofNoServer begins the name of a task that is ours: the server answered at once.
const ofNoServer = "done:"

// asTasksOf takes the extension of tasks out of a server's capabilities and puts
// what 2025-11-25 says instead; has is whether the server has it.
func asTasksOf(capabilities json.RawMessage, version string) (_ json.RawMessage, has bool) {
	var all map[string]json.RawMessage
	var extensions map[string]json.RawMessage
	if json.Unmarshal(capabilities, &all) != nil || json.Unmarshal(all["extensions"], &extensions) != nil {
		return capabilities, false
	}
	if _, has = extensions[keyTasks]; !has {
		return capabilities, false
	}
	delete(extensions, keyTasks)
	if delete(all, "extensions"); len(extensions) > 0 {
		all["extensions"] = encoded(extensions)
	}
	if version == latestSession { // the only one that knows tasks
		all["tasks"] = json.RawMessage(`{"list":{},"cancel":{},"requests":{"tools":{"call":{}}}}`)
	}
	return encoded(all), version == latestSession
}

// takingTasks are a client's capabilities with the extension of tasks.
func takingTasks(caps []byte) []byte {
	all := map[string]json.RawMessage{}
	if json.Unmarshal(caps, &all) != nil || all == nil {
		all = map[string]json.RawMessage{}
	}
	all = maps.Clone(all)
	delete(all, "tasks")
	withTasks(all)
	return encoded(all)
}

// wishes prepares a call that the client wants as a task. Where the server has
// none the wish is as none.
func (x *exchange) wishes() (err error) {
	if x.m.method != "tools/call" || x.m.wish.to == 0 {
		return nil
	}
	x.asTask = x.ses.legacy.tasks
	x.m, err = x.m.withoutTask()
	return err
}

// asOld is a server's result as a client with a session has it.
func (x *exchange) asOld(result []byte) ([]byte, error) {
	switch {
	case x.m.method == "tools/list" && x.ses.legacy.tasks:
		return runnable(result), nil
	case x.asTask:
		return x.wished(result)
	}
	return result, nil
}

// runnable says of each tool in a list that it may be run as a task: without
// sessions the server decides.
func runnable(result []byte) []byte {
	_, all, _, f := entries(result, "tools")
	if f != nil {
		return result // it is refused by who reads it next
	}
	edits := make([]wire.Edit, 0, len(all))
	for i := range all {
		at := all[i].at
		if all[i].tool.Tasks == "" && at.to-at.from > 2 {
			edits = append(edits, wire.Edit{From: at.from + 1, To: at.from + 1, With: []byte(`"execution":{"taskSupport":"optional"},`)})
		}
	}
	return wire.Apply(nil, result, edits)
}

// wished is the task that a client asked for: the server's, or one that is over
// already when the server answered at once.
func (x *exchange) wished(result []byte) ([]byte, error) {
	now := x.p.o.Now()
	f, err := readTask(result)
	if f.Type != "task" {
		if len(result) > maxTaskBytes {
			return nil, errTaskLarge
		}
		at := now.UTC().Format(time.RFC3339Nano)
		f = taskFields{ID: ofNoServer + rand.Text(), Status: "completed", Created: at, Updated: at, TTLMs: encoded(sealFor.Milliseconds())}
		t := &task{key: taskKey{x.taskOwner(), f.ID}, until: now.Add(sealFor), done: bytes.Clone(result)}
		if err := x.p.tasks.put(t, now); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	} else {
		x.keepListed(f, now)
	}
	f.old()
	return encoded(map[string]any{"task": f}), nil
}

// taskOfStateless answers a client with a session about a task.
func (x *exchange) taskOfStateless(req *http.Request, l link) (*http.Response, error) {
	if !x.ses.legacy.tasks {
		return nil, errMethod(x.m.method)
	}
	x.asTask = true
	done := x.p.tasks.find(taskKey{x.taskOwner(), x.own}, x.p.o.Now())
	if done != nil && done.listed {
		done = nil // the server has it
	}
	return x.respond(req, func(ctx context.Context, say emit) error {
		ctx, end := x.ses.legacy.during(ctx, x.m.id)
		defer end()
		var msg []byte
		var err error
		switch {
		case x.m.method == "tasks/list":
			msg, err = x.listNew(ctx, req, l)
		case done != nil && x.m.method == "tasks/result":
			msg = x.resultMessage(x.related(done.done))
		case done != nil && x.m.method == "tasks/cancel":
			err = errTaskOver
		case done != nil:
			f := done.fields()
			f.old()
			msg = x.resultMessage(encoded(f))
		case x.m.method == "tasks/result":
			msg, err = x.resultNew(ctx, req, l, say)
		default:
			msg, err = x.getNew(ctx, req, l, x.m.method == "tasks/cancel")
		}
		if err != nil {
			return err
		}
		return say(msg, true)
	})
}

var errTaskLarge = fault.New(fault.KindExhausted, "mcp.task_large", "the result is larger than what is kept of a task").
	WithHint("call the tool without asking for a task")

var errTaskOver = fault.New(fault.KindInvalid, "mcp.task_over", "the task is over already")

// at is when a task that is ours was made.
func (t *task) at() string { return t.until.Add(-sealFor).UTC().Format(time.RFC3339Nano) }

// fields are those of a task that is ours.
func (t *task) fields() taskFields {
	return taskFields{ID: t.key.id, Status: "completed", Created: t.at(), Updated: t.at(), TTLMs: encoded(sealFor.Milliseconds())}
}

// ofTask makes a request about the task at its server, for its result. failed is
// the error that it answers with; nil for none.
func (x *exchange) ofTask(ctx context.Context, req *http.Request, l link, method string, params []byte) (result, failed []byte, err error) {
	return x.aboutTask(ctx, req, l, x.own, method, params)
}

// aboutTask is ofTask for any task of the caller's.
func (x *exchange) aboutTask(ctx context.Context, req *http.Request, l link, task, method string, params []byte) (result, failed []byte, err error) {
	like := req.Clone(ctx)
	m, err := x.once(ctx, like, l, func(id []byte) []byte { return about(id, method, task, x.ses.meta(true), params) })
	switch {
	case err != nil:
		return nil, nil, err
	case m.fault.to != 0:
		return nil, answering(m, x.m.id, nil), nil
	}
	return bytes.Clone(m.result.in(m.raw)), nil, nil
}

// getNew asks for a task, and ends it before when cancel is true.
func (x *exchange) getNew(ctx context.Context, req *http.Request, l link, cancel bool) ([]byte, error) {
	if cancel {
		if _, failed, err := x.ofTask(ctx, req, l, "tasks/cancel", nil); failed != nil || err != nil {
			return failed, err
		}
	}
	result, failed, err := x.ofTask(ctx, req, l, "tasks/get", nil)
	if failed != nil || err != nil {
		return failed, err
	}
	f, err := readTask(result)
	if err != nil {
		return nil, err
	}
	f.old()
	return x.resultMessage(encoded(f)), nil
}

// resultNew waits until the task is over. What the server wants to know
// meanwhile the client is asked on this stream.
func (x *exchange) resultNew(ctx context.Context, req *http.Request, l link, say emit) ([]byte, error) {
	var asked []string // keys that were answered: the server may say them once more
	for {
		result, failed, err := x.ofTask(ctx, req, l, "tasks/get", nil)
		if failed != nil || err != nil {
			return failed, err
		}
		f, err := readTask(result)
		if err != nil {
			return nil, err
		}
		switch f.Status {
		case "completed":
			return x.resultMessage(x.related(f.Result)), nil
		case "failed":
			if len(f.Error) == 0 {
				f.Error = encoded(failure{Code: codeInternal, Message: "the task failed"})
			}
			out := append(append([]byte(`{"jsonrpc":"2.0","id":`), x.m.id...), `,"error":`...)
			return append(append(out, f.Error...), '}'), nil
		case "cancelled":
			return errorMessage(x.m.id, failure{Code: codeParams, Message: "the task was cancelled"}), nil
		case "input_required":
			if err := x.inform(ctx, req, l, say, f.Requests, &asked); err != nil {
				return nil, err
			}
		}
		select {
		case <-time.After(every(f.PollMs)):
		case <-x.ses.gone:
			return nil, errSession
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// inform asks the client what the server wants to know, and tells the server.
func (x *exchange) inform(ctx context.Context, req *http.Request, l link, say emit, requests []byte, asked *[]string) error {
	var asks []pendingAsk
	c := wire.Inner(requests)
	for o := c.Object(); o.Next(); {
		key := string(o.Key)
		method, params := question(&c)
		if slices.Contains(*asked, key) {
			continue
		}
		asks = append(asks, pendingAsk{key: key, method: method, params: x.related(params.in(requests))})
		*asked = append(*asked, key)
	}
	if len(asks) == 0 || len(*asked) > maxQuestion {
		return nil
	}
	given, err := x.gather(ctx, asks, say)
	if err != nil {
		return err
	}
	_, failed, err := x.ofTask(ctx, req, l, "tasks/update", append([]byte(`"inputResponses":`), encoded(given)...))
	if err == nil && failed != nil {
		err = errAnswer
	}
	return err
}

// related is an object with the mark in its _meta that says for which task it is,
// by the name that the client has of it.
func (x *exchange) related(object []byte) []byte {
	var all map[string]json.RawMessage
	if json.Unmarshal(object, &all) != nil || all == nil {
		all = map[string]json.RawMessage{}
	}
	var meta map[string]json.RawMessage
	if json.Unmarshal(all["_meta"], &meta) != nil || meta == nil {
		meta = map[string]json.RawMessage{}
	}
	meta[keyRelated] = encoded(map[string]string{"taskId": x.m.task})
	all["_meta"] = encoded(meta)
	delete(all, "resultType")
	return encoded(all)
}

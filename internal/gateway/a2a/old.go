package a2a

import (
	"encoding/base64"

	"reeve/internal/fault"
)

// This file translates between A2A 0.3, as its JSON-RPC binding has it, and 1.0.
// What neither knows is kept where it stands.

type object = map[string]any

var errOld = fault.New(fault.KindInvalid, "a2a.params", "the request cannot be told in the version that the peer speaks")

// fromOld reads the parameters of a method of 0.3.
func (r *request) fromOld(params []byte) error {
	v, err := decode(params)
	if err != nil {
		return errParams.WithCause(err)
	}
	p, _ := v.(object)
	if r.params, err = encode(newParams(r.op, p)); err != nil {
		return errParams.WithCause(err)
	}
	return nil
}

// newParams makes parameters of 1.0 from those of 0.3. It changes p.
func newParams(o op, p object) object {
	switch o {
	case opSend, opStream:
		if m, ok := p["message"].(object); ok {
			p["message"] = newMessage(m)
		}
		if c, ok := p["configuration"].(object); ok {
			if blocking, ok := c["blocking"].(bool); ok {
				delete(c, "blocking")
				if !blocking {
					c["returnImmediately"] = true
				}
			}
			if push, ok := c["pushNotificationConfig"].(object); ok {
				delete(c, "pushNotificationConfig")
				c["taskPushNotificationConfig"] = newPush(push)
			}
		}
	case opPushCreate:
		push, _ := p["pushNotificationConfig"].(object)
		out := newPush(push)
		if id, ok := p["taskId"]; ok {
			out["taskId"] = id
		}
		return out
	case opPushGet, opPushDelete:
		return rename(p, "id", "taskId", "pushNotificationConfigId", "id")
	case opPushList:
		return rename(p, "id", "taskId")
	}
	return p
}

// oldParams makes parameters of 0.3 from those of 1.0. It changes p.
func oldParams(o op, p object) object {
	delete(p, "tenant")
	switch o {
	case opSend, opStream:
		if m, ok := p["message"].(object); ok {
			p["message"] = oldMessage(m)
		}
		if c, ok := p["configuration"].(object); ok {
			now, _ := c["returnImmediately"].(bool)
			delete(c, "returnImmediately")
			c["blocking"] = !now
			if push, ok := c["taskPushNotificationConfig"].(object); ok {
				delete(c, "taskPushNotificationConfig")
				c["pushNotificationConfig"] = oldPush(push)
			}
		}
	case opPushCreate:
		id := p["taskId"]
		return object{"taskId": id, "pushNotificationConfig": oldPush(p)}
	case opPushGet, opPushDelete:
		return rename(p, "id", "pushNotificationConfigId", "taskId", "id")
	case opPushList:
		return rename(p, "taskId", "id")
	}
	return p
}

// rename moves members, the first pair first. It changes p.
func rename(p object, pairs ...string) object {
	moved := object{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if v, ok := p[pairs[i]]; ok {
			moved[pairs[i+1]] = v
			delete(p, pairs[i])
		}
	}
	for k, v := range moved {
		p[k] = v
	}
	return p
}

// newPush makes a push configuration of 1.0. It changes p.
func newPush(p object) object {
	if p == nil {
		return object{}
	}
	if a, ok := p["authentication"].(object); ok {
		if list, ok := a["schemes"].([]any); ok {
			delete(a, "schemes")
			if len(list) > 0 {
				a["scheme"] = list[0]
			}
		}
	}
	return p
}

// oldPush makes a push configuration of 0.3. It changes p.
func oldPush(p object) object {
	delete(p, "tenant")
	delete(p, "taskId")
	if a, ok := p["authentication"].(object); ok {
		if s, ok := a["scheme"]; ok {
			delete(a, "scheme")
			a["schemes"] = []any{s}
		}
	}
	return p
}

// oldTaskPush makes a task's push configuration of 0.3. It changes p.
func oldTaskPush(p object) object {
	id := p["taskId"]
	return object{"taskId": id, "pushNotificationConfig": oldPush(p)}
}

// newTaskPush makes a task's push configuration of 1.0. It changes p.
func newTaskPush(p object) object {
	push, _ := p["pushNotificationConfig"].(object)
	out := newPush(push)
	out["taskId"] = p["taskId"]
	return out
}

var (
	newRoles = map[string]string{"user": "ROLE_USER", "agent": "ROLE_AGENT"}
	oldRoles = map[string]string{"ROLE_USER": "user", "ROLE_AGENT": "agent"}
)

// swap puts a word's other form in its place; a word that is not known stays.
func swap(o object, name string, words map[string]string) {
	if s, ok := o[name].(string); ok {
		if w, ok := words[s]; ok {
			o[name] = w
		}
	}
}

func each(v any, f func(object) object) {
	list, _ := v.([]any)
	for i := range list {
		if o, ok := list[i].(object); ok {
			list[i] = f(o)
		}
	}
}

func newMessage(m object) object {
	delete(m, "kind")
	swap(m, "role", newRoles)
	each(m["parts"], newPart)
	return m
}

func oldMessage(m object) object {
	m["kind"] = "message"
	swap(m, "role", oldRoles)
	each(m["parts"], oldPart)
	return m
}

// wrapped marks a data part of 0.3 that stands for a value which is no object.
const wrapped = "data_part_compat"

func newPart(p object) object {
	kind, _ := p["kind"].(string)
	delete(p, "kind")
	switch kind {
	case "file":
		f, _ := p["file"].(object)
		delete(p, "file")
		if b, ok := f["bytes"]; ok {
			p["raw"] = b
		} else if u, ok := f["uri"]; ok {
			p["url"] = u
		}
		if n, ok := f["name"]; ok {
			p["filename"] = n
		}
		if t, ok := f["mimeType"]; ok {
			p["mediaType"] = t
		}
	case "data":
		m, _ := p["metadata"].(object)
		if is, _ := m[wrapped].(bool); is {
			if d, ok := p["data"].(object); ok {
				p["data"] = d["value"]
			}
			if delete(m, wrapped); len(m) == 0 {
				delete(p, "metadata")
			}
		}
	}
	return p
}

func oldPart(p object) object {
	file := func(name string, v any) object {
		f := object{name: v}
		if n, ok := p["filename"].(string); ok && n != "" {
			f["name"] = n
		}
		if t, ok := p["mediaType"].(string); ok && t != "" {
			f["mimeType"] = t
		}
		delete(p, "raw")
		delete(p, "url")
		p["kind"], p["file"] = "file", f
		return p
	}
	defer func() {
		delete(p, "filename")
		delete(p, "mediaType")
	}()
	if raw, ok := p["raw"].(string); ok {
		// ProtoJSON also writes the alphabet of URLs, which readers of 0.3 do not take.
		if b, err := base64.RawURLEncoding.DecodeString(trimPad(raw)); err == nil {
			raw = base64.StdEncoding.EncodeToString(b)
		}
		return file("bytes", raw)
	}
	if u, ok := p["url"]; ok {
		return file("uri", u)
	}
	if d, ok := p["data"]; ok {
		p["kind"] = "data"
		if _, isObject := d.(object); !isObject {
			p["data"] = object{"value": d}
			m, _ := p["metadata"].(object)
			if m == nil {
				m = object{}
			}
			m[wrapped] = true
			p["metadata"] = m
		}
		return p
	}
	p["kind"] = "text"
	if _, ok := p["text"]; !ok {
		p["text"] = ""
	}
	return p
}

func trimPad(s string) string {
	for len(s) > 0 && s[len(s)-1] == '=' {
		s = s[:len(s)-1]
	}
	return s
}

func newStatus(v any) {
	if s, ok := v.(object); ok {
		swap(s, "state", newStates)
		if m, ok := s["message"].(object); ok {
			s["message"] = newMessage(m)
		}
	}
}

func oldStatus(v any) (state string) {
	s, ok := v.(object)
	if !ok {
		return ""
	}
	state, _ = s["state"].(string)
	swap(s, "state", taskStates)
	if m, ok := s["message"].(object); ok {
		s["message"] = oldMessage(m)
	}
	return state
}

func newArtifact(a object) object {
	each(a["parts"], newPart)
	return a
}

func oldArtifact(a object) object {
	each(a["parts"], oldPart)
	return a
}

func newTask(t object) object {
	delete(t, "kind")
	newStatus(t["status"])
	each(t["artifacts"], newArtifact)
	each(t["history"], newMessage)
	return t
}

func oldTask(t object) object {
	t["kind"] = "task"
	oldStatus(t["status"])
	each(t["artifacts"], oldArtifact)
	each(t["history"], oldMessage)
	if _, ok := t["contextId"]; !ok {
		t["contextId"] = ""
	}
	return t
}

// newEvent makes an event of 1.0 of what 0.3 tells by its kind.
func newEvent(e object) (object, error) {
	kind, _ := e["kind"].(string)
	switch kind {
	case "task":
		return object{"task": newTask(e)}, nil
	case "message":
		return object{"message": newMessage(e)}, nil
	case "status-update":
		delete(e, "kind")
		delete(e, "final")
		newStatus(e["status"])
		return object{"statusUpdate": e}, nil
	case "artifact-update":
		delete(e, "kind")
		if a, ok := e["artifact"].(object); ok {
			e["artifact"] = newArtifact(a)
		}
		return object{"artifactUpdate": e}, nil
	}
	return nil, errAnswer
}

// oldEvent makes what 0.3 says of an event of 1.0.
func oldEvent(e object) (object, error) {
	for name, make := range map[string]func(object) object{"task": oldTask, "message": oldMessage, "statusUpdate": oldStatusUpdate, "artifactUpdate": oldArtifactUpdate} {
		if o, ok := e[name].(object); ok {
			return make(o), nil
		}
	}
	return nil, errAnswer
}

func oldStatusUpdate(u object) object {
	state := oldStatus(u["status"])
	u["kind"], u["final"] = "status-update", over(state) || interrupted(state)
	return u
}

func oldArtifactUpdate(u object) object {
	u["kind"] = "artifact-update"
	if a, ok := u["artifact"].(object); ok {
		u["artifact"] = oldArtifact(a)
	}
	return u
}

// newResult translates the result of an operation from 0.3 to 1.0.
func newResult(o op, v any) (any, error) {
	r, isObject := v.(object)
	switch o {
	case opSend, opStream, opSubscribe:
		if isObject {
			return newEvent(r)
		}
	case opGet, opCancel:
		if isObject {
			return newTask(r), nil
		}
	case opPushCreate, opPushGet:
		if isObject {
			return newTaskPush(r), nil
		}
	case opPushList:
		if list, ok := v.([]any); ok {
			each(list, newTaskPush)
			return object{"configs": list}, nil
		}
	case opPushDelete:
		return object{}, nil
	}
	return nil, errAnswer
}

// oldResult translates the result of an operation from 1.0 to 0.3.
func oldResult(o op, v any) (any, error) {
	r, isObject := v.(object)
	switch {
	case o == opPushDelete:
		return nil, nil
	case !isObject:
		return nil, errAnswer
	}
	switch o {
	case opSend, opStream, opSubscribe:
		return oldEvent(r)
	case opGet, opCancel:
		return oldTask(r), nil
	case opPushCreate, opPushGet:
		return oldTaskPush(r), nil
	case opPushList:
		list, _ := r["configs"].([]any)
		if list == nil {
			list = []any{}
		}
		each(list, oldTaskPush)
		return list, nil
	}
	return nil, errAnswer
}
